//! report/human: findings drawn with the lines they are about.

use std::fmt;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode, ThemeCharacters, ThemeStyles,
};

use super::excerpt::Excerpt;
use super::{Extent, closing, shown};
use crate::escape::terminal;
use crate::finding::{Finding, Place, Scan, Severity};
use crate::source::Span;

/// How the drawing looks; the caller knows the terminal.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Whether colours are used.
    pub colour: Colour,
    /// What lines are drawn with.
    pub charset: Charset,
    /// The width in columns.
    pub width: usize,
}

/// Whether colours are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// With the terminal's own sixteen colours.
    On,
    /// Without any escape sequence.
    Off,
}

/// What lines are drawn with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    /// Box-drawing characters.
    Unicode,
    /// Nothing beyond ASCII.
    Ascii,
}

impl Look {
    /// What draws a diagnostic in this look.
    pub fn handler(&self) -> GraphicalReportHandler {
        let characters = match self.charset {
            Charset::Unicode => ThemeCharacters::unicode(),
            Charset::Ascii => ThemeCharacters::ascii(),
        };
        let styles = match self.colour {
            Colour::On => ThemeStyles::ansi(),
            Colour::Off => ThemeStyles::none(),
        };
        GraphicalReportHandler::new_themed(GraphicalTheme { characters, styles })
            .with_width(self.width)
            .with_links(false)
            .with_context_lines(1)
    }

    /// One diagnostic as it is drawn.
    pub fn draw(&self, diagnostic: &dyn Diagnostic) -> String {
        let mut out = String::new();
        self.handler().render_report(&mut out, diagnostic).expect("internal error: a string takes any text");
        out
    }
}

/// The findings as drawings, then what `extent` asks for.
pub fn render(scan: &Scan, look: &Look, extent: Extent) -> String {
    let mut out = String::new();
    for finding in shown(scan) {
        out.push_str(&look.draw(&Drawing::of(finding)));
        out.push('\n');
    }
    out + &closing(scan, extent)
}

/// A finding, or a place in another file that explains it, as miette draws it.
#[derive(Debug)]
struct Drawing {
    message: String,
    rule: Option<String>,
    severity: miette::Severity,
    help: Option<String>,
    excerpt: Excerpt,
    labels: Vec<LabeledSpan>,
    elsewhere: Vec<Drawing>,
}

impl Drawing {
    fn of(finding: &Finding) -> Drawing {
        let source = &finding.place.source;
        let is_here = |place: &Place| place.source.path == source.path;
        let (here, elsewhere): (Vec<_>, Vec<_>) =
            finding.related.iter().partition(|other| is_here(&other.place));
        let spans: Vec<Span> =
            [finding.place.span].into_iter().chain(here.iter().map(|other| other.place.span)).collect();
        let (excerpt, moved) = Excerpt::new(source, &spans);
        let mut moved = moved.into_iter();
        let place = moved.next().expect("internal error: the finding's own place comes first");
        let mut labels = vec![LabeledSpan::new_primary_with_span(Some(label(finding)), place)];
        labels.extend(here.iter().zip(moved).map(|(other, span)| {
            LabeledSpan::new_with_span(Some(terminal(&other.message).into_owned()), span)
        }));
        Drawing {
            message: terminal(&finding.message).into_owned(),
            rule: Some(format!("{}[{}]", finding.severity.word(), terminal(&finding.rule))),
            severity: match finding.severity {
                Severity::Error => miette::Severity::Error,
                Severity::Review => miette::Severity::Warning,
            },
            help: finding.help.as_deref().map(|help| terminal(help).into_owned()),
            excerpt,
            labels,
            elsewhere: elsewhere
                .into_iter()
                .map(|other| Drawing::beside(&other.message, &other.place))
                .collect(),
        }
    }

    /// A place in another file.
    fn beside(message: &str, place: &Place) -> Drawing {
        let (excerpt, moved) = Excerpt::new(&place.source, &[place.span]);
        Drawing {
            message: terminal(message).into_owned(),
            rule: None,
            severity: miette::Severity::Advice,
            help: None,
            excerpt,
            labels: moved.into_iter().map(|span| LabeledSpan::new_primary_with_span(None, span)).collect(),
            elsewhere: Vec::new(),
        }
    }
}

impl fmt::Display for Drawing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Drawing {}

impl Diagnostic for Drawing {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.rule.as_ref().map(|rule| Box::new(rule) as _)
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as _)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.excerpt)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        // An empty list would still be drawn, as an empty line.
        let drawn = || self.elsewhere.iter().map(|other| other as &dyn Diagnostic);
        (!self.elsewhere.is_empty()).then(|| Box::new(drawn()) as _)
    }
}

/// What the place is, beside the message, which says what is wrong with it.
fn label(finding: &Finding) -> String {
    match (finding.operation, &finding.entity) {
        (Some(operation), Some(entity)) => format!("{} `{}`", operation.verb(), terminal(entity)),
        _ => "here".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests as example;

    const PLAIN: Look = Look { colour: Colour::Off, charset: Charset::Unicode, width: 100 };

    #[test]
    fn findings_are_drawn_with_their_places() {
        insta::assert_snapshot!(render(&example::scan(), &PLAIN, Extent::Full));
    }

    #[test]
    fn nothing_of_the_code_reaches_the_terminal_raw() {
        for colour in [Colour::On, Colour::Off] {
            let look = Look { colour, charset: Charset::Ascii, ..PLAIN };
            let drawn = render(&example::scan(), &look, Extent::Full);
            assert!(!drawn.contains("\u{1b}[31m\","), "the code's own escape is shown as text");
            assert_eq!(drawn.contains('\u{1b}'), colour == Colour::On);
        }
    }

    #[test]
    fn a_line_of_twenty_megabytes_is_cut_around_the_place() {
        let text = format!("x = '{}'; job = Job(); y = '{}'\n", "é".repeat(10 << 20), "z".repeat(10 << 20));
        let source = example::source("long.py", &text);
        let finding = example::finding(&source, "Job()", "missing-created-at", Severity::Error);
        let drawn = PLAIN.draw(&Drawing::of(&finding));
        assert!(drawn.len() < 2000, "{} bytes", drawn.len());
        assert!(drawn.contains(&format!("long.py:1:{}", (10 << 20) + 15)), "{drawn}");
        insta::assert_snapshot!(drawn);
    }

    #[test]
    fn places_at_the_edges_are_drawn() {
        for (text, code) in [
            ("Job()", "Job()"),
            ("\n\nJob()\n\n", "Job()"),
            ("a\rJob()\r\n", "Job()"),
            ("", ""),
            ("x\n", "x\n"),
        ] {
            let source = example::source("edge.py", text);
            let drawn = PLAIN.draw(&Drawing::of(&example::finding(&source, code, "r", Severity::Review)));
            assert!(!drawn.contains("Failed to read"), "{text:?}: {drawn}");
            assert!(drawn.contains("edge.py:"), "{text:?}: {drawn}");
        }
    }

    #[test]
    fn a_long_statement_is_marked_on_its_first_line() {
        let body = "    x=1,\n".repeat(100);
        let source = example::source("many.py", &format!("job = Job(\n{body})\n"));
        let code = &source.text[6..source.text.len() - 1];
        let drawn = PLAIN.draw(&Drawing::of(&example::finding(&source, code, "r", Severity::Review)));
        assert!(drawn.lines().count() < 12, "{drawn}");
    }
}
