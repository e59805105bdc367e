//! fix/choose: which fixes go together into one round, and the texts that come of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use crate::finding::{Edit, Finding, Safety, Scan};
use crate::source::Source;

/// What tells a finding from all others across scans, wherever its lines have moved to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) path: PathBuf,
    pub(super) rule: String,
    pub(super) function: String,
    pub(super) message: String,
}

impl Key {
    pub(super) fn of(finding: &Finding) -> Key {
        Key {
            path: finding.place.source.path.clone(),
            rule: finding.rule.clone(),
            function: finding.function.clone(),
            message: finding.message.clone(),
        }
    }
}

/// The fixes of one round, none in the way of another.
pub(super) struct Round<'s> {
    pub(super) chosen: Vec<&'s Finding>,
    /// The new texts, by path.
    pub(super) texts: BTreeMap<PathBuf, Arc<Source>>,
}

/// Takes fixes in the order of files and places, at most so many. One that is in the way of an earlier one waits.
pub(super) fn choose<'s>(scan: &'s Scan, most: Safety, banned: &BTreeSet<Key>, limit: usize) -> Round<'s> {
    let mut chosen: Vec<&Finding> = Vec::new();
    let mut edits: BTreeMap<&PathBuf, Vec<&Edit>> = BTreeMap::new();
    for finding in scan.files.iter().flat_map(|file| &file.findings) {
        let Some(fix) = finding.fix.as_ref().filter(|fix| fix.safety <= most) else { continue };
        if !finding.is_open() || banned.contains(&Key::of(finding)) || chosen.len() >= limit {
            continue;
        }
        let is_free = fix.edits.iter().all(|edit| {
            let of_file = edits.get(&edit.place.source.path);
            of_file.is_none_or(|of_file| of_file.iter().all(|other| !collide(edit, other)))
        });
        if !is_free {
            continue;
        }
        chosen.push(finding);
        for edit in &fix.edits {
            let of_file = edits.entry(&edit.place.source.path).or_default();
            if !of_file.iter().any(|other| is_same(edit, other)) {
                of_file.push(edit);
            }
        }
    }
    let texts = edits.into_iter().map(|(path, edits)| (path.clone(), Arc::new(written(edits)))).collect();
    Round { chosen, texts }
}

fn is_same(a: &Edit, b: &Edit) -> bool {
    a.place.span == b.place.span && a.text == b.text
}

/// Whether two edits are in each other's way: the same edit twice is one.
fn collide(a: &Edit, b: &Edit) -> bool {
    let (one, other) = (a.place.span, b.place.span);
    let apart = one.end < other.start || other.end < one.start;
    !apart && !is_same(a, b)
}

/// The text with the edits in it.
fn written(mut edits: Vec<&Edit>) -> Source {
    edits.sort_by_key(|edit| edit.place.span);
    let source = &edits[0].place.source;
    let mut text = String::with_capacity(source.text.len() + 256);
    let mut at = 0;
    for edit in edits {
        let span = edit.place.span.range();
        text.push_str(&source.text[at..span.start]);
        text.push_str(&edit.text);
        at = span.end;
    }
    text.push_str(&source.text[at..]);
    source.with_text(text)
}
