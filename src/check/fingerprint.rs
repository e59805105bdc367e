//! check/fingerprint: what a finding is known by from scan to scan.
//!
//! It is made of the rule, the function, what is written, and the tokens of the code at the primary place. Paths, line
//! numbers, layout, comments and the choice of quotes are not in it, so that moves, reformatting and unrelated edits
//! leave it as it is. Findings equal in all of that are counted within the file.

use rustc_hash::FxHashMap;

use crate::finding::Finding;
use crate::source::Language;
use crate::token::{self, Kind};

/// Gives each finding of one file its fingerprint; they are in position order.
pub fn sign(findings: &mut [Finding]) {
    let mut equal_ones: FxHashMap<u128, u32> = FxHashMap::default();
    for finding in findings {
        let mut hash = Hash::new();
        hash.part(&finding.rule);
        hash.part(&finding.function);
        hash.part(finding.entity.as_deref().unwrap_or(""));
        hash.part(finding.operation.map_or("", |operation| operation.word()));
        let source = &finding.place.source;
        for token in tokens(source.language, source.slice(finding.place.span)) {
            hash.part(&token);
        }
        let ordinal = equal_ones.entry(hash.0).or_default();
        *ordinal += 1;
        finding.fingerprint = match *ordinal {
            1 => format!("{:032x}", hash.0),
            more => format!("{:032x}:{more}", hash.0),
        };
    }
}

/// FNV-1a with 128 bits: short, and the same on every machine and in every version.
struct Hash(u128);

impl Hash {
    fn new() -> Hash {
        Hash(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d)
    }

    /// A part and its end, so that `ab` + `c` is not `a` + `bc`; no UTF-8 text holds the byte 0xFF.
    fn part(&mut self, text: &str) {
        self.bytes(text.as_bytes());
        self.bytes(&[0xFF]);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 ^= u128::from(byte);
            self.0 = self.0.wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013B);
        }
    }
}

/// The tokens of a piece of code, as far as layout is concerned: words, strings with one kind of quotes, and single
/// signs; no blanks, comments, line continuations, parentheses or commas before a closing bracket. A piece that is
/// nothing but a comment is its words.
fn tokens(language: Language, code: &str) -> Vec<String> {
    let tokens = match language {
        Language::Python => python_tokens(code),
        Language::Rust => rust_tokens(code),
        Language::Sql | Language::Manifest | Language::Json => Vec::new(),
    };
    if tokens.is_empty() { code.split_whitespace().map(str::to_owned).collect() } else { tokens }
}

fn python_tokens(code: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '#' => rest.find(['\n', '\r']).unwrap_or(rest.len()),
            '\'' | '"' => {
                // A prefix such as `F` was read as a word; formatters write it in lower case.
                // The one that says nothing is left out by them.
                if tokens.last().is_some_and(|word| word.eq_ignore_ascii_case("u")) {
                    tokens.pop();
                } else if let Some(prefix) = tokens.last_mut().filter(|word| is_string_prefix(word)) {
                    prefix.make_ascii_lowercase();
                }
                let (string, length) = string(rest, first);
                tokens.push(string);
                length
            }
            _ if first == '_' || first.is_alphanumeric() => {
                let end = rest.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(rest.len());
                let word = &rest[..end];
                // Numbers have their letters in either case.
                let is_number = first.is_ascii_digit();
                tokens.push(if is_number { word.to_ascii_lowercase() } else { word.to_owned() });
                end
            }
            _ if first.is_whitespace() || first == '\\' => first.len_utf8(),
            _ => {
                if matches!(first, ')' | ']' | '}') && tokens.last().is_some_and(|last| last == ",") {
                    tokens.pop();
                }
                // Around a whole expression they come and go with the layout.
                if !matches!(first, '(' | ')') {
                    tokens.push(first.to_string());
                }
                first.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    tokens
}

/// Brackets, commas and semicolons come and go with the layout: around the body of an arm or a closure, behind the last
/// argument, behind `return`. Texts stay as they are.
fn rust_tokens(code: &str) -> Vec<String> {
    let counts = |kind: Kind, text: &str| match kind {
        Kind::Comment | Kind::Description | Kind::InnerDescription | Kind::Open | Kind::Close => false,
        Kind::Sign => !matches!(text, "," | ";"),
        Kind::Text | Kind::Word | Kind::Number | Kind::Lifetime => true,
    };
    let pieces = token::tokens(code).map(|token| (token.kind, &code[token.span.range()]));
    pieces.filter(|&(kind, text)| counts(kind, text)).map(|(_, text)| text.to_owned()).collect()
}

fn is_string_prefix(word: &str) -> bool {
    word.len() <= 2 && word.chars().all(|c| matches!(c.to_ascii_lowercase(), 'r' | 'b' | 'f' | 'u' | 't'))
}

/// The string literal `code` begins with, in double quotes, and how many bytes of the code it is.
fn string(code: &str, quote: char) -> (String, usize) {
    let triple: String = [quote; 3].iter().collect();
    let quotes = if code.starts_with(&triple) { 3 } else { 1 };
    let closing = &triple[..quotes];
    let mut text = String::from("\"");
    let mut at = quotes;
    // An f-string may hold the same quotes inside braces; it then falls into pieces, always into the same ones.
    while let Some(next) = code[at..].chars().next() {
        if code[at..].starts_with(closing) {
            at += quotes;
            break;
        }
        at += next.len_utf8();
        if next != '\\' {
            text.push(next);
            continue;
        }
        // Quotes need a backslash or none, depending on the quotes around them.
        let Some(escaped) = code[at..].chars().next() else { break };
        at += escaped.len_utf8();
        if escaped != '"' && escaped != '\'' {
            text.push('\\');
        }
        text.push(escaped);
    }
    text.push('"');
    (text, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(code: &str) -> String {
        tokens(Language::Python, code).join(" ")
    }

    fn of_rust(code: &str) -> Vec<String> {
        tokens(Language::Rust, code)
    }

    #[test]
    fn layout_comments_and_quotes_do_not_count() {
        let plain = joined("Order(number=f'{n}', text=\"it's\", note='')");
        let formatted =
            "Order(\n    number=F\"{n}\",  # the number\n    text='it\\'s', \\\n    note=\"\",\n)";
        assert_eq!(joined(formatted), plain);
        assert_eq!(joined("x = (\n    a.b(U'c', 0XFF)\n)"), joined("x = a.b('c', 0xff)"));
        assert_eq!(joined("x = '''a # b'''"), joined("x = \"a # b\""));
        assert_ne!(joined("'a b'"), joined("'ab'"), "a string is a token with its blanks");
        assert_ne!(joined("not x"), joined("notx"));
        assert_ne!(joined("x"), joined("'x'"));
    }

    #[test]
    fn what_a_formatter_of_rust_changes_does_not_count() {
        let plain =
            "job::ActiveModel{id:Set(1),state:Set(match s{A=>B,C=>{D}}),..Default::default()}.insert(db)";
        let formatted = "job::ActiveModel {\n    id: Set(1), // the key\n    state: Set(match s {\n        A => { B }\n        \
                         C => D,\n    }),\n    ..Default::default()\n}\n.insert(db)";
        assert_eq!(of_rust(plain), of_rust(formatted));
        assert_eq!(of_rust("f(|x| { g(x) }); return y"), of_rust("f(\r\n\t|x| g(x),\r\n);\r\nreturn y;"));
        assert_eq!(of_rust("vec!(a, b)"), of_rust("vec![/* two */ a, b]"));
        assert_ne!(of_rust("f(\"a b\")"), of_rust("f(\"ab\")"), "a text is a token with its blanks");
        assert_ne!(of_rust("f(\"a // b\")"), of_rust("f(\"a\")"), "a text holds no comment");
        assert_ne!(of_rust("a.b"), of_rust("a::b"));
        assert_ne!(of_rust("&'a str"), of_rust("&a str"));
        assert_eq!(of_rust("// trailcheck:  ignore[a]").join(" "), "// trailcheck: ignore[a]");
    }

    #[test]
    fn broken_and_foreign_text_is_still_text() {
        for code in ["'", "'\\", "\"\"\"é", "ü = 'ß\\é", "\u{2028}", "((("] {
            tokens(Language::Python, code);
            tokens(Language::Rust, code);
        }
        assert_eq!(joined("# trailcheck:  ignore[a]"), "# trailcheck: ignore[a]");
    }

    #[test]
    fn the_hash_is_fnv_1a() {
        let mut hash = Hash::new();
        hash.bytes(b"a");
        assert_eq!(format!("{:032x}", hash.0), "d228cb696f1a8caf78912b704e4a8964");
    }
}
