//! check/suppression: comments that excuse findings, what they cover, and what is wrong with them.
//!
//! `# trailcheck: ignore[id, pack, glob-*] reason="…" owner=@who until=YYYY-MM-DD`, with `//` in place of `#` where the
//! language has it so. Anything that cannot be read as
//! that is said, never passed over: who wrote it believes that it holds.

use std::ops::Range;

use crate::day::Day;
use crate::facts::Remark;
use crate::finding::{Finding, Matched, Reach, Suppressed, SuppressionRecord};
use crate::remedy::{Act, Deed, Remedy};
use crate::rule::page::nearest;
use crate::rulebook::Rulebook;
use crate::source::{Source, Span};
use crate::vocabulary::Observation;

/// A comment that excuses findings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    /// The comment.
    pub span: Span,
    /// The part of the comment that it is, where others share the comment.
    pub own: Span,
    /// What stands between its brackets.
    pub list: Span,
    /// Where findings must begin to be excused.
    pub covers: Span,
    /// Whether that is the whole file.
    pub reach: Reach,
    /// What it names, in its order.
    pub entries: Vec<Entry>,
    /// How many words stand between its brackets, with those that name nothing.
    pub words: usize,
    /// What it says for itself.
    pub excuse: Suppressed,
}

/// One word between the brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The word as it was written: an id, a pack or a glob.
    pub word: String,
    /// The ids of the rules it names.
    pub rules: Vec<String>,
    /// Whether it excused anything.
    pub is_used: bool,
}

impl Entry {
    /// Whether it excused nothing although all that it names ran.
    fn is_unused(&self, ran: &dyn Fn(&str) -> bool) -> bool {
        !self.is_used && self.rules.iter().all(|id| ran(id))
    }
}

/// What may be wrong with a suppression.
#[derive(Clone, Copy)]
pub(super) enum Verdict<'a> {
    /// It does not say why.
    WithoutReason,
    /// Its last day is over.
    Expired,
    /// It excused nothing, although all the rules that it names ran.
    Unused {
        /// Whether the rule ran on the file; one that did not proves nothing.
        ran: &'a dyn Fn(&str) -> bool,
    },
}

impl Suppression {
    /// All rules it names.
    pub(super) fn rules(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().flat_map(|entry| &entry.rules).map(String::as_str)
    }

    /// The verdict in the words of the vocabulary, where it is true of this suppression.
    pub(super) fn observe(&self, verdict: Verdict<'_>, today: &str) -> Option<Observation> {
        let until = self.excuse.until.as_deref();
        let entries = |of: &dyn Fn(&Entry) -> bool| {
            let words: Vec<&str> = self.entries.iter().filter(|e| of(e)).map(|e| e.word.as_str()).collect();
            words.join(", ")
        };
        let (value, ids) = match verdict {
            Verdict::WithoutReason if self.excuse.reason.is_none() => ("without-reason", entries(&|_| true)),
            Verdict::Expired if until.is_some_and(|until| is_over(until, today)) => {
                ("expired", entries(&|_| true))
            }
            Verdict::Unused { ran } => ("unused", entries(&|entry| entry.is_unused(ran))),
            Verdict::WithoutReason | Verdict::Expired => return None,
        };
        if ids.is_empty() {
            return None;
        }
        let mut observation = Observation { span: self.span, ..Observation::default() };
        if let Verdict::Unused { ran } = verdict {
            observation.remedies.extend(self.without_the_unused(ran));
        }
        observation.say("suppression", value);
        observation.show("ids", ids);
        if let Some(until) = until {
            observation.show("until", until);
        }
        Some(observation)
    }

    /// What the ledger says of it, once all findings of its file are known.
    pub(super) fn record(
        &self,
        source: &Source,
        findings: &[Finding],
        ran: &dyn Fn(&str) -> bool,
        today: &str,
    ) -> SuppressionRecord {
        let line = self.excuse.line;
        let of_this = |finding: &&Finding| finding.suppressed.as_ref().is_some_and(|by| by.line == line);
        let matched = findings.iter().filter(of_this).map(|finding| Matched {
            rule: finding.rule.clone(),
            line: source.line(finding.place.span.start),
            fingerprint: finding.fingerprint.clone(),
        });
        let unused = self.entries.iter().filter(|entry| entry.is_unused(ran));
        SuppressionRecord {
            path: source.display_path(),
            line,
            reach: self.reach,
            ids: self.entries.iter().map(|entry| entry.word.clone()).collect(),
            reason: self.excuse.reason.clone(),
            owner: self.excuse.owner.clone(),
            until: self.excuse.until.clone(),
            is_expired: self.excuse.until.as_deref().is_some_and(|until| is_over(until, today)),
            matched: matched.collect(),
            unused: unused.map(|entry| entry.word.clone()).collect(),
        }
    }

    /// What takes away the comment, or those of its words that are of no use.
    fn without_the_unused(&self, ran: &dyn Fn(&str) -> bool) -> Option<Remedy> {
        let is_unused = |entry: &&Entry| entry.is_unused(ran);
        let unused: Vec<&str> =
            self.entries.iter().filter(is_unused).map(|entry| entry.word.as_str()).collect();
        let deed = if unused.len() < self.entries.len() {
            let kept = self.entries.iter().filter(|entry| !is_unused(entry)).map(|entry| entry.word.as_str());
            Deed::Replace { span: self.list, text: kept.collect::<Vec<_>>().join(", ") }
        } else if self.own.end == self.span.end {
            Deed::DropComment(self.own)
        } else {
            Deed::Replace { span: self.own, text: String::new() }
        };
        let title = format!("Drop the suppression of `{}`", unused.join(", "));
        // The words that are no rules stay where they are, and the comment with them.
        let is_whole = self.words == self.entries.len();
        is_whole.then(|| Remedy::new("without-comment", title, vec![Act { file: 0, deed }]))
    }

    /// Whether a finding of its ids beginning there is excused. What is wrong with the comment itself is found at the
    /// comment, which may stand outside of what it covers.
    fn reaches(&self, finding: &Finding) -> bool {
        let at = finding.place.span.start;
        let holds = |span: Span| span.start <= at && at < span.end;
        (holds(self.covers) || holds(self.span)) && self.rules().any(|id| id == finding.rule)
    }
}

/// Marks the finding as suppressed, where a suppression reaches it. Of several the closest one counts, so that a wide
/// one is not thought to be of use where a narrow one does its work.
pub(super) fn cover(finding: &mut Finding, suppressions: &mut [Suppression]) {
    let closest = suppressions
        .iter_mut()
        .filter(|suppression| suppression.reaches(finding))
        .min_by_key(|suppression| suppression.covers.end.saturating_sub(suppression.covers.start));
    let Some(suppression) = closest else { return };
    for entry in suppression.entries.iter_mut().filter(|entry| entry.rules.contains(&finding.rule)) {
        entry.is_used = true;
    }
    finding.suppressed = Some(suppression.excuse.clone());
}

/// The same without the suppression at that index: none excuses that it is of no use itself.
pub(super) fn cover_by_others(finding: &mut Finding, suppressions: &mut [Suppression], but: usize) {
    let (before, rest) = suppressions.split_at_mut(but);
    cover(finding, before);
    if finding.suppressed.is_none() {
        cover(finding, rest.get_mut(1..).unwrap_or_default());
    }
}

/// Reads a comment on a line: the suppression, if it is one that holds, and in plain words what of it is not heeded.
pub(super) fn read(remark: &Remark, line: u32, rulebook: &Rulebook) -> (Option<Suppression>, Vec<String>) {
    let mut reasons = Vec::new();
    let said = match parse(&remark.text) {
        Ok(Some(said)) => said,
        Ok(None) => return (None, reasons),
        Err(reason) => return (None, vec![format!("suppression not heeded: {reason}")]),
    };
    if said.reach == Reach::File && !remark.at_top {
        reasons.push("suppression not heeded: `ignore-file` holds only before all code of a file".to_owned());
        return (None, reasons);
    }
    let mut entries = Vec::new();
    let words = said.words.len();
    for word in said.words {
        let rules: Vec<String> = rulebook.named(&word).into_iter().map(|rule| rule.id.clone()).collect();
        // The words beside it are whole in themselves and hold.
        if rules.is_empty() {
            let hint =
                rulebook.nearest(&word).map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            reasons.push(format!("suppression not heeded: no rule or pack is named `{word}`{hint}"));
        } else {
            entries.push(Entry { word, rules, is_used: false });
        }
    }
    if entries.is_empty() {
        return (None, reasons);
    }
    let covers = match said.reach {
        Reach::Statement => remark.covers,
        Reach::File => Span { start: 0, end: u32::MAX },
    };
    let within = |range: Range<usize>| {
        let start = remark.span.start as usize;
        Span::new(start + range.start..start + range.end)
    };
    let suppression = Suppression {
        span: remark.span,
        own: within(said.own),
        list: within(said.list),
        covers,
        reach: said.reach,
        entries,
        words,
        excuse: Suppressed { line, ..said.excuse },
    };
    (Some(suppression), reasons)
}

/// Whether a last day is over; dates of this form are ordered as text.
pub(super) fn is_over(until: &str, today: &str) -> bool {
    today > until
}

const FORM: &str = "write `trailcheck: ignore[rule-id] reason=\"…\"`";
const DIRECTIVES: [&str; 2] = ["ignore", "ignore-file"];
const KEYS: [&str; 3] = ["reason", "owner", "until"];

/// A suppression as it was written.
#[derive(Debug)]
struct Said {
    reach: Reach,
    words: Vec<String>,
    excuse: Suppressed,
    /// The part of the text that says it.
    own: Range<usize>,
    /// What stands between the brackets.
    list: Range<usize>,
}

/// Reads the text of a comment: none where it does not address trailcheck, the reason where it does so in vain.
fn parse(text: &str) -> Result<Option<Said>, String> {
    // A comment in `/* … */` goes on in other lines, which say something else.
    let Some(inner) = text.strip_prefix("/*").map(|inner| inner.strip_suffix("*/").unwrap_or(inner)) else {
        return parse_line(text);
    };
    let mut at = 2;
    for line in inner.split_inclusive('\n') {
        // With the mark of the comment, which a line of its own does without.
        if let Some(mut said) = parse_line(&format!("//{line}"))? {
            let place = |range: Range<usize>| range.start.max(2) + at - 2..range.end + at - 2;
            (said.own, said.list) = (place(said.own), place(said.list));
            // What says nothing else goes as a whole.
            let rest = [&text[2..said.own.start], &text[said.own.end..]].concat();
            if rest.chars().all(|c| c.is_whitespace() || matches!(c, '*' | '/')) {
                said.own = 0..text.len();
            }
            return Ok(Some(said));
        }
        at += line.len();
    }
    Ok(None)
}

/// The same for a comment, or a part of one, that is a single line.
fn parse_line(text: &str) -> Result<Option<Said>, String> {
    let Some((begins, rest)) = addressed(text)? else { return Ok(None) };
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_').unwrap_or(rest.len());
    let (directive, rest) = rest.split_at(end);
    let reach = match directive {
        "ignore" => Reach::Statement,
        "ignore-file" => Reach::File,
        "" => return Err(format!("nothing is asked; {FORM}")),
        other => return Err(format!("there is no `{other}`{}", did_you_mean(other, &DIRECTIVES))),
    };
    let Some(rest) = rest.trim_start().strip_prefix('[') else {
        return Err(format!("it names no rules; {FORM}"));
    };
    let opens = text.len() - rest.len();
    let Some((words, rest)) = rest.split_once(']') else {
        return Err("nothing closes the `[`".to_owned());
    };
    let list = opens..opens + words.len();
    let words: Vec<String> =
        words.split(',').map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect();
    if words.is_empty() {
        return Err(format!("it names no rules; {FORM}"));
    }
    let (excuse, behind) = excuse(rest)?;
    let own = begins..text.len() - behind.len();
    Ok(Some(Said { reach, words, excuse, own, list }))
}

/// What stands behind `trailcheck:` in a comment, which may itself stand behind another one, as in `# noqa # …`; and where
/// in the text that comment begins.
fn addressed(text: &str) -> Result<Option<(usize, &str)>, String> {
    const NAME: &str = "trailcheck";
    for (at, _) in text.char_indices().filter(|&(_, c)| c == '#' || c == '/') {
        let behind = text[at..].trim_start_matches(['#', '/', '!', '*', ' ', '\t']);
        let Some(name) = behind.get(..NAME.len()).filter(|name| name.eq_ignore_ascii_case(NAME)) else {
            continue;
        };
        let rest = behind[NAME.len()..].trim_start();
        match rest.strip_prefix(':') {
            Some(rest) if name == NAME => return Ok(Some((at, rest.trim_start()))),
            Some(_) => return Err(format!("`{name}` is written `{NAME}`")),
            // Without the colon it is prose about trailcheck, unless it goes on like a suppression.
            None if rest.starts_with("ignore") => return Err(format!("a colon is missing; {FORM}")),
            None => {}
        }
    }
    Ok(None)
}

/// The `key=value` pairs behind the brackets, up to the end or to the next comment; and that comment.
fn excuse(mut rest: &str) -> Result<(Suppressed, &str), String> {
    let mut excuse = Suppressed::default();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() || rest.starts_with('#') || rest.starts_with("//") {
            return Ok((excuse, rest));
        }
        let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        let (key, behind) = rest.split_at(end);
        let slot = match key {
            "reason" => &mut excuse.reason,
            "owner" => &mut excuse.owner,
            "until" => &mut excuse.until,
            other => return Err(format!("there is no key `{other}`{}", stray(other, behind))),
        };
        let Some(behind) = behind.strip_prefix('=') else {
            return Err(format!("`{key}` has no value: `{key}=…`"));
        };
        let (value, behind) = value(key, behind)?;
        if slot.is_some() {
            return Err(format!("`{key}` is given twice"));
        }
        if key == "until" && Day::parse(&value).is_none() {
            return Err(format!("`{value}` is no day of the calendar; write it as YYYY-MM-DD"));
        }
        // An empty reason is none; that is said elsewhere.
        if !value.trim().is_empty() {
            *slot = Some(value);
        }
        rest = behind;
    }
}

/// A value in quotes, or up to the next blank; and what stands behind it.
fn value<'t>(key: &str, text: &'t str) -> Result<(String, &'t str), String> {
    let Some(quote) = text.chars().next().filter(|&c| c == '"' || c == '\'') else {
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        return Ok((text[..end].to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            _ if c == quote => return Ok((value, &text[at + 1..])),
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            _ => value.push(c),
        }
    }
    Err(format!("nothing closes the quote of `{key}`"))
}

/// A word that is no key: a mistyped one, or the second word of a reason that wants quotes.
fn stray(word: &str, behind: &str) -> String {
    if behind.starts_with('=') {
        did_you_mean(word, &KEYS)
    } else {
        "; a value of several words stands in quotes".to_owned()
    }
}

fn did_you_mean(word: &str, known: &[&str]) -> String {
    nearest(word, known.iter().copied()).map_or(String::new(), |near| format!("; did you mean `{near}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excused(text: &str) -> (Vec<String>, Suppressed) {
        let said = parse(text).expect("well formed").expect("a suppression");
        (said.words, said.excuse)
    }

    #[test]
    fn a_suppression_is_read_whole() {
        let (words, excuse) = excused(
            "# trailcheck: ignore[missing-updated-by, fields] reason=\"nightly \\\"counter\\\" # 1\" owner=@billing until=2027-01-31",
        );
        assert_eq!(words, ["missing-updated-by", "fields"]);
        assert_eq!(excuse.reason.as_deref(), Some("nightly \"counter\" # 1"));
        assert_eq!(excuse.owner.as_deref(), Some("@billing"));
        assert_eq!(excuse.until.as_deref(), Some("2027-01-31"));
    }

    #[test]
    fn another_comment_may_stand_before_and_behind() {
        let reason = |text| excused(text).1.reason;
        assert_eq!(reason("# noqa: E501 # trailcheck: ignore[a] reason='b' # finding").as_deref(), Some("b"));
        assert_eq!(reason("// trailcheck: ignore[a] // why not"), None);
        assert_eq!(reason("#trailcheck:ignore [a] reason=\"\""), None);
        assert_eq!(reason("// nolint // trailcheck: ignore[a] reason=b").as_deref(), Some("b"));
        assert_eq!(reason("/* trailcheck: ignore[a] reason=\"b */ c\" */").as_deref(), Some("b */ c"));
        assert!(matches!(parse("# trailcheck found this"), Ok(None)));
        assert!(matches!(parse("# see https://example.org/trailcheck"), Ok(None)));
        assert!(matches!(parse("# é"), Ok(None)));
    }

    #[test]
    fn a_comment_between_marks_is_read_to_its_end() {
        let own = |text: &str| parse(text).expect("well formed").expect("a suppression").own;
        let whole = |text: &str| own(text) == (0..text.len());
        assert!(whole("// trailcheck: ignore[a] reason=\"b\""));
        assert!(whole("/* trailcheck: ignore[a] reason=b */"));
        assert!(whole("/*\n * trailcheck: ignore[a] reason=\"b\"\n */"));
        let shared = "/* why\r\n * trailcheck: ignore[a]\r\n * and how */";
        assert_eq!(&shared[own(shared)], " * trailcheck: ignore[a]\r\n");
        let list = |text: &'static str| &text[parse(text).expect("well formed").expect("a suppression").list];
        assert_eq!(list("/* x\n trailcheck: ignore[a, b] */"), "a, b");
        assert_eq!(list("/* trailcheck: ignore[a, b] */"), "a, b");
        assert!(matches!(parse("/* nothing\n of the kind */"), Ok(None)));
        assert!(parse("/* trailcheck: ignore */").expect_err("no rules").contains("names no rules"));
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let cases = [
            ("# trailcheck: ignore", "names no rules"),
            ("# trailcheck: ignore[]", "names no rules"),
            ("# trailcheck: ignore[ , ]", "names no rules"),
            ("# trailcheck: ignore[a reason=\"b\"", "closes the `[`"),
            ("# trailcheck:", "nothing is asked"),
            ("# trailcheck: ignor[a]", "there is no `ignor`; did you mean `ignore`?"),
            ("# trailcheck: ignore_file[a]", "did you mean `ignore-file`?"),
            ("# trailcheck ignore[a]", "colon is missing"),
            ("# Trailcheck: ignore[a]", "`Trailcheck` is written `trailcheck`"),
            ("# trailcheck: ignore[a] reson=\"b\"", "no key `reson`; did you mean `reason`?"),
            ("# trailcheck: ignore[a] reason=imported rows", "no key `rows`; a value of several words"),
            ("# trailcheck: ignore[a] reason=\"b", "closes the quote of `reason`"),
            ("# trailcheck: ignore[a] reason=\"b\\", "closes the quote of `reason`"),
            ("# trailcheck: ignore[a] reason", "`reason` has no value"),
            ("# trailcheck: ignore[a] owner=@b owner=@c", "`owner` is given twice"),
            ("# trailcheck: ignore[a] until=2025-02-29", "`2025-02-29` is no day"),
        ];
        for (text, part) in cases {
            let reason = parse(text).expect_err(text);
            assert!(reason.contains(part), "{text}: {reason}");
        }
    }
}
