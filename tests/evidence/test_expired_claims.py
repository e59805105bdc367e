"""What the page of expired-attribute claims, on a real asynchronous session."""

from datetime import datetime

import pytest
from pages import example
from shop.models import Job, Order, User
from sqlalchemy import func, select
from sqlalchemy.exc import MissingGreenlet, StatementError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.exc import DetachedInstanceError

# SQLAlchemy 2.1 wraps the error of the missing greenlet in a StatementError.
CANNOT_LOAD = pytest.raises((MissingGreenlet, StatementError), match="greenlet_spawn")


async def one_of_each(shop) -> None:
    """A queued job, and a constraint that keeps it the only one that is queued or running."""
    await shop.one_job_per_state()
    await shop.old_job("running")


async def loaded_user(db) -> User:
    db.add(User(email="ada@shop.example", name="Ada", role="admin"))
    await db.commit()
    db.expunge_all()
    return await db.get(User, 1)


async def test_handler_that_reads_after_its_rollback_raises(shop, db):
    """The first bad example: the read of the state raises instead of answering."""
    await one_of_each(shop)
    with CANNOT_LOAD:
        await example("expired-attribute", "bad", 1).start(db, 1)


async def test_value_kept_before_is_answered(shop, db):
    """The first good example."""
    await one_of_each(shop)
    assert await example("expired-attribute", "good", 1).start(db, 1) == "queued"


async def test_helper_that_avoids_the_error_loses_the_value(shop, db):
    """The second bad example: an administrator is silently none."""
    await shop.one_job_per_state()
    await loaded_user(db)
    db.expunge_all()
    assert await example("expired-attribute", "bad", 2).enqueue(db, 1) is False
    role = await db.scalar(select(User.role))
    assert role == "admin"


async def test_sql_expression_is_not_loaded_by_the_flush(shop, db, actor):
    """The third bad example: the time of deletion is computed by the database and not loaded."""
    order = await shop.old_order()
    with CANNOT_LOAD:
        await example("expired-attribute", "bad", 3).delete(db, order, actor)


async def test_refreshed_row_has_it(shop, db, actor):
    """The second good example."""
    order = await shop.old_order()
    assert isinstance(await example("expired-attribute", "good", 2).delete(db, order, actor), datetime)


@pytest.mark.parametrize("expire_on_commit", [True, False])
async def test_rollback_expires_whatever_the_session_was_told(shop, expire_on_commit):
    """A rollback expires every row …, `expire_on_commit=False` or not."""
    await shop.old_job()
    async with AsyncSession(shop.engine, expire_on_commit=expire_on_commit) as db:
        job = await db.get(Job, 1)
        await db.rollback()
        with CANNOT_LOAD:
            job.state


@pytest.mark.parametrize("attribute", ["id", "state", "updated_at"])
async def test_every_column_raises(shop, db, attribute):
    """… for every column, the primary key too. `getattr` with a default and `hasattr` raise as well."""
    await shop.old_job()
    job = await db.get(Job, 1)
    await db.rollback()
    with CANNOT_LOAD:
        getattr(job, attribute, None)
    with CANNOT_LOAD:
        hasattr(job, attribute)


async def test_commit_expires_unless_told(shop):
    """A commit does the same unless the session was made with `expire_on_commit=False`."""
    await shop.old_job()
    async with AsyncSession(shop.engine) as db:
        job = await db.get(Job, 1)
        await db.commit()
        with CANNOT_LOAD:
            job.state
    async with shop.session() as db:
        job = await db.get(Job, 1)
        await db.commit()
        assert job.state == "queued"


async def test_closed_session_detaches(shop):
    """When the session is closed by then, the read raises `DetachedInstanceError`."""
    await shop.old_job()
    async with shop.session() as db:
        job = await db.get(Job, 1)
        await db.rollback()
    with pytest.raises(DetachedInstanceError):
        job.state


async def test_closing_alone_expires_nothing(shop):
    """The border of the claim above: what was not expired stays readable."""
    await shop.old_job()
    async with shop.session() as db:
        job = await db.get(Job, 1)
    assert job.state == "queued"


async def test_update_expires_the_column_that_onupdate_computes(shop, db):
    """After the flush, one with `onupdate=func.now()` … raises; the others do not."""
    order = await db.get(Order, await shop.old_order())
    order.status = "closed"
    await db.flush()
    assert order.status == "closed"
    with CANNOT_LOAD:
        order.updated_at


async def test_explicit_time_is_not_expired(shop, db):
    """The border of the claim above: a value that code gave the column is there."""
    order = await db.get(Order, await shop.old_order())
    now = datetime.now()
    order.status, order.updated_at = "closed", now
    await db.flush()
    assert order.updated_at == now


async def test_rows_new_in_the_transaction_keep_their_values(db):
    """Right: … rows that were new in the transaction which is rolled back (they keep their values)."""
    now = datetime.now()
    job = Job(state="queued", created_at=now, updated_at=now)
    db.add(job)
    await db.flush()
    await db.rollback()
    assert job.state == "queued"


async def test_rows_that_were_loaded_again(shop, db):
    """Right: … rows that were loaded or refreshed again."""
    await shop.old_job()
    job = await db.get(Job, 1)
    await db.rollback()
    await db.refresh(job)
    assert job.state == "queued"
    await db.rollback()
    await db.scalars(select(Job))
    assert job.state == "queued"


async def test_rows_of_another_session(shop, db):
    """Right: … rows of another session."""
    await shop.old_job()
    async with shop.session() as other:
        job = await other.get(Job, 1)
        await db.execute(select(func.count(Job.id)))
        await db.rollback()
        assert job.state == "queued"
