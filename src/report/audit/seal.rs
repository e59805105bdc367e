//! report/audit/seal: the part of a report that is read again to check it: what was asked for, and the digests.
//!
//! It is TOML, shown in the report as it is, so that people see what a machine will hold them to.

use serde::Deserialize;

use crate::digest;
use crate::escape;

/// What a report was made of and what it says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seal {
    /// The version of the program.
    pub trailcheck: String,
    /// The day of the run, by which suppressions run out.
    pub day: String,
    /// What was scanned, as the command line named it.
    pub paths: Vec<String>,
    /// The file the configuration was taken from, where one was named.
    #[serde(default)]
    pub config: Option<String>,
    /// Whether no configuration file was read.
    #[serde(default)]
    pub isolated: bool,
    /// The rules asked for.
    #[serde(default)]
    pub select: Vec<String>,
    /// The rules not wanted.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// The baseline that findings were held against.
    #[serde(default)]
    pub baseline: Option<String>,
    /// The digest of the files.
    pub tree: String,
    /// The digest of the configuration.
    pub configuration: String,
    /// The digest of the rules.
    pub rules: String,
    /// The digest of what was found.
    pub findings: String,
    /// The digest of the report's own text, this line left out.
    #[serde(default)]
    pub text: String,
}

/// How the block of a seal begins in a Markdown report. Nothing that comes from code can begin a line like this.
const IN_MARKDOWN: &str = "```toml\ntrailcheck = ";

/// How it begins in an HTML report, and where no markup that comes from code stands.
const IN_HTML: &str = "<pre id=\"seal\"><code>trailcheck = ";

/// The line of the text's digest begins so.
const TEXT: &str = "\ntext = ";

/// Why a text is no report that can be checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SealError {
    /// It holds no seal.
    Absent,
    /// It holds something like one that cannot be read.
    Broken(String),
}

impl Seal {
    /// The seal as TOML, in lines.
    pub fn to_toml(&self) -> String {
        let list =
            |words: &[String]| words.iter().map(|word| escape::toml(word)).collect::<Vec<_>>().join(", ");
        let mut lines = vec![
            format!("trailcheck = {}", escape::toml(&self.trailcheck)),
            format!("day = {}", escape::toml(&self.day)),
            format!("paths = [{}]", list(&self.paths)),
        ];
        for (key, file) in [("config", &self.config), ("baseline", &self.baseline)] {
            if let Some(file) = file {
                lines.push(format!("{key} = {}", escape::toml(file)));
            }
        }
        if self.isolated {
            lines.push("isolated = true".to_owned());
        }
        for (key, words) in [("select", &self.select), ("ignore", &self.ignore)] {
            if !words.is_empty() {
                lines.push(format!("{key} = [{}]", list(words)));
            }
        }
        for (key, digest) in [
            ("tree", &self.tree),
            ("configuration", &self.configuration),
            ("rules", &self.rules),
            ("findings", &self.findings),
            ("text", &self.text),
        ] {
            lines.push(format!("{key} = {}", escape::toml(digest)));
        }
        lines.join("\n") + "\n"
    }

    /// The seal as a block of a Markdown report.
    pub fn in_markdown(&self) -> String {
        format!("```toml\n{}```\n", self.to_toml())
    }

    /// The seal as a block of an HTML report.
    pub fn in_html(&self) -> String {
        let lines = self.to_toml().lines().map(|line| escape::xml(line) + "\n").collect::<String>();
        format!("<pre id=\"seal\"><code>{lines}</code></pre>\n")
    }

    /// Puts the digest of a report's text into the seal that it holds.
    pub fn close(report: &str) -> String {
        let Some(found) = Found::of(report) else { return report.to_owned() };
        let line = format!("{TEXT}{}", escape::toml(&digest::text(&found.without_text())));
        let line = if found.is_html { TEXT.to_owned() + &escape::xml(&line[TEXT.len()..]) } else { line };
        format!("{}{line}{}", found.before, found.behind)
    }

    /// Reads the seal of a report, in either format.
    ///
    /// # Errors
    /// When there is none that can be read.
    pub fn read(report: &str) -> Result<Seal, SealError> {
        let found = Found::of(report).ok_or(SealError::Absent)?;
        let block = if found.is_html { escape::from_xml(found.block) } else { found.block.to_owned() };
        toml::from_str(&block).map_err(|fault| SealError::Broken(fault.message().to_owned()))
    }

    /// The digest of a report's text as it is now, the line of the digest left out.
    pub fn text_now(report: &str) -> Option<String> {
        Some(digest::text(&Found::of(report)?.without_text()))
    }
}

/// A seal in a report.
struct Found<'r> {
    is_html: bool,
    /// Its TOML, as it stands there.
    block: &'r str,
    /// The report up to the line of the text's digest.
    before: &'r str,
    /// The report behind it.
    behind: &'r str,
}

impl<'r> Found<'r> {
    fn of(report: &'r str) -> Option<Found<'r>> {
        let begins = |mark: &str| match report.starts_with(mark) {
            true => Some(0),
            false => report.find(&format!("\n{mark}")).map(|at| at + 1),
        };
        let (is_html, at, mark, end) = match (begins(IN_MARKDOWN), begins(IN_HTML)) {
            (Some(at), _) => (false, at, IN_MARKDOWN, "\n```"),
            (None, Some(at)) => (true, at, IN_HTML, "\n</code>"),
            (None, None) => return None,
        };
        let start = at + mark.len() - "trailcheck = ".len();
        let end = start + report[start..].find(end)?;
        let block = &report[start..end];
        let text = start + block.find(TEXT)?;
        let after = text + TEXT.len();
        let behind = after + report[after..].find('\n')?;
        Some(Found { is_html, block, before: &report[..text], behind: &report[behind..] })
    }

    fn without_text(&self) -> String {
        format!("{}{}", self.before, self.behind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal() -> Seal {
        Seal {
            trailcheck: "0.1.0".into(),
            day: "2026-01-01".into(),
            paths: vec!["app \"x\" <b>&amp;\\ ```".into(), "é\u{202e}\n".into()],
            config: Some("../it's.toml".into()),
            isolated: false,
            select: vec!["fields".into()],
            ignore: vec!["missing-*".into(), "a,b".into()],
            baseline: Some("b.json".into()),
            tree: "sha256:1".into(),
            configuration: "sha256:2".into(),
            rules: "sha256:3".into(),
            findings: "sha256:4".into(),
            text: String::new(),
        }
    }

    fn markdown() -> String {
        format!("# Report `text = \"\"`\n\n{}\nThe end.\n", seal().in_markdown())
    }

    fn html() -> String {
        format!("<html>\n{}\n</html>\n", seal().in_html())
    }

    #[test]
    fn what_is_written_is_read_again() {
        for report in [markdown(), html()] {
            assert_eq!(Seal::read(&report), Ok(seal()));
        }
    }

    #[test]
    fn a_changed_word_is_seen() {
        for report in [markdown(), html()] {
            let closed = Seal::close(&report);
            let said = Seal::read(&closed).expect("a seal").text;
            assert!(said.starts_with("sha256:"));
            assert_eq!(Seal::text_now(&closed), Some(said.clone()));
            let edited = closed.replace("Report", "report").replace("</html>", "</HTML>");
            assert_ne!(Seal::text_now(&edited), Some(said));
        }
    }

    #[test]
    fn what_is_no_report_is_told() {
        assert_eq!(Seal::read("# Something else\n"), Err(SealError::Absent));
        assert_eq!(Seal::read(""), Err(SealError::Absent));
        assert!(matches!(
            Seal::read("```toml\ntrailcheck = \"0.1.0\"\nday = 3\ntext = \"\"\n```\n"),
            Err(SealError::Broken(_))
        ));
    }
}
