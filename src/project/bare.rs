//! project/bare: tables that no class is mapped to: `orders = Table("orders", metadata, Column("id", …))`.
//!
//! A statement that writes such a table owes what its columns ask for. To have one word for both, a table stands among
//! the classes of its file, under a name that no code can write.

use crate::facts::{Class, Field, FileFacts, Term};
use crate::name::Name;

use super::{FileId, Project, Symbol};

/// What the qualified name of a table begins with.
const MARK: &str = "<table ";

/// Puts the tables of a file among its classes.
pub(super) fn add_tables(facts: &mut FileFacts) {
    let tables: Vec<Class> = facts.declared.iter().filter_map(table).collect();
    facts.classes.extend(tables);
}

/// Whether a class is a table that stands for itself.
pub(super) fn is_bare(class: &Class) -> bool {
    class.qualname.starts_with(MARK)
}

/// The call that makes a table, be it under a name of its own: `__table__ = orders`.
pub(super) fn made<'p>(project: &'p Project, file: FileId, value: &'p Term) -> Option<&'p Term> {
    match value {
        Term::Path(path) => match project.resolve_path(file, *path)? {
            Symbol::Variable(file, name) => project.value_of(file, name),
            _ => None,
        },
        value => Some(value),
    }
}

fn table(field: &Field) -> Option<Class> {
    let Some(value @ Term::Call { callee, arguments, .. }) = &field.value else { return None };
    let is_named = |term: &Term, name: &str| matches!(term, Term::Path(path) if path.last() == name);
    let Some(Term::Text(name)) = arguments.first() else { return None };
    let is_column =
        |argument: &Term| matches!(argument, Term::Call { callee, .. } if is_named(callee, "Column"));
    if !is_named(callee, "Table") || !arguments.iter().any(is_column) {
        return None;
    }
    let table = Field {
        name: Name::new("__table__"),
        annotation: None,
        value: Some(value.clone()),
        span: field.span,
    };
    Some(Class {
        name: *name,
        qualname: format!("{MARK}{name}>"),
        span: field.span,
        bases: Vec::new(),
        keywords: Vec::new(),
        decorators: Vec::new(),
        fields: vec![table],
        methods: Vec::new(),
        body: 0,
        scope: 0,
        adds_to: None,
    })
}
