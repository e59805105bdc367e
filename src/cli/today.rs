//! cli/today: the day of the run, by which suppressions run out.

use std::env;
use std::time::{SystemTime, UNIX_EPOCH};

use super::Failure;

/// The day in UTC as `YYYY-MM-DD`: that of SOURCE_DATE_EPOCH where it is set, so that a run can be repeated.
pub(super) fn today() -> Result<String, Failure> {
    let seconds = match env::var_os("SOURCE_DATE_EPOCH") {
        Some(given) => given.to_str().and_then(|given| given.trim().parse().ok()).ok_or_else(|| {
            let message = format!("SOURCE_DATE_EPOCH is `{}`", given.to_string_lossy());
            Failure::Other(message, Some("it counts the seconds since 1970-01-01".to_owned()))
        })?,
        None => SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
    };
    Ok(date(seconds))
}

/// Whether the day is given, so that a run can be repeated.
pub(super) fn is_given() -> bool {
    env::var_os("SOURCE_DATE_EPOCH").is_some()
}

/// The day of a second since 1970-01-01, in the Gregorian calendar.
fn date(seconds: u64) -> String {
    // Years are counted from March, so that the leap day is a year's last; 400 years always have as many days.
    let days = seconds / 86_400 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (seconds, day) in [
            (0, "1970-01-01"),
            (951_782_399, "2000-02-28"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_709_164_800, "2024-02-29"),
            (1_735_689_599, "2024-12-31"),
            (4_107_542_400, "2100-03-01"),
        ] {
            assert_eq!(date(seconds), day);
        }
    }
}
