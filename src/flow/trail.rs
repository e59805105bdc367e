//! flow/trail: the changes of state on a path that no audit event tells of yet, and what a caller needs to know of them.

use std::collections::BTreeMap;

use crate::duty::Operation;
use crate::facts::StepId;
use crate::project::{ClassId, FunctionId};

use super::django::Api;
use super::value::RowKey;

use crate::facts::HandlerId;

/// How many untold changes a function tells its callers of.
const MOST_LEFT: usize = 12;

/// A change of state, by where it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Alteration {
    /// The place of the write, in whichever function does it.
    pub place: (FunctionId, StepId),
    /// Of rows of which model, where that is known.
    pub model: Option<ClassId>,
    /// The parameter that holds the row, where the caller knows its model.
    pub handed: Option<u32>,
    /// What it does to them.
    pub operation: Operation,
    /// Whether it is a login, and how that ends.
    pub login: Option<Login>,
    /// Who would have told of it, had the write not passed them by.
    pub passes_by: Option<&'static str>,
}

/// How somebody's wish to be let in ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Login {
    /// A session is theirs.
    Granted,
    /// Nobody was found by these credentials.
    Refused,
}

impl Login {
    /// What code does that ends it so.
    pub(super) fn verb(self) -> &'static str {
        match self {
            Login::Granted => "logs in",
            Login::Refused => "refuses a login of",
        }
    }
}

/// A write, as the step that does it tells of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Altered {
    pub step: StepId,
    pub model: Option<ClassId>,
    pub row: Option<RowKey>,
    pub operation: Operation,
    /// By which of Django's ways, where it is one.
    pub api: Option<Api>,
}

/// Whose transaction something is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bond {
    /// One that is open at this point.
    Within,
    /// One of its own, unless a caller has one open.
    Loose,
    /// One that is committed, whatever callers do.
    Committed,
}

/// The bonds that a change has on the paths so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bonds(u16);

impl Bonds {
    /// This one.
    pub(super) fn one(bond: Bond) -> Bonds {
        Bonds(1 << bond as u8)
    }

    /// Those of either.
    pub(super) fn and(self, other: Bonds) -> Bonds {
        Bonds(self.0 | other.0)
    }

    /// The same, where an event before the change has told of it.
    pub(super) fn foretold(self) -> Bonds {
        Bonds((self.0 & 7) << 3 | self.0 & !7)
    }

    /// The same, where who keeps the trail of its model hears of it.
    pub(super) fn heard(self) -> Bonds {
        Bonds((self.0 & 7) << 6 | self.0 & !7)
    }

    /// Those of paths on which no event has told of it.
    pub(super) fn untold(self) -> Bonds {
        Bonds(self.0 & 7)
    }

    /// Those of paths on which nobody hears of it.
    pub(super) fn unheard(self) -> Bonds {
        Bonds((self.0 | self.0 >> 3) & 7)
    }

    /// All of them.
    pub(super) fn all(self) -> Bonds {
        Bonds((self.0 | self.0 >> 3 | self.0 >> 6) & 7)
    }

    /// Whether somebody who keeps the trail of its model hears of it.
    fn has_keeper(self) -> bool {
        self.0 >> 6 != 0
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn has(self, bond: Bond) -> bool {
        self.0 & 1 << bond as u8 != 0
    }

    /// Each of them, as something makes it.
    pub(super) fn map(self, becomes: impl Fn(Bond) -> Bond) -> Bonds {
        let each = |bonds: Bonds| {
            let all = [Bond::Within, Bond::Loose, Bond::Committed].into_iter();
            let all = all.filter(|bond| bonds.has(*bond));
            all.fold(Bonds::default(), |found, bond| found.and(Bonds::one(becomes(bond))))
        };
        let foretold = each(Bonds(self.0 >> 3 & 7)).foretold();
        each(self.untold()).and(foretold).and(each(Bonds(self.0 >> 6)).heard())
    }
}

/// The changes of state on the paths so far that no audit event tells of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Untold {
    /// By change: where this function makes it, and whose transaction it is part of; an event may have told of it before.
    pub changes: BTreeMap<Alteration, (StepId, Bonds)>,
    /// Whether every path has emitted an audit event.
    pub emitted: bool,
    /// The last event, where it told of no change before it and is part of no transaction that is open.
    pub before: Option<StepId>,
    /// Changes behind such an event: where the event and the change are.
    pub foretold: BTreeMap<Alteration, (StepId, StepId)>,
}

impl Untold {
    /// After either of two paths.
    pub(super) fn join(&mut self, other: &Untold) {
        for (alteration, (step, bonds)) in &other.changes {
            let known = self.changes.entry(*alteration).or_insert((*step, *bonds));
            *known = (known.0.min(*step), known.1.and(*bonds));
        }
        for (alteration, steps) in &other.foretold {
            self.foretold.entry(*alteration).or_insert(*steps);
        }
        self.before = self.before.filter(|_| self.before == other.before);
        self.emitted &= other.emitted;
    }

    /// A change is made.
    pub(super) fn add(&mut self, alteration: Alteration, step: StepId, bonds: Bonds) {
        // In which order a callee does both it knows itself.
        let before = self.before.filter(|event| *event != step && alteration.login.is_none());
        if let Some(event) = before.filter(|_| !bonds.has_keeper()) {
            self.foretold.entry(alteration).or_insert((event, step));
        }
        let bonds = if self.emitted { bonds.foretold() } else { bonds };
        let known = self.changes.entry(alteration).or_insert((step, bonds));
        *known = (known.0.min(step), known.1.and(bonds));
    }

    /// Whether there is any change that could be taken back.
    pub(super) fn has_changes(&self) -> bool {
        !self.changes.is_empty() || !self.foretold.is_empty()
    }

    /// Nothing that was done on these paths counts.
    pub(super) fn forget(&mut self) {
        self.changes.clear();
        self.foretold.clear();
    }

    /// The transaction at hand ends, and what is part of it becomes something else.
    pub(super) fn rebind(&mut self, becomes: impl Fn(Bond) -> Bond) {
        for (_, bonds) in self.changes.values_mut() {
            *bonds = bonds.map(&becomes);
        }
    }

    /// The transaction at hand is rolled back.
    pub(super) fn roll_back(&mut self) {
        self.changes.retain(|_, (_, bonds)| bonds.all() != Bonds::one(Bond::Within));
    }
}

/// What becomes of the failure of an audit event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failing {
    /// It leaves the function.
    Escapes,
    /// A handler around the whole operation catches it.
    Caught(HandlerId),
    /// A handler around the event alone catches it.
    CaughtAlone(HandlerId),
}

/// An audit event, and what it has to do with changes before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Emission {
    /// Where a callee emits it.
    pub within: Option<(FunctionId, StepId)>,
    /// The model whose rows were written right before, where this function is called for that.
    pub heard: Option<ClassId>,
    /// A change that it tells of and that is not part of its transaction, where this function makes it, and why not.
    pub apart: Option<(Alteration, StepId, Bond)>,
    /// What becomes of its failure when that change is kept.
    pub failing: Option<Failing>,
    /// Whether it is part of no transaction that this function opens, and tells of no failure.
    pub is_loose: bool,
}

/// What callers need to know of a function's changes and audit events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrailSummary {
    /// Changes that some path leaves untold.
    pub left: BTreeMap<Alteration, Bonds>,
    /// Where it emits an audit event on some path.
    pub emits: Option<(FunctionId, StepId)>,
    /// Whether the failure of that event may leave it.
    pub may_fail: bool,
    /// Whether that event tells of changes that it makes itself.
    pub tells_own: bool,
}

impl TrailSummary {
    /// Some path leaves a change untold.
    pub(super) fn leave(&mut self, alteration: Alteration, bonds: Bonds) {
        if self.left.len() < MOST_LEFT || self.left.contains_key(&alteration) {
            let known = self.left.entry(alteration).or_default();
            *known = known.and(bonds);
        }
    }

    /// Gives up on what still differs from the summary before.
    pub(super) fn settle_with(&mut self, before: &TrailSummary) {
        for (alteration, bonds) in &before.left {
            self.leave(*alteration, *bonds);
        }
        self.emits = before.emits.or(self.emits);
        self.may_fail |= before.may_fail;
        self.tells_own |= before.tells_own;
    }
}
