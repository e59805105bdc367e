//! flow/named: whether an audit event names the model of what was changed before it: then it tells of that change, and
//! does not merely come after it.

use std::collections::BTreeSet;

use crate::duty::Operation;
use crate::facts::{ArgumentKind, Literal, StepId, StepKind};
use crate::name::Name;
use crate::project::{ClassId, Symbol};

use super::trace::Trace;
use super::trail::Alteration;
use super::value::{ModelRef, Value};

/// Arguments of an audit event that say who acted, which says nothing of what was changed.
const ACTORS: &[&str] = &["user", "actor", "by", "username", "performed_by", "changed_by", "request"];

impl Trace<'_> {
    /// Those among some changes whose model the audit event at a step names: by a row or the class, or, where this
    /// function makes the change itself, by a text or a variable. What a callee changes besides is named by accident.
    pub(super) fn told_at(&self, step: StepId, changes: &BTreeSet<Alteration>) -> Vec<(ClassId, Operation)> {
        if changes.is_empty() {
            return Vec::new();
        }
        let mut said: Vec<Vec<String>> = Vec::new();
        let mut meant: BTreeSet<ClassId> = BTreeSet::new();
        for step in self.goes_into(step) {
            match self.function.steps[step as usize].kind {
                StepKind::Literal(Literal::Text(text)) => said.push(words(&text)),
                StepKind::Name(name) | StepKind::Attribute { name, .. } => said.push(words(&name)),
                _ => {}
            }
            match &self.values[step as usize] {
                Value::Symbol(Symbol::Class(class)) => drop(meant.insert(*class)),
                Value::Rows(rows) => meant.extend(class_of(rows.model)),
                Value::Text(text) => said.push(words(text)),
                value => meant
                    .extend(value.rows().iter().filter_map(|key| class_of(self.rows[key.0 as usize].model))),
            }
        }
        let is_told = |model: ClassId, is_own: bool| {
            let name = words(&self.project.name_in_code(model));
            let is_meant = || {
                meant.iter().any(|class| self.project.hierarchy(*class).classes().any(|class| class == model))
            };
            is_meant() || is_own && said.iter().any(|words| holds(words, &name))
        };
        let told = changes.iter().filter_map(|change| {
            let model = change.model?;
            is_told(model, change.place.0 == self.id).then_some((model, change.operation))
        });
        told.collect()
    }

    /// The steps that an audit event is made from, as far as this function makes it.
    fn goes_into(&self, event: StepId) -> Vec<StepId> {
        let steps = &self.function.steps;
        let mut seen = vec![false; steps.len()];
        let mut found = Vec::new();
        // Rows that are collected in a list first are made elsewhere in the function.
        let is_row = |step: &StepId| match &steps[*step as usize].kind {
            StepKind::Call { callee, .. } => matches!(self.values[*callee as usize],
                Value::Symbol(Symbol::Class(class)) if self.project.is_audit_model(class)),
            _ => false,
        };
        let mut waiting: Vec<StepId> = (0..event).filter(is_row).collect();
        waiting.push(event);
        let actors: Vec<Name> = waiting.iter().flat_map(|step| self.actors_of(*step)).collect();
        while let Some(step) = waiting.pop() {
            if std::mem::replace(&mut seen[step as usize], true) {
                continue;
            }
            found.push(step);
            match &steps[step as usize].kind {
                StepKind::Name(name) if actors.contains(name) => drop(found.pop()),
                StepKind::Name(name) => waiting.extend(self.function.bindings(*name)),
                // Who asks says nothing of what is asked for.
                StepKind::Attribute { of, .. } => match steps[*of as usize].kind {
                    StepKind::Name(name) if &*name == "request" => drop(found.pop()),
                    _ => waiting.push(*of),
                },
                StepKind::Call { callee, arguments } => {
                    waiting.push(*callee);
                    let told = arguments.iter().filter(|argument| !says_who(argument.kind));
                    waiting.extend(told.map(|argument| argument.value));
                }
                StepKind::Dictionary(entries) => {
                    waiting
                        .extend(entries.iter().flat_map(|(key, value)| key.iter().copied().chain([*value])));
                }
                StepKind::Index { of, key } => waiting.extend([*of, *key]),
                StepKind::Compare { left, right, .. } => waiting.extend([*left, *right]),
                StepKind::Await(of)
                | StepKind::Not(of)
                | StepKind::Gather(of)
                | StepKind::Element(of)
                | StepKind::Part { of, .. } => waiting.push(*of),
                StepKind::List(all)
                | StepKind::Either(all)
                | StepKind::Compute(all)
                | StepKind::Format(all) => {
                    waiting.extend(all);
                }
                _ => {}
            }
        }
        found
    }

    /// The variables that a call hands over as who acted.
    fn actors_of(&self, call: StepId) -> Vec<Name> {
        let StepKind::Call { arguments, .. } = &self.function.steps[call as usize].kind else {
            return Vec::new();
        };
        let actors = arguments.iter().filter(|argument| says_who(argument.kind));
        actors
            .filter_map(|actor| match self.function.steps[actor.value as usize].kind {
                StepKind::Name(name) => Some(name),
                _ => None,
            })
            .collect()
    }
}

fn says_who(kind: ArgumentKind) -> bool {
    matches!(kind, ArgumentKind::Keyword(name) if ACTORS.contains(&&*name))
}

fn class_of(model: ModelRef) -> Option<ClassId> {
    match model {
        ModelRef::Class(class) => Some(class),
        _ => None,
    }
}

/// Whether some words stand among others, one behind the other; the last of them may stand for many.
fn holds(words: &[String], name: &[String]) -> bool {
    let Some((last, before)) = name.split_last() else { return false };
    words.windows(name.len()).any(|window| {
        let is_last = |word: &String| {
            word == last || word.strip_prefix(last.as_str()).is_some_and(|rest| matches!(rest, "s" | "es"))
        };
        window.split_last().is_some_and(|(end, start)| start == before && is_last(end))
    })
}

/// The words of a name or text, in small letters, whichever way they are joined.
fn words(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut before = ' ';
    for letter in text.chars() {
        let starts = !before.is_alphanumeric() || letter.is_uppercase() && !before.is_uppercase();
        if letter.is_alphanumeric() {
            if starts {
                found.push(String::new());
            }
            let word = found.last_mut().expect("internal error: a letter stands behind no word");
            word.extend(letter.to_lowercase());
        }
        before = letter;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_holds_the_words_of_a_model() {
        let names = |text: &str, model: &str| holds(&words(text), &words(model));
        assert!(names("production_order_id", "ProductionOrder"));
        assert!(names("job.paused", "Job") && names("jobs", "Job") && names("JOB_PAUSED", "Job"));
        assert!(names("APIKey", "APIKey") && names("closed the api-key", "ApiKey"));
        assert!(!names("stage", "Tag") && !names("order_production", "ProductionOrder"));
        assert!(!names("", "Job"));
    }
}
