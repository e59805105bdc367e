//! source/mark: what is known of some offsets of a text without it.

use serde::{Deserialize, Serialize};

use super::Position;

/// Where an offset of a text lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub(super) offset: u32,
    pub(super) position: Position,
    /// Where it lies in the bytes of the file.
    pub(super) in_file: u32,
}

/// The marks of a text, by offset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks(Vec<Mark>);

impl Marks {
    /// The marks of these offsets, told by who has the text.
    pub(super) fn of(mut offsets: Vec<u32>, mark: impl Fn(u32) -> Mark) -> Marks {
        offsets.sort_unstable();
        offsets.dedup();
        Marks(offsets.into_iter().map(mark).collect())
    }

    /// What is known of an offset.
    pub(super) fn at(&self, offset: u32) -> Option<&Mark> {
        let place = self.0.binary_search_by_key(&offset, |mark| mark.offset).ok()?;
        Some(&self.0[place])
    }
}
