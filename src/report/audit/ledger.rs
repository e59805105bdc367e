//! report/audit/ledger: what somebody has answered for: the comments that suppress findings, and what the baseline accepts.

use crate::finding::{Comparison, Finding, Scan, SuppressionRecord};

/// What somebody has answered for.
#[derive(Default)]
pub struct Ledger<'a> {
    /// The comments, by file and line.
    pub comments: &'a [SuppressionRecord],
    /// What came of holding the findings against a baseline.
    pub baseline: Option<&'a Comparison>,
    /// What the baseline accepts, in position order.
    pub accepted: Vec<Accepted<'a>>,
}

/// A finding that the baseline accepts.
pub struct Accepted<'a> {
    /// Its file.
    pub path: String,
    /// The 1-based line.
    pub line: u32,
    /// The finding.
    pub finding: &'a Finding,
}

/// The ledger of a scan.
pub(super) fn of(scan: &Scan) -> Ledger<'_> {
    let mut accepted = Vec::new();
    for file in &scan.files {
        for finding in file.findings.iter().filter(|one| one.baselined && one.suppressed.is_none()) {
            let line = file.source.line(finding.place.span.start);
            accepted.push(Accepted { path: file.source.display_path(), line, finding });
        }
    }
    Ledger { comments: &scan.suppressions, baseline: scan.baseline.as_ref(), accepted }
}
