//! django: what the program knows of Django's models: columns, choices, constraints, managers, ways back.

use std::sync::Arc;

use trailcheck::config::Settings;
use trailcheck::lower::lower;
use trailcheck::name::Name;
use trailcheck::project::{Choices, ClassId, Project, Roles};
use trailcheck::source::{Language, Source};

use crate::small::scanned::scanned;

fn project(files: &[(&str, &str)]) -> Project {
    let settings = Settings::default();
    let roles = Roles {
        fields: settings.fields.clone(),
        setters: settings.setters.clone(),
        common: settings.fields.clone(),
        ..Roles::default()
    };
    let facts = |(path, text): &(&str, &str)| {
        let source = Source::of_text(*path, Language::Python, *text);
        let facts = lower(&source);
        (Arc::new(source), facts)
    };
    Project::new(files.iter().map(facts).collect(), roles)
}

fn class(project: &Project, name: &str) -> ClassId {
    let mut all = project.class_ids().into_iter();
    all.find(|class| project.class(*class).qualname == name).expect("the class is there")
}

fn choices(project: &Project, model: &str, field: &str) -> Option<Vec<String>> {
    let django = project.django(class(project, model)).expect("Django maps it");
    match &django.fields[&Name::new(field)].choices {
        Choices::Among(values) => Some(values.iter().map(|value| value.to_string()).collect()),
        Choices::Free | Choices::Unknown => None,
    }
}

const MODELS: &str = r#"
from django.contrib.auth.models import AbstractUser
from django.db import models
from .kinds import KINDS, Level

class Base(models.Model):
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    author = models.ForeignKey("User", on_delete=models.CASCADE, related_name="%(class)s_written")
    class Meta:
        abstract = True

class User(AbstractUser):
    pass

class TicketQuerySet(models.QuerySet):
    pass

class TicketManager(models.Manager.from_queryset(TicketQuerySet)):
    pass

class Ticket(Base):
    class State(models.TextChoices):
        OPEN = "open", "Open"
        SHUT = "shut"
    LOW = "low"
    WEIGHTS = [(LOW, "Low"), ("high", "High")]
    MORE = WEIGHTS + [("top", "Top")]
    code = models.CharField(max_length=12, unique=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    weight = models.CharField(choices=MORE)
    kind = models.CharField(choices=KINDS)
    level = models.CharField(choices=Level)
    odd = models.CharField(choices=[(k, k) for k in "ab"])
    parent = models.ForeignKey("self", null=True, on_delete=models.CASCADE)
    tags = models.ManyToManyField("Tag")
    objects = TicketManager()
    class Meta:
        unique_together = [("code", "state")]
        constraints = [models.UniqueConstraint(fields=["code", "kind"], name="one")]

class Note(Base):
    ticket = models.OneToOneField(Ticket, on_delete=models.CASCADE)

class Tag(models.Model):
    class Meta:
        db_table = "labels"
"#;

const KINDS: &str = r#"
from django.db.models import TextChoices
A = "a"
KINDS = (("Letters", ((A, "A"), ("b", "B"))),)
class Level(TextChoices):
    ONE = "1", "One"
"#;

fn desk() -> Project {
    project(&[("desk/models.py", MODELS), ("desk/kinds.py", KINDS)])
}

#[test]
fn an_abstract_base_has_no_table_and_hands_its_fields_on() {
    let desk = desk();
    assert!(desk.model(class(&desk, "Base")).is_none());
    let model = desk.model(class(&desk, "Ticket")).expect("a model");
    let django = model.django.as_ref().expect("Django maps it");
    let updated = &django.fields[&Name::new("updated_at")];
    assert!(updated.auto_now && !updated.auto_now_add && !updated.null);
    assert!(model.columns[&Name::new("updated_at")].on_update);
    assert!(
        model.columns[&Name::new("created_at")].default && !model.columns[&Name::new("created_at")].on_update
    );
    assert_eq!(django.fields[&Name::new("code")].max_length, Some(12));
    assert!(model.defines(Name::new("author_id")) && !model.columns.contains_key(&Name::new("tags")));
    assert_eq!(model.table.map(|table| table.to_string()).as_deref(), Some("desk_ticket"));
    let tag = desk.model(class(&desk, "Tag")).expect("a model");
    assert_eq!(tag.table.map(|table| table.to_string()).as_deref(), Some("labels"));
}

#[test]
fn choices_are_followed_to_their_values() {
    let desk = desk();
    let of = |field: &str| choices(&desk, "Ticket", field);
    assert_eq!(of("state"), Some(vec!["open".into(), "shut".into()]));
    assert_eq!(of("weight"), Some(vec!["high".into(), "low".into(), "top".into()]));
    assert_eq!(of("kind"), Some(vec!["a".into(), "b".into()]));
    assert_eq!(of("level"), Some(vec!["1".into()]));
    let django = desk.django(class(&desk, "Ticket")).expect("Django maps it");
    assert_eq!(django.fields[&Name::new("odd")].choices, Choices::Unknown);
    assert_eq!(django.fields[&Name::new("code")].choices, Choices::Free);
}

#[test]
fn constraints_managers_and_ways_back_are_known() {
    let desk = desk();
    let ticket = class(&desk, "Ticket");
    let django = desk.django(ticket).expect("Django maps it");
    let unique: Vec<String> = django
        .unique
        .iter()
        .map(|names| names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join("+"))
        .collect();
    assert_eq!(unique, ["code", "code+state", "code+kind"]);
    let managers = &django.managers[&Name::new("objects")].classes;
    assert_eq!(managers, &[class(&desk, "TicketManager"), class(&desk, "TicketQuerySet")]);
    assert_eq!(desk.models_managed_by(class(&desk, "TicketQuerySet")), [ticket]);
    let back = |name: &str| django.reverse.get(&Name::new(name)).map(|reverse| reverse.model);
    assert_eq!(back("ticket_set"), Some(ticket));
    assert_eq!(back("note"), Some(class(&desk, "Note")));
    let user = desk.django(class(&desk, "User")).expect("Django maps it");
    assert_eq!(user.reverse.get(&Name::new("ticket_written")).map(|reverse| reverse.model), Some(ticket));
}

const ROWS: &str = r#"
from django.db import models
from django.utils import timezone

class AuditLog(models.Model):
    user = models.ForeignKey("auth.User", on_delete=models.CASCADE)
    action = models.CharField(max_length=40)
    target = models.CharField(max_length=40)
    at = models.DateTimeField(auto_now_add=True)

    @classmethod
    def of_import(cls, lines):
        for line in lines:
            cls.objects.create(user=line.user, action="imported", target=line.name)

class Case(models.Model):
    state = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True)

class Note(models.Model):
    text = models.TextField()
    updated_at = models.DateTimeField(auto_now=True)

class Memo(models.Model):
    text = models.TextField()
    updated_at = models.DateTimeField(auto_now=True)

class Ticket(models.Model):
    title = models.TextField()
    created_by = models.TextField()
    updated_by = models.TextField()

    def sign(self, user):
        self.updated_by = user

class Reply(models.Model):
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE)
"#;

/// What is found in `app/views.py`, as `line rule`, and the messages.
fn seen(text: &str) -> (Vec<String>, Vec<String>) {
    let text = format!("from app.models import *\nfrom django.db import IntegrityError, transaction\n{text}");
    let settings =
        "INSTALLED_APPS = ['app']\nDATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql'}}\n";
    let files = [
        ("app/__init__.py", ""),
        ("app/models.py", ROWS),
        ("app/views.py", text.as_str()),
        ("site/settings.py", settings),
    ];
    let scan = scanned(&files, &[]);
    let file = scan.files.iter().find(|file| file.source.path.ends_with("views.py")).expect("it is scanned");
    let place = |finding: &trailcheck::finding::Finding| {
        format!("{} {}", file.source.line(finding.place.span.start), finding.rule)
    };
    let messages = file.findings.iter().map(|finding| finding.message.clone()).collect();
    (file.findings.iter().map(place).collect(), messages)
}

fn rules_in(text: &str) -> Vec<String> {
    seen(text).0
}

#[test]
fn what_was_soft_deleted_may_be_swept_away() {
    let sweep = |rows: &str| rules_in(&format!("def sweep(day):\n    Case.objects.{rows}.delete()\n"));
    for marked in [
        "filter(deleted_at__lt=day)",
        "filter(deleted_at__isnull=False).order_by('pk')",
        "exclude(deleted_at=None)",
        "filter(state='x', deleted_at__lte=day)",
    ] {
        assert!(sweep(marked).is_empty(), "{marked}");
    }
    for other in [
        "filter(state='x')",
        "filter(deleted_at=None)",
        "filter(deleted_at__isnull=True)",
        "exclude(deleted_at__lt=day)",
        "exclude(deleted_at=None, state='x')",
    ] {
        assert_eq!(sweep(other), ["4 hard-delete"], "{other}");
    }
}

#[test]
fn a_default_of_a_field_is_filled_in_whichever_way_a_row_is_made() {
    let make = "def make():\n    Case.objects.create(state='x')\n    Case(state='y').save()\n    Case.objects.bulk_create([Case(state='z')])\n";
    assert!(rules_in(make).is_empty());
}

#[test]
fn rows_of_django_do_not_expire() {
    assert!(rules_in("def may_close(case: Case) -> bool:\n    return case.state == 'open'\n").is_empty());
}

#[test]
fn a_handler_that_writes_swallows_nothing() {
    let around = |handler: &str| {
        rules_in(&format!(
            "def save_all(rows):\n    try:\n        Note.objects.bulk_create(rows)\n    except IntegrityError:\n        {handler}\n"
        ))
    };
    assert_eq!(around("pass"), ["6 swallowed-error"]);
    assert!(
        around("Note.objects.filter(text=rows[0].text).update(text='again', updated_at=rows[0].updated_at)")
            .is_empty()
    );
}

#[test]
fn a_place_that_writes_several_models_is_one_finding() {
    let text = "def rename(old):\n    for model in (Note, Memo):\n        model.objects.filter(pk=old).update(pk=1)\n";
    let (rules, messages) = seen(text);
    assert_eq!(rules, ["5 missing-updated-at"]);
    assert_eq!(messages, ["`rename` updates `Note` and `Memo` without setting `updated_at`"]);
}

#[test]
fn a_method_that_knows_what_happened_is_no_logging_method() {
    let text = "def close(user, pk):\n    AuditLog.objects.create(user=user, action='closed', target=pk)\n";
    assert!(rules_in(text).is_empty());
}

#[test]
fn an_audit_row_belongs_to_the_change_that_it_names() {
    let close = |action: &str| {
        rules_in(&format!(
            "def close(user, pk):\n    case = Case.objects.get(pk=pk)\n    case.state = 'closed'\n    case.save()\n    AuditLog.objects.create(user=user, action='{action}', target=pk)\n"
        ))
    };
    assert_eq!(close("case.closed"), ["7 audit-outside-transaction"]);
    assert!(close("mail.sent").is_empty());
}

/// A form that has its ticket from its keywords, reads it in one way and changes it; and more code.
fn form_with(reading: &str, more: &str) -> Vec<String> {
    seen(&format!(
        "from django import forms\nclass TitleForm(forms.Form):\n    def __init__(self, *args, **kwargs):\n        self.ticket = kwargs.pop('ticket', None)\n        super().__init__(*args, **kwargs)\n    def clean(self):\n        {reading}\n    def save(self):\n        self.ticket.title = 'x'\n        self.ticket.save()\n{more}"
    ))
    .1
}

#[test]
fn what_an_object_holds_is_known_by_what_its_methods_do_with_it() {
    for reading in [
        "Reply.objects.filter(ticket=self.ticket)",
        "Reply.objects.filter(ticket_id=self.ticket.pk)",
        "Reply(ticket=self.ticket)",
        "Ticket.objects.exclude(id=self.ticket.id)",
        "self.ticket.reply_set.count()",
    ] {
        assert_eq!(form_with(reading, ""), [UNSIGNED], "{reading}");
    }
    for other in [
        "pass",
        "Reply.objects.filter(ticket__in=self.ticket)",
        "Reply.objects.filter(id=self.ticket)",
        "self.ticket.memo_set.count()",
        "Memo.objects.get(pk=self.ticket.id); Reply(ticket=self.ticket)",
    ] {
        assert!(form_with(other, "").is_empty(), "{other}");
    }
}

#[test]
fn whoever_makes_an_object_may_have_stamped_the_row_that_it_holds() {
    let with = |more: &str| form_with("Reply.objects.filter(ticket=self.ticket)", more);
    let view = |stamp: &str| {
        format!(
            "def stamp(row, user):\n    row.updated_by = user\ndef view(request, pk):\n    ticket = Ticket.objects.get(pk=pk)\n    {stamp}\n    TitleForm(ticket=ticket).save()\n"
        )
    };
    assert_eq!(with(&view("pass")), [UNSIGNED]);
    let perhaps = [UNSIGNED.replace("`Ticket`", "`Ticket` perhaps")];
    for stamp in
        ["ticket.updated_by = request.user", "stamp(ticket, request.user)", "ticket.sign(request.user)"]
    {
        assert_eq!(with(&view(stamp)), perhaps, "{stamp}");
    }
    assert_eq!(with("    def full_clean(self):\n        self.ticket.updated_by = 'me'\n"), perhaps);
    let of_view = "class View:\n    form_class = TitleForm\n    def get_object(self):\n        self.object.updated_by = self.request.user\n";
    assert_eq!(with(of_view), perhaps);
}

/// What a form says that has a ticket from a field, and gives it a title.
fn cleaned_with(field: &str, save: &str) -> Vec<String> {
    seen(&format!(
        "from django import forms\nclass NewOrOld(forms.ModelChoiceField):\n    def clean(self, value):\n        return self.queryset.model(title=value)\nclass Signed(forms.ModelChoiceField):\n    def clean(self, value):\n        return self.queryset.model(title=value, created_by='me')\nclass TitleForm(forms.Form):\n    ticket = {field}(label='x', queryset=Ticket.objects.order_by('title'))\n    def save(self):\n        ticket = self.cleaned_data['ticket']\n        is_new = not ticket.pk\n        ticket.title = 'x'\n        {save}\n"
    ))
    .1
}

#[test]
fn a_field_of_a_form_answers_rows_of_its_query_set() {
    let unmade =
        "`save` creates `Ticket` without saying who: neither `set_created_by` nor `created_by` is set";
    assert_eq!(cleaned_with("forms.ModelChoiceField", "ticket.save()"), [UNSIGNED]);
    assert_eq!(cleaned_with("NewOrOld", "ticket.save()"), [UNSIGNED, unmade]);
    // Whether it has a key tells a row that the field has made.
    assert_eq!(cleaned_with("NewOrOld", "if is_new: ticket.save()"), [unmade]);
    assert_eq!(cleaned_with("NewOrOld", "if ticket.pk is None: ticket.save()"), [unmade]);
    assert_eq!(cleaned_with("NewOrOld", "if not is_new: ticket.save()"), [UNSIGNED]);
    assert_eq!(cleaned_with("NewOrOld", "if ticket.id: ticket.save()"), [UNSIGNED]);
    let perhaps = unmade.replace("`Ticket`", "`Ticket` perhaps");
    assert_eq!(cleaned_with("Signed", "if is_new: ticket.save()"), [perhaps.as_str()]);
    for (field, save) in [
        ("NewOrOld", "pass"),
        ("forms.ModelChoiceField", "if is_new: pass"),
        ("forms.CharField", "ticket.save()"),
        ("NewOrOld", "if is_new: ticket.created_by = 'me'; ticket.save()"),
    ] {
        assert!(cleaned_with(field, save).is_empty(), "{field}: {save}");
    }
}

const UNSIGNED: &str =
    "`save` updates `Ticket` without saying who: neither `set_updated_by` nor `updated_by` is set";
