//! report/html/file: the audited files, each in the standard's form.

use super::{Section, code, paragraph, path, prose, text};
use crate::finding::{Finding, Severity, Suppressed};
use crate::report::Status;
use crate::report::audit::{Audit, AuditedFile, Mark, wording};

/// All of them.
pub(super) fn section(audit: &Audit<'_>) -> Section {
    let (id, title) = ("files", "Files");
    if audit.files.is_empty() {
        return Section { id, title, body: paragraph("No file writes rows.") };
    }
    let mut body = paragraph(&legend(audit));
    body.push_str("<div class=\"files\">\n");
    for (at, audited) in audit.files.iter().enumerate() {
        body.push_str(&article(at, audited));
    }
    body.push_str("</div>\n");
    Section { id, title, body }
}

fn legend(audit: &Audit<'_>) -> String {
    wording::evidence(&audit.evidence, code).replacen("*Testing*", "<em>Testing</em>", 1)
}

fn article(at: usize, audited: &AuditedFile<'_>) -> String {
    let file = audited.file;
    let (sign, status) = wording::status(audited.status);
    let open = file.findings.iter().filter(|finding| finding.is_open()).count();
    let class = match audited.status {
        Status::Compliant | Status::Fixed => "good",
        Status::NeedsReview => "review",
        Status::HasIssues => "error",
    };
    // What has nothing open is one line until somebody asks.
    let is_open = if open > 0 { " open" } else { "" };
    let mut out = format!(
        "<details class=\"file {class}\" id=\"f{at}\"{is_open}>\n<summary><h3><span class=\"sign\">{sign}</span>{}</h3>\
         <span class=\"about\">{status}</span></summary>\n",
        path(&audited.path),
    );
    out.push_str("<h4>Issues Found</h4>\n");
    if file.findings.is_empty() {
        out.push_str(&paragraph("none"));
    } else {
        let issues = file.findings.iter().map(|one| issue(file.source.line(one.place.span.start), one));
        out.push_str(&format!("<ul class=\"issues\">\n{}</ul>\n", issues.collect::<String>()));
    }
    if !audited.changes.is_empty() {
        let changes = audited.changes.iter().map(|(title, is_unsafe)| {
            let note = if *is_unsafe { " (unsafe, to be read)" } else { "" };
            format!("<li>{}{note}</li>\n", prose(title))
        });
        out.push_str(&format!("<h4>Changes Made</h4>\n<ul>\n{}</ul>\n", changes.collect::<String>()));
    }
    out.push_str(&format!("<h4>Testing</h4>\n{}</details>\n", testing(audited)));
    out
}

fn issue(line: u32, finding: &Finding) -> String {
    let class = if finding.is_open() { finding.severity.word() } else { "excused" };
    let (mark, note) = match &finding.suppressed {
        Some(suppressed) => ("☑", format!(" <span class=\"about\">(suppressed: {})</span>", why(suppressed))),
        None if finding.baselined => ("☐", " <span class=\"about\">(in the baseline)</span>".to_owned()),
        None if finding.severity == Severity::Review => {
            ("☐", " <span class=\"about\">(review)</span>".to_owned())
        }
        None => ("☐", String::new()),
    };
    format!(
        "<li class=\"{class}\"><span class=\"sign\">{mark}</span>{} · line {line} · {}{note}</li>\n",
        code(&finding.rule),
        prose(&finding.message)
    )
}

fn why(suppressed: &Suppressed) -> String {
    let reason = suppressed.reason.as_deref().map_or_else(|| "no reason given".to_owned(), text);
    let owner = suppressed.owner.as_deref().map(|owner| format!(", by {}", code(owner)));
    let until = suppressed.until.as_deref().map(|until| format!(", until {}", text(until)));
    [reason, owner.unwrap_or_default(), until.unwrap_or_default()].concat()
}

fn testing(audited: &AuditedFile<'_>) -> String {
    let Some(testing) = audited.testing_shown() else {
        return paragraph(if audited.owes_tests() { "not known" } else { "—" });
    };
    let parts = testing.parts().map(|(what, mark)| {
        let class = if mark == Mark::Absent { "absent" } else { "" };
        format!("<li class=\"{class}\"><span class=\"sign\">{}</span>{what}</li>", wording::sign(mark))
    });
    format!("<ul class=\"testing\">{}</ul>\n", parts.concat())
}
