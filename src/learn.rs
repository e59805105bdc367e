//! learn: what the convention of a program is, as its models and most of its writes show it.
//!
//! First the words: which columns play which role, which methods set them, which clock is read, who carries the actor.
//! With these words the program is followed, and what its writes do says how much of a habit each of them is, what keeps
//! an audit trail and of what. What is not sure enough is kept beside, for a person to decide.

use std::collections::BTreeMap;

use crate::config::{self, AuditPolicy, Covered, Trail};
use crate::duty::Duty;
use crate::facts::FunctionKind;
use crate::flow::{Flow, Judgement, Telling};
use crate::project::{ClassId, FileId, FunctionId, Project};

use column::Column;

mod clock;
mod column;
mod context;
mod practice;
mod put;
mod role;
mod setter;
mod text;
mod trail;
mod word;

pub use text::{file, table};

/// How often something is so, of how many times it could be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How often it is so.
    pub times: usize,
    /// How often it could be.
    pub of: usize,
}

/// A name that was seen, and what was seen of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The name, as the configuration writes it.
    pub name: String,
    /// What speaks for it, in words.
    pub why: String,
}

/// The columns of one role.
#[derive(Clone, Debug)]
pub struct Role {
    /// The role.
    pub duty: Duty,
    /// The columns that play it, those on most models first.
    pub names: Vec<Seen>,
    /// Columns that may play it, and that were not taken.
    pub others: Vec<Seen>,
    /// What the writes do for it, where there are any.
    pub practice: Option<Practice>,
}

/// How the writes that owe a duty stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Practice {
    /// Code sets it.
    pub set: usize,
    /// A default fills it.
    pub covered: usize,
    /// It cannot be told.
    pub unknown: usize,
    /// Nothing does.
    pub missing: usize,
    /// Rows that are removed for good, which keep nothing.
    pub removed: usize,
}

/// The setters of one role.
#[derive(Clone, Debug)]
pub struct Setters {
    /// The role.
    pub duty: Duty,
    /// The methods.
    pub names: Vec<Seen>,
}

/// How the time is read.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// The expression that nearly all stamps read, what it reads, and how many do.
    pub chosen: Option<(String, &'static str, Tally)>,
    /// The others.
    pub others: Vec<(String, &'static str, Tally)>,
    /// Whether no code stamps by itself, and the defaults of columns were asked instead.
    pub is_declared: bool,
}

/// The words of a program's convention.
#[derive(Clone, Debug)]
pub struct Words {
    /// By role, in the order of [`Duty::ALL`].
    pub roles: [Role; 6],
    /// By role, where there are setters.
    pub setters: Vec<Setters>,
    /// The clock.
    pub clock: Clock,
    /// The class that carries the actor, and others that do.
    pub contexts: Vec<Seen>,
    /// How many models there are.
    pub models: usize,
}

/// What keeps the audit trail, and of what.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// The models of audit rows.
    pub models: Vec<Seen>,
    /// Models that look like it.
    pub other_models: Vec<Seen>,
    /// The functions that write audit rows for others.
    pub emitters: Vec<Seen>,
    /// The models whose changes are mostly told of.
    pub tracked: Vec<Seen>,
    /// Models whose changes are told of here and there.
    pub other_tracked: Vec<Seen>,
    /// What becomes of failing audit rows, where most agree.
    pub policy: Option<AuditPolicy>,
    /// How many audit events may fail without failing what they tell of, of those that are guarded or stand in a transaction
    /// with it.
    pub harmless: Tally,
}

/// Everything that was learned.
#[derive(Clone, Debug)]
pub struct Learned {
    /// The words.
    pub words: Words,
    /// The trail.
    pub kept: Kept,
    /// What a write is that only a default covers, where the habit is clear.
    pub covered: Option<Covered>,
    /// How many of the times that are stored are left to a default.
    pub by_default: Tally,
    /// Functions that stamp a row they are handed, for which the configuration needs no word.
    pub helpers: Vec<Seen>,
    /// How many files were read.
    pub files: usize,
    /// How many writes were seen.
    pub writes: usize,
}

/// What the learning stands on.
struct Ground<'a> {
    project: &'a Project,
    /// The roles as far as they are known.
    roles: config::Roles,
    /// Whether a file serves somebody: it is no test, migration, seed or script.
    serves: &'a dyn Fn(FileId) -> bool,
}

impl Ground<'_> {
    /// The functions that serve somebody, with the bodies of classes and modules.
    fn functions(&self) -> impl Iterator<Item = FunctionId> {
        self.project.function_ids().into_iter().filter(|id| (self.serves)(id.file))
    }

    /// Whether a column of this name says who acts.
    fn is_actor(&self, name: &str) -> bool {
        self.roles.duty(name).is_some_and(Duty::is_actor)
    }
}

impl Words {
    /// Puts the learned words over others, as reading the written file does.
    pub fn over(&self, fields: &mut config::Roles, setters: &mut config::Roles) {
        let names = |seen: &[Seen]| seen.iter().map(|seen| seen.name.clone()).collect::<Vec<_>>();
        for role in self.roles.iter().filter(|role| !role.names.is_empty()) {
            fields.replace(role.duty, names(&role.names));
        }
        for role in &self.setters {
            setters.replace(role.duty, names(&role.names));
        }
    }
}

/// The words of a program's convention; `common` are the names that are known without any file.
pub fn words(
    project: &Project,
    common: &config::Roles,
    known_setters: &config::Roles,
    serves: &dyn Fn(FileId) -> bool,
) -> Words {
    let models: Vec<ClassId> = project
        .class_ids()
        .into_iter()
        .filter(|class| project.model(*class).is_some() && serves(class.file))
        .collect();
    let columns = column::columns(project, &models);
    let mut ground = Ground { project, roles: common.clone(), serves };
    let puts = put::puts(&ground, |name| columns.contains_key(name));
    let is_put = |name: &str| puts.iter().any(|put| put.name.trim_start_matches('_') == name);
    let mut roles = role::roles(&columns, common, models.len(), &is_put);
    keep_sayable(&mut roles);
    let mut found = Words {
        roles,
        setters: Vec::new(),
        clock: Clock::default(),
        contexts: Vec::new(),
        models: models.len(),
    };
    let mut setter_roles = known_setters.clone();
    found.over(&mut ground.roles, &mut setter_roles);
    found.setters = settled_setters(&ground, &models, &columns);
    found.over(&mut ground.roles, &mut setter_roles);
    let times: Vec<put::Put> = puts.into_iter().filter(|put| clock::is_time(&ground, &put.name)).collect();
    found.clock = clock::clock(&ground, &times);
    let is_setter = |name: &str| setter_roles.duty(name).is_some_and(Duty::is_actor);
    for (class, times) in context::contexts(&ground, &is_setter) {
        if let Some(name) = dotted(project, class.file, &project.class(class).qualname, config::is_dotted) {
            found.contexts.push(Seen { name, why: format!("carries the actor in {times} places") });
        }
    }
    found
}

/// Everything that a program shows when it is followed with the learned words.
pub fn learned(
    words: Words,
    project: &Project,
    flow: &Flow,
    (judgements, telling): (&[Judgement], &BTreeMap<ClassId, Telling>),
    serves: &dyn Fn(FileId) -> bool,
) -> Learned {
    let mut words = words;
    let own: Vec<&Judgement> =
        judgements.iter().filter(|judgement| serves(judgement.function.file)).collect();
    practice::note(&mut words.roles, project, &own);
    let (covered, by_default) = practice::covered(project, &own);
    let kept = trail::kept(project, flow, (judgements, telling), serves);
    let helpers = practice::helpers(project, flow, serves);
    Learned { words, kept, covered, by_default, helpers, files: project.files.len(), writes: own.len() }
}

impl Kept {
    /// What the configuration says of the trail when the learned file is read.
    pub fn trail(&self) -> Trail {
        let names = |seen: &[Seen]| seen.iter().map(|seen| seen.name.clone()).collect();
        Trail {
            models: names(&self.models),
            emitters: names(&self.emitters),
            tracked: names(&self.tracked),
            ..Trail::default()
        }
    }
}

/// A name that the configuration cannot hold is left to a person, and so is one that a second role asks for.
fn keep_sayable(roles: &mut [Role; 6]) {
    let mut taken: Vec<String> = Vec::new();
    for role in roles {
        let (good, bad) = std::mem::take(&mut role.names).into_iter().partition(|seen| {
            let is_good = config::is_name(&seen.name) && !taken.contains(&seen.name);
            taken.push(seen.name.clone());
            is_good
        });
        role.names = good;
        role.others.extend::<Vec<Seen>>(bad);
    }
}

fn settled_setters(
    ground: &Ground<'_>,
    models: &[ClassId],
    columns: &BTreeMap<String, Column>,
) -> Vec<Setters> {
    let found = setter::setters(ground, models, columns);
    let named = |(duty, names): (Duty, BTreeMap<String, std::collections::BTreeSet<ClassId>>)| {
        let names = names.into_iter().filter(|(name, _)| config::is_name(name)).map(|(name, classes)| {
            let classes: Vec<&str> =
                classes.iter().map(|class| ground.project.class(*class).name.as_str()).collect();
            let why = match &classes[..] {
                [one] => format!("of {one}"),
                [first, others @ ..] => format!("of {first} and {} more", others.len()),
                [] => String::new(),
            };
            Seen { name, why }
        });
        Setters { duty, names: names.collect() }
    };
    found.into_iter().map(named).filter(|setters| !setters.names.is_empty()).collect()
}

/// The dotted path of something by its module as Python imports it, where the configuration can hold it.
fn dotted(project: &Project, file: FileId, qualname: &str, is_good: fn(&str) -> bool) -> Option<String> {
    let module = project.module_name(file).as_str();
    let parts: Vec<&str> = module.split('.').collect();
    // A path that begins outside of this folder would hold only on this machine.
    let is_far = project.file(file).source.display_path().starts_with(['/', '.']);
    let is_package = |end: &usize| project.is_package_name(&parts[..=*end].join("."));
    let first = (0..parts.len()).find(is_package);
    let behind_odd = parts.iter().rposition(|part| !config::is_name(part)).map_or(0, |at| at + 1);
    let first = first.unwrap_or(if is_far { parts.len().saturating_sub(2) } else { 0 }).max(behind_odd);
    let path = parts[first..].iter().copied().chain([qualname]).collect::<Vec<_>>().join(".");
    is_good(&path).then_some(path)
}

/// Whether something is a function that code can call by its name.
fn is_named_function(project: &Project, id: FunctionId) -> bool {
    project.function(id).kind == FunctionKind::Function
}
