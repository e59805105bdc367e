//! report/excerpt: the few lines of a file that a finding is shown with, short and harmless enough for a terminal.
//!
//! A line may be twenty megabytes long, and a file may hold anything. So the lines around the labels are copied, cut and
//! escaped, and the labels are moved along; the line numbers and the place in the heading stay those of the file.

use std::collections::{BTreeMap, BTreeSet};

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use crate::escape;
use crate::source::{Source, Span};

/// Longer lines are cut around what is marked in them.
const LONGEST_LINE: usize = 240;
/// How much of a cut line is kept before the first mark, and from there on.
const KEPT: (usize, usize) = (60, 140);
/// A span over more lines is marked on its first line only.
const MOST_LINES: u32 = 8;

/// Some lines of a file, ready to be drawn.
#[derive(Debug)]
pub(super) struct Excerpt {
    name: String,
    blocks: Vec<Block>,
    /// The column in the file at which a label starts, by its offset here; both 0-based.
    columns: BTreeMap<usize, usize>,
}

/// Lines that follow each other.
#[derive(Debug)]
struct Block {
    /// Where it starts in the excerpt's own count of bytes.
    offset: usize,
    /// The 0-based number of its first line in the file.
    first_line: usize,
    text: String,
}

impl Excerpt {
    /// The lines around the given spans, and where the spans are in it.
    pub(super) fn new(source: &Source, spans: &[Span]) -> (Excerpt, Vec<SourceSpan>) {
        let spans: Vec<Span> = spans.iter().map(|&span| shortened(source, span)).collect();
        let mut lines = BTreeSet::new();
        for span in &spans {
            let last = (source.line(span.end) + 1).min(source.line_count());
            lines.extend(source.line(span.start).saturating_sub(1).max(1)..=last);
        }
        let mut excerpt = Excerpt { name: name(source), blocks: Vec::new(), columns: BTreeMap::new() };
        let mut starts = vec![0; spans.len()];
        let mut ends = vec![0; spans.len()];
        let mut next = 0;
        for &line in &lines {
            let whole = source.line_span(line);
            if line == source.line_count() && whole.start == whole.end && line > 1 && !touches(&spans, whole)
            {
                // The empty rest behind the last line end is no line to anybody.
                continue;
            }
            if lines.contains(&(line - 1)) && !excerpt.blocks.is_empty() {
                next += 1;
            } else {
                // The step in the count keeps a span from reaching into another block.
                let offset = next + 2;
                excerpt.blocks.push(Block { offset, first_line: line as usize - 1, text: String::new() });
                next = offset;
            }
            let block = excerpt.blocks.last_mut().expect("internal error: a block was begun");
            if next > block.offset {
                block.text.push('\n');
            }
            let cut = Cut::new(source, whole, &spans);
            for (at, span) in spans.iter().enumerate() {
                if (whole.start..=whole.end).contains(&span.start) {
                    starts[at] = next + cut.place(span.start);
                }
                if (whole.start..=whole.end).contains(&span.end) {
                    ends[at] = next + cut.place(span.end);
                }
            }
            block.text.push_str(&cut.shown);
            next += cut.shown.len();
        }
        let moved = starts.iter().zip(&ends).map(|(&start, &end)| SourceSpan::from(start..end.max(start)));
        let moved: Vec<SourceSpan> = moved.collect();
        for (span, moved) in spans.iter().zip(&moved) {
            excerpt.columns.insert(moved.offset(), source.position(span.start).column as usize - 1);
        }
        (excerpt, moved)
    }
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let (start, end) = (span.offset(), span.offset() + span.len());
        let holds = |block: &&Block| block.offset <= start && end <= block.offset + block.text.len();
        let block = self.blocks.iter().find(holds).ok_or(MietteError::OutOfBounds)?;
        let (start, end) = (start - block.offset, end - block.offset);
        let line = block.text[..start].matches('\n').count();
        let first = line.saturating_sub(before);
        let last = block.text[..end].matches('\n').count() + after;
        let (from, column) = if before == 0 {
            let drawn = start - block.text[..start].rfind('\n').map_or(0, |at| at + 1);
            (start, self.columns.get(&span.offset()).copied().unwrap_or(drawn))
        } else {
            (line_start(&block.text, first), 0)
        };
        let to = if after == 0 { end } else { line_start(&block.text, last + 1).max(end) };
        let data = block.text.as_bytes().get(from..to).ok_or(MietteError::OutOfBounds)?;
        let there = SourceSpan::from(block.offset + from..block.offset + to);
        let lines = last + 1 - first;
        let contents = MietteSpanContents::new_named(
            self.name.clone(),
            data,
            there,
            block.first_line + first,
            column,
            lines,
        );
        Ok(Box::new(contents))
    }
}

/// A line as it is shown: escaped, and cut where it is too long.
struct Cut<'a> {
    line: &'a str,
    start: usize,
    from: usize,
    to: usize,
    lead: &'static str,
    shown: String,
}

impl<'a> Cut<'a> {
    fn new(source: &'a Source, whole: Span, spans: &[Span]) -> Cut<'a> {
        let line = source.slice(whole);
        let start = whole.start as usize;
        let (mut from, mut to) = (0, line.len());
        if line.len() > LONGEST_LINE {
            let marks =
                spans.iter().map(|span| span.start).filter(|at| (whole.start..=whole.end).contains(at));
            let mark = marks.min().map_or(0, |at| at as usize - start);
            from = boundary(line, mark.saturating_sub(KEPT.0));
            to = boundary(line, (mark + KEPT.1).min(line.len()));
        }
        let lead = if from > 0 { "…" } else { "" };
        let trail = if to < line.len() { "…" } else { "" };
        let shown = format!("{lead}{}{trail}", escape::code_line(&line[from..to]));
        Cut { line, start, from, to, lead, shown }
    }

    /// Where an offset of the file is in the shown line; what was cut away is where the cut is.
    fn place(&self, offset: u32) -> usize {
        let at = (offset as usize - self.start).clamp(self.from, self.to);
        self.lead.len() + escape::code_line(&self.line[self.from..at]).len()
    }
}

/// The span as far as it is marked.
fn shortened(source: &Source, span: Span) -> Span {
    let length = source.text.len() as u32;
    let span = Span { start: span.start.min(length), end: span.end.clamp(span.start.min(length), length) };
    let first = source.line(span.start);
    let end =
        if source.line(span.end) >= first + MOST_LINES { source.line_span(first).end } else { span.end };
    // A span that ends behind a line end would be drawn into the next line.
    let end = if end > span.start { end.min(source.line_span(source.line(end - 1)).end) } else { end };
    Span { start: span.start, end: end.max(span.start) }
}

fn touches(spans: &[Span], line: Span) -> bool {
    spans.iter().any(|span| span.start <= line.end && line.start <= span.end)
}

fn name(source: &Source) -> String {
    escape::terminal(&source.display_path()).into_owned()
}

/// The nearest place at or before `at` where the text can be cut.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

/// The offset at which a 0-based line starts; the text's end where there are fewer lines.
fn line_start(text: &str, line: usize) -> usize {
    match line.checked_sub(1) {
        None => 0,
        Some(before) => text.match_indices('\n').nth(before).map_or(text.len(), |(at, _)| at + 1),
    }
}
