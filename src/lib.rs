//! trailcheck proves that service code stamps and audits every row it writes.

pub mod check;
pub mod config;
pub mod duty;
pub mod facts;
pub mod finding;
pub mod rule;
pub mod rulebook;
pub mod source;
pub mod vocabulary;
