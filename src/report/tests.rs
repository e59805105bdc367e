//! report/tests: one scan with something of everything, for the tests of the formats, and what is counted in it.

use std::sync::Arc;

use super::*;
use crate::duty::{Duty, Standing};
use crate::finding::{Comparison, Place, Related, Suppressed, Write};
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
    let suppressed = Suppressed {
        reason: Some("made | up".into()),
        owner: None,
        until: Some("2027-01-31".into()),
        line: 10,
    };
    let again = finding(&service, "Job()", "missing-created-at", Severity::Error);
    let again = Finding { suppressed: Some(suppressed), ..again };
    let delete = finding(&service, "db.delete(job)", "hard-delete", Severity::Review);
    let old = finding(&service, "db.add(job)", "missing-created-by", Severity::Error);
    let old = Finding { baselined: true, ..old };
    let writes = vec![
        write(&create, Operation::Create, &[Standing::Missing, Standing::Covered]),
        write(&delete, Operation::Delete, &[Standing::Set, Standing::Set]),
        write(&again, Operation::Create, &[Standing::Set, Standing::Unknown]),
    ];
    Scan {
        aside: 4,
        files: vec![
            FileReport {
                source: service,
                writes,
                guards: Vec::new(),
                findings: vec![create, delete, again, old],
                changes: Vec::new(),
            },
            FileReport {
                source: helper,
                writes: Vec::new(),
                guards: Vec::new(),
                findings: Vec::new(),
                changes: Vec::new(),
            },
            FileReport {
                source: source("app/quiet.py", ""),
                writes: Vec::new(),
                guards: Vec::new(),
                findings: Vec::new(),
                changes: Vec::new(),
            },
        ],
        gaps: vec![
            Gap { path: "app/helper.py".into(), line: Some(2), reason: "syntax error".into() },
            Gap { path: "app/\u{1b}gone.py".into(), line: None, reason: "no such file or folder".into() },
        ],
        baseline: Some(Comparison { path: "trailcheck-baseline.json".into(), ..Comparison::default() }),
        ..Scan::default()
    }
}

/// A scan in which everything that comes from code tries to be more than text.
pub(crate) fn hostile() -> Scan {
    let evil = "x\n::error file=a::b\u{1b}[31m\u{202e}]]></failure><script>alert(1)</script>|[a](b)%0A`\"'";
    let code = source(&format!("app/{}.py", evil.replace('/', "_")), SERVICE);
    let mut bad = finding(&code, "Job()", "missing-created-at", Severity::Error);
    bad.message = evil.to_owned();
    bad.help = Some(evil.to_owned());
    bad.function = evil.to_owned();
    bad.entity = Some(evil.to_owned());
    let mut quiet = bad.clone();
    quiet.suppressed = Some(Suppressed {
        reason: Some(evil.to_owned()),
        owner: Some(evil.to_owned()),
        ..Suppressed::default()
    });
    Scan {
        files: vec![FileReport {
            source: code,
            writes: Vec::new(),
            guards: Vec::new(),
            findings: vec![bad, quiet],
            changes: Vec::new(),
        }],
        gaps: vec![Gap { path: evil.to_owned(), line: Some(1), reason: evil.to_owned() }],
        ..Scan::default()
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
        baselined: false,
        remedies: Vec::new(),
        fix: None,
        unfixable: None,
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
        declared_in: "shop/models.py".into(),
        table: Some("jobs".into()),
        language: Language::Python,
        function: finding.function.clone(),
        span: finding.place.span,
        duties: vec![(Duty::CreatedAt, standings[0]), (Duty::UpdatedAt, standings[1])],
        tested: None,
    }
}

#[test]
fn the_numbers_agree_with_the_scan() {
    let tally = Tally::of(&scan());
    assert_eq!((tally.scanned, tally.with_writes, tally.files_with_gaps, tally.gaps), (3, 1, 2, 2));
    assert_eq!((tally.errors, tally.reviews, tally.suppressed, tally.baselined), (1, 1, 1, 1));
    assert_eq!((tally.writes(), tally.compliant, tally.stamped), (3, 2, 1));
    assert_eq!(
        tally.line(),
        "1 error, 1 review, 1 suppressed, 1 baselined in 1 file with writes (3 scanned, 3 writes, 33.3 % fully stamped, 4 more in tests and scripts, 2 gaps)"
    );
    assert_eq!(
        Tally::default().line(),
        "0 errors, 0 reviews in 0 files with writes (0 scanned, no writes, 0 gaps)"
    );
}

#[test]
fn coverage_is_never_rounded_up_to_all() {
    let tally = Tally { creates: 10_000, stamped: 9_999, ..Tally::default() };
    assert_eq!(tally.coverage().map(percent).as_deref(), Some("99.9 %"));
}

#[test]
fn a_file_with_a_gap_is_not_compliant() {
    let scan = scan();
    let of = |at: usize| status(&scan.files[at], &scan.gaps);
    assert_eq!([of(0), of(1), of(2)], [Status::HasIssues, Status::NeedsReview, Status::Compliant]);
    let mut accepted = scan.files[0].clone();
    accepted.findings.retain(|finding| finding.baselined);
    assert_eq!(status(&accepted, &[]), Status::NeedsReview, "what a baseline accepts is still there");
}

#[test]
fn statistics_are_a_line_a_rule() {
    assert_eq!(
        statistics(&scan()),
        "hard-delete            0 errors     1 reviews     0 suppressed     0 baselined\n\
         missing-created-at     1 errors     0 reviews     1 suppressed     0 baselined\n\
         missing-created-by     0 errors     0 reviews     0 suppressed     1 baselined\n"
    );
}
