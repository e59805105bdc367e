//! cache: what was found before is taken instead of finding it anew, and nobody can tell by the output.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::small::placed::Place;

/// A model and two functions that write it; the first one leaves a stamp out.
const CODE: &str = "\
from datetime import datetime
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Base(DeclarativeBase): ...

class Job(Base):
    __tablename__ = 'jobs'
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    created_at: Mapped[datetime]

def make(db):
    db.add(Job(name='a'))
    db.commit()

def make_well(db):
    db.add(Job(name='b', created_at=datetime.now()))
    db.commit()
";

const FORMATS: [&str; 10] =
    ["human", "concise", "json", "jsonl", "sarif", "github", "gitlab", "junit", "markdown", "html"];

/// A call of the program that keeps what it finds in the folder `kept` beside the current directory.
fn command(current: &Path, kept: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trailcheck"));
    command.current_dir(current).args(words);
    command.env_remove("TRAILCHECK_NO_CACHE").env("TRAILCHECK_CACHE_DIR", kept);
    // A report says how long the scan took, unless the time of the run is given.
    command.env("SOURCE_DATE_EPOCH", "1767225600");
    command
}

fn output(mut command: Command) -> Output {
    command.output().expect("the program runs")
}

/// All that a call says, and how it ends.
fn said(command: Command) -> (Option<i32>, String, String) {
    let output = output(command);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// A project of one file, and a folder beside it for what is kept.
struct Project {
    place: Place,
    kept: PathBuf,
}

impl Project {
    fn new() -> Project {
        let place = Place::new();
        place.write("app/jobs.py", CODE);
        place.write("app/other.py", "x = 1\n");
        let kept = place.path("kept");
        Project { place, kept }
    }

    fn check(&self, words: &[&str]) -> (Option<i32>, String, String) {
        self.run(&[&["check", "--format", "json"], words].concat())
    }

    fn run(&self, words: &[&str]) -> (Option<i32>, String, String) {
        said(command(&self.place.path("app"), &self.kept, words))
    }

    /// The rules that find something, as a check says it and as it would be without what is kept.
    fn found(&self) -> Vec<String> {
        let (with, without) = (self.check(&[]), self.check(&["--no-cache"]));
        assert_eq!(with, without);
        let report: serde_json::Value = serde_json::from_str(&with.1).expect("JSON");
        let files = report["files"].as_array().into_iter().flatten();
        let findings = files.flat_map(|file| file["findings"].as_array().into_iter().flatten());
        findings.map(|finding| finding["rule"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// The entries that are kept.
    fn entries(&self) -> Vec<PathBuf> {
        let listed = fs::read_dir(&self.kept).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut entries: Vec<PathBuf> =
            listed.filter(|path| path.extension().is_some_and(|ending| ending == "trailcheck")).collect();
        entries.sort();
        entries
    }
}

#[test]
fn every_format_says_the_same_with_and_without() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let kept = tempfile::tempdir().expect("a folder");
    let some = &FORMATS[2..3];
    for (folder, formats) in [("fixtures/orders-fastapi", &FORMATS[..]), ("fixtures/helpdesk-django", some)] {
        for format in formats {
            let words = ["check", "--format", *format, folder, "--statistics"];
            let run = |more: &[&str]| said(command(root, kept.path(), &[&words[..], more].concat()));
            let without = run(&["--no-cache"]);
            // The first of the formats finds nothing that is kept.
            assert_eq!(run(&[]), without, "{folder} as {format}");
            assert_eq!(run(&[]), without, "{folder} as {format} once more");
        }
        for words in [["inventory", folder], ["suppressions", folder], ["report", folder]] {
            let run = |more: &[&str]| said(command(root, kept.path(), &[&words[..], more].concat()));
            assert_eq!(run(&[]), run(&["--no-cache"]), "{words:?}");
        }
        let words = ["check", folder, "--diff", "--unsafe-fixes"];
        let run = |more: &[&str]| said(command(root, kept.path(), &[&words[..], more].concat()));
        assert_eq!(run(&[]), run(&["--no-cache"]), "{words:?}");
    }
}

#[test]
fn what_is_kept_is_what_is_said() {
    // An entry that is exchanged for another one's content is no entry, so what is said can only come from where it should.
    let project = Project::new();
    let first = project.check(&[]);
    let entries = project.entries();
    assert!(!entries.is_empty(), "something is kept");
    let before: Vec<Vec<u8>> = entries.iter().map(|path| fs::read(path).expect("it can be read")).collect();
    assert_eq!(project.check(&[]), first);
    assert_eq!(project.entries(), entries, "nothing more is kept for the same");
    let after: Vec<Vec<u8>> = entries.iter().map(|path| fs::read(path).expect("it can be read")).collect();
    assert_eq!(before, after);
    for sign in ["CACHEDIR.TAG", ".gitignore"] {
        assert!(project.kept.join(sign).is_file(), "{sign}");
    }
}

#[test]
fn whatever_changes_is_seen() {
    let project = Project::new();
    let missing = ["missing-created-at"];
    assert_eq!(project.found(), missing);
    let stamped = CODE.replace("Job(name='a')", "Job(name='a', created_at=datetime.now())");
    project.place.write("app/jobs.py", &stamped);
    assert_eq!(project.found(), [""; 0], "an edit");
    project.place.write("app/jobs.py", CODE);
    assert_eq!(project.found(), missing, "and back");
    project.place.write("app/trailcheck.toml", "[rules.missing-created-at]\nseverity = 'off'\n");
    assert_eq!(project.found(), [""; 0], "the configuration");
    fs::remove_file(project.place.path("app/trailcheck.toml")).expect("it is there");
    assert_eq!(project.found(), missing);
    let ignored = project.check(&["--ignore", "fields"]);
    assert_eq!(ignored, project.check(&["--ignore", "fields", "--no-cache"]), "what is asked for");
    assert_eq!(ignored.0, Some(0));
    fs::rename(project.place.path("app/jobs.py"), project.place.path("app/test_jobs.py")).expect("it moves");
    assert_eq!(project.found(), [""; 0], "a path");
    project.place.write("app/other.py", CODE);
    assert_eq!(project.found(), missing, "another file");
}

#[test]
fn what_comes_beside_files_counts_for_their_program_only() {
    let place = Place::new();
    for project in ["one", "two"] {
        place.write(&format!("{project}/setup.py"), "");
        place.write(&format!("{project}/app/jobs.py"), CODE);
    }
    let kept = place.path("kept");
    let check = |words: &[&str]| {
        let words = [&["check", "--format", "json", "one", "two"], words].concat();
        said(command(&place.path(""), &kept, &words))
    };
    let entries = || fs::read_dir(&kept).expect("a folder").count();
    let before = check(&[]);
    let first = entries();
    place.write("one/app/rows.csv", "");
    assert_eq!(check(&[]), before);
    assert_eq!(entries(), first + 1, "the other project's findings are those that were kept");
    assert_eq!(check(&["--no-cache"]), before);
}

#[test]
fn a_day_counts_where_a_suppression_has_one() {
    let project = Project::new();
    let ignored = CODE.replace(
        "Job(name='a'))",
        "Job(name='a'))  # trailcheck: ignore[missing-created-at] reason=\"later\" owner=@us until=2026-06-01",
    );
    project.place.write("app/jobs.py", &ignored);
    let on = |second: &str, more: &[&str]| {
        let words = [&["check", "--format", "json"], more].concat();
        let mut command = command(&project.place.path("app"), &project.kept, &words);
        command.env("SOURCE_DATE_EPOCH", second);
        said(command)
    };
    // New year, the last day, and the one behind it.
    for (second, is_over) in [("1767225600", false), ("1780358399", false), ("1780358400", true)] {
        for _ in 0..2 {
            let with = on(second, &[]);
            assert_eq!(with, on(second, &["--no-cache"]), "{second}");
            assert_eq!(with.1.contains("expired-suppression"), is_over, "{second}");
        }
    }
}

#[test]
fn a_baseline_and_what_it_accepts_count() {
    let project = Project::new();
    assert_eq!(project.run(&["baseline", "create"]).0, Some(0));
    let against = ["--baseline", "trailcheck-baseline.json"];
    for _ in 0..2 {
        let held = project.check(&against);
        assert_eq!(held.0, Some(0));
        assert_eq!(held, project.check(&[&against[..], &["--no-cache"]].concat()));
        assert_eq!(project.check(&[]).0, Some(1), "and without it nothing is accepted");
    }
    project.place.write(
        "app/trailcheck-baseline.json",
        "{\"schema_version\": 1, \"roots\": [\".\"], \"findings\": []}",
    );
    assert_eq!(project.check(&against), project.check(&[&against[..], &["--no-cache"]].concat()));
}

#[test]
fn what_is_no_entry_is_made_anew() {
    let project = Project::new();
    let first = project.check(&[]);
    let entries = project.entries();
    let whole: Vec<Vec<u8>> = entries.iter().map(|path| fs::read(path).expect("it can be read")).collect();
    let spoil = |how: &str, spoiled: &dyn Fn(&[u8]) -> Vec<u8>| {
        for (path, bytes) in entries.iter().zip(&whole) {
            fs::write(path, spoiled(bytes)).expect("it can be written");
        }
        assert_eq!(project.check(&[]), first, "{how}");
        let now: Vec<Vec<u8>> = entries.iter().map(|path| fs::read(path).expect("it can be read")).collect();
        assert_eq!(now, whole, "{how}: it is there again");
    };
    spoil("empty", &|_| Vec::new());
    spoil("foreign", &|_| b"SQLite format 3\0 and so on".to_vec());
    spoil("cut", &|bytes| bytes[..bytes.len() - 1].to_vec());
    spoil("half", &|bytes| bytes[..bytes.len() / 2].to_vec());
    spoil("longer", &|bytes| [bytes, b"more"].concat());
    spoil("of a newer format", &|bytes| [&bytes[..8], &[9, 9, 9, 9], &bytes[12..]].concat());
    spoil("another byte", &|bytes| {
        let mut bytes = bytes.to_vec();
        let at = bytes.len() - 5;
        bytes[at] ^= 0x40;
        bytes
    });
    for (path, _) in entries.iter().zip(&whole) {
        fs::remove_file(path).expect("it is there");
        fs::create_dir(path).expect("a folder can be made");
    }
    let (code, stdout, stderr) = project.check(&[]);
    assert_eq!((code, &stdout), (first.0, &first.1), "a folder in the place of an entry");
    assert!(stderr.contains("nothing is kept in the cache"), "{stderr}");
}

#[test]
fn a_folder_that_cannot_be_written_is_said_once_and_is_no_failure() {
    let project = Project::new();
    let without = project.check(&["--no-cache"]);
    // A file stands where the folder should be, which no permission helps.
    project.place.write("kept", "a file\n");
    let (code, stdout, stderr) = project.check(&[]);
    assert_eq!((code, stdout), (without.0, without.1));
    assert_eq!(stderr.matches("nothing is kept in the cache").count(), 1, "{stderr}");
    assert_eq!(fs::read_to_string(&project.kept).expect("it is there"), "a file\n");
}

#[cfg(unix)]
#[test]
fn no_link_of_a_scanned_project_is_followed_out_of_it() {
    use std::os::unix::fs::symlink;
    let project = Project::new();
    let without = project.check(&["--no-cache"]);
    let elsewhere = tempfile::tempdir().expect("a folder");
    symlink(elsewhere.path(), project.place.path("app/link")).expect("a link");
    for folder in ["link", "link/below"] {
        let (code, stdout, stderr) = project.check(&["--cache-dir", folder]);
        assert_eq!((code, &stdout), (without.0, &without.1));
        assert!(stderr.contains("a link leads out of"), "{stderr}");
    }
    assert_eq!(fs::read_dir(elsewhere.path()).expect("it is there").count(), 0, "nothing was written there");
}

#[test]
fn a_folder_that_is_committed_is_not_believed() {
    let project = Project::new();
    let app = project.place.path("app");
    let git = |words: &[&str]| {
        let mut command = Command::new("git");
        command.current_dir(&app).args(["-c", "user.name=a", "-c", "user.email=a@b.c"]).args(words);
        let output = output(command);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    git(&["init", "-q"]);
    let inside = ["--cache-dir", ".kept"];
    let first = project.check(&inside);
    assert_eq!(project.check(&inside), first, "a folder that git does not track is as good as any");
    git(&["add", "--force", "."]);
    let (code, stdout, stderr) = project.check(&inside);
    assert_eq!((code, stdout), (first.0, first.1));
    assert!(stderr.contains("git tracks files in it"), "{stderr}");
}

#[test]
fn two_at_once_do_not_mind_each_other() {
    let project = Project::new();
    let first = project.check(&["--no-cache"]);
    for _ in 0..3 {
        let started: Vec<_> = (0..4)
            .map(|_| {
                let words = ["check", "--format", "json"];
                let mut command = command(&project.place.path("app"), &project.kept, &words);
                command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
                command.spawn().expect("the program runs")
            })
            .collect();
        for child in started {
            let output = child.wait_with_output().expect("the program ends");
            assert_eq!(output.status.code(), first.0);
            assert_eq!(String::from_utf8_lossy(&output.stdout), first.1);
            assert_eq!(String::from_utf8_lossy(&output.stderr), first.2);
        }
        project.entries().iter().for_each(|path| fs::remove_file(path).expect("it is there"));
    }
    let left = fs::read_dir(&project.kept).expect("it is there").count();
    assert_eq!(left, 2, "only the signs are left");
}

#[test]
fn clean_takes_away_what_was_kept_and_nothing_else() {
    let project = Project::new();
    project.check(&[]);
    project.place.write("kept/mine.txt", "mine\n");
    let (code, stdout, _) = project.run(&["clean"]);
    assert_eq!(code, Some(0));
    assert!(stdout.contains(" files, 0.0 MB, taken away from "), "{stdout}");
    assert!(project.entries().is_empty() && project.kept.join("mine.txt").is_file());
    assert!(project.run(&["clean"]).1.starts_with("0 files"));
}

#[test]
fn by_default_it_lies_with_the_user() {
    let project = Project::new();
    let mut command = command(&project.place.path("app"), &project.kept, &["check", "--verbose"]);
    let home = project.place.path("home");
    command.env_remove("TRAILCHECK_CACHE_DIR").env("XDG_CACHE_HOME", &home);
    let (_, _, stderr) = said(command);
    assert!(stderr.contains("cache: "), "{stderr}");
    #[cfg(not(windows))]
    assert!(home.join("trailcheck/CACHEDIR.TAG").is_file());
    assert!(project.entries().is_empty());
    let names: Vec<_> = fs::read_dir(project.place.path("app")).expect("it is there").flatten().collect();
    assert_eq!(names.len(), 2, "nothing is written into the project");
}

#[test]
fn a_text_from_stdin_is_not_kept() {
    let project = Project::new();
    let mut command = command(&project.place.path("app"), &project.kept, &["check", "-"]);
    command.stdin(fs::File::open(project.place.path("app/jobs.py")).expect("it is there"));
    assert_eq!(output(command).status.code(), Some(1));
    assert!(!project.kept.exists());
}
