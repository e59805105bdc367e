"""What the page claims of who acts in a worker: nobody, or whoever the task before has left there."""

import threading

from clinic_pages import example

PAGE = "ambient-actor-in-task"


def patient():
    from clinic.models import Patient

    return Patient.objects.create(number="1", name="Bob")


def acting_in_a_worker(task, *arguments):
    """Runs a task where a worker would: outside of the context that asks for it."""
    failed = []

    def run():
        from django.db import connection

        try:
            task(*arguments)
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert not failed, failed


def actors():
    from clinic.models import AuditLog

    return list(AuditLog.objects.order_by("pk").values_list("user__username", flat=True))


def test_a_worker_sees_nobody_or_somebody_else(nurse):
    """A worker sees the default, and the audit row names nobody; where a task has set it and not put it back, the next
    task in the same process sees that value. Inside the request it names the actor, so that tests pass."""
    with example(PAGE, "bad") as module:
        row = patient()
        token = module.current_user.set(nurse)
        module.record_discharge.delay(row.pk)
        acting_in_a_worker(module.record_discharge.run, row.pk)
        module.current_user.reset(token)

        def two_tasks():
            module.record_discharge.run(row.pk)
            module.current_user.set(nurse)
            module.record_discharge.run(row.pk)

        acting_in_a_worker(two_tasks)
    assert actors() == ["ada", None, None, "ada"]


def test_an_argument_names_the_actor(nurse):
    """A task that sets the variable itself, from an argument, names the actor, and leaves nobody behind."""
    with example(PAGE, "good") as module:
        row = patient()
        acting_in_a_worker(module.record_discharge.run, row.pk, nurse.pk)
        assert module.current_user.get() is None
    assert actors() == ["ada"]
