//! cli/rules: the list of the rules, and the page of one.

use super::{Failure, Outcome, print};
use crate::config::{Names, RuleName};
use crate::nearest::nearest;
use crate::rule::Rule;
use crate::rulebook::Rulebook;

/// Prints the rules as a table.
pub(super) fn list() -> Result<Outcome, Failure> {
    let rulebook = Rulebook::built_in();
    let width =
        |column: fn(&Rule) -> &str| rulebook.rules.iter().map(|rule| column(rule).len()).max().unwrap_or(0);
    let (ids, packs) = (width(|rule| &rule.id), width(|rule| &rule.pack));
    let rows = rulebook.rules.iter().map(|rule| {
        format!("{:<ids$}  {:<packs$}  {:<6}  {}\n", rule.id, rule.pack, rule.severity.word(), rule.summary)
    });
    print(&rows.collect::<String>())?;
    Ok(Outcome::Clean)
}

/// Prints the page of a rule.
pub(super) fn explain(id: &str) -> Result<Outcome, Failure> {
    let rulebook = Rulebook::built_in();
    let Some(rule) = rulebook.get(id) else {
        let help = match nearest(id, rulebook.rules.iter().map(|rule| rule.id.as_str())) {
            Some(id) => format!("did you mean `{id}`?"),
            None => "`trailcheck rules` lists them".to_owned(),
        };
        return Err(Failure::Other(format!("there is no rule `{id}`"), Some(help)));
    };
    print(&rule.page)?;
    Ok(Outcome::Clean)
}

/// The names of the rules, for configuration and selection.
pub(super) fn names(rulebook: &Rulebook) -> Names {
    let name = |rule: &Rule| RuleName {
        id: rule.id.clone(),
        pack: rule.pack.clone(),
        // No rule takes keys of its own yet.
        keys: Vec::new(),
    };
    Names { rules: rulebook.rules.iter().map(name).collect() }
}
