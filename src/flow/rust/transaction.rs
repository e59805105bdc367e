//! flow/rust/transaction: on which connection a call works, and so in whose transaction: the one that was begun here, the
//! caller's, or none.

use crate::facts::{Argument, StepId, Term};
use crate::name::Name;
use crate::project::{FunctionId, Project, Symbol};

use super::super::state::State;
use super::super::trace::Trace;
use super::super::trail::Bond;
use super::super::value::{SessionKey, Value};

/// What a transaction that is begun here is known as.
const TRANSACTION: &str = "transaction.Transaction";

/// A connection, by what is known of its transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::flow) enum Connection {
    /// A transaction.
    Transaction,
    /// A pool, or a connection that has none open: each statement is a transaction of its own.
    Pool,
    /// Whatever the caller hands in: one that may have a transaction open.
    Handed,
}

impl Trace<'_> {
    /// Notes on which connection a call works.
    pub(in crate::flow) fn note_connection(&mut self, receiver: Option<&Value>, arguments: &[Argument]) {
        let handed = arguments.iter().map(|argument| self.value(argument.value));
        let all = handed.chain(receiver);
        self.connection = all.flat_map(Value::each).find_map(connection);
    }

    /// Whose transaction a call is part of that works on the connection at hand.
    pub(in crate::flow) fn bond_of_connection(&self) -> Bond {
        match self.connection {
            Some(Connection::Transaction) => Bond::Within,
            Some(Connection::Pool | Connection::Handed) | None => Bond::Loose,
        }
    }

    /// A transaction begins, or ends.
    pub(super) fn transaction_method(
        &mut self,
        state: &mut State,
        step: StepId,
        receiver: &Value,
        method: &str,
        values: &[Value],
    ) -> Option<Value> {
        match (method, connection(receiver)?) {
            (
                "begin"
                | "begin_with_config"
                | "begin_with"
                | "transaction"
                | "transaction_with_config"
                | "run",
                _,
            ) if values.len() <= 2 => Some(Value::External(Name::new(TRANSACTION))),
            ("commit", Connection::Transaction) => {
                self.use_connection();
                self.commit_trail(state);
                Some(Value::None)
            }
            ("rollback", Connection::Transaction) => {
                state.untold.roll_back();
                let _ = step;
                Some(Value::None)
            }
            // `&mut *txn` by another name.
            ("as_mut" | "deref_mut" | "acquire" | "get" | "get_conn", _) => Some(receiver.clone()),
            _ => None,
        }
    }
}

/// Whether a function that nothing of the program calls works on a connection that it is handed: whether a transaction
/// is open on it, only who calls it knows.
pub(in crate::flow) fn is_handed_connection(project: &Project, id: FunctionId) -> bool {
    project.is_rust(id.file)
        && project.function(id).params.iter().any(|param| {
            let path = match &param.annotation {
                Some(Term::Path(path)) => *path,
                Some(Term::Generic { base, .. }) => match &**base {
                    Term::Path(path) => *path,
                    _ => return false,
                },
                _ => return false,
            };
            let path = match project.resolve_path(id.file, path) {
                Some(Symbol::External(path)) => path,
                _ => path,
            };
            matches!(of_type(path), Some(Connection::Handed | Connection::Transaction))
        })
}

/// The connection that a value is.
pub(super) fn connection(value: &Value) -> Option<Connection> {
    match value {
        Value::External(path) if &**path == TRANSACTION => Some(Connection::Transaction),
        Value::External(path) => of_type(*path),
        Value::Session(SessionKey::Outer, _) => Some(Connection::Handed),
        _ => None,
    }
}

fn of_type(path: Name) -> Option<Connection> {
    let last = path.last();
    if last.ends_with("Transaction") {
        Some(Connection::Transaction)
    } else if last.ends_with("Pool") || matches!(last, "DatabaseConnection" | "DbConn" | "Pool") {
        Some(Connection::Pool)
    } else if last.ends_with("Connection")
        || matches!(
            last,
            "ConnectionTrait" | "Executor" | "TransactionTrait" | "LoadConnection" | "PgExecutor"
        )
    {
        Some(Connection::Handed)
    } else {
        None
    }
}
