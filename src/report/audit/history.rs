//! report/audit/history: what has changed since an earlier scan, told by the fingerprints of the open findings.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Run;
use crate::finding::Scan;

/// An earlier scan, as its JSON report tells it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Earlier {
    /// What tells it from others, such as the name of its file.
    pub name: String,
    /// Its open findings.
    pub findings: Vec<EarlierFinding>,
    /// Its numbers.
    pub run: Run,
}

/// An open finding of an earlier scan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EarlierFinding {
    /// Its file.
    pub path: String,
    /// The 1-based line it had.
    pub line: u32,
    /// Its rule.
    pub rule: String,
    /// What the rule said.
    pub message: String,
    /// What it is known by.
    pub fingerprint: String,
}

/// What has changed since an earlier scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// What tells the earlier scan from others.
    pub since: String,
    /// By rule: how many are new, fixed and unchanged.
    pub rules: BTreeMap<String, Moved>,
    /// The new ones, in position order.
    pub new: Vec<EarlierFinding>,
    /// Those that are gone, in the order of the earlier scan.
    pub fixed: Vec<EarlierFinding>,
    /// How many are as they were.
    pub unchanged: usize,
}

/// How many findings are new, fixed and unchanged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// They were not there before.
    pub new: usize,
    /// They are not there any more.
    pub fixed: usize,
    /// They were there, and are.
    pub unchanged: usize,
}

impl History {
    /// The rules of which something is new or fixed, by id.
    pub fn moved_rules(&self) -> impl Iterator<Item = (&String, &Moved)> {
        self.rules.iter().filter(|(_, moved)| moved.new + moved.fixed > 0)
    }
}

#[derive(Deserialize)]
struct Document {
    schema_version: u32,
    summary: Summary,
    files: Vec<File>,
    gaps: Vec<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Summary {
    coverage: Option<f64>,
}

#[derive(Deserialize)]
struct File {
    path: String,
    findings: Vec<Finding>,
}

#[derive(Deserialize)]
struct Finding {
    rule: String,
    severity: String,
    message: String,
    fingerprint: String,
    location: Location,
    suppressed: Option<serde::de::IgnoredAny>,
    #[serde(default)]
    baselined: bool,
}

#[derive(Deserialize)]
struct Location {
    line: u32,
}

impl Earlier {
    /// Reads a JSON report.
    ///
    /// # Errors
    /// When the text is none: what is wrong with it.
    pub fn read(name: &str, text: &str) -> Result<Earlier, String> {
        let document: Document =
            serde_json::from_str(text).map_err(|fault| format!("it is no JSON report: {fault}"))?;
        if document.schema_version != 1 {
            return Err(format!(
                "it is a JSON report of version {}, and 1 is known",
                document.schema_version
            ));
        }
        let mut earlier = Earlier { name: name.to_owned(), ..Earlier::default() };
        earlier.run = Run {
            when: name.to_owned(),
            coverage: document.summary.coverage.map(|percent| (percent * 10.0).round().max(0.0) as usize),
            gaps: Some(document.gaps.len()),
            ..Run::default()
        };
        for file in document.files {
            let open = file.findings.into_iter().filter(|one| one.suppressed.is_none() && !one.baselined);
            for finding in open {
                match finding.severity.as_str() {
                    "error" => earlier.run.errors += 1,
                    _ => earlier.run.reviews += 1,
                }
                earlier.findings.push(EarlierFinding {
                    path: file.path.clone(),
                    line: finding.location.line,
                    rule: finding.rule,
                    message: finding.message,
                    fingerprint: finding.fingerprint,
                });
            }
        }
        Ok(earlier)
    }
}

/// Compares a scan with an earlier one. A fingerprint stays when code moves; of several alike, those in the same file
/// are paired first.
pub(super) fn of(scan: &Scan, earlier: &Earlier) -> History {
    let mut here: BTreeMap<&str, BTreeMap<&str, Vec<usize>>> = BTreeMap::new();
    for (at, finding) in earlier.findings.iter().enumerate().rev() {
        here.entry(&finding.path).or_default().entry(&finding.fingerprint).or_default().push(at);
    }
    let mut now: Vec<(EarlierFinding, Option<usize>)> = Vec::new();
    for file in &scan.files {
        let path = file.source.display_path();
        for finding in file.findings.iter().filter(|finding| finding.is_open()) {
            let of_file = here.get_mut(path.as_str());
            let before =
                of_file.and_then(|known| known.get_mut(finding.fingerprint.as_str())).and_then(Vec::pop);
            let finding = EarlierFinding {
                path: path.clone(),
                line: file.source.line(finding.place.span.start),
                rule: finding.rule.clone(),
                message: finding.message.clone(),
                fingerprint: finding.fingerprint.clone(),
            };
            now.push((finding, before));
        }
    }
    let mut anywhere: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (fingerprint, left) in here.values().flatten() {
        anywhere.entry(fingerprint).or_default().extend(left);
    }
    let mut was_met = vec![false; earlier.findings.len()];
    let mut history = History {
        since: earlier.name.clone(),
        rules: BTreeMap::new(),
        new: Vec::new(),
        fixed: Vec::new(),
        unchanged: 0,
    };
    for (finding, before) in now {
        let before = before.or_else(|| anywhere.get_mut(finding.fingerprint.as_str()).and_then(Vec::pop));
        let moved = history.rules.entry(finding.rule.clone()).or_default();
        match before {
            Some(at) => {
                was_met[at] = true;
                moved.unchanged += 1;
                history.unchanged += 1;
            }
            None => {
                moved.new += 1;
                history.new.push(finding);
            }
        }
    }
    for (finding, _) in earlier.findings.iter().zip(&was_met).filter(|(_, met)| !**met) {
        history.rules.entry(finding.rule.clone()).or_default().fixed += 1;
        history.fixed.push(finding.clone());
    }
    history
}
