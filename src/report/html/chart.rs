//! report/html/chart: numbers drawn as SVG, in whole units so that the same numbers make the same bytes.

use super::text;
use crate::report::audit::Run;
use crate::report::percent;

/// A stretch of a bar.
pub(super) struct Part {
    class: &'static str,
    number: usize,
}

impl Part {
    /// What is well.
    pub(super) fn good(number: usize) -> Part {
        Part { class: "good", number }
    }

    /// Errors.
    pub(super) fn error(number: usize) -> Part {
        Part { class: "error", number }
    }

    /// Reviews.
    pub(super) fn review(number: usize) -> Part {
        Part { class: "review", number }
    }
}

/// A bar of some parts, as long as a bar of `most` would be whole. The numbers stand beside it, so it is for eyes only.
pub(super) fn bar(parts: &[Part], most: usize) -> String {
    let mut out = String::from(
        "<svg class=\"bar\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
         <rect class=\"rail\" width=\"1000\" height=\"10\"/>",
    );
    let mut sum = 0;
    for part in parts.iter().filter(|part| part.number > 0) {
        let at = |number: usize| (number * 1000).checked_div(most).unwrap_or(0);
        let (x, width) = (at(sum), at(sum + part.number) - at(sum));
        sum += part.number;
        // What is there is seen.
        let width = width.max(4);
        out.push_str(&format!("<rect class=\"{}\" x=\"{x}\" width=\"{width}\" height=\"10\"/>", part.class));
    }
    out + "</svg>"
}

const WIDTH: usize = 720;
const HEIGHT: usize = 180;
/// Room for numbers at the left, and for names below.
const LEFT: usize = 44;
const RIGHT: usize = 44;
const TOP: usize = 12;
const BOTTOM: usize = 30;

/// How errors, reviews and coverage went over several runs; nothing for one.
pub(super) fn trend(runs: &[Run]) -> String {
    let [first, .., last] = runs else { return String::new() };
    let most = runs.iter().map(|run| run.errors.max(run.reviews)).max().unwrap_or(0).max(1);
    let x = |at: usize| LEFT + at * (WIDTH - LEFT - RIGHT) / (runs.len() - 1);
    let y = |number: usize, most: usize| HEIGHT - BOTTOM - number * (HEIGHT - TOP - BOTTOM) / most;
    let line = |class: &str, points: &[(usize, usize)]| {
        let corners: Vec<String> = points.iter().map(|(x, y)| format!("{x},{y}")).collect();
        let dots =
            points.iter().map(|(x, y)| format!("<circle class=\"{class}\" cx=\"{x}\" cy=\"{y}\" r=\"3\"/>"));
        format!(
            "<polyline class=\"{class}\" points=\"{}\"/>{}\n",
            corners.join(" "),
            dots.collect::<String>()
        )
    };
    let of = |number: &dyn Fn(&Run) -> Option<(usize, usize)>| -> Vec<(usize, usize)> {
        let points = runs.iter().enumerate();
        points.filter_map(|(at, run)| number(run).map(|(number, most)| (x(at), y(number, most)))).collect()
    };
    let lines = [
        line("good", &of(&|run| run.coverage.map(|tenths| (tenths, 1000)))),
        line("review", &of(&|run| Some((run.reviews, most)))),
        line("error", &of(&|run| Some((run.errors, most)))),
    ];
    let (bottom, right) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
    let coverage = |run: &Run| run.coverage.map_or_else(|| "no writes".to_owned(), percent);
    format!(
        "<figure>\n<svg class=\"trend\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         aria-label=\"{} runs: errors from {} to {}, reviews from {} to {}, coverage from {} to {}\">\n\
         <path class=\"axis\" d=\"M{LEFT} {TOP}V{bottom}H{right}V{TOP}\"/>\n\
         <text x=\"{}\" y=\"{}\" text-anchor=\"end\">{most}</text>\
         <text x=\"{}\" y=\"{bottom}\" text-anchor=\"end\">0</text>\
         <text x=\"{}\" y=\"{}\">100 %</text>\n{}\
         <text x=\"{LEFT}\" y=\"{}\">{}</text>\
         <text x=\"{right}\" y=\"{}\" text-anchor=\"end\">{}</text>\n</svg>\n\
         <figcaption><span class=\"key error\"></span> errors <span class=\"key review\"></span> reviews \
         <span class=\"key good\"></span> coverage</figcaption>\n</figure>\n",
        runs.len(),
        first.errors,
        last.errors,
        first.reviews,
        last.reviews,
        coverage(first),
        coverage(last),
        LEFT - 6,
        TOP + 8,
        LEFT - 6,
        right + 6,
        TOP + 8,
        lines.concat(),
        HEIGHT - 8,
        text(&short(&first.when)),
        HEIGHT - 8,
        text(&short(&last.when)),
    )
}

/// A name that fits below a chart.
fn short(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    match chars.len() {
        0..=40 => name.to_owned(),
        long => format!("…{}", chars[long - 39..].iter().collect::<String>()),
    }
}
