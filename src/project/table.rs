//! project/table: what the table of a mapped class is called, and which class a table belongs to.

use rustc_hash::FxHashMap;

use crate::facts::{Function, StepId, StepKind, Term};
use crate::name::Name;

use super::bare::{self, Stands};
use super::{ClassId, Project};

/// The table of a mapped class, in lower case; nothing where code computes the name in a way that is not followed.
pub(super) fn name(project: &Project, class: ClassId) -> Option<Name> {
    let own = project.class(class).name;
    let line = project.hierarchy(class);
    for ancestor in line.classes() {
        let facts = project.class(ancestor);
        for field in facts.fields.iter().rev() {
            match (&*field.name, &field.value) {
                ("__tablename__", Some(Term::Text(name))) => return Some(lower(name)),
                ("__tablename__", Some(_)) => return None,
                ("__table__", Some(value)) => return of_table(bare::made(project, ancestor.file, value)?),
                _ => {}
            }
        }
        let named = facts.methods.iter().find(|(name, _)| &**name == "__tablename__");
        if let Some((_, index)) = named {
            let function = &project.file(ancestor.file).facts.functions[*index];
            return is_lowered_class_name(function).then(|| lower(&own));
        }
    }
    if line.externals().any(|path| path.last() == "SQLModel") {
        return Some(lower(&own));
    }
    let is_flask = line.externals().any(|path| path.ends_with("db.Model"));
    is_flask.then(|| Name::new(&snake_case(&own)))
}

/// The class of each table that exactly one class of a language stands for; heirs that share the table stand behind its
/// first class.
pub(super) fn tables(project: &Project) -> FxHashMap<Name, Vec<ClassId>> {
    let mut by_table: FxHashMap<Name, Vec<ClassId>> = FxHashMap::default();
    for class in project.class_ids() {
        if let Some(table) = project.model(class).and_then(|model| model.table) {
            by_table.entry(table).or_default().push(class);
        }
    }
    // A table stands for itself only where no class does, and the SQL that makes it only where no code names it.
    let stands = |class: &ClassId| bare::stands(project.class(*class));
    for classes in by_table.values_mut() {
        if let Some(nearest) = classes.iter().map(stands).max() {
            classes.retain(|class| stands(class) == nearest);
        }
    }
    let first = |(table, classes): (Name, Vec<ClassId>)| {
        let is_heir = |class: &ClassId| {
            project.hierarchy(*class).classes().skip(1).any(|ancestor| classes.contains(&ancestor))
        };
        let only = |is_rust: bool| {
            let mut heads =
                classes.iter().filter(|class| project.is_rust(class.file) == is_rust && !is_heir(class));
            heads.next().filter(|_| heads.next().is_none()).copied()
        };
        let found: Vec<ClassId> = [only(false), only(true)].into_iter().flatten().collect();
        (!found.is_empty()).then_some((table, found))
    };
    by_table.into_iter().filter_map(first).collect()
}

/// Leaves what SQL makes out of the models where something in the code stands for the table.
pub(super) fn leave_named(project: &mut Project) {
    let (files, tables) = (&project.files, &project.tables);
    project.models.retain(|id, model| {
        let class = &files[id.file.0 as usize].facts.classes[id.index as usize];
        let is_it = || {
            let stands = model.table.and_then(|table| tables.get(&table));
            stands.is_some_and(|stands| stands.contains(id))
        };
        bare::stands(class) != Stands::Sql || is_it()
    });
}

/// The name in `Table("orders", metadata, …)`.
fn of_table(value: &Term) -> Option<Name> {
    match value {
        Term::Call { callee, arguments, .. } if matches!(&**callee, Term::Path(path) if path.last() == "Table") => {
            match arguments.first() {
                Some(Term::Text(name)) => Some(lower(name)),
                _ => None,
            }
        }
        _ => None,
    }
}

/// `return cls.__name__.lower()`, the one computed name that is common.
fn is_lowered_class_name(function: &Function) -> bool {
    let attribute = |step: StepId| match function.steps[step as usize].kind {
        StepKind::Attribute { of, name } => Some((of, name)),
        _ => None,
    };
    function.steps.iter().any(|step| {
        let StepKind::Return(Some(returned)) = step.kind else { return false };
        let StepKind::Call { callee, .. } = function.steps[returned as usize].kind else { return false };
        let Some((of, lower)) = attribute(callee) else { return false };
        let Some((_, name)) = attribute(of) else { return false };
        &*lower == "lower" && &*name == "__name__"
    })
}

fn lower(name: &str) -> Name {
    Name::new(&name.to_ascii_lowercase())
}

/// `OrderLine` is `order_line`, `HTTPCall` is `http_call`, as Flask-SQLAlchemy has it.
pub(super) fn snake_case(name: &str) -> String {
    let all: Vec<char> = name.chars().collect();
    let mut found = String::new();
    for (at, char) in all.iter().enumerate() {
        let begins = char.is_uppercase()
            && at > 0
            && (!all[at - 1].is_uppercase() || all.get(at + 1).is_some_and(|next| next.is_lowercase()));
        if begins && !found.ends_with('_') {
            found.push('_');
        }
        found.extend(char.to_lowercase());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::snake_case;

    #[test]
    fn flask_names_tables_after_classes() {
        for (class, table) in
            [("OrderLine", "order_line"), ("HTTPCall", "http_call"), ("User", "user"), ("A_B", "a_b")]
        {
            assert_eq!(snake_case(class), table);
        }
    }
}
