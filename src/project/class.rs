//! project/class: what a class derives from, over files.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::facts::Term;
use crate::name::Name;

use super::{ClassId, FunctionId, Project, Symbol};

/// How many ancestors are followed; a longer line is taken for a cycle.
const MOST_ANCESTORS: usize = 256;

/// One class above another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ancestor {
    /// A class of the project.
    Project(ClassId),
    /// A class from outside, by its dotted path; for a variable or something unresolved, the path as written.
    External(Name),
}

/// A class and everything it derives from, itself first, in the order attributes are looked up.
#[derive(Clone, Debug, Default)]
pub struct Hierarchy {
    /// The line of ancestors.
    pub line: Vec<Ancestor>,
}

impl Hierarchy {
    /// The classes of the project in the line, the class itself first.
    pub fn classes(&self) -> impl Iterator<Item = ClassId> + '_ {
        self.line.iter().filter_map(|ancestor| match ancestor {
            Ancestor::Project(class) => Some(*class),
            Ancestor::External(_) => None,
        })
    }

    /// The external classes in the line.
    pub fn externals(&self) -> impl Iterator<Item = Name> + '_ {
        self.line.iter().filter_map(|ancestor| match ancestor {
            Ancestor::External(path) => Some(*path),
            Ancestor::Project(_) => None,
        })
    }
}

impl Project {
    /// The type that a class is, or only adds to.
    pub fn completed(&self, class: ClassId) -> ClassId {
        self.completed.get(&class).copied().unwrap_or(class)
    }

    /// The method a class or its ancestors define under a name; the last definition in a class counts.
    pub fn method(&self, class: ClassId, name: Name) -> Option<FunctionId> {
        self.hierarchy(class).classes().find_map(|class| self.own_method(class, name))
    }

    /// The blocks that only add to a type.
    pub fn added_to(&self, class: ClassId) -> impl Iterator<Item = ClassId> + '_ {
        self.additions.get(&class).into_iter().flatten().copied()
    }

    /// All methods of that name of a type and of the blocks that add to it.
    pub fn methods_named(&self, class: ClassId, name: Name) -> Vec<FunctionId> {
        let added = self.added_to(class);
        let of = |class: ClassId| {
            let methods = self.class(class).methods.iter().filter(move |(method, _)| *method == name);
            methods.map(move |&(_, index)| FunctionId { file: class.file, index: index as u32 })
        };
        std::iter::once(class).chain(added).flat_map(of).collect()
    }

    /// The method the ancestors of a class define under a name, as `super()` finds it.
    pub fn inherited_method(&self, class: ClassId, name: Name) -> Option<FunctionId> {
        self.hierarchy(class).classes().skip(1).find_map(|class| self.own_method(class, name))
    }

    /// The method that `super()` finds in a mixin: what follows it in the lines of its heirs, where they agree.
    pub fn following_method(&self, class: ClassId, name: Name) -> Option<FunctionId> {
        let heirs = self.heirs.get(&class).map_or(&[][..], Vec::as_slice);
        let following = |heir: &ClassId| {
            let behind = self.hierarchy(*heir).classes().skip_while(|above| *above != class).skip(1);
            behind.into_iter().find_map(|above| self.own_method(above, name))
        };
        let mut found = heirs.iter().filter_map(following);
        let first = found.next()?;
        found.all(|other| other == first).then_some(first)
    }

    /// The methods of that name that the heirs of a class define.
    pub fn overrides(&self, class: ClassId, name: Name) -> Vec<FunctionId> {
        let heirs = self.heirs.get(&class).map_or(&[][..], Vec::as_slice);
        heirs.iter().filter_map(|&heir| self.own_method(heir, name)).collect()
    }

    /// A class with all that it derives from and all that derive from it.
    pub fn family(&self, class: ClassId) -> Vec<ClassId> {
        let heirs = self.heirs.get(&class).map_or(&[][..], Vec::as_slice);
        self.hierarchy(class).classes().chain(heirs.iter().copied()).collect()
    }

    /// The classes that derive from a class, in their order.
    pub fn heirs_of(&self, class: ClassId) -> &[ClassId] {
        self.heirs.get(&class).map_or(&[], Vec::as_slice)
    }

    fn own_method(&self, class: ClassId, name: Name) -> Option<FunctionId> {
        let of = |class: ClassId| {
            let methods = &self.class(class).methods;
            let &(_, index) = methods.iter().rev().find(|(method, _)| *method == name)?;
            Some(FunctionId { file: class.file, index: index as u32 })
        };
        of(class).or_else(|| self.additions.get(&class)?.iter().find_map(|&block| of(block)))
    }

    /// The value a class or its ancestors give a name in their body.
    pub fn class_field(&self, class: ClassId, name: Name) -> Option<(ClassId, &crate::facts::Field)> {
        self.hierarchy(class).classes().find_map(|class| {
            let field = self.class(class).fields.iter().rev().find(|field| field.name == name)?;
            Some((class, field))
        })
    }

    /// The dotted path a base class is written with.
    fn base(&self, class: ClassId, base: &Term) -> Option<Ancestor> {
        match base {
            Term::Path(path) => {
                let found = self.resolve_in_scope(class, *path);
                Some(match found {
                    Some(Symbol::Class(other)) if other != class => Ancestor::Project(other),
                    Some(Symbol::External(path)) => Ancestor::External(path),
                    // `Base = declarative_base()`: what is called says what the variable is.
                    Some(Symbol::Variable(file, name)) => match self.declared_call(file, name) {
                        Some(Symbol::External(path)) => Ancestor::External(path),
                        _ => Ancestor::External(*path),
                    },
                    _ => Ancestor::External(*path),
                })
            }
            Term::Generic { base, .. } => self.base(class, base),
            Term::Call { callee, .. } => self.base(class, callee),
            _ => None,
        }
    }

    fn resolve_in_scope(&self, class: ClassId, path: Name) -> Option<Symbol> {
        let facts = self.class(class);
        let first = path.split('.').next().unwrap_or(&path);
        // A class beside it in the same function or class body comes first.
        let scope = &self.file(class.file).facts.functions[facts.scope];
        let prefix = facts.qualname.rsplit_once('.').map_or("", |(prefix, _)| prefix);
        if scope.parent.is_some() && !prefix.is_empty() {
            let beside = format!("{prefix}.{first}");
            let classes = &self.file(class.file).facts.classes;
            if let Some(index) =
                classes.iter().position(|other| other.qualname == beside && path.as_str() == first)
            {
                return Some(Symbol::Class(ClassId { file: class.file, index: index as u32 }));
            }
        }
        self.resolve_path(class.file, path)
    }

    /// What is called to make the value of a variable at the top level of a module.
    pub fn declared_call(&self, file: super::FileId, name: Name) -> Option<Symbol> {
        let Term::Call { callee, .. } = self.value_of(file, name)? else { return None };
        let Term::Path(path) = **callee else { return None };
        self.resolve_path(file, path)
    }
}

/// By block that only adds to a type declared elsewhere: the type.
pub(super) fn completed(project: &Project) -> FxHashMap<ClassId, ClassId> {
    let next = |class: ClassId| {
        let path = project.class(class).adds_to?;
        match project.resolve_path(class.file, path) {
            Some(Symbol::Class(target)) if target != class => Some(target),
            _ => None,
        }
    };
    // What adds to an addition adds to what that adds to.
    let target = |class: ClassId| {
        let first = next(class)?;
        Some((class, next(first).filter(|second| *second != class).unwrap_or(first)))
    };
    project.class_ids().into_iter().filter_map(target).collect()
}

/// By type: the blocks that add to it, in their order.
pub(super) fn additions(project: &Project) -> FxHashMap<ClassId, Vec<ClassId>> {
    let mut found: FxHashMap<ClassId, Vec<ClassId>> = FxHashMap::default();
    for class in project.class_ids() {
        if let Some(&target) = project.completed.get(&class) {
            found.entry(target).or_default().push(class);
        }
    }
    found
}

/// By class: the classes that derive from it, in their order.
pub(super) fn heirs(project: &Project) -> FxHashMap<ClassId, Vec<ClassId>> {
    let mut found: FxHashMap<ClassId, Vec<ClassId>> = FxHashMap::default();
    for class in project.class_ids() {
        for ancestor in project.hierarchy(class).classes().skip(1) {
            found.entry(ancestor).or_default().push(class);
        }
    }
    found
}

/// The lines of ancestors of all classes.
pub(super) fn hierarchies(project: &Project) -> FxHashMap<ClassId, Hierarchy> {
    let of_class = |&class: &ClassId| {
        let added = project.additions.get(&class).into_iter().flatten().copied();
        let completed = project.completed.get(&class).copied().map(Ancestor::Project);
        let above = std::iter::once(class).chain(added).flat_map(|block| {
            project.class(block).bases.iter().filter_map(move |base| project.base(block, base))
        });
        let above = completed.into_iter().chain(above);
        (class, above.filter(|above| *above != Ancestor::Project(class)).collect())
    };
    let classes = project.class_ids();
    let bases: FxHashMap<ClassId, Vec<Ancestor>> = classes.par_iter().map(of_class).collect();
    let line = |class: ClassId| {
        let mut line = Vec::new();
        let mut waiting = vec![Ancestor::Project(class)];
        // Code may say that classes derive from each other in a circle; the count ends that.
        let mut turns = 0;
        while let Some(next) = waiting.pop() {
            turns += 1;
            if turns > MOST_ANCESTORS {
                break;
            }
            // A class met on two ways is looked up where the later way puts it, behind its other heirs.
            if let Some(at) = line.iter().position(|known| *known == next) {
                if at == 0 {
                    continue;
                }
                line.remove(at);
            }
            line.push(next);
            if let Ancestor::Project(class) = next {
                waiting.extend(bases[&class].iter().rev());
            }
        }
        Hierarchy { line }
    };
    classes.par_iter().map(|&class| (class, line(class))).collect()
}
