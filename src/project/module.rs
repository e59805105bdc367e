//! project/module: which file a dotted module path means, seen from the file that imports it.

use crate::name::Name;

use super::{FileId, Project, Symbol, builtin};

impl Project {
    pub(super) fn index_modules(&mut self) {
        for (index, file) in self.files.iter().enumerate() {
            let id = FileId(index as u32);
            let path = file.source.display_path();
            let (dotted, is_package) = named(&path);
            let name = Name::new(&dotted.trim_start_matches('/').replace('/', "."));
            // A package's own file wins over a module of the same name beside it, as in Python.
            if is_package && !path.ends_with("/main.rs") || !self.modules.contains_key(&name) {
                self.modules.insert(name, id);
            }
            self.module_names.push(name);
            self.by_last_part.entry(name.last()).or_default().push(id);
            let mut folder = name.as_str();
            while let Some((parent, _)) = folder.rsplit_once('.') {
                if !self.packages.insert(Name::new(parent)) {
                    break;
                }
                folder = parent;
            }
        }
    }

    /// The dotted path of a file's module, from the top of the paths as they were given.
    pub fn module_name(&self, file: FileId) -> Name {
        self.module_names[file.0 as usize]
    }

    /// Whether a module or package of the program goes by this name, at whatever depth.
    pub fn has_package(&self, name: &str) -> bool {
        self.module_names.iter().any(|module| module.split('.').any(|part| part == name))
    }

    /// Whether a dotted path is that of a package with a file of its own.
    pub fn is_package_name(&self, name: &str) -> bool {
        self.modules.get(&Name::new(name)).is_some_and(|file| self.is_package(*file))
    }

    /// Whether the file is a package's `__init__`.
    pub fn is_package(&self, file: FileId) -> bool {
        named(&self.file(file).source.display_path()).1
    }

    /// Whether a file holds tests.
    pub fn is_test(&self, file: FileId) -> bool {
        self.module_name(file).split('.').any(|part| {
            matches!(part, "test" | "tests" | "conftest")
                || part.starts_with("test_")
                || part.ends_with("_test")
        })
    }

    /// Whether a file holds a command of Django's `manage.py`.
    pub fn is_command(&self, file: FileId) -> bool {
        let name = self.module_name(file);
        name.starts_with("management.commands.") || name.contains(".management.commands.")
    }

    /// What a relative import's dots and path mean in a file.
    pub(super) fn relative_module(&self, from: FileId, level: u32, module: &str) -> Option<Symbol> {
        let mut base = self.module_name(from).as_str();
        let ups = if self.is_package(from) { level - 1 } else { level };
        for _ in 0..ups {
            base = base.rsplit_once('.').map_or("", |(parent, _)| parent);
        }
        let path = match (base, module) {
            ("", module) => module.to_owned(),
            (base, "") => base.to_owned(),
            (base, module) => format!("{base}.{module}"),
        };
        self.module_at(Name::new(&path))
    }

    /// What an absolute module path means, seen from a file: first below the folders around it, then anywhere.
    pub(super) fn absolute_module(&self, from: FileId, module: Name) -> Symbol {
        if let Some(found) = self.module_around(from, module) {
            return found;
        }
        let top = module.split('.').next().unwrap_or(&module);
        // A source folder beside this one (`src/`, another service's library): only when there is no doubt.
        if !builtin::is_standard_module(top) {
            let suffix = format!(".{module}");
            let candidates = self.by_last_part.get(module.last()).map_or(&[][..], Vec::as_slice);
            let mut fitting = candidates.iter().filter(|&&file| {
                let name = self.module_name(file);
                let Some(start) = name.strip_suffix(&suffix) else { return false };
                self.may_start(start)
            });
            if let (Some(&only), None) = (fitting.next(), fitting.next()) {
                return Symbol::Module(only);
            }
        }
        Symbol::External(module)
    }

    /// What an absolute module path means below the folders around a file.
    pub(super) fn module_around(&self, from: FileId, module: Name) -> Option<Symbol> {
        let top = module.split('.').next().unwrap_or(&module);
        // Names of the standard library are its own.
        if module.as_str() == top && builtin::is_standard_module(top) {
            return None;
        }
        let mut folder = self.module_name(from).as_str();
        loop {
            folder = folder.rsplit_once('.').map_or("", |(parent, _)| parent);
            // A folder inside a package is no place Python starts from.
            if self.may_start(folder) {
                let full = if folder.is_empty() { module } else { Name::new(&format!("{folder}.{module}")) };
                if let Some(found) = self.module_at(full) {
                    return Some(found);
                }
            }
            if folder.is_empty() {
                return None;
            }
        }
    }

    /// Whether Python may look for modules in a folder: it stands in no package, however deep.
    fn may_start(&self, folder: &str) -> bool {
        let mut at = folder;
        loop {
            if !at.is_empty() && self.modules.contains_key(&Name::new(at)) {
                return false;
            }
            match at.rsplit_once('.') {
                Some((above, _)) => at = above,
                None => return true,
            }
        }
    }

    /// The module or folder at a full dotted path.
    pub(super) fn module_at(&self, path: Name) -> Option<Symbol> {
        if let Some(&file) = self.modules.get(&path) {
            return Some(Symbol::Module(file));
        }
        self.packages.contains(&path).then_some(Symbol::Package(path))
    }
}

/// The slashed path of the module that a file is, and whether modules of a folder lie below it.
fn named(path: &str) -> (&str, bool) {
    let folder_of = |stem: &str| -> Option<usize> {
        let (folder, own) = stem.rsplit_once('/').unwrap_or(("", stem));
        matches!(own, "mod" | "lib" | "main").then_some(folder.len())
    };
    match path.strip_suffix(".rs") {
        Some(stem) => match folder_of(stem) {
            Some(folder) => (&stem[..folder], true),
            None => (stem, false),
        },
        None => {
            let stem = path.strip_suffix(".py").unwrap_or(path);
            match stem.strip_suffix("__init__") {
                Some(folder) => (folder.trim_end_matches('/'), true),
                None => (stem, false),
            }
        }
    }
}
