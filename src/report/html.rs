//! report/html: the audit report as one HTML file that needs nothing else: no network, no fonts, and no script to be read.
//!
//! Every text that comes from code goes through `text` or `prose`, and the page's own policy lets no other style or
//! script run than its own.

mod chart;
mod file;
mod table;

use std::collections::BTreeMap;

use super::audit::{Audit, History, Ledger, Owned, Run, Seal, URGENCIES, Verdict, share, wording};
use super::percent;
use crate::digest;
use crate::escape;
use crate::finding::SuppressionRecord;
use crate::metric::Measured;
use chart::{Part, bar, trend};
use table::{Cell, Column, table};

use Column::{Bar, Numbers, Words};

const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");

/// The whole report.
pub fn render(audit: &Audit<'_>) -> String {
    let sections: Vec<Section> = [
        Some(completeness(audit)),
        Some(coverage(audit)),
        figures(&audit.figures),
        Some(rules(audit)),
        Some(order(audit)),
        Some(file::section(audit)),
        Some(criteria(audit)),
        Some(activity(audit)),
        owners(&audit.owners),
        audit.history.as_ref().map(history),
        Some(ledger(&audit.ledger)),
        runs(&audit.runs),
    ]
    .into_iter()
    .flatten()
    .collect();
    let links = sections.iter().map(|one| format!("<a href=\"#{}\">{}</a>\n", one.id, one.title));
    let bodies = sections.iter().map(|one| {
        let Section { id, title, body } = one;
        format!("<section id=\"{id}\">\n<h2>{title}</h2>\n{body}</section>\n")
    });
    let page = [
        head(audit),
        format!("<nav aria-label=\"Sections\">\n{}</nav>\n", links.collect::<String>()),
        format!("<main>\n{}</main>\n", bodies.collect::<String>()),
        format!("<script>{SCRIPT}</script>\n</body>\n</html>\n"),
    ];
    Seal::close(&page.concat())
}

/// A part of the page with a heading of its own.
struct Section {
    id: &'static str,
    title: &'static str,
    body: String,
}

/// Text of somebody else, as text.
fn text(text: &str) -> String {
    escape::xml(text)
}

/// A name out of code.
fn code(name: &str) -> String {
    format!("<code>{}</code>", text(name))
}

/// A path, which may be broken behind its slashes.
fn path(path: &str) -> String {
    format!("<code>{}</code>", text(path).replace('/', "/<wbr>"))
}

/// A sentence in which balanced backticks mean code, since our own messages quote code that way.
fn prose(sentence: &str) -> String {
    let parts: Vec<&str> = sentence.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return text(sentence);
    }
    let drawn = parts.iter().enumerate().map(|(at, part)| if at % 2 == 0 { text(part) } else { code(part) });
    drawn.collect()
}

fn paragraph(html: &str) -> String {
    format!("<p>{html}</p>\n")
}

fn percent_or_dash(tenths: Option<usize>) -> String {
    tenths.map_or_else(|| "—".to_owned(), percent)
}

fn head(audit: &Audit<'_>) -> String {
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        digest::base64(STYLE),
        digest::base64(SCRIPT)
    );
    let roots: Vec<String> = audit.roots.iter().map(|root| code(root)).collect();
    let made = audit
        .seal
        .as_ref()
        .map(|seal| format!(" on {} with trailcheck {}", text(&seal.day), text(&seal.trailcheck)));
    let tally = &audit.tally;
    let figures = [
        ("", "Coverage", percent_or_dash(tally.coverage())),
        ("error", "Errors", tally.errors.to_string()),
        ("review", "Reviews", tally.reviews.to_string()),
        ("", "Suppressed", tally.suppressed.to_string()),
        ("", "In the baseline", tally.baselined.to_string()),
        ("", "Writes", tally.writes().to_string()),
        ("", "Files that write", format!("{} <small>of {}</small>", tally.with_writes, tally.scanned)),
        (if tally.gaps > 0 { "review" } else { "" }, "Gaps", tally.gaps.to_string()),
    ];
    let figures = figures.iter().map(|(class, what, number)| {
        let class = if number == "0" { "" } else { class };
        format!("<div class=\"{class}\"><dt>{what}</dt><dd>{number}</dd></div>\n")
    });
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>Audit trail report</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>Audit trail report</h1>\n\
         <p>Scanned {}{}.</p>\n<dl class=\"figures\">\n{}</dl>\n</header>\n",
        roots.join(", "),
        made.unwrap_or_default(),
        figures.collect::<String>(),
    )
}

fn completeness(audit: &Audit<'_>) -> Section {
    let mut body = paragraph(&text(&wording::completeness(audit)));
    if !audit.gaps.is_empty() {
        let gaps = audit.gaps.iter().map(|gap| {
            let line = gap.line.map(|line| format!(" · line {line}")).unwrap_or_default();
            format!("<li>{}{line} · {}</li>\n", path(&gap.path), text(&gap.reason))
        });
        body.push_str(&format!("<ul>\n{}</ul>\n", gaps.collect::<String>()));
    }
    let settings = wording::settings(audit, code);
    body.push_str(&paragraph(&format!("{settings} {}", prose(&wording::rules(audit)))));
    if let Some(since) = &audit.since {
        body.push_str(&paragraph(&format!("{}: {}.", wording::ONLY_CHANGES, text(since))));
    }
    if let Some(seal) = &audit.seal {
        let (before, command, behind) = (wording::TO_VERIFY, wording::VERIFY_COMMAND, wording::VERIFY_MEANS);
        body.push_str(&paragraph(&format!("{before} {} {behind}", code(command))));
        body.push_str(&seal.in_html());
    }
    Section { id: "completeness", title: "Completeness", body }
}

fn figures(figures: &[Measured]) -> Option<Section> {
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
            Cell::from(wording::figure(measured.figure)),
            measured.model.as_deref().map_or_else(String::new, code).into(),
            wording::value(measured).into(),
            measured.bounds.map_or_else(String::new, wording::wanted).into(),
            if measured.sample == 0 { "—".into() } else { measured.sample.to_string().into() },
            wording::range(measured.range()).into(),
        ]
    });
    let body = paragraph(wording::FIGURES) + &table(&columns, rows);
    (!figures.is_empty()).then_some(Section { id: "figures", title: "Figures", body })
}

fn coverage(audit: &Audit<'_>) -> Section {
    let columns = [
        Words("Writes"),
        Numbers("All"),
        Numbers("No duty missing"),
        Numbers("Fully stamped"),
        Numbers("Coverage"),
        Bar,
    ];
    let rows = audit.operations.iter().map(|row| {
        let coverage = share(row.stamped, row.writes);
        vec![
            Cell::from(wording::operation(row.operation)),
            row.writes.into(),
            row.compliant.into(),
            row.stamped.into(),
            percent_or_dash(coverage).into(),
            bar(&[Part::good(coverage.unwrap_or(0))], 1000).into(),
        ]
    });
    let body = paragraph(wording::COVERAGE) + &table(&columns, rows);
    Section { id: "coverage", title: "Coverage", body }
}

fn rules(audit: &Audit<'_>) -> Section {
    let title = "Findings by rule";
    if audit.rules.is_empty() {
        return Section { id: "rules", title, body: paragraph("None.") };
    }
    let most = audit.rules.iter().map(|rule| rule.tally.errors + rule.tally.reviews).max().unwrap_or(0);
    let columns = [
        Words("Rule"),
        Words("Pack"),
        Numbers("Errors"),
        Numbers("Reviews"),
        Bar,
        Numbers("Share"),
        Numbers("Suppressed"),
        Numbers("Baselined"),
    ];
    let rows = audit.rules.iter().map(|rule| {
        let tally = &rule.tally;
        vec![
            Cell::from(format!("{}<p class=\"about\">{}</p>", code(rule.id), prose(rule.summary))),
            text(&tally.pack).into(),
            tally.errors.into(),
            tally.reviews.into(),
            bar(&[Part::error(tally.errors), Part::review(tally.reviews)], most).into(),
            percent(rule.share).into(),
            tally.suppressed.into(),
            tally.baselined.into(),
        ]
    });
    Section { id: "rules", title, body: table(&columns, rows) }
}

fn order(audit: &Audit<'_>) -> Section {
    let order = &audit.order;
    let columns = [Words("Priority"), Numbers("Errors"), Numbers("Reviews"), Bar, Numbers("Files")];
    let most = order.matrix.iter().map(|row| row.errors + row.reviews).max().unwrap_or(0);
    let matrix = URGENCIES.iter().zip(&order.matrix).zip(0_usize..).map(|((level, row), rank)| {
        let name = Cell::ranked(wording::urgency(*level), rank);
        let drawn = bar(&[Part::error(row.errors), Part::review(row.reviews)], most);
        vec![name, row.errors.into(), row.reviews.into(), drawn.into(), row.files.into()]
    });
    let mut body = paragraph(wording::priority(audit)) + &table(&columns, matrix);
    if !order.files.is_empty() {
        let most = order.files.iter().map(|row| row.errors + row.reviews).max().unwrap_or(0);
        let places: BTreeMap<&str, usize> =
            audit.files.iter().zip(0..).map(|(file, at)| (file.path.as_str(), at)).collect();
        let columns = [Words("Priority"), Words("File"), Numbers("Errors"), Numbers("Reviews"), Bar];
        let rows = order.files.iter().map(|row| {
            let rank = URGENCIES.iter().position(|level| *level == row.urgency).unwrap_or(0);
            let name = match places.get(row.path.as_str()) {
                Some(at) => format!("<a href=\"#f{at}\">{}</a>", path(&row.path)),
                None => path(&row.path),
            };
            vec![
                Cell::ranked(wording::urgency(row.urgency), rank),
                name.into(),
                row.errors.into(),
                row.reviews.into(),
                bar(&[Part::error(row.errors), Part::review(row.reviews)], most).into(),
            ]
        });
        body.push_str(&table(&columns, rows));
    }
    Section { id: "order", title: "Order of work", body }
}

fn criteria(audit: &Audit<'_>) -> Section {
    let items = audit.criteria.iter().map(|criterion| {
        let (class, sign, word) = match criterion.verdict {
            Verdict::Met => ("good", "✅", ""),
            Verdict::Unmet => ("error", "❌", ""),
            Verdict::Unknown => ("review", "⚠️", "not known: "),
        };
        format!(
            "<li class=\"{class}\"><span class=\"sign\">{sign}</span>{} <span class=\"about\">{word}{}</span></li>\n",
            prose(criterion.what),
            text(&criterion.note)
        )
    });
    let body = format!("<ul class=\"signs\">\n{}</ul>\n", items.collect::<String>());
    Section { id: "criteria", title: "Success criteria", body }
}

fn activity(audit: &Audit<'_>) -> Section {
    let mut body = String::new();
    if !audit.models.is_empty() {
        let columns = [
            Words("Model"),
            Numbers("Creates"),
            Numbers("Updates"),
            Numbers("Deletes"),
            Numbers("Coverage"),
            Bar,
            Numbers("Errors"),
            Numbers("Reviews"),
        ];
        let rows = audit.models.iter().map(|row| {
            let coverage = row.coverage();
            let drawn = coverage.map(|tenths| bar(&[Part::good(tenths)], 1000)).unwrap_or_default();
            vec![
                Cell::from(code(row.model)),
                row.creates.into(),
                row.updates.into(),
                row.deletes.into(),
                percent_or_dash(coverage).into(),
                drawn.into(),
                row.errors.into(),
                row.reviews.into(),
            ]
        });
        body.push_str(&format!("<h3>Writes and findings by model</h3>\n{}", table(&columns, rows)));
    }
    if !audit.packs.is_empty() {
        let most = audit.packs.iter().map(|row| row.errors + row.reviews).max().unwrap_or(0);
        let columns = [
            Words("Pack"),
            Numbers("Rules"),
            Numbers("Errors"),
            Numbers("Reviews"),
            Bar,
            Numbers("Share"),
            Numbers("Excused"),
        ];
        let rows = audit.packs.iter().map(|row| {
            vec![
                Cell::from(text(&row.pack)),
                row.rules.into(),
                row.errors.into(),
                row.reviews.into(),
                bar(&[Part::error(row.errors), Part::review(row.reviews)], most).into(),
                percent(row.share).into(),
                row.excused.into(),
            ]
        });
        body.push_str(&format!("<h3>Findings by pack</h3>\n{}", table(&columns, rows)));
    }
    if body.is_empty() {
        body = paragraph("No file writes rows.");
    }
    Section { id: "activity", title: "Activity summary", body }
}

fn owners(owners: &Owned) -> Option<Section> {
    let body = match owners {
        Owned::NotAsked => return None,
        Owned::Unknown(why) => paragraph(&text(why)),
        Owned::Known { by, rows } if rows.is_empty() => {
            paragraph(&format!("As {} says. Nobody has an open finding.", code(by)))
        }
        Owned::Known { by, rows } => {
            let most = rows.iter().map(|row| row.errors + row.reviews).max().unwrap_or(0);
            let columns = [Words("Owner"), Numbers("Errors"), Numbers("Reviews"), Bar, Numbers("Files")];
            let rows = rows.iter().map(|row| {
                vec![
                    Cell::from(row.owner.as_deref().map_or_else(|| "nobody".to_owned(), code)),
                    row.errors.into(),
                    row.reviews.into(),
                    bar(&[Part::error(row.errors), Part::review(row.reviews)], most).into(),
                    row.files.into(),
                ]
            });
            paragraph(&format!("As {} says.", code(by))) + &table(&columns, rows)
        }
    };
    Some(Section { id: "owners", title: "By owner", body })
}

fn history(history: &History) -> Section {
    let (new, fixed) = (history.new.len(), history.fixed.len());
    let mut body = paragraph(&format!(
        "Since {}: {new} new, {fixed} fixed, {} unchanged.",
        code(&history.since),
        history.unchanged
    ));
    if history.moved_rules().next().is_some() {
        let columns = [Words("Rule"), Numbers("New"), Numbers("Fixed"), Numbers("Unchanged")];
        let rows = history.moved_rules().map(|(rule, moved)| {
            vec![Cell::from(code(rule)), moved.new.into(), moved.fixed.into(), moved.unchanged.into()]
        });
        body.push_str(&table(&columns, rows));
    }
    for (title, findings) in [("New", &history.new), ("Fixed", &history.fixed)] {
        if findings.is_empty() {
            continue;
        }
        let columns = [Words("Rule"), Words("File"), Numbers("Line"), Words("What")];
        let rows = findings.iter().map(|one| {
            vec![
                Cell::from(code(&one.rule)),
                path(&one.path).into(),
                (one.line as usize).into(),
                prose(&one.message).into(),
            ]
        });
        body.push_str(&format!("<h3>{title}</h3>\n{}", table(&columns, rows)));
    }
    Section { id: "history", title: "Change history", body }
}

fn ledger(ledger: &Ledger<'_>) -> Section {
    let mut body = String::new();
    if !ledger.comments.is_empty() {
        let columns = [
            Words("Suppression"),
            Words("Rules"),
            Words("Why"),
            Words("Who"),
            Words("Until"),
            Numbers("Findings"),
        ];
        body.push_str(&table(&columns, ledger.comments.iter().map(comment)));
    }
    if let Some(baseline) = ledger.baseline {
        let (name, accepts) = (code(&baseline.path), wording::accepts(ledger));
        body.push_str(&paragraph(&format!("The baseline {name} {accepts}")));
    }
    if !ledger.accepted.is_empty() {
        let columns = [Words("Accepted"), Words("Rule"), Words("What")];
        let rows = ledger.accepted.iter().map(|one| {
            let place = path(&format!("{}:{}", one.path, one.line));
            vec![Cell::from(place), code(&one.finding.rule).into(), prose(&one.finding.message).into()]
        });
        body.push_str(&table(&columns, rows));
    }
    if body.is_empty() {
        body = paragraph("Nothing is suppressed or accepted.");
    }
    Section { id: "ledger", title: "Review ledger", body }
}

fn comment(record: &SuppressionRecord) -> Vec<Cell> {
    let ids: Vec<String> = record.ids.iter().map(|id| code(id)).collect();
    let said = |what: &Option<String>| what.as_deref().map_or_else(|| "—".to_owned(), text);
    let until = match record.is_expired {
        true => format!("<span class=\"late\">{} (over)</span>", said(&record.until)),
        false => said(&record.until),
    };
    vec![
        path(&format!("{}:{}", record.path, record.line)).into(),
        ids.join(", ").into(),
        said(&record.reason).into(),
        record.owner.as_deref().map_or_else(|| "—".to_owned(), code).into(),
        until.into(),
        record.matched.len().into(),
    ]
}

fn runs(runs: &[Run]) -> Option<Section> {
    if runs.is_empty() {
        return None;
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
            Cell::from(code(&run.when)),
            if run.what.is_empty() { "—".into() } else { code(&run.what).into() },
            wording::duration(run).into(),
            run.errors.into(),
            run.reviews.into(),
            percent_or_dash(run.coverage).into(),
            run.outcome().into(),
        ]
    });
    let body = trend(runs) + &table(&columns, rows);
    Some(Section { id: "runs", title: "Runs", body })
}

#[cfg(test)]
mod tests;
