"""What the pages claim about context managers of a project, and about writes that are handed to a helper."""

from pages import example
from shop.models import Job
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool


def session() -> Session:
    engine = create_engine("sqlite://", poolclass=StaticPool)
    Job.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(text("CREATE UNIQUE INDEX one_job_per_state ON jobs (state)"))
    return Session(engine)


def test_context_manager_rolls_back(caplog):
    """A context manager of the project rolls back when an error leaves its block: the session is whole afterwards."""
    module = example("missing-rollback", "good", 3)
    with session() as db:
        assert module.enqueue(db) == 1
        assert module.enqueue(db) == 1
    assert "enqueue failed" in caplog.text


def test_write_that_is_handed_to_a_helper(caplog):
    """The write is handed to a helper that runs it: it fails and nobody is told."""
    module = example("swallowed-error", "bad", 2)
    with session() as db:
        module.enqueue(db)
        module.enqueue(db)
        assert db.scalar(select(func.count()).select_from(Job)) == 1
    assert caplog.text == ""
