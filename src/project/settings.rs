//! project/settings: the settings of Django and Celery, over plain and split modules.
//!
//! A project has one module of settings or several that build on each other; those on which none builds are what runs.
//! What they agree on is known. What one of them computes, or takes from its surroundings, is unknown.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::facts::{ArgumentKind, Imported, StepId, StepKind};
use crate::name::Name;
use crate::source::Span;

use super::{Certainty, Constant, Constants, FileId, FunctionId, Namespace, Project};

/// What a setting is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting<'p> {
    /// This, wherever it runs.
    Known(&'p Constant),
    /// It is set, or may be, to something that cannot be told.
    Unknown,
    /// No settings set it.
    Absent,
}

/// A task that a schedule in the settings runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scheduled {
    /// The entry's name.
    pub entry: Name,
    /// The task's name, in most cases the dotted path of its function.
    pub task: Name,
    /// The file that schedules it.
    pub file: FileId,
    /// Where.
    pub span: Span,
}

/// All settings that the project has.
#[derive(Debug, Default)]
pub struct Settings {
    /// By module of settings: its variables.
    modules: FxHashMap<FileId, Namespace>,
    /// The modules that run, in path order.
    running: Vec<FileId>,
    /// What is stored on an application's `conf`, in path order.
    conf: Vec<(Name, Constant)>,
}

/// Variables by one of which a module is known for Django's settings.
const SIGNS: &[&str] = &["INSTALLED_APPS", "MIDDLEWARE", "ROOT_URLCONF"];

impl Project {
    /// What a setting is, seen from a file: the settings nearest to it count.
    pub fn setting(&self, from: FileId, name: &str) -> Setting<'_> {
        let mut found: Option<Setting<'_>> = None;
        for namespace in self.settings_of(from) {
            let one = match namespace.get(name) {
                Some(Constant::Unknown | Constant::Call(_)) => Setting::Unknown,
                Some(known) => Setting::Known(known),
                None => Setting::Absent,
            };
            found = match found {
                Some(known) if known != one => return Setting::Unknown,
                _ => Some(one),
            };
        }
        found.unwrap_or(Setting::Absent)
    }

    /// Whether a list in the settings holds a string that passes: no only where all settings that run say so.
    pub fn setting_holds(&self, from: FileId, name: &str, passes: impl Fn(&str) -> bool) -> Certainty {
        let of_one = |namespace: &Namespace| match namespace.get(name) {
            Some(list) => list.holds(&passes),
            None => Certainty::No,
        };
        self.agreed(from, of_one)
    }

    /// Whether every request runs inside a transaction of its own.
    pub fn wraps_requests(&self, from: FileId) -> Certainty {
        let of_one = |namespace: &Namespace| {
            let default = match namespace.get("DATABASES") {
                None => return Certainty::No,
                Some(databases) => databases.get("default"),
            };
            match default.map(|default| (default, default.get("ATOMIC_REQUESTS"))) {
                Some((_, Some(Constant::Switch(true)))) => Certainty::Yes,
                Some((_, Some(Constant::Switch(false)))) => Certainty::No,
                // An address in the environment says nothing of transactions.
                Some((Constant::Call(_) | Constant::Dictionary { .. }, None)) => Certainty::No,
                _ => Certainty::Unknown,
            }
        };
        self.agreed(from, of_one)
    }

    /// What all settings that run say alike.
    fn agreed(&self, from: FileId, of_one: impl Fn(&Namespace) -> Certainty) -> Certainty {
        let mut all = self.settings_of(from).map(of_one);
        let first = all.next().unwrap_or(Certainty::Unknown);
        if all.all(|one| one == first) { first } else { Certainty::Unknown }
    }

    /// Whether any settings are among the scanned files.
    pub fn has_settings(&self) -> bool {
        !self.settings.running.is_empty()
    }

    /// The modules of settings that run and lie nearest to a file.
    pub fn running_settings(&self, from: FileId) -> Vec<FileId> {
        self.near_settings(from).collect()
    }

    /// The variables of a module of settings.
    pub fn variables(&self, module: FileId) -> Option<&Namespace> {
        self.settings.modules.get(&module)
    }

    /// Where a module of settings, or one it builds on, sets a name last.
    pub fn setting_place(&self, module: FileId, name: &str) -> Option<(FileId, Span)> {
        let mut waiting = vec![module];
        let mut seen = Vec::new();
        while let Some(file) = waiting.pop() {
            if seen.contains(&file) {
                continue;
            }
            seen.push(file);
            let code = self.file(file).facts.functions.first()?;
            let place = code.steps.iter().rev().find(|step| match step.kind {
                StepKind::Bind { name: bound, value, .. } => {
                    let is_import = matches!(code.steps[value as usize].kind, StepKind::Import(_));
                    &*bound == name && !is_import
                }
                _ => false,
            });
            if let Some(place) = place {
                return Some((file, place.span));
            }
            waiting.extend(imports(self, file));
        }
        None
    }

    /// What Celery is set to, by the new name of the setting in lower case: `task_acks_late`.
    pub fn celery_setting(&self, from: FileId, name: &str) -> Setting<'_> {
        let stored = self.settings.conf.iter().rev().find(|(known, _)| &**known == name);
        if let Some((_, value)) = stored {
            return match value {
                Constant::Unknown | Constant::Call(_) => Setting::Unknown,
                known => Setting::Known(known),
            };
        }
        self.setting(from, &format!("CELERY_{}", name.to_ascii_uppercase()))
    }

    /// The tasks that schedules in settings run, in path order.
    pub fn scheduled(&self) -> Vec<Scheduled> {
        let mut found: Vec<Scheduled> = Vec::new();
        let of_settings = self.settings.modules.values().flat_map(|namespace| {
            ["CELERY_BEAT_SCHEDULE", "CELERYBEAT_SCHEDULE"].map(|name| namespace.get(name))
        });
        let of_conf = self.settings.conf.iter().filter(|(name, _)| &**name == "beat_schedule");
        for schedule in of_settings.flatten().chain(of_conf.map(|(_, value)| value)) {
            for entry in schedule.entries() {
                let Some(task) = entry.value.get("task").and_then(Constant::text) else { continue };
                found.push(Scheduled { entry: entry.key, task, file: entry.file, span: entry.span });
            }
        }
        found.sort_by_key(|one| (one.file, one.span));
        found.dedup();
        found
    }

    /// The settings that run and lie nearest to a file: one tree may hold several services.
    fn settings_of(&self, from: FileId) -> impl Iterator<Item = &Namespace> {
        self.near_settings(from).map(|file| &self.settings.modules[&file])
    }

    fn near_settings(&self, from: FileId) -> impl Iterator<Item = FileId> {
        let here = self.module_name(from);
        let shared = move |file: FileId| {
            let other = self.module_name(file);
            here.split('.').zip(other.split('.')).take_while(|(one, other)| one == other).count()
        };
        let running = &self.settings.running;
        let most = running.iter().map(|&file| shared(file)).max().unwrap_or(0);
        running.iter().copied().filter(move |&file| shared(file) == most)
    }
}

/// Finds the settings of a project.
pub(super) fn settings(project: &Project) -> Settings {
    let mut constants = Constants::default();
    let mut modules = FxHashMap::default();
    let mut built_on = Vec::new();
    for file in project.file_ids().filter(|&file| may_be_settings(project, file)) {
        let namespace = constants.of_module(project, file);
        if SIGNS.iter().any(|sign| matches!(namespace.get(sign), Some(known) if *known != Constant::Unknown))
        {
            built_on.extend(imports(project, file));
            modules.insert(file, namespace.clone());
        }
    }
    let mut leaves: Vec<FileId> = modules.keys().copied().filter(|file| !built_on.contains(file)).collect();
    leaves.sort();
    let running: Vec<FileId> = leaves.iter().copied().filter(|&file| !is_for_tests(project, file)).collect();
    let running = if running.is_empty() { leaves } else { running };
    Settings { modules, running, conf: conf(project, &mut constants) }
}

/// Whether a module is named like settings, or sets what only settings set.
fn may_be_settings(project: &Project, file: FileId) -> bool {
    let sets_apps = || {
        let bound = project.file(file).facts.functions.first().map(|module| &module.bound);
        bound.is_some_and(|bound| bound.iter().any(|bound| SIGNS.contains(&&*bound.name)))
    };
    let is_named_so = |part: &str| part.split('_').any(|word| matches!(word, "settings" | "conf" | "config"));
    let name = project.module_name(file);
    // Where several build on each other, only the first sets the apps: the others are named so, or their folder is.
    let has_star =
        || !project.file(file).facts.functions.first().is_none_or(|module| module.stars.is_empty());
    sets_apps() || (name.split('.').rev().take(2).any(is_named_so) && has_star())
}

fn is_for_tests(project: &Project, file: FileId) -> bool {
    let name = project.module_name(file);
    let is_test =
        |word: &str| matches!(word, "test" | "tests" | "testing" | "ci" | "docs" | "example" | "examples");
    name.split(['.', '_']).any(is_test)
}

/// The modules that one takes all names, or some of these, from.
fn imports(project: &Project, file: FileId) -> Vec<FileId> {
    let mut found = Vec::new();
    for import in &project.file(file).facts.imports {
        let takes = match import.item {
            Imported::Star => true,
            Imported::Item(name) => name.chars().all(|c| c.is_uppercase() || c == '_'),
            _ => false,
        };
        if takes
            && let Some(super::Symbol::Module(other)) = project.import_module(file, import)
            && other != file
        {
            found.push(other);
        }
    }
    found
}

/// What is stored on the `conf` of an application: `app.conf.beat_schedule = {…}`, `app.conf.update(…)`.
fn conf(project: &Project, constants: &mut Constants) -> Vec<(Name, Constant)> {
    let conf = Name::new("conf");
    let is_conf = |kind: &StepKind| matches!(kind, StepKind::Attribute { name, .. } if *name == conf);
    let speaks_of_it = |id: &FunctionId| project.function(*id).steps.iter().any(|step| is_conf(&step.kind));
    let speaking: Vec<FunctionId> = project.function_ids().into_par_iter().filter(speaks_of_it).collect();
    let mut found = Vec::new();
    for id in speaking {
        let function = project.function(id);
        let is_conf = |step: StepId| is_conf(&function.steps[step as usize].kind);
        let mut set = |id: FunctionId, name: Name, value: StepId| {
            let plain = name.to_ascii_lowercase();
            let plain = plain.strip_prefix("celery_").unwrap_or(&plain);
            found.push((Name::new(plain), constants.of_step(project, id, value)));
        };
        for step in &function.steps {
            match &step.kind {
                StepKind::Store { of, name, value } if is_conf(*of) => set(id, *name, *value),
                StepKind::Call { callee, arguments } => {
                    let StepKind::Attribute { of, name } = function.steps[*callee as usize].kind else {
                        continue;
                    };
                    if &*name != "update" || !is_conf(of) {
                        continue;
                    }
                    for argument in arguments {
                        if let ArgumentKind::Keyword(name) = argument.kind {
                            set(id, name, argument.value);
                        }
                    }
                }
                _ => {}
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::in_memory;

    fn shown(project: &Project, name: &str) -> String {
        let from = FileId(project.files.len() as u32 - 1);
        match project.setting(from, name) {
            Setting::Known(value) => show(value),
            Setting::Unknown => "unknown".into(),
            Setting::Absent => "absent".into(),
        }
    }

    fn show(value: &Constant) -> String {
        match value {
            Constant::None => "None".into(),
            Constant::Switch(on) => on.to_string(),
            Constant::Number(number) => number.to_string(),
            Constant::Text(text) => text.to_string(),
            Constant::List { items, is_open } => {
                let items: Vec<String> = items.iter().map(show).collect();
                format!("[{}{}]", items.join(" "), if *is_open { " .." } else { "" })
            }
            Constant::Dictionary { entries, is_open } => {
                let entries: Vec<String> =
                    entries.iter().map(|entry| format!("{}={}", entry.key, show(&entry.value))).collect();
                format!("{{{}{}}}", entries.join(" "), if *is_open { " .." } else { "" })
            }
            Constant::Call(path) => format!("{path}()"),
            Constant::Unknown => "?".into(),
        }
    }

    #[test]
    fn one_module_says_what_it_sets() {
        let project = in_memory(&[(
            "site/settings.py",
            r#"
import environ
env = environ.Env()
DEBUG = env.bool("DEBUG", default=False)
OURS = ["desk", "core"]
INSTALLED_APPS = ["django.contrib.admin"] + OURS
INSTALLED_APPS += ["late"]
if DEBUG:
    INSTALLED_APPS.append("debug_toolbar")
MIDDLEWARE = ("a.A", *OURS)
DATABASES = {"default": env.db("DATABASE_URL")}
DATABASES["default"]["ATOMIC_REQUESTS"] = True
AUDIT_DELIVERY_MODE = env("MODE", default="celery")
AUDIT_ENABLED = True
AUDIT_BATCH = 10 * 60
REST_FRAMEWORK = {"PAGE_SIZE": 50, "DEFAULT": dict(a=None)}
"#,
        )]);
        assert_eq!(shown(&project, "INSTALLED_APPS"), "[django.contrib.admin desk core late ..]");
        assert_eq!(shown(&project, "MIDDLEWARE"), "[a.A desk core]");
        assert_eq!(shown(&project, "DATABASES"), "{default={ATOMIC_REQUESTS=true ..}}");
        assert_eq!(project.wraps_requests(FileId(0)), Certainty::Yes);
        assert_eq!(shown(&project, "AUDIT_DELIVERY_MODE"), "unknown");
        assert_eq!(shown(&project, "AUDIT_ENABLED"), "true");
        assert_eq!(shown(&project, "AUDIT_BATCH"), "600");
        assert_eq!(shown(&project, "REST_FRAMEWORK"), "{PAGE_SIZE=50 DEFAULT={a=None}}");
        assert_eq!(shown(&project, "NOTHING"), "absent");
        let holds =
            |app: &'static str| project.setting_holds(FileId(0), "INSTALLED_APPS", move |one| one == app);
        assert_eq!(holds("late"), Certainty::Yes);
        assert_eq!(holds("debug_toolbar"), Certainty::Unknown);
    }

    #[test]
    fn split_modules_agree_or_do_not() {
        let project = in_memory(&[
            ("site/settings/__init__.py", ""),
            (
                "site/settings/base.py",
                "from site.settings.parts import SHARED\nINSTALLED_APPS = ['core'] + SHARED\nMODE = 'sync'\nTIER = 1\n",
            ),
            ("site/settings/parts.py", "SHARED = ['parts']\n"),
            (
                "site/settings/local.py",
                "from .base import *\nINSTALLED_APPS += ['toolbar']\nMODE = 'noop'\ntry:\n    from .secrets import *\nexcept ImportError:\n    pass\n",
            ),
            (
                "site/settings/production.py",
                "from .base import *\nfrom . import base\nMODE = 'celery'\nAPPS = base.INSTALLED_APPS\n",
            ),
            ("site/settings/test.py", "from .base import *\nINSTALLED_APPS = []\nTIER = 7\n"),
            ("core/views.py", ""),
        ]);
        let holds =
            |app: &'static str| project.setting_holds(FileId(0), "INSTALLED_APPS", move |one| one == app);
        assert_eq!((holds("core"), holds("parts")), (Certainty::Yes, Certainty::Yes));
        assert_eq!((holds("toolbar"), holds("none")), (Certainty::Unknown, Certainty::No));
        assert_eq!(shown(&project, "MODE"), "unknown");
        assert_eq!(shown(&project, "TIER"), "1");
        assert_eq!(project.wraps_requests(FileId(0)), Certainty::Unknown);
    }

    #[test]
    fn a_project_without_settings_says_so() {
        let project = in_memory(&[("core/config.py", "MIDDLE = []\n")]);
        assert!(!project.has_settings());
        assert_eq!(shown(&project, "MIDDLE"), "absent");
        assert_eq!(project.setting_holds(FileId(0), "INSTALLED_APPS", |_| true), Certainty::Unknown);
    }

    #[test]
    fn schedules_stand_in_settings_or_on_the_application() {
        let project = in_memory(&[
            (
                "site/settings.py",
                "INSTALLED_APPS = []\nCELERY_TASK_ACKS_LATE = True\nCELERY_BEAT_SCHEDULE = {\n    'nightly': {'task': 'core.tasks.close', 'schedule': crontab(hour=1)},\n}\nCELERY_BEAT_SCHEDULE['more'] = {'task': 'core.tasks.more'}\n",
            ),
            (
                "site/celery.py",
                "app = Celery('site')\napp.conf.beat_schedule = {'hourly': {'task': 'core.tasks.count', 'schedule': 3600}}\napp.conf.update(task_reject_on_worker_lost=True)\n",
            ),
        ]);
        let tasks: Vec<&str> = project.scheduled().iter().map(|one| one.task.as_str()).collect();
        assert_eq!(tasks, ["core.tasks.count", "core.tasks.close", "core.tasks.more"]);
        let acks =
            |name| matches!(project.celery_setting(FileId(0), name), Setting::Known(Constant::Switch(true)));
        assert!(acks("task_acks_late") && acks("task_reject_on_worker_lost"));
    }
}
