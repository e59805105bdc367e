//! project/audit: what the audit trail is made of: models of audit rows, functions that emit events, models that are tracked.
//!
//! A team says it under `[trail]`. Where it names no model of audit rows, a model counts whose name says that it is one.

use rustc_hash::FxHashSet;

use crate::config::{AuditPolicy, Trail};

use super::{ClassId, FunctionId, Project};

pub use action::Unfit;
pub use call::{AuditFaults, Direct, Strange, StrangeAction, Taker};

mod action;
mod call;
mod query;

/// The audit trail of a program.
#[derive(Debug, Default)]
pub struct Audit {
    models: FxHashSet<ClassId>,
    tracked: FxHashSet<ClassId>,
    emitters: Vec<String>,
    /// Whether the settings name the models of audit rows; else their own names say what they are.
    pub is_named: bool,
    /// Whether an audit row may fail the request it belongs to.
    pub policy: AuditPolicy,
}

impl Project {
    /// Knows what the settings say of the audit trail.
    pub fn audited(mut self, trail: &Trail, policy: AuditPolicy) -> Project {
        let named = |names: &[String]| -> FxHashSet<ClassId> {
            let is_named = |class: &ClassId| {
                let path = self.dotted(class.file, &self.class(*class).qualname);
                names.iter().any(|name| fits(&path, name))
            };
            self.class_ids().into_iter().filter(is_named).collect()
        };
        let models = if trail.models.is_empty() {
            let says_so =
                |class: &ClassId| self.model(*class).is_some() && is_audit_name(&self.class(*class).name);
            self.class_ids().into_iter().filter(says_so).collect()
        } else {
            named(&trail.models)
        };
        let tracked = named(&trail.tracked);
        let is_named = !trail.models.is_empty();
        self.audit = Audit { models, tracked, emitters: trail.emitters.clone(), is_named, policy };
        self
    }

    /// The audit trail.
    pub fn audit(&self) -> &Audit {
        &self.audit
    }

    /// Whether rows of a model are audit rows.
    pub fn is_audit_model(&self, class: ClassId) -> bool {
        self.audit.models.contains(&class)
            || self.hierarchy(class).classes().any(|above| self.audit.models.contains(&above))
    }

    /// Whether the settings say that a function emits an audit event.
    pub fn is_emitter(&self, id: FunctionId) -> bool {
        !self.audit.emitters.is_empty() && {
            let path = self.dotted(id.file, &self.function(id).qualname);
            self.audit.emitters.iter().any(|emitter| fits(&path, emitter))
        }
    }

    /// Whether the settings say that something outside the project emits an audit event.
    pub fn is_external_emitter(&self, path: &str) -> bool {
        self.audit.emitters.iter().any(|emitter| fits(path, emitter))
    }

    fn dotted(&self, file: super::FileId, qualname: &str) -> String {
        format!("{}.{qualname}", self.module_name(file))
    }
}

impl Audit {
    /// Whether anything in the program can be an audit event.
    pub fn is_kept(&self) -> bool {
        !self.models.is_empty() || !self.emitters.is_empty()
    }

    /// Whether the settings name models whose changes must be audited.
    pub fn has_tracked(&self) -> bool {
        !self.tracked.is_empty()
    }

    /// Whether the settings ask for an audit of every change of a model.
    pub fn is_tracked(&self, class: ClassId) -> bool {
        self.tracked.contains(&class)
    }
}

/// Whether a dotted path, or its end, is what a setting names; a `*` stands for any text.
fn fits(path: &str, named: &str) -> bool {
    let whole = |start: usize| matches_glob(&path[start..], named);
    whole(0) || path.match_indices('.').any(|(at, _)| whole(at + 1))
}

fn matches_glob(text: &str, pattern: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return text == pattern };
    let Some(mut left) = text.strip_prefix(head) else { return false };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return left.ends_with(part);
        }
        let Some(at) = left.find(part) else { return false };
        left = &left[at + part.len()..];
    }
    true
}

/// Whether a model of this name holds audit rows.
fn is_audit_name(name: &str) -> bool {
    ["AuditLog", "AuditLogEntry", "AuditEntry", "AuditEvent", "AuditRecord", "AuditTrail", "AuditRow"]
        .iter()
        .any(|ending| name.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_names_a_path_or_its_end() {
        assert!(fits("apps.core.models.AuditLog", "core.models.AuditLog"));
        assert!(!fits("apps.hardcore.models.AuditLog", "core.models.AuditLog"));
        assert!(fits("rbac.views._audit_log", "*._audit_log"));
        assert!(fits("a.b.c.log_it", "a.*.log_*"));
        assert!(!fits("a.b.c.told", "a.*.log_*"));
    }

    #[test]
    fn some_names_say_that_a_model_holds_audit_rows() {
        assert!(is_audit_name("AuditLog") && is_audit_name("CreditAuditLog"));
        assert!(!is_audit_name("AuditReport") && !is_audit_name("AuditMixin"));
    }
}
