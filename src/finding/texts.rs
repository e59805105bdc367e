//! finding/texts: what is left of the texts of a program once it has been scanned.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::{FileReport, Finding, Place, ProgramScan};
use crate::source::{Source, Span};

/// Sources in place of others, which are told by where they lie in memory.
pub type Instead = FxHashMap<*const Source, Arc<Source>>;

impl ProgramScan {
    /// The places that it tells of, each with its file.
    pub fn places(&self) -> impl Iterator<Item = (&Arc<Source>, Span)> {
        self.files.iter().flat_map(FileReport::places)
    }

    /// The files whose code is shown with findings, each once.
    pub fn shown(&self) -> Vec<Arc<Source>> {
        let mut known = FxHashSet::default();
        let findings = self.files.iter().flat_map(|file| &file.findings);
        let sources = findings.flat_map(Finding::places).map(|place| &place.source);
        sources.filter(|source| known.insert(Arc::as_ptr(source))).cloned().collect()
    }

    /// Lets go of all texts, but of those of files whose code is shown if any is. What it tells of can be placed still.
    pub fn let_go(&mut self, shows_code: bool) {
        let mut offsets: FxHashMap<*const Source, Vec<u32>> = FxHashMap::default();
        for (source, span) in self.places() {
            offsets.entry(Arc::as_ptr(source)).or_default().extend([span.start, span.end]);
        }
        let shown = if shows_code { self.shown() } else { Vec::new() };
        let shown: FxHashSet<*const Source> = shown.iter().map(Arc::as_ptr).collect();
        let sources = self.files.iter().map(|file| &file.source);
        let gone = sources.filter(|source| !shown.contains(&Arc::as_ptr(source)));
        let apart = gone.map(|source| {
            let at = Arc::as_ptr(source);
            (at, Arc::new(source.apart(offsets.remove(&at).unwrap_or_default())))
        });
        let instead = apart.collect();
        self.put_instead(&instead);
    }

    /// Takes other sources for some.
    pub fn put_instead(&mut self, instead: &Instead) {
        let put = |source: &mut Arc<Source>| {
            if let Some(other) = instead.get(&Arc::as_ptr(source)) {
                *source = Arc::clone(other);
            }
        };
        for file in &mut self.files {
            put(&mut file.source);
            file.findings.iter_mut().flat_map(Finding::places_mut).for_each(|place| put(&mut place.source));
        }
    }
}

impl FileReport {
    fn places(&self) -> impl Iterator<Item = (&Arc<Source>, Span)> {
        let writes = self.writes.iter().map(|write| write.span);
        let own = writes.chain(self.guards.iter().flat_map(|guard| [guard.span, guard.head]));
        let found = self.findings.iter().flat_map(Finding::places).map(|place| (&place.source, place.span));
        own.map(|span| (&self.source, span)).chain(found)
    }
}

impl Finding {
    fn places(&self) -> impl Iterator<Item = &Place> {
        let edits = self.fix.iter().flat_map(|fix| &fix.edits).map(|edit| &edit.place);
        [&self.place].into_iter().chain(self.related.iter().map(|related| &related.place)).chain(edits)
    }

    fn places_mut(&mut self) -> impl Iterator<Item = &mut Place> {
        let edits = self.fix.iter_mut().flat_map(|fix| &mut fix.edits).map(|edit| &mut edit.place);
        [&mut self.place]
            .into_iter()
            .chain(self.related.iter_mut().map(|related| &mut related.place))
            .chain(edits)
    }
}
