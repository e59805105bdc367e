//! learn/context: the class whose objects carry who acts to where rows are stamped.

use std::collections::BTreeMap;

use crate::facts::{ArgumentKind, Function, StepId, StepKind};
use crate::name::Name;
use crate::project::{ClassId, FunctionId, Symbol, written_path};

use super::Ground;
use super::setter::type_path;

/// In so many places a class must carry the actor.
const FEWEST: usize = 3;

/// The classes that carry the actor, those that do most often first, with how often.
pub(super) fn contexts(ground: &Ground<'_>, is_setter: &dyn Fn(&str) -> bool) -> Vec<(ClassId, usize)> {
    let mut times: BTreeMap<ClassId, usize> = BTreeMap::new();
    for id in ground.functions() {
        let function = ground.project.function(id);
        for step in &function.steps {
            let mut carriers: Vec<StepId> = Vec::new();
            match &step.kind {
                StepKind::Call { callee, arguments } => {
                    let sets = matches!(function.steps[*callee as usize].kind,
                        StepKind::Attribute { name, .. } if is_setter(&name));
                    let is_actor = |kind: ArgumentKind| matches!(kind, ArgumentKind::Keyword(name) if ground.is_actor(&name));
                    let told = arguments.iter().filter(|argument| sets || is_actor(argument.kind));
                    carriers.extend(told.map(|argument| argument.value));
                }
                StepKind::Store { name, value, .. } if ground.is_actor(name) => carriers.push(*value),
                _ => {}
            }
            let mut classes: Vec<ClassId> =
                carriers.iter().filter_map(|step| class_behind(ground, id, function, *step)).collect();
            classes.sort_unstable();
            classes.dedup();
            for class in classes {
                *times.entry(class).or_default() += 1;
            }
        }
    }
    let mut all: Vec<(ClassId, usize)> = times.into_iter().filter(|(_, times)| *times >= FEWEST).collect();
    all.sort_by_key(|(class, times)| (std::cmp::Reverse(*times), *class));
    all
}

/// The class of the object whose attribute a value is, where it is a class of the program and neither a row nor a user.
fn class_behind(ground: &Ground<'_>, id: FunctionId, function: &Function, value: StepId) -> Option<ClassId> {
    let mut at = value;
    loop {
        match &function.steps[at as usize].kind {
            StepKind::Attribute { of, .. } | StepKind::Await(of) => at = *of,
            StepKind::Either(all) => at = *all.first()?,
            _ => break,
        }
    }
    let StepKind::Name(name) = function.steps[at as usize].kind else { return None };
    let made = function.bindings(name).find_map(|bound| made_by(ground, id, function, bound));
    let class = made.or_else(|| {
        let param = function.params.iter().find(|param| param.name == name)?;
        match ground.project.resolve_path(id.file, type_path(param.annotation.as_ref()?)?)? {
            Symbol::Class(class) => Some(class),
            _ => None,
        }
    })?;
    let is_row = ground.project.model(class).is_some();
    let is_user = ground.project.class(class).name.ends_with("User");
    (!is_row && !is_user).then_some(class)
}

/// The class that a value is an instance of: `Context(…)`, `Context.of(user)`, perhaps one of several.
fn made_by(ground: &Ground<'_>, id: FunctionId, function: &Function, value: StepId) -> Option<ClassId> {
    let mut waiting = vec![value];
    let mut turns = 0;
    while let Some(step) = waiting.pop() {
        turns += 1;
        if turns > 16 {
            return None;
        }
        match &function.steps[step as usize].kind {
            StepKind::Await(of) => waiting.push(*of),
            StepKind::Either(all) => waiting.extend(all),
            StepKind::Call { callee, .. } => {
                let path = written_path(function, *callee)?;
                let class = |path: Name| match ground.project.symbol_in(id, path) {
                    Some(Symbol::Class(class)) => Some(class),
                    _ => None,
                };
                let outer = || path.rsplit_once('.').and_then(|(outer, _)| class(Name::new(outer)));
                if let Some(class) = class(path).or_else(outer) {
                    return Some(class);
                }
            }
            _ => {}
        }
    }
    None
}
