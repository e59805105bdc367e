//! flow/trigger: triggers that the program makes in its database: which columns they fill, on which tables.
//!
//! A trigger is text that is run: by a migration, by a connection, or by a listener that waits for the table to be
//! made. One whose function is never attached to a table fills nothing.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use rustc_hash::FxHashSet;
use sqlparser::tokenizer::Token;

use crate::facts::{Literal, StepId, StepKind, Term};
use crate::name::Name;
use crate::project::{FileId, FunctionId, Lookup, Moved, Project, Symbol};
use crate::source::Language;
use crate::sql::{dotted, is_word, tokens};

use super::listener::Flush;
use super::{migration, sql};

/// What stands for the table in the text of a trigger that is made for any table.
const PLACE: &str = "the_table";

/// How far a text is followed to where it is written.
const DEEPEST: usize = 12;

/// A trigger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trigger {
    name: String,
    table: String,
    /// Whether it runs before the row is written.
    is_before: bool,
    on_insert: bool,
    on_update: bool,
    /// The columns that an update has to write for it to run; none where it runs for each.
    only_of: BTreeSet<String>,
    /// The function it calls.
    calls: Option<String>,
    /// The columns it fills.
    columns: BTreeSet<String>,
}

impl Trigger {
    /// Whether it fills a column of a table on this kind of write, which gives some columns values.
    pub(super) fn fills(&self, table: Name, column: Name, on: Flush, written: &BTreeSet<Name>) -> bool {
        let is_asked = || {
            self.only_of.is_empty()
                || written.iter().any(|name| self.only_of.contains(&name.to_ascii_lowercase()))
        };
        let runs = match on {
            Flush::Insert => self.on_insert,
            Flush::Update => self.on_update && is_asked(),
        };
        runs && self.table == *table && self.columns.contains(&column.to_ascii_lowercase())
    }
}

/// What a text does to triggers.
#[derive(Debug)]
enum Told {
    Made(Trigger),
    /// A trigger by its name, on a table where one is named: PostgreSQL lets two tables have the same.
    Dropped(String, Option<String>),
    Function(Function),
    /// A function is called with the name of a table.
    Called(String, String),
    /// A table is gone, and its triggers with it, or has another name.
    Moved(Moved),
}

/// A function of the database.
#[derive(Clone, Debug)]
struct Function {
    name: String,
    /// The columns of the new row it assigns.
    columns: BTreeSet<String>,
    /// The trigger it makes on the table it is called with.
    makes: Option<Trigger>,
}

/// What Diesel's own function for it makes, which in SQLite no text defines.
fn diesels() -> Function {
    let trigger = Trigger {
        name: "set_updated_at".to_owned(),
        is_before: true,
        on_update: true,
        columns: BTreeSet::from(["updated_at".to_owned()]),
        ..Trigger::default()
    };
    Function { name: "diesel_manage_updated_at".to_owned(), columns: BTreeSet::new(), makes: Some(trigger) }
}

/// All triggers that are attached to a table when every migration has run.
pub(super) fn triggers(project: &Project) -> Vec<Trigger> {
    let migrations = migration::migrations(project);
    let mut told = Vec::new();
    for &file in project.sql_files() {
        for (step, text) in project.sql_statements(file) {
            told.extend(project.sql_moved(file, step).iter().cloned().map(Told::Moved));
            told.extend(read(&text));
        }
    }
    let files: FxHashSet<FileId> = migrations.iter().copied().collect();
    let of_function = |id: FunctionId| -> Vec<Told> {
        // What a test or a script drops is there all the same when the service runs.
        let stays = |told: &Told| files.contains(&id.file) || !matches!(told, Told::Dropped(..));
        texts_run(project, id).iter().flat_map(|text| read(text)).filter(stays).collect()
    };
    let of_functions: Vec<Vec<Told>> =
        in_order(project, &migrations, &files).into_par_iter().map(of_function).collect();
    told.extend(of_functions.into_iter().flatten());
    let mut functions = BTreeMap::from([(diesels().name, diesels())]);
    for told in &told {
        if let Told::Function(function) = told {
            functions.insert(function.name.clone(), function.clone());
        }
    }
    let mut found: Vec<Trigger> = Vec::new();
    for told in told {
        match told {
            Told::Made(trigger) => found.push(trigger),
            Told::Called(name, table) => {
                let makes = functions.get(&name).and_then(|function| function.makes.clone());
                found.extend(makes.map(|trigger| Trigger { table, ..trigger }));
            }
            Told::Dropped(name, table) => {
                let is_it =
                    |one: &Trigger| one.name == name && table.as_ref().is_none_or(|t| one.table == *t);
                found.retain(|trigger| !is_it(trigger));
            }
            Told::Moved(Moved::Gone(table)) => found.retain(|trigger| trigger.table != table),
            Told::Moved(Moved::Renamed(from, to)) => {
                let of_table = found.iter_mut().filter(|trigger| trigger.table == from);
                of_table.for_each(|trigger| trigger.table.clone_from(&to));
            }
            Told::Function(_) => {}
        }
    }
    for trigger in &mut found {
        // What is assigned to the new row after it was written is lost.
        if let Some(called) = trigger.calls.as_ref().filter(|_| trigger.is_before) {
            let body = functions.get(called).map(|function| function.columns.clone());
            trigger.columns.extend(body.into_iter().flatten());
        }
    }
    found.retain(|trigger| !trigger.columns.is_empty());
    found.extend(by_columns(project));
    found
}

/// Columns that stamp an update by themselves, as MySQL's do.
fn by_columns(project: &Project) -> impl Iterator<Item = Trigger> + '_ {
    let stamping = project.sql_columns().filter(|(_, column)| column.on_update);
    stamping.map(|(table, column)| Trigger {
        table: table.to_string(),
        is_before: true,
        on_update: true,
        columns: BTreeSet::from([column.name.to_ascii_lowercase()]),
        ..Trigger::default()
    })
}

/// All functions, migrations first and oldest first, without those that take a migration back; SQL files have run.
fn in_order(project: &Project, migrations: &[FileId], files: &FxHashSet<FileId>) -> Vec<FunctionId> {
    let is_other = |id: &FunctionId| {
        let is_sql = project.file(id.file).source.language == Language::Sql;
        !is_sql && !files.contains(&id.file)
    };
    let others = project.function_ids().into_iter().filter(is_other);
    let upgrades = migrations.iter().flat_map(|&file| migration::upgrades(project, file));
    upgrades.chain(others).collect()
}

/// Texts about triggers that a function runs, or hands to a listener that runs them.
fn texts_run(project: &Project, id: FunctionId) -> Vec<String> {
    let function = project.function(id);
    let mut run = Vec::new();
    for step in &function.steps {
        let StepKind::Call { callee, arguments } = &step.kind else { continue };
        let name = match function.steps[*callee as usize].kind {
            StepKind::Attribute { name, .. } | StepKind::Name(name) => name,
            _ => continue,
        };
        if matches!(&*name, "execute" | "exec_driver_sql" | "executescript" | "listen") {
            run.extend(arguments.iter().map(|argument| argument.value));
        }
    }
    let found = texts(project, id, run);
    found.into_iter().filter(|text| speaks_of_triggers(text)).map(|text| sql::unescaped(&text)).collect()
}

fn speaks_of_triggers(text: &str) -> bool {
    text.as_bytes().windows(7).any(|window| window.eq_ignore_ascii_case(b"trigger"))
}

/// The texts that values are made from.
fn texts(project: &Project, id: FunctionId, mut waiting: Vec<StepId>) -> BTreeSet<Name> {
    let function = project.function(id);
    let mut found = BTreeSet::new();
    let mut seen = vec![false; function.steps.len()];
    // However many ways lead to a value, it is looked at once.
    let mut named = BTreeSet::new();
    while let Some(step) = waiting.pop() {
        if std::mem::replace(&mut seen[step as usize], true) {
            continue;
        }
        match &function.steps[step as usize].kind {
            StepKind::Literal(Literal::Text(text)) => drop(found.insert(*text)),
            StepKind::Name(name) if named.insert(*name) => match project.lookup(id, *name) {
                Lookup::Local => waiting.extend(function.bindings(*name)),
                Lookup::Global(Symbol::Variable(file, name)) => {
                    if let Some(value) = project.value_of(file, name) {
                        texts_of(project, file, value, 0, &mut found);
                    }
                }
                _ => {}
            },
            StepKind::Call { callee, arguments } => {
                waiting.push(*callee);
                waiting.extend(arguments.iter().map(|argument| argument.value));
            }
            StepKind::List(all) | StepKind::Either(all) | StepKind::Compute(all) => waiting.extend(all),
            StepKind::Attribute { of, .. }
            | StepKind::Index { of, .. }
            | StepKind::Part { of, .. }
            | StepKind::Element(of)
            | StepKind::Gather(of) => waiting.push(*of),
            _ => {}
        }
    }
    found
}

/// The texts in a declaring expression.
fn texts_of(project: &Project, file: FileId, term: &Term, depth: usize, found: &mut BTreeSet<Name>) {
    if depth > DEEPEST {
        return;
    }
    match term {
        Term::Text(text) => drop(found.insert(*text)),
        Term::List(all) => all.iter().for_each(|one| texts_of(project, file, one, depth + 1, found)),
        Term::Call { callee, arguments, .. } => {
            texts_of(project, file, callee, depth + 1, found);
            arguments.iter().for_each(|one| texts_of(project, file, one, depth + 1, found));
        }
        Term::Path(path) => {
            if let Some(Symbol::Variable(other, name)) = project.resolve_path(file, *path)
                && let Some(value) = project.value_of(other, name)
            {
                texts_of(project, other, value, depth + 1, found);
            }
        }
        _ => {}
    }
}

/// What a text says of triggers and their functions.
fn read(text: &str) -> Vec<Told> {
    let Some(tokens) = tokens(text) else { return Vec::new() };
    let mut found = Vec::new();
    let starts: Vec<usize> = (0..tokens.len()).filter(|&at| begins(&tokens, at)).collect();
    for (index, &start) in starts.iter().enumerate() {
        let end = starts.get(index + 1).copied().unwrap_or(tokens.len());
        let statement = &tokens[start..end];
        if is_word(&statement[0], "SELECT") {
            found.extend(called(&statement[1..]));
            continue;
        }
        let what = (0..statement.len()).find(|&at| {
            ["TRIGGER", "FUNCTION", "PROCEDURE"].iter().any(|kind| is_word(&statement[at], kind))
        });
        let Some(what) = what else { continue };
        let rest = &statement[what + 1..];
        let is_trigger = is_word(&statement[what], "TRIGGER");
        if is_word(&statement[0], "DROP") {
            if let (true, Some((name, rest))) = (is_trigger, dotted(rest)) {
                let on = rest.first().filter(|token| is_word(token, "ON")).and_then(|_| dotted(&rest[1..]));
                found.push(Told::Dropped(name, on.map(|(table, _)| table)));
            }
        } else if is_word(&statement[0], "CREATE") {
            if is_trigger {
                found.extend(trigger(rest).map(Told::Made));
            } else {
                found.extend(function(rest).map(Told::Function));
            }
        }
    }
    found
}

/// `SELECT name('table')`: a function that a program calls for what it does.
fn called(tokens: &[Token]) -> Option<Told> {
    let (name, rest) = dotted(tokens)?;
    let [Token::LParen, Token::SingleQuotedString(table), ..] = rest else { return None };
    let (table, _) = dotted(&self::tokens(table)?)?;
    Some(Told::Called(name, table))
}

/// Whether a statement that makes or drops something begins here.
fn begins(tokens: &[Token], at: usize) -> bool {
    let is_verb = is_word(&tokens[at], "CREATE") || is_word(&tokens[at], "DROP");
    if is_verb {
        return at == 0 || !matches!(tokens[at - 1], Token::Period);
    }
    // The body of a trigger may read something, too.
    at == 0 && is_word(&tokens[at], "SELECT")
}

/// `name BEFORE INSERT OR UPDATE ON table FOR EACH ROW …`.
fn trigger(tokens: &[Token]) -> Option<Trigger> {
    let (name, rest) = dotted(tokens)?;
    let on = rest.iter().position(|token| is_word(token, "ON"))?;
    let (head, (table, body)) = (&rest[..on], dotted(&rest[on + 1..])?);
    let says = |word: &str| head.iter().any(|token| is_word(token, word));
    let calls = body.iter().position(|token| is_word(token, "EXECUTE"));
    let called = calls.and_then(|at| body.get(at + 2..)).and_then(dotted).map(|(name, _)| name);
    let by_statement = body.windows(2).any(|two| is_word(&two[0], "EACH") && is_word(&two[1], "STATEMENT"));
    let is_before = says("BEFORE") && !by_statement;
    let mut columns = if is_before { assigned_to_new(body) } else { BTreeSet::new() };
    if says("AFTER") {
        columns.extend(updated(body, &table));
    }
    Some(Trigger {
        name,
        table,
        is_before,
        on_insert: says("INSERT"),
        on_update: says("UPDATE"),
        only_of: named_columns(head),
        calls: called,
        columns,
    })
}

/// The columns in `UPDATE OF state, price`: such a trigger is silent when another column changes.
fn named_columns(head: &[Token]) -> BTreeSet<String> {
    let behind = head.iter().skip_while(|token| !is_word(token, "OF")).skip(1);
    let listed = behind.take_while(|token| !is_word(token, "OR"));
    let column = |token: &Token| match token {
        Token::Word(word) => Some(word.value.to_ascii_lowercase()),
        _ => None,
    };
    listed.filter_map(column).collect()
}

/// `name() RETURNS trigger AS $$ … $$`.
fn function(tokens: &[Token]) -> Option<Function> {
    let (name, rest) = dotted(tokens)?;
    let body = rest.iter().find_map(|token| match token {
        Token::DollarQuotedString(quoted) => Some(quoted.value.clone()),
        Token::SingleQuotedString(text) if text.contains(';') => Some(text.clone()),
        _ => None,
    })?;
    let body = self::tokens(&body)?;
    Some(Function { name, columns: assigned_to_new(&body), makes: body.iter().find_map(made_for_table) })
}

/// `format('CREATE TRIGGER … ON %s …', name_of_table)`, which a function runs for the table it is called with.
fn made_for_table(token: &Token) -> Option<Trigger> {
    let Token::SingleQuotedString(text) = token else { return None };
    let is_template = speaks_of_triggers(text) && (text.contains("%s") || text.contains("%I"));
    let text = is_template.then(|| text.replace("%s", PLACE).replace("%I", PLACE))?;
    let tokens = tokens(&text)?;
    let what = tokens.iter().position(|token| is_word(token, "TRIGGER"))?;
    let makes = tokens.first().is_some_and(|verb| is_word(verb, "CREATE"));
    trigger(&tokens[what + 1..]).filter(|trigger| makes && trigger.table == PLACE)
}

/// `NEW.column = …` where a statement begins; elsewhere it compares.
fn assigned_to_new(tokens: &[Token]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut in_set = false;
    for at in 0..tokens.len() {
        in_set = match &tokens[at] {
            Token::SemiColon => false,
            token => in_set || is_word(token, "SET"),
        };
        let begins = match at.checked_sub(1).map(|before| &tokens[before]) {
            None | Some(Token::SemiColon) => true,
            Some(Token::Comma) => in_set,
            Some(before) => ["BEGIN", "THEN", "ELSE", "SET", "LOOP"].iter().any(|word| is_word(before, word)),
        };
        if let (true, Some([new, Token::Period, Token::Word(column), Token::Eq | Token::Assignment])) =
            (begins, tokens.get(at..at + 4))
            && is_word(new, "NEW")
        {
            found.insert(column.value.to_ascii_lowercase());
        }
    }
    found
}

/// The columns of `UPDATE table SET column = …` in a body, as SQLite writes its triggers.
fn updated(tokens: &[Token], table: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for at in (0..tokens.len()).filter(|&at| is_word(&tokens[at], "UPDATE")) {
        let Some((name, [set, rest @ ..])) = dotted(&tokens[at + 1..]) else { continue };
        if name != table || !is_word(set, "SET") {
            continue;
        }
        let (mut depth, mut begins) = (0_usize, true);
        for (here, token) in rest.iter().enumerate() {
            match token {
                Token::LParen => depth += 1,
                Token::RParen => depth = depth.saturating_sub(1),
                Token::SemiColon => break,
                token if depth == 0 && is_word(token, "WHERE") => break,
                Token::Word(column) if begins && matches!(rest.get(here + 1), Some(Token::Eq)) => {
                    found.insert(column.value.to_ascii_lowercase());
                }
                _ => {}
            }
            begins = depth == 0 && matches!(token, Token::Comma);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{Told, read};

    /// What a text tells, one line each.
    fn told(text: &str) -> Vec<String> {
        let list = |columns: &std::collections::BTreeSet<String>| {
            columns.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
        };
        let one = |told: Told| match told {
            Told::Made(trigger) => {
                let on = match (trigger.on_insert, trigger.on_update) {
                    (true, true) => "both",
                    (true, false) => "insert",
                    (false, true) => "update",
                    (false, false) => "none",
                };
                let calls = trigger.calls.map_or(String::new(), |name| format!(" calls {name}"));
                let of = if trigger.only_of.is_empty() { "" } else { " of " };
                let only_of = list(&trigger.only_of);
                format!("{} {on}{of}{only_of}: {}{calls}", trigger.table, list(&trigger.columns))
            }
            Told::Dropped(name, table) => {
                format!("drops {name}{}", table.map_or(String::new(), |table| format!(" on {table}")))
            }
            Told::Function(function) => {
                let makes = function.makes.map_or("", |_| " makes a trigger");
                format!("{}(): {}{makes}", function.name, list(&function.columns))
            }
            Told::Called(function, table) => format!("{function} of {table}"),
            Told::Moved(moved) => format!("{moved:?}"),
        };
        read(text).into_iter().map(one).collect()
    }

    #[test]
    fn postgresql_calls_a_function() {
        let text = "
            CREATE OR REPLACE FUNCTION touch() RETURNS trigger AS $$
            BEGIN
                IF NEW.state = OLD.state THEN RETURN NEW; END IF;
                NEW.updated_at = now();
                NEW.updated_by := current_user;
                RETURN NEW;
            END;
            $$ LANGUAGE plpgsql;
            DROP TRIGGER IF EXISTS jobs_touch ON jobs;
            CREATE TRIGGER jobs_touch BEFORE INSERT OR UPDATE ON public.jobs
            FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION touch();";
        assert_eq!(
            told(text),
            ["touch(): updated_at updated_by", "drops jobs_touch on jobs", "jobs both:  calls touch"]
        );
    }

    #[test]
    fn sqlite_updates_the_row_again() {
        let text = "CREATE TRIGGER IF NOT EXISTS jobs_touch AFTER UPDATE ON jobs BEGIN \
                    UPDATE jobs SET updated_at = coalesce(NULL, CURRENT_TIMESTAMP), n = 1 WHERE id = NEW.id; \
                    UPDATE other SET x = 1; END";
        assert_eq!(told(text), ["jobs update: n updated_at"]);
    }

    #[test]
    fn mysql_sets_the_new_row() {
        let text = "CREATE TRIGGER jobs_new BEFORE INSERT ON jobs FOR EACH ROW \
                    SET NEW.created_at = NOW(), NEW.updated_at = NOW()";
        assert_eq!(told(text), ["jobs insert: created_at updated_at"]);
    }

    #[test]
    fn functions_attach_triggers_to_the_table_they_are_called_with() {
        let text = "CREATE FUNCTION touch_all(name regclass) RETURNS void AS $$ BEGIN
            EXECUTE format('CREATE TRIGGER touch BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION touch()', name);
            END; $$ LANGUAGE plpgsql";
        assert_eq!(told(text), ["touch_all():  makes a trigger"]);
        assert_eq!(told("SELECT touch_all('\"order\"')"), ["touch_all of order"]);
        assert_eq!(
            told("select diesel_manage_updated_at('shop.jobs')"),
            ["diesel_manage_updated_at of jobs"]
        );
        assert_eq!(told("SELECT id FROM triggers WHERE name = f('x')"), [""; 0]);
    }

    #[test]
    fn what_comes_too_late_fills_nothing_and_what_comes_seldom_is_told_so() {
        assert_eq!(
            told("CREATE TRIGGER t AFTER UPDATE ON jobs FOR EACH ROW SET NEW.updated_at = NOW()"),
            ["jobs update: "]
        );
        assert_eq!(
            told("CREATE TRIGGER t BEFORE UPDATE OF state ON jobs FOR EACH ROW SET NEW.updated_at = NOW()"),
            ["jobs update of state: updated_at"]
        );
    }
}
