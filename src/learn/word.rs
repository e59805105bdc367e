//! learn/word: what the name of a column says: that a row was made, changed or removed, and when or by whom.

use crate::duty::Duty;

/// What is done to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Deed {
    Making,
    Changing,
    Removing,
}

/// What a column keeps of a deed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keeps {
    When,
    Who,
    /// The name does not say; the type of the column does.
    Either,
}

/// How sure a word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Strength {
    /// It may as well be a fact of the trade: something was archived, somebody is the author.
    Loose,
    /// It speaks of the row itself.
    Plain,
}

/// What a name says when it says nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) deed: Deed,
    pub(super) keeps: Keeps,
    pub(super) strength: Strength,
}

impl Deed {
    /// The role of a column that keeps when it was done, or who did it.
    pub(super) fn duty(self, keeps: Keeps) -> Option<Duty> {
        match (self, keeps) {
            (Deed::Making, Keeps::When) => Some(Duty::CreatedAt),
            (Deed::Making, Keeps::Who) => Some(Duty::CreatedBy),
            (Deed::Changing, Keeps::When) => Some(Duty::UpdatedAt),
            (Deed::Changing, Keeps::Who) => Some(Duty::UpdatedBy),
            (Deed::Removing, Keeps::When) => Some(Duty::DeletedAt),
            (Deed::Removing, Keeps::Who) => Some(Duty::DeletedBy),
            (_, Keeps::Either) => None,
        }
    }
}

/// Reads a name: one word for what was done, and beside it nothing but words for when or who. `price_changed_at` tells of
/// a part of the row, and is no role.
pub(super) fn read(name: &str) -> Option<Reading> {
    let mut deed = None;
    let mut keeps = Keeps::Either;
    let (mut says_by, mut says_whose) = (false, false);
    for word in words(name) {
        let word = word.as_str();
        if WHEN.contains(&word) {
            // In `created_by_date` and kin the last word decides.
            keeps = Keeps::When;
        } else if BY.contains(&word) {
            says_by = true;
            keeps = Keeps::Who;
        } else if WHO.contains(&word) {
            says_whose = true;
            keeps = Keeps::Who;
        } else if ASIDE.contains(&word) {
            continue;
        } else {
            let (known, is_agent, strength) = deed_of(word)?;
            if deed.replace((known, strength)).is_some() {
                return None;
            }
            if is_agent {
                says_by = true;
                keeps = Keeps::Who;
            }
        }
    }
    // `member_update_date` is about a member, `created_name` about a name.
    if says_whose && (!says_by || keeps == Keeps::When) {
        return None;
    }
    let (deed, strength) = deed?;
    Some(Reading { deed, keeps, strength })
}

fn deed_of(word: &str) -> Option<(Deed, bool, Strength)> {
    let plain = |words: &[&str]| words.contains(&word);
    let found = |deed, is_agent, strength| Some((deed, is_agent, strength));
    match word {
        "creator" | "inserter" => return found(Deed::Making, true, Strength::Plain),
        "updater" | "modifier" | "changer" => return found(Deed::Changing, true, Strength::Plain),
        "deleter" | "remover" => return found(Deed::Removing, true, Strength::Plain),
        "author" | "uploader" | "registrar" => return found(Deed::Making, true, Strength::Loose),
        "editor" => return found(Deed::Changing, true, Strength::Loose),
        _ => {}
    }
    for (deed, sure, loose) in [
        (Deed::Making, MADE, MADE_PERHAPS),
        (Deed::Changing, CHANGED, CHANGED_PERHAPS),
        (Deed::Removing, REMOVED, REMOVED_PERHAPS),
    ] {
        if plain(sure) {
            return found(deed, false, Strength::Plain);
        }
        if plain(loose) {
            return found(deed, false, Strength::Loose);
        }
    }
    None
}

/// The words of a name, in small letters, whichever way they are joined.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut before = '_';
    for letter in name.chars() {
        let starts = !before.is_alphanumeric() || letter.is_uppercase() && !before.is_uppercase();
        if letter.is_alphanumeric() {
            if starts {
                found.push(String::new());
            }
            if let Some(word) = found.last_mut() {
                word.extend(letter.to_lowercase());
            }
        }
        before = letter;
    }
    found
}

const WHEN: &[&str] = &[
    "at",
    "on",
    "date",
    "time",
    "datetime",
    "timestamp",
    "stamp",
    "ts",
    "utc",
    "tz",
    "dt",
    "when",
    "day",
    "fecha",
    "hora",
    "data",
    "datum",
    "am",
];

const BY: &[&str] =
    &["by", "who", "user", "userid", "username", "por", "par", "von", "durch", "usuario", "benutzer"];

/// Words for somebody, which say nothing of who acted unless another word does.
const WHO: &[&str] = &["email", "mail", "name", "login", "account", "person", "employee", "member"];

/// Words that say nothing of their own.
const ASIDE: &[&str] = &["id", "fk", "uid", "uuid", "pk", "last", "row", "record", "db", "ultima", "ultimo"];

const MADE: &[&str] = &[
    "created",
    "create",
    "creation",
    "inserted",
    "insert",
    "insertion",
    "creado",
    "creada",
    "creacion",
    "criado",
    "criacao",
    "erstellt",
    "angelegt",
    "creato",
    "creazione",
];
const MADE_PERHAPS: &[&str] = &["added", "registered", "recorded", "entered", "uploaded", "submitted"];
const CHANGED: &[&str] = &[
    "updated",
    "update",
    "modified",
    "modification",
    "modify",
    "changed",
    "change",
    "actualizado",
    "actualizacion",
    "modificado",
    "modificacion",
    "atualizado",
    "atualizacao",
    "aktualisiert",
    "geaendert",
    "modificato",
    "modifica",
    "aggiornato",
];
const CHANGED_PERHAPS: &[&str] = &["edited", "edit", "touched", "altered", "revised"];
const REMOVED: &[&str] = &[
    "deleted",
    "delete",
    "deletion",
    "removed",
    "remove",
    "removal",
    "eliminado",
    "eliminacion",
    "borrado",
    "excluido",
    "geloescht",
    "eliminato",
];
const REMOVED_PERHAPS: &[&str] = &[
    "archived",
    "deactivated",
    "inactivated",
    "trashed",
    "disabled",
    "retired",
    "discarded",
    "destroyed",
    "desactivado",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn says(name: &str) -> Option<(Option<Duty>, Strength)> {
        read(name).map(|reading| (reading.deed.duty(reading.keeps), reading.strength))
    }

    #[test]
    fn a_name_says_its_role() {
        use Strength::{Loose, Plain};
        for (name, duty, strength) in [
            ("created_at", Duty::CreatedAt, Plain),
            ("dateCreated", Duty::CreatedAt, Plain),
            ("row_created_on_utc", Duty::CreatedAt, Plain),
            ("fecha_creacion", Duty::CreatedAt, Plain),
            ("last_change_date", Duty::UpdatedAt, Plain),
            ("last_modified_user", Duty::UpdatedBy, Plain),
            ("modifier_id", Duty::UpdatedBy, Plain),
            ("deactivated_at", Duty::DeletedAt, Loose),
            ("deactivated_by", Duty::DeletedBy, Loose),
            ("added_by_user_id", Duty::CreatedBy, Loose),
            ("author", Duty::CreatedBy, Loose),
        ] {
            assert_eq!(says(name), Some((Some(duty), strength)), "{name}");
        }
        assert_eq!(says("created"), Some((None, Plain)), "its type says what it keeps");
    }

    #[test]
    fn a_name_that_says_more_says_no_role() {
        for name in [
            "price_changed_at",
            "creature",
            "address",
            "updates_count",
            "is_deleted",
            "owner",
            "change_created_at",
        ] {
            assert_eq!(says(name), None, "{name}");
        }
    }
}
