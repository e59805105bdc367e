//! lower/python/layout: where statements, blocks and brackets stand.

use tree_sitter::Node;

use crate::layout::{Block, Bracket, ImportLine, Layout, Statement};
use crate::source::Span;

use super::grammar::{field, fields, parse, parts, span};

/// How the text is laid out; a text that nothing can be said of has one fault and no statement.
pub(in crate::lower) fn layout(text: &str) -> Layout {
    let mut layout = Layout::default();
    let Some(tree) = parse(text) else {
        layout.faults = 1;
        return layout;
    };
    let mut waiting = vec![Open { node: tree.root_node(), statement: None }];
    // A stack of its own: how deep the code nests is not known.
    while let Some(open) = waiting.pop() {
        let first = waiting.len();
        visit(text, open, &mut layout, &mut waiting);
        waiting[first..].reverse();
    }
    layout
}

/// A node that waits for its turn, and the innermost statement around it.
struct Open<'t> {
    node: Node<'t>,
    statement: Option<usize>,
}

fn visit<'t>(text: &str, open: Open<'t>, layout: &mut Layout, waiting: &mut Vec<Open<'t>>) {
    let Open { node, statement } = open;
    if node.is_error() || node.is_missing() {
        layout.faults += 1;
    }
    match node.kind() {
        "module" | "block" => return block(text, open, layout, waiting),
        "comment" => layout.comments.push(span(node)),
        "string" | "concatenated_string" if text[node.byte_range()].contains(['\n', '\r']) => {
            layout.long_texts.push(span(node));
        }
        "argument_list" | "list" | "tuple" | "set" | "dictionary" | "parameters" => {
            bracket(text, node, layout);
        }
        _ => {}
    }
    let mut cursor = node.walk();
    waiting.extend(node.children(&mut cursor).map(|node| Open { node, statement }));
}

fn block<'t>(text: &str, open: Open<'t>, layout: &mut Layout, waiting: &mut Vec<Open<'t>>) {
    let Open { node, statement: owner } = open;
    let head = match node.parent() {
        Some(parent) => {
            let until = text[parent.start_byte()..node.start_byte()].trim_end().len();
            Span::new(parent.start_byte()..parent.start_byte() + head_end(parent, node).unwrap_or(until))
        }
        None => Span::default(),
    };
    let number = layout.blocks.len();
    layout.blocks.push(Block { span: span(node), head, owner, statements: Vec::new() });
    let mut cursor = node.walk();
    for child in node.children(&mut cursor) {
        if child.is_extra() || !child.is_named() || child.is_error() {
            waiting.push(Open { node: child, statement: owner });
            continue;
        }
        let statement = layout.statements.len();
        layout.blocks[number].statements.push(statement);
        layout.statements.push(Statement {
            span: span(child),
            block: number,
            is_simple: is_simple(child),
            is_text: child.kind() == "expression_statement"
                && child.named_child_count() == 1
                && child
                    .named_child(0)
                    .is_some_and(|inner| matches!(inner.kind(), "string" | "concatenated_string")),
        });
        if number == 0 {
            layout.imports.extend(import(text, child, statement));
        }
        waiting.push(Open { node: child, statement: Some(statement) });
    }
    layout.faults += uneven(text, layout, number);
    if let (Some(&first), Some(&last)) =
        (layout.blocks[number].statements.first(), layout.blocks[number].statements.last())
    {
        let (first, last) = (layout.statements[first].span, layout.statements[last].span);
        layout.blocks[number].span = Span { start: first.start, end: last.end };
    }
}

/// How many statements of a block stand deeper or less deep than its first one. The parser takes them, Python does not.
fn uneven(text: &str, layout: &Layout, number: usize) -> usize {
    let indentation = |statement: &usize| {
        let start = layout.statements[*statement].span.start as usize;
        let line = text[..start].rfind(['\n', '\r']).map_or(0, |at| at + 1);
        let before = text[line..start].trim_start_matches('\u{c}');
        before.chars().all(|c| c == ' ' || c == '\t').then_some(before)
    };
    let mut found = layout.blocks[number].statements.iter().filter_map(indentation);
    let Some(first) = found.next() else { return 0 };
    found.filter(|other| *other != first).count()
}

/// How long the head of a block is, colon included.
fn head_end(parent: Node<'_>, block: Node<'_>) -> Option<usize> {
    let mut cursor = parent.walk();
    let colons = parent.children(&mut cursor).filter(|child| child.kind() == ":");
    let last = colons.take_while(|colon| colon.start_byte() <= block.start_byte()).last()?;
    Some(last.end_byte() - parent.start_byte())
}

/// Whether a statement has no block of its own.
fn is_simple(node: Node<'_>) -> bool {
    !matches!(
        node.kind(),
        "if_statement"
            | "for_statement"
            | "while_statement"
            | "try_statement"
            | "with_statement"
            | "function_definition"
            | "class_definition"
            | "decorated_definition"
            | "match_statement"
            | "case_clause"
    )
}

fn bracket(text: &str, node: Node<'_>, layout: &mut Layout) {
    let parts: Vec<Span> = parts(node).into_iter().map(span).collect();
    // An empty pair of round brackets is a tuple, a bare `a, b` has none.
    let opens = text[node.byte_range()].starts_with(['(', '[', '{']);
    if !opens || node.has_error() {
        return;
    }
    let owner = match (node.kind(), node.parent()) {
        ("argument_list" | "parameters", Some(parent)) => span(parent),
        _ => span(node),
    };
    let behind = parts.last().map_or(node.start_byte() + 1, |last| last.end as usize);
    let mut cursor = node.walk();
    let commas = node.children(&mut cursor).filter(|child| child.kind() == ",");
    let ends_with_comma = commas.into_iter().any(|comma| comma.start_byte() >= behind);
    layout.brackets.push(Bracket { owner, span: span(node), parts, ends_with_comma });
}

fn import(text: &str, node: Node<'_>, statement: usize) -> Option<ImportLine> {
    let slice = |node: Node<'_>| text[node.byte_range()].to_owned();
    match node.kind() {
        "import_statement" => {
            let first = fields(node, "name").into_iter().next()?;
            let module = field(first, "name").map_or_else(|| slice(first), slice);
            Some(ImportLine { statement, module, items: None })
        }
        "import_from_statement" => {
            let module = slice(field(node, "module_name")?);
            let items = fields(node, "name").into_iter().map(|item| (slice(item), span(item))).collect();
            Some(ImportLine { statement, module, items: Some(items) })
        }
        "future_import_statement" => {
            Some(ImportLine { statement, module: "__future__".to_owned(), items: Some(Vec::new()) })
        }
        _ => None,
    }
}
