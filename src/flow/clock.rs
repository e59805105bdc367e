//! flow/clock: readings of a clock, which columns they are stored in, and times that are taken once and kept for good.

use crate::facts::{Argument, ArgumentKind, Function, FunctionKind, Literal, StepId, StepKind, Term};
use crate::name::Name;
use crate::project::{ClassId, FunctionId, Keeps, Project, Symbol};

use super::actor;
use super::object::decorated;
use super::trace::Trace;
use super::value::Value;

/// What a reading of a clock says of its time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Clock {
    /// Local time without a zone: `datetime.now()`.
    Local,
    /// UTC without a zone: `datetime.utcnow()`.
    Utc,
    /// A time with its zone: `datetime.now(timezone.utc)`.
    Aware,
    /// A time that may have a zone or not.
    Unsure,
    /// A date or a number, to which zones mean nothing.
    Zoneless,
}

impl Clock {
    /// What a column must keep so that nothing of the reading is lost.
    pub(super) fn needs(self) -> Keeps {
        match self {
            Clock::Local | Clock::Utc => Keeps::Naive,
            Clock::Aware => Keeps::Aware,
            Clock::Unsure | Clock::Zoneless => Keeps::Unknown,
        }
    }

    /// The clock an expression reads, as a configuration may write it; nothing where that cannot be told.
    pub(super) fn written(expression: &str) -> Option<Clock> {
        let text: String = expression.chars().filter(|c| !c.is_whitespace()).collect();
        let (callee, arguments) = text.strip_suffix(')')?.split_once('(')?;
        match (callee.strip_prefix("datetime.").unwrap_or(callee), arguments) {
            // A bare `now()` may be anybody's.
            _ if !callee.starts_with("datetime.") => None,
            ("datetime.now" | "now" | "datetime.today" | "today", "") => Some(Clock::Local),
            ("datetime.utcnow" | "utcnow", "") => Some(Clock::Utc),
            ("datetime.now" | "now", zone) => {
                let zone = zone.strip_prefix("tz=").unwrap_or(zone);
                let is_utc = zone.rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case("utc"));
                (is_utc || zone.starts_with("ZoneInfo(")).then_some(Clock::Aware)
            }
            _ => None,
        }
    }
}

/// A reading of a clock that is stored in a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockStore {
    /// The class that has the column.
    pub class: ClassId,
    /// The column.
    pub field: Name,
    /// What is stored.
    pub clock: Clock,
    /// What the column keeps.
    pub keeps: Keeps,
    /// The word for how it is written.
    pub by: &'static str,
}

/// A time that is taken when the module is imported and used ever after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frozen {
    /// The word for what keeps it.
    pub kept_by: &'static str,
    /// The column, argument or attribute.
    pub name: String,
}

/// What calling an external function with these arguments reads, where it is a clock.
pub(super) fn reading(path: Name, arguments: &[Argument], values: &[Value]) -> Option<Value> {
    let mut zone = None;
    for (argument, value) in arguments.iter().zip(values) {
        zone = match argument.kind {
            ArgumentKind::Plain => Some(value),
            ArgumentKind::Keyword(name) if matches!(&*name, "tz" | "tzinfo") => Some(value),
            _ => Some(&Value::Unknown),
        };
    }
    read(path, zone)
}

/// What an external clock reads, handed this time zone.
pub(super) fn read(path: Name, zone: Option<&Value>) -> Option<Value> {
    let clock = match &*path {
        "datetime.datetime.now" => match zone {
            None | Some(Value::None) => Clock::Local,
            Some(Value::Symbol(Symbol::External(_)) | Value::External(_)) => Clock::Aware,
            Some(_) => Clock::Unsure,
        },
        "datetime.datetime.today" => Clock::Local,
        "datetime.datetime.utcnow" => Clock::Utc,
        "datetime.date.today" | "time.time" | "time.time_ns" | "django.utils.timezone.localdate" => {
            Clock::Zoneless
        }
        "pendulum.now" | "pendulum.today" => Clock::Aware,
        "django.utils.timezone.now" | "django.utils.timezone.localtime" | "arrow.now" | "arrow.utcnow" => {
            Clock::Unsure
        }
        _ => return None,
    };
    Some(Value::Clock(clock))
}

/// What a method of a reading answers.
pub(super) fn method(clock: Clock, name: &str, arguments: &[Argument], values: &[Value]) -> Value {
    match name {
        "replace" => {
            let zones = arguments.iter().zip(values).filter(
                |(argument, _)| matches!(argument.kind, ArgumentKind::Keyword(name) if &*name == "tzinfo"),
            );
            let spread = arguments.iter().any(|argument| argument.kind == ArgumentKind::SpreadKeywords);
            match (zones.map(|(_, value)| value).next(), clock) {
                (None, _) if spread => Value::Clock(Clock::Unsure),
                (None, clock) => Value::Clock(clock),
                // Which zone it had does not show any more; UTC is what nearly everyone drops.
                (Some(Value::None), Clock::Aware) => Value::Clock(Clock::Utc),
                (Some(Value::None), clock) => Value::Clock(clock),
                (Some(Value::Symbol(Symbol::External(_)) | Value::External(_)), _) => {
                    Value::Clock(Clock::Aware)
                }
                _ => Value::Clock(Clock::Unsure),
            }
        }
        "astimezone" => Value::Clock(Clock::Aware),
        _ => Value::Plain,
    }
}

/// A reading moved by something that is none; the difference of two is no time.
pub(super) fn moved(kind: &StepKind, parts: &[Value]) -> Option<Value> {
    let StepKind::Compute(_) = kind else { return None };
    let mut readings = parts.iter().filter(|part| matches!(part, Value::Clock(_)));
    match (readings.next(), readings.next()) {
        (Some(only), None) => Some(only.clone()),
        _ => None,
    }
}

/// Keywords by which a declaration takes a default; its value is computed when the declaration runs.
const DEFAULTS: &[&str] = &[
    "default",
    "insert_default",
    "onupdate",
    "default_factory",
    "server_default",
    "server_onupdate",
    "db_default",
    "factory",
    "load_default",
    "dump_default",
    "missing",
];

/// Texts that a database would compute if they were no strings.
const CLOCK_TEXTS: &[&str] = &[
    "now()",
    "now",
    "current_timestamp",
    "current_timestamp()",
    "localtimestamp",
    "clock_timestamp()",
    "getdate()",
    "sysdate",
    "utc_timestamp()",
];

/// Classes whose fields are what every instance begins with.
const WITH_FIELDS: &[&str] =
    &["BaseModel", "SQLModel", "RootModel", "Schema", "Struct", "NamedTuple", "Document"];

/// Classes of which a process has one instance or none, so that the time of import is what is meant.
const ONCE: &[&str] = &["BaseSettings", "Enum", "IntEnum", "StrEnum"];

impl Trace<'_> {
    /// A value is stored in a column.
    pub(super) fn tell_clock(
        &mut self,
        step: StepId,
        class: ClassId,
        field: Name,
        value: &Value,
        by: &'static str,
    ) {
        if !self.telling {
            return;
        }
        let keeps = self.project.keeps(class, field);
        if keeps == Keeps::Unknown {
            return;
        }
        for value in value.each() {
            let &Value::Clock(clock) = value else { continue };
            if clock.needs() != Keeps::Unknown {
                let store = ClockStore { class, field, clock, keeps, by };
                self.outcome.clock_stores.entry((step, field)).or_insert(store);
            }
        }
    }

    /// All paths were seen: what the code that runs at import makes of clocks.
    pub(super) fn tell_declared_clocks(&mut self) {
        if !self.runs_at_import() {
            return;
        }
        let function = self.function;
        for (step, kind) in (0..).zip(function.steps.iter().map(|step| &step.kind)) {
            match kind {
                StepKind::Call { callee, arguments } => self.declaration(step, *callee, arguments),
                StepKind::Bind { name, value, annotation } => {
                    let annotation = annotation.as_deref();
                    self.class_attribute(step, *name, *value, annotation);
                }
                StepKind::Function(index) => self.argument_defaults(*index),
                _ => {}
            }
        }
    }

    fn runs_at_import(&self) -> bool {
        let functions = &self.project.file(self.id.file).facts.functions;
        let mut at = Some(self.id.index as usize);
        while let Some(index) = at {
            if !matches!(functions[index].kind, FunctionKind::Module | FunctionKind::ClassBody) {
                return false;
            }
            at = functions[index].parent;
        }
        true
    }

    /// A column or field is declared.
    fn declaration(&mut self, step: StepId, callee: StepId, arguments: &[Argument]) {
        let Some(path) = actor::path(self.function, callee) else { return };
        let last = path.last();
        let is_column = matches!(last, "Column" | "mapped_column");
        let takes_first =
            matches!(last, "Field" | "Query" | "Body" | "Form" | "Header" | "Cookie" | "PrivateAttr");
        let declares = is_column
            || takes_first
            || last.ends_with("Field")
            || matches!(last, "field" | "attrib" | "ib" | "DateTime" | "Date" | "Time");
        if !declares {
            return;
        }
        let mut defaults: Vec<(&str, StepId)> = Vec::new();
        for (at, argument) in arguments.iter().enumerate() {
            match argument.kind {
                ArgumentKind::Plain if at == 0 && takes_first => defaults.push(("default", argument.value)),
                ArgumentKind::Keyword(name) if DEFAULTS.contains(&&*name) => {
                    defaults.push((name.as_str(), argument.value));
                }
                ArgumentKind::Keyword(name) if &*name == "sa_column_kwargs" => {
                    let StepKind::Dictionary(entries) = &self.function.steps[argument.value as usize].kind
                    else {
                        continue;
                    };
                    for (key, value) in entries {
                        if let Some(Value::Text(key)) = key.map(|key| self.value(key))
                            && DEFAULTS.contains(&&**key)
                        {
                            defaults.push((key.as_str(), *value));
                        }
                    }
                }
                _ => {}
            }
        }
        if defaults.is_empty() {
            return;
        }
        let field = self.declared_name(step, arguments);
        for (keyword, value) in defaults {
            if self.reads_clock(value) {
                self.freeze(value, "default", field.map_or("…", Name::as_str));
            } else if keyword == "server_default" && is_column {
                if let StepKind::Literal(Literal::Text(text)) = self.function.steps[value as usize].kind
                    && CLOCK_TEXTS.contains(&&*text.trim().to_lowercase())
                {
                    self.freeze(value, "text", field.map_or("…", Name::as_str));
                }
            } else if let (Some(class), Some(field)) = (self.function.class, field) {
                let class = ClassId { file: self.id.file, index: class as u32 };
                // A column's defaults are declared together: they are one store.
                let is_told = self.outcome.clock_stores.keys().any(|(_, told)| *told == field);
                if !is_told {
                    let read = self.read_when_called(value);
                    self.tell_clock(value, class, field, &read, "default");
                }
            }
        }
    }

    /// What a callable default will read.
    fn read_when_called(&self, value: StepId) -> Value {
        match self.value(value) {
            Value::Symbol(Symbol::External(path)) => read(*path, None).unwrap_or(Value::Unknown),
            Value::Symbol(Symbol::Function(function)) | Value::Method(_, function) => {
                let summary = self.summary(*function);
                summary.and_then(|summary| summary.returns.clone()).unwrap_or(Value::Unknown)
            }
            _ => Value::Unknown,
        }
    }

    /// The name that a declaration is bound to, also where it stands inside another one; else the column's own.
    fn declared_name(&self, step: StepId, arguments: &[Argument]) -> Option<Name> {
        let steps = &self.function.steps;
        let span = steps[step as usize].span;
        let bound = steps[step as usize..].iter().find_map(|later| match later.kind {
            StepKind::Bind { name, value, .. } if steps[value as usize].span.contains(span) => Some(name),
            _ => None,
        });
        bound.or_else(|| match steps[arguments.first()?.value as usize].kind {
            StepKind::Literal(Literal::Text(text)) => Some(text),
            _ => None,
        })
    }

    fn class_attribute(&mut self, step: StepId, name: Name, value: StepId, annotation: Option<&Term>) {
        let Some(class) = self.function.class.filter(|_| self.function.kind == FunctionKind::ClassBody)
        else {
            return;
        };
        let class = ClassId { file: self.id.file, index: class as u32 };
        if !self.reads_clock(value) || is_meant_for_all(&name, annotation) {
            return;
        }
        let project = self.project;
        let line = project.hierarchy(class);
        if line.externals().any(|path| ONCE.contains(&path.last())) {
            return;
        }
        let is_data = line.classes().any(|class| {
            let decorators = &project.class(class).decorators;
            ["dataclass", "define", "frozen", "attrs", "s"].iter().any(|name| decorated(decorators, name))
        });
        let has_fields = is_data || line.externals().any(|path| WITH_FIELDS.contains(&path.last()));
        // Without an annotation it is a field of none of these classes.
        let kept_by = if has_fields && annotation.is_some() { "field" } else { "constant" };
        self.freeze(step, kept_by, &name);
    }

    fn argument_defaults(&mut self, index: usize) {
        let function: &Function =
            self.project.function(FunctionId { file: self.id.file, index: index as u32 });
        // A command is run once, right after the import.
        if decorated(&function.decorators, "command") {
            return;
        }
        for param in &function.params {
            if let Some(step) = param.default_step
                && self.reads_clock(step)
            {
                self.freeze(step, "argument", &param.name);
            }
        }
    }

    /// Whether a value is a time or made from one, read where the code at hand runs.
    fn reads_clock(&self, step: StepId) -> bool {
        let mut waiting = vec![step];
        while let Some(step) = waiting.pop() {
            let is_reading = |value: &Value| matches!(value, Value::Clock(_));
            match self.value(step) {
                Value::OneOf(all) if all.iter().any(is_reading) => return true,
                value if is_reading(value) => return true,
                _ => {}
            }
            match &self.function.steps[step as usize].kind {
                StepKind::Attribute { of, .. } => waiting.push(*of),
                StepKind::Compute(parts) | StepKind::Format(parts) => waiting.extend(parts),
                StepKind::Call { callee, arguments } => match self.function.steps[*callee as usize].kind {
                    StepKind::Attribute { of, .. } => waiting.push(of),
                    StepKind::Name(name) if matches!(&*name, "str" | "int" | "float" | "round") => {
                        waiting.extend(arguments.iter().map(|argument| argument.value));
                    }
                    _ => {}
                },
                _ => {}
            }
        }
        false
    }

    fn freeze(&mut self, step: StepId, kept_by: &'static str, name: &str) {
        self.outcome.frozen.insert(step, Frozen { kept_by, name: name.to_owned() });
    }
}

/// Whether a name in a class says itself that it is one for all: a constant, or the start of the process.
fn is_meant_for_all(name: &str, annotation: Option<&Term>) -> bool {
    let is_class_variable = match annotation {
        Some(Term::Generic { base, .. }) => {
            matches!(&**base, Term::Path(path) if matches!(path.last(), "ClassVar" | "Final"))
        }
        Some(Term::Path(path)) => matches!(path.last(), "ClassVar" | "Final"),
        _ => false,
    };
    let lower = name.to_lowercase();
    let speaks_of_start =
        ["start", "boot", "launch", "loaded", "import"].iter().any(|part| lower.contains(part));
    is_class_variable || speaks_of_start || name == name.to_uppercase()
}

/// What a reading that is stored does not agree with.
pub(super) fn disagreement(store: &ClockStore, configured: Option<Clock>) -> Option<&'static str> {
    let fits = store.clock.needs() == store.keeps;
    match configured {
        // What the configuration asks for is a decision about the columns, too.
        Some(clock) if clock == store.clock => None,
        Some(clock) if fits && clock.needs() == store.keeps => Some("clock"),
        _ if fits => None,
        _ => Some("zone"),
    }
}

/// How messages call a reading.
pub(super) fn called(clock: Clock) -> &'static str {
    match clock {
        Clock::Local => "a local time without a zone",
        Clock::Utc => "a UTC time without a zone",
        Clock::Aware => "a time with a zone",
        Clock::Unsure | Clock::Zoneless => "a time",
    }
}

/// Whether a project's class keeps zones is asked here, so that the words for it stand beside those for readings.
pub(super) fn kept(project: &Project, store: &ClockStore) -> String {
    let class = project.class(store.class).name;
    let zone = if store.keeps == Keeps::Aware { "with a zone" } else { "without one" };
    format!("`{class}.{}` keeps times {zone}", store.field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configured_clock_is_understood_or_left_alone() {
        for (text, clock) in [
            ("datetime.now()", Some(Clock::Local)),
            ("datetime.datetime.now()", Some(Clock::Local)),
            ("datetime.utcnow()", Some(Clock::Utc)),
            ("datetime.now(timezone.utc)", Some(Clock::Aware)),
            ("datetime.now(tz=UTC)", Some(Clock::Aware)),
            ("datetime.now( ZoneInfo('Europe/Berlin') )", Some(Clock::Aware)),
            ("datetime.now(zone)", None),
            ("timezone.now()", None),
            ("clock.now()", None),
            ("utc_now", None),
            ("now()", None),
        ] {
            assert_eq!(Clock::written(text), clock, "{text}");
        }
    }
}
