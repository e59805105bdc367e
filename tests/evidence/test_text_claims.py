"""What the pages claim of writes that go round the unit of work, seen on the stored row."""

from datetime import datetime

import pytest
from pages import example
from shop.models import Order
from sqlalchemy import DateTime, FetchedValue, event, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, Session, mapped_column

OLD = "2020-01-01"


class OwnBase(DeclarativeBase):
    """Tables that the shop does not have."""


class Crate(MappedAsDataclass, OwnBase):
    """Its time comes from the constructor."""

    __tablename__ = "crates"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    created_at: Mapped[datetime | None] = mapped_column(DateTime, default_factory=datetime.now)


class Note(OwnBase):
    """One default on the client's side, and a note about one of the database."""

    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[str | None]
    created_at: Mapped[datetime | None] = mapped_column(DateTime, default=datetime.now)
    updated_at: Mapped[datetime | None] = mapped_column(DateTime, server_onupdate=FetchedValue())


class WatchedSession(Session):
    """A session with hooks."""


@event.listens_for(WatchedSession, "before_flush")
def stamp_rows(session, flush_context, instances) -> None:
    for row in [*session.new, *session.dirty]:
        row.updated_at = datetime(2026, 1, 1)


@event.listens_for(WatchedSession, "do_orm_execute")
def stamp_statements(state) -> None:
    if state.is_update:
        state.statement = state.statement.values(updated_at=datetime(2026, 1, 2))


@pytest.fixture
async def notes(shop):
    """The own tables, and a watched session."""
    async with shop.engine.begin() as connection:
        await connection.run_sync(OwnBase.metadata.create_all)
    async with AsyncSession(shop.engine, sync_session_class=WatchedSession) as session:
        yield session


async def updated(db, **where):
    """When the notes changed, as the table says."""
    table = Note.__table__
    return (await db.execute(select(table.c.updated_at).filter_by(**where))).scalars().all()


# missing-created-at


async def test_text_gets_no_client_side_default(shop, notes):
    """SQL text gets no client-side default."""
    await shop.sql("INSERT INTO notes (body) VALUES ('a')")
    assert (await shop.one("notes"))["created_at"] is None


async def test_text_gets_what_the_database_adds(shop):
    """… only what the database adds."""
    await shop.sql("INSERT INTO orders (number, status) VALUES ('A-1', 'open')")
    assert (await shop.one("orders"))["created_at"] is not None


async def test_text_is_an_insert_like_any_other(db):
    """Text is an INSERT like any other."""
    with pytest.raises(IntegrityError, match="NOT NULL constraint failed: jobs.created_at"):
        await example("missing-created-at", "bad", 3).enqueue(db)


async def test_factory_is_called_by_the_constructor(shop, notes):
    """A `default_factory=` of a class mapped as a dataclass is called by the constructor."""
    assert Crate().created_at is not None


@pytest.mark.parametrize("way", ["statement", "mappings"])
async def test_factory_is_not_called_without_a_row(shop, notes, way):
    """`insert()` and `bulk_insert_mappings` construct nothing, and the column is NULL."""
    if way == "statement":
        await notes.execute(insert(Crate).values(id=1))
    else:
        await notes.run_sync(lambda session: session.bulk_insert_mappings(Crate, [{"id": 1}]))
    await notes.commit()
    assert (await shop.one("crates"))["created_at"] is None


@pytest.mark.parametrize("include", [True, False])
async def test_defaults_left_out(shop, notes, include):
    """So it is with every default when `from_select(…, include_defaults=False)` leaves them out."""
    chosen = select(text("'a'"))
    await notes.execute(insert(Note).from_select(["body"], chosen, include_defaults=include))
    await notes.commit()
    assert ((await shop.one("notes"))["created_at"] is not None) is include


# missing-updated-at


async def test_text_does_not_move_the_time(shop, db):
    """SQL text says all that it writes; `onupdate=` of the model does not add to it."""
    await shop.old_order()
    await example("missing-updated-at", "bad", 3).close_all(db, "ada@shop.example", "Ada")
    row = await shop.one("orders")
    assert row["status"] == "closed" and row["updated_at"].startswith(OLD)


async def test_text_on_a_connection_does_not_move_the_time(shop):
    """… or for SQL text, be it run by a session or on a connection."""
    await shop.old_order()
    async with shop.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE orders SET status = 'closed'")
    assert (await shop.one("orders"))["updated_at"].startswith(OLD)


async def test_server_onupdate_is_a_note(shop, notes):
    """`server_onupdate=` is a note to SQLAlchemy and fires nothing."""
    await shop.sql("INSERT INTO notes (body) VALUES ('a')")
    async with shop.session() as session:
        await session.execute(update(Note).values(body="b"))
        await session.commit()
    assert (await shop.one("notes"))["updated_at"] is None


async def test_before_flush_sees_flushes_only(notes):
    """A `before_flush` listener sees what the unit of work flushes, and neither statements nor `bulk_save_objects`."""
    notes.add(Note(id=1))
    await notes.flush()
    await notes.run_sync(lambda session: session.bulk_save_objects([Note(id=2)]))
    await notes.execute(insert(Note).values(id=3))
    assert await updated(notes) == [datetime(2026, 1, 1), None, None]


async def test_do_orm_execute_sees_statements_of_a_session(notes):
    """A `do_orm_execute` hook sees statements of a session and none of a connection."""
    await notes.execute(text("INSERT INTO notes (id, body) VALUES (1, 'a')"))
    await (await notes.connection()).execute(update(Note).values(body="b"))
    assert await updated(notes) == [None]
    await notes.execute(update(Note).values(body="c"))
    assert await updated(notes) == [datetime(2026, 1, 2)]


async def test_trigger_sees_all(shop, notes):
    """A trigger of the database sees all of them."""
    await shop.sql(
        "CREATE TRIGGER touch AFTER UPDATE ON notes BEGIN "
        "UPDATE notes SET updated_at = '2026-01-03 00:00:00' WHERE id = NEW.id; END"
    )
    await notes.execute(text("INSERT INTO notes (id) VALUES (1), (2), (3)"))
    await notes.execute(text("UPDATE notes SET body = 'b' WHERE id = 1"))
    await (await notes.connection()).execute(update(Note).where(Note.id == 2).values(body="b"))
    await notes.run_sync(lambda session: session.bulk_update_mappings(Note, [{"id": 3, "body": "b"}]))
    assert await updated(notes) == [datetime(2026, 1, 3)] * 3


async def test_text_with_the_time(shop, db):
    """Text with the time among its columns, in both branches of an upsert."""
    job_id = await shop.old_job()
    await example("missing-updated-at", "good", 3).save(db, job_id, "done")
    row = await shop.one("jobs")
    assert row["state"] == "done" and not row["updated_at"].startswith(OLD)


# hard-delete


async def test_table_and_text_remove_rows(shop, db):
    """`delete()` of a table and DELETE in SQL text do the same."""
    bad = example("hard-delete", "bad", 3)
    await shop.old_order("A-1")
    await shop.old_order("A-2", status="closed")
    await bad.purge(db, "A-1")
    await bad.purge_closed(db)
    assert await shop.sql("SELECT * FROM orders") == []


async def test_listener_keeps_rows_and_nothing_else(shop):
    """A `before_flush` listener makes a soft delete of `session.delete(row)`, and of nothing else."""
    good = example("hard-delete", "good", 2)
    order_id = await shop.old_order()
    async with AsyncSession(shop.engine, sync_session_class=good.KeepingSession) as session:
        await good.remove(session, order_id)
        assert (await shop.one("orders"))["deleted_at"] is not None
        await session.execute(Order.__table__.delete())
        await session.commit()
    assert await shop.sql("SELECT * FROM orders") == []
