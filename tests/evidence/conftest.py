"""A fresh shop in memory for every test, and a clinic in a file for those that ask for it."""

import sys
from datetime import datetime
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.pool import StaticPool

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "fixtures"))

import clinic_pages  # noqa: E402
from shop.models import Base, Job, Order, User  # noqa: E402

clinic_pages.set_up()

OLD = datetime(2020, 1, 1)


class Shop:
    """The database of one test and the few things tests do to it."""

    def __init__(self, engine) -> None:
        self.engine = engine

    def session(self) -> AsyncSession:
        return AsyncSession(self.engine, expire_on_commit=False)

    async def sql(self, statement: str, **values):
        """Plain SQL in a transaction of its own; answers the rows, if there are any."""
        async with self.engine.begin() as connection:
            result = await connection.execute(text(statement), values)
            return [dict(row) for row in result.mappings()] if result.returns_rows else None

    async def one(self, table: str) -> dict:
        """The only row of a table, as it is stored."""
        (row,) = await self.sql(f"SELECT * FROM {table}")
        return row

    async def old_order(self, number: str = "A-1", **more) -> int:
        async with self.session() as session:
            order = Order(number=number, created_at=OLD, updated_at=OLD, updated_by_email="old@shop.example", **more)
            session.add(order)
            await session.commit()
            return order.id

    async def old_job(self, state: str = "queued") -> int:
        async with self.session() as session:
            job = Job(state=state, created_at=OLD, updated_at=OLD)
            session.add(job)
            await session.commit()
            return job.id

    async def one_job_per_state(self) -> None:
        """A constraint that makes the second job of a state fail, and a first job."""
        await self.sql("CREATE UNIQUE INDEX one_job_per_state ON jobs (state)")
        await self.old_job("queued")


@pytest_asyncio.fixture
async def shop():
    engine = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield Shop(engine)
    await engine.dispose()


@pytest_asyncio.fixture
async def db(shop):
    async with shop.session() as session:
        yield session


@pytest.fixture
def actor():
    return User(email="ada@shop.example", name="Ada", role="admin", tenant_id="global")


@pytest.fixture
def clinic(transactional_db):
    """The clinic's models, in a database where transactions really commit."""
    from clinic import models

    return models


@pytest.fixture
def nurse(clinic):
    from django.contrib.auth.models import User as Account

    return Account.objects.create_user("ada", "ada@clinic.example", "right")


@pytest.fixture
def patient(clinic):
    return clinic.Patient.objects.create(number="P-1", name="Bo")


@pytest.fixture(scope="session")
def started_worker(django_db_setup):
    with clinic_pages.started_worker():
        yield


@pytest.fixture
def worker(clinic, started_worker):
    """Tasks run in a worker of their own during the test."""
    with clinic_pages.sent_to_the_worker():
        yield
