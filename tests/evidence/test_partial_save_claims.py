"""What the page claims of saves that name their columns: what is stored, and what is left as it was."""

import clinic_pages
import pytest
from clinic_pages import aged, is_stale

PAGE = "partial-save"


@pytest.fixture
def visit(patient, clinic):
    return aged(clinic.Visit.objects.create(patient=patient, reason="cough"))


@pytest.fixture
def prescription(patient, clinic):
    return aged(clinic.Prescription.objects.create(patient=patient, drug="aspirin"))


def test_auto_now_keeps_its_old_time(visit):
    """A field with `auto_now` keeps its old time, in the table and in memory."""
    with clinic_pages.example(PAGE, "bad", 1) as page:
        page.close(visit.pk)
    assert is_stale(visit)
    visit.refresh_from_db()
    visit.save(update_fields=["done"])
    assert visit.done and visit.updated_at == clinic_pages.OLD


def test_built_list_lacks_it_too(visit):
    """The list is built, and still lacks it."""
    with clinic_pages.example(PAGE, "bad", 2) as page:
        page.amend(visit.pk, "cold", done=True)
    assert is_stale(visit)
    visit.refresh_from_db()
    assert (visit.reason, visit.done) == ("cold", True)


def test_assigned_stamp_is_dropped(patient, nurse):
    """So is a stamp that the code assigned a line before."""
    with clinic_pages.example(PAGE, "bad", 3) as page:
        page.rename(patient.pk, "Bob", nurse)
    patient.refresh_from_db()
    assert (patient.name, patient.updated_by) == ("Bob", None)


def test_stamp_of_save_is_dropped(prescription):
    """Whatever the model's own `save()` has stamped is dropped without a word."""
    with clinic_pages.example(PAGE, "bad", 4) as page:
        page.correct(prescription.pk, "ibuprofen")
    assert is_stale(prescription)
    prescription.refresh_from_db()
    assert prescription.drug == "ibuprofen"


def test_stamp_of_a_receiver_is_dropped(prescription):
    """So is what a receiver of `pre_save` has stamped."""
    from django.db.models.signals import pre_save

    def stamp(sender, instance, **kwargs):
        instance.drug = instance.drug.upper()

    pre_save.connect(stamp, sender=type(prescription))
    try:
        prescription.save(update_fields=["deleted_at"])
        prescription.refresh_from_db()
        assert prescription.drug == "aspirin"
        prescription.save()
        prescription.refresh_from_db()
        assert prescription.drug == "ASPIRIN"
    finally:
        pre_save.disconnect(stamp, sender=type(prescription))


def test_update_or_create_knows_nothing_of_the_actor(clinic):
    """`update_or_create()` adds no other stamp that `save()` makes."""
    with clinic_pages.example(PAGE, "bad", 5) as page:
        bed = page.Bed.objects.create(number="1")
        token = page.current_user.set("ada")
        page.occupy("1")
        page.current_user.reset(token)
        bed.refresh_from_db()
        assert (bed.free, bed.updated_by) == (False, "nobody")


def test_loaded_fields_alone_are_saved(visit):
    """A row that was loaded by `only()` or `defer()` is saved the same way."""
    with clinic_pages.example(PAGE, "bad", 6) as page:
        page.finish(visit.pk)
    assert is_stale(visit)
    other = type(visit).objects.defer("updated_at").get(pk=visit.pk)
    other.done = False
    other.save()
    assert is_stale(visit)


def test_nothing_but_a_patient_fits(patient, nurse, clinic):
    """Nothing fits where the function puts it except a patient."""
    aged(patient)
    with clinic_pages.example(PAGE, "bad", 7) as page:
        page.prescribe(patient, "aspirin", nurse)
    assert is_stale(patient)
    for other in (nurse, patient.pk):
        with pytest.raises(ValueError):
            clinic.Prescription.objects.create(patient=other, drug="aspirin")


def test_parent_with_a_table_of_its_own(patient):
    """`update_or_create()` remembers the `auto_now` fields of the model, but not those of a parent with a table of its
    own."""
    from django.db import connection, models

    with clinic_pages.forgetting():
        made = clinic_pages.module(
            "from django.db import models\n"
            "class Parent(models.Model):\n"
            "    updated_at = models.DateTimeField(auto_now=True)\n"
            "class Child(Parent):\n"
            "    name = models.CharField(max_length=9)\n"
            "    size = models.IntegerField(default=0)\n"
        )
        assert issubclass(made.Child, models.Model)
        with connection.schema_editor() as editor:
            editor.create_model(made.Parent)
            editor.create_model(made.Child)
        row = made.Child.objects.create(name="a")
        made.Parent.objects.update(updated_at=clinic_pages.OLD)
        made.Child.objects.update_or_create(name="a", defaults={"size": 1})
        row.refresh_from_db()
        assert (row.size, row.updated_at) == (1, clinic_pages.OLD)
        with connection.schema_editor() as editor:
            editor.delete_model(made.Child)
            editor.delete_model(made.Parent)


def test_part_of_a_model_drops_the_time_of_the_whole(clinic):
    """An abstract model that saves itself leaves the time of the model as it was."""
    with clinic_pages.example(PAGE, "bad", 9) as page:
        referral = aged(page.Referral.objects.create())
        referral.withdraw()
        assert is_stale(referral)
        referral.refresh_from_db()
        assert referral.withdrawn


def test_what_is_named_is_saved(visit, patient, nurse):
    """The first good example: the time moves, and the actor is there."""
    with clinic_pages.example(PAGE, "good", 1) as page:
        page.close(visit.pk)
        page.rename(patient.pk, "Bob", nurse)
    assert not is_stale(visit)
    patient.refresh_from_db()
    assert patient.updated_by == nurse


def test_save_that_adds_the_stamp(clinic):
    """A `save()` that adds the stamp to the `update_fields` it is handed mends all of them."""
    with clinic_pages.example(PAGE, "good", 2) as page:
        bed = aged(page.Bed.objects.create(number="1"))
        page.occupy(bed.pk)
        assert not is_stale(bed)
        aged(bed)
        page.Bed.objects.update_or_create(number="1", defaults={"free": True})
        assert not is_stale(bed)


def test_save_that_stamps_what_is_among_the_saved(clinic):
    """A `save()` that stamps whenever the time is among what is saved leaves the choice to whoever asks for less."""
    with clinic_pages.example(PAGE, "good", 3) as page:
        for change in (page.occupy, page.vacate):
            bed = aged(page.Bed.objects.create(number="1"))
            change(bed.pk)
            assert not is_stale(bed)
        aged(bed)
        bed.save(update_fields=["free"])
        assert is_stale(bed)


def test_update_or_create_remembers_the_times(visit, prescription, patient):
    """`update_or_create()` adds the dates and times of the model to what it saves, `auto_now` or not."""
    with clinic_pages.example(PAGE, "good", 4) as page:
        page.note(patient, "cold")
        page.prescribe(patient, "ibuprofen")
    assert not is_stale(visit) and not is_stale(prescription)


def test_time_of_an_insert_is_right(patient, clinic):
    """Where the same function has inserted the row a moment before, the time in it is right."""
    from datetime import timedelta

    from django.utils import timezone

    visit = clinic.Visit.objects.create(patient=patient, reason="cough")
    visit.done = True
    visit.save(update_fields=["done"])
    visit.refresh_from_db()
    assert timezone.now() - visit.updated_at < timedelta(minutes=1)
