//! project/receiver: functions that signals call: by decorator, by `connect`, in `ready()` or anywhere else.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::facts::{Argument, ArgumentKind, StepId, StepKind, Term};
use crate::name::Name;
use crate::source::Span;

use super::{ClassId, FileId, FunctionId, Project, Setting, Symbol, scope};

/// A signal that code can listen to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signal {
    /// Before a row is saved.
    PreSave,
    /// After a row was saved.
    PostSave,
    /// Before a row is deleted.
    PreDelete,
    /// After a row was deleted.
    PostDelete,
    /// When a many-to-many set changes.
    Changed,
    /// Any other, by its own name: `user_logged_in`.
    Other(Name),
}

impl Signal {
    /// Whether saving a row sends it, a row of a fixture too.
    pub fn is_of_save(self) -> bool {
        matches!(self, Signal::PreSave | Signal::PostSave)
    }

    /// Whether deleting a row sends it.
    pub fn is_of_delete(self) -> bool {
        matches!(self, Signal::PreDelete | Signal::PostDelete)
    }
}

/// Whose signals a receiver hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Senders {
    /// Everybody's.
    Any,
    /// These models', and not those of their heirs.
    These(Vec<ClassId>),
    /// Those of models that could not be told, or that are not the project's.
    Others,
}

/// A function that a signal calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receiver {
    /// The signal.
    pub signal: Signal,
    /// Whose.
    pub senders: Senders,
    /// The function.
    pub function: FunctionId,
    /// The file that connects it.
    pub file: FileId,
    /// Where: the decorated function's name, or the call.
    pub span: Span,
}

impl Receiver {
    /// Whether it surely hears what happens to rows of a model.
    pub fn hears(&self, model: ClassId) -> bool {
        match &self.senders {
            Senders::Any => true,
            Senders::These(models) => models.contains(&model),
            Senders::Others => false,
        }
    }
}

impl Project {
    /// All receivers, in path order.
    pub fn receivers(&self) -> &[Receiver] {
        &self.receivers
    }

    /// The receivers that surely hear a signal of a model.
    pub fn receivers_of(&self, model: ClassId, signal: Signal) -> impl Iterator<Item = &Receiver> {
        self.receivers.iter().filter(move |receiver| receiver.signal == signal && receiver.hears(model))
    }

    /// The signals that call a function.
    pub fn signals_of(&self, function: FunctionId) -> impl Iterator<Item = &Receiver> {
        self.receivers.iter().filter(move |receiver| receiver.function == function)
    }

    /// The class that a label of Django's like `accounts.User` names.
    pub fn labelled(&self, label: &str) -> Option<ClassId> {
        let (app, class) = label.rsplit_once('.')?;
        let app = app.rsplit('.').next().unwrap_or(app);
        let fits = |id: &ClassId| {
            // The app is the package around `models.py` or around the folder `models`.
            let module = self.module_name(id.file);
            module.split('.').rev().skip(1).take(2).any(|part| part == app)
                && module.split('.').any(|part| part == "models" || part.ends_with("models"))
        };
        let named = self.outer_classes().get(&Name::new(&class.to_ascii_lowercase()))?;
        let mut all = named.iter().copied().filter(fits);
        match (all.next(), all.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        }
    }

    /// By name in lower case: the classes that stand in no other one.
    fn outer_classes(&self) -> &FxHashMap<Name, Vec<ClassId>> {
        self.outer_classes.get_or_init(|| {
            let mut found: FxHashMap<Name, Vec<ClassId>> = FxHashMap::default();
            for id in self.class_ids() {
                let class = self.class(id);
                if !class.qualname.contains('.') {
                    found.entry(Name::new(&class.name.to_ascii_lowercase())).or_default().push(id);
                }
            }
            found
        })
    }
}

/// All receivers of a project.
pub(super) fn receivers(project: &Project) -> Vec<Receiver> {
    let of_function = |id: FunctionId| {
        let mut found = Vec::new();
        decorated(project, id, &mut found);
        connected(project, id, &mut found);
        found
    };
    let mut found: Vec<Receiver> =
        project.function_ids().into_par_iter().flat_map_iter(of_function).collect();
    found.sort_by_key(|receiver| (receiver.file, receiver.span, receiver.signal));
    found.dedup();
    found
}

/// `@receiver(post_save, sender=Model)` and `@signal.connect`.
fn decorated(project: &Project, id: FunctionId, found: &mut Vec<Receiver>) {
    let function = project.function(id);
    let scope = FunctionId { file: id.file, index: function.parent.unwrap_or(0) as u32 };
    let resolve = |term: &Term| match term {
        Term::Path(path) => project.symbol_in(scope, *path),
        _ => None,
    };
    for decorator in &function.decorators {
        let Term::Call { callee, arguments, keywords } = decorator else { continue };
        let is_receiver = match &**callee {
            Term::Path(path) => match project.symbol_in(scope, *path) {
                Some(Symbol::External(path)) => path.last() == "receiver",
                None => path.last() == "receiver",
                _ => false,
            },
            _ => false,
        };
        if !is_receiver {
            continue;
        }
        let given = arguments.first().or_else(|| named(keywords, "signal"));
        let signals: Vec<Signal> = match given {
            Some(Term::List(all)) => all.iter().filter_map(|one| signal(project, resolve(one))).collect(),
            Some(one) => signal(project, resolve(one)).into_iter().collect(),
            None => Vec::new(),
        };
        let sender = match named(keywords, "sender") {
            None | Some(Term::None) => Senders::Any,
            Some(Term::Text(label)) => of_class(project.labelled(label)),
            Some(Term::Path(path)) => sender(project, scope, *path),
            Some(Term::Call { callee, .. }) => match &**callee {
                Term::Path(path) => user_model(project, id.file, path),
                _ => Senders::Others,
            },
            Some(_) => Senders::Others,
        };
        for signal in signals {
            let (file, span) = (id.file, function.name_span);
            found.push(Receiver { signal, senders: sender.clone(), function: id, file, span });
        }
    }
}

/// `post_save.connect(handler, sender=Model)`.
fn connected(project: &Project, id: FunctionId, found: &mut Vec<Receiver>) {
    let function = project.function(id);
    for step in &function.steps {
        let StepKind::Call { callee, arguments } = &step.kind else { continue };
        let StepKind::Attribute { of, name } = function.steps[*callee as usize].kind else { continue };
        if &*name != "connect" {
            continue;
        }
        let Some(signal) = signal(project, project.symbol_of(id, of)) else { continue };
        let handed = argument(arguments, "receiver", Some(0));
        let Some(handler) = handed.and_then(|value| handler(project, id, value)) else { continue };
        let senders = match argument(arguments, "sender", Some(1)) {
            None => Senders::Any,
            Some(value) => sent_by(project, id, value),
        };
        found.push(Receiver { signal, senders, function: handler, file: id.file, span: step.span });
    }
}

/// The function that is connected: a name, or a method of a class.
fn handler(project: &Project, id: FunctionId, value: StepId) -> Option<FunctionId> {
    if let Some(Symbol::Function(function)) = project.symbol_of(id, value) {
        return Some(function);
    }
    let function = project.function(id);
    let StepKind::Attribute { of, name } = function.steps[value as usize].kind else { return None };
    let class = match function.steps[of as usize].kind {
        StepKind::Name(name) if matches!(&*name, "self" | "cls") => project.class_of(id),
        _ => match project.symbol_of(id, of) {
            Some(Symbol::Class(class)) => Some(class),
            _ => None,
        },
    };
    project.method(class?, name)
}

fn sent_by(project: &Project, id: FunctionId, value: StepId) -> Senders {
    let function = project.function(id);
    match &function.steps[value as usize].kind {
        StepKind::Literal(crate::facts::Literal::None) => Senders::Any,
        StepKind::Literal(crate::facts::Literal::Text(label)) => of_class(project.labelled(label)),
        StepKind::Call { callee, arguments } => {
            let Some(path) = scope::written_path(function, *callee) else { return Senders::Others };
            match &*path {
                // `self.get_model("Order")` and `apps.get_model("desk.Order")`
                path if path.ends_with("get_model") => {
                    let text = |argument: &Argument| match function.steps[argument.value as usize].kind {
                        StepKind::Literal(crate::facts::Literal::Text(text)) => Some(text),
                        _ => None,
                    };
                    let parts: Option<Vec<Name>> = arguments.iter().map(text).collect();
                    let parts = parts.unwrap_or_default();
                    let label = parts.iter().map(|part| part.as_str()).collect::<Vec<_>>().join(".");
                    of_class(project.labelled(&label).or_else(|| own_model(project, id, &label)))
                }
                path => user_model(project, id.file, path),
            }
        }
        StepKind::Name(name) => {
            // `for model in (Order, Line): post_save.connect(handler, sender=model)`
            if let Some(classes) = project.classes_at(id, value) {
                return Senders::These(classes);
            }
            sender(project, id, *name)
        }
        _ => match scope::written_path(function, value) {
            Some(path) => sender(project, id, path),
            None => Senders::Others,
        },
    }
}

/// The model of the app whose `ready()` asks for it by its bare name.
fn own_model(project: &Project, id: FunctionId, name: &str) -> Option<ClassId> {
    let module = project.module_name(id.file);
    let (app, _) = module.rsplit_once('.')?;
    project.labelled(&format!("{}.{name}", app.rsplit('.').next().unwrap_or(app)))
}

fn sender(project: &Project, scope: FunctionId, path: Name) -> Senders {
    match project.symbol_in(scope, path) {
        Some(Symbol::Class(class)) => Senders::These(vec![class]),
        Some(Symbol::Variable(file, name)) => match project.declared_call(file, name) {
            Some(Symbol::External(called)) => user_model(project, file, &called),
            _ => Senders::Others,
        },
        _ if path.last() == "AUTH_USER_MODEL" => user_model(project, scope.file, "get_user_model"),
        _ => Senders::Others,
    }
}

/// The model of users, where it is asked for by its function or its setting.
fn user_model(project: &Project, from: FileId, called: &str) -> Senders {
    if called.rsplit('.').next() != Some("get_user_model") {
        return Senders::Others;
    }
    match project.setting(from, "AUTH_USER_MODEL") {
        Setting::Known(label) => of_class(label.text().and_then(|label| project.labelled(&label))),
        _ => Senders::Others,
    }
}

fn of_class(class: Option<ClassId>) -> Senders {
    class.map_or(Senders::Others, |class| Senders::These(vec![class]))
}

/// The signal a symbol stands for.
fn signal(project: &Project, symbol: Option<Symbol>) -> Option<Signal> {
    match symbol? {
        Symbol::External(path) if path.split('.').any(|part| part.ends_with("signals")) => {
            Some(match path.last() {
                "pre_save" => Signal::PreSave,
                "post_save" => Signal::PostSave,
                "pre_delete" => Signal::PreDelete,
                "post_delete" => Signal::PostDelete,
                "m2m_changed" => Signal::Changed,
                other => Signal::Other(Name::new(other)),
            })
        }
        Symbol::Variable(file, name) => match project.declared_call(file, name)? {
            Symbol::External(path) if path.last() == "Signal" || path.last() == "ModelSignal" => {
                Some(Signal::Other(name))
            }
            _ => None,
        },
        _ => None,
    }
}

fn named<'t>(keywords: &'t [(Name, Term)], wanted: &str) -> Option<&'t Term> {
    keywords.iter().find(|(name, _)| &**name == wanted).map(|(_, value)| value)
}

/// An argument by its name or its place.
fn argument(arguments: &[Argument], wanted: &str, place: Option<usize>) -> Option<StepId> {
    let by_name = arguments
        .iter()
        .find(|argument| matches!(argument.kind, ArgumentKind::Keyword(name) if &*name == wanted));
    let mut plain = arguments.iter().filter(|argument| argument.kind == ArgumentKind::Plain);
    by_name.or_else(|| plain.nth(place?)).map(|argument| argument.value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::in_memory;

    /// Each receiver as `function: signal of models`.
    fn shown(project: &Project) -> Vec<String> {
        let show = |receiver: &Receiver| {
            let senders = match &receiver.senders {
                Senders::Any => "anybody".to_owned(),
                Senders::Others => "others".to_owned(),
                Senders::These(all) => all
                    .iter()
                    .map(|&class| project.class(class).name.to_string())
                    .collect::<Vec<_>>()
                    .join(" "),
            };
            format!("{}: {:?} of {senders}", project.function(receiver.function).qualname, receiver.signal)
        };
        project.receivers().iter().map(show).collect()
    }

    const MODELS: &str = "from django.db import models\nclass Order(models.Model):\n    pass\nclass Line(models.Model):\n    pass\n";

    #[test]
    fn decorators_name_signals_and_senders() {
        let project = in_memory(&[
            ("desk/models.py", MODELS),
            (
                "desk/signals.py",
                r#"
from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_in
from django.db.models import signals
from django.db.models.signals import post_save, pre_save
from django.dispatch import Signal, receiver
from desk import models
from desk.models import Order

closed = Signal()
User = get_user_model()

@receiver(post_save, sender=Order)
def one(sender, **kwargs): pass

@receiver([pre_save, signals.post_delete], sender=models.Line)
def two(sender, **kwargs): pass

@receiver(user_logged_in)
def three(sender, **kwargs): pass

@receiver(post_save, sender="desk.Order")
@receiver(signals.m2m_changed, sender=Order.tags.through)
def four(sender, **kwargs): pass

@receiver(closed)
def five(sender, **kwargs): pass

@receiver(post_save, sender=User)
def six(sender, **kwargs): pass
"#,
            ),
        ]);
        let wanted = [
            "one: PostSave of Order",
            "two: PreSave of Line",
            "two: PostDelete of Line",
            "three: Other(\"user_logged_in\") of anybody",
            "four: PostSave of Order",
            "four: Changed of others",
            "five: Other(\"closed\") of anybody",
            "six: PostSave of others",
        ];
        assert_eq!(shown(&project), wanted);
    }

    #[test]
    fn connect_is_heard_wherever_it_stands() {
        let project = in_memory(&[
            ("desk/models.py", MODELS),
            (
                "desk/handlers.py",
                "def note(sender, **kwargs): pass\nclass Notes:\n    @staticmethod\n    def keep(sender, **kwargs): pass\n",
            ),
            ("site/settings.py", "INSTALLED_APPS = []\nAUTH_USER_MODEL = 'desk.Line'\n"),
            (
                "desk/apps.py",
                r#"
from django.apps import AppConfig
from django.conf import settings
from django.db.models.signals import post_save

class DeskConfig(AppConfig):
    def ready(self):
        from django.db.models.signals import post_delete
        from desk import handlers
        from desk.handlers import note, Notes
        from desk.models import Order, Line
        post_save.connect(note, sender=Order, dispatch_uid="x")
        post_save.connect(receiver=handlers.note, sender="desk.Line")
        post_save.connect(note, sender=settings.AUTH_USER_MODEL)
        for model in (Order, Line):
            post_delete.connect(Notes.keep, sender=model)
        post_delete.connect(note)
        post_save.connect(note, sender=self.get_model("Order"))
"#,
            ),
        ]);
        let wanted = [
            "note: PostSave of Order",
            "note: PostSave of Line",
            "note: PostSave of Line",
            "Notes.keep: PostDelete of Order Line",
            "note: PostDelete of anybody",
            "note: PostSave of Order",
        ];
        assert_eq!(shown(&project), wanted);
    }
}
