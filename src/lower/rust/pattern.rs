//! lower/rust/pattern: patterns: which names they bind to which part of a value.

use syn::Pat;

use crate::facts::{StepId, StepKind};
use crate::name::Name;

use super::body::Body;
use super::{name, span, term};

/// What a pattern asks of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asks {
    /// Nothing: it takes all.
    Nothing,
    /// That it is there: `Some(…)`.
    There,
    /// That it is not: `None`.
    Missing,
    /// That it is the result of something that went well: `Ok(…)`.
    Well,
    /// That it is an error: `Err(…)`.
    Failed,
    /// Something else.
    Other,
}

/// What a pattern asks for at its outermost.
pub(super) fn asks(pattern: &Pat) -> Asks {
    let by_name = |path: &syn::Path| match path.segments.last().map(|last| last.ident.to_string()).as_deref()
    {
        Some("Some") => Asks::There,
        Some("None") => Asks::Missing,
        Some("Ok") => Asks::Well,
        Some("Err") => Asks::Failed,
        _ => Asks::Other,
    };
    match pattern {
        Pat::Wild(_) | Pat::Rest(_) => Asks::Nothing,
        Pat::Ident(ident) if ident.subpat.is_some() => Asks::Other,
        Pat::Ident(ident) if ident.ident == "None" => Asks::Missing,
        Pat::Ident(_) => Asks::Nothing,
        Pat::Paren(paren) => asks(&paren.pat),
        Pat::Reference(reference) => asks(&reference.pat),
        Pat::Type(typed) => asks(&typed.pat),
        Pat::TupleStruct(tuple) => by_name(&tuple.path),
        Pat::Path(path) => by_name(&path.path),
        _ => Asks::Other,
    }
}

/// What stands in `Some(…)`, `Ok(…)` or `Err(…)`.
pub(super) fn held(pattern: &Pat) -> Option<&Pat> {
    match pattern {
        Pat::TupleStruct(tuple) if tuple.elems.len() == 1 => tuple.elems.first(),
        Pat::Paren(paren) => held(&paren.pat),
        Pat::Reference(reference) => held(&reference.pat),
        _ => None,
    }
}

impl<'f> Body<'_, '_, 'f> {
    /// Binds the names of a pattern to the parts of a value.
    pub(super) fn take_apart(&mut self, pattern: &'f Pat, value: StepId) {
        let at = span(pattern);
        match pattern {
            Pat::Ident(ident) => {
                if ident.ident == "None" {
                    return;
                }
                self.bind(name(&ident.ident), value, None, span(&ident.ident));
                if let Some((_, inner)) = &ident.subpat {
                    self.take_inner(inner, value);
                }
            }
            Pat::Type(typed) => match &*typed.pat {
                Pat::Ident(ident) => {
                    let annotation = term::of_type(&self.scope, &typed.ty);
                    self.bind(name(&ident.ident), value, Some(annotation), span(&ident.ident));
                }
                inner => self.take_inner(inner, value),
            },
            Pat::Paren(paren) => self.take_inner(&paren.pat, value),
            Pat::Reference(reference) => self.take_inner(&reference.pat, value),
            Pat::Tuple(tuple) => self.take_parts(tuple.elems.iter(), value),
            // Whatever wraps one value is as good as the value.
            Pat::TupleStruct(tuple) if tuple.elems.len() == 1 => {
                if let Some(inner) = tuple.elems.first() {
                    self.take_inner(inner, value);
                }
            }
            Pat::TupleStruct(tuple) => self.take_parts(tuple.elems.iter(), value),
            Pat::Struct(fields) => {
                for field in &fields.fields {
                    let own = match &field.member {
                        syn::Member::Named(ident) => name(ident),
                        syn::Member::Unnamed(index) => Name::new(&index.index.to_string()),
                    };
                    let part = self.emit(StepKind::Attribute { of: value, name: own }, span(field));
                    self.take_inner(&field.pat, part);
                }
            }
            Pat::Slice(slice) => {
                for inner in &slice.elems {
                    let element = self.emit(StepKind::Element(value), at);
                    self.take_inner(inner, element);
                }
            }
            Pat::Or(or) => {
                if let Some(first) = or.cases.first() {
                    self.take_inner(first, value);
                }
            }
            _ => {}
        }
    }

    fn take_inner(&mut self, pattern: &'f Pat, value: StepId) {
        self.deeper(span(pattern), |body| body.take_apart(pattern, value));
    }

    fn take_parts(&mut self, parts: impl Iterator<Item = &'f Pat>, value: StepId) {
        let mut is_counted = true;
        for (index, part) in (0..).zip(parts) {
            if matches!(part, Pat::Rest(_)) {
                // What stands behind `..` is counted from the other end.
                is_counted = false;
                continue;
            }
            let index = is_counted.then_some(index);
            let piece = self.emit(StepKind::Part { of: value, index }, span(part));
            self.take_inner(part, piece);
        }
    }
}
