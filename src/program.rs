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

mod import;
mod manifest;
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
        self.files.iter().map(|&file| Arc::clone(&sources[file])).collect()
    }
}

/// The programs among files, given in path order, in the order of the first file of each; every file is in one of them.
pub fn programs(sources: &[Arc<Source>], homes: &[Home]) -> Vec<Program> {
    let Some(projects) = projects(sources, homes).filter(|projects| projects.len() > 1) else {
        let files: Vec<usize> = (0..sources.len()).collect();
        return if files.is_empty() { Vec::new() } else { vec![Program { files }] };
    };
    let mut links = import::links(sources, &projects);
    links.extend(manifest::links(sources, &projects));
    links.extend(table::links(sources, &projects));
    let mut heads = Heads::new(projects.len());
    links.iter().for_each(|&(one, other)| heads.join(one, other));
    let mut programs: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (number, project) in projects.into_iter().enumerate() {
        programs.entry(heads.of(number)).or_default().extend(project.files);
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
struct Project<'a> {
    /// The folders that it lies in, as they are shown.
    folders: Vec<&'a Path>,
    /// Its files, by their index among all, in order.
    files: Vec<usize>,
}

impl Project<'_> {
    fn speaks(&self, sources: &[Arc<Source>], language: Language) -> bool {
        self.files.iter().any(|&file| sources[file].language == language)
    }
}

/// The projects that the files are of; nothing where one is of none that is known.
fn projects<'a>(sources: &[Arc<Source>], homes: &'a [Home]) -> Option<Vec<Project<'a>>> {
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
    Some(projects)
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
