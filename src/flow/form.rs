//! flow/form: forms and serializers of models: each is about one row, and saving it writes that row.
//!
//! A form that is made without an instance makes a row of its model, one that is made with an instance changes that. Here
//! a form stands for its row, so that what is stamped on `form.instance`, in the form's own `save()` and in the view that
//! calls it comes together.

use crate::duty::{Duty, Operation};
use crate::facts::{Argument, ArgumentKind, StepId};
use crate::name::Name;
use crate::project::{ClassId, FunctionId, Handling, Saving};

use super::cow::Shared;
use super::django::{Api, Listed};
use super::life::Life;
use super::row::{Base, Change, Level, RowInfo, Touch};
use super::state::State;
use super::trace::Trace;
use super::trail::Altered;
use super::value::{Keys, ModelRef, RowKey, SessionKey, Value};

impl Trace<'_> {
    /// A form is made: of the instance it is handed, or of a row that saving it will insert.
    pub(super) fn make_form(
        &mut self,
        state: &mut State,
        step: StepId,
        class: ClassId,
        arguments: &[Argument],
    ) -> Option<Value> {
        let (model, saving) = self.project.model_form(class)?;
        let is_spread = |argument: &Argument| {
            matches!(argument.kind, ArgumentKind::Spread | ArgumentKind::SpreadKeywords)
        };
        // What is spread may bring an instance, and many rows are no row.
        if arguments.iter().any(is_spread) || self.argument(arguments, "many").is_some() {
            return None;
        }
        let first = || arguments.first().filter(|argument| argument.kind == ArgumentKind::Plain);
        let instance = match (self.argument(arguments, "instance"), saving) {
            (Some(instance), _) => Some(instance),
            (None, Saving::Serializer) => first().map(|argument| self.value(argument.value).clone()),
            (None, Saving::Form) => None,
        };
        let instance = instance.unwrap_or(Value::None);
        let mut made = Vec::new();
        for one in instance.each() {
            let key = match one {
                Value::None => {
                    let model = ModelRef::Class(model);
                    self.make(state, step, model, 0)
                }
                Value::Row(key) if self.is_row_of(*key, model) => *key,
                _ => return None,
            };
            made.push(Value::Form(class, key));
        }
        Some(Value::one_of(made))
    }

    /// A form that is a parameter: `self` in its own methods, or what a view is handed to save.
    pub(super) fn form_parameter(&mut self, state: &mut State, number: u32) -> Option<Value> {
        let class = self.project.class_of(self.id)?;
        if number == 0 {
            let (model, _) = self.project.model_form(class)?;
            let Value::Row(key) = self.row_param(state, number, ModelRef::Class(model)) else { return None };
            return Some(Value::Form(class, key));
        }
        let (form, handling) =
            self.project.form_of_view(class, &self.function.name).filter(|_| number == 1)?;
        let (model, _) = self.project.model_form(form)?;
        let (base, life) = match handling {
            Handling::Creates => (Base::New, Life::made()),
            Handling::Updates => (Base::Loaded, Life::loaded()),
        };
        let info =
            RowInfo { base, model: ModelRef::Class(model), origin: (self.id, 0), at: 0, session: None };
        // Parameters have no step; numbers behind the last step are free.
        let step = self.function.steps.len() as StepId + number;
        let key = self.new_row(state, step, 0, info, life);
        Some(Value::Form(form, key))
    }

    /// A method that forms have from Django, or serializers from the REST framework.
    pub(super) fn form_method(
        &mut self,
        state: &mut State,
        step: StepId,
        (class, key): (ClassId, RowKey),
        method: &str,
        arguments: &[Argument],
    ) -> Value {
        let Some((model, saving)) = self.project.model_form(class) else { return Value::Unknown };
        match (method, saving) {
            ("save", Saving::Form) => {
                let first = arguments.first().filter(|argument| argument.kind == ArgumentKind::Plain);
                let commit = self.argument(arguments, "commit");
                let commit = commit.or_else(|| first.map(|argument| self.value(argument.value).clone()));
                self.fill_in(state, step, (class, key), model);
                if commit != Some(Value::Switch(false)) {
                    self.save_row(state, step, key, Listed::All, Api::Save);
                }
                Value::Row(key)
            }
            ("save", Saving::Serializer) => self.save_serializer(state, step, (class, key), model, arguments),
            // What a project's own `create()` and `update()` go on to.
            ("create" | "update", Saving::Serializer) => {
                let data = arguments.last().map(|argument| self.value(argument.value).clone());
                let keys = data.map_or_else(Keys::open, |data| self.keys_of(&data));
                self.write_by_serializer(state, step, (class, key), model, &keys)
            }
            _ => Value::Unknown,
        }
    }

    /// `super().form_valid(form)` and its like in a view: what Django does then is save the form.
    pub(super) fn save_in_view(
        &mut self,
        state: &mut State,
        step: StepId,
        method: &str,
        values: &[Value],
    ) -> Option<Value> {
        if !matches!(method, "form_valid" | "perform_create" | "perform_update") {
            return None;
        }
        let Some(Value::Form(class, key)) = values.first() else { return None };
        let form = Value::Form(*class, *key);
        match self.project.method(*class, Name::new("save")) {
            Some(own) => self.apply(state, step, Some(form), own, &[]),
            None => self.form_method(state, step, (*class, *key), "save", &[]),
        };
        Some(Value::Unknown)
    }

    /// A form nothing is known of is saved: some row of its model is written.
    pub(super) fn save_form(&mut self, step: StepId, class: ClassId, method: &str) {
        if method != "save" {
            return;
        }
        if let Some((model, _)) = self.project.model_form(class) {
            let (row, operation, api) = (None, Operation::Update, Some(Api::Save));
            self.note_altered(Altered { step, model: Some(model), row, operation, api });
        }
    }

    /// Where a row of a form is written first; it was made with the form, but only a save makes it a write.
    pub(super) fn placed(&self, key: RowKey) -> RowInfo {
        let info = self.rows[key.0 as usize];
        match self.saved_forms.get(&key) {
            Some(&step) if info.base == Base::New => RowInfo { origin: (self.id, step), at: step, ..info },
            _ => info,
        }
    }

    /// The fields of a form are put into its row.
    fn fill_in(&mut self, state: &mut State, step: StepId, (class, key): (ClassId, RowKey), model: ClassId) {
        let known = self.saved_forms.entry(key).or_insert(step);
        *known = step.min(*known);
        let project = self.project;
        let columns = project.model(model).map(|model| model.columns.keys().copied().collect::<Vec<_>>());
        let Some(row) = state.rows.get_mut(&key) else { return };
        row.change(Change::Changed, Touch { step, within: None });
        for column in columns.into_iter().flatten() {
            let Some(duty) = project.roles.of_field(&column) else { continue };
            if project.form_asks_for(class, column) {
                row.discharge(duty, Level::Set);
            }
        }
    }

    /// `serializer.save(**stamps)`: the project's own `create()` or `update()`, or what the framework does without.
    fn save_serializer(
        &mut self,
        state: &mut State,
        step: StepId,
        (class, key): (ClassId, RowKey),
        model: ClassId,
        arguments: &[Argument],
    ) -> Value {
        let mut keys = self.gathered(arguments);
        let base = self.rows[key.0 as usize].base;
        let own = |name: &str| self.project.method(class, Name::new(name));
        let hook = match base {
            Base::New => own("create"),
            Base::Loaded => own("update"),
            // Which of the two the callers know.
            Base::Param(_) if own("create").or(own("update")).is_some() => {
                let Some(row) = state.rows.get_mut(&key) else { return Value::Row(key) };
                Duty::ALL.into_iter().for_each(|duty| row.discharge(duty, Level::Perhaps));
                None
            }
            Base::Param(_) => None,
        };
        let Some(hook) = hook else {
            return self.write_by_serializer(state, step, (class, key), model, &keys);
        };
        keys.is_open = true;
        let data = Value::Dictionary(Shared::new(keys));
        let binding = match base {
            Base::New => vec![Value::Form(class, key), data],
            _ => vec![Value::Form(class, key), Value::Row(key), data],
        };
        let saved = self.apply_hook(state, step, hook, binding);
        if base == Base::New
            && let Some(row) = state.rows.get_mut(&key)
        {
            // It stands for the row that `create()` has made and answered for.
            row.published.get_or_insert(step);
            row.is_saved = true;
        }
        if saved.rows().is_empty() { Value::Row(key) } else { saved }
    }

    fn apply_hook(
        &mut self,
        state: &mut State,
        step: StepId,
        hook: FunctionId,
        mut binding: Vec<Value>,
    ) -> Value {
        binding.resize(self.project.function(hook).params.len(), Value::Unknown);
        self.apply_bound(state, step, hook, &[], binding)
    }

    fn write_by_serializer(
        &mut self,
        state: &mut State,
        step: StepId,
        (class, key): (ClassId, RowKey),
        model: ClassId,
        stamps: &Keys,
    ) -> Value {
        self.fill_in(state, step, (class, key), model);
        self.initialize_from(state, key, stamps);
        if let Some(row) = state.rows.get_mut(&key) {
            row.stored.extend(stamps.written());
        }
        self.save_row(state, step, key, Listed::All, Api::Save);
        Value::Row(key)
    }

    fn is_row_of(&self, key: RowKey, model: ClassId) -> bool {
        let ModelRef::Class(class) = self.rows[key.0 as usize].model else { return false };
        self.project.hierarchy(class).classes().any(|above| above == model)
    }
}

/// A form as an argument: what callers of a function hand over, without the row.
pub(super) fn handed(value: &Value) -> Value {
    match value {
        Value::Form(class, _) => Value::Object(*class, SessionKey::Outer),
        other => other.clone(),
    }
}
