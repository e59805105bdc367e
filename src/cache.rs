//! cache: what was found before, kept under a hash of all it depends on, so that nothing is worked out twice.
//!
//! An entry is known by what it is made of: texts, paths, settings, rules and the build of the program, never by a time
//! or a place. So it holds on every machine that has the same code, and nothing has to be told that something changed.
//! The hash is one that nobody can make a second text for, since an entry says what may pass a gate. Whoever can write
//! into the folder is believed; so it lies with the user by default and not in the code that is scanned, where whoever
//! can commit could put entries of their own.
//!
//! What cannot be used is passed over and made anew; what cannot be written costs time and nothing else.

mod entry;
mod key;
mod result;

use std::path::Path;
use std::sync::{Arc, OnceLock};

pub use key::{Key, Parts};

use crate::finding::Scan;
use crate::source::Source;
use crate::walk::Store;

/// Bytes that all entries together may have; those that were not used for longest go first.
pub const MOST_BYTES: u64 = 256 << 20;

/// The files that tell others what the folder is: backups and version control pass it over.
const SIGNS: [(&str, &str); 2] = [
    ("CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n# This folder is a cache of trailcheck.\n"),
    (".gitignore", "*\n"),
];

/// Behind the key in the name of an entry.
const ENDING: &str = ".trailcheck";

/// A folder of entries.
#[derive(Debug)]
pub struct Cache {
    store: Store,
    fault: OnceLock<String>,
    told: OnceLock<()>,
}

impl Cache {
    /// The cache in a folder.
    pub fn new(store: Store) -> Cache {
        Cache { store, fault: OnceLock::new(), told: OnceLock::new() }
    }

    /// Where it lies.
    pub fn folder(&self) -> &Path {
        self.store.folder()
    }

    /// Why something could not be kept; told once, however much it was.
    pub fn take_fault(&self) -> Option<&str> {
        let reason = self.fault.get()?;
        self.told.set(()).ok().map(|()| reason.as_str())
    }

    /// What a scan of these sources found that is known by the key.
    pub fn result(&self, key: &Key, sources: &[Arc<Source>]) -> Option<Scan> {
        result::take(entry::content(key, &self.read(key)?)?, sources)
    }

    /// Keeps what a scan of these sources has found.
    pub fn keep_result(&self, key: &Key, scan: &Scan, sources: &[Arc<Source>]) {
        if let Some(content) = result::put(scan, sources) {
            self.keep(key, &content);
        }
    }

    /// Takes all entries away; says how many there were and how many bytes they had.
    pub fn clear(&self) -> (usize, u64) {
        let gone = self.store.entries(is_own).into_iter().filter(|one| self.store.remove(&one.name));
        gone.fold((0, 0), |(count, bytes), one| (count + 1, bytes + one.bytes))
    }

    fn read(&self, key: &Key) -> Option<Vec<u8>> {
        self.store.read(&name(key), MOST_BYTES)
    }

    fn keep(&self, key: &Key, content: &[u8]) {
        if content.len() as u64 > MOST_BYTES / 2 {
            return;
        }
        match self.store.put(&name(key), &[&entry::head(key, content), content], &SIGNS) {
            Ok(()) => self.bound(MOST_BYTES),
            // One reason is enough.
            Err(fault) => drop(self.fault.set(fault.to_string())),
        }
    }

    /// Takes away what was not used for longest, until the rest has no more than so many bytes.
    fn bound(&self, most: u64) {
        let mut room = Some(most);
        for one in self.store.entries(is_own) {
            room = room.and_then(|room| room.checked_sub(one.bytes));
            if room.is_none() {
                self.store.remove(&one.name);
            }
        }
    }
}

fn name(key: &Key) -> String {
    format!("{key}{ENDING}")
}

fn is_own(name: &str) -> bool {
    name.ends_with(ENDING)
}
