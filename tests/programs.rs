//! programs: projects side by side are told apart: a scan of several finds in each what a scan of it alone finds.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use trailcheck::config::{Configuration, Names, Origin, Search};
use trailcheck::finding::{Safety, Scan};
use trailcheck::rulebook::Rulebook;
use trailcheck::scan::{self, Request};
use trailcheck::walk;
use walkdir::WalkDir;

/// Copies folders of the fixtures side by side, each into a folder of its name.
fn side_by_side(fixtures: &[&str]) -> TempDir {
    let ground = TempDir::new().expect("a folder can be made");
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    for fixture in fixtures {
        for entry in WalkDir::new(from.join(fixture)) {
            let entry = entry.expect("the fixtures can be listed");
            let shown = entry.path().strip_prefix(&from).expect("it lies below the fixtures");
            let to = ground.path().join(shown);
            if entry.file_type().is_dir() {
                fs::create_dir_all(&to).expect("a folder can be made");
            } else {
                fs::copy(entry.path(), &to).expect("a file can be copied");
            }
        }
    }
    ground
}

/// Does something with what a scan of a folder needs, as one who stands on the ground.
fn asked<T>(ground: &Path, folder: &str, work: impl FnOnce(Request<'_>) -> T) -> T {
    let here = ground.canonicalize().expect("the ground is there");
    let roots = [PathBuf::from(folder)];
    let configuration = Configuration::find(&Search {
        origin: Origin::Nowhere,
        here: &here,
        roots: &roots,
        folders: &[],
        names: &Names { rules: Vec::new() },
        read: &|_| Ok(None),
    });
    let configuration = configuration.expect("the configuration is understood");
    let listing = walk::list(&roots, &here).expect("the folder can be listed");
    let walked = walk::read(listing, &configuration, true);
    work(Request::new(walked, &configuration, &Rulebook::built_in(), "2026-01-15"))
}

fn scanned(ground: &Path, folder: &str) -> Scan {
    asked(ground, folder, scan::scan)
}

/// All that was found in each file, and what is said of files.
fn told(scan: &Scan) -> Vec<String> {
    let files = scan.files.iter().map(|file| format!("{file:?}"));
    let gaps = scan.gaps.iter().map(|gap| format!("{gap:?}"));
    files.chain(scan.suppressions.iter().map(|one| format!("{one:?}"))).chain(gaps).collect()
}

#[test]
fn a_scan_of_two_projects_finds_what_scans_of_each_find() {
    let services = ["helpdesk-django", "orders-fastapi"];
    let ground = side_by_side(&services);
    let both = scanned(ground.path(), ".");
    let each = services.map(|service| scanned(ground.path(), service));
    assert!(each.iter().all(|scan| scan.files.iter().any(|file| !file.writes.is_empty())));
    let mut expected: Vec<String> = each.iter().flat_map(told).collect();
    let mut found = told(&both);
    expected.sort();
    found.sort();
    assert!(found == expected, "the projects see one another");
    assert_eq!(both.aside, each.iter().map(|scan| scan.aside).sum::<usize>());
    let paths = |scan: &Scan| scan.files.iter().map(|file| file.source.path.clone()).collect::<Vec<_>>();
    assert_eq!(paths(&both), each.iter().flat_map(paths).collect::<Vec<_>>(), "files keep their order");
}

#[test]
fn mending_two_projects_mends_each() {
    let services = ["shop", "orders-fastapi"];
    let ground = side_by_side(&services);
    let shop = ground.path().join("shop");
    fs::write(shop.join("README.md"), "A project of its own.\n").expect("a file can be written");
    let mended = |folder: &str| {
        let mended = asked(ground.path(), folder, |request| scan::mend(request, Safety::Unsafe));
        let texts = mended.files.into_iter().map(|(_, new)| (new.path.clone(), new.text.as_str().to_owned()));
        texts.collect::<Vec<_>>()
    };
    let mut each: Vec<_> = services.iter().flat_map(|service| mended(service)).collect();
    each.sort();
    assert!(!each.is_empty(), "there is something to mend");
    assert_eq!(mended("."), each);
}
