//! walk, against the oddities a file system can hold; what git cannot keep is made here.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use trailcheck::config::{Configuration, Names, Origin, Search};
use trailcheck::walk::{self, Beside, Listing, Walked};

struct Tree(TempDir);

impl Tree {
    fn new(files: &[(&str, &str)]) -> Tree {
        let tree = Tree(tempfile::tempdir().expect("a temporary folder"));
        for (path, text) in files {
            tree.write(path, text.as_bytes());
        }
        tree
    }

    fn path(&self, below: &str) -> PathBuf {
        self.0.path().canonicalize().expect("the temporary folder").join(below)
    }

    fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder can be made");
        fs::write(path, bytes).expect("a file can be written");
    }

    fn list(&self, roots: &[&str]) -> Listing {
        let roots: Vec<PathBuf> = roots.iter().map(PathBuf::from).collect();
        walk::list(&roots, &self.path("")).expect("the roots are there")
    }

    fn read(&self, listing: Listing) -> Walked {
        let configuration = Configuration::find(&Search {
            origin: Origin::Nearest,
            here: &self.path(""),
            roots: &listing.roots,
            folders: &listing.folders(),
            names: &Names::default(),
            read: &walk::read_text,
        });
        walk::read(listing, &configuration.expect("a good configuration"), true)
    }

    fn walk(&self, roots: &[&str]) -> Walked {
        self.read(self.list(roots))
    }
}

fn paths(walked: &Walked) -> Vec<String> {
    walked.sources.iter().map(|source| source.display_path()).collect()
}

fn gaps(walked: &Walked) -> Vec<String> {
    walked.gaps.iter().map(|gap| format!("{}: {}", gap.path, gap.reason)).collect()
}

#[test]
fn python_files_come_in_the_order_of_their_paths() {
    let tree = Tree::new(&[
        ("b.py", ""),
        ("a/z.py", ""),
        ("a/b/c.py", ""),
        ("a-b/x.py", ""),
        ("a.pyi", ""),
        ("notes.txt", ""),
        (".hidden.py", ""),
        (".venv/x.py", ""),
    ]);
    let walked = tree.walk(&["."]);
    assert_eq!(paths(&walked), ["a/b/c.py", "a/z.py", "a-b/x.py", "b.py"]);
    assert!(gaps(&walked).is_empty());
}

#[test]
fn gitignore_is_obeyed_without_a_repository_but_a_named_file_is_read() {
    let tree =
        Tree::new(&[(".gitignore", "build/\n"), ("build/x.py", ""), ("app/x.py", ""), ("app/gen.py", "")]);
    tree.write("app/.gitignore", b"gen.py\n");
    assert_eq!(paths(&tree.walk(&["."])), ["app/x.py"]);
    assert_eq!(paths(&tree.walk(&["app"])), ["app/x.py"]);
    assert_eq!(paths(&tree.walk(&["app", "build/x.py"])), ["app/x.py", "build/x.py"]);
}

#[test]
fn the_configuration_leaves_files_out_but_not_a_named_one() {
    let tree = Tree::new(&[
        ("trailcheck.toml", "include = ['app/**']\nexclude = ['**/legacy']"),
        ("app/x.py", ""),
        ("app/legacy/x.py", ""),
        ("other.py", ""),
    ]);
    symlink("gone", tree.path("app/legacy/link.py")).expect("a link");
    let walked = tree.walk(&["."]);
    assert_eq!(paths(&walked), ["app/x.py"]);
    assert!(gaps(&walked).is_empty(), "what is left out has no gaps");
    assert_eq!(paths(&tree.walk(&["other.py"])), ["other.py"]);
}

#[test]
fn a_file_two_roots_reach_is_read_once() {
    let tree = Tree::new(&[("app/sub/x.py", ""), ("app/y.py", "")]);
    symlink("app", tree.path("same")).expect("a link");
    let absolute = tree.path("app");
    let absolute = absolute.to_str().expect("a UTF-8 path");
    let roots = ["app", "app/sub", "./app/sub/../sub/x.py", absolute, "same"];
    assert_eq!(paths(&tree.walk(&roots)), ["app/sub/x.py", "app/y.py"]);
}

#[test]
fn links_are_not_followed_and_none_is_silent_that_hides_a_file() {
    let tree =
        Tree::new(&[("out/far.py", ""), ("in/real.py", ""), ("in/sub/x.py", ""), ("in/plain.txt", "")]);
    symlink("real.py", tree.path("in/again.py")).expect("a link");
    symlink("..", tree.path("in/sub/loop")).expect("a link");
    symlink("self.py", tree.path("in/self.py")).expect("a link");
    symlink("gone.py", tree.path("in/dangling.py")).expect("a link");
    symlink("../out/far.py", tree.path("in/far.py")).expect("a link");
    symlink("plain.txt", tree.path("in/text.py")).expect("a link");
    symlink("sub", tree.path("in/folder.py")).expect("a link");
    let walked = tree.walk(&["in"]);
    assert_eq!(paths(&walked), ["in/real.py", "in/sub/x.py"]);
    assert_eq!(
        gaps(&walked),
        [
            "in/dangling.py: a link that leads nowhere",
            "in/far.py: a link out of the scanned folders, which is not followed",
            "in/self.py: a link that leads nowhere",
            "in/text.py: a link out of the scanned folders, which is not followed",
        ]
    );
    assert!(
        gaps(&tree.walk(&["in", "out"])).iter().all(|gap| !gap.contains("far.py")),
        "it is read as out/far.py"
    );
}

#[test]
fn a_folder_named_like_a_file_is_walked_into() {
    let tree = Tree::new(&[("x.py/inner.py", "a = 1\n")]);
    let walked = tree.walk(&["."]);
    assert_eq!(paths(&walked), ["x.py/inner.py"]);
    assert!(gaps(&walked).is_empty());
}

#[test]
fn pipes_and_sockets_are_never_opened() {
    let tree = Tree::new(&[("a.py", "")]);
    let made = Command::new("mkfifo").arg(tree.path("pipe.py")).status();
    assert!(made.expect("mkfifo runs").success());
    let _socket = UnixListener::bind(tree.path("socket.py")).expect("a socket");
    symlink("pipe.py", tree.path("to_pipe.py")).expect("a link");
    let walked = tree.walk(&["."]);
    assert_eq!(paths(&walked), ["a.py"]);
    let reason = "not a regular file";
    assert_eq!(gaps(&walked), ["pipe.py", "socket.py", "to_pipe.py"].map(|name| format!("{name}: {reason}")));
    let root = walk::list(&["pipe.py".into()], &tree.path("")).expect_err("a pipe is no root");
    assert_eq!(root.to_string(), "cannot scan `pipe.py`: neither a regular file nor a folder");
}

#[test]
fn what_may_not_be_read_is_a_gap() {
    let tree = Tree::new(&[("a.py", ""), ("closed.py", ""), ("folder/x.py", "")]);
    let close = |path: &str, mode| fs::set_permissions(tree.path(path), fs::Permissions::from_mode(mode));
    close("closed.py", 0o000).expect("a mode can be set");
    close("folder", 0o000).expect("a mode can be set");
    let walked = tree.walk(&["."]);
    // An administrator may read everything, whatever the mode says.
    if fs::read(tree.path("closed.py")).is_ok() {
        assert_eq!(paths(&walked), ["a.py", "closed.py", "folder/x.py"]);
    } else {
        assert_eq!(paths(&walked), ["a.py"]);
        assert_eq!(
            gaps(&walked),
            ["closed.py", "folder"].map(|name| format!("{name}: no permission to read it"))
        );
    }
    close("folder", 0o755).expect("a mode can be set");
}

#[test]
fn files_that_change_between_listing_and_reading_are_gaps() {
    let tree = Tree::new(&[("a.py", ""), ("gone.py", ""), ("pipe.py", "")]);
    let listing = tree.list(&["."]);
    fs::remove_file(tree.path("gone.py")).expect("a file can be removed");
    fs::remove_file(tree.path("pipe.py")).expect("a file can be removed");
    assert!(Command::new("mkfifo").arg(tree.path("pipe.py")).status().expect("mkfifo runs").success());
    let walked = tree.read(listing);
    assert_eq!(paths(&walked), ["a.py"]);
    assert_eq!(gaps(&walked), ["gone.py: no such file or folder", "pipe.py: not a regular file"]);
}

#[test]
fn long_lines_and_deep_nesting_are_read() {
    let tree = Tree::new(&[]);
    tree.write("line.py", format!("x = '{}'\n", "y".repeat(20 << 20)).as_bytes());
    tree.write("brackets.py", format!("x = {}{}\n", "[".repeat(10_000), "]".repeat(10_000)).as_bytes());
    // Sixty-four spaces a level would be sixty-four times as long and no deeper.
    let ifs: String = (0..10_000).map(|depth| format!("{}if x:\n", " ".repeat(depth))).collect();
    tree.write("ifs.py", format!("{ifs}{}pass\n", " ".repeat(10_000)).as_bytes());
    let walked = tree.walk(&["."]);
    assert_eq!(paths(&walked), ["brackets.py", "ifs.py", "line.py"]);
    assert!(walked.sources[2].text.len() > 20 << 20);
}

#[test]
fn a_file_beyond_four_gibibytes_is_a_gap() {
    let tree = Tree::new(&[("a.py", "")]);
    // The file has a hole instead of bytes, so it takes no room.
    let huge = fs::File::create(tree.path("huge.py")).expect("a file can be made");
    if huge.set_len((4 << 30) + 1).is_ok() {
        assert_eq!(gaps(&tree.walk(&["."])), ["huge.py: longer than 4 GiB"]);
    }
}

#[test]
fn a_root_that_is_not_there_is_the_users_fault() {
    let tree = Tree::new(&[]);
    let fault = walk::list(&["gone".into()], &tree.path("")).expect_err("there is no such root");
    assert_eq!(fault.to_string(), "cannot scan `gone`: no such file or folder");
}

#[test]
fn broken_files_are_read_as_far_as_their_language_would() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let listing = walk::list(&["fixtures/broken".into()], here).expect("the fixtures are there");
    let walked = walk::read(listing, &Configuration::default(), true);
    let names =
        ["bom.py", "crlf.py", "deep.rs", "empty.py", "latin1_declared.py", "truncated.py", "unclosed.rs"];
    assert_eq!(paths(&walked), names.map(|name| format!("fixtures/broken/{name}")));
    let gaps: Vec<_> = walked.gaps.iter().map(|gap| (gap.path.as_str(), gap.line)).collect();
    assert_eq!(
        gaps,
        [
            ("fixtures/broken/latin1_undeclared.py", Some(1)),
            ("fixtures/broken/nul.py", Some(8)),
            ("fixtures/broken/nul.rs", Some(2)),
            ("fixtures/broken/utf16.py", None),
        ]
    );
    assert!(walked.sources[0].text.starts_with("from shop"), "the byte order mark is no part of the text");
    assert!(walked.sources[4].text.contains("Aufträge"));
    assert!(walked.sources[1].text.contains("\r\n"));
}

#[test]
fn what_lies_beside_the_files_is_named_but_not_read() {
    let tree = Tree::new(&[
        (".gitignore", "made.py\n"),
        ("app/a.py", ""),
        ("app/made.py", ""),
        ("app/stub.pyi", ""),
        ("app/data/rows.csv", ""),
        ("app/inner/b.py", ""),
        ("other/c.txt", ""),
    ]);
    let walked = tree.walk(&["app"]);
    assert_eq!(paths(&walked), ["app/a.py", "app/inner/b.py"]);
    let beside = ["app/a", "app/data", "app/inner", "app/made", "app/stub", "app/inner/b"];
    let named = |walked: &Walked| walked.beside.iter().flat_map(Beside::paths).collect::<Vec<_>>();
    assert_eq!(named(&walked), beside);
    // From one file alone the folders above it are seen as well.
    assert_eq!(named(&tree.walk(&["app/inner/b.py"])), beside);
    let given = walk::given(Path::new("app/inner/b.py"), b"");
    assert_eq!(named(&given), ["app/inner/*", "app/*"]);
}
