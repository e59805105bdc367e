//! project/task: functions that a worker runs: Celery tasks, how they are acknowledged and retried, and who schedules them.

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::{Argument, ArgumentKind, Function, Literal, StepId, StepKind, Term};
use crate::name::Name;

use super::{Ancestor, ClassId, FileId, FunctionId, Project, Symbol};

/// A function that a worker runs some time after somebody asked for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Task {
    /// The name it is registered with, where the code gives it one; else it is its module and its own name.
    pub name: Option<Name>,
    /// Whether its first parameter is the task itself.
    pub is_bound: bool,
    /// Whether a schedule runs it again and again.
    pub is_periodic: bool,
    /// Whether the message is acknowledged when the task is done, so that a worker that dies leaves it to another.
    pub acks_late: bool,
    /// Whether a task whose worker is lost is handed to another one.
    pub reject_on_worker_lost: bool,
    /// Whether what it returns is thrown away.
    pub ignore_result: bool,
    /// Whether and how it is run again after a failure.
    pub retries: Retries,
}

impl Task {
    /// Whether one order may run it more than once.
    pub fn may_repeat(&self) -> bool {
        self.is_periodic || self.acks_late || self.retries != Retries::Never
    }
}

/// Whether and how a task is run again after a failure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Retries {
    /// A failure is its end.
    #[default]
    Never,
    /// It is tried again a few times.
    Bounded,
    /// It is tried again for ever.
    Endless,
}

/// How a task is handed to a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enqueue {
    /// At once.
    Now,
    /// When the transaction around has committed.
    OnCommit,
    /// Not yet: the order is made, and somebody else will send it.
    Order,
}

/// How a method of a task hands it to a worker; nothing for a method that does not.
pub fn enqueue(method: &str) -> Option<Enqueue> {
    match method {
        "delay" | "apply_async" => Some(Enqueue::Now),
        "delay_on_commit" | "apply_async_on_commit" => Some(Enqueue::OnCommit),
        "s" | "si" | "signature" | "subtask" => Some(Enqueue::Order),
        _ => None,
    }
}

impl Project {
    /// The task that a function is.
    pub fn task(&self, function: FunctionId) -> Option<&Task> {
        self.tasks.get(&function)
    }

    /// The function that runs when an instance of a task class is asked to.
    pub fn task_of_class(&self, class: ClassId) -> Option<FunctionId> {
        let run = self.method(class, Name::new("run"))?;
        self.tasks.contains_key(&run).then_some(run)
    }

    /// The task that is registered with a name; nothing when several may be.
    pub fn task_named(&self, name: &str) -> Option<FunctionId> {
        let mut fitting = self.tasks.iter().filter(|(id, task)| self.is_called(**id, task, name));
        match (fitting.next(), fitting.next()) {
            (Some((&id, _)), None) => Some(id),
            _ => None,
        }
    }

    /// All tasks, in the order of their files.
    pub fn task_ids(&self) -> Vec<FunctionId> {
        let mut all: Vec<FunctionId> = self.tasks.keys().copied().collect();
        all.sort();
        all
    }

    /// Paths are scanned from anywhere, so the module's path may be shorter or longer than the one Python knows.
    fn is_called(&self, id: FunctionId, task: &Task, name: &str) -> bool {
        if let Some(own) = task.name {
            return &*own == name;
        }
        let own = self.function(id).name;
        let full = match self.module_name(id.file).as_str() {
            "" => own.to_string(),
            module => format!("{module}.{own}"),
        };
        let ends = |long: &str, short: &str| {
            long.strip_suffix(short).is_some_and(|start| start.is_empty() || start.ends_with('.'))
        };
        ends(&full, name) || ends(name, &full)
    }
}

/// All tasks of a project.
pub(super) fn tasks(project: &Project) -> FxHashMap<FunctionId, Task> {
    let decorated = |id: FunctionId| {
        let mut decorators = project.function(id).decorators.iter();
        let decorator = decorators.find_map(|decorator| Decorator::of(project, id.file, decorator))?;
        Some((id, of_function(project, id, &decorator)))
    };
    let mut found: FxHashMap<FunctionId, Task> =
        project.function_ids().into_par_iter().filter_map(decorated).collect();
    for class in project.class_ids() {
        if is_task_class(project, class)
            && let Some(run) = project.method(class, Name::new("run"))
            && project.class_of(run) == Some(class)
        {
            found.insert(run, of_class(project, class, run));
        }
    }
    if found.is_empty() {
        return found;
    }
    let general = general(project);
    for task in found.values_mut() {
        task.acks_late |= general.acks_late;
        task.reject_on_worker_lost |= general.reject_on_worker_lost;
        task.ignore_result |= general.ignore_result;
    }
    let scheduled = |(id, task): (&FunctionId, &Task)| {
        let is_named = general.scheduled.iter().any(|name| project.is_called(*id, task, name));
        (is_named || general.by_value.contains(id)).then_some(*id)
    };
    let periodic: Vec<FunctionId> = found.iter().filter_map(scheduled).collect();
    for id in periodic {
        if let Some(task) = found.get_mut(&id) {
            task.is_periodic = true;
        }
    }
    found
}

/// A decorator that makes a task.
struct Decorator<'t> {
    keywords: &'t [(Name, Term)],
    is_periodic: bool,
}

impl<'t> Decorator<'t> {
    fn of(project: &Project, file: FileId, decorator: &'t Term) -> Option<Decorator<'t>> {
        let (path, keywords) = match decorator {
            Term::Path(path) => (*path, &[][..]),
            Term::Call { callee, keywords, .. } => match **callee {
                Term::Path(path) => (path, keywords.as_slice()),
                _ => return None,
            },
            _ => return None,
        };
        if let Some(Symbol::External(full)) = project.resolve_path(file, path) {
            let is_celery = full.starts_with("celery.")
                && matches!(full.last(), "task" | "shared_task" | "periodic_task");
            if is_celery {
                return Some(Decorator { keywords, is_periodic: full.last() == "periodic_task" });
            }
        }
        let (owner, method) = path.rsplit_once('.')?;
        (method == "task" && is_app(project, file, Name::new(owner)))
            .then_some(Decorator { keywords, is_periodic: false })
    }

    fn keyword(&self, name: &str) -> Option<&'t Term> {
        self.keywords.iter().find(|(keyword, _)| &**keyword == name).map(|(_, value)| value)
    }
}

/// Whether a path names a Celery application.
fn is_app(project: &Project, file: FileId, path: Name) -> bool {
    let speaks_of_it = |path: &str| path.to_lowercase().contains("celery");
    match project.resolve_path(file, path) {
        Some(Symbol::Variable(file, name)) => match project.declared_call(file, name) {
            Some(Symbol::External(maker)) => maker.starts_with("celery.") && maker.last() == "Celery",
            Some(Symbol::Class(class)) => is_of(project, class, "Celery"),
            // A function that makes the application says so, in its name or the variable's.
            Some(Symbol::Function(maker)) => {
                speaks_of_it(&project.function(maker).name) || speaks_of_it(&name)
            }
            _ => speaks_of_it(&name),
        },
        Some(Symbol::External(path)) => speaks_of_it(&path),
        None => speaks_of_it(&path),
        _ => false,
    }
}

fn is_of(project: &Project, class: ClassId, name: &str) -> bool {
    project.hierarchy(class).externals().any(|path| path.starts_with("celery.") && path.last() == name)
}

fn is_task_class(project: &Project, class: ClassId) -> bool {
    // `app.Task` is the same class, bound to the application.
    let of_app = |ancestor: &Ancestor| match ancestor {
        Ancestor::External(path) => path
            .rsplit_once('.')
            .is_some_and(|(owner, last)| last == "Task" && is_app(project, class.file, Name::new(owner))),
        Ancestor::Project(_) => false,
    };
    is_of(project, class, "Task") || project.hierarchy(class).line.iter().any(of_app)
}

fn of_function(project: &Project, id: FunctionId, decorator: &Decorator<'_>) -> Task {
    let base = match decorator.keyword("base") {
        Some(Term::Path(path)) => match project.resolve_path(id.file, *path) {
            Some(Symbol::Class(class)) => Some(class),
            _ => None,
        },
        _ => None,
    };
    let option = |name: &str| {
        let inherited = || project.class_field(base?, Name::new(name))?.1.value.as_ref();
        decorator.keyword(name).or_else(inherited)
    };
    let mut task = with_options(project.function(id), option);
    task.is_bound = decorator.keyword("bind") == Some(&Term::Switch(true));
    task.is_periodic = decorator.is_periodic;
    task
}

fn of_class(project: &Project, class: ClassId, run: FunctionId) -> Task {
    let option = |name: &str| project.class_field(class, Name::new(name))?.1.value.as_ref();
    let mut task = with_options(project.function(run), option);
    task.is_bound = true;
    task
}

fn with_options<'t>(function: &Function, option: impl Fn(&str) -> Option<&'t Term>) -> Task {
    let is_on = |name: &str| option(name) == Some(&Term::Switch(true));
    let name = match option("name") {
        Some(Term::Text(name)) => Some(*name),
        _ => None,
    };
    // `retry_kwargs={"max_retries": …}` says the same for automatic retries.
    let of_retry = match option("retry_kwargs") {
        Some(Term::Call { keywords, .. }) => {
            keywords.iter().find(|(name, _)| &**name == "max_retries").map(|(_, value)| value)
        }
        _ => None,
    };
    let is_automatic = option("autoretry_for").is_some_and(|kinds| *kinds != Term::List(Vec::new()));
    let retries = match of_retry.or_else(|| option("max_retries")) {
        _ if !is_automatic && !retries_itself(function) => Retries::Never,
        Some(Term::None) => Retries::Endless,
        // Without a word, Celery tries three times.
        _ => Retries::Bounded,
    };
    Task {
        name,
        acks_late: is_on("acks_late"),
        reject_on_worker_lost: is_on("reject_on_worker_lost"),
        ignore_result: is_on("ignore_result"),
        retries,
        ..Task::default()
    }
}

/// Whether a function calls `retry` of its own task: the first parameter, or itself by name.
fn retries_itself(function: &Function) -> bool {
    let first = function.params.first().map(|param| param.name);
    function.steps.iter().any(|step| {
        let StepKind::Call { callee, .. } = step.kind else { return false };
        let StepKind::Attribute { of, name } = function.steps[callee as usize].kind else { return false };
        let of_task = matches!(function.steps[of as usize].kind, StepKind::Name(name)
            if Some(name) == first || name == function.name);
        &*name == "retry" && of_task
    })
}

/// What the whole program says of its tasks.
#[derive(Default)]
struct General {
    acks_late: bool,
    reject_on_worker_lost: bool,
    ignore_result: bool,
    /// Names of tasks in schedules.
    scheduled: FxHashSet<Name>,
    /// Tasks in schedules that are named by the function itself.
    by_value: FxHashSet<FunctionId>,
}

impl General {
    fn and(mut self, other: General) -> General {
        self.acks_late |= other.acks_late;
        self.reject_on_worker_lost |= other.reject_on_worker_lost;
        self.ignore_result |= other.ignore_result;
        self.scheduled.extend(other.scheduled);
        self.by_value.extend(other.by_value);
        self
    }

    /// A setting, under any of the names that Celery reads it by.
    fn set(&mut self, name: &str, value: &StepKind) {
        if !matches!(value, StepKind::Literal(Literal::Switch(true))) {
            return;
        }
        let short = name.strip_prefix("CELERY_").unwrap_or(name).to_lowercase();
        match short.strip_prefix("task_").unwrap_or(&short) {
            "acks_late" => self.acks_late = true,
            "reject_on_worker_lost" => self.reject_on_worker_lost = true,
            "ignore_result" => self.ignore_result = true,
            _ => {}
        }
    }
}

/// Settings of the application, and the entries of schedules, wherever they are written.
fn general(project: &Project) -> General {
    let of_function = |mut found: General, id: FunctionId| {
        let function = project.function(id);
        for step in &function.steps {
            match &step.kind {
                StepKind::Bind { name, value, .. }
                    if function.parent.is_none() && name.starts_with("CELERY_") =>
                {
                    found.set(name, &function.steps[*value as usize].kind);
                }
                // `app.conf.task_acks_late = True`
                StepKind::Store { of, name, value } if matches!(function.steps[*of as usize].kind, StepKind::Attribute { name, .. } if &*name == "conf") =>
                {
                    found.set(name, &function.steps[*value as usize].kind);
                }
                StepKind::Dictionary(entries) => {
                    let text = |step: StepId| text(function, step);
                    let named = entries.iter().filter_map(|(key, value)| Some((text((*key)?)?, *value)));
                    let named: Vec<(Name, StepId)> = named.collect();
                    found.scheduled.extend(scheduled(function, &named));
                }
                StepKind::Call { callee, arguments } => call(project, id, *callee, arguments, &mut found),
                _ => {}
            }
        }
        found
    };
    project
        .function_ids()
        .into_par_iter()
        .fold(General::default, of_function)
        .reduce(General::default, General::and)
}

fn call(project: &Project, id: FunctionId, callee: StepId, arguments: &[Argument], found: &mut General) {
    let function = project.function(id);
    let keywords = arguments.iter().filter_map(|argument| match argument.kind {
        ArgumentKind::Keyword(name) => Some((name, argument.value)),
        _ => None,
    });
    let keywords: Vec<(Name, StepId)> = keywords.collect();
    found.scheduled.extend(scheduled(function, &keywords));
    let StepKind::Attribute { of, name: method } = function.steps[callee as usize].kind else { return };
    match &*method {
        // `app.conf.update(task_acks_late=True)`
        "update" if matches!(function.steps[of as usize].kind, StepKind::Attribute { name, .. } if &*name == "conf") => {
            for (name, value) in keywords {
                found.set(&name, &function.steps[value as usize].kind);
            }
        }
        // `sender.add_periodic_task(30.0, task.s(…))`
        "add_periodic_task" => {
            let plain = arguments.iter().filter(|argument| argument.kind == ArgumentKind::Plain);
            let Some(order) = plain.map(|argument| argument.value).nth(1) else { return };
            let StepKind::Call { callee, .. } = function.steps[order as usize].kind else { return };
            let StepKind::Attribute { of, .. } = function.steps[callee as usize].kind else { return };
            if let Some(Symbol::Function(task)) = project.symbol_of(id, of) {
                found.by_value.insert(task);
            }
        }
        _ => {}
    }
}

/// What says when a task is to run.
const SCHEDULES: &[&str] = &["schedule", "crontab", "interval", "solar", "clocked"];

/// The task that an entry of a schedule names: a dictionary of settings, or a row of django-celery-beat.
fn scheduled(function: &Function, entry: &[(Name, StepId)]) -> Option<Name> {
    let says_when = entry.iter().any(|(key, _)| SCHEDULES.contains(&&**key));
    let task = entry.iter().find(|(key, _)| &**key == "task").filter(|_| says_when)?;
    text(function, task.1)
}

fn text(function: &Function, step: StepId) -> Option<Name> {
    match function.steps[step as usize].kind {
        StepKind::Literal(Literal::Text(text)) => Some(text),
        _ => None,
    }
}
