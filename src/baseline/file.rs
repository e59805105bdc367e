//! baseline/file: the baseline as text: one entry a line, in an order that does not depend on where code stands.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Baseline, Entry, Ground};
use crate::source::{Source, Span};

/// The version of the form that is written here.
const VERSION: u32 = 1;

/// What is wrong with a baseline's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The 1-based line.
    pub line: u32,
    /// What is wrong, in plain words.
    pub reason: String,
    /// What to do about it.
    pub help: String,
}

/// Reads a baseline.
///
/// # Errors
/// When the text is not one: a merge left both sides in it, it is of another version, a key or value is wrong.
pub fn read(source: Arc<Source>, ground: Ground) -> Result<Baseline, Fault> {
    let text = source.text.as_str();
    let fault = |line: u32, reason: String, help: &str| Fault { line, reason, help: help.to_owned() };
    let conflict = (1..).zip(text.lines()).find(|(_, line)| line.starts_with("<<<<<<< "));
    if let Some((line, _)) = conflict {
        let help = "take either side, then run `trailcheck baseline update`";
        return Err(fault(line, "a merge left both sides here".to_owned(), help));
    }
    let broken = |error: &serde_json::Error, first: u32| {
        let line = first + u32::try_from(error.line()).unwrap_or(1).max(1) - 1;
        // The place is said before the message.
        let words = error.to_string();
        let reason = words.split(" at line ").next().unwrap_or(&words).to_owned();
        fault(line, reason, REMAKE)
    };
    let version: Version = serde_json::from_str(text).map_err(|error| broken(&error, 1))?;
    if version.schema_version != VERSION {
        let reason = format!("schema version {} is not known here", version.schema_version);
        let at = text.find("\"schema_version\"").unwrap_or(0);
        let help = "use the trailcheck that wrote it, or a newer one";
        return Err(fault(source.line(Span::new(at..at).start), reason, help));
    }
    let document: Document<'_> = serde_json::from_str(text).map_err(|error| broken(&error, 1))?;
    let mut entries = Vec::new();
    for raw in document.entries {
        let raw = raw.get();
        // The text of a raw value is a part of the whole text.
        let start = (raw.as_ptr() as usize).wrapping_sub(text.as_ptr() as usize);
        // Its first pair is enough to show which one it is.
        let span = Span::new(start..start + raw.find(',').unwrap_or(raw.len()));
        let line = source.line(span.start);
        let said: Said = serde_json::from_str(raw).map_err(|error| broken(&error, line))?;
        let is_print =
            said.fingerprint.len() == 32 && said.fingerprint.bytes().all(|b| b.is_ascii_hexdigit());
        if !is_print {
            let reason = format!("`{}` is no fingerprint", said.fingerprint);
            return Err(fault(line, reason, REMAKE));
        }
        if said.count == 0 {
            return Err(fault(line, "an entry accepts at least one finding".to_owned(), "drop the line"));
        }
        entries.push(Entry { span, ..said.into() });
    }
    Ok(Baseline { source: Arc::clone(&source), ground, roots: document.roots, entries })
}

const REMAKE: &str =
    "restore the file from version control, or make it anew with `trailcheck baseline create --force`";

/// The text of a baseline; roots and entries are in order.
pub fn render(roots: &[String], entries: &[Entry]) -> String {
    let roots = json(&roots);
    let mut out = format!("{{\n  \"schema_version\": {VERSION},\n  \"roots\": {roots},\n  \"entries\": [");
    for (number, entry) in entries.iter().enumerate() {
        out.push_str(if number == 0 { "\n" } else { ",\n" });
        out.push_str(&format!("    {{{}}}", line(entry)));
    }
    out.push_str(if entries.is_empty() { "]\n}\n" } else { "\n  ]\n}\n" });
    out
}

/// The keys and values of an entry, in the order they are read.
fn line(entry: &Entry) -> String {
    let mut parts = vec![
        format!("\"path\": {}", json(&entry.path)),
        format!("\"function\": {}", json(&entry.function)),
        format!("\"rule\": {}", json(&entry.rule)),
    ];
    parts.extend(entry.entity.as_ref().map(|entity| format!("\"entity\": {}", json(entity))));
    parts.extend(entry.operation.as_ref().map(|operation| format!("\"operation\": {}", json(operation))));
    parts.push(format!("\"count\": {}", entry.count));
    parts.push(format!("\"fingerprint\": {}", json(&entry.fingerprint)));
    parts.join(", ")
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("internal error: strings and numbers are JSON")
}

#[derive(Deserialize)]
struct Version {
    schema_version: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document<'a> {
    #[serde(rename = "schema_version")]
    _version: u32,
    roots: Vec<String>,
    #[serde(borrow)]
    entries: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    path: String,
    function: String,
    rule: String,
    entity: Option<String>,
    operation: Option<String>,
    count: u32,
    fingerprint: String,
}

impl From<Said> for Entry {
    fn from(said: Said) -> Entry {
        let Said { path, function, rule, entity, operation, count, fingerprint } = said;
        Entry { path, function, rule, entity, operation, fingerprint, count, span: Span::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Language;

    fn parsed(text: &str) -> Result<Baseline, Fault> {
        read(Arc::new(Source::of_text("b.json", Language::Json, text)), Ground::default())
    }

    fn entry(path: &str, count: u32) -> Entry {
        Entry {
            path: path.to_owned(),
            function: "Desk.\"open\"".to_owned(),
            rule: "missing-created-at".to_owned(),
            entity: Some("Job".to_owned()),
            operation: None,
            fingerprint: "0123456789abcdef0123456789abcdef".to_owned(),
            count,
            span: Span::default(),
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let entries = [entry("a.py", 1), entry("b/é.py", 12)];
        let text = render(&["app".to_owned()], &entries);
        assert_eq!(text.lines().count(), 8, "an entry is a line:\n{text}");
        let baseline = parsed(&text).expect("well formed");
        assert_eq!((baseline.roots.as_slice(), baseline.count()), (&["app".to_owned()][..], 13));
        for (read, written) in baseline.entries.iter().zip(&entries) {
            assert_eq!(Entry { span: Span::default(), ..read.clone() }, *written);
        }
        let second = baseline.entries[1].span;
        assert_eq!(baseline.source.line(second.start), 6);
        assert!(baseline.source.slice(second) == "{\"path\": \"b/é.py\"");
        let empty = render(&[], &[]);
        assert_eq!(parsed(&empty).expect("well formed").entries, []);
    }

    #[test]
    fn another_layout_is_read_as_well() {
        let text = render(&[], &[entry("a.py", 1), entry("b.py", 1)]);
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let pretty = serde_json::to_string_pretty(&value).expect("JSON");
        let baseline = parsed(&pretty).expect("well formed");
        assert_eq!(baseline.entries.len(), 2);
        let slice = baseline.source.slice(baseline.entries[1].span);
        assert!(slice.starts_with('{'), "{slice}");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let good = render(&[], &[entry("a.py", 1), entry("b.py", 1)]);
        let cases = [
            (good.replace("[\n    {", "[\n<<<<<<< HEAD\n    {"), 5, "both sides"),
            (
                good.replace(
                    "\"count\": 1, \"fingerprint\": \"0123456789abcdef0123456789abcdef\"}\n",
                    "\"count\": 0, \"fingerprint\": \"0123456789abcdef0123456789abcdef\"}\n",
                ),
                6,
                "at least one",
            ),
            (good.replacen("\"count\": 1", "\"cuont\": 1", 1), 5, "unknown field `cuont`"),
            (good.replace("version\": 1", "version\": 2"), 2, "version 2 is not known"),
            (good.replace("cdef\"}\n", "\"}\n"), 6, "is no fingerprint"),
            (good.replace("  ]\n", "\n"), 8, "expected `,` or `]`"),
            ("[]".to_owned(), 1, "invalid"),
            (String::new(), 1, "EOF"),
            ("{\"schema_version\": 1}".to_owned(), 1, "missing field"),
        ];
        for (text, line, part) in cases {
            let fault = parsed(&text).expect_err(&text);
            assert!(fault.line == line && fault.reason.contains(part), "{fault:?} of\n{text}");
            assert!(!fault.help.is_empty());
        }
    }
}
