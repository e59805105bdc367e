//! flow/nothing/fact: what is known of names and paths at one point of a function: whether they may be `None`.

use rustc_hash::FxHashMap;

use crate::facts::StepId;
use crate::name::Name;

use super::super::cow::Shared;
use super::Origin;

/// What is known of a name or path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fact {
    /// It may be `None`; the call it came from with others, where there was one.
    May(Origin, Option<StepId>),
    /// It is the parameter as it came.
    Given,
    /// It is not `None`.
    Sure,
}

/// What is known at one point of a function, by name or path.
pub(super) type State = Shared<FxHashMap<Name, Fact>>;

/// A path is something else now, and so is all that is reached through it.
pub(super) fn forget(state: &mut State, path: Name) {
    let is_behind = |other: &Name| {
        *other == path || other.strip_prefix(&*path).is_some_and(|behind| behind.starts_with(['.', '[']))
    };
    if state.keys().any(is_behind) {
        state.retain(|other, _| !is_behind(other));
    }
}

/// A path is not `None` from here on.
pub(super) fn be_sure(state: &mut State, path: Name) {
    if state.get(&path) != Some(&Fact::Sure) {
        state.insert(path, Fact::Sure);
    }
}

/// What is known after either of two ways.
pub(super) fn join(one: &State, other: &State) -> State {
    if one == other {
        return one.clone();
    }
    let mut joined = FxHashMap::default();
    for (path, fact) in one {
        let fact = match (*fact, other.get(path).copied()) {
            (Fact::May(one, call), Some(Fact::May(other, another))) => {
                let origin = one.or(other);
                Fact::May(origin, if origin == one { call } else { another })
            }
            (may @ Fact::May(..), _) | (_, Some(may @ Fact::May(..))) => may,
            (Fact::Sure, Some(Fact::Sure)) => Fact::Sure,
            (Fact::Given | Fact::Sure, Some(Fact::Given)) | (Fact::Given, Some(Fact::Sure)) => Fact::Given,
            (_, None) => continue,
        };
        joined.insert(*path, fact);
    }
    for (path, fact) in other {
        if matches!(fact, Fact::May(..)) {
            joined.entry(*path).or_insert(*fact);
        }
    }
    Shared::new(joined)
}
