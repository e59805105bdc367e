//! flow/observe/behind: where the statement runs whose error a handler waits for: in its `try`, or behind it.

use std::collections::BTreeSet;

use crate::facts::{BlockId, Function, Next, RegionId, StepId, StepKind};
use crate::project::FunctionId;

use super::super::actor;
use super::super::catch::is_database_error;
use super::Observer;

impl Observer<'_> {
    /// The word for where SQL runs as seen from the body of a `try`, and the first statement behind it.
    pub(super) fn raised(&self, id: FunctionId, body: RegionId) -> (&'static str, Option<StepId>) {
        let used = self.flow.outcomes[id].body_use.get(&body).copied().unwrap_or_default();
        if used.any || used.hidden || self.raises_by_hand(id, body) {
            return ("inside", None);
        }
        match self.sql_behind(id, body) {
            Some(step) => ("outside", Some(step)),
            None => ("elsewhere", None),
        }
    }

    /// Whether the body itself raises an error of the database, or one that nobody can tell.
    fn raises_by_hand(&self, id: FunctionId, body: RegionId) -> bool {
        let function = self.project.function(id);
        let raised = |step: StepId| match function.steps[step as usize].kind {
            StepKind::Raise { value: Some(value), .. } => Some(match function.steps[value as usize].kind {
                StepKind::Call { callee, .. } => Some(callee),
                _ => Some(value),
            }),
            StepKind::Raise { value: None, .. } => Some(None),
            _ => None,
        };
        let blocks = function.blocks.iter().filter(|block| lies_in(function, block.region, body));
        blocks.flat_map(|block| block.start..block.end).filter_map(raised).any(|class| {
            let path = class.and_then(|class| actor::path(function, class));
            path.is_none_or(|path| is_database_error(self.project, id, path))
        })
    }

    /// The first statement that control comes to once it has left the body in the normal way.
    fn sql_behind(&self, id: FunctionId, body: RegionId) -> Option<StepId> {
        let function = self.project.function(id);
        let sql = &self.flow.outcomes[id].sql;
        let mut seen: BTreeSet<BlockId> = BTreeSet::new();
        let inside = |&block: &BlockId| lies_in(function, function.blocks[block as usize].region, body);
        let mut waiting: Vec<BlockId> = (0..function.blocks.len() as BlockId).filter(inside).collect();
        seen.extend(&waiting);
        while !waiting.is_empty() {
            let all: Vec<BlockId> =
                waiting.iter().flat_map(|&block| next(&function.blocks[block as usize].next)).collect();
            waiting = all.into_iter().filter(|&block| seen.insert(block)).collect();
            for &block in &waiting {
                let block = &function.blocks[block as usize];
                if let Some(&step) = sql.range(block.start..block.end).next() {
                    return Some(step);
                }
            }
        }
        None
    }
}

fn lies_in(function: &Function, region: Option<RegionId>, body: RegionId) -> bool {
    let parent = |id: &RegionId| function.regions[*id as usize].parent;
    std::iter::successors(region, parent).any(|id| id == body)
}

/// Where control goes from a block when nothing is raised.
pub(super) fn next(next: &Next) -> Vec<BlockId> {
    match next {
        Next::Goto(block) => vec![*block],
        Next::Branch { yes, no, .. } => vec![*yes, *no],
        Next::Any(all) => all.clone(),
        Next::Leave | Next::Throw | Next::Resume { .. } => Vec::new(),
    }
}
