//! cmd: the command line, as transcripts in `cmd/`. They hold for any set of rules: no code in them writes a row.

use std::process::{Command, Stdio};

#[test]
fn transcripts_hold() {
    trycmd::TestCases::new()
        .env("LC_ALL", "C.UTF-8")
        .env("NO_COLOR", "1")
        .env("COLUMNS", "100")
        .env("SOURCE_DATE_EPOCH", "1767225600")
        .case("tests/cmd/*.md")
        .case("tests/cmd/*.toml");
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_trailcheck"))
        .args(["explain", "hard-delete"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("the program ends");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn the_summary_is_added_to_the_page_of_the_step() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let page = folder.path().join("page.md");
    std::fs::write(&page, "what was there\n").expect("a file can be written");
    let run = |page: &std::path::Path, format: &str| {
        Command::new(env!("CARGO_BIN_EXE_trailcheck"))
            .args(["check", "--format", format, "tests/cmd/baseline.in/app"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("GITHUB_STEP_SUMMARY", page)
            .output()
            .expect("the program runs")
    };
    assert_eq!(run(&page, "json").status.code(), Some(1));
    let text = || std::fs::read_to_string(&page).expect("the page is there");
    assert_eq!(text(), "what was there\n", "only the format for GitHub writes there");
    assert_eq!(run(&page, "github").status.code(), Some(1));
    let written = text();
    assert!(written.starts_with("what was there\n## trailcheck\n\n1 error, 0 reviews"), "{written}");
    assert!(
        written.contains("| error | `unimported-exception` | tests/cmd/baseline.in/app/save.py:11 |"),
        "{written}"
    );
    // A full page takes nothing more, and one that cannot be written changes nothing but what is said.
    std::fs::write(&page, "x".repeat(1 << 20)).expect("a file can be written");
    run(&page, "github");
    assert_eq!(text().len(), 1 << 20);
    let output = run(folder.path(), "github");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write the step summary"));
}
