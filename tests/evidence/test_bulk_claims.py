"""What the page claims of bulk writes: which of them receivers, `save()` and `delete()` hear of."""

import pytest
from clinic_pages import example
from django.db import models
from django.db.models import signals

PAGE = "unaudited-bulk-write"


@pytest.fixture
def wards(clinic):
    clinic.Ward.objects.bulk_create(clinic.Ward(name=name) for name in "ab")
    return clinic.Ward.objects


def told(clinic) -> list[str]:
    return list(clinic.AuditLog.objects.order_by("pk").values_list("description", flat=True))


def test_no_receiver_hears_of_it(clinic, wards):
    """An audit row that a receiver writes is not written."""
    with example(PAGE, "bad") as page:
        page.add_beds(["a", "b"])
    assert set(wards.values_list("beds", flat=True)) == {10} and told(clinic) == []


def test_receiver_hears_of_each(clinic, wards):
    """The first good example: one row for each ward."""
    with example(PAGE, "good", 1) as page:
        page.add_beds(["a", "b"])
    assert set(wards.values_list("beds", flat=True)) == {10} and len(told(clinic)) == 2


def test_one_row_tells_of_the_batch(clinic, wards, nurse):
    """The second good example: an audit row tells of the whole batch."""
    with example(PAGE, "good", 2) as page:
        page.add_beds(nurse, ["a", "b"])
    assert told(clinic) == ["2 wards"]


@pytest.fixture
def heard(clinic, monkeypatch):
    """What signals and methods of the ward are called, in order."""
    calls = []

    def note(name):
        def receive(*arguments, **keywords):
            calls.append(name)

        return receive

    names = ("pre_save", "post_save", "post_delete")
    receivers = {name: note(name) for name in names}
    for name, receive in receivers.items():
        getattr(signals, name).connect(receive, sender=clinic.Ward)
    for method in ("save", "delete"):
        original = getattr(models.Model, method)
        monkeypatch.setattr(
            clinic.Ward,
            method,
            lambda self, *a, _method=method, _original=original, **k: (calls.append(_method), _original(self, *a, **k)),
        )
    yield calls
    for name, receive in receivers.items():
        getattr(signals, name).disconnect(receive, sender=clinic.Ward)


def test_neither_save_nor_signals(wards, heard):
    """`QuerySet.update`, `bulk_create` and `bulk_update` neither call `save()` nor send `pre_save` and `post_save`."""
    wards.update(beds=1)
    wards.bulk_create([wards.model(name="c")])
    wards.bulk_update(list(wards.all()), ["beds"])
    assert heard == []
    wards.get(name="a").save()
    assert heard == ["save", "pre_save", "post_save"]


def test_deletion_sends_signals_and_calls_no_method(wards, heard):
    """`QuerySet.delete` sends the signals of every row it deletes, but does not call `delete()` of the model."""
    wards.all().delete()
    assert heard == ["post_delete", "post_delete"]
