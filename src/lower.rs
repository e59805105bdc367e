//! lower: the only room that sees syntax trees. A file becomes facts, and gaps where it could not be understood.
//!
//! Lowering never fails, knows no other file, no rule and no setting.

use crate::facts::FileFacts;
use crate::layout::Layout;
use crate::source::{Language, Source};

mod manifest;
mod outline;
mod python;
mod rust;
mod sql;

/// What a file says.
pub fn lower(source: &Source) -> FileFacts {
    match source.language {
        Language::Python => python::lower(&source.text),
        Language::Rust => rust::lower(&source.text),
        Language::Sql => sql::lower(source),
        Language::Manifest => manifest::lower(&source.text),
        // Data does nothing.
        Language::Json => FileFacts::default(),
    }
}

/// Where the statements of a file stand.
pub fn layout(source: &Source) -> Layout {
    match source.language {
        Language::Python => python::layout::layout(&source.text),
        Language::Rust => rust::layout::layout(&source.text),
        Language::Sql | Language::Manifest | Language::Json => Layout::default(),
    }
}
