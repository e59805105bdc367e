//! rule/wording: a message or help line of a page, with placeholders for what was seen.

use std::collections::BTreeMap;

use crate::vocabulary::TEXTS;

/// A line with placeholders, all of which the vocabulary knows. `{{` and `}}` stand for the braces themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wording {
    template: String,
    pieces: Vec<Piece>,
}

/// Why a line is no wording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It names a placeholder the vocabulary does not have.
    Unknown(String),
    /// A brace stands alone.
    Brace,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Plain(String),
    Shown(&'static str),
}

impl Wording {
    /// Reads a line.
    ///
    /// # Errors
    /// When a placeholder is unknown, or a brace has no partner.
    pub fn read(template: &str) -> Result<Wording, Fault> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = template;
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            rest = &rest[at..];
            if let Some(behind) = rest.strip_prefix("{{") {
                plain.push('{');
                rest = behind;
            } else if let Some(behind) = rest.strip_prefix("}}") {
                plain.push('}');
                rest = behind;
            } else {
                let (name, behind) =
                    rest.strip_prefix('{').and_then(|inner| inner.split_once('}')).ok_or(Fault::Brace)?;
                let (known, _) = TEXTS
                    .iter()
                    .find(|(known, _)| *known == name)
                    .ok_or_else(|| Fault::Unknown(name.to_owned()))?;
                pieces.push(Piece::Plain(std::mem::take(&mut plain)));
                pieces.push(Piece::Shown(known));
                rest = behind;
            }
        }
        plain.push_str(rest);
        pieces.push(Piece::Plain(plain));
        Ok(Wording { template: template.to_owned(), pieces })
    }

    /// The line as the page has it.
    pub fn template(&self) -> &str {
        &self.template
    }

    /// The line with what was seen in place of the placeholders, on one line whatever was seen; a text that is not
    /// there shows as `…`, because a finding with a hole in its wording is worth more than none.
    pub fn with(&self, texts: &BTreeMap<&'static str, String>) -> String {
        let mut line = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Plain(text) => line.push_str(text),
                Piece::Shown(name) => match texts.get(name) {
                    Some(text) => push_on_one_line(&mut line, text),
                    None => line.push('…'),
                },
            }
        }
        line
    }
}

/// Code that is shown may run over several lines. Blanks at either end stay: notes begin with one.
fn push_on_one_line(line: &mut String, text: &str) {
    let mut in_break = false;
    for part in text.split(['\n', '\r']) {
        if in_break {
            let part = part.trim_start();
            if !part.is_empty() {
                line.truncate(line.trim_end().len());
                line.push(' ');
                line.push_str(part);
            }
        } else {
            line.push_str(part);
        }
        in_break = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(template: &str, texts: &[(&'static str, &str)]) -> String {
        let texts = texts.iter().map(|&(name, text)| (name, text.to_owned())).collect();
        Wording::read(template).expect("a good template").with(&texts)
    }

    #[test]
    fn placeholders_show_what_was_seen() {
        assert_eq!(
            shown("`{row}.{field}` {{}}", &[("row", "order"), ("field", "created_at")]),
            "`order.created_at` {}"
        );
        assert_eq!(shown("set `{row}.{field}`", &[("row", "order")]), "set `order.…`");
        assert_eq!(shown("lost{duty-note}", &[("duty-note", " (meant for x)")]), "lost (meant for x)");
    }

    #[test]
    fn a_line_stays_one_line() {
        assert_eq!(
            shown("{row}!", &[("row", "Order(\n    number=1,\r\n\r\n    a=2\n)")]),
            "Order( number=1, a=2 )!"
        );
    }

    #[test]
    fn unknown_names_and_lone_braces_are_refused() {
        assert_eq!(Wording::read("{fields}"), Err(Fault::Unknown("fields".to_owned())));
        assert_eq!(Wording::read("{field"), Err(Fault::Brace));
        assert_eq!(Wording::read("field}"), Err(Fault::Brace));
    }
}
