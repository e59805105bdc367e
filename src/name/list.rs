//! name/list: names as numbers of a list, while much that holds them is written or read, so that each is spelled once.
//!
//! The list belongs to the thread, since what is between the caller and a name is generated and hands nothing on.

use std::cell::RefCell;

use rustc_hash::FxHashMap;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Name;

thread_local! {
    static NUMBERS: RefCell<Option<Numbers>> = const { RefCell::new(None) };
    static NAMES: RefCell<Vec<Name>> = const { RefCell::new(Vec::new()) };
}

/// The names met while writing.
#[derive(Default)]
struct Numbers {
    names: Vec<Name>,
    by_name: FxHashMap<Name, u32>,
}

/// Writes something that holds names, and lists them.
pub fn listing<T>(write: impl FnOnce() -> T) -> (T, Vec<Name>) {
    NUMBERS.set(Some(Numbers::default()));
    let written = write();
    let numbers = NUMBERS.take().unwrap_or_default();
    (written, numbers.names)
}

/// Reads something that was written with these names.
pub fn listed<T>(names: Vec<Name>, read: impl FnOnce() -> T) -> T {
    NAMES.set(names);
    let found = read();
    NAMES.take();
    found
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let number = NUMBERS.with_borrow_mut(|numbers| {
            let Numbers { names, by_name } = numbers.get_or_insert_default();
            *by_name.entry(*self).or_insert_with(|| {
                names.push(*self);
                names.len() as u32 - 1
            })
        });
        to.serialize_u32(number)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Name, D::Error> {
        let number = u32::deserialize(from)?;
        NAMES
            .with_borrow(|names| names.get(number as usize).copied())
            .ok_or_else(|| D::Error::custom("a name that is not on the list"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_spelled_once_and_comes_back() {
        let names: Vec<Name> = ["a", "b", "a", "c.d", "a"].into_iter().map(Name::new).collect();
        let (bytes, list) = listing(|| postcard::to_stdvec(&names).expect("it can be written"));
        assert_eq!(list, [Name::new("a"), Name::new("b"), Name::new("c.d")]);
        let back = |list: Vec<Name>| listed(list, || postcard::from_bytes::<Vec<Name>>(&bytes).ok());
        assert_eq!(back(list.clone()), Some(names));
        assert_eq!(back(list[..2].to_vec()), None, "a list that is too short");
        assert_eq!(back(Vec::new()), None, "no list is left over");
    }
}
