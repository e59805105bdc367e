//! lower/rust/expression: expressions become steps, in the order Rust evaluates them.

use syn::{BinOp, Expr, Lit, Member, Type, UnOp};

use crate::facts::{Argument, ArgumentKind, Comparison, FunctionKind, Literal, Next, StepId, StepKind, Term};
use crate::name::Name;
use crate::source::Span;

use super::super::outline::empty_function;
use super::body::{Body, Loop};
use super::caught::can_fail;
use super::scope::Scope;
use super::term::{dotted, of_type};
use super::{Code, literal, name, span};

/// Methods that give back what they are called on, as far as anybody here is concerned.
const TRANSPARENT: &[&str] = &[
    "as_deref",
    "as_deref_mut",
    "as_mut",
    "as_ref",
    "as_slice",
    "as_str",
    "borrow",
    "borrow_mut",
    "boxed",
    "by_ref",
    "clone",
    "cloned",
    "collect",
    "copied",
    "expect",
    "flatten",
    "fuse",
    "into_boxed_slice",
    "into_iter",
    "iter",
    "iter_mut",
    "inspect_err",
    "inspect_ok",
    "map_err",
    "tap_err",
    "ok_or",
    "ok_or_else",
    "reset_all",
    "rev",
    "take",
    "to_owned",
    "to_vec",
    "try_into_model",
    "unwrap",
    "unwrap_or_default",
    "context",
    "with_context",
    "trace",
    "instrument",
    "in_current_span",
    "into_inner",
    "lock",
];

/// Functions that give back what they are handed.
const WRAPPERS: &[&str] = &[
    "Arc::new",
    "Box::new",
    "Box::pin",
    "Cell::new",
    "Cow::Borrowed",
    "Cow::Owned",
    "Mutex::new",
    "Ok",
    "Pin::new",
    "Rc::new",
    "RefCell::new",
    "RwLock::new",
    "Some",
    "black_box",
    "mem::take",
];

/// The part of an expression that is evaluated first, where chains lean to the left.
pub(super) fn inner_of(expression: &Expr) -> Option<&Expr> {
    match expression {
        Expr::MethodCall(call) if forgets_error(call) => None,
        Expr::MethodCall(call) => Some(&call.receiver),
        Expr::Call(call) if !matches!(&*call.func, Expr::Path(_)) => Some(&call.func),
        Expr::Field(field) => Some(&field.base),
        Expr::Await(inner) => Some(&inner.base),
        Expr::Try(inner) => Some(&inner.expr),
        Expr::Index(index) => Some(&index.expr),
        Expr::Paren(inner) => Some(&inner.expr),
        Expr::Group(inner) => Some(&inner.expr),
        Expr::Reference(inner) => Some(&inner.expr),
        Expr::Cast(inner) => Some(&inner.expr),
        Expr::Unary(inner) if matches!(inner.op, UnOp::Deref(_)) => Some(&inner.expr),
        Expr::Binary(both) if operates(&both.op) => Some(&both.left),
        _ => None,
    }
}

/// Whether a method makes nothing, or something else, of an error that its receiver may be.
fn forgets_error(call: &syn::ExprMethodCall) -> bool {
    let ignores = |closure: &syn::ExprClosure| match closure.inputs.first() {
        Some(syn::Pat::Wild(_)) => true,
        Some(syn::Pat::Ident(ident)) => ident.ident.to_string().starts_with('_'),
        _ => false,
    };
    match (call.method.to_string().as_str(), call.args.first()) {
        ("ok" | "is_ok" | "is_err", None) => true,
        ("unwrap_or_else" | "or_else", Some(Expr::Closure(closure))) => closure.inputs.len() == 1,
        // What an error is turned into without a look at it tells nobody of it.
        ("map_err", Some(Expr::Closure(closure))) => ignores(closure),
        // What is there or not has these methods, too; what was waited for is a result.
        ("unwrap_or_default", None) | ("unwrap_or", Some(_)) => is_answer(&call.receiver),
        _ => false,
    }
}

/// Whether an expression is what some call has answered that was waited for, with the error still in it.
pub(super) fn is_answer(expression: &Expr) -> bool {
    let mut at = expression;
    loop {
        match at {
            Expr::Await(_) => return true,
            Expr::Try(_) => return false,
            Expr::MethodCall(call) => at = &call.receiver,
            other => match inner_of(other) {
                Some(inner) => at = inner,
                None => return false,
            },
        }
    }
}

/// Whether an operator computes something from two values, and neither assigns nor decides.
fn operates(operator: &BinOp) -> bool {
    !is_assignment(operator) && !matches!(operator, BinOp::And(_) | BinOp::Or(_))
}

fn is_assignment(operator: &BinOp) -> bool {
    matches!(
        operator,
        BinOp::AddAssign(_)
            | BinOp::SubAssign(_)
            | BinOp::MulAssign(_)
            | BinOp::DivAssign(_)
            | BinOp::RemAssign(_)
            | BinOp::BitXorAssign(_)
            | BinOp::BitAndAssign(_)
            | BinOp::BitOrAssign(_)
            | BinOp::ShlAssign(_)
            | BinOp::ShrAssign(_)
    )
}

/// Whether an expression is a path that ends in one of these.
pub(super) fn is_path_to(expression: &Expr, ends: &[&str]) -> bool {
    let Expr::Path(path) = expression else { return false };
    let written: Vec<String> = path.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    let written = written.join("::");
    ends.iter().any(|end| {
        written == *end || written.ends_with(end) && written[..written.len() - end.len()].ends_with("::")
    })
}

impl<'f> Body<'_, '_, 'f> {
    /// Lowers an expression and answers the step that holds its value.
    ///
    /// Chains (`a.b().c()`, `x + y + z`) lean to the left as deep as they are long, so that side is walked in a loop.
    pub(super) fn value(&mut self, expression: &'f Expr) -> StepId {
        let mut spine = vec![expression];
        while let Some(inner) = inner_of(spine[spine.len() - 1]) {
            spine.push(inner);
        }
        let base = spine.pop().expect("internal error: the spine starts with one expression");
        let at = span(base);
        let lowered = self.deeper(at, |body| body.leaf(base, at));
        let mut value = lowered.unwrap_or_else(|| self.emit(StepKind::Compute(Box::default()), at));
        while let Some(outer) = spine.pop() {
            let lowered = self.deeper(at, |body| body.around(outer, value));
            value = lowered.unwrap_or(value);
        }
        value
    }

    /// An expression around one whose value is known.
    pub(super) fn around(&mut self, expression: &'f Expr, inner: StepId) -> StepId {
        let start = self.function.steps[inner as usize].span.start;
        let to = |end: Span| Span { start: start.min(end.start), end: end.end };
        match expression {
            Expr::Await(waited) => self.emit(StepKind::Await(inner), to(span(&waited.await_token))),
            Expr::Field(field) => match &field.member {
                Member::Named(ident) => {
                    self.emit(StepKind::Attribute { of: inner, name: name(ident) }, to(span(ident)))
                }
                Member::Unnamed(index) => {
                    let at = to(Span::new(index.span.byte_range()));
                    self.emit(StepKind::Part { of: inner, index: Some(index.index) }, at)
                }
            },
            Expr::Index(index) => {
                let at = to(Span::new(index.bracket_token.span.close().byte_range()));
                let key = self.value(&index.index);
                self.emit(StepKind::Index { of: inner, key }, at)
            }
            Expr::Binary(both) => {
                let right = self.value(&both.right);
                let at = to(self.function.steps[right as usize].span);
                let (comparison, negated) = match both.op {
                    BinOp::Eq(_) => (Comparison::Equal, false),
                    BinOp::Ne(_) => (Comparison::Equal, true),
                    BinOp::Lt(_) | BinOp::Le(_) | BinOp::Gt(_) | BinOp::Ge(_) => (Comparison::Order, false),
                    _ => return self.emit(StepKind::Compute([inner, right].into()), at),
                };
                self.emit(StepKind::Compare { comparison, negated, left: inner, right }, at)
            }
            Expr::Call(call) => {
                let at = to(Span::new(call.paren_token.span.close().byte_range()));
                let arguments = self.arguments(call.args.iter());
                self.emit(StepKind::Call { callee: inner, arguments: arguments.into() }, at)
            }
            Expr::MethodCall(call) => {
                let at = to(Span::new(call.paren_token.span.close().byte_range()));
                self.method_call(call, inner, at)
            }
            // What only changes hands is what it was.
            _ => inner,
        }
    }

    fn method_call(&mut self, call: &'f syn::ExprMethodCall, inner: StepId, at: Span) -> StepId {
        let method = name(&call.method);
        if TRANSPARENT.contains(&&*method) {
            return inner;
        }
        if let Some(known) = self.combinator(call, &method, inner, at) {
            return known;
        }
        let callee_at = Span { end: span(&call.method).end, ..at };
        let arguments = self.arguments(call.args.iter());
        let callee = self.emit(StepKind::Attribute { of: inner, name: method }, callee_at);
        self.emit(StepKind::Call { callee, arguments: arguments.into() }, at)
    }

    pub(super) fn arguments(&mut self, arguments: impl Iterator<Item = &'f Expr>) -> Vec<Argument> {
        arguments
            .map(|argument| Argument { kind: ArgumentKind::Plain, value: self.value(argument) })
            .collect()
    }

    /// An expression that does not lean to the left.
    fn leaf(&mut self, expression: &'f Expr, at: Span) -> StepId {
        match expression {
            Expr::Lit(lit) => {
                let literal = match &lit.lit {
                    Lit::Str(text) => Literal::Text(Name::new(&text.value())),
                    Lit::Bool(on) => Literal::Switch(on.value),
                    _ => Literal::Other,
                };
                self.emit(StepKind::Literal(literal), at)
            }
            Expr::Path(path) if path.path.segments.len() == 1 && path.path.segments[0].ident == "None" => {
                self.nothing(at)
            }
            Expr::Path(path) => match &path.qself {
                Some(own) => self.qualified_path(&own.ty, &path.path, at),
                None => self.path_value(&path.path, at),
            },
            Expr::Call(call) => self.path_call(call, at),
            Expr::MethodCall(call) => self.without_error(call, at),
            Expr::Struct(literal) => self.struct_literal(literal, at),
            Expr::Block(inner) => match &inner.label {
                Some(label) => {
                    let after = self.new_block();
                    let label = Some(label.name.ident.to_string());
                    self.loops.push(Loop { label, again: None, after });
                    self.block_value(&inner.block);
                    self.loops.pop();
                    self.finish_into(Next::Goto(after), after);
                    self.nothing(at)
                }
                None => self.block_value(&inner.block),
            },
            Expr::Unsafe(inner) => self.block_value(&inner.block),
            Expr::Const(inner) => self.block_value(&inner.block),
            Expr::Async(inner) => self.here(at, |body| body.block_value(&inner.block)),
            Expr::If(branches) => self.if_value(branches, at),
            Expr::Match(branches) => self.match_value(branches, at),
            Expr::Loop(_) | Expr::While(_) | Expr::ForLoop(_) => {
                self.looping(expression);
                self.nothing(at)
            }
            Expr::Closure(closure) => self.lambda(Code::Closure(closure), closure.asyncness.is_some(), at),
            Expr::Macro(call) => self.macro_value(&call.mac),
            Expr::Return(inner) => {
                self.returns(inner.expr.as_deref(), at);
                self.nothing(at)
            }
            Expr::Break(jump) => {
                if let Some(value) = &jump.expr {
                    self.value(value);
                }
                self.jump(jump.label.as_ref(), |target| Some(target.after));
                self.nothing(at)
            }
            Expr::Continue(jump) => {
                self.jump(jump.label.as_ref(), |target| target.again);
                self.nothing(at)
            }
            Expr::Assign(assignment) => {
                let value = self.value(&assignment.right);
                self.assign(&assignment.left, value, at);
                self.nothing(at)
            }
            Expr::Binary(both) if is_assignment(&both.op) => {
                let (left, right) = (self.value(&both.left), self.value(&both.right));
                let value = self.emit(StepKind::Compute([left, right].into()), at);
                self.assign(&both.left, value, at);
                self.nothing(at)
            }
            Expr::Binary(both) => {
                let (left, right) = (self.value(&both.left), self.value(&both.right));
                self.emit(StepKind::Compute([left, right].into()), at)
            }
            Expr::Unary(unary) => {
                let value = self.value(&unary.expr);
                let kind = match unary.op {
                    UnOp::Not(_) => StepKind::Not(value),
                    _ => StepKind::Compute([value].into()),
                };
                self.emit(kind, at)
            }
            Expr::Tuple(tuple) if tuple.elems.is_empty() => self.nothing(at),
            Expr::Tuple(tuple) => {
                let items = tuple.elems.iter().map(|item| self.value(item)).collect();
                self.emit(StepKind::List(items), at)
            }
            Expr::Array(array) => {
                let items = array.elems.iter().map(|item| self.value(item)).collect();
                self.emit(StepKind::List(items), at)
            }
            Expr::Repeat(repeat) => {
                let value = self.value(&repeat.expr);
                self.emit(StepKind::Gather(value), at)
            }
            Expr::Range(range) => {
                let ends: Vec<StepId> =
                    range.start.iter().chain(&range.end).map(|end| self.value(end)).collect();
                self.emit(StepKind::Compute(ends.into()), at)
            }
            Expr::Let(tested) => self.value(&tested.expr),
            _ => self.emit(StepKind::Literal(Literal::Other), at),
        }
    }

    /// A method that forgets the error of its receiver, or makes another of it.
    fn without_error(&mut self, call: &'f syn::ExprMethodCall, at: Span) -> StepId {
        let place = (span(&call.method), at);
        let is_mapped = call.method == "map_err";
        match call.args.first() {
            Some(Expr::Closure(closure)) => self.value_or(&call.receiver, place, |body, error| {
                let made = body.closure_here(closure, &[error]);
                if is_mapped {
                    body.raises(Some(made), at);
                }
                made
            }),
            Some(other) => self.value_or(&call.receiver, place, |body, _| body.value(other)),
            None if can_fail(&call.receiver) => {
                self.value_or(&call.receiver, place, |body, _| body.nothing(at))
            }
            None => self.value(&call.receiver),
        }
    }

    /// A path as a value: a variable, a function, a variant, a constant.
    pub(super) fn path_value(&mut self, path: &syn::Path, at: Span) -> StepId {
        let parts: Vec<Name> = path.segments.iter().map(|segment| name(&segment.ident)).collect();
        self.parts_value(&parts, at)
    }

    fn parts_value(&mut self, parts: &[Name], at: Span) -> StepId {
        let mut parts = self.scope.path(parts);
        // A column of SeaORM is a variant that is written like a type; the field it stands for is not.
        if let [.., of, last] = &mut parts[..]
            && &**of == "Column"
        {
            *last = last.snake_case();
        }
        let is_root = |part: &&Name| matches!(&***part, "crate" | "self" | "super");
        let roots = if parts.len() > 1 { parts.iter().take_while(is_root).count() } else { 0 };
        let (mut value, rest) = match roots {
            0 => (self.emit(StepKind::Name(parts[0]), at), &parts[1..]),
            roots => (self.root_of_path(Name::new(&dotted(&parts[..roots])), at), &parts[roots..]),
        };
        for part in rest {
            value = self.emit(StepKind::Attribute { of: value, name: *part }, at);
        }
        value
    }

    /// `<Type as Trait>::name`.
    fn qualified_path(&mut self, own: &Type, path: &syn::Path, at: Span) -> StepId {
        let Some(last) = path.segments.last() else { return self.nothing(at) };
        let mut parts: Vec<Name> = match of_type(&self.scope, own) {
            Term::Path(path) => path.split('.').map(Name::new).collect(),
            _ => path.segments.iter().rev().skip(1).take(1).map(|segment| name(&segment.ident)).collect(),
        };
        parts.push(name(&last.ident));
        self.parts_value(&parts, at)
    }

    /// A call of a path: a function, a tuple struct, a variant.
    fn path_call(&mut self, call: &'f syn::ExprCall, at: Span) -> StepId {
        if let [only] = &call.args.iter().collect::<Vec<_>>()[..] {
            if is_path_to(&call.func, WRAPPERS) {
                return self.value(only);
            }
            if is_path_to(&call.func, &["Err"]) {
                let error = self.value(only);
                self.raises(Some(error), at);
                return self.nothing(at);
            }
        }
        let later = is_spawn(&call.func);
        let callee = self.value(&call.func);
        let arguments: Vec<Argument> = call
            .args
            .iter()
            .map(|argument| {
                let value = match argument {
                    Expr::Async(inner) if later => {
                        self.lambda(Code::Block(&inner.block), true, span(argument))
                    }
                    other => self.value(other),
                };
                Argument { kind: ArgumentKind::Plain, value }
            })
            .collect();
        self.emit(StepKind::Call { callee, arguments: arguments.into() }, at)
    }

    pub(super) fn raises(&mut self, value: Option<StepId>, at: Span) {
        self.emit(StepKind::Raise { value, cause: None }, at);
        self.leave_to(Next::Throw);
    }

    /// `let x: T = y.into();`, a returned `y.into()` where a `T` is promised and `..y.into()` of a `T` are `T::from(y)`.
    pub(super) fn converted(&mut self, expression: &'f Expr, wanted: &Term) -> Option<StepId> {
        let (Expr::MethodCall(call), Term::Path(path)) = (expression, wanted) else { return None };
        if !matches!(&*call.method.to_string(), "into") || !call.args.is_empty() || &**path == "str" {
            return None;
        }
        let parts: Vec<Name> = path.split('.').map(Name::new).collect();
        Some(self.converted_to(&parts, &call.receiver, span(expression)))
    }

    fn converted_to(&mut self, parts: &[Name], from: &'f Expr, at: Span) -> StepId {
        let value = self.value(from);
        let mut parts = parts.to_vec();
        parts.push(Name::new("from"));
        let callee = self.parts_value(&parts, at);
        let arguments = vec![Argument { kind: ArgumentKind::Plain, value }];
        self.emit(StepKind::Call { callee, arguments: arguments.into() }, at)
    }

    /// `Type { field: value, ..base }`: a new value, or what `base` is with other fields.
    fn struct_literal(&mut self, literal: &'f syn::ExprStruct, at: Span) -> StepId {
        let parts: Vec<Name> = literal.path.segments.iter().map(|segment| name(&segment.ident)).collect();
        let mut fields = Vec::new();
        for field in &literal.fields {
            let value = self.value(&field.expr);
            let own = match &field.member {
                Member::Named(ident) => name(ident),
                Member::Unnamed(index) => Name::new(&index.index.to_string()),
            };
            fields.push((own, value, span(field)));
        }
        let rest = literal.rest.as_deref();
        if rest.is_none_or(is_default) {
            let callee = self.path_value(&literal.path, at);
            let keyword = |&(own, value, _): &(Name, StepId, Span)| Argument {
                kind: ArgumentKind::Keyword(own),
                value,
            };
            let mut arguments: Vec<Argument> = fields.iter().map(keyword).collect();
            if let Some(rest) = rest {
                // `ActiveModelTrait::default()` is not what the type says; it sets nothing.
                let is_own = !matches!(rest, Expr::Call(call) if is_path_to(&call.func, &["ActiveModelTrait::default"]));
                if is_own {
                    let value = self.default_of(&parts, span(rest));
                    arguments.push(Argument { kind: ArgumentKind::SpreadKeywords, value });
                }
            }
            return self.emit(StepKind::Call { callee, arguments: arguments.into() }, at);
        }
        let Some(rest) = rest else { return self.nothing(at) };
        let base = match rest {
            Expr::MethodCall(call) if call.method == "into" => {
                self.converted_to(&parts, &call.receiver, span(rest))
            }
            other => self.value(other),
        };
        for (own, value, at) in fields {
            self.emit(StepKind::Store { of: base, name: own, value }, at);
        }
        base
    }

    /// `Type::default()`.
    fn default_of(&mut self, parts: &[Name], at: Span) -> StepId {
        let mut parts = parts.to_vec();
        parts.push(Name::new("default"));
        let callee = self.parts_value(&parts, at);
        self.emit(StepKind::Call { callee, arguments: Box::default() }, at)
    }

    fn assign(&mut self, target: &'f Expr, value: StepId, at: Span) {
        match target {
            Expr::Field(field) => {
                let of = self.value(&field.base);
                let own = match &field.member {
                    Member::Named(ident) => name(ident),
                    Member::Unnamed(index) => Name::new(&index.index.to_string()),
                };
                self.emit(StepKind::Store { of, name: own, value }, at);
            }
            Expr::Index(index) => {
                let (of, key) = (self.value(&index.expr), self.value(&index.index));
                self.emit(StepKind::StoreIndex { of, key, value }, at);
            }
            Expr::Path(path) => {
                if let Some(own) = path.path.get_ident() {
                    self.bind(name(own), value, None, at);
                }
            }
            Expr::Tuple(tuple) => {
                for (index, part) in (0..).zip(&tuple.elems) {
                    let piece = self.emit(StepKind::Part { of: value, index: Some(index) }, at);
                    self.deeper(at, |body| body.assign(part, piece, at));
                }
            }
            Expr::Unary(inner) => {
                self.deeper(at, |body| body.assign(&inner.expr, value, at));
            }
            Expr::Paren(inner) => {
                self.deeper(at, |body| body.assign(&inner.expr, value, at));
            }
            _ => {}
        }
    }

    fn looping(&mut self, expression: &'f Expr) {
        let after = self.new_block();
        let head = self.new_block();
        let label = |label: &Option<syn::Label>| label.as_ref().map(|label| label.name.ident.to_string());
        match expression {
            Expr::ForLoop(for_loop) => {
                let iterated = self.value(&for_loop.expr);
                let (inside, exhausted) = (self.new_block(), self.new_block());
                self.finish_into(Next::Goto(head), head);
                self.finish_into(Next::Any(vec![inside, exhausted]), inside);
                let element = self.emit(StepKind::Element(iterated), span(&for_loop.pat));
                self.take_apart(&for_loop.pat, element);
                self.looped(label(&for_loop.label), &for_loop.body, head, after);
                self.finish_into(Next::Goto(head), exhausted);
                self.finish_into(Next::Goto(after), after);
            }
            Expr::While(while_loop) => {
                let inside = self.new_block();
                self.finish_into(Next::Goto(head), head);
                self.condition(&while_loop.cond, inside, after);
                self.begin(inside);
                self.looped(label(&while_loop.label), &while_loop.body, head, after);
                self.finish_into(Next::Goto(head), after);
            }
            Expr::Loop(endless) => {
                self.finish_into(Next::Goto(head), head);
                self.looped(label(&endless.label), &endless.body, head, after);
                self.finish_into(Next::Goto(head), after);
            }
            _ => {}
        }
    }

    fn looped(&mut self, label: Option<String>, block: &'f syn::Block, again: u32, after: u32) {
        self.loops.push(Loop { label, again: Some(again), after });
        self.block_value(block);
        self.loops.pop();
    }

    /// `break` and `continue`, of the innermost loop or of the one with the label.
    fn jump(&mut self, label: Option<&syn::Lifetime>, target: impl Fn(&Loop) -> Option<u32>) {
        let label = label.map(|label| label.ident.to_string());
        let outermost = self.frames.last().map_or(0, |frame| frame.loops);
        let wanted = self.loops[outermost..].iter().rev().find(|known| match &label {
            Some(label) => known.label.as_ref() == Some(label),
            None => known.again.is_some(),
        });
        if let Some(block) = wanted.and_then(target) {
            self.leave_to(Next::Goto(block));
        }
    }

    /// Code that runs when somebody calls it.
    fn lambda(&mut self, code: Code<'f>, is_async: bool, at: Span) -> StepId {
        let qualname = self.qualified("<lambda>");
        let mut function = empty_function(Name::new("<lambda>"), qualname, FunctionKind::Lambda);
        function.span = at;
        function.name_span = at;
        function.is_async = is_async;
        function.parent = Some(self.index);
        if let Code::Closure(closure) = code {
            function.params = self.closure_parameters(closure);
        }
        let scope = std::rc::Rc::new(Scope { prefix: String::new(), ..(*self.scope).clone() });
        let index = self.lower.add_function(function, code, scope);
        self.emit(StepKind::Function(index), at)
    }

    pub(super) fn text_value(&mut self, call: &syn::Macro, at: Span) -> Option<StepId> {
        let text = literal::concatenated(call)?;
        Some(self.emit(StepKind::Literal(Literal::Text(Name::new(&text))), at))
    }
}

/// `Default::default()`, `ActiveModelTrait::default()`, `Self::default()`.
fn is_default(expression: &Expr) -> bool {
    matches!(expression, Expr::Call(call) if call.args.is_empty() && is_path_to(&call.func, &["default"]))
}

/// Whether a function runs what it is handed later, on its own.
fn is_spawn(callee: &Expr) -> bool {
    let Expr::Path(path) = callee else { return false };
    path.path.segments.last().is_some_and(|last| last.ident.to_string().contains("spawn"))
}
