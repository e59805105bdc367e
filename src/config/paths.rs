//! config/paths: sets of globs, matched against paths as they lie below the file that wrote them.

use std::path::{Component, Path, PathBuf};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// Some globs and the folder they are relative to.
#[derive(Clone, Debug, Default)]
pub struct Paths {
    /// The globs as they were written.
    pub patterns: Vec<String>,
    here: PathBuf,
    folder: PathBuf,
    set: GlobSet,
}

impl Paths {
    /// Globs relative to `folder`, for paths relative to `here`.
    ///
    /// # Errors
    /// When a glob is malformed: its place in the list, and what is wrong with it.
    pub fn new(here: &Path, folder: &Path, patterns: Vec<String>) -> Result<Paths, (usize, String)> {
        let mut builder = GlobSetBuilder::new();
        for (at, pattern) in patterns.iter().enumerate() {
            // `*` stays inside one folder, as it does in .gitignore; `**` crosses them.
            let glob = GlobBuilder::new(pattern.trim_start_matches("./").trim_end_matches('/'))
                .literal_separator(true)
                .build()
                .map_err(|fault| (at, fault.kind().to_string()))?;
            builder.add(glob);
        }
        let set = builder.build().map_err(|fault| (0, fault.kind().to_string()))?;
        Ok(Paths { patterns, here: here.to_owned(), folder: folder.to_owned(), set })
    }

    /// Whether a glob matches the path or a folder it lies in. The path is as it is shown, or absolute.
    pub fn matches(&self, path: &Path) -> bool {
        if self.patterns.is_empty() {
            return false;
        }
        let below = relative(&self.folder, &absolute(&self.here, path));
        below.ancestors().filter(|part| !part.as_os_str().is_empty()).any(|part| self.set.is_match(part))
    }
}

/// A path as an absolute one, without `.` and `..`; the file system is not asked.
pub fn absolute(here: &Path, path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in here.join(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}

/// An absolute path as seen from an absolute folder, with `..` where it lies elsewhere.
pub fn relative(folder: &Path, path: &Path) -> PathBuf {
    let shared = folder.components().zip(path.components()).take_while(|(a, b)| a == b).count();
    let up = folder.components().skip(shared).map(|_| Component::ParentDir);
    up.chain(path.components().skip(shared)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(patterns: &[&str]) -> Paths {
        let patterns = patterns.iter().map(|&p| p.to_owned()).collect();
        Paths::new(Path::new("/here"), Path::new("/here/project"), patterns).expect("good globs")
    }

    #[test]
    fn globs_are_relative_to_their_file_and_match_what_lies_below() {
        let legacy = paths(&["app/legacy", "*.gen.py", "**/seeds/**"]);
        assert!(legacy.matches(Path::new("project/app/legacy/deep/x.py")));
        assert!(legacy.matches(Path::new("/here/project/a.gen.py")));
        assert!(!legacy.matches(Path::new("project/app/a.gen.py")));
        assert!(legacy.matches(Path::new("project/a/seeds/x.py")));
        assert!(!legacy.matches(Path::new("app/legacy/x.py")));
        assert!(paths(&["../other/**"]).matches(Path::new("other/x.py")));
    }

    #[test]
    fn a_malformed_glob_is_told_by_its_place() {
        let wrong = Paths::new(Path::new("/"), Path::new("/"), vec!["a".into(), "b[".into()]).unwrap_err();
        assert_eq!(wrong.0, 1);
    }

    #[test]
    fn paths_are_straightened_without_asking_the_disk() {
        assert_eq!(absolute(Path::new("/a/b"), Path::new("../c/./d")), Path::new("/a/c/d"));
        assert_eq!(relative(Path::new("/a/b"), Path::new("/a/c/d")), Path::new("../c/d"));
        assert_eq!(relative(Path::new("/a"), Path::new("/a/c")), Path::new("c"));
    }
}
