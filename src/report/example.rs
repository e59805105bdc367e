//! report/example: one scan with something of everything, for the tests of the formats.

use std::sync::Arc;

use crate::duty::{Duty, Operation, Standing};
use crate::finding::{FileReport, Finding, Gap, Place, Related, Scan, Severity, Suppressed, Write};
use crate::source::{Language, Source, Span};

const SERVICE: &str = "\
from shop.models import Job


async def enqueue(db):
    job = Job(
        state=\"\u{1b}[31m\",
    )
    db.add(job)
    await db.delete(job)
    other = Job()
";

/// The scan.
pub(crate) fn scan() -> Scan {
    let service = source("app/<b>service.py", SERVICE);
    let helper = source("app/helper.py", "def publish(job):\n    queue.send(job)\n");
    let create = finding(
        &service,
        "Job(\n        state=\"\u{1b}[31m\",\n    )",
        "missing-created-at",
        Severity::Error,
    );
    let create = Finding {
        related: vec![
            Related { message: "added here".into(), place: place(&service, "db.add(job)") },
            Related { message: "published here".into(), place: place(&helper, "queue.send(job)") },
        ],
        ..create
    };
    let suppressed =
        Suppressed { reason: Some("made | up".into()), owner: None, until: Some("2027-01-31".into()) };
    let again = finding(&service, "Job()", "missing-created-at", Severity::Error);
    let again = Finding { suppressed: Some(suppressed), ..again };
    let delete = finding(&service, "db.delete(job)", "hard-delete", Severity::Review);
    let writes = vec![
        write(&create, Operation::Create, &[Standing::Missing, Standing::Covered]),
        write(&delete, Operation::Delete, &[Standing::Set, Standing::Set]),
        write(&again, Operation::Create, &[Standing::Set, Standing::Unknown]),
    ];
    Scan {
        files: vec![
            FileReport { source: service, writes, findings: vec![create, delete, again] },
            FileReport { source: helper, writes: Vec::new(), findings: Vec::new() },
            FileReport { source: source("app/quiet.py", ""), writes: Vec::new(), findings: Vec::new() },
        ],
        gaps: vec![
            Gap { path: "app/helper.py".into(), line: Some(2), reason: "syntax error".into() },
            Gap { path: "app/\u{1b}gone.py".into(), line: None, reason: "no such file or folder".into() },
        ],
    }
}

/// A file of a text.
pub(crate) fn source(path: &str, text: &str) -> Arc<Source> {
    Arc::new(Source::of_text(path, Language::Python, text))
}

/// A finding on the first occurrence of some code.
pub(crate) fn finding(source: &Arc<Source>, code: &str, rule: &str, severity: Severity) -> Finding {
    Finding {
        rule: rule.into(),
        pack: "fields".into(),
        severity,
        message: "`enqueue` creates `Job` without setting `created_at` <i>".into(),
        help: Some("Set `job.created_at = datetime.now()` before the row is flushed.".into()),
        function: "enqueue".into(),
        operation: Some(Operation::Create),
        entity: Some("Job".into()),
        place: place(source, code),
        related: Vec::new(),
        fingerprint: "0123456789abcdef".into(),
        suppressed: None,
    }
}

fn place(source: &Arc<Source>, code: &str) -> Place {
    let start = source.text.find(code).expect("internal error: the code is in the example");
    Place { source: Arc::clone(source), span: Span::new(start..start + code.len()) }
}

fn write(finding: &Finding, operation: Operation, standings: &[Standing; 2]) -> Write {
    Write {
        operation,
        entity: "Job".into(),
        function: finding.function.clone(),
        span: finding.place.span,
        duties: vec![(Duty::CreatedAt, standings[0]), (Duty::UpdatedAt, standings[1])],
    }
}
