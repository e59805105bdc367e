//! project/schema: the tables that SQL files of the program make, as the last of them leaves them.
//!
//! Files run in the order of their versions, one folder of migrations after the other. Folders may be for different
//! databases; a table that two of them make has the columns of both.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::facts::{FileFacts, Function, Literal, StepId, StepKind};
use crate::name::Name;
use crate::source::{Language, Source};
use crate::sql;

use super::{FileId, FunctionId, Project, bare, module};
use definition::{Change, Definition, Said};
use version::Version;

mod definition;
mod version;

/// What SQL files say of the tables of the program.
#[derive(Clone, Debug, Default)]
pub(super) struct Schema {
    /// The files, in the order they run.
    files: Vec<FileId>,
    tables: BTreeMap<String, Table>,
    moved: BTreeMap<(FunctionId, StepId), Vec<Moved>>,
}

/// What a statement does to a whole table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moved {
    /// It is gone.
    Gone(String),
    /// It has another name.
    Renamed(String, String),
}

/// A column of a table, as SQL files leave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlColumn {
    /// Its name as it is written; what is not quoted is in lower case.
    pub name: Name,
    /// Whether the table fills it when an INSERT leaves it out: a default, a sequence, a computed value.
    pub is_filled: bool,
    /// Whether the table fills it with the time of an UPDATE that leaves it out, as MySQL does.
    pub on_update: bool,
    /// Whether it takes no NULL.
    pub is_required: bool,
    /// Where that was said last.
    pub place: (FunctionId, StepId),
}

#[derive(Clone, Debug, Default)]
struct Table {
    /// Where it was made; nothing where only changes of it are known.
    made: Option<(FunctionId, StepId)>,
    /// The schema it is in, where one is written.
    schema: Option<String>,
    /// The folders whose files make it.
    makers: BTreeSet<String>,
    /// In the order they were made.
    columns: Vec<SqlColumn>,
}

impl Project {
    /// The SQL files that make the tables, in the order they run.
    pub fn sql_files(&self) -> &[FileId] {
        &self.schema.files
    }

    /// The statements of an SQL file that define something, in their order.
    pub fn sql_statements(&self, file: FileId) -> impl Iterator<Item = (StepId, Name)> + '_ {
        statements(&self.file(file).facts)
    }

    /// What a statement of an SQL file does to whole tables.
    pub fn sql_moved(&self, file: FileId, step: StepId) -> &[Moved] {
        let place = (FunctionId { file, index: 0 }, step);
        self.schema.moved.get(&place).map_or(&[], Vec::as_slice)
    }

    /// The columns of all tables as SQL files leave them, each with its table's name in lower case.
    pub fn sql_columns(&self) -> impl Iterator<Item = (Name, &SqlColumn)> + '_ {
        self.schema.tables.iter().flat_map(|(table, known)| {
            let table = Name::new(table);
            known.columns.iter().map(move |column| (table, column))
        })
    }
}

/// Reads the SQL files of a program, and puts the tables they make among the classes of the files that make them. What
/// tests make is no table of the program.
pub(super) fn read(files: &mut [(Arc<Source>, FileFacts)]) -> Schema {
    let mut found: Vec<(String, Version, FileId)> = (0..)
        .zip(files.iter())
        .filter(|(_, (source, _))| source.language == Language::Sql && !module::is_of_tests(source))
        .map(|(index, (source, _))| {
            let (folder, version) = version::of(&source.display_path());
            (folder, version, FileId(index))
        })
        .collect();
    found.sort();
    let mut schema = Schema::default();
    for (folder, _, file) in found {
        schema.files.push(file);
        for (step, text) in statements(&files[file.0 as usize].1) {
            let place = (FunctionId { file, index: 0 }, step);
            let told = sql::tokens(&text).and_then(|tokens| definition::read(&tokens));
            if let Some(definition) = told {
                schema.apply(definition, &folder, place);
            }
        }
    }
    schema.read_code(files);
    schema.add_classes(files);
    schema
}

/// The texts of a function that may make tables, each by a step; what is put into a text is taken for some word.
fn texts_of_code(function: &Function) -> impl Iterator<Item = (StepId, String)> + '_ {
    let text = |step: StepId| match function.steps[step as usize].kind {
        StepKind::Literal(Literal::Text(text)) => Some(text.as_str()),
        _ => None,
    };
    (0..).zip(&function.steps).filter_map(move |(step, kind)| {
        let all = match &kind.kind {
            StepKind::Literal(Literal::Text(text)) => text.to_string(),
            StepKind::Format(parts) => parts.iter().map(|&part| text(part).unwrap_or("some_word")).collect(),
            _ => return None,
        };
        makes_tables(&all).then_some((step, all))
    })
}

fn makes_tables(text: &str) -> bool {
    const WORDS: &[u8] = b"create table";
    text.as_bytes().windows(WORDS.len()).any(|window| window.eq_ignore_ascii_case(WORDS))
}

/// The texts that an SQL file runs.
fn statements(facts: &FileFacts) -> impl Iterator<Item = (StepId, Name)> + '_ {
    let module = facts.functions.first();
    let steps = (0..).zip(module.into_iter().flat_map(|module| &module.steps));
    steps.filter_map(move |(step, kind)| {
        let StepKind::Call { arguments, .. } = &kind.kind else { return None };
        match module?.steps[arguments.first()?.value as usize].kind {
            StepKind::Literal(Literal::Text(text)) => Some((step, text)),
            _ => None,
        }
    })
}

impl Schema {
    fn apply(&mut self, definition: Definition, folder: &str, place: (FunctionId, StepId)) {
        match definition {
            Definition::Made { schema, table, columns, like, is_optional } => {
                let copied: Vec<SqlColumn> = like
                    .iter()
                    .filter_map(|other| self.tables.get(other))
                    .flat_map(|t| t.columns.clone())
                    .collect();
                let known = self.tables.entry(table).or_default();
                if is_optional && known.makers.contains(folder) {
                    return;
                }
                known.made.get_or_insert(place);
                known.schema = schema;
                known.makers.insert(folder.to_owned());
                copied.into_iter().for_each(|column| known.add(column));
                columns.into_iter().for_each(|said| known.add(column(said, place)));
            }
            Definition::Dropped(tables) => {
                for table in tables {
                    let Some(known) = self.tables.get_mut(&table) else { continue };
                    // The database of another folder still has it, or a script of another folder may never run.
                    known.makers.remove(folder);
                    if known.makers.is_empty() {
                        self.tables.remove(&table);
                        self.moved.entry(place).or_default().push(Moved::Gone(table));
                    }
                }
            }
            Definition::SchemaDropped(schemas) => {
                let moved = self.moved.entry(place).or_default();
                self.tables.retain(|name, table| {
                    let is_in = table.schema.as_ref().is_some_and(|schema| schemas.contains(schema));
                    moved.extend(is_in.then(|| Moved::Gone(name.clone())));
                    !is_in
                });
            }
            Definition::Renamed(pairs) => {
                for (from, to) in pairs {
                    let Some(table) = self.tables.get(&from).cloned() else { continue };
                    if table.makers.is_empty() || table.makers.contains(folder) {
                        self.tables.remove(&from);
                        self.moved.entry(place).or_default().push(Moved::Renamed(from, to.clone()));
                    }
                    let known = self.tables.entry(to).or_default();
                    known.made = known.made.or(table.made);
                    known.makers.extend(table.makers);
                    table.columns.into_iter().for_each(|column| known.add(column));
                }
            }
            Definition::Changed(table, changes) => {
                let known = self.tables.entry(table).or_default();
                changes.into_iter().for_each(|change| known.change(change, place));
            }
        }
    }

    /// Reads the texts in Rust code that make tables no file makes: a program may bring its schema along.
    fn read_code(&mut self, files: &[(Arc<Source>, FileFacts)]) {
        let known: BTreeSet<String> = self.tables.keys().cloned().collect();
        for (index, (source, facts)) in (0..).zip(files) {
            if source.language != Language::Rust || module::is_of_tests(source) {
                continue;
            }
            for (number, function) in (0..).zip(&facts.functions) {
                for (step, text) in texts_of_code(function) {
                    let place = (FunctionId { file: FileId(index), index: number }, step);
                    for tokens in text.split(';').filter_map(sql::tokens) {
                        match definition::read(&tokens) {
                            Some(made @ Definition::Made { .. }) if !made.makes_one_of(&known) => {
                                self.apply(made, "", place);
                            }
                            _ => {}
                        }
                    }
                }
            }
        }
    }

    /// Puts the tables that are known as a whole among the classes, in source order.
    fn add_classes(&self, files: &mut [(Arc<Source>, FileFacts)]) {
        let made = self.tables.iter().filter_map(|(name, table)| Some((table.made?, name, &table.columns)));
        let mut made: Vec<_> = made.filter(|(_, _, columns)| !columns.is_empty()).collect();
        made.sort_by_key(|(place, ..)| *place);
        for ((function, step), name, columns) in made {
            let facts = &mut files[function.file.0 as usize].1;
            let span = facts.functions[function.index as usize].steps[step as usize].span;
            facts.classes.push(bare::of_sql(Name::new(name), columns, span));
        }
    }
}

impl Table {
    fn column(&mut self, name: &str) -> Option<&mut SqlColumn> {
        self.columns.iter_mut().find(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// A column that is there already is the one that another database has, or one that is made where it is missing.
    fn add(&mut self, column: SqlColumn) {
        match self.column(&column.name) {
            Some(known) => {
                known.is_filled |= column.is_filled;
                known.on_update |= column.on_update;
                known.is_required &= column.is_required;
            }
            None => self.columns.push(column),
        }
    }

    fn change(&mut self, change: Change, place: (FunctionId, StepId)) {
        match change {
            Change::Add(said) => self.add(column(said, place)),
            Change::Drop(name) => self.columns.retain(|column| !column.name.eq_ignore_ascii_case(&name)),
            Change::Rename(from, to) => {
                if let Some(column) = self.column(&from) {
                    column.name = Name::new(&to);
                }
            }
            Change::Redefine(name, said) => match self.column(&name) {
                Some(known) => *known = column(said, place),
                None => self.columns.push(column(said, place)),
            },
            Change::Fill(name, is_filled) => match (self.made, self.column(&name)) {
                (_, Some(column)) => (column.is_filled, column.place) = (is_filled, place),
                // A table that is made elsewhere.
                (None, None) => {
                    self.columns.push(column(Said { name, is_filled, ..Said::default() }, place));
                }
                (Some(_), None) => {}
            },
            Change::Require(name, is_required) => {
                if let Some(column) = self.column(&name) {
                    column.is_required = is_required;
                }
            }
        }
    }
}

fn column(said: Said, place: (FunctionId, StepId)) -> SqlColumn {
    let Said { name, is_filled, on_update, is_required } = said;
    SqlColumn { name: Name::new(&name), is_filled, on_update, is_required, place }
}

#[cfg(test)]
mod tests {
    use crate::project::in_memory;

    /// The tables that files leave, a line each: columns with `=` for filled, `~` for filled on update, `!` for required.
    fn tables(files: &[(&str, &str)]) -> Vec<String> {
        let project = in_memory(files);
        let mut found: Vec<String> = Vec::new();
        for (table, column) in project.sql_columns() {
            let mark = |on: bool, mark: &'static str| if on { mark } else { "" };
            let marks =
                [mark(column.is_filled, "="), mark(column.on_update, "~"), mark(column.is_required, "!")]
                    .concat();
            let begins = format!("{table}:");
            if !found.last().is_some_and(|line| line.starts_with(&begins)) {
                found.push(begins);
            }
            let line = found.last_mut().expect("there is a line");
            line.push_str(&format!(" {}{marks}", column.name));
        }
        found
    }

    fn table(text: &str) -> Vec<String> {
        tables(&[("db/1.sql", text)])
    }

    #[test]
    fn tables_have_columns_that_they_fill_or_not() {
        let text = "CREATE TABLE IF NOT EXISTS shop.orders (
            id BIGSERIAL PRIMARY KEY, key bytea NOT NULL, \"createdAt\" timestamptz NOT NULL DEFAULT now(),
            note text COLLATE pg_catalog.\"default\" DEFAULT NULL, total numeric(10, 2) GENERATED ALWAYS AS (1 + 2) STORED,
            owner_id int REFERENCES users (id) ON UPDATE CASCADE ON DELETE SET DEFAULT,
            state text CHECK (state IN ('a', 'b')), number int GENERATED BY DEFAULT AS IDENTITY,
            CONSTRAINT u UNIQUE (key, note), UNIQUE (note), PRIMARY KEY (id), FOREIGN KEY (note) REFERENCES n (id),
            CHECK (total > 0), EXCLUDE USING gist (note WITH =)
        ) WITH (fillfactor = 70);";
        assert_eq!(table(text), ["orders: id=! key! createdAt=! note total= owner_id state number="]);
    }

    #[test]
    fn mysql_and_sqlite_have_words_of_their_own() {
        let text = "CREATE TABLE `orders` (
            `id` int NOT NULL AUTO_INCREMENT, `updated_at` datetime DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
            `touched` timestamp NULL ON UPDATE NOW(), `key` varchar(20), PRIMARY KEY (`id`), KEY `k` (`key`),
            UNIQUE KEY `u` (`key`(10)), FULLTEXT KEY `f` (`key`), INDEX (`key`)
        ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;";
        assert_eq!(table(text), ["orders: id=! updated_at=~ touched~ key"]);
        let text = "CREATE TABLE [order lines] (id INTEGER PRIMARY KEY AUTOINCREMENT, made TEXT DEFAULT (datetime('now')));";
        assert_eq!(table(text), ["order lines: id=! made="]);
    }

    #[test]
    fn later_statements_change_what_earlier_ones_made() {
        let text = "CREATE TABLE a (x int, y int DEFAULT 1 NOT NULL, z int);
            ALTER TABLE ONLY public.a ADD COLUMN IF NOT EXISTS w int DEFAULT 2, DROP COLUMN IF EXISTS z CASCADE,
                ALTER COLUMN y DROP DEFAULT, ALTER y DROP NOT NULL, ALTER COLUMN x SET DEFAULT f(1, 2), ADD CONSTRAINT c CHECK (x > 0);
            ALTER TABLE a RENAME COLUMN x TO v;
            ALTER TABLE a RENAME w TO u;
            ALTER TABLE a ALTER y TYPE bigint, ALTER v SET NOT NULL, ADD UNIQUE (v), ADD PRIMARY KEY (v);
            ALTER TABLE a RENAME TO b;";
        assert_eq!(table(text), ["b: v=! y u="]);
        let text = "CREATE TABLE `a` (`x` int, `y` int DEFAULT 1);
            ALTER TABLE `a` MODIFY COLUMN `x` int DEFAULT 3, CHANGE `y` `z` int NOT NULL AFTER `x`, ADD KEY `k` (`x`), ADD (`v` int, `w` int);
            RENAME TABLE `a` TO `b`;";
        assert_eq!(table(text), ["b: x= z! v w"]);
        // SQLite makes a table anew to change it.
        let text = "CREATE TABLE a (x int, y int); CREATE TABLE new_a (x int DEFAULT 1);
            DROP TABLE a; ALTER TABLE new_a RENAME TO a;";
        assert_eq!(table(text), ["a: x="]);
        assert_eq!(table("CREATE TABLE a (x int); DROP TABLE IF EXISTS b, a CASCADE;"), [""; 0]);
        let text =
            "CREATE TABLE q.a (x int); CREATE TABLE b (LIKE a INCLUDING ALL, y int); DROP SCHEMA q CASCADE;";
        assert_eq!(table(text), ["b: x y"]);
        assert_eq!(table("CREATE TEMP TABLE a (x int); CREATE TABLE b AS SELECT 1; CREATE TABLE"), [""; 0]);
    }

    #[test]
    fn migrations_run_in_the_order_of_their_versions() {
        let made = "CREATE TABLE a (x int);";
        let (first, second) = ("ALTER TABLE a ALTER x SET DEFAULT 1;", "ALTER TABLE a ALTER x DROP DEFAULT;");
        for [one, two, three] in [
            ["m/00000000000000_setup/up.sql", "m/20140924113530_a/up.sql", "m/2019-11-15-182353_b/up.sql"],
            ["m/20220101_a.up.sql", "m/20220202_b.up.sql", "m/20220303_c.up.sql"],
            ["m/V1__a.sql", "m/V2__b.sql", "m/V10__c.sql"],
        ] {
            assert_eq!(tables(&[(one, made), (two, first), (three, second)]), ["a: x"], "{three}");
            assert_eq!(tables(&[(one, made), (three, first), (two, second)]), ["a: x="], "{three}");
        }
    }

    #[test]
    fn what_code_says_of_a_table_goes_first() {
        let sql = ("m/1.sql", "CREATE TABLE orders (created_at int DEFAULT 1);");
        let bare = ("tables.py", "orders = Table('orders', metadata, Column('id', Integer))\n");
        let mapped = (
            "models.py",
            "class Base(DeclarativeBase): ...\nclass Order(Base):\n    __tablename__ = 'orders'\n    id = Column(Integer)\n",
        );
        for (files, name) in [
            (&[sql][..], "<sql table orders>"),
            (&[sql, bare], "<table orders>"),
            (&[sql, mapped], "Order"),
            (&[bare, mapped, sql], "Order"),
        ] {
            let project = in_memory(files);
            let class = project
                .model_of_table(crate::project::FileId(0), "public.Orders")
                .expect("something stands for the table");
            assert_eq!(project.class(class).qualname, name);
            let models = project.class_ids().into_iter().filter(|class| project.model(*class).is_some());
            let of_sql = models.filter(|class| project.class(*class).qualname.starts_with("<sql"));
            assert_eq!(of_sql.count(), usize::from(name.starts_with("<sql")));
            let column = project
                .model(class)
                .and_then(|model| model.columns.get(&crate::name::Name::new("created_at")));
            assert_eq!(column.map(|column| column.server_default), name.starts_with("<sql").then_some(true));
        }
    }

    #[test]
    fn folders_are_databases_of_their_own() {
        let files = [
            ("pg/1.sql", "CREATE TABLE a (x int DEFAULT 1); CREATE TABLE b (y int);"),
            ("sqlite/1.sql", "CREATE TABLE a (x int, z int);"),
            ("sqlite/2.sql", "DROP TABLE a;"),
            ("tests/1.sql", "CREATE TABLE t (x int);"),
            ("sqlite/3.down.sql", "DROP TABLE b;"),
            // Whether a script ever runs, nobody knows.
            ("scripts/1.sql", "DROP TABLE b; ALTER TABLE a RENAME TO old_a;"),
        ];
        assert_eq!(tables(&files), ["a: x= z", "b: y", "old_a: x="]);
    }
}
