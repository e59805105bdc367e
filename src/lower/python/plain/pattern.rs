//! lower/python/plain/pattern: `match` statements, and the patterns of their cases.

use super::super::tree::{Id, Kind, Role};
use super::Plain;
use super::token::{Token, is_word};

impl Plain<'_> {
    /// Whether the name that is next begins a statement of its own: what follows it is a name or value, no operator.
    pub(super) fn is_keyword_here(&self) -> bool {
        let rest = self.text[self.at..].trim_ascii_start();
        let length = rest.iter().position(|&byte| !is_word(byte)).unwrap_or(rest.len());
        match &rest[..length] {
            b"" => matches!(rest.first(), Some(b'"' | b'\'')),
            word => !matches!(word, b"in" | b"is" | b"and" | b"or" | b"not" | b"if" | b"else" | b"for"),
        }
    }

    /// A statement whose first word is `match`.
    pub(super) fn match_statement(&mut self) -> Option<Id> {
        let (open, start) = (self.tree.open(), self.start);
        self.advance()?;
        loop {
            let subject = self.expression()?;
            self.tree.push(Role::Subject, subject);
            if !self.eat(Token::Comma)? || self.token == Token::Colon {
                break;
            }
        }
        self.expect(Token::Colon)?;
        if self.token != Token::Newline {
            return None;
        }
        let (cases, begins) = (self.tree.open(), self.edge);
        let outer = self.enter_block()?;
        self.deeper(Self::cases)?;
        self.indent = outer;
        let block = self.tree.close(cases, Kind::Block, begins, self.edge);
        self.tree.push(Role::Body, block);
        Some(self.tree.close(open, Kind::MatchStatement, start, self.edge))
    }

    fn cases(&mut self) -> Option<()> {
        loop {
            if !self.is_clause("case") {
                return None;
            }
            self.begin_line()?;
            let case = self.case()?;
            self.tree.push(Role::Alternative, case);
            if self.ends_block() {
                return Some(());
            }
        }
    }

    fn case(&mut self) -> Option<Id> {
        let (open, start) = (self.tree.open(), self.start);
        self.advance()?;
        loop {
            let pattern = self.case_pattern()?;
            self.tree.push(Role::None, pattern);
            if !self.eat(Token::Comma)? || matches!(self.token, Token::Colon | Token::If) {
                break;
            }
        }
        if self.token == Token::If {
            let start = self.start;
            self.advance()?;
            let test = self.expression()?;
            let guard = self.tree.branch(Kind::IfClause, start, self.done, &[(Role::None, test)]);
            self.tree.push(Role::Guard, guard);
        }
        self.close_with_suite(open, Kind::CaseClause, start, Role::Consequence)
    }

    fn case_pattern(&mut self) -> Option<Id> {
        self.deeper(Self::named_pattern)
    }

    /// A pattern, and the name it is given.
    fn named_pattern(&mut self) -> Option<Id> {
        let (open, start) = (self.tree.open(), self.start);
        if self.token == Token::Name && self.next_byte() == Some(b'=') {
            let name = self.name()?;
            self.expect(Token::Equal)?;
            self.tree.push(Role::None, name);
            self.simple_pattern(Role::None)?;
            let given = self.tree.close(open, Kind::Other, start, self.done);
            return Some(self.around(Kind::CasePattern, Role::None, given));
        }
        self.simple_pattern(Role::None)?;
        if self.token == Token::Bar {
            while self.eat(Token::Bar)? {
                self.simple_pattern(Role::None)?;
            }
            let union = self.tree.close(open, Kind::Other, start, self.done);
            self.tree.push(Role::None, union);
        }
        let pattern = self.tree.close(open, Kind::CasePattern, start, self.done);
        if !self.eat(Token::As)? {
            return Some(pattern);
        }
        let name = self.name()?;
        let children = [(Role::None, pattern), (Role::None, name)];
        let named = self.tree.branch(Kind::AsPattern, start, self.done, &children);
        Some(self.around(Kind::CasePattern, Role::None, named))
    }

    /// A pattern without alternatives, which is pushed; `_` is nothing that could be.
    fn simple_pattern(&mut self, role: Role) -> Option<()> {
        let (open, start) = (self.tree.open(), self.start);
        let pattern = match self.token {
            Token::Name if self.is_blank() => return self.advance(),
            Token::Name => {
                let name = self.dotted_name()?;
                if self.token == Token::OpenRound {
                    self.tree.push(Role::None, name);
                    self.patterns(Token::CloseRound)?;
                    self.tree.close(open, Kind::ClassPattern, start, self.done)
                } else {
                    name
                }
            }
            Token::Text => self.texts()?,
            Token::None => self.here(Kind::NoneLiteral)?,
            Token::True => self.here(Kind::True)?,
            Token::False => self.here(Kind::False)?,
            Token::Integer | Token::Float | Token::Minus => {
                self.eat(Token::Minus)?;
                let number = match self.token {
                    Token::Integer => self.here(Kind::Integer)?,
                    Token::Float => self.here(Kind::Float)?,
                    _ => return None,
                };
                if matches!(self.token, Token::Plus | Token::Minus) {
                    return None;
                }
                number
            }
            Token::OpenSquare => {
                self.patterns(Token::CloseSquare)?;
                self.tree.close(open, Kind::ListPattern, start, self.done)
            }
            Token::OpenRound => {
                self.patterns(Token::CloseRound)?;
                self.tree.close(open, Kind::TuplePattern, start, self.done)
            }
            Token::OpenCurly => {
                self.dictionary_pattern()?;
                self.tree.close(open, Kind::Other, start, self.done)
            }
            Token::Star => self.splat_pattern()?,
            _ => return None,
        };
        self.tree.push(role, pattern);
        Some(())
    }

    fn is_blank(&self) -> bool {
        &self.text[self.start as usize..self.end as usize] == b"_"
            && !matches!(self.next_byte(), Some(b'.' | b'('))
    }

    /// The patterns in brackets, which are pushed.
    fn patterns(&mut self, close: Token) -> Option<()> {
        self.open_bracket()?;
        while self.token != close {
            let pattern = self.case_pattern()?;
            self.tree.push(Role::None, pattern);
            if !self.eat(Token::Comma)? {
                break;
            }
        }
        self.close_bracket(close)
    }

    fn dictionary_pattern(&mut self) -> Option<()> {
        self.open_bracket()?;
        while self.token != Token::CloseCurly {
            if self.token == Token::DoubleStar {
                let rest = self.splat_pattern()?;
                self.tree.push(Role::None, rest);
            } else {
                if self.token == Token::Minus || self.token == Token::Name && self.is_blank() {
                    return None;
                }
                self.simple_pattern(Role::Key)?;
                self.expect(Token::Colon)?;
                let value = self.case_pattern()?;
                self.tree.push(Role::Value, value);
            }
            if !self.eat(Token::Comma)? {
                break;
            }
        }
        self.close_bracket(Token::CloseCurly)
    }

    fn splat_pattern(&mut self) -> Option<Id> {
        let (open, start) = (self.tree.open(), self.start);
        self.advance()?;
        if self.token == Token::Name && self.is_blank() {
            self.advance()?;
        } else {
            let name = self.name()?;
            self.tree.push(Role::None, name);
        }
        Some(self.tree.close(open, Kind::SplatPattern, start, self.done))
    }
}
