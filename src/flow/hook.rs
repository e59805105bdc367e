//! flow/hook: session hooks that stamp what passes by: `before_flush` on rows, `do_orm_execute` on statements.
//!
//! `before_flush` sees the new, changed and deleted rows of a flush; `do_orm_execute` sees statements that a session
//! runs, and can add values to them. Neither sees what a connection runs, and text passes both.

use crate::duty::Duty;
use crate::facts::{Argument, ArgumentKind, BlockId, Function, Literal, Next, StepId, StepKind};
use crate::name::Name;
use crate::project::{ClassId, FunctionId, Lookup, Project, Symbol};

use super::actor;
use super::listener::{Flush, registrations};
use super::row::{Base, Level};
use super::summary::Knowledge;

/// A hook that fills a duty of what passes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hook {
    stamps: Stamps,
    duty: Duty,
    /// The classes it asks for; none is every class.
    classes: Vec<ClassId>,
}

/// What a hook stamps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stamps {
    Row(Flush),
    Deleted,
    Statement(Flush),
}

impl Hook {
    /// Whether it fills the duty of rows that a flush writes.
    pub(super) fn stamps_row(&self, project: &Project, class: ClassId, duty: Duty, on: Flush) -> bool {
        self.stamps == Stamps::Row(on) && self.duty == duty && self.hears(project, class)
    }

    /// Whether it adds the column to statements that a session runs.
    pub(super) fn stamps_statement(&self, project: &Project, class: ClassId, duty: Duty, on: Flush) -> bool {
        self.stamps == Stamps::Statement(on) && self.duty == duty && self.hears(project, class)
    }

    /// Whether it marks rows that were about to be removed.
    pub(super) fn keeps_deleted(&self, project: &Project, class: ClassId) -> bool {
        self.stamps == Stamps::Deleted && self.duty == Duty::DeletedAt && self.hears(project, class)
    }

    fn hears(&self, project: &Project, class: ClassId) -> bool {
        let asked = |class: ClassId| self.classes.contains(&class);
        self.classes.is_empty() || project.hierarchy(class).classes().any(asked)
    }
}

/// Every hook of the program that stamps something.
pub(super) fn hooks(project: &Project, knowledge: &Knowledge) -> Vec<Hook> {
    let mut found = Vec::new();
    for registration in registrations(project) {
        let id = registration.callback;
        let reader = Reader { project, knowledge, id, function: project.function(id) };
        let stamps = match &*registration.event {
            "before_flush" => reader.of_rows(),
            "do_orm_execute" => reader.of_statements(),
            _ => continue,
        };
        let classes = reader.classes();
        let hook = |(stamps, duty)| Hook { stamps, duty, classes: classes.clone() };
        found.extend(stamps.into_iter().map(hook));
    }
    found
}

/// Reads the function that a hook calls.
struct Reader<'a> {
    project: &'a Project,
    knowledge: &'a Knowledge,
    id: FunctionId,
    function: &'a Function,
}

impl Reader<'_> {
    fn kind(&self, step: StepId) -> &StepKind {
        &self.function.steps[step as usize].kind
    }

    /// What is stored on the elements of `session.new`, `session.dirty` and `session.deleted`.
    fn of_rows(&self) -> Vec<(Stamps, Duty)> {
        let roles = &self.project.roles;
        let mut found = Vec::new();
        for step in &self.function.steps {
            let (rows, duties) = match &step.kind {
                StepKind::Store { of, name, .. } => (*of, Vec::from_iter(roles.of_field(name))),
                StepKind::Call { callee, arguments } => {
                    for (rows, duties) in self.stamped_by_call(*callee, arguments) {
                        self.note(rows, &duties, &mut found);
                    }
                    continue;
                }
                _ => continue,
            };
            self.note(rows, &duties, &mut found);
        }
        found
    }

    fn note(&self, rows: StepId, duties: &[Duty], found: &mut Vec<(Stamps, Duty)>) {
        let mut seen = vec![false; self.function.steps.len()];
        let mut sources = Vec::new();
        self.sources(rows, &mut seen, &mut sources);
        for &stamps in &sources {
            found.extend(duties.iter().map(|&duty| (stamps, duty)));
        }
    }

    /// `setattr(row, "updated_at", …)`, `row.set_updated_by(…)`, and functions of the project that stamp what they get.
    fn stamped_by_call(&self, callee: StepId, arguments: &[Argument]) -> Vec<(StepId, Vec<Duty>)> {
        let roles = &self.project.roles;
        match *self.kind(callee) {
            StepKind::Attribute { of, name } => {
                roles.of_setter(&name).map(|duty| (of, vec![duty])).into_iter().collect()
            }
            StepKind::Name(name) if &*name == "setattr" => match arguments {
                [row, name, _] => match self.kind(name.value) {
                    StepKind::Literal(Literal::Text(name)) => {
                        vec![(row.value, Vec::from_iter(roles.of_field(name)))]
                    }
                    _ => Vec::new(),
                },
                _ => Vec::new(),
            },
            StepKind::Name(name) => {
                let Lookup::Global(Symbol::Function(function)) = self.project.lookup(self.id, name) else {
                    return Vec::new();
                };
                let Some(summary) = self.knowledge.summaries.get(function) else { return Vec::new() };
                let stamped = |(number, argument): (u32, &Argument)| {
                    let effect = summary.rows.values().find(|e| e.info.base == Base::Param(number))?;
                    let is_set = |duty: &Duty| {
                        effect.open[duty.index()].elements().any(|element| element.level == Level::Set)
                    };
                    Some((argument.value, Duty::ALL.into_iter().filter(is_set).collect()))
                };
                (0..).zip(arguments).filter_map(stamped).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Which rows of the flush a value is, or is one of.
    fn sources(&self, step: StepId, seen: &mut [bool], found: &mut Vec<Stamps>) {
        if std::mem::replace(&mut seen[step as usize], true) {
            return;
        }
        let mut more = |step: StepId| self.sources(step, seen, found);
        match self.kind(step) {
            StepKind::Attribute { of, name } => match &**name {
                "new" => found.push(Stamps::Row(Flush::Insert)),
                "dirty" => found.push(Stamps::Row(Flush::Update)),
                "deleted" => found.push(Stamps::Deleted),
                _ => more(*of),
            },
            StepKind::Name(name) => self.function.bindings(*name).for_each(more),
            StepKind::Call { callee, arguments } => {
                more(*callee);
                arguments.iter().for_each(|argument| more(argument.value));
            }
            StepKind::List(all) | StepKind::Either(all) | StepKind::Compute(all) => {
                all.iter().for_each(|step| more(*step));
            }
            StepKind::Element(of)
            | StepKind::Gather(of)
            | StepKind::Index { of, .. }
            | StepKind::Part { of, .. } => more(*of),
            _ => {}
        }
    }

    /// Columns that are added to statements: `state.statement.values(updated_at=…)`.
    fn of_statements(&self) -> Vec<(Stamps, Duty)> {
        let mut found = Vec::new();
        for (step, kind) in (0..).zip(&self.function.steps) {
            let StepKind::Call { callee, arguments } = &kind.kind else { continue };
            if !matches!(self.kind(*callee), StepKind::Attribute { name, .. } if &**name == "values") {
                continue;
            }
            let names =
                arguments.iter().flat_map(|argument| match (argument.kind, self.kind(argument.value)) {
                    (ArgumentKind::Keyword(name), _) => vec![name],
                    (_, StepKind::Dictionary(parts)) => {
                        let text = |(key, _): &(Option<StepId>, StepId)| match self.kind((*key)?) {
                            StepKind::Literal(Literal::Text(text)) => Some(*text),
                            // `{User.updated_at: now}`
                            StepKind::Attribute { name, .. } => Some(*name),
                            _ => None,
                        };
                        parts.iter().filter_map(text).collect()
                    }
                    _ => Vec::new(),
                });
            let duties: Vec<Duty> = names.filter_map(|name| self.project.roles.of_field(&name)).collect();
            for on in self.kinds_at(step) {
                found.extend(duties.iter().map(|&duty| (Stamps::Statement(on), duty)));
            }
        }
        found
    }

    /// Which statements reach a step, by the tests of `is_insert` and `is_update` that lead there.
    fn kinds_at(&self, step: StepId) -> Vec<Flush> {
        let blocks = &self.function.blocks;
        let at = blocks.iter().position(|block| (block.start..block.end).contains(&step));
        let mut asked = Vec::new();
        for block in blocks {
            let Next::Branch { test, yes, no } = block.next else { continue };
            let paths = actor::made_from(self.function, vec![test]);
            let asks = |name: &str| paths.iter().any(|path| path.last() == name);
            let (yes, no) = (self.reaches(yes, at), self.reaches(no, at));
            let negated = matches!(self.kind(test), StepKind::Not(_));
            // Both sides lead there, or the side where the answer was no: nothing is asked of the statement.
            if yes == no || yes == negated {
                continue;
            }
            asked.extend(asks("is_insert").then_some(Flush::Insert));
            asked.extend(asks("is_update").then_some(Flush::Update));
        }
        if asked.is_empty() { vec![Flush::Insert, Flush::Update] } else { asked }
    }

    fn reaches(&self, from: BlockId, to: Option<usize>) -> bool {
        let mut seen = vec![false; self.function.blocks.len()];
        let mut waiting = vec![from];
        while let Some(block) = waiting.pop() {
            if std::mem::replace(&mut seen[block as usize], true) {
                continue;
            }
            match &self.function.blocks[block as usize].next {
                Next::Goto(next) => waiting.push(*next),
                Next::Branch { yes, no, .. } => waiting.extend([*yes, *no]),
                Next::Any(all) => waiting.extend(all),
                _ => {}
            }
        }
        to.is_some_and(|to| seen[to])
    }

    /// The classes that `isinstance` and `issubclass` ask for.
    fn classes(&self) -> Vec<ClassId> {
        let mut found = Vec::new();
        for step in &self.function.steps {
            let StepKind::Call { callee, arguments } = &step.kind else { continue };
            let asks = matches!(self.kind(*callee), StepKind::Name(name)
                if matches!(&**name, "isinstance" | "issubclass"));
            let (true, Some(asked)) = (asks, arguments.get(1)) else { continue };
            let all = match self.kind(asked.value) {
                StepKind::List(all) => all.to_vec(),
                _ => vec![asked.value],
            };
            let class = |step: StepId| -> Option<ClassId> {
                let path: Name = actor::path(self.function, step)?;
                match self.project.resolve_path(self.id.file, path) {
                    Some(Symbol::Class(class)) => Some(class),
                    _ => None,
                }
            };
            found.extend(all.into_iter().filter_map(class));
        }
        found
    }
}
