//! lower/rust/item: functions, types, traits and implementations.
//!
//! Code for tests is left out: it runs in no service.

use std::rc::Rc;

use syn::{Attribute, FnArg, ImplItem, Item, Pat, TraitItem, Type};

use crate::facts::{Class, Field, FunctionKind, Import, Imported, Param, ParamKind, StepKind, Term};
use crate::name::Name;
use crate::source::Span;

use super::super::outline::empty_function;
use super::body::Body;
use super::scope::Scope;
use super::term::dotted;
use super::{Code, name, span, term};

impl<'f> Body<'_, '_, 'f> {
    /// All items of a module: what declares names comes first, so that what uses them finds them.
    pub(super) fn items(&mut self, items: &'f [Item]) {
        let is_code = |item: &&Item| matches!(item, Item::Fn(_) | Item::Impl(_));
        for item in items.iter().filter(|item| !is_code(item)) {
            self.item(item);
        }
        for item in items.iter().filter(is_code) {
            self.item(item);
        }
    }

    /// One item.
    pub(super) fn item(&mut self, item: &'f Item) {
        match item {
            Item::Use(item) => self.use_tree(&item.tree),
            Item::Mod(item) if is_for_tests(&item.attrs) => {}
            Item::Mod(item) => match &item.content {
                Some((_, items)) => self.module_here(item, items),
                None => self.module_elsewhere(&item.ident),
            },
            Item::Struct(item) => {
                let scope = self.scope.with_generics(&item.generics);
                let fields = item.fields.iter().filter_map(|field| {
                    let ident = field.ident.as_ref()?;
                    Some(Field {
                        name: name(ident),
                        annotation: Some(term::of_type(&scope, &field.ty)),
                        value: Some(Term::List(term::of_attributes(&field.attrs))),
                        span: span(ident),
                    })
                });
                let class = self.class(&item.ident, &item.attrs, span(item), fields.collect());
                self.names_of_entity(class);
            }
            Item::Enum(item) => {
                let fields = item.variants.iter().map(|variant| Field {
                    name: name(&variant.ident),
                    annotation: None,
                    value: None,
                    span: span(&variant.ident),
                });
                self.class(&item.ident, &item.attrs, span(item), fields.collect());
            }
            Item::Type(item) => self.alias(&item.ident, &item.ty),
            Item::Const(item) => self.constant(&item.ident, &item.ty, &item.expr),
            Item::Static(item) => self.constant(&item.ident, &item.ty, &item.expr),
            Item::Macro(item) => {
                self.declared_table(&item.mac);
            }
            Item::Trait(item) => self.trait_item(item),
            Item::Fn(item) if is_for_tests(&item.attrs) => {}
            Item::Fn(item) => {
                let scope = Rc::new(self.scope.with_generics(&item.sig.generics));
                let code = Code::Function(&item.sig, &item.block);
                let index = self.function_item(&item.sig, &item.attrs, span(item), None, &scope, code);
                self.define(name(&item.sig.ident), StepKind::Function(index), span(&item.sig.ident));
            }
            Item::Impl(item) if !is_for_tests(&item.attrs) => self.implementation(item),
            _ => {}
        }
    }

    /// A module written in the same file: its items stand among the file's own, under qualified names.
    fn module_here(&mut self, item: &'f syn::ItemMod, items: &'f [Item]) {
        let own = name(&item.ident);
        let outer = Rc::clone(&self.scope);
        let prefix = self.qualified(&own) + ".";
        let inner = Scope { modules: outer.modules + 1, prefix, own: None, ..(*outer).clone() };
        self.class(&item.ident, &item.attrs, span(&item.ident), Vec::new());
        self.scope = Rc::new(inner);
        self.deeper(span(&item.ident), |body| body.items(items));
        self.scope = outer;
    }

    fn class(&mut self, ident: &syn::Ident, attributes: &[Attribute], at: Span, fields: Vec<Field>) -> usize {
        let own = name(ident);
        let class = Class {
            name: own,
            qualname: self.qualified(&own),
            span: at,
            bases: Vec::new(),
            keywords: Vec::new(),
            decorators: term::of_attributes(attributes),
            fields,
            methods: Vec::new(),
            body: 0,
            scope: 0,
            adds_to: None,
        };
        let index = self.lower.add_class(class);
        self.define(own, StepKind::Class(index), span(ident));
        index
    }

    /// `type Name = path::Other;` is another name for the same.
    fn alias(&mut self, ident: &syn::Ident, written: &Type) {
        let own = name(ident);
        let path = match term::of_type(&self.scope, written) {
            Term::Path(path) => path,
            Term::Generic { base, .. } => match *base {
                Term::Path(path) => path,
                _ => return,
            },
            _ => return,
        };
        let at = span(ident);
        let (module, item) = match path.rsplit_once('.') {
            Some((module, item)) => (module, item),
            None if path == own => return,
            None => ("self", &*path),
        };
        let item = Imported::Item(Name::new(item));
        self.bind_import(Import { module: Name::new(module), level: 0, item, binds: own, span: at });
    }

    fn constant(&mut self, ident: &syn::Ident, written: &Type, value: &'f syn::Expr) {
        let own = name(ident);
        let at = span(ident);
        if self.function.kind == FunctionKind::Module {
            self.lower.facts.declared.push(Field {
                name: own,
                annotation: Some(term::of_type(&self.scope, written)),
                value: Some(term::of_expression(value)),
                span: at,
            });
        }
        let value = self.value(value);
        self.bind(own, value, None, at);
    }

    fn trait_item(&mut self, item: &'f syn::ItemTrait) {
        let class = self.class(&item.ident, &item.attrs, span(item), Vec::new());
        let own = name(&item.ident);
        let scope = Rc::new(Scope { own: Some(own), ..self.scope.with_generics(&item.generics) });
        for part in &item.items {
            let TraitItem::Fn(method) = part else { continue };
            let scope = Rc::new(scope.with_generics(&method.sig.generics));
            let code = match &method.default {
                Some(block) => Code::Function(&method.sig, block),
                None => Code::Nothing,
            };
            let at = span(method);
            let index = self.function_item(&method.sig, &method.attrs, at, Some((class, own)), &scope, code);
            if method.default.is_none() {
                let function = &mut self.lower.facts.functions[index];
                function.decorators.push(Term::Path(Name::new("abstractmethod")));
            }
        }
    }

    fn implementation(&mut self, item: &'f syn::ItemImpl) {
        let mut inner = self.scope.with_generics(&item.generics);
        let path = match term::of_type(&inner, &item.self_ty) {
            Term::Path(path) => path,
            Term::Generic { base, .. } => match *base {
                Term::Path(path) => path,
                _ => return,
            },
            _ => return,
        };
        inner.own = Some(path);
        for part in &item.items {
            if let ImplItem::Type(associated) = part {
                let meant = term::of_type(&inner, &associated.ty);
                inner.types.insert(Name::new(&format!("Self.{}", associated.ident)), meant);
            }
        }
        let scope = Rc::new(inner);
        let class = self.class_of_implementation(path, span(item));
        if let Some((_, path, _)) = &item.trait_ {
            let parts: Vec<Name> = path.segments.iter().map(|segment| name(&segment.ident)).collect();
            let base = Term::Path(Name::new(&dotted(&scope.path(&parts))));
            self.lower.facts.classes[class].bases.push(base);
        }
        let own = Name::new(path.last());
        for part in &item.items {
            let ImplItem::Fn(method) = part else { continue };
            if is_for_tests(&method.attrs) {
                continue;
            }
            let scope = Rc::new(scope.with_generics(&method.sig.generics));
            let code = Code::Function(&method.sig, &method.block);
            self.function_item(&method.sig, &method.attrs, span(method), Some((class, own)), &scope, code);
        }
    }

    /// The class that gets the methods of an `impl`: one of this file, or an addition to one declared elsewhere.
    fn class_of_implementation(&mut self, path: Name, at: Span) -> usize {
        let bound =
            self.function.bindings(path).find_map(|value| match self.function.steps[value as usize].kind {
                StepKind::Class(index) => Some(index),
                _ => None,
            });
        if let Some(index) = bound {
            return index;
        }
        self.addition(Name::new(path.last()), path, at)
    }

    /// A class that only adds to another type.
    pub(super) fn addition(&mut self, own: Name, to: Name, at: Span) -> usize {
        let qualname = self.qualified(&own);
        self.lower.add_class(Class {
            name: own,
            qualname,
            span: at,
            bases: Vec::new(),
            keywords: Vec::new(),
            decorators: Vec::new(),
            fields: Vec::new(),
            methods: Vec::new(),
            body: 0,
            scope: 0,
            adds_to: Some(to),
        })
    }

    fn function_item(
        &mut self,
        signature: &'f syn::Signature,
        attributes: &[Attribute],
        at: Span,
        class: Option<(usize, Name)>,
        scope: &Rc<Scope>,
        code: Code<'f>,
    ) -> usize {
        let own = name(&signature.ident);
        let qualname = match class {
            Some((_, class)) => self.qualified(&format!("{class}.{own}")),
            None => self.qualified(&own),
        };
        let mut function = empty_function(own, qualname, FunctionKind::Function);
        function.span = at;
        function.name_span = span(&signature.ident);
        function.is_async = signature.asyncness.is_some();
        function.parent = Some(self.index);
        function.class = class.map(|(class, _)| class);
        function.decorators = term::of_attributes(attributes);
        if class.is_some() && signature.receiver().is_none() {
            function.decorators.push(Term::Path(Name::new("staticmethod")));
        }
        function.params = (0..).zip(&signature.inputs).map(|(at, input)| param(scope, input, at)).collect();
        if let syn::ReturnType::Type(_, written) = &signature.output {
            function.returns = Some(term::of_type(scope, written));
        }
        // The names of a file are those of its modules as well.
        let inner = Scope { modules: self.scope.modules, prefix: String::new(), ..(**scope).clone() };
        let index = self.lower.add_function(function, code, Rc::new(inner));
        if let Some((class, _)) = class {
            self.lower.facts.classes[class].methods.push((own, index));
        }
        index
    }

    /// The names in the patterns of parameters get their values.
    pub(super) fn parameters_taken_apart(&mut self, inputs: impl Iterator<Item = &'f FnArg>) {
        for (index, input) in inputs.enumerate() {
            let FnArg::Typed(typed) = input else { continue };
            let pattern = extracted(&typed.pat, &typed.ty).map_or(&*typed.pat, |(inner, _)| inner);
            if ident_of(pattern).is_some() {
                continue;
            }
            let at = span(pattern);
            let whole = self.emit(StepKind::Name(unnamed(index)), at);
            self.take_apart(pattern, whole);
        }
    }
}

fn param(scope: &Scope, input: &FnArg, index: usize) -> Param {
    let (own, annotation) = match input {
        FnArg::Receiver(_) => (Name::new("self"), None),
        FnArg::Typed(typed) => {
            let (pattern, written) = extracted(&typed.pat, &typed.ty).unwrap_or((&typed.pat, &typed.ty));
            (ident_of(pattern).unwrap_or_else(|| unnamed(index)), Some(term::of_type(scope, written)))
        }
    };
    // What may be absent is a switch: callers write down `None`.
    let is_optional = matches!(&annotation, Some(Term::Union(all)) if all.contains(&Term::None));
    let default = is_optional.then_some(Term::None);
    Param { name: own, kind: ParamKind::Plain, annotation, default, default_step: None }
}

/// The name of a parameter that is a pattern.
pub(super) fn unnamed(index: usize) -> Name {
    Name::new(&format!("<parameter {index}>"))
}

/// `State(app): State<App>`: what a wrapper of one value holds, and its type.
fn extracted<'p>(pattern: &'p Pat, written: &'p Type) -> Option<(&'p Pat, &'p Type)> {
    let (Pat::TupleStruct(wrapper), Type::Path(path)) = (pattern, written) else { return None };
    let (inner, last) = (wrapper.elems.first()?, path.path.segments.last()?);
    if wrapper.elems.len() != 1 || wrapper.path.segments.last()?.ident != last.ident {
        return None;
    }
    let syn::PathArguments::AngleBracketed(list) = &last.arguments else { return None };
    list.args.iter().find_map(|argument| match argument {
        syn::GenericArgument::Type(held) => Some((inner, held)),
        _ => None,
    })
}

/// The name that a pattern is, where it is nothing else.
pub(super) fn ident_of(pattern: &Pat) -> Option<Name> {
    match pattern {
        Pat::Ident(ident) if ident.subpat.is_none() => Some(name(&ident.ident)),
        Pat::Paren(paren) => ident_of(&paren.pat),
        Pat::Reference(reference) => ident_of(&reference.pat),
        Pat::Type(typed) => ident_of(&typed.pat),
        _ => None,
    }
}

/// Whether an item is built for tests only.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let path = attribute.path();
        let is_test = path.segments.last().is_some_and(|last| last.ident == "test" || last.ident == "rstest");
        let is_cfg = path.is_ident("cfg")
            && matches!(&attribute.meta, syn::Meta::List(list) if list.tokens.to_string() == "test");
        is_test || is_cfg
    })
}
