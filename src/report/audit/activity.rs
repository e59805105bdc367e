//! report/audit/activity: what the code does to rows and what was found in it, by pack of rules and by model.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::super::is_stamped;
use super::{RuleRow, share};
use crate::duty::Operation;
use crate::finding::{Scan, Severity};

/// The findings of one pack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackRow {
    /// The pack.
    pub pack: String,
    /// How many of its rules found something.
    pub rules: usize,
    /// Errors.
    pub errors: usize,
    /// Reviews.
    pub reviews: usize,
    /// Findings that a comment or the baseline excuses.
    pub excused: usize,
    /// Its share of the open findings, in tenths of a percent.
    pub share: usize,
}

/// The writes of one model, and the findings about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelRow<'a> {
    /// The model.
    pub model: &'a str,
    /// Writes that create a row.
    pub creates: usize,
    /// Writes that update one.
    pub updates: usize,
    /// Writes that delete one.
    pub deletes: usize,
    /// Writes with every duty set or covered.
    pub stamped: usize,
    /// Errors.
    pub errors: usize,
    /// Reviews.
    pub reviews: usize,
}

impl ModelRow<'_> {
    /// All its writes.
    pub fn writes(&self) -> usize {
        self.creates + self.updates + self.deletes
    }

    /// The share of writes with every duty set or covered, in tenths of a percent.
    pub fn coverage(&self) -> Option<usize> {
        share(self.stamped, self.writes())
    }
}

/// The packs of some rules, the most frequent first.
pub(super) fn packs(rules: &[RuleRow<'_>]) -> Vec<PackRow> {
    let mut rows: BTreeMap<&str, PackRow> = BTreeMap::new();
    let all: usize = rules.iter().map(|rule| rule.tally.errors + rule.tally.reviews).sum();
    for rule in rules {
        let row = rows.entry(&rule.tally.pack).or_default();
        row.pack.clone_from(&rule.tally.pack);
        row.rules += 1;
        row.errors += rule.tally.errors;
        row.reviews += rule.tally.reviews;
        row.excused += rule.tally.suppressed + rule.tally.baselined;
    }
    for row in rows.values_mut() {
        row.share = share(row.errors + row.reviews, all).unwrap_or(0);
    }
    let mut rows: Vec<PackRow> = rows.into_values().collect();
    rows.sort_by_key(|row| Reverse((row.errors + row.reviews, row.errors)));
    rows
}

/// The models of a scan, those with the most writes first.
pub(super) fn models(scan: &Scan) -> Vec<ModelRow<'_>> {
    let mut rows: BTreeMap<&str, ModelRow<'_>> = BTreeMap::new();
    for file in &scan.files {
        for write in &file.writes {
            let row = rows.entry(&write.entity).or_insert_with(|| blank(&write.entity));
            match write.operation {
                Operation::Create => row.creates += 1,
                Operation::Update => row.updates += 1,
                Operation::Delete => row.deletes += 1,
            }
            row.stamped += usize::from(is_stamped(write));
        }
        for finding in file.findings.iter().filter(|finding| finding.is_open()) {
            let Some(model) = &finding.entity else { continue };
            let row = rows.entry(model).or_insert_with(|| blank(model));
            match finding.severity {
                Severity::Error => row.errors += 1,
                Severity::Review => row.reviews += 1,
            }
        }
    }
    let mut rows: Vec<ModelRow<'_>> = rows.into_values().collect();
    rows.sort_by_key(|row| (Reverse(row.writes()), Reverse(row.errors), row.model));
    rows
}

fn blank(model: &str) -> ModelRow<'_> {
    ModelRow { model, creates: 0, updates: 0, deletes: 0, stamped: 0, errors: 0, reviews: 0 }
}
