//! lower/python/plain/tests: what is read as plain is the very tree that the grammar makes.

use std::path::Path;

use super::super::grammar;
use super::super::tree::{Node, Tree};
use super::parse;

/// How a tree is told apart from another: one line a node.
fn lines(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    let mut waiting: Vec<(usize, Node<'_>)> = tree.root().children().rev().map(|node| (0, node)).collect();
    while let Some((depth, node)) = waiting.pop() {
        found.push(format!("{:depth$}{node:?}", ""));
        waiting.extend(node.children().rev().map(|child| (depth + 1, child)));
    }
    found
}

/// Whether a text is plain; where it is, the grammar has to agree.
fn is_plain(text: &str) -> bool {
    let Some(plain) = parse(text) else { return false };
    let parsed = grammar::parse(text).expect("the grammar reads every text");
    assert!(!parsed.root_node().has_error(), "taken for plain, but broken:\n{text}");
    assert_eq!(lines(&plain), lines(&grammar::tree(&parsed)), "in:\n{text}");
    true
}

fn python_files() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let files = walkdir::WalkDir::new(folder).into_iter().flatten();
    let python = files.filter(|file| file.path().extension().is_some_and(|ending| ending == "py"));
    python.filter_map(|file| std::fs::read_to_string(file.path()).ok()).collect()
}

#[test]
fn almost_all_python_is_plain_and_means_what_the_grammar_says() {
    let files = python_files();
    let plain = files.iter().filter(|text| is_plain(text)).count();
    assert!(files.len() > 100 && plain * 100 >= files.len() * 95, "{plain} of {} are plain", files.len());
}

#[test]
fn broken_python_is_not_taken_for_plain() {
    // Every text with one line left out or cut short: most are broken, some are not.
    for text in python_files().iter().filter(|text| text.len() < 3000).take(25) {
        let all: Vec<&str> = text.split_inclusive('\n').collect();
        for at in 0..all.len() {
            let without = [&all[..at], &all[at + 1..]].concat().concat();
            is_plain(&without);
            let mut half = all[at].len() / 2;
            while !all[at].is_char_boundary(half) {
                half += 1;
            }
            is_plain(&[all[..at].concat().as_str(), &all[at][..half], &all[at + 1..].concat()].concat());
        }
    }
}

#[test]
fn each_form_is_read_as_the_grammar_reads_it() {
    let plain = [
        "x = a, b\nx = (a, b), c\na = b = c, d\na += b, c\n*a, b = c\n(a, b) = [c, d] = e\nx, = y\n",
        "f(*a, *b(c), *a.b, *a or b, **d, k=v)\n[*a, *b.c, d]\n{**a, 'b': c}\n{*a, b}\n",
        "x: List[int] | None = 1\nx: A | List[int]\nx: Callable[[int], List[a.B[c]]]\na.b: 'C' = 3\n",
        "def f(a, /, b: int = 1, *, c=2, **d: str) -> List[int]: pass\nasync def g[T](*a: T): pass\n",
        "try:\n    pass\nexcept A as e:  # one\n    pass\nexcept (A, B):\n    pass\nelse:\n    pass\nfinally:\n    x\n",
        "with (a, b as c):\n    pass\nwith (a):\n    pass\nwith a as (b, c), d.e() as f.g:\n    pass\n",
        "if a:\n    b\n    # of the block\n  # of neither\n# of the file\nelif c: d; e  # behind\nelse:\n    f\n# end",
        "class A:\n\n    # first\n    x = 1\n\n    def f(self):\n        return\n        # last\n\n    # after\ny\n",
        "for x in *a, b:\n\tpass\nelse:\n\tpass\nwhile not a == b and c or d: break\n",
        "-a ** -b ** c\nawait a ** b\na & b ^ c | d << 1\na is not b not in c\nnot a < b\n(x := a and b)\n",
        "[x for x, y in a or b if c and d async for e in f]\n{a: b for c in d}\nf(x for x in y)\n",
        "f'a{x!r:>{w}}b{y=}c{{d}}{a, b}' \"e\" rb'\\'' r'\\\\' '\\N{DASH}'\n'''a\\''' ''b'''\n'a\\\nb'\n",
        "from . import a\nfrom ..b.c import (d as e, f,)\nfrom x import *\nimport a.b as c, d\nfrom __future__ import g\n",
        "match x, y:\n    case A(b, c=[d, *_]) | None if e: pass\n    # c\n    case {'a': -1, **r} as f:\n        pass\ny\n",
        "type X[T] = List[T]\ntype = 3\nmatch = 3\nprint('a') % x, b\nlambda *a, b=1: (yield)\n",
        "a[b, c:d, :, ::2, ...]\na[b,]\n1_000 + 0xff + 1e5 + 1. + .5j\nx = \\\n  y\r\nraise A from b\ndel a, b[0]\n",
        "@a.b(c)\n# between\n@d\nclass A(B, k=v): pass\nassert a, b\nglobal c, d\nreturn a if b else c,\n",
    ];
    for text in plain {
        assert!(is_plain(text), "not plain:\n{text}");
    }
    let left_to_the_grammar = [
        "print a\n",
        "x = [*a.b]\n",
        "é = 1\n",
        "if a:\nb\n",
        "x = (y := a if b else c)\n",
        "`a`\n",
        "f(\n",
        "'a\n",
    ];
    for text in left_to_the_grammar {
        assert!(!is_plain(text), "plain:\n{text}");
    }
    assert!(!is_plain(&format!("x = {}1{}\n", "(".repeat(200), ")".repeat(200))));
}
