//! report/json: version 1 of the machine's format, whose schema is `schema.json` beside this file.
//!
//! The structs here are twins of our own: those may change with the program, these only with the version.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::plan::PlannedChange;
use super::{Status, Tally, has_news, status};
use crate::finding::{Edit, FileReport, Finding, Fix, Gap, Place, Scan, Write};

/// The JSON Schema (draft 2020-12) of what [`render`] writes.
pub const SCHEMA: &str = include_str!("schema.json");

/// The whole scan as one object.
pub fn render(scan: &Scan) -> String {
    let mut bytes = Vec::with_capacity(likely_length(scan));
    serde_json::to_writer_pretty(&mut bytes, &document(scan))
        .expect("internal error: strings and numbers are JSON");
    bytes.push(b'\n');
    String::from_utf8(bytes).expect("internal error: JSON is UTF-8")
}

/// About how many bytes a scan takes, rather too many: a text that outgrows its memory is copied to fresh memory, and what
/// is not used costs nothing.
fn likely_length(scan: &Scan) -> usize {
    const PLACE: usize = 300;
    let finding = |finding: &Finding| {
        let texts = finding.message.len() + finding.help.as_ref().map_or(0, String::len);
        let edits = finding.fix.iter().flat_map(|fix| &fix.edits);
        let places = PLACE * finding.related.len() + edits.map(|edit| PLACE + edit.text.len()).sum::<usize>();
        4 * PLACE + texts + places
    };
    let file = |file: &FileReport| {
        file.writes.len() * 2 * PLACE + file.findings.iter().map(finding).sum::<usize>() + PLACE
    };
    let files = scan.files.iter().filter(|file| has_news(file)).map(file);
    files.sum::<usize>() + (scan.gaps.len() + 4) * PLACE
}

#[derive(Serialize)]
struct JsonDocument<'a> {
    schema_version: u32,
    tool: JsonTool,
    summary: JsonSummary,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<JsonSince<'a>>,
    files: JsonFiles<'a>,
    gaps: Vec<JsonGap<'a>>,
}

/// The files that have something to say, each made as it is written: all of them at once take more memory than the text.
struct JsonFiles<'a>(&'a Scan);

impl Serialize for JsonFiles<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let JsonFiles(scan) = self;
        serializer.collect_seq(scan.files.iter().filter(|one| has_news(one)).map(|one| file(one, &scan.gaps)))
    }
}

#[derive(Serialize)]
struct JsonSince<'a> {
    revision: &'a str,
    left_out: usize,
}

#[derive(Serialize)]
struct JsonTool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct JsonSummary {
    files: JsonFileCounts,
    writes: JsonWriteCounts,
    coverage: Option<f64>,
    findings: JsonFindingCounts,
}

#[derive(Serialize)]
struct JsonFileCounts {
    scanned: usize,
    with_writes: usize,
    gaps: usize,
}

#[derive(Serialize)]
struct JsonWriteCounts {
    create: usize,
    update: usize,
    delete: usize,
    compliant: usize,
    aside: usize,
}

#[derive(Serialize)]
struct JsonFix<'a> {
    safety: &'static str,
    title: &'a str,
    edits: Vec<JsonEdit<'a>>,
}

#[derive(Serialize)]
struct JsonEdit<'a> {
    path: String,
    location: JsonLocation,
    text: &'a str,
}

#[derive(Serialize)]
struct JsonFindingCounts {
    error: usize,
    review: usize,
    suppressed: usize,
    baselined: usize,
}

#[derive(Serialize)]
pub(super) struct JsonFile<'a> {
    path: String,
    status: &'static str,
    writes: Vec<JsonWrite<'a>>,
    findings: Vec<JsonFinding<'a>>,
    /// What this run has changed in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changes: Vec<PlannedChange<'a>>,
}

#[derive(Serialize)]
struct JsonWrite<'a> {
    operation: &'static str,
    entity: &'a str,
    function: &'a str,
    line: u32,
    compliant: bool,
    duties: BTreeMap<&'static str, &'static str>,
}

#[derive(Serialize)]
struct JsonFinding<'a> {
    rule: &'a str,
    severity: &'static str,
    message: &'a str,
    help: Option<&'a str>,
    function: &'a str,
    operation: Option<&'static str>,
    entity: Option<&'a str>,
    location: JsonLocation,
    related: Vec<JsonRelated<'a>>,
    fix: Option<JsonFix<'a>>,
    fingerprint: &'a str,
    suppressed: Option<JsonSuppressed<'a>>,
    baselined: bool,
}

#[derive(Serialize)]
struct JsonLocation {
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
    byte_offset: usize,
    byte_length: usize,
}

#[derive(Serialize)]
struct JsonRelated<'a> {
    message: &'a str,
    path: String,
    location: JsonLocation,
}

#[derive(Serialize)]
struct JsonSuppressed<'a> {
    reason: Option<&'a str>,
    owner: Option<&'a str>,
    until: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct JsonGap<'a> {
    path: &'a str,
    line: Option<u32>,
    reason: &'a str,
}

fn document(scan: &Scan) -> JsonDocument<'_> {
    let tally = Tally::of(scan);
    JsonDocument {
        schema_version: 1,
        tool: JsonTool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") },
        summary: summary(&tally),
        since: scan
            .since
            .as_ref()
            .map(|since| JsonSince { revision: &since.revision, left_out: since.left_out }),
        files: JsonFiles(scan),
        gaps: scan.gaps.iter().map(gap).collect(),
    }
}

fn summary(tally: &Tally) -> JsonSummary {
    JsonSummary {
        files: JsonFileCounts {
            scanned: tally.scanned,
            with_writes: tally.with_writes,
            gaps: tally.files_with_gaps,
        },
        writes: JsonWriteCounts {
            create: tally.creates,
            update: tally.updates,
            delete: tally.deletes,
            compliant: tally.compliant,
            aside: tally.aside,
        },
        coverage: tally.coverage().map(|tenths| tenths as f64 / 10.0),
        findings: JsonFindingCounts {
            error: tally.errors,
            review: tally.reviews,
            suppressed: tally.suppressed,
            baselined: tally.baselined,
        },
    }
}

/// One gap.
pub(super) fn gap(gap: &Gap) -> JsonGap<'_> {
    JsonGap { path: &gap.path, line: gap.line, reason: &gap.reason }
}

/// One file of a scan that has these gaps.
pub(super) fn file<'a>(file: &'a FileReport, gaps: &[Gap]) -> JsonFile<'a> {
    JsonFile {
        path: file.source.display_path(),
        status: match status(file, gaps) {
            Status::Compliant => "compliant",
            Status::Fixed => "fixed",
            Status::NeedsReview => "needs_review",
            Status::HasIssues => "has_issues",
        },
        writes: file.writes.iter().map(|write| json_write(file, write)).collect(),
        findings: file.findings.iter().map(json_finding).collect(),
        changes: file.changes.iter().map(PlannedChange::of).collect(),
    }
}

fn json_write<'a>(file: &FileReport, write: &'a Write) -> JsonWrite<'a> {
    JsonWrite {
        operation: write.operation.word(),
        entity: &write.entity,
        function: &write.function,
        line: file.source.line(write.span.start),
        compliant: write.is_compliant(),
        duties: write.duties.iter().map(|(duty, standing)| (duty.word(), standing.word())).collect(),
    }
}

fn json_finding(finding: &Finding) -> JsonFinding<'_> {
    let related = finding.related.iter().map(|related| JsonRelated {
        message: &related.message,
        path: related.place.source.display_path(),
        location: location(&related.place),
    });
    JsonFinding {
        rule: &finding.rule,
        severity: finding.severity.word(),
        message: &finding.message,
        help: finding.help.as_deref(),
        function: &finding.function,
        operation: finding.operation.map(|operation| operation.word()),
        entity: finding.entity.as_deref(),
        location: location(&finding.place),
        related: related.collect(),
        fix: finding.fix.as_ref().map(json_fix),
        fingerprint: &finding.fingerprint,
        suppressed: finding.suppressed.as_ref().map(|suppressed| JsonSuppressed {
            reason: suppressed.reason.as_deref(),
            owner: suppressed.owner.as_deref(),
            until: suppressed.until.as_deref(),
        }),
        baselined: finding.baselined,
    }
}

fn json_fix(fix: &Fix) -> JsonFix<'_> {
    let edit = |edit: &'_ Edit| (edit.place.source.display_path(), location(&edit.place));
    let edits = fix.edits.iter().map(|one| {
        let (path, location) = edit(one);
        JsonEdit { path, location, text: &one.text }
    });
    JsonFix { safety: fix.safety.word(), title: &fix.title, edits: edits.collect() }
}

fn location(place: &Place) -> JsonLocation {
    let (source, span) = (&place.source, place.span);
    let (start, end) = (source.position(span.start), source.position(span.end));
    let byte_offset = source.file_offset(span.start);
    JsonLocation {
        line: start.line,
        column: start.column,
        end_line: end.line,
        end_column: end.column,
        byte_offset,
        byte_length: source.file_offset(span.end) - byte_offset,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Severity, Since};
    use crate::report::tests as example;
    use serde_json::{Value, json};

    fn valid(text: &str) -> Result<(), String> {
        let schema: Value = serde_json::from_str(SCHEMA).expect("the schema is JSON");
        jsonschema::meta::validate(&schema).expect("the schema is a schema");
        let document: Value = serde_json::from_str(text).expect("the report is JSON");
        jsonschema::validate(&schema, &document).map_err(|fault| fault.to_string())
    }

    #[test]
    fn what_is_written_fits_the_schema() {
        let since = Some(Since { revision: "abc".to_owned(), left_out: 2 });
        for scan in [example::scan(), Scan::default(), Scan { since, ..example::scan() }] {
            assert_eq!(valid(&render(&scan)), Ok(()));
        }
        let strange = render(&example::scan()).replace("\"fix\"", "\"fixes\"");
        assert!(valid(&strange).is_err(), "the schema refuses keys it does not know");
    }

    #[test]
    fn the_document_says_what_the_scan_says() {
        let document: Value = serde_json::from_str(&render(&example::scan())).expect("JSON");
        assert_eq!(
            document["summary"],
            json!({
                "files": {"scanned": 3, "with_writes": 1, "gaps": 2},
                "writes": {"create": 2, "update": 0, "delete": 1, "compliant": 2, "aside": 4},
                "coverage": 33.3,
                "findings": {"error": 1, "review": 1, "suppressed": 1, "baselined": 1}
            })
        );
        let file = &document["files"][0];
        assert_eq!(
            (file["path"].as_str(), file["status"].as_str()),
            (Some("app/<b>service.py"), Some("has_issues"))
        );
        assert_eq!(document["files"].as_array().map(Vec::len), Some(1));
        assert_eq!(
            file["findings"][0]["location"],
            json!({"line": 5, "column": 11, "end_line": 7, "end_column": 6, "byte_offset": 63, "byte_length": 33})
        );
        assert_eq!(file["findings"][0]["related"][1]["path"], "app/helper.py");
        assert_eq!(file["findings"][2]["suppressed"]["until"], "2027-01-31");
        assert_eq!(file["writes"][0]["duties"]["created-at"], "missing");
        assert_eq!(
            document["gaps"][1],
            json!({"path": "app/\u{1b}gone.py", "line": null, "reason": "no such file or folder"})
        );
    }

    #[test]
    fn without_writes_there_is_no_coverage() {
        let document: Value = serde_json::from_str(&render(&Scan::default())).expect("JSON");
        assert_eq!(document["summary"]["coverage"], Value::Null);
    }

    #[test]
    fn columns_count_characters_and_offsets_count_bytes_of_the_file() {
        let source = example::source("é.py", "é = 'é'; Job()\n");
        let place = example::finding(&source, "Job()", "r", Severity::Error).place;
        let at = location(&place);
        assert_eq!((at.column, at.end_column, at.byte_offset, at.byte_length), (10, 15, 11, 5));
    }
}
