//! report/trend/human: a history for a terminal.

use super::{Line, Trend, in_words, outside};
use crate::escape::terminal;

/// How many characters of a revision are shown.
const REVISION: usize = 12;

/// The trends, each as a table, and what was out of range at last.
pub fn render(trends: &[Trend<'_>]) -> String {
    let mut out = String::new();
    for trend in trends {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&format!("{}\n", terminal(trend.scope)));
        let mut rows = vec![
            ["week of", "scanned", "revision", "writes", "coverage", "errors", "reviews"]
                .map(str::to_owned)
                .to_vec(),
        ];
        rows.extend(trend.lines.iter().map(cells));
        out.push_str(&table(&rows));
        let last = trend.lines.iter().rev().find_map(|line| line.entry);
        for kept in last.into_iter().flat_map(outside) {
            out.push_str(&format!("  out of range: {}\n", terminal(&in_words(kept))));
        }
    }
    if out.is_empty() { "no scan is kept yet\n".to_owned() } else { out }
}

fn cells(line: &Line<'_>) -> Vec<String> {
    let Some(entry) = line.entry else { return vec![line.week.clone(), "no scan".to_owned()] };
    vec![
        line.week.clone(),
        entry.run.at.clone(),
        entry.key.revision.chars().take(REVISION).collect(),
        line.count(|counts| counts.writes),
        line.coverage(),
        line.count(|counts| counts.errors),
        line.count(|counts| counts.reviews),
    ]
}

/// Columns as wide as their widest cell; numbers, which begin with the fourth, stand to the right.
fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let escaped: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| terminal(cell).into_owned()).collect()).collect();
    let width = |column: usize| {
        escaped
            .iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cell = |(column, cell): (usize, &String)| match column {
            0..3 => format!("{cell:<width$}", width = widths[column]),
            _ => format!("{cell:>width$}", width = widths[column]),
        };
        let cells: Vec<String> = row.iter().enumerate().map(cell).collect();
        format!("  {}\n", cells.join("  ").trim_end())
    };
    escaped.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::entry;
    use super::super::{Grain, trends};
    use super::*;

    #[test]
    fn a_history_is_a_table() {
        let entries = [
            entry("a\u{1b}[31mpp", "2026-11-02T10:00:00Z", (10, 5, 4)),
            entry("a\u{1b}[31mpp", "2026-11-16T10:00:00Z", (12, 12, 0)),
        ];
        assert_eq!(
            render(&trends(&entries, Grain::Week, 9)),
            "\
a\\u{1b}[31mpp
  week of     scanned               revision       writes         coverage  errors  reviews
  2026-11-02  2026-11-02T10:00:00Z  rev-2026-11-       10           50.0 %       4        0
  2026-11-09  no scan
  2026-11-16  2026-11-16T10:00:00Z  rev-2026-11-  12 (+2)  100.0 % (+50.0)  0 (-4)    0 (=)
  out of range: model-coverage of `=Or|der` is 50, at least 90 is wanted (12 counted)
"
        );
        assert_eq!(render(&[]), "no scan is kept yet\n");
    }
}
