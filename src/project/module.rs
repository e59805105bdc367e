//! project/module: which file a dotted module path means, seen from the file that imports it.

use crate::name::Name;
use crate::source::{Language, Source};

use super::{FileId, Project, Symbol, builtin};

impl Project {
    pub(super) fn index_modules(&mut self) {
        for (index, file) in self.files.iter().enumerate() {
            let id = FileId(index as u32);
            let (name, rank) = named(&file.source);
            self.module_names.push(name);
            if rank == Rank::None {
                continue;
            }
            // A package's own file wins over a module of the same name beside it, as in Python.
            let known = self.modules.get(name.as_str()).map(|&known| named(&self.file(known).source).1);
            if known.is_none_or(|known| rank > known || rank == known && rank.is_package()) {
                self.modules.insert(name.as_str(), id);
            }
            self.by_last_part.entry(name.last()).or_default().push(id);
            self.module_parts.extend(name.as_str().split('.'));
            let mut folder = name.as_str();
            while let Some((parent, _)) = folder.rsplit_once('.') {
                if !self.packages.insert(parent) {
                    break;
                }
                folder = parent;
            }
        }
        let starts = self.packages.iter().copied().chain(std::iter::once(""));
        self.starts = starts.filter(|folder| self.stands_in_no_package(folder)).collect();
    }

    /// The dotted path of a file's module, from the top of the paths as they were given.
    pub fn module_name(&self, file: FileId) -> Name {
        self.module_names[file.0 as usize]
    }

    /// Whether a module or package of the program goes by this name, at whatever depth.
    pub fn has_package(&self, name: &str) -> bool {
        self.module_parts.contains(name)
    }

    /// Whether a dotted path is that of a package with a file of its own.
    pub fn is_package_name(&self, name: &str) -> bool {
        self.modules.get(name).is_some_and(|file| self.is_package(*file))
    }

    /// Whether the file is a package's own: Python's `__init__`, Rust's `mod`, `lib` and `main`.
    pub fn is_package(&self, file: FileId) -> bool {
        let source = &self.file(file).source;
        let own: &[&str] = match source.language {
            Language::Python => &["__init__"],
            Language::Rust => &["mod", "lib", "main"],
            _ => &[],
        };
        source.path.file_stem().is_some_and(|stem| own.iter().any(|own| stem == *own))
    }

    /// Whether a file holds tests.
    pub fn is_test(&self, file: FileId) -> bool {
        names_tests(self.module_name(file))
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
        self.module_for(from, &path)
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
            let mut fitting =
                candidates.iter().filter(|&&file| self.share_language(from, file)).filter(|&&file| {
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
        let mut full = String::new();
        loop {
            folder = folder.rsplit_once('.').map_or("", |(parent, _)| parent);
            // A folder inside a package is no place Python starts from.
            if self.may_start(folder) {
                full.clear();
                full.push_str(folder);
                full.push_str(if folder.is_empty() { "" } else { "." });
                full.push_str(&module);
                if let Some(found) = self.module_for(from, &full) {
                    return Some(found);
                }
            }
            if folder.is_empty() {
                return None;
            }
        }
    }

    /// Whether Python may look for modules in a folder.
    fn may_start(&self, folder: &str) -> bool {
        self.starts.contains(folder) || !self.packages.contains(folder) && self.stands_in_no_package(folder)
    }

    /// Whether a folder stands in no package, however deep.
    fn stands_in_no_package(&self, folder: &str) -> bool {
        let mut at = folder;
        loop {
            let own = self.modules.get(at);
            if !at.is_empty() && own.is_some_and(|&file| self.language(file) == Language::Python) {
                return false;
            }
            match at.rsplit_once('.') {
                Some((above, _)) => at = above,
                None => return true,
            }
        }
    }

    /// The module or folder at a full dotted path, as a file can import it.
    fn module_for(&self, from: FileId, path: &str) -> Option<Symbol> {
        self.module_at(path).filter(|found| match found {
            Symbol::Module(file) => self.share_language(from, *file),
            _ => true,
        })
    }

    fn share_language(&self, one: FileId, other: FileId) -> bool {
        self.language(one) == self.language(other)
    }

    fn language(&self, file: FileId) -> Language {
        self.file(file).source.language
    }

    /// The module or folder of a name in a folder, given by its full dotted path.
    pub(super) fn module_below(&self, folder: Name, name: &str) -> Option<Symbol> {
        if folder.is_empty() {
            return self.module_at(name);
        }
        // What is no folder holds none; that is the usual answer, and the quickest.
        self.packages.contains(folder.as_str()).then(|| self.module_at(&format!("{folder}.{name}"))).flatten()
    }

    /// The module or folder at a full dotted path.
    pub(super) fn module_at(&self, path: &str) -> Option<Symbol> {
        if let Some(&file) = self.modules.get(path) {
            return Some(Symbol::Module(file));
        }
        self.packages.contains(path).then(|| Symbol::Package(Name::new(path)))
    }
}

/// How much of a say a file has in what a dotted path means; Python's files have it before others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// It is no module.
    None,
    Rust,
    RustMain,
    RustPackage,
    RustLibrary,
    Python,
    PythonPackage,
}

impl Rank {
    fn is_package(self) -> bool {
        matches!(self, Rank::RustMain | Rank::RustPackage | Rank::RustLibrary | Rank::PythonPackage)
    }
}

/// The dotted path of a file's module, and its rank.
fn named(source: &Source) -> (Name, Rank) {
    let path = source.display_path();
    let (ending, plain) = match source.language {
        Language::Python => (".py", Rank::Python),
        Language::Rust => (".rs", Rank::Rust),
        // A name that no code can write.
        Language::Sql | Language::Manifest | Language::Json => {
            return (Name::new(&format!("<{path}>")), Rank::None);
        }
    };
    let stem = path.strip_suffix(ending).unwrap_or(&path);
    let (folder, own) = stem.rsplit_once('/').unwrap_or(("", stem));
    let (dotted, rank) = match (source.language, own) {
        (Language::Python, "__init__") => (folder, Rank::PythonPackage),
        (Language::Rust, "lib") => (folder, Rank::RustLibrary),
        (Language::Rust, "mod") => (folder, Rank::RustPackage),
        (Language::Rust, "main") => (folder, Rank::RustMain),
        _ => (stem, plain),
    };
    (Name::new(&dotted.trim_matches('/').replace('/', ".")), rank)
}

/// Whether a file holds tests, by its path.
pub(super) fn is_of_tests(source: &Source) -> bool {
    names_tests(named(source).0)
}

fn names_tests(module: Name) -> bool {
    module.split(['.', '/', '<', '>']).any(|part| {
        matches!(part, "test" | "tests" | "conftest") || part.starts_with("test_") || part.ends_with("_test")
    })
}

#[cfg(test)]
mod tests {
    use crate::project::{Symbol, in_memory};

    #[test]
    fn files_of_rust_are_modules_by_their_place() {
        let files = [
            ("a/Cargo.toml", ""),
            ("a/migrations/1.sql", ""),
            ("a/src/db.py", ""),
            ("a/src/db/mod.rs", ""),
            ("a/src/lib.rs", ""),
            ("a/src/main.rs", ""),
            ("a/src/shop.rs", ""),
        ];
        let project = in_memory(&files);
        let names: Vec<&str> = project.file_ids().map(|file| project.module_name(file).as_str()).collect();
        let expected = [
            "<a/Cargo.toml>",
            "<a/migrations/1.sql>",
            "a.src.db",
            "a.src.db",
            "a.src",
            "a.src",
            "a.src.shop",
        ];
        // Paths are in the order of their bytes.
        let mut sorted = expected;
        sorted.sort_unstable();
        let mut found = names.clone();
        found.sort_unstable();
        assert_eq!(found, sorted);
        let at = |path: &str| match project.module_at(path) {
            Some(Symbol::Module(file)) => project.file(file).source.display_path(),
            other => format!("{other:?}"),
        };
        assert_eq!(
            ["a.src", "a.src.db", "a.src.shop", "a.migrations"].map(at),
            ["a/src/lib.rs", "a/src/db.py", "a/src/shop.rs", "None"]
        );
        assert!(!project.has_package("sql") && project.has_package("shop"));
    }
}
