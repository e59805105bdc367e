//! mutation/place: the statements that compliant code cannot lose: where they stand and how each is taken out.
//!
//! They are found in the syntax alone, so that a hole in the analysis does not hide what it would have to find. Taking
//! one out leaves every other byte of the file where it was: findings before and after can be held against each other
//! by their place.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use tree_sitter::{Node, Parser, Tree};

use trailcheck::config::Roles;
use trailcheck::duty::Duty;
use trailcheck::facts::{FileFacts, FunctionKind};
use trailcheck::source::{Language, Source, Span};

/// What is taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A store to an audit column.
    Store,
    /// A call of an audit setter.
    Setter,
    /// A call of a function of the project that stamps what it is handed.
    Helper,
    /// An audit column as an argument or a key.
    Keyword,
    /// A rollback in a handler.
    Rollback,
    /// A `raise` in a handler.
    Raise,
    /// A call of a logger in a handler.
    Log,
    /// A call, in a handler, of a function of the project that rolls back or logs.
    Mending,
    /// The name of an exception that is caught.
    ExceptionImport,
    /// The clock and its kin.
    ClockImport,
    /// The class of the acting user.
    ContextImport,
    /// The `await` of a session call whose value nobody uses.
    Await,
    /// Not taken out by itself: a star import, the close of a session. It may stand in for something that is.
    Standby,
    /// A use of the session in the place of a rollback.
    Use,
    /// A statement that emits an audit event.
    Emission,
    /// What makes a task or an event wait for the commit.
    OnCommit,
    /// A transaction, around a block or around a function.
    Atomic,
    /// An audit column in a list of the columns that a save or an update writes.
    Listed,
    /// A test that keeps a fixture, a missing value or a size out.
    Guard,
    /// A `?` behind a write in Rust: its error goes on to nobody.
    Question,
    /// An audit row in Rust that is told on what the transaction was begun on.
    Outside,
}

impl Kind {
    pub(crate) fn stamps(self) -> bool {
        matches!(self, Kind::Store | Kind::Setter | Kind::Helper | Kind::Keyword)
    }

    pub(crate) fn mends(self) -> bool {
        matches!(self, Kind::Rollback | Kind::Raise | Kind::Log | Kind::Mending)
    }

    /// Whether it keeps the trail, or what leads there.
    pub(crate) fn trails(self) -> bool {
        use Kind::{Atomic, Emission, Guard, Listed, OnCommit, Outside, Question};
        matches!(self, Emission | OnCommit | Atomic | Listed | Guard | Question | Outside)
    }

    pub(crate) fn imports(self) -> bool {
        matches!(self, Kind::ExceptionImport | Kind::ClockImport | Kind::ContextImport)
    }
}

/// A statement, or a part of one, that can be taken out.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) file: usize,
    pub(crate) kind: Kind,
    /// The function around it, `<module>` where there is none.
    pub(crate) function: String,
    /// What it may discharge.
    pub(crate) duties: BTreeSet<Duty>,
    /// Where it stands.
    pub(crate) span: Range<usize>,
    /// What it names: what is called, what an import binds, what an argument is handed to.
    pub(crate) name: String,
    /// The suite it stands in.
    pub(crate) suite: Range<usize>,
    /// The handler around it.
    pub(crate) handler: Option<Clause>,
    /// What stands there instead, byte for byte.
    pub(crate) edits: Vec<(Range<usize>, String)>,
}

impl Place {
    /// The same place with a commit where a rollback stands: a session that has failed cannot do that.
    pub(crate) fn used_instead(&self, text: &str) -> Option<Place> {
        let written = &text[self.span.clone()];
        let instead = written.replacen("rollback", "commit", 1);
        let padded = format!("{instead:<width$}", width = written.len());
        let edits = vec![(self.span.clone(), padded)];
        (instead != written).then(|| Place { kind: Kind::Use, edits, ..self.clone() })
    }
}

/// An `except` clause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Clause {
    pub(crate) span: Range<usize>,
    /// Whether the `try` body writes in so many words.
    pub(crate) writes: bool,
    /// What the `try` body calls, by its own name.
    pub(crate) calls: BTreeSet<String>,
}

/// One file, parsed.
pub(crate) struct Parsed<'s> {
    text: &'s str,
    facts: &'s FileFacts,
    tree: Tree,
}

impl<'s> Parsed<'s> {
    /// Code of other languages is none for this parser.
    pub(crate) fn new(source: &'s Source, facts: &'s FileFacts) -> Parsed<'s> {
        let text = if source.language == Language::Python { source.text.as_str() } else { "" };
        let mut parser = Parser::new();
        parser.set_language(&tree_sitter_python::LANGUAGE.into()).expect("the grammar fits the library");
        let tree = parser.parse(text, None).expect("the parser answers");
        Parsed { text, facts, tree }
    }
}

/// What names mean in the project at hand.
pub(crate) struct Words<'a> {
    pub(crate) fields: &'a Roles,
    pub(crate) setters: &'a Roles,
    /// The own name of the audit context's class.
    pub(crate) context: &'a str,
}

/// Every place of every file, in the order of files and places.
pub(crate) fn places(files: &[Parsed<'_>], words: &Words<'_>) -> Vec<Place> {
    let helpers = helpers(files, words);
    let mut found = Vec::new();
    for (index, file) in files.iter().enumerate() {
        let mut finder =
            Finder { file, index, words, helpers: &helpers, used: used(file, words), found: &mut found };
        finder.visit(file.tree.root_node(), None);
    }
    found.sort_by_key(|place| (place.file, place.span.start, place.kind));
    found
}

/// What the functions of the project do for whoever calls them, by their own name. Only what every function of a name
/// does counts.
#[derive(Default)]
struct Helpers {
    /// The duties it may discharge on something it was handed.
    stamps: BTreeMap<String, BTreeSet<Duty>>,
    /// It rolls back or logs.
    mends: BTreeSet<String>,
}

fn helpers(files: &[Parsed<'_>], words: &Words<'_>) -> Helpers {
    let mut definitions: Vec<(&Parsed<'_>, Node<'_>)> = Vec::new();
    for file in files {
        each(file.tree.root_node(), &mut |node| {
            if node.kind() == "function_definition" {
                definitions.push((file, node));
            }
        });
    }
    let mut helpers = Helpers::default();
    loop {
        let mut next = Helpers::default();
        let mut others: BTreeSet<String> = BTreeSet::new();
        let mut idle: BTreeSet<String> = BTreeSet::new();
        for &(file, definition) in &definitions {
            let name = file.field_text(definition, "name").to_owned();
            let params = parameters(file, definition);
            let mut duties = BTreeSet::new();
            let mut is_mending = false;
            each(definition, &mut |node| {
                if node.kind() != "expression_statement" {
                    return;
                }
                let (stamped, what) = file.stamp(node, words, &helpers);
                if stamped.iter().any(|root| params.contains(root)) {
                    duties.extend(what);
                }
                is_mending |=
                    file.rolls_back(node) || file.logs(node) || file.calls_of(node, &helpers.mends).is_some();
            });
            if duties.is_empty() {
                others.insert(name.clone());
            } else {
                next.stamps.entry(name.clone()).or_default().extend(duties);
            }
            if is_mending {
                next.mends.insert(name);
            } else {
                idle.insert(name);
            }
        }
        next.stamps.retain(|name, _| !others.contains(name));
        next.mends.retain(|name| !idle.contains(name));
        if next.stamps == helpers.stamps && next.mends == helpers.mends {
            return helpers;
        }
        helpers = next;
    }
}

fn parameters(file: &Parsed<'_>, definition: Node<'_>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    if let Some(list) = definition.child_by_field_name("parameters") {
        for parameter in named(list) {
            let mut name = None;
            each(parameter, &mut |node| {
                if node.kind() == "identifier" && name.is_none() {
                    name = Some(file.text[node.byte_range()].to_owned());
                }
            });
            names.extend(name);
        }
    }
    names
}

/// What a file's code uses at run time, by what it is used for.
#[derive(Default)]
struct Used {
    caught: BTreeSet<String>,
    clocks: BTreeSet<String>,
    contexts: BTreeSet<String>,
}

const CLOCKS: [&str; 3] = ["now", "utcnow", "today"];
const CLOCK_SOURCES: [&str; 3] = ["datetime", "timezone", "timedelta"];
const CLOCK_KIN: [&str; 2] = ["timezone", "timedelta"];

fn used(file: &Parsed<'_>, words: &Words<'_>) -> Used {
    let mut used = Used::default();
    each(file.tree.root_node(), &mut |node| match node.kind() {
        "except_clause" => {
            for part in named(node).into_iter().filter(|part| part.kind() != "block") {
                let caught = if part.kind() == "as_pattern" { named(part)[0] } else { part };
                let all = if caught.kind() == "tuple" { named(caught) } else { vec![caught] };
                used.caught.extend(all.into_iter().map(|one| file.root(one).to_owned()));
            }
        }
        "call" => {
            let Some(callee) = node.child_by_field_name("function") else { return };
            if callee.kind() == "attribute"
                && CLOCKS.contains(&file.field_text(callee, "attribute"))
                && in_function(node)
            {
                used.clocks.insert(file.root(callee).to_owned());
            }
        }
        "identifier" => {
            let name = &file.text[node.byte_range()];
            let kin = CLOCK_KIN.contains(&name);
            if (kin || name == words.context) && in_function(node) && !in_annotation(node) {
                if kin { &mut used.clocks } else { &mut used.contexts }.insert(name.to_owned());
            }
        }
        _ => {}
    });
    used
}

struct Finder<'a> {
    file: &'a Parsed<'a>,
    index: usize,
    words: &'a Words<'a>,
    helpers: &'a Helpers,
    used: Used,
    found: &'a mut Vec<Place>,
}

impl Finder<'_> {
    fn visit(&mut self, node: Node<'_>, handler: Option<&Clause>) {
        match node.kind() {
            "expression_statement" => self.statement(node, handler),
            "raise_statement" if handler.is_some() => {
                self.add(Kind::Raise, node, handler, "raise");
            }
            "keyword_argument" => self.argument(node, "name", "argument_list"),
            "pair" => self.argument(node, "key", "dictionary"),
            "await" => self.awaited(node),
            "import_from_statement" | "import_statement" => self.import(node),
            _ => {}
        }
        let own;
        let handler = match node.kind() {
            "except_clause" => {
                let body = node.parent().and_then(|parent| parent.child_by_field_name("body"));
                own = Clause {
                    span: node.byte_range(),
                    writes: body.is_some_and(|body| writes(self.file, body)),
                    calls: body.map(|body| calls(self.file, body)).unwrap_or_default(),
                };
                Some(&own)
            }
            "function_definition" => None,
            _ => handler,
        };
        for child in named(node) {
            self.visit(child, handler);
        }
    }

    fn add(&mut self, kind: Kind, node: Node<'_>, handler: Option<&Clause>, name: &str) -> &mut Place {
        let span = node.byte_range();
        let edits = vec![(span.clone(), self.file.emptied(span.clone(), "pass"))];
        self.found.push(Place {
            file: self.index,
            kind,
            function: self.file.function_around(&span),
            duties: BTreeSet::new(),
            suite: node.parent().map_or_else(|| span.clone(), |suite| suite.byte_range()),
            span,
            name: name.to_owned(),
            handler: handler.cloned(),
            edits,
        });
        self.found.last_mut().expect("a place was just added")
    }

    fn statement(&mut self, node: Node<'_>, handler: Option<&Clause>) {
        let file = self.file;
        let (_, duties) = file.stamp(node, self.words, self.helpers);
        if !duties.is_empty() {
            let callee = file.called(node).map(|callee| file.last(callee)).unwrap_or_default();
            let kind = match callee {
                "" | "setattr" => Kind::Store,
                name if self.words.setters.duty(name).is_some() => Kind::Setter,
                _ => Kind::Helper,
            };
            self.add(kind, node, handler, callee).duties = duties;
        } else if handler.is_some() && file.rolls_back(node) {
            self.add(Kind::Rollback, node, handler, "rollback");
        } else if handler.is_some() && file.logs(node) {
            self.add(Kind::Log, node, handler, "log");
        } else if let Some(name) = file.calls_of(node, &self.helpers.mends).filter(|_| handler.is_some()) {
            self.add(Kind::Mending, node, handler, name);
        } else if file.called(node).is_some_and(|callee| file.last(callee) == "close") {
            self.add(Kind::Standby, node, handler, "close");
        }
    }

    /// `f(created_at=now)` and `{"created_at": now}`.
    fn argument(&mut self, node: Node<'_>, field: &str, list: &str) {
        let name = self.file.field_text(node, field).trim_matches(['"', '\'']).to_owned();
        let Some(duty) = self.words.fields.duty(&name) else { return };
        if self.file.field_text(node, "value") == "None" {
            return;
        }
        let parent = node.parent().filter(|parent| parent.kind() == list);
        let Some(parent) = parent else { return };
        let call = parent.parent().and_then(|call| call.child_by_field_name("function"));
        let callee = call.map(|callee| self.file.last(callee)).unwrap_or_default();
        let range = self.file.with_comma(node);
        let edit = (range.clone(), self.file.emptied(range, ""));
        let place = self.add(Kind::Keyword, node, None, callee);
        place.duties.insert(duty);
        place.edits = vec![edit];
    }

    fn awaited(&mut self, node: Node<'_>) {
        let Some(call) = named(node).into_iter().next().filter(|call| call.kind() == "call") else { return };
        let Some(callee) = call.child_by_field_name("function").filter(|callee| callee.kind() == "attribute")
        else {
            return;
        };
        let Some(session) = callee.child_by_field_name("object") else { return };
        let session = self.file.last(session);
        if !SESSION_CALLS.contains(&self.file.last(callee))
            || !(session == "db" || session.contains("session"))
        {
            return;
        }
        // Where the value is used, the next line fails; that is nobody's secret.
        if node.parent().is_none_or(|parent| parent.kind() != "expression_statement") {
            return;
        }
        let call = &self.file.text[call.byte_range()];
        let text =
            format!("{call:<width$}", width = call.chars().count() + node.byte_range().len() - call.len());
        let edit = (node.byte_range(), text);
        self.add(Kind::Await, node, None, "await").edits = vec![edit];
    }

    fn import(&mut self, node: Node<'_>) {
        let mut items = Vec::new();
        let mut cursor = node.walk();
        for child in node.children_by_field_name("name", &mut cursor) {
            items.push(child);
        }
        if named(node).iter().any(|part| part.kind() == "wildcard_import") {
            self.add(Kind::Standby, node, None, "*");
            return;
        }
        if is_optional(self.file, node) {
            return;
        }
        let module = self.file.field_text(node, "module_name");
        for &item in &items {
            let bound = item.child_by_field_name("alias").unwrap_or(item);
            let bound = self.file.root(bound).to_owned();
            let is_clock = CLOCK_SOURCES.contains(&self.file.root(item)) || module == "datetime";
            let kind = if self.used.caught.contains(&bound) {
                Kind::ExceptionImport
            } else if is_clock && self.used.clocks.contains(&bound) {
                Kind::ClockImport
            } else if self.used.contexts.contains(&bound) {
                Kind::ContextImport
            } else {
                continue;
            };
            let edit = if items.len() == 1 {
                (node.byte_range(), self.file.emptied(node.byte_range(), "pass"))
            } else {
                let range = self.file.with_comma(item);
                (range.clone(), self.file.emptied(range, ""))
            };
            self.add(kind, item, None, &bound).edits = vec![edit];
        }
    }
}

const SESSION_CALLS: [&str; 11] = [
    "flush", "commit", "rollback", "refresh", "execute", "scalar", "scalars", "get", "delete", "merge",
    "close",
];

const LEVELS: [&str; 7] = ["debug", "info", "warning", "error", "exception", "critical", "log"];

/// What a body calls when it writes in so many words.
const WRITES: [&str; 7] = ["add", "add_all", "delete", "merge", "flush", "commit", "bulk_save_objects"];

fn writes(file: &Parsed<'_>, body: Node<'_>) -> bool {
    let mut found = false;
    each(body, &mut |node| {
        if node.kind() != "call" {
            return;
        }
        let Some(callee) = node.child_by_field_name("function").filter(|callee| callee.kind() == "attribute")
        else {
            return;
        };
        let Some(session) = callee.child_by_field_name("object") else { return };
        let session = file.last(session);
        found |= WRITES.contains(&file.last(callee)) && (session == "db" || session.contains("session"));
    });
    found
}

fn calls(file: &Parsed<'_>, body: Node<'_>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    each(body, &mut |node| {
        if let Some(callee) = node.child_by_field_name("function").filter(|_| node.kind() == "call") {
            names.insert(file.last(callee).to_owned());
        }
    });
    names
}

/// Whether an import stands where its failure, or its absence at run time, is planned for.
fn is_optional(file: &Parsed<'_>, node: Node<'_>) -> bool {
    let mut at = node.parent();
    while let Some(here) = at {
        match here.kind() {
            "try_statement" => return true,
            "if_statement" if file.field_text(here, "condition").contains("TYPE_CHECKING") => return true,
            "function_definition" => return false,
            _ => {}
        }
        at = here.parent();
    }
    false
}

fn in_function(node: Node<'_>) -> bool {
    around(node).any(|kind| kind == "function_definition")
}

fn in_annotation(node: Node<'_>) -> bool {
    around(node).any(|kind| kind == "type" || kind.starts_with("import"))
}

fn around<'t>(node: Node<'t>) -> impl Iterator<Item = &'t str> {
    std::iter::successors(node.parent(), Node::parent).map(|node| node.kind())
}

impl Parsed<'_> {
    pub(super) fn root_node(&self) -> Node<'_> {
        self.tree.root_node()
    }

    pub(super) fn text_of(&self, node: Node<'_>) -> &str {
        &self.text[node.byte_range()]
    }

    /// The qualified names of all functions.
    pub(super) fn functions(&self) -> impl Iterator<Item = String> {
        self.facts.functions.iter().map(|function| function.qualname.clone())
    }

    pub(super) fn field_text(&self, node: Node<'_>, field: &str) -> &str {
        node.child_by_field_name(field).map_or("", |node| &self.text[node.byte_range()])
    }

    /// What a statement stamps: the variables at the root of what it stores to, calls on or hands over, and the duties.
    fn stamp(
        &self,
        statement: Node<'_>,
        words: &Words<'_>,
        helpers: &Helpers,
    ) -> (Vec<String>, BTreeSet<Duty>) {
        let mut roots = Vec::new();
        let mut duties = BTreeSet::new();
        let Some(mut inner) = named(statement).into_iter().next() else { return (roots, duties) };
        if inner.kind() == "assignment" {
            let mut targets = Vec::new();
            while inner.kind() == "assignment" {
                let Some(left) = inner.child_by_field_name("left") else { return (roots, duties) };
                targets.extend(if left.kind() == "pattern_list" { named(left) } else { vec![left] });
                let Some(right) = inner.child_by_field_name("right") else { return (roots, duties) };
                inner = right;
            }
            if inner.kind() == "none" {
                return (roots, duties);
            }
            for target in targets {
                let duty = words.fields.duty(self.field_text(target, "attribute"));
                let Some(duty) = duty.filter(|_| target.kind() == "attribute") else {
                    return (Vec::new(), BTreeSet::new());
                };
                duties.insert(duty);
                roots.push(self.root(target).to_owned());
            }
            return (roots, duties);
        }
        let Some(callee) = self.called(statement) else { return (roots, duties) };
        let arguments = callee.parent().and_then(|call| call.child_by_field_name("arguments"));
        let arguments = arguments.map(named).unwrap_or_default();
        let name = self.last(callee);
        if name == "setattr" {
            let field =
                arguments.get(1).map_or("", |field| self.text[field.byte_range()].trim_matches(['"', '\'']));
            duties.extend(words.fields.duty(field));
        }
        duties.extend(words.setters.duty(name).filter(|_| callee.kind() == "attribute"));
        duties.extend(helpers.stamps.get(name).into_iter().flatten());
        roots.push(self.root(callee).to_owned());
        roots.extend(arguments.into_iter().map(|argument| self.root(argument).to_owned()));
        (roots, duties)
    }

    /// What a statement calls, when a call, awaited or not, is all it is.
    pub(super) fn called<'t>(&self, statement: Node<'t>) -> Option<Node<'t>> {
        let mut inner = named(statement).into_iter().next()?;
        if inner.kind() == "await" {
            inner = named(inner).into_iter().next()?;
        }
        inner.child_by_field_name("function").filter(|_| inner.kind() == "call")
    }

    fn calls_of<'n>(&self, statement: Node<'_>, names: &'n BTreeSet<String>) -> Option<&'n str> {
        let callee = self.called(statement)?;
        names.get(self.last(callee)).map(String::as_str)
    }

    fn rolls_back(&self, statement: Node<'_>) -> bool {
        self.called(statement)
            .is_some_and(|callee| callee.kind() == "attribute" && self.last(callee) == "rollback")
    }

    fn logs(&self, statement: Node<'_>) -> bool {
        let Some(callee) = self.called(statement).filter(|callee| callee.kind() == "attribute") else {
            return false;
        };
        let Some(logger) = callee.child_by_field_name("object") else { return false };
        LEVELS.contains(&self.last(callee)) && self.last(logger).to_ascii_lowercase().contains("log")
    }

    /// The name at the beginning of `a.b.c`, `a().b`, `a[b]`.
    pub(super) fn root(&self, node: Node<'_>) -> &str {
        let mut at = node;
        while !matches!(at.kind(), "identifier") {
            match at.named_child(0) {
                Some(inner) => at = inner,
                None => break,
            }
        }
        &self.text[at.byte_range()]
    }

    /// The name at the end of `a.b.c`.
    pub(super) fn last(&self, node: Node<'_>) -> &str {
        let last = node.child_by_field_name("attribute").unwrap_or(node);
        &self.text[last.byte_range()]
    }

    /// The qualified name of the innermost function around a place.
    pub(super) fn function_around(&self, span: &Range<usize>) -> String {
        let span = Span::new(span.clone());
        let inside =
            self.facts.functions.iter().filter(|f| f.kind == FunctionKind::Function && f.span.contains(span));
        let innermost = inside.min_by_key(|function| function.span.end - function.span.start);
        innermost.map_or_else(|| "<module>".to_owned(), |function| function.qualname.clone())
    }

    /// Blanks behind some text, with every line end where it was.
    pub(super) fn emptied(&self, range: Range<usize>, text: &str) -> String {
        let old = &self.text.as_bytes()[range];
        let blank = |&byte: &u8| if byte == b'\n' || byte == b'\r' { char::from(byte) } else { ' ' };
        text.chars().chain(old.iter().skip(text.len()).map(blank)).collect()
    }

    /// A part of a list together with the comma that goes when it goes.
    pub(super) fn with_comma(&self, node: Node<'_>) -> Range<usize> {
        let mut range = node.byte_range();
        if let Some(after) = node.next_sibling().filter(|after| after.kind() == ",") {
            range.end = after.end_byte();
        } else if let Some(before) = node.prev_sibling().filter(|before| before.kind() == ",") {
            range.start = before.start_byte();
        }
        range
    }
}

pub(super) fn named(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).filter(|child| !child.is_extra()).collect()
}

/// Tells of every node below one, itself included, outermost first.
pub(super) fn each<'t>(node: Node<'t>, tell: &mut impl FnMut(Node<'t>)) {
    tell(node);
    for child in named(node) {
        each(child, tell);
    }
}
