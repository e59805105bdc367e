//! stages: what each step of a check costs on a folder: seconds, bytes a second, memory.
//!
//!     cargo bench --bench stages -- FOLDER [RUNS]
//!
//! One thread works unless RAYON_NUM_THREADS says otherwise: then what a step costs is its own. The best of the runs is
//! shown, since noise only adds. How often memory is asked for is left to heaptrack and valgrind, which change nothing in
//! the program to know it.
#![allow(clippy::print_stdout, reason = "it is what the program is for")]

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use mimalloc::MiMalloc;
use trailcheck::config::Configuration;
use trailcheck::finding::Scan;
use trailcheck::report;
use trailcheck::rulebook::Rulebook;
use trailcheck::scan::{Progress, Request, Step, scan};
use trailcheck::walk::{self, Walked};

// As the program does.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Bytes of stack for each thread, as for the program itself.
const STACK: usize = 16 << 20;

fn main() -> ExitCode {
    // Cargo adds an option of its own.
    let words: Vec<String> = env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let (Some(folder), runs) = (words.first(), words.get(1).map_or(Ok(3), |word| word.parse::<usize>()))
    else {
        println!("which folder? cargo bench --bench stages -- FOLDER [RUNS]");
        return ExitCode::from(2);
    };
    let threads = env::var("RAYON_NUM_THREADS").ok().and_then(|number| number.parse().ok()).unwrap_or(1);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .stack_size(STACK)
        .build()
        .expect("threads can be started");
    let root = PathBuf::from(folder);
    let mut best = Watch::default();
    for _ in 0..runs.unwrap_or(3).max(1) {
        let watch = pool.install(|| measured(&root));
        best = best.better(watch);
    }
    best.print(threads);
    ExitCode::SUCCESS
}

/// One check from the folder to the report.
fn measured(root: &PathBuf) -> Watch {
    let here = env::current_dir().expect("there is a current directory");
    let clock = Clock::default();
    clock.begin("list");
    let listing = walk::list(std::slice::from_ref(root), &here).expect("the folder can be listed");
    let configuration = Configuration::default();
    clock.begin("read");
    let walked = walk::read(listing, &configuration, true);
    let (files, bytes) = (walked.sources.len(), size(&walked));
    let rulebook = Rulebook::built_in();
    let request = Request::new(walked, &configuration, &rulebook, "2026-01-15");
    let found = scan(Request { progress: &clock, ..request });
    clock.begin("report");
    let written = report::json::render(&found).len();
    clock.begin("free");
    let findings = findings(&found);
    drop(found);
    let state = clock.stopped();
    Watch { files, bytes, findings, written, steps: state.steps }
}

fn size(walked: &Walked) -> usize {
    walked.sources.iter().map(|source| source.text.len()).sum()
}

fn findings(scan: &Scan) -> usize {
    scan.files.iter().map(|file| file.findings.len()).sum()
}

/// What a check cost, step by step in their order, and what it was about.
#[derive(Default)]
struct Watch {
    files: usize,
    bytes: usize,
    findings: usize,
    written: usize,
    steps: Vec<(&'static str, Cost)>,
}

/// What a step cost.
#[derive(Clone, Copy, Default)]
struct Cost {
    time: Duration,
    /// Kibibytes at its end.
    held: u64,
    /// The most kibibytes until then.
    peak: u64,
}

impl Watch {
    /// The quicker of two runs, which were about the same.
    fn better(self, other: Watch) -> Watch {
        if self.steps.is_empty() || other.total() < self.total() { other } else { self }
    }

    fn total(&self) -> Duration {
        self.steps.iter().map(|(_, cost)| cost.time).sum()
    }

    fn print(&self, threads: usize) {
        let megabytes = self.bytes as f64 / 1e6;
        println!(
            "{} files, {megabytes:.1} MB, {} findings, {} bytes of report, {threads} threads\n",
            self.files, self.findings, self.written
        );
        println!("| step | ms | share | MB/s | MiB held | MiB peak |");
        println!("| --- | ---: | ---: | ---: | ---: | ---: |");
        let total = self.total();
        let last = self.steps.last().map(|&(_, cost)| cost).unwrap_or_default();
        let all = ("all", Cost { time: total, ..last });
        for (step, cost) in self.steps.iter().chain(std::iter::once(&all)) {
            let seconds = cost.time.as_secs_f64();
            println!(
                "| {step} | {:.1} | {:.0} % | {:.0} | {} | {} |",
                seconds * 1e3,
                100.0 * seconds / total.as_secs_f64(),
                megabytes / seconds,
                cost.held / 1024,
                cost.peak / 1024
            );
        }
    }
}

/// A clock that knows which step it is. A step that comes again, for another program of the same run, adds up.
struct Clock(Mutex<State>);

struct State {
    now: Option<&'static str>,
    since: Instant,
    steps: Vec<(&'static str, Cost)>,
    numbers: BTreeMap<&'static str, usize>,
}

impl Default for Clock {
    fn default() -> Clock {
        let (steps, numbers) = (Vec::new(), BTreeMap::new());
        Clock(Mutex::new(State { now: None, since: Instant::now(), steps, numbers }))
    }
}

impl Clock {
    fn begin(&self, step: &'static str) {
        let mut state = self.0.lock().expect("no thread has panicked");
        state.end();
        state.now = Some(step);
        state.since = Instant::now();
    }

    fn stopped(self) -> State {
        let mut state = self.0.into_inner().expect("no thread has panicked");
        state.end();
        state
    }
}

impl State {
    fn end(&mut self) {
        let Some(step) = self.now.take() else { return };
        let time = self.since.elapsed();
        let number = *self.numbers.entry(step).or_insert(self.steps.len());
        if number == self.steps.len() {
            self.steps.push((step, Cost::default()));
        }
        let cost = &mut self.steps[number].1;
        cost.time += time;
        (cost.held, cost.peak) = memory();
    }
}

impl Progress for Clock {
    fn files(&self, _: usize) {}

    fn file_done(&self) {}

    fn begins(&self, step: Step) {
        self.begin(match step {
            Step::Lower => "lower",
            Step::Project => "project",
            Step::Follow => "follow",
            Step::Observe => "observe",
            Step::Check => "check",
            Step::Complete => "complete",
            Step::Join => "join",
        });
    }
}

/// The kibibytes this process holds, and the most it has held, where the system tells; a later run's peak is at least
/// that of an earlier one.
fn memory() -> (u64, u64) {
    let told = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let figure = |name: &str| {
        let line = told.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse().ok()
    };
    (figure("VmRSS:").unwrap_or(0), figure("VmHWM:").unwrap_or(0))
}
