//! coverage: which lines a test run has executed, read from the JSON of coverage.py or from lcov.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What a coverage file says, by file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// By the last part of the path, since the file may have been made in another folder.
    by_name: BTreeMap<String, Vec<(String, Lines)>>,
}

/// The lines of one file: whether each that can be executed was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines(BTreeMap<u32, bool>);

/// Reads a text as one of the two formats.
///
/// # Errors
/// When it is neither: what is wrong with it.
pub fn read(text: &str) -> Result<Coverage, String> {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let coverage = if text.starts_with('{') { of_json(text)? } else { of_lcov(text)? };
    if coverage.by_name.is_empty() {
        return Err("it speaks of no file".to_owned());
    }
    Ok(coverage)
}

impl Coverage {
    /// The lines of the file with this path, from the current directory or absolute. Where the two paths do not begin
    /// in the same folder, one must end in the other, and only one file may do so best.
    pub fn of(&self, path: &str) -> Option<&Lines> {
        let parts = parts(path);
        let candidates = self.by_name.get(*parts.last()?)?;
        if let Some((_, lines)) = candidates.iter().find(|(known, _)| known == path) {
            return Some(lines);
        }
        let shared = |known: &str| {
            let known = self::parts(known);
            let same = known.iter().rev().zip(parts.iter().rev()).take_while(|(a, b)| a == b).count();
            (same == known.len().min(parts.len())).then_some(same)
        };
        let scored: Vec<(usize, &Lines)> =
            candidates.iter().filter_map(|(known, lines)| Some((shared(known)?, lines))).collect();
        let best = scored.iter().map(|(same, _)| *same).max()?;
        let mut of_best = scored.iter().filter(|(same, _)| *same == best);
        let found = of_best.next().map(|(_, lines)| *lines);
        found.filter(|_| of_best.next().is_none())
    }

    fn add(&mut self, path: &str, lines: Lines) {
        let path = path.replace('\\', "/");
        let path = path.strip_prefix("./").unwrap_or(&path).to_owned();
        let Some(name) = parts(&path).last().map(|name| (*name).to_owned()) else { return };
        let known = self.by_name.entry(name).or_default();
        match known.iter_mut().find(|(other, _)| *other == path) {
            Some((_, before)) => {
                for (line, hit) in lines.0 {
                    *before.0.entry(line).or_default() |= hit;
                }
            }
            None => known.push((path, lines)),
        }
    }
}

impl Lines {
    /// Whether something on these lines was executed. A statement is known by its first line, so where none of the
    /// lines is known, the last one before them tells.
    pub fn reached(&self, first: u32, last: u32) -> Option<bool> {
        let within = || self.0.range(first..=last.max(first)).map(|(_, hit)| *hit);
        if within().next().is_some() {
            return Some(within().any(|hit| hit));
        }
        self.0.range(..first).next_back().map(|(_, hit)| *hit)
    }
}

fn parts(path: &str) -> Vec<&str> {
    path.split('/').filter(|part| !part.is_empty() && *part != ".").collect()
}

#[derive(Deserialize)]
struct Report {
    files: BTreeMap<String, FileOfReport>,
}

#[derive(Deserialize)]
struct FileOfReport {
    executed_lines: Vec<u32>,
    missing_lines: Vec<u32>,
}

fn of_json(text: &str) -> Result<Coverage, String> {
    let report: Report = serde_json::from_str(text)
        .map_err(|fault| format!("it is not what `coverage json` writes: {fault}"))?;
    let mut coverage = Coverage::default();
    for (path, file) in report.files {
        let missing = file.missing_lines.into_iter().map(|line| (line, false));
        let executed = file.executed_lines.into_iter().map(|line| (line, true));
        coverage.add(&path, Lines(missing.chain(executed).collect()));
    }
    Ok(coverage)
}

fn of_lcov(text: &str) -> Result<Coverage, String> {
    let mut coverage = Coverage::default();
    let mut current: Option<(String, Lines)> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let wrong = |what: &str| format!("line {number} is not lcov: {what}");
        match line.trim_end().split_once(':') {
            Some(("SF", path)) => current = Some((path.to_owned(), Lines::default())),
            Some(("DA", what)) => {
                let (_, lines) = current.as_mut().ok_or_else(|| wrong("a count before any file"))?;
                let mut fields = what.split(',');
                let mut field = || fields.next().and_then(|field| field.trim().parse::<i64>().ok());
                let (Some(at), Some(hits)) = (field(), field()) else {
                    return Err(wrong("`DA:` wants a line and a count"));
                };
                let at = u32::try_from(at).map_err(|_| wrong("there is no such line"))?;
                *lines.0.entry(at).or_default() |= hits > 0;
            }
            None if line.trim_end() == "end_of_record" => {
                if let Some((path, lines)) = current.take() {
                    coverage.add(&path, lines);
                }
            }
            Some((record, _)) if record.chars().all(|c| c.is_ascii_uppercase()) => {}
            None if line.trim().is_empty() || line.starts_with('#') => {}
            _ => return Err(wrong("no record begins like this")),
        }
    }
    if let Some((path, lines)) = current {
        coverage.add(&path, lines);
    }
    Ok(coverage)
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = r#"{"meta": {"version": "7.6.1"}, "files": {
        "app/users.py": {"executed_lines": [1, 4], "missing_lines": [6], "excluded_lines": [], "summary": {}},
        "src\\app\\teams.py": {"executed_lines": [], "missing_lines": [2]}
    }, "totals": {}}"#;

    const LCOV: &str = "TN:\nSF:/home/ci/app/users.py\nDA:1,1\nDA:4,3\nDA:6,0\nLF:3\nLH:2\nend_of_record\n";

    #[test]
    fn both_formats_say_the_same() {
        for text in [JSON, LCOV] {
            let coverage = read(text).expect("a coverage file");
            let lines = coverage.of("app/users.py").expect("the file is there");
            assert_eq!(lines.reached(4, 4), Some(true));
            assert_eq!(lines.reached(6, 6), Some(false));
            assert_eq!(lines.reached(5, 5), Some(true), "a line of the statement before it");
            assert_eq!(lines.reached(4, 6), Some(true));
            assert_eq!(lines.reached(7, 9), Some(false));
        }
    }

    #[test]
    fn a_path_is_met_by_its_end() {
        let coverage = read(JSON).expect("a coverage file");
        assert!(coverage.of("/w/project/app/users.py").is_some());
        assert!(coverage.of("users.py").is_some());
        assert!(coverage.of("other/users.py").is_none());
        assert!(coverage.of("app/teams.py").is_some(), "backslashes are slashes");
    }

    #[test]
    fn two_files_that_fit_as_well_are_none() {
        let text = "SF:a/x.py\nDA:1,1\nend_of_record\nSF:b/x.py\nDA:1,0\nend_of_record\n";
        let coverage = read(text).expect("a coverage file");
        assert!(coverage.of("x.py").is_none());
        assert_eq!(coverage.of("b/x.py").and_then(|lines| lines.reached(1, 1)), Some(false));
    }

    #[test]
    fn parts_of_one_file_are_put_together() {
        let text = "SF:x.py\nDA:1,0\nend_of_record\nSF:./x.py\nDA:1,2\nend_of_record\n";
        let coverage = read(text).expect("a coverage file");
        assert_eq!(coverage.of("x.py").and_then(|lines| lines.reached(1, 1)), Some(true));
    }

    #[test]
    fn what_is_neither_is_told() {
        for (text, what) in [
            ("{}", "files"),
            ("{\"files\": {}}", "no file"),
            ("", "no file"),
            ("hello\n", "line 1"),
            ("DA:1,1\n", "before any file"),
            ("SF:x\nDA:one,1\n", "line 2"),
        ] {
            let fault = read(text).expect_err("not a coverage file");
            assert!(fault.contains(what), "{text:?}: {fault}");
        }
    }
}
