//! flow/handler: what the paths through a handler do and how they end, and what the body of a `try` does to the database.

use std::collections::BTreeSet;

use crate::facts::{BlockId, HandlerId, Next, RegionId, RegionKind, StepId, StepKind};

use super::outcome::End;
use super::state::{Deeds, State};
use super::summary::DatabaseUse;
use super::trace::Trace;
use super::value::Value;

impl Trace<'_> {
    /// Every handler that control is in has now done this on every path.
    pub(super) fn deed(&mut self, state: &mut State, deed: Deeds) {
        if state.handling.values().any(|paths| *paths != paths.all_do(deed)) {
            state.handling.values_mut().for_each(|paths| *paths = paths.all_do(deed));
        }
        if deed == Deeds::LOGGED && !state.logged {
            state.logged = true;
        }
    }

    pub(super) fn tell_use(&mut self, step: StepId, region: Option<RegionId>) {
        if self.used == DatabaseUse::default() {
            return;
        }
        let used = self.used;
        if used.any {
            self.outcome.sql.insert(step);
        }
        if used.writes {
            self.outcome.writing.insert(step);
        }
        self.outcome.summary.database.merge(used);
        for (id, kind) in self.enclosing(region) {
            if let RegionKind::Try { .. } = kind {
                self.outcome.body_use.entry(id).or_default().merge(used);
            }
        }
    }

    pub(super) fn tell_raise(&mut self, state: &State, step: StepId, region: Option<RegionId>) {
        let (original, raised) = match self.function.steps[step as usize].kind {
            StepKind::Raise { value: None, .. } => (true, None),
            StepKind::Raise { value: Some(value), .. } => {
                let raised = self.value(value).caught();
                // An error that was made of the one that is handled goes on with it in Rust. In Python `raise error`
                // raises the original again, and `raise Other(error)` does not.
                let original = if self.is_rust() { raised.is_some() } else { self.is_error_itself(value) };
                (original, raised)
            }
            _ => (false, None),
        };
        let end = if original { End::RaisesOriginal } else { End::Raises };
        let mut is_innermost = true;
        for (_, kind) in self.enclosing(region) {
            match kind {
                // It is caught again before it leaves the handlers around.
                RegionKind::Try { first, end } if end > first => break,
                RegionKind::Handler(handler) => {
                    if raised == Some(handler) && !is_innermost {
                        self.outcome.handlers.entry(handler).or_default().tells_in_the_end();
                    }
                    is_innermost = false;
                    self.tell_end(state, handler, end);
                }
                _ => {}
            }
        }
    }

    pub(super) fn tell_return(&mut self, state: &State, of: Option<StepId>) {
        let end = match of {
            None => End::Falls,
            // `other => return other` hands on the whole result, error and all.
            Some(step) if self.is_rust() && self.is_error_itself(step) => End::RaisesOriginal,
            Some(step) => {
                let is_trivial = match &self.function.steps[step as usize].kind {
                    StepKind::Literal(_) | StepKind::Name(_) => true,
                    StepKind::List(items) => items.is_empty(),
                    StepKind::Dictionary(entries) => entries.is_empty(),
                    _ => false,
                };
                let is_built_from_error = self.value(step).caught().is_some();
                // Whatever else a function of Rust returns, it says that all went well, unless it asks once more.
                let is_silent = if self.is_rust() { !self.is_asked_again(step) } else { is_trivial };
                if is_silent && !is_built_from_error { End::Falls } else { End::Answers }
            }
        };
        let handlers: Vec<HandlerId> = self
            .enclosing(self.region)
            .filter_map(|(_, kind)| match kind {
                RegionKind::Handler(handler) => Some(handler),
                _ => None,
            })
            .collect();
        for handler in handlers {
            self.tell_end(state, handler, end);
        }
    }

    /// Whether what a handler returns is what the database says to another question: `Err(_) => find(name).await`.
    fn is_asked_again(&self, step: StepId) -> bool {
        match self.function.steps[step as usize].kind {
            StepKind::Await(inner) => self.is_asked_again(inner),
            StepKind::Call { .. } => self.outcome.sql.contains(&step),
            StepKind::Name(kept) if kept.is_temporary() => self.function.steps.iter().any(|step| {
                matches!(step.kind, StepKind::Bind { name, value, .. }
                    if name == kept && self.outcome.sql.contains(&value))
            }),
            _ => false,
        }
    }

    /// Whether a step names what a handler caught, with nothing done to it.
    fn is_error_itself(&self, step: StepId) -> bool {
        matches!(self.value(step), Value::Caught(_))
            && matches!(self.function.steps[step as usize].kind, StepKind::Name(_))
    }

    /// Whether control, once it leaves a handler for a block, comes back to the body of the same `try` on every way, or
    /// raises when it has tried often enough: `for attempt in range(3): …` with a `raise` behind it.
    pub(super) fn is_tried_again(&self, handler: HandlerId, target: BlockId) -> bool {
        let body = self.function.handlers[handler as usize].body;
        let (mut comes_back, mut gives_up) = (false, false);
        let mut seen = BTreeSet::new();
        let mut waiting = vec![target];
        while let Some(id) = waiting.pop() {
            if !seen.insert(id) {
                continue;
            }
            let block = &self.function.blocks[id as usize];
            if self.enclosing(block.region).any(|(region, _)| region == body) {
                comes_back = true;
                continue;
            }
            match &block.next {
                Next::Goto(next) => waiting.push(*next),
                Next::Branch { yes, no, .. } => waiting.extend([*yes, *no]),
                Next::Any(all) => waiting.extend(all),
                Next::Throw => gives_up = true,
                Next::Leave | Next::Resume { .. } => return false,
            }
        }
        comes_back && gives_up
    }

    pub(super) fn tell_end(&mut self, state: &State, handler: HandlerId, end: End) {
        let report = self.outcome.handlers.entry(handler).or_default();
        for deeds in state.handling.get(&handler).into_iter().flat_map(|paths| paths.deeds()) {
            report.end(end, deeds);
        }
    }
}
