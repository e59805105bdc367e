//! history/schema: the tables of a history, brought up to date step by step.

use rusqlite::{Connection, ErrorCode, TransactionBehavior};

use super::HistoryError;

/// What marks a file of SQLite as a history: `trch` as a number.
const MARK: i64 = 0x7472_6368;

/// What each version adds to the one before; the first makes it from nothing.
const STEPS: &[&str] = &["
    CREATE TABLE scan (
        id INTEGER PRIMARY KEY,
        scope TEXT NOT NULL,
        revision TEXT NOT NULL,
        week TEXT NOT NULL,
        at TEXT NOT NULL,
        milliseconds INTEGER NOT NULL,
        version TEXT NOT NULL,
        outcome TEXT NOT NULL,
        files INTEGER NOT NULL,
        writes INTEGER NOT NULL,
        stamped INTEGER NOT NULL,
        errors INTEGER NOT NULL,
        reviews INTEGER NOT NULL,
        suppressed INTEGER NOT NULL,
        baselined INTEGER NOT NULL,
        gaps INTEGER NOT NULL,
        UNIQUE (scope, revision, week)
    ) STRICT;
    CREATE TABLE figure (
        scan INTEGER NOT NULL REFERENCES scan ON DELETE CASCADE,
        name TEXT NOT NULL,
        model TEXT,
        value REAL,
        sample INTEGER NOT NULL,
        least REAL,
        most REAL,
        min_sample INTEGER,
        range TEXT NOT NULL
    ) STRICT;
    CREATE INDEX figure_of_scan ON figure (scan);
    CREATE TABLE finding (
        scan INTEGER NOT NULL REFERENCES scan ON DELETE CASCADE,
        fingerprint TEXT NOT NULL,
        rule TEXT NOT NULL,
        severity TEXT NOT NULL,
        path TEXT NOT NULL,
        line INTEGER NOT NULL,
        function TEXT NOT NULL,
        message TEXT NOT NULL,
        is_open INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX finding_of_scan ON finding (scan);
"];

/// Makes the tables, or adds what they lack.
pub(super) fn bring_up_to_date(connection: &mut Connection, shown: &str) -> Result<(), HistoryError> {
    let known = STEPS.len() as i64;
    let fault = |fault: rusqlite::Error| explain(shown, &fault);
    if state(connection).map_err(fault)? == (MARK, known) {
        return Ok(());
    }
    // Another process may be at it, too: what is looked at is looked at again once nobody else writes.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fault)?;
    let (mark, version) = state(&transaction).map_err(fault)?;
    let tables: i64 =
        transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(fault)?;
    let is_new = mark == 0 && version == 0 && tables == 0;
    if mark != MARK && !is_new {
        return Err(HistoryError::Foreign(shown.to_owned()));
    }
    if version > known {
        return Err(HistoryError::Newer(shown.to_owned(), version, known));
    }
    let lacking = STEPS.iter().skip(usize::try_from(version).unwrap_or_default());
    for step in lacking {
        transaction.execute_batch(step).map_err(fault)?;
    }
    transaction.pragma_update(None, "application_id", MARK).map_err(fault)?;
    transaction.pragma_update(None, "user_version", known).map_err(fault)?;
    transaction.commit().map_err(fault)
}

/// The mark of a file and the version of its tables.
fn state(connection: &Connection) -> rusqlite::Result<(i64, i64)> {
    let ask = |name: &str| connection.pragma_query_value(None, name, |row| row.get(0));
    Ok((ask("application_id")?, ask("user_version")?))
}

/// Says what SQLite says in words that help.
pub(super) fn explain(shown: &str, fault: &rusqlite::Error) -> HistoryError {
    match fault.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => HistoryError::Foreign(shown.to_owned()),
        Some(ErrorCode::DatabaseBusy) => {
            let said = "another process has been writing to it for too long".to_owned();
            HistoryError::Database(shown.to_owned(), said)
        }
        _ => HistoryError::Database(shown.to_owned(), fault.to_string()),
    }
}
