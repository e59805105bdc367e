"""Runs the examples of Django pages: the clinic of `fixtures/clinic` in SQLite, and Celery with a worker of its own."""

import contextlib
import os
import tempfile
import threading
import time
import types
from datetime import datetime, timezone

import pages

APPS = ["django.contrib.auth", "django.contrib.contenttypes", "ftn_audit", "clinic"]
OLD = datetime(2020, 1, 1, tzinfo=timezone.utc)


def set_up() -> None:
    """Configures Django and Celery; called once, before anything imports a model."""
    import django
    from celery import Celery
    from django.conf import settings

    # A file and not memory: a worker, and whoever else looks from outside, has a connection of its own.
    path = os.path.join(tempfile.gettempdir(), f"clinic-{os.getpid()}.sqlite3")
    settings.configure(
        SECRET_KEY="not-a-secret",
        USE_TZ=True,
        ALLOWED_HOSTS=["*"],
        INSTALLED_APPS=APPS,
        MIDDLEWARE=["ftn_audit.middleware.AuditContextMiddleware"],
        ROOT_URLCONF=__name__,
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": path, "TEST": {"NAME": path}}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        REST_FRAMEWORK={"UNAUTHENTICATED_USER": None},
    )
    django.setup()
    app = Celery("clinic", broker="memory://", backend="cache+memory://", set_as_current=True)
    app.conf.task_always_eager = True
    app.conf.task_eager_propagates = True
    app.set_default()


urlpatterns: list = []


@contextlib.contextmanager
def example(page: str, section: str, number: int = 1):
    """An example as a module. Models it makes have tables, and all it registers is forgotten afterwards."""
    from django.db import connection

    with forgetting() as made:
        module = pages.run(pages.code(page, section, number), module_name(page, section, number))
        models = [model for model in made() if not model._meta.auto_created]
        for model in models:
            with connection.schema_editor() as editor:
                editor.create_model(model)
        _tell_the_worker()
        try:
            yield module
        finally:
            for model in reversed(models):
                with connection.schema_editor() as editor:
                    editor.delete_model(model)


def module_name(*parts: object) -> str:
    """A module of the clinic, so that models which an example makes belong to it."""
    return "clinic.examples." + "_".join(map(str, parts)).replace("-", "_")


@contextlib.contextmanager
def forgetting():
    """Models, receivers, formatters and tasks that are made meanwhile are forgotten; tells the models made so far."""
    from celery import current_app
    from django.apps import apps
    from django.contrib.auth.signals import user_logged_in, user_login_failed
    from django.db.models import signals

    known = dict(apps.all_models["clinic"])
    sent = [signals.pre_save, signals.post_save, signals.pre_delete, signals.post_delete, signals.m2m_changed]
    sent += [user_logged_in, user_login_failed]
    receivers = [(signal, list(signal.receivers)) for signal in sent]
    registries = _registries()
    tasks = set(current_app.tasks)
    try:
        yield lambda: [model for label, model in apps.all_models["clinic"].items() if label not in known]
    finally:
        for signal, before in receivers:
            signal.receivers = before
            signal.sender_receivers_cache.clear()
        for registry, before in registries:
            registry.clear()
            registry.update(before)
        for name in set(current_app.tasks) - tasks:
            current_app.tasks.unregister(name)
        apps.all_models["clinic"].clear()
        apps.all_models["clinic"].update(known)
        apps.clear_cache()


def _registries() -> list:
    from ftn_audit import AuditCollectionsRegistry, AuditFormattersRegistry

    kept = [
        AuditFormattersRegistry._rules,
        AuditCollectionsRegistry._by_through,
        AuditCollectionsRegistry._by_owner_field,
    ]
    return [(registry, {key: _copy(value) for key, value in registry.items()}) for registry in kept]


def _copy(value):
    return list(value) if isinstance(value, list) else value


def aged(row):
    """Sets the time of a row's last change far back, past everything that would move it."""
    type(row)._base_manager.filter(pk=row.pk).update(updated_at=OLD)
    row.refresh_from_db()
    return row


def is_stale(row) -> bool:
    """Whether the time of a row's last change has not moved since `aged`."""
    return type(row)._base_manager.values_list("updated_at", flat=True).get(pk=row.pk) == OLD


def seen_from_outside(look):
    """What another connection sees while this one may be inside a transaction."""
    from django.db import connection

    found = []

    def run() -> None:
        try:
            found.append(look())
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return found[0] if found else None


@contextlib.contextmanager
def started_worker():
    """A real worker in a thread of its own, which stops slowly: one is enough for a run."""
    from celery import current_app
    from celery.contrib.testing.worker import start_worker

    app = current_app._get_current_object()
    with start_worker(app, perform_ping_check=False, shutdown_timeout=30) as worker:
        _workers.append(worker)
        yield


_workers: list = []


def _tell_the_worker() -> None:
    """A worker knows the tasks there were when it started; an example's came later."""
    for worker in _workers:
        worker.consumer.update_strategies()


@contextlib.contextmanager
def sent_to_the_worker():
    """Tasks are sent through memory meanwhile, and do not run where they are called."""
    from celery import current_app

    current_app.conf.task_always_eager = False
    try:
        yield
    finally:
        current_app.conf.task_always_eager = True


def until(holds) -> None:
    """Waits for what a worker does in its own time."""
    deadline = time.monotonic() + 20
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.01)


@contextlib.contextmanager
def failing(function):
    """Makes an audit write fail as a full disk would: `with failing("clinic.models.AuditLog.objects.create")`."""
    from unittest import mock

    from django.db import DatabaseError

    with mock.patch(function, side_effect=DatabaseError("disk full")):
        yield


def module(text: str, name: str = "other") -> types.ModuleType:
    """Text of a test's own, run like an example; it makes no models."""
    made = pages.run(text, module_name(name))
    _tell_the_worker()
    return made
