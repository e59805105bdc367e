//! flow/queryset: managers and query sets of Django: what their methods answer, and which rows they write.

use crate::duty::{Duty, Operation};
use crate::facts::{Argument, ArgumentKind, StepId, StepKind};
use crate::name::Name;
use crate::project::{ClassId, Reverse, Symbol, To};

use super::cow::Shared;
use super::django::{Api, Listed};
use super::outcome::Executed;
use super::row::{Base, Change, Level, RowInfo, RowState, Touch};
use super::state::State;
use super::trace::Trace;
use super::translate::model_of;
use super::value::{Form, Keys, ModelRef, RowKey, SessionKey, Value};

/// Rows that Django hands out: a manager, or a query set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowSet {
    /// Of which model.
    pub model: ModelRef,
    /// The classes of the project whose methods it has, in the order they are looked up.
    pub classes: Vec<ClassId>,
    /// How much of each row it loads.
    pub loads: Loads,
    /// Whether it holds only rows that are marked as deleted.
    pub is_marked: bool,
}

/// How much of each row a query set loads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Loads {
    /// All of it.
    All,
    /// These columns, after `only()`.
    Only(Vec<Name>),
    /// All but these, after `defer()`.
    AllBut(Vec<Name>),
    /// No rows but values: `values()`, `values_list()`.
    Values,
}

impl RowSet {
    /// All rows of a model, through a manager with these classes.
    pub fn of(model: ModelRef, classes: Vec<ClassId>) -> RowSet {
        RowSet { model, classes, loads: Loads::All, is_marked: false }
    }
}

/// What a method of a manager or query set answers.
enum Answer {
    /// More of the same.
    Rows,
    /// One row.
    Row,
    /// Nothing that is looked into.
    Plain,
}

impl Trace<'_> {
    /// The manager of a model under a name.
    pub(super) fn manager(&self, class: ClassId, name: Name) -> Option<Value> {
        let name = match &*name {
            "_default_manager" | "_base_manager" => Name::new("objects"),
            _ => name,
        };
        let manager = self.project.django(class)?.managers.get(&name)?;
        let rows = RowSet::of(ModelRef::Class(class), manager.classes.clone());
        Some(Value::Rows(Shared::new(rows)))
    }

    /// The rows that point to a row, under the name they add to it.
    pub(super) fn reversed(&mut self, state: &mut State, of: RowKey, name: Name) -> Option<Value> {
        let ModelRef::Class(class) = self.rows[of.0 as usize].model else { return None };
        let django = self.project.django(class)?;
        let to_many = |name: &Name| {
            let relation = django.fields.get(name)?.relation?;
            (relation.to == To::Many).then_some(relation.target).flatten()
        };
        match django.reverse.get(&name) {
            Some(&Reverse { model, to: To::Only, .. }) => self.relative(state, of, name, model),
            Some(&Reverse { model, .. }) => Some(self.rows_of(model)),
            None => to_many(&name).map(|model| self.rows_of(model)),
        }
    }

    pub(super) fn rows_of(&self, model: ClassId) -> Value {
        let manager = self.manager(model, Name::new("objects"));
        manager.unwrap_or_else(|| Value::Rows(Shared::new(RowSet::of(ModelRef::Class(model), Vec::new()))))
    }

    /// What a manager or query set class knows of itself in its own methods.
    pub(super) fn own_rows(&self, class: ClassId) -> Value {
        // Where one model alone hands it out, it is that model's.
        let model = match self.project.models_managed_by(class) {
            [only] => ModelRef::Class(*only),
            _ => ModelRef::Param(0),
        };
        Value::Rows(Shared::new(RowSet::of(model, vec![class])))
    }

    /// An attribute of a manager or query set.
    pub(super) fn rows_attribute(&self, rows: &RowSet, name: Name) -> Value {
        if &*name == "model" {
            return match rows.model {
                ModelRef::Class(class) => Value::Symbol(Symbol::Class(class)),
                ModelRef::Param(0) => rows.classes.first().map_or(Value::Unknown, |class| Value::Own(*class)),
                _ => Value::Unknown,
            };
        }
        let own = Value::Rows(Shared::new(rows.clone()));
        match rows.classes.iter().find_map(|class| self.project.method(*class, name)) {
            Some(method) => Value::Method(Shared::new(own), method),
            None => Value::Attribute(Shared::new(own), name),
        }
    }

    /// A row of a query set.
    pub(super) fn row_of(&mut self, state: &mut State, step: StepId, rows: &RowSet) -> Value {
        if rows.loads == Loads::Values {
            return Value::Unknown;
        }
        let key = self.loaded_row(state, step, rows.model);
        match &rows.loads {
            Loads::All | Loads::Values => drop(self.parts.remove(&key)),
            part => drop(self.parts.insert(key, part.clone())),
        }
        Value::Row(key)
    }

    /// The row that this function has inserted before, where a query looks for it by its key: it is no other row.
    fn found_again(&self, state: &State, step: StepId, model: ModelRef) -> Option<RowKey> {
        let kind = |step: StepId| &self.function.steps[step as usize].kind;
        let mut at = step;
        while let StepKind::Call { callee, arguments } = kind(at) {
            for argument in arguments {
                let is_key =
                    matches!(argument.kind, ArgumentKind::Keyword(name) if matches!(&*name, "pk" | "id"));
                let key = if is_key { self.keyed_by(argument.value) } else { None };
                if let Some(key) = key
                    && self.rows[key.0 as usize].base == Base::New
                    && self.rows[key.0 as usize].model == model
                    && state.rows.get(&key).is_some_and(|row| row.is_saved)
                {
                    return Some(key);
                }
            }
            let StepKind::Attribute { of, .. } = kind(*callee) else { break };
            at = *of;
        }
        None
    }

    /// The row whose key a value is: `row.pk`, or `serializer.data["id"]`.
    fn keyed_by(&self, step: StepId) -> Option<RowKey> {
        let kind = |step: StepId| &self.function.steps[step as usize].kind;
        let of = match kind(step) {
            StepKind::Attribute { of, name } if matches!(&**name, "pk" | "id") => *of,
            StepKind::Index { of, key } if matches!(self.value(*key), Value::Text(key) if matches!(&**key, "pk" | "id")) =>
            {
                let StepKind::Attribute { of, name } = kind(*of) else { return None };
                (&**name == "data").then_some(*of)?
            }
            _ => return None,
        };
        match self.value(of) {
            Value::Row(key) | Value::Form(_, key) => Some(*key),
            _ => None,
        }
    }

    /// A method that Django gives every manager and query set.
    pub(super) fn rows_method(
        &mut self,
        state: &mut State,
        step: StepId,
        rows: &RowSet,
        method: &str,
        arguments: &[Argument],
        values: &[Value],
    ) -> Value {
        // Coroutine twins do the same.
        let plain = method.strip_prefix('a').filter(|rest| is_twinned(rest)).unwrap_or(method);
        if matches!(plain, "filter" | "exclude" | "get") {
            self.hold_by_query(rows.model, arguments, values);
        }
        match plain {
            "create" => {
                let key = self.make(state, step, rows.model, 0);
                self.fill(state, step, key, arguments);
                self.save_row(state, step, key, Listed::All, Api::Create);
                Value::Row(key)
            }
            "get_or_create" | "update_or_create" => {
                let api = if plain == "get_or_create" { Api::Create } else { Api::Upsert };
                self.get_or_make(state, step, rows, api, arguments)
            }
            "bulk_create" => {
                self.bulk_create(state, step, rows, arguments, values);
                values.first().cloned().unwrap_or(Value::Unknown)
            }
            "bulk_update" => {
                self.bulk_update(state, step, rows, arguments, values);
                Value::Plain
            }
            "update" => {
                let mut keys = Keys::default();
                for (argument, value) in arguments.iter().zip(values) {
                    match argument.kind {
                        ArgumentKind::Keyword(name) => {
                            if let ModelRef::Class(class) = rows.model {
                                self.tell_clock(argument.value, class, name, value, "keyword");
                            }
                            keys.give(name, value);
                        }
                        _ => keys.extend(&self.keys_of(value)),
                    }
                }
                self.run_statement(step, rows.model, Operation::Update, Some(keys), Api::QueryUpdate);
                Value::Plain
            }
            // What was soft-deleted before is swept away.
            "delete" | "_raw_delete" if rows.is_marked => {
                self.use_connection();
                if let ModelRef::Class(model) = rows.model {
                    self.tell_written(step, model, Operation::Delete, Api::QueryDelete, None);
                }
                Value::Plain
            }
            "delete" | "_raw_delete" => {
                self.run_statement(step, rows.model, Operation::Delete, None, Api::QueryDelete);
                Value::Plain
            }
            _ => match answer(plain) {
                Answer::Row => match self.found_again(state, step, rows.model) {
                    Some(key) => Value::Row(key),
                    None => self.row_of(state, step, rows),
                },
                Answer::Plain => Value::Plain,
                Answer::Rows => {
                    let mut rows = rows.clone();
                    let named = || values.iter().filter_map(text).collect::<Vec<Name>>();
                    match plain {
                        "filter" | "exclude" => {
                            rows.is_marked |= self.picks_marked(plain, arguments, values);
                        }
                        "union" => rows.is_marked = false,
                        "only" => rows.loads = Loads::Only(named()),
                        "defer" => {
                            let all = named();
                            rows.loads = if all.is_empty() { Loads::All } else { Loads::AllBut(all) };
                        }
                        "values" | "values_list" | "dates" | "datetimes" => rows.loads = Loads::Values,
                        _ => {}
                    }
                    Value::Rows(Shared::new(rows))
                }
            },
        }
    }

    /// Whether a query set is narrowed to rows that have a time of deletion.
    fn picks_marked(&self, method: &str, arguments: &[Argument], values: &[Value]) -> bool {
        arguments.iter().zip(values).any(|(argument, value)| {
            let ArgumentKind::Keyword(name) = argument.kind else { return false };
            let (field, lookup) = name.split_once("__").unwrap_or((&name, "exact"));
            if self.project.roles.of_field(field) != Some(Duty::DeletedAt) {
                return false;
            }
            match (method, lookup) {
                ("filter", "isnull") => *value == Value::Switch(false),
                ("filter", _) => *value != Value::None,
                (_, "isnull") => *value == Value::Switch(true) && arguments.len() == 1,
                (_, lookup) => lookup == "exact" && *value == Value::None && arguments.len() == 1,
            }
        })
    }

    /// A row that a step makes, the n-th of its rows.
    pub(super) fn make(&mut self, state: &mut State, step: StepId, model: ModelRef, nth: u32) -> RowKey {
        let info = RowInfo { base: Base::New, model, origin: (self.id, step), at: step, session: None };
        self.new_row(state, step, nth, info, super::life::Life::made())
    }

    /// `get_or_create(…)` and `update_or_create(…)`: the row that was there, or a new one.
    fn get_or_make(
        &mut self,
        state: &mut State,
        step: StepId,
        rows: &RowSet,
        api: Api,
        arguments: &[Argument],
    ) -> Value {
        let named = |wanted: &str| {
            let is_it = |argument: &&Argument| matches!(argument.kind, ArgumentKind::Keyword(name) if &*name == wanted);
            let found = arguments.iter().find(is_it);
            found.map(|argument| self.keys_of(&self.value(argument.value).clone()))
        };
        let first = arguments.first().filter(|argument| argument.kind == ArgumentKind::Plain);
        let defaults = named("defaults")
            .or_else(|| first.map(|argument| self.keys_of(&self.value(argument.value).clone())))
            .unwrap_or_default();
        let of_new = named("create_defaults").unwrap_or_else(|| defaults.clone());
        let new = self.make(state, step, rows.model, 0);
        let lookups: Vec<Argument> = arguments
            .iter()
            .filter(|argument| match argument.kind {
                // A lookup with a condition is no value.
                ArgumentKind::Keyword(name) => {
                    !matches!(&*name, "defaults" | "create_defaults") && !name.contains("__")
                }
                ArgumentKind::SpreadKeywords => true,
                _ => false,
            })
            .copied()
            .collect();
        self.fill(state, step, new, &lookups);
        self.initialize_from(state, new, &of_new);
        self.save_row(state, step, new, Listed::All, Api::Create);
        let session = state.last_session;
        let info =
            RowInfo { base: Base::Loaded, model: rows.model, origin: (self.id, step), at: step, session };
        let old = self.new_row(state, step, 1, info, super::life::Life::loaded());
        if api == Api::Upsert {
            if let Some(row) = state.rows.get_mut(&old) {
                row.change(Change::Changed, Touch { step, within: None });
            }
            self.initialize_from(state, old, &defaults);
            let listed = match defaults.is_open {
                true => Listed::Unknown,
                false => Listed::Names(defaults.sure.union(&defaults.perhaps).copied().collect()),
            };
            self.save_row(state, step, old, listed, api);
        }
        // Both have a savepoint of their own.
        self.may_fail.remove(&SessionKey::Connection);
        let row = Value::OneOf(vec![Value::Row(new), Value::Row(old)]);
        Value::Tuple(vec![row, Value::Inserted(new, old)])
    }

    fn bulk_create(
        &mut self,
        state: &mut State,
        step: StepId,
        rows: &RowSet,
        arguments: &[Argument],
        values: &[Value],
    ) {
        self.use_connection();
        let made = values.first().map(Value::rows).unwrap_or_default();
        // A listed actor that no row was made with is written as nobody.
        let is_unset = |key: &RowKey| {
            let is_new = self.rows[key.0 as usize].base == Base::New;
            let paths = state.rows.get(key).map(|row| row.open[Duty::UpdatedBy.index()]);
            is_new && paths.is_some_and(|paths| paths.elements().all(|e| e.level == Level::Unset))
        };
        let leaves_nobody = !made.is_empty() && made.iter().all(is_unset);
        for key in made {
            self.outcome.unheard.insert(key);
            self.write_row(state, step, key, Api::BulkCreate);
        }
        let on = |wanted: &str| self.argument(arguments, wanted);
        let updates = matches!(on("update_conflicts"), Some(Value::Switch(true)));
        if let (true, Some(listed)) = (updates, on("update_fields"))
            && let Listed::Names(names) = self.names_in(&listed)
        {
            let mut keys = Keys::default();
            let of_actor = |name: &Name| self.project.roles.of_field(name) == Some(Duty::UpdatedBy);
            keys.sure.extend(names.into_iter().filter(|name| !(leaves_nobody && of_actor(name))));
            self.run_statement(step, rows.model, Operation::Update, Some(keys), Api::BulkCreate);
        }
    }

    /// `bulk_update(rows, fields)`: it writes what the rows hold, and fills nothing in.
    fn bulk_update(
        &mut self,
        state: &mut State,
        step: StepId,
        rows: &RowSet,
        arguments: &[Argument],
        values: &[Value],
    ) {
        let second = values.get(1).filter(|_| arguments[1].kind == ArgumentKind::Plain).cloned();
        let listed = self.argument(arguments, "fields").or(second).unwrap_or(Value::Unknown);
        let mut keys = match self.names_in(&listed) {
            Listed::Names(names) => Keys { sure: names, ..Keys::default() },
            _ => Keys::open(),
        };
        let written = values.first().map(Value::rows).unwrap_or_default();
        // A listed time that nobody has assigned is written as it was.
        if let ModelRef::Class(class) = rows.model
            && let Some(model) = self.project.model(class)
        {
            let is_stale = |name: &Name| {
                let on_update = model.columns.get(name).is_some_and(|column| column.on_update);
                let Some(duty) = self.project.roles.of_field(name) else { return false };
                // An actor may have been assigned by whoever hands the rows over, unless they are changed here.
                let is_ours = |row: &RowState| on_update || duty == Duty::UpdatedBy && !row.stored.is_empty();
                let is_unset = |key: &RowKey| {
                    state.rows.get(key).is_some_and(|row| {
                        is_ours(row) && row.open[duty.index()].elements().all(|e| e.level == Level::Unset)
                    })
                };
                let is_stored = |step: &crate::facts::Step| matches!(step.kind, StepKind::Store { name: stored, .. } if stored == *name);
                !written.is_empty()
                    && written.iter().all(is_unset)
                    && !self.function.steps.iter().any(is_stored)
            };
            let stale: Vec<Name> = keys.sure.iter().filter(|name| is_stale(name)).copied().collect();
            stale.into_iter().for_each(|name| keys.forget(name));
        }
        self.run_statement(step, rows.model, Operation::Update, Some(keys), Api::BulkUpdate);
    }

    /// The value of a keyword argument.
    pub(super) fn argument(&self, arguments: &[Argument], wanted: &str) -> Option<Value> {
        let is_it =
            |argument: &&Argument| matches!(argument.kind, ArgumentKind::Keyword(name) if &*name == wanted);
        arguments.iter().find(is_it).map(|argument| self.value(argument.value).clone())
    }

    /// A statement runs for which Django asks no row: neither `save()` nor a receiver hears of it.
    pub(super) fn run_statement(
        &mut self,
        step: StepId,
        model: ModelRef,
        operation: Operation,
        keys: Option<Keys>,
        api: Api,
    ) {
        self.use_connection();
        let ModelRef::Class(model) = model else { return };
        let Some(known) = self.project.model(model) else { return };
        let removes = operation == Operation::Delete;
        // The key of a row stands for the row.
        let field = |name: &Name| {
            let bare = name.strip_suffix("_id").map(Name::new);
            bare.filter(|bare| known.columns.contains_key(bare)).unwrap_or(*name)
        };
        let keys = keys.map(|keys| keys.renamed(field));
        self.tell_written(step, model, operation, api, keys.as_ref().map(|keys| keys.written().collect()));
        self.tell_executed(step, Executed { operation, model, removes, keys, form: Form::Bare });
    }

    /// The model of users, which Django's `get_user_model()` answers.
    pub(super) fn user_model_behind(&self, path: Name) -> Option<Value> {
        let asks = path.last() == "get_user_model" && path.starts_with("django");
        let user = self.project.user_model().filter(|_| asks)?;
        Some(Value::Symbol(Symbol::Class(user)))
    }

    /// `get_object_or_404(Model, …)` and kin.
    pub(super) fn shortcut(
        &mut self,
        state: &mut State,
        step: StepId,
        path: Name,
        values: &[Value],
    ) -> Option<Value> {
        if let Some(model) = self.user_model_behind(path) {
            return Some(model);
        }
        let is_one = matches!(path.last(), "get_object_or_404" | "aget_object_or_404");
        let is_many = matches!(path.last(), "get_list_or_404" | "aget_list_or_404");
        if !is_one && !is_many {
            return None;
        }
        let rows = match values.first()? {
            Value::Rows(rows) => (**rows).clone(),
            class => match model_of(class) {
                ModelRef::Unknown => return Some(Value::Unknown),
                model => RowSet::of(model, Vec::new()),
            },
        };
        let row = self.row_of(state, step, &rows);
        Some(if is_many { Value::Many(Shared::new(row)) } else { row })
    }

    /// `rows[0]` is a row, `rows[:5]` are rows.
    pub(super) fn indexed(&mut self, state: &mut State, step: StepId, rows: RowSet, key: StepId) -> Value {
        match self.function.steps[key as usize].kind {
            StepKind::Compute(_) => Value::Rows(Shared::new(rows)),
            _ => self.row_of(state, step, &rows),
        }
    }

    /// `super().method(…)` where nothing of the project is above: Django's own method of whatever `self` is.
    pub(super) fn super_method(
        &mut self,
        state: &mut State,
        step: StepId,
        method: &str,
        arguments: &[Argument],
        values: &[Value],
    ) -> Value {
        let own = self.function.params.first().and_then(|param| state.locals.get(param.name).cloned());
        match own {
            Some(Value::Rows(rows)) => self.rows_method(state, step, &rows, method, arguments, values),
            Some(Value::Row(key)) => {
                self.row_method(state, step, key, method, arguments).unwrap_or(Value::Unknown)
            }
            Some(Value::Form(class, key)) => self.form_method(state, step, (class, key), method, arguments),
            own => {
                if let Some(known) = self.save_in_view(state, step, method, values) {
                    return known;
                }
                if let Some(Value::Object(class, _)) = own {
                    self.save_form(step, class, method);
                    if let Some(known) = self.view_method(state, step, class, method) {
                        return known;
                    }
                }
                values.iter().find_map(Value::caught).map_or(Value::Unknown, Value::Caught)
            }
        }
    }
}

fn text(value: &Value) -> Option<Name> {
    match value {
        Value::Text(text) => Some(*text),
        _ => None,
    }
}

/// Methods that have a coroutine twin with an `a` in front.
fn is_twinned(method: &str) -> bool {
    matches!(
        method,
        "create"
            | "get_or_create"
            | "update_or_create"
            | "bulk_create"
            | "bulk_update"
            | "update"
            | "delete"
            | "get"
            | "first"
            | "last"
            | "latest"
            | "earliest"
            | "count"
            | "exists"
            | "aggregate"
            | "iterator"
            | "in_bulk"
            | "add"
            | "set"
            | "remove"
            | "clear"
    )
}

fn answer(method: &str) -> Answer {
    match method {
        "get" | "first" | "last" | "latest" | "earliest" => Answer::Row,
        "count" | "exists" | "aggregate" | "contains" | "explain" | "in_bulk" | "add" | "set" | "remove"
        | "clear" | "as_sql" => Answer::Plain,
        _ => Answer::Rows,
    }
}
