//! project/crates: to which crate a file belongs.

use crate::name::Name;

use super::{FileId, Project};

impl Project {
    /// The dotted name of the root module of a file's crate: the nearest folder above that holds `lib.rs` or `main.rs`.
    pub(super) fn crate_root(&self, file: FileId) -> Option<Name> {
        let is_root = |name: &str| {
            let module = self.modules.get(&Name::new(name))?;
            let stem = self.file(*module).source.path.file_stem()?.to_str()?;
            matches!(stem, "lib" | "main").then_some(Name::new(name))
        };
        let mut at = self.module_name(file).as_str();
        loop {
            if let Some(root) = is_root(at) {
                return Some(root);
            }
            at = at.rsplit_once('.')?.0;
        }
    }

    /// The dotted name of the root module of a crate.
    pub(super) fn crate_named(&self, _name: &str) -> Option<Name> {
        None
    }
}
