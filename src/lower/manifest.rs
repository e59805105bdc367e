//! lower/manifest: what a `Cargo.toml` calls its package and its library, as names that are declared.

use toml::{Table, Value};

use crate::facts::{Field, FileFacts, FunctionKind, LocalGap, Term};
use crate::name::Name;
use crate::source::Span;

use super::outline::{Outline, empty_function};

/// The longest manifest that is read, and how deep its brackets may nest.
const LONGEST: usize = 1 << 20;
const DEEPEST: usize = 64;

/// What a manifest says.
pub(super) fn lower(text: &str) -> FileFacts {
    let mut facts = FileFacts::default();
    let mut module = empty_function(Name::new("<module>"), "<module>".into(), FunctionKind::Module);
    module.span = Span::new(0..text.len());
    facts.functions.push(Outline::of(module).ended());
    let mut gap = |span: Span, reason: String| facts.gaps.push(LocalGap { span, reason });
    if text.len() > LONGEST || nesting(text) > DEEPEST {
        gap(Span::default(), "too large or too deep for a manifest".to_owned());
        return facts;
    }
    match text.parse::<Table>() {
        Ok(manifest) => {
            let said = |table: &str, key: &str| manifest.get(table)?.get(key).and_then(Value::as_str);
            let named = [("package", "package", "name"), ("lib", "lib", "name"), ("lib_path", "lib", "path")];
            facts.declared = named
                .into_iter()
                .filter_map(|(name, table, key)| Some(declared(name, said(table, key)?)))
                .collect();
        }
        Err(fault) => {
            let at = fault.span().unwrap_or_default();
            gap(Span::new(at), format!("not valid TOML: {}", fault.message()));
        }
    }
    facts
}

fn declared(name: &str, text: &str) -> Field {
    let value = Some(Term::Text(Name::new(text)));
    Field { name: Name::new(name), annotation: None, value, span: Span::default() }
}

fn nesting(text: &str) -> usize {
    let (mut deepest, mut depth) = (0, 0_usize);
    for byte in text.bytes() {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::lower;
    use crate::facts::Term;

    fn told(text: &str) -> Vec<String> {
        let facts = lower(text);
        let declared = facts.declared.iter().map(|field| match &field.value {
            Some(Term::Text(value)) => format!("{} = {value}", field.name),
            other => format!("{} = {other:?}", field.name),
        });
        declared.chain(facts.gaps.iter().map(|gap| gap.reason.clone())).collect()
    }

    #[test]
    fn a_manifest_names_its_package_and_its_library() {
        let text = "[package]\nname = \"shop-db\"\nversion.workspace = true\n[lib]\nname = \"shop\"\npath = \"lib.rs\"\n";
        assert_eq!(told(text), ["package = shop-db", "lib = shop", "lib_path = lib.rs"]);
        assert_eq!(told("[workspace]\nmembers = [\"a\"]\n"), [""; 0]);
    }

    #[test]
    fn what_is_no_manifest_is_a_gap() {
        assert!(told("[package\nname = 1")[0].starts_with("not valid TOML"));
        assert_eq!(told(&format!("a = {}", "[".repeat(100_000))), ["too large or too deep for a manifest"]);
        assert_eq!(told("package = 1"), [""; 0]);
        let dotted = format!("{}b = 1", "a.".repeat(400_000));
        assert!(!told(&dotted).is_empty());
    }
}
