//! baseline/hold: the findings of a scan held against a baseline, one for one.

use std::path::Path;

use rustc_hash::FxHashMap;

use super::{Baseline, Entry};
use crate::finding::{Comparison, Finding};

/// Marks the findings that the baseline accepts, and says what of it is left over. Findings are given by file.
///
/// An entry accepts as many equal findings as it counts, first in its own file. What is then left of it may have moved
/// with its function to another file, unless the entry's file is out of this scan's sight.
pub fn hold(
    files: &mut [Vec<Finding>],
    baseline: &Baseline,
    is_in_sight: &dyn Fn(&Entry) -> bool,
) -> Comparison {
    let mut left: Vec<u32> = baseline.entries.iter().map(|entry| entry.count).collect();
    let mut by_print: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
    for (at, entry) in baseline.entries.iter().enumerate() {
        by_print.entry(&entry.fingerprint).or_default().push(at);
    }
    let paths: Vec<Option<String>> = files
        .iter()
        .map(|findings| findings.first().map(|finding| baseline.ground.said(path(finding))))
        .collect();
    for is_own_file in [true, false] {
        for (findings, path) in files.iter_mut().zip(&paths) {
            for finding in findings.iter_mut().filter(|finding| finding.is_open()) {
                let Some(entries) = by_print.get(finding.kind()) else { continue };
                let taken = entries.iter().copied().find(|&at| {
                    let entry = &baseline.entries[at];
                    let is_own = Some(&entry.path) == path.as_ref();
                    left[at] > 0
                        && entry.rule == finding.rule
                        && (is_own || !is_own_file && is_in_sight(entry))
                });
                if let Some(at) = taken {
                    left[at] -= 1;
                    finding.baselined = true;
                }
            }
        }
    }
    let left = left.into_iter().enumerate().filter(|&(_, count)| count > 0);
    let (gone, unseen) = left.partition(|&(at, _)| is_in_sight(&baseline.entries[at]));
    Comparison { path: baseline.source.display_path(), gone, unseen }
}

fn path(finding: &Finding) -> &Path {
    &finding.place.source.path
}
