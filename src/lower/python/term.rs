//! lower/python/term: expressions that declare something: annotations, bases, decorators, columns, defaults.

use tree_sitter::Node;

use crate::facts::{ArgumentKind, Term};
use crate::name::Name;

use super::statement::argument;
use super::{field, fields, parse, parts};

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
    let Some(tree) = parse(text) else { return Term::Other };
    if tree.root_node().has_error() {
        return Term::Other;
    }
    let statement = parts(tree.root_node()).into_iter().next();
    let expression = statement.filter(|s| s.kind() == "expression_statement").map(parts);
    match expression.as_deref() {
        Some(&[expression]) => match term(text, expression) {
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
    let slice = |node: Node<'_>| &text[node.byte_range()];
    match node.kind() {
        "identifier" => Term::Path(Name::new(slice(node))),
        "attribute" | "member_type" => {
            let object = field(node, "object").or_else(|| parts(node).first().copied());
            let last = field(node, "attribute").or_else(|| parts(node).last().copied());
            match (object.map(inner), last) {
                (Some(Term::Path(path)), Some(last)) => Term::Path(path.join(slice(last))),
                _ => Term::Other,
            }
        }
        "call" => {
            let Some(callee) = field(node, "function").map(inner) else { return Term::Other };
            let mut arguments = Vec::new();
            let mut keywords = Vec::new();
            for part in field(node, "arguments").map(parts).unwrap_or_default() {
                match argument(text, part) {
                    Some((ArgumentKind::Plain, value)) => arguments.push(inner(value)),
                    Some((ArgumentKind::Keyword(name), value)) => keywords.push((name, inner(value))),
                    _ => {}
                }
            }
            Term::Call { callee: Box::new(callee), arguments, keywords }
        }
        "subscript" => {
            let Some(base) = field(node, "value").map(inner) else { return Term::Other };
            let mut arguments = Vec::new();
            for part in fields(node, "subscript") {
                match inner(part) {
                    Term::List(items) if part.kind() == "tuple" => arguments.extend(items),
                    item => arguments.push(item),
                }
            }
            Term::Generic { base: Box::new(base), arguments }
        }
        "generic_type" => {
            let all = parts(node);
            let Some((base, rest)) = all.split_first() else { return Term::Other };
            let arguments = rest.iter().flat_map(|&list| parts(list)).map(inner).collect();
            Term::Generic { base: Box::new(inner(*base)), arguments }
        }
        "binary_operator" if field(node, "operator").is_some_and(|sign| sign.kind() == "|") => {
            let sides = [field(node, "left"), field(node, "right")];
            union(sides.into_iter().flatten().map(inner))
        }
        "binary_operator" if field(node, "operator").is_some_and(|sign| sign.kind() == "+") => {
            let mut parts = Vec::new();
            for side in [field(node, "left"), field(node, "right")].into_iter().flatten().map(inner) {
                match side {
                    Term::Sum(inner) => parts.extend(inner),
                    other => parts.push(other),
                }
            }
            Term::Sum(parts)
        }
        "union_type" => union(parts(node).into_iter().map(inner)),
        "type" | "parenthesized_expression" | "expression_statement" => match parts(node)[..] {
            [one] => inner(one),
            _ => Term::Other,
        },
        "list" | "tuple" | "set" | "expression_list" => {
            Term::List(parts(node).into_iter().map(inner).collect())
        }
        "string" => {
            let content = parts(node);
            if content.iter().any(|part| part.kind() == "interpolation") {
                return Term::Other;
            }
            let body: String = content
                .iter()
                .filter(|part| part.kind() == "string_content")
                .map(|&part| slice(part))
                .collect();
            Term::Text(Name::new(&body))
        }
        "concatenated_string" => {
            let mut body = String::new();
            for piece in parts(node) {
                let Term::Text(text) = inner(piece) else { return Term::Other };
                body.push_str(&text);
            }
            Term::Text(Name::new(&body))
        }
        // A dictionary with plain keys says the same as a call of `dict`.
        "dictionary" => {
            let mut keywords = Vec::new();
            for pair in parts(node) {
                if let (Some(key), Some(value)) = (field(pair, "key").map(inner), field(pair, "value"))
                    && let Term::Text(name) = key
                {
                    keywords.push((name, inner(value)));
                }
            }
            let callee = Box::new(Term::Path(Name::new("dict")));
            Term::Call { callee, arguments: Vec::new(), keywords }
        }
        "integer" => slice(node).replace('_', "").parse().map_or(Term::Other, Term::Number),
        "none" => Term::None,
        "true" => Term::Switch(true),
        "false" => Term::Switch(false),
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
