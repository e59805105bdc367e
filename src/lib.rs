//! trailcheck proves that service code stamps and audits every row it writes.

pub mod duty;
pub mod facts;
pub mod finding;
pub mod flow;
pub mod lower;
pub mod name;
pub mod project;
pub mod source;
pub mod vocabulary;
