//! scan/kept: what was found before in the very same program, and what makes it the same.
//!
//! Neither what a baseline accepts nor what was there before a change is part of it: a scan is held against both
//! afterwards.

use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::{Leaves, Request};
use crate::cache::{Cache, Key, Parts};
use crate::check;
use crate::finding::ProgramScan;
use crate::program::{self, Program, Project, Said};
use crate::source::Source;
use crate::walk::{self, Beside, Changed, Walked};

/// What is kept of scans of the same kind as one that was asked for.
pub(super) struct Kept<'a> {
    request: &'a Request<'a>,
    /// The cache, and the hash of what all programs of the run depend on.
    cache: Option<(&'a Cache, Key)>,
}

/// What is known of a program before it is scanned.
pub(super) struct Known {
    /// What it is known by, where anything is kept.
    key: Option<Key>,
    scan: Option<ProgramScan>,
}

impl Known {
    /// Whether it has to be scanned.
    pub(super) fn is_new(&self) -> bool {
        self.scan.is_none()
    }
}

impl<'a> Kept<'a> {
    /// What is kept for this request.
    pub(super) fn of(request: &'a Request<'a>) -> Kept<'a> {
        Kept { request, cache: request.cache.map(|cache| (cache, ground(request))) }
    }

    /// The programs among the files of the run.
    ///
    /// # Errors
    /// When a file had to be read again and is not what it was.
    pub(super) fn programs(&self) -> Result<Vec<Program>, Changed> {
        let Walked { sources, homes, .. } = &self.request.walked;
        let Some(projects) = program::projects(sources, homes) else { return Ok(program::one(sources)) };
        let asks = program::ask_for_tables(sources);
        let make = || {
            let said = |project: &Project<'_>| self.said(&project.of(sources), asks);
            let said: Vec<Said> = projects.par_iter().map(said).collect::<Result<_, Changed>>()?;
            Ok(program::joined(sources, &projects, &said))
        };
        let Some((cache, _)) = &self.cache else { return make() };
        let mut parts = Parts::of("programs");
        files(&mut parts, sources);
        parts.number(homes.len());
        // Where projects lie does not matter, only which folders are of the same.
        let mut numbers: FxHashMap<&Path, usize> = FxHashMap::default();
        for home in homes {
            let next = numbers.len();
            parts.text(&home.below.to_string_lossy());
            parts.number(*numbers.entry(&home.project).or_insert(next));
        }
        let key = parts.key();
        let groups: Option<Vec<Vec<usize>>> = cache.plain(&key);
        if let Some(groups) = groups.filter(|groups| is_each_once(groups, sources.len())) {
            return Ok(groups.into_iter().map(|files| Program { files }).collect());
        }
        let programs = make()?;
        cache.keep_plain(&key, &programs.iter().map(|program| program.files.as_slice()).collect::<Vec<_>>());
        Ok(programs)
    }

    /// What the files of a project say of other projects.
    fn said(&self, sources: &[Arc<Source>], asks_for_tables: bool) -> Result<Said, Changed> {
        let make = || Ok(Said::of(&walk::whole(sources)?, asks_for_tables));
        let Some((cache, _)) = &self.cache else { return make() };
        let mut parts = Parts::of("said");
        files(&mut parts, sources);
        parts.number(usize::from(asks_for_tables));
        let key = parts.key();
        if let Some(said) = cache.plain(&key) {
            return Ok(said);
        }
        let said = make()?;
        cache.keep_plain(&key, &said);
        Ok(said)
    }

    /// What is known of a program of these files; what texts are left of it is up to the request.
    ///
    /// # Errors
    /// When a file had to be read again and is not what it was.
    pub(super) fn known(&self, sources: &[Arc<Source>]) -> Result<Known, Changed> {
        let Some((cache, ground)) = &self.cache else { return Ok(Known { key: None, scan: None }) };
        let key = key(ground, sources, &self.request.walked.beside);
        // The day is no part of the key: few programs say anything of one.
        let holds = |scan: &ProgramScan| {
            scan.suppressions.iter().all(|record| check::holds_on(record, &self.request.today))
        };
        let mut scan = cache.result(&key, sources).filter(holds);
        if let Some(scan) = &mut scan {
            if self.request.leaves == Leaves::Shown {
                let shown = scan.shown();
                let instead = shown.iter().map(Arc::as_ptr).zip(walk::whole(&shown)?).collect();
                scan.put_instead(&instead);
            }
            sources.iter().for_each(|_| self.request.progress.file_done());
        }
        Ok(Known { key: Some(key), scan })
    }

    /// What is found in a program of these files. `make` gets them with their texts; what texts are left of it is up to
    /// the request.
    ///
    /// # Errors
    /// When a file had to be read again and is not what it was.
    pub(super) fn part(
        &self,
        known: Known,
        sources: &[Arc<Source>],
        make: impl FnOnce(Vec<Arc<Source>>) -> ProgramScan,
    ) -> Result<ProgramScan, Changed> {
        if let Some(scan) = known.scan {
            return Ok(scan);
        }
        let whole = walk::whole(sources)?;
        let mut scan = make(whole.clone());
        if let Some(((cache, _), key)) = self.cache.as_ref().zip(known.key) {
            cache.keep_result(&key, &scan, &whole);
        }
        match self.request.leaves {
            Leaves::All => {}
            Leaves::Shown => scan.let_go(true),
            Leaves::None => scan.let_go(false),
        }
        Ok(scan)
    }

    /// Sees to it that not too much is kept.
    pub(super) fn bound(&self) {
        if let Some((cache, _)) = self.cache {
            cache.bound();
        }
    }
}

/// What is found in a program of these files is known by.
fn key(ground: &Key, sources: &[Arc<Source>], beside: &[Beside]) -> Key {
    let mut parts = Parts::of("program");
    parts.digest(ground.digest());
    files(&mut parts, sources);
    for Beside { folder, stems } in walk::beside(beside, sources) {
        parts.text(&folder.to_string_lossy());
        parts.text(stems);
    }
    parts.key()
}

/// All that is found in a program depends on, but its files, what lies beside them, and the day.
fn ground(request: &Request<'_>) -> Key {
    let Request {
        walked,
        configuration,
        rulebook,
        selection,
        today: _,
        accepted: _,
        before: _,
        cache: _,
        leaves: _,
        progress: _,
    } = request;
    let Walked { sources, beside: _, gaps: _, homes: _, left_out: _ } = walked;
    // Texts are hashed by all threads at once; whoever asks for a hash later has it.
    sources.par_iter().for_each(|source| {
        source.digest();
    });
    let mut parts = Parts::of("ground");
    parts.texts(configuration.grounds().iter().map(String::as_str));
    selection.said().into_iter().for_each(|words| parts.texts(words.into_iter()));
    parts.texts(rulebook.rules.iter().map(|rule| rule.id.as_str()));
    parts.texts(rulebook.rules.iter().map(|rule| rule.page.as_str()));
    parts.key()
}

/// Files are their paths and what they say.
pub(super) fn files(parts: &mut Parts, sources: &[Arc<Source>]) {
    parts.number(sources.len());
    for source in sources {
        parts.text(&source.path.to_string_lossy());
        parts.digest(source.digest());
    }
}

fn is_each_once(groups: &[Vec<usize>], count: usize) -> bool {
    let mut is_there = vec![false; count];
    let mut all = groups.iter().flatten();
    let once =
        all.all(|&file| is_there.get_mut(file).is_some_and(|is_there| !std::mem::replace(is_there, true)));
    once && is_there.into_iter().all(|is_there| is_there)
}
