//! lower/rust/layout: where statements, blocks and brackets stand.

use crate::layout::{Block, Bracket, ImportLine, Layout, Statement};
use crate::source::Span;
use crate::token::{Kind, tokens};

use super::shape::{Group, Holds, Lead, Part, Shape};

/// How the text is laid out; one that cannot be parsed has one fault.
pub(in crate::lower) fn layout(text: &str) -> Layout {
    let shape = Shape::of(text);
    let mut layout = Layout {
        long_texts: shape.long_texts.clone(),
        comments: shape.comments.iter().map(|comment| comment.span).collect(),
        faults: usize::from(!super::parses(text)),
        ..Layout::default()
    };
    let mut found: Vec<Found> = Vec::new();
    for (number, part) in shape.parts.iter().enumerate() {
        if shape.groups[part.group].holds == Holds::Statements && part.lead != Lead::Inner {
            found.push(Found { span: part.span, place: Place::Part(number) });
        }
    }
    found.extend(shape.bare.iter().map(|&(span, group)| Found { span, place: Place::Bare(group) }));
    found.sort_by_key(|found| (found.span.start, std::cmp::Reverse(found.span.end)));
    let mut numbers = vec![None; shape.parts.len()];
    for (number, found) in found.iter().enumerate() {
        if let Place::Part(part) = found.place {
            numbers[part] = Some(number);
        }
    }
    let owner = |group: &Group| group.around.and_then(|part| numbers[part]);
    let mut blocks = vec![None; shape.groups.len()];
    for (number, group) in
        shape.groups.iter().enumerate().filter(|(_, group)| group.holds == Holds::Statements)
    {
        blocks[number] = Some(layout.blocks.len());
        let inside: Vec<usize> = group.parts.iter().filter_map(|&part| numbers[part]).collect();
        let span = match (inside.first(), inside.last()) {
            (Some(&first), Some(&last)) => Span { start: found[first].span.start, end: found[last].span.end },
            _ => Span { start: group.head.end, end: group.head.end },
        };
        layout.blocks.push(Block { span, head: group.head, owner: owner(group), statements: inside });
    }
    for (number, found) in found.iter().enumerate() {
        let (block, is_simple) = match found.place {
            Place::Part(part) => {
                let Part { group, lead, .. } = shape.parts[part];
                (blocks[group].unwrap_or(0), is_simple(lead))
            }
            Place::Bare(group) => {
                let head = Span { start: found.span.start, end: found.span.start };
                let owner = owner(&shape.groups[group]);
                layout.blocks.push(Block { span: found.span, head, owner, statements: vec![number] });
                (layout.blocks.len() - 1, true)
            }
        };
        layout.statements.push(Statement { span: found.span, block, is_simple, is_text: false });
    }
    layout.brackets = shape.groups.iter().filter_map(|group| bracket(&shape, group)).collect();
    for &part in &shape.groups[0].parts {
        if let (Lead::Import, Some(statement)) = (shape.parts[part].lead, numbers[part]) {
            let Part { span, begins, .. } = shape.parts[part];
            layout.imports.extend(import(text, Span { start: begins, end: span.end }, statement));
        }
    }
    layout
}

/// A statement, before it has its number.
struct Found {
    span: Span,
    place: Place,
}

enum Place {
    /// A part of a block.
    Part(usize),
    /// An expression in place of a block, in a group.
    Bare(usize),
}

/// Whether a statement has no block that it ends with.
fn is_simple(lead: Lead) -> bool {
    !matches!(lead, Lead::Block | Lead::Function | Lead::Body | Lead::Definition | Lead::Macro)
}

fn bracket(shape: &Shape, group: &Group) -> Option<Bracket> {
    let lists = matches!(group.holds, Holds::List | Holds::Literal | Holds::Fields) && !group.is_repeat;
    lists.then(|| Bracket {
        owner: group.owner,
        span: group.span,
        parts: group.parts.iter().map(|&part| shape.parts[part].span).collect(),
        ends_with_comma: group.ends_with_comma,
    })
}

/// What `use a::b::{c, d};` or `use a::b;` imports; none where the list of names has lists of its own.
fn import(text: &str, span: Span, statement: usize) -> Option<ImportLine> {
    let start = span.start as usize;
    let at = |piece: Span| Span::new(start + piece.start as usize..start + piece.end as usize);
    let code = text.get(span.range())?;
    let mut pieces = tokens(code)
        .filter(|token| !matches!(token.kind, Kind::Comment | Kind::Description | Kind::InnerDescription))
        .skip_while(|token| &code[token.span.range()] != "use")
        .skip(1);
    let mut path: Vec<&str> = Vec::new();
    let mut items: Vec<Span> = Vec::new();
    let mut item: Option<Span> = None;
    let mut is_list = false;
    for token in pieces.by_ref() {
        let piece = &code[token.span.range()];
        match piece {
            "{" if is_list => return None,
            "{" => is_list = true,
            ";" => break,
            "," | "}" => items.extend(item.take()),
            "::" if !is_list => {
                let last = item.take().map_or("", |span| &code[span.range()]);
                path.push(last);
            }
            _ => item = Some(item.map_or(token.span, |item| Span { start: item.start, end: token.span.end })),
        }
    }
    items.extend(item);
    let items = items.into_iter().map(|span| (code[span.range()].to_owned(), at(span))).collect();
    Some(ImportLine { statement, module: path.join("::"), items: Some(items) })
}

#[cfg(test)]
mod tests;
