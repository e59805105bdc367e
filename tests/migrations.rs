//! migrations: a default that the scanned migrations give the table counts, however they go about it.

use crate::small::scanned::scanned;
use trailcheck::finding::Severity;

const MODEL: &str = "\
from datetime import datetime
from sqlalchemy import func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Base(DeclarativeBase): ...

class Order(Base):
    __tablename__ = 'orders'
    id: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

def create(db):
    db.add(Order())
    db.commit()
";

/// How much it weighs that `create` sets no time, with this migration beside it.
fn weight(migration: &str) -> Option<Severity> {
    let text = format!("from alembic import op\nimport sqlalchemy as sa\nrevision = 'a'\n{migration}");
    let files = [("app.py", MODEL), ("alembic/versions/a.py", text.as_str())];
    let scan = scanned(&files, &[]);
    let mut findings = scan.files.iter().flat_map(|file| &file.findings);
    findings.find(|finding| finding.rule == "missing-created-at").map(|finding| finding.severity)
}

#[test]
fn a_default_of_the_table_is_for_review() {
    let column = "sa.Column('created_at', sa.DateTime(), server_default=sa.func.now())";
    let shown = [
        format!("def upgrade():\n    op.create_table('orders', {column})\n"),
        format!("def upgrade():\n    op.add_column('orders', {column})\n"),
        format!(
            "def upgrade():\n    with op.batch_alter_table('orders') as batch:\n        batch.add_column({column})\n"
        ),
        format!(
            "PLAN = {{'orders': [{column}]}}\n\ndef upgrade():\n    for table, columns in PLAN.items():\n        \
             for column in columns:\n            op.add_column(table, column)\n"
        ),
    ];
    for migration in shown {
        assert_eq!(weight(&migration), Some(Severity::Review), "{migration}");
    }
}

#[test]
fn a_table_without_the_default_is_an_error() {
    let column = "sa.Column('created_at', sa.DateTime())";
    for migration in ["", &format!("def upgrade():\n    op.create_table('orders', {column})\n")] {
        assert_eq!(weight(migration), Some(Severity::Error), "{migration}");
    }
}

#[test]
fn a_renamed_table_takes_its_defaults_along() {
    let made =
        "op.create_table('order', sa.Column('created_at', sa.DateTime(), server_default=sa.func.now()))";
    let renamed = [
        format!("def upgrade():\n    {made}\n    op.rename_table('order', 'orders')\n"),
        format!(
            "def upgrade():\n    {made}\n    op.rename_table(old_table_name='order', new_table_name='orders')\n"
        ),
        format!(
            "NAMES = [('note', 'notes'), ('order', 'orders')]\n\ndef upgrade():\n    {made}\n    \
             for old, new in NAMES:\n        op.rename_table(old, new)\n"
        ),
        format!(
            "def upgrade():\n    {made}\n    for new, old in (['orders', 'order'],):\n        op.rename_table(old, new)\n"
        ),
    ];
    for migration in renamed {
        assert_eq!(weight(&migration), Some(Severity::Review), "{migration}");
    }
    let other = format!(
        "NAMES = [('order', 'notes')]\n\ndef upgrade():\n    {made}\n    for old, new in NAMES:\n        \
         op.rename_table(old, new)\n"
    );
    assert_eq!(weight(&other), Some(Severity::Error));
}

#[test]
fn a_migration_that_does_nothing_still_stands_between_others() {
    let head = "from alembic import op\nimport sqlalchemy as sa\n";
    let made = format!(
        "{head}revision = 'a'\ndown_revision = None\ndef upgrade():\n    \
         op.create_table('order', sa.Column('created_at', sa.DateTime(), server_default=sa.func.now()))\n"
    );
    let joined = "revision = 'b'\ndown_revision = ('a', 'z')\ndef upgrade():\n    pass\n";
    let renamed = format!(
        "{head}revision = 'c'\ndown_revision = 'b'\ndef upgrade():\n    op.rename_table('order', 'orders')\n"
    );
    // The names of the files put the last one first.
    let files = [
        ("app.py", MODEL),
        ("alembic/versions/3.py", made.as_str()),
        ("alembic/versions/2.py", joined),
        ("alembic/versions/1.py", renamed.as_str()),
    ];
    let scan = scanned(&files, &[]);
    let mut findings = scan.files.iter().flat_map(|file| &file.findings);
    let weight =
        findings.find(|finding| finding.rule == "missing-created-at").map(|finding| finding.severity);
    assert_eq!(weight, Some(Severity::Review));
}
