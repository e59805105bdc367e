//! learn/column: the columns of a program's models, by name: on how many models, of which kind, filled by what.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{Field, StepKind, Term};
use crate::name::Name;
use crate::project::{ClassId, FunctionId, Project};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Time,
    Flag,
    /// The key of another row.
    Key,
    /// A text, a number or an identifier.
    Plain,
    Unknown,
}

/// Columns of one name.
#[derive(Clone, Debug)]
pub(super) struct Column {
    /// The name, without underscores before it.
    pub(super) name: String,
    /// The models that have it.
    pub(super) models: BTreeSet<ClassId>,
    /// Whether several of them have it from one class above them.
    pub(super) is_shared: bool,
    /// On how many models it is of each kind.
    kinds: BTreeMap<Kind, usize>,
    /// On how many models a default fills it at the insert.
    pub(super) filled_at_insert: usize,
    /// On how many models every update fills it.
    pub(super) filled_at_update: usize,
    /// What relationships to the row whose key it holds are called.
    pub(super) relations: BTreeSet<Name>,
}

impl Column {
    /// What most of these columns hold.
    pub(super) fn kind(&self) -> Kind {
        let known = self.kinds.iter().filter(|(kind, _)| **kind != Kind::Unknown);
        known.max_by_key(|(_, times)| **times).map_or(Kind::Unknown, |(kind, _)| *kind)
    }
}

/// The columns of some models, by name.
pub(super) fn columns(project: &Project, models: &[ClassId]) -> BTreeMap<String, Column> {
    let mut found: BTreeMap<String, Column> = BTreeMap::new();
    let mapped: BTreeSet<ClassId> = models.iter().copied().collect();
    for &class in models {
        let Some(model) = project.model(class) else { continue };
        for (name, column) in &model.columns {
            let bare = name.trim_start_matches('_');
            if bare.is_empty() {
                continue;
            }
            let known = found.entry(bare.to_owned()).or_insert_with(|| Column {
                name: bare.to_owned(),
                models: BTreeSet::new(),
                is_shared: false,
                kinds: BTreeMap::new(),
                filled_at_insert: 0,
                filled_at_update: 0,
                relations: BTreeSet::new(),
            });
            known.models.insert(class);
            *known.kinds.entry(kind(project, class, *name)).or_default() += 1;
            known.filled_at_insert += usize::from(column.default || column.server_default || column.factory);
            known.filled_at_update += usize::from(column.on_update);
            known.is_shared |= owner(project, class, *name).is_some_and(|owner| {
                let heirs = project.heirs_of(owner).iter().filter(|heir| mapped.contains(heir));
                heirs.count() + usize::from(mapped.contains(&owner)) > 1
            });
            let without_key = bare.strip_suffix("_id").or_else(|| bare.strip_suffix("_fk"));
            if let Some(relation) = without_key.map(Name::new)
                && model.relations.contains_key(&relation)
            {
                known.relations.insert(relation);
            }
        }
    }
    found
}

/// The class in whose body a column is written.
fn owner(project: &Project, class: ClassId, name: Name) -> Option<ClassId> {
    let has = |class: &ClassId| {
        let facts = project.class(*class);
        facts.fields.iter().any(|field| field.name == name)
            || facts.methods.iter().any(|(method, _)| *method == name)
    };
    project.hierarchy(class).classes().find(has)
}

fn kind(project: &Project, class: ClassId, name: Name) -> Kind {
    if let Some(field) = project.django(class).and_then(|django| django.fields.get(&name)) {
        let kind = field.kind.to_lowercase();
        return match &*kind {
            _ if field.relation.is_some() => Kind::Key,
            _ if field.auto_now || field.auto_now_add => Kind::Time,
            kind if kind.contains("duration") || kind == "timefield" => Kind::Plain,
            kind if kind.contains("date") || kind.contains("timestamp") => Kind::Time,
            kind if kind.contains("boolean") => Kind::Flag,
            _ => Kind::Plain,
        };
    }
    if let Some((_, field)) = project.class_field(class, name) {
        return of_field(field);
    }
    match owner(project, class, name).and_then(|owner| made_by(project, owner, name)) {
        Some(method) => of_method(project, method),
        None => Kind::Unknown,
    }
}

fn made_by(project: &Project, owner: ClassId, name: Name) -> Option<FunctionId> {
    let &(_, index) = project.class(owner).methods.iter().find(|(method, _)| *method == name)?;
    Some(FunctionId { file: owner.file, index: index as u32 })
}

/// The kind of a column by all the types that its declaration names, the first that says something.
fn of_field(field: &Field) -> Kind {
    let mut waiting: Vec<&Term> = field.annotation.iter().chain(&field.value).collect();
    let mut named = Vec::new();
    if let Some(Term::Text(text)) = &field.annotation {
        named.extend(text.split(|c: char| !c.is_alphanumeric() && c != '_'));
    }
    while let Some(term) = waiting.pop() {
        match term {
            Term::Path(path) => named.push(path.last()),
            Term::Call { callee, arguments, keywords } => {
                waiting.push(callee);
                waiting.extend(arguments);
                let of_type = |(name, _): &&(Name, Term)| {
                    matches!(&**name, "type_" | "sa_type" | "sa_column" | "foreign_key")
                };
                if keywords.iter().any(|(name, value)| &**name == "foreign_key" && *value != Term::None) {
                    named.push("ForeignKey");
                }
                waiting.extend(keywords.iter().filter(of_type).map(|(_, value)| value));
            }
            Term::Generic { base, arguments } => {
                waiting.push(base);
                waiting.extend(arguments);
            }
            Term::Union(all) => waiting.extend(all),
            _ => {}
        }
    }
    of_names(named.into_iter())
}

/// The kind of a column that a method makes.
fn of_method(project: &Project, method: FunctionId) -> Kind {
    let names = project.function(method).steps.iter().filter_map(|step| match step.kind {
        StepKind::Name(name) | StepKind::Attribute { name, .. } => Some(name.as_str()),
        _ => None,
    });
    of_names(names)
}

fn of_names<'a>(names: impl Iterator<Item = &'a str>) -> Kind {
    let mut kind = Kind::Unknown;
    for name in names {
        let lower = name.to_lowercase();
        kind = kind.min(match &*lower {
            "foreignkey" => Kind::Key,
            "bool" | "boolean" => Kind::Flag,
            "date" => Kind::Time,
            lower if lower.contains("datetime") || lower.contains("timestamp") => Kind::Time,
            "str" | "int" | "string" | "text" | "integer" | "biginteger" | "uuid" | "uuid4" | "guid"
            | "unicode" | "varchar" | "float" | "numeric" | "json" | "jsonb" => Kind::Plain,
            _ => Kind::Unknown,
        });
    }
    kind
}
