//! lower/python/statement: statements become steps and blocks.

use tree_sitter::Node;

use crate::facts::{
    Argument, ArgumentKind, Handler, HandlerId, Import, Imported, Next, RegionKind, StepId, StepKind,
};
use crate::name::Name;
use crate::source::Span;

use super::body::{Body, Cleanup, Jump, Loop};
use super::definition::alias_name;
use super::{field, fields, parts, span, term};

impl<'t> Body<'_, '_, 't> {
    /// Lowers the statements of a block or module.
    pub(super) fn statements(&mut self, block: Node<'t>) {
        self.deeper(block, |body| {
            for statement in parts(block) {
                body.statement(statement);
            }
        });
    }

    fn statement(&mut self, node: Node<'t>) {
        match node.kind() {
            "function_definition" => self.function_definition(node, node),
            "class_definition" => self.class_definition(node, node),
            "decorated_definition" => {
                if let Some(inner) = field(node, "definition") {
                    match inner.kind() {
                        "class_definition" => self.class_definition(inner, node),
                        _ => self.function_definition(inner, node),
                    }
                }
            }
            // What is intact inside a broken stretch is still read.
            "ERROR" => {
                let is_intact = |part: &Node<'t>| {
                    part.kind().ends_with("_definition")
                        || part.kind().ends_with("_statement") && !part.has_error()
                };
                for part in parts(node).into_iter().filter(is_intact) {
                    self.deeper(part, |body| body.statement(part));
                }
            }
            "if_statement" => self.if_statement(node),
            "for_statement" => self.for_statement(node),
            "while_statement" => self.while_statement(node),
            "try_statement" => self.try_statement(node),
            "with_statement" => self.with_statement(node),
            "match_statement" => self.match_statement(node),
            // A simple statement with an error in it says nothing reliable; the gap is told for the file.
            _ if node.has_error() => {}
            "expression_statement" => {
                for part in parts(node) {
                    self.expression_statement(part);
                }
            }
            "type_alias_statement" => {
                if let Some(left) = alias_name(node) {
                    let value = self.emit(StepKind::Compute(Vec::new()), span(left));
                    self.assign(left, value, None);
                }
            }
            "return_statement" => {
                let value = parts(node).first().map(|&value| self.value(value));
                self.emit(StepKind::Return(value), span(node));
                self.jump(Jump::Leave, 0);
            }
            "raise_statement" => {
                let cause = field(node, "cause");
                let value = parts(node).into_iter().find(|part| Some(*part) != cause);
                let value = value.map(|value| self.value(value));
                let cause = cause.map(|cause| self.value(cause));
                self.emit(StepKind::Raise { value, cause }, span(node));
                self.finish(Next::Throw);
                self.begin_unreachable();
            }
            "break_statement" => {
                if let Some(&Loop { after, cleanups, .. }) = self.loops.last() {
                    self.jump(Jump::To(after), cleanups);
                }
            }
            "continue_statement" => {
                if let Some(&Loop { again, cleanups, .. }) = self.loops.last() {
                    self.jump(Jump::To(again), cleanups);
                }
            }
            "import_statement" => self.import_statement(node),
            "import_from_statement" => self.import_from_statement(node),
            "global_statement" | "nonlocal_statement" => {
                for part in parts(node) {
                    let name = self.lower.name(part);
                    self.function.outer_names.push(name);
                }
            }
            "delete_statement" => self.delete_statement(node),
            "assert_statement" => {
                if let Some(&test) = parts(node).first() {
                    let value = self.value(test);
                    self.emit(StepKind::Assert(value), span(node));
                }
            }
            "print_statement" | "exec_statement" => {
                for part in parts(node) {
                    self.value(part);
                }
            }
            _ => {}
        }
    }

    fn expression_statement(&mut self, node: Node<'t>) {
        match node.kind() {
            "assignment" => {
                self.assignment(node);
            }
            "augmented_assignment" => self.augmented_assignment(node),
            _ => {
                let value = self.value(node);
                self.function.bare.push(value);
            }
        }
    }

    /// Lowers `left = right`, also chained, and answers the value.
    fn assignment(&mut self, node: Node<'t>) -> Option<StepId> {
        let annotation =
            field(node, "type").map(|annotation| Box::new(term::annotation(self.lower.text, annotation)));
        let value = match field(node, "right") {
            Some(right) if right.kind() == "assignment" => {
                self.deeper(right, |body| body.assignment(right)).flatten()
            }
            Some(right) => Some(self.value(right)),
            None => None,
        };
        let left = field(node, "left")?;
        match value {
            Some(value) => self.assign(left, value, annotation),
            None => {
                // `name: Type` without a value declares the name.
                if left.kind() == "identifier" {
                    let name = self.lower.name(left);
                    self.bind_name(name);
                    if annotation.is_some() {
                        let value = self.emit(StepKind::Compute(Vec::new()), span(left));
                        self.emit(StepKind::Bind { name, value, annotation }, span(left));
                    }
                }
            }
        }
        value
    }

    /// Lowers the binding of a target to a value.
    pub(super) fn assign(
        &mut self,
        target: Node<'t>,
        value: StepId,
        annotation: Option<Box<crate::facts::Term>>,
    ) {
        let at = span(target);
        match target.kind() {
            "identifier" => {
                let name = self.lower.name(target);
                self.bind_name(name);
                self.emit(StepKind::Bind { name, value, annotation }, at);
            }
            "attribute" => {
                let (Some(object), Some(attribute)) = (field(target, "object"), field(target, "attribute"))
                else {
                    return;
                };
                let of = self.value(object);
                let name = self.lower.name(attribute);
                self.emit(StepKind::Store { of, name, value }, at);
            }
            "subscript" => {
                let Some(object) = field(target, "value") else { return };
                let of = self.value(object);
                let keys: Vec<StepId> =
                    fields(target, "subscript").into_iter().map(|key| self.value(key)).collect();
                let key = match keys[..] {
                    [key] => key,
                    _ => self.emit(StepKind::List(keys), at),
                };
                self.emit(StepKind::StoreIndex { of, key, value }, at);
            }
            "pattern_list" | "tuple_pattern" | "list_pattern" | "tuple" | "list" | "expression_list" => {
                self.deeper(target, |body| {
                    let mut exact = true;
                    for (index, part) in parts(target).into_iter().enumerate() {
                        // Behind a starred target the places count from the end.
                        let starred = part.kind() == "list_splat_pattern";
                        exact &= !starred;
                        let index = if exact { Some(index as u32) } else { None };
                        let piece = body.emit(StepKind::Part { of: value, index }, span(part));
                        body.assign(part, piece, None);
                    }
                });
            }
            "list_splat_pattern" | "list_splat" | "parenthesized_expression" | "as_pattern_target" => {
                if let Some(&inner) = parts(target).first() {
                    self.deeper(target, |body| body.assign(inner, value, None));
                }
            }
            _ => {}
        }
    }

    fn augmented_assignment(&mut self, node: Node<'t>) {
        let (Some(left), Some(right)) = (field(node, "left"), field(node, "right")) else { return };
        let old = self.value(left);
        let new = self.value(right);
        let value = self.emit(StepKind::Compute(vec![old, new]), span(node));
        self.assign(left, value, None);
    }

    fn delete_statement(&mut self, node: Node<'t>) {
        for part in parts(node) {
            let targets = if part.kind() == "expression_list" { parts(part) } else { vec![part] };
            for target in targets {
                if target.kind() == "identifier" {
                    let name = self.lower.name(target);
                    self.bind_name(name);
                    self.emit(StepKind::Unbind(name), span(target));
                } else if let (Some(of), Some(key)) = (field(target, "value"), field(target, "subscript")) {
                    // `del a[key]` takes out of `a` what `a.pop(key)` does.
                    let of = self.value(of);
                    let key = Argument { kind: ArgumentKind::Plain, value: self.value(key) };
                    let callee = self.emit(StepKind::Attribute { of, name: Name::new("pop") }, span(target));
                    self.emit(StepKind::Call { callee, arguments: vec![key] }, span(target));
                } else {
                    self.value(target);
                }
            }
        }
    }

    fn if_statement(&mut self, node: Node<'t>) {
        let after = self.new_block();
        let mut clauses = vec![node];
        clauses.extend(fields(node, "alternative"));
        for clause in clauses {
            if clause.kind() == "else_clause" {
                if let Some(block) = field(clause, "body") {
                    self.statements(block);
                }
                continue;
            }
            let (Some(condition), Some(block)) = (field(clause, "condition"), field(clause, "consequence"))
            else {
                continue;
            };
            let (yes, no) = (self.new_block(), self.new_block());
            self.condition(condition, yes, no);
            self.begin(yes);
            let was_only_for_types = self.only_for_types;
            self.only_for_types |= self.lower.slice(condition).ends_with("TYPE_CHECKING");
            self.statements(block);
            self.only_for_types = was_only_for_types;
            self.finish_into(Next::Goto(after), no);
        }
        self.finish_into(Next::Goto(after), after);
    }

    /// Ends the current block with the branch on a condition; short-circuits become branches of their own.
    pub(super) fn condition(&mut self, node: Node<'t>, yes: u32, no: u32) {
        match node.kind() {
            "parenthesized_expression" if parts(node).len() == 1 => {
                let inner = parts(node)[0];
                if self.deeper(node, |body| body.condition(inner, yes, no)).is_none() {
                    self.finish(Next::Any(vec![yes, no]));
                }
            }
            "not_operator" => {
                let inner = field(node, "argument");
                let done = inner.and_then(|inner| self.deeper(node, |body| body.condition(inner, no, yes)));
                if done.is_none() {
                    self.finish(Next::Any(vec![yes, no]));
                }
            }
            "boolean_operator" => {
                // `a and b and c` leans to the left; the spine is walked, not recursed into.
                let mut spine = vec![node];
                while let Some(left) = field(spine[spine.len() - 1], "left") {
                    if left.kind() != "boolean_operator" {
                        break;
                    }
                    spine.push(left);
                }
                // From the innermost operator outwards: where its value sends control.
                let mut targets = Vec::with_capacity(spine.len());
                let (mut outer_yes, mut outer_no) = (yes, no);
                for &operator in &spine {
                    let is_and = field(operator, "operator").is_some_and(|sign| sign.kind() == "and");
                    let rest = self.new_block();
                    targets.push((outer_yes, outer_no, rest));
                    (outer_yes, outer_no) = if is_and { (rest, outer_no) } else { (outer_yes, rest) };
                }
                let Some(first) = field(spine[spine.len() - 1], "left") else {
                    self.finish(Next::Any(vec![yes, no]));
                    return;
                };
                if self.deeper(first, |body| body.condition(first, outer_yes, outer_no)).is_none() {
                    self.finish(Next::Any(vec![outer_yes, outer_no]));
                }
                for (&operator, &(yes, no, rest)) in spine.iter().zip(&targets).rev() {
                    self.begin(rest);
                    let right = field(operator, "right");
                    let done =
                        right.and_then(|right| self.deeper(right, |body| body.condition(right, yes, no)));
                    if done.is_none() {
                        self.finish(Next::Any(vec![yes, no]));
                    }
                }
            }
            _ => {
                let test = self.value(node);
                self.finish(Next::Branch { test, yes, no });
            }
        }
    }

    fn for_statement(&mut self, node: Node<'t>) {
        let (Some(left), Some(right), Some(block)) =
            (field(node, "left"), field(node, "right"), field(node, "body"))
        else {
            return;
        };
        let iterated = self.value(right);
        let (head, inside, exhausted, after) =
            (self.new_block(), self.new_block(), self.new_block(), self.new_block());
        self.finish_into(Next::Goto(head), head);
        self.finish_into(Next::Any(vec![inside, exhausted]), inside);
        let element = self.emit(StepKind::Element(iterated), span(left));
        self.assign(left, element, None);
        self.looped(block, head, after);
        self.finish_into(Next::Goto(head), exhausted);
        self.else_clause(node);
        self.finish_into(Next::Goto(after), after);
    }

    fn while_statement(&mut self, node: Node<'t>) {
        let (Some(condition), Some(block)) = (field(node, "condition"), field(node, "body")) else { return };
        let (head, inside, exhausted, after) =
            (self.new_block(), self.new_block(), self.new_block(), self.new_block());
        self.finish_into(Next::Goto(head), head);
        self.condition(condition, inside, exhausted);
        self.begin(inside);
        self.looped(block, head, after);
        self.finish_into(Next::Goto(head), exhausted);
        self.else_clause(node);
        self.finish_into(Next::Goto(after), after);
    }

    fn looped(&mut self, block: Node<'t>, again: u32, after: u32) {
        self.loops.push(Loop { again, after, cleanups: self.cleanups.len() });
        self.statements(block);
        self.loops.pop();
    }

    fn else_clause(&mut self, node: Node<'t>) {
        let clause = field(node, "alternative")
            .or_else(|| parts(node).into_iter().find(|part| part.kind() == "else_clause"));
        if let Some(block) = clause.and_then(|clause| field(clause, "body")) {
            self.statements(block);
        }
    }

    fn try_statement(&mut self, node: Node<'t>) {
        let Some(block) = field(node, "body") else { return };
        let clauses = parts(node);
        let last_block = |clause: &Node<'t>| parts(*clause).into_iter().rfind(|part| part.kind() == "block");
        let finally = clauses.iter().find(|c| c.kind() == "finally_clause").and_then(last_block);
        let handlers: Vec<Node<'t>> =
            clauses.iter().copied().filter(|c| c.kind().starts_with("except")).collect();

        let around = self.region();
        let guarded = finally.map(|block| {
            let region = self.new_region(RegionKind::Guarded, around);
            let landing = self.new_block();
            let guarded = &mut self.function.regions[region as usize];
            guarded.lands.push(landing);
            guarded.passes = false;
            self.cleanups.push(Cleanup::Finally { block, around });
            (region, landing)
        });
        let inner = guarded.map(|(region, _)| region).or(around);
        let first = self.function.handlers.len() as HandlerId;
        let body =
            self.new_region(RegionKind::Try { first, end: first + handlers.len() as HandlerId }, inner);
        for &clause in &handlers {
            let entry = self.new_block();
            self.function.regions[body as usize].lands.push(entry);
            // Up to the colon: a comment behind it is not what the clause says.
            let colon = clause.children(&mut clause.walk()).find(|child| child.kind() == ":");
            let end = colon.map_or(clause.end_byte(), |colon| colon.start_byte());
            let head = Span::new(clause.start_byte()..end);
            self.function.handlers.push(Handler {
                span: span(clause),
                head,
                catches: Vec::new(),
                binds: None,
                entry,
                body,
                body_span: span(block),
            });
            if caught_types(clause).is_empty() {
                self.function.regions[body as usize].passes = false;
            }
        }

        let after = self.new_block();
        self.enter_region_block(Some(body));
        self.statements(block);
        self.enter_region_block(inner);
        self.else_clause(node);
        self.finish(Next::Goto(after));
        for (index, &clause) in handlers.iter().enumerate() {
            self.handler(clause, first + index as HandlerId, inner);
            self.finish(Next::Goto(after));
        }

        if guarded.is_some() {
            self.cleanups.pop();
        }
        self.set_region(around);
        if let (Some((_, landing)), Some(block)) = (guarded, finally) {
            self.begin(landing);
            self.finally_block(block);
            self.finish(Next::Resume { swallowed: None });
            self.begin(after);
            self.finally_block(block);
        } else {
            self.begin(after);
        }
    }

    fn handler(&mut self, clause: Node<'t>, id: HandlerId, around: Option<u32>) {
        let region = self.new_region(RegionKind::Handler(id), around);
        self.set_region(Some(region));
        let entry = self.function.handlers[id as usize].entry;
        self.begin(entry);
        let mut catches = Vec::new();
        for kind in caught_types(clause) {
            catches.push(self.value(kind));
        }
        self.function.handlers[id as usize].catches = catches;
        let head = self.function.handlers[id as usize].head;
        let caught = self.emit(StepKind::Caught(id), head);
        if let Some(alias) = caught_alias(clause) {
            let name = self.lower.name(alias);
            self.bind_name(name);
            self.function.handlers[id as usize].binds = Some(name);
            self.emit(StepKind::Bind { name, value: caught, annotation: None }, span(alias));
        }
        if let Some(block) = parts(clause).into_iter().rfind(|part| part.kind() == "block") {
            self.statements(block);
        }
        self.set_region(around);
    }

    fn with_statement(&mut self, node: Node<'t>) {
        let Some(block) = field(node, "body") else { return };
        let mut items = Vec::new();
        for clause in parts(node).into_iter().filter(|part| part.kind() == "with_clause") {
            items.extend(parts(clause).into_iter().filter(|part| part.kind() == "with_item"));
        }
        self.with_items(&items, block);
    }

    fn with_items(&mut self, items: &[Node<'t>], block: Node<'t>) {
        let Some((&item, rest)) = items.split_first() else {
            self.statements(block);
            return;
        };
        let Some(value) = field(item, "value") else { return };
        let (context, target) = match value.kind() {
            "as_pattern" => (parts(value).first().copied().unwrap_or(value), field(value, "alias")),
            _ => (value, None),
        };
        let context_value = self.value(context);
        let at = span(item);
        let enter = self.emit(StepKind::Enter(context_value), at);
        if let Some(target) = target {
            self.assign(target, enter, None);
        }
        let around = self.region();
        let region = self.new_region(RegionKind::With(enter), around);
        let (landing, after) = (self.new_block(), self.new_block());
        self.function.regions[region as usize].lands.push(landing);
        self.function.regions[region as usize].passes = false;
        self.cleanups.push(Cleanup::With { enter, span: at, around });
        self.enter_region_block(Some(region));
        self.deeper(block, |body| body.with_items(rest, block));
        self.cleanups.pop();
        self.enter_region_block(around);
        self.emit(StepKind::Exit { enter, raising: false }, at);
        self.finish(Next::Goto(after));
        self.begin(landing);
        self.emit(StepKind::Exit { enter, raising: true }, at);
        let swallowed = Some((enter, after));
        self.finish_into(Next::Resume { swallowed }, after);
    }

    fn match_statement(&mut self, node: Node<'t>) {
        let subjects: Vec<StepId> =
            fields(node, "subject").into_iter().map(|subject| self.value(subject)).collect();
        let subject = match subjects[..] {
            [subject] => subject,
            _ => self.emit(StepKind::List(subjects), span(node)),
        };
        let Some(block) = field(node, "body") else { return };
        let cases: Vec<Node<'t>> =
            parts(block).into_iter().filter(|part| part.kind() == "case_clause").collect();
        let after = self.new_block();
        let starts: Vec<u32> = cases.iter().map(|_| self.new_block()).collect();
        let mut ways = starts.clone();
        let catches_all = |case: &Node<'t>| {
            let patterns: Vec<_> =
                parts(*case).into_iter().filter(|part| part.kind() == "case_pattern").collect();
            field(*case, "guard").is_none()
                && matches!(patterns[..], [pattern] if self.lower.slice(pattern) == "_")
        };
        if !cases.iter().any(catches_all) {
            ways.push(after);
        }
        self.finish(Next::Any(ways));
        for (index, (&case, &start)) in cases.iter().zip(&starts).enumerate() {
            self.begin(start);
            for pattern in parts(case).into_iter().filter(|part| part.kind() == "case_pattern") {
                self.captures(pattern, subject);
            }
            if let Some(&test) = field(case, "guard").map(parts).as_deref().and_then(<[_]>::first) {
                let (yes, no) = (self.new_block(), self.new_block());
                self.condition(test, yes, no);
                // A guard that fails tries the cases below.
                self.begin(no);
                let mut below = starts[index + 1..].to_vec();
                below.push(after);
                self.finish_into(Next::Any(below), yes);
            }
            if let Some(block) = field(case, "consequence") {
                self.statements(block);
            }
            self.finish(Next::Goto(after));
        }
        self.begin(after);
    }

    /// Binds the names a pattern captures.
    fn captures(&mut self, pattern: Node<'t>, subject: StepId) {
        self.deeper(pattern, |body| {
            for part in parts(pattern) {
                match part.kind() {
                    // A bare name captures, a dotted one is compared.
                    "dotted_name" if part.named_child_count() == 1 && pattern.kind() != "class_pattern" => {
                        let name = body.lower.name(part);
                        if &*name != "_" {
                            body.bind_name(name);
                            let value = body.emit(StepKind::Part { of: subject, index: None }, span(part));
                            body.emit(StepKind::Bind { name, value, annotation: None }, span(part));
                        }
                    }
                    "identifier" if matches!(pattern.kind(), "as_pattern" | "splat_pattern") => {
                        let name = body.lower.name(part);
                        body.bind_name(name);
                        let value = body.emit(StepKind::Part { of: subject, index: None }, span(part));
                        body.emit(StepKind::Bind { name, value, annotation: None }, span(part));
                    }
                    _ => body.captures(part, subject),
                }
            }
        });
    }

    fn import_statement(&mut self, node: Node<'t>) {
        for item in fields(node, "name") {
            let (path, alias) = aliased(item);
            let module = self.lower.name(path);
            let (item_kind, binds) = match alias {
                Some(alias) => (Imported::Module, self.lower.name(alias)),
                None => (Imported::Root, Name::new(module.split('.').next().unwrap_or(&module))),
            };
            self.import(Import { module, level: 0, item: item_kind, binds, span: span(item) });
        }
    }

    fn import_from_statement(&mut self, node: Node<'t>) {
        let Some(from) = field(node, "module_name") else { return };
        let text = self.lower.slice(from);
        let dotted: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let module = dotted.trim_start_matches('.');
        let level = (dotted.len() - module.len()) as u32;
        let module = Name::new(module);
        for item in fields(node, "name") {
            let (path, alias) = aliased(item);
            let name = self.lower.name(path);
            let binds = alias.map_or(name, |alias| self.lower.name(alias));
            self.import(Import { module, level, item: Imported::Item(name), binds, span: span(item) });
        }
        if let Some(star) = parts(node).into_iter().find(|part| part.kind() == "wildcard_import") {
            let index = self.lower.facts.imports.len();
            self.function.stars.push(index);
            let binds = Name::new("*");
            self.lower.facts.imports.push(Import {
                module,
                level,
                item: Imported::Star,
                binds,
                span: span(star),
            });
            // It binds no name that could be told here, but what it brings comes at this place.
            self.emit(StepKind::Import(index), span(star));
        }
    }

    fn import(&mut self, import: Import) {
        let index = self.lower.facts.imports.len();
        let (name, at) = (import.binds, import.span);
        self.lower.facts.imports.push(import);
        self.bind_name(name);
        let value = self.emit(StepKind::Import(index), at);
        self.emit(StepKind::Bind { name, value, annotation: None }, at);
    }

    /// Binds a definition, wrapped by its decorators.
    pub(super) fn bind_definition(
        &mut self,
        name: Name,
        definition: StepKind,
        at: Span,
        decorators: &[Node<'t>],
    ) {
        for &decorator in decorators {
            if let Some(&expression) = parts(decorator).first() {
                self.value(expression);
            }
        }
        let value = self.emit(definition, at);
        self.bind_name(name);
        self.emit(StepKind::Bind { name, value, annotation: None }, at);
    }
}

/// The kind of an argument, and the node of its value.
pub(super) fn argument<'t>(text: &str, node: Node<'t>) -> Option<(ArgumentKind, Node<'t>)> {
    match node.kind() {
        "keyword_argument" => {
            let name = Name::new(&text[field(node, "name")?.byte_range()]);
            Some((ArgumentKind::Keyword(name), field(node, "value")?))
        }
        "list_splat" => Some((ArgumentKind::Spread, parts(node).first().copied()?)),
        "dictionary_splat" => Some((ArgumentKind::SpreadKeywords, parts(node).first().copied()?)),
        _ => Some((ArgumentKind::Plain, node)),
    }
}

fn aliased(item: Node<'_>) -> (Node<'_>, Option<Node<'_>>) {
    match item.kind() {
        "aliased_import" => (field(item, "name").unwrap_or(item), field(item, "alias")),
        _ => (item, None),
    }
}

/// The expressions that name what a clause catches; a tuple gives several, a bare `except` none.
fn caught_types(clause: Node<'_>) -> Vec<Node<'_>> {
    let mut found = Vec::new();
    for value in parts(clause).into_iter().filter(|part| part.kind() != "block") {
        if Some(value) == field(clause, "alias") {
            continue;
        }
        let value = match value.kind() {
            "as_pattern" => parts(value).first().copied().unwrap_or(value),
            _ => value,
        };
        match value.kind() {
            "tuple" | "expression_list" => found.extend(parts(value)),
            "parenthesized_expression" => {
                let inner = parts(value);
                match inner[..] {
                    [one] if one.kind() == "tuple" => found.extend(parts(one)),
                    _ => found.extend(inner),
                }
            }
            _ => found.push(value),
        }
    }
    found
}

fn caught_alias(clause: Node<'_>) -> Option<Node<'_>> {
    if let Some(alias) = field(clause, "alias") {
        return Some(alias);
    }
    let pattern = parts(clause).into_iter().find(|part| part.kind() == "as_pattern")?;
    let target = field(pattern, "alias")?;
    parts(target).first().copied().or(Some(target))
}
