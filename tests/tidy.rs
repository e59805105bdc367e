//! tidy: the rules of the house, as tests: what a file begins with, what it may know, where things are done.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

/// The rooms, low to high, each with the rooms it may know. A room may always know itself.
const FLOORS: &[(&str, &[&str])] = &[
    ("escape", &[]),
    ("name", &[]),
    ("nearest", &[]),
    ("day", &[]),
    ("source", &[]),
    ("sql", &[]),
    ("token", &["source"]),
    ("duty", &[]),
    ("remedy", &["source"]),
    ("layout", &["source"]),
    ("facts", &["name", "source"]),
    ("finding", &["duty", "remedy", "source"]),
    ("vocabulary", &["duty", "remedy", "source"]),
    ("rule", &["duty", "finding", "nearest", "remedy", "vocabulary"]),
    ("rulebook", &["duty", "finding", "nearest", "rule", "vocabulary"]),
    ("config", &["duty", "escape", "finding", "nearest", "source"]),
    ("digest", &["finding", "rulebook"]),
    ("coverage", &[]),
    ("owners", &["config"]),
    ("walk", &["config", "finding", "source"]),
    ("cache", &["duty", "facts", "finding", "name", "source", "walk"]),
    ("program", &["source", "walk"]),
    ("lower", &["facts", "layout", "name", "source", "sql", "token"]),
    ("project", &["config", "duty", "facts", "name", "source", "sql"]),
    (
        "flow",
        &["config", "duty", "facts", "name", "nearest", "project", "remedy", "source", "sql", "vocabulary"],
    ),
    ("learn", &["config", "duty", "escape", "facts", "flow", "name", "project"]),
    ("tested", &["facts", "finding", "flow", "name", "project"]),
    ("vcs", &[]),
    ("since", &["duty", "finding", "source"]),
    ("baseline", &["config", "finding", "source"]),
    (
        "check",
        &[
            "baseline",
            "day",
            "duty",
            "facts",
            "finding",
            "nearest",
            "remedy",
            "rule",
            "rulebook",
            "source",
            "token",
            "vocabulary",
        ],
    ),
    ("fix", &["finding", "layout", "lower", "project", "remedy", "source", "token"]),
    ("metric", &["config", "finding"]),
    ("history", &["config", "day", "finding", "metric"]),
    (
        "report",
        &[
            "config", "coverage", "day", "digest", "duty", "escape", "finding", "history", "metric", "rule",
            "rulebook", "source",
        ],
    ),
    (
        "scan",
        &[
            "baseline",
            "cache",
            "check",
            "config",
            "duty",
            "facts",
            "finding",
            "fix",
            "flow",
            "learn",
            "lower",
            "name",
            "program",
            "project",
            "rule",
            "rulebook",
            "since",
            "source",
            "tested",
            "vocabulary",
            "walk",
        ],
    ),
    (
        "cli",
        &[
            "baseline",
            "cache",
            "check",
            "config",
            "coverage",
            "day",
            "digest",
            "duty",
            "escape",
            "facts",
            "finding",
            "fix",
            "flow",
            "history",
            "learn",
            "lower",
            "metric",
            "name",
            "nearest",
            "owners",
            "project",
            "report",
            "rule",
            "rulebook",
            "scan",
            "since",
            "source",
            "vcs",
            "vocabulary",
            "walk",
        ],
    ),
];

/// Files that are no rooms: the map, the door and the build script.
const OUTSIDE: &[&str] = &["lib", "main", "embed"];

/// A file is split where a second idea begins; this only catches the one that nobody split.
const LONGEST: usize = 800;

#[test]
fn every_file_says_what_room_it_is() {
    holds(|file, broken| {
        let first = file.text.lines().next().unwrap_or("");
        let says = match (file.room(), file.is_test()) {
            // The map says what the whole is.
            ("lib", _) => first.starts_with("//! "),
            _ => first.starts_with(&format!("//! {}", file.address())),
        };
        if !says {
            broken.push(format!("does not begin with `//! {}`", file.address()));
        }
    });
}

#[test]
fn every_file_of_tests_is_run() {
    let main = fs::read_to_string(root().join("tests/main.rs")).expect("the tests have a beginning");
    let programs = ["main", "mutation"];
    holds(|file, broken| {
        let address = file.address();
        let is_one = file.path.starts_with("tests") && !address.contains('/');
        if is_one && !programs.contains(&&*address) && !main.contains(&format!("\nmod {address};\n")) {
            broken.push("is not named in `tests/main.rs`, so that nothing in it is run".to_owned());
        }
    });
}

#[test]
fn every_file_has_a_name_of_its_own_and_a_length_one_can_read() {
    holds(|file, broken| {
        let stem = file.address().rsplit('/').next().unwrap_or("").to_owned();
        if ["mod", "util", "utils", "common", "types", "helper", "helpers", "misc"].contains(&stem.as_str()) {
            broken.push("has a name that names nothing".to_owned());
        }
        let lines = file.text.lines().count();
        if lines > LONGEST {
            broken.push(format!("has {lines} lines, {LONGEST} are enough"));
        }
    });
}

#[test]
fn no_import_runs_against_the_floors() {
    for (at, (room, may)) in FLOORS.iter().enumerate() {
        for known in *may {
            let below = FLOORS[..at].iter().any(|(lower, _)| lower == known);
            assert!(below, "the table of floors lets `{room}` know `{known}`, which is not below it");
        }
    }
    holds(|file, broken| {
        let room = file.room();
        if file.is_test() || OUTSIDE.contains(&room) {
            return;
        }
        let Some((_, may)) = FLOORS.iter().find(|(name, _)| *name == room) else {
            return broken.push(format!("`{room}` has no place in the table of floors"));
        };
        for known in rooms_named(&file.code(), file.address() == room) {
            if known != room && !may.contains(&known.as_str()) {
                broken.push(format!("`{room}` knows `{known}`"));
            }
        }
    });
}

#[test]
fn each_thing_is_done_in_its_room_only() {
    let walls: &[(&[&str], &[&str])] = &[
        (&["tree_sitter"], &["lower"]),
        (&["std::fs", "fs::", "File::"], &["walk", "config", "fix", "embed"]),
        (&["process::Command", "Command::new("], &["vcs"]),
        (&["println!(", "print!("], &["cli", "embed"]),
        (&[".unwrap()"], &[]),
        (&["todo!(", "unimplemented!(", "dbg!("], &[]),
    ];
    holds(|file, broken| {
        if file.is_test() {
            return;
        }
        let code = file.code();
        for (things, rooms) in walls {
            for thing in things.iter().filter(|thing| says(&code, thing)) {
                if !rooms.contains(&file.room()) {
                    broken.push(format!("says `{thing}`, which is done in {rooms:?} only"));
                }
            }
        }
    });
}

#[test]
fn no_rule_id_is_written_in_the_program() {
    let rules = root().join("rules");
    let ids: BTreeSet<String> = WalkDir::new(rules)
        .into_iter()
        .map(|entry| entry.expect("the pages can be listed").into_path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    assert!(!ids.is_empty(), "there are pages");
    holds(|file, broken| {
        let code = file.code();
        for id in ids.iter().filter(|id| !file.is_test() && code.contains(&format!("\"{id}\""))) {
            broken.push(format!("branches on the rule `{id}`; give the vocabulary a word instead"));
        }
    });
}

#[test]
fn the_walls_are_seen() {
    let named = |code: &str| rooms_named(code, false).into_iter().collect::<Vec<_>>().join(" ");
    assert_eq!(named("use crate::source::{Span, Source};"), "source");
    assert_eq!(named("use crate::{\n    check::{a, b},\n    flow::x as y, cli,\n};"), "check cli flow");
    assert_eq!(named("fn f() -> crate::report::Format {}"), "report");
    assert_eq!(named("pub(crate) fn f() {}"), "");
    assert_eq!(rooms_named("use super::flow::x;", true), BTreeSet::from(["flow".to_owned()]));
    assert!(says("use std::fs::{self};", "std::fs") && says("File::open(p)", "File::"));
    assert!(!says("offs::set(FooFile::new())", "fs::") && !says("FooFile::new()", "File::"));
    assert!(says("eprintln!(x)", "println!(") && says("print!(x)", "print!("));
}

/// One file of the house.
struct File {
    path: PathBuf,
    text: String,
}

impl File {
    /// The path below its folder at the top without its ending: `rule/page`.
    fn address(&self) -> String {
        let inner: PathBuf = self.path.components().skip(1).collect();
        inner.with_extension("").to_str().expect("a file's name is UTF-8").replace('\\', "/")
    }

    /// The first part of that.
    fn room(&self) -> &str {
        let first = self.path.components().nth(1).and_then(|part| part.as_os_str().to_str());
        first.map_or("", |name| name.strip_suffix(".rs").unwrap_or(name))
    }

    fn is_test(&self) -> bool {
        ["benches", "tests"].iter().any(|folder| self.path.starts_with(folder))
            || self.path.file_stem().is_some_and(|stem| stem == "tests")
    }

    /// The text without its comments and its tests, which stand last.
    fn code(&self) -> String {
        let until_tests = self.text.lines().take_while(|line| line.trim() != "#[cfg(test)]");
        let code: Vec<&str> = until_tests.filter(|line| !line.trim_start().starts_with("//")).collect();
        code.join("\n")
    }
}

/// Looks at every file and fails once, with everything that is broken.
fn holds(law: impl Fn(&File, &mut Vec<String>)) {
    let mut failures = Vec::new();
    for file in files() {
        let mut broken = Vec::new();
        law(&file, &mut broken);
        failures.extend(broken.into_iter().map(|what| format!("{}: {what}", file.path.display())));
    }
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n"));
}

fn files() -> Vec<File> {
    let mut files = Vec::new();
    for folder in ["benches", "src", "tests"] {
        for entry in WalkDir::new(root().join(folder)).sort_by_file_name() {
            let entry = entry.expect("the house can be walked");
            if entry.path().extension().is_some_and(|extension| extension == "rs") {
                let path = entry.path().strip_prefix(root()).expect("internal error: a file below the root");
                let text = fs::read_to_string(entry.path()).expect("a file can be read");
                files.push(File { path: path.to_owned(), text });
            }
        }
    }
    files
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The rooms that a piece of code names, by `crate::room` or inside `crate::{…}`. In a file at the top `super` is
/// the crate.
fn rooms_named(code: &str, is_at_top: bool) -> BTreeSet<String> {
    let mut rooms = BTreeSet::new();
    let paths = if is_at_top { &["crate::", "super::"][..] } else { &["crate::"] };
    for start in paths {
        for (at, _) in code.match_indices(start).filter(|&(at, _)| !code[..at].ends_with(is_word)) {
            let behind = &code[at + start.len()..];
            let Some(group) = behind.strip_prefix('{') else {
                rooms.insert(word(behind));
                continue;
            };
            // Only what stands at the first level of the group is a room.
            let mut depth = 0;
            let mut expects_room = true;
            for (at, c) in group.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => expects_room = true,
                    _ if depth == 0 && expects_room && is_word(c) => {
                        rooms.insert(word(&group[at..]));
                        expects_room = false;
                    }
                    _ => {}
                }
            }
        }
    }
    // `super::*` names nothing; types and functions at the root of the crate are the map's own.
    rooms.retain(|room| room.starts_with(|c: char| c.is_ascii_lowercase()));
    rooms
}

/// Whether the code says it, not as the tail of a longer word; `println` is meant in `eprintln`, too.
fn says(code: &str, thing: &str) -> bool {
    let is_macro = thing.ends_with("!(");
    code.match_indices(thing)
        .any(|(at, _)| is_macro || !code[..at].ends_with(is_word) || !thing.starts_with(is_word))
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn word(text: &str) -> String {
    text.chars().take_while(|&c| is_word(c)).collect()
}
