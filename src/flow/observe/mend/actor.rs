//! flow/observe/mend/actor: who acts, said where the row is made or changed.

use std::collections::BTreeSet;

use crate::duty::{Duty, Operation};
use crate::facts::{Argument, ArgumentKind, Function, FunctionKind, Next, StepId, StepKind};
use crate::name::Name;
use crate::project::{ClassId, FunctionId, Lookup, Symbol};
use crate::remedy::{Act, Binding, Deed, Remedy};
use crate::source::Span;

use super::super::super::handing::handed;
use super::super::super::object::decorated;
use super::super::super::verdict::{Judgement, Subject};
use super::super::Observer;
use super::custom::{Candidate, Form, Role, asks_for_none, is_user_type};
use super::{bound_name, comes_before};

/// Why there is no remedy.
pub(super) type Hindrance = &'static str;

/// Where the actor is missing and how it is put there.
pub(super) struct Spot {
    pub(super) id: FunctionId,
    model: ClassId,
    duty: Duty,
    /// The step that must know who acts.
    pub(super) step: StepId,
    put: Put,
}

impl Spot {
    pub(super) fn duty(&self) -> Duty {
        self.duty
    }
}

/// How something is put into the code.
enum Put {
    /// Behind a statement, for a row of this name.
    Row { row: String, behind: Span },
    /// As a value of a statement.
    Value(StepId),
    /// As an argument of a call that makes the row.
    Argument(StepId),
}

impl Observer<'_> {
    /// What says who made, changed or deleted a row where a write leaves it out, or why nothing does.
    pub(in super::super) fn actors_for(
        &self,
        judgement: &Judgement,
        duty: Duty,
    ) -> Result<Vec<Remedy>, Hindrance> {
        if !duty.is_actor() {
            return Ok(Vec::new());
        }
        let spot = self.spot(judgement, duty).ok_or("the row has no name that the code could say it by")?;
        let row = match &spot.put {
            Put::Row { row, .. } => row.as_str(),
            _ => "",
        };
        let mut all = self.at_hand(spot.id, spot.step);
        // Who is written to does not act, and a text that names a user may name the one that is written.
        let is_user = is_user_type(&self.project.class(spot.model).name);
        all.retain(|who| row.split('.').next() != Some(&*who.text) && !(is_user && who.role == Role::Text));
        let mut hindrance = None;
        for role in [Role::Context, Role::User, Role::Text] {
            let mut of_role = all.iter().filter(|who| who.role == role);
            let Some(who) = of_role.next() else { continue };
            if of_role.next().is_some() {
                return Err("several of those at hand may be the one who acts");
            }
            match self.saying(&spot, who) {
                Ok(acts) => {
                    let name = &self.project.function(spot.id).name;
                    let title = format!("Say who acts in `{name}`: `{}`", who.text);
                    return Ok(vec![Remedy::new("actor", title, acts)]);
                }
                Err(why) => hindrance = hindrance.or(Some(why)),
            }
        }
        match hindrance {
            Some(why) => Err(why),
            None => self.plan(&spot).map(|remedy| vec![remedy]),
        }
    }

    fn spot(&self, judgement: &Judgement, duty: Duty) -> Option<Spot> {
        let Judgement { function: id, model, .. } = *judgement;
        let function = self.project.function(id);
        let step = judgement.places[duty.index()].unwrap_or(judgement.step);
        let spot = |step: StepId, put: Put| Some(Spot { id, model, duty, step, put });
        if judgement.subject == Subject::Statement {
            return spot(step, Put::Value(step));
        }
        if judgement.operation == Operation::Create {
            let StepKind::Call { callee, arguments } = &function.steps[step as usize].kind else {
                return None;
            };
            let constructs = self.project.symbol_of(id, *callee) == Some(Symbol::Class(model));
            if let (Some((row, bind)), true) = (bound_name(function, step), constructs) {
                let beside = self.sibling(id, bind, row.as_str()).map_or(bind, |sibling| sibling.step);
                let span = if beside == bind { self.span(id, step) } else { self.span(id, beside) };
                return spot(beside, Put::Row { row: row.to_string(), behind: span });
            }
            let is_open = arguments.iter().any(|argument| argument.kind == ArgumentKind::SpreadKeywords);
            let is_taken = constructs && !self.has_own_constructor(model) || self.makes_row(id, *callee);
            return if is_taken && !is_open { spot(step, Put::Argument(step)) } else { None };
        }
        let row = match judgement.within {
            Some((callee, change)) => self.handed_row(id, step, callee, change)?,
            None => self.row_expression(id, step)?,
        };
        let beside = match self.sibling(id, step, &row) {
            Some(sibling) => sibling.step,
            None if judgement.within.is_some() => step,
            None => self.last_store(function, id, step, &row),
        };
        let behind = self.loop_around(id, beside, &row).unwrap_or_else(|| self.span(id, beside));
        spot(beside, Put::Row { row, behind })
    }

    /// The expression for a row that a callee is handed and changes.
    fn handed_row(&self, id: FunctionId, step: StepId, callee: FunctionId, change: StepId) -> Option<String> {
        let (function, there) = (self.project.function(id), self.project.function(callee));
        let StepKind::Call { arguments, .. } = &function.steps[step as usize].kind else { return None };
        let changed = self.row_expression(callee, change)?;
        let param = there.params.iter().position(|param| *param.name == *changed)?;
        let all = handed(there, arguments);
        let (_, argument) = all.iter().find(|(at, _)| *at == param)?;
        crate::project::written_path(function, argument.value).map(|path| path.to_string())
    }

    /// The outermost loop around a change that goes over something else than the rows: behind it once is enough.
    fn loop_around(&self, id: FunctionId, step: StepId, row: &str) -> Option<Span> {
        let function = self.project.function(id);
        let root = row.split('.').next().unwrap_or(row);
        let changes_root = |name: &Name| **name == *root;
        let block_of =
            |at: StepId| function.blocks.iter().position(|block| (block.start..block.end).contains(&at));
        let element = (0..step).find(|&at| {
            matches!(function.steps[at as usize].kind, StepKind::Element(_))
                && comes_before(function, at, step)
                && block_of(at).zip(block_of(step)).is_some_and(|(from, to)| goes_round(function, to, from))
        })?;
        let bound_in_loop = function.steps[element as usize..]
            .iter()
            .any(|step| matches!(&step.kind, StepKind::Bind { name, .. } if changes_root(name)));
        let (first, last) = (self.span(id, element), self.span(id, step));
        (!bound_in_loop).then_some(Span { start: first.start.min(last.start), end: first.end.max(last.end) })
    }

    /// What has to be done so that a candidate is said to act.
    pub(super) fn saying(&self, spot: &Spot, who: &Candidate) -> Result<Vec<Act>, Hindrance> {
        let customs = self.customs();
        // A text is stored as it is, be it there or not; of nobody nothing can be read.
        let asked = (who.is_optional && who.role != Role::Text).then_some(&who.text);
        let Some(factory) = self.factory().filter(|_| who.role == Role::User) else {
            let code = self.code(spot, who.role, &who.text)?;
            return self.put(spot, asked, code, &[]);
        };
        let name = customs.variable();
        let code = match self.code(spot, Role::Context, name.as_str()) {
            Ok(code) => code,
            // The program may put users into some columns without a context.
            Err(why) => {
                let code = self.code(spot, Role::User, &who.text).map_err(|_| why)?;
                return self.put(spot, asked, code, &[]);
            }
        };
        let function = self.project.function(spot.id);
        let is_taken = function.bound.iter().any(|bound| bound.name == name)
            || function.params.iter().any(|param| param.name == name)
            || self.project.lookup(spot.id, name) != Lookup::Nowhere;
        if is_taken {
            return Err("the name for the audit context is something else there");
        }
        let context = self.context_name();
        let binding =
            self.context_binding().ok_or("nothing tells where the audit context is imported from")?;
        let mut acts =
            self.bound_as(spot.id, &binding).ok_or("the audit context's name is something else there")?;
        let made = format!("{name} = {context}.{factory}({})", who.text);
        let guards = who.is_optional && !self.takes_none(factory);
        let is_early = who.is_given && !guards && function.kind == FunctionKind::Function;
        if is_early {
            acts.push(Observer::act(spot.id, Deed::First { head: function.name_span, code: made }));
            acts.extend(self.put(spot, None, code, &[])?);
        } else {
            acts.extend(self.put(spot, guards.then_some(&who.text), code, &[made])?);
        }
        Ok(acts)
    }

    /// The statements, or the value with its column, that say who acts.
    fn code(&self, spot: &Spot, role: Role, who: &str) -> Result<Vec<(Name, String)>, Hindrance> {
        let project = self.project;
        let unknown = || "the program does not show what goes into the column from whoever acts";
        if let (Some(setter), Put::Row { row, .. }) = (project.setter(spot.model, spot.duty), &spot.put) {
            let forms = self.setter_forms(spot.model, setter, role).ok_or_else(unknown)?;
            let arguments: Vec<String> = forms.iter().map(|form| form.of(who)).collect();
            return Ok(vec![(setter, format!("{row}.{setter}({})", arguments.join(", ")))]);
        }
        let fields =
            project.model(spot.model).map(|model| model.fields_of(project, spot.duty)).unwrap_or_default();
        let values: Vec<(Name, String)> = fields
            .iter()
            .filter_map(|field| Some((*field, self.customs().of_column(*field, role)?.of(who))))
            .collect();
        // Half of it would be worse than nothing.
        if values.is_empty() || values.len() < fields.len() {
            return Err(unknown());
        }
        match &spot.put {
            Put::Row { row, .. } => Ok(values
                .into_iter()
                .map(|(field, value)| (field, format!("{row}.{field} = {value}")))
                .collect()),
            _ => Ok(values),
        }
    }

    /// What goes into a setter: as other calls have it, else by the names of its parameters.
    fn setter_forms(&self, model: ClassId, setter: Name, role: Role) -> Option<Vec<Form>> {
        let (project, customs) = (self.project, self.customs());
        if let Some(forms) = customs.of_setter(setter, role) {
            return Some(forms);
        }
        let params = |setter: Name| -> Option<Vec<Name>> {
            let method = project.function(project.method(model, setter)?);
            Some(method.params.iter().skip(1).map(|param| param.name).collect())
        };
        let own = params(setter)?;
        let twins = Duty::ALL.into_iter().filter_map(|duty| project.setter(model, duty));
        let same = twins.filter(|twin| *twin != setter && params(*twin).as_ref() == Some(&own));
        if let Some(forms) = same.filter_map(|twin| customs.of_setter(twin, role)).next() {
            return Some(forms);
        }
        if role != Role::Context || own.is_empty() {
            return None;
        }
        let class = self.context_class()?;
        let of_init = project.method(class, Name::new("__init__")).map(|init| &project.function(init).params);
        let mut attributes: Vec<Name> = project.class(class).fields.iter().map(|field| field.name).collect();
        attributes.extend(of_init.into_iter().flatten().skip(1).map(|param| param.name));
        let form = |param: &Name| {
            let fits = |attribute: &&Name| {
                *attribute == param
                    || attribute.ends_with(&*format!("_{param}"))
                    || param.ends_with(&*format!("_{attribute}"))
            };
            let mut found = attributes.iter().filter(fits);
            found.next().filter(|_| found.next().is_none()).map(|name| Form::behind(format!(".{name}")))
        };
        own.iter().map(form).collect()
    }

    /// The method that makes a context of a user: the one in use, else the only one that takes nothing else.
    fn factory(&self) -> Option<Name> {
        let makes_one = |method: &Name, class: ClassId| {
            let id = self.project.method(class, *method)?;
            let function = self.project.function(id);
            (decorated(&function.decorators, "classmethod") && function.params.len() == 2).then_some(*method)
        };
        self.customs().factory().or_else(|| {
            let class = self.context_class()?;
            let methods = self.project.class(class).methods.iter();
            let mut found = methods.filter_map(|(name, _)| makes_one(name, class));
            found.next().filter(|_| found.next().is_none())
        })
    }

    /// What a row's `save(update_fields=[…])` has to name as well.
    fn listed_in_saves(
        &self,
        id: FunctionId,
        row: &str,
        code: &[(Name, String)],
    ) -> Result<Vec<Deed>, Hindrance> {
        let function = self.project.function(id);
        let mut deeds = Vec::new();
        for step in &function.steps {
            let StepKind::Call { callee, arguments } = &step.kind else { continue };
            let StepKind::Attribute { of, name } = function.steps[*callee as usize].kind else { continue };
            if !matches!(&*name, "save" | "asave") || self.source_text(id, of) != row {
                continue;
            }
            let is_list = |argument: &&Argument| matches!(argument.kind, ArgumentKind::Keyword(name) if &*name == "update_fields");
            let Some(list) = arguments.iter().find(is_list) else { continue };
            let elsewhere = "the columns that are saved are listed elsewhere";
            let StepKind::List(items) = &function.steps[list.value as usize].kind else {
                return Err(elsewhere);
            };
            let first = items.first().map_or("\"", |item| self.source_text(id, *item));
            let quote = first.chars().next_back().filter(|c| matches!(c, '"' | '\'')).ok_or(elsewhere)?;
            let owner = self.span(id, list.value);
            deeds.extend(code.iter().map(|(field, _)| {
                let text = format!("{quote}{field}{quote}");
                Deed::Part { owner, beside: None, text }
            }));
        }
        Ok(deeds)
    }

    fn context_class(&self) -> Option<ClassId> {
        *self.contexts.get_or_init(|| {
            let classes = self.project.class_ids().into_iter();
            let mut named = classes.filter(|class| *self.project.class(*class).name == *self.context_name());
            named.next().filter(|_| named.next().is_none())
        })
    }

    fn context_binding(&self) -> Option<Binding> {
        match self.naming.context.rsplit_once('.') {
            Some((module, class)) => Some(Binding::item(module, class)),
            None => self.usual_binding(Name::new(&self.naming.context)),
        }
    }

    /// Whether the method that makes a context asks whether there is an actor.
    fn takes_none(&self, factory: Name) -> bool {
        let method = self.context_class().and_then(|class| self.project.method(class, factory));
        method.is_some_and(|method| asks_for_none(self.project, method))
    }

    /// The acts that put what was said into its place, after other lines and under a guard.
    fn put(
        &self,
        spot: &Spot,
        guard: Option<&String>,
        code: Vec<(Name, String)>,
        before: &[String],
    ) -> Result<Vec<Act>, Hindrance> {
        let id = spot.id;
        let deeds: Option<Vec<Deed>> = match &spot.put {
            Put::Row { behind, row } => {
                let listed = self.listed_in_saves(id, row, &code)?;
                let lines = before.iter().chain(code.iter().map(|(_, line)| line));
                let text = match guard {
                    Some(guard) => {
                        let inner: Vec<String> = lines.map(|line| format!("\t{line}")).collect();
                        format!("if {guard}:\n{}", inner.join("\n"))
                    }
                    None => lines.cloned().collect::<Vec<_>>().join("\n"),
                };
                Some([vec![Deed::Behind { span: *behind, code: text }], listed].concat())
            }
            _ if guard.is_some() || !before.is_empty() => {
                return Err("nobody may be acting there, and a value cannot ask");
            }
            Put::Value(step) => code
                .iter()
                .map(|(field, value)| Some(self.among_values(id, *step, *field, value)?.1))
                .collect(),
            Put::Argument(step) => Some(
                code.iter()
                    .map(|(field, value)| Deed::Part {
                        owner: self.span(id, *step),
                        beside: None,
                        text: format!("{field}={value}"),
                    })
                    .collect(),
            ),
        };
        let deeds = deeds.ok_or("the values of the statement are given elsewhere")?;
        Ok(deeds.into_iter().map(|deed| Observer::act(id, deed)).collect())
    }
}

/// Whether control can come from one block to another.
fn goes_round(function: &Function, from: usize, to: usize) -> bool {
    let mut seen = BTreeSet::new();
    let mut waiting = vec![from];
    while let Some(block) = waiting.pop() {
        let next: Vec<u32> = match &function.blocks[block].next {
            Next::Goto(next) => vec![*next],
            Next::Branch { yes, no, .. } => vec![*yes, *no],
            Next::Any(all) => all.clone(),
            _ => Vec::new(),
        };
        for next in next.into_iter().map(|block| block as usize) {
            if next == to {
                return true;
            }
            if seen.insert(next) {
                waiting.push(next);
            }
        }
    }
    false
}
