//! main: all tests as one program, since to link one takes a minute less than to link one for each file.
//!
//! Each file is a module: `cargo test --test all facts::` runs the tests of `facts.rs`. `mutation.rs` alone is a program of
//! its own, since it is also built as released, for real projects.

mod actors;
mod baseline;
mod cache;
mod changed;
mod cmd;
mod django;
mod facts;
mod fixes;
mod fixtures;
mod flags;
mod history;
mod hostile;
mod imports;
mod jobs;
mod laws;
mod learn;
mod ledger;
mod meanwhile;
mod migrations;
mod programs;
mod readme;
mod remarks;
mod reports;
mod rules;
mod sarif;
mod schema;
mod statements;
mod tasks;
mod tidy;
mod transactions;
mod twins;
mod walk;

/// What several of them share.
mod small {
    pub(crate) mod mended;
    pub(crate) mod modules;
    pub(crate) mod placed;
    pub(crate) mod scanned;
}
