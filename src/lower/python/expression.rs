//! lower/python/expression: expressions become steps, in the order Python evaluates them.

use tree_sitter::Node;

use crate::facts::{Argument, Comparison, FunctionKind, Literal, StepId, StepKind};
use crate::name::Name;

use super::super::outline::empty_function;
use super::body::Body;
use super::statement::argument;
use super::{field, fields, parts, span};

impl<'t> Body<'_, '_, 't> {
    /// Lowers an expression and answers the step that holds its value.
    ///
    /// Chains (`a.b().c()`, `x + y + z`) lean to the left as deep as they are long, so that side is walked in a loop.
    pub(super) fn value(&mut self, node: Node<'t>) -> StepId {
        let mut spine = vec![node];
        loop {
            let outer = spine[spine.len() - 1];
            let inner = match outer.kind() {
                "attribute" => field(outer, "object"),
                "call" => field(outer, "function"),
                "subscript" => field(outer, "value"),
                "binary_operator" | "boolean_operator" => field(outer, "left"),
                "parenthesized_expression" if parts(outer).len() == 1 => parts(outer).first().copied(),
                "await" => parts(outer).first().copied(),
                _ => None,
            };
            match inner {
                Some(inner) => spine.push(inner),
                None => break,
            }
        }
        let base = spine.pop().expect("internal error: the spine starts with one node");
        let lowered = self.deeper(base, |body| body.leaf(base));
        let mut value = lowered.unwrap_or_else(|| self.emit(StepKind::Compute(Vec::new()), span(base)));
        while let Some(outer) = spine.pop() {
            let lowered = self.deeper(outer, |body| body.around(outer, value));
            value = lowered.unwrap_or(value);
        }
        value
    }

    /// An expression around one whose value is known.
    fn around(&mut self, node: Node<'t>, inner: StepId) -> StepId {
        let at = span(node);
        match node.kind() {
            "attribute" => {
                let name = field(node, "attribute").map_or(Name::new(""), |part| self.lower.name(part));
                self.emit(StepKind::Attribute { of: inner, name }, at)
            }
            "call" => {
                let mut arguments = Vec::new();
                if let Some(list) = field(node, "arguments") {
                    let nodes = if list.kind() == "argument_list" { parts(list) } else { vec![list] };
                    for node in nodes {
                        if let Some((kind, value)) = argument(self.lower.text, node) {
                            let value = self.value(value);
                            arguments.push(Argument { kind, value });
                        }
                    }
                }
                self.emit(StepKind::Call { callee: inner, arguments }, at)
            }
            "subscript" => {
                let keys: Vec<StepId> =
                    fields(node, "subscript").into_iter().map(|key| self.value(key)).collect();
                let key = match keys[..] {
                    [key] => key,
                    _ => self.emit(StepKind::List(keys), at),
                };
                self.emit(StepKind::Index { of: inner, key }, at)
            }
            "binary_operator" | "boolean_operator" => {
                let Some(right) = field(node, "right") else { return inner };
                let right = self.value(right);
                let both = vec![inner, right];
                let kind = match node.kind() {
                    "boolean_operator" => StepKind::Either(both),
                    _ => StepKind::Compute(both),
                };
                self.emit(kind, at)
            }
            "await" => self.emit(StepKind::Await(inner), at),
            _ => inner,
        }
    }

    /// An expression that does not lean to the left.
    fn leaf(&mut self, node: Node<'t>) -> StepId {
        let at = span(node);
        let kind = match node.kind() {
            "identifier" => {
                let name = self.lower.name(node);
                if let Some(&(_, value)) = self.local_values.iter().rev().find(|(local, _)| *local == name) {
                    return value;
                }
                StepKind::Name(name)
            }
            "none" => StepKind::Literal(Literal::None),
            "true" => StepKind::Literal(Literal::Switch(true)),
            "false" => StepKind::Literal(Literal::Switch(false)),
            "string" | "concatenated_string" => return self.string(node),
            "list" | "tuple" | "set" | "expression_list" | "pattern_list" => {
                let items = parts(node).into_iter().map(|item| self.value(item)).collect();
                StepKind::List(items)
            }
            "list_splat" | "dictionary_splat" | "keyword_argument" => {
                let inner = field(node, "value").or_else(|| parts(node).first().copied());
                return match inner {
                    Some(inner) => self.value(inner),
                    None => self.emit(StepKind::Literal(Literal::Other), at),
                };
            }
            "dictionary" => {
                let mut entries = Vec::new();
                for part in parts(node) {
                    let key = field(part, "key").map(|key| self.value(key));
                    let value = field(part, "value").or_else(|| parts(part).first().copied());
                    if let Some(value) = value {
                        let value = self.value(value);
                        entries.push((key, value));
                    }
                }
                StepKind::Dictionary(entries)
            }
            "list_comprehension"
            | "set_comprehension"
            | "generator_expression"
            | "dictionary_comprehension" => {
                return self.comprehension(node);
            }
            "comparison_operator" => return self.comparison(node),
            "not_operator" => match field(node, "argument") {
                Some(argument) => StepKind::Not(self.value(argument)),
                None => StepKind::Literal(Literal::Other),
            },
            "unary_operator" => match field(node, "argument") {
                Some(argument) => StepKind::Compute(vec![self.value(argument)]),
                None => StepKind::Literal(Literal::Other),
            },
            "conditional_expression" => {
                let inner = parts(node);
                let [yes, test, no] = inner[..] else { return self.emit(StepKind::Compute(Vec::new()), at) };
                self.value(test);
                let yes = self.value(yes);
                let no = self.value(no);
                StepKind::Either(vec![yes, no])
            }
            "lambda" => return self.lambda(node),
            "yield" => {
                self.function.is_generator = true;
                let value = parts(node).first().map(|&value| self.value(value));
                StepKind::Yield(value)
            }
            "named_expression" => {
                let (Some(name), Some(value)) = (field(node, "name"), field(node, "value")) else {
                    return self.emit(StepKind::Literal(Literal::Other), at);
                };
                let value = self.value(value);
                let name = self.lower.name(name);
                self.bind_name(name);
                self.emit(StepKind::Bind { name, value, annotation: None }, at);
                return value;
            }
            "assignment" | "augmented_assignment" => StepKind::Compute(Vec::new()),
            "slice" | "parenthesized_expression" | "as_pattern" => {
                let items = parts(node).into_iter().map(|item| self.value(item)).collect();
                StepKind::Compute(items)
            }
            "attribute" | "call" | "subscript" | "binary_operator" | "boolean_operator" | "await" => {
                // Its left side is missing: there was a syntax error.
                StepKind::Compute(Vec::new())
            }
            _ => StepKind::Literal(Literal::Other),
        };
        self.emit(kind, at)
    }

    fn string(&mut self, node: Node<'t>) -> StepId {
        let pieces = if node.kind() == "concatenated_string" { parts(node) } else { vec![node] };
        let mut values = Vec::new();
        let mut text = String::new();
        for piece in pieces {
            for part in parts(piece) {
                match part.kind() {
                    "string_content" => text.push_str(self.lower.slice(part)),
                    "interpolation" => {
                        if let Some(inner) = field(part, "expression") {
                            values.push(self.value(inner));
                        }
                    }
                    _ => {}
                }
            }
        }
        let kind = if values.is_empty() {
            StepKind::Literal(Literal::Text(Name::new(&text)))
        } else {
            StepKind::Format(values)
        };
        self.emit(kind, span(node))
    }

    fn comparison(&mut self, node: Node<'t>) -> StepId {
        let mut cursor = node.walk();
        let signs: Vec<&str> =
            node.children_by_field_name("operators", &mut cursor).map(|sign| sign.kind()).collect();
        let operands: Vec<StepId> = parts(node).into_iter().map(|operand| self.value(operand)).collect();
        // `a < b < c` compares the neighbours; the last comparison stands for the whole.
        let mut last = None;
        for (pair, sign) in operands.windows(2).zip(signs.iter().filter(|sign| !sign.is_empty())) {
            let (comparison, negated) = match *sign {
                "is" => (Comparison::Is, false),
                "is not" => (Comparison::Is, true),
                "==" => (Comparison::Equal, false),
                "!=" | "<>" => (Comparison::Equal, true),
                "in" => (Comparison::In, false),
                "not in" => (Comparison::In, true),
                _ => (Comparison::Order, false),
            };
            let kind = StepKind::Compare { comparison, negated, left: pair[0], right: pair[1] };
            last = Some(self.emit(kind, span(node)));
        }
        last.unwrap_or_else(|| self.emit(StepKind::Compute(operands), span(node)))
    }

    fn comprehension(&mut self, node: Node<'t>) -> StepId {
        let outer = self.local_values.len();
        let mut tests = Vec::new();
        for clause in parts(node) {
            match clause.kind() {
                "for_in_clause" => {
                    let iterated: Vec<StepId> =
                        fields(clause, "right").into_iter().map(|right| self.value(right)).collect();
                    let iterated = match iterated[..] {
                        [one] => one,
                        _ => self.emit(StepKind::List(iterated), span(clause)),
                    };
                    if let Some(left) = field(clause, "left") {
                        let element = self.emit(StepKind::Element(iterated), span(left));
                        self.local_target(left, element);
                    }
                }
                "if_clause" => {
                    let mut waiting = parts(clause);
                    while let Some(test) = waiting.pop() {
                        let is_both = || field(test, "operator").is_some_and(|word| word.kind() == "and");
                        if test.kind() == "parenthesized_expression" {
                            waiting.extend(parts(test));
                        } else if test.kind() == "boolean_operator" && is_both() {
                            waiting.extend(fields(test, "left"));
                            waiting.extend(fields(test, "right"));
                        } else {
                            tests.push(self.value(test));
                        }
                    }
                }
                _ => {}
            }
        }
        let element = match field(node, "body") {
            Some(body) if body.kind() == "pair" => {
                let key = field(body, "key").map(|key| self.value(key));
                let value = field(body, "value").map(|value| self.value(value));
                if let (Some(key), Some(value)) = (key, value) {
                    let key = self.emit(StepKind::Turns { of: key, tests }, span(body));
                    // The keys say which dictionary comes out; how many there are, nobody can tell.
                    self.local_values.truncate(outer);
                    return self.emit(StepKind::Dictionary(vec![(Some(key), value)]), span(node));
                }
                key.or(value)
            }
            Some(body) => Some(self.value(body)),
            None => None,
        };
        self.local_values.truncate(outer);
        let element = element.unwrap_or_else(|| self.emit(StepKind::Literal(Literal::Other), span(node)));
        self.emit(StepKind::Gather(element), span(node))
    }

    fn local_target(&mut self, target: Node<'t>, value: StepId) {
        if target.kind() == "identifier" {
            let name = self.lower.name(target);
            self.local_values.push((name, value));
            return;
        }
        self.deeper(target, |body| {
            for (index, part) in parts(target).into_iter().enumerate() {
                let piece = body.emit(StepKind::Part { of: value, index: Some(index as u32) }, span(part));
                body.local_target(part, piece);
            }
        });
    }

    fn lambda(&mut self, node: Node<'t>) -> StepId {
        let Some(expression) = field(node, "body") else {
            return self.emit(StepKind::Literal(Literal::Other), span(node));
        };
        let qualname = self.qualified("<lambda>");
        let mut function = empty_function(Name::new("<lambda>"), qualname, FunctionKind::Lambda);
        function.span = span(node);
        function.name_span = span(node);
        function.parent = Some(self.index);
        if let Some(list) = field(node, "parameters") {
            function.params = self.params(list);
        }
        let index = self.lower.add_function(function, expression);
        self.emit(StepKind::Function(index), span(node))
    }
}
