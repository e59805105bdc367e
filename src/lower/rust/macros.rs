//! lower/rust/macros: macros in code: what they are handed is read where it is a list of expressions.

use proc_macro2::{TokenStream, TokenTree};
use syn::punctuated::Punctuated;
use syn::{Expr, Macro, Token};

use crate::facts::{Argument, ArgumentKind, Literal, Next, StepId, StepKind};
use crate::name::Name;
use crate::source::Span;

use super::body::Body;
use super::{literal, name, span};

/// Macros that end the path they stand on.
const ENDING: &[&str] = &["bail", "panic", "todo", "unimplemented", "unreachable"];

/// Macros that keep a record, of `tracing`, `log` and kin.
const LOGGING: &[&str] = &["debug", "error", "event", "info", "log", "trace", "warn"];

impl<'f> Body<'_, '_, 'f> {
    /// A macro in code.
    pub(super) fn macro_value(&mut self, call: &Macro) -> StepId {
        let at = span(call);
        let Some(last) = call.path.segments.last().map(|last| last.ident.to_string()) else {
            return self.nothing(at);
        };
        if let Some(text) = self.text_value(call, at) {
            return text;
        }
        match &*last {
            "format" | "format_args" => {
                let values = self.pieces(call).unwrap_or_else(|| self.mentioned(call));
                self.emit(StepKind::Format(values.into()), at)
            }
            "print" | "println" | "eprint" | "eprintln" => {
                let callee = self.emit(StepKind::Name(Name::new("print")), at);
                let arguments = self.plainly(call);
                self.emit(StepKind::Call { callee, arguments: arguments.into() }, at)
            }
            logging if LOGGING.contains(&logging) => {
                let callee = match call.path.segments.len() {
                    1 => {
                        let root = self.root_of_path(Name::new("tracing"), at);
                        self.emit(StepKind::Attribute { of: root, name: Name::new(logging) }, at)
                    }
                    _ => self.path_value(&call.path, at),
                };
                let arguments = self.plainly(call);
                self.emit(StepKind::Call { callee, arguments: arguments.into() }, at)
            }
            ending if ENDING.contains(&ending) => {
                let values = self.mentioned(call);
                let value = self.emit(StepKind::Format(values.into()), at);
                self.raises(Some(value), at);
                self.nothing(at)
            }
            _ => self.call_of_macro(call, &last, at),
        }
    }

    fn call_of_macro(&mut self, call: &Macro, last: &str, at: Span) -> StepId {
        let parsed = match last {
            "vec" => call.parse_body_with(repeated_or_list),
            "matches" => call.parse_body_with(first_only),
            _ => call.parse_body_with(listed),
        };
        let Ok(parsed) = parsed else {
            if let Some(value) = self.blocks_of_macro(call) {
                return value;
            }
            // Whatever it does, it may do it to what it names.
            let callee = self.path_value(&call.path, at);
            let arguments = self.plainly(call);
            return self.emit(StepKind::Call { callee, arguments: arguments.into() }, at);
        };
        let parsed: &'f [Expr] = self.lower.keep(parsed);
        match last {
            "vec" => {
                let items = parsed.iter().map(|item| self.value(item)).collect();
                self.emit(StepKind::List(items), at)
            }
            "join" | "try_join" => {
                let items = parsed.iter().map(|item| self.value(item)).collect();
                self.emit(StepKind::List(items), at)
            }
            "assert" | "assert_eq" | "assert_ne" | "debug_assert" | "debug_assert_eq" | "dbg" | "matches"
            | "black_box" => {
                let values: Vec<StepId> = parsed.iter().map(|part| self.value(part)).collect();
                self.emit(StepKind::Compute(values.into()), at)
            }
            "ensure" => {
                if let Some(test) = parsed.first() {
                    let (holds, fails) = (self.new_block(), self.new_block());
                    self.condition(test, holds, fails);
                    self.begin(fails);
                    self.raises(None, at);
                    self.finish(Next::Throw);
                    self.begin(holds);
                }
                self.nothing(at)
            }
            _ => {
                let callee = self.path_value(&call.path, at);
                let (closure, plain) = match parsed.split_last() {
                    Some((Expr::Closure(closure), before)) => (Some(closure), before),
                    _ => (None, parsed),
                };
                let arguments = self.arguments(plain.iter());
                let begun = self.emit(StepKind::Call { callee, arguments: arguments.into() }, at);
                match closure {
                    // `write_transaction!(context, |connection| …)` runs it, once.
                    Some(closure) => {
                        let handed: Vec<StepId> = closure.inputs.iter().map(|_| begun).collect();
                        self.closure_here(closure, &handed)
                    }
                    None => begun,
                }
            }
        }
    }

    /// The pieces of a text that is put together: `format!("UPDATE {TABLE} SET state = {}", state)`.
    fn pieces(&mut self, call: &Macro) -> Option<Vec<StepId>> {
        let parsed: &'f [Expr] = self.lower.keep(call.parse_body_with(listed).ok()?);
        let (first, others) = parsed.split_first()?;
        let text = literal::text(first)?;
        let at = span(call);
        let mut positional = others.iter();
        let mut values = Vec::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            values.push(self.text_piece(before, at));
            if let Some(behind) = after.strip_prefix('{') {
                values.push(self.text_piece("{", at));
                rest = behind;
                continue;
            }
            let (inside, behind) = after.split_once('}')?;
            let word = inside.split(':').next().unwrap_or(inside);
            values.push(match positional.next().filter(|_| word.is_empty()) {
                Some(value) => self.value(value),
                None if is_word(word) => self.emit(StepKind::Name(Name::new(word)), at),
                None => self.emit(StepKind::Compute(Box::default()), at),
            });
            rest = behind;
        }
        values.push(self.text_piece(rest, at));
        Some(values)
    }

    fn text_piece(&mut self, text: &str, at: Span) -> StepId {
        self.emit(StepKind::Literal(Literal::Text(Name::new(text))), at)
    }

    /// A macro that is handed code: what stands in its braces runs, one block or another.
    fn blocks_of_macro(&mut self, call: &Macro) -> Option<StepId> {
        let blocks: Vec<syn::Block> = blocks_in(call.tokens.clone());
        if blocks.is_empty() {
            return None;
        }
        let at = span(call);
        let blocks: &'f [syn::Block] = self.lower.keep_blocks(blocks);
        let (after, kept) = (self.new_block(), self.temporary());
        let entries: Vec<_> = blocks.iter().map(|_| self.new_block()).collect();
        self.finish(Next::Any(entries.clone()));
        for (block, entry) in blocks.iter().zip(entries) {
            self.begin(entry);
            let value = self.block_value(block);
            self.bind(kept, value, None, at);
            self.finish(Next::Goto(after));
        }
        self.begin(after);
        Some(self.emit(StepKind::Name(kept), at))
    }

    fn plainly(&mut self, call: &Macro) -> Vec<Argument> {
        let values = self.mentioned(call);
        values.into_iter().map(|value| Argument { kind: ArgumentKind::Plain, value }).collect()
    }

    /// The variables that a macro names, in its tokens and in the texts it formats.
    fn mentioned(&mut self, call: &Macro) -> Vec<StepId> {
        let mut names = Vec::new();
        mentioned(call.tokens.clone(), &mut names);
        names.dedup();
        let at = span(call);
        names.into_iter().map(|name| self.emit(StepKind::Name(name), at)).collect()
    }
}

/// The blocks of code that tokens hold: all of them together, or each group in braces that is one. A macro of the
/// program may hand its groups on to others.
fn blocks_in(tokens: TokenStream) -> Vec<syn::Block> {
    let statements = |tokens: TokenStream| {
        use syn::parse::Parser;
        syn::Block::parse_within.parse2(tokens).ok().filter(|found| !found.is_empty())
    };
    let block = |stmts: Vec<syn::Stmt>| syn::Block { brace_token: syn::token::Brace::default(), stmts };
    if let Some(found) = statements(tokens.clone()) {
        return vec![block(found)];
    }
    let group = |token: TokenTree| match token {
        TokenTree::Group(group) if group.delimiter() == proc_macro2::Delimiter::Brace => {
            statements(group.stream())
        }
        _ => None,
    };
    tokens.into_iter().filter_map(group).map(block).collect()
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c == '_' || c.is_alphabetic())
        && text.chars().all(|c| c == '_' || c.is_alphanumeric())
}

/// `a, b, c`.
fn listed(input: syn::parse::ParseStream<'_>) -> syn::Result<Vec<Expr>> {
    Ok(Punctuated::<Expr, Token![,]>::parse_terminated(input)?.into_iter().collect())
}

/// `a; n` or `a, b, c`.
fn repeated_or_list(input: syn::parse::ParseStream<'_>) -> syn::Result<Vec<Expr>> {
    let mut all = Vec::new();
    while !input.is_empty() {
        all.push(input.parse()?);
        if input.peek(Token![;]) {
            input.parse::<Token![;]>()?;
        } else if input.peek(Token![,]) {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(all)
}

/// `a, pattern`.
fn first_only(input: syn::parse::ParseStream<'_>) -> syn::Result<Vec<Expr>> {
    let first = input.parse()?;
    input.parse::<TokenStream>()?;
    Ok(vec![first])
}

/// The names in tokens that are no parts of paths, fields, calls or labels.
pub(super) fn mentioned(tokens: TokenStream, found: &mut Vec<Name>) {
    let mut waiting = vec![tokens];
    while let Some(tokens) = waiting.pop() {
        let all: Vec<TokenTree> = tokens.into_iter().collect();
        for (at, token) in all.iter().enumerate() {
            let is_sign = |at: Option<usize>, sign: char| matches!(at.and_then(|at| all.get(at)), Some(TokenTree::Punct(punct)) if punct.as_char() == sign);
            match token {
                TokenTree::Group(group) => waiting.push(group.stream()),
                TokenTree::Ident(ident) => {
                    let before = at.checked_sub(1);
                    let is_part = is_sign(before, '.') || is_sign(before, ':');
                    let leads = is_sign(Some(at + 1), ':') && is_sign(Some(at + 2), ':')
                        || is_sign(Some(at + 1), '!')
                        || is_sign(Some(at + 1), '=') && !is_sign(Some(at + 2), '=');
                    if !is_part && !leads {
                        found.push(name(ident));
                    }
                }
                TokenTree::Literal(literal) => in_format(&literal.to_string(), found),
                TokenTree::Punct(_) => {}
            }
        }
    }
}

/// The names in braces of a text that is formatted: `"{name}"`, `"{name:?}"`.
fn in_format(text: &str, found: &mut Vec<Name>) {
    if !text.contains('"') {
        return;
    }
    for piece in text.split('{').skip(1) {
        let end = piece.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(piece.len());
        let (word, rest) = piece.split_at(end);
        let begins = word.chars().next().is_some_and(|c| c == '_' || c.is_alphabetic());
        if begins && rest.starts_with(['}', ':']) {
            found.push(Name::new(word));
        }
    }
}
