//! tasks: which functions a worker runs, who hands them over, which run more than once.

use std::sync::Arc;

use trailcheck::flow::{Flow, follow};
use trailcheck::lower::lower;
use trailcheck::project::{FunctionId, Project, Retries, Roles, Task};
use trailcheck::source::{Language, Source};

fn project(files: &[(&str, &str)]) -> Project {
    let read = |&(path, text): &(&str, &str)| {
        let source = Arc::new(Source::of_text(path, Language::Python, text));
        let facts = lower(&source);
        (source, facts)
    };
    Project::new(files.iter().map(read).collect(), Roles::default())
}

/// The names of all tasks with how they run.
fn tasks(files: &[(&str, &str)]) -> Vec<String> {
    let project = project(files);
    let shown = |id: FunctionId| {
        let task = project.task(id).expect("a task");
        let Task { is_bound, is_periodic, acks_late, reject_on_worker_lost, ignore_result, .. } = *task;
        let words = [
            (is_bound, "bound"),
            (is_periodic, "periodic"),
            (acks_late, "late"),
            (reject_on_worker_lost, "rejected"),
            (ignore_result, "ignored"),
            (task.retries == Retries::Bounded, "retried"),
            (task.retries == Retries::Endless, "endless"),
        ];
        let said = words.iter().filter(|(on, _)| *on).map(|(_, word)| format!(" {word}"));
        format!("{}{}", project.function(id).qualname, said.collect::<String>())
    };
    project.task_ids().into_iter().map(shown).collect()
}

/// The functions that a worker runs, and the tasks that the others hand over.
fn followed(files: &[(&str, &str)]) -> (Project, Flow) {
    let project = project(files);
    let flow = follow(&project);
    (project, flow)
}

const APP: (&str, &str) = ("shop/celery.py", "from celery import Celery\napp = Celery('shop')\n");

#[test]
fn a_task_is_known_by_what_decorates_it() {
    let text = "\
from celery import shared_task, Task
from shop.celery import app
from flask import Flask
web = Flask(__name__)

@shared_task
def a(): ...

@shared_task(bind=True, acks_late=True, reject_on_worker_lost=True, ignore_result=True, autoretry_for=(OSError,))
def b(self): ...

@app.task(max_retries=None)
def c():
    c.retry()

@app.task(bind=True)
def d(self):
    self.retry(countdown=3)

@web.task
def no(): ...

class Emit(Task):
    autoretry_for = (OSError,)
    retry_kwargs = {'max_retries': None}

    def run(self): ...

@app.task(base=Emit)
def e(): ...
";
    let all = tasks(&[("shop/__init__.py", ""), APP, ("shop/tasks.py", text)]);
    let wanted = [
        "a",
        "b bound late rejected ignored retried",
        "c endless",
        "d bound retried",
        "e endless",
        "Emit.run bound endless",
    ];
    assert_eq!(all, wanted);
}

#[test]
fn what_the_settings_say_holds_for_all_tasks() {
    let task = "from celery import shared_task\n@shared_task\ndef a(): ...\n";
    for settings in [
        "CELERY_TASK_ACKS_LATE = True\n",
        "CELERY_ACKS_LATE = True\n",
        "from celery import Celery\napp = Celery()\napp.conf.task_acks_late = True\n",
        "from celery import Celery\napp = Celery()\napp.conf.update(task_acks_late=True)\n",
    ] {
        assert_eq!(
            tasks(&[("shop/settings.py", settings), ("shop/tasks.py", task)]),
            ["a late"],
            "{settings}"
        );
    }
    let settings = "CELERY_TASK_ACKS_LATE = False\nTASK_ACKS_LATE = True\n";
    assert_eq!(tasks(&[("shop/settings.py", settings), ("shop/tasks.py", task)]), ["a"]);
}

#[test]
fn a_schedule_names_its_tasks_in_many_ways() {
    let task =
        "from celery import shared_task\n@shared_task\ndef a(): ...\n@shared_task(name='b')\ndef b(): ...\n";
    for (schedule, wanted) in [
        ("CELERY_BEAT_SCHEDULE = {'x': {'task': 'shop.tasks.a', 'schedule': 60}}\n", ["a periodic", "b"]),
        ("app.conf.beat_schedule = {'x': {'task': 'b', 'schedule': 60}}\n", ["a", "b periodic"]),
        ("app.conf.update(beat_schedule={'x': dict(task='b', schedule=60)})\n", ["a", "b periodic"]),
        (
            "from shop.tasks import a\ndef setup(sender, **kwargs):\n    sender.add_periodic_task(60, a.s(), name='x')\n",
            ["a periodic", "b"],
        ),
        (
            "def setup(sender, **kwargs):\n    from shop import tasks\n    sender.add_periodic_task(60, tasks.b.s())\n",
            ["a", "b periodic"],
        ),
        (
            "def forwards(apps, editor):\n    Row = apps.get_model('django_celery_beat', 'PeriodicTask')\n    \
             Row.objects.get_or_create(name='x', defaults={'task': 'b', 'crontab': when})\n",
            ["a", "b periodic"],
        ),
        (
            "from django_celery_beat.models import PeriodicTask\n\
             PeriodicTask.objects.create(name='x', task='shop.tasks.a', interval=when)\n",
            ["a periodic", "b"],
        ),
        ("MESSAGES = {'x': {'task': 'shop.tasks.a', 'text': 'schedule'}}\n", ["a", "b"]),
    ] {
        assert_eq!(tasks(&[("shop/tasks.py", task), ("shop/when.py", schedule)]), wanted, "{schedule}");
    }
}

#[test]
fn handing_a_task_over_is_seen_and_the_delay_of_something_else_is_not() {
    let text = "\
from celery import shared_task, Task, current_app

@shared_task
def a(n): ...

class Emit(Task):
    def run(self): ...

class Timer:
    def delay(self): ...

def f(timer, other):
    a.delay(1)
    a.apply_async(args=[1])
    a.delay_on_commit(1)
    a.s(1)
    Emit().delay()
    current_app.send_task('tasks.a')
    a(1)
    timer.delay()
    Timer().delay()
    other.a.delay()
";
    let (project, flow) = followed(&[("tasks.py", text)]);
    let sent: Vec<(u32, String, String)> = project
        .function_ids()
        .into_iter()
        .flat_map(|id| {
            let function = project.function(id);
            let source = &project.file(id.file).source;
            let shown = |(&step, sent): (&u32, &trailcheck::flow::Enqueued)| {
                let line = source.line(function.steps[step as usize].span.start);
                (line, project.function(sent.task).qualname.clone(), format!("{:?}", sent.how))
            };
            flow.outcomes[id].enqueued.iter().map(shown).collect::<Vec<_>>()
        })
        .collect();
    let wanted = [
        (13, "a", "Now"),
        (14, "a", "Now"),
        (15, "a", "OnCommit"),
        (16, "a", "Order"),
        (17, "Emit.run", "Now"),
        (18, "a", "Now"),
    ];
    assert_eq!(sent, wanted.map(|(line, task, how)| (line, task.to_owned(), how.to_owned())));
}

#[test]
fn a_worker_runs_what_tasks_call() {
    let text = "\
from celery import shared_task

@shared_task
def once():
    first()

@shared_task(acks_late=True)
def twice():
    second()
    later.delay()

@shared_task
def later(): ...

def first():
    return [one for one in deep()]

def deep(): ...

def second():
    def inner():
        return deep()
    return inner()

def request():
    twice.delay()
";
    let (project, flow) = followed(&[("tasks.py", text)]);
    let names = |map: &rustc_hash::FxHashMap<FunctionId, FunctionId>| {
        let mut all: Vec<&str> = map.keys().map(|&id| project.function(id).name.as_str()).collect();
        all.sort_unstable();
        all
    };
    assert_eq!(names(&flow.worker.reached), ["deep", "first", "inner", "later", "once", "second", "twice"]);
    assert_eq!(names(&flow.worker.repeated), ["deep", "inner", "second", "twice"]);
}
