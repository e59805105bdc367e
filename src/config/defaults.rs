//! config/defaults: the names that play a role when no file says otherwise: the standard's, and the common ones.

use crate::duty::Duty;

/// The columns that play a role.
///
/// A name stands here when it is hardly ever used for anything else: `author` and `owner` are facts of the trade, not
/// of the trail, and `deleted` is most often a flag. A leading underscore is not written, it never changes the role.
pub(super) fn fields(duty: Duty) -> &'static [&'static str] {
    match duty {
        Duty::CreatedAt => CREATED_AT,
        Duty::UpdatedAt => UPDATED_AT,
        Duty::DeletedAt => DELETED_AT,
        Duty::CreatedBy => CREATED_BY,
        Duty::UpdatedBy => UPDATED_BY,
        Duty::DeletedBy => DELETED_BY,
    }
}

/// The methods that discharge a role.
pub(super) fn setters(duty: Duty) -> &'static [&'static str] {
    match duty {
        Duty::CreatedBy => &["set_created_by"],
        Duty::UpdatedBy => &["set_updated_by"],
        Duty::DeletedBy => &["set_deleted_by"],
        Duty::CreatedAt | Duty::UpdatedAt | Duty::DeletedAt => &[],
    }
}

/// What gives the time.
pub(super) const CLOCK: &str = "datetime.now()";

/// The class that carries the actor.
pub(super) const CONTEXT_CLASS: &str = "AuditContext";

const CREATED_AT: &[&str] = &[
    "created_at",
    "created_on",
    "created",
    "created_date",
    "created_time",
    "created_datetime",
    "created_ts",
    "created_timestamp",
    "created_utc",
    "created_at_utc",
    "create_at",
    "create_date",
    "create_time",
    "creation_date",
    "creation_time",
    "creation_timestamp",
    "date_created",
    "datetime_created",
    "time_created",
    "inserted_at",
    "inserted_on",
    "insert_time",
    "ctime",
    "createdAt",
];

const UPDATED_AT: &[&str] = &[
    "updated_at",
    "updated_on",
    "updated",
    "updated_date",
    "updated_time",
    "updated_datetime",
    "updated_ts",
    "updated_timestamp",
    "updated_utc",
    "updated_at_utc",
    "update_at",
    "update_date",
    "update_time",
    "modified_at",
    "modified_on",
    "modified",
    "modified_date",
    "modified_time",
    "modification_date",
    "modification_time",
    "changed_at",
    "changed_on",
    "changed_date",
    "last_modified",
    "last_modified_at",
    "last_modified_on",
    "last_modified_date",
    "last_updated",
    "last_updated_at",
    "last_updated_on",
    "last_update",
    "last_changed",
    "last_changed_at",
    "last_changed_on",
    "date_modified",
    "date_updated",
    "date_changed",
    "datetime_updated",
    "time_updated",
    "mtime",
    "updatedAt",
];

const DELETED_AT: &[&str] = &[
    "deleted_at",
    "deleted_on",
    "deleted_date",
    "deleted_time",
    "deleted_datetime",
    "deleted_ts",
    "deleted_timestamp",
    "deleted_at_utc",
    "delete_time",
    "deletion_date",
    "deletion_time",
    "date_deleted",
    "removed_at",
    "removed_on",
    "date_removed",
    "deletedAt",
];

const CREATED_BY: &[&str] = &[
    "created_by",
    "created_by_id",
    "created_by_fk",
    "created_by_email",
    "created_by_name",
    "created_by_user",
    "created_by_user_id",
    "created_by_username",
    "created_user",
    "created_user_id",
    "creator",
    "creator_id",
    "creator_email",
    "creator_name",
    "inserted_by",
    "inserted_by_id",
    "createdBy",
];

const UPDATED_BY: &[&str] = &[
    "updated_by",
    "updated_by_id",
    "updated_by_fk",
    "updated_by_email",
    "updated_by_name",
    "updated_by_user",
    "updated_by_user_id",
    "updated_by_username",
    "updated_user",
    "updated_user_id",
    "updater",
    "updater_id",
    "modified_by",
    "modified_by_id",
    "modified_by_email",
    "modified_by_name",
    "modified_by_user_id",
    "modifier_id",
    "changed_by",
    "changed_by_id",
    "changed_by_fk",
    "last_modified_by",
    "last_modified_by_id",
    "last_updated_by",
    "last_updated_by_id",
    "last_changed_by",
    "last_changed_by_id",
    "updatedBy",
];

const DELETED_BY: &[&str] = &[
    "deleted_by",
    "deleted_by_id",
    "deleted_by_fk",
    "deleted_by_email",
    "deleted_by_name",
    "deleted_by_user",
    "deleted_by_user_id",
    "deleted_by_username",
    "deleted_user_id",
    "deleter_id",
    "removed_by",
    "removed_by_id",
    "deletedBy",
];
