//! config/file: the shape of a configuration file, and reading a text as one.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use super::error::ConfigError;
use super::library::LibraryTable;
use super::settings::{AuditPolicy, Covered, Urgency};
use crate::nearest::nearest;

/// The names a file of its own has, nearest first, then the shared files that may hold a table of ours.
pub(super) const NAMES: [&str; 4] = ["trailcheck.toml", ".trailcheck.toml", "pyproject.toml", "Cargo.toml"];

/// A string with its place, so that a fault in it can be shown.
pub(super) type Text = Spanned<String>;

/// A list of strings with their places.
pub(super) type Texts = Vec<Text>;

/// The tables of `[rules]` as they are written; what they may hold depends on the rule.
pub(super) type RuleTables = BTreeMap<Text, BTreeMap<Text, Spanned<toml::Value>>>;

/// What one file sets. Every key is optional: what is not said here is said by the file it extends, or by nobody.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct File {
    pub(super) extend: Option<Text>,
    pub(super) include: Option<Texts>,
    pub(super) exclude: Option<Texts>,
    pub(super) protected: Option<Texts>,
    pub(super) covered_by_default: Option<Covered>,
    pub(super) audit: Option<AuditPolicy>,
    pub(super) fields: RoleTable,
    pub(super) setters: RoleTable,
    pub(super) clock: ClockTable,
    pub(super) context: ContextTable,
    pub(super) renamed: BTreeMap<Text, Text>,
    pub(super) trail: TrailTable,
    pub(super) jobs: JobsTable,
    pub(super) rules: RuleTables,
    pub(super) priority: Vec<PriorityTable>,
    pub(super) per_path: Vec<PerPathTable>,
}

/// `[fields]` or `[setters]`: the names that play each role.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct RoleTable {
    pub(super) created_at: Option<Texts>,
    pub(super) updated_at: Option<Texts>,
    pub(super) deleted_at: Option<Texts>,
    pub(super) created_by: Option<Texts>,
    pub(super) updated_by: Option<Texts>,
    pub(super) deleted_by: Option<Texts>,
}

/// `[clock]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ClockTable {
    pub(super) expression: Option<Text>,
}

/// `[context]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ContextTable {
    pub(super) class: Option<Text>,
}

/// `[trail]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TrailTable {
    pub(super) models: Option<Texts>,
    pub(super) emitters: Option<Texts>,
    pub(super) tracked: Option<Texts>,
    pub(super) library: Vec<LibraryTable>,
}

/// `[jobs]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct JobsTable {
    pub(super) append_only: Option<Texts>,
}

/// One `[[priority]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PriorityTable {
    pub(super) level: Urgency,
    pub(super) paths: Texts,
}

/// One `[[per-path]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PerPathTable {
    pub(super) paths: Texts,
    #[serde(default)]
    pub(super) select: Texts,
    #[serde(default)]
    pub(super) ignore: Texts,
}

/// Reads a text as a configuration; `None` when it is a shared file that does not speak of trailcheck.
pub(super) fn parse(path: &Path, shown: &str, text: &str) -> Result<Option<File>, Box<ConfigError>> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    // A shared file that does not name us is none of our business, even when it is broken.
    let concerned = !is_shared(name) || text.contains("trailcheck");
    if !concerned {
        return Ok(None);
    }
    let parsed = match name {
        "pyproject.toml" => toml::from_str(text).map(|file: Pyproject| file.tool.trailcheck),
        "Cargo.toml" => toml::from_str(text)
            .map(|file: Manifest| file.workspace.metadata.trailcheck.or(file.package.metadata.trailcheck)),
        _ => toml::from_str(text).map(Some),
    };
    parsed.map_err(|fault| explain(shown, text, &fault))
}

/// The table that is ours in a text that was read, in one fixed form: keys in order, no comments.
pub(super) fn fixed_form(path: &Path, text: &str) -> String {
    let whole: toml::Table = toml::from_str(text).unwrap_or_default();
    let inner = |keys: &[&str]| {
        let first = whole.get(*keys.first()?)?;
        keys.iter().skip(1).try_fold(first, |table, key| table.get(key)).cloned()
    };
    let ours = match path.file_name().and_then(|name| name.to_str()) {
        Some("pyproject.toml") => inner(&["tool", "trailcheck"]),
        Some("Cargo.toml") => inner(&["workspace", "metadata", "trailcheck"])
            .or_else(|| inner(&["package", "metadata", "trailcheck"])),
        _ => Some(toml::Value::Table(whole)),
    };
    ours.and_then(|table| toml::to_string(&table).ok()).unwrap_or_default()
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Pyproject {
    tool: Tools,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Tools {
    trailcheck: Option<File>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Manifest {
    workspace: Section,
    package: Section,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Section {
    metadata: Tools,
}

fn is_shared(name: &str) -> bool {
    matches!(name, "pyproject.toml" | "Cargo.toml")
}

/// Says what the reader of TOML found, in our words where it met a name it does not know.
fn explain(path: &str, text: &str, fault: &toml::de::Error) -> Box<ConfigError> {
    let message = fault.message();
    let span = fault.span().unwrap_or(0..0);
    // The reader names what it met first and what it knows after that, each in backticks; there is no other way to ask.
    let mut quoted = message.split('`').skip(1).step_by(2);
    let (what, given) = match (message, quoted.next()) {
        (message, Some(given)) if message.starts_with("unknown field") => ("unknown key", given),
        (message, Some(given)) if message.starts_with("unknown variant") => ("unknown value", given),
        _ => return ConfigError::at(path, text, span, message),
    };
    let known: Vec<&str> = quoted.collect();
    let help = match nearest(given, known.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("known here: {}", known.join(", ")),
    };
    ConfigError::at(path, text, span, &format!("{what} `{given}`")).with_help(Some(help))
}
