//! learn/role: which columns play which role, by their names, their types, and what fills them.

use std::collections::{BTreeMap, BTreeSet};

use crate::config;
use crate::duty::Duty;
use crate::project::ClassId;

use super::column::{Column, Kind};
use super::word::{self, Keeps, Strength};
use super::{Role, Seen};

/// On so many models a column must be, from one class above them, before it is taken for a role that its name alone
/// would not give it.
const FEWEST_SHARING: usize = 3;

/// What share of all models must have it then, in percent.
const SHARE: usize = 30;

/// How many columns are shown that were not taken, for each role.
const MOST_OTHERS: usize = 6;

/// What speaks for a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Claim {
    /// It is not taken.
    Weak,
    /// It is taken where no other column of the same models plays the role.
    Fair,
    /// It is taken.
    Strong,
}

/// The roles of the columns of a program with so many models. Which are put a value by some code is asked by name.
pub(super) fn roles(
    columns: &BTreeMap<String, Column>,
    common: &config::Roles,
    models: usize,
    is_put: &dyn Fn(&str) -> bool,
) -> [Role; 6] {
    let mut claims: BTreeMap<Duty, Vec<(&Column, Claim)>> = BTreeMap::new();
    for column in columns.values() {
        if let Some((duty, claim)) = claim(column, common, models, is_put) {
            claims.entry(duty).or_default().push((column, claim));
        }
    }
    Duty::ALL.map(|duty| settle(duty, claims.remove(&duty).unwrap_or_default(), common, models))
}

fn claim(
    column: &Column,
    common: &config::Roles,
    models: usize,
    is_put: &dyn Fn(&str) -> bool,
) -> Option<(Duty, Claim)> {
    let kind = column.kind();
    let is_common = column.is_shared
        && column.models.len() >= FEWEST_SHARING
        && column.models.len() * 100 >= models * SHARE;
    if let Some(duty) = common.duty(&column.name) {
        return fits(duty, kind, column).then_some((duty, Claim::Strong));
    }
    if let Some(reading) = word::read(&column.name) {
        let keeps = match (reading.keeps, kind) {
            (Keeps::Either, Kind::Time) => Keeps::When,
            (Keeps::Either, Kind::Key) => Keeps::Who,
            (keeps, _) => keeps,
        };
        let duty =
            reading.deed.duty(keeps).filter(|duty| fits(*duty, kind, column) && kind != Kind::Unknown)?;
        let is_seen = column.is_shared
            || column.models.len() > 1
            || column.filled_at_insert + column.filled_at_update > 0
            || is_put(&column.name);
        let claim = match reading.strength {
            Strength::Plain if is_seen => Claim::Strong,
            Strength::Loose if is_common => Claim::Fair,
            _ => Claim::Weak,
        };
        return Some((duty, claim));
    }
    // The name says nothing: what fills the column does, where many models have it from one class.
    if kind != Kind::Time {
        return None;
    }
    let claim = if is_common { Claim::Fair } else { Claim::Weak };
    if column.filled_at_update > 0 {
        return Some((Duty::UpdatedAt, claim));
    }
    (is_common && column.filled_at_insert == column.models.len()).then_some((Duty::CreatedAt, claim))
}

/// Whether a column can hold what a role asks for.
fn fits(duty: Duty, kind: Kind, column: &Column) -> bool {
    match kind {
        Kind::Time => duty.is_time(),
        Kind::Key => duty.is_actor(),
        Kind::Flag => false,
        // A time may be kept as a number; a name that fits both roles is a name of one who acts.
        Kind::Plain => duty.is_actor() || column.filled_at_insert + column.filled_at_update > 0,
        Kind::Unknown => true,
    }
}

fn settle(duty: Duty, claims: Vec<(&Column, Claim)>, common: &config::Roles, models: usize) -> Role {
    let claims = without_seconds(duty, claims);
    let sure = claims.iter().filter(|(_, claim)| *claim == Claim::Strong);
    let covered: BTreeSet<ClassId> = sure.flat_map(|(column, _)| column.models.iter().copied()).collect();
    let is_taken = |(column, claim): &(&Column, Claim)| match claim {
        Claim::Strong => true,
        Claim::Fair => column.models.is_disjoint(&covered),
        Claim::Weak => false,
    };
    let preferred = common.names(duty);
    let rank = |name: &str| preferred.iter().position(|known| known == name).unwrap_or(usize::MAX);
    let (mut taken, mut left): (Vec<_>, Vec<_>) = claims.into_iter().partition(is_taken);
    for list in [&mut taken, &mut left] {
        list.sort_by(|(a, _), (b, _)| {
            let order = b.models.len().cmp(&a.models.len());
            order.then(rank(&a.name).cmp(&rank(&b.name))).then(a.name.cmp(&b.name))
        });
    }
    left.truncate(MOST_OTHERS);
    let mut names: Vec<Seen> = taken.iter().map(|(column, _)| seen(column, models)).collect();
    // A row that is put into a relationship brings its key along.
    for (column, _) in taken.iter().filter(|_| duty.is_actor()) {
        for relation in &column.relations {
            let name = relation.as_str();
            if !names.iter().any(|known| known.name == name)
                && common.duty(name).is_none_or(|role| role == duty)
            {
                let why = format!("the relationship that `{}` is the key of", column.name);
                names.push(Seen { name: name.to_owned(), why });
            }
        }
    }
    let others = left.iter().map(|(column, _)| seen(column, models)).collect();
    Role { duty, names, others, practice: None }
}

/// A time that nothing fills, on models that all have another one of the same role that something fills, is a time of
/// something else: of the file that a row stands for, of a row in another program.
fn without_seconds(duty: Duty, claims: Vec<(&Column, Claim)>) -> Vec<(&Column, Claim)> {
    let is_filled = |column: &Column| column.filled_at_insert + column.filled_at_update > 0;
    let filled: Vec<&Column> = claims
        .iter()
        .filter(|(column, claim)| *claim == Claim::Strong && is_filled(column))
        .map(|(column, _)| *column)
        .collect();
    let is_second = |column: &Column| {
        duty.is_time()
            && !is_filled(column)
            && filled.iter().any(|first| column.models.is_subset(&first.models))
    };
    let weakened = |(column, claim)| (column, if is_second(column) { Claim::Weak } else { claim });
    claims.into_iter().map(weakened).collect()
}

fn seen(column: &Column, models: usize) -> Seen {
    let mut why = format!("on {} of {models} models", column.models.len());
    match (column.filled_at_insert > 0, column.filled_at_update > 0) {
        (_, true) => why += ", filled by every update",
        (true, false) => why += ", with a default",
        (false, false) => {}
    }
    Seen { name: column.name.clone(), why }
}
