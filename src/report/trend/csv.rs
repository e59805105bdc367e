//! report/trend/csv: a history as a table for a spreadsheet, one line a figure.
//!
//! RFC 4180 with a line of names. A text that a spreadsheet would take for a formula has an apostrophe before it.

use super::Trend;
use crate::escape::csv;
use crate::history::Counts;

const NAMES: &str =
    "week,week_end,scanned_at,scope,revision,outcome,figure,model,value,sample,min,max,min_sample,range\n";

/// How a count is taken.
type Take = fn(&Counts) -> u64;

/// The counts that are figures here, too.
const COUNTS: &[(&str, Take)] = &[
    ("files", |counts| counts.files),
    ("writes", |counts| counts.writes),
    ("stamped-writes", |counts| counts.stamped),
    ("errors", |counts| counts.errors),
    ("reviews", |counts| counts.reviews),
    ("suppressed", |counts| counts.suppressed),
    ("baselined", |counts| counts.baselined),
];

/// Every scan of the trends with all its figures; weeks without a scan have no line.
pub fn render(trends: &[Trend<'_>]) -> String {
    let mut out = NAMES.to_owned();
    for line in trends.iter().flat_map(|trend| &trend.lines) {
        let Some(entry) = line.entry else { continue };
        let head = [
            csv(&line.week),
            csv(&line.week_end),
            csv(&entry.run.at),
            csv(&entry.key.scope),
            csv(&entry.key.revision),
            csv(&entry.run.outcome),
        ]
        .join(",");
        for (name, of) in COUNTS {
            out.push_str(&format!("{head},{name},,{},,,,,\n", of(&entry.counts)));
        }
        for kept in &entry.figures {
            let bounds = kept.bounds;
            let cells = [
                csv(&kept.figure),
                csv(kept.model.as_deref().unwrap_or_default()),
                number(kept.value),
                kept.sample.to_string(),
                number(bounds.and_then(|bounds| bounds.min)),
                number(bounds.and_then(|bounds| bounds.max)),
                bounds.map_or_else(String::new, |bounds| bounds.min_sample.to_string()),
                csv(&kept.range),
            ];
            out.push_str(&format!("{head},{}\n", cells.join(",")));
        }
    }
    out
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::tests::entry;
    use super::super::{Grain, trends};
    use super::*;

    #[test]
    fn a_figure_is_a_line() {
        let entries = [entry("app, \"lib\"", "2026-11-02T10:00:00Z", (10, 5, 4))];
        let text = render(&trends(&entries, Grain::Scan, 9));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 1 + COUNTS.len() + 1);
        let head =
            "2026-11-02,2026-11-08,2026-11-02T10:00:00Z,\"app, \"\"lib\"\"\",rev-2026-11-02T10:00:00Z,errors";
        assert_eq!(lines[4], format!("{head},errors,,4,,,,,"));
        assert_eq!(lines[8], format!("{head},model-coverage,'=Or|der,50,10,90,,1,outside"));
        let commas = |line: &str| line.replace("\"app, \"\"lib\"\"\"", "").matches(',').count();
        assert!(lines.iter().all(|line| commas(line) == 13), "{text}");
    }
}
