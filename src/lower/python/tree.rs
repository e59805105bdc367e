//! lower/python/tree: the tree of a Python text as lowering walks it, flat and without what nothing is lowered from.
//!
//! Comments, brackets and keywords are left out. Of the signs between operands those are kept that make a difference.

use std::fmt;
use std::ops::Range;

use crate::source::Span;

/// The number of a node.
pub(super) type Id = u32;

/// A tree: nodes by number, and their children in runs.
#[derive(Debug, Default)]
pub(super) struct Tree {
    nodes: Vec<Data>,
    children: Vec<Id>,
    /// Nodes that wait for their parent.
    waiting: Vec<Id>,
}

#[derive(Clone, Copy, Debug)]
struct Data {
    start: u32,
    end: u32,
    first: u32,
    count: u32,
    kind: Kind,
    role: Role,
    is_broken: bool,
}

/// A node of a tree.
#[derive(Clone, Copy)]
pub(super) struct Node<'t> {
    tree: &'t Tree,
    id: Id,
}

impl PartialEq for Node<'_> {
    fn eq(&self, other: &Node<'_>) -> bool {
        self.id == other.id
    }
}

impl fmt::Debug for Node<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Data { kind, role, start, end, .. } = self.data();
        write!(out, "{role:?} {kind:?} {start}..{end}")
    }
}

impl<'t> Node<'t> {
    pub(super) fn kind(self) -> Kind {
        self.data().kind
    }

    pub(super) fn span(self) -> Span {
        let data = self.data();
        Span { start: data.start, end: data.end }
    }

    pub(super) fn range(self) -> Range<usize> {
        self.span().range()
    }

    /// Whether there is a syntax error in it.
    pub(super) fn has_error(self) -> bool {
        self.data().is_broken
    }

    /// Its children without signs.
    pub(super) fn parts(self) -> impl DoubleEndedIterator<Item = Node<'t>> + Clone {
        self.children().filter(|child| !child.kind().is_sign())
    }

    /// Its first child that is no sign.
    pub(super) fn first_part(self) -> Option<Node<'t>> {
        self.parts().next()
    }

    /// Its only child that is no sign.
    pub(super) fn only_part(self) -> Option<Node<'t>> {
        let mut parts = self.parts();
        parts.next().filter(|_| parts.next().is_none())
    }

    /// Its first child in a role.
    pub(super) fn field(self, role: Role) -> Option<Node<'t>> {
        self.children().find(|child| child.data().role == role)
    }

    /// Its children in a role, without signs.
    pub(super) fn fields(self, role: Role) -> impl DoubleEndedIterator<Item = Node<'t>> + Clone {
        self.parts().filter(move |child| child.data().role == role)
    }

    /// The sign in a role, of its own or before one of its operands.
    pub(super) fn signs(self, role: Role) -> impl Iterator<Item = Kind> {
        self.children().filter(move |child| child.data().role == role).map(Node::kind)
    }

    /// Its first child of a kind.
    pub(super) fn child(self, kind: Kind) -> Option<Node<'t>> {
        self.children().find(|child| child.kind() == kind)
    }

    /// All its children.
    pub(super) fn children(self) -> impl DoubleEndedIterator<Item = Node<'t>> + Clone {
        let Data { first, count, .. } = *self.data();
        let tree = self.tree;
        let run = &tree.children[first as usize..(first + count) as usize];
        run.iter().map(move |&id| Node { tree, id })
    }

    fn data(self) -> &'t Data {
        &self.tree.nodes[self.id as usize]
    }
}

/// How a tree grows: from its leaves to its root.
impl Tree {
    /// An empty tree for a text of so many bytes.
    pub(super) fn for_text(bytes: usize) -> Tree {
        let likely = bytes / 8 + 8;
        Tree {
            nodes: Vec::with_capacity(likely),
            children: Vec::with_capacity(likely),
            waiting: Vec::with_capacity(64),
        }
    }

    /// The last node, which holds all others.
    pub(super) fn root(&self) -> Node<'_> {
        Node { tree: self, id: (self.nodes.len() - 1) as Id }
    }

    /// A node without children.
    pub(super) fn leaf(&mut self, kind: Kind, start: u32, end: u32) -> Id {
        self.branch(kind, start, end, &[])
    }

    /// A node with these children.
    pub(super) fn branch(&mut self, kind: Kind, start: u32, end: u32, children: &[(Role, Id)]) -> Id {
        let first = self.children.len() as u32;
        for &(role, child) in children {
            self.nodes[child as usize].role = role;
            self.children.push(child);
        }
        self.node(kind, start, end, first)
    }

    /// Where the children of a node begin that are to come one by one.
    pub(super) fn open(&self) -> usize {
        self.waiting.len()
    }

    /// One more child of the node that is open.
    pub(super) fn push(&mut self, role: Role, child: Id) {
        self.nodes[child as usize].role = role;
        self.waiting.push(child);
    }

    /// The children of the node that is open.
    pub(super) fn pushed(&self, open: usize) -> &[Id] {
        &self.waiting[open..]
    }

    /// Puts a node in the place of the children of the node that is open.
    pub(super) fn replace(&mut self, open: usize, child: Id) {
        self.waiting.truncate(open);
        self.push(Role::None, child);
    }

    /// Takes the children of the node that is open back.
    pub(super) fn drop_pushed(&mut self, open: usize) {
        self.waiting.truncate(open);
    }

    /// A node with the children that have come since it was opened.
    pub(super) fn close(&mut self, open: usize, kind: Kind, start: u32, end: u32) -> Id {
        let first = self.children.len() as u32;
        self.children.extend_from_slice(&self.waiting[open..]);
        self.waiting.truncate(open);
        self.node(kind, start, end, first)
    }

    fn node(&mut self, kind: Kind, start: u32, end: u32, first: u32) -> Id {
        let count = self.children.len() as u32 - first;
        self.nodes.push(Data { start, end, first, count, kind, role: Role::None, is_broken: false });
        (self.nodes.len() - 1) as Id
    }

    pub(super) fn kind(&self, id: Id) -> Kind {
        self.nodes[id as usize].kind
    }

    pub(super) fn start(&self, id: Id) -> u32 {
        self.nodes[id as usize].start
    }

    pub(super) fn end(&self, id: Id) -> u32 {
        self.nodes[id as usize].end
    }

    /// Takes a node for another kind.
    pub(super) fn turn(&mut self, id: Id, kind: Kind) {
        self.nodes[id as usize].kind = kind;
    }

    /// Notes that there is a syntax error in a node.
    pub(super) fn mark_broken(&mut self, id: Id) {
        self.nodes[id as usize].is_broken = true;
    }

    pub(super) fn children_of(&self, id: Id) -> Range<usize> {
        let Data { first, count, .. } = self.nodes[id as usize];
        first as usize..(first + count) as usize
    }

    pub(super) fn child_at(&self, at: usize) -> Id {
        self.children[at]
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal,)* } else $other:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub(super) enum $name {
            $($variant,)*
            $other,
        }

        impl $name {
            /// What the grammar calls by this word.
            pub(super) fn of(word: &str) -> $name {
                match word {
                    $($word => $name::$variant,)*
                    _ => $name::$other,
                }
            }
        }
    };
}

words! {
    /// What a node is. Signs come first.
    Kind {
        And = "and",
        Or = "or",
        Is = "is",
        IsNot = "is not",
        Equal = "==",
        Unequal = "!=",
        In = "in",
        NotIn = "not in",
        Bar = "|",
        Plus = "+",
        Colon = ":",
        Async = "async",
        Sign = "<",
        Module = "module",
        Error = "ERROR",
        Block = "block",
        FunctionDefinition = "function_definition",
        ClassDefinition = "class_definition",
        DecoratedDefinition = "decorated_definition",
        Decorator = "decorator",
        IfStatement = "if_statement",
        ForStatement = "for_statement",
        WhileStatement = "while_statement",
        TryStatement = "try_statement",
        WithStatement = "with_statement",
        MatchStatement = "match_statement",
        ExpressionStatement = "expression_statement",
        TypeAliasStatement = "type_alias_statement",
        ReturnStatement = "return_statement",
        RaiseStatement = "raise_statement",
        BreakStatement = "break_statement",
        ContinueStatement = "continue_statement",
        PassStatement = "pass_statement",
        ImportStatement = "import_statement",
        ImportFromStatement = "import_from_statement",
        FutureImportStatement = "future_import_statement",
        GlobalStatement = "global_statement",
        NonlocalStatement = "nonlocal_statement",
        DeleteStatement = "delete_statement",
        AssertStatement = "assert_statement",
        PrintStatement = "print_statement",
        ExecStatement = "exec_statement",
        Assignment = "assignment",
        AugmentedAssignment = "augmented_assignment",
        ElifClause = "elif_clause",
        ElseClause = "else_clause",
        ExceptClause = "except_clause",
        FinallyClause = "finally_clause",
        WithClause = "with_clause",
        WithItem = "with_item",
        CaseClause = "case_clause",
        IfClause = "if_clause",
        ForInClause = "for_in_clause",
        CasePattern = "case_pattern",
        ClassPattern = "class_pattern",
        SplatPattern = "splat_pattern",
        PatternList = "pattern_list",
        TuplePattern = "tuple_pattern",
        ListPattern = "list_pattern",
        ListSplatPattern = "list_splat_pattern",
        DictionarySplatPattern = "dictionary_splat_pattern",
        AsPattern = "as_pattern",
        AsPatternTarget = "as_pattern_target",
        WildcardImport = "wildcard_import",
        AliasedImport = "aliased_import",
        DottedName = "dotted_name",
        RelativeImport = "relative_import",
        Parameters = "parameters",
        LambdaParameters = "lambda_parameters",
        TypedParameter = "typed_parameter",
        DefaultParameter = "default_parameter",
        TypedDefaultParameter = "typed_default_parameter",
        KeywordSeparator = "keyword_separator",
        PositionalSeparator = "positional_separator",
        ArgumentList = "argument_list",
        KeywordArgument = "keyword_argument",
        ListSplat = "list_splat",
        DictionarySplat = "dictionary_splat",
        Type = "type",
        GenericType = "generic_type",
        TypeParameter = "type_parameter",
        UnionType = "union_type",
        MemberType = "member_type",
        Identifier = "identifier",
        NoneLiteral = "none",
        True = "true",
        False = "false",
        Integer = "integer",
        Float = "float",
        Ellipsis = "ellipsis",
        String = "string",
        StringContent = "string_content",
        Interpolation = "interpolation",
        ConcatenatedString = "concatenated_string",
        Attribute = "attribute",
        Call = "call",
        Subscript = "subscript",
        Slice = "slice",
        List = "list",
        Tuple = "tuple",
        Set = "set",
        ExpressionList = "expression_list",
        Dictionary = "dictionary",
        Pair = "pair",
        ListComprehension = "list_comprehension",
        SetComprehension = "set_comprehension",
        GeneratorExpression = "generator_expression",
        DictionaryComprehension = "dictionary_comprehension",
        ComparisonOperator = "comparison_operator",
        BinaryOperator = "binary_operator",
        BooleanOperator = "boolean_operator",
        NotOperator = "not_operator",
        UnaryOperator = "unary_operator",
        ConditionalExpression = "conditional_expression",
        NamedExpression = "named_expression",
        ParenthesizedExpression = "parenthesized_expression",
        Lambda = "lambda",
        Await = "await",
        Yield = "yield",
    } else Other
}

impl Kind {
    /// Whether it is a sign or keyword between other nodes.
    pub(super) fn is_sign(self) -> bool {
        self <= Kind::Sign
    }

    pub(super) fn is_definition(self) -> bool {
        matches!(self, Kind::FunctionDefinition | Kind::ClassDefinition | Kind::DecoratedDefinition)
    }

    pub(super) fn is_statement(self) -> bool {
        (Kind::IfStatement..=Kind::ExecStatement).contains(&self)
    }
}

words! {
    /// The role of a node in its parent.
    Role {
        Alias = "alias",
        Alternative = "alternative",
        Argument = "argument",
        Arguments = "arguments",
        Attribute = "attribute",
        Body = "body",
        Cause = "cause",
        Condition = "condition",
        Consequence = "consequence",
        Definition = "definition",
        Expression = "expression",
        Function = "function",
        Guard = "guard",
        Key = "key",
        Left = "left",
        ModuleName = "module_name",
        Name = "name",
        Object = "object",
        Operator = "operator",
        Operators = "operators",
        Parameters = "parameters",
        ReturnType = "return_type",
        Right = "right",
        Subject = "subject",
        Subscript = "subscript",
        Superclasses = "superclasses",
        Type = "type",
        Value = "value",
    } else None
}
