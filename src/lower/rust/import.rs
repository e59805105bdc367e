//! lower/rust/import: what `use` and `mod` bring into a scope.

use syn::UseTree;

use crate::facts::{Import, Imported, StepId, StepKind};
use crate::name::Name;
use crate::source::Span;

use super::body::Body;
use super::term::dotted;
use super::{name, span};

impl<'f> Body<'_, '_, 'f> {
    /// A `use` statement.
    pub(super) fn use_tree(&mut self, tree: &'f UseTree) {
        let mut waiting: Vec<(Vec<Name>, &'f UseTree)> = vec![(Vec::new(), tree)];
        while let Some((mut path, tree)) = waiting.pop() {
            match tree {
                UseTree::Path(inner) => {
                    path.push(name(&inner.ident));
                    waiting.push((path, &inner.tree));
                }
                UseTree::Group(group) => {
                    waiting.extend(group.items.iter().rev().map(|item| (path.clone(), item)));
                }
                UseTree::Name(item) => {
                    let own = name(&item.ident);
                    let binds = if &*own == "self" { path.last().copied() } else { Some(own) };
                    if let Some(binds) = binds {
                        self.use_item(path, own, binds, span(item));
                    }
                }
                UseTree::Rename(item) => {
                    let binds = name(&item.rename);
                    if &*binds != "_" {
                        self.use_item(path, name(&item.ident), binds, span(item));
                    }
                }
                UseTree::Glob(star) => {
                    let path = self.scope.path(&path);
                    // `use super::*` in a module of the same file: its names are there already.
                    if dotted(&path) == "self" {
                        continue;
                    }
                    let index = self.lower.facts.imports.len();
                    self.lower.facts.imports.push(Import {
                        module: Name::new(&dotted(&path)),
                        level: 0,
                        item: Imported::Star,
                        binds: Name::new("*"),
                        span: span(star),
                    });
                    self.function.stars.push(index);
                    self.emit(StepKind::Import(index), span(star));
                }
            }
        }
    }

    fn use_item(&mut self, mut path: Vec<Name>, own: Name, binds: Name, at: Span) {
        let mut item = own;
        if &*own == "self" {
            let Some(last) = path.pop() else { return };
            item = last;
        }
        let path = self.scope.path(&path);
        let import = match path.is_empty() {
            true => Import { module: item, level: 0, item: Imported::Module, binds, span: at },
            false => Import {
                module: Name::new(&dotted(&path)),
                level: 0,
                item: Imported::Item(item),
                binds,
                span: at,
            },
        };
        // `use crate::x;` in `x` itself would bind what the file is.
        self.bind_import(import);
    }

    /// A `mod` whose code lies in another file.
    pub(super) fn module_elsewhere(&mut self, ident: &syn::Ident) {
        let own = name(ident);
        let import = Import {
            module: Name::new("mod"),
            level: 0,
            item: Imported::Item(own),
            binds: own,
            span: span(ident),
        };
        self.bind_import(import);
    }

    /// A path that begins with `crate`, `self` or `super`: its root as a value.
    pub(super) fn root_of_path(&mut self, root: Name, at: Span) -> StepId {
        let index = self.lower.facts.imports.len();
        self.lower.facts.imports.push(Import {
            module: root,
            level: 0,
            item: Imported::Module,
            binds: root,
            span: at,
        });
        self.emit(StepKind::Import(index), at)
    }

    pub(super) fn bind_import(&mut self, import: Import) {
        let (binds, at) = (import.binds, import.span);
        let index = self.lower.facts.imports.len();
        self.lower.facts.imports.push(import);
        let value = self.emit(StepKind::Import(index), at);
        self.bind(binds, value, None, at);
    }
}
