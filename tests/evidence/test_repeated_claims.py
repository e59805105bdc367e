"""What the page claims of rows that tasks create: two runs make two rows, or come to the same."""

import pytest
from celery import current_app
from clinic_pages import example, module

PAGE = "repeated-periodic-row"


def patient():
    from clinic.models import Patient

    return Patient.objects.create(number="1", name="Bob")


def visits():
    from clinic.models import Visit

    return Visit.objects.count()


def test_two_runs_make_two_rows(clinic):
    """A task that runs again creates the row again; looking for it first keeps it single."""
    patient()
    with example(PAGE, "bad") as bad:
        bad.plan_rounds.run("round")
        bad.plan_rounds.run("round")
    assert visits() == 2


def test_two_runs_come_to_the_same(clinic):
    """Looking for the row first finds that of the run before."""
    patient()
    with example(PAGE, "good") as good:
        good.plan_rounds("round")
        good.plan_rounds("round")
    assert visits() == 1


def test_a_constraint_refuses_the_second_row(clinic):
    """So does any row that such a constraint refuses the second time."""
    from clinic.models import Ward
    from django.db import IntegrityError

    with example(PAGE, "good") as good:
        good.open_ward("north")
        with pytest.raises(IntegrityError):
            good.open_ward("north")
    assert Ward.objects.count() == 1


def test_a_retry_repeats_what_came_before(clinic):
    """A task that is retried runs again from its first line: a row it has made before the failure is made again."""
    row = patient()
    tasks = module(
        "from celery import shared_task\n"
        "from clinic.models import Visit\n\n"
        "@shared_task(bind=True, autoretry_for=(OSError,), max_retries=2, retry_backoff=False, default_retry_delay=0)\n"
        "def plan_and_tell(self, patient_id):\n"
        "    Visit.objects.create(patient_id=patient_id, reason='round')\n"
        "    raise OSError('the mail server is away')\n"
    )
    current_app.conf.task_eager_propagates = False
    try:
        tasks.plan_and_tell.delay(row.pk)
    finally:
        current_app.conf.task_eager_propagates = True
    assert visits() == 3


def test_get_or_create_comes_to_the_same(clinic):
    """`get_or_create` on columns with a unique constraint does."""
    from clinic.models import Ward

    assert [Ward.objects.get_or_create(name="north")[1] for _ in range(2)] == [True, False]
