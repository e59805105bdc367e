//! lower/python/definition: functions, parameters and classes.

use crate::facts::{Class, Field, FunctionKind, Param, ParamKind, StepKind};
use crate::name::Name;

use super::super::outline::empty_function;
use super::body::Body;
use super::statement::argument;
use super::tree::{Kind, Node, Role};
use super::{span, term};
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
        let Some(name_node) = node.field(Role::Name) else { return };
        let name = self.lower.name(name_node);
        let mut function = empty_function(name, self.qualified(&name), FunctionKind::Function);
        function.span = span(whole);
        function.name_span = span(name_node);
        function.is_async = node.child(Kind::Async).is_some();
        function.parent = Some(self.index);
        let decorators = decorators(whole);
        function.decorators = self.terms_of_decorators(&decorators);
        function.returns = node.field(Role::ReturnType).map(|term| term::annotation(self.lower.text, term));
        if let Some(list) = node.field(Role::Parameters) {
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
        for node in list.parts() {
            let inner = if node.kind() == Kind::TypedParameter { node.first_part() } else { Some(node) };
            let Some(inner) = inner else { continue };
            let (kind, name_node) = match inner.kind() {
                Kind::KeywordSeparator => {
                    plain = ParamKind::KeywordOnly;
                    continue;
                }
                Kind::ListSplatPattern => {
                    plain = ParamKind::KeywordOnly;
                    (ParamKind::Rest, inner.first_part())
                }
                Kind::DictionarySplatPattern => (ParamKind::RestKeywords, inner.first_part()),
                Kind::DefaultParameter | Kind::TypedDefaultParameter => (plain, inner.field(Role::Name)),
                Kind::Identifier => (plain, Some(inner)),
                _ => continue,
            };
            let Some(name_node) = name_node else { continue };
            let annotation = node.field(Role::Type).map(|annotation| term::annotation(text, annotation));
            let default_node = node.field(Role::Value);
            let default = default_node.map(|value| term::term(text, value));
            let default_step = default_node.map(|value| self.value(value));
            params.push(Param { name: self.lower.name(name_node), kind, annotation, default, default_step });
        }
        params
    }

    /// A class; `whole` includes its decorators.
    pub(super) fn class_definition(&mut self, node: Node<'t>, whole: Node<'t>) {
        let text = self.lower.text;
        let Some(name_node) = node.field(Role::Name) else { return };
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
        if let Some(list) = node.field(Role::Superclasses) {
            for part in list.parts() {
                match argument(text, part) {
                    Some((ArgumentKind::Plain, value)) => class.bases.push(term::term(text, value)),
                    Some((ArgumentKind::Keyword(name), value)) => {
                        class.keywords.push((name, term::term(text, value)));
                    }
                    _ => class.bases.push(crate::facts::Term::Other),
                }
            }
        }
        if let Some(block) = node.field(Role::Body) {
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
        let expression = |decorator: &Node<'t>| decorator.first_part();
        decorators.iter().filter_map(expression).map(|node| term::term(self.lower.text, node)).collect()
    }
}

fn decorators(whole: Node<'_>) -> Vec<Node<'_>> {
    if whole.kind() != Kind::DecoratedDefinition {
        return Vec::new();
    }
    whole.parts().filter(|part| part.kind() == Kind::Decorator).collect()
}

/// Names assigned or annotated at the top of a class or module, also below an `if` or `try` there.
pub(super) fn declared_fields(text: &str, block: Node<'_>) -> Vec<Field> {
    let mut found = Vec::new();
    let mut waiting: Vec<Node<'_>> = block.parts().rev().collect();
    while let Some(node) = waiting.pop() {
        match node.kind() {
            Kind::ExpressionStatement
            | Kind::IfStatement
            | Kind::ElseClause
            | Kind::ElifClause
            | Kind::Block
            | Kind::TryStatement
            | Kind::ExceptClause
            | Kind::FinallyClause => {
                waiting.extend(node.parts().rev());
            }
            Kind::Assignment => {
                let Some(left) = node.field(Role::Left).filter(|left| left.kind() == Kind::Identifier) else {
                    continue;
                };
                found.push(Field {
                    name: Name::new(&text[left.range()]),
                    annotation: node.field(Role::Type).map(|annotation| term::annotation(text, annotation)),
                    value: node.field(Role::Right).map(|value| term::term(text, value)),
                    span: span(left),
                });
            }
            Kind::TypeAliasStatement => {
                let Some(name) = alias_name(node) else { continue };
                found.push(Field {
                    name: Name::new(&text[name.range()]),
                    annotation: None,
                    value: node.field(Role::Right).map(|value| term::annotation(text, value)),
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
    let mut at = node.field(Role::Left)?;
    while at.kind() != Kind::Identifier {
        at = at.first_part()?;
    }
    Some(at)
}
