//! cli/today: the day of the run, by which suppressions run out.

use std::env;
use std::time::{SystemTime, UNIX_EPOCH};

use super::Failure;
use crate::day::Day;

/// The day in UTC as `YYYY-MM-DD`: that of SOURCE_DATE_EPOCH where it is set, so that a run can be repeated.
pub(super) fn today() -> Result<String, Failure> {
    let seconds = match env::var_os("SOURCE_DATE_EPOCH") {
        Some(given) => given.to_str().and_then(|given| given.trim().parse().ok()).ok_or_else(|| {
            let message = format!("SOURCE_DATE_EPOCH is `{}`", given.to_string_lossy());
            Failure::Other(message, Some("it counts the seconds since 1970-01-01".to_owned()))
        })?,
        None => SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
    };
    Ok(Day::of_second(seconds).to_string())
}

/// Whether the day is given, so that a run can be repeated.
pub(super) fn is_given() -> bool {
    env::var_os("SOURCE_DATE_EPOCH").is_some()
}
