//! config/error: what is wrong with a user's configuration, shown with the line it stands on.

use std::ops::Range;

use miette::{Diagnostic, NamedSource, SourceSpan};
use thiserror::Error;

use crate::escape;

/// A fault in a configuration file. It is the user's, so it says where it is and what would be right.
#[derive(Debug, Error, Diagnostic)]
#[error("{message}")]
pub struct ConfigError {
    message: String,
    #[source_code]
    text: Option<NamedSource<String>>,
    #[label("here")]
    at: Option<SourceSpan>,
    #[help]
    help: Option<String>,
}

impl ConfigError {
    /// A fault of a whole file, such as one that cannot be read.
    pub(super) fn of_file(path: &str, reason: &str) -> Box<ConfigError> {
        let message = format!("{}: {}", escape::terminal(path), escape::terminal(reason));
        Box::new(ConfigError { message, text: None, at: None, help: None })
    }

    /// A fault at a place in a file.
    pub(super) fn at(path: &str, text: &str, span: Range<usize>, message: &str) -> Box<ConfigError> {
        // A file of another project may say anything; the offsets have to stay as they are for the label.
        let shown = escape::same_length(text).into_owned();
        let span = span.start.min(text.len())..span.end.min(text.len());
        Box::new(ConfigError {
            message: escape::terminal(message).into_owned(),
            text: Some(NamedSource::new(escape::terminal(path), shown)),
            at: Some(SourceSpan::from(span)),
            help: None,
        })
    }

    /// The same fault with a line of advice.
    pub(super) fn with_help(mut self: Box<ConfigError>, help: Option<String>) -> Box<ConfigError> {
        self.help = help.map(|help| escape::terminal(&help).into_owned());
        self
    }

    /// The advice, where there is one.
    pub fn advice(&self) -> Option<&str> {
        self.help.as_deref()
    }
}
