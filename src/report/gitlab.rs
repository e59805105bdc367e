//! report/gitlab: GitLab's code quality report, a list of issues in a subset of Code Climate's format.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::shown;
use crate::escape::terminal;
use crate::finding::{Finding, Scan, Severity};

/// The open findings; gaps are issues too, since the report has no other place for them.
pub fn render(scan: &Scan) -> String {
    // Of issues with one fingerprint GitLab keeps one: equal code in two files needs two.
    let mut homes: BTreeMap<&str, String> = BTreeMap::new();
    let findings = shown(scan).map(|finding| {
        let path = finding.place.source.display_path();
        let home = homes.entry(&finding.fingerprint).or_insert_with(|| path.clone());
        let is_first = *home == path;
        let print = &finding.fingerprint;
        issue(finding, if is_first { print.clone() } else { format!("{print}:{path}") })
    });
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

fn issue(finding: &Finding, fingerprint: String) -> Value {
    let (source, span) = (&finding.place.source, finding.place.span);
    json!({
        "description": terminal(&finding.message),
        "check_name": finding.rule,
        "fingerprint": fingerprint,
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

    #[test]
    fn equal_code_in_two_files_makes_two_issues() {
        let mut scan = example::scan();
        let copy = example::source("app/copy.py", &scan.files[0].source.text);
        let twin = example::finding(&copy, "Job()", "missing-created-at", Severity::Error);
        scan.files[1].findings.push(twin);
        scan.files[0].findings.truncate(1);
        let issues: Value = serde_json::from_str(&render(&scan)).expect("it is JSON");
        let prints: Vec<&str> = issues
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|issue| issue["fingerprint"].as_str())
            .collect();
        assert_eq!(prints[..2], ["0123456789abcdef", "0123456789abcdef:app/copy.py"]);
    }
}
