//! report/gitlab: GitLab's code quality report, a list of issues in a subset of Code Climate's format.

use serde_json::{Value, json};

use super::shown;
use crate::escape::terminal;
use crate::finding::{Finding, Scan, Severity};

/// The open findings; gaps are issues too, since the report has no other place for them.
pub fn render(scan: &Scan) -> String {
    let findings = shown(scan).map(issue);
    let gaps = scan.gaps.iter().map(|gap| {
        json!({
            "description": format!("gap: {}", terminal(&gap.reason)),
            "check_name": "gap",
            "fingerprint": format!("gap:{}:{}:{}", gap.path, gap.line.unwrap_or(0), gap.reason),
            "severity": "info",
            "location": {"path": gap.path, "lines": {"begin": gap.line.unwrap_or(1)}},
        })
    });
    let issues: Vec<Value> = findings.chain(gaps).collect();
    serde_json::to_string_pretty(&issues).expect("internal error: strings and numbers are JSON") + "\n"
}

fn issue(finding: &Finding) -> Value {
    let (source, span) = (&finding.place.source, finding.place.span);
    json!({
        "description": terminal(&finding.message),
        "check_name": finding.rule,
        "fingerprint": finding.fingerprint,
        "severity": match finding.severity {
            Severity::Error => "major",
            Severity::Review => "minor",
        },
        "location": {
            "path": source.display_path(),
            "lines": {"begin": source.line(span.start), "end": source.line(span.end)},
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests as example;

    #[test]
    fn an_issue_has_what_gitlab_asks_for() {
        let issues: Value = serde_json::from_str(&render(&example::scan())).expect("it is JSON");
        let issues = issues.as_array().expect("a list");
        assert_eq!(issues.len(), 4, "two findings and two gaps");
        for issue in issues {
            for key in ["description", "check_name", "fingerprint", "severity"] {
                assert!(issue[key].is_string(), "{key}: {issue}");
            }
            assert!(issue["location"]["path"].is_string() && issue["location"]["lines"]["begin"].is_u64());
        }
    }
}
