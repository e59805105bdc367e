//! walk/folder: what lies in the folders of the listed files and in those above them; each is looked into once.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::{Entry, absolute};
use crate::source::{Source, slashed};

/// Folders that were looked into, by their absolute paths as they are shown.
#[derive(Clone, Debug, Default)]
pub(super) struct Folders(FxHashMap<OsString, Folder>);

#[derive(Clone, Debug)]
struct Folder {
    shown: PathBuf,
    /// The names of what lies in it, with a slash behind each; nothing where that cannot be listed.
    names: Option<String>,
}

/// What lies in a folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Beside {
    /// The folder as it is shown.
    pub folder: PathBuf,
    /// What lies there, read or not, each up to the first dot of its name, in order and with slashes between them; `*`
    /// where nobody has looked.
    pub stems: String,
}

impl Beside {
    /// A folder that nobody has looked into.
    pub(super) fn unseen(folder: &Path) -> Beside {
        Beside { folder: folder.to_owned(), stems: "*".to_owned() }
    }

    /// Slashed paths of what lies in it.
    pub fn paths(&self) -> impl Iterator<Item = String> {
        let folder = slashed(&self.folder);
        let stems = self.stems.split('/').filter(|stem| !stem.is_empty());
        stems.map(move |stem| format!("{folder}/{stem}"))
    }
}

impl Folders {
    /// Looks into the folders of the files and into those above them by the path that is shown.
    pub(super) fn of(entries: &[Entry], here: &Path) -> Folders {
        let looked = |(shown, real): (&Path, &Path)| {
            let names = fs::read_dir(real).ok().map(|listed| {
                let mut names = String::new();
                for entry in listed.flatten() {
                    names.push_str(&entry.file_name().to_string_lossy());
                    names.push('/');
                }
                names
            });
            (absolute(here, shown).into_os_string(), Folder { shown: shown.to_owned(), names })
        };
        let folders = around(entries.iter().map(|entry| (entry.shown.as_path(), entry.real.as_path())));
        Folders(folders.into_par_iter().map(looked).collect())
    }

    /// Whether it is known that nothing of this name, an absolute path as it is shown, is there.
    pub(super) fn lack(&self, path: &Path) -> bool {
        let folder = path.parent().and_then(|folder| self.0.get(folder.as_os_str()));
        let names = folder.and_then(|folder| folder.names.as_deref());
        let name = path.file_name().and_then(OsStr::to_str);
        names.zip(name).is_some_and(|(names, name)| !names.split('/').any(|known| known == name))
    }

    /// What lies beside these files and in the folders above them, by folder.
    pub(super) fn beside(&self, entries: &[Entry], here: &Path) -> Arc<[Beside]> {
        let wanted = around(entries.iter().map(|entry| (entry.shown.as_path(), entry.real.as_path())));
        let beside = |(shown, _): (&Path, &Path)| match self.0.get(absolute(here, shown).as_os_str()) {
            Some(Folder { shown, names: Some(names) }) => {
                Beside { folder: shown.clone(), stems: stems(names) }
            }
            _ => Beside::unseen(shown),
        };
        let mut all: Vec<Beside> = wanted.into_par_iter().map(beside).collect();
        all.par_sort_by(|one, other| one.folder.as_os_str().cmp(other.folder.as_os_str()));
        all.into()
    }
}

/// Of what lies beside the files of a run, what lies beside these and in the folders above them.
pub fn beside<'a>(all: &'a [Beside], sources: &'a [Arc<Source>]) -> impl Iterator<Item = &'a Beside> {
    let mut own: FxHashSet<&OsStr> = FxHashSet::default();
    for source in sources {
        let folders = source.path.ancestors().skip(1);
        for folder in folders {
            if !own.insert(folder.as_os_str()) {
                break;
            }
        }
    }
    all.iter().filter(move |one| own.contains(one.folder.as_os_str()))
}

fn stems(names: &str) -> String {
    let stems = names.split('/').filter_map(|name| name.split('.').next());
    let mut stems: Vec<&str> = stems.filter(|stem| !stem.is_empty()).collect();
    stems.sort_unstable();
    stems.dedup();
    stems.join("/")
}

/// The folders of paths, and those above them by the path that is shown, each once with its path without links.
fn around<'a>(paths: impl Iterator<Item = (&'a Path, &'a Path)>) -> Vec<(&'a Path, &'a Path)> {
    let mut known = FxHashSet::default();
    let mut folders = Vec::new();
    for (mut shown, mut real) in paths {
        while let Some(above) = shown.parent() {
            // The folder everything is counted from holds no package of its own.
            if above.as_os_str().is_empty() || !known.insert(above.as_os_str()) {
                break;
            }
            let Some(real_above) = real.parent() else { break };
            folders.push((above, real_above));
            (shown, real) = (above, real_above);
        }
    }
    folders
}
