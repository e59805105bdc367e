//! flow/observe/ledger: what was seen of audit rows: names and actions that their model does not know, ways around it.

use std::cell::OnceCell;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::{Literal, ParamKind, StepKind, Term};
use crate::name::Name;
use crate::nearest::nearest;
use crate::project::{
    AuditFaults, ClassId, Direct, FunctionId, Receiver, Strange, StrangeAction, Taker, Unfit,
    leaves_calls_alone,
};
use crate::vocabulary::Observation;

use super::super::verdict::Judgement;
use super::Observer;

/// The longest expression that a message quotes.
const LONGEST_QUOTE: usize = 60;

/// How many names are listed where none is near.
const MOST_NAMES: usize = 12;

impl Observer<'_> {
    /// Calls that have to do with audit rows, and what is wrong with them.
    pub(super) fn ledger(&self, judgements: &[Judgement]) -> Vec<Observation> {
        let faults = self.project.audit_faults();
        let mut seen: Vec<Observation> = faults.strange.iter().map(|strange| self.strange(strange)).collect();
        seen.extend(faults.actions.iter().map(|action| self.strange_action(action)));
        seen.extend(faults.direct.iter().map(|direct| self.direct(direct)));
        seen.extend(self.raw_saves(&faults, judgements));
        seen
    }

    fn strange(&self, strange: &Strange) -> Observation {
        let mut seen = self.of_model(strange.function, strange.step, strange.model);
        let entity = self.project.entity_name(strange.model);
        let (word, taker, happens) = match strange.taker {
            Taker::Row => ("field", format!("`{entity}`"), "the call raises `TypeError`"),
            Taker::Query => ("field", format!("`{entity}`"), "the query raises `FieldError`"),
            Taker::Helper(helper) => {
                let qualname = &self.project.function(helper).qualname;
                ("parameter", format!("`{qualname}()`"), "the call raises `TypeError`")
            }
        };
        seen.say("audit-name", word);
        seen.show("names", quoted(&strange.names));
        seen.show("taker", taker);
        seen.show("happens", happens);
        let known = || strange.known.iter().map(|name| name.as_str());
        let near = strange.names.iter().find_map(|name| Some((name, nearest(name, known())?)));
        let instead = match near {
            Some((name, near)) => format!("Write `{near}` for `{name}`"),
            None => {
                let listed: Vec<Name> = match strange.taker {
                    Taker::Helper(_) => strange.known.iter().copied().collect(),
                    _ => self.columns_of(strange.model),
                };
                format!("There are {}", quoted(&listed[..listed.len().min(MOST_NAMES)]))
            }
        };
        seen.show("instead", instead);
        seen.remedies.extend(self.right_names(strange));
        seen
    }

    fn strange_action(&self, action: &StrangeAction) -> Observation {
        let mut seen = self.of_model(action.function, action.step, action.model);
        let entity = self.project.entity_name(action.model);
        let column = format!("`{entity}.{}`", action.column);
        seen.say("audit-use", if action.is_looked_up { "query" } else { "row" });
        seen.show("value", format!("`{}`", action.text));
        seen.show("field", action.column.as_str());
        match action.unfit {
            Unfit::NoChoice => {
                seen.say("audit-action", "no-choice");
                seen.show("unfit", format!("is none of the choices of {column}"));
            }
            Unfit::TooLong(limit) => {
                seen.say("audit-action", "too-long");
                seen.show("unfit", format!("is longer than the {limit} characters of {column}"));
            }
        }
        let choices = self.choices_of(action.model, action.column);
        let near = nearest(&action.text, choices.iter().map(|choice| choice.as_str()));
        if action.unfit == Unfit::NoChoice {
            seen.remedies.extend(near.and_then(|near| self.right_action(action, near)));
        }
        seen.show(
            "instead",
            match (action.unfit, near) {
                (Unfit::NoChoice, Some(near)) => format!("Write `{near}`, or add the action to the choices"),
                (Unfit::NoChoice, None) => "Add the action to the choices, or use one of them".to_owned(),
                (Unfit::TooLong(_), _) => "Shorten it, or make the column longer".to_owned(),
            },
        );
        seen
    }

    fn direct(&self, direct: &Direct) -> Observation {
        let mut seen = self.of_model(direct.function, direct.step, direct.model);
        seen.say("audit-row", "direct");
        let method = self.project.function(direct.method);
        seen.show("method", method.qualname.clone());
        seen.related.push(("the logging method".into(), direct.method.file.0 as usize, method.name_span));
        seen
    }

    /// An observation about a model of audit rows.
    fn of_model(&self, id: FunctionId, step: u32, model: ClassId) -> Observation {
        let mut seen = self.at(id, self.span(id, step));
        let name = self.project.entity_name(model);
        seen.entity = Some(name.to_string());
        seen.show("entity", name.as_str());
        seen.say("audit-model", if self.project.audit().is_named { "named" } else { "guessed" });
        let call = self.call_text(id, step);
        let line = call.split('(').next().unwrap_or_default();
        let is_short = line.chars().count() <= LONGEST_QUOTE && !line.contains('\n');
        seen.show("call", if is_short { format!("{line}()") } else { "the call".to_owned() });
        seen
    }

    fn columns_of(&self, model: ClassId) -> Vec<Name> {
        let mut names: Vec<Name> = self
            .project
            .django(model)
            .map(|django| django.fields.keys().copied().collect())
            .unwrap_or_default();
        names.sort();
        names
    }

    fn choices_of(&self, model: ClassId, column: Name) -> Vec<Name> {
        let field = self.project.django(model).and_then(|django| django.fields.get(&column));
        match field.map(|field| &field.choices) {
            Some(crate::project::Choices::Among(known)) => known.iter().copied().collect(),
            _ => Vec::new(),
        }
    }

    /// Receivers of save signals that write and do not look at `raw`.
    fn raw_saves(&self, faults: &AuditFaults, judgements: &[Judgement]) -> Vec<Observation> {
        let writers: FxHashSet<FunctionId> = judgements.iter().map(|judgement| judgement.function).collect();
        let names = OnceCell::new();
        let mut told: FxHashMap<FunctionId, ()> = FxHashMap::default();
        let mut seen = Vec::new();
        let of_save = |receiver: &&Receiver| receiver.signal.is_of_save();
        for receiver in self.project.receivers().iter().filter(of_save) {
            let id = receiver.function;
            if told.insert(id, ()).is_some() || self.looks_at_raw(id) {
                continue;
            }
            let reached = self.reached(id);
            let what = if reached.iter().any(|id| faults.makers.contains(id)) {
                "audit"
            } else if reached.iter().any(|id| writers.contains(id))
                || self.project.make_rows(&reached, names.get_or_init(|| self.project.names_of_rows()))
            {
                "row"
            } else {
                continue;
            };
            let mut here = self.at(id, self.project.function(id).name_span);
            here.say("raw-save", what);
            here.show("what", if what == "audit" { "audit rows" } else { "rows" });
            if receiver.span != here.span || receiver.file != id.file {
                here.related.push(("connected here".into(), receiver.file.0 as usize, receiver.span));
            }
            here.remedies.extend(self.raw_guard(id));
            seen.push(here);
        }
        seen
    }

    /// Whether a receiver may know that a fixture is being loaded.
    fn looks_at_raw(&self, id: FunctionId) -> bool {
        let function = self.project.function(id);
        // Another decorator may keep such calls away.
        let is_known = |decorator: &Term| match decorator {
            Term::Call { callee, .. } => matches!(&**callee, Term::Path(path) if path.last() == "receiver"),
            decorator => leaves_calls_alone(decorator),
        };
        let rest = function.params.iter().find(|param| param.kind == ParamKind::RestKeywords);
        let hands_on = |step: &StepKind| match (step, rest) {
            (StepKind::Call { arguments, .. }, Some(rest)) => arguments.iter().any(|argument| {
                matches!(function.steps[argument.value as usize].kind,
                    StepKind::Name(name) if name == rest.name)
            }),
            _ => false,
        };
        let reads_raw = |step: &StepKind| match step {
            StepKind::Literal(Literal::Text(text)) => &**text == "raw",
            StepKind::Name(name) => &**name == "raw",
            _ => false,
        };
        // A parameter that nobody reads keeps nothing away; a function inside may read it.
        let facts = &self.project.file(id.file).facts;
        let within = |index: &usize| {
            let mut around = std::iter::successors(Some(*index), |at| facts.functions[*at].parent);
            around.any(|at| at == id.index as usize)
        };
        let names_raw = (0..facts.functions.len())
            .filter(within)
            .any(|index| facts.functions[index].steps.iter().any(|step| reads_raw(&step.kind)));
        names_raw
            || !function.decorators.iter().all(is_known)
            || function.steps.iter().any(|step| hands_on(&step.kind))
    }

    /// A function and all that its code calls, as far as it is known.
    fn reached(&self, id: FunctionId) -> Vec<FunctionId> {
        let mut found = vec![id];
        let mut at = 0;
        while let Some(&next) = found.get(at) {
            at += 1;
            for &callee in self.flow.outcomes.get(next).map(|outcome| &outcome.calls).into_iter().flatten() {
                if !found.contains(&callee) && found.len() < 200 {
                    found.push(callee);
                }
            }
        }
        found
    }
}

/// `a`, `b` and `c`.
fn quoted(names: &[Name]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}
