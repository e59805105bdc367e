//! learn/clock: which expression the code reads the time with when it stamps a row.

use std::collections::BTreeMap;

use crate::duty::Duty;
use crate::facts::{ArgumentKind, FunctionKind, StepId, StepKind};
use crate::name::Name;
use crate::project::{FunctionId, Project, Symbol, written_path};

use super::put::Put;
use super::{Clock, Ground, Tally};

/// How many helpers a reading is followed through.
const DEEPEST: usize = 4;

/// How long an expression may be that a person would still take for a name of the clock.
const LONGEST: usize = 60;

/// In so many stamps a clock must be read before it is a habit.
const FEWEST: usize = 3;

/// What share of all stamps must read the chosen clock, in percent.
const SHARE: usize = 75;

/// Keywords by which a column takes a value of its own. What the database computes is no expression of the code.
const DEFAULTS: &[&str] = &["default", "insert_default", "onupdate", "default_factory"];

/// How a program reads the time: in its stamps, and where these read none, in the defaults of its columns.
pub(super) fn clock(ground: &Ground<'_>, puts: &[Put]) -> Clock {
    let mut times: BTreeMap<(String, &'static str), usize> = BTreeMap::new();
    for put in puts {
        if let Some(read) = reading(ground.project, put.function, put.value, 0) {
            *times.entry((read.text, read.zone)).or_default() += 1;
        }
    }
    let is_declared = times.values().sum::<usize>() < FEWEST;
    if is_declared {
        for read in declared(ground) {
            *times.entry((read.text, read.zone)).or_default() += 1;
        }
    }
    let total: usize = times.values().sum();
    let mut all: Vec<((String, &'static str), usize)> = times.into_iter().collect();
    all.sort_by(|(text, times), (other, others)| others.cmp(times).then_with(|| text.cmp(other)));
    let mut all = all.into_iter().map(|((text, zone), times)| (text, zone, Tally { times, of: total }));
    let first = all.next();
    let rest: Vec<_> = first.iter().cloned().chain(all).collect();
    let is_habit =
        |tally: &Tally| tally.times >= FEWEST.min(tally.of) && tally.times * 100 >= tally.of * SHARE;
    let chosen = first.filter(|(text, _, tally)| is_habit(tally) && crate::config::is_expression(text));
    let others = rest.into_iter().skip(usize::from(chosen.is_some())).collect();
    Clock { chosen, others, is_declared }
}

struct Reading {
    text: String,
    zone: &'static str,
}

/// What a value reads from a clock: itself, by a local variable, or by a helper of the project.
fn reading(project: &Project, id: FunctionId, step: StepId, depth: usize) -> Option<Reading> {
    if depth > DEEPEST {
        return None;
    }
    let function = project.function(id);
    match &function.steps[step as usize].kind {
        StepKind::Name(name) => reading(project, id, function.bound_once(*name)?, depth + 1),
        StepKind::Await(of) => reading(project, id, *of, depth + 1),
        StepKind::Either(all) => all.iter().find_map(|part| reading(project, id, *part, depth + 1)),
        StepKind::Call { callee, arguments } => {
            let zone = zone_of(project, id, *callee, arguments.len(), depth)?;
            let zone = match function.steps[*callee as usize].kind {
                StepKind::Attribute { name, .. } if &*name == "replace" => {
                    let drops = arguments.iter().any(|argument| {
                        matches!(argument.kind, ArgumentKind::Keyword(name) if &*name == "tzinfo")
                            && matches!(
                                function.steps[argument.value as usize].kind,
                                StepKind::Literal(crate::facts::Literal::None)
                            )
                    });
                    if drops { "without a zone" } else { zone }
                }
                _ => zone,
            };
            let text = project.file(id.file).source.slice(function.steps[step as usize].span);
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            (text.len() <= LONGEST).then_some(Reading { text, zone })
        }
        _ => None,
    }
}

/// What the time says of its zone that a call reads; nothing where it reads none.
fn zone_of(
    project: &Project,
    id: FunctionId,
    callee: StepId,
    arguments: usize,
    depth: usize,
) -> Option<&'static str> {
    let function = project.function(id);
    let path = written_path(function, callee);
    if let Some(path) = path {
        match project.symbol_in(id, path) {
            Some(Symbol::External(known)) => return external(&known, arguments),
            // A helper says by its name what it reads; one that is handed something computes.
            Some(Symbol::Function(helper)) if arguments == 0 => return returned(project, helper, depth + 1),
            Some(_) => return None,
            None if path.ends_with("func.now") || path.ends_with("func.current_timestamp") => {
                return Some("the database's own");
            }
            None => {}
        }
    }
    match function.steps[callee as usize].kind {
        // `datetime.now(UTC).replace(tzinfo=None)`; a time that is made a text goes into no column.
        StepKind::Attribute { of, name } if matches!(&*name, "replace" | "astimezone") => {
            reading(project, id, of, depth + 1)
                .map(|read| if &*name == "astimezone" { "with a zone" } else { read.zone })
        }
        _ => None,
    }
}

fn external(path: &str, arguments: usize) -> Option<&'static str> {
    Some(match path {
        "datetime.datetime.now" if arguments > 0 => "with a zone",
        "datetime.datetime.now" | "datetime.datetime.today" => "local time without a zone",
        "datetime.datetime.utcnow" => "UTC without a zone",
        "pendulum.now" | "arrow.utcnow" | "arrow.now" => "with a zone",
        "django.utils.timezone.now" | "django.utils.timezone.localtime" => "with a zone where USE_TZ is on",
        "time.time" | "time.time_ns" => "seconds since 1970",
        "django.db.models.functions.Now" => "the database's own",
        path if path.ends_with("func.now") || path.ends_with("func.current_timestamp") => {
            "the database's own"
        }
        _ => return None,
    })
}

/// What a helper of the project reads, where it returns nothing else.
fn returned(project: &Project, helper: FunctionId, depth: usize) -> Option<&'static str> {
    let function = project.function(helper);
    let mut values = function.steps.iter().filter_map(|step| match step.kind {
        StepKind::Return(Some(value)) => Some(value),
        _ => None,
    });
    let value = values.next().filter(|_| values.next().is_none())?;
    reading(project, helper, value, depth).map(|read| read.zone)
}

/// What the defaults of time columns read.
fn declared(ground: &Ground<'_>) -> Vec<Reading> {
    let project = ground.project;
    let mut found = Vec::new();
    for id in ground.functions() {
        let function = project.function(id);
        if function.kind != FunctionKind::ClassBody {
            continue;
        }
        for step in &function.steps {
            let StepKind::Bind { name, value, .. } = step.kind else { continue };
            if !ground.roles.duty(&name).is_some_and(Duty::is_time) {
                continue;
            }
            let mut waiting = vec![value];
            while let Some(step) = waiting.pop() {
                let StepKind::Call { arguments, .. } = &function.steps[step as usize].kind else { continue };
                for argument in arguments {
                    match argument.kind {
                        ArgumentKind::Keyword(name) if DEFAULTS.contains(&&*name) => {
                            found.extend(default(project, id, argument.value));
                        }
                        _ => waiting.push(argument.value),
                    }
                }
            }
        }
    }
    found.retain(|read| read.zone != "the database's own");
    found
}

/// What a default reads: a function that is called for it, or a lambda.
fn default(project: &Project, id: FunctionId, value: StepId) -> Option<Reading> {
    let function = project.function(id);
    if let StepKind::Function(index) = function.steps[value as usize].kind {
        let lambda = FunctionId { file: id.file, index: index as u32 };
        let outline = project.function(lambda);
        let returned = outline.steps.iter().find_map(|step| match step.kind {
            StepKind::Return(Some(value)) => Some(value),
            _ => None,
        });
        return reading(project, lambda, returned?, 0);
    }
    let path = written_path(function, value)?;
    let zone = match project.symbol_in(id, path)? {
        Symbol::External(known) => external(&known, 0)?,
        Symbol::Function(helper) => returned(project, helper, 0)?,
        _ => return None,
    };
    Some(Reading { text: format!("{path}()"), zone })
}

/// The names that are worth looking at.
pub(super) fn is_time(ground: &Ground<'_>, name: &Name) -> bool {
    ground.roles.duty(name).is_some_and(Duty::is_time)
}
