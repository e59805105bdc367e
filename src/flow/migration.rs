//! flow/migration: what migrations, Alembic's and SQL files, say of the columns of tables: which have a default there.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::facts::{Argument, ArgumentKind, Function, Import, Imported, Literal, StepId, StepKind, Term};
use crate::name::Name;
use crate::project::{FileId, FunctionId, Project};

use super::{actor, rust};

/// The columns that migrations have made, by table and name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Migrated(BTreeMap<(Name, Name), Column>);

/// A column as the migrations leave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Column {
    /// Whether the table has a default for it.
    pub(super) has_default: bool,
    /// Where that was said last.
    pub(super) place: (FunctionId, StepId),
}

impl Migrated {
    /// What is known of a column.
    pub(super) fn column(&self, table: Name, column: Name) -> Option<Column> {
        self.0.get(&(table, column)).or_else(|| self.0.get(&(table, lower(column)))).copied()
    }
}

/// Goes through all migrations of the program, oldest first. What SQL files make, Alembic may change.
pub(super) fn migrated(project: &Project) -> Migrated {
    let of_sql = project.sql_columns().map(|(table, column)| {
        let known = Column { has_default: column.is_filled, place: column.place };
        ((table, lower(column.name)), known)
    });
    let mut columns = Migrated(of_sql.collect());
    for file in migrations(project) {
        for id in upgrades(project, file) {
            Reader { project, id, function: project.function(id), columns: &mut columns.0 }.read();
        }
    }
    for filled in rust::migration::filled(project) {
        let column = Column { has_default: true, place: filled.place };
        columns.0.insert((filled.table, filled.column), column);
    }
    columns
}

/// The migration files, each behind those it builds on.
pub(super) fn migrations(project: &Project) -> Vec<FileId> {
    // One that joins two branches may do nothing, and still stands between others.
    let is_migration = |file: &FileId| {
        operations(project, *file).is_some()
            || project.value_of(*file, Name::new("down_revision")).is_some()
                && !declared(project, *file, "revision").is_empty()
    };
    let all: Vec<FileId> = project.file_ids().filter(is_migration).collect();
    // By revision that some file makes: the files that build on it and wait for the first one to make it.
    let mut heirs: FxHashMap<Name, Vec<usize>> = FxHashMap::default();
    for &file in &all {
        heirs.extend(declared(project, file, "revision").into_iter().map(|revision| (revision, Vec::new())));
    }
    let mut awaited = vec![0; all.len()];
    for (number, &file) in all.iter().enumerate() {
        for below in declared(project, file, "down_revision") {
            if let Some(heirs) = heirs.get_mut(&below) {
                heirs.push(number);
                awaited[number] += 1;
            }
        }
    }
    let mut found: Vec<FileId> = Vec::new();
    let mut next: Vec<usize> = (0..all.len()).filter(|&number| awaited[number] == 0).collect();
    while !next.is_empty() {
        found.extend(next.iter().map(|&number| all[number]));
        let made = next.iter().flat_map(|&number| declared(project, all[number], "revision"));
        let mut ready: Vec<usize> = Vec::new();
        for heir in made.filter_map(|revision| heirs.remove(&revision)).flatten() {
            awaited[heir] -= 1;
            ready.extend((awaited[heir] == 0).then_some(heir));
        }
        ready.sort_unstable();
        next = ready;
    }
    // Those that build on each other in a circle: the order of files is as good as any.
    found.extend(all.iter().zip(&awaited).filter(|(_, awaited)| **awaited > 0).map(|(file, _)| *file));
    found
}

/// The functions of a migration but for those that take it back.
pub(super) fn upgrades(project: &Project, file: FileId) -> Vec<FunctionId> {
    let functions = &project.file(file).facts.functions;
    let goes_up = |function: &Function| function.qualname.split('.').all(|part| part != "downgrade");
    (0..).zip(functions).filter(|(_, f)| goes_up(f)).map(|(index, _)| FunctionId { file, index }).collect()
}

/// The name under which a file has Alembic's operations. The folder of migrations is often called `alembic`, too, so
/// the import statement is asked and not what it would mean in the project.
fn operations(project: &Project, file: FileId) -> Option<Name> {
    let mut imports = project.file(file).facts.imports.iter();
    let is_it =
        |import: &&Import| &*import.module == "alembic" && import.item == Imported::Item(Name::new("op"));
    imports.find(is_it).map(|import| import.binds)
}

fn declared(project: &Project, file: FileId, name: &str) -> Vec<Name> {
    let text = |term: &Term| match term {
        Term::Text(text) => Some(*text),
        _ => None,
    };
    match project.value_of(file, Name::new(name)) {
        Some(Term::List(all)) => all.iter().filter_map(text).collect(),
        Some(one) => text(one).into_iter().collect(),
        None => Vec::new(),
    }
}

/// Reads one function of a migration.
struct Reader<'a> {
    project: &'a Project,
    id: FunctionId,
    function: &'a Function,
    columns: &'a mut BTreeMap<(Name, Name), Column>,
}

impl Reader<'_> {
    fn read(mut self) {
        for (step, kind) in (0..).zip(&self.function.steps) {
            if let StepKind::Dictionary(entries) = &kind.kind {
                self.plan(step, entries);
            }
            let StepKind::Call { callee, arguments } = &kind.kind else { continue };
            let Some(path) = actor::path(self.function, *callee) else { continue };
            let Some((receiver, operation)) = path.rsplit_once('.') else { continue };
            let batch = self.batch(receiver, step);
            let is_operation = batch.is_some()
                || operations(self.project, self.id.file).is_some_and(|name| &*name == receiver);
            if !is_operation {
                continue;
            }
            let mut plain: Vec<StepId> = arguments
                .iter()
                .filter(|argument| argument.kind == ArgumentKind::Plain)
                .map(|argument| argument.value)
                .collect();
            if batch.is_none() && plain.is_empty() {
                plain.extend(keyword(arguments, "table_name").or(keyword(arguments, "old_table_name")));
            }
            if operation == "rename_table" && plain.len() == 1 {
                plain.extend(keyword(arguments, "new_table_name"));
            }
            for texts in self.turns(&plain) {
                let (table, first) = match batch {
                    Some(table) => (table, texts.first().copied().flatten()),
                    None => (texts.first().copied().flatten(), texts.get(1).copied().flatten()),
                };
                self.operation(step, operation, (table, first), &plain, arguments);
            }
        }
    }

    /// A plan of columns, table by table, that the migration goes through in a loop: `{"orders": [Column(…), …]}`.
    fn plan(&mut self, step: StepId, entries: &[(Option<StepId>, StepId)]) {
        for (key, value) in entries {
            let Some(table) = key.and_then(|key| self.text(key)) else { continue };
            let StepKind::List(items) = &self.function.steps[*value as usize].kind else { continue };
            for (name, has_default) in items.iter().filter_map(|&at| self.column(at)).collect::<Vec<_>>() {
                self.columns.insert((table, name), Column { has_default, place: (self.id, step) });
            }
        }
    }

    fn operation(
        &mut self,
        step: StepId,
        operation: &str,
        (table, first): (Option<Name>, Option<Name>),
        plain: &[StepId],
        arguments: &[Argument],
    ) {
        match (operation, table) {
            ("create_table" | "add_column", Some(table)) => {
                for &at in plain {
                    if let Some((name, has_default)) = self.column(at) {
                        self.columns.insert((table, name), Column { has_default, place: (self.id, step) });
                    }
                }
            }
            ("alter_column", table) => {
                let name = first.or_else(|| keyword(arguments, "column_name").and_then(|at| self.text(at)));
                let Some(name) = name else { return };
                let given = keyword(arguments, "server_default").and_then(|at| self.default(at));
                match (table, given) {
                    (Some(table), Some(has_default)) => {
                        self.columns.insert((table, name), Column { has_default, place: (self.id, step) });
                    }
                    // One table of many: of none is it certain any more.
                    (None, Some(_)) => self.columns.retain(|(_, column), _| *column != name),
                    (_, None) => {}
                }
                let renamed = keyword(arguments, "new_column_name").and_then(|at| self.text(at));
                if let (Some(table), Some(to)) = (table, renamed)
                    && let Some(column) = self.columns.remove(&(table, name))
                {
                    self.columns.insert((table, to), column);
                }
            }
            ("drop_column", Some(table)) => {
                if let Some(name) = first {
                    self.columns.remove(&(table, name));
                }
            }
            ("drop_table", Some(table)) => self.columns.retain(|(known, _), _| *known != table),
            ("rename_table", Some(table)) => {
                let Some(to) = first else { return };
                let of_table: Vec<_> = self.columns.keys().filter(|key| key.0 == table).copied().collect();
                for key in of_table {
                    if let Some(column) = self.columns.remove(&key) {
                        self.columns.insert((to, key.1), column);
                    }
                }
            }
            _ => {}
        }
    }

    /// The texts of the arguments of a call, once for each turn of the loop over pairs that gives them: `for old, new in
    /// RENAMES`. Outside of such a loop there is one turn.
    fn turns(&self, arguments: &[StepId]) -> Vec<Vec<Option<Name>>> {
        let parts: Vec<Option<(StepId, u32)>> = arguments.iter().map(|&at| self.part(at)).collect();
        let looped = parts.iter().flatten().next().and_then(|&(element, _)| self.pairs(element));
        let Some(pairs) = looped else {
            return vec![arguments.iter().map(|&at| self.text(at)).collect()];
        };
        let of_turn = |pair: &Vec<Option<Name>>| {
            let texts = arguments.iter().zip(&parts).map(|(&at, part)| match part {
                Some((_, index)) => pair.get(*index as usize).copied().flatten(),
                None => self.text(at),
            });
            texts.collect()
        };
        pairs.iter().map(of_turn).collect()
    }

    /// The element of a list, and the place in it, that a variable is unpacked from.
    fn part(&self, at: StepId) -> Option<(StepId, u32)> {
        let StepKind::Name(name) = self.function.steps[at as usize].kind else { return None };
        match self.function.steps[self.bound_before(name, at)? as usize].kind {
            StepKind::Part { of, index: Some(index) } => Some((of, index)),
            _ => None,
        }
    }

    /// The lists of texts that an element is one of, in lower case.
    fn pairs(&self, element: StepId) -> Option<Vec<Vec<Option<Name>>>> {
        let StepKind::Element(list) = self.function.steps[element as usize].kind else { return None };
        let texts_of = |items: &[StepId]| items.iter().map(|&at| self.text(at)).collect();
        let pair = |at: &StepId| match &self.function.steps[*at as usize].kind {
            StepKind::List(items) => Some(texts_of(items)),
            _ => None,
        };
        match &self.function.steps[list as usize].kind {
            StepKind::List(items) => items.iter().map(pair).collect(),
            StepKind::Name(name) => match self.project.value_of(self.id.file, *name)? {
                Term::List(items) => items.iter().map(texts_in).collect(),
                _ => None,
            },
            _ => None,
        }
    }

    /// The table of `with op.batch_alter_table("orders") as batch`, when a variable is such a batch.
    fn batch(&self, variable: &str, before: StepId) -> Option<Option<Name>> {
        let steps = &self.function.steps;
        let bound = self.bound_before(Name::new(variable), before)?;
        let StepKind::Enter(context) = steps[bound as usize].kind else { return None };
        let StepKind::Call { callee, arguments } = &steps[context as usize].kind else { return None };
        let path = actor::path(self.function, *callee)?;
        if path.last() != "batch_alter_table" {
            return None;
        }
        let first = arguments.iter().find(|argument| argument.kind == ArgumentKind::Plain);
        let table = first.map(|argument| argument.value).or_else(|| keyword(arguments, "table_name"));
        Some(table.and_then(|at| self.text(at)))
    }

    /// What a variable is bound to by the text above a step.
    fn bound_before(&self, variable: Name, before: StepId) -> Option<StepId> {
        self.function.steps[..before as usize].iter().rev().find_map(|step| match step.kind {
            StepKind::Bind { name, value, .. } if name == variable => Some(value),
            _ => None,
        })
    }

    /// `sa.Column("created_at", …, server_default=…)`: its name, and whether it has a default.
    fn column(&self, at: StepId) -> Option<(Name, bool)> {
        let StepKind::Call { callee, arguments } = &self.function.steps[at as usize].kind else {
            return None;
        };
        if actor::path(self.function, *callee)?.last() != "Column" {
            return None;
        }
        let name = arguments.first().filter(|argument| argument.kind == ArgumentKind::Plain)?;
        let given = keyword(arguments, "server_default").and_then(|at| self.default(at));
        Some((self.text(name.value)?, given.unwrap_or(false)))
    }

    /// What `server_default=` says: `None` takes the default away, `False` leaves it as it is.
    fn default(&self, at: StepId) -> Option<bool> {
        match self.function.steps[at as usize].kind {
            StepKind::Literal(Literal::None) => Some(false),
            StepKind::Literal(Literal::Switch(_)) => None,
            _ => Some(true),
        }
    }

    /// A text, in lower case: a literal, or a constant of the module.
    fn text(&self, at: StepId) -> Option<Name> {
        let text = match self.function.steps[at as usize].kind {
            StepKind::Literal(Literal::Text(text)) => text,
            StepKind::Name(name) => *declared(self.project, self.id.file, &name).first()?,
            _ => return None,
        };
        Some(Name::new(&text.to_ascii_lowercase()))
    }
}

fn lower(name: Name) -> Name {
    Name::new(&name.to_ascii_lowercase())
}

fn keyword(arguments: &[Argument], wanted: &str) -> Option<StepId> {
    let is_wanted =
        |argument: &&Argument| matches!(argument.kind, ArgumentKind::Keyword(name) if &*name == wanted);
    arguments.iter().find(is_wanted).map(|argument| argument.value)
}

/// The texts of a written list, in lower case.
fn texts_in(list: &Term) -> Option<Vec<Option<Name>>> {
    let Term::List(items) = list else { return None };
    let text = |term: &Term| match term {
        Term::Text(text) => Some(Name::new(&text.to_ascii_lowercase())),
        _ => None,
    };
    Some(items.iter().map(text).collect())
}
