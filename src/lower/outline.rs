//! lower/outline: builds one body's outline, whatever the language: steps into blocks, blocks into regions.

use rustc_hash::FxHashMap;

use crate::facts::{
    Block, BlockId, Bound, Function, FunctionKind, Next, Region, RegionId, RegionKind, Step, StepId, StepKind,
};
use crate::name::Name;
use crate::source::Span;

/// A body on its way to an outline.
pub(super) struct Outline {
    pub(super) function: Function,
    /// Whether the code stands under a test for type checking.
    pub(super) only_for_types: bool,
    bound: FxHashMap<Name, bool>,
    current: BlockId,
    region: Option<RegionId>,
}

impl Outline {
    /// Begins the body of a function.
    pub(super) fn of(function: Function) -> Outline {
        let mut outline = Outline {
            function,
            only_for_types: false,
            bound: FxHashMap::default(),
            current: 0,
            region: None,
        };
        let entry = outline.new_block();
        outline.begin(entry);
        for index in 0..outline.function.params.len() {
            outline.bind_name(outline.function.params[index].name);
        }
        outline
    }

    /// Ends the body, which returns where it has not returned before.
    pub(super) fn ended(mut self) -> Function {
        self.finish(Next::Leave);
        let mut bound: Vec<Bound> =
            self.bound.iter().map(|(&name, &only_for_types)| Bound { name, only_for_types }).collect();
        bound.sort_by_key(|bound| bound.name);
        self.function.bound = bound;
        // Facts outlive all else of a scan, so they take no more room than they need.
        let Function { steps, blocks, regions, handlers, bare, .. } = &mut self.function;
        steps.shrink_to_fit();
        blocks.shrink_to_fit();
        regions.shrink_to_fit();
        handlers.shrink_to_fit();
        bare.shrink_to_fit();
        self.function
    }

    pub(super) fn emit(&mut self, kind: StepKind, span: Span) -> StepId {
        self.function.steps.push(Step { kind, span });
        (self.function.steps.len() - 1) as StepId
    }

    pub(super) fn bind_name(&mut self, name: Name) {
        let only_for_types = self.only_for_types;
        let known = self.bound.entry(name).or_insert(true);
        *known &= only_for_types;
    }

    pub(super) fn new_block(&mut self) -> BlockId {
        self.function.blocks.push(Block { start: 0, end: 0, next: Next::Throw, region: None });
        (self.function.blocks.len() - 1) as BlockId
    }

    /// Goes on in an empty block, in the region that is current.
    pub(super) fn begin(&mut self, block: BlockId) {
        self.current = block;
        let start = self.function.steps.len() as StepId;
        let target = &mut self.function.blocks[block as usize];
        target.start = start;
        target.region = self.region;
    }

    /// Ends the current block.
    pub(super) fn finish(&mut self, next: Next) {
        let end = self.function.steps.len() as StepId;
        let block = &mut self.function.blocks[self.current as usize];
        block.end = end;
        block.next = next;
    }

    /// Ends the current block and goes on in the next one.
    pub(super) fn finish_into(&mut self, next: Next, block: BlockId) {
        self.finish(next);
        self.begin(block);
    }

    /// Goes on in a block that nothing leads to.
    pub(super) fn begin_unreachable(&mut self) {
        let dead = self.new_block();
        self.begin(dead);
    }

    pub(super) fn region(&self) -> Option<RegionId> {
        self.region
    }

    pub(super) fn set_region(&mut self, region: Option<RegionId>) {
        self.region = region;
    }

    pub(super) fn new_region(&mut self, kind: RegionKind, parent: Option<RegionId>) -> RegionId {
        self.function.regions.push(Region { parent, kind, lands: Vec::new(), passes: true });
        (self.function.regions.len() - 1) as RegionId
    }

    /// Goes on in a new block of another region.
    pub(super) fn enter_region_block(&mut self, region: Option<RegionId>) {
        let block = self.new_block();
        self.finish(Next::Goto(block));
        self.region = region;
        self.begin(block);
    }
}

/// A function of which nothing is known yet but its name.
pub(super) fn empty_function(name: Name, qualname: String, kind: FunctionKind) -> Function {
    Function {
        name,
        qualname,
        kind,
        span: Span::default(),
        name_span: Span::default(),
        is_async: false,
        is_generator: false,
        params: Vec::new(),
        returns: None,
        decorators: Vec::new(),
        class: None,
        parent: None,
        bound: Vec::new(),
        outer_names: Vec::new(),
        stars: Vec::new(),
        steps: Vec::new(),
        blocks: Vec::new(),
        regions: Vec::new(),
        handlers: Vec::new(),
        bare: Vec::new(),
    }
}
