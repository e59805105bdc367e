//! config/select: which rules are on: ids, packs and globs, said on the command line or for some paths.

use globset::{Glob, GlobMatcher};

use crate::nearest::nearest;

/// The rules there are, as far as configuration has to know them.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// One entry a rule.
    pub rules: Vec<RuleName>,
}

/// One rule's names.
#[derive(Clone, Debug, Default)]
pub struct RuleName {
    /// Its id.
    pub id: String,
    /// Its pack.
    pub pack: String,
    /// The keys its `[rules.<id>]` table takes beside `severity`.
    pub keys: Vec<String>,
}

impl Names {
    /// The rule with this id.
    pub fn get(&self, id: &str) -> Option<&RuleName> {
        self.rules.iter().find(|rule| rule.id == id)
    }

    /// All ids.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().map(|rule| rule.id.as_str())
    }

    /// All packs, each once.
    pub fn packs(&self) -> impl Iterator<Item = &str> {
        let mut packs: Vec<&str> = self.rules.iter().map(|rule| rule.pack.as_str()).collect();
        packs.sort_unstable();
        packs.dedup();
        packs.into_iter()
    }
}

/// A word that names no rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownRule {
    /// What was given.
    pub given: String,
    /// What was probably meant.
    pub nearest: Option<String>,
}

impl UnknownRule {
    /// The message, in one line.
    pub fn message(&self) -> String {
        format!("`{}` names no rule and no pack", self.given)
    }

    /// The advice, in one line.
    pub fn help(&self) -> String {
        match &self.nearest {
            Some(name) => format!("did you mean `{name}`?"),
            None => "`trailcheck rules` lists them".to_owned(),
        }
    }
}

/// Some rules, named by id, pack or glob.
#[derive(Clone, Debug, Default)]
pub struct Selectors(Vec<Selector>);

impl Selectors {
    /// Reads words as selectors.
    ///
    /// # Errors
    /// When a word names no rule and no pack: its place in the list, and the word.
    pub fn parse<'a>(
        words: impl IntoIterator<Item = &'a str>,
        names: &Names,
    ) -> Result<Selectors, (usize, UnknownRule)> {
        let read =
            words.into_iter().enumerate().map(|(at, word)| read(word.trim(), names).map_err(|e| (at, e)));
        read.collect::<Result<_, _>>().map(Selectors)
    }

    /// Whether nothing is named.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What they were read from.
    fn words(&self) -> Vec<&str> {
        let word = |selector| match selector {
            &Selector::Id(ref word) | &Selector::Pack(ref word) => word.as_str(),
            Selector::Glob(glob) => glob.glob().glob(),
        };
        self.0.iter().map(word).collect()
    }

    /// Whether the rule is among them.
    pub fn matches(&self, id: &str, pack: &str) -> bool {
        self.closeness(id, pack).is_some()
    }

    /// How closely the rule is named: a pack is wide, a glob closer, an id means just that rule.
    fn closeness(&self, id: &str, pack: &str) -> Option<u8> {
        self.0
            .iter()
            .filter_map(|selector| match selector {
                Selector::Id(known) => (known == id).then_some(2),
                Selector::Glob(glob) => (glob.is_match(id) || glob.is_match(pack)).then_some(1),
                Selector::Pack(known) => (known == pack).then_some(0),
            })
            .max()
    }
}

/// Which rules are on for a run: `--select` narrows, `--ignore` takes away, and the closer name wins between them.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    select: Selectors,
    ignore: Selectors,
}

impl Selection {
    /// The selection that `--select` and `--ignore` make; with nothing selected, every rule is on.
    pub fn new(select: Selectors, ignore: Selectors) -> Selection {
        Selection { select, ignore }
    }

    /// What was said: the words that narrow, and those that take away.
    pub fn said(&self) -> [Vec<&str>; 2] {
        [self.select.words(), self.ignore.words()]
    }

    /// Whether the rule is on.
    pub fn includes(&self, id: &str, pack: &str) -> bool {
        match (self.select.closeness(id, pack), self.ignore.closeness(id, pack)) {
            (Some(select), Some(ignore)) => select > ignore,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (None, None) => self.select.is_empty(),
        }
    }
}

#[derive(Clone, Debug)]
enum Selector {
    Id(String),
    Pack(String),
    Glob(GlobMatcher),
}

fn read(word: &str, names: &Names) -> Result<Selector, UnknownRule> {
    let unknown = || {
        let known = names.ids().chain(names.packs());
        UnknownRule { given: word.to_owned(), nearest: nearest(word, known).map(str::to_owned) }
    };
    if names.get(word).is_some() {
        return Ok(Selector::Id(word.to_owned()));
    }
    if names.packs().any(|pack| pack == word) {
        return Ok(Selector::Pack(word.to_owned()));
    }
    let glob = Glob::new(word).map_err(|_| unknown())?.compile_matcher();
    // A glob that matches nothing is a slip, too; a plain unknown word is a glob of that kind.
    if names.ids().chain(names.packs()).any(|name| glob.is_match(name)) {
        Ok(Selector::Glob(glob))
    } else {
        Err(unknown())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn names() -> Names {
        let rule =
            |id: &str, pack: &str| RuleName { id: id.into(), pack: pack.into(), keys: vec!["exempt".into()] };
        Names {
            rules: vec![
                rule("hard-delete", "fields"),
                rule("missing-created-at", "fields"),
                rule("missing-rollback", "errors"),
            ],
        }
    }

    fn selection(select: &[&str], ignore: &[&str]) -> Selection {
        let parse = |words: &[&str]| Selectors::parse(words.iter().copied(), &names()).expect("known names");
        Selection::new(parse(select), parse(ignore))
    }

    #[test]
    fn the_closer_name_wins() {
        let on = |selection: Selection| -> Vec<String> {
            let names = names();
            names.rules.iter().filter(|r| selection.includes(&r.id, &r.pack)).map(|r| r.id.clone()).collect()
        };
        assert_eq!(on(selection(&[], &[])).len(), 3);
        assert_eq!(on(selection(&["fields"], &[])), ["hard-delete", "missing-created-at"]);
        assert_eq!(on(selection(&["missing-*"], &["fields"])), ["missing-created-at", "missing-rollback"]);
        assert_eq!(on(selection(&["hard-delete"], &["fields"])), ["hard-delete"]);
        assert_eq!(on(selection(&["fields"], &["hard-delete"])), ["missing-created-at"]);
        assert_eq!(on(selection(&[], &["missing-*"])), ["hard-delete"]);
    }

    #[test]
    fn unknown_words_are_told_with_the_nearest_name() {
        let (at, unknown) = Selectors::parse(["fields", "hard-delet"], &names()).unwrap_err();
        assert_eq!((at, unknown.nearest.as_deref()), (1, Some("hard-delete")));
        assert!(Selectors::parse(["nothing-*"], &names()).is_err());
        assert!(Selectors::parse(["a["], &names()).is_err());
    }
}
