//! rule/page: how a page becomes a rule, or a list of everything that is wrong with it.
//!
//! A page may come from a team's own folder, so each fault is said with its line, in plain words and with the nearest
//! word that would have been understood, and one fault does not hide the next.

use std::fmt;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::finding::{Safety, Severity};
use crate::remedy;
use crate::rule::wording::{Fault, Wording};
use crate::rule::{Condition, Conditions, Example, Expectation, Form, Kind, Rule, Scope};
use crate::vocabulary::{TEXTS, WORDS, Word};
use outline::{Fence, Outline, outline};

mod outline;

/// One thing that is wrong with a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageError {
    /// The page's stem.
    pub page: String,
    /// The 1-based line.
    pub line: u32,
    /// What is wrong.
    pub reason: String,
    /// The nearest word that would have been understood.
    pub nearest: Option<String>,
}

impl fmt::Display for PageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.md:{}: {}", self.page, self.line, self.reason)?;
        match &self.nearest {
            Some(word) => write!(f, "; did you mean `{word}`?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for PageError {}

/// Reads a page whose file has the given stem.
///
/// # Errors
/// Everything that is wrong with it, in line order.
pub fn read(stem: &str, text: &str) -> Result<Rule, Vec<PageError>> {
    let mut reader = Reader { stem, text, errors: Vec::new() };
    let rule = reader.rule();
    reader.errors.sort_by_key(|error| error.line);
    match rule {
        Some(rule) if reader.errors.is_empty() => Ok(rule),
        _ => Err(reader.errors),
    }
}

/// The known word that is most like the given one, where one is like it at all.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    // The distance takes time and room for every pair of letters, and no name is that long.
    if word.len() > 100 {
        return None;
    }
    let scored = known.into_iter().map(|known| (strsim::damerau_levenshtein(word, known), known));
    let (distance, found) = scored.min()?;
    // A third of the letters may be wrong; what differs more is another word, not a slip.
    (distance <= 1.max(word.chars().count() / 3)).then(|| found.to_owned())
}

const KEYS: &[&str] = &["pack", "severity", "scope", "find", "unless", "review", "say", "fix"];
const FIX_KEYS: &[(&str, Safety)] = &[("safe", Safety::Safe), ("unsafe", Safety::Unsafe)];
/// How the fence of a fixed form is marked.
const FIXED: &str = "python fixed";

/// How the fence of a baseline is marked.
const BASELINE: &str = "json baseline";

const SECTIONS: &[&str] = &["Why", "Bad", "Good"];

type Table<'t> = DeTable<'t>;
type Value<'t> = Spanned<DeValue<'t>>;

struct Reader<'p> {
    stem: &'p str,
    text: &'p str,
    errors: Vec<PageError>,
}

/// What a page's table says, once all of it was understood.
#[derive(Default)]
struct Said {
    pack: Option<String>,
    severity: Option<Severity>,
    scope: Option<Scope>,
    find: Option<Conditions>,
    unless: Vec<Conditions>,
    review: Vec<Conditions>,
    message: Option<Wording>,
    help: Option<Wording>,
    remedies: Vec<(Safety, &'static str)>,
}

/// The table's text and the line of the page it begins on, so that a byte offset becomes a line.
#[derive(Clone, Copy)]
struct Body<'b> {
    text: &'b str,
    first_line: u32,
}

impl Body<'_> {
    fn line(self, offset: usize) -> u32 {
        let before = self.text.get(..offset).unwrap_or(self.text);
        self.first_line + before.matches('\n').count() as u32
    }
}

impl Reader<'_> {
    fn rule(&mut self) -> Option<Rule> {
        let parts = outline(self.text);
        let summary = self.opening(&parts);
        let examples = self.examples(&parts);
        let said = self.table(&parts)?;
        Some(Rule {
            id: self.stem.to_owned(),
            summary: summary?,
            pack: said.pack?,
            severity: said.severity?,
            scope: said.scope.unwrap_or(Scope::Everywhere),
            find: said.find?,
            unless: said.unless,
            review: said.review,
            message: said.message?,
            help: said.help?,
            remedies: said.remedies,
            page: self.text.to_owned(),
            examples,
        })
    }

    /// Heading and summary.
    fn opening(&mut self, parts: &Outline) -> Option<String> {
        if !is_kebab(self.stem) {
            self.wrong(1, "a page's name is lower-case words joined by `-`");
        }
        match &parts.heading {
            Some((_, heading)) if heading == self.stem => {}
            Some((line, heading)) => {
                let reason = format!("the heading is `{heading}`, the file's name is `{}`", self.stem);
                self.wrong(*line, reason);
            }
            None => self.wrong(1, format!("the page has no heading `# {}`", self.stem)),
        }
        if parts.summary.is_none() {
            let line = parts.heading.as_ref().map_or(1, |(line, _)| *line);
            self.wrong(line, "no summary stands below the heading");
        }
        parts.summary.as_ref().map(|(_, summary)| summary.clone())
    }

    fn examples(&mut self, parts: &Outline) -> Vec<Example> {
        if let Some(line) = parts.unclosed {
            self.wrong(line, "nothing closes this fence");
        }
        for (line, title) in &parts.sections {
            if !SECTIONS.contains(&title.as_str()) {
                self.unknown(*line, format!("there is no section `{title}`"), title, SECTIONS);
            }
        }
        let mut examples = Vec::new();
        for fence in &parts.fences {
            let kind = match fence.section.map(|section| parts.sections[section].1.as_str()) {
                Some("Bad") => Kind::Bad,
                Some("Good") => Kind::Good,
                _ => continue,
            };
            if fence.info == FIXED {
                match examples.last_mut() {
                    Some(Example { kind: Kind::Bad, fixed: fixed @ None, .. }) => {
                        *fixed = Some(fence.body.clone());
                    }
                    _ => self.wrong(fence.line, "a fixed form stands right behind its bad example"),
                }
                continue;
            }
            let form = match fence.info.as_str() {
                "python" => Form::Code,
                BASELINE => Form::Baseline,
                _ => {
                    self.wrong(fence.line, "an example's fence is marked `python`");
                    Form::Code
                }
            };
            examples.push(self.example(kind, form, fence));
        }
        examples
    }

    fn example(&mut self, kind: Kind, form: Form, fence: &Fence) -> Example {
        let first_line = fence.line + 1;
        let mut expected = Vec::new();
        for (line, code) in (1..).zip(fence.body.lines()) {
            let Some(named) = mark(code) else { continue };
            let rules: Vec<String> = match named {
                "" => vec![self.stem.to_owned()],
                ids => ids.split(',').map(|id| id.trim().to_owned()).collect(),
            };
            if kind == Kind::Good {
                self.wrong(fence.line + line, "a good example marks a finding");
            }
            expected.push(Expectation { line, rules });
        }
        if kind == Kind::Bad && expected.is_empty() {
            self.wrong(fence.line, "a bad example marks nothing with `# finding`");
        }
        Example { kind, form, code: fence.body.clone(), first_line, expected, fixed: None }
    }

    fn table(&mut self, parts: &Outline) -> Option<Said> {
        let mut fences = parts.fences.iter().filter(|fence| fence.info == "toml" && fence.section.is_none());
        let Some(fence) = fences.next() else {
            self.wrong(1, "the page has no `toml` fence before its first section");
            return None;
        };
        if let Some(second) = fences.next() {
            self.wrong(second.line, "a page has one `toml` fence");
        }
        let body = Body { text: &fence.body, first_line: fence.line + 1 };
        let (table, faults) = DeTable::parse_recoverable(&fence.body);
        for fault in &faults {
            let line = body.line(fault.span().map_or(0, |span| span.start));
            self.wrong(line, fault.message());
        }
        // A table that did not parse is full of holes; what they would lead to is not worth saying.
        if !faults.is_empty() {
            return None;
        }
        let said = self.said(table.get_ref(), body);
        for (key, is_there) in [
            ("pack", table.get_ref().contains_key("pack")),
            ("severity", table.get_ref().contains_key("severity")),
            ("[find]", table.get_ref().contains_key("find")),
            ("[say]", table.get_ref().contains_key("say")),
        ] {
            if !is_there {
                self.wrong(fence.line, format!("`{key}` is missing"));
            }
        }
        Some(said)
    }

    fn said(&mut self, table: &Table<'_>, body: Body<'_>) -> Said {
        let mut said = Said::default();
        for (key, value) in table {
            let line = body.line(key.span().start);
            match key.get_ref().as_ref() {
                "pack" => said.pack = self.pack(value, line),
                "severity" => said.severity = self.severity(value, line),
                "scope" => said.scope = self.scope(value, line),
                "find" => said.find = self.find(value, line, body),
                "unless" => said.unless = self.tables(value, line, body),
                "review" => said.review = self.tables(value, line, body),
                "say" => self.say(value, line, body, &mut said),
                "fix" => said.remedies = self.fix(value, line, body),
                other => self.unknown(line, format!("there is no key `{other}`"), other, KEYS),
            }
        }
        said
    }

    fn pack(&mut self, value: &Value<'_>, line: u32) -> Option<String> {
        let pack = value.get_ref().as_str().filter(|pack| is_kebab(pack));
        if pack.is_none() {
            self.wrong(line, "`pack` is a name in quotes: lower-case words joined by `-`");
        }
        pack.map(str::to_owned)
    }

    fn severity(&mut self, value: &Value<'_>, line: u32) -> Option<Severity> {
        let severity = match value.get_ref().as_str() {
            Some("error") => Some(Severity::Error),
            Some("review") => Some(Severity::Review),
            _ => None,
        };
        if severity.is_none() {
            self.wrong(line, "`severity` is \"error\" or \"review\"");
        }
        severity
    }

    fn scope(&mut self, value: &Value<'_>, line: u32) -> Option<Scope> {
        let scope = (value.get_ref().as_str() == Some("service")).then_some(Scope::Service);
        if scope.is_none() {
            self.wrong(line, "`scope` is \"service\", or is left out");
        }
        scope
    }

    fn find(&mut self, value: &Value<'_>, line: u32, body: Body<'_>) -> Option<Conditions> {
        match value.get_ref().as_table() {
            Some(table) => self.conditions(table, line, body),
            None => {
                self.wrong(line, "`find` is a table: `[find]`");
                None
            }
        }
    }

    /// One table, or several of which each counts for itself.
    fn tables(&mut self, value: &Value<'_>, line: u32, body: Body<'_>) -> Vec<Conditions> {
        let tables: Vec<(&Table<'_>, u32)> = match value.get_ref() {
            DeValue::Table(table) => vec![(table, line)],
            DeValue::Array(items) => items
                .iter()
                .filter_map(|item| Some((item.get_ref().as_table()?, body.line(item.span().start))))
                .collect(),
            _ => Vec::new(),
        };
        if tables.is_empty() {
            self.wrong(line, "this is a table, or an array of tables in double brackets");
        }
        tables.into_iter().filter_map(|(table, line)| self.conditions(table, line, body)).collect()
    }

    fn conditions(&mut self, table: &Table<'_>, line: u32, body: Body<'_>) -> Option<Conditions> {
        if table.is_empty() {
            self.wrong(line, "an empty table would match everything");
            return None;
        }
        let mut conditions = Vec::new();
        for (key, value) in table {
            let line = body.line(key.span().start);
            let name = key.get_ref().as_ref();
            match WORDS.iter().find(|word| word.name == name) {
                Some(word) => {
                    conditions
                        .push(Condition { word: word.name, accepted: self.accepted(word, value, line) });
                }
                None => {
                    let known: Vec<&str> = WORDS.iter().map(|word| word.name).collect();
                    self.unknown(line, format!("the vocabulary has no word `{name}`"), name, &known);
                }
            }
        }
        Some(Conditions(conditions))
    }

    fn accepted(&mut self, word: &Word, value: &Value<'_>, line: u32) -> Vec<&'static str> {
        let name = word.name;
        let is_switch = word.values == ["true", "false"];
        let texts: Vec<&str> = match value.get_ref() {
            DeValue::Boolean(on) if is_switch => return vec![if *on { "true" } else { "false" }],
            DeValue::String(text) if !is_switch => vec![text],
            DeValue::Array(items) if !is_switch => {
                let texts: Vec<&str> = items.iter().filter_map(|item| item.get_ref().as_str()).collect();
                if texts.len() == items.len() { texts } else { Vec::new() }
            }
            _ => Vec::new(),
        };
        if texts.is_empty() {
            let reason = match is_switch {
                true => format!("`{name}` is a switch: `true` or `false`, without quotes"),
                false => format!("`{name}` takes a word in quotes, or a list of them"),
            };
            self.wrong(line, reason);
        }
        let mut accepted = Vec::new();
        for text in texts {
            match word.values.iter().find(|known| **known == text) {
                Some(known) => accepted.push(*known),
                None => self.unknown(line, format!("`{name}` is never `{text}`"), text, word.values),
            }
        }
        accepted
    }

    fn say(&mut self, value: &Value<'_>, line: u32, body: Body<'_>, said: &mut Said) {
        let Some(table) = value.get_ref().as_table() else {
            return self.wrong(line, "`say` is a table: `[say]`");
        };
        for (key, value) in table {
            let line = body.line(key.span().start);
            match key.get_ref().as_ref() {
                "message" => said.message = self.wording(value, line),
                "help" => said.help = self.wording(value, line),
                other => {
                    self.unknown(line, format!("there is no key `{other}`"), other, &["message", "help"]);
                }
            }
        }
        for key in ["message", "help"] {
            if !table.contains_key(key) {
                self.wrong(line, format!("`{key}` is missing"));
            }
        }
    }

    fn wording(&mut self, value: &Value<'_>, line: u32) -> Option<Wording> {
        let Some(text) = value.get_ref().as_str().filter(|text| !text.is_empty() && !text.contains('\n'))
        else {
            self.wrong(line, "this is one line of text in quotes");
            return None;
        };
        match Wording::read(text) {
            Ok(wording) => Some(wording),
            Err(Fault::Brace) => {
                self.wrong(line, "a brace stands alone; write `{{` or `}}` for the brace itself");
                None
            }
            Err(Fault::Unknown(name)) => {
                let known: Vec<&str> = TEXTS.iter().map(|(known, _)| *known).collect();
                self.unknown(line, format!("there is no placeholder `{{{name}}}`"), &name, &known);
                None
            }
        }
    }

    /// The remedies a page names; those it calls safe come first.
    fn fix(&mut self, value: &Value<'_>, line: u32, body: Body<'_>) -> Vec<(Safety, &'static str)> {
        let Some(table) = value.get_ref().as_table() else {
            self.wrong(line, "`fix` is a table: `[fix]`");
            return Vec::new();
        };
        let kinds: Vec<&'static str> = remedy::KINDS.iter().map(|kind| kind.word).collect();
        let mut remedies = Vec::new();
        for (key, value) in table {
            let line = body.line(key.span().start);
            let name = key.get_ref().as_ref();
            let Some(&(_, safety)) = FIX_KEYS.iter().find(|(known, _)| *known == name) else {
                let known: Vec<&str> = FIX_KEYS.iter().map(|(known, _)| *known).collect();
                self.unknown(line, format!("no fix is `{name}`"), name, &known);
                continue;
            };
            let Some(items) = value.get_ref().as_array().filter(|items| !items.is_empty()) else {
                self.wrong(line, format!("`{name}` is a list of remedies"));
                continue;
            };
            for item in items {
                let word = item.get_ref().as_str().unwrap_or_default();
                match kinds.iter().find(|known| **known == word) {
                    Some(known) => remedies.push((safety, *known)),
                    None => self.unknown(line, format!("there is no remedy `{word}`"), word, &kinds),
                }
            }
        }
        remedies.sort_by_key(|(safety, _)| *safety);
        remedies
    }

    fn wrong(&mut self, line: u32, reason: impl Into<String>) {
        let page = self.stem.to_owned();
        self.errors.push(PageError { page, line, reason: reason.into(), nearest: None });
    }

    fn unknown(&mut self, line: u32, reason: String, word: &str, known: &[&str]) {
        let page = self.stem.to_owned();
        let nearest = nearest(word, known.iter().copied());
        self.errors.push(PageError { page, line, reason, nearest });
    }
}

/// The ids a `# finding` mark at the end of a line names, unsplit; empty for the page's own rule.
fn mark(code: &str) -> Option<&str> {
    let behind = ["# finding", "// finding"]
        .into_iter()
        .filter_map(|mark| code.rfind(mark).map(|at| code[at + mark.len()..].trim()))
        .next()?;
    if behind.is_empty() { Some(behind) } else { behind.strip_prefix(':').map(str::trim) }
}

/// Lower-case words of letters and digits, joined by single dashes.
fn is_kebab(name: &str) -> bool {
    name.split('-')
        .all(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"# lost-row

A row is lost.

```toml
pack = "fields"
severity = "error"

[find]
write = ["create"]
row-removed = true

[say]
message = "`{entity}` is lost"
help = "Find it."
```

## Bad

```python
x = 1  # finding
y = 2  # finding: lost-row, found-row
z = 3  # findings are many
```
"#;

    /// The faults of the page with one piece of it replaced, as they are shown.
    fn faults(from: &str, to: &str) -> Vec<String> {
        assert!(PAGE.contains(from), "{from}");
        let errors = read("lost-row", &PAGE.replace(from, to)).err().unwrap_or_default();
        errors.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_page_is_read_whole() {
        let rule = read("lost-row", PAGE).expect("the page can be read");
        assert_eq!((rule.summary.as_str(), rule.pack.as_str()), ("A row is lost.", "fields"));
        assert_eq!((rule.severity, rule.scope), (Severity::Error, Scope::Everywhere));
        let [example] = &rule.examples[..] else { panic!("one example") };
        assert_eq!((example.kind, example.first_line), (Kind::Bad, 21));
        let expected: Vec<_> = example.expected.iter().map(|e| (e.line, e.rules.join(" "))).collect();
        assert_eq!(expected, [(1, "lost-row".to_owned()), (2, "lost-row found-row".to_owned())]);
        assert_eq!(
            rule.find.0.iter().map(|c| (c.word, &c.accepted[..])).collect::<Vec<_>>(),
            [("row-removed", &["true"][..]), ("write", &["create"][..])]
        );
    }

    #[test]
    fn tables_may_be_one_or_several() {
        let unless = |more: &str| {
            let rule = read("lost-row", &PAGE.replace("[say]", &format!("{more}\n[say]")));
            rule.map(|rule| rule.unless.len()).map_err(|errors| errors[0].to_string())
        };
        assert_eq!(unless("[unless]\nstate = \"set\""), Ok(1));
        assert_eq!(unless("[[unless]]\nstate = \"set\"\n[[unless]]\nduty = \"created-at\""), Ok(2));
        assert_eq!(
            unless("[[unless]]"),
            Err("lost-row.md:13: an empty table would match everything".to_owned())
        );
    }

    #[test]
    fn faults_have_a_line_and_the_nearest_word() {
        let cases = [
            ("# lost-row", "# lost-rows", "1: the heading is `lost-rows`, the file's name is `lost-row`"),
            ("A row is lost.\n", "", "1: no summary stands below the heading"),
            ("pack = \"fields\"", "", "5: `pack` is missing"),
            ("pack =", "pakc =", "6: there is no key `pakc`; did you mean `pack`?"),
            ("\"error\"", "\"warning\"", "7: `severity` is \"error\" or \"review\""),
            ("write =", "wriet =", "10: the vocabulary has no word `wriet`; did you mean `write`?"),
            ("\"create\"", "\"creates\"", "10: `write` is never `creates`; did you mean `create`?"),
            ("[\"create\"]", "true", "10: `write` takes a word in quotes, or a list of them"),
            ("= true", "= \"true\"", "11: `row-removed` is a switch: `true` or `false`, without quotes"),
            ("{entity}", "{entty}", "14: there is no placeholder `{entty}`; did you mean `entity`?"),
            ("{entity}", "{entity", "14: a brace stands alone; write `{{` or `}}` for the brace itself"),
            ("help =", "hlep =", "15: there is no key `hlep`; did you mean `help`?"),
            ("[say]", "[fix]\nsaef = [\"stamp\"]\n[say]", "14: no fix is `saef`; did you mean `safe`?"),
            ("## Bad", "## Bda", "18: there is no section `Bda`; did you mean `Bad`?"),
            ("```python", "```sql", "20: an example's fence is marked `python`"),
            ("## Bad", "## Good", "21: a good example marks a finding"),
        ];
        for (from, to, expected) in cases {
            let faults = faults(from, to);
            assert!(faults.contains(&format!("lost-row.md:{expected}")), "{to}: {faults:#?}");
        }
        let broken = faults("severity = \"error\"", "severity = ");
        assert!(broken.len() == 1 && broken[0].starts_with("lost-row.md:7: "), "{broken:?}");
    }
}
