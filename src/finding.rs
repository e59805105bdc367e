//! finding: what a rule has to say about a place, and everything a scan found, ready to be shown.

mod texts;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use texts::Instead;

use crate::duty::{Duty, Operation, Standing};
use crate::remedy::Remedy;
use crate::source::{Language, Source, Span};

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Severity {
    /// A person must decide.
    Review,
    /// Data is wrong or lost, or the standard is plainly broken.
    Error,
}

impl Severity {
    /// The word for it in every format.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Review => "review",
            Severity::Error => "error",
        }
    }
}

/// A place in a file, held with the file so that it can always be shown.
#[derive(Clone, Debug)]
pub struct Place {
    /// The file.
    pub source: Arc<Source>,
    /// The bytes in its decoded text.
    pub span: Span,
}

/// A second place that explains a finding.
#[derive(Clone, Debug)]
pub struct Related {
    /// What is to be seen there, such as "published here".
    pub message: String,
    /// Where.
    pub place: Place,
}

/// Why a finding was suppressed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppressed {
    /// The reason given.
    pub reason: Option<String>,
    /// Who owns the suppression, such as `@billing`.
    pub owner: Option<String>,
    /// The last day it holds, as `YYYY-MM-DD`.
    pub until: Option<String>,
    /// The 1-based line of the comment, in the file of what it suppresses.
    pub line: u32,
}

/// What a rule has to say about one place. It cannot be made without the place.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule's id, which is its page's file stem.
    pub rule: String,
    /// The rule's pack.
    pub pack: String,
    /// How much it weighs.
    pub severity: Severity,
    /// What is wrong, in one line.
    pub message: String,
    /// What to do, in one line.
    pub help: Option<String>,
    /// Qualified name inside the module (`Class.method`, `outer.inner`, `<module>`).
    pub function: String,
    /// What the write does, where the finding is about a write.
    pub operation: Option<Operation>,
    /// The model, where the finding is about a row.
    pub entity: Option<String>,
    /// Where it is.
    pub place: Place,
    /// Other places that explain it, in the order they are to be read.
    pub related: Vec<Related>,
    /// Stable under moves of lines, reformatting and unrelated edits. Of findings that are equal in all it is made of, the
    /// second in a file has `:2` behind it, and so on.
    pub fingerprint: String,
    /// Set when a comment suppresses it; it stays in the output, marked.
    pub suppressed: Option<Suppressed>,
    /// Whether the baseline accepts it; it stays in the output, marked.
    pub baselined: bool,
    /// What the rule offers to mend it, best first, until that has become a fix.
    pub remedies: Vec<(Safety, Remedy)>,
    /// The edits that mend it.
    pub fix: Option<Fix>,
    /// Why it has no fix although its rule has remedies, where that is known.
    pub unfixable: Option<String>,
}

impl Finding {
    /// Whether somebody still has to do something about it: neither a comment nor the baseline excuses it.
    pub fn is_open(&self) -> bool {
        self.suppressed.is_none() && !self.baselined
    }

    /// The fingerprint that it shares with its equals.
    pub fn kind(&self) -> &str {
        self.fingerprint.split(':').next().unwrap_or(&self.fingerprint)
    }
}

/// How far a fix can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Safety {
    /// It changes nothing but what it is meant to.
    Safe,
    /// A person should read it.
    Unsafe,
}

impl Safety {
    /// The word for it in every format.
    pub fn word(self) -> &'static str {
        match self {
            Safety::Safe => "safe",
            Safety::Unsafe => "unsafe",
        }
    }
}

/// Edits that mend a finding; all of them or none.
#[derive(Clone, Debug)]
pub struct Fix {
    /// How far it can be trusted.
    pub safety: Safety,
    /// What it does, as an order.
    pub title: String,
    /// The edits, by file and place.
    pub edits: Vec<Edit>,
}

/// Text in place of a stretch of code.
#[derive(Clone, Debug)]
pub struct Edit {
    /// What is replaced; an empty span is a place between two characters.
    pub place: Place,
    /// By what.
    pub text: String,
}

/// Something that mending changed in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The rule whose finding was mended.
    pub rule: String,
    /// The function the finding was in.
    pub function: String,
    /// What was done, as an order.
    pub title: String,
    /// How far the fix can be trusted.
    pub safety: Safety,
    /// Whether the finding is counted here: a fix may change several files, and mends one finding.
    pub is_counted: bool,
}

/// One write, compliant or not.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Write {
    /// What it does.
    pub operation: Operation,
    /// The model it does it to.
    pub entity: String,
    /// The file that declares the model, as its path is shown.
    pub declared_in: String,
    /// The table the model is mapped to, in lower case, where that can be told.
    pub table: Option<String>,
    /// The language of the code that writes.
    pub language: Language,
    /// Qualified name of the function it stands in.
    pub function: String,
    /// Where it stands.
    pub span: Span,
    /// The duties it owes and how each one stands.
    pub duties: Vec<(Duty, Standing)>,
    /// Whether a test reaches its function; nothing where the scan holds no tests.
    pub tested: Option<Reached>,
}

impl Write {
    /// What it is counted under: the table where others write it as well, as [`Scan::shared_tables`] has it, else the
    /// model.
    pub fn subject<'a>(&'a self, shared: &BTreeSet<&str>) -> &'a str {
        self.table.as_deref().filter(|table| shared.contains(table)).unwrap_or(&self.entity)
    }

    /// Whether no duty is missing.
    pub fn is_compliant(&self) -> bool {
        self.duties.iter().all(|&(_, standing)| standing != Standing::Missing)
    }

    /// Whether every duty is set or covered.
    pub fn is_stamped(&self) -> bool {
        self.duties.iter().all(|&(_, standing)| matches!(standing, Standing::Set | Standing::Covered))
    }
}

/// Whether a test reaches a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Reached {
    /// None does.
    No,
    /// It cannot be told for certain.
    Perhaps,
    /// One does.
    Yes,
}

/// A handler around a write: where a failed one ends up.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Guard {
    /// Qualified name of the function it stands in.
    pub function: String,
    /// The whole clause.
    pub span: Span,
    /// Its head, up to the colon.
    pub head: Span,
    /// Whether a test that expects an error reaches its function; nothing where the scan holds no tests.
    pub tested: Option<Reached>,
}

/// A comment that suppresses findings, and what came of it in a scan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuppressionRecord {
    /// The path of its file as it is shown.
    pub path: String,
    /// The 1-based line of the comment.
    pub line: u32,
    /// Whether it speaks for its whole file, or for the statement it stands at.
    pub reach: Reach,
    /// What it names, as it was written: ids, packs and globs.
    pub ids: Vec<String>,
    /// The reason given.
    pub reason: Option<String>,
    /// Who owns it, such as `@billing`.
    pub owner: Option<String>,
    /// The last day it holds, as `YYYY-MM-DD`.
    pub until: Option<String>,
    /// Whether that day is over.
    pub is_expired: bool,
    /// What it suppresses, in position order.
    pub matched: Vec<Matched>,
    /// Those of the ids that suppress nothing although every rule they name has run.
    pub unused: Vec<String>,
}

/// How much a suppression speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reach {
    /// The statement it stands at.
    Statement,
    /// Its file.
    File,
}

/// A finding that a suppression matched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matched {
    /// The rule's id.
    pub rule: String,
    /// The 1-based line of the finding.
    pub line: u32,
    /// What the finding is known by.
    pub fingerprint: String,
}

/// Something that could not be read, decoded, parsed or understood.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Gap {
    /// The path as it is shown.
    pub path: String,
    /// The 1-based line, where one can be told.
    pub line: Option<u32>,
    /// The reason in plain words.
    pub reason: String,
}

/// One scanned file.
#[derive(Clone, Debug)]
pub struct FileReport {
    /// The file.
    pub source: Arc<Source>,
    /// Its writes, in position order; none where it serves neither requests nor jobs.
    pub writes: Vec<Write>,
    /// The handlers around its writes, in position order.
    pub guards: Vec<Guard>,
    /// Its findings, in position order, suppressed ones included.
    pub findings: Vec<Finding>,
    /// What mending changed in it, in the order of the rounds.
    pub changes: Vec<Change>,
}

/// What came of holding findings against a baseline. Its entries are told by their index, with a number of findings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// The file of the baseline, as its path is shown.
    pub path: String,
    /// What it accepts and is not there any more.
    pub gone: Vec<(usize, u32)>,
    /// What it accepts and this scan could not have found.
    pub unseen: Vec<(usize, u32)>,
}

/// What was left out of a scan because it was there before a change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Since {
    /// The revision the code was compared with.
    pub revision: String,
    /// How many findings were there already.
    pub left_out: usize,
}

/// What a scan found in one program: in files that may see one another, and see no others.
#[derive(Clone, Debug, Default)]
pub struct ProgramScan {
    /// Its files, in path order.
    pub files: Vec<FileReport>,
    /// How many writes stand in tests, migrations, seeds and scripts.
    pub aside: usize,
    /// What of its files could not be understood.
    pub gaps: Vec<Gap>,
    /// Suppressions that could not be understood and are therefore not heeded.
    pub notes: Vec<Gap>,
    /// The comments that suppress findings, by file and line.
    pub suppressions: Vec<SuppressionRecord>,
}

/// Everything one scan found.
#[derive(Clone, Debug, Default)]
pub struct Scan {
    /// Every scanned file, in path order.
    pub files: Vec<FileReport>,
    /// Of how many files each of its programs is, in the order of the first of each.
    pub programs: Vec<usize>,
    /// How many writes stand in tests, migrations, seeds and scripts. They are in no file's list: who counts the writes of
    /// a service does not mean them.
    pub aside: usize,
    /// What could not be understood, in path order.
    pub gaps: Vec<Gap>,
    /// The comments that suppress findings, by file and line, those of no use included.
    pub suppressions: Vec<SuppressionRecord>,
    /// What came of holding the findings against a baseline, where there was one.
    pub baseline: Option<Comparison>,
    /// What was left out, where only what a change has brought was asked for.
    pub since: Option<Since>,
}

impl Scan {
    /// The tables that are written as rows of several models or in several languages: what is mapped to one table is
    /// one table, whoever maps it.
    pub fn shared_tables(&self) -> BTreeSet<&str> {
        let mut hands: BTreeMap<&str, BTreeSet<(&str, &str, Language)>> = BTreeMap::new();
        for write in self.files.iter().flat_map(|file| &file.writes) {
            if let Some(table) = &write.table {
                hands.entry(table).or_default().insert((&write.entity, &write.declared_in, write.language));
            }
        }
        hands.into_iter().filter(|(_, hands)| hands.len() > 1).map(|(table, _)| table).collect()
    }
}
