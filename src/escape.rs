//! escape: text that comes from scanned code or from a user's files, made harmless for where it is shown.
//!
//! A path, an identifier or a comment is someone else's text. Shown as it is, it could move a terminal's cursor, hide
//! what follows, or become markup in a report. Every format puts such text through one of these functions first.

use std::borrow::Cow;
use std::fmt::Write as _;

/// One line for a terminal: whatever could steer one is written as `\u{…}`, a line end or tab as one space.
pub fn terminal(text: &str) -> Cow<'_, str> {
    replace(text, |c| match c {
        '\t' | '\n' | '\r' => Some(" ".to_owned()),
        c if steers(c) => Some(format!("\\u{{{:x}}}", u32::from(c))),
        _ => None,
    })
}

/// A line of code for a terminal: like [`terminal`], but a tab stays a tab.
pub fn code_line(text: &str) -> Cow<'_, str> {
    replace(text, |c| (c != '\t' && steers(c)).then(|| format!("\\u{{{:x}}}", u32::from(c))))
}

/// A whole text for a terminal in which every offset stays where it is, so that labels still fit.
pub fn same_length(text: &str) -> Cow<'_, str> {
    replace(text, |c| (!matches!(c, '\t' | '\n' | '\r') && steers(c)).then(|| "?".repeat(c.len_utf8())))
}

/// Prose for Markdown. Balanced backticks stay code, since our own messages quote code that way; all else that could
/// be markup, HTML or a link is escaped.
pub fn markdown(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return prose(text);
    }
    let mut out = String::new();
    for (at, part) in parts.iter().enumerate() {
        if at % 2 == 0 {
            out.push_str(&prose(part));
        } else {
            out.push_str(&markdown_code(part));
        }
    }
    out
}

/// A Markdown code span that shows exactly this text, whatever backticks it holds.
pub fn markdown_code(text: &str) -> String {
    // In a table a pipe ends the cell even inside a code span, unless a backslash stands before it; in running text
    // the backslash would be shown. A look-alike is right in both places.
    let text = terminal(text).replace('|', "¦");
    if text.trim().is_empty() {
        return "` `".to_owned();
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Text for XML and HTML, between tags or in a quoted attribute. What no XML document may hold is shown as for a terminal.
pub fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in terminal(text).chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}

/// What [`xml`] made harmless, as it was.
pub fn from_xml(text: &str) -> String {
    // The ampersand comes last, so that nothing is read twice.
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
        .into_iter()
        .fold(text.to_owned(), |text, (entity, c)| text.replace(entity, c))
}

/// A string of TOML, quotes included, on one line; what could steer a terminal stands as its number.
pub fn toml(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if steers(c) => {
                write!(out, "\\U{:08X}", u32::from(c)).expect("internal error: a string takes any text");
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Prose without any markup of its own.
fn prose(text: &str) -> String {
    let text = terminal(text);
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    for (at, &c) in chars.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| chars.get(at)).copied();
        let after = chars.get(at + 1).copied();
        let inside_word = |neighbour: Option<char>| neighbour.is_some_and(char::is_alphanumeric);
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // These would make GitHub mention a person or turn an address into a link.
            '@' => out.push_str("&#64;"),
            ':' if after == Some('/') => out.push_str("&#58;"),
            '.' if at >= 3 && chars[at - 3..at].iter().all(|c| c.eq_ignore_ascii_case(&'w')) => {
                out.push_str("&#46;")
            }
            // An underscore between letters is never emphasis, and paths are full of them.
            '_' if inside_word(before) && inside_word(after) => out.push('_'),
            '\\' | '`' | '*' | '_' | '[' | ']' | '!' | '|' | '~' | '#' | '$' => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}

/// Whether a terminal would do something other than show this character, or show it in a misleading place.
fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn replace(text: &str, with: impl Fn(char) -> Option<String>) -> Cow<'_, str> {
    let Some(first) = text.char_indices().find(|&(_, c)| with(c).is_some()).map(|(at, _)| at) else {
        return Cow::Borrowed(text);
    };
    let mut out = String::with_capacity(text.len() + 8);
    out.push_str(&text[..first]);
    for c in text[first..].chars() {
        match with(c) {
            Some(other) => write!(out, "{other}").expect("internal error: a string takes any text"),
            None => out.push(c),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_never_steered() {
        assert_eq!(terminal("a\x1b[31mb\nc"), "a\\u{1b}[31mb c");
        assert_eq!(terminal("\u{202e}x"), "\\u{202e}x");
        assert_eq!(code_line("\tx\x07"), "\tx\\u{7}");
        assert_eq!(terminal("plain é"), "plain é");
    }

    #[test]
    fn offsets_survive_where_labels_need_them() {
        let text = "a\x1b\u{9b}\u{202e}b";
        assert_eq!(same_length(text), "a??????b");
        assert_eq!(same_length(text).len(), text.len());
    }

    #[test]
    fn what_was_escaped_for_xml_is_read_again() {
        let text = "<a b=\"c\">&amp; 'd' &#39;</a>";
        assert_eq!(from_xml(&xml(text)), text);
    }

    #[test]
    fn a_toml_string_says_what_it_was_made_of() {
        for text in ["", "a\"b\\c", "é\u{202e}\n\u{1b}[0m\t", "'\"\"\"' # ]"] {
            let line = format!("x = {}", toml(text));
            assert!(!line.chars().any(steers), "{line}");
            let table: ::toml::Table = line.parse().expect("TOML");
            assert_eq!(table["x"].as_str(), Some(text));
        }
    }

    #[test]
    fn markdown_keeps_our_code_and_nothing_else() {
        assert_eq!(markdown("`make_user` <b>x</b>"), "`make_user` &lt;b&gt;x&lt;/b&gt;");
        assert_eq!(markdown("one ` only [x](y)"), "one \\` only \\[x\\](y)");
        assert_eq!(markdown("app/__init__.py"), "app/\\_\\_init\\_\\_.py");
        assert_eq!(markdown("crud_services.py"), "crud_services.py");
        assert_eq!(markdown("https://x www.x.y @me"), "https&#58;//x www&#46;x.y &#64;me");
        assert_eq!(markdown_code("a`b"), "``a`b``");
        assert_eq!(markdown_code("`|"), "`` `¦ ``");
    }
}
