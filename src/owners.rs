//! owners: whose a file is, as a CODEOWNERS file says it.
//!
//! Patterns are those of `.gitignore` with GitHub's differences: no `!` and no `[…]`, and `docs/*` stops at the files of
//! that folder. The last pattern that fits a file says whose it is. GitLab's sections are known, too: each of them has
//! its own last pattern, and owners of its own where a line names none.

use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::config::{absolute, relative};

/// Where such a file lies in a repository, the first that is there wins.
pub const PLACES: [&str; 4] = [".github/CODEOWNERS", ".gitlab/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"];

/// What a CODEOWNERS file says.
#[derive(Clone, Debug)]
pub struct Owners {
    here: PathBuf,
    folder: PathBuf,
    globs: GlobSet,
    /// By glob: the section and whose the files are.
    lines: Vec<(usize, Vec<String>)>,
}

impl Owners {
    /// Reads a file that speaks of a folder, given absolute, for paths seen from `here`. Lines that cannot be read are
    /// left out, as code hosts do, and told by their number.
    pub fn read(here: &Path, folder: &Path, text: &str) -> (Owners, Vec<(u32, String)>) {
        let mut faults = Vec::new();
        let mut globs = GlobSetBuilder::new();
        let mut lines = Vec::new();
        let (mut section, mut by_default): (usize, Vec<String>) = (0, Vec::new());
        for (number, line) in (1..).zip(text.lines()) {
            if let Some(named) = section_heading(line) {
                section += 1;
                by_default = named;
                continue;
            }
            let words = words(line);
            let Some((pattern, named)) = words.split_first() else { continue };
            let owners = if named.is_empty() { by_default.clone() } else { named.to_vec() };
            for glob in globs_of(pattern) {
                match GlobBuilder::new(&glob).literal_separator(true).backslash_escape(true).build() {
                    Ok(glob) => {
                        globs.add(glob);
                        lines.push((section, owners.clone()));
                    }
                    Err(fault) => faults.push((number, fault.kind().to_string())),
                }
            }
        }
        let globs = globs.build().unwrap_or_else(|_| GlobSet::empty());
        (Owners { here: here.to_owned(), folder: folder.to_owned(), globs, lines }, faults)
    }

    /// Whose a file is, given as it is shown or absolute; nobody's where no pattern fits or the last one names nobody.
    pub fn of(&self, path: &Path) -> Vec<String> {
        let below = relative(&self.folder, &absolute(&self.here, path));
        let mut by_section: Vec<(usize, &[String])> = Vec::new();
        // The matches come in the order of the lines, so a later one takes the place of an earlier one.
        for at in self.globs.matches(below) {
            let Some((section, owners)) = self.lines.get(at) else { continue };
            match by_section.iter_mut().find(|(known, _)| known == section) {
                Some((_, before)) => *before = owners,
                None => by_section.push((*section, owners)),
            }
        }
        let mut all: Vec<String> = Vec::new();
        for owner in by_section.into_iter().flat_map(|(_, owners)| owners) {
            if !all.contains(owner) {
                all.push(owner.clone());
            }
        }
        all
    }
}

/// The owners behind a section's heading such as `^[Docs][2] @writers`; nothing where the line is no heading.
fn section_heading(line: &str) -> Option<Vec<String>> {
    let line = line.trim();
    let rest = line.strip_prefix('^').unwrap_or(line).strip_prefix('[')?;
    let (_, mut behind) = rest.split_once(']')?;
    if let Some(count) = behind.strip_prefix('[') {
        behind = count.split_once(']')?.1;
    }
    Some(words(behind))
}

/// The words of a line up to a comment; a backslash keeps a space or a `#`.
fn words(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(kept @ (' ' | '#')) => word.push(kept),
                Some(other) => word.extend(['\\', other]),
                None => {}
            },
            '#' if word.is_empty() => break,
            c if c.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            c => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// A pattern as globs on paths from the folder: the thing itself, and what lies below it where it is a folder.
fn globs_of(pattern: &str) -> Vec<String> {
    let is_folder = pattern.ends_with('/');
    let body = pattern.trim_end_matches('/');
    let is_anchored = body.contains('/');
    let body = body.trim_start_matches('/');
    if body.is_empty() {
        return vec!["**".to_owned()];
    }
    let base = if is_anchored { body.to_owned() } else { format!("**/{body}") };
    let below = format!("{base}/**");
    if is_folder {
        vec![below]
    } else if is_anchored && body.ends_with("/*") || body.ends_with("**") {
        vec![base]
    } else {
        vec![base, below]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owners(text: &str) -> impl Fn(&str) -> String {
        let (owners, faults) = Owners::read(Path::new("/w/p/app"), Path::new("/w/p"), text);
        assert_eq!(faults, []);
        move |path| owners.of(Path::new(path)).join(" ")
    }

    #[test]
    fn the_last_pattern_that_fits_wins() {
        let of = owners(
            "# whose code it is\n* @all\n*.py @python # the language\n/app/billing/ @billing a@b.example\n/app/billing/open.py\n",
        );
        assert_eq!(of("README.md"), "@all");
        assert_eq!(of("users.py"), "@python");
        assert_eq!(of("billing/deep/job.py"), "@billing a@b.example");
        assert_eq!(of("billing/open.py"), "", "the last pattern names nobody");
        assert_eq!(of("/w/p/app/billing/job.py"), "@billing a@b.example");
        assert_eq!(of("/elsewhere/x.py"), "@python", "a pattern without a slash fits anywhere");
    }

    #[test]
    fn patterns_are_those_of_gitignore_with_githubs_differences() {
        let of = owners("docs/* @docs\napps/ @apps\n/build/logs/ @logs\n**/seeds @seeds\nmy\\ file.py @me\n");
        assert_eq!(of("/w/p/docs/a.md"), "@docs");
        assert_eq!(of("/w/p/docs/deep/a.md"), "");
        assert_eq!(of("/w/p/x/apps/y/z.py"), "@apps");
        assert_eq!(of("/w/p/build/logs/x"), "@logs");
        assert_eq!(of("/w/p/x/build/logs/x"), "");
        assert_eq!(of("/w/p/db/seeds/x/y.py"), "@seeds");
        assert_eq!(of("/w/p/my file.py"), "@me");
    }

    #[test]
    fn each_section_has_its_own_last_pattern() {
        let of = owners("[Code] @dev\n*.py\nusers.py @users\n\n^[Audit][2] @audit\n/app/\n");
        assert_eq!(of("teams.py"), "@dev @audit");
        assert_eq!(of("users.py"), "@users @audit");
        assert_eq!(of("/w/p/other.py"), "@dev");
    }

    #[test]
    fn a_line_that_cannot_be_read_is_told_and_left_out() {
        let text = "*.py @a\n/x[/ @b\n";
        let (owners, faults) = Owners::read(Path::new("/w"), Path::new("/w"), text);
        assert!(faults.iter().all(|(line, _)| *line == 2) && !faults.is_empty());
        assert_eq!(owners.of(Path::new("x.py")), ["@a"]);
    }
}
