//! lower/python/term: expressions that declare something: annotations, bases, decorators, columns, defaults.

use std::borrow::Cow;

use crate::facts::{ArgumentKind, Term};
use crate::name::Name;

use super::read;
use super::statement::argument;
use super::tree::{Kind, Node, Role};

/// How deep a declaration is looked into.
const DEEPEST: usize = 24;

/// An annotation: like a term, but a string is an annotation in quotes.
pub(super) fn annotation(text: &str, node: Node<'_>) -> Term {
    match term(text, node) {
        Term::Text(quoted) => reparsed(&quoted),
        Term::Generic { base, arguments } => {
            // `Optional["User"]`; but the strings of a `Literal` are values.
            let is_literal = matches!(&*base, Term::Path(path) if path.last() == "Literal");
            let requote = |argument| match argument {
                Term::Text(quoted) if !is_literal => reparsed(&quoted),
                other => other,
            };
            Term::Generic { base, arguments: arguments.into_iter().map(requote).collect() }
        }
        other => other,
    }
}

fn reparsed(text: &str) -> Term {
    let Some((tree, _)) = read(text) else { return Term::Other };
    let root = tree.root();
    if root.has_error() {
        return Term::Other;
    }
    let statement = root.first_part().filter(|statement| statement.kind() == Kind::ExpressionStatement);
    match statement.and_then(Node::only_part) {
        Some(expression) => match term(text, expression) {
            // One pair of quotes is enough for anybody.
            Term::Text(_) => Term::Other,
            term => term,
        },
        _ => Term::Other,
    }
}

/// Any other declaring expression.
pub(super) fn term(text: &str, node: Node<'_>) -> Term {
    at_depth(text, node, 0)
}

fn at_depth(text: &str, node: Node<'_>, depth: usize) -> Term {
    if depth > DEEPEST {
        return Term::Other;
    }
    let inner = |node| at_depth(text, node, depth + 1);
    let slice = |node: Node<'_>| &text[node.range()];
    match node.kind() {
        Kind::Identifier => Term::Path(Name::new(slice(node))),
        Kind::Attribute | Kind::MemberType => {
            let object = node.field(Role::Object).or_else(|| node.first_part());
            let last = node.field(Role::Attribute).or_else(|| node.parts().next_back());
            match (object.map(inner), last) {
                (Some(Term::Path(path)), Some(last)) => Term::Path(path.join(slice(last))),
                _ => Term::Other,
            }
        }
        Kind::Call => {
            let Some(callee) = node.field(Role::Function).map(inner) else { return Term::Other };
            let mut arguments = Vec::new();
            let mut keywords = Vec::new();
            for part in node.field(Role::Arguments).into_iter().flat_map(Node::parts) {
                match argument(text, part) {
                    Some((ArgumentKind::Plain, value)) => arguments.push(inner(value)),
                    Some((ArgumentKind::Keyword(name), value)) => keywords.push((name, inner(value))),
                    _ => {}
                }
            }
            Term::Call { callee: Box::new(callee), arguments, keywords }
        }
        Kind::Subscript => {
            let Some(base) = node.field(Role::Value).map(inner) else { return Term::Other };
            let mut arguments = Vec::new();
            for part in node.fields(Role::Subscript) {
                match inner(part) {
                    Term::List(items) if part.kind() == Kind::Tuple => arguments.extend(items),
                    item => arguments.push(item),
                }
            }
            Term::Generic { base: Box::new(base), arguments }
        }
        Kind::GenericType => {
            let mut all = node.parts();
            let Some(base) = all.next() else { return Term::Other };
            let arguments = all.flat_map(Node::parts).map(inner).collect();
            Term::Generic { base: Box::new(inner(base)), arguments }
        }
        Kind::BinaryOperator if node.field(Role::Operator).is_some_and(|sign| sign.kind() == Kind::Bar) => {
            let sides = [node.field(Role::Left), node.field(Role::Right)];
            union(sides.into_iter().flatten().map(inner))
        }
        Kind::BinaryOperator if node.field(Role::Operator).is_some_and(|sign| sign.kind() == Kind::Plus) => {
            let mut parts = Vec::new();
            for side in [node.field(Role::Left), node.field(Role::Right)].into_iter().flatten().map(inner) {
                match side {
                    Term::Sum(inner) => parts.extend(inner),
                    other => parts.push(other),
                }
            }
            Term::Sum(parts)
        }
        Kind::UnionType => union(node.parts().map(inner)),
        Kind::Type | Kind::ParenthesizedExpression | Kind::ExpressionStatement => {
            node.only_part().map_or(Term::Other, inner)
        }
        Kind::List | Kind::Tuple | Kind::Set | Kind::ExpressionList => {
            Term::List(node.parts().map(inner).collect())
        }
        Kind::String => {
            let content = node.parts();
            if content.clone().any(|part| part.kind() == Kind::Interpolation) {
                return Term::Other;
            }
            let said = content.filter(|part| part.kind() == Kind::StringContent).map(slice);
            Term::Text(Name::new(&said.fold(Cow::Borrowed(""), |all, said| all + said)))
        }
        Kind::ConcatenatedString => {
            let mut body = String::new();
            for piece in node.parts() {
                let Term::Text(text) = inner(piece) else { return Term::Other };
                body.push_str(&text);
            }
            Term::Text(Name::new(&body))
        }
        // A dictionary with plain keys says the same as a call of `dict`.
        Kind::Dictionary => {
            let mut keywords = Vec::new();
            for pair in node.parts() {
                if let (Some(key), Some(value)) = (pair.field(Role::Key).map(inner), pair.field(Role::Value))
                    && let Term::Text(name) = key
                {
                    keywords.push((name, inner(value)));
                }
            }
            let callee = Box::new(Term::Path(Name::new("dict")));
            Term::Call { callee, arguments: Vec::new(), keywords }
        }
        Kind::Integer => slice(node).replace('_', "").parse().map_or(Term::Other, Term::Number),
        Kind::NoneLiteral => Term::None,
        Kind::True => Term::Switch(true),
        Kind::False => Term::Switch(false),
        _ => Term::Other,
    }
}

fn union(sides: impl Iterator<Item = Term>) -> Term {
    let mut members = Vec::new();
    for side in sides {
        match side {
            Term::Union(inner) => members.extend(inner),
            other => members.push(other),
        }
    }
    Term::Union(members)
}
