//! report/trend/json: a history for programs, schema version 1.

use serde_json::{Value, json};

use super::{Line, Trend};
use crate::history::Kept;

/// All trends as one object.
pub fn render(trends: &[Trend<'_>]) -> String {
    let trend = |trend: &Trend<'_>| json!({"scope": trend.scope, "scans": trend.lines.iter().map(line).collect::<Vec<_>>()});
    let document = json!({
        "schema_version": 1,
        "tool": {"name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION")},
        "trends": trends.iter().map(trend).collect::<Vec<_>>(),
    });
    serde_json::to_string_pretty(&document).expect("internal error: strings and numbers are JSON") + "\n"
}

fn line(line: &Line<'_>) -> Value {
    let Some(entry) = line.entry else {
        return json!({"week": line.week, "week_end": line.week_end, "scanned_at": null});
    };
    let counts = entry.counts;
    json!({
        "week": line.week,
        "week_end": line.week_end,
        "scanned_at": entry.run.at,
        "milliseconds": entry.run.milliseconds,
        "version": entry.run.version,
        "outcome": entry.run.outcome,
        "revision": entry.key.revision,
        "counts": {
            "files": counts.files,
            "writes": counts.writes,
            "stamped_writes": counts.stamped,
            "errors": counts.errors,
            "reviews": counts.reviews,
            "suppressed": counts.suppressed,
            "baselined": counts.baselined,
            "gaps": counts.gaps,
        },
        "figures": entry.figures.iter().map(figure).collect::<Vec<_>>(),
    })
}

fn figure(kept: &Kept) -> Value {
    json!({
        "figure": kept.figure,
        "model": kept.model,
        "value": kept.value,
        "sample": kept.sample,
        "bounds": kept.bounds.map(|bounds| json!({"min": bounds.min, "max": bounds.max, "min_sample": bounds.min_sample})),
        "range": kept.range,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::entry;
    use super::super::{Grain, trends};
    use super::*;

    #[test]
    fn a_scan_is_an_object() {
        let entries = [entry("app", "2026-11-02T10:00:00Z", (10, 5, 4))];
        let document: Value = serde_json::from_str(&render(&trends(&entries, Grain::Week, 9))).expect("JSON");
        let scan = &document["trends"][0]["scans"][0];
        assert_eq!((scan["week"].as_str(), scan["counts"]["errors"].as_u64()), (Some("2026-11-02"), Some(4)));
        assert_eq!(scan["figures"][0]["bounds"], json!({"min": 90.0, "max": null, "min_sample": 1}));
    }
}
