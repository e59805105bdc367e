//! mutation/made: where rows are made, and what each of them owes: an argument is missed by the row it is given to alone.

use std::collections::BTreeSet;

use trailcheck::duty::{Duty, Operation};
use trailcheck::flow::{self, Naming};
use trailcheck::project::Project;
use trailcheck::source::Span;

use super::place::Place;

/// A row that is made.
pub(crate) struct Made {
    file: usize,
    span: Span,
    owed: BTreeSet<Duty>,
}

/// All rows that a program makes.
pub(crate) fn made(project: &Project, naming: &Naming) -> Vec<Made> {
    let (_, judgements) = flow::observe(project, &flow::follow(project), naming, &|_| true);
    let creates = judgements.iter().filter(|judgement| judgement.operation == Operation::Create);
    let made = creates.filter_map(|judgement| {
        let step = project.function(judgement.function).steps.get(judgement.step as usize)?;
        let owed = judgement.duties.iter().map(|(duty, _)| *duty).collect();
        Some(Made { file: judgement.function.file.0 as usize, span: step.span, owed })
    });
    made.collect()
}

/// What the row owes that is made with the argument at a place.
pub(crate) fn with<'a>(made: &'a [Made], place: &Place) -> Option<&'a BTreeSet<Duty>> {
    let is_around = |made: &&Made| {
        let span = made.span.start as usize..made.span.end as usize;
        made.file == place.file && span.contains(&place.span.start) && place.span.end <= span.end
    };
    let around = made.iter().filter(is_around);
    around.min_by_key(|made| made.span.end - made.span.start).map(|made| &made.owed)
}
