//! flow/name_use: names that are read where nothing binds them: in `except` clauses, as clocks, as the audit context.

use crate::facts::{HandlerId, StepId, StepKind};
use crate::name::Name;
use crate::project::{FunctionId, Lookup, Project, Symbol};
use crate::remedy::Binding;

/// A name that will fail when the code runs.
#[derive(Clone, Debug)]
pub(super) struct NameUse {
    pub(super) function: FunctionId,
    pub(super) step: StepId,
    pub(super) name: Name,
    /// The attribute read from it.
    pub(super) attribute: Option<Name>,
    /// The word for what is wrong with it.
    pub(super) state: &'static str,
    /// The word for what it is used for.
    pub(super) used_as: &'static str,
    /// The handler whose clause reads it.
    pub(super) handler: Option<HandlerId>,
}

impl NameUse {
    /// The import that would bind a clock.
    pub(super) fn import(&self) -> Binding {
        let name = self.name.to_string();
        match self.attribute {
            _ if CLOCKS.contains(&&*self.name) => Binding::item("datetime", name),
            _ if &*self.name == "func" => Binding::item("sqlalchemy", name),
            Some(class) if CLOCKS.contains(&&*class) => {
                Binding { module: "datetime".to_owned(), item: None, name }
            }
            _ => Binding { module: "datetime".to_owned(), item: Some("datetime".to_owned()), name },
        }
    }
}

/// Classes of the standard library that read or make times.
const CLOCKS: &[&str] = &["datetime", "date", "time", "timezone", "timedelta"];

/// Attributes that only the class has, not the module of the same name.
const CLASS_ONLY: &[&str] =
    &["now", "utcnow", "today", "fromtimestamp", "utcfromtimestamp", "combine", "fromisoformat", "strptime"];

/// Attributes that only a clock has, whatever name it goes by.
const READS_CLOCK: &[&str] = &["now", "utcnow"];

/// All such names of a function.
pub(super) fn name_uses(project: &Project, id: FunctionId, context: &str) -> Vec<NameUse> {
    let function = project.function(id);
    let mut found = Vec::new();
    let mut caught = vec![false; function.steps.len()];
    for (number, handler) in (0..).zip(&function.handlers) {
        for &step in &handler.catches {
            let root = root(function, step);
            caught[root as usize] = true;
            if let StepKind::Name(name) = function.steps[root as usize].kind
                && project.lookup(id, name) == Lookup::Nowhere
            {
                let (state, used_as) = ("unresolved", "exception");
                let handler = Some(number);
                found.push(NameUse {
                    function: id,
                    step: root,
                    name,
                    attribute: None,
                    state,
                    used_as,
                    handler,
                });
            }
        }
    }
    for (index, step) in function.steps.iter().enumerate() {
        let StepKind::Name(name) = step.kind else { continue };
        let step = index as StepId;
        if caught[index] {
            continue;
        }
        if &*name == context && project.lookup(id, name) == Lookup::Nowhere {
            let (state, used_as) = ("unresolved", "audit-context");
            let handler = None;
            found.push(NameUse { function: id, step, name, attribute: None, state, used_as, handler });
        } else if CLOCKS.contains(&&*name) {
            let attribute = read_from(function, step);
            let state = match project.lookup(id, name) {
                Lookup::Nowhere => "unresolved",
                Lookup::Global(Symbol::External(path))
                    if *path == *name && attribute.is_some_and(|a| CLASS_ONLY.contains(&&*a)) =>
                {
                    "module"
                }
                Lookup::Local => match local_import(project, id, name) {
                    Some(Symbol::External(path))
                        if *path == *name && attribute.is_some_and(|a| CLASS_ONLY.contains(&&*a)) =>
                    {
                        "module"
                    }
                    _ => continue,
                },
                _ => continue,
            };
            let (used_as, handler) = ("clock", None);
            found.push(NameUse { function: id, step, name, attribute, state, used_as, handler });
        }
    }
    found.extend(renamed_clocks(project, id));
    // Copies of a `finally` hold the same name twice.
    found.sort_by_key(|found| function.steps[found.step as usize].span);
    found.dedup_by_key(|found| function.steps[found.step as usize].span);
    found
}

/// Clocks that go by a name of their own, bound nowhere: `dt.now()`, `dt.datetime.now()`.
fn renamed_clocks(project: &Project, id: FunctionId) -> Vec<NameUse> {
    let function = project.function(id);
    let mut found = Vec::new();
    for step in &function.steps {
        let StepKind::Attribute { of, name: read } = step.kind else { continue };
        let (root, attribute) = match function.steps[of as usize].kind {
            StepKind::Attribute { of: module, name: class }
                if CLOCKS.contains(&&*class) && CLASS_ONLY.contains(&&*read) =>
            {
                (module, class)
            }
            _ if READS_CLOCK.contains(&&*read) => (of, read),
            _ => continue,
        };
        if let StepKind::Name(name) = function.steps[root as usize].kind
            && !CLOCKS.contains(&&*name)
            && project.lookup(id, name) == Lookup::Nowhere
        {
            let (state, used_as) = ("unresolved", "clock");
            found.push(NameUse {
                handler: None,
                function: id,
                step: root,
                name,
                attribute: Some(attribute),
                state,
                used_as,
            });
        }
    }
    found
}

fn root(function: &crate::facts::Function, mut step: StepId) -> StepId {
    while let StepKind::Attribute { of, .. } = function.steps[step as usize].kind {
        step = of;
    }
    step
}

fn read_from(function: &crate::facts::Function, step: StepId) -> Option<Name> {
    function.steps[step as usize..].iter().find_map(|later| match later.kind {
        StepKind::Attribute { of, name } if of == step => Some(name),
        _ => None,
    })
}

/// What a function's own import binds a name to, when every binding of it there is that import.
pub(super) fn local_import(project: &Project, id: FunctionId, name: Name) -> Option<Symbol> {
    let function = project.function(id);
    let mut symbol = None;
    for step in &function.steps {
        let StepKind::Bind { name: bound, value, .. } = step.kind else { continue };
        if bound != name {
            continue;
        }
        let StepKind::Import(index) = function.steps[value as usize].kind else { return None };
        symbol = project.imported(id.file, index);
    }
    symbol
}
