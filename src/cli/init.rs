//! cli/init: the command that learns the convention of a project and writes a configuration file.

use std::path::{Path, PathBuf};

use clap::Args;

use super::arguments::ScanArguments;
use super::run::Run;
use super::{Failure, Outcome, print};
use crate::config::absolute;
use crate::escape;
use crate::learn;
use crate::report;
use crate::scan::Leaves;
use crate::source::slashed;
use crate::walk;

const EXIT_CODES: &str = "\
Exit codes:
  0  the convention was learned
  2  the run could not be done, or a file is in the way
  3  there was nothing to scan";

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct InitArguments {
    /// The file to write
    #[arg(long, value_name = "FILE", default_value = "trailcheck.toml")]
    pub(super) output: PathBuf,

    /// Write over a file that is there
    #[arg(long)]
    pub(super) force: bool,

    /// Print the file to stdout, and write nothing
    #[arg(long, conflicts_with_all = ["output", "force"])]
    pub(super) print: bool,

    #[command(flatten)]
    pub(super) scan: ScanArguments,
}

/// Learns, writes the file, and says what it learned.
pub(super) fn init(arguments: &InitArguments) -> Result<Outcome, Failure> {
    if arguments.scan.wants_stdin() {
        return Err(Failure::Other("a convention is not learned from stdin".to_owned(), None));
    }
    if !arguments.scan.select.is_empty() || !arguments.scan.ignore.is_empty() {
        let help = "leave out `--select` and `--ignore`".to_owned();
        return Err(Failure::Other("`init` looks at code, whatever rules say of it".to_owned(), Some(help)));
    }
    let shown = escape::terminal(&slashed(&arguments.output)).into_owned();
    if !arguments.print && !arguments.force && walk::is_there(&arguments.output) {
        return Err(in_the_way(&format!("`{shown}` is there already")));
    }
    let run = Run::prepare(&arguments.scan, None, Leaves::All)?;
    if !arguments.print
        && !arguments.force
        && let Some(other) = hidden(&run, &arguments.output)?
    {
        let other = escape::terminal(&other).into_owned();
        return Err(in_the_way(&format!("`{other}` has settings, which `{shown}` beside it would hide")));
    }
    let (learned, gaps) = run.learn();
    arguments.scan.tell_gaps(&gaps, learned.files);
    if learned.files == 0 {
        return Ok(Outcome::Nothing);
    }
    let file = learn::file(&learned);
    if arguments.print {
        print(&file)?;
        return Ok(Outcome::Clean);
    }
    let written = if arguments.force {
        walk::write(&arguments.output, &file)
    } else {
        walk::write_new(&arguments.output, &file)
    };
    written.map_err(|fault| Failure::Other(format!("cannot write `{shown}`: {fault}"), None))?;
    if !arguments.scan.quiet {
        let files = report::count(learned.files, "file");
        let models = report::count(learned.words.models, "model");
        let writes = report::count(learned.writes, "write");
        let table = learn::table(&learned);
        let shown_table = if table.is_empty() { "nothing was seen that plays a role\n" } else { &table };
        print(&format!("learned from {files} with {models} and {writes}\n\n{shown_table}\nwrote {shown}\n"))?;
    }
    Ok(Outcome::Clean)
}

fn in_the_way(message: &str) -> Failure {
    let help = "`--print` shows what would be written, `--force` writes it, `--output FILE` writes elsewhere";
    Failure::Other(message.to_owned(), Some(help.to_owned()))
}

/// Another configuration file in the folder of the new one: whatever it says would not be read any more.
fn hidden(run: &Run, output: &Path) -> Result<Option<String>, Failure> {
    let here = super::run::here()?;
    let output = absolute(&here, output);
    let is_beside = |file: &&Path| file.parent() == output.parent() && **file != *output;
    Ok(run
        .configuration
        .files()
        .find(is_beside)
        .map(|file| slashed(file.strip_prefix(&here).unwrap_or(file))))
}
