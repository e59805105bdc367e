//! flow/library: what SQLAlchemy, SQLModel and logging libraries mean, as tables and small questions.

use crate::name::Name;

use super::value::{SessionKey, SessionKind, Value};

/// What an instance of an external class is.
pub(super) fn instance_of(path: Name) -> Value {
    match path.last() {
        name @ ("AsyncSession" | "Session" | "scoped_session" | "async_scoped_session")
            if path.starts_with("sqlalchemy") || path.starts_with("sqlmodel") =>
        {
            let kind =
                if name.to_lowercase().starts_with("async") { SessionKind::Async } else { SessionKind::Sync };
            Value::Session(SessionKey::Outer, kind)
        }
        "Connection" | "AsyncConnection" if path.starts_with("sqlalchemy") => Value::Connection,
        "async_sessionmaker" | "sessionmaker" => made_by(path),
        "Logger" | "LoggerAdapter" | "BoundLogger" | "FilteringBoundLogger" => Value::Logger,
        _ => Value::External(path),
    }
}

/// What calling an external class or function gives.
pub(super) fn made_by(path: Name) -> Value {
    if let Some(kind) = makes_sessions(path.last()) {
        return Value::SessionMaker(kind);
    }
    match path.last() {
        "getLogger" | "get_logger" | "get_task_logger" | "getChild" | "LoggerAdapter" => Value::Logger,
        // `create_engine(…).begin()`
        "begin" | "connect" if path.split('.').any(makes_engine) => Value::Connection,
        _ => instance_of(path),
    }
}

/// The kind of the sessions that something of this name makes.
fn makes_sessions(name: &str) -> Option<SessionKind> {
    match name {
        "async_sessionmaker" | "async_scoped_session" => Some(SessionKind::Async),
        // `class_=AsyncSession` makes one of these asynchronous; a type does not say so.
        "sessionmaker" | "scoped_session" => Some(SessionKind::Unknown),
        _ => None,
    }
}

/// Whether a call of something of this name takes the options of the sessions it makes. The name alone tells: a project
/// may import it by way of a module of its own.
pub(super) fn takes_session_options(name: &str) -> bool {
    matches!(name, "sessionmaker" | "async_sessionmaker" | "AsyncSession")
}

/// What calling an external class or function gives when one of its arguments is named `class_`.
pub(super) fn made_of(path: Name, class: Name) -> Value {
    match (made_by(path), instance_of(class)) {
        (Value::SessionMaker(SessionKind::Unknown), Value::Session(_, kind)) => Value::SessionMaker(kind),
        (made, _) => made,
    }
}

/// Methods of an asynchronous session that answer a coroutine: not awaited, they do nothing.
pub(super) fn is_coroutine(method: &str) -> bool {
    matches!(
        method,
        "flush"
            | "commit"
            | "rollback"
            | "refresh"
            | "execute"
            | "exec"
            | "scalar"
            | "scalars"
            | "stream"
            | "stream_scalars"
            | "get"
            | "get_one"
            | "delete"
            | "merge"
            | "run_sync"
            | "connection"
            | "close"
            | "aclose"
            | "reset"
            | "invalidate"
    )
}

/// Methods of an asynchronous session that answer `None` at once: there is nothing to wait for.
pub(super) fn answers_at_once(method: &str) -> bool {
    matches!(method, "add" | "add_all" | "expunge" | "expunge_all" | "expire" | "expire_all")
}

/// Methods by which code handles plain data: strings, lists, dictionaries, schemas.
pub(super) fn handles_data(method: &str) -> bool {
    matches!(
        method,
        "append"
            | "extend"
            | "insert"
            | "pop"
            | "setdefault"
            | "items"
            | "keys"
            | "values"
            | "copy"
            | "format"
            | "join"
            | "split"
            | "strip"
            | "lower"
            | "upper"
            | "title"
            | "replace"
            | "startswith"
            | "endswith"
            | "encode"
            | "isoformat"
            | "model_dump"
            | "model_dump_json"
            | "model_validate"
            | "dict"
    )
}

/// Methods of a session that send nothing to the database.
pub(super) fn stays_in_memory(method: &str) -> bool {
    matches!(
        method,
        "expunge"
            | "expunge_all"
            | "is_modified"
            | "in_transaction"
            | "get_bind"
            | "enable_relationship_loading"
    )
}

/// Methods of a session that end its transaction without a commit.
pub(super) fn rolls_back(method: &str) -> bool {
    matches!(method, "rollback" | "close" | "aclose" | "reset" | "invalidate")
}

/// Methods of a Django row that write it in a coroutine.
pub(super) fn saves_in_a_coroutine(method: &str) -> bool {
    matches!(method, "asave" | "adelete")
}

/// Whether a function makes a context manager of a generator function that it is handed.
pub(super) fn makes_manager(path: Name) -> bool {
    matches!(path.as_str(), "contextlib.contextmanager" | "contextlib.asynccontextmanager")
}

/// Methods of a Django manager or query set that write rows in a coroutine.
pub(super) fn writes_in_a_coroutine(method: &str) -> bool {
    matches!(
        method,
        "acreate"
            | "aupdate"
            | "adelete"
            | "aget_or_create"
            | "aupdate_or_create"
            | "abulk_create"
            | "abulk_update"
    )
}

fn makes_engine(name: &str) -> bool {
    matches!(name, "create_engine" | "create_async_engine" | "Engine" | "AsyncEngine")
}

/// Whether a variable or attribute of this name is a database session when nothing else says what it is.
pub(super) fn names_session(name: &str) -> bool {
    let name = name.trim_start_matches('_');
    matches!(name, "db" | "session" | "sess" | "dbsession")
        || name.ends_with("_session")
        || name.ends_with("_db")
}

/// Whether a variable of this name is a connection when nothing else says what it is.
pub(super) fn names_connection(name: &str) -> bool {
    matches!(name.trim_start_matches('_'), "conn" | "connection")
}

/// Whether an external object holds a session under a name, as the extension object of Flask-SQLAlchemy does.
pub(super) fn holds_session(path: &str, name: &str) -> bool {
    path.starts_with("flask_sqlalchemy") && name == "session"
}

/// Whether a variable or attribute of this name is a logger when nothing else says what it is.
pub(super) fn names_logger(name: &str) -> bool {
    let name = name.trim_start_matches('_');
    matches!(name, "logger" | "log" | "LOGGER" | "LOG" | "logging") || name.ends_with("_logger")
}

/// Whether something of this name, of which nothing else is known, tells an audit trail of a change when it is called.
pub(super) fn names_audit(path: &str) -> bool {
    path.to_lowercase().contains("audit")
}

/// Whether a variable of this name is the user who acts.
pub(super) fn names_actor(name: &str) -> bool {
    let last = name.trim_matches('_').rsplit('_').next().unwrap_or(name);
    matches!(last, "user" | "actor" | "principal" | "admin" | "operator")
}

/// Whether instances of a class of this name are users, or say who acts.
pub(super) fn is_actor_class(name: &str) -> bool {
    ["User", "Actor", "Principal", "AuditContext", "ActorContext", "UserContext"]
        .iter()
        .any(|ending| name.ends_with(ending))
}

/// Whether a parameter of this name is a web request, whose `session` belongs to the client.
pub(super) fn names_request(name: &str) -> bool {
    matches!(name, "request" | "req" | "info" | "client" | "http")
}

/// Methods of a logger that write a record.
pub(super) fn logs(method: &str) -> bool {
    matches!(
        method,
        "debug"
            | "info"
            | "warning"
            | "warn"
            | "error"
            | "exception"
            | "critical"
            | "fatal"
            | "log"
            | "msg"
            | "success"
            | "adebug"
            | "ainfo"
            | "awarning"
            | "aerror"
            | "aexception"
            | "acritical"
    )
}

/// External functions that show something to somebody and keep no record.
pub(super) fn shows(path: &str) -> bool {
    matches!(path, "builtins.print")
        || path.ends_with(".flash")
        || path.ends_with(".print_exc")
        || path == "flash"
        // What Django shows a user on the next page.
        || path.strip_prefix("django.contrib.messages.").is_some_and(|level| {
            matches!(level, "add_message" | "debug" | "info" | "success" | "warning" | "error")
        })
}

/// External functions that keep a record of an error.
pub(super) fn reports(path: &str) -> bool {
    path.ends_with(".capture_exception")
        || path.ends_with(".capture_message")
        || path.ends_with(".record_exception")
}

/// Whether a value is an SQL expression: the database computes it, and code that wants it has to load it.
pub(super) fn is_sql_expression(value: &Value) -> bool {
    matches!(value, Value::External(path)
        if path.starts_with("sqlalchemy") && path.split('.').any(|part| part == "func"))
}

/// The kind of query or statement an external function begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begins {
    Query,
    Insert,
    Update,
    Delete,
    Text,
}

/// What an external function begins, by its path.
pub(super) fn begins(path: Name) -> Option<Begins> {
    if !(path.starts_with("sqlalchemy")
        || path.starts_with("sqlmodel")
        || path.starts_with("flask_sqlalchemy"))
    {
        return None;
    }
    Some(match path.last() {
        "select" => Begins::Query,
        "insert" => Begins::Insert,
        "update" => Begins::Update,
        "delete" => Begins::Delete,
        "text" | "TextClause" => Begins::Text,
        _ => return None,
    })
}

/// Whether calling an external function makes a table object.
pub(super) fn makes_table(path: Name) -> bool {
    path.starts_with("sqlalchemy") && matches!(path.last(), "Table" | "table")
}

/// What a method of a query, or of the result of running one, answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answers {
    /// One row, or none.
    One,
    /// Many rows.
    Many,
    /// Another query or result over the same rows.
    Same,
    /// Plain data.
    Plain,
    /// It writes.
    Writes,
}

/// What a method of a query or result answers.
pub(super) fn answers(method: &str) -> Answers {
    match method {
        "first" | "one" | "one_or_none" | "scalar" | "scalar_one" | "scalar_one_or_none" | "get"
        | "fetchone" | "get_or_404" | "first_or_404" | "one_or_404" => Answers::One,
        "all" | "fetchall" | "fetchmany" | "partitions" => Answers::Many,
        "count" | "exists" | "rowcount" | "keys" | "subquery" | "cte" | "label" | "as_scalar"
        | "scalar_subquery" | "paginate" => Answers::Plain,
        "update" | "delete" => Answers::Writes,
        _ => Answers::Same,
    }
}

/// Whether an error of this name says that a question had no answer.
pub(super) fn says_nothing_was_found(name: &str) -> bool {
    matches!(name, "RecordNotFound" | "RowNotFound" | "NotFound" | "RecordNotUpdated" | "EmptyChangeset")
}

/// Exception classes that catch errors which no statement raised.
pub(super) fn catches_more(path: &str) -> bool {
    matches!(path.rsplit('.').next().unwrap_or(path), "Exception" | "BaseException" | "SQLAlchemyError")
}

/// Whether instances of an external class are queries.
pub(super) fn is_query_class(path: &Name) -> bool {
    path.starts_with("sqlalchemy") && matches!(path.last(), "Select" | "Query" | "Executable")
}

/// Methods that give a query over some of the same rows, or in another order.
pub(super) fn narrows(method: &str) -> bool {
    matches!(
        method,
        "where"
            | "filter"
            | "filter_by"
            | "order_by"
            | "limit"
            | "offset"
            | "options"
            | "join"
            | "outerjoin"
            | "distinct"
            | "with_for_update"
            | "execution_options"
    )
}

/// External exception classes that stand for a violated constraint.
pub(super) fn catches_integrity_errors(path: &str) -> bool {
    path.rsplit('.').next() == Some("IntegrityError")
}

/// External exception classes that stand above every error a failed statement raises.
pub(super) fn catches_every_database_error(path: &str) -> bool {
    let last = path.rsplit('.').next().unwrap_or(path);
    let is_builtin = path.starts_with("builtins.") || !path.contains('.');
    matches!(last, "Exception" | "BaseException") && is_builtin
        || matches!(last, "SQLAlchemyError" | "StatementError" | "DBAPIError" | "DatabaseError")
}

/// External exception classes that a failed statement raises, or that stand above those.
pub(super) fn catches_database_errors(path: &str) -> bool {
    let last = path.rsplit('.').next().unwrap_or(path);
    let is_builtin = path.starts_with("builtins.") || !path.contains('.');
    matches!(last, "Exception" | "BaseException") && is_builtin
        || matches!(
            last,
            "SQLAlchemyError"
                | "DBAPIError"
                | "DatabaseError"
                | "IntegrityError"
                | "OperationalError"
                | "StatementError"
                | "DataError"
                | "InterfaceError"
                | "InternalError"
                | "ProgrammingError"
                | "NotSupportedError"
                | "PendingRollbackError"
                | "StaleDataError"
                | "FlushError"
        )
}
