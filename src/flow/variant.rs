//! flow/variant: what a function does when a switch it is handed is known: `set_audit(row, user, is_update=True)`.
//!
//! A helper that does one thing or another by a parameter that callers write down as `True`, `False` or `None` is
//! followed once more for each of these, so that no caller is told of the branch it does not take.

use rustc_hash::FxHashMap;

use crate::facts::{Function, FunctionKind, Literal, Next, Param, ParamKind, StepKind, Term};
use crate::name::Name;
use crate::project::{ByFunction, ClassId, FunctionId, Project};

use super::Outcome;
use super::row::{Base, Paths};
use super::summary::Summary;
use super::value::{ModelRef, SessionKey, Value};

/// How many parameters of a function are told apart.
const MOST_SWITCHES: usize = 2;

/// Parameters and the values they are taken to have.
pub(super) type Choice = Vec<(u32, Value)>;

/// What a function does for each choice of its switches.
pub(super) fn choices(function: &Function, summary: &Summary, actors: &[u32]) -> Vec<Choice> {
    // Where every path does the same to the rows it is handed, no switch matters to a caller.
    let differs = summary.rows.values().any(|effect| {
        let several = |paths: &Paths| paths.elements().count() > 1;
        matches!(effect.info.base, Base::Param(_)) && effect.open.iter().chain(&effect.done).any(several)
    });
    // A transaction that some paths end and others do not is as good a reason to look.
    let differs = differs
        || summary.may_commit && !summary.commits
        || summary.may_roll_back && !summary.rolls_back && !summary.always_raises();
    if function.kind != FunctionKind::Function {
        return Vec::new();
    }
    let mut all: Vec<Choice> = vec![Vec::new()];
    if !actors.is_empty() {
        all.push(actors.iter().map(|&number| (number, Value::None)).collect());
    }
    let single = actors.iter().filter(|_| actors.len() > 1).take(MOST_SWITCHES);
    let single: Vec<Choice> = single.map(|&number| vec![(number, Value::None)]).collect();
    if !differs {
        all.extend(single);
        all.retain(|choice| !choice.is_empty());
        return all;
    }
    // What is yes or no is written down more often than what is there or not.
    let switches = switches(function, flag_values).chain(switches(function, optional_values));
    let switches = switches.filter(|(number, _)| !actors.contains(number));
    for (number, values) in switches.take(MOST_SWITCHES) {
        let before = all.clone();
        for value in values {
            all.extend(before.iter().map(|choice| {
                let mut choice = choice.clone();
                choice.push((number, value.clone()));
                choice
            }));
        }
    }
    all.extend(single);
    all.retain(|choice| !choice.is_empty());
    all
}

/// The parameters that are switches by some reckoning, with the values they are told apart by.
fn switches(
    function: &Function,
    values: fn(&Param) -> &'static [Value],
) -> impl Iterator<Item = (u32, &'static [Value])> {
    let numbered = function.params.iter().zip(0u32..);
    numbered.filter_map(move |(param, number)| {
        let is_named = matches!(param.kind, ParamKind::Plain | ParamKind::KeywordOnly);
        let values = values(param);
        (is_named && !values.is_empty() && decides(function, param.name)).then_some((number, values))
    })
}

fn flag_values(param: &Param) -> &'static [Value] {
    let is_bool = matches!(&param.annotation, Some(Term::Path(path)) if path.as_str() == "bool");
    if is_bool || matches!(param.default, Some(Term::Switch(_))) {
        &[Value::Switch(true), Value::Switch(false)]
    } else {
        &[]
    }
}

fn optional_values(param: &Param) -> &'static [Value] {
    if flag_values(param).is_empty() && param.default == Some(Term::None) { &[Value::None] } else { &[] }
}

/// Whether a name gets another value somewhere.
pub(super) fn is_bound(function: &Function, name: Name) -> bool {
    // `if let Some(x) = x` binds it to itself.
    let is_itself =
        |value: u32| matches!(function.steps[value as usize].kind, StepKind::Name(other) if other == name);
    function.bindings(name).any(|value| !is_itself(value))
}

/// Whether a parameter keeps its value and a branch looks at it.
fn decides(function: &Function, name: Name) -> bool {
    let is_name =
        |step: u32| matches!(function.steps[step as usize].kind, StepKind::Name(other) if other == name);
    let is_tested = function.blocks.iter().any(|block| match block.next {
        Next::Branch { test, .. } => match function.steps[test as usize].kind {
            StepKind::Compare { left, right, .. } => {
                is_name(left)
                    && matches!(function.steps[right as usize].kind, StepKind::Literal(Literal::None))
            }
            _ => is_name(test),
        },
        _ => false,
    });
    is_tested && !is_bound(function, name)
}

/// Local variables that are bound to `True`, `False` or `None` somewhere and tested by name.
pub(super) fn flag_names(function: &Function) -> Vec<Name> {
    let mut names: Vec<Name> = Vec::new();
    for step in &function.steps {
        if let StepKind::Bind { name, value, .. } = step.kind
            && let StepKind::Literal(Literal::Switch(_) | Literal::None) = function.steps[value as usize].kind
            && !names.contains(&name)
        {
            names.push(name);
        }
    }
    let tested = |name: &Name| {
        function.blocks.iter().any(|block| match block.next {
            Next::Branch { test, .. } => match function.steps[test as usize].kind {
                StepKind::Name(tested) => tested == *name,
                StepKind::Compare { left, .. } => {
                    matches!(function.steps[left as usize].kind, StepKind::Name(tested) if tested == *name)
                }
                _ => false,
            },
            _ => false,
        })
    };
    names.retain(tested);
    names.sort();
    names
}

impl Summary {
    /// What the function does when it is handed these arguments.
    pub(super) fn for_arguments(&self, binding: &[Value]) -> &Summary {
        let fits = |choice: &Choice| {
            choice.iter().all(|(number, value)| binding.get(*number as usize) == Some(value))
        };
        let fitting = self.variants.iter().filter(|(choice, _)| fits(choice));
        // The choice that says most.
        fitting.max_by_key(|(choice, _)| choice.len()).map_or(self, |(_, summary)| summary)
    }
}

/// What a parameter that no argument reaches holds, where that is a switch.
pub(super) fn default_of(default: &Option<Term>) -> Option<Value> {
    match default {
        Some(Term::Switch(on)) => Some(Value::Switch(*on)),
        Some(Term::None) => Some(Value::None),
        _ => None,
    }
}

/// The dictionaries, schemas and rows that functions are handed, by parameter: what every known caller says, or else what
/// the function itself takes a parameter for.
pub(super) fn handed(
    project: &Project,
    outcomes: &ByFunction<Box<Outcome>>,
) -> FxHashMap<(FunctionId, u32), Value> {
    let mut found: FxHashMap<(FunctionId, u32), Value> = FxHashMap::default();
    let mut taken: Vec<((FunctionId, u32), ClassId)> = Vec::new();
    for outcome in outcomes.values() {
        let certain = outcome.taken_for.iter().filter_map(|(place, model)| Some((*place, (*model)?)));
        taken.extend(certain);
        for (place, value) in &outcome.handed {
            match found.remove(place) {
                Some(known) => found.insert(*place, known.join(value.clone())),
                None => found.insert(*place, value.clone()),
            };
        }
    }
    // Whoever registers a decorated function may call it with anything.
    found.retain(|(function, _), value| {
        project.function(*function).decorators.iter().all(|decorator| {
            matches!(decorator, Term::Path(path) if matches!(path.last(), "staticmethod" | "classmethod" | "abstractmethod"))
        }) && is_data(value)
    });
    // What the callers do not say, the function itself may: it puts the row where no other fits.
    for (place, model) in taken {
        found.entry(place).or_insert(Value::Object(model, SessionKey::Outer));
    }
    found
}

/// Whether a value is data whose fields are known: a dictionary, or an object of one class or another.
pub(super) fn is_data(value: &Value) -> bool {
    match value {
        Value::Dictionary(keys) => !keys.is_open,
        Value::Object(..) => true,
        Value::Rows(rows) => matches!(rows.model, ModelRef::Class(_)),
        Value::OneOf(all) => all.iter().all(is_data),
        _ => false,
    }
}

/// What a variant's knowledge of a function is settled with, when recursion swings.
pub(super) fn settle(now: &mut Summary, before: &Summary) {
    for (choice, summary) in &mut now.variants {
        if let Some((_, before)) = before.variants.iter().find(|(other, _)| other == choice) {
            summary.settle_with(before);
        }
    }
}
