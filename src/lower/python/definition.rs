//! lower/python/definition: functions, parameters and classes.

use tree_sitter::Node;

use crate::facts::{Class, Field, FunctionKind, Param, ParamKind, StepKind};
use crate::name::Name;

use super::super::outline::empty_function;
use super::body::Body;
use super::statement::argument;
use super::{field, parts, span, term};
use crate::facts::ArgumentKind;

impl<'t> Body<'_, '_, 't> {
    /// The qualified name of something defined here.
    pub(super) fn qualified(&self, name: &str) -> String {
        match self.function.kind {
            FunctionKind::Module => name.to_owned(),
            _ => format!("{}.{name}", self.function.qualname),
        }
    }

    /// A function; `whole` includes its decorators.
    pub(super) fn function_definition(&mut self, node: Node<'t>, whole: Node<'t>) {
        let Some(name_node) = field(node, "name") else { return };
        let name = self.lower.name(name_node);
        let mut function = empty_function(name, self.qualified(&name), FunctionKind::Function);
        function.span = span(whole);
        function.name_span = span(name_node);
        function.is_async = node.child(0).is_some_and(|first| first.kind() == "async");
        function.parent = Some(self.index);
        let decorators = decorators(whole);
        function.decorators = self.terms_of_decorators(&decorators);
        function.returns = field(node, "return_type").map(|term| term::annotation(self.lower.text, term));
        if let Some(list) = field(node, "parameters") {
            function.params = self.params(list);
        }
        if self.function.kind == FunctionKind::ClassBody {
            function.class = self.function.class;
        }
        let class = function.class;
        let index = self.lower.add_function(function, node);
        if let Some(class) = class {
            self.lower.facts.classes[class].methods.push((name, index));
        }
        self.bind_definition(name, StepKind::Function(index), span(name_node), &decorators);
    }

    /// The parameters of a function or lambda.
    pub(super) fn params(&mut self, list: Node<'t>) -> Vec<Param> {
        let text = self.lower.text;
        let mut params = Vec::new();
        let mut plain = ParamKind::Plain;
        for node in parts(list) {
            let inner =
                if node.kind() == "typed_parameter" { parts(node).first().copied() } else { Some(node) };
            let Some(inner) = inner else { continue };
            let (kind, name_node) = match inner.kind() {
                "keyword_separator" => {
                    plain = ParamKind::KeywordOnly;
                    continue;
                }
                "list_splat_pattern" => {
                    plain = ParamKind::KeywordOnly;
                    (ParamKind::Rest, parts(inner).first().copied())
                }
                "dictionary_splat_pattern" => (ParamKind::RestKeywords, parts(inner).first().copied()),
                "default_parameter" | "typed_default_parameter" => (plain, field(inner, "name")),
                "identifier" => (plain, Some(inner)),
                _ => continue,
            };
            let Some(name_node) = name_node else { continue };
            let annotation = field(node, "type").map(|annotation| term::annotation(text, annotation));
            let default_node = field(node, "value");
            let default = default_node.map(|value| term::term(text, value));
            let default_step = default_node.map(|value| self.value(value));
            params.push(Param { name: self.lower.name(name_node), kind, annotation, default, default_step });
        }
        params
    }

    /// A class; `whole` includes its decorators.
    pub(super) fn class_definition(&mut self, node: Node<'t>, whole: Node<'t>) {
        let text = self.lower.text;
        let Some(name_node) = field(node, "name") else { return };
        let name = self.lower.name(name_node);
        let qualname = self.qualified(&name);
        let decorators = decorators(whole);
        let mut class = Class {
            name,
            qualname: qualname.clone(),
            span: span(whole),
            bases: Vec::new(),
            keywords: Vec::new(),
            decorators: self.terms_of_decorators(&decorators),
            fields: Vec::new(),
            methods: Vec::new(),
            body: 0,
            scope: self.index,
            adds_to: None,
        };
        if let Some(list) = field(node, "superclasses") {
            for part in parts(list) {
                match argument(text, part) {
                    Some((ArgumentKind::Plain, value)) => class.bases.push(term::term(text, value)),
                    Some((ArgumentKind::Keyword(name), value)) => {
                        class.keywords.push((name, term::term(text, value)));
                    }
                    _ => class.bases.push(crate::facts::Term::Other),
                }
            }
        }
        if let Some(block) = field(node, "body") {
            class.fields = declared_fields(text, block);
        }
        let index = self.lower.add_class(class);
        let mut body = empty_function(name, qualname, FunctionKind::ClassBody);
        body.span = span(whole);
        body.name_span = span(name_node);
        body.class = Some(index);
        body.parent = Some(self.index);
        let body = self.lower.add_function(body, node);
        self.lower.facts.classes[index].body = body;
        self.bind_definition(name, StepKind::Class(index), span(name_node), &decorators);
    }

    fn terms_of_decorators(&self, decorators: &[Node<'t>]) -> Vec<crate::facts::Term> {
        let expression = |decorator: &Node<'t>| parts(*decorator).first().copied();
        decorators.iter().filter_map(expression).map(|node| term::term(self.lower.text, node)).collect()
    }
}

fn decorators(whole: Node<'_>) -> Vec<Node<'_>> {
    if whole.kind() != "decorated_definition" {
        return Vec::new();
    }
    parts(whole).into_iter().filter(|part| part.kind() == "decorator").collect()
}

/// Names assigned or annotated at the top of a class or module, also below an `if` or `try` there.
pub(super) fn declared_fields(text: &str, block: Node<'_>) -> Vec<Field> {
    let mut found = Vec::new();
    let mut waiting: Vec<Node<'_>> = parts(block);
    waiting.reverse();
    while let Some(node) = waiting.pop() {
        match node.kind() {
            "expression_statement"
            | "if_statement"
            | "else_clause"
            | "elif_clause"
            | "block"
            | "try_statement"
            | "except_clause"
            | "finally_clause" => {
                let mut inner = parts(node);
                inner.reverse();
                waiting.extend(inner);
            }
            "assignment" => {
                let Some(left) = field(node, "left").filter(|left| left.kind() == "identifier") else {
                    continue;
                };
                found.push(Field {
                    name: Name::new(&text[left.byte_range()]),
                    annotation: field(node, "type").map(|annotation| term::annotation(text, annotation)),
                    value: field(node, "right").map(|value| term::term(text, value)),
                    span: span(left),
                });
            }
            "type_alias_statement" => {
                let Some(name) = alias_name(node) else { continue };
                found.push(Field {
                    name: Name::new(&text[name.byte_range()]),
                    annotation: None,
                    value: field(node, "right").map(|value| term::annotation(text, value)),
                    span: span(name),
                });
            }
            _ => {}
        }
    }
    found
}

/// The name that `type Name[T] = …` binds.
pub(super) fn alias_name<'t>(node: Node<'t>) -> Option<Node<'t>> {
    let mut at = field(node, "left")?;
    while at.kind() != "identifier" {
        at = *parts(at).first()?;
    }
    Some(at)
}
