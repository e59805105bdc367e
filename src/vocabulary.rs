//! vocabulary: the words a rule page may use, and the observations that answer to them. The one table of both.
//!
//! `flow` and `project` describe what they saw at a place as an [`Observation`]: words with values. A page's `find`,
//! `unless` and `review` tables name words and the values they accept. Matching is the same for every word, so a rule
//! is only its page; a rule that cannot be said needs a new word here, for everyone.

use std::collections::BTreeMap;

use crate::duty::Operation;
use crate::remedy::Remedy;
use crate::source::Span;

/// A word of the vocabulary.
#[derive(Clone, Copy, Debug)]
pub struct Word {
    /// The key in a page's table.
    pub name: &'static str,
    /// The values it can have; a switch has `true` and `false`, which a page writes without quotes.
    pub values: &'static [&'static str],
    /// What it says.
    pub meaning: &'static str,
}

const fn word(name: &'static str, values: &'static [&'static str], meaning: &'static str) -> Word {
    Word { name, values, meaning }
}

const SWITCH: &[&str] = &["true", "false"];
const DUTIES: &[&str] = &["created-at", "updated-at", "deleted-at", "created-by", "updated-by", "deleted-by"];

/// Every word, grouped by what is observed: writes, stores, handlers, calls, names, reads, the baseline, suppressions.
pub const WORDS: &[Word] = &[
    word(
        "write",
        &["create", "update", "delete"],
        "a write of a row; `delete` is a soft delete unless `row-removed`",
    ),
    word("duty", DUTIES, "the duty of that write which is looked at; one observation a duty"),
    word("state", &["set", "covered", "unknown", "missing"], "how that duty stands over all paths"),
    word(
        "null-until-update",
        SWITCH,
        "a create leaves a column empty that only `onupdate=` fills: it may be meant to be so until the row changes",
    ),
    word("row-removed", SWITCH, "the row itself is removed from the table"),
    word("model-has", DUTIES, "roles that columns of the model play"),
    word(
        "store",
        &["phantom", "stamp"],
        "a store to an audit name that the model does not define, or to an audit column that it has",
    ),
    word(
        "by",
        &["attribute", "keyword", "default", "dictionary", "statement", "call"],
        "how that store, or the store of a time, is written; a dictionary is stored key by key, a call stores on a row it is handed",
    ),
    word(
        "stored",
        &["none", "actor", "itself", "copy", "other"],
        "what is stored: `None`, something made from an attribute of a user, the column's own value, the same column of another row, anything else",
    ),
    word(
        "onto",
        &["new", "loaded", "handed-in", "unknown"],
        "the row it is stored onto: made here, there before, handed in, of several kinds or unknown",
    ),
    word("fills-empty", SWITCH, "the code looks at the column before it stores"),
    word("model-has-setter", SWITCH, "the model has a setter for the actor that is stored"),
    word("within-model", SWITCH, "the code stands in the model itself or in a class it derives from"),
    word(
        "save",
        &["listed", "deferred", "upsert"],
        "a Django row is saved in part and something stamped is left out: by `update_fields=`, because `only()` or `defer()` loaded it, by `update_or_create()`",
    ),
    word(
        "drops",
        &["auto-now", "save-stamp", "assigned-stamp"],
        "what would have filled it: the field itself, the model's `save()` or a receiver of `pre_save`, the code before",
    ),
    word("row-fresh", SWITCH, "the function has inserted that row before"),
    word(
        "handler",
        &["write", "sql", "other"],
        "an `except` clause; what the `try` body can do to the database",
    ),
    word("catches", &["database", "other"], "whether the clause catches database errors"),
    word("catches-more", SWITCH, "whether the clause also catches errors that no statement raises"),
    word(
        "raised",
        &["inside", "outside", "elsewhere"],
        "where the statement runs whose error the clause waits for: perhaps in the `try` body, only behind it, or nowhere in this function",
    ),
    word(
        "transaction",
        &["lost"],
        "a path goes on from the handler to the normal end of a transaction block around it, with nothing left to commit",
    ),
    word(
        "session-left",
        &["failed", "clean"],
        "whether a path leaves the handler with the session still failed",
    ),
    word(
        "failed-by",
        &["write", "read"],
        "what left the session failed: a statement that writes, on some path, or none",
    ),
    word("session-after", &["used", "owner-commits", "unused"], "what happens to that session afterwards"),
    word(
        "silent-end",
        &["swallows", "prints", "answers", "raises"],
        "how the paths end that neither log nor raise the original: with nothing, with a print or flash only, with an answer made from the error, with another exception",
    ),
    word(
        "await",
        &["missing", "needless"],
        "a call whose coroutine nothing awaits, or an `await` of a call that answers none; only where the kind of the receiver is certain",
    ),
    word(
        "name",
        &["unresolved", "module"],
        "a name that is bound nowhere, or bound to a module where a class is meant",
    ),
    word("used-as", &["exception", "clock", "audit-context"], "what the code uses that name for"),
    word("clause-reached", SWITCH, "whether any error reaches the `except` clause that reads that name"),
    word(
        "unreachable",
        &["behind-broader", "other-library"],
        "an `except` clause that never runs: an earlier one takes all its errors, or the body raises another library's",
    ),
    word(
        "frozen",
        &["default", "field", "argument", "constant", "text"],
        "a time read once, at import, for all that comes later: as the default of a column or declared field, the value of a dataclass or pydantic field, the default of an argument, the value of another class attribute, or a text that the database takes for a constant",
    ),
    word(
        "compares-none",
        &["here", "in-callee"],
        "a value that may be `None` and that nothing looks at is compared for order: here, or in a function it is handed to",
    ),
    word(
        "actor-from",
        &["surroundings"],
        "code that a worker runs takes who acts from a context variable, a thread local or a library, and the task sets nothing there",
    ),
    word(
        "row-again",
        &["periodic", "retried", "acknowledged-late"],
        "a row that a task makes once more when it runs once more, with nothing that keeps it single: why the task may run again",
    ),
    word(
        "keeps-progress",
        SWITCH,
        "the way to that row picks rows out by what they have, and changes what rows have: a second run may find nothing left to do",
    ),
    word("model-logs", SWITCH, "the row's model is named after what happened: a log, an event, a history"),
    word(
        "carrier-lacks",
        &["bounded-retries", "late-acknowledgement", "rejection", "ignored-result"],
        "what a task that carries audit events lacks",
    ),
    word(
        "page-size",
        &["parameter", "query", "paginator"],
        "a size of a page that a client chooses and nothing keeps small: a parameter of an endpoint, read from the query of a request, a pagination class",
    ),
    word(
        "shared",
        &["default", "factory", "attribute"],
        "a list or dictionary that is made once for all: as the default of a column or declared field, as what a factory hands to all it builds, as an attribute of a class that methods change in place",
    ),
    word(
        "mixed",
        &["zone", "clock"],
        "a time stored in a column: with a zone where the column keeps none or the other way round, or read from another clock than the chosen one",
    ),
    word(
        "import",
        &["gone-module", "gone-name", "renamed"],
        "an import of a module or name that the project does not have, or of a path that has another name now",
    ),
    word(
        "import-for",
        &["running", "types", "attempt"],
        "what that import is for: the code, the type checker alone, or an attempt whose failure is caught with everything else",
    ),
    word(
        "read",
        &["row-parameter", "expired"],
        "a column read: of an ORM row that is a parameter of the function, of a row whose value has expired",
    ),
    word(
        "loss",
        &["raises", "lost"],
        "what the read of an expired value comes to: it raises, it answers None",
    ),
    word(
        "row-from",
        &["session", "caller"],
        "whether that row surely belongs to the session, or a caller handed it in",
    ),
    word("decides", &["authorization"], "what the value read decides"),
    word("session-in-reach", SWITCH, "whether the function has a session it could refresh the row with"),
    word(
        "untold",
        &["tracked", "told-elsewhere"],
        "a change that a path leaves without an audit event: of a model that the settings track, or of one whose changes audit events tell of in enough other places",
    ),
    word(
        "early",
        &["row", "part-of-row", "audit-event"],
        "a task that is handed to a worker before the transaction at hand is committed: with a row that it wrote, with something else of such a row, as an audit event",
    ),
    word(
        "passes-by",
        &["receiver", "override", "library"],
        "a write that whoever keeps the trail of its model does not hear of, and that no audit event tells of: a receiver, an override, an audit library",
    ),
    word(
        "audit-event",
        &["apart"],
        "an audit row that is not written in the transaction of the change it tells of",
    ),
    word(
        "audit-failure",
        &["escapes", "answered", "reported", "swallowed"],
        "what the failure of an audit event comes to, against the policy: the request fails, it answers with a failure, it reports one that did not happen, or nobody is told",
    ),
    word(
        "audit-name",
        &["field", "parameter"],
        "a name handed to an audit row or query whose model lacks it, or to a function that logs and does not take it",
    ),
    word(
        "audit-action",
        &["no-choice", "too-long"],
        "a text for what was done that is none of the column's choices, or longer than the column",
    ),
    word("audit-use", &["row", "query"], "whether an audit row is made with it, or a query looks for it"),
    word("audit-row", &["direct"], "an audit row that is made beside the logging method of its model"),
    word(
        "audit-model",
        &["named", "guessed"],
        "whether the settings name the audit model, or only its own name says what it is",
    ),
    word(
        "raw-save",
        &["audit", "row"],
        "a receiver of a save signal that does not look at `raw`: what it writes when a fixture is loaded",
    ),
    word("route", &["legacy"], "a route for an audit library in a form that its middleware does not write"),
    word(
        "library",
        &["app", "middleware", "actor-middleware", "value"],
        "what an audit library that is used does not find in the settings: its app, the middleware it records with, the one that tells the actor, a value that it knows",
    ),
    word("settings", &["found", "absent"], "whether the settings are among the scanned files"),
    word(
        "collection",
        &["unlisted"],
        "a many-to-many of an audited model is changed, and its library was not told of it",
    ),
    word("baseline", &["stale"], "what is wrong with an entry of the baseline"),
    word("suppression", &["unused", "without-reason", "expired"], "what is wrong with a suppression comment"),
];

/// Every placeholder a message or help line may use, with what it shows.
pub const TEXTS: &[(&str, &str)] = &[
    ("function", "the function's own name"),
    ("entity", "the model"),
    ("field", "the column that plays the role on this model, or the attribute stored"),
    ("doubt", "`perhaps `, where it could not be told whether a duty is discharged"),
    ("filled", "that a default fills the column, where one does"),
    ("setter", "the model's setter for the role"),
    ("row", "the expression that holds the row"),
    ("writes", "the verb of the write: creates, updates, deletes"),
    ("clock", "the configured clock expression"),
    ("duty-note", "which duty a phantom store was meant for, or nothing"),
    ("nearest-note", "the nearest column, or nothing"),
    ("name", "the name that is looked at"),
    ("attribute", "the attribute read from it"),
    ("what", "what the name is bound to: nothing, a module, or what makes such a value"),
    ("import", "the import statement that binds it"),
    ("caught", "what the clause catches"),
    ("after", "what happens to the session afterwards, as a clause"),
    ("happens", "what the read of an expired value comes to, as a clause"),
    ("answers", "what the handler does instead, as a verb phrase"),
    ("log", "the call that logs an error"),
    ("rollback", "the rollback call for this session"),
    ("flush", "the flush call for this session"),
    ("savepoint", "the head of a savepoint block of this session"),
    ("call", "the call as it is written, in short"),
    ("waiting", "what is wrong with how it is waited for, as a verb phrase"),
    ("right", "the call as it should be"),
    ("dropped", "the columns that a save in part leaves out"),
    ("partly", "how the row comes to be saved in part, as a clause"),
    ("reason", "why a clause never runs"),
    ("kept-by", "what keeps a frozen time, or gets a shared value"),
    ("instead", "what to write instead"),
    ("reading", "what a clock reads"),
    ("other", "what the reading does not agree with"),
    ("practice", "where audit rows tell of such changes, as a clause, or nothing"),
    ("keeper", "who keeps the trail of a model"),
    ("failing", "what the failure of an audit event comes to, as a verb phrase"),
    ("stale", "what an import names that is not there"),
    ("again", "why a task may run again, as a clause"),
    ("compared", "where a value that may be `None` is compared, as a clause"),
    ("task", "the task that leads here"),
    ("names", "the names that are handed over, quoted"),
    ("taker", "what they are handed to"),
    ("value", "the value that is handed over"),
    ("unfit", "what is wrong with that value, as a clause"),
    ("method", "the method that is meant for it"),
    ("library", "the audit library"),
    ("setting", "the setting"),
    ("lacks", "what is missing, as a clause"),
    ("ids", "the ids a suppression names"),
    ("until", "the date of a suppression"),
    ("accepted", "what an entry of the baseline accepts and is not there, as a clause"),
];

/// What was seen at one place, in words.
#[derive(Clone, Debug, Default)]
pub struct Observation {
    /// The file, as an index into the scanned sources.
    pub file: usize,
    /// The place in it.
    pub span: Span,
    /// Qualified name of the function inside its module.
    pub function: String,
    /// What the write does, where it is one.
    pub operation: Option<Operation>,
    /// The model, where a row is concerned.
    pub entity: Option<String>,
    /// Words and their values.
    pub words: BTreeMap<&'static str, Vec<&'static str>>,
    /// What placeholders show.
    pub texts: BTreeMap<&'static str, String>,
    /// Other places that explain it: what is there, in which file, where.
    pub related: Vec<(String, usize, Span)>,
    /// What would mend it.
    pub remedies: Vec<Remedy>,
    /// Why nothing is known that would, where there might have been.
    pub hindrance: Option<&'static str>,
}

impl Observation {
    /// Adds a value to a word.
    ///
    /// # Panics
    /// When the word or the value is not in the table, where faults of our own are looked for.
    pub fn say(&mut self, name: &'static str, value: &'static str) {
        let is_known = || WORDS.iter().any(|word| word.name == name && word.values.contains(&value));
        debug_assert!(is_known(), "internal error: `{name} = {value}` is not in the vocabulary");
        let values = self.words.entry(name).or_default();
        if !values.contains(&value) {
            values.push(value);
        }
    }

    /// Sets a switch.
    pub fn switch(&mut self, name: &'static str, on: bool) {
        self.say(name, if on { "true" } else { "false" });
    }

    /// Sets what a placeholder shows.
    ///
    /// # Panics
    /// When the placeholder is not in the table, where faults of our own are looked for.
    pub fn show(&mut self, name: &'static str, text: impl Into<String>) {
        let is_known = || TEXTS.iter().any(|(known, _)| *known == name);
        debug_assert!(is_known(), "internal error: no placeholder `{name}`");
        self.texts.insert(name, text.into());
    }
}
