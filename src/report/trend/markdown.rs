//! report/trend/markdown: a history for people who read Markdown.

use super::{Line, Trend, in_words, outside};
use crate::escape::{markdown, markdown_code};

/// The trends, each as a table, and what was out of range at last.
pub fn render(trends: &[Trend<'_>]) -> String {
    let mut out = "# Scans\n".to_owned();
    if trends.is_empty() {
        out.push_str("\nNo scan is kept yet.\n");
    }
    for trend in trends {
        out.push_str(&format!("\n## {}\n\n", markdown_code(trend.scope)));
        out.push_str("| Week | Scanned | Revision | Writes | Coverage | Errors | Reviews |\n");
        out.push_str("| --- | --- | --- | ---: | ---: | ---: | ---: |\n");
        trend.lines.iter().for_each(|line| out.push_str(&row(line)));
        let last = trend.lines.iter().rev().find_map(|line| line.entry);
        let told: Vec<String> = last
            .into_iter()
            .flat_map(outside)
            .map(|kept| format!("- {}\n", markdown(&in_words(kept))))
            .collect();
        if !told.is_empty() {
            out.push_str(&format!("\nOut of range:\n\n{}", told.concat()));
        }
    }
    out
}

fn row(line: &Line<'_>) -> String {
    let week = format!("{} to {}", line.week, line.week_end);
    let Some(entry) = line.entry else { return format!("| {week} | no scan | | | | | |\n") };
    format!(
        "| {week} | {} | {} | {} | {} | {} | {} |\n",
        markdown(&entry.run.at),
        markdown_code(&entry.key.revision),
        line.count(|counts| counts.writes),
        line.coverage(),
        line.count(|counts| counts.errors),
        line.count(|counts| counts.reviews),
    )
}

#[cfg(test)]
mod tests {
    use super::super::tests::entry;
    use super::super::{Grain, trends};
    use super::*;

    #[test]
    fn nothing_breaks_out_of_the_table() {
        let mut hostile = entry("app|x\n# no", "2026-11-02T10:00:00Z", (10, 5, 4));
        hostile.key.revision = "`|`<b>".to_owned();
        let entries = [hostile];
        let text = render(&trends(&entries, Grain::Scan, 9));
        assert!(text.contains("## `app¦x # no`\n"), "{text}");
        assert!(
            text.contains(
                "| 2026-11-02 to 2026-11-08 | 2026-11-02T10:00:00Z | `` `¦`<b> `` | 10 | 50.0 % | 4 | 0 |\n"
            ),
            "{text}"
        );
        assert!(text.contains("- model-coverage of `=Or¦der` is 50, at least 90 is wanted"), "{text}");
    }
}
