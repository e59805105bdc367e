//! report/step: a summary of the scan in Markdown, for the page of a step of a workflow, which takes only so much.

use super::{Tally, count, shown, since_line};
use crate::escape::{markdown, markdown_code};
use crate::finding::{Finding, Gap, Scan};

/// What the page of a step holds at most, with all that the step writes there.
pub const MOST_BYTES: usize = 1 << 20;

/// The summary, in at most so many bytes; what does not fit is counted.
pub fn render(scan: &Scan, room: usize) -> String {
    let mut out = String::from("## trailcheck\n\n");
    out.push_str(&markdown(&Tally::of(scan).line()));
    out.push_str("\n\n");
    if let Some(line) = since_line(scan) {
        out.push_str(&markdown(&line));
        out.push_str("\n\n");
    }
    let gaps: Vec<String> = scan.gaps.iter().map(gap).collect();
    let rows: Vec<String> = shown(scan).map(row).collect();
    if !rows.is_empty() {
        out.push_str("| | Rule | Where | What |\n| --- | --- | --- | --- |\n");
    }
    // The word for what was left out has its place whatever comes before it.
    let limit = room.saturating_sub(LAST_LINE);
    let rows_left = fill(&mut out, &rows, limit);
    if !rows.is_empty() {
        out.push('\n');
    }
    let gaps_left = fill(&mut out, &gaps, limit);
    if !gaps.is_empty() {
        out.push('\n');
    }
    if rows_left + gaps_left > 0 {
        let left = format!("{} and {}", count(rows_left, "finding"), count(gaps_left, "gap"));
        out.push_str(&format!("{left} not shown: the page is full. The log of the step has them.\n\n"));
    }
    if out.len() > room { String::new() } else { out }
}

const LAST_LINE: usize = 200;

/// Adds lines as long as there is room, and says how many were left out.
fn fill(out: &mut String, lines: &[String], limit: usize) -> usize {
    for (at, line) in lines.iter().enumerate() {
        if out.len() + line.len() > limit {
            return lines.len() - at;
        }
        out.push_str(line);
    }
    0
}

fn gap(gap: &Gap) -> String {
    let line = gap.line.map(|line| format!(", line {line}")).unwrap_or_default();
    format!("- gap: {}{line}: {}\n", markdown_code(&gap.path), markdown(&gap.reason))
}

fn row(finding: &Finding) -> String {
    let source = &finding.place.source;
    let line = source.line(finding.place.span.start);
    format!(
        "| {} | {} | {}:{line} | {} |\n",
        finding.severity.word(),
        markdown_code(&finding.rule),
        markdown(&source.display_path()),
        markdown(&finding.message)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests as example;

    #[test]
    fn findings_and_gaps_are_listed() {
        let text = render(&example::scan(), MOST_BYTES);
        assert!(
            text.starts_with("## trailcheck\n\n1 error, 1 review, 1 suppressed, 1 baselined in"),
            "{text}"
        );
        assert_eq!(text.lines().filter(|line| line.starts_with("| error |")).count(), 1, "{text}");
        assert_eq!(text.lines().filter(|line| line.starts_with("- gap")).count(), 2, "{text}");
        assert!(!text.contains("not shown"));
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let mut scan = example::scan();
        let finding = scan.files[0].findings[0].clone();
        scan.files[0].findings.extend(std::iter::repeat_n(finding, 20_000));
        for room in [MOST_BYTES, 100_000, 2_000] {
            let text = render(&scan, room);
            assert!(text.len() <= room, "{} bytes", text.len());
            let rows = text.lines().filter(|line| line.starts_with("| error |")).count();
            let left = 20_001 + 1 - rows - text.lines().filter(|line| line.starts_with("| review |")).count();
            assert!(
                text.contains(&format!("{left} findings and ")) && text.contains(" not shown"),
                "{room}: {left}"
            );
        }
        assert_eq!(render(&scan, 10), "");
    }

    #[test]
    fn nothing_from_code_is_markup() {
        let text = render(&example::hostile(), MOST_BYTES);
        assert!(!text.contains('\u{1b}'));
        for line in text.lines().filter(|line| line.starts_with("| error")) {
            assert!(!line.contains("<script") && !line.contains("[a]("), "{line}");
        }
        assert!(text.lines().all(|line| !line.starts_with("::")), "{text}");
    }
}
