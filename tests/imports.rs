//! imports: which imports are stale for certain, and which might not be.

use crate::small::scanned::scanned;

/// The messages about stale imports in a small project, each with its path, without what comes behind the colon.
fn stale(files: &[(&str, &str)], beside: &[&str]) -> Vec<String> {
    let scan = scanned(files, beside);
    let findings =
        scan.files.iter().flat_map(|file| file.findings.iter().map(move |finding| (file, finding)));
    findings
        .filter(|(_, finding)| finding.rule == "stale-import")
        .map(|(file, finding)| {
            let what = finding.message.split(": ").next().unwrap_or_default();
            format!("{} {} {what}", file.source.display_path(), finding.severity.word())
        })
        .collect()
}

/// The same for one module of a package `app` that has a module `a` with the name `there`.
fn of_module(text: &str) -> Vec<String> {
    let good = "from app.a import there\nfrom app import a\nimport app.a\n";
    stale(
        &[("app/__init__.py", ""), ("app/a.py", "there = 1\n"), ("app/b.py", text), ("app/c.py", good)],
        &[],
    )
}

#[test]
fn what_is_not_there_is_said() {
    assert_eq!(of_module("from app.a import gone\n"), ["app/b.py error `app.a` has no `gone`"]);
    assert_eq!(of_module("from .a import gone\n"), ["app/b.py error `app.a` has no `gone`"]);
    assert_eq!(of_module("from app.gone import a, b\n"), ["app/b.py error there is no module `app.gone`"]);
    assert_eq!(of_module("import app.gone.deep\n"), ["app/b.py error there is no module `app.gone.deep`"]);
    assert_eq!(of_module("from app.gone import *\n"), ["app/b.py error there is no module `app.gone`"]);
    assert_eq!(of_module("def f():\n    from app.a import gone\n"), ["app/b.py error `app.a` has no `gone`"]);
}

#[test]
fn audit_libraries_put_classes_beside_models() {
    let models = "import pghistory\nfrom django.db import models\n@pghistory.track()\nclass Case(models.Model):\n    pass\n";
    let plain = "from django.db import models\nclass Case(models.Model):\n    pass\n";
    let view = "from app.models import Case, CaseEvent\n";
    assert!(
        stale(&[("app/__init__.py", ""), ("app/models.py", models), ("app/views.py", view)], &[]).is_empty()
    );
    assert_eq!(
        stale(&[("app/__init__.py", ""), ("app/models.py", plain), ("app/views.py", view)], &[]),
        ["app/views.py error `app.models` has no `CaseEvent`"]
    );
}

#[test]
fn what_may_fail_is_left_alone() {
    for text in [
        "try:\n    from app.gone import x\nexcept ImportError:\n    x = None\n",
        "try:\n    import fast as x\nexcept ModuleNotFoundError:\n    from app.gone import x\n",
        "try:\n    from app.gone import x\nexcept Exception:\n    x = None\n",
        "from contextlib import suppress\nwith suppress(ImportError):\n    from app.gone import x\n",
        "from app.api_pb2 import Message\nfrom app._speedups import fast\nfrom app.version import text\n",
        "from elsewhere.gone import x\nfrom datetime import gone\nfrom .. import x\nfrom app.a import __doc__\n",
    ] {
        assert_eq!(of_module(text), [""; 0], "{text}");
    }
    let attempt = "def f():\n    try:\n        from app.gone import x\n    except Exception:\n        pass\n";
    assert_eq!(of_module(attempt), ["app/b.py review there is no module `app.gone`"]);
    let types = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from app.a import Gone\n";
    assert_eq!(of_module(types), ["app/b.py review `app.a` has no `Gone`"]);
}

#[test]
fn modules_that_make_names_up_are_left_alone() {
    for text in [
        "def __getattr__(name):\n    return name\n",
        "globals().update(x=1)\n",
        "from elsewhere import *\n",
        "import sys\nsys.modules[__name__] = object()\n",
        "def load():\n    global gone\n    gone = 1\n",
        "if (\n",
    ] {
        let files = [
            ("app/__init__.py", ""),
            ("app/a.py", text),
            ("app/b.py", "from app.a import gone\nimport app.a\n"),
        ];
        assert_eq!(stale(&files, &[]), [""; 0], "{text}");
    }
}

#[test]
fn what_was_not_read_is_not_missed() {
    let files = [
        ("app/__init__.py", ""),
        ("app/a.py", "there = 1\n"),
        ("app/b.py", "import app.a\nfrom app.c import x\n"),
    ];
    assert_eq!(stale(&files, &[]).len(), 1);
    assert_eq!(stale(&files, &["app/c"]), [""; 0]);
    assert_eq!(stale(&files, &["app/*"]), [""; 0]);
}

#[test]
fn a_folder_that_is_named_like_a_library_is_not_the_library() {
    let files = [
        ("alembic/env.py", "from alembic import context\n"),
        ("alembic/versions/one.py", "from alembic import op\nfrom alembic.operations import ops\n"),
    ];
    assert_eq!(stale(&files, &[]), [""; 0]);
}

#[test]
fn what_has_another_name_now_is_said_wherever_it_is_imported() {
    let of_library = "`ftn_audit.jobs` is called `ftn_audit.tasks` now";
    for text in
        ["from ftn_audit.jobs import a, b\n", "from ftn_audit import jobs\n", "import ftn_audit.jobs.deep\n"]
    {
        assert_eq!(of_module(text), [format!("app/b.py error {of_library}")], "{text}");
    }
    assert_eq!(of_module("from ftn_audit.jobs_now import a\n"), [""; 0]);
}

#[test]
fn a_type_statement_binds_its_name() {
    let files = [
        ("app/__init__.py", ""),
        ("app/a.py", "type Plain = int\ntype Sorting[T] = tuple[T, bool]\n"),
        ("app/b.py", "from app.a import Plain, Sorting\n"),
    ];
    assert_eq!(stale(&files, &[]), Vec::<String>::new());
}

#[test]
fn a_folder_elsewhere_that_is_called_like_a_library_is_not_that_library() {
    let files = [
        ("app/__init__.py", ""),
        ("app/payments/stripe/__init__.py", ""),
        (
            "app/payments/stripe/service.py",
            "import stripe\nfrom stripe.params import Customer\nfrom app import b\n",
        ),
        ("app/b.py", "import stripe\nfrom stripe.params import Customer\n"),
        ("dev/commands/stripe.py", ""),
    ];
    assert_eq!(stale(&files, &[]), Vec::<String>::new());
}
