//! flow/catch: what an `except` clause catches, and which exceptions pass a `try` by.

use crate::facts::{BlockId, Function, HandlerId, RegionId, RegionKind};
use crate::name::Name;
use crate::project::{FunctionId, Lookup, Project, Symbol};

use super::{actor, library};

/// Kinds of errors that the database answers a statement with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Errors(u8);

impl Errors {
    /// A constraint was violated.
    pub(super) const INTEGRITY: Errors = Errors(1);
    /// Anything else.
    pub(super) const OTHER: Errors = Errors(2);
    /// All of them.
    pub(super) const ALL: Errors = Errors(3);
    /// Not a kind, but a mark that goes with those of a statement that writes.
    pub(super) const OF_WRITE: Errors = Errors(4);

    /// Whether there is none.
    pub(super) fn is_none(self) -> bool {
        self.0 & Errors::ALL.0 == 0
    }

    /// Whether they are a writing statement's.
    pub(super) fn are_of_write(self) -> bool {
        self.0 & Errors::OF_WRITE.0 != 0
    }

    /// Those of both.
    pub(super) fn and(self, other: Errors) -> Errors {
        Errors(self.0 | other.0)
    }

    /// Those that are among others, too.
    pub(super) fn among(self, other: Errors) -> Errors {
        Errors(self.0 & (other.0 | Errors::OF_WRITE.0))
    }

    /// Those that are not among others.
    pub(super) fn without(self, other: Errors) -> Errors {
        Errors(self.0 & !(other.0 & Errors::ALL.0))
    }
}

/// What the clauses of a function catch, and what its regions let pass.
#[derive(Debug)]
pub(super) struct Passing {
    /// By region: whether an exception that no clause of it names passes.
    anything: Vec<bool>,
    /// By handler: the errors of the database it surely catches, and those it may catch.
    caught: Vec<(Errors, Errors)>,
}

impl Passing {
    /// What passes the regions of a function.
    pub(super) fn of(project: &Project, id: FunctionId) -> Passing {
        let function = project.function(id);
        let handlers = || 0..function.handlers.len() as HandlerId;
        let all: Vec<bool> = handlers().map(|handler| catches_all(project, id, handler)).collect();
        let anything = function.regions.iter().map(|region| {
            // What is no `Exception` ends the program or the task, not the story told here.
            let mut caught = handlers_of(region.kind).map(|handler| all[handler as usize]);
            region.passes && !caught.any(|all| all)
        });
        Passing {
            anything: anything.collect(),
            caught: handlers().map(|handler| errors(project, id, handler)).collect(),
        }
    }
}

impl Passing {
    /// Whether a clause takes every error of the database.
    pub(super) fn takes_all(&self, handler: HandlerId) -> bool {
        let (surely, _) = self.caught[handler as usize];
        Errors::ALL.without(surely).is_none()
    }
}

fn handlers_of(kind: RegionKind) -> std::ops::Range<HandlerId> {
    match kind {
        RegionKind::Try { first, end } => first..end,
        _ => 0..0,
    }
}

/// The errors of the database that a clause surely catches, and those it may catch.
fn errors(project: &Project, id: FunctionId, handler: HandlerId) -> (Errors, Errors) {
    if catches(project, id, handler, library::catches_every_database_error) {
        return (Errors::ALL, Errors::ALL);
    }
    let function = project.function(id);
    let named = &function.handlers[handler as usize].catches;
    if named.iter().any(|&step| actor::path(function, step).is_none()) {
        return (Errors::default(), Errors::ALL);
    }
    let integrity = catches(project, id, handler, library::catches_integrity_errors);
    let some = catches(project, id, handler, library::catches_database_errors);
    match (integrity, some) {
        // Beside it another class may be named that stands for some of the rest.
        (true, _) if named.len() > 1 => (Errors::INTEGRITY, Errors::ALL),
        (true, _) => (Errors::INTEGRITY, Errors::INTEGRITY),
        (false, true) => (Errors::default(), Errors::OTHER),
        (false, false) => (Errors::default(), Errors::default()),
    }
}

/// Whether a clause catches every exception.
fn catches_all(project: &Project, id: FunctionId, handler: HandlerId) -> bool {
    let function = project.function(id);
    let catches = &function.handlers[handler as usize].catches;
    catches.is_empty()
        || catches.iter().any(|&step| {
            actor::path(function, step).is_some_and(|path| {
                matches!(&*path, "Exception" | "BaseException") && project.lookup(id, path) == Lookup::Builtin
            })
        })
}

/// Whether a clause catches errors of the database, be it only some of them.
pub(super) fn catches_database(project: &Project, id: FunctionId, handler: HandlerId) -> bool {
    if project.is_rust(id.file) {
        // Whatever an arm names is an error of the call that failed; of a write it is the database's.
        let named = &project.function(id).handlers[handler as usize].catches;
        let finds_nothing = |step: &u32| {
            let path = actor::path(project.function(id), *step);
            path.is_some_and(|path| library::says_nothing_was_found(path.last()))
        };
        return named.is_empty() || !named.iter().all(finds_nothing);
    }
    catches(project, id, handler, library::catches_database_errors)
}

/// Whether a clause also catches errors that no statement raises.
pub(super) fn catches_more(project: &Project, id: FunctionId, handler: HandlerId) -> bool {
    let function = project.function(id);
    let catches = &function.handlers[handler as usize].catches;
    catches.is_empty()
        || catches.iter().any(|&step| {
            let path = actor::path(function, step);
            path.is_none_or(|path| library::catches_more(&path) || !is_database_error(project, id, path))
        })
}

/// Whether an exception class is one of the database's, or stands above those.
pub(super) fn is_database_error(project: &Project, id: FunctionId, path: Name) -> bool {
    is_of_kind(project, id, path, library::catches_database_errors)
}

/// Whether a clause catches an exception of a kind, told by its dotted path.
fn catches(project: &Project, id: FunctionId, handler: HandlerId, is_kind: fn(&str) -> bool) -> bool {
    let function = project.function(id);
    let catches = &function.handlers[handler as usize].catches;
    catches.is_empty()
        || catches.iter().any(|&step| {
            actor::path(function, step).is_some_and(|path| is_of_kind(project, id, path, is_kind))
        })
}

fn is_of_kind(project: &Project, id: FunctionId, path: Name, is_kind: fn(&str) -> bool) -> bool {
    let first = Name::new(path.split('.').next().unwrap_or(&path));
    let resolved = match project.lookup(id, first) {
        Lookup::Global(_) => project.resolve_path(id.file, path),
        Lookup::Local => local_symbol(project, id, path),
        _ => None,
    };
    match resolved {
        Some(Symbol::External(path)) => is_kind(&path),
        Some(_) => false,
        None => is_kind(&path),
    }
}

/// What a path means through the function's own imports.
pub(super) fn local_symbol(project: &Project, id: FunctionId, path: Name) -> Option<Symbol> {
    let facts = &project.file(id.file).facts;
    let mut parts = path.split('.');
    let first = Name::new(parts.next()?);
    let import = facts.imports.iter().rposition(|import| import.binds == first)?;
    let mut symbol = project.imported(id.file, import)?;
    for part in parts {
        symbol = project.member(symbol, Name::new(part))?;
    }
    Some(symbol)
}

/// Where an exception lands that is raised in a region of a function.
#[derive(Debug, Default)]
pub(super) struct Landings {
    /// The blocks, and which errors of the database may come there.
    pub(super) blocks: Vec<(BlockId, Errors)>,
    /// Whether an exception may leave the function.
    pub(super) escapes: bool,
    /// Which errors of the database may.
    pub(super) escaping: Errors,
}

/// Where an exception lands that is raised in a region.
pub(super) fn landings(function: &Function, passing: &Passing, region: Option<RegionId>) -> Landings {
    let mut found = Landings { escapes: true, escaping: Errors::ALL, ..Landings::default() };
    let mut at = region;
    while let Some(id) = at {
        let region = &function.regions[id as usize];
        for &block in &region.lands {
            // The clauses of a `try` are asked in their order.
            let handler = handlers_of(region.kind).find(|&h| function.handlers[h as usize].entry == block);
            let (surely, perhaps) =
                handler.map_or((Errors::default(), Errors::ALL), |h| passing.caught[h as usize]);
            found.blocks.push((block, found.escaping.among(perhaps)));
            found.escaping = found.escaping.without(surely);
        }
        found.escapes &= passing.anything[id as usize];
        if !found.escapes {
            break;
        }
        at = region.parent;
    }
    found
}
