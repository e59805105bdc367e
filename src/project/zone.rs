//! project/zone: whether a column keeps the time zone of what is stored in it.

use crate::facts::{Field, Term};
use crate::name::Name;

use super::{ClassId, FileId, Project, Symbol};

/// What a column keeps of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// The time alone.
    Naive,
    /// The time and its zone.
    Aware,
    /// Its type is not known, or it is no time.
    Unknown,
}

impl Project {
    /// What a column of a class keeps, be it mapped itself or a mixin.
    pub fn keeps(&self, class: ClassId, name: Name) -> Keeps {
        let Some((owner, field)) = self.class_field(class, name) else { return Keeps::Unknown };
        self.field_keeps(class, owner.file, field)
    }

    fn field_keeps(&self, class: ClassId, file: FileId, field: &Field) -> Keeps {
        let Some(Term::Call { callee, arguments, keywords }) = &field.value else {
            return self.annotation_keeps(class, file, field);
        };
        let Term::Path(callee) = &**callee else { return Keeps::Unknown };
        match callee.last() {
            "Column" | "mapped_column" => match self.column_type(file, arguments, keywords) {
                Some(keeps) => keeps,
                None => self.annotation_keeps(class, file, field),
            },
            "Field" => {
                let given =
                    |wanted: &str| keywords.iter().find(|(name, _)| &**name == wanted).map(|(_, term)| term);
                match (given("sa_column"), given("sa_type")) {
                    (Some(Term::Call { arguments, keywords, .. }), _) => {
                        self.column_type(file, arguments, keywords).unwrap_or(Keeps::Unknown)
                    }
                    (Some(_), _) => Keeps::Unknown,
                    (None, Some(term)) => self.type_keeps(file, term),
                    (None, None) => self.annotation_keeps(class, file, field),
                }
            }
            _ => Keeps::Unknown,
        }
    }

    /// What the type among a column's arguments keeps; nothing where there is no type.
    fn column_type(&self, file: FileId, arguments: &[Term], keywords: &[(Name, Term)]) -> Option<Keeps> {
        let named = keywords.iter().find(|(name, _)| &**name == "type_").map(|(_, term)| term);
        // The column's own name may stand before its type.
        let placed = arguments.iter().find(|term| !matches!(term, Term::Text(_)));
        let placed = placed.filter(|term| !self.is_constraint(term));
        named.or(placed).map(|term| self.type_keeps(file, term))
    }

    fn is_constraint(&self, term: &Term) -> bool {
        let Term::Call { callee, .. } = term else { return false };
        matches!(&**callee, Term::Path(path)
            if matches!(path.last(), "ForeignKey" | "Computed" | "Identity" | "Sequence" | "FetchedValue"))
    }

    fn type_keeps(&self, file: FileId, term: &Term) -> Keeps {
        let (path, zone) = match term {
            Term::Path(path) => (path, None),
            Term::Call { callee, arguments, keywords } => {
                let Term::Path(path) = &**callee else { return Keeps::Unknown };
                let named = keywords.iter().find(|(name, _)| &**name == "timezone").map(|(_, term)| term);
                (path, named.or(arguments.first()))
            }
            _ => return Keeps::Unknown,
        };
        if !matches!(path.last(), "DateTime" | "DATETIME" | "TIMESTAMP")
            || !self.is_of_sqlalchemy(file, *path)
        {
            return Keeps::Unknown;
        }
        match zone {
            None | Some(Term::Switch(false)) => Keeps::Naive,
            Some(Term::Switch(true)) => Keeps::Aware,
            Some(_) => Keeps::Unknown,
        }
    }

    fn is_of_sqlalchemy(&self, file: FileId, path: Name) -> bool {
        let is_library = |path: &str| {
            ["sqlalchemy", "sqlmodel", "flask_sqlalchemy"].contains(&path.split('.').next().unwrap_or(path))
        };
        match self.resolve_path(file, path) {
            Some(Symbol::External(path)) => is_library(&path),
            Some(_) => false,
            // `db.DateTime`, where `db` is Flask-SQLAlchemy's extension object.
            None => path.rsplit_once('.').is_some_and(|(object, _)| {
                match self.resolve_path(file, Name::new(object)) {
                    Some(Symbol::Variable(file, name)) => {
                        matches!(self.declared_call(file, name), Some(Symbol::External(path)) if is_library(&path))
                    }
                    _ => false,
                }
            }),
        }
    }

    /// What a column keeps that has no type but its annotation.
    fn annotation_keeps(&self, class: ClassId, file: FileId, field: &Field) -> Keeps {
        let line = self.hierarchy(class);
        let is_sql_model = line.externals().any(|path| path.last() == "SQLModel");
        let inner = match &field.annotation {
            Some(Term::Generic { base, arguments }) if matches!(&**base, Term::Path(path) if path.last() == "Mapped") => {
                arguments.first()
            }
            Some(term) if is_sql_model => Some(term),
            _ => None,
        };
        let mapped = self.model(class).filter(|model| !model.is_open);
        let (Some(inner), Some(_)) = (inner, mapped) else { return Keeps::Unknown };
        // A base class may say what `datetime` is mapped to.
        let is_told = line.classes().any(|class| {
            let told = |name: &str| matches!(name, "type_annotation_map" | "registry");
            self.class(class).fields.iter().any(|field| told(&field.name))
        });
        if !is_told && self.is_datetime(file, inner) { Keeps::Naive } else { Keeps::Unknown }
    }

    fn is_datetime(&self, file: FileId, term: &Term) -> bool {
        match term {
            Term::Path(path) => matches!(self.resolve_path(file, *path),
                Some(Symbol::External(path)) if path.as_str() == "datetime.datetime"),
            Term::Generic { base, arguments } => {
                matches!(&**base, Term::Path(path) if path.last() == "Optional")
                    && arguments.first().is_some_and(|inner| self.is_datetime(file, inner))
            }
            Term::Union(members) => {
                let mut kinds = members.iter().filter(|member| **member != Term::None);
                kinds.next().is_some_and(|first| self.is_datetime(file, first)) && kinds.next().is_none()
            }
            _ => false,
        }
    }
}
