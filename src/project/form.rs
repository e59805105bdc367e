//! project/form: forms and serializers of models, and the views that make them: of which model, and with which fields.

use crate::facts::{Literal, StepKind, Term};
use crate::name::Name;

use super::{ClassId, FunctionId, Project, Symbol};

/// What of Django's makes a class a form of a model.
const FORMS: &[&str] = &["ModelForm", "UserCreationForm", "UserChangeForm"];

/// What makes it a serializer of one.
const SERIALIZERS: &[&str] = &["ModelSerializer", "HyperlinkedModelSerializer"];

/// How a form saves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saving {
    /// `save(commit=True)` of Django's.
    Form,
    /// `save(**stamps)` of the REST framework's, by `create()` or `update()`.
    Serializer,
}

/// What a view does to the row of a form that it is handed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handling {
    /// It makes the row.
    Creates,
    /// It changes a row that is there.
    Updates,
}

impl Project {
    /// The model of Django's that a form or serializer is of, as its `Meta` says, and how it saves.
    pub fn model_form(&self, class: ClassId) -> Option<(ClassId, Saving)> {
        let saving = self.hierarchy(class).externals().find_map(|path| match path.last() {
            last if FORMS.contains(&last) => Some(Saving::Form),
            last if SERIALIZERS.contains(&last) => Some(Saving::Serializer),
            _ => None,
        })?;
        let (meta, model) = self.form_option(class, "model")?;
        let Term::Path(path) = model else { return None };
        let model = self.class_at(meta, *path)?;
        self.django(model).map(|_| (model, saving))
    }

    /// The form that a view makes for its requests, and what becomes of the row of that. Only what the class itself says
    /// counts; a view that decides by a method may decide anything.
    pub fn form_of_view(&self, class: ClassId, method: &str) -> Option<(ClassId, Handling)> {
        let (attribute, decides) = match method {
            "form_valid" => ("form_class", "get_form_class"),
            _ => ("serializer_class", "get_serializer_class"),
        };
        let is_over = |last: &str| self.hierarchy(class).externals().any(|path| path.last() == last);
        let handling = match method {
            "perform_create" => Handling::Creates,
            "perform_update" => Handling::Updates,
            "form_valid" if is_over("CreateView") => Handling::Creates,
            "form_valid" if is_over("UpdateView") => Handling::Updates,
            _ => return None,
        };
        if self.method(class, Name::new(decides)).is_some() {
            return None;
        }
        let (owner, field) = self.class_field(class, Name::new(attribute))?;
        let Some(Term::Path(path)) = &field.value else { return None };
        let form = self.class_at(owner, *path)?;
        self.model_form(form).map(|_| (form, handling))
    }

    /// Whether whoever fills in a form says what a column of its row is to be.
    pub fn form_asks_for(&self, form: ClassId, column: Name) -> bool {
        let named = |term: &Term| match term {
            Term::List(items) => items.contains(&Term::Text(column)),
            // What is put together elsewhere, or all there is, may have it.
            _ => true,
        };
        let is_listed = match self.form_option(form, "fields") {
            Some((_, fields)) => named(fields),
            // What is not shut out is asked for.
            None => self.form_option(form, "exclude").is_some_and(
                |(_, left_out)| matches!(left_out, Term::List(items) if !items.contains(&Term::Text(column))),
            ),
        };
        let is_shown = self.form_option(form, "read_only_fields").is_some_and(|(_, shown)| match shown {
            Term::List(items) => items.contains(&Term::Text(column)),
            _ => false,
        });
        let declared = self.class_field(form, column).map(|(_, field)| field.value.as_ref());
        match declared {
            Some(Some(Term::Call { callee, keywords, .. })) => {
                let only_shows = |callee: &Term| {
                    matches!(callee, Term::Path(path)
                    if matches!(path.last(), "SerializerMethodField" | "ReadOnlyField"))
                };
                let is_shown = keywords.contains(&(Name::new("read_only"), Term::Switch(true)));
                if !is_shown && !only_shows(callee) {
                    return true;
                }
            }
            Some(_) => return true,
            None if is_listed && !is_shown => return true,
            None => {}
        }
        self.form_methods(form).any(|method| self.mentions(method, column))
    }

    /// What the `Meta` of a form says of itself.
    fn form_option(&self, form: ClassId, name: &str) -> Option<(ClassId, &Term)> {
        // The nearest `Meta` stands for all, and those it derives from.
        let meta = self.hierarchy(form).classes().find_map(|class| self.nested_class(class, "Meta"))?;
        let (owner, field) = self.class_field(meta, Name::new(name))?;
        field.value.as_ref().map(|value| (owner, value))
    }

    /// Methods that Django calls before it saves.
    fn form_methods(&self, form: ClassId) -> impl Iterator<Item = FunctionId> {
        let line: Vec<ClassId> = self.hierarchy(form).classes().collect();
        line.into_iter().flat_map(move |class| {
            let methods = self.class(class).methods.iter();
            let before = methods.filter(|(name, _)| !matches!(&**name, "save" | "create" | "update"));
            before
                .map(move |(_, index)| FunctionId { file: class.file, index: *index as u32 })
                .collect::<Vec<_>>()
        })
    }

    /// Whether a function stores a column, or names it as a key.
    fn mentions(&self, function: FunctionId, column: Name) -> bool {
        self.function(function).steps.iter().any(|step| match &step.kind {
            StepKind::Store { name, .. } => *name == column,
            StepKind::Literal(Literal::Text(text)) => *text == column,
            _ => false,
        })
    }

    /// The class a path stands for in the body of a class; the model of users by whatever name.
    fn class_at(&self, scope: ClassId, path: Name) -> Option<ClassId> {
        match self.resolve_path(scope.file, path)? {
            Symbol::Class(class) => Some(class),
            Symbol::Variable(file, name) => match self.declared_call(file, name) {
                Some(Symbol::External(path)) if path.last() == "get_user_model" => self.user_model(),
                _ => None,
            },
            _ => None,
        }
    }
}
