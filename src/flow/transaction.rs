//! flow/transaction: Django's transactions: the blocks around a step, and what an error inside one comes to.
//!
//! A block is left with an error: it is rolled back and the connection is whole again. A block is left in the normal way
//! after an error inside it was caught: it is rolled back all the same, and nobody is told. `atomic(savepoint=False)`
//! inside another block leaves that to the block around.

use crate::facts::{ArgumentKind, Literal, RegionId, RegionKind, StepId, StepKind};
use crate::name::Name;
use crate::project::{Symbol, is_atomic};

use super::catch::Errors;
use super::state::State;
use super::trace::Trace;
use super::trail::Bond;
use super::value::{SessionKey, Value};

/// The transaction that a step of a function runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Within {
    /// The one of this block, by the step that enters it; of several around each other, the outermost.
    Block(StepId),
    /// The one that a decorator opens around the whole function.
    Function,
    /// The function opens none. A caller may have, or the request.
    Caller,
}

impl Trace<'_> {
    /// The transaction that code in a region runs in.
    pub(super) fn within(&self, region: Option<RegionId>) -> Within {
        if self.ground.is_atomic {
            return Within::Function;
        }
        self.blocks(region).last().map_or(Within::Caller, Within::Block)
    }

    /// The transaction blocks and savepoints around a place, innermost first, by the steps that enter them.
    fn blocks(&self, region: Option<RegionId>) -> impl Iterator<Item = StepId> {
        self.enclosing(region).filter_map(|(_, kind)| match kind {
            RegionKind::With(enter) => {
                let StepKind::Enter(context) = self.function.steps[enter as usize].kind else { return None };
                self.opens_block(self.value(context)).then_some(enter)
            }
            _ => None,
        })
    }

    /// Whether a context manager opens a block: it is `atomic`, or written around one in the project.
    pub(super) fn opens_block(&self, context: &Value) -> bool {
        match context {
            Value::External(path) | Value::Symbol(Symbol::External(path)) => is_atomic(*path),
            Value::Manager(function) => {
                self.summary(*function).is_some_and(|summary| summary.yields_in_block)
            }
            _ => false,
        }
    }

    /// A statement of Django runs that writes: an error of it breaks the transaction around.
    pub(super) fn use_connection(&mut self) {
        self.used.any = true;
        self.used.writes = true;
        self.fails_itself = true;
        self.may_fail.insert(SessionKey::Connection, Errors::ALL);
    }

    /// A block ends.
    pub(super) fn leave_block(&mut self, state: &mut State, enter: StepId, raising: bool) {
        if !raising && self.within(self.region) == Within::Caller {
            state.untold.rebind(|bond| if bond == Bond::Within { Bond::Loose } else { bond });
        }
        let is_broken = state.failures.iter().any(|failure| failure.session == SessionKey::Connection)
            || state.erring.contains_key(&SessionKey::Connection);
        if !is_broken || self.joins_block_around(enter) {
            return;
        }
        if !raising {
            self.lose(state);
        }
        state.failures.retain(|failure| failure.session != SessionKey::Connection);
        state.erring.remove(&SessionKey::Connection);
    }

    /// What was written in a transaction is lost that ends in the normal way after an error in it was caught.
    pub(super) fn lose(&mut self, state: &State) {
        if self.telling {
            let of_connection =
                state.failures.iter().filter(|failure| failure.session == SessionKey::Connection);
            let lost: Vec<_> = of_connection.map(|failure| (failure.function, failure.handler)).collect();
            self.outcome.lost_blocks.extend(lost);
        }
    }

    /// `transaction.set_rollback(…)`: the code knows what becomes of the block.
    pub(super) fn decide_on_rollback(&self, state: &mut State) {
        state.failures.retain(|failure| failure.session != SessionKey::Connection);
    }

    /// Whether a block has no savepoint of its own and stands in another block.
    fn joins_block_around(&self, enter: StepId) -> bool {
        let StepKind::Enter(context) = self.function.steps[enter as usize].kind else { return false };
        let StepKind::Call { arguments, .. } = &self.function.steps[context as usize].kind else {
            return false;
        };
        let has_none = arguments.iter().any(|argument| {
            matches!(argument.kind, ArgumentKind::Keyword(name) if &*name == "savepoint")
                && matches!(
                    self.function.steps[argument.value as usize].kind,
                    StepKind::Literal(Literal::Switch(false))
                )
        });
        has_none && self.within(self.region) != Within::Caller
    }
}

/// Functions by which code says itself what becomes of the transaction it runs in.
pub(super) fn decides_on_rollback(path: Name) -> bool {
    path.starts_with("django.db") && matches!(path.last(), "set_rollback" | "rollback" | "savepoint_rollback")
}
