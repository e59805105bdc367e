//! project/constant: what the variables of a module hold, as far as it can be told without running it.
//!
//! A module's top level is followed over its branches like a program: lists that grow, dictionaries that are stored
//! into, star imports. What two branches leave different is not known, and a list that only one of them extends is open.

use rustc_hash::FxHashMap;

use crate::name::Name;
use crate::source::Span;

use super::{FileId, Project};

use module::Reader;

mod module;

/// A value written in code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Constant {
    /// `None`.
    None,
    /// `True` or `False`.
    Switch(bool),
    /// A whole number.
    Number(i64),
    /// A string.
    Text(Name),
    /// A list, tuple or set.
    List {
        /// What it surely holds.
        items: Vec<Constant>,
        /// Whether it may hold more.
        is_open: bool,
    },
    /// A dictionary, as far as its keys are strings.
    Dictionary {
        /// What it surely holds.
        entries: Vec<Entry>,
        /// Whether it may hold more.
        is_open: bool,
    },
    /// What a call gives, by the path that is called, as written.
    Call(Name),
    /// Anything else.
    Unknown,
}

/// One entry of a dictionary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its key.
    pub key: Name,
    /// Its value.
    pub value: Constant,
    /// The file in which it is written.
    pub file: FileId,
    /// Where.
    pub span: Span,
}

/// Whether something is so, as far as can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// It cannot be told.
    Unknown,
}

impl Constant {
    /// The string it is.
    pub fn text(&self) -> Option<Name> {
        match self {
            Constant::Text(text) => Some(*text),
            _ => None,
        }
    }

    /// The value it has under a key.
    pub fn get(&self, key: &str) -> Option<&Constant> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The entry it has under a key.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| &*entry.key == key)
    }

    /// Its entries, where it is a dictionary.
    pub fn entries(&self) -> &[Entry] {
        match self {
            Constant::Dictionary { entries, .. } => entries,
            _ => &[],
        }
    }

    /// Whether it is a list that holds a string which passes.
    pub fn holds(&self, passes: impl Fn(&str) -> bool) -> Certainty {
        let Constant::List { items, is_open } = self else { return Certainty::Unknown };
        if items.iter().filter_map(Constant::text).any(|text| passes(&text)) {
            return Certainty::Yes;
        }
        let is_certain = !is_open && items.iter().all(|item| item.text().is_some());
        if is_certain { Certainty::No } else { Certainty::Unknown }
    }

    /// What is known of a value that is one of two.
    fn join(self, other: Constant) -> Constant {
        match (self, other) {
            (one, other) if one == other => one,
            (
                Constant::List { mut items, is_open },
                Constant::List { items: others, is_open: other_is_open },
            ) => {
                let is_open = is_open || other_is_open || items != others;
                items.retain(|item| others.contains(item));
                Constant::List { items, is_open }
            }
            (Constant::Dictionary { entries, .. }, Constant::Dictionary { entries: others, .. }) => {
                let both = |entry: Entry| {
                    let other = others.iter().find(|other| other.key == entry.key)?;
                    Some(Entry { value: entry.value.join(other.value.clone()), ..entry })
                };
                Constant::Dictionary {
                    entries: entries.into_iter().filter_map(both).collect(),
                    is_open: true,
                }
            }
            _ => Constant::Unknown,
        }
    }
}

/// The variables of a module once all of its code has run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Namespace {
    values: FxHashMap<Name, Constant>,
    is_open: bool,
}

impl Namespace {
    /// What a variable holds; nothing where the module surely has none of that name.
    pub fn get(&self, name: &str) -> Option<&Constant> {
        let found = self.values.get(&Name::new(name));
        found.or(if self.is_open { Some(&Constant::Unknown) } else { None })
    }

    fn join(mut self, other: Namespace) -> Namespace {
        self.is_open |= other.is_open;
        for (name, value) in other.values {
            let joined = match self.values.remove(&name) {
                Some(known) => known.join(value),
                // On the other way the name is unbound, and code that reads it counts on this one.
                None => value,
            };
            self.values.insert(name, joined);
        }
        self
    }
}

/// Modules that were gone through, each once.
#[derive(Debug, Default)]
pub struct Constants {
    modules: FxHashMap<FileId, Namespace>,
}

impl Constants {
    /// What the variables of a module hold.
    pub fn of_module(&mut self, project: &Project, file: FileId) -> &Namespace {
        self.read(project, file, 0);
        &self.modules[&file]
    }

    /// What an expression of a function comes to once the module around it has run.
    pub fn of_step(
        &mut self,
        project: &Project,
        function: super::FunctionId,
        step: crate::facts::StepId,
    ) -> Constant {
        let namespace = self.of_module(project, function.file).clone();
        Reader::new(project, self, function, namespace, 0).value(step)
    }

    fn read(&mut self, project: &Project, file: FileId, depth: usize) {
        if self.modules.contains_key(&file) {
            return;
        }
        // Modules that import each other find what the other has so far: nothing.
        self.modules.insert(file, Namespace { values: FxHashMap::default(), is_open: true });
        let namespace = module::run(project, self, file, depth);
        self.modules.insert(file, namespace);
    }
}
