//! lower/rust/body: one body of Rust code on its way to an outline.

use std::ops::{Deref, DerefMut};
use std::rc::Rc;

use crate::facts::{BlockId, FunctionKind, Next, StepId, StepKind, Term};
use crate::name::Name;
use crate::source::Span;

use super::super::outline::{Outline, empty_function};
use super::scope::Scope;
use super::{Code, DEEPEST, Lowering};

/// A loop or labelled block that a jump may leave or go round again.
#[derive(Clone)]
pub(super) struct Loop {
    pub(super) label: Option<String>,
    pub(super) again: Option<BlockId>,
    pub(super) after: BlockId,
}

/// A closure or `async` block that is lowered where it stands: what it returns is the value of the place.
pub(super) struct Frame {
    /// Where a `return` in it goes, and the variable that takes the value, once one was met.
    pub(super) exit: Option<(BlockId, Name)>,
    /// How many loops lie around it.
    pub(super) loops: usize,
}

/// One body on its way to an outline.
pub(super) struct Body<'l, 's, 'f> {
    pub(super) lower: &'l mut Lowering<'s, 'f>,
    /// The index of the function that is built.
    pub(super) index: usize,
    pub(super) scope: Rc<Scope>,
    pub(super) loops: Vec<Loop>,
    pub(super) frames: Vec<Frame>,
    /// Variables that are made where they are taken apart, with what makes them.
    pub(super) deferred: Vec<(Name, &'f syn::Expr)>,
    outline: Outline,
    depth: usize,
    temporaries: usize,
}

impl Deref for Body<'_, '_, '_> {
    type Target = Outline;

    fn deref(&self) -> &Outline {
        &self.outline
    }
}

impl DerefMut for Body<'_, '_, '_> {
    fn deref_mut(&mut self) -> &mut Outline {
        &mut self.outline
    }
}

impl<'l, 's, 'f> Body<'l, 's, 'f> {
    /// Lowers the body of function `index`.
    pub(super) fn lower(lower: &'l mut Lowering<'s, 'f>, code: Code<'f>, index: usize, scope: Rc<Scope>) {
        let placeholder = empty_function(Name::new(""), String::new(), FunctionKind::Lambda);
        let function = std::mem::replace(&mut lower.facts.functions[index], placeholder);
        let mut body = Body {
            lower,
            index,
            scope,
            loops: Vec::new(),
            frames: Vec::new(),
            deferred: Vec::new(),
            outline: Outline::of(function),
            depth: 0,
            temporaries: 0,
        };
        match code {
            Code::File(file) => body.items(&file.items),
            Code::Function(signature, block) => {
                body.parameters_taken_apart(signature.inputs.iter());
                body.tail_block(block);
            }
            Code::Block(block) => body.tail_block(block),
            Code::Closure(closure) => {
                body.closure_parameters_taken_apart(closure);
                body.tail(&closure.body);
            }
            Code::Nothing => {}
        }
        let Body { lower, outline, .. } = body;
        lower.facts.functions[index] = outline.ended();
    }

    /// Runs `inner` one level deeper, or tells a gap and answers nothing where the code nests too deep.
    pub(super) fn deeper<T>(&mut self, at: Span, inner: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.depth >= DEEPEST {
            self.lower.gap(at, &format!("nested deeper than {DEEPEST} levels"));
            return None;
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        Some(result)
    }

    /// Binds a name to a value.
    pub(super) fn bind(&mut self, name: Name, value: StepId, annotation: Option<Term>, at: Span) {
        self.bind_name(name);
        self.emit(StepKind::Bind { name, value, annotation: annotation.map(Box::new) }, at);
    }

    /// Binds a name to a definition; of several with one name in the modules of a file, the first counts.
    pub(super) fn define(&mut self, name: Name, definition: StepKind, at: Span) {
        if self.scope.modules > 0 && self.function.bindings(name).next().is_some() {
            return;
        }
        let value = self.emit(definition, at);
        self.bind(name, value, None, at);
    }

    /// A variable that no code can name.
    pub(super) fn temporary(&mut self) -> Name {
        self.temporaries += 1;
        Name::temporary(self.temporaries)
    }

    /// The qualified name of something defined here.
    pub(super) fn qualified(&self, name: &str) -> String {
        match self.function.kind {
            FunctionKind::Module => format!("{}{name}", self.scope.prefix),
            _ => format!("{}.{name}", self.function.qualname),
        }
    }

    /// Goes on in another block and comes back to none: what follows in the text is not reached from here.
    pub(super) fn leave_to(&mut self, next: Next) {
        self.finish(next);
        self.begin_unreachable();
    }
}
