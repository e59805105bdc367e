"""What the pages claim of a change and the audit row that tells of it: both, one without the other, or neither."""

import pytest
from pages import example


async def states(shop) -> list[str]:
    return [row["state"] for row in await shop.sql("SELECT state FROM jobs ORDER BY id")]


async def actions(shop) -> list[str]:
    return [row["action"] for row in await shop.sql("SELECT action FROM audit_log ORDER BY id")]


async def refuse(shop, table: str, when: str) -> None:
    """The database refuses to write to a table, as it would if its disk were full."""
    await shop.sql(
        f"CREATE TRIGGER refused_{table} BEFORE {when} ON {table} BEGIN SELECT RAISE(ABORT, 'disk full'); END"
    )


# audit-outside-transaction


@pytest.mark.parametrize("number", [1, 2])
async def test_change_is_kept_without_its_row(shop, number):
    """Then the change is kept and nobody can tell who made it."""
    job = await shop.old_job("running")
    await refuse(shop, "audit_log", "INSERT")
    async with shop.session() as session:
        with pytest.raises(Exception, match="disk full"):
            await example("audit-outside-transaction", "bad", number).pause(session, job)
    assert await states(shop) == ["paused"] and await actions(shop) == []


@pytest.mark.parametrize("number", [1, 2])
async def test_neither_is_kept(shop, number):
    """The good examples: the change goes with its row."""
    job = await shop.old_job("running")
    await refuse(shop, "audit_log", "INSERT")
    async with shop.session() as session:
        with pytest.raises(Exception, match="disk full"):
            await example("audit-outside-transaction", "good", number).pause(session, job)
    assert await states(shop) == ["running"] and await actions(shop) == []


@pytest.mark.parametrize("number", [1, 2])
async def test_both_are_kept(shop, number):
    """The good examples: both are there."""
    job = await shop.old_job("running")
    async with shop.session() as session:
        await example("audit-outside-transaction", "good", number).pause(session, job)
    assert await states(shop) == ["paused"] and await actions(shop) == ["job.paused"]


async def test_row_of_a_failure_outlives_it(shop):
    """What tells of a failure belongs outside of the transaction that failed."""
    job = await shop.old_job("running")
    await refuse(shop, "jobs", "UPDATE")
    async with shop.session() as session:
        with pytest.raises(Exception, match="disk full"):
            await example("audit-outside-transaction", "good", 2).pause(session, job)
    assert await states(shop) == ["running"] and await actions(shop) == ["job.pause-failed"]


# unaudited-state-change


async def test_trail_has_a_hole(shop):
    """Who reads it takes what is not in it for something that did not happen."""
    job = await shop.old_job("running")
    page = example("unaudited-state-change", "bad")
    async with shop.session() as session:
        await page.pause(session, job)
        await page.resume(session, job)
    assert await states(shop) == ["running"] and await actions(shop) == ["job.paused"]


async def test_trail_has_none(shop):
    """The good example: one row for each change, and none where nothing changed."""
    job = await shop.old_job("running")
    page = example("unaudited-state-change", "good")
    async with shop.session() as session:
        assert await page.resume(session, job) is False
        await page.pause(session, job)
        assert await page.resume(session, job) is True
    assert await actions(shop) == ["job.paused", "job.resumed"]


# request-breaking-audit


async def test_change_is_kept_though_the_row_failed(shop):
    """A handler around the audit row alone that goes on keeps the change without it."""
    job = await shop.old_job("running")
    await refuse(shop, "audit_log", "INSERT")
    async with shop.session() as session:
        await example("request-breaking-audit", "bad").pause(session, job)
    assert await states(shop) == ["paused"] and await actions(shop) == []


async def test_failure_takes_the_change_with_it(shop):
    """Both are in one transaction, and a failure of the audit row takes the change with it."""
    job = await shop.old_job("running")
    await refuse(shop, "audit_log", "INSERT")
    async with shop.session() as session:
        with pytest.raises(Exception, match="disk full"):
            await example("request-breaking-audit", "good").pause(session, job)
    assert await states(shop) == ["running"]


async def test_who_is_told_of_a_failure_tries_again(shop):
    """When the change is kept already and the audit row fails, an exception tells the caller that nothing was done."""
    job = await shop.old_job("running")
    await refuse(shop, "audit_log", "INSERT")
    async with shop.session() as session:
        with pytest.raises(Exception, match="disk full"):
            await example("audit-outside-transaction", "bad").pause(session, job)
    assert await states(shop) == ["paused"]
