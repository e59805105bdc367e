//! cache/result: everything found in a program as bytes, and back, with the texts of the files left to whoever has read
//! them.
//!
//! Files are told by their index, and of each place its line and column are kept, so that nobody has to read a file to
//! say where something is. What comes back is held against the texts that are at hand: a place that is none means that
//! the bytes are not what was kept.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::duty::Operation;
use crate::finding::{
    Edit, FileReport, Finding, Fix, Gap, Guard, Place, ProgramScan, Related, Safety, Severity, Suppressed,
    SuppressionRecord, Write,
};
use crate::source::{Marks, Source, Span};

#[derive(Serialize, Deserialize)]
struct Kept<'a> {
    /// The files in which something was found.
    #[serde(borrow)]
    files: Vec<KeptFile<'a>>,
    aside: usize,
    gaps: Vec<Gap>,
    notes: Vec<Gap>,
    suppressions: Vec<SuppressionRecord>,
    /// Where the ends of all places lie, by file.
    marks: Vec<(u32, Marks)>,
}

#[derive(Serialize, Deserialize)]
struct KeptFile<'a> {
    /// Which file.
    at: u32,
    writes: Vec<Write>,
    guards: Vec<Guard>,
    #[serde(borrow)]
    findings: Vec<KeptFinding<'a>>,
}

#[derive(Serialize, Deserialize)]
struct KeptFinding<'a> {
    rule: &'a str,
    pack: &'a str,
    severity: Severity,
    message: &'a str,
    help: Option<&'a str>,
    function: &'a str,
    operation: Option<Operation>,
    entity: Option<&'a str>,
    place: KeptPlace,
    #[serde(borrow)]
    related: Vec<(&'a str, KeptPlace)>,
    fingerprint: &'a str,
    suppressed: Option<Suppressed>,
    baselined: bool,
    fix: Option<KeptFix<'a>>,
    unfixable: Option<&'a str>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct KeptPlace {
    /// Which file.
    file: u32,
    span: Span,
}

#[derive(Serialize, Deserialize)]
struct KeptFix<'a> {
    safety: Safety,
    title: &'a str,
    #[serde(borrow)]
    edits: Vec<(KeptPlace, &'a str)>,
}

/// What was found in these sources as bytes; `None` where it speaks of others. Remedies have become fixes by then, or
/// never will.
pub(super) fn put(scan: &ProgramScan, sources: &[Arc<Source>]) -> Option<Vec<u8>> {
    let ProgramScan { files, aside, gaps, notes, suppressions } = scan;
    let numbers: FxHashMap<_, _> =
        sources.iter().zip(0..).map(|(source, at)| (source.path.as_path(), at)).collect();
    if numbers.len() != sources.len() || files.len() != sources.len() {
        return None;
    }
    let numbers = Numbers(numbers);
    let mut kept = Vec::new();
    for (file, at) in files.iter().zip(0..) {
        let FileReport { source, writes, guards, findings, changes: _ } = file;
        if numbers.of(source)? != at {
            return None;
        }
        if !(writes.is_empty() && guards.is_empty() && findings.is_empty()) {
            let findings = findings.iter().map(|finding| numbers.finding(finding)).collect::<Option<_>>()?;
            kept.push(KeptFile { at, writes: writes.clone(), guards: guards.clone(), findings });
        }
    }
    let mut offsets: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (source, span) in scan.places() {
        offsets.entry(numbers.of(source)?).or_default().extend([span.start, span.end]);
    }
    let marks = offsets.into_iter().map(|(at, offsets)| (at, sources[at as usize].marks(offsets))).collect();
    let (gaps, notes, suppressions) = (gaps.clone(), notes.clone(), suppressions.clone());
    postcard::to_stdvec(&Kept { files: kept, aside: *aside, gaps, notes, suppressions, marks }).ok()
}

/// What the bytes say was found in these sources.
pub(super) fn take(bytes: &[u8], sources: &[Arc<Source>]) -> Option<ProgramScan> {
    let (kept, rest) = postcard::take_from_bytes::<Kept<'_>>(bytes).ok()?;
    let Kept { files: kept, aside, gaps, notes, suppressions, marks } = kept;
    if !rest.is_empty() {
        return None;
    }
    let mut sources = sources.to_vec();
    for (at, marks) in marks {
        let source = sources.get_mut(at as usize)?;
        if !source.has_text() {
            *source = Arc::new(source.marked(marks));
        }
    }
    let sources = sources.as_slice();
    let empty = |source: &Arc<Source>| FileReport {
        source: Arc::clone(source),
        writes: Vec::new(),
        guards: Vec::new(),
        findings: Vec::new(),
        changes: Vec::new(),
    };
    let mut files: Vec<FileReport> = sources.iter().map(empty).collect();
    for KeptFile { at, writes, guards, findings } in kept {
        let file = files.get_mut(at as usize)?;
        let spans = writes.iter().map(|write| write.span);
        let mut spans = spans.chain(guards.iter().flat_map(|guard| [guard.span, guard.head]));
        if !spans.all(|span| file.source.knows(span)) {
            return None;
        }
        file.findings = findings.into_iter().map(|finding| finding.among(sources)).collect::<Option<_>>()?;
        (file.writes, file.guards) = (writes, guards);
    }
    Some(ProgramScan { files, aside, gaps, notes, suppressions })
}

/// The numbers of sources, by path.
struct Numbers<'a>(FxHashMap<&'a Path, u32>);

impl Numbers<'_> {
    fn of(&self, source: &Source) -> Option<u32> {
        self.0.get(source.path.as_path()).copied()
    }

    fn place(&self, place: &Place) -> Option<KeptPlace> {
        Some(KeptPlace { file: self.of(&place.source)?, span: place.span })
    }

    fn finding<'f>(&self, finding: &'f Finding) -> Option<KeptFinding<'f>> {
        let Finding {
            rule,
            pack,
            severity,
            message,
            help,
            function,
            operation,
            entity,
            place,
            related,
            fingerprint,
            suppressed,
            baselined,
            remedies: _,
            fix,
            unfixable,
        } = finding;
        let related = related.iter().map(|one| Some((one.message.as_str(), self.place(&one.place)?)));
        let fix = match fix {
            None => None,
            Some(Fix { safety, title, edits }) => {
                let edits = edits.iter().map(|edit| Some((self.place(&edit.place)?, edit.text.as_str())));
                Some(KeptFix { safety: *safety, title, edits: edits.collect::<Option<_>>()? })
            }
        };
        Some(KeptFinding {
            rule,
            pack,
            severity: *severity,
            message,
            help: help.as_deref(),
            function,
            operation: *operation,
            entity: entity.as_deref(),
            place: self.place(place)?,
            related: related.collect::<Option<_>>()?,
            fingerprint,
            suppressed: suppressed.clone(),
            baselined: *baselined,
            fix,
            unfixable: unfixable.as_deref(),
        })
    }
}

impl KeptPlace {
    fn among(self, sources: &[Arc<Source>]) -> Option<Place> {
        let source = sources.get(self.file as usize).filter(|source| source.knows(self.span))?;
        Some(Place { source: Arc::clone(source), span: self.span })
    }
}

impl KeptFinding<'_> {
    fn among(self, sources: &[Arc<Source>]) -> Option<Finding> {
        let related = self.related.into_iter().map(|(message, place)| {
            Some(Related { message: message.to_owned(), place: place.among(sources)? })
        });
        let fix = match self.fix {
            None => None,
            Some(KeptFix { safety, title, edits }) => {
                let edit = |(place, text): (KeptPlace, &str)| {
                    Some(Edit { place: place.among(sources)?, text: text.to_owned() })
                };
                let edits = edits.into_iter().map(edit).collect::<Option<_>>()?;
                Some(Fix { safety, title: title.to_owned(), edits })
            }
        };
        Some(Finding {
            rule: self.rule.to_owned(),
            pack: self.pack.to_owned(),
            severity: self.severity,
            message: self.message.to_owned(),
            help: self.help.map(str::to_owned),
            function: self.function.to_owned(),
            operation: self.operation,
            entity: self.entity.map(str::to_owned),
            place: self.place.among(sources)?,
            related: related.collect::<Option<_>>()?,
            fingerprint: self.fingerprint.to_owned(),
            suppressed: self.suppressed,
            baselined: self.baselined,
            remedies: Vec::new(),
            fix,
            unfixable: self.unfixable.map(str::to_owned),
        })
    }
}
