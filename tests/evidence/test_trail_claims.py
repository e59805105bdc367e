"""What the pages claim of the trail: what is kept without an audit row, what is told that never was, what comes too early."""

import pytest
from clinic_pages import example as clinic_example
from django.db import transaction
from pages import example
from shop.models import AuditLog, Job
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError


class Refused(Exception):
    """The audit row is refused."""


@pytest.fixture
def refused(db):
    """Every audit row is refused by the database."""

    def refuse(mapper, connection, target):
        raise OperationalError("INSERT", {}, Refused())

    event.listen(AuditLog, "before_insert", refuse)
    yield
    event.remove(AuditLog, "before_insert", refuse)


async def told(shop) -> list[str]:
    return [row["action"] for row in await shop.sql("SELECT action FROM audit_log ORDER BY id")]


async def state(shop) -> str:
    return (await shop.one("jobs"))["state"]


# audit-outside-transaction


@pytest.mark.parametrize("number", [1, 2])
async def test_the_change_is_kept_without_its_row(shop, db, refused, number):
    """Then the change is kept and nobody can tell who made it."""
    job = await shop.old_job("running")
    with pytest.raises(OperationalError):
        await example("audit-outside-transaction", "bad", number).pause(db, job)
    assert (await state(shop), await told(shop)) == ("paused", [])


async def test_one_transaction_keeps_both_or_none(shop, db, refused):
    """Write both in one transaction, so that neither is kept without the other."""
    job = await shop.old_job("running")
    with pytest.raises(OperationalError):
        await example("audit-outside-transaction", "good", 1).pause(db, job)
    await db.rollback()
    assert (await state(shop), await told(shop)) == ("running", [])


async def test_one_transaction_writes_both(shop, db):
    """Both are there."""
    await example("audit-outside-transaction", "good", 1).pause(db, await shop.old_job("running"))
    assert (await state(shop), await told(shop)) == ("paused", ["job.paused"])


async def test_a_failure_is_told_after_the_rollback(shop, db):
    """What failed is told when it has failed: the row is kept, the change is not."""
    job = await shop.old_job("running")

    def refuse_jobs(mapper, connection, target):
        raise OperationalError("UPDATE", {}, Refused())

    event.listen(Job, "before_update", refuse_jobs)
    try:
        with pytest.raises(OperationalError):
            await example("audit-outside-transaction", "good", 2).pause(db, job)
    finally:
        event.remove(Job, "before_update", refuse_jobs)
    assert (await state(shop), await told(shop)) == ("running", ["job.pause-failed"])


def test_the_receiver_tells_and_what_follows_is_lost(patient, nurse, clinic):
    """What the function adds of its own is still another transaction."""
    from django.db import DatabaseError
    from django.db.models.signals import pre_save

    def refuse(instance, **kwargs):
        if instance.action_type == "patient_discharged":
            raise DatabaseError

    with clinic_example("audit-outside-transaction", "bad", 3) as bad:
        pre_save.connect(refuse, sender=clinic.AuditLog)
        with pytest.raises(DatabaseError):
            bad.discharge(patient.pk, nurse)
    patient.refresh_from_db()
    assert patient.status == "discharged"
    assert list(clinic.AuditLog.objects.values_list("action_type", flat=True)) == ["patient_updated"]


def test_an_event_about_something_else_tells_of_no_change(patient, nurse, clinic):
    """An event about something else belongs to no change: the receiver has told of that."""
    with clinic_example("audit-outside-transaction", "good", 3) as good:
        good.sign_in(patient.pk, nurse)
    told = clinic.AuditLog.objects.order_by("pk").values_list("action_type", "patient")
    assert list(told) == [("patient_updated", patient.pk), ("login", None)]


# unaudited-state-change


async def test_a_change_that_nothing_tells_of(shop, db):
    """What is not in the trail did happen."""
    job = await shop.old_job("paused")
    await example("unaudited-state-change", "bad").resume(db, job)
    assert (await state(shop), await told(shop)) == ("running", [])


async def test_a_helper_tells_of_it(shop, db):
    """An audit row counts in what the function calls; a path that changes nothing needs none."""
    job = await shop.old_job("paused")
    good = example("unaudited-state-change", "good")
    assert await good.resume(db, job) is True
    assert await good.resume(db, job) is False
    assert (await state(shop), await told(shop)) == ("running", ["job.resumed"])


def try_to_log_in(view, password: str) -> int:
    from django.contrib.sessions.backends.signed_cookies import SessionStore
    from django.test import RequestFactory

    request = RequestFactory().post("/", {"name": "ada", "password": password})
    request.session = SessionStore()
    return view(request).status_code


def test_a_login_that_failed_leaves_no_row(clinic, nurse):
    """Where `authenticate()` has found nobody, somebody has tried, and the trail does not know."""
    with clinic_example("unaudited-state-change", "bad", 2) as bad:
        assert try_to_log_in(bad.log_in, "wrong") == 401
        assert clinic.AuditLog.objects.count() == 0
        assert try_to_log_in(bad.log_in, "right") == 200
    assert [row.action_type for row in clinic.AuditLog.objects.all()] == ["login"]


def test_a_receiver_tells_of_logins_that_fail(clinic, nurse):
    """Django sends `user_login_failed` from `authenticate()` and `user_logged_in` from `login()`."""
    from django.contrib.auth.signals import user_logged_in

    heard = []

    def hear(sender, user, **kwargs):
        heard.append(user)

    user_logged_in.connect(hear)
    try:
        with clinic_example("unaudited-state-change", "good", 2) as good:
            assert try_to_log_in(good.log_in, "wrong") == 401
            assert heard == []
            assert try_to_log_in(good.log_in, "right") == 200
    finally:
        user_logged_in.disconnect(hear)
    assert heard == [nurse]
    rows = clinic.AuditLog.objects.order_by("pk")
    assert [row.action_type for row in rows] == ["login_failed", "login"]


# audit-outside-transaction, with Django


@pytest.fixture
def changes_refused(clinic):
    """Every change of a patient is refused by the database."""
    from unittest import mock

    from django.db import DatabaseError

    with mock.patch("clinic.models.Patient.save", side_effect=DatabaseError("disk full")):
        yield


def test_the_row_stays_without_its_change(clinic, nurse, patient, changes_refused):
    """The row is there before the change, and stays when the change fails."""
    from django.db import DatabaseError

    with clinic_example("audit-outside-transaction", "bad", 4) as bad, pytest.raises(DatabaseError):
        bad.discharge(patient.pk, nurse)
    assert clinic.AuditLog.objects.count() == 1
    with clinic_example("audit-outside-transaction", "bad", 4) as good, pytest.raises(DatabaseError):
        good.admit(patient.pk, nurse)
    assert clinic.AuditLog.objects.count() == 1


def test_a_decorator_loses_the_row_of_a_change(clinic, nurse, patient):
    """A decorator writes the row when the function is through, and the change is kept without it."""
    from clinic_pages import failing
    from django.db import DatabaseError

    with clinic_example("audit-outside-transaction", "bad", 5) as bad:
        with failing("clinic.models.AuditLog.objects.create"), pytest.raises(DatabaseError):
            bad.discharge(patient.pk, nurse)
    patient.refresh_from_db()
    assert (patient.status, clinic.AuditLog.objects.count()) == ("discharged", 0)


# request-breaking-audit


async def test_a_handler_keeps_the_change_without_the_row(shop, db, refused):
    """A handler around the audit row alone that goes on keeps the change without it."""
    await example("request-breaking-audit", "bad").pause(db, await shop.old_job("running"))
    assert (await state(shop), await told(shop)) == ("paused", [])


async def test_a_failure_takes_the_change_with_it(shop, db, refused):
    """Both are in one transaction, and a failure of the audit row takes the change with it."""
    job = await shop.old_job("running")
    with pytest.raises(OperationalError):
        await example("request-breaking-audit", "good").pause(db, job)
    await db.rollback()
    assert (await state(shop), await told(shop)) == ("running", [])
    assert (await db.scalars(select(AuditLog))).all() == []


# unaudited-bulk-write


def test_a_bulk_write_leaves_no_row(clinic):
    """`QuerySet.update` sends no signal: the audit row that a receiver writes is not written."""
    clinic.Ward.objects.create(name="east", beds=2)
    with clinic_example("unaudited-bulk-write", "bad") as bad:
        bad.add_beds(["east"])
    assert clinic.Ward.objects.get().beds == 10
    assert clinic.AuditLog.objects.count() == 0


def test_other_bulk_writes_leave_none_either(clinic):
    """`bulk_create` and `bulk_update` send none."""
    with clinic_example("unaudited-bulk-write", "bad"):
        clinic.Ward.objects.bulk_create([clinic.Ward(name="east")])
        clinic.Ward.objects.bulk_update(clinic.Ward.objects.all(), ["name"])
    assert clinic.AuditLog.objects.count() == 0


def test_a_bulk_deletion_sends_the_signals_of_every_row(clinic):
    """`QuerySet.delete` sends the signals of every row it deletes."""
    from django.db.models.signals import post_delete

    clinic.Ward.objects.bulk_create([clinic.Ward(name="east"), clinic.Ward(name="west")])
    heard = []

    def hear(sender, instance, **kwargs):
        heard.append(instance.name)

    post_delete.connect(hear, sender=clinic.Ward)
    try:
        clinic.Ward.objects.all().delete()
    finally:
        post_delete.disconnect(hear, sender=clinic.Ward)
    assert sorted(heard) == ["east", "west"]


@pytest.mark.parametrize("number", [1, 2])
def test_saves_and_a_row_for_the_batch_do(clinic, nurse, number):
    """Rows that are saved one by one, or an audit row for the batch."""
    clinic.Ward.objects.bulk_create([clinic.Ward(name="east", beds=2)])
    with clinic_example("unaudited-bulk-write", "good", number) as good:
        good.add_beds(*([nurse] if number == 2 else []), ["east"])
    assert clinic.Ward.objects.get().beds == 10
    assert clinic.AuditLog.objects.count() == 1


# enqueue-before-commit


def test_a_task_is_started_for_a_row_that_never_was(clinic):
    """When the transaction is rolled back, the task has been started for something that never was."""
    with clinic_example("enqueue-before-commit", "bad") as bad:
        started = sent(bad.announce)
        with pytest.raises(Refused), transaction.atomic():
            bad.open_ward("east")
            raise Refused
    assert len(started) == 1
    assert clinic.Ward.objects.count() == 0


def test_nothing_is_started_before_the_commit(clinic):
    """`on_commit` waits for the transaction, and forgets what was rolled back."""
    with clinic_example("enqueue-before-commit", "good") as good:
        started = sent(good.announce)
        with pytest.raises(Refused), transaction.atomic():
            good.open_ward("east")
            raise Refused
        assert started == []
        good.open_ward("west")
        assert len(started) == 1


# uncommitted-audit-emission


def test_the_trail_tells_of_what_never_happened(clinic):
    """When the transaction is rolled back, the trail tells of a change that never happened."""
    with clinic_example("uncommitted-audit-emission", "bad") as bad:
        told_of = sent(bad.send_audit_event)
        with pytest.raises(Refused), transaction.atomic():
            bad.open_ward("east")
            raise Refused
    assert len(told_of) == 1
    assert clinic.Ward.objects.count() == 0


def test_an_event_waits_for_the_commit(clinic):
    """An event that is sent must wait for it."""
    with clinic_example("uncommitted-audit-emission", "good") as good:
        told_of = sent(good.send_audit_event)
        with pytest.raises(Refused), transaction.atomic():
            good.open_ward("east")
            raise Refused
        assert told_of == []
        good.open_ward("west")
    assert len(told_of) == 1


def sent(task) -> list:
    """What is handed to a worker from now on."""
    found: list = []
    task.delay = lambda *arguments: found.append(arguments)
    return found
