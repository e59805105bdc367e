//! day: a day of the Gregorian calendar, read, written and counted.

use std::fmt;

/// A day, by how many lie between it and 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i64);

impl Day {
    /// The day of a second since 1970-01-01, in UTC.
    pub fn of_second(second: u64) -> Day {
        Day(i64::try_from(second / 86_400).unwrap_or(i64::MAX / 2))
    }

    /// Reads `YYYY-MM-DD`; `None` when the text is of another form or there is no such day.
    pub fn parse(text: &str) -> Option<Day> {
        let parts: Vec<&str> = text.split('-').collect();
        let [year, month, day] = parts[..] else { return None };
        let number = |part: &str, digits: usize| {
            let is_plain = part.len() == digits && part.bytes().all(|b| b.is_ascii_digit());
            part.parse::<i64>().ok().filter(|_| is_plain)
        };
        let day = Day::of_date(number(year, 4)?, number(month, 2)?, number(day, 2)?);
        // A day that is not there comes out as another one.
        (day.to_string() == text).then_some(day)
    }

    /// The day so many days later.
    pub fn plus(self, days: u32) -> Day {
        Day(self.0.saturating_add(i64::from(days)))
    }

    /// How many days it is until another one; less than nothing where that is over.
    pub fn until(self, other: Day) -> i64 {
        other.0 - self.0
    }

    /// Years are counted from March, so that the leap day is a year's last; 400 years always have as many days.
    fn of_date(year: i64, month: i64, day: i64) -> Day {
        let (year, month_from_march) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
        let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        Day(era * DAYS_OF_ERA + day_of_era - UNTIL_1970)
    }
}

/// The days of 400 years.
const DAYS_OF_ERA: i64 = 146_097;
/// The days from the first of March of the year 0 to 1970-01-01.
const UNTIL_1970: i64 = 719_468;

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = self.0 + UNTIL_1970;
        let (era, day_of_era) = (days.div_euclid(DAYS_OF_ERA), days.rem_euclid(DAYS_OF_ERA));
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = era * 400 + year_of_era + i64::from(month <= 2);
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        Day::parse(text).unwrap_or_else(|| panic!("{text} is a day"))
    }

    #[test]
    fn days_are_days_of_the_calendar() {
        for text in
            ["2024-02-29", "2000-02-29", "2026-12-31", "2026-01-01", "2026-04-30", "0001-01-01", "9999-12-31"]
        {
            assert_eq!(day(text).to_string(), text);
        }
        for text in
            ["2023-02-29", "1900-02-29", "2026-13-01", "2026-00-10", "2026-04-31", "2026-01-00", "26-01-01"]
        {
            assert_eq!(Day::parse(text), None, "{text}");
        }
        for text in ["", "2026-1-1", "2026-01-01-01", "+026-01-01", "2026/01/01", "٢٠٢٦-01-01"] {
            assert_eq!(Day::parse(text), None, "{text}");
        }
    }

    #[test]
    fn seconds_have_their_day() {
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
    fn days_are_counted_over_leap_days() {
        for (from, days, to) in [
            ("2024-02-28", 1, "2024-02-29"),
            ("2024-02-28", 2, "2024-03-01"),
            ("2023-02-28", 1, "2023-03-01"),
            ("2100-02-28", 1, "2100-03-01"),
            ("2026-12-31", 1, "2027-01-01"),
            ("2026-01-15", 365, "2027-01-15"),
            ("2028-01-15", 366, "2029-01-15"),
            ("2000-01-01", 146_097, "2400-01-01"),
        ] {
            assert_eq!(day(from).plus(days), day(to), "{from} + {days}");
            assert_eq!(day(from).until(day(to)), i64::from(days));
            assert_eq!(day(to).until(day(from)), -i64::from(days));
        }
        // Every day has its own number, one after the other.
        let mut last = day("1999-12-31");
        for number in 1..=3000 {
            let next = day("1999-12-31").plus(number);
            assert_eq!(last.until(next), 1);
            assert_eq!(day(&next.to_string()), next);
            last = next;
        }
    }
}
