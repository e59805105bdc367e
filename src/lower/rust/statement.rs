//! lower/rust/statement: blocks and statements, and what a function returns.

use quote::ToTokens;
use syn::{Block, Expr, Local, Pat, Stmt};

use crate::facts::{Literal, Next, StepId, StepKind};
use crate::name::Name;

use super::body::Body;
use super::caught::can_fail;
use super::expression::{is_answer, is_path_to};
use super::item::ident_of;
use super::macros::mentioned;
use super::pattern::{Asks, asks, held};
use super::{span, term};

/// What becomes of the value of a branch.
#[derive(Clone, Copy)]
pub(super) enum Use {
    /// A variable takes it.
    Kept(Name),
    /// Nobody takes it.
    Dropped,
    /// The function returns it.
    Returned,
}

impl<'f> Body<'_, '_, 'f> {
    /// A block whose value is taken.
    pub(super) fn block_value(&mut self, block: &'f Block) -> StepId {
        let last = self.statements(block);
        match last {
            Some(last) => self.value(last),
            None => self.nothing(span(block)),
        }
    }

    /// A block whose value the function returns.
    pub(super) fn tail_block(&mut self, block: &'f Block) {
        if let Some(last) = self.statements(block) {
            self.tail(last);
        }
    }

    /// An expression whose value the function returns: each branch of it by itself.
    pub(super) fn tail(&mut self, expression: &'f Expr) {
        let at = span(expression);
        let lowered = self.deeper(at, |body| match expression {
            Expr::If(branches) => body.if_expression(branches, Use::Returned),
            Expr::Match(branches) => body.match_expression(branches, Use::Returned),
            Expr::Block(inner) => body.tail_block(&inner.block),
            Expr::Unsafe(inner) => body.tail_block(&inner.block),
            Expr::Paren(inner) => body.tail(&inner.expr),
            Expr::Return(returned) => body.returns(returned.expr.as_deref(), at),
            Expr::Call(call) if call.args.len() == 1 && is_path_to(&call.func, &["Ok"]) => {
                body.tail(&call.args[0]);
            }
            other => body.returns(Some(other), at),
        });
        if lowered.is_none() {
            self.leave_to(Next::Leave);
        }
    }

    /// `return x`, out of the function or out of the closure that is lowered where it stands.
    pub(super) fn returns(&mut self, value: Option<&'f Expr>, at: crate::source::Span) {
        // What closures return is not written.
        let promised = if self.frames.is_empty() { self.function.returns.clone() } else { None };
        let value = match value {
            Some(value) => promised
                .and_then(|promised| self.converted(value, &promised))
                .unwrap_or_else(|| self.value(value)),
            None => self.nothing(at),
        };
        if let Some(frame) = self.frames.last() {
            let (exit, name) = match frame.exit {
                Some(known) => known,
                None => {
                    let made = (self.new_block(), self.temporary());
                    if let Some(frame) = self.frames.last_mut() {
                        frame.exit = Some(made);
                    }
                    made
                }
            };
            self.bind(name, value, None, at);
            self.leave_to(Next::Goto(exit));
            return;
        }
        self.emit(StepKind::Return(Some(value)), at);
        self.leave_to(Next::Leave);
    }

    /// All statements of a block but an expression at the end that is its value.
    fn statements(&mut self, block: &'f Block) -> Option<&'f Expr> {
        let (last, before) = match block.stmts.split_last() {
            Some((Stmt::Expr(last, None), before)) => (Some(last), before),
            _ => (None, &block.stmts[..]),
        };
        // What a block uses may be brought in at its end.
        for statement in before {
            if let Stmt::Item(item) = statement {
                self.item(item);
            }
        }
        for (at, statement) in before.iter().enumerate() {
            let next = match before.get(at + 1) {
                Some(Stmt::Expr(next, _)) => Some(next),
                Some(_) => None,
                None => last,
            };
            match statement {
                Stmt::Local(local) if self.is_taken_apart_next(local, next, &block.stmts[at + 1..]) => {}
                Stmt::Local(local) => self.local(local),
                Stmt::Expr(expression, _) => self.dropped(expression),
                Stmt::Macro(call) => {
                    self.macro_value(&call.mac);
                }
                Stmt::Item(_) => {}
            }
        }
        last
    }

    /// `let answer = call();` with `if let Err(error) = answer` or `match answer` behind it: it is taken apart there, and so
    /// made there.
    fn is_taken_apart_next(&mut self, local: &'f Local, next: Option<&'f Expr>, rest: &[Stmt]) -> bool {
        let (Some(own), Some(init), Some(next)) = (ident_of(&local.pat), &local.init, next) else {
            return false;
        };
        // Whoever only asks has the error still.
        let is_at_end = || times_mentioned(own, rest) == 1;
        let taken = match next {
            Expr::If(branches) => match &*branches.cond {
                Expr::Let(tested) if matches!(asks(&tested.pat), Asks::Well | Asks::Failed) => &*tested.expr,
                Expr::MethodCall(call)
                    if (call.method == "is_err" || call.method == "is_ok") && is_at_end() =>
                {
                    &*call.receiver
                }
                _ => return false,
            },
            Expr::Match(branches)
                if branches.arms.iter().any(|arm| matches!(asks(&arm.pat), Asks::Well | Asks::Failed)) =>
            {
                &*branches.expr
            }
            _ => return false,
        };
        let is_it = named(taken) == Some(own) && init.diverge.is_none() && can_fail(&init.expr);
        if is_it {
            self.deferred.push((own, &init.expr));
        }
        is_it
    }

    /// What is taken apart: the expression itself, or the one that was made for the variable it is.
    pub(super) fn taken_apart(&mut self, expression: &'f Expr) -> &'f Expr {
        let Some(own) = named(expression) else { return expression };
        match self.deferred.iter().rposition(|(name, _)| *name == own) {
            Some(at) => self.deferred.remove(at).1,
            None => expression,
        }
    }

    /// An expression whose value nobody takes.
    pub(super) fn dropped(&mut self, expression: &'f Expr) {
        let at = span(expression);
        self.deeper(at, |body| match expression {
            Expr::If(branches) => body.if_expression(branches, Use::Dropped),
            Expr::Match(branches) => body.match_expression(branches, Use::Dropped),
            Expr::Block(inner) if inner.label.is_none() => {
                if let Some(last) = body.statements(&inner.block) {
                    body.dropped(last);
                }
            }
            other => {
                body.value(other);
            }
        });
    }

    /// `let pattern = value else { … };`
    fn local(&mut self, local: &'f Local) {
        let Some(init) = &local.init else { return };
        let at = span(local);
        // `let _written = …` is the same, but that the value lives on.
        let is_ignored = match &local.pat {
            Pat::Wild(_) => true,
            Pat::Type(typed) => matches!(*typed.pat, Pat::Wild(_)),
            Pat::Ident(ident) => ident.ident.to_string().starts_with('_') && is_answer(&init.expr),
            _ => false,
        };
        if is_ignored && init.diverge.is_none() && can_fail(&init.expr) {
            self.ignored(&init.expr, at);
            return;
        }
        if let Some((_, otherwise)) = &init.diverge {
            let (yes, after) = (self.new_block(), self.new_block());
            if asks(&local.pat) == Asks::Well && can_fail(&init.expr) {
                let (attempt, value) = self.attempt(&[(span(&local.pat), at)], &init.expr);
                self.attempt_ends(&attempt);
                if let Some(inner) = held(&local.pat) {
                    self.take_apart(inner, value);
                }
                self.finish(Next::Goto(yes));
                self.handler_begins(&attempt, 0);
                self.catches(&attempt, 0, None, false);
                self.dropped(otherwise);
                self.handler_ends(&attempt, after);
            } else {
                let value = self.value(&init.expr);
                let no = self.new_block();
                match asks(&local.pat) {
                    Asks::There => self.finish(Next::Branch { test: value, yes, no }),
                    Asks::Missing => self.finish(Next::Branch { test: value, yes: no, no: yes }),
                    _ => self.finish(Next::Any(vec![yes, no])),
                }
                self.begin(no);
                self.dropped(otherwise);
                self.finish(Next::Goto(after));
                self.begin(yes);
                self.take_apart(&local.pat, value);
                self.finish(Next::Goto(after));
                self.begin(after);
                return;
            }
            self.begin(yes);
            self.finish(Next::Goto(after));
            self.begin(after);
            return;
        }
        let value = match &local.pat {
            Pat::Type(typed) => {
                let wanted = term::of_type(&self.scope, &typed.ty);
                self.converted(&init.expr, &wanted).unwrap_or_else(|| self.value(&init.expr))
            }
            _ => self.value(&init.expr),
        };
        match ident_of(&local.pat) {
            Some(own) => {
                let annotation = match &local.pat {
                    Pat::Type(typed) => Some(term::of_type(&self.scope, &typed.ty)),
                    _ => None,
                };
                self.bind(own, value, annotation, at);
            }
            None => self.take_apart(&local.pat, value),
        }
    }

    /// The value of something that has none.
    pub(super) fn nothing(&mut self, at: crate::source::Span) -> StepId {
        self.emit(StepKind::Literal(Literal::None), at)
    }
}

/// The variable that an expression is, or is a reference to.
fn named(expression: &Expr) -> Option<crate::name::Name> {
    match expression {
        Expr::Path(path) => path.path.get_ident().map(super::name),
        Expr::Reference(inner) => named(&inner.expr),
        Expr::Paren(inner) => named(&inner.expr),
        _ => None,
    }
}

/// How often some statements name a variable.
fn times_mentioned(wanted: Name, statements: &[Stmt]) -> usize {
    let mut found = Vec::new();
    statements.iter().for_each(|statement| mentioned(statement.to_token_stream(), &mut found));
    found.into_iter().filter(|name| *name == wanted).count()
}
