//! small/modules: the sample packages that examples import: the shop for SQLAlchemy, the clinic for Django.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use trailcheck::source::{Language, Source};

/// The path of an example: beside the package, in no folder that could put it out of a rule's scope.
pub(crate) const EXAMPLE: &str = "orders.py";

/// An example with the modules of the package that it imports.
pub(crate) fn with_package(code: &str) -> Vec<Arc<Source>> {
    let of_clinic = code.contains("clinic") || code.contains("django");
    let mut sources = modules(if of_clinic { "clinic" } else { "shop" });
    sources.push(Arc::new(Source::of_text(EXAMPLE, Language::Python, code)));
    sources
}

/// The modules of a sample package.
pub(crate) fn modules(package: &str) -> Vec<Arc<Source>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(package);
    let mut paths: Vec<_> = fs::read_dir(&folder)
        .expect("the package can be listed")
        .map(|entry| entry.expect("the package can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "py"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "the package has modules");
    let read = |path: &std::path::PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).expect("a module's name is UTF-8");
        let text = fs::read_to_string(path).expect("a module can be read");
        Arc::new(Source::of_text(format!("{package}/{name}"), Language::Python, text))
    };
    paths.iter().map(read).collect()
}
