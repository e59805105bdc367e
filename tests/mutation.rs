//! mutation: what compliant code cannot lose: each statement that stamps, mends, imports, tells the trail or keeps a
//! transaction is taken out, one at a time, and its loss has to be found.
//!
//! A mutant is *found* when a finding stands in the function that was not there before, or in a function that calls or
//! is called. It is *equivalent* when nothing was lost, which has to be shown: another statement does the same (taken
//! out together, the two are found, or found differently), a listener or a default covers the write, the write itself
//! went with it, no write owes it, or nothing that is tracked is written where an event was emitted. All else *survives*, and the rate is what was found of what is not equivalent.
//!
//! With `TRAILCHECK_TREE` set, the same is done on a work tree: `TRAILCHECK_SCAN` is the folder to scan in it and
//! `TRAILCHECK_LABELS` a label file that brings the configuration and says which files are known; see `bench.sh`. Of more
//! than `TRAILCHECK_MOST` mutants, every n-th is tried.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::io::Write as _;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rayon::prelude::*;
use serde::Deserialize;

use trailcheck::config::{Configuration, Names, Origin, RuleName, Search};
use trailcheck::duty::{Duty, Operation, Standing};
use trailcheck::facts::FileFacts;
use trailcheck::finding::Scan;
use trailcheck::flow;
use trailcheck::lower::lower;
use trailcheck::name::Name;
use trailcheck::project::{FileId, FunctionId, Lookup, Project, Roles};
use trailcheck::rulebook::Rulebook;
use trailcheck::scan::{Request, scan_facts};
use trailcheck::source::Source;
use trailcheck::walk::{self, Walked};

use made::Made;
use place::{Kind, Parsed, Place, Words, places};
use tally::Tally;

#[path = "mutation/desk.rs"]
mod desk;
#[path = "mutation/made.rs"]
mod made;
#[path = "mutation/partner.rs"]
mod partner;
#[path = "mutation/place.rs"]
mod place;
#[path = "mutation/rust.rs"]
mod rust;
#[path = "mutation/tally.rs"]
mod tally;
#[path = "mutation/text.rs"]
mod text;

/// How many mutants of a work tree are tried when nobody says how many.
const MOST_MUTANTS: usize = 150;

/// How many statements are taken out with one, to see whether they stand in for it.
const MOST_PARTNERS: usize = 3;

/// The rule that a lost `await` belongs to.
const AWAIT_RULE: &str = "unawaited-session-call";

#[test]
fn the_order_service_can_lose_nothing_unnoticed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/orders-fastapi");
    let program = Program::read(&root, Path::new("orders"), None);
    let is_compliant_half = |path: &str| !path.contains("/broken_");
    let tally = program.try_all(&|path| is_compliant_half(path), &[], usize::MAX);
    say(&tally.report("fixtures/orders-fastapi"));
    let (found, all) = tally.counted();
    assert!(all >= 150, "only {all} mutants count");
    assert!(found * 100 >= all * 97, "{found} of {all} mutants are found{}", tally.survivors());
}

#[test]
fn the_help_desk_can_lose_nothing_unnoticed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/helpdesk-django");
    let config = fs::read_to_string(root.join("trailcheck.toml")).expect("the configuration can be read");
    let program = Program::read(&root, Path::new("."), Some(&config));
    let is_compliant_half = |path: &str| !path.contains("/broken_");
    let tally = program.try_all(&|path| is_compliant_half(path), &[], usize::MAX);
    say(&tally.report("fixtures/helpdesk-django"));
    let (found, all) = tally.counted();
    assert!(all >= 60, "only {all} mutants count");
    assert!(found * 100 >= all * 95, "{found} of {all} mutants are found{}", tally.survivors());
}

#[test]
fn the_order_service_in_rust_can_lose_nothing_unnoticed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/orders-rust");
    let program = Program::read(&root, Path::new("."), None);
    let is_compliant_half = |path: &str| !path.contains("/broken_");
    let tally = program.try_all(&|path| is_compliant_half(path), &[], usize::MAX);
    say(&tally.report("fixtures/orders-rust"));
    let (found, all) = tally.counted();
    assert!(all >= 200, "only {all} mutants count");
    assert!(found * 100 >= all * 95, "{found} of {all} mutants are found{}", tally.survivors());
}

#[test]
fn a_work_tree_is_tried_where_one_is_given() {
    let Ok(tree) = env::var("TRAILCHECK_TREE") else { return };
    let labels = env::var("TRAILCHECK_LABELS").ok().map(|path| Labels::read(Path::new(&path)));
    let scan = env::var("TRAILCHECK_SCAN").unwrap_or_else(|_| ".".to_owned());
    let scan = labels.as_ref().and_then(|labels| labels.scan.clone()).unwrap_or(scan);
    let config = labels.as_ref().and_then(|labels| labels.config.as_deref());
    let program = Program::read(Path::new(&tree), Path::new(&scan), config);
    let files = labels.as_ref().map_or(&[][..], |labels| &labels.file);
    let is_known = |path: &str| files.is_empty() || files.iter().any(|file| file.path == path);
    let most = env::var("TRAILCHECK_MOST").ok().and_then(|most| most.parse().ok()).unwrap_or(MOST_MUTANTS);
    let tally = program.try_all(&is_known, files, most);
    say(&tally.report(&tree));
}

/// Says it whether or not the test's output is captured.
fn say(text: &str) {
    std::io::stdout().write_all(text.as_bytes()).expect("the report can be written");
}

/// What people found in a project.
#[derive(Deserialize)]
struct Labels {
    scan: Option<String>,
    config: Option<String>,
    file: Vec<LabelledFile>,
}

#[derive(Deserialize)]
struct LabelledFile {
    path: String,
    #[serde(default)]
    expect: Vec<Label>,
}

#[derive(Deserialize)]
struct Label {
    function: String,
    rule: String,
}

impl Labels {
    fn read(path: &Path) -> Labels {
        toml::from_str(&fs::read_to_string(path).expect("the labels can be read"))
            .expect("the labels are labels")
    }
}

/// A project with everything its files say, so that a change costs one file only.
struct Program {
    sources: Vec<Arc<Source>>,
    facts: Vec<FileFacts>,
    configuration: Configuration,
    rulebook: Rulebook,
}

/// A finding by what does not move when code is taken out: file, rule, place; with the function it stands in.
type Findings = BTreeMap<(usize, String, u32), String>;

/// Writes by file, function, operation and entity, with how many there are and what they owe.
type Writes = BTreeMap<(usize, String, Operation, String), (usize, BTreeSet<Duty>)>;

/// What a scan says.
struct Seen {
    findings: Findings,
    writes: Writes,
    /// How many duties a default or a listener covers, by file, function and duty.
    covered: BTreeMap<(usize, String, Duty), usize>,
}

impl Seen {
    /// What a scan says, each finding at the place that it had before it was moved.
    fn of(scan: &Scan, moved: &dyn Fn(usize, u32) -> u32) -> Seen {
        let mut seen = Seen { findings: Findings::new(), writes: Writes::new(), covered: BTreeMap::new() };
        for (index, file) in scan.files.iter().enumerate() {
            for finding in file.findings.iter().filter(|finding| finding.suppressed.is_none()) {
                let place = (index, finding.rule.clone(), moved(index, finding.place.span.start));
                seen.findings.insert(place, finding.function.clone());
            }
            for write in &file.writes {
                let key = (index, write.function.clone(), write.operation, write.entity.clone());
                let (count, duties) = seen.writes.entry(key).or_default();
                *count += 1;
                duties.extend(write.duties.iter().map(|(duty, _)| *duty));
                for (duty, _) in write.duties.iter().filter(|(_, standing)| *standing == Standing::Covered) {
                    *seen.covered.entry((index, write.function.clone(), *duty)).or_default() += 1;
                }
            }
        }
        seen
    }

    /// What is found here and was not before, by function.
    fn beyond(&self, before: &Seen) -> Vec<(usize, &str, &str)> {
        let news = self.findings.iter().filter(|(place, _)| !before.findings.contains_key(*place));
        news.map(|((file, rule, _), function)| (*file, function.as_str(), rule.as_str())).collect()
    }

    /// Whether some write is not there any more, or is another one.
    fn lacks_a_write(&self, before: &Seen) -> bool {
        before.writes.iter().any(|(key, (count, _))| self.writes.get(key).is_none_or(|(now, _)| now < count))
    }
}

/// What came of a mutant.
enum Verdict {
    /// Found, under a rule; in another function where one is named.
    Found { rule: String, elsewhere: Option<String> },
    /// Nothing was lost, for this reason.
    Equivalent(String),
    /// The function writes nothing, as far as is seen, and nobody says otherwise.
    Unseen,
    /// Lost, and not found.
    Survives,
}

impl Program {
    fn read(root: &Path, folder: &Path, config: Option<&str>) -> Program {
        let rulebook = Rulebook::built_in();
        let rules = rulebook.rules.iter();
        let rules =
            rules.map(|rule| RuleName { id: rule.id.clone(), pack: rule.pack.clone(), keys: Vec::new() });
        let names = Names { rules: rules.collect() };
        let given = root.join("given.toml");
        let read = |path: &Path| match config {
            Some(text) if path == given => Ok(Some(text.to_owned())),
            _ => Ok(None),
        };
        let configuration = Configuration::find(&Search {
            origin: if config.is_some() { Origin::File(&given) } else { Origin::Nowhere },
            here: root,
            roots: &[root.join(folder)],
            folders: &[],
            names: &names,
            read: &read,
        });
        let configuration = configuration.expect("the configuration is understood");
        let listing = walk::list(&[PathBuf::from(folder)], root).expect("the tree can be listed");
        let Walked { sources, .. } = walk::read(listing, &configuration, true);
        let facts = sources.par_iter().map(|source| lower(source)).collect();
        Program { sources, facts, configuration, rulebook }
    }

    /// The files without some places.
    fn changed(&self, places: &[&Place]) -> (Vec<Arc<Source>>, Vec<FileFacts>) {
        let mut sources = self.sources.clone();
        let mut facts = self.facts.clone();
        let touched: BTreeSet<usize> = places.iter().map(|place| place.file).collect();
        for file in touched {
            let source = &self.sources[file];
            let mut text = source.text.as_bytes().to_vec();
            for (range, instead) in edits(places, file).iter().rev() {
                text.splice(range.clone(), instead.bytes());
            }
            let text = String::from_utf8(text).expect("what is taken out begins and ends with a character");
            let source = Source::of_text(source.path.clone(), source.language, text);
            facts[file] = lower(&source);
            let told: BTreeSet<&str> = self.facts[file].gaps.iter().map(|gap| gap.reason.as_str()).collect();
            let fresh = facts[file].gaps.iter().find(|gap| !told.contains(gap.reason.as_str()));
            assert!(fresh.is_none(), "taking out {} breaks the code: {fresh:?}", self.shown(places[0]));
            sources[file] = Arc::new(source);
        }
        (sources, facts)
    }

    /// Scans the program without some of its places.
    fn without(&self, places: &[&Place]) -> Seen {
        let (sources, facts) = self.changed(places);
        let walked = Walked { sources, ..Walked::default() };
        let request = Request::new(walked, &self.configuration, &self.rulebook, "2026-01-15");
        Seen::of(&scan_facts(request, facts), &|file, at| before_edits(places, file, at))
    }

    /// Tries the places in files that are known to be right, where nothing was found and nothing should have been.
    fn try_all(
        &self,
        is_known: &(dyn Fn(&str) -> bool + Sync),
        labels: &[LabelledFile],
        most: usize,
    ) -> Tally {
        let settings = self.configuration.root();
        let parsed: Vec<Parsed<'_>> =
            self.sources.iter().zip(&self.facts).map(|(source, facts)| Parsed::new(source, facts)).collect();
        let context = settings.context_class.rsplit('.').next().unwrap_or_default();
        let words = Words { fields: &settings.fields, setters: &settings.setters, context };
        let tables = self.tables();
        let trail = self.trail(&tables);
        let mut all = places(&parsed, &words);
        let files = || self.sources.iter().map(|source| &**source);
        all.extend(rust::places(files().zip(&self.facts), &words));
        all.extend(text::fillers(files(), &words));
        all.sort_by_key(|place| (place.file, place.span.start, place.kind));
        if !trail.emitters.is_empty() {
            all.extend(desk::places(&parsed, &words, &trail));
            all.sort_by_key(|place| (place.file, place.span.start, place.kind));
        }
        let before = self.without(&[]);
        let trial = Trial {
            program: self,
            all: &all,
            before,
            writers: self.writers(),
            made: made::made(&self.project(), &self.naming()),
            handlers: self.handlers(),
            owers: desk::owers(&parsed, &trail),
            tables,
            seen: Mutex::default(),
        };
        let is_tried = |place: &&Place| {
            place.kind != Kind::Standby
                && is_known(&self.sources[place.file].display_path())
                && settings.is_service_code(&self.sources[place.file].path)
                && trial.is_compliant(place, labels)
        };
        let (aside, mut tried): (Vec<&Place>, Vec<&Place>) =
            all.iter().filter(is_tried).partition(|place| trial.owes_nothing(place).is_some());
        let aside = aside.into_iter().map(|place| {
            let reason = trial.owes_nothing(place).unwrap_or_default();
            format!("aside       {}: {reason}", self.shown(place))
        });
        let aside = aside.collect();
        let total = tried.len();
        if total > most {
            tried = (0..most).map(|n| tried[n * total / most]).collect();
        }
        let found = trial.found_together(&tried);
        let verdict = |place: &Place| match found.get(&key(place)) {
            Some(rule) => Verdict::Found { rule: rule.clone(), elsewhere: None },
            None => trial.judge(place),
        };
        let verdicts: Vec<(Place, Verdict)> =
            tried.par_iter().map(|place| ((*place).clone(), verdict(place))).collect();
        let shown = verdicts.iter().map(|(place, _)| self.shown(place)).collect();
        Tally { verdicts, shown, total, aside }
    }

    fn shown(&self, place: &Place) -> String {
        let source = &self.sources[place.file];
        let text = source.text[place.span.clone()].split_whitespace().collect::<Vec<_>>().join(" ");
        let text: String = text.chars().take(70).collect();
        let line = source.line(place.span.start as u32);
        format!("{}:{line} {} {:?} `{text}`", source.display_path(), place.function, place.kind)
    }

    fn project(&self) -> Project {
        self.project_of(self.sources.clone(), self.facts.clone())
    }

    /// Whether a name that an import binds is one that Python has by itself, once the import is gone.
    fn is_built_in_without(&self, place: &Place) -> bool {
        let (sources, facts) = self.changed(&[place]);
        let module = FunctionId { file: FileId(place.file as u32), index: 0 };
        self.project_of(sources, facts).lookup(module, Name::new(&place.name)) == Lookup::Builtin
    }

    fn project_of(&self, sources: Vec<Arc<Source>>, facts: Vec<FileFacts>) -> Project {
        let settings = self.configuration.root();
        let roles = Roles {
            fields: settings.fields.clone(),
            setters: settings.setters.clone(),
            common: trailcheck::config::Settings::default().fields,
            ..Roles::default()
        };
        Project::new(sources.into_iter().zip(facts).collect(), roles)
    }

    /// The functions that have a part in a write, with what those writes owe.
    fn writers(&self) -> BTreeMap<(usize, String), BTreeSet<Duty>> {
        let project = self.project();
        let (_, judgements) = flow::observe(&project, &flow::follow(&project), &self.naming(), &|_| true);
        let mut writers: BTreeMap<(usize, String), BTreeSet<Duty>> = BTreeMap::new();
        for judgement in judgements {
            let within = judgement.within.map(|(function, _)| function);
            for id in [Some(judgement.function), Some(judgement.answers.0), within].into_iter().flatten() {
                let key = (id.file.0 as usize, project.function(id).qualname.clone());
                writers.entry(key).or_default().extend(judgement.duties.iter().map(|(duty, _)| *duty));
            }
        }
        writers
    }

    /// What is known of handlers, by their place.
    fn handlers(&self) -> BTreeMap<(usize, u32), Handler> {
        let project = self.project();
        let (observations, _) = flow::observe(&project, &flow::follow(&project), &self.naming(), &|_| true);
        let told = observations.into_iter().filter_map(|seen| {
            let body = *seen.words.get("handler")?.first()?;
            let is_of_database = seen.words.get("catches").is_some_and(|words| words.contains(&"database"));
            Some(((seen.file, seen.span.start), Handler { body, is_of_database }))
        });
        told.collect()
    }

    fn tables(&self) -> BTreeMap<String, bool> {
        let project = self.project();
        let mut tables: BTreeMap<String, bool> = BTreeMap::new();
        for class in project.class_ids() {
            *tables.entry(project.class(class).name.to_string()).or_default() |=
                project.model(class).is_some();
        }
        tables
    }

    /// What the settings say of the trail, by own names.
    fn trail(&self, tables: &BTreeMap<String, bool>) -> desk::Trail {
        let own = |path: &String| path.rsplit('.').next().unwrap_or_default().to_owned();
        let told = &self.configuration.root().trail;
        let tracked: BTreeSet<String> = told.tracked.iter().map(own).collect();
        let untracked = tables.keys().filter(|name| !tracked.contains(*name)).cloned().collect();
        desk::Trail { emitters: told.emitters.iter().map(own).collect(), untracked }
    }

    fn naming(&self) -> flow::Naming {
        let settings = self.configuration.root();
        flow::Naming {
            clock: settings.clock.clone(),
            is_clock_chosen: settings.is_clock_chosen,
            context: settings.context_class.clone(),
            renamed: settings.renamed.clone(),
            append_only: Vec::new(),
        }
    }
}

/// What stands instead of what in a file, in its order.
fn edits<'a>(places: &[&'a Place], file: usize) -> Vec<&'a (Range<usize>, String)> {
    let mut edits: Vec<_> = places.iter().filter(|place| place.file == file).flat_map(|p| &p.edits).collect();
    edits.sort_by_key(|(range, _)| range.start);
    edits
}

/// Where something stood before places were taken out.
fn before_edits(places: &[&Place], file: usize, at: u32) -> u32 {
    edits(places, file).into_iter().fold(at, |at, (range, instead)| {
        if at as usize > range.start {
            (at + range.len() as u32).saturating_sub(instead.len() as u32)
        } else {
            at
        }
    })
}

/// What tells a place from all others: file, start, kind.
type Key = (usize, usize, Kind);

fn key(place: &Place) -> Key {
    (place.file, place.span.start, place.kind)
}

/// Whether a function is another one or lies in it.
fn inside(function: &str, outer: &str) -> bool {
    function.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// What is known of a handler.
#[derive(Clone, Copy)]
struct Handler {
    /// The word for what the `try` body does to the database.
    body: &'static str,
    /// Whether it catches what the database raises.
    is_of_database: bool,
}

/// What is known before anything is taken out.
struct Trial<'a> {
    program: &'a Program,
    all: &'a [Place],
    before: Seen,
    writers: BTreeMap<(usize, String), BTreeSet<Duty>>,
    made: Vec<Made>,
    handlers: BTreeMap<(usize, u32), Handler>,
    /// Functions whose code, or that of whoever calls them, writes what an audit event may be owed for.
    owers: BTreeSet<(usize, String)>,
    /// Every class of the project by its own name, and whether one of that name is mapped to a table.
    tables: BTreeMap<String, bool>,
    /// What was seen without some places.
    seen: Mutex<BTreeMap<Vec<Key>, Arc<Seen>>>,
}

impl Trial<'_> {
    /// Whether nothing is wrong, with what the place is for, in the function or handler it stands in.
    fn is_compliant(&self, place: &Place, labels: &[LabelledFile]) -> bool {
        let path = self.program.sources[place.file].display_path();
        let expected = labels.iter().filter(|file| file.path == path).flat_map(|file| &file.expect);
        let expected =
            expected.filter(|label| label.function == place.function).map(|label| label.rule.as_str());
        let here = self.before.findings.iter().filter(|((file, ..), _)| *file == place.file);
        if place.kind.imports() {
            return true;
        }
        if let Some(clause) = place.handler.as_ref().filter(|_| place.kind.mends()) {
            let body = self.handler(place).map_or("other", |handler| handler.body);
            let counts = clause.writes || body == "write" || (body == "sql" && place.kind == Kind::Rollback);
            let is_of_duty = |rule: &str| Duty::ALL.iter().any(|duty| rule.ends_with(duty.word()));
            let mut found = here.filter(|((_, _, at), _)| clause.span.contains(&(*at as usize)));
            return counts && found.next().is_none() && expected.clone().all(is_of_duty);
        }
        let mut found =
            here.filter(|(_, function)| **function == place.function).map(|((_, rule, _), _)| rule.as_str());
        if place.kind.stamps() {
            let concerns = |rule: &str| {
                place.duties.iter().any(|duty| rule.ends_with(duty.word())) || !rule.starts_with("missing-")
            };
            return !found.any(concerns) && !expected.clone().any(concerns);
        }
        found.next().is_none()
    }

    /// What is found of places that have nothing to do with one another when many are taken out at once. What is not
    /// found this way is tried by itself.
    fn found_together(&self, tried: &[&Place]) -> BTreeMap<Key, String> {
        let called: BTreeSet<&str> = self.all.iter().map(|place| place.name.as_str()).collect();
        let is_called =
            |place: &Place| place.function.rsplit('.').next().is_some_and(|name| called.contains(name));
        let mut batches: Vec<Vec<&Place>> = Vec::new();
        for &place in tried.iter().filter(|place| !is_called(place)) {
            let is_apart = |other: &&Place| {
                let shares_file = place.kind.imports() || other.kind.imports();
                let shares_function =
                    inside(&other.function, &place.function) || inside(&place.function, &other.function);
                other.file != place.file || !(shares_file || shares_function)
            };
            match batches.iter_mut().find(|batch| batch.iter().all(is_apart)) {
                Some(batch) => batch.push(place),
                None => batches.push(vec![place]),
            }
        }
        let mut found = BTreeMap::new();
        for batch in batches.iter().filter(|batch| batch.len() > 1) {
            let after = self.program.without(batch);
            let news = after.findings.iter().filter(|(place, _)| !self.before.findings.contains_key(*place));
            for ((file, rule, at), function) in news {
                // Only what the place itself is about: the rest may come from another one.
                let caused = batch.iter().find(|place| {
                    place.file == *file
                        && match &place.handler {
                            _ if place.kind.imports() => rule.starts_with("unimported-"),
                            _ if place.kind.stamps() => {
                                inside(function, &place.function)
                                    && place.duties.iter().any(|duty| rule.ends_with(duty.word()))
                            }
                            Some(clause) => clause.span.contains(&(*at as usize)),
                            None if place.kind.trails() => inside(function, &place.function),
                            None => inside(function, &place.function) && rule == AWAIT_RULE,
                        }
                });
                if let Some(place) = caused {
                    found.entry(key(place)).or_insert_with(|| rule.clone());
                }
            }
        }
        found
    }

    /// Why a place need not be tried at all.
    fn owes_nothing(&self, place: &Place) -> Option<&'static str> {
        let rules = &self.program.rulebook.rules;
        if place.kind == Kind::Await && !rules.iter().any(|rule| rule.id == AWAIT_RULE) {
            return Some("no rule is for it yet");
        }
        if place.kind == Kind::Keyword && self.tables.get(&place.name) == Some(&false) {
            return Some("it is handed to a class that is no table");
        }
        if place.kind == Kind::Keyword && !self.is_writer(place.file, &place.function) {
            return Some("the function writes nothing that is seen");
        }
        None
    }

    /// What is seen without some places.
    fn without(&self, places: &[&Place]) -> Arc<Seen> {
        let mut keys: Vec<Key> = places.iter().map(|place| key(place)).collect();
        keys.sort_unstable();
        if let Some(seen) = self.seen.lock().expect("nobody failed with it").get(&keys) {
            return Arc::clone(seen);
        }
        let seen = Arc::new(self.program.without(places));
        self.seen.lock().expect("nobody failed with it").insert(keys, Arc::clone(&seen));
        seen
    }

    fn handler(&self, place: &Place) -> Option<Handler> {
        let clause = place.handler.as_ref()?;
        self.handlers.get(&(place.file, clause.span.start as u32)).copied()
    }

    fn judge(&self, place: &Place) -> Verdict {
        let after = self.without(&[place]);
        let news = after.beyond(&self.before);
        let is_here = |file: usize, function: &str| {
            file == place.file && (place.kind.imports() || inside(function, &place.function))
        };
        if let Some((_, _, rule)) = news.iter().find(|(file, function, _)| is_here(*file, function)) {
            return Verdict::Found { rule: (*rule).to_owned(), elsewhere: None };
        }
        if let Some((file, function, rule)) = news.first() {
            let elsewhere = Some(format!("{} {function}", self.program.sources[*file].display_path()));
            return Verdict::Found { rule: (*rule).to_owned(), elsewhere };
        }
        if place.kind == Kind::Await {
            return Verdict::Survives;
        }
        if place.kind.trails() {
            let reason = self.tells_of_nothing(place).or_else(|| self.stand_in(place, &after));
            return reason.map_or(Verdict::Survives, Verdict::Equivalent);
        }
        if place.kind.stamps() && after.lacks_a_write(&self.before) {
            return Verdict::Equivalent("the write goes with it".to_owned());
        }
        let covers = |duty: &Duty| {
            let key = (place.file, place.function.clone(), *duty);
            after.covered.get(&key) > self.before.covered.get(&key)
        };
        if place.kind.stamps() && place.duties.iter().all(covers) {
            return Verdict::Equivalent("a listener or a default covers it, and no rule minds".to_owned());
        }
        if place.kind.mends() && self.handler(place).is_some_and(|handler| !handler.is_of_database) {
            return Verdict::Equivalent("the handler catches nothing that the database raises".to_owned());
        }
        if place.kind == Kind::ExceptionImport && self.program.is_built_in_without(place) {
            return Verdict::Equivalent("a built-in exception has the same name".to_owned());
        }
        let reason = self.logged_before(place).or_else(|| self.stand_in(place, &after));
        if let Some(reason) = reason.or_else(|| self.goes_on_to_owner(place)) {
            return Verdict::Equivalent(reason);
        }
        if place.kind == Kind::Helper
            && !self.is_writer(place.file, &place.function)
            && self.makes_change(place)
        {
            return Verdict::Equivalent("the call makes the change as well".to_owned());
        }
        if place.kind == Kind::Keyword
            && made::with(&self.made, place).is_some_and(|made| made.is_disjoint(&place.duties))
        {
            return Verdict::Equivalent("the row that it is given to does not owe it".to_owned());
        }
        if place.kind.stamps() {
            match self.writers.get(&(place.file, place.function.clone())) {
                Some(owed) if owed.is_disjoint(&place.duties) => {
                    return Verdict::Equivalent("no write of the function owes it".to_owned());
                }
                Some(_) => {}
                None => return Verdict::Unseen,
            }
        }
        Verdict::Survives
    }

    /// Why no trail lacks anything: nothing that is tracked is written where the event is emitted, or nothing is told in
    /// the transaction.
    fn tells_of_nothing(&self, place: &Place) -> Option<String> {
        let owes = |place: &Place| self.owers.contains(&(place.file, place.function.clone()));
        match place.kind {
            Kind::Emission if !owes(place) => Some("nothing that is tracked is written there".to_owned()),
            Kind::Atomic => {
                let is_inside = |other: &&Place| {
                    other.file == place.file
                        && place.span.contains(&other.span.start)
                        && matches!(other.kind, Kind::Emission | Kind::OnCommit)
                };
                let told = self.all.iter().any(|other| is_inside(&other) && owes(other));
                (!told).then(|| "nothing that is tracked is told of in it".to_owned())
            }
            _ => None,
        }
    }

    fn is_writer(&self, file: usize, function: &str) -> bool {
        self.writers.contains_key(&(file, function.to_owned()))
    }

    /// Whether what a place calls has a part in a write itself.
    fn makes_change(&self, place: &Place) -> bool {
        self.writers.keys().any(|(_, function)| function.rsplit('.').next() == Some(&place.name))
    }

    /// A way out of a handler may go when a log stands before it on every path: whoever looks for the error finds it.
    /// That the log counts is shown by taking it out.
    fn logged_before(&self, place: &Place) -> Option<String> {
        let is_before = |other: &&Place| {
            matches!(other.kind, Kind::Log | Kind::Mending)
                && (other.file, &other.handler) == (place.file, &place.handler)
                && other.span.end <= place.span.start
                && other.suite.start <= place.span.start
                && place.span.end <= other.suite.end
        };
        let counts = |other: &&Place| !self.without(&[other]).beyond(&self.before).is_empty();
        let log = self.all.iter().filter(|_| place.kind == Kind::Raise).filter(is_before).find(counts)?;
        Some(format!("it was logged: {}", self.program.shown(log)))
    }

    /// A rollback may go when the error leaves the function right behind it: whoever owns the session closes it. That
    /// the session is known to have failed there is shown by using it in the place of the rollback; what the body calls
    /// may have rolled back before, so that goes, too.
    fn goes_on_to_owner(&self, place: &Place) -> Option<String> {
        let used = place.used_instead(&self.program.sources[place.file].text)?;
        let is_behind = |other: &&Place| {
            other.kind == Kind::Raise
                && (other.file, &other.handler, &other.suite) == (place.file, &place.handler, &place.suite)
                && other.span.start >= place.span.end
        };
        let raise =
            self.all.iter().filter(|_| place.kind == Kind::Rollback).find(|other| is_behind(other))?;
        let calls = &place.handler.as_ref()?.calls;
        let before: Vec<&Place> = self
            .all
            .iter()
            .filter(|other| matches!(other.kind, Kind::Rollback | Kind::Mending))
            .filter(|other| other.function.rsplit('.').next().is_some_and(|name| calls.contains(name)))
            .take(MOST_PARTNERS)
            .collect();
        let is_found = |others: Vec<&Place>| {
            let with_used: Vec<&Place> = others.iter().copied().chain([&used]).collect();
            !self.without(&with_used).beyond(&self.without(&others)).is_empty()
        };
        let all_before = (!before.is_empty()).then_some(before);
        let is_needed = is_found(Vec::new()) || all_before.is_some_and(is_found);
        is_needed.then(|| format!("the owner of the session gets the error: {}", self.program.shown(raise)))
    }

    /// What does the same as a place: taken out together, they are found as neither is alone.
    fn stand_in(&self, place: &Place, alone: &Seen) -> Option<String> {
        let partners = self.partners(place);
        for chosen in subsets(partners.len()) {
            let others: Vec<&Place> = chosen.iter().map(|&at| partners[at]).collect();
            let mut both = others.clone();
            both.push(place);
            let (without_others, without_both) = (self.without(&others), self.without(&both));
            let known = |key: &(usize, String, u32)| {
                without_others.findings.contains_key(key) || alone.findings.contains_key(key)
            };
            let is_found = without_both.findings.keys().any(|key| !known(key));
            let is_lost = without_others.findings.keys().any(|key| !without_both.findings.contains_key(key));
            if is_found || (is_lost && place.kind.mends()) {
                let lines: Vec<String> = others.iter().map(|other| self.program.shown(other)).collect();
                return Some(format!(
                    "{} {}",
                    if others.len() == 1 { "there is" } else { "there are" },
                    lines.join(" and ")
                ));
            }
        }
        None
    }
}

/// Every choice among so many things but for the empty one, small choices first.
fn subsets(count: usize) -> Vec<Vec<usize>> {
    let mut all: Vec<Vec<usize>> =
        (1..1_u32 << count).map(|mask| (0..count).filter(|at| mask & (1 << at) != 0).collect()).collect();
    all.sort_by_key(Vec::len);
    all
}
