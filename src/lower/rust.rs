//! lower/rust: Rust by syn: parses a text, then lowers one body after the other.
//!
//! An error is a value in Rust, and the facts know exceptions: so a `Result` that is matched is a `try`, its `Err` arm a
//! handler, `?` is nothing at all, since an exception goes up by itself, and `Err(…)` raises. What macros of well-known
//! derives add to a program (`table!`, `DeriveEntityModel`) is lowered as if it were written out.

use std::rc::Rc;

use syn::spanned::Spanned;
use typed_arena::Arena;

use crate::facts::{Class, FileFacts, Function, FunctionKind, LocalGap};
use crate::name::Name;
use crate::source::Span;
use crate::token;

use super::outline::empty_function;
use body::Body;
use scope::Scope;

mod body;
mod caught;
mod closure;
mod condition;
mod expression;
mod import;
mod item;
pub(super) mod layout;
mod literal;
mod macros;
mod pattern;
mod remark;
mod scope;
mod shape;
mod statement;
mod table;
mod term;

/// How deep statements and expressions may nest. Real code stays far below; the stack holds it easily.
const DEEPEST: usize = 200;

/// How deep brackets, generics and prefix signs may nest in a text that is given to the parser, which needs its stack
/// for each level.
const DEEPEST_TEXT: usize = 400;

/// How many links (operators, dots, `else`) one chain may have: it becomes a tree of that depth.
const LONGEST_CHAIN: usize = 50_000;

/// The stack of the thread that lowers a file, in bytes. What is not used is not taken from the machine.
const STACK: usize = 256 << 20;

/// What a Rust text says.
pub(super) fn lower(text: &str) -> FileFacts {
    let lowered = with_deep_stack(|| lower_here(text));
    let mut facts =
        lowered.unwrap_or_else(|| without_code(text, whole(text, "no memory for another thread")));
    facts.remarks = remark::remarks(text);
    facts
}

/// Whether a text can be parsed.
fn parses(text: &str) -> bool {
    let parsed = with_deep_stack(|| {
        let parsed = parse(text).is_ok();
        proc_macro2::extra::invalidate_current_thread_spans();
        parsed
    });
    parsed.unwrap_or(false)
}

/// Does what needs a stack for trees that are deep or long; none where there is no memory for it.
fn with_deep_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work).ok()?;
        match thread.join() {
            Ok(done) => Some(done),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

fn lower_here(text: &str) -> FileFacts {
    let facts = match parse(text) {
        Ok(file) => {
            let (macros, blocks) = (Arena::new(), Arena::new());
            let mut lowering = Lowering {
                text,
                facts: FileFacts::default(),
                jobs: Vec::new(),
                macros: &macros,
                blocks: &blocks,
            };
            lowering.file(&file);
            lowering.facts
        }
        Err(gap) => without_code(text, gap),
    };
    // Spans stay alive with the thread; the facts need them no more.
    proc_macro2::extra::invalidate_current_thread_spans();
    facts
}

/// A text as a syntax tree.
///
/// # Errors
/// The place that is no Rust.
pub(super) fn parse(text: &str) -> Result<syn::File, LocalGap> {
    if let Some(reason) = too_deep(text) {
        return Err(whole(text, &reason));
    }
    // The parser would count offsets from behind the line that says how to run the file.
    let first = token::tokens(text).next().filter(|first| text[first.span.range()].starts_with("#!"));
    let blank = first.filter(|first| first.kind == token::Kind::Comment).map(|first| {
        let length = first.span.end as usize;
        " ".repeat(length) + &text[length..]
    });
    syn::parse_file(blank.as_deref().unwrap_or(text)).map_err(|fault| LocalGap {
        span: Span::new(fault.span().byte_range()),
        reason: format!("syntax error: {fault}"),
    })
}

/// Why a text is not given to the parser. Signs in strings count as well, which real code never comes near to.
fn too_deep(text: &str) -> Option<String> {
    let (mut brackets, mut angles, mut signs, mut links, mut elses) =
        (0_usize, 0_usize, 0_usize, 0_usize, 0_usize);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => brackets += 1,
            b')' | b']' | b'}' => brackets = brackets.saturating_sub(1),
            b'<' => angles += 1,
            b'>' => angles = angles.saturating_sub(1),
            _ => {}
        }
        match byte {
            b'!' | b'-' | b'*' | b'&' | b'|' => signs += 1,
            b' ' | b'\t' | b'\n' | b'\r' => {}
            _ => signs = 0,
        }
        match byte {
            b'+' | b'-' | b'*' | b'/' | b'&' | b'|' | b'^' | b'%' | b'.' | b'?' | b'=' => links += 1,
            b';' | b'{' | b'}' => (links, angles) = (0, 0),
            b'e' if text.as_bytes()[at..].starts_with(b"else") => elses += 1,
            _ => {}
        }
        if brackets + angles + signs > DEEPEST_TEXT {
            return Some(format!("nested deeper than {DEEPEST_TEXT} levels"));
        }
        if links > LONGEST_CHAIN || elses > LONGEST_CHAIN {
            return Some(format!("an expression of more than {LONGEST_CHAIN} parts"));
        }
    }
    None
}

fn whole(text: &str, reason: &str) -> LocalGap {
    LocalGap { span: Span::new(0..text.len()), reason: reason.to_owned() }
}

fn without_code(text: &str, gap: LocalGap) -> FileFacts {
    FileFacts { functions: vec![module(text)], gaps: vec![gap], ..FileFacts::default() }
}

fn module(text: &str) -> Function {
    let mut module = empty_function(Name::new("<module>"), "<module>".into(), FunctionKind::Module);
    module.span = Span::new(0..text.len());
    module
}

/// A body that waits for its turn.
struct Job<'f> {
    code: Code<'f>,
    function: usize,
    scope: Rc<Scope>,
}

/// What a body is made of.
#[derive(Clone, Copy)]
enum Code<'f> {
    /// All items of a file.
    File(&'f syn::File),
    /// The block of a function, with the patterns of its parameters.
    Function(&'f syn::Signature, &'f syn::Block),
    /// The block of something that runs by itself later.
    Block(&'f syn::Block),
    /// A closure.
    Closure(&'f syn::ExprClosure),
    /// Nothing.
    Nothing,
}

/// One file on its way to facts.
struct Lowering<'s, 'f> {
    text: &'s str,
    facts: FileFacts,
    jobs: Vec<Job<'f>>,
    /// What macros were handed, parsed.
    macros: &'f Arena<syn::Expr>,
    blocks: &'f Arena<syn::Block>,
}

impl<'f> Lowering<'_, 'f> {
    fn file(&mut self, file: &'f syn::File) {
        self.facts.functions.push(module(self.text));
        self.jobs.push(Job { code: Code::File(file), function: 0, scope: Rc::default() });
        // A queue, not a stack: definitions keep their source order within a scope.
        let mut at = 0;
        while at < self.jobs.len() {
            let Job { code, function, ref scope } = self.jobs[at];
            let scope = Rc::clone(scope);
            at += 1;
            Body::lower(self, code, function, scope);
        }
        self.facts.gaps.sort_by_key(|gap| gap.span);
        self.facts.gaps.dedup();
    }

    /// Keeps expressions that were parsed out of a macro for as long as the file.
    fn keep(&self, expressions: Vec<syn::Expr>) -> &'f [syn::Expr] {
        self.macros.alloc_extend(expressions)
    }

    /// The same of blocks.
    fn keep_blocks(&self, blocks: Vec<syn::Block>) -> &'f [syn::Block] {
        self.blocks.alloc_extend(blocks)
    }

    fn gap(&mut self, span: Span, reason: &str) {
        self.facts.gaps.push(LocalGap { span, reason: reason.to_owned() });
    }

    fn add_function(&mut self, function: Function, code: Code<'f>, scope: Rc<Scope>) -> usize {
        let index = self.facts.functions.len();
        self.facts.functions.push(function);
        self.jobs.push(Job { code, function: index, scope });
        index
    }

    fn add_class(&mut self, class: Class) -> usize {
        self.facts.classes.push(class);
        self.facts.classes.len() - 1
    }
}

fn span(node: &impl Spanned) -> Span {
    Span::new(node.span().byte_range())
}

fn name(ident: &syn::Ident) -> Name {
    let text = ident.to_string();
    Name::new(text.strip_prefix("r#").unwrap_or(&text))
}
