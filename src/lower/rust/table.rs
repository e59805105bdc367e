//! lower/rust/table: what `table!` of Diesel declares, and the names that SeaORM's derive adds to a module.

use syn::parse::{Parse, ParseStream};
use syn::{Ident, Token, Type, braced, parenthesized};

use crate::facts::{Class, Field, StepKind, Term};
use crate::name::Name;

use super::body::Body;
use super::{name, span, term};

/// The decorator of a class that stands for a table which `table!` declares.
const TABLE: &str = "diesel.table";

/// The types that `DeriveEntityModel` makes besides the `Model` it is written for. They stand for the same table, and
/// have methods of their own.
const OF_ENTITY: &[&str] = &["Entity", "ActiveModel"];

/// The other names it gives the table in a module.
const NAMES_OF_ENTITY: &[&str] = &["Column", "PrimaryKey"];

/// `table! { schema.name (key) { column -> Type, … } }`.
struct Table {
    attributes: Vec<syn::Attribute>,
    ident: Ident,
    columns: Vec<TableColumn>,
}

struct TableColumn {
    attributes: Vec<syn::Attribute>,
    ident: Ident,
    kind: Type,
}

impl Parse for Table {
    fn parse(input: ParseStream<'_>) -> syn::Result<Table> {
        // `use diesel::sql_types::*;` stands in front of the table where its types need it.
        let mut attributes = input.call(syn::Attribute::parse_outer)?;
        while input.peek(Token![use]) {
            input.parse::<syn::ItemUse>()?;
            attributes.extend(input.call(syn::Attribute::parse_outer)?);
        }
        let mut ident: Ident = input.parse()?;
        if input.peek(Token![.]) {
            input.parse::<Token![.]>()?;
            ident = input.parse()?;
        }
        if input.peek(syn::token::Paren) {
            let key;
            parenthesized!(key in input);
            key.parse::<proc_macro2::TokenStream>()?;
        }
        let body;
        braced!(body in input);
        let mut columns = Vec::new();
        while !body.is_empty() {
            let attributes = body.call(syn::Attribute::parse_outer)?;
            let ident = body.parse()?;
            body.parse::<Token![->]>()?;
            let kind = body.parse()?;
            columns.push(TableColumn { attributes, ident, kind });
            if body.peek(Token![,]) {
                body.parse::<Token![,]>()?;
            }
        }
        Ok(Table { attributes, ident, columns })
    }
}

impl<'f> Body<'_, '_, 'f> {
    /// The class of a table that a macro at the top of a module declares. Answers whether it does.
    pub(super) fn declared_table(&mut self, call: &syn::Macro) -> bool {
        if call.path.segments.last().is_none_or(|last| last.ident != "table") {
            return false;
        }
        let Ok(table) = call.parse_body::<Table>() else {
            let at = span(call);
            self.lower.gap(at, "a table that could not be read");
            return true;
        };
        let scope = std::rc::Rc::clone(&self.scope);
        let field = |column: &TableColumn| Field {
            name: name(&column.ident),
            annotation: Some(term::of_type(&scope, &column.kind)),
            value: Some(Term::List(term::of_attributes(&column.attributes))),
            span: span(&column.ident),
        };
        let mut decorators = vec![Term::Path(Name::new(TABLE))];
        decorators.extend(term::of_attributes(&table.attributes));
        let own = name(&table.ident);
        let class = Class {
            name: own,
            qualname: self.qualified(&own),
            span: span(call),
            bases: Vec::new(),
            keywords: Vec::new(),
            decorators,
            fields: table.columns.iter().map(field).collect(),
            methods: Vec::new(),
            body: 0,
            scope: 0,
            adds_to: None,
        };
        let index = self.lower.add_class(class);
        self.define(own, StepKind::Class(index), span(&table.ident));
        true
    }

    /// The names by which a module calls the entity whose `Model` is declared in it.
    pub(super) fn names_of_entity(&mut self, class: usize) {
        let facts = &self.lower.facts.classes[class];
        let derives =
            |derive: &Term| matches!(derive, Term::Path(path) if path.last() == "DeriveEntityModel");
        if !facts.decorators.iter().any(derives) {
            return;
        }
        let (at, model) = (facts.span, facts.name);
        for own in OF_ENTITY {
            let made = self.addition(Name::new(own), model, at);
            self.define(Name::new(own), StepKind::Class(made), at);
        }
        for own in NAMES_OF_ENTITY {
            self.define(Name::new(own), StepKind::Class(class), at);
        }
    }
}
