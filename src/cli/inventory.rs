//! cli/inventory: all writes as a matrix, and the coverage that a run must reach.

use clap::{Args, ValueEnum};

use super::arguments::ScanArguments;
use super::run::Run;
use super::{Failure, Outcome, print, say};
use crate::finding::Scan;
use crate::report::{Tally, inventory};
use crate::scan::Leaves;

const AFTER: &str = "\
A cell `3/4` says that 3 of 4 such writes have every duty set or covered. Coverage is rounded down: only all of them are
100 %.

Exit codes:
  0  done
  1  coverage is below --min-coverage, or there is no write to cover
  2  the run could not be done
  3  there was nothing to scan";

#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(super) struct InventoryArguments {
    /// How the matrix is written
    #[arg(long, value_enum, default_value_t = TableFormat::Human)]
    format: TableFormat,

    /// The least coverage in percent; below it, the exit code is 1
    #[arg(long, value_name = "PCT", value_parser = Share::parse)]
    min_coverage: Option<Share>,

    #[command(flatten)]
    pub(super) scan: ScanArguments,
}

/// The formats of tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum TableFormat {
    /// For a terminal
    Human,
    /// One JSON object
    Json,
    /// A table in Markdown
    Markdown,
}

/// Shows all writes.
pub(super) fn inventory(arguments: &InventoryArguments) -> Result<Outcome, Failure> {
    let run = Run::prepare(&arguments.scan, None, Leaves::None)?;
    let scan = run.scan();
    print(&match arguments.format {
        TableFormat::Human => inventory::human(&scan),
        TableFormat::Json => inventory::json(&scan),
        TableFormat::Markdown => inventory::render_markdown(&scan),
    })?;
    arguments.scan.tell_what_is_lacking(&scan);
    run.tell_time(&scan);
    if Tally::of(&scan).scanned == 0 {
        return Ok(Outcome::Nothing);
    }
    let shortfall = arguments.min_coverage.and_then(|least| least.shortfall(&scan));
    shortfall.iter().for_each(|text| say(text));
    Ok(if shortfall.is_some() { Outcome::Findings } else { Outcome::Clean })
}

/// A share of all writes, in parts of a million.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Share(u32);

impl Share {
    /// Reads a percentage with at most four decimals.
    pub(super) fn parse(text: &str) -> Result<Share, String> {
        let wrong = || "expected a percentage from 0 to 100, such as 90 or 99.5".to_owned();
        let number = text.trim_end_matches('%').trim();
        let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
        let is_plain = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        if !is_plain(whole) || !is_plain(part) || part.len() > 4 || whole.len() > 3 {
            return Err(wrong());
        }
        let value = |digits: &str| digits.parse::<u32>().map_err(|_| wrong());
        let parts = value(whole)? * 10_000 + value(&format!("{part:0<4}"))?;
        if parts > 1_000_000 { Err(wrong()) } else { Ok(Share(parts)) }
    }

    /// What a scan lacks, in one line; `None` where it has enough. Whoever asks for coverage expects writes: where none is
    /// found, the folder is the wrong one or the code is not understood.
    pub(super) fn shortfall(self, scan: &Scan) -> Option<String> {
        let tally = Tally::of(scan);
        let (stamped, writes) = (tally.stamped as u128, tally.writes() as u128);
        if writes == 0 {
            return Some(
                "no write was found, so there is no coverage for --min-coverage: is this the folder of the service?"
                    .to_owned(),
            );
        }
        if stamped * 1_000_000 >= u128::from(self.0) * writes {
            return None;
        }
        Some(format!(
            "coverage is {} %, below --min-coverage {} %: {} of {} not every duty set or covered",
            percentage(stamped * 1_000_000 / writes),
            percentage(u128::from(self.0)),
            tally.writes() - tally.stamped,
            match writes {
                1 => "1 write has".to_owned(),
                many => format!("{many} writes have"),
            }
        ))
    }
}

/// Parts of a million as a percentage without zeros at its end.
fn percentage(parts: u128) -> String {
    let text = format!("{}.{:04}", parts / 10_000, parts % 10_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests as example;

    #[test]
    fn a_share_is_a_percentage() {
        for (text, parts) in
            [("90", 900_000), ("99.5", 995_000), ("0", 0), ("100", 1_000_000), ("33.3333%", 333_333)]
        {
            assert_eq!(Share::parse(text), Ok(Share(parts)), "{text}");
        }
        for text in ["", "x", "-1", "101", "100.0001", "1e2", "9.99999", ".5", "5.", "%"] {
            assert!(Share::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn coverage_is_compared_without_rounding() {
        // One of three writes is stamped.
        let scan = example::scan();
        let below = |text: &str| Share::parse(text).expect("a share").shortfall(&scan);
        assert_eq!(below("33.3333"), None);
        assert_eq!(
            below("33.3334").as_deref(),
            Some(
                "coverage is 33.3333 %, below --min-coverage 33.3334 %: 2 of 3 writes have not every duty set or covered"
            )
        );
        assert!(below("100").is_some());
    }

    #[test]
    fn without_writes_there_is_nothing_to_reach() {
        assert!(Share::parse("0").expect("a share").shortfall(&Scan::default()).is_some());
    }
}
