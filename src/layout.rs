//! layout: where the statements, blocks and brackets of a file stand, so that text can be put between them.
//!
//! It says nothing of what they mean; `facts` does. All spans are of the decoded text.

use crate::source::Span;

/// How a file is laid out.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// All statements; one that holds others comes before them.
    pub statements: Vec<Statement>,
    /// All blocks; the first is the file itself.
    pub blocks: Vec<Block>,
    /// All bracketed lists: arguments, parameters, literals; one that holds others comes before them.
    pub brackets: Vec<Bracket>,
    /// The imports among the statements of the file itself.
    pub imports: Vec<ImportLine>,
    /// Texts that go over several lines, whose inner lines must stay as they are.
    pub long_texts: Vec<Span>,
    /// All comments.
    pub comments: Vec<Span>,
    /// How many places are no valid syntax.
    pub faults: usize,
}

/// A statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The whole of it, decorators and blocks included.
    pub span: Span,
    /// The block it stands in.
    pub block: usize,
    /// Whether it has no block of its own.
    pub is_simple: bool,
    /// Whether it is nothing but a text.
    pub is_text: bool,
}

/// A block of statements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// From its first statement to its last.
    pub span: Span,
    /// From the keyword to the colon; empty for the file itself.
    pub head: Span,
    /// The statement it belongs to.
    pub owner: Option<usize>,
    /// Its statements.
    pub statements: Vec<usize>,
}

/// A bracketed list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bracket {
    /// The whole call, definition or literal that it belongs to.
    pub owner: Span,
    /// From the opening bracket to the closing one.
    pub span: Span,
    /// What is listed.
    pub parts: Vec<Span>,
    /// Whether a comma stands behind the last part.
    pub ends_with_comma: bool,
}

/// An import statement at the top level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportLine {
    /// The statement.
    pub statement: usize,
    /// The module, with the dots of a relative import; for `import a, b`, the first.
    pub module: String,
    /// What is imported from it and where that is written; none for `import a`.
    pub items: Option<Vec<(String, Span)>>,
}

impl Layout {
    /// The innermost statement that holds a span.
    pub fn statement(&self, span: Span) -> Option<&Statement> {
        self.statements.iter().rev().find(|statement| statement.span.contains(span))
    }

    /// The block whose head holds the span.
    pub fn block_of(&self, head: Span) -> Option<&Block> {
        self.blocks.iter().skip(1).find(|block| block.head.contains(head))
    }

    /// The parameters of a function, by its name.
    pub fn parameters(&self, name: Span) -> Option<&Bracket> {
        let head = self.block_of(name)?.head;
        self.brackets.iter().find(|bracket| {
            bracket.owner.start == head.start && head.contains(bracket.span) && name.end <= bracket.span.start
        })
    }

    /// The bracketed list of a call or literal, given as a whole.
    pub fn bracket(&self, owner: Span) -> Option<&Bracket> {
        self.brackets.iter().find(|bracket| bracket.owner == owner)
    }

    /// Whether an offset lies inside a text of several lines.
    pub fn is_in_text(&self, offset: u32) -> bool {
        self.long_texts.iter().any(|text| text.start < offset && offset < text.end)
    }
}
