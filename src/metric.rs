//! metric: the figures of a scan by which a team keeps its trail, and whether each is within its bounds.
//!
//! A figure that is computed from too few things says nothing, and is never out of range.

use std::collections::BTreeMap;

use crate::config::{Bounds, Figure};
use crate::finding::{Finding, Scan, Severity, Write};

/// A figure as a scan has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Which.
    pub figure: Figure,
    /// The model it is about, where it is about one.
    pub model: Option<String>,
    /// Its value, rounded to a tenth, towards the worse where it is a share; `None` where there is nothing to compute it from.
    pub value: Option<f64>,
    /// From how many writes or suppressions it is computed; 0 for a plain number.
    pub sample: u64,
    /// What it is to stay within, where a configuration says so.
    pub bounds: Option<Bounds>,
}

/// How a figure stands to its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// Nobody set any.
    Unbounded,
    /// It is computed from too few things to say.
    TooFew,
    /// It is within them.
    Within,
    /// It is below the least or above the most.
    Outside,
}

impl Range {
    /// The word for it in every format.
    pub fn word(self) -> &'static str {
        match self {
            Range::Unbounded => "unbounded",
            Range::TooFew => "too-few",
            Range::Within => "within",
            Range::Outside => "outside",
        }
    }
}

impl Measured {
    /// How it stands to its bounds.
    pub fn range(&self) -> Range {
        let Some(bounds) = self.bounds else { return Range::Unbounded };
        let Some(value) = self.value.filter(|_| self.sample >= bounds.min_sample) else {
            return Range::TooFew;
        };
        let is_low = bounds.min.is_some_and(|min| value < min);
        let is_high = bounds.max.is_some_and(|max| value > max);
        if is_low || is_high { Range::Outside } else { Range::Within }
    }
}

/// The figures of a scan, each with its bounds; those of models by their names.
pub fn measure(scan: &Scan, bounds: &BTreeMap<Figure, Bounds>) -> Vec<Measured> {
    let writes: Vec<&Write> = scan.files.iter().flat_map(|file| &file.writes).collect();
    let findings: Vec<&Finding> = scan.files.iter().flat_map(|file| &file.findings).collect();
    let mut by_model: BTreeMap<&str, Vec<&Write>> = BTreeMap::new();
    let shared = scan.shared_tables();
    for write in &writes {
        by_model.entry(write.subject(&shared)).or_default().push(write);
    }
    let of = |figure: Figure, model: Option<&str>, value: Option<f64>, sample: usize| Measured {
        figure,
        model: model.map(str::to_owned),
        value,
        sample: sample as u64,
        bounds: bounds.get(&figure).copied(),
    };
    let share_of_writes = |figure, model, among: &[&Write], is_meant: fn(&Write) -> bool| {
        let meant = among.iter().filter(|write| is_meant(write)).count();
        of(figure, model, share(meant, among.len()), among.len())
    };
    let open = |least: Severity| findings.iter().filter(|f| f.is_open() && f.severity >= least).count();
    let per_thousand = |figure, number: usize| of(figure, None, rate(number, writes.len()), writes.len());
    let suppressions = &scan.suppressions;
    let of_suppressions =
        |figure, meant: usize| of(figure, None, share(meant, suppressions.len()), suppressions.len());
    let number = |figure, number: usize| of(figure, None, Some(number as f64), 0);
    Figure::ALL
        .into_iter()
        .flat_map(|figure| match figure {
            Figure::Coverage => vec![share_of_writes(figure, None, &writes, Write::is_stamped)],
            Figure::ModelCoverage => {
                let each =
                    by_model.iter().map(|(m, all)| share_of_writes(figure, Some(m), all, Write::is_stamped));
                each.collect()
            }
            Figure::CompliantWrites => vec![share_of_writes(figure, None, &writes, Write::is_compliant)],
            Figure::FindingsPerThousandWrites => vec![per_thousand(figure, open(Severity::Review))],
            Figure::ErrorsPerThousandWrites => vec![per_thousand(figure, open(Severity::Error))],
            Figure::OwnedSuppressions => {
                let owned = suppressions.iter().filter(|one| one.owner.is_some()).count();
                vec![of_suppressions(figure, owned)]
            }
            Figure::ReasonedSuppressions => {
                let reasoned = suppressions.iter().filter(|one| one.reason.is_some()).count();
                vec![of_suppressions(figure, reasoned)]
            }
            Figure::ExpiredSuppressions => {
                vec![number(figure, suppressions.iter().filter(|one| one.is_expired).count())]
            }
            Figure::BaselinedFindings => {
                let is_baselined = |finding: &&&Finding| finding.baselined && finding.suppressed.is_none();
                vec![number(figure, findings.iter().filter(is_baselined).count())]
            }
            Figure::Gaps => vec![number(figure, scan.gaps.len())],
        })
        .collect()
}

/// A share in percent, rounded down to a tenth, so that nothing short of all of them reads as 100 %.
fn share(part: usize, whole: usize) -> Option<f64> {
    (part * 1000).checked_div(whole).map(|tenths| tenths as f64 / 10.0)
}

/// A number for every thousand, rounded up to a tenth, so that nothing above none reads as 0.
fn rate(number: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| (number * 10_000).div_ceil(whole) as f64 / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Reach, SuppressionRecord};
    use crate::report::tests as example;

    /// The figures of the example as `name value sample`.
    fn shown(scan: &Scan) -> Vec<String> {
        let show = |one: &Measured| {
            let of = one.model.as_ref().map_or_else(String::new, |model| format!("({model})"));
            let value = one.value.map_or_else(|| "-".to_owned(), |value| value.to_string());
            format!("{}{of} {value} {}", one.figure.word(), one.sample)
        };
        measure(scan, &BTreeMap::new()).iter().map(show).collect()
    }

    #[test]
    fn figures_are_counted() {
        assert_eq!(
            shown(&example::scan()),
            [
                "coverage 33.3 3",
                "model-coverage(Job) 33.3 3",
                "compliant-writes 66.6 3",
                "findings-per-1000-writes 666.7 3",
                "errors-per-1000-writes 333.4 3",
                "owned-suppressions - 0",
                "reasoned-suppressions - 0",
                "expired-suppressions 0 0",
                "baselined-findings 1 0",
                "gaps 2 0",
            ]
        );
        let suppression = |owner: Option<&str>, is_expired| SuppressionRecord {
            path: "app.py".into(),
            line: 1,
            reach: Reach::Statement,
            ids: vec!["fields".into()],
            reason: Some("counter".into()),
            owner: owner.map(str::to_owned),
            until: None,
            is_expired,
            matched: Vec::new(),
            unused: Vec::new(),
        };
        let suppressions =
            vec![suppression(None, true), suppression(Some("@billing"), false), suppression(None, false)];
        let excused = shown(&Scan { suppressions, ..Scan::default() });
        assert_eq!(
            excused[4..7],
            ["owned-suppressions 33.3 3", "reasoned-suppressions 100 3", "expired-suppressions 1 0"]
        );
        let nothing = shown(&Scan::default());
        assert_eq!(nothing[0], "coverage - 0");
        assert_eq!(nothing[nothing.len() - 1], "gaps 0 0");
    }

    #[test]
    fn bounds_include_their_ends_and_want_enough_to_count() {
        let range = |value, sample, min, max, min_sample| {
            let bounds = Some(Bounds { min, max, min_sample });
            Measured { figure: Figure::Coverage, model: None, value, sample, bounds }.range()
        };
        assert_eq!(range(Some(90.0), 5, Some(90.0), None, 5), Range::Within);
        assert_eq!(range(Some(89.9), 5, Some(90.0), None, 5), Range::Outside);
        assert_eq!(range(Some(89.9), 4, Some(90.0), None, 5), Range::TooFew);
        assert_eq!(range(Some(3.0), 0, None, Some(3.0), 0), Range::Within);
        assert_eq!(range(Some(3.1), 0, Some(1.0), Some(3.0), 0), Range::Outside);
        assert_eq!(range(None, 9, Some(90.0), None, 5), Range::TooFew, "nothing can be computed");
        let free = Measured { figure: Figure::Gaps, model: None, value: Some(1.0), sample: 0, bounds: None };
        assert_eq!(free.range(), Range::Unbounded);
    }
}
