//! flow/catch: what an `except` clause catches, and which exceptions pass a `try` by.

use crate::facts::{Function, HandlerId, RegionId, RegionKind};
use crate::name::Name;
use crate::project::{FunctionId, Lookup, Project, Symbol};

use super::{actor, library};

/// What a `try` lets pass to the code around it, region by region.
#[derive(Debug)]
pub(super) struct Passing {
    /// Whether any exception passes.
    anything: Vec<bool>,
    /// Whether an error of the database passes.
    database: Vec<bool>,
}

impl Passing {
    /// What passes the regions of a function.
    pub(super) fn of(project: &Project, id: FunctionId) -> Passing {
        let function = project.function(id);
        let caught_by = |region: usize, test: &dyn Fn(HandlerId) -> bool| match function.regions[region].kind
        {
            RegionKind::Try { first, end } => (first..end).any(test),
            _ => false,
        };
        let all = 0..function.regions.len();
        let anything = all.clone().map(|region| {
            // What is no `Exception` ends the program or the task, not the story told here.
            function.regions[region].passes
                && !caught_by(region, &|handler| catches_all(project, id, handler))
        });
        let database = all.map(|region| {
            function.regions[region].passes
                && !caught_by(region, &|handler| {
                    catches(project, id, handler, library::catches_every_database_error)
                })
        });
        Passing { anything: anything.collect(), database: database.collect() }
    }

    /// Whether any exception passes a region.
    pub(super) fn anything(&self, region: RegionId) -> bool {
        self.anything[region as usize]
    }

    /// Whether an error of the database passes a region.
    pub(super) fn database(&self, region: RegionId) -> bool {
        self.database[region as usize]
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
    catches(project, id, handler, library::catches_database_errors)
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
fn local_symbol(project: &Project, id: FunctionId, path: Name) -> Option<Symbol> {
    let facts = &project.file(id.file).facts;
    let mut parts = path.split('.');
    let first = Name::new(parts.next()?);
    let import = facts.imports.iter().rev().find(|import| import.binds == first)?;
    let mut symbol = project.imported(id.file, import)?;
    for part in parts {
        symbol = project.member(symbol, Name::new(part))?;
    }
    Some(symbol)
}

/// Where an exception lands that is raised in a region of a function.
#[derive(Debug, Default)]
pub(super) struct Landings {
    /// The blocks, and whether an error of the database may come there.
    pub(super) blocks: Vec<(crate::facts::BlockId, bool)>,
    /// Whether an exception may leave the function.
    pub(super) escapes: bool,
    /// Whether an error of the database may.
    pub(super) database_escapes: bool,
}

/// Where an exception lands that is raised in a region.
pub(super) fn landings(function: &Function, passing: &Passing, region: Option<RegionId>) -> Landings {
    let mut found = Landings { escapes: true, database_escapes: true, ..Landings::default() };
    let mut at = region;
    while let Some(id) = at {
        let region = &function.regions[id as usize];
        let reaches = found.database_escapes;
        found.blocks.extend(region.lands.iter().map(|&block| (block, reaches)));
        found.database_escapes &= passing.database(id);
        found.escapes &= passing.anything(id);
        if !found.escapes {
            break;
        }
        at = region.parent;
    }
    found
}
