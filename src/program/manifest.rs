//! program/manifest: packages of Rust that a manifest takes by a path that leads into another project.

use std::path::{Component, Path, PathBuf};

use super::{Project, Said};

/// The pairs of projects of which one takes a package from the other.
pub(super) fn links(projects: &[Project<'_>], said: &[Said]) -> Vec<(usize, usize)> {
    let mut links = Vec::new();
    for (own, said) in said.iter().enumerate() {
        for package in &said.packages {
            let holds = |project: &Project<'_>| project.folders.iter().any(|top| package.starts_with(top));
            let others = (0..projects.len()).filter(|&other| other != own && holds(&projects[other]));
            links.extend(others.map(|other| (own, other)));
        }
    }
    links
}

/// The folders, as they are shown, of the packages that the manifest in a folder takes by a path.
pub(super) fn packages(text: &str, folder: &Path) -> Vec<PathBuf> {
    paths(text).map(|path| plain(&folder.join(path))).collect()
}

/// What a manifest gives as `path`, and the members of a workspace that lie above it.
fn paths(text: &str) -> impl Iterator<Item = &str> {
    text.split('"')
        .skip(1)
        .step_by(2)
        .filter(|path| path.contains('/') && path.starts_with("..") || *path == "..")
}

/// A path without `..` where that can be told from its parts.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        let goes_up = part == Component::ParentDir
            && plain.components().next_back().is_some_and(|last| matches!(last, Component::Normal(_)));
        if goes_up {
            plain.pop();
        } else if part != Component::CurDir {
            plain.push(part);
        }
    }
    plain
}
