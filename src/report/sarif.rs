//! report/sarif: SARIF 2.1.0, for code hosts and viewers.
//!
//! A finding whose explanation leads over several places has a code flow that a viewer can walk; a suppressed one has its
//! suppression with the reason given; held against a baseline, each says whether it is new. Paths are relative to `ROOT`, which the reader may put where the files lie.

use serde_json::{Value, json};

use crate::finding::{Edit, Finding, Fix, Gap, Place, Scan, Severity};
use crate::rulebook::Rulebook;

/// The whole scan as one log with one run.
pub fn render(scan: &Scan, rulebook: &Rulebook) -> String {
    let results: Vec<Value> = scan
        .files
        .iter()
        .flat_map(|file| &file.findings)
        .map(|finding| result(finding, scan, rulebook))
        .collect();
    let log = json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": env!("CARGO_PKG_NAME"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rulebook.rules.iter().map(rule).collect::<Vec<Value>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": {ROOT: {"description": {"text": "the folder the scan was started in"}}},
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": scan.gaps.iter().map(notification).collect::<Vec<Value>>(),
            }],
            "results": results,
        }],
    });
    serde_json::to_string_pretty(&log).expect("internal error: strings and numbers are JSON") + "\n"
}

/// What relative paths are relative to.
const ROOT: &str = "ROOT";

fn rule(rule: &crate::rule::Rule) -> Value {
    json!({
        "id": rule.id,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.summary},
        "help": {"text": rule.page, "markdown": rule.page},
        "defaultConfiguration": {"level": level(rule.severity)},
        "properties": {"tags": [rule.pack]},
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Review => "warning",
    }
}

fn result(finding: &Finding, scan: &Scan, rulebook: &Rulebook) -> Value {
    let mut result = json!({
        "ruleId": finding.rule,
        "level": level(finding.severity),
        "message": {"text": text(finding)},
        "locations": [{
            "physicalLocation": physical(&finding.place),
            "logicalLocations": [{"fullyQualifiedName": finding.function, "kind": "function"}],
        }],
        "partialFingerprints": {"trailcheck/v1": finding.fingerprint},
    });
    if let Some(index) = rulebook.rules.iter().position(|rule| rule.id == finding.rule) {
        result["ruleIndex"] = json!(index);
    }
    if !finding.related.is_empty() {
        let related = finding.related.iter().map(|other| location(&other.place, &other.message));
        result["relatedLocations"] = related.collect();
        // The way goes over the places that explain it, from where it begins.
        let mut steps = vec![json!({"location": location(&finding.place, &finding.message)})];
        steps.extend(
            finding.related.iter().map(|other| json!({"location": location(&other.place, &other.message)})),
        );
        result["codeFlows"] = json!([{"threadFlows": [{"locations": steps}]}]);
    }
    if let Some(suppressed) = &finding.suppressed {
        let reason = suppressed.reason.clone().unwrap_or_else(|| "no reason given".to_owned());
        result["suppressions"] = json!([{"kind": "inSource", "status": "accepted", "justification": reason}]);
    }
    if finding.baselined {
        // A viewer without baselines should not show it as open.
        result["suppressions"] =
            json!([{"kind": "external", "status": "accepted", "justification": "in the baseline"}]);
    }
    if scan.baseline.is_some() {
        result["baselineState"] = json!(if finding.baselined { "unchanged" } else { "new" });
    }
    if let Some(fix) = &finding.fix {
        result["fixes"] = json!([changes(fix)]);
    }
    result
}

fn text(finding: &Finding) -> String {
    match &finding.help {
        Some(help) => format!("{}. {help}", finding.message),
        None => format!("{}.", finding.message),
    }
}

fn location(place: &Place, message: &str) -> Value {
    json!({"physicalLocation": physical(place), "message": {"text": message}})
}

fn physical(place: &Place) -> Value {
    json!({"artifactLocation": artifact(&place.source.display_path()), "region": region(place)})
}

fn artifact(path: &str) -> Value {
    // A path that leads out of the folder, or begins at the root, is not relative to it.
    let uri = uri(path);
    if path.starts_with('/') {
        json!({"uri": format!("file://{uri}")})
    } else {
        json!({"uri": uri, "uriBaseId": ROOT})
    }
}

/// A path as a relative reference: whatever has a meaning in one, or is not plain ASCII, is percent-encoded.
fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => {
                out.push(char::from(byte))
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

fn region(place: &Place) -> Value {
    let (source, span) = (&place.source, place.span);
    let (start, end) = (source.position(span.start), source.position(span.end));
    json!({
        "startLine": start.line,
        "startColumn": start.column,
        "endLine": end.line,
        "endColumn": end.column,
    })
}

fn changes(fix: &Fix) -> Value {
    let mut files: Vec<(String, Vec<&Edit>)> = Vec::new();
    for edit in &fix.edits {
        let path = edit.place.source.display_path();
        match files.last_mut() {
            Some((known, edits)) if *known == path => edits.push(edit),
            _ => files.push((path, vec![edit])),
        }
    }
    let changes = files.iter().map(|(path, edits)| {
        let replacements = edits.iter().map(
            |edit| json!({"deletedRegion": region(&edit.place), "insertedContent": {"text": edit.text}}),
        );
        json!({"artifactLocation": artifact(path), "replacements": replacements.collect::<Vec<Value>>()})
    });
    json!({
        "description": {"text": format!("{} ({})", fix.title, fix.safety.word())},
        "artifactChanges": changes.collect::<Vec<Value>>(),
    })
}

fn notification(gap: &Gap) -> Value {
    let mut location = json!({"artifactLocation": artifact(&gap.path)});
    if let Some(line) = gap.line {
        location["region"] = json!({"startLine": line});
    }
    json!({
        "level": "warning",
        "message": {"text": gap.reason},
        "locations": [{"physicalLocation": location}],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests as example;

    #[test]
    fn a_log_says_what_the_scan_says() {
        let log: Value =
            serde_json::from_str(&render(&example::scan(), &Rulebook::built_in())).expect("it is JSON");
        let run = &log["runs"][0];
        let results = run["results"].as_array().expect("there are results");
        assert_eq!(results.len(), 4);
        let first = &results[0];
        assert_eq!(first["level"], "error");
        assert_eq!(first["locations"][0]["physicalLocation"]["region"]["startLine"], 5);
        let location = &first["locations"][0]["physicalLocation"]["artifactLocation"];
        assert_eq!(location["uri"], "app/%3Cb%3Eservice.py");
        assert_eq!(first["codeFlows"][0]["threadFlows"][0]["locations"].as_array().map(Vec::len), Some(3));
        assert_eq!(results[1]["level"], "warning");
        assert_eq!(results[2]["suppressions"][0]["justification"], "made | up");
        let states: Vec<&Value> = results.iter().map(|result| &result["baselineState"]).collect();
        assert_eq!(states, ["new", "new", "new", "unchanged"]);
        assert_eq!(results[3]["suppressions"][0]["kind"], "external");
        let alone = Scan { baseline: None, ..example::scan() };
        assert!(!render(&alone, &Rulebook::built_in()).contains("baselineState"));
        let gaps = &run["invocations"][0]["toolExecutionNotifications"];
        assert_eq!(gaps[0]["locations"][0]["physicalLocation"]["region"]["startLine"], 2);
        let rules = run["tool"]["driver"]["rules"].as_array().expect("there are rules");
        let index = first["ruleIndex"].as_u64().expect("the rule is known") as usize;
        assert_eq!(rules[index]["id"], "missing-created-at");
    }
}
