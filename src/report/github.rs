//! report/github: workflow commands, which GitHub shows beside the lines of a change.
//!
//! A command is a line, and what stands in it could begin another one or end a property: all text is escaped as the
//! runner reads it.

use super::{Tally, shown};
use crate::escape::terminal;
use crate::finding::{Scan, Severity};

/// One command a finding and a gap, and the summary as a notice.
pub fn render(scan: &Scan) -> String {
    let mut out = String::new();
    for finding in shown(scan) {
        let (source, span) = (&finding.place.source, finding.place.span);
        let (start, end) = (source.position(span.start), source.position(span.end));
        let kind = match finding.severity {
            Severity::Error => "error",
            Severity::Review => "warning",
        };
        // Columns are shown only for what stays on one line.
        let columns = match start.line == end.line {
            true => format!(",col={},endColumn={}", start.column, end.column),
            false => String::new(),
        };
        let help = finding.help.as_deref().map(|help| format!("\n{help}")).unwrap_or_default();
        out.push_str(&format!(
            "::{kind} file={},line={},endLine={}{columns},title={}::{}\n",
            property(&source.display_path()),
            start.line,
            end.line,
            property(&finding.rule),
            data(&format!("{}{help}", finding.message)),
        ));
    }
    for gap in &scan.gaps {
        let line = gap.line.map(|line| format!(",line={line}")).unwrap_or_default();
        let path = property(&gap.path);
        out.push_str(&format!("::warning file={path}{line},title=gap::{}\n", data(&gap.reason)));
    }
    out.push_str(&format!("::notice title=trailcheck::{}\n", data(&Tally::of(scan).line())));
    out
}

/// The text of a command.
fn data(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(|line| terminal(line).replace('%', "%25")).collect();
    lines.join("%0A")
}

/// The value of a property, which a colon or a comma would end.
fn property(text: &str) -> String {
    terminal(text).replace('%', "%25").replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests as example;

    #[test]
    fn a_command_is_a_line_whatever_is_in_it() {
        let scan = example::hostile();
        let text = render(&scan);
        let commands = text.lines().count();
        assert_eq!(commands, shown(&scan).count() + scan.gaps.len() + 1);
        assert!(text.lines().all(|line| line.starts_with("::")), "{text}");
        let starting = |with: &str| text.lines().filter(|line| line.starts_with(with)).count();
        assert_eq!(
            (starting("::error "), starting("::warning "), starting("::notice ")),
            (1, 1, 1),
            "{text}"
        );
        assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'));
    }

    #[test]
    fn a_finding_names_its_line() {
        let text = render(&example::scan());
        let first = text.lines().next().expect("a line");
        assert!(
            first.starts_with(
                "::error file=app/<b>service.py,line=5,endLine=7,title=missing-created-at::`enqueue`"
            ),
            "{first}"
        );
        assert!(
            first.ends_with("%0ASet `job.created_at = datetime.now()` before the row is flushed."),
            "{first}"
        );
    }
}
