//! lower/rust: Rust by syn: parses a text, then lowers one item after the other.

use crate::facts::{FileFacts, LocalGap};
use crate::source::Span;

pub(super) mod layout;
mod remark;
mod shape;

/// What a Rust text says.
pub(super) fn lower(text: &str) -> FileFacts {
    let mut facts = FileFacts { remarks: remark::remarks(text), ..FileFacts::default() };
    if let Err(gap) = parse(text) {
        facts.gaps.push(gap);
    }
    facts
}

/// The syntax tree of a text.
fn parse(text: &str) -> Result<syn::File, LocalGap> {
    syn::parse_file(text).map_err(|fault| {
        let at = fault.span().byte_range();
        LocalGap { span: Span::new(at), reason: format!("syntax error: {fault}") }
    })
}
