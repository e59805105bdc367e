//! report/plan: the fixes of a run as one plan for tools: what each file would be, and why.

use std::sync::Arc;

use serde::Serialize;

use super::diff;
use crate::finding::{Change, Scan};
use crate::source::Source;

/// The plan as JSON, version 1: `files`, in path order, each with its `path`, its `changes` (rule, function, title, safety)
/// and the `diff` of its text.
pub fn render(files: &[(Arc<Source>, Arc<Source>)], scan: &Scan) -> String {
    let plan = Plan {
        schema_version: 1,
        files: files
            .iter()
            .map(|pair| PlannedFile {
                path: pair.0.display_path(),
                changes: changes(scan, &pair.0).iter().map(PlannedChange::of).collect(),
                diff: diff::render(std::slice::from_ref(pair)),
            })
            .collect(),
    };
    serde_json::to_string_pretty(&plan).expect("internal error: a plan is JSON") + "\n"
}

fn changes<'s>(scan: &'s Scan, source: &Source) -> &'s [Change] {
    let file = scan.files.iter().find(|file| file.source.path == source.path);
    file.map_or(&[], |file| &file.changes)
}

#[derive(Serialize)]
struct Plan<'a> {
    schema_version: u32,
    files: Vec<PlannedFile<'a>>,
}

#[derive(Serialize)]
struct PlannedFile<'a> {
    path: String,
    changes: Vec<PlannedChange<'a>>,
    diff: String,
}

/// A change, as the plan and the report in JSON write it.
#[derive(Serialize)]
pub(super) struct PlannedChange<'a> {
    rule: &'a str,
    function: &'a str,
    title: &'a str,
    safety: &'static str,
}

impl PlannedChange<'_> {
    pub(super) fn of(change: &Change) -> PlannedChange<'_> {
        let Change { rule, function, title, safety, is_counted: _ } = change;
        PlannedChange { rule, function, title, safety: safety.word() }
    }
}
