//! report/audit/criteria: what must hold for an audit to be done, in the standard's order, and whether it does.
//!
//! Which rules answer for a criterion is told by what they look for, not by their names: by their pack and the words of
//! their pages. A criterion nobody looked after is not met, it is not known.

use super::{AuditedFile, Inputs, Mark};
use crate::duty::{Duty, Operation, Standing};
use crate::finding::FileReport;
use crate::rule::Rule;

/// One thing that must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Criterion {
    /// What must hold.
    pub what: &'static str,
    /// Whether it does.
    pub verdict: Verdict,
    /// The numbers behind it.
    pub note: String,
}

/// Whether a criterion holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It does.
    Met,
    /// It does not.
    Unmet,
    /// Nobody looked.
    Unknown,
}

/// The criteria of a scan.
pub(super) fn of(inputs: &Inputs<'_>, files: &[AuditedFile<'_>]) -> Vec<Criterion> {
    let catches = |rule: &Rule| looks_for(rule, "used-as", "exception");
    vec![
        by_rules("All services have correct imports", inputs, &|rule| rule.pack == "imports"),
        by_duties(
            "All create operations set audit timestamps explicitly",
            inputs,
            &[(Operation::Create, Duty::CreatedAt), (Operation::Create, Duty::UpdatedAt)],
        ),
        by_duties(
            "All update operations set the update time explicitly",
            inputs,
            &[(Operation::Update, Duty::UpdatedAt)],
        ),
        deletes(inputs),
        by_rules("No `NameError` when an exception such as `IntegrityError` comes", inputs, &catches),
        never_null(inputs),
        by_rules("Consistent error handling across all services", inputs, &|rule| rule.pack == "errors"),
        by_tests("Tests reach every create, update, delete and error case", files),
    ]
}

/// The files whose writes the standard speaks of.
fn services<'a>(inputs: &'a Inputs<'_>) -> impl Iterator<Item = &'a FileReport> {
    inputs.scan.files.iter().filter(|file| (inputs.is_service)(&file.source.path))
}

/// Whether a rule looks for a word with a value.
fn looks_for(rule: &Rule, word: &str, value: &str) -> bool {
    rule.find.0.iter().any(|one| one.word == word && one.accepted.contains(&value))
}

/// Met when no rule of a kind has an open finding.
fn by_rules(what: &'static str, inputs: &Inputs<'_>, is_meant: &dyn Fn(&Rule) -> bool) -> Criterion {
    let (mut on, mut all) = (0, 0);
    let mut ids: Vec<&str> = Vec::new();
    for rule in inputs.rulebook.rules.iter().filter(|rule| is_meant(rule)) {
        all += 1;
        on += usize::from((inputs.is_on)(rule));
        ids.push(&rule.id);
    }
    let found = inputs.scan.files.iter().flat_map(|file| &file.findings);
    let of_rules = found.filter(|finding| ids.contains(&finding.rule.as_str()));
    let (mut open, mut excused) = (0, 0);
    for finding in of_rules {
        match finding.is_open() {
            true => open += 1,
            false => excused += 1,
        }
    }
    let off = if on < all { format!("{} of {all} rules were off", all - on) } else { String::new() };
    let verdict = match (open, on == all) {
        (1.., _) => Verdict::Unmet,
        (0, true) => Verdict::Met,
        (0, false) => Verdict::Unknown,
    };
    let note = [count(open, "open finding"), count(excused, "excused"), off];
    Criterion { what, verdict, note: joined(note, "no findings") }
}

/// Met when code sets every duty of these kinds, or a default does where defaults count.
fn by_duties(what: &'static str, inputs: &Inputs<'_>, owed: &[(Operation, Duty)]) -> Criterion {
    let mut standings = Standings::default();
    let mut by_default = 0;
    for file in services(inputs) {
        let defaults_count = (inputs.defaults_count)(&file.source.path);
        for write in &file.writes {
            let asked = write.duties.iter().filter(|(duty, _)| owed.contains(&(write.operation, *duty)));
            for &(_, standing) in asked {
                standings.add(standing);
                by_default += usize::from(defaults_count && standing == Standing::Covered);
            }
        }
    }
    let Standings { set, covered, unknown, missing } = standings;
    let all = set + covered + unknown + missing;
    if all == 0 {
        return Criterion { what, verdict: Verdict::Met, note: "no write owes one".to_owned() };
    }
    let is_met = set + by_default == all;
    let verdict = if is_met { Verdict::Met } else { Verdict::Unmet };
    let note = [
        format!("{set} of {all} set"),
        count(covered, "left to a default"),
        count(unknown, "not to be told"),
        count(missing, "missing"),
    ];
    Criterion { what, verdict, note: joined(note, "") }
}

/// How many duties stand in each way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Standings {
    set: usize,
    covered: usize,
    unknown: usize,
    missing: usize,
}

impl Standings {
    fn add(&mut self, standing: Standing) {
        match standing {
            Standing::Set => self.set += 1,
            Standing::Covered => self.covered += 1,
            Standing::Unknown => self.unknown += 1,
            Standing::Missing => self.missing += 1,
        }
    }
}

/// Met when every soft delete has its time, and no row of a model that knows soft deletes goes for good.
fn deletes(inputs: &Inputs<'_>) -> Criterion {
    let what = "All delete operations set the deletion time explicitly";
    let mut criterion = by_duties(what, inputs, &[(Operation::Delete, Duty::DeletedAt)]);
    let removes = |rule: &&Rule| looks_for(rule, "model-has", Duty::DeletedAt.word());
    let ids: Vec<&str> = inputs.rulebook.rules.iter().filter(removes).map(|rule| rule.id.as_str()).collect();
    let found = inputs.scan.files.iter().flat_map(|file| &file.findings);
    let removed = found.filter(|one| one.is_open() && ids.contains(&one.rule.as_str())).count();
    if removed > 0 {
        criterion.verdict = Verdict::Unmet;
        criterion.note.push_str(&format!(", {removed} removed for good"));
    }
    criterion
}

/// Met when nothing leaves a creation or update time empty in a new row.
fn never_null(inputs: &Inputs<'_>) -> Criterion {
    let mut missing = 0;
    let mut rows = 0;
    for write in services(inputs).flat_map(|file| &file.writes) {
        if write.operation != Operation::Create {
            continue;
        }
        rows += 1;
        let times = write.duties.iter().filter(|(duty, _)| matches!(duty, Duty::CreatedAt | Duty::UpdatedAt));
        missing += times.filter(|(_, standing)| *standing == Standing::Missing).count();
    }
    let verdict = if missing == 0 { Verdict::Met } else { Verdict::Unmet };
    let note = match missing {
        0 if rows == 0 => "no service creates rows".to_owned(),
        0 => format!("{} with a time or a default for each", count_of(rows, "create")),
        _ => format!("{} without a time in {}", count_of(missing, "column"), count_of(rows, "create")),
    };
    Criterion { what: "No `NotNullViolationError` for the creation or update time", verdict, note }
}

/// Met when tests reach all writes and the handlers around them. Whether they pass is for the test run to say.
fn by_tests(what: &'static str, files: &[AuditedFile<'_>]) -> Criterion {
    let written: Vec<_> = files.iter().filter(|file| file.owes_tests()).collect();
    if written.is_empty() {
        return Criterion { what, verdict: Verdict::Met, note: "no service writes rows".to_owned() };
    }
    let known: Vec<_> = written.iter().filter_map(|file| file.testing).collect();
    if known.len() < written.len() {
        let note = format!("known for {} of {}", known.len(), count_of(written.len(), "file"));
        return Criterion { what, verdict: Verdict::Unknown, note };
    }
    let is_covered = |file: &&super::Testing| {
        file.parts().iter().all(|(_, mark)| matches!(mark, Mark::Reached | Mark::Absent))
    };
    let covered = known.iter().filter(is_covered).count();
    let verdict = if covered == known.len() { Verdict::Met } else { Verdict::Unmet };
    Criterion { what, verdict, note: format!("{covered} of {}", count_of(known.len(), "file")) }
}

fn count(number: usize, what: &str) -> String {
    match number {
        0 => String::new(),
        _ if what.ends_with("finding") => count_of(number, what),
        _ => format!("{number} {what}"),
    }
}

fn count_of(number: usize, thing: &str) -> String {
    super::super::count(number, thing)
}

fn joined<const N: usize>(parts: [String; N], nothing: &str) -> String {
    let said: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    if said.is_empty() { nothing.to_owned() } else { said.join(", ") }
}
