//! trailcheck proves that service code stamps and audits every row it writes.
//!
//! This is the map of the house. Data goes one way: `walk → program → lower → facts → project → flow → check → report`,
//! and back only to mend: `fix` makes new texts of what `check` found, has them scanned, and `walk` writes them. Read left
//! to right it is the run; right to left it is who may know whom.
//!
//! | room | what is in it | what it does not know |
//! | --- | --- | --- |
//! | [`escape`] | other people's text made harmless for a terminal or a report | where the text comes from |
//! | [`name`] | interned identifiers and dotted paths | what they name |
//! | [`nearest`] | the known name a mistyped one was meant to be | what is being named |
//! | [`day`] | a day of the calendar, read, written and counted | which day it is |
//! | [`source`] | one file: its text, spans, lines, language | what the text means |
//! | [`sql`] | SQL text as words, whichever database it is for | what a statement does |
//! | [`token`] | a Rust text cut into comments, texts, words and signs | what they mean together |
//! | [`duty`] | the words for a write: its operation, its duties, how each one stands | everything else |
//! | [`remedy`] | what would mend something that was seen, as acts on the code around a place | how the code is laid out |
//! | [`layout`] | where the statements, blocks and brackets of a file stand | what they mean |
//! | [`facts`] | what a file says, the same for every language: imports, classes, functions as outlines of steps | syntax, and what a step means |
//! | [`finding`] | what a rule has to say about a place, and all that a scan found | how it is shown |
//! | [`vocabulary`] | the table of words that rule pages use and observations answer to | rules |
//! | [`rule`] | one rule as its page says it, and the reading of pages | source text |
//! | [`rulebook`] | all rules of a run | how they are matched |
//! | [`config`] | what a user may set, and which settings govern a file | the disk: reading is handed in |
//! | [`digest`] | short names for what a report was made of and what it says | how a scan is done |
//! | [`coverage`] | which lines a test run has executed, from the files of coverage tools | what the lines do |
//! | [`owners`] | whose a file is, as CODEOWNERS says | what was found in it |
//! | [`walk`] | folders listed, files read, reports written, in an order that never changes | languages and rules |
//! | [`cache`] | what was found before, kept under a hash of all it depends on | how it was found |
//! | [`program`] | which files may see one another, told from their paths and bytes alone | what a file means |
//! | [`lower`] | a file's text becomes facts, and gaps where it could not be understood | other files, rules, settings |
//! | [`project`] | the facts of all files as one program: modules, names, class hierarchies, models | rules |
//! | [`flow`] | what every function does over all its paths, its writes and how their duties stand | rules, languages |
//! | [`learn`] | the convention of a program, as its models and most of its writes show it | rules, the disk |
//! | [`tested`] | which functions the tests of a scan reach, as far as code tells | formats, the disk |
//! | [`vcs`] | git asked: files of a revision, what they said, what has changed | what files mean |
//! | [`since`] | what a change has brought: a scan without what a scan before it found | git, the disk |
//! | [`baseline`] | the findings a team has accepted for now, and what of a scan they accept | how findings came to be |
//! | [`check`] | observations × rules → findings, with suppressions and the baseline heeded | formats, the disk |
//! | [`fix`] | remedies become edits, chosen and proved by a new scan | rules, the disk |
//! | [`metric`] | the figures of a scan, and whether each is within its bounds | how findings came to be |
//! | [`history`] | what each scan found, kept in one SQLite file | how it was found |
//! | [`report`] | a scan as text, one file a format | how findings came to be |
//! | [`scan`] | the way of the data, each step a call of its room | decisions |
//! | [`cli`] | arguments, colours, progress, the exit code | analysis |
//!
//! The walls are things that are not there:
//!
//! - No syntax-tree type appears outside `lower`.
//! - No rule's id is written in `src`: a rule is its page in `rules/`, and a rule that cannot be said needs a new word
//!   in `vocabulary`, for everyone.
//! - No room but `walk` touches files, none but `vcs` runs another program, and none but `cli` prints.
//! - No path leads from `lower` or `check` to an error: what the world does wrong is a gap, what the user does wrong is
//!   told at the door, and what we do wrong is a panic that `cli` turns into a failed run.
//! - No room knows one that stands below it in the table, and the order of files and findings never depends on
//!   threads.
//!
//! `tests/tidy.rs` holds the house to this.

pub mod baseline;
pub mod cache;
pub mod check;
pub mod cli;
pub mod config;
pub mod coverage;
pub mod day;
pub mod digest;
pub mod duty;
pub mod escape;
pub mod facts;
pub mod finding;
pub mod fix;
pub mod flow;
pub mod history;
pub mod layout;
pub mod learn;
pub mod lower;
pub mod metric;
pub mod name;
pub mod nearest;
pub mod owners;
pub mod program;
pub mod project;
pub mod remedy;
pub mod report;
pub mod rule;
pub mod rulebook;
pub mod scan;
pub mod since;
pub mod source;
pub mod sql;
pub mod tested;
pub mod token;
pub mod vcs;
pub mod vocabulary;
pub mod walk;
