//! readme: what the README shows and lists is what there is.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use trailcheck::rulebook::Rulebook;

#[test]
fn the_table_of_rules_is_the_rulebook() {
    let readme = readme();
    let listed: Vec<&str> =
        section(&readme, "Rules").lines().filter(|line| line.starts_with("| [")).collect();
    let rulebook = Rulebook::built_in();
    let rows = rulebook.rules.iter().map(|rule| {
        let (id, severity) = (&rule.id, rule.severity.word());
        format!("| [`{id}`](rules/{id}.md) | {severity} | {} |", rule.summary)
    });
    let wanted: Vec<String> = rows.collect();
    assert_eq!(listed, wanted, "the table should be:\n\n{}\n", wanted.join("\n"));
}

#[test]
fn the_thirteen_points_name_rules_there_are() {
    let readme = readme();
    let rows: Vec<&str> =
        section(&readme, "The standard").lines().filter(|line| line.starts_with("| ")).skip(2).collect();
    assert_eq!(rows.len(), 13, "{rows:#?}");
    let rulebook = Rulebook::built_in();
    let known: BTreeSet<&str> = rulebook.ids().collect();
    for row in rows {
        let rules = row.split('|').nth(2).expect("a second column");
        for id in rules.split('`').skip(1).step_by(2) {
            assert!(known.contains(id), "there is no rule `{id}`: {row}");
        }
        assert!(rules.contains('`'), "no rule answers for it: {row}");
    }
}

#[test]
fn the_screen_is_a_true_one() {
    let readme = readme();
    let (_, behind) = readme.split_once("```console\n$ trailcheck ").expect("the README opens with a screen");
    let (screen, _) = behind.split_once("```").expect("the screen ends");
    let mut parts = screen.split("…\n");
    let command = parts.next().expect("a command");
    let run = Command::new(env!("CARGO_BIN_EXE_trailcheck"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .envs([("LC_ALL", "C.UTF-8"), ("NO_COLOR", "1"), ("COLUMNS", "100")])
        .args(command.split_whitespace())
        .output()
        .expect("the program runs");
    assert_eq!(run.status.code(), Some(1), "the sample is broken on purpose");
    let said = String::from_utf8(run.stdout).expect("the screen is UTF-8");
    let mut rest = said.as_str();
    for part in parts.filter(|part| !part.is_empty()) {
        let at =
            rest.find(part).unwrap_or_else(|| panic!("the program does not say this (any more):\n{part}"));
        rest = &rest[at + part.len()..];
    }
}

#[test]
fn every_link_leads_to_a_file() {
    for behind in readme().split("](").skip(1) {
        let link = behind.split(')').next().unwrap_or_default();
        assert!(root().join(link).is_file(), "{link} is not there");
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).expect("the README is there")
}

/// What stands below a heading, up to the next one.
fn section<'a>(readme: &'a str, heading: &str) -> &'a str {
    let start = format!("\n## {heading}\n");
    let (_, behind) = readme.split_once(&start).unwrap_or_else(|| panic!("no section `{heading}`"));
    behind.split("\n## ").next().unwrap_or_default()
}
