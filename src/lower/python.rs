//! lower/python: Python: parses a text, then lowers one body after the other.
//!
//! Most texts are read by `plain`, which is fast; what it is not sure of is read by `grammar`, which is right by
//! definition. Both make the same `tree`, and nothing behind them knows which it was.
//!
//! A definition met inside a body is queued and lowered after it, so that nested definitions never nest on the stack.
//! Expressions and statements do nest, down to [`DEEPEST`]; what lies deeper becomes a gap.

use crate::facts::{Class, FileFacts, Function, FunctionKind, LocalGap};
use crate::name::Name;
use crate::source::Span;

use super::outline::empty_function;
use body::Body;
use tree::{Node, Tree};

mod body;
mod definition;
mod export;
mod expression;
mod grammar;
pub(super) mod layout;
mod plain;
mod remark;
mod statement;
mod term;
mod tree;

/// How deep statements and expressions may nest. Real code stays below a quarter of it; the stack holds it easily.
const DEEPEST: usize = 120;

/// The tree of a text, and where it is no valid syntax; `None` when even the grammar gives up.
fn read(text: &str) -> Option<(Tree, Vec<LocalGap>)> {
    if let Some(tree) = plain::parse(text) {
        return Some((tree, Vec::new()));
    }
    let parsed = grammar::parse(text)?;
    Some((grammar::tree(&parsed), grammar::gaps(parsed.root_node())))
}

/// What a Python text says.
pub(super) fn lower(text: &str) -> FileFacts {
    let mut lowering = Lowering { text, facts: FileFacts::default(), jobs: Vec::new() };
    let Some((tree, gaps)) = read(text) else {
        lowering.gap(Span::new(0..text.len()), "the parser gave up on this file");
        return lowering.facts;
    };
    lowering.module(tree.root());
    lowering.facts.gaps.extend(gaps);
    lowering.facts.gaps.sort_by_key(|gap| gap.span);
    lowering.facts.gaps.dedup();
    lowering.facts.remarks = remark::remarks(text);
    lowering.facts.functions.shrink_to_fit();
    lowering.facts.classes.shrink_to_fit();
    lowering.facts.imports.shrink_to_fit();
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

    fn gap(&mut self, span: Span, reason: &str) {
        self.facts.gaps.push(LocalGap { span, reason: reason.to_owned() });
    }

    fn slice(&self, node: Node<'_>) -> &str {
        &self.text[node.range()]
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
    node.span()
}
