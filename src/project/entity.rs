//! project/entity: the tables of Rust: SeaORM's entities, and what Diesel's `table!` declares.

use rustc_hash::FxHashMap;

use crate::facts::{Class, Field, Term};
use crate::name::Name;

use super::model::{Column, Mapping, Model};
use super::table::snake_case;
use super::{ClassId, Project};

/// Which library of Rust maps a class to a table.
pub(super) fn mapping(class: &Class) -> Option<Mapping> {
    class.decorators.iter().find_map(|decorator| match decorator {
        Term::Path(path) if path.last() == "DeriveEntityModel" => Some(Mapping::SeaOrm),
        Term::Path(path) if &**path == "diesel.table" => Some(Mapping::Diesel),
        _ => None,
    })
}

/// What a class of Rust says about its table.
pub(super) fn model(project: &Project, class: ClassId, mapping: Mapping) -> Model {
    let facts = project.class(class);
    let table = match mapping {
        Mapping::SeaOrm => said(&facts.decorators, "sea_orm", "table_name"),
        _ => said(&facts.decorators, "sql_name", "value").or(Some(facts.name)),
    };
    let mut columns = FxHashMap::default();
    for field in &facts.fields {
        let attributes = attributes(field);
        if has(attributes, "sea_orm", "ignore") {
            continue;
        }
        let named = match mapping {
            Mapping::SeaOrm => said(attributes, "sea_orm", "column_name"),
            _ => said(attributes, "sql_name", "value"),
        };
        columns.insert(
            field.name,
            Column { named: named.filter(|named| *named != field.name), ..Column::default() },
        );
    }
    let other_names = facts.methods.iter().map(|(name, _)| *name).collect();
    let table = table.map(|table| Name::new(&table.to_ascii_lowercase()));
    Model { columns, other_names, table, mapping, ..Model::default() }
}

/// A struct whose fields are columns of a table: what Diesel inserts or changes by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changes {
    /// `Insertable`: what is `None` is left to the table.
    Inserts,
    /// `AsChangeset`: what is `None` stays as it is.
    Updates,
    /// `AsChangeset` with `treat_none_as_null`: what is `None` becomes NULL.
    UpdatesAll,
}

/// A column that a struct of Diesel carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carried {
    /// The field of the struct.
    pub field: Name,
    /// The column.
    pub column: Name,
    /// Whether it may be absent.
    pub is_optional: bool,
}

impl Project {
    /// What people call a model: its class, or its table where the class is called as every other is.
    pub fn entity_name(&self, class: ClassId) -> Name {
        let own = self.class(class).name;
        match self.model(class) {
            Some(Model { mapping: Mapping::SeaOrm, table, .. }) => table.unwrap_or(own),
            _ => own,
        }
    }

    /// The library that maps a model to its table.
    pub fn mapping(&self, class: ClassId) -> Option<Mapping> {
        self.model(class).map(|model| model.mapping)
    }

    /// What a struct of Diesel carries to a table, where it is one of those.
    pub fn carried(&self, class: ClassId) -> Option<(Changes, Vec<Carried>)> {
        let facts = self.class(class);
        let derives = |name: &str| {
            facts
                .decorators
                .iter()
                .any(|decorator| matches!(decorator, Term::Path(path) if path.last() == name))
        };
        let (inserts, updates) = (derives("Insertable"), derives("AsChangeset"));
        let changes = match (updates, inserts) {
            (true, _) if has_value(&facts.decorators, "treat_none_as_null") => Changes::UpdatesAll,
            (true, false) => Changes::Updates,
            (_, true) => Changes::Inserts,
            (false, false) => return None,
        };
        let carried = |field: &Field| {
            let attributes = attributes(field);
            let is_skipped = |mark: &str| has(attributes, "diesel", mark);
            if is_skipped("skip_update") && changes != Changes::Inserts
                || is_skipped("skip_insertion") && changes == Changes::Inserts
            {
                return None;
            }
            let column = named_column(attributes).unwrap_or(field.name);
            let is_optional = matches!(&field.annotation, Some(Term::Union(_)));
            Some(Carried { field: field.name, column, is_optional })
        };
        Some((changes, facts.fields.iter().filter_map(carried).collect()))
    }

    /// The entity of which a struct of SeaORM carries some columns (`DeriveIntoActiveModel`), and those columns.
    pub fn partial_row(&self, class: ClassId) -> Option<(ClassId, Vec<Name>)> {
        let facts = self.class(class);
        let derives = |decorator: &Term| matches!(decorator, Term::Path(path) if path.last() == "DeriveIntoActiveModel");
        if !facts.decorators.iter().any(derives) {
            return None;
        }
        let path = said(&facts.decorators, "sea_orm", "active_model")
            .map_or("ActiveModel".to_owned(), |path| {
                path.split("::").map(str::trim).collect::<Vec<_>>().join(".")
            });
        match self.resolve_path(class.file, Name::new(&path)) {
            Some(super::Symbol::Class(found)) if self.mapping(found) == Some(Mapping::SeaOrm) => {
                Some((self.completed(found), facts.fields.iter().map(|field| field.name).collect()))
            }
            _ => None,
        }
    }

    /// The table that a struct of Diesel belongs to.
    pub fn table_of_struct(&self, class: ClassId) -> Option<ClassId> {
        let facts = self.class(class);
        let said = facts.decorators.iter().find_map(|decorator| match decorator {
            Term::Call { callee, keywords, .. }
                if matches!(&**callee, Term::Path(path) if path.last() == "diesel") =>
            {
                keywords.iter().find(|(key, _)| &**key == "table_name").map(|(_, value)| value)
            }
            _ => None,
        });
        let path = match said {
            Some(Term::Path(path)) => *path,
            Some(_) => return None,
            // Without a word on it, the table is called as many of the struct are.
            None if facts.decorators.iter().any(is_of_diesel) => {
                Name::new(&format!("{}s", snake_case(&facts.name)))
            }
            None => return None,
        };
        match self.resolve_path(class.file, path) {
            Some(super::Symbol::Class(table)) if self.mapping(table) == Some(Mapping::Diesel) => Some(table),
            _ => None,
        }
    }
}

/// The attributes that stand at a field.
fn attributes(field: &Field) -> &[Term] {
    match &field.value {
        Some(Term::List(all)) => all,
        _ => &[],
    }
}

/// The text that `#[attribute(key = "text")]` says.
fn said(attributes: &[Term], attribute: &str, wanted: &str) -> Option<Name> {
    let in_one = |term: &Term| match term {
        Term::Call { callee, keywords, .. } if matches!(&**callee, Term::Path(path) if &**path == attribute) => {
            keywords.iter().find_map(|(key, value)| match value {
                Term::Text(text) if &**key == wanted => Some(*text),
                _ => None,
            })
        }
        _ => None,
    };
    attributes.iter().find_map(in_one)
}

/// Whether `#[attribute(mark)]` stands there.
fn has(attributes: &[Term], attribute: &str, mark: &str) -> bool {
    attributes.iter().any(|term| match term {
        Term::Call { callee, arguments, .. } if matches!(&**callee, Term::Path(path) if &**path == attribute) => {
            arguments.iter().any(|argument| matches!(argument, Term::Path(path) if &**path == mark))
        }
        _ => false,
    })
}

/// Whether `#[diesel(key = true)]` stands there, under either of the names that the attribute has had.
fn has_value(attributes: &[Term], wanted: &str) -> bool {
    attributes.iter().any(|term| match term {
        Term::Call { keywords, .. } => {
            keywords.iter().any(|(key, value)| &**key == wanted && *value == Term::Switch(true))
        }
        _ => false,
    })
}

/// `#[diesel(column_name = name)]`, with or without quotes.
fn named_column(attributes: &[Term]) -> Option<Name> {
    attributes.iter().find_map(|term| match term {
        Term::Call { callee, keywords, .. } if matches!(&**callee, Term::Path(path) if &**path == "diesel") => {
            keywords.iter().find_map(|(key, value)| match value {
                Term::Path(name) | Term::Text(name) if &**key == "column_name" => Some(*name),
                _ => None,
            })
        }
        _ => None,
    })
}

/// Whether a derive makes a struct one of Diesel's that belongs to a table.
fn is_of_diesel(decorator: &Term) -> bool {
    matches!(decorator, Term::Path(path)
        if matches!(path.last(), "Identifiable" | "Insertable" | "AsChangeset" | "Associations" | "Selectable"))
}
