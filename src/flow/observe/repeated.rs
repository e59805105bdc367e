//! flow/observe/repeated: what was seen of rows that a task makes once more when it runs once more.

use crate::vocabulary::Observation;

use super::super::repeated::{Progress, Repeated, repeated};
use super::super::verdict::Judgement;
use super::Observer;

/// What a model is called that keeps what happened, each time.
const LOGS: &[&str] = &["Log", "Logs", "Event", "History", "Activity", "Attempt", "Notification", "Metric"];

impl Observer<'_> {
    /// Rows that may be there twice.
    pub(super) fn repeated(&self, judgements: &[Judgement]) -> Vec<Observation> {
        let is_meant = |one: &&Repeated| self.project.is_audit_model(one.model) || self.is_append_only(one);
        let all = repeated(self.project, self.flow, judgements);
        all.iter().filter(|one| !is_meant(one)).map(|one| self.row_again(one)).collect()
    }

    /// Whether the settings say that rows of the model are only ever added.
    fn is_append_only(&self, repeated: &Repeated) -> bool {
        let class = self.project.class(repeated.model);
        let path = format!("{}.{}", self.project.module_name(repeated.model.file), class.qualname);
        self.naming.append_only.iter().any(|name| {
            path.strip_suffix(name.as_str()).is_some_and(|start| start.is_empty() || start.ends_with('.'))
        })
    }

    fn row_again(&self, repeated: &Repeated) -> Observation {
        let mut seen = self.at(repeated.function, self.span(repeated.function, repeated.step));
        let model = self.project.entity_name(repeated.model);
        let task = self.project.function(repeated.task);
        seen.entity = Some(model.to_string());
        seen.say("row-again", repeated.because);
        seen.switch("keeps-progress", repeated.progress == Progress::Kept);
        seen.switch("model-logs", LOGS.iter().any(|word| model.ends_with(word)));
        seen.show("entity", model.as_str());
        seen.show("task", task.name.as_str());
        seen.show(
            "again",
            match repeated.because {
                "periodic" => "is started by a schedule",
                "retried" => "is tried again after a failure",
                _ => "is handed to another worker when one is lost",
            },
        );
        if repeated.task != repeated.function {
            seen.related.push(("this task leads here".into(), repeated.task.file.0 as usize, task.name_span));
        }
        seen
    }
}
