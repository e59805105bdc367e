//! facts/print: facts as lines of text, the form tests compare and people read.

use std::fmt::Write;

use super::{
    ArgumentKind, Comparison, Export, FileFacts, Function, Imported, Literal, Next, ParamKind, RegionKind,
    StepKind, Term,
};

/// All facts of a file as text, without places.
pub fn print(facts: &FileFacts) -> String {
    let mut out = String::new();
    for import in &facts.imports {
        let dots = ".".repeat(import.level as usize);
        let what = match import.item {
            Imported::Root | Imported::Module => String::new(),
            Imported::Item(name) => format!(" item {name}"),
            Imported::Star => " all".into(),
        };
        let _ = writeln!(out, "import {dots}{}{what} as {}", import.module, import.binds);
    }
    for export in facts.exports.iter().flatten() {
        let _ = match export {
            Export::Names(names) => {
                writeln!(out, "exports {}", names.iter().map(|n| n.as_str()).collect::<Vec<_>>().join(" "))
            }
            Export::Of(path) => writeln!(out, "exports all of {path}"),
            Export::Unknown => writeln!(out, "exports something unknown"),
        };
    }
    for class in &facts.classes {
        let _ = writeln!(out, "class {}({})", class.qualname, list(&class.bases));
        for field in &class.fields {
            let annotation = after(": ", field.annotation.as_ref());
            let _ = writeln!(out, "  field {}{annotation}{}", field.name, after(" = ", field.value.as_ref()));
        }
        for (name, _) in &class.methods {
            let _ = writeln!(out, "  method {name}");
        }
    }
    for function in &facts.functions {
        print_function(&mut out, function);
    }
    out
}

/// A declaring expression as text.
pub fn term_text(term: &Term) -> String {
    match term {
        Term::Path(path) => path.to_string(),
        Term::Call { callee, arguments, keywords } => {
            let mut shown: Vec<String> = arguments.iter().map(term_text).collect();
            shown.extend(keywords.iter().map(|(name, value)| format!("{name}={}", term_text(value))));
            format!("{}({})", term_text(callee), shown.join(", "))
        }
        Term::Generic { base, arguments } => format!("{}[{}]", term_text(base), list(arguments)),
        Term::Union(members) => members.iter().map(term_text).collect::<Vec<_>>().join(" | "),
        Term::List(items) => format!("[{}]", list(items)),
        Term::Text(text) => format!("{:?}", text.as_str()),
        Term::None => "None".into(),
        Term::Switch(on) => on.to_string(),
        Term::Number(number) => number.to_string(),
        Term::Sum(parts) => parts.iter().map(term_text).collect::<Vec<_>>().join(" + "),
        Term::Other => "?".into(),
    }
}

fn list(terms: &[Term]) -> String {
    terms.iter().map(term_text).collect::<Vec<_>>().join(", ")
}

fn after(mark: &str, term: Option<&Term>) -> String {
    term.map(|term| format!("{mark}{}", term_text(term))).unwrap_or_default()
}

fn print_function(out: &mut String, function: &Function) {
    let params: Vec<String> = function
        .params
        .iter()
        .map(|param| {
            let mark = match param.kind {
                ParamKind::Plain => "",
                ParamKind::KeywordOnly => "named ",
                ParamKind::Rest => "*",
                ParamKind::RestKeywords => "**",
            };
            let annotation = after(": ", param.annotation.as_ref());
            format!("{mark}{}{annotation}{}", param.name, after(" = ", param.default.as_ref()))
        })
        .collect();
    let is_async = if function.is_async { "async " } else { "" };
    let returns = after(" -> ", function.returns.as_ref());
    let _ = writeln!(out, "{is_async}function {}({}){returns}", function.qualname, params.join(", "));
    for (id, block) in function.blocks.iter().enumerate() {
        let region = block.region.map(|region| format!(" in region {region}")).unwrap_or_default();
        let _ = writeln!(out, "  block {id}{region}");
        for step in block.start..block.end {
            let _ = writeln!(out, "    {step} = {}", step_text(&function.steps[step as usize].kind));
        }
        let _ = writeln!(out, "    {}", next_text(&block.next));
    }
    for (id, region) in function.regions.iter().enumerate() {
        let kind = match region.kind {
            RegionKind::Try { first, end } => format!("try with handlers {first}..{end}"),
            RegionKind::Handler(handler) => format!("handler {handler}"),
            RegionKind::With(enter) => format!("with {enter}"),
            RegionKind::Guarded => "finally".into(),
        };
        let parent = region.parent.map(|parent| format!(" in region {parent}")).unwrap_or_default();
        let passes = if region.passes { ", may pass" } else { "" };
        let _ = writeln!(out, "  region {id}{parent}: {kind}, lands at {:?}{passes}", region.lands);
    }
}

fn step_text(kind: &StepKind) -> String {
    match kind {
        StepKind::Literal(literal) => match literal {
            Literal::None => "none".into(),
            Literal::Switch(on) => on.to_string(),
            Literal::Text(text) => format!("text {:?}", text.as_str()),
            Literal::Other => "literal".into(),
        },
        StepKind::Name(name) => format!("name {name}"),
        StepKind::Attribute { of, name } => format!("attribute {of}.{name}"),
        StepKind::Index { of, key } => format!("index {of}[{key}]"),
        StepKind::Call { callee, arguments } => {
            let shown: Vec<String> = arguments
                .iter()
                .map(|argument| match argument.kind {
                    ArgumentKind::Plain => argument.value.to_string(),
                    ArgumentKind::Keyword(name) => format!("{name}={}", argument.value),
                    ArgumentKind::Spread => format!("*{}", argument.value),
                    ArgumentKind::SpreadKeywords => format!("**{}", argument.value),
                })
                .collect();
            format!("call {callee}({})", shown.join(", "))
        }
        StepKind::Await(value) => format!("await {value}"),
        StepKind::Yield(value) => format!("yield {value:?}"),
        StepKind::List(items) => format!("list {items:?}"),
        StepKind::Dictionary(entries) => {
            let shown: Vec<String> = entries
                .iter()
                .map(|(key, value)| key.map_or(format!("**{value}"), |key| format!("{key}: {value}")))
                .collect();
            format!("dictionary {{{}}}", shown.join(", "))
        }
        StepKind::Format(values) => format!("format {values:?}"),
        StepKind::Compare { comparison, negated, left, right } => {
            let word = match comparison {
                Comparison::Is => "is",
                Comparison::Equal => "equals",
                Comparison::In => "in",
                Comparison::Order => "order",
            };
            format!("compare {left} {}{word} {right}", if *negated { "not " } else { "" })
        }
        StepKind::Compute(values) => format!("compute {values:?}"),
        StepKind::Not(value) => format!("not {value}"),
        StepKind::Either(values) => format!("either {values:?}"),
        StepKind::Gather(value) => format!("gather {value}"),
        StepKind::Turns { of, tests } => format!("turns {of} if {tests:?}"),
        StepKind::Element(value) => format!("element of {value}"),
        StepKind::Part { of, index } => format!("part {index:?} of {of}"),
        StepKind::Function(_) => "function".into(),
        StepKind::Class(_) => "class".into(),
        StepKind::Import(_) => "import".into(),
        StepKind::Bind { name, value, annotation } => {
            format!("bind {name}{} = {value}", after(": ", annotation.as_deref()))
        }
        StepKind::Unbind(name) => format!("unbind {name}"),
        StepKind::Store { of, name, value } => format!("store {of}.{name} = {value}"),
        StepKind::StoreIndex { of, key, value } => format!("store {of}[{key}] = {value}"),
        StepKind::Enter(value) => format!("enter {value}"),
        StepKind::Exit { enter, raising } => {
            format!("exit {enter}{}", if *raising { " raising" } else { "" })
        }
        StepKind::Caught(handler) => format!("caught by {handler}"),
        StepKind::Raise { value, cause } => format!("raise {value:?} from {cause:?}"),
        StepKind::Return(value) => format!("return {value:?}"),
        StepKind::Assert(value) => format!("assert {value}"),
    }
}

fn next_text(next: &Next) -> String {
    match next {
        Next::Goto(block) => format!("goto {block}"),
        Next::Branch { test, yes, no } => format!("if {test} goto {yes} else {no}"),
        Next::Any(blocks) => format!("goto one of {blocks:?}"),
        Next::Leave => "leave".into(),
        Next::Throw => "throw".into(),
        Next::Resume { swallowed: Some((enter, after)) } => {
            format!("throw on, or goto {after} when {enter} swallows")
        }
        Next::Resume { swallowed: None } => "throw on".into(),
    }
}
