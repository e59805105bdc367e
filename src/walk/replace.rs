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
