//! flow/declared: what is wrong before a row is written, in the words of the vocabulary: times, clauses, imports.

use crate::project::{FunctionId, Gone, Purpose, Stale};
use crate::vocabulary::Observation;

use super::clause::Unreachable;
use super::clock::{self, Clock};
use super::observe::Observer;

impl Observer<'_> {
    /// Times that are read once for ever, and times that their columns do not keep as they are.
    pub(super) fn times(&self, id: FunctionId) -> Vec<Observation> {
        let outcome = &self.flow.outcomes[id];
        let mut found = Vec::new();
        for (&step, frozen) in &outcome.frozen {
            let mut seen = self.at(id, self.span(id, step));
            seen.say("frozen", frozen.kept_by);
            seen.show("field", frozen.name.clone());
            seen.show("kept-by", if frozen.kept_by == "text" { "table" } else { "module" });
            let instead = match frozen.kept_by {
                "text" => "Write `func.now()`, which the database computes for each row",
                "argument" => "Let the default be `None` and read the clock in the function",
                "constant" => {
                    "Read the clock where the value is used, or make the attribute a constant by name"
                }
                "field" => "Use `default_factory` with the clock itself, not with what it read",
                _ => "Pass the clock itself, without the call, or a lambda where it needs arguments",
            };
            seen.show("instead", instead);
            seen.remedies.extend(self.clock_itself(id, step));
            found.push(seen);
        }
        let chosen = self.naming.is_clock_chosen.then(|| Clock::written(&self.naming.clock)).flatten();
        for (&(step, field), store) in &outcome.clock_stores {
            let Some(word) = clock::disagreement(store, chosen) else { continue };
            let mut seen = self.at(id, self.span(id, step));
            seen.entity = Some(self.project.class(store.class).name.to_string());
            seen.say("mixed", word);
            seen.say("by", store.by);
            seen.show("field", field.as_str());
            seen.show("reading", clock::called(store.clock));
            let other = match word {
                "clock" => format!("the project's clock is `{}`", self.naming.clock),
                _ => clock::kept(self.project, store),
            };
            seen.show("other", other);
            found.push(seen);
        }
        found
    }

    /// Says of a handler that it never runs.
    pub(super) fn show_unreachable(&self, seen: &mut Observation, id: FunctionId, why: Unreachable) {
        let function = self.project.function(id);
        match why {
            Unreachable::Behind(earlier) => {
                let earlier = &function.handlers[earlier as usize];
                seen.say("unreachable", "behind-broader");
                let caught = match earlier.catches.as_slice() {
                    [] => "a bare `except`".to_owned(),
                    [only] => format!("`except {}`", self.source_text(id, *only)),
                    _ => "an earlier clause".to_owned(),
                };
                seen.show("reason", format!("{caught} before it takes every such error"));
                seen.show("instead", "Put the narrower clause first");
                seen.related.push(("it is caught here".into(), id.file.0 as usize, earlier.head));
            }
            Unreachable::Foreign(library) => {
                seen.say("unreachable", "other-library");
                seen.show("reason", format!("a SQLAlchemy session does not raise the errors of `{library}`"));
                seen.show("instead", "Name the class of the same name in `sqlalchemy.exc`");
            }
        }
    }

    /// An import that fails, or will.
    pub(super) fn stale(&self, stale: &Stale) -> Observation {
        let mut seen = self.at(stale.function, stale.span);
        let now_in = |otherwise: &str| match stale.now_in {
            Some(module) => format!("It is defined in `{module}` now"),
            None => otherwise.to_owned(),
        };
        let (word, what, instead) = match &stale.gone {
            Gone::Module(module) => (
                "gone-module",
                format!("there is no module `{module}`"),
                now_in("Import what has taken its place"),
            ),
            Gone::Name { module, name } => {
                let what = format!("`{module}` has no `{name}`");
                ("gone-name", what, now_in("Import what has taken its place, or remove the import"))
            }
            Gone::Renamed { old, new } => {
                ("renamed", format!("`{old}` is called `{new}` now"), format!("Import from `{new}`"))
            }
        };
        seen.say("import", word);
        let purpose = match stale.purpose {
            Purpose::Running => "running",
            Purpose::Types => "types",
            Purpose::Attempt => "attempt",
        };
        seen.say("import-for", purpose);
        seen.show("stale", what);
        seen.show("instead", instead);
        seen.remedies.extend(self.right_import(stale));
        seen
    }
}
