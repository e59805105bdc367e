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
mod facts;
mod key;
mod result;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use key::{Key, Parts};

use crate::facts::FileFacts;
use crate::finding::ProgramScan;
use crate::source::Source;
use crate::walk::Store;

/// Bytes that all entries together may have; those that were not used for longest go first.
pub const MOST_BYTES: u64 = 256 << 20;

/// The files that tell others what the folder is: backups and version control pass it over.
const SIGNS: [(&str, &str); 2] = [
    (
        "CACHEDIR.TAG",
        "Signature: 8a477f597d28d172789f06886806bc55\n# This folder is a cache of trailcheck.\n",
    ),
    (".gitignore", "*\n"),
];

/// Behind the key in the name of an entry.
const ENDING: &str = ".trailcheck";

/// A folder of entries.
#[derive(Debug)]
pub struct Cache {
    store: Store,
    has_grown: AtomicBool,
    fault: OnceLock<String>,
    told: OnceLock<()>,
}

impl Cache {
    /// The cache in a folder.
    pub fn new(store: Store) -> Cache {
        Cache { store, has_grown: AtomicBool::new(false), fault: OnceLock::new(), told: OnceLock::new() }
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

    /// What was found in these sources that is known by the key.
    pub fn result(&self, key: &Key, sources: &[Arc<Source>]) -> Option<ProgramScan> {
        self.read(key, |content| result::take(content, sources))
    }

    /// Keeps what was found in these sources.
    pub fn keep_result(&self, key: &Key, scan: &ProgramScan, sources: &[Arc<Source>]) {
        if let Some(content) = result::put(scan, sources) {
            self.keep(key, &content);
        }
    }

    /// Something plain that is known by the key.
    pub fn plain<T: DeserializeOwned>(&self, key: &Key) -> Option<T> {
        self.read(key, |content| postcard::from_bytes(content).ok())
    }

    /// Keeps something plain.
    pub fn keep_plain(&self, key: &Key, plain: &impl Serialize) {
        if let Ok(content) = postcard::to_stdvec(plain) {
            self.keep(key, &content);
        }
    }

    /// What these files say that are known by the key together, in their order.
    pub fn facts(&self, key: &Key, count: usize) -> Option<Vec<FileFacts>> {
        self.read(key, |content| facts::take(content, count))
    }

    /// Keeps what some files say.
    pub fn keep_facts(&self, key: &Key, facts: &[&FileFacts]) {
        if let Some(content) = facts::put(facts) {
            self.keep(key, &content);
        }
    }

    /// Takes away what was not used for longest, where all entries together have become too many. As long as nothing was
    /// added they have not, and nobody looks.
    pub fn bound(&self) {
        if self.has_grown.load(Ordering::Relaxed) {
            self.bound_to(MOST_BYTES);
        }
    }

    /// Takes all entries away; says how many there were and how many bytes they had.
    pub fn clear(&self) -> (usize, u64) {
        let gone = self.store.entries(is_own).into_iter().filter(|one| self.store.remove(&one.name));
        gone.fold((0, 0), |(count, bytes), one| (count + 1, bytes + one.bytes))
    }

    /// What becomes of the content of an entry.
    fn read<T>(&self, key: &Key, take: impl FnOnce(&[u8]) -> Option<T>) -> Option<T> {
        self.store.read(&name(key), MOST_BYTES, |bytes| take(entry::content(key, bytes)?)).flatten()
    }

    fn keep(&self, key: &Key, content: &[u8]) {
        if content.len() as u64 > MOST_BYTES / 2 {
            return;
        }
        match self.store.put(&name(key), &[&entry::head(key, content), content], &SIGNS) {
            Ok(()) => self.has_grown.store(true, Ordering::Relaxed),
            Err(fault) => {
                // One reason is enough.
                let _ = self.fault.set(fault.to_string());
            }
        }
    }

    /// Takes away what was not used for longest, until the rest has no more than so many bytes.
    fn bound_to(&self, most: u64) {
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

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::lower::lower;
    use crate::source::Language;

    fn cache(folder: &Path) -> Cache {
        Cache::new(Store::at(PathBuf::from(folder), folder).expect("a store"))
    }

    #[test]
    fn what_a_file_says_comes_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = cache(folder.path());
        let text = "import a.b as c\n__all__ = ['f']\n\n@c.d(1, e=[None])\nasync def f(x: 'int' = 2, *y, **z) -> c.E | None:\n    \
                    with x as y:\n        try:\n            z.q[1] = {1: y}\n        except (c.E, F) as g:\n            raise g from None\n    \
                    return [i for i in x if i]\n";
        let facts = lower(&Source::of_text("a.py", Language::Python, text));
        let key = Parts::of("facts").key();
        cache.keep_facts(&key, &[&facts, &facts]);
        let back = cache.facts(&key, 2).expect("it is kept");
        assert_eq!(format!("{back:?}"), format!("{:?}", [&facts, &facts]));
        assert!(cache.facts(&key, 1).is_none(), "as many as there are");
        assert_eq!(cache.fault.get(), None);
    }

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = cache(folder.path());
        let keys: Vec<Key> = ["a", "b", "c", "d"].into_iter().map(|kind| Parts::of(kind).key()).collect();
        for key in &keys {
            cache.keep(key, &[0; 1000]);
            // Some file systems tell times apart by some milliseconds only.
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        cache.bound_to(2500);
        let left: Vec<bool> = keys.iter().map(|key| cache.read(key, |_| Some(())).is_some()).collect();
        assert_eq!(left, [false, false, true, true]);
        assert_eq!(cache.clear(), (2, 2 * 1076));
    }
}
