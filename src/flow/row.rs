//! flow/row: what happened to one row on the paths so far, duty by duty.
//!
//! For each duty the paths are kept as a set of small *elements*: how the row was changed, whether it was handed to a
//! session, and how far the duty is discharged. Joining paths is the union of sets, so nothing one path did is ever
//! mistaken for what every path did.

use std::collections::BTreeSet;

use crate::duty::Duty;
use crate::facts::StepId;
use crate::name::Name;
use crate::project::FunctionId;

use super::life::Life;
use super::stamp::Marks;
use super::value::{ModelRef, SessionKey};

/// How far a duty is discharged on a path, from not at all to surely.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing set the field.
    Unset,
    /// Something may have set it.
    Perhaps,
    /// A guard found that there is no actor.
    Excused,
    /// It was stored under a name the model does not have; that is a fault of its own.
    Misplaced,
    /// It is set.
    Set,
}

const LEVELS: [Level; 5] = [Level::Unset, Level::Perhaps, Level::Excused, Level::Misplaced, Level::Set];

/// How a row was changed on a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// Not at all.
    No,
    /// Some column got a value.
    Changed,
    /// It was marked as deleted.
    Deleted,
}

const CHANGES: [Change; 3] = [Change::No, Change::Changed, Change::Deleted];

/// What happened on one path, seen by one duty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element {
    /// How the row was changed.
    pub change: Change,
    /// Whether it was handed to a session.
    pub is_added: bool,
    /// Whether a commit came before: what the caller had left open is over.
    pub is_anew: bool,
    /// How far the duty is discharged.
    pub level: Level,
}

impl Element {
    const START: Element =
        Element { change: Change::No, is_added: false, is_anew: false, level: Level::Unset };

    fn bit(self) -> u64 {
        let kind = (self.change as u32 * 2 + u32::from(self.is_added)) * 2 + u32::from(self.is_anew);
        1 << (kind * LEVELS.len() as u32 + self.level as u32)
    }

    /// The element whose bit stands at a place.
    fn at(place: u32) -> Element {
        let (kind, level) = (place as usize / LEVELS.len(), place as usize % LEVELS.len());
        Element {
            change: CHANGES[kind / 4],
            is_added: kind / 2 % 2 == 1,
            is_anew: kind % 2 == 1,
            level: LEVELS[level],
        }
    }
}

/// A set of elements, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Paths(u64);

impl Paths {
    /// One path on which nothing has happened yet.
    pub fn start() -> Paths {
        Paths(Element::START.bit())
    }

    /// The elements in the set.
    pub fn elements(self) -> impl Iterator<Item = Element> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let place = (left != 0).then(|| left.trailing_zeros())?;
            left &= left - 1;
            Some(Element::at(place))
        })
    }

    /// Whether there is no path.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The paths of both sets.
    pub fn union(self, other: Paths) -> Paths {
        Paths(self.0 | other.0)
    }

    /// The paths after each of them took a step.
    pub fn map(self, step: impl Fn(Element) -> Element) -> Paths {
        Paths(self.elements().fold(0, |all, element| all | step(element).bit()))
    }

    /// The paths for which a test holds.
    pub fn filter(self, test: impl Fn(Element) -> bool) -> Paths {
        Paths(self.elements().filter(|element| test(*element)).fold(0, |all, element| all | element.bit()))
    }

    /// Every path of this set followed by every path of another.
    pub fn then(self, next: Paths) -> Paths {
        let mut all = Paths::default();
        for after in next.elements() {
            all = all.union(self.map(|before| Element {
                change: if after.is_anew { after.change } else { before.change.max(after.change) },
                is_added: before.is_added || after.is_added,
                is_anew: before.is_anew || after.is_anew,
                level: if after.is_anew { after.level } else { before.level.max(after.level) },
            }));
        }
        all
    }
}

/// Where a row came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Base {
    /// Constructed.
    New,
    /// Loaded by a query.
    Loaded,
    /// Handed in.
    Param(u32),
}

/// Where a change was made: here, or in a function that was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Touch {
    /// The step in the function that looks.
    pub step: StepId,
    /// The place in the callee, when a call changed the row.
    pub within: Option<(FunctionId, StepId)>,
}

/// What does not change about a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowInfo {
    /// Where it came from.
    pub base: Base,
    /// Its model.
    pub model: ModelRef,
    /// Where it was constructed or loaded; in a callee, when it was returned by one.
    pub origin: (FunctionId, StepId),
    /// Where the function at hand got it.
    pub at: StepId,
    /// The session that holds it, as far as that is known.
    pub session: Option<SessionKey>,
}

/// How many places of change are remembered.
const MOST_TOUCHES: usize = 6;

/// What happened to one row on the paths so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RowState {
    /// By duty: the paths of the write that is still open.
    pub open: [Paths; 6],
    /// By duty: the paths of writes that were committed, or of rows an earlier turn of a loop has left behind.
    pub done: [Paths; 6],
    /// By duty: where it was changed on paths that have not discharged the duty.
    pub touches: [Vec<Touch>; 6],
    /// By duty: the same of writes that are over.
    pub left: [Vec<Touch>; 6],
    /// Where it was changed first.
    pub first: Option<Touch>,
    /// Where it became visible.
    pub published: Option<StepId>,
    /// What its audit columns were given.
    pub marks: Marks,
    /// The columns that some path has given values.
    pub stored: BTreeSet<Name>,
    /// Whether every path has saved it, where it is Django's.
    pub is_saved: bool,
    /// What can be read of it.
    pub life: Life,
    /// Whether some path has changed it and neither committed that nor told of it.
    pub is_untold: bool,
}

impl RowState {
    /// A row to which nothing has happened yet.
    pub(super) fn start(life: Life) -> RowState {
        RowState { open: [Paths::start(); 6], life, ..RowState::default() }
    }

    /// The state after either of two paths.
    pub(super) fn join(&mut self, other: &RowState) {
        for duty in Duty::ALL {
            let at = duty.index();
            self.open[at] = self.open[at].union(other.open[at]);
            self.done[at] = self.done[at].union(other.done[at]);
        }
        for duty in Duty::ALL {
            let at = duty.index();
            merge_touches(&mut self.touches[at], &other.touches[at]);
            merge_touches(&mut self.left[at], &other.left[at]);
        }
        self.first = match (self.first, other.first) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.published = match (self.published, other.published) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.marks.join(&other.marks);
        self.stored.extend(&other.stored);
        self.is_saved &= other.is_saved;
        self.life.join(&other.life);
        self.is_untold |= other.is_untold;
    }

    /// A column got a value, or the row was marked as deleted.
    pub(super) fn change(&mut self, change: Change, touch: Touch) {
        for paths in &mut self.open {
            *paths = paths.map(|e| Element { change: e.change.max(change), ..e });
        }
        self.life.change();
        self.is_untold = true;
        self.touch(touch);
    }

    /// Whether some path has handed it to a session.
    pub(super) fn is_added(&self) -> bool {
        self.open[0].union(self.done[0]).elements().any(|e| e.is_added)
    }

    /// Whether every path has set what a duty asks for.
    pub(super) fn has(&self, duty: Duty) -> bool {
        let open = self.open[duty.index()];
        !open.is_empty() && open.elements().all(|e| e.level == Level::Set)
    }

    /// The places of change that still lack a duty.
    pub(super) fn lacking(&self, duty: Duty) -> Vec<Touch> {
        let mut all = self.left[duty.index()].clone();
        merge_touches(&mut all, &self.touches[duty.index()]);
        all
    }

    /// Whether what a duty asks for is stored already: a save has written it, on every path.
    pub(super) fn is_kept(&self, duty: Duty) -> bool {
        let done = self.done[duty.index()];
        !done.is_empty() && done.elements().all(|e| e.level == Level::Set)
    }

    /// The row was saved by Django: the paths that led here are what was written; a later save writes them anew.
    pub(super) fn save(&mut self, written: [Paths; 6], step: StepId) {
        self.done = written.map(|paths| paths.map(|e| Element { is_added: true, ..e }));
        self.is_saved = true;
        self.published.get_or_insert(step);
    }

    /// The row was handed to a session.
    pub(super) fn add(&mut self) {
        self.is_untold = true;
        for paths in &mut self.open {
            *paths = paths.map(|e| Element { is_added: true, ..e });
        }
    }

    /// A duty was discharged up to a level.
    pub(super) fn discharge(&mut self, duty: Duty, level: Level) {
        let paths = &mut self.open[duty.index()];
        *paths = paths.map(|e| Element { level: e.level.max(level), ..e });
        if level >= Level::Excused {
            self.touches[duty.index()].clear();
        }
    }

    /// What one duty's paths have done so far is over: a commit, or the next turn of a loop.
    pub(super) fn seal(&mut self, is_new: bool) {
        for duty in Duty::ALL {
            let at = duty.index();
            self.done[at] =
                self.done[at].union(self.open[at].filter(|e| e.change != Change::No || e.is_added));
            self.open[at] = self.open[at].map(|e| Element {
                change: Change::No,
                is_added: e.is_added,
                is_anew: true,
                // A second write that completes a new row is not judged by itself.
                level: if is_new && e.is_added { Level::Set } else { Level::Unset },
            });
            let over = std::mem::take(&mut self.touches[at]);
            merge_touches(&mut self.left[at], &over);
        }
    }

    /// The next turn of a loop makes a new row where this one was made.
    pub(super) fn begin_again(&mut self, life: Life) {
        self.marks = Marks::default();
        self.life = life;
        for duty in Duty::ALL {
            let at = duty.index();
            self.done[at] =
                self.done[at].union(self.open[at].filter(|e| e.change != Change::No || e.is_added));
            self.open[at] = Paths::start();
            let over = std::mem::take(&mut self.touches[at]);
            merge_touches(&mut self.left[at], &over);
        }
    }

    /// Whether anything is there that could be taken back.
    pub(super) fn is_open(&self) -> bool {
        let is_written = |paths: &Paths| paths.elements().any(|e| e.change != Change::No || e.is_added);
        self.is_untold
            || !self.marks.are_none()
            || self.touches.iter().any(|touches| !touches.is_empty())
            || self.open.iter().any(is_written)
    }

    /// The open write was taken back.
    pub(super) fn roll_back(&mut self) {
        self.marks.take_back();
        self.is_untold = false;
        for paths in &mut self.open {
            *paths = paths.map(|e| Element { change: Change::No, is_added: false, ..e });
        }
        self.touches = Default::default();
    }

    /// What a callee did to the row happens to it.
    pub(super) fn undergo(&mut self, (open, done): (&[Paths; 6], &[Paths; 6]), base: Base, touch: Touch) {
        let mut changed = false;
        // What comes after the commit of a new row is a second write that completes it.
        let complete = |e: Element| match base {
            Base::New if e.is_anew && e.is_added => Element { level: Level::Set, ..e },
            _ => e,
        };
        for duty in Duty::ALL {
            let at = duty.index();
            changed |= open[at].union(done[at]).elements().any(|e| e.change != Change::No || e.is_added);
            if !done[at].is_empty() {
                self.done[at] = self.done[at].union(self.open[at].then(done[at]).map(complete));
            }
            self.open[at] = self.open[at].then(open[at]).map(complete);
            if !lacks(self.open[at]) {
                self.touches[at].clear();
            }
        }
        if changed {
            self.is_untold = true;
            self.touch(touch);
        }
    }

    fn touch(&mut self, touch: Touch) {
        self.first = Some(self.first.map_or(touch, |first| first.min(touch)));
        for (touches, open) in self.touches.iter_mut().zip(self.open) {
            if lacks(open) {
                merge_touches(touches, &[touch]);
            }
        }
    }
}

/// Whether some path has not discharged the duty.
fn lacks(paths: Paths) -> bool {
    paths.elements().any(|e| e.level < Level::Excused)
}

fn merge_touches(known: &mut Vec<Touch>, more: &[Touch]) {
    for touch in more {
        if let Err(at) = known.binary_search(touch)
            && known.len() < MOST_TOUCHES
        {
            known.insert(at, *touch);
        }
    }
}
