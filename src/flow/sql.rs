//! flow/sql: SQL text as a database reads it: which tables it writes, and which columns it gives values.
//!
//! Nobody says which database a text is for, so the dialects are tried in turn. Text that none of them takes says
//! nothing: what it does stays unknown.

use std::collections::BTreeSet;

use sqlparser::ast::{
    Assignment, AssignmentTarget, Delete, Expr, FromTable, Insert, ObjectName, OnConflictAction, OnInsert,
    Query, SetExpr, Statement, TableFactor, TableObject, TableWithJoins, Update, Value,
};
use sqlparser::dialect::{Dialect, GenericDialect, MySqlDialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::Parser;

use crate::duty::Operation;
use crate::name::Name;

use super::value::Keys;

/// The longest text that is read; what is longer is data.
const LONGEST: usize = 1 << 16;

/// How deep brackets may nest: parsers try some things twice at every level.
const DEEPEST: usize = 24;

/// One write that a text does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written {
    /// What it does.
    pub(super) operation: Operation,
    /// The table, in lower case and without its schema.
    pub(super) table: Name,
    /// The columns it gives values.
    pub(super) keys: Keys,
    /// The columns that the conflict branch of an upsert gives values.
    pub(super) on_conflict: Option<Keys>,
}

/// Words with which a text begins that defines what rows stand in, or sets the connection up, and writes none.
const DEFINING: &[&str] = &[
    "alter", "analyze", "comment", "create", "drop", "grant", "pragma", "reindex", "revoke", "set", "vacuum",
];

/// Whether a text defines tables, triggers and kin. Of several statements in one text the others may write.
pub(super) fn defines(text: &str) -> bool {
    let text = without_comments(text);
    let word = first_word(text);
    let is_alone = || !text.trim_end().trim_end_matches(';').contains(';');
    // The statements in the body of a trigger or a procedure run later.
    let has_body =
        || ["trigger", "function", "procedure"].iter().any(|kind| text.to_ascii_lowercase().contains(kind));
    DEFINING.contains(&&*word) && (is_alone() || word == "create" && has_body())
}

fn first_word(text: &str) -> String {
    let word: String = text.chars().take_while(char::is_ascii_alphabetic).collect();
    word.to_ascii_lowercase()
}

/// Whether a text begins as one that writes.
pub(super) fn seems_to_write(text: &str) -> bool {
    let first = without_comments(text);
    match first_word(first).as_str() {
        "insert" | "update" | "delete" | "replace" => true,
        // What the named queries in front do, and what follows them, only reading it tells.
        "with" => {
            let lower = first.to_ascii_lowercase();
            ["insert into", "update ", "delete from"].iter().any(|verb| lower.contains(verb))
        }
        _ => false,
    }
}

/// The writes of a text, in order; `None` when no dialect can read it.
pub(super) fn written(text: &str) -> Option<Vec<Written>> {
    if !seems_to_write(text) || text.len() > LONGEST {
        return None;
    }
    let text = with_plain_parameters(&unescaped(text));
    if nesting(&text) > DEEPEST {
        return None;
    }
    let dialects: [&dyn Dialect; 4] =
        [&PostgreSqlDialect {}, &MySqlDialect {}, &SQLiteDialect {}, &GenericDialect {}];
    let statements = dialects.into_iter().find_map(|dialect| Parser::parse_sql(dialect, &text).ok())?;
    let mut found = Vec::new();
    for statement in &statements {
        of_statement(statement, &mut found)?;
    }
    Some(found)
}

fn of_statement(statement: &Statement, found: &mut Vec<Written>) -> Option<()> {
    match statement {
        Statement::Insert(insert) => {
            if let Some(source) = &insert.source {
                of_query(source, found)?;
            }
            found.push(of_insert(insert)?);
        }
        Statement::Update(update) => found.push(of_update(update)?),
        Statement::Delete(delete) => found.push(of_delete(delete)?),
        Statement::Query(query) => of_query(query, found)?,
        Statement::Merge(_) => return None,
        _ => {}
    }
    Some(())
}

/// PostgreSQL lets the named queries of `WITH` write.
fn of_query(query: &Query, found: &mut Vec<Written>) -> Option<()> {
    for named in query.with.iter().flat_map(|with| &with.cte_tables) {
        of_query(&named.query, found)?;
    }
    match &*query.body {
        SetExpr::Insert(inner) | SetExpr::Update(inner) | SetExpr::Delete(inner) | SetExpr::Merge(inner) => {
            of_statement(inner, found)
        }
        _ => Some(()),
    }
}

fn of_insert(insert: &Insert) -> Option<Written> {
    let TableObject::TableName(table) = &insert.table else { return None };
    let columns = insert.columns.iter().map(last).collect::<Option<BTreeSet<Name>>>()?;
    let sure: BTreeSet<Name> = columns.into_iter().chain(assigned(&insert.assignments)?).collect();
    // Without a list every column gets a value, in the order of the table.
    let is_open = sure.is_empty();
    let on_conflict = match &insert.on {
        Some(OnInsert::DuplicateKeyUpdate(assignments)) => Some(assigned(assignments)?),
        Some(OnInsert::OnConflict(conflict)) => match &conflict.action {
            OnConflictAction::DoUpdate(update) => Some(assigned(&update.assignments)?),
            OnConflictAction::DoNothing => None,
        },
        _ => None,
    };
    let on_conflict =
        on_conflict.map(|sure| Keys { none: emptied(conflict_assignments(insert)), sure, ..Keys::default() });
    let mut none = emptied(&insert.assignments);
    // A list of values names what each of the listed columns gets.
    if let Some(SetExpr::Values(values)) = insert.source.as_deref().map(|source| &*source.body)
        && let [row] = &values.rows[..]
    {
        let pairs = insert.columns.iter().zip(row.iter());
        none.extend(pairs.filter(|(_, value)| is_null(value)).filter_map(|(column, _)| last(column)));
    }
    let keys = Keys { sure, none, is_open, ..Keys::default() };
    Some(Written { operation: Operation::Create, table: last(table)?, keys, on_conflict })
}

fn of_update(update: &Update) -> Option<Written> {
    let none = emptied(&update.assignments);
    let keys = Keys { sure: assigned(&update.assignments)?, none, ..Keys::default() };
    let table = only_table(&update.table)?;
    Some(Written { operation: Operation::Update, table, keys, on_conflict: None })
}

fn of_delete(delete: &Delete) -> Option<Written> {
    let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
    let table = match (&delete.tables[..], &from[..]) {
        ([], [table]) => only_table(table)?,
        _ => return None,
    };
    Some(Written { operation: Operation::Delete, table, keys: Keys::default(), on_conflict: None })
}

/// The one table that is named; of joined ones nothing says whose columns are meant.
fn only_table(table: &TableWithJoins) -> Option<Name> {
    match &table.relation {
        TableFactor::Table { name, .. } if table.joins.is_empty() => last(name),
        _ => None,
    }
}

fn assigned(assignments: &[Assignment]) -> Option<BTreeSet<Name>> {
    let mut columns = BTreeSet::new();
    for assignment in assignments {
        match &assignment.target {
            AssignmentTarget::ColumnName(name) => drop(columns.insert(last(name)?)),
            AssignmentTarget::Tuple(names) => {
                for name in names {
                    columns.insert(last(name)?);
                }
            }
        }
    }
    Some(columns)
}

/// The columns that are set to NULL.
fn emptied(assignments: &[Assignment]) -> BTreeSet<Name> {
    let column = |assignment: &Assignment| match &assignment.target {
        AssignmentTarget::ColumnName(name) if is_null(&assignment.value) => last(name),
        _ => None,
    };
    assignments.iter().filter_map(column).collect()
}

fn conflict_assignments(insert: &Insert) -> &[Assignment] {
    match &insert.on {
        Some(OnInsert::DuplicateKeyUpdate(assignments)) => assignments,
        Some(OnInsert::OnConflict(conflict)) => match &conflict.action {
            OnConflictAction::DoUpdate(update) => &update.assignments,
            OnConflictAction::DoNothing => &[],
        },
        _ => &[],
    }
}

fn is_null(value: &Expr) -> bool {
    matches!(value, Expr::Value(value) if value.value == Value::Null)
}

/// The last part of a dotted name, in lower case as databases compare them.
fn last(name: &ObjectName) -> Option<Name> {
    let part = name.0.last()?.as_ident()?;
    Some(Name::new(&part.value.to_ascii_lowercase()))
}

fn without_comments(text: &str) -> &str {
    let mut rest = text.trim_start();
    loop {
        rest = if let Some(line) = rest.strip_prefix("--") {
            line.split_once('\n').map_or("", |(_, rest)| rest)
        } else if let Some(comment) = rest.strip_prefix("/*") {
            comment.split_once("*/").map_or("", |(_, rest)| rest)
        } else {
            return rest.trim_start_matches(['(', ';']).trim_start();
        }
        .trim_start();
    }
}

/// The text as the language that quotes it means it: facts keep strings as they are written.
pub(super) fn unescaped(text: &str) -> String {
    let mut found = String::with_capacity(text.len());
    let mut all = text.chars();
    while let Some(char) = all.next() {
        if char != '\\' {
            found.push(char);
            continue;
        }
        match all.next() {
            Some('n' | 't' | 'r') => found.push(' '),
            // A line that goes on.
            Some('\n') | None => {}
            // `\:` keeps a colon from being a parameter.
            Some(other) => found.push(other),
        }
    }
    found
}

/// `%s` and `%(name)s`, which drivers replace before a database reads the text, as parameters that it could read.
fn with_plain_parameters(text: &str) -> String {
    let mut found = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        found.push_str(before);
        let named = after.strip_prefix('(').and_then(|inner| inner.split_once(")s")).map(|(_, rest)| rest);
        rest = match after.strip_prefix('s').or(named) {
            Some(rest) => {
                found.push_str(":p");
                rest
            }
            None => {
                found.push('%');
                after
            }
        };
    }
    found + rest
}

fn nesting(text: &str) -> usize {
    let mut deepest = 0;
    let mut depth: usize = 0;
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::{seems_to_write, written};

    /// The writes of a text as one line each.
    fn told(text: &str) -> Vec<String> {
        let keys = |keys: &super::Keys| {
            let mut names: Vec<&str> = keys.sure.iter().map(|name| name.as_str()).collect();
            names.sort_unstable();
            if keys.is_open { "?".to_owned() } else { names.join(" ") }
        };
        let one = |written: super::Written| {
            let upsert = written.on_conflict.map_or(String::new(), |other| format!(" / {}", keys(&other)));
            format!("{} {}: {}{upsert}", written.operation.word(), written.table, keys(&written.keys))
        };
        written(text).unwrap_or_default().into_iter().map(one).collect()
    }

    #[test]
    fn inserts_name_their_columns() {
        assert_eq!(
            told("INSERT INTO jobs (state, created_at) VALUES (:state, now())"),
            ["create jobs: created_at state"]
        );
        assert_eq!(told("insert into public.\"Jobs\" (State) select state from old"), ["create jobs: state"]);
        assert_eq!(told("INSERT INTO jobs VALUES (1, 2)"), ["create jobs: ?"]);
        assert_eq!(told("INSERT INTO jobs SET state = 'new'"), ["create jobs: state"]);
        assert_eq!(told("REPLACE INTO jobs (id) VALUES (?)"), ["create jobs: id"]);
        assert_eq!(told("INSERT OR IGNORE INTO jobs (id) VALUES (%(id)s)"), ["create jobs: id"]);
    }

    #[test]
    fn updates_and_deletes_name_one_table() {
        assert_eq!(
            told("UPDATE jobs AS j SET state = 'x', updated_at = NOW() WHERE j.id = :id"),
            ["update jobs: state updated_at"]
        );
        assert_eq!(
            told("UPDATE jobs SET (state, updated_at) = ('x', now())"),
            ["update jobs: state updated_at"]
        );
        assert_eq!(
            told("UPDATE jobs SET state = 'x' FROM other WHERE other.id = jobs.id"),
            ["update jobs: state"]
        );
        assert_eq!(told("DELETE FROM jobs WHERE id = %s"), ["delete jobs: "]);
        assert_eq!(
            told("DELETE FROM jobs USING other WHERE other.id = jobs.id RETURNING jobs.id"),
            ["delete jobs: "]
        );
        // Whose column is it?
        assert_eq!(told("UPDATE jobs JOIN other ON other.id = jobs.id SET state = 'x'"), [""; 0]);
    }

    #[test]
    fn upserts_have_a_branch_of_their_own() {
        let text = "INSERT INTO jobs (id, state) VALUES ($1, $2) \
                    ON CONFLICT (id) DO UPDATE SET state = EXCLUDED.state";
        assert_eq!(told(text), ["create jobs: id state / state"]);
        let text = "INSERT INTO jobs (id) VALUES (1) ON CONFLICT DO NOTHING";
        assert_eq!(told(text), ["create jobs: id"]);
        let text = "INSERT INTO jobs (id) VALUES (1) ON DUPLICATE KEY UPDATE state = VALUES(state)";
        assert_eq!(told(text), ["create jobs: id / state"]);
    }

    #[test]
    fn named_queries_may_write_too() {
        let text = "WITH gone AS (DELETE FROM jobs WHERE id < 9 RETURNING *) \
                    INSERT INTO archive (id) SELECT id FROM gone";
        assert_eq!(told(text), ["delete jobs: ", "create archive: id"]);
        assert!(!seems_to_write("WITH updated AS (SELECT 1) SELECT * FROM updated"));
    }

    #[test]
    fn what_cannot_be_read_says_nothing() {
        for text in ["", "SELECT 1", "UPDATE", "DELETE jobs WHERE", "INSERT INTO", "update your profile"] {
            assert_eq!(written(text).unwrap_or_default(), [], "{text}");
        }
        let deep = |depth: usize, open: &str| {
            written(&format!("UPDATE jobs SET a = {}1{}", open.repeat(depth), ")".repeat(depth)))
        };
        assert_eq!(deep(5000, "("), None);
        // As deep as is read at all, in forms that a parser tries twice: the answer may be none, but it comes.
        for open in ["(", "((SELECT ", "f(", "(1, ", "CASE WHEN (", "CAST("] {
            let _ = deep(super::DEEPEST / open.matches('(').count(), open);
        }
    }

    #[test]
    fn comments_and_escapes_are_no_obstacle() {
        assert_eq!(told("-- why\n/* what */ UPDATE jobs\\n SET state = \\'x\\'"), ["update jobs: state"]);
    }
}
