"""The standard's own wrong and correct forms, run: the correct ones do what they promise, the wrong ones fail as said."""

import importlib.util
import re
from datetime import datetime

import pytest
from pages import ROOT
from shop.models import Order, User
from sqlalchemy.exc import IntegrityError, PendingRollbackError, SQLAlchemyError

STANDARD = ROOT / "fixtures" / "standard"


def snippet(name: str):
    spec = importlib.util.spec_from_file_location(f"standard.{name}".replace("/", "."), STANDARD / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def order(number: str) -> Order:
    now = datetime.now()
    return Order(number=number, created_at=now, updated_at=now)


def test_readme_lists_every_snippet():
    """The table of snippets is the folder."""
    readme = (STANDARD / "README.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"`((?:wrong|correct)/\w+\.py)`", readme))
    assert listed == {str(path.relative_to(STANDARD)) for path in STANDARD.glob("*/*.py")}


# Pattern 1 and issue 1: imports


async def test_imported_names_catch_the_duplicate(shop, db, actor):
    """Pattern 1: IntegrityError, datetime and AuditContext are required imports."""
    service = snippet("correct/pattern_1_imports").OrderService(db)
    await service.open_order("A-1", actor)
    await db.commit()
    with pytest.raises(ValueError, match="exists"):
        await service.open_order("A-1", actor)
    await db.commit()
    row = await shop.one("orders")
    assert row["created_at"] and row["updated_at"] and row["created_by_email"] == "ada@shop.example"


async def test_missing_imports_fail_at_run_time(db, actor):
    """Pattern 1 without its imports: the module loads, the call fails."""
    with pytest.raises(NameError):
        await snippet("wrong/pattern_1_imports").OrderService(db).open_order("A-1", actor)


async def test_missing_import_causes_name_error(shop, db):
    """Issue 1, wrong: will cause NameError."""
    await shop.old_order("A-1")
    wrong = snippet("wrong/issue_1_missing_import")
    await wrong.save(db, None)
    db.add(order("A-1"))
    with pytest.raises(NameError, match="IntegrityError"):
        await wrong.save(db, None)


async def test_added_import_mends_it(shop, db):
    """Issue 1, correct: add the import at the top of the file."""
    await shop.old_order("A-1")
    db.add(order("A-1"))
    with pytest.raises(IntegrityError):
        await snippet("correct/issue_1_missing_import").save(db, None)
    await db.commit()


# Pattern 2 and issue 2: create


async def test_create_sets_everything(shop, db, actor):
    """Pattern 2: audit information with explicit timestamps; a duplicate is a ValueError and nothing is left behind."""
    correct = snippet("correct/pattern_2_create")
    service = correct.OrderService(db)
    answer = await service.create_order(correct.OrderCreate("A-1"), actor)
    await db.commit()
    row = await shop.one("orders")
    assert answer.id == row["id"]
    assert row["created_at"] and row["updated_at"] and row["created_by_email"] == "ada@shop.example"
    with pytest.raises(ValueError, match="already exists"):
        await service.create_order(correct.OrderCreate("A-1"), actor)
    await db.commit()


@pytest.mark.parametrize(
    ("method", "with_actor", "column"),
    [
        ("create_without_actor", False, "created_by_email"),
        ("create_without_updated_at", True, "updated_at"),
    ],
)
async def test_create_leaves_a_hole(shop, db, actor, method, with_actor, column):
    """Pattern 2 with one point left out: the column is NULL."""
    service = snippet("wrong/pattern_2_create").OrderService(db)
    await getattr(service, method)("A-1", *([actor] if with_actor else []))
    await db.commit()
    assert (await shop.one("orders"))[column] is None


async def without_server_default(shop):
    """The orders table as a migration left it that forgot the server default."""
    (table,) = await shop.sql("SELECT sql FROM sqlite_master WHERE name = 'orders'")
    statement = re.sub(r" DEFAULT \(?CURRENT_TIMESTAMP\)?", "", table["sql"])
    assert statement != table["sql"]
    await shop.sql("DROP TABLE orders")
    await shop.sql(statement)


@pytest.mark.parametrize(
    ("name", "method"),
    [("wrong/issue_2_explicit_times", "create_order"), ("wrong/pattern_2_create", "create_without_created_at")],
)
async def test_server_default_does_not_always_work(shop, db, actor, name, method):
    """Issue 2, wrong: relies on server_default, which doesn't always work."""
    await without_server_default(shop)
    with pytest.raises(IntegrityError, match="NOT NULL"):
        await getattr(snippet(name).OrderService(db), method)("A-1", actor)


async def test_explicit_times_always_work(shop, db, actor):
    """Issue 2, correct: explicitly set timestamps."""
    await without_server_default(shop)
    await snippet("correct/issue_2_explicit_times").OrderService(db).create_order("A-1", actor)
    await db.commit()
    row = await shop.one("orders")
    assert row["created_at"] and row["updated_at"]


# Pattern 3: update


async def test_update_sets_time_and_actor(shop, db, actor):
    """Pattern 3: audit information with an explicit timestamp; nothing found is None."""
    correct = snippet("correct/pattern_3_update")
    service = correct.OrderService(db)
    order_id = await shop.old_order("A-1")
    await shop.old_order("A-2")
    await service.update_order(order_id, correct.OrderUpdate(status="closed"), actor)
    await db.commit()
    (row,) = await shop.sql("SELECT * FROM orders WHERE number = 'A-1'")
    assert row["updated_by_email"] == "ada@shop.example" and not row["updated_at"].startswith("2020-01-01")
    assert await service.update_order(99, correct.OrderUpdate(), actor) is None
    with pytest.raises(ValueError, match="Constraint"):
        await service.update_order(order_id, correct.OrderUpdate(number="A-2"), actor)
    await db.commit()


async def test_update_keeps_the_old_actor(shop, db, actor):
    """Pattern 3 with one point left out: the old actor stays; the time moves only because the column has `onupdate`."""
    service = snippet("wrong/pattern_3_update").OrderService(db)
    order_id = await shop.old_order()
    await service.update_without_actor(order_id, "closed")
    await db.commit()
    assert (await shop.one("orders"))["updated_by_email"] == "old@shop.example"
    await service.update_without_time(order_id, "open", actor)
    await db.commit()
    assert not (await shop.one("orders"))["updated_at"].startswith("2020-01-01")


# Pattern 4: delete


async def test_delete_sets_time_and_actor(shop, db, actor):
    """Pattern 4: deletion audit information; nothing found is False."""
    service = snippet("correct/pattern_4_delete").OrderService(db)
    assert await service.delete_order(await shop.old_order(), actor) is True
    assert await service.delete_order(99, actor) is False
    await db.commit()
    row = await shop.one("orders")
    assert row["deleted_at"] and row["deleted_by_email"] == "ada@shop.example"


async def test_delete_leaves_a_hole(shop, db, actor):
    """Pattern 4 with one point left out."""
    service = snippet("wrong/pattern_4_delete").OrderService(db)
    order_id = await shop.old_order()
    await service.delete_without_time(order_id, actor)
    await db.commit()
    assert (await shop.one("orders"))["deleted_at"] is None
    await shop.sql("UPDATE orders SET deleted_by_email = NULL")
    await service.delete_without_actor(order_id)
    await db.commit()
    row = await shop.one("orders")
    assert row["deleted_at"] and row["deleted_by_email"] is None
    await service.delete_for_good(order_id)
    await db.commit()
    assert await shop.sql("SELECT * FROM orders") == []


# Pattern 5 and issue 3: attributes of the user


async def expired_admin(db) -> User:
    db.add(User(email="ada@shop.example", name="Ada", role="global_admin", tenant_id="global"))
    await db.commit()
    db.expunge_all()
    return await db.get(User, 1)


@pytest.mark.parametrize(
    ("name", "decide"),
    [("pattern_5_user_attributes", "is_global_admin"), ("issue_3_user_attributes", "may_see_all_tenants")],
)
async def test_attributes_of_an_expired_user(db, name, decide):
    """Pattern 5 and issue 3: the attribute can trigger a lazy load, which raises; `__dict__` does not. Beyond the
    standard: after a rollback `__dict__` is empty, and the administrator is none."""
    wrong, correct = getattr(snippet(f"wrong/{name}"), decide), getattr(snippet(f"correct/{name}"), decide)
    user = await expired_admin(db)
    assert wrong(user) is True and correct(user) is True
    await db.rollback()
    with pytest.raises(SQLAlchemyError, match="greenlet_spawn"):
        wrong(user)
    assert correct(user) is False


# Issue 4: error handling


async def test_swallowed_error_strikes_at_the_commit(shop, db, caplog):
    """Issue 4, wrong: swallows exceptions, no logging."""
    await shop.old_order("A-1")
    wrong = snippet("wrong/issue_4_error_handling")
    with pytest.raises(PendingRollbackError):
        await wrong.save_and_commit(db, order("A-1"))
    assert caplog.text == ""


async def test_handled_error_is_logged_and_raised(shop, db, caplog):
    """Issue 4, correct: log with context, re-raise appropriately."""
    await shop.old_order("A-1")
    correct = snippet("correct/issue_4_error_handling")
    with pytest.raises(ValueError, match="Duplicate"):
        await correct.save(db, order("A-1"))
    assert "UNIQUE" in caplog.text
    await correct.save(db, order("A-2"))
    await db.commit()
