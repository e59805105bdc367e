"""What the pages claim of relationships and of tables without a class, seen in the database."""

from pages import example
from shop.models import Document, Folder, Grant, ledger
from sqlalchemy import func, insert, select


async def folder_with(db, *titles) -> int:
    folder = Folder(documents=[Document(title=title) for title in titles])
    db.add(folder)
    await db.commit()
    return folder.id


async def count(db, model) -> int:
    return await db.scalar(select(func.count()).select_from(model))


async def test_what_is_taken_out_goes(db):
    """What is taken out of the collection goes."""
    folder_id = await folder_with(db, "a", "b")
    await example("hard-delete", "bad", 4).empty(db, folder_id)
    assert (await count(db, Folder), await count(db, Document)) == (1, 0)


async def test_all_of_it_goes_with_the_row_that_holds_it(db):
    """All of it goes with the row that holds it."""
    folder_id = await folder_with(db, "a", "b")
    await example("hard-delete", "bad", 4).drop(db, folder_id)
    assert (await count(db, Folder), await count(db, Document)) == (0, 0)


async def test_what_is_put_in_is_saved(db):
    """The good example: nothing goes."""
    folder_id = await folder_with(db, "a")
    await example("hard-delete", "good", 3).add(db, folder_id, "b")
    assert await count(db, Document) == 2


async def test_a_proxy_makes_a_row(db):
    """What is put into an association proxy makes a row of the model behind it."""
    await folder_with(db, "a")
    document = await db.scalar(select(Document))
    await example("missing-created-by", "bad", 3).let_read(db, document.id, "ada")
    grant = await db.scalar(select(Grant))
    assert (grant.reader, grant.created_by) == ("ada", None)


async def test_a_row_that_is_made_by_hand_has_its_creator(db):
    """The good example: the row is made, stamped and put in."""
    await folder_with(db, "a")
    document = await db.scalar(select(Document))
    await example("missing-created-by", "good", 4).let_read(db, document.id, "ada", "bob")
    assert (await db.scalar(select(Grant))).created_by == "bob"


async def test_a_table_without_a_class_keeps_its_old_time(shop, db):
    """A table without a class owes what its columns ask for."""
    await db.execute(insert(ledger).values(id=1, text="a"))
    await example("missing-updated-at", "bad", 5).reword(db, 1, "b")
    row = await shop.one("ledger")
    assert (row["text"], row["updated_at"]) == ("b", None)


async def test_a_table_without_a_class_is_stamped(shop, db):
    """The good example: the time is among the values."""
    await db.execute(insert(ledger).values(id=1, text="a"))
    await example("missing-updated-at", "good", 4).reword(db, 1, "b")
    assert (await shop.one("ledger"))["updated_at"] is not None
