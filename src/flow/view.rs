//! flow/view: what class-based views of Django and of REST framework hand the methods of a project: the row that a request
//! asks for.
//!
//! A view says of which rows it is by `queryset`, `model` or `get_queryset()`. What is chosen only when a request comes is
//! not guessed.

use crate::facts::{StepId, StepKind};
use crate::name::Name;
use crate::project::{ClassId, FunctionId, Symbol};

use super::cow::Shared;
use super::queryset::RowSet;
use super::state::State;
use super::trace::Trace;
use super::value::{ModelRef, Value};

/// Bases from outside the project that make a class a view of rows.
const VIEW_PACKAGES: &[&str] = &["rest_framework", "rest_framework_extensions", "django.views.generic"];

impl Trace<'_> {
    /// A method that a view has from outside the project.
    pub(super) fn view_method(
        &mut self,
        state: &mut State,
        step: StepId,
        class: ClassId,
        method: &str,
    ) -> Option<Value> {
        self.is_view(class).then_some(())?;
        match method {
            "get_object" => {
                let rows = self.rows_of_view(class)?;
                Some(self.row_of(state, step, &rows))
            }
            // A class's own way to find its rows has come here by `super()`.
            "get_queryset" => Some(Value::Rows(Shared::new(self.declared_rows(class)?))),
            _ => None,
        }
    }

    /// The model of the row that a view hands one of its methods.
    pub(super) fn handed_by_view(&mut self, index: usize) -> Option<ModelRef> {
        let class = self.project.class_of(self.id).filter(|class| index == 1 && self.is_view(*class))?;
        if &*self.function.name != "perform_destroy" {
            return None;
        }
        self.rows_of_view(class).map(|rows| rows.model)
    }

    fn is_view(&self, class: ClassId) -> bool {
        let is_of = |path: &Name| VIEW_PACKAGES.iter().any(|package| path.starts_with(package));
        let is_named = |path: &Name| ["View", "ViewSet", "Mixin"].iter().any(|end| path.ends_with(end));
        self.project.hierarchy(class).externals().any(|path| is_of(&path) && is_named(&path))
    }

    fn rows_of_view(&mut self, class: ClassId) -> Option<RowSet> {
        let Some(own) = self.project.method(class, Name::new("get_queryset")) else {
            return self.declared_rows(class);
        };
        self.outcome.calls.insert(own);
        match self.summary(own)?.returns.as_ref()? {
            Value::Rows(rows) if matches!(rows.model, ModelRef::Class(_)) => Some((**rows).clone()),
            _ => None,
        }
    }

    /// `queryset = Ticket.objects.filter(…)` or `model = Ticket` in the body of the class.
    fn declared_rows(&self, class: ClassId) -> Option<RowSet> {
        let (owner, field) =
            ["queryset", "model"].iter().find_map(|name| self.project.class_field(class, Name::new(name)))?;
        let body = FunctionId { file: owner.file, index: self.project.class(owner).body as u32 };
        let steps = &self.project.function(body).steps;
        let bound = steps.iter().rev().find_map(|step| match step.kind {
            StepKind::Bind { name, value, .. } if name == field.name => Some(value),
            _ => None,
        });
        let model = self.model_below(body, bound?)?;
        Some(RowSet::of(ModelRef::Class(model), Vec::new()))
    }

    /// The model that an expression is about: `Ticket.objects.filter(…)`, or `Ticket` itself.
    pub(super) fn model_below(&self, body: FunctionId, mut at: StepId) -> Option<ClassId> {
        let steps = &self.project.function(body).steps;
        loop {
            if let Some(Symbol::Class(model)) = self.project.symbol_of(body, at) {
                self.project.django(model)?;
                return Some(model);
            }
            at = match steps[at as usize].kind {
                StepKind::Call { callee, .. } => callee,
                StepKind::Attribute { name, .. } if matches!(&*name, "values" | "values_list") => {
                    return None;
                }
                StepKind::Attribute { of, .. } => of,
                _ => return None,
            };
        }
    }
}
