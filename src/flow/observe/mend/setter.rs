//! flow/observe/mend/setter: stores to the columns of an actor, one by one, become the call of the setter that fills them all.

use crate::facts::{StepId, StepKind};
use crate::name::Name;
use crate::project::{FunctionId, written_path};
use crate::remedy::{Deed, Remedy};
use crate::source::Span;

use super::super::super::stamp::Stamp;
use super::super::Observer;
use super::straight;

impl Observer<'_> {
    /// The setter's call in place of the stores that do its work, where they stand next to each other and do all of it.
    pub(in super::super) fn setter_for(&self, id: FunctionId, step: StepId, stamp: &Stamp) -> Option<Remedy> {
        let project = self.project;
        let function = project.function(id);
        let StepKind::Store { of, .. } = function.steps[step as usize].kind else { return None };
        let row = written_path(function, of)?;
        let setter = project.setter(stamp.model, stamp.duty)?;
        let method = project.function(project.method(stamp.model, setter)?);
        // What the setter puts where; one that does more, or something else, is not the same as the stores.
        let mut puts: Vec<(Name, Name)> = Vec::new();
        for other in &method.steps {
            if let StepKind::Store { of, name, value } = other.kind {
                let StepKind::Name(receiver) = method.steps[of as usize].kind else { return None };
                let StepKind::Name(given) = method.steps[value as usize].kind else { return None };
                if method.params.first().is_none_or(|first| first.name != receiver) {
                    return None;
                }
                puts.push((name, given));
            }
        }
        let mut stores: Vec<(Name, StepId, Span)> = Vec::new();
        for at in straight(function, step) {
            if let StepKind::Store { of, name, value } = function.steps[at as usize].kind
                && written_path(function, of) == Some(row)
                && puts.iter().any(|(column, _)| *column == name)
            {
                let (target, text) = (self.span(id, at), self.span(id, value));
                stores.push((name, value, Span { start: target.start, end: text.end }));
            }
        }
        let mut arguments = Vec::new();
        for param in method.params.iter().skip(1) {
            let (column, _) = puts.iter().find(|(_, given)| *given == param.name)?;
            let mut of_column = stores.iter().filter(|(name, ..)| name == column);
            let (_, value, _) = of_column.next().filter(|_| of_column.next().is_none())?;
            arguments.push(self.source_text(id, *value));
        }
        let root = |text: &str| text.split(['.', '(', '[']).next().unwrap_or(text).to_owned();
        if stores.len() != puts.len() || arguments.windows(2).any(|pair| root(pair[0]) != root(pair[1])) {
            return None;
        }
        let text = &project.file(id.file).source.text;
        let is_between = |pair: &[(Name, StepId, Span)]| {
            let between = text.get(pair[0].2.end as usize..pair[1].2.start as usize);
            let is_no_code = |line: &str| line.trim().is_empty() || line.trim().starts_with('#');
            between.is_some_and(|between| between.lines().all(is_no_code))
        };
        if !stores.windows(2).all(is_between) {
            return None;
        }
        let code = format!("{row}.{setter}({})", arguments.join(", "));
        let title = format!("Call `{row}.{setter}(…)` in `{}`", function.name);
        let replaced = Deed::Replace { span: stores.first()?.2, text: code };
        let dropped = stores.iter().skip(1).map(|(.., span)| Deed::Drop(*span));
        let acts = std::iter::once(replaced).chain(dropped).map(|deed| Observer::act(id, deed)).collect();
        Some(Remedy::new("setter", title, acts))
    }
}
