//! source: one file's text, its spans and lines; knows nothing of what the text means.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use memchr::{memchr, memchr2_iter};

/// A half-open range of bytes in a [`Source`]'s decoded text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset just behind the last byte.
    pub end: u32,
}

impl Span {
    /// The span of the given byte range; a text is never longer than `u32::MAX` bytes, `walk` sees to that.
    pub fn new(range: Range<usize>) -> Span {
        let clip = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Span { start: clip(range.start), end: clip(range.end) }
    }

    /// The same span as the range that indexes a text.
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Whether `other` lies wholly inside this span.
    pub fn contains(self, other: Span) -> bool {
        self.start <= other.start && other.end <= self.end
    }
}

/// The programming language of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Language {
    /// Python 3.
    Python,
    /// Rust.
    Rust,
    /// SQL: schemas and migrations.
    Sql,
    /// A `Cargo.toml`, which names a crate.
    Manifest,
    /// JSON: data that findings may be about, such as a baseline.
    Json,
}

impl Language {
    /// The word for it in every format.
    pub fn word(self) -> &'static str {
        match self {
            Language::Python => "python",
            Language::Rust => "rust",
            Language::Sql => "sql",
            Language::Manifest => "toml",
            Language::Json => "json",
        }
    }

    /// The language of a file that a scan of folders reads, by its name; `None` where it is passed over.
    pub fn of(path: &Path) -> Option<Language> {
        match path.extension()?.to_str()? {
            "py" => Some(Language::Python),
            "rs" => Some(Language::Rust),
            "sql" => Some(Language::Sql),
            "toml" if path.file_name()? == "Cargo.toml" => Some(Language::Manifest),
            _ => None,
        }
    }

    /// Whether files of it are scanned; others are read for what they say of those.
    pub fn is_code(self) -> bool {
        matches!(self, Language::Python | Language::Rust)
    }
}

/// How the bytes of a file became text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Encoding {
    /// UTF-8 without a byte order mark.
    Utf8,
    /// UTF-8 behind a byte order mark, which is not part of the text.
    Utf8WithMark,
    /// ISO 8859-1: each byte is one character.
    Latin1,
}

/// Why some bytes could not become text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// The 1-based line of the first offending byte, where a line can be told.
    pub line: Option<u32>,
    /// The reason in plain words.
    pub reason: String,
}

/// A 1-based position; columns count Unicode scalar values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// 1-based line.
    pub line: u32,
    /// 1-based column in Unicode scalar values.
    pub column: u32,
}

/// One file: where it lies and what it says.
#[derive(Clone, Debug)]
pub struct Source {
    /// The path as it is shown: relative to the current directory where possible.
    pub path: PathBuf,
    /// The language it is read as.
    pub language: Language,
    /// The decoded text, without a byte order mark.
    pub text: String,
    encoding: Encoding,
    line_starts: Vec<u32>,
    digest: OnceLock<Digest>,
}

/// A hash of a text that nobody can make another text for.
pub type Digest = [u8; 32];

impl Source {
    /// Decodes the bytes of a file.
    ///
    /// # Errors
    /// When the bytes are UTF-16, hold a NUL byte, or are not valid in the encoding the file declares.
    pub fn decode(path: PathBuf, language: Language, bytes: Vec<u8>) -> Result<Source, DecodeError> {
        let (text, encoding) = decode(language, bytes)?;
        Ok(Source::with_encoding(path, language, text, encoding))
    }

    /// A source made of text that is at hand.
    pub fn of_text(path: impl Into<PathBuf>, language: Language, text: impl Into<String>) -> Source {
        Source::with_encoding(path.into(), language, text.into(), Encoding::Utf8)
    }

    fn with_encoding(path: PathBuf, language: Language, text: String, encoding: Encoding) -> Source {
        let line_starts = line_starts(&text);
        Source { path, language, text, encoding, line_starts, digest: OnceLock::new() }
    }

    /// The same file with another text.
    pub fn with_text(&self, text: String) -> Source {
        Source::with_encoding(self.path.clone(), self.language, text, self.encoding)
    }

    /// The text as the bytes of the file, byte order mark included; `None` when its encoding has no bytes for it.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        match self.encoding {
            Encoding::Utf8 => Some(self.text.clone().into_bytes()),
            Encoding::Utf8WithMark => Some([b"\xEF\xBB\xBF", self.text.as_bytes()].concat()),
            Encoding::Latin1 => self.text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect(),
        }
    }

    /// The hash of the text and of how the bytes of the file became text.
    pub fn digest(&self) -> &Digest {
        self.digest.get_or_init(|| {
            let mut hasher = blake3::Hasher::new();
            hasher.update(&[self.language as u8, self.encoding as u8]).update(self.text.as_bytes());
            *hasher.finalize().as_bytes()
        })
    }

    /// The path with `/` between its parts, as every output shows it.
    pub fn display_path(&self) -> String {
        slashed(&self.path)
    }

    /// The text of a span; empty where the span does not fit the text.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or("")
    }

    /// The 1-based position of a byte offset in the decoded text.
    pub fn position(&self, offset: u32) -> Position {
        let line = self.line_starts.partition_point(|&start| start <= offset).max(1);
        let start = self.line_starts[line - 1] as usize;
        let before = self.text.get(start..offset as usize).unwrap_or("");
        let column = before.chars().count() + 1;
        Position { line: line as u32, column: column as u32 }
    }

    /// The 1-based line of a byte offset in the decoded text.
    pub fn line(&self, offset: u32) -> u32 {
        self.line_starts.partition_point(|&start| start <= offset).max(1) as u32
    }

    /// The span of a 1-based line, without its line end.
    pub fn line_span(&self, line: u32) -> Span {
        let index = (line.max(1) as usize - 1).min(self.line_starts.len() - 1);
        let start = self.line_starts[index] as usize;
        let end = self.line_starts.get(index + 1).map_or(self.text.len(), |&next| next as usize);
        let body = self.text[start..end].trim_end_matches(['\r', '\n']);
        Span::new(start..start + body.len())
    }

    /// How many lines the text has; an empty text has one.
    pub fn line_count(&self) -> u32 {
        self.line_starts.len() as u32
    }

    /// Where an offset of the decoded text lies in the bytes of the file.
    pub fn file_offset(&self, offset: u32) -> usize {
        let offset = offset as usize;
        match self.encoding {
            Encoding::Utf8 => offset,
            Encoding::Utf8WithMark => offset + 3,
            Encoding::Latin1 => self.text.get(..offset).unwrap_or(&self.text).chars().count(),
        }
    }
}

/// A path with `/` between its parts and without a leading `./`.
pub fn slashed(path: &std::path::Path) -> String {
    let shown = path.to_string_lossy().replace('\\', "/");
    shown.strip_prefix("./").map_or(shown.clone(), str::to_owned)
}

fn line_starts(text: &str) -> Vec<u32> {
    let mut starts = vec![0];
    let bytes = text.as_bytes();
    for at in memchr2_iter(b'\n', b'\r', bytes) {
        // A lone carriage return ends a line in Python, too.
        let ends = bytes[at] == b'\n' || bytes.get(at + 1) != Some(&b'\n');
        if ends {
            starts.push(u32::try_from(at + 1).unwrap_or(u32::MAX));
        }
    }
    starts
}

fn decode(language: Language, bytes: Vec<u8>) -> Result<(String, Encoding), DecodeError> {
    let error = |line, reason: &str| Err(DecodeError { line, reason: reason.to_owned() });
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return error(None, "UTF-16 text; save it as UTF-8");
    }
    if let Some(at) = memchr(0, &bytes) {
        let reason = match language {
            Language::Python => "NUL byte; Python does not read such a file",
            _ => "NUL byte; this is no text",
        };
        return error(Some(line_at(&bytes, at)), reason);
    }
    let marked = bytes.starts_with(&[0xEF, 0xBB, 0xBF]);
    let declared = if marked { None } else { declared_encoding(&bytes) };
    match declared.as_deref() {
        None | Some("utf-8" | "utf8" | "u8" | "ascii" | "us-ascii") => {}
        Some("latin-1" | "latin1" | "iso-8859-1" | "iso8859-1" | "l1" | "8859") => {
            let text = bytes.iter().map(|&b| char::from(b)).collect();
            return Ok((text, Encoding::Latin1));
        }
        Some(other) => {
            // Other encodings agree with UTF-8 as long as only ASCII is used.
            if let Some(at) = bytes.iter().position(|b| !b.is_ascii()) {
                let reason = format!("the declared encoding `{other}` is not read; save the file as UTF-8");
                return error(Some(line_at(&bytes, at)), &reason);
            }
        }
    }
    let (body, encoding) =
        if marked { (bytes[3..].to_vec(), Encoding::Utf8WithMark) } else { (bytes, Encoding::Utf8) };
    String::from_utf8(body).map(|text| (text, encoding)).or_else(|wrong| {
        let at = wrong.utf8_error().valid_up_to();
        let line = line_at(wrong.as_bytes(), at);
        error(Some(line), "not valid UTF-8, and no coding line says what else it is")
    })
}

fn line_at(bytes: &[u8], at: usize) -> u32 {
    1 + bytes[..at].iter().filter(|&&b| b == b'\n').count() as u32
}

/// The encoding a `# -*- coding: … -*-` comment in the first two lines names, in lower case with `-` for `_`.
fn declared_encoding(bytes: &[u8]) -> Option<String> {
    for line in bytes.split(|&b| b == b'\n').take(2) {
        let line = String::from_utf8_lossy(&line[..line.len().min(200)]).into_owned();
        let comment = line.trim_start();
        if !comment.starts_with('#') {
            if comment.trim().is_empty() {
                continue;
            }
            return None;
        }
        if let Some(at) = comment.find("coding") {
            let rest = comment[at + "coding".len()..].trim_start();
            if let Some(name) = rest.strip_prefix([':', '=']) {
                let name: String = name
                    .trim_start()
                    .chars()
                    .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
                    .collect();
                return Some(name.to_ascii_lowercase().replace('_', "-"));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Source, DecodeError> {
        Source::decode("x.py".into(), Language::Python, bytes.to_vec())
    }

    #[test]
    fn positions_count_characters_and_offsets_count_file_bytes() {
        let marked = read(b"\xEF\xBB\xBFa = '\xC3\xA9'\nb = 1\n").expect("decodes");
        assert_eq!(marked.position(7), Position { line: 1, column: 7 });
        assert_eq!(marked.file_offset(0), 3);
        let latin = read(b"# coding: latin-1\na = '\xE9' # x\n").expect("decodes");
        let hash = latin.text.rfind('#').expect("a comment") as u32;
        assert_eq!(latin.position(hash), Position { line: 2, column: 9 });
        assert_eq!(latin.file_offset(hash), 26);
    }

    #[test]
    fn what_is_not_text_is_refused_with_a_line() {
        assert_eq!(read(b"a = 1\nb = '\xE9'\n").unwrap_err().line, Some(2));
        assert_eq!(read(b"a\n\nb\0").unwrap_err().line, Some(3));
        assert!(read(&[0xFF, 0xFE, 0x61, 0x00]).unwrap_err().reason.contains("UTF-16"));
    }

    #[test]
    fn every_line_end_counts() {
        let text = read(b"a\r\nb\rc\n").expect("decodes");
        assert_eq!(text.line_count(), 4);
        assert_eq!(text.slice(text.line_span(1)), "a");
        assert_eq!(text.slice(text.line_span(2)), "b");
        assert_eq!(text.slice(text.line_span(3)), "c");
    }
}
