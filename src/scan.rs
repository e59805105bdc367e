//! scan: a stand-in that reads files and finds nothing, until the real one takes its place.

use crate::config::{Configuration, Selection};
use crate::finding::{FileReport, Scan};
use crate::rulebook::Rulebook;
use crate::walk::Walked;

/// What a scan is asked to do.
pub struct Request<'a> {
    /// The files.
    pub walked: Walked,
    /// The settings.
    pub configuration: &'a Configuration,
    /// The rules.
    pub rulebook: &'a Rulebook,
    /// Which of them are on.
    pub selection: Selection,
    /// The day of the scan as `YYYY-MM-DD`.
    pub today: String,
    /// Who is told how far it is.
    pub progress: &'a dyn Progress,
}

/// Is told how far a scan is.
pub trait Progress: Sync {
    /// How many files there are.
    fn files(&self, total: usize);
    /// One more file is done.
    fn file_done(&self);
}

/// Scans the files.
pub fn scan(request: Request<'_>) -> Scan {
    request.progress.files(request.walked.sources.len());
    let files = request.walked.sources.into_iter().map(|source| {
        request.progress.file_done();
        FileReport { source, writes: Vec::new(), findings: Vec::new() }
    });
    Scan { files: files.collect(), gaps: request.walked.gaps }
}
