//! program/import: imports of Python that lead from one project to another, and texts that name modules as imports do.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use memchr::{memchr, memmem, memrchr};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::{Project, Said};
use crate::source::{Language, Source};

/// Libraries that are known by their names. Code that imports one means what is installed.
const LIBRARIES: &[&str] = &[
    "alembic",
    "celery",
    "django",
    "fastapi",
    "flask",
    "pydantic",
    "rest_framework",
    "sqlalchemy",
    "sqlmodel",
    "starlette",
];

/// Words by which a file is known to name modules in texts.
const SIGNS: &[&str] = &["INSTALLED_APPS", "ROOT_URLCONF", "send_task("];

/// Folders of a project besides its own that Python looks for modules in.
const STARTS: &[&str] = &["src", "lib", "python"];

/// The pairs of projects of which one imports from the other.
pub(super) fn links(sources: &[Arc<Source>], projects: &[Project<'_>], said: &[Said]) -> Vec<(usize, usize)> {
    let is_python = |file: &usize| sources[*file].language == Language::Python;
    let python: Vec<Vec<usize>> =
        projects.iter().map(|project| project.files.iter().copied().filter(is_python).collect()).collect();
    let offer = |(project, files): (&Project<'_>, &Vec<usize>)| Offer::of(&project.folders, sources, files);
    let offers: Vec<Offer<'_>> = projects.par_iter().zip(&python).map(offer).collect();
    let mut by_first: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
    for (number, offer) in offers.iter().enumerate() {
        for &first in &offer.firsts {
            by_first.entry(first).or_default().push(number);
        }
    }
    let mut links = Vec::new();
    for (own, said) in said.iter().enumerate() {
        // Most of what is imported is the project's own or comes from outside.
        let may_lead_out = |name: &&String| {
            let first = first_of(name);
            let offering = by_first.get(first).map_or(&[][..], Vec::as_slice);
            offering.iter().any(|&other| other != own) && !LIBRARIES.contains(&first)
        };
        let leading_out = said.modules.iter().filter(may_lead_out);
        for name in leading_out.filter(|name| !offers[own].hides(name)) {
            let mut offering =
                by_first[first_of(name)].iter().filter(|&&other| other != own && offers[other].has(name));
            if let (Some(&only), None) = (offering.next(), offering.next()) {
                links.push((own, only));
            }
        }
    }
    links
}

/// What a project lets others import.
struct Offer<'a> {
    /// The folders that Python may start from when it looks for modules.
    starts: Vec<PathBuf>,
    /// The files.
    files: FxHashSet<&'a Path>,
    /// By the last part of a module's dotted path: the folders that such modules stand in.
    by_last: FxHashMap<&'a str, Vec<&'a Path>>,
    /// What stands at the top of what it offers.
    firsts: FxHashSet<&'a str>,
}

impl<'a> Offer<'a> {
    fn of(folders: &[&Path], sources: &'a [Arc<Source>], files: &[usize]) -> Offer<'a> {
        let inner = folders.iter().flat_map(|folder| STARTS.iter().map(|start| folder.join(start)));
        // A folder that several projects lie in may be where Python starts, too.
        let starts = inner.chain(folders.iter().flat_map(|folder| folder.ancestors()).map(Path::to_owned));
        let starts: Vec<PathBuf> = starts.collect();
        let mut offer = Offer {
            starts,
            files: FxHashSet::default(),
            by_last: FxHashMap::default(),
            firsts: FxHashSet::default(),
        };
        for path in files.iter().map(|&file| sources[file].path.as_path()) {
            offer.files.insert(path);
            let module = if path.ends_with(PACKAGE) { path.parent().unwrap_or(path) } else { path };
            if let (Some(last), Some(folder)) = (stem(module), module.parent()) {
                offer.by_last.entry(last).or_default().push(folder);
            }
            for start in &offer.starts {
                let first = path.strip_prefix(start).ok().and_then(|below| below.iter().next());
                offer.firsts.extend(first.and_then(|first| stem(Path::new(first))));
            }
        }
        offer
    }

    /// Whether a dotted path is a module that others can import.
    fn has(&self, name: &str) -> bool {
        let path = name.replace('.', "/");
        let files = [format!("{path}.py"), format!("{path}/{PACKAGE}")];
        self.starts.iter().any(|start| files.iter().any(|file| self.files.contains(&*start.join(file))))
    }

    /// Whether code of the project itself that imports a dotted path finds it here or nowhere: a module of that path is
    /// here at whatever depth, or a package that Python looks no further behind.
    fn hides(&self, name: &str) -> bool {
        let (above, last) = name.rsplit_once('.').unwrap_or(("", name));
        let above = above.replace('.', "/");
        let folders = self.by_last.get(last).map_or(&[][..], Vec::as_slice);
        folders.iter().any(|folder| folder.ends_with(&above)) || self.has(first_of(name))
    }
}

/// The file of a package.
const PACKAGE: &str = "__init__.py";

/// The last part of a path without the ending of a file of Python.
fn stem(path: &Path) -> Option<&str> {
    let name = path.file_name()?.to_str()?;
    Some(name.strip_suffix(".py").unwrap_or(name))
}

/// The dotted paths of modules that a text of Python may mean, from the top; some that it does not mean are among them.
pub(super) fn named(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let bytes = text.as_bytes();
    for at in memmem::find_iter(bytes, "import") {
        let start = memrchr(b'\n', &bytes[..at]).map_or(0, |end| end + 1);
        let before = text[start..at].trim();
        if let Some(module) = before.strip_prefix("from ") {
            names.push(module.trim());
        } else if before.is_empty() || before.ends_with([':', ';']) {
            let rest = &text[at + "import".len()..];
            // `import_it = …` imports nothing.
            if !rest.starts_with([' ', '\t', '\\']) {
                continue;
            }
            let line = &rest[..memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len())];
            names.extend(line.split(',').filter_map(|one| one.split_whitespace().next()));
        }
    }
    if SIGNS.iter().any(|sign| memmem::find(bytes, sign.as_bytes()).is_some()) {
        // A path may lead on to what stands in the module. One word alone may say anything.
        let paths = text.split(['\'', '"']).filter(|piece| piece.len() < LONGEST && piece.contains('.'));
        names.extend(paths.flat_map(|path| {
            let parents = std::iter::successors(Some(path), |path| Some(path.rsplit_once('.')?.0));
            parents.take(3).filter(|path| path.contains('.'))
        }));
    }
    names.retain(|name| is_dotted(name));
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(str::to_owned).collect()
}

/// How long a text that names a module may be.
const LONGEST: usize = 200;

fn is_dotted(name: &str) -> bool {
    let is_word = |c: char| c == '_' || c == '.' || c.is_alphanumeric();
    name.chars().all(is_word) && name.split('.').all(|part| !part.is_empty())
}

fn first_of(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_found_wherever_they_stand() {
        let text = "import a.b as c, d\nfrom e.f import (\n    g\n)\ntry: import h\nexcept: pass\n\
                    def k():\n    from l import *\n    from .m import n\n    import_it = 'o.p'\n";
        assert_eq!(named(text), ["a.b", "d", "e.f", "h", "l"]);
    }

    #[test]
    fn texts_name_modules_where_settings_or_tasks_are_named() {
        let text = "INSTALLED_APPS = ['shop.users', \"audit\", 'not. this', './x', 'core.']\n";
        assert_eq!(named(text), ["shop.users"]);
        assert_eq!(named("send_task('shop.tasks.clean')"), ["shop.tasks", "shop.tasks.clean"]);
        assert_eq!(named("x = 'shop.users'\n"), [""; 0]);
    }
}
