//! rule: one rule as its page says it: what it looks for, how much that weighs, how it is said.
//!
//! A rule knows the vocabulary and nothing of source text: it is asked about an [`Observation`] and answers with its
//! page's words. How a page becomes a rule is in [`page`].

use crate::finding::{Safety, Severity};
use crate::rule::wording::Wording;
use crate::vocabulary::Observation;

pub mod page;
pub mod wording;

/// One rule, read from one page.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name everywhere: the page's stem and heading, the word in suppressions and configuration.
    pub id: String,
    /// What it is about, in one sentence.
    pub summary: String,
    /// The pack it is selected with.
    pub pack: String,
    /// How much a finding weighs unless something makes it lighter.
    pub severity: Severity,
    /// The files it speaks about.
    pub scope: Scope,
    /// What it looks for.
    pub find: Conditions,
    /// What silences it; one table that matches is enough.
    pub unless: Vec<Conditions>,
    /// What leaves the decision to a person; one table that matches is enough.
    pub review: Vec<Conditions>,
    /// What is wrong.
    pub message: Wording,
    /// What to do.
    pub help: Wording,
    /// The remedies that mend it, best first, each with how far it can be trusted.
    pub remedies: Vec<(Safety, &'static str)>,
    /// The whole page.
    pub page: String,
    /// The page's examples, in its order.
    pub examples: Vec<Example>,
}

impl Rule {
    /// Whether the rule has something to say about what was seen.
    pub fn matches(&self, seen: &Observation) -> bool {
        self.find.hold_for(seen) && !self.unless.iter().any(|table| table.hold_for(seen))
    }

    /// Whether the page leaves what was seen to a person.
    pub fn asks_for_review(&self, seen: &Observation) -> bool {
        self.review.iter().any(|table| table.hold_for(seen))
    }
}

/// The files a rule speaks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All of them.
    Everywhere,
    /// Code that serves: tests, migrations, seeds, fixtures and scripts are out.
    Service,
}

/// One table of a page: words, and for each the values it accepts. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conditions(pub Vec<Condition>);

impl Conditions {
    /// Whether every word was seen with one of its accepted values.
    pub fn hold_for(&self, seen: &Observation) -> bool {
        self.0.iter().all(|condition| {
            let values = seen.words.get(condition.word);
            values.is_some_and(|values| values.iter().any(|value| condition.accepted.contains(value)))
        })
    }

    /// Whether the table names the word at all.
    pub fn mention(&self, word: &str) -> bool {
        self.0.iter().any(|condition| condition.word == word)
    }
}

/// A word of the vocabulary and the values of it that are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The word.
    pub word: &'static str,
    /// One of these must have been seen.
    pub accepted: Vec<&'static str>,
}

/// Which side an example stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It must be found.
    Bad,
    /// Nothing may be found in it.
    Good,
}

/// What an example is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Code that is scanned.
    Code,
    /// A baseline that a scan is held against; its marks are no part of it, since JSON has no comments.
    Baseline,
}

/// A piece of code on a page, which is documentation and test at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// Whether it is to be found.
    pub kind: Kind,
    /// What it is.
    pub form: Form,
    /// The code, marks included.
    pub code: String,
    /// The 1-based line of the page on which the code begins.
    pub first_line: u32,
    /// What must be found, in line order; empty for a good example.
    pub expected: Vec<Expectation>,
    /// What the rule's fixes make of it, where the page shows that.
    pub fixed: Option<String>,
}

/// A mark in an example: these rules, and no others, must find this line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// The 1-based line within the code.
    pub line: u32,
    /// The ids of the rules.
    pub rules: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(words: &[(&'static str, &'static str)]) -> Observation {
        let mut observation = Observation::default();
        for (word, value) in words {
            observation.say(word, value);
        }
        observation
    }

    #[test]
    fn every_word_must_be_seen_with_one_of_its_values() {
        let text = include_str!("../rules/missing-rollback.md");
        let rule = page::read("missing-rollback", text).expect("the page can be read");
        let left = [("catches", "database"), ("session-left", "failed")];
        let with = |words: &[(&'static str, &'static str)]| seen(&[words, &left].concat());
        assert!(rule.matches(&with(&[("handler", "write")])));
        assert!(!rule.matches(&with(&[("handler", "other")])));
        assert!(!rule.matches(&seen(&left)), "a word that was not seen does not match");
        let unused = with(&[("handler", "write"), ("session-after", "unused")]);
        assert!(rule.matches(&unused) && rule.asks_for_review(&unused));
        let silenced = with(&[("handler", "write"), ("session-after", "unused"), ("failed-by", "read")]);
        assert!(!rule.matches(&silenced));
    }
}
