//! rulebook: a stand-in with the names of the rules only, until the real one takes its place.

use crate::finding::Severity;

/// All rules of a run.
pub struct Rulebook {
    /// The rules, sorted by id.
    pub rules: Vec<Rule>,
}

/// A rule, as far as the command line shows it.
pub struct Rule {
    /// Its id.
    pub id: String,
    /// What it is about, in one sentence.
    pub summary: String,
    /// Its pack.
    pub pack: String,
    /// How heavy its findings are.
    pub severity: Severity,
    /// Its page.
    pub page: String,
}

impl Rulebook {
    /// The rules that are part of the program.
    pub fn built_in() -> Rulebook {
        let pages = [
            ("hard-delete", include_str!("../rules/hard-delete.md")),
            ("missing-created-at", include_str!("../rules/missing-created-at.md")),
            ("missing-rollback", include_str!("../rules/missing-rollback.md")),
        ];
        let rules = pages.map(|(id, page)| Rule {
            id: id.to_owned(),
            summary: page.lines().nth(2).unwrap_or_default().to_owned(),
            pack: page
                .split("pack = \"")
                .nth(1)
                .and_then(|rest| rest.split('"').next())
                .unwrap_or_default()
                .to_owned(),
            severity: if page.contains("severity = \"review\"") { Severity::Review } else { Severity::Error },
            page: page.to_owned(),
        });
        Rulebook { rules: rules.into() }
    }

    /// The rule with this id.
    pub fn get(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == id)
    }
}
