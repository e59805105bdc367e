//! lower/python/expression: expressions become steps, in the order Python evaluates them.

use std::borrow::Cow;

use crate::facts::{Argument, Comparison, FunctionKind, Literal, StepId, StepKind};
use crate::name::Name;

use super::super::outline::empty_function;
use super::body::Body;
use super::span;
use super::statement::argument;
use super::tree::{Kind, Node, Role};

impl<'t> Body<'_, '_, 't> {
    /// Lowers an expression and answers the step that holds its value.
    ///
    /// Chains (`a.b().c()`, `x + y + z`) lean to the left as deep as they are long, so that side is walked in a loop.
    pub(super) fn value(&mut self, node: Node<'t>) -> StepId {
        let mut spine = vec![node];
        loop {
            let outer = spine[spine.len() - 1];
            let inner = match outer.kind() {
                Kind::Attribute => outer.field(Role::Object),
                Kind::Call => outer.field(Role::Function),
                Kind::Subscript => outer.field(Role::Value),
                Kind::BinaryOperator | Kind::BooleanOperator => outer.field(Role::Left),
                Kind::ParenthesizedExpression => outer.only_part(),
                Kind::Await => outer.first_part(),
                _ => None,
            };
            match inner {
                Some(inner) => spine.push(inner),
                None => break,
            }
        }
        let base = spine.pop().expect("internal error: the spine starts with one node");
        let lowered = self.deeper(base, |body| body.leaf(base));
        let mut value = lowered.unwrap_or_else(|| self.emit(StepKind::Compute(Box::default()), span(base)));
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
            Kind::Attribute => {
                let name = node.field(Role::Attribute).map_or(Name::new(""), |part| self.lower.name(part));
                self.emit(StepKind::Attribute { of: inner, name }, at)
            }
            Kind::Call => {
                let mut arguments = Vec::new();
                if let Some(list) = node.field(Role::Arguments) {
                    let is_list = list.kind() == Kind::ArgumentList;
                    let alone = Some(list).filter(|_| !is_list);
                    for node in list.parts().filter(|_| is_list).chain(alone) {
                        if let Some((kind, value)) = argument(self.lower.text, node) {
                            let value = self.value(value);
                            arguments.push(Argument { kind, value });
                        }
                    }
                }
                arguments.shrink_to_fit();
                self.emit(StepKind::Call { callee: inner, arguments: arguments.into() }, at)
            }
            Kind::Subscript => {
                let keys: Vec<StepId> = node.fields(Role::Subscript).map(|key| self.value(key)).collect();
                let key = match keys[..] {
                    [key] => key,
                    _ => self.emit(StepKind::List(keys.into()), at),
                };
                self.emit(StepKind::Index { of: inner, key }, at)
            }
            Kind::BinaryOperator | Kind::BooleanOperator => {
                let Some(right) = node.field(Role::Right) else { return inner };
                let right = self.value(right);
                let both = vec![inner, right];
                let kind = match node.kind() {
                    Kind::BooleanOperator => StepKind::Either(both.into()),
                    _ => StepKind::Compute(both.into()),
                };
                self.emit(kind, at)
            }
            Kind::Await => self.emit(StepKind::Await(inner), at),
            _ => inner,
        }
    }

    /// An expression that does not lean to the left.
    fn leaf(&mut self, node: Node<'t>) -> StepId {
        let at = span(node);
        let kind = match node.kind() {
            Kind::Identifier => {
                let name = self.lower.name(node);
                if let Some(&(_, value)) = self.local_values.iter().rev().find(|(local, _)| *local == name) {
                    return value;
                }
                StepKind::Name(name)
            }
            Kind::NoneLiteral => StepKind::Literal(Literal::None),
            Kind::True => StepKind::Literal(Literal::Switch(true)),
            Kind::False => StepKind::Literal(Literal::Switch(false)),
            Kind::String | Kind::ConcatenatedString => return self.string(node),
            Kind::List | Kind::Tuple | Kind::Set | Kind::ExpressionList | Kind::PatternList => {
                let items = node.parts().map(|item| self.value(item)).collect();
                StepKind::List(items)
            }
            Kind::ListSplat | Kind::DictionarySplat | Kind::KeywordArgument => {
                let inner = node.field(Role::Value).or_else(|| node.first_part());
                return match inner {
                    Some(inner) => self.value(inner),
                    None => self.emit(StepKind::Literal(Literal::Other), at),
                };
            }
            Kind::Dictionary => {
                let mut entries = Vec::new();
                for part in node.parts() {
                    let key = part.field(Role::Key).map(|key| self.value(key));
                    let value = part.field(Role::Value).or_else(|| part.first_part());
                    if let Some(value) = value {
                        let value = self.value(value);
                        entries.push((key, value));
                    }
                }
                entries.shrink_to_fit();
                StepKind::Dictionary(entries.into())
            }
            Kind::ListComprehension
            | Kind::SetComprehension
            | Kind::GeneratorExpression
            | Kind::DictionaryComprehension => {
                return self.comprehension(node);
            }
            Kind::ComparisonOperator => return self.comparison(node),
            Kind::NotOperator => match node.field(Role::Argument) {
                Some(argument) => StepKind::Not(self.value(argument)),
                None => StepKind::Literal(Literal::Other),
            },
            Kind::UnaryOperator => match node.field(Role::Argument) {
                Some(argument) => StepKind::Compute([self.value(argument)].into()),
                None => StepKind::Literal(Literal::Other),
            },
            Kind::ConditionalExpression => {
                let mut inner = node.parts();
                let three = (inner.next(), inner.next(), inner.next(), inner.next());
                let (Some(yes), Some(test), Some(no), None) = three else {
                    return self.emit(StepKind::Compute(Box::default()), at);
                };
                self.value(test);
                let yes = self.value(yes);
                let no = self.value(no);
                StepKind::Either([yes, no].into())
            }
            Kind::Lambda => return self.lambda(node),
            Kind::Yield => {
                self.function.is_generator = true;
                let value = node.first_part().map(|value| self.value(value));
                StepKind::Yield(value)
            }
            Kind::NamedExpression => {
                let (Some(name), Some(value)) = (node.field(Role::Name), node.field(Role::Value)) else {
                    return self.emit(StepKind::Literal(Literal::Other), at);
                };
                let value = self.value(value);
                let name = self.lower.name(name);
                self.bind_name(name);
                self.emit(StepKind::Bind { name, value, annotation: None }, at);
                return value;
            }
            Kind::Assignment | Kind::AugmentedAssignment => StepKind::Compute(Box::default()),
            Kind::Slice | Kind::ParenthesizedExpression | Kind::AsPattern => {
                let items = node.parts().map(|item| self.value(item)).collect();
                StepKind::Compute(items)
            }
            Kind::Attribute
            | Kind::Call
            | Kind::Subscript
            | Kind::BinaryOperator
            | Kind::BooleanOperator
            | Kind::Await => {
                // Its left side is missing: there was a syntax error.
                StepKind::Compute(Box::default())
            }
            _ => StepKind::Literal(Literal::Other),
        };
        self.emit(kind, at)
    }

    fn string(&mut self, node: Node<'t>) -> StepId {
        let is_one = node.kind() == Kind::String;
        let alone = Some(node).filter(|_| is_one);
        let source = self.lower.text;
        let mut values = Vec::new();
        let mut text = Cow::Borrowed("");
        for piece in node.parts().filter(|_| !is_one).chain(alone) {
            for part in piece.parts() {
                match part.kind() {
                    Kind::StringContent => text += &source[part.range()],
                    Kind::Interpolation => {
                        if let Some(inner) = part.field(Role::Expression) {
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
            StepKind::Format(values.into())
        };
        self.emit(kind, span(node))
    }

    fn comparison(&mut self, node: Node<'t>) -> StepId {
        let operands: Vec<StepId> = node.parts().map(|operand| self.value(operand)).collect();
        // `a < b < c` compares the neighbours; the last comparison stands for the whole.
        let mut last = None;
        for (pair, sign) in operands.windows(2).zip(node.signs(Role::Operators)) {
            let (comparison, negated) = match sign {
                Kind::Is => (Comparison::Is, false),
                Kind::IsNot => (Comparison::Is, true),
                Kind::Equal => (Comparison::Equal, false),
                Kind::Unequal => (Comparison::Equal, true),
                Kind::In => (Comparison::In, false),
                Kind::NotIn => (Comparison::In, true),
                _ => (Comparison::Order, false),
            };
            let kind = StepKind::Compare { comparison, negated, left: pair[0], right: pair[1] };
            last = Some(self.emit(kind, span(node)));
        }
        last.unwrap_or_else(|| self.emit(StepKind::Compute(operands.into()), span(node)))
    }

    fn comprehension(&mut self, node: Node<'t>) -> StepId {
        let outer = self.local_values.len();
        let mut tests = Vec::new();
        for clause in node.parts() {
            match clause.kind() {
                Kind::ForInClause => {
                    let iterated: Vec<StepId> =
                        clause.fields(Role::Right).map(|right| self.value(right)).collect();
                    let iterated = match iterated[..] {
                        [one] => one,
                        _ => self.emit(StepKind::List(iterated.into()), span(clause)),
                    };
                    if let Some(left) = clause.field(Role::Left) {
                        let element = self.emit(StepKind::Element(iterated), span(left));
                        self.local_target(left, element);
                    }
                }
                Kind::IfClause => {
                    let mut waiting: Vec<_> = clause.parts().collect();
                    while let Some(test) = waiting.pop() {
                        let is_both =
                            || test.field(Role::Operator).is_some_and(|word| word.kind() == Kind::And);
                        if test.kind() == Kind::ParenthesizedExpression {
                            waiting.extend(test.parts());
                        } else if test.kind() == Kind::BooleanOperator && is_both() {
                            waiting.extend(test.fields(Role::Left));
                            waiting.extend(test.fields(Role::Right));
                        } else {
                            tests.push(self.value(test));
                        }
                    }
                }
                _ => {}
            }
        }
        let element = match node.field(Role::Body) {
            Some(body) if body.kind() == Kind::Pair => {
                let key = body.field(Role::Key).map(|key| self.value(key));
                let value = body.field(Role::Value).map(|value| self.value(value));
                if let (Some(key), Some(value)) = (key, value) {
                    let key = self.emit(StepKind::Turns { of: key, tests: tests.into() }, span(body));
                    // The keys say which dictionary comes out; how many there are, nobody can tell.
                    self.local_values.truncate(outer);
                    return self.emit(StepKind::Dictionary([(Some(key), value)].into()), span(node));
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
        if target.kind() == Kind::Identifier {
            let name = self.lower.name(target);
            self.local_values.push((name, value));
            return;
        }
        self.deeper(target, |body| {
            for (index, part) in target.parts().enumerate() {
                let piece = body.emit(StepKind::Part { of: value, index: Some(index as u32) }, span(part));
                body.local_target(part, piece);
            }
        });
    }

    fn lambda(&mut self, node: Node<'t>) -> StepId {
        let Some(expression) = node.field(Role::Body) else {
            return self.emit(StepKind::Literal(Literal::Other), span(node));
        };
        let qualname = self.qualified("<lambda>");
        let mut function = empty_function(Name::new("<lambda>"), qualname, FunctionKind::Lambda);
        function.span = span(node);
        function.name_span = span(node);
        function.parent = Some(self.index);
        if let Some(list) = node.field(Role::Parameters) {
            function.params = self.params(list);
        }
        let index = self.lower.add_function(function, expression);
        self.emit(StepKind::Function(index), span(node))
    }
}
