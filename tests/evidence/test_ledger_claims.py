"""What the pages claim of audit rows and audit libraries: what fails late, what is stored in vain, what is never said."""

from unittest import mock

import pytest
from clinic_pages import example
from django.core import serializers
from django.core.exceptions import FieldError, ObjectDoesNotExist, ValidationError
from django.db import connection

FIELD = "unknown-audit-field"
ACTION = "unknown-audit-action"
DIRECT = "direct-audit-write"
RAW = "raw-fixture-audit"
ROUTE = "legacy-raw-route"
WIRING = "unwired-audit-library"
COLLECTION = "unlisted-audit-collection"


# unknown-audit-field


def test_unknown_names_fail_when_the_code_runs(clinic, nurse, patient):
    """Django looks at the names when the code runs, and not before: a new row with a field that the model lacks raises
    `TypeError`, a query raises `FieldError`."""
    with example(FIELD, "bad") as bad:
        with pytest.raises(TypeError):
            bad.admitted(nurse, patient)
        with pytest.raises(TypeError):
            bad.discharged(nurse, patient)
        with pytest.raises(FieldError):
            bad.history(patient)
        with pytest.raises(FieldError):
            bad.latest()
    assert clinic.AuditLog.objects.count() == 0


def test_a_handler_hides_the_hole_in_the_trail(clinic, nurse, patient):
    """So the error is swallowed, and the trail has a hole that nobody sees."""
    with example(FIELD, "bad") as bad:
        try:
            bad.admitted(nurse, patient)
        except Exception:
            pass
    assert clinic.AuditLog.objects.count() == 0


def test_names_that_are_there_work(clinic, nurse, patient):
    """Fields and their `_id` names, annotations and lookups behind `__` are known."""
    with example(FIELD, "good") as good:
        good.admitted(nurse, patient)
        good.admitted(nurse, patient)
        assert len(good.history(patient)) == 2
        assert good.latest().action_type == "patient_admitted"
        assert [row["times"] for row in good.busiest()] == [2]


# unknown-audit-action


def test_unknown_actions_are_stored(clinic, nurse, patient):
    """`choices` is looked at by forms and by `full_clean()`; `create()` and `save()` store whatever they are handed."""
    with example(ACTION, "bad") as bad:
        bad.moved(nurse, patient)
        bad.admitted(nurse, patient)
        bad.left(nurse)
    rows = list(clinic.AuditLog.objects.order_by("pk"))
    assert [row.action_type for row in rows] == ["patient_moved", "patient_admited", "logout"]
    for row in rows:
        with pytest.raises(ValidationError):
            row.full_clean()


def test_reports_by_known_actions_pass_them_over(clinic, nurse, patient):
    """The row is there, but every report that goes by the known actions passes it over."""
    known = [action for action, _ in clinic.AuditLog.ACTION_CHOICES]
    with example(ACTION, "bad") as bad:
        bad.admitted(nurse, patient)
    assert clinic.AuditLog.objects.count() == 1
    assert clinic.AuditLog.objects.filter(action_type__in=known).count() == 0


def test_known_actions_are_found_again(clinic, nurse, patient):
    """The text is followed through constants, members of `TextChoices`, variables and helpers."""
    with example(ACTION, "good") as good:
        good.admitted(nurse, patient, again=False)
        good.came(nurse)
        assert good.comings() == 1
    for row in clinic.AuditLog.objects.all():
        assert row.get_action_type_display() != row.action_type


def test_sqlite_stores_what_is_too_long(clinic, nurse):
    """A text that is too long for its column is stored by SQLite."""
    row = clinic.AuditLog.log_activity(nurse, "x" * 60)
    row.refresh_from_db()
    assert len(row.action_type) == 60 > clinic.AuditLog._meta.get_field("action_type").max_length


# direct-audit-write


def test_rows_beside_the_method_lack_what_it_adds(clinic, nurse, patient):
    """Rows that are made beside it lack what it adds."""

    def stamped(cls, user, action_type, **more):
        return cls.objects.create(user=user, action_type=action_type, description="by the method", **more)

    with mock.patch.object(clinic.AuditLog, "log_activity", classmethod(stamped)):
        with example(DIRECT, "bad") as bad:
            bad.admitted(nurse, patient)
            bad.discharged(nurse, patient)
        assert set(clinic.AuditLog.objects.values_list("description", flat=True)) == {""}
        with example(DIRECT, "good") as good:
            good.admitted(nurse, patient)
        assert clinic.AuditLog.objects.filter(description="by the method").count() == 1


# raw-fixture-audit


def load(rows: str) -> None:
    """Saves rows as `loaddata` does."""
    for loaded in serializers.deserialize("json", rows):
        loaded.save()


def test_a_fixture_leaves_audit_rows(clinic, patient):
    """`loaddata` saves every row with `raw=True`; a receiver that does not ask writes an audit row for each of them."""
    text = serializers.serialize("json", [patient])
    with example(RAW, "bad"):
        load(text)
    assert clinic.AuditLog.objects.count() == 1


def test_a_parameter_that_nobody_reads_keeps_nothing_out(clinic, patient):
    """A parameter of that name that nobody reads is no guard."""
    text = serializers.serialize("json", [patient])
    with example(RAW, "bad", 2):
        load(text)
    assert clinic.AuditLog.objects.count() == 1


def test_a_guard_keeps_fixtures_out(clinic, patient):
    """Those that read `raw` are left alone: a fixture leaves nothing, a save still does."""
    text = serializers.serialize("json", [patient])
    with example(RAW, "good"):
        load(text)
        assert clinic.AuditLog.objects.count() == 0
        patient.save()
        assert clinic.AuditLog.objects.count() == 1


def test_a_relation_of_a_fixture_may_not_be_there_yet(clinic, patient):
    """It may also follow a relation to a row that has not been loaded yet, and fail."""
    text = serializers.serialize("json", [patient]).replace('"updated_by": null', '"updated_by": 77')
    with example(RAW, "bad"), connection.constraint_checks_disabled():
        with pytest.raises(ObjectDoesNotExist):
            load(text)
        clinic.Patient.objects.all().delete()


# legacy-raw-route, unwired-audit-library, unlisted-audit-collection


@pytest.fixture
def events():
    """What the library hands to its delivery."""
    from ftn_audit import tasks

    with mock.patch.object(tasks.emit_audit_log_task, "delay") as delay:
        yield lambda: [call.args[0] if call.args else call.kwargs for call in delay.call_args_list]


def request(run, route: str, middleware=("ftn_audit.middleware.AuditContextMiddleware",)) -> None:
    """Does the work in a request that came by a route, as Django's handler does."""
    from django.http import HttpResponse
    from django.test import Client, override_settings
    from django.urls import path

    def view(request, **kwargs):
        run()
        return HttpResponse()

    urls = type("Urls", (), {"urlpatterns": [path(route, view)]})
    with override_settings(ROOT_URLCONF=urls, MIDDLEWARE=list(middleware)):
        assert Client().post("/" + route.replace("<int:pk>", "7")).status_code == 200


def test_a_legacy_route_is_never_met(clinic, events):
    """One with `<int:pk>` or `(?P<pk>…)` in it equals nothing: the event is described by another formatter."""
    for section, meets in (("bad", False), ("good", True)):
        with example(ROUTE, section):
            before = len(events())
            request(lambda: clinic.Ward.objects.create(name=section), "wards/<int:pk>/")
            request(lambda: clinic.Ward.objects.create(name=section + "2"), "wards/<int:pk>/close/")
            told = str(events()[before:])
            assert len(events()) == before + 2
            assert ("ward renamed" in told and "ward closed" in told) is meets


def test_without_its_middleware_every_event_is_dropped(clinic, events):
    """Without its middleware ftn-audit knows no request and drops every event."""
    for section, emits in (("bad", 0), ("good", 1)):
        with example(WIRING, section) as module:
            before = len(events())
            request(lambda: clinic.Ward.objects.create(name=section), "wards/", module.MIDDLEWARE)
            assert len(events()) == before + emits


def test_a_value_it_does_not_know_is_taken_for_its_default(clinic, settings):
    """A value it does not know is taken for its default: `AUDIT_DELIVERY_MODE = "off"` goes on as if it said
    `"celery"`."""
    from ftn_audit import reset_audit_strategy
    from ftn_audit.strategy import NoopAuditStrategy, get_audit_strategy

    try:
        for section, is_off in (("bad", False), ("good", True)):
            with example(WIRING, section) as module:
                settings.AUDIT_DELIVERY_MODE = module.AUDIT_DELIVERY_MODE
                reset_audit_strategy()
                assert isinstance(get_audit_strategy(), NoopAuditStrategy) is is_off
    finally:
        reset_audit_strategy()


def test_members_come_and_go_without_a_trace(clinic, nurse, events):
    """Saving the row does not touch it, and changing it does not save the row: an audit library sees it only where it
    was told to."""
    for section, emits in (("bad", 0), ("good", 1)):
        with example(COLLECTION, section) as module:
            rota = module.Rota.objects.create()
            before = len(events())
            request(lambda: module.assign(rota, nurse), "rota/")
            assert len(events()) == before + emits
