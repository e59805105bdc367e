//! trailcheck proves that service code stamps and audits every row it writes.

pub mod cli;
pub mod config;
pub mod duty;
pub mod escape;
pub mod facts;
pub mod finding;
pub mod nearest;
pub mod report;
pub mod rulebook;
pub mod scan;
pub mod source;
pub mod vocabulary;
pub mod walk;
