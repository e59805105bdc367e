//! fixes: what a fix makes of code, on the rule pages and in every kind of layout, and the laws that all fixes keep.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use trailcheck::finding::Safety;
use trailcheck::fix::Mended;
use trailcheck::rule::Kind;
use trailcheck::rulebook::Rulebook;
use trailcheck::source::{Language, Source};

use crate::small::mended::mended;
use crate::small::modules::{EXAMPLE, modules, with_package};

/// The texts after mending, by path.
fn texts(sources: &[Arc<Source>], mended: &Mended) -> BTreeMap<String, String> {
    let mut texts: BTreeMap<String, String> =
        sources.iter().map(|source| (source.display_path(), source.text.as_str().to_owned())).collect();
    for (_, new) in &mended.files {
        texts.insert(new.display_path(), new.text.as_str().to_owned());
    }
    texts
}

/// The text without the marks of what has to be found.
fn without_marks(text: &str) -> String {
    let line = |line: &str| match line.rfind("# finding") {
        Some(at) => line[..at].trim_end().to_owned(),
        None => line.to_owned(),
    };
    text.lines().map(|each| line(each) + "\n").collect()
}

#[test]
fn every_fixed_form_is_what_the_fix_makes_of_its_example() {
    let rulebook = Rulebook::built_in();
    let mut wrong = Vec::new();
    for rule in &rulebook.rules {
        let examples = (1..).zip(&rule.examples).filter(|(_, example)| example.kind == Kind::Bad);
        for (number, example) in examples {
            let Some(fixed) = &example.fixed else { continue };
            let sources = with_package(&example.code);
            // A suppression is of no use only where the rules that it names have run.
            let only = (rule.pack != "meta").then_some(rule.id.as_str());
            let mended = mended(sources.clone(), only, Safety::Unsafe);
            let text = without_marks(&texts(&sources, &mended)[EXAMPLE]);
            if text != *fixed {
                wrong.push(format!("rules/{}.md, example {number} becomes:\n{text}", rule.id));
            }
            let again: Vec<Arc<Source>> =
                mended.scan.files.iter().map(|file| Arc::clone(&file.source)).collect();
            assert!(self::mended(again, only, Safety::Unsafe).files.is_empty(), "{}: {number}", rule.id);
        }
        let shows = rule.examples.iter().any(|example| example.fixed.is_some());
        if shows == rule.remedies.is_empty() {
            let what =
                if shows { "shows a fixed form and has no fix" } else { "has a fix and shows no fixed form" };
            wrong.push(format!("rules/{}.md {what}", rule.id));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn mending_twice_changes_nothing_and_brings_nothing_new() {
    let rulebook = Rulebook::built_in();
    for rule in &rulebook.rules {
        for example in rule.examples.iter().filter(|example| example.kind == Kind::Bad) {
            let first = mended(with_package(&example.code), None, Safety::Unsafe);
            let found = |scan: &trailcheck::finding::Scan| {
                scan.files.iter().flat_map(|file| &file.findings).filter(|f| f.suppressed.is_none()).count()
            };
            let changes: usize = first.scan.files.iter().map(|file| file.changes.len()).sum();
            assert_eq!(found(&first.scan) + changes, found(&first.before), "rules/{}.md", rule.id);
            assert!(first.scan.gaps.len() <= first.before.gaps.len(), "rules/{}.md", rule.id);
            let again = first.scan.files.iter().map(|file| Arc::clone(&file.source)).collect();
            assert!(mended(again, None, Safety::Unsafe).files.is_empty(), "rules/{}.md", rule.id);
        }
    }
}

/// One layout: its name, the file's bytes, and what they become.
type Case = (&'static str, &'static [u8], &'static [u8]);

const LAYOUTS: &[Case] = &[
    (
        "long line ends",
        b"from shop.models import Job\r\n\r\n\r\nasync def f(db):\r\n    job = Job(state=\"new\")  # why\r\n    db.add(job)\r\n    await db.flush()\r\n",
        b"from datetime import datetime\r\n\r\nfrom shop.models import Job\r\n\r\n\r\nasync def f(db):\r\n    job = Job(state=\"new\")  # why\r\n    job.created_at = datetime.now()\r\n    job.updated_at = job.created_at\r\n    db.add(job)\r\n    await db.flush()\r\n",
    ),
    (
        "tabs, a decorator, a nested function and a comment between statements",
        b"from datetime import datetime\nfrom shop.models import Job\n\n\ndef outer(app):\n\t@app.post('/')\n\tasync def inner(db):\n\t\tjob = Job(state='new')\n\t\t# and now\n\t\tdb.add(job)\n\t\tawait db.flush()\n\treturn inner\n",
        b"from datetime import datetime\nfrom shop.models import Job\n\n\ndef outer(app):\n\t@app.post('/')\n\tasync def inner(db):\n\t\tjob = Job(state='new')\n\t\tjob.created_at = datetime.now()\n\t\tjob.updated_at = job.created_at\n\t\t# and now\n\t\tdb.add(job)\n\t\tawait db.flush()\n\treturn inner\n",
    ),
    (
        "a byte order mark, a description and no line end at the end",
        b"\xEF\xBB\xBF\"\"\"Jobs.\"\"\"\n\nimport shop.models as m\n\n\nasync def f(db):\n    db.add(m.Job(state='new'))\n    await db.flush()",
        b"\xEF\xBB\xBF\"\"\"Jobs.\"\"\"\n\nfrom datetime import datetime\n\nimport shop.models as m\n\n\nasync def f(db):\n    db.add(m.Job(state='new', created_at=datetime.now(), updated_at=datetime.now()))\n    await db.flush()",
    ),
    (
        "one-line suites and semicolons",
        b"from datetime import datetime\nfrom shop.models import Job\n\n\nasync def f(db, go):\n    if go: job = Job(state='new'); db.add(job); await db.flush()\n",
        b"from datetime import datetime\nfrom shop.models import Job\n\n\nasync def f(db, go):\n    if go: job = Job(state='new'); job.created_at = datetime.now(); job.updated_at = job.created_at; db.add(job); await db.flush()\n",
    ),
    (
        "a form feed and a call over several lines",
        b"from datetime import datetime\nfrom shop.models import Job\n\x0c\n\x0casync def f(db):\n    db.add(\n        Job(\n            state='new',\n        )\n    )\n    await db.flush()\n",
        b"from datetime import datetime\nfrom shop.models import Job\n\x0c\n\x0casync def f(db):\n    db.add(\n        Job(\n            state='new',\n            created_at=datetime.now(),\n            updated_at=datetime.now(),\n        )\n    )\n    await db.flush()\n",
    ),
    (
        "Latin-1",
        b"# coding: latin-1\nfrom datetime import datetime\nfrom shop.models import Job\n\n\nasync def f(db):\n    job = Job(state='n\xE9')\n    db.add(job)\n    await db.flush()\n",
        b"# coding: latin-1\nfrom datetime import datetime\nfrom shop.models import Job\n\n\nasync def f(db):\n    job = Job(state='n\xE9')\n    job.created_at = datetime.now()\n    job.updated_at = job.created_at\n    db.add(job)\n    await db.flush()\n",
    ),
    (
        "an import joins the line of its module, names in their order",
        b"from __future__ import annotations\nfrom sqlalchemy.exc import (\n    DataError,\n    OperationalError,  # rare\n)\n\n\nasync def f(db, log):\n    try:\n        await db.flush()\n    except (IntegrityError, DataError, OperationalError):\n        await db.rollback()\n        log.exception('no')\n        raise\n",
        b"from __future__ import annotations\nfrom sqlalchemy.exc import (\n    DataError,\n    IntegrityError,\n    OperationalError,  # rare\n)\n\n\nasync def f(db, log):\n    try:\n        await db.flush()\n    except (IntegrityError, DataError, OperationalError):\n        await db.rollback()\n        log.exception('no')\n        raise\n",
    ),
    (
        "an import stands behind the future and outside of what is for the type checker",
        b"\"\"\"Jobs.\"\"\"\nfrom __future__ import annotations\n\nfrom typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from sqlalchemy.exc import IntegrityError\n\n\nasync def f(db, log):\n    try:\n        await db.flush()\n    except IntegrityError:\n        await db.rollback()\n        log.exception('no')\n        raise\n",
        b"\"\"\"Jobs.\"\"\"\nfrom __future__ import annotations\n\nfrom typing import TYPE_CHECKING\n\nfrom sqlalchemy.exc import IntegrityError\n\nif TYPE_CHECKING:\n    from sqlalchemy.exc import IntegrityError\n\n\nasync def f(db, log):\n    try:\n        await db.flush()\n    except IntegrityError:\n        await db.rollback()\n        log.exception('no')\n        raise\n",
    ),
];

#[test]
fn a_fix_keeps_the_layout_of_the_file() {
    for (name, bytes, wanted) in LAYOUTS {
        let source = Source::decode(Path::new(EXAMPLE).into(), Language::Python, bytes).expect("text");
        let mut sources = modules("shop");
        sources.push(Arc::new(source));
        let mended = mended(sources, None, Safety::Unsafe);
        let [(_, new)] = &mended.files[..] else { panic!("{name}: one file changes: {:?}", mended.left) };
        let bytes = new.bytes().expect("it can be written");
        assert_eq!(String::from_utf8_lossy(&bytes), String::from_utf8_lossy(wanted), "{name}");
    }
}

#[test]
fn safe_fixes_leave_what_is_unsafe() {
    let code = "from datetime import datetime\nfrom shop.models import Job\n\n\nasync def f(db):\n    job = Job(state='new')\n    db.add(job)\n    await db.flush()\n";
    let mended = mended(with_package(code), None, Safety::Safe);
    assert!(mended.files.is_empty(), "a stamp without a sibling is unsafe");
    assert!(mended.left.iter().all(|left| left.why.contains("unsafe")), "{:?}", mended.left);
    assert_eq!(mended.left.len(), 2);
}

#[test]
fn of_a_suppression_goes_what_is_of_no_use() {
    let head = "from datetime import datetime\nfrom shop.models import Job\n\n\nasync def f(db):\n";
    for (comment, kept) in [
        ("  # trailcheck: ignore[hard-delete] reason=\"r\"", ""),
        ("  # noqa  # trailcheck: ignore[hard-delete] reason=\"r\"", "  # noqa"),
        ("  # trailcheck: ignore[hard-delete] reason=\"r\"  # noqa", "  # noqa"),
        (
            "  # trailcheck: ignore[hard-delete, missing-created-at] reason=\"r\"",
            "  # trailcheck: ignore[missing-created-at] reason=\"r\"",
        ),
    ] {
        let stamp = if kept.contains("missing") { "" } else { ", created_at=datetime.now()" };
        let call = format!("    db.add(Job(state='new', updated_at=datetime.now(){stamp}))");
        let sources = with_package(&format!("{head}{call}{comment}\n"));
        let mended = mended(sources.clone(), None, Safety::Safe);
        assert_eq!(texts(&sources, &mended)[EXAMPLE], format!("{head}{call}{kept}\n"));
    }
}

/// What the file of an example becomes under fixes of every kind.
fn fixed(code: &str) -> String {
    let sources = with_package(code);
    texts(&sources, &mended(sources.clone(), None, Safety::Unsafe))[EXAMPLE].clone()
}

#[test]
fn one_stamp_serves_all_branches_of_one_row_and_no_other() {
    let head =
        "from datetime import datetime\nfrom shop.models import Job\nfrom sqlalchemy import select\n\n\n";
    let one = format!(
        "{head}async def f(db, job_id, data):\n    job = await db.get(Job, job_id)\n    if not job:\n        return\n    for name, value in data.items():\n        setattr(job, name, value)\n    await db.commit()\n"
    );
    assert!(
        fixed(&one).contains("value)\n    job.updated_at = datetime.now()\n    await db.commit()\n"),
        "{}",
        fixed(&one)
    );
    let many = format!(
        "{head}async def f(db, urgent):\n    for job in (await db.scalars(select(Job))).all():\n        job.state = 'late'\n        if urgent:\n            job.runs = 2\n    await db.commit()\n"
    );
    let text = fixed(&many);
    assert!(text.contains("'late'\n        job.updated_at = datetime.now()\n"), "{text}");
    assert!(!text.contains("\n    job.updated_at"), "only the last row would be stamped: {text}");
    let perhaps = format!(
        "{head}async def f(db, job_id, urgent):\n    job = await db.get(Job, job_id)\n    if job:\n        if urgent:\n            job.state = 'urgent'\n        else:\n            job.state = 'late'\n    await db.commit()\n"
    );
    let text = fixed(&perhaps);
    assert!(!text.contains("\n    job.updated_at"), "a row that is not there cannot be stamped: {text}");
}
