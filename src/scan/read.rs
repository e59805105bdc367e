//! scan/read: what files say, lowered, or taken from what was kept of files that say the same.
//!
//! Some files that follow one another share an entry, for many small ones would be slow. Where one ends is told by paths
//! alone, so that a file that comes, goes or changes touches no entry but its own.

use std::sync::Arc;

use rayon::prelude::*;

use super::{Request, Step};
use crate::cache::{Key, Parts};
use crate::facts::FileFacts;
use crate::lower::lower;
use crate::source::Source;

/// About how many files share an entry.
const SHARED_BY: u8 = 32;

/// The most files that do, however their paths fall.
const MOST: usize = 4 * SHARED_BY as usize;

/// The facts of some files, in their order.
pub(super) fn lowered(request: &Request<'_>, sources: &[Arc<Source>]) -> Vec<FileFacts> {
    request.progress.begins(Step::Lower);
    let lowered = |source: &Arc<Source>| {
        let facts = lower(source);
        request.progress.file_done();
        facts
    };
    let Some(cache) = request.cache else { return sources.par_iter().map(lowered).collect() };
    let share = |sources: &[Arc<Source>]| {
        let key = key(sources);
        if let Some(facts) = cache.facts(&key, sources.len()) {
            sources.iter().for_each(|_| request.progress.file_done());
            return facts;
        }
        let facts: Vec<FileFacts> = sources.par_iter().map(lowered).collect();
        cache.keep_facts(&key, &facts.iter().collect::<Vec<_>>());
        facts
    };
    let shared: Vec<Vec<FileFacts>> = shares(sources).into_par_iter().map(share).collect();
    shared.into_iter().flatten().collect()
}

/// What files say depends on their texts, and a file of SQL on its name.
fn key(sources: &[Arc<Source>]) -> Key {
    let mut parts = Parts::of("facts");
    super::kept::files(&mut parts, sources);
    parts.key()
}

/// The files in runs of those that share an entry.
fn shares(sources: &[Arc<Source>]) -> Vec<&[Arc<Source>]> {
    let is_last = |source: &Arc<Source>| {
        let hash = blake3::hash(source.path.to_string_lossy().as_bytes());
        hash.as_bytes()[0].is_multiple_of(SHARED_BY)
    };
    let runs = sources.chunk_by(|source, _| !is_last(source));
    runs.flat_map(|run| run.chunks(MOST)).collect()
}
