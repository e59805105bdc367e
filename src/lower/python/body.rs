//! lower/python/body: one body of Python code on its way to an outline: what jumps run on their way out.

use std::ops::{Deref, DerefMut};

use crate::facts::{BlockId, FunctionKind, Next, RegionId, StepId, StepKind};
use crate::name::Name;
use crate::source::Span;

use super::super::outline::{Outline, empty_function};
use super::tree::{Kind, Node, Role};
use super::{DEEPEST, Lowering, span};

/// How many copies of `finally` bodies one function may get, for its jumps.
const MOST_COPIES: usize = 64;

/// How deep `finally` bodies may lie in one another. Each is built once for every way through it, so that every level
/// multiplies what lies below.
const DEEPEST_FINALLY: usize = 4;

/// Something that must still run when a jump leaves it.
#[derive(Clone, Copy)]
pub(super) enum Cleanup<'t> {
    /// The exit of a `with`; steps of it lie in the region around.
    With { enter: StepId, span: Span, around: Option<RegionId> },
    /// The block of a `finally`.
    Finally { block: Node<'t>, around: Option<RegionId> },
}

/// A loop that a jump may leave or go round again.
#[derive(Clone, Copy)]
pub(super) struct Loop {
    pub(super) again: BlockId,
    pub(super) after: BlockId,
    pub(super) cleanups: usize,
}

/// Where a jump goes.
#[derive(Clone, Copy)]
pub(super) enum Jump {
    Leave,
    To(BlockId),
}

/// One body on its way to an outline.
pub(super) struct Body<'l, 's, 't> {
    pub(super) lower: &'l mut Lowering<'s, 't>,
    /// The index of the function that is built.
    pub(super) index: usize,
    outline: Outline,
    pub(super) cleanups: Vec<Cleanup<'t>>,
    pub(super) loops: Vec<Loop>,
    /// Loop variables of comprehensions, innermost last: they live in no scope, only in their steps.
    pub(super) local_values: Vec<(Name, StepId)>,
    depth: usize,
    copies: usize,
    finallies: usize,
}

impl Deref for Body<'_, '_, '_> {
    type Target = Outline;

    fn deref(&self) -> &Outline {
        &self.outline
    }
}

impl DerefMut for Body<'_, '_, '_> {
    fn deref_mut(&mut self) -> &mut Outline {
        &mut self.outline
    }
}

impl<'l, 's, 't> Body<'l, 's, 't> {
    /// Lowers the body of function `index`.
    pub(super) fn lower(lower: &'l mut Lowering<'s, 't>, node: Node<'t>, index: usize) {
        let placeholder = empty_function(Name::new(""), String::new(), FunctionKind::Lambda);
        let function = std::mem::replace(&mut lower.facts.functions[index], placeholder);
        let mut body = Body {
            lower,
            index,
            outline: Outline::of(function),
            cleanups: Vec::new(),
            loops: Vec::new(),
            local_values: Vec::new(),
            depth: 0,
            copies: 0,
            finallies: 0,
        };
        body.contents(node);
        let Body { lower, outline, .. } = body;
        lower.facts.functions[index] = outline.ended();
    }

    fn contents(&mut self, node: Node<'t>) {
        match node.kind() {
            // A module that is broken all over is an error as a whole; what is intact in it is still read.
            Kind::Module | Kind::Error => self.statements(node),
            Kind::FunctionDefinition => {
                // A function with a syntax error in it could lose just the line that matters: it is left out, and told.
                if node.has_error() {
                    return;
                }
                if let Some(block) = node.field(Role::Body) {
                    self.statements(block);
                }
            }
            Kind::ClassDefinition => {
                if let Some(block) = node.field(Role::Body) {
                    self.statements(block);
                }
            }
            _ => {
                let value = self.value(node);
                self.emit(StepKind::Return(Some(value)), span(node));
            }
        }
    }

    /// Runs `inner` one level deeper, or tells a gap and answers nothing where the code nests too deep.
    pub(super) fn deeper<T>(&mut self, node: Node<'t>, inner: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.depth >= DEEPEST {
            let at = span(node);
            self.lower.gap(at, &format!("nested deeper than {DEEPEST} levels"));
            return None;
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        Some(result)
    }

    /// Leaves towards `target`, running every cleanup beyond the first `keep` ones on the way.
    pub(super) fn jump(&mut self, target: Jump, keep: usize) {
        let waiting = self.cleanups.split_off(keep);
        let (region, loops) = (self.region(), self.loops.clone());
        for (index, cleanup) in waiting.iter().enumerate().rev() {
            // What runs now lies outside of the cleanup itself, but inside those further out.
            self.cleanups.extend_from_slice(&waiting[..index]);
            match *cleanup {
                Cleanup::With { enter, span, around } => {
                    self.enter_region_block(around);
                    self.emit(StepKind::Exit { enter, raising: false }, span);
                }
                Cleanup::Finally { block, around } => {
                    self.copies += 1;
                    if self.copies > MOST_COPIES {
                        self.too_many_ways(block);
                    } else {
                        self.enter_region_block(around);
                        self.finally_block(block);
                    }
                }
            }
            self.cleanups.truncate(keep);
        }
        match target {
            Jump::Leave => self.finish(Next::Leave),
            Jump::To(block) => self.finish(Next::Goto(block)),
        }
        self.cleanups.truncate(keep);
        self.cleanups.extend(waiting);
        self.loops = loops;
        self.set_region(region);
        self.begin_unreachable();
    }

    /// Builds the block of a `finally` for one way through it.
    pub(super) fn finally_block(&mut self, block: Node<'t>) {
        if self.finallies >= DEEPEST_FINALLY {
            self.too_many_ways(block);
            return;
        }
        self.finallies += 1;
        self.statements(block);
        self.finallies -= 1;
    }

    fn too_many_ways(&mut self, block: Node<'t>) {
        self.lower.gap(span(block), "too many ways out through this `finally`");
    }
}
