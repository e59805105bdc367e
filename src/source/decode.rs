//! source/decode: how the bytes of a file become text, and why some do not.

use std::borrow::Cow;

use memchr::memchr;
use serde::{Deserialize, Serialize};

use super::Language;

/// The byte order mark of UTF-8.
pub(super) const MARK: &[u8] = b"\xEF\xBB\xBF";

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

/// The text that the bytes of a file are; only what is not UTF-8 takes memory of its own.
pub(super) fn decode(language: Language, bytes: &[u8]) -> Result<(Cow<'_, str>, Encoding), DecodeError> {
    let decoded = text(language, bytes)?;
    // Offsets are 32 bits wide, and a Latin-1 text grows when it is decoded.
    if decoded.0.len() >= u32::MAX as usize {
        return Err(DecodeError { line: None, reason: TOO_LONG.to_owned() });
    }
    Ok(decoded)
}

/// Why a file is not read whose text has more bytes than can be counted.
pub const TOO_LONG: &str = "longer than 4 GiB";

fn text(language: Language, bytes: &[u8]) -> Result<(Cow<'_, str>, Encoding), DecodeError> {
    let error = |line, reason: &str| Err(DecodeError { line, reason: reason.to_owned() });
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return error(None, "UTF-16 text; save it as UTF-8");
    }
    if let Some(at) = memchr(0, bytes) {
        let reason = match language {
            Language::Python => "NUL byte; Python does not read such a file",
            _ => "NUL byte; this is no text",
        };
        return error(Some(line_at(bytes, at)), reason);
    }
    let marked = bytes.starts_with(MARK);
    let declared = if marked { None } else { declared_encoding(bytes) };
    match declared.as_deref() {
        None | Some("utf-8" | "utf8" | "u8" | "ascii" | "us-ascii") => {}
        Some("latin-1" | "latin1" | "iso-8859-1" | "iso8859-1" | "l1" | "8859") => {
            let text: String = bytes.iter().map(|&b| char::from(b)).collect();
            return Ok((Cow::Owned(text), Encoding::Latin1));
        }
        Some(other) => {
            // Other encodings agree with UTF-8 as long as only ASCII is used.
            if let Some(at) = bytes.iter().position(|b| !b.is_ascii()) {
                let reason = format!("the declared encoding `{other}` is not read; save the file as UTF-8");
                return error(Some(line_at(bytes, at)), &reason);
            }
        }
    }
    let (body, encoding) =
        if marked { (&bytes[MARK.len()..], Encoding::Utf8WithMark) } else { (bytes, Encoding::Utf8) };
    str::from_utf8(body).map(|text| (Cow::Borrowed(text), encoding)).or_else(|wrong| {
        let line = line_at(body, wrong.valid_up_to());
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
