//! source: one file's text, its spans and lines; knows nothing of what the text means.

mod decode;
mod mark;
mod text;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use memchr::memchr2_iter;
use serde::{Deserialize, Serialize};

pub use decode::{DecodeError, Encoding, TOO_LONG};
pub use mark::{Mark, Marks};
pub use text::Text;

use decode::{MARK, decode};

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

/// A 1-based position; columns count Unicode scalar values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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
    /// The decoded text, without a byte order mark. Where it is not at hand, only what [`Source::apart`] and
    /// [`Source::seen`] name can be asked.
    pub text: Text,
    encoding: Encoding,
    line_starts: OnceLock<Vec<u32>>,
    digest: OnceLock<Digest>,
    /// Where it can be read again.
    origin: Option<PathBuf>,
    /// What is known of a text that is not at hand.
    marks: Marks,
}

/// A hash of a text that nobody can make another text for.
pub type Digest = [u8; 32];

impl Source {
    /// Decodes the bytes of a file.
    ///
    /// # Errors
    /// When the bytes are UTF-16, hold a NUL byte, or are not valid in the encoding the file declares.
    pub fn decode(path: PathBuf, language: Language, bytes: &[u8]) -> Result<Source, DecodeError> {
        let (text, encoding) = decode(language, bytes)?;
        Ok(Source::with_encoding(path, language, Text::of(text.into_owned()), encoding))
    }

    /// Looks at the bytes of a file, which can be read again at `origin`, and keeps none of them: only where they lie
    /// and their digest are known.
    ///
    /// # Errors
    /// As for [`Source::decode`].
    pub fn seen(
        path: PathBuf,
        language: Language,
        bytes: &[u8],
        origin: PathBuf,
    ) -> Result<Source, DecodeError> {
        let (text, encoding) = decode(language, bytes)?;
        let digest = OnceLock::from(digest(language, encoding, &text));
        let source = Source::with_encoding(path, language, Text::GONE, encoding);
        Ok(Source { digest, origin: Some(origin), ..source })
    }

    /// A source made of text that is at hand.
    pub fn of_text(path: impl Into<PathBuf>, language: Language, text: impl Into<String>) -> Source {
        Source::with_encoding(path.into(), language, Text::of(text.into()), Encoding::Utf8)
    }

    fn with_encoding(path: PathBuf, language: Language, text: Text, encoding: Encoding) -> Source {
        Source {
            path,
            language,
            text,
            encoding,
            line_starts: OnceLock::new(),
            digest: OnceLock::new(),
            origin: None,
            marks: Marks::default(),
        }
    }

    /// The same file with another text.
    pub fn with_text(&self, text: String) -> Source {
        Source::with_encoding(self.path.clone(), self.language, Text::of(text), self.encoding)
    }

    /// The same file without its text: lines and positions are known of these offsets only.
    pub fn apart(&self, offsets: Vec<u32>) -> Source {
        self.marked(self.marks(offsets))
    }

    /// The same file without its text, but with what was known of it.
    pub fn marked(&self, marks: Marks) -> Source {
        let digest = OnceLock::from(*self.digest());
        let origin = self.origin.clone();
        let source = Source::with_encoding(self.path.clone(), self.language, Text::GONE, self.encoding);
        Source { digest, origin, marks, ..source }
    }

    /// What lines and positions these offsets have.
    pub fn marks(&self, offsets: Vec<u32>) -> Marks {
        Marks::of(offsets, |offset| Mark {
            offset,
            position: self.position(offset),
            in_file: u32::try_from(self.file_offset(offset)).unwrap_or(u32::MAX),
        })
    }

    /// Whether the text is at hand.
    pub fn has_text(&self) -> bool {
        self.text.is_here()
    }

    /// Where the text can be read again, where it is not at hand.
    pub fn origin(&self) -> Option<&Path> {
        self.origin.as_deref().filter(|_| !self.has_text())
    }

    /// Whether both ends of a span are places that can be shown.
    pub fn knows(&self, span: Span) -> bool {
        match self.has_text() {
            true => self.text.get(span.range()).is_some(),
            false => {
                span.start <= span.end && [span.start, span.end].iter().all(|&at| self.marks.at(at).is_some())
            }
        }
    }

    /// The text as the bytes of the file, byte order mark included; `None` when its encoding has no bytes for it.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        match self.encoding {
            Encoding::Utf8 => Some(self.text.as_bytes().to_vec()),
            Encoding::Utf8WithMark => Some([MARK, self.text.as_bytes()].concat()),
            Encoding::Latin1 => self.text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect(),
        }
    }

    /// The hash of the text and of how the bytes of the file became text.
    pub fn digest(&self) -> &Digest {
        self.digest.get_or_init(|| digest(self.language, self.encoding, &self.text))
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
        if let Some(mark) = self.marks.at(offset) {
            return mark.position;
        }
        let line_starts = self.line_starts();
        let line = line_starts.partition_point(|&start| start <= offset).max(1);
        let start = line_starts[line - 1] as usize;
        let before = self.text.get(start..offset as usize).unwrap_or("");
        let column = before.chars().count() + 1;
        Position { line: line as u32, column: column as u32 }
    }

    /// The 1-based line of a byte offset in the decoded text.
    pub fn line(&self, offset: u32) -> u32 {
        match self.marks.at(offset) {
            Some(mark) => mark.position.line,
            None => self.line_starts().partition_point(|&start| start <= offset).max(1) as u32,
        }
    }

    /// The span of a 1-based line, without its line end.
    pub fn line_span(&self, line: u32) -> Span {
        let line_starts = self.line_starts();
        let index = (line.max(1) as usize - 1).min(line_starts.len() - 1);
        let start = line_starts[index] as usize;
        let end = line_starts.get(index + 1).map_or(self.text.len(), |&next| next as usize);
        let body = self.text[start..end].trim_end_matches(['\r', '\n']);
        Span::new(start..start + body.len())
    }

    /// How many lines the text has; an empty text has one.
    pub fn line_count(&self) -> u32 {
        self.line_starts().len() as u32
    }

    /// Where an offset of the decoded text lies in the bytes of the file.
    pub fn file_offset(&self, offset: u32) -> usize {
        if let Some(mark) = self.marks.at(offset) {
            return mark.in_file as usize;
        }
        let offset = offset as usize;
        match self.encoding {
            Encoding::Utf8 => offset,
            Encoding::Utf8WithMark => offset + MARK.len(),
            Encoding::Latin1 => self.text.get(..offset).unwrap_or(&self.text).chars().count(),
        }
    }

    fn line_starts(&self) -> &[u32] {
        self.line_starts.get_or_init(|| line_starts(&self.text))
    }
}

fn digest(language: Language, encoding: Encoding, text: &str) -> Digest {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[language as u8, encoding as u8]).update(text.as_bytes());
    *hasher.finalize().as_bytes()
}

/// A path with `/` between its parts and without a leading `./`.
pub fn slashed(path: &Path) -> String {
    let shown = path.to_string_lossy();
    // Every file is asked for this, and few paths have anything to replace.
    let shown = if shown.contains('\\') { shown.replace('\\', "/") } else { shown.into_owned() };
    match shown.strip_prefix("./") {
        Some(below) => below.to_owned(),
        None => shown,
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Source, DecodeError> {
        Source::decode("x.py".into(), Language::Python, bytes)
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
    fn without_its_text_a_file_knows_what_it_was_asked_to() {
        for bytes in
            [b"# coding: latin-1\na = '\xE9' # x\n".as_slice(), b"\xEF\xBB\xBFa = '\xC3\xA9'\nb = 1\n"]
        {
            let whole = read(bytes).expect("decodes");
            let ends: Vec<u32> = (0..whole.text.len() as u32).filter(|at| at % 3 == 0).collect();
            let apart = whole.apart(ends.clone());
            assert!(!apart.has_text() && apart.digest() == whole.digest());
            for &at in &ends {
                assert_eq!(apart.position(at), whole.position(at));
                assert_eq!((apart.line(at), apart.file_offset(at)), (whole.line(at), whole.file_offset(at)));
            }
            assert!(apart.knows(Span { start: 3, end: 6 }) && !apart.knows(Span { start: 3, end: 7 }));
            let seen = Source::seen("x.py".into(), Language::Python, bytes, "/x.py".into()).expect("decodes");
            assert_eq!((seen.digest(), seen.origin()), (whole.digest(), Some(Path::new("/x.py"))));
        }
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
