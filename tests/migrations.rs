//! migrations: a default that the scanned migrations give the table counts, however they go about it.

#[path = "small/scanned.rs"]
mod scanned;

use scanned::scanned;
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
