//! project/resolve: what a name means: over scopes, imports, star imports and attributes of modules.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::facts::{Bound, Export, Function, FunctionKind, Import, Imported, Term};
use crate::name::Name;

use super::{ClassId, File, FileId, FunctionId, Global, Project, Symbol, builtin};

/// How many imports one name may be followed through.
const LONGEST_CHAIN: usize = 32;

/// What looking a name up at run time would give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// Bound by the scope of a function around the place.
    Local,
    /// Bound at the top level of the module, or by a star import; this is what it stands for.
    Global(Symbol),
    /// Always bound.
    Builtin,
    /// A star import from outside the project, or an export list that could not be evaluated, may bind it.
    Perhaps,
    /// Bound nowhere.
    Nowhere,
}

impl Project {
    /// What a name means where a function's code reads it.
    pub fn lookup(&self, function: FunctionId, name: Name) -> Lookup {
        let file = function.file;
        let mut at = Some(function.index as usize);
        let mut innermost = true;
        while let Some(index) = at {
            let scope = &self.file(file).facts.functions[index];
            let is_module = scope.kind == FunctionKind::Module;
            // The names of a class body are seen by the body alone, not by the functions in it.
            let sees = innermost || scope.kind != FunctionKind::ClassBody;
            if !is_module && sees && !scope.outer_names.contains(&name) && binds(&scope.bound, name) {
                return Lookup::Local;
            }
            if !is_module && !scope.stars.is_empty() {
                return Lookup::Perhaps;
            }
            innermost = false;
            at = scope.parent;
        }
        self.lookup_in_module(file, name)
    }

    fn lookup_in_module(&self, file: FileId, name: Name) -> Lookup {
        let module = &self.file(file).facts.functions[0];
        let assigned_elsewhere = || {
            // `global name` in a function binds the module's name when that function runs.
            let functions = &self.file(file).facts.functions;
            functions.iter().any(|f| f.outer_names.contains(&name) && f.bound.iter().any(|b| b.name == name))
        };
        if binds(&module.bound, name) {
            return Lookup::Global(self.global(file, name).unwrap_or(Symbol::Variable(file, name)));
        }
        let is_rust = self.is_rust(file);
        if builtin::is_builtin(&name) && !is_rust {
            return Lookup::Builtin;
        }
        let mut perhaps = false;
        let mut search = Search::of(self);
        for &star in module.stars.iter().rev() {
            match search.star(file, star, name) {
                Starred::Symbol(symbol) => return Lookup::Global(symbol),
                Starred::Perhaps => perhaps = true,
                Starred::No => {}
            }
        }
        if is_rust {
            // What neither the file nor the program binds comes from outside.
            Lookup::Global(self.crate_or_external(name))
        } else if perhaps {
            Lookup::Perhaps
        } else if assigned_elsewhere() {
            Lookup::Global(Symbol::Variable(file, name))
        } else {
            Lookup::Nowhere
        }
    }

    /// What a dotted path means at the top level of a module.
    pub fn resolve_path(&self, file: FileId, path: Name) -> Option<Symbol> {
        Search::of(self).path(file, path)
    }

    /// What a name at the top level of a module stands for, star imports included.
    pub fn global(&self, file: FileId, name: Name) -> Option<Symbol> {
        Search::of(self).global(file, name)
    }

    /// The value that a module gives a name at its top level: the last one written.
    pub fn value_of(&self, file: FileId, name: Name) -> Option<&Term> {
        let declared = self.file(file).facts.declared.iter().rev();
        declared.filter(|field| field.name == name).find_map(|field| field.value.as_ref())
    }

    /// What an attribute of a symbol stands for.
    pub fn member(&self, symbol: Symbol, name: Name) -> Option<Symbol> {
        Search::of(self).member(symbol, name)
    }

    /// What an import of a file binds, by its number there.
    pub fn imported(&self, file: FileId, import: usize) -> Option<Symbol> {
        Search::of(self).imported(file, import)
    }

    /// Follows every import once, for all who ask later.
    pub(super) fn follow_imports(&mut self) {
        let modules = self.by_import(|file, import| self.taken_from(file, import));
        self.files.iter_mut().zip(modules).for_each(|(file, modules)| file.modules = modules);
        let imported = self.by_import(|file, import| self.imported(file, import));
        for (file, imported) in self.files.iter_mut().zip(imported) {
            (file.modules, file.imported) = (Vec::new(), imported);
        }
    }

    /// An answer for every import of every file.
    fn by_import(&self, answer: impl Fn(FileId, usize) -> Option<Symbol> + Sync) -> Vec<Vec<Option<Symbol>>> {
        let of_file = |(number, file): (usize, &File)| {
            let id = FileId(number as u32);
            (0..file.facts.imports.len()).map(|import| answer(id, import)).collect()
        };
        self.files.par_iter().enumerate().map(of_file).collect()
    }

    /// The module that an import of Python takes a name from.
    fn taken_from(&self, file: FileId, import: usize) -> Option<Symbol> {
        let import = &self.file(file).facts.imports[import];
        match import.item {
            Imported::Item(_) if !self.is_rust(file) => self.import_module(file, import),
            _ => None,
        }
    }

    /// The module an import takes something from.
    pub(super) fn import_module(&self, file: FileId, import: &Import) -> Option<Symbol> {
        match import.level {
            0 => Some(self.absolute_module(file, import.module)),
            level => self.relative_module(file, level, &import.module),
        }
    }
}

/// One question about a name, on its way over imports.
///
/// Star imports fork, and they may go in circles. So what was asked on the way is kept: no module is asked the same
/// twice, and one that is asked while it looks for the answer itself has nothing to add.
pub(super) struct Search<'p> {
    project: &'p Project,
    depth: usize,
    starred: FxHashMap<(FileId, Name), Option<Symbol>>,
    exported: FxHashMap<(FileId, Name), Exported>,
}

impl<'p> Search<'p> {
    fn of(project: &'p Project) -> Search<'p> {
        Search { project, depth: 0, starred: FxHashMap::default(), exported: FxHashMap::default() }
    }

    /// The program that is searched.
    pub(super) fn project(&self) -> &'p Project {
        self.project
    }

    /// Runs `inner` one step further away, or answers nothing where the chain is too long.
    fn further<T>(&mut self, inner: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.depth >= LONGEST_CHAIN {
            return None;
        }
        self.depth += 1;
        let found = inner(self);
        self.depth -= 1;
        Some(found)
    }

    fn path(&mut self, file: FileId, path: Name) -> Option<Symbol> {
        if self.project.is_rust(file) {
            return self.rust_path(file, &path);
        }
        let mut parts = path.split('.');
        let first = Name::new(parts.next()?);
        let mut symbol = self.global(file, first)?;
        for part in parts {
            symbol = self.member(symbol, Name::new(part))?;
        }
        Some(symbol)
    }

    pub(super) fn global(&mut self, file: FileId, name: Name) -> Option<Symbol> {
        let entry = self.project.file(file);
        match entry.globals.get(&name) {
            Some(&Global::Import(index)) => match entry.imported.get(index) {
                Some(&known) => known,
                None => self.further(|search| search.imported(file, index)).flatten(),
            },
            Some(&Global::Class(index)) => Some(Symbol::Class(ClassId { file, index: index as u32 })),
            Some(&Global::Function(index)) => {
                Some(Symbol::Function(FunctionId { file, index: index as u32 }))
            }
            Some(Global::Variable) => Some(Symbol::Variable(file, name)),
            None => {
                let stars = &entry.facts.functions.first()?.stars;
                if let Some(&known) = self.starred.get(&(file, name)) {
                    return known;
                }
                if stars.is_empty() {
                    return None;
                }
                self.starred.insert((file, name), None);
                let found = stars.iter().rev().find_map(|&star| match self.star(file, star, name) {
                    Starred::Symbol(symbol) => Some(symbol),
                    _ => None,
                });
                self.starred.insert((file, name), found);
                found
            }
        }
    }

    pub(super) fn member(&mut self, symbol: Symbol, name: Name) -> Option<Symbol> {
        let project = self.project;
        match symbol {
            Symbol::Module(file) => self
                .further(|search| search.global(file, name))
                .flatten()
                .or_else(|| project.module_below(project.module_name(file), &name)),
            Symbol::Package(path) => project.module_below(path, &name),
            Symbol::External(path) => Some(Symbol::External(path.join(&name))),
            Symbol::Class(class) => {
                // A class nested in the class.
                if let Some(inner) = project.class_within(class, name) {
                    return Some(Symbol::Class(inner));
                }
                // A module of Rust that is written in the file of another one.
                if !project.is_rust(class.file) {
                    return None;
                }
                let qualname = format!("{}.{name}", project.class(class).qualname);
                let functions = &project.file(class.file).facts.functions;
                let index = functions.iter().position(|inner| inner.qualname == qualname)?;
                Some(Symbol::Function(FunctionId { file: class.file, index: index as u32 }))
            }
            Symbol::Function(_) | Symbol::Variable(..) => None,
        }
    }

    fn imported(&mut self, file: FileId, index: usize) -> Option<Symbol> {
        let entry = self.project.file(file);
        if let Some(&known) = entry.imported.get(index) {
            return known;
        }
        let import = &entry.facts.imports[index];
        if self.project.is_rust(file) {
            return self.further(|search| search.rust_import(file, import)).flatten();
        }
        match import.item {
            Imported::Root => Some(self.project.absolute_module(file, import.binds)),
            Imported::Module => Some(self.project.absolute_module(file, import.module)),
            Imported::Star => None,
            Imported::Item(name) => {
                let module = match entry.modules.get(index) {
                    Some(&known) => known?,
                    None => self.project.import_module(file, import)?,
                };
                // `from package import x` prefers what the package binds to a submodule of that name.
                self.member(module, name)
            }
        }
    }

    fn star(&mut self, file: FileId, star: usize, name: Name) -> Starred {
        let import = &self.project.file(file).facts.imports[star];
        let module = match self.project.is_rust(file) {
            true => self.further(|search| search.rust_path(file, &import.module)).flatten(),
            false => self.project.import_module(file, import),
        };
        match module {
            Some(Symbol::Module(from)) if from != file => match self.exports(from, name) {
                Exported::Yes => {
                    self.member(Symbol::Module(from), name).map_or(Starred::Perhaps, Starred::Symbol)
                }
                Exported::No => Starred::No,
                Exported::Perhaps => Starred::Perhaps,
            },
            Some(Symbol::Module(_)) => Starred::No,
            _ => Starred::Perhaps,
        }
    }

    /// Whether a star import of a module brings a name.
    fn exports(&mut self, file: FileId, name: Name) -> Exported {
        if let Some(&known) = self.exported.get(&(file, name)) {
            return known;
        }
        self.exported.insert((file, name), Exported::No);
        let project = self.project;
        let facts = &project.file(file).facts;
        let found = self.further(|search| match &facts.exports {
            Some(exports) => search.listed(file, exports, name),
            None => search.public(file, &facts.functions[0], name),
        });
        let found = found.unwrap_or(Exported::Perhaps);
        self.exported.insert((file, name), found);
        found
    }

    /// Whether a module that lists nothing exports a name.
    fn public(&mut self, file: FileId, module: &Function, name: Name) -> Exported {
        if name.starts_with('_') {
            return Exported::No;
        }
        if binds(&module.bound, name) {
            return Exported::Yes;
        }
        let mut found = Exported::No;
        for &star in &module.stars {
            match self.star(file, star, name) {
                Starred::Symbol(_) => return Exported::Yes,
                Starred::Perhaps => found = Exported::Perhaps,
                Starred::No => {}
            }
        }
        found
    }

    /// Whether a module that lists what it exports lists a name.
    fn listed(&mut self, file: FileId, exports: &[Export], name: Name) -> Exported {
        let mut found = Exported::No;
        for export in exports {
            let of = match export {
                Export::Names(names) if names.contains(&name) => return Exported::Yes,
                Export::Names(_) => continue,
                Export::Unknown => Exported::Perhaps,
                Export::Of(path) => {
                    let module = path.strip_suffix(".__all__").map(Name::new);
                    match module.and_then(|module| self.path(file, module)) {
                        Some(Symbol::Module(other)) if other != file => self.exports(other, name),
                        _ => Exported::Perhaps,
                    }
                }
            };
            match of {
                Exported::Yes => return Exported::Yes,
                Exported::Perhaps => found = Exported::Perhaps,
                Exported::No => {}
            }
        }
        found
    }
}

enum Starred {
    Symbol(Symbol),
    Perhaps,
    No,
}

#[derive(Clone, Copy)]
enum Exported {
    Yes,
    Perhaps,
    No,
}

fn binds(bound: &[Bound], name: Name) -> bool {
    bound.binary_search_by_key(&name, |bound| bound.name).is_ok_and(|index| !bound[index].only_for_types)
}
