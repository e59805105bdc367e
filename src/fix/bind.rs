//! fix/bind: an import is put where a sorter of imports would put it, or into the line that imports from that module.

use crate::layout::ImportLine;
use crate::remedy::Binding;
use crate::source::Span;

use super::place::{Ground, Patch, Refusal};

/// The groups of imports, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Future,
    Standard,
    Others,
    Own,
    Near,
}

/// The patch that binds a name; none where an import does so already.
pub(super) fn patch(ground: &Ground<'_>, binding: &Binding) -> Result<Option<Patch>, Refusal> {
    let layout = ground.layout;
    if layout.imports.iter().any(|line| binds(ground, line, binding)) {
        return Ok(None);
    }
    if let Some(item) = &binding.item {
        let text = if *item == binding.name { item.clone() } else { format!("{item} as {}", binding.name) };
        let same = layout.imports.iter().find(|line| line.module == binding.module && has_room(line));
        if let Some(items) = same.and_then(|line| line.items.as_ref()) {
            return Ok(Some(joined(ground, items, &text)));
        }
    }
    Ok(Some(own_line(ground, binding)))
}

/// Whether an import line binds the name to what it should be.
fn binds(ground: &Ground<'_>, line: &ImportLine, binding: &Binding) -> bool {
    match (&line.items, &binding.item) {
        (Some(items), Some(item)) => {
            let written =
                if *item == binding.name { item.clone() } else { format!("{item} as {}", binding.name) };
            line.module == binding.module && items.iter().any(|(text, _)| *text == written)
        }
        (None, None) => {
            let statement = ground.layout.statements[line.statement].span;
            ground.source.slice(statement) == binding.statement()
        }
        _ => false,
    }
}

/// Whether another name can stand in an import line; none can in `from a import *`.
fn has_room(line: &ImportLine) -> bool {
    line.items.as_ref().is_some_and(|items| !items.is_empty())
}

/// Puts a name among those that are imported from its module: in its order where they are in order, else last.
fn joined(ground: &Ground<'_>, items: &[(String, Span)], text: &str) -> Patch {
    let ordered = items.is_sorted_by_key(|(item, _)| rank(item));
    let before = if ordered { items.iter().find(|(item, _)| rank(item) > rank(text)) } else { None };
    let (_, last) = items.last().expect("internal error: a line with room has an item");
    // In a list with a line for each name, the new one gets a line, too.
    let own_line = |span: Span| {
        let start = ground.line_start(span.start);
        let blank = &ground.source.text[start as usize..span.start as usize];
        blank.chars().all(|c| c == ' ' || c == '\t').then_some(blank)
    };
    match before {
        Some((_, span)) => {
            let gap = own_line(*span)
                .map_or_else(|| " ".to_owned(), |blank| format!("{}{blank}", ground.line_end(span.start)));
            let at = Span { start: span.start, end: span.start };
            Patch { span: at, text: format!("{text},{gap}") }
        }
        None => {
            let gap = own_line(*last)
                .map_or_else(|| " ".to_owned(), |blank| format!("{}{blank}", ground.line_end(last.start)));
            Patch { span: Span { start: last.end, end: last.end }, text: format!(",{gap}{text}") }
        }
    }
}

/// Constants come before classes and classes before the rest, as sorters of imports have it.
fn rank(item: &str) -> (u8, String) {
    let name = item.split_whitespace().next().unwrap_or(item);
    let is_constant = name.len() > 1 && !name.chars().any(char::is_lowercase);
    let kind = match name.chars().next() {
        _ if is_constant => 0,
        Some(first) if first.is_uppercase() => 1,
        _ => 2,
    };
    (kind, name.to_lowercase())
}

/// Puts the import on a line of its own.
fn own_line(ground: &Ground<'_>, binding: &Binding) -> Patch {
    let (layout, statement) = (ground.layout, binding.statement());
    let group = group(ground, &binding.module);
    let lines: Vec<(&ImportLine, Group)> =
        header(ground).into_iter().map(|line| (line, self::group(ground, &line.module))).collect();
    let span_of = |line: &ImportLine| layout.statements[line.statement].span;
    let key = |line: &ImportLine| (line.items.is_some(), line.module.to_lowercase());
    let mine = (binding.item.is_some(), binding.module.to_lowercase());
    let of_group = || lines.iter().filter(|(_, other)| *other == group).map(|(line, _)| *line);
    let behind = |line: &ImportLine, gap: usize| {
        let end = span_of(line).end;
        let at = ground.line_stop(end);
        let line_end = ground.line_end(end);
        Patch { span: Span { start: at, end: at }, text: format!("{}{statement}", line_end.repeat(gap + 1)) }
    };
    let before = |line: &ImportLine, gap: usize| {
        let start = span_of(line).start;
        let at = Span { start, end: start };
        Patch { span: at, text: format!("{statement}{}", ground.line_end(start).repeat(gap + 1)) }
    };
    let is_ordered = of_group().is_sorted_by_key(key);
    if let Some(later) = of_group().find(|line| is_ordered && key(line) > mine) {
        return before(later, 0);
    }
    if let Some(last) = of_group().next_back() {
        return behind(last, 0);
    }
    if lines.is_sorted_by_key(|(_, group)| *group) {
        if let Some((earlier, _)) = lines.iter().rev().find(|(_, other)| *other < group) {
            return behind(earlier, 1);
        }
        if let Some((first, _)) = lines.first() {
            return before(first, 1);
        }
    }
    if let Some((last, _)) = lines.last() {
        return behind(last, 0);
    }
    alone(ground, &statement)
}

/// The imports that open the file: what comes before the first other statement, descriptions aside. An import that
/// shares its line with another statement is none to build on.
fn header<'g>(ground: &'g Ground<'_>) -> Vec<&'g ImportLine> {
    let layout = ground.layout;
    let order = &layout.blocks[0].statements;
    let is_import = |number: usize| layout.imports.iter().any(|line| line.statement == number);
    let opens = |number: &&usize| layout.statements[**number].is_text || is_import(**number);
    let opening: Vec<usize> = order.iter().take_while(opens).copied().collect();
    let alone = |line: &&ImportLine| {
        let span = layout.statements[line.statement].span;
        let before = &ground.source.text[ground.line_start(span.start) as usize..span.start as usize];
        let behind = &ground.source.text[span.end as usize..ground.line_stop(span.end) as usize];
        before.trim().is_empty() && (behind.trim().is_empty() || behind.trim_start().starts_with('#'))
    };
    layout.imports.iter().filter(|line| opening.contains(&line.statement)).filter(alone).collect()
}

/// Puts the first import of a file behind its description, or above its first statement.
fn alone(ground: &Ground<'_>, statement: &str) -> Patch {
    let layout = ground.layout;
    let numbers = &layout.blocks[0].statements;
    let first = numbers.first().map(|&number| &layout.statements[number]);
    match first {
        Some(text) if text.is_text => {
            let at = ground.line_stop(text.span.end);
            let line_end = ground.line_end(text.span.end);
            let rest = ground.source.text[text.span.end as usize..at as usize].trim_start();
            if rest.starts_with(';') {
                return Patch {
                    span: Span { start: text.span.end, end: text.span.end },
                    text: format!("; {statement}"),
                };
            }
            Patch { span: Span { start: at, end: at }, text: format!("{line_end}{line_end}{statement}") }
        }
        Some(other) => {
            let start = ground.line_start(other.span.start);
            let line_end = ground.line_end(start);
            Patch {
                span: Span { start, end: start },
                text: format!("{statement}{line_end}{line_end}{line_end}"),
            }
        }
        None => {
            let end = ground.source.text.len() as u32;
            Patch { span: Span { start: end, end }, text: format!("{statement}{}", ground.line_end(end)) }
        }
    }
}

fn group(ground: &Ground<'_>, module: &str) -> Group {
    let top = module.split('.').next().unwrap_or(module);
    match module {
        "__future__" => Group::Future,
        _ if module.starts_with('.') => Group::Near,
        _ if crate::project::is_standard_module(top) => Group::Standard,
        _ if (ground.is_own)(top) => Group::Own,
        _ => Group::Others,
    }
}
