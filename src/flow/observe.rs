//! flow/observe: what the flow engine saw, in the words of the vocabulary.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use crate::duty::{Duty, Operation, Standing};
use crate::facts::{Function, StepId, StepKind};
use crate::name::Name;
use crate::project::{ClassId, FileId, FunctionId, Mapping, Project, Symbol};
use crate::remedy::{Binding, Deed, Remedy};
use crate::source::Span;
use crate::vocabulary::Observation;

use super::clause::{self, Unreachable};
use super::dependency::depends_on;
use super::life::Loss;
use super::name_use::name_uses;
use super::object::decorated;
use super::outcome::{ExpiredRead, Phantom};
use super::verdict::{Judgement, judgements, sees_session};
use super::{Flow, library};
use handler::Fates;
use mend::{Customs, Habits};

mod ambient;
mod behind;
mod handler;
mod kept;
mod ledger;
mod limit;
mod mend;
mod nothing;
mod repeated;
mod saved;
mod shared;
mod stored;
mod task;
mod trail;
mod untold;
mod waiting;

pub use untold::Telling;

/// What messages call things that the code does not name.
#[derive(Clone, Debug)]
pub struct Naming {
    /// The expression that reads the clock.
    pub clock: String,
    /// Whether somebody chose that clock.
    pub is_clock_chosen: bool,
    /// Import paths that have other names now, with those names.
    pub renamed: BTreeMap<String, String>,
    /// Models whose rows are only ever added, dotted.
    pub append_only: Vec<String>,
    /// The audit context's class, by its own name or its dotted path.
    pub context: String,
}

/// Everything that was seen: observations for the rules, and all writes.
///
/// What nobody asks for, by its words, need not be among the observations.
pub fn observe(
    project: &Project,
    flow: &Flow,
    naming: &Naming,
    is_asked: &(dyn Fn(&Observation) -> bool + Sync),
) -> (Vec<Observation>, Vec<Judgement>) {
    let observer = Observer::new(project, flow, naming, is_asked);
    let judgements = judgements(project, flow);
    let of_writes: Vec<Vec<Observation>> = judgements.par_iter().map(|one| observer.write(one)).collect();
    let mut seen = said_once(of_writes.into_iter().flatten().collect());
    let fates = observer.fates();
    let functions = project.function_ids();
    let of_functions: Vec<Vec<Observation>> =
        functions.par_iter().map(|&id| observer.function(id, &fates)).collect();
    seen.extend(of_functions.into_iter().flatten());
    seen.extend(observer.trail());
    // What these look for is possible only where types and lifetimes are not checked, or in libraries of Python.
    let mut of_python = observer.early();
    of_python.extend(observer.page_sizes());
    of_python.extend(observer.comparisons());
    of_python.extend(observer.ambients());
    of_python.extend(observer.carriers());
    of_python.extend(observer.repeated(&judgements));
    of_python.retain(|one| !project.is_rust(FileId(one.file as u32)));
    seen.extend(of_python);
    seen.extend(project.stale_imports(&naming.renamed).iter().map(|stale| observer.stale(stale)));
    seen.extend(once(observer.ledger(&judgements)));
    seen.extend(once(observer.libraries()));
    (seen, judgements)
}

/// By model: in how many functions its changes are told of, and in how many they are not.
pub fn telling(project: &Project, flow: &Flow, naming: &Naming) -> BTreeMap<ClassId, Telling> {
    Observer::new(project, flow, naming, &|_| false).telling()
}

/// The code of a `finally` is in the outline once for each way into it; what is seen there is told once.
fn once(mut seen: Vec<Observation>) -> Vec<Observation> {
    let mut told = BTreeSet::new();
    seen.retain(|one| told.insert((one.file, one.span, one.words.clone())));
    seen
}

/// A place that writes rows of several models, one after the other or whichever it is handed, is one place to mend: what
/// is the same of them all is told once, with all their names.
fn said_once(writes: Vec<Observation>) -> Vec<Observation> {
    let mut places = BTreeMap::new();
    let mut seen: Vec<(Observation, Vec<String>)> = Vec::new();
    for mut write in writes {
        let entity = write.texts.remove("entity").unwrap_or_default();
        let what = (write.operation, write.words.clone(), write.texts.clone());
        let at = *places.entry((write.file, write.span, what)).or_insert(seen.len());
        match seen.get_mut(at) {
            Some((first, entities)) => {
                first.related.extend(write.related);
                first.related.dedup();
                if !entities.contains(&entity) {
                    entities.push(entity);
                }
            }
            None => seen.push((write, vec![entity])),
        }
    }
    let named = |(mut write, entities): (Observation, Vec<String>)| {
        // The page puts the marks around the first and the last of them.
        let names = match entities.split_last() {
            Some((last, before)) if !before.is_empty() => format!("{}` and `{last}", before.join("`, `")),
            _ => entities.concat(),
        };
        write.show("entity", names);
        write
    };
    seen.into_iter().map(named).collect()
}

pub(super) struct Observer<'a> {
    pub(super) project: &'a Project,
    pub(super) flow: &'a Flow,
    pub(super) naming: &'a Naming,
    /// Whether somebody has a use for what was seen, by its words alone.
    is_asked: &'a (dyn Fn(&Observation) -> bool + Sync),
    habits: OnceLock<Habits>,
    customs: OnceLock<Customs>,
    /// The class of the audit context, where it is one alone.
    contexts: OnceLock<Option<ClassId>>,
    /// Attributes that some code stores.
    stored: OnceLock<FxHashSet<Name>>,
}

impl<'a> Observer<'a> {
    fn new(
        project: &'a Project,
        flow: &'a Flow,
        naming: &'a Naming,
        is_asked: &'a (dyn Fn(&Observation) -> bool + Sync),
    ) -> Observer<'a> {
        Observer {
            project,
            flow,
            naming,
            is_asked,
            habits: OnceLock::new(),
            customs: OnceLock::new(),
            contexts: OnceLock::new(),
            stored: OnceLock::new(),
        }
    }

    /// What is seen of a function by itself.
    fn function(&self, id: FunctionId, fates: &Fates) -> Vec<Observation> {
        let (project, mut seen) = (self.project, Vec::new());
        let Some(outcome) = self.flow.outcomes.get(id) else { return seen };
        for (&step, phantom) in &outcome.phantoms {
            seen.push(self.phantom(id, step, phantom));
        }
        seen.extend(self.stamps(id));
        seen.extend(self.saves(id));
        if project.is_rust(id.file) {
            // Names are bound, clauses reached and sessions mended by the compiler's leave, or not at all.
            let dead = vec![None; project.function(id).handlers.len()];
            seen.extend(self.handlers(id, fates, &dead));
            return seen;
        }
        let dead = clause::unreachable(project, id);
        seen.extend(self.handlers(id, fates, &dead));
        seen.extend(self.waiting(id));
        for name_use in name_uses(project, id, self.context_name()) {
            seen.push(self.name(&name_use, &dead));
        }
        seen.extend(self.read(id));
        seen.extend(self.times(id));
        seen.extend(self.shared(id));
        for (&step, read) in &outcome.expired {
            seen.push(self.expired(id, step, read));
        }
        seen
    }

    pub(super) fn at(&self, id: FunctionId, span: Span) -> Observation {
        let function = self.project.function(id);
        let mut seen = Observation {
            file: id.file.0 as usize,
            span,
            function: function.qualname.clone(),
            ..Observation::default()
        };
        seen.show("function", function.name.as_str());
        seen.show("clock", self.naming.clock.clone());
        seen
    }

    pub(super) fn span(&self, id: FunctionId, step: StepId) -> Span {
        self.project
            .function(id)
            .steps
            .get(step as usize)
            .map_or(self.project.function(id).name_span, |s| s.span)
    }

    fn write(&self, judgement: &Judgement) -> Vec<Observation> {
        let project = self.project;
        let (id, model) = (judgement.function, judgement.model);
        let mut base = self.at(id, self.span(id, judgement.step));
        base.operation = Some(judgement.operation);
        base.entity = Some(project.entity_name(model).to_string());
        base.say("write", judgement.operation.word());
        base.switch("row-removed", judgement.removes);
        for duty in Duty::ALL {
            if project.owes(model, duty) {
                base.say("model-has", duty.word());
            }
        }
        if judgement.removes {
            if !(self.is_asked)(&base) {
                return Vec::new();
            }
            self.show_write(&mut base, judgement);
            self.show_role(&mut base, model, Duty::DeletedAt);
            base.show("setter", self.setter(model, Duty::DeletedBy));
            return vec![base];
        }
        let of_duty = |&(duty, standing): &(Duty, Standing)| {
            let mut seen = base.clone();
            seen.say("duty", duty.word());
            seen.say("state", standing.word());
            if self.fills_on_update_only(judgement, duty) {
                seen.switch("null-until-update", true);
            }
            if !(self.is_asked)(&seen) {
                return None;
            }
            self.show_write(&mut seen, judgement);
            seen.show("doubt", if standing == Standing::Unknown { "perhaps " } else { "" });
            seen.show("filled", if standing == Standing::Covered { ", which a default fills" } else { "" });
            self.show_role(&mut seen, model, duty);
            if let (Standing::Missing, Some((other, step))) = (standing, judgement.drifts[duty.index()]) {
                let (what, span) =
                    ("the migration makes the column without the default", self.span(other, step));
                seen.related.push((what.into(), other.file.0 as usize, span));
            }
            if let (Standing::Missing, Some((other, step))) = (standing, judgement.elsewhere[duty.index()]) {
                let span = self.span(other, step);
                seen.related.push(("some paths set it here, not all".into(), other.file.0 as usize, span));
            }
            if let Some(step) = judgement.places[duty.index()] {
                seen.span = self.span(id, step);
            }
            if standing != Standing::Set {
                match self.actors_for(judgement, duty) {
                    _ if !duty.is_actor() => seen.remedies = self.stamps_for(judgement, duty),
                    Ok(remedies) => seen.remedies = remedies,
                    Err(why) => seen.hindrance = Some(why),
                }
            }
            Some(seen)
        };
        judgement.duties.iter().filter_map(of_duty).collect()
    }

    /// What is shown of a write, whatever it owes.
    fn show_write(&self, seen: &mut Observation, judgement: &Judgement) {
        let project = self.project;
        let (id, model) = (judgement.function, judgement.model);
        seen.show("entity", project.entity_name(model).as_str());
        seen.show("writes", judgement.operation.verb());
        seen.show("row", self.row_text(id, judgement.step));
        if project.is_rust(id.file) {
            let is_wrapped = project.mapping(model) == Some(Mapping::SeaOrm);
            seen.show("clock", if is_wrapped { "Set(Utc::now())" } else { "Utc::now()" });
        }
        if let Some((other, step)) = judgement.within {
            seen.related.push(("changed here".into(), other.file.0 as usize, self.span(other, step)));
        }
        if let Some((other, step)) = judgement.published {
            let span = self.span(other, step);
            if other.file != id.file || span != seen.span {
                seen.related.push(("the row becomes visible here".into(), other.file.0 as usize, span));
            }
        }
    }

    /// Whether a create leaves a column to its first update, and to that alone.
    fn fills_on_update_only(&self, judgement: &Judgement, duty: Duty) -> bool {
        let Some(model) = self.project.model(judgement.model) else { return false };
        let fields = model.fields_of(self.project, duty);
        let waits = |name: &crate::name::Name| {
            let column = model.columns[name];
            column.on_update && !column.server_default && !column.default
        };
        judgement.operation == Operation::Create && !fields.is_empty() && fields.iter().all(waits)
    }

    fn show_role(&self, seen: &mut Observation, model: ClassId, duty: Duty) {
        let fields = self.project.model(model).map(|m| m.fields_of(self.project, duty)).unwrap_or_default();
        let field = fields.first().map_or(duty.word(), |name| name.as_str());
        seen.show("field", field);
        seen.show("setter", self.setter(model, duty));
    }

    fn setter(&self, model: ClassId, duty: Duty) -> &'static str {
        match self.project.setter(model, duty) {
            Some(name) => name.as_str(),
            None => match duty {
                Duty::CreatedBy => "set_created_by",
                Duty::DeletedBy => "set_deleted_by",
                _ => "set_updated_by",
            },
        }
    }

    /// The expression that holds the row a step is about.
    fn row_text(&self, id: FunctionId, step: StepId) -> String {
        let function = self.project.function(id);
        let text = |step: StepId| {
            let span = function.steps.get(step as usize)?.span;
            let text = self.project.file(id.file).source.slice(span);
            (text.len() <= 60 && !text.contains('\n')).then(|| text.to_owned())
        };
        let bound_to = |value: StepId| {
            // A value is bound behind the step that makes it.
            function.steps[value as usize..].iter().find_map(|step| match step.kind {
                StepKind::Bind { name, value: bound, .. } if bound == value => Some(name.to_string()),
                _ => None,
            })
        };
        let found = match function.steps.get(step as usize).map(|step| &step.kind) {
            Some(StepKind::Store { of, .. }) => text(*of),
            Some(StepKind::Call { callee, arguments }) => bound_to(step).or_else(|| {
                let callee = match function.steps[*callee as usize].kind {
                    StepKind::Attribute { of, .. } => Some(of),
                    _ => None,
                };
                let is_name = |step: StepId| matches!(function.steps[step as usize].kind, StepKind::Name(_));
                let argument = arguments.iter().map(|argument| argument.value).find(|value| is_name(*value));
                argument.or(callee).and_then(text)
            }),
            _ => None,
        };
        found.unwrap_or_else(|| "row".into())
    }

    fn phantom(&self, id: FunctionId, step: StepId, phantom: &Phantom) -> Observation {
        let mut seen = self.at(id, self.span(id, step));
        seen.entity = Some(self.project.entity_name(phantom.model).to_string());
        seen.say("store", "phantom");
        seen.say("by", phantom.by);
        seen.show("entity", self.project.entity_name(phantom.model).as_str());
        seen.show("field", phantom.field.as_str());
        seen.show("row", self.row_text(id, step));
        let note = match self.project.owes(phantom.model, phantom.duty) {
            true => format!(", and `{}` stays undone", phantom.duty.word()),
            false => String::new(),
        };
        seen.show("duty-note", note);
        let fields = self.project.model(phantom.model).map(|m| m.fields_of(self.project, phantom.duty));
        let nearest = fields.and_then(|fields| fields.first().copied());
        seen.show("nearest-note", nearest.map_or(String::new(), |name| format!(": `{name}`")));
        seen.remedies.extend(self.meant_field(id, step, phantom));
        seen
    }

    pub(super) fn source_text(&self, id: FunctionId, step: StepId) -> &str {
        self.project.file(id.file).source.slice(self.span(id, step))
    }

    fn name(&self, name_use: &super::name_use::NameUse, dead: &[Option<Unreachable>]) -> Observation {
        let mut seen = self.at(name_use.function, self.span(name_use.function, name_use.step));
        seen.say("name", name_use.state);
        seen.say("used-as", name_use.used_as);
        seen.show("name", name_use.name.as_str());
        seen.show("attribute", name_use.attribute.map_or("…", |name| name.as_str()));
        if let Some(handler) = name_use.handler {
            seen.switch("clause-reached", dead[handler as usize].is_none());
        }
        let what = if name_use.state == "module" { "the module" } else { "bound to nothing" };
        seen.show("what", what);
        let import = self.import_for(name_use);
        let statement = import.as_ref().map(Binding::statement);
        seen.show("import", statement.unwrap_or_else(|| format!("from … import {}", name_use.name)));
        if let Some(import) = import.filter(|_| name_use.state == "unresolved") {
            let title = format!("Add `{}`", import.statement());
            let act = Observer::act(name_use.function, Deed::Bind(import));
            seen.remedies.push(Remedy::new("import", title, vec![act]));
        }
        seen
    }

    /// The import that would bind a name: from the project where its definition is unique, else as known.
    fn import_for(&self, name_use: &super::name_use::NameUse) -> Option<Binding> {
        let name = name_use.name;
        if name_use.used_as == "clock" {
            return Some(name_use.import());
        }
        if name_use.used_as == "audit-context"
            && let Some((module, class)) = self.naming.context.rsplit_once('.')
        {
            return Some(Binding::item(module, class));
        }
        self.exception_binding(name)
    }

    /// The import of an exception, or of whatever goes by a name: as the program has it elsewhere, else as known.
    fn exception_binding(&self, name: Name) -> Option<Binding> {
        if let Some(usual) = self.usual_binding(name) {
            return Some(usual);
        }
        if !library::catches_database_errors(&name) {
            return None;
        }
        let is_django = self.habits().knows("django") && !self.habits().knows("sqlalchemy");
        Some(Binding::item(if is_django { "django.db" } else { "sqlalchemy.exc" }, name.as_str()))
    }

    fn habits(&self) -> &Habits {
        self.habits.get_or_init(|| Habits::of(self.project))
    }

    /// The decision a function makes over a column of a row it was handed.
    fn read(&self, id: FunctionId) -> Option<Observation> {
        let outcome = &self.flow.outcomes[id];
        let function = self.project.function(id);
        let (&step, &(param, field)) =
            outcome.reads.iter().find(|(step, _)| outcome.decisions.contains(step))?;
        let is_entry = function
            .params
            .iter()
            .any(|param| param.default.as_ref().is_some_and(|d| depends_on(d).is_some()))
            || !function.decorators.is_empty() && !decorated(&function.decorators, "staticmethod");
        // A method of the row itself is the row's own business.
        let is_own =
            param == 0 && function.class.is_some() && !decorated(&function.decorators, "staticmethod");
        if is_entry || is_own {
            return None;
        }
        let mut seen = self.at(id, self.span(id, step));
        seen.say("read", "row-parameter");
        seen.say("decides", "authorization");
        let owner = self.project.class_of(id);
        let in_reach = sees_session(outcome) || owner.is_some_and(|class| self.has_session(class));
        seen.switch("session-in-reach", in_reach || self.takes_session(function, id));
        seen.show("row", function.params.get(param as usize).map_or("row", |param| param.name.as_str()));
        seen.show("field", field.as_str());
        Some(seen)
    }

    /// A read of a value that is not there any more.
    fn expired(&self, id: FunctionId, step: StepId, read: &ExpiredRead) -> Observation {
        let mut seen = self.at(id, self.span(id, step));
        seen.entity = Some(self.project.entity_name(read.model).to_string());
        seen.say("read", "expired");
        seen.say("loss", if read.loss == Loss::Raises { "raises" } else { "lost" });
        seen.say("row-from", if read.is_certain { "session" } else { "caller" });
        let row = match &self.project.function(id).steps[step as usize].kind {
            StepKind::Attribute { of, .. } => format!("`{}`", self.source_text(id, *of)),
            _ => format!("a `{}`", self.project.entity_name(read.model)),
        };
        seen.show("row", row);
        seen.show("field", read.name.as_str());
        seen.show(
            "happens",
            match read.loss {
                Loss::Raises => "it raises",
                Loss::Lost => "its `__dict__` answers `None`",
            },
        );
        seen.show("entity", self.project.entity_name(read.model).as_str());
        if let Some(since) = read.since {
            seen.related.push(("it expired here".into(), id.file.0 as usize, self.span(id, since)));
        }
        seen.remedies.extend(self.hoisted(id, step, read));
        if let Some((other, step)) = read.within {
            seen.related.push(("it is read here".into(), other.file.0 as usize, self.span(other, step)));
        }
        seen
    }

    fn takes_session(&self, function: &Function, id: FunctionId) -> bool {
        function.params.iter().any(|param| {
            library::names_session(&param.name)
                || matches!(&param.annotation, Some(crate::facts::Term::Path(path))
                    if matches!(self.project.resolve_path(id.file, *path), Some(Symbol::External(path))
                        if matches!(path.last(), "AsyncSession" | "Session")))
        })
    }

    fn has_session(&self, class: ClassId) -> bool {
        let classes: Vec<ClassId> = self.project.hierarchy(class).classes().collect();
        classes.iter().any(|class| {
            self.project.class(*class).methods.iter().any(|&(_, index)| {
                let id = FunctionId { file: class.file, index: index as u32 };
                self.takes_session(self.project.function(id), id)
                    || self.flow.outcomes.get(id).is_some_and(|outcome| outcome.sees_session)
            })
        })
    }
}
