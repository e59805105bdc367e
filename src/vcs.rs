//! vcs: the only room that asks git: which files there were at a revision, what they said, and which have changed.
//!
//! Git is run without a shell and answers with `\0` between names, so that blanks, quotes and line ends in a path are
//! part of it. Variables that would send it to another repository, as hooks set them, are not handed on, and nothing it
//! is asked writes.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A working tree of git.
#[derive(Clone, Debug)]
pub struct Repository {
    top: PathBuf,
}

/// Why git could not answer, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub message: String,
    /// The next move.
    pub help: String,
}

/// The files of a revision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// The name of each regular file's content, by its path from the top.
    pub files: BTreeMap<PathBuf, String>,
    /// The paths at which other repositories lie.
    pub modules: Vec<PathBuf>,
}

/// How a file differs from a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is there, and says something else.
    Different,
    /// It is gone.
    Gone,
}

impl Repository {
    /// The working tree a folder lies in.
    ///
    /// # Errors
    /// When git cannot be run, or the folder lies in no working tree.
    pub fn around(folder: &Path) -> Result<Repository, Fault> {
        let asked = Repository { top: folder.to_owned() };
        match asked.ask(&["rev-parse", "--show-toplevel"]) {
            Ok(answer) => Ok(Repository { top: path(line(&answer)) }),
            Err(Refusal::Git(words)) if words.contains("not a git repository") => Err(Fault {
                message: format!("`{}` lies in no git repository", shown(folder)),
                help: "leave out `--changed`, or run it where the code is cloned".to_owned(),
            }),
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// Whether git keeps a file that lies in a folder or below.
    ///
    /// # Errors
    /// When git cannot be run, or the folder lies in no working tree.
    pub fn tracks_in(folder: &Path) -> Result<bool, Fault> {
        Ok(!Repository { top: folder.to_owned() }.ask(&["ls-files", "-z"])?.is_empty())
    }

    /// The top folder of the working tree.
    pub fn top(&self) -> &Path {
        &self.top
    }

    /// The path of a folder from the top; empty for the top itself.
    ///
    /// # Errors
    /// When the folder lies in another working tree, or in none.
    pub fn path_of(&self, folder: &Path) -> Result<PathBuf, Fault> {
        let other = Repository::around(folder)?;
        if other.top != self.top {
            return Err(Fault {
                message: format!("`{}` lies in another git repository than the other paths", shown(folder)),
                help: "check one repository at a time with `--changed`".to_owned(),
            });
        }
        let asked = Repository { top: folder.to_owned() };
        let answer = asked.ask(&["rev-parse", "--show-prefix"])?;
        Ok(path(line(&answer)))
    }

    /// The commit that changes are counted from: what HEAD and the revision have in common.
    ///
    /// # Errors
    /// When there is no such revision, or nothing in common.
    pub fn base(&self, revision: &str) -> Result<String, Fault> {
        let head = self.commit("HEAD").ok_or_else(|| Fault {
            message: "the repository has no commit yet".to_owned(),
            help: "leave out `--changed` until there is one: everything is new".to_owned(),
        })?;
        let Some(commit) = self.commit(revision) else {
            let help = match self.is_shallow() {
                true => format!(
                    "the clone is shallow and may not reach that far: {DEEPEN}; to give a path, write it before `--changed`"
                ),
                false => {
                    "give a branch, tag or commit; to give a path, write it before `--changed`".to_owned()
                }
            };
            return Err(Fault { message: format!("git knows no revision `{revision}`"), help });
        };
        if commit == head {
            return Ok(head);
        }
        match self.ask(&["merge-base", "--end-of-options", &commit, &head]) {
            Ok(answer) => Ok(text(line(&answer))),
            Err(Refusal::Git(words)) if words.is_empty() => {
                let help = match self.is_shallow() {
                    true => format!("the clone is shallow: {DEEPEN}"),
                    false => "give a revision that HEAD descends from".to_owned(),
                };
                Err(Fault { message: format!("`{revision}` and HEAD have no commit in common"), help })
            }
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// The commit that is checked out, and whether any file that git knows says something else; `None` before the first
    /// commit.
    ///
    /// # Errors
    /// When git cannot compare them.
    pub fn head(&self) -> Result<Option<(String, bool)>, Fault> {
        let Some(commit) = self.commit("HEAD") else { return Ok(None) };
        let is_changed = !self.changes(&commit)?.is_empty();
        Ok(Some((commit, is_changed)))
    }

    /// The files of a commit.
    ///
    /// # Errors
    /// When git cannot read it.
    pub fn tree(&self, commit: &str) -> Result<Tree, Fault> {
        let answer = self.ask(&["ls-tree", "-r", "-z", "--full-tree", "--end-of-options", commit])?;
        let mut tree = Tree::default();
        for entry in names(&answer) {
            // `<mode> SP <type> SP <name of the content> TAB <path>`
            let Some(tab) = entry.iter().position(|&byte| byte == b'\t') else { continue };
            let said = text(&entry[..tab]);
            let mut words = said.split(' ');
            let path = path(&entry[tab + 1..]);
            match (words.next(), words.next(), words.next()) {
                (_, Some("commit"), _) => tree.modules.push(path),
                // The content of a link is no code.
                (Some("120000"), ..) => {}
                (_, Some("blob"), Some(name)) => drop(tree.files.insert(path, name.to_owned())),
                _ => {}
            }
        }
        Ok(tree)
    }

    /// How the files of the working tree that git tracks differ from a commit, by path from the top.
    ///
    /// # Errors
    /// When git cannot compare them.
    pub fn changes(&self, commit: &str) -> Result<BTreeMap<PathBuf, Change>, Fault> {
        let answer = self.ask(&[
            "diff",
            "--name-status",
            "-z",
            "--no-renames",
            "--no-ext-diff",
            "--no-textconv",
            "--no-relative",
            "--ignore-submodules",
            "--end-of-options",
            commit,
            "--",
        ])?;
        let mut changes = BTreeMap::new();
        let mut words = names(&answer);
        while let (Some(status), Some(name)) = (words.next(), words.next()) {
            let change = if status.starts_with(b"D") { Change::Gone } else { Change::Different };
            changes.insert(path(name), change);
        }
        Ok(changes)
    }

    /// What is behind the names of contents, in their order.
    ///
    /// # Errors
    /// When git does not have one of them.
    pub fn contents(&self, wanted: &[&str]) -> Result<Vec<Vec<u8>>, Fault> {
        let mut child = self
            .command()
            .args(["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|fault| Fault::from(Refusal::Start(fault)))?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let contents =
            stdin.zip(stdout).ok_or(io::ErrorKind::BrokenPipe.into()).and_then(|(stdin, stdout)| {
                let mut to = stdin;
                let mut from = BufReader::new(stdout);
                // One at a time: neither side waits with a full pipe for the other.
                wanted
                    .iter()
                    .map(|name| content(name, &mut to, &mut from))
                    .collect::<io::Result<Vec<Vec<u8>>>>()
            });
        // Its input is closed by now, so that it ends.
        let ended = child.wait();
        contents.and_then(|contents| ended.map(|_| contents)).map_err(|fault| Fault {
            message: format!("git did not hand out the files as they were: {fault}"),
            help: "`git fsck` tells whether the repository is whole".to_owned(),
        })
    }

    /// Who wrote some lines of a file of the working tree last, by their 1-based numbers. Nobody where git does not know
    /// the file. It takes a while: git goes through the history of each file.
    ///
    /// # Errors
    /// When git cannot be run.
    pub fn authors(&self, file: &Path, lines: &BTreeSet<u32>) -> Result<BTreeMap<u32, String>, Fault> {
        let mut command = self.command();
        command.args(["blame", "--porcelain"]);
        lines.iter().for_each(|line| {
            command.arg(format!("-L{line},{line}"));
        });
        command.arg("--").arg(file);
        let output = command.stdin(Stdio::null()).output().map_err(Refusal::Start)?;
        // It fails for a file that is not in the history, whose lines nobody has written yet.
        Ok(if output.status.success() { authors(&output.stdout) } else { BTreeMap::new() })
    }

    fn commit(&self, revision: &str) -> Option<String> {
        // No revision begins so, and git would take it for an option.
        if revision.is_empty() || revision.starts_with('-') {
            return None;
        }
        let wanted = format!("{revision}^{{commit}}");
        let answer = self.ask(&["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted]).ok()?;
        // Older ones repeat the option before the answer.
        let last = answer.split(|&byte| byte == b'\n').rfind(|line| !line.is_empty())?;
        Some(text(last)).filter(|name| name.len() >= 40 && name.bytes().all(|byte| byte.is_ascii_hexdigit()))
    }

    fn is_shallow(&self) -> bool {
        self.ask(&["rev-parse", "--is-shallow-repository"]).is_ok_and(|answer| line(&answer) == b"true")
    }

    fn ask(&self, words: &[&str]) -> Result<Vec<u8>, Refusal> {
        let output = self.command().args(words).stdin(Stdio::null()).output().map_err(Refusal::Start)?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(Refusal::Git(words))
    }

    fn command(&self) -> Command {
        let mut command = Command::new("git");
        command.arg("-C").arg(&self.top).args(["-c", "core.quotePath=false", "-c", "core.fsmonitor=false"]);
        for name in ELSEWHERE {
            command.env_remove(name);
        }
        command.env("LC_ALL", "C").env("GIT_OPTIONAL_LOCKS", "0").env("GIT_TERMINAL_PROMPT", "0");
        command
    }
}

const DEEPEN: &str = "`git fetch --unshallow`, or `fetch-depth: 0` where a CI service checks it out";

/// Variables by which git would look at another repository, index or way of comparing than the folder's own.
const ELSEWHERE: &[&str] = &[
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_GRAFT_FILE",
    "GIT_SHALLOW_FILE",
    "GIT_REPLACE_REF_BASE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_EXTERNAL_DIFF",
    "GIT_DIFF_OPTS",
    "GIT_LITERAL_PATHSPECS",
    "GIT_GLOB_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
];

/// Why git did not answer.
#[derive(Debug)]
enum Refusal {
    /// It could not be started.
    Start(io::Error),
    /// It said so.
    Git(String),
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Fault {
        match refusal {
            Refusal::Start(fault) if fault.kind() == io::ErrorKind::NotFound => Fault {
                message: "git cannot be found".to_owned(),
                help: "install it, or leave out `--changed`".to_owned(),
            },
            Refusal::Start(fault) => Fault {
                message: format!("git cannot be started: {fault}"),
                help: "leave out `--changed`".to_owned(),
            },
            Refusal::Git(words) => Fault {
                message: format!("git refuses: {}", words.lines().next().unwrap_or("it does not say why")),
                help: "mend what git complains of, or leave out `--changed`".to_owned(),
            },
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Asks for one content and reads the answer: `<name> SP <type> SP <length> LF <content> LF`.
fn content(name: &str, to: &mut impl io::Write, from: &mut impl io::BufRead) -> io::Result<Vec<u8>> {
    writeln!(to, "{name}")?;
    to.flush()?;
    let mut head = String::new();
    from.read_line(&mut head)?;
    let length = head.trim_end().rsplit(' ').next().and_then(|length| length.parse::<usize>().ok());
    let Some(length) = length else {
        return Err(io::Error::new(io::ErrorKind::NotFound, head.trim_end().to_owned()));
    };
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes)?;
    from.read_exact(&mut [0])?;
    Ok(bytes)
}

/// Reads what `git blame --porcelain` says: a line's commit and numbers, what is new of the commit, the line itself.
fn authors(answer: &[u8]) -> BTreeMap<u32, String> {
    let mut by_commit: BTreeMap<Vec<u8>, String> = BTreeMap::new();
    let mut by_line: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
    let (mut commit, mut is_head): (Vec<u8>, bool) = (Vec::new(), true);
    for line in answer.split(|&byte| byte == b'\n') {
        if is_head {
            let mut words = line.split(|&byte| byte == b' ');
            commit = words.next().unwrap_or_default().to_vec();
            if let Some(number) = words.nth(1).and_then(|number| text(number).parse().ok()) {
                by_line.insert(number, commit.clone());
            }
            is_head = false;
        } else if let Some(author) = line.strip_prefix(b"author ") {
            by_commit.insert(commit.clone(), text(author));
        } else if line.starts_with(b"\t") {
            is_head = true;
        }
    }
    let named = |(line, commit): (u32, Vec<u8>)| Some((line, by_commit.get(&commit)?.clone()));
    by_line.into_iter().filter_map(named).collect()
}

fn names(answer: &[u8]) -> impl Iterator<Item = &[u8]> {
    answer.split(|&byte| byte == 0).filter(|name| !name.is_empty())
}

fn line(answer: &[u8]) -> &[u8] {
    answer.strip_suffix(b"\n").unwrap_or(answer)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(unix)]
fn path(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStringExt as _;
    PathBuf::from(OsString::from_vec(bytes.to_vec()))
}

#[cfg(not(unix))]
fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsString::from(text(bytes)))
}

fn shown(folder: &Path) -> String {
    folder.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authors_are_told_by_line() {
        let (a, b) = ("a".repeat(40), "b".repeat(40));
        let answer = format!(
            "{a} 1 1 2\nauthor Ada\nauthor-mail <ada@x.example>\nsummary author Eve\nfilename x.py\n\tauthor Eve\n\
             {a} 2 2\n\tx = 1\n{b} 7 9 1\nauthor Bo B.\nfilename x.py\n\ty\n"
        );
        let told: Vec<(u32, String)> = authors(answer.as_bytes()).into_iter().collect();
        assert_eq!(told, [(1, "Ada".to_owned()), (2, "Ada".to_owned()), (9, "Bo B.".to_owned())]);
        assert!(authors(b"").is_empty());
    }
}
