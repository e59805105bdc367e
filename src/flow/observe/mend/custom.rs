//! flow/observe/mend/custom: how a program says who acts, as its own code shows it: what goes into setters and columns, what
//! the audit context is made from, how its variables and parameters are called.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::{Argument, ArgumentKind, Function, Literal, Param, StepId, StepKind, Term};
use crate::name::Name;
use crate::project::{ClassId, FunctionId, Project};

use super::super::Observer;
use super::comes_before;

/// What kind of thing says who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    /// The audit context.
    Context,
    /// A user.
    User,
    /// A text that names a user.
    Text,
}

/// How a value is made from whoever acts: what is written before it and behind it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Form {
    before: String,
    behind: String,
}

impl Form {
    pub(super) fn behind(behind: String) -> Form {
        Form { before: String::new(), behind }
    }

    pub(super) fn of(&self, who: &str) -> String {
        format!("{}{who}{}", self.before, self.behind)
    }
}

/// Someone or something at hand that says who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    /// How it is written.
    pub(super) text: String,
    pub(super) role: Role,
    /// Whether it may be `None`.
    pub(super) is_optional: bool,
    /// Whether it is there from the start of the function.
    pub(super) is_given: bool,
}

/// Where a request keeps its user.
const REQUESTS: &[&str] = &["request.user", "self.request.user"];

/// How often each form is in use, by what it goes into.
type Uses<T> = BTreeMap<(Name, Role), BTreeMap<T, usize>>;

/// How a program says who acts.
#[derive(Debug, Default)]
pub(in super::super) struct Customs {
    /// What the context is made from, by name.
    actors: BTreeSet<Name>,
    /// The methods that make a context of one actor.
    factories: BTreeMap<Name, usize>,
    /// Names that a context is bound to.
    variables: BTreeMap<Name, usize>,
    /// What is handed to setters.
    setters: Uses<Vec<Form>>,
    /// What is put into columns.
    columns: Uses<Form>,
    /// Parameters that are put into columns as they are.
    texts: BTreeSet<Name>,
    /// Paths to the user of a request that are in use.
    requests: BTreeSet<String>,
    /// Annotations of parameters that hand the acting user on.
    annotations: Vec<Option<Term>>,
    /// How many of those parameters are `None` unless they are given.
    defaults: usize,
    /// By function: who calls it, and where.
    pub(super) callers: FxHashMap<FunctionId, BTreeSet<(FunctionId, StepId)>>,
    /// By the name of a function: where it is read, be it as a name or as an attribute.
    pub(super) reads: FxHashMap<Name, Vec<(FunctionId, StepId)>>,
}

impl Customs {
    /// The method that makes a context.
    pub(super) fn factory(&self) -> Option<Name> {
        most(&self.factories)
    }

    /// The name for a new context.
    pub(super) fn variable(&self) -> Name {
        most(&self.variables).unwrap_or_else(|| Name::new("audit_ctx"))
    }

    /// What goes into a setter.
    pub(super) fn of_setter(&self, setter: Name, role: Role) -> Option<Vec<Form>> {
        most(self.setters.get(&(setter, role))?)
    }

    /// What goes into a column, where all that is put into it is made in the same way.
    pub(super) fn of_column(&self, column: Name, role: Role) -> Option<Form> {
        let forms = self.columns.get(&(column, role))?;
        let mut all = forms.keys();
        all.next().filter(|_| all.next().is_none()).cloned()
    }

    /// How parameters that hand the acting user on are annotated: most of them, and where there is none, not at all.
    pub(super) fn annotation(&self) -> Option<&Term> {
        let mut times: Vec<(usize, &Option<Term>)> = Vec::new();
        for annotation in &self.annotations {
            match times.iter_mut().find(|(_, known)| *known == annotation) {
                Some((count, _)) => *count += 1,
                None => times.push((1, annotation)),
            }
        }
        let (_, usual) = times.into_iter().max_by_key(|(count, _)| *count)?;
        usual.as_ref()
    }

    fn notes_request(&mut self, who: &Candidate) {
        if REQUESTS.contains(&&*who.text) {
            self.requests.insert(who.text.clone());
        }
    }

    /// Whether most parameters that hand the acting user on are `None` unless they are given.
    pub(super) fn gives_defaults(&self) -> bool {
        self.defaults * 2 > self.annotations.len()
    }

    /// Whether the program has parameters that hand the acting user on.
    pub(super) fn hands_on(&self) -> bool {
        !self.annotations.is_empty()
    }
}

/// What is most usual; of several, the first by order.
fn most<T: Clone + Ord>(times: &BTreeMap<T, usize>) -> Option<T> {
    let best = *times.values().max()?;
    times.iter().find(|(_, count)| **count == best).map(|(one, _)| one.clone())
}

/// The names of the types that an annotation mentions.
fn mentions(annotation: &Term, is_it: &dyn Fn(&str) -> bool) -> bool {
    let mut waiting = vec![annotation];
    while let Some(term) = waiting.pop() {
        match term {
            Term::Path(path) if is_it(path.last()) => return true,
            Term::Text(text) if text.split(|c: char| !c.is_alphanumeric() && c != '_').any(is_it) => {
                return true;
            }
            // Of `Annotated` and `Optional` the first part counts; a list of users is no user.
            Term::Generic { base, arguments } => {
                if matches!(&**base, Term::Path(path) if matches!(path.last(), "Annotated" | "Optional" | "Union"))
                {
                    waiting.extend(arguments);
                }
            }
            Term::Union(all) => waiting.extend(all),
            _ => {}
        }
    }
    false
}

fn is_optional(param: &Param) -> bool {
    let is_none = |term: &Term| match term {
        Term::None => true,
        Term::Union(all) => all.contains(&Term::None),
        Term::Generic { base, .. } => matches!(&**base, Term::Path(path) if path.last() == "Optional"),
        _ => false,
    };
    param.default == Some(Term::None) || param.annotation.as_ref().is_some_and(is_none)
}

/// Whether a type is one of users.
pub(super) fn is_user_type(name: &str) -> bool {
    name.ends_with("User")
}

/// Whether a name says that its bearer acts, and not that something is done to it.
fn names_actor(name: &str) -> bool {
    let is_object =
        ["target_", "new_", "other_", "old_", "existing_", "db_"].iter().any(|p| name.starts_with(p));
    !is_object
        && (matches!(name, "user" | "actor" | "requester")
            || name.ends_with("_user")
            || name.ends_with("_actor"))
}

/// Whether a text of this name says who acts, and not whom something is done to.
fn names_actor_text(name: &str) -> bool {
    matches!(name, "actor" | "username" | "actor_id" | "actor_email" | "actor_name" | "current_user_id")
        || name.ends_with("_by")
}

impl Observer<'_> {
    /// What the program's own code is used to; one thread learns it for all, and alone. If it had others help, it would
    /// take up some of their work while it waits for them, and that may ask for this.
    pub(super) fn customs(&self) -> &Customs {
        self.customs.get_or_init(|| self.learn())
    }

    /// The context's class by its own name.
    pub(in super::super) fn context_name(&self) -> &str {
        self.naming.context.rsplit('.').next().unwrap_or(&self.naming.context)
    }

    fn learn(&self) -> Customs {
        let mut customs = Customs::default();
        let project = self.project;
        let own: Vec<FunctionId> =
            project.function_ids().into_iter().filter(|id| !project.is_test(id.file)).collect();
        for &id in &own {
            self.learn_contexts(project.function(id), &mut customs);
        }
        for &id in &own {
            self.learn_forms(id, &mut customs);
        }
        self.learn_reads(&mut customs);
        for id in project.function_ids() {
            let called = self.flow.outcomes.get(id).into_iter().flat_map(|outcome| &outcome.called);
            for &(step, callee) in called {
                customs.callers.entry(callee).or_default().insert((id, step));
            }
        }
        customs
    }

    /// Where the functions of the program are read by their names.
    fn learn_reads(&self, customs: &mut Customs) {
        let project = self.project;
        let all = project.function_ids();
        let names: FxHashSet<Name> = all.iter().map(|&id| project.function(id).name).collect();
        let of_function = |&id: &FunctionId| -> Vec<(Name, StepId)> {
            let steps = (0..).zip(&project.function(id).steps);
            let read = steps.filter_map(|(number, step)| match step.kind {
                StepKind::Attribute { name, .. } | StepKind::Name(name) => Some((name, number)),
                _ => None,
            });
            read.filter(|(name, _)| names.contains(name)).collect()
        };
        for id in &all {
            for (name, number) in of_function(id) {
                customs.reads.entry(name).or_default().push((*id, number));
            }
        }
    }

    fn learn_contexts(&self, function: &Function, customs: &mut Customs) {
        for step in &function.steps {
            match &step.kind {
                StepKind::Bind { name, value, .. } if self.makes_context(function, *value).is_some() => {
                    *customs.variables.entry(*name).or_default() += 1;
                }
                StepKind::Call { callee, arguments } => {
                    let StepKind::Attribute { of, name } = function.steps[*callee as usize].kind else {
                        continue;
                    };
                    let is_context = matches!(function.steps[of as usize].kind, StepKind::Name(name)
                        if &*name == self.context_name());
                    if let ([Argument { kind: ArgumentKind::Plain, value }], true) =
                        (&arguments[..], is_context)
                        && let StepKind::Name(actor) = function.steps[*value as usize].kind
                    {
                        *customs.factories.entry(name).or_default() += 1;
                        customs.actors.insert(actor);
                    }
                }
                _ => {}
            }
        }
        let handing = function.params.iter().filter(|param| param.name.ends_with("_by_user"));
        for param in handing {
            customs.annotations.push(param.annotation.clone());
            customs.defaults += usize::from(param.default == Some(Term::None));
        }
    }

    /// Whether a value is a context made here, and whether it may be `None`.
    fn makes_context(&self, function: &Function, value: StepId) -> Option<bool> {
        let mut at = value;
        while let StepKind::Await(of) = function.steps[at as usize].kind {
            at = of;
        }
        let StepKind::Either(parts) = &function.steps[at as usize].kind else {
            return self.calls_context(function, at).then_some(false);
        };
        let is_none =
            |part: StepId| matches!(function.steps[part as usize].kind, StepKind::Literal(Literal::None));
        let is_call = |part: StepId| self.calls_context(function, part);
        let fits = parts.iter().all(|&part| is_call(part) || is_none(part))
            && parts.iter().any(|&part| is_call(part));
        fits.then(|| parts.iter().any(|&part| is_none(part)))
    }

    /// Whether a step calls the context's class, or a method of it.
    fn calls_context(&self, function: &Function, step: StepId) -> bool {
        let StepKind::Call { callee, .. } = function.steps[step as usize].kind else { return false };
        let class = match function.steps[callee as usize].kind {
            StepKind::Attribute { of, .. } => of,
            _ => callee,
        };
        matches!(function.steps[class as usize].kind, StepKind::Name(name) if &*name == self.context_name())
    }

    fn learn_forms(&self, id: FunctionId, customs: &mut Customs) {
        let roles = &self.project.roles;
        let function = self.project.function(id);
        let is_actor = |name: &Name| roles.of_field(name).is_some_and(|duty| duty.is_actor());
        for (number, step) in (0..).zip(&function.steps) {
            let mut puts: Vec<(Name, StepId)> = Vec::new();
            match &step.kind {
                // What a row stores in itself says nothing of where it comes from.
                StepKind::Store { of, name, value }
                    if is_actor(name)
                        && !matches!(function.steps[*of as usize].kind, StepKind::Name(of) if &*of == "self") =>
                {
                    puts.push((*name, *value));
                }
                StepKind::StoreIndex { key, value, .. } => {
                    if let StepKind::Literal(Literal::Text(name)) = function.steps[*key as usize].kind
                        && is_actor(&name)
                    {
                        puts.push((name, *value));
                    }
                }
                StepKind::Call { callee, arguments } => {
                    for argument in arguments {
                        if let ArgumentKind::Keyword(name) = argument.kind
                            && is_actor(&name)
                        {
                            puts.push((name, argument.value));
                        }
                    }
                    if let StepKind::Attribute { name, .. } = function.steps[*callee as usize].kind
                        && roles.of_setter(&name).is_some_and(|duty| duty.is_actor())
                    {
                        self.learn_setter(id, number, (name, arguments), customs);
                    }
                }
                _ => {}
            }
            if puts.is_empty() {
                continue;
            }
            let hands = self.hands(id, number, customs);
            for (column, value) in puts {
                if let StepKind::Name(name) = function.steps[value as usize].kind
                    && names_actor_text(&name)
                    && function.params.iter().any(|param| param.name == name)
                    && !hands.iter().any(|who| *who.text == *name)
                {
                    customs.texts.insert(name);
                    let forms = customs.columns.entry((column, Role::Text)).or_default();
                    *forms.entry(Form::behind(String::new())).or_default() += 1;
                }
                for candidate in &hands {
                    let Some(behind) = self.source_text(id, value).strip_prefix(&*candidate.text) else {
                        continue;
                    };
                    if is_path(behind) {
                        customs.notes_request(candidate);
                        let forms = customs.columns.entry((column, candidate.role)).or_default();
                        *forms.entry(Form::behind(behind.to_owned())).or_default() += 1;
                    }
                }
            }
        }
    }

    fn learn_setter(
        &self,
        id: FunctionId,
        step: StepId,
        (setter, arguments): (Name, &[Argument]),
        customs: &mut Customs,
    ) {
        let form = |argument: &Argument, who: &Candidate| {
            let before = match argument.kind {
                ArgumentKind::Plain => String::new(),
                ArgumentKind::Keyword(name) => format!("{name}="),
                ArgumentKind::Spread => "*".to_owned(),
                ArgumentKind::SpreadKeywords => "**".to_owned(),
            };
            let behind = self.source_text(id, argument.value).strip_prefix(&*who.text)?;
            is_path(behind).then(|| Form { before, behind: behind.to_owned() })
        };
        for who in self.hands(id, step, customs) {
            let forms: Option<Vec<Form>> = arguments.iter().map(|argument| form(argument, &who)).collect();
            if let Some(forms) = forms.filter(|forms| !forms.is_empty()) {
                customs.notes_request(&who);
                *customs.setters.entry((setter, who.role)).or_default().entry(forms).or_default() += 1;
            }
        }
    }

    /// Who or what says who acts, of all that is bound on every path to a step, the function's own names first.
    pub(super) fn at_hand(&self, id: FunctionId, step: StepId) -> Vec<Candidate> {
        let mut found = self.hands(id, step, self.customs());
        found.retain(|who| {
            let is_request = REQUESTS.contains(&&*who.text);
            !is_request || self.customs().requests.contains(&who.text) && self.keeps(id, &who.text)
        });
        found
    }

    /// Whether an object has what an expression reads from `self`: a view has its request, and so has a class that reads it
    /// elsewhere. What is read from anything else is there.
    fn keeps(&self, id: FunctionId, text: &str) -> bool {
        let Some(path) = text.strip_prefix("self.") else { return true };
        let name = path.split('.').next().unwrap_or(path);
        let Some(class) = self.project.class_of(id) else { return false };
        let hierarchy = self.project.hierarchy(class);
        let is_view = hierarchy.externals().any(|path| path.split('.').any(|part| part.starts_with("view")));
        let reads = |class: ClassId| {
            self.project.class(class).methods.iter().any(|&(_, index)| {
                let method = FunctionId { file: class.file, index: index as u32 };
                let function = self.project.function(method);
                function.steps.iter().any(|step| match step.kind {
                    StepKind::Attribute { of, name: read } => {
                        *read == *name && self.source_text(method, of) == "self"
                    }
                    _ => false,
                })
            })
        };
        is_view || hierarchy.classes().any(reads)
    }

    fn hands(&self, id: FunctionId, step: StepId, customs: &Customs) -> Vec<Candidate> {
        let project = self.project;
        let (mut scope, mut place) = (id, step);
        let mut hidden: BTreeSet<Name> = BTreeSet::new();
        let mut found = Vec::new();
        loop {
            let function = project.function(scope);
            let mut own: BTreeSet<Name> = function.bound.iter().map(|bound| bound.name).collect();
            for param in function.params.iter().filter(|param| !hidden.contains(&param.name)) {
                own.insert(param.name);
                if function.bindings(param.name).next().is_some() {
                    continue;
                }
                found.extend(self.param_role(param, customs).map(|role| Candidate {
                    text: param.name.to_string(),
                    role,
                    is_optional: is_optional(param),
                    is_given: true,
                }));
                let path = REQUESTS.iter().find(|path| path.split('.').next() == Some(&*param.name));
                found.extend(path.map(|path| Candidate {
                    text: (*path).to_owned(),
                    role: Role::User,
                    is_optional: false,
                    is_given: true,
                }));
            }
            for (number, step) in (0..).zip(&function.steps) {
                let StepKind::Bind { name, value, .. } = step.kind else { continue };
                let Some(is_optional) = self.makes_context(function, value) else { continue };
                let is_it = !hidden.contains(&name)
                    && function.bound_once(name).is_some()
                    && comes_before(function, number, place);
                if is_it {
                    let text = name.to_string();
                    found.push(Candidate { text, role: Role::Context, is_optional, is_given: false });
                }
            }
            hidden.extend(own);
            let Some(parent) = function.parent else { break };
            let above = FunctionId { file: scope.file, index: parent as u32 };
            let definition = project.function(above).steps.iter().position(
                |step| matches!(step.kind, StepKind::Function(index) if index == scope.index as usize),
            );
            let Some(definition) = definition else { break };
            (scope, place) = (above, definition as StepId);
        }
        found
    }

    fn param_role(&self, param: &Param, customs: &Customs) -> Option<Role> {
        let annotation = param.annotation.as_ref();
        if annotation.is_some_and(|term| mentions(term, &|name| name == self.context_name())) {
            return Some(Role::Context);
        }
        let is_known = customs.actors.contains(&param.name) || param.name.ends_with("_by_user");
        let acts = match annotation {
            Some(term) => {
                let is_user = mentions(term, &is_user_type);
                let is_vague = mentions(term, &|name| matches!(name, "Any" | "dict"));
                is_user && (is_known || names_actor(&param.name)) || is_vague && is_known
            }
            None => is_known || matches!(&*param.name, "current_user" | "acting_user"),
        };
        let is_text = customs.texts.contains(&param.name)
            && annotation.is_none_or(|term| mentions(term, &|name| name == "str"));
        match (acts, is_text) {
            (true, _) => Some(Role::User),
            (false, true) => Some(Role::Text),
            _ => None,
        }
    }
}

/// Whether text is what may follow a name in a path: attributes and calls without arguments.
fn is_path(text: &str) -> bool {
    (text.is_empty() || text.starts_with('.'))
        && text.replace("()", "").chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.')
}

/// Whether a function asks of its parameter whether it is `None`.
pub(super) fn asks_for_none(project: &Project, id: FunctionId) -> bool {
    let function = project.function(id);
    let is_param = |step: StepId| {
        matches!(function.steps[step as usize].kind, StepKind::Name(name)
            if function.params.iter().any(|param| param.name == name))
    };
    let is_none =
        |step: StepId| matches!(function.steps[step as usize].kind, StepKind::Literal(Literal::None));
    function.steps.iter().any(|step| match step.kind {
        StepKind::Compare { left, right, .. } => is_param(left) && is_none(right),
        StepKind::Not(of) => is_param(of),
        _ => false,
    }) || function
        .blocks
        .iter()
        .any(|block| matches!(block.next, crate::facts::Next::Branch { test, .. } if is_param(test)))
}
