"""The marks in the fixtures are well formed: they name rules, and every rule is broken somewhere."""

import re

from pages import ROOT, RULES

MARK = re.compile(r"# planted: (.*)$", re.MULTILINE)
SERVICE = ROOT / "fixtures" / "orders-fastapi" / "orders"
HELPDESK = ROOT / "fixtures" / "helpdesk-django"
STANDARD = ROOT / "fixtures" / "standard"
# The rules that the order service is made for.
PLANTED = {
    "missing-created-at",
    "missing-updated-at",
    "missing-deleted-at",
    "missing-created-by",
    "missing-updated-by",
    "missing-deleted-by",
    "hard-delete",
    "phantom-audit-field",
    "unimported-exception",
    "unimported-datetime",
    "unimported-audit-context",
    "missing-rollback",
    "swallowed-error",
    "unlogged-error",
    "unawaited-session-call",
    "write-outside-try",
    "swallowed-error-in-transaction",
    "lazy-user-attribute",
    "unused-suppression",
    "suppression-without-reason",
    "expired-suppression",
    "frozen-timestamp",
    "mixed-clocks",
    "unreachable-handler",
    "stale-import",
    "expired-attribute",
    "hand-stamped-actor",
    "overwritten-creation-stamp",
    "nulled-audit-field",
}
# The rules that the help desk is made for.
PLANTED_AT_THE_HELP_DESK = {
    "ambient-actor-in-task",
    "audit-outside-transaction",
    "direct-audit-write",
    "enqueue-before-commit",
    "fragile-audit-task",
    "hard-delete",
    "legacy-raw-route",
    "missing-created-by",
    "missing-deleted-at",
    "missing-deleted-by",
    "missing-updated-at",
    "missing-updated-by",
    "partial-save",
    "raw-fixture-audit",
    "repeated-periodic-row",
    "request-breaking-audit",
    "shared-mutable-default",
    "stale-import",
    "swallowed-error-in-transaction",
    "unaudited-bulk-write",
    "unaudited-state-change",
    "unbounded-page-size",
    "uncommitted-audit-emission",
    "unguarded-none-metric",
    "unimported-exception",
    "unknown-audit-action",
    "unknown-audit-field",
    "unlisted-audit-collection",
    "unwired-audit-library",
}


def marks(folder):
    for path in sorted(folder.rglob("*.py")):
        for ids in MARK.findall(path.read_text(encoding="utf-8")):
            yield path, ids.split(", ")


def test_every_mark_names_a_rule():
    """A mark is a comma-separated list of rule ids, and each has a page."""
    pages = {path.stem for path in RULES.glob("*.md")}
    for path, ids in [*marks(SERVICE), *marks(HELPDESK), *marks(STANDARD)]:
        assert set(ids) <= pages and len(set(ids)) == len(ids), (path, ids)


def test_every_rule_is_broken_somewhere():
    """Each rule is planted in the service that is made for it at least once."""
    assert {one for _, ids in marks(SERVICE) for one in ids} == PLANTED
    assert {one for _, ids in marks(HELPDESK) for one in ids} == PLANTED_AT_THE_HELP_DESK


def test_marks_stand_in_the_broken_half_only():
    """The compliant half carries no mark."""
    assert all(path.name.startswith("broken_") for path, _ in [*marks(SERVICE), *marks(HELPDESK)])
    assert all(path.parent.name == "wrong" for path, _ in marks(STANDARD))
