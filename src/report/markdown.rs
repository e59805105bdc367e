//! report/markdown: the audit report as Markdown, in the standard's format for each file.
//!
//! Whatever comes from code is escaped: no name, comment or path can become markup, HTML, a link or a mention.

use super::audit::{
    Audit, AuditedFile, EarlierFinding, History, OperationRow, Owned, Run, Seal, Testing, URGENCIES, Verdict,
    share, wording,
};
use super::{RuleTally, percent};
use crate::escape::{markdown, markdown_code};
use crate::finding::{Finding, Gap, Severity, Suppressed, SuppressionRecord};
use crate::metric::Measured;

/// The whole report.
pub fn render(audit: &Audit<'_>) -> String {
    let parts = [
        heading(audit),
        completeness(audit),
        coverage(audit),
        figures(&audit.figures),
        rules(audit),
        order(audit),
        files(audit),
        criteria(audit),
        activity(audit),
        owners(audit),
        audit.history.as_ref().map(history).unwrap_or_default(),
        ledger(audit),
        runs(&audit.runs),
    ];
    Seal::close(&parts.concat())
}

/// How a column stands.
#[derive(Clone, Copy)]
enum Column {
    /// Words.
    Words(&'static str),
    /// Numbers.
    Numbers(&'static str),
}

use Column::{Numbers, Words};

fn table(columns: &[Column], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let heads = columns.iter().map(|column| match column {
        Words(head) | Numbers(head) => (*head).to_owned(),
    });
    let marks = columns.iter().map(|column| match column {
        Words(_) => "---".to_owned(),
        Numbers(_) => "---:".to_owned(),
    });
    let mut out = line(heads.collect()) + &line(marks.collect());
    rows.into_iter().for_each(|row| out.push_str(&line(row)));
    out
}

/// A share as a bar of ten.
fn bar(tenths: usize) -> String {
    let full = (tenths + 50) / 100;
    // A share that is there is seen, and one that is not whole does not look it.
    let full = if tenths > 0 && tenths < 1000 { full.clamp(1, 9) } else { full };
    "█".repeat(full) + &"░".repeat(10 - full)
}

fn shown(tenths: Option<usize>) -> [String; 2] {
    match tenths {
        Some(tenths) => [percent(tenths), bar(tenths)],
        None => ["—".to_owned(), String::new()],
    }
}

fn number(number: usize) -> String {
    number.to_string()
}

fn heading(audit: &Audit<'_>) -> String {
    let tally = &audit.tally;
    let roots: Vec<String> = audit.roots.iter().map(|root| markdown_code(root)).collect();
    let made = audit.seal.as_ref().map(|seal| {
        let (day, version) = (markdown(&seal.day), markdown(&seal.trailcheck));
        format!(" on {day} with trailcheck {version}")
    });
    let made = format!("Scanned {}{}.\n\n", roots.join(", "), made.unwrap_or_default());
    let coverage = tally.coverage().map_or_else(|| "—".to_owned(), percent);
    let rows = [
        ("Files scanned", number(tally.scanned)),
        ("Files that write rows", number(tally.with_writes)),
        ("Writes", number(tally.writes())),
        ("Writes with every duty set or covered", coverage),
        ("Errors", number(tally.errors)),
        ("Reviews", number(tally.reviews)),
        ("Suppressed", number(tally.suppressed)),
        ("In the baseline", number(tally.baselined)),
        ("Gaps", number(tally.gaps)),
    ];
    let rows = rows.into_iter().map(|(what, number)| vec![what.to_owned(), number]);
    format!("# Audit trail report\n\n{made}{}", table(&[Words("Summary"), Numbers("")], rows))
}

/// What was seen and what was not. It is said even when it is nothing, since a report claims to be complete.
fn completeness(audit: &Audit<'_>) -> String {
    let mut out = format!("\n## Completeness\n\n{}\n", wording::completeness(audit));
    if !audit.gaps.is_empty() {
        out.push('\n');
        audit.gaps.iter().for_each(|one| out.push_str(&gap(one)));
    }
    out.push_str(&format!("\n{} {}\n", wording::settings(audit, markdown_code), wording::rules(audit)));
    if let Some(since) = &audit.since {
        out.push_str(&format!("\n{}: {}.\n", wording::ONLY_CHANGES, markdown(since)));
    }
    if let Some(seal) = &audit.seal {
        let (before, command, behind) = (wording::TO_VERIFY, wording::VERIFY_COMMAND, wording::VERIFY_MEANS);
        out.push_str(&format!("\n{before} `{command}` {behind}\n\n"));
        out.push_str(&seal.in_markdown());
    }
    out
}

fn gap(gap: &Gap) -> String {
    let line = gap.line.map(|line| format!(" · line {line}")).unwrap_or_default();
    format!("- {}{line} · {}\n", markdown_code(&gap.path), markdown(&gap.reason))
}

fn coverage(audit: &Audit<'_>) -> String {
    let row = |row: &OperationRow| {
        let [percent, bar] = shown(share(row.stamped, row.writes));
        vec![
            wording::operation(row.operation).to_owned(),
            number(row.writes),
            number(row.compliant),
            number(row.stamped),
            percent,
            bar,
        ]
    };
    let columns = [
        Words("Writes"),
        Numbers("All"),
        Numbers("No duty missing"),
        Numbers("Fully stamped"),
        Numbers("Coverage"),
        Words(""),
    ];
    let rows = audit.operations.iter().map(row);
    format!("\n## Coverage\n\n{}\n\n{}", wording::COVERAGE, table(&columns, rows))
}

fn figures(figures: &[Measured]) -> String {
    if figures.is_empty() {
        return String::new();
    }
    let columns = [
        Words("Figure"),
        Words("Model"),
        Numbers("Value"),
        Words("Wanted"),
        Numbers("Counted"),
        Words("Standing"),
    ];
    let rows = figures.iter().map(|measured| {
        vec![
            wording::figure(measured.figure).to_owned(),
            measured.model.as_deref().map_or_else(String::new, markdown_code),
            wording::value(measured),
            measured.bounds.map_or_else(String::new, wording::wanted),
            if measured.sample == 0 { "—".to_owned() } else { measured.sample.to_string() },
            wording::range(measured.range()).to_owned(),
        ]
    });
    format!("\n## Figures\n\n{}\n\n{}", wording::FIGURES, table(&columns, rows))
}

fn rules(audit: &Audit<'_>) -> String {
    let mut out = String::from("\n## Findings by rule\n\n");
    if audit.rules.is_empty() {
        return out + "None.\n";
    }
    let columns = [
        Words("Rule"),
        Words("Pack"),
        Numbers("Errors"),
        Numbers("Reviews"),
        Numbers("Suppressed"),
        Numbers("Baselined"),
        Numbers("Share"),
        Words(""),
    ];
    // Bars are measured by the longest, since a share of all is small where there are many rules.
    let open = |tally: &RuleTally| tally.errors + tally.reviews;
    let most = audit.rules.iter().map(|rule| open(&rule.tally)).max().unwrap_or(0);
    let rows = audit.rules.iter().map(|rule| {
        let tally = &rule.tally;
        vec![
            markdown_code(rule.id),
            markdown(&tally.pack),
            number(tally.errors),
            number(tally.reviews),
            number(tally.suppressed),
            number(tally.baselined),
            percent(rule.share),
            bar(share(open(tally), most).unwrap_or(0)),
        ]
    });
    out.push_str(&table(&columns, rows));
    out
}

fn order(audit: &Audit<'_>) -> String {
    let order = &audit.order;
    let levels = URGENCIES.iter().zip(&order.matrix);
    let matrix = levels.map(|(level, row)| {
        vec![wording::urgency(*level).to_owned(), number(row.errors), number(row.reviews), number(row.files)]
    });
    let columns = [Words("Priority"), Numbers("Errors"), Numbers("Reviews"), Numbers("Files")];
    let by = wording::priority(audit);
    let mut out = format!("\n## Order of work\n\n{by}\n\n{}", table(&columns, matrix));
    if !order.files.is_empty() {
        let rows = order.files.iter().map(|row| {
            vec![
                wording::urgency(row.urgency).to_owned(),
                markdown_code(&row.path),
                number(row.errors),
                number(row.reviews),
            ]
        });
        let columns = [Words("Priority"), Words("File"), Numbers("Errors"), Numbers("Reviews")];
        out.push_str(&format!("\n{}", table(&columns, rows)));
    }
    out
}

fn files(audit: &Audit<'_>) -> String {
    let mut out = String::from("\n## Files\n");
    if audit.files.is_empty() {
        return out + "\nNo file writes rows.\n";
    }
    out.push_str(&format!("\n{}\n", wording::evidence(&audit.evidence, markdown_code)));
    audit.files.iter().for_each(|file| out.push_str(&section(file)));
    out
}

fn section(audited: &AuditedFile<'_>) -> String {
    let file = audited.file;
    let path = markdown(&audited.path);
    let (sign, status) = wording::status(audited.status);
    let mut out = format!("\n### File: {path}\n\n**Status**: {sign} {status}\n\n**Issues Found**:");
    if file.findings.is_empty() {
        out.push_str(" none\n");
    } else {
        out.push('\n');
    }
    for finding in &file.findings {
        out.push_str(&issue(file.source.line(finding.place.span.start), finding));
    }
    if audited.changes.is_empty() {
        out.push_str("\n**Changes Made**: none\n");
    } else {
        out.push_str("\n**Changes Made**:\n");
        for (title, is_unsafe) in &audited.changes {
            let note = if *is_unsafe { " (unsafe, to be read)" } else { "" };
            out.push_str(&format!("- {}{note}\n", markdown(title)));
        }
    }
    let testing = match audited.testing_shown() {
        Some(testing) => testing_line(testing),
        None if audited.owes_tests() => "not known".to_owned(),
        None => "—".to_owned(),
    };
    out + &format!("\n**Testing**: {testing}\n")
}

fn testing_line(testing: &Testing) -> String {
    let parts = testing.parts().map(|(what, mark)| format!("{} {what}", wording::sign(mark)));
    parts.join(" | ")
}

fn issue(line: u32, finding: &Finding) -> String {
    let (mark, note) = match &finding.suppressed {
        Some(suppressed) => ("x", format!(" (suppressed: {})", why(suppressed))),
        // It is known and left for later, which is not to say that it is done.
        None if finding.baselined => (" ", " (in the baseline)".to_owned()),
        None if finding.severity == Severity::Review => (" ", " (review)".to_owned()),
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

fn criteria(audit: &Audit<'_>) -> String {
    let mut out = String::from("\n## Success criteria\n\n");
    for criterion in &audit.criteria {
        let (mark, word) = match criterion.verdict {
            Verdict::Met => ("x", ""),
            Verdict::Unmet => (" ", ""),
            Verdict::Unknown => (" ", "not known: "),
        };
        out.push_str(&format!("- [{mark}] {} — {word}{}\n", criterion.what, criterion.note));
    }
    out
}

fn activity(audit: &Audit<'_>) -> String {
    let mut out = String::from("\n## Activity summary\n");
    if audit.packs.is_empty() && audit.models.is_empty() {
        return out + "\nNo file writes rows.\n";
    }
    if !audit.packs.is_empty() {
        let columns = [
            Words("Pack"),
            Numbers("Rules"),
            Numbers("Errors"),
            Numbers("Reviews"),
            Numbers("Excused"),
            Numbers("Share"),
            Words(""),
        ];
        let rows = audit.packs.iter().map(|row| {
            vec![
                markdown(&row.pack),
                number(row.rules),
                number(row.errors),
                number(row.reviews),
                number(row.excused),
                percent(row.share),
                bar(row.share),
            ]
        });
        out.push_str(&format!("\n{}", table(&columns, rows)));
    }
    if !audit.models.is_empty() {
        let columns = [
            Words("Model"),
            Numbers("Creates"),
            Numbers("Updates"),
            Numbers("Deletes"),
            Numbers("Errors"),
            Numbers("Reviews"),
            Numbers("Coverage"),
            Words(""),
        ];
        let rows = audit.models.iter().map(|row| {
            let [percent, bar] = shown(row.coverage());
            vec![
                markdown_code(row.model),
                number(row.creates),
                number(row.updates),
                number(row.deletes),
                number(row.errors),
                number(row.reviews),
                percent,
                bar,
            ]
        });
        out.push_str(&format!("\n{}", table(&columns, rows)));
    }
    out
}

fn owners(audit: &Audit<'_>) -> String {
    let (by, rows) = match &audit.owners {
        Owned::NotAsked => return String::new(),
        Owned::Unknown(why) => return format!("\n## By owner\n\n{}\n", markdown(why)),
        Owned::Known { by, rows } => (by, rows),
    };
    let mut out = format!("\n## By owner\n\nAs {} says.\n", markdown_code(by));
    if rows.is_empty() {
        out.push_str("\nNobody has an open finding.\n");
        return out;
    }
    let columns = [Words("Owner"), Numbers("Errors"), Numbers("Reviews"), Numbers("Files")];
    let rows = rows.iter().map(|row| {
        let owner = row.owner.as_deref().map_or_else(|| "nobody".to_owned(), markdown_code);
        vec![owner, number(row.errors), number(row.reviews), number(row.files)]
    });
    out.push_str(&format!("\n{}", table(&columns, rows)));
    out
}

fn history(history: &History) -> String {
    let (new, fixed) = (history.new.len(), history.fixed.len());
    let mut out = format!(
        "\n## Change history\n\nSince {}: {new} new, {fixed} fixed, {} unchanged.\n",
        markdown_code(&history.since),
        history.unchanged
    );
    if history.moved_rules().next().is_some() {
        let columns = [Words("Rule"), Numbers("New"), Numbers("Fixed"), Numbers("Unchanged")];
        let rows = history.moved_rules().map(|(rule, moved)| {
            vec![markdown_code(rule), number(moved.new), number(moved.fixed), number(moved.unchanged)]
        });
        out.push_str(&format!("\n{}", table(&columns, rows)));
    }
    for (title, findings) in [("New", &history.new), ("Fixed", &history.fixed)] {
        if !findings.is_empty() {
            out.push_str(&format!("\n**{title}**:\n"));
            findings.iter().for_each(|finding| out.push_str(&moved(finding)));
        }
    }
    out
}

fn moved(finding: &EarlierFinding) -> String {
    let EarlierFinding { path, line, rule, message, .. } = finding;
    format!("- {} · {} · line {line} · {}\n", markdown_code(rule), markdown_code(path), markdown(message))
}

fn ledger(audit: &Audit<'_>) -> String {
    let ledger = &audit.ledger;
    let mut out = String::from("\n## Review ledger\n");
    if ledger.comments.is_empty() && ledger.accepted.is_empty() {
        return out + "\nNothing is suppressed or accepted.\n";
    }
    if !ledger.comments.is_empty() {
        let columns = [
            Words("Suppression"),
            Words("Rules"),
            Words("Why"),
            Words("Who"),
            Words("Until"),
            Numbers("Findings"),
        ];
        let rows = ledger.comments.iter().map(comment);
        out.push_str(&format!("\n{}", table(&columns, rows)));
    }
    if let Some(baseline) = ledger.baseline {
        let (name, accepts) = (markdown_code(&baseline.path), wording::accepts(ledger));
        out.push_str(&format!("\nThe baseline {name} {accepts}\n"));
        if !ledger.accepted.is_empty() {
            let columns = [Words("Accepted"), Words("Rule"), Words("What")];
            let rows = ledger.accepted.iter().map(|one| {
                let place = markdown_code(&format!("{}:{}", one.path, one.line));
                vec![place, markdown_code(&one.finding.rule), markdown(&one.finding.message)]
            });
            out.push_str(&format!("\n{}", table(&columns, rows)));
        }
    }
    out
}

fn comment(record: &SuppressionRecord) -> Vec<String> {
    let ids: Vec<String> = record.ids.iter().map(|id| markdown_code(id)).collect();
    let said = |text: &Option<String>| text.as_deref().map_or_else(|| "—".to_owned(), markdown);
    let until = match (record.until.is_some(), record.is_expired) {
        (true, true) => format!("{} (over)", said(&record.until)),
        _ => said(&record.until),
    };
    vec![
        markdown_code(&format!("{}:{}", record.path, record.line)),
        ids.join(", "),
        said(&record.reason),
        record.owner.as_deref().map_or_else(|| "—".to_owned(), markdown_code),
        until,
        number(record.matched.len()),
    ]
}

fn runs(runs: &[Run]) -> String {
    if runs.is_empty() {
        return String::new();
    }
    let columns = [
        Words("When"),
        Words("What"),
        Numbers("How long"),
        Numbers("Errors"),
        Numbers("Reviews"),
        Numbers("Coverage"),
        Words("Outcome"),
    ];
    let rows = runs.iter().map(|run| {
        vec![
            markdown_code(&run.when),
            if run.what.is_empty() { "—".to_owned() } else { markdown_code(&run.what) },
            wording::duration(run),
            number(run.errors),
            number(run.reviews),
            run.coverage.map_or_else(|| "—".to_owned(), percent),
            run.outcome().to_owned(),
        ]
    });
    format!("\n## Runs\n\n{}", table(&columns, rows))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Scan;
    use crate::report::audit::tests::{full, inputs};
    use crate::report::tests as example;

    fn drawn(scan: &Scan) -> String {
        render(&Audit::of(inputs(scan)))
    }

    #[test]
    fn the_report_has_the_standards_form() {
        insta::assert_snapshot!(drawn(&example::scan()));
    }

    #[test]
    fn an_empty_scan_says_so() {
        let text = drawn(&Scan::default());
        assert!(text.contains("0 files read and understood in full."));
        assert!(text.contains("No file writes rows."));
    }

    const EVIL: &str = "`x` <script>\n# heading [a](b) | ![i](j) \u{1b}[0m **b** https://e.x @me `\r\n```toml\ntrailcheck = \"9\"\ntext = \"\" --> - [x] \u{202e}";

    /// A report in which everything that comes from outside tries to be more than text.
    fn hostile(text: &str) -> String {
        let mut scan = example::hostile();
        for finding in &mut scan.files[0].findings {
            finding.message = text.to_owned();
            finding.rule = text.to_owned();
            finding.pack = text.to_owned();
            finding.entity = Some(text.to_owned());
        }
        let answer = Suppressed {
            reason: Some(text.into()),
            owner: Some(text.into()),
            until: Some(text.into()),
            ..Suppressed::default()
        };
        scan.files[0].findings[1].suppressed = Some(answer);
        scan.files[0].changes = vec![crate::finding::Change {
            rule: text.into(),
            function: text.into(),
            title: text.into(),
            safety: crate::finding::Safety::Safe,
            is_counted: true,
        }];
        scan.gaps[0].reason = text.to_owned();
        scan.gaps[0].path = text.to_owned();
        scan.suppressions = vec![SuppressionRecord {
            path: text.into(),
            line: 1,
            reach: crate::finding::Reach::File,
            ids: vec![text.into()],
            reason: Some(text.into()),
            owner: Some(text.into()),
            until: Some(text.into()),
            is_expired: true,
            matched: Vec::new(),
            unused: Vec::new(),
        }];
        scan.baseline = Some(crate::finding::Comparison {
            path: text.to_owned(),
            ..crate::finding::Comparison::default()
        });
        let mut accepted = scan.files[0].findings[0].clone();
        accepted.baselined = true;
        scan.files[0].findings.push(accepted);
        let of = |_: &crate::finding::FileReport, _: u32| vec![text.to_owned()];
        render(&full(&scan, text, Box::new(of)))
    }

    #[test]
    fn code_cannot_inject_markup() {
        let (evil, tame) = (hostile(EVIL), hostile("tame"));
        assert!(!evil.contains('\u{1b}') && !evil.contains('\u{202e}') && !evil.contains('\r'));
        let kinds = |text: &str| text.lines().map(kind).collect::<Vec<_>>();
        assert_eq!(kinds(&evil), kinds(&tame), "no line begins anything that it would not begin otherwise");
        for line in evil.lines().filter(|line| line.contains("heading") && !line.starts_with("paths = ")) {
            // Whatever stands outside code spans has lost its meaning.
            let bare = without_code(line);
            for markup in ["<script", " # heading", "[a](", "![", "**b**", "https://", "@me"] {
                assert!(!bare.contains(markup), "{markup} in {line}");
            }
        }
    }

    #[test]
    fn the_seal_is_the_reports_own() {
        let evil = hostile(EVIL);
        let seal = Seal::read(&evil).expect("a seal");
        assert_eq!((seal.trailcheck.as_str(), seal.paths), ("0.1.0", vec![EVIL.to_owned()]));
        assert_eq!(Seal::text_now(&evil), Some(seal.text));
    }

    /// What a line begins, and how many cells it has.
    fn kind(line: &str) -> (String, usize) {
        let begins: String =
            line.chars().take_while(|c| !c.is_alphanumeric() && !"`&\\".contains(*c)).collect();
        let cells = line.replace("\\|", "").matches('|').count();
        (begins, if line.starts_with('|') { cells } else { 0 })
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
