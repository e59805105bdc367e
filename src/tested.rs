//! tested: which functions the tests of a scan reach, as far as code can tell that is not run.
//!
//! A test reaches what it calls, what that calls, and what it names on an object whose class it speaks of. Where only
//! the method's name is met, and no other function has it, it is perhaps reached. Whether a call is made under the
//! test's conditions is not asked: a coverage file knows that better.

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::{Function, FunctionKind, Imported, StepKind};
use crate::finding::Reached;
use crate::flow::Flow;
use crate::name::Name;
use crate::project::{File, FileId, FunctionId, Project};

/// What the tests of a scan reach.
#[derive(Debug)]
pub struct Tests {
    all: FxHashMap<FunctionId, Reached>,
    failing: FxHashMap<FunctionId, Reached>,
}

/// What a test says when it expects an error, or makes one.
const EXPECTATIONS: [&str; 6] =
    ["raises", "assertRaises", "assertRaisesMessage", "assertRaisesRegex", "side_effect", "RaisesGroup"];

/// Looks at the tests of a program; nothing where it has none.
pub fn tests(project: &Project, flow: &Flow, is_test: &dyn Fn(FileId) -> bool) -> Option<Tests> {
    let (tests, code): (Vec<FileId>, Vec<FileId>) = project.file_ids().partition(|&file| is_test(file));
    if tests.is_empty() {
        return None;
    }
    let named = Named::of(project, &code);
    let shared: FxHashSet<Name> = tests
        .iter()
        .map(|&file| project.file(file))
        .filter(|file| file.source.path.file_name().is_some_and(|name| name == "conftest.py"))
        .flat_map(words_of_file)
        .collect();
    let of_file = |&id: &FileId| {
        let (mut starts, mut failing): (Vec<_>, Vec<_>) = (Vec::new(), Vec::new());
        let file = project.file(id);
        let around: FxHashSet<Name> = words_of_file(file).collect();
        for (function, index) in file.facts.functions.iter().zip(0..) {
            let words: FxHashSet<Name> = words(function).collect();
            let mut reached = named.meant(&words, &|name| around.contains(&name) || shared.contains(&name));
            reached.push((FunctionId { file: id, index }, Reached::Yes));
            if words.iter().any(|word| EXPECTATIONS.contains(&word.as_str())) {
                failing.extend(reached.iter().copied());
            }
            starts.extend(reached);
        }
        (starts, failing)
    };
    let of_files: Vec<(Vec<_>, Vec<_>)> = tests.par_iter().map(of_file).collect();
    let all = closure(of_files.iter().flat_map(|(starts, _)| starts), flow);
    let failing = closure(of_files.iter().flat_map(|(_, failing)| failing), flow);
    Some(Tests { all, failing })
}

impl Tests {
    /// Whether a test reaches a function.
    pub fn reach(&self, function: FunctionId) -> Reached {
        self.all.get(&function).copied().unwrap_or(Reached::No)
    }

    /// Whether a test reaches a function that expects an error, or makes one.
    pub fn failing(&self, function: FunctionId) -> Reached {
        self.failing.get(&function).copied().unwrap_or(Reached::No)
    }
}

/// Everything that is reached from some functions, each as surely as the surest way to it.
fn closure<'s>(
    starts: impl Iterator<Item = &'s (FunctionId, Reached)> + Clone,
    flow: &Flow,
) -> FxHashMap<FunctionId, Reached> {
    let mut reached = FxHashMap::default();
    for sure in [Reached::Yes, Reached::Perhaps] {
        let mut open: Vec<FunctionId> =
            starts.clone().filter(|(_, how)| *how == sure).map(|(id, _)| *id).collect();
        while let Some(function) = open.pop() {
            if reached.contains_key(&function) {
                continue;
            }
            reached.insert(function, sure);
            open.extend(flow.outcomes.get(function).into_iter().flat_map(|outcome| &outcome.calls));
        }
    }
    reached
}

/// The functions that are not tests, by their own name.
struct Named<'p> {
    project: &'p Project,
    by_name: FxHashMap<Name, Vec<FunctionId>>,
}

impl<'p> Named<'p> {
    fn of(project: &'p Project, code: &[FileId]) -> Named<'p> {
        let mut by_name: FxHashMap<Name, Vec<FunctionId>> = FxHashMap::default();
        for &file in code {
            for (function, index) in project.file(file).facts.functions.iter().zip(0..) {
                if function.kind == FunctionKind::Function {
                    by_name.entry(function.name).or_default().push(FunctionId { file, index });
                }
            }
        }
        Named { project, by_name }
    }

    /// The functions that some words of a test mean, in a file that speaks of other names.
    fn meant(&self, words: &FxHashSet<Name>, speaks_of: &dyn Fn(Name) -> bool) -> Vec<(FunctionId, Reached)> {
        let mut meant = Vec::new();
        for functions in words.iter().filter_map(|word| self.by_name.get(word)) {
            for &id in functions {
                let class = self.project.class_of(id).map(|class| self.project.class(class).name);
                match class {
                    Some(class) if speaks_of(class) => meant.push((id, Reached::Yes)),
                    _ if functions.len() == 1 => meant.push((id, Reached::Perhaps)),
                    _ => {}
                }
            }
        }
        meant
    }
}

/// The names a function reads or calls.
fn words(function: &Function) -> impl Iterator<Item = Name> + '_ {
    function.steps.iter().filter_map(|step| match step.kind {
        StepKind::Name(name) | StepKind::Attribute { name, .. } => Some(name),
        _ => None,
    })
}

/// The names a file imports or reads anywhere.
fn words_of_file(file: &File) -> impl Iterator<Item = Name> + '_ {
    let imported = file.facts.imports.iter().filter_map(|import| match import.item {
        Imported::Item(name) => Some(name),
        _ => None,
    });
    imported.chain(file.facts.functions.iter().flat_map(words))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::*;
    use crate::flow;
    use crate::lower::lower;
    use crate::project::Roles;
    use crate::source::{Language, Source};

    const SERVICE: &str = "\
class Users:
    def add(self, name):
        return self._keep(name)

    def _keep(self, name):
        return name

    def rename(self, name):
        return name

    def forget(self, name):
        return name


class Teams:
    def rename(self, name):
        return name


def close(user):
    return user
";

    /// What tests reach of each function of the service, and what failing ones do.
    fn reached(tests: &[(&str, &str)]) -> Option<Vec<(String, Reached, Reached)>> {
        let files = [("app/users.py", SERVICE)].into_iter().chain(tests.iter().copied());
        let lowered = files.map(|(path, text)| {
            let source = Arc::new(Source::of_text(PathBuf::from(path), Language::Python, text));
            let facts = lower(&source);
            (source, facts)
        });
        let project = Project::new(lowered.collect(), Roles::default());
        let flow = flow::follow(&project);
        let is_test = |file: FileId| project.file(file).source.path.starts_with("tests");
        let found = super::tests(&project, &flow, &is_test)?;
        let ids = project.function_ids().into_iter().filter(|id| !is_test(id.file));
        let functions = ids.filter(|&id| project.function(id).kind == FunctionKind::Function);
        Some(
            functions
                .map(|id| (project.function(id).qualname.clone(), found.reach(id), found.failing(id)))
                .collect(),
        )
    }

    fn of(found: &[(String, Reached, Reached)], name: &str) -> (Reached, Reached) {
        let hit = found.iter().find(|(qualname, ..)| qualname == name).expect("the function is there");
        (hit.1, hit.2)
    }

    #[test]
    fn without_tests_nothing_is_known() {
        assert!(reached(&[]).is_none());
    }

    #[test]
    fn a_test_reaches_what_it_calls_and_what_that_calls() {
        let found = reached(&[(
            "tests/test_users.py",
            "from app.users import Users, close\n\ndef test_add():\n    close(Users().add('a'))\n",
        )])
        .expect("there are tests");
        assert_eq!(of(&found, "Users.add"), (Reached::Yes, Reached::No));
        assert_eq!(of(&found, "Users._keep").0, Reached::Yes, "a helper of what is tested");
        assert_eq!(of(&found, "close").0, Reached::Yes);
        assert_eq!(of(&found, "Users.forget").0, Reached::No);
        assert_eq!(of(&found, "Users.rename").0, Reached::No);
    }

    #[test]
    fn a_method_of_an_unknown_object_is_told_by_the_class_the_tests_speak_of() {
        let found = reached(&[
            ("tests/conftest.py", "from app.users import Users\n\ndef users():\n    return Users()\n"),
            (
                "tests/test_users.py",
                "import pytest\n\ndef test_it(users):\n    with pytest.raises(ValueError):\n        users.rename('')\n",
            ),
        ])
        .expect("there are tests");
        assert_eq!(of(&found, "Users.rename"), (Reached::Yes, Reached::Yes));
        assert_eq!(of(&found, "Teams.rename").0, Reached::No, "nobody speaks of teams");
        let alone = reached(&[("tests/test_users.py", "def test_it(users):\n    users.forget('')\n")]);
        assert_eq!(of(&alone.expect("there are tests"), "Users.forget"), (Reached::Perhaps, Reached::No));
    }
}
