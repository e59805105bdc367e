//! report/inventory: every write, compliant or not, as a matrix of models and operations.
//!
//! What a cell counts and what coverage is, is that of the rest of the reports; nothing is judged here.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Tally, count, percent, share};
use crate::duty::{Duty, Operation, Standing};
use crate::escape::{markdown, terminal};
use crate::finding::{Scan, Write};

/// The matrix.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    /// A row for each model that is written, by name and file.
    pub rows: Vec<Row>,
    /// All rows as one.
    pub total: Row,
}

/// The writes of a model.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// The model's name, with its file where another model has the same name.
    pub model: String,
    /// What is done to it.
    pub cells: BTreeMap<Operation, Cell>,
}

/// The writes of one kind.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    /// How many there are.
    pub writes: usize,
    /// Those with every duty set or covered.
    pub stamped: usize,
    /// How their duties stand.
    pub duties: BTreeMap<Duty, BTreeMap<Standing, usize>>,
}

const OPERATIONS: [Operation; 3] = [Operation::Create, Operation::Update, Operation::Delete];
const STANDINGS: [Standing; 4] = [Standing::Set, Standing::Covered, Standing::Missing, Standing::Unknown];

impl Inventory {
    /// The writes of a scan.
    pub fn of(scan: &Scan) -> Inventory {
        let writes = || scan.files.iter().flat_map(|file| &file.writes);
        let mut homes: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for write in writes() {
            homes.entry(&write.entity).or_default().insert(&write.declared_in);
        }
        let mut rows: BTreeMap<(&str, &str), Row> = BTreeMap::new();
        let mut total = Row { model: "total".to_owned(), ..Row::default() };
        for write in writes() {
            let row = rows.entry((&write.entity, &write.declared_in)).or_default();
            row.add(write);
            total.add(write);
        }
        let named = |((entity, home), row): ((&str, &str), Row)| {
            let is_alone = homes.get(entity).is_none_or(|homes| homes.len() < 2);
            let model = if is_alone { entity.to_owned() } else { format!("{entity} ({home})") };
            Row { model, ..row }
        };
        Inventory { rows: rows.into_iter().map(named).collect(), total }
    }
}

impl Row {
    fn add(&mut self, write: &Write) {
        let cell = self.cells.entry(write.operation).or_default();
        cell.writes += 1;
        cell.stamped += usize::from(write.is_stamped());
        for &(duty, standing) in &write.duties {
            *cell.duties.entry(duty).or_default().entry(standing).or_default() += 1;
        }
    }

    /// All its writes.
    pub fn writes(&self) -> usize {
        self.cells.values().map(|cell| cell.writes).sum()
    }

    /// Those with every duty set or covered.
    pub fn stamped(&self) -> usize {
        self.cells.values().map(|cell| cell.stamped).sum()
    }

    /// The share of these, in tenths of a percent, rounded down.
    pub fn coverage(&self) -> Option<usize> {
        share(self.stamped(), self.writes())
    }

    /// How many of all its duties stand so.
    pub fn duties(&self, standing: Standing) -> usize {
        let of_cell =
            |cell: &Cell| cell.duties.values().filter_map(|duty| duty.get(&standing)).sum::<usize>();
        self.cells.values().map(of_cell).sum()
    }

    /// `3/4`: so many are stamped, of so many.
    fn share(&self, operation: Operation) -> String {
        match self.cells.get(&operation) {
            Some(cell) => format!("{}/{}", cell.stamped, cell.writes),
            None => "-".to_owned(),
        }
    }

    fn texts(&self) -> Vec<String> {
        let shares = OPERATIONS.iter().map(|&operation| self.share(operation));
        let duties = STANDINGS.iter().map(|&standing| self.duties(standing).to_string());
        let coverage = self.coverage().map_or_else(|| "-".to_owned(), percent);
        shares.chain(duties).chain([coverage]).collect()
    }
}

const HEADS: [&str; 9] =
    ["model", "create", "update", "delete", "set", "covered", "missing", "unknown", "coverage"];

/// As an aligned table for a terminal.
pub fn human(scan: &Scan) -> String {
    let inventory = Inventory::of(scan);
    if inventory.rows.is_empty() {
        return format!("no writes in {}\n", count(Tally::of(scan).scanned, "file"));
    }
    let line = |row: &Row| -> Vec<String> {
        [terminal(&row.model).into_owned()].into_iter().chain(row.texts()).collect()
    };
    let heads: Vec<String> = HEADS.iter().map(|&head| head.to_owned()).collect();
    let mut lines = vec![heads];
    lines.extend(inventory.rows.iter().map(line));
    lines.push(line(&inventory.total));
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..HEADS.len()).map(width).collect();
    let mut out = String::new();
    for line in &lines {
        let mut text = format!("{:<width$}", line[0], width = widths[0]);
        for (cell, width) in line.iter().zip(&widths).skip(1) {
            text.push_str(&format!("  {cell:>width$}"));
        }
        out.push_str(text.trim_end());
        out.push('\n');
    }
    out + "\n" + &closing(&inventory, scan.aside) + "\n"
}

/// As a table in Markdown.
pub fn render_markdown(scan: &Scan) -> String {
    let inventory = Inventory::of(scan);
    let mut out = String::from("# Inventory of writes\n\n");
    if inventory.rows.is_empty() {
        return out + "No file writes rows.\n";
    }
    out.push_str(&format!("| {} |\n| --- |{}\n", HEADS.join(" | "), " ---: |".repeat(HEADS.len() - 1)));
    for row in &inventory.rows {
        out.push_str(&format!("| {} | {} |\n", markdown(&row.model), row.texts().join(" | ")));
    }
    out.push_str(&format!("| **total** | {} |\n\n", inventory.total.texts().join(" | ")));
    out + &closing(&inventory, scan.aside) + "\n"
}

fn closing(inventory: &Inventory, aside: usize) -> String {
    let total = &inventory.total;
    let coverage = total.coverage().map_or_else(|| "-".to_owned(), percent);
    format!(
        "coverage {coverage}: {} of {} with every duty set or covered, {}",
        total.stamped(),
        count(total.writes(), "write"),
        count(inventory.rows.len(), "model"),
    ) + &beside(aside)
}

fn beside(aside: usize) -> String {
    match aside {
        0 => String::new(),
        aside => format!("; {} in tests, migrations, seeds and scripts not counted", count(aside, "write")),
    }
}

/// As one JSON object.
pub fn json(scan: &Scan) -> String {
    let inventory = Inventory::of(scan);
    let document = JsonDocument {
        schema_version: 1,
        coverage: tenths(inventory.total.coverage()),
        writes: inventory.total.writes(),
        stamped: inventory.total.stamped(),
        models: inventory.rows.iter().map(JsonModel::of).collect(),
    };
    serde_json::to_string_pretty(&document).expect("internal error: strings and numbers are JSON") + "\n"
}

#[derive(Serialize)]
struct JsonDocument<'a> {
    schema_version: u32,
    coverage: Option<f64>,
    writes: usize,
    stamped: usize,
    models: Vec<JsonModel<'a>>,
}

#[derive(Serialize)]
struct JsonModel<'a> {
    model: &'a str,
    coverage: Option<f64>,
    writes: usize,
    stamped: usize,
    operations: BTreeMap<&'static str, JsonCell>,
}

#[derive(Serialize)]
struct JsonCell {
    writes: usize,
    stamped: usize,
    duties: BTreeMap<&'static str, BTreeMap<&'static str, usize>>,
}

impl JsonModel<'_> {
    fn of(row: &Row) -> JsonModel<'_> {
        let standings = |counts: &BTreeMap<Standing, usize>| {
            STANDINGS
                .iter()
                .map(|standing| (standing.word(), counts.get(standing).copied().unwrap_or(0)))
                .collect()
        };
        let cell = |cell: &Cell| JsonCell {
            writes: cell.writes,
            stamped: cell.stamped,
            duties: cell.duties.iter().map(|(duty, counts)| (duty.word(), standings(counts))).collect(),
        };
        JsonModel {
            model: &row.model,
            coverage: tenths(row.coverage()),
            writes: row.writes(),
            stamped: row.stamped(),
            operations: row.cells.iter().map(|(operation, of)| (operation.word(), cell(of))).collect(),
        }
    }
}

fn tenths(coverage: Option<usize>) -> Option<f64> {
    coverage.map(|tenths| tenths as f64 / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests as example;
    use serde_json::{Value, json};

    #[test]
    fn the_matrix_counts_every_write() {
        let inventory = Inventory::of(&example::scan());
        let [row] = &inventory.rows[..] else { panic!("one model: {inventory:?}") };
        assert_eq!(row.model, "Job");
        assert_eq!(
            (row.share(Operation::Create), row.share(Operation::Delete)),
            ("0/2".into(), "1/1".into())
        );
        assert_eq!(row.share(Operation::Update), "-");
        let duties = STANDINGS.map(|standing| row.duties(standing));
        assert_eq!(duties, [3, 1, 1, 1]);
        let tally = Tally::of(&example::scan());
        assert_eq!((inventory.total.writes(), inventory.total.stamped()), (tally.writes(), tally.stamped));
        assert_eq!(inventory.total.coverage(), tally.coverage());
    }

    #[test]
    fn models_of_one_name_are_told_apart() {
        let mut scan = example::scan();
        scan.files[0].writes[1].declared_in = "other/models.py".to_owned();
        let names: Vec<String> = Inventory::of(&scan).rows.into_iter().map(|row| row.model).collect();
        assert_eq!(names, ["Job (other/models.py)", "Job (shop/models.py)"]);
    }

    #[test]
    fn all_formats_say_the_same() {
        let scan = example::scan();
        assert_eq!(
            human(&scan),
            "\
model  create  update  delete  set  covered  missing  unknown  coverage
Job       0/2       -     1/1    3        1        1        1    33.3 %
total     0/2       -     1/1    3        1        1        1    33.3 %

coverage 33.3 %: 1 of 3 writes with every duty set or covered, 1 model; 4 writes in tests, migrations, seeds and scripts not counted
"
        );
        assert!(render_markdown(&scan).contains("| Job | 0/2 | - | 1/1 | 3 | 1 | 1 | 1 | 33.3 % |"));
        let document: Value = serde_json::from_str(&super::json(&scan)).expect("JSON");
        assert_eq!((&document["coverage"], &document["writes"]), (&json!(33.3), &json!(3)));
        let duty = &document["models"][0]["operations"]["create"]["duties"]["created-at"];
        assert_eq!(*duty, json!({"set": 1, "covered": 0, "missing": 1, "unknown": 0}));
        assert_eq!(human(&Scan::default()), "no writes in 0 files\n");
    }

    #[test]
    fn coverage_of_a_model_is_rounded_down() {
        let cell = Cell { writes: 10_000, stamped: 9_999, ..Cell::default() };
        let row = Row { cells: BTreeMap::from([(Operation::Create, cell)]), ..Row::default() };
        assert_eq!(row.texts().last().map(String::as_str), Some("99.9 %"));
    }

    #[test]
    fn names_are_text() {
        let mut scan = example::scan();
        for write in &mut scan.files[0].writes {
            write.entity = "J|ob\u{1b}[31m<b>".to_owned();
        }
        assert!(!human(&scan).contains('\u{1b}'));
        let text = render_markdown(&scan);
        assert!(!text.contains('\u{1b}') && !text.contains("<b>") && text.contains("J\\|ob"), "{text}");
    }
}
