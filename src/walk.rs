//! walk: the only room that lists folders and reads and writes files, in an order that never changes.
//!
//! It works in two steps, because the settings that leave files out are found by the folders the files lie in: [`list`]
//! says what is there, [`read`] reads what is wanted. Nothing here fails for what the world does to a file: that is a
//! gap. Only a root that is not there is the user's fault.
//!
//! Obeyed are `.gitignore` files, also where there is no repository; hidden files and folders are passed over. What
//! differs from one machine to the next, such as a global ignore file, is not obeyed. No link below a root is followed.

mod again;
mod folder;
mod home;
mod replace;
mod store;

use std::cmp::Ordering;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ignore::{WalkBuilder, WalkState};
use rayon::prelude::*;
use rustc_hash::FxHashSet;
use thiserror::Error;

use crate::config::{Configuration, absolute, relative};
use crate::finding::Gap;
use crate::source::{Language, Source, slashed};

pub use again::{Changed, anew, whole};
pub use folder::{Beside, beside};
pub use replace::replace;
pub use store::{Store, Stored};

use folder::Folders;

/// What there is to read below some roots.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// The folders among the roots, and the folders of the files among them, absolute.
    pub roots: Vec<PathBuf>,
    entries: Vec<Entry>,
    gaps: Vec<Gap>,
    homes: Vec<Home>,
    folders: Folders,
    here: PathBuf,
}

/// A folder whose files are all of one project.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Home {
    /// The folder as it is shown.
    pub below: PathBuf,
    /// The top of the project, absolute: folders of one project have the same.
    pub project: PathBuf,
}

/// The files of a run, read.
#[derive(Clone, Debug, Default)]
pub struct Walked {
    /// The files, sorted by path.
    pub sources: Vec<Arc<Source>>,
    /// What could not be read, sorted by path.
    pub gaps: Vec<Gap>,
    /// What else lies in the folders of the files and in those above them, by folder.
    pub beside: Arc<[Beside]>,
    /// Where projects are known to lie; a file that lies in none of these folders may be of any.
    pub homes: Vec<Home>,
    /// How many files the configuration leaves out.
    pub left_out: usize,
}

/// A root that cannot be scanned, which is the user's to mend.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("cannot scan `{path}`: {reason}")]
pub struct RootError {
    /// The root as it was given.
    pub path: String,
    /// The reason in plain words.
    pub reason: String,
}

/// Lists the files of known languages below the roots, given relative to `here` or absolute.
///
/// # Errors
/// When a root is not there, cannot be read, or is neither a file nor a folder.
pub fn list(roots: &[PathBuf], here: &Path) -> Result<Listing, RootError> {
    let mut found = Found::default();
    let mut listing = Listing::default();
    for root in roots {
        let shown = shown(here, root);
        let wrong = |reason: &str| RootError { path: slashed(root), reason: reason.to_owned() };
        let real = fs::canonicalize(root_on_disk(here, root)).map_err(|fault| wrong(&plain(&fault)))?;
        let kind = fs::metadata(&real).map_err(|fault| wrong(&plain(&fault)))?;
        if kind.is_dir() {
            fs::read_dir(&real).map_err(|fault| wrong(&plain(&fault)))?;
            listing.roots.push(absolute(here, root));
            found.folder(&real, &shown);
        } else if kind.is_file() {
            File::open(&real).map_err(|fault| wrong(&plain(&fault)))?;
            found.entries.push(Entry { shown, real, asked: Asked::ByName });
        } else {
            return Err(wrong("neither a regular file nor a folder"));
        }
    }
    found.judge_links();
    listing.entries = if roots.len() > 1 { each_once(found.entries) } else { found.entries };
    listing.entries.par_sort_by_cached_key(|entry| key_of_parts(&entry.shown));
    listing.gaps = found.gaps;
    listing.homes = home::homes(roots, &listing.entries, here);
    listing.folders = Folders::of(&listing.entries, here);
    listing.here = here.to_owned();
    Ok(listing)
}

/// Reads the listed files, without those the configuration leaves out. Texts that are not kept are looked at and let go.
pub fn read(listing: Listing, configuration: &Configuration, keeps_texts: bool) -> Walked {
    let listed = listing.entries.len();
    let Listing { entries, mut gaps, homes, folders, here, .. } = listing;
    let wanted: Vec<Entry> = entries.into_par_iter().filter(|entry| entry.is_wanted(configuration)).collect();
    let beside = folders.beside(&wanted, &here);
    let left_out = listed - wanted.len();
    let read: Vec<Result<Arc<Source>, Gap>> =
        wanted.into_par_iter().map(|entry| read_source(entry, keeps_texts)).collect();
    gaps.retain(|gap| !configuration.leaves_out(Path::new(&gap.path)));
    let mut sources = Vec::with_capacity(read.len());
    for result in read {
        match result {
            Ok(source) => sources.push(source),
            Err(gap) => gaps.push(gap),
        }
    }
    sort_gaps(&mut gaps);
    Walked { sources, gaps, beside, homes, left_out }
}

fn sort_gaps(gaps: &mut Vec<Gap>) {
    gaps.sort_by(|a, b| by_parts(Path::new(&a.path), Path::new(&b.path)).then_with(|| a.cmp(b)));
    gaps.dedup();
}

/// Takes bytes that are at hand, such as an editor's unsaved text, as the only file of a run.
pub fn given(name: &Path, bytes: &[u8]) -> Walked {
    match Source::decode(name.to_owned(), language(name), bytes) {
        Ok(source) => {
            let folders = name.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty());
            let beside = folders.map(Beside::unseen).collect();
            Walked { sources: vec![Arc::new(source)], beside, ..Walked::default() }
        }
        Err(fault) => {
            let gap = Gap { path: slashed(name), line: fault.line, reason: fault.reason };
            Walked { gaps: vec![gap], ..Walked::default() }
        }
    }
}

/// Reads a file as text; `None` when there is no regular file of that name.
///
/// # Errors
/// When it is there and cannot be read, or is not UTF-8.
pub fn read_text(path: &Path) -> io::Result<Option<String>> {
    match fs::metadata(path) {
        Ok(kind) if kind.is_file() => fs::read_to_string(path).map(Some),
        Ok(_) => Ok(None),
        Err(fault) if is_absence(&fault) => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// Whether a file is there.
pub fn is_file(path: &Path) -> bool {
    path.is_file()
}

/// Makes the folder that a file is to lie in, where it is not there.
///
/// # Errors
/// When it cannot be made.
pub fn make_folder_of(file: &Path) -> io::Result<()> {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => fs::create_dir_all(folder),
        _ => Ok(()),
    }
}

/// Whether anything goes by this name, be it a link that leads nowhere.
pub fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Writes a file that is not there yet.
///
/// # Errors
/// When the file cannot be written, or is there.
pub fn write_new(path: &Path, text: &str) -> io::Result<()> {
    fs::File::create_new(path)?.write_all(text.as_bytes())
}

/// A file that was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundFile {
    /// The folder the search had come to, absolute.
    pub folder: PathBuf,
    /// Its path as it is shown.
    pub name: String,
    /// What it says.
    pub text: String,
}

/// Looks for a file of one of these names for what lies at `root`, given relative to `here` or absolute: from there
/// upwards, to the folder of the repository, or to `here` where there is none.
///
/// # Errors
/// When a file of such a name is there and cannot be read.
pub fn find_upwards(here: &Path, root: &Path, names: &[&str]) -> io::Result<Option<FoundFile>> {
    let start = absolute(here, root);
    let repository = start.ancestors().find(|folder| folder.join(".git").exists());
    let top = repository.or_else(|| start.starts_with(here).then_some(here)).unwrap_or(&start);
    for folder in start.ancestors().take_while(|folder| folder.starts_with(top)) {
        for name in names {
            let path = folder.join(name);
            if let Some(text) = read_text(&path)? {
                let name = slashed(&shown(here, &path));
                return Ok(Some(FoundFile { folder: folder.to_owned(), name, text }));
            }
        }
    }
    Ok(None)
}

/// Writes a report to a file, in place of what it held.
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, text: &str) -> io::Result<()> {
    fs::write(path, text)
}

impl Listing {
    /// The folders that hold the files, absolute, each once.
    pub fn folders(&self) -> Vec<PathBuf> {
        let folders = self.entries.par_iter().filter_map(|entry| entry.shown.parent());
        let mut folders: Vec<&Path> = folders.collect();
        // Files of one folder stand together, but for those of folders in between.
        folders.dedup_by(|one, other| one.as_os_str() == other.as_os_str());
        let mut folders: Vec<PathBuf> =
            folders.into_par_iter().map(|folder| absolute(&self.here, folder)).collect();
        folders.par_sort_by_cached_key(|folder| key_of_parts(folder));
        folders.dedup();
        folders
    }

    /// Reads a file as text, as [`read_text`] does; what the listing shows not to be there is not looked for.
    ///
    /// # Errors
    /// When it is there and cannot be read, or is not UTF-8.
    pub fn read_text(&self, path: &Path) -> io::Result<Option<String>> {
        if self.folders.lack(path) { Ok(None) } else { read_text(path) }
    }

    /// The files the configuration does not leave out, as they are shown, in the order they are read.
    pub fn paths(&self, configuration: &Configuration) -> Vec<String> {
        let wanted = self.entries.iter().filter(|entry| entry.is_wanted(configuration));
        wanted.map(|entry| slashed(&entry.shown)).collect()
    }
}

/// A file there is.
#[derive(Clone, Debug)]
struct Entry {
    /// Its path as it is shown.
    shown: PathBuf,
    /// Its path without links, which tells whether it was met before.
    real: PathBuf,
    asked: Asked,
}

impl Entry {
    /// A file that was named is wanted, whatever the configuration says of its kind.
    fn is_wanted(&self, configuration: &Configuration) -> bool {
        self.asked == Asked::ByName || !configuration.leaves_out(&self.shown)
    }
}

/// How a file came to be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Asked {
    /// It is a root.
    ByName,
    /// It lies below a root.
    ByFolder,
}

/// What listing has met so far, over all roots.
#[derive(Default)]
struct Found {
    entries: Vec<Entry>,
    folders: Vec<PathBuf>,
    links: Vec<(PathBuf, PathBuf)>,
    gaps: Vec<Gap>,
}

/// What one of the threads that list a folder has met; all of it comes together when the thread is done.
struct Part<'a> {
    found: Found,
    all: &'a Mutex<&'a mut Found>,
}

impl Drop for Part<'_> {
    fn drop(&mut self) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.entries.append(&mut self.found.entries);
        all.links.append(&mut self.found.links);
        all.gaps.append(&mut self.found.gaps);
    }
}

impl Found {
    /// Lists a folder, given without links, whose files are shown below `shown`. What is found comes in no order.
    fn folder(&mut self, real: &Path, shown: &Path) {
        let mut builder = WalkBuilder::new(real);
        builder.follow_links(false).hidden(true).parents(true).git_ignore(true).require_git(false);
        // What lies outside the tree or inside the clone's own folder differs between machines.
        builder.ignore(false).git_global(false).git_exclude(false);
        builder.threads(rayon::current_num_threads());
        let show = |path: &Path| match path.strip_prefix(real) {
            Ok(below) if below.as_os_str().is_empty() => shown.to_owned(),
            Ok(below) => shown.join(below),
            Err(_) => path.to_owned(),
        };
        let all = Mutex::new(&mut *self);
        builder.build_parallel().run(|| {
            let mut part = Part { found: Found::default(), all: &all };
            Box::new(move |entry| {
                match entry {
                    Ok(entry) => part.found.entry(entry, show),
                    Err(fault) => {
                        let (path, reason) = unfold(&fault);
                        part.found.gap(&path.map_or_else(|| shown.to_owned(), show), &reason);
                    }
                }
                WalkState::Continue
            })
        });
        self.folders.push(real.to_owned());
    }

    fn entry(&mut self, entry: ignore::DirEntry, show: impl Fn(&Path) -> PathBuf) {
        let is_wanted = Language::of(entry.path()).is_some();
        let Some(kind) = entry.file_type().filter(|kind| is_wanted && !kind.is_dir()) else { return };
        let shown = show(entry.path());
        if kind.is_file() {
            self.entries.push(Entry { shown, real: entry.into_path(), asked: Asked::ByFolder });
        } else if kind.is_symlink() {
            self.links.push((entry.into_path(), shown));
        } else {
            self.gap(&shown, NOT_REGULAR);
        }
    }

    /// Says which links leave something unread. It takes all roots to know, so it comes last.
    fn judge_links(&mut self) {
        let links = std::mem::take(&mut self.links);
        if links.is_empty() {
            return;
        }
        let files: FxHashSet<PathBuf> = self.entries.iter().map(|entry| entry.real.clone()).collect();
        for (link, shown) in links {
            let Ok(target) = fs::canonicalize(&link) else {
                self.gap(&shown, "a link that leads nowhere");
                continue;
            };
            let Ok(kind) = fs::metadata(&target) else { continue };
            // A target below a root is read there, or left out there on purpose; so is a folder.
            let below = self.folders.iter().any(|folder| target.starts_with(folder));
            let elsewhere = !below || Language::of(&target).is_none();
            if kind.is_dir() || files.contains(&target) {
                continue;
            }
            if !kind.is_file() {
                self.gap(&shown, NOT_REGULAR);
            } else if elsewhere {
                self.gap(&shown, "a link out of the scanned folders, which is not followed");
            }
        }
    }

    fn gap(&mut self, path: &Path, reason: &str) {
        self.gaps.push(Gap { path: slashed(path), line: None, reason: reason.to_owned() });
    }
}

/// Each file once: by the root that names it, and else by the first path.
fn each_once(mut entries: Vec<Entry>) -> Vec<Entry> {
    entries.sort_by(|one, other| {
        let by_file = one.real.cmp(&other.real).then_with(|| one.asked.cmp(&other.asked));
        by_file.then_with(|| by_parts(&one.shown, &other.shown))
    });
    entries.dedup_by(|one, other| one.real == other.real);
    entries
}

const NOT_REGULAR: &str = "not a regular file";

fn read_source(entry: Entry, keeps_text: bool) -> Result<Arc<Source>, Gap> {
    let Entry { shown, real, .. } = entry;
    let path = slashed(&shown);
    let language = language(&shown);
    let source = again::with_bytes(&real, |bytes| match keeps_text {
        true => Source::decode(shown, language, bytes),
        false => Source::seen(shown, language, bytes, real.clone()),
    });
    match source {
        Ok(Ok(source)) => Ok(Arc::new(source)),
        Ok(Err(fault)) => Err(Gap { path, line: fault.line, reason: fault.reason }),
        Err(reason) => Err(Gap { path, line: None, reason }),
    }
}

/// A file that was named and has another ending is taken for Python.
fn language(shown: &Path) -> Language {
    Language::of(shown).unwrap_or(Language::Python)
}

/// Where a root lies; an empty path is the current directory.
fn root_on_disk(here: &Path, root: &Path) -> PathBuf {
    if root.as_os_str().is_empty() { here.to_owned() } else { here.join(root) }
}

/// Adds to the end of a file, which is made where it is not there.
///
/// # Errors
/// When the file cannot be written.
pub fn append(path: &Path, text: &str) -> io::Result<()> {
    File::options().append(true).create(true).open(path)?.write_all(text.as_bytes())
}

/// How many bytes a file has; none where it is not there.
pub fn length(path: &Path) -> usize {
    fs::metadata(path).map_or(0, |kind| usize::try_from(kind.len()).unwrap_or(usize::MAX))
}

/// Whether a folder is at a path.
pub fn is_folder(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|kind| kind.is_dir())
}

/// A root as its files are shown: from the current directory where it lies below, else as it was given.
pub fn shown(here: &Path, root: &Path) -> PathBuf {
    let path = absolute(here, root);
    if root.is_absolute() && !path.starts_with(here) { path } else { relative(here, &path) }
}

/// Parts are compared as bytes, so that a folder's files stay together on every machine.
pub fn by_parts(a: &Path, b: &Path) -> Ordering {
    parts(a).cmp(parts(b))
}

/// Keys of paths are in the order of the paths themselves. No part of a path holds a NUL byte.
fn key_of_parts(path: &Path) -> Vec<u8> {
    let mut key = Vec::with_capacity(path.as_os_str().len() + 1);
    for part in parts(path) {
        key.extend_from_slice(part);
        key.push(0);
    }
    key
}

fn parts(path: &Path) -> impl Iterator<Item = &[u8]> {
    path.components().map(|part| part.as_os_str().as_encoded_bytes())
}

/// The path and the reason inside an error of the walk.
fn unfold(fault: &ignore::Error) -> (Option<&Path>, String) {
    match fault {
        ignore::Error::WithPath { path, err } => (Some(path), unfold(err).1),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => unfold(err),
        ignore::Error::Loop { child, .. } => {
            (Some(child), "a link that leads back to where it lies".to_owned())
        }
        ignore::Error::Io(fault) => (None, plain(fault)),
        other => (None, other.to_string()),
    }
}

fn is_absence(fault: &io::Error) -> bool {
    matches!(fault.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// An error of the system in words that are the same on every one.
fn plain(fault: &io::Error) -> String {
    match fault.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => "no such file or folder".to_owned(),
        io::ErrorKind::PermissionDenied => "no permission to read it".to_owned(),
        _ => fault.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_ordered_by_their_parts() {
        let mut paths = ["a-b/x.py", "a/z.py", "a.py", "a/b/c.py", "B.py"].map(Path::new);
        paths.sort_by(|a, b| by_parts(a, b));
        assert_eq!(paths, ["B.py", "a/b/c.py", "a/z.py", "a-b/x.py", "a.py"].map(Path::new));
        assert!(paths.is_sorted_by_key(|path| key_of_parts(path)));
    }

    #[test]
    fn roots_are_shown_from_where_one_stands() {
        let here = Path::new("/w/p");
        assert_eq!(shown(here, Path::new(".")), Path::new(""));
        assert_eq!(shown(here, Path::new("/w/p/app")), Path::new("app"));
        assert_eq!(shown(here, Path::new("./app/../lib")), Path::new("lib"));
        assert_eq!(shown(here, Path::new("../q")), Path::new("../q"));
        assert_eq!(shown(here, Path::new("/tmp/q")), Path::new("/tmp/q"));
    }

    #[test]
    fn text_at_hand_is_a_file_of_its_own() {
        let walked = given(Path::new("a/b.py"), b"x = 1\n");
        assert_eq!(walked.sources[0].display_path(), "a/b.py");
        let broken = given(Path::new("a/b.py"), b"x = '\xff'\n");
        assert_eq!((broken.sources.len(), broken.gaps[0].line), (0, Some(1)));
    }
}
