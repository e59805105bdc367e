//! history: what each scan found, kept in one SQLite file, so that a team sees where it is going.
//!
//! A scan is known by what was scanned (its scope), the revision of the code and the week it was made in. The same
//! scan made again takes the place of the one before and does not count twice. SQLite sees to it that two processes
//! wait for each other, and that what was kept stays kept, whenever a process dies.

mod schema;

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, TransactionBehavior, params};
use thiserror::Error;

use crate::config::Bounds;
use crate::day::Day;
use crate::finding::{Finding, Scan};
use crate::metric::Measured;

/// How long a process waits for another that is writing.
const PATIENCE: Duration = Duration::from_secs(20);

/// A file of scans.
#[derive(Debug)]
pub struct History {
    shown: String,
    connection: Connection,
}

/// Why a history cannot be used.
#[derive(Debug, Error)]
pub enum HistoryError {
    /// It is a file of something else.
    #[error("`{0}` is not a history of trailcheck")]
    Foreign(String),
    /// A newer trailcheck has made it.
    #[error("`{0}` has version {1} of the history, and this trailcheck knows versions up to {2}")]
    Newer(String, i64, i64),
    /// SQLite says no.
    #[error("the history `{0}` cannot be used: {1}")]
    Database(String, String),
}

/// One scan, as it is known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// What was scanned: the roots, and the rules where not all of them ran.
    pub scope: String,
    /// The revision of the code.
    pub revision: String,
    /// The Monday of the week.
    pub week: String,
}

/// What is told of the run itself.
#[derive(Clone, Debug, PartialEq)]
pub struct RunFacts {
    /// When it began, in UTC: `YYYY-MM-DDTHH:MM:SSZ`.
    pub at: String,
    /// How long it took, in milliseconds.
    pub milliseconds: u64,
    /// The version of the program.
    pub version: String,
    /// How it ended, in a word.
    pub outcome: String,
}

/// The counts of a scan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Files that were scanned.
    pub files: u64,
    /// Writes.
    pub writes: u64,
    /// Writes with every duty set or covered.
    pub stamped: u64,
    /// Open errors.
    pub errors: u64,
    /// Open reviews.
    pub reviews: u64,
    /// Suppressed findings.
    pub suppressed: u64,
    /// Findings that a baseline accepts.
    pub baselined: u64,
    /// What could not be understood.
    pub gaps: u64,
}

/// A scan in the history.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its number.
    pub id: i64,
    /// What it is known by.
    pub key: Key,
    /// What is told of the run.
    pub run: RunFacts,
    /// What it counted.
    pub counts: Counts,
    /// Its figures.
    pub figures: Vec<Kept>,
}

/// A figure in the history.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// Its name.
    pub figure: String,
    /// The model it is about, where it is about one.
    pub model: Option<String>,
    /// Its value.
    pub value: Option<f64>,
    /// From how many things it is computed.
    pub sample: u64,
    /// The bounds of that time.
    pub bounds: Option<Bounds>,
    /// How it stood to them, in a word.
    pub range: String,
}

/// A finding in the history.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeptFinding {
    /// What it is known by.
    pub fingerprint: String,
    /// Its rule.
    pub rule: String,
    /// Its severity, in a word.
    pub severity: String,
    /// The path of its file.
    pub path: String,
    /// The 1-based line it had.
    pub line: u32,
    /// The function it is in.
    pub function: String,
    /// What the rule said.
    pub message: String,
    /// Whether it was open.
    pub is_open: bool,
}

/// What became of a scan that was handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It is a new one.
    Added,
    /// It has taken the place of the same scan.
    Replaced,
}

impl From<&Measured> for Kept {
    fn from(measured: &Measured) -> Kept {
        Kept {
            figure: measured.figure.word().to_owned(),
            model: measured.model.clone(),
            value: measured.value,
            sample: measured.sample,
            bounds: measured.bounds,
            range: measured.range().word().to_owned(),
        }
    }
}

impl Key {
    /// What a scan of this day is known by.
    pub fn new(scope: String, revision: String, day: Day) -> Key {
        Key { scope, revision, week: day.monday().to_string() }
    }
}

impl History {
    /// Opens a history, making it where there is none. It is called `shown` where something is wrong with it.
    ///
    /// # Errors
    /// When the file cannot be opened, is something else, or is newer than this program.
    pub fn open(path: &Path, shown: &str) -> Result<History, HistoryError> {
        let fault = |fault: rusqlite::Error| schema::explain(shown, &fault);
        let mut connection = Connection::open(path).map_err(fault)?;
        connection.busy_timeout(PATIENCE).map_err(fault)?;
        connection.pragma_update(None, "foreign_keys", true).map_err(fault)?;
        schema::bring_up_to_date(&mut connection, shown)?;
        Ok(History { shown: shown.to_owned(), connection })
    }

    /// Its path as it is shown.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Keeps a scan; all of it or nothing.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn record(
        &mut self,
        key: &Key,
        run: &RunFacts,
        counts: Counts,
        measured: &[Measured],
        scan: &Scan,
    ) -> Result<Recorded, HistoryError> {
        let shown = self.shown.clone();
        let kept = (|| {
            let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let before: Option<i64> = transaction
                .query_row(
                    "SELECT id FROM scan WHERE scope = ?1 AND revision = ?2 AND week = ?3",
                    params![key.scope, key.revision, key.week],
                    |row| row.get(0),
                )
                .optional()?;
            if let Some(before) = before {
                transaction.execute("DELETE FROM scan WHERE id = ?1", [before])?;
            }
            let id = insert(&transaction, key, run, counts)?;
            insert_figures(&transaction, id, measured)?;
            insert_findings(&transaction, id, scan)?;
            transaction.commit()?;
            Ok(if before.is_some() { Recorded::Replaced } else { Recorded::Added })
        })();
        kept.map_err(|fault: rusqlite::Error| schema::explain(&shown, &fault))
    }

    /// All scans, oldest first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn entries(&self) -> Result<Vec<Entry>, HistoryError> {
        self.read(|connection| {
            let mut statement = connection.prepare(
                "SELECT id, scope, revision, week, at, milliseconds, version, outcome, files, writes, stamped, errors, \
                 reviews, suppressed, baselined, gaps FROM scan ORDER BY at, id",
            )?;
            let mut entries: Vec<Entry> = statement.query_map([], entry)?.collect::<Result<_, _>>()?;
            let mut statement = connection.prepare(
                "SELECT name, model, value, sample, least, most, min_sample, range FROM figure WHERE scan = ?1 \
                 ORDER BY rowid",
            )?;
            for entry in &mut entries {
                entry.figures = statement.query_map([entry.id], figure)?.collect::<Result<_, _>>()?;
            }
            Ok(entries)
        })
    }

    /// The findings of a scan.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn findings(&self, id: i64) -> Result<Vec<KeptFinding>, HistoryError> {
        self.read(|connection| {
            let mut statement = connection.prepare(
                "SELECT fingerprint, rule, severity, path, line, function, message, is_open FROM finding WHERE scan = ?1 ORDER BY rowid",
            )?;
            statement.query_map([id], finding)?.collect()
        })
    }

    fn read<T>(&self, ask: impl Fn(&Connection) -> rusqlite::Result<T>) -> Result<T, HistoryError> {
        ask(&self.connection).map_err(|fault| schema::explain(&self.shown, &fault))
    }
}

fn insert(into: &Transaction<'_>, key: &Key, run: &RunFacts, counts: Counts) -> rusqlite::Result<i64> {
    into.execute(
        "INSERT INTO scan (scope, revision, week, at, milliseconds, version, outcome, files, writes, stamped, errors, \
         reviews, suppressed, baselined, gaps) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        params![
            key.scope,
            key.revision,
            key.week,
            run.at,
            run.milliseconds,
            run.version,
            run.outcome,
            counts.files,
            counts.writes,
            counts.stamped,
            counts.errors,
            counts.reviews,
            counts.suppressed,
            counts.baselined,
            counts.gaps,
        ],
    )?;
    Ok(into.last_insert_rowid())
}

fn insert_figures(into: &Transaction<'_>, id: i64, measured: &[Measured]) -> rusqlite::Result<()> {
    let mut statement = into.prepare(
        "INSERT INTO figure (scan, name, model, value, sample, least, most, min_sample, range) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    for one in measured {
        statement.execute(params![
            id,
            one.figure.word(),
            one.model,
            one.value,
            one.sample,
            one.bounds.and_then(|bounds| bounds.min),
            one.bounds.and_then(|bounds| bounds.max),
            one.bounds.map(|bounds| bounds.min_sample),
            one.range().word(),
        ])?;
    }
    Ok(())
}

fn insert_findings(into: &Transaction<'_>, id: i64, scan: &Scan) -> rusqlite::Result<()> {
    let mut statement = into.prepare(
        "INSERT INTO finding (scan, fingerprint, rule, severity, path, line, function, message, is_open) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    for (file, found) in scan.files.iter().flat_map(|file| file.findings.iter().map(move |one| (file, one))) {
        let Finding { fingerprint, rule, severity, function, message, .. } = found;
        let line = file.source.line(found.place.span.start);
        let path = file.source.display_path();
        statement.execute(params![
            id,
            fingerprint,
            rule,
            severity.word(),
            path,
            line,
            function,
            message,
            found.is_open()
        ])?;
    }
    Ok(())
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        id: row.get(0)?,
        key: Key { scope: row.get(1)?, revision: row.get(2)?, week: row.get(3)? },
        run: RunFacts {
            at: row.get(4)?,
            milliseconds: row.get(5)?,
            version: row.get(6)?,
            outcome: row.get(7)?,
        },
        counts: Counts {
            files: row.get(8)?,
            writes: row.get(9)?,
            stamped: row.get(10)?,
            errors: row.get(11)?,
            reviews: row.get(12)?,
            suppressed: row.get(13)?,
            baselined: row.get(14)?,
            gaps: row.get(15)?,
        },
        figures: Vec::new(),
    })
}

fn figure(row: &Row<'_>) -> rusqlite::Result<Kept> {
    let min_sample: Option<u64> = row.get(6)?;
    let (min, max) = (row.get(4)?, row.get(5)?);
    Ok(Kept {
        figure: row.get(0)?,
        model: row.get(1)?,
        value: row.get(2)?,
        sample: row.get(3)?,
        bounds: min_sample.map(|min_sample| Bounds { min, max, min_sample }),
        range: row.get(7)?,
    })
}

fn finding(row: &Row<'_>) -> rusqlite::Result<KeptFinding> {
    Ok(KeptFinding {
        fingerprint: row.get(0)?,
        rule: row.get(1)?,
        severity: row.get(2)?,
        path: row.get(3)?,
        line: row.get(4)?,
        function: row.get(5)?,
        message: row.get(6)?,
        is_open: row.get(7)?,
    })
}
