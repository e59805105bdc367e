//! cli/today: the time of the run: its day is that by which suppressions run out.

use std::env;
use std::time::{SystemTime, UNIX_EPOCH};

use super::Failure;
use crate::day::Day;

/// The second since 1970-01-01 in UTC: SOURCE_DATE_EPOCH where it is set, so that a run can be repeated.
pub(super) fn now() -> Result<u64, Failure> {
    match env::var_os("SOURCE_DATE_EPOCH") {
        Some(given) => given.to_str().and_then(|given| given.trim().parse().ok()).ok_or_else(|| {
            let message = format!("SOURCE_DATE_EPOCH is `{}`", given.to_string_lossy());
            Failure::Other(message, Some("it counts the seconds since 1970-01-01".to_owned()))
        }),
        None => Ok(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())),
    }
}

/// A second as RFC 3339 writes it: `YYYY-MM-DDTHH:MM:SSZ`.
pub(super) fn written(second: u64) -> String {
    let of_day = second % 86_400;
    let (hours, minutes, seconds) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{}T{hours:02}:{minutes:02}:{seconds:02}Z", Day::of_second(second))
}

/// Whether the day is given, so that a run can be repeated.
pub(super) fn is_given() -> bool {
    env::var_os("SOURCE_DATE_EPOCH").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_is_written_in_utc() {
        assert_eq!(written(0), "1970-01-01T00:00:00Z");
        assert_eq!(written(951_868_799), "2000-02-29T23:59:59Z");
    }
}
