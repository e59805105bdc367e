//! lower/rust/condition: `if`, `match` and what they test.

use syn::{BinOp, Expr, ExprIf, ExprLet, ExprMatch, Lit, Pat, UnOp};

use crate::facts::{BlockId, Next, StepId, StepKind};
use crate::source::Span;

use super::body::Body;
use super::caught::can_fail;
use super::pattern::{Asks, asks, held};
use super::span;
use super::statement::Use;

/// One arm of a `match`, as far as it is not an error's.
struct Way<'f> {
    pattern: Option<&'f Pat>,
    guard: Option<&'f Expr>,
    body: &'f Expr,
}

/// A result that the condition of an `if` takes apart.
struct Tried<'f> {
    pattern: Option<&'f Pat>,
    /// Whether the condition holds for an error.
    is_failed: bool,
    expression: &'f Expr,
    head: Span,
}

impl<'f> Body<'_, '_, 'f> {
    /// The value of an `if`.
    pub(super) fn if_value(&mut self, branches: &'f ExprIf, at: Span) -> StepId {
        let kept = self.temporary();
        self.if_expression(branches, Use::Kept(kept));
        self.emit(StepKind::Name(kept), at)
    }

    /// The value of a `match`.
    pub(super) fn match_value(&mut self, branches: &'f ExprMatch, at: Span) -> StepId {
        let kept = self.temporary();
        self.match_expression(branches, Use::Kept(kept));
        self.emit(StepKind::Name(kept), at)
    }

    /// An `if` with all its `else if`s.
    pub(super) fn if_expression(&mut self, branches: &'f ExprIf, taken: Use) {
        let after = self.new_block();
        let mut at = branches;
        loop {
            let otherwise = at.else_branch.as_ref().map(|(_, otherwise)| &**otherwise);
            if let Some(tried) = self.tried(&at.cond) {
                self.tried_if(at, tried, otherwise, taken, after);
                break;
            }
            let (yes, no) = (self.new_block(), self.new_block());
            self.condition(&at.cond, yes, no);
            self.begin(yes);
            self.branch_block(&at.then_branch, taken);
            self.finish(Next::Goto(after));
            self.begin(no);
            match otherwise {
                Some(Expr::If(next)) => at = next,
                Some(other) => {
                    self.branch(other, taken);
                    self.finish(Next::Goto(after));
                    break;
                }
                None => {
                    self.no_branch(taken, span(branches));
                    self.finish(Next::Goto(after));
                    break;
                }
            }
        }
        self.begin(after);
    }

    /// The result that a condition takes apart: `let Err(error) = value`, `value.is_err()`.
    fn tried(&mut self, test: &'f Expr) -> Option<Tried<'f>> {
        let (pattern, is_failed, expression) = match test {
            Expr::Let(tested) => match asks(&tested.pat) {
                Asks::Well => (Some(&*tested.pat), false, &*tested.expr),
                Asks::Failed => (Some(&*tested.pat), true, &*tested.expr),
                _ => return None,
            },
            Expr::MethodCall(call) if call.args.is_empty() && call.method == "is_err" => {
                (None, true, &*call.receiver)
            }
            Expr::MethodCall(call) if call.args.is_empty() && call.method == "is_ok" => {
                (None, false, &*call.receiver)
            }
            Expr::Unary(not) if matches!(not.op, UnOp::Not(_)) => match &*not.expr {
                Expr::MethodCall(call) if call.args.is_empty() && call.method == "is_ok" => {
                    (None, true, &*call.receiver)
                }
                _ => return None,
            },
            _ => return None,
        };
        let expression = self.taken_apart(expression);
        can_fail(expression).then_some(Tried { pattern, is_failed, expression, head: span(test) })
    }

    /// `if let Err(error) = value { … } else { … }`.
    fn tried_if(
        &mut self,
        whole: &'f ExprIf,
        tried: Tried<'f>,
        otherwise: Option<&'f Expr>,
        taken: Use,
        after: BlockId,
    ) {
        let Tried { pattern, is_failed, expression, head } = tried;
        let inner = pattern.and_then(held);
        let (attempt, value) = self.attempt(&[(head, span(whole))], expression);
        self.attempt_ends(&attempt);
        let other = |body: &mut Self| match otherwise {
            Some(otherwise) => body.branch(otherwise, taken),
            None => body.no_branch(taken, span(whole)),
        };
        if is_failed {
            other(self);
        } else {
            if let Some(inner) = inner {
                self.take_apart(inner, value);
            }
            self.branch_block(&whole.then_branch, taken);
        }
        self.finish(Next::Goto(after));
        let error = self.handler_begins(&attempt, 0);
        if is_failed {
            self.catches(&attempt, 0, inner, false);
            if let Some(inner) = inner {
                self.take_apart(inner, error);
            }
            self.branch_block(&whole.then_branch, taken);
        } else {
            self.catches(&attempt, 0, None, false);
            other(self);
        }
        self.handler_ends(&attempt, after);
    }

    /// A `match`.
    pub(super) fn match_expression(&mut self, branches: &'f ExprMatch, taken: Use) {
        let after = self.new_block();
        let of_result = |arm: &syn::Arm| matches!(asks(&arm.pat), Asks::Well | Asks::Failed);
        let expression = if branches.arms.iter().any(of_result) {
            self.taken_apart(&branches.expr)
        } else {
            &*branches.expr
        };
        let is_tried = branches.arms.iter().any(of_result) && can_fail(expression);
        let guard = |arm: &'f syn::Arm| arm.guard.as_ref().map(|(_, guard)| &**guard);
        if !is_tried {
            let value = self.value(&branches.expr);
            let ways = branches.arms.iter().map(|arm| Way {
                pattern: Some(&arm.pat),
                guard: guard(arm),
                body: &arm.body,
            });
            self.ways(value, ways.collect(), taken, after);
            self.begin(after);
            return;
        }
        let (failed, well): (Vec<&syn::Arm>, Vec<&syn::Arm>) =
            branches.arms.iter().partition(|arm| asks(&arm.pat) == Asks::Failed);
        // What takes everything takes the errors that are left.
        let rest = well.iter().copied().filter(|arm| matches!(asks(&arm.pat), Asks::Nothing | Asks::Other));
        let handlers: Vec<&syn::Arm> = failed.iter().copied().chain(rest).collect();
        let heads: Vec<(Span, Span)> = handlers.iter().map(|arm| (span(&arm.pat), span(*arm))).collect();
        let (attempt, value) = self.attempt(&heads, expression);
        self.attempt_ends(&attempt);
        let ways = well.into_iter().map(|arm| Way {
            pattern: if asks(&arm.pat) == Asks::Well { held(&arm.pat) } else { Some(&arm.pat) },
            guard: guard(arm),
            body: &arm.body,
        });
        self.ways(value, ways.collect(), taken, after);
        for (index, arm) in (0..).zip(handlers) {
            let error = self.handler_begins(&attempt, index);
            let inner = if asks(&arm.pat) == Asks::Failed { held(&arm.pat) } else { None };
            self.catches(&attempt, index, inner, arm.guard.is_some());
            // `other => …` has the whole result.
            let bound = inner.or(matches!(arm.pat, Pat::Ident(_)).then_some(&arm.pat));
            if let Some(bound) = bound {
                self.take_apart(bound, error);
            }
            self.branch(&arm.body, taken);
            self.handler_ends(&attempt, after);
        }
        self.begin(after);
    }

    /// Goes one of several ways by what a value is, each ending at `after`. The block at hand ends here.
    fn ways(&mut self, value: StepId, ways: Vec<Way<'f>>, taken: Use, after: BlockId) {
        let asked: Vec<Asks> = ways.iter().map(|way| way.pattern.map_or(Asks::Nothing, asks)).collect();
        let entries: Vec<BlockId> = ways.iter().map(|_| self.new_block()).collect();
        let among = |wanted: &[Asks]| -> Vec<BlockId> {
            asked
                .iter()
                .zip(&entries)
                .filter(|(asks, _)| wanted.contains(asks))
                .map(|(_, entry)| *entry)
                .collect()
        };
        if asked.iter().any(|asks| matches!(asks, Asks::There | Asks::Missing)) {
            let (yes, no) = (self.new_block(), self.new_block());
            self.finish(Next::Branch { test: value, yes, no });
            self.begin(yes);
            self.finish(Next::Any(among(&[Asks::There, Asks::Nothing, Asks::Other])));
            self.begin(no);
            self.finish(Next::Any(among(&[Asks::Missing, Asks::Nothing])));
        } else if let ([first, second], Some(on)) =
            (&entries[..], ways.first().and_then(|way| switch(way.pattern)))
        {
            let (yes, no) = if on { (*first, *second) } else { (*second, *first) };
            self.finish(Next::Branch { test: value, yes, no });
        } else {
            self.finish(Next::Any(entries.clone()));
        }
        for (way, entry) in ways.into_iter().zip(entries) {
            self.begin(entry);
            if let Some(pattern) = way.pattern {
                self.take_apart(pattern, value);
            }
            if let Some(guard) = way.guard {
                // Where it does not hold, another arm is taken, to which a way leads already.
                let (passed, nowhere) = (self.new_block(), self.new_block());
                self.condition(guard, passed, nowhere);
                self.begin(nowhere);
                self.finish(Next::Any(Vec::new()));
                self.begin(passed);
            }
            self.branch(way.body, taken);
            self.finish(Next::Goto(after));
        }
    }

    /// Tests a condition and goes one of two ways. The block at hand ends here.
    pub(super) fn condition(&mut self, test: &'f Expr, yes: BlockId, no: BlockId) {
        let at = span(test);
        let lowered = self.deeper(at, |body| match test {
            Expr::Paren(inner) => body.condition(&inner.expr, yes, no),
            Expr::Unary(unary) if matches!(unary.op, UnOp::Not(_)) => body.condition(&unary.expr, no, yes),
            Expr::Binary(both) if matches!(both.op, BinOp::And(_)) => {
                let second = body.new_block();
                body.condition(&both.left, second, no);
                body.begin(second);
                body.condition(&both.right, yes, no);
            }
            Expr::Binary(both) if matches!(both.op, BinOp::Or(_)) => {
                let second = body.new_block();
                body.condition(&both.left, yes, second);
                body.begin(second);
                body.condition(&both.right, yes, no);
            }
            Expr::Let(tested) => body.let_condition(tested, yes, no),
            Expr::MethodCall(call) if call.args.is_empty() && call.method == "is_some" => {
                let value = body.value(&call.receiver);
                body.finish(Next::Branch { test: value, yes, no });
            }
            Expr::MethodCall(call) if call.args.is_empty() && call.method == "is_none" => {
                let value = body.value(&call.receiver);
                body.finish(Next::Branch { test: value, yes: no, no: yes });
            }
            other => {
                let value = body.value(other);
                body.finish(Next::Branch { test: value, yes, no });
            }
        });
        if lowered.is_none() {
            self.finish(Next::Any(vec![yes, no]));
        }
    }

    fn let_condition(&mut self, tested: &'f ExprLet, yes: BlockId, no: BlockId) {
        let value = self.value(&tested.expr);
        let bound = self.new_block();
        match asks(&tested.pat) {
            Asks::Nothing => self.finish(Next::Goto(bound)),
            Asks::There => self.finish(Next::Branch { test: value, yes: bound, no }),
            Asks::Missing => self.finish(Next::Branch { test: value, yes: no, no: bound }),
            _ => self.finish(Next::Any(vec![bound, no])),
        }
        self.begin(bound);
        self.take_apart(&tested.pat, value);
        self.finish(Next::Goto(yes));
    }

    fn branch(&mut self, body: &'f Expr, taken: Use) {
        match taken {
            Use::Kept(kept) => {
                let value = self.value(body);
                self.bind(kept, value, None, span(body));
            }
            Use::Dropped => self.dropped(body),
            Use::Returned => self.tail(body),
        }
    }

    fn branch_block(&mut self, block: &'f syn::Block, taken: Use) {
        match taken {
            Use::Kept(kept) => {
                let value = self.block_value(block);
                self.bind(kept, value, None, span(block));
            }
            Use::Dropped => {
                self.block_value(block);
            }
            Use::Returned => {
                self.tail_block(block);
                self.returned_nothing(block);
            }
        }
    }

    /// A block without a value at its end returns nothing.
    fn returned_nothing(&mut self, block: &'f syn::Block) {
        if !matches!(block.stmts.last(), Some(syn::Stmt::Expr(_, None))) {
            self.returns(None, span(block));
        }
    }

    fn no_branch(&mut self, taken: Use, at: Span) {
        match taken {
            Use::Kept(kept) => {
                let nothing = self.nothing(at);
                self.bind(kept, nothing, None, at);
            }
            Use::Dropped => {}
            Use::Returned => self.returns(None, at),
        }
    }
}

fn switch(pattern: Option<&Pat>) -> Option<bool> {
    match pattern? {
        Pat::Lit(lit) => match &lit.lit {
            Lit::Bool(on) => Some(on.value),
            _ => None,
        },
        _ => None,
    }
}
