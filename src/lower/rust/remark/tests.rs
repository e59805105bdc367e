//! lower/rust/remark/tests: which code a comment speaks of.

use super::*;

/// What the comments of a text cover, the comment itself shown as `~`.
fn covers(text: &str) -> Vec<&str> {
    let found = remarks(text);
    found
        .iter()
        .map(|remark| if remark.covers == remark.span { "~" } else { &text[remark.covers.range()] })
        .collect()
}

#[test]
fn a_trailing_comment_speaks_of_its_statement() {
    let text = "fn f() {\n    a(); // trailcheck: 1\n    let x = S {\n        y: 1, // trailcheck: 2\n    };\n    \
                g(|z| { // trailcheck: 3\n        z();\n    }); // trailcheck: 4\n}\n";
    assert_eq!(
        covers(text),
        [
            "a();",
            "let x = S {\n        y: 1, // trailcheck: 2\n    };",
            "g(|z| ",
            "g(|z| { // trailcheck: 3\n        z();\n    });",
        ]
    );
}

#[test]
fn of_a_statement_with_blocks_the_head_is_meant() {
    let text = "fn f() {\n    if a { // trailcheck: 1\n        b();\n    } else if c { // trailcheck: 2\n        d();\n    \
                } else { // trailcheck: 3\n        e();\n    }\n    // trailcheck: 4\n    match g {\n        \
                A => h(), // trailcheck: 5\n        B if i => { // trailcheck: 6\n            j();\n        }\n    }\n}\n";
    assert_eq!(covers(text), ["if a ", "if c ", "else ", "match g ", "A => h()", "B if i => "]);
}

#[test]
fn a_comment_of_its_own_line_speaks_of_what_comes_next() {
    let text = "// trailcheck: 1\n\n#[derive(A)]\n/// B.\nstruct B {\n    // trailcheck: 2\n    a: X<Y, Z>,\n    \
                b: Y, // trailcheck: 3\n}\n\nimpl B {\n    // trailcheck: 4\n    // why\n    fn f(&self) {\n        \
                // trailcheck: 5\n        g()\n            // trailcheck: 6\n            .h();\n        // trailcheck: 7\n    \
                }\n}\n// trailcheck: 8\n";
    assert_eq!(
        covers(text),
        [
            &text[text.find("#[").expect("it is there")..text.find("\n\nimpl").expect("it is there")],
            "a: X<Y, Z>",
            "b: Y",
            &text[text.find("fn f").expect("it is there")
                ..text.find("\n}\n// trailcheck: 8").expect("it is there")],
            "g()\n            // trailcheck: 6\n            .h();",
            "g()\n            // trailcheck: 6\n            .h();",
            "~",
            "~",
        ]
    );
    let tops: Vec<bool> = remarks(text).iter().map(|remark| remark.at_top).collect();
    assert_eq!(tops, [true, false, false, false, false, false, false, false]);
}

#[test]
fn only_comments_hold_remarks_and_those_above_all_items_are_at_the_top() {
    let text = "//! trailcheck: 1\n#![allow(a)]\n/* trailcheck: 2 */\n/// trailcheck: 3\nfn f() { g(\"// trailcheck: 4\", \
                r#\"// trailcheck: 5\"#, '\"') /* trailcheck: 6 */ }\n";
    let found = remarks(text);
    let texts: Vec<(&str, bool)> = found.iter().map(|remark| (remark.text.as_str(), remark.at_top)).collect();
    assert_eq!(texts, [("/* trailcheck: 2 */", true), ("/* trailcheck: 6 */", false)]);
}

#[test]
fn line_ends_and_tabs_make_no_difference() {
    let text = "fn f() {\r\n\ta();\t// trailcheck: 1\r\n\t// trailcheck: 2\r\n\tb();\r\n}\r\n";
    assert_eq!(covers(text), ["a();", "b();"]);
    assert_eq!(remarks(text)[0].text, "// trailcheck: 1");
}

#[test]
fn text_that_cannot_be_parsed_has_remarks_too() {
    let text = "fn f( {\n    a(; // trailcheck: 1\n}}\n// trailcheck: 2\nlet x = 1;\n'";
    assert_eq!(remarks(text).len(), 2);
    let open = "{([// trailcheck: x\n".repeat(20_000);
    assert_eq!(remarks(&open).len(), 20_000);
    let closed = "}])// trailcheck: x\n".repeat(20_000);
    assert_eq!(remarks(&closed).len(), 20_000);
    let both = format!(
        "{}{}",
        "if a { f(|| { // trailcheck: x\n".repeat(5_000),
        "} ) } // trailcheck: x\n".repeat(5_000)
    );
    assert_eq!(remarks(&both).len(), 10_000);
}
