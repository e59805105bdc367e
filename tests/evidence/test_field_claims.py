"""What the pages of the fields pack claim, seen on the stored row."""

import warnings
from datetime import datetime

import pytest
from pages import example
from shop.models import Order
from sqlalchemy import DateTime, text, update
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class OwnBase(DeclarativeBase):
    """Tables that the shop does not have."""


class Plain(OwnBase):
    """Two times: one without any default, one with a default on the client's side."""

    __tablename__ = "plain"

    id: Mapped[int] = mapped_column(primary_key=True)
    bare_at: Mapped[datetime | None] = mapped_column(DateTime)
    created_at: Mapped[datetime] = mapped_column(DateTime, default=datetime.now)


async def create_plain(shop) -> None:
    async with shop.engine.begin() as connection:
        await connection.run_sync(OwnBase.metadata.create_all)


async def drift(shop) -> None:
    """The orders table as a migration left it that forgot the server default."""
    await shop.sql("DROP TABLE orders")
    columns = [
        f"{column.name} {column.type.compile()}{'' if column.nullable else ' NOT NULL'}"
        for column in Order.__table__.columns
        if column.name != "id"
    ]
    await shop.sql(f"CREATE TABLE orders (id INTEGER PRIMARY KEY, {', '.join(columns)})")


# missing-created-at


async def test_created_at_without_default_raises(db):
    """A column without a default is NULL, or the flush raises `IntegrityError`. (the second half)"""
    with pytest.raises(IntegrityError, match="NOT NULL constraint failed: jobs.created_at"):
        await example("missing-created-at", "bad", 1).enqueue(db)


async def test_created_at_without_default_is_null(shop, db):
    """A column without a default is NULL, or the flush raises `IntegrityError`. (the first half)"""
    await create_plain(shop)
    db.add(Plain())
    await db.commit()
    assert (await shop.one("plain"))["bare_at"] is None


async def test_server_default_hides_on_fresh_tables(shop, db, actor):
    """… no test on freshly created tables notices."""
    await example("missing-created-at", "bad", 2).open_order(db, "A-1", actor)
    await db.commit()
    assert (await shop.one("orders"))["created_at"] is not None


async def test_server_default_helps_only_where_the_table_has_it(shop, db, actor):
    """A `server_default` helps only where the table really has it: a migration that left it out makes every insert fail."""
    await drift(shop)
    with pytest.raises(IntegrityError, match="NOT NULL constraint failed: orders.created_at"):
        await example("missing-created-at", "bad", 2).open_order(db, "A-1", actor)


async def test_explicit_time_is_there_on_every_database(shop, db, actor):
    """A time the code sets itself is there on every database."""
    await drift(shop)
    await example("missing-created-by", "good", 1).open_order(db, "A-1", actor)
    assert (await shop.one("orders"))["created_at"] is not None


async def test_client_side_default_gives_the_time(shop, db):
    """A client-side default (`default=`) does give the row its time on this path."""
    await create_plain(shop)
    db.add(Plain())
    await db.commit()
    assert (await shop.one("plain"))["created_at"] is not None


@pytest.mark.parametrize("number", [1, 2])
async def test_stamped_job_has_its_times(shop, db, number):
    """The good examples: both times are stored, by hand or by a helper after the row is added."""
    await example("missing-created-at", "good", number).enqueue(db)
    await db.commit()
    row = await shop.one("jobs")
    assert row["created_at"] is not None and row["created_at"] == row["updated_at"]


# missing-updated-at


async def test_job_keeps_the_old_time(shop, db):
    """The column has no default of any kind, the time stays what it was."""
    await example("missing-updated-at", "bad", 1).finish(db, await shop.old_job())
    row = await shop.one("jobs")
    assert row["state"] == "done" and row["updated_at"].startswith("2020-01-01")


async def test_onupdate_does_not_fire_on_insert(shop, db, actor):
    """It does not fire on INSERT: a column that has only `onupdate=` is NULL until the first update."""
    await example("missing-updated-at", "bad", 2).open_order(db, "A-1", actor)
    assert (await shop.one("orders"))["updated_at"] is None
    await db.execute(update(Order).values(status="closed"))
    await db.commit()
    assert (await shop.one("orders"))["updated_at"] is not None


@pytest.mark.parametrize(("state", "touch", "moved"), [("done", False, False), ("done", True, True)])
async def test_one_path_forgets(shop, db, state, touch, moved):
    """One path forgets: the state moves, and the time only when somebody asks for it."""
    await example("missing-updated-at", "bad", 4).move(db, await shop.old_job(), state, touch)
    row = await shop.one("jobs")
    assert row["state"] == "done"
    assert row["updated_at"].startswith("2020-01-01") is not moved


async def test_onupdate_covers_the_unit_of_work(shop, db):
    """`onupdate=` covers an update that SQLAlchemy itself writes, by the unit of work …"""
    order = await db.get(Order, await shop.old_order())
    order.status = "closed"
    await db.commit()
    assert not (await shop.one("orders"))["updated_at"].startswith("2020-01-01")


async def test_onupdate_covers_update_statements(shop, db):
    """… or by `update()`."""
    await shop.old_order()
    await db.execute(update(Order).values(status="closed"))
    await db.commit()
    assert not (await shop.one("orders"))["updated_at"].startswith("2020-01-01")


async def test_onupdate_does_not_fire_for_the_conflict_branch(shop, db):
    """It never fires for the conflict branch of an upsert …"""
    await shop.old_order("A-1")
    statement = upsert(Order).values(number="A-1", status="closed")
    await db.execute(statement.on_conflict_do_update(index_elements=["number"], set_={"status": "closed"}))
    await db.commit()
    row = await shop.one("orders")
    assert row["status"] == "closed" and row["updated_at"].startswith("2020-01-01")


async def test_onupdate_does_not_fire_for_text(shop, db):
    """… or for SQL text."""
    await shop.old_order()
    await db.execute(text("UPDATE orders SET status = 'closed'"))
    await db.commit()
    row = await shop.one("orders")
    assert row["status"] == "closed" and row["updated_at"].startswith("2020-01-01")


async def test_finished_job_has_a_new_time(shop, db):
    """The first good example."""
    await example("missing-updated-at", "good", 1).finish(db, await shop.old_job())
    row = await shop.one("jobs")
    assert row["state"] == "done" and not row["updated_at"].startswith("2020-01-01")


@pytest.mark.parametrize("state", [None, "done"])
async def test_flag_remembers_the_change(shop, db, state):
    """A flag remembers the change, and the stamp asks the flag."""
    await example("missing-updated-at", "good", 2).move(db, await shop.old_job(), state)
    row = await shop.one("jobs")
    assert row["updated_at"].startswith("2020-01-01") is (state is None)


# missing-deleted-at


async def test_row_with_an_actor_only_stays_visible(shop, db, actor):
    """A row that only got its actor stays visible, and the trail says who deleted a row that is still there."""
    await example("missing-deleted-at", "bad").remove(db, await shop.old_order(), actor)
    (row,) = await shop.sql("SELECT * FROM orders WHERE deleted_at IS NULL")
    assert row["deleted_by_email"] == "ada@shop.example"


async def test_deleted_row_has_time_and_actor(shop, db, actor):
    """The first good example: the row is hidden from queries that ask `deleted_at IS NULL`."""
    await example("missing-deleted-at", "good", 1).remove(db, await shop.old_order(), actor)
    assert await shop.sql("SELECT * FROM orders WHERE deleted_at IS NULL") == []
    assert (await shop.one("orders"))["deleted_by_email"] == "ada@shop.example"


async def test_restore_is_an_update(shop, db, actor):
    """Taking a deletion back is an update, and owes what an update owes."""
    order_id = await shop.old_order(deleted_at=datetime(2021, 1, 1))
    await example("missing-deleted-at", "good", 2).restore(db, order_id, actor)
    row = await shop.one("orders")
    assert row["deleted_at"] is None
    assert row["updated_by_email"] == "ada@shop.example" and not row["updated_at"].startswith("2020-01-01")


# missing-created-by, missing-updated-by, missing-deleted-by


async def test_creator_stays_null(shop, db):
    """When the code does not hand the actor over, the column stays NULL."""
    await example("missing-created-by", "bad").open_order(db, "A-1")
    row = await shop.one("orders")
    assert row["created_by_email"] is None and row["created_by_name"] is None


async def test_creator_behind_a_guard(shop, db, actor):
    """A guard that tests the actor itself is accepted: without an actor there is nothing to write."""
    good = example("missing-created-by", "good", 1)
    await good.open_order(db, "A-1", actor)
    await good.open_order(db, "A-2", None)
    rows = await shop.sql("SELECT created_by_email FROM orders ORDER BY number")
    assert [row["created_by_email"] for row in rows] == ["ada@shop.example", None]


async def test_creator_as_a_keyword(shop, db):
    """A creator column in the constructor; a named system actor discharges the duty."""
    await example("missing-created-by", "good", 2).import_order(db, "A-1")
    assert (await shop.one("orders"))["created_by_name"] == "Import"


async def test_row_keeps_the_name_of_somebody_else(shop, db):
    """The row keeps the name of whoever touched it before."""
    await example("missing-updated-by", "bad", 1).close(db, await shop.old_order())
    row = await shop.one("orders")
    assert row["status"] == "closed" and row["updated_by_email"] == "old@shop.example"


async def test_helper_leaves_the_actor_to_its_caller(shop, db):
    """A helper that changes a row it was handed leaves the duty to its callers."""
    await shop.old_order("A-1")
    await example("missing-updated-by", "bad", 2).change(db, "A-1", {"status": "closed"})
    row = await shop.one("orders")
    assert row["status"] == "closed" and row["updated_by_email"] == "old@shop.example"


async def test_helper_that_stamps(shop, db, actor):
    """The good example: the helper names the actor."""
    await shop.old_order("A-1")
    await example("missing-updated-by", "good").change(db, "A-1", {"status": "closed"}, actor)
    assert (await shop.one("orders"))["updated_by_email"] == "ada@shop.example"


async def test_deleter_stays_null(shop, db):
    """The time alone does not answer it, and the column stays NULL."""
    await example("missing-deleted-by", "bad").remove(db, await shop.old_order())
    row = await shop.one("orders")
    assert row["deleted_at"] is not None and row["deleted_by_email"] is None


async def test_deleter_is_named(shop, db, actor):
    """The good example: time and actor."""
    await example("missing-deleted-by", "good").remove(db, await shop.old_order(), actor)
    row = await shop.one("orders")
    assert row["deleted_at"] is not None and row["deleted_by_email"] == "ada@shop.example"


# hard-delete


async def test_delete_takes_the_row_and_its_trail(shop, db):
    """A real DELETE takes the row and its whole trail, creation included."""
    await example("hard-delete", "bad", 1).remove(db, await shop.old_order())
    assert await shop.sql("SELECT * FROM orders") == []


async def test_delete_statement_takes_the_row(shop, db):
    """The same through `delete(…)`."""
    await shop.old_order("A-1")
    await example("hard-delete", "bad", 2).purge(db, "A-1")
    assert await shop.sql("SELECT * FROM orders") == []


async def test_soft_deleted_row_stays(shop, db, actor):
    """Deleted rows stay and say when and by whom they went; a row without `deleted_at` may go."""
    good = example("hard-delete", "good", 1)
    await good.remove(db, await shop.old_order(), actor)
    await good.drop_job(db, await shop.old_job())
    row = await shop.one("orders")
    assert row["deleted_at"] is not None and row["deleted_by_email"] == "ada@shop.example"
    assert await shop.sql("SELECT * FROM jobs") == []


# phantom-audit-field


async def test_phantom_is_not_written(shop, db):
    """One that is no column is simply not written: no exception, no warning, no trace in the table."""
    order_id = await shop.old_order()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        await example("phantom-audit-field", "bad").close(db, order_id, 7)
    row = await shop.one("orders")
    assert row["status"] == "closed" and row["updated_by_email"] == "old@shop.example"
    async with shop.session() as fresh:
        assert not hasattr(await fresh.get(Order, order_id), "updated_by")


def test_unknown_keyword_raises():
    """An unknown keyword in the constructor raises `TypeError` by itself."""
    with pytest.raises(TypeError, match="updated_by"):
        Order(number="A-1", updated_by=7)


async def test_setter_reaches_the_column(shop, db, actor):
    """The good example: the actor is in the table."""
    await example("phantom-audit-field", "good").close(db, await shop.old_order(), actor)
    assert (await shop.one("orders"))["updated_by_email"] == "ada@shop.example"


async def test_left_out_actor_is_missing(shop, db):
    """A call that leaves the actor out is where it is missing."""
    await example("missing-created-by", "bad", 2).import_orders(db, ["A-1"])
    assert (await shop.one("orders"))["created_by_email"] is None


async def test_handed_over_actor_is_there(shop, db):
    """… the callers decide."""
    await example("missing-created-by", "good", 3).import_orders(db, ["A-1"])
    assert (await shop.one("orders"))["created_by_email"] == "import@shop.example"


async def test_left_out_actor_leaves_the_one_before(shop, db):
    """A helper … stamps nothing for a call that leaves the actor out."""
    await example("missing-updated-by", "bad", 3).expire(db, await shop.old_order())
    row = await shop.one("orders")
    assert row["status"] == "expired" and row["updated_by_email"] == "old@shop.example"


async def test_default_of_the_table_fills_creations_only(shop):
    """On a create, a default of the database fills the column … It says nothing of the updates that follow."""
    await shop.sql("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT, updated_at TEXT DEFAULT CURRENT_TIMESTAMP)")
    await shop.sql("INSERT INTO notes (id, text) VALUES (1, 'a')")
    created = (await shop.one("notes"))["updated_at"]
    await shop.sql("UPDATE notes SET text = 'b', updated_at = '2020-01-01'")
    await shop.sql("UPDATE notes SET text = 'c'")
    assert created is not None and (await shop.one("notes"))["updated_at"] == "2020-01-01"
