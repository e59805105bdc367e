"""What the pages claim about transaction blocks of Django."""

import clinic_pages
import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.db.transaction import TransactionManagementError

PAGE = "swallowed-error-in-transaction"


def wards(clinic) -> list[str]:
    return list(clinic.Ward.objects.order_by("pk").values_list("name", flat=True))


@pytest.fixture
def east(clinic):
    return clinic.Ward.objects.create(name="east")


@pytest.mark.parametrize("number", [2, 3])
def test_block_is_lost(clinic, east, caplog, number):
    """Django's `transaction.atomic` loses its block the same way: nothing is committed and nothing is raised."""
    with clinic_pages.example(PAGE, "bad", number) as module:
        module.open_wards("west", "east")
    assert "there is a ward east" in caplog.text
    assert wards(clinic) == ["east"]


@pytest.mark.parametrize("number", [2, 3])
def test_block_is_kept_without_an_error(clinic, east, number):
    """The same code keeps both rows where no error comes up: the loss is the error's doing."""
    with clinic_pages.example(PAGE, "bad", number) as module:
        module.open_wards("west", "north")
    assert wards(clinic) == ["east", "west", "north"]


def test_another_query_raises(clinic, east):
    """Another query in it raises `TransactionManagementError`."""
    with pytest.raises(TransactionManagementError), transaction.atomic():
        with pytest.raises(IntegrityError):
            clinic.Ward.objects.create(name="east")
        clinic.Ward.objects.count()


def test_block_around_a_request(clinic, east, rf, settings):
    """So it is around a request with `ATOMIC_REQUESTS`: the answer is a success, and nothing was kept."""
    from django.core.handlers.base import BaseHandler
    from django.db import connection
    from django.http import HttpResponse

    def view(request):
        clinic.Ward.objects.create(name="west")
        try:
            clinic.Ward.objects.create(name="east")
        except IntegrityError:
            pass
        return HttpResponse("done")

    connection.settings_dict["ATOMIC_REQUESTS"] = True
    try:
        answer = BaseHandler().make_view_atomic(view)(rf.get("/"))
    finally:
        connection.settings_dict["ATOMIC_REQUESTS"] = False
    assert answer.status_code == 200
    assert wards(clinic) == ["east"]


def test_savepoint_keeps_the_block(clinic, east):
    """An `atomic` inside it is the savepoint."""
    with clinic_pages.example(PAGE, "good", 3) as module:
        module.open_wards("west", "east")
    assert wards(clinic) == ["east", "west"]


def test_block_without_a_savepoint(clinic, east):
    """... unless it says `savepoint=False`."""
    with transaction.atomic():
        clinic.Ward.objects.create(name="west")
        with pytest.raises(IntegrityError):
            with transaction.atomic(savepoint=False):
                clinic.Ward.objects.create(name="east")
    assert wards(clinic) == ["east"]


def test_get_or_create_has_a_savepoint(clinic, east):
    """`get_or_create()` has one of its own: the block goes on after its error."""
    with transaction.atomic():
        clinic.Ward.objects.create(name="west")
        with pytest.raises(DatabaseError):
            clinic.Ward.objects.get_or_create(beds=3, defaults={"name": "east"})
        assert clinic.Ward.objects.count() == 2
    assert wards(clinic) == ["east", "west"]


def test_block_that_is_to_be_undone(clinic, east, caplog):
    """`transaction.set_rollback(True)` says that the block is to be undone: the caller is told, too."""
    with clinic_pages.example(PAGE, "good", 3) as module:
        assert module.open_both("west", "east") is False
        assert wards(clinic) == ["east"]
        assert module.open_both("west", "north") is True
    assert wards(clinic) == ["east", "west", "north"]
