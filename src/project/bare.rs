//! project/bare: tables that no class is mapped to: `orders = Table("orders", metadata, Column("id", …))`.
//!
//! A statement that writes such a table owes what its columns ask for. To have one word for both, a table stands among
//! the classes of its file, under a name that no code can write.

use crate::facts::{Class, Field, FileFacts, Term};
use crate::name::Name;
use crate::source::Span;

use super::{FileId, Project, SqlColumn, Symbol};

/// What the qualified name of a table begins with.
const MARK: &str = "<table ";

/// The same for a table that SQL makes.
const SQL_MARK: &str = "<sql table ";

/// Puts the tables of a file among its classes.
pub(super) fn add_tables(facts: &mut FileFacts) {
    let tables: Vec<Class> = facts.declared.iter().filter_map(table).collect();
    facts.classes.extend(tables);
}

/// What stands for a table, the nearest to the code last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stands {
    /// The statement that makes it.
    Sql,
    /// A `Table(…)`.
    Bare,
    /// A class that is mapped to it.
    Mapped,
}

/// What a class is to its table.
pub(super) fn stands(class: &Class) -> Stands {
    match &class.qualname {
        name if name.starts_with(MARK) => Stands::Bare,
        name if name.starts_with(SQL_MARK) => Stands::Sql,
        _ => Stands::Mapped,
    }
}

/// A table that SQL makes, as code would say it: `Table("orders", Column("created_at", server_default=…))`.
pub(super) fn of_sql(name: Name, columns: &[SqlColumn], span: Span) -> Class {
    let call = |callee: &str, arguments: Vec<Term>, keywords: Vec<(Name, Term)>| Term::Call {
        callee: Box::new(Term::Path(Name::new(callee))),
        arguments,
        keywords,
    };
    let column = |column: &SqlColumn| {
        let filled = column.is_filled.then(|| (Name::new("server_default"), Term::Other));
        let required = column.is_required.then(|| (Name::new("nullable"), Term::Switch(false)));
        call("Column", vec![Term::Text(column.name)], filled.into_iter().chain(required).collect())
    };
    let columns = columns.iter().map(column);
    let value = call("Table", std::iter::once(Term::Text(name)).chain(columns).collect(), Vec::new());
    class(name, SQL_MARK, value, span)
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
    Some(class(*name, MARK, value.clone(), field.span))
}

fn class(name: Name, mark: &str, table: Term, span: Span) -> Class {
    let table = Field { name: Name::new("__table__"), annotation: None, value: Some(table), span };
    Class {
        name,
        qualname: format!("{mark}{name}>"),
        span,
        bases: Vec::new(),
        keywords: Vec::new(),
        decorators: Vec::new(),
        fields: vec![table],
        methods: Vec::new(),
        body: 0,
        scope: 0,
        adds_to: None,
    }
}
