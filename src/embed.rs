//! embed: the build script that reads the rule pages into the program, and names the build.
//!
//! It writes one expression, an array of a page's stem and its text, so that a page that is added, edited or taken
//! away changes the program and nothing else has to be touched. The name of the build is a hash of all it is made of, so
//! that what one build has kept is not taken for what another would find.
#![expect(clippy::print_stdout, reason = "a build script speaks to cargo on stdout")]

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::hash::{DefaultHasher, Hasher as _};
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
    println!("cargo::rerun-if-changed=src");
    println!("cargo::rustc-env=TRAILCHECK_BUILD={:016x}", build(&root));
}

/// A hash of the code, the rule pages and the versions of all that is linked.
fn build(root: &Path) -> u64 {
    let mut files: Vec<PathBuf> = Vec::new();
    let mut folders = vec![root.join("src"), root.join("rules")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folders of the program can be listed") {
            let path = entry.expect("the folders of the program can be listed").path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    // A package that is built from a registry may come without the lock.
    files
        .extend([root.join("Cargo.toml"), root.join("Cargo.lock")].into_iter().filter(|file| file.is_file()));
    let mut hasher = DefaultHasher::new();
    for file in files {
        let name = file.strip_prefix(root).unwrap_or(&file).to_string_lossy().into_owned();
        for part in [name.into_bytes(), fs::read(&file).expect("the files of the program can be read")] {
            hasher.write_usize(part.len());
            hasher.write(&part);
        }
    }
    hasher.finish()
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
