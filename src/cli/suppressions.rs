//! cli/suppressions: the ledger of suppressions.

use clap::Args;

use super::arguments::ScanArguments;
use super::inventory::TableFormat;
use super::run::Run;
use super::{Failure, Outcome, print};
use crate::day::Day;
use crate::report::Tally;
use crate::report::ledger::{self, View};
use crate::scan::Leaves;

const AFTER: &str = "\
Exit codes:
  0  done; with --expiring: none has ended or ends within the days
  1  with --expiring: those that are listed
  2  the run could not be done
  3  there was nothing to scan";

#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(super) struct SuppressionsArguments {
    /// List only those that have ended or end within so many days, such as 30d
    #[arg(long, value_name = "DAYS", value_parser = days)]
    expiring: Option<u32>,

    /// How the ledger is written
    #[arg(long, value_enum, default_value_t = TableFormat::Human)]
    format: TableFormat,

    #[command(flatten)]
    pub(super) scan: ScanArguments,
}

/// Shows the suppressions.
pub(super) fn suppressions(arguments: &SuppressionsArguments) -> Result<Outcome, Failure> {
    let run = Run::prepare(&arguments.scan, None, Leaves::None)?;
    let scan = run.scan();
    let today = Day::parse(&run.today).expect("internal error: the day of the run is one");
    let view = View { today, ending_by: arguments.expiring.map(|days| today.plus(days)) };
    print(&match arguments.format {
        TableFormat::Human => ledger::human(&scan.suppressions, view),
        TableFormat::Json => ledger::json(&scan.suppressions, view),
        TableFormat::Markdown => ledger::render_markdown(&scan.suppressions, view),
    })?;
    arguments.scan.tell_what_is_lacking(&scan);
    run.tell_time(&scan);
    if Tally::of(&scan).scanned == 0 {
        return Ok(Outcome::Nothing);
    }
    let is_due = arguments.expiring.is_some() && !view.of(&scan.suppressions).is_empty();
    Ok(if is_due { Outcome::Findings } else { Outcome::Clean })
}

/// A number of days: `30d` or `30`.
fn days(text: &str) -> Result<u32, String> {
    let number = text.strip_suffix('d').unwrap_or(text);
    let is_plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let days = number.parse::<u32>().ok().filter(|&days| is_plain && days <= 36_525);
    days.ok_or_else(|| "expected a number of days up to a hundred years, such as 30d".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_a_number() {
        assert_eq!((days("30d"), days("0"), days("36525d")), (Ok(30), Ok(0), Ok(36_525)));
        for text in ["", "d", "-1d", "30w", "1.5d", "40000", "+3"] {
            assert!(days(text).is_err(), "{text}");
        }
    }
}
