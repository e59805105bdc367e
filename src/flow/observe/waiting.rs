//! flow/observe/waiting: what was seen of coroutines that nobody awaits.

use crate::facts::{StepId, StepKind};
use crate::project::FunctionId;
use crate::source::Span;
use crate::vocabulary::Observation;

use super::super::waiting::Waiting;
use super::Observer;

/// The longest call that a message quotes whole.
const LONGEST_QUOTE: usize = 60;

impl Observer<'_> {
    /// Calls of a function that are not waited for as they should be.
    pub(super) fn waiting(&self, id: FunctionId) -> Vec<Observation> {
        let mut seen: Vec<Observation> = Vec::new();
        let mut told: Vec<Span> = Vec::new();
        for (&step, waiting) in &self.flow.outcomes[id].waiting {
            let Some(waiting) = waiting else { continue };
            let span = self.span(id, step);
            // The code of a `finally` is in the outline once for each way into it.
            if told.contains(&span) {
                continue;
            }
            told.push(span);
            let mut here = self.at(id, span);
            let call = self.call_text(id, step);
            match waiting {
                Waiting::Missing => {
                    here.say("await", "missing");
                    here.show("waiting", "is not awaited, so it never runs");
                    here.show("right", format!("await {call}"));
                }
                Waiting::Needless => {
                    here.say("await", "needless");
                    here.show(
                        "waiting",
                        "is awaited, but answers nothing to wait for, and that raises `TypeError`",
                    );
                    here.show("right", call.clone());
                }
            }
            here.show("call", call);
            here.remedies.extend(self.waited(id, step, *waiting));
            seen.push(here);
        }
        seen
    }

    /// A call as it is written, in short; of an `await`, the call that is awaited.
    pub(super) fn call_text(&self, id: FunctionId, step: StepId) -> String {
        let steps = &self.project.function(id).steps;
        let call = match steps[step as usize].kind {
            StepKind::Await(of) => of,
            _ => step,
        };
        let text = |step| self.project.file(id.file).source.slice(self.span(id, step));
        let whole = text(call);
        match steps[call as usize].kind {
            StepKind::Call { callee, .. } if whole.len() > LONGEST_QUOTE || whole.contains('\n') => {
                format!("{}(…)", text(callee).split_whitespace().collect::<String>())
            }
            _ => whole.to_owned(),
        }
    }
}
