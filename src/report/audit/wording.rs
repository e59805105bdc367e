//! report/audit/wording: the sentences and words that both drawings of the report share.

use super::{Audit, Evidence, Ledger, Mark, Run};
use crate::config::{Bounds, Figure, Urgency};
use crate::duty::Operation;
use crate::metric::{Measured, Range};
use crate::report::{Status, count};

/// How a report is checked, in front of the command.
pub const TO_VERIFY: &str = "To check this report, run";

/// How a report is checked.
pub const VERIFY_COMMAND: &str = "trailcheck verify REPORT";

/// How a report is checked, behind the command.
pub const VERIFY_MEANS: &str = "in the folder it was made in. It scans again and says whether files, \
     configuration, rules, findings and this text still are what they were:";

/// What coverage is.
pub const COVERAGE: &str = "A write is fully stamped when everything its model wants to know of it (when, and by whom) is set \
     by code on every path, or filled by a default that holds for this way of writing.";

/// That a scan was asked for changes only, in front of what was left out.
pub const ONLY_CHANGES: &str = "Only what a change has brought is told";

/// How urgency is told.
pub fn priority(audit: &Audit<'_>) -> &'static str {
    match audit.order.is_configured {
        true => {
            "The configuration says how urgent a path is. Elsewhere an error has high priority and a review medium."
        }
        false => "An error has high priority, a review medium.",
    }
}

/// What was seen and what was not.
pub fn completeness(audit: &Audit<'_>) -> String {
    let tally = &audit.tally;
    let files = count(tally.scanned, "file");
    let aside = match tally.aside {
        0 => String::new(),
        1 => " 1 write in tests, migrations, seeds and scripts is not counted.".to_owned(),
        many => format!(" {many} writes in tests, migrations, seeds and scripts are not counted."),
    };
    match tally.gaps {
        0 => format!("{files} read and understood in full.{aside}"),
        gaps => format!(
            "{files} read.{aside} {} in {} could not be read or understood; nothing is claimed of them:",
            count(gaps, "place"),
            count(tally.files_with_gaps, "file")
        ),
    }
}

/// Which settings were in force, and what they leave out. A name is drawn by the caller.
pub fn settings(audit: &Audit<'_>, name: impl Fn(&str) -> String) -> String {
    let files: Vec<String> = audit.settings.iter().map(|file| name(file)).collect();
    let left_out = match audit.left_out {
        0 => "no file".to_owned(),
        many => count(many, "file"),
    };
    match files.as_slice() {
        [] => "No configuration file was in force.".to_owned(),
        _ => format!("Configuration: {}. It leaves out {left_out}.", files.join(", ")),
    }
}

/// Which rules were on.
pub fn rules(audit: &Audit<'_>) -> String {
    let all = audit.rules_on + audit.rules_off.len();
    if audit.rules_off.is_empty() {
        return format!("All {all} rules were on.");
    }
    let off: Vec<String> = audit.rules_off.iter().map(|id| format!("`{id}`")).collect();
    format!("{} of {all} rules were on. Off: {}.", audit.rules_on, off.join(", "))
}

/// How it is known what tests reach. A name is drawn by the caller.
pub fn evidence(evidence: &Evidence, name: impl Fn(&str) -> String) -> String {
    const MARKS: &str =
        "✅ all are reached, ⚠️ some are, or it cannot be told for certain, ❌ none is, — there is none";
    match evidence {
        Evidence::Coverage(file) => {
            format!(
                "*Testing* says which writes and handlers the tests have run, by {}: {MARKS}.",
                name(file)
            )
        }
        Evidence::References => format!(
            "*Testing* says which writes and handlers the tests of this scan lead to by what they call and name; they \
             were not run: {MARKS}."
        ),
        Evidence::Nothing => {
            "*Testing* is not known: this scan holds no tests, and no coverage file was given \
             (`--coverage`)."
                .to_owned()
        }
    }
}

/// What a baseline does, behind its name.
pub fn accepts(ledger: &Ledger<'_>) -> String {
    let accepted = count(ledger.accepted.len(), "finding");
    let sum = |entries: &[(usize, u32)]| entries.iter().map(|(_, times)| *times as usize).sum::<usize>();
    let (gone, unseen) = ledger.baseline.map_or((0, 0), |held| (sum(&held.gone), sum(&held.unseen)));
    let more = [(gone, "that are gone"), (unseen, "that this scan could not have found")];
    let more = more.iter().filter(|(number, _)| *number > 0);
    let more: String = more.map(|(number, what)| format!(", and {number} {what}")).collect();
    format!("accepts {accepted} of this scan{more}.")
}

/// The sign of a mark.
pub fn sign(mark: Mark) -> &'static str {
    match mark {
        Mark::Reached => "✅",
        Mark::Partly => "⚠️",
        Mark::Unreached => "❌",
        Mark::Absent => "—",
    }
}

/// A status as the standard writes it: sign and words.
pub fn status(status: Status) -> (&'static str, &'static str) {
    match status {
        Status::Compliant => ("✅", "Compliant"),
        Status::Fixed => ("✅", "Fixed"),
        Status::NeedsReview => ("⚠️", "Needs Review"),
        Status::HasIssues => ("❌", "Has Issues"),
    }
}

/// The word for an urgency.
pub fn urgency(urgency: Urgency) -> &'static str {
    match urgency {
        Urgency::High => "High",
        Urgency::Medium => "Medium",
        Urgency::Low => "Low",
    }
}

/// The word for writes of a kind.
pub fn operation(operation: Operation) -> &'static str {
    match operation {
        Operation::Create => "Create",
        Operation::Update => "Update",
        Operation::Delete => "Delete",
    }
}

/// How long a run took.
pub fn duration(run: &Run) -> String {
    match run.milliseconds {
        None => "—".to_owned(),
        Some(milliseconds) => format!("{}.{:02} s", milliseconds / 1000, milliseconds % 1000 / 10),
    }
}

/// What figures are.
pub const FIGURES: &str = "The configuration wants these figures within bounds. One that is computed from too few writes \
     or suppressions says nothing.";

/// What a figure is.
pub fn figure(figure: Figure) -> &'static str {
    match figure {
        Figure::Coverage => "Writes fully stamped",
        Figure::ModelCoverage => "Writes of the model fully stamped",
        Figure::CompliantWrites => "Writes with no duty missing",
        Figure::FindingsPerThousandWrites => "Findings for 1,000 writes",
        Figure::ErrorsPerThousandWrites => "Errors for 1,000 writes",
        Figure::OwnedSuppressions => "Suppressions with an owner",
        Figure::ReasonedSuppressions => "Suppressions with a reason",
        Figure::ExpiredSuppressions => "Suppressions past their last day",
        Figure::BaselinedFindings => "Findings in the baseline",
        Figure::Gaps => "Places not understood",
    }
}

/// The value of a figure.
pub fn value(measured: &Measured) -> String {
    match measured.value {
        None => "—".to_owned(),
        Some(value) if measured.figure.is_share() => format!("{value} %"),
        Some(value) => value.to_string(),
    }
}

/// What is wanted of a figure.
pub fn wanted(bounds: Bounds) -> String {
    match (bounds.min, bounds.max) {
        (Some(min), Some(max)) => format!("{min} to {max}"),
        (Some(min), None) => format!("at least {min}"),
        (None, Some(max)) => format!("at most {max}"),
        (None, None) => String::new(),
    }
}

/// How a figure stands to its bounds.
pub fn range(range: Range) -> &'static str {
    match range {
        Range::Unbounded => "—",
        Range::TooFew => "— too few",
        Range::Within => "✅ within",
        Range::Outside => "❌ out of range",
    }
}
