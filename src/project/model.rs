//! project/model: classes that are mapped to tables, their columns, and what fills a column nobody sets.

use std::sync::OnceLock;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::duty::Duty;
use crate::facts::{Field, Term};
use crate::name::Name;

use super::django::{self, Django};
use super::proxy::{self, Proxy};
use super::relation::{self, Relation};
use super::{Ancestor, ClassId, FunctionId, Project, bare, built, entity, table};

/// A class that is mapped to a table.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// Its columns by attribute name, inherited ones included.
    pub columns: FxHashMap<Name, Column>,
    /// Every other name the class or an ancestor defines: relationships, properties, methods, annotations.
    pub other_names: FxHashSet<Name>,
    /// Where its relationships lead to, as far as that is known.
    pub relations: FxHashMap<Name, Relation>,
    /// Its association proxies.
    pub proxies: FxHashMap<Name, Proxy>,
    /// Whether an ancestor could not be resolved, so that more columns may exist than are known.
    pub is_open: bool,
    /// The table it is mapped to, in lower case, where that can be told.
    pub table: Option<Name>,
    /// Which library maps it.
    pub mapping: Mapping,
    /// What Django knows of it, where it is Django's.
    pub django: Option<Box<Django>>,
    /// What plays which role, once somebody has asked.
    pub(super) played: Played,
}

/// What plays each role for a model, by duty.
#[derive(Clone, Debug, Default)]
pub(super) struct Played {
    fields: OnceLock<[Vec<Name>; 6]>,
    setters: OnceLock<[Option<Name>; 6]>,
}

/// Which library maps a class to its table, and so by which way its rows are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mapping {
    /// SQLAlchemy's unit of work, or a table by itself.
    #[default]
    UnitOfWork,
    /// Django: a row is saved by a call.
    Django,
    /// SeaORM: a row is written by a call, or by a statement that no hook hears of.
    SeaOrm,
    /// Diesel: statements only.
    Diesel,
    /// A table that nothing but SQL declares.
    Sql,
}

impl Mapping {
    /// Whether the database's own schema is what declares the table, so that what it fills is filled as declared.
    pub fn is_declared_by_schema(self) -> bool {
        matches!(self, Mapping::SeaOrm | Mapping::Diesel | Mapping::Sql)
    }
}

/// What fills a column that the code does not set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Column {
    /// A client-side default (`default=`, `insert_default=`, SQLModel's `default_factory=`).
    pub default: bool,
    /// `default_factory=` of a class mapped as a dataclass: the constructor fills it, and nothing else does.
    pub factory: bool,
    /// A default of the database (`server_default=`).
    pub server_default: bool,
    /// A client-side value for updates (`onupdate=`).
    pub on_update: bool,
    /// What the table calls it, where that is another name than the attribute's.
    pub named: Option<Name>,
    /// Whether that value is an SQL expression, which a flush does not bring back.
    pub on_update_by_sql: bool,
}

impl Model {
    /// The columns that play a role, in the order the configuration prefers them.
    pub fn fields_of(&self, project: &Project, duty: Duty) -> Vec<Name> {
        self.all_fields(project)[duty.index()].clone()
    }

    fn all_fields(&self, project: &Project) -> &[Vec<Name>; 6] {
        self.played.fields.get_or_init(|| Duty::ALL.map(|duty| self.ranked_fields(project, duty)))
    }

    fn ranked_fields(&self, project: &Project, duty: Duty) -> Vec<Name> {
        let plays = |name: &&Name| project.roles.of_field(name) == Some(duty);
        let mut names: Vec<Name> = self.columns.keys().filter(plays).copied().collect();
        let preferred = project.roles.fields.names(duty);
        let rank = |name: &Name| preferred.iter().position(|known| **known == **name).unwrap_or(usize::MAX);
        names.sort_by_key(|name| (rank(name), *name));
        names
    }

    /// What the table calls a column.
    pub fn column_name(&self, attribute: Name) -> Name {
        self.columns.get(&attribute).and_then(|column| column.named).unwrap_or(attribute)
    }

    /// The attribute that a column of the table is mapped to.
    pub fn attribute_of(&self, column: Name) -> Name {
        let is_named = |(_, known): &(&Name, &Column)| known.named == Some(column);
        self.columns.iter().find(is_named).map_or(column, |(attribute, _)| *attribute)
    }

    /// Whether the class defines a name in any way.
    pub fn defines(&self, name: Name) -> bool {
        self.columns.contains_key(&name) || self.other_names.contains(&name)
    }
}

impl Project {
    /// The setter a class has for a duty.
    pub fn setter(&self, class: ClassId, duty: Duty) -> Option<Name> {
        match self.models.get(&class) {
            Some(model) => {
                let all = || Duty::ALL.map(|duty| self.nearest_setter(class, duty));
                model.played.setters.get_or_init(all)[duty.index()]
            }
            None => self.nearest_setter(class, duty),
        }
    }

    fn nearest_setter(&self, class: ClassId, duty: Duty) -> Option<Name> {
        self.hierarchy(class).classes().find_map(|class| {
            let is_it = |name: &Name| self.roles.of_setter(name) == Some(duty);
            let mut blocks = std::iter::once(class).chain(self.added_to(class));
            blocks.find_map(|block| self.class(block).methods.iter().map(|(name, _)| *name).find(is_it))
        })
    }

    /// Whether a write of this class owes a duty: a column plays the role, or a setter stands for the actor.
    pub fn owes(&self, class: ClassId, duty: Duty) -> bool {
        if self.model(class).is_none() {
            return false;
        }
        // What one language knows of a table binds the others, too.
        let mut all = std::iter::once(class).chain(self.twins(class));
        let has_column = all.any(|class| {
            self.model(class).is_some_and(|model| !model.all_fields(self)[duty.index()].is_empty())
        });
        has_column || (duty.is_actor() && self.setter(class, duty).is_some())
    }
}

/// All mapped classes of a project.
pub(super) fn models(project: &Project) -> FxHashMap<ClassId, Model> {
    let of_class = |class: ClassId| {
        let model = if django::is_mapped(project, class) {
            Model { mapping: Mapping::Django, ..django::model(project, class) }
        } else if let Some(mapping) = entity::mapping(project.class(class)) {
            entity::model(project, class, mapping)
        } else if is_mapped(project, class) {
            let mapping = match bare::stands(project.class(class)) {
                bare::Stands::Sql => Mapping::Sql,
                _ => Mapping::UnitOfWork,
            };
            Model { mapping, ..model(project, class) }
        } else {
            return None;
        };
        Some((class, model))
    };
    let mut found: FxHashMap<ClassId, Model> =
        project.class_ids().into_par_iter().filter_map(of_class).collect();
    relation::relate(project, &mut found);
    proxy::relate(project, &mut found);
    django::relate(project, &mut found);
    found
}

/// Bases of declarative models, by the last part of their path.
const DECLARATIVE: &[&str] =
    &["DeclarativeBase", "DeclarativeBaseNoMeta", "declarative_base", "automap_base", "as_declarative"];

/// External ancestors that add no columns.
const WITHOUT_COLUMNS: &[&str] = &[
    "ABC",
    "AsyncAttrs",
    "DeclarativeBase",
    "DeclarativeBaseNoMeta",
    "Generic",
    "MappedAsDataclass",
    "Model",
    "Protocol",
    "SQLModel",
    "SerializerMixin",
    "UserMixin",
    "declarative_base",
    "object",
];

fn is_mapped(project: &Project, class: ClassId) -> bool {
    let own = project.class(class);
    let named = |name: &str| own.fields.iter().find(|field| &*field.name == name);
    if named("__abstract__").is_some_and(|field| field.value == Some(Term::Switch(true))) {
        return false;
    }
    let line = project.hierarchy(class);
    let is_sql_model = line.externals().any(|path| path.last() == "SQLModel");
    if is_sql_model {
        let table = |class: ClassId| {
            project
                .class(class)
                .keywords
                .iter()
                .any(|(name, on)| &**name == "table" && *on == Term::Switch(true))
        };
        return line.classes().any(table);
    }
    let has_columns = || line.classes().any(|class| declares_columns(project, class));
    // Flask-SQLAlchemy names the table by itself; a base class of the project's own may do so, too.
    if line.externals().any(|path| path.ends_with("db.Model")) {
        return has_columns();
    }
    let names_table = line.classes().any(|class| {
        let class = project.class(class);
        class.fields.iter().any(|field| matches!(&*field.name, "__tablename__" | "__table__"))
            || class.methods.iter().any(|(name, _)| &**name == "__tablename__")
    });
    let is_declarative = line.externals().any(|path| DECLARATIVE.contains(&path.last()));
    names_table && (is_declarative || has_columns())
}

fn declares_columns(project: &Project, class: ClassId) -> bool {
    let is_table =
        |field: &Field| &*field.name == "__table__" && !columns_of_table(project, class, field).is_empty();
    let fields = &project.class(class).fields;
    fields.iter().any(|field| column(field, Declares::Explicitly).is_some() || is_table(field))
}

fn model(project: &Project, class: ClassId) -> Model {
    let (mapped, line) = (class, project.hierarchy(class));
    let mut model = Model { table: table::name(project, class), ..Model::default() };
    let is_dataclass = is_dataclass(project, class);
    let declares = if line.externals().any(|path| path.last() == "SQLModel") {
        Declares::ByAnnotation
    } else {
        Declares::Explicitly
    };
    for ancestor in &line.line {
        let class = match ancestor {
            Ancestor::Project(class) => *class,
            Ancestor::External(path) => {
                model.is_open |= !WITHOUT_COLUMNS.contains(&path.last());
                continue;
            }
        };
        let facts = project.class(class);
        for (name, column) in facts.fields.iter().flat_map(|field| columns_of_table(project, class, field)) {
            model.columns.entry(name).or_insert(column);
        }
        for field in &facts.fields {
            // What a class nearer to the model says of a name hides what its ancestors say.
            if model.defines(field.name) {
                continue;
            }
            let made = || match &field.value {
                Some(Term::Call { callee, .. }) => match **callee {
                    Term::Path(callee) => built::by_call(project, mapped, class.file, callee),
                    _ => None,
                },
                _ => None,
            };
            match made().or_else(|| column(field, declares)) {
                Some(mut column) => {
                    if is_dataclass && column.factory {
                        column.default = false;
                    }
                    column.factory &= is_dataclass;
                    column.named = column.named.filter(|named| *named != field.name);
                    model.columns.insert(field.name, column);
                }
                None => {
                    model.other_names.insert(field.name);
                }
            }
        }
        for &(name, index) in &facts.methods {
            if model.defines(name) {
                continue;
            }
            let method = FunctionId { file: class.file, index: index as u32 };
            match built::by_method(project, mapped, method) {
                Some(mut column) => {
                    column.named = column.named.filter(|named| *named != name);
                    model.columns.insert(name, column);
                }
                None => {
                    model.other_names.insert(name);
                }
            }
        }
    }
    if model.defines(Name::new("__mapper_args__")) {
        // It may ask for `eager_defaults`, which brings such values back at once.
        model.columns.values_mut().for_each(|column| column.on_update_by_sql = false);
    }
    model
}

/// Whether the constructor is a dataclass's, which calls `default_factory`.
fn is_dataclass(project: &Project, class: ClassId) -> bool {
    let line = project.hierarchy(class);
    let is_decorated = |class: ClassId| {
        project.class(class).decorators.iter().any(|decorator| {
            let path = match decorator {
                Term::Call { callee, .. } => callee,
                other => other,
            };
            matches!(path, Term::Path(path) if path.last() == "mapped_as_dataclass")
        })
    };
    line.externals().any(|path| path.last() == "MappedAsDataclass") || line.classes().any(is_decorated)
}

/// The columns of `__table__ = Table("orders", metadata, Column("id", …), …)`.
fn columns_of_table(project: &Project, class: ClassId, field: &Field) -> Vec<(Name, Column)> {
    let made = field.value.as_ref().and_then(|value| bare::made(project, class.file, value));
    let Some(Term::Call { callee, arguments, .. }) = made else { return Vec::new() };
    let is_table = matches!(&**callee, Term::Path(path) if path.last() == "Table");
    if !is_table || &*field.name != "__table__" {
        return Vec::new();
    }
    let column = |argument: &Term| match argument {
        Term::Call { callee, arguments, keywords } if matches!(&**callee, Term::Path(path) if path.last() == "Column") => {
            named(arguments).map(|name| (name, filled(keywords)))
        }
        _ => None,
    };
    arguments.iter().filter_map(column).collect()
}

/// The name a column is given as the first argument.
fn named(arguments: &[Term]) -> Option<Name> {
    match arguments.first() {
        Some(Term::Text(name)) => Some(*name),
        _ => None,
    }
}

/// How a model says what its columns are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Declares {
    /// By `Column(…)`, `mapped_column(…)` or `Mapped[…]`.
    Explicitly,
    /// By any annotation, as SQLModel does.
    ByAnnotation,
}

fn column(field: &Field, declares: Declares) -> Option<Column> {
    if let Some(Term::Call { callee, arguments, keywords }) = &field.value {
        let Term::Path(callee) = &**callee else { return None };
        return match callee.last() {
            "Column" | "mapped_column" => Some(Column { named: named(arguments), ..filled(keywords) }),
            "Field" => {
                let mut column = filled(keywords);
                // SQLModel: a whole column, or keywords for the one it makes.
                for (name, value) in keywords {
                    if let (true, Term::Call { keywords, .. }) = (name.starts_with("sa_column"), value) {
                        let inner = filled(keywords);
                        column.default |= inner.default;
                        column.server_default |= inner.server_default;
                        column.on_update |= inner.on_update;
                        column.on_update_by_sql |= inner.on_update_by_sql;
                    }
                }
                // `Field(None)` and `Field(…)` give a positional default.
                column.default |=
                    arguments.iter().any(|argument| !matches!(argument, Term::None | Term::Other));
                Some(column)
            }
            "deferred" | "column_property" => match arguments.first() {
                Some(Term::Call { callee, keywords, .. }) if matches!(&**callee, Term::Path(p) if p.last() == "Column") => {
                    Some(filled(keywords))
                }
                _ => None,
            },
            _ => None,
        };
    }
    match &field.annotation {
        Some(Term::Generic { base, .. }) if matches!(&**base, Term::Path(path) if path.last() == "Mapped") => {
            Some(Column::default())
        }
        Some(Term::Generic { base, .. }) if matches!(&**base, Term::Path(path) if path.last() == "ClassVar") => {
            None
        }
        Some(_) if declares == Declares::ByAnnotation => {
            let default = field.value.as_ref().is_some_and(|value| *value != Term::None);
            Some(Column { default, ..Column::default() })
        }
        _ => None,
    }
}

fn filled(keywords: &[(Name, Term)]) -> Column {
    let given = |wanted: &[&str]| {
        keywords.iter().any(|(name, value)| wanted.contains(&&**name) && *value != Term::None)
    };
    Column {
        default: given(&["default", "insert_default", "default_factory"]),
        factory: given(&["default_factory"]) && !given(&["default", "insert_default"]),
        server_default: given(&["server_default"]),
        // `server_onupdate=` is a marker; nothing fires.
        on_update: given(&["onupdate"]),
        named: None,
        on_update_by_sql: keywords.iter().any(|(name, value)| &**name == "onupdate" && is_sql(value)),
    }
}

/// Whether a value is an SQL expression: `func.now()`, `text("…")`.
fn is_sql(value: &Term) -> bool {
    matches!(value, Term::Call { callee, .. } if matches!(&**callee, Term::Path(path) if is_sql_path(path)))
}

fn is_sql_path(path: &str) -> bool {
    path.split('.').any(|part| part == "func") || path.rsplit('.').next() == Some("text")
}
