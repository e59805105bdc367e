//! program/said: what the texts of a project say of others, which is all of them that is needed to tell programs apart.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};

use super::{import, manifest, table};
use crate::source::{Language, Source};

/// What the texts of a project say of others.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// Dotted paths of modules that its Python may mean.
    pub(super) modules: FxHashSet<String>,
    /// Tables that its Rust and its SQL name, where somebody asks for tables.
    pub(super) tables_of_rust: FxHashSet<String>,
    /// Tables that its Python and its SQL name, where somebody asks for tables.
    pub(super) tables_of_python: FxHashSet<String>,
    /// Packages of Rust that it takes by a path: their folders as they are shown.
    pub(super) packages: Vec<PathBuf>,
}

impl Said {
    /// What these files say, whose texts are at hand.
    pub fn of(sources: &[Arc<Source>], asks_for_tables: bool) -> Said {
        let all = |language: Language, say: fn(&str) -> Vec<String>| -> FxHashSet<String> {
            let texts = sources.par_iter().filter(|source| source.language == language);
            texts.flat_map_iter(|source| say(&source.text)).collect()
        };
        let mut said = Said { modules: all(Language::Python, import::named), ..Said::default() };
        for source in sources.iter().filter(|source| source.language == Language::Manifest) {
            let folder = source.path.parent().unwrap_or(Path::new(""));
            said.packages.extend(manifest::packages(&source.text, folder));
        }
        if asks_for_tables {
            let of_sql = all(Language::Sql, table::named);
            let speaks = |language| sources.iter().any(|source| source.language == language);
            let with = |language| {
                let own =
                    if speaks(language) { all(language, table::named) } else { return FxHashSet::default() };
                own.union(&of_sql).cloned().collect()
            };
            said.tables_of_rust = with(Language::Rust);
            said.tables_of_python = with(Language::Python);
        }
        said
    }
}
