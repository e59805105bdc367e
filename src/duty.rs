//! duty: the words everything else is said in: what a write does, which duties it owes, how each one stands.

use serde::{Deserialize, Serialize};

/// What a write does to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// A new row.
    Create,
    /// A change of a row that is there.
    Update,
    /// A deletion, soft or real.
    Delete,
}

impl Operation {
    /// The word for it in rule pages and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Operation::Create => "create",
            Operation::Update => "update",
            Operation::Delete => "delete",
        }
    }

    /// The verb a message uses: "creates", "updates", "deletes".
    pub fn verb(self) -> &'static str {
        match self {
            Operation::Create => "creates",
            Operation::Update => "updates",
            Operation::Delete => "deletes",
        }
    }
}

/// A role that a column plays in the audit trail; the duty to fill it has the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Duty {
    /// When the row came to be.
    CreatedAt,
    /// When it last changed.
    UpdatedAt,
    /// When it was soft-deleted.
    DeletedAt,
    /// Who made it.
    CreatedBy,
    /// Who last changed it.
    UpdatedBy,
    /// Who soft-deleted it.
    DeletedBy,
}

impl Duty {
    /// All duties, in the order they are reported.
    pub const ALL: [Duty; 6] = [
        Duty::CreatedAt,
        Duty::UpdatedAt,
        Duty::DeletedAt,
        Duty::CreatedBy,
        Duty::UpdatedBy,
        Duty::DeletedBy,
    ];

    /// Its place in [`Duty::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }

    /// The word for it in rule pages, configuration and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Duty::CreatedAt => "created-at",
            Duty::UpdatedAt => "updated-at",
            Duty::DeletedAt => "deleted-at",
            Duty::CreatedBy => "created-by",
            Duty::UpdatedBy => "updated-by",
            Duty::DeletedBy => "deleted-by",
        }
    }

    /// Whether an actor discharges it; the others want a time.
    pub fn is_actor(self) -> bool {
        matches!(self, Duty::CreatedBy | Duty::UpdatedBy | Duty::DeletedBy)
    }

    /// Whether it is about when.
    pub fn is_time(self) -> bool {
        !self.is_actor()
    }
}

/// How a duty of one write stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Code sets the field on every path.
    Set,
    /// No code sets it, but a default, `onupdate` or listener fills it on this write path.
    Covered,
    /// What sets it, or does not, could not be told.
    Unknown,
    /// On some path nothing sets it.
    Missing,
}

impl Standing {
    /// The word for it in rule pages and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Standing::Set => "set",
            Standing::Covered => "covered",
            Standing::Unknown => "unknown",
            Standing::Missing => "missing",
        }
    }
}
