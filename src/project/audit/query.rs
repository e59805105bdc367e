//! project/audit/query: which model a query set in code is of, and which names it may be asked for.

use std::cell::RefCell;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::{Argument, ArgumentKind, Function, Imported, StepId, StepKind};
use crate::name::Name;
use crate::project::{ClassId, FunctionId, Project, Symbol};

/// How long a chain of calls may be.
const LONGEST: usize = 64;

/// A query set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Query {
    /// The model; nothing while a variable is looked up that is made from itself.
    pub(super) model: Option<ClassId>,
    /// Names that annotations add.
    pub(super) names: FxHashSet<Name>,
    /// Whether a method of the project's own may have added more.
    pub(super) is_open: bool,
}

/// Reads the expressions of one function.
pub(super) struct Reader<'p> {
    pub(super) project: &'p Project,
    pub(super) id: FunctionId,
    pub(super) function: &'p Function,
    /// The names under which the models that are asked for are known anywhere.
    wanted: &'p FxHashSet<Name>,
    binds: FxHashMap<Name, Vec<StepId>>,
    /// What variables were found to be.
    found: RefCell<FxHashMap<Name, Option<Query>>>,
}

/// The names of models, and those under which they are imported.
pub(super) fn names_of(project: &Project, models: &[ClassId]) -> FxHashSet<Name> {
    let mut found: FxHashSet<Name> = models.iter().map(|&model| project.class(model).name).collect();
    for file in project.file_ids() {
        for import in &project.file(file).facts.imports {
            if let Imported::Item(name) = import.item
                && found.contains(&name)
            {
                found.insert(import.binds);
            }
        }
    }
    found
}

impl<'p> Reader<'p> {
    pub(super) fn new(project: &'p Project, id: FunctionId, wanted: &'p FxHashSet<Name>) -> Reader<'p> {
        let function = project.function(id);
        let mut binds: FxHashMap<Name, Vec<StepId>> = FxHashMap::default();
        for step in &function.steps {
            if let StepKind::Bind { name, value, .. } = step.kind {
                binds.entry(name).or_default().push(value);
            }
        }
        Reader { project, id, function, wanted, binds, found: RefCell::default() }
    }

    pub(super) fn kind(&self, step: StepId) -> &'p StepKind {
        &self.function.steps[step as usize].kind
    }

    /// The values that the code of the function binds a name to.
    pub(super) fn bound(&self, name: Name) -> &[StepId] {
        self.binds.get(&name).map_or(&[], Vec::as_slice)
    }

    /// The class that an expression stands for, the own class of a method included.
    pub(super) fn class(&self, step: StepId) -> Option<ClassId> {
        match self.kind(step) {
            StepKind::Name(name) if &**name == "cls" && self.bound(*name).is_empty() => self.own_class(),
            StepKind::Attribute { of, name } if &**name == "__class__" && self.is_self(*of) => {
                self.own_class()
            }
            StepKind::Attribute { of, name } if &**name == "model" && self.is_self(*of) => {
                match self.project.models_managed_by(self.own_class()?) {
                    [only] => Some(*only),
                    _ => None,
                }
            }
            StepKind::Call { callee, arguments } => match (self.kind(*callee), &arguments[..]) {
                (StepKind::Name(name), [one]) if &**name == "type" && self.is_self(one.value) => {
                    self.own_class()
                }
                _ => None,
            },
            StepKind::Name(name) | StepKind::Attribute { name, .. } if self.wanted.contains(name) => {
                match self.project.symbol_of(self.id, step)? {
                    Symbol::Class(class) => Some(class),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The class that an expression stands for, whatever its name.
    pub(super) fn any_class(&self, step: StepId) -> Option<ClassId> {
        self.class(step).or_else(|| match self.project.symbol_of(self.id, step)? {
            Symbol::Class(class) => Some(class),
            _ => None,
        })
    }

    /// The query set that an expression stands for.
    pub(super) fn query(&self, step: StepId) -> Option<Query> {
        self.query_at(step, &mut Vec::new(), 0).filter(|query| query.model.is_some())
    }

    /// The class whose method this function is, or the function around it.
    pub(super) fn own_class(&self) -> Option<ClassId> {
        let mut at = Some(self.id);
        while let Some(id) = at {
            if let Some(class) = self.project.class_of(id) {
                return Some(class);
            }
            let parent = self.project.function(id).parent;
            at = parent.map(|index| FunctionId { file: id.file, index: index as u32 });
        }
        None
    }

    pub(super) fn is_self(&self, step: StepId) -> bool {
        matches!(self.kind(step), StepKind::Name(name) if &**name == "self" && self.bound(*name).is_empty())
    }

    fn query_at(&self, step: StepId, waiting: &mut Vec<Name>, depth: usize) -> Option<Query> {
        if depth > LONGEST {
            return None;
        }
        match self.kind(step) {
            StepKind::Attribute { of, name } => {
                let model = self.class(*of)?;
                let django = self.project.django(model)?;
                let is_manager = django.managers.contains_key(name)
                    || matches!(&**name, "objects" | "_default_manager" | "_base_manager");
                is_manager.then(|| Query { model: Some(model), ..Query::default() })
            }
            StepKind::Call { callee, arguments } => {
                let StepKind::Attribute { of, name } = self.kind(*callee) else { return None };
                let mut query = match self.kind(*of) {
                    // `super().get_queryset()` in a manager.
                    StepKind::Call { callee, .. } if matches!(self.kind(*callee), StepKind::Name(name) if &**name == "super") => {
                        self.managed()?
                    }
                    _ => self.query_at(*of, waiting, depth + 1)?,
                };
                match &**name {
                    "annotate" | "alias" | "extra" | "values" | "values_list" => {
                        query.names.extend(keywords(arguments).map(|(name, _)| name));
                        query.is_open |= &**name == "extra" || spreads(arguments);
                    }
                    name if keeps(name) => {}
                    _ => {
                        self.manager_method(query.model?, *name)?;
                        query.is_open = true;
                    }
                }
                Some(query)
            }
            StepKind::Index { of, .. } => self.query_at(*of, waiting, depth + 1),
            StepKind::Name(name) if &**name == "self" => self.managed(),
            StepKind::Name(name) => {
                if waiting.contains(name) {
                    return Some(Query::default());
                }
                if let Some(known) = self.found.borrow().get(name) {
                    return known.clone();
                }
                waiting.push(*name);
                let one_more = |known: Option<Query>, &value: &StepId| {
                    let one = self.query_at(value, waiting, depth + 1)?;
                    match known {
                        Some(known) => joined(known, one).map(Some),
                        None => Some(Some(one)),
                    }
                };
                let found = self.bound(*name).iter().try_fold(None, one_more).flatten();
                waiting.pop();
                // Each variable is looked into once, or code that hands many of them on would be gone over for ever.
                self.found.borrow_mut().insert(*name, found.clone());
                found
            }
            _ => None,
        }
    }

    /// The query set that `self` is in a manager or query set class of one model.
    fn managed(&self) -> Option<Query> {
        match self.project.models_managed_by(self.own_class()?) {
            [only] => Some(Query { model: Some(*only), ..Query::default() }),
            _ => None,
        }
    }

    /// The method that the managers of a model define under a name.
    pub(super) fn manager_method(&self, model: ClassId, name: Name) -> Option<FunctionId> {
        let django = self.project.django(model)?;
        let classes = django.managers.values().flat_map(|manager| &manager.classes);
        // Managers of one model seldom define one name twice; the smallest id makes the choice a fixed one.
        classes.filter_map(|&class| self.project.method(class, name)).min()
    }
}

/// The keywords of a call with their values.
pub(super) fn keywords(arguments: &[Argument]) -> impl Iterator<Item = (Name, StepId)> + '_ {
    arguments.iter().filter_map(|argument| match argument.kind {
        ArgumentKind::Keyword(name) => Some((name, argument.value)),
        _ => None,
    })
}

/// Whether a call is handed keywords that are not written there.
pub(super) fn spreads(arguments: &[Argument]) -> bool {
    arguments.iter().any(|argument| argument.kind == ArgumentKind::SpreadKeywords)
}

fn joined(mut one: Query, other: Query) -> Option<Query> {
    one.model = match (one.model, other.model) {
        (Some(model), Some(another)) if model != another => return None,
        (model, another) => model.or(another),
    };
    one.names.extend(other.names);
    one.is_open |= other.is_open;
    Some(one)
}

/// Methods of a query set that answer another one over the same model.
fn keeps(method: &str) -> bool {
    matches!(
        method,
        "all"
            | "filter"
            | "exclude"
            | "complex_filter"
            | "order_by"
            | "reverse"
            | "distinct"
            | "select_related"
            | "prefetch_related"
            | "select_for_update"
            | "using"
            | "only"
            | "defer"
            | "none"
            | "union"
            | "difference"
            | "intersection"
            | "get_queryset"
    )
}
