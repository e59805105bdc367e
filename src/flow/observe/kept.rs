//! flow/observe/kept: what was seen of audit libraries: what they do not find in the settings, routes and collections.

use crate::config::Library;
use crate::facts::StepKind;
use crate::name::Name;
use crate::project::{
    Ancestor, Certainty, ClassId, Constant, FileId, FunctionId, Project, Route, Symbol, To,
};
use crate::source::Span;
use crate::vocabulary::Observation;

use super::Observer;

impl Observer<'_> {
    /// Audit libraries that are used, and what is wrong with how.
    pub(super) fn libraries(&self) -> Vec<Observation> {
        let mut seen = Vec::new();
        for (at, library) in self.project.libraries().iter().enumerate() {
            let first = self.project.registrations().iter().find(|one| one.library == at);
            if let Some(first) = first {
                seen.extend(self.wiring(library, first.function, first.span));
            }
        }
        seen.extend(self.project.library_routes().iter().filter_map(|route| self.route(route)));
        seen.extend(self.collections());
        seen
    }

    /// What a library does not find in the settings.
    fn wiring(&self, library: &Library, used: FunctionId, span: Span) -> Vec<Observation> {
        let project = self.project;
        let modules = project.running_settings(used.file);
        let mut seen = Vec::new();
        if modules.is_empty() {
            let needs: Vec<&str> =
                library.apps.iter().chain(&library.middleware).map(String::as_str).collect();
            if needs.is_empty() {
                return seen;
            }
            let mut here = self.at(used, span);
            here.say("library", "app");
            here.say("settings", "absent");
            here.show("setting", "the settings");
            here.show("lacks", format!("could not be found; it needs {}", needs.join(" and ")));
            here.show("instead", "See that the settings name it");
            here.show("library", library.name.as_str());
            return vec![here];
        }
        let mut told: Vec<(FileId, Span, String)> = Vec::new();
        let mut tell = |module: FileId, setting: &str, word: &'static str, lacks: String, instead: String| {
            let (file, place) = project.setting_place(module, setting).unwrap_or((used.file, span));
            if told.contains(&(file, place, lacks.clone())) {
                return;
            }
            told.push((file, place, lacks.clone()));
            let mut here = self.at(FunctionId { file, index: 0 }, place);
            here.say("library", word);
            here.say("settings", "found");
            here.show("library", library.name.as_str());
            here.show("setting", setting);
            here.show("lacks", lacks);
            here.show("instead", instead);
            if file != used.file {
                here.related.push(("it is used here".into(), used.file.0 as usize, span));
            }
            seen.push(here);
        };
        for module in modules {
            let Some(variables) = project.variables(module) else { continue };
            let lacks = |setting: &str, passes: &dyn Fn(&str) -> bool| match variables.get(setting) {
                Some(list) => list.holds(passes) == Certainty::No,
                None => true,
            };
            for app in &library.apps {
                let is_it = |one: &str| {
                    one == app || one.strip_prefix(app.as_str()).is_some_and(|rest| rest.starts_with('.'))
                };
                if lacks("INSTALLED_APPS", &is_it) {
                    let what = format!("does not name `{app}`, so nothing of it runs");
                    tell(module, "INSTALLED_APPS", "app", what, format!("Add `\"{app}\"`"));
                }
            }
            let kinds = [
                (&library.middleware, "middleware", "so nothing is recorded"),
                (&library.actor_middleware, "actor-middleware", "so nobody is recorded as the one who acts"),
            ];
            for (all, word, so) in kinds {
                for wanted in all {
                    let is_it = |one: &str| one == wanted || derives_from(project, module, one, wanted);
                    if lacks("MIDDLEWARE", &is_it) {
                        let what = format!("does not name `{wanted}`, {so}");
                        tell(module, "MIDDLEWARE", word, what, format!("Add `\"{wanted}\"`"));
                    }
                }
            }
            for (setting, allowed) in &library.values {
                let Some(value) = variables.get(setting).and_then(shown) else { continue };
                let allowed: Vec<String> = allowed.iter().map(written).collect();
                if !allowed.contains(&value) {
                    let what = format!("is `{value}`, which the library does not know");
                    tell(module, setting, "value", what, format!("Write {}", one_of(&allowed)));
                }
            }
        }
        seen
    }

    /// A route in a form that the library's middleware does not write.
    fn route(&self, route: &Route) -> Option<Observation> {
        let right = canonical(&route.text);
        if right == *route.text {
            return None;
        }
        let mut seen = self.at(route.function, self.span(route.function, route.step));
        seen.say("route", "legacy");
        seen.show("library", self.project.libraries()[route.library].name.as_str());
        seen.show("value", format!("`{}`", route.text));
        seen.remedies.extend(self.right_route(route, &right));
        seen.show("right", right);
        Some(seen)
    }

    /// Changes of a many-to-many that the library of its model was not told of.
    fn collections(&self) -> Vec<Observation> {
        let project = self.project;
        let mut fields: Vec<(ClassId, Name, &Library)> = Vec::new();
        for class in project.class_ids() {
            let Some(django) = project.django(class) else { continue };
            let lists =
                |library: &&Library| !library.collections.is_empty() || library.collections_key.is_some();
            let Some(library) = project.libraries_of(class).find(lists) else { continue };
            for (name, field) in &django.fields {
                let is_many = field.relation.is_some_and(|relation| relation.to == To::Many);
                if is_many && !project.is_kept_collection(class, *name) {
                    fields.push((class, *name, library));
                }
            }
        }
        if fields.is_empty() {
            return Vec::new();
        }
        fields.retain(|&(class, name, _)| is_only_one(project, class, name));
        fields.sort_by_key(|&(class, name, _)| (class, name));
        let mut seen = Vec::new();
        for id in project.function_ids() {
            let function = project.function(id);
            for (step, call) in (0..).zip(&function.steps) {
                let StepKind::Call { callee, .. } = call.kind else { continue };
                let StepKind::Attribute { of, name: method } = function.steps[callee as usize].kind else {
                    continue;
                };
                if !matches!(
                    &*method,
                    "add" | "remove" | "set" | "clear" | "aadd" | "aremove" | "aset" | "aclear"
                ) {
                    continue;
                }
                let StepKind::Attribute { name, .. } = function.steps[of as usize].kind else { continue };
                let Some(&(class, field, library)) = fields.iter().find(|(_, field, _)| *field == name)
                else {
                    continue;
                };
                let mut here = self.at(id, self.span(id, step));
                let entity = project.class(class).name;
                here.entity = Some(entity.to_string());
                here.say("collection", "unlisted");
                here.show("entity", entity.as_str());
                here.show("field", field.as_str());
                here.show("library", library.name.as_str());
                let how = match (library.collections.first(), &library.collections_key) {
                    (Some(function), _) => format!("Call `{function}({entity}, \"{field}\")`"),
                    (None, Some(key)) => format!("List `\"{field}\"` in `{key}=`"),
                    (None, None) => continue,
                };
                here.show("instead", how);
                seen.push(here);
            }
        }
        seen
    }
}

/// Whether nothing else in the project is called like a field, so that a name alone tells the model.
fn is_only_one(project: &Project, class: ClassId, name: Name) -> bool {
    let mut others = project.class_ids().into_iter().filter(|&other| other != class);
    let declared_in =
        project.django(class).and_then(|django| django.fields.get(&name)).map(|f| f.declared_in);
    !others.any(|other| {
        project.django(other).is_some_and(|django| {
            let is_other = |field: &crate::project::DjangoField| Some(field.declared_in) != declared_in;
            django.fields.get(&name).is_some_and(is_other) || django.reverse.contains_key(&name)
        })
    })
}

/// Whether a path in the settings names a class of the project that derives from another one.
fn derives_from(project: &Project, from: FileId, path: &str, wanted: &str) -> bool {
    match project.at_path(from, path) {
        Some(Symbol::Class(class)) => {
            let is_it = |above: &Ancestor| match above {
                Ancestor::External(path) => {
                    path.last() == wanted.rsplit('.').next().unwrap_or(wanted)
                        && path.split('.').next() == wanted.split('.').next()
                }
                Ancestor::Project(_) => false,
            };
            project.hierarchy(class).line.iter().any(is_it)
        }
        _ => false,
    }
}

/// A route as the middleware writes it: whole segments `<int:pk>` and groups `(?P<pk>…)` become `:pk`.
fn canonical(route: &str) -> String {
    let Some((method, path)) = route.split_once('|') else { return route.to_owned() };
    let mut rest = path;
    let mut plain = String::new();
    while let Some((before, behind)) = rest.split_once("(?P<") {
        let Some((name, group)) = behind.split_once('>') else { break };
        plain.push_str(before);
        plain.push(':');
        plain.push_str(name);
        rest = &group[end_of_group(group)..];
    }
    plain.push_str(rest);
    let plain = plain.as_str();
    let segment = |segment: &str| match segment.strip_prefix('<').and_then(|inner| inner.strip_suffix('>')) {
        Some(inner) => format!(":{}", inner.rsplit(':').next().unwrap_or(inner)),
        None => segment.to_owned(),
    };
    let parts: Vec<String> = plain.split('/').map(segment).collect();
    format!("{method}|{}", parts.join("/"))
}

/// Just behind the parenthesis that closes a group whose beginning is left out.
fn end_of_group(text: &str) -> usize {
    let mut depth = 1;
    for (at, char) in text.char_indices() {
        match char {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    text.len()
}

fn shown(value: &Constant) -> Option<String> {
    Some(match value {
        Constant::Text(text) => text.to_string(),
        Constant::Switch(on) => on.to_string(),
        Constant::Number(number) => number.to_string(),
        Constant::None => "None".to_owned(),
        _ => return None,
    })
}

fn written(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn one_of(values: &[String]) -> String {
    let quoted: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
    match quoted.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        Some((last, _)) => last.clone(),
        None => "another one".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn placeholders_become_names() {
        for (route, right) in [
            ("GET|/a/<int:pk>/", "GET|/a/:pk/"),
            ("GET|/b/<pk>", "GET|/b/:pk"),
            (r"GET|/c/(?P<pk>\d+)/", "GET|/c/:pk/"),
            (r"GET|/e/(?P<pk>(a|b)c)/", "GET|/e/:pk/"),
            ("GET|/a/:pk/", "GET|/a/:pk/"),
            // A part of a segment stays as it is written.
            ("GET|/d/f-<int:pk>.pdf", "GET|/d/f-<int:pk>.pdf"),
            ("nonsense/<int:pk>", "nonsense/<int:pk>"),
        ] {
            assert_eq!(canonical(route), right);
        }
    }
}
