//! lower/rust/layout/tests: layouts of code in every form, held against the trees of a parser.

use std::collections::BTreeSet;
use std::ops::Range;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::*;

/// The statements, items and calls of a tree.
#[derive(Default)]
struct Tree {
    statements: BTreeSet<(usize, usize)>,
    calls: BTreeSet<(usize, usize)>,
    arms: BTreeSet<(usize, usize)>,
    macros: Vec<(usize, usize)>,
}

fn ends(range: Range<usize>) -> (usize, usize) {
    (range.start, range.end)
}

impl<'a> Visit<'a> for Tree {
    fn visit_block(&mut self, block: &'a syn::Block) {
        self.statements.extend(block.stmts.iter().map(|statement| ends(statement.span().byte_range())));
        visit::visit_block(self, block);
    }

    fn visit_file(&mut self, file: &'a syn::File) {
        self.statements.extend(file.items.iter().map(|item| ends(item.span().byte_range())));
        visit::visit_file(self, file);
    }

    fn visit_item_impl(&mut self, item: &'a syn::ItemImpl) {
        self.statements.extend(item.items.iter().map(|item| ends(item.span().byte_range())));
        visit::visit_item_impl(self, item);
    }

    fn visit_item_mod(&mut self, item: &'a syn::ItemMod) {
        let items = item.content.iter().flat_map(|(_, items)| items);
        self.statements.extend(items.map(|item| ends(item.span().byte_range())));
        visit::visit_item_mod(self, item);
    }

    fn visit_item_trait(&mut self, item: &'a syn::ItemTrait) {
        self.statements.extend(item.items.iter().map(|item| ends(item.span().byte_range())));
        visit::visit_item_trait(self, item);
    }

    fn visit_item_foreign_mod(&mut self, item: &'a syn::ItemForeignMod) {
        self.statements.extend(item.items.iter().map(|item| ends(item.span().byte_range())));
        visit::visit_item_foreign_mod(self, item);
    }

    fn visit_macro(&mut self, called: &'a syn::Macro) {
        self.macros.push(ends(called.span().byte_range()));
    }

    fn visit_arm(&mut self, arm: &'a syn::Arm) {
        let range = arm.span().byte_range();
        let comma = arm.comma.map_or(0, |_| 1);
        self.arms.insert((range.start, range.end - comma));
        visit::visit_arm(self, arm);
    }

    fn visit_expr(&mut self, expression: &'a syn::Expr) {
        let bare = match expression {
            syn::Expr::Call(call) => Some(call.span()),
            syn::Expr::MethodCall(call) => Some(call.span()),
            syn::Expr::Struct(literal) => Some(literal.span()),
            syn::Expr::Tuple(tuple) => Some(tuple.span()),
            _ => None,
        };
        self.calls.extend(bare.map(|span| ends(span.byte_range())));
        visit::visit_expr(self, expression);
    }
}

/// What the tree has and the layout has not, and what the layout has among its statements that the tree has not.
fn strange(text: &str) -> (Vec<String>, Vec<String>) {
    let file = syn::parse_file(text).expect("it parses");
    let mut tree = Tree::default();
    tree.visit_file(&file);
    let layout = layout(text);
    let shape = Shape::of(text);
    let span = |span: Span| (span.start as usize, span.end as usize);
    let statements: BTreeSet<_> = layout.statements.iter().map(|statement| span(statement.span)).collect();
    let brackets: BTreeSet<_> = layout.brackets.iter().map(|bracket| span(bracket.owner)).collect();
    let arms: BTreeSet<_> = shape.parts.iter().map(|part| span(part.span)).collect();
    let missing = [
        tree.statements.difference(&statements).collect::<Vec<_>>(),
        tree.calls.difference(&brackets).collect(),
        tree.arms.difference(&arms).collect(),
    ];
    let show = |&&(start, end): &&(usize, usize)| {
        let line = text[..start].matches('\n').count() + 1;
        format!("{line}: {}", &text[start..end])
    };
    // The tree knows nothing of what a macro holds, and has no statement in place of a block.
    let is_known = |&&(start, end): &&(usize, usize)| {
        let is_bare = shape.bare.iter().any(|(bare, _)| span(*bare) == (start, end));
        is_bare || tree.macros.iter().any(|(from, to)| *from <= start && end <= *to)
    };
    let more = statements.difference(&tree.statements).filter(|statement| !is_known(statement));
    (missing.concat().iter().map(show).collect(), more.collect::<Vec<_>>().iter().map(show).collect())
}

const CODE: &str = r##"#![allow(dead_code)]
//! A file.
use a::b::{c, d as e};
use sea_orm::Set;
pub(crate) mod inner { pub struct P; impl P { fn q(&self) {} } }

/// A row.
#[derive(Debug)]
pub struct Row<T: Into<Vec<u8>>> where T: Clone { pub id: HashMap<i32, T>, pub(crate) x: (A, B<C, D>) }
pub struct Pair(HashMap<A, B>, pub C);
enum E { A(HashMap<A, B>), B { x: B<C, D> }, C = 1 << 3, D }
const X: Point = Point { x: 1, y: 2 };
static Y: fn(A) -> B = f;
union U { a: u8, b: i8 }
extern "C" { fn g(a: i32) -> i32; }
macro_rules! m { ($a:expr, $b:ty) => { $a }; }
lazy! { static ref A: B = 1; }
m!(a, b);

impl<T: Fn(A) -> B> Trait<{ 1 }> for Row<Vec<T>> where T: Clone {
    const N: usize = { 3 };
    type Out = X;
    pub async fn f<F: Fn(A, B) -> C>(&self, a: HashMap<A, B>, b: F) -> Result<Vec<T>, E> where F: X<Y> {
        let Some(x) = a.get(1) else { return Err(E::A); };
        let S { p, q: Q { r, .. }, .. } = s;
        'outer: loop { break 'outer; }
        if let S { a, .. } = x && y < z { g(); } else if x == (S { a: 1 }) { h() } else { i(); }
        for S { a, b } in xs.iter().map(|S { a }| S { a }) { k(a, b); }
        for i in 0.. { n(i); }
        while let Some(v) = it.next() { v?; }
        match self.x.y(|v| { w(v) }, z) {
            S { a, b: 1..=2 } if a < b && c.any(|x| x > 1) => f(a),
            | A | B => if a { b } else { c },
            C(x) => { x; }
            D => match x { 1 => 2, _ => 3 }
            E { .. } => S { a, ..b },
            _ => return,
        }
        .foo();
        unsafe { f() };
        unsafe { f() }
        { let y = 1; }
        let z = f(|x| -> Result<A, B> { Ok(x) }, |a, b: B<C, D>| a + b, 1 << 3, a < b, c > d);
        let w = <T as Into<Vec<u8>>>::into(x).f::<A, B>(1, |_| 2);
        let v = vec![1, 2]; let u = [0; 4];
        tokio::select! { a = b => { c(); d() } _ = e => f(g), }
        row.state = Set(match x { A => 1, B => 2 });
        x = if a { S { b: 1 } } else { S { b: 2 } };
        async move { f().await? }.await;
        let f = async || { g() };
        #[cfg(test)]
        let t = a as usize >> 2 | b;
        return if x { Ok(-(1)) } else { Err(!f(x)) };
    }
}
fn never() -> ! { loop {} }
pub unsafe extern "C" fn ext(x: *const u8) -> impl Fn(A) -> B + 'static { move |a| a.b.0.1.c(d)[e](f)?.g }
"##;

#[test]
fn every_statement_call_and_arm_of_the_tree_is_laid_out() {
    let (missing, more) = strange(CODE);
    assert_eq!((missing, more), (Vec::new(), Vec::new()));
    for text in [CODE.replace('\n', "\r\n"), CODE.replace("    ", "\t"), CODE.replace(' ', "  ")] {
        assert_eq!(strange(&text).0, Vec::<String>::new());
    }
}

#[test]
fn the_code_of_this_room_is_laid_out_as_its_tree_says() {
    let sources = [
        include_str!("../layout.rs"),
        include_str!("../shape.rs"),
        include_str!("../shape/part.rs"),
        include_str!("../remark.rs"),
        include_str!("../../../token.rs"),
        include_str!("tests.rs"),
    ];
    for text in sources {
        assert_eq!(strange(text), (Vec::new(), Vec::new()));
    }
}
