//! flow/enqueue: calls that hand a task to a worker.

use crate::facts::StepId;
use crate::project::{Enqueue, FunctionId, Symbol, enqueue};

use super::trace::Trace;
use super::value::Value;

/// A task that is handed to a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enqueued {
    /// What the worker will run.
    pub task: FunctionId,
    /// When it is sent.
    pub how: Enqueue,
}

impl Trace<'_> {
    /// A method is called, of a task perhaps.
    pub(super) fn tell_enqueue(&mut self, step: StepId, receiver: &Value, method: &str, values: &[Value]) {
        let sent = match (receiver, method) {
            // `app.send_task("name")` knows the task by its name alone.
            (_, "send_task") => match values.first() {
                Some(Value::Text(name)) => self.project.task_named(name).zip(Some(Enqueue::Now)),
                _ => None,
            },
            (Value::Symbol(Symbol::Function(function)), _) => {
                self.project.task(*function).and(Some(*function)).zip(enqueue(method))
            }
            (Value::Object(class, _), _) => self.project.task_of_class(*class).zip(enqueue(method)),
            _ => None,
        };
        if let Some((task, how)) = sent {
            self.outcome.enqueued.insert(step, Enqueued { task, how });
        }
    }
}
