//! cli/mend: fixes are written or shown, and what was left is said.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _};

use super::arguments::CheckArguments;
use super::{Failure, print, say};
use crate::escape;
use crate::finding::{Safety, Scan};
use crate::fix::{Left, Mended};
use crate::report::{self, count};
use crate::walk;

/// What is done with fixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// They are written to the files.
    Write,
    /// They are shown as a diff.
    Show,
    /// They are shown as a plan for tools.
    Plan,
}

impl CheckArguments {
    /// What is to be done with fixes, and how daring they may be; nothing where nobody asked for them.
    pub(super) fn mending(&self) -> Option<(Purpose, Safety)> {
        let most = if self.unsafe_fixes { Safety::Unsafe } else { Safety::Safe };
        let purpose = match (self.fix, self.diff, self.fix_plan) {
            (_, true, _) => Purpose::Show,
            (_, _, Some(_)) => Purpose::Plan,
            (true, ..) => Purpose::Write,
            _ => return None,
        };
        Some((purpose, most))
    }
}

/// Writes the new texts and says what became of each; answers the scan of what the files are now.
///
/// # Errors
/// When the current directory is gone.
pub(super) fn write(arguments: &CheckArguments, mended: Mended) -> Result<Scan, Failure> {
    let here = super::run::here()?;
    let Mended { files, before, mut scan, left } = mended;
    let mut kept: BTreeMap<_, _> =
        before.files.into_iter().map(|file| (file.source.path.clone(), file)).collect();
    for (old, new) in &files {
        let Err(why) = walk::replace(old, new, &arguments.scan.paths, &here) else { continue };
        say(&escape::terminal(&format!("not fixed: {}: {why}", old.display_path())));
        // What was found in it before is what is there still.
        if let (Some(file), Some(kept)) =
            (scan.files.iter_mut().find(|file| file.source.path == old.path), kept.remove(&old.path))
        {
            *file = kept;
        }
    }
    tell(arguments, &scan, &left);
    Ok(scan)
}

/// Shows what would be written.
///
/// # Errors
/// When stdout cannot be written to.
pub(super) fn show(arguments: &CheckArguments, mended: &Mended, purpose: Purpose) -> Result<(), Failure> {
    let text = match purpose {
        Purpose::Plan => report::plan::render(mended.files.as_slice(), &mended.scan),
        _ => report::diff::render(&mended.files),
    };
    if io::stdout().is_terminal() {
        let lines = text.lines().map(|line| escape::terminal(line).into_owned() + "\n");
        print(&lines.collect::<String>())?;
    } else {
        print(&text)?;
    }
    tell(arguments, &mended.scan, &mended.left);
    Ok(())
}

fn tell(arguments: &CheckArguments, scan: &Scan, left: &[Left]) {
    if arguments.scan.quiet {
        return;
    }
    let changes = scan.files.iter().flat_map(|file| &file.changes);
    let changes: Vec<_> = changes.filter(|change| change.is_counted).collect();
    let files = scan.files.iter().filter(|file| !file.changes.is_empty()).count();
    let daring = changes.iter().filter(|change| change.safety == Safety::Unsafe).count();
    let note = if daring == 0 { String::new() } else { format!(", {daring} with unsafe fixes") };
    let verb = if arguments.diff || arguments.fix_plan.is_some() { "would be fixed" } else { "fixed" };
    say(&format!("{verb}: {} in {}{note}", count(changes.len(), "finding"), count(files, "file")));
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for one in left {
        *reasons.entry(&one.why).or_default() += 1;
        if arguments.scan.verbose {
            let Left { path, line, rule, why } = one;
            say(&escape::terminal(&format!("left: {path}:{line}: {rule}: {why}")));
        }
    }
    for (why, times) in reasons {
        say(&format!("left: {}: {why}", count(times, "finding")));
    }
}
