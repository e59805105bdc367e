//! source/text: what a file says, at hand or not.

use std::ops::Deref;

/// What a file says. Most texts of a run are looked at once, so they are let go and read again where they are needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(Option<Box<str>>);

impl Text {
    /// A text that is at hand.
    pub(super) fn of(text: String) -> Text {
        Text(Some(text.into_boxed_str()))
    }

    /// A text that is not at hand.
    pub(super) const GONE: Text = Text(None);

    /// Whether it can be looked at.
    pub(super) fn is_here(&self) -> bool {
        self.0.is_some()
    }

    /// What the file says.
    pub fn as_str(&self) -> &str {
        // Nobody can read it here, and whoever takes an empty text for it is wrong.
        self.0.as_deref().expect("internal error: a text is read again before it is looked at")
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}
