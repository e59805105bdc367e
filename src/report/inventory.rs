//! report/inventory: every write, compliant or not, as a matrix of models and operations.
//!
//! Models of one table stand below that table, and whoever writes it in another language has a line of its own.
//! What a cell counts and what coverage is, is that of the rest of the reports; nothing is judged here.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Tally, count, percent, share};
use crate::duty::{Duty, Operation, Standing};
use crate::escape::{markdown, terminal};
use crate::finding::{Scan, Write};
use crate::source::Language;

/// The matrix.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    /// What is written, by name: tables that several models or languages share, and other models.
    pub subjects: Vec<Subject>,
    /// All rows as one.
    pub total: Row,
}

/// A model, or a table that is written as rows of several models or in several languages.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    /// All its writes, under its name.
    pub all: Row,
    /// A row for each model and language, by name, file and language; one where nothing is shared.
    pub rows: Vec<Row>,
}

/// The writes of a model in one language.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// The model's name, with its file where another model has the same name.
    pub model: String,
    /// The table it is mapped to, where that is known.
    pub table: Option<String>,
    /// The language of the code that writes it; nothing for several.
    pub language: Option<Language>,
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

/// Who writes a table: a model by its name and file, and the language of the code.
type Hand<'a> = (&'a str, &'a str, Language);

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
        let shared = scan.shared_tables();
        let mut rows: BTreeMap<(&str, &str), BTreeMap<Hand<'_>, Row>> = BTreeMap::new();
        for write in writes() {
            let is_shared = write.table.as_deref().is_some_and(|table| shared.contains(table));
            let home = if is_shared { "" } else { write.declared_in.as_str() };
            let of_subject = rows.entry((write.subject(&shared), home)).or_default();
            of_subject.entry((&write.entity, &write.declared_in, write.language)).or_default().add(write);
        }
        let named = |((entity, home, language), row): (Hand<'_>, Row)| {
            let is_alone = homes.get(entity).is_none_or(|homes| homes.len() < 2);
            let model = if is_alone { entity.to_owned() } else { format!("{entity} ({home})") };
            Row { model, language: Some(language), ..row }
        };
        let subjects = rows.into_iter().map(|((name, _), rows)| {
            let rows: Vec<Row> = rows.into_iter().map(named).collect();
            Subject { all: Row { model: name.to_owned(), ..Row::of(&rows) }, rows }
        });
        let subjects: Vec<Subject> = subjects.collect();
        let total = Row::of(subjects.iter().map(|subject| &subject.all));
        Inventory { subjects, total: Row { model: "total".to_owned(), ..total } }
    }

    fn rows(&self) -> impl Iterator<Item = &Row> {
        self.subjects.iter().flat_map(|subject| &subject.rows)
    }

    /// Every line of a table for people, each with its names: what is written, and below it who shares it.
    fn lines(&self, below: &str) -> Vec<(Vec<String>, &Row)> {
        let has_languages = self.languages() > 1;
        let names = |model: String, language: Option<Language>| -> Vec<String> {
            let language = language.map_or("", Language::word).to_owned();
            if has_languages { vec![model, language] } else { vec![model] }
        };
        let mut lines = Vec::new();
        for Subject { all, rows } in &self.subjects {
            if let [only] = &rows[..] {
                lines.push((names(only.model.clone(), only.language), only));
                continue;
            }
            lines.push((names(all.model.clone(), None), all));
            lines.extend(rows.iter().map(|row| (names(format!("{below}{}", row.model), row.language), row)));
        }
        lines
    }

    /// The heads of these lines.
    fn heads(&self) -> Vec<&'static str> {
        let names = if self.languages() > 1 { &["model", "language"][..] } else { &["model"][..] };
        names.iter().chain(&HEADS).copied().collect()
    }

    /// What its subjects are: where some are tables that are shared, all are.
    fn noun(&self) -> &'static str {
        if self.subjects.iter().any(|subject| subject.rows.len() > 1) { "table" } else { "model" }
    }

    /// In how many languages rows are written.
    fn languages(&self) -> usize {
        self.rows().filter_map(|row| row.language).collect::<BTreeSet<_>>().len()
    }
}

impl Row {
    /// What some rows count together.
    fn of<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Row {
        let mut whole = Row::default();
        for (&operation, more) in rows.into_iter().flat_map(|row| &row.cells) {
            let cell = whole.cells.entry(operation).or_default();
            cell.writes += more.writes;
            cell.stamped += more.stamped;
            for (&duty, standings) in &more.duties {
                for (&standing, number) in standings {
                    *cell.duties.entry(duty).or_default().entry(standing).or_default() += number;
                }
            }
        }
        whole
    }

    fn add(&mut self, write: &Write) {
        self.table.clone_from(&write.table);
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

const HEADS: [&str; 8] = ["create", "update", "delete", "set", "covered", "missing", "unknown", "coverage"];

/// As an aligned table for a terminal.
pub fn human(scan: &Scan) -> String {
    let inventory = Inventory::of(scan);
    if inventory.subjects.is_empty() {
        return format!("no writes in {}\n", count(Tally::of(scan).scanned, "file"));
    }
    let heads = inventory.heads();
    let names = heads.len() - HEADS.len();
    let line = |(names, row): (Vec<String>, &Row)| -> Vec<String> {
        names.iter().map(|name| terminal(name).into_owned()).chain(row.texts()).collect()
    };
    let mut lines: Vec<Vec<String>> = vec![heads.iter().map(|&head| head.to_owned()).collect()];
    lines.extend(inventory.lines("  ").into_iter().map(line));
    let mut total = vec![String::new(); names];
    total[0].clone_from(&inventory.total.model);
    lines.push(line((total, &inventory.total)));
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    let mut out = String::new();
    for line in &lines {
        let cell = |(column, (text, &width)): (usize, (&String, &usize))| {
            if column < names { format!("{text:<width$}") } else { format!("{text:>width$}") }
        };
        let cells: Vec<String> = line.iter().zip(&widths).enumerate().map(cell).collect();
        out.push_str(cells.join("  ").trim_end());
        out.push('\n');
    }
    out + "\n" + &closing(&inventory, scan.aside) + "\n"
}

/// As a table in Markdown.
pub fn render_markdown(scan: &Scan) -> String {
    let inventory = Inventory::of(scan);
    let mut out = String::from("# Inventory of writes\n\n");
    if inventory.subjects.is_empty() {
        return out + "No file writes rows.\n";
    }
    let heads = inventory.heads();
    let names = heads.len() - HEADS.len();
    let rule = " --- |".repeat(names) + &" ---: |".repeat(HEADS.len());
    out.push_str(&format!("| {} |\n|{rule}\n", heads.join(" | ")));
    for (names, row) in inventory.lines("– ") {
        let names: Vec<String> = names.iter().map(|name| markdown(name).to_string()).collect();
        out.push_str(&format!("| {} | {} |\n", names.join(" | "), row.texts().join(" | ")));
    }
    let beside = " |".repeat(names - 1);
    out.push_str(&format!("| **total** |{beside} {} |\n\n", inventory.total.texts().join(" | ")));
    out + &closing(&inventory, scan.aside) + "\n"
}

fn closing(inventory: &Inventory, aside: usize) -> String {
    let total = &inventory.total;
    let coverage = total.coverage().map_or_else(|| "-".to_owned(), percent);
    format!(
        "coverage {coverage}: {} of {} with every duty set or covered, {}",
        total.stamped(),
        count(total.writes(), "write"),
        count(inventory.subjects.len(), inventory.noun()),
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
        models: inventory.rows().map(JsonModel::of).collect(),
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
    table: Option<&'a str>,
    language: Option<&'static str>,
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
            table: row.table.as_deref(),
            language: row.language.map(Language::word),
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
        let [Subject { rows, .. }] = &inventory.subjects[..] else { panic!("one model: {inventory:?}") };
        let [row] = &rows[..] else { panic!("one row: {inventory:?}") };
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
        let other = &mut scan.files[0].writes[1];
        other.declared_in = "other/models.py".to_owned();
        other.table = None;
        let names: Vec<String> = Inventory::of(&scan).rows().map(|row| row.model.clone()).collect();
        assert_eq!(names, ["Job (other/models.py)", "Job (shop/models.py)"]);
        assert_eq!(Inventory::of(&scan).subjects.len(), 2);
    }

    #[test]
    fn a_table_that_is_shared_stands_above_those_who_share_it() {
        let mut scan = example::scan();
        let other = &mut scan.files[0].writes[1];
        other.entity = "jobs".to_owned();
        other.declared_in = "jobs.rs".to_owned();
        other.language = Language::Rust;
        assert_eq!(
            human(&scan),
            "\
model   language  create  update  delete  set  covered  missing  unknown  coverage
jobs                 0/2       -     1/1    3        1        1        1    33.3 %
  Job   python       0/2       -       -    1        1        1        1     0.0 %
  jobs  rust           -       -     1/1    2        0        0        0   100.0 %
total                0/2       -     1/1    3        1        1        1    33.3 %

coverage 33.3 %: 1 of 3 writes with every duty set or covered, 1 table; 4 writes in tests, migrations, seeds and scripts not counted
"
        );
        let text = render_markdown(&scan);
        assert!(
            text.contains("| model | language | create |") && text.contains("| **total** | | 0/2 |"),
            "{text}"
        );
        assert!(
            text.contains("| jobs |  | 0/2 |") && text.contains("| – jobs | rust | - | - | 1/1 |"),
            "{text}"
        );
        let document: Value = serde_json::from_str(&super::json(&scan)).expect("JSON");
        let rows: Vec<_> = document["models"].as_array().expect("rows").iter().collect();
        let names = rows.iter().map(|row| (&row["table"], &row["language"], &row["model"]));
        let jobs = json!("jobs");
        assert!(
            names.eq([(&jobs, &json!("python"), &json!("Job")), (&jobs, &json!("rust"), &json!("jobs"))]),
            "{document}"
        );
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
