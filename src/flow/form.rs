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
            // A view makes rows by one method and changes them by another.
            let operation =
                if &*self.function.name == "perform_create" { Operation::Create } else { Operation::Update };
            // What a serializer says in its own words how to do, its own words tell of.
            let own = ["create", "update"].map(|name| self.project.method(class, Name::new(name)));
            for method in own.into_iter().flatten() {
                self.outcome.calls.insert(method);
                let summary = self.knowledge.summaries.get(&method);
                if summary.is_some_and(|summary| summary.trail.emits.is_some()) {
                    return;
                }
            }
            let (row, api) = (None, Some(Api::Save));
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
