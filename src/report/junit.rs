//! report/junit: JUnit's XML, for CI services that show test results: a file is a suite, a finding a failed case.

use super::{Tally, has_news};
use crate::escape::xml;
use crate::finding::{Finding, Scan};

/// The scan as suites. A file with writes and nothing to complain of is a suite with one case that passed; a gap is an
/// error, a suppressed or baselined finding a skipped case.
pub fn render(scan: &Scan) -> String {
    let tally = Tally::of(scan);
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let open = tally.errors + tally.reviews;
    out.push_str(&format!(
        "<testsuites name=\"trailcheck\" failures=\"{open}\" errors=\"{}\" skipped=\"{}\">\n",
        tally.gaps,
        tally.suppressed + tally.baselined
    ));
    for file in scan.files.iter().filter(|file| has_news(file)) {
        let path = xml(&file.source.display_path());
        let skipped = file.findings.iter().filter(|finding| !finding.is_open()).count();
        let failures = file.findings.len() - skipped;
        let tests = file.findings.len().max(1);
        out.push_str(&format!(
            "  <testsuite name=\"{path}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\">\n"
        ));
        if file.findings.is_empty() {
            out.push_str(&format!("    <testcase name=\"writes\" classname=\"{path}\"/>\n"));
        }
        for finding in &file.findings {
            out.push_str(&case(finding, &path));
        }
        out.push_str("  </testsuite>\n");
    }
    if !scan.gaps.is_empty() {
        let gaps = scan.gaps.len();
        out.push_str(&format!(
            "  <testsuite name=\"gaps\" tests=\"{gaps}\" failures=\"0\" errors=\"{gaps}\" skipped=\"0\">\n"
        ));
        for gap in &scan.gaps {
            let line = gap.line.map(|line| format!(":{line}")).unwrap_or_default();
            let (path, reason) = (xml(&gap.path), xml(&gap.reason));
            out.push_str(&format!(
                "    <testcase name=\"{path}{line}\" classname=\"{path}\"><error message=\"{reason}\"/></testcase>\n"
            ));
        }
        out.push_str("  </testsuite>\n");
    }
    out + "</testsuites>\n"
}

fn case(finding: &Finding, path: &str) -> String {
    let source = &finding.place.source;
    let line = source.line(finding.place.span.start);
    let (rule, message) = (xml(&finding.rule), xml(&finding.message));
    let name = format!("{rule} in {}, line {line}", xml(&finding.function));
    let inner = match (&finding.suppressed, &finding.help) {
        (Some(suppressed), _) => {
            let reason = xml(suppressed.reason.as_deref().unwrap_or("no reason given"));
            format!("<skipped message=\"{reason}\"/>")
        }
        (None, _) if finding.baselined => "<skipped message=\"in the baseline\"/>".to_owned(),
        (None, help) => {
            let help = xml(help.as_deref().unwrap_or_default());
            let severity = finding.severity.word();
            format!(
                "<failure type=\"{severity}\" message=\"{message}\">{path}:{line}: {message}\n{help}</failure>"
            )
        }
    };
    format!("    <testcase name=\"{name}\" classname=\"{path}\" line=\"{line}\">{inner}</testcase>\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests as example;

    #[test]
    fn every_finding_is_a_case() {
        let text = render(&example::scan());
        assert_eq!(text.matches("<failure ").count(), 2, "{text}");
        assert_eq!(text.matches("<skipped ").count(), 2);
        assert_eq!(text.matches("<error ").count(), 2);
        assert!(text.starts_with("<?xml") && text.ends_with("</testsuites>\n"));
    }

    #[test]
    fn nothing_from_code_is_markup() {
        let text = render(&example::hostile());
        assert!(!text.contains("]]>") && !text.contains("<script") && !text.contains('\u{1b}'), "{text}");
        for line in text.lines() {
            assert_eq!(line.matches('<').count(), line.matches('>').count(), "{line}");
        }
    }
}
