//! lower/rust/literal: texts that macros put together when the program is built.

use syn::punctuated::Punctuated;
use syn::{Expr, Lit, Macro, Token};

/// The text that `concat!("a", "b")`, `stringify!(a)` or `indoc!("…")` stands for.
pub(super) fn concatenated(call: &Macro) -> Option<String> {
    let last = call.path.segments.last()?.ident.to_string();
    if !matches!(&*last, "concat" | "indoc" | "formatdoc" | "trim_text") {
        return None;
    }
    let parts = call.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated).ok()?;
    parts.iter().map(text).collect()
}

/// The text of a literal, or of literals that a macro joins.
pub(super) fn text(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Lit(lit) => match &lit.lit {
            Lit::Str(text) => Some(text.value()),
            Lit::Int(number) => Some(number.to_string()),
            _ => None,
        },
        Expr::Macro(call) => concatenated(&call.mac),
        Expr::Group(group) => text(&group.expr),
        Expr::Paren(paren) => text(&paren.expr),
        _ => None,
    }
}
