//! program/table: tables that the Rust of one project and the Python of another name.

use std::sync::Arc;

use memchr::memmem;
use rustc_hash::FxHashSet;

use super::Project;
use crate::source::{Language, Source};

/// What stands before the name of a table in code and in SQL.
const SIGNS: &[&str] = &[
    "__tablename__",
    "db_table",
    "table_name",
    "INSERT INTO",
    "insert into",
    "CREATE TABLE",
    "create table",
];

/// The pairs of projects that share a table over languages.
pub(super) fn links(sources: &[Arc<Source>], projects: &[Project<'_>]) -> Vec<(usize, usize)> {
    let with = |language: Language| -> Vec<usize> {
        (0..projects.len()).filter(|&number| projects[number].speaks(sources, language)).collect()
    };
    let (rust, python) = (with(Language::Rust), with(Language::Python));
    let mut links = Vec::new();
    for own in rust {
        let tables = of_project(sources, &projects[own], Language::Rust);
        if tables.is_empty() {
            continue;
        }
        for &other in python.iter().filter(|&&other| other != own) {
            if !of_project(sources, &projects[other], Language::Python).is_disjoint(&tables) {
                links.push((own, other));
            }
        }
    }
    links
}

/// The tables that the code of a language and the SQL of a project name, in lower case.
fn of_project(sources: &[Arc<Source>], project: &Project<'_>, language: Language) -> FxHashSet<String> {
    let files = project.files.iter().map(|&file| &sources[file]);
    let speaks = |source: &&Arc<Source>| source.language == language || source.language == Language::Sql;
    files.filter(speaks).flat_map(|source| named(&source.text)).collect()
}

fn named(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for sign in SIGNS {
        for at in memmem::find_iter(text.as_bytes(), sign) {
            let rest =
                text[at + sign.len()..].trim_start_matches([' ', '\t', '\n', '=', ':', '"', '\'', '`', '(']);
            let rest = ["IF NOT EXISTS ", "if not exists "]
                .iter()
                .find_map(|words| rest.strip_prefix(words))
                .unwrap_or(rest)
                .trim_start_matches(['"', '\'', '`']);
            let is_part = |c: char| c == '_' || c == '.' || c.is_alphanumeric();
            let path = &rest[..rest.find(|c| !is_part(c)).unwrap_or(rest.len())];
            let name = path.rsplit('.').next().unwrap_or(path).to_ascii_lowercase();
            // Prose inserts into the table, too.
            if !matches!(name.as_str(), "" | "the" | "a" | "an" | "this" | "that" | "if" | "str" | "none") {
                names.push(name);
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_named_by_code_and_by_sql() {
        let text = "__tablename__ = \"orders\"\n#[sea_orm(table_name = \"users\")]\n\
                    INSERT INTO shop.items (id)\nCREATE TABLE IF NOT EXISTS \"Logs\" (\n// insert into the table\n";
        assert_eq!(named(text), ["orders", "users", "items", "logs"]);
    }
}
