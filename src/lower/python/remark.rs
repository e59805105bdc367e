//! lower/python/remark: comments that speak to trailcheck, and the code each of them speaks of.

use tree_sitter::Node;

use crate::facts::Remark;
use crate::source::Span;

use super::grammar::{self, field, span};

const MARK: &str = "trailcheck:";

/// The comments that hold the mark, in source order.
pub(super) fn remarks(text: &str) -> Vec<Remark> {
    if !text.contains(MARK) {
        return Vec::new();
    }
    // Most texts hold none, so only here the comments of a text are asked for.
    grammar::parse(text).map_or_else(Vec::new, |parsed| of_tree(text, parsed.root_node()))
}

fn of_tree(text: &str, root: Node<'_>) -> Vec<Remark> {
    let first = first_code(root);
    let mut found: Vec<Remark> = Vec::new();
    for (at, _) in text.match_indices(MARK) {
        let Some(comment) =
            root.descendant_for_byte_range(at, at + 1).filter(|node| node.kind() == "comment")
        else {
            continue;
        };
        let here = span(comment);
        if found.last().is_some_and(|last| last.span == here) {
            continue;
        }
        let line_start = text[..comment.start_byte()].rfind(['\n', '\r']).map_or(0, |end| end + 1);
        let before = &text[line_start..comment.start_byte()];
        let covers = if before.trim().is_empty() {
            next_code(text, comment.end_byte()).map(|at| whole_statement(root, at))
        } else {
            Some(trailed_statement(root, line_start + before.trim_end().len() - 1))
        };
        found.push(Remark {
            span: here,
            text: text[comment.byte_range()].to_owned(),
            covers: covers.unwrap_or(here),
            at_top: comment.start_byte() < first,
        });
    }
    found
}

/// Where the first statement that is no docstring begins.
fn first_code(root: Node<'_>) -> usize {
    let mut cursor = root.walk();
    let mut statements = root.named_children(&mut cursor).filter(|node| !node.is_extra());
    let is_docstring = |node: &Node<'_>| {
        node.kind() == "expression_statement"
            && node.named_child(0).is_some_and(|inner| inner.kind() == "string")
    };
    statements.find(|node| !is_docstring(node)).map_or(usize::MAX, |node| node.start_byte())
}

/// The offset of the next character that is neither blank nor in a comment.
fn next_code(text: &str, from: usize) -> Option<usize> {
    let mut at = from;
    for line in text[from..].split_inclusive('\n') {
        let trimmed = line.trim_start();
        if !trimmed.trim().is_empty() && !trimmed.starts_with('#') {
            return Some(at + line.len() - trimmed.len());
        }
        at += line.len();
    }
    None
}

/// The statement that begins at an offset: all of a definition, the head of any other compound statement.
fn whole_statement(root: Node<'_>, at: usize) -> Span {
    statement_at(root, at).map_or(Span::new(at..at), covered)
}

/// The statement that ends, or whose head ends, at the character at an offset.
fn trailed_statement(root: Node<'_>, at: usize) -> Span {
    statement_at(root, at).map_or(Span::new(at..at + 1), covered)
}

fn statement_at(root: Node<'_>, at: usize) -> Option<Node<'_>> {
    let mut node = root.descendant_for_byte_range(at, at + 1)?;
    loop {
        let is_clause = node.kind().ends_with("_clause") && field_block(node).is_some();
        let parent = node.parent()?;
        if is_clause || matches!(parent.kind(), "block" | "module") {
            return Some(if parent.kind() == "decorated_definition" { parent } else { node });
        }
        node = parent;
    }
}

fn covered(node: Node<'_>) -> Span {
    let is_definition = node.kind().ends_with("_definition");
    match field_block(node) {
        Some(block) if !is_definition => Span::new(node.start_byte()..block.start_byte()),
        _ => span(node),
    }
}

fn field_block(node: Node<'_>) -> Option<Node<'_>> {
    field(node, "body").or_else(|| field(node, "consequence")).or_else(|| {
        let mut cursor = node.walk();
        node.named_children(&mut cursor).find(|child| child.kind() == "block")
    })
}
