"""What fixes make of the sample services: what failed before passes, and what is left is what is listed here."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from pages import ROOT

TRAILCHECK = os.environ.get("TRAILCHECK", str(ROOT / "target/debug/trailcheck"))

# How many findings of which rules are left: rules without a fix, and findings whose fix would be a guess.
LEFT = {
    "helpdesk-django": {
        "ambient-actor-in-task": 1,
        "audit-outside-transaction": 3,
        "direct-audit-write": 2,
        "enqueue-before-commit": 2,
        "fragile-audit-task": 1,
        "hard-delete": 2,
        "missing-created-by": 1,
        "missing-updated-at": 3,
        "missing-updated-by": 2,
        "partial-save": 2,
        "repeated-periodic-row": 2,
        "request-breaking-audit": 1,
        "shared-mutable-default": 3,
        "unaudited-bulk-write": 3,
        "unaudited-state-change": 7,
        "unbounded-page-size": 8,
        "unguarded-none-metric": 2,
        "unknown-audit-action": 2,
        "unknown-audit-field": 3,
        "unlisted-audit-collection": 1,
        "unwired-audit-library": 2,
    },
    "orders-fastapi": {
        "expired-attribute": 5,
        "expired-suppression": 2,
        "frozen-timestamp": 5,
        "hand-stamped-actor": 2,
        "hard-delete": 9,
        "lazy-user-attribute": 5,
        "missing-created-at": 4,
        "missing-created-by": 11,
        "missing-deleted-by": 3,
        "missing-updated-at": 11,
        "missing-updated-by": 11,
        "mixed-clocks": 2,
        "nulled-audit-field": 4,
        "overwritten-creation-stamp": 5,
        "phantom-audit-field": 5,
        "stale-import": 4,
        "suppression-without-reason": 2,
        "swallowed-error": 4,
        "unimported-datetime": 2,
        "unimported-exception": 1,
        "unreachable-handler": 3,
        "write-outside-try": 1,
    },
}


def trailcheck(folder: Path, *options: str) -> dict:
    command = [TRAILCHECK, "check", ".", "--format", "json", *options]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode in (0, 1), run.stderr
    return json.loads(run.stdout)


def duties(folder: Path) -> Counter:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/duties.py"]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    counts = re.findall(r"(\d+) (passed|failed|error)", run.stdout)
    assert counts, run.stdout + run.stderr
    return Counter({what: int(number) for number, what in counts})


@pytest.mark.parametrize("name", sorted(LEFT))
def test_fixes_discharge_what_the_broken_half_owes(name, tmp_path):
    folder = tmp_path / name
    shutil.copytree(ROOT / "fixtures" / name, folder, ignore=shutil.ignore_patterns("__pycache__"))
    before = duties(folder)
    assert before["failed"] > 0 and before["passed"] == 0, before

    report = trailcheck(folder, "--fix", "--unsafe-fixes")
    for path in folder.rglob("*.py"):
        compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
    after = duties(folder)
    assert after == Counter(passed=before["failed"]), after

    findings = (finding for file in report["files"] for finding in file["findings"])
    left = Counter(finding["rule"] for finding in findings if not finding["suppressed"])
    assert left == Counter(LEFT[name])
    again = trailcheck(folder, "--fix", "--unsafe-fixes")
    assert not any(file.get("changes") for file in again["files"]), "a second run finds nothing to fix"
