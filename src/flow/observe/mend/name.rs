//! flow/observe/mend/name: the right name in place of a wrong one: an import's path, a column, a route.

use crate::facts::{Import, Imported, Literal, StepId, StepKind};
use crate::nearest::nearest;
use crate::project::{FunctionId, Gone, Route, Stale, Strange, StrangeAction};
use crate::remedy::{Deed, Remedy};
use crate::source::Span;

use super::super::super::outcome::Phantom;
use super::super::Observer;
use super::call::keyword;

impl Observer<'_> {
    /// Imports what has moved from where it is now.
    pub(in super::super::super) fn right_import(&self, stale: &Stale) -> Option<Remedy> {
        let file = self.project.file(stale.function.file);
        let import = file.facts.imports.iter().find(|import| import.span == stale.span)?;
        let (word, span, path) = match (&stale.gone, import.item) {
            (Gone::Renamed { old, new }, Imported::Item(_) | Imported::Module) => {
                let rest = import.module.strip_prefix(old.as_str())?;
                ("renamed-import", self.module_span(stale, import)?, format!("{new}{rest}"))
            }
            (Gone::Module(_) | Gone::Name { .. }, Imported::Item(_)) => {
                let module = stale.now_in?;
                let span = self.module_span(stale, import)?;
                // Other names of the same statement may be where they were.
                let imports = file.facts.imports.iter().filter(|other| other.module == import.module);
                let of_statement = imports.filter(|other| self.module_span(stale, other) == Some(span));
                let is_own = module == self.project.module_name(stale.function.file);
                if is_own || of_statement.count() != 1 {
                    return None;
                }
                ("moved-import", span, self.importable_path(&module)?)
            }
            _ => return None,
        };
        let title = format!("Import from `{path}`");
        let deed = Deed::Replace { span, text: path };
        Some(Remedy::new(word, title, vec![Observer::act(stale.function, deed)]))
    }

    /// Where the module of an import is written, with the dots of a relative one.
    fn module_span(&self, stale: &Stale, import: &Import) -> Option<Span> {
        let text = self.project.file(stale.function.file).source.text.as_str();
        let start = import.span.start as usize;
        if import.item == Imported::Module {
            let end = start + import.module.len();
            return (text.get(start..end)? == import.module.as_str()).then(|| Span::new(start..end));
        }
        // `from` is looked for backwards: other names of the statement may stand between.
        let before = &text[..start];
        before.rmatch_indices("from").take(8).find_map(|(at, from)| {
            let behind = before[at + from.len()..].trim_start();
            let path = behind.split(|c: char| c.is_whitespace()).next()?;
            let is_it = path.trim_start_matches('.') == import.module.as_str()
                && path.len() - path.trim_start_matches('.').len() == import.level as usize
                && behind[path.len()..].trim_start().starts_with("import");
            let begins = before.len() - behind.len();
            is_it.then(|| Span::new(begins..begins + path.len()))
        })
    }

    /// Stores in the one column whose name differs from the phantom's in a letter.
    pub(in super::super) fn meant_field(
        &self,
        id: FunctionId,
        step: StepId,
        phantom: &Phantom,
    ) -> Option<Remedy> {
        let columns = self.project.model(phantom.model)?.columns.keys();
        let mut near =
            columns.filter(|name| strsim::damerau_levenshtein(name.as_str(), phantom.field.as_str()) == 1);
        let meant = near.next().filter(|_| near.next().is_none())?;
        let span = match &self.project.function(id).steps[step as usize].kind {
            StepKind::Store { of, name, .. } if *name == phantom.field => {
                self.stored_name_span(id, *of, *name)?
            }
            StepKind::Call { arguments, .. } => {
                // A keyword that is there already cannot be given twice.
                if arguments.iter().any(|argument| keyword(argument) == Some(*meant)) {
                    return None;
                }
                let argument = arguments.iter().find(|one| keyword(one) == Some(phantom.field))?;
                self.keyword_span(id, argument)?
            }
            _ => return None,
        };
        let title = format!("Write `{meant}` for `{}`", phantom.field);
        let deed = Deed::Replace { span, text: meant.to_string() };
        Some(Remedy::new("meant-field", title, vec![Observer::act(id, deed)]))
    }

    /// Writes a route as its library does.
    pub(in super::super) fn right_route(&self, route: &Route, right: &str) -> Option<Remedy> {
        let span = self.text_in_quotes(route.function, route.step, route.text.as_str())?;
        let title = format!("Write `{right}`");
        let deed = Deed::Replace { span, text: right.to_owned() };
        Some(Remedy::new("canonical-route", title, vec![Observer::act(route.function, deed)]))
    }

    /// Writes the choice that is like an action.
    pub(in super::super) fn right_action(&self, action: &StrangeAction, near: &str) -> Option<Remedy> {
        if !is_slip(&action.text, near) {
            return None;
        }
        let span = self.text_in_quotes(action.function, action.step, &action.text)?;
        let title = format!("Write `{near}` for `{}`", action.text);
        let deed = Deed::Replace { span, text: near.to_owned() };
        Some(Remedy::new("near-choice", title, vec![Observer::act(action.function, deed)]))
    }

    /// Writes the names that are like those which the taker does not have: all of them or none.
    pub(in super::super) fn right_names(&self, strange: &Strange) -> Option<Remedy> {
        let id = strange.function;
        let StepKind::Call { arguments, .. } = &self.project.function(id).steps[strange.step as usize].kind
        else {
            return None;
        };
        let mut acts = Vec::new();
        let mut shown = Vec::new();
        for &name in &strange.names {
            let near = nearest(&name, strange.known.iter().map(|known| known.as_str()))?;
            let is_given = arguments.iter().any(|one| keyword(one).is_some_and(|given| &*given == near));
            if is_given || !is_slip(&name, near) {
                return None;
            }
            let argument = arguments.iter().find(|one| keyword(one) == Some(name))?;
            let span = self.keyword_span(id, argument)?;
            acts.push(Observer::act(id, Deed::Replace { span, text: near.to_owned() }));
            shown.push(format!("`{near}` for `{name}`"));
        }
        let title = format!("Write {}", shown.join(" and "));
        Some(Remedy::new("near-name", title, acts))
    }

    /// Where the text of a literal is written, without its quotation marks; nothing where it is written in another way
    /// than it reads.
    pub(super) fn text_in_quotes(&self, id: FunctionId, step: StepId, text: &str) -> Option<Span> {
        let StepKind::Literal(Literal::Text(_)) = self.project.function(id).steps[step as usize].kind else {
            return None;
        };
        let whole = self.span(id, step);
        let written = self.text_at(id, whole);
        let inner = written.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        let inner = ["\"", "'"].iter().find_map(|q| inner.strip_prefix(q)?.strip_suffix(q))?;
        let start = whole.start as usize + written.len() - inner.len() - 1;
        (inner == text).then(|| Span::new(start..start + inner.len()))
    }
}

/// Whether one name was probably meant to be another: a slip or two, or the first word of a longer name.
fn is_slip(given: &str, meant: &str) -> bool {
    let slips = strsim::damerau_levenshtein(given, meant);
    let is_beginning =
        |long: &str, short: &str| long.strip_prefix(short).is_some_and(|rest| rest.starts_with('_'));
    slips <= 1.max(given.chars().count() / 5) || is_beginning(meant, given)
}

#[cfg(test)]
mod tests {
    use super::is_slip;

    #[test]
    fn a_slip_is_told_from_another_word() {
        for (given, meant, is_meant) in [
            ("patient_admited", "patient_admitted", true),
            ("action", "action_type", true),
            ("timestmap", "timestamp", true),
            ("patient_moved", "patient_updated", false),
            ("logout", "login", false),
            ("case", "user", false),
        ] {
            assert_eq!(is_slip(given, meant), is_meant, "{given} for {meant}");
        }
    }
}
