//! lower/rust: Rust by syn: parses a text, then lowers one item after the other.

use crate::facts::{FileFacts, LocalGap};
use crate::source::Span;

/// What a Rust text says.
pub(super) fn lower(text: &str) -> FileFacts {
    let mut facts = FileFacts::default();
    if let Err(fault) = syn::parse_file(text) {
        let at = fault.span().byte_range();
        facts.gaps.push(LocalGap { span: Span::new(at), reason: format!("syntax error: {fault}") });
    }
    facts
}
