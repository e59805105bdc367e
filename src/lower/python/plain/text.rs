//! lower/python/plain/text: text literals, and the values in them.

use memchr::{memchr, memchr2, memchr3};

use super::super::tree::{Id, Kind, Role};
use super::Plain;
use super::token::{Opening, Token};

impl Plain<'_> {
    /// One text literal, or several that stand behind each other.
    pub(super) fn texts(&mut self) -> Option<Id> {
        let first = self.text_literal()?;
        if self.token != Token::Text {
            return Some(first);
        }
        let open = self.tree.open();
        self.tree.push(Role::None, first);
        while self.token == Token::Text {
            let next = self.text_literal()?;
            self.tree.push(Role::None, next);
        }
        let start = self.tree.start(first);
        Some(self.tree.close(open, Kind::ConcatenatedString, start, self.done))
    }

    fn text_literal(&mut self) -> Option<Id> {
        let (start, opening) = (self.start, self.opening);
        let open = self.tree.open();
        let mut from = self.at;
        let mut at = from;
        // The grammar finds no content where a raw text holds nothing but backslashes and what they stand before.
        let mut has_content = !opening.is_raw;
        loop {
            let before = at;
            at = self.skipped(at, opening);
            has_content |= before < at;
            let byte = *self.text.get(at)?;
            if byte == opening.quote {
                let is_end = !opening.is_triple
                    || self.text.get(at + 1) == Some(&byte) && self.text.get(at + 2) == Some(&byte);
                if is_end {
                    break;
                }
                at += 1;
                has_content = true;
                continue;
            }
            match byte {
                b'\\' => at = self.escaped(at, opening)?,
                b'\n' if !opening.is_triple => return None,
                b'{' | b'}' if opening.is_format => {
                    if self.text.get(at + 1) == Some(&byte) {
                        at += 2;
                        has_content = true;
                    } else if byte == b'}' {
                        return None;
                    } else {
                        if !has_content && from < at {
                            return None;
                        }
                        self.content(from, at);
                        at = self.deeper(|plain| plain.interpolation(at))?;
                        from = at;
                        has_content = !opening.is_raw;
                    }
                }
                _ => {
                    at += 1;
                    has_content = true;
                }
            }
        }
        if has_content {
            self.content(from, at);
        }
        self.at = at + if opening.is_triple { 3 } else { 1 };
        self.end = self.at as u32;
        self.advance()?;
        Some(self.tree.close(open, Kind::String, start, self.done))
    }

    /// Where the next byte stands that may be more than a letter.
    fn skipped(&self, at: usize, opening: Opening) -> usize {
        if opening.is_format {
            return at;
        }
        let rest = &self.text[at..];
        let length = if opening.is_triple {
            memchr2(opening.quote, b'\\', rest)
        } else {
            memchr3(opening.quote, b'\\', b'\n', rest)
        };
        length.map_or(self.text.len(), |length| at + length)
    }

    fn content(&mut self, from: usize, to: usize) {
        if from < to {
            let content = self.tree.leaf(Kind::StringContent, from as u32, to as u32);
            self.tree.push(Role::None, content);
        }
    }

    /// Where the text goes on behind a backslash.
    fn escaped(&self, at: usize, opening: Opening) -> Option<usize> {
        let next = *self.text.get(at + 1)?;
        if opening.is_raw {
            let at = if next == opening.quote || next == b'\\' { at + 2 } else { at + 1 };
            return Some(match self.text.get(at) {
                Some(b'\r') if self.text.get(at + 1) == Some(&b'\n') => at + 2,
                Some(b'\r' | b'\n') => at + 1,
                _ => at,
            });
        }
        match next {
            b'N' | b'u' | b'U' if opening.is_bytes => None,
            b'N' if self.text.get(at + 2) == Some(&b'{') => {
                let name = &self.text[at + 3..];
                let length = memchr(b'}', name).filter(|&length| length > 0)?;
                let is_odd = |byte: &u8| *byte == opening.quote || *byte == b'\n';
                if name[..length].iter().any(is_odd) { None } else { Some(at + 4 + length) }
            }
            b'\r' if self.text.get(at + 2) == Some(&b'\n') => Some(at + 3),
            b'\n' | b'\'' | b'"' | b'\\' => Some(at + 2),
            _ => Some(at + 1),
        }
    }

    /// A value in a text, from the brace on; answers where the text goes on.
    fn interpolation(&mut self, brace: usize) -> Option<usize> {
        self.at = brace + 1;
        self.brackets += 1;
        self.scan()?;
        let value = if self.token == Token::Yield { self.yielded()? } else { self.expressions()? };
        if matches!(self.tree.kind(value), Kind::NamedExpression | Kind::Lambda) {
            return None;
        }
        self.eat(Token::Equal)?;
        if self.token == Token::Bang {
            if !self.text.get(self.at)?.is_ascii_lowercase() {
                return None;
            }
            self.at += 1;
            self.scan()?;
        }
        let end = match self.token {
            Token::CloseCurly => self.start as usize,
            Token::Colon => self.format_end()?,
            _ => return None,
        };
        self.brackets -= 1;
        if memchr(b'\n', &self.text[brace..end]).is_some() {
            return None;
        }
        let branch =
            self.tree.branch(Kind::Interpolation, brace as u32, end as u32 + 1, &[(Role::Expression, value)]);
        self.tree.push(Role::None, branch);
        Some(end + 1)
    }

    /// Where the brace stands that ends a format, which may hold plain names in braces.
    fn format_end(&self) -> Option<usize> {
        let mut at = self.at;
        let mut is_inside = false;
        loop {
            match *self.text.get(at)? {
                b'}' if is_inside => is_inside = false,
                b'}' => return Some(at),
                b'{' if !is_inside && self.text.get(at + 1).is_some_and(u8::is_ascii_alphabetic) => {
                    is_inside = true;
                }
                b'{' | b'\n' | b'"' | b'\'' | b'\\' => return None,
                byte if is_inside && !byte.is_ascii_alphanumeric() && byte != b'_' => return None,
                _ => {}
            }
            at += 1;
        }
    }
}
