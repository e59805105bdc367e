//! small/scanned: a small project that a test writes down, scanned under all rules without any configuration.

use std::sync::Arc;

use trailcheck::config::Configuration;
use trailcheck::finding::Scan;
use trailcheck::rulebook::Rulebook;
use trailcheck::scan::{Request, scan};
use trailcheck::source::{Language, Source};
use trailcheck::walk::{Beside, Walked};

/// What a scan of these files comes to, each a path and its text; other files may lie beside them.
pub(crate) fn scanned(files: &[(&str, &str)], beside: &[&str]) -> Scan {
    let language = |path: &str| Language::of(path.as_ref()).unwrap_or(Language::Python);
    let source = |&(path, text): &(&str, &str)| Arc::new(Source::of_text(path, language(path), text));
    let stem = |&path: &&str| {
        let (folder, stem) = path.rsplit_once('/').unwrap_or(("", path));
        Beside { folder: folder.into(), stems: stem.to_owned() }
    };
    let walked = Walked {
        sources: files.iter().map(source).collect(),
        beside: beside.iter().map(stem).collect(),
        ..Walked::default()
    };
    // Examples with dates mean the same for ever.
    scan(Request::new(walked, &Configuration::default(), &Rulebook::built_in(), "2026-01-15"))
}
