//! fix/stamp: the time of a column, written as the language of the file and the code around it write a value of a column.

use crate::layout::Bracket;
use crate::remedy::{Side, Stamp, Target, Time};
use crate::source::{Language, Span};
use crate::token::{Kind, tokens};

use super::clock;
use super::place::{Ground, Patch, Refusal};

impl Ground<'_> {
    /// How the file reads the clock, found out once.
    pub(super) fn clock(&self) -> &clock::Clock {
        self.clock.get_or_init(|| clock::Clock::of(&self.source.text))
    }

    /// The patch that gives a column the time.
    pub(super) fn stamp(&self, stamp: &Stamp) -> Result<Patch, Refusal> {
        match self.source.language {
            Language::Python => self.stamp_in_python(stamp),
            Language::Rust => self.stamp_in_rust(stamp),
            Language::Sql | Language::Manifest | Language::Json => Err("nothing is run there"),
        }
    }

    fn stamp_in_python(&self, Stamp { column, time, at }: &Stamp) -> Result<Patch, Refusal> {
        let time = match time {
            Time::Code(code) => code,
            Time::Again(span) => self.source.slice(*span),
            Time::Usual => return Err(NO_CLOCK),
        };
        match at {
            Target::Row { row, side, of } => self.beside(*side, *of, &format!("{row}.{column} = {time}")),
            Target::Fields { owner, beside } => self.part(*owner, *beside, &format!("{column}={time}")),
            Target::Beside(_) => Err(NO_LIST),
            Target::Values { owner } => self.part(*owner, None, &format!("{column}={time}")),
        }
    }

    fn stamp_in_rust(&self, stamp: &Stamp) -> Result<Patch, Refusal> {
        let column = &stamp.column;
        match &stamp.at {
            Target::Row { row, side, of } => {
                let statement = self.statement(*of)?.span;
                let wrapper = self.wrapper_of_row(statement, row);
                let value = self.value(stamp, statement, wrapper)?;
                self.beside(*side, *of, &format!("{row}.{column} = {value};"))
            }
            Target::Fields { owner, beside } => {
                let bracket = self.layout.bracket(*owner).ok_or(NO_LIST)?;
                self.stamp_in_literal(stamp, bracket, *beside)
            }
            Target::Beside(part) => {
                let holds = |bracket: &&Bracket| bracket.parts.contains(part);
                let bracket = self.layout.brackets.iter().find(holds).ok_or(NO_LIST)?;
                self.stamp_in_literal(stamp, bracket, None)
            }
            Target::Values { owner } => {
                let value = self.value(stamp, *owner, None)?;
                self.pair(*owner, column, &value)
            }
        }
    }

    fn beside(&self, side: Side, of: Span, code: &str) -> Result<Patch, Refusal> {
        match side {
            Side::Before => self.before(self.statement(of)?, code),
            Side::Behind => self.behind(of, code),
        }
    }

    fn stamp_in_literal(
        &self,
        stamp: &Stamp,
        bracket: &Bracket,
        beside: Option<Span>,
    ) -> Result<Patch, Refusal> {
        if !self.source.slice(bracket.span).starts_with('{') {
            return Err("the row is made by a call, which may do anything with what it is handed");
        }
        let wrapper = self.wrapper_of_fields(bracket)?;
        let value = self.value(stamp, bracket.owner, wrapper)?;
        if let Some(given) = self.given(bracket, &stamp.column) {
            let (span, is_optional) = given?;
            let text = match wrapper {
                _ if !is_optional || value.contains("Some(") => value,
                Some(wrapper) => format!("{wrapper}(Some{})", &value[wrapper.len()..]),
                None => format!("Some({value})"),
            };
            return Ok(Patch { span, text });
        }
        Ok(self.field(bracket, beside, &format!("{}: {value}", stamp.column)))
    }

    /// The code of a value, wrapped as the values of columns are there.
    fn value(&self, stamp: &Stamp, place: Span, wrapper: Option<&str>) -> Result<String, Refusal> {
        let time = match &stamp.time {
            Time::Again(span) => return Ok(self.source.slice(*span).to_owned()),
            Time::Code(code) => code.clone(),
            Time::Usual => clock::usual(self, &stamp.column, place).ok_or(NO_CLOCK)?,
        };
        Ok(wrapper.map_or(time.clone(), |wrapper| format!("{wrapper}({time})")))
    }

    /// What the columns of a row are wrapped in where they are stored: in the statement itself, or elsewhere in the file.
    fn wrapper_of_row(&self, statement: Span, row: &str) -> Option<&str> {
        let stored = |text: &str| {
            let value = text.split_once(" = ").map(|(_, value)| value.trim_start())?;
            clock::wrapper(value)
                .map(str::len)
                .map(|length| text.len() - value.len()..text.len() - value.len() + length)
        };
        let here = self.source.slice(statement);
        if let Some(range) = stored(here) {
            return here.get(range);
        }
        let begins = format!("{row}.");
        let others = self.layout.statements.iter().map(|other| self.source.slice(other.span));
        let of_row = others.filter(|text| text.starts_with(&begins));
        of_row.into_iter().find_map(|text| text.get(stored(text)?))
    }

    /// What the values of a literal are wrapped in: as its own fields show it, or else the file.
    fn wrapper_of_fields(&self, bracket: &Bracket) -> Result<Option<&str>, Refusal> {
        let parts = bracket.parts.iter().map(|&part| self.source.slice(part));
        let mut values = parts.filter_map(|part| Some(part.split_once(':')?.1.trim_start())).peekable();
        let has_values = values.peek().is_some();
        if let Some(wrapper) = values.find_map(clock::wrapper) {
            return Ok(Some(wrapper));
        }
        let name = self.source.slice(Span { start: bracket.owner.start, end: bracket.span.start });
        let is_active = name.trim_end().ends_with("ActiveModel");
        match clock::any_wrapper(self).filter(|_| is_active) {
            Some(wrapper) => Ok(Some(wrapper)),
            None if is_active => Err("nothing tells how a value is set here"),
            // Fields that are named like what they hold say nothing of the others.
            None if has_values || !bracket.parts.is_empty() => Ok(None),
            None => Err("nothing tells how a value is set here"),
        }
    }

    /// The value that a literal gives a field in so many words that it has none, and whether it could be absent; refused
    /// where it gives it another one.
    fn given(&self, bracket: &Bracket, column: &str) -> Option<Result<(Span, bool), Refusal>> {
        bracket.parts.iter().find_map(|&part| {
            let text = self.source.slice(part);
            let rest = text.strip_prefix(column)?.trim_start();
            let Some(value) = rest.strip_prefix(':').map(str::trim_start) else {
                return rest.is_empty().then_some(Err(GIVEN));
            };
            let start = part.end - value.len() as u32;
            let last = value.trim_end_matches("()").rsplit("::").next().unwrap_or(value);
            let is_optional = value.ends_with("None") || value.ends_with("(None)");
            let is_none = is_optional || matches!(last, "NotSet" | "not_set" | "default");
            Some(if is_none { Ok((Span { start, end: part.end }, is_optional)) } else { Err(GIVEN) })
        })
    }

    /// One more field of a literal, before the value that all other fields come from.
    fn field(&self, bracket: &Bracket, beside: Option<Span>, text: &str) -> Patch {
        let is_base = |part: &Span| self.source.slice(*part).starts_with("..");
        let place = beside.and_then(|span| bracket.parts.iter().position(|part| part.contains(span)));
        let fields = bracket.parts.iter().take_while(|part| !is_base(part)).count();
        if let Some(number) = place.or(fields.checked_sub(1)) {
            return self.listed(bracket, Some(number), text);
        }
        match bracket.parts.first() {
            Some(base) => {
                let gap = match self.own_line(bracket, 0) {
                    Some(indentation) => format!("{}{indentation}", self.line_end(base.start)),
                    None => " ".to_owned(),
                };
                let at = Span { start: base.start, end: base.start };
                Patch { span: at, text: format!("{text},{gap}") }
            }
            None => Patch { span: bracket.span, text: format!("{{ {text} }}") },
        }
    }

    /// One more `column.eq(value)` among those of a statement: in the tuple that lists them, or in one that is made.
    fn pair(&self, owner: Span, column: &str, value: &str) -> Result<Patch, Refusal> {
        let call = self.layout.bracket(owner).ok_or(NO_LIST)?;
        if let [given, expression] = call.parts[..] {
            return self.column_expression(call, (given, expression), column, value);
        }
        let [given] = call.parts[..] else { return Err(NO_LIST) };
        let tuple =
            self.layout.brackets.iter().find(|bracket| bracket.owner == given && bracket.span == given);
        let pairs = tuple.map_or(&call.parts, |tuple| &tuple.parts);
        let is_given = |path: &str| path.rsplit("::").next() == Some(column);
        if pairs.iter().filter_map(|&pair| self.column_path(pair)).any(is_given) {
            return Err(GIVEN);
        }
        let path = pairs.iter().find_map(|&pair| self.column_path(pair)).ok_or(NO_LIST)?;
        let table = path.rsplit_once("::").map(|(table, _)| table);
        let pair = match table {
            Some(table) => format!("{table}::{column}.eq({value})"),
            // A column by its bare name is there only where all of them are.
            None if self.imports_all() => format!("{column}.eq({value})"),
            None => return Err("the column is not imported there"),
        };
        match tuple {
            Some(tuple) => Ok(self.listed(tuple, tuple.parts.len().checked_sub(1), &pair)),
            None => {
                let text = format!("({}, {pair})", self.source.slice(given));
                Ok(Patch { span: given, text })
            }
        }
    }

    /// One more call behind one that gives a column an expression: `.col_expr(job::Column::State, Expr::value(1))`.
    fn column_expression(
        &self,
        call: &Bracket,
        (given, expression): (Span, Span),
        column: &str,
        value: &str,
    ) -> Result<Patch, Refusal> {
        let called = self.source.slice(Span { start: call.owner.start, end: call.span.start }).trim_end();
        let method =
            called.rsplit('.').next().map(str::trim).filter(|_| called.contains('.')).ok_or(NO_LIST)?;
        let (columns, _) = self.source.slice(given).rsplit_once("::").ok_or(NO_LIST)?;
        let made = self.source.slice(expression);
        let maker = made.split("::value(").next().filter(|maker| maker.len() < made.len()).ok_or(NO_LIST)?;
        let code = format!(".{method}({columns}::{}, {maker}::value({value}))", variant(column));
        let end = call.owner.end;
        let dot = call.owner.start + called.rfind('.').unwrap_or(0) as u32;
        let start = self.line_start(dot);
        let before = &self.text()[start as usize..dot as usize];
        let gap = match before.trim().is_empty() {
            true => format!("{}{before}", self.line_end(dot)),
            false => String::new(),
        };
        Ok(Patch { span: Span { start: end, end }, text: format!("{gap}{code}") })
    }

    /// The path of the column in `column.eq(value)`.
    fn column_path(&self, pair: Span) -> Option<&str> {
        let text = self.source.slice(pair);
        let end = text.find(".eq(")?;
        let path = text[..end].trim_end();
        let is_path = tokens(path).all(|token| token.kind == Kind::Word || &path[token.span.range()] == "::");
        (is_path && !path.is_empty()).then_some(path)
    }

    /// Whether some import of the file brings all names of a list of columns.
    fn imports_all(&self) -> bool {
        let imports = self.layout.statements.iter().map(|statement| self.source.slice(statement.span));
        imports.filter(|text| text.starts_with("use ")).any(|text| text.contains("dsl::*"))
    }
}

/// What a column is called among the variants of an enum: `UpdatedAt`.
fn variant(column: &str) -> String {
    let capitalised = |word: &str| {
        let mut chars = word.chars();
        chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
    };
    column.split('_').map(capitalised).collect()
}

const GIVEN: Refusal = "the column is given a value there already";
const NO_CLOCK: Refusal = "nothing tells how the clock is read here";
const NO_LIST: Refusal = "there is no list of columns to put it into";

#[cfg(test)]
mod tests;
