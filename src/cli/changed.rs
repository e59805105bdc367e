//! cli/changed: what was found before a change: the code of a revision, put together from the working tree and from what
//! git says has changed, and scanned like any other.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::Failure;
use super::arguments::ScanArguments;
use super::run::Run;
use crate::config::absolute;
use crate::since::Before;
use crate::source::{Language, Source};
use crate::vcs::{self, Change, Repository};
use crate::walk::{self, Walked};

impl From<vcs::Fault> for Failure {
    fn from(fault: vcs::Fault) -> Failure {
        Failure::Other(fault.message, Some(fault.help))
    }
}

/// What a scan of the code before the changes since a revision finds.
///
/// # Errors
/// When the code is in no repository, or the revision cannot be compared with.
pub(super) fn before(run: &Run, arguments: &ScanArguments, revision: &str) -> Result<Before, Failure> {
    if arguments.wants_stdin() {
        let help = "give the file's path instead of `-`".to_owned();
        return Err(Failure::Other("`--changed` compares files, not stdin".to_owned(), Some(help)));
    }
    let here = super::run::here()?;
    let roots = Roots::new(&here, &arguments.paths)?;
    let commit = roots.repository.base(revision)?;
    let tree = roots.repository.tree(&commit)?;
    let changes = roots.repository.changes(&commit)?;
    let is_elsewhere = |path: &Path| tree.modules.iter().any(|module| path.starts_with(module));
    // Each file is as it is now, unless git knows better.
    let mut old = Vec::new();
    let mut wanted: Vec<(PathBuf, &str)> = Vec::new();
    for source in &run.walked.sources {
        let path = roots.in_repository(&source.path);
        match path.as_ref().and_then(|path| tree.files.get_key_value(path)) {
            Some((path, name)) if changes.contains_key(path) => wanted.push((source.path.clone(), name)),
            // A file that git does not know was not there; one of another repository is none of its business.
            None if path.is_some_and(|path| !is_elsewhere(&path)) => {}
            _ => old.push(Arc::clone(source)),
        }
    }
    let there: BTreeSet<&PathBuf> = run.walked.sources.iter().map(|source| &source.path).collect();
    for (path, _) in changes.iter().filter(|&(_, &change)| change == Change::Gone) {
        let is_code = Language::of(path).is_some();
        if let (true, Some(shown), Some(name)) = (is_code, roots.shown(path), tree.files.get(path))
            && !there.contains(&shown)
            && !run.configuration.leaves_out(&shown)
        {
            wanted.push((shown, name));
        }
    }
    let names: Vec<&str> = wanted.iter().map(|&(_, name)| name).collect();
    let contents = roots.repository.contents(&names)?;
    let read = |((path, _), bytes): ((PathBuf, &str), Vec<u8>)| {
        // What could not be read then has no findings to compare with.
        let language = Language::of(&path).unwrap_or(Language::Python);
        Source::decode(path, language, &bytes).ok().map(Arc::new)
    };
    old.extend(wanted.into_iter().zip(contents).filter_map(read));
    old.sort_by(|a, b| walk::by_parts(&a.path, &b.path));
    let (beside, homes) = (run.walked.beside.clone(), run.walked.homes.clone());
    let walked = Walked { sources: old, beside, homes, ..Walked::default() };
    Ok(Before::new(commit, run.scan_of(walked)))
}

/// The paths of the run, as they are shown and as the repository calls them.
struct Roots {
    repository: Repository,
    /// A folder or file as it is shown, and from the top of the working tree.
    pairs: Vec<(PathBuf, PathBuf)>,
}

impl Roots {
    fn new(here: &Path, paths: &[PathBuf]) -> Result<Roots, Failure> {
        let mut found: Option<Repository> = None;
        let mut pairs = Vec::new();
        for path in paths {
            let whole = absolute(here, path);
            let is_folder = walk::is_folder(&whole);
            let folder = if is_folder { whole.as_path() } else { whole.parent().unwrap_or(&whole) };
            let repository = match &found {
                Some(repository) => repository,
                None => found.insert(Repository::around(folder)?),
            };
            let mut inside = repository.path_of(folder)?;
            if let Some(name) = whole.file_name().filter(|_| !is_folder) {
                inside.push(name);
            }
            pairs.push((walk::shown(here, path), inside));
        }
        let repository = match found {
            Some(repository) => repository,
            None => Repository::around(here)?,
        };
        Ok(Roots { repository, pairs })
    }

    /// The path from the top of the working tree, of a file as it is shown.
    fn in_repository(&self, shown: &Path) -> Option<PathBuf> {
        self.pairs.iter().find_map(|(root, inside)| {
            let rest = shown.strip_prefix(root).ok()?;
            // Everything lies below an empty path, also what leads out of the current directory.
            let is_below = rest.components().all(|part| matches!(part, Component::Normal(_)));
            is_below.then(|| below(inside, rest))
        })
    }

    /// How a file is shown that lies below a root and in no hidden folder.
    fn shown(&self, path: &Path) -> Option<PathBuf> {
        self.pairs.iter().find_map(|(root, inside)| {
            let rest = path.strip_prefix(inside).ok()?;
            let is_hidden = rest.components().any(|part| part.as_os_str().to_string_lossy().starts_with('.'));
            (!is_hidden).then(|| below(root, rest))
        })
    }
}

/// A path below another; joining nothing would leave a slash behind.
fn below(root: &Path, rest: &Path) -> PathBuf {
    if rest.as_os_str().is_empty() { root.to_owned() } else { root.join(rest) }
}
