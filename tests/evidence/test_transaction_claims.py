"""What the pages claim about coroutines nobody awaits, handlers beside the flush, and transaction blocks."""

from datetime import datetime

import pytest
from pages import example
from shop.models import Job
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError, InvalidRequestError, PendingRollbackError
from sqlalchemy.orm import Session

UNAWAITED = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")


def job(state: str) -> Job:
    now = datetime.now()
    return Job(state=state, created_at=now, updated_at=now)


async def states(shop) -> list[str]:
    return [row["state"] for row in await shop.sql("SELECT state FROM jobs ORDER BY id")]


# unawaited-session-call


@UNAWAITED
async def test_commit_that_never_runs(shop):
    """The commit keeps nothing."""
    async with shop.session() as session:
        await example("unawaited-session-call", "bad", 1).enqueue(session)
    assert await states(shop) == []


@UNAWAITED
async def test_flush_that_never_runs(shop, db):
    """The flush sends nothing."""
    row = job("queued")
    db.add(row)
    db.flush()
    assert row.id is None and row in db.new


@UNAWAITED
async def test_delete_that_never_runs(shop, db):
    """The row is not deleted."""
    row = await db.get(Job, await shop.old_job())
    db.delete(row)
    await db.commit()
    assert await states(shop) == ["queued"]


@UNAWAITED
async def test_rollback_that_never_runs(shop, db):
    """After a rollback that never ran the session still raises `PendingRollbackError`."""
    await shop.one_job_per_state()
    assert await example("unawaited-session-call", "bad", 2).enqueue(db) is False
    with pytest.raises(PendingRollbackError):
        await db.scalars(select(Job))


async def test_python_warns_and_does_not_raise(shop, db):
    """Python warns, but it does not raise."""
    with pytest.warns(RuntimeWarning, match="never awaited"):
        db.flush()


async def test_there_is_nothing_to_wait_for(shop, db):
    """`await db.add(row)` adds the row and then raises `TypeError`."""
    with pytest.raises(TypeError):
        await example("unawaited-session-call", "bad", 3).enqueue(db)
    await db.commit()
    assert await states(shop) == ["queued"]


@pytest.mark.parametrize("method", ["add", "add_all", "expunge"])
async def test_these_are_no_coroutines(db, method):
    """`add`, `add_all` and `expunge` are no coroutines."""
    row = job("queued")
    if method == "expunge":
        db.add(row)
    assert getattr(db, method)([row] if method == "add_all" else row) is None


async def test_awaited_rollback(shop, db):
    """The first good example: the answer is False and the session is whole."""
    await shop.one_job_per_state()
    assert await example("unawaited-session-call", "good", 1).enqueue(db) is False
    assert await example("unawaited-session-call", "good", 1).enqueue(db) is False
    await db.scalars(select(Job))


async def test_coroutine_may_be_awaited_later(shop, db):
    """A coroutine that is kept, returned or handed on may be awaited later."""
    await shop.old_job("first")
    await shop.old_job("second")
    async with shop.session() as other:
        first, second = await example("unawaited-session-call", "good", 2).first_two(db, other)
        assert (first.state, second.state) == ("first", "second")


async def test_session_of_the_other_kind(shop):
    """The third good example: on a synchronous session the commit has run."""
    async with shop.session() as session:
        enqueue = example("unawaited-session-call", "good", 3).enqueue

        def write(sync_session: Session) -> None:
            with pytest.raises(StopIteration):
                enqueue(sync_session).send(None)

        await session.run_sync(write)
    assert await states(shop) == ["queued"]


# write-outside-try


async def test_add_raises_nothing(shop, db):
    """`add` only puts a row into the session."""
    await shop.one_job_per_state()
    db.add(job("queued"))
    await db.rollback()


STATEMENTS = {
    "flush": lambda db: db.flush(),
    "commit": lambda db: db.commit(),
    "query": lambda db: db.scalars(select(Job)),
}


@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=STATEMENTS.keys())
async def test_where_the_error_comes_up(shop, db, statement):
    """The database sees it at the next flush, commit or query, and that is where `IntegrityError` is raised."""
    await shop.one_job_per_state()
    db.add(job("queued"))
    with pytest.raises(IntegrityError):
        await statement(db)


async def test_error_passes_by(shop, db, caplog):
    """A `try` that ends before then catches nothing: the error passes by the handler that was written for it."""
    await shop.one_job_per_state()
    with pytest.raises(IntegrityError):
        await example("write-outside-try", "bad").enqueue(db)
    assert "the job exists" not in caplog.text


@pytest.mark.parametrize("number", [1, 2])
async def test_handler_gets_its_error(shop, db, caplog, number):
    """The good examples: the handler runs and answers."""
    await shop.one_job_per_state()
    assert await example("write-outside-try", "good", number).enqueue(db) is False
    assert "the job exists" in caplog.text


# swallowed-error-in-transaction


async def test_block_is_lost(shop, db, caplog):
    """The block ends in the normal way: nothing is committed and nothing is raised."""
    await shop.one_job_per_state()
    await example("swallowed-error-in-transaction", "bad").start(db)
    assert "no follow-up was queued" in caplog.text
    assert await states(shop) == ["queued"]


async def test_block_is_kept_without_an_error(shop, db):
    """The same code keeps both rows where no error comes up: the loss is the error's doing."""
    await example("swallowed-error-in-transaction", "bad").start(db)
    assert await states(shop) == ["running", "queued"]


async def test_another_statement_raises(shop, db):
    """Another statement in the block raises `InvalidRequestError`."""
    await shop.one_job_per_state()
    with pytest.raises(InvalidRequestError):
        async with db.begin():
            db.add(job("queued"))
            with pytest.raises(IntegrityError):
                await db.flush()
            await db.scalars(select(Job))


async def test_rollback_ends_the_transaction_of_the_block(shop, db):
    """`rollback()` in the handler is no remedy: it ends the transaction of the block."""
    await shop.one_job_per_state()
    with pytest.raises(InvalidRequestError, match="closed transaction inside context manager"):
        async with db.begin():
            db.add(job("running"))
            await db.flush()
            try:
                db.add(job("queued"))
                await db.flush()
            except IntegrityError:
                await db.rollback()
            await db.execute(insert(Job).values(state="after", created_at=datetime.now()))
    assert await states(shop) == ["queued"]


async def test_savepoint_keeps_the_block(shop, db):
    """A savepoint is, when the row is added inside it: only what stands in the savepoint is undone."""
    await shop.one_job_per_state()
    await example("swallowed-error-in-transaction", "good", 1).start(db)
    assert await states(shop) == ["queued", "running"]


async def test_row_added_before_the_savepoint(shop, db):
    """The border of the claim above: a row that was added before is flushed before the savepoint is made, and its
    error undoes the block."""
    await shop.one_job_per_state()
    async with db.begin():
        db.add(job("running"))
        await db.flush()
        db.add(job("queued"))
        with pytest.raises(IntegrityError):
            async with db.begin_nested():
                await db.flush()
    assert await states(shop) == ["queued"]


async def test_error_that_leaves_the_block(shop, db, caplog):
    """An error that leaves the block is fine, too: the handler outside hears of it, and the session is whole."""
    await shop.one_job_per_state()
    await example("swallowed-error-in-transaction", "good", 2).start(db)
    assert "nothing was started" in caplog.text
    assert await states(shop) == ["queued"]
    await db.scalars(select(Job))
