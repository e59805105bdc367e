//! report/html/table: tables that a script may sort and filter, and that are whole without one.

/// How a column stands.
#[derive(Clone, Copy)]
pub(super) enum Column {
    /// Words.
    Words(&'static str),
    /// Numbers.
    Numbers(&'static str),
    /// A drawing of the numbers beside it.
    Bar,
}

/// What stands in a cell, as HTML.
pub(super) struct Cell {
    html: String,
    /// What it is sorted by, where that is not what it says.
    rank: Option<usize>,
}

impl Cell {
    /// A word with a place in an order of its own.
    pub(super) fn ranked(word: &str, rank: usize) -> Cell {
        Cell { html: word.to_owned(), rank: Some(rank) }
    }
}

impl From<String> for Cell {
    fn from(html: String) -> Cell {
        Cell { html, rank: None }
    }
}

impl From<&str> for Cell {
    fn from(html: &str) -> Cell {
        html.to_owned().into()
    }
}

impl From<usize> for Cell {
    fn from(number: usize) -> Cell {
        // A table full of noughts hides its numbers.
        let html = if number == 0 { "<i>0</i>".to_owned() } else { number.to_string() };
        html.into()
    }
}

/// A table.
pub(super) fn table(columns: &[Column], rows: impl Iterator<Item = Vec<Cell>>) -> String {
    let heads = columns.iter().map(|column| match column {
        Column::Words(head) => format!("<th scope=\"col\">{head}</th>"),
        Column::Numbers(head) => format!("<th scope=\"col\" class=\"n\">{head}</th>"),
        Column::Bar => "<td class=\"b\"></td>".to_owned(),
    });
    let rows = rows.map(|cells| {
        let cells = columns.iter().zip(cells).map(|(column, Cell { html, rank })| {
            let rank = rank.map(|rank| format!(" data-rank=\"{rank}\"")).unwrap_or_default();
            match column {
                Column::Words(_) => format!("<td{rank}>{html}</td>"),
                Column::Numbers(_) => format!("<td class=\"n\"{rank}>{html}</td>"),
                Column::Bar => format!("<td class=\"b\">{html}</td>"),
            }
        });
        format!("<tr>{}</tr>\n", cells.collect::<String>())
    });
    format!(
        "<div class=\"table\"><table>\n<thead><tr>{}</tr></thead>\n<tbody>\n{}</tbody>\n</table></div>\n",
        heads.collect::<String>(),
        rows.collect::<String>()
    )
}
