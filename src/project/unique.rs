//! project/unique: what a table keeps single: columns and sets of columns that no two rows have in common.

use crate::facts::Term;
use crate::name::Name;

use super::{ClassId, Project};

impl Project {
    /// The sets of columns of which no two rows have the same values.
    pub fn unique_sets(&self, class: ClassId) -> Vec<Vec<Name>> {
        if let Some(django) = self.django(class) {
            return django.unique.clone();
        }
        let mut found = Vec::new();
        for class in self.hierarchy(class).classes() {
            for field in &self.class(class).fields {
                let Some(value) = &field.value else { continue };
                if &*field.name == "__table_args__" {
                    found.extend(constraints(value));
                } else if declares_unique(value) {
                    found.push(vec![field.name]);
                }
            }
        }
        found
    }
}

/// Whether a column says that it is unique, or is the key; `sa_column=Column(…)` says it inside.
fn declares_unique(value: &Term) -> bool {
    let Term::Call { callee, arguments, keywords } = value else { return false };
    let is_column =
        matches!(&**callee, Term::Path(path) if matches!(path.last(), "Column" | "mapped_column" | "Field"));
    let says = |(name, value): &(Name, Term)| {
        matches!(&**name, "unique" | "primary_key") && *value == Term::Switch(true)
    };
    is_column
        && (keywords.iter().any(says)
            || keywords.iter().map(|(_, value)| value).chain(arguments).any(declares_unique))
}

/// The sets in `__table_args__`.
fn constraints(value: &Term) -> Vec<Vec<Name>> {
    let Term::List(items) = value else { return Vec::new() };
    let set = |item: &Term| {
        let Term::Call { callee, arguments, keywords } = item else { return None };
        let Term::Path(path) = &**callee else { return None };
        let names = arguments.iter().filter_map(|argument| match argument {
            Term::Text(name) => Some(*name),
            _ => None,
        });
        let is_unique_index =
            || keywords.iter().any(|(name, on)| &**name == "unique" && *on == Term::Switch(true));
        match path.last() {
            "UniqueConstraint" => Some(names.collect()),
            // The first text of an index is its own name.
            "Index" if is_unique_index() => Some(names.skip(1).collect()),
            _ => None,
        }
    };
    items.iter().filter_map(set).collect()
}
