//! report/audit: the audit report as plain data, computed from a scan and what is handed in with it.
//!
//! Markdown and HTML are drawings of this: neither counts, sorts or decides anything.

mod activity;
mod criteria;
mod history;
mod ledger;
mod order;
mod seal;
mod testing;
pub mod wording;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::Path;

use super::{RuleTally, Status, Tally, by_rule, has_news, since_line, status};
use crate::config::Urgency;
use crate::coverage::Coverage;
use crate::duty::Operation;
use crate::finding::{FileReport, Gap, Safety, Scan, Severity};
use crate::metric::{Measured, Range};
use crate::rule::Rule;
use crate::rulebook::Rulebook;

pub use super::share;
pub use activity::{ModelRow, PackRow};
pub use criteria::{Criterion, Verdict};
pub use history::{Earlier, EarlierFinding, History, Moved};
pub use ledger::{Accepted, Ledger};
pub use order::{Order, OrderRow, PriorityRow, URGENCIES};
pub use seal::{Seal, SealError};
pub use testing::{Evidence, Mark, Testing};

/// What a report is computed from.
pub struct Inputs<'a> {
    /// What was found.
    pub scan: &'a Scan,
    /// The rules there are.
    pub rulebook: &'a Rulebook,
    /// Whether a rule was on.
    pub is_on: Asked<'a, Rule, bool>,
    /// How soon a file is to be worked on, where the configuration says so.
    pub urgency: Asked<'a, Path, Option<Urgency>>,
    /// Whether a default is as good as a stamp, as the configuration has it.
    pub defaults_count: Asked<'a, Path, bool>,
    /// Whether a file serves requests or jobs: it is not a test, migration, seed, fixture or script.
    pub is_service: Asked<'a, Path, bool>,
    /// What was scanned, as the command line names it.
    pub roots: Vec<String>,
    /// The configuration files in force, as they are shown.
    pub settings: Vec<String>,
    /// How many files the configuration leaves out.
    pub left_out: usize,
    /// What makes the report one that can be checked; nothing where it cannot be made again.
    pub seal: Option<Seal>,
    /// What a coverage file says, and its name.
    pub coverage: Option<(&'a Coverage, String)>,
    /// Whose the findings are.
    pub owners: Ownership<'a>,
    /// The figures that are to stay within bounds.
    pub figures: Vec<Measured>,
    /// An earlier scan.
    pub earlier: Option<Earlier>,
    /// Earlier runs, the oldest first, and this one last.
    pub runs: Vec<Run>,
}

/// Something that the caller is asked about a rule or a path.
pub type Asked<'a, Of, Answer> = Box<dyn Fn(&Of) -> Answer + 'a>;

/// Whose a line of a file is.
pub type LineOwners<'a> = Box<dyn Fn(&FileReport, u32) -> Vec<String> + 'a>;

/// How it is known whose a finding is.
pub enum Ownership<'a> {
    /// Nobody asked.
    NotAsked,
    /// Nothing says it: what was looked for.
    Unknown(String),
    /// Something does: what, and whose the line of a file is.
    Known {
        /// What says it, such as the name of a file.
        by: String,
        /// Whose a line of a file is.
        of: LineOwners<'a>,
    },
}

/// One scan among others.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Run {
    /// When it was, as a day or what else tells it from the others.
    pub when: String,
    /// What was scanned.
    pub what: String,
    /// How long it took, in milliseconds, where that was measured.
    pub milliseconds: Option<u64>,
    /// Errors it left.
    pub errors: usize,
    /// Reviews it left.
    pub reviews: usize,
    /// The share of writes that were fully stamped, in tenths of a percent.
    pub coverage: Option<usize>,
    /// Places it could not understand, where that is known.
    pub gaps: Option<usize>,
}

/// The report.
pub struct Audit<'a> {
    /// What was scanned, as the command line names it.
    pub roots: Vec<String>,
    /// The configuration files in force, as they are shown.
    pub settings: Vec<String>,
    /// How many files the configuration leaves out.
    pub left_out: usize,
    /// What makes the report one that can be checked.
    pub seal: Option<Seal>,
    /// That only what a change has brought is told, in one line; nothing where all is.
    pub since: Option<String>,
    /// The numbers.
    pub tally: Tally,
    /// What could not be understood.
    pub gaps: &'a [Gap],
    /// How many rules were on.
    pub rules_on: usize,
    /// The ids of the rules that were off.
    pub rules_off: Vec<&'a str>,
    /// The writes by what they do.
    pub operations: Vec<OperationRow>,
    /// The figures that are to stay within bounds, those that do not first.
    pub figures: Vec<Measured>,
    /// The findings by rule, the most frequent first.
    pub rules: Vec<RuleRow<'a>>,
    /// In which order to work.
    pub order: Order,
    /// Every file that writes rows or has findings, in path order.
    pub files: Vec<AuditedFile<'a>>,
    /// How it is known what tests reach.
    pub evidence: Evidence,
    /// What must hold for the audit to be done.
    pub criteria: Vec<Criterion>,
    /// Findings by pack.
    pub packs: Vec<PackRow>,
    /// Writes and findings by model.
    pub models: Vec<ModelRow<'a>>,
    /// Open findings by owner, and what says whose they are.
    pub owners: Owned,
    /// What has changed since an earlier scan.
    pub history: Option<History>,
    /// What somebody has answered for.
    pub ledger: Ledger<'a>,
    /// The scans, the oldest first.
    pub runs: Vec<Run>,
}

/// Open findings by owner.
pub enum Owned {
    /// Nobody asked.
    NotAsked,
    /// Nothing says whose they are: what was looked for.
    Unknown(String),
    /// Something does.
    Known {
        /// What says it.
        by: String,
        /// The owners, those with the most errors first; those of nobody last.
        rows: Vec<OwnerRow>,
    },
}

/// The open findings of one owner. A finding with two owners is in both rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerRow {
    /// Who; nobody where nothing names one.
    pub owner: Option<String>,
    /// Files with open findings.
    pub files: usize,
    /// Errors.
    pub errors: usize,
    /// Reviews.
    pub reviews: usize,
}

/// The writes of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperationRow {
    /// What they do.
    pub operation: Operation,
    /// How many there are.
    pub writes: usize,
    /// Those with no duty missing.
    pub compliant: usize,
    /// Those with every duty set or covered.
    pub stamped: usize,
}

/// The findings of one rule.
pub struct RuleRow<'a> {
    /// Its id.
    pub id: &'a str,
    /// What it is about.
    pub summary: &'a str,
    /// The numbers.
    pub tally: RuleTally,
    /// Its share of the open findings, in tenths of a percent.
    pub share: usize,
}

/// One file of the report.
pub struct AuditedFile<'a> {
    /// Its path as it is shown.
    pub path: String,
    /// What was found in it.
    pub file: &'a FileReport,
    /// How it came out.
    pub status: Status,
    /// Whether it serves requests or jobs.
    pub is_service: bool,
    /// Which of its writes tests reach.
    pub testing: Option<Testing>,
    /// What was done to it: each order once, and whether a person should read it.
    pub changes: Vec<(&'a str, bool)>,
}

impl<'a> Audit<'a> {
    /// Computes the report.
    pub fn of(inputs: Inputs<'a>) -> Audit<'a> {
        let scan = inputs.scan;
        let coverage = inputs.coverage.as_ref().map(|(coverage, _)| *coverage);
        let evidence = Evidence::of(scan, inputs.coverage.as_ref().map(|(_, name)| name.as_str()));
        let files: Vec<AuditedFile<'_>> = scan
            .files
            .iter()
            .filter(|file| has_news(file))
            .map(|file| AuditedFile {
                path: file.source.display_path(),
                file,
                status: status(file, &scan.gaps),
                testing: testing::of(file, coverage),
                is_service: (inputs.is_service)(&file.source.path),
                changes: changes(file),
            })
            .collect();
        let rules = rules(scan, inputs.rulebook);
        let is_on = |rule: &&Rule| (inputs.is_on)(rule);
        let all = &inputs.rulebook.rules;
        Audit {
            since: since_line(scan),
            tally: Tally::of(scan),
            gaps: &scan.gaps,
            rules_on: all.iter().filter(is_on).count(),
            rules_off: all.iter().filter(|rule| !is_on(rule)).map(|rule| rule.id.as_str()).collect(),
            operations: operations(scan),
            order: order::of(scan, &inputs.urgency),
            criteria: criteria::of(&inputs, &files),
            packs: activity::packs(&rules),
            models: activity::models(scan),
            owners: owners(scan, &inputs.owners),
            history: inputs.earlier.as_ref().map(|earlier| history::of(scan, earlier)),
            ledger: ledger::of(scan),
            rules,
            files,
            evidence,
            figures: bounded(inputs.figures),
            roots: inputs.roots,
            settings: inputs.settings,
            left_out: inputs.left_out,
            seal: inputs.seal,
            runs: inputs.runs,
        }
    }
}

impl AuditedFile<'_> {
    /// Whether tests should reach something in it.
    pub fn owes_tests(&self) -> bool {
        self.is_service && !self.file.writes.is_empty()
    }

    /// What tests reach in it, where they should and it is known.
    pub fn testing_shown(&self) -> Option<&Testing> {
        self.testing.as_ref().filter(|_| self.owes_tests())
    }
}

impl Run {
    /// A run of this moment.
    pub fn of(scan: &Scan, when: String, what: String, milliseconds: Option<u64>) -> Run {
        let tally = Tally::of(scan);
        let (errors, reviews) = (tally.errors, tally.reviews);
        Run { when, what, milliseconds, errors, reviews, coverage: tally.coverage(), gaps: Some(tally.gaps) }
    }

    /// How it ended, in words.
    pub fn outcome(&self) -> &'static str {
        match (self.errors, self.reviews, self.gaps.unwrap_or(0)) {
            (0, 0, 0) => "clean",
            (0, 0, _) => "clean, but something could not be understood",
            (0, ..) => "something to review",
            _ => "errors",
        }
    }
}

fn changes(file: &FileReport) -> Vec<(&str, bool)> {
    let mut changes: Vec<(&str, bool)> = Vec::new();
    for change in &file.changes {
        let one = (change.title.as_str(), change.safety == Safety::Unsafe);
        // One import mends many findings.
        if !changes.contains(&one) {
            changes.push(one);
        }
    }
    changes
}

fn rules<'a>(scan: &'a Scan, rulebook: &'a Rulebook) -> Vec<RuleRow<'a>> {
    let rules = by_rule(scan);
    let open = |tally: &RuleTally| tally.errors + tally.reviews;
    let all: usize = rules.values().map(open).sum();
    let row = |(id, tally): (&'a str, RuleTally)| {
        let summary = rulebook.get(id).map_or("", |rule| rule.summary.as_str());
        let share = share(open(&tally), all).unwrap_or(0);
        RuleRow { id, summary, share, tally }
    };
    let mut rows: Vec<RuleRow<'_>> = rules.into_iter().map(row).collect();
    rows.sort_by_key(|row| (Reverse((open(&row.tally), row.tally.errors)), row.id));
    rows
}

/// The figures that somebody set bounds for, those outside of them first.
fn bounded(figures: Vec<Measured>) -> Vec<Measured> {
    let mut bounded: Vec<Measured> =
        figures.into_iter().filter(|figure| figure.range() != Range::Unbounded).collect();
    bounded.sort_by_key(|figure| figure.range() != Range::Outside);
    bounded
}

fn operations(scan: &Scan) -> Vec<OperationRow> {
    let all = [Operation::Create, Operation::Update, Operation::Delete];
    let row = |operation| {
        let mut row = OperationRow { operation, writes: 0, compliant: 0, stamped: 0 };
        let writes = scan.files.iter().flat_map(|file| &file.writes);
        for write in writes.filter(|write| write.operation == operation) {
            row.writes += 1;
            row.compliant += usize::from(write.is_compliant());
            row.stamped += usize::from(write.is_stamped());
        }
        row
    };
    all.into_iter().map(row).collect()
}

fn owners(scan: &Scan, known: &Ownership<'_>) -> Owned {
    let (by, of) = match known {
        Ownership::NotAsked => return Owned::NotAsked,
        Ownership::Unknown(looked_for) => return Owned::Unknown(looked_for.clone()),
        Ownership::Known { by, of } => (by, of),
    };
    let mut rows: Vec<OwnerRow> = Vec::new();
    let mut at: BTreeMap<Option<String>, (usize, usize)> = BTreeMap::new();
    for (number, file) in scan.files.iter().enumerate() {
        for finding in file.findings.iter().filter(|finding| finding.is_open()) {
            let named = of(file, file.source.line(finding.place.span.start));
            let all = if named.is_empty() { vec![None] } else { named.into_iter().map(Some).collect() };
            for owner in all {
                let (row, last) = *at.entry(owner.clone()).or_insert_with(|| {
                    rows.push(OwnerRow { owner: owner.clone(), files: 0, errors: 0, reviews: 0 });
                    (rows.len() - 1, usize::MAX)
                });
                rows[row].files += usize::from(last != number);
                at.insert(owner, (row, number));
                match finding.severity {
                    Severity::Error => rows[row].errors += 1,
                    Severity::Review => rows[row].reviews += 1,
                }
            }
        }
    }
    rows.sort_by_key(|row| (row.owner.is_none(), Reverse((row.errors, row.reviews)), row.owner.clone()));
    Owned::Known { by: by.clone(), rows }
}

#[cfg(test)]
pub(crate) mod tests;
