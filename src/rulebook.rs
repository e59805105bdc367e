//! rulebook: all rules of a run, sorted by id, and what the words of a selection mean among them.

use std::collections::BTreeSet;

use globset::Glob;

use crate::rule::page::{self, PageError};
use crate::rule::{Rule, page::nearest};

/// The pages that are part of the program: stem and text.
const BUILT_IN: &[(&str, &str)] = &include!(concat!(env!("OUT_DIR"), "/rules.rs"));

/// All rules of a run.
#[derive(Clone, Debug)]
pub struct Rulebook {
    /// The rules, sorted by id.
    pub rules: Vec<Rule>,
}

impl Rulebook {
    /// The rules that are part of the program.
    ///
    /// # Panics
    /// When a page that was built in is faulty; a test sees to it that none is.
    pub fn built_in() -> Rulebook {
        let (rulebook, errors) = Rulebook::of_pages(Rulebook::built_in_pages());
        assert!(errors.is_empty(), "internal error: a built-in page is faulty: {errors:?}");
        rulebook
    }

    /// The pages that are part of the program, as stem and text, for a rulebook of these and a team's own.
    pub fn built_in_pages() -> impl Iterator<Item = (&'static str, &'static str)> {
        BUILT_IN.iter().copied()
    }

    /// The rules of the given pages, each with its stem, and everything that is wrong with those that made none.
    pub fn of_pages<'a>(pages: impl IntoIterator<Item = (&'a str, &'a str)>) -> (Rulebook, Vec<PageError>) {
        let mut rules: Vec<Rule> = Vec::new();
        let mut errors = Vec::new();
        for (stem, text) in pages {
            match page::read(stem, text) {
                Ok(rule) if rules.iter().any(|other| other.id == rule.id) => {
                    errors.push(fault(&rule.id, 1, "another page has this name already".to_owned()));
                }
                Ok(rule) => rules.push(rule),
                Err(faults) => errors.extend(faults),
            }
        }
        rules.sort_by(|a, b| a.id.cmp(&b.id));
        let rulebook = Rulebook { rules };
        rulebook.clashes(&mut errors);
        (rulebook, errors)
    }

    /// The rule with this id.
    pub fn get(&self, id: &str) -> Option<&Rule> {
        let at = self.rules.binary_search_by(|rule| rule.id.as_str().cmp(id)).ok()?;
        Some(&self.rules[at])
    }

    /// All ids, sorted.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().map(|rule| rule.id.as_str())
    }

    /// All packs, sorted.
    pub fn packs(&self) -> Vec<&str> {
        let packs: BTreeSet<&str> = self.rules.iter().map(|rule| rule.pack.as_str()).collect();
        packs.into_iter().collect()
    }

    /// The rules a word of a selection or suppression names: by id, by pack, or by a glob over either. None when it
    /// names nothing.
    pub fn named(&self, word: &str) -> Vec<&Rule> {
        let glob = Glob::new(word).ok().map(|glob| glob.compile_matcher());
        let names = |name: &str| name == word || glob.as_ref().is_some_and(|glob| glob.is_match(name));
        self.rules.iter().filter(|rule| names(&rule.id) || names(&rule.pack)).collect()
    }

    /// The id or pack that is most like a word that names nothing.
    pub fn nearest(&self, word: &str) -> Option<String> {
        nearest(word, self.ids().chain(self.packs()))
    }

    /// What no page can see alone: a name with two meanings, a mark for a rule that is not there.
    fn clashes(&self, errors: &mut Vec<PageError>) {
        for rule in &self.rules {
            if self.get(&rule.pack).is_some() {
                errors.push(fault(&rule.id, 1, format!("the pack `{}` has the name of a rule", rule.pack)));
            }
            for example in &rule.examples {
                for expectation in &example.expected {
                    let line = example.first_line + expectation.line - 1;
                    for id in expectation.rules.iter().filter(|id| self.get(id).is_none()) {
                        let nearest = nearest(id, self.ids());
                        errors
                            .push(PageError { nearest, ..fault(&rule.id, line, format!("no rule `{id}`")) });
                    }
                }
            }
        }
    }
}

fn fault(page: &str, line: u32, reason: String) -> PageError {
    PageError { page: page.to_owned(), line, reason, nearest: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_names_a_rule_a_pack_or_all_that_a_glob_matches() {
        let rulebook = Rulebook::built_in();
        let named = |word| rulebook.named(word).iter().map(|rule| rule.id.as_str()).collect::<Vec<_>>();
        assert_eq!(named("hard-delete"), ["hard-delete"]);
        assert_eq!(named("missing-*-by"), ["missing-created-by", "missing-deleted-by", "missing-updated-by"]);
        assert_eq!(
            named("meta"),
            [
                "expired-suppression",
                "stale-baseline-entry",
                "suppression-without-reason",
                "unused-suppression"
            ]
        );
        assert_eq!(named("*").len(), rulebook.rules.len());
        assert_eq!(named("hard"), [""; 0]);
        assert_eq!(named("[oops"), [""; 0]);
        assert_eq!(rulebook.nearest("hard-delet").as_deref(), Some("hard-delete"));
    }

    #[test]
    fn what_no_page_can_see_alone_is_seen_here() {
        let page = |pack: &str, id: &str| {
            format!(
                "# {id}\n\nA thing.\n\n```toml\npack = \"{pack}\"\nseverity = \"review\"\n[find]\nwrite = \"create\"\n\
                 [say]\nmessage = \"m\"\nhelp = \"h\"\n```\n\n## Bad\n\n```python\nx  # finding: {id}, gone\n```\n"
            )
        };
        let (one, two) = (page("a", "a"), page("b", "two"));
        let (rulebook, errors) = Rulebook::of_pages([("two", two.as_str()), ("a", &one), ("two", &two)]);
        assert_eq!(rulebook.ids().collect::<Vec<_>>(), ["a", "two"]);
        let shown: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "two.md:1: another page has this name already",
                "a.md:1: the pack `a` has the name of a rule",
                "a.md:18: no rule `gone`",
                "two.md:18: no rule `gone`",
            ]
        );
    }
}
