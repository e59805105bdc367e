//! digest: short names for what a report was made of and what it says, so that anybody can see whether they still hold.
//!
//! Each is SHA-256 over parts with their lengths before them, so that no two lists of parts run into each other.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::finding::{FileReport, Gap, Scan};
use crate::rulebook::Rulebook;

/// The digest of the files of a scan: the path and the bytes of each, and what could not be read.
pub fn tree(scan: &Scan, unread: &[Gap]) -> String {
    let mut parts = Parts::default();
    for file in scan.files.iter().filter(|file| !is_baseline(scan, file)) {
        parts.file(file);
    }
    parts.text("unread");
    parts.gaps(unread);
    parts.digest()
}

/// The digest of the configuration in force: what each file says and where it lies, what the command line asks for, and
/// what the baseline accepts.
pub fn configuration(
    scan: &Scan,
    said: &BTreeMap<String, &str>,
    select: &[String],
    ignore: &[String],
) -> String {
    let mut parts = Parts::default();
    for (path, text) in said {
        parts.text(path);
        parts.text(text);
    }
    for (what, words) in [("select", select), ("ignore", ignore)] {
        parts.text(what);
        words.iter().for_each(|word| parts.text(word));
    }
    scan.files.iter().filter(|file| is_baseline(scan, file)).for_each(|file| parts.file(file));
    parts.digest()
}

/// The digest of the rules: their pages.
pub fn rules(rulebook: &Rulebook) -> String {
    let mut parts = Parts::default();
    for rule in &rulebook.rules {
        parts.text(&rule.id);
        parts.text(&rule.page);
    }
    parts.digest()
}

/// The digest of what was found: every write and how its duties stand, every finding and every gap.
pub fn findings(scan: &Scan) -> String {
    let mut parts = Parts::default();
    for file in &scan.files {
        let path = file.source.display_path();
        for write in &file.writes {
            parts.text(&path);
            parts.text(write.operation.word());
            parts.text(&write.entity);
            parts.text(&write.function);
            parts.number(file.source.line(write.span.start));
            for (duty, standing) in &write.duties {
                parts.text(duty.word());
                parts.text(standing.word());
            }
        }
        for finding in &file.findings {
            parts.text(&path);
            parts.text(&finding.rule);
            parts.text(finding.severity.word());
            parts.text(&finding.message);
            parts.text(&finding.fingerprint);
            parts.number(finding.place.span.start);
            parts.number(finding.place.span.end);
            parts.text(match (&finding.suppressed, finding.baselined) {
                (Some(_), _) => "suppressed",
                (None, true) => "baselined",
                (None, false) => "open",
            });
        }
    }
    parts.text("gaps");
    parts.gaps(&scan.gaps);
    parts.digest()
}

/// The digest of a text, whatever its line ends are.
pub fn text(text: &str) -> String {
    let mut parts = Parts::default();
    text.lines().for_each(|line| parts.text(line));
    parts.digest()
}

/// The SHA-256 of some bytes in base 64, as a content security policy names a script or a style.
pub fn base64(bytes: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let hash = Sha256::digest(bytes.as_bytes());
    let mut out = String::new();
    for three in hash.chunks(3) {
        let given = [three[0], three.get(1).copied().unwrap_or(0), three.get(2).copied().unwrap_or(0)];
        let bits = given.iter().fold(0_u32, |bits, &byte| (bits << 8) | u32::from(byte));
        for at in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * at) & 63) as usize];
            out.push(if at <= three.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

/// Whether a file is the baseline, which is not scanned although findings may be about it.
fn is_baseline(scan: &Scan, file: &FileReport) -> bool {
    scan.baseline.as_ref().is_some_and(|held| held.path == file.source.display_path())
}

/// Parts that are being hashed one after the other.
#[derive(Default)]
struct Parts(Sha256);

impl Parts {
    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    fn file(&mut self, file: &FileReport) {
        self.text(&file.source.display_path());
        match file.source.bytes() {
            Some(bytes) => self.bytes(&bytes),
            None => self.text(&file.source.text),
        }
    }

    fn number(&mut self, number: u32) {
        self.0.update(number.to_le_bytes());
    }

    fn gaps(&mut self, gaps: &[Gap]) {
        for gap in gaps {
            self.text(&gap.path);
            self.number(gap.line.unwrap_or(0));
            self.text(&gap.reason);
        }
    }

    fn digest(self) -> String {
        let hex: String = self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("sha256:{hex}")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::finding::Comparison;
    use crate::source::{Language, Source};

    fn scan(files: &[(&str, &str)]) -> Scan {
        let file = |(path, text): &(&str, &str)| FileReport {
            source: Arc::new(Source::of_text(*path, Language::Python, *text)),
            writes: Vec::new(),
            guards: Vec::new(),
            findings: Vec::new(),
            changes: Vec::new(),
        };
        Scan { files: files.iter().map(file).collect(), ..Scan::default() }
    }

    fn gap(line: Option<u32>) -> Gap {
        Gap { path: "a.py".into(), line, reason: "syntax error".into() }
    }

    #[test]
    fn a_tree_is_its_paths_its_bytes_and_what_was_unread() {
        let of = |files: &[(&str, &str)]| tree(&scan(files), &[]);
        let one = of(&[("a.py", "x = 1\n")]);
        assert_eq!(one, of(&[("a.py", "x = 1\n")]));
        assert_eq!(one.len(), "sha256:".len() + 64);
        for other in [
            of(&[("a.py", "x = 2\n")]),
            of(&[("b.py", "x = 1\n")]),
            of(&[("a.py", "x = 1\n"), ("b.py", "")]),
            // Parts do not run into each other.
            of(&[("a.pyx", " = 1\n")]),
            tree(&scan(&[("a.py", "x = 1\n")]), &[gap(None)]),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn a_configuration_is_what_is_said_where_and_what_is_asked_for() {
        let said = BTreeMap::from([("trailcheck.toml".to_owned(), "audit = 'mandatory'")]);
        let word = ["fields".to_owned()];
        let none = scan(&[("a.py", "")]);
        let baseline = Comparison { path: "b.json".into(), ..Comparison::default() };
        let held = Scan { baseline: Some(baseline), ..scan(&[("a.py", ""), ("b.json", "{}")]) };
        assert_eq!(tree(&none, &[]), tree(&held, &[]), "a baseline is no part of the tree");
        let all = [
            configuration(&none, &BTreeMap::new(), &[], &[]),
            configuration(&none, &said, &[], &[]),
            configuration(&none, &said, &word, &[]),
            configuration(&none, &said, &[], &word),
            configuration(&held, &said, &[], &word),
        ];
        let once: std::collections::BTreeSet<&String> = all.iter().collect();
        assert_eq!(once.len(), all.len());
    }

    #[test]
    fn findings_hold_their_gaps_too() {
        let mut scan = scan(&[("a.py", "")]);
        let before = findings(&scan);
        scan.gaps.push(gap(Some(3)));
        assert_ne!(before, findings(&scan));
    }

    #[test]
    fn line_ends_do_not_change_a_text() {
        assert_eq!(text("a\r\nb\r\n"), text("a\nb\n"));
        assert_ne!(text("a\nb"), text("ab"));
    }

    #[test]
    fn a_hash_in_base_64_is_what_browsers_expect() {
        assert_eq!(base64(""), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
        assert_eq!(base64("abc"), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
    }
}
