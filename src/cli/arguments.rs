//! cli/arguments: what can be said on the command line.

use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};

use super::baseline::BaselineArguments;
use super::cache::CleanArguments;
use super::init::InitArguments;
use super::inventory::{InventoryArguments, Share};
use super::report::ReportArguments;
use super::suppressions::SuppressionsArguments;
use super::terminal::ColorWish;
use super::verify::VerifyArguments;

const EXIT_CODES: &str = "\
Exit codes:
  0  nothing to complain of
  1  findings at or above --fail-on
  2  the run could not be done
  3  there was nothing to scan
  4  with --strict: something could not be read or understood";

/// Proves that service code stamps and audits every row it writes.
#[derive(Debug, Parser)]
#[command(name = "trailcheck", version, propagate_version = true, after_help = EXIT_CODES)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check code and report what it leaves unstamped or unaudited
    Check(Box<CheckArguments>),
    /// Show every write, compliant or not, as a matrix of models and operations
    Inventory(Box<InventoryArguments>),
    /// Show every suppression: its reason, its owner, its last day, what it suppresses
    Suppressions(Box<SuppressionsArguments>),
    /// Make or shorten the list of findings that are accepted for now
    Baseline(BaselineArguments),
    /// Show the scans that are kept, and how they change
    History(super::history::HistoryArguments),
    /// Learn the project's convention and write trailcheck.toml
    Init(Box<InitArguments>),
    /// Write the audit report
    Report(Box<ReportArguments>),
    /// Scan again and say whether a report still is true
    Verify(VerifyArguments),
    /// Take away everything that earlier runs have kept to be faster
    Clean(CleanArguments),
    /// List the rules
    Rules,
    /// Show the page of a rule
    Explain(ExplainArguments),
}

/// What every command that scans can be told.
#[derive(Debug, Args)]
pub(super) struct ScanArguments {
    /// Files and folders to scan; with `check`, `-` reads one file from stdin
    #[arg(default_value = ".")]
    pub(super) paths: Vec<PathBuf>,

    /// Check only these rules: ids, packs or globs, separated by commas
    #[arg(long, value_name = "RULES", value_delimiter = ',')]
    pub(super) select: Vec<String>,

    /// Do not check these rules; the closer name wins over --select
    #[arg(long, value_name = "RULES", value_delimiter = ',')]
    pub(super) ignore: Vec<String>,

    /// Take the configuration from this file, for everything
    #[arg(long, value_name = "FILE", conflicts_with = "isolated")]
    pub(super) config: Option<PathBuf>,

    /// Read no configuration file
    #[arg(long)]
    pub(super) isolated: bool,

    /// How many threads work; one for each processor if not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) threads: Option<u16>,

    /// Find everything anew, and keep nothing for the next time
    #[arg(long, env = "TRAILCHECK_NO_CACHE", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub(super) no_cache: bool,

    /// Keep what is found in this folder for the next time; in one of the user's own, if not given
    #[arg(long, value_name = "DIR", env = "TRAILCHECK_CACHE_DIR", hide_env_values = true)]
    pub(super) cache_dir: Option<PathBuf>,

    /// When to use colours
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = ColorWish::Auto)]
    pub(super) color: ColorWish,

    /// Write what was asked for only, no summary
    #[arg(short, long, conflicts_with = "verbose")]
    pub(super) quiet: bool,

    /// Say which configuration is in force and how long it took
    #[arg(short, long)]
    pub(super) verbose: bool,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
#[command(group(clap::ArgGroup::new("mending").args(["fix", "diff", "fix_plan"]).multiple(true)))]
pub(super) struct CheckArguments {
    /// How findings are written to stdout
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(super) format: Format,

    /// Also write a report to a file; may be given several times
    #[arg(long, value_name = "FORMAT=FILE", value_parser = output)]
    pub(super) output: Vec<Output>,

    /// The least severity that makes the exit code 1
    #[arg(long, value_name = "SEVERITY", value_enum, default_value_t = FailOn::Error)]
    pub(super) fail_on: FailOn,

    /// Accept the findings of this baseline; only others count for the exit code
    #[arg(long, value_name = "FILE")]
    pub(super) baseline: Option<PathBuf>,

    /// Report only what the changes since this revision have brought; uncommitted ones, if none is given
    #[arg(long, value_name = "REF", num_args = 0..=1, default_missing_value = "HEAD")]
    pub(super) changed: Option<String>,

    /// The least share of writes, in percent, that have every duty set or covered; below it, the exit code is 1
    #[arg(long, value_name = "PCT", value_parser = Share::parse)]
    pub(super) min_coverage: Option<Share>,

    /// Apply fixes that change nothing but what they are meant to
    #[arg(long)]
    pub(super) fix: bool,

    /// With --fix, --diff or --fix-plan: also fixes that a person should read
    #[arg(long, requires = "mending")]
    pub(super) unsafe_fixes: bool,

    /// Show what --fix would change, and write nothing
    #[arg(long, conflicts_with = "fix_plan")]
    pub(super) diff: bool,

    /// Print what --fix would change as a plan for tools, and write nothing
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub(super) fix_plan: Option<PlanFormat>,

    /// Exit with 1 when a figure of `[metrics]` is out of range
    #[arg(long)]
    pub(super) fail_on_metric: bool,

    /// Exit with 4 when something could not be read or understood
    #[arg(long)]
    pub(super) strict: bool,

    /// The path that the file read from stdin is taken to have
    #[arg(long, value_name = "NAME")]
    pub(super) stdin_filename: Option<PathBuf>,

    /// List the files that would be checked, and do no more
    #[arg(long)]
    pub(super) show_files: bool,

    /// Add how often each rule found something; on stderr when stdout is for a machine or a file
    #[arg(long)]
    pub(super) statistics: bool,

    #[command(flatten)]
    pub(super) scan: ScanArguments,
}

#[derive(Debug, Args)]
pub(super) struct ExplainArguments {
    /// The rule's id
    pub(super) id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Findings drawn with the code they are about
    Human,
    /// One line a finding
    Concise,
    /// One JSON object, schema version 1
    Json,
    /// One JSON object a line: a file or a gap
    Jsonl,
    /// SARIF 2.1.0
    Sarif,
    /// Workflow commands for GitHub
    Github,
    /// A code quality report for GitLab
    Gitlab,
    /// JUnit's XML
    Junit,
    /// The audit report in Markdown
    Markdown,
    /// The audit report as one HTML file
    Html,
}

/// A report and the file it goes to.
#[derive(Clone, Debug)]
pub(super) struct Output {
    pub(super) format: Format,
    pub(super) file: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum PlanFormat {
    /// One JSON object, schema version 1
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOn {
    /// Errors
    Error,
    /// Errors and reviews
    Review,
    /// Nothing
    Never,
}

fn output(text: &str) -> Result<Output, String> {
    let (format, file) = text.split_once('=').ok_or("expected FORMAT=FILE, such as json=report.json")?;
    if file.is_empty() {
        return Err("the file has no name".to_owned());
    }
    let formats: Vec<&Format> = Format::value_variants().iter().collect();
    let name = |format: &Format| format.to_possible_value().map(|value| value.get_name().to_owned());
    let found = formats.iter().find(|known| name(known).as_deref() == Some(format));
    let known = || formats.iter().filter_map(|known| name(known)).collect::<Vec<_>>().join(", ");
    let format = **found.ok_or_else(|| format!("unknown format `{format}`; there are {}", known()))?;
    Ok(Output { format, file: file.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn an_output_names_a_format_and_a_file() {
        let json = output("json=a=b.json").expect("good");
        assert_eq!((json.format, json.file), (Format::Json, PathBuf::from("a=b.json")));
        assert!(output("json").is_err());
        assert!(output("json=").is_err());
        assert!(
            output("yaml=x")
                .expect_err("no such format")
                .contains("human, concise, json, jsonl, sarif, github, gitlab, junit, markdown, html")
        );
    }
}
