//! flow/typed: what declared types say: of parameters, of what functions return, of what fields hold.

use crate::facts::{Param, ParamKind, StepId, Term};
use crate::name::Name;
use crate::project::{ClassId, FileId, FunctionId, Symbol};

use super::cow::Shared;
use super::library;
use super::object::decorated;
use super::row::{Base, RowInfo};
use super::rust::sea_orm::is_active_model;
use super::state::State;
use super::trace::Trace;
use super::value::{Keys, ModelRef, SessionKey, SessionKind, Value};

/// How deep annotations are followed.
const DEEPEST: usize = 8;

/// What an annotation says of a value.
#[derive(Clone, Debug)]
pub(super) enum Type {
    Instance(ClassId),
    Class(ClassId),
    External(Name),
    Many(Box<Type>),
    Tuple(Vec<Type>),
    OneOf(Vec<Type>),
    Plain,
    None,
    Unknown,
}

impl Trace<'_> {
    /// The value a parameter has when the function begins.
    pub(super) fn parameter(&mut self, state: &mut State, index: usize) -> Value {
        let param = &self.function.params[index];
        let number = index as u32;
        if index == 0
            && let Some(class) = self.project.class_of(self.id)
            && !self.is_decorated("staticmethod")
        {
            if self.is_decorated("classmethod") || &*self.function.name == "__init_subclass__" {
                // Of a base that is mapped nowhere itself, the class is one of those that derive from it.
                return match self.is_row_class(class) && self.project.model(class).is_none() {
                    true => Value::Own(class),
                    false => Value::Symbol(Symbol::Class(class)),
                };
            }
            if self.is_row_class(class) {
                return self.row_param(state, number, ModelRef::Class(class));
            }
            if self.project.is_django_manager(class) {
                return self.own_rows(class);
            }
            return match self.form_parameter(state, number) {
                Some(form) => form,
                None => Value::Object(class, SessionKey::Outer),
            };
        }
        if let Some(form) = self.form_parameter(state, number) {
            return form;
        }
        match param.kind {
            ParamKind::Rest => return Value::Unknown,
            ParamKind::RestKeywords => {
                let handed = self.knowledge.handed.get(&(self.id, number)).cloned();
                return handed.unwrap_or_else(|| Value::Dictionary(Shared::new(Keys::open())));
            }
            ParamKind::Plain | ParamKind::KeywordOnly => {}
        }
        if is_active_model(param.annotation.as_ref()) && self.is_rust() {
            return match self.row_param(state, number, ModelRef::Unknown) {
                Value::OneOf(all) => {
                    Value::one_of(all.into_iter().filter(|one| matches!(one, Value::Row(_))))
                }
                row => row,
            };
        }
        let declared = match &param.annotation {
            Some(term) => self.type_of(self.id.file, term, 0),
            None => Type::Unknown,
        };
        if let (Type::Unknown | Type::Plain, Some(handed)) =
            (&declared, self.knowledge.handed.get(&(self.id, number)))
        {
            return match handed {
                // A row of Django's: its callers say of which model.
                Value::Object(class, _) if self.project.django(*class).is_some() => {
                    self.row_param(state, number, ModelRef::Class(*class))
                }
                // A form: its callers say of which row.
                Value::Object(class, _) if let Some((model, _)) = self.project.model_form(*class) => {
                    let class = *class;
                    self.row_param(state, number, ModelRef::Class(model)).map(|row| match row {
                        Value::Row(key) => Value::Form(class, key),
                        other => other,
                    })
                }
                handed => handed.clone(),
            };
        }
        // What a struct of Diesel carries its callers know.
        if let Type::Instance(class) = &declared
            && self.project.carried(*class).is_some()
            && let Some(handed) = self.knowledge.handed.get(&(self.id, number))
        {
            return handed.clone();
        }
        match declared {
            Type::Unknown if self.is_rust() => self.row_param(state, number, ModelRef::Unknown),
            Type::Unknown if library::names_session(&param.name) => {
                self.outcome.sees_session = true;
                Value::Session(SessionKey::Outer, self.kind_handed_to(param))
            }
            Type::Unknown if library::names_logger(&param.name) => Value::Logger,
            Type::Unknown if library::names_connection(&param.name) => Value::Connection,
            Type::Unknown if let Some(model) = self.handed_by_view(index) => {
                self.row_param(state, number, model)
            }
            // Whatever is handed over may be a row; callers know.
            Type::Unknown => self.row_param(state, number, ModelRef::Unknown),
            declared => self.instance(state, &declared, Some(number), number),
        }
    }

    pub(super) fn row_param(&mut self, state: &mut State, number: u32, model: ModelRef) -> Value {
        self.part_of_param(state, number, 0, model)
    }

    /// A row that a parameter is, or the nth of several in it.
    fn part_of_param(&mut self, state: &mut State, number: u32, nth: u32, model: ModelRef) -> Value {
        let (session, life) = self.handed_over(number);
        let info = RowInfo { base: Base::Param(number), model, origin: (self.id, 0), at: 0, session };
        // Parameters have no step; numbers behind the last step are free.
        let step = self.function.steps.len() as StepId + number;
        let key = self.new_row(state, step, nth, info, life);
        if model == ModelRef::Unknown {
            Value::OneOf(vec![Value::Param(number), Value::Row(key)])
        } else {
            Value::Row(key)
        }
    }

    pub(super) fn is_decorated(&self, name: &str) -> bool {
        decorated(&self.function.decorators, name)
    }

    /// Whether instances of a class are rows: it is mapped, or a class that is mapped derives from it.
    pub(super) fn is_row_class(&self, class: ClassId) -> bool {
        self.knowledge.row_classes.contains(&class)
    }

    /// Whether a class is a mixin or an abstract base of models and nothing else, so that its instances are rows.
    fn is_part_of_models_only(&self, class: ClassId) -> bool {
        let mut externals = self.project.hierarchy(class).externals();
        self.is_row_class(class) && externals.all(|path| !matches!(path.last(), "BaseModel" | "SQLModel"))
    }

    /// The value an annotation gives a variable.
    pub(super) fn annotated(&mut self, state: &mut State, step: StepId, term: &Term) -> Value {
        let declared = self.type_of(self.id.file, term, 0);
        self.instance(state, &declared, None, step)
    }

    /// What a function says it returns, as a value at a call.
    pub(super) fn declared_result(&mut self, state: &mut State, step: StepId, callee: FunctionId) -> Value {
        let Some(term) = &self.project.function(callee).returns else { return Value::Unknown };
        let declared = self.type_of(callee.file, term, 0);
        self.instance(state, &declared, None, step)
    }

    /// The kind of the session that a function says it returns or yields.
    pub(super) fn kind_declared(&self, function: FunctionId) -> SessionKind {
        let declared = match &self.project.function(function).returns {
            Some(term) => self.type_of(function.file, term, 0),
            None => Type::Unknown,
        };
        let declared = match declared {
            Type::Many(inner) => *inner,
            declared => declared,
        };
        match declared {
            Type::External(path) => match library::instance_of(path) {
                Value::Session(_, kind) => kind,
                _ => SessionKind::Unknown,
            },
            _ => SessionKind::Unknown,
        }
    }

    fn instance(&mut self, state: &mut State, declared: &Type, param: Option<u32>, place: u32) -> Value {
        match declared {
            Type::Instance(class) if self.project.model(*class).is_some() => match param {
                Some(number) => self.row_param(state, number, ModelRef::Class(*class)),
                None => {
                    let key = self.loaded_row(state, place, ModelRef::Class(*class));
                    if let Some(row) = state.rows.get_mut(&key) {
                        row.marks.presume();
                    }
                    Value::Row(key)
                }
            },
            // A mixin or an abstract base: which model it is the caller says.
            Type::Instance(class)
                if let (Some(number), true) = (param, self.is_part_of_models_only(*class)) =>
            {
                self.row_param(state, number, ModelRef::Class(*class))
            }
            Type::Instance(class) => Value::Object(*class, SessionKey::Outer),
            // Which class it is the caller says.
            Type::Class(class) => param.map_or(Value::Symbol(Symbol::Class(*class)), Value::Param),
            // Of which rows a query is the caller says.
            Type::External(path) if param.is_some() && library::is_query_class(path) => {
                param.map_or(Value::Unknown, Value::Param)
            }
            Type::External(path) => library::instance_of(*path),
            Type::Many(inner) => Value::Many(Shared::new(self.instance(state, inner, param, place))),
            Type::Tuple(parts) => {
                let part = |(nth, part): (u32, &Type)| match (part, param) {
                    (Type::Instance(class), Some(number)) if self.project.model(*class).is_some() => {
                        self.part_of_param(state, number, nth, ModelRef::Class(*class))
                    }
                    (Type::Instance(class), None) if self.project.model(*class).is_some() => Value::Unknown,
                    (part, _) => self.instance(state, part, param, place),
                };
                Value::Tuple((0..).zip(parts).map(part).collect())
            }
            Type::OneOf(all) => {
                let values: Vec<Value> =
                    all.iter().map(|one| self.instance(state, one, param, place)).collect();
                // A union with an unknown member still is what its known members are.
                Value::one_of(values.into_iter().filter(|value| *value != Value::Unknown))
            }
            Type::Plain => Value::Plain,
            Type::None | Type::Unknown => Value::Unknown,
        }
    }

    pub(super) fn type_of(&self, file: FileId, term: &Term, depth: usize) -> Type {
        if depth > DEEPEST {
            return Type::Unknown;
        }
        match term {
            Term::Path(path) => match self.project.resolve_path(file, *path) {
                Some(Symbol::Class(class)) => Type::Instance(self.project.completed(class)),
                Some(Symbol::External(path)) => Type::External(path),
                // `SessionDep = Annotated[…]`
                Some(Symbol::Variable(file, name)) => match self.project.value_of(file, name) {
                    Some(value @ (Term::Generic { .. } | Term::Union(_))) => {
                        self.type_of(file, value, depth + 1)
                    }
                    _ => Type::Unknown,
                },
                Some(_) => Type::Unknown,
                None => match &**path {
                    "str" | "int" | "float" | "bool" | "bytes" | "dict" | "complex" => Type::Plain,
                    _ => Type::Unknown,
                },
            },
            Term::Generic { base, arguments } => {
                let Term::Path(path) = &**base else { return Type::Unknown };
                let first =
                    || arguments.first().map_or(Type::Unknown, |first| self.type_of(file, first, depth + 1));
                match path.last() {
                    "Optional" | "Annotated" | "Mapped" | "Awaitable" | "Coroutine" | "Final"
                    | "ClassVar" | "Required" | "NotRequired" => first(),
                    "Union" => {
                        union(arguments.iter().map(|one| self.type_of(file, one, depth + 1)).collect())
                    }
                    "list" | "List" | "Sequence" | "Iterable" | "set" | "Set" | "frozenset" | "Iterator"
                    | "AsyncIterator" | "Collection" | "tuple" | "Tuple" | "AsyncGenerator" | "Generator" => {
                        Type::Many(Box::new(first()))
                    }
                    "type" | "Type" => match first() {
                        Type::Instance(class) => Type::Class(class),
                        _ => Type::Unknown,
                    },
                    "dict" | "Dict" | "Mapping" | "Literal" | "Callable" | "defaultdict" => Type::Plain,
                    _ => self.type_of(file, base, depth + 1),
                }
            }
            Term::Union(members) => {
                union(members.iter().map(|one| self.type_of(file, one, depth + 1)).collect())
            }
            Term::List(parts) if self.project.is_rust(file) => {
                Type::Tuple(parts.iter().map(|part| self.type_of(file, part, depth + 1)).collect())
            }
            Term::None => Type::None,
            _ => Type::Unknown,
        }
    }

    /// The value of a parameter of a function around this one.
    pub(super) fn outer_parameter(&self, file: FileId, param: &Param) -> Value {
        match param.annotation.as_ref().map(|term| self.type_of(file, term, 0)) {
            Some(Type::External(path)) => library::instance_of(path),
            Some(Type::Instance(class)) if !self.is_row_class(class) => {
                Value::Object(class, SessionKey::Outer)
            }
            _ => Value::Unknown,
        }
    }

    /// What a field of this type holds, where only types are known.
    pub(super) fn held_by_type(
        &mut self,
        state: &mut State,
        place: (ClassId, Name),
        declared: &Type,
    ) -> Value {
        match declared {
            Type::Instance(model) if self.project.model(*model).is_some() => {
                self.held_row(state, place, *model).unwrap_or(Value::Unknown)
            }
            Type::Instance(class) => Value::Object(*class, SessionKey::Outer),
            Type::Many(inner) => Value::Many(Shared::new(self.held_by_type(state, place, inner))),
            Type::OneOf(all) => {
                let all: Vec<Value> = all.iter().map(|one| self.held_by_type(state, place, one)).collect();
                Value::one_of(all)
            }
            Type::External(path) => library::instance_of(*path),
            Type::Plain => Value::Plain,
            Type::Class(_) | Type::Tuple(_) | Type::None | Type::Unknown => Value::Unknown,
        }
    }
}

fn union(mut members: Vec<Type>) -> Type {
    members.retain(|member| !matches!(member, Type::None));
    match members.len() {
        0 => Type::Unknown,
        1 => members.swap_remove(0),
        _ => Type::OneOf(members),
    }
}
