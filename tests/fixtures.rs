//! fixtures: the shipped services and snippets, each finding marked on its line: nothing missed, nothing besides.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One expected or reported finding: file, line, rule.
type Mark = (String, u64, String);

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// What the program reports below some folders, under their own configuration if they have one; suppressed findings are
/// not counted.
fn reported(folders: &[&str]) -> BTreeSet<Mark> {
    let run = Command::new(env!("CARGO_BIN_EXE_trailcheck"))
        .current_dir(root())
        .args(["check", "--format", "json"])
        .args(folders)
        .output()
        .expect("the program starts");
    let report: serde_json::Value = serde_json::from_slice(&run.stdout).expect("the report is JSON");
    let mut found = BTreeSet::new();
    for file in report["files"].as_array().expect("files") {
        for finding in file["findings"].as_array().expect("findings") {
            if finding["suppressed"].is_null() {
                found.insert((
                    file["path"].as_str().expect("a path").to_owned(),
                    finding["location"]["line"].as_u64().expect("a line"),
                    finding["rule"].as_str().expect("a rule").to_owned(),
                ));
            }
        }
    }
    found
}

/// What the marks below some folders ask for.
fn planted(folders: &[&str]) -> BTreeSet<Mark> {
    let mut found = BTreeSet::new();
    for folder in folders {
        for entry in walkdir::WalkDir::new(root().join(folder)).sort_by_file_name() {
            let entry = entry.expect("a fixture is readable");
            let sign = match entry.path().extension().and_then(|extension| extension.to_str()) {
                Some("py") => "# planted: ",
                Some("rs") => "// planted: ",
                _ => continue,
            };
            found.extend(marks(entry.path(), sign));
        }
    }
    found
}

fn marks(path: &Path, sign: &str) -> Vec<Mark> {
    let text = fs::read_to_string(path).expect("a fixture is text");
    let shown = path.strip_prefix(root()).expect("below the project").to_string_lossy().into_owned();
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if let Some((_, rules)) = line.split_once(sign) {
            found.extend(rules.split(',').map(|rule| (shown.clone(), number, rule.trim().to_owned())));
        }
    }
    found
}

fn compare(scanned: &[&str], marked: &[&str]) {
    let (reported, planted) = (reported(scanned), planted(marked));
    assert!(!planted.is_empty(), "no mark was found");
    let mut differences = String::new();
    for (path, line, rule) in planted.difference(&reported) {
        differences += &format!("missed    {path}:{line} {rule}\n");
    }
    for (path, line, rule) in reported.difference(&planted) {
        differences += &format!("unclaimed {path}:{line} {rule}\n");
    }
    assert!(differences.is_empty(), "\n{differences}");
}

#[test]
fn the_order_service_is_reported_as_it_is_marked() {
    compare(&["fixtures/orders-fastapi"], &["fixtures/orders-fastapi"]);
}

#[test]
fn its_twin_in_rust_is_reported_as_it_is_marked() {
    compare(&["fixtures/orders-rust"], &["fixtures/orders-rust"]);
}

#[test]
fn the_ways_of_writing_in_rust_are_reported_as_they_are_marked() {
    compare(&["fixtures/depot"], &["fixtures/depot"]);
}

#[test]
fn the_help_desk_is_reported_as_it_is_marked() {
    compare(&["fixtures/helpdesk-django"], &["fixtures/helpdesk-django"]);
}

#[test]
fn the_standard_s_snippets_are_reported_as_they_are_marked() {
    compare(&["fixtures/standard", "fixtures/shop"], &["fixtures/standard", "fixtures/shop"]);
}
