//! lower/python/plain/token: the tokens of a text, one after the other, and the lines between statements.

use memchr::memchr;

use super::{Comment, Plain};

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Name,
    Integer,
    Float,
    Text,
    Newline,
    End,
    And,
    As,
    Assert,
    Async,
    Await,
    Break,
    Class,
    Continue,
    Def,
    Del,
    Elif,
    Else,
    Except,
    False,
    Finally,
    For,
    From,
    Global,
    If,
    Import,
    In,
    Is,
    Lambda,
    None,
    Nonlocal,
    Not,
    Or,
    Pass,
    Raise,
    Return,
    True,
    Try,
    While,
    With,
    Yield,
    OpenRound,
    CloseRound,
    OpenSquare,
    CloseSquare,
    OpenCurly,
    CloseCurly,
    Comma,
    Colon,
    Walrus,
    Semicolon,
    Dot,
    Ellipsis,
    Arrow,
    At,
    Star,
    DoubleStar,
    Plus,
    Minus,
    Slash,
    DoubleSlash,
    Percent,
    Ampersand,
    Bar,
    Caret,
    Tilde,
    ShiftLeft,
    ShiftRight,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    EqualEqual,
    NotEqual,
    Equal,
    Augmented,
    Bang,
}

/// How a text literal begins.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Opening {
    pub(super) quote: u8,
    pub(super) is_triple: bool,
    pub(super) is_raw: bool,
    pub(super) is_bytes: bool,
    pub(super) is_format: bool,
}

/// Whether a byte goes on with a name.
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

impl Plain<'_> {
    /// Passes the token and finds the next one.
    pub(super) fn advance(&mut self) -> Option<()> {
        self.done = self.end;
        self.edge = self.end;
        self.scan()
    }

    /// Finds the token from where the last one ended.
    pub(super) fn scan(&mut self) -> Option<()> {
        // How far the line is indented, where it began since.
        let mut indent = None;
        loop {
            let Some(&byte) = self.text.get(self.at) else {
                return if self.brackets == 0 { self.found(Token::End, 0) } else { None };
            };
            match byte {
                b' ' => indent = indent.map(|indent| indent + 1),
                b'\t' => indent = indent.map(|indent| indent + 8),
                b'\n' if self.brackets > 0 => indent = Some(0),
                b'\n' => return self.found(Token::Newline, 0),
                0x0c => indent = indent.map(|_| 0),
                b'\r' if self.byte(1) == b'\n' => {}
                b'#' => {
                    self.at = self.line_end(self.at);
                    if self.brackets == 0 {
                        self.edge = self.at as u32;
                    }
                    continue;
                }
                b'\\' if self.byte(1) == b'\n' => self.at += 1,
                b'\\' if self.byte(1) == b'\r' && self.byte(2) == b'\n' => self.at += 2,
                // The grammar may take a line in brackets for the end of the block.
                _ if indent.is_some_and(|indent| indent < self.indent) => return None,
                _ => return self.token_at(byte),
            }
            self.at += 1;
        }
    }

    fn token_at(&mut self, byte: u8) -> Option<()> {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => self.name_or_keyword(),
            b'0'..=b'9' => self.number(),
            b'.' if self.byte(1).is_ascii_digit() => self.number(),
            b'"' | b'\'' => self.opened(self.at),
            _ => self.sign(byte),
        }
    }

    fn byte(&self, ahead: usize) -> u8 {
        self.text.get(self.at + ahead).copied().unwrap_or(0)
    }

    /// The first byte behind the token that is neither blank nor in a comment.
    pub(super) fn next_byte(&self) -> Option<u8> {
        let mut at = self.at;
        loop {
            match *self.text.get(at)? {
                b' ' | b'\t' | b'\r' | 0x0c => at += 1,
                b'\n' if self.brackets > 0 => at += 1,
                b'\\' if self.text.get(at + 1) == Some(&b'\n') => at += 2,
                b'#' if self.brackets > 0 => at = self.line_end(at),
                byte => return Some(byte),
            }
        }
    }

    fn line_end(&self, from: usize) -> usize {
        memchr(b'\n', &self.text[from..]).map_or(self.text.len(), |length| from + length)
    }

    fn found(&mut self, token: Token, length: usize) -> Option<()> {
        self.token = token;
        self.start = self.at as u32;
        self.at += length;
        self.end = self.at as u32;
        Some(())
    }

    fn name_or_keyword(&mut self) -> Option<()> {
        let rest = &self.text[self.at..];
        let length = rest.iter().position(|&byte| !is_word(byte)).unwrap_or(rest.len());
        let word = &rest[..length];
        if matches!(rest.get(length), Some(b'"' | b'\'' | b'`')) {
            let is_prefix = |byte: &u8| matches!(byte | 0x20, b'f' | b't' | b'r' | b'b' | b'u');
            if !word.iter().all(is_prefix) {
                return None;
            }
            let start = self.at;
            self.at += length;
            return self.opened(start);
        }
        let token = keyword(word);
        if token == Token::Name && !word.is_ascii() {
            return None;
        }
        self.found(token, length)
    }

    /// A text literal that begins at `start` and whose quote comes here.
    fn opened(&mut self, start: usize) -> Option<()> {
        let has = |letter| self.text[start..self.at].iter().any(|byte| byte | 0x20 == letter);
        let quote = self.byte(0);
        if quote == b'`' {
            return None;
        }
        self.opening = Opening {
            quote,
            is_triple: self.byte(1) == quote && self.byte(2) == quote,
            is_raw: has(b'r'),
            is_bytes: has(b'b'),
            is_format: has(b'f') || has(b't'),
        };
        self.found(Token::Text, if self.opening.is_triple { 3 } else { 1 })?;
        self.start = start as u32;
        Some(())
    }

    fn number(&mut self) -> Option<()> {
        let rest = &self.text[self.at..];
        let digit_at = |at: usize| rest.get(at).is_some_and(u8::is_ascii_digit);
        let lower = |at: usize| rest.get(at).map_or(0, |byte| byte | 0x20);
        // Digits with single underscores between them.
        let digits = |from: usize, is_digit: fn(&u8) -> bool| -> Option<usize> {
            let run = rest[from..].iter().take_while(|&byte| is_digit(byte) || *byte == b'_').count();
            let run = &rest[from..from + run];
            let is_odd =
                run.starts_with(b"_") || run.ends_with(b"_") || run.windows(2).any(|two| two == b"__");
            if is_odd { None } else { Some(from + run.len()) }
        };
        let mut token = Token::Integer;
        let mut at;
        if rest[0] == b'0' && matches!(lower(1), b'x' | b'o' | b'b') {
            let is_digit: fn(&u8) -> bool = match lower(1) {
                b'x' => u8::is_ascii_hexdigit,
                b'o' => |byte| (b'0'..=b'7').contains(byte),
                _ => |byte| matches!(byte, b'0' | b'1'),
            };
            at = digits(2, is_digit)?;
            if at == 2 {
                return None;
            }
        } else {
            at = digits(0, u8::is_ascii_digit)?;
            if rest.get(at) == Some(&b'.') {
                token = Token::Float;
                at = digits(at + 1, u8::is_ascii_digit)?;
            }
            if lower(at) == b'e' {
                token = Token::Float;
                at += if matches!(rest.get(at + 1), Some(b'+' | b'-')) { 2 } else { 1 };
                if !digit_at(at) {
                    return None;
                }
                at = digits(at, u8::is_ascii_digit)?;
            }
            if lower(at) == b'j' {
                at += 1;
            }
        }
        if rest.get(at).copied().is_some_and(is_word) {
            return None;
        }
        self.found(token, at)
    }

    fn sign(&mut self, byte: u8) -> Option<()> {
        let (second, third) = (self.byte(1), self.byte(2));
        // A sign that may come twice, and each with `=` behind it.
        let one_or_two = |one, two| match (second == byte, second, third) {
            (true, _, b'=') => (Token::Augmented, 3),
            (true, ..) => (two, 2),
            (false, b'=', _) => (Token::Augmented, 2),
            _ => (one, 1),
        };
        let one = |one| if second == b'=' { (Token::Augmented, 2) } else { (one, 1) };
        let (token, length) = match byte {
            b'(' => (Token::OpenRound, 1),
            b')' => (Token::CloseRound, 1),
            b'[' => (Token::OpenSquare, 1),
            b']' => (Token::CloseSquare, 1),
            b'{' => (Token::OpenCurly, 1),
            b'}' => (Token::CloseCurly, 1),
            b',' => (Token::Comma, 1),
            b':' if second == b'=' => (Token::Walrus, 2),
            b':' => (Token::Colon, 1),
            b';' => (Token::Semicolon, 1),
            b'.' if second == b'.' && third == b'.' => (Token::Ellipsis, 3),
            b'.' => (Token::Dot, 1),
            b'-' if second == b'>' => (Token::Arrow, 2),
            b'*' => one_or_two(Token::Star, Token::DoubleStar),
            b'/' => one_or_two(Token::Slash, Token::DoubleSlash),
            b'<' if second == b'>' => return None,
            b'<' if second == b'=' => (Token::LessEqual, 2),
            b'<' => one_or_two(Token::Less, Token::ShiftLeft),
            b'>' if second == b'=' => (Token::GreaterEqual, 2),
            b'>' => one_or_two(Token::Greater, Token::ShiftRight),
            b'=' if second == b'=' => (Token::EqualEqual, 2),
            b'=' => (Token::Equal, 1),
            b'!' if second == b'=' => (Token::NotEqual, 2),
            b'!' => (Token::Bang, 1),
            b'~' => (Token::Tilde, 1),
            b'@' => one(Token::At),
            b'+' => one(Token::Plus),
            b'-' => one(Token::Minus),
            b'%' => one(Token::Percent),
            b'&' => one(Token::Ampersand),
            b'|' => one(Token::Bar),
            b'^' => one(Token::Caret),
            _ => return None,
        };
        self.found(token, length)
    }

    /// Looks for the next line with code, from the end of a line.
    pub(super) fn look_ahead(&mut self, from: u32) -> Option<()> {
        let mut at = from as usize;
        let mut indent = 0;
        self.line.comments.clear();
        self.line.passed = 0;
        self.line.is_end = false;
        loop {
            match self.text.get(at) {
                None => {
                    self.line.is_end = true;
                    indent = 0;
                    break;
                }
                Some(b' ') => indent += 1,
                Some(b'\t') => indent += 8,
                Some(b'\n' | b'\r' | 0x0c) => indent = 0,
                Some(b'#') => {
                    at = self.line_end(at);
                    self.line.comments.push(Comment { indent, end: at as u32 });
                    continue;
                }
                Some(b'\\') => return None,
                Some(_) => break,
            }
            at += 1;
        }
        self.line.at = at;
        self.line.indent = indent;
        Some(())
    }

    /// Takes the first token of the line that was found.
    pub(super) fn begin_line(&mut self) -> Option<()> {
        self.at = self.line.at;
        self.scan()
    }

    /// Whether the block ends before the line that was found. Comments that are indented as the block is belong to it.
    pub(super) fn ends_block(&mut self) -> bool {
        loop {
            let comment = self.line.comments.get(self.line.passed);
            if self.line.indent < self.indent && comment.is_none_or(|comment| comment.indent < self.indent) {
                return true;
            }
            let Some(comment) = comment else { return false };
            self.edge = comment.end;
            self.line.passed += 1;
        }
    }

    /// Whether the line that was found goes on with a clause of what was begun at this depth.
    pub(super) fn is_clause(&self, word: &str) -> bool {
        let rest = &self.text[self.line.at..];
        self.line.indent == self.indent
            && rest.starts_with(word.as_bytes())
            && !rest.get(word.len()).copied().is_some_and(is_word)
    }
}

fn keyword(word: &[u8]) -> Token {
    match word {
        b"and" => Token::And,
        b"as" => Token::As,
        b"assert" => Token::Assert,
        b"async" => Token::Async,
        b"await" => Token::Await,
        b"break" => Token::Break,
        b"class" => Token::Class,
        b"continue" => Token::Continue,
        b"def" => Token::Def,
        b"del" => Token::Del,
        b"elif" => Token::Elif,
        b"else" => Token::Else,
        b"except" => Token::Except,
        b"False" => Token::False,
        b"finally" => Token::Finally,
        b"for" => Token::For,
        b"from" => Token::From,
        b"global" => Token::Global,
        b"if" => Token::If,
        b"import" => Token::Import,
        b"in" => Token::In,
        b"is" => Token::Is,
        b"lambda" => Token::Lambda,
        b"None" => Token::None,
        b"nonlocal" => Token::Nonlocal,
        b"not" => Token::Not,
        b"or" => Token::Or,
        b"pass" => Token::Pass,
        b"raise" => Token::Raise,
        b"return" => Token::Return,
        b"True" => Token::True,
        b"try" => Token::Try,
        b"while" => Token::While,
        b"with" => Token::With,
        b"yield" => Token::Yield,
        _ => Token::Name,
    }
}
