//! cache/key: what an entry is known by: a hash of everything that it depends on.

use std::fmt;

use crate::source::Digest;

/// The program that makes and reads entries: two builds never take each other's.
const BUILD: &str = concat!(env!("CARGO_PKG_VERSION"), " ", env!("TRAILCHECK_BUILD"));

/// The name of an entry.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key(pub(super) Digest);

impl Key {
    /// The whole hash.
    pub fn digest(&self) -> &Digest {
        &self.0
    }
}

/// Parts that are being hashed one after the other, each with its length before it, so that no two lists of parts run
/// into each other.
pub struct Parts(blake3::Hasher);

impl Parts {
    /// The parts of something of this kind.
    pub fn of(kind: &str) -> Parts {
        let mut parts = Parts(blake3::Hasher::new());
        parts.text(BUILD);
        parts.text(kind);
        parts
    }

    /// One more text.
    pub fn text(&mut self, text: &str) {
        self.number(text.len());
        self.0.update(text.as_bytes());
    }

    /// Some more texts, as one list.
    pub fn texts<'a>(&mut self, texts: impl ExactSizeIterator<Item = &'a str>) {
        self.number(texts.len());
        texts.for_each(|text| self.text(text));
    }

    /// One more number.
    pub fn number(&mut self, number: usize) {
        self.0.update(&(number as u64).to_le_bytes());
    }

    /// One more hash.
    pub fn digest(&mut self, digest: &Digest) {
        self.0.update(digest);
    }

    /// What all of them are known by.
    pub fn key(self) -> Key {
        Key(*self.0.finalize().as_bytes())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Half of it tells files apart; the whole stands in the entry.
        self.0[..16].iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        let key = |kind: &str, lists: &[&[&str]]| {
            let mut parts = Parts::of(kind);
            lists.iter().for_each(|list| parts.texts(list.iter().copied()));
            parts.key().to_string()
        };
        let all = [
            key("a", &[&["b", "c"]]),
            key("a", &[&["bc"]]),
            key("a", &[&["b"], &["c"]]),
            key("a", &[&[], &["b", "c"]]),
            key("ab", &[&["c"]]),
        ];
        let once: std::collections::BTreeSet<&String> = all.iter().collect();
        assert_eq!(once.len(), all.len());
        assert_eq!(all[0].len(), 32);
    }
}
