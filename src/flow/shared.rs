//! flow/shared: lists and dictionaries that are made once, with a class, and stay the same object for all that use it.

use crate::facts::{ArgumentKind, Function, FunctionKind, StepId, StepKind, Term};
use crate::name::Name;
use crate::project::{ClassId, FunctionId, Project, Symbol};

/// A mutable value that is made once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shared {
    /// The place.
    pub step: StepId,
    /// The word for what keeps it.
    pub kept_by: &'static str,
    /// The name it is kept under.
    pub name: Name,
    /// What it is: `list`, `dict`, `set`.
    pub maker: &'static str,
    /// Whether what keeps it would call a maker for each new one.
    pub is_called: bool,
    /// Where it is changed through an instance or the class.
    pub changed: Option<(FunctionId, StepId)>,
}

/// The libraries that copy a default for each instance, or refuse a mutable one.
const COPYING: &[&str] =
    &["pydantic", "pydantic_settings", "sqlmodel", "dataclasses", "msgspec", "ninja", "typing"];

/// Bases whose heirs give the names in their bodies another meaning than that of a plain attribute.
const DECLARING: &[&str] = &[
    "BaseModel",
    "BaseSettings",
    "SQLModel",
    "Schema",
    "Struct",
    "Serializer",
    "HasTraits",
    "Enum",
    "IntEnum",
    "StrEnum",
    "TextChoices",
    "TypedDict",
    "NamedTuple",
    "TestCase",
];

/// Methods that change a list, dictionary or set in place.
const CHANGES: &[&str] = &[
    "append",
    "appendleft",
    "extend",
    "insert",
    "add",
    "update",
    "setdefault",
    "pop",
    "popitem",
    "remove",
    "discard",
    "clear",
];

/// The mutable values that the code of a class or module keeps for good.
pub(super) fn shared(project: &Project, id: FunctionId) -> Vec<Shared> {
    let function = project.function(id);
    if !matches!(function.kind, FunctionKind::Module | FunctionKind::ClassBody) || is_migration(project, id) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (step, kind) in (0..).zip(function.steps.iter().map(|step| &step.kind)) {
        if let StepKind::Call { callee, arguments } = kind
            && arguments.iter().any(|argument| is_default(argument.kind))
            && keeps_default(project, id, *callee)
        {
            let defaults = arguments.iter().filter(|argument| is_default(argument.kind));
            for argument in defaults {
                if let Some(maker) = mutable(project, id, argument.value, Follow::Constants) {
                    let name = declared_name(function, step);
                    let (step, kept_by) = (argument.value, "default");
                    let is_called = calls_default(project, id, *callee);
                    found.push(Shared { step, kept_by, name, maker, is_called, changed: None });
                }
            }
        }
    }
    if let Some(index) = function.class.filter(|_| function.kind == FunctionKind::ClassBody) {
        found.extend(attributes(project, id, ClassId { file: id.file, index: index as u32 }));
    }
    found
}

/// What a migration says of a column is gone when it has run.
fn is_migration(project: &Project, id: FunctionId) -> bool {
    let class = project.function(id).class.map(|index| ClassId { file: id.file, index: index as u32 });
    class.is_some_and(|class| project.hierarchy(class).externals().any(|path| path.last() == "Migration"))
}

fn is_default(kind: ArgumentKind) -> bool {
    matches!(kind, ArgumentKind::Keyword(name) if matches!(&*name, "default" | "insert_default"))
}

/// Whether what is called declares a column or field and hands its default over as it is.
fn keeps_default(project: &Project, id: FunctionId, callee: StepId) -> bool {
    let is_of_attrs = match project.symbol_of(id, callee) {
        Some(Symbol::External(path)) => {
            matches!(path.split('.').next(), Some("attr" | "attrs"))
                && matches!(path.last(), "ib" | "attrib" | "field")
        }
        _ => false,
    };
    is_of_attrs || calls_default(project, id, callee)
}

/// Whether what is called declares a column or field that takes a callable for its default and calls it for each row.
pub(super) fn calls_default(project: &Project, id: FunctionId, callee: StepId) -> bool {
    match project.symbol_of(id, callee) {
        Some(Symbol::External(path)) => match path.split('.').next() {
            Some("sqlalchemy") => matches!(path.last(), "Column" | "mapped_column"),
            // A field of any library is Django's where it stands in a model; elsewhere it may copy its default.
            _ => path.last().ends_with("Field") && (is_of_django(&path) || is_in_django_model(project, id)),
        },
        Some(Symbol::Class(field)) => project.hierarchy(field).externals().any(|path| is_of_django(&path)),
        _ => false,
    }
}

fn is_of_django(path: &str) -> bool {
    path.starts_with("django.db.") || path.starts_with("django.contrib.postgres.")
}

fn is_in_django_model(project: &Project, id: FunctionId) -> bool {
    let class = project.function(id).class.map(|index| ClassId { file: id.file, index: index as u32 });
    let is_model = |path: Name| is_of_django(&path) && path.last() == "Model";
    class.is_some_and(|class| project.hierarchy(class).externals().any(is_model))
}

/// The name a declaration is bound to.
fn declared_name(function: &Function, step: StepId) -> Name {
    let span = function.steps[step as usize].span;
    let bound = function.steps[step as usize..].iter().find_map(|later| match later.kind {
        StepKind::Bind { name, value, .. } if function.steps[value as usize].span.contains(span) => {
            Some(name)
        }
        _ => None,
    });
    bound.unwrap_or_else(|| Name::new("…"))
}

/// Whether the value of a constant is looked up.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Follow {
    Constants,
    Nothing,
}

/// What kind of mutable value a step makes where it stands.
fn mutable(project: &Project, id: FunctionId, step: StepId, follow: Follow) -> Option<&'static str> {
    let function = project.function(id);
    let text = || project.file(id.file).source.slice(function.steps[step as usize].span);
    match &function.steps[step as usize].kind {
        StepKind::Dictionary(_) => Some("dict"),
        // A tuple is a list to the outline, but nothing can change it.
        StepKind::List(_) | StepKind::Gather(_) if text().starts_with('[') => Some("list"),
        StepKind::List(_) | StepKind::Gather(_) if text().starts_with('{') => Some("set"),
        StepKind::Call { callee, .. } => match function.steps[*callee as usize].kind {
            StepKind::Name(name) if project.global(id.file, name).is_none() => made_by(&name),
            _ => match project.symbol_of(id, *callee) {
                Some(Symbol::External(path)) if path.starts_with("collections.") => made_by(path.last()),
                _ => None,
            },
        },
        StepKind::Name(_) | StepKind::Attribute { .. } if follow == Follow::Constants => {
            let Some(Symbol::Variable(file, name)) = project.symbol_of(id, step) else { return None };
            let module = FunctionId { file, index: 0 };
            mutable(project, module, project.function(module).bound_once(name)?, Follow::Nothing)
        }
        _ => None,
    }
}

fn made_by(name: &str) -> Option<&'static str> {
    match name {
        "list" | "deque" => Some("list"),
        "dict" | "defaultdict" | "OrderedDict" | "Counter" => Some("dict"),
        "set" => Some("set"),
        _ => None,
    }
}

/// Attributes of a class that all its instances share.
fn attributes(project: &Project, id: FunctionId, class: ClassId) -> Vec<Shared> {
    let function = project.function(id);
    let own = function.steps.iter().filter_map(|step| match &step.kind {
        StepKind::Bind { name, value, annotation } => Some((*name, *value, annotation.as_deref())),
        _ => None,
    });
    let values: Vec<(Name, StepId, &'static str)> = own
        .filter(|(_, _, annotation)| !annotation.is_some_and(says_shared))
        .filter_map(|(name, value, _)| Some((name, value, mutable(project, id, value, Follow::Nothing)?)))
        .collect();
    if values.is_empty() {
        return Vec::new();
    }
    let is_factory = project
        .hierarchy(class)
        .externals()
        .any(|path| path.starts_with("factory.") && path.last().ends_with("Factory"));
    if is_factory {
        let declares = |name: &Name| !name.starts_with('_');
        let shown = values.into_iter().filter(|(name, ..)| declares(name));
        let kept = |(name, step, maker)| Shared {
            step,
            kept_by: "factory",
            name,
            maker,
            is_called: false,
            changed: None,
        };
        return shown.map(kept).collect();
    }
    if declares_fields(project, class) {
        return Vec::new();
    }
    let family = project.family(class);
    let changed = |(name, step, maker): (Name, StepId, &'static str)| {
        if speaks_of_all(&name) {
            return None;
        }
        let changed = changed(project, &family, name)?;
        Some(Shared { step, kept_by: "attribute", name, maker, is_called: false, changed: Some(changed) })
    };
    values.into_iter().filter_map(changed).collect()
}

/// Whether the names in a class's body declare fields that each instance gets its own value of.
fn declares_fields(project: &Project, class: ClassId) -> bool {
    let line = project.hierarchy(class);
    let is_data = line.classes().any(|class| {
        let decorators = &project.class(class).decorators;
        ["dataclass", "define", "frozen", "mutable", "attrs", "s"]
            .iter()
            .any(|name| super::object::decorated(decorators, name))
    });
    is_data
        || line.externals().any(|path| {
            let root = path.split('.').next().unwrap_or(&path);
            COPYING.contains(&root) || DECLARING.iter().any(|base| path.last().ends_with(base))
        })
}

fn says_shared(annotation: &Term) -> bool {
    let path = match annotation {
        Term::Generic { base, .. } => base,
        other => other,
    };
    matches!(path, Term::Path(path) if matches!(path.last(), "ClassVar" | "Final"))
}

/// Whether a name in a class says itself that there is one for all: a constant, or the place where a class keeps what
/// it knows of all its instances.
fn speaks_of_all(name: &str) -> bool {
    let lower = name.to_lowercase();
    let speaks = ["registry", "registered", "cache", "instances", "shared", "global", "singleton"]
        .iter()
        .any(|part| lower.contains(part));
    speaks || name == name.to_uppercase() || name.starts_with("__")
}

/// Where the methods of a class and its family change an attribute in place; nothing when one of them gives an instance
/// or the class a value of its own.
fn changed(project: &Project, family: &[ClassId], name: Name) -> Option<(FunctionId, StepId)> {
    let mut found = None;
    for class in family {
        for &(_, index) in &project.class(*class).methods {
            let id = FunctionId { file: class.file, index: index as u32 };
            let function = project.function(id);
            let Some(own) = function.params.first().map(|param| param.name) else { continue };
            let is_attribute = |step: StepId| match function.steps[step as usize].kind {
                StepKind::Attribute { of, name: read } if read == name => {
                    matches!(function.steps[of as usize].kind, StepKind::Name(of) if of == own)
                }
                _ => false,
            };
            for (step, kind) in (0..).zip(function.steps.iter().map(|step| &step.kind)) {
                match kind {
                    StepKind::Store { of, name: stored, .. } if *stored == name => {
                        if matches!(function.steps[*of as usize].kind, StepKind::Name(of) if of == own) {
                            return None;
                        }
                    }
                    StepKind::StoreIndex { of, .. } if is_attribute(*of) => {
                        found = found.or(Some((id, step)));
                    }
                    StepKind::Call { callee, .. } => {
                        if let StepKind::Attribute { of, name: method } =
                            function.steps[*callee as usize].kind
                            && CHANGES.contains(&&*method)
                            && is_attribute(of)
                        {
                            found = found.or(Some((id, step)));
                        }
                    }
                    _ => {}
                }
            }
        }
    }
    found
}
