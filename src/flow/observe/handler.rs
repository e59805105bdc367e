//! flow/observe/handler: what was seen of exception handlers and of the sessions they leave behind.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use crate::facts::{HandlerId, StepId, StepKind};
use crate::name::Name;
use crate::project::{Certainty, FunctionId, Lookup};
use crate::source::Span;
use crate::vocabulary::Observation;

use super::super::catch::{catches_database, catches_more};
use super::super::clause::Unreachable;
use super::super::dependency::dependency;
use super::super::value::SessionKey;
use super::super::wrapper::wrappers;
use super::super::{actor, library};
use super::Observer;

/// What becomes of the sessions that handlers leave in the failed state, by function and number of the handler.
#[derive(Debug, Default)]
pub(super) struct Fates {
    used: BTreeSet<(FunctionId, HandlerId)>,
    committed: BTreeSet<(FunctionId, HandlerId)>,
    lost: BTreeSet<(FunctionId, HandlerId)>,
}

impl Fates {
    fn after(&self, failing: (FunctionId, HandlerId)) -> &'static str {
        if self.used.contains(&failing) {
            "used"
        } else if self.committed.contains(&failing) {
            "owner-commits"
        } else {
            "unused"
        }
    }
}

impl Observer<'_> {
    /// What becomes of all sessions that are left in the failed state.
    pub(super) fn fates(&self) -> Fates {
        let mut fates = Fates::default();
        // All that a failure passes through speak of it.
        let mut asked: FxHashMap<(FunctionId, HandlerId), bool> = FxHashMap::default();
        for (id, outcome) in self.flow.outcomes.iter() {
            fates.used.extend(&outcome.used_after);
            fates.committed.extend(&outcome.owner_commits);
            let failures =
                outcome.summary.failures.iter().filter(|failure| failure.session == SessionKey::Outer);
            if failures.clone().next().is_some() && self.owner_commits(id) {
                fates.committed.extend(failures.map(|failure| (failure.function, failure.handler)));
            }
            let broken =
                outcome.summary.failures.iter().filter(|failure| failure.session == SessionKey::Connection);
            let broken = broken.map(|failure| (failure.function, failure.handler));
            let answers_request = self.project.has_own_transaction(id) == Certainty::Yes;
            let lost = outcome.lost_blocks.iter().copied().chain(broken.filter(|_| answers_request));
            let is_lost = |failing: &(FunctionId, HandlerId)| {
                *asked.entry(*failing).or_insert_with(|| self.is_always_lost(*failing))
            };
            fates.lost.extend(lost.filter(is_lost));
        }
        fates
    }

    /// Whether a handler stands in a transaction block of its own function, or all ways that lead to that function open
    /// one around it.
    fn is_always_lost(&self, failing: (FunctionId, HandlerId)) -> bool {
        let mut seen = BTreeSet::from([failing.0]);
        let mut waiting = vec![failing.0];
        while let Some(id) = waiting.pop() {
            if self.loses(id, failing) {
                continue;
            }
            // What tests do around a function says nothing of how it is run.
            let callers = self.flow.callers.get(&id).into_iter().flatten();
            let callers: Vec<FunctionId> =
                callers.copied().filter(|caller| !self.project.is_test(caller.file)).collect();
            if callers.is_empty() {
                return false;
            }
            waiting.extend(callers.into_iter().filter(|caller| seen.insert(*caller)));
        }
        true
    }

    /// Whether a function runs in a transaction of its own, or opens one, that ends without what a handler has let go of.
    fn loses(&self, id: FunctionId, failing: (FunctionId, HandlerId)) -> bool {
        let outcome = &self.flow.outcomes[id];
        let mut goes_on = outcome.summary.failures.iter();
        let goes_on = goes_on.any(|failure| (failure.function, failure.handler) == failing);
        if goes_on {
            self.project.has_own_transaction(id) == Certainty::Yes
        } else {
            outcome.lost_blocks.contains(&failing)
        }
    }

    /// The handlers of a function.
    pub(super) fn handlers(
        &self,
        id: FunctionId,
        fates: &Fates,
        dead: &[Option<Unreachable>],
    ) -> Vec<Observation> {
        (0..).zip(dead).filter_map(|(handler, dead)| self.handler(id, handler, fates, *dead)).collect()
    }

    /// Whether the session is committed once the function has returned: by what a route depends on, or a decorator.
    fn owner_commits(&self, id: FunctionId) -> bool {
        let commits =
            |id: &FunctionId| self.flow.outcomes.get(*id).is_some_and(|known| known.summary.commits);
        if wrappers(self.project, id).iter().any(commits) {
            return true;
        }
        let function = self.project.function(id);
        let mut owners = function.params.iter().filter_map(|param| dependency(self.project, id.file, param));
        owners.any(|owner| {
            let is_generator = self.project.function(owner).is_generator;
            is_generator && commits(&owner)
        })
    }

    fn handler(
        &self,
        id: FunctionId,
        number: HandlerId,
        fates: &Fates,
        unreachable: Option<Unreachable>,
    ) -> Option<Observation> {
        let after = fates.after((id, number));
        let function = self.project.function(id);
        let handler = &function.handlers[number as usize];
        let outcome = &self.flow.outcomes[id];
        let mut seen = self.at(id, handler.head);
        let used = outcome.body_use.get(&handler.body).copied().unwrap_or_default();
        seen.say(
            "handler",
            if used.writes {
                "write"
            } else if used.any {
                "sql"
            } else {
                "other"
            },
        );
        if let Some(why) = unreachable {
            self.show_unreachable(&mut seen, id, why);
        }
        let catches = catches_database(self.project, id, number)
            && unreachable.is_none()
            && !self.names_nothing(id, number);
        seen.say("catches", if catches { "database" } else { "other" });
        seen.switch("catches-more", catches_more(self.project, id, number));
        let (raised, statement) = self.raised(id, handler.body);
        seen.say("raised", raised);
        let is_lost = fates.lost.contains(&(id, number));
        if is_lost {
            seen.say("transaction", "lost");
        }
        let report = outcome.handlers.get(&number).cloned().unwrap_or_default();
        let is_left = report.leaves_failed || after != "unused";
        seen.say("session-left", if is_left { "failed" } else { "clean" });
        seen.say("session-after", after);
        seen.say("failed-by", if report.failed_by_write { "write" } else { "read" });
        for end in &report.silent_ends {
            seen.say("silent-end", end);
        }
        if !(self.is_asked)(&seen) {
            return None;
        }
        let caught = match handler.catches.len() {
            0 => "every error".to_owned(),
            1 => format!("`{}`", self.source_text(id, handler.catches[0])),
            _ => "the errors".to_owned(),
        };
        seen.show("caught", caught);
        seen.show(
            "after",
            match after {
                "used" => "the session is used again",
                "owner-commits" => "its owner commits the session",
                _ => "the session is left in the failed state",
            },
        );
        let answers = if report.silent_ends.contains("raises") {
            "raises another error"
        } else if report.silent_ends.contains("answers") {
            "answers with a failure"
        } else {
            "only shows the failure"
        };
        seen.show("answers", answers);
        let session = self.tried_session(id, number);
        let usual = if function.is_async { "await " } else { "" };
        let (wait, text) = match &session {
            Some(session) => (session.wait, session.text.clone()),
            None => (usual, self.session_text(id, number)),
        };
        let log =
            if self.project.is_rust(id.file) { "tracing::error!(…)" } else { "logger.exception(…)" };
        seen.show("log", log);
        seen.show("rollback", format!("{wait}{text}.rollback()"));
        seen.show("flush", format!("{wait}{text}.flush()"));
        let block = if wait.is_empty() { "with" } else { "async with" };
        let savepoint = match report.breaks_connection {
            true => "with transaction.atomic()".to_owned(),
            false => format!("{block} {text}.begin_nested()"),
        };
        if let Some(session) = session.as_ref().filter(|_| is_left) {
            seen.remedies.extend(self.rolled_back(id, number, session));
        }
        if let Some(session) = session.as_ref().filter(|_| catches && raised != "inside") {
            seen.remedies.push(self.flushed(id, number, session));
        }
        if !report.silent_ends.is_empty() {
            seen.remedies.extend(self.logged(id, number));
        }
        let is_of_session = session.is_some() && !report.breaks_connection;
        if is_lost && report.breaks_connection || (is_lost || is_left) && is_of_session {
            seen.remedies.extend(self.with_savepoint(id, number, &savepoint, report.breaks_connection));
        }
        seen.remedies.extend(unreachable.and_then(|why| self.clause_first(id, number, why)));
        seen.show("savepoint", savepoint);
        let tried = self.tried(id, handler.body_span);
        seen.related.push(("the write is tried here".into(), id.file.0 as usize, tried));
        if let Some(statement) = statement {
            let span = self.span(id, statement);
            seen.related.push(("the statement that can fail is here".into(), id.file.0 as usize, span));
        }
        Some(seen)
    }

    /// The session as the body of the `try` writes it.
    fn session_text(&self, id: FunctionId, number: HandlerId) -> String {
        let function = self.project.function(id);
        let body = function.handlers[number as usize].body_span;
        let calls = function.steps.iter().filter(|step| body.contains(step.span));
        for step in calls {
            if let StepKind::Attribute { of, name } = step.kind
                && matches!(&*name, "add" | "flush" | "commit" | "execute" | "delete" | "scalars" | "get")
            {
                let text = self.source_text(id, of);
                if library::names_session(text.rsplit('.').next().unwrap_or(text)) {
                    return text.to_owned();
                }
            }
        }
        let is_method = function.params.first().is_some_and(|param| &*param.name == "self");
        if is_method { "self.db".into() } else { "db".into() }
    }

    /// Whether the clause names an exception that is bound nowhere, so that its body never runs.
    fn names_nothing(&self, id: FunctionId, number: HandlerId) -> bool {
        let function = self.project.function(id);
        function.handlers[number as usize].catches.iter().any(|&step| {
            actor::path(function, step).is_some_and(|path| {
                let first = Name::new(path.split('.').next().unwrap_or(&path));
                self.project.lookup(id, first) == Lookup::Nowhere
            })
        })
    }
}

impl Observer<'_> {
    /// The statement of a `try` body that writes: one that reaches the database before one that waits for a flush.
    fn tried(&self, id: FunctionId, body: Span) -> Span {
        let outcome = &self.flow.outcomes[id];
        let inside = |step: &&StepId| body.contains(self.span(id, **step));
        let writes = outcome.writing.iter().filter(inside).find(|step| outcome.sql.contains(step));
        let found = writes.or(outcome.writing.iter().find(inside)).or(outcome.sql.iter().find(inside));
        found.map_or(body, |&step| self.span(id, step))
    }
}
