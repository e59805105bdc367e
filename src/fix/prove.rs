//! fix/prove: a round of fixes is scanned before it counts: what it was to mend must be gone, nothing may be new, and the
//! files must be as well-formed as before. What does not hold is dropped, and said.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use crate::finding::{Change, Finding, Safety, Scan, Severity};
use crate::lower;
use crate::source::Source;

use super::choose::{Key, Round, choose};

/// How many scans mending may take. Fixes that wait for others need one each; more than a few is rare.
const MOST_SCANS: usize = 24;

/// New texts of files, by path.
pub type Texts = BTreeMap<PathBuf, Arc<Source>>;

/// What came of mending.
pub struct Mended {
    /// The files as they were read, with the texts they should have, in path order; only those that change.
    pub files: Vec<(Arc<Source>, Arc<Source>)>,
    /// The scan of the texts as they were read.
    pub before: Scan,
    /// The scan of the mended texts; its files say what was changed in them.
    pub scan: Scan,
    /// Findings that could have been mended and were not.
    pub left: Vec<Left>,
}

/// A finding whose fix was not kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Left {
    /// The file, as it is shown.
    pub path: String,
    /// The 1-based line of the finding.
    pub line: u32,
    /// The rule.
    pub rule: String,
    /// Why it was left, in plain words.
    pub why: String,
}

/// Mends what can be mended with fixes of at most the given daring. `rescan` scans the program with other texts for some
/// of its files.
pub fn mend(first: Scan, most: Safety, rescan: &mut dyn FnMut(&Texts) -> Scan) -> Mended {
    let before = first.clone();
    let read: BTreeMap<PathBuf, Arc<Source>> =
        first.files.iter().map(|file| (file.source.path.clone(), Arc::clone(&file.source))).collect();
    let mut work =
        Work { scan: first, texts: BTreeMap::new(), changes: BTreeMap::new(), banned: BTreeMap::new() };
    let mut limit = usize::MAX;
    let mut out_of_time = true;
    for _ in 0..MOST_SCANS {
        let banned = work.banned.keys().cloned().collect();
        let round = choose(&work.scan, most, &banned, limit);
        if round.chosen.is_empty() {
            out_of_time = false;
            break;
        }
        let mut texts = work.texts.clone();
        texts.extend(round.texts.iter().map(|(path, source)| (path.clone(), Arc::clone(source))));
        let after = rescan(&texts);
        let faults = faults(&work.scan, &after, &round);
        match faults {
            Faults::None => {
                let changes: Vec<(PathBuf, Change)> = round.chosen.iter().flat_map(|f| changes(f)).collect();
                for (path, change) in changes {
                    work.changes.entry(path).or_default().push(change);
                }
                (work.scan, work.texts) = (after, texts);
                limit = limit.saturating_mul(2);
            }
            Faults::Of(keys) => work.banned.extend(keys),
            // Nobody knows whose fault it is: fewer at once will tell.
            Faults::Somewhere(_) if round.chosen.len() > 1 => limit = round.chosen.len() / 2,
            Faults::Somewhere(why) => {
                work.banned.insert(Key::of(round.chosen[0]), why);
            }
        }
    }
    let Work { mut scan, texts, mut changes, banned } = work;
    for file in &mut scan.files {
        file.changes = changes.remove(&file.source.path).unwrap_or_default();
    }
    let left = left(&scan, most, &banned, out_of_time);
    let files = texts.into_iter().filter_map(|(path, new)| Some((Arc::clone(read.get(&path)?), new)));
    Mended { files: files.filter(|(old, new)| old.text != new.text).collect(), before, scan, left }
}

struct Work {
    scan: Scan,
    texts: Texts,
    changes: BTreeMap<PathBuf, Vec<Change>>,
    banned: BTreeMap<Key, String>,
}

/// What a fix changed, in each file that it touched.
fn changes(finding: &Finding) -> Vec<(PathBuf, Change)> {
    let Some(fix) = &finding.fix else { return Vec::new() };
    let paths: BTreeSet<&PathBuf> = fix.edits.iter().map(|edit| &edit.place.source.path).collect();
    let own = &finding.place.source.path;
    let counted = paths.get(own).or(paths.first()).copied();
    let change = |path: &PathBuf| {
        let change = Change {
            rule: finding.rule.clone(),
            function: finding.function.clone(),
            title: fix.title.clone(),
            safety: fix.safety,
            is_counted: counted == Some(path),
        };
        (path.clone(), change)
    };
    paths.into_iter().map(change).collect()
}

const STAYS: &str = "the finding would stay";
const BREAKS: &str = "the file would not be well-formed any more";
const NOT_WRITTEN: &str = "the new text cannot be written in the file's encoding";

/// What is wrong with a round.
enum Faults {
    None,
    /// The fixes of these findings.
    Of(Vec<(Key, String)>),
    /// Something new, and nothing tells which fix it comes from.
    Somewhere(String),
}

fn faults(before: &Scan, after: &Scan, round: &Round<'_>) -> Faults {
    let mut found: Vec<(Key, String)> = Vec::new();
    for (path, source) in &round.texts {
        let shown = source.display_path();
        let gaps = |scan: &Scan| scan.gaps.iter().filter(|gap| gap.path == shown).count();
        let why = match source.bytes() {
            None => NOT_WRITTEN,
            Some(_) if gaps(after) > gaps(before) => BREAKS,
            Some(_) if is_worse(before, source) => BREAKS,
            Some(_) => continue,
        };
        let of_file = round.chosen.iter().filter(|finding| touches(finding, path));
        found.extend(of_file.map(|finding| (Key::of(finding), why.to_owned())));
    }
    let (old, new) = (Counts::of(before), Counts::of(after));
    let mut mended: BTreeMap<Spot, usize> = BTreeMap::new();
    for finding in &round.chosen {
        *mended.entry(Spot::of(finding)).or_default() += 1;
    }
    for finding in &round.chosen {
        let spot = Spot::of(finding);
        if new.all(&spot) + mended[&spot] > old.all(&spot) {
            found.push((Key::of(finding), STAYS.to_owned()));
        }
    }
    if !found.is_empty() {
        return Faults::Of(found);
    }
    let mut somewhere = None;
    for spot in new.0.keys() {
        if new.all(spot) <= old.all(spot) && new.errors(spot) <= old.errors(spot) {
            continue;
        }
        let why = format!("it would bring a new finding, {} in {}", spot.rule, spot.function);
        let mut near: Vec<&&Finding> = round
            .chosen
            .iter()
            .filter(|finding| finding.function == spot.function && touches(finding, &spot.path))
            .collect();
        if near.is_empty() {
            near = round.chosen.iter().filter(|finding| touches(finding, &spot.path)).collect();
        }
        if near.is_empty() {
            somewhere = Some(why.clone());
        }
        found.extend(near.into_iter().map(|finding| (Key::of(finding), why.clone())));
    }
    match (found.is_empty(), somewhere) {
        (false, _) => Faults::Of(found),
        (true, Some(why)) => Faults::Somewhere(why),
        (true, None) => Faults::None,
    }
}

/// Whether a new text has more faults than the file had before.
fn is_worse(before: &Scan, source: &Source) -> bool {
    let old = before.files.iter().find(|file| file.source.path == source.path);
    let faults = |source: &Source| lower::layout(source).faults;
    old.is_some_and(|old| faults(source) > faults(&old.source))
}

fn touches(finding: &Finding, path: &PathBuf) -> bool {
    finding.fix.iter().flat_map(|fix| &fix.edits).any(|edit| edit.place.source.path == *path)
}

/// Where findings are counted: what one says may change with the code around it, so its words are no part of this.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Spot {
    path: PathBuf,
    rule: String,
    function: String,
}

impl Spot {
    fn of(finding: &Finding) -> Spot {
        let Key { path, rule, function, .. } = Key::of(finding);
        Spot { path, rule, function }
    }
}

/// How many findings there are at each spot, and how many of them are errors.
struct Counts(BTreeMap<Spot, (usize, usize)>);

impl Counts {
    fn of(scan: &Scan) -> Counts {
        let mut counts = Counts(BTreeMap::new());
        for finding in scan.files.iter().flat_map(|file| &file.findings) {
            if finding.suppressed.is_none() {
                let (all, errors) = counts.0.entry(Spot::of(finding)).or_default();
                *all += 1;
                *errors += usize::from(finding.severity == Severity::Error);
            }
        }
        counts
    }

    fn all(&self, spot: &Spot) -> usize {
        self.0.get(spot).map_or(0, |(all, _)| *all)
    }

    fn errors(&self, spot: &Spot) -> usize {
        self.0.get(spot).map_or(0, |(_, errors)| *errors)
    }
}

fn left(scan: &Scan, most: Safety, banned: &BTreeMap<Key, String>, out_of_time: bool) -> Vec<Left> {
    let mut left = Vec::new();
    for finding in scan.files.iter().flat_map(|file| &file.findings) {
        if !finding.is_open() {
            continue;
        }
        let why = match (&finding.fix, &finding.unfixable) {
            (Some(fix), _) if fix.safety > most => "its fix is unsafe: a person should read it",
            (Some(_), _) => match banned.get(&Key::of(finding)) {
                Some(why) => why,
                None if out_of_time => "other fixes came first; run it again",
                None => continue,
            },
            (None, Some(why)) => why,
            (None, None) => continue,
        };
        let line = finding.place.source.line(finding.place.span.start);
        let path = finding.place.source.display_path();
        left.push(Left { path, line, rule: finding.rule.clone(), why: why.to_owned() });
    }
    left
}
