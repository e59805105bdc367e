//! walk/replace: a file gets a new text, whole or not at all.
//!
//! The new text goes to a file of its own beside the old one, reaches the disk, and takes the old one's name in one step:
//! whoever looks, and whenever the process ends, sees the old text or the new one. A file that is not what was read, that
//! nobody may write, or that lies outside the scanned folders is left alone.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use tempfile::Builder;

use super::plain;
use crate::source::Source;

/// Puts the new text of a source in place of the one that was read. `roots` are the scanned files and folders, and `here`
/// is what paths are relative to.
///
/// # Errors
/// Why the file was left as it is, in plain words.
pub fn replace(old: &Source, new: &Source, roots: &[PathBuf], here: &Path) -> Result<(), String> {
    let path = fs::canonicalize(here.join(&old.path)).map_err(|fault| plain(&fault))?;
    let is_inside = roots.iter().any(|root| {
        let root = fs::canonicalize(super::root_on_disk(here, root));
        root.is_ok_and(|root| path.starts_with(root))
    });
    if !is_inside {
        return Err("it lies outside the scanned folders".to_owned());
    }
    let bytes = new.bytes().ok_or("its encoding has no bytes for the new text")?;
    let kind = fs::metadata(&path).map_err(|fault| plain(&fault))?;
    if kind.permissions().readonly() {
        return Err("it is read-only".to_owned());
    }
    let folder = path.parent().ok_or("it lies in no folder")?;
    let cannot = |fault: std::io::Error| format!("cannot write beside it: {}", plain(&fault));
    let mut beside =
        Builder::new().prefix(".trailcheck-").suffix(".tmp").tempfile_in(folder).map_err(cannot)?;
    beside.write_all(&bytes).map_err(cannot)?;
    beside.as_file().set_permissions(kind.permissions()).map_err(cannot)?;
    beside.as_file().sync_all().map_err(cannot)?;
    // The last look at the old text comes as late as can be.
    let current = fs::read(&path).map_err(|fault| plain(&fault))?;
    if old.bytes().is_none_or(|read| read != current) {
        return Err("it has changed since it was read".to_owned());
    }
    beside.persist(&path).map_err(|fault| cannot(fault.error))?;
    // The name is in the folder, so the folder has to reach the disk, too; where folders cannot be opened, nobody can help.
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Language;
    use crate::walk;

    const OLD: &[u8] = b"\xEF\xBB\xBFa = 1\r\n";

    /// A file on the disk, as it was read, and with another text.
    fn file(folder: &Path, name: &str) -> (Source, Source) {
        fs::write(folder.join(name), OLD).expect("a file can be written");
        let old = Source::decode(name.into(), Language::Python, OLD).expect("text");
        let new = old.with_text("a = 2\r\n".to_owned());
        (old, new)
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder can be listed");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn the_new_text_takes_the_place_of_the_old_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let (old, new) = file(folder.path(), "a.py");
        let path = folder.path().join("a.py");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o750)).expect("permissions can be set");
        }
        assert_eq!(replace(&old, &new, &[".".into()], folder.path()), Ok(()));
        assert_eq!(fs::read(&path).expect("it can be read"), b"\xEF\xBB\xBFa = 2\r\n");
        assert_eq!(names(folder.path()), ["a.py"], "nothing else is left");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(&path).expect("it is there").permissions().mode();
            assert_eq!(mode & 0o777, 0o750);
        }
    }

    #[test]
    fn what_may_not_be_written_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let here = folder.path();
        let (old, new) = file(here, "a.py");
        let said = |roots: &[PathBuf]| replace(&old, &new, roots, here).expect_err("it is refused");
        fs::create_dir(here.join("app")).expect("a folder can be made");
        assert_eq!(said(&["app".into()]), "it lies outside the scanned folders");
        fs::write(here.join("a.py"), "a = 3\n").expect("a file can be written");
        assert_eq!(said(&[".".into()]), "it has changed since it was read");
        assert_eq!(fs::read(here.join("a.py")).expect("it can be read"), b"a = 3\n");
        let mut permissions = fs::metadata(here.join("a.py")).expect("it is there").permissions();
        permissions.set_readonly(true);
        fs::set_permissions(here.join("a.py"), permissions).expect("permissions can be set");
        assert_eq!(said(&[".".into()]), "it is read-only");
        assert_eq!(names(here), ["a.py", "app"], "nothing else is left");
        let gone = Source::of_text("b.py", Language::Python, "");
        assert!(replace(&gone, &new, &[".".into()], here).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_took_the_files_place_is_not_followed_out() {
        let folder = tempfile::tempdir().expect("a folder");
        let elsewhere = tempfile::tempdir().expect("a folder");
        let here = folder.path();
        let (old, new) = file(here, "a.py");
        fs::rename(here.join("a.py"), elsewhere.path().join("a.py")).expect("a file can be moved");
        std::os::unix::fs::symlink(elsewhere.path().join("a.py"), here.join("a.py")).expect("a link");
        assert!(walk::replace(&old, &new, &[".".into()], here).is_err());
        assert_eq!(fs::read(elsewhere.path().join("a.py")).expect("it can be read"), OLD);
    }
}
