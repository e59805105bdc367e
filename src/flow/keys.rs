//! flow/keys: what is known of a dictionary: which keys it has, and what a key is known to hold.

use std::collections::BTreeSet;

use crate::facts::{Field, Term};
use crate::name::Name;
use crate::project::{ClassId, Project};

use super::cow::Shared;
use super::value::Value;

/// Keys a dictionary is known to have.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Keys {
    /// Surely there.
    pub sure: BTreeSet<Name>,
    /// There on some path, or in some form of the data.
    pub perhaps: BTreeSet<Name>,
    /// Those among both that a schema declares, so that whoever sends the data may give them.
    pub sent: BTreeSet<Name>,
    /// Those among the sure ones that hold `None`.
    pub none: BTreeSet<Name>,
    /// Those among the sent ones that hold `None` unless the sender gives them.
    pub none_by_default: BTreeSet<Name>,
    /// Those that hold the column of the same name, so that nothing changes.
    pub kept: BTreeSet<Name>,
    /// Whether it keeps columns of a row under their own names, so that storing them again changes nothing.
    pub is_snapshot: bool,
    /// Whether other keys may be there.
    pub is_open: bool,
    /// What stands under keys that only running the code tells: `{order.number: order for order in orders}`.
    pub holds: Option<Shared<Value>>,
}

impl Keys {
    /// The same keys under other names.
    pub fn renamed(&self, name: impl Fn(&Name) -> Name) -> Keys {
        let all = |names: &BTreeSet<Name>| names.iter().map(&name).collect();
        Keys {
            sure: all(&self.sure),
            perhaps: all(&self.perhaps),
            sent: all(&self.sent),
            none: all(&self.none),
            none_by_default: all(&self.none_by_default),
            kept: all(&self.kept),
            is_snapshot: self.is_snapshot,
            is_open: self.is_open,
            holds: self.holds.clone(),
        }
    }

    /// A dictionary of which nothing is known.
    pub fn open() -> Keys {
        Keys { is_open: true, ..Keys::default() }
    }

    /// `a | b` of two dictionaries; no other operator takes them.
    pub(super) fn union(parts: &[Value]) -> Option<Value> {
        let mut all = Keys::default();
        for part in parts {
            let Value::Dictionary(keys) = part else { return None };
            all.extend(keys);
        }
        (parts.len() > 1).then(|| Value::Dictionary(Shared::new(all)))
    }

    /// A key gets a value.
    pub fn give(&mut self, key: Name, value: &Value) {
        self.forget(key);
        self.sure.insert(key);
        match value {
            Value::None => drop(self.none.insert(key)),
            Value::Attribute(of, name) if *name == key && matches!(**of, Value::Symbol(_)) => {
                self.kept.insert(key);
            }
            _ => {}
        }
    }

    /// A key gets a value unless it is there.
    pub fn give_if_absent(&mut self, key: Name, value: &Value) {
        if self.sure.contains(&key) {
            return;
        }
        if self.perhaps.contains(&key) {
            self.perhaps.remove(&key);
            self.none_by_default.remove(&key);
            self.sure.insert(key);
        } else {
            self.give(key, value);
        }
    }

    /// A key is removed.
    pub fn forget(&mut self, key: Name) {
        for set in self.sets() {
            set.remove(&key);
        }
    }

    /// Only some keys stay.
    pub fn retain(&mut self, keep: impl Fn(&Name) -> bool) {
        for set in self.sets() {
            set.retain(&keep);
        }
    }

    /// Any of the keys may be left out; what is left out for being `None` is not known.
    pub fn thinned(&self) -> Keys {
        let perhaps = self.sure.union(&self.perhaps).copied().collect();
        Keys { perhaps, sent: self.sent.clone(), is_open: self.is_open, ..Keys::default() }
    }

    /// The same keys with other values.
    pub fn revalued(&self) -> Keys {
        Keys {
            sure: self.sure.clone(),
            perhaps: self.perhaps.clone(),
            sent: self.sent.clone(),
            is_open: self.is_open,
            ..Keys::default()
        }
    }

    /// Some keys may be left out.
    pub fn loosen(&mut self, may_go: impl Fn(&Name) -> bool) {
        let going: BTreeSet<Name> = self.sure.iter().filter(|key| may_go(key)).copied().collect();
        self.sure.retain(|key| !going.contains(key));
        self.none.retain(|key| !going.contains(key));
        self.perhaps.extend(going);
    }

    /// The same keys, but nobody sends them.
    pub fn unsent(mut self) -> Keys {
        self.sent.clear();
        self.none_by_default.clear();
        self
    }

    /// The keys that are there whichever of both dictionaries it is.
    pub fn either(&self, other: &Keys) -> Keys {
        let sure: BTreeSet<Name> = self.sure.intersection(&other.sure).copied().collect();
        let all = [&self.sure, &other.sure, &self.perhaps, &other.perhaps];
        let perhaps = all.into_iter().flatten().filter(|key| !sure.contains(key)).copied().collect();
        Keys {
            sure,
            perhaps,
            sent: self.sent.union(&other.sent).copied().collect(),
            none: self.none.intersection(&other.none).copied().collect(),
            none_by_default: self.none_by_default.union(&other.none_by_default).copied().collect(),
            kept: self.kept.intersection(&other.kept).copied().collect(),
            is_snapshot: self.is_snapshot && other.is_snapshot,
            is_open: self.is_open || other.is_open,
            holds: either(&self.holds, &other.holds),
        }
    }

    /// Adds the keys of another dictionary, whose values win.
    pub fn extend(&mut self, other: &Keys) {
        for key in &other.sure {
            self.forget(*key);
        }
        for key in &other.perhaps {
            self.none.remove(key);
            self.kept.remove(key);
            if !self.sure.contains(key) {
                self.perhaps.insert(*key);
            }
        }
        self.sure.extend(&other.sure);
        self.sent.extend(&other.sent);
        self.none.extend(&other.none);
        self.none_by_default.extend(&other.none_by_default);
        self.kept.extend(&other.kept);
        if other.is_open {
            // What is not known may replace any value.
            self.none.retain(|key| other.none.contains(key));
        }
        self.is_snapshot |= other.is_snapshot;
        self.is_open |= other.is_open;
        self.holds = either(&self.holds, &other.holds);
    }

    /// A key that is not known gets a value.
    pub fn hold(&mut self, value: &Value) {
        self.is_open = true;
        if !value.rows().is_empty() {
            self.holds = either(&self.holds, &Some(Shared::new(value.clone())));
        }
    }

    /// The keys alone.
    pub fn unheld(&self) -> Keys {
        Keys { holds: None, ..self.clone() }
    }

    /// What looking up a key that is not known answers.
    pub fn held(&self) -> Option<Value> {
        self.holds.as_deref().cloned()
    }

    /// Whether storing all of it on the row it was taken from changes nothing.
    pub(super) fn changes_nothing(&self) -> bool {
        self.is_snapshot && !self.is_open && self.sure.is_empty() && self.perhaps.is_empty()
    }

    /// The keys that are given a value for certain, or by whoever sends the data.
    pub fn written(&self) -> impl Iterator<Item = Name> + '_ {
        let by_code = self.sure.iter().filter(|key| !self.sent.contains(*key));
        by_code.chain(&self.sent).filter(|key| !self.kept.contains(*key)).copied()
    }

    /// The keys that hold `None` for certain, or as long as the sender leaves them out.
    pub fn nulls(&self) -> impl Iterator<Item = Name> + '_ {
        self.none.iter().chain(&self.none_by_default).copied()
    }

    fn sets(&mut self) -> [&mut BTreeSet<Name>; 6] {
        [
            &mut self.sure,
            &mut self.perhaps,
            &mut self.sent,
            &mut self.none,
            &mut self.none_by_default,
            &mut self.kept,
        ]
    }
}

fn either(one: &Option<Shared<Value>>, other: &Option<Shared<Value>>) -> Option<Shared<Value>> {
    match (one, other) {
        (Some(one), Some(other)) if one != other => {
            Some(Shared::new((**one).clone().join((**other).clone())))
        }
        (one, other) => one.clone().or(other.clone()),
    }
}

/// Which fields a dump of a schema leaves out.
#[derive(Clone, Debug, Default)]
pub(super) struct Dump {
    /// Those nobody gave a value.
    pub without_unset: bool,
    /// Those that hold `None`.
    pub without_none: bool,
    /// These; `None` when they could not be told.
    pub exclude: Option<BTreeSet<Name>>,
    /// All but these.
    pub include: Option<BTreeSet<Name>>,
    /// Whether it names fields in a way that could not be told.
    pub is_vague: bool,
}

/// External bases of schemas that add no fields.
const WITHOUT_FIELDS: &[&str] =
    &["ABC", "BaseModel", "BaseSettings", "Generic", "Protocol", "SQLModel", "TypedDict", "object"];

/// The keys of a dump of an instance of a class.
pub(super) fn dumped(project: &Project, class: ClassId, dump: &Dump) -> Keys {
    let hierarchy = project.hierarchy(class);
    let mut keys = Keys::default();
    let mut seen = BTreeSet::new();
    for class in hierarchy.classes() {
        for field in project.class(class).fields.iter().rev() {
            if field.annotation.is_none() {
                keys.is_open |= &*field.name == "model_config" && allows_extra(field);
                continue;
            }
            if !seen.insert(field.name) || is_class_variable(field) {
                continue;
            }
            let fallback = fallback(field);
            keys.sent.insert(field.name);
            let stays = match fallback {
                Fallback::Required => !dump.without_none || !may_be_none(field),
                Fallback::Value => !dump.without_unset,
                Fallback::None => !dump.without_unset && !dump.without_none,
            };
            // A field that is `None` unless it is sent is there, but nothing may have been given.
            if stays && fallback != Fallback::None {
                keys.sure.insert(field.name);
            } else {
                keys.perhaps.insert(field.name);
            }
            if stays && fallback == Fallback::None {
                keys.none_by_default.insert(field.name);
            }
        }
    }
    keys.is_open |= hierarchy.externals().any(|path| !WITHOUT_FIELDS.contains(&path.last()));
    if dump.is_vague {
        let is_open = keys.is_open;
        keys =
            Keys { is_open, perhaps: keys.sure.union(&keys.perhaps).copied().collect(), ..Keys::default() };
    }
    keys.retain(|key| {
        dump.include.as_ref().is_none_or(|only| only.contains(key))
            && dump.exclude.as_ref().is_none_or(|not| !not.contains(key))
    });
    keys
}

/// What a field holds when nobody gives it a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fallback {
    Required,
    None,
    Value,
}

fn fallback(field: &Field) -> Fallback {
    match &field.value {
        None => Fallback::Required,
        Some(Term::None) => Fallback::None,
        Some(Term::Call { callee, arguments, keywords }) if matches!(&**callee, Term::Path(path) if path.last() == "Field") =>
        {
            let named = |wanted: &str| keywords.iter().find(|(name, _)| &**name == wanted).map(|(_, v)| v);
            match (named("default").or(arguments.first()), named("default_factory")) {
                (_, Some(_)) => Fallback::Value,
                (Some(Term::None), _) => Fallback::None,
                // `Field(...)` is no value.
                (None | Some(Term::Other), _) => Fallback::Required,
                (Some(_), _) => Fallback::Value,
            }
        }
        Some(_) => Fallback::Value,
    }
}

fn may_be_none(field: &Field) -> bool {
    match &field.annotation {
        Some(Term::Generic { base, .. }) => {
            matches!(&**base, Term::Path(path) if matches!(path.last(), "Optional" | "Union" | "Annotated"))
        }
        Some(Term::Union(members)) => members.contains(&Term::None),
        _ => false,
    }
}

fn is_class_variable(field: &Field) -> bool {
    &*field.name == "model_config"
        || matches!(&field.annotation, Some(Term::Generic { base, .. })
            if matches!(&**base, Term::Path(path) if path.last() == "ClassVar"))
}

/// Whether a schema's configuration lets fields in that it does not declare; a dictionary literal is not looked into.
fn allows_extra(field: &Field) -> bool {
    match &field.value {
        Some(Term::Call { keywords, .. }) => keywords
            .iter()
            .any(|(name, value)| &**name == "extra" && *value == Term::Text(Name::new("allow"))),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(all: &[&str]) -> BTreeSet<Name> {
        all.iter().map(|name| Name::new(name)).collect()
    }

    #[test]
    fn a_value_given_later_wins() {
        let mut dump = Keys { sent: names(&["at", "text"]), ..Keys::default() };
        dump.sure = names(&["text"]);
        dump.perhaps = names(&["at"]);
        dump.none_by_default = names(&["at"]);
        let mut now = Keys::default();
        now.give(Name::new("at"), &Value::Plain);
        dump.extend(&now);
        assert_eq!(dump.sure, names(&["at", "text"]));
        assert_eq!(dump.nulls().count(), 0);
        // What code gives nobody sends.
        assert_eq!(dump.sent, names(&["text"]));
    }

    #[test]
    fn a_none_is_certain_only_where_every_path_gives_it() {
        let (mut none, mut some) = (Keys::default(), Keys::default());
        none.give(Name::new("at"), &Value::None);
        some.give(Name::new("at"), &Value::Plain);
        assert_eq!(none.either(&none).nulls().count(), 1);
        assert_eq!(none.either(&some).nulls().count(), 0);
        assert_eq!(none.either(&some).sure, names(&["at"]));
        none.extend(&some);
        assert_eq!(none.nulls().count(), 0);
    }

    #[test]
    fn what_is_taken_out_is_gone() {
        let mut keys = Keys::default();
        keys.give(Name::new("at"), &Value::None);
        keys.forget(Name::new("at"));
        assert_eq!(keys, Keys::default());
        keys.give_if_absent(Name::new("at"), &Value::Plain);
        assert_eq!(keys.thinned().perhaps, names(&["at"]));
    }
}
