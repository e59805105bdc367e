//! flow/ground: what the facts alone say of a function, told once for all the times it is followed.

use std::collections::BTreeSet;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::{BlockId, Function, HandlerId, Next, RegionId, StepId, StepKind};
use crate::name::Name;
use crate::project::{ByFunction, FunctionId, Project};

use super::catch::{Landings, Passing, landings};
use super::{actor, variant};

/// What the facts alone say of a function.
#[derive(Debug)]
pub(super) struct Ground {
    /// Dotted paths of values that an actor is made from.
    pub(super) actors: BTreeSet<Name>,
    /// Local variables whose values tell paths apart.
    pub(super) flags: Vec<Name>,
    /// By block: its place in an order that visits what comes before a join before the join.
    pub(super) order: Vec<u32>,
    /// The blocks that can be reached, in that order.
    pub(super) sequence: Vec<BlockId>,
    /// Whether no block leads back to one before it.
    pub(super) is_straight: bool,
    /// By first block: the handler.
    pub(super) entries: FxHashMap<BlockId, HandlerId>,
    /// Whether a decorator opens a transaction of Django around it.
    pub(super) is_atomic: bool,
    /// By step: whether its value is awaited.
    awaited: Vec<bool>,
    /// By handler: whether it takes every error of the database.
    takes_all: Vec<bool>,
    /// Attributes that the function stores, of whatever.
    stored: FxHashSet<Name>,
    /// By region: where an exception lands that is raised in it.
    landings: Vec<Landings>,
    /// Where one lands that is raised outside of all regions.
    outside: Landings,
}

/// What the facts say of every function.
pub(super) fn grounds(project: &Project) -> ByFunction<Ground> {
    ByFunction::filled(project, |id| Ground::of(project, id))
}

impl Ground {
    /// Whether a handler takes every error of the database.
    pub(super) fn takes_all(&self, handler: HandlerId) -> bool {
        self.takes_all[handler as usize]
    }

    fn of(project: &Project, id: FunctionId) -> Ground {
        let function = project.function(id);
        let passing = Passing::of(project, id);
        let regions = 0..function.regions.len() as RegionId;
        let mut ground = Ground {
            actors: actor::actors(project, function),
            flags: variant::flag_names(function),
            order: Vec::new(),
            sequence: Vec::new(),
            is_straight: false,
            entries: function.handlers.iter().zip(0..).map(|(handler, id)| (handler.entry, id)).collect(),
            takes_all: (0..function.handlers.len() as HandlerId)
                .map(|handler| passing.takes_all(handler))
                .collect(),
            is_atomic: project.is_decorated_atomic(id),
            awaited: awaited(function),
            stored: stored(function),
            landings: regions.map(|region| landings(function, &passing, Some(region))).collect(),
            outside: landings(function, &passing, None),
        };
        ground.order = order(function, &ground);
        let place = |block: BlockId| ground.order[block as usize];
        let reached = (0..function.blocks.len() as BlockId).filter(|&block| place(block) != u32::MAX);
        let mut sequence: Vec<BlockId> = reached.collect();
        sequence.sort_by_key(|&block| place(block));
        let goes_on = |&block: &BlockId| {
            successors(function, &ground, block).into_iter().all(|next| place(next) > place(block))
        };
        ground.is_straight = sequence.iter().all(goes_on);
        ground.sequence = sequence;
        ground
    }

    /// Whether the value of a step is awaited.
    pub(super) fn is_awaited(&self, step: StepId) -> bool {
        self.awaited[step as usize]
    }

    /// Whether the function stores an attribute of this name.
    pub(super) fn stores(&self, name: Name) -> bool {
        self.stored.contains(&name)
    }

    /// The attributes that the function stores.
    pub(super) fn all_stored(&self) -> impl Iterator<Item = &Name> {
        self.stored.iter()
    }

    /// Where an exception lands that is raised in a region.
    pub(super) fn landings(&self, region: Option<RegionId>) -> &Landings {
        region.map_or(&self.outside, |region| &self.landings[region as usize])
    }
}

/// The steps whose values are awaited.
fn awaited(function: &Function) -> Vec<bool> {
    let mut found = vec![false; function.steps.len()];
    for step in &function.steps {
        if let StepKind::Await(of) = step.kind {
            found[of as usize] = true;
        }
    }
    found
}

fn stored(function: &Function) -> FxHashSet<Name> {
    let stores = function.steps.iter().filter_map(|step| match step.kind {
        StepKind::Store { name, .. } => Some(name),
        _ => None,
    });
    stores.collect()
}

/// A place for each block in an order that visits what comes before a join before the join.
fn order(function: &Function, ground: &Ground) -> Vec<u32> {
    let blocks = &function.blocks;
    let mut place = vec![u32::MAX; blocks.len()];
    let mut seen = vec![false; blocks.len()];
    let mut next_place = blocks.len() as u32;
    let mut stack: Vec<(BlockId, Vec<BlockId>)> = Vec::new();
    if !blocks.is_empty() {
        seen[0] = true;
        stack.push((0, successors(function, ground, 0)));
    }
    while let Some((block, left)) = stack.last_mut() {
        match left.pop() {
            Some(next) if !seen[next as usize] => {
                seen[next as usize] = true;
                stack.push((next, successors(function, ground, next)));
            }
            Some(_) => {}
            None => {
                next_place -= 1;
                place[*block as usize] = next_place;
                stack.pop();
            }
        }
    }
    place
}

fn successors(function: &Function, ground: &Ground, block: BlockId) -> Vec<BlockId> {
    let block = &function.blocks[block as usize];
    let mut all = match &block.next {
        Next::Goto(next) => vec![*next],
        Next::Branch { yes, no, .. } => vec![*yes, *no],
        Next::Any(next) => next.clone(),
        Next::Leave | Next::Throw => Vec::new(),
        Next::Resume { swallowed } => swallowed.iter().map(|(_, after)| *after).collect(),
    };
    all.extend(ground.landings(block.region).blocks.iter().map(|(block, _)| *block));
    all
}
