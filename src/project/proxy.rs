//! project/proxy: association proxies: what is put into one makes a row of the model behind a relationship.

use rustc_hash::FxHashMap;

use crate::facts::{Argument, ArgumentKind, Field, StepKind, Term};
use crate::name::Name;

use super::{ClassId, FunctionId, Model, Project, Symbol};

/// `tags = association_proxy("order_tags", "tag", creator=…)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// The relationship whose rows are made.
    pub through: Name,
    /// What makes them.
    pub maker: Maker,
}

/// What makes the row behind a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maker {
    /// Its class, which is handed the value alone.
    Class,
    /// A function.
    Function(FunctionId),
    /// Something that is not followed.
    Unknown,
}

/// Tells every model its association proxies.
pub(super) fn relate(project: &Project, models: &mut FxHashMap<ClassId, Model>) {
    for (&class, model) in models {
        for ancestor in project.hierarchy(class).classes() {
            for field in &project.class(ancestor).fields {
                if let Some(proxy) = proxy(project, ancestor, field) {
                    model.proxies.entry(field.name).or_insert(proxy);
                }
            }
        }
    }
}

fn proxy(project: &Project, class: ClassId, field: &Field) -> Option<Proxy> {
    let Some(Term::Call { callee, arguments, keywords }) = &field.value else { return None };
    let is_proxy = matches!(&**callee, Term::Path(path) if path.last() == "association_proxy");
    let (true, Some(Term::Text(through))) = (is_proxy, arguments.first()) else { return None };
    let creator = keywords.iter().find(|(name, _)| &**name == "creator").map(|(_, value)| value);
    let maker = match creator {
        None => Maker::Class,
        Some(Term::Path(path)) => match project.resolve_path(class.file, *path) {
            Some(Symbol::Class(_)) => Maker::Class,
            Some(Symbol::Function(function)) => Maker::Function(function),
            _ => Maker::Unknown,
        },
        Some(_) => lambda(project, class, field.name).map_or(Maker::Unknown, Maker::Function),
    };
    Some(Proxy { through: *through, maker })
}

/// The anonymous function that the class body hands over as `creator=`.
fn lambda(project: &Project, class: ClassId, name: Name) -> Option<FunctionId> {
    let body = &project.file(class.file).facts.functions[project.class(class).body];
    let bound = body.bindings(name).next()?;
    let StepKind::Call { arguments, .. } = &body.steps[bound as usize].kind else { return None };
    let is_creator =
        |argument: &&Argument| matches!(argument.kind, ArgumentKind::Keyword(name) if &*name == "creator");
    let creator = arguments.iter().find(is_creator)?;
    match body.steps[creator.value as usize].kind {
        StepKind::Function(index) => Some(FunctionId { file: class.file, index: index as u32 }),
        _ => None,
    }
}
