//! project/django: classes that Django maps to tables: their fields, constraints, managers, and what leads to them.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::{Field, FileFacts, Term};
use crate::name::Name;
use crate::source::Span;

use super::model::{Column, Model};
use super::relation::Relation;
use super::{Ancestor, ClassId, FileId, FunctionId, Project, Symbol};

pub use choices::Choices;
pub use manager::Manager;

mod choices;
mod known;
mod manager;

/// What a class says about its table in Django's way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Django {
    /// Its fields by name, inherited ones included.
    pub fields: FxHashMap<Name, DjangoField>,
    /// Sets of fields that no two rows have in common; a field that is unique by itself is such a set, too.
    pub unique: Vec<Vec<Name>>,
    /// Its managers by name.
    pub managers: FxHashMap<Name, Manager>,
    /// What rows that point here add to it, by the name it is reached under.
    pub reverse: FxHashMap<Name, Reverse>,
    /// Whether rows of it are made of rows of a mapped parent and of its own.
    pub has_parent: bool,
    /// Whether an external base makes `save(update_fields=…)` write its own time all the same.
    pub adds_to_update_fields: bool,
}

/// One field of a Django model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DjangoField {
    /// The field's class, by the last part of its path.
    pub kind: Name,
    /// Every `save()` fills it anew.
    pub auto_now: bool,
    /// The insert fills it.
    pub auto_now_add: bool,
    /// It has a default.
    pub default: bool,
    /// It may be NULL.
    pub null: bool,
    /// No two rows have the same value.
    pub unique: bool,
    /// How long a text may be.
    pub max_length: Option<u32>,
    /// Which values it is meant to have.
    pub choices: Choices,
    /// The relation it is.
    pub relation: Option<DjangoRelation>,
    /// The class that declares it, itself or an abstract base or a parent.
    pub declared_in: ClassId,
    /// Where its name is written.
    pub span: Span,
}

/// A relation of a Django model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DjangoRelation {
    /// How many rows it leads to.
    pub to: To,
    /// The model, where that could be told.
    pub target: Option<ClassId>,
}

/// How many rows a relation leads to, and how many lead back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// `ForeignKey`: one, and many lead back.
    One,
    /// `OneToOneField`: one, and one leads back.
    Only,
    /// `ManyToManyField`.
    Many,
}

/// What a row is reached by from the row it points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reverse {
    /// The model that points here.
    pub model: ClassId,
    /// Its field.
    pub field: Name,
    /// How the field points.
    pub to: To,
}

impl Project {
    /// What a class says about its table in Django's way, where Django maps it.
    pub fn django(&self, class: ClassId) -> Option<&Django> {
        self.model(class)?.django.as_deref()
    }

    /// Whether a class is a Django model, an abstract one included.
    pub fn is_django_class(&self, class: ClassId) -> bool {
        self.hierarchy(class).externals().any(|path| known::is_model(&path))
    }

    /// Whether instances of a class are rows of Django's: it is a model, or a mixin of models alone.
    pub fn is_django_part(&self, class: ClassId) -> bool {
        let is_model = |class: &ClassId| self.is_django_class(*class);
        let heirs = || self.heirs_of(class);
        is_model(&class) || !heirs().is_empty() && heirs().iter().all(is_model)
    }

    /// Whether instances of a class are managers or query sets of Django.
    pub fn is_django_manager(&self, class: ClassId) -> bool {
        self.hierarchy(class).externals().any(|path| known::is_manager(&path))
    }

    /// The models that hand out a manager or query set of a class, or of one that derives from it.
    pub fn models_managed_by(&self, class: ClassId) -> &[ClassId] {
        self.managed.get(&class).map_or(&[], Vec::as_slice)
    }

    /// The class that is written inside another one under a name: `Meta` above all.
    pub fn nested_class(&self, class: ClassId, name: &str) -> Option<ClassId> {
        let (outer, named) = (self.class(class), self.all_within(class, name)?);
        // Where a class is defined twice, each has its own.
        let inside = |index: &&u32| {
            let span = self.file(class.file).facts.classes[**index as usize].span;
            outer.span.contains(span)
        };
        named.iter().rev().find(inside).map(|&index| ClassId { file: class.file, index })
    }

    /// The first class of a file that is written inside another one under a name.
    pub(super) fn class_within(&self, class: ClassId, name: Name) -> Option<ClassId> {
        let first = *self.all_within(class, &name)?.first()?;
        Some(ClassId { file: class.file, index: first })
    }

    fn all_within(&self, class: ClassId, name: &str) -> Option<&[u32]> {
        let nested = &self.file(class.file).nested;
        // Most files have no such class.
        if nested.is_empty() {
            return None;
        }
        nested.get(format!("{}.{name}", self.class(class).qualname).as_str()).map(Vec::as_slice)
    }

    /// The one model of users, which settings stand for.
    pub fn user_model(&self) -> Option<ClassId> {
        self.user
    }

    /// The override of a method that Django defines for every model.
    pub fn django_override(&self, model: ClassId, method: &str) -> Option<FunctionId> {
        self.method(model, Name::new(method))
    }
}

/// By qualified name: the classes of a file that are written inside others.
pub(super) fn nested(facts: &FileFacts) -> FxHashMap<Box<str>, Vec<u32>> {
    let mut found: FxHashMap<Box<str>, Vec<u32>> = FxHashMap::default();
    for (index, class) in (0..).zip(&facts.classes) {
        if class.qualname.contains('.') {
            found.entry(class.qualname.as_str().into()).or_default().push(index);
        }
    }
    found
}

/// Whether a class has a table of its own: it is no abstract base.
pub(super) fn is_mapped(project: &Project, class: ClassId) -> bool {
    project.is_django_class(class) && !is_abstract(project, class)
}

fn is_abstract(project: &Project, class: ClassId) -> bool {
    let meta = project.nested_class(class, "Meta");
    meta.is_some_and(|meta| option(project, meta, "abstract") == Some(&Term::Switch(true)))
}

/// What the own body of a `Meta` says of an option.
fn option<'p>(project: &'p Project, meta: ClassId, name: &str) -> Option<&'p Term> {
    let fields = &project.class(meta).fields;
    fields.iter().rev().find(|field| &*field.name == name).and_then(|field| field.value.as_ref())
}

/// The nearest `Meta` in the line of a class; an abstract base hands its own on.
fn meta(project: &Project, class: ClassId) -> Option<ClassId> {
    project.hierarchy(class).classes().find_map(|class| project.nested_class(class, "Meta"))
}

/// The model of a class that Django maps.
pub(super) fn model(project: &Project, class: ClassId) -> Model {
    let line = project.hierarchy(class);
    let mut model = Model { table: table(project, class), ..Model::default() };
    let mut django = Django::default();
    for ancestor in &line.line {
        let owner = match ancestor {
            Ancestor::Project(owner) => *owner,
            Ancestor::External(path) => {
                let columns = known::columns(path);
                model.is_open |= columns.is_none();
                for &(name, column) in columns.unwrap_or_default() {
                    model.columns.entry(Name::new(name)).or_insert(column);
                }
                django.adds_to_update_fields |= known::adds_to_update_fields(path);
                continue;
            }
        };
        django.has_parent |= owner != class && is_mapped(project, owner);
        let facts = project.class(owner);
        for field in &facts.fields {
            // What a class nearer to the model says of a name hides what its ancestors say.
            if model.defines(field.name) {
                continue;
            }
            match declared(project, owner, field) {
                Some(declared) => {
                    add_field(&mut model, field.name, &declared);
                    django.fields.insert(field.name, declared);
                }
                None => {
                    if let Some(manager) = manager::of_field(project, owner, field) {
                        django.managers.insert(field.name, manager);
                    }
                    model.other_names.insert(field.name);
                }
            }
        }
        model.other_names.extend(facts.methods.iter().map(|(name, _)| *name));
    }
    for name in ["pk", "id", "objects", "_state"] {
        model.other_names.insert(Name::new(name));
    }
    django.managers.entry(Name::new("objects")).or_default();
    django.unique = unique(project, class, &django);
    model.django = Some(Box::new(django));
    model
}

fn add_field(model: &mut Model, name: Name, field: &DjangoField) {
    let is_column = field.relation.is_none_or(|relation| relation.to != To::Many);
    if !is_column {
        model.other_names.insert(name);
        return;
    }
    let column = Column {
        default: field.default || field.auto_now || field.auto_now_add,
        on_update: field.auto_now,
        ..Column::default()
    };
    model.columns.insert(name, column);
    if field.relation.is_some() {
        // The key itself, beside the row it stands for.
        model.other_names.insert(Name::new(&format!("{name}_id")));
    }
}

/// The field that an assignment in the body of a class declares.
fn declared(project: &Project, owner: ClassId, field: &Field) -> Option<DjangoField> {
    let Some(Term::Call { callee, arguments, keywords }) = &field.value else { return None };
    let Term::Path(path) = &**callee else { return None };
    let (kind, keeps_time) = kind(project, owner.file, *path)?;
    let value = |name: &str| keywords.iter().find(|(known, _)| &**known == name).map(|(_, value)| value);
    let on = |name: &str| value(name) == Some(&Term::Switch(true));
    let given = |name: &str| value(name).is_some();
    let relation = match kind.as_str() {
        kind if kind.ends_with("ForeignKey") => Some(To::One),
        kind if kind.ends_with("OneToOneField") => Some(To::Only),
        kind if kind.ends_with("ManyToManyField") => Some(To::Many),
        _ => None,
    };
    Some(DjangoField {
        kind,
        auto_now: on("auto_now") || keeps_time == Some(known::Keeps::LastSave),
        auto_now_add: on("auto_now_add") || keeps_time == Some(known::Keeps::Insert),
        default: given("default") || given("db_default"),
        null: on("null"),
        unique: on("unique") || on("primary_key") || relation == Some(To::Only),
        max_length: match value("max_length") {
            Some(Term::Number(number)) => u32::try_from(*number).ok(),
            _ => None,
        },
        choices: value("choices").map_or(Choices::Free, |term| choices::of(project, owner, term)),
        // Targets are told once every model is known.
        relation: relation.map(|to| DjangoRelation { to, target: None }),
        declared_in: owner,
        span: field.span,
    })
    .filter(|_| relation.is_none() || !arguments.is_empty() || given("to"))
}

/// The class of a field by its own name, and the time it keeps by itself.
fn kind(project: &Project, file: FileId, path: Name) -> Option<(Name, Option<known::Keeps>)> {
    match project.resolve_path(file, path) {
        Some(Symbol::Class(class)) => {
            let externals = project.hierarchy(class).externals();
            let above = externals.filter(|path| known::is_field(path.last())).last()?;
            let own = project.class(class).name;
            // A field of the project's own that fills itself may fill itself with anything.
            let relation = ["ForeignKey", "OneToOneField", "ManyToManyField"].contains(&above.last());
            Some((if relation { Name::new(above.last()) } else { own }, known::keeps(above.last())))
        }
        Some(Symbol::External(path)) => {
            known::is_field(path.last()).then(|| (Name::new(path.last()), known::keeps(path.last())))
        }
        None => known::is_field(path.last()).then(|| (Name::new(path.last()), None)),
        Some(_) => None,
    }
}

fn table(project: &Project, class: ClassId) -> Option<Name> {
    let own = project.nested_class(class, "Meta");
    match own.and_then(|meta| option(project, meta, "db_table")) {
        Some(Term::Text(name)) => return Some(Name::new(&name.replace('"', "").to_ascii_lowercase())),
        Some(_) => return None,
        None => {}
    }
    let label = app_label(project, class)?;
    Some(Name::new(&format!("{label}_{}", project.class(class).name).to_ascii_lowercase()))
}

/// The app a model belongs to: the folder that its `models` stand in.
fn app_label(project: &Project, class: ClassId) -> Option<Name> {
    let own = project.nested_class(class, "Meta");
    if let Some(Term::Text(label)) = own.and_then(|meta| option(project, meta, "app_label")) {
        return Some(*label);
    }
    let module = project.module_name(class.file);
    let mut parts: Vec<&str> = module.split('.').collect();
    let at = parts.iter().rposition(|part| *part == "models")?;
    parts.truncate(at);
    parts.last().map(|label| Name::new(label))
}

/// The sets of fields that no two rows have in common.
fn unique(project: &Project, class: ClassId, django: &Django) -> Vec<Vec<Name>> {
    let mut found: Vec<Vec<Name>> =
        django.fields.iter().filter(|(_, field)| field.unique).map(|(name, _)| vec![*name]).collect();
    found.sort();
    let Some(meta) = meta(project, class) else { return found };
    let names = |term: &Term| -> Option<Vec<Name>> {
        let Term::List(items) = term else { return None };
        let name = |item: &Term| match item {
            Term::Text(name) => Some(*name),
            _ => None,
        };
        items.iter().map(name).collect()
    };
    if let Some(term) = option(project, meta, "unique_together") {
        // One set, or several.
        match (names(term), term) {
            (Some(one), _) => found.push(one),
            (None, Term::List(sets)) => found.extend(sets.iter().filter_map(names)),
            _ => {}
        }
    }
    let Some(Term::List(constraints)) = option(project, meta, "constraints") else { return found };
    for constraint in constraints {
        let Term::Call { callee, keywords, .. } = constraint else { continue };
        let is_unique = matches!(&**callee, Term::Path(path) if path.last() == "UniqueConstraint");
        let fields = keywords.iter().find(|(name, _)| &**name == "fields");
        if let (true, Some((_, fields))) = (is_unique, fields) {
            found.extend(names(fields));
        }
    }
    found
}

/// Tells every Django model where its relations lead to, and what leads back.
pub(super) fn relate(project: &Project, models: &mut FxHashMap<ClassId, Model>) {
    let mut by_name: FxHashMap<Name, Vec<ClassId>> = FxHashMap::default();
    let mut ordered: Vec<ClassId> =
        models.iter().filter(|(_, model)| model.django.is_some()).map(|(class, _)| *class).collect();
    ordered.sort();
    for &class in &ordered {
        by_name.entry(project.class(class).name).or_default().push(class);
    }
    let user = the_user(project, &ordered);
    let is_model = |class: &ClassId| ordered.binary_search(class).is_ok();
    let mut backwards: Vec<(ClassId, Name, Reverse)> = Vec::new();
    for &class in &ordered {
        let model = models.get_mut(&class).expect("internal error: an ordered model is a model");
        let django = model.django.as_mut().expect("internal error: an ordered model is Django's");
        let mut names: Vec<Name> = django.fields.keys().copied().collect();
        names.sort();
        for name in names {
            let field = django.fields.get_mut(&name).expect("internal error: a name of a field");
            let Some(relation) = &mut field.relation else { continue };
            let owner = field.declared_in;
            let Some((target, back)) = written(project, owner, name) else { continue };
            let target = match target {
                Target::Own => Some(class),
                Target::User => user,
                Target::Class(class) => Some(class).filter(is_model),
                Target::Named(app, name) => {
                    let all = by_name.get(&name).map_or(&[][..], Vec::as_slice);
                    let of_app = |class: &&ClassId| {
                        app.is_none_or(|app| app_label(project, **class).is_some_and(|label| label == app))
                    };
                    match all {
                        [only] => Some(*only),
                        all => all.iter().find(of_app).copied(),
                    }
                }
            };
            relation.target = target;
            let Some(target) = target else { continue };
            let to = relation.to;
            if to != To::Many {
                model.relations.insert(name, Relation::plain(target, Some(false)));
            }
            let own = project.class(class).name.to_ascii_lowercase();
            let back = match back {
                Some(back) if back.ends_with('+') => continue,
                // `%(class)s_set` is filled in for every heir.
                Some(back) => Name::new(
                    &back
                        .replace("%(class)s", &own)
                        .replace("%(app_label)s", app_label(project, class).map_or("", Name::as_str)),
                ),
                None if to == To::Only => Name::new(&own),
                None => Name::new(&format!("{own}_set")),
            };
            backwards.push((target, back, Reverse { model: class, field: name, to }));
        }
    }
    // What leads to a parent leads to its heirs.
    for (target, name, reverse) in backwards {
        for class in std::iter::once(&target).chain(project.heirs_of(target)) {
            let Some(model) = models.get_mut(class).filter(|model| !model.defines(name)) else { continue };
            if let Some(django) = &mut model.django {
                model.other_names.insert(name);
                django.reverse.entry(name).or_insert(reverse);
            }
        }
    }
}

/// The one model of users among all, which settings stand for.
fn the_user(project: &Project, models: &[ClassId]) -> Option<ClassId> {
    let is_user = |class: &&ClassId| project.hierarchy(**class).externals().any(|path| known::is_user(&path));
    let mut users = models.iter().filter(is_user);
    match (users.next(), users.next()) {
        (Some(only), None) => Some(*only),
        _ => None,
    }
}

/// The one model of users of a project.
pub(super) fn user(project: &Project) -> Option<ClassId> {
    let all: Vec<ClassId> =
        project.class_ids().into_iter().filter(|class| project.django(*class).is_some()).collect();
    the_user(project, &all)
}

/// What the declaration of a relation names as its target.
enum Target {
    Own,
    User,
    Class(ClassId),
    Named(Option<Name>, Name),
}

/// The target of a relation as it is written, and the name it gives the way back.
fn written(project: &Project, owner: ClassId, name: Name) -> Option<(Target, Option<Name>)> {
    let field = project.class(owner).fields.iter().rev().find(|field| field.name == name)?;
    let Some(Term::Call { arguments, keywords, .. }) = &field.value else { return None };
    let keyword = |name: &str| keywords.iter().find(|(known, _)| &**known == name).map(|(_, value)| value);
    let back = match keyword("related_name") {
        Some(Term::Text(name)) => Some(*name),
        Some(_) => Some(Name::new("+")),
        None => None,
    };
    let target = match arguments.first().or_else(|| keyword("to"))? {
        Term::Text(text) if text.as_str() == "self" => Target::Own,
        Term::Text(text) => match text.rsplit_once('.') {
            Some((app, class)) => Target::Named(Some(Name::new(app)), Name::new(class)),
            None => Target::Named(None, *text),
        },
        Term::Path(path) if path.last() == "AUTH_USER_MODEL" => Target::User,
        Term::Call { callee, .. } if matches!(&**callee, Term::Path(path) if path.last() == "get_user_model") => {
            Target::User
        }
        Term::Path(path) => match project.resolve_path(owner.file, *path) {
            Some(Symbol::Class(class)) => Target::Class(class),
            Some(Symbol::Variable(file, name)) => match project.declared_call(file, name) {
                Some(Symbol::External(path)) if path.last() == "get_user_model" => Target::User,
                _ => return None,
            },
            Some(Symbol::External(path)) if path.ends_with("auth.models.User") => Target::User,
            _ => return None,
        },
        _ => return None,
    };
    Some((target, back))
}

/// By manager or query set class: the models that hand it out.
pub(super) fn managed(project: &Project) -> FxHashMap<ClassId, Vec<ClassId>> {
    let mut found: FxHashMap<ClassId, Vec<ClassId>> = FxHashMap::default();
    for class in project.class_ids() {
        let Some(django) = project.django(class) else { continue };
        let classes: FxHashSet<ClassId> =
            django.managers.values().flat_map(|manager| manager.classes.iter().copied()).collect();
        let above: FxHashSet<ClassId> =
            classes.iter().flat_map(|class| project.hierarchy(*class).classes()).collect();
        for manager in above {
            found.entry(manager).or_default().push(class);
        }
    }
    found
}

/// The attributes under which Django keeps the keys of the rows that an actor's field points to.
pub(super) fn keys_of_actors(project: &Project) -> FxHashMap<Name, crate::duty::Duty> {
    let mut found = FxHashMap::default();
    for class in project.class_ids() {
        let Some(django) = project.django(class) else { continue };
        for (name, field) in &django.fields {
            if field.relation.is_some()
                && let Some(duty) = project.roles.of_field(name)
            {
                found.insert(Name::new(&format!("{name}_id")), duty);
            }
        }
    }
    found
}
