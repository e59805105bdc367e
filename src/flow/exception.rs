//! flow/exception: which exception classes derive from which: Python's own, SQLAlchemy's, Django's, drivers', and some common ones.

/// Other paths under which a class is known.
const ALIASES: &[(&str, &str)] = &[
    ("aiosqlite.IntegrityError", "sqlite3.IntegrityError"),
    ("builtins.EnvironmentError", "builtins.OSError"),
    ("builtins.IOError", "builtins.OSError"),
    ("builtins.WindowsError", "builtins.OSError"),
    ("fastapi.HTTPException", "fastapi.exceptions.HTTPException"),
    ("json.JSONDecodeError", "json.decoder.JSONDecodeError"),
    ("os.error", "builtins.OSError"),
    ("pydantic_core.ValidationError", "pydantic.ValidationError"),
    ("pydantic_core._pydantic_core.ValidationError", "pydantic.ValidationError"),
    ("select.error", "builtins.OSError"),
    ("socket.error", "builtins.OSError"),
    ("sqlalchemy.orm.exc.MultipleResultsFound", "sqlalchemy.exc.MultipleResultsFound"),
    ("sqlalchemy.orm.exc.NoResultFound", "sqlalchemy.exc.NoResultFound"),
];

/// Packages that hand on exceptions of a module below them.
const HANDED_ON: &[(&str, &str)] = &[
    ("django.db.utils.", "django.db."),
    ("requests.exceptions.", "requests."),
    ("urllib3.exceptions.", "urllib3."),
    ("psycopg.errors.", "psycopg."),
    ("psycopg2.errors.", "psycopg2."),
    ("httpx._exceptions.", "httpx."),
    ("starlette.exceptions.", "starlette."),
];

/// The path an exception class is told apart by.
pub(super) fn canonical(path: &str) -> &str {
    ALIASES.iter().find(|(alias, _)| *alias == path).map_or(path, |(_, canonical)| canonical)
}

/// The classes right above an exception class from outside the project; empty where nothing certain is known.
pub(super) fn above(path: &str) -> Vec<String> {
    let path = canonical(path);
    let listed = |table: &[(&str, &str)], root: &str| {
        let last = path.strip_prefix(root)?;
        let (_, above) = table.iter().find(|(name, _)| *name == last)?;
        let full = |name: &str| if name.contains('.') { name.to_owned() } else { format!("{root}{name}") };
        Some(above.split(' ').map(full).collect::<Vec<String>>())
    };
    let families: [(&[(&str, &str)], &str); 5] = [
        (BUILTIN, "builtins."),
        (SQLALCHEMY, "sqlalchemy.exc."),
        (HTTPX, "httpx."),
        (REQUESTS, "requests."),
        (OTHERS, ""),
    ];
    let short = shortened(path);
    if let Some(found) =
        families.iter().find_map(|(table, root)| if short == path { listed(table, root) } else { None })
    {
        return found;
    }
    if short != path {
        return above(&short);
    }
    if let Some((driver, last)) = path.rsplit_once('.')
        && DRIVERS.contains(&driver)
        && let Some((_, above)) = DRIVER.iter().find(|(name, _)| *name == last)
    {
        return vec![if above.contains('.') { (*above).to_owned() } else { format!("{driver}.{above}") }];
    }
    let last = path.rsplit('.').next().unwrap_or(path);
    if path.starts_with("sqlalchemy.") && last.ends_with("Error") {
        return vec!["sqlalchemy.exc.SQLAlchemyError".to_owned()];
    }
    // An error that is no `Exception` does not call itself an error; those few that do are in the tables.
    if last.ends_with("Error") || last.ends_with("Exception") && !NO_EXCEPTIONS.contains(&last) {
        return vec!["builtins.Exception".to_owned()];
    }
    Vec::new()
}

fn shortened(path: &str) -> String {
    let longer =
        HANDED_ON.iter().find_map(|(long, short)| Some(format!("{short}{}", path.strip_prefix(long)?)));
    longer.unwrap_or_else(|| path.to_owned())
}

/// The same class under the shortest of its paths.
pub(super) fn shortest(path: &str) -> String {
    shortened(canonical(path))
}

/// The library whose database errors a class is one of, when it is not SQLAlchemy.
pub(super) fn foreign_library(path: &str) -> Option<&'static str> {
    let path = shortest(path);
    let (driver, last) = path.rsplit_once('.')?;
    let driver = DRIVERS.iter().find(|known| **known == driver)?;
    (DRIVER.iter().any(|(name, _)| *name == last) && last != "Warning").then_some(driver)
}

/// What derives from `BaseException` alone, in spite of its name.
const NO_EXCEPTIONS: &[&str] = &["BaseException", "PanicException", "OutcomeException"];

/// Libraries with the exception classes that PEP 249 asks for.
const DRIVERS: &[&str] = &[
    "MySQLdb",
    "aiosqlite",
    "asyncpg",
    "cx_Oracle",
    "django.db",
    "oracledb",
    "psycopg",
    "psycopg2",
    "pymysql",
    "pymysql.err",
    "pyodbc",
    "sqlite3",
];

const DRIVER: &[(&str, &str)] = &[
    ("DataError", "DatabaseError"),
    ("DatabaseError", "Error"),
    ("Error", "builtins.Exception"),
    ("IntegrityError", "DatabaseError"),
    ("InterfaceError", "Error"),
    ("InternalError", "DatabaseError"),
    ("NotSupportedError", "DatabaseError"),
    ("OperationalError", "DatabaseError"),
    ("ProgrammingError", "DatabaseError"),
    ("UniqueViolation", "IntegrityError"),
    ("ForeignKeyViolation", "IntegrityError"),
    ("Warning", "builtins.Exception"),
];

const BUILTIN: &[(&str, &str)] = &[
    ("ArithmeticError", "Exception"),
    ("AssertionError", "Exception"),
    ("AttributeError", "Exception"),
    ("BaseExceptionGroup", "BaseException"),
    ("BlockingIOError", "OSError"),
    ("BrokenPipeError", "ConnectionError"),
    ("BufferError", "Exception"),
    ("ChildProcessError", "OSError"),
    ("ConnectionAbortedError", "ConnectionError"),
    ("ConnectionError", "OSError"),
    ("ConnectionRefusedError", "ConnectionError"),
    ("ConnectionResetError", "ConnectionError"),
    ("EOFError", "Exception"),
    ("Exception", "BaseException"),
    ("ExceptionGroup", "BaseExceptionGroup Exception"),
    ("FileExistsError", "OSError"),
    ("FileNotFoundError", "OSError"),
    ("FloatingPointError", "ArithmeticError"),
    ("GeneratorExit", "BaseException"),
    ("ImportError", "Exception"),
    ("IndentationError", "SyntaxError"),
    ("IndexError", "LookupError"),
    ("InterruptedError", "OSError"),
    ("IsADirectoryError", "OSError"),
    ("KeyError", "LookupError"),
    ("KeyboardInterrupt", "BaseException"),
    ("LookupError", "Exception"),
    ("MemoryError", "Exception"),
    ("ModuleNotFoundError", "ImportError"),
    ("NameError", "Exception"),
    ("NotADirectoryError", "OSError"),
    ("NotImplementedError", "RuntimeError"),
    ("OSError", "Exception"),
    ("OverflowError", "ArithmeticError"),
    ("PermissionError", "OSError"),
    ("ProcessLookupError", "OSError"),
    ("RecursionError", "RuntimeError"),
    ("ReferenceError", "Exception"),
    ("RuntimeError", "Exception"),
    ("StopAsyncIteration", "Exception"),
    ("StopIteration", "Exception"),
    ("SyntaxError", "Exception"),
    ("SystemError", "Exception"),
    ("SystemExit", "BaseException"),
    ("TabError", "IndentationError"),
    ("TimeoutError", "OSError"),
    ("TypeError", "Exception"),
    ("UnboundLocalError", "NameError"),
    ("UnicodeDecodeError", "UnicodeError"),
    ("UnicodeEncodeError", "UnicodeError"),
    ("UnicodeError", "ValueError"),
    ("UnicodeTranslateError", "UnicodeError"),
    ("ValueError", "Exception"),
    ("Warning", "Exception"),
    ("ZeroDivisionError", "ArithmeticError"),
];

/// Source: `sqlalchemy/exc.py` of SQLAlchemy 2; what is not listed there is an `SQLAlchemyError` for certain.
const SQLALCHEMY: &[(&str, &str)] = &[
    ("AmbiguousForeignKeysError", "ArgumentError"),
    ("ArgumentError", "SQLAlchemyError"),
    ("AwaitRequired", "InvalidRequestError"),
    ("DBAPIError", "StatementError"),
    ("DataError", "DatabaseError"),
    ("DatabaseError", "DBAPIError"),
    ("IntegrityError", "DatabaseError"),
    ("InterfaceError", "DBAPIError"),
    ("InternalError", "DatabaseError"),
    ("InvalidRequestError", "SQLAlchemyError"),
    ("MissingGreenlet", "InvalidRequestError"),
    ("MultipleResultsFound", "InvalidRequestError"),
    ("NoForeignKeysError", "ArgumentError"),
    ("NoInspectionAvailable", "InvalidRequestError"),
    ("NoReferenceError", "InvalidRequestError"),
    ("NoReferencedColumnError", "NoReferenceError"),
    ("NoReferencedTableError", "NoReferenceError"),
    ("NoResultFound", "InvalidRequestError"),
    ("NoSuchColumnError", "InvalidRequestError builtins.KeyError"),
    ("NoSuchModuleError", "ArgumentError"),
    ("NoSuchTableError", "InvalidRequestError"),
    ("NotSupportedError", "DatabaseError"),
    ("OperationalError", "DatabaseError"),
    ("PendingRollbackError", "InvalidRequestError"),
    ("ProgrammingError", "DatabaseError"),
    ("ResourceClosedError", "InvalidRequestError"),
    ("SQLAlchemyError", "builtins.Exception"),
    ("StatementError", "SQLAlchemyError"),
];

const HTTPX: &[(&str, &str)] = &[
    ("CloseError", "NetworkError"),
    ("ConnectError", "NetworkError"),
    ("ConnectTimeout", "TimeoutException"),
    ("DecodingError", "RequestError"),
    ("HTTPError", "builtins.Exception"),
    ("HTTPStatusError", "HTTPError"),
    ("InvalidURL", "builtins.Exception"),
    ("NetworkError", "TransportError"),
    ("PoolTimeout", "TimeoutException"),
    ("ProtocolError", "TransportError"),
    ("ProxyError", "TransportError"),
    ("ReadError", "NetworkError"),
    ("ReadTimeout", "TimeoutException"),
    ("RequestError", "HTTPError"),
    ("StreamError", "builtins.RuntimeError"),
    ("TimeoutException", "TransportError"),
    ("TooManyRedirects", "RequestError"),
    ("TransportError", "RequestError"),
    ("UnsupportedProtocol", "TransportError"),
    ("WriteError", "NetworkError"),
    ("WriteTimeout", "TimeoutException"),
];

const REQUESTS: &[(&str, &str)] = &[
    ("ChunkedEncodingError", "RequestException"),
    ("ConnectTimeout", "ConnectionError Timeout"),
    ("ConnectionError", "RequestException"),
    ("HTTPError", "RequestException"),
    ("ProxyError", "ConnectionError"),
    ("ReadTimeout", "Timeout"),
    ("RequestException", "builtins.OSError"),
    ("SSLError", "ConnectionError"),
    ("Timeout", "RequestException"),
    ("TooManyRedirects", "RequestException"),
];

const OTHERS: &[(&str, &str)] = &[
    ("asyncio.CancelledError", "builtins.BaseException"),
    ("asyncio.IncompleteReadError", "builtins.EOFError"),
    ("asyncio.exceptions.CancelledError", "builtins.BaseException"),
    ("binascii.Error", "builtins.ValueError"),
    ("django.core.exceptions.ObjectDoesNotExist", "builtins.Exception"),
    ("django.core.exceptions.PermissionDenied", "builtins.Exception"),
    ("django.db.ProtectedError", "django.db.IntegrityError"),
    ("django.db.models.ProtectedError", "django.db.IntegrityError"),
    ("django.db.models.deletion.ProtectedError", "django.db.IntegrityError"),
    ("django.http.Http404", "builtins.Exception"),
    ("fastapi.exceptions.HTTPException", "starlette.HTTPException"),
    ("json.decoder.JSONDecodeError", "builtins.ValueError"),
    ("pydantic.ValidationError", "builtins.ValueError"),
    ("socket.gaierror", "builtins.OSError"),
    ("socket.timeout", "builtins.OSError"),
    ("sqlalchemy.orm.exc.StaleDataError", "sqlalchemy.exc.SQLAlchemyError"),
    ("ssl.SSLError", "builtins.OSError"),
    ("subprocess.CalledProcessError", "subprocess.SubprocessError"),
    ("subprocess.SubprocessError", "builtins.Exception"),
    ("subprocess.TimeoutExpired", "subprocess.SubprocessError"),
    ("urllib.error.HTTPError", "urllib.error.URLError"),
    ("urllib.error.URLError", "builtins.OSError"),
    ("zoneinfo.ZoneInfoNotFoundError", "builtins.KeyError"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn line(path: &str) -> Vec<String> {
        let mut line = vec![shortest(path)];
        let mut at = 0;
        while at < line.len() {
            let more: Vec<String> = above(&line[at]).iter().map(|path| shortest(path)).collect();
            line.extend(more);
            at += 1;
        }
        line
    }

    #[test]
    fn every_line_ends_at_the_top() {
        for path in [
            "sqlalchemy.exc.IntegrityError",
            "sqlalchemy.orm.exc.NoResultFound",
            "sqlalchemy.orm.exc.DetachedInstanceError",
            "django.db.utils.IntegrityError",
            "django.db.IntegrityError",
            "psycopg2.errors.UniqueViolation",
            "requests.exceptions.ConnectTimeout",
            "httpx.ReadTimeout",
            "fastapi.HTTPException",
            "builtins.IOError",
            "json.JSONDecodeError",
            "vendor.StrangeError",
        ] {
            assert_eq!(line(path).last().map(String::as_str), Some("builtins.BaseException"), "{path}");
        }
        assert_eq!(line("builtins.BaseException"), ["builtins.BaseException"]);
        assert!(!line("asyncio.CancelledError").contains(&"builtins.Exception".to_owned()));
        assert!(line("sqlalchemy.exc.IntegrityError").contains(&"sqlalchemy.exc.StatementError".to_owned()));
        assert!(above("anyio.Cancelled").is_empty());
    }

    #[test]
    fn drivers_are_told_from_sqlalchemy() {
        assert_eq!(foreign_library("django.db.utils.IntegrityError"), Some("django.db"));
        assert_eq!(foreign_library("sqlite3.OperationalError"), Some("sqlite3"));
        assert_eq!(foreign_library("sqlalchemy.exc.IntegrityError"), None);
        assert_eq!(foreign_library("sqlite3.Connection"), None);
    }
}
