"""What the real ftn-audit does behind real URLs, and the facts of it that the rules go by."""

import re

import clinic_pages
import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import path, re_path


@pytest.fixture
def said(clinic, settings, monkeypatch):
    """What ftn-audit hands to its task, as descriptions."""
    from ftn_audit import reset_audit_strategy

    events = []
    monkeypatch.setattr("ftn_audit.tasks.emit_audit_log_task.delay", events.append)
    settings.AUDIT_DELIVERY_MODE = "celery"
    reset_audit_strategy()
    yield lambda: [event["description"] for event in events]
    reset_audit_strategy()


@pytest.fixture
def urls(monkeypatch):
    """Serves views of the test's own."""
    from django.urls import clear_url_caches

    def serve(*patterns):
        monkeypatch.setattr(clinic_pages, "urlpatterns", list(patterns))
        clear_url_caches()

    yield serve
    clear_url_caches()


@pytest.fixture
def web():
    from django.test import Client

    return Client()


def test_how_the_middleware_writes_a_route(clinic, urls, web):
    """The middleware writes a route as `METHOD|/path/:name`, whatever the URL configuration says; a placeholder that is
    only a part of a segment stays as it is written."""
    from ftn_audit.context_storage import get_current_audit_context

    def view(request, **arguments):
        return HttpResponse(get_current_audit_context().raw_route)

    urls(
        path("wards/<int:pk>/", view),
        re_path(r"^beds/(?P<pk>\d+)/close/$", view),
        path("report-<int:pk>.pdf", view),
    )
    assert web.post("/wards/4/").content == b"POST|/wards/:pk/"
    assert web.get("/beds/4/close/").content == b"GET|/beds/:pk/close/"
    assert web.get("/report-4.pdf").content == b"GET|/report-<int:pk>.pdf"


@pytest.mark.parametrize(("section", "words"), [
    ("bad", ["Created Ward #N", "Created Ward #N"]),
    ("good", ["ward renamed", "ward closed"]),
])
def test_which_formatter_speaks(said, clinic, urls, web, section, words):
    """One with `<int:pk>` or `(?P<pk>…)` in it equals nothing: no error comes of it, the event is described by another
    formatter."""

    def view(request, pk):
        clinic.Ward.objects.create(name=f"{pk}{request.path}")
        return HttpResponse()

    urls(path("wards/<int:pk>/", view), re_path(r"^wards/(?P<pk>\d+)/close/$", view))
    with clinic_pages.example("legacy-raw-route", section):
        assert web.post("/wards/4/").status_code == 200
        assert web.post("/wards/4/close/").status_code == 200
    assert [re.sub(r"\d+", "N", description) for description in said()] == words


def test_without_its_app_no_signal_reaches_it():
    """Without its app no signal reaches it: the receivers are connected when the app is ready."""
    import os
    import subprocess
    import sys

    text = (
        "import django\n"
        "from django.conf import settings\n"
        "apps = ['django.contrib.contenttypes', *{more!r}]\n"
        "settings.configure(INSTALLED_APPS=apps)\n"
        "django.setup()\n"
        "from django.db.models.signals import post_save\n"
        "print(len(post_save.receivers))\n"
    )
    without, with_it = (
        int(subprocess.run(
            [sys.executable, "-c", text.format(more=more)],
            check=True, capture_output=True, text=True, env={"PATH": os.environ["PATH"]},
        ).stdout)
        for more in ([], ["ftn_audit"])
    )
    assert with_it == without + 1


def test_old_import_path_is_gone():
    """`ftn_audit.jobs` was renamed to `ftn_audit.tasks`."""
    with pytest.raises(ModuleNotFoundError):
        __import__("ftn_audit.jobs")
    from ftn_audit.tasks import emit_audit_log_task

    assert emit_audit_log_task.name == "ftn_audit.emit_audit_log"


def test_its_task_is_not_fragile():
    """Bounded retries, late acknowledgement with `reject_on_worker_lost`, `ignore_result`."""
    from ftn_audit.tasks import emit_audit_log_task as task

    assert task.acks_late and task.reject_on_worker_lost and task.ignore_result and task.max_retries == 2


def test_it_sends_after_the_commit_only(said, clinic, urls):
    """Events are emitted only after the commit, and not at all after a rollback."""
    from django.db import transaction
    from ftn_audit.middleware import AuditContextMiddleware

    with clinic_pages.example("legacy-raw-route", "good"):

        def work(request):
            with transaction.atomic():
                clinic.Ward.objects.create(name="A")
                assert said() == []
            try:
                with transaction.atomic():
                    clinic.Ward.objects.create(name="B")
                    raise KeyError
            except KeyError:
                pass
            return HttpResponse()

        middleware = AuditContextMiddleware(work)
        request = RequestFactory().post("/")
        request.resolver_match = None

        def run(request):
            middleware.process_view(request, work, (), {})
            return work(request)

        middleware.get_response = run
        middleware(request)
    assert len(said()) == 1 and clinic.Ward.objects.count() == 1


def test_it_leaves_fixtures_and_bulk_writes_alone(said, clinic):
    """Bulk operations bypass the signals, and `raw=True` is ignored."""
    from ftn_audit import AuditContext
    from ftn_audit.context_storage import set_current_audit_context
    from django.db.models.signals import post_save

    with clinic_pages.example("legacy-raw-route", "good"):
        set_current_audit_context(AuditContext())
        try:
            clinic.Ward.objects.bulk_create([clinic.Ward(name="A")])
            clinic.Ward.objects.update(beds=2)
            post_save.send(clinic.Ward, instance=clinic.Ward.objects.get(), created=True, raw=True)
            assert said() == []
            clinic.Ward.objects.create(name="B")
            assert len(said()) == 1
        finally:
            set_current_audit_context(None)
