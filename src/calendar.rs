//! calendar: days of the Gregorian calendar, and the weeks they lie in.

use std::fmt;
use std::str::FromStr;

/// A day, counted from 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i64);

/// A text that is no day written `YYYY-MM-DD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoDay;

/// How many days 400 years have, whichever they are.
const ERA: i64 = 146_097;

/// How many days lie between 0000-03-01 and 1970-01-01.
const BEFORE: i64 = 719_468;

impl Day {
    /// The day of a second since 1970-01-01, in UTC.
    pub fn of_second(second: u64) -> Day {
        Day(i64::try_from(second / 86_400).unwrap_or(i64::MAX / 2))
    }

    /// The Monday of its week; a week ends with its Sunday.
    pub fn monday(self) -> Day {
        // 1970-01-01 was a Thursday.
        Day(self.0 - (self.0 + 3).rem_euclid(7))
    }

    /// The day so many days later.
    pub fn plus(self, days: i64) -> Day {
        Day(self.0.saturating_add(days))
    }

    /// Year, month and day of the month.
    fn parts(self) -> (i64, i64, i64) {
        // Years are counted from March, so that the leap day is a year's last.
        let days = self.0 + BEFORE;
        let (era, day_of_era) = (days.div_euclid(ERA), days.rem_euclid(ERA));
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        (era * 400 + year_of_era + i64::from(month <= 2), month, day)
    }

    fn of_parts(year: i64, month: i64, day: i64) -> Day {
        let year = year - i64::from(month <= 2);
        let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let month_from_march = (month + 9) % 12;
        let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
        Day(era * ERA + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - BEFORE)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.parts();
        write!(out, "{year:04}-{month:02}-{day:02}")
    }
}

impl FromStr for Day {
    type Err = NoDay;

    fn from_str(text: &str) -> Result<Day, NoDay> {
        let is_written = |(at, letter): (usize, u8)| match at {
            4 | 7 => letter == b'-',
            _ => letter.is_ascii_digit(),
        };
        if text.len() != 10 || !text.bytes().enumerate().all(is_written) {
            return Err(NoDay);
        }
        let number = |from: usize, to: usize| text[from..to].parse::<i64>().map_err(|_| NoDay);
        let day = Day::of_parts(number(0, 4)?, number(5, 7)?, number(8, 10)?);
        // The thirtieth of February is another day when it is written again.
        if day.to_string() == text { Ok(day) } else { Err(NoDay) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().expect("a day")
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01"),
            (951_782_399, "2000-02-28"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_709_164_800, "2024-02-29"),
            (1_735_689_599, "2024-12-31"),
            (4_107_542_400, "2100-03-01"),
        ] {
            assert_eq!(Day::of_second(seconds).to_string(), text);
            assert_eq!(day(text), Day::of_second(seconds));
        }
    }

    #[test]
    fn each_day_follows_the_one_before() {
        let mut today = day("1999-12-31");
        for _ in 0..3 * 366 {
            let text = today.to_string();
            assert_eq!(day(&text), today);
            today = today.plus(1);
        }
        assert_eq!(today.to_string(), "2003-01-02");
    }

    #[test]
    fn a_week_goes_from_monday_to_sunday() {
        for text in ["2026-11-23", "2026-11-24", "2026-11-28", "2026-11-29"] {
            assert_eq!(day(text).monday().to_string(), "2026-11-23");
        }
        assert_eq!(day("2026-11-30").monday().to_string(), "2026-11-30");
        assert_eq!(day("1969-12-31").monday().to_string(), "1969-12-29");
    }

    #[test]
    fn what_is_no_day_is_not_taken_for_one() {
        for text in [
            "",
            "2026-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-1-01",
            "26-01-01",
            "２026-01-01",
            "2026-01-1x",
        ] {
            assert_eq!(text.parse::<Day>(), Err(NoDay), "{text}");
        }
    }
}
