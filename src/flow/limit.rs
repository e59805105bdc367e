//! flow/limit: sizes of pages that a client chooses, and whether anything keeps them small.
//!
//! A size is followed from where the client hands it over, as it is or as an `int`, to where it says how many rows are
//! read. Whatever looks at it on the way, a comparison, `min`, a list of allowed sizes, a helper, is taken for the
//! limit: only what reaches the rows untouched is told.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::facts::{Argument, ArgumentKind, Comparison, Function, Literal, Step, StepId, StepKind, Term};
use crate::name::Name;
use crate::project::{ClassId, FunctionId, Project, Symbol};

use super::Flow;
use super::handing::handed;

/// A size of a page that nothing keeps small.
#[derive(Clone, Debug)]
pub(super) struct Unlimited {
    /// The function or class body it is chosen in.
    pub function: FunctionId,
    /// Where; nothing where only the function's own name can be shown.
    pub step: Option<StepId>,
    /// The name the client gives it.
    pub name: String,
    /// The word for how the client chooses it.
    pub by: &'static str,
    /// Where it says how many rows are read.
    pub used: Option<(FunctionId, StepId)>,
}

/// How many calls a size is followed through.
const LONGEST_WAY: usize = 8;

/// Names of sizes: of these alone it is clear that arithmetic leaves them one.
const SIZES: &[&str] =
    &["limit", "size", "count", "take", "top", "rows", "num", "per_page", "perpage", "results"];

/// Methods that say a chain of calls reads rows.
const QUERIES: &[&str] = &[
    "filter",
    "exclude",
    "all",
    "order_by",
    "values",
    "values_list",
    "annotate",
    "select_related",
    "prefetch_related",
    "distinct",
    "only",
    "defer",
    "get_queryset",
    "filter_queryset",
    "where",
];

/// All sizes of pages that clients choose freely.
pub(super) fn unlimited(project: &Project, flow: &Flow) -> Vec<Unlimited> {
    let mut follow = Follow { project, flow, known: FxHashMap::default() };
    let mut found = Vec::new();
    let takes_sizes = |id: &FunctionId| {
        let function = project.function(*id);
        let is_size_of_query =
            |step: &Step| from_query(function, &step.kind).is_some_and(|name| is_size(&name));
        function.decorators.iter().any(reads) || function.steps.iter().any(is_size_of_query)
    };
    let takers: Vec<FunctionId> = project.function_ids().into_par_iter().filter(takes_sizes).collect();
    for id in takers {
        found.extend(follow.parameters(id));
        found.extend(follow.requests(id));
    }
    for class in project.class_ids() {
        found.extend(paginator(project, class));
    }
    found
}

struct Follow<'p> {
    project: &'p Project,
    flow: &'p Flow,
    /// By function and parameter: where it says how many rows are read.
    known: FxHashMap<(FunctionId, usize), Option<(FunctionId, StepId)>>,
}

impl Follow<'_> {
    /// Query parameters of a FastAPI endpoint.
    fn parameters(&mut self, id: FunctionId) -> Vec<Unlimited> {
        let project = self.project;
        let function = project.function(id);
        if !function.decorators.iter().any(reads) {
            return Vec::new();
        }
        let mut found = Vec::new();
        for (number, param) in function.params.iter().enumerate() {
            let is_open = param.annotation.as_ref().is_some_and(is_open_number)
                && !param.default.as_ref().is_some_and(is_bounded);
            if !is_open || !is_size(&param.name) {
                continue;
            }
            if let Some(used) = self.parameter(id, number, 0) {
                let name = param.name.to_string();
                found.push(Unlimited { function: id, step: None, name, by: "parameter", used: Some(used) });
            }
        }
        found
    }

    /// What a function reads from the query of a request.
    fn requests(&mut self, id: FunctionId) -> Vec<Unlimited> {
        let project = self.project;
        let function = project.function(id);
        let mut found = Vec::new();
        for (step, kind) in (0..).zip(function.steps.iter().map(|step| &step.kind)) {
            let Some(name) = from_query(function, kind) else { continue };
            if !is_size(&name) {
                continue;
            }
            if let Some(used) = self.used(id, Source::Step(step), 0) {
                let name = name.to_string();
                found.push(Unlimited { function: id, step: Some(step), name, by: "query", used: Some(used) });
            }
        }
        found
    }

    /// Where a parameter says how many rows are read, in a function or what it calls.
    fn parameter(&mut self, id: FunctionId, number: usize, depth: usize) -> Option<(FunctionId, StepId)> {
        if depth > LONGEST_WAY {
            return None;
        }
        if let Some(known) = self.known.get(&(id, number)) {
            return *known;
        }
        self.known.insert((id, number), None);
        let name = self.project.function(id).params[number].name;
        let found = self.used(id, Source::Param(name), depth);
        self.known.insert((id, number), found);
        found
    }

    fn used(&mut self, id: FunctionId, source: Source, depth: usize) -> Option<(FunctionId, StepId)> {
        let project = self.project;
        let function = project.function(id);
        let carriers = Carriers::of(project, id, source)?;
        for (step, kind) in (0..).zip(function.steps.iter().map(|step| &step.kind)) {
            match kind {
                StepKind::Index { of, key } => {
                    let upper = upper_bound(project, id, *key);
                    if upper.is_some_and(|upper| carriers.sizes(upper)) && is_query(function, *of) {
                        return Some((id, step));
                    }
                }
                StepKind::Call { callee, arguments } => {
                    if arguments.iter().any(|argument| carriers.sizes(argument.value))
                        && let Some(used) = self.called(id, step, *callee, arguments, &carriers, depth)
                    {
                        return Some(used);
                    }
                }
                _ => {}
            }
        }
        None
    }

    fn called(
        &mut self,
        id: FunctionId,
        step: StepId,
        callee: StepId,
        arguments: &[Argument],
        carriers: &Carriers<'_>,
        depth: usize,
    ) -> Option<(FunctionId, StepId)> {
        let (project, flow) = (self.project, self.flow);
        let function = project.function(id);
        let first = arguments.first().filter(|argument| argument.kind == ArgumentKind::Plain);
        if let StepKind::Attribute { of, name } = function.steps[callee as usize].kind
            && &*name == "limit"
            && arguments.len() == 1
            && first.is_some_and(|argument| carriers.sizes(argument.value))
            && project.symbol_of(id, of).is_none()
        {
            return Some((id, step));
        }
        if let Some(Symbol::External(path)) = project.symbol_of(id, callee)
            && path.starts_with("django.core.paginator.")
            && path.last() == "Paginator"
        {
            let is_size = |(at, argument): (usize, &Argument)| match argument.kind {
                ArgumentKind::Keyword(name) => &*name == "per_page",
                _ => at == 1,
            };
            let size = arguments.iter().enumerate().find(|&(at, argument)| is_size((at, argument)));
            return size.filter(|(_, argument)| carriers.sizes(argument.value)).map(|_| (id, step));
        }
        let outcome = flow.outcomes.get(id)?;
        let callees: Vec<FunctionId> = outcome
            .called
            .range((step, FunctionId::FIRST)..)
            .take_while(|(at, _)| *at == step)
            .map(|(_, callee)| *callee)
            .collect();
        for callee in callees {
            for (number, argument) in handed(project.function(callee), arguments) {
                if carriers.sizes(argument.value)
                    && let Some(used) = self.parameter(callee, number, depth + 1)
                {
                    return Some(used);
                }
            }
        }
        None
    }
}

/// Where a size comes from.
#[derive(Clone, Copy)]
enum Source {
    Param(Name),
    Step(StepId),
}

/// The steps and local names of a function that hold a size as the client chose it.
struct Carriers<'f> {
    function: &'f Function,
    source: Source,
    names: Vec<Name>,
}

impl<'f> Carriers<'f> {
    /// Nothing where the function looks at the size.
    fn of(project: &'f Project, id: FunctionId, source: Source) -> Option<Carriers<'f>> {
        let function = project.function(id);
        let names = match source {
            Source::Param(name) => vec![name],
            Source::Step(_) => Vec::new(),
        };
        let mut found = Carriers { function, source, names };
        // Each turn finds a further name, so that there are no more turns than names.
        loop {
            let next = function.steps.iter().find_map(|step| match step.kind {
                StepKind::Bind { name, value, .. } => {
                    (!found.names.contains(&name) && found.holds(value)).then_some(name)
                }
                _ => None,
            });
            match next {
                Some(name) => found.names.push(name),
                None => break,
            }
        }
        (!found.is_looked_at(project, id)).then_some(found)
    }

    /// Whether a step's value is the size itself.
    fn holds(&self, step: StepId) -> bool {
        if matches!(self.source, Source::Step(source) if source == step) {
            return true;
        }
        match &self.function.steps[step as usize].kind {
            StepKind::Name(name) => self.names.contains(name),
            StepKind::Either(all) => all.iter().any(|one| self.holds(*one)),
            StepKind::Await(of) => self.holds(*of),
            // `int(size)`, and `max(size, 1)`, which keeps it from being too small only.
            StepKind::Call { callee, arguments } => {
                let is_kept = matches!(self.function.steps[*callee as usize].kind, StepKind::Name(name)
                    if matches!(&*name, "int" | "abs" | "max"));
                is_kept && arguments.iter().any(|argument| self.holds(argument.value))
            }
            _ => false,
        }
    }

    /// Whether it is the size, or something added to the size: the end of a page.
    fn sizes(&self, step: StepId) -> bool {
        match &self.function.steps[step as usize].kind {
            StepKind::Compute(parts) if parts.len() == 2 => parts.iter().any(|part| self.holds(*part)),
            StepKind::Name(name) if !self.names.contains(name) => {
                // `end = offset + limit`
                self.function.bound_once(*name).is_some_and(|value| {
                    matches!(&self.function.steps[value as usize].kind,
                        StepKind::Compute(parts) if parts.len() == 2 && parts.iter().any(|part| self.holds(*part)))
                })
            }
            _ => self.holds(step),
        }
    }

    /// Whether the function compares the size with something, or binds its names to something else.
    fn is_looked_at(&self, project: &Project, id: FunctionId) -> bool {
        let text =
            |step: StepId| project.file(id.file).source.slice(self.function.steps[step as usize].span).trim();
        self.function.steps.iter().any(|step| match step.kind {
            StepKind::Compare { comparison, left, right, .. } => {
                let other = match (self.holds(left), self.holds(right)) {
                    (true, false) => right,
                    (false, true) => left,
                    _ => return false,
                };
                match comparison {
                    // What is smaller than a page's first row is refused; what is large is not.
                    Comparison::Order => !matches!(text(other), "0" | "1" | "-1"),
                    Comparison::In => true,
                    Comparison::Is | Comparison::Equal => false,
                }
            }
            StepKind::Bind { name, value, .. } => {
                self.names.contains(&name) && !self.holds(value) && !self.is_fixed(value)
            }
            _ => false,
        })
    }

    /// Whether a value is written down where it stands, or is a constant.
    fn is_fixed(&self, step: StepId) -> bool {
        match self.function.steps[step as usize].kind {
            StepKind::Literal(_) => true,
            StepKind::Name(name) => *name == *name.to_uppercase(),
            StepKind::Attribute { name, .. } => *name == *name.to_uppercase(),
            _ => false,
        }
    }
}

/// Whether a decorator makes an endpoint that answers what it reads.
fn reads(decorator: &Term) -> bool {
    let Term::Call { callee, .. } = decorator else { return false };
    matches!(&**callee, Term::Path(path) if path.last() == "get" && path.contains('.'))
}

/// Whether an annotation is a number without a maximum.
fn is_open_number(annotation: &Term) -> bool {
    match annotation {
        Term::Path(path) => &**path == "int",
        Term::Union(members) => members.iter().any(is_open_number),
        Term::Generic { base, arguments } => match &**base {
            Term::Path(path) if path.last() == "Optional" => arguments.iter().any(is_open_number),
            Term::Path(path) if path.last() == "Annotated" => {
                arguments.first().is_some_and(is_open_number) && !arguments.iter().skip(1).any(is_bounded)
            }
            _ => false,
        },
        _ => false,
    }
}

/// Whether a declaration like `Query(50, le=200)` says a maximum, or comes from another function.
fn is_bounded(declared: &Term) -> bool {
    let Term::Call { callee, keywords, .. } = declared else { return false };
    let is_dependency =
        matches!(&**callee, Term::Path(path) if matches!(path.last(), "Depends" | "Security"));
    is_dependency || keywords.iter().any(|(name, _)| matches!(&**name, "le" | "lt"))
}

fn is_size(name: &str) -> bool {
    let lower = name.to_lowercase().replace('-', "_");
    SIZES.iter().any(|size| lower.split('_').any(|part| part == *size))
        || SIZES.iter().any(|size| lower.ends_with(size))
}

/// The name that a step reads from the query of a request: `request.GET.get("limit")`, `request.query_params["limit"]`.
fn from_query(function: &Function, kind: &StepKind) -> Option<Name> {
    let text = |step: StepId| match function.steps[step as usize].kind {
        StepKind::Literal(Literal::Text(text)) => Some(text),
        _ => None,
    };
    let (of, key) = match kind {
        StepKind::Index { of, key } => (*of, *key),
        StepKind::Call { callee, arguments } => match function.steps[*callee as usize].kind {
            StepKind::Attribute { of, name } if &*name == "get" => (of, arguments.first()?.value),
            _ => return None,
        },
        _ => return None,
    };
    let StepKind::Attribute { of, name } = function.steps[of as usize].kind else { return None };
    if !matches!(&*name, "GET" | "query_params" | "args") {
        return None;
    }
    let of_request = match function.steps[of as usize].kind {
        StepKind::Name(name) | StepKind::Attribute { name, .. } => &*name == "request",
        _ => false,
    };
    if of_request { text(key) } else { None }
}

/// The step behind the first colon of a slice.
fn upper_bound(project: &Project, id: FunctionId, key: StepId) -> Option<StepId> {
    let function = project.function(id);
    let StepKind::Compute(parts) = &function.steps[key as usize].kind else { return None };
    let source = &project.file(id.file).source;
    let whole = function.steps[key as usize].span;
    let mut from = whole.start;
    for part in parts {
        let span = function.steps[*part as usize].span;
        let between = crate::source::Span { start: from, end: span.start.max(from) };
        if source.slice(between).contains(':') {
            return Some(*part);
        }
        from = span.end;
    }
    None
}

/// Whether a chain of calls reads rows: looked through the local name that holds it.
fn is_query(function: &Function, step: StepId) -> bool {
    let mut at = step;
    let mut turns = 0;
    loop {
        turns += 1;
        if turns > 64 {
            return false;
        }
        at = match function.steps[at as usize].kind {
            StepKind::Call { callee, .. } => match function.steps[callee as usize].kind {
                StepKind::Attribute { name, .. } if QUERIES.contains(&&*name) => return true,
                StepKind::Attribute { of, .. } => of,
                _ => return false,
            },
            StepKind::Attribute { of, .. } => of,
            StepKind::Name(name) => match function.bindings(name).rev().find(|value| *value < at) {
                Some(value) => value,
                None => return false,
            },
            _ => return false,
        }
    }
}

/// A pagination class of Django REST framework whose size a client chooses.
fn paginator(project: &Project, class: ClassId) -> Option<Unlimited> {
    let above = |name: &str| {
        project
            .hierarchy(class)
            .externals()
            .any(|path| path.starts_with("rest_framework.") && path.last() == name)
    };
    let given = |name: &str| {
        let field = project.class_field(class, Name::new(name))?.1;
        field.value.as_ref().filter(|value| **value != Term::None)
    };
    let body = FunctionId { file: class.file, index: project.class(class).body as u32 };
    let own = |name: &str| project.function(body).bindings(Name::new(name)).next();
    let overrides = |name: &str| project.method(class, Name::new(name)).is_some();
    let (step, name) = if above("PageNumberPagination") || above("CursorPagination") {
        let step = own("page_size_query_param")?;
        let name = given("page_size_query_param")?;
        if given("max_page_size").is_some() || overrides("get_page_size") {
            return None;
        }
        (Some(step), name)
    } else if above("LimitOffsetPagination") {
        let is_direct = project.class(class).bases.iter().any(|base| {
            matches!(base, Term::Path(path)
            if path.last() == "LimitOffsetPagination")
        });
        if !is_direct || given("max_limit").is_some() || overrides("get_limit") {
            return None;
        }
        let name = given("limit_query_param").unwrap_or(&Term::Other);
        (own("default_limit"), name)
    } else {
        return None;
    };
    let name = match name {
        Term::Text(name) => name.to_string(),
        _ => {
            if above("LimitOffsetPagination") {
                "limit".to_owned()
            } else {
                "page_size".to_owned()
            }
        }
    };
    Some(Unlimited { function: body, step, name, by: "paginator", used: None })
}
