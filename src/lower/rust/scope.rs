//! lower/rust/scope: what names of types mean inside an `impl`, a trait or a generic function.

use rustc_hash::FxHashMap;

use crate::facts::Term;
use crate::name::Name;

use super::term;

/// What the code around a body says of the types in it.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    /// What `Self` is, as a dotted path.
    pub(super) own: Option<Name>,
    /// Generic parameters by what they are bound to be, and associated types under `Self.Name`.
    pub(super) types: FxHashMap<Name, Term>,
    /// In how many modules of the same file the code lies.
    pub(super) modules: usize,
    /// What the qualified names in it begin with, with a dot behind.
    pub(super) prefix: String,
}

impl Scope {
    /// The scope inside of something generic.
    pub(super) fn with_generics(&self, generics: &syn::Generics) -> Scope {
        let mut inner = self.clone();
        for param in generics.type_params() {
            let bound = term::of_bounds(&inner, param.bounds.iter());
            inner.types.insert(super::name(&param.ident), bound);
        }
        for predicate in generics.where_clause.iter().flat_map(|clause| &clause.predicates) {
            let syn::WherePredicate::Type(bounded) = predicate else { continue };
            let syn::Type::Path(path) = &bounded.bounded_ty else { continue };
            let Some(ident) = path.path.get_ident().map(super::name) else { continue };
            // Some bound more, such as `Send`, says nothing.
            if inner.types.get(&ident).is_some_and(|known| *known == Term::Other) {
                let bound = term::of_bounds(&inner, bounded.bounds.iter());
                inner.types.insert(ident, bound);
            }
        }
        inner
    }

    /// What a type path means: `Self`, an associated type of it, or a generic parameter.
    pub(super) fn known(&self, path: &str) -> Option<Term> {
        if path == "Self" {
            return self.own.map(Term::Path);
        }
        self.types.get(&Name::new(path)).cloned()
    }

    /// A dotted path with `Self` replaced by what it is, and with the modules of the file left out.
    pub(super) fn path(&self, parts: &[Name]) -> Vec<Name> {
        let mut parts = parts.to_vec();
        if parts.first().is_some_and(|first| &**first == "Self")
            && let Some(own) = self.own
        {
            let own: Vec<Name> = own.split('.').map(Name::new).collect();
            parts.splice(0..1, own);
        }
        // The modules of one file are lowered as one.
        for _ in 0..self.modules {
            if parts.len() > 1 && matches!(&*parts[0], "super" | "self") {
                if &*parts[0] == "super" && matches!(&*parts[1], "super") {
                    parts.remove(0);
                } else {
                    parts[0] = Name::new("self");
                }
            }
        }
        parts
    }
}
