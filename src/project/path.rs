//! project/path: what a path of Rust means: `crate`, `self` and `super`, modules by their files, crates of the workspace.

use crate::facts::{Import, Imported};
use crate::name::Name;
use crate::source::Language;

use super::resolve::Search;
use super::{FileId, Project, Symbol};

impl Project {
    /// Whether a file is written in Rust.
    pub fn is_rust(&self, file: FileId) -> bool {
        self.file(file).source.language == Language::Rust
    }

    /// What a name that nothing binds is in Rust: a crate of the program, or something from outside.
    pub(super) fn crate_or_external(&self, name: Name) -> Symbol {
        let root = self.crate_named(&name).and_then(|root| self.module_at(&root));
        root.unwrap_or(Symbol::External(name))
    }

    /// The text of an SQL file that the code of a file names, from the folder of its crate's manifest.
    pub fn text_of_sql(&self, file: FileId, path: &str) -> Option<Name> {
        let root = self.crate_root(file)?;
        let folder = root.rsplit_once('.').map_or("", |(folder, _)| folder).replace('.', "/");
        self.text_at(&folder, path)
    }

    /// The text of an SQL file that the code of a file names, from the folder of that file.
    pub fn text_beside(&self, file: FileId, path: &str) -> Option<Name> {
        let own = self.file(file).source.display_path();
        self.text_at(own.rsplit_once('/').map_or("", |(folder, _)| folder), path)
    }

    fn text_at(&self, folder: &str, path: &str) -> Option<Name> {
        let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
        for part in path.split('/') {
            match part {
                "." | "" => {}
                ".." => drop(parts.pop()?),
                part => parts.push(part),
            }
        }
        let wanted = parts.join("/");
        let is_it = |known: &&super::File| known.source.display_path().trim_start_matches('/') == wanted;
        let found = self.files.iter().find(is_it).filter(|found| found.source.language == Language::Sql)?;
        Some(Name::new(&found.source.text))
    }

    /// Where the crate of a file begins: its root module, or the folder of its sources where that was not scanned.
    fn root_module(&self, file: FileId) -> Option<Symbol> {
        if let Some(root) = self.crate_root(file) {
            return self.module_at(&root);
        }
        let name = self.module_name(file).as_str();
        let (before, _) =
            name.split_once(".src.").or_else(|| name.strip_prefix("src.").map(|rest| ("", rest)))?;
        self.module_at(format!("{before}.src").trim_start_matches('.'))
    }

    fn module_above(&self, file: FileId, levels: usize) -> Option<Symbol> {
        let mut name = self.module_name(file).as_str();
        for _ in 0..levels {
            name = name.rsplit_once('.')?.0;
        }
        self.module_at(name)
    }
}

impl Search<'_> {
    /// What a path means at the top of a Rust module.
    pub(super) fn rust_path(&mut self, file: FileId, path: &str) -> Option<Symbol> {
        let parts: Vec<&str> = path.split('.').collect();
        let project = self.project();
        let (mut symbol, rest) = match *parts.first()? {
            "crate" => (project.root_module(file)?, &parts[1..]),
            "self" => (Symbol::Module(file), &parts[1..]),
            "super" => {
                let levels = parts.iter().take_while(|part| **part == "super").count();
                (project.module_above(file, levels)?, &parts[levels..])
            }
            first => {
                let first = Name::new(first);
                let known = self.global(file, first);
                (known.unwrap_or_else(|| project.crate_or_external(first)), &parts[1..])
            }
        };
        for part in rest {
            symbol = self.member(symbol, Name::new(part))?;
        }
        Some(symbol)
    }

    /// What a `use` or `mod` of a Rust module binds.
    pub(super) fn rust_import(&mut self, file: FileId, import: &Import) -> Option<Symbol> {
        let project = self.project();
        match import.item {
            Imported::Star => None,
            // `use sea_orm;` means the crate, not what the statement itself binds.
            Imported::Root | Imported::Module
                if !import.module.contains('.') && !is_keyword(&import.module) =>
            {
                Some(project.crate_or_external(import.module))
            }
            Imported::Root | Imported::Module => self.rust_path(file, &import.module),
            Imported::Item(name) if &*import.module == "mod" => {
                project.module_below(project.module_name(file), &name)
            }
            Imported::Item(name) => {
                let module = self.rust_path(file, &import.module)?;
                self.member(module, name)
            }
        }
    }
}

fn is_keyword(part: &str) -> bool {
    matches!(part, "crate" | "self" | "super")
}
