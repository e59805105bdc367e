//! report: what a scan found, in every format; one file a format. Pure: a scan goes in, a text comes out.
//!
//! No format decides anything: what counts as compliant, what a file's status is and how many there are of each is said
//! once, here, so that two formats of one scan never disagree.

pub mod audit;
pub mod concise;
pub mod diff;
mod excerpt;
pub mod github;
pub mod gitlab;
pub mod html;
pub mod human;
pub mod inventory;
pub mod json;
pub mod jsonl;
pub mod junit;
pub mod ledger;
pub mod markdown;
pub mod plan;
pub mod sarif;
pub mod step;
pub mod trend;

use std::collections::{BTreeMap, BTreeSet};

use crate::duty::Operation;
use crate::escape;
use crate::finding::{FileReport, Finding, Gap, Safety, Scan, Severity, Since};

/// How much of a scan a text for people holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Findings, gaps and the summary.
    Full,
    /// Findings alone.
    FindingsOnly,
}

/// How a file came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nothing is left to do.
    Compliant,
    /// Nothing is left to do since this run has mended it.
    Fixed,
    /// A person must decide something, or a part of the file could not be understood.
    NeedsReview,
    /// Something is wrong.
    HasIssues,
}

/// The numbers of a scan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Files that were scanned.
    pub scanned: usize,
    /// Files among them that write rows.
    pub with_writes: usize,
    /// Files with at least one gap, unreadable ones included.
    pub files_with_gaps: usize,
    /// Gaps.
    pub gaps: usize,
    /// Writes that create a row.
    pub creates: usize,
    /// Writes that update a row.
    pub updates: usize,
    /// Writes that delete a row.
    pub deletes: usize,
    /// Writes with no duty missing.
    pub compliant: usize,
    /// Writes with every duty set or covered.
    pub stamped: usize,
    /// Writes in tests, migrations, seeds and scripts, which are none of the others.
    pub aside: usize,
    /// Errors that are open.
    pub errors: usize,
    /// Reviews that are open.
    pub reviews: usize,
    /// Suppressed findings.
    pub suppressed: usize,
    /// Findings that the baseline accepts.
    pub baselined: usize,
    /// Open findings that a safe fix would mend.
    pub safely_fixable: usize,
    /// Open findings that an unsafe fix would mend.
    pub unsafely_fixable: usize,
}

/// The numbers of one rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleTally {
    /// The rule's pack.
    pub pack: String,
    /// Its errors that are open.
    pub errors: usize,
    /// Its reviews that are open.
    pub reviews: usize,
    /// Its suppressed findings.
    pub suppressed: usize,
    /// Its findings that the baseline accepts.
    pub baselined: usize,
}

impl Tally {
    /// Counts a scan.
    pub fn of(scan: &Scan) -> Tally {
        let gap_paths: BTreeSet<&str> = scan.gaps.iter().map(|gap| gap.path.as_str()).collect();
        let mut tally = Tally {
            scanned: scan.files.iter().filter(|file| file.source.language.is_code()).count(),
            aside: scan.aside,
            gaps: scan.gaps.len(),
            files_with_gaps: gap_paths.len(),
            ..Tally::default()
        };
        for file in &scan.files {
            tally.with_writes += usize::from(!file.writes.is_empty());
            for write in &file.writes {
                match write.operation {
                    Operation::Create => tally.creates += 1,
                    Operation::Update => tally.updates += 1,
                    Operation::Delete => tally.deletes += 1,
                }
                tally.compliant += usize::from(write.is_compliant());
                tally.stamped += usize::from(write.is_stamped());
            }
            for finding in &file.findings {
                match (&finding.suppressed, finding.baselined, finding.severity) {
                    (Some(_), ..) => tally.suppressed += 1,
                    (None, true, _) => tally.baselined += 1,
                    (None, false, Severity::Error) => tally.errors += 1,
                    (None, false, Severity::Review) => tally.reviews += 1,
                }
                let fix = finding.fix.as_ref().filter(|_| finding.is_open());
                match fix.map(|fix| fix.safety) {
                    Some(Safety::Safe) => tally.safely_fixable += 1,
                    Some(Safety::Unsafe) => tally.unsafely_fixable += 1,
                    None => {}
                }
            }
        }
        tally
    }

    /// All writes.
    pub fn writes(&self) -> usize {
        self.creates + self.updates + self.deletes
    }

    /// The share of writes with every duty set or covered, in tenths of a percent; `None` when there is no write.
    ///
    /// It is rounded down, so that nothing short of all of them ever reads as 100 %.
    pub fn coverage(&self) -> Option<usize> {
        share(self.stamped, self.writes())
    }

    /// What could be mended, in one line; nothing where nothing can.
    fn offer(&self) -> String {
        let (safe, daring) = (self.safely_fixable, self.unsafely_fixable);
        match (safe, daring) {
            (0, 0) => String::new(),
            (_, 0) => format!("{safe} can be fixed with `--fix`\n"),
            (0, _) => format!("{daring} can be fixed with `--fix --unsafe-fixes`\n"),
            _ => format!("{safe} can be fixed with `--fix`, {daring} more with `--fix --unsafe-fixes`\n"),
        }
    }

    /// How many writes are not counted, behind those that are; nothing where all are.
    fn beside(&self) -> String {
        match self.aside {
            0 => String::new(),
            aside => format!(", {aside} more in tests and scripts"),
        }
    }

    /// The summary in one line.
    pub fn line(&self) -> String {
        let coverage = match self.coverage() {
            Some(tenths) => format!("{}, {} fully stamped", count(self.writes(), "write"), percent(tenths)),
            None => "no writes".to_owned(),
        } + &self.beside();
        let excused = |many: usize, how: &str| match many {
            0 => String::new(),
            many => format!(", {many} {how}"),
        };
        let excused = excused(self.suppressed, "suppressed") + &excused(self.baselined, "baselined");
        format!(
            "{}, {}{excused} in {} with writes ({} scanned, {coverage}, {})",
            count(self.errors, "error"),
            count(self.reviews, "review"),
            count(self.with_writes, "file"),
            self.scanned,
            count(self.gaps, "gap"),
        )
    }
}

/// Whether a report has anything to say of a file; `Tally::scanned` counts the others.
fn has_news(file: &FileReport) -> bool {
    !file.writes.is_empty() || !file.findings.is_empty() || !file.changes.is_empty()
}

/// How a file came out, given all gaps of the scan.
pub fn status(file: &FileReport, gaps: &[Gap]) -> Status {
    let open = || file.findings.iter().filter(|finding| finding.is_open());
    if open().any(|finding| finding.severity == Severity::Error) {
        return Status::HasIssues;
    }
    let path = file.source.display_path();
    // What was not understood, and what the baseline leaves for later, cannot be called compliant.
    let is_left = file.findings.iter().any(|finding| finding.baselined);
    if open().next().is_some() || is_left || gaps.iter().any(|gap| gap.path == path) {
        return Status::NeedsReview;
    }
    if file.changes.is_empty() { Status::Compliant } else { Status::Fixed }
}

/// The numbers of each rule that found something, by id.
pub fn by_rule(scan: &Scan) -> BTreeMap<&str, RuleTally> {
    let mut rules: BTreeMap<&str, RuleTally> = BTreeMap::new();
    for finding in scan.files.iter().flat_map(|file| &file.findings) {
        let rule = rules.entry(&finding.rule).or_default();
        rule.pack.clone_from(&finding.pack);
        match (&finding.suppressed, finding.baselined, finding.severity) {
            (Some(_), ..) => rule.suppressed += 1,
            (None, true, _) => rule.baselined += 1,
            (None, false, Severity::Error) => rule.errors += 1,
            (None, false, Severity::Review) => rule.reviews += 1,
        }
    }
    rules
}

/// The numbers of each rule as an aligned table for a terminal; empty when nothing was found.
pub fn statistics(scan: &Scan) -> String {
    let rules = by_rule(scan);
    let width = rules.keys().map(|id| id.len()).max().unwrap_or(0);
    let mut out = String::new();
    for (id, rule) in rules {
        let counts = format!(
            "{:>5} errors {:>5} reviews {:>5} suppressed {:>5} baselined",
            rule.errors, rule.reviews, rule.suppressed, rule.baselined
        );
        out.push_str(&format!("{:<width$} {counts}\n", escape::terminal(id)));
    }
    out
}

/// A gap in one line.
pub fn gap_line(gap: &Gap) -> String {
    let line = gap.line.map(|line| format!(":{line}")).unwrap_or_default();
    format!("gap: {}{line}: {}", escape::terminal(&gap.path), escape::terminal(&gap.reason))
}

/// The findings that are shown to people: those that nothing excuses.
fn shown(scan: &Scan) -> impl Iterator<Item = &Finding> {
    scan.files.iter().flat_map(|file| &file.findings).filter(|finding| finding.is_open())
}

/// What follows the findings in a text for people.
fn closing(scan: &Scan, extent: Extent) -> String {
    if extent == Extent::FindingsOnly {
        return String::new();
    }
    let gaps: String = scan.gaps.iter().map(|gap| gap_line(gap) + "\n").collect();
    let tally = Tally::of(scan);
    let since = since_line(scan).map_or_else(String::new, |line| line + "\n");
    format!("{gaps}{}\n{since}{}", tally.line(), tally.offer())
}

/// What was left out because it was there before a change, in one line.
pub(crate) fn since_line(scan: &Scan) -> Option<String> {
    let Since { revision, left_out } = scan.since.as_ref()?;
    let revision = revision.get(..12).unwrap_or(revision);
    Some(format!("compared with {revision}: {} from before left out", count(*left_out, "finding")))
}

/// The share of a part in a whole, in tenths of a percent, rounded down so that nothing short of all reads as all.
pub fn share(part: usize, whole: usize) -> Option<usize> {
    (part * 1000).checked_div(whole)
}

fn percent(tenths: usize) -> String {
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// A number of things, as one says it.
pub(crate) fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
pub(crate) mod tests;
