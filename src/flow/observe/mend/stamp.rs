//! flow/observe/mend/stamp: the missing time, set where the row is made or changed.

use std::collections::BTreeSet;

use crate::duty::{Duty, Operation};
use crate::facts::{Argument, ArgumentKind, Block, Comparison, Function, Literal, Next, StepId, StepKind};
use crate::name::Name;
use crate::project::{ClassId, FunctionId, Keeps, Symbol};
use crate::remedy::{Act, Binding, Deed, Remedy};

use super::super::super::verdict::{Judgement, Subject};
use super::super::Observer;
use super::call::keyword;
use super::{behind, block_of, bound_name, is_reached, leads_to, straight};

/// How the clock is read in a function, and what must be imported for that.
struct Reading {
    expression: String,
    imports: Vec<Act>,
}

/// Something that marks the same row, in the same straight stretch of code.
pub(super) struct Sibling {
    pub(super) step: StepId,
    /// The time it stores, as code that reads it again.
    time: Option<String>,
}

impl Observer<'_> {
    /// What sets the time that a write leaves out.
    pub(in super::super) fn stamps_for(&self, judgement: &Judgement, duty: Duty) -> Vec<Remedy> {
        let Judgement { function: id, model, .. } = *judgement;
        // A change that a callee makes is mended here where the callee is a method of the row itself.
        let is_own = |callee: FunctionId| {
            let class = self.project.class_of(callee);
            class.is_some_and(|class| self.project.hierarchy(model).classes().any(|other| other == class))
        };
        if duty.is_actor() || judgement.within.is_some_and(|(callee, _)| !is_own(callee)) {
            return Vec::new();
        }
        let fields = self.project.model(model).map(|m| m.fields_of(self.project, duty)).unwrap_or_default();
        // How the clock is read, the language of the file and the code around say there.
        if self.project.is_rust(id.file) {
            let target = fields.first().and_then(|&field| self.time_for(judgement, duty, field));
            return target.into_iter().collect();
        }
        let (Some(&field), Some(clock)) = (fields.first(), self.clock_for(id, model, duty)) else {
            return Vec::new();
        };
        let step = judgement.places[duty.index()].unwrap_or(judgement.step);
        let found = match judgement.subject {
            Subject::Statement => self.in_statement(id, step, field, &clock),
            Subject::Row if judgement.operation == Operation::Create => {
                self.on_new_row(id, step, (model, field), &clock)
            }
            Subject::Row => self.on_changed_row(judgement, step, field, &clock),
        };
        found.into_iter().collect()
    }

    /// The clock that fits a column, as it can be read in a function.
    fn clock_for(&self, id: FunctionId, model: ClassId, duty: Duty) -> Option<Reading> {
        let project = self.project;
        let fields = project.model(model)?.fields_of(project, duty);
        let datetime = Binding::item("datetime", "datetime");
        let timezone = Binding::item("datetime", "timezone");
        let chosen = (self.naming.clock.clone(), self.root_of(&self.naming.clock));
        let aware = || project.keeps(model, *fields.first()?).eq(&Keeps::Aware).then_some(());
        let wanted: Vec<(String, Option<Vec<Binding>>)> = if self.naming.is_clock_chosen {
            vec![chosen]
        } else if project.is_django_class(model) {
            vec![("timezone.now()".into(), Some(vec![Binding::item("django.utils", "timezone")]))]
        } else if aware().is_some() {
            let module = Binding { module: "datetime".into(), item: None, name: "datetime".into() };
            vec![
                ("datetime.now(timezone.utc)".into(), Some(vec![datetime, timezone])),
                ("datetime.datetime.now(datetime.timezone.utc)".into(), Some(vec![module])),
            ]
        } else {
            let module = Binding { module: "datetime".into(), item: None, name: "datetime".into() };
            vec![
                (self.naming.clock.clone(), Some(vec![datetime])),
                ("datetime.datetime.now()".into(), Some(vec![module])),
            ]
        };
        wanted.into_iter().find_map(|(expression, bindings)| {
            let acts: Option<Vec<Vec<Act>>> =
                bindings?.iter().map(|binding| self.bound_as(id, binding)).collect();
            Some(Reading { expression, imports: acts?.concat() })
        })
    }

    /// What the first name of a chosen clock is bound to; nothing where the program does not tell.
    fn root_of(&self, clock: &str) -> Option<Vec<Binding>> {
        let root = clock.split(['.', '(']).next().unwrap_or(clock);
        let mut bindings = match root {
            "datetime" => vec![Binding::item("datetime", "datetime")],
            "func" => vec![Binding::item("sqlalchemy", "func")],
            // Only Django's module of this name reads a clock.
            "timezone" => vec![Binding::item("django.utils", "timezone")],
            _ => vec![self.usual_binding(Name::new(root))?],
        };
        if clock.contains("(timezone.utc)") {
            bindings.push(Binding::item("datetime", "timezone"));
        } else if clock.contains("(UTC)") {
            bindings.push(Binding::item("datetime", "UTC"));
        }
        Some(bindings)
    }

    fn remedy(&self, word: &'static str, id: FunctionId, code: &str, clock: &Reading, deed: Deed) -> Remedy {
        let mut acts = clock.imports.clone();
        acts.push(Observer::act(id, deed));
        let name = &self.project.function(id).name;
        Remedy::new(word, format!("Add `{code}` in `{name}`"), acts)
    }

    fn on_new_row(
        &self,
        id: FunctionId,
        step: StepId,
        (model, field): (ClassId, Name),
        clock: &Reading,
    ) -> Option<Remedy> {
        let function = self.project.function(id);
        let StepKind::Call { callee, arguments } = &function.steps[step as usize].kind else { return None };
        let constructs = self.project.symbol_of(id, *callee) == Some(Symbol::Class(model));
        let bound = bound_name(function, step);
        if let Some(argument) = self.time_among(id, arguments) {
            // The sibling's own value is used again where reading it twice is the same.
            let value = argument.value;
            let span = self.span(id, value);
            let text = self.source_text(id, value).to_owned();
            let is_name = matches!(function.steps[value as usize].kind, StepKind::Name(_));
            if is_name {
                let code = format!("{field}={text}");
                let part = Deed::Part { owner: self.span(id, step), beside: Some(span), text: code.clone() };
                let reading = Reading { expression: text, imports: Vec::new() };
                return Some(self.remedy("stamp-beside", id, &code, &reading, part));
            }
        }
        if let (Some((row, bind)), true) = (bound, constructs) {
            let sibling = self.sibling(id, bind, row.as_str());
            let (word, behind) = match &sibling {
                Some(sibling) => ("stamp-beside", sibling.step),
                None => ("stamp", step),
            };
            let given = self.time_among(id, arguments).and_then(keyword);
            let again =
                sibling.and_then(|sibling| sibling.time).or(given.map(|name| format!("{row}.{name}")));
            let word = if given.is_some() { "stamp-beside" } else { word };
            let reading = match again {
                Some(expression) => Reading { expression, imports: Vec::new() },
                None => Reading { expression: clock.expression.clone(), imports: clock.imports.clone() },
            };
            let code = format!("{row}.{field} = {}", reading.expression);
            let deed = Deed::Behind { span: self.span(id, behind), code: code.clone() };
            return Some(self.remedy(word, id, &code, &reading, deed));
        }
        // What a dictionary spread into the call may hold could be given twice.
        let is_open = arguments.iter().any(|argument| argument.kind == ArgumentKind::SpreadKeywords);
        let is_taken = constructs && !self.has_own_constructor(model) || self.makes_row(id, *callee);
        if is_open || !is_taken {
            return None;
        }
        let code = format!("{field}={}", clock.expression);
        let part = Deed::Part { owner: self.span(id, step), beside: None, text: code.clone() };
        Some(self.remedy("stamp", id, &code, clock, part))
    }

    /// Whether a call is of a manager's method that makes a row of its keywords.
    pub(super) fn makes_row(&self, id: FunctionId, callee: StepId) -> bool {
        let function = self.project.function(id);
        let StepKind::Attribute { of, name } = function.steps[callee as usize].kind else { return false };
        matches!(&*name, "create" | "acreate")
            && matches!(function.steps[of as usize].kind, StepKind::Attribute { name, .. } if &*name == "objects")
    }

    pub(super) fn has_own_constructor(&self, model: ClassId) -> bool {
        let name = Name::new("__init__");
        self.project.method(model, name).is_some()
    }

    /// Whether a value is read from a clock, as far as the code around shows it: a call, or a name for one.
    pub(super) fn is_time(&self, id: FunctionId, value: StepId) -> bool {
        let function = self.project.function(id);
        match function.steps[value as usize].kind {
            StepKind::Call { .. } => true,
            StepKind::Name(name) => {
                let bound = function.bound_once(name);
                bound
                    .is_some_and(|value| matches!(function.steps[value as usize].kind, StepKind::Call { .. }))
            }
            _ => false,
        }
    }

    /// The argument that sets another time of the row.
    pub(super) fn time_among<'f>(&self, id: FunctionId, arguments: &'f [Argument]) -> Option<&'f Argument> {
        arguments.iter().filter(|argument| self.is_time(id, argument.value)).find(|argument| {
            let duty = keyword(argument).and_then(|name| self.project.roles.of_field(&name));
            matches!(duty, Some(Duty::CreatedAt | Duty::UpdatedAt))
        })
    }

    /// Another stamp of the row: in the straight stretch of code that a step lies in, or later, where every path comes by.
    /// Of those beside the step a time is best, and the last of its kind.
    pub(super) fn sibling(&self, id: FunctionId, step: StepId, row: &str) -> Option<Sibling> {
        let function = self.project.function(id);
        let beside = straight(function, step);
        let end = beside.end;
        let stamps: Vec<Sibling> = beside.filter_map(|at| self.stamp_at(id, at, row)).collect();
        let (times, actors): (Vec<_>, Vec<_>) = stamps.into_iter().partition(|stamp| stamp.time.is_some());
        times.into_iter().next_back().or(actors.into_iter().next_back()).or_else(|| {
            let later = (end..function.steps.len() as StepId).filter_map(|at| self.stamp_at(id, at, row));
            later.into_iter().find(|stamp| leads_to(function, step, stamp.step))
        })
    }

    /// The stamp that a step puts on a row.
    fn stamp_at(&self, id: FunctionId, at: StepId, row: &str) -> Option<Sibling> {
        let function = self.project.function(id);
        let roles = &self.project.roles;
        match function.steps[at as usize].kind {
            StepKind::Store { of, name, value } if self.source_text(id, of) == row => {
                let duty = roles.of_field(&name)?;
                let is_time = matches!(duty, Duty::CreatedAt | Duty::UpdatedAt) && self.is_time(id, value);
                Some(Sibling { step: at, time: is_time.then(|| format!("{row}.{name}")) })
            }
            StepKind::Call { callee, .. } => match function.steps[callee as usize].kind {
                StepKind::Attribute { of, name } if self.source_text(id, of) == row => {
                    roles.of_setter(&name)?;
                    Some(Sibling { step: at, time: None })
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn on_changed_row(
        &self,
        judgement: &Judgement,
        step: StepId,
        field: Name,
        clock: &Reading,
    ) -> Option<Remedy> {
        let id = judgement.function;
        let function = self.project.function(id);
        let row = self.row_expression(id, step)?;
        let code = format!("{row}.{field} = {}", clock.expression);
        if let Some(sibling) = self.sibling(id, step, &row) {
            let deed = Deed::Behind { span: self.span(id, sibling.step), code: code.clone() };
            return Some(self.remedy("stamp-beside", id, &code, clock, deed));
        }
        if let Some(end) = self.common_end(judgement, step, &row) {
            let deed = Deed::Before { span: self.span(id, end), code: code.clone() };
            return Some(self.remedy("stamp", id, &code, clock, deed));
        }
        let last = self.last_store(function, id, step, &row);
        let deed = Deed::Behind { span: self.span(id, last), code: code.clone() };
        Some(self.remedy("stamp", id, &code, clock, deed))
    }

    /// Where the row becomes visible, if several branches change it and all of them come by there: one stamp serves them all.
    pub(super) fn common_end(&self, judgement: &Judgement, step: StepId, row: &str) -> Option<StepId> {
        let (id, end) = judgement.published.filter(|(id, _)| *id == judgement.function)?;
        let function = self.project.function(id);
        let beside = straight(function, step);
        let changes = |at: StepId| match &function.steps[at as usize].kind {
            StepKind::Store { of, name, .. } => {
                self.source_text(id, *of) == row && self.project.roles.of_field(name).is_none()
            }
            StepKind::Call { callee, arguments } => {
                matches!(function.steps[*callee as usize].kind, StepKind::Name(name) if &*name == "setattr")
                    && arguments.first().is_some_and(|first| self.source_text(id, first.value) == row)
            }
            _ => false,
        };
        let behind = behind(function, step);
        let mut others =
            (0..function.steps.len() as StepId).filter(|at| !beside.contains(at) && changes(*at));
        let is_repeated = block_of(function, step).is_some_and(|block| behind.contains(&block));
        if others.next().is_none() && !is_repeated {
            return None;
        }
        // What is bound anew on the way is another row by then, as in a loop over rows.
        let root = row.split('.').next().unwrap_or(row);
        let binds = |at: StepId| match function.steps[at as usize].kind {
            StepKind::Bind { name, .. } => *name == *root,
            _ => false,
        };
        let is_rebound = behind.iter().any(|&block| {
            let block = &function.blocks[block];
            (block.start..block.end).any(binds)
        });
        let is_there = self.project.is_rust(id.file) || self.is_there(id, row, end);
        (!is_rebound && leads_to(function, step, end) && is_there).then_some(end)
    }

    /// Whether the expression of a row holds one at a step for certain: on every path to it the row was used before, or a
    /// test has shown that it is there.
    fn is_there(&self, id: FunctionId, row: &str, at: StepId) -> bool {
        let function = self.project.function(id);
        let is_row = |step: StepId| self.source_text(id, step) == row;
        let Some(target) = block_of(function, at) else { return false };
        let uses = |step: StepId| match function.steps[step as usize].kind {
            StepKind::Attribute { of, .. } | StepKind::Store { of, .. } => is_row(of),
            _ => false,
        };
        // The side of a test on which the row is there.
        let shown = |block: &Block| match block.next {
            Next::Branch { test, yes, .. } if is_row(test) => Some(yes as usize),
            Next::Branch { test, yes, no } => match function.steps[test as usize].kind {
                StepKind::Not(of) if is_row(of) => Some(no as usize),
                StepKind::Compare { comparison: Comparison::Is, negated, left, right } if is_row(left) => {
                    let is_none =
                        matches!(function.steps[right as usize].kind, StepKind::Literal(Literal::None));
                    is_none.then_some(if negated { yes as usize } else { no as usize })
                }
                _ => None,
            },
            _ => None,
        };
        let known: BTreeSet<usize> = function.blocks.iter().filter_map(shown).collect();
        let (start, end) = (function.blocks[target].start, function.blocks[target].end);
        if (start..at.min(end)).any(uses) {
            return true;
        }
        let avoid = |block: usize| {
            let block_steps = &function.blocks[block];
            block != target && (block_steps.start..block_steps.end).any(uses) || known.contains(&block)
        };
        !is_reached(function, target, &avoid)
    }

    /// The expression of the row that a change is made to, where it can be written once more.
    pub(super) fn row_expression(&self, id: FunctionId, step: StepId) -> Option<String> {
        let function = self.project.function(id);
        let of = match &function.steps[step as usize].kind {
            StepKind::Store { of, .. } => *of,
            StepKind::Call { callee, arguments } => match function.steps[*callee as usize].kind {
                StepKind::Name(name) if &*name == "setattr" => arguments.first()?.value,
                StepKind::Attribute { of, .. } => of,
                _ => return None,
            },
            _ => return None,
        };
        crate::project::written_path(function, of).map(|path| path.to_string())
    }

    /// The last store to the row in the straight stretch of code that a step lies in.
    pub(super) fn last_store(&self, function: &Function, id: FunctionId, step: StepId, row: &str) -> StepId {
        let stores = straight(function, step).rev().find(|&at| {
            matches!(function.steps[at as usize].kind, StepKind::Store { of, .. } if self.source_text(id, of) == row)
        });
        stores.unwrap_or(step).max(step)
    }

    fn in_statement(&self, id: FunctionId, step: StepId, field: Name, clock: &Reading) -> Option<Remedy> {
        let (code, deed) = self.among_values(id, step, field, &clock.expression)?;
        Some(self.remedy("stamp", id, &code, clock, deed))
    }

    /// One more value of a statement, with its column: the code and where it is put.
    pub(super) fn among_values(
        &self,
        id: FunctionId,
        step: StepId,
        field: Name,
        value: &str,
    ) -> Option<(String, Deed)> {
        let function = self.project.function(id);
        let call = self.giving_call(function, step)?;
        let StepKind::Call { arguments, .. } = &function.steps[call as usize].kind else { return None };
        let mut keywords =
            arguments.iter().filter(|argument| matches!(argument.kind, ArgumentKind::Keyword(_)));
        if keywords.clone().next().is_some() {
            let code = format!("{field}={value}");
            let last = keywords.next_back().map(|argument| self.span(id, argument.value));
            return Some((code.clone(), Deed::Part { owner: self.span(id, call), beside: last, text: code }));
        }
        let [Argument { kind: ArgumentKind::Plain, value: given }] = arguments[..] else { return None };
        let StepKind::Dictionary(entries) = &function.steps[given as usize].kind else { return None };
        // The keys that are there say how a key is written.
        let key = self.source_text(id, entries.iter().find_map(|(key, _)| *key)?).to_owned();
        let new = match key.chars().next()? {
            quote @ ('"' | '\'') => format!("{quote}{field}{quote}"),
            _ => format!("{}.{field}", key.rsplit_once('.')?.0),
        };
        let code = format!("{new}: {value}");
        Some((code.clone(), Deed::Part { owner: self.span(id, given), beside: None, text: code }))
    }

    /// The call that gives a statement its values: `values(…)` of a statement that is executed, `update(…)` of a query.
    fn giving_call(&self, function: &Function, step: StepId) -> Option<StepId> {
        let mut at = step;
        let mut is_outermost = true;
        loop {
            match &function.steps[at as usize].kind {
                StepKind::Await(of) => at = *of,
                StepKind::Name(name) => at = function.bound_once(*name)?,
                StepKind::Call { callee, arguments } => {
                    let StepKind::Attribute { of, name } = function.steps[*callee as usize].kind else {
                        return None;
                    };
                    match &*name {
                        "values" | "update" | "aupdate"
                            if !is_outermost || !arguments.is_empty() && self.is_query(function, of) =>
                        {
                            return Some(at);
                        }
                        "execute" | "exec" | "scalars" | "scalar" if is_outermost => {
                            at = arguments.first()?.value;
                        }
                        // An upsert gives values twice, and which branch lacks the time is not told here.
                        name if name.starts_with("on_conflict") || name.starts_with("on_duplicate") => {
                            return None;
                        }
                        _ => at = of,
                    }
                }
                _ => return None,
            }
            is_outermost = false;
        }
    }

    /// Whether `update()` on this is a query's: what it is called on was itself made by a call, as by `filter()`.
    fn is_query(&self, function: &Function, of: StepId) -> bool {
        match function.steps[of as usize].kind {
            StepKind::Call { .. } => true,
            StepKind::Name(name) => function
                .bound_once(name)
                .is_some_and(|value| matches!(function.steps[value as usize].kind, StepKind::Call { .. })),
            StepKind::Attribute { name, .. } => &*name == "objects",
            _ => false,
        }
    }
}
