//! report/audit/order: in which order to work: how urgent each open finding is, and which files hold the urgent ones.
//!
//! `[[priority]]` says how urgent a path is. Where it says nothing, an error is high and a review medium.

use std::cmp::Reverse;
use std::path::Path;

use super::super::{Status, status};
use crate::config::Urgency;
use crate::finding::{FileReport, Scan, Severity};

/// In which order to work.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// The numbers of each urgency: high, medium, low.
    pub matrix: [PriorityRow; 3],
    /// The files with open findings, the most urgent first.
    pub files: Vec<OrderRow>,
    /// Whether the configuration says how urgent some path is.
    pub is_configured: bool,
}

/// The open findings of one urgency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PriorityRow {
    /// Errors.
    pub errors: usize,
    /// Reviews.
    pub reviews: usize,
    /// Files that hold one of them.
    pub files: usize,
}

/// The open findings of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderRow {
    /// How urgent its most urgent finding is.
    pub urgency: Urgency,
    /// Its path.
    pub path: String,
    /// How it came out.
    pub status: Status,
    /// Errors.
    pub errors: usize,
    /// Reviews.
    pub reviews: usize,
}

/// The order of work of a scan.
pub(super) fn of(scan: &Scan, said: &dyn Fn(&Path) -> Option<Urgency>) -> Order {
    let mut order = Order::default();
    for file in &scan.files {
        let asked = said(&file.source.path);
        order.is_configured |= asked.is_some();
        if let Some(row) = row(file, asked, &mut order.matrix, scan) {
            order.files.push(row);
        }
    }
    order.files.sort_by(|a, b| {
        let key = |row: &OrderRow| (row.urgency, Reverse((row.errors, row.reviews)));
        key(a).cmp(&key(b)).then_with(|| a.path.cmp(&b.path))
    });
    order
}

fn row(
    file: &FileReport,
    asked: Option<Urgency>,
    matrix: &mut [PriorityRow; 3],
    scan: &Scan,
) -> Option<OrderRow> {
    let mut seen = [false; 3];
    let (mut errors, mut reviews) = (0, 0);
    for finding in file.findings.iter().filter(|finding| finding.is_open()) {
        let urgency = asked.unwrap_or(match finding.severity {
            Severity::Error => Urgency::High,
            Severity::Review => Urgency::Medium,
        });
        seen[place(urgency)] = true;
        let of_level = &mut matrix[place(urgency)];
        match finding.severity {
            Severity::Error => (errors, of_level.errors) = (errors + 1, of_level.errors + 1),
            Severity::Review => (reviews, of_level.reviews) = (reviews + 1, of_level.reviews + 1),
        }
    }
    for (row, seen) in matrix.iter_mut().zip(seen) {
        row.files += usize::from(seen);
    }
    let urgency = *URGENCIES.iter().zip(seen).find(|(_, seen)| *seen)?.0;
    Some(OrderRow {
        urgency,
        path: file.source.display_path(),
        status: status(file, &scan.gaps),
        errors,
        reviews,
    })
}

/// All of them, the most urgent first.
pub const URGENCIES: [Urgency; 3] = [Urgency::High, Urgency::Medium, Urgency::Low];

fn place(urgency: Urgency) -> usize {
    match urgency {
        Urgency::High => 0,
        Urgency::Medium => 1,
        Urgency::Low => 2,
    }
}
