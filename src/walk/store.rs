//! walk/store: a folder that only this program writes to, whose entries come and go whole.
//!
//! Several processes may use it at once: an entry gets its name in one step, and whoever reads it meanwhile keeps what
//! was there. No entry is a link, and a folder that is named below another one can be held to lie there, so that no link
//! in scanned code leads out of it.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tempfile::Builder;

use super::again::with_bytes;
use crate::source::slashed;

/// A folder of entries.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
}

/// An entry that is there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stored {
    /// When it was made or used last.
    pub used: SystemTime,
    /// Its name.
    pub name: String,
    /// How many bytes it has.
    pub bytes: u64,
}

/// An entry that was used less than this ago is not marked again: marks cost time, and nothing needs them closer.
const MARK_AFTER: Duration = Duration::from_secs(60 * 60);

/// A file that was left by a process that died is taken away after this time.
const LEFT_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

const TEMPORARY: &str = ".trailcheck-";

impl Store {
    /// The store in an absolute folder, which need not be there yet. Where it is named below `top`, it has to lie there.
    ///
    /// # Errors
    /// When a link leads out of `top`.
    pub fn at(folder: PathBuf, top: &Path) -> io::Result<Store> {
        if folder.starts_with(top) {
            let there = folder.ancestors().find(|folder| fs::symlink_metadata(folder).is_ok());
            let real = fs::canonicalize(there.unwrap_or(top))?;
            if !real.starts_with(fs::canonicalize(top)?) {
                let reason = format!("a link leads out of `{}`", slashed(top));
                return Err(io::Error::other(reason));
            }
        }
        Ok(Store { folder })
    }

    /// Where it lies.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Does something with an entry of at most so many bytes; `None` where there is none that can be read.
    pub fn read<T>(&self, name: &str, most: u64, work: impl FnOnce(&[u8]) -> T) -> Option<T> {
        let path = self.folder.join(name);
        let kind = fs::symlink_metadata(&path).ok().filter(|kind| kind.is_file() && kind.len() <= most)?;
        let done = with_bytes(&path, work).ok()?;
        if kind.modified().is_ok_and(|used| is_older(used, MARK_AFTER)) {
            // Where it cannot be marked, it is taken for one that nobody uses.
            let _ = File::options().append(true).open(&path).map(|file| file.set_modified(SystemTime::now()));
        }
        Some(done)
    }

    /// Writes an entry, in place of one of that name. The folder is made where it is not there, and with it the given
    /// files that tell others what it is.
    ///
    /// # Errors
    /// When the folder or the entry cannot be written.
    pub fn put(&self, name: &str, parts: &[&[u8]], signs: &[(&str, &str)]) -> io::Result<()> {
        if !self.folder.is_dir() {
            fs::create_dir_all(&self.folder)?;
            for (name, text) in signs {
                fs::write(self.folder.join(name), text)?;
            }
        }
        let mut beside = Builder::new().prefix(TEMPORARY).suffix(".tmp").tempfile_in(&self.folder)?;
        for part in parts {
            beside.write_all(part)?;
        }
        beside.persist(self.folder.join(name)).map_err(|fault| fault.error)?;
        Ok(())
    }

    /// The entries whose names the caller knows for its own, the one that was used last first. What processes that died
    /// have left is taken away.
    pub fn entries(&self, is_own: impl Fn(&str) -> bool) -> Vec<Stored> {
        let Ok(listed) = fs::read_dir(&self.folder) else { return Vec::new() };
        let mut found = Vec::new();
        for entry in listed.flatten() {
            let Ok(name) = entry.file_name().into_string() else { continue };
            let Ok(kind) = entry.metadata() else { continue };
            let used = kind.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            if !kind.is_file() {
                continue;
            }
            if name.starts_with(TEMPORARY) && is_older(used, LEFT_AFTER) {
                self.remove(&name);
            }
            if is_own(&name) {
                found.push(Stored { used, name, bytes: kind.len() });
            }
        }
        found.sort_by(|a, b| b.cmp(a));
        found
    }

    /// Takes an entry away, and says whether it is gone.
    pub fn remove(&self, name: &str) -> bool {
        fs::remove_file(self.folder.join(name)).is_ok()
    }
}

fn is_older(used: SystemTime, than: Duration) -> bool {
    // A time in the future is no age.
    used.elapsed().is_ok_and(|age| age > than)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_comes_whole_and_goes() {
        let place = tempfile::tempdir().expect("a folder");
        let store = Store::at(place.path().join("a/b"), place.path()).expect("a store");
        assert_eq!(store.read("x", 10, <[u8]>::to_vec), None);
        assert!(store.entries(|_| true).is_empty());
        store.put("x", &[b"on", b"e"], &[("sign", "ours")]).expect("it can be written");
        store.put("x", &[b"two"], &[]).expect("it can be written again");
        assert_eq!(store.read("x", 3, <[u8]>::to_vec).as_deref(), Some(b"two".as_slice()));
        assert_eq!(store.read("x", 2, <[u8]>::to_vec), None, "longer than anybody wants");
        let names: Vec<String> =
            store.entries(|name| name != "sign").into_iter().map(|one| one.name).collect();
        assert_eq!(names, ["x"], "nothing else is left");
        assert!(store.remove("x") && !store.remove("x"));
    }

    #[cfg(unix)]
    #[test]
    fn no_link_leads_out() {
        use std::os::unix::fs::symlink;
        let place = tempfile::tempdir().expect("a folder");
        let elsewhere = tempfile::tempdir().expect("a folder");
        let here = fs::canonicalize(place.path()).expect("it is there");
        symlink(elsewhere.path(), here.join("out")).expect("a link");
        assert!(Store::at(here.join("out"), &here).is_err());
        assert!(Store::at(here.join("out/below"), &here).is_err());
        assert!(
            Store::at(elsewhere.path().to_owned(), &here).is_ok(),
            "who names a folder elsewhere means it"
        );
        // An entry that is a link is not read, and what it leads to is not written.
        let target = elsewhere.path().join("target");
        fs::write(&target, "theirs").expect("a file");
        let store = Store::at(here.clone(), &here).expect("a store");
        symlink(&target, here.join("x")).expect("a link");
        assert_eq!(store.read("x", 10, <[u8]>::to_vec), None);
        store.put("x", &[b"ours"], &[]).expect("it can be written");
        assert_eq!(fs::read(&target).expect("it is there"), b"theirs");
        assert_eq!(store.read("x", 10, <[u8]>::to_vec).as_deref(), Some(b"ours".as_slice()));
    }
}
