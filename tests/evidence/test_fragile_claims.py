"""What the page claims of tasks that carry audit events: when a message is taken for done, and how often it is tried."""

import clinic_pages
import pytest
from celery import current_app
from clinic_pages import example

PAGE = "fragile-audit-task"


class Collector:
    """Takes events, after some calls that fail."""

    def __init__(self, failures: int = 0) -> None:
        self.failures, self.events, self.calls = failures, [], 0

    def append(self, event) -> None:
        self.calls += 1
        if self.calls <= self.failures:
            raise OSError("unreachable")
        self.events.append(event)


@pytest.fixture
def trying_again():
    """Tasks run at once, and again as often as they ask for it."""
    current_app.conf.task_eager_propagates = False
    yield
    current_app.conf.task_eager_propagates = True


@pytest.mark.parametrize(("section", "is_early"), [("bad", True), ("good", False)])
def test_when_a_message_is_acknowledged(worker, section, is_early):
    """Celery acknowledges a message before the task runs: a worker that dies takes the event with it."""
    from celery.worker import state

    class Looking(Collector):
        def append(self, event) -> None:
            self.events.extend(request.acknowledged for request in state.active_requests)

    with example(PAGE, section) as page:
        page.sent = Looking()
        page.send_audit_event.delay({"action": "login"})
        clinic_pages.until(lambda: page.sent.events)
        assert page.sent.events == [is_early]


def test_lost_worker_gives_the_message_back():
    """With `acks_late=True` and `reject_on_worker_lost=True` another worker gets it."""
    with example(PAGE, "bad") as page:
        assert not page.send_audit_event.acks_late and not page.send_audit_event.reject_on_worker_lost
    with example(PAGE, "good") as page:
        assert page.send_audit_event.acks_late and page.send_audit_event.reject_on_worker_lost


def test_failure_is_the_end(trying_again):
    """A failure is the end of a task that is not retried."""
    with example(PAGE, "bad") as page:
        page.sent = Collector(failures=1)
        page.send_audit_event.delay({"action": "login"})
        assert page.sent.events == []
    with example(PAGE, "good") as page:
        page.sent = Collector(failures=1)
        page.send_audit_event.delay({"action": "login"})
        assert page.sent.events == [{"action": "login"}]


def test_retries_are_bounded(trying_again):
    """Retries are bounded: the fourth call is the last."""
    with example(PAGE, "good") as page:
        page.sent = Collector(failures=100)
        page.send_audit_event.delay({"action": "login"})
        assert page.sent.calls == 4


def test_celery_tries_three_times_or_for_ever(trying_again):
    """Celery tries three times, and for ever where `max_retries=None` says so."""
    text = (
        "from celery import shared_task\n"
        "@shared_task(autoretry_for=(OSError,), {more})\n"
        "def carry_{name}(event):\n"
        "    sent.append(event)\n"
    )
    for name, more, calls in (("some", "retry_backoff=False", 4), ("all", "max_retries=None", 31)):
        module = clinic_pages.module(text.format(name=name, more=more), f"carriers_{name}")
        module.sent = Collector(failures=30)
        getattr(module, f"carry_{name}").delay({"action": "login"})
        assert module.sent.calls == calls


@pytest.mark.parametrize(("section", "is_kept"), [("bad", True), ("good", False)])
def test_backend_keeps_what_nobody_reads(worker, section, is_kept):
    """`ignore_result=True` keeps the result backend empty."""
    from celery.result import AsyncResult

    with example(PAGE, section) as page:
        page.sent = Collector()
        result = AsyncResult(page.send_audit_event.delay({"action": "login"}).id)
        clinic_pages.until(lambda: page.sent.events)
        if is_kept:
            result.get(timeout=20)
        assert (result.state == "SUCCESS") is is_kept
