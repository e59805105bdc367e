//! since: what a change has brought: the findings of a scan that a scan of the code before it does not have.
//!
//! Both scans see the whole program, so that a finding counts as brought wherever it stands: a helper that no longer
//! stamps brings findings in the files of its callers. A finding was there before when code that the change did not
//! touch had it at the same place, or when one of the same fingerprint was there, be it in a file of another name.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use similar::{Algorithm, DiffOp, capture_diff_slices};

use crate::duty::Operation;
use crate::finding::{FileReport, Finding, Scan, Severity};
use crate::source::Source;

/// What was found before a change.
#[derive(Clone, Debug)]
pub struct Before {
    /// The revision that was scanned.
    pub revision: String,
    files: BTreeMap<PathBuf, OldFile>,
}

#[derive(Clone, Debug)]
struct OldFile {
    source: Arc<Source>,
    findings: Vec<Old>,
}

/// A finding of before.
#[derive(Clone, Debug)]
struct Old {
    rule: String,
    kind: String,
    line: u32,
    column: u32,
    operation: Option<Operation>,
    entity: Option<String>,
    severity: Severity,
    is_open: bool,
}

impl Before {
    /// What a scan of the revision has found.
    pub fn new(revision: String, scan: Scan) -> Before {
        let old = |source: &Source, finding: &Finding| {
            let at = source.position(finding.place.span.start);
            Old {
                rule: finding.rule.clone(),
                kind: finding.kind().to_owned(),
                line: at.line,
                column: at.column,
                operation: finding.operation,
                entity: finding.entity.clone(),
                severity: finding.severity,
                is_open: finding.is_open(),
            }
        };
        let file = |file: FileReport| {
            let findings = file.findings.iter().map(|finding| old(&file.source, finding)).collect();
            (file.source.path.clone(), OldFile { source: file.source, findings })
        };
        Before { revision, files: scan.files.into_iter().map(file).collect() }
    }

    /// Leaves only what was brought, and says how many findings were there before.
    pub fn leave_brought(&self, files: &mut [FileReport]) -> usize {
        let mut free = Free::new(self);
        let mut known: Vec<Vec<bool>> = files.iter().map(|file| vec![false; file.findings.len()]).collect();
        for (file, known) in files.iter().zip(&mut known) {
            let Some(old) = self.files.get(&file.source.path) else { continue };
            if old.findings.is_empty() || file.findings.is_empty() {
                continue;
            }
            let lines = lines_before(&old.source, &file.source);
            for (finding, known) in file.findings.iter().zip(known) {
                *known = free.take_at(finding, &lines);
            }
        }
        for is_own_file in [true, false] {
            for (file, known) in files.iter().zip(&mut known) {
                for (finding, known) in file.findings.iter().zip(known).filter(|(_, known)| !**known) {
                    *known = free.take_kind(finding, is_own_file);
                }
            }
        }
        let mut left_out = 0;
        for (file, known) in files.iter_mut().zip(known) {
            left_out += known.iter().filter(|&&known| known).count();
            let mut known = known.into_iter();
            file.findings.retain(|_| !known.next().unwrap_or(false));
        }
        left_out
    }
}

/// The findings of before that none of now has been told to be.
struct Free<'a> {
    before: &'a Before,
    by_kind: FxHashMap<&'a str, VecDeque<(&'a PathBuf, usize)>>,
    is_taken: FxHashMap<(&'a PathBuf, usize), bool>,
}

impl<'a> Free<'a> {
    fn new(before: &'a Before) -> Free<'a> {
        let mut free = Free { before, by_kind: FxHashMap::default(), is_taken: FxHashMap::default() };
        for (path, file) in &before.files {
            for (at, old) in file.findings.iter().enumerate() {
                free.by_kind.entry(&old.kind).or_default().push_back((path, at));
                free.is_taken.insert((path, at), false);
            }
        }
        free
    }

    /// Takes the one that stood at the same place of a line that is as it was.
    fn take_at(&mut self, finding: &Finding, lines: &FxHashMap<u32, u32>) -> bool {
        let source = &finding.place.source;
        let at = source.position(finding.place.span.start);
        let Some(&line) = lines.get(&at.line) else { return false };
        let Some((path, file)) = self.before.files.get_key_value(&source.path) else { return false };
        // Findings stand in the order of their places.
        let first = file.findings.partition_point(|old| (old.line, old.column) < (line, at.column));
        let here =
            file.findings[first..].iter().take_while(|old| (old.line, old.column) == (line, at.column));
        let found = here.enumerate().map(|(more, old)| (first + more, old)).find(|&(number, old)| {
            let is_free = !self.is_taken[&(path, number)];
            let is_same = old.operation == finding.operation && old.entity == finding.entity;
            is_free && is_same && old.is_no_less_than(finding)
        });
        if let Some((number, _)) = found {
            self.is_taken.insert((path, number), true);
        }
        found.is_some()
    }

    /// Takes one of the same fingerprint, in the file of the same path or in another.
    fn take_kind(&mut self, finding: &Finding, is_own_file: bool) -> bool {
        let Some(olds) = self.by_kind.get(finding.kind()) else { return false };
        let found = olds.iter().copied().find(|&(path, number)| {
            let is_own = *path == finding.place.source.path;
            let old = &self.before.files[path].findings[number];
            is_own == is_own_file && !self.is_taken[&(path, number)] && old.is_no_less_than(finding)
        });
        if let Some(found) = found {
            self.is_taken.insert(found, true);
        }
        found.is_some()
    }
}

impl Old {
    /// Whether the finding of now is no news beside it: a review that is now an error is, and so is what a suppression
    /// excused before.
    fn is_no_less_than(&self, finding: &Finding) -> bool {
        self.rule == finding.rule
            && self.severity >= finding.severity
            && (self.is_open || finding.suppressed.is_some())
    }
}

/// For each line that is as it was, where it stood before.
fn lines_before(old: &Source, new: &Source) -> FxHashMap<u32, u32> {
    // The ends of lines are the checkout's.
    fn lines(source: &Source) -> Vec<&str> {
        (1..=source.line_count()).map(|line| source.slice(source.line_span(line)).trim_end()).collect()
    }
    let (old, new) = (lines(old), lines(new));
    let mut moved = FxHashMap::default();
    let ops = if old == new {
        vec![DiffOp::Equal { old_index: 0, new_index: 0, len: new.len() }]
    } else {
        capture_diff_slices(Algorithm::Patience, &old, &new)
    };
    for op in ops {
        if let DiffOp::Equal { old_index, new_index, len } = op {
            for step in 0..len {
                moved.insert((new_index + step) as u32 + 1, (old_index + step) as u32 + 1);
            }
        }
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Suppressed;
    use crate::report::tests as example;

    /// A scan of one file with a finding at each `Job()`, all of one fingerprint.
    fn scan(path: &str, text: &str, change: impl Fn(&mut Finding)) -> Scan {
        let source = example::source(path, text);
        let mut findings = Vec::new();
        for (at, _) in text.match_indices("Job()") {
            let mut finding = example::finding(&source, "Job()", "r", Severity::Review);
            finding.place.span = crate::source::Span::new(at..at + 5);
            change(&mut finding);
            findings.push(finding);
        }
        let file =
            FileReport { source, writes: Vec::new(), guards: Vec::new(), findings, changes: Vec::new() };
        Scan { files: vec![file], ..Scan::default() }
    }

    /// The lines of the findings that are new.
    fn brought(before: Scan, mut now: Scan) -> Vec<u32> {
        Before::new("abc".to_owned(), before).leave_brought(&mut now.files);
        let file = &now.files[0];
        file.findings.iter().map(|finding| file.source.line(finding.place.span.start)).collect()
    }

    fn same(_: &mut Finding) {}

    #[test]
    fn of_equal_ones_the_one_on_a_new_line_is_new() {
        let (old, new) = ("a\nJob()\nb\n", "a\nJob()\nnew\nJob()\nb\n");
        assert_eq!(brought(scan("a.py", old, same), scan("a.py", new, same)), [4]);
        let new = "a\nif new:\n    Job()\nJob()\nb\n";
        assert_eq!(brought(scan("a.py", old, same), scan("a.py", new, same)), [3]);
        assert_eq!(brought(scan("a.py", new, same), scan("a.py", old, same)), [0; 0]);
    }

    #[test]
    fn a_line_that_is_as_it_was_keeps_its_finding_under_another_name() {
        let renamed = |finding: &mut Finding| finding.fingerprint = "f".repeat(32);
        let (old, new) = ("def a():\n    Job()\n", "\n\ndef b():\n    Job()\n");
        assert_eq!(brought(scan("a.py", old, same), scan("a.py", new, renamed)), [0; 0]);
        assert_eq!(brought(scan("a.py", old, same), scan("b.py", new, same)), [0; 0], "a file that moved");
        assert_eq!(brought(scan("a.py", old, same), scan("b.py", new, renamed)), [4]);
        let other = |finding: &mut Finding| finding.entity = Some("Other".to_owned());
        let both = |finding: &mut Finding| (renamed(finding), other(finding)).1;
        assert_eq!(brought(scan("a.py", old, same), scan("a.py", new, both)), [4]);
    }

    #[test]
    fn what_weighs_more_than_before_is_new() {
        let text = "Job()\n";
        let error = |finding: &mut Finding| finding.severity = Severity::Error;
        assert_eq!(brought(scan("a.py", text, same), scan("a.py", text, error)), [1]);
        assert_eq!(brought(scan("a.py", text, error), scan("a.py", text, same)), [0; 0]);
        let excused = |finding: &mut Finding| finding.suppressed = Some(Suppressed::default());
        assert_eq!(brought(scan("a.py", text, excused), scan("a.py", text, same)), [1]);
        assert_eq!(brought(scan("a.py", text, excused), scan("a.py", text, excused)), [0; 0]);
    }
}
