//! rules: the examples on the rule pages, run as tests, and the laws that every page keeps.
//!
//! Each example is scanned together with the little shop of `fixtures/shop` or the clinic of `fixtures/clinic`, under
//! all rules. What it marks must be
//! found; what it does not mark must not be, whichever rule finds it and however little it weighs. A new rule, or a new
//! case of an old one, is a new page or a new fence and nothing here.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use trailcheck::baseline::{self, Ground};
use trailcheck::config::Configuration;
use trailcheck::finding::{FileReport, Scan};
use trailcheck::rule::{Example, Form, Kind, Rule};
use trailcheck::rulebook::Rulebook;
use trailcheck::scan::{Acceptance, Request, scan};
use trailcheck::source::{Language, Source};
use trailcheck::vocabulary::WORDS;
use trailcheck::walk::Walked;

use crate::small::modules::{EXAMPLE, modules, with_package};

/// The day of the scan, so that examples with dates mean the same for ever.
const TODAY: &str = "2026-01-15";

/// Scans an example with its package under all rules, without any configuration. A baseline is held against the package
/// alone.
fn analyze(example: &Example, rulebook: &Rulebook) -> Scan {
    let baseline = match example.form {
        Form::Code => None,
        Form::Baseline => {
            let lines = example.code.lines().map(|line| line.split(" # finding").next().unwrap_or(line));
            let text: String = lines.map(|line| line.to_owned() + "\n").collect();
            let source = Arc::new(Source::of_text(EXAMPLE, Language::Json, text));
            Some(baseline::read(source, Ground::default()).expect("the page's baseline can be read"))
        }
    };
    let sources = match &baseline {
        None => with_package(&example.code),
        Some(_) => modules("shop"),
    };
    let walked = Walked { sources, ..Walked::default() };
    let configuration = &Configuration::default();
    let accepted = baseline.as_ref().map(|baseline| Acceptance { baseline, sees_all: true });
    scan(Request { accepted, ..Request::new(walked, configuration, rulebook, TODAY) })
}

#[test]
fn every_example_is_found_as_it_is_marked() {
    let rulebook = Rulebook::built_in();
    let mut failures = Vec::new();
    for rule in &rulebook.rules {
        for (number, example) in (1..).zip(&rule.examples) {
            let scan = analyze(example, &rulebook);
            let differences = differences(rule, example, &scan);
            failures.extend(differences.into_iter().map(|difference| {
                let side = match example.kind {
                    Kind::Bad => "bad",
                    Kind::Good => "good",
                };
                format!("rules/{}.md, example {number} ({side}), {difference}", rule.id)
            }));
        }
    }
    assert!(failures.is_empty(), "\n{}\n{} in all\n", failures.join("\n"), failures.len());
}

/// Where what was found is not what the example marks, each with its line of the page.
fn differences(rule: &Rule, example: &Example, scan: &Scan) -> Vec<String> {
    let mut differences = Vec::new();
    let mut wanted: Vec<(u32, &str)> = Vec::new();
    for expectation in &example.expected {
        wanted.extend(expectation.rules.iter().map(|id| (expectation.line, id.as_str())));
    }
    let own = |file: &&FileReport| file.source.display_path() == EXAMPLE;
    for file in &scan.files {
        // Suppressed findings stay in a scan, but nobody is asked to do anything about them.
        for finding in file.findings.iter().filter(|finding| finding.suppressed.is_none()) {
            let line = file.source.line(finding.place.span.start);
            let claim = wanted.iter().position(|&claim| own(&file) && claim == (line, finding.rule.as_str()));
            match claim {
                Some(at) => drop(wanted.swap_remove(at)),
                None if own(&file) => {
                    let text = format!("unclaimed {}: {}", finding.rule, finding.message);
                    differences.push((example.first_line + line - 1, line, text));
                }
                None => {
                    let path = file.source.display_path();
                    let text = format!("unclaimed {} in {path}:{line}: {}", finding.rule, finding.message);
                    differences.push((example.first_line, 1, text));
                }
            }
        }
    }
    for (line, id) in wanted {
        differences.push((example.first_line + line - 1, line, format!("missing {id}")));
    }
    for gap in &scan.gaps {
        differences.push((example.first_line, 1, format!("gap in {}: {}", gap.path, gap.reason)));
    }
    differences.sort();
    assert!(
        rule.page.lines().count() >= example.first_line as usize,
        "internal error: an example begins outside of its page"
    );
    let code: Vec<&str> = example.code.lines().collect();
    differences
        .into_iter()
        .map(|(line, code_line, text)| {
            let shown = code.get(code_line as usize - 1).map_or("", |code| code.trim());
            format!("line {line}: {text}\n    {shown}")
        })
        .collect()
}

#[test]
fn a_scan_that_finds_nothing_misses_every_mark() {
    let rulebook = Rulebook::built_in();
    for rule in &rulebook.rules {
        for example in &rule.examples {
            let marks: usize = example.expected.iter().map(|expectation| expectation.rules.len()).sum();
            let differences = differences(rule, example, &Scan::default());
            assert_eq!(differences.len(), marks, "{}: {differences:?}", rule.id);
        }
    }
}

#[test]
fn every_page_of_the_folder_is_in_the_program_and_without_fault() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    let mut pages: Vec<(String, String)> = fs::read_dir(folder)
        .expect("the pages can be listed")
        .map(|entry| {
            let path = entry.expect("the pages can be listed").path();
            let stem = path.file_stem().and_then(|stem| stem.to_str()).expect("a page's name is UTF-8");
            (stem.to_owned(), fs::read_to_string(&path).expect("a page can be read"))
        })
        .collect();
    pages.sort();
    let pages: Vec<(&str, &str)> = pages.iter().map(|(stem, text)| (stem.as_str(), text.as_str())).collect();
    assert_eq!(Rulebook::built_in_pages().collect::<Vec<_>>(), pages);
    let (rulebook, errors) = Rulebook::of_pages(pages.iter().copied());
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert!(errors.is_empty(), "\n{}\n", errors.join("\n"));
    // Reading a page checks its words, values, placeholders and marks, and that its heading is its stem.
    assert_eq!(rulebook.rules.len(), pages.len());
}

#[test]
fn every_page_keeps_the_form() {
    let mut broken = Vec::new();
    for rule in &Rulebook::built_in().rules {
        let mut law = |holds: bool, law: &str| {
            if !holds {
                broken.push(format!("rules/{}.md: {law}", rule.id));
            }
        };
        let has = |kind| rule.examples.iter().any(|example| example.kind == kind);
        law(has(Kind::Bad), "has a bad example");
        law(has(Kind::Good), "has a good example");
        let own = |example: &Example| {
            example.expected.iter().any(|expectation| expectation.rules.contains(&rule.id))
        };
        law(
            rule.examples.iter().filter(|example| example.kind == Kind::Bad).all(own),
            "each bad example is one of this rule",
        );
        let sections: Vec<&str> = rule.page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        law(sections == ["Why", "Bad", "Good"], "the sections are Why, Bad, Good, in this order");
        law(is_one_sentence(&rule.summary), "the summary is one sentence of at most 100 characters");
        law(reads_well(&rule.id), "the id names what is wrong, and reads well behind `ignore`");
        law(!rule.message.template().ends_with('.'), "a message is a clause without a full stop");
        law(rule.help.template().ends_with('.'), "a help line is a sentence");
    }
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

fn is_one_sentence(text: &str) -> bool {
    let begins = text.chars().next().is_some_and(|first| first.is_uppercase() || first == '`');
    let body = text.strip_suffix('.');
    begins
        && text.chars().count() <= 100
        && body.is_some_and(|body| !body.contains([';', '!', '?']) && !body.contains(". "))
}

/// `ignore[no-rollback]` would say the opposite of what is meant.
fn reads_well(id: &str) -> bool {
    let is_kebab = id.split('-').all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase()));
    let against = ["no", "disallow", "require", "ban", "forbid", "prefer", "use", "check"];
    is_kebab && !against.contains(&id.split('-').next().unwrap_or(""))
}

/// Words that no page says yet, each with the reason why it is there all the same.
const NOT_YET_SAID: &[(&str, &str)] = &[];

#[test]
fn every_word_of_the_vocabulary_is_said_by_some_page() {
    let rulebook = Rulebook::built_in();
    let mut said = BTreeSet::new();
    for rule in &rulebook.rules {
        for table in [&rule.find].into_iter().chain(&rule.unless).chain(&rule.review) {
            said.extend(table.0.iter().map(|condition| condition.word));
        }
    }
    for word in WORDS {
        let excused = NOT_YET_SAID.iter().any(|(name, _)| *name == word.name);
        assert!(
            said.contains(word.name) != excused,
            "`{}` is said by a page, or excused; not both",
            word.name
        );
    }
    for (name, reason) in NOT_YET_SAID {
        assert!(WORDS.iter().any(|word| word.name == *name) && !reason.is_empty(), "`{name}` is no word");
    }
}
