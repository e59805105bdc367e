//! small/mended: sources that a test writes down, mended under some rules or all, without any configuration.

use std::sync::Arc;

use trailcheck::config::{Configuration, Names, RuleName, Selection, Selectors};
use trailcheck::finding::Safety;
use trailcheck::fix::Mended;
use trailcheck::rule::Rule;
use trailcheck::rulebook::Rulebook;
use trailcheck::scan::{Request, mend};
use trailcheck::source::Source;
use trailcheck::walk::Walked;

/// What mending makes of the sources under the rules of these ids, or under all where none is named.
pub(crate) fn mended<'a>(
    sources: Vec<Arc<Source>>,
    only: impl IntoIterator<Item = &'a str>,
    most: Safety,
) -> Mended {
    let rulebook = Rulebook::built_in();
    let name = |rule: &Rule| RuleName { id: rule.id.clone(), pack: rule.pack.clone(), ..RuleName::default() };
    let names = Names { rules: rulebook.rules.iter().map(name).collect() };
    let select = Selectors::parse(only, &names).expect("the rules are known");
    let walked = Walked { sources, ..Walked::default() };
    let selection = Selection::new(select, Selectors::default());
    let configuration = &Configuration::default();
    mend(Request { selection, ..Request::new(walked, configuration, &rulebook, "2026-01-15") }, most)
}
