//! lower/sql: SQL files: their statements one after the other, as texts that are run.
//!
//! Only what defines tables, triggers and functions becomes a step; rows that a file puts into tables are data. The
//! text is cut by hand, in one pass over its bytes: files of the clients of databases hold more than SQL.

use crate::facts::{Argument, ArgumentKind, FileFacts, FunctionKind, Literal, LocalGap, StepId, StepKind};
use crate::name::Name;
use crate::source::{Source, Span};
use crate::sql::is_mysql;

use super::outline::{Outline, empty_function};

/// The longest file that is looked into; what is longer is data.
const LONGEST: usize = 1 << 24;

/// The longest statement that defines something.
const LONGEST_STATEMENT: usize = 1 << 18;

/// How many words of a statement are looked at to tell what it does.
const MOST_WORDS: usize = 12;

/// What an SQL file says. One that takes a migration back is not run.
pub(super) fn lower(source: &Source) -> FileFacts {
    let name = source.path.file_name().and_then(|name| name.to_str()).unwrap_or("");
    let takes_back = name == "down.sql" || name.ends_with(".down.sql");
    said(if takes_back { "" } else { &source.text })
}

fn said(text: &str) -> FileFacts {
    let mut facts = FileFacts::default();
    let mut module = empty_function(Name::new("<module>"), "<module>".into(), FunctionKind::Module);
    module.span = Span::new(0..text.len());
    let mut outline = Outline::of(module);
    let mut gap = |at: usize, reason: &str| {
        facts.gaps.push(LocalGap { span: Span::new(at..text.len()), reason: reason.to_owned() });
    };
    if text.len() > LONGEST {
        gap(0, "longer than 16 MiB: taken for data");
    } else {
        let mut cutter = Cutter::of(text);
        while let Some(statement) = cutter.statement() {
            if !statement.defines() {
                continue;
            }
            if statement.end - statement.start > LONGEST_STATEMENT {
                gap(statement.start, "a statement longer than 256 KiB is not read");
                continue;
            }
            let span = Span::new(statement.start..statement.end);
            let written = Name::new(&text[statement.start..statement.end]);
            let callee = outline.emit(StepKind::Name(Name::new("execute")), span);
            let value: StepId = outline.emit(StepKind::Literal(Literal::Text(written)), span);
            let arguments = vec![Argument { kind: ArgumentKind::Plain, value }];
            outline.emit(StepKind::Call { callee, arguments: arguments.into() }, span);
        }
        if let Some((at, reason)) = cutter.fault {
            gap(at, reason);
        }
    }
    facts.functions.push(outline.ended());
    facts
}

/// One statement.
#[derive(Debug, Default)]
struct Statement {
    start: usize,
    end: usize,
    /// Its first words outside of quotes, in capital letters.
    words: Vec<String>,
}

impl Statement {
    /// Whether it defines or drops a table, a trigger or a function, or asks a function to.
    fn defines(&self) -> bool {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        match &words[..] {
            ["CREATE" | "ALTER" | "DROP", ..] => self.kind().is_some(),
            ["RENAME", "TABLE", ..] => true,
            // `SELECT diesel_manage_updated_at('users')`, and nothing that reads.
            ["SELECT", _] | ["SELECT", _, "REGCLASS"] => true,
            _ => false,
        }
    }

    fn kind(&self) -> Option<&str> {
        let kind = self.words.iter().skip(1).find(|word| KINDS.contains(&word.as_str()))?;
        READ.contains(&kind.as_str()).then_some(kind)
    }

    /// Whether other statements may stand in it.
    fn has_body(&self) -> bool {
        self.words.first().is_some_and(|word| word == "CREATE")
            && self.kind().is_some_and(|kind| matches!(kind, "TRIGGER" | "FUNCTION" | "PROCEDURE"))
    }

    fn begins_with(&self, word: &str) -> bool {
        self.words.first().is_some_and(|first| first == word)
    }
}

/// What statements may create, alter or drop.
const KINDS: &[&str] = &[
    "AGGREGATE",
    "CAST",
    "COLLATION",
    "DATABASE",
    "DOMAIN",
    "EVENT",
    "EXTENSION",
    "FUNCTION",
    "INDEX",
    "LANGUAGE",
    "MATERIALIZED",
    "OPERATOR",
    "POLICY",
    "PROCEDURE",
    "PUBLICATION",
    "ROLE",
    "ROUTINE",
    "RULE",
    "SCHEMA",
    "SEQUENCE",
    "SERVER",
    "STATISTICS",
    "SUBSCRIPTION",
    "TABLE",
    "TABLESPACE",
    "TRIGGER",
    "TYPE",
    "USER",
    "VIEW",
];

/// Those of them that are read.
const READ: &[&str] = &["FUNCTION", "PROCEDURE", "SCHEMA", "TABLE", "TRIGGER"];

/// Cuts a text into statements.
struct Cutter<'t> {
    text: &'t str,
    at: usize,
    /// What ends a statement; MySQL's client lets files choose.
    delimiter: &'t str,
    is_mysql: bool,
    /// Where the text stops making sense, and why.
    fault: Option<(usize, &'static str)>,
}

impl<'t> Cutter<'t> {
    fn of(text: &'t str) -> Cutter<'t> {
        Cutter { text, at: 0, delimiter: ";", is_mysql: is_mysql(text), fault: None }
    }

    /// The next statement, without what ends it.
    fn statement(&mut self) -> Option<Statement> {
        let mut found = Statement { start: self.text.len(), ..Statement::default() };
        // How many `BEGIN` and `CASE` of a body are open; an `END` too many is somebody's name.
        let mut open = 0_i32;
        let mut before = String::new();
        while self.fault.is_none() && self.at < self.text.len() {
            let rest = &self.text[self.at..];
            if rest.starts_with(self.delimiter) && open <= 0 {
                found.end = self.at.max(found.start);
                self.at += self.delimiter.len();
                if found.begins_with("COPY") && found.words.iter().any(|word| word == "STDIN") {
                    self.rows();
                }
                return Some(found);
            }
            let start = self.at;
            let byte = rest.as_bytes()[0];
            match byte {
                _ if byte.is_ascii_whitespace() => {
                    self.at += 1;
                    continue;
                }
                b'-' if rest.starts_with("--") => {
                    self.line();
                    continue;
                }
                b'#' if self.is_mysql => {
                    self.line();
                    continue;
                }
                b'\\' if found.words.is_empty() && found.start >= start => {
                    // A command of PostgreSQL's client.
                    self.line();
                    continue;
                }
                // MySQL hides code in comments: `/*!50003 CREATE TRIGGER … */`.
                b'/' if self.is_mysql && rest.starts_with("/*!") => {
                    self.at += 3 + rest[3..].bytes().take_while(u8::is_ascii_digit).count();
                }
                b'*' if self.is_mysql && rest.starts_with("*/") => self.at += 2,
                b'/' if rest.starts_with("/*") => {
                    self.comment();
                    continue;
                }
                b'\'' | b'"' | b'`' => self.quoted(byte),
                b'$' => self.dollars(),
                _ if begins_word(byte) => {
                    let length = rest.bytes().take_while(|&byte| is_of_word(byte)).count();
                    self.at += length;
                    found.start = found.start.min(start);
                    found.end = self.at;
                    // Of long lists of values nothing needs to be known.
                    let has_body = found.has_body();
                    if found.words.len() == MOST_WORDS && !has_body {
                        continue;
                    }
                    let word = rest[..length].to_ascii_uppercase();
                    if found.words.is_empty() && word == "DELIMITER" && found.start == start {
                        self.choose_delimiter();
                        found.start = self.text.len();
                        continue;
                    }
                    if has_body {
                        let ends = before == "END";
                        match word.as_str() {
                            "BEGIN" => open += 1,
                            "CASE" if !ends => open += 1,
                            "END" => open -= 1,
                            // `END IF` ends what has not been counted.
                            "IF" | "LOOP" | "WHILE" | "REPEAT" | "FOR" if ends => open += 1,
                            _ => {}
                        }
                    }
                    if found.words.len() < MOST_WORDS {
                        found.words.push(word.clone());
                    }
                    before = word;
                }
                _ => {
                    self.at += rest.chars().next().map_or(1, char::len_utf8);
                    before.clear();
                }
            }
            found.start = found.start.min(start);
            found.end = self.at;
        }
        // What is left behind the last delimiter is a statement, too.
        (found.start < found.end && self.fault.is_none()).then_some(found)
    }

    fn fail(&mut self, reason: &'static str) {
        self.fault = Some((self.at, reason));
    }

    /// Goes behind the end of the line.
    fn line(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.find('\n').map_or(rest.len(), |end| end + 1);
    }

    /// `DELIMITER //`.
    fn choose_delimiter(&mut self) {
        let start = self.at;
        self.line();
        let chosen = self.text[start..self.at].trim();
        if !chosen.is_empty() {
            self.delimiter = chosen;
        }
    }

    /// Goes behind the rows that follow `COPY … FROM stdin;`.
    fn rows(&mut self) {
        self.line();
        while self.at < self.text.len() {
            let start = self.at;
            self.line();
            if self.text[start..self.at].trim_end() == "\\." {
                return;
            }
        }
    }

    /// Goes behind a comment; PostgreSQL lets them nest.
    fn comment(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        let (mut depth, mut at) = (1_usize, 2);
        while depth > 0 {
            match rest.get(at..at + 2) {
                Some(b"*/") => {
                    depth -= 1;
                    at += 2;
                }
                Some(b"/*") if !self.is_mysql => {
                    depth += 1;
                    at += 2;
                }
                Some(_) => at += 1,
                None => return self.fail("a comment that does not end"),
            }
        }
        self.at += at;
    }

    /// A text or a name between quotes; two quotes in it are one.
    fn quoted(&mut self, quote: u8) {
        let bytes = self.text.as_bytes();
        let before = |back: usize| self.at.checked_sub(back).map(|at| bytes[at]);
        // `E'it\'s'` in PostgreSQL.
        let is_marked = matches!(before(1), Some(b'e' | b'E')) && !before(2).is_some_and(is_of_word);
        let escapes = quote != b'`' && (self.is_mysql || is_marked && quote == b'\'');
        let mut at = self.at + 1;
        loop {
            match bytes.get(at) {
                Some(b'\\') if escapes => at += 2,
                Some(&byte) if byte == quote && bytes.get(at + 1) == Some(&quote) => at += 2,
                Some(&byte) if byte == quote => break,
                Some(_) => at += 1,
                None => return self.fail("a quoted text that does not end"),
            }
        }
        self.at = at + 1;
    }

    /// `$$ … $$` and `$body$ … $body$`; a parameter is nothing but a dollar sign and a number.
    fn dollars(&mut self) {
        let rest = &self.text[self.at..];
        let is_part = self.at > 0 && is_of_word(self.text.as_bytes()[self.at - 1]);
        let tag = rest[1..].bytes().take_while(|&byte| is_of_word(byte) && byte != b'$').count();
        let is_tag =
            !is_part && rest.as_bytes().get(tag + 1) == Some(&b'$') && !rest.as_bytes()[1].is_ascii_digit();
        if !is_tag {
            self.at += 1;
            return;
        }
        let mark = &rest[..tag + 2];
        match rest[mark.len()..].find(mark) {
            Some(end) => self.at += end + 2 * mark.len(),
            None => self.fail("a text between dollar signs that does not end"),
        }
    }
}

fn begins_word(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || !byte.is_ascii()
}

fn is_of_word(byte: u8) -> bool {
    begins_word(byte) || byte.is_ascii_digit() || byte == b'$'
}

#[cfg(test)]
mod tests {
    use super::{lower, said};
    use crate::facts::{Literal, StepKind};
    use crate::source::{Language, Source};

    /// The statements that a text runs, and the reasons of its gaps.
    fn run(text: &str) -> Vec<String> {
        let facts = said(text);
        let module = &facts.functions[0];
        let texts = module.steps.iter().filter_map(|step| match step.kind {
            StepKind::Literal(Literal::Text(written)) => {
                assert_eq!(&text[step.span.range()], written.as_str());
                Some(written.to_string())
            }
            _ => None,
        });
        texts.chain(facts.gaps.into_iter().map(|gap| gap.reason)).collect()
    }

    #[test]
    fn statements_that_define_are_run_and_data_is_not() {
        let text = "-- why; not\nBEGIN;\nCREATE TABLE a (x text DEFAULT ';');\nINSERT INTO a VALUES ('CREATE TABLE b');\n\
                    CREATE UNIQUE INDEX i ON a (x); /* DROP TABLE a; /* nested */ */\nalter table only a add y int;\n\
                    SELECT diesel_manage_updated_at('a');\nSELECT x FROM a;\nSELECT count(*), x FROM a;\nDROP TABLE a";
        assert_eq!(
            run(text),
            [
                "CREATE TABLE a (x text DEFAULT ';')",
                "alter table only a add y int",
                "SELECT diesel_manage_updated_at('a')",
                "DROP TABLE a"
            ]
        );
        assert_eq!(run(""), [""; 0]);
        assert_eq!(run(" ;;\n; "), [""; 0]);
    }

    #[test]
    fn what_takes_a_migration_back_is_not_run() {
        let steps = |path: &str| {
            let facts = lower(&Source::of_text(path, Language::Sql, "DROP TABLE a;"));
            facts.functions[0].steps.len()
        };
        assert_eq!(["1_a/up.sql", "1_a/down.sql", "1_a.down.sql", "drop-down.sql"].map(steps), [3, 0, 0, 3]);
    }

    #[test]
    fn bodies_stay_whole() {
        let postgres = "CREATE FUNCTION f() RETURNS trigger AS $f$ BEGIN NEW.a = '$$;'; RETURN NEW; END; $f$ LANGUAGE plpgsql";
        let sqlite =
            "CREATE TRIGGER t AFTER UPDATE ON a BEGIN UPDATE a SET x = CASE WHEN 1 THEN 2 END; SELECT 1; END";
        let mysql = "CREATE TRIGGER t BEFORE UPDATE ON `a` FOR EACH ROW BEGIN IF 1 THEN SET NEW.x = 'it\\'s;'; END IF; END";
        let plain = "CREATE TRIGGER u BEFORE UPDATE ON a FOR EACH ROW EXECUTE FUNCTION f()";
        assert_eq!(run(&format!("{postgres};\n{plain};")), [postgres, plain]);
        assert_eq!(run(&format!("{sqlite};\n{plain};")), [sqlite, plain]);
        assert_eq!(run(&format!("{mysql};\n{plain}")), [mysql, plain]);
    }

    #[test]
    fn what_clients_of_databases_read_is_no_sql() {
        let text =
            "\\set user `echo \"it's\"`\nCOPY a (x) FROM stdin;\nit's; $$\n\\.\nCREATE TABLE b (x int);";
        assert_eq!(run(text), ["CREATE TABLE b (x int)"]);
        let text = "DELIMITER //\nCREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW BEGIN SET @x = 1; END //\nDELIMITER ;\n\
                    DROP TABLE c;\n/*!50003 CREATE*/ /*!50003 TRIGGER `u` BEFORE INSERT ON `a` FOR EACH ROW SET @x = 1 */;";
        assert_eq!(
            run(text),
            [
                "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW BEGIN SET @x = 1; END ",
                "DROP TABLE c",
                "/*!50003 CREATE*/ /*!50003 TRIGGER `u` BEFORE INSERT ON `a` FOR EACH ROW SET @x = 1 */"
            ]
        );
    }

    #[test]
    fn what_does_not_end_is_a_gap_behind_what_did() {
        let table = "CREATE TABLE a (x int)";
        for (rest, reason) in [
            ("'it", "a quoted text that does not end"),
            ("/* /* */", "a comment that does not end"),
            ("$a$ x", "a text between dollar signs that does not end"),
        ] {
            assert_eq!(run(&format!("{table};\nSELECT {rest}")), [table, reason]);
        }
    }

    #[test]
    fn whatever_stands_in_a_file_is_cut_in_time() {
        for part in [
            "/*",
            "$",
            "$a$",
            "'",
            "é$",
            "begin ",
            "create trigger begin ",
            "\\",
            "delimiter \n",
            "(",
            "e'\\",
            "/*!",
            "`",
        ] {
            let text = part.repeat((1 << 20) / part.len());
            let start = std::time::Instant::now();
            run(&text);
            assert!(start.elapsed().as_secs() < 20, "{part}");
        }
    }
}
