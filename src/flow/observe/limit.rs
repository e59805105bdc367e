//! flow/observe/limit: what was seen of sizes of pages that clients choose.

use crate::vocabulary::Observation;

use super::super::limit::{Unlimited, unlimited};
use super::Observer;

impl Observer<'_> {
    /// Sizes that nothing keeps small.
    pub(super) fn page_sizes(&self) -> Vec<Observation> {
        unlimited(self.project, self.flow).iter().map(|size| self.page_size(size)).collect()
    }

    fn page_size(&self, size: &Unlimited) -> Observation {
        let id = size.function;
        let function = self.project.function(id);
        let span = size.step.map_or(function.name_span, |step| self.span(id, step));
        let mut seen = self.at(id, span);
        seen.say("page-size", size.by);
        seen.show("field", size.name.clone());
        let instead = match size.by {
            "parameter" => {
                format!("Say the most that is answered: `{}: int = Query(50, ge=1, le=200)`", size.name)
            }
            "query" => format!("Take the smaller of `{}` and a maximum: `min(…, 200)`", size.name),
            _ => "Set a maximum in the class: `max_page_size = 200`, or `max_limit`".to_owned(),
        };
        seen.show("instead", instead);
        if let Some((other, step)) = size.used {
            seen.related.push((
                "it says here how many rows are read".into(),
                other.file.0 as usize,
                self.span(other, step),
            ));
        }
        seen
    }
}
