//! remedy: what would mend something that was seen, as acts on the code around a place. How the code is laid out there,
//! and so what exactly has to be written, is for `fix` to find out.

use crate::source::Span;

/// A word for a remedy, which a rule page names under `[fix]`.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// The word.
    pub word: &'static str,
    /// What is done.
    pub meaning: &'static str,
}

const fn kind(word: &'static str, meaning: &'static str) -> Kind {
    Kind { word, meaning }
}

/// Every remedy a page may name.
pub const KINDS: &[Kind] = &[
    kind("await", "the `await` that is missing, or none where there is nothing to wait for"),
    kind("canonical-route", "the route as its library writes it"),
    kind("clause-order", "a clause before the one that takes its errors"),
    kind("clock-itself", "the clock itself as a default, in place of what it read once"),
    kind("flush", "a flush, last in the `try`"),
    kind("import", "the import that binds the name"),
    kind("kept-before", "the value of a column, kept in a local before the `try`"),
    kind("list-auto-now", "a column that Django fills, among those that a literal list has saved"),
    kind("list-stamp", "a column that the code has stamped, among those that a literal list has saved"),
    kind("log-exception", "the error, logged first in the handler"),
    kind("maker-itself", "what makes a new list or dictionary as a default, in place of one for all"),
    kind("meant-field", "the one column whose name differs in a letter"),
    kind("moved-import", "the import, from the one module that defines the name"),
    kind("near-choice", "the choice that is like the value"),
    kind("near-name", "the name that is like the one written"),
    kind("on-commit", "a task that waits for the commit"),
    kind("raw-guard", "a way out of a receiver before all else, when a fixture is loaded"),
    kind("renamed-import", "the import, by the new path"),
    kind("rollback", "a rollback, first in the handler"),
    kind("savepoint", "a savepoint around what is tried"),
    kind(
        "stamp-beside",
        "the missing time, beside another stamp of the same row that stands in the same block",
    ),
    kind("stamp", "the missing time, where the row is made or changed"),
    kind("without-comment", "no comment, or one without what is of no use"),
    kind("actor", "who acts, from the audit context or the user that is at hand in the function"),
    kind("actor-plan", "who acts, handed down through all callers from where a user is known"),
    kind("setter", "one call of the setter in place of stores to each of its columns"),
];

/// Something that would mend what was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remedy {
    /// Which kind it is of, a word of [`KINDS`].
    pub word: &'static str,
    /// What it does, as an order: "Import `IntegrityError` from `sqlalchemy.exc`".
    pub title: String,
    /// What is to be done; all of it or nothing.
    pub acts: Vec<Act>,
}

impl Remedy {
    /// A remedy of a kind.
    ///
    /// # Panics
    /// When there is no such kind: that is our own fault.
    pub fn new(word: &'static str, title: impl Into<String>, acts: Vec<Act>) -> Remedy {
        assert!(KINDS.iter().any(|kind| kind.word == word), "internal error: no remedy is called `{word}`");
        Remedy { word, title: title.into(), acts }
    }
}

/// One act on the file of the observation, or on another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// The file, as an index into the scanned sources.
    pub file: usize,
    /// What is to be done in it.
    pub deed: Deed,
}

/// What is done to a text. Code that is put in is written without indentation; where it has several lines, each further
/// level is one tab, which becomes the file's own indentation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// A name is bound at the top of the file, unless it is bound there already.
    Bind(Binding),
    /// Other text stands in place of the span.
    Replace {
        /// What is replaced.
        span: Span,
        /// By what.
        text: String,
    },
    /// The statement that holds the span goes, with the line it has to itself.
    Drop(Span),
    /// A comment goes, with the blanks before it, and with its line where it has one of its own.
    DropComment(Span),
    /// A statement is put behind the one that holds the span.
    Behind {
        /// A place in the statement.
        span: Span,
        /// The new statement.
        code: String,
    },
    /// A statement is put before the one that holds the span.
    Before {
        /// A place in the statement.
        span: Span,
        /// The new statement.
        code: String,
    },
    /// A statement is put first into the block whose head holds the span.
    First {
        /// A place in the head of the block.
        head: Span,
        /// The new statement.
        code: String,
    },
    /// A statement is put last into the block that the span fills.
    Last {
        /// The statements of the block.
        block: Span,
        /// The new statement.
        code: String,
    },
    /// The lines of the span go in front of the lines of another.
    Move {
        /// What goes.
        span: Span,
        /// What it comes before.
        before: Span,
    },
    /// An argument, an element or an entry is put into the brackets of a call or a literal: behind the part that the
    /// second span holds, or last.
    Part {
        /// The whole call or literal.
        owner: Span,
        /// The part it stands beside.
        beside: Option<Span>,
        /// The new part.
        text: String,
    },
    /// A function takes a further parameter, behind all that may be given by position.
    Parameter {
        /// Where the function's name is written.
        name: Span,
        /// The new parameter.
        text: String,
    },
    /// A column of a row is given the time, as the language of the file and the code around it write that.
    Stamp(Stamp),
    /// The statements of one block that lie in the span become the block of a new head.
    Around {
        /// The statements.
        span: Span,
        /// The head, colon included.
        head: String,
    },
}

/// A column that is given the time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The column.
    pub column: String,
    /// What it is given.
    pub time: Time,
    /// Where it is given it.
    pub at: Target,
}

/// A reading of the clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Time {
    /// By this code.
    Code(String),
    /// What another column is given there, once more; the span is all that stands for its value.
    Again(Span),
    /// As the function or the file reads the clock elsewhere.
    Usual,
}

/// A side of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// In front of it.
    Before,
    /// Behind it.
    Behind,
}

/// Where a column is given a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// On a row that has a name, in a statement of its own.
    Row {
        /// The row, as it is written there.
        row: String,
        /// On which side of the statement that holds the span.
        side: Side,
        /// A place in a statement.
        of: Span,
    },
    /// Among the columns that a call or a literal gives a row, behind the one that the second span holds, or last.
    Fields {
        /// The whole call or literal.
        owner: Span,
        /// The part it stands beside.
        beside: Option<Span>,
    },
    /// Among the columns that a literal gives the row it is based on: behind the part that holds the span.
    Beside(Span),
    /// Among the columns that a statement sets.
    Values {
        /// The whole call that lists them.
        owner: Span,
    },
}

/// A name and what an import binds it to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Binding {
    /// The dotted module.
    pub module: String,
    /// What is taken from it; none for the module itself.
    pub item: Option<String>,
    /// The name it goes by here.
    pub name: String,
}

impl Binding {
    /// `from module import item`.
    pub fn item(module: impl Into<String>, item: impl Into<String>) -> Binding {
        let item = item.into();
        Binding { module: module.into(), item: Some(item.clone()), name: item }
    }

    /// The import statement.
    pub fn statement(&self) -> String {
        let Binding { module, item, name } = self;
        match item {
            Some(item) if item == name => format!("from {module} import {item}"),
            Some(item) => format!("from {module} import {item} as {name}"),
            None if module == name => format!("import {module}"),
            None => format!("import {module} as {name}"),
        }
    }
}
