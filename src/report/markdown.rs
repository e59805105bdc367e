//! report/markdown: the report a team files, in the standard's format for each file.
//!
//! Whatever comes from code is escaped: no name, comment or path can become markup, HTML, a link or a mention.

use super::{Status, Tally, by_rule, has_news, percent, status};
use crate::escape::{markdown, markdown_code};
use crate::finding::{Change, FileReport, Finding, Gap, Safety, Scan, Suppressed};

/// The whole report.
pub fn render(scan: &Scan) -> String {
    let mut out = String::from("# Audit trail report\n");
    out.push_str(&summary(&Tally::of(scan)));
    out.push_str(&gaps(&scan.gaps));
    out.push_str(&rules(scan));
    let telling: Vec<&FileReport> = scan.files.iter().filter(|file| has_news(file)).collect();
    out.push_str("\n## Files\n");
    if telling.is_empty() {
        out.push_str("\nNo file writes rows.\n");
    }
    for file in telling {
        out.push_str(&section(file, &scan.gaps));
    }
    out
}

fn summary(tally: &Tally) -> String {
    let coverage = tally.coverage().map_or_else(|| "—".to_owned(), percent);
    let rows = [
        ("Files scanned", tally.scanned.to_string()),
        ("Files with writes", tally.with_writes.to_string()),
        ("Files with gaps", tally.files_with_gaps.to_string()),
        ("Writes: create", tally.creates.to_string()),
        ("Writes: update", tally.updates.to_string()),
        ("Writes: delete", tally.deletes.to_string()),
        ("Writes with no duty missing", tally.compliant.to_string()),
        ("Coverage (every duty set or covered)", coverage),
        ("Errors", tally.errors.to_string()),
        ("Reviews", tally.reviews.to_string()),
        ("Suppressed", tally.suppressed.to_string()),
        ("Baselined", tally.baselined.to_string()),
    ];
    let mut out = String::from("\n## Summary\n\n| | |\n| --- | ---: |\n");
    for (what, number) in rows {
        out.push_str(&format!("| {what} | {number} |\n"));
    }
    out
}

/// What could not be understood. It is said even when it is nothing, since a report claims to be complete.
fn gaps(gaps: &[Gap]) -> String {
    let mut out = String::from("\n## Gaps\n\n");
    if gaps.is_empty() {
        out.push_str("Everything under the roots was read and understood.\n");
    }
    for gap in gaps {
        let line = gap.line.map(|line| format!(" · line {line}")).unwrap_or_default();
        out.push_str(&format!("- {}{line} · {}\n", markdown_code(&gap.path), markdown(&gap.reason)));
    }
    out
}

fn rules(scan: &Scan) -> String {
    let rules = by_rule(scan);
    let mut out = String::from("\n## Findings by rule\n\n");
    if rules.is_empty() {
        out.push_str("None.\n");
        return out;
    }
    let all: usize = rules.values().map(|rule| rule.errors + rule.reviews).sum();
    out.push_str("| Rule | Pack | Errors | Reviews | Share | Suppressed | Baselined |\n");
    out.push_str("| --- | --- | ---: | ---: | ---: | ---: | ---: |\n");
    for (id, rule) in rules {
        let share =
            ((rule.errors + rule.reviews) * 1000).checked_div(all).map_or_else(|| "—".to_owned(), percent);
        out.push_str(&format!(
            "| {} | {} | {} | {} | {share} | {} | {} |\n",
            markdown_code(id),
            markdown(&rule.pack),
            rule.errors,
            rule.reviews,
            rule.suppressed,
            rule.baselined
        ));
    }
    out
}

fn section(file: &FileReport, gaps: &[Gap]) -> String {
    let status = match status(file, gaps) {
        Status::Compliant => "✅ Compliant",
        Status::Fixed => "✅ Fixed",
        Status::NeedsReview => "⚠️ Needs Review",
        Status::HasIssues => "❌ Has Issues",
    };
    let path = markdown(&file.source.display_path());
    let mut out = format!("\n### File: {path}\n\n**Status**: {status}\n\n**Issues Found**:");
    if file.findings.is_empty() {
        out.push_str(" none\n");
    } else {
        out.push('\n');
    }
    for finding in &file.findings {
        out.push_str(&issue(file, finding));
    }
    out.push_str(&changes(&file.changes));
    // No tests are consulted yet; the format has a line for them, so it says so.
    out.push_str("\n**Testing**: —\n");
    out
}

fn changes(changes: &[Change]) -> String {
    if changes.is_empty() {
        return "\n**Changes Made**: none\n".to_owned();
    }
    let mut lines: Vec<String> = Vec::new();
    for change in changes {
        let note = if change.safety == Safety::Unsafe { " (unsafe, to be read)" } else { "" };
        let line = format!("- {}{note}\n", markdown(&change.title));
        // One import mends many findings.
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    format!("\n**Changes Made**:\n{}", lines.concat())
}

fn issue(file: &FileReport, finding: &Finding) -> String {
    let line = file.source.line(finding.place.span.start);
    let (mark, note) = match &finding.suppressed {
        Some(suppressed) => ("x", format!(" (suppressed: {})", why(suppressed))),
        // It is known and left for later, which is not to say that it is done.
        None if finding.baselined => (" ", " (in the baseline)".to_owned()),
        None => (" ", String::new()),
    };
    format!(
        "- [{mark}] {} · line {line} · {}{note}\n",
        markdown_code(&finding.rule),
        markdown(&finding.message)
    )
}

fn why(suppressed: &Suppressed) -> String {
    let reason = suppressed.reason.as_deref().map_or_else(|| "no reason given".to_owned(), markdown);
    let owner = suppressed.owner.as_deref().map(|owner| format!(", by {}", markdown_code(owner)));
    let until = suppressed.until.as_deref().map(|until| format!(", until {}", markdown(until)));
    [reason, owner.unwrap_or_default(), until.unwrap_or_default()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests as example;

    #[test]
    fn the_report_has_the_standards_form() {
        insta::assert_snapshot!(render(&example::scan()));
    }

    #[test]
    fn an_empty_scan_says_so() {
        let text = render(&Scan::default());
        assert!(text.contains("Everything under the roots was read and understood."));
        assert!(text.contains("No file writes rows."));
    }

    #[test]
    fn code_cannot_inject_markup() {
        let mut scan = example::scan();
        let evil = "`x` <script>\n# heading [a](b) | ![i](j) \u{1b}[0m **b** https://e.x `";
        scan.files[0].findings[0].message = evil.to_owned();
        scan.files[0].findings[2].suppressed =
            Some(Suppressed { reason: Some(evil.into()), owner: Some(evil.into()), ..Suppressed::default() });
        scan.gaps[0].reason = evil.to_owned();
        scan.gaps[0].path = evil.to_owned();
        scan.files[0].findings[1].rule = evil.to_owned();
        let text = render(&scan);
        assert!(!text.contains('\u{1b}'));
        for line in text.lines().filter(|line| line.contains("heading")) {
            assert!(!line.starts_with('#'), "{line}");
            // Whatever stands outside code spans has lost its meaning.
            let bare = without_code(line);
            for markup in ["<script", " # heading", "[a](", "![", "**b**", "https://"] {
                assert!(!bare.contains(markup), "{markup} in {line}");
            }
        }
    }

    /// A line without its code spans, read as CommonMark reads it.
    fn without_code(line: &str) -> String {
        let line = line.replace("\\`", "");
        let mut out = String::new();
        let mut rest = line.as_str();
        while let Some(at) = rest.find('`') {
            let ticks = rest[at..].chars().take_while(|&c| c == '`').count();
            let fence = "`".repeat(ticks);
            let body = &rest[at + ticks..];
            out.push_str(&rest[..at]);
            let close = body
                .match_indices(&fence)
                .map(|(close, _)| close)
                .find(|&close| !body[..close].ends_with('`') && !body[close + ticks..].starts_with('`'));
            match close {
                Some(close) => rest = &body[close + ticks..],
                None => {
                    out.push_str(&fence);
                    rest = body;
                }
            }
        }
        out + rest
    }
}
