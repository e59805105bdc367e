//! program/table: tables that the Rust of one project and the Python of another name.

use memchr::memmem;

use super::Said;

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
pub(super) fn links(said: &[Said]) -> Vec<(usize, usize)> {
    let mut links = Vec::new();
    for (own, rust) in said.iter().enumerate() {
        let others = said.iter().enumerate().filter(|&(other, _)| other != own);
        let shares = |python: &Said| !rust.tables_of_rust.is_disjoint(&python.tables_of_python);
        links.extend(others.filter(|(_, python)| shares(python)).map(|(other, _)| (own, other)));
    }
    links
}

/// The tables that a text names, in lower case.
pub(super) fn named(text: &str) -> Vec<String> {
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
