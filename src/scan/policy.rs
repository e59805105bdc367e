//! scan/policy: the settings of a run, as checking asks for them file by file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Acceptance;
use crate::baseline::Entry;
use crate::check::{Covered, Policy};
use crate::config::{self, Asked, Configuration, Selection};
use crate::finding::Severity;
use crate::rule::{Rule, Scope};
use crate::rulebook::Rulebook;
use crate::source::Source;

/// The settings of a run, as checking asks for them.
pub(super) struct Settled<'a> {
    /// The files, by index.
    pub(super) sources: &'a [Arc<Source>],
    /// The settings.
    pub(super) configuration: &'a Configuration,
    /// Which rules the user asked for.
    pub(super) selection: &'a Selection,
}

impl Settled<'_> {
    fn path(&self, file: usize) -> &Path {
        &self.sources[file].path
    }

    fn severity_at(&self, path: &Path, rule: &Rule) -> Option<Severity> {
        let scope = match rule.scope {
            Scope::Everywhere => config::Scope::Everywhere,
            Scope::Service => config::Scope::Service,
        };
        let asked = Asked { id: &rule.id, pack: &rule.pack, severity: rule.severity, scope };
        self.configuration.for_path(path).severity(asked, self.selection, path)
    }

    /// Whether this scan would have found what an entry of the baseline accepts. Not where it sees less of the program
    /// than there was, where the file was left out or not understood, and where the rule did not run. A rule that is
    /// not there any more will never find it again.
    pub(super) fn sees(
        &self,
        entry: &Entry,
        accepted: Acceptance<'_>,
        rulebook: &Rulebook,
        unclear: &BTreeSet<PathBuf>,
    ) -> bool {
        let path = accepted.baseline.ground.found(&entry.path);
        let runs = rulebook.get(&entry.rule).is_none_or(|rule| self.severity_at(&path, rule).is_some());
        accepted.sees_all && runs && !unclear.contains(&path) && !self.configuration.leaves_out(&path)
    }
}

impl Policy for Settled<'_> {
    fn severity(&self, file: usize, rule: &Rule) -> Option<Severity> {
        self.severity_at(self.path(file), rule)
    }

    fn covered(&self, file: usize) -> Covered {
        match self.configuration.for_path(self.path(file)).covered_by_default {
            config::Covered::Review => Covered::Review,
            config::Covered::Error => Covered::Error,
            config::Covered::Allow => Covered::Allow,
        }
    }

    fn is_protected(&self, file: usize) -> bool {
        self.configuration.for_path(self.path(file)).is_protected(self.path(file))
    }
}
