//! lower/rust/shape/part: what is known of a part while it is being read.

/// What a part is, by its first words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Lead {
    /// Nothing tells yet, or it is no code: a field, a variant, a pattern.
    None,
    /// An attribute of what it stands in.
    Inner,
    /// A function.
    Function,
    /// An `impl`, a trait, a module or a list of foreign items.
    Body,
    /// A struct, an enum or a union.
    Definition,
    /// A constant, a static, a type or a foreign crate.
    Value,
    Import,
    /// The definition of a macro.
    Macro,
    Let,
    /// An expression that ends with its block.
    Block,
    /// Any other expression.
    Expression,
}

impl Lead {
    /// Whether it is an item, which is spoken of as a whole.
    pub(in super::super) fn is_item(self) -> bool {
        matches!(
            self,
            Lead::Function | Lead::Body | Lead::Definition | Lead::Value | Lead::Import | Lead::Macro
        )
    }
}

/// What waits for its brace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Head {
    Item,
    Match,
    Test,
}

/// A keyword that waits for its brace, and where what it begins begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    pub(super) head: Head,
    pub(super) start: u32,
}

/// An attribute, by where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Note {
    /// Before what it is of.
    Outer,
    /// In what it is of.
    Inner,
}

/// Brackets that are not closed yet, and the part that is being read between them.
#[derive(Clone, Debug)]
pub(super) struct Open<'t> {
    pub(super) group: usize,
    /// Whether types are listed here, whose own lists stand in `<…>`.
    pub(super) is_typed: bool,
    pub(super) part: Option<usize>,
    /// Where the part begins behind its attributes.
    pub(super) begins: Option<u32>,
    /// What the code is that comes now; behind the arrow of an arm, what stands there.
    pub(super) lead: Lead,
    pub(super) waiting: Vec<Waiting>,
    /// Where the operand begins that a call, an index or a field could follow.
    pub(super) operand: Option<u32>,
    /// Where the operand begins that goes on behind `else`.
    pub(super) chain: Option<u32>,
    /// How many lists of types are open.
    pub(super) angles: u32,
    pub(super) in_pattern: bool,
    pub(super) in_closure: bool,
    /// Whether the type of what a closure gives has been written.
    pub(super) gives_type: bool,
    pub(super) has_parameters: bool,
    /// Whether there was nothing but a path so far.
    pub(super) is_path: bool,
    /// The attribute that is being read.
    pub(super) note: Option<Note>,
    pub(super) is_behind_arrow: bool,
    /// Whether the part ends here unless what comes goes on with it.
    pub(super) may_end: bool,
    /// The piece before, and where it begins.
    pub(super) before: &'t str,
    pub(super) before_start: u32,
    /// Where the last piece of the part ends.
    pub(super) last: u32,
    /// Where expressions begin that stand where a block could.
    pub(super) bare: Vec<u32>,
}

impl Open<'_> {
    /// Brackets of a group, before their first part.
    pub(super) fn new(group: usize) -> Self {
        Open {
            group,
            is_typed: false,
            part: None,
            begins: None,
            lead: Lead::None,
            waiting: Vec::new(),
            operand: None,
            chain: None,
            angles: 0,
            in_pattern: false,
            in_closure: false,
            gives_type: false,
            has_parameters: false,
            is_path: true,
            note: None,
            is_behind_arrow: false,
            may_end: false,
            before: "",
            before_start: 0,
            last: 0,
            bare: Vec::new(),
        }
    }

    /// Makes ready for the next part.
    pub(super) fn renew(&mut self) {
        *self = Open { is_typed: self.is_typed, ..Open::new(self.group) };
    }

    /// Whether `<` opens a list of types here, and compares nothing.
    pub(super) fn takes_types(&self) -> bool {
        let is_head = self.lead == Lead::Function && !self.has_parameters;
        let is_type = self.is_typed || self.gives_type || self.angles > 0;
        self.before == "::" || self.operand.is_none() || is_head || is_type
    }

    /// Whether what comes is one of a list of types.
    pub(super) fn is_among_types(&self) -> bool {
        self.before == "<" || self.angles > 0 && self.before == ","
    }

    /// Whether a brace here is what a keyword waits for, and no operand of what stands between.
    pub(super) fn ends_head(&self, waiting: &Waiting) -> bool {
        match waiting.head {
            Head::Item => self.before != "=" && !self.is_among_types(),
            Head::Match | Head::Test => self.operand.is_some() || self.before.starts_with(".."),
        }
    }

    /// Whether the piece before may be the end of a type's name.
    pub(super) fn is_behind_name(&self) -> bool {
        self.before == ">" || self.before.ends_with(|c: char| c == '_' || c.is_alphanumeric())
    }
}

/// Whether a word begins or joins and cannot be an operand.
pub(super) fn is_keyword(word: &str) -> bool {
    matches!(
        word,
        "as" | "async"
            | "break"
            | "const"
            | "continue"
            | "dyn"
            | "else"
            | "enum"
            | "extern"
            | "fn"
            | "for"
            | "if"
            | "impl"
            | "in"
            | "let"
            | "loop"
            | "match"
            | "mod"
            | "move"
            | "mut"
            | "pub"
            | "ref"
            | "return"
            | "static"
            | "struct"
            | "trait"
            | "type"
            | "unsafe"
            | "use"
            | "where"
            | "while"
    )
}
