//! changed: what `check --changed` says in repositories of git: just what a change has brought, whatever its paths are
//! called, and a clear word where git cannot answer.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A service with one write that leaves out its times, in a folder of its own.
const MODELS: &str = "\
from datetime import datetime

from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Job(Base):
    __tablename__ = 'jobs'
    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str]
    created_at: Mapped[datetime]
";

const OLD: &str = "\
from models import Job


def enqueue(db):
    db.add(Job(state='old'))
    db.commit()
";

#[test]
fn only_what_is_not_committed_is_reported() {
    let place = Place::new("uncommitted");
    place.write("models.py", MODELS);
    place.write("desk.py", OLD);
    place.commit("first");
    assert_eq!(place.changed(&[]), (0, vec![]));
    // A change of another line, one of the same function, and a new function.
    place.write(
        "desk.py",
        &OLD.replace("commit()", "flush()").replace("def enqueue", "# a note\n\n\ndef enqueue"),
    );
    assert_eq!(place.changed(&[]), (0, vec![]));
    place.write(
        "desk.py",
        &format!("{OLD}\n\ndef again(db):\n    db.add(Job(state='new'))\n    db.commit()\n"),
    );
    assert_eq!(place.changed(&[]), (1, vec!["desk.py:10: missing-created-at".to_owned()]));
    // What git does not know yet is new as well.
    place.write("desk.py", OLD);
    place.write("fresh.py", &OLD.replace("enqueue", "hire"));
    assert_eq!(place.changed(&[]), (1, vec!["fresh.py:5: missing-created-at".to_owned()]));
    place.commit("second");
    assert_eq!(place.changed(&[]), (0, vec![]));
    assert_eq!(place.changed(&["HEAD~1"]).1, ["fresh.py:5: missing-created-at"]);
}

#[test]
fn what_a_change_brings_elsewhere_is_reported() {
    let place = Place::new("elsewhere");
    let helper = "from datetime import datetime\n\n\ndef stamp(job):\n    job.created_at = datetime.now()\n";
    let desk = "\
from helper import stamp
from models import Job


def enqueue(db):
    job = Job(state='old')
    stamp(job)
    db.add(job)
    db.commit()
";
    place.write("models.py", MODELS);
    place.write("helper.py", helper);
    place.write("desk.py", desk);
    place.commit("first");
    assert_eq!(place.check(&["check"]).status.code(), Some(0));
    place.write("helper.py", "def stamp(job):\n    return job\n");
    assert_eq!(place.changed(&[]), (1, vec!["desk.py:6: missing-created-at".to_owned()]));
}

#[test]
fn moves_and_new_names_bring_nothing() {
    let place = Place::new("moved");
    place.write("models.py", MODELS);
    place.write("desk.py", OLD);
    place.commit("first");
    place.remove("desk.py");
    place.write("office/counter.py", OLD);
    assert_eq!(place.changed(&[]), (0, vec![]), "a file of another name");
    place.write("desk.py", &OLD.replace("def enqueue", "def hire"));
    place.remove("office/counter.py");
    assert_eq!(place.changed(&[]), (0, vec![]), "a function of another name");
    place.write("desk.py", &OLD.replace('\n', "\r\n"));
    assert_eq!(place.changed(&[]), (0, vec![]), "line ends of another system");
    place.write("desk.py", &OLD.replace("state='old'", "state='late'"));
    assert_eq!(place.changed(&[]).0, 1, "the write itself was touched");
}

#[test]
fn a_suppression_that_goes_brings_its_finding() {
    let place = Place::new("suppressed");
    place.write("models.py", MODELS);
    let excuse = "# trailcheck: ignore[missing-created-at] reason=\"a trigger\"";
    place.write("desk.py", &OLD.replace("'old'))", &format!("'old'))  {excuse}")));
    place.commit("first");
    assert_eq!(place.changed(&[]), (0, vec![]));
    place.write("desk.py", OLD);
    assert_eq!(place.changed(&[]), (1, vec!["desk.py:5: missing-created-at".to_owned()]));
}

#[test]
fn a_revision_is_compared_where_it_parted() {
    let place = Place::new("parted");
    place.write("models.py", MODELS);
    place.commit("first");
    place.git(&["branch", "-m", "main"]);
    place.git(&["checkout", "-q", "-b", "feature"]);
    place.write("mine.py", OLD);
    place.commit("mine");
    place.git(&["checkout", "-q", "main"]);
    place.write("theirs.py", OLD);
    place.commit("theirs");
    place.git(&["checkout", "-q", "feature"]);
    assert_eq!(place.changed(&["main"]), (1, vec!["mine.py:5: missing-created-at".to_owned()]));
}

#[test]
fn paths_may_hold_anything() {
    let place = Place::new("strange names");
    let odd = ["two words/a'b.py", "é/\"q\".py", "tab\there/x.py", "-x.py"];
    place.write("models.py", MODELS);
    for path in odd {
        place.write(path, OLD);
    }
    place.commit("first");
    assert_eq!(place.changed(&[]), (0, vec![]));
    for path in odd {
        place.write(
            path,
            &format!("{OLD}\n\ndef again(db):\n    db.add(Job(state='new'))\n    db.commit()\n"),
        );
    }
    let (code, found) = place.changed(&[]);
    assert_eq!((code, found.len()), (1, odd.len()), "{found:?}");
    assert!(found.iter().all(|line| line.contains(":10: ")), "{found:?}");
    // From a folder inside, and with a path.
    let inside = place.run(
        &place.folder.join("two words"),
        &["check", ".", "../models.py", "--changed", "--format", "concise", "-q"],
    );
    let text = String::from_utf8_lossy(&inside.stdout).into_owned();
    assert!(text.starts_with("a'b.py:10:"), "{text}{}", String::from_utf8_lossy(&inside.stderr));
    assert_eq!(text.lines().count(), 1);
}

#[test]
fn hooks_do_not_send_git_elsewhere() {
    let (place, other) = (Place::new("hook"), Place::new("other"));
    place.write("models.py", MODELS);
    place.write("desk.py", OLD);
    place.commit("first");
    other.write("x.py", "");
    other.commit("first");
    let output = place
        .command(&place.folder, &["check", "--changed", "--format", "concise", "-q"])
        .env("GIT_DIR", other.folder.join(".git"))
        .env("GIT_INDEX_FILE", "nowhere")
        .env("GIT_EXTERNAL_DIFF", "false")
        .output()
        .expect("the program runs");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn what_git_cannot_answer_is_said() {
    let said = |place: &Place, words: &[&str]| {
        let output = place.check(&[&["check"], words].concat());
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let place = Place::new("faults");
    place.write("a.py", "");
    assert!(said(&place, &["--changed"]).contains("no commit yet"));
    place.commit("first");
    for revision in ["gone", "--changed=--output=x", "--changed=-x", "--changed=HEAD:a.py"] {
        let words = if revision.starts_with('-') { vec![revision] } else { vec!["--changed", revision] };
        let text = said(&place, &words);
        assert!(text.contains("git knows no revision") && text.contains("help: "), "{text}");
    }
    assert!(!place.folder.join("x").exists());
    assert!(said(&place, &["-", "--changed"]).contains("not stdin"));
    // A clone that ends before the two meet.
    place.git(&["branch", "-m", "main"]);
    place.git(&["checkout", "-q", "--orphan", "alone"]);
    place.write("b.py", "");
    place.commit("alone");
    assert!(said(&place, &["--changed", "main"]).contains("no commit in common"));
    place.git(&["checkout", "-q", "main"]);
    place.write("c.py", "");
    place.commit("more");
    let shallow = Place::new("shallow");
    let from = format!("file://{}", place.folder.display());
    shallow.git(&["pull", "-q", "--depth", "1", &from, "main"]);
    assert!(said(&shallow, &["--changed", "HEAD~1"]).contains("git fetch --unshallow"));
    // A folder without git; the temporary folder lies in none.
    let bare = Place::bare("no git");
    bare.write("a.py", "");
    let text = said(&bare, &["--changed"]);
    assert!(text.contains("lies in no git repository") && text.contains("help: "), "{text}");
}

/// A folder of its own with a repository in it, gone when the test is over.
struct Place {
    folder: PathBuf,
    _keep: tempfile::TempDir,
}

impl Place {
    fn new(name: &str) -> Place {
        let place = Place::bare(name);
        place.git(&["init", "-q"]);
        place
    }

    fn bare(name: &str) -> Place {
        let keep = tempfile::tempdir().expect("a folder can be made");
        let folder = keep.path().join(name);
        fs::create_dir(&folder).expect("a folder can be made");
        Place { folder: fs::canonicalize(folder).expect("it is there"), _keep: keep }
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.folder.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder can be made");
        fs::write(path, text).expect("a file can be written");
    }

    fn remove(&self, path: &str) {
        fs::remove_file(self.folder.join(path)).expect("the file is there");
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", message]);
    }

    fn git(&self, words: &[&str]) {
        let output = Command::new("git")
            .current_dir(&self.folder)
            .args(["-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "commit.gpgsign=false"])
            .args(words)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .output()
            .expect("git runs");
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn command(&self, folder: &Path, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trailcheck"));
        command.current_dir(folder).args(words).env("NO_COLOR", "1");
        command
    }

    fn run(&self, folder: &Path, words: &[&str]) -> Output {
        self.command(folder, words).output().expect("the program runs")
    }

    fn check(&self, words: &[&str]) -> Output {
        self.run(&self.folder, words)
    }

    /// The exit code of `check --changed`, and what it finds as `path:line: rule`.
    fn changed(&self, revision: &[&str]) -> (i32, Vec<String>) {
        let words = [&["check", "--format", "concise", "-q", "--changed"], revision].concat();
        let output = self.check(&words);
        let line = |line: &str| {
            let (place, rest) = line.split_once(": ").expect("a place");
            let place = place.rsplit_once(':').expect("a column").0;
            let rule = rest.split(['[', ']']).nth(1).expect("a rule");
            format!("{place}: {rule}")
        };
        let found = String::from_utf8_lossy(&output.stdout).lines().map(line).collect();
        (output.status.code().expect("it ends"), found)
    }
}
