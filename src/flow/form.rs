//! flow/form: forms and serializers of models: saving one writes a row of its model.

use crate::duty::Operation;
use crate::facts::{StepId, Term};
use crate::name::Name;
use crate::project::{ClassId, Symbol};

use super::django::Api;
use super::trace::Trace;
use super::trail::Altered;
use super::value::Value;

impl Trace<'_> {
    /// A form is saved, or makes the row that is saved next.
    pub(super) fn save_form(&mut self, step: StepId, class: ClassId, method: &str) {
        if method != "save" {
            return;
        }
        if let Some(model) = self.model_of_form(class) {
            let (row, operation, api) = (None, Operation::Update, Some(Api::Save));
            self.note_altered(Altered { step, model: Some(model), row, operation, api });
        }
    }

    /// The model that a form says it is of, in its `Meta`.
    fn model_of_form(&self, class: ClassId) -> Option<ClassId> {
        let is_form = self.project.hierarchy(class).externals().any(|path| {
            matches!(path.last(), "ModelForm" | "UserCreationForm" | "UserChangeForm" | "ModelSerializer")
        });
        if !is_form {
            return None;
        }
        self.project.hierarchy(class).classes().find_map(|owner| {
            let Some(Symbol::Class(meta)) = self.project.member(Symbol::Class(owner), Name::new("Meta"))
            else {
                return None;
            };
            let (_, field) = self.project.class_field(meta, Name::new("model"))?;
            let Some(Term::Path(path)) = &field.value else { return None };
            match self.symbol(self.project.resolve_path(meta.file, *path)?) {
                Value::Symbol(Symbol::Class(model)) => Some(model),
                _ => None,
            }
        })
    }
}
