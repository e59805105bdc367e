//! report/diff: new texts against the old ones, as a unified diff.

use std::sync::Arc;

use similar::TextDiff;

use crate::source::Source;

/// How many unchanged lines are shown around a change.
const CONTEXT: usize = 3;

/// The diff of some files, each as it was and as it should be. The text is that of the files, so that `patch` can read it;
/// whoever shows it on a terminal has to make it harmless.
pub fn render(files: &[(Arc<Source>, Arc<Source>)]) -> String {
    let mut out = String::new();
    for (old, new) in files {
        let path = old.display_path();
        let diff = TextDiff::from_lines(old.text.as_str(), new.text.as_str());
        let header = (format!("a/{path}"), format!("b/{path}"));
        let shown = diff.unified_diff().context_radius(CONTEXT).header(&header.0, &header.1).to_string();
        out.push_str(&shown);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests as example;

    #[test]
    fn a_diff_can_be_patched_with() {
        let old = example::source("app/a.py", "a = 1\r\nb = 2");
        let new = Arc::new(old.with_text("a = 1\r\nb = 3".to_owned()));
        let text = render(&[(old, new)]);
        let wanted = "--- a/app/a.py\n+++ b/app/a.py\n@@ -1,2 +1,2 @@\n a = 1\r\n-b = 2\n\\ No newline at end of file\n+b = 3\n\\ No newline at end of file\n";
        assert_eq!(text, wanted);
    }
}
