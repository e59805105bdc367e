//! config: what a user may set, and how the settings nearest to a file are found.
//!
//! A file of its own, or a table in `pyproject.toml` or `Cargo.toml`, governs the folder it lies in and all below, up
//! to the next one. Reading is left to the caller, who hands in a function, so that only `walk` touches the disk.

mod defaults;
mod error;
mod file;
mod layer;
mod library;
mod metrics;
mod paths;
mod select;
mod settings;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustc_hash::FxHashSet;

pub use error::ConfigError;
pub use layer::{is_dotted, is_expression, is_identifier as is_name, is_pattern};
pub use library::{Library, Mechanism, known_libraries};
pub use metrics::{Bounds, Figure};
pub use paths::{Paths, absolute, relative};
pub use select::{Names, RuleName, Selection, Selectors, UnknownRule};
pub use settings::{
    Asked, AuditPolicy, Covered, Level, PerPath, Priority, Roles, RuleSettings, Scope, Settings, Trail,
    Urgency,
};

use file::File;
use layer::Layer;
use settings::Ground;

use crate::source::slashed;

/// Reads a file as text; `None` when there is no such file.
pub type ReadText<'a> = dyn Fn(&Path) -> io::Result<Option<String>> + 'a;

/// Where the settings come from.
#[derive(Clone, Copy, Debug)]
pub enum Origin<'a> {
    /// From the file nearest to each scanned file.
    Nearest,
    /// From this file, for everything.
    File(&'a Path),
    /// From no file: the defaults, for everything.
    Nowhere,
}

/// What has to be known to find settings.
pub struct Search<'a> {
    /// Where the settings come from.
    pub origin: Origin<'a>,
    /// The current directory, absolute.
    pub here: &'a Path,
    /// The folders the run was asked to scan, absolute.
    pub roots: &'a [PathBuf],
    /// The folders that hold the files to scan, absolute.
    pub folders: &'a [PathBuf],
    /// The rules there are.
    pub names: &'a Names,
    /// How a file is read.
    pub read: &'a ReadText<'a>,
}

/// The settings of a run: the defaults and what each file found says, by the folder it governs.
#[derive(Clone, Debug, Default)]
pub struct Configuration {
    ground: Arc<Ground>,
    /// The folder that stands for the project as a whole.
    first: PathBuf,
    defaults: Settings,
    folders: BTreeMap<PathBuf, Settings>,
}

impl Configuration {
    /// Finds the settings for the folders.
    ///
    /// # Errors
    /// When a file cannot be read or says something that is not known here.
    pub fn find(search: &Search<'_>) -> Result<Configuration, Box<ConfigError>> {
        let ground = Arc::new(Ground { here: search.here.to_owned(), roots: search.roots.to_vec() });
        let defaults = Settings { ground: Arc::clone(&ground), ..Settings::default() };
        let first =
            search.roots.first().or(search.folders.first()).map_or(search.here, PathBuf::as_path).to_owned();
        let mut found = Configuration { ground, first, defaults, folders: BTreeMap::new() };
        match search.origin {
            Origin::Nowhere => {}
            Origin::File(path) => {
                let path = absolute(search.here, path);
                let settings = found.load(search, &path)?.ok_or_else(|| nothing_in(search.here, &path))?;
                found.defaults = settings;
            }
            Origin::Nearest => {
                for root in search.roots.iter().chain(search.folders) {
                    found.look_upwards(search, root)?;
                }
                for folder in below(search.roots, search.folders) {
                    // What an outer configuration leaves out is left out with all it says.
                    if !found.folders.contains_key(&folder) && !found.excludes(&folder) {
                        found.look_in(search, &folder)?;
                    }
                }
            }
        }
        Ok(found)
    }

    /// What is in force for a file, given as it is shown or absolute.
    pub fn for_path(&self, path: &Path) -> &Settings {
        // Every file is asked for, and most projects say nothing of their own.
        if self.folders.is_empty() {
            return &self.defaults;
        }
        self.in_folder(&absolute(&self.ground.here, path))
    }

    /// What is in force for the project as a whole: at the first folder the run was asked to scan, or that of the first
    /// file where it was asked for files.
    pub fn root(&self) -> &Settings {
        self.in_folder(&self.first)
    }

    /// Whether a file found below a root is not to be looked at.
    pub fn leaves_out(&self, path: &Path) -> bool {
        let included = self.for_path(path).include.as_ref().is_none_or(|include| include.matches(path));
        !included || self.excludes(path)
    }

    /// The configuration files in force, absolute, in path order.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        [&self.defaults]
            .into_iter()
            .chain(self.folders.values())
            .filter_map(|settings| settings.file.as_deref())
    }

    /// What the configuration files in force say and where they lie as seen from the current directory, in path order.
    /// Neither comments nor layout count, and of a shared file only the table that is ours.
    pub fn said(&self) -> BTreeMap<String, &str> {
        let settings = [&self.defaults].into_iter().chain(self.folders.values());
        let files = settings.flat_map(|settings| &settings.said);
        files.map(|(path, text)| (slashed(&relative(&self.ground.here, path)), text.as_str())).collect()
    }

    /// All that decides what is in force where, as texts: the roots, and for each governed folder what its files say.
    /// Places count from the current directory, so that the same project says the same wherever it lies.
    pub fn grounds(&self) -> Vec<String> {
        let place = |path: &Path| slashed(&relative(&self.ground.here, path));
        let mut all: Vec<String> = self.ground.roots.iter().map(|root| place(root)).collect();
        all.push(place(&self.first));
        let everywhere = ("everywhere".to_owned(), &self.defaults);
        let folders = self.folders.iter().map(|(folder, settings)| (place(folder), settings));
        for (governed, settings) in [everywhere].into_iter().chain(folders) {
            all.extend(["governed".to_owned(), governed]);
            all.extend(settings.file.iter().map(|file| place(file)));
            all.extend(settings.said.iter().flat_map(|(path, text)| [place(path), text.clone()]));
        }
        all
    }

    /// Whether a rule is on for the project as a whole, whatever single paths say.
    pub fn is_on(&self, id: &str, pack: &str, selection: &Selection) -> bool {
        let severity = self.root().rules.get(id).and_then(|rule| rule.severity);
        severity != Some(Level::Off) && selection.includes(id, pack)
    }

    fn in_folder(&self, folder: &Path) -> &Settings {
        folder.ancestors().find_map(|folder| self.folders.get(folder)).unwrap_or(&self.defaults)
    }

    /// Whether any configuration on the way to the path excludes it; an inner one cannot bring it back.
    fn excludes(&self, path: &Path) -> bool {
        if self.defaults.exclude.patterns.is_empty() && self.folders.is_empty() {
            return false;
        }
        let path = absolute(&self.ground.here, path);
        let outer = path.ancestors().filter_map(|folder| self.folders.get(folder));
        outer.chain([&self.defaults]).any(|settings| settings.exclude.matches(&path))
    }

    /// Looks in a folder and those above it until one has a configuration.
    fn look_upwards(&mut self, search: &Search<'_>, folder: &Path) -> Result<(), Box<ConfigError>> {
        // Below a root the search goes from the outside in, since an outer file may exclude an inner one.
        if search.roots.iter().any(|root| folder != root && folder.starts_with(root)) {
            return Ok(());
        }
        for folder in folder.ancestors() {
            if self.folders.contains_key(folder) || self.look_in(search, folder)? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Looks in one folder, and says whether a configuration is there.
    fn look_in(&mut self, search: &Search<'_>, folder: &Path) -> Result<bool, Box<ConfigError>> {
        for name in file::NAMES {
            if let Some(settings) = self.load(search, &folder.join(name))? {
                self.folders.insert(folder.to_owned(), settings);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads a file and those it extends; `None` when it is not there or does not speak of trailcheck.
    fn load(&self, search: &Search<'_>, path: &Path) -> Result<Option<Settings>, Box<ConfigError>> {
        let Some(first) = Read::new(search, path)? else { return Ok(None) };
        let mut chain = vec![first];
        while let Some(last) = chain.last()
            && let Some(extend) = last.file.extend.clone()
        {
            let target = absolute(last.folder(), Path::new(extend.get_ref()));
            if chain.iter().any(|read| read.path == target) {
                return Err(last.layer().fault(&extend, "the files extend each other in a circle"));
            }
            let fault =
                |reason: &str| last.layer().fault(&extend, &format!("`{}` {reason}", extend.get_ref()));
            let next = Read::new(search, &target)?
                .ok_or_else(|| fault("is not there, or does not configure trailcheck"))?;
            chain.push(next);
        }
        let mut settings = Settings::default();
        while let Some(mut read) = chain.pop() {
            let file = std::mem::take(&mut read.file);
            settings.said.push((read.path.clone(), file::fixed_form(&read.path, &read.text)));
            read.layer().apply(file, search.names, &self.ground, &mut settings)?;
            settings.file = Some(read.path);
        }
        Ok(Some(settings))
    }
}

/// A configuration file as it was read.
struct Read {
    path: PathBuf,
    shown: String,
    text: String,
    file: File,
}

impl Read {
    fn new(search: &Search<'_>, path: &Path) -> Result<Option<Read>, Box<ConfigError>> {
        // In most folders there is nothing, and nothing to show.
        let shown = || slashed(&relative(search.here, path));
        let text = (search.read)(path).map_err(|fault| ConfigError::of_file(&shown(), &fault.to_string()))?;
        let Some(text) = text else { return Ok(None) };
        let shown = shown();
        let file = file::parse(path, &shown, &text)?;
        Ok(file.map(|file| Read { path: path.to_owned(), shown, text, file }))
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("/"))
    }

    fn layer(&self) -> Layer<'_> {
        Layer { folder: self.folder(), shown: &self.shown, text: &self.text }
    }
}

fn nothing_in(here: &Path, path: &Path) -> Box<ConfigError> {
    let shown = slashed(&relative(here, path));
    ConfigError::of_file(&shown, "is not there, or does not configure trailcheck")
}

/// The folders and those between them and their root, outermost first.
fn below(roots: &[PathBuf], folders: &[PathBuf]) -> Vec<PathBuf> {
    let mut all: FxHashSet<&Path> = FxHashSet::default();
    for folder in folders {
        for root in roots.iter().filter(|root| folder.starts_with(root)) {
            // What lies above a folder that is there is there, too, as far as a root that lies above this one goes.
            let up = folder.ancestors().take_while(|up| up != root);
            let new: Vec<&Path> = up.take_while(|up| roots.len() > 1 || !all.contains(up)).collect();
            all.extend(new);
        }
    }
    let mut all: Vec<PathBuf> = all.into_iter().map(Path::to_owned).collect();
    all.sort_by_cached_key(|folder| (folder.components().count(), folder.clone()));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::duty::Duty;
    use miette::Diagnostic as _;

    type Disk<'a> = &'a [(&'a str, &'a str)];

    fn find(disk: Disk<'_>, folders: &[&str]) -> Result<Configuration, Box<ConfigError>> {
        find_from(disk, folders, Origin::Nearest)
    }

    fn find_from(
        disk: Disk<'_>,
        folders: &[&str],
        origin: Origin<'_>,
    ) -> Result<Configuration, Box<ConfigError>> {
        let read = |path: &Path| {
            let hit = disk.iter().find(|(name, _)| Path::new(name) == path);
            Ok(hit.map(|(_, text)| (*text).to_owned()))
        };
        let folders: Vec<PathBuf> = folders.iter().map(PathBuf::from).collect();
        Configuration::find(&Search {
            origin,
            here: Path::new("/w/p"),
            roots: &["/w/p".into()],
            folders: &folders,
            names: &select::tests::names(),
            read: &read,
        })
    }

    /// A fault as a reader sees it: message, the text under the label, advice.
    fn fault(text: &str) -> (String, String, Option<String>) {
        let fault = find(&[("/w/p/trailcheck.toml", text)], &[]).expect_err("a fault");
        let label = fault.labels().into_iter().flatten().next();
        let under = label.map(|label| text[label.offset()..label.offset() + label.len()].to_owned());
        (fault.to_string(), under.unwrap_or_default(), fault.advice().map(str::to_owned))
    }

    fn told(message: &str, under: &str, help: Option<&str>) -> (String, String, Option<String>) {
        (message.to_owned(), under.to_owned(), help.map(str::to_owned))
    }

    #[test]
    fn the_nearest_file_wins_and_names_have_an_order() {
        let disk: Disk<'_> = &[
            ("/w/trailcheck.toml", "covered-by-default = 'error'"),
            ("/w/p/a/.trailcheck.toml", "covered-by-default = 'allow'"),
            ("/w/p/a/pyproject.toml", "[tool.trailcheck]\ncovered-by-default = 'error'"),
            ("/w/p/b/pyproject.toml", "[tool.trailcheck]\naudit = 'best-effort'"),
            (
                "/w/p/c/Cargo.toml",
                "[package]\nname = 'x'\n[package.metadata.trailcheck]\nclock.expression = 'now()'",
            ),
            ("/w/p/d/pyproject.toml", "this is not toml"),
        ];
        let found = find(disk, &["/w/p/a/deep", "/w/p/b", "/w/p/c", "/w/p/d"]).expect("good files");
        let at = |path: &str| found.for_path(Path::new(path));
        assert_eq!(at("a/deep/x.py").covered_by_default, Covered::Allow);
        assert_eq!(at("b/x.py").audit, AuditPolicy::BestEffort);
        assert_eq!(at("b/x.py").covered_by_default, Covered::Review);
        assert_eq!(at("c/x.py").clock, "now()");
        assert_eq!(at("/w/p/d/x.py").covered_by_default, Covered::Error);
        assert_eq!(found.root().covered_by_default, Covered::Error);
    }

    #[test]
    fn a_file_extends_another_key_by_key() {
        let disk: Disk<'_> = &[
            (
                "/w/base.toml",
                "audit = 'best-effort'\nexclude = ['old']\n[fields]\ncreated-at = ['born']\n[rules.hard-delete]\nseverity = 'error'",
            ),
            (
                "/w/p/trailcheck.toml",
                "extend = '../base.toml'\n[fields]\nupdated-at = ['changed']\n[rules.hard-delete]\nexempt = ['Job']",
            ),
        ];
        let found = find(disk, &[]).expect("good files");
        let root = found.root();
        assert_eq!(root.audit, AuditPolicy::BestEffort);
        assert_eq!(root.fields.names(Duty::CreatedAt), ["born"]);
        assert_eq!(root.fields.names(Duty::UpdatedAt), ["changed"]);
        assert_eq!(root.duty_of_field("deleted_at"), Some(Duty::DeletedAt));
        assert_eq!(root.rules["hard-delete"].severity, Some(Level::Error));
        assert!(root.rules["hard-delete"].options.contains_key("exempt"));
        // Its globs stay relative to the folder it lies in.
        assert!(!found.leaves_out(Path::new("old/x.py")));
        assert!(found.for_path(Path::new("x.py")).exclude.matches(Path::new("/w/old/x.py")));
    }

    #[test]
    fn a_team_adds_an_audit_library_of_its_own() {
        let ours = "[[trail.library]]\nname = 'ours'\npackage = 'our_trail'\nmechanism = 'save'\nbases = ['Trailed']\n";
        let found = find(&[("/w/p/trailcheck.toml", ours)], &[]).expect("a good file");
        let names: Vec<&str> =
            found.root().trail.libraries.iter().map(|library| library.name.as_str()).collect();
        assert_eq!(names, ["ftn-audit", "django-auditlog", "django-simple-history", "pghistory", "ours"]);
        // One of a known name takes its place.
        let instead = ours.replace("'ours'", "'ftn-audit'");
        let found = find(&[("/w/p/trailcheck.toml", &instead)], &[]).expect("a good file");
        assert_eq!(found.root().trail.libraries.len(), 4);
        assert_eq!(found.root().trail.libraries[0].package, "our_trail");
        assert_eq!(
            fault(&ours.replace("'save'", "'signal'")),
            told("unknown value `signal`", "'signal'", Some("did you mean `signals`?"))
        );
        assert_eq!(fault(&ours.replace("'our_trail'", "'our-trail'")).0, "not a dotted name");
        assert_eq!(
            fault(&ours.replace("bases = ['Trailed']", "")),
            told(
                "nothing says what makes a model audited by `ours`",
                "'ours'",
                Some("give `registrars`, `decorators`, `fields`, `bases`, `all-setting` or `models-setting`")
            )
        );
        assert_eq!(fault(&format!("{ours}middelware = ['x']")).0, "unknown key `middelware`");
        assert_eq!(
            fault(&format!("{ours}misses = ['save']")).0,
            "not a method of a query set that changes rows"
        );
    }

    #[test]
    fn figures_have_bounds_that_make_sense() {
        let text = "[history]\nfile = 'kept/scans.db'\n[metrics.coverage]\nmin = 90\nmin-sample = 20\n[metrics.gaps]\nmax = 0";
        let found = find(&[("/w/p/trailcheck.toml", text)], &[]).expect("a good file");
        let root = found.root();
        assert_eq!(root.history.as_deref(), Some(Path::new("/w/p/kept/scans.db")));
        let coverage = Bounds { min: Some(90.0), max: None, min_sample: 20 };
        assert_eq!(root.metrics.get(&Figure::Coverage), Some(&coverage));
        assert_eq!(root.metrics.get(&Figure::Gaps).and_then(|bounds| bounds.max), Some(0.0));
        assert_eq!(
            fault("[metrics.coverge]\nmin = 1"),
            told("unknown metric `coverge`", "coverge", Some("did you mean `coverage`?"))
        );
        assert_eq!(fault("[metrics.coverage]\nmin = 101").0, "more than 100 %");
        assert_eq!(fault("[metrics.gaps]\nmax = -1").0, "not a number from 0 up");
        assert_eq!(fault("[metrics.gaps]\nmax = nan").0, "not a number from 0 up");
        assert_eq!(fault("[metrics.gaps]\nmin = 3\nmax = 2").0, "`max` is below `min`");
        assert_eq!(
            fault("[metrics.gaps]\nmin-sample = 3"),
            told("this metric has no bound", "gaps", Some("give `min`, `max` or both"))
        );
        assert_eq!(fault("[history]\nfile = ''").0, "the file has no name");
    }

    #[test]
    fn files_that_extend_each_other_are_a_fault() {
        let disk: Disk<'_> =
            &[("/w/p/trailcheck.toml", "extend = 'b.toml'"), ("/w/p/b.toml", "extend = './trailcheck.toml'")];
        assert!(find(disk, &[]).expect_err("a circle").to_string().contains("circle"));
        let (message, under, _) = fault("extend = '../gone.toml'");
        assert!(message.contains("is not there"), "{message}");
        assert_eq!(under, "'../gone.toml'");
    }

    #[test]
    fn an_inner_file_cannot_undo_an_outer_exclude() {
        let disk: Disk<'_> = &[
            ("/w/p/trailcheck.toml", "exclude = ['vendor']\ninclude = ['app/**', 'lib/**']"),
            ("/w/p/vendor/trailcheck.toml", "nonsense = 1"),
            ("/w/p/lib/trailcheck.toml", "exclude = ['gen_*.py']"),
        ];
        let found =
            find(disk, &["/w/p/vendor/x", "/w/p/lib", "/w/p/app"]).expect("the excluded file is not read");
        let out = |path: &str| found.leaves_out(Path::new(path));
        assert!(out("vendor/x/a.py"));
        assert!(out("other/a.py"));
        assert!(out("lib/gen_a.py"));
        assert!(!out("lib/a.py"));
        assert!(!out("app/a.py"));
    }

    #[test]
    fn one_file_or_none_can_be_asked_for() {
        let disk: Disk<'_> = &[("/w/ci.toml", "audit = 'best-effort'"), ("/w/p/trailcheck.toml", "broken")];
        let named = find_from(disk, &[], Origin::File(Path::new("../ci.toml"))).expect("a good file");
        assert_eq!(named.root().audit, AuditPolicy::BestEffort);
        assert_eq!(named.files().count(), 1);
        assert!(find_from(disk, &[], Origin::Nowhere).is_ok());
        assert!(find_from(disk, &[], Origin::File(Path::new("gone.toml"))).is_err());
    }

    #[test]
    fn faults_say_where_they_are_and_what_would_be_right() {
        assert_eq!(
            fault("exlude = []"),
            told("unknown key `exlude`", "exlude", Some("did you mean `exclude`?"))
        );
        assert_eq!(
            fault("[fields]\ncreated_at = ['x']"),
            told("unknown key `created_at`", "created_at", Some("did you mean `created-at`?"))
        );
        assert_eq!(
            fault("covered-by-default = 'reviews'"),
            told("unknown value `reviews`", "'reviews'", Some("did you mean `review`?"))
        );
        assert_eq!(
            fault("[rules.hard-delet]\nseverity = 'off'"),
            told("unknown rule `hard-delet`", "hard-delet", Some("did you mean `hard-delete`?"))
        );
        assert_eq!(
            fault("[rules.hard-delete]\nseverty = 'off'"),
            told("unknown key `severty`", "severty", Some("did you mean `severity`?"))
        );
        assert_eq!(
            fault("[rules.hard-delete]\nseverity = 'high'"),
            told("unknown value `high`", "'high'", Some("known here: error, review, off"))
        );
        assert_eq!(
            fault("[[per-path]]\npaths = ['x']\nignore = ['feilds']"),
            told("`feilds` names no rule and no pack", "'feilds'", Some("did you mean `fields`?"))
        );
        assert_eq!(fault("include = ['a[']").1, "'a['");
        assert_eq!(
            fault("[fields]\ncreated-at = ['x']\nupdated-at = ['x']").0,
            "`x` already plays created-at"
        );
        assert_eq!(fault("[fields]\ncreated-at = ['created at']").0, "not a name");
        assert_eq!(fault("[context]\nclass = 'a..b'").0, "not a dotted name");
        assert_eq!(fault("[clock]\nexpression = ''").0, "not an expression on one line");
        assert_eq!(fault("include = 3").1, "3");
        assert_eq!(fault("[[priority]]\nlevel = 'urgent'\npaths = []").1, "'urgent'");
        assert_eq!(fault("a = = b").1.len(), 1);
    }

    #[test]
    fn every_key_of_the_handbook_is_known() {
        let text = r#"
            include = ["app/**"]
            exclude = ["**/legacy/**"]
            protected = ["app/features/core/**"]
            covered-by-default = "review"
            audit = "mandatory"
            [fields]
            created-by = ["created_by_email", "created_by_name"]
            [setters]
            created-by = ["set_created_by"]
            [clock]
            expression = "datetime.now()"
            [context]
            class = "app.features.core.audit_mixin.AuditContext"
            [trail]
            models = ["core.models.AuditLog"]
            emitters = ["core.models.AuditLog.log_activity", "*._audit_log"]
            tracked = ["cases.models.Case"]
            [rules.hard-delete]
            severity = "error"
            [[priority]]
            level = "high"
            paths = ["app/features/administration/**"]
            [[per-path]]
            paths = ["**/seeds/**"]
            ignore = ["fields"]
        "#;
        let found = find(&[("/w/p/trailcheck.toml", text)], &[]).expect("all keys are known");
        let root = found.root();
        assert_eq!(root.trail.emitters.len(), 2);
        assert_eq!(root.urgency(Path::new("app/features/administration/x.py")), Some(Urgency::High));
        assert!(root.is_protected(Path::new("app/features/core/x.py")));
    }
}
