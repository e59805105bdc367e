//! twins: one contract over languages: what is seen of a service in Python is seen of its twin in Rust.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use trailcheck::config::{Configuration, Names, Origin, RuleName, Search};
use trailcheck::duty::Standing;
use trailcheck::facts::FunctionKind;
use trailcheck::finding::{Scan, Write};
use trailcheck::lower::lower;
use trailcheck::report::inventory::{Inventory, human};
use trailcheck::rulebook::Rulebook;
use trailcheck::scan::{Request, scan};
use trailcheck::source::Language;
use trailcheck::walk;

const PYTHON: &str = "fixtures/orders-fastapi";
const RUST: &str = "fixtures/orders-rust";

/// What is said of one function: a line for each of its writes, without places.
type Facts = BTreeMap<String, BTreeSet<String>>;

fn scanned(folders: &[&str]) -> Scan {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rulebook = Rulebook::built_in();
    let rules = rulebook.rules.iter();
    let rules = rules.map(|rule| RuleName { id: rule.id.clone(), pack: rule.pack.clone(), keys: Vec::new() });
    let folders: Vec<PathBuf> = folders.iter().map(|folder| root.join(folder)).collect();
    let configuration = Configuration::find(&Search {
        origin: Origin::Nowhere,
        here: root,
        roots: &folders,
        folders: &[],
        names: &Names { rules: rules.collect() },
        read: &|_| Ok(None),
    });
    let configuration = configuration.expect("the configuration is understood");
    let listing = walk::list(&folders, root).expect("the twins can be listed");
    let walked = walk::read(listing, &configuration, true);
    scan(Request::new(walked, &configuration, &rulebook, "2026-01-15"))
}

/// What a write does and which of its duties are done, by whatever means.
fn line(write: &Write) -> String {
    let table = write.table.as_deref().unwrap_or(&write.entity);
    let duties = write.duties.iter().map(|(duty, standing)| {
        let is_done = matches!(standing, Standing::Set | Standing::Covered);
        format!(" {}={}", duty.word(), if is_done { "done" } else { "lacking" })
    });
    let mut duties: Vec<String> = duties.collect();
    duties.sort();
    format!("{} {table}{}", write.operation.word(), duties.concat())
}

/// A function in the names of the twin in Rust.
fn twin_name(path: &Path, function: &str) -> String {
    let stem = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
    let parts = function.split('.').map(|part| match part {
        "_apply_patch" => "apply_patch",
        "_build" => "build",
        "r#move" => "move",
        other => other,
    });
    format!("{stem}.{}", parts.collect::<Vec<_>>().join("."))
}

/// What is said of every function of the services in a scan, also of those that write nothing.
fn facts(scan: &Scan) -> Facts {
    let mut facts = Facts::new();
    for file in &scan.files {
        let path = &file.source.path;
        if !path.components().any(|part| part.as_os_str() == "services") {
            continue;
        }
        let functions = lower(&file.source).functions;
        for function in functions.iter().filter(|function| function.kind == FunctionKind::Function) {
            facts.entry(twin_name(path, &function.qualname)).or_default();
        }
        for write in &file.writes {
            facts.entry(twin_name(path, &write.function)).or_default().insert(line(write));
        }
    }
    facts
}

/// Functions that are not seen alike, and why they must not be.
const EXCEPTIONS: [(&str, &str); 12] = [
    ("broken_bulk.close_all", "`onupdate=` fires for `update()`, and no hook for `update_many()`"),
    ("broken_stock.relabel_pallets", "`onupdate=` fires for `update()`, and Diesel knows no hooks"),
    ("broken_stock.rename_by_table", "`onupdate=` fires for `update()`, and Diesel knows no hooks"),
    ("broken_parcels.load", "the carton is put there by a function of its own"),
    ("broken_parcels.load_at_once", "the carton is put there by a function of its own"),
    ("good_customers.CustomerService.create_from_dump", "the row is made in the conversion that is called"),
    (
        "good_orders.OrderService.update_order",
        "a helper changes the row; in Rust, the call that saves it writes",
    ),
    ("good_shipments.hand_over", "whoever hands the row in writes; in Rust, the call that saves it does"),
    ("good_shipments.remove_all", "whoever hands the rows in writes; in Rust, the call that saves them does"),
    ("good_times.issue", "another table, since one table has one entity there"),
    ("good_times.close", "another table, since one table has one entity there"),
    ("good_times.close_in_sql", "another table, since one table has one entity there"),
];

#[test]
fn the_twins_are_seen_alike() {
    let (python, rust) = (facts(&scanned(&[PYTHON])), facts(&scanned(&[RUST])));
    let shared = python.iter().filter_map(|(name, python)| Some((name, python, rust.get(name)?)));
    let writing = shared.filter(|(_, python, rust)| !(python.is_empty() && rust.is_empty()));
    let excused: BTreeSet<&str> = EXCEPTIONS.iter().map(|(name, _)| *name).collect();
    let mut compared = 0;
    let mut differing = BTreeSet::new();
    let mut differences = String::new();
    for (name, python, rust) in writing {
        compared += 1;
        if python == rust {
            continue;
        }
        differing.insert(name.as_str());
        if !excused.contains(name.as_str()) {
            differences += &format!("{name}\n    in Python: {python:?}\n    in Rust:   {rust:?}\n");
        }
    }

    assert!(differences.is_empty(), "\n{differences}");
    assert_eq!(excused.difference(&differing).next(), None, "an exception is none any more");
    assert!(compared >= 150, "only {compared} functions are compared");
}

#[test]
fn both_twins_have_one_inventory() {
    let both = scanned(&[PYTHON, RUST]);
    let inventory = Inventory::of(&both);
    let orders: Vec<_> = inventory.subjects.iter().filter(|subject| subject.all.model == "orders").collect();
    let [orders] = &orders[..] else { panic!("orders are one table: {inventory:#?}") };
    let languages: Vec<_> = orders.rows.iter().map(|row| (&*row.model, row.language)).collect();
    assert_eq!(languages, [("Order", Some(Language::Python)), ("orders", Some(Language::Rust))]);
    let [python, rust] = [PYTHON, RUST].map(|folder| Inventory::of(&scanned(&[folder])));
    for (model, row, alone) in [("Order", &orders.rows[0], &python), ("orders", &orders.rows[1], &rust)] {
        let alone = alone.subjects.iter().find(|subject| subject.all.model == model).expect("it is written");
        assert_eq!(
            row.writes(),
            alone.all.writes(),
            "{model}: whoever else writes the table takes nothing away"
        );
    }
    assert_eq!(inventory.total.writes(), python.total.writes() + rust.total.writes());
    let table = human(&both);
    let heads = table.lines().filter(|line| line.split_whitespace().next() == Some("orders")).count();
    assert_eq!(heads, 2, "the table, and below it who writes it in Rust:\n{table}");
}
