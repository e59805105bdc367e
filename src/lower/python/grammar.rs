//! lower/python/grammar: Python by tree-sitter, which reads every text, also a broken one.

use std::cell::RefCell;
use std::sync::LazyLock;

use tree_sitter::{Language, Node, Parser};

use crate::facts::LocalGap;
use crate::source::Span;

use super::tree::{Kind, Role, Tree};

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

/// What the grammar says of a text; `None` when it gives up.
pub(super) fn parse(text: &str) -> Option<tree_sitter::Tree> {
    PARSER.with_borrow_mut(|parser| parser.parse(text, None))
}

/// What the grammar calls its kinds and fields, by number.
struct Words {
    kinds: Vec<Kind>,
    fields: Vec<Role>,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let language: Language = tree_sitter_python::LANGUAGE.into();
    let kind = |id| language.node_kind_for_id(id as u16).map_or(Kind::Other, Kind::of);
    let field = |id| language.field_name_for_id(id as u16).map_or(Role::None, Role::of);
    Words {
        kinds: (0..language.node_kind_count()).map(kind).collect(),
        fields: (0..=language.field_count()).map(field).collect(),
    }
});

/// A node whose children are on their way.
struct Open {
    children: usize,
    kind: Kind,
    field: Role,
    span: Span,
    is_broken: bool,
}

/// The tree that lowering walks.
pub(super) fn tree(parsed: &tree_sitter::Tree) -> Tree {
    let words = &*WORDS;
    let mut tree = Tree::for_text(parsed.root_node().end_byte() / 4);
    let mut open: Vec<Open> = Vec::new();
    let mut cursor = parsed.walk();
    loop {
        let node = cursor.node();
        let field = cursor.field_id().map_or(Role::None, |id| words.fields[usize::from(id.get())]);
        let outer = open.last().map(|open| open.kind);
        if let Some(kind) = kept(words, node, field, outer) {
            let children = tree.open();
            open.push(Open { children, kind, field, span: span(node), is_broken: node.has_error() });
            let is_leaf = matches!(kind, Kind::StringContent | Kind::DottedName | Kind::RelativeImport);
            if !is_leaf && cursor.goto_first_child() {
                continue;
            }
            close(&mut tree, &mut open);
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return tree;
            }
            close(&mut tree, &mut open);
        }
    }
}

fn close(tree: &mut Tree, open: &mut Vec<Open>) {
    let Some(Open { children, kind, field, span, is_broken }) = open.pop() else { return };
    let id = tree.close(children, kind, span.start, span.end);
    if is_broken {
        tree.mark_broken(id);
    }
    tree.push(field, id);
}

/// The kind of a node, where something is lowered from it.
fn kept(words: &Words, node: Node<'_>, field: Role, outer: Option<Kind>) -> Option<Kind> {
    if node.is_extra() && outer.is_some() {
        return None;
    }
    if node.is_error() {
        return Some(Kind::Error);
    }
    let kind = words.kinds.get(usize::from(node.kind_id())).copied().unwrap_or(Kind::Other);
    if node.is_named() {
        return match kind {
            // What a text literal is made of besides what it says.
            Kind::Other if outer == Some(Kind::String) || outer == Some(Kind::Interpolation) => None,
            // The type parameters of a definition, of which nothing is lowered.
            Kind::TypeParameter if outer.is_some_and(Kind::is_definition) => None,
            kind => Some(kind),
        };
    }
    match (outer?, field, kind) {
        (Kind::BinaryOperator | Kind::BooleanOperator | Kind::ComparisonOperator, _, _)
            if matches!(field, Role::Operator | Role::Operators) =>
        {
            Some(if kind.is_sign() { kind } else { Kind::Sign })
        }
        (Kind::ExceptClause, _, Kind::Colon) | (Kind::FunctionDefinition, _, Kind::Async) => Some(kind),
        _ => None,
    }
}

/// Where a text is no valid syntax.
pub(super) fn gaps(root: Node<'_>) -> Vec<LocalGap> {
    let mut gaps = Vec::new();
    if !root.has_error() {
        return gaps;
    }
    let gap = |node, reason: &str| LocalGap { span: span(node), reason: reason.to_owned() };
    let mut count = 0;
    let mut cursor = root.walk();
    // Walks down only where an error lies, and never into an error itself.
    loop {
        let node = cursor.node();
        let is_error = node.is_error() || node.is_missing();
        if is_error {
            count += 1;
            if count <= MOST_GAPS {
                gaps.push(gap(node, "syntax error"));
            }
        }
        if !is_error && node.has_error() && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                if count > MOST_GAPS {
                    let more = count - MOST_GAPS;
                    gaps.push(gap(root, &format!("{more} more syntax errors")));
                }
                return gaps;
            }
        }
    }
}

pub(super) fn span(node: Node<'_>) -> Span {
    Span::new(node.byte_range())
}

/// The named children of a node that are no comments.
pub(super) fn parts<'t>(node: Node<'t>) -> Vec<Node<'t>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).filter(|child| !child.is_extra()).collect()
}

pub(super) fn field<'t>(node: Node<'t>, name: &str) -> Option<Node<'t>> {
    node.child_by_field_name(name)
}

pub(super) fn fields<'t>(node: Node<'t>, name: &str) -> Vec<Node<'t>> {
    let mut cursor = node.walk();
    node.children_by_field_name(name, &mut cursor).filter(|child| child.is_named()).collect()
}
