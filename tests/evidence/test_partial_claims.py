"""What the page on saves in part claims: which columns such a save leaves as they were."""

from datetime import UTC, datetime

import pytest
from clinic_pages import example

PAGE = "partial-save"
OLD = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def visit(clinic, patient):
    visit = clinic.Visit.objects.create(patient=patient, reason="Check")
    clinic.Visit.objects.update(updated_at=OLD)
    return visit


@pytest.fixture
def prescription(clinic, patient):
    prescription = clinic.Prescription.objects.create(patient=patient, drug="A")
    clinic.Prescription.objects.update(updated_at=OLD)
    return prescription


def test_update_fields_leaves_auto_now_behind(visit):
    """`save(update_fields=…)` writes the columns it names; a field with `auto_now` keeps its old time."""
    with example(PAGE, "bad", 1) as bad:
        bad.close(visit.pk)
    visit.refresh_from_db()
    assert visit.done and visit.updated_at == OLD
    with example(PAGE, "good", 1) as good:
        good.close(visit.pk)
    visit.refresh_from_db()
    assert visit.updated_at > OLD


def test_a_list_that_grows_may_lack_it_too(visit):
    """What is appended to the list is written, and nothing else."""
    with example(PAGE, "bad", 2) as bad:
        bad.amend(visit.pk, "Again", True)
    visit.refresh_from_db()
    assert (visit.reason, visit.done, visit.updated_at) == ("Again", True, OLD)


def test_an_assigned_actor_is_dropped(patient, nurse):
    """A stamp that the code has assigned is not written unless the list names it."""
    with example(PAGE, "bad", 3) as bad:
        bad.rename(patient.pk, "Bea", nurse)
    patient.refresh_from_db()
    assert patient.name == "Bea" and patient.updated_by is None
    with example(PAGE, "good", 1) as good:
        good.rename(patient.pk, "Bea", nurse)
    patient.refresh_from_db()
    assert patient.updated_by == nurse


def test_the_stamp_of_save_is_dropped(prescription):
    """`save()` of the model stamps the row in memory, and the list keeps it out of the table."""
    with example(PAGE, "bad", 4) as bad:
        bad.correct(prescription.pk, "B")
    prescription.refresh_from_db()
    assert (prescription.drug, prescription.updated_at) == ("B", OLD)


def test_update_or_create_drops_it_and_keeps_auto_now(clinic, patient, prescription, visit):
    """`update_or_create()` writes its defaults and the dates and times of the model, but no actor that `save()`
    stamps."""
    with example(PAGE, "bad", 5) as bad:
        shift = bad.Shift.objects.create(day=OLD.date())
        bad.who.set("ada")
        bad.plan(shift.day, 4)
        shift.refresh_from_db()
        assert (shift.beds, shift.updated_by) == (4, "system")
    clinic.Prescription.objects.update_or_create(patient=patient, defaults={"drug": "B"})
    prescription.refresh_from_db()
    assert prescription.drug == "B" and prescription.updated_at > OLD
    with example(PAGE, "good", 3) as good:
        good.note(patient, "Again")
    visit.refresh_from_db()
    assert visit.reason == "Again" and visit.updated_at > OLD


def test_a_row_that_was_loaded_in_part_is_saved_in_part(visit):
    """After `only()`, `save()` writes the loaded fields alone."""
    with example(PAGE, "bad", 6) as bad:
        bad.finish(visit.pk)
    visit.refresh_from_db()
    assert visit.done and visit.updated_at == OLD
