//! project/django/choices: which values the `choices` of a field allow.

use std::collections::BTreeSet;

use crate::facts::{StepKind, Term, only_value};
use crate::name::Name;

use super::super::{ClassId, FileId, Project, Symbol};

/// How many names one value is followed through.
const DEEPEST: usize = 12;

/// Which values a field is meant to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choices {
    /// Any.
    Free,
    /// These texts.
    Among(BTreeSet<Name>),
    /// Some, but which could not be told.
    Unknown,
}

/// The values that the `choices=` of a field in a class allow.
pub(super) fn of(project: &Project, owner: ClassId, term: &Term) -> Choices {
    let scope = Scope { project, file: owner.file, class: Some(owner) };
    scope.values(term, 0).map_or(Choices::Unknown, Choices::Among)
}

/// Where a term stands: names of the class body come before those of the module.
#[derive(Clone, Copy)]
struct Scope<'p> {
    project: &'p Project,
    file: FileId,
    class: Option<ClassId>,
}

/// What a name in a term stands for.
enum Meaning<'p> {
    Term(Scope<'p>, &'p Term),
    Members(ClassId),
}

impl<'p> Scope<'p> {
    /// The values of `[("a", "A"), …]`, `Status.choices`, `Status` and sums of those.
    fn values(self, term: &Term, depth: usize) -> Option<BTreeSet<Name>> {
        if depth > DEEPEST {
            return None;
        }
        match term {
            Term::List(items) => {
                let mut found = BTreeSet::new();
                for item in items {
                    let Term::List(pair) = item else { return None };
                    let [value, label] = pair.as_slice() else { return None };
                    match label {
                        // `("Group", [("a", "A")])`
                        Term::List(_) => found.extend(self.values(label, depth + 1)?),
                        _ => drop(found.insert(self.text(value, depth + 1)?)),
                    }
                }
                Some(found)
            }
            Term::Sum(parts) => {
                let all: Option<Vec<BTreeSet<Name>>> =
                    parts.iter().map(|part| self.values(part, depth + 1)).collect();
                Some(all?.into_iter().flatten().collect())
            }
            Term::Call { callee, arguments, keywords } => {
                let is_copy = matches!(&**callee, Term::Path(path)
                    if matches!(path.as_str(), "list" | "tuple" | "sorted"));
                match arguments.as_slice() {
                    [one] if is_copy && keywords.is_empty() => self.values(one, depth + 1),
                    _ => None,
                }
            }
            Term::Path(path) => {
                let members = path.strip_suffix(".choices").map_or(*path, Name::new);
                match self.meaning(members)? {
                    Meaning::Members(class) => self.members(class, depth + 1),
                    Meaning::Term(scope, term) if members == *path => scope.values(term, depth + 1),
                    Meaning::Term(..) => None,
                }
            }
            _ => None,
        }
    }

    /// The text that a value is.
    fn text(self, term: &Term, depth: usize) -> Option<Name> {
        if depth > DEEPEST {
            return None;
        }
        match term {
            Term::Text(text) => Some(*text),
            Term::Path(path) => {
                let path = path.strip_suffix(".value").map_or(*path, Name::new);
                match self.meaning(path)? {
                    Meaning::Term(scope, term) => match term {
                        // A member of an enumeration: its value, and perhaps its label.
                        Term::List(items) => scope.text(items.first()?, depth + 1),
                        term => scope.text(term, depth + 1),
                    },
                    Meaning::Members(_) => None,
                }
            }
            _ => None,
        }
    }

    /// The values of an enumeration of texts.
    fn members(self, class: ClassId, depth: usize) -> Option<BTreeSet<Name>> {
        let project = self.project;
        let is_text = |path: Name| matches!(path.last(), "TextChoices" | "StrEnum" | "str");
        if !project.hierarchy(class).externals().any(is_text) {
            return None;
        }
        let mut found = BTreeSet::new();
        for owner in project.hierarchy(class).classes() {
            let scope = Scope { project, file: owner.file, class: Some(owner) };
            for field in project.class(owner).fields.iter().filter(|field| !field.name.starts_with('_')) {
                let value = match field.value.as_ref()? {
                    Term::List(items) => items.first()?,
                    value => value,
                };
                found.insert(scope.text(value, depth + 1)?);
            }
        }
        Some(found)
    }

    fn meaning(self, path: Name) -> Option<Meaning<'p>> {
        if let Some(class) = self.class {
            let (first, rest) =
                path.split_once('.').map_or((path.as_str(), ""), |(first, rest)| (first, rest));
            if rest.is_empty()
                && let Some(term) = only_value(&self.project.class(class).fields, path)
            {
                return Some(Meaning::Term(self, term));
            }
            if let Some(nested) = self.project.nested_class(class, first) {
                return self.member(nested, rest);
            }
        }
        if let Some((owner, name)) = path.rsplit_once('.')
            && let Some(Symbol::Class(class)) = self.project.resolve_path(self.file, Name::new(owner))
        {
            return self.member(class, name);
        }
        match self.project.resolve_path(self.file, path)? {
            Symbol::Class(class) => Some(Meaning::Members(class)),
            Symbol::Variable(file, name) => {
                if grows(self.project, file, name) {
                    return None;
                }
                let term = only_value(&self.project.file(file).facts.declared, name)?;
                Some(Meaning::Term(Scope { project: self.project, file, class: None }, term))
            }
            _ => {
                // `Model.Status.OPEN`
                None
            }
        }
    }

    fn member(self, class: ClassId, path: &str) -> Option<Meaning<'p>> {
        let project = self.project;
        let Some((first, rest)) = path.split_once('.').or(Some((path, ""))).filter(|_| !path.is_empty())
        else {
            return Some(Meaning::Members(class));
        };
        if let Some(nested) = project.nested_class(class, first) {
            return self.member(nested, rest);
        }
        if !rest.is_empty() {
            return None;
        }
        let (owner, field) = project.class_field(class, Name::new(first))?;
        let scope = Scope { project, file: owner.file, class: Some(owner) };
        Some(Meaning::Term(scope, field.value.as_ref()?))
    }
}

/// Whether the code of a module binds a name again, or changes what it holds.
fn grows(project: &Project, file: FileId, name: Name) -> bool {
    let module = &project.file(file).facts.functions[0];
    let is_name =
        |step: u32| matches!(module.steps[step as usize].kind, StepKind::Name(read) if read == name);
    let changes = |step: &crate::facts::Step| match step.kind {
        StepKind::Attribute { of, name } => {
            matches!(&*name, "append" | "extend" | "insert" | "remove" | "pop" | "clear") && is_name(of)
        }
        StepKind::StoreIndex { of, .. } => is_name(of),
        _ => false,
    };
    module.bindings(name).count() > 1 || module.steps.iter().any(changes)
}
