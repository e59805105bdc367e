//! project/audit/action: which texts a value of an audit row can be, and which column says what was done.

use crate::facts::{Literal, StepId, StepKind, Term, only_value};
use crate::name::Name;
use crate::project::{Choices, ClassId, DjangoField, FileId, Project, Symbol, written_path};

use super::query::Reader;

/// How many names one value is followed through.
const DEEPEST: usize = 12;

/// The column of an audit model that says what was done, where it is a text with choices or a length.
pub(super) fn action_column(project: &Project, model: ClassId) -> Option<(Name, &DjangoField)> {
    let django = project.django(model)?;
    let names = [
        "action",
        "action_type",
        "action_name",
        "action_code",
        "event",
        "event_type",
        "event_name",
        "activity",
        "activity_type",
        "operation",
        "verb",
        "change_type",
        "type",
        "kind",
    ];
    names.iter().find_map(|name| {
        let name = Name::new(name);
        let field = django.fields.get(&name)?;
        let is_text = matches!(&*field.kind, "CharField" | "TextField" | "SlugField");
        is_text.then_some((name, field))
    })
}

/// Whether a text may stand in a column; where not, whether it is too long for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It is none of the choices.
    NoChoice,
    /// It is longer than the column.
    TooLong(u32),
}

/// What is wrong with a text for a column.
pub(super) fn unfit(field: &DjangoField, text: Name) -> Option<Unfit> {
    if let Choices::Among(known) = &field.choices
        && !known.contains(&text)
    {
        return Some(Unfit::NoChoice);
    }
    let limit = field.max_length?;
    (text.chars().count() > limit as usize).then_some(Unfit::TooLong(limit))
}

impl Reader<'_> {
    /// The texts that an expression can be, each with the place that says so; nothing where it may be something else.
    pub(super) fn texts(&self, step: StepId) -> Option<Vec<(Name, StepId)>> {
        let mut found = Vec::new();
        self.texts_at(step, &mut found, &mut Vec::new(), 0).then_some(found)
    }

    fn texts_at(
        &self,
        step: StepId,
        found: &mut Vec<(Name, StepId)>,
        seen: &mut Vec<Name>,
        depth: usize,
    ) -> bool {
        if depth > DEEPEST {
            return false;
        }
        match self.kind(step) {
            StepKind::Literal(Literal::Text(text)) => {
                found.push((*text, step));
                true
            }
            StepKind::Either(all) => all.iter().all(|&one| self.texts_at(one, found, seen, depth + 1)),
            StepKind::Name(name) if !self.bound(*name).is_empty() => {
                // A loop or a parameter that is bound again hands in what cannot be seen here.
                let is_param = self.function.params.iter().any(|param| param.name == *name);
                // Once is enough for each variable: what it can be does not change from one reading to the next.
                if seen.contains(name) {
                    return true;
                }
                seen.push(*name);
                !is_param
                    && self.bound(*name).iter().all(|&value| self.texts_at(value, found, seen, depth + 1))
            }
            StepKind::Name(_) | StepKind::Attribute { .. } => {
                let Some(text) = self.constant(step) else { return false };
                found.push((text, step));
                true
            }
            _ => false,
        }
    }

    /// The text of a constant of a module or class: `ACTION_LOGIN`, `Actions.LOGIN.value`.
    fn constant(&self, step: StepId) -> Option<Name> {
        let path = written_path(self.function, step)?;
        let path = path.strip_suffix(".value").map_or(path, Name::new);
        if let Some((owner, name)) = path.rsplit_once('.') {
            let own = match owner {
                "cls" | "self" => self.own_class(),
                _ => None,
            };
            let owner = own.map(Symbol::Class).or_else(|| self.project.symbol_in(self.id, Name::new(owner)));
            if let Some(Symbol::Class(class)) = owner {
                let (class, field) = self.project.class_field(class, Name::new(name))?;
                return text_of(self.project, class.file, Some(class), field.value.as_ref()?, 0);
            }
        }
        match self.project.symbol_in(self.id, path)? {
            Symbol::Variable(file, name) => {
                let term = only_value(&self.project.file(file).facts.declared, name)?;
                text_of(self.project, file, None, term, 0)
            }
            _ => None,
        }
    }
}

/// The text of a term: a string, a member of an enumeration with its label, or a name for one of them.
fn text_of(
    project: &Project,
    file: FileId,
    class: Option<ClassId>,
    term: &Term,
    depth: usize,
) -> Option<Name> {
    if depth > DEEPEST {
        return None;
    }
    match term {
        Term::Text(text) => Some(*text),
        Term::List(items) => text_of(project, file, class, items.first()?, depth + 1),
        Term::Path(path) => {
            let path = path.strip_suffix(".value").map_or(*path, Name::new);
            if let Some(class) = class
                && !path.contains('.')
                && let Some(term) = only_value(&project.class(class).fields, path)
            {
                return text_of(project, file, Some(class), term, depth + 1);
            }
            if let Some((owner, name)) = path.rsplit_once('.')
                && let Some(Symbol::Class(owner)) = project.resolve_path(file, Name::new(owner))
            {
                let (owner, field) = project.class_field(owner, Name::new(name))?;
                return text_of(project, owner.file, Some(owner), field.value.as_ref()?, depth + 1);
            }
            match project.resolve_path(file, path)? {
                Symbol::Variable(file, name) => {
                    let term = only_value(&project.file(file).facts.declared, name)?;
                    text_of(project, file, None, term, depth + 1)
                }
                _ => None,
            }
        }
        _ => None,
    }
}
