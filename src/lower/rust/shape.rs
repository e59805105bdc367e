//! lower/rust/shape: the brackets of a Rust text and what is listed between them, told from its pieces alone.
//!
//! No tree is built, so that depth costs nothing and a text that is broken, or stands inside of a macro, has a shape too.
//! What a brace opens is told by the keyword that waits for it.

use crate::source::Span;
use crate::token::{Kind, Token, tokens};

use part::{Head, Note, Open, Waiting};

pub(super) use part::Lead;

mod part;

/// What stands between two brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    /// Statements or items: the file itself, a block, the body of an `impl`.
    Statements,
    /// The arms of a `match`.
    Arms,
    /// The fields or variants that a definition has.
    Fields,
    /// What a literal or a pattern gives its fields, or what an import lists.
    Literal,
    /// What a call, a tuple, an array or a macro lists.
    List,
    /// An attribute, or how far something can be seen.
    Note,
    /// The text of a macro in braces, which may be anything.
    Anything,
}

/// Brackets and what is between them; the first are those of the file, which nobody writes.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) holds: Holds,
    /// From the opening bracket to the closing one.
    pub(super) span: Span,
    /// The whole call, literal or definition that it belongs to.
    pub(super) owner: Span,
    /// From the keyword that waited for it to the opening bracket.
    pub(super) head: Span,
    /// The innermost part around it that is spoken of: a statement, an arm, a field of a definition.
    pub(super) around: Option<usize>,
    pub(super) parts: Vec<usize>,
    pub(super) ends_with_comma: bool,
    /// Whether it is one value and how often it is repeated: `[0; 4]`.
    pub(super) is_repeat: bool,
}

/// A statement, an item, a field, an arm, an argument.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) span: Span,
    pub(super) group: usize,
    pub(super) lead: Lead,
    /// Where its keyword stands, behind attributes and descriptions.
    pub(super) begins: u32,
    /// Its own blocks, as groups.
    pub(super) blocks: Vec<usize>,
    /// The first of them that a keyword or an arrow opens.
    pub(super) body: Option<usize>,
}

/// The shape of a text.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape {
    pub(super) groups: Vec<Group>,
    pub(super) parts: Vec<Part>,
    /// Expressions that stand where a block could: behind the `=>` of an arm and behind the parameters of a closure.
    pub(super) bare: Vec<(Span, usize)>,
    /// Comments, those that describe something among them.
    pub(super) comments: Vec<Token>,
    /// Texts that go over several lines.
    pub(super) long_texts: Vec<Span>,
    /// From which offset on which part is the innermost one that is spoken of.
    around: Vec<(u32, Option<usize>)>,
}

impl Shape {
    pub(super) fn of(text: &str) -> Shape {
        let pieces: Vec<Token> = tokens(text).collect();
        let is_comment = |kind: Kind| matches!(kind, Kind::Comment | Kind::InnerDescription);
        let shape = Shape {
            comments: pieces
                .iter()
                .filter(|t| is_comment(t.kind) || t.kind == Kind::Description)
                .copied()
                .collect(),
            long_texts: pieces
                .iter()
                .filter(|token| token.kind == Kind::Text && text[token.span.range()].contains('\n'))
                .map(|token| token.span)
                .collect(),
            ..Shape::default()
        };
        let code: Vec<Token> = pieces.into_iter().filter(|token| !is_comment(token.kind)).collect();
        let mut reader = Reader { text, code: &code, at: 0, shape, open: Vec::new() };
        reader.read();
        reader.shape
    }

    /// The innermost part around an offset that is spoken of: a statement, an arm, a field of a definition.
    pub(super) fn around(&self, at: u32) -> Option<usize> {
        let until = self.around.partition_point(|(start, _)| *start <= at);
        self.around[..until].last().and_then(|(_, part)| *part)
    }
}

/// Reads the pieces one after the other.
struct Reader<'t> {
    text: &'t str,
    code: &'t [Token],
    at: usize,
    shape: Shape,
    open: Vec<Open<'t>>,
}

impl<'t> Reader<'t> {
    fn read(&mut self) {
        let whole = Span::new(0..self.text.len());
        self.begin_group(Holds::Statements, Span::default(), 0, Span::default());
        while let Some(&token) = self.code.get(self.at) {
            match token.kind {
                Kind::Open => self.opens(token),
                Kind::Close => self.closes(token),
                Kind::Sign => self.sign(token),
                _ => self.word(token),
            }
            self.at += 1;
        }
        while !self.open.is_empty() {
            self.end_group(whole.end);
        }
        self.shape.groups[0].span = whole;
    }

    fn slice(&self, token: Token) -> &'t str {
        &self.text[token.span.range()]
    }

    /// The piece that comes so many behind the present one.
    fn ahead(&self, by: usize) -> Option<(Kind, &'t str)> {
        self.code.get(self.at + by).map(|&token| (token.kind, self.slice(token)))
    }

    fn is_ahead(&self, by: usize, text: &str) -> bool {
        self.ahead(by).is_some_and(|(_, other)| other == text)
    }

    fn top(&mut self) -> &mut Open<'t> {
        self.open.last_mut().expect("internal error: the file's own brackets are open")
    }

    fn holds(&self) -> Holds {
        let group = self.open.last().map_or(0, |open| open.group);
        self.shape.groups[group].holds
    }

    /// Whether what comes is code, and no pattern of an arm.
    fn is_code(&self) -> bool {
        let arrow = self.open.last().is_some_and(|open| open.is_behind_arrow);
        self.holds() == Holds::Statements || arrow
    }

    /// Begins a part with a piece, where none is open.
    fn enter(&mut self, token: Token) {
        let goes_on = matches!(self.slice(token), "else" | "." | "?");
        if self.top().may_end && !goes_on {
            self.end_part();
        }
        self.top().may_end = false;
        let (group, number) = (self.top().group, self.shape.parts.len());
        if self.top().part.is_none() {
            let span = token.span;
            self.shape.parts.push(Part {
                span,
                group,
                lead: Lead::None,
                begins: span.start,
                blocks: Vec::new(),
                body: None,
            });
            self.shape.groups[group].parts.push(number);
            self.shape.groups[group].ends_with_comma = false;
            self.top().part = Some(number);
            let around = self.spoken_of(group, number);
            self.shape.around.push((span.start, around));
        }
        self.top().last = token.span.end;
    }

    /// Says what a part is, or what stands behind the arrow of an arm, and where that begins.
    fn set_lead(&mut self, lead: Lead, start: u32) {
        let open = self.top();
        open.lead = lead;
        let is_first = open.begins.is_none();
        open.begins.get_or_insert(start);
        let Some(number) = open.part.filter(|_| !open.is_behind_arrow) else { return };
        let part = &mut self.shape.parts[number];
        part.lead = lead;
        if is_first {
            part.begins = start;
        }
    }

    /// The innermost part that is spoken of inside of a part.
    fn spoken_of(&self, group: usize, part: usize) -> Option<usize> {
        let group = &self.shape.groups[group];
        let is_it = matches!(group.holds, Holds::Statements | Holds::Arms | Holds::Fields);
        if is_it { Some(part) } else { group.around }
    }

    fn end_part(&mut self) {
        let open = self.top();
        let (part, last) = (open.part, open.last);
        let bare = std::mem::take(&mut open.bare);
        open.renew();
        let Some(number) = part else { return };
        self.shape.parts[number].span.end = last;
        let group = self.shape.parts[number].group;
        self.shape.around.push((last, self.shape.groups[group].around));
        let ended = bare.into_iter().filter(|&start| start < last);
        self.shape.bare.extend(ended.map(|start| (Span { start, end: last }, group)));
    }

    fn begin_group(&mut self, holds: Holds, bracket: Span, owner: u32, head: Span) {
        let around = self.open.last().and_then(|open| self.spoken_of(open.group, open.part?));
        let number = self.shape.groups.len();
        if let (Some(part), Holds::Statements | Holds::Arms) = (around, holds) {
            let part = &mut self.shape.parts[part];
            part.blocks.push(number);
            part.body = part.body.or((head.end - head.start > 1).then_some(number));
        }
        let group = Group {
            holds,
            span: bracket,
            owner: Span { start: owner, end: owner },
            head,
            around,
            parts: Vec::new(),
            ends_with_comma: false,
            is_repeat: false,
        };
        let is_typed = match holds {
            Holds::Fields => true,
            Holds::List => self.open.last().is_some_and(|open| open.is_typed),
            _ => false,
        };
        self.open.push(Open { is_typed, ..Open::new(number) });
        self.shape.groups.push(group);
    }

    fn end_group(&mut self, end: u32) {
        self.end_part();
        let Some(open) = self.open.pop() else { return };
        let group = &mut self.shape.groups[open.group];
        group.span.end = end;
        group.owner.end = end;
    }

    fn word(&mut self, token: Token) {
        self.enter(token);
        if token.kind == Kind::Description {
            return;
        }
        let text = self.slice(token);
        let start = token.span.start;
        let is_keyword = token.kind == Kind::Word && part::is_keyword(text);
        let is_name = token.kind == Kind::Word && !is_keyword;
        if self.top().lead == Lead::None && self.is_code() {
            self.lead_by(token, text);
        }
        let head = match text {
            "if" | "while" => Some(Head::Test),
            "match" => Some(Head::Match),
            "for" if !self.is_ahead(1, "<") && !matches!(self.top().lead, Lead::Body | Lead::Function) => {
                self.top().in_pattern = true;
                Some(Head::Test)
            }
            _ => None,
        };
        if let Some(head) = head {
            self.top().waiting.push(Waiting { head, start });
        }
        match text {
            "let" => self.top().in_pattern = true,
            "in" => self.top().in_pattern = false,
            _ => {}
        }
        let open = self.top();
        if text == "else" {
            open.chain = open.operand;
        }
        if open.angles == 0 {
            let joins = matches!(open.before, "." | "::");
            open.operand = match open.operand {
                kept @ Some(_) if joins => kept,
                _ if is_keyword || token.kind == Kind::Lifetime => None,
                _ => Some(start),
            };
        }
        open.is_path &= is_name || is_keyword;
        if !(text == "move" && open.before == "async") {
            open.before_start = start;
        }
        open.before = text;
    }

    /// Says by its first words what a part is.
    fn lead_by(&mut self, token: Token, text: &str) {
        let start = token.span.start;
        // A label, or the name of a foreign language.
        if token.kind == Kind::Lifetime || self.top().before == "extern" && token.kind == Kind::Text {
            return;
        }
        let next = self.ahead(1);
        let is_next = |words: &[&str]| next.is_some_and(|(_, text)| words.contains(&text));
        let next_is_word = next.is_some_and(|(kind, _)| kind == Kind::Word);
        let lead = match text {
            "pub" => Lead::None,
            "default" | "auto" | "safe" if next_is_word => Lead::None,
            "unsafe" | "const" | "async"
                if is_next(&["fn", "unsafe", "async", "extern", "impl", "trait", "mod"]) =>
            {
                Lead::None
            }
            "extern" if is_next(&["crate"]) => Lead::Value,
            "extern" if is_next(&["{"]) || self.is_ahead(2, "{") => Lead::Body,
            "extern" => Lead::None,
            "unsafe" | "const" if is_next(&["{"]) => Lead::Block,
            "fn" => Lead::Function,
            "struct" | "enum" => Lead::Definition,
            "union" if next_is_word => Lead::Definition,
            "impl" | "trait" | "mod" => Lead::Body,
            "use" => Lead::Import,
            "const" | "static" | "type" => Lead::Value,
            "macro_rules" => Lead::Macro,
            "let" => Lead::Let,
            "if" | "match" | "while" | "for" | "loop" => Lead::Block,
            _ => Lead::Expression,
        };
        self.set_lead(lead, start);
        let begins = self.top().begins.unwrap_or(start);
        if matches!(lead, Lead::Function | Lead::Body) {
            self.top().waiting.push(Waiting { head: Head::Item, start: begins });
        }
    }

    fn sign(&mut self, token: Token) {
        let text = self.slice(token);
        let holds = self.holds();
        let lists = !matches!(holds, Holds::Statements);
        let is_free = self.top().angles == 0 && !self.top().in_closure;
        match text {
            ";" if matches!(holds, Holds::Statements | Holds::Anything) => {
                self.top().may_end = false;
                if self.top().part.is_some() {
                    self.top().last = token.span.end;
                }
                return self.end_part();
            }
            ";" => {
                let group = self.top().group;
                self.shape.groups[group].is_repeat = true;
            }
            "," if lists && is_free => {
                let group = self.top().group;
                self.end_part();
                self.shape.groups[group].ends_with_comma = true;
                return;
            }
            _ => {}
        }
        self.enter(token);
        if text == "#" && self.top().lead == Lead::None {
            self.top().note = self.note();
        }
        if self.top().note.is_some() {
            return;
        }
        let is_label = text == ":" && self.top().before.starts_with('\'');
        if self.top().lead == Lead::None && self.is_code() && !is_label {
            self.set_lead(Lead::Expression, token.span.start);
        }
        if text == "=>" && matches!(holds, Holds::Arms | Holds::Anything) {
            return self.arrow(token);
        }
        let next_start = self.code.get(self.at + 1).map(|token| token.span.start);
        let next_opens =
            self.ahead(1).is_some_and(|(kind, text)| text == "{" || kind == Kind::Sign && text == "->");
        let in_arm_pattern = holds == Holds::Arms && !self.top().is_behind_arrow;
        let open = self.top();
        let is_start = open.operand.is_none();
        let keeps = match text {
            "::" => {
                open.operand.get_or_insert(token.span.start);
                true
            }
            "." | "?" => true,
            "<" | "<<" if open.takes_types() => {
                if is_start && open.angles == 0 {
                    open.operand = Some(token.span.start);
                }
                open.angles += text.len() as u32;
                true
            }
            ">" if open.angles > 0 => {
                open.angles -= 1;
                true
            }
            "!" => !is_start,
            "|" if open.in_closure => {
                open.in_closure = false;
                if !next_opens {
                    open.bare.extend(next_start);
                }
                false
            }
            "|" if is_start && open.angles == 0 && !open.in_pattern && !in_arm_pattern => {
                open.in_closure = true;
                false
            }
            "||" if is_start => {
                if !next_opens {
                    open.bare.extend(next_start);
                }
                false
            }
            "=" => {
                open.in_pattern = false;
                // What a variant is equal to is no type.
                open.angles = 0;
                false
            }
            "->" => {
                open.gives_type = true;
                false
            }
            _ => false,
        };
        if !keeps && open.angles == 0 {
            open.operand = None;
        }
        open.is_path &= matches!(text, "::" | "!");
        open.before = text;
        open.before_start = token.span.start;
    }

    /// The attribute that a `#` begins.
    fn note(&self) -> Option<Note> {
        let is_inner = self.is_ahead(1, "!") && self.is_ahead(2, "[");
        if is_inner { Some(Note::Inner) } else { self.is_ahead(1, "[").then_some(Note::Outer) }
    }

    /// What follows the arrow of an arm is code.
    fn arrow(&mut self, token: Token) {
        let next = self.code.get(self.at + 1).copied();
        let bare = next.filter(|&next| self.slice(next) != "{").map(|next| next.span.start);
        let open = self.top();
        let (part, last, is_typed) = (open.part, token.span.end, open.is_typed);
        let group = open.group;
        *open = Open { part, last, is_typed, is_behind_arrow: true, ..Open::new(group) };
        open.bare.extend(bare);
        open.before = "=>";
        open.before_start = token.span.start;
    }

    fn opens(&mut self, token: Token) {
        self.enter(token);
        let text = self.slice(token);
        let start = token.span.start;
        if self.top().note.is_some() || text == "(" && self.top().before == "pub" {
            return self.begin_group(Holds::Note, token.span, start, Span::default());
        }
        if self.top().lead == Lead::None && self.is_code() {
            let lead = if text == "{" { Lead::Block } else { Lead::Expression };
            self.set_lead(lead, start);
        }
        if text == "{" { self.opens_brace(token) } else { self.opens_list(token) }
    }

    fn opens_list(&mut self, token: Token) {
        let start = token.span.start;
        let open = self.top();
        open.is_path = false;
        let waits = open.waiting.last().copied();
        let function = waits.filter(|waiting| waiting.head == Head::Item && open.lead == Lead::Function);
        if let Some(function) = function.filter(|_| open.angles == 0 && !open.has_parameters) {
            open.has_parameters = true;
            self.begin_group(Holds::List, token.span, function.start, Span::default());
            self.top().is_typed = true;
            return;
        }
        let is_definition = open.lead == Lead::Definition;
        let owner = if open.angles == 0 { *open.operand.get_or_insert(start) } else { start };
        self.begin_group(Holds::List, token.span, owner, Span::default());
        self.top().is_typed |= is_definition;
    }

    fn opens_brace(&mut self, token: Token) {
        let start = token.span.start;
        let is_pattern_of_arm = self.holds() == Holds::Arms && !self.top().is_behind_arrow;
        let is_in_definition = self.holds() == Holds::Fields || self.top().lead == Lead::Definition;
        let open = self.top();
        let at = open.operand;
        let waits = open.waiting.last().copied();
        let keyword = Span { start: open.before_start, end: token.span.end };
        let here = Span { start, end: token.span.end };
        let (holds, owner, head) = if open.lead == Lead::Macro || open.before == "!" && at.is_some() {
            (Holds::Anything, at.unwrap_or(start), here)
        } else if open.in_pattern
            || open.in_closure
            || open.before == "::"
            || is_pattern_of_arm && waits.is_none()
        {
            (Holds::Literal, at.unwrap_or(start), here)
        } else if is_in_definition && open.before != "=" && !open.is_among_types() {
            (Holds::Fields, at.unwrap_or(start), here)
        } else if open.lead == Lead::Import {
            (Holds::Literal, at.unwrap_or(start), here)
        } else if let Some(waiting) = waits.filter(|waiting| open.ends_head(waiting)) {
            open.waiting.pop();
            let holds = if waiting.head == Head::Match { Holds::Arms } else { Holds::Statements };
            let head = Span { start: waiting.start, end: token.span.end };
            if waiting.head != Head::Item {
                open.operand = open.chain.take().or(Some(waiting.start));
            }
            (holds, start, head)
        } else if at.is_some() && !open.gives_type && open.is_behind_name() {
            (Holds::Literal, at.unwrap_or(start), here)
        } else {
            let is_keyword = part::is_keyword(open.before);
            open.operand = open.chain.take().or(Some(if is_keyword { keyword.start } else { start }));
            let arm = open.part.filter(|_| open.before == "=>").map(|arm| self.shape.parts[arm].begins);
            let head = match arm {
                Some(start) => Span { start, end: token.span.end },
                None if is_keyword => keyword,
                None => here,
            };
            (Holds::Statements, start, head)
        };
        let open = self.top();
        if !open.is_among_types() {
            (open.gives_type, open.angles) = (false, 0);
        }
        self.begin_group(holds, token.span, owner, head);
    }

    fn closes(&mut self, token: Token) {
        let opening = match self.slice(token) {
            ")" => "(",
            "]" => "[",
            _ => "{",
        };
        // A bracket that nothing opens is passed over. One that something opens closes all that is open inside.
        let open = self.open.iter().skip(1).rev().take(MOST_UNCLOSED).map(|open| open.group);
        let is_opened =
            |group: &usize| self.text[self.shape.groups[*group].span.range()].starts_with(opening);
        let Some(opened) = open.into_iter().find(is_opened) else { return };
        while self.top().group != opened {
            self.end_group(token.span.start);
        }
        self.end_group(token.span.end);
        self.behind_group(opened, token);
    }

    /// What a closed bracket means for the part that it stands in.
    fn behind_group(&mut self, group: usize, token: Token) {
        let holds = self.shape.groups[group].holds;
        let is_code = self.is_code() || self.holds() == Holds::Anything;
        let is_brace = self.slice(token) == "}";
        let open = self.top();
        open.last = token.span.end;
        if holds == Holds::Note {
            open.before = "";
            if open.note.take() == Some(Note::Inner) {
                self.set_lead(Lead::Inner, token.span.start);
                self.end_part();
            }
            return;
        }
        let is_free = open.waiting.is_empty();
        let (ends, may_end) = match open.lead {
            _ if !is_brace || !is_code || !is_free => (false, false),
            Lead::Function | Lead::Body => (holds == Holds::Statements, false),
            Lead::Definition => (holds == Holds::Fields, false),
            Lead::Macro => (true, false),
            Lead::Block => (false, matches!(holds, Holds::Statements | Holds::Arms)),
            Lead::Expression => (false, holds == Holds::Anything && open.is_path),
            _ => (false, false),
        };
        open.before = "}";
        open.before_start = token.span.start;
        open.may_end = may_end;
        if open.lead != Lead::Expression || holds != Holds::Anything {
            open.is_path = false;
        }
        if ends {
            self.end_part();
        }
    }
}

/// How many brackets may be left open inside of one that is closed. Code that leaves more is none.
const MOST_UNCLOSED: usize = 16;

#[cfg(test)]
mod tests;
