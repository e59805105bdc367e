//! cli/run: what every command that scans needs: the threads, the files, the settings and the rules asked for.

use std::env;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use rayon::ThreadPool;

use super::arguments::ScanArguments;
use super::progress::Bar;
use super::{Failure, cache, rules, say, today};
use crate::baseline::Baseline;
use crate::cache::Cache;
use crate::config::{
    Configuration, Names, Origin, ReadText, Search, Selection, Selectors, Settings, absolute,
};
use crate::day::Day;
use crate::escape;
use crate::finding::{Gap, Safety, Scan};
use crate::fix::Mended;
use crate::learn::Learned;
use crate::report;
use crate::rule::Rule;
use crate::rulebook::Rulebook;
use crate::scan::{self, Acceptance, Leaves, Request};
use crate::since::Before;
use crate::source::slashed;
use crate::walk::{self, Listing, Walked};

/// Bytes of stack for each thread: many times what code as deep as `lower` goes into needs.
const STACK: usize = 16 << 20;

/// A scan that is ready to begin.
pub(super) struct Run {
    /// The rules there are.
    pub(super) rulebook: Rulebook,
    /// The settings in force.
    pub(super) configuration: Configuration,
    /// The files, read.
    pub(super) walked: Walked,
    /// The day of the run, as `YYYY-MM-DD`.
    pub(super) today: String,
    /// The second since 1970-01-01 in which it began.
    pub(super) began: u64,
    selection: Selection,
    accepted: Option<(Baseline, bool)>,
    before: Option<Before>,
    cache: Option<Cache>,
    leaves: Leaves,
    pool: ThreadPool,
    started: Instant,
    /// Whether the user wants to know more.
    pub(super) is_verbose: bool,
}

impl ScanArguments {
    /// Whether a file is to be read from stdin.
    pub(super) fn wants_stdin(&self) -> bool {
        self.paths.iter().any(|path| path == Path::new("-"))
    }

    /// Says what must be said whatever the format: gaps, and that there was nothing.
    pub(super) fn tell_what_is_lacking(&self, scan: &Scan) {
        self.tell_gaps(&scan.gaps, report::Tally::of(scan).scanned);
    }

    /// Says where something could not be understood, and that there was nothing where no file was scanned.
    pub(super) fn tell_gaps(&self, gaps: &[Gap], scanned: usize) {
        gaps.iter().for_each(|gap| say(&report::gap_line(gap)));
        if scanned == 0 {
            let paths: Vec<String> = self.paths.iter().map(|path| format!("`{}`", slashed(path))).collect();
            let paths = paths.join(", ");
            say(&escape::terminal(&format!(
                "nothing was scanned: no readable file of Python or Rust in {paths}"
            )));
        }
    }

    /// The folder that the first root is, or lies in.
    pub(super) fn folder(&self) -> Result<PathBuf, Failure> {
        let root = absolute(&here()?, self.paths.first().map_or(Path::new("."), PathBuf::as_path));
        Ok(match root.parent() {
            Some(parent) if !walk::is_folder(&root) => parent.to_owned(),
            _ => root,
        })
    }

    fn selection(&self, names: &Names) -> Result<Selection, Failure> {
        let parse = |words: &[String]| {
            Selectors::parse(words.iter().map(String::as_str), names)
                .map_err(|(_, unknown)| Failure::from(unknown))
        };
        Ok(Selection::new(parse(&self.select)?, parse(&self.ignore)?))
    }
}

impl Run {
    /// Finds settings and reads files, for somebody who wants these texts when all is done.
    ///
    /// # Errors
    /// When the arguments or the configuration are wrong, or a root is not there.
    pub(super) fn prepare(
        arguments: &ScanArguments,
        stdin_name: Option<&Path>,
        leaves: Leaves,
    ) -> Result<Run, Failure> {
        let started = Instant::now();
        let rulebook = Rulebook::built_in();
        let names = rules::names(&rulebook);
        let selection = arguments.selection(&names)?;
        let began = today::now()?;
        let today = Day::of_second(began).to_string();
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(arguments.threads.map_or(0, usize::from))
            .stack_size(STACK)
            .build()
            .map_err(|fault| Failure::Other(format!("cannot start threads: {fault}"), None))?;
        let (found, configuration) = pool.install(|| find(arguments, stdin_name, &names))?;
        // A history knows a tree by all that its files say.
        let leaves = if configuration.root().history.is_some() { Leaves::All } else { leaves };
        let walked = match found {
            Found::Stdin(name) => walk::given(&name, &read_stdin()?),
            Found::Files(listing) => {
                pool.install(|| walk::read(listing, &configuration, leaves == Leaves::All))
            }
        };
        if arguments.verbose {
            configuration.files().for_each(|file| say(&format!("configuration: {}", slashed(file))));
        }
        let is_verbose = arguments.verbose;
        let cache = cache::open(arguments)?;
        let (accepted, before) = (None, None);
        Ok(Run {
            rulebook,
            configuration,
            walked,
            today,
            began,
            selection,
            accepted,
            before,
            cache,
            leaves,
            pool,
            started,
            is_verbose,
        })
    }

    /// Holds the scan of these roots against a baseline.
    pub(super) fn hold_against(&mut self, baseline: Baseline, roots: &[PathBuf]) {
        let sees_all = baseline.is_seen_whole(roots);
        self.accepted = Some((baseline, sees_all));
    }

    /// Leaves only what was not found before.
    pub(super) fn leave_brought(&mut self, before: Before) {
        self.before = Some(before);
    }

    /// Scans other files than those of the run in the same way, for nobody to be told.
    pub(super) fn scan_of(&self, walked: Walked) -> Scan {
        self.told(|request| scan::scan(Request { walked, accepted: None, before: None, ..request }))
    }

    /// Scans.
    pub(super) fn scan(&self) -> Scan {
        self.told(scan::scan)
    }

    /// Scans and mends what fixes of at most the given daring can mend.
    pub(super) fn mend(&self, most: Safety) -> Mended {
        self.told(|request| scan::mend(request, most))
    }

    /// Learns the convention of the files, and tells of gaps.
    pub(super) fn learn(&self) -> (Learned, Vec<Gap>) {
        self.told(scan::learn)
    }

    /// Works on the files with the threads of the run, and tells how far it is.
    fn told<T: Send>(&self, work: impl FnOnce(Request<'_>) -> T + Send) -> T {
        let bar = Bar::new();
        let done = self.pool.install(|| work(self.request(&bar)));
        bar.finish();
        self.cache.iter().for_each(cache::tell_fault);
        done
    }

    /// Scans as if it were another day, given as `YYYY-MM-DD`.
    pub(super) fn on_day(self, today: String) -> Run {
        Run { today, ..self }
    }

    /// Whether a rule is on for the project as a whole.
    pub(super) fn is_on(&self, rule: &Rule) -> bool {
        self.configuration.is_on(&rule.id, &rule.pack, &self.selection)
    }

    /// How long it has taken until now. Nothing where the run is one to be repeated byte by byte.
    pub(super) fn milliseconds(&self) -> Option<u64> {
        let millis = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        (!today::is_given()).then_some(millis)
    }

    /// Says how long it took, to who wants to know.
    pub(super) fn tell_time(&self, scan: &Scan) {
        if self.is_verbose {
            let files = report::count(report::Tally::of(scan).scanned, "file");
            let programs = match scan.programs.as_slice() {
                [] | [_] => String::new(),
                all => {
                    let sizes: Vec<String> = all.iter().map(usize::to_string).collect();
                    format!(" of {} programs ({})", all.len(), sizes.join(" + "))
                }
            };
            say(&format!("{files}{programs} in {:.2} s", self.started.elapsed().as_secs_f64()));
        }
    }

    fn request<'a>(&'a self, progress: &'a Bar) -> Request<'a> {
        Request {
            walked: self.walked.clone(),
            configuration: &self.configuration,
            rulebook: &self.rulebook,
            selection: self.selection.clone(),
            today: self.today.clone(),
            accepted: self
                .accepted
                .as_ref()
                .map(|&(ref baseline, sees_all)| Acceptance { baseline, sees_all }),
            before: self.before.as_ref(),
            cache: self.cache.as_ref(),
            leaves: self.leaves,
            progress,
        }
    }
}

/// The settings that are in force for the current directory.
///
/// # Errors
/// When a configuration is wrong.
pub(super) fn settings(file: Option<&Path>) -> Result<Settings, Failure> {
    let here = here()?;
    let names = rules::names(&Rulebook::built_in());
    let origin = file.map_or(Origin::Nearest, Origin::File);
    let search = Search {
        origin,
        here: &here,
        roots: std::slice::from_ref(&here),
        folders: &[],
        names: &names,
        read: &walk::read_text,
    };
    Ok(Configuration::find(&search)?.root().clone())
}

/// The paths of the files that would be scanned.
///
/// # Errors
/// As for [`Run::prepare`].
pub(super) fn listed(arguments: &ScanArguments, stdin_name: Option<&Path>) -> Result<Vec<String>, Failure> {
    let names = rules::names(&Rulebook::built_in());
    arguments.selection(&names)?;
    let (found, configuration) = find(arguments, stdin_name, &names)?;
    Ok(match found {
        Found::Stdin(name) => vec![slashed(&name)],
        Found::Files(listing) => listing.paths(&configuration),
    })
}

/// What there is to scan.
enum Found {
    /// One file, from stdin, and the path it is taken to have.
    Stdin(PathBuf),
    /// Files below roots.
    Files(Listing),
}

fn find(
    arguments: &ScanArguments,
    stdin_name: Option<&Path>,
    names: &Names,
) -> Result<(Found, Configuration), Failure> {
    let here = here()?;
    let origin = match &arguments.config {
        Some(file) => Origin::File(file),
        None if arguments.isolated => Origin::Nowhere,
        None => Origin::Nearest,
    };
    let settle = |roots: &[PathBuf], folders: &[PathBuf], read: &ReadText<'_>| {
        Configuration::find(&Search { origin, here: &here, roots, folders, names, read })
    };
    if arguments.wants_stdin() {
        let [_] = arguments.paths.as_slice() else {
            return Err(Failure::Other("`-` goes with no other path".to_owned(), None));
        };
        let name = stdin_name.unwrap_or(Path::new("<stdin>")).to_owned();
        let folder = absolute(&here, &name).parent().map_or_else(|| here.clone(), Path::to_owned);
        let configuration = settle(&[], &[folder], &walk::read_text)?;
        return Ok((Found::Stdin(name), configuration));
    }
    if stdin_name.is_some() {
        let help = "give `-` as the path".to_owned();
        return Err(Failure::Other(
            "--stdin-filename is given, but stdin is not read".to_owned(),
            Some(help),
        ));
    }
    let listing = walk::list(&arguments.paths, &here)?;
    let configuration = settle(&listing.roots, &listing.folders(), &|path| listing.read_text(path))?;
    Ok((Found::Files(listing), configuration))
}

/// The current directory.
///
/// # Errors
/// When it is gone.
pub(super) fn here() -> Result<PathBuf, Failure> {
    env::current_dir()
        .map_err(|fault| Failure::Other(format!("the current directory is gone: {fault}"), None))
}

/// Writes a file that the user has named.
///
/// # Errors
/// When it cannot be written.
pub(super) fn write(file: &Path, text: &str) -> Result<(), Failure> {
    walk::write(file, text)
        .map_err(|fault| Failure::Other(format!("cannot write `{}`: {fault}", slashed(file)), None))
}

fn read_stdin() -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    io::stdin()
        .lock()
        .read_to_end(&mut bytes)
        .map_err(|fault| Failure::Other(format!("cannot read stdin: {fault}"), None))?;
    Ok(bytes)
}
