//! flow/clause: `except` clauses that no error ever reaches: an earlier clause takes it, or nothing in the body raises it.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use crate::facts::{Function, HandlerId, RegionId, StepId, StepKind, Term};
use crate::name::Name;
use crate::project::{Ancestor, ClassId, FileId, FunctionId, Lookup, Project, Symbol};

use super::{actor, catch, exception, library};

/// Why a clause is never reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreachable {
    /// This clause, or this one together with others before it, takes all its errors.
    Behind(HandlerId),
    /// It names errors of this library, and the body works with SQLAlchemy.
    Foreign(&'static str),
}

/// A class that a clause names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Project(ClassId),
    External(Name),
    /// A name that nothing binds, by its path.
    Unbound,
    Unknown,
}

/// Why clauses of a function are never reached, by clause, where that is certain.
pub(super) fn unreachable(project: &Project, id: FunctionId) -> Vec<Option<Unreachable>> {
    let function = project.function(id);
    let mut found = Vec::new();
    // What the clauses of each `try` so far take, and which of them was the first to do so.
    let mut taken: FxHashMap<RegionId, Taken> = FxHashMap::default();
    for (number, handler) in (0..).zip(&function.handlers) {
        let kinds = named(project, id, number);
        let before = taken.entry(handler.body).or_default();
        found.push(match before.all_of(project, &kinds) {
            Some(earlier) => Some(Unreachable::Behind(earlier)),
            None => foreign(project, id, number, &kinds).map(Unreachable::Foreign),
        });
        before.add(number, &kinds);
    }
    found
}

/// What some clauses take together.
#[derive(Default)]
struct Taken {
    kinds: FxHashMap<Kind, HandlerId>,
    /// The clause that takes everything.
    everything: Option<HandlerId>,
}

impl Taken {
    fn add(&mut self, number: HandlerId, kinds: &[Kind]) {
        if kinds.is_empty() || kinds.contains(&builtin("BaseException")) {
            self.everything.get_or_insert(number);
        }
        for kind in kinds {
            self.kinds.entry(*kind).or_insert(number);
        }
    }

    /// The last of the clauses that it takes to catch all of these; no kinds are everything.
    fn all_of(&self, project: &Project, kinds: &[Kind]) -> Option<HandlerId> {
        if self.everything.is_some() || kinds.is_empty() {
            return self.everything;
        }
        kinds.iter().map(|kind| self.one_of(project, *kind)).collect::<Option<Vec<_>>>()?.into_iter().max()
    }

    fn one_of(&self, project: &Project, kind: Kind) -> Option<HandlerId> {
        match kind {
            Kind::Unknown => None,
            // Only errors that are no `Exception` ask for a name that nothing binds.
            Kind::Unbound => self.kinds.get(&builtin("Exception")).copied(),
            kind => line(project, kind).iter().filter_map(|above| self.kinds.get(above)).min().copied(),
        }
    }
}

fn builtin(name: &str) -> Kind {
    Kind::External(Name::new(&format!("builtins.{name}")))
}

/// The library whose errors a clause names, where the body raises those of SQLAlchemy.
fn foreign(project: &Project, id: FunctionId, number: HandlerId, kinds: &[Kind]) -> Option<&'static str> {
    let libraries: Option<BTreeSet<&'static str>> = kinds
        .iter()
        .map(|kind| match kind {
            Kind::External(path) => exception::foreign_library(path),
            _ => None,
        })
        .collect();
    let library = libraries?.into_iter().next()?;
    works_with_sqlalchemy_alone(project, id, number, library).then_some(library)
}

/// The classes a clause names; empty is everything.
fn named(project: &Project, id: FunctionId, number: HandlerId) -> Vec<Kind> {
    let handler = &project.function(id).handlers[number as usize];
    handler.catches.iter().flat_map(|&step| kinds(project, id, step)).collect()
}

fn kinds(project: &Project, id: FunctionId, step: StepId) -> Vec<Kind> {
    let Some(path) = actor::path(project.function(id), step) else { return vec![Kind::Unknown] };
    let first = Name::new(path.split('.').next().unwrap_or(&path));
    let symbol = match project.lookup(id, first) {
        Lookup::Nowhere => return vec![Kind::Unbound],
        Lookup::Builtin if first == path => return vec![external(Name::new(&format!("builtins.{path}")))],
        Lookup::Global(_) => project.resolve_path(id.file, path),
        Lookup::Local => catch::local_symbol(project, id, path),
        Lookup::Builtin | Lookup::Perhaps => None,
    };
    match symbol {
        Some(Symbol::Variable(file, name)) => of_variable(project, file, name),
        Some(symbol) => vec![of_symbol(symbol)],
        // The exceptions that a Django model brings along.
        None if path != first && matches!(path.last(), "DoesNotExist" | "MultipleObjectsReturned") => {
            vec![external(Name::new(&format!("django.core.exceptions.{path}Error")))]
        }
        None => vec![Kind::Unknown],
    }
}

fn of_symbol(symbol: Symbol) -> Kind {
    match symbol {
        Symbol::Class(class) => Kind::Project(class),
        Symbol::External(path) => external(path),
        _ => Kind::Unknown,
    }
}

fn external(path: Name) -> Kind {
    Kind::External(Name::new(&exception::shortest(&path)))
}

/// The classes in a tuple that a module names.
fn of_variable(project: &Project, file: FileId, name: Name) -> Vec<Kind> {
    let declared = &project.file(file).facts.declared;
    let mut values = declared.iter().filter(|field| field.name == name);
    let (Some(field), None) = (values.next(), values.next()) else { return vec![Kind::Unknown] };
    let of_term = |term: &Term| match term {
        Term::Path(path) => match project.resolve_path(file, *path) {
            Some(symbol) => of_symbol(symbol),
            None if exception::above(&format!("builtins.{path}")).is_empty() => Kind::Unknown,
            None => external(Name::new(&format!("builtins.{path}"))),
        },
        _ => Kind::Unknown,
    };
    match &field.value {
        Some(Term::List(items)) => items.iter().map(of_term).collect(),
        Some(term) => vec![of_term(term)],
        None => vec![Kind::Unknown],
    }
}

/// Everything a class derives from, as far as it is known.
fn line(project: &Project, kind: Kind) -> Vec<Kind> {
    let mut found = vec![kind];
    let mut at = 0;
    while at < found.len() {
        let above: Vec<Kind> = match found[at] {
            Kind::Project(class) => project
                .hierarchy(class)
                .line
                .iter()
                .map(|ancestor| match ancestor {
                    Ancestor::Project(class) => Kind::Project(*class),
                    // A base class that is written as a bare name and resolves to nothing is Python's own.
                    Ancestor::External(path) if !path.contains('.') => {
                        external(Name::new(&format!("builtins.{path}")))
                    }
                    Ancestor::External(path) => external(*path),
                })
                .collect(),
            Kind::External(path) => {
                exception::above(&path).iter().map(|path| external(Name::new(path))).collect()
            }
            _ => Vec::new(),
        };
        for kind in above {
            if !found.contains(&kind) {
                found.push(kind);
            }
        }
        at += 1;
    }
    found
}

/// Methods by which other things than a session reach a database.
const OTHER_WAYS: &[&str] = &[
    "bulk_create",
    "bulk_update",
    "connection",
    "create",
    "cursor",
    "execute",
    "executemany",
    "executescript",
    "fetch",
    "fetchrow",
    "fetchval",
    "get_or_create",
    "raw_connection",
    "run_sync",
    "save",
    "update_or_create",
];

/// Whether the body of the `try` writes through a session of SQLAlchemy, and through nothing that could raise errors of
/// the other library.
fn works_with_sqlalchemy_alone(project: &Project, id: FunctionId, number: HandlerId, other: &str) -> bool {
    let function = project.function(id);
    let body = function.handlers[number as usize].body_span;
    let mut works = false;
    for step in function.steps.iter().filter(|step| body.contains(step.span)) {
        let StepKind::Call { callee, .. } = step.kind else { continue };
        if let StepKind::Attribute { of, name } = function.steps[callee as usize].kind
            && actor::path(function, of).is_some_and(|path| library::names_session(path.last()))
        {
            works |= matches!(&*name, "flush" | "commit" | "execute" | "scalars" | "scalar" | "merge");
            if matches!(&*name, "connection" | "run_sync" | "raw_connection") {
                return false;
            }
            continue;
        }
        if may_raise_of(project, id, function, callee, other) {
            return false;
        }
    }
    works
}

fn may_raise_of(project: &Project, id: FunctionId, function: &Function, callee: StepId, other: &str) -> bool {
    let top = other.split('.').next().unwrap_or(other);
    let imports_it = |file: FileId| {
        let imports = &project.file(file).facts.imports;
        imports.iter().any(|import| import.module.split('.').next() == Some(top))
    };
    if let StepKind::Attribute { name, .. } = function.steps[callee as usize].kind
        && OTHER_WAYS.contains(&&*name)
    {
        return true;
    }
    let Some(path) = actor::path(function, callee) else { return false };
    if let Some(method) = path.strip_prefix("self.") {
        let class = project.class_of(id);
        return match class.and_then(|class| project.method(class, Name::new(method))) {
            Some(method) => method.file != id.file && imports_it(method.file),
            None => false,
        };
    }
    match project.resolve_path(id.file, path) {
        Some(Symbol::External(path)) => path.split('.').next() == Some(top),
        Some(Symbol::Function(FunctionId { file, .. }) | Symbol::Class(ClassId { file, .. })) => {
            file != id.file && imports_it(file)
        }
        _ => false,
    }
}
