//! fix: remedies become edits, edits are chosen and held against a new scan, and only what is proved is handed on.
//!
//! Nothing is written here; `walk` does that with what this room hands over. How a rule words its findings is not known
//! here, and neither is how a remedy came to be.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use crate::finding::{Edit, FileReport, Finding, Fix, Place};
use crate::layout::Layout;
use crate::lower;
use crate::remedy::Remedy;
use crate::source::Source;

use clock::Clock;
use place::{Ground, Patch, Refusal};

mod bind;
mod choose;
mod clock;
mod place;
mod prove;
mod stamp;

pub use prove::{Left, Mended, Texts, mend};

/// What fixes must know of the program.
pub struct Limits<'a> {
    /// Whether a file is never written, by its index.
    pub is_protected: &'a (dyn Fn(usize) -> bool + Sync),
    /// Whether a top-level module is the program's own.
    pub is_own: &'a (dyn Fn(&str) -> bool + Sync),
}

/// Gives every finding the first of its remedies that has a place in the code.
pub fn propose(files: &mut [FileReport], limits: &Limits<'_>) {
    let sources: Vec<Arc<Source>> = files.iter().map(|file| Arc::clone(&file.source)).collect();
    files.par_iter_mut().enumerate().for_each(|(number, file)| {
        let mut waiting = file.findings.iter_mut().filter(|finding| !finding.remedies.is_empty()).peekable();
        if waiting.peek().is_none() || (limits.is_protected)(number) {
            return;
        }
        let mut desk = Desk { sources: &sources, limits, layouts: BTreeMap::new(), clocks: BTreeMap::new() };
        waiting.for_each(|finding| desk.serve(finding));
    });
}

struct Desk<'a> {
    sources: &'a [Arc<Source>],
    limits: &'a Limits<'a>,
    layouts: BTreeMap<usize, Layout>,
    clocks: BTreeMap<usize, OnceCell<Clock>>,
}

impl Desk<'_> {
    fn serve(&mut self, finding: &mut Finding) {
        for (safety, remedy) in std::mem::take(&mut finding.remedies) {
            match self.edits(&remedy) {
                Ok(edits) if edits.is_empty() => {}
                Ok(edits) => {
                    finding.fix = Some(Fix { safety, title: remedy.title, edits });
                    finding.unfixable = None;
                    return;
                }
                Err(why) => finding.unfixable = Some(why.to_owned()),
            }
        }
    }

    fn edits(&mut self, remedy: &Remedy) -> Result<Vec<Edit>, Refusal> {
        let mut patches: Vec<(usize, Patch)> = Vec::new();
        for act in &remedy.acts {
            if (self.limits.is_protected)(act.file) {
                return Err("it would change a protected file");
            }
            let source = self.sources.get(act.file).ok_or("the file is not among the scanned ones")?;
            let layout = self.layouts.entry(act.file).or_insert_with(|| lower::layout(source));
            let clock = self.clocks.entry(act.file).or_default();
            let ground = Ground { source, layout, is_own: self.limits.is_own, clock };
            patches.extend(ground.patches(&act.deed)?.into_iter().map(|patch| (act.file, patch)));
        }
        // Patches at one place are written in the order of the acts.
        patches.sort_by_key(|(file, patch)| (*file, patch.span));
        patches.dedup();
        if patches.windows(2).any(|pair| pair[0].0 == pair[1].0 && pair[0].1.span.end > pair[1].1.span.start)
        {
            return Err("its edits overlap");
        }
        let edit = |(file, patch): (usize, Patch)| Edit {
            place: Place { source: Arc::clone(&self.sources[file]), span: patch.span },
            text: patch.text,
        };
        Ok(patches.into_iter().map(edit).collect())
    }
}
