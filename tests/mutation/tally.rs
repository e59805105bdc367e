//! mutation/tally: what came of all mutants, counted and shown.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Verdict;
use super::place::{Kind, Place};

/// What came of all mutants.
pub(crate) struct Tally {
    pub(crate) verdicts: Vec<(Place, Verdict)>,
    pub(crate) shown: Vec<String>,
    /// How many there were before a choice was made.
    pub(crate) total: usize,
    /// What was not tried, with the reason.
    pub(crate) aside: Vec<String>,
}

impl Tally {
    /// How many mutants were found, and how many of them something was lost in.
    pub(crate) fn counted(&self) -> (usize, usize) {
        let of = |verdict: &Verdict| match verdict {
            Verdict::Found { .. } => (1, 1),
            Verdict::Survives => (0, 1),
            Verdict::Equivalent(_) | Verdict::Unseen => (0, 0),
        };
        self.verdicts
            .iter()
            .map(|(_, verdict)| of(verdict))
            .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    }

    pub(crate) fn survivors(&self) -> String {
        let mut text = String::new();
        for ((_, verdict), shown) in self.verdicts.iter().zip(&self.shown) {
            if matches!(verdict, Verdict::Survives) {
                write!(text, "\n    {shown}").expect("a string takes text");
            }
        }
        text
    }

    pub(crate) fn report(&self, name: &str) -> String {
        let mut kinds: BTreeMap<Kind, [usize; 5]> = BTreeMap::new();
        let mut lines = [Vec::new(), Vec::new(), Vec::new(), Vec::new()];
        for ((place, verdict), shown) in self.verdicts.iter().zip(&self.shown) {
            let (at, line) = match verdict {
                Verdict::Found { elsewhere: None, .. } => (0, None),
                Verdict::Found { rule, elsewhere: Some(there) } => {
                    (1, Some((0, format!("elsewhere   {shown}: {rule} in {there}"))))
                }
                Verdict::Equivalent(reason) => (2, Some((1, format!("equivalent  {shown}: {reason}")))),
                Verdict::Unseen => (3, Some((2, format!("no write    {shown}")))),
                Verdict::Survives => (4, Some((3, format!("survives    {shown}")))),
            };
            kinds.entry(place.kind).or_default()[at] += 1;
            if let Some((list, line)) = line {
                lines[list].push(line);
            }
        }
        let mut text = format!("\n== {name}: {} of {} mutants tried\n", self.verdicts.len(), self.total);
        for line in self.aside.iter().cloned().chain(lines.into_iter().flatten()) {
            text += &line;
            text.push('\n');
        }
        text += "kind              found  elsewhere  equivalent  no write  survive\n";
        for (kind, [found, elsewhere, equivalent, unseen, survive]) in kinds {
            let kind = format!("{kind:?}");
            writeln!(text, "{kind:<16} {found:>6} {elsewhere:>10} {equivalent:>11} {unseen:>9} {survive:>8}")
                .expect("a string takes text");
        }
        let (found, all) = self.counted();
        let rate = if all == 0 { 100.0 } else { found as f64 * 100.0 / all as f64 };
        writeln!(text, "{found} of {all} found, {rate:.1} %").expect("a string takes text");
        text
    }
}
