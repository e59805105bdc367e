//! project/relation: where relationships of models lead to.

use rustc_hash::FxHashMap;

use crate::facts::{Field, Term};
use crate::name::Name;

use super::{ClassId, Model, Project};

/// A relationship of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relation {
    /// The model it leads to.
    pub target: ClassId,
    /// Whether it leads to many rows; nothing where the declaration does not say.
    pub is_many: Option<bool>,
}

/// Tells every model where its relationships lead to. Targets are named as the declarative registry names them: by the
/// class alone; a name that several models have leads nowhere.
pub(super) fn relate(project: &Project, models: &mut FxHashMap<ClassId, Model>) {
    let mut by_name: FxHashMap<Name, Option<ClassId>> = FxHashMap::default();
    for &class in models.keys() {
        let known = by_name.entry(project.class(class).name).or_insert(Some(class));
        if *known != Some(class) {
            *known = None;
        }
    }
    for (&class, model) in models {
        for ancestor in project.hierarchy(class).classes() {
            for field in &project.class(ancestor).fields {
                if let Some((target, is_many)) = declared(field)
                    && let Some(&Some(target)) = by_name.get(&target)
                {
                    model.relations.entry(field.name).or_insert(Relation { target, is_many });
                }
            }
        }
    }
}

fn declared(field: &Field) -> Option<(Name, Option<bool>)> {
    let Some(Term::Call { callee, arguments, keywords }) = &field.value else { return None };
    let Term::Path(callee) = &**callee else { return None };
    if !matches!(callee.last(), "relationship" | "Relationship") {
        return None;
    }
    let says_one = |(name, value): &(Name, Term)| &**name == "uselist" && *value == Term::Switch(false);
    let by_keyword = keywords.iter().any(says_one).then_some(false);
    let annotated = field.annotation.as_ref().and_then(target);
    match (arguments.first().and_then(class_name), annotated) {
        (Some(named), Some((_, is_many))) => Some((named, by_keyword.or(Some(is_many)))),
        (Some(named), None) => Some((named, by_keyword)),
        (None, Some((named, is_many))) => Some((named, by_keyword.or(Some(is_many)))),
        (None, None) => None,
    }
}

/// The class in an annotation, and whether it stands in a collection.
fn target(annotation: &Term) -> Option<(Name, bool)> {
    match annotation {
        Term::Generic { base, arguments } => {
            let Term::Path(base) = &**base else { return None };
            let (name, is_many) = arguments.first().and_then(target)?;
            let is_collection = matches!(
                base.last(),
                "list" | "List" | "set" | "Set" | "Sequence" | "WriteOnlyMapped" | "DynamicMapped"
            );
            Some((name, is_many || is_collection))
        }
        Term::Union(members) => members.iter().find_map(target),
        other => class_name(other).map(|name| (name, false)),
    }
}

fn class_name(term: &Term) -> Option<Name> {
    let path = match term {
        Term::Path(path) | Term::Text(path) => *path,
        _ => return None,
    };
    let last = path.last();
    let is_name = !last.is_empty() && last.chars().all(|c| c.is_alphanumeric() || c == '_');
    is_name.then(|| Name::new(last))
}
