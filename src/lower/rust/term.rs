//! lower/rust/term: what declares something: types, attributes, constants.

use syn::punctuated::Punctuated;
use syn::{Expr, GenericArgument, Lit, Meta, PathArguments, Token, Type, TypeParamBound};

use crate::facts::Term;
use crate::name::Name;

use super::scope::Scope;
use super::{literal, name};

/// How deep a declaration is looked into.
const DEEPEST: usize = 24;

/// Types that stand for what they hold.
const TRANSPARENT: &[&str] = &[
    "Arc",
    "Box",
    "Cow",
    "Mutex",
    "MutexGuard",
    "Pin",
    "Rc",
    "Ref",
    "RefCell",
    "RefMut",
    "RwLock",
    "Result",
];

/// Types of many values of one kind.
const COLLECTIONS: &[&str] =
    &["BTreeSet", "BinaryHeap", "HashSet", "IndexSet", "LinkedList", "SmallVec", "Vec", "VecDeque"];

/// Types of plain data.
const PLAIN: &[&str] = &[
    "String", "char", "f32", "f64", "i128", "i16", "i32", "i64", "i8", "isize", "str", "u128", "u16", "u32",
    "u64", "u8", "usize",
];

/// A type.
pub(super) fn of_type(scope: &Scope, written: &Type) -> Term {
    at_depth(scope, written, 0)
}

/// What a list of bounds says a type is: the first trait that is no marker.
pub(super) fn of_bounds<'b>(scope: &Scope, bounds: impl Iterator<Item = &'b TypeParamBound>) -> Term {
    bounds_at(scope, bounds, 0)
}

fn at_depth(scope: &Scope, written: &Type, depth: usize) -> Term {
    if depth > DEEPEST {
        return Term::Other;
    }
    let inner = |written: &Type| at_depth(scope, written, depth + 1);
    match written {
        Type::Reference(reference) => inner(&reference.elem),
        Type::Paren(paren) => inner(&paren.elem),
        Type::Group(group) => inner(&group.elem),
        Type::Ptr(pointer) => inner(&pointer.elem),
        Type::Slice(slice) => many(inner(&slice.elem)),
        Type::Array(array) => many(inner(&array.elem)),
        Type::Tuple(tuple) if tuple.elems.is_empty() => Term::None,
        Type::Tuple(tuple) => Term::List(tuple.elems.iter().map(inner).collect()),
        Type::ImplTrait(bounds) => bounds_at(scope, bounds.bounds.iter(), depth + 1),
        Type::TraitObject(bounds) => bounds_at(scope, bounds.bounds.iter(), depth + 1),
        Type::Path(path) if path.qself.is_none() => of_path(scope, &path.path, depth),
        // `<Self as Trait>::Name`
        Type::Path(path) => match (path.qself.as_ref().map(|own| &*own.ty), path.path.segments.last()) {
            (Some(Type::Path(own)), Some(last)) if own.path.is_ident("Self") => {
                scope.known(&format!("Self.{}", last.ident)).unwrap_or(Term::Other)
            }
            _ => Term::Other,
        },
        _ => Term::Other,
    }
}

fn of_path(scope: &Scope, path: &syn::Path, depth: usize) -> Term {
    let Some(last) = path.segments.last() else { return Term::Other };
    let written: Vec<Name> = path.segments.iter().map(|segment| name(&segment.ident)).collect();
    let arguments: Vec<Term> = match &last.arguments {
        PathArguments::AngleBracketed(list) => list
            .args
            .iter()
            .filter_map(|argument| match argument {
                GenericArgument::Type(inner) => Some(at_depth(scope, inner, depth + 1)),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    };
    let last = name(&last.ident);
    let dotted = dotted(&written);
    if let Some(known) = scope.known(&dotted) {
        return known;
    }
    let mut arguments = arguments.into_iter();
    match &*last {
        "Option" => match arguments.next() {
            Some(inner) => Term::Union(vec![inner, Term::None]),
            None => Term::Other,
        },
        "bool" if written.len() == 1 => Term::Path(last),
        plain if written.len() == 1 && PLAIN.contains(&plain) => Term::Path(Name::new("str")),
        wrapper if TRANSPARENT.contains(&wrapper) => {
            arguments.next().unwrap_or_else(|| Term::Path(Name::new(&dotted)))
        }
        collection if COLLECTIONS.contains(&collection) => many(arguments.next().unwrap_or(Term::Other)),
        "HashMap" | "BTreeMap" | "IndexMap" => Term::Path(Name::new("dict")),
        _ => {
            let path = Term::Path(Name::new(&self::dotted(&scope.path(&written))));
            let arguments: Vec<Term> = arguments.collect();
            match arguments.is_empty() {
                true => path,
                false => Term::Generic { base: Box::new(path), arguments },
            }
        }
    }
}

fn bounds_at<'b>(scope: &Scope, bounds: impl Iterator<Item = &'b TypeParamBound>, depth: usize) -> Term {
    for bound in bounds {
        let TypeParamBound::Trait(bound) = bound else { continue };
        let Some(last) = bound.path.segments.last() else { continue };
        let named = name(&last.ident);
        let first = || match &last.arguments {
            PathArguments::AngleBracketed(list) => list.args.iter().find_map(|argument| match argument {
                GenericArgument::Type(inner) => Some(at_depth(scope, inner, depth + 1)),
                GenericArgument::AssocType(bound) => Some(at_depth(scope, &bound.ty, depth + 1)),
                _ => None,
            }),
            _ => None,
        };
        return match &*named {
            "Send" | "Sync" | "Sized" | "Clone" | "Copy" | "Debug" | "Unpin" | "Display" => continue,
            "Into" | "TryInto" | "AsRef" | "AsMut" | "Borrow" | "Deref" | "Future" | "ToOwned" => {
                first().unwrap_or(Term::Other)
            }
            "Iterator" | "IntoIterator" | "Stream" => many(first().unwrap_or(Term::Other)),
            "Fn" | "FnMut" | "FnOnce" => Term::Path(Name::new("Callable")),
            _ => of_path(scope, &bound.path, depth + 1),
        };
    }
    Term::Other
}

fn many(inner: Term) -> Term {
    Term::Generic { base: Box::new(Term::Path(Name::new("list"))), arguments: vec![inner] }
}

/// A path with dots.
pub(super) fn dotted(parts: &[Name]) -> String {
    parts.iter().map(|part| part.as_str()).collect::<Vec<_>>().join(".")
}

/// The attributes of an item as calls and paths, each derive by itself.
pub(super) fn of_attributes(attributes: &[syn::Attribute]) -> Vec<Term> {
    let mut found = Vec::new();
    for attribute in attributes {
        if attribute.path().is_ident("derive") {
            let derives = attribute.parse_args_with(Punctuated::<syn::Path, Token![,]>::parse_terminated);
            found.extend(derives.into_iter().flatten().map(|path| Term::Path(path_name(&path))));
        } else if !attribute.path().is_ident("doc") {
            found.push(of_meta(&attribute.meta));
        }
    }
    found
}

fn of_meta(meta: &Meta) -> Term {
    let path = Term::Path(path_name(meta.path()));
    match meta {
        Meta::Path(_) => path,
        Meta::NameValue(pair) => {
            let keywords = vec![(Name::new("value"), of_expression(&pair.value))];
            Term::Call { callee: Box::new(path), arguments: Vec::new(), keywords }
        }
        Meta::List(list) => {
            let parts = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
            let (mut arguments, mut keywords) = (Vec::new(), Vec::new());
            for part in parts.into_iter().flatten() {
                match &part {
                    Meta::NameValue(pair) => {
                        keywords.push((path_name(&pair.path), of_expression(&pair.value)));
                    }
                    other => arguments.push(Term::Path(path_name(other.path()))),
                }
            }
            Term::Call { callee: Box::new(path), arguments, keywords }
        }
    }
}

fn path_name(path: &syn::Path) -> Name {
    let parts: Vec<Name> = path.segments.iter().map(|segment| name(&segment.ident)).collect();
    Name::new(&dotted(&parts))
}

/// A constant's value, as far as it is plain to see.
pub(super) fn of_expression(expression: &Expr) -> Term {
    match expression {
        Expr::Lit(lit) => match &lit.lit {
            Lit::Str(text) => Term::Text(Name::new(&text.value())),
            Lit::Bool(on) => Term::Switch(on.value),
            Lit::Int(number) => number.base10_parse().map_or(Term::Other, Term::Number),
            _ => Term::Other,
        },
        Expr::Path(path) => Term::Path(path_name(&path.path)),
        Expr::Reference(reference) => of_expression(&reference.expr),
        Expr::Macro(call) if call.mac.path.is_ident("include_str") => {
            match call.mac.parse_body::<syn::LitStr>() {
                Ok(path) => Term::Call {
                    callee: Box::new(Term::Path(Name::new("include_str"))),
                    arguments: vec![Term::Text(Name::new(&path.value()))],
                    keywords: Vec::new(),
                },
                Err(_) => Term::Other,
            }
        }
        Expr::Macro(call) => {
            literal::concatenated(&call.mac).map_or(Term::Other, |text| Term::Text(Name::new(&text)))
        }
        Expr::Array(array) if array.elems.len() <= 256 => {
            Term::List(array.elems.iter().map(of_expression).collect())
        }
        _ => Term::Other,
    }
}
