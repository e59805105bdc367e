//! project/written: what a name or dotted path means where the code of a function writes it.

use crate::facts::{FunctionKind, StepId, StepKind};
use crate::name::Name;

use super::{FunctionId, Project, Symbol};

impl Project {
    /// What a step that reads a name or dotted path stands for. A function may import the name itself; of any other
    /// local value nothing is told.
    pub fn written(&self, id: FunctionId, step: StepId) -> Option<Symbol> {
        let mut behind = Vec::new();
        let mut at = step;
        let function = self.function(id);
        let first = loop {
            match function.steps[at as usize].kind {
                StepKind::Name(name) => break name,
                StepKind::Attribute { of, name } => {
                    behind.push(name);
                    at = of;
                }
                _ => return None,
            }
        };
        let first = self.written_name(id, first)?;
        behind.into_iter().rev().try_fold(first, |symbol, name| self.member(symbol, name))
    }

    fn written_name(&self, id: FunctionId, name: Name) -> Option<Symbol> {
        let functions = &self.file(id.file).facts.functions;
        let mut at = Some(id.index as usize);
        let mut is_innermost = true;
        while let Some(index) = at {
            let scope = &functions[index];
            if scope.kind == FunctionKind::Module {
                break;
            }
            let sees = is_innermost || scope.kind != FunctionKind::ClassBody;
            if sees && scope.bound.iter().any(|bound| bound.name == name) {
                let value = scope.steps.iter().find_map(|step| match step.kind {
                    StepKind::Bind { name: bound, value, .. } if bound == name => Some(value),
                    _ => None,
                })?;
                return match scope.steps[value as usize].kind {
                    StepKind::Import(index) => {
                        self.imported(id.file, &self.file(id.file).facts.imports[index])
                    }
                    StepKind::Function(index) => {
                        Some(Symbol::Function(FunctionId { file: id.file, index: index as u32 }))
                    }
                    _ => None,
                };
            }
            is_innermost = false;
            at = scope.parent;
        }
        self.global(id.file, name)
    }
}
