//! project/audit/call: calls that make audit rows, look them up or log through a helper, and what is wrong with them.

use std::collections::BTreeSet;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::{Argument, ArgumentKind, Literal, ParamKind, StepId, StepKind, Term};
use crate::name::Name;
use crate::project::{ClassId, FunctionId, Project, Symbol, To, leaves_calls_alone};

use super::action::{self, Unfit};
use super::query::{Query, Reader, keywords, names_of};

/// How often it is asked who hands an action on; nobody builds higher towers of helpers.
const ROUNDS: usize = 4;

/// What is wrong with calls that have to do with audit rows.
#[derive(Clone, Debug, Default)]
pub struct AuditFaults {
    /// Names that the model or helper does not have.
    pub strange: Vec<Strange>,
    /// Actions that the model does not know.
    pub actions: Vec<StrangeAction>,
    /// Rows that are made beside the logging method of their model.
    pub direct: Vec<Direct>,
    /// Functions whose own code makes audit rows, or that the settings call emitters.
    pub makers: BTreeSet<FunctionId>,
}

impl AuditFaults {
    fn add(&mut self, more: AuditFaults) {
        self.strange.extend(more.strange);
        self.actions.extend(more.actions);
        self.direct.extend(more.direct);
        self.makers.extend(more.makers);
    }
}

/// A call that hands over names which its taker does not have.
#[derive(Clone, Debug)]
pub struct Strange {
    /// The function whose code calls.
    pub function: FunctionId,
    /// The call.
    pub step: StepId,
    /// The audit model.
    pub model: ClassId,
    /// The names.
    pub names: Vec<Name>,
    /// The names that it has.
    pub known: BTreeSet<Name>,
    /// Who takes them.
    pub taker: Taker,
}

/// Who takes the names that a call hands over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taker {
    /// A new row.
    Row,
    /// A query.
    Query,
    /// A function that logs.
    Helper(FunctionId),
}

/// An action that the column for it does not know.
#[derive(Clone, Debug)]
pub struct StrangeAction {
    /// The function whose code hands it over.
    pub function: FunctionId,
    /// Where the text stands.
    pub step: StepId,
    /// The audit model.
    pub model: ClassId,
    /// The column.
    pub column: Name,
    /// The text.
    pub text: Name,
    /// What is wrong with it.
    pub unfit: Unfit,
    /// Whether a query looks for it; else a row is made with it.
    pub is_looked_up: bool,
}

/// An audit row that is made beside the logging method of its model.
#[derive(Clone, Copy, Debug)]
pub struct Direct {
    /// The function whose code makes it.
    pub function: FunctionId,
    /// The call.
    pub step: StepId,
    /// The audit model.
    pub model: ClassId,
    /// The logging method.
    pub method: FunctionId,
}

impl Project {
    /// The methods of an audit model, or of its managers, that make a row of it: the way that its authors mean.
    pub fn logging_methods(&self, model: ClassId) -> Vec<FunctionId> {
        let Some(django) = self.django(model) else { return Vec::new() };
        let managers = django.managers.values().flat_map(|manager| manager.classes.iter().copied());
        let wanted = names_of(self, &[model]);
        let mut found: BTreeSet<FunctionId> = BTreeSet::new();
        for class in self.hierarchy(model).classes().chain(managers) {
            for &(name, index) in &self.class(class).methods {
                let id = FunctionId { file: class.file, index: index as u32 };
                let is_way_of_django = name.starts_with("__") || makes_rows(&name) || &*name == "save";
                if !is_way_of_django && makes_row_of(&Reader::new(self, id, &wanted), model) {
                    found.insert(id);
                }
            }
        }
        found.into_iter().collect()
    }

    /// Whether the own code of one of some functions has a manager of Django make a row of a model that goes by one of
    /// these names.
    pub fn make_rows(&self, functions: &[FunctionId], names: &FxHashSet<Name>) -> bool {
        let makes = |id: &FunctionId| {
            let reader = Reader::new(self, *id, names);
            let steps = 0..reader.function.steps.len() as StepId;
            steps.into_iter().any(|step| {
                let StepKind::Call { callee, .. } = reader.kind(step) else { return false };
                let StepKind::Attribute { of, name } = reader.kind(*callee) else { return false };
                let is_way = makes_rows(name) || matches!(&**name, "bulk_create" | "abulk_create");
                is_way && reader.query(*of).is_some()
            })
        };
        functions.iter().any(makes)
    }

    /// The names under which models of Django are known anywhere.
    pub fn names_of_rows(&self) -> FxHashSet<Name> {
        let models: Vec<ClassId> =
            self.class_ids().into_iter().filter(|&class| self.django(class).is_some()).collect();
        names_of(self, &models)
    }

    /// What is wrong with calls that have to do with audit rows of Django.
    pub fn audit_faults(&self) -> AuditFaults {
        let models: Vec<ClassId> = self
            .class_ids()
            .into_iter()
            .filter(|&class| self.django(class).is_some() && self.is_audit_model(class))
            .collect();
        let mut faults = AuditFaults::default();
        faults.makers.extend(self.function_ids().into_iter().filter(|&id| self.is_emitter(id)));
        if models.is_empty() {
            return faults;
        }
        let wanted = names_of(self, &models);
        let ledger = Ledger::new(self, models, &wanted);
        let look = |id: FunctionId| {
            let mut faults = AuditFaults::default();
            Page { ledger: &ledger, reader: Reader::new(self, id, &wanted) }.look(&mut faults);
            faults
        };
        let all: Vec<AuditFaults> = self.function_ids().into_par_iter().map(look).collect();
        all.into_iter().for_each(|found| faults.add(found));
        faults.strange = one_a_chain(self, faults.strange);
        faults
    }
}

/// What has to be known of all functions before one can be looked at.
struct Ledger<'p> {
    project: &'p Project,
    models: FxHashSet<ClassId>,
    wanted: &'p FxHashSet<Name>,
    loggers: FxHashMap<ClassId, Vec<FunctionId>>,
    /// By function: the parameter that becomes the action of a row, and the row's model.
    carriers: FxHashMap<FunctionId, (u32, ClassId)>,
    /// Functions that log, with the model of their rows.
    helpers: FxHashMap<FunctionId, ClassId>,
    helper_names: FxHashSet<Name>,
}

impl<'p> Ledger<'p> {
    fn new(project: &'p Project, models: Vec<ClassId>, wanted: &'p FxHashSet<Name>) -> Ledger<'p> {
        let loggers: FxHashMap<ClassId, Vec<FunctionId>> =
            models.iter().map(|&model| (model, project.logging_methods(model))).collect();
        let mut helpers: FxHashMap<FunctionId, ClassId> = FxHashMap::default();
        for &model in &models {
            helpers.extend(loggers[&model].iter().map(|&logger| (logger, model)));
        }
        let mut ledger = Ledger {
            project,
            models: models.into_iter().collect(),
            wanted,
            loggers,
            carriers: FxHashMap::default(),
            helpers,
            helper_names: FxHashSet::default(),
        };
        ledger.find_carriers();
        ledger
    }

    /// Follows parameters that become actions, from the functions that make rows to those that call them.
    fn find_carriers(&mut self) {
        for round in 0..ROUNDS {
            self.helper_names = self.helpers.keys().map(|&id| self.project.function(id).name).collect();
            let ledger = &*self;
            let carried = |id: FunctionId| {
                if ledger.project.function(id).params.is_empty() || ledger.carriers.contains_key(&id) {
                    return None;
                }
                let page = Page { ledger, reader: Reader::new(ledger.project, id, ledger.wanted) };
                page.carried().map(|carried| (id, carried))
            };
            let all = self.project.function_ids().into_par_iter();
            let news: Vec<(FunctionId, (u32, ClassId))> = all.filter_map(carried).collect();
            if news.is_empty() && round > 0 {
                break;
            }
            for (id, (param, model)) in news {
                self.carriers.insert(id, (param, model));
                self.helpers.entry(id).or_insert(model);
            }
        }
    }
}

/// One function of the program.
struct Page<'l, 'p> {
    ledger: &'l Ledger<'p>,
    reader: Reader<'p>,
}

/// A text that is handed to the column of a model that says what was done.
struct Said {
    model: ClassId,
    value: StepId,
    is_looked_up: bool,
}

impl Page<'_, '_> {
    fn project(&self) -> &Project {
        self.reader.project
    }

    fn is_ours(&self, model: ClassId) -> bool {
        self.ledger.models.contains(&model)
    }

    fn look(&self, faults: &mut AuditFaults) {
        for (step, call) in (0..).zip(&self.reader.function.steps) {
            let StepKind::Call { callee, arguments } = &call.kind else { continue };
            if let Some(model) = row_made(&self.reader, step, &|model| self.is_ours(model)) {
                faults.makers.insert(self.reader.id);
                self.names_of_row(step, model, arguments, faults);
                self.direct(step, model, faults);
            } else if let Some((query, method)) = self.query_call(*callee) {
                self.names_of_query(step, &query, method, arguments, faults);
            } else if let Some((helper, _)) = self.helper(*callee) {
                self.names_of_helper(step, helper, arguments, faults);
            }
            for said in self.said(step) {
                self.judge(&said, faults);
            }
        }
    }

    /// The parameter of this function that becomes the action of an audit row.
    fn carried(&self) -> Option<(u32, ClassId)> {
        let function = self.reader.function;
        let param = |step: StepId| {
            let StepKind::Name(name) = self.reader.kind(step) else { return None };
            let place = function.params.iter().position(|param| {
                param.name == *name && matches!(param.kind, ParamKind::Plain | ParamKind::KeywordOnly)
            })?;
            self.reader.bound(*name).is_empty().then_some(place as u32)
        };
        let steps = 0..function.steps.len() as StepId;
        steps
            .flat_map(|step| self.said(step))
            .filter(|said| !said.is_looked_up)
            .find_map(|said| Some((param(said.value)?, said.model)))
    }

    /// What a call says that was done.
    fn said(&self, step: StepId) -> Vec<Said> {
        let StepKind::Call { callee, arguments } = self.reader.kind(step) else { return Vec::new() };
        let column = |model| action::action_column(self.project(), model).map(|(name, _)| name);
        if let Some(model) = row_made(&self.reader, step, &|model| self.is_ours(model)) {
            let Some(column) = column(model) else { return Vec::new() };
            let said = |(_, value)| Said { model, value, is_looked_up: false };
            return keywords(arguments).filter(|(name, _)| *name == column).map(said).collect();
        }
        if let Some((query, _)) = self.query_call(*callee) {
            let Some((model, column)) = query.model.and_then(|model| Some((model, column(model)?))) else {
                return Vec::new();
            };
            let of_keyword = |(name, value): (Name, StepId)| {
                let rest = name.strip_prefix(&*column)?;
                match (rest, self.reader.kind(value)) {
                    ("" | "__exact", _) => Some(vec![value]),
                    ("__in", StepKind::List(items)) => Some(items.to_vec()),
                    _ => None,
                }
            };
            let values = keywords(arguments).filter_map(of_keyword).flatten();
            return values.map(|value| Said { model, value, is_looked_up: true }).collect();
        }
        let Some((helper, offset)) = self.helper(*callee) else { return Vec::new() };
        let Some(&(param, model)) = self.ledger.carriers.get(&helper) else { return Vec::new() };
        let name = self.project().function(helper).params[param as usize].name;
        let by_name = keywords(arguments).find(|(keyword, _)| *keyword == name).map(|(_, value)| value);
        let place = (param as usize).checked_sub(offset);
        let is_plain = |argument: &&Argument| argument.kind == ArgumentKind::Plain;
        let has_spread = arguments.iter().any(|argument| argument.kind == ArgumentKind::Spread);
        let by_place = || arguments.iter().filter(is_plain).nth(place?).map(|argument| argument.value);
        let value = by_name.or_else(|| if has_spread { None } else { by_place() });
        value.map(|value| Said { model, value, is_looked_up: false }).into_iter().collect()
    }

    fn judge(&self, said: &Said, faults: &mut AuditFaults) {
        let Some((column, field)) = action::action_column(self.project(), said.model) else { return };
        let Some(texts) = self.reader.texts(said.value) else { return };
        for (text, step) in texts {
            if let Some(unfit) = action::unfit(field, text) {
                let (function, model, is_looked_up) = (self.reader.id, said.model, said.is_looked_up);
                faults.actions.push(StrangeAction {
                    function,
                    step,
                    model,
                    column,
                    text,
                    unfit,
                    is_looked_up,
                });
            }
        }
    }

    fn direct(&self, step: StepId, model: ClassId, faults: &mut AuditFaults) {
        let project = self.project();
        // A method that decides for itself what happened is there for that alone.
        let takes_action = |method: &&FunctionId| {
            action::action_column(project, model).is_none() || self.ledger.carriers.contains_key(method)
        };
        let Some(&method) = self.ledger.loggers[&model].iter().find(takes_action) else { return };
        let managers = project.django(model).into_iter().flat_map(|django| django.managers.values());
        let own: Vec<ClassId> = project
            .hierarchy(model)
            .classes()
            .chain(managers.flat_map(|manager| manager.classes.iter().copied()))
            .collect();
        let stands_within = self.reader.own_class().is_some_and(|class| own.contains(&class));
        let StepKind::Call { callee, .. } = self.reader.kind(step) else { return };
        // No logging method makes many rows at once, or looks first whether there is one.
        let is_single = match self.reader.kind(*callee) {
            StepKind::Attribute { name, .. } => matches!(&**name, "create" | "acreate") || !makes_rows(name),
            _ => true,
        };
        if stands_within || !is_single || self.makes_many(model) || project.is_emitter(self.reader.id) {
            return;
        }
        faults.direct.push(Direct { function: self.reader.id, step, model, method });
    }

    /// Whether the function stores many rows of a model at once.
    fn makes_many(&self, model: ClassId) -> bool {
        let (steps, reader) = (0..self.reader.function.steps.len() as StepId, &self.reader);
        steps.into_iter().any(|step| {
            let StepKind::Call { callee, .. } = reader.kind(step) else { return false };
            let StepKind::Attribute { of, name } = reader.kind(*callee) else { return false };
            name.ends_with("bulk_create") && reader.query(*of).is_some_and(|query| query.model == Some(model))
        })
    }

    fn names_of_row(&self, step: StepId, model: ClassId, arguments: &[Argument], faults: &mut AuditFaults) {
        let Some(known) = row_names(self.project(), model) else { return };
        let StepKind::Call { callee, .. } = self.reader.kind(step) else { return };
        let method = match self.reader.kind(*callee) {
            StepKind::Attribute { name, .. } if makes_rows(name) => Some(*name),
            _ => None,
        };
        // Its own way to make rows takes what it likes.
        let has_own_constructor = ["__init__", "__new__"]
            .iter()
            .any(|name| self.project().method(model, Name::new(name)).is_some());
        if has_own_constructor || method.is_some_and(|name| self.reader.manager_method(model, name).is_some())
        {
            return;
        }
        let method = method.map_or("", Name::as_str);
        let plain = method.strip_prefix('a').unwrap_or(method);
        let looks_first = matches!(plain, "get_or_create" | "update_or_create");
        let mut names = Vec::new();
        for (name, value) in keywords(arguments) {
            match (looks_first, &*name) {
                (true, "defaults" | "create_defaults") => {
                    names.extend(self.keys(value).into_iter().filter(|key| !known.contains(key)));
                }
                (true, lookup) if lookup.contains("__") => {
                    let first = Name::new(lookup.split("__").next().unwrap_or(lookup));
                    names.extend((!known.contains(&first)).then_some(first));
                }
                _ => names.extend((!known.contains(&name)).then_some(name)),
            }
        }
        self.strange(step, model, names, known, Taker::Row, faults);
    }

    fn names_of_query(
        &self,
        step: StepId,
        query: &Query,
        method: Name,
        arguments: &[Argument],
        faults: &mut AuditFaults,
    ) {
        let Some(model) = query.model.filter(|_| !query.is_open) else { return };
        let Some(mut known) = query_names(self.project(), model) else { return };
        known.extend(&query.names);
        let mut asked = Vec::new();
        let plain = || arguments.iter().filter(|argument| argument.kind == ArgumentKind::Plain);
        match &*method {
            "filter" | "exclude" | "get" | "aget" => {
                asked.extend(keywords(arguments).map(|(name, _)| name));
                plain().for_each(|argument| self.conditions(argument.value, &mut asked, 0));
            }
            "update" | "aupdate" => {
                let Some(columns) = row_names(self.project(), model) else { return };
                let names = keywords(arguments).map(|(name, _)| name);
                let names = names.filter(|name| !columns.contains(name)).collect();
                return self.strange(step, model, names, columns, Taker::Query, faults);
            }
            "order_by" | "values" | "values_list" | "only" | "defer" | "latest" | "earliest" | "distinct" => {
                let text = |argument: &Argument| match self.reader.kind(argument.value) {
                    StepKind::Literal(Literal::Text(text)) => Some(*text),
                    _ => None,
                };
                let name = |text: Name| Name::new(text.trim_start_matches(['-', '+']));
                asked.extend(plain().filter_map(text).map(name).filter(|name| &**name != "?"));
            }
            _ => return,
        }
        let first = |name: Name| Name::new(name.split("__").next().unwrap_or(&name));
        let names = asked.into_iter().map(first).filter(|name| !known.contains(name)).collect();
        self.strange(step, model, names, known, Taker::Query, faults);
    }

    fn names_of_helper(
        &self,
        step: StepId,
        helper: FunctionId,
        arguments: &[Argument],
        faults: &mut AuditFaults,
    ) {
        let function = self.project().function(helper);
        let takes_all = function.params.iter().any(|param| param.kind == ParamKind::RestKeywords);
        // What another decorator makes of the function may take other names.
        if takes_all || !function.decorators.iter().all(leaves_calls_alone) {
            return;
        }
        let known: BTreeSet<Name> = function
            .params
            .iter()
            .filter(|param| param.kind != ParamKind::Rest && !matches!(&*param.name, "self" | "cls"))
            .map(|param| param.name)
            .collect();
        let names = keywords(arguments).map(|(name, _)| name).filter(|name| !known.contains(name)).collect();
        let model = self.ledger.helpers[&helper];
        self.strange(step, model, names, known, Taker::Helper(helper), faults);
    }

    fn strange(
        &self,
        step: StepId,
        model: ClassId,
        mut names: Vec<Name>,
        known: BTreeSet<Name>,
        taker: Taker,
        faults: &mut AuditFaults,
    ) {
        let mut seen = FxHashSet::default();
        names.retain(|&name| seen.insert(name));
        if !names.is_empty() {
            faults.strange.push(Strange { function: self.reader.id, step, model, names, known, taker });
        }
    }

    /// The keys of a dictionary that is written there.
    fn keys(&self, step: StepId) -> Vec<Name> {
        let StepKind::Dictionary(entries) = self.reader.kind(step) else { return Vec::new() };
        let key = |(key, _): &(Option<StepId>, StepId)| match self.reader.kind((*key)?) {
            StepKind::Literal(Literal::Text(text)) => Some(*text),
            _ => None,
        };
        entries.iter().filter_map(key).collect()
    }

    /// The names in `Q(…) | ~Q(…)`.
    fn conditions(&self, step: StepId, asked: &mut Vec<Name>, depth: usize) {
        if depth > 32 {
            return;
        }
        match self.reader.kind(step) {
            StepKind::Compute(parts) | StepKind::Either(parts) => {
                parts.iter().for_each(|&part| self.conditions(part, asked, depth + 1));
            }
            StepKind::Call { callee, arguments } => {
                if let Some(Symbol::External(path)) = self.project().symbol_of(self.reader.id, *callee)
                    && path.last() == "Q"
                {
                    asked.extend(keywords(arguments).map(|(name, _)| name));
                    arguments.iter().for_each(|one| self.conditions(one.value, asked, depth + 1));
                }
            }
            _ => {}
        }
    }

    /// A call on a query set of an audit model, with the method.
    fn query_call(&self, callee: StepId) -> Option<(Query, Name)> {
        let StepKind::Attribute { of, name } = self.reader.kind(callee) else { return None };
        if !asks(name) {
            return None;
        }
        let query = self.reader.query(*of)?;
        query.model.is_some_and(|model| self.is_ours(model)).then_some((query, *name))
    }

    /// The function that a call logs through, and how many of its parameters the receiver fills.
    fn helper(&self, callee: StepId) -> Option<(FunctionId, usize)> {
        let (project, reader) = (self.project(), &self.reader);
        let own_name = match self.reader.kind(callee) {
            StepKind::Name(name) | StepKind::Attribute { name, .. } => *name,
            _ => return None,
        };
        // Imported under another name it is not found; that is rare, and looking at every call is not.
        if !self.ledger.helper_names.contains(&own_name) {
            return None;
        }
        let found = match reader.kind(callee) {
            StepKind::Attribute { of, name } => {
                let is_static = |id: FunctionId, wanted: &str| {
                    let is_it =
                        |decorator: &Term| matches!(decorator, Term::Path(path) if path.last() == wanted);
                    project.function(id).decorators.iter().any(is_it)
                };
                let bound = |id: FunctionId| (id, usize::from(!is_static(id, "staticmethod")));
                let of_self = reader.is_self(*of).then(|| reader.own_class()).flatten();
                let made = match reader.kind(*of) {
                    StepKind::Call { callee, .. } => reader.any_class(*callee),
                    StepKind::Name(_) => match project.symbol_of(reader.id, *of) {
                        Some(Symbol::Variable(file, name)) => match project.declared_call(file, name) {
                            Some(Symbol::Class(class)) => Some(class),
                            _ => None,
                        },
                        _ => None,
                    },
                    _ => None,
                };
                if let Some(class) = of_self.or(made) {
                    project.method(class, *name).map(bound)
                } else if let Some(class) = reader.any_class(*of) {
                    let method = project.method(class, *name)?;
                    Some((method, usize::from(is_static(method, "classmethod"))))
                } else if let Some(model) = reader.query(*of).and_then(|query| query.model) {
                    reader.manager_method(model, *name).map(bound)
                } else {
                    match project.symbol_of(reader.id, callee) {
                        Some(Symbol::Function(id)) => Some((id, 0)),
                        _ => None,
                    }
                }
            }
            _ => match project.symbol_of(reader.id, callee) {
                Some(Symbol::Function(id)) => Some((id, 0)),
                _ => None,
            },
        };
        found.filter(|(id, _)| self.ledger.helpers.contains_key(id))
    }
}

/// The first call of a chain that fails is told, with all the names of the chain: nobody gets to the others.
fn one_a_chain(project: &Project, all: Vec<Strange>) -> Vec<Strange> {
    let mut found: Vec<Strange> = Vec::new();
    for strange in all {
        let start = |one: &Strange| project.function(one.function).steps[one.step as usize].span.start;
        match found.last_mut() {
            Some(last) if last.function == strange.function && start(last) == start(&strange) => {
                let news = strange.names.into_iter().filter(|name| !last.names.contains(name));
                last.names.extend(news.collect::<Vec<_>>());
            }
            _ => found.push(strange),
        }
    }
    found
}

/// Whether a function makes a row of a model.
fn makes_row_of(reader: &Reader<'_>, model: ClassId) -> bool {
    let steps = 0..reader.function.steps.len() as StepId;
    steps.into_iter().any(|step| row_made(reader, step, &|made| made == model).is_some())
}

/// The model of the row that a call makes: a constructor, or a method of a manager.
fn row_made(reader: &Reader<'_>, step: StepId, is_wanted: &dyn Fn(ClassId) -> bool) -> Option<ClassId> {
    let StepKind::Call { callee, .. } = reader.kind(step) else { return None };
    if let StepKind::Attribute { of, name } = reader.kind(*callee)
        && makes_rows(name)
    {
        // `super().create(…)` in a manager's own `create` is the end of another way, not a way of its own.
        return reader.query(*of)?.model.filter(|&model| is_wanted(model));
    }
    reader.class(*callee).filter(|&model| is_wanted(model))
}

/// Names that a new row of a model may be handed; nothing where that cannot be told.
fn row_names(project: &Project, model: ClassId) -> Option<BTreeSet<Name>> {
    let (facts, django) = (project.model(model)?, project.django(model)?);
    if facts.is_open {
        return None;
    }
    let mut names: BTreeSet<Name> = facts.columns.keys().chain(&facts.other_names).copied().collect();
    for (name, field) in &django.fields {
        names.insert(*name);
        if field.relation.is_some_and(|relation| relation.to != To::Many) {
            names.insert(Name::new(&format!("{name}_id")));
        }
    }
    names.extend(["pk", "id"].map(Name::new));
    Some(names)
}

/// Names that a query of a model may ask for.
fn query_names(project: &Project, model: ClassId) -> Option<BTreeSet<Name>> {
    let mut names = row_names(project, model)?;
    for name in project.django(model)?.reverse.keys() {
        names.insert(*name);
        names.extend(name.strip_suffix("_set").map(Name::new));
    }
    Some(names)
}

/// Methods of a manager that make rows.
fn makes_rows(method: &str) -> bool {
    matches!(method.strip_prefix('a').unwrap_or(method), "create" | "get_or_create" | "update_or_create")
}

/// Methods of a query set that take names of columns.
fn asks(method: &str) -> bool {
    matches!(
        method,
        "filter"
            | "exclude"
            | "get"
            | "aget"
            | "update"
            | "aupdate"
            | "order_by"
            | "values"
            | "values_list"
            | "only"
            | "defer"
            | "latest"
            | "earliest"
            | "distinct"
    )
}
