//! project/constant/module: the top level of a module, run over its branches without running it.

use rustc_hash::FxHashMap;

use crate::facts::{Argument, ArgumentKind, BlockId, Function, Literal, Next, StepId, StepKind};
use crate::name::Name;
use crate::project::{FileId, FunctionId, Project, Symbol, written_path};
use crate::source::Span;

use super::{Constant, Constants, Entry, Namespace};

/// How deep an expression is looked into.
const DEEPEST: usize = 60;

/// How many modules one value is followed through.
const LONGEST_CHAIN: usize = 16;

/// Modules with more code than this are made by machines and set nothing up.
const MOST_STEPS: usize = 20_000;
const MOST_BLOCKS: usize = 2_000;

/// How often the blocks are gone over, so that what a loop leaves is seen by its next turn.
const ROUNDS: usize = 2;

/// What the variables of a module hold when all of its code has run.
pub(super) fn run(project: &Project, known: &mut Constants, file: FileId, depth: usize) -> Namespace {
    let module = FunctionId { file, index: 0 };
    let Some(function) = project.file(file).facts.functions.first() else { return Namespace::default() };
    if function.steps.len() > MOST_STEPS || function.blocks.len() > MOST_BLOCKS {
        return Namespace { values: FxHashMap::default(), is_open: true };
    }
    let order = order(function);
    let mut before: FxHashMap<BlockId, Namespace> = FxHashMap::default();
    before.insert(0, Namespace::default());
    let mut last = None;
    for _ in 0..ROUNDS {
        last = None;
        for &block in &order {
            let Some(namespace) = before.get(&block).cloned() else { continue };
            let start = namespace.clone();
            let mut reader = Reader::new(project, known, module, namespace, depth);
            let outline = &function.blocks[block as usize];
            (outline.start..outline.end).for_each(|step| reader.step(step));
            let end = reader.namespace;
            let mut reach = |next: BlockId, namespace: Namespace| {
                let joined = match before.remove(&next) {
                    Some(there) => there.join(namespace),
                    None => namespace,
                };
                before.insert(next, joined);
            };
            normal(function, block).into_iter().for_each(|next| reach(next, end.clone()));
            for next in landings(function, block) {
                reach(next, start.clone());
                reach(next, end.clone());
            }
            if outline.next == Next::Leave {
                last = Some(match last {
                    Some(other) => end.join(other),
                    None => end,
                });
            }
        }
    }
    last.unwrap_or_default()
}

/// The blocks that can be reached, each behind those that lead to it, but for loops.
fn order(function: &Function) -> Vec<BlockId> {
    let mut order = Vec::new();
    let mut seen = vec![false; function.blocks.len()];
    let mut path: Vec<(BlockId, Vec<BlockId>)> = Vec::new();
    let after = |block: BlockId| {
        let mut all = normal(function, block);
        all.extend(landings(function, block));
        all
    };
    if !function.blocks.is_empty() {
        seen[0] = true;
        path.push((0, after(0)));
    }
    while let Some((block, waiting)) = path.last_mut() {
        let block = *block;
        match waiting.pop() {
            Some(next) if !seen[next as usize] => {
                seen[next as usize] = true;
                path.push((next, after(next)));
            }
            Some(_) => {}
            None => {
                order.push(block);
                path.pop();
            }
        }
    }
    order.reverse();
    order
}

fn normal(function: &Function, block: BlockId) -> Vec<BlockId> {
    match &function.blocks[block as usize].next {
        Next::Goto(next) => vec![*next],
        Next::Branch { yes, no, .. } => vec![*yes, *no],
        Next::Any(all) => all.clone(),
        Next::Resume { swallowed: Some((_, next)) } => vec![*next],
        Next::Leave | Next::Throw | Next::Resume { swallowed: None } => Vec::new(),
    }
}

/// Where an exception may land that a block raises.
fn landings(function: &Function, block: BlockId) -> Vec<BlockId> {
    let mut found = Vec::new();
    let mut at = function.blocks[block as usize].region;
    while let Some(number) = at {
        let region = &function.regions[number as usize];
        found.extend(&region.lands);
        if !region.passes && !region.lands.is_empty() {
            break;
        }
        at = region.parent;
    }
    found
}

/// Reads the expressions of one function.
pub(super) struct Reader<'a> {
    project: &'a Project,
    known: &'a mut Constants,
    file: FileId,
    function: &'a Function,
    namespace: Namespace,
    depth: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        project: &'a Project,
        known: &'a mut Constants,
        id: FunctionId,
        namespace: Namespace,
        depth: usize,
    ) -> Reader<'a> {
        Reader { project, known, file: id.file, function: project.function(id), namespace, depth }
    }

    /// What an expression comes to.
    pub(super) fn value(&mut self, step: StepId) -> Constant {
        self.value_at(step, 0)
    }

    fn kind(&self, step: StepId) -> &'a StepKind {
        &self.function.steps[step as usize].kind
    }

    fn span(&self, step: StepId) -> Span {
        self.function.steps[step as usize].span
    }

    fn text(&self, span: Span) -> &'a str {
        self.project.file(self.file).source.slice(span)
    }

    /// What one step does to the variables.
    fn step(&mut self, step: StepId) {
        match self.kind(step) {
            StepKind::Bind { name, value, .. } => {
                let value = self.value(*value);
                self.namespace.values.insert(*name, value);
            }
            StepKind::Unbind(name) => drop(self.namespace.values.remove(name)),
            StepKind::StoreIndex { of, key, value } => {
                let value = self.value(*value);
                let Some((name, mut keys)) = self.place(*of) else { return };
                match self.key(*key) {
                    Some(key) => {
                        keys.push((key, self.span(step)));
                        let file = self.file;
                        self.change(name, &keys, |there| *there = Some(value), file);
                    }
                    None => self.change(name, &keys, opened, self.file),
                }
            }
            StepKind::Call { callee, arguments } => {
                if let StepKind::Attribute { of, name: method } = self.kind(*callee)
                    && let Some((name, keys)) = self.place(*of)
                {
                    self.method(name, &keys, method, arguments);
                }
            }
            StepKind::Import(index) => self.star(*index),
            _ => {}
        }
    }

    /// What a star import brings.
    fn star(&mut self, index: usize) {
        let import = &self.project.file(self.file).facts.imports[index];
        if import.item != crate::facts::Imported::Star {
            return;
        }
        let module = match self.project.import_module(self.file, import) {
            Some(Symbol::Module(file)) if file != self.file && self.depth < LONGEST_CHAIN => file,
            _ => {
                self.namespace.is_open = true;
                return;
            }
        };
        self.known.read(self.project, module, self.depth + 1);
        let brought = self.known.modules[&module].clone();
        self.namespace.is_open |= brought.is_open;
        let is_public = |(name, _): &(Name, Constant)| !name.starts_with('_');
        self.namespace.values.extend(brought.values.into_iter().filter(is_public));
    }

    /// `NAME["key"]["key"]` as a variable and keys.
    fn place(&mut self, step: StepId) -> Option<(Name, Vec<(Name, Span)>)> {
        let mut keys = Vec::new();
        let mut at = step;
        loop {
            match self.kind(at) {
                StepKind::Name(name) if self.namespace.values.contains_key(name) => {
                    keys.reverse();
                    return Some((*name, keys));
                }
                StepKind::Index { of, key } => {
                    keys.push((self.key(*key)?, self.span(at)));
                    at = *of;
                }
                _ => return None,
            }
        }
    }

    fn key(&mut self, step: StepId) -> Option<Name> {
        self.value(step).text()
    }

    /// Changes what a variable holds under some keys.
    fn change(
        &mut self,
        name: Name,
        keys: &[(Name, Span)],
        change: impl FnOnce(&mut Option<Constant>),
        file: FileId,
    ) {
        let mut at: Option<Constant> = self.namespace.values.remove(&name);
        change_below(&mut at, keys, change, file);
        self.namespace.values.insert(name, at.unwrap_or(Constant::Unknown));
    }

    /// A method that changes a list or dictionary.
    fn method(&mut self, name: Name, keys: &[(Name, Span)], method: &str, arguments: &[Argument]) {
        let mut given: Vec<Constant> = arguments.iter().map(|argument| self.value(argument.value)).collect();
        let file = self.file;
        match (method, given.len()) {
            ("append" | "add", 1) | ("insert", 2) => {
                let item = given.pop().unwrap_or(Constant::Unknown);
                let add = |there: &mut Option<Constant>| match there {
                    Some(Constant::List { items, .. }) => items.push(item),
                    _ => *there = Some(Constant::List { items: vec![item], is_open: true }),
                };
                self.change(name, keys, add, file);
            }
            ("extend" | "update", 1) => {
                let more = given.pop().unwrap_or(Constant::Unknown);
                let add = |there: &mut Option<Constant>| {
                    *there = Some(added(there.take().unwrap_or(Constant::Unknown), more));
                };
                self.change(name, keys, add, file);
            }
            ("remove" | "discard", 1) => {
                let item = given.pop().unwrap_or(Constant::Unknown);
                let take = |there: &mut Option<Constant>| match there {
                    Some(Constant::List { items, .. }) if item.text().is_some() => {
                        items.retain(|known| *known != item);
                    }
                    _ => *there = Some(Constant::Unknown),
                };
                self.change(name, keys, take, file);
            }
            ("pop" | "clear" | "update" | "setdefault" | "insert" | "extend", _) => {
                self.change(name, keys, |there| *there = Some(Constant::Unknown), file);
            }
            _ => {}
        }
    }

    fn value_at(&mut self, step: StepId, depth: usize) -> Constant {
        if depth > DEEPEST {
            return Constant::Unknown;
        }
        match self.kind(step) {
            StepKind::Literal(literal) => self.literal(step, *literal),
            StepKind::Name(name) => match self.namespace.values.get(name) {
                Some(known) => known.clone(),
                None => self.elsewhere(*name),
            },
            StepKind::Import(index) => {
                let symbol = self.project.imported(self.file, *index);
                self.of_symbol(symbol)
            }
            StepKind::Attribute { .. } => match written_path(self.function, step) {
                Some(path) => self.elsewhere(path),
                None => Constant::Unknown,
            },
            StepKind::Index { of, key } => {
                let Some(key) = self.key(*key) else { return Constant::Unknown };
                self.value_at(*of, depth + 1).get(&key).cloned().unwrap_or(Constant::Unknown)
            }
            StepKind::List(items) => self.list(items, depth),
            StepKind::Dictionary(entries) => self.dictionary(entries, depth),
            StepKind::Compute(parts) => match parts[..] {
                [one] => match self.value_at(one, depth + 1) {
                    Constant::Number(number) if self.text(self.span(step)).starts_with('-') => {
                        Constant::Number(-number)
                    }
                    _ => Constant::Unknown,
                },
                [left, right] => {
                    let (one, other) = (self.value_at(left, depth + 1), self.value_at(right, depth + 1));
                    computed(one, self.sign(left, right), other)
                }
                _ => Constant::Unknown,
            },
            StepKind::Either(all) => {
                let mut values = all.iter().map(|&one| self.value_at(one, depth + 1));
                let first = values.next().unwrap_or(Constant::Unknown);
                values.fold(first, Constant::join)
            }
            StepKind::Call { callee, arguments } => self.call(*callee, arguments, depth),
            _ => Constant::Unknown,
        }
    }

    fn literal(&self, step: StepId, literal: Literal) -> Constant {
        match literal {
            Literal::None => Constant::None,
            Literal::Switch(on) => Constant::Switch(on),
            Literal::Text(text) => Constant::Text(text),
            _ => number(self.text(self.span(step))),
        }
    }

    fn list(&mut self, items: &[StepId], depth: usize) -> Constant {
        let (mut found, mut is_open) = (Vec::new(), false);
        for &item in items {
            let value = self.value_at(item, depth + 1);
            match value {
                // `[*OTHER, "more"]`
                Constant::List { items, is_open: more } if self.is_spread(item) => {
                    found.extend(items);
                    is_open |= more;
                }
                _ if self.is_spread(item) => is_open = true,
                value => found.push(value),
            }
        }
        Constant::List { items: found, is_open }
    }

    fn is_spread(&self, step: StepId) -> bool {
        let start = self.span(step).start;
        self.text(Span { start: 0, end: start }).trim_end().ends_with('*')
    }

    fn dictionary(&mut self, entries: &[(Option<StepId>, StepId)], depth: usize) -> Constant {
        let mut found = Constant::Dictionary { entries: Vec::new(), is_open: false };
        for &(key, value) in entries {
            let (span, at) = (self.span(key.unwrap_or(value)), value);
            let value = self.value_at(value, depth + 1);
            let span = Span { start: span.start, end: self.span(at).end };
            found = match key.map(|key| self.key(key)) {
                None => added(found, value),
                Some(Some(key)) => {
                    let entry = Entry { key, value, file: self.file, span };
                    added(found, Constant::Dictionary { entries: vec![entry], is_open: false })
                }
                Some(None) => added(found, Constant::Dictionary { entries: Vec::new(), is_open: true }),
            };
        }
        found
    }

    fn call(&mut self, callee: StepId, arguments: &[Argument], depth: usize) -> Constant {
        let Some(path) = written_path(self.function, callee) else { return Constant::Unknown };
        match (&*path, arguments) {
            ("list" | "tuple" | "set" | "frozenset", []) => {
                Constant::List { items: Vec::new(), is_open: false }
            }
            ("list" | "tuple" | "set" | "frozenset" | "dict", [only]) if only.kind == ArgumentKind::Plain => {
                self.value_at(only.value, depth + 1)
            }
            ("dict", all) => {
                let mut entries = Vec::new();
                for argument in all {
                    let ArgumentKind::Keyword(key) = argument.kind else { return Constant::Unknown };
                    let value = self.value_at(argument.value, depth + 1);
                    entries.push(Entry { key, value, file: self.file, span: self.span(argument.value) });
                }
                Constant::Dictionary { entries, is_open: false }
            }
            _ => Constant::Call(path),
        }
    }

    fn elsewhere(&mut self, path: Name) -> Constant {
        let symbol = self.project.resolve_path(self.file, path);
        self.of_symbol(symbol)
    }

    fn of_symbol(&mut self, symbol: Option<Symbol>) -> Constant {
        let Some(Symbol::Variable(file, name)) = symbol else { return Constant::Unknown };
        if file == self.file || self.depth >= LONGEST_CHAIN {
            return Constant::Unknown;
        }
        self.known.read(self.project, file, self.depth + 1);
        self.known.modules[&file].get(&name).cloned().unwrap_or(Constant::Unknown)
    }

    /// The sign between two operands.
    fn sign(&self, left: StepId, right: StepId) -> String {
        let (start, end) = (self.span(left).end, self.span(right).start);
        if start > end {
            return String::new();
        }
        let between = self.text(Span { start, end });
        let lines = between.lines().map(|line| line.split('#').next().unwrap_or(line));
        lines.flat_map(str::chars).filter(|c| !c.is_whitespace() && !matches!(c, '(' | ')' | '\\')).collect()
    }
}

fn number(text: &str) -> Constant {
    text.replace('_', "").parse().map_or(Constant::Unknown, Constant::Number)
}

fn computed(one: Constant, sign: String, other: Constant) -> Constant {
    match (one, &*sign, other) {
        (Constant::Number(one), "+" | "+=", Constant::Number(other)) => {
            one.checked_add(other).map_or(Constant::Unknown, Constant::Number)
        }
        (Constant::Number(one), "*", Constant::Number(other)) => {
            one.checked_mul(other).map_or(Constant::Unknown, Constant::Number)
        }
        (Constant::Text(one), "+" | "+=", Constant::Text(other)) => {
            Constant::Text(Name::new(&format!("{one}{other}")))
        }
        (one, "+" | "+=" | "|" | "|=", other) => added(one, other),
        _ => Constant::Unknown,
    }
}

/// One list with another behind it, or one dictionary with another over it.
fn added(one: Constant, other: Constant) -> Constant {
    match (one, other) {
        (Constant::List { mut items, is_open }, Constant::List { items: more, is_open: other_is_open }) => {
            items.extend(more);
            Constant::List { items, is_open: is_open || other_is_open }
        }
        (Constant::List { items, .. }, _) | (_, Constant::List { items, .. }) => {
            Constant::List { items, is_open: true }
        }
        (
            Constant::Dictionary { mut entries, is_open },
            Constant::Dictionary { entries: more, is_open: other_is_open },
        ) => {
            for entry in more {
                entries.retain(|known| known.key != entry.key);
                entries.push(entry);
            }
            Constant::Dictionary { entries, is_open: is_open || other_is_open }
        }
        // What is spread over the entries may have replaced them.
        (Constant::Dictionary { .. }, _) => Constant::Dictionary { entries: Vec::new(), is_open: true },
        _ => Constant::Unknown,
    }
}

/// Something was stored under a key that is not known.
fn opened(there: &mut Option<Constant>) {
    *there = Some(match there.take() {
        Some(Constant::Dictionary { entries, .. }) => Constant::Dictionary { entries, is_open: true },
        Some(Constant::List { items, .. }) => Constant::List { items, is_open: true },
        _ => Constant::Unknown,
    });
}

fn change_below(
    at: &mut Option<Constant>,
    keys: &[(Name, Span)],
    change: impl FnOnce(&mut Option<Constant>),
    file: FileId,
) {
    let Some((&(key, span), deeper)) = keys.split_first() else { return change(at) };
    let mut found = match at.take() {
        Some(Constant::Dictionary { entries, is_open }) => (entries, is_open),
        _ => (Vec::new(), true),
    };
    let entries = &mut found.0;
    let place = entries.iter().position(|entry| entry.key == key);
    let mut inner = place.map(|place| entries.remove(place).value);
    change_below(&mut inner, deeper, change, file);
    entries.push(Entry { key, value: inner.unwrap_or(Constant::Unknown), file, span });
    *at = Some(Constant::Dictionary { entries: found.0, is_open: found.1 });
}
