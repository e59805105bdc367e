//! flow/observe/mend/plan: who acts, handed down through the program from where a user is known to where a row is written.

use std::collections::{BTreeMap, BTreeSet};

use crate::duty::Duty;
use crate::facts::{Argument, ArgumentKind, FunctionKind, ParamKind, StepId, StepKind, Term};
use crate::name::Name;
use crate::project::{FunctionId, Project};
use crate::remedy::{Act, Deed, Remedy};

use super::super::super::object::decorated;
use super::super::Observer;
use super::actor::{Hindrance, Spot};
use super::custom::{Candidate, Role};

/// How many functions a plan may go through; a longer one is nothing to review in one piece.
const MOST_FUNCTIONS: usize = 12;

/// The ways a user takes through the program.
#[derive(Default)]
struct Way {
    /// The functions that hand the user on, the last one included.
    functions: BTreeSet<FunctionId>,
    /// The calls, and what each hands over.
    calls: BTreeMap<(FunctionId, StepId), String>,
    /// Where users are known.
    sources: BTreeSet<Name>,
    /// Whether tests call one of the functions, which know of no user.
    is_tested: bool,
}

/// Why nobody can be sure of having found all calls.
const UNSEEN: Hindrance = "no user is at hand, and the function may be called where that is not seen";

impl Observer<'_> {
    /// Hands the acting user down to a function that has none.
    pub(super) fn plan(&self, spot: &Spot) -> Result<Remedy, Hindrance> {
        let project = self.project;
        let param = Name::new(match spot.duty() {
            Duty::CreatedBy => "created_by_user",
            Duty::DeletedBy => "deleted_by_user",
            _ => "updated_by_user",
        });
        let way = self.way(spot.id, param)?;
        let given = Candidate {
            text: param.to_string(),
            role: Role::User,
            is_optional: way.is_tested,
            is_given: true,
        };
        let mut acts = self.saying(spot, &given)?;
        for &id in &way.functions {
            acts.push(self.taking(id, param, &way)?);
        }
        for ((caller, step), user) in way.calls {
            let owner = project.function(caller).steps[step as usize].span;
            let text = format!("{param}={user}");
            acts.push(Observer::act(caller, Deed::Part { owner, beside: None, text }));
        }
        let to = &project.function(spot.id).name;
        let from: Vec<String> = way.sources.iter().map(|name| format!("`{name}`")).collect();
        let title = format!("Hand the acting user as `{param}` from {} to `{to}`", from.join(", "));
        Ok(Remedy::new("actor-plan", title, acts))
    }

    /// The ways from where a user is known to a function.
    fn way(&self, to: FunctionId, param: Name) -> Result<Way, Hindrance> {
        let project = self.project;
        let mut way = Way { functions: BTreeSet::from([to]), ..Way::default() };
        let mut seen = BTreeSet::from([to]);
        let mut waiting = vec![to];
        while let Some(id) = waiting.pop() {
            if seen.len() > MOST_FUNCTIONS {
                return Err("too many functions would have to hand the user on");
            }
            for (caller, step) in self.calls_of(id, &mut way)? {
                let at_hand = self.at_hand(caller, step);
                let mut users = at_hand.iter().filter(|who| who.role == Role::User);
                match (users.next(), users.next()) {
                    (Some(one), None) => {
                        way.sources.insert(project.function(caller).name);
                        way.calls.insert((caller, step), one.text.clone());
                        continue;
                    }
                    (Some(_), Some(_)) => {
                        return Err(
                            "several users are at hand in a caller, and any of them may be the one who acts",
                        );
                    }
                    _ if at_hand.iter().any(|who| who.role == Role::Context) => {
                        return Err("a caller has an audit context at hand, and no user");
                    }
                    _ => {}
                }
                // Whoever hands on whatever it is given hands this on, too.
                if !self.hands_all_on(caller, step) {
                    way.functions.insert(caller);
                    way.calls.insert((caller, step), param.to_string());
                }
                if seen.insert(caller) {
                    waiting.push(caller);
                }
            }
        }
        if way.is_tested && !self.customs().gives_defaults() {
            return Err("no user is at hand, and a test calls the function that needs one");
        }
        Ok(way)
    }

    /// Whether a call hands on all further keyword arguments of the function around it.
    fn hands_all_on(&self, caller: FunctionId, step: StepId) -> bool {
        let function = self.project.function(caller);
        let StepKind::Call { arguments, .. } = &function.steps[step as usize].kind else { return false };
        let Some(rest) = function.params.iter().find(|param| param.kind == ParamKind::RestKeywords) else {
            return false;
        };
        arguments.iter().any(|argument| {
            argument.kind == ArgumentKind::SpreadKeywords
                && matches!(function.steps[argument.value as usize].kind, StepKind::Name(name) if name == rest.name)
        })
    }

    /// The act that gives a function the parameter.
    fn taking(&self, id: FunctionId, param: Name, way: &Way) -> Result<Act, Hindrance> {
        let project = self.project;
        let function = project.function(id);
        let name = &function.name;
        let is_nested = function.parent.is_some_and(|parent| {
            project.file(id.file).facts.functions[parent].kind == FunctionKind::Function
        });
        let is_plain = |term: &Term| {
            decorated(std::slice::from_ref(term), "staticmethod")
                || decorated(std::slice::from_ref(term), "classmethod")
        };
        if function.kind != FunctionKind::Function || is_nested || name.starts_with("__") {
            return Err("no user is at hand, and the function takes no further parameter");
        }
        if !function.decorators.iter().all(is_plain) || project.is_routed(id) {
            return Err("no user is at hand where the request or the job begins");
        }
        if self.is_one_of_several(id) {
            return Err("no user is at hand, and several classes of one family define the method");
        }
        if function.params.iter().any(|other| other.name == param)
            || function.bound.iter().any(|bound| bound.name == param)
        {
            return Err("the name for the acting user is something else there");
        }
        let annotation = self.annotation(id);
        let text = match (way.is_tested, annotation.is_empty()) {
            (false, _) => format!("{param}{annotation}"),
            (true, true) => format!("{param}=None"),
            (true, false) => format!("{param}{annotation} = None"),
        };
        let is_by_name = |kind: ParamKind| matches!(kind, ParamKind::KeywordOnly | ParamKind::Rest);
        let follows_default = !way.is_tested
            && function.params.iter().any(|p| p.kind == ParamKind::Plain && p.default.is_some())
            && !function.params.iter().any(|p| is_by_name(p.kind));
        // Behind a default only what is given by name needs none.
        let text = if follows_default { format!("*, {text}") } else { text };
        Ok(Observer::act(id, Deed::Parameter { name: function.name_span, text }))
    }

    /// Whether a method of that name stands in another class of the same family.
    fn is_one_of_several(&self, id: FunctionId) -> bool {
        let project: &Project = self.project;
        let Some(class) = project.class_of(id) else { return false };
        let name = project.function(id).name;
        let defines = |other: &crate::project::ClassId| {
            project.class(*other).methods.iter().any(|(method, _)| *method == name)
        };
        project.family(class).iter().filter(|other| **other != class).any(defines)
    }

    /// The annotation of the new parameter, as the program's other ones have it, where its name is known in the file.
    fn annotation(&self, id: FunctionId) -> String {
        let customs = self.customs();
        let usual = if customs.hands_on() {
            customs.annotation().cloned()
        } else {
            Some(Term::Path(Name::new("User")))
        };
        let Some(Term::Path(path)) = usual else { return String::new() };
        let is_known = self.project.symbol_in(id, path).is_some();
        if is_known { format!(": {path}") } else { String::new() }
    }

    /// All calls of a function, where they are all known.
    fn calls_of(&self, id: FunctionId, way: &mut Way) -> Result<BTreeSet<(FunctionId, StepId)>, Hindrance> {
        let project = self.project;
        let name = project.function(id).name;
        let known = self.customs().callers.get(&id);
        let mut calls: BTreeSet<(FunctionId, StepId)> = known.cloned().unwrap_or_default();
        for &(reader, step) in self.customs().reads.get(&name).into_iter().flatten() {
            match self.is_known_read(id, reader, step, &calls) {
                true => {}
                false if project.is_test(reader.file) => way.is_tested = true,
                false => return Err(UNSEEN),
            }
        }
        way.is_tested |= calls.iter().any(|(caller, _)| project.is_test(caller.file));
        calls.retain(|(caller, _)| !project.is_test(caller.file));
        if calls.is_empty() {
            return Err("no user is at hand, and nothing in the program calls the function that needs one");
        }
        for &(caller, step) in &calls {
            let of_step = self.flow.outcomes.get(caller).into_iter().flat_map(|outcome| {
                outcome.called.iter().filter(move |(at, _)| *at == step).map(|(_, callee)| *callee)
            });
            let is_direct =
                matches!(project.function(caller).steps[step as usize].kind, StepKind::Call { .. });
            if !is_direct || of_step.into_iter().any(|callee| callee != id) || caller == id {
                return Err(UNSEEN);
            }
        }
        Ok(calls)
    }

    /// Whether a name that is read is the callee of a known call, or something else than the function.
    fn is_known_read(
        &self,
        id: FunctionId,
        reader: FunctionId,
        step: StepId,
        calls: &BTreeSet<(FunctionId, StepId)>,
    ) -> bool {
        let project = self.project;
        let (function, callee) = (project.function(reader), project.function(id));
        let is_method = callee.class.is_some();
        // A bare name is no method, and a name of the scope is no function of another module.
        if let StepKind::Name(name) = function.steps[step as usize].kind
            && (is_method || project.symbol_in(reader, name) != Some(crate::project::Symbol::Function(id)))
        {
            return true;
        }
        let call =
            (step..).zip(&function.steps[step as usize..]).find_map(|(number, other)| match &other.kind {
                StepKind::Call { callee, arguments } if *callee == step => Some((number, arguments)),
                _ => None,
            });
        let Some((call, arguments)) = call else {
            // A column or an attribute of the same name is no method, unless something is done with the method itself.
            return !is_method
                && project.symbol_of(reader, step) != Some(crate::project::Symbol::Function(id));
        };
        let called = self.flow.outcomes.get(reader).map(|outcome| &outcome.called);
        let is_resolved = called.is_some_and(|called| called.iter().any(|(at, _)| *at == call));
        calls.contains(&(reader, call)) || is_resolved || !fits(callee, arguments)
    }
}

/// Whether a function can be called with these arguments.
fn fits(function: &crate::facts::Function, arguments: &[Argument]) -> bool {
    let is_bound = function.class.is_some() && !decorated(&function.decorators, "staticmethod");
    let params = &function.params[usize::from(is_bound && !function.params.is_empty())..];
    let is_open = |kind: ParamKind| params.iter().any(|param| param.kind == kind);
    let spreads = arguments
        .iter()
        .any(|argument| matches!(argument.kind, ArgumentKind::Spread | ArgumentKind::SpreadKeywords));
    let plain = arguments.iter().filter(|argument| argument.kind == ArgumentKind::Plain).count();
    let places = params.iter().filter(|param| param.kind == ParamKind::Plain).count();
    let is_named = |argument: &Argument| match argument.kind {
        ArgumentKind::Keyword(name) => {
            params.iter().any(|param| param.name == name) || is_open(ParamKind::RestKeywords)
        }
        _ => true,
    };
    let needed = params
        .iter()
        .filter(|param| {
            matches!(param.kind, ParamKind::Plain | ParamKind::KeywordOnly) && param.default.is_none()
        })
        .count();
    (plain <= places || is_open(ParamKind::Rest))
        && arguments.iter().all(is_named)
        && (spreads || arguments.len() >= needed)
}
