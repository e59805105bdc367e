//! flow/trigger: triggers that the program makes in its database: which columns they fill, on which tables.
//!
//! A trigger is text that is run: by a migration, by a connection, or by a listener that waits for the table to be
//! made. One whose function is never attached to a table fills nothing.

use std::collections::BTreeSet;

use sqlparser::dialect::{GenericDialect, PostgreSqlDialect};
use sqlparser::tokenizer::{Token, Tokenizer};

use crate::facts::{Literal, StepId, StepKind, Term};
use crate::name::Name;
use crate::project::{FileId, FunctionId, Lookup, Project, Symbol};

use super::listener::Flush;
use super::{migration, sql};

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
    /// The function it calls.
    calls: Option<String>,
    /// The columns it fills.
    columns: BTreeSet<String>,
}

impl Trigger {
    /// Whether it fills a column of a table on this kind of write.
    pub(super) fn fills(&self, table: Name, column: Name, on: Flush) -> bool {
        let runs = match on {
            Flush::Insert => self.on_insert,
            Flush::Update => self.on_update,
        };
        runs && self.table == *table && self.columns.contains(&column.to_ascii_lowercase())
    }
}

/// What a text does to triggers.
#[derive(Debug)]
enum Told {
    Made(Trigger),
    Dropped(String),
    /// A function, and the columns of the new row it assigns.
    Function(String, BTreeSet<String>),
}

/// All triggers that are attached to a table when every migration has run.
pub(super) fn triggers(project: &Project) -> Vec<Trigger> {
    let migrations = migration::migrations(project);
    let mut told = Vec::new();
    for id in in_order(project, &migrations) {
        let is_migration = migrations.contains(&id.file);
        for text in texts_run(project, id) {
            // What a test or a script drops is there all the same when the service runs.
            let stays = |told: &Told| is_migration || !matches!(told, Told::Dropped(_));
            told.extend(read(&text).into_iter().filter(stays));
        }
    }
    let functions: Vec<(String, BTreeSet<String>)> = told
        .iter()
        .filter_map(|told| match told {
            Told::Function(name, columns) => Some((name.clone(), columns.clone())),
            _ => None,
        })
        .collect();
    let mut found: Vec<Trigger> = Vec::new();
    for told in told {
        match told {
            Told::Made(mut trigger) => {
                // What is assigned to the new row after it was written is lost.
                if let Some(called) = trigger.calls.as_ref().filter(|_| trigger.is_before) {
                    let body = functions.iter().rev().find(|(name, _)| name == called);
                    trigger.columns.extend(body.into_iter().flat_map(|(_, columns)| columns.clone()));
                }
                found.push(trigger);
            }
            Told::Dropped(name) => found.retain(|trigger| trigger.name != name),
            Told::Function(..) => {}
        }
    }
    found.retain(|trigger| !trigger.columns.is_empty());
    found
}

/// All functions, migrations first and oldest first, without those that take a migration back.
fn in_order(project: &Project, migrations: &[FileId]) -> Vec<FunctionId> {
    let others = project.function_ids().into_iter().filter(|id| !migrations.contains(&id.file));
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
        let what = (0..statement.len()).find(|&at| {
            ["TRIGGER", "FUNCTION", "PROCEDURE"].iter().any(|kind| is_word(&statement[at], kind))
        });
        let Some(what) = what else { continue };
        let rest = &statement[what + 1..];
        let is_trigger = is_word(&statement[what], "TRIGGER");
        if is_word(&statement[0], "DROP") {
            if let (true, Some((name, _))) = (is_trigger, dotted(rest)) {
                found.push(Told::Dropped(name));
            }
        } else if is_trigger {
            found.extend(trigger(rest).map(Told::Made));
        } else {
            found.extend(function(rest));
        }
    }
    found
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let postgres = Tokenizer::new(&PostgreSqlDialect {}, text).tokenize();
    let all = postgres.or_else(|_| Tokenizer::new(&GenericDialect {}, text).tokenize()).ok()?;
    Some(all.into_iter().filter(|token| !matches!(token, Token::Whitespace(_))).collect())
}

/// Whether a statement that makes or drops something begins here.
fn begins(tokens: &[Token], at: usize) -> bool {
    let is_verb = is_word(&tokens[at], "CREATE") || is_word(&tokens[at], "DROP");
    is_verb && (at == 0 || !matches!(tokens[at - 1], Token::Period))
}

fn is_word(token: &Token, wanted: &str) -> bool {
    matches!(token, Token::Word(word) if word.value.eq_ignore_ascii_case(wanted))
}

/// The last part of a dotted name, behind `IF NOT EXISTS`, and what follows it.
fn dotted(tokens: &[Token]) -> Option<(String, &[Token])> {
    let is_noise = |token: &&Token| ["IF", "NOT", "EXISTS"].iter().any(|word| is_word(token, word));
    let mut rest = &tokens[tokens.iter().take_while(is_noise).count()..];
    loop {
        let (Token::Word(word), after) = rest.split_first()? else { return None };
        match after {
            [Token::Period, behind @ ..] => rest = behind,
            _ => return Some((word.value.to_ascii_lowercase(), after)),
        }
    }
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
        // `UPDATE OF state` is silent when another column changes.
        on_update: says("UPDATE") && !says("OF"),
        calls: called,
        columns,
    })
}

/// `name() RETURNS trigger AS $$ … $$`.
fn function(tokens: &[Token]) -> Option<Told> {
    let (name, rest) = dotted(tokens)?;
    let body = rest.iter().find_map(|token| match token {
        Token::DollarQuotedString(quoted) => Some(quoted.value.clone()),
        Token::SingleQuotedString(text) if text.contains(';') => Some(text.clone()),
        _ => None,
    })?;
    Some(Told::Function(name, assigned_to_new(&self::tokens(&body)?)))
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
                format!("{} {on}: {}{calls}", trigger.table, list(&trigger.columns))
            }
            Told::Dropped(name) => format!("drops {name}"),
            Told::Function(name, columns) => format!("{name}(): {}", list(&columns)),
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
            ["touch(): updated_at updated_by", "drops jobs_touch", "jobs both:  calls touch"]
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
    fn what_comes_too_late_or_seldom_fills_nothing() {
        assert_eq!(
            told("CREATE TRIGGER t AFTER UPDATE ON jobs FOR EACH ROW SET NEW.updated_at = NOW()"),
            ["jobs update: "]
        );
        assert_eq!(
            told("CREATE TRIGGER t BEFORE UPDATE OF state ON jobs FOR EACH ROW SET NEW.updated_at = NOW()"),
            ["jobs none: updated_at"]
        );
    }
}
