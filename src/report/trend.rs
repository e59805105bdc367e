//! report/trend: the scans of a history one behind the other, as lines that say what has changed.

pub mod csv;
pub mod human;
pub mod json;
pub mod markdown;

use std::collections::BTreeMap;

use crate::day::Day;
use crate::history::{Counts, Entry, Kept};
use crate::metric::Range;
use crate::report::audit::wording::wanted;

/// The scans of one scope.
#[derive(Clone, Debug, PartialEq)]
pub struct Trend<'a> {
    /// What was scanned.
    pub scope: &'a str,
    /// One line a scan or a week, oldest first.
    pub lines: Vec<Line<'a>>,
}

/// One scan, or one week.
#[derive(Clone, Debug, PartialEq)]
pub struct Line<'a> {
    /// The Monday of the week.
    pub week: String,
    /// The Sunday of the week.
    pub week_end: String,
    /// The scan; `None` for a week without one.
    pub entry: Option<&'a Entry>,
    /// The scan before it.
    pub before: Option<&'a Entry>,
}

/// How scans are put into lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grain {
    /// Each is a line.
    Scan,
    /// The last of each week is a line, and a week without one is a line, too.
    Week,
}

/// The trends of scans, by scope; of each the last lines.
pub fn trends(entries: &[Entry], grain: Grain, most: usize) -> Vec<Trend<'_>> {
    let mut by_scope: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in entries {
        by_scope.entry(&entry.key.scope).or_default().push(entry);
    }
    by_scope.into_iter().map(|(scope, entries)| trend(scope, &entries, grain, most)).collect()
}

fn trend<'a>(scope: &'a str, entries: &[&'a Entry], grain: Grain, most: usize) -> Trend<'a> {
    let by_line: Vec<(String, Option<&Entry>)> = match grain {
        Grain::Scan => entries.iter().map(|entry| (entry.key.week.clone(), Some(*entry))).collect(),
        Grain::Week => weekly(entries),
    };
    let mut before = None;
    let mut lines = Vec::new();
    for (week, entry) in by_line {
        lines.push(Line { week_end: sunday(&week), week, entry, before });
        before = entry.or(before);
    }
    let gone = lines.len().saturating_sub(most);
    lines.drain(..gone);
    Trend { scope, lines }
}

/// The last scan of each week, from the first week to the last.
fn weekly<'a>(entries: &[&'a Entry]) -> Vec<(String, Option<&'a Entry>)> {
    let mut last: BTreeMap<&str, &'a Entry> = BTreeMap::new();
    for entry in entries {
        last.insert(&entry.key.week, entry);
    }
    let mut lines: Vec<(String, Option<&Entry>)> = Vec::new();
    for (week, entry) in last {
        while let Some((before, _)) = lines.last()
            && let Some(day) = Day::parse(before)
            && let next = day.plus(7).to_string()
            && next.as_str() < week
        {
            lines.push((next, None));
        }
        lines.push((week.to_owned(), Some(entry)));
    }
    lines
}

fn sunday(monday: &str) -> String {
    Day::parse(monday).map_or_else(String::new, |day| day.plus(6).to_string())
}

/// The share of writes that are fully stamped, in tenths of a percent, rounded down.
fn coverage(counts: Counts) -> Option<u64> {
    (counts.stamped * 1000).checked_div(counts.writes)
}

/// A number of tenths as one writes it.
fn tenths(number: i64) -> String {
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}.{}", number.abs() / 10, number.abs() % 10)
}

/// A change as one writes it: `+3`, `-1`, `=`.
fn change(difference: i64, written: impl Fn(i64) -> String) -> String {
    match difference {
        0 => "=".to_owned(),
        more if more > 0 => format!("+{}", written(more)),
        less => written(less),
    }
}

impl Line<'_> {
    /// What a count is, with how it has changed: `18 (-3)`.
    fn count(&self, of: fn(&Counts) -> u64) -> String {
        let Some(entry) = self.entry else { return String::new() };
        let number = of(&entry.counts);
        let before = self.before.map(|before| of(&before.counts));
        let changed = before.map(|before| change(number as i64 - before as i64, |many| many.to_string()));
        changed.map_or_else(|| number.to_string(), |changed| format!("{number} ({changed})"))
    }

    /// The coverage, with how it has changed: `72.3 % (+2.1)`.
    fn coverage(&self) -> String {
        let Some(entry) = self.entry else { return String::new() };
        let Some(now) = coverage(entry.counts) else { return "–".to_owned() };
        let before = self.before.and_then(|before| coverage(before.counts));
        let changed = before.map(|before| change(now as i64 - before as i64, tenths));
        let now = format!("{} %", tenths(now as i64));
        changed.map_or_else(|| now.clone(), |changed| format!("{now} ({changed})"))
    }
}

/// The figures of a scan that are outside their bounds.
fn outside(entry: &Entry) -> impl Iterator<Item = &Kept> {
    entry.figures.iter().filter(|kept| kept.range == Range::Outside.word())
}

/// A figure and its bounds, in words: `coverage is 72.3, at least 90 is wanted (83 counted)`.
pub fn in_words(kept: &Kept) -> String {
    let of = kept.model.as_ref().map_or_else(String::new, |model| format!(" of `{model}`"));
    let value = kept.value.map_or_else(|| "unknown".to_owned(), |value| value.to_string());
    let wanted = kept.bounds.map_or_else(|| "nothing".to_owned(), wanted);
    let counted = if kept.sample == 0 { String::new() } else { format!(" ({} counted)", kept.sample) };
    format!("{}{of} is {value}, {wanted} is wanted{counted}", kept.figure)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::config::Bounds;
    use crate::history::{Key, RunFacts};

    /// A scan of a day with so many writes, stamped writes and errors.
    pub(crate) fn entry(scope: &str, at: &str, (writes, stamped, errors): (u64, u64, u64)) -> Entry {
        let day = Day::parse(&at[..10]).expect("a day");
        Entry {
            id: 0,
            key: Key::new(scope.to_owned(), format!("rev-{at}"), day),
            run: RunFacts {
                at: at.to_owned(),
                milliseconds: 1234,
                version: "0.1.0".to_owned(),
                outcome: "errors".to_owned(),
            },
            counts: Counts { files: 7, writes, stamped, errors, ..Counts::default() },
            figures: vec![Kept {
                figure: "model-coverage".to_owned(),
                model: Some("=Or|der".to_owned()),
                value: Some(50.0),
                sample: writes,
                bounds: Some(Bounds { min: Some(90.0), max: None, min_sample: 1 }),
                range: "outside".to_owned(),
            }],
        }
    }

    #[test]
    fn a_line_says_what_has_changed() {
        let entries = [
            entry("app", "2026-11-02T10:00:00Z", (10, 5, 4)),
            entry("lib", "2026-11-03T10:00:00Z", (0, 0, 0)),
            entry("app", "2026-11-04T10:00:00Z", (12, 8, 4)),
            entry("app", "2026-11-24T10:00:00Z", (12, 6, 6)),
        ];
        let shown = |grain, most| -> Vec<String> {
            let told = |trend: Trend<'_>| {
                let line = |line: &Line<'_>| {
                    format!(
                        "{} {}..{} {} {}",
                        trend.scope,
                        line.week,
                        line.week_end,
                        line.coverage(),
                        line.count(|c| c.errors)
                    )
                };
                trend.lines.iter().map(line).collect::<Vec<_>>()
            };
            trends(&entries, grain, most).into_iter().flat_map(told).collect()
        };
        assert_eq!(
            shown(Grain::Scan, 9),
            [
                "app 2026-11-02..2026-11-08 50.0 % 4",
                "app 2026-11-02..2026-11-08 66.6 % (+16.6) 4 (=)",
                "app 2026-11-23..2026-11-29 50.0 % (-16.6) 6 (+2)",
                "lib 2026-11-02..2026-11-08 – 0",
            ]
        );
        assert_eq!(
            shown(Grain::Week, 3),
            [
                "app 2026-11-09..2026-11-15  ",
                "app 2026-11-16..2026-11-22  ",
                "app 2026-11-23..2026-11-29 50.0 % (-16.6) 6 (+2)",
                "lib 2026-11-02..2026-11-08 – 0",
            ]
        );
    }
}
