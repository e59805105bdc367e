//! facts: what a file says, as plain data that is the same for every language.
//!
//! A function is a small control-flow outline: numbered steps in blocks, blocks with successors, and regions that say
//! where an exception lands. The result of a step is named by the step's number, so nothing here nests: however deep
//! the source is, the outline is flat. What a step *means* (a model is constructed, a session committed) is for
//! `flow` to tell; here it is only a call of something.

use serde::{Deserialize, Serialize};

use crate::name::Name;
use crate::source::Span;

pub mod print;

/// Everything one file says.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct FileFacts {
    /// Functions; the first is the module's own top-level code.
    pub functions: Vec<Function>,
    /// Classes, in source order.
    pub classes: Vec<Class>,
    /// Imports, in source order.
    pub imports: Vec<Import>,
    /// Names assigned or annotated at the top level of the module.
    pub declared: Vec<Field>,
    /// What the module says it exports (`__all__`), in source order; `None` when it says nothing.
    pub exports: Option<Vec<Export>>,
    /// Comments that speak to trailcheck.
    pub remarks: Vec<Remark>,
    /// Places that could not be understood.
    pub gaps: Vec<LocalGap>,
}

/// A place in the file that could not be understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalGap {
    /// Where.
    pub span: Span,
    /// The reason in plain words.
    pub reason: String,
}

/// A comment that speaks to trailcheck, with the code it speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// The comment itself.
    pub span: Span,
    /// Its text, from the comment mark on.
    pub text: String,
    /// The statement it covers: the one it trails, or the next one; a whole definition where that begins one.
    pub covers: Span,
    /// Whether it stands before the first statement of the file.
    pub at_top: bool,
}

/// One bound name of one import statement.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Import {
    /// The dotted module, without the leading dots of a relative import.
    pub module: Name,
    /// How many leading dots; 0 is absolute.
    pub level: u32,
    /// What is taken from it.
    pub item: Imported,
    /// The name it binds; for a star import, `*`.
    pub binds: Name,
    /// Where the bound item is written.
    pub span: Span,
}

/// What an import takes from a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Imported {
    /// `import a.b` binds `a`.
    Root,
    /// `import a.b as c` binds the module `a.b`.
    Module,
    /// `from a import b`.
    Item(Name),
    /// `from a import *`.
    Star,
}

/// One statement about what a module exports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Export {
    /// These names.
    Names(Vec<Name>),
    /// Everything that this dotted path (`other.__all__`) exports.
    Of(Name),
    /// Something that could not be evaluated.
    Unknown,
}

/// A class.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Class {
    /// Its name.
    pub name: Name,
    /// `Outer.Inner`, `function.Class`.
    pub qualname: String,
    /// The whole definition, decorators included.
    pub span: Span,
    /// Base classes as written.
    pub bases: Vec<Term>,
    /// Keywords of the class statement (`table=True`).
    pub keywords: Vec<(Name, Term)>,
    /// Decorators as written.
    pub decorators: Vec<Term>,
    /// Names assigned or annotated in the body.
    pub fields: Vec<Field>,
    /// Functions defined in the body; a later definition of a name replaces an earlier one.
    pub methods: Vec<(Name, usize)>,
    /// The code of the body, as an index into [`FileFacts::functions`].
    pub body: usize,
    /// The function whose scope holds the class.
    pub scope: usize,
    /// The type declared elsewhere to which this is only more methods and bases.
    pub adds_to: Option<Name>,
}

/// A name assigned or annotated in a class body or at the top of a module.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Field {
    /// The name.
    pub name: Name,
    /// Its annotation.
    pub annotation: Option<Term>,
    /// Its value.
    pub value: Option<Term>,
    /// Where the name is written.
    pub span: Span,
}

/// The value of a name that is given one once, among the names of a class body or of a module.
pub fn only_value(fields: &[Field], name: Name) -> Option<&Term> {
    let of_name = fields.iter().filter(|field| field.name == name);
    let mut values = of_name.filter_map(|field| field.value.as_ref());
    values.next().filter(|_| values.next().is_none())
}

/// An expression that declares something: an annotation, a base class, a decorator, a column, a default value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Term {
    /// `a.b.c`.
    Path(Name),
    /// `a.b(x, k=y)`.
    Call {
        /// What is called.
        callee: Box<Term>,
        /// Positional arguments.
        arguments: Vec<Term>,
        /// Keyword arguments.
        keywords: Vec<(Name, Term)>,
    },
    /// `a[b, c]`.
    Generic {
        /// What is subscripted.
        base: Box<Term>,
        /// The subscripts.
        arguments: Vec<Term>,
    },
    /// `a | b`.
    Union(Vec<Term>),
    /// A list, tuple or set.
    List(Vec<Term>),
    /// A string.
    Text(Name),
    /// `None`.
    None,
    /// `True` or `False`.
    Switch(bool),
    /// A whole number.
    Number(i64),
    /// `a + b`.
    Sum(Vec<Term>),
    /// A dictionary, lambda or anything else that is not looked into.
    Other,
}

/// Where a function's code comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FunctionKind {
    /// The top level of a module.
    Module,
    /// The body of a class.
    ClassBody,
    /// A function or method.
    Function,
    /// An anonymous function.
    Lambda,
}

/// A function, a class body or a module as an outline.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Function {
    /// Its own name.
    pub name: Name,
    /// `Class.method`, `outer.inner`, `<module>`.
    pub qualname: String,
    /// What it is.
    pub kind: FunctionKind,
    /// The whole definition.
    pub span: Span,
    /// Where its name is written.
    pub name_span: Span,
    /// Whether it is a coroutine.
    pub is_async: bool,
    /// Whether it yields.
    pub is_generator: bool,
    /// Parameters in order.
    pub params: Vec<Param>,
    /// The annotation of what it returns.
    pub returns: Option<Term>,
    /// Decorators as written.
    pub decorators: Vec<Term>,
    /// The class whose body defines it.
    pub class: Option<usize>,
    /// The function whose scope it is defined in.
    pub parent: Option<usize>,
    /// Every name its scope binds.
    pub bound: Vec<Bound>,
    /// Names its scope declares `global` or `nonlocal`.
    pub outer_names: Vec<Name>,
    /// Star imports of its scope, as indices into [`FileFacts::imports`].
    pub stars: Vec<usize>,
    /// All steps; each block holds a run of them.
    pub steps: Vec<Step>,
    /// Blocks; the first is the entry.
    pub blocks: Vec<Block>,
    /// Regions of `try` and `with`.
    pub regions: Vec<Region>,
    /// Exception handlers.
    pub handlers: Vec<Handler>,
    /// Expressions that are statements by themselves, in order: nothing takes their value.
    pub bare: Vec<StepId>,
}

impl Function {
    /// The values that the code binds to a name, in the order of its steps.
    pub fn bindings(&self, name: Name) -> impl DoubleEndedIterator<Item = StepId> + '_ {
        self.steps.iter().filter_map(move |step| match step.kind {
            StepKind::Bind { name: bound, value, .. } if bound == name => Some(value),
            _ => None,
        })
    }

    /// The value of a name that is bound in one place.
    pub fn bound_once(&self, name: Name) -> Option<StepId> {
        let mut values = self.bindings(name);
        values.next().filter(|_| values.next().is_none())
    }
}

/// A parameter.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Param {
    /// Its name.
    pub name: Name,
    /// How arguments reach it.
    pub kind: ParamKind,
    /// Its annotation.
    pub annotation: Option<Term>,
    /// Its default value.
    pub default: Option<Term>,
    /// The step of the code around the function that computes the default.
    pub default_step: Option<StepId>,
}

/// How arguments reach a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ParamKind {
    /// By position or by name.
    Plain,
    /// By name only.
    KeywordOnly,
    /// All further positional arguments.
    Rest,
    /// All further keyword arguments.
    RestKeywords,
}

/// A name that a scope binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// The name.
    pub name: Name,
    /// Whether every binding of it stands under a test for type checking only.
    pub only_for_types: bool,
}

/// The number of a step; also the name of its result.
pub type StepId = u32;
/// The number of a block.
pub type BlockId = u32;
/// The number of a region.
pub type RegionId = u32;
/// The number of a handler.
pub type HandlerId = u32;

/// One step.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Step {
    /// What it does.
    pub kind: StepKind,
    /// Where it is written.
    pub span: Span,
}

/// A literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Literal {
    /// `None`.
    None,
    /// `True` or `False`.
    Switch(bool),
    /// A string.
    Text(Name),
    /// A number or anything else.
    Other,
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Comparison {
    /// `is`, and `is not` when negated.
    Is,
    /// `==`, and `!=` when negated.
    Equal,
    /// `in`, and `not in` when negated.
    In,
    /// `<`, `>` and kin.
    Order,
}

/// What a step does. Numbers refer to earlier steps.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum StepKind {
    /// A literal.
    Literal(Literal),
    /// Reads a name.
    Name(Name),
    /// Reads an attribute.
    Attribute {
        /// Of what.
        of: StepId,
        /// Which.
        name: Name,
    },
    /// Reads `of[key]`.
    Index {
        /// Of what.
        of: StepId,
        /// Which.
        key: StepId,
    },
    /// Calls.
    Call {
        /// What.
        callee: StepId,
        /// With what.
        arguments: Box<[Argument]>,
    },
    /// Waits for a value.
    Await(StepId),
    /// Hands a value out of a generator.
    Yield(Option<StepId>),
    /// A list, tuple or set.
    List(Box<[StepId]>),
    /// A dictionary; a part without a key is spread into it.
    Dictionary(Box<[(Option<StepId>, StepId)]>),
    /// A string with values in it.
    Format(Box<[StepId]>),
    /// Compares.
    Compare {
        /// How.
        comparison: Comparison,
        /// `is not`, `!=`, `not in`.
        negated: bool,
        /// The left side.
        left: StepId,
        /// The right side.
        right: StepId,
    },
    /// Computes something from values: operators of every kind.
    Compute(Box<[StepId]>),
    /// `not x`.
    Not(StepId),
    /// One of several values: `a or b`, `a if c else b`.
    Either(Box<[StepId]>),
    /// A comprehension: many values of this kind.
    Gather(StepId),
    /// The keys of the dictionary that a comprehension makes: one in each turn that passes all tests.
    Turns {
        /// The key in a turn.
        of: StepId,
        /// What a turn has to pass, all of it.
        tests: Box<[StepId]>,
    },
    /// One element of what is iterated over.
    Element(StepId),
    /// The n-th part of an unpacked value; `None` where its place is not known.
    Part {
        /// Of what.
        of: StepId,
        /// Which.
        index: Option<u32>,
    },
    /// A function or lambda becomes a value.
    Function(usize),
    /// A class becomes a value.
    Class(usize),
    /// An import becomes a value.
    Import(usize),
    /// Binds a name.
    Bind {
        /// The name.
        name: Name,
        /// The value.
        value: StepId,
        /// The annotation, where one is written.
        annotation: Option<Box<Term>>,
    },
    /// Unbinds a name.
    Unbind(Name),
    /// Stores an attribute.
    Store {
        /// Of what.
        of: StepId,
        /// Which.
        name: Name,
        /// The value.
        value: StepId,
    },
    /// Stores `of[key]`.
    StoreIndex {
        /// Of what.
        of: StepId,
        /// Which.
        key: StepId,
        /// The value.
        value: StepId,
    },
    /// Enters a `with`; the value is what the context manager hands over.
    Enter(StepId),
    /// Leaves the `with` that `Enter` step began.
    Exit {
        /// The `Enter` step.
        enter: StepId,
        /// Whether an exception is on its way.
        raising: bool,
    },
    /// The exception a handler has caught.
    Caught(HandlerId),
    /// Raises; without a value, the caught exception again.
    Raise {
        /// What is raised.
        value: Option<StepId>,
        /// What it is raised from.
        cause: Option<StepId>,
    },
    /// Decides what the function returns; `finally` blocks and exits of `with` still follow.
    Return(Option<StepId>),
    /// A value an `assert` insists on.
    Assert(StepId),
}

/// An argument of a call.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Argument {
    /// How it is passed.
    pub kind: ArgumentKind,
    /// Its value.
    pub value: StepId,
}

/// How an argument is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ArgumentKind {
    /// By position.
    Plain,
    /// By name.
    Keyword(Name),
    /// `*x`.
    Spread,
    /// `**x`.
    SpreadKeywords,
}

/// A run of steps without a fork.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Block {
    /// First step.
    pub start: StepId,
    /// Just behind the last step.
    pub end: StepId,
    /// Where control goes.
    pub next: Next,
    /// The innermost region it lies in.
    pub region: Option<RegionId>,
}

/// Where control goes at the end of a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Next {
    /// To one block.
    Goto(BlockId),
    /// To one of two, by a value's truth.
    Branch {
        /// The value.
        test: StepId,
        /// When it is true.
        yes: BlockId,
        /// When it is not.
        no: BlockId,
    },
    /// To any of these.
    Any(Vec<BlockId>),
    /// Out of the function, normally.
    Leave,
    /// Out of the block with an exception.
    Throw,
    /// Behind a `finally` or the exit of a `with` that an exception ran into: the exception goes on.
    Resume {
        /// The `Enter` step of a `with` that may swallow the exception, and where control goes then.
        swallowed: Option<(StepId, BlockId)>,
    },
}

/// A stretch of code from which an exception lands somewhere.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Region {
    /// The region around it.
    pub parent: Option<RegionId>,
    /// What it is.
    pub kind: RegionKind,
    /// Where an exception that leaves it may land: handlers, a `finally`, the exit of a `with`.
    pub lands: Vec<BlockId>,
    /// Whether it may also pass by them all, to the region around.
    pub passes: bool,
}

/// What a region is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RegionKind {
    /// The body of a `try`, with its handlers as a range of handler numbers.
    Try {
        /// The first handler.
        first: HandlerId,
        /// Just behind the last.
        end: HandlerId,
    },
    /// The body of a handler.
    Handler(HandlerId),
    /// The body of a `with`, by its `Enter` step.
    With(StepId),
    /// Code before a `finally`: the `try` with its handlers and `else`.
    Guarded,
}

/// An exception handler.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Handler {
    /// The whole clause.
    pub span: Span,
    /// The clause's head, from `except` to the colon.
    pub head: Span,
    /// What it catches; empty is everything.
    pub catches: Vec<StepId>,
    /// The name it binds.
    pub binds: Option<Name>,
    /// Its first block.
    pub entry: BlockId,
    /// The region of the `try` body it belongs to.
    pub body: RegionId,
    /// The body of the `try` statement.
    pub body_span: Span,
}
