//! baseline: the law of the baseline: what was accepted stays accepted however the code around it is moved, laid out or
//! renamed, and what is new is reported alone.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use trailcheck::baseline::{self, Baseline, Ground};
use trailcheck::config::Configuration;
use trailcheck::finding::{Finding, Scan};
use trailcheck::rulebook::Rulebook;
use trailcheck::scan::{Acceptance, Request, scan};
use trailcheck::source::{Language, Source};
use trailcheck::walk::Walked;

type Files = BTreeMap<String, String>;

/// The files of a fixture by the path they have below it.
fn fixture(name: &str) -> Files {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
    let entries = walkdir::WalkDir::new(&folder).sort_by_file_name();
    let paths = entries.into_iter().map(|entry| entry.expect("a fixture can be listed").into_path());
    let python = paths.filter(|path| path.extension().is_some_and(|extension| extension == "py"));
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a fixture can be read");
        (path.strip_prefix(&folder).expect("below it").to_string_lossy().into_owned(), text)
    };
    // Its own tests import what the tests here move away.
    python.map(read).filter(|(path, _)| !path.starts_with("tests/")).collect()
}

fn scanned(files: &Files, baseline: Option<&Baseline>) -> Scan {
    let source = |(path, text): (&String, &String)| {
        Arc::new(Source::of_text(path.as_str(), Language::Python, text.as_str()))
    };
    let walked = Walked { sources: files.iter().map(source).collect(), ..Walked::default() };
    let accepted = baseline.map(|baseline| Acceptance { baseline, sees_all: true });
    let (configuration, rulebook) = (&Configuration::default(), &Rulebook::built_in());
    scan(Request { accepted, ..Request::new(walked, configuration, rulebook, "2026-01-15") })
}

fn open(scan: &Scan) -> Vec<&Finding> {
    scan.files.iter().flat_map(|file| &file.findings).filter(|finding| finding.is_open()).collect()
}

/// The baseline of all that is found in the files, written and read again.
fn accepted(files: &Files) -> Baseline {
    let scan = scanned(files, None);
    let entries = baseline::entries(open(&scan), &Ground::default());
    assert!(!entries.is_empty(), "there is something to accept");
    let text = baseline::render(&[".".to_owned()], &entries);
    let source = Arc::new(Source::of_text(baseline::FILE, Language::Json, text));
    baseline::read(source, Ground::default()).expect("what is written can be read")
}

/// What is open, one a line; nothing where all is accepted and no entry is stale.
fn told(files: &Files, baseline: &Baseline) -> String {
    let scan = scanned(files, Some(baseline));
    let line = |finding: &&Finding| {
        let source = &finding.place.source;
        let line = source.line(finding.place.span.start);
        format!("{}:{line}: {}: {}\n", source.display_path(), finding.rule, finding.message)
    };
    open(&scan).iter().map(line).collect()
}

const FIXTURES: [&str; 2] = ["orders-fastapi", "helpdesk-django"];

#[test]
fn what_was_accepted_is_clean() {
    for name in FIXTURES {
        let files = fixture(name);
        assert_eq!(told(&files, &accepted(&files)), "", "{name}");
    }
}

#[test]
fn lines_and_functions_may_move() {
    for name in FIXTURES {
        let files = fixture(name);
        let baseline = accepted(&files);
        let lower: Files =
            files.iter().map(|(path, text)| (path.clone(), format!("# one\n\n\n# two\n{text}"))).collect();
        assert_eq!(told(&lower, &baseline), "", "{name}");
        let turned: Files =
            files.iter().map(|(path, text)| (path.clone(), last_function_first(text))).collect();
        assert_ne!(turned, files, "{name}: something moved");
        assert_eq!(told(&turned, &baseline), "", "{name}");
    }
}

#[test]
fn code_may_be_laid_out_anew() {
    for name in FIXTURES {
        let files = fixture(name);
        let wide: Files = files.iter().map(|(path, text)| (path.clone(), laid_out(text))).collect();
        let longer = |files: &Files| files.values().map(|text| text.lines().count()).sum::<usize>();
        assert!(longer(&wide) > longer(&files) * 6 / 5, "{name}: the layout is another one");
        assert_eq!(told(&wide, &accepted(&files)), "", "{name}");
    }
}

#[test]
fn names_that_an_entry_does_not_say_may_change() {
    let files = fixture("orders-fastapi");
    let baseline = accepted(&files);
    // A name of the module, and a local beside the code of the findings.
    let names = [("logger", "journal"), ("audit_ctx", "who")];
    let rename = |text: &String| names.iter().fold(text.clone(), |text, (old, new)| text.replace(old, new));
    let renamed: Files = files.iter().map(|(path, text)| (path.clone(), rename(text))).collect();
    let changed = renamed.iter().filter(|(path, text)| files[*path] != **text).count();
    assert!(changed > 10, "only {changed} files changed");
    assert_eq!(told(&renamed, &baseline), "");
}

#[test]
fn a_file_may_move() {
    let mut files = fixture("orders-fastapi");
    let baseline = accepted(&files);
    let path = "orders/services/broken_customers.py".to_owned();
    let of_path = baseline.entries.iter().filter(|entry| entry.path == path).count();
    assert!(of_path > 3, "there is something in it");
    let text = files.remove(&path).expect("the file is there");
    files.insert("orders/services/moved/clients.py".to_owned(), text.clone());
    assert_eq!(told(&files, &baseline), "");
    // A copy is not a move.
    files.insert(path.clone(), text);
    let told = told(&files, &baseline);
    assert_eq!(told.lines().count(), of_path, "{told}");
    assert!(told.lines().all(|line| line.starts_with("orders/services/moved/clients.py:")), "{told}");
}

#[test]
fn one_new_violation_among_ten_old_ones_is_reported_alone() {
    let service = |functions: &[&str]| -> Files {
        let mut text = String::from("from orders.models import Customer\n");
        for (number, body) in functions.iter().enumerate() {
            text.push_str(&format!("\n\nasync def f{number}(db):\n    {body}\n    await db.flush()\n"));
        }
        let mut files = fixture("orders-fastapi");
        files.retain(|path, _| !path.contains("broken"));
        files.insert("orders/services/old.py".to_owned(), text);
        files
    };
    let old = ["db.add(Customer(name='a', created_at=now(), updated_at=now()))"; 10];
    let baseline = accepted(&service(&old));
    let of_file = baseline.entries.iter().filter(|entry| entry.path == "orders/services/old.py");
    assert!(of_file.count() >= 10);
    let mut new = old.to_vec();
    new.insert(10, old[0]);
    let told = told(&service(&new), &baseline);
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(told.contains("`f10`"), "{told}");
}

#[test]
fn equal_findings_of_a_function_are_counted() {
    let write = "    db.add(Customer(name='a', created_at=now(), updated_at=now()))\n";
    let service = |times: usize| -> Files {
        let text = format!(
            "from orders.models import Customer\n\n\nasync def f(db):\n{}    await db.flush()\n",
            write.repeat(times)
        );
        let mut files = fixture("orders-fastapi");
        files.retain(|path, _| !path.contains("broken"));
        files.insert("orders/services/old.py".to_owned(), text);
        files
    };
    let baseline = accepted(&service(3));
    let counts: Vec<u32> = baseline
        .entries
        .iter()
        .filter(|entry| entry.path == "orders/services/old.py")
        .map(|entry| entry.count)
        .collect();
    assert_eq!(counts, [3]);
    assert_eq!(told(&service(3), &baseline), "");
    assert_eq!(told(&service(4), &baseline).lines().count(), 1);
    let stale = told(&service(1), &baseline);
    assert!(stale.starts_with("trailcheck-baseline.json:") && stale.contains("3 findings of `f`"), "{stale}");
    assert_eq!(stale.lines().count(), 1);
}

#[test]
fn an_entry_is_stale_only_where_its_finding_would_have_been_seen() {
    let mut files = fixture("orders-fastapi");
    let baseline = accepted(&files);
    let path = "orders/services/broken_customers.py";
    files.insert(path.to_owned(), "pass\n".to_owned());
    let all = told(&files, &baseline);
    assert!(all.lines().count() > 3 && all.lines().all(|line| line.contains("not there any more")), "{all}");
    // Broken code hides what is in it.
    files.insert(path.to_owned(), "def f(:\n".to_owned());
    let scan = scanned(&files, Some(&baseline));
    assert_eq!(open(&scan).len(), 0);
    assert!(scan.baseline.is_some_and(|held| held.gone.is_empty() && !held.unseen.is_empty()));
}

/// The last function at the top of a module before the first one, where nothing stands between or behind that minds: a
/// comment that belongs to a function would stay where it is.
fn last_function_first(text: &str) -> String {
    if text.contains("# trailcheck:") {
        return text.to_owned();
    }
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let is_head = |line: &str| line.starts_with("def ") || line.starts_with("async def ");
    let heads: Vec<usize> = (0..lines.len()).filter(|&at| is_head(lines[at])).collect();
    let (Some(&first), Some(&last)) = (heads.first(), heads.last()) else { return text.to_owned() };
    let decorated = |at: usize| at > 0 && !lines[at - 1].trim().is_empty();
    let end =
        (last + 1..lines.len()).find(|&at| lines[at].starts_with(|c: char| !c.is_whitespace() && c != ')'));
    // Statements of the module may need what stands above them.
    if first == last || decorated(first) || decorated(last) || end.is_some() {
        return text.to_owned();
    }
    let body = format!("{}\n\n", lines[last..].concat());
    format!("{}{body}{}", lines[..first].concat(), lines[first..last].concat())
}

/// The same code with twice the indentation and a line break behind every parenthesis that opens.
fn laid_out(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    let mut depth = 0_usize;
    let mut at_line_start = true;
    while let Some(first) = rest.chars().next() {
        if at_line_start && depth == 0 {
            let blanks = rest.len() - rest.trim_start_matches(' ').len();
            out.push_str(&" ".repeat(blanks * 2));
            rest = &rest[blanks..];
            at_line_start = false;
            continue;
        }
        at_line_start = first == '\n';
        let length = match first {
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '"' | '\'' => string_length(rest, first),
            _ => first.len_utf8(),
        };
        out.push_str(&rest[..length]);
        match first {
            '(' => {
                depth += 1;
                out.push('\n');
            }
            '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        rest = &rest[length..];
    }
    out
}

fn string_length(text: &str, quote: char) -> usize {
    let triple: String = [quote; 3].iter().collect();
    let closing = if text.starts_with(&triple) { triple.as_str() } else { &triple[..1] };
    let mut at = closing.len();
    while at < text.len() && !text[at..].starts_with(closing) {
        let next = text[at..].chars().next().expect("a character");
        at += next.len_utf8();
        if next == '\\' {
            at += text[at..].chars().next().map_or(0, char::len_utf8);
        }
    }
    at + closing.len()
}
