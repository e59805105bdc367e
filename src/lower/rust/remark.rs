//! lower/rust/remark: comments that speak to trailcheck, and the code each of them speaks of.

use crate::facts::Remark;
use crate::source::Span;
use crate::token::{Kind, tokens};

use super::shape::{Holds, Lead, Part, Shape};

const MARK: &str = "trailcheck:";

/// The comments that hold the mark, in source order. A text that cannot be parsed has them as well.
pub(super) fn remarks(text: &str) -> Vec<Remark> {
    if !text.contains(MARK) {
        return Vec::new();
    }
    let shape = Shape::of(text);
    let is_code = |part: &&usize| shape.parts[**part].lead != Lead::Inner;
    let first = shape.groups[0].parts.iter().find(is_code);
    let first = first.map_or(u32::MAX, |&part| shape.parts[part].span.start);
    let comments = shape.comments.iter().filter(|comment| comment.kind == Kind::Comment);
    let marked = comments.filter(|comment| text[comment.span.range()].contains(MARK));
    marked
        .map(|comment| Remark {
            span: comment.span,
            text: text[comment.span.range()].to_owned(),
            covers: covered(text, &shape, comment.span).unwrap_or(comment.span),
            at_top: comment.span.start < first,
        })
        .collect()
}

/// What a comment speaks of: what it trails, or what comes next where it has its line to itself.
fn covered(text: &str, shape: &Shape, comment: Span) -> Option<Span> {
    let before = &text[..comment.start as usize];
    let line = before.rfind(['\n', '\r']).map_or(0, |end| end + 1);
    if !before[line..].trim().is_empty() {
        // The comma behind an arm or a field is none of it.
        let trailed = before[line..].trim_end().trim_end_matches(',').trim_end();
        return spoken_of(text, shape, (line + trailed.len().max(1)) as u32 - 1);
    }
    let is_comment = |kind: Kind| matches!(kind, Kind::Comment | Kind::InnerDescription);
    let behind = comment.end as usize;
    let next = tokens(&text[behind..]).find(|token| !is_comment(token.kind))?;
    // Nothing comes behind the last statement of a block.
    (next.kind != Kind::Close).then(|| spoken_of(text, shape, comment.end + next.span.start))?
}

/// The part around an offset: all of it, or its head alone where it is no item and has blocks.
fn spoken_of(text: &str, shape: &Shape, at: u32) -> Option<Span> {
    let part = &shape.parts[shape.around(at)?];
    let is_arm = shape.groups[part.group].holds == Holds::Arms;
    if part.lead.is_item() {
        return Some(part.span);
    }
    // What a closure does says nothing of the arm or the statement that it stands in, unless the comment is at its brace.
    let here = block_at(shape, part, at);
    let has_head = part.lead == Lead::Block || is_arm || text[at as usize..].starts_with('{');
    let Some(block) = here.or(part.body).filter(|_| has_head) else { return Some(part.span) };
    let head = shape.groups[block].head;
    let is_own = part.blocks.first() == Some(&block) || head.end - head.start == 1 || is_arm;
    let start = if is_own { part.span.start } else { head.start };
    Some(Span { start, end: head.end - 1 })
}

/// The block of a part in whose head an offset stands.
fn block_at(shape: &Shape, part: &Part, at: u32) -> Option<usize> {
    let next = part.blocks.partition_point(|&block| shape.groups[block].span.start < at);
    part.blocks.get(next).copied().filter(|&block| shape.groups[block].head.start <= at)
}

#[cfg(test)]
mod tests;
