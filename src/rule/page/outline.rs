//! rule/page/outline: the parts of a page, before anything is made of them: heading, summary, sections, fences.
//!
//! This is the little Markdown that pages are written in, read line by line; what it does not know is prose.

/// The parts of a page, each with its 1-based line.
#[derive(Clone, Debug, Default)]
pub(super) struct Outline {
    /// The text of the first `#` heading.
    pub(super) heading: Option<(u32, String)>,
    /// The paragraph behind it, on one line.
    pub(super) summary: Option<(u32, String)>,
    /// The `##` headings.
    pub(super) sections: Vec<(u32, String)>,
    /// The fenced blocks.
    pub(super) fences: Vec<Fence>,
    /// The line of a fence that nothing closes.
    pub(super) unclosed: Option<u32>,
}

/// A fenced block.
#[derive(Clone, Debug)]
pub(super) struct Fence {
    /// The line that opens it.
    pub(super) line: u32,
    /// What stands behind the backticks.
    pub(super) info: String,
    /// What stands between, with its line ends.
    pub(super) body: String,
    /// The section it stands in, as an index; none before the first.
    pub(super) section: Option<usize>,
}

/// Takes a page apart.
pub(super) fn outline(text: &str) -> Outline {
    let mut parts = Outline::default();
    // The fence that is open, with the backticks that close it.
    let mut open: Option<(Fence, usize)> = None;
    // The summary goes on until a blank line or anything that is not prose.
    let mut in_summary = false;
    for (line, content) in (1..).zip(text.lines()) {
        let ticks = content.chars().take_while(|&c| c == '`').count();
        if let Some((mut fence, wanted)) = open.take() {
            if ticks >= wanted && content[ticks..].trim().is_empty() {
                parts.fences.push(fence);
            } else {
                fence.body.push_str(content);
                fence.body.push('\n');
                open = Some((fence, wanted));
            }
            continue;
        }
        let was_in_summary = std::mem::take(&mut in_summary);
        if ticks >= 3 {
            let info = content[ticks..].trim().to_owned();
            let section = parts.sections.len().checked_sub(1);
            open = Some((Fence { line, info, body: String::new(), section }, ticks));
        } else if let Some(title) = content.strip_prefix("## ") {
            parts.sections.push((line, title.trim().to_owned()));
        } else if let Some(title) = content.strip_prefix("# ") {
            parts.heading.get_or_insert_with(|| (line, title.trim().to_owned()));
        } else if !content.trim().is_empty() {
            match &mut parts.summary {
                Some((_, summary)) if was_in_summary => {
                    summary.push(' ');
                    summary.push_str(content.trim());
                    in_summary = true;
                }
                None if parts.heading.is_some() && parts.sections.is_empty() && parts.fences.is_empty() => {
                    parts.summary = Some((line, content.trim().to_owned()));
                    in_summary = true;
                }
                _ => {}
            }
        }
    }
    parts.unclosed = open.map(|(fence, _)| fence.line);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_falls_into_its_parts() {
        let text =
            "# id\n\nOne\nsentence.\n\nMore.\n\n```toml\n# no heading\n```\n## Why\n````text\n```\n````\n";
        let parts = outline(text);
        assert_eq!(parts.heading, Some((1, "id".to_owned())));
        assert_eq!(parts.summary, Some((3, "One sentence.".to_owned())));
        assert_eq!(parts.sections, [(11, "Why".to_owned())]);
        let bodies: Vec<_> = parts.fences.iter().map(|f| (f.line, f.body.as_str(), f.section)).collect();
        assert_eq!(bodies, [(8, "# no heading\n", None), (12, "```\n", Some(0))]);
        assert_eq!(parts.unclosed, None);
        assert_eq!(outline("# id\n```toml\n").unclosed, Some(2));
    }
}
