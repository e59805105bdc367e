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
    /// Whether a table of links stands between both.
    pub is_linked: bool,
    /// Whether rows in it are saved with the row that holds them.
    pub saves: bool,
    /// Whether rows in it are removed with the row that holds them.
    pub deletes: bool,
    /// Whether rows that are taken out of it are removed.
    pub deletes_orphans: bool,
}

impl Relation {
    /// A relationship that takes no row along.
    pub(super) fn plain(target: ClassId, is_many: Option<bool>) -> Relation {
        Relation { target, is_many, is_linked: false, saves: false, deletes: false, deletes_orphans: false }
    }
}

/// What a relationship does to the rows in it, as its keywords say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cascade {
    is_linked: bool,
    saves: bool,
    deletes: bool,
    deletes_orphans: bool,
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
                if let Some((target, is_many, cascade)) = declared(field)
                    && let Some(&Some(target)) = by_name.get(&target)
                {
                    let Cascade { is_linked, saves, deletes, deletes_orphans } = cascade;
                    let relation = Relation { target, is_many, is_linked, saves, deletes, deletes_orphans };
                    model.relations.entry(field.name).or_insert(relation);
                }
            }
        }
    }
}

fn declared(field: &Field) -> Option<(Name, Option<bool>, Cascade)> {
    let Some(Term::Call { callee, arguments, keywords }) = &field.value else { return None };
    let Term::Path(callee) = &**callee else { return None };
    if !matches!(callee.last(), "relationship" | "Relationship") {
        return None;
    }
    let says_one = |(name, value): &(Name, Term)| &**name == "uselist" && *value == Term::Switch(false);
    let by_keyword = keywords.iter().any(says_one).then_some(false);
    let annotated = field.annotation.as_ref().and_then(target);
    let cascade = cascade(keywords);
    match (arguments.first().and_then(class_name), annotated) {
        (Some(named), Some((_, is_many))) => Some((named, by_keyword.or(Some(is_many)), cascade)),
        // Only a collection can lose single rows.
        (Some(named), None) => Some((named, by_keyword.or(cascade.deletes_orphans.then_some(true)), cascade)),
        (None, Some((named, is_many))) => Some((named, by_keyword.or(Some(is_many)), cascade)),
        (None, None) => None,
    }
}

/// What `cascade=`, `viewonly=`, `passive_deletes=` and `secondary=` say; SQLModel has `cascade_delete=`.
fn cascade(keywords: &[(Name, Term)]) -> Cascade {
    let given = |wanted: &str| keywords.iter().find(|(name, _)| &**name == wanted).map(|(_, value)| value);
    let is_on = |wanted: &str| given(wanted) == Some(&Term::Switch(true));
    let is_view = is_on("viewonly");
    // The database removes the rows, or whoever wrote this keeps them: the session does not.
    let is_left = matches!(given("passive_deletes"), Some(Term::Text(text)) if &**text == "all");
    let told = match given("cascade") {
        Some(Term::Text(text)) => Some(text.split(',').map(str::trim).collect::<Vec<&str>>()),
        Some(_) => Some(Vec::new()),
        None => None,
    };
    let has = |word: &str| told.as_ref().is_some_and(|told| told.contains(&word));
    let by_keyword = is_on("cascade_delete");
    Cascade {
        is_linked: given("secondary").is_some() || given("link_model").is_some(),
        saves: !is_view && (told.is_none() || has("all") || has("save-update")),
        deletes: !is_view && !is_left && (has("all") || has("delete") || by_keyword),
        deletes_orphans: !is_view && (has("delete-orphan") || by_keyword),
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
