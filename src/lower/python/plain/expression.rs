//! lower/python/plain/expression: expressions, targets and types, bound as tightly as the grammar binds them.

use super::super::tree::{Id, Kind, Role};
use super::Plain;
use super::token::Token;

/// How tightly `**` binds: more than the signs before a value do.
const POWER: u8 = 8;

impl Plain<'_> {
    /// One expression, or a list of them without brackets.
    pub(super) fn expressions(&mut self) -> Option<Id> {
        let first = self.item()?;
        if self.token != Token::Comma {
            return Some(first);
        }
        let open = self.tree.open();
        self.tree.push(Role::None, first);
        self.more_items()?;
        let start = self.tree.start(first);
        Some(self.tree.close(open, Kind::ExpressionList, start, self.done))
    }

    /// The items behind the first one, up to where no more expression can begin.
    pub(super) fn more_items(&mut self) -> Option<()> {
        while self.eat(Token::Comma)? {
            if self.ends_list() {
                break;
            }
            let item = self.item()?;
            self.tree.push(Role::None, item);
        }
        Some(())
    }

    fn ends_list(&self) -> bool {
        use Token::{CloseCurly, CloseRound, CloseSquare, Colon, End, Equal, Newline, Semicolon};
        matches!(
            self.token,
            CloseCurly | CloseRound | CloseSquare | Colon | End | Equal | Newline | Semicolon
        )
    }

    /// An expression, or `*x`.
    pub(super) fn item(&mut self) -> Option<Id> {
        if self.token != Token::Star {
            return self.expression();
        }
        let splat = self.starred()?;
        if self.is_whole(splat) { Some(splat) } else { None }
    }

    /// Whether what a star stands before is one word or bracket. The grammar binds `*a.b` as `(*a).b` in some places.
    fn is_whole(&self, splat: Id) -> bool {
        let inner = self.tree.child_at(self.tree.children_of(splat).start);
        matches!(self.tree.kind(inner), Kind::Identifier | Kind::List | Kind::Tuple | Kind::Set)
    }

    /// The first element of brackets, where none follows it only where it is no riddle how a star binds.
    fn first_element(&mut self) -> Option<Id> {
        let element = self.element()?;
        let is_riddle = self.tree.kind(element) == Kind::ListSplat && self.token != Token::Comma;
        if is_riddle && !self.is_whole(element) { None } else { Some(element) }
    }

    /// An element of brackets.
    fn element(&mut self) -> Option<Id> {
        if self.token == Token::Star { self.starred() } else { self.expression() }
    }

    /// The elements behind the first one.
    fn more_elements(&mut self) -> Option<()> {
        while self.eat(Token::Comma)? && !self.ends_list() {
            let element = self.element()?;
            self.tree.push(Role::None, element);
        }
        Some(())
    }

    /// Any expression but a `yield`.
    pub(super) fn expression(&mut self) -> Option<Id> {
        self.deeper(Self::conditional)
    }

    fn conditional(&mut self) -> Option<Id> {
        if self.token == Token::Lambda {
            return self.lambda();
        }
        let first = self.alternatives()?;
        match self.token {
            Token::If => {
                self.advance()?;
                let test = self.alternatives()?;
                self.expect(Token::Else)?;
                let other = self.expression()?;
                let (start, end) = (self.tree.start(first), self.tree.end(other));
                let children = [(Role::None, first), (Role::None, test), (Role::None, other)];
                Some(self.tree.branch(Kind::ConditionalExpression, start, end, &children))
            }
            Token::Walrus if self.tree.kind(first) == Kind::Identifier => {
                self.advance()?;
                let value = self.alternatives()?;
                // The grammar binds `x := a if b else c` as `(x := a) if b else c`.
                if self.token == Token::If {
                    return None;
                }
                let (start, end) = (self.tree.start(first), self.tree.end(value));
                let children = [(Role::Name, first), (Role::Value, value)];
                Some(self.tree.branch(Kind::NamedExpression, start, end, &children))
            }
            _ => Some(first),
        }
    }

    fn lambda(&mut self) -> Option<Id> {
        let start = self.start;
        self.advance()?;
        let parameters = if self.token == Token::Colon {
            None
        } else {
            let (open, start) = (self.tree.open(), self.start);
            while self.token != Token::Colon {
                self.parameter(Kind::LambdaParameters)?;
                if !self.eat(Token::Comma)? {
                    break;
                }
            }
            Some(self.tree.close(open, Kind::LambdaParameters, start, self.done))
        };
        self.expect(Token::Colon)?;
        let body = self.expression()?;
        let end = self.tree.end(body);
        Some(match parameters {
            Some(parameters) => {
                let children = [(Role::Parameters, parameters), (Role::Body, body)];
                self.tree.branch(Kind::Lambda, start, end, &children)
            }
            None => self.tree.branch(Kind::Lambda, start, end, &[(Role::Body, body)]),
        })
    }

    /// One parameter, which is pushed: of a function with its type, of a `lambda` without.
    pub(super) fn parameter(&mut self, list: Kind) -> Option<()> {
        let has_types = list == Kind::Parameters;
        let start = self.start;
        let (name, is_plain) = match self.token {
            Token::Name => (self.name()?, true),
            Token::Slash => (self.here(Kind::PositionalSeparator)?, false),
            Token::Star => {
                self.advance()?;
                if matches!(self.token, Token::Comma | Token::CloseRound | Token::Colon) {
                    let mark = self.tree.leaf(Kind::KeywordSeparator, start, start + 1);
                    self.tree.push(Role::None, mark);
                    return Some(());
                }
                let name = self.name()?;
                let end = self.tree.end(name);
                (self.tree.branch(Kind::ListSplatPattern, start, end, &[(Role::None, name)]), false)
            }
            Token::DoubleStar => {
                self.advance()?;
                let name = self.name()?;
                let end = self.tree.end(name);
                (self.tree.branch(Kind::DictionarySplatPattern, start, end, &[(Role::None, name)]), false)
            }
            _ => return None,
        };
        let is_typed = has_types && self.token == Token::Colon;
        if is_typed && self.tree.kind(name) == Kind::PositionalSeparator {
            return None;
        }
        let annotation = if is_typed {
            self.advance()?;
            Some(self.annotation()?)
        } else {
            None
        };
        let default = if is_plain && self.eat(Token::Equal)? { Some(self.expression()?) } else { None };
        let end = self.done;
        let parameter = match (annotation, default) {
            (None, None) => name,
            (Some(annotation), None) => {
                let children = [(Role::None, name), (Role::Type, annotation)];
                self.tree.branch(Kind::TypedParameter, start, end, &children)
            }
            (None, Some(default)) => {
                let children = [(Role::Name, name), (Role::Value, default)];
                self.tree.branch(Kind::DefaultParameter, start, end, &children)
            }
            (Some(annotation), Some(default)) => {
                let children = [(Role::Name, name), (Role::Type, annotation), (Role::Value, default)];
                self.tree.branch(Kind::TypedDefaultParameter, start, end, &children)
            }
        };
        self.tree.push(Role::None, parameter);
        Some(())
    }

    /// `a or b`.
    pub(super) fn alternatives(&mut self) -> Option<Id> {
        let mut left = self.all_of()?;
        while self.token == Token::Or {
            let sign = self.here(Kind::Or)?;
            let right = self.all_of()?;
            left = self.operated(Kind::BooleanOperator, left, sign, right);
        }
        Some(left)
    }

    fn all_of(&mut self) -> Option<Id> {
        let mut left = self.negated()?;
        while self.token == Token::And {
            let sign = self.here(Kind::And)?;
            let right = self.negated()?;
            left = self.operated(Kind::BooleanOperator, left, sign, right);
        }
        Some(left)
    }

    fn operated(&mut self, kind: Kind, left: Id, sign: Id, right: Id) -> Id {
        let (start, end) = (self.tree.start(left), self.tree.end(right));
        let children = [(Role::Left, left), (Role::Operator, sign), (Role::Right, right)];
        self.tree.branch(kind, start, end, &children)
    }

    fn negated(&mut self) -> Option<Id> {
        if self.token != Token::Not {
            return self.compared();
        }
        let start = self.start;
        self.advance()?;
        let inner = self.deeper(Self::negated)?;
        let end = self.tree.end(inner);
        Some(self.tree.branch(Kind::NotOperator, start, end, &[(Role::Argument, inner)]))
    }

    fn compared(&mut self) -> Option<Id> {
        let first = self.computed(0)?;
        let mut open = None;
        while let Some(sign) = self.comparison()? {
            let begun = *open.get_or_insert_with(|| self.tree.open());
            if self.tree.open() == begun {
                self.tree.push(Role::None, first);
            }
            self.tree.push(Role::Operators, sign);
            let operand = self.computed(0)?;
            self.tree.push(Role::None, operand);
        }
        let Some(open) = open else { return Some(first) };
        let start = self.tree.start(first);
        Some(self.tree.close(open, Kind::ComparisonOperator, start, self.done))
    }

    /// The sign of a comparison, where one comes.
    fn comparison(&mut self) -> Option<Option<Id>> {
        let start = self.start;
        let kind = match self.token {
            Token::EqualEqual => Kind::Equal,
            Token::NotEqual => Kind::Unequal,
            Token::Less | Token::LessEqual | Token::Greater | Token::GreaterEqual => Kind::Sign,
            Token::In => Kind::In,
            Token::Is => {
                self.advance()?;
                let kind = if self.eat(Token::Not)? { Kind::IsNot } else { Kind::Is };
                return Some(Some(self.tree.leaf(kind, start, self.done)));
            }
            Token::Not => {
                self.advance()?;
                self.expect(Token::In)?;
                return Some(Some(self.tree.leaf(Kind::NotIn, start, self.done)));
            }
            _ => return Some(None),
        };
        self.here(kind).map(Some)
    }

    /// Values and the signs between them that bind at least so tightly.
    fn computed(&mut self, least: u8) -> Option<Id> {
        let mut left = self.signed()?;
        loop {
            let (tightness, kind) = match self.token {
                Token::Bar => (1, Kind::Bar),
                Token::Ampersand => (2, Kind::Sign),
                Token::Caret => (3, Kind::Sign),
                Token::ShiftLeft | Token::ShiftRight => (4, Kind::Sign),
                Token::Plus => (5, Kind::Plus),
                Token::Minus => (5, Kind::Sign),
                Token::Star | Token::At | Token::Slash | Token::Percent | Token::DoubleSlash => {
                    (6, Kind::Sign)
                }
                Token::DoubleStar => (POWER, Kind::Sign),
                _ => return Some(left),
            };
            if tightness < least {
                return Some(left);
            }
            let sign = self.here(kind)?;
            let right = if tightness == POWER {
                self.deeper(|plain| plain.computed(POWER))?
            } else {
                self.computed(tightness + 1)?
            };
            left = self.operated(Kind::BinaryOperator, left, sign, right);
        }
    }

    fn signed(&mut self) -> Option<Id> {
        let (kind, field) = match self.token {
            Token::Plus | Token::Minus | Token::Tilde => (Kind::UnaryOperator, Role::Argument),
            Token::Await => (Kind::Await, Role::None),
            _ => return self.primary(),
        };
        let start = self.start;
        self.advance()?;
        let inner = self.deeper(|plain| plain.computed(POWER))?;
        let end = self.tree.end(inner);
        Some(self.tree.branch(kind, start, end, &[(field, inner)]))
    }

    /// A value with its attributes, subscripts and calls.
    pub(super) fn primary(&mut self) -> Option<Id> {
        let mut value = self.atom()?;
        loop {
            let start = self.tree.start(value);
            value = match self.token {
                Token::Dot => {
                    self.advance()?;
                    let name = self.name()?;
                    let end = self.tree.end(name);
                    let children = [(Role::Object, value), (Role::Attribute, name)];
                    self.tree.branch(Kind::Attribute, start, end, &children)
                }
                Token::OpenSquare => {
                    let open = self.tree.open();
                    self.tree.push(Role::Value, value);
                    self.deeper(Self::subscripts)?;
                    self.tree.close(open, Kind::Subscript, start, self.done)
                }
                Token::OpenRound => {
                    let arguments = self.deeper(Self::arguments)?;
                    let end = self.tree.end(arguments);
                    let children = [(Role::Function, value), (Role::Arguments, arguments)];
                    self.tree.branch(Kind::Call, start, end, &children)
                }
                _ => return Some(value),
            };
        }
    }

    fn subscripts(&mut self) -> Option<()> {
        self.open_bracket()?;
        loop {
            let subscript = self.subscript()?;
            self.tree.push(Role::Subscript, subscript);
            if !self.eat(Token::Comma)? || self.token == Token::CloseSquare {
                break;
            }
        }
        self.close_bracket(Token::CloseSquare)
    }

    fn subscript(&mut self) -> Option<Id> {
        let (open, start) = (self.tree.open(), self.start);
        if self.token != Token::Colon {
            let value = self.expression()?;
            if self.token != Token::Colon {
                return Some(value);
            }
            self.tree.push(Role::None, value);
        }
        let mut colons = 0;
        while !matches!(self.token, Token::Comma | Token::CloseSquare) {
            if self.eat(Token::Colon)? {
                colons += 1;
            } else if self.tree.pushed(open).len() > colons {
                // Two values without a colon between them.
                return None;
            } else {
                let value = self.expression()?;
                self.tree.push(Role::None, value);
                if !matches!(self.token, Token::Comma | Token::CloseSquare | Token::Colon) {
                    return None;
                }
            }
        }
        if colons > 2 { None } else { Some(self.tree.close(open, Kind::Slice, start, self.done)) }
    }

    /// The arguments of a call: a list, or a generator that stands alone.
    pub(super) fn arguments(&mut self) -> Option<Id> {
        let (open, start) = (self.tree.open(), self.start);
        self.open_bracket()?;
        while self.token != Token::CloseRound {
            let begins = self.start;
            let argument = match self.token {
                Token::DoubleStar => self.spread()?,
                Token::Star => self.starred()?,
                _ => {
                    let value = self.expression()?;
                    match self.token {
                        Token::Equal if self.tree.kind(value) == Kind::Identifier => {
                            self.advance()?;
                            let given = self.expression()?;
                            let children = [(Role::Name, value), (Role::Value, given)];
                            self.tree.branch(Kind::KeywordArgument, begins, self.done, &children)
                        }
                        Token::For | Token::Async if self.tree.open() == open => {
                            return self.comprehension(
                                Kind::GeneratorExpression,
                                start,
                                value,
                                Token::CloseRound,
                            );
                        }
                        _ => value,
                    }
                }
            };
            self.tree.push(Role::None, argument);
            if !self.eat(Token::Comma)? {
                break;
            }
        }
        self.close_bracket(Token::CloseRound)?;
        Some(self.tree.close(open, Kind::ArgumentList, start, self.done))
    }

    /// `*x`.
    fn starred(&mut self) -> Option<Id> {
        let start = self.start;
        self.advance()?;
        let inner = self.expression()?;
        Some(self.tree.branch(Kind::ListSplat, start, self.done, &[(Role::None, inner)]))
    }

    /// `**x`.
    fn spread(&mut self) -> Option<Id> {
        let start = self.start;
        self.advance()?;
        let inner = self.expression()?;
        Some(self.tree.branch(Kind::DictionarySplat, start, self.done, &[(Role::None, inner)]))
    }

    fn atom(&mut self) -> Option<Id> {
        let kind = match self.token {
            Token::Name => Kind::Identifier,
            Token::None => Kind::NoneLiteral,
            Token::True => Kind::True,
            Token::False => Kind::False,
            Token::Integer => Kind::Integer,
            Token::Float => Kind::Float,
            Token::Ellipsis => Kind::Ellipsis,
            Token::Text => return self.texts(),
            Token::OpenRound => return self.deeper(Self::round),
            Token::OpenSquare => return self.deeper(Self::square),
            Token::OpenCurly => return self.deeper(Self::curly),
            _ => return None,
        };
        self.here(kind)
    }

    pub(super) fn open_bracket(&mut self) -> Option<()> {
        self.brackets += 1;
        self.advance()
    }

    pub(super) fn close_bracket(&mut self, token: Token) -> Option<()> {
        if self.token != token {
            return None;
        }
        self.brackets -= 1;
        self.advance()
    }

    /// A tuple, a generator, or an expression in parentheses.
    fn round(&mut self) -> Option<Id> {
        let (open, start) = (self.tree.open(), self.start);
        self.open_bracket()?;
        if self.token == Token::Yield {
            let inner = self.yielded()?;
            self.close_bracket(Token::CloseRound)?;
            let children = [(Role::None, inner)];
            return Some(self.tree.branch(Kind::ParenthesizedExpression, start, self.done, &children));
        }
        if self.token != Token::CloseRound {
            let first = self.first_element()?;
            match self.token {
                Token::CloseRound => {
                    if self.tree.kind(first) == Kind::ListSplat {
                        return None;
                    }
                    self.close_bracket(Token::CloseRound)?;
                    let children = [(Role::None, first)];
                    return Some(self.tree.branch(
                        Kind::ParenthesizedExpression,
                        start,
                        self.done,
                        &children,
                    ));
                }
                Token::For | Token::Async => {
                    return self.comprehension(Kind::GeneratorExpression, start, first, Token::CloseRound);
                }
                _ => self.tree.push(Role::None, first),
            }
            self.more_elements()?;
        }
        self.close_bracket(Token::CloseRound)?;
        Some(self.tree.close(open, Kind::Tuple, start, self.done))
    }

    fn square(&mut self) -> Option<Id> {
        let (open, start) = (self.tree.open(), self.start);
        self.open_bracket()?;
        if self.token != Token::CloseSquare {
            let first = self.first_element()?;
            if matches!(self.token, Token::For | Token::Async) {
                return self.comprehension(Kind::ListComprehension, start, first, Token::CloseSquare);
            }
            self.tree.push(Role::None, first);
            self.more_elements()?;
        }
        self.close_bracket(Token::CloseSquare)?;
        Some(self.tree.close(open, Kind::List, start, self.done))
    }

    /// A dictionary or a set, or what makes one.
    fn curly(&mut self) -> Option<Id> {
        let (open, start) = (self.tree.open(), self.start);
        self.open_bracket()?;
        let mut kind = Kind::Dictionary;
        if !matches!(self.token, Token::CloseCurly | Token::DoubleStar) {
            let first = self.first_element()?;
            let is_pair = self.token == Token::Colon;
            let (whole, made) = if is_pair {
                (self.pair(first)?, Kind::DictionaryComprehension)
            } else {
                kind = Kind::Set;
                (first, Kind::SetComprehension)
            };
            if matches!(self.token, Token::For | Token::Async) {
                return self.comprehension(made, start, whole, Token::CloseCurly);
            }
            self.tree.push(Role::None, whole);
            if kind == Kind::Set {
                self.more_elements()?;
            } else if !self.eat(Token::Comma)? && self.token != Token::CloseCurly {
                return None;
            }
        }
        while kind == Kind::Dictionary && self.token != Token::CloseCurly {
            let part = if self.token == Token::DoubleStar {
                self.spread()?
            } else {
                let key = self.expression()?;
                self.pair(key)?
            };
            self.tree.push(Role::None, part);
            if !self.eat(Token::Comma)? {
                break;
            }
        }
        self.close_bracket(Token::CloseCurly)?;
        Some(self.tree.close(open, kind, start, self.done))
    }

    fn pair(&mut self, key: Id) -> Option<Id> {
        self.expect(Token::Colon)?;
        let value = self.expression()?;
        let (start, end) = (self.tree.start(key), self.tree.end(value));
        Some(self.tree.branch(Kind::Pair, start, end, &[(Role::Key, key), (Role::Value, value)]))
    }

    /// A comprehension whose bracket and body are passed.
    fn comprehension(&mut self, kind: Kind, start: u32, body: Id, close: Token) -> Option<Id> {
        // `*x` is no body.
        if self.tree.kind(body) == Kind::ListSplat {
            return None;
        }
        let open = self.tree.open();
        self.tree.push(Role::Body, body);
        loop {
            let start = self.start;
            let clause = match self.token {
                Token::For | Token::Async => {
                    self.eat(Token::Async)?;
                    self.expect(Token::For)?;
                    let left = self.targets()?;
                    self.expect(Token::In)?;
                    let right = self.alternatives()?;
                    let end = self.tree.end(right);
                    let children = [(Role::Left, left), (Role::Right, right)];
                    self.tree.branch(Kind::ForInClause, start, end, &children)
                }
                Token::If => {
                    self.advance()?;
                    let test = self.alternatives()?;
                    self.tree.branch(Kind::IfClause, start, self.done, &[(Role::None, test)])
                }
                _ => break,
            };
            self.tree.push(Role::None, clause);
        }
        self.close_bracket(close)?;
        Some(self.tree.close(open, kind, start, self.done))
    }

    /// What a `for` binds.
    pub(super) fn targets(&mut self) -> Option<Id> {
        let first = self.target()?;
        if self.token != Token::Comma {
            return Some(first);
        }
        let open = self.tree.open();
        self.tree.push(Role::None, first);
        while self.eat(Token::Comma)? && self.token != Token::In {
            let target = self.target()?;
            self.tree.push(Role::None, target);
        }
        let start = self.tree.start(first);
        Some(self.tree.close(open, Kind::PatternList, start, self.done))
    }

    fn target(&mut self) -> Option<Id> {
        let start = self.start;
        if self.eat(Token::Star)? {
            let inner = self.primary()?;
            let splat = self.tree.branch(Kind::ListSplat, start, self.done, &[(Role::None, inner)]);
            return self.turned(splat);
        }
        let target = self.primary()?;
        self.turned(target)
    }

    /// An expression as what is assigned to.
    pub(super) fn turned(&mut self, id: Id) -> Option<Id> {
        let kind = match self.tree.kind(id) {
            Kind::Identifier | Kind::Attribute | Kind::Subscript => return Some(id),
            Kind::ListSplat => {
                let inner = self.tree.child_at(self.tree.children_of(id).start);
                if !matches!(self.tree.kind(inner), Kind::Identifier | Kind::Attribute | Kind::Subscript) {
                    return None;
                }
                self.tree.turn(id, Kind::ListSplatPattern);
                return Some(id);
            }
            Kind::Tuple | Kind::ParenthesizedExpression => Kind::TuplePattern,
            Kind::List => Kind::ListPattern,
            _ => return None,
        };
        self.tree.turn(id, kind);
        for at in self.tree.children_of(id) {
            let child = self.tree.child_at(at);
            self.turned(child)?;
        }
        Some(id)
    }

    /// `yield`, with what it hands out.
    pub(super) fn yielded(&mut self) -> Option<Id> {
        let start = self.start;
        self.advance()?;
        let value = match self.token {
            Token::From => {
                self.advance()?;
                Some(self.expression()?)
            }
            _ if self.ends_list() => None,
            _ => Some(self.expressions()?),
        };
        Some(match value {
            Some(value) => self.tree.branch(Kind::Yield, start, self.done, &[(Role::None, value)]),
            None => self.tree.leaf(Kind::Yield, start, self.done),
        })
    }

    /// A type: an expression, but that `List[int]` is looked into as a type.
    pub(super) fn annotation(&mut self) -> Option<Id> {
        self.deeper(Self::union)
    }

    fn union(&mut self) -> Option<Id> {
        let (mut whole, mut is_generic) = self.member()?;
        while is_generic && self.eat(Token::Bar)? {
            let (right, is_right_generic) = self.member()?;
            let (start, end) = (self.tree.start(whole), self.tree.end(right));
            let both = [(Role::None, whole), (Role::None, right)];
            let union = self.tree.branch(Kind::UnionType, start, end, &both);
            whole = self.around(Kind::Type, Role::None, union);
            is_generic = is_right_generic;
        }
        Some(whole)
    }

    /// One type of a union, and whether it is a generic one; any other takes all that follows it for an expression.
    fn member(&mut self) -> Option<(Id, bool)> {
        let is_generic = self.token == Token::Name && self.next_byte() == Some(b'[');
        if !is_generic {
            let expression = self.expression()?;
            if matches!(self.tree.kind(expression), Kind::NamedExpression) {
                return None;
            }
            return Some((self.around(Kind::Type, Role::None, expression), false));
        }
        let name = self.name()?;
        let (open, start) = (self.tree.open(), self.start);
        self.open_bracket()?;
        loop {
            let argument = self.annotation()?;
            self.tree.push(Role::None, argument);
            if !self.eat(Token::Comma)? || self.token == Token::CloseSquare {
                break;
            }
        }
        self.close_bracket(Token::CloseSquare)?;
        let list = self.tree.close(open, Kind::TypeParameter, start, self.done);
        let (start, end) = (self.tree.start(name), self.done);
        let generic =
            self.tree.branch(Kind::GenericType, start, end, &[(Role::None, name), (Role::None, list)]);
        Some((self.around(Kind::Type, Role::None, generic), true))
    }
}
