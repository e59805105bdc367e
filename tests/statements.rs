//! statements: what is known of a statement that was put together piece by piece, and of texts that define tables.

use crate::small::scanned::scanned;

const MODEL: &str = "\
from datetime import datetime
from sqlalchemy import func, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Base(DeclarativeBase): ...

class Order(Base):
    __tablename__ = 'orders'
    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

FIELDS = ('state', 'updated_at')
";

/// What is found in a module that goes on after the model, as severity and rule, in order.
fn found(code: &str) -> Vec<String> {
    let text = format!("{MODEL}\n{code}");
    let scan = scanned(&[("app.py", &text)], &[]);
    let findings = scan.files.iter().flat_map(|file| &file.findings);
    findings.map(|finding| format!("{} {}", finding.severity.word(), finding.rule)).collect()
}

/// What is found in an upsert whose conflict branch is filled by this code.
fn upserted(fill: &str) -> Vec<String> {
    let fill: String = fill.lines().map(|line| format!("    {line}\n")).collect();
    found(&format!(
        "def upsert(session, state):\n    row = insert(Order).values(state=state, created_at=func.now(), updated_at=func.now())\n    \
         changed = {{}}\n{fill}    session.execute(row.on_conflict_do_update(index_elements=['id'], set_=changed))\n"
    ))
}

#[test]
fn a_loop_over_the_columns_of_a_table_stores_each_of_them() {
    let all = "for column in Order.__table__.columns:\n    changed[column.name] = row.excluded[column.name]";
    // And so the time of creation, too.
    assert_eq!(upserted(all), ["error overwritten-creation-stamp"]);
    let some = "for column in Order.__table__.c:\n    if column.key in ('id', 'created_at'):\n        continue\n    \
                if column.key == 'updated_at':\n        changed[column.key] = func.now()\n    \
                else:\n        changed[column.key] = row.excluded[column.key]";
    assert_eq!(upserted(some), [""; 0]);
}

#[test]
fn a_loop_that_leaves_a_column_out_does_not_store_it() {
    let without = "for column in Order.__table__.columns:\n    if column.name not in ('id', 'created_at', 'updated_at'):\n        \
                   changed[column.name] = row.excluded[column.name]";
    assert_eq!(upserted(without), ["error missing-updated-at"]);
    // What decides here only running it tells.
    let perhaps = "for column in Order.__table__.columns:\n    if column.name != 'id' and not column.unique:\n        \
                   changed[column.name] = row.excluded[column.name]";
    assert_eq!(upserted(perhaps), ["review missing-updated-at"]);
    let breaks = "for column in Order.__table__.columns:\n    changed[column.name] = row.excluded[column.name]\n    \
                  if column.unique:\n        break";
    assert_eq!(upserted(breaks), ["review missing-updated-at"]);
}

#[test]
fn a_loop_over_texts_stores_each_of_them() {
    let texts = "for name in ('state', 'updated_at'):\n    changed[name] = row.excluded[name]";
    assert_eq!(upserted(texts), [""; 0]);
    let declared = "for name in FIELDS:\n    changed[name] = row.excluded[name]";
    assert_eq!(upserted(declared), [""; 0]);
    let others = "for name in ('state', 'note'):\n    changed[name] = row.excluded[name]";
    assert_eq!(upserted(others), ["error missing-updated-at"]);
}

/// What is found in an insert of what a comprehension keeps of `data`, which says who and when.
fn inserted(kept: &str) -> Vec<String> {
    found(&format!(
        "def add(session, state, actor):\n    data = {{'state': state, 'created_at': func.now(), 'updated_at': func.now(), 'odd': 1}}\n    \
         columns = {{column.name for column in Order.__table__.columns}}\n    \
         session.execute(insert(Order).values(**{kept}))\n"
    ))
}

#[test]
fn a_comprehension_keeps_what_passes_its_tests() {
    assert_eq!(inserted("{k: v for k, v in data.items()}"), [""; 0]);
    assert_eq!(inserted("{k: v for k, v in data.items() if k in columns and v is not None}"), [""; 0]);
    assert_eq!(
        inserted("{k: v for k, v in data.items() if (v is not None) if k in Order.__table__.c}"),
        [""; 0]
    );
    assert_eq!(inserted("{k: v for k, v in data.items() if k in FIELDS}"), ["error missing-created-at"]);
    assert_eq!(inserted("{k: v for k, v in data.items() if k not in FIELDS}"), ["error missing-updated-at"]);
    assert_eq!(
        inserted("{k: v for k, v in data.items() if k != 'updated_at'}"),
        ["error missing-updated-at"]
    );
    assert_eq!(inserted("{k: data[k] for k in data if k != 'odd'}"), [""; 0]);
    // What decides here only running it tells.
    let perhaps = ["review missing-created-at", "review missing-updated-at"];
    assert_eq!(inserted("{k: v for k, v in data.items() if v}"), perhaps);
    assert_eq!(inserted("{k: v for k, v in data.items() if k in columns or k in state}"), perhaps);
}

#[test]
fn one_turn_of_a_loop_has_one_key() {
    let looped = "def change(session, rows):\n    for k in {'state': 1, 'updated_at': 2}:\n        \
                  session.execute(Order.__table__.update().values(**{k: 1}))\n";
    assert_eq!(found(looped), ["review missing-updated-at"]);
}

/// What is found in a function that runs these texts and commits, and tells nobody of an error.
fn run(texts: &str, run: &str) -> Vec<String> {
    found(&format!(
        "TEXTS = {texts}\n\ndef install(session):\n    try:\n        {run}\n        session.commit()\n    \
         except Exception:\n        session.rollback()\n        raise ValueError('not installed')\n"
    ))
}

#[test]
fn texts_that_define_tables_write_no_rows() {
    let texts =
        "['DROP TRIGGER IF EXISTS a', 'CREATE TRIGGER a AFTER INSERT ON orders BEGIN DELETE FROM jobs; END']";
    let looped = "for one in TEXTS:\n            session.execute(text(one))";
    assert_eq!(run(texts, looped), [""; 0]);
    assert_eq!(run("[]", "session.execute(text('ALTER TABLE orders ADD note TEXT'))"), [""; 0]);
}

#[test]
fn a_commit_after_anything_else_may_write() {
    let rule = ["review unlogged-error"];
    let looped = "for one in TEXTS:\n            session.execute(text(one))";
    assert_eq!(run("['DROP TABLE a', 'DELETE FROM b']", looped), rule);
    assert_eq!(run("['DROP TABLE a', other()]", looped), rule);
    assert_eq!(run("['DROP TABLE a; DELETE FROM b']", looped), rule);
    assert_eq!(run("['DROP TABLE a']", "fill(session)"), rule);
    assert_eq!(run("[]", "session.execute(text('DROP TABLE a'))\n        fill(session)"), rule);
}
