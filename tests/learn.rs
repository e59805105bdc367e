//! learn: what `init` learns of small projects and of the sample services, and the file it writes of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use trailcheck::config::{Configuration, Names, Origin, Search, Settings};
use trailcheck::duty::Duty;
use trailcheck::learn::{self, Learned};
use trailcheck::rulebook::Rulebook;
use trailcheck::scan::{self, Request};
use trailcheck::source::{Language, Source};
use trailcheck::walk::Walked;

fn learned(files: &[(&str, &str)]) -> Learned {
    let source = |&(path, text): &(&str, &str)| Arc::new(Source::of_text(path, Language::Python, text));
    let walked = Walked { sources: files.iter().map(source).collect(), ..Walked::default() };
    scan::learn(Request::new(walked, &Configuration::default(), &Rulebook::built_in(), "2026-01-15")).0
}

/// The settings that a written file makes; a file that the program cannot read back fails the test.
fn read_back(text: &str) -> Settings {
    let read = |path: &Path| Ok((path == Path::new("/w/trailcheck.toml")).then(|| text.to_owned()));
    let (here, folders) = (Path::new("/w"), [PathBuf::from("/w")]);
    let names = Names { rules: Vec::new() };
    let origin = Origin::File(Path::new("/w/trailcheck.toml"));
    let search = Search { origin, here, roots: &folders, folders: &folders, names: &names, read: &read };
    match Configuration::find(&search) {
        Ok(configuration) => configuration.root().clone(),
        Err(fault) => panic!("{fault}\n{text}"),
    }
}

fn fields(learned: &Learned, duty: Duty) -> Vec<&str> {
    learned.words.roles[duty.index()].names.iter().map(|seen| seen.name.as_str()).collect()
}

fn passed_over(learned: &Learned, duty: Duty) -> Vec<&str> {
    learned.words.roles[duty.index()].others.iter().map(|seen| seen.name.as_str()).collect()
}

const HEAD: &str = "\
from datetime import datetime, timezone
from sqlalchemy import Boolean, Column, DateTime, ForeignKey, Integer, String
from sqlalchemy.orm import DeclarativeBase

class Base(DeclarativeBase):
    pass
";

#[test]
fn columns_are_known_by_the_words_of_their_names() {
    let models = format!(
        "{HEAD}
class Stamped:
    angelegt_am = Column(DateTime, default=datetime.utcnow)
    aktualisiert_am = Column(DateTime)
    record_modified_by = Column(String)
    price_changed_at = Column(DateTime)
    created = Column(Boolean)

class Order(Stamped, Base):
    __tablename__ = 'orders'
    id = Column(Integer, primary_key=True)

class Line(Stamped, Base):
    __tablename__ = 'lines'
    id = Column(Integer, primary_key=True)
"
    );
    let learned = learned(&[("app/models.py", &models)]);
    assert_eq!(fields(&learned, Duty::CreatedAt), ["angelegt_am"], "a flag that is called `created` is none");
    assert_eq!(fields(&learned, Duty::UpdatedAt), ["aktualisiert_am"]);
    assert_eq!(fields(&learned, Duty::UpdatedBy), ["record_modified_by"]);
    assert!(fields(&learned, Duty::DeletedAt).is_empty());
}

#[test]
fn columns_are_known_by_what_fills_them_where_many_models_share_them() {
    let mixin = "
class Stamped:
    first_seen = Column(DateTime, default=datetime.utcnow)
    last_seen = Column(DateTime, default=datetime.utcnow, onupdate=datetime.utcnow)
    deactivated_at = Column(DateTime)
    deactivated_by = Column(Integer, ForeignKey('users.id'))
";
    let table = |name: &str| {
        format!(
            "class {name}(Stamped, Base):\n    __tablename__ = '{name}'\n    id = Column(Integer, primary_key=True)\n"
        )
    };
    let all: String = ["Order", "Line", "Customer"].map(table).concat();
    let models = format!("{HEAD}{mixin}{all}");
    let many = learned(&[("app/models.py", &models)]);
    assert_eq!(fields(&many, Duty::CreatedAt), ["first_seen"]);
    assert_eq!(fields(&many, Duty::UpdatedAt), ["last_seen"]);
    assert_eq!(fields(&many, Duty::DeletedAt), ["deactivated_at"]);
    assert_eq!(fields(&many, Duty::DeletedBy), ["deactivated_by"]);

    let models = format!("{HEAD}{mixin}{}", table("Order"));
    let alone = learned(&[("app/models.py", &models)]);
    for duty in Duty::ALL {
        assert!(fields(&alone, duty).is_empty(), "one model shows no convention");
    }
    assert_eq!(passed_over(&alone, Duty::UpdatedAt), ["last_seen"]);
    assert_eq!(passed_over(&alone, Duty::DeletedAt), ["deactivated_at"]);
    let file = learn::file(&alone);
    assert!(file.contains("# deleted-at = [\"deactivated_at\"]"), "{file}");
    assert!(file.contains("# `deactivated_at`: on 1 of 1 models"), "{file}");
}

#[test]
fn what_was_removed_for_certain_leaves_what_was_archived_aside() {
    let table = |name: &str| {
        format!(
            "class {name}(Stamped, Base):\n    __tablename__ = '{name}'\n    id = Column(Integer, primary_key=True)\n"
        )
    };
    let all: String = ["Order", "Line", "Customer"].map(table).concat();
    let mixin = "
class Stamped:
    deleted_at = Column(DateTime)
    archived_at = Column(DateTime)
";
    let learned = learned(&[("app/models.py", &format!("{HEAD}{mixin}{all}"))]);
    assert_eq!(fields(&learned, Duty::DeletedAt), ["deleted_at"]);
    assert_eq!(passed_over(&learned, Duty::DeletedAt), ["archived_at"]);
    assert!(learn::file(&learned).contains("    # \"archived_at\",  # on 3 of 3 models\n"));
}

#[test]
fn a_second_time_that_nothing_fills_is_of_something_else() {
    let models = format!(
        "{HEAD}
class Stamped:
    modified_at = Column(DateTime, onupdate=datetime.utcnow)

class Order(Stamped, Base):
    __tablename__ = 'orders'
    id = Column(Integer, primary_key=True)

class Upload(Stamped, Base):
    __tablename__ = 'uploads'
    id = Column(Integer, primary_key=True)
    last_modified_at = Column(DateTime)
"
    );
    let learned = learned(&[("app/models.py", &models)]);
    assert_eq!(fields(&learned, Duty::UpdatedAt), ["modified_at"]);
    assert_eq!(passed_over(&learned, Duty::UpdatedAt), ["last_modified_at"]);
}

const TRAIL: &str = "
from app.models import Order, Customer, Movement, AuditEntry

def note(db, action, what):
    db.add(AuditEntry(action=action, user='x', entity=what))

def open_order(db):
    order = Order()
    db.add(order)
    note(db, 'opened', order)
    db.commit()

def close_order(db, number):
    order = db.query(Order).get(number)
    order.status = 'closed'
    note(db, 'closed', order)
    db.commit()

def ship_order(db, number):
    order = db.query(Order).get(number)
    order.status = 'shipped'
    note(db, 'shipped', order)
    db.commit()

def rename(db, number, name):
    customer = db.query(Customer).get(number)
    customer.status = name
    db.commit()

def move(db):
    db.add(Movement(action='moved', user='x', entity='y'))
    db.commit()

def prune(db, number):
    db.delete(db.query(Movement).get(number))
    db.commit()
";

#[test]
fn the_trail_is_what_is_appended_and_told_of() {
    let table = |name: &str, columns: &str| {
        format!(
            "class {name}(Base):\n    __tablename__ = '{name}'\n    id = Column(Integer, primary_key=True)\n{columns}\n"
        )
    };
    let status = "    status = Column(String)\n";
    let ledger = "    action = Column(String)\n    user = Column(String)\n    entity = Column(String)\n";
    let models = [
        HEAD.to_owned(),
        table("Order", status),
        table("Customer", status),
        table("Movement", ledger),
        table("AuditEntry", ledger),
    ];
    let files: &[(&str, &str)] =
        &[("app/__init__.py", ""), ("app/models.py", &models.concat()), ("app/service.py", TRAIL)];
    let learned = learned(files);
    let names =
        |seen: &[learn::Seen]| seen.iter().map(|seen| seen.name.clone()).collect::<Vec<_>>().join(" ");
    let kept = &learned.kept;
    assert_eq!(names(&kept.models), "app.models.AuditEntry");
    assert_eq!(names(&kept.other_models), "app.models.Movement", "its columns fit, its name does not say so");
    assert_eq!(names(&kept.emitters), "app.service.note");
    assert_eq!(names(&kept.tracked), "app.models.Order");
    let settings = read_back(&learn::file(&learned));
    assert_eq!(settings.trail.models, ["app.models.AuditEntry"]);
    assert_eq!(settings.trail.emitters, ["app.service.note"]);
    assert_eq!(settings.trail.tracked, ["app.models.Order"]);
}

const SERVICE: &str = "
from app.models import Order
from app.context import Acting
from datetime import datetime, timezone

def now():
    return datetime.now(timezone.utc)

def open_order(db, acting: Acting):
    order = Order(created_at=now())
    order.opened_for(acting.name)
    db.add(order)

def close_order(db, order: Order, acting: Acting):
    order.status = 'closed'
    order.updated_at = now()
    order.updated_by = acting.name

def ship_order(db, order: Order, acting: Acting):
    order.status = 'shipped'
    order.updated_at = now()
    order.updated_by = acting.name

def pay_order(db, order: Order):
    order.status = 'paid'
    order.updated_at = datetime.now()
";

#[test]
fn setters_clock_and_context_are_those_in_use() {
    let models = format!(
        "{HEAD}
class Order(Base):
    __tablename__ = 'orders'
    id = Column(Integer, primary_key=True)
    status = Column(String)
    created_at = Column(DateTime(timezone=True))
    updated_at = Column(DateTime(timezone=True))
    created_by = Column(String)
    updated_by = Column(String)

    def opened_for(self, name):
        self.created_by = name

    def reopen(self, name):
        self.created_by = name
        self.status = 'open'

    def store(self, db, name):
        self.created_by = name
        db.add(self)
"
    );
    let context = "class Acting:\n    def __init__(self, name):\n        self.name = name\n";
    let files: &[(&str, &str)] = &[
        ("app/__init__.py", ""),
        ("app/context.py", context),
        ("app/models.py", &models),
        ("app/service.py", SERVICE),
        ("tests/test_x.py", "def test_x(order):\n    order.updated_at = 1\n"),
    ];
    let learned = learned(files);
    let setters: Vec<(Duty, Vec<&str>)> = learned
        .words
        .setters
        .iter()
        .map(|one| (one.duty, one.names.iter().map(|seen| seen.name.as_str()).collect()))
        .collect();
    assert_eq!(setters, [(Duty::CreatedBy, vec!["opened_for"])], "one that does more is none");
    let (text, zone, tally) = learned.words.clock.chosen.as_ref().expect("nearly all read the same");
    assert_eq!((text.as_str(), *zone, tally.times, tally.of), ("now()", "with a zone", 3, 4));
    let contexts: Vec<&str> = learned.words.contexts.iter().map(|seen| seen.name.as_str()).collect();
    assert_eq!(contexts, ["app.context.Acting"]);
    let settings = read_back(&learn::file(&learned));
    assert_eq!(settings.clock, "now()");
    assert_eq!(settings.context_class, "app.context.Acting");
    assert_eq!(settings.duty_of_setter("opened_for"), Some(Duty::CreatedBy));
    assert_eq!(settings.duty_of_field("created_by"), Some(Duty::CreatedBy));
    assert_eq!(settings.duty_of_field("created_on"), None, "what is written replaces what was known");
    assert_eq!(settings.duty_of_field("deleted_at"), Some(Duty::DeletedAt), "and else it stays");
}

/// Whatever stands in the code, the file is one that the program reads back, and it says no more than it means.
#[test]
fn hostile_names_cannot_break_the_file() {
    // The last sign joins two letters and is a letter for Python, but not for the configuration.
    let virama = "created_by_\u{915}\u{94d}\u{937}";
    let models = format!(
        "{HEAD}
class Bücher(Base):
    __tablename__ = 'x'
    id = Column(Integer, primary_key=True)
    created_at = Column(DateTime, default=lambda: datetime.now(__import__('\\n[rules]')))
    {virama} = Column(String)
    übergeben_am = Column(DateTime)

    def set_{virama}(self, who):
        self.{virama} = who

class AuditLog(Base):
    __tablename__ = 'y'
    id = Column(Integer, primary_key=True)
    action = Column(String)
    user_id = Column(Integer)
"
    );
    let service = r#"
from .models import Bücher, AuditLog
from datetime import datetime
from zoneinfo import ZoneInfo

def write(db, who):
    row = Bücher(created_at=datetime.now(ZoneInfo("Europe\\Berlin \u202e # ]")))
    db.add(row)
    db.add(AuditLog(action="x"))

def again(db, who):
    row = Bücher(created_at=datetime.now(ZoneInfo("Europe\\Berlin \u202e # ]")))
    db.add(row)
    write(db, who)

def more(db, who):
    row = Bücher(created_at=datetime.now(ZoneInfo("Europe\\Berlin \u202e # ]")))
    db.add(row)
    write(db, who)
"#;
    for folder in ["app", "/home/me/my-service v2", "../my-service", "a\"b]\n[rules]/x", "\u{202e}x"] {
        let paths = [format!("{folder}/models.py"), format!("{folder}/service.py")];
        let learned = learned(&[(&paths[0], &models), (&paths[1], service)]);
        let file = learn::file(&learned);
        let settings = read_back(&file);
        assert_eq!(settings.fields.names(Duty::CreatedAt), ["created_at"]);
        assert!(settings.rules.is_empty(), "{file}");
        for line in file.lines().chain(learn::table(&learned).lines()) {
            assert!(!line.contains(|c: char| c.is_control() || c == '\u{202e}'), "{line:?}");
            assert!(!line.starts_with("[rules"), "{file}");
        }
        assert!(!file.contains("/home") && !file.contains("home.me"), "no path of a machine: {file}");
    }
}

#[test]
fn the_written_help_desk_is_what_its_own_file_says() {
    let folder = root().join("fixtures/helpdesk-django");
    let written = run(&folder, &["init", "--print", "--isolated"]);
    assert_eq!(written.status.code(), Some(0));
    let learned = read_back(&String::from_utf8(written.stdout).expect("text"));
    let own = read_back(&fs::read_to_string(folder.join("trailcheck.toml")).expect("readable"));
    for duty in Duty::ALL {
        assert_eq!(learned.fields.names(duty), own.fields.names(duty), "{}", duty.word());
    }
    assert_eq!(learned.clock, own.clock);
    assert_eq!(learned.trail, own.trail);
    assert_eq!(learned.audit, own.audit);
}

#[test]
fn the_order_service_is_learned_though_half_of_it_is_broken() {
    let folder = root().join("fixtures/orders-fastapi");
    let written = run(&folder, &["init", "--print"]);
    let learned = read_back(&String::from_utf8(written.stdout).expect("text"));
    let names = |duty: Duty| {
        let mut names = learned.fields.names(duty).to_vec();
        names.sort();
        names
    };
    assert_eq!(names(Duty::CreatedAt), ["created_at"]);
    assert_eq!(names(Duty::UpdatedAt), ["updated_at"]);
    assert_eq!(names(Duty::DeletedAt), ["deleted_at"]);
    assert_eq!(names(Duty::CreatedBy), ["created_by", "created_by_email", "created_by_name"]);
    assert_eq!(names(Duty::UpdatedBy), ["updated_by", "updated_by_email", "updated_by_name"]);
    assert_eq!(names(Duty::DeletedBy), ["deleted_by", "deleted_by_email", "deleted_by_name"]);
    for (setter, duty) in [
        ("set_created_by", Duty::CreatedBy),
        ("set_updated_by", Duty::UpdatedBy),
        ("touch", Duty::UpdatedBy),
        ("set_deleted_by", Duty::DeletedBy),
        ("mark_deleted", Duty::DeletedBy),
    ] {
        assert_eq!(learned.duty_of_setter(setter), Some(duty), "{setter}");
    }
    assert_eq!(learned.clock, "datetime.now()");
    assert_eq!(learned.context_class, "orders.core.audit.AuditContext");
}

/// With the learned file nothing that was found is lost; what comes new departs from what was learned.
#[test]
fn a_scan_with_the_file_reports_the_deviants() {
    let folder = tempfile::tempdir().expect("a folder");
    copy(&root().join("fixtures/orders-fastapi"), folder.path());
    let before = findings(folder.path());
    assert_eq!(run(folder.path(), &["init"]).status.code(), Some(0));
    let after = findings(folder.path());
    for (finding, times) in &before {
        assert!(after.get(finding) >= Some(times), "{finding:?} is lost");
    }
    let new: Vec<&str> = after
        .keys()
        .filter(|finding| !before.contains_key(*finding))
        .map(|(_, _, rule)| rule.as_str())
        .collect();
    assert_eq!(new, ["mixed-clocks", "mixed-clocks"], "the two places that read another clock");
}

#[test]
fn nothing_is_overwritten_unasked() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    fs::write(here.join("models.py"), HEAD).expect("writable");
    let own = here.join("trailcheck.toml");

    fs::write(&own, "audit = \"mandatory\"\n").expect("writable");
    let refused = run(here, &["init"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("`trailcheck.toml` is there already"));
    assert_eq!(fs::read_to_string(&own).expect("readable"), "audit = \"mandatory\"\n");
    assert_eq!(run(here, &["init", "--force"]).status.code(), Some(0));
    assert!(fs::read_to_string(&own).expect("readable").starts_with("# What `trailcheck init` learned"));

    fs::remove_file(&own).expect("removable");
    fs::write(here.join("pyproject.toml"), "[tool.trailcheck]\naudit = \"mandatory\"\n").expect("writable");
    let refused = run(here, &["init"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("`pyproject.toml` has settings"));
    assert!(!own.exists());
    assert_eq!(run(here, &["init", "--output", "sub.toml", "--isolated"]).status.code(), Some(0));
    assert!(here.join("sub.toml").exists() && !own.exists());

    let printed = run(here, &["init", "--print"]);
    assert_eq!(printed.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&printed.stdout).contains("[fields]") && !own.exists());

    let empty = tempfile::tempdir().expect("a folder");
    assert_eq!(run(empty.path(), &["init"]).status.code(), Some(3));
    assert!(!empty.path().join("trailcheck.toml").exists());
    assert_eq!(run(here, &["init", "-"]).status.code(), Some(2));
    assert_eq!(run(here, &["init", "--output", "no/such/folder/x.toml"]).status.code(), Some(2));
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_nowhere_is_in_the_way_as_well() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("models.py"), HEAD).expect("writable");
    std::os::unix::fs::symlink("elsewhere.toml", folder.path().join("trailcheck.toml")).expect("a link");
    assert_eq!(run(folder.path(), &["init"]).status.code(), Some(2));
    assert!(!folder.path().join("elsewhere.toml").exists());
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_trailcheck"))
        .current_dir(folder)
        .args(arguments)
        .output()
        .expect("the program starts")
}

fn findings(folder: &Path) -> BTreeMap<(String, String, String), usize> {
    let report = run(folder, &["check", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&report.stdout).expect("the report is JSON");
    let mut found = BTreeMap::new();
    for file in report["files"].as_array().expect("files") {
        for finding in file["findings"].as_array().expect("findings") {
            let path = file["path"].as_str().expect("a path").to_owned();
            let line = finding["location"]["line"].to_string();
            let rule = finding["rule"].as_str().expect("a rule").to_owned();
            *found.entry((path, line, rule)).or_default() += 1;
        }
    }
    found
}

fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.expect("listed");
        let target = to.join(entry.path().strip_prefix(from).expect("below"));
        if entry.file_type().is_dir() {
            fs::create_dir_all(&target).expect("made");
        } else {
            fs::copy(entry.path(), &target).expect("copied");
        }
    }
}
