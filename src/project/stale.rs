//! project/stale: imports of what the project has no more: a module, a name in a module, a path that was renamed.
//!
//! It must be certain. A module counts as gone only where its package is the project's own, lies open before us and
//! holds nothing of that name, scanned or not; a name only where the module cannot make it up as it runs.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::{Function, HandlerId, Import, Imported, RegionKind, StepKind};
use crate::name::Name;
use crate::source::Span;

use super::{FileId, FunctionId, Lookup, Project, Symbol, builtin};

/// An import that fails, or will.
#[derive(Clone, Debug)]
pub struct Stale {
    /// The function whose code imports.
    pub function: FunctionId,
    /// The item that is imported.
    pub span: Span,
    /// What is wrong with it.
    pub gone: Gone,
    /// The one module of the project that defines the name today.
    pub now_in: Option<Name>,
    /// What the import is for.
    pub purpose: Purpose,
}

/// What an import names that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gone {
    /// A module, by its path.
    Module(Name),
    /// A name in a module.
    Name {
        /// The module.
        module: Name,
        /// The name.
        name: Name,
    },
    /// A path that has another name now.
    Renamed {
        /// The old path.
        old: Name,
        /// The new path.
        new: Name,
    },
}

/// What an import is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The code that runs.
    Running,
    /// The type checker alone.
    Types,
    /// A try whose failure something catches that catches everything.
    Attempt,
}

/// Parts of the names of modules that are generated when the project is built or installed.
const GENERATED: &[&str] =
    &["pb2", "generated", "version", "build", "local_settings", "settings_local", "secrets"];

impl Project {
    /// All imports that are stale; `renamed` says which paths have other names now.
    pub fn stale_imports(&self, renamed: &BTreeMap<String, String>) -> Vec<Stale> {
        // Whether a path leads somewhere in Rust, the compiler has said.
        let files: Vec<FileId> = self.file_ids().filter(|file| !self.is_rust(*file)).collect();
        let elsewhere = Elsewhere::of(self);
        let of_file = |&file: &FileId| self.stale_in(file, renamed, &elsewhere);
        let of_files: Vec<InFile> = files.par_iter().map(of_file).collect();
        let mut found = Vec::new();
        // How many imports by a top package lead somewhere, and how many do not.
        let mut known: FxHashMap<Name, (usize, usize)> = FxHashMap::default();
        for of_file in of_files {
            for (top, is_gone) in of_file.counted {
                let count = known.entry(top).or_default();
                if is_gone { count.1 += 1 } else { count.0 += 1 }
            }
            found.extend(of_file.stale);
        }
        // A folder named like a library is not what is imported by that name, and then most such imports lead nowhere.
        // So does a folder deep inside a package that is imported by its own name.
        let lies_within =
            |top: Name, other: &Name| top.strip_prefix(&**other).is_some_and(|rest| rest.starts_with('.'));
        let is_inside =
            |top: Name| known.iter().any(|(other, (there, _))| *there > 0 && lies_within(top, other));
        let is_own = |top: &Option<Name>| {
            top.is_none_or(|top| {
                known.get(&top).is_some_and(|(there, gone)| there >= gone) && !is_inside(top)
            })
        };
        found.retain(|(top, stale)| matches!(stale.gone, Gone::Renamed { .. }) || is_own(top));
        let mut found: Vec<Stale> = found.into_iter().map(|(_, stale)| stale).collect();
        // What is missing is one thing, however many names one statement wants from it.
        found.dedup_by(|next, first| {
            let between = Span { start: first.span.end, end: next.span.start };
            let is_module = matches!(next.gone, Gone::Module(_) | Gone::Renamed { .. });
            is_module
                && next.gone == first.gone
                && next.function == first.function
                && between.start <= between.end
                && !self.text(next.function.file, between).contains("import")
        });
        found
    }

    /// What is stale in one file.
    fn stale_in(&self, file: FileId, renamed: &BTreeMap<String, String>, elsewhere: &Elsewhere) -> InFile {
        let mut found = InFile::default();
        for (function, index, site) in self.import_sites(file) {
            let import = &self.file(file).facts.imports[index];
            let top = self.top(file, import);
            // What is relative is the project's own beyond doubt.
            let doubted = top.filter(|_| import.level == 0);
            let renaming = renaming(import, renamed);
            let is_renamed = renaming.is_some();
            let gone = renaming.or_else(|| self.gone(file, import, top?, elsewhere));
            found.counted.extend(doubted.filter(|_| !is_renamed).map(|top| (top, gone.is_some())));
            let Some(gone) = gone else { continue };
            let Some(purpose) = self.purpose(file, function, import, site) else { continue };
            let function = FunctionId { file, index: function as u32 };
            let now_in = elsewhere.defined_in(self, import);
            found.stale.push((doubted, Stale { function, span: import.span, gone, now_in, purpose }));
        }
        found
    }

    /// The imports of a file with the function and the regions they stand in, each once.
    fn import_sites(&self, file: FileId) -> Vec<(usize, usize, Option<u32>)> {
        let mut found = Vec::new();
        let mut seen = FxHashSet::default();
        for (at, function) in self.file(file).facts.functions.iter().enumerate() {
            for block in &function.blocks {
                for step in &function.steps[block.start as usize..block.end as usize] {
                    if let StepKind::Import(index) = step.kind
                        && seen.insert(self.file(file).facts.imports[index].span)
                    {
                        found.push((at, index, block.region));
                    }
                }
            }
        }
        found
    }

    /// What an import is for; nothing where it is allowed to fail.
    fn purpose(
        &self,
        file: FileId,
        function: usize,
        import: &Import,
        region: Option<u32>,
    ) -> Option<Purpose> {
        let outline = &self.file(file).facts.functions[function];
        let span = import.span;
        let mut purpose = Purpose::Running;
        for handler in &outline.handlers {
            let guards = handler.body_span.contains(span);
            if !guards && !handler.span.contains(span) {
                continue;
            }
            let siblings = match outline.regions[handler.body as usize].kind {
                RegionKind::Try { first, end } => first..end,
                _ => continue,
            };
            match siblings.map(|number| self.takes(file, outline, number)).max() {
                Some(Takes::ImportErrors) => return None,
                // At the top of a module nobody writes a `try` but for imports.
                Some(Takes::Everything) if function == 0 => return None,
                Some(Takes::Everything) if guards => purpose = Purpose::Attempt,
                _ => {}
            }
        }
        let mut at = region;
        while let Some(number) = at {
            let region = &outline.regions[number as usize];
            if let RegionKind::With(enter) = region.kind
                && self.text(file, outline.steps[enter as usize].span).contains("suppress(")
            {
                return None;
            }
            at = region.parent;
        }
        let is_for_types = |name: Name| outline.bound.iter().any(|b| b.name == name && b.only_for_types);
        Some(if is_for_types(import.binds) { Purpose::Types } else { purpose })
    }

    fn takes(&self, file: FileId, function: &Function, number: HandlerId) -> Takes {
        let handler = &function.handlers[number as usize];
        let named = handler.catches.iter().map(|&step| {
            let text = self.text(file, function.steps[step as usize].span);
            match text.rsplit('.').next().unwrap_or(text) {
                "Exception" | "BaseException" => Takes::Everything,
                "ImportError" | "ModuleNotFoundError" => Takes::ImportErrors,
                // A tuple with a name of its own may hold anything.
                text if text == text.to_uppercase() => Takes::ImportErrors,
                _ => Takes::Others,
            }
        });
        named.max().unwrap_or(Takes::Everything)
    }

    fn text(&self, file: FileId, span: Span) -> &str {
        self.file(file).source.slice(span)
    }

    /// The full path of an import's module; nothing where a relative one leads out of what was scanned.
    fn full_module(&self, file: FileId, import: &Import) -> Option<Name> {
        if import.level == 0 {
            return Some(import.module);
        }
        let ups = if self.is_package(file) { import.level - 1 } else { import.level };
        let mut base = self.module_name(file).as_str();
        for _ in 0..ups {
            base = base.rsplit_once('.')?.0;
        }
        Some(if import.module.is_empty() { Name::new(base) } else { Name::new(base).join(&import.module) })
    }

    /// The top package of the project that an import begins with.
    fn top(&self, file: FileId, import: &Import) -> Option<Name> {
        let module = self.full_module(file, import)?;
        let first = Name::new(module.split('.').next().unwrap_or(&module));
        if import.level > 0 {
            return Some(first);
        }
        // A folder elsewhere in the tree may only be called like it.
        match self.module_around(file, first)? {
            Symbol::Module(found) => Some(self.module_name(found)),
            Symbol::Package(path) => Some(path),
            _ => None,
        }
    }

    fn gone(&self, file: FileId, import: &Import, top: Name, elsewhere: &Elsewhere) -> Option<Gone> {
        let module = self.full_module(file, import)?;
        if builtin::is_standard_module(module.split('.').next().unwrap_or(&module)) && import.level == 0 {
            return None;
        }
        let found = match import.level {
            0 => match self.absolute_module(file, module) {
                Symbol::External(_) => None,
                found => Some(found),
            },
            _ => self.module_at(&module),
        };
        let Some(found) = found else { return self.gone_module(top, module, elsewhere) };
        let Imported::Item(name) = import.item else { return None };
        if self.member(found, name).is_some() {
            return None;
        }
        match found {
            Symbol::Module(from) => {
                let may_be_there = || {
                    is_special(&name)
                        || self.makes_up_names(from)
                        || self.is_bound_for_types(from, name)
                        || self.is_package(from) && self.may_hold(self.module_name(from), name)
                };
                let found = self.lookup(FunctionId { file: from, index: 0 }, name);
                (found == Lookup::Nowhere && !may_be_there()).then_some(Gone::Name { module, name })
            }
            Symbol::Package(path) if !self.may_hold(path, name) => Some(Gone::Module(module.join(&name))),
            _ => None,
        }
    }

    /// The first part of a module's path that is not there.
    fn gone_module(&self, top: Name, module: Name, elsewhere: &Elsewhere) -> Option<Gone> {
        // The same path below another folder may be meant.
        if elsewhere.holds(module) {
            return None;
        }
        let mut at = top;
        for part in module.split('.').skip(1) {
            let below = at.join(part);
            if self.module_at(&below).is_some() {
                at = below;
                continue;
            }
            if let Some(&file) = self.modules.get(at.as_str())
                && (self.makes_up_names(file) || !self.file(file).facts.gaps.is_empty())
            {
                return None;
            }
            return (!self.may_hold(at, Name::new(part))).then_some(Gone::Module(module));
        }
        None
    }

    /// Whether a package may hold a module that was not scanned, or that is made later.
    fn may_hold(&self, package: Name, part: Name) -> bool {
        let lower = part.to_lowercase();
        let is_generated = part.starts_with('_') || GENERATED.iter().any(|sign| lower.contains(sign));
        is_generated || self.unread.contains(&package.join(&part)) || self.unread.contains(&package.join("*"))
    }

    /// Whether a module may have names that no statement of it binds.
    fn makes_up_names(&self, file: FileId) -> bool {
        let facts = &self.file(file).facts;
        let mentions = |step: &StepKind| match step {
            StepKind::Name(name) => {
                matches!(&**name, "globals" | "exec" | "eval" | "vars" | "locals" | "setattr" | "__path__")
            }
            StepKind::Bind { name, .. } => matches!(&**name, "__path__" | "__getattr__"),
            StepKind::Attribute { name, .. } => matches!(&**name, "modules" | "__dict__" | "attach"),
            _ => false,
        };
        !facts.gaps.is_empty()
            || self.gets_names_of_libraries(file)
            || facts.functions.iter().any(|function| function.steps.iter().any(|step| mentions(&step.kind)))
    }

    fn is_bound_for_types(&self, file: FileId, name: Name) -> bool {
        self.file(file).facts.functions[0].bound.iter().any(|bound| bound.name == name)
    }
}

/// What was found in one file.
#[derive(Default)]
struct InFile {
    /// What is stale, and the top package that it is imported by, where that could be another one's.
    stale: Vec<(Option<Name>, Stale)>,
    /// By import: its top package, and whether what it asks for is gone.
    counted: Vec<(Name, bool)>,
}

/// Where else in the program a path may lead.
struct Elsewhere {
    /// All modules and folders, by the last part of their paths.
    paths: FxHashMap<&'static str, Vec<&'static str>>,
    /// By name: the file that defines it at its top level, where it is the only one.
    definitions: OnceLock<FxHashMap<Name, Option<FileId>>>,
}

impl Elsewhere {
    fn of(project: &Project) -> Elsewhere {
        let mut paths: FxHashMap<&'static str, Vec<&'static str>> = FxHashMap::default();
        let modules = project.module_names.iter().map(|name| name.as_str());
        for path in modules.chain(project.packages.iter().copied()) {
            paths.entry(path.rsplit('.').next().unwrap_or(path)).or_default().push(path);
        }
        Elsewhere { paths, definitions: OnceLock::new() }
    }

    /// Whether a module or folder goes by a path, at whatever depth.
    fn holds(&self, module: Name) -> bool {
        let is_it = |path: &&str| {
            path.strip_suffix(module.as_str()).is_some_and(|above| above.is_empty() || above.ends_with('.'))
        };
        self.paths.get(module.last()).is_some_and(|paths| paths.iter().any(is_it))
    }

    /// The only module of the project that defines what an import asks for.
    fn defined_in(&self, project: &Project, import: &Import) -> Option<Name> {
        let Imported::Item(name) = import.item else { return None };
        let definitions = self.definitions.get_or_init(|| definitions(project));
        let file = definitions.get(&name).copied().flatten()?;
        Some(project.module_name(file))
    }
}

/// By name: the file that defines it at its top level, where it is the only one.
fn definitions(project: &Project) -> FxHashMap<Name, Option<FileId>> {
    let mut found: FxHashMap<Name, Option<FileId>> = FxHashMap::default();
    for file in project.file_ids() {
        let facts = &project.file(file).facts;
        let classes = facts.classes.iter().map(|class| (class.name, &class.qualname));
        let functions = facts.functions.iter().map(|function| (function.name, &function.qualname));
        for (name, _) in classes.chain(functions).filter(|(name, qualname)| **name == **qualname) {
            let known = found.entry(name).or_insert(Some(file));
            *known = known.filter(|known| *known == file);
        }
    }
    found
}

/// What a clause takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Takes {
    Others,
    Everything,
    ImportErrors,
}

/// Names that every module has.
fn is_special(name: &str) -> bool {
    name.starts_with("__") && name.ends_with("__")
}

/// The renaming that an import has not followed: the longest old path counts.
fn renaming(import: &Import, renamed: &BTreeMap<String, String>) -> Option<Gone> {
    if import.level > 0 {
        return None;
    }
    let full = match import.item {
        Imported::Item(name) => import.module.join(&name),
        _ => import.module,
    };
    let begins = |old: &&String| {
        full.strip_prefix(old.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let old = renamed.keys().filter(begins).max_by_key(|old| old.len())?;
    Some(Gone::Renamed { old: Name::new(old), new: Name::new(&renamed[old]) })
}
