//! lower/python/export: what a module says it exports: every statement about `__all__` at its top level.

use tree_sitter::Node;

use crate::facts::Export;
use crate::name::Name;

use super::{field, parts};

/// The statements about `__all__` in source order; `None` when there is none.
pub(super) fn exports(text: &str, module: Node<'_>) -> Option<Vec<Export>> {
    let mut found: Option<Vec<Export>> = None;
    let mut waiting: Vec<Node<'_>> = parts(module);
    waiting.reverse();
    while let Some(node) = waiting.pop() {
        match node.kind() {
            "expression_statement"
            | "if_statement"
            | "else_clause"
            | "elif_clause"
            | "block"
            | "try_statement"
            | "except_clause" => {
                let mut inner = parts(node);
                inner.reverse();
                waiting.extend(inner);
            }
            "assignment" | "augmented_assignment" => {
                if let (Some(left), Some(right)) = (field(node, "left"), field(node, "right"))
                    && &text[left.byte_range()] == "__all__"
                {
                    // A plain assignment starts anew.
                    if node.kind() == "assignment" {
                        found = None;
                    }
                    found.get_or_insert_default().extend(listed(text, right));
                }
            }
            "call" => {
                let (Some(callee), Some(arguments)) = (field(node, "function"), field(node, "arguments"))
                else {
                    continue;
                };
                let Some(method) = text[callee.byte_range()].strip_prefix("__all__.") else { continue };
                let exports = found.get_or_insert_default();
                match (method, parts(arguments).first()) {
                    ("append", Some(&item)) => match text_of(text, item) {
                        Some(name) => exports.push(Export::Names(vec![name])),
                        None => exports.push(Export::Unknown),
                    },
                    ("extend", Some(&list)) => exports.extend(listed(text, list)),
                    ("remove", Some(&item)) => {
                        let gone = text_of(text, item);
                        for export in exports {
                            if let Export::Names(names) = export {
                                names.retain(|name| Some(*name) != gone);
                            }
                        }
                    }
                    _ => exports.push(Export::Unknown),
                }
            }
            _ => {}
        }
    }
    found
}

fn listed(text: &str, node: Node<'_>) -> Vec<Export> {
    let mut found = Vec::new();
    let mut waiting = vec![node];
    while let Some(node) = waiting.pop() {
        match node.kind() {
            "list" | "tuple" | "set" | "expression_list" => {
                let mut names = Vec::new();
                for item in parts(node) {
                    match (item.kind(), text_of(text, item)) {
                        (_, Some(name)) => names.push(name),
                        ("list_splat", None) => waiting.extend(parts(item)),
                        _ => found.push(Export::Unknown),
                    }
                }
                found.push(Export::Names(names));
            }
            "binary_operator" => {
                waiting.extend([field(node, "right"), field(node, "left")].into_iter().flatten())
            }
            "parenthesized_expression" => waiting.extend(parts(node)),
            "call" => {
                // `list(other.__all__)`
                let arguments = field(node, "arguments").map(parts).unwrap_or_default();
                match (&text[field(node, "function").map_or(0..0, |f| f.byte_range())], &arguments[..]) {
                    ("list" | "tuple" | "sorted" | "set", &[inner]) => waiting.push(inner),
                    _ => found.push(Export::Unknown),
                }
            }
            "attribute" if text[node.byte_range()].ends_with(".__all__") => {
                found.push(Export::Of(Name::new(&text[node.byte_range()])));
            }
            _ => found.push(Export::Unknown),
        }
    }
    found
}

fn text_of(text: &str, node: Node<'_>) -> Option<Name> {
    if node.kind() != "string" {
        return None;
    }
    let content = parts(node).into_iter().filter(|part| part.kind() == "string_content");
    Some(Name::new(&content.map(|part| &text[part.byte_range()]).collect::<String>()))
}
