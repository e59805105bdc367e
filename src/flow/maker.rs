//! flow/maker: how the program makes its sessions, and whether those expire their rows when they commit.

use crate::facts::{ArgumentKind, Function, Literal, StepId, StepKind};
use crate::project::Project;

use super::{actor, library};

/// Whether sessions expire their rows at a commit, where all makers of sessions agree: SQLAlchemy's sessions do unless
/// they are told not to. Nothing where no session is made in what was scanned, or makers differ.
pub(super) fn expires_on_commit(project: &Project) -> Option<bool> {
    let mut found: Option<bool> = None;
    for id in project.function_ids() {
        let function = project.function(id);
        for step in &function.steps {
            let StepKind::Call { callee, arguments } = &step.kind else { continue };
            if !actor::last_part(function, *callee).is_some_and(library::takes_session_options)
                || actor::path(function, *callee).is_none()
            {
                continue;
            }
            let told = arguments.iter().find_map(|argument| match argument.kind {
                ArgumentKind::Keyword(name) if &*name == "expire_on_commit" => Some(argument.value),
                _ => None,
            });
            let expires = match told {
                None if arguments.iter().any(|argument| argument.kind == ArgumentKind::SpreadKeywords) => {
                    return None;
                }
                None => true,
                Some(value) => switch(function, value)?,
            };
            if found.is_some_and(|known| known != expires) {
                return None;
            }
            found = Some(expires);
        }
    }
    found
}

fn switch(function: &Function, step: StepId) -> Option<bool> {
    match function.steps[step as usize].kind {
        StepKind::Literal(Literal::Switch(on)) => Some(on),
        _ => None,
    }
}
