//! flow/collection: rows that come and go with a relationship: saved with the row that holds them, removed with it, or
//! removed because they were taken out.

use std::collections::BTreeSet;

use crate::duty::{Duty, Operation};
use crate::facts::{Argument, StepId, StepKind};
use crate::name::Name;
use crate::project::{ClassId, Maker, Proxy, Relation};

use super::outcome::Executed;
use super::row::{Base, Change, Touch};
use super::state::{Deeds, State};
use super::trace::Trace;
use super::value::{Form, ModelRef, RowKey, Value};

/// How far removals are followed over relationships.
const MOST_MODELS: usize = 64;

impl Trace<'_> {
    /// A method of a collection of a row: `order.lines.append(line)`, `order.lines.clear()`.
    pub(super) fn collection_method(
        &mut self,
        state: &mut State,
        step: StepId,
        callee: StepId,
        arguments: &[Argument],
    ) -> Option<Value> {
        let StepKind::Attribute { of: collection, name: method } = self.function.steps[callee as usize].kind
        else {
            return None;
        };
        let StepKind::Attribute { of: owner, name } = self.function.steps[collection as usize].kind else {
            return None;
        };
        let owners = self.owners(owner);
        let relations: Vec<(RowKey, Relation)> =
            owners.iter().filter_map(|&owner| Some((owner, self.relation(owner, name)?))).collect();
        if relations.is_empty() {
            let is_put_in = matches!(&*method, "append" | "add" | "insert");
            return owners.into_iter().filter(|_| is_put_in).find_map(|owner| {
                let proxy = self.proxy(owner, name)?;
                self.put_through(state, step, owner, (proxy, arguments))
            });
        }
        let rows: Vec<RowKey> =
            arguments.iter().flat_map(|argument| self.value(argument.value).rows()).collect();
        match &*method {
            "append" | "add" | "extend" | "insert" | "update" | "add_all" => {
                self.deed(state, Deeds::RECORDED);
                for (owner, relation) in relations {
                    self.put_in(state, step, owner, (relation, &rows));
                }
                Some(Value::None)
            }
            "remove" | "discard" | "pop" | "clear" | "difference_update" => {
                for (owner, relation) in relations {
                    self.take_out(state, step, owner, (relation, &rows));
                }
                None
            }
            _ => None,
        }
    }

    /// `order.lines = […]`, and `del order.lines[0]`: what was in the collection before is taken out of it.
    pub(super) fn replace_collection(
        &mut self,
        state: &mut State,
        step: StepId,
        owner: RowKey,
        (name, value): (Name, &Value),
    ) {
        let Some(relation) = self.relation(owner, name) else { return };
        if relation.is_many == Some(true) {
            self.take_out(state, step, owner, (relation, &[]));
        }
        self.bring(state, owner, (relation, &value.rows()));
    }

    /// A row is made with rows in its relationships.
    pub(super) fn filled_with(&mut self, state: &mut State, owner: RowKey, name: Name, value: &Value) {
        if let Some(relation) = self.relation(owner, name) {
            self.bring(state, owner, (relation, &value.rows()));
        }
    }

    /// Rows are removed, and with them what their relationships remove.
    pub(super) fn remove_along(&mut self, step: StepId, model: ClassId) {
        // A row that should have stayed is the fault; what goes with it is the same one.
        if self.project.owes(model, Duty::DeletedAt) {
            return;
        }
        let mut seen = BTreeSet::from([model]);
        let mut waiting = vec![model];
        while let Some(model) = waiting.pop() {
            let Some(facts) = self.project.model(model) else { continue };
            let mut names: Vec<Name> = facts.relations.keys().copied().collect();
            names.sort();
            for relation in names.iter().map(|name| facts.relations[name]) {
                if !relation.deletes || seen.len() > MOST_MODELS || !seen.insert(relation.target) {
                    continue;
                }
                if self.project.owes(relation.target, Duty::DeletedAt) {
                    self.tell_removed(step, relation.target, Form::Flush);
                } else {
                    waiting.push(relation.target);
                }
            }
        }
    }

    /// Rows that are handed to a session take along what is in their relationships.
    pub(super) fn cascade(&self, state: &mut State) {
        let mut waiting: Vec<RowKey> = state.brings.keys().copied().collect();
        let mut seen = BTreeSet::new();
        while let Some(owner) = waiting.pop() {
            let is_saved = state.rows.get(&owner).is_some_and(|row| {
                self.rows[owner.0 as usize].base != Base::New || row.open[0].elements().any(|e| e.is_added)
            });
            if !is_saved || !seen.insert(owner) {
                continue;
            }
            for child in state.brings.get(&owner).cloned().unwrap_or_default() {
                if let Some(row) = state.rows.get_mut(&child) {
                    row.add();
                    waiting.push(child);
                }
            }
        }
    }

    fn put_in(
        &mut self,
        state: &mut State,
        step: StepId,
        owner: RowKey,
        (relation, rows): (Relation, &[RowKey]),
    ) {
        if !relation.saves {
            return;
        }
        for key in rows {
            let is_there = self.rows[key.0 as usize].base == Base::Loaded;
            let Some(row) = state.rows.get_mut(key) else { continue };
            row.add();
            // Its foreign key gets another value; a link stands in a table of its own.
            if is_there && !relation.is_linked && relation.is_many == Some(true) {
                row.change(Change::Changed, Touch { step, within: None });
            }
        }
        self.bring(state, owner, (relation, rows));
    }

    /// What is put into an association proxy makes a row of the model behind it.
    fn put_through(
        &mut self,
        state: &mut State,
        step: StepId,
        owner: RowKey,
        (proxy, arguments): (Proxy, &[Argument]),
    ) -> Option<Value> {
        let relation = self.relation(owner, proxy.through)?;
        let made = match proxy.maker {
            Maker::Class => {
                let model = ModelRef::Class(relation.target);
                let made = self.make(state, step, model, 0);
                if let Some(init) = self.project.method(relation.target, Name::new("__init__")) {
                    self.apply(state, step, Some(Value::Row(made)), init, arguments);
                }
                vec![made]
            }
            Maker::Function(function) => self.apply(state, step, None, function, arguments).rows(),
            Maker::Unknown => return None,
        };
        self.deed(state, Deeds::RECORDED);
        self.put_in(state, step, owner, (relation, &made));
        Some(Value::None)
    }

    fn bring(&self, state: &mut State, owner: RowKey, (relation, rows): (Relation, &[RowKey])) {
        if relation.saves && !rows.is_empty() {
            state.brings.entry(owner).or_default().extend(rows);
            self.cascade(state);
        }
    }

    fn take_out(
        &mut self,
        state: &mut State,
        step: StepId,
        owner: RowKey,
        (relation, rows): (Relation, &[RowKey]),
    ) {
        if self.rows[owner.0 as usize].base == Base::New {
            return;
        }
        if relation.deletes_orphans {
            self.used.writes = true;
            self.tell_removed(step, relation.target, Form::Core);
            return;
        }
        for key in rows {
            let is_there = self.rows[key.0 as usize].base == Base::Loaded;
            if let Some(row) = state.rows.get_mut(key)
                && is_there
                && relation.saves
                && !relation.is_linked
            {
                // Its foreign key becomes NULL.
                row.change(Change::Changed, Touch { step, within: None });
            }
        }
    }

    fn tell_removed(&mut self, step: StepId, model: ClassId, form: Form) {
        let executed = Executed { operation: Operation::Delete, model, removes: true, keys: None, form };
        self.tell_executed(step, executed);
    }

    /// The rows that a value is, without those in lists.
    fn owners(&self, step: StepId) -> Vec<RowKey> {
        let row = |value: &Value| match value {
            Value::Row(key) => Some(*key),
            _ => None,
        };
        self.value(step).each().iter().filter_map(row).collect()
    }

    fn proxy(&self, owner: RowKey, name: Name) -> Option<Proxy> {
        match self.rows[owner.0 as usize].model {
            ModelRef::Class(class) => self.project.model(class)?.proxies.get(&name).copied(),
            _ => None,
        }
    }

    fn relation(&self, owner: RowKey, name: Name) -> Option<Relation> {
        match self.rows[owner.0 as usize].model {
            ModelRef::Class(class) => self.project.model(class)?.relations.get(&name).copied(),
            _ => None,
        }
    }
}
