//! lower/rust/shape/tests: what stands between the brackets of a text.

use super::*;

/// What the brackets hold that open with a brace, in their order.
fn braces(text: &str) -> Vec<Holds> {
    let shape = Shape::of(text);
    let is_brace = |group: &&Group| text[group.span.range()].starts_with('{');
    shape.groups.iter().skip(1).filter(is_brace).map(|group| group.holds).collect()
}

#[test]
fn a_brace_is_what_waits_for_it() {
    use Holds::{Anything, Arms, Fields, Literal, Statements};
    let cases: &[(&str, &[Holds])] = &[
        ("use a::{b, c::{d}};", &[Literal, Literal]),
        ("struct A { b: C }", &[Fields]),
        ("enum A { B { c: D } }", &[Fields, Fields]),
        ("fn f() -> A<{ 1 }, { 2 }> where B: C {}", &[Statements, Statements, Statements]),
        ("const A: B = B { c: 1 };", &[Literal]),
        ("m! { a }", &[Anything]),
        ("fn f() { if a == b { c } }", &[Statements, Statements]),
        (
            "fn f() { match a { A { b } => C { d }, E => {} } }",
            &[Statements, Arms, Literal, Literal, Statements],
        ),
        ("fn f() { if let A { b } = c { d } }", &[Statements, Literal, Statements]),
        (
            "fn f() { let a = if b { C { d } } else { E { f } }; }",
            &[Statements, Statements, Literal, Statements, Literal],
        ),
        ("fn f() { g(|A { b }| -> C { d }, E { f }) }", &[Statements, Literal, Statements, Literal]),
    ];
    for (text, wanted) in cases {
        assert_eq!(braces(text), *wanted, "{text}");
    }
}

#[test]
fn brackets_that_nothing_opens_or_closes_do_no_harm() {
    for text in
        ["}", "fn f() { ( }", "fn f() { ) }", "a! { { ( ] }", "fn f<(", "|", "'a: {", "#[", "#![", "use {"]
    {
        let shape = Shape::of(text);
        assert!(shape.parts.iter().all(|part| part.span.start <= part.span.end), "{text}");
    }
    let deep = Shape::of(&"fn f() { g(|x| [S { a: ".repeat(50_000));
    assert_eq!(deep.groups.len(), 1 + 5 * 50_000);
    assert_eq!(Shape::of(&"a = b => c |d| ".repeat(50_000)).groups.len(), 1);
}
