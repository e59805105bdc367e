//! lower/python/plain/statement: statements, and the blocks they stand in.

use super::super::tree::{Id, Kind, Role};
use super::Plain;
use super::token::Token;

impl Plain<'_> {
    /// The whole text.
    pub(super) fn module(&mut self) -> Option<()> {
        let open = self.tree.open();
        self.look_ahead(0)?;
        while !self.line.is_end {
            if self.line.indent != 0 {
                return None;
            }
            self.begin_line()?;
            self.statement()?;
        }
        self.tree.close(open, Kind::Module, 0, self.text.len() as u32);
        Some(())
    }

    /// The statements of a line, which are pushed; then the next line is looked for.
    fn statement(&mut self) -> Option<()> {
        let compound = match self.token {
            Token::Def | Token::Async => self.definition()?,
            Token::Class => self.class()?,
            Token::At => self.decorated()?,
            Token::If => self.if_statement()?,
            Token::For => self.for_statement(self.start)?,
            Token::While => self.while_statement()?,
            Token::Try => self.try_statement()?,
            Token::With => self.with_statement(self.start)?,
            Token::Name if self.word() == b"match" && self.is_keyword_here() => self.match_statement()?,
            _ => {
                self.simple_statements()?;
                return self.look_ahead(self.start);
            }
        };
        self.tree.push(Role::None, compound);
        Some(())
    }

    /// The block behind a colon: on the same line, or deeper on lines of its own. Then the next line is looked for.
    pub(super) fn suite(&mut self) -> Option<Id> {
        self.expect(Token::Colon)?;
        let open = self.tree.open();
        if !matches!(self.token, Token::Newline | Token::End) {
            let start = self.start;
            self.simple_statements()?;
            let block = self.tree.close(open, Kind::Block, start, self.edge);
            self.look_ahead(self.start)?;
            return Some(block);
        }
        let outer = self.enter_block()?;
        let start = self.line.at as u32;
        self.deeper(Self::block)?;
        self.indent = outer;
        Some(self.tree.close(open, Kind::Block, start, self.edge))
    }

    /// Ends something that ends with a block of its own.
    pub(super) fn close_with_suite(&mut self, open: usize, kind: Kind, start: u32, role: Role) -> Option<Id> {
        let block = self.suite()?;
        self.tree.push(role, block);
        Some(self.tree.close(open, kind, start, self.tree.end(block)))
    }

    /// Goes on to the first line of a block; answers how far the code around it is indented.
    pub(super) fn enter_block(&mut self) -> Option<u32> {
        self.look_ahead(self.start)?;
        if self.line.is_end || self.line.indent <= self.indent {
            return None;
        }
        self.line.passed = self.line.comments.len();
        Some(std::mem::replace(&mut self.indent, self.line.indent))
    }

    fn block(&mut self) -> Option<()> {
        loop {
            self.begin_line()?;
            self.statement()?;
            if self.ends_block() {
                return Some(());
            }
            if self.line.indent != self.indent {
                return None;
            }
        }
    }

    /// A function, whose `async` may come first, or another statement that is `async`.
    fn definition(&mut self) -> Option<Id> {
        let start = self.start;
        let (open, is_async) = (self.tree.open(), self.token == Token::Async);
        if is_async {
            let word = self.here(Kind::Async)?;
            match self.token {
                Token::Def => self.tree.push(Role::None, word),
                Token::For => return self.for_statement(start),
                Token::With => return self.with_statement(start),
                _ => return None,
            }
        }
        self.expect(Token::Def)?;
        let name = self.name()?;
        self.tree.push(Role::Name, name);
        self.type_parameters()?;
        let parameters = self.parameters()?;
        self.tree.push(Role::Parameters, parameters);
        if self.eat(Token::Arrow)? {
            let returns = self.annotation()?;
            self.tree.push(Role::ReturnType, returns);
        }
        self.close_with_suite(open, Kind::FunctionDefinition, start, Role::Body)
    }

    /// `[T: Base, *Ts]` behind a name, of which nothing is kept.
    fn type_parameters(&mut self) -> Option<()> {
        if self.token != Token::OpenSquare {
            return Some(());
        }
        self.open_bracket()?;
        loop {
            if !self.eat(Token::Star)? {
                self.eat(Token::DoubleStar)?;
            }
            self.name()?;
            if self.eat(Token::Colon)? {
                self.annotation()?;
            }
            if !self.eat(Token::Comma)? || self.token == Token::CloseSquare {
                return self.close_bracket(Token::CloseSquare);
            }
        }
    }

    fn parameters(&mut self) -> Option<Id> {
        let (open, start) = (self.tree.open(), self.start);
        if self.token != Token::OpenRound {
            return None;
        }
        self.brackets += 1;
        self.advance()?;
        while self.token != Token::CloseRound {
            self.parameter(Kind::Parameters)?;
            if !self.eat(Token::Comma)? {
                break;
            }
        }
        if self.token != Token::CloseRound {
            return None;
        }
        self.brackets -= 1;
        self.advance()?;
        Some(self.tree.close(open, Kind::Parameters, start, self.done))
    }

    fn class(&mut self) -> Option<Id> {
        let (open, start) = (self.tree.open(), self.start);
        self.advance()?;
        let name = self.name()?;
        self.tree.push(Role::Name, name);
        self.type_parameters()?;
        if self.token == Token::OpenRound {
            let list = self.arguments()?;
            if self.tree.kind(list) != Kind::ArgumentList {
                return None;
            }
            self.tree.push(Role::Superclasses, list);
        }
        self.close_with_suite(open, Kind::ClassDefinition, start, Role::Body)
    }

    fn decorated(&mut self) -> Option<Id> {
        let (open, start) = (self.tree.open(), self.start);
        while self.token == Token::At {
            let start = self.start;
            self.advance()?;
            let expression = self.expression()?;
            if self.token != Token::Newline {
                return None;
            }
            let decorator = self.tree.branch(Kind::Decorator, start, self.edge, &[(Role::None, expression)]);
            self.tree.push(Role::None, decorator);
            self.look_ahead(self.start)?;
            if self.line.is_end || self.line.indent != self.indent {
                return None;
            }
            self.begin_line()?;
        }
        let definition = match self.token {
            Token::Def | Token::Async => self.definition()?,
            Token::Class => self.class()?,
            _ => return None,
        };
        if !self.tree.kind(definition).is_definition() {
            return None;
        }
        self.tree.push(Role::Definition, definition);
        Some(self.tree.close(open, Kind::DecoratedDefinition, start, self.tree.end(definition)))
    }

    fn if_statement(&mut self) -> Option<Id> {
        let (open, start) = (self.tree.open(), self.start);
        let mut end = self.condition()?;
        while self.is_clause("elif") {
            self.begin_line()?;
            let (open, start) = (self.tree.open(), self.start);
            end = self.condition()?;
            let clause = self.tree.close(open, Kind::ElifClause, start, end);
            self.tree.push(Role::Alternative, clause);
        }
        if let Some(clause) = self.else_clause()? {
            self.tree.push(Role::Alternative, clause);
            end = self.tree.end(clause);
        }
        Some(self.tree.close(open, Kind::IfStatement, start, end))
    }

    /// The condition and block behind `if` or `elif`, which are pushed; answers where the block ends.
    fn condition(&mut self) -> Option<u32> {
        self.advance()?;
        let condition = self.expression()?;
        self.tree.push(Role::Condition, condition);
        let block = self.suite()?;
        self.tree.push(Role::Consequence, block);
        Some(self.tree.end(block))
    }

    fn else_clause(&mut self) -> Option<Option<Id>> {
        if !self.is_clause("else") {
            return Some(None);
        }
        self.begin_line()?;
        let start = self.start;
        self.advance()?;
        let block = self.suite()?;
        let end = self.tree.end(block);
        Some(Some(self.tree.branch(Kind::ElseClause, start, end, &[(Role::Body, block)])))
    }

    fn for_statement(&mut self, start: u32) -> Option<Id> {
        let open = self.tree.open();
        self.advance()?;
        let left = self.targets()?;
        self.tree.push(Role::Left, left);
        self.expect(Token::In)?;
        let right = self.expressions()?;
        self.tree.push(Role::Right, right);
        self.looped(open, Kind::ForStatement, start)
    }

    fn while_statement(&mut self) -> Option<Id> {
        let (open, start) = (self.tree.open(), self.start);
        self.advance()?;
        let condition = self.expression()?;
        self.tree.push(Role::Condition, condition);
        self.looped(open, Kind::WhileStatement, start)
    }

    fn looped(&mut self, open: usize, kind: Kind, start: u32) -> Option<Id> {
        let body = self.suite()?;
        self.tree.push(Role::Body, body);
        let mut end = self.tree.end(body);
        if let Some(clause) = self.else_clause()? {
            self.tree.push(Role::Alternative, clause);
            end = self.tree.end(clause);
        }
        Some(self.tree.close(open, kind, start, end))
    }

    fn try_statement(&mut self) -> Option<Id> {
        let (open, start) = (self.tree.open(), self.start);
        self.advance()?;
        let body = self.suite()?;
        self.tree.push(Role::Body, body);
        let mut last = body;
        while self.is_clause("except") {
            last = self.except_clause()?;
            self.tree.push(Role::None, last);
        }
        if last != body
            && let Some(clause) = self.else_clause()?
        {
            self.tree.push(Role::None, clause);
            last = clause;
        }
        if self.is_clause("finally") {
            self.begin_line()?;
            let start = self.start;
            self.advance()?;
            let block = self.suite()?;
            let end = self.tree.end(block);
            last = self.tree.branch(Kind::FinallyClause, start, end, &[(Role::None, block)]);
            self.tree.push(Role::None, last);
        }
        if last == body {
            return None;
        }
        Some(self.tree.close(open, Kind::TryStatement, start, self.tree.end(last)))
    }

    fn except_clause(&mut self) -> Option<Id> {
        self.begin_line()?;
        let (open, start) = (self.tree.open(), self.start);
        self.advance()?;
        self.eat(Token::Star)?;
        if self.token != Token::Colon {
            let caught = self.expression()?;
            let caught = self.named(caught)?;
            self.tree.push(Role::Value, caught);
        }
        let colon = self.tree.leaf(Kind::Colon, self.start, self.end);
        self.tree.push(Role::None, colon);
        self.close_with_suite(open, Kind::ExceptClause, start, Role::None)
    }

    /// An expression with the name that `as` gives it, where it does.
    fn named(&mut self, expression: Id) -> Option<Id> {
        if !self.eat(Token::As)? {
            return Some(expression);
        }
        // The grammar binds `a if b else c as d` as `a if b else (c as d)`.
        let is_loose = matches!(
            self.tree.kind(expression),
            Kind::ConditionalExpression | Kind::Lambda | Kind::NamedExpression
        );
        if is_loose {
            return None;
        }
        let target = self.primary()?;
        let target = self.around(Kind::AsPatternTarget, Role::None, target);
        let (start, end) = (self.tree.start(expression), self.tree.end(target));
        let children = [(Role::None, expression), (Role::Alias, target)];
        Some(self.tree.branch(Kind::AsPattern, start, end, &children))
    }

    fn with_statement(&mut self, start: u32) -> Option<Id> {
        let open = self.tree.open();
        self.advance()?;
        let clause = self.with_clause()?;
        self.tree.push(Role::None, clause);
        self.close_with_suite(open, Kind::WithStatement, start, Role::Body)
    }

    fn with_clause(&mut self) -> Option<Id> {
        let (open, start) = (self.tree.open(), self.start);
        let is_bracketed = self.token == Token::OpenRound && self.brackets_hold_items();
        if is_bracketed {
            self.brackets += 1;
            self.advance()?;
        }
        loop {
            let item = self.expression()?;
            let item = self.named(item)?;
            let item = self.around(Kind::WithItem, Role::Value, item);
            self.tree.push(Role::None, item);
            if !self.eat(Token::Comma)? || self.token == Token::CloseRound {
                break;
            }
        }
        if is_bracketed {
            // One item in brackets is an expression in brackets.
            if self.token != Token::CloseRound || self.tree.pushed(open).len() < 2 {
                return None;
            }
            self.brackets -= 1;
            self.advance()?;
        }
        if self.token != Token::Colon {
            return None;
        }
        Some(self.tree.close(open, Kind::WithClause, start, self.done))
    }

    /// Whether the bracket that is next holds the items of a `with`: a comma lies in it and the colon comes behind it.
    fn brackets_hold_items(&self) -> bool {
        let (mut depth, mut has_comma) = (0usize, false);
        for (index, &byte) in self.text[self.start as usize..].iter().enumerate() {
            match byte {
                b'(' | b'[' | b'{' => depth += 1,
                b',' if depth == 1 => has_comma = true,
                b')' | b']' | b'}' => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        let rest = &self.text[self.start as usize + index + 1..];
                        return has_comma && rest.trim_ascii_start().first() == Some(&b':');
                    }
                }
                _ => {}
            }
        }
        false
    }

    /// The simple statements of a line, up to its end, which are pushed.
    fn simple_statements(&mut self) -> Option<()> {
        loop {
            let statement = self.simple_statement()?;
            self.tree.push(Role::None, statement);
            if !self.eat(Token::Semicolon)? || matches!(self.token, Token::Newline | Token::End) {
                break;
            }
        }
        matches!(self.token, Token::Newline | Token::End).then_some(())
    }

    fn simple_statement(&mut self) -> Option<Id> {
        let (open, start) = (self.tree.open(), self.start);
        let kind = match self.token {
            Token::Pass => return self.here(Kind::PassStatement),
            Token::Break => return self.here(Kind::BreakStatement),
            Token::Continue => return self.here(Kind::ContinueStatement),
            Token::Return | Token::Del => {
                let kind =
                    if self.token == Token::Return { Kind::ReturnStatement } else { Kind::DeleteStatement };
                self.advance()?;
                if kind == Kind::DeleteStatement || !self.is_statement_end() {
                    let value = self.expressions()?;
                    self.tree.push(Role::None, value);
                }
                kind
            }
            Token::Raise => {
                self.advance()?;
                if !self.is_statement_end() {
                    let value = self.expressions()?;
                    self.tree.push(Role::None, value);
                    if self.eat(Token::From)? {
                        let cause = self.expression()?;
                        self.tree.push(Role::Cause, cause);
                    }
                }
                Kind::RaiseStatement
            }
            Token::Assert => {
                self.advance()?;
                loop {
                    let value = self.expression()?;
                    self.tree.push(Role::None, value);
                    if !self.eat(Token::Comma)? {
                        break;
                    }
                }
                Kind::AssertStatement
            }
            Token::Global | Token::Nonlocal => {
                let kind =
                    if self.token == Token::Global { Kind::GlobalStatement } else { Kind::NonlocalStatement };
                self.advance()?;
                loop {
                    let name = self.name()?;
                    self.tree.push(Role::None, name);
                    if !self.eat(Token::Comma)? {
                        break;
                    }
                }
                kind
            }
            Token::Import => {
                self.advance()?;
                self.imported_names()?;
                Kind::ImportStatement
            }
            Token::From => self.import_from()?,
            Token::Name if self.word() == b"type" && self.is_keyword_here() => {
                self.advance()?;
                let left = self.annotation()?;
                self.tree.push(Role::Left, left);
                self.expect(Token::Equal)?;
                let right = self.annotation()?;
                self.tree.push(Role::Right, right);
                Kind::TypeAliasStatement
            }
            Token::Name if self.is_soft_keyword() => return None,
            _ => {
                self.expression_statement()?;
                Kind::ExpressionStatement
            }
        };
        Some(self.tree.close(open, kind, start, self.done))
    }

    fn is_statement_end(&self) -> bool {
        matches!(self.token, Token::Newline | Token::End | Token::Semicolon)
    }

    fn word(&self) -> &[u8] {
        &self.text[self.start as usize..self.end as usize]
    }

    /// Whether a statement begins with a word that may make it one of another kind.
    fn is_soft_keyword(&self) -> bool {
        let next = self.next_byte();
        match self.word() {
            b"match" | b"type" => !matches!(next, Some(b'=' | b'.' | b',' | b':')),
            b"print" | b"exec" => !matches!(next, Some(b'(' | b'=' | b'.')),
            _ => false,
        }
    }

    fn imported_names(&mut self) -> Option<()> {
        loop {
            let path = self.dotted_name()?;
            let name = if self.eat(Token::As)? {
                let alias = self.name()?;
                let (start, end) = (self.tree.start(path), self.tree.end(alias));
                let children = [(Role::Name, path), (Role::Alias, alias)];
                self.tree.branch(Kind::AliasedImport, start, end, &children)
            } else {
                path
            };
            self.tree.push(Role::Name, name);
            if !self.eat(Token::Comma)? || self.token != Token::Name {
                return Some(());
            }
        }
    }

    pub(super) fn dotted_name(&mut self) -> Option<Id> {
        let start = self.start;
        loop {
            if self.token != Token::Name {
                return None;
            }
            self.advance()?;
            if !self.eat(Token::Dot)? {
                return Some(self.tree.leaf(Kind::DottedName, start, self.done));
            }
        }
    }

    fn import_from(&mut self) -> Option<Kind> {
        self.advance()?;
        let start = self.start;
        let mut kind = Kind::ImportFromStatement;
        if matches!(self.token, Token::Dot | Token::Ellipsis) {
            while matches!(self.token, Token::Dot | Token::Ellipsis) {
                self.advance()?;
            }
            if self.token == Token::Name {
                self.dotted_name()?;
            }
            let module = self.tree.leaf(Kind::RelativeImport, start, self.done);
            self.tree.push(Role::ModuleName, module);
        } else {
            let module = self.dotted_name()?;
            if &self.text[start as usize..self.done as usize] == b"__future__" {
                kind = Kind::FutureImportStatement;
            } else {
                self.tree.push(Role::ModuleName, module);
            }
        }
        self.expect(Token::Import)?;
        match self.token {
            Token::Star if kind == Kind::ImportFromStatement => {
                let star = self.here(Kind::WildcardImport)?;
                self.tree.push(Role::None, star);
            }
            Token::OpenRound => {
                self.brackets += 1;
                self.advance()?;
                self.imported_names()?;
                if self.token != Token::CloseRound {
                    return None;
                }
                self.brackets -= 1;
                self.advance()?;
            }
            _ => self.imported_names()?,
        }
        Some(kind)
    }

    /// What an expression statement holds, which is pushed.
    fn expression_statement(&mut self) -> Option<()> {
        if self.token == Token::Yield {
            let value = self.yielded()?;
            self.tree.push(Role::None, value);
            return Some(());
        }
        let (open, start) = (self.tree.open(), self.start);
        let first = self.item()?;
        self.tree.push(Role::None, first);
        let is_list = self.token == Token::Comma;
        self.more_items()?;
        // The grammar takes what stands on the next line for one more target.
        if is_list && self.is_statement_end() && self.text[self.done as usize - 1] == b',' {
            return None;
        }
        match self.token {
            Token::Equal => {
                let left = self.assigned(open, start, is_list)?;
                let assignment = self.assignment(left)?;
                self.tree.push(Role::None, assignment);
            }
            Token::Colon if !is_list => {
                let left = self.place(first)?;
                self.advance()?;
                let annotation = self.annotation()?;
                let assignment = if self.eat(Token::Equal)? {
                    let right = self.right_side()?;
                    let end = self.tree.end(right);
                    let children = [(Role::Left, left), (Role::Type, annotation), (Role::Right, right)];
                    self.tree.branch(Kind::Assignment, start, end, &children)
                } else {
                    let children = [(Role::Left, left), (Role::Type, annotation)];
                    self.tree.branch(Kind::Assignment, start, self.done, &children)
                };
                self.tree.replace(open, assignment);
            }
            Token::Augmented if !is_list => {
                let left = self.place(first)?;
                self.advance()?;
                let right = self.right_side()?;
                let end = self.tree.end(right);
                let children = [(Role::Left, left), (Role::Right, right)];
                let assignment = self.tree.branch(Kind::AugmentedAssignment, start, end, &children);
                self.tree.replace(open, assignment);
            }
            _ => {}
        }
        Some(())
    }

    /// A name, attribute or element that something is put into.
    fn place(&self, id: Id) -> Option<Id> {
        let is_place = matches!(self.tree.kind(id), Kind::Identifier | Kind::Attribute | Kind::Subscript);
        is_place.then_some(id)
    }

    /// What has been pushed, as what is assigned to.
    fn assigned(&mut self, open: usize, start: u32, is_list: bool) -> Option<Id> {
        for at in 0..self.tree.pushed(open).len() {
            let id = self.tree.pushed(open)[at];
            self.turned(id)?;
        }
        if is_list {
            return Some(self.tree.close(open, Kind::PatternList, start, self.done));
        }
        let id = *self.tree.pushed(open).first()?;
        self.tree.drop_pushed(open);
        if self.tree.kind(id) == Kind::ListSplatPattern { None } else { Some(id) }
    }

    /// The rest of an assignment from its sign on, also of a chain.
    fn assignment(&mut self, left: Id) -> Option<Id> {
        self.advance()?;
        let right = self.right_side()?;
        let (start, end) = (self.tree.start(left), self.tree.end(right));
        let children = [(Role::Left, left), (Role::Right, right)];
        Some(self.tree.branch(Kind::Assignment, start, end, &children))
    }

    fn right_side(&mut self) -> Option<Id> {
        if self.token == Token::Yield {
            return self.yielded();
        }
        let (open, start) = (self.tree.open(), self.start);
        let first = self.item()?;
        self.tree.push(Role::None, first);
        let is_list = self.token == Token::Comma;
        self.more_items()?;
        // The grammar takes what stands on the next line for one more target.
        if is_list && self.is_statement_end() && self.text[self.done as usize - 1] == b',' {
            return None;
        }
        if self.token == Token::Equal {
            let left = self.assigned(open, start, is_list)?;
            return self.deeper(|plain| plain.assignment(left));
        }
        if is_list {
            return Some(self.tree.close(open, Kind::ExpressionList, start, self.done));
        }
        self.tree.drop_pushed(open);
        if self.tree.kind(first) == Kind::ListSplat { None } else { Some(first) }
    }
}
