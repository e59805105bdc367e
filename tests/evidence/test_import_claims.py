"""What the pages of the imports pack claim: names fail when they are reached, not before."""

import logging

import pytest
from pages import code, example, run
from shop.models import Job, Order
from sqlalchemy.exc import IntegrityError

# unimported-exception


async def failing(shop, db):
    """A session whose next flush breaks a constraint."""
    await shop.one_job_per_state()
    job = Job(state="queued")
    job.created_at = job.updated_at = (await db.get(Job, 1)).created_at
    db.add(job)
    return job


async def test_good_path_passes(db):
    """So the module imports, the tests of the good path pass."""
    await example("unimported-exception", "bad").save(db, None)


async def test_name_error_takes_the_place_of_the_database_error(shop, db, caplog):
    """On the first duplicate key a `NameError` takes the place of the database error."""
    bad = example("unimported-exception", "bad")
    row = await failing(shop, db)
    with pytest.raises(NameError, match="IntegrityError") as caught:
        await bad.save(db, row)
    assert isinstance(caught.value.__context__, IntegrityError)
    assert caplog.text == ""


async def test_no_later_clause_catches_it(shop, db, caplog):
    """No later clause of the same `try` catches it: neither its rollback nor its log line runs."""
    text = code("unimported-exception", "bad") + (
        "    except Exception:\n        await db.rollback()\n        logger.exception('anything else')\n"
    )
    bad = run(text)
    row = await failing(shop, db)
    with pytest.raises(NameError):
        await bad.save(db, row)
    assert caplog.text == ""


def test_hub_keeps_its_own_import_to_itself():
    """`__all__` of the imported module decides, and a hub that imports `IntegrityError` for its own use does not hand it on."""
    import shop.hub

    assert shop.hub.IntegrityError is IntegrityError
    bad = example("unimported-exception", "bad")
    assert not hasattr(bad, "IntegrityError")
    assert hasattr(bad, "select") and hasattr(bad, "datetime")


@pytest.mark.parametrize(
    "binding",
    [
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from sqlalchemy.exc import IntegrityError\n",
        "def elsewhere():\n    from sqlalchemy.exc import IntegrityError\n    return IntegrityError\nelsewhere()\n",
    ],
    ids=["type-checking", "another-function"],
)
async def test_import_that_does_not_bind(shop, db, binding):
    """An import under `TYPE_CHECKING` or inside another function does not bind the name either."""
    bad = run(binding + code("unimported-exception", "bad"))
    row = await failing(shop, db)
    with pytest.raises(NameError):
        await bad.save(db, row)


async def test_imported_exception_is_caught(shop, db, caplog):
    """The good example: rolled back, logged, raised."""
    good = example("unimported-exception", "good")
    row = await failing(shop, db)
    with caplog.at_level(logging.ERROR), pytest.raises(IntegrityError):
        await good.save(db, row)
    assert "duplicate" in caplog.text
    await db.commit()


# unimported-datetime


@pytest.mark.parametrize(("number", "error"), [(1, NameError), (2, AttributeError), (3, NameError)])
async def test_clock_fails_when_the_line_runs(shop, db, number, error):
    """Without an import it raises `NameError`; with `import datetime` it raises `AttributeError`, because the module
    has no `now`. Both only when the line runs: the write is lost with it."""
    bad = example("unimported-datetime", "bad", number)
    with pytest.raises(error):
        await bad.enqueue(db)
    await db.commit()
    assert await shop.sql("SELECT * FROM jobs") == []


@pytest.mark.parametrize("number", [1, 2], ids=["import", "hub"])
async def test_clock_is_there(shop, db, number):
    """A hub that exports `datetime` provides it through a star import."""
    await example("unimported-datetime", "good", number).enqueue(db)
    assert (await shop.one("jobs"))["created_at"] is not None


# unimported-audit-context


async def test_context_fails_on_every_call(shop, db, actor):
    """The line that should say who acts is the line that fails, and it fails on every call."""
    bad = example("unimported-audit-context", "bad")
    order_id = await shop.old_order()
    for _ in range(2):
        with pytest.raises(NameError, match="AuditContext"):
            await bad.close(db, order_id, actor)
    assert (await db.get(Order, order_id)).status == "open"


async def test_imported_context_names_the_actor(shop, db, actor):
    """The good example."""
    await example("unimported-audit-context", "good").close(db, await shop.old_order(), actor)
    row = await shop.one("orders")
    assert (row["status"], row["updated_by_email"]) == ("closed", "ada@shop.example")
