//! flow/observe/mend: what would mend what was seen, as far as the outline of the code tells.

use std::collections::BTreeSet;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::{Function, Imported, Next, StepId, StepKind};
use crate::name::Name;
use crate::project::{ClassId, FileId, FunctionId, Lookup, Project, Symbol};
use crate::remedy::{Act, Binding, Deed};

use super::super::name_use;
use super::Observer;

mod actor;
mod call;
mod custom;
mod handler;
mod name;
mod plan;
mod setter;
mod stamp;
mod time;

pub(super) use custom::Customs;

/// What the files of a program import, and what they define that could be imported.
#[derive(Debug, Default)]
pub(super) struct Habits {
    /// By name: the module it is imported from, where all files agree.
    modules: FxHashMap<Name, Option<Name>>,
    packages: FxHashSet<&'static str>,
    /// The first two parts of what is imported.
    beginnings: FxHashSet<&'static str>,
    /// By name: the class of a module that has it, where it is one alone.
    definitions: FxHashMap<Name, Option<ClassId>>,
}

impl Habits {
    pub(super) fn of(project: &Project) -> Habits {
        let mut habits = Habits::default();
        for file in &project.files {
            for import in &file.facts.imports {
                if import.level == 0 {
                    let module = import.module.as_str();
                    let mut dots = module.match_indices('.').map(|(at, _)| at);
                    let (first, second) = (dots.next(), dots.next());
                    habits.packages.insert(&module[..first.unwrap_or(module.len())]);
                    habits.beginnings.insert(&module[..second.unwrap_or(module.len())]);
                }
                if let Imported::Item(item) = import.item
                    && item == import.binds
                    && import.level == 0
                {
                    let known = habits.modules.entry(item).or_insert(Some(import.module));
                    *known = known.filter(|known| *known == import.module);
                }
            }
        }
        for id in project.class_ids() {
            let class = project.class(id);
            if class.qualname == *class.name {
                habits.definitions.entry(class.name).and_modify(|known| *known = None).or_insert(Some(id));
            }
        }
        habits
    }

    /// Whether any file imports a package.
    pub(super) fn knows(&self, package: &str) -> bool {
        self.packages.contains(package)
    }

    /// The module that all files import a name from which import it at all.
    fn module(&self, name: Name) -> Option<Name> {
        self.modules.get(&name).copied().flatten()
    }
}

impl Observer<'_> {
    /// The act that does something in the file of a function.
    pub(super) fn act(id: FunctionId, deed: Deed) -> Act {
        Act { file: id.file.0 as usize, deed }
    }

    /// What has to be done so that a name means what it should in a function: nothing, or an import. `None` where it means
    /// something else there, or nobody can tell.
    pub(super) fn bound_as(&self, id: FunctionId, binding: &Binding) -> Option<Vec<Act>> {
        let project = self.project;
        let name = Name::new(&binding.name);
        let wanted = match &binding.item {
            Some(item) => format!("{}.{item}", binding.module),
            None => binding.module.clone(),
        };
        let is_wanted = |symbol: Symbol| match symbol {
            Symbol::External(path) => *path == *wanted,
            Symbol::Class(class) => {
                let own = format!("{}.{}", project.module_name(class.file), project.class(class).qualname);
                is_path_to(&own, &wanted)
            }
            Symbol::Function(function) => {
                let own = project.function(function).qualname.clone();
                is_path_to(&format!("{}.{own}", project.module_name(function.file)), &wanted)
            }
            _ => false,
        };
        match project.lookup(id, name) {
            Lookup::Nowhere => Some(vec![Observer::act(id, Deed::Bind(binding.clone()))]),
            Lookup::Global(symbol) => is_wanted(symbol).then(Vec::new),
            Lookup::Local => name_use::local_import(project, id, name).is_some_and(is_wanted).then(Vec::new),
            Lookup::Builtin | Lookup::Perhaps => None,
        }
    }

    /// The path by which a module of the program can be imported: from a package that some import begins with.
    fn importable(&self, file: FileId) -> Option<String> {
        self.importable_path(&self.project.module_name(file))
    }

    fn importable_path(&self, path: &str) -> Option<String> {
        let parts: Vec<&str> = path.split('.').collect();
        let habits = self.habits();
        let begins = |at: &usize| habits.knows(parts[*at]);
        // A folder around the package may be called like it.
        let is_used = |at: &usize| {
            parts
                .get(at + 1)
                .is_some_and(|next| habits.beginnings.contains(format!("{}.{next}", parts[*at]).as_str()))
        };
        let all = || (0..parts.len()).filter(begins);
        let first = all().find(is_used).or_else(|| all().next())?;
        Some(parts[first..].join("."))
    }

    /// How the program binds a name elsewhere: as the one module-level definition there is, or as all files import it.
    pub(super) fn usual_binding(&self, name: Name) -> Option<Binding> {
        if let Some(module) = self.habits().module(name) {
            return Some(Binding::item(module.as_str(), name.as_str()));
        }
        let only = self.habits().definitions.get(&name).copied().flatten()?;
        self.importable(only.file).map(|module| Binding::item(module, name.as_str()))
    }
}

/// The steps of the block that a step lies in: code that runs from its first to its last, without a fork.
fn straight(function: &Function, step: StepId) -> std::ops::Range<StepId> {
    let block = function.blocks.iter().find(|block| (block.start..block.end).contains(&step));
    block.map_or(step..step + 1, |block| block.start..block.end)
}

/// Where control goes on from a block when nothing is raised, or a `with` swallows what was.
fn successors(function: &Function, block: usize) -> Vec<usize> {
    let next = &function.blocks[block].next;
    let swallowed = match next {
        Next::Resume { swallowed: Some((_, block)) } => Some(*block),
        _ => None,
    };
    super::behind::next(next).into_iter().chain(swallowed).map(|block| block as usize).collect()
}

/// Whether a block can be reached from the beginning of a function without going through any block that is to be avoided.
fn is_reached(function: &Function, target: usize, avoid: &dyn Fn(usize) -> bool) -> bool {
    let mut seen = BTreeSet::from([0]);
    let mut waiting = vec![0];
    while let Some(block) = waiting.pop() {
        if block == target {
            return true;
        }
        let mut next = if avoid(block) { Vec::new() } else { successors(function, block) };
        // An exception may leave a block before any of its steps is done.
        let mut region = function.blocks[block].region;
        while let Some(at) = region {
            let region_here = &function.regions[at as usize];
            next.extend(region_here.lands.iter().map(|block| *block as usize));
            region = region_here.parent.filter(|_| region_here.passes);
        }
        waiting.extend(next.into_iter().filter(|block| seen.insert(*block)));
    }
    false
}

/// The blocks that control can come to behind the block of a step.
fn behind(function: &Function, step: StepId) -> BTreeSet<usize> {
    let mut seen = BTreeSet::new();
    let mut waiting: Vec<usize> = block_of(function, step).into_iter().collect();
    while let Some(block) = waiting.pop() {
        waiting.extend(successors(function, block).into_iter().filter(|next| seen.insert(*next)));
    }
    seen
}

/// The block that a step lies in.
fn block_of(function: &Function, step: StepId) -> Option<usize> {
    function.blocks.iter().position(|block| (block.start..block.end).contains(&step))
}

/// Whether every path that leaves the function normally after one step comes by a later one.
fn leads_to(function: &Function, from: StepId, to: StepId) -> bool {
    let (Some(first), Some(last)) = (block_of(function, from), block_of(function, to)) else { return false };
    if first == last {
        return from <= to;
    }
    let mut seen = BTreeSet::from([first]);
    let mut waiting = vec![first];
    let mut arrives = false;
    while let Some(block) = waiting.pop() {
        // An exception takes the change with it, or is not this function's to judge.
        if function.blocks[block].next == Next::Leave {
            return false;
        }
        for next in successors(function, block) {
            arrives |= next == last;
            if next != last && seen.insert(next) {
                waiting.push(next);
            }
        }
    }
    arrives
}

/// Whether every path that arrives at a step has gone past an earlier one.
fn comes_before(function: &Function, first: StepId, then: StepId) -> bool {
    match (block_of(function, first), block_of(function, then)) {
        (Some(before), Some(after)) if before == after => first < then,
        (Some(before), Some(after)) => !is_reached(function, after, &|block| block == before),
        _ => false,
    }
}

/// The name that a value is bound to by an assignment of its own, awaited or not.
fn bound_name(function: &Function, value: StepId) -> Option<(Name, StepId)> {
    let awaited =
        |step: StepId| matches!(function.steps[step as usize].kind, StepKind::Await(of) if of == value);
    (value..).zip(&function.steps[value as usize..]).find_map(|(number, step)| match step.kind {
        StepKind::Bind { name, value: bound, .. } if bound == value || awaited(bound) => Some((name, number)),
        _ => None,
    })
}

/// Whether an import path leads to something whose full path, from the top of the scanned folders, is given.
fn is_path_to(full: &str, path: &str) -> bool {
    full.strip_suffix(path).is_some_and(|above| above.is_empty() || above.ends_with('.'))
}
