//! config/layer: one file's say put over what was in force before it, with every name and value checked.

use std::path::Path;
use std::sync::Arc;

use toml::Spanned;

use super::error::ConfigError;
use super::file::{File, PerPathTable, RoleTable, RuleTables, Text, Texts};
use super::library::{Library, LibraryTable};
use super::paths::{Paths, absolute};
use super::select::{Names, Selectors};
use super::settings::{Ground, Level, PerPath, Priority, Roles, RuleSettings, Settings};
use crate::duty::Duty;
use crate::nearest::nearest;

/// A file that was read, with what is needed to show a fault in it.
pub(super) struct Layer<'a> {
    /// The folder it lies in, absolute, from which its globs count.
    pub(super) folder: &'a Path,
    /// Its path as it is shown.
    pub(super) shown: &'a str,
    /// Its text.
    pub(super) text: &'a str,
}

type Result<T> = std::result::Result<T, Box<ConfigError>>;

impl Layer<'_> {
    /// Puts what the file says over the settings.
    pub(super) fn apply(
        &self,
        file: File,
        names: &Names,
        ground: &Arc<Ground>,
        settings: &mut Settings,
    ) -> Result<()> {
        settings.ground = Arc::clone(ground);
        if let Some(globs) = file.include {
            settings.include = Some(self.paths(globs, ground)?);
        }
        if let Some(globs) = file.exclude {
            settings.exclude = self.paths(globs, ground)?;
        }
        if let Some(globs) = file.protected {
            settings.protected = self.paths(globs, ground)?;
        }
        settings.covered_by_default = file.covered_by_default.unwrap_or(settings.covered_by_default);
        settings.audit = file.audit.unwrap_or(settings.audit);
        self.roles(file.fields, &mut settings.fields)?;
        self.roles(file.setters, &mut settings.setters)?;
        if let Some(expression) = file.clock.expression {
            settings.clock = self.checked(expression, is_expression, "not an expression on one line")?;
            settings.is_clock_chosen = true;
        }
        if let Some(class) = file.context.class {
            settings.context_class = self.checked(class, is_dotted, "not a dotted name")?;
        }
        for (old, new) in file.renamed {
            let old = self.checked(old, is_dotted, "not a dotted name")?;
            settings.renamed.insert(old, self.checked(new, is_dotted, "not a dotted name")?);
        }
        let lists = [
            (file.trail.models, &mut settings.trail.models),
            (file.trail.emitters, &mut settings.trail.emitters),
            (file.trail.tracked, &mut settings.trail.tracked),
            (file.jobs.append_only, &mut settings.append_only),
        ];
        for (given, list) in lists {
            if let Some(given) = given {
                *list = self.all(given, is_pattern, "not a dotted name; `*` may stand for a part")?;
            }
        }
        for library in file.trail.library {
            self.library(library, &mut settings.trail.libraries)?;
        }
        self.rules(file.rules, names, settings)?;
        if let Some(path) = file.history.file {
            if path.get_ref().is_empty() {
                return Err(self.fault(&path, "the file has no name"));
            }
            settings.history = Some(absolute(self.folder, Path::new(path.get_ref())));
        }
        self.metrics(file.metrics, &mut settings.metrics)?;
        for entry in file.priority {
            settings
                .priorities
                .push(Priority { level: entry.level, paths: self.paths(entry.paths, ground)? });
        }
        for entry in file.per_path {
            settings.per_path.push(self.per_path(entry, names, ground)?);
        }
        Ok(())
    }

    /// A fault at a place in this file.
    pub(super) fn fault<T>(&self, at: &Spanned<T>, message: &str) -> Box<ConfigError> {
        ConfigError::at(self.shown, self.text, at.span(), message)
    }

    fn paths(&self, globs: Texts, ground: &Ground) -> Result<Paths> {
        let patterns = globs.iter().map(|glob| glob.get_ref().clone()).collect();
        Paths::new(&ground.here, self.folder, patterns).map_err(|(at, reason)| match globs.get(at) {
            Some(glob) => self.fault(glob, &format!("malformed glob: {reason}")),
            None => ConfigError::of_file(self.shown, &reason),
        })
    }

    fn roles(&self, table: RoleTable, roles: &mut Roles) -> Result<()> {
        let given = [
            (Duty::CreatedAt, table.created_at),
            (Duty::UpdatedAt, table.updated_at),
            (Duty::DeletedAt, table.deleted_at),
            (Duty::CreatedBy, table.created_by),
            (Duty::UpdatedBy, table.updated_by),
            (Duty::DeletedBy, table.deleted_by),
        ];
        let mut seen: Vec<(String, Duty)> = Vec::new();
        for (duty, names) in given {
            let Some(names) = names else { continue };
            for name in &names {
                if let Some((_, other)) = seen.iter().find(|(known, _)| known == name.get_ref()) {
                    let message = format!("`{}` already plays {}", name.get_ref(), other.word());
                    return Err(self.fault(name, &message));
                }
                seen.push((name.get_ref().clone(), duty));
            }
            roles.replace(duty, self.all(names, is_identifier, "not a name")?);
        }
        Ok(())
    }

    fn rules(&self, tables: RuleTables, names: &Names, settings: &mut Settings) -> Result<()> {
        for (id, table) in tables {
            let Some(rule) = names.get(id.get_ref()) else {
                let help = nearest(id.get_ref(), names.ids()).map(|id| format!("did you mean `{id}`?"));
                let help = help.or_else(|| Some("`trailcheck rules` lists them".to_owned()));
                return Err(self.fault(&id, &format!("unknown rule `{}`", id.get_ref())).with_help(help));
            };
            let said: &mut RuleSettings = settings.rules.entry(rule.id.clone()).or_default();
            for (key, value) in table {
                let key_name = key.get_ref().as_str();
                if key_name == "severity" {
                    said.severity = Some(self.level(&value)?);
                } else if rule.keys.iter().any(|known| known == key_name) {
                    said.options.insert(key.into_inner(), value.into_inner());
                } else {
                    let known = rule.keys.iter().map(String::as_str).chain(["severity"]);
                    let help = match nearest(key_name, known.clone()) {
                        Some(name) => format!("did you mean `{name}`?"),
                        None => format!("known here: {}", known.collect::<Vec<_>>().join(", ")),
                    };
                    return Err(self.fault(&key, &format!("unknown key `{key_name}`")).with_help(Some(help)));
                }
            }
        }
        Ok(())
    }

    /// An audit library of the team; one of a known name takes its place.
    fn library(&self, table: LibraryTable, known: &mut Vec<Library>) -> Result<()> {
        if !table.marks() {
            let message = format!("nothing says what makes a model audited by `{}`", table.name.get_ref());
            let help =
                "give `registrars`, `decorators`, `fields`, `bases`, `all-setting` or `models-setting`";
            return Err(self.fault(&table.name, &message).with_help(Some(help.to_owned())));
        }
        let paths = [&table.registrars, &table.decorators, &table.fields, &table.bases, &table.collections];
        let modules = [&table.apps, &table.middleware, &table.actor_middleware];
        let dotted = paths.into_iter().chain(modules).flatten().chain([&table.package]);
        for text in dotted.chain(table.renamed.keys()).chain(table.renamed.values()) {
            self.known(text, is_dotted, "not a dotted name")?;
        }
        let names = [&table.all_setting, &table.models_setting, &table.collections_key, &table.route];
        for text in names.into_iter().flatten().chain(table.values.keys()) {
            self.known(text, is_identifier, "not a name")?;
        }
        for text in &table.misses {
            self.known(text, changes_rows, "not a method of a query set that changes rows")?;
        }
        let library = table.settled();
        match known.iter_mut().find(|known| known.name == library.name) {
            Some(known) => *known = library,
            None => known.push(library),
        }
        Ok(())
    }

    fn level(&self, value: &Spanned<toml::Value>) -> Result<Level> {
        match value.get_ref().as_str() {
            Some("error") => Ok(Level::Error),
            Some("review") => Ok(Level::Review),
            Some("off") => Ok(Level::Off),
            other => {
                let message = match other {
                    Some(word) => format!("unknown value `{word}`"),
                    None => format!("invalid type: {}, expected a string", value.get_ref().type_str()),
                };
                let near = other.and_then(|word| nearest(word, ["error", "review", "off"]));
                let help = match near {
                    Some(word) => format!("did you mean `{word}`?"),
                    None => "known here: error, review, off".to_owned(),
                };
                Err(self.fault(value, &message).with_help(Some(help)))
            }
        }
    }

    fn per_path(&self, entry: PerPathTable, names: &Names, ground: &Ground) -> Result<PerPath> {
        let paths = self.paths(entry.paths, ground)?;
        let select = self.selectors(&entry.select, names)?;
        let ignore = self.selectors(&entry.ignore, names)?;
        Ok(PerPath { paths, select, ignore })
    }

    fn selectors(&self, words: &[Text], names: &Names) -> Result<Selectors> {
        let parsed = Selectors::parse(words.iter().map(|word| word.get_ref().as_str()), names);
        parsed.map_err(|(at, unknown)| {
            self.fault(&words[at], &unknown.message()).with_help(Some(unknown.help()))
        })
    }

    fn all(&self, texts: Texts, good: fn(&str) -> bool, otherwise: &str) -> Result<Vec<String>> {
        texts.into_iter().map(|text| self.checked(text, good, otherwise)).collect()
    }

    fn known(&self, text: &Text, good: fn(&str) -> bool, otherwise: &str) -> Result<()> {
        if good(text.get_ref()) { Ok(()) } else { Err(self.fault(text, otherwise)) }
    }

    fn checked(&self, text: Text, good: fn(&str) -> bool, otherwise: &str) -> Result<String> {
        if good(text.get_ref()) { Ok(text.into_inner()) } else { Err(self.fault(&text, otherwise)) }
    }
}

fn changes_rows(method: &str) -> bool {
    matches!(
        method.strip_prefix('a').unwrap_or(method),
        "bulk_create" | "bulk_update" | "update" | "delete" | "create" | "get_or_create" | "update_or_create"
    )
}

/// Whether a text is a name that a list of columns or methods may hold.
pub fn is_identifier(text: &str) -> bool {
    let starts_well = text.starts_with(|c: char| c.is_alphabetic() || c == '_');
    starts_well && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// Whether a text is a dotted path of names.
pub fn is_dotted(text: &str) -> bool {
    text.split('.').all(is_identifier)
}

/// Whether a text is a dotted path in which `*` may stand for a part.
pub fn is_pattern(text: &str) -> bool {
    text.split('.').all(|part| is_identifier(&part.replace('*', "_")))
}

/// Whether a text may be the expression that gives the time.
pub fn is_expression(text: &str) -> bool {
    !text.trim().is_empty() && !text.contains(char::is_control)
}
