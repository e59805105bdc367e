//! flow/observe/task: what was seen of the tasks that carry audit events.

use crate::project::{FunctionId, Retries, Task};
use crate::vocabulary::Observation;

use super::Observer;

/// What a task of this name does with an event.
const CARRIES: &[&str] = &["send", "emit", "deliver", "ship", "publish", "forward", "dispatch", "push"];

impl Observer<'_> {
    /// Tasks that carry audit events, with what they lack.
    pub(super) fn carriers(&self) -> Vec<Observation> {
        let carriers = self.project.task_ids().into_iter().filter(|&id| self.carries_audit(id));
        carriers.filter_map(|id| self.carrier(id, self.project.task(id)?)).collect()
    }

    /// Whether a task emits audit events: the settings say so, or its name does.
    fn carries_audit(&self, id: FunctionId) -> bool {
        let name = self.project.function(id).name.to_lowercase();
        let has = |words: &[&str]| name.split('_').any(|part| words.contains(&part));
        self.project.is_emitter(id) || has(&["audit"]) && has(CARRIES)
    }

    fn carrier(&self, id: FunctionId, task: &Task) -> Option<Observation> {
        let mut seen = self.at(id, self.project.function(id).name_span);
        let mut lacks = Vec::new();
        let mut lack = |is_lacking: bool, word: &'static str, text: &'static str| {
            if is_lacking {
                seen.say("carrier-lacks", word);
                lacks.push(text);
            }
        };
        lack(task.retries != Retries::Bounded, "bounded-retries", "bounded retries");
        lack(!task.acks_late, "late-acknowledgement", "`acks_late=True`");
        lack(!task.reject_on_worker_lost, "rejection", "`reject_on_worker_lost=True`");
        lack(!task.ignore_result, "ignored-result", "`ignore_result=True`");
        if lacks.is_empty() {
            return None;
        }
        let last = lacks.pop();
        let all = match (lacks.join(", "), last) {
            (first, Some(last)) if !first.is_empty() => format!("{first} or {last}"),
            (_, last) => last.unwrap_or_default().to_owned(),
        };
        seen.show("lacks", all);
        Some(seen)
    }
}
