//! program: which files may see one another, told from their paths and bytes alone, before any of them is lowered.
//!
//! What stands in one project is one program, however many services it holds: they may share tables, tests and settings
//! without naming one another. Projects that lie side by side are programs of their own, for what they have in common is
//! chance: models of the same name, a module `utils` that only one of them has. They are one program where code leads
//! from one to the other:
//!
//! - Python imports, or names in a text where settings and tasks are named, a module that its own project does not have
//!   and exactly one other offers at its top. What a library goes by whose meaning is known is that library, though its
//!   own source may lie beside;
//! - a manifest of Rust takes a package by a path that leads into another project;
//! - Rust and Python name the same table: one class of each language stands for it.
//!
//! Where a file lies in no project that is known, nothing is told apart. So what may see one another is one program, and
//! the worst that doubt costs is time.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::source::{Language, Source};
use crate::walk::Home;

pub use said::Said;

mod import;
mod manifest;
mod said;
mod table;

/// Files that may see one another, and see no others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its files, by their index among all, in order.
    pub files: Vec<usize>,
}

impl Program {
    /// Its own among all sources.
    pub fn of(&self, sources: &[Arc<Source>]) -> Vec<Arc<Source>> {
        those(&self.files, sources)
    }
}

/// The programs among files whose texts are at hand, given in path order, in the order of the first file of each; every
/// file is in one of them.
pub fn programs(sources: &[Arc<Source>], homes: &[Home]) -> Vec<Program> {
    let Some(projects) = projects(sources, homes) else { return one(sources) };
    let asks = ask_for_tables(sources);
    let said = |project: &Project<'_>| Said::of(&project.of(sources), asks);
    let said: Vec<Said> = projects.iter().map(said).collect();
    joined(sources, &projects, &said)
}

/// All files as one program.
pub fn one(sources: &[Arc<Source>]) -> Vec<Program> {
    let files: Vec<usize> = (0..sources.len()).collect();
    if files.is_empty() { Vec::new() } else { vec![Program { files }] }
}

/// Whether it matters for these files which tables they name.
pub fn ask_for_tables(sources: &[Arc<Source>]) -> bool {
    let speaks = |language| sources.iter().any(|source| source.language == language);
    speaks(Language::Rust) && speaks(Language::Python)
}

/// The programs that projects are, by what each says of others.
pub fn joined(sources: &[Arc<Source>], projects: &[Project<'_>], said: &[Said]) -> Vec<Program> {
    let mut links = import::links(sources, projects, said);
    links.extend(manifest::links(projects, said));
    links.extend(table::links(said));
    let mut heads = Heads::new(projects.len());
    links.iter().for_each(|&(one, other)| heads.join(one, other));
    let mut programs: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (number, project) in projects.iter().enumerate() {
        programs.entry(heads.of(number)).or_default().extend(&project.files);
    }
    let mut programs: Vec<Program> = programs.into_values().map(|files| Program { files }).collect();
    for program in &mut programs {
        program.files.sort_unstable();
    }
    programs.sort_by_key(|program| program.files[0]);
    programs
}

/// The files of one project.
#[derive(Debug)]
pub struct Project<'a> {
    /// The folders that it lies in, as they are shown.
    folders: Vec<&'a Path>,
    /// Its files, by their index among all, in order.
    files: Vec<usize>,
}

impl Project<'_> {
    /// Its own among all sources.
    pub fn of(&self, sources: &[Arc<Source>]) -> Vec<Arc<Source>> {
        those(&self.files, sources)
    }
}

/// The projects that the files are of, where they are of several; nothing where one is of none that is known.
pub fn projects<'a>(sources: &[Arc<Source>], homes: &'a [Home]) -> Option<Vec<Project<'a>>> {
    let mut numbers: BTreeMap<&Path, usize> = BTreeMap::new();
    let mut projects: Vec<Project<'a>> = Vec::new();
    let mut by_folder: FxHashMap<&Path, usize> = FxHashMap::default();
    for home in homes {
        let number = *numbers.entry(&home.project).or_insert_with(|| {
            projects.push(Project { folders: Vec::new(), files: Vec::new() });
            projects.len() - 1
        });
        projects[number].folders.push(&home.below);
        by_folder.insert(&home.below, number);
    }
    for (file, source) in sources.iter().enumerate() {
        // The innermost counts: an empty path is above every other, be it `..`.
        let number = source.path.ancestors().skip(1).find_map(|folder| by_folder.get(folder))?;
        projects[*number].files.push(file);
    }
    projects.retain(|project| !project.files.is_empty());
    Some(projects).filter(|projects| projects.len() > 1)
}

fn those(files: &[usize], sources: &[Arc<Source>]) -> Vec<Arc<Source>> {
    files.iter().map(|&file| Arc::clone(&sources[file])).collect()
}

/// Which projects are joined, each by the first of its program.
struct Heads(Vec<usize>);

impl Heads {
    fn new(count: usize) -> Heads {
        Heads((0..count).collect())
    }

    fn of(&self, mut number: usize) -> usize {
        while self.0[number] != number {
            number = self.0[number];
        }
        number
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.of(one), self.of(other));
        self.0[one.max(other)] = one.min(other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The programs among files of projects that begin in these folders, each as the folders and files in it.
    fn told(tops: &[&str], files: &[(&str, &str)]) -> Vec<String> {
        let language = |path: &str| Language::of(path.as_ref()).unwrap_or(Language::Python);
        let source = |&(path, text): &(&str, &str)| Arc::new(Source::of_text(path, language(path), text));
        let sources: Vec<Arc<Source>> = files.iter().map(source).collect();
        let home = |top: &&str| Home { below: top.into(), project: Path::new("/w").join(top) };
        let homes: Vec<Home> = tops.iter().map(home).collect();
        let shown = |program: Program| {
            let paths = program.of(&sources);
            paths.iter().map(|source| source.display_path()).collect::<Vec<_>>().join(" ")
        };
        programs(&sources, &homes).into_iter().map(shown).collect()
    }

    #[test]
    fn projects_are_programs_of_their_own() {
        let files = [("a/app/db.py", ""), ("b/app/db.py", ""), ("b/schema.sql", "")];
        assert_eq!(told(&["a", "b"], &files), ["a/app/db.py", "b/app/db.py b/schema.sql"]);
        let none: [&str; 0] = [];
        assert_eq!(told(&["a", "b"], &[]), none);
    }

    #[test]
    fn where_a_file_is_of_no_project_nothing_is_told_apart() {
        let files = [("a/x.py", ""), ("b/x.py", ""), ("loose.py", "")];
        assert_eq!(told(&["a", "b"], &files), ["a/x.py b/x.py loose.py"]);
        assert_eq!(told(&[], &files[..2]), ["a/x.py b/x.py"]);
    }

    #[test]
    fn an_import_joins_what_it_leads_to() {
        let told = |text: &str| {
            let files = [
                ("api/app/main.py", text),
                ("api/app/own/__init__.py", ""),
                ("shared/src/ours/db.py", ""),
                ("tools/scripts/stripe.py", ""),
            ];
            told(&["api", "shared", "tools"], &files).len()
        };
        assert_eq!(told("from ours.db import Base\n"), 2);
        assert_eq!(told("if x:\n    import ours.db as db\n"), 2);
        assert_eq!(told("import shared.src.ours.db\n"), 2, "from the folder that both lie in");
        assert_eq!(told("app.send_task('ours.db.clean')\n"), 2);
        assert_eq!(told("from ours.other import Base\n"), 3, "nobody has it");
        assert_eq!(told("from .ours.db import Base\n"), 3);
        assert_eq!(told("import stripe\n"), 3, "a script deep inside a project is no library");
        assert_eq!(told("x = 'ours.db'\n"), 3);
    }

    #[test]
    fn what_the_own_project_or_several_others_have_joins_nothing() {
        let files = [
            ("a/lib/config.py", ""),
            ("a/run.py", "import config\nimport app.db\nimport company.x\n"),
            ("b/app/db.py", ""),
            ("b/config.py", ""),
            ("c/app/db.py", ""),
            ("c/company/x.py", ""),
        ];
        let [a, b, c] = [files[0].0, files[2].0, files[4].0];
        let joined = format!("{a} a/run.py {c} c/company/x.py");
        assert_eq!(told(&["a", "b", "c"], &files), [joined, format!("{b} b/config.py")]);
    }

    #[test]
    fn the_source_of_a_known_library_is_a_program_of_its_own() {
        let files = [("django-5/django/db.py", ""), ("site/app.py", "import django.db\n")];
        assert_eq!(told(&["django-5", "site"], &files).len(), 2);
    }

    #[test]
    fn rust_is_joined_by_paths_of_manifests_and_by_tables() {
        let with = |manifest: &'static str, rust: &'static str| {
            let files = [
                ("api/models.py", "__tablename__ = 'orders'\n"),
                ("core/Cargo.toml", ""),
                ("core/src/lib.rs", ""),
                ("work/Cargo.toml", manifest),
                ("work/src/main.rs", rust),
            ];
            told(&["api", "core", "work"], &files).len()
        };
        assert_eq!(with("", ""), 3);
        assert_eq!(with("[dependencies]\ncore = { path = \"../core\" }\n", ""), 2);
        assert_eq!(with("", "#[sea_orm(table_name = \"orders\")]\n"), 2);
        assert_eq!(with("", "query(\"INSERT INTO customers\")\n"), 3);
    }
}
