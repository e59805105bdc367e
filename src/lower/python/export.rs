//! lower/python/export: what a module says it exports: every statement about `__all__` at its top level.

use crate::facts::Export;
use crate::name::Name;

use super::tree::{Kind, Node, Role};

/// The statements about `__all__` in source order; `None` when there is none.
pub(super) fn exports(text: &str, module: Node<'_>) -> Option<Vec<Export>> {
    let mut found: Option<Vec<Export>> = None;
    let mut waiting: Vec<Node<'_>> = module.parts().rev().collect();
    while let Some(node) = waiting.pop() {
        match node.kind() {
            Kind::ExpressionStatement
            | Kind::IfStatement
            | Kind::ElseClause
            | Kind::ElifClause
            | Kind::Block
            | Kind::TryStatement
            | Kind::ExceptClause => {
                waiting.extend(node.parts().rev());
            }
            Kind::Assignment | Kind::AugmentedAssignment => {
                if let (Some(left), Some(right)) = (node.field(Role::Left), node.field(Role::Right))
                    && &text[left.range()] == "__all__"
                {
                    // A plain assignment starts anew.
                    if node.kind() == Kind::Assignment {
                        found = None;
                    }
                    found.get_or_insert_default().extend(listed(text, right));
                }
            }
            Kind::Call => {
                let (Some(callee), Some(arguments)) =
                    (node.field(Role::Function), node.field(Role::Arguments))
                else {
                    continue;
                };
                let Some(method) = text[callee.range()].strip_prefix("__all__.") else { continue };
                let exports = found.get_or_insert_default();
                match (method, arguments.first_part()) {
                    ("append", Some(item)) => match text_of(text, item) {
                        Some(name) => exports.push(Export::Names(vec![name])),
                        None => exports.push(Export::Unknown),
                    },
                    ("extend", Some(list)) => exports.extend(listed(text, list)),
                    ("remove", Some(item)) => {
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
            Kind::List | Kind::Tuple | Kind::Set | Kind::ExpressionList => {
                let mut names = Vec::new();
                for item in node.parts() {
                    match (item.kind(), text_of(text, item)) {
                        (_, Some(name)) => names.push(name),
                        (Kind::ListSplat, None) => waiting.extend(item.parts()),
                        _ => found.push(Export::Unknown),
                    }
                }
                found.push(Export::Names(names));
            }
            Kind::BinaryOperator => {
                waiting.extend([node.field(Role::Right), node.field(Role::Left)].into_iter().flatten())
            }
            Kind::ParenthesizedExpression => waiting.extend(node.parts()),
            Kind::Call => {
                // `list(other.__all__)`
                let arguments =
                    node.field(Role::Arguments).map_or_else(Vec::new, |list| list.parts().collect());
                match (&text[node.field(Role::Function).map_or(0..0, |f| f.range())], &arguments[..]) {
                    ("list" | "tuple" | "sorted" | "set", &[inner]) => waiting.push(inner),
                    _ => found.push(Export::Unknown),
                }
            }
            Kind::Attribute if text[node.range()].ends_with(".__all__") => {
                found.push(Export::Of(Name::new(&text[node.range()])));
            }
            _ => found.push(Export::Unknown),
        }
    }
    found
}

fn text_of(text: &str, node: Node<'_>) -> Option<Name> {
    if node.kind() != Kind::String {
        return None;
    }
    let content = node.parts().filter(|part| part.kind() == Kind::StringContent);
    Some(Name::new(&content.map(|part| &text[part.range()]).collect::<String>()))
}
