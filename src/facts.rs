//! facts: what a file says, as plain data that is the same for every language.
//!
//! (The outline of functions, classes and imports follows; the part other rooms already build on is here.)

use crate::source::Span;

/// A comment that speaks to trailcheck, with the code it speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// The comment itself.
    pub span: Span,
    /// Its text, from the comment mark on.
    pub text: String,
    /// The statement it covers: the one it trails, or the next one; a whole definition where that begins one.
    pub covers: Span,
    /// Whether it stands before the first statement of the file.
    pub at_top: bool,
}
