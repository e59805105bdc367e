//! check: what was seen × the rules → findings, with suppressions heeded. It is pure and cannot fail.
//!
//! How a file is configured is asked of a [`Policy`]; which files there are, how they were read and how findings are
//! shown is not known here.

use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::baseline::{self, Baseline, Entry};
use crate::check::suppression::{Suppression, Verdict};
use crate::facts::Remark;
use crate::finding::{Comparison, Finding, Gap, Place, Related, Safety, Severity, SuppressionRecord};
use crate::remedy::Remedy;
use crate::rule::Rule;
use crate::rulebook::Rulebook;
use crate::source::{Source, Span};
use crate::vocabulary::Observation;

pub mod fingerprint;
pub mod suppression;

/// What the configuration says, file by file; files are indices into [`Inputs::sources`].
pub trait Policy: Sync {
    /// How much findings of the rule weigh in this file; none where the rule is off, not selected or out of scope.
    fn severity(&self, file: usize, rule: &Rule) -> Option<Severity>;
    /// What becomes of a duty that only a default covers.
    fn covered(&self, file: usize) -> Covered;
    /// Whether the file is shared ground, where every finding is for a person.
    fn is_protected(&self, file: usize) -> bool;
}

/// What becomes of a duty that only a default covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Covered {
    /// A person decides.
    Review,
    /// It weighs what a missing one weighs.
    Error,
    /// It is fine.
    Allow,
}

/// All that findings are made of.
#[derive(Clone, Copy)]
pub struct Inputs<'a> {
    /// The scanned files.
    pub sources: &'a [Arc<Source>],
    /// What was seen in them, in any order.
    pub observations: &'a [Observation],
    /// The comments that speak to trailcheck, by file.
    pub remarks: &'a [Vec<Remark>],
    /// The rules.
    pub rulebook: &'a Rulebook,
    /// How each file is configured.
    pub policy: &'a dyn Policy,
    /// The day of the scan as `YYYY-MM-DD`.
    pub today: &'a str,
    /// The qualified name of the function around a place, for findings about comments; without it they are said of
    /// `<module>`.
    pub enclosing: Option<&'a (dyn Fn(usize, Span) -> String + Sync)>,
}

/// A baseline that findings are held against.
#[derive(Clone, Copy)]
pub struct Accepted<'a> {
    /// The baseline.
    pub baseline: &'a Baseline,
    /// Whether the scan would have found what an entry accepts, if it were there.
    pub is_in_sight: &'a dyn Fn(&Entry) -> bool,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// The findings, by file, in position order and then by rule; suppressed ones are among them, marked.
    pub findings: Vec<Vec<Finding>>,
    /// The suppressions that are heeded, by file and line.
    pub suppressions: Vec<SuppressionRecord>,
    /// Suppressions that could not be understood and are therefore not heeded, in file order.
    pub notes: Vec<Gap>,
}

/// Checks every file.
pub fn check(inputs: Inputs<'_>) -> Checked {
    let by_word = rules_by_word(inputs.rulebook);
    let mut seen: Vec<Vec<&Observation>> = vec![Vec::new(); inputs.sources.len()];
    for observation in inputs.observations {
        seen[observation.file].push(observation);
    }
    let of_file = |(file, seen): (usize, &Vec<&Observation>)| {
        let desk = Desk { inputs, by_word: &by_word, file };
        let mut notes = Vec::new();
        let (findings, suppressions) = desk.check(seen, &mut notes);
        (findings, suppressions, notes)
    };
    let of_files: Vec<_> = seen.par_iter().enumerate().map(of_file).collect();
    let mut checked = Checked::default();
    for (findings, suppressions, notes) in of_files {
        checked.findings.push(findings);
        checked.suppressions.extend(suppressions);
        checked.notes.extend(notes);
    }
    checked
}

/// Whether what a scan says of a suppression is true on this day, too, given as `YYYY-MM-DD`.
pub fn holds_on(record: &SuppressionRecord, today: &str) -> bool {
    let is_expired = record.until.as_deref().is_some_and(|until| suppression::is_over(until, today));
    is_expired == record.is_expired
}

/// Holds findings, given by file, against a baseline, and checks the baseline itself: its file is the only one of the
/// inputs.
pub fn hold(
    findings: &mut [Vec<Finding>],
    accepted: Accepted<'_>,
    inputs: Inputs<'_>,
) -> (Comparison, Vec<Finding>) {
    let held = baseline::hold(findings, accepted.baseline, accepted.is_in_sight);
    let desk = Desk { inputs, by_word: &rules_by_word(inputs.rulebook), file: 0 };
    let of_baseline = desk.judge_baseline(accepted.baseline, &held);
    (held, of_baseline)
}

/// What the rules ask for, so that nobody looks closer at what none has anything to say about.
pub struct Interest<'a>(RulesByWord<'a>);

impl Interest<'_> {
    /// What the rules of a book ask for.
    pub fn of(rulebook: &Rulebook) -> Interest<'_> {
        Interest(rules_by_word(rulebook))
    }

    /// Whether a rule has something to say about what was seen; all its words must be said.
    pub fn covers(&self, seen: &Observation) -> bool {
        seen.words.keys().filter_map(|word| self.0.get(word)).flatten().any(|rule| rule.matches(seen))
    }
}

type RulesByWord<'a> = FxHashMap<&'static str, Vec<&'a Rule>>;

/// Each rule under one word of its `find`. A rule matches only where all its words were seen, so looking under the
/// words that were seen finds every rule that could match, each once.
fn rules_by_word(rulebook: &Rulebook) -> RulesByWord<'_> {
    let mut rules: RulesByWord<'_> = FxHashMap::default();
    for rule in &rulebook.rules {
        let first = rule.find.0.first().expect("internal error: a page's `find` is never empty");
        rules.entry(first.word).or_default().push(rule);
    }
    rules
}

/// One file being checked.
struct Desk<'a> {
    inputs: Inputs<'a>,
    by_word: &'a RulesByWord<'a>,
    file: usize,
}

impl Desk<'_> {
    fn check(&self, seen: &[&Observation], notes: &mut Vec<Gap>) -> (Vec<Finding>, Vec<SuppressionRecord>) {
        let source = &self.inputs.sources[self.file];
        let mut findings: Vec<Finding> =
            seen.iter().flat_map(|observation| self.judge(observation)).collect();
        put_in_order(&mut findings);
        let remarks = self.inputs.remarks.get(self.file).map_or(&[][..], Vec::as_slice);
        let mut suppressions = Vec::new();
        for remark in remarks {
            let line = source.line(remark.span.start);
            let (suppression, reasons) = suppression::read(remark, line, self.inputs.rulebook);
            suppressions.extend(suppression);
            let gap = |reason| Gap { path: source.display_path(), line: Some(line), reason };
            notes.extend(reasons.into_iter().map(gap));
        }
        suppressions.sort_by_key(|suppression| suppression.span);
        for finding in &mut findings {
            suppression::cover(finding, &mut suppressions);
        }
        findings.extend(self.judge_suppressions(&mut suppressions));
        put_in_order(&mut findings);
        fingerprint::sign(&mut findings);
        let record = |suppression: &Suppression| {
            suppression.record(source, &findings, &|id| self.runs(id), self.inputs.today)
        };
        let records = suppressions.iter().map(record).collect();
        (findings, records)
    }

    /// Suppressions are looked at by the same rules as everything else, and may themselves be suppressed.
    fn judge_suppressions(&self, suppressions: &mut [Suppression]) -> Vec<Finding> {
        let mut findings = Vec::new();
        for at in 0..suppressions.len() {
            for verdict in [Verdict::WithoutReason, Verdict::Expired] {
                let Some(observation) = suppressions[at].observe(verdict, self.inputs.today) else {
                    continue;
                };
                for mut finding in self.judge(&self.placed(observation)) {
                    suppression::cover(&mut finding, suppressions);
                    findings.push(finding);
                }
            }
        }
        // Those that name a rule about suppressions may yet be used by a finding of this very loop: they come last.
        let mut order: Vec<usize> = (0..suppressions.len()).collect();
        order.sort_by_key(|&at| self.speaks_of_suppressions(&suppressions[at]));
        for at in order {
            let verdict = Verdict::Unused { ran: &|id| self.runs(id) };
            let Some(observation) = suppressions[at].observe(verdict, self.inputs.today) else { continue };
            for mut finding in self.judge(&self.placed(observation)) {
                suppression::cover_by_others(&mut finding, suppressions, at);
                findings.push(finding);
            }
        }
        findings
    }

    /// Entries that accept more than is there are looked at by the same rules, too.
    fn judge_baseline(&self, baseline: &Baseline, held: &Comparison) -> Vec<Finding> {
        let mut findings = Vec::new();
        for &(at, left) in &held.gone {
            let entry = &baseline.entries[at];
            let mut seen = Observation { file: self.file, span: entry.span, ..Observation::default() };
            seen.function = "<module>".to_owned();
            seen.say("baseline", "stale");
            seen.show("ids", entry.rule.as_str());
            seen.show("accepted", surplus(entry, left));
            findings.extend(self.judge(&seen));
        }
        put_in_order(&mut findings);
        fingerprint::sign(&mut findings);
        findings
    }

    fn placed(&self, mut observation: Observation) -> Observation {
        observation.file = self.file;
        for act in observation.remedies.iter_mut().flat_map(|remedy| &mut remedy.acts) {
            act.file = self.file;
        }
        observation.function = match self.inputs.enclosing {
            Some(enclosing) => enclosing(self.file, observation.span),
            None => "<module>".to_owned(),
        };
        observation
    }

    /// What the rules say to one observation.
    fn judge(&self, seen: &Observation) -> Vec<Finding> {
        let candidates = seen.words.keys().filter_map(|word| self.by_word.get(word)).flatten();
        candidates
            .filter(|rule| rule.matches(seen))
            .filter_map(|rule| Some(self.finding(rule, self.weight(rule, seen)?, seen)))
            .collect()
    }

    fn weight(&self, rule: &Rule, seen: &Observation) -> Option<Severity> {
        let policy = self.inputs.policy;
        let full = policy.severity(self.file, rule)?;
        let of_state = |state: &&str| match *state {
            "unknown" => Some(Severity::Review),
            "covered" => match policy.covered(self.file) {
                Covered::Allow => None,
                Covered::Review => Some(Severity::Review),
                Covered::Error => Some(full),
            },
            _ => Some(full),
        };
        let weight = match seen.words.get("state") {
            Some(states) => states.iter().filter_map(of_state).max()?,
            None => full,
        };
        let is_for_review = rule.asks_for_review(seen) || policy.is_protected(self.file);
        Some(if is_for_review { Severity::Review } else { weight })
    }

    fn finding(&self, rule: &Rule, severity: Severity, seen: &Observation) -> Finding {
        let place = |file: usize, span| Place { source: Arc::clone(&self.inputs.sources[file]), span };
        Finding {
            rule: rule.id.clone(),
            pack: rule.pack.clone(),
            severity,
            message: rule.message.with(&seen.texts),
            help: Some(rule.help.with(&seen.texts)),
            function: seen.function.clone(),
            operation: seen.operation,
            entity: seen.entity.clone(),
            place: place(self.file, seen.span),
            related: seen
                .related
                .iter()
                .map(|(message, file, span)| Related { message: message.clone(), place: place(*file, *span) })
                .collect(),
            fingerprint: String::new(),
            suppressed: None,
            baselined: false,
            remedies: remedies(rule, severity, seen),
            fix: None,
            unfixable: seen.hindrance.filter(|_| !rule.remedies.is_empty()).map(str::to_owned),
        }
    }

    fn runs(&self, id: &str) -> bool {
        let rule = self.inputs.rulebook.get(id);
        rule.is_some_and(|rule| self.inputs.policy.severity(self.file, rule).is_some())
    }

    fn speaks_of_suppressions(&self, suppression: &Suppression) -> bool {
        suppression.rules().any(|id| {
            let rule = self.inputs.rulebook.get(id);
            rule.is_some_and(|rule| rule.find.mention("suppression"))
        })
    }
}

/// What an entry accepts and is not there, as a clause.
fn surplus(entry: &Entry, left: u32) -> String {
    let Entry { function, path, count, .. } = entry;
    let place = match function.as_str() {
        "<module>" => format!("in {path}"),
        function => format!("of `{function}` in {path}"),
    };
    match (count, count - left) {
        (1, _) => format!("a finding {place} that is not there any more"),
        (_, 0) => format!("{count} findings {place} that are not there any more"),
        (_, there) => format!(
            "{count} findings {place}, of which only {there} {} there",
            if there == 1 { "is" } else { "are" }
        ),
    }
}

/// What mends it, as the rule trusts it. Where a person must decide, no fix is safe.
fn remedies(rule: &Rule, severity: Severity, seen: &Observation) -> Vec<(Safety, Remedy)> {
    let is_decided = rule.severity == Severity::Review || severity == Severity::Error;
    let trusted = |safety| if is_decided { safety } else { Safety::Unsafe };
    let offered = rule.remedies.iter().flat_map(|&(safety, word)| {
        let of_word = seen.remedies.iter().filter(move |remedy| remedy.word == word);
        of_word.map(move |remedy| (trusted(safety), remedy.clone()))
    });
    offered.collect()
}

/// By position, then rule; of those that say the same at the same place, the heaviest is kept.
fn put_in_order(findings: &mut Vec<Finding>) {
    fn key(finding: &Finding) -> (u32, &str, u32, &str) {
        (finding.place.span.start, &finding.rule, finding.place.span.end, &finding.message)
    }
    findings.sort_by(|a, b| key(a).cmp(&key(b)).then(b.severity.cmp(&a.severity)));
    findings.dedup_by(|b, a| key(a) == key(b));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Reach;
    use crate::source::Language;

    /// Every rule runs with its page's severity, but for the fields given here.
    struct Plain {
        off: &'static str,
        covered: Covered,
        protected: bool,
    }

    impl Policy for Plain {
        fn severity(&self, _: usize, rule: &Rule) -> Option<Severity> {
            (rule.id != self.off).then_some(rule.severity)
        }
        fn covered(&self, _: usize) -> Covered {
            self.covered
        }
        fn is_protected(&self, _: usize) -> bool {
            self.protected
        }
    }

    const PLAIN: Plain = Plain { off: "", covered: Covered::Review, protected: false };

    /// What is found in the text when a creation time of the given state is owed at each `create` in it. Each comment
    /// covers its line, or the next line where it has one of its own.
    fn checked(text: &str, state: &'static str, policy: &Plain) -> (Vec<Finding>, Vec<Gap>) {
        let checked = all_checked(text, state, policy);
        (checked.findings.concat(), checked.notes)
    }

    fn ledger(text: &str) -> Vec<SuppressionRecord> {
        all_checked(text, "missing", &PLAIN).suppressions
    }

    fn all_checked(text: &str, state: &'static str, policy: &Plain) -> Checked {
        let source = Arc::new(Source::of_text("a.py", Language::Python, text));
        let observations: Vec<Observation> = text
            .match_indices("create(")
            .map(|(at, word)| {
                let mut seen = Observation { span: Span::new(at..at + word.len()), ..Observation::default() };
                seen.say("write", "create");
                seen.say("duty", "created-at");
                seen.say("state", state);
                seen.show("function", "f");
                seen.show("doubt", "");
                seen.show("filled", "");
                seen
            })
            .collect();
        let remarks = text.match_indices("# trailcheck").map(|(at, _)| {
            let line = source.line(at as u32);
            let own = source.line_span(line).start == at as u32;
            let covers = source.line_span(if own { line + 1 } else { line });
            let span = Span { start: at as u32, end: source.line_span(line).end };
            let text = source.slice(span).to_owned();
            Remark {
                span,
                text,
                covers: Span { end: span.start.max(covers.end), ..covers },
                at_top: line == 1,
            }
        });
        check(Inputs {
            sources: &[Arc::clone(&source)],
            observations: &observations,
            remarks: &[remarks.collect()],
            rulebook: &Rulebook::built_in(),
            policy,
            today: "2026-01-15",
            enclosing: None,
        })
    }

    /// The findings as `line rule`, suppressed ones in brackets.
    fn found(text: &str) -> Vec<String> {
        let (findings, notes) = checked(text, "missing", &PLAIN);
        assert_eq!(notes, [], "{text}");
        shown(&findings)
    }

    fn shown(findings: &[Finding]) -> Vec<String> {
        let show = |finding: &Finding| {
            let line = finding.place.source.line(finding.place.span.start);
            match finding.suppressed {
                Some(_) => format!("({line} {})", finding.rule),
                None => format!("{line} {}", finding.rule),
            }
        };
        findings.iter().map(show).collect()
    }

    #[test]
    fn the_state_of_a_duty_weighs() {
        let weight = |state, policy: &Plain| checked("create()", state, policy).0.first().map(|f| f.severity);
        let covered = |covered| Plain { covered, ..PLAIN };
        assert_eq!(weight("missing", &PLAIN), Some(Severity::Error));
        assert_eq!(weight("unknown", &PLAIN), Some(Severity::Review));
        assert_eq!(weight("covered", &PLAIN), Some(Severity::Review));
        assert_eq!(weight("covered", &covered(Covered::Error)), Some(Severity::Error));
        assert_eq!(weight("covered", &covered(Covered::Allow)), None);
        assert_eq!(weight("set", &PLAIN), None);
        assert_eq!(weight("missing", &Plain { protected: true, ..PLAIN }), Some(Severity::Review));
        assert_eq!(weight("missing", &Plain { off: "missing-created-at", ..PLAIN }), None);
    }

    #[test]
    fn a_finding_is_worded_and_signed() {
        let (findings, _) = checked("create()\ncreate()", "missing", &PLAIN);
        let [first, second] = &findings[..] else { panic!("two findings: {findings:?}") };
        assert_eq!(first.message, "`f` creates `…` without setting `…`");
        assert_ne!(first.fingerprint, second.fingerprint, "equal ones are told apart");
        let (moved, _) =
            checked("# moved\n\ncreate ()\ncreate()".replace("e (", "e(").as_str(), "missing", &PLAIN);
        assert_eq!(moved[0].fingerprint, first.fingerprint);
        assert_eq!(first.fingerprint.len(), 32);
    }

    #[test]
    fn a_suppression_covers_what_it_stands_at() {
        let ok = "reason=\"r\"";
        assert_eq!(
            found(&format!("create()  # trailcheck: ignore[missing-created-at] {ok}\ncreate()")),
            ["(1 missing-created-at)", "2 missing-created-at"]
        );
        assert_eq!(
            found(&format!("x\n# trailcheck: ignore[fields] {ok}\ncreate()")),
            ["(3 missing-created-at)"]
        );
        assert_eq!(
            found(&format!("# trailcheck: ignore-file[missing-*] {ok}\n\ncreate()\ncreate()")),
            ["(3 missing-created-at)", "(4 missing-created-at)"]
        );
    }

    #[test]
    fn a_suppression_is_looked_at_itself() {
        assert_eq!(
            found("create()  # trailcheck: ignore[missing-created-at]"),
            ["(1 missing-created-at)", "1 suppression-without-reason"]
        );
        assert_eq!(
            found("create()  # trailcheck: ignore[fields] reason=\"r\" until=2026-01-14"),
            ["(1 missing-created-at)", "1 expired-suppression"]
        );
        assert_eq!(
            found("create()  # trailcheck: ignore[fields] reason=\"r\" until=2026-01-15"),
            ["(1 missing-created-at)"],
            "the last day still counts"
        );
        assert_eq!(found("x()  # trailcheck: ignore[fields] reason=\"r\""), ["1 unused-suppression"]);
        let two = "create()  # trailcheck: ignore[missing-created-at, hard-delete] reason=\"r\"";
        let (findings, _) = checked(two, "missing", &PLAIN);
        assert_eq!(shown(&findings), ["(1 missing-created-at)", "1 unused-suppression"]);
        assert_eq!(findings[1].message, "this suppression of `hard-delete` matches no finding");
        assert_eq!(findings[1].function, "<module>");
    }

    #[test]
    fn a_rule_that_did_not_run_proves_nothing() {
        let off = Plain { off: "hard-delete", ..PLAIN };
        for word in ["hard-delete", "fields", "*"] {
            let text = format!("x()  # trailcheck: ignore[{word}] reason=\"r\"");
            assert_eq!(shown(&checked(&text, "missing", &off).0), [""; 0], "{word}");
        }
    }

    #[test]
    fn suppressions_may_be_suppressed_but_not_their_own_uselessness() {
        assert_eq!(
            found("create()  # trailcheck: ignore[missing-created-at, meta]"),
            ["(1 missing-created-at)", "(1 suppression-without-reason)"]
        );
        assert_eq!(
            found("x()  # trailcheck: ignore[unused-suppression] reason=\"r\""),
            ["1 unused-suppression"]
        );
        let by_the_file = "# trailcheck: ignore-file[unused-suppression] reason=\"r\"\n\
                           x()  # trailcheck: ignore[fields] reason=\"r\"";
        assert_eq!(found(by_the_file), ["(2 unused-suppression)"]);
    }

    #[test]
    fn the_closest_suppression_counts() {
        let text = "# trailcheck: ignore-file[fields] reason=\"wide\"\n\
                    create()  # trailcheck: ignore[fields] reason=\"narrow\"";
        let (findings, _) = checked(text, "missing", &PLAIN);
        assert_eq!(shown(&findings), ["1 unused-suppression", "(2 missing-created-at)"]);
        let excuse = findings[1].suppressed.as_ref().and_then(|excuse| excuse.reason.as_deref());
        assert_eq!(excuse, Some("narrow"));
    }

    #[test]
    fn the_ledger_knows_what_each_suppression_did() {
        let text = "create()  # trailcheck: ignore[missing-created-at, hard-delete] reason=\"r\" owner=@o\n\
                    create()  # trailcheck: ignore[missing-*] until=2026-01-14";
        let records = ledger(text);
        let [first, second] = &records[..] else { panic!("two records: {records:?}") };
        assert_eq!((first.path.as_str(), first.line, first.reach), ("a.py", 1, Reach::Statement));
        assert_eq!(first.ids, ["missing-created-at", "hard-delete"]);
        assert_eq!((first.reason.as_deref(), first.owner.as_deref()), (Some("r"), Some("@o")));
        assert_eq!(first.unused, ["hard-delete"]);
        assert!(!first.is_expired && second.is_expired);
        let matched: Vec<_> = second.matched.iter().map(|m| (m.rule.as_str(), m.line)).collect();
        assert_eq!(matched, [("missing-created-at", 2)]);
        let (findings, _) = checked(text, "missing", &PLAIN);
        assert_eq!(
            second.matched[0].fingerprint,
            findings.iter().rfind(|f| f.suppressed.is_some()).expect("one").fingerprint
        );
    }

    #[test]
    fn a_suppression_that_is_not_heeded_is_said() {
        let noted = |text: &str| {
            let (findings, notes) = checked(text, "missing", &PLAIN);
            (shown(&findings), notes.into_iter().map(|n| (n.line, n.reason)).collect::<Vec<_>>())
        };
        let (findings, notes) =
            noted("x\ncreate()  # trailcheck: ignore[missing-create-at, fields] reason=\"r\"");
        assert_eq!(findings, ["(2 missing-created-at)"], "the word that is right holds");
        let reason = "suppression not heeded: no rule or pack is named `missing-create-at`; \
                      did you mean `missing-created-at`?";
        assert_eq!(notes, [(Some(2), reason.to_owned())]);
        let (findings, notes) = noted("x\ncreate()  # trailcheck: ignore-file[fields]");
        assert_eq!((findings.len(), notes.len()), (1, 1));
        let (findings, notes) = noted("create()  # trailcheck: ignore");
        assert_eq!((findings.len(), notes.len()), (1, 1));
    }

    #[test]
    fn the_same_said_twice_is_one_finding() {
        let mut findings = checked("create()", "missing", &PLAIN).0;
        let light = Finding { severity: Severity::Review, ..findings[0].clone() };
        let other = Finding { message: "other".to_owned(), ..findings[0].clone() };
        findings.splice(0..0, [light, other]);
        put_in_order(&mut findings);
        assert_eq!(findings.len(), 2);
        assert_eq!(findings[0].severity, Severity::Error, "the heavier one is kept");
    }
}
