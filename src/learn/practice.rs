//! learn/practice: what most writes do for each role.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::{self, Covered};
use crate::duty::{Duty, Operation, Standing};
use crate::facts::{StepId, StepKind};
use crate::flow::{Flow, Judgement};
use crate::project::{ClassId, FileId, Project};

use super::{Practice, Role, Seen, Tally, dotted, is_named_function};

/// Of so many stored times it takes to tell a habit.
const FEWEST: usize = 5;

/// What share of the times must be left to defaults before that is the habit, in percent.
const SHARE: usize = 90;

/// From how many functions a helper must be called to be worth a word.
const FEWEST_CALLERS: usize = 3;

/// How many helpers are told of.
const MOST_HELPERS: usize = 8;

/// Notes beside each role how the writes stand that owe it.
pub(super) fn note(roles: &mut [Role; 6], project: &Project, judgements: &[&Judgement]) {
    let mut found: BTreeMap<Duty, Practice> = BTreeMap::new();
    for judgement in judgements.iter().filter(|judgement| !project.is_audit_model(judgement.model)) {
        if judgement.removes && project.owes(judgement.model, Duty::DeletedAt) {
            found.entry(Duty::DeletedAt).or_default().removed += 1;
        }
        for (duty, standing) in owed(judgement) {
            let practice = found.entry(duty).or_default();
            match standing {
                Standing::Set => practice.set += 1,
                Standing::Covered => practice.covered += 1,
                Standing::Unknown => practice.unknown += 1,
                Standing::Missing => practice.missing += 1,
            }
        }
    }
    for role in roles {
        role.practice = found.remove(&role.duty);
    }
}

/// What a write is that only a default covers, and how many of the times are left to one.
pub(super) fn covered(project: &Project, judgements: &[&Judgement]) -> (Option<Covered>, Tally) {
    let mut tally = Tally::default();
    for judgement in judgements.iter().filter(|judgement| !project.is_audit_model(judgement.model)) {
        for (duty, standing) in owed(judgement) {
            if duty.is_time() && matches!(standing, Standing::Set | Standing::Covered) {
                tally.of += 1;
                tally.times += usize::from(standing == Standing::Covered);
            }
        }
    }
    let is_habit = tally.of >= FEWEST && tally.times * 100 >= tally.of * SHARE;
    (is_habit.then_some(Covered::Allow), tally)
}

/// Functions beside the models that stamp a row they are handed.
pub(super) fn helpers(project: &Project, flow: &Flow, serves: &dyn Fn(FileId) -> bool) -> Vec<Seen> {
    let mut found = Vec::new();
    for id in project.function_ids().into_iter().filter(|id| serves(id.file)) {
        let is_row =
            |class: ClassId| project.family(class).iter().any(|class| project.model(*class).is_some());
        let callers = flow.callers.get(&id).into_iter().flatten().filter(|id| serves(id.file)).count();
        if callers < FEWEST_CALLERS
            || !is_named_function(project, id)
            || project.class_of(id).is_some_and(is_row)
        {
            continue;
        }
        let function = project.function(id);
        let is_handed = |step: StepId| {
            matches!(function.steps[step as usize].kind, StepKind::Name(name)
                if function.params.iter().any(|param| param.name == name))
        };
        let stamped = function.steps.iter().filter_map(|step| match step.kind {
            StepKind::Store { of, name, .. } if is_handed(of) => project.roles.of_field(&name),
            _ => None,
        });
        let duties: BTreeSet<Duty> = stamped.collect();
        if duties.is_empty() {
            continue;
        }
        let duties: Vec<&str> = duties.into_iter().map(Duty::word).collect();
        let why = format!("stamps {} of a row that {callers} functions hand it", duties.join(", "));
        let name = dotted(project, id.file, &function.qualname, config::is_pattern);
        found.push((callers, Seen { name: name.unwrap_or_else(|| function.qualname.clone()), why }));
    }
    found.sort_by(|(a, first), (b, second)| b.cmp(a).then_with(|| first.name.cmp(&second.name)));
    found.truncate(MOST_HELPERS);
    found.into_iter().map(|(_, seen)| seen).collect()
}

impl Practice {
    /// How many writes there are.
    pub fn total(&self) -> usize {
        self.set + self.covered + self.unknown + self.missing
    }
}

/// The duties of a write that are for writes of its kind: when a new row was last changed is asked of updates.
fn owed(judgement: &Judgement) -> impl Iterator<Item = (Duty, Standing)> + '_ {
    let of_kind = |(duty, _): &(Duty, Standing)| operation(*duty) == judgement.operation;
    judgement.duties.iter().copied().filter(of_kind)
}

/// The writes that owe a duty, in a word.
pub(super) fn writes_of(duty: Duty) -> &'static str {
    operation(duty).word()
}

fn operation(duty: Duty) -> Operation {
    match duty {
        Duty::CreatedAt | Duty::CreatedBy => Operation::Create,
        Duty::UpdatedAt | Duty::UpdatedBy => Operation::Update,
        Duty::DeletedAt | Duty::DeletedBy => Operation::Delete,
    }
}
