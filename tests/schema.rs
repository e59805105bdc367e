//! schema: what SQL files make of tables is known where code writes them.

use crate::small::scanned::scanned;
use trailcheck::finding::Severity;

const MODEL: &str = "\
from datetime import datetime
from sqlalchemy import func, insert, update
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Base(DeclarativeBase): ...

class Order(Base):
    __tablename__ = 'orders'
    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

def create(db, now):
    db.execute(insert(Order).values(state='new', updated_at=now))
    db.commit()

def close(db):
    db.execute(update(Order).values(state='closed'))
    db.commit()
";

const TEXT: &str = "\
from sqlalchemy import text

def create(db):
    db.execute(text(\"INSERT INTO orders (state) VALUES ('new')\"))
    db.commit()

def close(db):
    db.execute(text(\"UPDATE orders SET state = 'closed'\"))
    db.commit()
";

/// How much it weighs that a time is missing, in the code beside these SQL files: the creation's, and the update's.
fn weights(code: &str, files: &[(&str, &str)]) -> [Option<Severity>; 2] {
    let files: Vec<(&str, &str)> = [("app.py", code)].into_iter().chain(files.iter().copied()).collect();
    let scan = scanned(&files, &[]);
    assert!(scan.gaps.is_empty(), "{:?}", scan.gaps);
    // Findings are about code.
    assert!(scan.files.iter().skip(1).all(|file| file.findings.is_empty()));
    ["missing-created-at", "missing-updated-at"].map(|rule| {
        let mut findings = scan.files.iter().flat_map(|file| &file.findings);
        findings.find(|finding| finding.rule == rule).map(|finding| finding.severity)
    })
}

const ERROR: Option<Severity> = Some(Severity::Error);
const REVIEW: Option<Severity> = Some(Severity::Review);

#[test]
fn a_default_of_the_table_covers_what_a_statement_leaves_out() {
    let plain =
        "CREATE TABLE orders (id int, state text, created_at timestamptz NOT NULL, updated_at timestamptz);";
    assert_eq!(weights(MODEL, &[]), [ERROR, ERROR]);
    assert_eq!(weights(MODEL, &[("m/1.sql", plain)]), [ERROR, ERROR]);
    let filled = "ALTER TABLE orders ALTER COLUMN created_at SET DEFAULT now();";
    assert_eq!(weights(MODEL, &[("m/1.sql", plain), ("m/2.sql", filled)]), [REVIEW, ERROR]);
    let bare = "ALTER TABLE orders ALTER COLUMN created_at DROP DEFAULT;";
    let files = [("m/1.sql", plain), ("m/2.sql", filled), ("m/3.sql", bare)];
    assert_eq!(weights(MODEL, &files), [ERROR, ERROR]);
    // What takes a migration back does not run.
    assert_eq!(
        weights(MODEL, &[("m/1/up.sql", plain), ("m/2/up.sql", filled), ("m/2/down.sql", bare)]),
        [REVIEW, ERROR]
    );
}

#[test]
fn triggers_and_columns_that_stamp_updates_cover_them() {
    let table = "CREATE TABLE orders (id int, created_at timestamptz, updated_at timestamptz);";
    let stamping =
        "CREATE TABLE `orders` (`created_at` datetime, `updated_at` datetime ON UPDATE CURRENT_TIMESTAMP);";
    let trigger = "CREATE FUNCTION touch() RETURNS trigger AS $$ BEGIN NEW.updated_at = now(); RETURN NEW; END; $$ LANGUAGE plpgsql;
        DROP TRIGGER IF EXISTS touch ON orders;
        CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();";
    let diesel = "SELECT diesel_manage_updated_at('orders');";
    let own = "CREATE FUNCTION watch(t regclass) RETURNS void AS $$ BEGIN
        EXECUTE format('CREATE TRIGGER touch BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION touch()', t); END; $$ LANGUAGE plpgsql;
        SELECT watch('\"orders\"');";
    assert_eq!(weights(MODEL, &[("m/1.sql", stamping)]), [ERROR, REVIEW]);
    assert_eq!(weights(MODEL, &[("m/1.sql", table), ("m/2.sql", trigger)]), [ERROR, REVIEW]);
    assert_eq!(weights(MODEL, &[("m/1.sql", table), ("m/2.sql", diesel)]), [ERROR, REVIEW]);
    let gone = "DROP TRIGGER touch ON orders;";
    let others = "DROP TRIGGER touch ON users;";
    let again = [("m/1.sql", table), ("m/2.sql", trigger), ("m/3.sql", gone)];
    assert_eq!(weights(MODEL, &again), [ERROR, ERROR]);
    assert_eq!(weights(MODEL, &[again[0], again[1], ("m/3.sql", others)]), [ERROR, REVIEW]);
    assert_eq!(weights(MODEL, &[again[0], again[1], again[2], ("m/4.sql", own)]), [ERROR, REVIEW]);
    let renamed = "ALTER TABLE orders RENAME TO jobs;";
    assert_eq!(weights(MODEL, &[again[0], again[1], ("m/3.sql", renamed)]), [ERROR, ERROR]);
}

#[test]
fn a_table_without_a_class_owes_what_its_columns_ask_for() {
    assert_eq!(weights(TEXT, &[]), [None, None]);
    let made =
        "CREATE TABLE orders (id int, state text, created_at timestamptz NOT NULL, updated_at timestamptz);";
    assert_eq!(weights(TEXT, &[("m/1.sql", made)]), [ERROR, ERROR]);
    let filled = "CREATE TABLE orders (created_at timestamptz DEFAULT now(), updated_at timestamptz);";
    // What the table alone declares and fills is done.
    assert_eq!(weights(TEXT, &[("m/1.sql", filled)]), [None, ERROR]);
    let without = "ALTER TABLE orders DROP COLUMN created_at, DROP COLUMN updated_at;";
    assert_eq!(weights(TEXT, &[("m/1.sql", made), ("m/2.sql", without)]), [None, None]);
    // What tests make is no table of the service, and a table of a session is none of the program.
    assert_eq!(weights(TEXT, &[("tests/1.sql", made)]), [None, None]);
}

#[test]
fn what_is_no_sql_is_a_gap() {
    let scan = scanned(&[("m/1.sql", "CREATE TABLE a (x int); INSERT INTO a VALUES ('")], &[]);
    let gaps: Vec<_> = scan.gaps.iter().map(|gap| (gap.line, gap.reason.as_str())).collect();
    assert_eq!(gaps, [(Some(1), "a quoted text that does not end")]);
}
