//! cli/cache: where what was found is kept for the next time, and how it is taken away.
//!
//! By default that is a folder of the user's own. No configuration names another: a scanned project must not say where
//! its own results are read from.

use std::env;
use std::path::{Path, PathBuf};

use clap::Args;

use super::arguments::ScanArguments;
use super::run::here;
use super::{Failure, Outcome, print, say};
use crate::cache::Cache;
use crate::config::absolute;
use crate::escape;
use crate::report::count;
use crate::source::slashed;
use crate::vcs::Repository;
use crate::walk::{self, Store};

#[derive(Debug, Args)]
pub(super) struct CleanArguments {
    /// The folder in which results are kept; the one of the user's own, if not given
    #[arg(long, value_name = "DIR", env = "TRAILCHECK_CACHE_DIR", hide_env_values = true)]
    cache_dir: Option<PathBuf>,
}

/// The cache of a run, where one is wanted and can be trusted.
///
/// # Errors
/// When the current directory is gone.
pub(super) fn open(arguments: &ScanArguments) -> Result<Option<Cache>, Failure> {
    if arguments.no_cache || arguments.wants_stdin() {
        return Ok(None);
    }
    let Some(folder) = folder(arguments.cache_dir.as_deref())? else { return Ok(None) };
    let shown = slashed(&folder);
    match trusted(folder) {
        Ok(cache) => {
            if arguments.verbose {
                say(&escape::terminal(&format!("cache: {shown}")));
            }
            Ok(Some(cache))
        }
        Err(reason) => {
            tell(&shown, &reason);
            Ok(None)
        }
    }
}

/// Says why something could not be kept. That is no failure: it only takes longer the next time.
pub(super) fn tell_fault(cache: &Cache) {
    if let Some(reason) = cache.take_fault() {
        tell(&slashed(cache.folder()), reason);
    }
}

/// Takes away what was kept.
pub(super) fn clean(arguments: &CleanArguments) -> Result<Outcome, Failure> {
    let folder = folder(arguments.cache_dir.as_deref())?.ok_or_else(|| {
        let help = "name the folder with `--cache-dir`".to_owned();
        Failure::Other("the user has no folder for caches".to_owned(), Some(help))
    })?;
    let shown = slashed(&folder);
    let cache = trusted(folder)
        .map_err(|reason| Failure::Other(format!("cannot clean `{shown}`: {reason}"), None))?;
    let (entries, bytes) = cache.clear();
    let megabytes = bytes as f64 / 1e6;
    print(&format!("{}, {megabytes:.1} MB, taken away from {shown}\n", count(entries, "file")))?;
    Ok(Outcome::Clean)
}

fn tell(shown: &str, reason: &str) {
    say(&escape::terminal(&format!("nothing is kept in the cache `{shown}`: {reason}")));
}

/// The cache in a folder, unless who can commit to the scanned code can say what it holds or where it lies.
fn trusted(folder: PathBuf) -> Result<Cache, String> {
    let here = env::current_dir().map_err(|fault| fault.to_string())?;
    let repository = folder.ancestors().find(|folder| walk::is_there(&folder.join(".git")));
    if repository.is_some() && walk::is_folder(&folder) {
        match Repository::tracks_in(&folder) {
            Ok(false) => {}
            Ok(true) => return Err("git tracks files in it, so anybody could have made them".to_owned()),
            Err(fault) => return Err(format!("it lies in a repository, and {fault}")),
        }
    }
    let top = repository.unwrap_or(&here).to_owned();
    Store::at(folder, &top).map(Cache::new).map_err(|fault| fault.to_string())
}

/// The folder, absolute: the one that is given, or else the user's own, where there is one.
fn folder(given: Option<&Path>) -> Result<Option<PathBuf>, Failure> {
    let folder = match given {
        Some(given) => Some(absolute(&here()?, given)),
        None => own_folder(),
    };
    Ok(folder)
}

/// Where programs keep what they can make anew, as the system has it.
fn own_folder() -> Option<PathBuf> {
    let named = |name: &str| env::var_os(name).map(PathBuf::from).filter(|folder| folder.is_absolute());
    let below_home =
        |names: &[&str]| Some(names.iter().fold(named("HOME")?, |folder, name| folder.join(name)));
    let caches = if cfg!(windows) {
        named("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        named("XDG_CACHE_HOME").or_else(|| below_home(&["Library", "Caches"]))
    } else {
        named("XDG_CACHE_HOME").or_else(|| below_home(&[".cache"]))
    };
    caches.map(|caches| caches.join("trailcheck"))
}
