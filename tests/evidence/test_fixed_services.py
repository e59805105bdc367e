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

# Rules without a fix, and findings whose fix would be a guess.
LEFT = {
    "helpdesk-django": set(),
    "orders-fastapi": set(),
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

    left = {finding["rule"] for file in report["files"] for finding in file["findings"] if not finding["suppressed"]}
    assert left == LEFT[name]
    again = trailcheck(folder, "--fix", "--unsafe-fixes")
    assert not any(file.get("changes") for file in again["files"]), "a second run finds nothing to fix"
