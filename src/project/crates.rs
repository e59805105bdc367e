//! project/crates: which crate a Rust file belongs to, and where the crates of the program begin.
//!
//! A crate begins in the folder of its `lib.rs` or `main.rs`; tests, benches, examples and further binaries are crates
//! of their own. Where no manifest was scanned, the nearest folder above that holds such a file counts.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::Term;
use crate::name::Name;
use crate::source::Language;

use super::{FileId, Project};

/// The crates of a program.
#[derive(Debug, Default)]
pub(super) struct Crates {
    /// By the folder of a package's manifest: where its library or its main binary begins.
    packages: FxHashMap<Name, Name>,
    /// Folders that a crate begins in.
    roots: FxHashSet<Name>,
    /// By the name code has for it: where a library begins; nothing where two have the name.
    libraries: FxHashMap<Name, Option<Name>>,
}

/// Folders of a package whose files, and folders with a `main.rs`, are crates of their own.
const APART: &[&str] = &["src.bin", "tests", "benches", "examples"];

impl Project {
    /// The dotted path of the module that the crate of a file begins with.
    pub fn crate_root(&self, file: FileId) -> Option<Name> {
        let source = &self.file(file).source;
        if source.language != Language::Rust {
            return None;
        }
        let (folder, own) = folder_of(&source.display_path());
        let package = above(&folder).find(|folder| self.crates.packages.contains_key(&Name::new(folder)));
        if let Some(package) = package {
            if own == "build.rs" && folder == package {
                return Some(self.module_name(file));
            }
            for apart in APART {
                let home = joined(package, apart);
                if folder == home {
                    return Some(self.module_name(file));
                }
                if is_in(&folder, &home) {
                    // What several of these crates share belongs to none of them; `tests/mod.rs` makes one of all.
                    let first = folder[home.len() + 1..].split('.').next().unwrap_or("");
                    let roots = [joined(&home, first), home].map(|root| Name::new(&root));
                    let is_root = |root: &Name| {
                        *root != roots[1] && self.crates.roots.contains(root)
                            || *root == roots[1] && self.modules.contains_key(root.as_str())
                    };
                    return roots.into_iter().find(is_root);
                }
            }
            let library = self.crates.packages[&Name::new(package)];
            if is_in(&folder, &library) {
                return Some(library);
            }
        }
        let inside = above(&folder).take_while(|folder| package.is_none_or(|package| is_in(folder, package)));
        inside.map(Name::new).find(|folder| self.crates.roots.contains(folder))
    }

    /// The dotted path of the module that the library of this name begins with, where one is.
    pub fn crate_named(&self, name: &str) -> Option<Name> {
        self.crates.libraries.get(&as_code(name)).copied().flatten()
    }

    pub(super) fn index_crates(&mut self) {
        let mut crates = Crates::default();
        let mut renamed = Vec::new();
        for file in self.file_ids() {
            let source = &self.file(file).source;
            if !matches!(source.language, Language::Rust | Language::Manifest) {
                continue;
            }
            let (folder, own) = folder_of(&source.display_path());
            match source.language {
                Language::Rust if matches!(own.as_str(), "lib.rs" | "main.rs") => {
                    crates.roots.insert(Name::new(&folder));
                }
                Language::Manifest => {
                    let Some(package) = self.declared_text(file, "package") else { continue };
                    let path = self.declared_text(file, "lib_path");
                    let path = path.map_or("src/lib.rs", |path| path.as_str().trim_start_matches("./"));
                    let (inner, own) = folder_of(path);
                    let begins = Name::new(&joined(&folder, &inner));
                    crates.packages.insert(Name::new(&folder), begins);
                    let stem = own.strip_suffix(".rs").unwrap_or(&own);
                    let full = if stem == "lib" { begins } else { begins.join(stem) };
                    let Some(&library) = self.modules.get(full.as_str()) else { continue };
                    if self.file(library).source.path.file_name().is_none_or(|name| *name != *own) {
                        continue;
                    }
                    renamed.push((begins, library));
                    let called = self.declared_text(file, "lib").unwrap_or(package);
                    let known = crates.libraries.entry(as_code(&called));
                    known.and_modify(|known| *known = None).or_insert(Some(begins));
                }
                _ => {}
            }
        }
        for (begins, library) in renamed {
            crates.roots.insert(begins);
            self.modules.entry(begins.as_str()).or_insert(library);
        }
        self.crates = crates;
    }

    fn declared_text(&self, file: FileId, name: &str) -> Option<Name> {
        match self.value_of(file, Name::new(name)) {
            Some(Term::Text(text)) => Some(*text),
            _ => None,
        }
    }
}

/// The dotted path of a file's folder, and the file's own name.
fn folder_of(path: &str) -> (String, String) {
    let (folder, own) = path.rsplit_once('/').unwrap_or(("", path));
    (folder.trim_matches('/').replace('/', "."), own.to_owned())
}

/// A folder and all that it lies in, the outermost, which has no name, last.
fn above(folder: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(folder), |folder| match folder.rsplit_once('.') {
        Some((above, _)) => Some(above),
        None => (!folder.is_empty()).then_some(""),
    })
}

fn joined(folder: &str, part: &str) -> String {
    match (folder, part) {
        ("", part) => part.to_owned(),
        (folder, "") => folder.to_owned(),
        (folder, part) => format!("{folder}.{part}"),
    }
}

/// Whether a folder is another one or lies in it.
fn is_in(folder: &str, outer: &str) -> bool {
    match folder.strip_prefix(outer) {
        Some(rest) => outer.is_empty() || rest.is_empty() || rest.starts_with('.'),
        None => false,
    }
}

/// Code writes `_` where packages have `-`.
fn as_code(name: &str) -> Name {
    Name::new(&name.replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use crate::project::in_memory;

    #[test]
    fn files_belong_to_the_crate_around_them() {
        let project = in_memory(&[
            ("Cargo.toml", "[workspace]\nmembers = ['app', 'db']"),
            ("app/Cargo.toml", "[package]\nname = 'shop-app'"),
            ("app/build.rs", ""),
            ("app/src/main.rs", ""),
            ("app/src/api/users.rs", ""),
            ("app/src/bin/work.rs", ""),
            ("app/src/bin/tool/main.rs", ""),
            ("app/src/bin/tool/args.rs", ""),
            ("app/tests/it.rs", ""),
            ("app/tests/shared/mod.rs", ""),
            ("db/Cargo.toml", "[package]\nname = 'shop-db'\n[lib]\nname = 'shop'\npath = 'source/shop.rs'"),
            ("db/source/shop.rs", ""),
            ("db/source/users.rs", ""),
            ("lone/src/lib.rs", ""),
            ("lone/src/x/y.rs", ""),
            ("loose.rs", ""),
            ("lone/Cargo.toml", "[package]\nname = 'lone'"),
            ("lone/tests/mod.rs", ""),
            ("lone/tests/api/users.rs", ""),
        ]);
        let root = |path: &str| {
            let file = project.file_ids().find(|file| project.file(*file).source.display_path() == path);
            project.crate_root(file.expect("the file is there")).map_or("", |name| name.as_str())
        };
        for (path, expected) in [
            ("app/build.rs", "app.build"),
            ("app/src/main.rs", "app.src"),
            ("app/src/api/users.rs", "app.src"),
            ("app/src/bin/work.rs", "app.src.bin.work"),
            ("app/src/bin/tool/args.rs", "app.src.bin.tool"),
            ("app/src/bin/tool/main.rs", "app.src.bin.tool"),
            ("app/tests/it.rs", "app.tests.it"),
            ("app/tests/shared/mod.rs", ""),
            ("db/source/users.rs", "db.source"),
            ("db/source/shop.rs", "db.source"),
            ("lone/src/x/y.rs", "lone.src"),
            ("lone/tests/mod.rs", "lone.tests"),
            ("lone/tests/api/users.rs", "lone.tests"),
            ("loose.rs", ""),
            ("app/Cargo.toml", ""),
        ] {
            assert_eq!(root(path), expected, "{path}");
        }
        let named = |name: &str| project.crate_named(name).map_or("", |name| name.as_str());
        assert_eq!(["shop", "shop-app", "shop_db", "serde"].map(named), ["db.source", "", "", ""]);
    }

    #[test]
    fn a_package_may_be_the_whole_tree() {
        let project = in_memory(&[
            ("Cargo.toml", "[package]\nname = 'my-shop'"),
            ("src/lib.rs", ""),
            ("src/db/mod.rs", ""),
            ("other/Cargo.toml", "[package]\nname = 'twin'"),
            ("other/src/lib.rs", ""),
            ("third/Cargo.toml", "[package]\nname = 'twin'"),
            ("third/src/lib.rs", ""),
        ]);
        let roots: Vec<_> = project.file_ids().filter_map(|file| project.crate_root(file)).collect();
        let mut roots: Vec<&str> = roots.iter().map(|root| root.as_str()).collect();
        roots.sort_unstable();
        assert_eq!(roots, ["other.src", "src", "src", "third.src"]);
        let named = |name: &str| project.crate_named(name).map(|name| name.as_str());
        assert_eq!((named("my_shop"), named("my-shop"), named("twin")), (Some("src"), Some("src"), None));
    }
}
