//! flow/cleaned: rows that a form's fields answer: `self.cleaned_data["ticket"]` of a `ModelChoiceField`.
//!
//! Django's own field answers a row that is there. A field of the project that makes a row of its query set's model when it
//! finds none answers new rows, too; the form tells them apart by whether they have a key.

use crate::duty::Duty;
use crate::facts::{ArgumentKind, Literal, StepId, StepKind};
use crate::name::Name;
use crate::project::{ClassId, FunctionId, Symbol};

use super::held::code_of;
use super::life::Life;
use super::row::{Base, Level, RowInfo};
use super::state::State;
use super::trace::Trace;
use super::value::{ModelRef, RowKey, SessionKey, Value};

impl Trace<'_> {
    /// `form.cleaned_data["ticket"]`: the row that the field answers.
    pub(super) fn cleaned_row(
        &mut self,
        state: &mut State,
        step: StepId,
        of: &Value,
        key: &Value,
    ) -> Option<Value> {
        let (Value::Attribute(form, data), Value::Text(name)) = (of, key) else { return None };
        let (Value::Object(form, _) | Value::Form(form, _)) = **form else { return None };
        if &**data != "cleaned_data" {
            return None;
        }
        let (field, model) = self.field_of_rows(form, *name)?;
        let mut open = self.stamped_elsewhere(form);
        if let Some(field) = field {
            self.named_by(field, &mut open);
        }
        let session = Some(SessionKey::Connection);
        let mut row = |trace: &mut Self, nth: u32, base: Base, life: Life| {
            let model = ModelRef::Class(model);
            let info = RowInfo { base, model, origin: (trace.id, step), at: step, session };
            let key = trace.new_row(state, step, nth, info, life);
            if let Some(row) = state.rows.get_mut(&key) {
                let open = Duty::ALL.into_iter().filter(|duty| open[duty.index()]);
                open.for_each(|duty| row.discharge(duty, Level::Perhaps));
            }
            key
        };
        let old = row(self, 0, Base::Loaded, Life::loaded());
        if !field.is_some_and(|field| self.makes_rows(field)) {
            return Some(Value::Row(old));
        }
        let new = row(self, 1, Base::New, Life::made());
        self.cleaned.insert(new, old);
        Some(Value::one_of([Value::Row(new), Value::Row(old)]))
    }

    /// `ticket.pk` of a row that is new or was there: it tells which.
    pub(super) fn age(&self, of: &Value, name: Name) -> Option<Value> {
        let rows = of.each();
        if !matches!(&*name, "pk" | "id") || rows.len() != 2 {
            return None;
        }
        let both =
            |new: &RowKey, old: &RowKey| rows.contains(&Value::Row(*new)) && rows.contains(&Value::Row(*old));
        let (new, old) = self.cleaned.iter().find(|(new, old)| both(new, old))?;
        Some(Value::Inserted(*old, *new))
    }

    /// A row that a field of a form has made is written where it is saved.
    pub(super) fn save_cleaned(&mut self, step: StepId, key: RowKey) {
        if self.cleaned.contains_key(&key) {
            let known = self.saved_forms.entry(key).or_insert(step);
            *known = step.min(*known);
        }
    }

    /// The model whose rows a field of a form answers, and the field's class, where the project has written that.
    fn field_of_rows(&self, form: ClassId, name: Name) -> Option<(Option<ClassId>, ClassId)> {
        let (owner, _) = self.project.class_field(form, name)?;
        let body = FunctionId { file: owner.file, index: self.project.class(owner).body as u32 };
        let steps = &self.project.function(body).steps;
        let bound = steps.iter().rev().find_map(|step| match step.kind {
            StepKind::Bind { name: bound, value, .. } if bound == name => Some(value),
            _ => None,
        })?;
        let StepKind::Call { callee, arguments } = &steps[bound as usize].kind else { return None };
        let is_choice = |path: &Name| path.last() == "ModelChoiceField" && path.starts_with("django");
        let field = match self.project.symbol_of(body, *callee)? {
            Symbol::External(path) if is_choice(&path) => None,
            Symbol::Class(class)
                if self.project.hierarchy(class).externals().any(|path| is_choice(&path)) =>
            {
                Some(class)
            }
            _ => return None,
        };
        let queryset = arguments
            .iter()
            .find(|argument| matches!(argument.kind, ArgumentKind::Keyword(name) if &*name == "queryset"))?;
        Some((field, self.model_below(body, queryset.value)?))
    }

    /// Whether a field makes rows of its query set's model: `self.queryset.model(name=value)`.
    fn makes_rows(&self, field: ClassId) -> bool {
        self.code_of_all(field).any(|id| {
            let steps = &self.project.function(id).steps;
            let attribute = |step: StepId, wanted: &str| match steps[step as usize].kind {
                StepKind::Attribute { of, name } if &*name == wanted => Some(of),
                _ => None,
            };
            steps.iter().any(|step| {
                let StepKind::Call { callee, .. } = step.kind else { return false };
                attribute(callee, "model").and_then(|of| attribute(of, "queryset")).is_some()
            })
        })
    }

    /// The duties whose columns the code of a field names: it may make its rows with them.
    fn named_by(&self, field: ClassId, found: &mut [bool; 6]) {
        for id in self.code_of_all(field) {
            let steps = &self.project.function(id).steps;
            let names = steps.iter().flat_map(|step| match &step.kind {
                StepKind::Literal(Literal::Text(name)) | StepKind::Store { name, .. } => vec![*name],
                StepKind::Call { arguments, .. } => {
                    let keyword = |kind| match kind {
                        ArgumentKind::Keyword(name) => Some(name),
                        _ => None,
                    };
                    arguments.iter().filter_map(|argument| keyword(argument.kind)).collect()
                }
                _ => Vec::new(),
            });
            for duty in names.filter_map(|name| self.project.roles.of_field(&name)) {
                found[duty.index()] = true;
            }
        }
    }

    fn code_of_all(&self, class: ClassId) -> impl Iterator<Item = FunctionId> {
        let classes: Vec<ClassId> = self.project.hierarchy(class).classes().collect();
        classes.into_iter().flat_map(|class| code_of(self.project, class))
    }
}
