//! project/scope: what a dotted path means where the code of a function reads it, imports inside functions included.

use crate::facts::{Function, FunctionKind, StepId, StepKind};
use crate::name::Name;

use super::{ClassId, FunctionId, Project, Symbol};

impl Project {
    /// What a path means in the code of a function, by what is imported or defined there and around it.
    pub fn symbol_in(&self, function: FunctionId, path: Name) -> Option<Symbol> {
        if !path.contains('.') {
            return self.name_in(function, path);
        }
        let mut parts = path.split('.').map(Name::new);
        let first = self.name_in(function, parts.next()?)?;
        parts.try_fold(first, |symbol, part| self.member(symbol, part))
    }

    /// What a name means in the code of a function.
    fn name_in(&self, function: FunctionId, name: Name) -> Option<Symbol> {
        let file = function.file;
        let mut at = Some(function.index as usize);
        while let Some(index) = at {
            let scope = &self.file(file).facts.functions[index];
            if scope.kind == FunctionKind::Module {
                break;
            }
            let is_seen = index == function.index as usize || scope.kind != FunctionKind::ClassBody;
            if is_seen && scope.bound.iter().any(|bound| bound.name == name) {
                return self.bound_in(FunctionId { file, index: index as u32 }, name);
            }
            at = scope.parent;
        }
        self.global(file, name)
    }

    /// What a whole dotted path, as settings write it, names, seen from a file.
    pub fn at_path(&self, from: super::FileId, path: &str) -> Option<Symbol> {
        let (module, name) = path.rsplit_once('.')?;
        self.member(self.absolute_module(from, Name::new(module)), Name::new(name))
    }

    /// What an expression of a function means, where it is a name or a path.
    pub fn symbol_of(&self, function: FunctionId, step: StepId) -> Option<Symbol> {
        let outline = self.function(function);
        match outline.steps[step as usize].kind {
            StepKind::Class(index) => {
                Some(Symbol::Class(ClassId { file: function.file, index: index as u32 }))
            }
            StepKind::Function(index) => {
                Some(Symbol::Function(FunctionId { file: function.file, index: index as u32 }))
            }
            StepKind::Name(name) => self.symbol_in(function, name),
            StepKind::Attribute { .. } => {
                let mut parts = Vec::new();
                let mut at = step;
                while let StepKind::Attribute { of, name } = outline.steps[at as usize].kind {
                    parts.push(name);
                    at = of;
                }
                let StepKind::Name(root) = outline.steps[at as usize].kind else { return None };
                let root = self.symbol_in(function, root)?;
                parts.into_iter().rev().try_fold(root, |symbol, part| self.member(symbol, part))
            }
            _ => None,
        }
    }

    /// The classes that an expression of a function can stand for: one by its name, or each of those a loop goes over.
    pub fn classes_at(&self, function: FunctionId, step: StepId) -> Option<Vec<ClassId>> {
        let outline = self.function(function);
        let class = |step: StepId| match self.symbol_of(function, step) {
            Some(Symbol::Class(class)) => Some(class),
            _ => None,
        };
        if let Some(class) = class(step) {
            return Some(vec![class]);
        }
        let StepKind::Name(name) = outline.steps[step as usize].kind else { return None };
        let bound = outline.bindings(name).next_back()?;
        let StepKind::Element(all) = outline.steps[bound as usize].kind else { return None };
        let StepKind::List(items) = &outline.steps[all as usize].kind else { return None };
        items.iter().map(|&item| class(item)).collect()
    }

    /// What the last statement that binds a name in a scope binds it to; nothing where that is no import or definition.
    fn bound_in(&self, id: FunctionId, name: Name) -> Option<Symbol> {
        let function = self.function(id);
        let value = function.bindings(name).next_back()?;
        match function.steps[value as usize].kind {
            StepKind::Import(index) => self.imported(id.file, index),
            StepKind::Class(index) => Some(Symbol::Class(ClassId { file: id.file, index: index as u32 })),
            StepKind::Function(index) => {
                Some(Symbol::Function(FunctionId { file: id.file, index: index as u32 }))
            }
            _ => None,
        }
    }
}

/// `a.b.c` as it is written; nothing for any other expression.
pub fn written_path(function: &Function, step: StepId) -> Option<Name> {
    let mut parts = Vec::new();
    let mut at = step;
    loop {
        match function.steps[at as usize].kind {
            // Most paths are a single name.
            StepKind::Name(name) if parts.is_empty() => return Some(name),
            StepKind::Name(name) => {
                parts.push(name.as_str());
                parts.reverse();
                return Some(Name::new(&parts.join(".")));
            }
            StepKind::Attribute { of, name } => {
                parts.push(name.as_str());
                at = of;
            }
            _ => return None,
        }
    }
}
