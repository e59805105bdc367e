//! hostile: texts that nobody writes by hand, run through the program: it ends in time, and what it did not
//! understand it says.
//!
//! The texts are made here, since they are large and say little. None of them may crash the program, overflow a
//! stack or hang; where code nests deeper than the program goes, a gap has to tell.

use std::fs::{self, File};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// What a run may take, in a debug build on a busy machine.
const LIMIT: Duration = Duration::from_secs(40);

/// How a gap begins that tells of code which nests too deep.
const TOO_DEEP: &str = "nested deeper than";

/// A run that ended as it should.
struct Run {
    report: serde_json::Value,
}

impl Run {
    fn gaps(&self) -> Vec<&str> {
        let gaps = self.report["gaps"].as_array().expect("the report has gaps");
        gaps.iter().map(|gap| gap["reason"].as_str().expect("a gap has a reason")).collect()
    }

    fn says(&self, reason: &str) -> bool {
        self.gaps().iter().any(|gap| gap.contains(reason))
    }

    fn is_understood(&self) -> bool {
        self.gaps().is_empty()
    }

    fn findings(&self) -> Vec<(String, u64)> {
        let files = self.report["files"].as_array().expect("the report has files");
        let findings = files.iter().flat_map(|file| file["findings"].as_array().expect("findings"));
        findings
            .map(|finding| {
                let rule = finding["rule"].as_str().expect("a rule").to_owned();
                (rule, finding["location"]["line"].as_u64().expect("a line"))
            })
            .collect()
    }
}

/// Runs the program over one file of that text.
fn check(text: impl AsRef<[u8]>) -> Run {
    check_all(&[("orders.py", text.as_ref())])
}

/// Runs the program over files, and insists that it ends in time and in order.
fn check_all(files: &[(&str, &[u8])]) -> Run {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("a file can be written");
    }
    // Files, not pipes: a pipe that nobody empties would stop the program.
    let (out, err) = (folder.path().join("out"), folder.path().join("err"));
    let started = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_trailcheck"))
        .current_dir(folder.path())
        .args(["check", "--isolated", "--format", "json", "."])
        .stdin(Stdio::null())
        .stdout(File::create(&out).expect("a file can be made"))
        .stderr(File::create(&err).expect("a file can be made"))
        .spawn()
        .expect("the program starts");
    let status = loop {
        if let Some(status) = child.try_wait().expect("the program can be waited for") {
            break status;
        }
        if started.elapsed() > LIMIT {
            child.kill().expect("the program can be stopped");
            child.wait().expect("the program can be waited for");
            panic!("still running after {LIMIT:?}");
        }
        thread::sleep(Duration::from_millis(5));
    };
    let said = String::from_utf8_lossy(&fs::read(&err).expect("what it said")).into_owned();
    let head: String = said.chars().take(600).collect();
    assert!(matches!(status.code(), Some(0 | 1 | 3)), "ended with {status}: {head}");
    assert!(!said.contains("panicked") && !said.contains("overflowed"), "{head}");
    let report = serde_json::from_slice(&fs::read(&out).expect("the report")).expect("the report is JSON");
    Run { report }
}

fn repeated(count: usize, each: impl Fn(usize) -> String) -> String {
    (0..count).map(each).collect()
}

/// `open` as often as `close`, around something.
fn around(count: usize, open: &str, inner: &str, close: &str) -> String {
    open.repeat(count) + inner + &close.repeat(count)
}

/// Lines that nest, each one level deeper than the last.
fn staircase(depth: usize, step: impl Fn(usize) -> String, bottom: &str) -> String {
    let line = |level: usize, text: &str| format!("{}{text}\n", " ".repeat(level));
    let mut text: String = (0..depth).map(|level| line(level, &step(level))).collect();
    text.push_str(&line(depth, bottom));
    text
}

// Depth.

#[test]
fn brackets_of_every_kind_may_nest() {
    for (open, close) in [("(", ")"), ("[", "]"), ("{'a': ", "}"), ("f(", ")"), ("a[", "]"), ("{*", "}")] {
        let run = check(format!("x = {}\n", around(10_000, open, "1", close)));
        let is_plain = open == "(";
        assert!(run.says(TOO_DEEP) || (is_plain && run.is_understood()), "{open}: {:?}", run.gaps());
    }
}

#[test]
fn brackets_that_are_never_closed_are_a_syntax_error() {
    for bracket in ["(", "[", "{", "f("] {
        let run = check(format!("x = {}", bracket.repeat(10_000)));
        assert!(run.says("syntax error"), "{bracket}: {:?}", run.gaps());
    }
}

#[test]
fn operators_may_nest_to_the_right() {
    for open in ["not ", "-", "lambda: ", "1 if x else ", "x ** ", "await "] {
        let run = check(format!("async def f(x):\n    return {}x\n", open.repeat(5_000)));
        // The body of a lambda waits for its turn like that of a function, and one `await` after another is one chain.
        let is_flat = ["lambda: ", "await "].contains(&open);
        let is_as_it_should = if is_flat { run.is_understood() } else { run.says(TOO_DEEP) };
        assert!(is_as_it_should, "{open}: {:?}", run.gaps());
    }
}

#[test]
fn strings_may_nest_in_strings() {
    let run = check(format!("x = {}\n", around(5_000, "f\"{", "1", "}\"")));
    assert!(run.says(TOO_DEEP) || run.says("syntax error"), "{:?}", run.gaps());
}

#[test]
fn statements_may_nest() {
    let heads: [&dyn Fn(usize) -> String; 8] = [
        &|_| "if x:".into(),
        &|level| format!("def f{level}(x):"),
        &|level| format!("class C{level}:"),
        &|_| "for x in x:".into(),
        &|_| "while x:".into(),
        &|_| "with x as x:".into(),
        &|level| if level % 2 == 0 { "match x:".into() } else { "case 1:".into() },
        &|level| if level % 2 == 0 { "def f():".into() } else { "if x:".into() },
    ];
    for head in heads {
        let run = check(staircase(300, head, "x = 1"));
        let is_queued = head(0).starts_with("def f0") || head(0).starts_with("class");
        // Definitions are lowered one after the other and may nest as deep as they like.
        assert_eq!(run.says(TOO_DEEP), !is_queued && head(1) != "if x:" || head(0) == "if x:", "{}", head(0));
    }
}

#[test]
fn ten_thousand_conditions_may_nest() {
    // A staircase of that depth is 50 MB of blanks; tabs and a depth below it do the same to the parser.
    let run = check(staircase(3_000, |_| "if x:".into(), "x = 1"));
    assert!(!run.is_understood());
}

#[test]
fn tries_may_nest_with_ways_out_through_each() {
    let mut text = String::from("def f(x):\n");
    for level in 1..=40 {
        text += &format!("{}try:\n", " ".repeat(level));
    }
    text += &format!("{}return x\n", " ".repeat(41));
    for level in (1..=40).rev() {
        let blanks = " ".repeat(level);
        text += &format!("{blanks}finally:\n{blanks} return {level}\n");
    }
    assert!(check(text).says("too many ways out"));
}

#[test]
fn ways_out_of_tries_may_fork_in_each() {
    let mut text = String::from("def f(x):\n");
    for level in 1..=40 {
        text += &format!("{}try:\n", " ".repeat(level));
    }
    text += &format!("{}return x\n", " ".repeat(41));
    for level in (1..=40).rev() {
        let blanks = " ".repeat(level);
        text += &format!("{blanks}finally:\n{blanks} if x: return {level}\n");
    }
    check(text);
}

#[test]
fn a_finally_may_hold_tries_of_its_own() {
    let mut text = String::from("def f(x):\n");
    for level in 1..=40 {
        let blanks = " ".repeat(level);
        text += &format!("{blanks}try:\n{blanks} return x\n{blanks}finally:\n");
    }
    text += &format!("{}x = 1\n", " ".repeat(41));
    assert!(check(text).says("too many ways out"));
}

// Length.

#[test]
fn chains_may_be_long() {
    let texts = [
        format!("x = a{}\n", " + b".repeat(10_000)),
        format!("x = a{}\n", ".b()".repeat(10_000)),
        format!("x = a{}\n", ".b".repeat(10_000)),
        format!("x = a{}\n", "[0]".repeat(10_000)),
        format!("x = a{}\n", " and y or z".repeat(3_000)),
        format!("x = a{}\n", " < b".repeat(10_000)),
        format!("if a{}:\n    x = 1\n", " and y or z".repeat(3_000)),
        format!("x = {}\n", "'a' ".repeat(10_000)),
        format!("x = [{}]\n", "1, ".repeat(10_000)),
        format!("x = f({})\n", "k=1, ".repeat(10_000)),
        format!("x = [1{}]\n", " for x in y if z".repeat(3_000)),
    ];
    for text in texts {
        let run = check(&text);
        assert!(run.is_understood(), "{:.40}: {:?}", text, run.gaps());
    }
}

#[test]
fn assignments_may_be_chained() {
    let run = check(format!("x = {}1\n", "a = ".repeat(10_000)));
    assert!(run.says(TOO_DEEP), "{:?}", run.gaps());
}

#[test]
fn clauses_may_be_many() {
    let texts = [
        format!("if x:\n    y = 0\n{}", repeated(10_000, |n| format!("elif x == {n}:\n    y = {n}\n"))),
        format!("try:\n    x()\n{}", repeated(3_000, |n| format!("except E{n}:\n    y = {n}\n"))),
        format!("match x:\n{}", repeated(3_000, |n| format!("    case {n} if y:\n        y = {n}\n"))),
        format!("{}def f(): ...\n", repeated(10_000, |n| format!("@d{n}\n"))),
        format!("{}class C: ...\n", repeated(10_000, |n| format!("@d{n}(x)\n"))),
        format!("def f({}): ...\n", repeated(500, |n| format!("p{n}=None, "))),
        format!("class C({}): ...\n", repeated(500, |n| format!("B{n}, "))),
        format!("from a import ({})\n", repeated(10_000, |n| format!("n{n}, "))),
        repeated(10_000, |n| format!("x{n} = f(x{n})\n")),
        "x = 1; ".repeat(10_000),
        format!("with {}a:\n    pass\n", repeated(100, |n| format!("a as b{n}, "))),
    ];
    for text in texts {
        let run = check(&text);
        assert!(run.is_understood(), "{:.40}: {:?}", text, run.gaps());
    }
}

#[test]
fn a_line_may_be_as_long_as_a_large_file() {
    let run = check(format!("x = '{}'\n", "a".repeat(20 << 20)));
    assert!(run.gaps().len() <= 1, "{:?}", run.gaps());
}

// Circles.

#[test]
fn classes_may_inherit_in_circles() {
    let run = check(
        "class A(B):\n    def f(self): return self.g()\n\
         class B(A):\n    def g(self): return self.f()\n\
         class C(C):\n    def f(self): return super().f()\n\
         A().f(); B().g(); C().f(); C.x.y\n",
    );
    assert!(run.is_understood(), "{:?}", run.gaps());
}

#[test]
fn modules_may_import_in_circles() {
    let run = check_all(&[
        ("a.py", b"from b import *\nimport b\n__all__ = b.__all__ + ['x']\n__all__ += __all__\nx = y\nx()\n"),
        ("b.py", b"from a import *\nimport a\n__all__ = a.__all__ + ['y']\ny = x\ny()\n"),
        (
            "c.py",
            b"from c import *\nfrom c import z as w\nimport c\n__all__ = c.__all__\nw = c.w\nw()\nz()\n",
        ),
        ("d.py", b"from e import q as r\nr()\n"),
        ("e.py", b"from d import r as q\nq()\n"),
    ]);
    assert!(!run.says("still changing"), "{:?}", run.gaps());
}

#[test]
fn functions_may_call_themselves() {
    let texts = [
        "def f(x): return f(x.a)\ndef g(x): return h(x.b)\ndef h(x): return g(x.c)\nf(1); g(2)\n",
        "def f(f=f): return f(f)\nf()\n",
        "def f(x): return [f(x)]\ndef g(*a, **k): return g(*a, *a, **k, x=k)\nf(f); g(g)\n",
        "def f(x):\n    def f(y): return f(x)\n    return f(f)\nf(f)\n",
        "f = lambda x: x(x)\nf(f)\n",
        "def y(f): return (lambda x: f(lambda v: x(x)(v)))(lambda x: f(lambda v: x(x)(v)))\ny(y)\n",
        "class A:\n    def __init__(self): self.a = A()\n    def f(self): return self.a.f().a.f()\nA().f()\n",
        "class A:\n    def f(self): self.f = self.f(); return self.f\nA().f()\n",
    ];
    for text in texts {
        check(text);
    }
}

#[test]
fn a_function_may_call_itself_with_rows() {
    let run = check(
        "from sqlalchemy.orm import DeclarativeBase, Mapped\n\
         from datetime import datetime\n\
         class Base(DeclarativeBase): ...\n\
         class Order(Base):\n    __tablename__ = 'orders'\n    created_at: Mapped[datetime]\n\n\
         def make(db, depth, row=None):\n    \
         row = Order(number=depth)\n    \
         db.add(row)\n    \
         return make(db, depth - 1, make(db, depth, row))\n",
    );
    // The constructor stands on line 9.
    assert_eq!(run.findings(), [("missing-created-at".to_owned(), 9)]);
}

#[test]
fn values_may_grow_in_loops() {
    let bodies = [
        "x = [x]",
        "x = x.y",
        "x = x()",
        "x = x[x]",
        "x = {x: x}",
        "x = f'{x}{x}'",
        "x = lambda: x",
        "x = (x, y); y = (y, x)",
        "x.a = x; x = x.a.a",
        "x = f(x); y = f(y, x)",
        "x, y = y, [x]",
        "x = x if x else [x.a]",
        "x += x.a",
        "x.a.b.c = x; x = x.a.b",
    ];
    for body in bodies {
        let lines = body.replace("; ", "\n            ");
        check(format!(
            "def f(x, y=None):\n    for _ in range(9):\n        while x:\n            {lines}\n    return x\nf(f)\n"
        ));
    }
}

#[test]
fn values_may_double_without_a_loop() {
    let doubling = repeated(200, |n| format!("    x{} = (x{n}, x{n})\n", n + 1));
    check(format!("def f(x0):\n{doubling}    return x200\n"));
    let branching = repeated(200, |n| format!("    if a{n}: x = x.b{n}\n    else: x = x.c{n}\n"));
    check(format!("def f(x):\n{branching}    return x\n"));
    let calling = repeated(200, |n| format!("def f{}(x): return f{n}(f{n}(x))\n", n + 1));
    check(format!("def f0(x): return x.a\n{calling}f200(1)\n"));
}

#[test]
fn many_functions_may_call_each_other_in_a_ring() {
    let count = 2_000;
    check(repeated(count, |n| format!("def f{n}(x): return f{}(x.a)\n", (n + 1) % count)));
}

#[test]
fn many_functions_may_call_each_other_with_rows() {
    let ring = repeated(300, |n| {
        format!(
            "def f{n}(db, row):\n    row.number = {n}\n    f{}(db, row)\n    f{}(db, row)\n",
            (n + 1) % 300,
            n / 2
        )
    });
    let run = check(format!(
        "from sqlalchemy.orm import DeclarativeBase, Mapped\n\
         from datetime import datetime\n\
         class Base(DeclarativeBase): ...\n\
         class Order(Base):\n    __tablename__ = 'orders'\n    updated_at: Mapped[datetime]\n\n\
         {ring}\ndef g(db):\n    f0(db, db.get(Order, 1))\n"
    ));
    assert!(!run.findings().is_empty() || !run.is_understood());
}

// Texts that are hardly code.

#[test]
fn a_file_may_say_nothing() {
    for text in ["", "\u{feff}", "\n\n\n", "# only\n# comments", "\\", "\u{c}", "'''", "#", "\r", "\t", ";"] {
        check(text);
    }
    check("# a comment\n".repeat(100_000));
    check(" ".repeat(1 << 20));
    check("\n".repeat(1 << 20));
}

#[test]
fn a_file_may_hold_any_characters() {
    check("класс = 'ряд'\ndef función(größe: 'Größe', 名前=名前): return größe.名前\nfunción(класс)\n");
    check("x = '\\ud800\\udfff'\ny = b'\\xff'\nz = '\\N{SNOWMAN}'\n");
    check("x = '\u{202e}\u{200b}\u{1f600}\u{10ffff}'  # \u{85}\u{2028}\n\u{a0}y = 1\n");
    let run = check(b"x = '\xed\xa0\x80'\n");
    assert!(!run.is_understood(), "a surrogate is no UTF-8");
    let run = check((0..=255).collect::<Vec<u8>>());
    assert!(!run.is_understood(), "a NUL is no text");
}

#[test]
fn a_file_may_be_no_python() {
    for text in
        ["<?xml?><a b='c'/>", "{\"a\": [1, 2]}", "def def def (((", "]]]]}}}})))", ":::::", "@@@@", "%!PS"]
    {
        check(text.repeat(100));
    }
    let run = check("def f(:\n".repeat(5_000));
    assert!(run.says("syntax error"));
}

#[test]
fn comments_that_speak_to_the_program_may_be_many() {
    check("# trailcheck: ignore[missing-created-at] reason=\"x\"\n".repeat(5_000));
    check("x = 1  # trailcheck: ignore[missing-created-at] reason=\"x\"\n".repeat(5_000));
    check(format!("# trailcheck: ignore[{}]\n", "missing-created-at, ".repeat(5_000)));
    check(format!("# {}\n", "trailcheck: ".repeat(10_000)));
}

#[test]
fn an_intact_function_of_a_broken_file_is_still_checked() {
    let run = check(
        "from sqlalchemy import Column, DateTime, Integer\n\
         from sqlalchemy.orm import declarative_base\n\n\
         Base = declarative_base()\n\n\n\
         class Row(Base):\n    __tablename__ = \"rows\"\n    id = Column(Integer, primary_key=True)\n    \
         updated_at = Column(DateTime)\n    n = Column(Integer)\n\n\n\
         def change(session, key):\n    row = session.get(Row, key)\n    row.n = 1\n    session.commit()\n\n\n\
         def broken(:\n    return (\n",
    );
    assert!(run.says("syntax error"), "{:?}", run.gaps());
    assert_eq!(run.findings(), [("missing-updated-at".to_owned(), 16)]);
}
