//! report/audit/tests: what the report is computed to say, on small scans made for it.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use super::*;
use crate::config::{Bounds, Figure};
use crate::coverage;
use crate::duty::{Duty, Standing};
use crate::finding::{Change, Finding, Guard, Reached, Write};
use crate::report::tests::{finding, scan, source};
use crate::source::{Language, Span};

/// What a report is computed from where nobody hands in more than a scan.
pub(crate) fn inputs(scan: &Scan) -> Inputs<'_> {
    static RULEBOOK: OnceLock<Rulebook> = OnceLock::new();
    Inputs {
        scan,
        rulebook: RULEBOOK.get_or_init(Rulebook::built_in),
        is_on: Box::new(|_| true),
        urgency: Box::new(|_| None),
        defaults_count: Box::new(|_| false),
        is_service: Box::new(|_| true),
        roots: vec!["app".into()],
        settings: Vec::new(),
        left_out: 0,
        seal: None,
        coverage: None,
        owners: Ownership::NotAsked,
        figures: Vec::new(),
        earlier: None,
        runs: Vec::new(),
    }
}

/// A report with every view, in which everything from outside is the given text.
pub(crate) fn full<'a>(scan: &'a Scan, text: &'a str, of: LineOwners<'a>) -> Audit<'a> {
    let seal = Seal {
        trailcheck: "0.1.0".into(),
        day: "2026-01-01".into(),
        paths: vec![text.into()],
        ..Seal::default()
    };
    let run = Run { when: text.into(), what: text.into(), errors: 1, coverage: Some(500), ..Run::default() };
    let gone = EarlierFinding {
        path: text.into(),
        line: 3,
        rule: text.into(),
        message: text.into(),
        ..EarlierFinding::default()
    };
    let figure = Measured {
        figure: Figure::ModelCoverage,
        model: Some(text.into()),
        value: Some(50.0),
        sample: 4,
        bounds: Some(Bounds { min: Some(90.0), max: None, min_sample: 1 }),
    };
    Audit::of(Inputs {
        roots: vec![text.into()],
        settings: vec![text.into()],
        left_out: 2,
        seal: Some(seal),
        figures: vec![figure],
        owners: Ownership::Known { by: text.into(), of },
        earlier: Some(Earlier { name: text.into(), findings: vec![gone], run: run.clone() }),
        runs: vec![run.clone(), run],
        ..inputs(scan)
    })
}

fn verdicts(inputs: Inputs<'_>) -> Vec<Verdict> {
    Audit::of(inputs).criteria.iter().map(|criterion| criterion.verdict).collect()
}

/// A file with one write of each kind and a handler, each on a line of its own.
fn file(path: &str, tested: [Option<Reached>; 4]) -> FileReport {
    let source = source(path, "create\nupdate\ndelete\nexcept\n    log\n");
    let span = |line: usize| Span::new(line * 7..line * 7 + 6);
    let write = |operation, line: usize, duties: &[(Duty, Standing)]| Write {
        operation,
        entity: "Job".into(),
        declared_in: "shop/models.py".into(),
        table: Some("jobs".into()),
        language: Language::Python,
        function: "f".into(),
        span: span(line),
        duties: duties.to_vec(),
        tested: tested[line],
    };
    FileReport {
        writes: vec![
            write(
                Operation::Create,
                0,
                &[(Duty::CreatedAt, Standing::Set), (Duty::UpdatedAt, Standing::Covered)],
            ),
            write(Operation::Update, 1, &[(Duty::UpdatedAt, Standing::Set)]),
            write(Operation::Delete, 2, &[]),
        ],
        guards: vec![Guard {
            function: "f".into(),
            span: Span::new(21..source.text.len() - 1),
            head: span(3),
            tested: tested[3],
        }],
        findings: Vec::new(),
        changes: Vec::new(),
        source,
    }
}

fn clean(tested: [Option<Reached>; 4]) -> Scan {
    Scan { files: vec![file("app/jobs.py", tested)], ..Scan::default() }
}

fn marks(inputs: Inputs<'_>) -> Option<[Mark; 4]> {
    let testing = Audit::of(inputs).files.first()?.testing?;
    Some(testing.parts().map(|(_, mark)| mark))
}

#[test]
fn numbers_of_operations_models_and_packs_add_up() {
    let scan = scan();
    let audit = Audit::of(inputs(&scan));
    let of_operations: usize = audit.operations.iter().map(|row| row.writes).sum();
    let of_models: usize = audit.models.iter().map(ModelRow::writes).sum();
    assert_eq!((of_operations, of_models), (audit.tally.writes(), audit.tally.writes()));
    let of_packs: usize = audit.packs.iter().map(|row| row.errors + row.reviews).sum();
    let of_rules: usize = audit.rules.iter().map(|row| row.tally.errors + row.tally.reviews).sum();
    let of_order: usize = audit.order.matrix.iter().map(|row| row.errors + row.reviews).sum();
    assert_eq!([of_packs, of_rules, of_order], [audit.tally.errors + audit.tally.reviews; 3]);
    assert!(audit.rules.iter().map(|row| row.share).sum::<usize>() <= 1000);
}

#[test]
fn without_a_configuration_severity_says_what_is_urgent() {
    let scan = scan();
    let order = Audit::of(inputs(&scan)).order;
    assert!(!order.is_configured);
    assert_eq!(
        order.matrix.map(|row| (row.errors, row.reviews, row.files)),
        [(1, 0, 1), (0, 1, 1), (0, 0, 0)]
    );
    assert_eq!(order.files[0].urgency, Urgency::High);
}

#[test]
fn a_configured_path_is_as_urgent_as_it_says() {
    let scan = scan();
    let order = Audit::of(Inputs { urgency: Box::new(|_| Some(Urgency::Low)), ..inputs(&scan) }).order;
    assert!(order.is_configured);
    assert_eq!(
        order.matrix.map(|row| (row.errors, row.reviews, row.files)),
        [(0, 0, 0), (0, 0, 0), (1, 1, 1)]
    );
    assert_eq!(order.files.iter().map(|row| row.urgency).collect::<Vec<_>>(), [Urgency::Low]);
}

#[test]
fn the_most_urgent_files_come_first() {
    let one = |path: &str, severity, times| {
        let source = source(path, "x");
        let findings = (0..times).map(|_| finding(&source, "x", "hard-delete", severity)).collect();
        FileReport { findings, writes: Vec::new(), guards: Vec::new(), changes: Vec::new(), source }
    };
    let scan = Scan {
        files: vec![
            one("a.py", Severity::Review, 9),
            one("b.py", Severity::Error, 1),
            one("c.py", Severity::Error, 2),
        ],
        ..Scan::default()
    };
    let order = Audit::of(inputs(&scan)).order;
    assert_eq!(order.files.iter().map(|row| row.path.as_str()).collect::<Vec<_>>(), ["c.py", "b.py", "a.py"]);
}

#[test]
fn what_tests_lead_to_is_told_by_kind() {
    use Reached::{No, Perhaps, Yes};
    let scan = clean([Some(Yes), Some(No), Some(Perhaps), Some(No)]);
    let audit = Audit::of(inputs(&scan));
    assert_eq!(audit.evidence, Evidence::References);
    assert_eq!(marks(inputs(&scan)), Some([Mark::Reached, Mark::Unreached, Mark::Partly, Mark::Unreached]));
    let mut without = scan.clone();
    without.files[0].guards.clear();
    without.files[0].writes.remove(2);
    assert_eq!(marks(inputs(&without)), Some([Mark::Reached, Mark::Unreached, Mark::Absent, Mark::Absent]));
}

#[test]
fn without_tests_and_without_a_coverage_file_testing_is_not_known() {
    let scan = clean([None; 4]);
    let audit = Audit::of(inputs(&scan));
    assert_eq!((audit.evidence, audit.files[0].testing), (Evidence::Nothing, None));
    assert_eq!(audit.criteria[7].verdict, Verdict::Unknown);
}

#[test]
fn a_coverage_file_knows_better_than_the_names() {
    let scan = clean([Some(Reached::No); 4]);
    let of = |lines: &str| {
        let coverage = coverage::read(&format!("SF:app/jobs.py\n{lines}end_of_record\n")).expect("lcov");
        marks(Inputs { coverage: Some((&coverage, "lcov.info".into())), ..inputs(&scan) })
    };
    let all = of("DA:1,1\nDA:2,0\nDA:3,1\nDA:4,1\nDA:5,0\n");
    // The head of the clause ran because an error passed it; its body did not.
    assert_eq!(all, Some([Mark::Reached, Mark::Unreached, Mark::Reached, Mark::Unreached]));
    assert_eq!(of("DA:5,1\n").map(|marks| marks[3]), Some(Mark::Reached));
    let other = coverage::read("SF:app/other.py\nDA:1,1\nend_of_record\n").expect("lcov");
    assert_eq!(marks(Inputs { coverage: Some((&other, "x".into())), ..inputs(&scan) }), None);
}

#[test]
fn criteria_are_computed_from_duties_findings_and_tests() {
    use Verdict::{Met, Unmet};
    let mut scan = clean([Some(Reached::Yes); 4]);
    // A default fills the update time of the new row, which is not explicit.
    assert_eq!(verdicts(inputs(&scan)), [Met, Unmet, Met, Met, Met, Met, Met, Met]);
    let by_default = Inputs { defaults_count: Box::new(|_| true), ..inputs(&scan) };
    assert_eq!(verdicts(by_default), [Met; 8]);
    scan.files[0].writes[0].duties[1].1 = Standing::Missing;
    assert_eq!(verdicts(inputs(&scan))[5], Unmet);
    let source = Arc::clone(&scan.files[0].source);
    scan.files[0].findings.push(finding(&source, "except", "unimported-exception", Severity::Error));
    let found = verdicts(inputs(&scan));
    assert_eq!([found[0], found[4], found[6]], [Unmet, Unmet, Met]);
    scan.files[0].findings[0].rule = "missing-rollback".into();
    let found = verdicts(inputs(&scan));
    assert_eq!([found[0], found[4], found[6]], [Met, Met, Unmet]);
    scan.files[0].findings[0].baselined = true;
    assert_eq!(verdicts(inputs(&scan))[6], Met, "somebody has answered for it");
    scan.files[0].findings = vec![finding(&source, "delete", "hard-delete", Severity::Review)];
    assert_eq!(verdicts(inputs(&scan))[3], Unmet, "a row goes for good");
}

#[test]
fn a_criterion_nobody_looked_after_is_not_met() {
    let scan = clean([Some(Reached::Yes); 4]);
    let off = || Inputs { is_on: Box::new(|rule| rule.pack != "errors"), ..inputs(&scan) };
    let audit = Audit::of(off());
    assert_eq!(audit.criteria[6].verdict, Verdict::Unknown);
    assert!(audit.criteria[6].note.contains("rules were off"), "{}", audit.criteria[6].note);
    assert!(audit.rules_off.contains(&"missing-rollback"));
    assert_eq!(audit.rules_on + audit.rules_off.len(), off().rulebook.rules.len());
}

#[test]
fn code_that_serves_nobody_is_not_held_to_the_standard() {
    let mut scan = clean([Some(Reached::No); 4]);
    scan.files[0].writes[0].duties[1].1 = Standing::Missing;
    let tests_only = Inputs { is_service: Box::new(|_| false), ..inputs(&scan) };
    assert_eq!(verdicts(tests_only), [Verdict::Met; 8]);
}

#[test]
fn a_change_is_told_once() {
    let change = |title: &str, safety| Change {
        rule: "r".into(),
        function: "f".into(),
        title: title.into(),
        safety,
        is_counted: true,
    };
    let mut scan = clean([None; 4]);
    scan.files[0].changes = vec![
        change("Import it", Safety::Safe),
        change("Import it", Safety::Safe),
        change("Roll back", Safety::Unsafe),
    ];
    let audit = Audit::of(inputs(&scan));
    assert_eq!(audit.files[0].changes, [("Import it", false), ("Roll back", true)]);
    assert_eq!(audit.files[0].status, Status::Fixed);
}

#[test]
fn a_finding_of_two_owners_is_in_both_rows_and_that_of_none_last() {
    let source_of = |path: &str| {
        let source = source(path, "x");
        let findings = vec![finding(&source, "x", "hard-delete", Severity::Review)];
        FileReport { findings, writes: Vec::new(), guards: Vec::new(), changes: Vec::new(), source }
    };
    let scan =
        Scan { files: vec![source_of("a.py"), source_of("b.py"), source_of("c.py")], ..Scan::default() };
    let of = |file: &FileReport, _: u32| match file.source.path.to_str() {
        Some("a.py") => vec!["@a".to_owned(), "@b".to_owned()],
        Some("b.py") => vec!["@b".to_owned()],
        _ => Vec::new(),
    };
    let owners = Ownership::Known { by: "CODEOWNERS".into(), of: Box::new(of) };
    let Owned::Known { rows, .. } = Audit::of(Inputs { owners, ..inputs(&scan) }).owners else {
        panic!("owners are known")
    };
    let told: Vec<_> = rows.iter().map(|row| (row.owner.as_deref(), row.files, row.reviews)).collect();
    assert_eq!(told, [(Some("@b"), 2, 2), (Some("@a"), 1, 1), (None, 1, 1)]);
}

fn fingerprinted(path: &str, fingerprints: &[&str]) -> FileReport {
    let source = source(path, "x");
    let one = |fingerprint: &&str| Finding {
        fingerprint: (*fingerprint).to_owned(),
        ..finding(&source, "x", "hard-delete", Severity::Error)
    };
    let findings = fingerprints.iter().map(one).collect();
    FileReport { findings, writes: Vec::new(), guards: Vec::new(), changes: Vec::new(), source }
}

#[test]
fn history_follows_fingerprints_even_into_another_file() {
    let before = Scan { files: vec![fingerprinted("a.py", &["1", "1", "2", "3"])], ..Scan::default() };
    let json = crate::report::json::render(&before);
    let earlier = Earlier::read("old.json", &json).expect("a JSON report");
    assert_eq!((earlier.run.errors, earlier.findings.len()), (4, 4));
    let mut now = Scan {
        files: vec![fingerprinted("a.py", &["1", "4"]), fingerprinted("b.py", &["2", "1", "1"])],
        ..Scan::default()
    };
    let moved = |scan: &Scan| {
        let history = super::history::of(scan, &earlier);
        let fingerprints =
            |list: &[EarlierFinding]| list.iter().map(|one| one.fingerprint.clone()).collect::<Vec<_>>();
        (fingerprints(&history.new), fingerprints(&history.fixed), history.unchanged)
    };
    assert_eq!(moved(&now), (vec!["4".to_owned(), "1".to_owned()], vec!["3".to_owned()], 3));
    now.files[0].findings[0].baselined = true;
    assert_eq!(moved(&now).2, 3, "of three alike two were there before");
    assert_eq!(moved(&before), (Vec::new(), Vec::new(), 4));
}

#[test]
fn an_earlier_report_must_be_one() {
    for (text, what) in [("{}", "no JSON report"), ("", "no JSON report"), ("[1]", "no JSON report")] {
        let fault = Earlier::read("x", text).expect_err("no report");
        assert!(fault.contains(what), "{fault}");
    }
    let other = crate::report::json::render(&Scan::default())
        .replace("\"schema_version\": 1", "\"schema_version\": 2");
    assert!(Earlier::read("x", &other).expect_err("another version").contains("version 2"));
}

#[test]
fn excused_findings_of_an_earlier_report_are_not_open() {
    let earlier = Earlier::read("x", &crate::report::json::render(&scan())).expect("a JSON report");
    let tally = Tally::of(&scan());
    assert_eq!((earlier.run.errors, earlier.run.reviews), (tally.errors, tally.reviews));
    assert_eq!(earlier.run.coverage, tally.coverage());
}

#[test]
fn a_run_says_how_it_ended() {
    let run = |errors, reviews, gaps| Run { errors, reviews, gaps: Some(gaps), ..Run::default() }.outcome();
    assert_eq!([run(0, 0, 0), run(1, 5, 0), run(0, 1, 1)], ["clean", "errors", "something to review"]);
    assert!(run(0, 0, 2).contains("could not be understood"));
    let of = Run::of(&scan(), "2026-01-01".into(), "app".into(), Some(1234));
    assert_eq!((of.errors, wording::duration(&of)), (1, "1.23 s".to_owned()));
}

#[test]
fn the_ledger_holds_comments_and_what_the_baseline_accepts() {
    let scan = scan();
    let ledger = Audit::of(inputs(&scan)).ledger;
    assert_eq!(ledger.comments.len(), scan.suppressions.len());
    assert_eq!(ledger.accepted.len(), Tally::of(&scan).baselined);
    assert!(ledger.accepted.iter().all(|one| PathBuf::from(&one.path).starts_with("app")));
}
