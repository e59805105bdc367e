"""What the pages of the errors and sessions packs claim about failed and expired sessions."""

from datetime import datetime

import pytest
from pages import example
from shop.models import Job, User
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, MissingGreenlet, PendingRollbackError, StatementError
from sqlalchemy.orm.exc import DetachedInstanceError


def job(state: str = "queued") -> Job:
    now = datetime.now()
    return Job(state=state, created_at=now, updated_at=now)


async def flush_fails(shop, db) -> None:
    await shop.one_job_per_state()
    db.add(job())
    with pytest.raises(IntegrityError):
        await db.flush()


# missing-rollback


USES = {
    "execute": lambda db: db.execute(select(Job)),
    "get": lambda db: db.get(Job, 1),
    "flush": lambda db: flush_something(db),
    "commit": lambda db: db.commit(),
    "begin_nested": lambda db: enter(db.begin_nested()),
}


async def flush_something(db) -> None:
    db.add(job("another"))
    await db.flush()


async def enter(savepoint) -> None:
    async with savepoint:
        pass


@pytest.mark.parametrize("use", USES.values(), ids=USES.keys())
async def test_every_further_use_raises(shop, db, use):
    """After a failed flush every further statement on the session raises `PendingRollbackError` until somebody rolls back."""
    await flush_fails(shop, db)
    with pytest.raises(PendingRollbackError):
        await use(db)
    await db.rollback()
    await use(db)


async def test_what_stays_in_memory_does_not_raise(shop, db):
    """The border of the claim above: a use that sends nothing to the database (`add`, a flush with nothing to flush)
    passes, and the error waits for the next one that does."""
    await flush_fails(shop, db)
    await db.flush()
    db.add(job("another"))
    with pytest.raises(PendingRollbackError):
        await db.flush()


async def test_owner_that_commits_gets_the_error(shop, db):
    """That error strikes later and elsewhere: … in the owner that commits, where it hides the cause."""
    await shop.one_job_per_state()
    with pytest.raises(PendingRollbackError):
        await example("missing-rollback", "bad").enqueue_and_count(db)


async def test_next_query_gets_the_error(shop, db):
    """That error strikes later and elsewhere: in the next query …"""
    await shop.one_job_per_state()
    assert await example("missing-rollback", "bad").enqueue(db) is False
    with pytest.raises(PendingRollbackError):
        await db.scalars(select(Job))


async def test_rolled_back_session_goes_on(shop, db):
    """The first good example: the answer is False and the session is whole."""
    await shop.one_job_per_state()
    assert await example("missing-rollback", "good", 1).enqueue(db) is False
    db.add(job("other"))
    await db.commit()


async def test_helper_of_the_base_service(shop, db, caplog):
    """The helper of the base service rolls back, logs and raises."""
    await shop.one_job_per_state()
    with pytest.raises(IntegrityError):
        await example("missing-rollback", "good", 2).JobService(db).enqueue()
    assert "enqueue failed" in caplog.text
    await db.commit()


async def test_savepoint_needs_no_rollback(shop, db):
    """Right without a rollback of its own: … a savepoint (`begin_nested`) around the statement."""
    await shop.one_job_per_state()
    with pytest.raises(IntegrityError):
        async with db.begin_nested():
            db.add(job())
            await db.flush()
    db.add(job("other"))
    await db.commit()


async def test_closing_block_needs_no_rollback(shop):
    """Right without a rollback of its own: … a session that its own `with` block closes."""
    await shop.one_job_per_state()
    async with shop.session() as session:
        session.add(job())
        with pytest.raises(IntegrityError):
            await session.commit()
    await session.execute(select(Job))
    await session.close()


async def test_close_counts_as_rollback(shop, db):
    """Right without a rollback of its own: a handler that rolls back or closes through a helper."""
    await flush_fails(shop, db)
    await db.close()
    await db.commit()


async def test_owner_that_rolls_back(shop, db):
    """Right without a rollback of its own: … one that always raises to an owner that rolls back."""
    await shop.one_job_per_state()
    try:
        try:
            db.add(job())
            await db.flush()
        except IntegrityError as error:
            raise ValueError("exists") from error
    except ValueError:
        await db.rollback()
    await db.commit()


# swallowed-error


async def test_swallowed_error_tells_nobody(shop, db, caplog):
    """The caller believes the row is there. Nothing in the log says otherwise."""
    await shop.one_job_per_state()
    await example("swallowed-error", "bad").enqueue(db)
    assert caplog.text == ""
    assert len(await shop.sql("SELECT * FROM jobs")) == 1


async def test_told_error_is_logged_and_raised(shop, db, caplog):
    """The good example."""
    await shop.one_job_per_state()
    with pytest.raises(IntegrityError):
        await example("swallowed-error", "good").enqueue(db)
    assert "enqueue failed" in caplog.text and "UNIQUE" in caplog.text


# unlogged-error


async def test_operator_never_learns_what(shop, db, caplog, capfd):
    """The caller learns that something failed, the operator never learns what: which constraint, which row, which statement."""
    await shop.one_job_per_state()
    with pytest.raises(ValueError, match="the job exists") as caught:
        await example("unlogged-error", "bad").enqueue(db)
    assert "UNIQUE" not in str(caught.value)
    assert caplog.text == "" and capfd.readouterr() == ("", "")


async def test_operator_learns_what(shop, db, caplog):
    """The good example: the log names the constraint."""
    await shop.one_job_per_state()
    with pytest.raises(ValueError):
        await example("unlogged-error", "good").enqueue(db)
    assert "UNIQUE constraint failed: jobs.state" in caplog.text


# lazy-user-attribute


async def loaded_user(db) -> User:
    db.add(User(email="ada@shop.example", name="Ada", role="admin"))
    await db.commit()
    db.expunge_all()
    return await db.get(User, 1)


async def test_expired_row_raises_missing_greenlet(db):
    """After a rollback every row of the session is expired. The next read of a column wants to load it again: in async
    code that raises `MissingGreenlet`. (SQLAlchemy 2.1 wraps it in StatementError.)"""
    bad = example("lazy-user-attribute", "bad")
    user = await loaded_user(db)
    assert bad.is_global_admin(user) is True
    await db.rollback()
    with pytest.raises((MissingGreenlet, StatementError), match="greenlet_spawn"):
        bad.is_global_admin(user)


async def test_detached_row_raises(shop):
    """… on a closed session `DetachedInstanceError`."""
    async with shop.session() as session:
        user = await loaded_user(session)
        await session.rollback()
    with pytest.raises(DetachedInstanceError):
        example("lazy-user-attribute", "bad").is_global_admin(user)


async def test_dict_answers_none(db):
    """Reading `user.__dict__.get("role")` does not raise. After a rollback it answers `None`: an administrator is
    silently none."""
    user = await loaded_user(db)
    assert user.__dict__.get("role") == "admin"
    await db.rollback()
    assert user.__dict__.get("role") is None


async def test_captured_value_survives(db):
    """Capture the value before the risky part and pass the value on."""
    good = example("lazy-user-attribute", "good")
    user = await loaded_user(db)
    role, tenant_id = user.role, user.tenant_id
    await db.rollback()
    assert good.is_global_admin(role, tenant_id) is True
