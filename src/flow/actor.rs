//! flow/actor: which values of a function an actor is made from, so that a test of one is known to test the actor.

use std::collections::BTreeSet;

use crate::duty::Duty;
use crate::facts::{ArgumentKind, Function, Literal, StepId, StepKind};
use crate::name::Name;
use crate::project::Project;

/// Dotted paths of the values that are handed to setters of actors or stored in actor columns, and of what they are
/// made from.
pub(super) fn actors(project: &Project, function: &Function) -> BTreeSet<Name> {
    let is_actor = |duty: Option<Duty>| duty.is_some_and(Duty::is_actor);
    let mut seeds = Vec::new();
    for step in &function.steps {
        match &step.kind {
            StepKind::Call { callee, arguments } => {
                let name = match function.steps[*callee as usize].kind {
                    StepKind::Attribute { name, .. } | StepKind::Name(name) => Some(name),
                    _ => None,
                };
                let is_setter = name.is_some_and(|name| is_actor(project.roles.of_setter(&name)));
                for argument in arguments {
                    let names_actor = matches!(argument.kind, ArgumentKind::Keyword(name)
                        if is_actor(project.roles.of_field(&name)));
                    if is_setter || names_actor {
                        seeds.push(argument.value);
                    }
                }
            }
            StepKind::Store { name, value, .. } if is_actor(project.roles.of_field(name)) => {
                seeds.push(*value)
            }
            StepKind::StoreIndex { key, value, .. } => {
                if let StepKind::Literal(Literal::Text(text)) = function.steps[*key as usize].kind
                    && is_actor(project.roles.of_field(&text))
                {
                    seeds.push(*value);
                }
            }
            _ => {}
        }
    }
    made_from(function, seeds)
}

/// Dotted paths of everything that some values are made from.
pub(super) fn made_from(function: &Function, seeds: Vec<StepId>) -> BTreeSet<Name> {
    let mut found = BTreeSet::new();
    let mut seen = vec![false; function.steps.len()];
    let mut waiting = seeds;
    while let Some(step) = waiting.pop() {
        if std::mem::replace(&mut seen[step as usize], true) {
            continue;
        }
        match &function.steps[step as usize].kind {
            StepKind::Name(name) if found.insert(*name) => {
                waiting.extend(function.bindings(*name));
            }
            StepKind::Attribute { of, .. } => {
                found.extend(path(function, step));
                waiting.push(*of);
            }
            StepKind::Call { callee, arguments } => {
                waiting.push(*callee);
                waiting.extend(arguments.iter().map(|argument| argument.value));
            }
            StepKind::Index { of, .. } | StepKind::Await(of) | StepKind::Not(of) => waiting.push(*of),
            StepKind::Part { of, .. } | StepKind::Element(of) => waiting.push(*of),
            StepKind::Either(all) | StepKind::Compute(all) | StepKind::Format(all) => waiting.extend(all),
            _ => {}
        }
    }
    found
}

/// The dotted path a step reads, as `a.b.c`.
pub(super) fn path(function: &Function, step: StepId) -> Option<Name> {
    let mut parts = Vec::new();
    let mut at = step;
    loop {
        match &function.steps[at as usize].kind {
            StepKind::Name(name) => {
                parts.push(*name);
                break;
            }
            StepKind::Attribute { of, name } => {
                parts.push(*name);
                at = *of;
            }
            StepKind::Await(of) => at = *of,
            _ => return None,
        }
    }
    parts.reverse();
    parts.into_iter().reduce(|path, part| path.join(&part))
}

/// The last part of what would be such a path, be it one or not: that is told at once.
pub(super) fn last_part(function: &Function, step: StepId) -> Option<&'static str> {
    let mut at = step;
    loop {
        at = match function.steps[at as usize].kind {
            StepKind::Name(name) | StepKind::Attribute { name, .. } => return Some(name.last()),
            StepKind::Await(of) => of,
            _ => return None,
        }
    }
}
