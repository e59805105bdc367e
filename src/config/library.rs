//! config/library: audit libraries: what makes a model audited by them, what they miss, what they need.
//!
//! Those that are known stand in `libraries.toml`, written as a team writes its own.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use toml::Spanned;

use super::file::{Text, Texts};

/// How a library sees that a row changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mechanism {
    /// By Django's signals.
    Signals,
    /// In the model's own `save()` and `delete()`.
    Save,
    /// By triggers of the database, which see every statement.
    Triggers,
}

/// An audit library.
#[derive(Clone, Debug, PartialEq)]
pub struct Library {
    /// What messages call it.
    pub name: String,
    /// The package that code imports.
    pub package: String,
    /// How it sees a change.
    pub mechanism: Mechanism,
    /// Methods of query sets whose changes it does not see.
    pub misses: Vec<String>,
    /// Functions that make a model audited that they are handed.
    pub registrars: Vec<String>,
    /// Decorators that make the class they stand on audited.
    pub decorators: Vec<String>,
    /// Classes of which an audited model has an instance.
    pub fields: Vec<String>,
    /// Classes that make their heirs audited.
    pub bases: Vec<String>,
    /// A setting that makes every model audited.
    pub all_setting: Option<String>,
    /// A setting that lists audited models by their labels.
    pub models_setting: Option<String>,
    /// Functions that make a many-to-many audited.
    pub collections: Vec<String>,
    /// A keyword that lists many-to-many fields.
    pub collections_key: Option<String>,
    /// Whether it puts classes of its own beside the models it keeps a trail of.
    pub adds_names: bool,
    /// Applications that must be installed.
    pub apps: Vec<String>,
    /// Middleware without which nothing is recorded.
    pub middleware: Vec<String>,
    /// Middleware without which no actor is recorded.
    pub actor_middleware: Vec<String>,
    /// Settings, and the values they may have.
    pub values: BTreeMap<String, Vec<toml::Value>>,
    /// A keyword that carries a route.
    pub route: Option<String>,
    /// Import paths that have other names now.
    pub renamed: BTreeMap<String, String>,
}

/// A library as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct LibraryTable {
    pub(super) name: Text,
    pub(super) package: Text,
    pub(super) mechanism: Mechanism,
    #[serde(default)]
    pub(super) misses: Texts,
    #[serde(default)]
    pub(super) registrars: Texts,
    #[serde(default)]
    pub(super) decorators: Texts,
    #[serde(default)]
    pub(super) fields: Texts,
    #[serde(default)]
    pub(super) bases: Texts,
    pub(super) all_setting: Option<Text>,
    pub(super) models_setting: Option<Text>,
    #[serde(default)]
    pub(super) collections: Texts,
    pub(super) collections_key: Option<Text>,
    #[serde(default)]
    pub(super) adds_names: bool,
    #[serde(default)]
    pub(super) apps: Texts,
    #[serde(default)]
    pub(super) middleware: Texts,
    #[serde(default)]
    pub(super) actor_middleware: Texts,
    #[serde(default)]
    pub(super) values: BTreeMap<Text, Vec<Spanned<toml::Value>>>,
    pub(super) route: Option<Text>,
    #[serde(default)]
    pub(super) renamed: BTreeMap<Text, Text>,
}

impl LibraryTable {
    /// Whether it says what makes a model audited.
    pub(super) fn marks(&self) -> bool {
        let lists = [&self.registrars, &self.decorators, &self.fields, &self.bases];
        lists.iter().any(|list| !list.is_empty())
            || self.all_setting.is_some()
            || self.models_setting.is_some()
    }

    /// The library it describes; nothing in it is looked at any more.
    pub(super) fn settled(self) -> Library {
        let all = |texts: Texts| texts.into_iter().map(Spanned::into_inner).collect();
        let one = |text: Option<Text>| text.map(Spanned::into_inner);
        let value = |values: Vec<Spanned<toml::Value>>| values.into_iter().map(Spanned::into_inner).collect();
        Library {
            name: self.name.into_inner(),
            package: self.package.into_inner(),
            mechanism: self.mechanism,
            misses: all(self.misses),
            registrars: all(self.registrars),
            decorators: all(self.decorators),
            fields: all(self.fields),
            bases: all(self.bases),
            all_setting: one(self.all_setting),
            models_setting: one(self.models_setting),
            collections: all(self.collections),
            collections_key: one(self.collections_key),
            adds_names: self.adds_names,
            apps: all(self.apps),
            middleware: all(self.middleware),
            actor_middleware: all(self.actor_middleware),
            values: self
                .values
                .into_iter()
                .map(|(name, values)| (name.into_inner(), value(values)))
                .collect(),
            route: one(self.route),
            renamed: self
                .renamed
                .into_iter()
                .map(|(old, new)| (old.into_inner(), new.into_inner()))
                .collect(),
        }
    }
}

/// The libraries that are known without any configuration.
pub fn known_libraries() -> &'static [Library] {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Table {
        library: Vec<LibraryTable>,
    }
    static KNOWN: LazyLock<Vec<Library>> = LazyLock::new(|| {
        let table: Table = toml::from_str(include_str!("libraries.toml"))
            .expect("internal error: the table of audit libraries cannot be read");
        table.library.into_iter().map(LibraryTable::settled).collect()
    });
    &KNOWN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_libraries_say_what_marks_a_model() {
        let names: Vec<&str> = known_libraries().iter().map(|library| library.name.as_str()).collect();
        assert_eq!(names, ["ftn-audit", "django-auditlog", "django-simple-history", "pghistory"]);
        for library in known_libraries() {
            assert!(!library.package.contains('-'), "{}", library.name);
            let marks = library.registrars.len() + library.decorators.len() + library.fields.len();
            assert!(marks > 0, "{}", library.name);
        }
    }
}
