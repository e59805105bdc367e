//! cli/check: the command that checks code: finds files and settings, scans, writes reports, and says how it ended.

use std::env;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::arguments::{CheckArguments, FailOn, Format};
use super::mend::{self, Purpose};
use super::progress::Bar;
use super::terminal::{self, Stream};
use super::{Failure, Outcome, print, rules, say, today};
use crate::config::{Configuration, Names, Origin, Search, Selection, Selectors, absolute};
use crate::escape;
use crate::finding::Scan;
use crate::report::human::Look;
use crate::report::{self, Extent, Tally};
use crate::rulebook::Rulebook;
use crate::scan::{self, Request};
use crate::source::slashed;
use crate::walk::{self, Walked};

/// Bytes of stack for each thread: many times what code as deep as `lower` goes into needs.
const STACK: usize = 16 << 20;

/// Checks what the arguments name.
pub(super) fn check(arguments: CheckArguments) -> Result<Outcome, Failure> {
    let started = Instant::now();
    let rulebook = Rulebook::built_in();
    let names = rules::names(&rulebook);
    let selection = selection(&arguments, &names)?;
    let today = today::today()?;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(arguments.threads.map_or(0, usize::from))
        .stack_size(STACK)
        .build()
        .map_err(|fault| Failure::Other(format!("cannot start threads: {fault}"), None))?;

    let (walked, configuration) = match pool.install(|| gather(&arguments, &names))? {
        Gathered::Files(walked, configuration) => (walked, configuration),
        Gathered::Names(paths) => {
            print(&paths.iter().map(|path| path.clone() + "\n").collect::<String>())?;
            return Ok(if paths.is_empty() { Outcome::Nothing } else { Outcome::Clean });
        }
    };
    if arguments.verbose {
        configuration.files().for_each(|file| say(&format!("configuration: {}", slashed(file))));
    }

    let bar = Bar::new();
    let request = Request {
        walked,
        configuration: &configuration,
        rulebook: &rulebook,
        selection,
        today,
        progress: &bar,
    };
    let scan = match arguments.mending() {
        None => {
            let scan = pool.install(|| scan::scan(request));
            bar.finish();
            write(&arguments, &scan)?;
            scan
        }
        Some((purpose, most)) => {
            let mended = pool.install(|| scan::mend(request, most));
            bar.finish();
            if purpose == Purpose::Write {
                let scan = mend::write(&arguments, mended)?;
                write(&arguments, &scan)?;
                scan
            } else {
                mend::show(&arguments, &mended, purpose)?;
                mended.before
            }
        }
    };
    if arguments.verbose {
        let files = report::count(scan.files.len(), "file");
        say(&format!("{files} in {:.2} s", started.elapsed().as_secs_f64()));
    }
    Ok(outcome(&arguments, &scan))
}

/// What there is to check.
enum Gathered {
    /// The files and what is in force for them.
    Files(Walked, Box<Configuration>),
    /// The paths alone, since no more was asked.
    Names(Vec<String>),
}

fn selection(arguments: &CheckArguments, names: &Names) -> Result<Selection, Failure> {
    let parse = |words: &[String]| {
        Selectors::parse(words.iter().map(String::as_str), names)
            .map_err(|(_, unknown)| Failure::from(unknown))
    };
    Ok(Selection::new(parse(&arguments.select)?, parse(&arguments.ignore)?))
}

fn gather(arguments: &CheckArguments, names: &Names) -> Result<Gathered, Failure> {
    let here = env::current_dir()
        .map_err(|fault| Failure::Other(format!("the current directory is gone: {fault}"), None))?;
    let origin = match &arguments.config {
        Some(file) => Origin::File(file),
        None if arguments.isolated => Origin::Nowhere,
        None => Origin::Nearest,
    };
    let find = |roots: &[PathBuf], folders: &[PathBuf]| {
        Configuration::find(&Search { origin, here: &here, roots, folders, names, read: &walk::read_text })
    };

    if arguments.paths.iter().any(|path| path == Path::new("-")) {
        if arguments.fix {
            let help = "show what would change with `--diff`".to_owned();
            return Err(Failure::Other("`--fix` cannot write to stdin".to_owned(), Some(help)));
        }
        let [_] = arguments.paths.as_slice() else {
            return Err(Failure::Other("`-` goes with no other path".to_owned(), None));
        };
        let name = arguments.stdin_filename.clone().unwrap_or_else(|| "<stdin>".into());
        let folder = absolute(&here, &name).parent().map_or_else(|| here.clone(), Path::to_owned);
        let configuration = find(&[], &[folder])?;
        if arguments.show_files {
            return Ok(Gathered::Names(vec![slashed(&name)]));
        }
        let mut bytes = Vec::new();
        io::stdin()
            .lock()
            .read_to_end(&mut bytes)
            .map_err(|fault| Failure::Other(format!("cannot read stdin: {fault}"), None))?;
        return Ok(Gathered::Files(walk::given(&name, bytes), Box::new(configuration)));
    }
    if arguments.stdin_filename.is_some() {
        let help = "give `-` as the path".to_owned();
        return Err(Failure::Other(
            "--stdin-filename is given, but stdin is not read".to_owned(),
            Some(help),
        ));
    }

    let listing = walk::list(&arguments.paths, &here)?;
    let configuration = find(&listing.roots, &listing.folders(&here))?;
    if arguments.show_files {
        return Ok(Gathered::Names(listing.paths(&configuration)));
    }
    Ok(Gathered::Files(walk::read(listing, &configuration), Box::new(configuration)))
}

/// Writes every report that was asked for, and on stderr what must be said whatever the format.
fn write(arguments: &CheckArguments, scan: &Scan) -> Result<(), Failure> {
    let extent = if arguments.quiet { Extent::FindingsOnly } else { Extent::Full };
    for output in &arguments.output {
        let text = render(scan, output.format, &terminal::look_in_file(), extent);
        walk::write(&output.file, &text).map_err(|fault| {
            Failure::Other(format!("cannot write `{}`: {fault}", slashed(&output.file)), None)
        })?;
    }
    let mut text = render(scan, arguments.format, &terminal::look(Stream::Stdout, arguments.color), extent);
    if arguments.statistics {
        let statistics = report::statistics(scan);
        match arguments.format {
            Format::Human | Format::Concise => text.push_str(&statistics),
            _ => say(statistics.trim_end()),
        }
    }
    print(&text)?;
    scan.gaps.iter().for_each(|gap| say(&report::gap_line(gap)));
    if scan.files.is_empty() {
        let paths: Vec<String> = arguments.paths.iter().map(|path| format!("`{}`", slashed(path))).collect();
        say(&escape::terminal(&format!(
            "nothing was scanned: no readable Python file in {}",
            paths.join(", ")
        )));
    }
    Ok(())
}

fn render(scan: &Scan, format: Format, look: &Look, extent: Extent) -> String {
    match format {
        Format::Human => report::human::render(scan, look, extent),
        Format::Concise => report::concise::render(scan, extent),
        Format::Json => report::json::render(scan),
        Format::Jsonl => report::jsonl::render(scan),
        Format::Sarif => report::sarif::render(scan, &Rulebook::built_in()),
        Format::Github => report::github::render(scan),
        Format::Gitlab => report::gitlab::render(scan),
        Format::Junit => report::junit::render(scan),
        Format::Markdown => report::markdown::render(scan),
    }
}

/// Findings say more than gaps, and gaps more than that there was nothing.
fn outcome(arguments: &CheckArguments, scan: &Scan) -> Outcome {
    let tally = Tally::of(scan);
    let counted = match arguments.fail_on {
        FailOn::Error => tally.errors,
        FailOn::Review => tally.errors + tally.reviews,
        FailOn::Never => 0,
    };
    if counted > 0 {
        Outcome::Findings
    } else if arguments.strict && tally.gaps > 0 {
        Outcome::Gaps
    } else if tally.scanned == 0 {
        Outcome::Nothing
    } else {
        Outcome::Clean
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::arguments::{Arguments, Command};
    use crate::report::tests as example;
    use clap::Parser as _;

    fn outcome_of(options: &[&str], scan: &Scan) -> Outcome {
        let words = ["trailcheck", "check"].iter().chain(options);
        let Command::Check(arguments) = Arguments::parse_from(words).command else { panic!("it is a check") };
        outcome(&arguments, scan)
    }

    #[test]
    fn the_exit_code_says_how_it_ended() {
        let mut scan = example::scan();
        assert_eq!(outcome_of(&[], &scan), Outcome::Findings);
        assert_eq!(outcome_of(&["--fail-on", "never"], &scan), Outcome::Clean);
        assert_eq!(outcome_of(&["--fail-on", "never", "--strict"], &scan), Outcome::Gaps);
        assert_eq!(outcome_of(&["--strict"], &scan), Outcome::Findings);
        scan.files[0].findings.remove(0);
        assert_eq!(outcome_of(&[], &scan), Outcome::Clean, "a suppressed error is left");
        assert_eq!(outcome_of(&["--fail-on", "review"], &scan), Outcome::Findings);
        scan.files.clear();
        assert_eq!(outcome_of(&[], &scan), Outcome::Nothing);
        assert_eq!(outcome_of(&["--strict"], &scan), Outcome::Gaps);
    }
}
