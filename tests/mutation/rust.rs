//! mutation/rust: the same for Rust: what stamps a row, tells of an error or keeps an audit row beside its change, and
//! how each is taken out.
//!
//! What stands there instead may be longer or shorter; places behind it are told as they were.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Expr, Member, Pat, Stmt};

use trailcheck::duty::Duty;
use trailcheck::facts::FileFacts;
use trailcheck::source::{Language, Source};

use super::place::{Clause, Kind, Place, Words};
use super::text;

/// A file of a program in Rust.
struct File<'a> {
    index: usize,
    /// Its own name, which is that of the table in a file of an entity.
    table: String,
    text: &'a str,
    facts: &'a FileFacts,
    tree: syn::File,
}

/// Every place of every file in Rust.
pub(crate) fn places<'a>(
    files: impl Iterator<Item = (&'a Source, &'a FileFacts)>,
    words: &Words<'_>,
) -> Vec<Place> {
    let files: Vec<File<'_>> = files
        .enumerate()
        .filter(|(_, (source, _))| source.language == Language::Rust)
        .map(|(index, (source, facts))| {
            let tree = syn::parse_file(&source.text).expect("a sample service is Rust");
            let table = source.path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            File { index, table, text: &source.text, facts, tree }
        })
        .collect();
    let helpers = helpers(&files, words);
    let structs = structs(&files);
    let mut found = Vec::new();
    for file in &files {
        let mut finder = Finder {
            file,
            words,
            helpers: &helpers,
            clauses: Vec::new(),
            blocks: Vec::new(),
            table: file.table.clone(),
            outside: Vec::new(),
            structs: &structs,
            found: &mut found,
        };
        finder.visit_file(&file.tree);
        found.extend(text::columns(file.index, file.text, file.facts, words));
    }
    found
}

/// Fields that may be `None`, with the structs they belong to.
fn structs(files: &[File<'_>]) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for item in files.iter().flat_map(|file| &file.tree.items) {
        let syn::Item::Struct(item) = item else { continue };
        for field in &item.fields {
            if let (Some(name), syn::Type::Path(of)) = (&field.ident, &field.ty)
                && of.path.segments.last().is_some_and(|last| last.ident == "Option")
            {
                found.insert((item.ident.to_string(), name.to_string()));
            }
        }
    }
    found
}

/// What functions and named closures do for whoever calls them, by name and number of arguments, where all of them do.
#[derive(Default, PartialEq, Eq)]
struct Helpers {
    /// The duties they may discharge on something they are handed.
    stamps: BTreeMap<(String, usize), BTreeSet<Duty>>,
    /// They write a line to the log.
    logs: BTreeSet<(String, usize)>,
}

/// A function, or a closure that has a name.
struct Definition<'a> {
    name: String,
    params: Vec<String>,
    body: &'a dyn Visited,
}

/// What a visitor can look into.
trait Visited {
    fn look<'a>(&'a self, at: &mut dyn FnMut(&'a Expr), macros: &mut dyn FnMut(&'a syn::Macro));
}

struct Each<'f, 'a> {
    at: &'f mut dyn FnMut(&'a Expr),
    macros: &'f mut dyn FnMut(&'a syn::Macro),
}

impl<'a> Visit<'a> for Each<'_, 'a> {
    fn visit_expr(&mut self, node: &'a Expr) {
        (self.at)(node);
        visit::visit_expr(self, node);
    }

    fn visit_macro(&mut self, node: &'a syn::Macro) {
        (self.macros)(node);
    }
}

impl Visited for syn::Block {
    fn look<'a>(&'a self, at: &mut dyn FnMut(&'a Expr), macros: &mut dyn FnMut(&'a syn::Macro)) {
        Each { at, macros }.visit_block(self);
    }
}

impl Visited for Expr {
    fn look<'a>(&'a self, at: &mut dyn FnMut(&'a Expr), macros: &mut dyn FnMut(&'a syn::Macro)) {
        Each { at, macros }.visit_expr(self);
    }
}

#[derive(Default)]
struct Definitions<'a> {
    found: Vec<Definition<'a>>,
}

impl<'a> Definitions<'a> {
    fn add(&mut self, signature: &'a syn::Signature, body: &'a syn::Block) {
        let params = signature.inputs.iter().map(|input| match input {
            syn::FnArg::Receiver(_) => "self".to_owned(),
            syn::FnArg::Typed(typed) => pattern_name(&typed.pat),
        });
        let name = signature.ident.to_string().trim_start_matches("r#").to_owned();
        self.found.push(Definition { name, params: params.collect(), body });
    }
}

impl<'a> Visit<'a> for Definitions<'a> {
    fn visit_item_fn(&mut self, node: &'a syn::ItemFn) {
        self.add(&node.sig, &node.block);
        visit::visit_item_fn(self, node);
    }

    fn visit_impl_item_fn(&mut self, node: &'a syn::ImplItemFn) {
        self.add(&node.sig, &node.block);
        visit::visit_impl_item_fn(self, node);
    }

    fn visit_trait_item_fn(&mut self, node: &'a syn::TraitItemFn) {
        if let Some(body) = &node.default {
            self.add(&node.sig, body);
        }
        visit::visit_trait_item_fn(self, node);
    }

    fn visit_local(&mut self, node: &'a syn::Local) {
        if let Some(Expr::Closure(closure)) = node.init.as_ref().map(|init| &*init.expr) {
            let params = closure.inputs.iter().map(pattern_name).collect();
            self.found.push(Definition { name: pattern_name(&node.pat), params, body: &*closure.body });
        }
        visit::visit_local(self, node);
    }
}

fn pattern_name(pattern: &Pat) -> String {
    match pattern {
        Pat::Ident(ident) => ident.ident.to_string(),
        Pat::Type(typed) => pattern_name(&typed.pat),
        Pat::Reference(reference) => pattern_name(&reference.pat),
        _ => String::new(),
    }
}

fn helpers(files: &[File<'_>], words: &Words<'_>) -> Helpers {
    let mut definitions = Definitions::default();
    for file in files {
        definitions.visit_file(&file.tree);
    }
    let mut helpers = Helpers::default();
    loop {
        let mut next = Helpers::default();
        let mut others = Helpers::default();
        for definition in &definitions.found {
            let key = (definition.name.clone(), definition.params.len());
            let mut duties = BTreeSet::new();
            let (mut calls_log, mut has_line) = (false, false);
            definition.body.look(
                &mut |expr| {
                    let (roots, stamped) = stamp(expr, words, &helpers);
                    if roots.iter().any(|root| definition.params.contains(root)) {
                        duties.extend(stamped);
                    }
                    calls_log |= called(expr).is_some_and(|called| helpers.logs.contains(&called.key()));
                },
                &mut |line| has_line |= is_log(line),
            );
            if duties.is_empty() {
                others.stamps.insert(key.clone(), BTreeSet::new());
            } else {
                next.stamps.entry(key.clone()).or_default().extend(duties);
            }
            let tells = (calls_log || has_line) && takes_an_error(definition);
            if tells { &mut next.logs } else { &mut others.logs }.insert(key);
        }
        next.stamps.retain(|key, _| !others.stamps.contains_key(key));
        next.logs.retain(|key| !others.logs.contains(key));
        if next == helpers {
            return helpers;
        }
        helpers = next;
    }
}

fn takes_an_error(definition: &Definition<'_>) -> bool {
    definition.params.iter().any(|name| name.starts_with("err"))
}

/// A call: its own name, and what it is called on and handed.
struct Called<'a> {
    name: String,
    values: Vec<&'a Expr>,
}

impl Called<'_> {
    fn key(&self) -> (String, usize) {
        (self.name.clone(), self.values.len())
    }
}

fn called(expr: &Expr) -> Option<Called<'_>> {
    match expr {
        Expr::MethodCall(call) => Some(Called {
            name: call.method.to_string(),
            values: std::iter::once(&*call.receiver).chain(&call.args).collect(),
        }),
        Expr::Call(call) => {
            let name = last_segment(&call.func)?.trim_start_matches("r#").to_owned();
            Some(Called { name, values: call.args.iter().collect() })
        }
        Expr::Await(inner) => called(&inner.base),
        Expr::Try(inner) => called(&inner.expr),
        _ => None,
    }
}

fn last_segment(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
        _ => None,
    }
}

/// The variable at the beginning of `a.b.c` or `&mut a`.
fn root(expr: &Expr) -> String {
    match expr {
        Expr::Field(field) => root(&field.base),
        Expr::MethodCall(call) => root(&call.receiver),
        Expr::Reference(reference) => root(&reference.expr),
        Expr::Unary(unary) => root(&unary.expr),
        Expr::Paren(inner) => root(&inner.expr),
        other => last_segment(other).unwrap_or_default(),
    }
}

/// What an expression stamps: the variables at the root of it, and the duties.
fn stamp(expr: &Expr, words: &Words<'_>, helpers: &Helpers) -> (Vec<String>, BTreeSet<Duty>) {
    if let Expr::Assign(assign) = expr {
        let targets = match &*assign.left {
            Expr::Tuple(tuple) => tuple.elems.iter().collect(),
            other => vec![other],
        };
        let duty = |target: &Expr| match target {
            Expr::Field(field) => match &field.member {
                Member::Named(name) => words.fields.duty(&name.to_string()),
                Member::Unnamed(_) => None,
            },
            _ => None,
        };
        let duties: Option<BTreeSet<Duty>> = targets.iter().map(|target| duty(target)).collect();
        let duties = duties.filter(|_| !is_nothing(&assign.right)).unwrap_or_default();
        return (targets.into_iter().map(root).collect(), duties);
    }
    let (Expr::MethodCall(_) | Expr::Call(_), Some(called)) = (expr, called(expr)) else {
        return (Vec::new(), BTreeSet::new());
    };
    let mut duties: BTreeSet<Duty> = helpers.stamps.get(&called.key()).cloned().unwrap_or_default();
    if matches!(expr, Expr::MethodCall(_)) {
        duties.extend(words.setters.duty(&called.name));
        if called.name == "set" && called.values.len() == 3 {
            duties.extend(column(called.values[1], words));
        }
    }
    (called.values.into_iter().map(root).collect(), duties)
}

fn is_nothing(expr: &Expr) -> bool {
    match expr {
        Expr::Call(call) => call.args.first().is_some_and(is_nothing),
        other => last_segment(other).is_some_and(|name| name == "None" || name == "NotSet"),
    }
}

/// The duty of `orders::Column::UpdatedAt`, or of `pallets::updated_at`.
fn column(expr: &Expr, words: &Words<'_>) -> Option<Duty> {
    let Expr::Path(path) = expr else { return None };
    let segments = &path.path.segments;
    let last = segments.last()?.ident.to_string();
    let of_entity = segments.iter().rev().nth(1).is_some_and(|before| before.ident == "Column");
    if of_entity { words.fields.duty(&snake_case(&last)) } else { None }
        .or_else(|| if segments.len() > 1 { words.fields.duty(&last) } else { None })
}

fn snake_case(name: &str) -> String {
    let mut found = String::new();
    for char in name.chars() {
        if char.is_uppercase() && !found.is_empty() {
            found.push('_');
        }
        found.extend(char.to_lowercase());
    }
    found
}

fn is_log(line: &syn::Macro) -> bool {
    let names: Vec<String> = line.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    matches!(&names[..], [library, level] if matches!(library.as_str(), "tracing" | "log") && LEVELS.contains(&level.as_str()))
}

const LEVELS: [&str; 3] = ["error", "warn", "info"];

/// What a body says when it writes in so many words.
const WRITES: [&str; 9] =
    [".insert(", ".update(", ".save(", ".exec", ".execute(", ".delete(", ".commit(", ".begin(", ".fetch_"];

/// What tells the trail, in the names of the sample service.
const TELLS: &str = "record";

struct Finder<'f, 'a> {
    file: &'a File<'a>,
    words: &'a Words<'a>,
    helpers: &'a Helpers,
    clauses: Vec<Clause>,
    blocks: Vec<Range<usize>>,
    /// The table of a file of an entity, which has its name.
    table: String,
    /// Transactions of the function at hand, with what each was begun on.
    outside: Vec<(String, String)>,
    /// Fields that may be `None`.
    structs: &'a BTreeSet<(String, String)>,
    found: &'f mut Vec<Place>,
}

impl Finder<'_, '_> {
    fn add(&mut self, kind: Kind, shown: Range<usize>, edit: (Range<usize>, &str), name: &str) -> &mut Place {
        let function = text::function_around(self.file.facts, &shown);
        self.found.push(Place {
            file: self.file.index,
            kind,
            function,
            duties: BTreeSet::new(),
            suite: self.blocks.last().cloned().unwrap_or_else(|| shown.clone()),
            span: shown,
            name: name.to_owned(),
            handler: self.clauses.last().cloned(),
            edits: vec![(edit.0, edit.1.to_owned())],
        });
        let place = self.found.last_mut().expect("a place was just added");
        if kind == Kind::Store && place.function.ends_with(".before_save") {
            place.name.clone_from(&self.table);
        }
        place
    }

    /// An expression that may go, with what it does.
    fn whole(&mut self, kind: Kind, expr: &Expr, instead: &str, name: &str) -> &mut Place {
        let range = range(expr);
        self.add(kind, range.clone(), (range, instead), name)
    }

    /// A part of a list, with the comma that goes when it goes.
    fn part(&mut self, part: &impl Spanned, duty: Duty) {
        let shown = range(part);
        let mut gone = shown.clone();
        let text = self.file.text;
        let behind = text[gone.end..].len() - text[gone.end..].trim_start().len();
        if text[gone.end + behind..].starts_with(',') {
            gone.end += behind + 1;
        } else {
            let before = text[..gone.start].trim_end();
            gone.start = before.strip_suffix(',').map_or(gone.start, str::len);
        }
        self.add(Kind::Store, shown, (gone, ""), "").duties.insert(duty);
    }

    /// A call in a chain that goes, while what it is called on stays.
    fn link(&mut self, call: &syn::ExprMethodCall, duties: &BTreeSet<Duty>) {
        let gone = range(&call.receiver).end..range(call).end;
        self.add(Kind::Store, gone.clone(), (gone, ""), "").duties = duties.clone();
    }

    fn within<T>(&mut self, clause: Clause, visit: impl FnOnce(&mut Self) -> T) -> T {
        self.clauses.push(clause);
        let done = visit(self);
        self.clauses.pop();
        done
    }

    /// A handler of what an expression may fail with.
    fn clause(&self, span: Range<usize>, tried: &impl Spanned) -> Clause {
        let text = &self.file.text[range(tried)];
        let words = text.split(|char: char| !char.is_alphanumeric() && char != '_');
        Clause {
            span,
            writes: WRITES.iter().any(|write| text.contains(write)),
            calls: words.map(str::to_owned).collect(),
        }
    }

    /// A statement, or what stands in the place of one.
    fn statement(&mut self, expr: &Expr) {
        let (_, duties) = stamp(expr, self.words, self.helpers);
        let inner = called(expr);
        if !duties.is_empty() {
            let name = inner.map(|called| called.name).unwrap_or_default();
            let kind = match name.as_str() {
                "" | "set" => Kind::Store,
                name if self.words.setters.duty(name).is_some() => Kind::Setter,
                _ => Kind::Helper,
            };
            self.whole(kind, expr, "()", &name).duties = duties;
            return;
        }
        let Some(inner) = inner else { return };
        if !self.clauses.is_empty() && self.helpers.logs.contains(&inner.key()) {
            self.whole(Kind::Mending, expr, "()", &inner.name);
        }
        if let Expr::Try(tried) = expr {
            let text = &self.file.text[range(&tried.expr)];
            if WRITES.iter().any(|write| text.contains(write)) && !text.contains(".begin(") {
                let whole = range(expr);
                let sign = (range(&tried.question_token), String::new());
                let start = (whole.start..whole.start, "let _ = ");
                self.add(Kind::Question, whole, start, "?").edits.push(sign);
            }
        }
        if inner.name == TELLS
            && let Some(Expr::Reference(handed)) = inner.values.first().copied()
            && let Some((_, outer)) =
                self.outside.iter().find(|(name, _)| *name == root(&handed.expr)).cloned()
        {
            self.add(Kind::Outside, range(expr), (range(handed), &outer), &inner.name);
        }
    }

    /// An error that goes on: nothing that fails comes out instead.
    fn goes_on(&mut self, expr: &Expr) {
        if let Expr::Call(call) = expr
            && !self.clauses.is_empty()
            && last_segment(&call.func).is_some_and(|name| name == "Err")
            && call.args.first().is_some_and(|error| root(error).starts_with("err"))
        {
            self.whole(Kind::Raise, expr, "Ok(Default::default())", "Err");
        }
    }

    fn line(&mut self, line: &syn::Macro) {
        if !self.clauses.is_empty() && is_log(line) {
            let range = range(line);
            self.add(Kind::Log, range.clone(), (range, "()"), "log");
        }
    }
}

impl<'t> Visit<'t> for Finder<'_, '_> {
    fn visit_block(&mut self, node: &'t syn::Block) {
        self.blocks.push(range(node));
        visit::visit_block(self, node);
        self.blocks.pop();
    }

    fn visit_stmt(&mut self, node: &'t Stmt) {
        match node {
            Stmt::Expr(expr, Some(_)) => self.statement(expr),
            Stmt::Expr(expr @ Expr::Assign(_), None) => self.statement(expr),
            Stmt::Local(local) => {
                if let Some(init) = &local.init
                    && let Some(called) = called(&init.expr).filter(|called| called.name == "begin")
                    && let Some(on) = called.values.first()
                {
                    let on = self.file.text[range(*on)].to_owned();
                    self.outside.push((pattern_name(&local.pat), on));
                }
            }
            _ => {}
        }
        visit::visit_stmt(self, node);
    }

    fn visit_macro(&mut self, node: &'t syn::Macro) {
        self.line(node);
    }

    fn visit_expr_call(&mut self, node: &'t syn::ExprCall) {
        self.goes_on(&Expr::Call(node.clone()));
        visit::visit_expr_call(self, node);
    }

    /// `#[sea_orm(default_expr = "…")]`: the table fills the column.
    fn visit_field(&mut self, node: &'t syn::Field) {
        let fills = |attribute: &&syn::Attribute| self.file.text[range(attribute)].contains("default_expr");
        let duty = node.ident.as_ref().and_then(|name| self.words.fields.duty(&name.to_string()));
        if let (Some(attribute), Some(duty)) = (node.attrs.iter().find(fills), duty) {
            let shown = range(attribute);
            let table = self.table.clone();
            self.add(Kind::Standby, shown.clone(), (shown, ""), &table).duties.insert(duty);
        }
    }

    fn visit_arm(&mut self, node: &'t syn::Arm) {
        if let Expr::Assign(_) = &*node.body {
            self.statement(&node.body);
        }
        visit::visit_arm(self, node);
    }

    fn visit_expr_match(&mut self, node: &'t syn::ExprMatch) {
        self.visit_expr(&node.expr);
        for arm in &node.arms {
            if is_failure(&arm.pat) {
                let clause = self.clause(range(arm), &node.expr);
                self.within(clause, |finder| finder.visit_arm(arm));
            } else {
                self.visit_arm(arm);
            }
        }
    }

    fn visit_expr_if(&mut self, node: &'t syn::ExprIf) {
        self.visit_expr(&node.cond);
        match &*node.cond {
            Expr::Let(condition) if is_failure(&condition.pat) => {
                let clause = self.clause(range(node), &condition.expr);
                self.within(clause, |finder| finder.visit_block(&node.then_branch));
            }
            _ => self.visit_block(&node.then_branch),
        }
        if let Some((_, otherwise)) = &node.else_branch {
            self.visit_expr(otherwise);
        }
    }

    fn visit_expr_closure(&mut self, node: &'t syn::ExprClosure) {
        if let Expr::Assign(_) = &*node.body {
            self.statement(&node.body);
        }
        visit::visit_expr_closure(self, node);
    }

    fn visit_expr_method_call(&mut self, node: &'t syn::ExprMethodCall) {
        self.visit_expr(&node.receiver);
        let name = node.method.to_string();
        let of_column = node.args.first().and_then(|first| column(first, self.words));
        match (name.as_str(), of_column) {
            ("col_expr" | "value" | "update_column", Some(duty)) => self.link(node, &BTreeSet::from([duty])),
            _ => {
                let key = (name.clone(), node.args.len() + 1);
                let is_chained = matches!(&*node.receiver, Expr::MethodCall(_) | Expr::Call(_));
                if let Some(duties) = self.helpers.stamps.get(&key).filter(|_| is_chained) {
                    self.link(node, duties);
                }
            }
        }
        let handles = matches!(name.as_str(), "inspect_err" | "map_err" | "or_else" | "unwrap_or_else");
        if handles {
            let clause = self.clause(range(node), &node.receiver);
            self.within(clause, |finder| node.args.iter().for_each(|arg| finder.visit_expr(arg)));
        } else {
            node.args.iter().for_each(|arg| self.visit_expr(arg));
        }
    }

    fn visit_expr_struct(&mut self, node: &'t syn::ExprStruct) {
        for field in &node.fields {
            let Member::Named(name) = &field.member else { continue };
            let Some(duty) = self.words.fields.duty(&name.to_string()) else { continue };
            if is_nothing(&field.expr) {
                continue;
            }
            if node.rest.is_some() {
                self.part(field, duty);
                continue;
            }
            let value = &self.file.text[range(&field.expr)];
            let owner = node.path.segments.last().map_or_else(String::new, |last| last.ident.to_string());
            let nothing = if value.starts_with("Set(") {
                "NotSet"
            } else if owner == "Self" || self.structs.contains(&(owner, name.to_string())) {
                "None"
            } else {
                continue;
            };
            let instead = format!("{name}: {nothing}");
            let shown = range(field);
            self.add(Kind::Store, shown.clone(), (shown, &instead), "").duties.insert(duty);
        }
        visit::visit_expr_struct(self, node);
    }

    fn visit_expr_tuple(&mut self, node: &'t syn::ExprTuple) {
        for part in &node.elems {
            if let Expr::MethodCall(call) = part
                && call.method == "eq"
                && let Some(duty) = column(&call.receiver, self.words)
            {
                self.part(part, duty);
            }
        }
        visit::visit_expr_tuple(self, node);
    }

    fn visit_expr_array(&mut self, node: &'t syn::ExprArray) {
        for part in &node.elems {
            let named = match part {
                Expr::Tuple(pair) => pair.elems.first(),
                other => Some(other),
            };
            if let Some(duty) = named.and_then(|named| column(named, self.words)) {
                self.part(part, duty);
            }
        }
        visit::visit_expr_array(self, node);
    }

    fn visit_item_fn(&mut self, node: &'t syn::ItemFn) {
        self.outside.clear();
        visit::visit_item_fn(self, node);
    }

    fn visit_impl_item_fn(&mut self, node: &'t syn::ImplItemFn) {
        self.outside.clear();
        visit::visit_impl_item_fn(self, node);
    }
}

fn is_failure(pattern: &Pat) -> bool {
    match pattern {
        Pat::TupleStruct(of) => of.path.segments.last().is_some_and(|last| last.ident == "Err"),
        Pat::Or(any) => any.cases.iter().any(is_failure),
        _ => false,
    }
}

fn range(node: &impl Spanned) -> Range<usize> {
    node.span().byte_range()
}
