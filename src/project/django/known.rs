//! project/django/known: what Django's own classes and well-known packages bring along, as tables.

use super::super::model::Column;

/// When a field fills itself with the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keeps {
    /// When the row is inserted.
    Insert,
    /// Whenever the row is saved.
    LastSave,
}

/// Classes from outside that make their heirs models, by the last part of their path.
const MODELS: &[&str] = &[
    "AbstractBaseUser",
    "AbstractUser",
    "AbstractBaseSession",
    "ActivatorModel",
    "MPTTModel",
    "MP_Node",
    "NS_Node",
    "AL_Node",
    "Orderable",
    "Page",
    "PermissionsMixin",
    "PolymorphicModel",
    "PolymorphicMPTTModel",
    "SafeDeleteModel",
    "SoftDeletableModel",
    "SoftDeleteModel",
    "StatusModel",
    "TimeFramedModel",
    "TimeStampedModel",
    "TitleDescriptionModel",
    "TitleSlugDescriptionModel",
    "TranslatableModel",
    "UUIDModel",
];

/// Whether a class from outside makes its heirs models.
pub(super) fn is_model(path: &str) -> bool {
    let last = path.rsplit('.').next().unwrap_or(path);
    match last {
        "Model" => path.starts_with("django.") || path == "models.Model",
        last => path.contains('.') && MODELS.contains(&last) && !path.starts_with("sqlalchemy"),
    }
}

/// Whether a class from outside makes its heirs models of users.
pub(super) fn is_user(path: &str) -> bool {
    matches!(path.rsplit('.').next().unwrap_or(path), "AbstractUser" | "AbstractBaseUser")
}

/// Whether a class from outside makes its heirs managers or query sets.
pub(super) fn is_manager(path: &str) -> bool {
    let last = path.rsplit('.').next().unwrap_or(path);
    match last {
        "from_queryset" => true,
        "QuerySet" | "Manager" | "BaseManager" | "UserManager" | "BaseUserManager" => {
            path.starts_with("django.") || path.starts_with("models.")
        }
        _ => ["QuerySet", "Manager"].iter().any(|end| last.ends_with(end)) && is_of_package(path),
    }
}

/// Packages whose managers and query sets projects build upon.
fn is_of_package(path: &str) -> bool {
    let first = path.split('.').next().unwrap_or(path);
    matches!(
        first,
        "model_utils"
            | "mptt"
            | "parler"
            | "polymorphic"
            | "safedelete"
            | "treebeard"
            | "wagtail"
            | "simple_history"
            | "django_extensions"
            | "psqlextra"
    )
}

/// Whether a class of this name is a field of a model.
pub(super) fn is_field(name: &str) -> bool {
    name.ends_with("Field") || name.ends_with("ForeignKey")
}

/// The time that a field of this class keeps by itself.
pub(super) fn keeps(name: &str) -> Option<Keeps> {
    match name {
        "AutoCreatedField" | "CreationDateTimeField" => Some(Keeps::Insert),
        "AutoLastModifiedField" | "ModificationDateTimeField" => Some(Keeps::LastSave),
        _ => None,
    }
}

const PLAIN: Column = Column {
    default: false,
    factory: false,
    server_default: false,
    on_update: false,
    named: None,
    on_update_by_sql: false,
};
const DEFAULT: Column = Column { default: true, ..PLAIN };
const LAST_SAVE: Column = Column { default: true, on_update: true, ..PLAIN };

const BASE_USER: &[(&str, Column)] = &[("password", PLAIN), ("last_login", PLAIN)];
const PERMISSIONS: &[(&str, Column)] = &[("is_superuser", DEFAULT)];
const USER: &[(&str, Column)] = &[
    ("password", PLAIN),
    ("last_login", PLAIN),
    ("is_superuser", DEFAULT),
    ("username", PLAIN),
    ("first_name", PLAIN),
    ("last_name", PLAIN),
    ("email", PLAIN),
    ("is_staff", DEFAULT),
    ("is_active", DEFAULT),
    ("date_joined", DEFAULT),
];
const TIMES: &[(&str, Column)] = &[("created", DEFAULT), ("modified", LAST_SAVE)];

/// The columns that a class from outside brings along; nothing where they are not known.
pub(super) fn columns(path: &str) -> Option<&'static [(&'static str, Column)]> {
    let package = path.split('.').next().unwrap_or(path);
    match (path.rsplit('.').next().unwrap_or(path), package) {
        ("Model" | "ABC" | "Generic" | "object" | "Protocol", _) => Some(&[]),
        ("AbstractUser", _) => Some(USER),
        ("AbstractBaseUser", _) => Some(BASE_USER),
        ("PermissionsMixin", _) => Some(PERMISSIONS),
        ("TimeStampedModel", "model_utils" | "django_extensions") => Some(TIMES),
        _ => None,
    }
}

/// Whether a class from outside writes its own time in `save(update_fields=…)` as well.
pub(super) fn adds_to_update_fields(path: &str) -> bool {
    path.ends_with(".TimeStampedModel")
}
