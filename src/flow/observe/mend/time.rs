//! flow/observe/mend/time: where the missing time belongs, for code whose language says by itself how a column is given it.

use crate::duty::{Duty, Operation};
use crate::facts::{Argument, ArgumentKind, StepId, StepKind};
use crate::name::Name;
use crate::project::FunctionId;
use crate::remedy::{Deed, Remedy, Side, Stamp, Target, Time};

use super::super::super::verdict::{Judgement, Subject};
use super::super::Observer;
use super::bound_name;

impl Observer<'_> {
    /// What gives the column the time that a write leaves out.
    pub(super) fn time_for(&self, judgement: &Judgement, duty: Duty, field: Name) -> Option<Remedy> {
        let id = judgement.function;
        let step = judgement.places[duty.index()].unwrap_or(judgement.step);
        let (time, at) = match judgement.subject {
            Subject::Statement => (Time::Usual, self.among_set(id, step, judgement.operation)?),
            Subject::Row if judgement.operation == Operation::Create => self.among_given(id, step)?,
            Subject::Row => (Time::Usual, self.around_change(judgement, step)?),
        };
        let title = format!("Set `{field}` in `{}`", self.project.function(id).name);
        let stamp = Stamp { column: field.to_string(), time, at };
        Some(Remedy::new("stamp", title, vec![Observer::act(id, Deed::Stamp(stamp))]))
    }

    /// Among the columns that make a row, beside another time where one is given; or on the row, once it has a name.
    fn among_given(&self, id: FunctionId, step: StepId) -> Option<(Time, Target)> {
        let function = self.project.function(id);
        let StepKind::Call { arguments, .. } = &function.steps.get(step as usize)?.kind else { return None };
        let is_given =
            |kind: &ArgumentKind| matches!(kind, ArgumentKind::Keyword(_) | ArgumentKind::SpreadKeywords);
        if arguments.iter().all(|argument| is_given(&argument.kind)) && !arguments.is_empty() {
            let owner = self.span(id, step);
            let sibling = self.time_among(id, arguments).map(|argument| self.span(id, argument.value));
            let time = sibling.map_or(Time::Usual, Time::Again);
            return Some((time, Target::Fields { owner, beside: sibling }));
        }
        // A row that is stored to by its name can be stored to once more.
        let (row, bound) = bound_name(function, step)?;
        let is_changed = (bound..).zip(&function.steps[bound as usize..]).any(|(_, step)| match step.kind {
            StepKind::Store { of, .. } => self.source_text(id, of) == row.as_str(),
            _ => false,
        });
        let row = row.to_string();
        is_changed.then_some((Time::Usual, Target::Row { row, side: Side::Behind, of: self.span(id, step) }))
    }

    /// Behind the change of a row; in the literal, where a literal makes the change; before the row is written, where
    /// several branches change it.
    fn around_change(&self, judgement: &Judgement, step: StepId) -> Option<Target> {
        let id = judgement.function;
        let function = self.project.function(id);
        let change = self.span(id, step);
        if let StepKind::Store { of, .. } = function.steps.get(step as usize)?.kind
            && self.span(id, of).start >= change.end
        {
            return Some(Target::Beside(change));
        }
        let row = self.row_expression(id, step)?;
        if let Some(end) = self.common_end(judgement, step, &row) {
            return Some(Target::Row { row, side: Side::Before, of: self.span(id, end) });
        }
        let last = self.last_store(function, id, step, &row);
        Some(Target::Row { row, side: Side::Behind, of: self.span(id, last) })
    }

    /// Among the columns that a statement gives: to the rows it makes, or to those it changes.
    fn among_set(&self, id: FunctionId, step: StepId, operation: Operation) -> Option<Target> {
        let function = self.project.function(id);
        let giving: &[&str] = if operation == Operation::Create { &["values"] } else { &["set", "col_expr"] };
        let mut at = step;
        loop {
            match &function.steps[at as usize].kind {
                StepKind::Await(of) => at = *of,
                StepKind::Name(name) => at = function.bound_once(*name)?,
                StepKind::Call { callee, arguments } => {
                    let StepKind::Attribute { of, name } = function.steps[*callee as usize].kind else {
                        return None;
                    };
                    if giving.contains(&&*name) {
                        let literal = arguments.first().and_then(|given| self.literal_of(id, given.value));
                        let owner = self.span(id, literal.unwrap_or(at));
                        return Some(match literal {
                            Some(_) => Target::Fields { owner, beside: None },
                            None => Target::Values { owner },
                        });
                    }
                    at = of;
                }
                _ => return None,
            }
        }
    }

    /// The literal with names for all that it holds that a value is, or is bound to.
    fn literal_of(&self, id: FunctionId, value: StepId) -> Option<StepId> {
        let function = self.project.function(id);
        let value = match function.steps[value as usize].kind {
            StepKind::Name(name) => function.bound_once(name)?,
            _ => value,
        };
        let StepKind::Call { arguments, .. } = &function.steps[value as usize].kind else { return None };
        let is_named = |argument: &Argument| matches!(argument.kind, ArgumentKind::Keyword(_));
        (!arguments.is_empty() && arguments.iter().all(is_named)).then_some(value)
    }
}
