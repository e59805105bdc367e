//! embed: the build script that reads the rule pages into the program.
//!
//! It writes one expression, an array of a page's stem and its text, so that a page that is added, edited or taken
//! away changes the program and nothing else has to be touched.
#![expect(clippy::print_stdout, reason = "a build script speaks to cargo on stdout")]

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    let root =
        PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("internal error: cargo names the root"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("internal error: cargo names a place for output"));
    // The folder tells of pages that come and go, each file of pages that change.
    println!("cargo::rerun-if-changed=rules");
    let mut table = String::from("[\n");
    for page in pages(&root.join("rules")) {
        println!("cargo::rerun-if-changed={}", page.display());
        let stem = page.file_stem().and_then(|stem| stem.to_str()).expect("a page's name is UTF-8");
        let path = page.to_str().expect("the path of the rules folder is UTF-8");
        writeln!(table, "    ({stem:?}, include_str!({path:?})),")
            .expect("internal error: a string takes any text");
    }
    table.push_str("]\n");
    fs::write(out.join("rules.rs"), table).expect("the table of pages can be written");
}

/// The pages in the folder, in the order of their stems, so that the same folder makes the same program.
fn pages(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the rules folder can be listed");
    let mut pages: Vec<PathBuf> = entries
        .map(|entry| entry.expect("the rules folder can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    pages.sort_by(|a, b| a.file_stem().cmp(&b.file_stem()));
    pages
}
