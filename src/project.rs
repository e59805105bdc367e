//! project: the facts of all files as one program: modules, names over imports, class hierarchies, models.
//!
//! Nothing here knows a rule. Names are resolved as Python resolves them: an import binds what the imported module
//! binds, a star import what it exports, and what lies outside the scanned files is an external dotted path.

use std::sync::{Arc, OnceLock};

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::config;
use crate::duty::Duty;
use crate::facts::{Class, FileFacts, Function, FunctionKind, StepKind};
use crate::name::Name;
use crate::source::Source;

pub use audit::{Audit, AuditFaults, Direct, Strange, StrangeAction, Taker, Unfit};
pub use builtin::is_standard_module;
pub use by_function::ByFunction;
pub use class::{Ancestor, Hierarchy};
pub use constant::{Certainty, Constant, Constants, Entry, Namespace};
pub use django::{Choices, Django, DjangoField, DjangoRelation, Manager, Reverse, To};
pub use entity::{ByNew, Carried, Changes};
pub use form::{Handling, Saving};
pub use kept::{Kept, Registration, Route};
pub use model::{Column, Mapping, Model};
pub use proxy::{Maker, Proxy};
pub use receiver::{Receiver, Senders, Signal};
pub use relation::Relation;
pub use resolve::Lookup;
pub use route::{Routes, is_atomic, leaves_calls_alone};
pub use schema::{Moved, SqlColumn};
pub use scope::written_path;
pub use settings::{Scheduled, Setting, Settings};
pub use stale::{Gone, Purpose, Stale};
pub use task::{Enqueue, Retries, Task, enqueue};
pub use zone::Keeps;

mod audit;
mod bare;
mod built;
mod builtin;
mod by_function;
mod class;
mod constant;
mod crates;
mod django;
mod entity;
mod form;
mod kept;
mod model;
mod module;
mod path;
mod proxy;
mod receiver;
mod relation;
mod resolve;
mod route;
mod schema;
mod scope;
mod settings;
mod stale;
mod table;
mod task;
mod unique;
mod zone;

/// A file of the project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// A class, by its file and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClassId {
    /// Its file.
    pub file: FileId,
    /// Its index in [`FileFacts::classes`].
    pub index: u32,
}

/// A function, by its file and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionId {
    /// Its file.
    pub file: FileId,
    /// Its index in [`FileFacts::functions`].
    pub index: u32,
}

impl FunctionId {
    /// What comes before all others in their order.
    pub const FIRST: FunctionId = FunctionId { file: FileId(0), index: 0 };
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Symbol {
    /// A module of the project.
    Module(FileId),
    /// A folder of the project without a file of its own, by its dotted path.
    Package(Name),
    /// A class.
    Class(ClassId),
    /// A function.
    Function(FunctionId),
    /// A variable at the top level of a module.
    Variable(FileId, Name),
    /// Something outside the scanned files, by its dotted path.
    External(Name),
}

/// Which names play which role.
#[derive(Clone, Debug, Default)]
pub struct Roles {
    /// The columns.
    pub fields: config::Roles,
    /// The methods.
    pub setters: config::Roles,
    /// Names that look as if they played a role, whatever the configuration says.
    pub common: config::Roles,
    /// Attributes that hold the key of a row that plays the role of an actor.
    pub keys: FxHashMap<Name, Duty>,
}

impl Roles {
    /// The duty a column of this name fills.
    pub fn of_field(&self, name: &str) -> Option<Duty> {
        self.fields.duty(name).or_else(|| self.key(name))
    }

    fn key(&self, name: &str) -> Option<Duty> {
        let is_key = !self.keys.is_empty() && name.ends_with("_id");
        is_key.then(|| self.keys.get(&Name::new(name)).copied()).flatten()
    }

    /// The duty a name suggests, be it a column or not.
    pub fn suggested_by(&self, name: &str) -> Option<Duty> {
        self.of_field(name).or_else(|| self.common.duty(name))
    }

    /// The duty a method of this name discharges.
    pub fn of_setter(&self, name: &str) -> Option<Duty> {
        self.setters.duty(name)
    }
}

/// One file: its text and what it says.
#[derive(Debug)]
pub struct File {
    /// Its text.
    pub source: Arc<Source>,
    /// What it says.
    pub facts: FileFacts,
    globals: FxHashMap<Name, Global>,
    /// By qualified name: the classes that are written inside others.
    nested: FxHashMap<Box<str>, Vec<u32>>,
    /// By import: the module it takes something from; only while imports are followed.
    modules: Vec<Option<Symbol>>,
    /// By import: what it binds, once that is known.
    imported: Vec<Option<Symbol>>,
}

/// What binds a name at the top level of a module.
#[derive(Clone, Copy, Debug)]
enum Global {
    Import(usize),
    Class(usize),
    Function(usize),
    Variable,
}

/// All files as one program.
#[derive(Debug)]
pub struct Project {
    /// The files, in path order.
    pub files: Vec<File>,
    /// Which names play which role.
    pub roles: Roles,
    modules: FxHashMap<&'static str, FileId>,
    module_names: Vec<Name>,
    by_last_part: FxHashMap<&'static str, Vec<FileId>>,
    /// Every part of every module's path.
    module_parts: FxHashSet<&'static str>,
    packages: FxHashSet<&'static str>,
    /// The folders among them that Python may look for modules in.
    starts: FxHashSet<&'static str>,
    unread: FxHashSet<Name>,
    /// By type: the blocks that give it more methods.
    additions: FxHashMap<ClassId, Vec<ClassId>>,
    /// By such a block: the type.
    completed: FxHashMap<ClassId, ClassId>,
    hierarchies: FxHashMap<ClassId, Hierarchy>,
    heirs: FxHashMap<ClassId, Vec<ClassId>>,
    models: FxHashMap<ClassId, Model>,
    /// By table: what stands for it, one class of each language.
    tables: FxHashMap<Name, Vec<ClassId>>,
    managed: FxHashMap<ClassId, Vec<ClassId>>,
    /// By name in lower case: the classes that stand in no other one; once somebody has asked.
    outer_classes: OnceLock<FxHashMap<Name, Vec<ClassId>>>,
    user: Option<ClassId>,
    audit: Audit,
    settings: Settings,
    receivers: Vec<Receiver>,
    kept: Kept,
    tasks: FxHashMap<FunctionId, Task>,
    routes: Routes,
    schema: schema::Schema,
    crates: crates::Crates,
}

impl Project {
    /// Joins the facts of all files.
    pub fn new(mut files: Vec<(Arc<Source>, FileFacts)>, roles: Roles) -> Project {
        let schema = schema::read(&mut files);
        let files: Vec<File> = files
            .into_par_iter()
            .map(|(source, mut facts)| {
                bare::add_tables(&mut facts);
                let (globals, nested) = (globals(&facts), django::nested(&facts));
                File { source, facts, globals, nested, modules: Vec::new(), imported: Vec::new() }
            })
            .collect();
        let mut project = Project {
            files,
            roles,
            modules: FxHashMap::default(),
            module_names: Vec::new(),
            by_last_part: FxHashMap::default(),
            module_parts: FxHashSet::default(),
            packages: FxHashSet::default(),
            starts: FxHashSet::default(),
            unread: FxHashSet::default(),
            additions: FxHashMap::default(),
            completed: FxHashMap::default(),
            hierarchies: FxHashMap::default(),
            heirs: FxHashMap::default(),
            models: FxHashMap::default(),
            tables: FxHashMap::default(),
            managed: FxHashMap::default(),
            outer_classes: OnceLock::new(),
            user: None,
            audit: Audit::default(),
            settings: Settings::default(),
            receivers: Vec::new(),
            kept: Kept::default(),
            tasks: FxHashMap::default(),
            routes: Routes::default(),
            schema,
            crates: crates::Crates::default(),
        };
        project.index_modules();
        project.index_crates();
        project.follow_imports();
        project.completed = class::completed(&project);
        project.additions = class::additions(&project);
        project.hierarchies = class::hierarchies(&project);
        project.heirs = class::heirs(&project);
        project.models = model::models(&project);
        project.tables = table::tables(&project);
        table::leave_named(&mut project);
        project.managed = django::managed(&project);
        project.user = django::user(&project);
        project.roles.keys = django::keys_of_actors(&project);
        project.forget_roles();
        project.settings = settings::settings(&project);
        project.receivers = receiver::receivers(&project);
        project.tasks = task::tasks(&project);
        project.routes = route::routes(&project);
        project
    }

    /// Knows other names for the roles of columns and methods.
    pub fn playing(mut self, fields: config::Roles, setters: config::Roles) -> Project {
        self.roles.fields = fields;
        self.roles.setters = setters;
        self.roles.keys = django::keys_of_actors(&self);
        self.forget_roles();
        self
    }

    /// What was found out about columns and methods under other roles counts no more.
    fn forget_roles(&mut self) {
        self.models.values_mut().for_each(|model| model.played = model::Played::default());
    }

    /// Knows of files and folders that lie beside the scanned ones, by their slashed paths without an ending.
    pub fn beside(mut self, unread: impl Iterator<Item = String>) -> Project {
        let dotted = |path: String| Name::new(&path.trim_start_matches('/').replace('/', "."));
        self.unread = unread.map(dotted).collect();
        self
    }

    /// A file.
    pub fn file(&self, id: FileId) -> &File {
        &self.files[id.0 as usize]
    }

    /// The facts of a class.
    pub fn class(&self, id: ClassId) -> &Class {
        &self.file(id.file).facts.classes[id.index as usize]
    }

    /// The outline of a function.
    pub fn function(&self, id: FunctionId) -> &Function {
        &self.file(id.file).facts.functions[id.index as usize]
    }

    /// All files, in path order.
    pub fn file_ids(&self) -> impl Iterator<Item = FileId> + use<> {
        (0..self.files.len() as u32).map(FileId)
    }

    /// All functions, in path order and source order.
    pub fn function_ids(&self) -> Vec<FunctionId> {
        let of_file = |file: FileId| {
            (0..self.file(file).facts.functions.len() as u32).map(move |index| FunctionId { file, index })
        };
        self.file_ids().flat_map(of_file).collect()
    }

    /// By file: how many functions of that order stand before its own; behind the last file, how many there are.
    pub fn function_starts(&self) -> Vec<u32> {
        let mut starts = vec![0];
        for (file, before) in self.files.iter().zip(0..) {
            starts.push(starts[before] + file.facts.functions.len() as u32);
        }
        starts
    }

    /// All classes, in path order and source order.
    pub fn class_ids(&self) -> Vec<ClassId> {
        let of_file = |file: FileId| {
            (0..self.file(file).facts.classes.len() as u32).map(move |index| ClassId { file, index })
        };
        self.file_ids().flat_map(of_file).collect()
    }

    /// The class whose method a function is.
    pub fn class_of(&self, id: FunctionId) -> Option<ClassId> {
        let class = self.function(id).class.map(|index| ClassId { file: id.file, index: index as u32 })?;
        Some(self.completed(class))
    }

    /// The classes a class derives from.
    pub fn hierarchy(&self, class: ClassId) -> &Hierarchy {
        &self.hierarchies[&class]
    }

    /// The model that is mapped to a table, as the code of a file sees it: its own language's, or the only one there is.
    pub fn model_of_table(&self, from: FileId, table: &str) -> Option<ClassId> {
        let last = table.rsplit('.').next().unwrap_or(table);
        let all = self.tables.get(&Name::new(&last.to_ascii_lowercase()))?;
        let own = all.iter().find(|class| self.is_rust(class.file) == self.is_rust(from));
        own.or(all.first()).copied()
    }

    /// The models of other languages that are mapped to the table of a model.
    pub fn twins(&self, class: ClassId) -> impl Iterator<Item = ClassId> + '_ {
        let class = self.completed(class);
        let table = self.models.get(&class).and_then(|model| model.table);
        let all = table.and_then(|table| self.tables.get(&table)).into_iter().flatten();
        all.copied().filter(move |twin| self.is_rust(twin.file) != self.is_rust(class.file))
    }

    /// What a class says about a table, where it is mapped to one.
    pub fn model(&self, class: ClassId) -> Option<&Model> {
        self.models.get(&self.completed(class))
    }
}

/// The last binding of a name is the one that runs; but an alternative in a handler (`except ImportError`) does not
/// replace what the `try` binds.
fn globals(facts: &FileFacts) -> FxHashMap<Name, Global> {
    let mut found: FxHashMap<Name, Global> = FxHashMap::default();
    let Some(module) = facts.functions.first() else { return found };
    debug_assert_eq!(module.kind, FunctionKind::Module);
    for block in &module.blocks {
        let in_handler = block.region.is_some_and(|region| {
            matches!(module.regions[region as usize].kind, crate::facts::RegionKind::Handler(_))
        });
        for step in &module.steps[block.start as usize..block.end as usize] {
            let StepKind::Bind { name, value, .. } = step.kind else { continue };
            let global = match module.steps[value as usize].kind {
                StepKind::Import(index) => Global::Import(index),
                StepKind::Class(index) => Global::Class(index),
                StepKind::Function(index) => Global::Function(index),
                _ => Global::Variable,
            };
            if !(in_handler && found.contains_key(&name)) {
                found.insert(name, global);
            }
        }
    }
    found
}

/// A project of texts, for the tests of this room.
#[cfg(test)]
pub(crate) fn in_memory(files: &[(&str, &str)]) -> Project {
    use crate::source::Language;
    let language = |path: &str| Language::of(path.as_ref()).unwrap_or(Language::Python);
    let mut sources: Vec<Arc<Source>> =
        files.iter().map(|&(path, text)| Arc::new(Source::of_text(path, language(path), text))).collect();
    sources.sort_by_key(|source| source.display_path());
    let files = sources.into_iter().map(|source| (source.clone(), crate::lower::lower(&source))).collect();
    Project::new(files, Roles::default())
}
