"""What the pages claim of times, clauses and imports: they look right where they stand, and fail elsewhere."""

import asyncio
import logging
import os
import time
from datetime import datetime, timezone

import pytest
from pages import code, example, run
from shop.models import Job
from sqlalchemy import text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DatabaseError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError
from sqlalchemy.schema import CreateTable

# frozen-timestamp


async def two_parcels(shop, db, module):
    async with shop.engine.begin() as connection:
        await connection.run_sync(module.Base.metadata.create_all)
    for _ in range(2):
        await db.execute(module.Parcel.__table__.insert())
        await asyncio.sleep(0.01)
    await db.commit()
    return await shop.sql("SELECT * FROM parcels ORDER BY id")


async def test_every_row_carries_the_moment_of_the_import(shop, db):
    """Every row it creates carries the moment it was started."""
    first, second = await two_parcels(shop, db, example("frozen-timestamp", "bad"))
    assert first["packed_at"] == second["packed_at"]


async def test_clock_is_called_for_each_row(shop, db):
    """Handing over the clock itself makes SQLAlchemy call it for each row; a lambda as well."""
    first, second = await two_parcels(shop, db, example("frozen-timestamp", "good"))
    assert first["packed_at"] < second["packed_at"] and first["sent_at"] < second["sent_at"]


async def test_text_is_a_constant(shop, db):
    """The database is told `DEFAULT 'now()'`, which SQLite stores as this text in every row; `func.now()` is sent to
    the database as SQL."""
    bad, good = example("frozen-timestamp", "bad"), example("frozen-timestamp", "good")
    ddl = lambda module: str(CreateTable(module.Parcel.__table__).compile(dialect=postgresql.dialect()))
    assert "DEFAULT 'now()'" in ddl(bad) and "DEFAULT now()" in ddl(good)
    rows = await two_parcels(shop, db, bad)
    assert [row["listed_at"] for row in rows] == ["now()", "now()"]


async def test_sql_clock_is_computed(shop, db):
    """The good example: SQLite computes the time."""
    (first, _) = await two_parcels(shop, db, example("frozen-timestamp", "good"))
    assert datetime.fromisoformat(first["listed_at"])


def test_fields_and_arguments_keep_one_time():
    """Python computes a default where it is written: in a class body or a `def` line that is when the module is
    imported."""
    bad, good = example("frozen-timestamp", "bad"), example("frozen-timestamp", "good")
    assert bad.Receipt("a").printed_at is bad.Receipt("b").printed_at
    assert bad.stamp(bad.Parcel()).packed_at is bad.stamp(bad.Parcel()).packed_at
    assert good.Receipt("a").printed_at is not good.Receipt("b").printed_at
    assert good.stamp(good.Parcel()).packed_at is not good.stamp(good.Parcel()).packed_at


# mixed-clocks


async def finished(shop, module):
    await shop.old_job()
    async with shop.session() as session:
        await module.finish(session, await session.get(Job, 1))
    async with shop.session() as session:
        return (await session.get(Job, 1)).updated_at


async def test_zone_is_dropped_and_comparison_fails(shop):
    """SQLite drops the zone: the value that comes back is of the other kind than the one that was stored, and comparing
    it with a fresh reading raises `TypeError`."""
    stored = await finished(shop, example("mixed-clocks", "bad"))
    assert stored.tzinfo is None
    with pytest.raises(TypeError):
        assert stored <= datetime.now(timezone.utc)


async def test_clock_that_fits_comes_back_as_it_went(shop):
    """The good example."""
    assert await finished(shop, example("mixed-clocks", "good")) <= datetime.now()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_naive_default_of_a_column_with_zones():
    """`datetime.utcnow()` has no zone, also where the column keeps them; the good clock has one."""
    default = lambda module: module.Visit.__table__.c.seen_at.default.arg(None)
    assert default(example("mixed-clocks", "bad", 2)).tzinfo is None
    assert default(example("mixed-clocks", "good")).tzinfo is timezone.utc


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_utc_without_a_zone_is_taken_for_local_time():
    """Whatever takes it for local time, as Python itself does, is off by the distance to UTC."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "UTC-5"
    time.tzset()
    try:
        off = time.time() - datetime.utcnow().timestamp()
    finally:
        os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
        time.tzset()
    assert abs(off - 5 * 3600) < 5


# unreachable-handler


async def duplicate(shop, db):
    """A session whose next flush breaks a constraint."""
    await shop.one_job_per_state()
    job = Job(state="queued")
    job.created_at = job.updated_at = (await db.get(Job, 1)).created_at
    db.add(job)


def test_line_of_ancestors():
    """`IntegrityError` is a `DatabaseError`, that is a `DBAPIError`, then `StatementError`, `SQLAlchemyError`,
    `Exception`."""
    line = [DatabaseError, DBAPIError, StatementError, SQLAlchemyError, Exception]
    assert [above for above in IntegrityError.__mro__ if above in line] == line


@pytest.mark.parametrize("number", [1, 2, 3], ids=["base-first", "everything-first", "driver"])
async def test_answer_is_never_given(shop, db, number):
    """Behind any of these its clause is dead, and the answer it was written for is never given. A name in such a clause
    is not even looked up. The classes of `sqlite3` catch nothing around a session's flush."""
    await duplicate(shop, db)
    with pytest.raises(IntegrityError):
        await example("unreachable-handler", "bad", number).save(db)


async def test_driver_s_clause_does_not_run(shop, db, caplog):
    """Nothing rolls back, nothing is logged."""
    await duplicate(shop, db)
    with caplog.at_level(logging.WARNING), pytest.raises(IntegrityError):
        await example("unreachable-handler", "bad", 3).save(db)
    assert caplog.text == ""


async def test_unknown_name_behind_sqlalchemy_s_base_is_looked_up():
    """Behind `SQLAlchemyError` alone an unknown name would still be looked up for any other error."""
    bad = run(code("unreachable-handler", "bad").replace("import IntegrityError, ", "import "))

    class Broken:
        async def flush(self):
            raise ValueError

    with pytest.raises(NameError):
        await bad.save(Broken())


async def test_narrow_clause_first_answers(shop, db):
    """The good example."""
    await duplicate(shop, db)
    assert await example("unreachable-handler", "good").save(db) == "duplicate"
    assert await db.scalar(text("SELECT count(*) FROM jobs")) == 1


# stale-import


async def test_stale_import_fails_when_the_function_is_called(shop, db):
    """One inside a function fails when the function is called: the error comes up in place of the work."""
    bad = example("stale-import", "bad")
    job_id = await shop.old_job()
    for call in (bad.archive, bad.close):
        with pytest.raises(ImportError):
            await call(db, job_id)
    with pytest.raises(ImportError):
        bad.start()


def test_stale_import_at_the_top_fails_when_the_service_starts():
    """An import at the top of a module fails when the service starts."""
    with pytest.raises(ImportError):
        run("from shop.models import JobState\n")


async def test_import_that_may_fail_does(shop, db):
    """The good example: what is missing is missed on purpose."""
    good = example("stale-import", "good")
    assert good.keep is None
    assert await good.archive(db, await shop.old_job()) == "queued"
