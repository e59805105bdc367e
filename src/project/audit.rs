//! project/audit: what the audit trail is made of: models of audit rows, functions that emit events, models that are tracked.
//!
//! A team says it under `[trail]`. Where it names no model of audit rows, a model counts whose name says that it is one.

use rustc_hash::FxHashSet;

use crate::config::{AuditPolicy, Trail};

use crate::name::Name;

use super::{ClassId, FunctionId, Model, Project, Symbol};

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
    /// The functions of the project that these name, by where they stand or by a module which only hands them on.
    emitting: FxHashSet<FunctionId>,
    /// Whether the settings name the models of audit rows; else their own names say what they are.
    pub is_named: bool,
    /// Whether an audit row may fail the request it belongs to.
    pub policy: AuditPolicy,
}

impl Project {
    /// Knows what the settings say of the audit trail.
    pub fn audited(mut self, trail: &Trail, policy: AuditPolicy) -> Project {
        let named = |names: &[String]| -> FxHashSet<ClassId> {
            if names.is_empty() {
                return FxHashSet::default();
            }
            let is_named = |class: &ClassId| {
                let path = self.dotted(class.file, &self.class(*class).qualname);
                let table = self.model(*class).and_then(|model| model.table);
                names.iter().any(|name| fits(&path, name) || table.is_some_and(|table| &*table == name))
            };
            let handed_on = names.iter().filter_map(|name| match self.named_by(name)? {
                Symbol::Class(class) => Some(class),
                _ => None,
            });
            self.class_ids().into_iter().filter(is_named).chain(handed_on).collect()
        };
        let models = if trail.models.is_empty() {
            let says_so = |class: &ClassId| {
                let name = self.name_in_code(*class);
                let keeps = || is_perhaps_audit_name(&name) && self.model(*class).is_some_and(keeps_audit);
                self.model(*class).is_some()
                    && self.completed(*class) == *class
                    && (is_audit_name(&name) || keeps())
            };
            self.class_ids().into_iter().filter(says_so).collect()
        } else {
            named(&trail.models)
        };
        let tracked = named(&trail.tracked);
        let emitter = |path: &String| match self.named_by(path) {
            Some(Symbol::Function(function)) => Some(function),
            _ => {
                let (class, method) = path.rsplit_once('.')?;
                match self.named_by(class)? {
                    Symbol::Class(class) => self.method(class, Name::new(method)),
                    _ => None,
                }
            }
        };
        let is_emitter = |id: &FunctionId| {
            if trail.emitters.is_empty() {
                return false;
            }
            let path = self.dotted(id.file, &self.function(*id).qualname);
            trail.emitters.iter().any(|emitter| fits(&path, emitter))
        };
        let handed_on = trail.emitters.iter().filter_map(emitter);
        let emitting = self.function_ids().into_iter().filter(is_emitter).chain(handed_on).collect();
        let is_named = !trail.models.is_empty();
        self.audit = Audit { models, tracked, emitters: trail.emitters.clone(), emitting, is_named, policy };
        self
    }

    /// What a class would be called that stands for the table of a model alone: `audit_logs` is `AuditLog`.
    pub fn name_in_code(&self, class: ClassId) -> Name {
        let name = self.entity_name(class);
        if name == self.class(class).name && !name.contains('_') && name.starts_with(char::is_uppercase) {
            return name;
        }
        let singular = match (name.strip_suffix("ies"), name.strip_suffix('s')) {
            (Some(stem), _) => format!("{stem}y"),
            (None, Some(stem)) if !stem.ends_with('s') => stem.to_owned(),
            _ => name.to_string(),
        };
        let part = |part: &str| {
            let mut letters = part.chars();
            letters
                .next()
                .map(|first| first.to_uppercase().chain(letters).collect::<String>())
                .unwrap_or_default()
        };
        Name::new(&singular.split('_').map(part).collect::<String>())
    }

    /// The audit trail.
    pub fn audit(&self) -> &Audit {
        &self.audit
    }

    /// Whether anything in the program keeps a trail: rows, functions that emit events, a library.
    pub fn keeps_trail(&self) -> bool {
        self.audit.is_kept() || !self.registrations().is_empty()
    }

    /// Whether rows of a model are audit rows.
    pub fn is_audit_model(&self, class: ClassId) -> bool {
        self.audit.models.contains(&class)
            || self.hierarchy(class).classes().any(|above| self.audit.models.contains(&above))
    }

    /// Whether the settings say that a function emits an audit event.
    pub fn is_emitter(&self, id: FunctionId) -> bool {
        self.audit.emitting.contains(&id)
    }

    /// What a path in the settings leads to where a package hands on what another module defines.
    fn named_by(&self, path: &str) -> Option<Symbol> {
        let from = self.file_ids().next()?;
        self.at_path(from, path).filter(|_| !path.contains('*'))
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

    /// Whether the settings name functions that emit audit events.
    pub fn names_emitters(&self) -> bool {
        !self.emitters.is_empty()
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

/// Whether a model of this name may hold audit rows, if it has the columns for it.
fn is_perhaps_audit_name(name: &str) -> bool {
    // A report is made of the rows of a trail; it is none of them.
    name.contains("Audit") && !name.contains("Report")
        || ["ActivityLog", "ActionLog", "EventLog", "ChangeLog", "ActivityRecord", "ActivityEntry"]
            .iter()
            .any(|ending| name.ends_with(ending))
}

/// Whether a model has columns for what was done, by whom and when.
fn keeps_audit(model: &Model) -> bool {
    let has =
        |parts: &[&str]| model.columns.keys().any(|name| name.split('_').any(|part| parts.contains(&part)));
    has(&["action", "event", "verb", "operation", "activity"])
        && has(&["user", "actor", "by", "username"])
        && has(&["at", "on", "time", "timestamp", "date", "created", "when"])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::in_memory;

    fn audit_models(files: &[(&str, &str)], models: &[&str]) -> Vec<String> {
        let models = models.iter().map(|&model| model.to_owned()).collect();
        let trail = Trail { models, ..Trail::default() };
        let project = in_memory(files).audited(&trail, AuditPolicy::Mandatory);
        let is_audit = |class: &ClassId| project.is_audit_model(*class);
        let classes = project.class_ids().into_iter().filter(is_audit);
        classes.map(|class| project.class(class).qualname.clone()).collect()
    }

    #[test]
    fn a_package_hands_models_on() {
        let files: &[(&str, &str)] = &[
            ("core/__init__.py", ""),
            ("core/models/__init__.py", "from .trail import Entry\n"),
            (
                "core/models/trail.py",
                "from django.db import models\nclass Entry(models.Model):\n    text = models.TextField()\n",
            ),
        ];
        assert_eq!(audit_models(files, &["core.models.Entry"]), ["Entry"]);
        assert!(audit_models(files, &[]).is_empty());
    }

    #[test]
    fn columns_say_it_where_the_name_does_not() {
        let model = |name: &str, columns: &[&str]| {
            let columns: String =
                columns.iter().map(|column| format!("    {column} = models.TextField()\n")).collect();
            format!("from django.db import models\nclass {name}(models.Model):\n{columns}")
        };
        let whole = model("UserActivityLog", &["action", "actor", "created_at"]);
        assert_eq!(audit_models(&[("a/models.py", &whole)], &[]), ["UserActivityLog"]);
        let without = model("UserActivityLog", &["action", "created_at"]);
        assert!(audit_models(&[("a/models.py", &without)], &[]).is_empty());
        let other = model("Order", &["action", "actor", "created_at"]);
        assert!(audit_models(&[("a/models.py", &other)], &[]).is_empty());
    }

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
