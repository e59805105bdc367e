//! flow/leave: what is told where a path leaves a function: which rows it answers for, which go on to the caller.

use std::collections::BTreeSet;

use crate::duty::Duty;
use crate::facts::StepKind;

use super::outcome::{RowReport, Way};
use super::row::{Base, Change, Paths};
use super::state::{Failure, State};
use super::summary::RowEffect;
use super::trace::Trace;
use super::value::{RowKey, SessionKey, Value};

impl Trace<'_> {
    /// A path returns in this state.
    pub(super) fn leave(&mut self, mut state: State) {
        self.tell_nulls(&mut state);
        let returned = state.returned.clone().unwrap_or(Value::None);
        self.outcome.always(&state, Way::Returns);
        if let Some(step) = returned.decision() {
            self.outcome.decisions.insert(step);
        }
        let escaping: BTreeSet<RowKey> = returned.rows().into_iter().collect();
        // Whoever gets a row gets what it brings along.
        for owner in &escaping {
            for child in state.brings.get(owner).cloned().unwrap_or_default() {
                if let Some(row) = state.rows.get_mut(&child) {
                    row.add();
                }
            }
        }
        for (&key, row) in &state.rows {
            let info = self.placed(key);
            let is_param = matches!(info.base, Base::Param(_));
            let goes_on = is_param || escaping.contains(&key);
            let is_saved_by_call = self.django_model(key).is_some()
                || self.entity_of(key).is_some()
                || self.is_any_active_model(key);
            let report = self.outcome.rows.entry(key).or_insert_with(|| RowReport {
                info,
                judged: [Paths::default(); 6],
                deferred: [Paths::default(); 6],
                touches: Default::default(),
                first: None,
                published: None,
                stored: BTreeSet::new(),
            });
            report.stored.extend(&row.stored);
            for duty in Duty::ALL {
                let at = duty.index();
                let (open, done) = (row.open[at], row.done[at]);
                let (judged, deferred) = match (is_param, goes_on) {
                    // What is changed and never saved is no write.
                    (true, _) if is_saved_by_call => (Paths::default(), done),
                    (false, _) if is_saved_by_call => (done, Paths::default()),
                    (true, _) => (Paths::default(), open.union(done)),
                    (false, true) => (done, open),
                    (false, false) => (open.union(done), Paths::default()),
                };
                report.judged[at] = report.judged[at].union(judged);
                report.deferred[at] = report.deferred[at].union(deferred);
            }
            for duty in Duty::ALL {
                let touches = &mut report.touches[duty.index()];
                touches.extend(row.lacking(duty));
                touches.sort();
                touches.dedup();
            }
            report.first = match (report.first, row.first) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
            report.published = match (report.published, row.published) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
            if goes_on {
                let effect = self.outcome.summary.rows.entry(key).or_insert_with(|| RowEffect {
                    info,
                    open: [Paths::default(); 6],
                    done: [Paths::default(); 6],
                    touch: None,
                    marks: row.marks.clone(),
                    stored: BTreeSet::new(),
                    is_saved: row.is_saved,
                    life: row.life.clone(),
                });
                effect.marks.meet(&row.marks);
                effect.stored.extend(&row.stored);
                effect.is_saved &= row.is_saved;
                effect.life.join(&row.life);
                for duty in Duty::ALL {
                    let at = duty.index();
                    effect.open[at] = effect.open[at].union(row.open[at]);
                    if is_param {
                        effect.done[at] = effect.done[at].union(row.done[at]);
                    }
                }
                let first = row.first.map(|touch| touch.within.unwrap_or((self.id, touch.step)));
                effect.touch = match (effect.touch, first) {
                    (Some(known), Some(first)) => Some(known.min(first)),
                    (known, first) => known.or(first),
                };
            }
        }
        self.leave_trail(&state, &escaping);
        if self.ground.is_atomic {
            self.lose(&state);
            self.decide_on_rollback(&mut state);
        }
        let of_session = |failure: &&Failure| failure.session != SessionKey::Connection;
        for failure in state.failures.iter().filter(of_session).filter(|failure| failure.function == self.id)
        {
            self.outcome.handlers.entry(failure.handler).or_default().leaves_failed = true;
        }
        let outer = state.failures.iter().filter(|failure| !matches!(failure.session, SessionKey::Opened(_)));
        self.outcome.summary.failures.extend(outer);
        let known = self.outcome.summary.returns.take();
        self.outcome.summary.returns = Some(match known {
            Some(known) => known.join(returned).limited(),
            None => returned.limited(),
        });
    }

    /// All paths were seen.
    pub(super) fn finish(&mut self) {
        let decides = self.function.steps.iter().any(|step| match step.kind {
            StepKind::Raise { .. } => true,
            StepKind::Return(Some(value)) => matches!(self.value(value), Value::Switch(_)),
            _ => false,
        });
        if decides {
            // A comparison that is tested before something is raised, or yes or no is answered, decides, too.
            for block in &self.function.blocks {
                if let crate::facts::Next::Branch { test, .. } = block.next
                    && let Some(step) = self.value(test).decision()
                {
                    self.outcome.decisions.insert(step);
                }
            }
        }
        let actor_duties = || Duty::ALL.into_iter().filter(|duty| duty.is_actor());
        self.outcome.summary.stamps_actor = self.outcome.summary.rows.values().any(|effect| {
            matches!(effect.info.base, Base::Param(_))
                && actor_duties().any(|duty| {
                    let at = duty.index();
                    effect.open[at]
                        .union(effect.done[at])
                        .elements()
                        .any(|e| e.level > super::row::Level::Perhaps)
                })
        });
        // A row that was only looked at is nobody's concern.
        let returned: BTreeSet<RowKey> = match &self.outcome.summary.returns {
            // A statement that is made of rows writes them where it is run.
            Some(Value::Statement(statement)) => statement.rows.iter().copied().collect(),
            _ => BTreeSet::new(),
        };
        self.outcome.summary.rows.retain(|key, effect| {
            let touched = effect.open.iter().chain(&effect.done).any(|paths| {
                paths
                    .elements()
                    .any(|e| e.change != Change::No || e.is_added || e.level != super::row::Level::Unset)
            });
            touched
                || returned.contains(key)
                || effect.life.is_touched()
                || !matches!(effect.info.base, Base::Param(_))
        });
    }
}
