//! flow/held: rows that an object keeps in an attribute: of which model, told by what its methods do with them.
//!
//! A form that has `self.ticket` from its keywords does not say what that is. `Note(ticket=self.ticket)` does, where the
//! field is a foreign key, and so do `filter(ticket=self.ticket)`, `exclude(id=self.ticket.id)` among tickets, and a name
//! like `note_set`, which Django gives to rows of one model alone. Whoever makes the object may have stamped the row before
//! or stamp it afterwards; where code around it does that to anything, the duty is left open.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::duty::Duty;
use crate::facts::{Argument, ArgumentKind, StepKind};
use crate::name::Name;
use crate::project::{ByFunction, ClassId, FunctionId, Project, Symbol};

use super::cow::Shared;
use super::ground::Ground;
use super::life::Life;
use super::row::{Base, Level, RowInfo, RowState};
use super::state::State;
use super::trace::Trace;
use super::value::{ModelRef, RowKey, SessionKey, Value};

/// Methods that Django calls whenever it saves a row; what they stamp is stamped on every row.
const HOOKS: &[&str] =
    &["save", "asave", "delete", "adelete", "clean", "full_clean", "save_base", "__init__"];

/// Which duties are discharged where, on whatever row.
#[derive(Debug, Default)]
pub(super) struct Stamping {
    /// By function: itself, or by a function or a method of rows that it calls.
    by: FxHashMap<FunctionId, [bool; 6]>,
    /// By class: by somebody who makes objects of it.
    around: FxHashMap<ClassId, [bool; 6]>,
}

impl Stamping {
    /// What is discharged where in a program.
    pub(super) fn of(project: &Project, grounds: &ByFunction<Ground>) -> Stamping {
        let mut found = Stamping::default();
        let mut methods: FxHashMap<Name, [bool; 6]> = FxHashMap::default();
        for class in project.class_ids().into_iter().filter(|class| project.is_django_part(*class)) {
            for id in code_of(project, class) {
                let name = &project.function(id).name;
                if !HOOKS.contains(&&**name) {
                    add(methods.entry(Name::new(name)).or_default(), stored_by(project, grounds, id));
                }
            }
        }
        let of_function = |id: FunctionId| {
            let mut duties = stored_by(project, grounds, id);
            let function = project.function(id);
            for step in &function.steps {
                let StepKind::Call { callee, .. } = step.kind else { continue };
                if let StepKind::Attribute { name, .. } = function.steps[callee as usize].kind {
                    add(&mut duties, methods.get(&name).copied().unwrap_or_default());
                }
                if let Some(Symbol::Function(function)) = project.symbol_of(id, callee) {
                    add(&mut duties, stored_by(project, grounds, function));
                }
            }
            (duties != [false; 6]).then_some((id, duties))
        };
        found.by = project.function_ids().into_par_iter().filter_map(of_function).collect();
        // A view makes its form in one method, or names it in its body, and stamps in another.
        let mut by_class: FxHashMap<ClassId, [bool; 6]> = FxHashMap::default();
        let mut places: Vec<(Vec<FunctionId>, [bool; 6])> = Vec::new();
        for (&id, &duties) in found.by.iter().filter(|(id, _)| !project.is_test(id.file)) {
            match project.class_of(id) {
                Some(class) => add(by_class.entry(class).or_default(), duties),
                None => places.push((vec![id], duties)),
            }
        }
        places.extend(by_class.into_iter().map(|(class, duties)| (code_of(project, class), duties)));
        for (code, duties) in places {
            for class in code.into_iter().flat_map(|id| named_in(project, id)) {
                for class in project.hierarchy(class).classes() {
                    add(found.around.entry(class).or_default(), duties);
                }
            }
        }
        found
    }
}

impl Trace<'_> {
    /// A keyword of a query or constructor of Django's is given a value: what an object holds there is known by it.
    pub(super) fn hold_for(&mut self, class: ClassId, name: Name, value: &Value) {
        let Some(model) = self.project.django(class).and(self.project.model(class)) else { return };
        let to_one = |name: Name| {
            let relation = model.relations.get(&name)?;
            (relation.is_many == Some(false)).then_some(relation.target)
        };
        let held = match value {
            // `id=self.ticket.id` and `ticket_id=self.ticket.pk`
            Value::Attribute(of, key) if matches!(&**key, "id" | "pk") => {
                let target = match name.strip_suffix("_id") {
                    Some(field) => to_one(Name::new(field)),
                    None => matches!(&*name, "id" | "pk").then_some(class),
                };
                self.held_in(of).zip(target)
            }
            value => self.held_in(value).zip(to_one(name)),
        };
        if let Some((place, target)) = held {
            self.tell_held(place, target);
        }
    }

    /// The keywords of a query.
    pub(super) fn hold_by_query(&mut self, model: ModelRef, arguments: &[Argument], values: &[Value]) {
        let ModelRef::Class(class) = model else { return };
        for (argument, value) in arguments.iter().zip(values) {
            if let ArgumentKind::Keyword(name) = argument.kind {
                self.hold_for(class, name, value);
            }
        }
    }

    /// `self.ticket.note_set`: the name that Django gives the way back, where one model alone has it.
    pub(super) fn hold_by_way_back(&mut self, of: &Value, name: Name) {
        if let Some(place) = self.held_in(of)
            && let Some(Some(model)) = self.knowledge.ways_back.get(&name)
        {
            self.tell_held(place, *model);
        }
    }

    /// The row of Django's that `self` holds in an attribute: however often it is read, it is the same.
    pub(super) fn held_row(
        &mut self,
        state: &mut State,
        (class, name): (ClassId, Name),
        model: ClassId,
    ) -> Option<Value> {
        if !self.is_rust() {
            let own = self.project.class_of(self.id)?;
            let is_other = own != class || self.ground.stores(name) || self.project.is_test(self.id.file);
            if is_other || self.project.django(model).is_none() {
                return None;
            }
        }
        let next = RowKey(self.rows.len() as u32);
        let key = *self.held.entry(name).or_insert(next);
        if key == next {
            let model = ModelRef::Class(model);
            let session = Some(SessionKey::Connection);
            self.rows.push(RowInfo { base: Base::Loaded, model, origin: (self.id, 0), at: 0, session });
        }
        let is_rust = self.is_rust();
        state.rows.entry(key).or_insert_with(|| {
            let mut row = RowState::start(Life::loaded());
            if is_rust {
                // Whether it was there before, its type does not say.
                row.marks.presume();
            }
            let elsewhere = self.stamped_elsewhere(class);
            let open = Duty::ALL.into_iter().filter(|duty| elsewhere[duty.index()]);
            open.for_each(|duty| row.discharge(duty, Level::Perhaps));
            Shared::new(row)
        });
        Some(Value::Row(key))
    }

    /// The duties that other code may have discharged on a row that an object of a class holds.
    pub(super) fn stamped_elsewhere(&self, class: ClassId) -> [bool; 6] {
        let stamping = &self.knowledge.stamping;
        let mut found = stamping.around.get(&class).copied().unwrap_or_default();
        let heirs = self.project.heirs_of(class).iter().copied();
        for relative in self.project.hierarchy(class).classes().chain(heirs) {
            for id in code_of(self.project, relative).into_iter().filter(|id| *id != self.id) {
                add(&mut found, stamping.by.get(&id).copied().unwrap_or_default());
            }
        }
        found
    }

    /// The attribute of `self` that a value is, as it came.
    fn held_in(&self, value: &Value) -> Option<(ClassId, Name)> {
        let Value::Attribute(of, name) = value else { return None };
        let (Value::Object(class, _) | Value::Form(class, _)) = **of else { return None };
        (self.project.class_of(self.id) == Some(class)).then_some((class, *name))
    }

    fn tell_held(&mut self, place: (ClassId, Name), model: ClassId) {
        if self.telling {
            self.outcome.attributes.push((place, Value::Object(model, SessionKey::Outer)));
        }
    }
}

/// By name that Django gives the way back of a foreign key: the model that has it, where it is one alone.
pub(super) fn ways_back(project: &Project) -> FxHashMap<Name, Option<ClassId>> {
    let mut found: FxHashMap<Name, Option<ClassId>> = FxHashMap::default();
    for class in project.class_ids() {
        let Some(django) = project.django(class) else { continue };
        for name in django.reverse.keys().filter(|name| name.ends_with("_set")) {
            let known = found.entry(*name).or_insert(Some(class));
            if *known != Some(class) {
                *known = None;
            }
        }
    }
    found
}

/// The duties whose columns a function stores, of whatever row.
fn stored_by(project: &Project, grounds: &ByFunction<Ground>, id: FunctionId) -> [bool; 6] {
    let mut found = [false; 6];
    let stored = grounds.get(id).into_iter().flat_map(Ground::all_stored);
    for duty in stored.filter_map(|name| project.roles.of_field(name)) {
        found[duty.index()] = true;
    }
    found
}

/// The methods of a class, and its body.
pub(super) fn code_of(project: &Project, class: ClassId) -> Vec<FunctionId> {
    let facts = project.class(class);
    let methods = facts.methods.iter().map(|(_, index)| *index);
    let all = methods.chain([facts.body]);
    all.map(|index| FunctionId { file: class.file, index: index as u32 }).collect()
}

fn named_in(project: &Project, id: FunctionId) -> Vec<ClassId> {
    let count = project.function(id).steps.len() as u32;
    let class = |step| match project.symbol_of(id, step) {
        Some(Symbol::Class(class)) => Some(class),
        _ => None,
    };
    (0..count).filter_map(class).collect()
}

fn add(known: &mut [bool; 6], more: [bool; 6]) {
    known.iter_mut().zip(more).for_each(|(known, more)| *known |= more);
}
