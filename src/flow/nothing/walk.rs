//! flow/nothing/walk: goes over one function and keeps, for each name and path, whether it may be `None` there.

use std::cell::OnceCell;

use rustc_hash::FxHashMap;

use crate::facts::{
    ArgumentKind, BlockId, Comparison, Function, Literal, Next, ParamKind, RegionKind, StepId, StepKind, Term,
};
use crate::name::Name;
use crate::project::{ClassId, FunctionId, Project, Symbol};

use super::super::Flow;
use super::super::cow::Shared;
use super::super::handing::handed;
use super::super::object::decorated;
use super::fact::{Fact, State, be_sure, forget};
use super::{Look, Origin, Shape, Unguarded, fact, producer};

/// How often a block may be gone over.
const MOST_VISITS: u32 = 12;

/// How deep expressions are looked into.
const DEEPEST: usize = 24;

/// What one function answers, compares of its parameters, and compares itself.
pub(super) fn look(
    project: &Project,
    flow: &Flow,
    known: &FxHashMap<FunctionId, Look>,
    id: FunctionId,
) -> Look {
    let function = project.function(id);
    let mut walk = Walk {
        project,
        flow,
        known,
        id,
        function,
        look: Look::default(),
        is_telling: Telling::No,
        has_told: false,
        paths: vec![OnceCell::new(); function.steps.len()],
    };
    let states = walk.settle();
    walk.is_telling = Telling::Yes;
    for (block, state) in states.into_iter().enumerate() {
        if let Some(state) = state {
            walk.block(block as BlockId, state);
        }
    }
    let is_nothing =
        |step: StepId| matches!(function.steps[step as usize].kind, StepKind::Literal(Literal::None));
    let answers = function
        .steps
        .iter()
        .any(|step| matches!(step.kind, StepKind::Return(Some(value)) if !is_nothing(value)));
    if !answers || function.is_generator {
        walk.look.returns = Shape::default();
    }
    walk.look
}

/// Whether a pass tells what it sees; the passes before only learn.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Telling {
    Yes,
    No,
}

struct Walk<'p> {
    project: &'p Project,
    flow: &'p Flow,
    known: &'p FxHashMap<FunctionId, Look>,
    id: FunctionId,
    function: &'p Function,
    look: Look,
    is_telling: Telling,
    /// Whether anything was seen of which something else tells; it is seldom, and to look for it takes long.
    has_told: bool,
    /// By step: the path that it reads, once somebody has asked for it.
    paths: Vec<OnceCell<Option<Name>>>,
}

impl Walk<'_> {
    fn settle(&mut self) -> Vec<Option<State>> {
        let function = self.function;
        let mut states: Vec<Option<State>> = vec![None; function.blocks.len()];
        let mut visits = vec![0; function.blocks.len()];
        if function.blocks.is_empty() {
            return states;
        }
        let given = function.params.iter().skip(usize::from(function.class.is_some()));
        let plain = given.filter(|param| matches!(param.kind, ParamKind::Plain | ParamKind::KeywordOnly));
        states[0] = Some(Shared::new(plain.map(|param| (param.name, Fact::Given)).collect()));
        let mut waiting: Vec<BlockId> = vec![0];
        while let Some(block) = waiting.pop() {
            visits[block as usize] += 1;
            let Some(state) = states[block as usize].clone() else { continue };
            if visits[block as usize] > MOST_VISITS {
                continue;
            }
            for (target, state) in self.block(block, state) {
                let joined = match &states[target as usize] {
                    Some(known) => fact::join(known, &state),
                    None => state,
                };
                if states[target as usize].as_ref() != Some(&joined) {
                    states[target as usize] = Some(joined);
                    waiting.push(target);
                }
            }
        }
        states
    }

    fn block(&mut self, id: BlockId, mut state: State) -> Vec<(BlockId, State)> {
        let function = self.function;
        let block = &function.blocks[id as usize];
        let mut out = Vec::new();
        let landings = self.landings(id);
        out.extend(landings.iter().map(|&landing| (landing, state.clone())));
        for step in block.start..block.end {
            self.step(&mut state, step);
        }
        out.extend(landings.into_iter().map(|landing| (landing, state.clone())));
        match &block.next {
            Next::Goto(next) => out.push((*next, state)),
            Next::Branch { test, yes, no } => {
                let mut untrue = state.clone();
                self.assume(&mut state, *test, Truth::Yes, 0);
                self.assume(&mut untrue, *test, Truth::No, 0);
                out.push((*yes, state));
                out.push((*no, untrue));
            }
            Next::Any(all) => out.extend(all.iter().map(|&next| (next, state.clone()))),
            Next::Resume { swallowed: Some((_, after)) } => out.push((*after, state)),
            Next::Leave | Next::Throw | Next::Resume { swallowed: None } => {}
        }
        out
    }

    /// Where an exception of a block may land.
    fn landings(&self, block: BlockId) -> Vec<BlockId> {
        let mut found = Vec::new();
        let mut at = self.function.blocks[block as usize].region;
        while let Some(region) = at {
            let region = &self.function.regions[region as usize];
            found.extend(&region.lands);
            at = if region.passes { region.parent } else { None };
        }
        found
    }

    fn step(&mut self, state: &mut State, step: StepId) {
        let function = self.function;
        match &function.steps[step as usize].kind {
            StepKind::Bind { name, value, .. } => self.bind(state, *name, *value),
            StepKind::Store { of, name, value } => {
                if let Some(of) = self.path(*of) {
                    self.bind(state, Name::new(&format!("{of}.{name}")), *value);
                }
            }
            StepKind::StoreIndex { of, key, value } => {
                if let (Some(of), Some(key)) = (self.path(*of), self.key(*key)) {
                    self.bind(state, Name::new(&format!("{of}{key}")), *value);
                }
            }
            StepKind::Unbind(name) => forget(state, *name),
            StepKind::Compare { comparison: Comparison::Order, left, right, .. } => {
                for operand in [*left, *right] {
                    self.compare(state, step, operand);
                    // Had it been `None`, nobody would come by here.
                    if let Some(path) = self.path(operand) {
                        be_sure(state, path);
                    }
                }
            }
            StepKind::Call { arguments, .. } if self.is_telling == Telling::Yes => {
                self.hand_over(state, step, arguments);
            }
            StepKind::Assert(test) => self.assume(state, *test, Truth::Yes, 0),
            StepKind::Return(Some(value)) if self.is_telling == Telling::Yes => {
                let shape = self.shape(state, *value, 0);
                self.look.returns.join(shape);
            }
            _ => {}
        }
    }

    fn bind(&mut self, state: &mut State, path: Name, value: StepId) {
        let shape = self.shape(state, value, 0);
        let is_sure = self.is_sure(state, value);
        let together = self.call_behind(value);
        forget(state, path);
        self.has_told |= shape.whole.iter().chain(shape.inner.values()).any(|origin| origin.is_told);
        if let Some(origin) = shape.whole {
            state.insert(path, Fact::May(origin, together));
        } else if is_sure {
            state.insert(path, Fact::Sure);
        }
        for (key, origin) in shape.inner {
            state.insert(Name::new(&format!("{path}{key}")), Fact::May(origin, together));
        }
    }

    /// The call whose answer a value is, or is a part of.
    fn call_behind(&self, mut step: StepId) -> Option<StepId> {
        loop {
            step = match self.function.steps[step as usize].kind {
                StepKind::Call { .. } => return Some(step),
                StepKind::Await(of) | StepKind::Part { of, .. } => of,
                StepKind::Attribute { of, .. } | StepKind::Index { of, .. } => of,
                StepKind::Name(name) => {
                    return self.function.bound_once(name).and_then(|value| match value < step {
                        true => self.call_behind(value),
                        false => None,
                    });
                }
                _ => return None,
            };
        }
    }

    /// A value is compared for order.
    fn compare(&mut self, state: &State, step: StepId, operand: StepId) {
        if self.is_telling == Telling::No || self.is_expected(step) {
            return;
        }
        let path = self.path(operand);
        if path.is_some_and(|path| self.is_tested_beside(step, path)) {
            return;
        }
        let origin = match path {
            Some(path) => match state.get(&path) {
                Some(Fact::May(origin, _)) => Some(*origin),
                Some(Fact::Sure) => None,
                Some(Fact::Given) | None => {
                    if let Some((number, behind)) = self.parameter(state, path) {
                        self.look.compares.entry((number, behind)).or_insert((self.id, step));
                    }
                    None
                }
            },
            None => self.shape(state, operand, 0).whole,
        };
        if let Some(origin) = origin.filter(|origin| origin.is_produced) {
            self.look.found.entry(step).or_insert(Unguarded { value: operand, origin, within: None });
        }
    }

    /// A callee is handed what it compares.
    fn hand_over(&mut self, state: &State, step: StepId, arguments: &[crate::facts::Argument]) {
        let Some(outcome) = self.flow.outcomes.get(self.id) else { return };
        if self.is_expected(step) {
            return;
        }
        let callees = outcome.called.range((step, FunctionId::FIRST)..).take_while(|(at, _)| *at == step);
        for &(_, callee) in callees {
            let Some(look) = self.known.get(&callee).filter(|look| !look.compares.is_empty()) else {
                continue;
            };
            for (number, argument) in handed(self.project.function(callee), arguments) {
                let of_number = look.compares.iter().filter(|((at, _), _)| *at == number);
                for ((_, behind), &within) in of_number {
                    self.hand(state, step, argument.value, *behind, within);
                }
            }
        }
    }

    fn hand(
        &mut self,
        state: &State,
        step: StepId,
        value: StepId,
        behind: Name,
        within: (FunctionId, StepId),
    ) {
        let path = self.path(value).map(|path| Name::new(&format!("{path}{behind}")));
        if path.is_some_and(|path| self.is_tested_beside(step, path)) {
            return;
        }
        let fact = path.and_then(|path| state.get(&path));
        let origin = match fact {
            Some(Fact::May(origin, _)) => Some(*origin),
            Some(Fact::Sure) => None,
            Some(Fact::Given) | None => {
                if let Some((number, behind)) = path.and_then(|path| self.parameter(state, path)) {
                    self.look.compares.entry((number, behind)).or_insert(within);
                }
                let shape = self.shape(state, value, 0);
                if behind.is_empty() { shape.whole } else { shape.inner.get(&behind).copied() }
            }
        };
        if let Some(origin) = origin.filter(|origin| origin.is_produced) {
            self.look.found.entry(step).or_insert(Unguarded { value, origin, within: Some(within) });
        }
    }

    /// The parameter that a path begins with, as it came, and what comes behind.
    fn parameter(&self, state: &State, path: Name) -> Option<(usize, Name)> {
        let root = path.split(['.', '[']).next()?;
        let root_name = Name::new(root);
        if state.get(&root_name) != Some(&Fact::Given) {
            return None;
        }
        let number = self.function.params.iter().position(|param| param.name == root_name)?;
        Some((number, Name::new(&path[root.len()..])))
    }

    /// Whether the `TypeError` of a comparison is caught.
    fn is_expected(&self, step: StepId) -> bool {
        let function = self.function;
        let block = function.blocks.iter().find(|block| (block.start..block.end).contains(&step));
        let mut at = block.and_then(|block| block.region);
        while let Some(region) = at {
            let region = &function.regions[region as usize];
            if let RegionKind::Try { first, end } = region.kind {
                let handlers = &function.handlers[first as usize..end as usize];
                let takes_it = |step: &StepId| {
                    matches!(function.steps[*step as usize].kind, StepKind::Name(name)
                        if matches!(&*name, "TypeError" | "Exception" | "BaseException"))
                };
                if handlers
                    .iter()
                    .any(|handler| handler.catches.is_empty() || handler.catches.iter().any(takes_it))
                {
                    return true;
                }
            }
            at = region.parent;
        }
        false
    }

    /// Whether the expression around a step looks at a path somewhere else: `x is not None and x < 3`.
    fn is_tested_beside(&self, step: StepId, path: Name) -> bool {
        let steps = &self.function.steps;
        let own = steps[step as usize].span;
        let around =
            steps.iter().filter(|one| matches!(one.kind, StepKind::Either(_)) && one.span.contains(own));
        for either in around {
            let beside =
                (0..).zip(steps).filter(|(_, one)| either.span.contains(one.span) && !own.contains(one.span));
            for (other, one) in beside {
                let reads = matches!(
                    one.kind,
                    StepKind::Name(_) | StepKind::Attribute { .. } | StepKind::Index { .. }
                );
                if reads && self.path(other) == Some(path) {
                    return true;
                }
            }
        }
        false
    }

    /// The dotted path that a step reads, with known keys.
    fn path(&self, step: StepId) -> Option<Name> {
        *self.paths[step as usize].get_or_init(|| self.spelled(step))
    }

    fn spelled(&self, step: StepId) -> Option<Name> {
        let mut behind: Vec<String> = Vec::new();
        let mut at = step;
        loop {
            match self.function.steps[at as usize].kind {
                StepKind::Name(name) => {
                    if behind.is_empty() {
                        return Some(name);
                    }
                    let all: String = behind.into_iter().rev().collect();
                    return Some(Name::new(&format!("{name}{all}")));
                }
                StepKind::Attribute { of, name } => {
                    behind.push(format!(".{name}"));
                    at = of;
                }
                StepKind::Index { of, key } => {
                    behind.push(self.key(key)?);
                    at = of;
                }
                _ => return None,
            }
        }
    }

    fn key(&self, step: StepId) -> Option<String> {
        match self.function.steps[step as usize].kind {
            StepKind::Literal(Literal::Text(text)) => Some(format!("[{text}]")),
            StepKind::Literal(Literal::Other) => {
                let text = self.text(step);
                text.bytes().all(|byte| byte.is_ascii_digit()).then(|| format!("[{text}]"))
            }
            _ => None,
        }
    }

    fn text(&self, step: StepId) -> &str {
        self.project.file(self.id.file).source.slice(self.function.steps[step as usize].span)
    }

    /// What may be `None` of a value.
    fn shape(&self, state: &State, step: StepId, depth: usize) -> Shape {
        if depth > DEEPEST {
            return Shape::default();
        }
        let inner = |step: StepId| self.shape(state, step, depth + 1);
        let origin = Origin { function: self.id, step, is_produced: false, is_told: false };
        match &self.function.steps[step as usize].kind {
            StepKind::Literal(Literal::None) => Shape::of(Some(origin)),
            StepKind::Name(_) | StepKind::Attribute { .. } | StepKind::Index { .. } => {
                self.read(state, step, depth)
            }
            StepKind::Await(of) => inner(*of),
            StepKind::Part { of, index: Some(index) } => {
                Shape::of(inner(*of).inner.get(&Name::new(&format!("[{index}]"))).copied())
            }
            StepKind::List(items) => {
                let keyed = items.iter().enumerate().map(|(at, item)| (Name::new(&format!("[{at}]")), *item));
                self.composed(state, keyed.collect(), depth)
            }
            StepKind::Dictionary(entries) => {
                let keyed =
                    entries.iter().filter_map(|(key, value)| Some((Name::new(&self.key((*key)?)?), *value)));
                self.composed(state, keyed.collect(), depth)
            }
            StepKind::Either(parts) => self.either(state, parts, depth),
            StepKind::Call { callee, arguments } => {
                let mut shape = self.called(state, step, *callee, arguments, depth);
                let Some(outcome) = self.flow.outcomes.get(self.id) else { return shape };
                for (_, callee) in
                    outcome.called.range((step, FunctionId::FIRST)..).take_while(|(at, _)| *at == step)
                {
                    if let Some(look) = self.known.get(callee)
                        && &*self.project.function(*callee).name != "__init__"
                    {
                        shape.join(look.returns.produced());
                    }
                }
                shape
            }
            _ => Shape::default(),
        }
    }

    fn read(&self, state: &State, step: StepId, depth: usize) -> Shape {
        let Some(path) = self.path(step) else {
            // `answer().field`
            let (of, key) = match self.function.steps[step as usize].kind {
                StepKind::Attribute { of, name } => (of, format!(".{name}")),
                StepKind::Index { of, key } => match self.key(key) {
                    Some(key) => (of, key),
                    None => return Shape::default(),
                },
                _ => return Shape::default(),
            };
            return Shape::of(self.shape(state, of, depth + 1).inner.get(&Name::new(&key)).copied());
        };
        let whole = match state.get(&path) {
            Some(Fact::May(origin, _)) => Some(*origin),
            _ => None,
        };
        let mut shape = Shape::of(whole);
        for (other, fact) in state {
            if let (Some(behind), Fact::May(origin, _)) = (other.strip_prefix(&*path), fact)
                && behind.starts_with(['.', '['])
            {
                shape.inner.insert(Name::new(behind), *origin);
            }
        }
        shape
    }

    /// Values that are put together, by how they are got out again.
    fn composed(&self, state: &State, parts: Vec<(Name, StepId)>, depth: usize) -> Shape {
        let is_fixed = |step: StepId| {
            matches!(
                self.function.steps[step as usize].kind,
                StepKind::Literal(Literal::Other | Literal::Switch(false))
            )
        };
        let mut shape = Shape::default();
        for (key, value) in &parts {
            if let Some(origin) = self.shape(state, *value, depth + 1).whole {
                let is_told = parts.iter().any(|(other, value)| other != key && is_fixed(*value));
                shape.inner.insert(*key, Origin { is_told: origin.is_told || is_told, ..origin });
            }
        }
        shape
    }

    fn either(&self, state: &State, parts: &[StepId], depth: usize) -> Shape {
        let &[first, second] = parts else { return Shape::default() };
        let end = self.function.steps[first as usize].span.end;
        let start = self.function.steps[second as usize].span.start;
        let source = &self.project.file(self.id.file).source;
        let between =
            if end <= start { source.slice(crate::source::Span { start: end, end: start }) } else { "" };
        let says =
            |word: &str| between.split(|c: char| !c.is_alphanumeric() && c != '_').any(|part| part == word);
        if says("if") {
            // `x if x is not None else 0`: what the condition looks at is looked after.
            let mut shape = Shape::default();
            for part in parts {
                if !self.path(*part).is_some_and(|path| between.contains(&*path)) {
                    shape.join(self.shape(state, *part, depth + 1));
                }
            }
            shape
        } else if says("or") {
            self.shape(state, second, depth + 1)
        } else {
            // `x and x.y` answers `x` where that is false.
            Shape::of(self.shape(state, second, depth + 1).whole)
        }
    }

    fn called(
        &self,
        state: &State,
        step: StepId,
        callee: StepId,
        arguments: &[crate::facts::Argument],
        depth: usize,
    ) -> Shape {
        let (project, function) = (self.project, self.function);
        let origin = Origin { function: self.id, step, is_produced: true, is_told: false };
        if let StepKind::Attribute { of, name } = function.steps[callee as usize].kind {
            match &*name {
                "aggregate" | "aaggregate" => {
                    let named = producer::aggregates(project, self.id, arguments);
                    let keyed = named.into_iter().map(|name| (Name::new(&format!("[{name}]")), origin));
                    return Shape { whole: None, inner: keyed.collect() };
                }
                "scalar" | "scalar_one" | "scalar_one_or_none" => {
                    let is_empty = producer::is_scalar_aggregate(project, self.id, step);
                    return Shape::of(is_empty.then_some(origin));
                }
                // The key is there, so that a default does not help.
                "get" => {
                    let key = arguments.first().and_then(|argument| self.key(argument.value));
                    let Some(key) = key else { return Shape::default() };
                    let inner = match self.path(of) {
                        Some(path) => match state.get(&Name::new(&format!("{path}{key}"))) {
                            Some(Fact::May(origin, _)) => Some(*origin),
                            _ => None,
                        },
                        None => self.shape(state, of, depth + 1).inner.get(&Name::new(&key)).copied(),
                    };
                    return Shape::of(inner);
                }
                _ => {}
            }
        }
        match project.symbol_of(self.id, callee) {
            Some(Symbol::Class(class)) => self.constructed(state, class, arguments, depth),
            _ => Shape::default(),
        }
    }

    /// An object whose fields are what it is made with.
    fn constructed(
        &self,
        state: &State,
        class: ClassId,
        arguments: &[crate::facts::Argument],
        depth: usize,
    ) -> Shape {
        let project = self.project;
        if project.method(class, Name::new("__init__")).is_some() || project.model(class).is_some() {
            return Shape::default();
        }
        let line: Vec<ClassId> = project.hierarchy(class).classes().collect();
        let is_variable = |annotation: &Term| matches!(annotation, Term::Generic { base, .. } if matches!(&**base, Term::Path(path) if path.last() == "ClassVar"));
        let mut fields: Vec<Name> = Vec::new();
        for class in line.iter().rev() {
            for field in &project.class(*class).fields {
                if field.annotation.as_ref().is_some_and(|annotation| !is_variable(annotation))
                    && !fields.contains(&field.name)
                {
                    fields.push(field.name);
                }
            }
        }
        let is_data = line.iter().any(|class| decorated(&project.class(*class).decorators, "dataclass"));
        let is_tuple = project.hierarchy(class).externals().any(|path| path.last() == "NamedTuple");
        let mut parts: Vec<(Name, StepId)> = Vec::new();
        for (at, argument) in arguments.iter().enumerate() {
            match argument.kind {
                ArgumentKind::Plain if is_data || is_tuple => {
                    if let Some(field) = fields.get(at) {
                        parts.push((Name::new(&format!(".{field}")), argument.value));
                    }
                    if is_tuple {
                        parts.push((Name::new(&format!("[{at}]")), argument.value));
                    }
                }
                ArgumentKind::Keyword(name) if fields.contains(&name) => {
                    parts.push((Name::new(&format!(".{name}")), argument.value));
                }
                _ => {}
            }
        }
        self.composed(state, parts, depth)
    }

    /// Whether a value is not `None` for certain.
    fn is_sure(&self, state: &State, step: StepId) -> bool {
        match &self.function.steps[step as usize].kind {
            StepKind::Literal(literal) => *literal != Literal::None,
            StepKind::Compute(_)
            | StepKind::Format(_)
            | StepKind::List(_)
            | StepKind::Dictionary(_)
            | StepKind::Compare { .. }
            | StepKind::Not(_)
            | StepKind::Gather(_) => true,
            StepKind::Name(_) | StepKind::Attribute { .. } | StepKind::Index { .. } => {
                self.path(step).is_some_and(|path| state.get(&path) == Some(&Fact::Sure))
            }
            StepKind::Call { callee, .. } => {
                matches!(self.function.steps[*callee as usize].kind, StepKind::Name(name)
                    if matches!(&*name, "int" | "float" | "len" | "round" | "abs" | "str" | "sum" | "bool" | "Decimal"))
            }
            _ => false,
        }
    }

    /// What a test says where it is true, or where it is not.
    fn assume(&self, state: &mut State, test: StepId, truth: Truth, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        self.forget_told(state, test);
        match &self.function.steps[test as usize].kind {
            StepKind::Name(_) | StepKind::Attribute { .. } | StepKind::Index { .. } => {
                let Some(path) = self.path(test) else { return };
                if truth != Truth::No {
                    be_sure(state, path);
                }
                // `has_value = value is not None` and `if has_value:`
                if let StepKind::Name(name) = self.function.steps[test as usize].kind
                    && let Some(value) = self.function.bound_once(name)
                    && value < test
                    && !matches!(self.function.steps[value as usize].kind, StepKind::Name(_))
                {
                    self.assume(state, value, truth, depth + 1);
                }
            }
            StepKind::Not(inner) => self.assume(state, *inner, truth.other(), depth + 1),
            StepKind::Compare { comparison, negated, left, right } => {
                let is_none = |step: StepId| {
                    matches!(self.function.steps[step as usize].kind, StepKind::Literal(Literal::None))
                };
                let (path, other) = match (is_none(*left), is_none(*right)) {
                    (false, true) => (self.path(*left), true),
                    (true, false) => (self.path(*right), true),
                    _ => (self.path(*left), false),
                };
                let Some(path) = path else { return };
                // What holds for one of both says something where nobody knows which it is.
                let holds =
                    |wanted: bool| truth == Truth::Whichever || ((truth == Truth::Yes) != *negated) == wanted;
                match comparison {
                    Comparison::Is | Comparison::Equal if other => {
                        if holds(false) {
                            be_sure(state, path);
                        }
                    }
                    Comparison::Is | Comparison::Equal | Comparison::In => {
                        if holds(true) {
                            be_sure(state, path);
                        }
                    }
                    Comparison::Order => be_sure(state, path),
                }
            }
            // What looks at the value in a way of its own knows what it does.
            StepKind::Call { arguments, .. } => {
                for argument in arguments {
                    if let Some(path) = self.path(argument.value) {
                        be_sure(state, path);
                    }
                }
            }
            StepKind::Either(parts) => {
                parts.iter().for_each(|part| self.assume(state, *part, Truth::Whichever, depth + 1));
            }
            _ => {}
        }
    }

    /// A test of what came together with a value tells of the value, too: `(None, 0)`.
    fn forget_told(&self, state: &mut State, test: StepId) {
        let is_told = |fact: &Fact| matches!(fact, Fact::May(origin, Some(_)) if origin.is_told);
        if !self.has_told || !state.values().any(is_told) {
            return;
        }
        let mut waiting = vec![test];
        let mut turns = 0;
        while let Some(step) = waiting.pop() {
            turns += 1;
            if turns > 64 {
                return;
            }
            match &self.function.steps[step as usize].kind {
                StepKind::Name(name) => {
                    if let Some(value) = self.function.bound_once(*name).filter(|value| *value < step) {
                        if let Some(call) = self.call_behind(value) {
                            state.retain(|_, fact| !matches!(fact, Fact::May(origin, Some(of)) if origin.is_told && *of == call));
                        } else {
                            waiting.push(value);
                        }
                    }
                }
                StepKind::Attribute { of, .. }
                | StepKind::Index { of, .. }
                | StepKind::Not(of)
                | StepKind::Await(of) => waiting.push(*of),
                StepKind::Compare { left, right, .. } => waiting.extend([*left, *right]),
                StepKind::Compute(all) | StepKind::Either(all) => waiting.extend(all),
                StepKind::Call { arguments, .. } => {
                    waiting.extend(arguments.iter().map(|argument| argument.value))
                }
                _ => {}
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Truth {
    Yes,
    No,
    /// One of both, and nobody knows which: what either of them says.
    Whichever,
}

impl Truth {
    fn other(self) -> Truth {
        match self {
            Truth::Yes => Truth::No,
            Truth::No => Truth::Yes,
            Truth::Whichever => Truth::Whichever,
        }
    }
}
