//! lower/python/statement: statements become steps and blocks.

use crate::facts::{
    Argument, ArgumentKind, Handler, HandlerId, Import, Imported, Next, RegionKind, StepId, StepKind,
};
use crate::name::Name;
use crate::source::Span;

use super::body::{Body, Cleanup, Jump, Loop};
use super::definition::alias_name;
use super::tree::{Kind, Node, Role};
use super::{span, term};

impl<'t> Body<'_, '_, 't> {
    /// Lowers the statements of a block or module.
    pub(super) fn statements(&mut self, block: Node<'t>) {
        self.deeper(block, |body| {
            for statement in block.parts() {
                body.statement(statement);
            }
        });
    }

    fn statement(&mut self, node: Node<'t>) {
        match node.kind() {
            Kind::FunctionDefinition => self.function_definition(node, node),
            Kind::ClassDefinition => self.class_definition(node, node),
            Kind::DecoratedDefinition => {
                if let Some(inner) = node.field(Role::Definition) {
                    match inner.kind() {
                        Kind::ClassDefinition => self.class_definition(inner, node),
                        _ => self.function_definition(inner, node),
                    }
                }
            }
            // What is intact inside a broken stretch is still read.
            Kind::Error => {
                let is_intact = |part: &Node<'t>| {
                    part.kind().is_definition() || part.kind().is_statement() && !part.has_error()
                };
                for part in node.parts().filter(is_intact) {
                    self.deeper(part, |body| body.statement(part));
                }
            }
            Kind::IfStatement => self.if_statement(node),
            Kind::ForStatement => self.for_statement(node),
            Kind::WhileStatement => self.while_statement(node),
            Kind::TryStatement => self.try_statement(node),
            Kind::WithStatement => self.with_statement(node),
            Kind::MatchStatement => self.match_statement(node),
            // A simple statement with an error in it says nothing reliable; the gap is told for the file.
            _ if node.has_error() => {}
            Kind::ExpressionStatement => {
                for part in node.parts() {
                    self.expression_statement(part);
                }
            }
            Kind::TypeAliasStatement => {
                if let Some(left) = alias_name(node) {
                    let value = self.emit(StepKind::Compute(Box::default()), span(left));
                    self.assign(left, value, None);
                }
            }
            Kind::ReturnStatement => {
                let value = node.first_part().map(|value| self.value(value));
                self.emit(StepKind::Return(value), span(node));
                self.jump(Jump::Leave, 0);
            }
            Kind::RaiseStatement => {
                let cause = node.field(Role::Cause);
                let value = node.parts().find(|part| Some(*part) != cause);
                let value = value.map(|value| self.value(value));
                let cause = cause.map(|cause| self.value(cause));
                self.emit(StepKind::Raise { value, cause }, span(node));
                self.finish(Next::Throw);
                self.begin_unreachable();
            }
            Kind::BreakStatement => {
                if let Some(&Loop { after, cleanups, .. }) = self.loops.last() {
                    self.jump(Jump::To(after), cleanups);
                }
            }
            Kind::ContinueStatement => {
                if let Some(&Loop { again, cleanups, .. }) = self.loops.last() {
                    self.jump(Jump::To(again), cleanups);
                }
            }
            Kind::ImportStatement => self.import_statement(node),
            Kind::ImportFromStatement => self.import_from_statement(node),
            Kind::GlobalStatement | Kind::NonlocalStatement => {
                for part in node.parts() {
                    let name = self.lower.name(part);
                    self.function.outer_names.push(name);
                }
            }
            Kind::DeleteStatement => self.delete_statement(node),
            Kind::AssertStatement => {
                if let Some(test) = node.first_part() {
                    let value = self.value(test);
                    self.emit(StepKind::Assert(value), span(node));
                }
            }
            Kind::PrintStatement | Kind::ExecStatement => {
                for part in node.parts() {
                    self.value(part);
                }
            }
            _ => {}
        }
    }

    fn expression_statement(&mut self, node: Node<'t>) {
        match node.kind() {
            Kind::Assignment => {
                self.assignment(node);
            }
            Kind::AugmentedAssignment => self.augmented_assignment(node),
            _ => {
                let value = self.value(node);
                self.function.bare.push(value);
            }
        }
    }

    /// Lowers `left = right`, also chained, and answers the value.
    fn assignment(&mut self, node: Node<'t>) -> Option<StepId> {
        let annotation =
            node.field(Role::Type).map(|annotation| Box::new(term::annotation(self.lower.text, annotation)));
        let value = match node.field(Role::Right) {
            Some(right) if right.kind() == Kind::Assignment => {
                self.deeper(right, |body| body.assignment(right)).flatten()
            }
            Some(right) => Some(self.value(right)),
            None => None,
        };
        let left = node.field(Role::Left)?;
        match value {
            Some(value) => self.assign(left, value, annotation),
            None => {
                // `name: Type` without a value declares the name.
                if left.kind() == Kind::Identifier {
                    let name = self.lower.name(left);
                    self.bind_name(name);
                    if annotation.is_some() {
                        let value = self.emit(StepKind::Compute(Box::default()), span(left));
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
            Kind::Identifier => {
                let name = self.lower.name(target);
                self.bind_name(name);
                self.emit(StepKind::Bind { name, value, annotation }, at);
            }
            Kind::Attribute => {
                let (Some(object), Some(attribute)) =
                    (target.field(Role::Object), target.field(Role::Attribute))
                else {
                    return;
                };
                let of = self.value(object);
                let name = self.lower.name(attribute);
                self.emit(StepKind::Store { of, name, value }, at);
            }
            Kind::Subscript => {
                let Some(object) = target.field(Role::Value) else { return };
                let of = self.value(object);
                let keys: Vec<StepId> = target.fields(Role::Subscript).map(|key| self.value(key)).collect();
                let key = match keys[..] {
                    [key] => key,
                    _ => self.emit(StepKind::List(keys.into()), at),
                };
                self.emit(StepKind::StoreIndex { of, key, value }, at);
            }
            Kind::PatternList
            | Kind::TuplePattern
            | Kind::ListPattern
            | Kind::Tuple
            | Kind::List
            | Kind::ExpressionList => {
                self.deeper(target, |body| {
                    let mut exact = true;
                    for (index, part) in target.parts().enumerate() {
                        // Behind a starred target the places count from the end.
                        let starred = part.kind() == Kind::ListSplatPattern;
                        exact &= !starred;
                        let index = if exact { Some(index as u32) } else { None };
                        let piece = body.emit(StepKind::Part { of: value, index }, span(part));
                        body.assign(part, piece, None);
                    }
                });
            }
            Kind::ListSplatPattern
            | Kind::ListSplat
            | Kind::ParenthesizedExpression
            | Kind::AsPatternTarget => {
                if let Some(inner) = target.first_part() {
                    self.deeper(target, |body| body.assign(inner, value, None));
                }
            }
            _ => {}
        }
    }

    fn augmented_assignment(&mut self, node: Node<'t>) {
        let (Some(left), Some(right)) = (node.field(Role::Left), node.field(Role::Right)) else { return };
        let old = self.value(left);
        let new = self.value(right);
        let value = self.emit(StepKind::Compute([old, new].into()), span(node));
        self.assign(left, value, None);
    }

    fn delete_statement(&mut self, node: Node<'t>) {
        for part in node.parts() {
            let is_list = part.kind() == Kind::ExpressionList;
            let targets = if is_list { part.parts().collect() } else { vec![part] };
            for target in targets {
                if target.kind() == Kind::Identifier {
                    let name = self.lower.name(target);
                    self.bind_name(name);
                    self.emit(StepKind::Unbind(name), span(target));
                } else if let (Some(of), Some(key)) =
                    (target.field(Role::Value), target.field(Role::Subscript))
                {
                    // `del a[key]` takes out of `a` what `a.pop(key)` does.
                    let of = self.value(of);
                    let key = Argument { kind: ArgumentKind::Plain, value: self.value(key) };
                    let callee = self.emit(StepKind::Attribute { of, name: Name::new("pop") }, span(target));
                    self.emit(StepKind::Call { callee, arguments: [key].into() }, span(target));
                } else {
                    self.value(target);
                }
            }
        }
    }

    fn if_statement(&mut self, node: Node<'t>) {
        let after = self.new_block();
        let mut clauses = vec![node];
        clauses.extend(node.fields(Role::Alternative));
        for clause in clauses {
            if clause.kind() == Kind::ElseClause {
                if let Some(block) = clause.field(Role::Body) {
                    self.statements(block);
                }
                continue;
            }
            let (Some(condition), Some(block)) =
                (clause.field(Role::Condition), clause.field(Role::Consequence))
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
            Kind::ParenthesizedExpression if node.only_part().is_some() => {
                let inner = node.only_part();
                let done = inner.and_then(|inner| self.deeper(node, |body| body.condition(inner, yes, no)));
                if done.is_none() {
                    self.finish(Next::Any(vec![yes, no]));
                }
            }
            Kind::NotOperator => {
                let inner = node.field(Role::Argument);
                let done = inner.and_then(|inner| self.deeper(node, |body| body.condition(inner, no, yes)));
                if done.is_none() {
                    self.finish(Next::Any(vec![yes, no]));
                }
            }
            Kind::BooleanOperator => {
                // `a and b and c` leans to the left; the spine is walked, not recursed into.
                let mut spine = vec![node];
                while let Some(left) = spine[spine.len() - 1].field(Role::Left) {
                    if left.kind() != Kind::BooleanOperator {
                        break;
                    }
                    spine.push(left);
                }
                // From the innermost operator outwards: where its value sends control.
                let mut targets = Vec::with_capacity(spine.len());
                let (mut outer_yes, mut outer_no) = (yes, no);
                for &operator in &spine {
                    let is_and = operator.field(Role::Operator).is_some_and(|sign| sign.kind() == Kind::And);
                    let rest = self.new_block();
                    targets.push((outer_yes, outer_no, rest));
                    (outer_yes, outer_no) = if is_and { (rest, outer_no) } else { (outer_yes, rest) };
                }
                let Some(first) = spine[spine.len() - 1].field(Role::Left) else {
                    self.finish(Next::Any(vec![yes, no]));
                    return;
                };
                if self.deeper(first, |body| body.condition(first, outer_yes, outer_no)).is_none() {
                    self.finish(Next::Any(vec![outer_yes, outer_no]));
                }
                for (&operator, &(yes, no, rest)) in spine.iter().zip(&targets).rev() {
                    self.begin(rest);
                    let right = operator.field(Role::Right);
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
            (node.field(Role::Left), node.field(Role::Right), node.field(Role::Body))
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
        let (Some(condition), Some(block)) = (node.field(Role::Condition), node.field(Role::Body)) else {
            return;
        };
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
        let clause = node.field(Role::Alternative).or_else(|| node.child(Kind::ElseClause));
        if let Some(block) = clause.and_then(|clause| clause.field(Role::Body)) {
            self.statements(block);
        }
    }

    fn try_statement(&mut self, node: Node<'t>) {
        let Some(block) = node.field(Role::Body) else { return };
        let last_block = |clause: Node<'t>| clause.parts().rfind(|part| part.kind() == Kind::Block);
        let finally = node.child(Kind::FinallyClause).and_then(last_block);
        let handlers: Vec<Node<'t>> =
            node.parts().filter(|clause| clause.kind() == Kind::ExceptClause).collect();

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
            let colon = clause.child(Kind::Colon);
            let end = colon.map_or(span(clause).end, |colon| span(colon).start);
            let head = Span { start: span(clause).start, end };
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
        if let Some(block) = clause.parts().rfind(|part| part.kind() == Kind::Block) {
            self.statements(block);
        }
        self.set_region(around);
    }

    fn with_statement(&mut self, node: Node<'t>) {
        let Some(block) = node.field(Role::Body) else { return };
        let mut items = Vec::new();
        for clause in node.parts().filter(|part| part.kind() == Kind::WithClause) {
            items.extend(clause.parts().filter(|part| part.kind() == Kind::WithItem));
        }
        self.with_items(&items, block);
    }

    fn with_items(&mut self, items: &[Node<'t>], block: Node<'t>) {
        let Some((&item, rest)) = items.split_first() else {
            self.statements(block);
            return;
        };
        let Some(value) = item.field(Role::Value) else { return };
        let (context, target) = match value.kind() {
            Kind::AsPattern => (value.first_part().unwrap_or(value), value.field(Role::Alias)),
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
        let subjects: Vec<StepId> = node.fields(Role::Subject).map(|subject| self.value(subject)).collect();
        let subject = match subjects[..] {
            [subject] => subject,
            _ => self.emit(StepKind::List(subjects.into()), span(node)),
        };
        let Some(block) = node.field(Role::Body) else { return };
        let cases: Vec<Node<'t>> = block.parts().filter(|part| part.kind() == Kind::CaseClause).collect();
        let after = self.new_block();
        let starts: Vec<u32> = cases.iter().map(|_| self.new_block()).collect();
        let mut ways = starts.clone();
        let catches_all = |case: &Node<'t>| {
            let patterns: Vec<_> = case.parts().filter(|part| part.kind() == Kind::CasePattern).collect();
            case.field(Role::Guard).is_none()
                && matches!(patterns[..], [pattern] if self.lower.slice(pattern) == "_")
        };
        if !cases.iter().any(catches_all) {
            ways.push(after);
        }
        self.finish(Next::Any(ways));
        for (index, (&case, &start)) in cases.iter().zip(&starts).enumerate() {
            self.begin(start);
            for pattern in case.parts().filter(|part| part.kind() == Kind::CasePattern) {
                self.captures(pattern, subject);
            }
            if let Some(test) = case.field(Role::Guard).and_then(Node::first_part) {
                let (yes, no) = (self.new_block(), self.new_block());
                self.condition(test, yes, no);
                // A guard that fails tries the cases below.
                self.begin(no);
                let mut below = starts[index + 1..].to_vec();
                below.push(after);
                self.finish_into(Next::Any(below), yes);
            }
            if let Some(block) = case.field(Role::Consequence) {
                self.statements(block);
            }
            self.finish(Next::Goto(after));
        }
        self.begin(after);
    }

    /// Binds the names a pattern captures.
    fn captures(&mut self, pattern: Node<'t>, subject: StepId) {
        self.deeper(pattern, |body| {
            for part in pattern.parts() {
                match part.kind() {
                    // A bare name captures, a dotted one is compared.
                    Kind::DottedName
                        if !body.lower.slice(part).contains('.') && pattern.kind() != Kind::ClassPattern =>
                    {
                        let name = body.lower.name(part);
                        if &*name != "_" {
                            body.bind_name(name);
                            let value = body.emit(StepKind::Part { of: subject, index: None }, span(part));
                            body.emit(StepKind::Bind { name, value, annotation: None }, span(part));
                        }
                    }
                    Kind::Identifier if matches!(pattern.kind(), Kind::AsPattern | Kind::SplatPattern) => {
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
        for item in node.fields(Role::Name) {
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
        let Some(from) = node.field(Role::ModuleName) else { return };
        let text = self.lower.slice(from);
        let dotted: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let module = dotted.trim_start_matches('.');
        let level = (dotted.len() - module.len()) as u32;
        let module = Name::new(module);
        for item in node.fields(Role::Name) {
            let (path, alias) = aliased(item);
            let name = self.lower.name(path);
            let binds = alias.map_or(name, |alias| self.lower.name(alias));
            self.import(Import { module, level, item: Imported::Item(name), binds, span: span(item) });
        }
        if let Some(star) = node.child(Kind::WildcardImport) {
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
            if let Some(expression) = decorator.first_part() {
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
        Kind::KeywordArgument => {
            let name = Name::new(&text[node.field(Role::Name)?.range()]);
            Some((ArgumentKind::Keyword(name), node.field(Role::Value)?))
        }
        Kind::ListSplat => Some((ArgumentKind::Spread, node.first_part()?)),
        Kind::DictionarySplat => Some((ArgumentKind::SpreadKeywords, node.first_part()?)),
        _ => Some((ArgumentKind::Plain, node)),
    }
}

fn aliased(item: Node<'_>) -> (Node<'_>, Option<Node<'_>>) {
    match item.kind() {
        Kind::AliasedImport => (item.field(Role::Name).unwrap_or(item), item.field(Role::Alias)),
        _ => (item, None),
    }
}

/// The expressions that name what a clause catches; a tuple gives several, a bare `except` none.
fn caught_types(clause: Node<'_>) -> Vec<Node<'_>> {
    let mut found = Vec::new();
    for value in clause.parts().filter(|part| part.kind() != Kind::Block) {
        if Some(value) == clause.field(Role::Alias) {
            continue;
        }
        let value = match value.kind() {
            Kind::AsPattern => value.first_part().unwrap_or(value),
            _ => value,
        };
        match value.kind() {
            Kind::Tuple | Kind::ExpressionList => found.extend(value.parts()),
            Kind::ParenthesizedExpression => {
                match value.only_part().filter(|one| one.kind() == Kind::Tuple) {
                    Some(tuple) => found.extend(tuple.parts()),
                    None => found.extend(value.parts()),
                }
            }
            _ => found.push(value),
        }
    }
    found
}

fn caught_alias(clause: Node<'_>) -> Option<Node<'_>> {
    if let Some(alias) = clause.field(Role::Alias) {
        return Some(alias);
    }
    let pattern = clause.child(Kind::AsPattern)?;
    let target = pattern.field(Role::Alias)?;
    target.first_part().or(Some(target))
}
