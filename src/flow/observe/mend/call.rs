//! flow/observe/mend/call: what mends a call or its arguments where they are written: an `await`, a default, a list of
//! columns, a guard before all that a receiver does.

use crate::duty::Duty;
use crate::facts::{Argument, ArgumentKind, Literal, ParamKind, StepId, StepKind};
use crate::name::Name;
use crate::project::{FunctionId, Lookup, Symbol, written_path};
use crate::remedy::{Binding, Deed, Remedy};
use crate::source::Span;

use super::super::super::partial::Partial;
use super::super::super::shared::{Shared, calls_default};
use super::super::super::waiting::Waiting;
use super::super::Observer;

/// Keywords by which a column takes what is called for each row.
const CALLED: &[&str] = &["default", "insert_default", "onupdate"];

impl Observer<'_> {
    /// Awaits a call that stands alone, or takes an `await` away.
    pub(in super::super) fn waited(&self, id: FunctionId, step: StepId, waiting: Waiting) -> Option<Remedy> {
        let (span, call) = (self.span(id, step), self.call_text(id, step));
        let (title, span, text) = match waiting {
            Waiting::Missing => {
                let at = Span { start: span.start, end: span.start };
                (format!("Write `await {call}`"), at, "await ")
            }
            Waiting::Needless => {
                let StepKind::Await(of) = self.project.function(id).steps[step as usize].kind else {
                    return None;
                };
                let keyword = Span { start: span.start, end: self.span(id, of).start };
                if self.text_at(id, keyword).trim_end() != "await" {
                    return None;
                }
                (format!("Write `{call}` without `await`"), keyword, "")
            }
        };
        let deed = Deed::Replace { span, text: text.to_owned() };
        Some(Remedy::new("await", title, vec![Observer::act(id, deed)]))
    }

    /// Hands the clock itself to a column that calls what it is handed: without the call, or in a `lambda` where the call
    /// has arguments.
    pub(in super::super::super) fn clock_itself(&self, id: FunctionId, value: StepId) -> Option<Remedy> {
        let function = self.project.function(id);
        let (callee, keyword) = function.steps.iter().find_map(|step| match &step.kind {
            StepKind::Call { callee, arguments } => {
                let argument = arguments.iter().find(|argument| argument.value == value)?;
                Some((*callee, keyword(argument)?))
            }
            _ => None,
        })?;
        let is_maker = &*keyword == "default_factory";
        if !(is_maker || CALLED.contains(&&*keyword) && calls_default(self.project, id, callee)) {
            return None;
        }
        let StepKind::Call { callee: clock, arguments } = &function.steps[value as usize].kind else {
            return None;
        };
        let (whole, head) = (self.span(id, value), self.span(id, *clock));
        let brackets = Span { start: head.end, end: whole.end };
        let is_read =
            matches!(self.project.symbol_of(id, *clock), Some(Symbol::External(_) | Symbol::Function(_)));
        let (span, text, shown) = if arguments.is_empty() && is_read && self.text_at(id, brackets) == "()" {
            (brackets, "", self.text_at(id, head).to_owned())
        } else {
            let is_global = |step: &StepKind| match step {
                StepKind::Name(name) => {
                    matches!(self.project.lookup(id, *name), Lookup::Global(_) | Lookup::Builtin)
                }
                _ => true,
            };
            // Migrations of Django cannot write a lambda down.
            let is_django =
                self.project.class_of(id).is_some_and(|class| self.project.is_django_class(class));
            let mut inner = function.steps.iter().filter(|step| whole.contains(step.span));
            let text = self.text_at(id, whole);
            if is_django || text.contains('\n') || !inner.all(|step| is_global(&step.kind)) {
                return None;
            }
            let at = Span { start: whole.start, end: whole.start };
            (at, "lambda: ", format!("lambda: {text}"))
        };
        let deed = Deed::Replace { span, text: text.to_owned() };
        let title = format!("Hand over `{keyword}={shown}`");
        Some(Remedy::new("clock-itself", title, vec![Observer::act(id, deed)]))
    }

    /// Hands over what makes an empty list or dictionary, where that is called for each row.
    pub(in super::super) fn maker_itself(&self, id: FunctionId, shared: &Shared) -> Option<Remedy> {
        let (span, maker) = (self.span(id, shared.step), shared.maker);
        let text = self.text_at(id, span);
        let is_empty = matches!(text, "{}" | "[]") || text == format!("{maker}()");
        if !shared.is_called || !is_empty || self.project.lookup(id, Name::new(maker)) != Lookup::Builtin {
            return None;
        }
        let deed = Deed::Replace { span, text: maker.to_owned() };
        let title = format!("Hand over `{maker}` in place of `{text}`");
        Some(Remedy::new("maker-itself", title, vec![Observer::act(id, deed)]))
    }

    /// Names what a literal list of columns leaves out.
    pub(in super::super) fn listed_too(
        &self,
        id: FunctionId,
        step: StepId,
        partial: &Partial,
    ) -> Option<Remedy> {
        let function = self.project.function(id);
        let StepKind::Call { arguments, .. } = &function.steps[step as usize].kind else { return None };
        let is_list = |argument: &&Argument| keyword(argument).is_some_and(|name| &*name == "update_fields");
        let list = arguments.iter().find(is_list)?.value;
        let StepKind::List(items) = &function.steps[list as usize].kind else { return None };
        let is_text = |item: &StepId| {
            matches!(function.steps[*item as usize].kind, StepKind::Literal(Literal::Text(_)))
        };
        if partial.how != "listed" || !items.iter().all(is_text) {
            return None;
        }
        // In a worker nobody acts, and a `save()` that asks who does would empty the column.
        let is_actor = |(why, name): &(&str, Name)| {
            *why == "save-stamp" && self.project.roles.of_field(name).is_some_and(Duty::is_actor)
        };
        if self.flow.worker.reached.contains_key(&id) && partial.dropped.iter().any(is_actor) {
            return None;
        }
        // The names that are there say how a name is quoted.
        let quote = self.source_text(id, *items.first()?).chars().next_back()?;
        let owner = self.span(id, list);
        let part = |(_, name): &(&str, Name)| {
            Observer::act(id, Deed::Part { owner, beside: None, text: format!("{quote}{name}{quote}") })
        };
        let acts = partial.dropped.iter().map(part).collect();
        let names: Vec<String> = partial.dropped.iter().map(|(_, name)| format!("`{name}`")).collect();
        let is_django = partial.dropped.iter().all(|(why, _)| *why == "auto-now");
        let word = if is_django { "list-auto-now" } else { "list-stamp" };
        Some(Remedy::new(word, format!("Add {} to `update_fields`", names.join(" and ")), acts))
    }

    /// Hands a task over when the transaction of Django's has committed.
    pub(in super::super) fn on_commit(&self, id: FunctionId, step: StepId) -> Option<Remedy> {
        let function = self.project.function(id);
        let StepKind::Call { callee, .. } = function.steps[step as usize].kind else { return None };
        let (whole, head) = (self.span(id, step), self.span(id, callee));
        let (text, task) = (self.text_at(id, whole), self.text_at(id, head));
        let inner = self.text_at(id, Span { start: head.end, end: whole.end });
        let inner = inner.strip_prefix('(')?.strip_suffix(')')?;
        // A value that something takes, and a transaction of another database, are not for us.
        let is_alone = function.bare.binary_search(&step).is_ok();
        let names_database = self.text_at(id, function.span).contains("using=");
        if !is_alone || names_database || written_path(function, callee).is_none() {
            return None;
        }
        let mut acts = self.bound_as(id, &Binding::item("django.db", "transaction"))?;
        let first = inner.trim_start();
        let blank = &inner[..inner.len() - first.len()];
        let called = match (first.is_empty(), blank.contains('\n')) {
            (true, _) => task.to_owned(),
            (false, true) => format!("partial({blank}{task},{blank}{first})"),
            (false, false) => format!("partial({task}, {first})"),
        };
        if !first.is_empty() {
            acts.extend(self.bound_as(id, &Binding::item("functools", "partial"))?);
        }
        let code = format!("transaction.on_commit({called})");
        acts.push(Observer::act(id, Deed::Replace { span: whole, text: code }));
        let shown = text.split('(').next().unwrap_or(text);
        Some(Remedy::new("on-commit", format!("Call `{shown}` when the transaction has committed"), acts))
    }

    /// Has a receiver leave before all else when a fixture is loaded.
    pub(in super::super) fn raw_guard(&self, id: FunctionId) -> Option<Remedy> {
        let function = self.project.function(id);
        let rest = function.params.iter().find(|param| param.kind == ParamKind::RestKeywords)?.name;
        let quote = self.quote(id);
        let test = format!("{rest}.get({quote}raw{quote})");
        let deed = Deed::First { head: function.name_span, code: format!("if {test}:\n\treturn") };
        let title = format!("Leave `{}` first where `{test}`", function.name);
        Some(Remedy::new("raw-guard", title, vec![Observer::act(id, deed)]))
    }

    /// The quotation mark that a function uses, or else its file. Descriptions have marks of their own.
    pub(super) fn quote(&self, id: FunctionId) -> char {
        let mark = |id: FunctionId| {
            let mut steps = self.project.function(id).steps.iter();
            steps.find_map(|step| match step.kind {
                StepKind::Literal(Literal::Text(_)) => {
                    let text = self.text_at(id, step.span);
                    let last = text.chars().next_back().filter(|c| matches!(c, '"' | '\''));
                    last.filter(|last| !text.ends_with(&last.to_string().repeat(3)))
                }
                _ => None,
            })
        };
        mark(id).or_else(|| mark(FunctionId { file: id.file, index: 0 })).unwrap_or('"')
    }

    /// The text of a span in the file of a function.
    pub(super) fn text_at(&self, id: FunctionId, span: Span) -> &str {
        self.project.file(id.file).source.slice(span)
    }

    /// Where the keyword of an argument is written.
    pub(super) fn keyword_span(&self, id: FunctionId, argument: &Argument) -> Option<Span> {
        let name = keyword(argument)?;
        let value = self.span(id, argument.value);
        let before = self.text_at(id, Span { start: 0, end: value.start });
        let before = before.trim_end().strip_suffix('=')?.trim_end();
        let start = before.len() - before.ends_with(&*name).then_some(name.len())?;
        let is_whole = !before[..start].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        is_whole.then(|| Span::new(start..before.len()))
    }

    /// Where the name of an attribute that is stored is written.
    pub(super) fn stored_name_span(&self, id: FunctionId, of: StepId, name: Name) -> Option<Span> {
        let source = &self.project.file(id.file).source;
        let start = self.span(id, of).end as usize;
        let rest = source.text[start..].trim_start().strip_prefix('.')?.trim_start();
        let begins = source.text.len() - rest.len();
        rest.starts_with(&*name).then(|| Span::new(begins..begins + name.len()))
    }
}

/// The keyword of an argument.
pub(super) fn keyword(argument: &Argument) -> Option<Name> {
    match argument.kind {
        ArgumentKind::Keyword(name) => Some(name),
        _ => None,
    }
}
