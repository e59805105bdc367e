//! lower/python/plain: parses Python as it is mostly written, many times faster than the grammar does.
//!
//! What it makes is the very tree that the grammar makes, down to where a block ends among comments. Where it is not
//! sure of that, it gives up, and the grammar parses the text: for syntax errors, Python 2, names
//! beyond ASCII, code that nests deep, and forms that the grammar binds in surprising ways.

use super::tree::{Id, Kind, Role, Tree};
use token::{Opening, Token};

mod expression;
mod pattern;
mod statement;
#[cfg(test)]
mod tests;
mod text;
mod token;

/// How deep code may nest here. The stack holds many times of it.
const DEEPEST: usize = 100;

/// The tree of a text, where it is plain.
pub(super) fn parse(text: &str) -> Option<Tree> {
    let mut plain = Plain {
        text: text.as_bytes(),
        tree: Tree::for_text(text.len()),
        at: 0,
        token: Token::Newline,
        start: 0,
        end: 0,
        done: 0,
        edge: 0,
        opening: Opening::default(),
        brackets: 0,
        depth: 0,
        indent: 0,
        line: Line::default(),
    };
    plain.module()?;
    Some(plain.tree)
}

/// A text on its way to a tree. Every step answers `None` where the text is not plain.
struct Plain<'s> {
    text: &'s [u8],
    tree: Tree,
    /// Just behind the token.
    at: usize,
    /// The token that is next.
    token: Token,
    start: u32,
    end: u32,
    /// Where the token before it ends.
    done: u32,
    /// The same, or where the comment ends that follows it on its line.
    edge: u32,
    /// How the text literal begins that is the token.
    opening: Opening,
    /// How many brackets are open; line ends mean nothing in them.
    brackets: usize,
    depth: usize,
    /// How far the block is indented.
    indent: u32,
    line: Line,
}

/// The next line with code, and the comments before it.
#[derive(Default)]
struct Line {
    /// Where its code begins.
    at: usize,
    indent: u32,
    is_end: bool,
    comments: Vec<Comment>,
    /// How many of the comments belong to what is done.
    passed: usize,
}

/// A comment on a line of its own.
struct Comment {
    indent: u32,
    end: u32,
}

impl Plain<'_> {
    /// Runs `inner` one level deeper.
    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        if self.depth >= DEEPEST {
            return None;
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    /// Goes on to the next token, which has to follow one of this kind.
    fn expect(&mut self, token: Token) -> Option<()> {
        if self.token == token { self.advance() } else { None }
    }

    /// Goes on where the token is of this kind.
    fn eat(&mut self, token: Token) -> Option<bool> {
        if self.token != token {
            return Some(false);
        }
        self.advance()?;
        Some(true)
    }

    /// A node over a child, as long as it.
    fn around(&mut self, kind: Kind, field: Role, child: Id) -> Id {
        let (start, end) = (self.tree.start(child), self.tree.end(child));
        self.tree.branch(kind, start, end, &[(field, child)])
    }

    /// The name that is next, as a node of a kind.
    fn name(&mut self) -> Option<Id> {
        if self.token != Token::Name {
            return None;
        }
        self.here(Kind::Identifier)
    }

    /// The token that is next as a node, which is passed.
    fn here(&mut self, kind: Kind) -> Option<Id> {
        let leaf = self.tree.leaf(kind, self.start, self.end);
        self.advance()?;
        Some(leaf)
    }
}
