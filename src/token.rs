//! token: a Rust text cut into comments, texts, words and signs, whatever it says; text that is broken is cut, too.
//!
//! It takes one look at each character and never goes back, however deep things nest. What the pieces mean together is
//! for others to say.

use crate::source::Span;

/// A piece of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Where it stands.
    pub span: Span,
}

/// What a piece of a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A comment that describes nothing.
    Comment,
    /// A description of what comes behind it: `/// …`.
    Description,
    /// A description of what it stands in: `//! …`.
    InnerDescription,
    /// A literal of text, bytes or one character, prefix and suffix included.
    Text,
    /// A name or a keyword.
    Word,
    /// A number.
    Number,
    /// A lifetime or a label.
    Lifetime,
    /// An opening bracket.
    Open,
    /// A closing bracket.
    Close,
    /// Any other sign; one that is written with several characters is one sign, but for `>>`, which may end two lists of
    /// types.
    Sign,
}

/// The pieces of a text, in its order; blanks are none.
pub fn tokens(text: &str) -> Tokens<'_> {
    Tokens { text, at: 0 }
}

/// See [`tokens`].
#[derive(Clone, Debug)]
pub struct Tokens<'t> {
    text: &'t str,
    at: usize,
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let rest = &self.text[self.at..];
        let start = self.at + (rest.len() - rest.trim_start().len());
        let (kind, length) = cut(&self.text[start..], start == 0)?;
        self.at = start + length;
        Some(Token { kind, span: Span::new(start..self.at) })
    }
}

/// Signs of several characters, long ones first.
const LONG_SIGNS: &[&str] = &[
    "..=", "...", "<<=", "::", "<<", "..", "->", "=>", "==", "!=", "<=", ">=", "&&", "||", "+=", "-=", "*=",
    "/=", "%=", "^=", "&=", "|=",
];

/// The first piece of a text and how long it is.
fn cut(text: &str, is_top: bool) -> Option<(Kind, usize)> {
    let first = text.chars().next()?;
    if is_top && text.starts_with("#!") && !text[2..].trim_start().starts_with('[') {
        return Some((Kind::Comment, line(text)));
    }
    let piece = match first {
        '/' if text.starts_with("//") => (comment_kind(text), line(text)),
        '/' if text.starts_with("/*") => (comment_kind(text), block(text)),
        '"' => (Kind::Text, quoted(text, 0)),
        '\'' => character(text, 0),
        '(' | '[' | '{' => (Kind::Open, 1),
        ')' | ']' | '}' => (Kind::Close, 1),
        _ if first.is_ascii_digit() => (Kind::Number, number(text)),
        _ if is_in_word(first) => prefixed(text).unwrap_or_else(|| (Kind::Word, word(text, 0))),
        _ => {
            let long = LONG_SIGNS.iter().find(|sign| text.starts_with(**sign));
            (Kind::Sign, long.map_or(first.len_utf8(), |sign| sign.len()))
        }
    };
    Some(piece)
}

fn is_in_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// Where the word ends that goes on at an offset.
fn word(text: &str, at: usize) -> usize {
    text[at..].find(|c: char| !is_in_word(c)).map_or(text.len(), |length| at + length)
}

fn line(text: &str) -> usize {
    text.find('\n').map_or(text.len(), |end| end - usize::from(text[..end].ends_with('\r')))
}

fn comment_kind(text: &str) -> Kind {
    let is = |mark: &str| text.starts_with(mark);
    match text {
        _ if is("//!") || is("/*!") => Kind::InnerDescription,
        _ if is("///") && !is("////") => Kind::Description,
        _ if is("/**") && !is("/***") && !is("/**/") => Kind::Description,
        _ => Kind::Comment,
    }
}

/// How long a comment in `/* … */` is; others may nest in it.
fn block(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (1_usize, 2);
    while at < bytes.len() {
        match bytes.get(at..at + 2) {
            Some(b"/*") => (depth, at) = (depth + 1, at + 2),
            Some(b"*/") => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

/// A literal or a name whose first letters are a prefix: `r"…"`, `br#"…"#`, `c"…"`, `b'…'`, `r#name`.
fn prefixed(text: &str) -> Option<(Kind, usize)> {
    let prefix = ["br", "cr", "r", "b", "c"].into_iter().find(|prefix| {
        let behind = text.strip_prefix(prefix);
        behind.is_some_and(|behind| behind.starts_with(['"', '\'', '#']))
    })?;
    let behind = &text[prefix.len()..];
    if !prefix.ends_with('r') {
        return match behind.as_bytes()[0] {
            b'"' => Some((Kind::Text, quoted(text, prefix.len()))),
            b'\'' if prefix == "b" => Some(character(text, prefix.len())),
            _ => None,
        };
    }
    let hashes = behind.len() - behind.trim_start_matches('#').len();
    let inside = prefix.len() + hashes;
    if text[inside..].starts_with('"') {
        let closing = format!("\"{}", "#".repeat(hashes));
        let from = inside + 1;
        let end = text[from..].find(&closing).map_or(text.len(), |at| from + at + closing.len());
        return Some((Kind::Text, end));
    }
    let is_name = prefix == "r" && hashes == 1 && text[inside..].starts_with(is_in_word);
    is_name.then(|| (Kind::Word, word(text, inside)))
}

/// Where the literal ends whose quotation mark stands at an offset.
fn quoted(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let mut end = at + 1;
    while end < bytes.len() {
        match bytes[end] {
            b'"' => return word(text, end + 1),
            b'\\' => end += 2,
            _ => end += 1,
        }
    }
    text.len()
}

/// The character or the lifetime whose mark stands at an offset.
fn character(text: &str, at: usize) -> (Kind, usize) {
    let inside = &text[at + 1..];
    let mut chars = inside.chars();
    let Some(first) = chars.next() else { return (Kind::Sign, text.len()) };
    if first == '\\' {
        // What is escaped may be the mark itself; a line never ends in a character.
        let escaped = chars.next().map_or(0, char::len_utf8);
        let from = 1 + escaped;
        let close = inside[from..].find(['\'', '\n']);
        return match close {
            Some(close) if inside[from + close..].starts_with('\'') => {
                (Kind::Text, at + 1 + from + close + 1)
            }
            _ => (Kind::Sign, at + 1),
        };
    }
    match chars.next() {
        Some('\'') => (Kind::Text, at + 1 + first.len_utf8() + 1),
        _ if is_in_word(first) => (Kind::Lifetime, word(text, at + 1)),
        _ => (Kind::Sign, at + 1),
    }
}

fn number(text: &str) -> usize {
    let mut end = word(text, 0);
    let has_point =
        text[end..].strip_prefix('.').is_some_and(|b| b.starts_with(|c: char| c.is_ascii_digit()));
    if has_point {
        end = word(text, end + 1);
    }
    let is_power = !text.starts_with("0x") && text[..end].ends_with(['e', 'E']);
    let behind = text[end..].strip_prefix(['+', '-']);
    if is_power && behind.is_some_and(|behind| behind.starts_with(|c: char| c.is_ascii_digit())) {
        end = word(text, end + 1);
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> Vec<(Kind, &str)> {
        tokens(text).map(|token| (token.kind, &text[token.span.range()])).collect()
    }

    fn of(kind: Kind, text: &str) -> Vec<&str> {
        pieces(text).into_iter().filter(|(other, _)| *other == kind).map(|(_, piece)| piece).collect()
    }

    #[test]
    fn comments_are_told_from_descriptions_and_from_texts() {
        let text = "#!/bin/x\n//! a\r\n/// b\n//// c\n/** d */ /*** e */ /**/ /*! f */ \"// g\" /* h /* i */ \" */ k // l";
        assert_eq!(
            of(Kind::Comment, text),
            ["#!/bin/x", "//// c", "/*** e */", "/**/", "/* h /* i */ \" */", "// l"]
        );
        assert_eq!(of(Kind::Description, text), ["/// b", "/** d */"]);
        assert_eq!(of(Kind::InnerDescription, text), ["//! a", "/*! f */"]);
        assert_eq!(of(Kind::Comment, "#![allow(a)] // b"), ["// b"]);
    }

    #[test]
    fn texts_of_all_kinds_end_where_they_end() {
        let text =
            r####"a("\"b\\", r"c\", br##"d"#"##, c"e", b'f', '\'', '\u{1F600}', 'ß', r#type, b"g"x)"####;
        let found = of(Kind::Text, text);
        let wanted = [
            r#""\"b\\""#,
            r#"r"c\""#,
            r###"br##"d"#"##"###,
            r#"c"e""#,
            "b'f'",
            r"'\''",
            r"'\u{1F600}'",
            "'ß'",
            "b\"g\"x",
        ];
        assert_eq!(found, wanted);
        assert_eq!(of(Kind::Word, text), ["a", "r#type"]);
    }

    #[test]
    fn a_lifetime_is_no_character() {
        let text = "fn f<'a>(x: &'a str, c: char) where 'a: 'static { 'b: loop { break 'b; } 'c' }";
        assert_eq!(of(Kind::Lifetime, text), ["'a", "'a", "'a", "'static", "'b", "'b"]);
        assert_eq!(of(Kind::Text, text), ["'c'"]);
    }

    #[test]
    fn numbers_take_no_methods_and_no_ranges() {
        assert_eq!(
            of(Kind::Number, "1.0 + 1..2 + 3.max(4) + 1e-5f64 + 0xE-1 + t.0"),
            ["1.0", "1", "2", "3", "4", "1e-5f64", "0xE", "1", "0"]
        );
    }

    #[test]
    fn broken_text_is_cut_from_its_beginning_to_its_end() {
        for text in [
            "\"",
            "\"\\",
            "'",
            "'\\",
            "'\\'",
            "b'",
            "r#",
            "r###\"a\"##",
            "/*",
            "/*/",
            "é'é",
            "\u{2028}\u{feff}",
            "0x",
            "1.",
            "#!",
            "b",
        ] {
            let mut at = 0;
            for token in tokens(text) {
                assert!(token.span.start as usize >= at && token.span.end > token.span.start, "{text:?}");
                assert!(text.get(token.span.range()).is_some(), "{text:?}");
                at = token.span.end as usize;
            }
            assert!(text[at..].trim().is_empty(), "{text:?}");
        }
    }

    #[test]
    fn huge_and_deep_texts_take_one_look() {
        let deep = "/*".repeat(200_000);
        assert_eq!(tokens(&deep).count(), 1);
        let raw = format!("r{0}\"{1}\"{0}", "#".repeat(300), "\"#".repeat(200_000));
        assert_eq!(tokens(&raw).count(), 1);
        assert_eq!(tokens(&"{([".repeat(200_000)).count(), 600_000);
    }
}
