//! config/settings: what is in force for a file, with every default filled in.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde::Deserialize;

use super::defaults;
use super::library::{Library, known_libraries};
use super::metrics::{Bounds, Figure};
use super::paths::{Paths, absolute};
use super::select::{Selection, Selectors};
use crate::duty::Duty;
use crate::finding::Severity;

/// What is in force for the files one configuration governs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The file it was read from, as an absolute path; `None` for the defaults.
    pub file: Option<PathBuf>,
    /// The only files to look at; all of them when `None`.
    pub include: Option<Paths>,
    /// Files not to look at.
    pub exclude: Paths,
    /// Shared code in which every finding is for a person to decide.
    pub protected: Paths,
    /// The files it is made of, the outermost first, as absolute paths, each with its table in one fixed form.
    pub said: Vec<(PathBuf, String)>,
    /// What a write is that only a default covers.
    pub covered_by_default: Covered,
    /// Whether an audit row may fail the request it belongs to.
    pub audit: AuditPolicy,
    /// The columns that play each role.
    pub fields: Roles,
    /// The methods that discharge each role.
    pub setters: Roles,
    /// The expression that gives the time.
    pub clock: String,
    /// Whether a file says so, and not the defaults.
    pub is_clock_chosen: bool,
    /// The class that carries the actor, dotted where its module is known.
    pub context_class: String,
    /// Import paths that have other names now, with those names; both dotted.
    pub renamed: BTreeMap<String, String>,
    /// Models whose rows are only ever added, dotted.
    pub append_only: Vec<String>,
    /// How audit rows come to be.
    pub trail: Trail,
    /// What is said of single rules, by id.
    pub rules: BTreeMap<String, RuleSettings>,
    /// The file that keeps the figures of every scan, absolute; nothing is kept where there is none.
    pub history: Option<PathBuf>,
    /// The figures that are to stay within bounds.
    pub metrics: BTreeMap<Figure, Bounds>,
    /// The report's order of work, first match first.
    pub priorities: Vec<Priority>,
    /// Rules turned on or off for some paths, later entries over earlier ones.
    pub per_path: Vec<PerPath>,
    pub(super) ground: Arc<Ground>,
}

/// Where a run stands, which decides what a path means.
#[derive(Clone, Debug, Default)]
pub(super) struct Ground {
    /// The current directory, absolute.
    pub(super) here: PathBuf,
    /// The folders the run was asked to scan, absolute.
    pub(super) roots: Vec<PathBuf>,
}

/// What a write is that no code stamps but a default covers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Covered {
    /// A person must decide.
    #[default]
    Review,
    /// As bad as a missing stamp.
    Error,
    /// Good enough.
    Allow,
}

/// Whether an audit row may fail the request it belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuditPolicy {
    /// Without the audit row the change must not happen.
    #[default]
    Mandatory,
    /// The audit must never fail the request.
    BestEffort,
}

/// How soon a finding is to be worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Urgency {
    /// First.
    High,
    /// Then.
    Medium,
    /// Last.
    Low,
}

/// How heavy a rule's findings are, as a user may set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Findings fail a run.
    Error,
    /// A person must decide.
    Review,
    /// The rule is off.
    Off,
}

/// The names that play each role. A leading underscore does not change the role.
#[derive(Clone, Debug, Default)]
pub struct Roles {
    names: [Vec<String>; 6],
    by_name: FxHashMap<String, Duty>,
}

impl Roles {
    /// The names that play a role, in the order they are preferred.
    pub fn names(&self, duty: Duty) -> &[String] {
        &self.names[duty.index()]
    }

    /// The role a name plays.
    pub fn duty(&self, name: &str) -> Option<Duty> {
        let bare = || self.by_name.get(name.strip_prefix('_')?);
        self.by_name.get(name).or_else(bare).copied()
    }

    /// Replaces the names of a role; a name that played another role until now plays this one.
    pub fn replace(&mut self, duty: Duty, names: Vec<String>) {
        for name in &names {
            if let Some(other) = self.by_name.get(name) {
                self.names[other.index()].retain(|known| known != name);
            }
        }
        self.names[duty.index()] = names;
        self.by_name.clear();
        for duty in Duty::ALL {
            let names = self.names[duty.index()].iter();
            self.by_name.extend(names.map(|name| (name.clone(), duty)));
        }
    }

    fn of(table: fn(Duty) -> &'static [&'static str]) -> Roles {
        let mut roles = Roles::default();
        for duty in Duty::ALL {
            roles.replace(duty, table(duty).iter().map(|&name| name.to_owned()).collect());
        }
        roles
    }
}

/// How audit rows come to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Trail {
    /// The models that hold audit rows, dotted.
    pub models: Vec<String>,
    /// The functions that emit one, dotted, with `*` for any part.
    pub emitters: Vec<String>,
    /// The models whose changes must be audited, dotted.
    pub tracked: Vec<String>,
    /// Libraries that keep a trail: those that are known, and the team's own.
    pub libraries: Vec<Library>,
}

impl Default for Trail {
    fn default() -> Trail {
        let libraries = known_libraries().to_vec();
        Trail { models: Vec::new(), emitters: Vec::new(), tracked: Vec::new(), libraries }
    }
}

/// What is said of one rule.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RuleSettings {
    /// How heavy its findings are, instead of what its page says.
    pub severity: Option<Level>,
    /// Its own keys.
    pub options: BTreeMap<String, toml::Value>,
}

/// Some paths and how soon to work on them.
#[derive(Clone, Debug)]
pub struct Priority {
    /// How soon.
    pub level: Urgency,
    /// Where.
    pub paths: Paths,
}

/// Rules turned on or off for some paths.
#[derive(Clone, Debug)]
pub struct PerPath {
    /// Where.
    pub paths: Paths,
    /// Rules asked for there, also where they would be out of scope.
    pub select: Selectors,
    /// Rules not wanted there.
    pub ignore: Selectors,
}

/// The code a rule speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every file.
    Everywhere,
    /// Service code: not tests, migrations, seeds, fixtures and scripts.
    Service,
}

/// What a rule's page says of the rule, as far as settings can change it.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its pack.
    pub pack: &'a str,
    /// The severity of the finding when nothing else is set.
    pub severity: Severity,
    /// The code it speaks of.
    pub scope: Scope,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            file: None,
            said: Vec::new(),
            include: None,
            exclude: Paths::default(),
            protected: Paths::default(),
            covered_by_default: Covered::default(),
            audit: AuditPolicy::default(),
            fields: Roles::of(defaults::fields),
            setters: Roles::of(defaults::setters),
            clock: defaults::CLOCK.to_owned(),
            is_clock_chosen: false,
            context_class: defaults::CONTEXT_CLASS.to_owned(),
            renamed: BTreeMap::new(),
            append_only: Vec::new(),
            trail: Trail::default(),
            rules: BTreeMap::new(),
            history: None,
            metrics: BTreeMap::new(),
            priorities: Vec::new(),
            per_path: Vec::new(),
            ground: Arc::default(),
        }
    }
}

impl Settings {
    /// The role a column plays.
    pub fn duty_of_field(&self, name: &str) -> Option<Duty> {
        self.fields.duty(name)
    }

    /// The role a method discharges.
    pub fn duty_of_setter(&self, name: &str) -> Option<Duty> {
        self.setters.duty(name)
    }

    /// Import paths that have other names now, those that audit libraries gave up included.
    pub fn all_renamed(&self) -> BTreeMap<String, String> {
        let mut all: BTreeMap<String, String> = BTreeMap::new();
        for library in &self.trail.libraries {
            all.extend(library.renamed.clone());
        }
        all.extend(self.renamed.clone());
        all
    }

    /// Whether every finding in this file is for a person to decide.
    pub fn is_protected(&self, path: &Path) -> bool {
        self.protected.matches(path)
    }

    /// How soon findings in this file are to be worked on; the first entry that matches says it.
    pub fn urgency(&self, path: &Path) -> Option<Urgency> {
        self.priorities.iter().find(|entry| entry.paths.matches(path)).map(|entry| entry.level)
    }

    /// Whether the file serves requests or jobs: it is not a test, migration, seed, fixture or script.
    ///
    /// Only what lies below the folder the run was asked to scan counts: `check tests` asks for the tests.
    pub fn is_service_code(&self, path: &Path) -> bool {
        let path = self.below_root(path);
        let folder = path.parent().unwrap_or(Path::new(""));
        let aside = folder.components().any(|part| match part {
            Component::Normal(name) => name.to_str().is_some_and(is_aside),
            _ => false,
        });
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let is_made_up = folder.ends_with("management/commands") && makes_up_data(name);
        !aside && !is_test_file(name) && !is_made_up
    }

    /// Whether the file holds tests, told by its path below the folder the run was asked to scan.
    pub fn is_test_code(&self, path: &Path) -> bool {
        let path = self.below_root(path);
        let mut folders = path.parent().unwrap_or(Path::new("")).components();
        let is_test_folder =
            |name: &str| matches!(name, "tests" | "test" | "testing") || name.ends_with("_tests");
        let in_tests = folders.any(|part| match part {
            Component::Normal(name) => name.to_str().is_some_and(is_test_folder),
            _ => false,
        });
        in_tests || path.file_name().and_then(|name| name.to_str()).is_some_and(is_test_file)
    }

    /// The severity a rule's finding has in this file, or `None` when the rule is off there.
    pub fn severity(&self, asked: Asked<'_>, selection: &Selection, path: &Path) -> Option<Severity> {
        if !selection.includes(asked.id, asked.pack) {
            return None;
        }
        let severity = match self.rules.get(asked.id).and_then(|rule| rule.severity) {
            Some(Level::Off) => return None,
            Some(Level::Error) => Severity::Error,
            Some(Level::Review) => Severity::Review,
            None => asked.severity,
        };
        let wanted = self.wanted(asked.id, asked.pack, path).unwrap_or_else(|| match asked.scope {
            Scope::Everywhere => true,
            Scope::Service => self.is_service_code(path),
        });
        wanted.then(|| if self.is_protected(path) { Severity::Review } else { severity })
    }

    /// Whether the last `[[per-path]]` entry that names both the path and the rule asks for it; `None` when none does.
    fn wanted(&self, id: &str, pack: &str, path: &Path) -> Option<bool> {
        let entries = self.per_path.iter().rev().filter(|entry| entry.paths.matches(path));
        entries
            .filter_map(|entry| {
                let named = entry.select.matches(id, pack) || entry.ignore.matches(id, pack);
                let both = Selection::new(entry.select.clone(), entry.ignore.clone());
                named.then(|| both.includes(id, pack))
            })
            .next()
    }

    /// The path as seen from the closest root, else from the current directory, else from the configuration's folder.
    fn below_root(&self, path: &Path) -> PathBuf {
        let path = absolute(&self.ground.here, path);
        let roots = self.ground.roots.iter().filter(|root| path.starts_with(root));
        let closest = roots.max_by_key(|root| root.components().count());
        let folder = self.file.as_deref().and_then(Path::parent);
        let bases = [closest.map(PathBuf::as_path), Some(self.ground.here.as_path()), folder];
        let below = bases.into_iter().flatten().find_map(|base| path.strip_prefix(base).ok());
        below.unwrap_or(&path).to_owned()
    }
}

/// Folders whose code does not serve anyone. Alembic's `versions` lie below one of them, so they need no name here.
const ASIDE: [&str; 9] =
    ["tests", "test", "testing", "migrations", "alembic", "seeds", "seed", "fixtures", "scripts"];

/// What folders of such code are called when another word stands before it: `data_migrations`.
const ASIDE_AT_THE_END: [&str; 4] = ["tests", "migrations", "seeds", "fixtures"];

/// Words of the names of commands that make up data for people to play with.
const MADE_UP: [&str; 8] = ["seed", "sample", "samples", "demo", "dummy", "fake", "fixture", "fixtures"];

fn is_aside(folder: &str) -> bool {
    ASIDE.contains(&folder)
        || folder.rsplit_once('_').is_some_and(|(_, last)| ASIDE_AT_THE_END.contains(&last))
}

fn makes_up_data(command: &str) -> bool {
    let stem = command.strip_suffix(".py").unwrap_or(command);
    stem.split('_').any(|word| MADE_UP.contains(&word))
}

fn is_test_file(name: &str) -> bool {
    let stem = name.strip_suffix(".py").unwrap_or(name);
    // `tests.py` is where Django puts the tests of a small application.
    stem.starts_with("test_") || stem.ends_with("_test") || matches!(stem, "conftest" | "tests")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_names_play_their_roles() {
        let settings = Settings::default();
        let duty = |name| settings.duty_of_field(name).map(Duty::word);
        assert_eq!(duty("date_created"), Some("created-at"));
        assert_eq!(duty("last_modified"), Some("updated-at"));
        assert_eq!(duty("_created_by_id"), Some("created-by"));
        assert_eq!(duty("changed_by_fk"), Some("updated-by"));
        assert_eq!(duty("deleted_by_email"), Some("deleted-by"));
        for other in ["author", "owner", "deleted", "is_deleted", "_", "__created_by"] {
            assert_eq!(duty(other), None, "{other}");
        }
        assert_eq!(settings.duty_of_setter("set_updated_by"), Some(Duty::UpdatedBy));
    }

    #[test]
    fn no_default_name_plays_two_roles() {
        for table in [defaults::fields, defaults::setters] {
            let names: Vec<&str> = Duty::ALL.into_iter().flat_map(table).copied().collect();
            let mut once = names.clone();
            once.sort_unstable();
            once.dedup();
            assert_eq!(once.len(), names.len());
        }
    }

    #[test]
    fn a_role_that_is_given_replaces_the_default() {
        let mut roles = Settings::default().fields;
        roles.replace(Duty::UpdatedAt, vec!["created_on".into()]);
        assert_eq!(roles.duty("created_on"), Some(Duty::UpdatedAt));
        assert_eq!(roles.duty("updated_at"), None);
        assert_eq!(roles.duty("created_at"), Some(Duty::CreatedAt));
        assert!(!roles.names(Duty::CreatedAt).contains(&"created_on".to_owned()));
    }

    #[test]
    fn service_code_is_told_by_its_path_below_the_root() {
        let ground = Ground { here: "/w".into(), roots: vec!["/w/tests".into()] };
        let settings = Settings { ground: Arc::new(ground), ..Settings::default() };
        let service = |path: &str| settings.is_service_code(Path::new(path));
        assert!(service("app/service.py"));
        assert!(service("app/contest.py"));
        assert!(service("app/versions/x.py"));
        assert!(service("app/ab_test/x.py"));
        assert!(service("app/sample/seed.py"));
        assert!(service("app/management/commands/close_cases.py"));
        assert!(service("tests/project/service.py"));
        for aside in [
            "app/tests/helpers.py",
            "app/alembic/versions/0001.py",
            "db/migrations/0001.py",
            "app/test_user.py",
            "app/user_test.py",
            "conftest.py",
            "app/tests.py",
            "scripts/load.py",
            "tests/project/seeds/x.py",
            "app/long_running_migrations/jobs/0001.py",
            "app/management/commands/create_sample_data.py",
        ] {
            assert!(!service(aside), "{aside}");
        }
    }

    #[test]
    fn severity_follows_rule_path_and_scope() {
        let names = crate::config::select::tests::names();
        let parse = |words: &[&str]| Selectors::parse(words.iter().copied(), &names).expect("known");
        let paths =
            |glob: &str| Paths::new(Path::new("/w"), Path::new("/w"), vec![glob.into()]).expect("good");
        let mut settings = Settings {
            ground: Arc::new(Ground { here: "/w".into(), roots: Vec::new() }),
            protected: paths("app/core/**"),
            per_path: vec![
                PerPath { paths: paths("app/seeds/**"), select: parse(&["fields"]), ignore: parse(&[]) },
                PerPath { paths: paths("app/old/**"), select: parse(&[]), ignore: parse(&["missing-*"]) },
            ],
            ..Settings::default()
        };
        settings.rules.insert(
            "missing-rollback".into(),
            RuleSettings { severity: Some(Level::Off), ..Default::default() },
        );
        let ask = |id, pack, path: &str| {
            let asked = Asked { id, pack, severity: Severity::Error, scope: Scope::Service };
            settings.severity(asked, &Selection::default(), Path::new(path))
        };
        assert_eq!(ask("hard-delete", "fields", "app/a.py"), Some(Severity::Error));
        assert_eq!(ask("hard-delete", "fields", "app/core/a.py"), Some(Severity::Review));
        assert_eq!(ask("hard-delete", "fields", "app/tests/a.py"), None);
        assert_eq!(ask("hard-delete", "fields", "app/seeds/a.py"), Some(Severity::Error));
        assert_eq!(ask("missing-created-at", "fields", "app/old/a.py"), None);
        assert_eq!(ask("hard-delete", "fields", "app/old/a.py"), Some(Severity::Error));
        assert_eq!(ask("missing-rollback", "errors", "app/a.py"), None);
    }
}
