//! cache/facts: what files say as bytes, and back. Each name is spelled once for all the files of an entry.

use serde::{Deserialize, Serialize};

use crate::facts::FileFacts;
use crate::name::{self, Name};

#[derive(Serialize, Deserialize)]
struct Kept<'a> {
    #[serde(borrow)]
    names: Vec<&'a str>,
    facts: &'a [u8],
}

/// The facts of some files as bytes.
pub(super) fn put(facts: &[&FileFacts]) -> Option<Vec<u8>> {
    let (facts, names) = name::listing(|| postcard::to_stdvec(facts).ok());
    let names = names.iter().map(|name| name.as_str()).collect();
    postcard::to_stdvec(&Kept { names, facts: &facts? }).ok()
}

/// The facts of so many files that the bytes hold.
pub(super) fn take(bytes: &[u8], count: usize) -> Option<Vec<FileFacts>> {
    let Kept { names, facts } = postcard::from_bytes(bytes).ok()?;
    let names: Vec<Name> = names.into_iter().map(Name::new).collect();
    let facts: Vec<FileFacts> = name::listed(names, || postcard::from_bytes(facts).ok())?;
    (facts.len() == count).then_some(facts)
}
