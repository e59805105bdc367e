//! report/audit/testing: which writes of a file tests reach, from a coverage file or from what the tests refer to.

use crate::coverage::Coverage;
use crate::duty::Operation;
use crate::finding::{FileReport, Guard, Reached, Scan, Write};

/// How it is known what tests reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// From the coverage file of this name.
    Coverage(String),
    /// From what the tests of the scan call and name.
    References,
    /// It is not: there is no coverage file and the scan holds no tests.
    Nothing,
}

impl Evidence {
    pub(super) fn of(scan: &Scan, coverage: Option<&str>) -> Evidence {
        match coverage {
            Some(name) => Evidence::Coverage(name.to_owned()),
            None => {
                let mut writes = scan.files.iter().flat_map(|file| &file.writes);
                if writes.any(|write| write.tested.is_some()) {
                    Evidence::References
                } else {
                    Evidence::Nothing
                }
            }
        }
    }
}

/// What tests reach of one kind of thing in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// All of it.
    Reached,
    /// A part of it, or it cannot be told for certain.
    Partly,
    /// Nothing of it.
    Unreached,
    /// There is no such thing.
    Absent,
}

/// What tests reach in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Testing {
    /// Writes that create a row.
    pub create: Mark,
    /// Writes that update one.
    pub update: Mark,
    /// Writes that delete one.
    pub delete: Mark,
    /// Handlers around writes.
    pub errors: Mark,
}

impl Testing {
    /// What is told of a file, in its order.
    pub fn parts(&self) -> [(&'static str, Mark); 4] {
        [
            ("Create", self.create),
            ("Update", self.update),
            ("Delete", self.delete),
            ("Error Cases", self.errors),
        ]
    }
}

/// What tests reach in a file; nothing where that is not known, or where there is nothing to reach.
pub(super) fn of(file: &FileReport, coverage: Option<&Coverage>) -> Option<Testing> {
    if file.writes.is_empty() {
        return None;
    }
    let reached: Vec<(Operation, Reached)> = file
        .writes
        .iter()
        .map(|write| Some((write.operation, write_reached(file, write, coverage)?)))
        .collect::<Option<_>>()?;
    let guards: Vec<Reached> =
        file.guards.iter().map(|guard| guard_reached(file, guard, coverage)).collect::<Option<_>>()?;
    let of = |wanted: Operation| {
        mark(reached.iter().filter(|(operation, _)| *operation == wanted).map(|(_, reached)| *reached))
    };
    Some(Testing {
        create: of(Operation::Create),
        update: of(Operation::Update),
        delete: of(Operation::Delete),
        errors: mark(guards.into_iter()),
    })
}

fn mark(all: impl Iterator<Item = Reached>) -> Mark {
    let (mut yes, mut no, mut other) = (0, 0, 0);
    for reached in all {
        match reached {
            Reached::Yes => yes += 1,
            Reached::No => no += 1,
            Reached::Perhaps => other += 1,
        }
    }
    match (yes, no, other) {
        (0, 0, 0) => Mark::Absent,
        (_, 0, 0) => Mark::Reached,
        (0, _, 0) => Mark::Unreached,
        _ => Mark::Partly,
    }
}

fn write_reached(file: &FileReport, write: &Write, coverage: Option<&Coverage>) -> Option<Reached> {
    let Some(coverage) = coverage else { return write.tested };
    let lines = coverage.of(&file.source.display_path())?;
    let (first, last) = (file.source.line(write.span.start), file.source.line(write.span.end));
    Some(told(lines.reached(first, last)))
}

/// The head of a clause is run when an error passes it, its body when the clause catches it.
fn guard_reached(file: &FileReport, guard: &Guard, coverage: Option<&Coverage>) -> Option<Reached> {
    let Some(coverage) = coverage else { return guard.tested };
    let lines = coverage.of(&file.source.display_path())?;
    let (head, last) = (file.source.line(guard.head.end), file.source.line(guard.span.end));
    Some(told(lines.reached((head + 1).min(last), last)))
}

fn told(reached: Option<bool>) -> Reached {
    match reached {
        Some(true) => Reached::Yes,
        Some(false) => Reached::No,
        None => Reached::Perhaps,
    }
}
