//! mutation/desk: what compliant Django code cannot lose: its audit events, the transactions around them, what waits for
//! a commit, the columns that a save in part names, and the guards that keep events true.
//!
//! Like the rest they are found in the syntax alone. What an audit event could be owed for is told from it, too: a call
//! that writes, of anything but a model that nobody tracks.

use std::collections::BTreeSet;
use std::ops::Range;

use tree_sitter::Node;

use super::place::{Kind, Parsed, Place, Words, each, named};

/// What a help desk says of its trail, by own names.
pub(crate) struct Trail {
    /// The functions that emit audit events.
    pub(crate) emitters: BTreeSet<String>,
    /// The classes of the project that nobody tracks.
    pub(crate) untracked: BTreeSet<String>,
}

/// Every place of these kinds.
pub(crate) fn places(files: &[Parsed<'_>], words: &Words<'_>, trail: &Trail) -> Vec<Place> {
    let mut found = Vec::new();
    for (index, file) in files.iter().enumerate() {
        let mut finder = Finder { file, index, words, trail, found: &mut found };
        each(file.root_node(), &mut |node| finder.look_at(node));
    }
    found
}

struct Finder<'a> {
    file: &'a Parsed<'a>,
    index: usize,
    words: &'a Words<'a>,
    trail: &'a Trail,
    found: &'a mut Vec<Place>,
}

impl Finder<'_> {
    fn look_at(&mut self, node: Node<'_>) {
        match node.kind() {
            "expression_statement" => self.statement(node),
            "with_statement" => self.block(node),
            "decorator" => self.decorator(node),
            "string" => self.listed(node),
            "if_statement" => self.guard(node),
            "boolean_operator" => self.condition(node),
            "call" => self.clamp(node),
            _ => {}
        }
    }

    fn add(&mut self, kind: Kind, node: Node<'_>, name: &str, range: Range<usize>, text: &str) {
        let edits = vec![(range.clone(), self.file.emptied(range, text))];
        let suite = kind_of_suite(node);
        self.found.push(Place {
            file: self.index,
            kind,
            function: self.file.function_around(&node.byte_range()),
            duties: BTreeSet::new(),
            suite,
            span: node.byte_range(),
            name: name.to_owned(),
            handler: None,
            edits,
        });
    }

    /// `AuditLog.log_activity(…)`, `send_audit_event.delay(…)`, `on_commit(partial(…))`, `max_limit = …`.
    fn statement(&mut self, node: Node<'_>) {
        let Some(callee) = self.file.called(node) else { return self.maximum(node) };
        let name = self.file.last(callee);
        let sends = ["delay", "apply_async"].contains(&name) && self.file.root(callee).contains("audit");
        if self.trail.emitters.contains(name) || sends {
            self.add(Kind::Emission, node, name, node.byte_range(), "pass");
        }
        if let Some(task) = name.strip_suffix("_on_commit").filter(|task| *task == "delay") {
            let end = callee.end_byte();
            self.add(Kind::OnCommit, node, name, end - name.len()..end, task);
        }
        if name == "on_commit" {
            let Some(partial) = first_argument(callee) else { return };
            let inner = partial.child_by_field_name("arguments").map(named).unwrap_or_default();
            let Some((called, arguments)) = inner.split_first() else { return };
            let list: Vec<&str> = arguments.iter().map(|argument| self.file.text_of(*argument)).collect();
            let call = format!("{}({})", self.file.text_of(*called), list.join(", "));
            self.add(Kind::OnCommit, node, name, node.byte_range(), &call);
        }
    }

    /// `max_page_size = 100` of a class.
    fn maximum(&mut self, node: Node<'_>) {
        let Some(assignment) = named(node).into_iter().next().filter(|inner| inner.kind() == "assignment")
        else {
            return;
        };
        if ["max_page_size", "max_limit"].contains(&self.file.field_text(assignment, "left")) {
            self.add(Kind::Guard, node, "max", node.byte_range(), "pass");
        }
    }

    /// `with transaction.atomic():`
    fn block(&mut self, node: Node<'_>) {
        let Some(clause) = named(node).into_iter().find(|part| part.kind() == "with_clause") else { return };
        if is_atomic(self.file.text_of(clause)) {
            let range = node.start_byte()..clause.end_byte();
            self.add(Kind::Atomic, node, "atomic", range, "if True");
        }
    }

    /// `@transaction.atomic`
    fn decorator(&mut self, node: Node<'_>) {
        let written = self.file.text_of(node).trim_start_matches('@').trim();
        let Some(whole) = node.parent().filter(|_| is_atomic(written)) else { return };
        let at = self.found.len();
        self.add(Kind::Atomic, whole, "atomic", node.byte_range(), "");
        // A blank decorator belongs to the function it decorates.
        let body = whole.child_by_field_name("definition").and_then(|node| node.child_by_field_name("body"));
        if let Some(body) = body {
            self.found[at].function = self.file.function_around(&body.byte_range());
        }
    }

    /// `"updated_at"` in a list of columns to save.
    fn listed(&mut self, node: Node<'_>) {
        let name = self.file.text_of(node).trim_matches(['"', '\'']).to_owned();
        if self.words.fields.duty(&name).is_none() {
            return;
        }
        let Some(list) = node.parent().filter(|list| matches!(list.kind(), "list" | "set" | "tuple")) else {
            return;
        };
        let Some(around) = list.parent() else { return };
        let is_keyword =
            around.kind() == "keyword_argument" && self.file.field_text(around, "name") == "update_fields";
        let call = around.parent().and_then(|call| call.child_by_field_name("function"));
        let is_of_bulk = around.kind() == "argument_list"
            && call.is_some_and(|callee| self.file.last(callee) == "bulk_update");
        let is_added =
            around.kind() == "assignment" && self.file.field_text(around, "left") == "update_fields";
        if is_keyword || is_of_bulk || is_added {
            let range = self.file.with_comma(node);
            self.add(Kind::Listed, node, &name, range, "");
        }
    }

    /// `if raw: return`, `if value is None: return`, `if limit > MOST: limit = MOST`.
    fn guard(&mut self, node: Node<'_>) {
        let Some(test) = node.child_by_field_name("condition") else { return };
        let body = node.child_by_field_name("consequence").map(named).unwrap_or_default();
        let leaves = body.iter().any(|part| part.kind() == "return_statement");
        let binds = body.first().is_some_and(|part| {
            part.kind() == "expression_statement" && named(*part)[0].kind() == "assignment"
        });
        if node.child_by_field_name("alternative").is_none() && (leaves || binds) && self.guards(test) {
            self.add(Kind::Guard, node, "if", node.byte_range(), "pass");
        }
    }

    /// Whether a test asks for a fixture, for nothing, or for more than there may be.
    fn guards(&self, test: Node<'_>) -> bool {
        let text = self.file.text_of(test);
        let is_upper =
            |word: &str| word.len() > 1 && word.chars().all(|c| c.is_ascii_uppercase() || c == '_');
        text == "raw"
            || text.ends_with("is None")
            || text.ends_with("is not None")
            || test.kind() == "comparison_operator" && text.split(' ').any(is_upper)
    }

    /// `value is not None and value < 50`.
    fn condition(&mut self, node: Node<'_>) {
        let (Some(left), Some(right)) = (node.child_by_field_name("left"), node.child_by_field_name("right"))
        else {
            return;
        };
        if self.file.text_of(left).ends_with("is not None") {
            self.add(Kind::Guard, node, "and", left.start_byte()..right.start_byte(), "");
        }
    }

    /// `min(size, MOST)`.
    fn clamp(&mut self, node: Node<'_>) {
        if self.file.field_text(node, "function") != "min" {
            return;
        }
        let arguments = node.child_by_field_name("arguments").map(named).unwrap_or_default();
        if let [first, _] = arguments[..] {
            let text = self.file.text_of(first).to_owned();
            self.add(Kind::Guard, node, "min", node.byte_range(), &text);
        }
    }
}

/// By function, file first: whether its code, or that of whoever calls it, writes what an audit event may be owed for.
pub(crate) fn owers(files: &[Parsed<'_>], trail: &Trail) -> BTreeSet<(usize, String)> {
    let mut found = BTreeSet::new();
    let mut called: BTreeSet<String> = BTreeSet::new();
    for (index, file) in files.iter().enumerate() {
        each(file.root_node(), &mut |node| {
            let is_receiver = node.kind() == "decorator" && file.text_of(node).starts_with("@receiver(");
            let owes = is_receiver || node.kind() == "call" && owes(file, node, trail);
            let body = node
                .parent()
                .filter(|_| is_receiver)
                .and_then(|whole| whole.child_by_field_name("definition")?.child_by_field_name("body"));
            if owes {
                let at = body.unwrap_or(node).byte_range();
                found.insert((index, file.function_around(&at)));
            }
        });
    }
    for (index, file) in files.iter().enumerate() {
        each(file.root_node(), &mut |node| {
            if node.kind() == "call" && found.contains(&(index, file.function_around(&node.byte_range()))) {
                let callee = node.child_by_field_name("function");
                called.extend(callee.map(|callee| file.last(callee).to_owned()));
            }
        });
    }
    for (index, file) in files.iter().enumerate() {
        for function in file.functions() {
            if function.rsplit('.').next().is_some_and(|own| called.contains(own)) {
                found.insert((index, function));
            }
        }
    }
    found
}

const WRITES: [&str; 13] = [
    "save",
    "create",
    "update",
    "delete",
    "bulk_create",
    "bulk_update",
    "get_or_create",
    "update_or_create",
    "soft_delete",
    "login",
    "logout",
    "authenticate",
    "function",
];

/// Whether a call writes rows that may be tracked, or lets somebody in. A decorator calls its `function`.
fn owes(file: &Parsed<'_>, call: Node<'_>, trail: &Trail) -> bool {
    let Some(callee) = call.child_by_field_name("function") else { return false };
    WRITES.contains(&file.last(callee)) && !trail.untracked.contains(file.root(callee))
}

fn is_atomic(written: &str) -> bool {
    matches!(written.trim_end_matches("()"), "transaction.atomic" | "atomic")
}

fn first_argument<'t>(callee: Node<'t>) -> Option<Node<'t>> {
    named(callee.parent()?.child_by_field_name("arguments")?).into_iter().next()
}

fn kind_of_suite(node: Node<'_>) -> Range<usize> {
    node.parent().map_or_else(|| node.byte_range(), |suite| suite.byte_range())
}
