//! laws: what holds for every input: same bytes whatever the threads, no panic on any prefix, suppressions that
//! suppress and nothing else, names that mean nothing to a rule.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use trailcheck::config::Configuration;
use trailcheck::finding::Scan;
use trailcheck::lower::lower;
use trailcheck::rulebook::Rulebook;
use trailcheck::scan::{Request, scan};
use trailcheck::source::{Language, Source};
use trailcheck::walk::Walked;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The Python files below a folder of the project that are UTF-8, by path.
fn files(folder: &str) -> BTreeMap<String, String> {
    let entries = walkdir::WalkDir::new(root().join(folder)).sort_by_file_name();
    let python = |path: &Path| path.extension().is_some_and(|extension| extension == "py");
    entries
        .into_iter()
        .map(|entry| entry.expect("a fixture is readable").into_path())
        .filter(|path| python(path))
        .filter_map(|path| {
            let text = String::from_utf8(fs::read(&path).expect("a fixture is readable")).ok()?;
            let shown = path.strip_prefix(root()).expect("below the project").to_string_lossy().into_owned();
            Some((shown, text))
        })
        .collect()
}

fn scanned(files: &BTreeMap<String, String>) -> Scan {
    let source = |(path, text): (&String, &String)| {
        Arc::new(Source::of_text(path.as_str(), Language::Python, text.as_str()))
    };
    let walked = Walked { sources: files.iter().map(source).collect(), ..Walked::default() };
    scan(Request::new(walked, &Configuration::default(), &Rulebook::built_in(), "2026-01-15"))
}

/// Every finding that is not suppressed, as path, line, rule and fingerprint.
fn findings(scan: &Scan) -> Vec<(String, u32, String, String)> {
    let of_file = |file: &trailcheck::finding::FileReport| {
        let path = file.source.display_path();
        let active = file.findings.iter().filter(|finding| finding.suppressed.is_none());
        active
            .map(|f| {
                (path.clone(), f.place.source.line(f.place.span.start), f.rule.clone(), f.fingerprint.clone())
            })
            .collect::<Vec<_>>()
    };
    scan.files.iter().flat_map(of_file).collect()
}

/// What the program says of the fixtures in every format, and what it writes on stdout and stderr; `threads` is what is
/// said of them, in the environment or as options.
fn said(threads: &[&str]) -> BTreeMap<String, Vec<u8>> {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut command = Command::new(env!("CARGO_BIN_EXE_trailcheck"));
    command.current_dir(root()).args(["check", "--isolated", "fixtures"]);
    // The day is given, so that no report says how long it took.
    command.env("SOURCE_DATE_EPOCH", "1767225600");
    match threads {
        [number] => command.env("RAYON_NUM_THREADS", number),
        options => command.args(options),
    };
    for format in FORMATS {
        command.arg("--output").arg(format!("{format}={}", folder.path().join(format).display()));
    }
    let output = command.output().expect("the program starts");
    let file = |format: &&str| {
        let written = fs::read(folder.path().join(format)).expect("the report is written");
        assert!(!written.is_empty(), "{format} says something");
        ((*format).to_owned(), written)
    };
    let streams = [("stdout".to_owned(), output.stdout), ("stderr".to_owned(), output.stderr)];
    FORMATS.iter().map(file).chain(streams).collect()
}

const FORMATS: [&str; 10] =
    ["json", "human", "concise", "markdown", "html", "jsonl", "sarif", "github", "gitlab", "junit"];

#[test]
fn the_same_input_gives_the_same_bytes_whatever_the_threads() {
    let one = said(&["1"]);
    for threads in [&["2"][..], &["8"], &["--threads", "3"]] {
        for (what, bytes) in said(threads) {
            assert!(bytes == one[&what], "{what} differs with the threads: {threads:?}");
        }
    }
}

#[test]
fn any_prefix_of_any_fixture_is_read_without_a_panic() {
    let mut cut = 0;
    for (path, text) in files("fixtures") {
        let stride = (text.len() / 60).max(1);
        for end in (0..text.len()).step_by(stride).filter(|&end| text.is_char_boundary(end)) {
            for tail in ["", "(", "'''", "\n  def", "\0"] {
                let source =
                    Source::of_text(path.as_str(), Language::Python, format!("{}{tail}", &text[..end]));
                let facts = lower(&source);
                assert!(!facts.functions.is_empty(), "{path}: a module has at least its own code");
                cut += 1;
            }
        }
    }
    assert!(cut > 1_000, "there were prefixes to read");
}

#[test]
fn a_suppressed_finding_is_gone_and_its_suppression_is_used() {
    let service = files("fixtures/orders-fastapi");
    let before = findings(&scanned(&service));
    let mut tried = 0;
    for (path, line, rule, fingerprint) in &before {
        let text = &service[path];
        let here = text.lines().nth(*line as usize - 1).expect("the finding's line");
        let (code, mark) = here.split_once("  # planted").unwrap_or((here, ""));
        // A comment inside a string or behind another comment that speaks to trailcheck would say nothing.
        if mark.is_empty() || here.contains("trailcheck:") || code.ends_with('\\') {
            continue;
        }
        let comment = format!("{code}  # trailcheck: ignore[{rule}] reason=\"law\"");
        let mut lines: Vec<&str> = text.split('\n').collect();
        lines[*line as usize - 1] = &comment;
        let changed = lines.join("\n");
        let mut with = service.clone();
        with.insert(path.clone(), changed);
        let after = findings(&scanned(&with));
        let still = after.iter().any(|(p, l, r, f)| (p, l, r, f) == (path, line, rule, fingerprint));
        assert!(!still, "{path}:{line} {rule} is still reported");
        let unused = after.iter().any(|(p, l, r, _)| p == path && l == line && r == "unused-suppression");
        assert!(!unused, "{path}:{line} the suppression of {rule} is called unused");
        tried += 1;
        if tried == 40 {
            break;
        }
    }
    assert!(tried >= 20, "only {tried} findings could be tried");
}

#[test]
fn names_that_no_rule_mentions_do_not_matter() {
    let service = files("fixtures/orders-fastapi");
    let before = findings(&scanned(&service));
    let rename = |text: &String| {
        // Words of the service that neither a library nor a rule knows, each replaced by one of equal length.
        let words = [("carrier", "courier"), ("Shipment", "Delivery"), ("amount_cents", "amount_pence")];
        words.iter().fold(text.clone(), |text, (old, new)| text.replace(old, new))
    };
    let renamed: BTreeMap<String, String> =
        service.iter().map(|(path, text)| (path.clone(), rename(text))).collect();
    assert_ne!(service, renamed, "something was renamed");
    let place = |all: Vec<(String, u32, String, String)>| -> Vec<_> {
        all.into_iter().map(|(path, line, rule, _)| (path, line, rule)).collect()
    };
    assert_eq!(place(before), place(findings(&scanned(&renamed))));
}

#[test]
fn lines_above_a_finding_move_it_and_keep_its_fingerprint() {
    let service = files("fixtures/orders-fastapi");
    let shifted: BTreeMap<String, String> =
        service.iter().map(|(path, text)| (path.clone(), format!("# one\n# two\n\n{text}"))).collect();
    let before = findings(&scanned(&service));
    assert!(!before.is_empty());
    let expected: Vec<_> =
        before.into_iter().map(|(path, line, rule, print)| (path, line + 3, rule, print)).collect();
    assert_eq!(expected, findings(&scanned(&shifted)));
}
