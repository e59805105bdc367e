//! lower/rust/caught: a `Result` that is taken apart is a `try`: what makes it may fail, and the `Err` arm handles that.

use syn::{Expr, ExprClosure, Pat};

use crate::facts::{BlockId, Handler, HandlerId, Next, RegionId, RegionKind, StepId, StepKind};
use crate::source::Span;

use super::body::Body;
use super::expression::inner_of;
use super::pattern::{Asks, asks};

/// A `try` in the making.
pub(super) struct Attempt<'f> {
    first: HandlerId,
    around: Option<RegionId>,
    /// What is done with the error before anybody takes the result apart, in its order.
    seen_by: Vec<&'f ExprClosure>,
}

/// Whether the value of an expression comes from a call whose error is still in it, `?` having taken none.
pub(super) fn can_fail(expression: &Expr) -> bool {
    let mut at = expression;
    loop {
        match at {
            Expr::MethodCall(call) if is_settled(call) => return false,
            Expr::Call(_) | Expr::MethodCall(_) | Expr::Await(_) | Expr::Macro(_) | Expr::Async(_) => {
                return true;
            }
            Expr::Try(_) => return false,
            other => match inner_of(other) {
                Some(inner) => at = inner,
                None => return false,
            },
        }
    }
}

impl<'f> Body<'_, '_, 'f> {
    /// Begins a `try` around an expression, with handlers that are each given by their head and their whole; answers the
    /// expression's value. What `?` lets go up from further inside lands further out, so that is no part of the body.
    pub(super) fn attempt(
        &mut self,
        handlers: &[(Span, Span)],
        expression: &'f Expr,
    ) -> (Attempt<'f>, StepId) {
        let seen_by = closures_on_error(expression);
        let (mut outer, mut at) = (Vec::new(), expression);
        let base = loop {
            if let Expr::Try(inner) = at {
                break Some(&*inner.expr);
            }
            outer.push(at);
            match inner_of(at) {
                Some(inner) => at = inner,
                None => break None,
            }
        };
        let before = base.map(|base| self.value(base));
        let around = self.region();
        let first = self.function.handlers.len() as HandlerId;
        let end = first + handlers.len() as HandlerId;
        let body = self.new_region(RegionKind::Try { first, end }, around);
        for &(head, whole) in handlers {
            let entry = self.new_block();
            self.function.regions[body as usize].lands.push(entry);
            self.function.handlers.push(Handler {
                span: whole,
                head,
                catches: Vec::new(),
                binds: None,
                entry,
                body,
                body_span: super::span(expression),
            });
        }
        self.enter_region_block(Some(body));
        let value = match before {
            Some(mut value) => {
                while let Some(expression) = outer.pop() {
                    value = self.around(expression, value);
                }
                value
            }
            None => self.value(expression),
        };
        (Attempt { first, around, seen_by }, value)
    }

    /// What follows is no longer tried.
    pub(super) fn attempt_ends(&mut self, attempt: &Attempt<'f>) {
        self.enter_region_block(attempt.around);
    }

    /// The n-th handler begins; answers the error. The code before it has ended already.
    pub(super) fn handler_begins(&mut self, attempt: &Attempt<'f>, index: u32) -> StepId {
        let id = attempt.first + index;
        let region = self.new_region(RegionKind::Handler(id), attempt.around);
        self.set_region(Some(region));
        let Handler { entry, head, .. } = self.function.handlers[id as usize];
        self.begin(entry);
        let mut error = self.emit(StepKind::Caught(id), head);
        for closure in attempt.seen_by.clone() {
            let made = self.closure_here(closure, &[error]);
            // What it makes of the error is the error from then on, if it makes anything.
            error = if matches!(self.function.steps[made as usize].kind, StepKind::Literal(_)) {
                error
            } else {
                made
            };
        }
        error
    }

    /// A handler ends and goes on behind the `try`.
    pub(super) fn handler_ends(&mut self, attempt: &Attempt<'f>, after: BlockId) {
        self.finish(Next::Goto(after));
        self.set_region(attempt.around);
    }

    /// Says what the handler that was begun catches, where its pattern names certain errors.
    pub(super) fn catches(
        &mut self,
        attempt: &Attempt<'f>,
        index: u32,
        pattern: Option<&'f Pat>,
        has_guard: bool,
    ) {
        let id = (attempt.first + index) as usize;
        let is_all = !has_guard && pattern.is_none_or(|pattern| asks(pattern) == Asks::Nothing);
        if is_all {
            let body = self.function.handlers[id].body;
            self.function.regions[body as usize].passes = false;
            return;
        }
        let at = self.function.handlers[id].head;
        if let Some(Pat::Or(either)) = pattern {
            for case in &either.cases {
                let named = match named_error(case) {
                    Some(path) => self.path_value(path, at),
                    None => self.emit(StepKind::Compute(Box::default()), at),
                };
                self.function.handlers[id].catches.push(named);
            }
            return;
        }
        let path = pattern.and_then(named_error);
        let named = match path {
            Some(path) => self.path_value(path, at),
            None => self.emit(StepKind::Compute(Box::default()), at),
        };
        self.function.handlers[id].catches.push(named);
    }

    /// `let _ = value;`: nobody hears of the error.
    pub(super) fn ignored(&mut self, expression: &'f Expr, whole: Span) {
        let (attempt, _) = self.attempt(&[(whole, whole)], expression);
        let after = self.new_block();
        self.attempt_ends(&attempt);
        self.finish(Next::Goto(after));
        self.handler_begins(&attempt, 0);
        self.catches(&attempt, 0, None, false);
        self.handler_ends(&attempt, after);
        self.begin(after);
    }

    /// `value.ok()`: it is there, or the error is forgotten; `instead` says what is there in its place.
    pub(super) fn value_or(
        &mut self,
        expression: &'f Expr,
        (head, whole): (Span, Span),
        instead: impl FnOnce(&mut Self, StepId) -> StepId,
    ) -> StepId {
        let (attempt, value) = self.attempt(&[(head, whole)], expression);
        let (after, kept) = (self.new_block(), self.temporary());
        self.attempt_ends(&attempt);
        self.bind(kept, value, None, whole);
        self.finish(Next::Goto(after));
        let error = self.handler_begins(&attempt, 0);
        self.catches(&attempt, 0, None, false);
        let other = instead(self, error);
        self.bind(kept, other, None, whole);
        self.handler_ends(&attempt, after);
        self.begin(after);
        self.emit(StepKind::Name(kept), whole)
    }
}

/// The variant of an error that a pattern names.
fn named_error(pattern: &Pat) -> Option<&syn::Path> {
    match pattern {
        Pat::TupleStruct(tuple) => Some(&tuple.path),
        Pat::Path(path) => Some(&path.path),
        Pat::Struct(fields) => Some(&fields.path),
        Pat::Ident(ident) => named_error(&ident.subpat.as_ref()?.1),
        Pat::Paren(paren) => named_error(&paren.pat),
        _ => None,
    }
}

/// Whether a method has decided what becomes of an error: no result is left.
fn is_settled(call: &syn::ExprMethodCall) -> bool {
    matches!(
        &*call.method.to_string(),
        "unwrap"
            | "expect"
            | "unwrap_or"
            | "unwrap_or_else"
            | "unwrap_or_default"
            | "map_or"
            | "map_or_else"
            | "is_ok"
            | "is_err"
            | "ok"
    )
}

/// The closures that `map_err` and `inspect_err` run with the error of an expression, innermost first.
fn closures_on_error(expression: &Expr) -> Vec<&ExprClosure> {
    let mut found = Vec::new();
    let mut at = expression;
    while let Expr::MethodCall(call) = at {
        if !matches!(&*call.method.to_string(), "map_err" | "inspect_err" | "tap_err") {
            break;
        }
        if let Some(Expr::Closure(closure)) = call.args.first() {
            found.push(closure);
        }
        at = &call.receiver;
    }
    found.reverse();
    found
}
