//! project/schema/definition: what one statement does to tables and their columns.
//!
//! Words are looked for where they may stand, so that what a database adds to the language is passed over.

use std::collections::BTreeSet;

use sqlparser::tokenizer::Token;

use crate::sql::{begin_with, behind, dotted, is_word, listed, name, parts, qualified};

/// What a statement does.
#[derive(Debug)]
pub(super) enum Definition {
    /// Makes a table.
    Made {
        schema: Option<String>,
        table: String,
        columns: Vec<Said>,
        /// The tables whose columns it has, too.
        like: Vec<String>,
        /// `IF NOT EXISTS`.
        is_optional: bool,
    },
    /// Drops tables.
    Dropped(Vec<String>),
    /// Drops schemas with all that is in them.
    SchemaDropped(Vec<String>),
    /// Gives tables other names.
    Renamed(Vec<(String, String)>),
    /// Changes the columns of a table.
    Changed(String, Vec<Change>),
}

impl Definition {
    /// Whether it makes a table of one of these names.
    pub(super) fn makes_one_of(&self, known: &BTreeSet<String>) -> bool {
        matches!(self, Definition::Made { table, .. } if known.contains(table))
    }
}

/// What happens to a column.
#[derive(Debug)]
pub(super) enum Change {
    Add(Said),
    Drop(String),
    Rename(String, String),
    Redefine(String, Said),
    /// It has a default from now on, or none.
    Fill(String, bool),
    /// It takes no NULL from now on, or does.
    Require(String, bool),
}

/// What is said of a column.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) name: String,
    pub(super) is_filled: bool,
    pub(super) on_update: bool,
    pub(super) is_required: bool,
}

/// Reads a statement.
pub(super) fn read(tokens: &[Token]) -> Option<Definition> {
    let (verb, rest) = tokens.split_first()?;
    if is_word(verb, "CREATE") {
        return made(rest);
    }
    let [kind, rest @ ..] = rest else { return None };
    match (is_word(kind, "TABLE"), is_word(kind, "SCHEMA")) {
        (true, _) if is_word(verb, "DROP") => Some(Definition::Dropped(names(rest))),
        (true, _) if is_word(verb, "RENAME") => {
            let pair = |part: &&[Token]| {
                let (from, rest) = dotted(part)?;
                Some((from, dotted(rest.strip_prefix_word("TO")?)?.0))
            };
            Some(Definition::Renamed(parts(rest).iter().filter_map(pair).collect()))
        }
        (true, _) if is_word(verb, "ALTER") => altered(rest),
        (_, true) if is_word(verb, "DROP") => Some(Definition::SchemaDropped(names(rest))),
        _ => None,
    }
}

/// Tokens that may begin with a word.
trait Words {
    /// What follows the word, where they begin with it.
    fn strip_prefix_word(&self, word: &str) -> Option<&[Token]>;
}

impl Words for [Token] {
    fn strip_prefix_word(&self, word: &str) -> Option<&[Token]> {
        self.split_first().filter(|(first, _)| is_word(first, word)).map(|(_, rest)| rest)
    }
}

/// The names in a list that ends with words like `CASCADE`.
fn names(tokens: &[Token]) -> Vec<String> {
    let mut rest = tokens;
    let mut found = Vec::new();
    while let Some((name, after)) = dotted(rest) {
        found.push(name);
        match after {
            [Token::Comma, behind @ ..] => rest = behind,
            _ => break,
        }
    }
    found
}

/// `[UNLOGGED] TABLE name (…)`; what is temporary belongs to a session, and what is virtual is an index.
fn made(tokens: &[Token]) -> Option<Definition> {
    let before = ["OR", "REPLACE", "UNLOGGED", "FOREIGN"];
    let rest = behind(tokens, &before).strip_prefix_word("TABLE")?;
    let is_optional = begin_with(rest, &["IF", "NOT", "EXISTS"]);
    let (schema, table, rest) = qualified(rest)?;
    let mut columns = Vec::new();
    let mut like = Vec::new();
    if begin_with(rest, &["PARTITION", "OF"]) {
        like.extend(dotted(&rest[2..]).map(|(name, _)| name));
    } else if let Some((items, tail)) = listed(rest) {
        for item in items {
            match item.strip_prefix_word("LIKE") {
                Some(other) => like.extend(dotted(other).map(|(name, _)| name)),
                None if is_constraint(item) => {}
                None => columns.extend(column(item)),
            }
        }
        if let Some((parents, _)) = tail.strip_prefix_word("INHERITS").and_then(listed) {
            like.extend(parents.into_iter().filter_map(dotted).map(|(name, _)| name));
        }
    }
    Some(Definition::Made { schema, table, columns, like, is_optional })
}

/// Whether an item of a table is no column. Databases let columns have most of these names.
fn is_constraint(item: &[Token]) -> bool {
    let [first, rest @ ..] = item else { return true };
    let next = |words: &[&str]| {
        matches!(rest.first(), Some(Token::LParen))
            || rest.first().is_some_and(|token| words.iter().any(|word| is_word(token, word)))
    };
    let Token::Word(word) = first else { return false };
    if word.quote_style.is_some() {
        return false;
    }
    match word.value.to_ascii_uppercase().as_str() {
        "CONSTRAINT" => true,
        "PRIMARY" | "FOREIGN" => next(&["KEY"]),
        "UNIQUE" => next(&["KEY", "INDEX", "NULLS", "USING"]) || names_columns(rest),
        "CHECK" => next(&[]),
        "EXCLUDE" => next(&["USING"]),
        "PERIOD" => next(&["FOR"]),
        "FULLTEXT" | "SPATIAL" => next(&["KEY", "INDEX"]) || names_columns(rest),
        "KEY" | "INDEX" => names_columns(rest),
        _ => false,
    }
}

/// `name (column, …)`, and not `varchar(20)`.
fn names_columns(rest: &[Token]) -> bool {
    let list = match rest {
        [Token::LParen, list @ ..] | [_, Token::LParen, list @ ..] => list,
        _ => return false,
    };
    list.first().is_some_and(|first| name(first).is_some())
}

/// `name type …`.
fn column(item: &[Token]) -> Option<Said> {
    let (first, rest) = item.split_first()?;
    let mut said = Said { name: name(first)?, ..Said::default() };
    let serials = ["SERIAL", "BIGSERIAL", "SMALLSERIAL", "SERIAL2", "SERIAL4", "SERIAL8"];
    said.is_filled = rest.first().is_some_and(|kind| serials.iter().any(|serial| is_word(kind, serial)));
    let mut depth = 0_usize;
    for (at, token) in rest.iter().enumerate() {
        match token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            Token::Word(_) if depth == 0 => {
                let is = |word: &str| is_word(token, word);
                let before = |word: &str| at > 0 && is_word(&rest[at - 1], word);
                let after = &rest[at + 1..];
                if is("DEFAULT") && !before("SET") {
                    said.is_filled |= fills(after) && !before("BY");
                }
                said.is_filled |=
                    ["GENERATED", "IDENTITY", "AUTO_INCREMENT", "AUTOINCREMENT"].iter().any(|w| is(w))
                        || is("AS") && matches!(after.first(), Some(Token::LParen));
                said.is_required |=
                    is("NOT") && begin_with(after, &["NULL"]) || is("PRIMARY") && begin_with(after, &["KEY"]);
                let times = ["CURRENT_TIMESTAMP", "NOW", "LOCALTIME", "LOCALTIMESTAMP"];
                said.on_update |= is("UPDATE")
                    && before("ON")
                    && after.first().is_some_and(|value| times.iter().any(|time| is_word(value, time)));
            }
            _ => {}
        }
    }
    Some(said)
}

/// Whether what follows `DEFAULT` is a value.
fn fills(value: &[Token]) -> bool {
    value.first().is_some_and(|first| !is_word(first, "NULL"))
}

/// `name action, action`.
fn altered(tokens: &[Token]) -> Option<Definition> {
    let (table, rest) = dotted(tokens)?;
    for words in [&["RENAME", "TO"][..], &["RENAME", "AS"]] {
        if begin_with(rest, words) {
            return Some(Definition::Renamed(vec![(table, dotted(&rest[2..])?.0)]));
        }
    }
    Some(Definition::Changed(table, parts(rest).into_iter().flat_map(changes).collect()))
}

fn changes(action: &[Token]) -> Vec<Change> {
    let Some((verb, rest)) = action.split_first() else { return Vec::new() };
    let is_column = rest.first().is_some_and(|first| is_word(first, "COLUMN"));
    let rest = behind(rest, &["COLUMN", "IF", "NOT", "EXISTS"]);
    if !is_column && is_of_something_else(rest) {
        return Vec::new();
    }
    let verb = match verb {
        Token::Word(word) => word.value.to_ascii_uppercase(),
        _ => return Vec::new(),
    };
    match verb.as_str() {
        "ADD" => match listed(rest) {
            Some((items, _)) => items
                .into_iter()
                .filter(|item| !is_constraint(item))
                .filter_map(column)
                .map(Change::Add)
                .collect(),
            None => column(rest).map(Change::Add).into_iter().collect(),
        },
        verb => one_change(verb, rest).into_iter().collect(),
    }
}

/// Whether an action is about a constraint, an index and kin.
fn is_of_something_else(rest: &[Token]) -> bool {
    let others = ["CONSTRAINT", "PARTITION", "INDEX", "KEY", "TRIGGER", "RULE"];
    is_constraint(rest)
        || begin_with(rest, &["PRIMARY", "KEY"])
        || begin_with(rest, &["FOREIGN", "KEY"])
        // `DROP INDEX name`, but not `ADD key text` or `ALTER key SET NOT NULL`.
        || rest.len() == 2 && others.iter().any(|other| is_word(&rest[0], other))
}

fn one_change(verb: &str, rest: &[Token]) -> Option<Change> {
    let (first, rest) = rest.split_first()?;
    let name = name(first)?;
    match verb {
        "DROP" => Some(Change::Drop(name)),
        "RENAME" => {
            let to = rest.strip_prefix_word("TO")?.first()?;
            Some(Change::Rename(name, self::name(to)?))
        }
        "MODIFY" => {
            let said = column(&[std::slice::from_ref(first), rest].concat())?;
            Some(Change::Redefine(name, said))
        }
        "CHANGE" => Some(Change::Redefine(name, column(rest)?)),
        "ALTER" => match rest {
            [set, default, value @ ..] if is_word(set, "SET") && is_word(default, "DEFAULT") => {
                Some(Change::Fill(name, fills(value)))
            }
            [set, ..] if is_word(set, "SET") && begin_with(&rest[1..], &["NOT", "NULL"]) => {
                Some(Change::Require(name, true))
            }
            [drop, ..] if is_word(drop, "DROP") && begin_with(&rest[1..], &["NOT", "NULL"]) => {
                Some(Change::Require(name, false))
            }
            [add, generated, ..] if is_word(add, "ADD") && is_word(generated, "GENERATED") => {
                Some(Change::Fill(name, true))
            }
            [drop, what, ..] if is_word(drop, "DROP") => {
                let ends = ["DEFAULT", "IDENTITY", "EXPRESSION"].iter().any(|word| is_word(what, word));
                ends.then_some(Change::Fill(name, false))
            }
            _ => None,
        },
        _ => None,
    }
}
