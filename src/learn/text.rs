//! learn/text: what was learned, as a configuration file with its reasons and as a short table.
//!
//! Every name comes from scanned code: the file holds only names that the configuration accepts, and comments are lines
//! without anything that could end one.

use std::fmt::Write as _;

use super::{Clock, Learned, Practice, Role, Seen, Tally, practice};
use crate::config::{AuditPolicy, Covered};
use crate::escape;

/// The configuration file.
pub fn file(learned: &Learned) -> String {
    let mut out = Out::default();
    let Learned { words, kept, .. } = learned;
    out.say(&format!(
        "What `trailcheck init` learned from {} with {} and {}.",
        count(learned.files, "file"),
        count(words.models, "model"),
        count(learned.writes, "write")
    ));
    out.say("Read it before you keep it. Above each key stands what speaks for it; a key that is commented out was seen");
    out.say("and not taken, because too little speaks for it.");
    out.gap();
    defaults(&mut out, learned);

    out.table("fields", "the columns that play each role; other names of that role are not known any more");
    for role in &words.roles {
        fields(&mut out, role);
    }
    out.table("setters", "the methods of rows that discharge a role, and do nothing else");
    for setters in &words.setters {
        out.list(setters.duty.word(), &setters.names, &[]);
    }
    if words.setters.is_empty() {
        out.say("no method of a model was seen that only stamps its row");
    }
    for helper in &learned.helpers {
        out.say(&format!("`{}` {}: it is followed and needs no entry", helper.name, helper.why));
    }
    out.table("clock", "the expression that gives the time");
    clock(&mut out, &words.clock);
    out.table("context", "the class that carries who acts");
    match &words.contexts[..] {
        [] => out.say("no class was seen that carries who acts to where rows are stamped"),
        [first, others @ ..] => {
            out.reason(first);
            out.value("class", &quoted(&first.name));
            for other in others {
                out.reason(other);
                out.left_out("class", &quoted(&other.name));
            }
        }
    }
    out.table(
        "trail",
        "audit rows: their models, the functions that write them, the models they must tell of",
    );
    out.list("models", &kept.models, &kept.other_models);
    out.list("emitters", &kept.emitters, &[]);
    out.list("tracked", &kept.tracked, &kept.other_tracked);
    if kept.models.is_empty() && kept.other_models.is_empty() && kept.emitters.is_empty() {
        out.say("no audit rows were seen");
    }
    out.text
}

/// The short table.
pub fn table(learned: &Learned) -> String {
    let Learned { words, kept, .. } = learned;
    let mut rows: Vec<(&str, String, String)> = Vec::new();
    for role in words.roles.iter().filter(|role| !role.names.is_empty()) {
        let how =
            role.practice.map_or_else(|| "no such write".to_owned(), |practice| standing(role, practice));
        rows.push((role.duty.word(), names(&role.names).join(", "), how));
    }
    for setters in &words.setters {
        rows.push(("setter", names(&setters.names).join(", "), setters.duty.word().to_owned()));
    }
    if let Some((text, zone, tally)) = &words.clock.chosen {
        rows.push(("clock", text.clone(), format!("{zone}, {}", share(*tally, "reading"))));
    }
    if let Some(context) = words.contexts.first() {
        rows.push(("context", context.name.clone(), context.why.clone()));
    }
    for (what, list) in
        [("audit rows", &kept.models), ("emitter", &kept.emitters), ("tracked", &kept.tracked)]
    {
        rows.extend(list.iter().map(|seen| (what, seen.name.clone(), seen.why.clone())));
    }
    if let Some(policy) = kept.policy {
        rows.push(("audit", policy_word(policy).to_owned(), harmless(kept.harmless)));
    }
    if learned.covered == Some(Covered::Allow) {
        rows.push(("defaults", "allow".to_owned(), by_default(learned.by_default)));
    }
    let what = rows.iter().map(|(what, _, _)| what.chars().count()).max().unwrap_or(0);
    let name = rows.iter().map(|(_, name, _)| name.chars().count()).max().unwrap_or(0).min(WIDEST);
    let mut text = String::new();
    for (word, names, why) in rows {
        let line = format!("{word:<what$}  {names:<name$}  {why}");
        let _ = writeln!(text, "{}", escape::terminal(line.trim_end()));
    }
    text
}

/// How many clocks are shown that were not taken.
const MOST_CLOCKS: usize = 3;

/// How wide the column of names may be before what stands behind it moves out of line.
const WIDEST: usize = 52;

/// A configuration file as it grows.
#[derive(Default)]
struct Out {
    text: String,
}

impl Out {
    /// A comment.
    fn say(&mut self, line: &str) {
        let _ = writeln!(self.text, "# {}", escape::terminal(line));
    }

    fn gap(&mut self) {
        self.text.push('\n');
    }

    fn table(&mut self, name: &str, about: &str) {
        let _ = writeln!(self.text, "\n[{name}]");
        self.say(about);
    }

    fn reason(&mut self, seen: &Seen) {
        self.say(&format!("`{}`: {}", seen.name, seen.why));
    }

    fn value(&mut self, key: &str, value: &str) {
        let _ = writeln!(self.text, "{key} = {value}");
    }

    /// A key that a person may take up.
    fn left_out(&mut self, key: &str, value: &str) {
        self.say(&format!("{key} = {value}"));
    }

    /// A list of names, each with its reason behind it, and beside them those that were not taken.
    fn list(&mut self, key: &str, taken: &[Seen], others: &[Seen]) {
        match (taken, others) {
            ([], []) => {}
            ([], others) => {
                let names: Vec<String> = others.iter().map(|seen| quoted(&seen.name)).collect();
                self.left_out(key, &format!("[{}]", names.join(", ")));
                others.iter().for_each(|seen| self.reason(seen));
            }
            ([only], []) => {
                let line = format!("[{}]  # {}", quoted(&only.name), escape::terminal(&only.why));
                self.value(key, &line);
            }
            (taken, others) => {
                let _ = writeln!(self.text, "{key} = [");
                for seen in taken {
                    let _ =
                        writeln!(self.text, "    {},  # {}", quoted(&seen.name), escape::terminal(&seen.why));
                }
                for seen in others {
                    let line = format!("{},  # {}", quoted(&seen.name), seen.why);
                    let _ = writeln!(self.text, "    # {}", escape::terminal(&line));
                }
                self.text.push_str("]\n");
            }
        }
    }
}

fn defaults(out: &mut Out, learned: &Learned) {
    out.say(&by_default(learned.by_default));
    match learned.covered {
        Some(Covered::Allow) => out.value("covered-by-default", "\"allow\""),
        _ => out.left_out("covered-by-default", "\"review\""),
    }
    let kept = &learned.kept;
    if kept.models.is_empty() && kept.emitters.is_empty() {
        return;
    }
    out.say(&harmless(kept.harmless));
    match kept.policy {
        Some(policy) => out.value("audit", &quoted(policy_word(policy))),
        None => out.left_out("audit", "\"mandatory\""),
    }
}

fn fields(out: &mut Out, role: &Role) {
    let duty = role.duty.word();
    match role.practice {
        _ if role.names.is_empty() && role.others.is_empty() => {
            return out.say(&format!("{duty}: no column was seen that plays it"));
        }
        Some(practice) => out.say(&format!("{duty}: {}", standing(role, practice))),
        None => out.say(&format!("{duty}: no write was seen that owes it")),
    }
    out.list(duty, &role.names, &role.others);
}

fn clock(out: &mut Out, clock: &Clock) {
    let what = if clock.is_declared { "default of a column" } else { "stamp" };
    match &clock.chosen {
        Some((text, zone, tally)) => {
            out.say(&format!("{}: {zone}", share(*tally, what)));
            out.value("expression", &quoted(text));
        }
        None if clock.others.is_empty() => out.say("no code was seen that stamps a row with a time"),
        None => out.say("no expression is read in nearly all stamps"),
    }
    for (text, zone, tally) in clock.others.iter().take(MOST_CLOCKS) {
        out.say(&format!("not taken: {}: {zone}", share(*tally, what)));
        out.left_out("expression", &quoted(text));
    }
}

/// How the writes stand that owe a role.
fn standing(role: &Role, practice: Practice) -> String {
    let total = practice.total();
    let writes = practice::writes_of(role.duty);
    let mut line = if total == 0 {
        format!("no {writes} keeps the row")
    } else {
        let tally = Tally { times: practice.set, of: total };
        format!("set by {} % of {}", percent(tally), count(total, writes))
    };
    for (times, what) in [
        (practice.covered, "left to a default"),
        (practice.missing, "left out"),
        (practice.unknown, "not clear"),
        (practice.removed, "removed for good"),
    ] {
        if times > 0 {
            let _ = write!(line, ", {times} {what}");
        }
    }
    line
}

fn by_default(tally: Tally) -> String {
    format!("{} of {} that are stored are left to a default", tally.times, count(tally.of, "time"))
}

fn harmless(tally: Tally) -> String {
    if tally.of == 0 {
        return "no audit event says what becomes of a failure".to_owned();
    }
    format!(
        "{} of {} that say what becomes of a failure are guarded, the others fail with their change",
        tally.times,
        count(tally.of, "audit event")
    )
}

fn share(tally: Tally, what: &str) -> String {
    format!("{} of {}", tally.times, count(tally.of, what))
}

fn policy_word(policy: AuditPolicy) -> &'static str {
    match policy {
        AuditPolicy::Mandatory => "mandatory",
        AuditPolicy::BestEffort => "best-effort",
    }
}

fn percent(tally: Tally) -> usize {
    (tally.times * 100).checked_div(tally.of).unwrap_or(0)
}

fn names(seen: &[Seen]) -> Vec<String> {
    seen.iter().map(|seen| seen.name.clone()).collect()
}

fn count(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        _ => match what.strip_prefix("default ") {
            Some(rest) => format!("{number} defaults {rest}"),
            None => format!("{number} {what}s"),
        },
    }
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
