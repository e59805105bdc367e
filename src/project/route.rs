//! project/route: the views that addresses lead to, and the functions that run in a transaction of their own.
//!
//! Django calls a view for a request. With `ATOMIC_REQUESTS` it does so inside a transaction, and a view may ask for one
//! by its decorators, or ask to be left without.

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use crate::facts::{Argument, ArgumentKind, Function, StepId, StepKind, Term};
use crate::name::Name;

use super::{Certainty, ClassId, FileId, FunctionId, Project, Symbol};

/// How deep wrappers around a view are looked through.
const DEEPEST: usize = 8;

/// Bases from outside the project by which a class is known for a view.
const VIEW_PACKAGES: &[&str] = &["django.views", "django.contrib", "rest_framework", "django_filters"];

/// The views that addresses lead to.
#[derive(Clone, Debug, Default)]
pub struct Routes {
    /// View functions.
    functions: FxHashSet<FunctionId>,
    /// View classes, with the classes of the project that they derive from.
    classes: FxHashSet<ClassId>,
    /// Functions and classes that an address leads to by way of `non_atomic_requests`.
    loose: (FxHashSet<FunctionId>, FxHashSet<ClassId>),
}

/// How a decorator or wrapper changes the transaction that a function runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrap {
    /// `transaction.atomic`.
    Atomic,
    /// `transaction.non_atomic_requests`.
    Loose,
}

impl Project {
    /// Whether an address leads to a function, or to the class whose method it is.
    pub fn is_routed(&self, function: FunctionId) -> bool {
        self.routes.functions.contains(&function)
            || self.class_of(function).is_some_and(|class| self.routes.classes.contains(&class))
    }

    /// Whether a function runs in a transaction that is opened for it and ends with it: a decorator of its own or of its
    /// class opens one, or the request does that it answers.
    pub fn has_own_transaction(&self, id: FunctionId) -> Certainty {
        let class = self.class_of(id);
        let wraps = self.wraps_of(id);
        if wraps.contains(&Wrap::Atomic) {
            return Certainty::Yes;
        }
        let is_loose = wraps.contains(&Wrap::Loose)
            || self.routes.loose.0.contains(&id)
            || class.is_some_and(|class| self.routes.loose.1.contains(&class));
        if is_loose || !self.is_routed(id) {
            return Certainty::No;
        }
        self.wraps_requests(id.file)
    }

    /// Whether a decorator opens a transaction around a function.
    pub fn is_decorated_atomic(&self, id: FunctionId) -> bool {
        self.wraps_of(id).contains(&Wrap::Atomic)
    }

    /// What the decorators of a function, and those of its class that are meant for it, say of its transaction.
    fn wraps_of(&self, id: FunctionId) -> Vec<Wrap> {
        let function = self.function(id);
        let mut found: Vec<Wrap> =
            function.decorators.iter().filter_map(|term| self.wrap(id.file, term, None)).collect();
        if let Some(class) = self.class_of(id) {
            // `dispatch` calls every method that answers a request.
            for owner in self.hierarchy(class).classes() {
                let decorators = &self.class(owner).decorators;
                found.extend(decorators.iter().filter_map(|t| self.wrap(owner.file, t, Some(function.name))));
            }
        }
        found
    }

    /// What a decorator says of the transaction; one of a class only where it is meant for this method.
    fn wrap(&self, file: FileId, term: &Term, method: Option<Name>) -> Option<Wrap> {
        match term {
            Term::Path(path) if method.is_none() => self.wrap_named(file, *path),
            Term::Call { callee, arguments, keywords } => {
                let Term::Path(path) = &**callee else { return None };
                match (self.wrap_named(file, *path), self.resolve_path(file, *path)) {
                    (Some(wrap), _) => method.is_none().then_some(wrap),
                    (None, Some(Symbol::External(path))) if path.last() == "method_decorator" => {
                        let name = keywords.iter().find(|(name, _)| &**name == "name").map(|(_, name)| name);
                        let is_meant = match (method, name) {
                            (Some(method), Some(Term::Text(name))) => {
                                *name == method || &**name == "dispatch"
                            }
                            (Some(_), _) => false,
                            (None, _) => true,
                        };
                        let inner = match arguments.first()? {
                            Term::List(all) => all.iter().find_map(|one| self.wrap(file, one, None)),
                            one => self.wrap(file, one, None),
                        };
                        inner.filter(|_| is_meant)
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn wrap_named(&self, file: FileId, path: Name) -> Option<Wrap> {
        match self.resolve_path(file, path) {
            Some(Symbol::External(path)) => wrap_at(path),
            _ => None,
        }
    }
}

/// Whether a path is the one of Django's `atomic`.
pub fn is_atomic(path: Name) -> bool {
    wrap_at(path) == Some(Wrap::Atomic)
}

/// Whether a decorator leaves it alone how a function is called and what it is handed.
pub fn leaves_calls_alone(decorator: &Term) -> bool {
    matches!(decorator, Term::Path(path) if matches!(path.last(), "classmethod" | "staticmethod" | "atomic"))
}

fn wrap_at(path: Name) -> Option<Wrap> {
    if !path.starts_with("django.db") {
        return None;
    }
    match path.last() {
        "atomic" | "commit_on_success" => Some(Wrap::Atomic),
        "non_atomic_requests" => Some(Wrap::Loose),
        _ => None,
    }
}

/// The views that all tables of addresses lead to.
pub(super) fn routes(project: &Project) -> Routes {
    let of_function = |mut found: Routes, id: FunctionId| {
        let function = project.function(id);
        for step in &function.steps {
            let StepKind::Call { callee, arguments } = &step.kind else { continue };
            let Some(view) = view_argument(arguments) else { continue };
            let is_address = match function.steps[*callee as usize].kind {
                // `router.register("tickets", TicketViewSet)`: the router is often a variable.
                StepKind::Attribute { name, .. } if &*name == "register" => true,
                StepKind::Name(_) | StepKind::Attribute { .. } => {
                    matches!(project.symbol_of(id, *callee), Some(Symbol::External(path)) if names_address(path))
                }
                _ => false,
            };
            if is_address {
                found.lead_to(project, id, function, view, 0, None);
            }
        }
        found
    };
    project
        .function_ids()
        .into_par_iter()
        .fold(Routes::default, of_function)
        .reduce(Routes::default, Routes::and)
}

fn names_address(path: Name) -> bool {
    path.starts_with("django.") && matches!(path.last(), "path" | "re_path" | "url")
}

/// The second argument, or the one that is called `view` or `viewset`.
fn view_argument(arguments: &[Argument]) -> Option<StepId> {
    let named = arguments.iter().find(|argument| {
        matches!(argument.kind, ArgumentKind::Keyword(name) if matches!(&*name, "view" | "viewset"))
    });
    let second = arguments.get(1).filter(|argument| argument.kind == ArgumentKind::Plain);
    named.or(second).map(|argument| argument.value)
}

impl Routes {
    fn and(mut self, other: Routes) -> Routes {
        self.functions.extend(other.functions);
        self.classes.extend(other.classes);
        self.loose.0.extend(other.loose.0);
        self.loose.1.extend(other.loose.1);
        self
    }

    /// An address leads to what an expression says: a function, `View.as_view()`, or one of those in a wrapper.
    fn lead_to(
        &mut self,
        project: &Project,
        id: FunctionId,
        function: &Function,
        step: StepId,
        depth: usize,
        wrap: Option<Wrap>,
    ) {
        if depth > DEEPEST {
            return;
        }
        if let StepKind::Call { callee, arguments } = &function.steps[step as usize].kind {
            if let StepKind::Attribute { of, name } = function.steps[*callee as usize].kind
                && &*name == "as_view"
            {
                return self.lead_to(project, id, function, of, depth + 1, wrap);
            }
            let by = match project.symbol_of(id, *callee) {
                Some(Symbol::External(path)) => wrap_at(path).or(wrap),
                _ => wrap,
            };
            if let Some(inner) = arguments.first() {
                self.lead_to(project, id, function, inner.value, depth + 1, by);
            }
            return;
        }
        match project.symbol_of(id, step) {
            Some(Symbol::Function(view)) => {
                self.functions.insert(view);
                if wrap == Some(Wrap::Loose) {
                    self.loose.0.insert(view);
                }
            }
            Some(Symbol::Class(class)) if is_view(project, class) => {
                self.classes.extend(project.hierarchy(class).classes());
                if wrap == Some(Wrap::Loose) {
                    self.loose.1.extend(project.hierarchy(class).classes());
                }
            }
            _ => {}
        }
    }
}

fn is_view(project: &Project, class: ClassId) -> bool {
    let mut above = project.hierarchy(class).externals();
    above.any(|path| VIEW_PACKAGES.iter().any(|package| path.starts_with(package)))
}

#[cfg(test)]
mod tests {
    use crate::project::in_memory;

    use super::*;

    const SETTINGS: &str = "INSTALLED_APPS = []\n\
        DATABASES = {\"default\": {\"ENGINE\": \"x\", \"ATOMIC_REQUESTS\": True}}\n";
    const URLS: &str = "from django.db import transaction\n\
        from django.urls import path\n\
        from django.views.decorators.csrf import csrf_exempt\n\
        from rest_framework.routers import DefaultRouter\n\
        import views\n\
        router = DefaultRouter()\n\
        router.register(\"cases\", views.CaseViewSet)\n\
        urlpatterns = [\n\
        \x20   path(\"a\", views.show),\n\
        \x20   path(\"b\", csrf_exempt(views.Form.as_view())),\n\
        \x20   path(\"c\", transaction.non_atomic_requests(views.stream)),\n\
        ]\n";
    const VIEWS: &str = "from django.db import transaction\n\
        from django.utils.decorators import method_decorator\n\
        from django.views import View\n\
        from rest_framework.viewsets import ModelViewSet\n\
        def show(request): ...\n\
        def stream(request): ...\n\
        def helper(): ...\n\
        @transaction.atomic(durable=True)\n\
        def move(): ...\n\
        @transaction.non_atomic_requests\n\
        def count(request): ...\n\
        class Form(View):\n\
        \x20   def post(self, request): ...\n\
        class CaseViewSet(ModelViewSet):\n\
        \x20   def perform_create(self, serializer): ...\n\
        @method_decorator(transaction.atomic, name=\"dispatch\")\n\
        class Other(View):\n\
        \x20   def post(self, request): ...\n";

    fn project() -> Project {
        in_memory(&[("settings.py", SETTINGS), ("urls.py", URLS), ("views.py", VIEWS)])
    }

    #[test]
    fn views_run_in_the_transaction_of_their_request() {
        let project = project();
        let own = |name: &str| {
            let mut all = project.function_ids().into_iter();
            let id = all.find(|id| project.function(*id).qualname == name).expect("the function is there");
            project.has_own_transaction(id)
        };
        for name in ["show", "move", "Form.post", "CaseViewSet.perform_create", "Other.post"] {
            assert_eq!(own(name), Certainty::Yes, "{name}");
        }
        for name in ["stream", "helper", "count"] {
            assert_eq!(own(name), Certainty::No, "{name}");
        }
    }
}
