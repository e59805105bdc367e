//! fix/place: a deed becomes text at a place: indentation, line ends, semicolons, commas and comments as the file has them.

use std::cell::OnceCell;

use crate::layout::{Block, Bracket, Layout, Statement};
use crate::remedy::Deed;
use crate::source::{Language, Source, Span};

use super::bind;
use super::clock::Clock;

/// Text in place of a span; an empty span is a place between two characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Patch {
    pub(super) span: Span,
    pub(super) text: String,
}

/// A file with its layout and whose modules are the program's own.
pub(super) struct Ground<'a> {
    pub(super) source: &'a Source,
    pub(super) layout: &'a Layout,
    pub(super) is_own: &'a dyn Fn(&str) -> bool,
    /// How it reads the clock, once somebody has asked.
    pub(super) clock: &'a OnceCell<Clock>,
}

/// Why a deed has no place in a file.
pub(super) type Refusal = &'static str;

impl Ground<'_> {
    /// The patches that do it.
    pub(super) fn patches(&self, deed: &Deed) -> Result<Vec<Patch>, Refusal> {
        let is_neutral = matches!(
            deed,
            Deed::Replace { .. } | Deed::Drop(_) | Deed::DropComment(_) | Deed::Move { .. } | Deed::Stamp(_)
        );
        if self.source.language != Language::Python && !is_neutral {
            return Err("the code to be put in is written for Python");
        }
        match deed {
            Deed::Stamp(stamp) => self.stamp(stamp).map(|patch| vec![patch]),
            Deed::Bind(binding) => bind::patch(self, binding).map(|patch| patch.into_iter().collect()),
            Deed::Replace { span, text } => Ok(vec![Patch { span: *span, text: text.clone() }]),
            Deed::Drop(span) => self.without_statement(*span).map(|patch| vec![patch]),
            Deed::DropComment(span) => Ok(vec![self.without_comment(*span)]),
            Deed::Behind { span, code } => self.behind(*span, code).map(|patch| vec![patch]),
            Deed::Before { span, code } => {
                let statement = self.statement(*span)?;
                self.before(statement, code).map(|patch| vec![patch])
            }
            Deed::First { head, code } => self.first(*head, code).map(|patch| vec![patch]),
            Deed::Last { block, code } => self.last(*block, code).map(|patch| vec![patch]),
            Deed::Move { span, before } => self.moved(*span, *before),
            Deed::Part { owner, beside, text } => self.part(*owner, *beside, text).map(|patch| vec![patch]),
            Deed::Parameter { name, text } => self.parameter(*name, text).map(|patch| vec![patch]),
            Deed::Around { span, head } => self.around(*span, head),
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.source.text
    }

    /// Whether what stands behind something on its line is nothing, or a comment.
    fn is_no_code(&self, rest: &str) -> bool {
        let rest = rest.trim();
        match self.source.language {
            Language::Rust => {
                let is_block =
                    rest.starts_with("/*") && rest.find("*/").is_some_and(|end| end + 2 == rest.len());
                rest.is_empty() || rest.starts_with("//") || is_block
            }
            _ => rest.is_empty() || rest.starts_with('#'),
        }
    }

    pub(super) fn statement(&self, span: Span) -> Result<&Statement, Refusal> {
        self.layout.statement(span).ok_or("no statement stands there")
    }

    /// The line end in use where an offset lies: that line's own, else the file's first, else a line feed.
    pub(super) fn line_end(&self, offset: u32) -> &str {
        let of_line = |from: usize| {
            let at = from + self.text()[from..].find(['\n', '\r'])?;
            let long = self.text()[at..].starts_with("\r\n");
            self.text().get(at..at + if long { 2 } else { 1 })
        };
        of_line(offset as usize).or_else(|| of_line(0)).unwrap_or("\n")
    }

    /// Where the line of an offset begins.
    pub(super) fn line_start(&self, offset: u32) -> u32 {
        self.text()[..offset as usize].rfind(['\n', '\r']).map_or(0, |at| at as u32 + 1)
    }

    /// Where the line of an offset ends, in front of its line end.
    pub(super) fn line_stop(&self, offset: u32) -> u32 {
        let rest = &self.text()[offset as usize..];
        offset + rest.find(['\n', '\r']).unwrap_or(rest.len()) as u32
    }

    /// The blanks in front of a statement that comes first on its line.
    fn indentation(&self, statement: &Statement) -> Option<&str> {
        let start = self.line_start(statement.span.start);
        let before = &self.text()[start as usize..statement.span.start as usize];
        let blank = before.trim_start_matches('\u{c}');
        blank.chars().all(|c| c == ' ' || c == '\t').then_some(blank)
    }

    /// Whether nothing but a comment stands behind a statement on its line.
    fn ends_line(&self, statement: &Statement) -> bool {
        let stop = self.line_stop(statement.span.end);
        self.is_no_code(&self.text()[statement.span.end as usize..stop as usize])
    }

    /// How much deeper a block stands than what it belongs to, in this file.
    fn step(&self) -> &str {
        let deeper = |block: &Block| {
            let first = self.layout.statements.get(*block.statements.first()?)?;
            let owner = self.layout.statements.get(block.owner?)?;
            let (inner, outer) = (self.indentation(first)?, self.indentation(owner)?);
            inner.strip_prefix(outer).filter(|step| !step.is_empty())
        };
        self.layout.blocks.iter().find_map(deeper).unwrap_or("    ")
    }

    /// Code as lines of its own, at an indentation.
    fn lines(&self, code: &str, indentation: &str, line_end: &str) -> String {
        let line = |line: &str| {
            let inner = line.trim_start_matches('\t');
            format!("{indentation}{}{inner}", self.step().repeat(line.len() - inner.len()))
        };
        code.lines().map(line).collect::<Vec<_>>().join(line_end)
    }

    pub(super) fn behind(&self, span: Span, code: &str) -> Result<Patch, Refusal> {
        self.behind_statement(self.statement(span)?, code)
    }

    fn behind_statement(&self, statement: &Statement, code: &str) -> Result<Patch, Refusal> {
        let end = statement.span.end;
        let line_end = self.line_end(end);
        let is_rust = self.source.language == Language::Rust;
        if is_rust && !self.may_be_followed(statement) {
            return Err("the statement is a value, or stands where no other can");
        }
        match self.indentation(statement) {
            Some(indentation) if self.ends_line(statement) => {
                let at = self.line_stop(end);
                let text = format!("{line_end}{}", self.lines(code, indentation, line_end));
                Ok(Patch { span: Span { start: at, end: at }, text })
            }
            _ if code.contains('\n') || !statement.is_simple => Err("several statements share the line"),
            _ if is_rust => Ok(Patch { span: Span { start: end, end }, text: format!(" {code}") }),
            _ => Ok(Patch { span: Span { start: end, end }, text: format!("; {code}") }),
        }
    }

    /// Whether another statement of Rust can come behind one without changing what its block is worth: it ends with a
    /// semicolon, or it is a block that others come behind.
    fn may_be_followed(&self, statement: &Statement) -> bool {
        let is_last = self.layout.blocks[statement.block]
            .statements
            .last()
            .is_none_or(|&last| self.layout.statements[last].span == statement.span);
        self.text()[statement.span.range()].ends_with(';') || !statement.is_simple && !is_last
    }

    pub(super) fn before(&self, statement: &Statement, code: &str) -> Result<Patch, Refusal> {
        let start = statement.span.start;
        let at = Span { start, end: start };
        let line_end = self.line_end(start);
        let is_rust = self.source.language == Language::Rust;
        let head = self.layout.blocks[statement.block].head;
        if is_rust && head.start == head.end && statement.block != 0 {
            return Err("the statement is a value, or stands where no other can");
        }
        match self.indentation(statement) {
            Some(indentation) => {
                let lines = self.lines(code, indentation, line_end);
                let own = lines.strip_prefix(indentation).unwrap_or(&lines);
                Ok(Patch { span: at, text: format!("{own}{line_end}{indentation}") })
            }
            None if code.contains('\n') || !statement.is_simple => Err("several statements share the line"),
            None if is_rust => Ok(Patch { span: at, text: format!("{code} ") }),
            None => Ok(Patch { span: at, text: format!("{code}; ") }),
        }
    }

    fn first(&self, head: Span, code: &str) -> Result<Patch, Refusal> {
        let block = self.layout.block_of(head).ok_or("no block begins there")?;
        let mut statements = block.statements.iter().map(|&number| &self.layout.statements[number]);
        let first = statements.next().ok_or("the block is empty")?;
        // A text that opens a block is its description, and stays first.
        if first.is_text {
            return self.behind(first.span, code);
        }
        let line_end = self.line_end(block.head.end);
        match self.indentation(first) {
            // A comment above the first statement speaks of that one.
            Some(indentation) => {
                let at = self.line_stop(block.head.end);
                let text = format!("{line_end}{}", self.lines(code, indentation, line_end));
                Ok(Patch { span: Span { start: at, end: at }, text })
            }
            None => self.before(first, code),
        }
    }

    fn last(&self, block: Span, code: &str) -> Result<Patch, Refusal> {
        let is_it = |other: &&Block| other.span.start == block.start && block.contains(other.span);
        let block = self.layout.blocks.iter().skip(1).find(is_it).ok_or("no block stands there")?;
        let last = block.statements.last().ok_or("the block is empty")?;
        let last = &self.layout.statements[*last];
        match self.indentation(last) {
            Some(_) if self.ends_line(last) => self.behind_statement(last, code),
            _ => Err("several statements share the line"),
        }
    }

    fn moved(&self, span: Span, before: Span) -> Result<Vec<Patch>, Refusal> {
        let (start, stop) = (self.line_start(span.start), self.line_stop(span.end));
        let target = self.line_start(before.start);
        let blank = |from: u32, to: u32| &self.text()[from as usize..to as usize];
        let shares_line = [(start, span.start), (target, before.start), (span.end, stop)]
            .into_iter()
            .map(|(from, to)| blank(from, to))
            .any(|rest| !self.is_no_code(rest));
        if shares_line || target >= start || start == 0 {
            return Err("other code shares the line");
        }
        // With the line end before it, so that it may be the last line of the file.
        let above = self.text()[..start as usize].trim_end_matches(['\n', '\r']).len() as u32;
        let line_end_start = if blank(above, start).contains("\r\n") { start - 2 } else { start - 1 };
        let line = blank(self.line_start(above), above);
        if !line.trim().is_empty() && self.is_no_code(line) {
            return Err("a comment stands above it");
        }
        let lines = format!("{}{}", blank(start, stop), self.line_end(before.start));
        Ok(vec![
            Patch { span: Span { start: target, end: target }, text: lines },
            Patch { span: Span { start: line_end_start, end: stop }, text: String::new() },
        ])
    }

    pub(super) fn part(&self, owner: Span, beside: Option<Span>, text: &str) -> Result<Patch, Refusal> {
        let bracket = self.layout.bracket(owner).ok_or("there are no brackets to put it into")?;
        let place = beside.and_then(|span| bracket.parts.iter().position(|part| part.contains(span)));
        let number = place.or_else(|| bracket.parts.len().checked_sub(1));
        Ok(self.listed(bracket, number, text))
    }

    /// All further keyword arguments come last in a list of parameters; the new one stands before them.
    fn parameter(&self, name: Span, text: &str) -> Result<Patch, Refusal> {
        let bracket = self.layout.parameters(name).ok_or("the function has no list of parameters")?;
        let ends_open = bracket.parts.last().is_some_and(|last| self.text()[last.range()].starts_with("**"));
        let number = bracket.parts.len().checked_sub(if ends_open { 2 } else { 1 });
        if ends_open && number.is_none() {
            let at = bracket.span.start + 1;
            return Ok(Patch { span: Span { start: at, end: at }, text: format!("{text}, ") });
        }
        // A star has a line of its own where parameters have.
        if let (Some(named), Some(number)) = (text.strip_prefix("*, "), number)
            && let Some(indentation) = self.own_line(bracket, number)
        {
            let star = self.listed(bracket, Some(number), "*");
            let text = format!("{},{}{indentation}{named}", star.text, self.line_end(star.span.start));
            return Ok(Patch { text, ..star });
        }
        Ok(self.listed(bracket, number, text))
    }

    /// Puts a part into a list, behind the one of a number, or as the only one.
    pub(super) fn listed(&self, bracket: &Bracket, number: Option<usize>, text: &str) -> Patch {
        let Some(number) = number else {
            // A comma makes one element a tuple; arguments do without.
            let is_tuple =
                bracket.owner == bracket.span && self.text()[bracket.span.range()].starts_with('(');
            let at = bracket.span.start + 1;
            let text = if is_tuple { format!("{text},") } else { text.to_owned() };
            return Patch { span: Span { start: at, end: at }, text };
        };
        let part = bracket.parts[number];
        let at = Span { start: part.end, end: part.end };
        let own_line = self.own_line(bracket, number);
        // A comment behind the comma speaks of the part before it.
        let stop = self.line_stop(part.end);
        let rest = &self.text()[part.end as usize..stop as usize];
        let comment = rest.trim_start().strip_prefix(',').map_or("", str::trim);
        if let Some(indentation) = own_line.filter(|_| !comment.is_empty() && self.is_no_code(comment)) {
            let text = format!("{}{indentation}{text},", self.line_end(part.end));
            return Patch { span: Span { start: stop, end: stop }, text };
        }
        let text = match own_line {
            Some(indentation) => format!(",{}{indentation}{text}", self.line_end(part.end)),
            None => format!(", {text}"),
        };
        Patch { span: at, text }
    }

    /// The indentation of a part that stands on a line of its own, so that a new one gets a line, too.
    pub(super) fn own_line(&self, bracket: &Bracket, number: usize) -> Option<&str> {
        let part = bracket.parts[number];
        let start = self.line_start(part.start);
        let before = &self.text()[start as usize..part.start as usize];
        (start > bracket.span.start && before.chars().all(|c| c == ' ' || c == '\t')).then_some(before)
    }

    fn without_statement(&self, span: Span) -> Result<Patch, Refusal> {
        let statement = self.statement(span)?;
        let (start, stop) = (self.line_start(statement.span.start), self.line_stop(statement.span.end));
        let is_alone = self.indentation(statement).is_some()
            && self.text()[statement.span.end as usize..stop as usize].trim().is_empty();
        if !is_alone || self.layout.blocks[statement.block].statements.len() < 2 {
            return Err("the statement shares its line with something");
        }
        let end = stop as usize
            + if self.text()[stop as usize..].is_empty() { 0 } else { self.line_end(stop).len() };
        Ok(Patch { span: Span::new(start as usize..end), text: String::new() })
    }

    fn without_comment(&self, span: Span) -> Patch {
        let start = self.line_start(span.start);
        let before = &self.text()[start as usize..span.start as usize];
        if before.trim().is_empty() {
            let stop = self.line_stop(span.end);
            let end = stop as usize
                + if self.text()[stop as usize..].is_empty() { 0 } else { self.line_end(stop).len() };
            return Patch { span: Span::new(start as usize..end), text: String::new() };
        }
        let kept = start + before.trim_end().len() as u32;
        Patch { span: Span { start: kept, end: span.end }, text: String::new() }
    }

    fn around(&self, span: Span, head: &str) -> Result<Vec<Patch>, Refusal> {
        let inside = |block: &&Block| {
            let mut of_block = block.statements.iter().map(|&number| self.layout.statements[number].span);
            of_block.any(|statement| span.contains(statement))
        };
        let block = self.layout.blocks.iter().find(inside).ok_or("no statement stands there")?;
        let statements: Vec<&Statement> = block
            .statements
            .iter()
            .map(|&number| &self.layout.statements[number])
            .filter(|statement| span.contains(statement.span))
            .collect();
        let (Some(first), Some(last)) = (statements.first(), statements.last()) else {
            return Err("no statement stands there");
        };
        let indentation = self.indentation(first).ok_or("the block stands on the line of its head")?;
        if !self.ends_line(last) {
            return Err("several statements share the line");
        }
        let line_end = self.line_end(first.span.start);
        let step = self.step();
        let span = Span { start: first.span.start, end: last.span.end };
        // One patch for all of it: whatever else would be put between the lines is in its way.
        let mut text = format!("{head}{line_end}{indentation}{step}");
        let mut at = span.start;
        while at < span.end {
            let stop = self.line_stop(at).min(span.end);
            let line = &self.text()[at as usize..stop as usize];
            if at > span.start && !line.trim().is_empty() && !self.layout.is_in_text(at) {
                text.push_str(step);
            }
            text.push_str(line);
            // Both characters of a long line end belong to it.
            let end = if stop < span.end { self.line_end(stop) } else { "" };
            text.push_str(end);
            at = stop + end.len() as u32;
        }
        Ok(vec![Patch { span, text }])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Language;

    /// The text after a deed, or why there is no place for it.
    fn after(text: &str, deed: impl Fn(&dyn Fn(&str) -> Span) -> Deed) -> Result<String, Refusal> {
        let source = Source::of_text("a.py", Language::Python, text);
        let layout = crate::lower::layout(&source);
        let ground = Ground { source: &source, layout: &layout, is_own: &|_| false, clock: &OnceCell::new() };
        let span = |part: &str| {
            let start = text.find(part).expect("the part is there");
            Span::new(start..start + part.len())
        };
        let mut patches = ground.patches(&deed(&span))?;
        patches.sort();
        let mut out = text.to_owned();
        for patch in patches.iter().rev() {
            out.replace_range(patch.span.range(), &patch.text);
        }
        Ok(out)
    }

    #[test]
    fn what_comes_first_stands_behind_the_description_and_before_a_comment() {
        let first = |text: &str| {
            after(text, |span| Deed::First { head: span("def f"), code: "if raw:\n\treturn".into() })
        };
        let guarded = "def f():  # why\n\tif raw:\n\t\treturn\n\t# how\n\tg()\n";
        assert_eq!(first("def f():  # why\n\t# how\n\tg()\n").as_deref(), Ok(guarded));
        let described = "def f():\n  'F.'\n  if raw:\n    return\n\n  g()\n";
        assert_eq!(first("def f():\n  'F.'\n\n  g()\n").as_deref(), Ok(described));
        assert!(first("def f(): g()\n").is_err());
    }

    #[test]
    fn what_comes_last_stands_behind_the_last_statement_of_its_own_block() {
        let last = |text: &str, block: &str| {
            after(text, |span| Deed::Last { block: span(block), code: "z()".into() })
        };
        let text = "try:\n    if a:\n        b()  # b\nexcept E:\n    c()\n";
        let ended = "try:\n    if a:\n        b()  # b\n    z()\nexcept E:\n    c()\n";
        assert_eq!(last(text, "if a:\n        b()  # b").as_deref(), Ok(ended));
        assert!(last("try: b()\nexcept E: c()\n", "b()").is_err());
    }

    #[test]
    fn a_clause_moves_byte_for_byte_also_from_the_end_of_the_file() {
        let moved = |text: &str| {
            after(text, |span| Deed::Move { span: span("except B:\n    b()"), before: span("except A:") })
        };
        let text = "try:\n    t()\nexcept A:\n    a()  # a\n\nexcept B:\n    b()  # b";
        let ordered = "try:\n    t()\nexcept B:\n    b()  # b\nexcept A:\n    a()  # a\n";
        assert_eq!(moved(text).as_deref(), Ok(ordered));
        assert!(moved("try:\n    t()\nexcept A:\n    a()\n# rare\nexcept B:\n    b()\n").is_err());
        assert!(moved("try:\n    t()\nexcept A:\n    a()\nexcept B:\n    b(); c()\n").is_err());
    }
}
