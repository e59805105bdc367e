//! report/html/tests: the page is whole, says what the scan says, and lets no text become markup.

use super::*;
use crate::finding::{Change, Comparison, FileReport, Reach, Safety, Scan, Suppressed};
use crate::report::audit::tests::{full, inputs};
use crate::report::tests as example;

const EVIL: &str = "`x` <script>alert(1)</script>\n</pre></code>\"'><img src=x onerror=alert(1)> &amp; \u{1b}[0m\u{202e} `<b>` <pre id=\"seal\"><code>trailcheck = \"9\"";

/// A report in which everything that comes from outside is the given text.
fn page(text: &str) -> String {
    let mut scan = example::hostile();
    for finding in &mut scan.files[0].findings {
        finding.rule = text.to_owned();
        finding.pack = text.to_owned();
        finding.message = text.to_owned();
        finding.entity = Some(text.to_owned());
    }
    let said = || Some(text.to_owned());
    scan.files[0].findings[1].suppressed =
        Some(Suppressed { reason: said(), owner: said(), until: said(), ..Suppressed::default() });
    let mut accepted = scan.files[0].findings[0].clone();
    accepted.baselined = true;
    scan.files[0].findings.push(accepted);
    scan.files[0].changes = vec![Change {
        rule: text.into(),
        function: text.into(),
        title: text.into(),
        safety: Safety::Unsafe,
        is_counted: true,
    }];
    scan.gaps[0].path = text.to_owned();
    scan.gaps[0].reason = text.to_owned();
    scan.baseline = Some(Comparison { path: text.into(), ..Comparison::default() });
    scan.suppressions = vec![SuppressionRecord {
        path: text.into(),
        line: 1,
        reach: Reach::File,
        ids: vec![text.into()],
        reason: said(),
        owner: said(),
        until: said(),
        is_expired: true,
        matched: Vec::new(),
        unused: Vec::new(),
    }];
    let of = |_: &FileReport, _: u32| vec![text.to_owned()];
    render(&full(&scan, text, Box::new(of)))
}

/// The tags of a page in order, each with its attributes; the page's own style and script are left out.
fn tags(page: &str) -> Vec<String> {
    let page = page.replace(STYLE, "").replace(SCRIPT, "");
    let mut tags = Vec::new();
    let mut rest = page.as_str();
    while let Some(at) = rest.find('<') {
        let end = rest[at..].find('>').expect("a tag that begins ends") + at;
        tags.push(rest[at..=end].to_owned());
        rest = &rest[end + 1..];
    }
    tags
}

#[test]
fn no_text_becomes_markup() {
    let (evil, tame) = (page(EVIL), page("`x` and `y` z"));
    assert!(!evil.contains('\u{1b}') && !evil.contains('\u{202e}'));
    // A path may be broken wherever it has a slash.
    let unbroken = |page: &str| tags(&page.replace("<wbr>", ""));
    let (evil, tame) = (unbroken(&evil), unbroken(&tame));
    let first = evil
        .iter()
        .zip(&tame)
        .find(|(a, b)| a != b && !a.contains("aria-label") && !a.contains("src 'sha256"));
    assert_eq!(first, None);
    assert_eq!(evil.len(), tame.len());
}

#[test]
fn every_tag_is_closed_in_its_turn() {
    const VOID: [&str; 5] = ["!doctype", "meta", "rect", "circle", "wbr"];
    for page in [
        page(EVIL),
        render(&Audit::of(inputs(&example::scan()))),
        render(&Audit::of(inputs(&Scan::default()))),
    ] {
        let mut open: Vec<String> = Vec::new();
        for tag in tags(&page) {
            let name: String = tag[1..]
                .chars()
                .take_while(|c| !c.is_whitespace() && !"/>".contains(*c) || *c == '/')
                .collect();
            match name.strip_prefix('/') {
                Some(name) => assert_eq!(open.pop().as_deref(), Some(name), "in {tag}"),
                None if tag.ends_with("/>") || VOID.contains(&name.as_str()) => {}
                None => open.push(name),
            }
        }
        assert_eq!(open, [""; 0]);
    }
}

#[test]
fn the_page_needs_nothing_from_elsewhere() {
    let page = page("x");
    for way in ["http:", "https:", "//", "url(", "@import", "<link", "src=\""] {
        let found = page.replace("// Everything", "").replace("// A link", "");
        assert!(!found.contains(way), "{way}");
    }
    assert!(page.contains(&format!("style-src 'sha256-{}'", digest::base64(STYLE))));
    assert!(
        page.contains(&format!("<style>{STYLE}</style>"))
            && page.contains(&format!("<script>{SCRIPT}</script>"))
    );
    assert!(!page.contains(" style=\"") && !page.contains(" onclick"), "its policy would refuse them");
}

#[test]
fn the_seal_is_the_reports_own() {
    let page = page(EVIL);
    let seal = Seal::read(&page).expect("a seal");
    assert_eq!((seal.trailcheck.as_str(), seal.paths), ("0.1.0", vec![EVIL.to_owned()]));
    assert_eq!(Seal::text_now(&page), Some(seal.text));
}

#[test]
fn links_lead_somewhere_and_ids_are_unique() {
    let page = page("x");
    let behind = |mark: &str| -> Vec<String> {
        page.split(mark).skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
    };
    let mut ids = behind(" id=\"");
    for link in behind(" href=\"#") {
        assert!(ids.contains(&link), "{link}");
    }
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all);
}

#[test]
fn the_page_has_the_standards_form() {
    let page = render(&Audit::of(inputs(&example::scan())));
    for wanted in [
        "<dt>Errors</dt><dd>1</dd>",
        "app/<wbr>&lt;b&gt;service.py</code>",
        "Has Issues",
        "<h4>Issues Found</h4>",
        "<code>missing-created-at</code> · line 5 · <code>enqueue</code> creates <code>Job</code>",
        "(suppressed: made | up, until 2027-01-31)",
        "<h4>Testing</h4>\n<p>not known</p>",
    ] {
        assert!(page.contains(wanted), "{wanted} is not in {page}");
    }
}

#[test]
fn a_trend_is_drawn_when_there_is_more_than_one_run() {
    let run = |errors, coverage| Run { when: "day".into(), errors, coverage, ..Run::default() };
    assert_eq!(trend(&[run(3, None)]), "");
    let drawn = trend(&[run(4, None), run(0, Some(500))]);
    assert!(
        drawn.contains("errors from 4 to 0") && drawn.contains("coverage from no writes to 50.0 %"),
        "{drawn}"
    );
    assert_eq!(drawn.matches("<circle").count(), 5, "what is not known is not drawn");
}
