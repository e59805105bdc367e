//! scan/kept: a scan that was made before of the very same, and what makes it the same.
//!
//! What only a change has brought is told from two whole scans, so it is no part of one.

use std::sync::Arc;

use rayon::prelude::*;

use super::Request;
use crate::cache::{Key, Parts};
use crate::check;
use crate::finding::Scan;
use crate::rulebook::Rulebook;
use crate::source::{Digest, Source};
use crate::walk::Walked;

/// Where a scan is kept.
pub(super) struct Slot<'a> {
    request: &'a Request<'a>,
    key: Option<Key>,
    /// The files of the run, and that of the baseline, which is not scanned although findings may be about it.
    sources: Vec<Arc<Source>>,
}

impl<'a> Slot<'a> {
    /// The place of the scan that was asked for.
    pub(super) fn of(request: &'a Request<'a>) -> Slot<'a> {
        let sources = request.walked.sources.iter();
        let accepted = request.accepted.map(|accepted| &accepted.baseline.source);
        Slot {
            request,
            key: request.cache.map(|_| key(request)),
            sources: sources.chain(accepted).map(Arc::clone).collect(),
        }
    }

    /// The scan, where it was made before.
    pub(super) fn found(&self) -> Option<Scan> {
        let scan = self.request.cache?.result(self.key.as_ref()?, &self.sources)?;
        let today = &self.request.today;
        // The day is no part of the key: most say nothing of it.
        scan.suppressions.iter().all(|record| check::holds_on(record, today)).then_some(scan)
    }

    /// Keeps the scan for the next time.
    pub(super) fn keep(&self, scan: &Scan) {
        if let (Some(cache), Some(key)) = (self.request.cache, &self.key) {
            cache.keep_result(key, scan, &self.sources);
            cache.bound();
        }
    }
}

/// All that a scan depends on but the day.
fn key(request: &Request<'_>) -> Key {
    let Request {
        walked,
        configuration,
        rulebook,
        selection,
        accepted,
        today: _,
        before: _,
        cache: _,
        progress: _,
    } = request;
    let Walked { sources, gaps, beside, left_out: _ } = walked;
    let digests: Vec<&Digest> = sources.par_iter().map(|source| source.digest()).collect();
    let mut parts = Parts::of("scan");
    parts.number(sources.len());
    for (source, digest) in sources.iter().zip(digests) {
        parts.text(&source.path.to_string_lossy());
        parts.digest(digest);
    }
    parts.number(gaps.len());
    for gap in gaps {
        parts.text(&gap.path);
        parts.number(gap.line.unwrap_or(0) as usize);
        parts.text(&gap.reason);
    }
    parts.texts(beside.iter().map(String::as_str));
    parts.texts(configuration.grounds().iter().map(String::as_str));
    selection.said().into_iter().for_each(|words| parts.texts(words.into_iter()));
    let Rulebook { rules } = rulebook;
    parts.texts(rules.iter().map(|rule| rule.page.as_str()));
    parts.texts(rules.iter().map(|rule| rule.id.as_str()));
    parts.number(usize::from(accepted.is_some()));
    if let Some(accepted) = accepted {
        let source = &accepted.baseline.source;
        parts.text(&source.path.to_string_lossy());
        parts.digest(source.digest());
        parts.number(usize::from(accepted.sees_all));
    }
    parts.key()
}
