//! mutation/text: columns in SQL: in the texts of a program in Rust, and in the files that make its tables.

use std::collections::BTreeSet;
use std::iter::once;
use std::ops::Range;

use trailcheck::facts::{FileFacts, FunctionKind};
use trailcheck::source::{Language, Source, Span};
use trailcheck::token;

use super::place::{Kind, Place, Words};

/// Columns in texts of SQL: one of a list with its value, or one that is assigned to.
pub(super) fn columns(file: usize, text: &str, facts: &FileFacts, words: &Words<'_>) -> Vec<Place> {
    let (whole, mut found) = (text, Vec::new());
    for token in token::tokens(whole).filter(|token| token.kind == token::Kind::Text) {
        let start = token.span.start as usize;
        let text = &whole[token.span.range()];
        for (at, name) in names(text) {
            let Some(duty) = words.fields.duty(name) else { continue };
            let Some(edits) = in_list(text, at).or_else(|| assigned(text, at, name.len())) else { continue };
            let moved = |gone: Range<usize>| (start + gone.start..start + gone.end, String::new());
            let span = start + at..start + at + name.len();
            found.push(Place {
                file,
                kind: Kind::Store,
                function: function_around(facts, &span),
                duties: BTreeSet::from([duty]),
                suite: token.span.range(),
                span,
                name: String::new(),
                handler: None,
                edits: edits.into_iter().map(moved).collect(),
            });
        }
    }
    found
}

/// What the database fills by itself, in files of SQL: defaults and triggers, each under the name of its table. They may
/// stand in for a stamp.
pub(super) fn fillers<'a>(files: impl Iterator<Item = &'a Source>, words: &Words<'_>) -> Vec<Place> {
    let mut found = Vec::new();
    for (file, source) in files.enumerate().filter(|(_, source)| source.language == Language::Sql) {
        let (mut table, mut at) = ("", 0);
        for line in source.text.split_inclusive('\n') {
            let words_of: Vec<(usize, &str)> = names(line).collect();
            for pair in words_of.windows(2) {
                if matches!(pair[0].1, "TABLE" | "UPDATE" | "ON") {
                    table = pair[1].1;
                }
            }
            for &(column, name) in &words_of {
                let Some(duty) = words.fields.duty(name) else { continue };
                let edit = match line.find(" DEFAULT ") {
                    Some(default) => {
                        let end = line.trim_end().trim_end_matches(',').len();
                        (default..end, "")
                    }
                    None if line[column..].contains('=') => (column..column + name.len(), "unheard_of"),
                    None => continue,
                };
                let span = at + edit.0.start..at + edit.0.end;
                found.push(Place {
                    file,
                    kind: Kind::Standby,
                    function: "<module>".to_owned(),
                    duties: BTreeSet::from([duty]),
                    suite: span.clone(),
                    name: table.to_owned(),
                    handler: None,
                    edits: vec![(span.clone(), edit.1.to_owned())],
                    span,
                });
            }
            at += line.len();
        }
    }
    found
}

/// The qualified name of the innermost function around a place.
pub(super) fn function_around(facts: &FileFacts, span: &Range<usize>) -> String {
    let span = Span::new(span.clone());
    let functions = facts.functions.iter();
    let around = functions.filter(|f| f.kind == FunctionKind::Function && f.span.contains(span));
    let innermost = around.min_by_key(|function| function.span.end - function.span.start);
    innermost.map_or_else(|| "<module>".to_owned(), |function| function.qualname.clone())
}

/// The words of a text that no point stands before.
fn names(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part = |char: char| char.is_alphanumeric() || char == '_';
    text.split(move |char: char| !is_part(char)).filter(|word| !word.is_empty()).filter_map(move |word| {
        let at = word.as_ptr() as usize - text.as_ptr() as usize;
        let is_of_another = text[..at].trim_end_matches('"').ends_with('.');
        (!is_of_another).then_some((at, word))
    })
}

/// A column in the list of an `INSERT`, with the value that stands for it.
fn in_list(text: &str, at: usize) -> Option<Vec<Range<usize>>> {
    let insert = text.find("INSERT INTO")?;
    let open = insert + text[insert..].find('(')?;
    let columns = parts(text, open)?;
    let number = columns.iter().position(|part| part.contains(&at))?;
    let mut gone = vec![with_comma(text, &columns, number)];
    let behind = columns.last()?.end;
    if let Some(values) = text[behind..].find("VALUES") {
        let values = behind + values;
        let values = parts(text, values + text[values..].find('(')?)?;
        gone.push(with_comma(text, &values, number));
    }
    Some(gone)
}

/// A column that is assigned to, with its value.
fn assigned(text: &str, at: usize, length: usize) -> Option<Vec<Range<usize>>> {
    let behind = text[at + length..].trim_start_matches(['"', '\\', ' ']);
    if !behind.starts_with('=') {
        return None;
    }
    let value = text.len() - behind.len();
    let ends = [",", " WHERE", "\n", " RETURNING", " ON ", "\"#"];
    let end = ends.iter().filter_map(|end| text[value..].find(end)).min().map(|end| value + end);
    let end = end.unwrap_or_else(|| text.trim_end_matches('"').len());
    let before = text[..at].trim_end_matches(['"', '\\', ' ']);
    let quoted = if text[..at].ends_with('"') && at > 1 { at - 1 } else { at };
    match before.strip_suffix(',') {
        Some(kept) => Some(once(kept.len()..end).collect()),
        None if before.ends_with("SET") && text[end..].starts_with(',') => {
            Some(once(quoted..end + 1).collect())
        }
        None => None,
    }
}

/// The parts of a list, from its bracket on.
fn parts(text: &str, open: usize) -> Option<Vec<Range<usize>>> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0_usize, open + 1);
    for (at, char) in text[open..].char_indices().map(|(at, char)| (open + at, char)) {
        match char {
            '(' => depth += 1,
            ')' if depth == 1 => {
                parts.push(start..at);
                return Some(parts);
            }
            ')' => depth -= 1,
            ',' if depth == 1 => {
                parts.push(start..at);
                start = at + 1;
            }
            _ => {}
        }
    }
    None
}

fn with_comma(text: &str, parts: &[Range<usize>], number: usize) -> Range<usize> {
    let part = parts[number].clone();
    if number > 0 {
        part.start - 1..part.end
    } else if text[part.end..].starts_with(',') {
        part.start..part.end + 1
    } else {
        part
    }
}
