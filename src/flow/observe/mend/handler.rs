//! flow/observe/mend/handler: what mends a `try`: what its handlers do first, where its statements stand, what is kept before.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{BlockId, Function, HandlerId, RegionId, StepId, StepKind, Term};
use crate::name::Name;
use crate::project::{FunctionId, Lookup, Symbol, written_path};
use crate::remedy::{Act, Binding, Deed, Remedy};
use crate::source::Span;

use super::super::super::clause::Unreachable;
use super::super::super::library;
use super::super::super::life::Loss;
use super::super::super::outcome::ExpiredRead;
use super::super::Observer;

/// A session as the code writes it.
#[derive(Debug)]
pub(in super::super) struct Tried {
    /// The expression.
    pub(in super::super) text: String,
    /// What its coroutines are called with: `await `, or nothing.
    pub(in super::super) wait: &'static str,
}

impl Observer<'_> {
    /// The one session that the body of a `try` works with, where it is certain how the code writes and waits for it.
    pub(in super::super) fn tried_session(&self, id: FunctionId, number: HandlerId) -> Option<Tried> {
        let function = self.project.function(id);
        let body = function.handlers[number as usize].body_span;
        let read = |(at, step): (usize, &crate::facts::Step)| {
            let path = written_path(function, at as StepId)?;
            let root = path.split('.').next().unwrap_or(&path);
            let is_session = library::names_session(path.last()) && !library::names_request(root);
            (is_session && body.contains(step.span)).then_some(path)
        };
        let steps = || function.steps.iter().enumerate();
        let reads: BTreeSet<Name> = steps().filter_map(read).collect();
        // `db.session` reads `db`, too.
        let is_owner = |path: &Name| {
            reads.iter().any(|other| other.strip_prefix(&**path).is_some_and(|rest| rest.starts_with('.')))
        };
        let mut texts = reads.iter().filter(|path| !is_owner(path));
        let &text = texts.next().filter(|_| texts.next().is_none())?;
        // What is bound in the body may not be bound when it fails.
        let root = Name::new(text.split('.').next().unwrap_or(&text));
        let is_bound_within = function.steps.iter().any(|step| {
            matches!(step.kind, StepKind::Bind { name, .. } if name == root) && body.contains(step.span)
        });
        if is_bound_within {
            return None;
        }
        let calls = steps().filter_map(|(at, step)| match step.kind {
            StepKind::Attribute { of, name } if library::is_coroutine(&name) => {
                (written_path(function, of) == Some(text)).then_some(at as StepId)
            }
            _ => None,
        });
        let mut waits: BTreeSet<bool> = calls.filter_map(|at| is_awaited(function, at)).collect();
        let annotation = function.params.iter().find(|param| param.name == text);
        match annotation.and_then(|param| param.annotation.as_ref()) {
            Some(Term::Path(path)) if path.last() == "AsyncSession" => drop(waits.insert(true)),
            Some(Term::Path(path)) if path.last() == "Session" => drop(waits.insert(false)),
            _ => {}
        }
        let wait = match (waits.contains(&true), waits.contains(&false)) {
            (true, false) => "await ",
            (false, true) => "",
            (false, false) if !function.is_async => "",
            _ => return None,
        };
        Some(Tried { text: text.to_string(), wait })
    }

    /// Rolls a session back before all else that a handler does. In a loop that does not commit in between, that would take
    /// the earlier rounds along.
    pub(in super::super) fn rolled_back(
        &self,
        id: FunctionId,
        number: HandlerId,
        session: &Tried,
    ) -> Option<Remedy> {
        let function = self.project.function(id);
        let handler = &function.handlers[number as usize];
        let commits = function.steps.iter().any(|step| {
            handler.body_span.contains(step.span)
                && matches!(step.kind, StepKind::Attribute { name, .. } if &*name == "commit")
        });
        if !commits && comes_again(function, handler.body) {
            return None;
        }
        let code = format!("{}{}.rollback()", session.wait, session.text);
        Some(self.first_in_handler("rollback", id, number, code))
    }

    /// Logs the error before all else that a handler does, where the module has a logger.
    pub(in super::super) fn logged(&self, id: FunctionId, number: HandlerId) -> Option<Remedy> {
        let function = self.project.function(id);
        let logger = self.logger(id)?;
        let words = function.name.trim_matches('_').replace('_', " ");
        if words.is_empty() || !words.chars().all(|c| c.is_alphanumeric() || c == ' ') {
            return None;
        }
        let quote = self.quote(id);
        let code = format!("{logger}.exception({quote}{words} failed{quote})");
        Some(self.first_in_handler("log-exception", id, number, code))
    }

    fn first_in_handler(
        &self,
        word: &'static str,
        id: FunctionId,
        number: HandlerId,
        code: String,
    ) -> Remedy {
        let function = self.project.function(id);
        let title = format!("Begin the handler in `{}` with `{code}`", function.name);
        let start = function.handlers[number as usize].head.start;
        let deed = Deed::First { head: Span { start, end: start }, code };
        Remedy::new(word, title, vec![Observer::act(id, deed)])
    }

    /// The logger of a module, by its name.
    fn logger(&self, id: FunctionId) -> Option<Name> {
        let module = self.project.function(FunctionId { file: id.file, index: 0 });
        let is_logger = |name: Name, value: StepId| match module.steps[value as usize].kind {
            StepKind::Call { callee, .. } => written_path(module, callee)
                .is_some_and(|path| matches!(path.last(), "getLogger" | "get_logger" | "get_task_logger")),
            // What is imported is a logger by its name, unless it is what makes one.
            StepKind::Import(_) => {
                let is_value = match self.project.global(id.file, name) {
                    Some(Symbol::Variable(..)) => true,
                    Some(Symbol::External(path)) => !path.last().starts_with("get"),
                    _ => false,
                };
                is_value && library::names_logger(&name) && &*name != "logging"
            }
            _ => false,
        };
        let mut found = module.steps.iter().filter_map(|step| match step.kind {
            StepKind::Bind { name, value, .. } => is_logger(name, value).then_some(name),
            _ => None,
        });
        found.find(|&name| matches!(self.project.lookup(id, name), Lookup::Global(_)))
    }

    /// Flushes last in the body of a `try`.
    pub(in super::super) fn flushed(&self, id: FunctionId, number: HandlerId, session: &Tried) -> Remedy {
        let function = self.project.function(id);
        let code = format!("{}{}.flush()", session.wait, session.text);
        let title = format!("End the `try` in `{}` with `{code}`", function.name);
        let deed = Deed::Last { block: function.handlers[number as usize].body_span, code };
        Remedy::new("flush", title, vec![Observer::act(id, deed)])
    }

    /// Puts the body of a `try` into a savepoint.
    pub(in super::super) fn with_savepoint(
        &self,
        id: FunctionId,
        number: HandlerId,
        head: &str,
        of_django: bool,
    ) -> Option<Remedy> {
        let function = self.project.function(id);
        let span = function.handlers[number as usize].body_span;
        // A savepoint ends with the transaction that it is in.
        let ends = function.steps.iter().any(|step| {
            span.contains(step.span)
                && matches!(step.kind, StepKind::Attribute { name, .. }
                    if matches!(&*name, "commit" | "rollback" | "close" | "begin"))
        });
        if ends || of_django && function.is_async {
            return None;
        }
        let mut acts = match of_django {
            true => self.bound_as(id, &Binding::item("django.db", "transaction"))?,
            false => Vec::new(),
        };
        acts.push(Observer::act(id, Deed::Around { span, head: format!("{head}:") }));
        let title = format!("Put what is tried in `{}` into `{head}`", function.name);
        Some(Remedy::new("savepoint", title, acts))
    }

    /// Puts a clause before the one that takes its errors, and imports what it names where nothing does.
    pub(in super::super) fn clause_first(
        &self,
        id: FunctionId,
        number: HandlerId,
        why: Unreachable,
    ) -> Option<Remedy> {
        let Unreachable::Behind(earlier) = why else { return None };
        let function = self.project.function(id);
        let handler = &function.handlers[number as usize];
        let [caught] = handler.catches[..] else { return None };
        let StepKind::Name(name) = function.steps[caught as usize].kind else { return None };
        let mut acts: Vec<Act> = Vec::new();
        if self.project.lookup(id, name) == Lookup::Nowhere {
            acts.push(Observer::act(id, Deed::Bind(self.exception_binding(name)?)));
        }
        let before = function.handlers[earlier as usize].span;
        acts.push(Observer::act(id, Deed::Move { span: handler.span, before }));
        let title = format!("Put `except {name}` before the clause that takes its errors");
        Some(Remedy::new("clause-order", title, acts))
    }

    /// Keeps the value of a column in a local before the `try`, and reads that in the handler.
    pub(in super::super) fn hoisted(
        &self,
        id: FunctionId,
        step: StepId,
        read: &ExpiredRead,
    ) -> Option<Remedy> {
        let function = self.project.function(id);
        let StepKind::Attribute { of, name } = function.steps[step as usize].kind else { return None };
        let StepKind::Name(row) = function.steps[of as usize].kind else { return None };
        let is_column = self.project.model(read.model)?.columns.contains_key(&name);
        if read.within.is_some() || read.loss != Loss::Raises || name != read.name || !is_column {
            return None;
        }
        let at = self.span(id, step);
        let around = function.handlers.iter().filter(|handler| handler.span.contains(at));
        let handler = around.min_by_key(|handler| handler.span.end - handler.span.start)?;
        // The row must be there before the `try`, on every way, and nobody may doubt it later.
        let tried = handler.body_span.start;
        let binds = || {
            let steps = (0..).zip(&function.steps);
            steps.filter(|(_, step)| matches!(step.kind, StepKind::Bind { name, .. } if name == row))
        };
        let is_param = function.params.iter().any(|param| param.name == row);
        let is_before = binds().all(|(_, step)| step.span.end <= tried);
        let is_there =
            is_param || is_bound_on_every_way(function, &binds().map(|(at, _)| at).collect(), handler.body);
        if !is_before
            || !is_there
            || self.is_doubted(function, row, Span { start: tried, end: handler.span.end })
        {
            return None;
        }
        // The next read of the row would fail as well: all of them are served, unless the row is changed or loaded again.
        let is_row =
            |of: StepId| matches!(function.steps[of as usize].kind, StepKind::Name(name) if name == row);
        let behind = Span { start: at.start, end: handler.span.end };
        let is_touched = function.steps.iter().any(|step| match &step.kind {
            StepKind::Store { of, .. } => behind.contains(step.span) && is_row(*of),
            StepKind::Call { callee, .. } => {
                behind.contains(step.span)
                    && matches!(function.steps[*callee as usize].kind, StepKind::Attribute { name, .. }
                        if matches!(&*name, "refresh" | "get" | "merge"))
            }
            _ => false,
        });
        let columns = &self.project.model(read.model)?.columns;
        let mut reads: Vec<(Name, Span)> = Vec::new();
        for step in &function.steps {
            if let StepKind::Attribute { of, name: column } = step.kind
                && is_row(of)
                && columns.contains_key(&column)
                && (step.span == at || !is_touched && behind.contains(step.span))
                && !reads.contains(&(column, step.span))
            {
                reads.push((column, step.span));
            }
        }
        let statement = Span { start: tried, end: handler.head.end };
        let mut kept: BTreeMap<Name, String> = BTreeMap::new();
        let mut acts = Vec::new();
        for (column, span) in reads {
            if !kept.contains_key(&column) {
                let names = [column.to_string(), format!("{row}_{column}"), format!("{row}_{column}_before")];
                let is_free = |local: &String| {
                    self.project.lookup(id, Name::new(local)) == Lookup::Nowhere
                        && !kept.values().any(|other| other == local)
                };
                let local = names.into_iter().find(is_free)?;
                let code = format!("{local} = {row}.{column}");
                acts.push(Observer::act(id, Deed::Before { span: statement, code }));
                kept.insert(column, local);
            }
            acts.push(Observer::act(id, Deed::Replace { span, text: kept[&column].clone() }));
        }
        let shown: Vec<String> = kept.keys().map(|column| format!("`{row}.{column}`")).collect();
        let title = format!("Keep {} in a local before the `try`", shown.join(" and "));
        Some(Remedy::new("kept-before", title, acts))
    }

    /// Whether code in a span asks whether there is a row at all.
    fn is_doubted(&self, function: &Function, row: Name, within: Span) -> bool {
        let is_row =
            |step: StepId| matches!(function.steps[step as usize].kind, StepKind::Name(name) if name == row);
        let asks = |step: &StepKind| match step {
            StepKind::Compare { left, right, .. } => is_row(*left) || is_row(*right),
            StepKind::Not(of) | StepKind::Assert(of) => is_row(*of),
            StepKind::Either(all) => all.iter().any(|one| is_row(*one)),
            _ => false,
        };
        let is_tested = function.blocks.iter().any(|block| match block.next {
            crate::facts::Next::Branch { test, .. } => {
                is_row(test) && within.contains(function.steps[test as usize].span)
            }
            _ => false,
        });
        is_tested || function.steps.iter().any(|step| within.contains(step.span) && asks(&step.kind))
    }
}

/// Whether the call of a method is awaited; nothing where it is not called.
fn is_awaited(function: &Function, method: StepId) -> Option<bool> {
    let call = (method..).zip(&function.steps[method as usize..]).find_map(|(at, step)| match step.kind {
        StepKind::Call { callee, .. } if callee == method => Some(at),
        _ => None,
    })?;
    let is_it = |step: &crate::facts::Step| matches!(step.kind, StepKind::Await(of) if of == call);
    Some(function.steps[call as usize..].iter().any(is_it))
}

/// Whether a `try` stands in a loop, so that control may come to its body again.
fn comes_again(function: &Function, body: RegionId) -> bool {
    let parent = |id: &RegionId| function.regions[*id as usize].parent;
    let is_inside = |block: &BlockId| {
        let region = function.blocks[*block as usize].region;
        std::iter::successors(region, parent).any(|region| region == body)
    };
    let mut seen: BTreeSet<BlockId> = function.regions[body as usize].lands.iter().copied().collect();
    let mut waiting: Vec<BlockId> = seen.iter().copied().collect();
    while let Some(number) = waiting.pop() {
        if is_inside(&number) {
            return true;
        }
        let next = super::super::behind::next(&function.blocks[number as usize].next);
        waiting.extend(next.into_iter().filter(|next| seen.insert(*next)));
    }
    false
}

/// Whether every way to the body of a `try` comes by one of some steps.
fn is_bound_on_every_way(function: &Function, binds: &BTreeSet<StepId>, body: RegionId) -> bool {
    let parent = |id: &RegionId| function.regions[*id as usize].parent;
    let binds_here = |block: BlockId| {
        let block = &function.blocks[block as usize];
        binds.range(block.start..block.end).next().is_some()
    };
    let mut seen: BTreeSet<BlockId> = BTreeSet::from([0]);
    let mut waiting: Vec<BlockId> = vec![0];
    while let Some(number) = waiting.pop() {
        let block = &function.blocks[number as usize];
        let regions = || std::iter::successors(block.region, parent);
        if regions().any(|region| region == body) {
            return false;
        }
        let lands = regions().flat_map(|region| function.regions[region as usize].lands.iter().copied());
        let on = match binds_here(number) {
            true => Vec::new(),
            false => super::super::behind::next(&block.next),
        };
        waiting.extend(lands.chain(on).filter(|next| seen.insert(*next)));
    }
    true
}
