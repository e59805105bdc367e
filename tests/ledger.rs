//! ledger: names and values of audit rows, and how audit libraries are set up, in small projects.

use crate::small::scanned::scanned;

/// The findings of some rules in a project, as `path:line rule weight`.
fn found(files: &[(&str, &str)], rules: &[&str]) -> Vec<String> {
    let scan = scanned(files, &[]);
    let findings =
        scan.files.iter().flat_map(|file| file.findings.iter().map(move |finding| (file, finding)));
    findings
        .filter(|(_, finding)| rules.contains(&finding.rule.as_str()))
        .map(|(file, finding)| {
            let line = file.source.line(finding.place.span.start);
            format!("{}:{line} {} {}", file.source.display_path(), finding.rule, finding.severity.word())
        })
        .collect()
}

const MODELS: &str = r#"
from django.db import models

class Actions(models.TextChoices):
    LOGIN = "login", "Login"
    LOGOUT = "logout", "Logout"

MORE = [("moved", "Moved")]

class LogQuerySet(models.QuerySet):
    def recent(self):
        return self.annotate(age=models.F("at")).filter(age__gt=1, kind="x")

class AuditLog(models.Model):
    LOCKED = "locked"
    user = models.ForeignKey("auth.User", on_delete=models.CASCADE)
    action = models.CharField(max_length=10, choices=Actions.choices + MORE)
    detail = models.TextField()
    at = models.DateTimeField(auto_now_add=True)

    objects = LogQuerySet.as_manager()

    @property
    def label(self):
        return self.action

    @classmethod
    def log(cls, user, action, *, detail=""):
        return cls.objects.create(user=user, action=action, detail=detail)

class Line(models.Model):
    log = models.ForeignKey(AuditLog, on_delete=models.CASCADE, related_name="lines")
    other = models.ForeignKey(AuditLog, on_delete=models.CASCADE)
"#;

const NAMES: &[&str] = &["unknown-audit-field", "unknown-audit-action"];

/// The lines of `app/views.py` at which names or values are found; its first line is empty.
fn in_view(text: &str) -> Vec<String> {
    let text = format!("from app.models import *\n{text}");
    let all = found(&[("app/__init__.py", ""), ("app/models.py", MODELS), ("app/views.py", &text)], NAMES);
    all.iter()
        .filter_map(|line| line.strip_prefix("app/views.py:"))
        .map(|line| line.replace("unknown-audit-", "").replace(" review", ""))
        .collect()
}

#[test]
fn names_are_held_against_the_model_that_is_imported() {
    let other =
        "from django.db import models\nclass AuditLog(models.Model):\n    what = models.TextField()\n";
    let view = "def one():\n    from other.models import AuditLog\n    AuditLog.objects.create(what='x')\n    AuditLog.objects.create(detail='x')\n\ndef two():\n    from app.models import AuditLog as Log\n    Log.objects.filter(what='x')\n    Log.objects.filter(detail='x')\n";
    let files = [
        ("app/__init__.py", ""),
        ("app/models.py", MODELS),
        ("app/views.py", view),
        ("other/__init__.py", ""),
        ("other/models.py", other),
    ];
    let all = found(&files, NAMES);
    let wanted = [
        "app/models.py:12 unknown-audit-field review",
        "app/views.py:4 unknown-audit-field review",
        "app/views.py:8 unknown-audit-field review",
    ];
    assert_eq!(all, wanted);
}

#[test]
fn what_a_query_may_ask_for_is_known() {
    for fine in [
        "AuditLog.objects.filter(user_id=1, user__email='x', pk=1, id__in=[], at__date='x')",
        "AuditLog.objects.filter(lines__log=1, line__other=2).order_by('-lines__pk', '?')",
        "AuditLog.objects.annotate(n=1).filter(n__gt=1).order_by('-n').values('n', 'user__email')",
        "AuditLog.objects.recent().filter(anything=1)",
        "AuditLog.objects.get_or_create(user=1, detail__iexact='x', defaults={'action': 'login'})",
        "AuditLog.objects.values('action').annotate(total=1).order_by('total')",
        "AuditLog.objects.filter(**given)",
        "AuditLog(label='x')",
        "{}.get(nothing=1)\n    rows = []\n    rows.filter(nothing=1)",
        "rows = AuditLog.objects.all()\n    rows = rows.annotate(n=1)\n    rows = rows.filter(n=2)",
    ] {
        assert!(in_view(&format!("def f(given):\n    {fine}\n")).is_empty(), "{fine}");
    }
    for wrong in [
        "AuditLog.objects.filter(nothing=1)",
        "AuditLog.objects.exclude(user=1).order_by('-nothing')",
        "AuditLog.objects.filter(Q(user=1) | ~Q(nothing=2))",
        "AuditLog.objects.all().values_list('nothing', flat=True)",
        "AuditLog.objects.filter(user=1).update(nothing=1)",
        "AuditLog.objects.get_or_create(user=1, defaults={'nothing': 1})",
        "AuditLog(nothing=1)",
        "AuditLog.log(1, 'login', nothing=1)",
        "rows = AuditLog.objects.all(); rows = rows.filter(nothing=1)",
    ] {
        let text = format!("from django.db.models import Q\ndef f():\n    {wrong}\n");
        assert_eq!(in_view(&text), ["4 field"], "{wrong}");
    }
}

#[test]
fn makers_of_the_project_s_own_take_what_they_like() {
    let own = MODELS.replace(
        "class LogQuerySet(models.QuerySet):",
        "class LogQuerySet(models.QuerySet):\n    def create(self, **given):\n        return super().create(detail=str(given))\n",
    );
    let view = "from app.models import AuditLog\nAuditLog.objects.create(nothing=1)\nAuditLog(nothing=1)\n";
    let lines = |models: &str| {
        let all = found(
            &[("app/__init__.py", ""), ("app/models.py", models), ("app/views.py", view)],
            &["unknown-audit-field"],
        );
        all.into_iter().filter(|line| line.starts_with("app/views")).collect::<Vec<_>>()
    };
    assert_eq!(lines(&own), ["app/views.py:3 unknown-audit-field review"]);
    assert_eq!(lines(MODELS).len(), 2);
    let open = MODELS.replace("class AuditLog(models.Model)", "class AuditLog(Unknown, models.Model)");
    assert!(lines(&open).is_empty());
}

#[test]
fn actions_are_followed_to_their_texts() {
    for fine in [
        "AuditLog.log(1, Actions.LOGIN)",
        "AuditLog.log(1, Actions.LOGIN.value)",
        "AuditLog.log(1, 'login' if f else 'logout')",
        "action = 'login'\n    if f:\n        action = 'moved'\n    AuditLog.log(1, action)",
        "action = g()\n    AuditLog.log(1, action)",
        "AuditLog.log(1, f'{f}_nothing')",
        "action = 'nothing'\n    action = g(action)\n    AuditLog.log(1, action)",
        "AuditLog.log(*f)",
        "for action in ('nothing', f):\n        AuditLog.log(1, action)",
        "AuditLog.objects.filter(action__startswith='nothing')",
    ] {
        assert!(in_view(&format!("def f():\n    {fine}\n")).is_empty(), "{fine}");
    }
    for wrong in [
        "AuditLog.log(1, 'nothing')",
        "AuditLog.log(1, AuditLog.LOCKED)",
        "AuditLog.log(action='nothing', user=1)",
        "AuditLog.log(1, 'login' if f else 'nothing')",
        "AuditLog.objects.create(user=1, action='nothing')",
        "AuditLog(user=1, action='nothing')",
        "handed_on('nothing')",
        "Service().tell('nothing')",
        "AuditLog.objects.filter(action__in=['login', 'nothing'])",
    ] {
        let text = format!(
            "def handed_on(action, user=None):\n    AuditLog.log(user, action)\nclass Service:\n    def tell(self, what):\n        handed_on(what)\ndef f():\n    {wrong}\n"
        );
        assert_eq!(in_view(&text), ["8 action"], "{wrong}");
    }
}

const FORMATTER: &str = "from django.db import models\nfrom ftn_audit import register_audit_formatter\nclass Case(models.Model):\n    pass\n@register_audit_formatter(Case)\nclass Formatter:\n    pass\n";

/// The findings about how ftn-audit is set up, with settings of this text.
fn wiring(settings: &str) -> Vec<String> {
    let own = "from ftn_audit.middleware import AuditContextMiddleware\nclass Ours(AuditContextMiddleware):\n    pass\n";
    let mut files = vec![("app/__init__.py", ""), ("app/middleware.py", own), ("app/models.py", FORMATTER)];
    if !settings.is_empty() {
        files.push(("site/settings.py", settings));
    }
    found(&files, &["unwired-audit-library"])
}

#[test]
fn a_library_finds_what_it_needs_in_the_settings() {
    let apps = "INSTALLED_APPS = ['ftn_audit.apps.FtnAuditConfig']\n";
    let middleware = "MIDDLEWARE = ['ftn_audit.middleware.AuditContextMiddleware']\n";
    for fine in [
        format!("{apps}{middleware}"),
        format!("{apps}MIDDLEWARE = ['app.middleware.Ours']\n"),
        format!("{apps}MIDDLEWARE = read('middleware')\n"),
        format!("{apps}{middleware}AUDIT_DELIVERY_MODE = env('MODE', default='off')\n"),
        format!("{apps}{middleware}AUDIT_DELIVERY_MODE = 'noop' if DEBUG else 'celery'\n"),
    ] {
        assert!(wiring(&fine).is_empty(), "{fine}");
    }
    assert_eq!(
        wiring(&format!("INSTALLED_APPS = []\n{middleware}")),
        ["site/settings.py:1 unwired-audit-library error"]
    );
    assert_eq!(
        wiring(&format!("{apps}MIDDLEWARE = []\n")),
        ["site/settings.py:2 unwired-audit-library error"]
    );
    assert_eq!(
        wiring(&format!("{apps}{middleware}AUDIT_DELIVERY_MODE = 'of'\n")),
        ["site/settings.py:3 unwired-audit-library error"]
    );
    assert_eq!(wiring(""), ["app/models.py:5 unwired-audit-library review"]);
}

#[test]
fn receivers_may_know_that_a_fixture_is_loaded() {
    let file = |guard: &str| {
        format!(
            "from django.db.models.signals import post_save\nfrom django.dispatch import receiver\nfrom app.models import AuditLog, Line\n@receiver(post_save, sender=Line)\ndef saved(sender, instance, **kwargs):\n    {guard}\n    note(instance)\ndef note(line):\n    AuditLog.log(line.user, 'login')\n"
        )
    };
    let lines = |guard: &str| {
        let text = file(guard);
        found(
            &[("app/__init__.py", ""), ("app/models.py", MODELS), ("app/signals.py", &text)],
            &["raw-fixture-audit"],
        )
    };
    assert_eq!(lines("print(instance)"), ["app/signals.py:5 raw-fixture-audit review"]);
    for fine in
        ["if kwargs.get('raw'): return", "if kwargs['raw']: return", "check(**kwargs)", "check(kwargs)"]
    {
        assert!(lines(fine).is_empty(), "{fine}");
    }
}

const KEPT: &str = r#"
from django.db import models

class AuditLog(models.Model):
    user = models.ForeignKey("auth.User", on_delete=models.CASCADE)
    action = models.CharField(max_length=40)
    target = models.CharField(max_length=40)
    at = models.DateTimeField(auto_now_add=True)

class Case(models.Model):
    state = models.TextField()

class Note(models.Model):
    text = models.TextField()
"#;

/// A function that changes a case, and what else it does.
fn changing(name: &str, then: &str) -> String {
    format!(
        "def {name}(request, pk):\n    case = Case.objects.get(pk=pk)\n    case.state = '{name}'\n    case.save()\n{then}"
    )
}

/// The lines of `app/views.py` that leave a change untold, where no settings say what is tracked.
fn untold_in(folder: &str, functions: &[String]) -> Vec<String> {
    let text = format!("from app.models import *\n{}", functions.join(""));
    let path = format!("app/{folder}views.py");
    let files = [("app/__init__.py", ""), ("app/models.py", KEPT), (path.as_str(), text.as_str())];
    found(&files, &["unaudited-state-change"])
}

const TELLS: &str = "    AuditLog.objects.create(user=request.user, action='case.changed', target=case.pk)\n";

#[test]
fn a_habit_of_telling_is_more_than_one_place_and_no_exception() {
    let (tells, silent) = (|name| changing(name, TELLS), |name| changing(name, ""));
    let at = |line: u32| format!("app/views.py:{line} unaudited-state-change review");
    assert_eq!(untold_in("", &[tells("a"), tells("b"), silent("c")]), [at(15)]);
    assert!(untold_in("", &[tells("a"), silent("b")]).is_empty(), "one place is no habit");
    let holes = |count: usize| {
        let names = ["c", "d", "e", "f", "g", "h"];
        let mut all = vec![tells("a"), tells("b")];
        all.extend(names.iter().take(count).map(|name| silent(name)));
        untold_in("", &all).len()
    };
    assert_eq!((holes(4), holes(5)), (4, 0), "below every third, audit rows are the exception");
}

#[test]
fn an_event_tells_of_what_it_names() {
    let silent = changing("c", "");
    let event = |action: &str, target: &str| {
        format!("    AuditLog.objects.create(user=request.user, action='{action}', target={target})\n")
    };
    let habit = |event: &str| {
        !untold_in("", &[changing("a", event), changing("b", event), silent.clone()]).is_empty()
    };
    assert!(habit(&event("changed", "case.pk")) && habit(&event("case.changed", "pk")));
    assert!(habit(
        "    rows = []\n    rows.append(AuditLog(action='changed', target=case.pk))\n    AuditLog.objects.bulk_create(rows)\n"
    ));
    assert!(!habit(&event("mail.sent", "pk")), "it merely comes after the change");
    assert!(
        !habit("    AuditLog.objects.create(user=case, action='login')\n"),
        "who acted is not what was changed"
    );
    let deletes =
        "def gone(request, pk):\n    case = Case.objects.get(pk=pk)\n    case.delete()\n".to_owned();
    let tells = |name| changing(name, TELLS);
    assert!(untold_in("", &[tells("a"), tells("b"), deletes]).is_empty(), "deletions are told of nowhere");
}

#[test]
fn what_an_operator_starts_has_no_part_in_a_habit() {
    let all = [changing("a", TELLS), changing("b", TELLS), changing("c", "")];
    assert!(untold_in("management/commands/", &all).is_empty());
}

#[test]
fn one_function_leaves_one_model_untold_once() {
    let more =
        "    case.state = 'more'\n    case.save()\n    Case.objects.filter(pk=pk).update(state='most')\n";
    let all = [changing("a", TELLS), changing("b", TELLS), changing("c", more)];
    assert_eq!(untold_in("", &all), ["app/views.py:15 unaudited-state-change review"]);
}
