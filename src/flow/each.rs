//! flow/each: loops over names that are known, as if every turn were written down: which keys a dictionary has afterwards.
//!
//! `for column in Order.__table__.columns: …` takes one turn for each column, and `for name in ("state", "note"): …` one
//! for each text. What a turn does depends on the name alone as far as its branches compare that with texts, so each
//! name is followed through the body by itself.

use std::collections::BTreeSet;

use crate::facts::{BlockId, Comparison, Literal, Next, RegionId, StepId, StepKind};
use crate::name::Name;
use crate::project::Lookup;

use super::state::State;
use super::trace::Trace;
use super::translate::model_of;
use super::value::{Keys, ModelRef, Value};

/// How many names are followed through one loop.
const MOST_NAMES: usize = 128;

/// How many blocks a body may have.
const MOST_BLOCKS: usize = 64;

/// What is known of a column of a table, whichever it is: the names it may have, and that it is no name itself.
pub(super) const COLUMN: &str = "column";

/// The attributes of a column that hold its name.
pub(super) const NAMES_OF_COLUMN: &[&str] = &["key", "name"];

/// A loop over names that are known.
struct Turns {
    /// The names, in order.
    names: Vec<Name>,
    /// The variable that holds one of them in each turn.
    variable: Name,
    /// Whether it holds a column, which has the name, and not the name itself.
    is_column: bool,
    /// The blocks of the body.
    body: BTreeSet<BlockId>,
    /// Where a turn begins and ends.
    head: BlockId,
    first: BlockId,
}

impl Trace<'_> {
    /// The names of the columns of a table, where a value is all of these: `Order.__table__.columns`.
    pub(super) fn column_names(&self, value: &Value) -> Option<Keys> {
        let Value::Attribute(table, name) = value else { return None };
        let is_table = || matches!(&**table, Value::Attribute(_, name) if &**name == "__table__");
        if !matches!(&**name, "columns" | "c") || !is_table() {
            return None;
        }
        let ModelRef::Class(class) = model_of(table) else { return None };
        let model = self.project.model(class).filter(|model| !model.is_open)?;
        let sure = model.columns.keys().map(|attribute| model.column_name(*attribute)).collect();
        Some(Keys { sure, ..Keys::default() })
    }

    /// Control leaves a loop because all names have had their turn: dictionaries have the keys that each turn stores.
    pub(super) fn after_all_turns(&self, state: &mut State, head: BlockId, next: BlockId) {
        let Some(turns) = self.turns(head, next) else { return };
        let stores = turns.body.iter().flat_map(|block| self.stores(&turns, *block));
        let dictionaries: BTreeSet<Name> = stores.collect();
        for dictionary in dictionaries {
            let kept: Vec<Name> = turns
                .names
                .iter()
                .copied()
                .filter(|name| self.always_stores(&turns, dictionary, *name))
                .collect();
            if let Some(Value::Dictionary(keys)) = state.locals.get_mut(dictionary) {
                kept.into_iter().for_each(|name| keys.give(name, &Value::Plain));
            }
        }
    }

    /// A key that is one of several names, where only the turns of some of them come to the step at hand.
    pub(super) fn named_here(&self, step: StepId, key: StepId, value: Value) -> Value {
        let Value::KeyOf(keys) = &value else { return value };
        let blocks = &self.function.blocks;
        let Some(here) = blocks.iter().position(|block| (block.start..block.end).contains(&step)) else {
            return value;
        };
        let here = here as BlockId;
        let around = (0..).zip(blocks).find_map(|(head, block)| match &block.next {
            Next::Any(ways) => {
                let turns = self.turns(head, *ways.last()?)?;
                (turns.body.contains(&here) && self.is_name(&turns, key)).then_some(turns)
            }
            _ => None,
        });
        let Some(turns) = around else { return value };
        let mut keys = keys.clone();
        keys.retain(|name| self.comes_to(&turns, *name, |block| block == here));
        Value::KeyOf(keys)
    }

    fn turns(&self, head: BlockId, next: BlockId) -> Option<Turns> {
        let blocks = &self.function.blocks;
        let Next::Any(ways) = &blocks[head as usize].next else { return None };
        let &[first, exhausted] = ways.as_slice() else { return None };
        let start = blocks[first as usize].start;
        let StepKind::Element(of) = self.function.steps.get(start as usize)?.kind else { return None };
        let StepKind::Bind { name: variable, value, .. } = self.function.steps.get(start as usize + 1)?.kind
        else {
            return None;
        };
        if next != exhausted || value != start {
            return None;
        }
        let of = self.value(of);
        let (names, is_column) = match (of, self.column_names(of)) {
            (_, Some(keys)) => (keys.sure.into_iter().collect(), true),
            (Value::Tuple(parts), None) => {
                let name = |part: &Value| match part {
                    Value::Text(name) => Some(*name),
                    _ => None,
                };
                (parts.iter().map(name).collect::<Option<Vec<Name>>>()?, false)
            }
            _ => return None,
        };
        let body = self.body(head, first)?;
        let turns = Turns { names, variable, is_column, body, head, first };
        (turns.names.len() <= MOST_NAMES).then_some(turns)
    }

    /// The blocks of a loop, where its turns all go from the first of them to the head: nothing breaks out of it, and
    /// no exception is caught inside.
    fn body(&self, head: BlockId, first: BlockId) -> Option<BTreeSet<BlockId>> {
        let blocks = &self.function.blocks;
        let outside: Option<RegionId> = blocks[head as usize].region;
        let mut body = BTreeSet::new();
        let mut waiting = vec![first];
        while let Some(block) = waiting.pop() {
            if block == head || !body.insert(block) {
                continue;
            }
            let block = &blocks[block as usize];
            if body.len() > MOST_BLOCKS || block.region != outside {
                return None;
            }
            match &block.next {
                Next::Goto(next) => waiting.push(*next),
                Next::Branch { yes, no, .. } => waiting.extend([*yes, *no]),
                Next::Any(all) => waiting.extend(all),
                // Whoever leaves the function or raises is not there after the loop.
                Next::Leave | Next::Throw => {}
                Next::Resume { .. } => return None,
            }
        }
        let comes_back = self.leading_to(head, &body);
        let ends = |block: &BlockId| matches!(blocks[*block as usize].next, Next::Leave | Next::Throw);
        body.iter().all(|block| comes_back.contains(block) || ends(block)).then_some(body)
    }

    /// Those of some blocks from which control can come to a head without leaving them.
    fn leading_to(&self, head: BlockId, body: &BTreeSet<BlockId>) -> BTreeSet<BlockId> {
        let mut found = BTreeSet::new();
        loop {
            let leads = |block: &&BlockId| {
                !found.contains(*block)
                    && self.ways(**block).iter().any(|next| *next == head || found.contains(next))
            };
            let more: Vec<BlockId> = body.iter().filter(leads).copied().collect();
            if more.is_empty() {
                return found;
            }
            found.extend(more);
        }
    }

    fn ways(&self, block: BlockId) -> Vec<BlockId> {
        match &self.function.blocks[block as usize].next {
            Next::Goto(next) => vec![*next],
            Next::Branch { yes, no, .. } => vec![*yes, *no],
            Next::Any(all) => all.clone(),
            _ => Vec::new(),
        }
    }

    /// The dictionaries that a block stores something in under the name of the turn.
    fn stores(&self, turns: &Turns, block: BlockId) -> Vec<Name> {
        let block = &self.function.blocks[block as usize];
        let stored =
            (block.start..block.end).filter_map(|step| match self.function.steps[step as usize].kind {
                StepKind::StoreIndex { of, key, value }
                    if self.is_name(turns, key) && !self.is_none(value) =>
                {
                    match self.function.steps[of as usize].kind {
                        StepKind::Name(name) => Some(name),
                        _ => None,
                    }
                }
                _ => None,
            });
        stored.collect()
    }

    /// Whether a step is written `None`.
    pub(super) fn is_none(&self, step: StepId) -> bool {
        matches!(self.function.steps[step as usize].kind, StepKind::Literal(Literal::None))
    }

    /// Whether a step reads the name of the turn.
    fn is_name(&self, turns: &Turns, step: StepId) -> bool {
        let steps = &self.function.steps;
        let is_variable = |step: StepId| matches!(steps[step as usize].kind, StepKind::Name(name) if name == turns.variable);
        match steps[step as usize].kind {
            StepKind::Attribute { of, name } if turns.is_column => {
                NAMES_OF_COLUMN.contains(&&*name) && is_variable(of)
            }
            _ => !turns.is_column && is_variable(step),
        }
    }

    /// Whether every way through the turn of a name stores something under it.
    fn always_stores(&self, turns: &Turns, dictionary: Name, name: Name) -> bool {
        let stores = |block: BlockId| self.stores(turns, block).contains(&dictionary);
        !self.passes_by(turns, name, stores)
    }

    /// Whether some way through the turn of a name comes to a block of this kind.
    fn comes_to(&self, turns: &Turns, name: Name, is_meant: impl Fn(BlockId) -> bool) -> bool {
        self.walk(turns, name, is_meant).0
    }

    /// Whether some way through the turn of a name comes to its end without such a block.
    fn passes_by(&self, turns: &Turns, name: Name, is_meant: impl Fn(BlockId) -> bool) -> bool {
        self.walk(turns, name, is_meant).1
    }

    /// Follows the turn of a name up to blocks of a kind: whether it comes to one, and whether it comes to its end.
    fn walk(&self, turns: &Turns, name: Name, is_meant: impl Fn(BlockId) -> bool) -> (bool, bool) {
        let (mut meets, mut ends) = (false, false);
        let mut seen = BTreeSet::new();
        let mut waiting = vec![turns.first];
        while let Some(block) = waiting.pop() {
            if block == turns.head {
                ends = true;
                continue;
            }
            if !seen.insert(block) {
                continue;
            }
            if is_meant(block) {
                meets = true;
                continue;
            }
            match self.function.blocks[block as usize].next {
                Next::Branch { test, yes, no } => match self.decides(turns, test, name) {
                    Some(holds) => waiting.push(if holds { yes } else { no }),
                    None => waiting.extend([yes, no]),
                },
                _ => waiting.extend(self.ways(block)),
            }
        }
        (meets, ends)
    }

    /// What a test says in the turn of a name, where it compares that with texts.
    fn decides(&self, turns: &Turns, test: StepId, name: Name) -> Option<bool> {
        let mut step = test;
        let mut is_turned = false;
        while let StepKind::Not(of) = self.function.steps[step as usize].kind {
            is_turned = !is_turned;
            step = of;
        }
        let StepKind::Compare { comparison, negated, left, right } = self.function.steps[step as usize].kind
        else {
            return None;
        };
        let (named, other) = if self.is_name(turns, left) { (left, right) } else { (right, left) };
        if !self.is_name(turns, named) {
            return None;
        }
        let holds = match (comparison, self.written(other)) {
            (Comparison::Equal, Value::Text(text)) => text == name,
            (Comparison::In, Value::Tuple(parts)) if named == left => {
                let is_text = |part: &Value| matches!(part, Value::Text(_));
                parts.iter().all(is_text).then(|| parts.contains(&Value::Text(name)))?
            }
            _ => return None,
        };
        Some(holds != (negated != is_turned))
    }

    /// The text or texts that the code writes at a step, which nobody may have followed yet.
    fn written(&self, step: StepId) -> Value {
        match &self.function.steps[step as usize].kind {
            StepKind::Literal(Literal::Text(text)) => Value::Text(*text),
            StepKind::List(parts) => Value::Tuple(parts.iter().map(|part| self.written(*part)).collect()),
            StepKind::Name(name) => match self.project.lookup(self.id, *name) {
                Lookup::Global(symbol) => self.symbol(symbol),
                _ => Value::Unknown,
            },
            _ => Value::Unknown,
        }
    }
}
