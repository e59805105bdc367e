//! lower/rust/closure: closures that run where they are written: those of `Option`, `Result` and iterators, and those
//! that a method is handed, such as a transaction's.

use syn::{Expr, ExprClosure, ExprMethodCall, Pat};

use crate::facts::{Argument, ArgumentKind, Next, Param, ParamKind, StepId, StepKind};
use crate::source::Span;

use super::body::{Body, Frame};
use super::item::{ident_of, unnamed};
use super::{span, term};

/// What a method does with the closure it is handed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Runs {
    /// It runs with the value, if that is there, and its result is the result.
    WithValue,
    /// It runs with the value, and the value is the result.
    Looks,
    /// It runs if there is no value, and its result stands in for that.
    Instead,
}

fn runs(method: &str) -> Option<Runs> {
    Some(match method {
        "map"
        | "and_then"
        | "filter_map"
        | "flat_map"
        | "then"
        | "map_or"
        | "map_or_else"
        | "for_each"
        | "try_for_each"
        | "for_each_concurrent"
        | "map_ok"
        | "and_then_ok"
        | "try_filter_map" => Runs::WithValue,
        "filter" | "inspect" | "any" | "all" | "find" | "position" | "retain" | "skip_while"
        | "take_while" | "is_some_and" | "sort_by" | "sort_by_key" | "max_by_key" | "min_by_key" => {
            Runs::Looks
        }
        "unwrap_or_else" | "or_else" | "or_insert_with" | "get_or_insert_with" => Runs::Instead,
        _ => return None,
    })
}

/// Methods that make an iterator or a stream.
fn iterates(method: &str) -> bool {
    matches!(
        method,
        "iter"
            | "iter_mut"
            | "into_iter"
            | "drain"
            | "chunks"
            | "windows"
            | "lines"
            | "keys"
            | "values"
            | "values_mut"
            | "split"
            | "chars"
            | "enumerate"
            | "zip"
            | "stream"
    )
}

impl<'f> Body<'_, '_, 'f> {
    /// What a method makes of a value with a closure, or with a value to stand in; nothing where it is another method.
    pub(super) fn combinator(
        &mut self,
        call: &'f ExprMethodCall,
        method: &str,
        inner: StepId,
        at: Span,
    ) -> Option<StepId> {
        if let ("unwrap_or" | "or", [other]) = (method, &call.args.iter().collect::<Vec<_>>()[..]) {
            let other = self.value(other);
            return Some(self.emit(StepKind::Either([inner, other].into()), at));
        }
        let last = call.args.last()?;
        let is_code = match last {
            Expr::Closure(_) => true,
            // `.map(ActiveModel::from)`
            Expr::Path(path) => path.path.segments.len() > 1,
            _ => false,
        };
        if !is_code {
            return None;
        }
        let Some(runs) = runs(method) else { return self.handed_closure(call, method, inner, at) };
        let many = is_many(&call.receiver);
        match (runs, many) {
            (Runs::WithValue | Runs::Looks, true) => Some(self.each(last, inner, runs, at)),
            (Runs::WithValue, false) => {
                let (yes, no, after) = (self.new_block(), self.new_block(), self.new_block());
                let kept = self.temporary();
                self.finish(Next::Branch { test: inner, yes, no });
                self.begin(yes);
                let made = self.run_here(last, &[inner]);
                self.bind(kept, made, None, at);
                self.finish(Next::Goto(after));
                self.begin(no);
                let missing = match call.args.len() {
                    2 if method == "map_or" => self.value(&call.args[0]),
                    2 => self.run_here(&call.args[0], &[]),
                    _ => self.nothing(at),
                };
                self.bind(kept, missing, None, at);
                self.finish(Next::Goto(after));
                self.begin(after);
                Some(self.emit(StepKind::Name(kept), at))
            }
            (Runs::Looks, false) => {
                // A query's own `filter` takes no closure.
                self.run_here(last, &[inner]);
                Some(inner)
            }
            (Runs::Instead, _) => {
                let (yes, no, after) = (self.new_block(), self.new_block(), self.new_block());
                let kept = self.temporary();
                self.finish(Next::Branch { test: inner, yes, no });
                self.begin(yes);
                self.bind(kept, inner, None, at);
                self.finish(Next::Goto(after));
                self.begin(no);
                let made = self.run_here(last, &[]);
                self.bind(kept, made, None, at);
                self.finish(Next::Goto(after));
                self.begin(after);
                Some(self.emit(StepKind::Name(kept), at))
            }
        }
    }

    /// A closure runs for each of many values.
    fn each(&mut self, code: &'f Expr, iterated: StepId, runs: Runs, at: Span) -> StepId {
        let (head, inside, exhausted) = (self.new_block(), self.new_block(), self.new_block());
        self.finish_into(Next::Goto(head), head);
        self.finish_into(Next::Any(vec![inside, exhausted]), inside);
        let element = self.emit(StepKind::Element(iterated), at);
        let made = self.run_here(code, &[element]);
        self.finish_into(Next::Goto(head), exhausted);
        match runs {
            Runs::Looks => iterated,
            _ => self.emit(StepKind::Gather(made), at),
        }
    }

    /// A closure that some other method is handed runs there, once.
    fn handed_closure(
        &mut self,
        call: &'f ExprMethodCall,
        method: &str,
        inner: StepId,
        at: Span,
    ) -> Option<StepId> {
        let Some((Expr::Closure(closure), before)) =
            call.args.iter().collect::<Vec<_>>().split_last().map(|(last, before)| (*last, before.to_vec()))
        else {
            return None;
        };
        let mut arguments = self.arguments(before.into_iter());
        let name = crate::name::Name::new(method);
        let callee = self.emit(StepKind::Attribute { of: inner, name }, at);
        let begun =
            self.emit(StepKind::Call { callee, arguments: std::mem::take(&mut arguments).into() }, at);
        let handed: Vec<StepId> = closure.inputs.iter().map(|_| begun).collect();
        let made = self.closure_here(closure, &handed);
        if matches!(method, "transaction" | "transaction_with_config" | "run") {
            // Where the closure ends well, what it has done is committed.
            let name = crate::name::Name::new("commit");
            let callee = self.emit(StepKind::Attribute { of: begun, name }, at);
            self.emit(StepKind::Call { callee, arguments: Box::default() }, at);
        }
        Some(made)
    }

    /// The code in an argument runs here: a closure, or a function by its path.
    fn run_here(&mut self, code: &'f Expr, handed: &[StepId]) -> StepId {
        match code {
            Expr::Closure(closure) => self.closure_here(closure, handed),
            other => {
                let at = span(other);
                let callee = self.value(other);
                let plain = |&value: &StepId| Argument { kind: ArgumentKind::Plain, value };
                let arguments = handed.iter().map(plain).collect();
                self.emit(StepKind::Call { callee, arguments }, at)
            }
        }
    }

    /// A closure runs where it stands.
    pub(super) fn closure_here(&mut self, closure: &'f ExprClosure, handed: &[StepId]) -> StepId {
        let at = span(&closure.body);
        for (pattern, &value) in closure.inputs.iter().zip(handed) {
            self.take_apart(pattern, value);
        }
        self.here(at, |body| body.value(&closure.body))
    }

    /// Code with returns of its own runs where it stands.
    pub(super) fn here(&mut self, at: Span, inner: impl FnOnce(&mut Self) -> StepId) -> StepId {
        self.frames.push(Frame { exit: None, loops: self.loops.len() });
        let value = inner(self);
        let frame = self.frames.pop().expect("internal error: the frame was pushed above");
        match frame.exit {
            None => value,
            Some((exit, kept)) => {
                self.bind(kept, value, None, at);
                self.finish_into(Next::Goto(exit), exit);
                self.emit(StepKind::Name(kept), at)
            }
        }
    }

    /// The parameters of a closure that somebody else calls.
    pub(super) fn closure_parameters(&self, closure: &'f ExprClosure) -> Vec<Param> {
        let param = |(index, pattern): (usize, &Pat)| Param {
            name: ident_of(pattern).unwrap_or_else(|| unnamed(index)),
            kind: ParamKind::Plain,
            annotation: match pattern {
                Pat::Type(typed) => Some(term::of_type(&self.scope, &typed.ty)),
                _ => None,
            },
            default: None,
            default_step: None,
        };
        closure.inputs.iter().enumerate().map(param).collect()
    }

    /// The names in the patterns of a closure's parameters get their values.
    pub(super) fn closure_parameters_taken_apart(&mut self, closure: &'f ExprClosure) {
        for (index, pattern) in closure.inputs.iter().enumerate() {
            if ident_of(pattern).is_none() {
                let whole = self.emit(StepKind::Name(unnamed(index)), span(pattern));
                self.take_apart(pattern, whole);
            }
        }
    }
}

/// Whether the value of a chain is many values, one after the other.
fn is_many(receiver: &Expr) -> bool {
    let mut at = receiver;
    loop {
        match at {
            Expr::MethodCall(call) => {
                let method = call.method.to_string();
                if iterates(&method) {
                    return true;
                }
                // What only chooses or changes the elements leaves many.
                if !matches!(
                    &*method,
                    "map"
                        | "filter"
                        | "filter_map"
                        | "flat_map"
                        | "rev"
                        | "skip"
                        | "take"
                        | "cloned"
                        | "copied"
                        | "chain"
                        | "inspect"
                        | "then"
                        | "by_ref"
                        | "flatten"
                        | "peekable"
                ) {
                    return false;
                }
                at = &call.receiver;
            }
            Expr::Paren(inner) => at = &inner.expr,
            Expr::Range(_) => return true,
            _ => return false,
        }
    }
}
