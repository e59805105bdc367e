//! flow/login: Django lets somebody in, or finds nobody by the credentials at hand: either is a thing to tell a trail of.

use crate::duty::Operation;
use crate::facts::{StepId, StepKind};
use crate::name::Name;
use crate::project::{Project, Signal};

use super::state::State;
use super::summary::Knowledge;
use super::trace::Trace;
use super::trail::{Alteration, Bond, Bonds, Login};
use super::value::Value;

const AUTHENTICATE: &str = "django.contrib.auth.authenticate";

impl Trace<'_> {
    /// `login(request, user)` and `authenticate(request, …)`.
    pub(super) fn admission(&mut self, state: &mut State, step: StepId, path: Name) -> Option<Value> {
        match &*path {
            "django.contrib.auth.login" | "django.contrib.auth.alogin" => {
                self.note_login(state, step, Login::Granted);
                Some(Value::None)
            }
            AUTHENTICATE | "django.contrib.auth.aauthenticate" => Some(Value::Seeker(step)),
            _ => None,
        }
    }

    /// A test says whether anybody was found.
    pub(super) fn refuse(&mut self, state: &mut State, subject: StepId, is_found: bool) {
        let name = match self.function.steps[subject as usize].kind {
            StepKind::Name(name) | StepKind::Bind { name, .. } => Some(name),
            _ => None,
        };
        // An earlier test may have said so already.
        let current = name.and_then(|name| state.locals.get(name).cloned());
        let current = current.unwrap_or_else(|| self.value(subject).clone());
        let Value::Seeker(step) = current else { return };
        if let Some(name) = name {
            let known = if is_found { Value::External(Name::new(AUTHENTICATE)) } else { Value::None };
            state.locals.insert(name, known);
        }
        if !is_found {
            self.note_login(state, step, Login::Refused);
        }
    }

    fn note_login(&mut self, state: &mut State, step: StepId, login: Login) {
        if !self.project.keeps_trail() {
            return;
        }
        let model = self.project.user_model();
        let signal = Signal::Other(Name::new(match login {
            Login::Granted => "user_logged_in",
            Login::Refused => "user_login_failed",
        }));
        let mut is_heard = model.is_some_and(|model| self.project.libraries_of(model).next().is_some());
        for receiver in self.project.receivers().iter().filter(|receiver| receiver.signal == signal) {
            let summary = self.summary(receiver.function);
            is_heard |= summary.is_some_and(|summary| summary.trail.emits.is_some());
        }
        if is_heard {
            return;
        }
        let alteration = Alteration {
            place: (self.id, step),
            model,
            handed: None,
            operation: Operation::Update,
            login: Some(login),
            passes_by: None,
        };
        // No transaction is shared with a session of the client.
        state.untold.add(alteration, step, Bonds::one(Bond::Within));
    }
}

/// Whether receivers tell an audit trail of some logins.
pub(super) fn told_by_receivers(project: &Project, knowledge: &Knowledge) -> bool {
    let is_of_login = |signal: Signal| matches!(signal, Signal::Other(name) if matches!(&*name, "user_logged_in" | "user_login_failed"));
    project.receivers().iter().filter(|receiver| is_of_login(receiver.signal)).any(|receiver| {
        let summary = knowledge.summaries.get(receiver.function);
        summary.is_some_and(|summary| summary.trail.emits.is_some())
    })
}
