//! reports: the audit report of a small service as a user makes and checks it, and what makes one untrue.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::small::placed::Place;

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
    updated_at: Mapped[datetime]
";

const SERVICE: &str = "\
from datetime import datetime
import logging

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.models import Job

logger = logging.getLogger(__name__)


class Jobs:
    def __init__(self, db: Session):
        self.db = db

    def add(self, state: str) -> Job:
        try:
            job = Job(state=state, created_at=datetime.now(), updated_at=datetime.now())
            self.db.add(job)
            self.db.flush()
        except IntegrityError:
            self.db.rollback()
            logger.exception('not added')
            raise
        return job

    def close(self, job_id: int) -> None:
        job = self.db.get(Job, job_id)
        job.state = 'closed'
        self.db.flush()

    def forget(self, job_id: int) -> None:
        job = self.db.get(Job, job_id)
        self.db.delete(job)
        self.db.flush()
";

const TESTS: &str = "\
from app.jobs import Jobs


def test_add(db):
    assert Jobs(db).add('new').state == 'new'
";

/// A project in a folder of its own.
struct Project(Place);

impl Project {
    fn new() -> Project {
        let project = Project(Place::new());
        for (path, text) in [
            ("app/__init__.py", ""),
            ("app/models.py", MODELS),
            ("app/jobs.py", SERVICE),
            ("tests/test_jobs.py", TESTS),
            ("left/out.py", "x = 1\n"),
            (
                "trailcheck.toml",
                "# how we work\nexclude = ['left']\n[[priority]]\nlevel = 'low'\npaths = ['app/**']\n",
            ),
            (".github/CODEOWNERS", "* @all\n/app/ @jobs # the team\n"),
        ] {
            project.0.write(path, text);
        }
        project
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.0.path(path)).expect("the file is there")
    }

    fn run(&self, words: &[&str]) -> Output {
        self.0.command(words).env("SOURCE_DATE_EPOCH", "1767225600").output().expect("the program starts")
    }

    fn report(&self, words: &[&str]) -> String {
        let run = self.run(&[&["report"], words].concat());
        assert_eq!(run.status.code(), Some(0), "{}", String::from_utf8_lossy(&run.stderr));
        String::from_utf8(run.stdout).expect("a report is UTF-8")
    }

    /// How a check of a report ends, and what it says has changed.
    fn verify(&self, report: &str) -> (Option<i32>, Vec<String>) {
        let run = self.run(&["verify", report]);
        let said = String::from_utf8(run.stdout).expect("UTF-8");
        let changed = said.lines().filter(|line| line.contains("changed: "));
        let words = changed.filter_map(|line| line.split_whitespace().next().map(str::to_owned));
        (run.status.code(), words.collect())
    }
}

fn holds() -> (Option<i32>, Vec<String>) {
    (Some(0), Vec::new())
}

fn differs(parts: &[&str]) -> (Option<i32>, Vec<String>) {
    (Some(1), parts.iter().map(|&part| part.to_owned()).collect())
}

#[test]
fn a_report_holds_until_a_byte_changes() {
    let project = Project::new();
    for format in ["markdown", "html"] {
        assert!(project.report(&["--format", format, "--output", "audit.out"]).is_empty());
        assert_eq!(project.verify("audit.out"), holds());
        // A space behind a comment changes the tree and nothing that is found.
        project.0.write("app/models.py", &format!("{MODELS}\n"));
        assert_eq!(project.verify("audit.out"), differs(&["tree"]));
        project.0.write("app/models.py", MODELS);
        assert_eq!(project.verify("audit.out"), holds());
        let mended =
            SERVICE.replace("job.state = 'closed'", "job.state = 'closed'; job.updated_at = datetime.now()");
        project.0.write("app/jobs.py", &mended);
        assert_eq!(project.verify("audit.out"), differs(&["tree", "findings"]));
        project.0.write("app/jobs.py", SERVICE);
    }
}

#[test]
fn a_file_more_or_less_is_another_tree() {
    let project = Project::new();
    project.report(&["app", "--output", "audit.md"]);
    project.0.write("app/more.py", "");
    assert_eq!(project.verify("audit.md"), differs(&["tree"]));
    fs::remove_file(project.0.path("app/more.py")).expect("it can be removed");
    // What lies outside the roots is none of the report's business.
    project.0.write("more.py", "x = 1\n");
    assert_eq!(project.verify("audit.md"), holds());
}

#[test]
fn settings_count_by_what_they_say() {
    let project = Project::new();
    project.report(&["--output", "audit.md"]);
    project.0.write(
        "trailcheck.toml",
        "exclude = [ 'left' ]\n[[priority]]\npaths = ['app/**'] # all of it\nlevel = 'low'\n",
    );
    assert_eq!(project.verify("audit.md"), holds(), "comments and layout say nothing");
    project
        .0
        .write("trailcheck.toml", "exclude = ['left']\n[[priority]]\nlevel = 'low'\npaths = ['app/*']\n");
    assert_eq!(project.verify("audit.md"), differs(&["configuration"]));
}

#[test]
fn the_command_line_is_part_of_a_report() {
    let project = Project::new();
    project.0.write("other.toml", "covered-by-default = 'allow'\n");
    for words in [
        vec!["app", "tests", "--ignore", "meta,hard-delete"],
        vec!["--select", "fields", "app/jobs.py"],
        vec!["--config", "other.toml"],
        vec!["--isolated"],
    ] {
        let words = [words, vec!["--output", "audit.md"]].concat();
        project.report(&words);
        assert_eq!(project.verify("audit.md"), holds(), "{words:?}");
    }
}

#[test]
fn a_report_that_somebody_edits_is_not_what_it_was() {
    let project = Project::new();
    project.report(&["--output", "audit.md"]);
    let text = project.read("audit.md");
    project.0.write("audit.md", &text.replace("❌ Has Issues", "✅ Compliant"));
    assert_eq!(project.verify("audit.md"), differs(&["text"]));
    project.0.write("audit.md", &text.replace('\n', "\r\n"));
    assert_eq!(project.verify("audit.md"), holds(), "line ends say nothing");
    project.0.write("audit.md", &text.replace("tree = \"sha256:", "tree = \"sha256:0"));
    assert_eq!(project.verify("audit.md"), differs(&["tree", "text"]));
}

#[test]
fn check_writes_the_same_seal() {
    let project = Project::new();
    let run = project.run(&["check", "--output", "markdown=audit.md", "--output", "html=audit.html", "-q"]);
    assert_eq!(run.status.code(), Some(1));
    assert_eq!(project.verify("audit.md"), holds());
    assert_eq!(project.verify("audit.html"), holds());
}

#[test]
fn a_baseline_is_part_of_what_is_checked() {
    let project = Project::new();
    project.run(&["baseline", "create", "--baseline", "accepted.json"]);
    let text = project.report(&["--baseline", "accepted.json"]);
    assert!(text.contains("The baseline `accepted.json` accepts 1 finding of this scan."), "{text}");
    assert!(text.contains("(in the baseline)"));
    project.report(&["--baseline", "accepted.json", "--output", "audit.md"]);
    assert_eq!(project.verify("audit.md"), holds());
    let run = project.run(&["check", "--baseline", "accepted.json", "--output", "markdown=check.md", "-q"]);
    assert_eq!((run.status.code(), project.verify("check.md")), (Some(0), holds()));
    let accepted = project.read("accepted.json");
    project.0.write("accepted.json", &accepted.replace("missing-updated-at", "hard-delete"));
    assert_eq!(project.verify("audit.md"), differs(&["configuration", "findings"]));
}

#[test]
fn what_is_no_report_is_told() {
    let project = Project::new();
    for (name, text) in
        [("x.md", "# Hello\n"), ("y.md", ""), ("z.md", "```toml\ntrailcheck = 1\ntext = 2\n```\n")]
    {
        project.0.write(name, text);
        let run = project.run(&["verify", name]);
        assert_eq!((run.status.code(), run.stdout.len()), (Some(2), 0), "{name}");
        assert!(String::from_utf8_lossy(&run.stderr).contains(name), "the file is named");
    }
    assert_eq!(project.run(&["verify", "gone.md"]).status.code(), Some(2));
}

#[test]
fn the_report_says_what_the_project_is() {
    let project = Project::new();
    let text = project.report(&[]);
    let has = |wanted: &str| assert!(text.contains(wanted), "{wanted:?} is not in:\n{text}");
    has("Scanned `.` on 2026-01-01");
    has("| Low | 1 | 0 | 1 |");
    has("**Testing**: ✅ Create | ❌ Update | ❌ Delete | ❌ Error Cases");
    has("Configuration: `trailcheck.toml`. It leaves out 1 file. All ");
    has("As `.github/CODEOWNERS` says.");
    has("| `@jobs` | 1 | 0 | 1 |");
    has("- [x] All services have correct imports — no findings");
    has("- [ ] All update operations set the update time explicitly — 0 of 1 set, 1 missing");
    has("| `2026-01-01` | `.` | — | 1 | 0 |");
    assert_eq!(text, project.report(&["--threads", "1"]), "same input, same bytes");
}

#[test]
fn a_coverage_file_says_what_tests_ran() {
    let project = Project::new();
    let line =
        |wanted: &str| 1 + SERVICE.lines().position(|line| line.contains(wanted)).expect("the line is there");
    let (create, update) = (line("job = Job("), line("job.state = 'closed'"));
    let (delete, handler) = (line("db.delete"), line("rollback"));
    project.0.write(
        "coverage.json",
        &format!(
            "{{\"files\": {{\"app/jobs.py\": {{\"executed_lines\": [{create}, {update}], \"missing_lines\": [{delete}, {handler}]}}}}}}"
        ),
    );
    let text = project.report(&["--coverage", "coverage.json"]);
    assert!(text.contains("**Testing**: ✅ Create | ✅ Update | ❌ Delete | ❌ Error Cases"), "{text}");
    assert!(text.contains("by `coverage.json`"));
    project.0.write(
        "lcov.info",
        &format!(
            "SF:/ci/app/jobs.py\nDA:{create},0\nDA:{update},0\nDA:{delete},2\nDA:{handler},1\nend_of_record\n"
        ),
    );
    let text = project.report(&["--coverage", "lcov.info"]);
    assert!(text.contains("**Testing**: ❌ Create | ❌ Update | ✅ Delete | ✅ Error Cases"), "{text}");
    let run = project.run(&["report", "--coverage", "trailcheck.toml"]);
    assert_eq!(run.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&run.stderr).contains("cannot use `trailcheck.toml`"));
}

#[test]
fn history_is_told_since_an_earlier_report() {
    let project = Project::new();
    project.run(&["check", "--output", "json=first.json", "-q"]);
    let text = project.report(&["--since", "first.json"]);
    assert!(text.contains("Since `first.json`: 0 new, 0 fixed, 1 unchanged."), "{text}");
    let mended = SERVICE.replace("job.state = 'closed'", "job.updated_at = datetime.now()");
    let broken = mended
        .replace("updated_at=datetime.now())", ")")
        .replace("        return job\n", "\n\n        return job\n");
    project.0.write("app/jobs.py", &broken);
    let text = project.report(&["--since", "first.json"]);
    assert!(text.contains("Since `first.json`: 1 new, 1 fixed, 0 unchanged."), "{text}");
    assert!(text.contains("| `missing-updated-at` | 1 | 1 | 0 |"));
    let run = project.run(&["report", "--since", "trailcheck.toml"]);
    assert_eq!(run.status.code(), Some(2));
}

#[test]
fn who_wrote_a_line_last_can_own_what_is_found_there() {
    let project = Project::new();
    let git = |words: &[&str]| {
        let ran = Command::new("git").current_dir(project.0.path("")).args(words).output().expect("git runs");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    };
    git(&["init", "-q"]);
    git(&["add", "."]);
    let commit =
        ["-c", "user.name=Ada | L.", "-c", "user.email=ada@x.example", "commit", "-q", "-m", "first"];
    git(&commit);
    let text = project.report(&["--owners", "blame", "app"]);
    assert!(text.contains("As `git blame` says."), "{text}");
    assert!(text.contains("| `Ada ¦ L.` | 1 | 0 | 1 |"), "{text}");
    project.0.write("app/new.py", SERVICE);
    let text = project.report(&["--owners", "blame", "app"]);
    assert!(text.contains("| nobody | 1 | 0 | 1 |"), "nobody wrote what git does not know: {text}");
}

#[test]
fn nothing_to_report_on_is_not_a_clean_report() {
    let project = Project::new();
    fs::create_dir(project.0.path("empty")).expect("a folder can be made");
    assert_eq!(project.run(&["report", "empty"]).status.code(), Some(3));
    assert_eq!(project.run(&["report", "-"]).status.code(), Some(2));
    assert!(!Path::new("empty").exists());
}
