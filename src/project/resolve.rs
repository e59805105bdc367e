//! project/resolve: what a name means: over scopes, imports, star imports and attributes of modules.

use crate::facts::{Bound, Export, FunctionKind, Import, Imported};
use crate::name::Name;

use super::{ClassId, FileId, FunctionId, Global, Project, Symbol, builtin};

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
        if builtin::is_builtin(&name) {
            return Lookup::Builtin;
        }
        let mut perhaps = false;
        for &star in module.stars.iter().rev() {
            match self.star(file, star, name, 0) {
                Starred::Symbol(symbol) => return Lookup::Global(symbol),
                Starred::Perhaps => perhaps = true,
                Starred::No => {}
            }
        }
        if perhaps {
            Lookup::Perhaps
        } else if assigned_elsewhere() {
            Lookup::Global(Symbol::Variable(file, name))
        } else {
            Lookup::Nowhere
        }
    }

    /// What a dotted path means at the top level of a module.
    pub fn resolve_path(&self, file: FileId, path: Name) -> Option<Symbol> {
        let mut parts = path.split('.');
        let first = Name::new(parts.next()?);
        let mut symbol = self.global(file, first)?;
        for part in parts {
            symbol = self.member(symbol, Name::new(part))?;
        }
        Some(symbol)
    }

    /// What a name at the top level of a module stands for, star imports included.
    pub fn global(&self, file: FileId, name: Name) -> Option<Symbol> {
        self.global_within(file, name, 0)
    }

    /// What an attribute of a symbol stands for.
    pub fn member(&self, symbol: Symbol, name: Name) -> Option<Symbol> {
        self.member_within(symbol, name, 0)
    }

    /// What an import binds.
    pub fn imported(&self, file: FileId, import: &Import) -> Option<Symbol> {
        self.imported_within(file, import, 0)
    }

    fn global_within(&self, file: FileId, name: Name, steps: usize) -> Option<Symbol> {
        if steps > LONGEST_CHAIN {
            return None;
        }
        let entry = self.file(file);
        match entry.globals.get(&name) {
            Some(&Global::Import(index)) => {
                self.imported_within(file, &entry.facts.imports[index], steps + 1)
            }
            Some(&Global::Class(index)) => Some(Symbol::Class(ClassId { file, index: index as u32 })),
            Some(&Global::Function(index)) => {
                Some(Symbol::Function(FunctionId { file, index: index as u32 }))
            }
            Some(Global::Variable) => Some(Symbol::Variable(file, name)),
            None => {
                let module = entry.facts.functions.first()?;
                module.stars.iter().rev().find_map(|&star| match self.star(file, star, name, steps + 1) {
                    Starred::Symbol(symbol) => Some(symbol),
                    _ => None,
                })
            }
        }
    }

    fn member_within(&self, symbol: Symbol, name: Name, steps: usize) -> Option<Symbol> {
        match symbol {
            Symbol::Module(file) => self
                .global_within(file, name, steps + 1)
                .or_else(|| self.module_at(self.module_name(file).join(&name))),
            Symbol::Package(path) => self.module_at(path.join(&name)),
            Symbol::External(path) => Some(Symbol::External(path.join(&name))),
            Symbol::Class(class) => {
                // A class nested in the class.
                let qualname = format!("{}.{name}", self.class(class).qualname);
                let classes = &self.file(class.file).facts.classes;
                let index = classes.iter().position(|inner| inner.qualname == qualname)?;
                Some(Symbol::Class(ClassId { file: class.file, index: index as u32 }))
            }
            Symbol::Function(_) | Symbol::Variable(..) => None,
        }
    }

    fn imported_within(&self, file: FileId, import: &Import, steps: usize) -> Option<Symbol> {
        if steps > LONGEST_CHAIN {
            return None;
        }
        match import.item {
            Imported::Root => Some(self.absolute_module(file, import.binds)),
            Imported::Module => Some(self.absolute_module(file, import.module)),
            Imported::Star => None,
            Imported::Item(name) => {
                let module = self.import_module(file, import)?;
                // `from package import x` prefers what the package binds to a submodule of that name.
                self.member_within(module, name, steps + 1)
            }
        }
    }

    /// The module an import takes something from.
    fn import_module(&self, file: FileId, import: &Import) -> Option<Symbol> {
        match import.level {
            0 => Some(self.absolute_module(file, import.module)),
            level => self.relative_module(file, level, &import.module),
        }
    }

    fn star(&self, file: FileId, star: usize, name: Name, steps: usize) -> Starred {
        if steps > LONGEST_CHAIN {
            return Starred::Perhaps;
        }
        let import = &self.file(file).facts.imports[star];
        match self.import_module(file, import) {
            Some(Symbol::Module(from)) if from != file => match self.exports(from, name, steps + 1) {
                Exported::Yes => self
                    .member_within(Symbol::Module(from), name, steps + 1)
                    .map_or(Starred::Perhaps, Starred::Symbol),
                Exported::No => Starred::No,
                Exported::Perhaps => Starred::Perhaps,
            },
            Some(Symbol::Module(_)) => Starred::No,
            _ => Starred::Perhaps,
        }
    }

    /// Whether a star import of a module brings a name.
    fn exports(&self, file: FileId, name: Name, steps: usize) -> Exported {
        if steps > LONGEST_CHAIN {
            return Exported::Perhaps;
        }
        let facts = &self.file(file).facts;
        let Some(exports) = &facts.exports else {
            if name.starts_with('_') {
                return Exported::No;
            }
            let module = &facts.functions[0];
            if binds(&module.bound, name) {
                return Exported::Yes;
            }
            let mut found = Exported::No;
            for &star in &module.stars {
                match self.star(file, star, name, steps + 1) {
                    Starred::Symbol(_) => return Exported::Yes,
                    Starred::Perhaps => found = Exported::Perhaps,
                    Starred::No => {}
                }
            }
            return found;
        };
        let mut found = Exported::No;
        for export in exports {
            match export {
                Export::Names(names) if names.contains(&name) => return Exported::Yes,
                Export::Names(_) => {}
                Export::Unknown => found = Exported::Perhaps,
                Export::Of(path) => {
                    let module = path.strip_suffix(".__all__").map(Name::new);
                    match module.and_then(|module| self.resolve_path(file, module)) {
                        Some(Symbol::Module(other)) if other != file => {
                            match self.exports(other, name, steps + 1) {
                                Exported::Yes => return Exported::Yes,
                                Exported::Perhaps => found = Exported::Perhaps,
                                Exported::No => {}
                            }
                        }
                        _ => found = Exported::Perhaps,
                    }
                }
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
