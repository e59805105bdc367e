//! meanwhile: files that change between being looked at and being read again: what is found is of one tree, whole.

use std::fs;
use std::path::PathBuf;

use trailcheck::cache::Cache;
use trailcheck::config::Configuration;
use trailcheck::finding::Scan;
use trailcheck::report::{self, Extent};
use trailcheck::rulebook::Rulebook;
use trailcheck::scan::{Leaves, Request, scan};
use trailcheck::walk::{self, Store};

use crate::small::placed::Place;

const STAMPLESS: &str = "\
from datetime import datetime
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Base(DeclarativeBase):
    pass

class Job(Base):
    __tablename__ = 'jobs'
    id: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]

def make(db):
    db.add(Job(name='a'))
    db.commit()
";

/// Two projects, and what is kept of them.
fn ground() -> (Place, Cache) {
    let place = Place::new();
    place.write("one/setup.py", "");
    place.write("one/jobs.py", STAMPLESS);
    place.write("two/setup.py", "");
    place.write("two/other.py", "x = 1\n");
    let kept = place.path("kept");
    let cache = Cache::new(Store::at(kept, &place.path("")).expect("a store"));
    (place, cache)
}

/// What a scan finds before whose second look at the files something happens to them.
fn scanned(place: &Place, cache: Option<&Cache>, leaves: Leaves, meanwhile: impl FnOnce()) -> Scan {
    let here = place.path("").canonicalize().expect("it is there");
    let configuration = Configuration::default();
    let roots = [PathBuf::from("one"), PathBuf::from("two")];
    let listing = walk::list(&roots, &here).expect("the folders are there");
    let walked = walk::read(listing, &configuration, leaves == Leaves::All);
    assert!(walked.sources.iter().all(|source| source.has_text() == (leaves == Leaves::All)));
    meanwhile();
    let rulebook = Rulebook::built_in();
    scan(Request { cache, leaves, ..Request::new(walked, &configuration, &rulebook, "2026-01-15") })
}

fn said(scan: &Scan) -> (String, String) {
    (report::json::render(scan), report::concise::render(scan, Extent::Full))
}

#[test]
fn what_is_left_of_texts_changes_nothing_that_is_said() {
    let (place, cache) = ground();
    let all = said(&scanned(&place, None, Leaves::All, || ()));
    assert!(all.1.contains("one/jobs.py:13:"), "{}", all.1);
    for cache in [None, Some(&cache), Some(&cache)] {
        for leaves in [Leaves::Shown, Leaves::None] {
            let scan = scanned(&place, cache, leaves, || ());
            assert_eq!(said(&scan), all);
            let texts: Vec<bool> = scan.files.iter().map(|file| file.source.has_text()).collect();
            assert_eq!(texts, [leaves == Leaves::Shown, false, false, false], "only what is shown is held");
        }
    }
}

#[test]
fn a_file_that_changes_meanwhile_is_found_as_it_is_then() {
    for is_kept_before in [false, true] {
        let (place, cache) = ground();
        if is_kept_before {
            scanned(&place, Some(&cache), Leaves::None, || ());
        }
        let longer = format!("\n\n{STAMPLESS}");
        let scan = scanned(&place, Some(&cache), Leaves::Shown, || place.write("one/jobs.py", &longer));
        assert!(said(&scan).1.contains("one/jobs.py:15:"), "{}", said(&scan).1);
        assert_eq!(said(&scan), said(&scanned(&place, None, Leaves::All, || ())));
        assert_eq!(said(&scan), said(&scanned(&place, Some(&cache), Leaves::None, || ())), "and is kept so");
    }
}

#[test]
fn a_file_that_goes_meanwhile_is_a_gap() {
    let (place, cache) = ground();
    for cache in [None, Some(&cache)] {
        place.write("one/jobs.py", STAMPLESS);
        let gone = || fs::remove_file(place.path("one/jobs.py")).expect("it is there");
        let scan = scanned(&place, cache, Leaves::None, gone);
        let gaps: Vec<&str> = scan.gaps.iter().map(|gap| gap.path.as_str()).collect();
        assert_eq!((gaps, scan.files.len()), (vec!["one/jobs.py"], 3));
    }
}
