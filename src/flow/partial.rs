//! flow/partial: saves of Django that leave out what the row, its model or Django has stamped.

use std::collections::BTreeSet;

use crate::duty::Duty;
use crate::facts::{ArgumentKind, Function, Literal, StepId, StepKind};
use crate::name::Name;
use crate::project::{ClassId, DjangoField, FunctionId, Project, Signal};

use super::django::{Api, Listed, lists};
use super::queryset::Loads;
use super::row::{Base, Level, RowState};
use super::trace::Trace;
use super::value::{ModelRef, RowKey};

/// A save that leaves out what the row, its model or Django has stamped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partial {
    /// The model, or the abstract part of models that saves itself.
    pub model: ClassId,
    /// The word for how the row comes to be saved in part.
    pub how: &'static str,
    /// What is left out, with the word for what would have filled it.
    pub dropped: BTreeSet<(&'static str, Name)>,
    /// Whether the function has inserted that row before.
    pub is_fresh: bool,
}

type Dropped = BTreeSet<(&'static str, Name)>;

/// What the `save()` of a model does with the columns it is told to write.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Adds {
    /// It writes these as well.
    Names(BTreeSet<Name>),
    /// It writes others, which could not be told.
    Unknown,
}

impl Trace<'_> {
    /// A save in part: what does it leave out that somebody meant to be written?
    pub(super) fn tell_partial(
        &mut self,
        step: StepId,
        key: RowKey,
        before: &RowState,
        listed: &Listed,
        api: Api,
    ) {
        if !self.telling {
            return;
        }
        let found = match self.django_model(key) {
            Some(model) => self.dropped(model, key, before, listed, api).map(|found| (model, found)),
            None => self.dropped_by_part(key, before, listed, api),
        };
        let Some((model, (how, dropped))) = found.filter(|(_, (_, dropped))| !dropped.is_empty()) else {
            return;
        };
        let is_fresh = self.rows[key.0 as usize].base == Base::New;
        let partial = Partial { model, how, dropped, is_fresh };
        let all = self.outcome.partial.entry(step).or_default();
        if !all.contains(&partial) {
            all.push(partial);
        }
    }

    /// An abstract part of models saves itself: left out is what is so for every model that has the part.
    fn dropped_by_part(
        &self,
        key: RowKey,
        before: &RowState,
        listed: &Listed,
        api: Api,
    ) -> Option<(ClassId, (&'static str, Dropped))> {
        let ModelRef::Class(part) = self.rows[key.0 as usize].model else { return None };
        let heirs = self.project.heirs_of(part).iter().copied();
        let models: Vec<ClassId> = heirs.filter(|heir| self.project.django(*heir).is_some()).collect();
        let mut all: Option<(&'static str, Dropped)> = None;
        for model in models.into_iter().filter(|model| self.project.model(*model).is_some()) {
            let (how, dropped) = self.dropped(model, key, before, listed, api)?;
            let dropped = match &all {
                Some((_, known)) => known.intersection(&dropped).copied().collect(),
                None => dropped,
            };
            all = Some((how, dropped));
        }
        Some((part, all?))
    }

    /// What a save of a row of a model leaves out, and the word for how.
    fn dropped(
        &self,
        model: ClassId,
        key: RowKey,
        before: &RowState,
        listed: &Listed,
        api: Api,
    ) -> Option<(&'static str, Dropped)> {
        let Adds::Names(added) = added_columns(self.project, model) else { return None };
        let listed = match listed {
            Listed::Names(names) if !names.is_empty() => {
                Listed::Names(names.union(&added).copied().collect())
            }
            listed => listed.clone(),
        };
        let (known, django) = (self.project.model(model)?, self.project.django(model)?);
        let mut dropped = Dropped::new();
        let times = || django.fields.iter().filter(|(_, field)| field.auto_now);
        let how = match (&listed, api) {
            (Listed::Names(names), Api::Upsert) => {
                // Django adds the row's own fields that may fill themselves, but not those of a mapped parent.
                let is_of_parent = |field: &DjangoField| {
                    field.declared_in != model && self.project.model(field.declared_in).is_some()
                };
                let of_parent = times().filter(|(name, field)| is_of_parent(field) && !lists(names, **name));
                dropped.extend(of_parent.map(|(name, _)| ("auto-now", *name)));
                let is_added = |name: &Name| {
                    let field = django.fields.get(name);
                    field.is_some_and(|field| may_fill_itself(&field.kind) && !is_of_parent(field))
                };
                let stamped = self.stamped_by_save(model, names).into_iter();
                dropped.extend(stamped.filter(|(_, name)| !is_added(name)));
                "upsert"
            }
            (Listed::Names(names), _) => {
                if names.is_empty() {
                    return None;
                }
                dropped.extend(
                    times().filter(|(name, _)| !lists(names, **name)).map(|(name, _)| ("auto-now", *name)),
                );
                // A touch writes stamps alone: it changes nothing that somebody would have to sign.
                let is_touch = names.iter().all(|name| self.project.roles.of_field(name).is_some());
                if !is_touch {
                    dropped.extend(self.stamped_by_save(model, names));
                }
                for duty in Duty::ALL {
                    let assigned = before.open[duty.index()].elements().any(|e| e.level == Level::Set);
                    let fields = known.fields_of(self.project, duty);
                    if !assigned || before.is_kept(duty) || fields.iter().any(|field| lists(names, *field)) {
                        continue;
                    }
                    let told: Vec<Name> = dropped.iter().map(|(_, name)| *name).collect();
                    let field = fields.first().filter(|field| !told.contains(field));
                    dropped.extend(field.map(|field| ("assigned-stamp", *field)));
                }
                "listed"
            }
            (Listed::All, Api::Save) => {
                let is_loaded = |name: &Name| match self.parts.get(&key) {
                    Some(Loads::Only(names)) => lists(&names.iter().copied().collect(), *name),
                    Some(Loads::AllBut(names)) => !names.contains(name),
                    Some(Loads::All | Loads::Values) | None => true,
                };
                dropped.extend(
                    times().filter(|(name, _)| !is_loaded(name)).map(|(name, _)| ("auto-now", *name)),
                );
                "deferred"
            }
            _ => return None,
        };
        Some((how, dropped))
    }

    /// What the model's `save()` and the receivers of `pre_save` stamp on a row that is there, and what is not listed.
    fn stamped_by_save(&self, model: ClassId, names: &BTreeSet<Name>) -> Vec<(&'static str, Name)> {
        let project = self.project;
        let Some(known) = project.model(model) else { return Vec::new() };
        let own = project.django_override(model, "save").map(|save| (save, 0));
        let receivers = project.receivers_of(model, Signal::PreSave).filter_map(|receiver| {
            let params = &project.function(receiver.function).params;
            let number = params.iter().position(|param| &*param.name == "instance")?;
            Some((receiver.function, number as u32))
        });
        let stampers: Vec<(FunctionId, u32)> = own.into_iter().chain(receivers).collect();
        let stamps = |duty: &Duty| {
            stampers.iter().any(|(function, number)| {
                let effect = self.summary(*function).and_then(|known| known.param(*number));
                effect
                    .is_some_and(|effect| effect.open[duty.index()].elements().any(|e| e.level == Level::Set))
            })
        };
        let mut found = Vec::new();
        for duty in [Duty::UpdatedAt, Duty::UpdatedBy].into_iter().filter(stamps) {
            let fields = known.fields_of(project, duty);
            if !fields.iter().any(|field| lists(names, *field)) {
                // What fills itself is told as such.
                let field = fields.iter().find(|field| !known.columns[*field].on_update);
                found.extend(field.map(|field| ("save-stamp", *field)));
            }
        }
        found
    }
}

/// Whether Django asks fields of a class for their value before each save, and so takes them along where others are not
/// named.
fn may_fill_itself(kind: &str) -> bool {
    ["DateField", "DateTimeField", "TimeField", "FileField", "ImageField"].contains(&kind)
}

/// The columns that the `save()` of a model writes besides those it is told to.
fn added_columns(project: &Project, model: ClassId) -> Adds {
    if project.django(model).is_some_and(|django| django.adds_to_update_fields) {
        return Adds::Unknown;
    }
    let mut names = BTreeSet::new();
    for class in project.hierarchy(model).classes() {
        let methods = &project.class(class).methods;
        for (_, index) in methods.iter().filter(|(name, _)| matches!(&**name, "save" | "asave")) {
            match added_by(&project.file(class.file).facts.functions[*index]) {
                Adds::Names(more) => names.extend(more),
                Adds::Unknown => return Adds::Unknown,
            }
        }
    }
    Adds::Names(names)
}

/// The columns that a `save()` adds to the `update_fields` it is handed.
fn added_by(function: &Function) -> Adds {
    let kind = |step: StepId| &function.steps[step as usize].kind;
    let is_list = |step: StepId| matches!(kind(step), StepKind::Name(name) if &**name == "update_fields");
    let reads_keyword = |step: StepId| match kind(step) {
        StepKind::Call { callee, .. } => {
            matches!(kind(*callee), StepKind::Attribute { name, .. } if matches!(&**name, "get" | "pop"))
        }
        _ => false,
    };
    let mut names = BTreeSet::new();
    for step in &function.steps {
        let is_rewritten = match &step.kind {
            StepKind::StoreIndex { key, .. } => {
                matches!(kind(*key), StepKind::Literal(Literal::Text(key)) if &**key == "update_fields")
            }
            StepKind::Bind { name, value, .. } if &**name == "update_fields" => {
                let added = listed_behind(function, *value);
                let is_known = added.is_some();
                names.extend(added.into_iter().flatten());
                !is_known && !reads_keyword(*value)
            }
            StepKind::Call { callee, arguments } => {
                let changes = matches!(kind(*callee), StepKind::Attribute { of, name }
                    if is_list(*of) && matches!(&**name, "add" | "append" | "extend" | "update" | "union"));
                let hands_other = arguments.iter().any(|argument| {
                    matches!(argument.kind, ArgumentKind::Keyword(name) if &*name == "update_fields")
                        && !is_list(argument.value)
                });
                changes || hands_other
            }
            _ => false,
        };
        if is_rewritten {
            return Adds::Unknown;
        }
    }
    Adds::Names(names)
}

/// The names in `{*update_fields, "updated_at"}`: what stands beside the list that was handed in.
fn listed_behind(function: &Function, list: StepId) -> Option<BTreeSet<Name>> {
    let kind = |step: StepId| &function.steps[step as usize].kind;
    let StepKind::List(parts) = kind(list) else { return None };
    let mut names = BTreeSet::new();
    let mut is_added_to = false;
    for part in parts {
        match kind(*part) {
            StepKind::Literal(Literal::Text(name)) => drop(names.insert(*name)),
            StepKind::Name(name) if &**name == "update_fields" => is_added_to = true,
            StepKind::Element(of) | StepKind::Gather(of) if matches!(kind(*of), StepKind::Name(name) if &**name == "update_fields") =>
            {
                is_added_to = true;
            }
            _ => return None,
        }
    }
    is_added_to.then_some(names)
}
