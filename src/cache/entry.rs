//! cache/entry: the frame of an entry: what it is, whose it is, and that nothing of it is missing or changed.
//!
//! Whatever does not fit is no entry, and nobody asks why.

use super::key::Key;
use crate::source::Digest;

const MAGIC: &[u8; 8] = b"trailchk";

/// Counted up when the frame changes; what is in it changes with the build, which the key knows.
const FORMAT: u32 = 1;

/// Bytes before the content: magic, format, key, the hash of the content.
const HEAD: usize = 8 + 4 + 32 + 32;

/// What stands before a content.
pub(super) fn head(key: &Key, content: &[u8]) -> Vec<u8> {
    let mut head = Vec::with_capacity(HEAD);
    head.extend_from_slice(MAGIC);
    head.extend_from_slice(&FORMAT.to_le_bytes());
    head.extend_from_slice(&key.0);
    head.extend_from_slice(&hash(content));
    head
}

/// The content of the entry that is known by this key.
pub(super) fn content<'a>(key: &Key, bytes: &'a [u8]) -> Option<&'a [u8]> {
    let (head, content) = bytes.split_at_checked(HEAD)?;
    (head == self::head(key, content)).then_some(content)
}

fn hash(content: &[u8]) -> Digest {
    *blake3::hash(content).as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::key::Parts;

    #[test]
    fn only_what_is_whole_and_asked_for_is_an_entry() {
        let key = Parts::of("a").key();
        let entry = [head(&key, b"content"), b"content".to_vec()].concat();
        assert_eq!(content(&key, &entry), Some(b"content".as_slice()));
        assert_eq!(content(&Parts::of("b").key(), &entry), None);
        for length in 0..entry.len() {
            assert_eq!(content(&key, &entry[..length]), None, "cut at {length}");
        }
        for at in 0..entry.len() {
            let mut broken = entry.clone();
            broken[at] ^= 1;
            assert_eq!(content(&key, &broken), None, "changed at {at}");
        }
    }
}
