//! flow/locals: the local variables at one point of a function, which states share piece by piece.
//!
//! A long function has many variables and many forks, and few of them are bound between one fork and the next.

use std::hash::BuildHasher;

use rustc_hash::FxBuildHasher;

use crate::name::Name;

use super::cow::Shared;
use super::value::Value;

/// Into how many pieces variables fall, as a power of two.
const PIECES: u32 = 4;

/// Some variables, sorted by where their names lie.
type Piece = Option<Shared<Vec<(Name, Value)>>>;

/// Local variables and what is known of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Locals(Shared<[Piece; 1 << PIECES]>);

impl Locals {
    /// What is known of a variable.
    pub(super) fn get(&self, name: Name) -> Option<&Value> {
        let (piece, at) = self.find(name);
        let at = at.ok()?;
        self.0[piece].as_ref().map(|piece| &piece[at].1)
    }

    /// The same, to be changed.
    pub(super) fn get_mut(&mut self, name: Name) -> Option<&mut Value> {
        let (piece, at) = self.find(name);
        let at = at.ok()?;
        self.0[piece].as_mut().map(|piece| &mut piece[at].1)
    }

    /// A variable is bound.
    pub(super) fn insert(&mut self, name: Name, value: Value) {
        let (piece, at) = self.find(name);
        let piece = self.0[piece].get_or_insert_with(|| Shared::new(Vec::new()));
        match at {
            Ok(at) => piece[at].1 = value,
            Err(at) => piece.insert(at, (name, value)),
        }
    }

    /// A variable is unbound.
    pub(super) fn remove(&mut self, name: Name) {
        let (piece, at) = self.find(name);
        let Ok(at) = at else { return };
        let of_piece = &mut self.0[piece];
        match of_piece {
            Some(rest) if rest.len() > 1 => {
                rest.remove(at);
            }
            _ => *of_piece = None,
        }
    }

    /// What is known on either of two paths; answers whether anything new came with the other.
    pub(super) fn join(&mut self, other: &Locals) -> bool {
        if self.0.is_same(&other.0) {
            return false;
        }
        let mut is_new = false;
        for at in 0..other.0.len() {
            let Some(theirs) = &other.0[at] else { continue };
            match &self.0[at] {
                None => {
                    self.0[at] = Some(theirs.clone());
                    is_new = true;
                }
                Some(ours) if ours.is_same(theirs) => {}
                Some(_) => {
                    for (name, value) in theirs {
                        let joined = match self.get(*name) {
                            Some(known) if known == value => continue,
                            Some(known) => {
                                let joined = known.clone().join(value.clone());
                                if joined == *known {
                                    continue;
                                }
                                joined
                            }
                            None => value.clone(),
                        };
                        self.insert(*name, joined);
                        is_new = true;
                    }
                }
            }
        }
        is_new
    }

    /// The piece that a variable belongs to, and its place there, or where it would stand.
    fn find(&self, name: Name) -> (usize, Result<usize, usize>) {
        let piece = (FxBuildHasher.hash_one(name) >> (u64::BITS - PIECES)) as usize;
        let place = match &self.0[piece] {
            Some(piece) => piece.binary_search_by_key(&name.address(), |(name, _)| name.address()),
            None => Err(0),
        };
        (piece, place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Vec<Name> {
        (0..100).map(|number| Name::new(&format!("variable_{number}"))).collect()
    }

    #[test]
    fn what_was_bound_last_counts_and_is_nobody_elses() {
        let mut one = Locals::default();
        for name in names() {
            one.insert(name, Value::Plain);
        }
        let mut other = one.clone();
        other.insert(names()[7], Value::None);
        other.remove(names()[8]);
        assert_eq!((one.get(names()[7]), other.get(names()[7])), (Some(&Value::Plain), Some(&Value::None)));
        assert_eq!((one.get(names()[8]), other.get(names()[8])), (Some(&Value::Plain), None));
        assert_ne!(one, other);
        other.insert(names()[7], Value::Plain);
        other.insert(names()[8], Value::Plain);
        assert_eq!(one, other, "it does not matter in which order they were bound");
    }

    #[test]
    fn joining_says_whether_it_learned_anything() {
        let (mut one, mut other) = (Locals::default(), Locals::default());
        one.insert(names()[0], Value::Switch(true));
        assert!(other.join(&one));
        assert!(!other.join(&one), "it is known already");
        other.insert(names()[0], Value::Switch(false));
        other.insert(names()[1], Value::None);
        let whole = other.clone();
        assert!(other.join(&one));
        assert!(!other.join(&whole), "either was in it");
        assert!(one.join(&other) && one == other);
    }
}
