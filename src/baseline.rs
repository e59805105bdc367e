//! baseline: the findings a team has accepted for now, as its file says it, and what of a scan they accept.
//!
//! An entry knows its finding by the fingerprint, and says path, function and rule for whoever reads the file. Findings
//! that are equal in a file share an entry, which counts them. Paths count from the folder of the file, so that it means
//! the same wherever a scan is started. Reading and writing the file is left to others.

mod file;
mod hold;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::{absolute, relative};
use crate::finding::Finding;
use crate::source::{Source, Span, slashed};

pub use file::{Fault, read, render};
pub use hold::hold;

/// The name of the file where none is given.
pub const FILE: &str = "trailcheck-baseline.json";

/// An accepted set of findings.
#[derive(Clone, Debug)]
pub struct Baseline {
    /// The file.
    pub source: Arc<Source>,
    /// Where it lies.
    pub ground: Ground,
    /// What was scanned when it was made, from its folder; `.` is that folder.
    pub roots: Vec<String>,
    /// What it accepts, in the order of the file.
    pub entries: Vec<Entry>,
}

/// Some accepted findings that are equal in all an entry says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The file they stand in, from the folder of the baseline.
    pub path: String,
    /// The function they stand in.
    pub function: String,
    /// The rule.
    pub rule: String,
    /// The model, where one is concerned.
    pub entity: Option<String>,
    /// What the write does, where one is concerned.
    pub operation: Option<String>,
    /// What they are known by.
    pub fingerprint: String,
    /// How many there are.
    pub count: u32,
    /// Where the entry stands in the file.
    pub span: Span,
}

/// Between which folders paths are counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ground {
    /// The current directory, absolute.
    pub here: PathBuf,
    /// The folder of the baseline, absolute.
    pub folder: PathBuf,
}

impl Ground {
    /// A path as it is shown, as the baseline says it.
    pub fn said(&self, shown: &Path) -> String {
        match slashed(&relative(&self.folder, &absolute(&self.here, shown))) {
            path if path.is_empty() => ".".to_owned(),
            path => path,
        }
    }

    /// A path of the baseline, absolute.
    pub fn found(&self, said: &str) -> PathBuf {
        absolute(&self.folder, Path::new(said))
    }
}

impl Baseline {
    /// Whether a scan of these roots sees all that was seen when the baseline was made. One that sees less knows less of
    /// the program: what it does not find may be there all the same.
    pub fn is_seen_whole(&self, roots: &[PathBuf]) -> bool {
        let roots: Vec<PathBuf> = roots.iter().map(|root| absolute(&self.ground.here, root)).collect();
        self.roots.iter().all(|said| {
            let wanted = self.ground.found(said);
            roots.iter().any(|root| wanted.starts_with(root))
        })
    }

    /// How many findings it accepts.
    pub fn count(&self) -> usize {
        self.entries.iter().map(|entry| entry.count as usize).sum()
    }
}

/// Entries for findings, in the order of a baseline's file.
pub fn entries<'a>(findings: impl IntoIterator<Item = &'a Finding>, ground: &Ground) -> Vec<Entry> {
    let one = |finding: &Finding| Entry {
        path: ground.said(&finding.place.source.path),
        function: finding.function.clone(),
        rule: finding.rule.clone(),
        entity: finding.entity.clone(),
        operation: finding.operation.map(|operation| operation.word().to_owned()),
        fingerprint: finding.kind().to_owned(),
        count: 1,
        span: Span::default(),
    };
    merged(findings.into_iter().map(one).collect())
}

/// The same entries in the order of the file, equal ones as one.
pub fn merged(mut entries: Vec<Entry>) -> Vec<Entry> {
    entries.sort_by(|a, b| key(a).cmp(&key(b)));
    let mut out: Vec<Entry> = Vec::new();
    for entry in entries {
        match out.last_mut() {
            Some(last) if key(last) == key(&entry) => last.count = last.count.saturating_add(entry.count),
            _ => out.push(entry),
        }
    }
    out
}

/// Roots, each once, without those below others.
pub fn joined(roots: impl IntoIterator<Item = String>) -> Vec<String> {
    let all: BTreeSet<String> = roots.into_iter().collect();
    let is_below = |root: &String| {
        all.iter().any(|other| {
            other != root && (other == "." && !root.starts_with("..") || Path::new(root).starts_with(other))
        })
    };
    all.iter().filter(|root| !is_below(root)).cloned().collect()
}

/// A folder's files stay together; lines are not in it, so that an entry keeps its place when code moves.
fn key(entry: &Entry) -> (Vec<&str>, &str, &str, &str, &str, &str) {
    (
        entry.path.split('/').collect(),
        &entry.function,
        &entry.rule,
        entry.entity.as_deref().unwrap_or(""),
        entry.operation.as_deref().unwrap_or(""),
        &entry.fingerprint,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_count_from_the_folder_of_the_file() {
        let ground = Ground { here: "/w/p/app".into(), folder: "/w/p".into() };
        assert_eq!(ground.said(Path::new("x.py")), "app/x.py");
        assert_eq!(ground.said(Path::new("../y.py")), "y.py");
        assert_eq!(ground.said(Path::new("..")), ".");
        assert_eq!(ground.said(Path::new("/q/y.py")), "../../q/y.py");
        assert_eq!(ground.found("app/x.py"), Path::new("/w/p/app/x.py"));
        assert_eq!(ground.found("."), Path::new("/w/p"));
    }

    #[test]
    fn a_scan_of_less_than_was_seen_proves_nothing_gone() {
        let ground = Ground { here: "/w/p".into(), folder: "/w/p".into() };
        let of = |roots: &[&str]| Baseline {
            source: Arc::new(Source::of_text(FILE, crate::source::Language::Json, "")),
            ground: ground.clone(),
            roots: roots.iter().map(|&root| root.to_owned()).collect(),
            entries: Vec::new(),
        };
        let sees = |made: &[&str], roots: &[&str]| {
            of(made).is_seen_whole(&roots.iter().map(PathBuf::from).collect::<Vec<_>>())
        };
        assert!(
            sees(&["app"], &["app"]) && sees(&["app"], &["."]) && sees(&["app", "lib"], &["lib", "app/"])
        );
        assert!(
            !sees(&["."], &["app"]) && !sees(&["app"], &["app/x.py"]) && !sees(&["app", "lib"], &["app"])
        );
    }

    #[test]
    fn roots_are_kept_without_those_below_others() {
        let join = |roots: &[&str]| joined(roots.iter().map(|&root| root.to_owned()));
        assert_eq!(join(&["app", "lib", "app/x", "app"]), ["app", "lib"]);
        assert_eq!(join(&["app", ".", "../q"]), [".", "../q"]);
        assert_eq!(join(&["app", "application"]), ["app", "application"]);
    }
}
