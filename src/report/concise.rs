//! report/concise: one line a finding, for terminals, editors and `grep`.

use super::{Extent, closing, shown};
use crate::escape::terminal;
use crate::finding::{Finding, Scan};

/// The findings, one a line, then what `extent` asks for.
pub fn render(scan: &Scan, extent: Extent) -> String {
    let mut out = String::new();
    for finding in shown(scan) {
        out.push_str(&line(finding));
    }
    out + &closing(scan, extent)
}

/// One finding and the end of its line.
pub fn line(finding: &Finding) -> String {
    let source = &finding.place.source;
    let at = source.position(finding.place.span.start);
    format!(
        "{}:{}:{}: {}[{}] {}\n",
        terminal(&source.display_path()),
        at.line,
        at.column,
        finding.severity.word(),
        terminal(&finding.rule),
        terminal(&finding.message),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests as example;

    #[test]
    fn a_finding_is_a_line() {
        assert_eq!(
            render(&example::scan(), Extent::Full),
            "\
app/<b>service.py:5:11: error[missing-created-at] `enqueue` creates `Job` without setting `created_at` <i>
app/<b>service.py:9:11: review[hard-delete] `enqueue` creates `Job` without setting `created_at` <i>
gap: app/helper.py:2: syntax error
gap: app/\\u{1b}gone.py: no such file or folder
1 error, 1 review, 1 suppressed, 1 baselined in 1 file with writes (3 scanned, 3 writes, 33.3 % fully stamped, 4 more in tests and scripts, 2 gaps)
"
        );
        assert_eq!(render(&example::scan(), Extent::FindingsOnly).lines().count(), 2);
    }
}
