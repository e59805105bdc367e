//! learn/setter: methods of models that do nothing but stamp their own row.

use std::collections::{BTreeMap, BTreeSet};

use crate::duty::Duty;
use crate::facts::{Function, Literal, StepId, StepKind, Term};
use crate::name::Name;
use crate::project::{ClassId, FunctionId};

use super::Ground;
use super::column::{Column, Kind};

/// The setters of each role, with the classes that have them.
pub(super) fn setters(
    ground: &Ground<'_>,
    models: &[ClassId],
    columns: &BTreeMap<String, Column>,
) -> BTreeMap<Duty, BTreeMap<String, BTreeSet<ClassId>>> {
    let owners: BTreeSet<ClassId> =
        models.iter().flat_map(|model| ground.project.hierarchy(*model).classes()).collect();
    let mut roles: BTreeMap<String, BTreeMap<Duty, BTreeSet<ClassId>>> = BTreeMap::new();
    for owner in owners.into_iter().filter(|owner| (ground.serves)(owner.file)) {
        for &(name, index) in &ground.project.class(owner).methods {
            let id = FunctionId { file: owner.file, index: index as u32 };
            if let Some(duty) = role(ground, id, columns) {
                roles.entry(name.to_string()).or_default().entry(duty).or_default().insert(owner);
            }
        }
    }
    let mut found: BTreeMap<Duty, BTreeMap<String, BTreeSet<ClassId>>> = BTreeMap::new();
    for (name, duties) in roles {
        // A name that discharges one role here and another there discharges none for certain.
        if let [(duty, classes)] = &duties.into_iter().collect::<Vec<_>>()[..] {
            found.entry(*duty).or_default().insert(name, classes.clone());
        }
    }
    found
}

/// The role that a method discharges, if that is all it does.
fn role(ground: &Ground<'_>, id: FunctionId, columns: &BTreeMap<String, Column>) -> Option<Duty> {
    let function = ground.project.function(id);
    let own = function.params.first()?.name;
    let is_plain = function.decorators.is_empty() && !function.name.starts_with("__");
    let is_hook = matches!(&*function.name, "save" | "asave" | "delete" | "adelete" | "clean" | "full_clean");
    if !is_plain
        || is_hook
        || function.is_async
        || function.steps.iter().any(|step| does_more(function, &step.kind))
    {
        return None;
    }
    let given: BTreeSet<Name> = function.params.iter().skip(1).map(|param| param.name).collect();
    let mut duties: BTreeSet<Duty> = BTreeSet::new();
    for step in &function.steps {
        let StepKind::Store { of, name, value } = step.kind else { continue };
        if !matches!(function.steps[of as usize].kind, StepKind::Name(of) if of == own) {
            return None;
        }
        match ground.roles.duty(&name) {
            Some(_) if is_none(function, value) => return None,
            // Who acts is told by the caller.
            Some(duty) if duty.is_time() || comes_from(function, value, &given) => drop(duties.insert(duty)),
            Some(_) => return None,
            None => {
                let kind = columns.get(name.trim_start_matches('_')).map(Column::kind);
                if !matches!(kind, Some(Kind::Flag)) {
                    return None;
                }
            }
        }
    }
    let says = |duty: &&Duty| {
        let words = super::word::words(&function.name);
        let stem = duty.word().split('-').next().unwrap_or_default();
        words.iter().any(|word| word == stem)
    };
    // Of a method that does several, its own name says which is meant; else who acts counts for more than when.
    let of_actor: Vec<Duty> = duties.iter().copied().filter(|duty| duty.is_actor()).collect();
    let among = if of_actor.is_empty() { duties.into_iter().collect() } else { of_actor };
    among.iter().find(says).or(among.first()).copied()
}

/// Whether a step hands the row on, or has something done with what the method was given.
fn does_more(function: &Function, step: &StepKind) -> bool {
    let StepKind::Call { callee, .. } = step else {
        return matches!(step, StepKind::Await(_) | StepKind::Yield(_));
    };
    let is_own = |step: StepId| matches!(function.steps[step as usize].kind, StepKind::Name(name) if function.params[0].name == name);
    match function.steps[*callee as usize].kind {
        StepKind::Attribute { of, name } => is_own(of) || WRITES.contains(&&*name),
        StepKind::Name(name) => &*name == "super",
        _ => false,
    }
}

/// Methods by which rows are written.
const WRITES: &[&str] =
    &["save", "asave", "add", "flush", "commit", "execute", "refresh", "delete", "create", "update", "merge"];

fn is_none(function: &Function, value: StepId) -> bool {
    matches!(function.steps[value as usize].kind, StepKind::Literal(Literal::None))
}

/// Whether a value is made from one of some names.
fn comes_from(function: &Function, value: StepId, names: &BTreeSet<Name>) -> bool {
    let mut waiting = vec![value];
    let mut seen = BTreeSet::new();
    while let Some(step) = waiting.pop() {
        if !seen.insert(step) {
            continue;
        }
        match &function.steps[step as usize].kind {
            StepKind::Name(name) if names.contains(name) => return true,
            StepKind::Name(name) => waiting.extend(function.bindings(*name)),
            StepKind::Attribute { of, .. } | StepKind::Await(of) | StepKind::Not(of) => waiting.push(*of),
            StepKind::Either(all) | StepKind::Compute(all) | StepKind::Format(all) => waiting.extend(all),
            StepKind::Call { arguments, callee } => {
                waiting.push(*callee);
                waiting.extend(arguments.iter().map(|argument| argument.value));
            }
            _ => {}
        }
    }
    false
}

/// The name of a type, without what may be around it.
pub(super) fn type_path(term: &Term) -> Option<Name> {
    let mut term = term;
    for _ in 0..4 {
        match term {
            Term::Path(path) => return Some(*path),
            Term::Text(text) => return Some(*text),
            Term::Generic { arguments, .. } => term = arguments.first()?,
            Term::Union(all) => term = all.iter().find(|one| **one != Term::None)?,
            _ => return None,
        }
    }
    None
}
