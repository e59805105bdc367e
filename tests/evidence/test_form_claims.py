"""What the pages claim of forms and serializers: which row they make or change, and who is named in it."""

from types import SimpleNamespace

import pytest
from clinic_pages import aged, example, is_stale, seen_from_outside


def posted(user, **data):
    """A request that carries data."""
    from django.test import RequestFactory

    request = RequestFactory().post("/", data)
    request.user = user
    request.data = data
    return request


def view_of(made, request):
    """A view as Django sets it up for a request."""
    view = made()
    view.setup(request)
    return view


# missing-updated-by


@pytest.mark.parametrize("number", [4, 5])
def test_a_form_names_nobody(patient, nurse, number):
    """A form changes the row it is made with, and the row names nobody."""
    with example("missing-updated-by", "bad", number) as bad:
        bad.rename(posted(nurse, name="bob"), patient.pk)
    patient.refresh_from_db()
    assert (patient.name.lower(), patient.updated_by) == ("bob", None)


def test_what_is_stamped_on_the_instance_is_saved(patient, nurse):
    """What a view stamps on its instance before it is saved, is set."""
    with example("missing-updated-by", "good", 2) as good:
        view = view_of(good.Rename, posted(nurse, name="bob"))
        form = good.PatientForm(view.request.POST, instance=patient)
        assert form.is_valid()
        view.form_valid(form)
    patient.refresh_from_db()
    assert (patient.name, patient.updated_by) == ("Bob", nurse)


def test_what_is_handed_to_save_is_set(patient, nurse):
    """`serializer.save(updated_by=…)` sets it as well."""
    with example("missing-updated-by", "good", 2) as good:
        view = SimpleNamespace(request=posted(nurse))
        serializer = good.PatientSerializer(patient, data={"name": "Bob"})
        serializer.is_valid(raise_exception=True)
        good.Patients.perform_update(view, serializer)
    patient.refresh_from_db()
    assert (patient.name, patient.updated_by) == ("Bob", nurse)


# missing-created-by


def test_a_serializer_without_an_instance_makes_a_row_of_nobody(clinic, nurse):
    """A form or serializer that is made without an instance makes a row."""
    with example("missing-created-by", "bad", 4) as bad:
        serializer = bad.PatientSerializer(data={"number": "9", "name": "Bob"})
        serializer.is_valid(raise_exception=True)
        bad.Patients.perform_create(SimpleNamespace(request=posted(nurse)), serializer)
    assert clinic.Patient.objects.get(number="9").created_by is None


def test_what_a_form_makes_is_stamped_before_it_is_saved(clinic, nurse):
    """What a form makes is stamped before it is saved."""
    with example("missing-created-by", "good", 5) as good:
        good.admit(posted(nurse, number="9", name="Bob"))
    assert clinic.Patient.objects.get(number="9").created_by == nurse


# overwritten-creation-stamp


def test_what_is_looked_up_by_its_key_is_what_was_made(clinic, nurse):
    """A row that the function has inserted itself is no older when it is looked up by its key."""
    with example("overwritten-creation-stamp", "good", 3) as good:
        good.admit(posted(nurse, number="9", name="Bob"))
    assert [row.created_by for row in clinic.Patient.objects.all()] == [nurse]


# partial-save


def test_what_a_form_has_filled_in_is_saved_in_part(patient, nurse):
    """What a form has filled in is saved in part as well."""
    with example("partial-save", "bad", 8) as bad:
        aged(patient)
        view = view_of(bad.Rename, posted(nurse, name="Bob"))
        form = bad.PatientForm(view.request.POST, instance=patient)
        assert form.is_valid()
        view.form_valid(form)
    assert is_stale(patient)
    patient.refresh_from_db()
    assert (patient.name, patient.updated_by) == ("Bob", nurse)


# enqueue-before-commit


def test_the_row_of_a_form_is_not_there_for_others(clinic):
    """Nobody but the transaction itself sees what a form has written before it commits."""
    with example("enqueue-before-commit", "bad", 2) as bad:
        seen = []

        def look(ward_id):
            seen.append(seen_from_outside(lambda: clinic.Ward.objects.filter(pk=ward_id).exists()))

        bad.announce = SimpleNamespace(delay=look)
        bad.open_ward({"name": "North"})
    assert seen == [False]
    assert clinic.Ward.objects.filter(name="North").exists()
