//! cli/progress: a bar on stderr for those who wait.

use std::io::{self, IsTerminal as _};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::scan::Progress;

/// A bar that is drawn only on a terminal, and only when the scan takes longer than one notices.
pub(super) struct Bar {
    started: Instant,
    total: AtomicUsize,
    done: AtomicUsize,
    drawn: OnceLock<ProgressBar>,
    is_watched: bool,
}

const PATIENCE: Duration = Duration::from_millis(500);

impl Bar {
    /// A bar that starts waiting now.
    pub(super) fn new() -> Bar {
        Bar {
            started: Instant::now(),
            total: AtomicUsize::new(0),
            done: AtomicUsize::new(0),
            drawn: OnceLock::new(),
            is_watched: io::stderr().is_terminal(),
        }
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        if let Some(bar) = self.drawn.get() {
            bar.finish_and_clear();
        }
    }

    fn draw(&self) -> ProgressBar {
        let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} files")
            .expect("internal error: the template of the bar is sound");
        ProgressBar::new(self.total.load(Ordering::Relaxed) as u64).with_style(style)
    }
}

impl Progress for Bar {
    fn files(&self, total: usize) {
        self.total.store(total, Ordering::Relaxed);
    }

    fn file_done(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if self.is_watched && self.started.elapsed() > PATIENCE {
            self.drawn.get_or_init(|| self.draw()).set_position(done as u64);
        }
    }
}
