//! learn/trail: what keeps an audit trail, and of which models.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::{self, AuditPolicy};
use crate::duty::Operation;
use crate::flow::{Failing, Flow, Judgement, Telling};
use crate::project::{ClassId, FileId, FunctionId, Model, Project};

use super::{Kept, Seen, Tally, dotted, is_named_function, word};

/// From how many functions an emitter must be called.
const FEWEST_CALLERS: usize = 2;

/// How many audit events must say what becomes of their failure, and what share of them must agree, in percent.
const FEWEST_EVENTS: usize = 3;
const POLICY_SHARE: usize = 75;

/// How many models are shown that were not taken.
const MOST_OTHERS: usize = 6;

/// What keeps the trail of a program that was followed with the models of audit rows it has by their names.
pub(super) fn kept(
    project: &Project,
    flow: &Flow,
    (judgements, telling): (&[Judgement], &BTreeMap<ClassId, Telling>),
    serves: &dyn Fn(FileId) -> bool,
) -> Kept {
    let mut kept = Kept::default();
    let path =
        |class: &ClassId| dotted(project, class.file, &project.class(*class).qualname, config::is_pattern);
    let mut writers: BTreeMap<ClassId, BTreeSet<FunctionId>> = BTreeMap::new();
    let mut makers: BTreeMap<FunctionId, BTreeSet<ClassId>> = BTreeMap::new();
    for (id, outcome) in flow.outcomes.iter().filter(|(id, _)| serves(id.file)) {
        for &model in outcome.audit_rows.values() {
            writers.entry(model).or_default().insert(id);
            makers.entry(id).or_default().insert(model);
        }
    }
    for class in project.class_ids() {
        if project.model(class).is_none() || !serves(class.file) {
            continue;
        }
        let Some(name) = path(&class) else { continue };
        if project.is_audit_model(class) {
            let why = match writers.get(&class).map_or(0, BTreeSet::len) {
                0 => "no code was seen that writes a row".to_owned(),
                some => format!("rows are written by {}", functions(some)),
            };
            kept.models.push(Seen { name, why });
        } else if let Some(why) = looks_like_audit(project, class, judgements, serves) {
            kept.other_models.push(Seen { name, why });
        }
    }
    kept.other_models.truncate(MOST_OTHERS);
    let silent = |id: &FunctionId| {
        let is_busy = judgements
            .iter()
            .any(|judgement| judgement.function == *id && !project.is_audit_model(judgement.model));
        // Django calls these whenever a row is saved; nobody asks them for an event.
        let is_hook = matches!(&*project.function(*id).name, "save" | "asave" | "delete" | "__init__");
        is_named_function(project, *id) && !is_hook && !is_busy
    };
    let emitters: BTreeMap<FunctionId, usize> = makers
        .keys()
        .filter(|id| silent(id))
        .map(|id| {
            let callers = flow.callers.get(id).into_iter().flatten().filter(|caller| serves(caller.file));
            (*id, callers.count())
        })
        .filter(|(_, callers)| *callers >= FEWEST_CALLERS)
        .collect();
    let mut ordered: Vec<(&FunctionId, &usize)> = emitters.iter().collect();
    ordered.sort_by_key(|(id, callers)| (std::cmp::Reverse(**callers), **id));
    for (id, callers) in ordered {
        let qualname = &project.function(*id).qualname;
        if let Some(name) = dotted(project, id.file, qualname, config::is_pattern) {
            kept.emitters.push(Seen { name, why: format!("called by {}", functions(*callers)) });
        }
    }
    if kept.models.is_empty() && kept.emitters.is_empty() {
        return kept;
    }
    let mut told: Vec<(&ClassId, &Telling)> =
        telling.iter().filter(|(_, telling)| telling.told > 0).collect();
    told.sort_by_key(|(class, telling)| (std::cmp::Reverse(telling.told), **class));
    for (class, telling) in told {
        let Some(name) = path(class) else { continue };
        let all = telling.told + telling.silent;
        let why = format!("{} of {} that change it tell of it", telling.told, functions(all));
        let has_logins = flow.tells_of_logins && project.user_model() == Some(*class);
        let why = if has_logins { format!("{why}, and logins are told of") } else { why };
        let list = if telling.is_habit() || has_logins { &mut kept.tracked } else { &mut kept.other_tracked };
        list.push(Seen { name, why });
    }
    kept.other_tracked.truncate(MOST_OTHERS);
    (kept.policy, kept.harmless) = policy(flow, serves);
    kept
}

/// What becomes of audit events that fail, where most agree: whoever writes them catches that, or those who ask for them.
fn policy(flow: &Flow, serves: &dyn Fn(FileId) -> bool) -> (Option<AuditPolicy>, Tally) {
    let mut tally = Tally::default();
    for (_, outcome) in flow.outcomes.iter().filter(|(id, _)| serves(id.file)) {
        for (step, emission) in &outcome.emissions {
            let is_guarded = matches!(emission.failing, None | Some(Failing::CaughtAlone(_)));
            // An event that nobody guards and that is not in one transaction with its change says nothing of a policy.
            let fails_with_change =
                || emission.apart.is_none() && outcome.told.values().any(|told| told == step);
            if is_guarded || fails_with_change() {
                tally.of += 1;
                tally.times += usize::from(is_guarded);
            }
        }
    }
    let agrees = |times: usize| tally.of >= FEWEST_EVENTS && times * 100 >= tally.of * POLICY_SHARE;
    let policy = if agrees(tally.times) {
        Some(AuditPolicy::BestEffort)
    } else if agrees(tally.of - tally.times) {
        Some(AuditPolicy::Mandatory)
    } else {
        None
    };
    (policy, tally)
}

/// Why a model looks as if it held audit rows, though its name does not say so: it has columns for what was done, by whom
/// and to what, and no function changes a row.
fn looks_like_audit(
    project: &Project,
    class: ClassId,
    judgements: &[Judgement],
    serves: &dyn Fn(FileId) -> bool,
) -> Option<String> {
    if !has_audit_columns(project.model(class)?) {
        return None;
    }
    let of_model = || judgements.iter().filter(|j| j.model == class && serves(j.function.file));
    // Old rows of a trail may be thrown away; none is ever changed.
    if of_model().any(|judgement| judgement.operation == Operation::Update) {
        return None;
    }
    let adding: BTreeSet<FunctionId> = of_model().map(|judgement| judgement.function).collect();
    Some(match adding.len() {
        0 => "its columns fit, and no code was seen that changes a row".to_owned(),
        some => format!("its columns fit, rows are written by {}, and none changes one", functions(some)),
    })
}

fn has_audit_columns(model: &Model) -> bool {
    let has = |wanted: &[&str]| {
        model.columns.keys().any(|name| word::words(name).iter().any(|word| wanted.contains(&word.as_str())))
    };
    has(&["action", "event", "verb", "operation", "activity"])
        && has(&["user", "actor", "by", "username"])
        && has(&["entity", "object", "target", "resource", "table", "field", "model", "subject"])
}

fn functions(count: usize) -> String {
    if count == 1 { "1 function".to_owned() } else { format!("{count} functions") }
}
