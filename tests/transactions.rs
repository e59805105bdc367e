//! transactions: who ends a transaction, and what of a row is left then: switches, refreshes, sessions of one's own.

use crate::small::scanned::scanned;

const MODEL: &str = "\
from contextlib import asynccontextmanager
from datetime import datetime
from sqlalchemy import event, func, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
import logging

log = logging.getLogger(__name__)

class Base(DeclarativeBase): ...

class Order(Base):
    __tablename__ = 'orders'
    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str]
";

/// What is found in a module that goes on after the model, as rule and line below it, in order.
fn found(code: &str) -> Vec<String> {
    let text = format!("{MODEL}{code}");
    let scan = scanned(&[("app.py", &text)], &[]);
    let findings = scan.files.iter().flat_map(|file| &file.findings);
    let before = MODEL.lines().count() as u32;
    let source =
        trailcheck::source::Source::of_text("app.py", trailcheck::source::Language::Python, text.clone());
    findings
        .map(|finding| format!("{} {}", finding.rule, source.line(finding.place.span.start) as u32 - before))
        .collect()
}

const VIEWED: &str = "
async def order_of(session: AsyncSession, number: int, note: bool = False) -> Order:
    order = (await session.execute(select(Order).where(Order.id == number))).scalars().one()
    if note:
        try:
            await session.execute(select(Order))
            await session.commit()
        except SQLAlchemyError:
            await session.rollback()
            log.exception('not noted')
    return order
";

#[test]
fn a_switch_that_ends_no_transaction_expires_nothing() {
    let call = |arguments: &str| {
        found(&format!(
            "{VIEWED}\nasync def show(session: AsyncSession) -> str:\n    order = await order_of({arguments})\n    return order.state\n"
        ))
    };
    assert_eq!(call("session, 1"), [""; 0]);
    assert_eq!(call("session, 1, note=False"), [""; 0]);
    assert_eq!(call("session, 1, note=True"), ["expired-attribute 15"]);
}

/// What is found where a row is refreshed after a rollback and read.
fn refreshed(refresh: &str) -> Vec<String> {
    found(&format!(
        "
async def retry(session: AsyncSession) -> str:
    order = (await session.execute(select(Order))).scalars().one()
    await session.rollback()
    {refresh}
    return order.state
"
    ))
}

#[test]
fn a_refresh_loads_what_it_names() {
    assert_eq!(refreshed("await session.refresh(order)"), [""; 0]);
    assert_eq!(refreshed("await session.refresh(order, ['state'])"), [""; 0]);
    assert_eq!(refreshed("await session.refresh(order, attribute_names=['id', 'state'])"), [""; 0]);
    assert_eq!(refreshed("await session.refresh(order, with_for_update=True)"), [""; 0]);
    // Which names these are nobody knows.
    assert_eq!(refreshed("await session.refresh(order, names())"), [""; 0]);
    assert_eq!(refreshed("await session.refresh(order, ['id'])"), ["expired-attribute 6"]);
}

const OWN: &str = "
async def get_db():
    async with AsyncSession(engine) as session:
        yield session

def session_of_its_own():
    return asynccontextmanager(get_db)()

own_session = asynccontextmanager(get_db)

class Orders:
    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    @classmethod
    @asynccontextmanager
    async def with_session(cls, session: AsyncSession | None = None):
        if session is not None:
            yield cls(session)
        else:
            async with session_of_its_own() as session:
                yield cls(session)

    async def touch(self) -> None:
        await self.session.execute(select(Order))
";

/// What is found where an error inside a block is logged, and the session at hand is used afterwards.
fn tried(block: &str, body: &str) -> Vec<String> {
    found(&format!(
        "{OWN}
async def work(db: AsyncSession) -> None:
    await db.execute(select(Order))
    try:
        async with {block}:
            {body}
    except SQLAlchemyError:
        log.exception('not done')
    await db.execute(select(Order))
"
    ))
}

#[test]
fn what_a_generator_opens_is_not_the_session_at_hand() {
    let run = "await own.execute(select(Order))";
    assert_eq!(tried("session_of_its_own() as own", run), [""; 0]);
    assert_eq!(tried("own_session() as own", run), [""; 0]);
    assert_eq!(tried("asynccontextmanager(get_db)() as own", run), [""; 0]);
    assert_eq!(tried("Orders.with_session() as orders", "await orders.touch()"), [""; 0]);
    let handed = "Orders.with_session(session=db) as orders";
    assert_eq!(tried(handed, "await orders.touch()"), ["missing-rollback 32"]);
}

/// How much it weighs that a row is changed without a time, where a mixin of its class has these methods.
fn weight(methods: &str) -> Option<&'static str> {
    let text = format!(
        "{MODEL}
class Timed:
    updated_at: Mapped[datetime] = mapped_column()
{methods}
class Job(Timed, Base):
    __tablename__ = 'jobs'
    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str]

def finish(session, job: Job) -> None:
    job.state = 'done'
    session.commit()
"
    );
    let scan = scanned(&[("app.py", &text)], &[]);
    let mut all = scan.files.iter().flat_map(|file| &file.findings);
    all.find(|finding| finding.rule == "missing-updated-at").map(|finding| finding.severity.word())
}

#[test]
fn a_class_method_registers_for_every_class_that_derives() {
    let stamp = "    @staticmethod
    def stamp(mapper, connection, target):
        target.updated_at = datetime.now()
";
    let by_call = format!(
        "{stamp}
    @classmethod
    def __declare_last__(cls):
        event.listen(cls, 'before_update', cls.stamp)
"
    );
    let by_decorator = "
    @classmethod
    def __declare_last__(cls):
        @event.listens_for(cls, 'before_update')
        def stamp(mapper, connection, target):
            target.updated_at = datetime.now()
";
    assert_eq!(weight(stamp), Some("error"));
    assert_eq!(weight(&by_call), Some("review"));
    assert_eq!(weight(by_decorator), Some("review"));
    assert_eq!(weight(&by_call.replace("before_update", "before_insert")), Some("error"));
}

const TRANSACTIONAL: &str = "
def transactional(function):
    async def wrapper(session, *args, **kwargs):
        try:
            result = await function(session, *args, **kwargs)
            await session.commit()
            return result
        except Exception:
            await session.rollback()
            raise
    return wrapper

def traced(name):
    def decorator(function):
        async def wrapper(*args, **kwargs):
            return await function(*args, **kwargs)
        return wrapper
    return decorator
";

#[test]
fn a_decorator_that_rolls_back_leaves_the_session_whole() {
    let code = |decorator: &str| {
        found(&format!(
            "{TRANSACTIONAL}
{decorator}
async def pause(session: AsyncSession) -> None:
    await session.execute(select(Order))

async def work(session: AsyncSession) -> None:
    try:
        await pause(session)
    except SQLAlchemyError:
        log.exception('not paused')
    await session.execute(select(Order))
"
        ))
    };
    assert_eq!(code("@transactional"), [""; 0]);
    assert_eq!(code("@traced('pause')"), ["missing-rollback 27"]);
}

#[test]
fn a_decorator_that_commits_ends_what_the_function_began() {
    let weight = |decorator: &str| {
        let text = format!(
            "{MODEL}{TRANSACTIONAL}
{decorator}
async def pause(session: AsyncSession) -> None:
    try:
        await session.execute(select(Order))
    except SQLAlchemyError:
        log.exception('not paused')
"
        );
        let scan = scanned(&[("app.py", &text)], &[]);
        let mut all = scan.files.iter().flat_map(|file| &file.findings);
        all.find(|finding| finding.rule == "missing-rollback").map(|finding| finding.severity.word())
    };
    // The commit that follows fails.
    assert_eq!(weight("@transactional"), Some("error"));
    assert_eq!(weight("@traced('pause')"), None);
}

#[test]
fn a_function_works_on_the_session_of_the_one_around_it() {
    let code = |mend: &str| {
        found(&format!(
            "
def seed(engine) -> None:
    with Session(engine) as session:
        def insert(name):
            session.execute(text(name))
            session.commit()
        try:
            insert('a')
        except SQLAlchemyError:
            log.exception('once more')
            {mend}
            insert('b')
"
        ))
    };
    assert_eq!(code("session.rollback()"), [""; 0]);
    assert_eq!(code("pass"), ["missing-rollback 9"]);
}
