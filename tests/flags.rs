//! flags: a store that puts a row out of use owes what its model keeps of that.

use crate::small::placed::Place;

const MODELS: &str = "\
from datetime import datetime
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Base(DeclarativeBase): ...

class Supplier(Base):
    __tablename__ = 'suppliers'
    id: Mapped[int] = mapped_column(primary_key=True)
    status: Mapped[bool] = mapped_column(default=True)
    grade: Mapped[bool]
    STAMP: Mapped[datetime | None]
    WHO: Mapped[str | None]

def change(db, supplier_id, actor):
    supplier = db.get(Supplier, supplier_id)
";

/// The rules that find something where a supplier is changed like this and committed, with the stamps named so.
fn found(stamp: &str, who: &str, change: &str) -> Vec<String> {
    let place = Place::new();
    let change: String = change.lines().map(|line| format!("    {line}\n")).collect();
    let models = MODELS.replace("STAMP", stamp).replace("WHO", who);
    place.write("app.py", &format!("{models}{change}    db.commit()\n"));
    let configuration = format!("[fields]\ndeleted-at = ['{stamp}']\ndeleted-by = ['{who}']\n");
    place.write("trailcheck.toml", &configuration);
    let output = place.command(&["check", "--format", "json"]).output().expect("it runs");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let files = report["files"].as_array().into_iter().flatten();
    let findings = files.flat_map(|file| file["findings"].as_array().into_iter().flatten());
    findings.map(|finding| finding["rule"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn putting_out_of_use_is_stamped_where_the_stamps_speak_of_it() {
    let both = ["missing-deleted-at", "missing-deleted-by"];
    let found = |change| found("deactivated_at", "deactivated_by", change);
    assert_eq!(found("supplier.status = False"), both);
    assert_eq!(found("supplier.status = not supplier.status"), both, "every other time");
    assert_eq!(
        found("supplier.status = False\nsupplier.deactivated_at = datetime.now()"),
        ["missing-deleted-by"]
    );
    let stamped =
        "supplier.status = False\nsupplier.deactivated_at = datetime.now()\nsupplier.deactivated_by = actor";
    assert_eq!(found(stamped), [""; 0]);
}

#[test]
fn other_changes_are_changes() {
    for change in
        ["supplier.status = True", "supplier.status = actor.status", "supplier.grade = not supplier.grade"]
    {
        assert_eq!(found("deactivated_at", "deactivated_by", change), [""; 0], "{change}");
    }
    // A supplier that is inactive is not deleted.
    assert_eq!(found("deleted_at", "deleted_by", "supplier.status = False"), [""; 0]);
}
