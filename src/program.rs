//! program: which files may see one another, told from their paths and bytes alone, before any of them is lowered.

use std::sync::Arc;

use crate::source::Source;

/// Files that may see one another, and see no others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its files, by their index among all, in order.
    pub files: Vec<usize>,
}

impl Program {
    /// Its own among all sources.
    pub fn of(&self, sources: &[Arc<Source>]) -> Vec<Arc<Source>> {
        self.files.iter().map(|&file| Arc::clone(&sources[file])).collect()
    }
}

/// The programs among files, in the order of the first file of each; every file is in one of them.
pub fn programs(sources: &[Arc<Source>]) -> Vec<Program> {
    if sources.is_empty() { Vec::new() } else { vec![Program { files: (0..sources.len()).collect() }] }
}
