//! hostile: input made to break a reader: deep, long, circular. It ends in time, without a panic, and says its gaps.

use std::fs;
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

/// How long one file may take, in a debug build on a busy machine.
const LIMIT: Duration = Duration::from_secs(40);

fn check(name: &str, text: &str) -> Output {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("hostile.py"), text).expect("the file is written");
    let mut child = Command::new(env!("CARGO_BIN_EXE_trailcheck"))
        .current_dir(folder.path())
        .args(["check", "--isolated", "--format", "concise", "hostile.py"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the program starts");
    let started = Instant::now();
    while child.try_wait().expect("the program can be waited for").is_none() {
        if started.elapsed() > LIMIT {
            child.kill().expect("the program can be ended");
            panic!("{name}: still running after {LIMIT:?}");
        }
        thread::sleep(Duration::from_millis(10));
    }
    let output = child.wait_with_output().expect("the program has ended");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{name}: {:?}\n{stderr}", output.status);
    assert!(!stderr.contains("panicked"), "{name}: {stderr}");
    output
}

fn says_gap(output: &Output) -> bool {
    let stderr = String::from_utf8_lossy(&output.stderr);
    stderr.contains("nested deeper than") || stderr.contains("syntax error")
}

#[test]
fn what_nests_too_deep_is_a_gap() {
    let deep = 10_000;
    let mut ifs = String::new();
    for level in 0..400 {
        ifs += &format!("{}if x:\n", " ".repeat(level));
    }
    ifs += &format!("{}pass\n", " ".repeat(400));
    let cases = [
        ("lists", format!("x = {}{}\n", "[".repeat(deep), "]".repeat(deep))),
        ("ifs", ifs),
        ("calls", format!("x = {}1{}\n", "f(".repeat(deep), ")".repeat(deep))),
        ("lambdas", format!("x = {}1\n", "lambda: (".repeat(500) + &")".repeat(0))),
        ("nots", format!("if {}x:\n    pass\n", "not ".repeat(deep))),
        ("dictionaries", format!("x = {}1{}\n", "{1: ".repeat(deep), "}".repeat(deep))),
    ];
    for (name, text) in cases {
        let output = check(name, &text);
        assert!(says_gap(&output), "{name}: nothing was said");
    }
}

#[test]
fn what_is_only_long_is_read() {
    let long = 10_000;
    let ring: String =
        (0..2_000).map(|n| format!("def f{n}(x):\n    return f{}(x.a)\n\n", (n + 1) % 2_000)).collect();
    let elifs: String = (0..long).map(|n| format!("elif x == {n}:\n    y = {n}\n")).collect();
    let cases = [
        ("brackets", format!("x = {}1{}\n", "(".repeat(long), ")".repeat(long))),
        ("sum", format!("x = {}1\n", "a + ".repeat(long))),
        ("chain", format!("x = a{}\n", ".b()".repeat(long))),
        ("elifs", format!("if x:\n    pass\n{elifs}")),
        ("conditions", format!("if {}z:\n    pass\n", "x and y or ".repeat(1_000))),
        ("line", format!("x = '{}'\n", "a".repeat(20 << 20))),
        ("decorators", format!("{}def f():\n    pass\n", "@d\n".repeat(long))),
        ("ring", ring),
        ("comments", "# nothing here\n".repeat(long)),
    ];
    for (name, text) in cases {
        check(name, &text);
    }
}

#[test]
fn what_goes_in_circles_ends() {
    let finally: String = (0..40).map(|level| format!("{}try:\n", " ".repeat(level + 1))).collect();
    let closing: String = (0..40)
        .rev()
        .map(|level| format!("{0}finally:\n{0} if x: return {level}\n", " ".repeat(level + 1)))
        .collect();
    let cases = [
        ("bases", "class A(B):\n    pass\n\nclass B(A):\n    pass\n\nclass C(C):\n    pass\n".to_owned()),
        (
            "wrapping",
            "def f(x):\n    while x:\n        x = [x]\n        x = x.y\n        x = (x, x)\n    return x\n"
                .into(),
        ),
        ("recursion", "def f(x):\n    return g(x.a)\n\ndef g(x):\n    return [f(x.b), f]\n".into()),
        ("default", "def f(f=f):\n    return f(f)\n".into()),
        ("star", "from hostile import *\n__all__ = []\n__all__ += hostile.__all__\nx = unknown\n".into()),
        ("finally", format!("def f(x):\n{finally}{}return 1\n{closing}", " ".repeat(41))),
        ("alias", "A = A\nB = C\nC = B\ndef f(x: B) -> C:\n    return x.y\n".into()),
    ];
    for (name, text) in cases {
        check(name, &text);
    }
}

#[test]
fn an_intact_function_of_a_broken_file_is_still_checked() {
    let model = "from sqlalchemy import Column, DateTime, Integer\nfrom sqlalchemy.orm import declarative_base\n\n\
                 Base = declarative_base()\n\n\nclass Row(Base):\n    __tablename__ = \"rows\"\n    \
                 id = Column(Integer, primary_key=True)\n    updated_at = Column(DateTime)\n    n = Column(Integer)\n\n\n";
    let intact = "def change(session, key):\n    row = session.get(Row, key)\n    row.n = 1\n    session.commit()\n\n\n";
    let broken = "def broken(:\n    return (\n";
    let output = check("broken", &format!("{model}{intact}{broken}"));
    assert!(says_gap(&output), "the syntax error is said");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(stdout.contains("missing-updated-at"), "the intact function is checked: {stdout}");
}
