//! flow/early: tasks that a worker may start before the transaction that wrote their rows has ended.

use std::collections::BTreeSet;

use crate::facts::{StepId, StepKind};
use crate::name::Name;
use crate::project::{ClassId, Enqueue, FunctionId};

use super::enqueue::Enqueued;
use super::library;
use super::state::State;
use super::trace::Trace;
use super::trail::Bond;
use super::transaction::Within;
use super::value::{ModelRef, RowKey};

/// How many steps an argument is followed back through.
const LONGEST: usize = 200;

/// A task that is handed to a worker while a transaction may be open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Early {
    /// The task.
    pub task: FunctionId,
    /// Whose transaction is open: one of this function, or that of a caller.
    pub bond: Bond,
    /// What it is handed that the transaction wrote.
    pub handed: Handed,
}

/// What a task is handed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handed {
    /// An audit event.
    Event,
    /// A row, its key, or a collection of those; of which model, and where it was written.
    Row(Option<ClassId>, StepId),
    /// Something else of a row.
    Part(Option<ClassId>, StepId),
}

impl Trace<'_> {
    /// A task is handed to a worker.
    pub(super) fn tell_early(&mut self, state: &State, step: StepId, arguments: &[StepId]) {
        let Some(&Enqueued { task, how }) = self.outcome.enqueued.get(&step) else { return };
        if how != Enqueue::Now || !self.telling {
            return;
        }
        let here = self.within(self.region);
        let bond = if here == Within::Caller { Bond::Loose } else { Bond::Within };
        let is_event = library::names_audit(&self.project.function(task).name)
            || self.project.is_emitter(task)
            || self.summary(task).is_some_and(|summary| summary.trail.emits.is_some());
        let handed = match is_event {
            true => Some(Handed::Event),
            false => arguments.iter().find_map(|&argument| self.written_behind(state, argument)),
        };
        let Some(handed) = handed else { return };
        // What was written in a block that has ended waits for a transaction around that, if at all.
        let bond = match handed {
            Handed::Row(_, at) | Handed::Part(_, at) if self.within(self.region_of(at)) != here => {
                Bond::Loose
            }
            _ => bond,
        };
        self.outcome.early.insert(step, Early { task, bond, handed });
    }

    /// The row behind a value that this function has written.
    fn written_behind(&self, state: &State, argument: StepId) -> Option<Handed> {
        let mut seen: BTreeSet<StepId> = BTreeSet::new();
        let mut waiting = vec![(argument, false)];
        let mut weaker = None;
        while let Some((step, is_part)) = waiting.pop() {
            if seen.len() > LONGEST || !seen.insert(step) {
                continue;
            }
            for key in self.values[step as usize].rows() {
                let Some(at) = self.written_at(state, key) else { continue };
                let model = match self.rows[key.0 as usize].model {
                    ModelRef::Class(class) => Some(class),
                    _ => None,
                };
                if !is_part {
                    return Some(Handed::Row(model, at));
                }
                weaker = weaker.or(Some(Handed::Part(model, at)));
            }
            waiting.extend(self.made_from(step).into_iter().map(|(from, part)| (from, is_part || part)));
        }
        weaker
    }

    /// What a value is made from without being computed, and whether it is a part that is no key.
    fn made_from(&self, step: StepId) -> Vec<(StepId, bool)> {
        let whole = |steps: &[StepId]| steps.iter().map(|step| (*step, false)).collect();
        match &self.function.steps[step as usize].kind {
            StepKind::Attribute { of, name } => vec![(*of, !is_key(name))],
            StepKind::List(items) => whole(items),
            StepKind::Either(items) | StepKind::Format(items) => whole(items),
            StepKind::Dictionary(entries) => entries.iter().map(|(_, value)| (*value, false)).collect(),
            StepKind::Gather(of) | StepKind::Element(of) | StepKind::Await(of) => vec![(*of, false)],
            StepKind::Index { of, .. } | StepKind::Part { of, .. } => vec![(*of, false)],
            StepKind::Name(name) => self.bound_to(*name),
            StepKind::Call { callee, arguments } => match self.function.steps[*callee as usize].kind {
                StepKind::Name(name)
                    if matches!(&*name, "str" | "int" | "list" | "set" | "tuple" | "sorted") =>
                {
                    arguments.iter().map(|argument| (argument.value, false)).collect()
                }
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    /// What a variable is bound to, and what is put into it.
    fn bound_to(&self, wanted: Name) -> Vec<(StepId, bool)> {
        let is_it = |step: StepId| matches!(self.function.steps[step as usize].kind, StepKind::Name(name) if name == wanted);
        let mut found = Vec::new();
        for step in &self.function.steps {
            match &step.kind {
                StepKind::Bind { name, value, .. } if *name == wanted => found.push((*value, false)),
                StepKind::Call { callee, arguments } => {
                    if let StepKind::Attribute { of, name } = self.function.steps[*callee as usize].kind
                        && matches!(&*name, "add" | "append" | "extend" | "update")
                        && is_it(of)
                    {
                        found.extend(arguments.iter().map(|argument| (argument.value, false)));
                    }
                }
                _ => {}
            }
        }
        found
    }

    /// Where a row of Django's was written by this function, on some path.
    fn written_at(&self, state: &State, key: RowKey) -> Option<StepId> {
        let info = self.rows[key.0 as usize];
        let row = state.rows.get(&key)?;
        let is_saved = row.is_saved || row.done.iter().any(|paths| paths.elements().any(|e| e.is_added));
        if is_saved && self.is_django_row(key) {
            return row.published.or(Some(info.at));
        }
        // `bulk_update(rows, …)` writes rows that it is handed.
        let steps = self.function.steps.iter().zip(0..);
        steps.into_iter().find_map(|(step, at)| {
            let StepKind::Call { callee, arguments } = &step.kind else { return None };
            let StepKind::Attribute { name, .. } = self.function.steps[*callee as usize].kind else {
                return None;
            };
            let is_bulk = matches!(&*name, "bulk_update" | "abulk_update" | "bulk_create" | "abulk_create");
            let first = arguments.first().filter(|_| is_bulk)?;
            self.values[first.value as usize].rows().contains(&key).then_some(at)
        })
    }

    /// The region a step lies in.
    fn region_of(&self, step: StepId) -> Option<crate::facts::RegionId> {
        let block = self.function.blocks.iter().find(|block| (block.start..block.end).contains(&step));
        block.and_then(|block| block.region)
    }
}

/// Whether an attribute of a row is a key: its own, or that of a row it belongs to.
fn is_key(name: &str) -> bool {
    matches!(name, "pk" | "id" | "uuid" | "key") || name.ends_with("_id")
}
