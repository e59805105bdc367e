//! fix/clock: how a Rust file reads the clock, and what it wraps the values of columns in.

use crate::source::Span;
use crate::token::{Kind, tokens};

use super::place::Ground;

/// A file cut into pieces, and where it reads the clock.
pub(super) struct Clock {
    list: Vec<(Kind, Span)>,
    readings: Vec<Reading>,
}

impl Clock {
    pub(super) fn of(text: &str) -> Clock {
        let is_comment =
            |kind: Kind| matches!(kind, Kind::Comment | Kind::Description | Kind::InnerDescription);
        let code = tokens(text).filter(|token| !is_comment(token.kind));
        let list: Vec<(Kind, Span)> = code.map(|token| (token.kind, token.span)).collect();
        let readings = Pieces { text, list: &list }.readings();
        Clock { list, readings }
    }

    fn pieces<'t>(&'t self, text: &'t str) -> Pieces<'t> {
        Pieces { text, list: &self.list }
    }
}

/// The code that reads the clock for a column: as the function gives it to that column elsewhere, or else the file; as
/// they give it to another column of a time; as they read it at all; by `chrono` where the file knows that.
pub(super) fn usual(ground: &Ground<'_>, column: &str, place: Span) -> Option<String> {
    let text = ground.text();
    let clock = ground.clock();
    let pieces = clock.pieces(text);
    let function = function_around(ground, place);
    let found = clock.readings.iter().map(|reading| {
        let rank = match reading.column.map(|column| &text[column.range()]) {
            Some(other) if other == column => 0,
            Some(other) if other.ends_with("_at") => 1,
            _ => 2,
        };
        let is_elsewhere = !function.contains(reading.span);
        let kept = if rank == 0 { reading.given } else { reading.span };
        ((rank, is_elsewhere, kept.start), kept)
    });
    let best = found.min_by_key(|(order, _)| *order).map(|(_, span)| match pieces.local(span) {
        Some(name) if is_in_sight(ground, span, place) => name.to_owned(),
        _ => text[span.range()].to_owned(),
    });
    best.or_else(|| pieces.names("chrono").then(|| "chrono::Utc::now()".to_owned()))
}

/// What a value is wrapped in, as `Set` in `Set(1)`.
pub(super) fn wrapper(value: &str) -> Option<&str> {
    let path = value.split_once('(')?.0.trim_end();
    let is_path = tokens(path).all(|token| token.kind == Kind::Word || &path[token.span.range()] == "::");
    let last = path.rsplit("::").next()?;
    (is_path && matches!(last, "Set" | "set")).then_some(path)
}

/// What some value of a file is wrapped in.
pub(super) fn any_wrapper<'g>(ground: &'g Ground<'_>) -> Option<&'g str> {
    let text = ground.text();
    let pieces = ground.clock().pieces(text);
    let is_call = |at: &usize| pieces.is(*at, "Set") && pieces.is(at + 1, "(");
    let last = (0..pieces.list.len()).find(is_call)?;
    let first = pieces.path_start(last);
    text.get(pieces.list[first].1.start as usize..pieces.list[last].1.end as usize)
}

/// The innermost function around a place.
fn function_around(ground: &Ground<'_>, place: Span) -> Span {
    let is_function = |head: &str| tokens(head).any(|token| &head[token.span.range()] == "fn");
    let around = ground.layout.blocks.iter().skip(1).filter(|block| block.span.contains(place));
    let functions = around.filter(|block| is_function(ground.source.slice(block.head)));
    functions.map(|block| block.span).min_by_key(|span| span.end - span.start).unwrap_or_default()
}

/// Whether what a statement binds is known at a place.
fn is_in_sight(ground: &Ground<'_>, bound: Span, place: Span) -> bool {
    let Some(statement) = ground.layout.statement(bound) else { return false };
    let block = &ground.layout.blocks[statement.block];
    statement.span.end <= place.start && block.span.contains(place) && statement.block != 0
}

/// A place where the clock is read.
struct Reading {
    /// With what makes it fit a column: `Utc::now().into()`; without what else is done with it.
    span: Span,
    /// With `Some(…)` around it, where that stands.
    given: Span,
    /// The column that it is given to.
    column: Option<Span>,
}

/// Names by which clocks are read.
const NOW: &[&str] = &["now", "now_utc", "now_local"];

/// What a clock that tells the time of the day is called. Others tell how long something takes.
const CLOCKS: &[&str] = &["Utc", "Local", "OffsetDateTime", "Timestamp", "Zoned", "dsl"];

/// What makes a reading of the clock fit a column.
const FITS: &[&str] = &["into", "naive_utc", "naive_local", "fixed_offset"];

struct Pieces<'t> {
    text: &'t str,
    list: &'t [(Kind, Span)],
}

impl<'t> Pieces<'t> {
    fn at(&self, at: usize) -> &'t str {
        self.list.get(at).map_or("", |(_, span)| &self.text[span.range()])
    }

    fn is(&self, at: usize, text: &str) -> bool {
        self.at(at) == text
    }

    fn is_before(&self, at: usize, text: &str) -> bool {
        at.checked_sub(1).is_some_and(|at| self.is(at, text))
    }

    fn names(&self, module: &str) -> bool {
        (0..self.list.len()).any(|at| self.is(at, module) && self.is(at + 1, "::"))
    }

    /// Where the path begins whose last name is given.
    fn path_start(&self, last: usize) -> usize {
        let mut first = last;
        while first >= 2 && self.is(first - 1, "::") && self.list[first - 2].0 == Kind::Word {
            first -= 2;
        }
        first
    }

    fn readings(&self) -> Vec<Reading> {
        (0..self.list.len()).filter_map(|last| self.reading(last)).collect()
    }

    /// The reading of the clock whose path ends with a name.
    fn reading(&self, last: usize) -> Option<Reading> {
        let first = self.path_start(last);
        let is_import = self.is_before(first, "use") || self.is(last + 1, "as");
        if !NOW.contains(&self.at(last)) || first == last || is_import {
            return None;
        }
        let mut end = if self.is(last + 1, "(") && self.is(last + 2, ")") { last + 2 } else { last };
        // A name for what a database reads takes no brackets; any other without them is the function itself.
        if end == last && !self.is_before(last - 1, "dsl") || self.is(end + 1, "(") || self.is(end + 1, "::")
        {
            return None;
        }
        let span =
            |first: usize, end: usize| Span { start: self.list[first].1.start, end: self.list[end].1.end };
        let call = span(first, end);
        while self.is(end + 1, ".")
            && FITS.contains(&self.at(end + 2))
            && self.is(end + 3, "(")
            && self.is(end + 4, ")")
        {
            end += 4;
        }
        let fit = span(first, end);
        let is_clock = CLOCKS.contains(&self.at(last - 2));
        if self.is(end + 1, ".") {
            return is_clock.then_some(Reading { span: call, given: call, column: None });
        }
        let (mut from, mut to) = (first, end);
        if from >= 2 && self.is(from - 1, "(") && self.is(from - 2, "Some") && self.is(to + 1, ")") {
            (from, to) = (from - 2, to + 1);
        }
        let given = span(from, to);
        let column = self.column(from, to);
        (is_clock || column.is_some()).then_some(Reading { span: fit, given, column })
    }

    /// The name that a reading of the clock, and nothing else, is bound to.
    fn local(&self, reading: Span) -> Option<&'t str> {
        let first = self.list.binary_search_by_key(&reading.start, |(_, span)| span.start).ok()?;
        let behind = self.list.partition_point(|(_, span)| span.start < reading.end);
        let is_bound =
            self.is_before(first, "=") && self.is(behind, ";") && first >= 3 && self.is(first - 3, "let");
        (is_bound && self.list[first - 2].0 == Kind::Word).then(|| self.at(first - 2))
    }

    /// The column that is given what stands from one piece to another.
    fn column(&self, from: usize, to: usize) -> Option<Span> {
        let opened = from.checked_sub(1)?;
        let is_closed = self.is(to + 1, ")");
        let name = if is_closed
            && self.is(opened, "(")
            && self.is_before(opened, "eq")
            && self.is_before(opened - 1, ".")
        {
            opened.checked_sub(3)?
        } else {
            let is_set = is_closed
                && self.is(opened, "(")
                && matches!(self.at(opened.saturating_sub(1)), "Set" | "set");
            let first = if is_set { self.path_start(opened - 1) } else { from };
            let sign = first.checked_sub(1)?;
            if !matches!(self.at(sign), ":" | "=") {
                return None;
            }
            sign.checked_sub(1)?
        };
        // What a `let` names is no column.
        let is_local = matches!(self.at(name.saturating_sub(1)), "let" | "mut");
        (self.list[name].0 == Kind::Word && !is_local).then(|| self.list[name].1)
    }
}
