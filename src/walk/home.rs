//! walk/home: which project files belong to, as far as what lies in the folders around them tells.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::{Entry, Home, absolute, by_parts, shown};

/// What lies at the top of a project, and seldom elsewhere.
const SIGNS: &[&str] = &[
    ".git",
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "requirements.txt",
    "manage.py",
    "Cargo.toml",
    "package.json",
    "README.md",
    "README.rst",
    "LICENSE",
    "LICENSE.md",
    "LICENSE.txt",
];

/// The projects that files lie in. A root in a repository is all of one project, that of the repository; else the
/// outermost folder with a sign counts, up to the current directory, and where there is none, those below the root.
pub(super) fn homes(roots: &[PathBuf], entries: &[Entry], here: &Path) -> Vec<Home> {
    let mut signs = Signs::default();
    let mut homes = Vec::new();
    let mut known = BTreeSet::new();
    for root in roots {
        let mut whole = absolute(here, root);
        let mut below = shown(here, root);
        if !whole.is_dir() {
            whole.pop();
            below.pop();
        }
        if !known.insert(below.clone()) {
            continue;
        }
        let repository = whole.ancestors().find(|folder| signs.are_of_repository(folder));
        let inside = whole.ancestors().take_while(|folder| folder.starts_with(here));
        let top = repository
            .or_else(|| inside.filter(|folder| signs.are_in(folder)).last())
            .or_else(|| signs.are_in(&whole).then_some(whole.as_path()));
        match top {
            Some(top) => homes.push(Home { project: top.to_owned(), below }),
            None => homes.extend(signs.homes_below(&below, entries)),
        }
    }
    homes.sort();
    homes.dedup();
    homes
}

/// Folders that were looked into for signs.
#[derive(Default)]
struct Signs {
    repositories: BTreeMap<PathBuf, bool>,
    known: BTreeMap<PathBuf, bool>,
}

impl Signs {
    fn are_of_repository(&mut self, folder: &Path) -> bool {
        *self.repositories.entry(folder.to_owned()).or_insert_with(|| folder.join(SIGNS[0]).exists())
    }

    fn are_in(&mut self, folder: &Path) -> bool {
        let found = || SIGNS.iter().any(|sign| folder.join(sign).exists());
        *self.known.entry(folder.to_owned()).or_insert_with(found)
    }

    /// The outermost folders with signs below a root that has none.
    fn homes_below(&mut self, root: &Path, entries: &[Entry]) -> Vec<Home> {
        let mut homes: Vec<Home> = Vec::new();
        // Files are in the order of their paths, so those below a folder stand together.
        let first = entries.partition_point(|entry| by_parts(&entry.shown, root) == Ordering::Less);
        for entry in entries[first..].iter().take_while(|entry| entry.shown.starts_with(root)) {
            if homes.last().is_some_and(|home| entry.shown.starts_with(&home.below)) {
                continue;
            }
            let levels = entry.shown.ancestors().zip(entry.real.ancestors()).skip(1);
            let inside = levels.take_while(|(shown, _)| shown.starts_with(root) && *shown != root);
            let outermost = inside.filter(|(_, real)| self.are_in(real)).last();
            homes.extend(
                outermost.map(|(shown, real)| Home { project: real.to_owned(), below: shown.to_owned() }),
            );
        }
        homes
    }
}
