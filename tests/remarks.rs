//! remarks: comments of Rust code that speak to trailcheck, what findings of such code are known by, and what fixes make of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use trailcheck::finding::{Finding, Safety, Scan};
use trailcheck::fix::Mended;
use trailcheck::source::{Language, Source};

use crate::small::mended::mended;

const MANIFEST: &str = "[package]\nname = \"jobs\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\nsea-orm = \"1\"\n\
                        chrono = \"0.4\"\ndiesel = \"2\"\n";

const LIB: &str = "pub mod job;\npub mod schema;\npub mod work;\n";

const JOB: &str = "use sea_orm::entity::prelude::*;\n\n#[derive(Clone, Debug, DeriveEntityModel)]\n\
                   #[sea_orm(table_name = \"jobs\")]\npub struct Model {\n    #[sea_orm(primary_key)]\n    pub id: i32,\n    \
                   pub state: String,\n    pub updated_at: DateTimeUtc,\n}\n\n#[derive(Clone, Debug, EnumIter, DeriveRelation)]\n\
                   pub enum Relation {}\n\nimpl ActiveModelBehavior for ActiveModel {}\n";

const SCHEMA: &str = "diesel::table! {\n    notes (id) {\n        id -> Integer,\n        body -> Text,\n        \
                      updated_at -> Timestamp,\n    }\n}\n";

const HEAD: &str = "use chrono::Utc;\nuse diesel::prelude::*;\nuse sea_orm::{ActiveValue::Set, DatabaseConnection, DbErr};\n\n\
                    use crate::job;\nuse crate::schema::notes;\n\n";

/// The rule that all of this is about.
const RULE: &str = "missing-updated-at";

/// A service with this code in one of its modules.
fn service(code: &str) -> Vec<Arc<Source>> {
    let file = |path: &str, language, text: &str| Arc::new(Source::of_text(path, language, text));
    vec![
        file("Cargo.toml", Language::Manifest, MANIFEST),
        file("src/job.rs", Language::Rust, JOB),
        file("src/lib.rs", Language::Rust, LIB),
        file("src/schema.rs", Language::Rust, SCHEMA),
        file("src/work.rs", Language::Rust, &format!("{HEAD}{code}")),
    ]
}

fn scanned(code: &str) -> Scan {
    mended(service(code), [RULE, "meta"], Safety::Safe).before
}

fn findings(scan: &Scan) -> impl Iterator<Item = &Finding> {
    scan.files.iter().flat_map(|file| &file.findings)
}

/// The lines of the findings that nothing excuses, by rule.
fn open(scan: &Scan) -> BTreeMap<String, Vec<u32>> {
    let mut open: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    let heads = HEAD.lines().count() as u32;
    for finding in findings(scan).filter(|finding| finding.suppressed.is_none()) {
        let line = finding.place.source.line(finding.place.span.start) - heads;
        open.entry(finding.rule.clone()).or_default().push(line);
    }
    open
}

/// The code after mending, or what was left and why.
fn fixed(code: &str, most: Safety) -> (String, Mended) {
    let mended = mended(service(code), [RULE, "meta"], most);
    let new = mended.files.iter().find(|(_, new)| new.display_path() == "src/work.rs");
    let text = new.map_or_else(|| format!("{HEAD}{code}"), |(_, new)| new.text.as_str().to_owned());
    (text.strip_prefix(HEAD).expect("the head stays").to_owned(), mended)
}

/// A function that changes a job in the given way.
fn finish(change: &str) -> String {
    format!(
        "pub async fn finish(db: &DatabaseConnection, row: job::Model) -> Result<(), DbErr> {{\n    let mut row: \
         job::ActiveModel = row.into();\n    {change}\n    row.update(db).await?;\n    Ok(())\n}}\n"
    )
}

#[test]
fn what_nothing_excuses_is_found() {
    let scan = scanned(&finish("row.state = Set(\"done\".to_owned());"));
    assert_eq!(open(&scan), BTreeMap::from([(RULE.to_owned(), vec![3])]), "{:?}", scan.gaps);
}

#[test]
fn a_line_that_says_how_to_run_the_file_moves_nothing() {
    let code = finish("row.state = Set(\"done\".to_owned());");
    let text = format!("#!/usr/bin/env é-run\n{HEAD}{code}");
    let mut sources = service("");
    sources.pop();
    sources.push(Arc::new(Source::of_text("src/work.rs", Language::Rust, text)));
    let scan = mended(sources, [RULE], Safety::Safe).before;
    let places: Vec<&str> = findings(&scan).map(|one| one.place.source.slice(one.place.span)).collect();
    assert_eq!(places, ["row.state = Set(\"done\".to_owned())"]);
}

#[test]
fn a_comment_excuses_what_it_trails_or_stands_above() {
    let excuse = "trailcheck: ignore[missing-updated-at] reason=\"the queue knows\"";
    let change = "row.state = Set(\"done\".to_owned());";
    let whole = finish(change);
    for code in [
        finish(&format!("{change} // {excuse}")),
        finish(&format!("{change} /* {excuse} */")),
        finish(&format!("{change}\t// clippy says so // {excuse}")),
        finish(&format!("// {excuse}\n    // and why\n    {change}")),
        finish(&format!("/*\n     * {excuse}\n     */\n    {change}")),
        finish(&format!("#[allow(unused)]\n    // {excuse}\n    {change}")),
        finish(&format!("row.state =\n        // {excuse}\n        Set(\"done\".to_owned());")),
        format!("// {excuse}\n/// Ends a job.\n#[inline]\n{whole}"),
        whole.replacen('{', &format!("{{ // {excuse}"), 1),
        format!("// {excuse}\nmod inner {{\nuse super::*;\n{whole}}}\n"),
    ] {
        let scan = scanned(&code);
        assert_eq!(open(&scan), BTreeMap::new(), "{code}");
        let ledger: Vec<usize> = scan.suppressions.iter().map(|record| record.matched.len()).collect();
        assert_eq!(ledger, [1], "{code}");
        let crlf = code.replace('\n', "\r\n");
        assert_eq!(open(&scanned(&crlf)), BTreeMap::new(), "{crlf:?}");
    }
}

#[test]
fn a_comment_excuses_nothing_else() {
    let excuse = "// trailcheck: ignore[missing-updated-at] reason=\"r\"";
    let change = "row.state = Set(\"done\".to_owned());";
    for code in [
        finish(&format!("{change}\n    {excuse}")),
        finish(&format!("let note = \"{}\";\n    {change}", excuse.replace('"', "'"))),
        finish(&format!("/// {}\n    {change}", excuse.trim_start_matches("// "))),
        finish(&format!("if note {{ {excuse}\n        {change}\n    }}")),
    ] {
        assert!(open(&scanned(&code)).contains_key(RULE), "{code}");
    }
}

#[test]
fn a_whole_file_is_excused_above_all_its_code() {
    let excuse = "// trailcheck: ignore-file[missing-updated-at] reason=\"made\"\n";
    let code = finish("row.state = Set(\"done\".to_owned());");
    let with = |text: String| {
        let mut sources = service("");
        sources.pop();
        sources.push(Arc::new(Source::of_text("src/work.rs", Language::Rust, text)));
        mended(sources, [RULE, "meta"], Safety::Safe).before
    };
    let scan = with(format!("//! Work.\n#![allow(unused)]\n{excuse}{HEAD}{code}"));
    assert_eq!(findings(&scan).filter(|finding| finding.suppressed.is_none()).count(), 0);
    let scan = with(format!("{HEAD}{excuse}{code}"));
    assert!(open(&scan).contains_key(RULE));
    let reasons: Vec<&str> = scan.gaps.iter().map(|gap| gap.reason.as_str()).collect();
    assert!(reasons.iter().any(|reason| reason.contains("before all code of a file")), "{reasons:?}");
}

#[test]
fn of_a_comment_goes_what_is_of_no_use() {
    let unused = "trailcheck: ignore[missing-updated-at] reason=\"r\"";
    for (before, after) in [
        (format!("pub fn f() {{}} // {unused}\n"), "pub fn f() {}\n"),
        (format!("// {unused}\npub fn f() {{}}\n"), "pub fn f() {}\n"),
        (
            format!("pub fn f() {{ /* {unused} */ g() }}\npub fn g() {{}}\n"),
            "pub fn f() { g() }\npub fn g() {}\n",
        ),
        (format!("pub fn f() {{}} // why // {unused}\n"), "pub fn f() {} // why \n"),
        (format!("/* why\n   {unused}\n */\npub fn f() {{}}\n"), "/* why\n */\npub fn f() {}\n"),
    ] {
        let (text, _) = fixed(&before, Safety::Safe);
        let lines = |text: &str| text.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
        assert_eq!(lines(&text.replace("{  g()", "{ g()")), lines(after), "{before}");
    }
}

#[test]
fn a_finding_keeps_its_fingerprint_when_its_code_is_formatted() {
    let prints = |code: &str| -> Vec<String> {
        findings(&scanned(code)).map(|finding| finding.fingerprint.clone()).collect()
    };
    let dense = "pub async fn open(db:&DatabaseConnection,s:String)->Result<(),DbErr>{let row=job::ActiveModel{id:Set(1),\
                 state:Set(match &*s{\"a\"=>{\"b\"} _=>\"c // d\"}.to_owned()),..Default::default()};row.insert(db).await?;\
                 Ok(())}\npub fn note(c:&mut PgConnection)->QueryResult<usize>{diesel::update(notes::table.find(1))\
                 .set((notes::body.eq(\"a  b\"),)).execute(c)}\n";
    let formatted = "pub async fn open(db: &DatabaseConnection, s: String) -> Result<(), DbErr> {\n    let row = \
                     job::ActiveModel {\n        id: Set(1), // the first\n        state: Set(\n            match &*s {\n                \
                     \"a\" => \"b\",\n                _ => \"c // d\",\n            }\n            .to_owned(),\n        ),\n        \
                     ..Default::default()\n    };\n    row.insert(db).await?;\n    Ok(())\n}\n\npub fn note(c: &mut PgConnection) \
                     -> QueryResult<usize> {\n    diesel::update(notes::table.find(1))\n        // all of it\n        \
                     .set((notes::body.eq(\"a  b\"),))\n        .execute(c)\n}\n";
    assert_eq!(prints(dense).len(), 2);
    assert_eq!(prints(dense), prints(formatted));
    assert_ne!(prints(dense), prints(&formatted.replace("a  b", "a b")));
}

#[test]
fn the_time_is_put_where_the_row_is_written_and_the_proof_holds() {
    let clock = "pub fn now() -> chrono::DateTime<Utc> {\n    Utc::now()\n}\n";
    let cases = [
        (
            "    row.state = Set(\"done\".to_owned()); // at last\n",
            "    row.state = Set(\"done\".to_owned()); // at last\n    row.updated_at = Set(Utc::now());\n",
        ),
        (
            "    if db.is_closed() {\n        row.state = Set(\"a\".to_owned());\n    } else {\n        row.state = \
             Set(\"b\".to_owned());\n    }\n    row.update(db)",
            "    if db.is_closed() {\n        row.state = Set(\"a\".to_owned());\n    } else {\n        row.state = \
             Set(\"b\".to_owned());\n    }\n    row.updated_at = Set(Utc::now());\n    row.update(db)",
        ),
    ];
    for (before, after) in cases {
        let change = before.trim_start().trim_end_matches("\n    row.update(db)").trim_end();
        let code = format!("{}\n{clock}", finish(change));
        assert!(code.contains(before), "{code}");
        for (code, after) in [
            (code.clone(), after.to_owned()),
            (code.replace('\n', "\r\n"), after.replace('\n', "\r\n")),
            (code.replace("    ", "\t"), after.replace("    ", "\t")),
        ] {
            let (text, mended) = fixed(&code, Safety::Unsafe);
            assert!(text.contains(&after), "{text:?}");
            assert_eq!(open(&mended.scan), BTreeMap::new(), "{text}");
            let (again, _) = fixed(&text, Safety::Unsafe);
            assert_eq!(again, text);
        }
        let (text, mended) = fixed(&code, Safety::Safe);
        assert_eq!(text, code, "it is for a person to read");
        assert!(mended.left.iter().all(|left| left.why.contains("unsafe")), "{:?}", mended.left);
    }
}

#[test]
fn a_literal_and_a_statement_take_the_time_among_their_columns() {
    let code = "pub async fn open(db: &DatabaseConnection) -> Result<(), DbErr> {\n    job::ActiveModel {\n        \
                state: Set(\"new\".to_owned()),\n        ..Default::default()\n    }\n    .insert(db)\n    .await?;\n    \
                Ok(())\n}\n\npub fn note(c: &mut PgConnection) -> QueryResult<usize> {\n    \
                diesel::update(notes::table.find(1)).set(notes::body.eq(\"b\")).execute(c)\n}\n\npub fn now() -> \
                chrono::NaiveDateTime {\n    Utc::now().naive_utc()\n}\n";
    let (text, mended) = fixed(code, Safety::Unsafe);
    assert!(
        text.contains("        updated_at: Set(Utc::now().naive_utc()),\n        ..Default::default()\n"),
        "{text}"
    );
    assert!(
        text.contains(
            ".set((notes::body.eq(\"b\"), notes::updated_at.eq(Utc::now().naive_utc()))).execute(c)"
        ),
        "{text}"
    );
    assert_eq!(open(&mended.scan), BTreeMap::new(), "{text}");
}

#[test]
fn where_nothing_tells_the_time_nothing_is_written() {
    let code = finish("row.state = Set(\"done\".to_owned());");
    let sources = service(&code).into_iter().map(|source| {
        let text = source.text.replace("use chrono::Utc;\n", "");
        Arc::new(source.with_text(text))
    });
    let mended = mended(sources.collect(), [RULE], Safety::Unsafe);
    assert!(mended.files.is_empty());
    assert!(mended.left.iter().all(|left| left.why.contains("how the clock is read")), "{:?}", mended.left);
    assert_eq!(mended.left.len(), 1);
}

#[test]
fn hostile_text_is_scanned_and_mended_without_harm() {
    let mark = "// trailcheck: ignore[missing-updated-at] reason=\"r\"\n";
    for text in [
        format!("fn f() {{ {}{}", "(".repeat(100_000), mark),
        format!("{}{}", "fn f() { g(|| { ".repeat(20_000), mark),
        format!("{}{mark}{}", "/*".repeat(50_000), "*/".repeat(50_000)),
        format!("fn f() {{ let x = r{0}\"{1}\"{0}; }} {mark}", "#".repeat(200), "\"#".repeat(100_000)),
        format!("fn f() {{ let x = 'a; let y = 'b'; let z = '\\'; {mark}"),
        format!("fn f() {{ x = {}1; }} {mark}", "!-&*".repeat(50_000)),
        format!("fn f() {{ {} }} {mark}", "if a {} else ".repeat(20_000)),
        format!("}}}}))]] {mark}"),
        format!("fn f() {{ \"{mark}"),
    ] {
        let mended = mended(service(&text), [RULE, "meta"], Safety::Unsafe);
        assert!(mended.scan.gaps.len() <= mended.before.gaps.len());
    }
}
