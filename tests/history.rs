//! history: what scans leave behind, whoever writes at the same time and whenever a process dies.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

use rusqlite::Connection;
use trailcheck::history::{Entry, History, HistoryError};

use crate::small::placed::Place;

const MODELS: &str = "\
from datetime import datetime
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Base(DeclarativeBase): ...

class Order(Base):
    __tablename__ = 'orders'
    id: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]

def good(db):
    db.add(Order(created_at=datetime.now()))
    db.commit()

def bad(db):
    db.add(Order())
    db.commit()
";

/// A Wednesday.
const DAY: u64 = 1_764_158_400;

/// A project with a history.
struct Project(Place);

impl Project {
    fn new(configuration: &str) -> Project {
        let place = Place::new();
        place.write("trailcheck.toml", &format!("[history]\nfile = 'kept/scans.db'\n{configuration}"));
        place.write("app.py", MODELS);
        Project(place)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path(name)
    }

    fn write(&self, name: &str, text: &str) {
        self.0.write(name, text);
    }

    fn command(&self, second: u64, arguments: &[&str]) -> Command {
        let mut command = self.0.command(arguments);
        command.env("SOURCE_DATE_EPOCH", second.to_string());
        // A repository around the folder says nothing of it.
        command.env("GIT_CEILING_DIRECTORIES", self.0.path("").parent().expect("a folder"));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, second: u64, arguments: &[&str]) -> Output {
        self.command(second, arguments).output().expect("it runs")
    }

    fn start(&self, second: u64, arguments: &[&str]) -> Child {
        self.command(second, arguments).spawn().expect("it starts")
    }

    fn entries(&self) -> Vec<Entry> {
        let history = History::open(&self.path("kept/scans.db"), "scans.db").expect("a history");
        history.entries().expect("readable")
    }
}

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_same_scan_counts_once() {
    let place = Project::new("");
    assert_eq!(code(&place.run(DAY, &["check"])), Some(1));
    assert_eq!(code(&place.run(DAY + 86_400, &["check"])), Some(1));
    let [entry] = &place.entries()[..] else { panic!("one scan: {:?}", place.entries()) };
    assert_eq!((entry.key.scope.as_str(), entry.key.week.as_str()), (".", "2025-11-24"));
    assert_eq!((entry.counts.writes, entry.counts.stamped, entry.counts.errors), (2, 1, 1));
    assert_eq!((entry.run.at.as_str(), entry.run.outcome.as_str()), ("2025-11-27T12:00:00Z", "errors"));
    // Another week, another revision and another scope are other scans.
    place.run(DAY + 7 * 86_400, &["check"]);
    place.write("more.py", "x = 1\n");
    place.run(DAY + 7 * 86_400, &["check"]);
    place.run(DAY + 7 * 86_400, &["check", "app.py", "--select", "fields"]);
    let keys: Vec<(String, String)> =
        place.entries().iter().map(|entry| (entry.key.week.clone(), entry.key.scope.clone())).collect();
    let key = |week: &str, scope: &str| (week.to_owned(), scope.to_owned());
    assert_eq!(
        keys,
        [
            key("2025-11-24", "."),
            key("2025-12-01", "."),
            key("2025-12-01", "."),
            key("2025-12-01", "app.py select=fields"),
        ]
    );
}

#[test]
fn what_is_no_scan_of_the_files_is_not_kept() {
    let place = Project::new("");
    place.run(DAY, &["check", "--diff", "--unsafe-fixes"]);
    place.run(DAY, &["check", "--isolated"]);
    place.run(DAY, &["check", "--show-files"]);
    assert!(!place.path("kept").exists());
}

#[test]
fn processes_that_write_at_once_lose_nothing() {
    let place = Project::new("");
    let names: Vec<String> = (0..12).map(|number| format!("part{number}")).collect();
    for name in &names {
        place.write(&format!("{name}/app.py"), MODELS);
    }
    // The file is not there yet, so they also meet in making it.
    let children: Vec<Child> = names.iter().map(|name| place.start(DAY, &["check", name])).collect();
    for child in children {
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(code(&output), Some(1), "{}", said(&output));
    }
    let mut scopes: Vec<String> = place.entries().into_iter().map(|entry| entry.key.scope).collect();
    scopes.sort();
    let mut wanted = names.clone();
    wanted.sort();
    assert_eq!(scopes, wanted);
    assert!(place.entries().iter().all(|entry| entry.figures.len() == 10 && entry.counts.writes == 2));
}

#[test]
fn a_killed_process_takes_nothing_with_it() {
    let place = Project::new("");
    let mut kept = Vec::new();
    for round in 0..24_u64 {
        let second = DAY + round * 7 * 86_400;
        if round % 2 == 0 {
            assert_eq!(code(&place.run(second, &["check"])), Some(1));
            kept.push(place.entries().last().expect("a scan").key.week.clone());
        } else {
            let mut child = place.start(second, &["check"]);
            sleep(Duration::from_millis(4 * round));
            child.kill().expect("killed");
            child.wait().expect("gone");
        }
        let entries = place.entries();
        let weeks: Vec<&String> = entries.iter().map(|entry| &entry.key.week).collect();
        assert!(kept.iter().all(|week| weeks.contains(&week)), "round {round}: {kept:?} in {weeks:?}");
        // Each scan is there whole.
        assert!(entries.iter().all(|entry| entry.figures.len() == 10));
        let connection = Connection::open(place.path("kept/scans.db")).expect("open");
        let health: String =
            connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("an answer");
        assert_eq!(health, "ok");
    }
}

#[test]
fn a_figure_out_of_range_is_said_and_can_fail_the_run() {
    let place = Project::new("[metrics.coverage]\nmin = 90\n[metrics.gaps]\nmax = 0\n");
    let output = place.run(DAY, &["check", "--fail-on", "never"]);
    assert_eq!(code(&output), Some(0));
    assert!(
        said(&output).contains("out of range: coverage is 50, at least 90 is wanted (2 counted)"),
        "{}",
        said(&output)
    );
    assert_eq!(code(&place.run(DAY, &["check", "--fail-on", "never", "--fail-on-metric"])), Some(1));
    // Two writes are too few to say anything where twenty are asked for.
    place.write("trailcheck.toml", "[metrics.coverage]\nmin = 90\nmin-sample = 20\n");
    let output = place.run(DAY, &["check", "--fail-on", "never", "--fail-on-metric"]);
    assert_eq!((code(&output), said(&output).contains("out of range")), (Some(0), false));
    place.write("trailcheck.toml", "[metrics.coverage]\nmin = 120\n");
    assert_eq!(code(&place.run(DAY, &["check"])), Some(2));
}

#[test]
fn a_file_of_something_else_is_left_alone() {
    let place = Project::new("");
    place.write("kept/scans.db", "these are notes, and no database at all; they have to stay as they are");
    let before = fs::read(place.path("kept/scans.db")).expect("there");
    let output = place.run(DAY, &["check"]);
    assert_eq!(code(&output), Some(2));
    assert!(said(&output).contains("is not a history of trailcheck"), "{}", said(&output));
    assert_eq!(fs::read(place.path("kept/scans.db")).expect("there"), before);

    let foreign = place.path("other.db");
    let connection = Connection::open(&foreign).expect("open");
    connection.execute_batch("CREATE TABLE people (name TEXT)").expect("made");
    assert!(matches!(History::open(&foreign, "other.db"), Err(HistoryError::Foreign(_))));
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).expect("an answer");
    assert_eq!(tables, 1);
}

#[test]
fn a_newer_history_is_not_touched() {
    let folder = tempfile::tempdir().expect("a folder");
    let path: &Path = &folder.path().join("scans.db");
    drop(History::open(path, "scans.db").expect("made"));
    let connection = Connection::open(path).expect("open");
    connection.pragma_update(None, "user_version", 99).expect("set");
    assert!(matches!(History::open(path, "scans.db"), Err(HistoryError::Newer(_, 99, 1))));
}

#[test]
fn a_history_is_shown_scan_by_scan_and_week_by_week() {
    let place = Project::new("[metrics.coverage]\nmin = 90\n");
    let output = place.run(DAY, &["history"]);
    assert_eq!(code(&output), Some(2));
    assert!(said(&output).contains("error: there is no history `kept/scans.db`\n"), "{}", said(&output));
    place.run(DAY, &["check"]);
    place.write("more.py", "x = 1\n");
    place.run(DAY + 3600, &["check"]);
    place.write("app.py", &MODELS.replace("Order()", "Order(created_at=datetime.now())"));
    place.run(DAY + 14 * 86_400, &["check"]);
    let shown = |arguments: &[&str]| {
        let output = place.run(DAY, arguments);
        assert_eq!(code(&output), Some(0), "{}", said(&output));
        String::from_utf8(output.stdout).expect("text")
    };
    let human = shown(&["history", "--weekly"]);
    let lines: Vec<Vec<&str>> = human.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["."]);
    assert_eq!(lines[2][..2], ["2025-11-24", "2025-11-26T13:00:00Z"], "{human}");
    assert_eq!(lines[2][4..], ["2", "50.0", "%", "1", "0"]);
    assert_eq!(lines[3], ["2025-12-01", "no", "scan"]);
    assert_eq!(lines[4][4..], ["2", "(=)", "100.0", "%", "(+50.0)", "0", "(-1)", "0", "(=)"]);
    assert_eq!(lines.len(), 5, "the last scan is within range: {human}");
    assert_eq!(shown(&["history"]).lines().count(), 5);
    assert_eq!(shown(&["history", "--last", "1"]).lines().count(), 3);
    let csv = shown(&["history", "--format", "csv"]);
    assert_eq!(csv.lines().filter(|line| line.contains(",coverage,")).count(), 3);
    assert!(csv.contains(",coverage,,50,2,90,,0,outside\n"), "{csv}");
    assert!(shown(&["history", "--format", "markdown"]).contains("| 2025-12-08 to 2025-12-14 |"));
    assert!(shown(&["history", "--format", "json"]).contains("\"schema_version\": 1"));
}

#[test]
fn the_report_takes_its_history_from_there() {
    let place = Project::new("");
    place.run(DAY, &["check"]);
    place.write("app.py", &MODELS.replace("Order()", "Order(created_at=datetime.now())"));
    let output = place.run(DAY + 86_400, &["report"]);
    assert_eq!(code(&output), Some(0), "{}", said(&output));
    let text = String::from_utf8(output.stdout).expect("text");
    let changes = text.split("## Change history").nth(1).expect("a section");
    assert!(changes.contains("2025-11-26T12:00:00Z"), "{changes}");
    assert_eq!(place.entries().len(), 2);
    let runs = text.split("## Runs").nth(1).expect("a section");
    assert_eq!(runs.lines().filter(|line| line.starts_with("| `")).count(), 2, "{runs}");
}
