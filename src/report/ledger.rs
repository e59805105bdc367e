//! report/ledger: every suppression with its reason, its owner, its last day, and what it suppresses.

use serde::Serialize;

use super::count;
use crate::day::Day;
use crate::escape::{markdown, markdown_code, terminal};
use crate::finding::{Reach, SuppressionRecord};

/// What is shown of the ledger, and as of which day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// The day of the run.
    pub today: Day,
    /// Where only those are wanted that have ended or end by then.
    pub ending_by: Option<Day>,
}

impl View {
    /// Those of the suppressions that are wanted, in their order.
    pub fn of(self, ledger: &[SuppressionRecord]) -> Vec<&SuppressionRecord> {
        let is_wanted = |record: &&SuppressionRecord| match self.ending_by {
            None => true,
            Some(last) => end(record).is_some_and(|until| until <= last),
        };
        ledger.iter().filter(is_wanted).collect()
    }

    /// How long a suppression holds, from today.
    fn term(self, record: &SuppressionRecord) -> Option<String> {
        let until = end(record)?;
        Some(match self.today.until(until) {
            0 => format!("until {until}, which is today"),
            1 => format!("until {until}, which is tomorrow"),
            days if days > 0 => format!("until {until}, in {days} days"),
            days => {
                format!("until {until}, which is over for {}", count(days.unsigned_abs() as usize, "day"))
            }
        })
    }

    fn summary(self, shown: &[&SuppressionRecord], all: usize) -> String {
        let number =
            |of: &dyn Fn(&SuppressionRecord) -> bool| shown.iter().filter(|record| of(record)).count();
        let over = number(&|record| record.is_expired);
        let bare = number(&|record| record.reason.is_none());
        let unused = number(&|record| !record.unused.is_empty());
        let of_all = match self.ending_by {
            None => count(all, "suppression"),
            Some(last) => format!("{} of {} end by {last}", shown.len(), count(all, "suppression")),
        };
        format!("{of_all}: {over} expired, {bare} without a reason, {unused} with ids that match nothing")
    }
}

/// For a terminal: a few lines for each.
pub fn human(ledger: &[SuppressionRecord], view: View) -> String {
    let shown = view.of(ledger);
    let mut out = String::new();
    for record in &shown {
        let directive = directive(record);
        out.push_str(&format!("{}:{}: {}\n", terminal(&record.path), record.line, terminal(&directive)));
        let reason = record.reason.as_deref().unwrap_or("no reason given");
        out.push_str(&format!("    reason: {}\n", terminal(reason)));
        if let Some(owner) = &record.owner {
            out.push_str(&format!("    owner: {}\n", terminal(owner)));
        }
        if let Some(term) = view.term(record) {
            out.push_str(&format!("    {term}\n"));
        }
        out.push_str(&format!("    suppresses: {}\n", terminal(&matches(record))));
        if !record.unused.is_empty() {
            out.push_str(&format!("    matches nothing: {}\n", terminal(&record.unused.join(", "))));
        }
    }
    out + &view.summary(&shown, ledger.len()) + "\n"
}

/// As a table in Markdown.
pub fn render_markdown(ledger: &[SuppressionRecord], view: View) -> String {
    let shown = view.of(ledger);
    let mut out =
        format!("# Suppressions\n\nAs of {}: {}.\n", view.today, view.summary(&shown, ledger.len()));
    if shown.is_empty() {
        return out;
    }
    out.push_str(
        "\n| Where | What | Reason | Owner | Until | Suppresses |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    for record in shown {
        let cell = |text: Option<&str>| text.map_or_else(|| "—".to_owned(), markdown);
        let until = match (&record.until, record.is_expired) {
            (Some(until), true) => format!("{} (expired)", markdown(until)),
            (until, _) => cell(until.as_deref()),
        };
        out.push_str(&format!(
            "| {}, line {} | {} | {} | {} | {until} | {} |\n",
            markdown(&record.path),
            record.line,
            markdown_code(&directive(record)),
            cell(record.reason.as_deref()),
            cell(record.owner.as_deref()),
            markdown(&matches(record)),
        ));
    }
    out
}

/// As one JSON object.
pub fn json(ledger: &[SuppressionRecord], view: View) -> String {
    let suppressions = view.of(ledger).into_iter().map(|record| JsonRecord {
        path: &record.path,
        line: record.line,
        scope: scope(record.reach),
        ids: &record.ids,
        reason: record.reason.as_deref(),
        owner: record.owner.as_deref(),
        until: record.until.as_deref(),
        days_left: end(record).map(|until| view.today.until(until)),
        expired: record.is_expired,
        matches: record
            .matched
            .iter()
            .map(|matched| JsonMatch {
                rule: &matched.rule,
                line: matched.line,
                fingerprint: &matched.fingerprint,
            })
            .collect(),
        unused: &record.unused,
    });
    let document = JsonLedger {
        schema_version: 1,
        today: view.today.to_string(),
        ending_by: view.ending_by.map(|day| day.to_string()),
        suppressions: suppressions.collect(),
    };
    serde_json::to_string_pretty(&document).expect("internal error: strings and numbers are JSON") + "\n"
}

#[derive(Serialize)]
struct JsonLedger<'a> {
    schema_version: u32,
    today: String,
    ending_by: Option<String>,
    suppressions: Vec<JsonRecord<'a>>,
}

#[derive(Serialize)]
struct JsonRecord<'a> {
    path: &'a str,
    line: u32,
    scope: &'static str,
    ids: &'a [String],
    reason: Option<&'a str>,
    owner: Option<&'a str>,
    until: Option<&'a str>,
    days_left: Option<i64>,
    expired: bool,
    matches: Vec<JsonMatch<'a>>,
    unused: &'a [String],
}

#[derive(Serialize)]
struct JsonMatch<'a> {
    rule: &'a str,
    line: u32,
    fingerprint: &'a str,
}

fn end(record: &SuppressionRecord) -> Option<Day> {
    record.until.as_deref().and_then(Day::parse)
}

fn scope(reach: Reach) -> &'static str {
    match reach {
        Reach::Statement => "statement",
        Reach::File => "file",
    }
}

fn directive(record: &SuppressionRecord) -> String {
    let word = match record.reach {
        Reach::Statement => "ignore",
        Reach::File => "ignore-file",
    };
    format!("{word}[{}]", record.ids.join(", "))
}

fn matches(record: &SuppressionRecord) -> String {
    if record.matched.is_empty() {
        return "nothing".to_owned();
    }
    let one = |matched: &crate::finding::Matched| format!("{} on line {}", matched.rule, matched.line);
    record.matched.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Matched;
    use serde_json::{Value, json};

    fn day(text: &str) -> Day {
        Day::parse(text).expect("a day")
    }

    fn record(line: u32, until: Option<&str>) -> SuppressionRecord {
        SuppressionRecord {
            path: "app/jobs.py".to_owned(),
            line,
            reach: Reach::Statement,
            ids: vec!["fields".to_owned()],
            reason: Some("a counter".to_owned()),
            owner: Some("@billing".to_owned()),
            until: until.map(str::to_owned),
            is_expired: until.is_some_and(|until| day(until) < day("2028-02-20")),
            matched: vec![Matched {
                rule: "missing-created-at".to_owned(),
                line,
                fingerprint: "f".to_owned(),
            }],
            unused: Vec::new(),
        }
    }

    fn ledger() -> Vec<SuppressionRecord> {
        vec![
            record(1, Some("2028-02-19")),
            record(2, Some("2028-03-01")),
            record(3, Some("2028-03-02")),
            SuppressionRecord {
                reason: None,
                owner: None,
                matched: Vec::new(),
                unused: vec!["fields".to_owned()],
                ..record(4, None)
            },
        ]
    }

    const TODAY: &str = "2028-02-20";

    #[test]
    fn those_that_end_within_the_days_are_listed() {
        let lines = |days: Option<u32>| -> Vec<u32> {
            let view = View { today: day(TODAY), ending_by: days.map(|days| day(TODAY).plus(days)) };
            view.of(&ledger()).iter().map(|record| record.line).collect()
        };
        assert_eq!(lines(None), [1, 2, 3, 4]);
        assert_eq!(lines(Some(0)), [1]);
        assert_eq!(lines(Some(9)), [1], "the leap day counts");
        assert_eq!(lines(Some(10)), [1, 2]);
        assert_eq!(lines(Some(365)), [1, 2, 3]);
    }

    #[test]
    fn a_person_reads_all_of_it() {
        let view = View { today: day(TODAY), ending_by: None };
        assert_eq!(
            human(&ledger()[1..], view),
            "\
app/jobs.py:2: ignore[fields]
    reason: a counter
    owner: @billing
    until 2028-03-01, in 10 days
    suppresses: missing-created-at on line 2
app/jobs.py:3: ignore[fields]
    reason: a counter
    owner: @billing
    until 2028-03-02, in 11 days
    suppresses: missing-created-at on line 3
app/jobs.py:4: ignore[fields]
    reason: no reason given
    suppresses: nothing
    matches nothing: fields
3 suppressions: 0 expired, 1 without a reason, 1 with ids that match nothing
"
        );
        let term = |until| view.term(&record(1, Some(until))).expect("a term");
        assert_eq!(term("2028-02-20"), "until 2028-02-20, which is today");
        assert_eq!(term("2028-02-21"), "until 2028-02-21, which is tomorrow");
        assert_eq!(term("2027-02-20"), "until 2027-02-20, which is over for 365 days");
        let soon = View { ending_by: Some(day("2028-03-01")), ..view };
        assert!(human(&ledger(), soon).ends_with(
            "2 of 4 suppressions end by 2028-03-01: 1 expired, 0 without a reason, 0 with ids that match nothing\n"
        ));
    }

    #[test]
    fn a_program_reads_all_of_it() {
        let view = View { today: day(TODAY), ending_by: None };
        let document: Value = serde_json::from_str(&super::json(&ledger(), view)).expect("JSON");
        let first = &document["suppressions"][0];
        assert_eq!((&first["days_left"], &first["expired"]), (&json!(-1), &json!(true)));
        assert_eq!(first["matches"][0]["rule"], "missing-created-at");
        assert_eq!(document["suppressions"][3]["days_left"], Value::Null);
        assert_eq!(document["today"], TODAY);
    }

    #[test]
    fn what_a_comment_says_is_text() {
        let evil = "x|y\n# h\u{1b}[31m<b>`](z)";
        let mut hostile = record(1, None);
        hostile.reason = Some(evil.to_owned());
        hostile.owner = Some(evil.to_owned());
        hostile.path = evil.to_owned();
        hostile.ids = vec![evil.to_owned()];
        let view = View { today: day(TODAY), ending_by: None };
        let text = render_markdown(&[hostile.clone()], view);
        let row = text.lines().last().expect("a row");
        assert!(row.starts_with("| ") && row.ends_with(" |"), "{text}");
        assert!(
            !text.contains('\u{1b}') && row.contains("x\\|y \\# h") && row.contains("&lt;b&gt;"),
            "{text}"
        );
        assert!(!human(&[hostile], view).contains('\u{1b}'));
    }
}
