//! lower/python: Python by tree-sitter: parses a text, then lowers one body after the other.
//!
//! A definition met inside a body is queued and lowered after it, so that nested definitions never nest on the stack.
//! Expressions and statements do nest, down to [`DEEPEST`]; what lies deeper becomes a gap.

use std::cell::RefCell;

use tree_sitter::{Node, Parser, Tree};

use crate::facts::{Class, FileFacts, Function, FunctionKind, LocalGap};
use crate::name::Name;
use crate::source::Span;

use super::outline::empty_function;
use body::Body;

mod body;
mod definition;
mod export;
mod expression;
pub(super) mod layout;
mod remark;
mod statement;
mod term;

/// How deep statements and expressions may nest. Real code stays below a quarter of it; the stack holds it easily.
const DEEPEST: usize = 120;

/// How many places of one file are told one by one as syntax errors.
const MOST_GAPS: usize = 20;

thread_local! {
    static PARSER: RefCell<Parser> = RefCell::new(parser());
}

fn parser() -> Parser {
    let mut parser = Parser::new();
    parser
        .set_language(&tree_sitter_python::LANGUAGE.into())
        .expect("internal error: the Python grammar does not fit the tree-sitter library");
    parser
}

fn parse(text: &str) -> Option<Tree> {
    PARSER.with_borrow_mut(|parser| parser.parse(text, None))
}

/// What a Python text says.
pub(super) fn lower(text: &str) -> FileFacts {
    let mut lowering = Lowering { text, facts: FileFacts::default(), jobs: Vec::new() };
    let Some(tree) = parse(text) else {
        lowering.gap(Span::new(0..text.len()), "the parser gave up on this file");
        return lowering.facts;
    };
    lowering.module(tree.root_node());
    lowering.syntax_gaps(tree.root_node());
    lowering.facts.remarks = remark::remarks(text, tree.root_node());
    lowering.facts.gaps.sort_by_key(|gap| gap.span);
    lowering.facts.gaps.dedup();
    lowering.facts
}

/// A body that waits for its turn.
struct Job<'t> {
    node: Node<'t>,
    function: usize,
}

/// One file on its way to facts.
struct Lowering<'s, 't> {
    text: &'s str,
    facts: FileFacts,
    jobs: Vec<Job<'t>>,
}

impl<'t> Lowering<'_, 't> {
    fn module(&mut self, root: Node<'t>) {
        let mut module = empty_function(Name::new("<module>"), "<module>".into(), FunctionKind::Module);
        module.span = Span::new(0..self.text.len());
        self.facts.functions.push(module);
        self.jobs.push(Job { node: root, function: 0 });
        // A queue, not a stack: definitions keep their source order within a scope.
        let mut at = 0;
        while at < self.jobs.len() {
            let Job { node, function } = self.jobs[at];
            at += 1;
            Body::lower(self, node, function);
        }
        self.facts.declared = definition::declared_fields(self.text, root);
        self.facts.exports = export::exports(self.text, root);
    }

    fn syntax_gaps(&mut self, root: Node<'t>) {
        if !root.has_error() {
            return;
        }
        let mut count = 0;
        let mut cursor = root.walk();
        // Walks down only where an error lies, and never into an error itself.
        loop {
            let node = cursor.node();
            let is_error = node.is_error() || node.is_missing();
            if is_error {
                count += 1;
                if count <= MOST_GAPS {
                    self.gap(span(node), "syntax error");
                }
            }
            if !is_error && node.has_error() && cursor.goto_first_child() {
                continue;
            }
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    if count > MOST_GAPS {
                        let more = count - MOST_GAPS;
                        self.gap(span(root), &format!("{more} more syntax errors"));
                    }
                    return;
                }
            }
        }
    }

    fn gap(&mut self, span: Span, reason: &str) {
        self.facts.gaps.push(LocalGap { span, reason: reason.to_owned() });
    }

    fn slice(&self, node: Node<'_>) -> &str {
        &self.text[node.byte_range()]
    }

    fn name(&self, node: Node<'_>) -> Name {
        Name::new(self.slice(node))
    }

    fn add_function(&mut self, function: Function, node: Node<'t>) -> usize {
        let index = self.facts.functions.len();
        self.facts.functions.push(function);
        self.jobs.push(Job { node, function: index });
        index
    }

    fn add_class(&mut self, class: Class) -> usize {
        self.facts.classes.push(class);
        self.facts.classes.len() - 1
    }
}

fn span(node: Node<'_>) -> Span {
    Span::new(node.byte_range())
}

/// The named children of a node that are no comments.
fn parts<'t>(node: Node<'t>) -> Vec<Node<'t>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).filter(|child| !child.is_extra()).collect()
}

fn field<'t>(node: Node<'t>, name: &str) -> Option<Node<'t>> {
    node.child_by_field_name(name)
}

fn fields<'t>(node: Node<'t>, name: &str) -> Vec<Node<'t>> {
    let mut cursor = node.walk();
    node.children_by_field_name(name, &mut cursor).filter(|child| child.is_named()).collect()
}
