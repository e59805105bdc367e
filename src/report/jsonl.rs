//! report/jsonl: JSON Lines: one object a file as in [`json`], and one a gap.

use serde::Serialize;

use super::{has_news, json};
use crate::finding::Scan;

/// A line for each file that has something to say, in path order, then a line `{"gap": …}` for each gap.
pub fn render(scan: &Scan) -> String {
    let mut out = String::new();
    for file in scan.files.iter().filter(|file| has_news(file)) {
        out.push_str(&line(&json::file(file, &scan.gaps)));
    }
    for gap in &scan.gaps {
        out.push_str(&line(&GapLine { gap: json::gap(gap) }));
    }
    out
}

#[derive(Serialize)]
struct GapLine<'a> {
    gap: json::JsonGap<'a>,
}

fn line(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("internal error: strings and numbers are JSON") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests as example;
    use serde_json::Value;

    #[test]
    fn lines_are_the_files_of_the_object() {
        let scan = example::scan();
        let object: Value = serde_json::from_str(&json::render(&scan)).expect("JSON");
        let text = render(&scan);
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(lines.len(), 3, "a file and two gaps");
        assert_eq!(lines[0], object["files"][0]);
        assert_eq!(lines[1]["gap"], object["gaps"][0]);
    }
}
