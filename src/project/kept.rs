//! project/kept: what audit libraries keep a trail of: registered models, collections and routes.

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::config::Library;
use crate::facts::{Argument, ArgumentKind, Literal, StepId, StepKind, Term};
use crate::name::Name;
use crate::source::Span;

use super::{ClassId, Constant, FileId, FunctionId, Project, Setting, Symbol};

/// What audit libraries keep a trail of.
#[derive(Debug, Default)]
pub struct Kept {
    libraries: Vec<Library>,
    registrations: Vec<Registration>,
    by_model: FxHashMap<ClassId, Vec<usize>>,
    collections: FxHashSet<(ClassId, Name)>,
    routes: Vec<Route>,
}

/// A place that makes models audited by a library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The library, as an index into [`Project::libraries`].
    pub library: usize,
    /// The models, as far as they could be told.
    pub models: Vec<ClassId>,
    /// The function whose code does it.
    pub function: FunctionId,
    /// Where.
    pub span: Span,
}

/// A route that code hands to a library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The library.
    pub library: usize,
    /// The route.
    pub text: Name,
    /// The function whose code hands it over.
    pub function: FunctionId,
    /// Where the route is written.
    pub step: StepId,
}

impl Project {
    /// Knows of audit libraries.
    pub fn kept_by(mut self, libraries: &[Library]) -> Project {
        self.kept = kept(&self, libraries);
        self
    }

    /// The audit libraries that are known.
    pub fn libraries(&self) -> &[Library] {
        &self.kept.libraries
    }

    /// The places that make models audited, in path order.
    pub fn registrations(&self) -> &[Registration] {
        &self.kept.registrations
    }

    /// The routes handed to audit libraries, in path order.
    pub fn library_routes(&self) -> &[Route] {
        &self.kept.routes
    }

    /// The libraries that keep a trail of a model.
    pub fn libraries_of(&self, model: ClassId) -> impl Iterator<Item = &Library> {
        let found = self.kept.by_model.get(&model).map_or(&[][..], Vec::as_slice);
        found.iter().map(|&at| &self.kept.libraries[at])
    }

    /// Whether a library puts classes of its own into a module, beside the models it keeps a trail of.
    pub(super) fn gets_names_of_libraries(&self, file: FileId) -> bool {
        let adds = |one: &Registration| {
            self.kept.libraries[one.library].adds_names && one.models.iter().any(|model| model.file == file)
        };
        self.kept.registrations.iter().any(adds)
    }

    /// Whether a library keeps a trail of a many-to-many field.
    pub fn is_kept_collection(&self, model: ClassId, field: Name) -> bool {
        self.hierarchy(model).classes().any(|class| self.kept.collections.contains(&(class, field)))
    }
}

fn kept(project: &Project, libraries: &[Library]) -> Kept {
    let mut found = Kept { libraries: libraries.to_vec(), ..Kept::default() };
    let imported = imported(project, libraries);
    for id in project.function_ids() {
        for &at in imported.get(&id.file).map_or(&[][..], Vec::as_slice) {
            calls(project, id, at, &mut found);
        }
    }
    for class in project.class_ids() {
        for (at, library) in libraries.iter().enumerate() {
            marked(project, class, at, library, &mut found);
        }
    }
    by_settings(project, &mut found);
    found.registrations.sort_by_key(|one| (one.function.file, one.span, one.library));
    found.registrations.dedup();
    found.routes.sort_by_key(|one| (one.function, one.step));
    for registration in &found.registrations {
        for &model in &registration.models {
            let known = found.by_model.entry(model).or_default();
            if !known.contains(&registration.library) {
                known.push(registration.library);
            }
        }
    }
    found
}

/// The libraries that each file imports something of; the code of other files need not be looked at.
fn imported(project: &Project, libraries: &[Library]) -> FxHashMap<FileId, Vec<usize>> {
    let of_file = |number: usize| {
        let file = FileId(number as u32);
        let imports = &project.file(file).facts.imports;
        let top = |path: Name| path.as_str().split('.').next();
        // A project may hand a library's functions on under a path of its own.
        let tops: FxHashSet<&str> = (0..)
            .zip(imports)
            .flat_map(|(index, import)| {
                let from = match project.imported(file, index) {
                    Some(Symbol::External(path)) => top(path),
                    _ => None,
                };
                top(import.module).into_iter().chain(from)
            })
            .collect();
        let is_it = |(_, library): &(usize, &Library)| tops.contains(library.package.as_str());
        let found: Vec<usize> = (0..).zip(libraries).filter(is_it).map(|(at, _)| at).collect();
        (!found.is_empty()).then_some((file, found))
    };
    (0..project.files.len()).into_par_iter().filter_map(of_file).collect()
}

/// Registrations by a call: `register(Model)`, `@register(Model)`, `register_collection(Model, "field")`.
fn calls(project: &Project, id: FunctionId, at: usize, found: &mut Kept) {
    let function = project.function(id);
    for step in &function.steps {
        let StepKind::Call { callee, arguments } = &step.kind else { continue };
        let Some(Symbol::External(path)) = project.symbol_of(id, *callee) else { continue };
        let library = &found.libraries[at];
        let is_registrar = library.registrars.iter().any(|name| names(library, &path, name));
        let is_collection = library.collections.iter().any(|name| names(library, &path, name));
        if !is_registrar
            && !is_collection
            && !library.decorators.iter().any(|name| names(library, &path, name))
        {
            continue;
        }
        let handed = given(arguments, 0, &["model", "owner_model"]);
        let models = handed.and_then(|value| project.classes_at(id, value)).unwrap_or_default();
        if is_collection {
            let field =
                given(arguments, 1, &["field_name", "field"]).and_then(|value| text(project, id, value));
            found
                .collections
                .extend(field.into_iter().flat_map(|field| models.iter().map(move |&model| (model, field))));
        }
        let keyword = |wanted: &Option<String>| {
            let wanted = wanted.as_deref()?;
            let is_it = |one: &&Argument| matches!(one.kind, ArgumentKind::Keyword(name) if &*name == wanted);
            arguments.iter().find(is_it).map(|argument| argument.value)
        };
        if let Some(list) = keyword(&library.collections_key)
            && let StepKind::List(items) = &function.steps[list as usize].kind
        {
            let fields: Vec<Name> = items.iter().filter_map(|&item| text(project, id, item)).collect();
            let both = models.iter().flat_map(|&model| fields.iter().map(move |&field| (model, field)));
            found.collections.extend(both);
        }
        if let Some(step) = keyword(&library.route)
            && let Some(text) = text(project, id, step)
        {
            found.routes.push(Route { library: at, text, function: id, step });
        }
        if is_registrar && handed.is_some() {
            found.registrations.push(Registration { library: at, models, function: id, span: step.span });
        }
    }
}

/// Marks on a model itself: decorators, fields, bases.
fn marked(project: &Project, class: ClassId, at: usize, library: &Library, found: &mut Kept) {
    let facts = project.class(class);
    let scope = FunctionId { file: class.file, index: facts.scope as u32 };
    let is_marked = |term: &Term, wanted: &[String]| {
        let path = match term {
            Term::Call { callee, .. } => callee,
            other => other,
        };
        let Term::Path(path) = path else { return false };
        match project.symbol_in(scope, *path) {
            Some(Symbol::External(path)) => wanted.iter().any(|name| names(library, &path, name)),
            _ => false,
        }
    };
    let mut span = None;
    let mut heirs = false;
    if !library.decorators.is_empty()
        && facts.decorators.iter().any(|term| is_marked(term, &library.decorators))
    {
        span = Some(project.function(FunctionId { file: class.file, index: facts.body as u32 }).name_span);
    }
    for field in &facts.fields {
        let Some(value @ Term::Call { keywords, .. }) = &field.value else { continue };
        if library.fields.is_empty() || !is_marked(value, &library.fields) {
            continue;
        }
        span = Some(field.span);
        heirs = keywords.iter().any(|(name, value)| &**name == "inherit" && *value == Term::Switch(true));
        if let Some(key) = &library.collections_key {
            let listed = keywords.iter().find(|(name, _)| **name == **key).map(|(_, value)| value);
            if let Some(Term::List(items)) = listed {
                let text = |item: &Term| match item {
                    Term::Text(text) => Some(*text),
                    Term::Path(path) => Some(Name::new(path.last())),
                    _ => None,
                };
                found.collections.extend(items.iter().filter_map(text).map(|field| (class, field)));
            }
        }
    }
    let has_base = |path: Name| library.bases.iter().any(|name| names(library, &path, name));
    if !library.bases.is_empty() && project.hierarchy(class).externals().any(has_base) {
        span = span
            .or(Some(project.function(FunctionId { file: class.file, index: facts.body as u32 }).name_span));
    }
    let Some(span) = span else { return };
    let mut models = vec![class];
    if heirs {
        models.extend(project.heirs.get(&class).map_or(&[][..], Vec::as_slice));
    }
    found.registrations.push(Registration { library: at, models, function: scope, span });
}

/// Models that settings make audited.
fn by_settings(project: &Project, found: &mut Kept) {
    let Some(from) = project.file_ids().next().filter(|_| project.has_settings()) else { return };
    for (at, library) in found.libraries.iter().enumerate() {
        let setting = |name: &Option<String>| match name {
            Some(name) => project.setting(from, name),
            None => Setting::Absent,
        };
        let mut models: Vec<ClassId> = Vec::new();
        if setting(&library.all_setting) == Setting::Known(&Constant::Switch(true)) {
            models.extend(project.class_ids().into_iter().filter(|&class| project.model(class).is_some()));
        }
        if let Setting::Known(Constant::List { items, .. }) = setting(&library.models_setting) {
            let label = |item: &Constant| item.text().or_else(|| item.get("model")?.text());
            models.extend(items.iter().filter_map(label).filter_map(|label| project.labelled(&label)));
        }
        for model in models {
            found.by_model.entry(model).or_default().push(at);
        }
    }
}

/// Whether a path from outside is what a library's table names.
fn names(library: &Library, path: &str, name: &str) -> bool {
    path.split('.').next() == Some(library.package.as_str())
        && path.strip_suffix(name).is_some_and(|front| front.ends_with('.'))
}

/// An argument by its place or one of its names.
fn given(arguments: &[Argument], place: usize, wanted: &[&str]) -> Option<StepId> {
    let is_named = |argument: &&Argument| matches!(argument.kind, ArgumentKind::Keyword(name) if wanted.contains(&&*name));
    let by_place = || arguments.get(place).filter(|argument| argument.kind == ArgumentKind::Plain);
    arguments.iter().find(is_named).or_else(by_place).map(|argument| argument.value)
}

fn text(project: &Project, id: FunctionId, step: StepId) -> Option<Name> {
    match project.function(id).steps[step as usize].kind {
        StepKind::Literal(Literal::Text(text)) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Mechanism, known_libraries};
    use crate::project::in_memory;

    fn kept_models(files: &[(&str, &str)]) -> (Project, Vec<String>) {
        let project = in_memory(files).kept_by(known_libraries());
        let mut shown = Vec::new();
        for class in project.class_ids() {
            for library in project.libraries_of(class) {
                shown.push(format!("{} by {}", project.class(class).name, library.name));
            }
        }
        (project, shown)
    }

    #[test]
    fn every_library_has_its_way_to_mark_a_model() {
        let (project, shown) = kept_models(&[
            (
                "desk/models.py",
                r#"
import pghistory
from auditlog.registry import auditlog
from django.db import models
from simple_history.models import HistoricalRecords

@pghistory.track(pghistory.UpdateEvent(), fields=["state"])
class Case(models.Model):
    state = models.TextField()

class Ticket(models.Model):
    tags = models.ManyToManyField("Tag")
    history = HistoricalRecords(m2m_fields=[tags])

@auditlog.register()
class Tag(models.Model):
    name = models.TextField()

class Note(models.Model):
    text = models.TextField()

class Plain(models.Model):
    text = models.TextField()

auditlog.register(Note, m2m_fields={"readers"})
"#,
            ),
            (
                "desk/audit_formatters.py",
                r#"
from ftn_audit import AbstractAuditLogFormatter, register_audit_collection, register_audit_formatter
from desk.models import Note, Plain, Ticket

@register_audit_formatter(Plain, raw_route="POST|/notes/<int:pk>/")
class PlainFormatter(AbstractAuditLogFormatter):
    pass

for model in (Note, Ticket):
    register_audit_formatter(model=model)(PlainFormatter)

register_audit_collection(Ticket, "watchers")
"#,
            ),
        ]);
        let wanted = [
            "Case by pghistory",
            "Ticket by ftn-audit",
            "Ticket by django-simple-history",
            "Tag by django-auditlog",
            "Note by ftn-audit",
            "Note by django-auditlog",
            "Plain by ftn-audit",
        ];
        assert_eq!(shown, wanted);
        let class = |name: &str| {
            let is_it = |class: &ClassId| &*project.class(*class).name == name;
            project.class_ids().into_iter().find(is_it).expect("a class")
        };
        let is_kept = |class, field| project.is_kept_collection(class, Name::new(field));
        assert!(is_kept(class("Ticket"), "watchers") && is_kept(class("Ticket"), "tags"));
        assert!(is_kept(class("Note"), "readers") && !is_kept(class("Note"), "tags"));
        assert_eq!(project.library_routes().len(), 1);
        assert_eq!(
            project.libraries_of(class("Case")).next().map(|one| one.mechanism),
            Some(Mechanism::Triggers)
        );
    }

    #[test]
    fn settings_can_mark_models_too() {
        let (_, shown) = kept_models(&[
            (
                "desk/models.py",
                "from django.db import models\nclass Case(models.Model):\n    state = models.TextField()\n",
            ),
            (
                "site/settings.py",
                "INSTALLED_APPS = ['auditlog']\nAUDITLOG_INCLUDE_TRACKING_MODELS = ('desk.Case',)\n",
            ),
        ]);
        assert_eq!(shown, ["Case by django-auditlog"]);
    }
}
