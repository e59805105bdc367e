"""What the pages on stamps claim, seen on the stored row."""

from datetime import datetime

import clinic_pages
from pages import example
from sqlalchemy import DateTime, insert, update
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

OLD = "2020-01-01"


class OwnBase(DeclarativeBase):
    """A table that the shop does not have."""


class Ticket(OwnBase):
    """Both times have everything that could fill them."""

    __tablename__ = "tickets"

    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str | None]
    created_at: Mapped[datetime | None] = mapped_column(DateTime, default=datetime.now)
    updated_at: Mapped[datetime | None] = mapped_column(DateTime, default=datetime.now, onupdate=datetime.now)


async def create_tickets(shop) -> None:
    async with shop.engine.begin() as connection:
        await connection.run_sync(OwnBase.metadata.create_all)


# hand-stamped-actor


async def test_by_hand_the_email_stays_what_it_was(shop, db, actor):
    """An assignment by hand fills the columns that its author remembered: … the name of one person beside the e-mail of another."""
    await example("hand-stamped-actor", "bad", 1).rename(db, await shop.old_order(), "A-2", actor)
    row = await shop.one("orders")
    assert (row["updated_by_email"], row["updated_by_name"]) == ("old@shop.example", actor.name)


async def test_by_hand_there_is_an_email_without_a_name(shop, db, actor):
    """… the e-mail without the name … No error tells of the column that was left out."""
    await example("hand-stamped-actor", "bad", 2).open_order(db, "A-1", actor)
    await db.commit()
    row = await shop.one("orders")
    assert (row["created_by_email"], row["created_by_name"]) == (actor.email, None)


async def test_setter_fills_every_column(shop, db, actor):
    """A setter fills all the columns that say who acted."""
    await example("hand-stamped-actor", "good", 1).rename(db, await shop.old_order(), "A-2", actor)
    row = await shop.one("orders")
    assert (row["updated_by_email"], row["updated_by_name"]) == (actor.email, actor.name)


async def test_copy_says_who_made_the_original(shop, db):
    """A copy says who made the original."""
    order_id = await shop.old_order(created_by_email="eve@shop.example", created_by_name="Eve")
    await example("hand-stamped-actor", "good", 2).duplicate(db, order_id)
    await db.commit()
    rows = await shop.sql("SELECT created_by_email FROM orders")
    assert [row["created_by_email"] for row in rows] == ["eve@shop.example"] * 2


# overwritten-creation-stamp


async def test_last_editor_has_made_the_row(shop, db, actor):
    """The row then says that the last editor made it, and nothing in the table tells otherwise."""
    order_id = await shop.old_order(created_by_email="eve@shop.example", created_by_name="Eve")
    await example("overwritten-creation-stamp", "bad", 1).rename(db, order_id, "A-2", actor)
    row = await shop.one("orders")
    assert row["created_by_email"] == actor.email and "eve@shop.example" not in row.values()


async def test_request_overwrites_the_creation_time(shop, db, actor):
    """… where the fields of a request are stored one by one and the schema lets the stamp in."""
    page = example("overwritten-creation-stamp", "bad", 2)
    data = page.OrderPatch(created_at=datetime(1999, 1, 1))
    await page.patch(db, await shop.old_order(), data, actor)
    assert (await shop.one("orders"))["created_at"].startswith("1999-01-01")


async def test_excluded_stamp_is_kept(shop, db, actor):
    """The good example: the creation stamp stays, the update stamp moves."""
    page = example("overwritten-creation-stamp", "good", 1)
    data = page.OrderPatch(number="A-2", created_at=datetime(1999, 1, 1))
    await page.patch(db, await shop.old_order(created_by_email="eve@shop.example"), data, actor)
    row = await shop.one("orders")
    assert row["created_at"].startswith(OLD) and row["created_by_email"] == "eve@shop.example"
    assert row["updated_by_email"] == actor.email and not row["updated_at"].startswith(OLD)


async def test_empty_stamp_is_filled_and_another_kept(shop, db, actor):
    """A stamp that was never there may be filled in."""
    page = example("overwritten-creation-stamp", "good", 2)
    await page.adopt(db, await shop.old_order("A-1"), actor)
    await page.adopt(db, await shop.old_order("A-2", created_by_email="eve@shop.example"), actor)
    rows = await shop.sql("SELECT created_by_email FROM orders ORDER BY number")
    assert [row["created_by_email"] for row in rows] == ["unknown@shop", "eve@shop.example"]


# nulled-audit-field


def test_save_empties_what_the_task_stamped(clinic):
    """A `save()` that asks who acts … finds nobody in a worker, and then empties what the task has stamped by hand."""
    with clinic_pages.example("nulled-audit-field", "bad", 3) as page:
        page.set_up.run(" 1", "ada")
        bed = page.Bed.objects.get(number="1")
        assert bed.created_by is None
        page.Bed.objects.update(created_by="ada")
        bed.refresh_from_db()
        assert bed.created_by == "ada"


async def test_statement_writes_null(shop, db):
    """An explicit `None` is a value. In `values(…)` of a statement … it goes into the table as NULL."""
    await example("nulled-audit-field", "bad", 1).restart(db, await shop.old_job("failed"))
    assert (await shop.one("jobs"))["updated_at"] is None


async def test_dump_carries_none_for_what_the_client_did_not_send(shop, db):
    """Its dump carries `None` for everything the client did not send."""
    page = example("nulled-audit-field", "bad", 2)
    await page.patch(db, await shop.old_job(), page.JobPatch(state="done"))
    row = await shop.one("jobs")
    assert row["state"] == "done" and row["updated_at"] is None


async def test_neither_default_nor_onupdate_fires_for_none(shop, db):
    """Neither a column's default nor its `onupdate` fires any more."""
    await create_tickets(shop)
    await db.execute(insert(Ticket).values(created_at=None))
    await db.commit()
    assert (await shop.one("tickets"))["created_at"] is None
    await db.execute(update(Ticket).values(text="x", updated_at=None))
    await db.commit()
    assert (await shop.one("tickets"))["updated_at"] is None


async def test_onupdate_does_not_fire_for_none_on_a_loaded_row(shop, db):
    """… and on a row that was there before …"""
    await create_tickets(shop)
    db.add(Ticket(id=1))
    await db.commit()
    ticket = await db.get(Ticket, 1)
    ticket.text, ticket.updated_at = "x", None
    await db.commit()
    assert (await shop.one("tickets"))["updated_at"] is None


async def test_default_fires_for_none_on_a_new_row(shop, db):
    """There a `None` is left out of the statement and the default still fires."""
    await create_tickets(shop)
    db.add(Ticket(created_at=None))
    await db.commit()
    assert (await shop.one("tickets"))["created_at"] is not None


async def test_good_writes_have_their_time(shop, db):
    """The good examples: the time moves, with a statement and with a row."""
    page = example("nulled-audit-field", "good", 1)
    job_id = await shop.old_job("failed")
    await page.restart(db, job_id)
    restarted = (await shop.one("jobs"))["updated_at"]
    assert not restarted.startswith(OLD)
    await page.patch(db, job_id, page.JobPatch(state="done"))
    assert (await shop.one("jobs"))["updated_at"] > restarted
