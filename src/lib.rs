//! trailcheck proves that service code stamps and audits every row it writes.

pub mod check;
pub mod cli;
pub mod config;
pub mod duty;
pub mod escape;
pub mod facts;
pub mod finding;
pub mod flow;
pub mod lower;
pub mod name;
pub mod nearest;
pub mod project;
pub mod report;
pub mod rule;
pub mod rulebook;
pub mod scan;
pub mod source;
pub mod vocabulary;
pub mod walk;
