"""The help desk's table of what an audit trail asks for names rules, tests and files that are there."""

import ast
import re

from pages import ROOT, RULES

HELPDESK = ROOT / "fixtures" / "helpdesk-django"
LINE = re.compile(r"^\| ([^|]+) \| `([\w-]+)` \| `([\w.]+)::(\w+)` \| `([\w./]+)` \|$", re.MULTILINE)
TEXT = (HELPDESK / "README.md").read_text(encoding="utf-8")
STATEMENTS = LINE.findall(TEXT)


def named_tests(name: str) -> set[str]:
    tree = ast.parse((ROOT / "tests" / "evidence" / name).read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in tree.body if isinstance(node, kinds) and node.name.startswith("test_")}


def test_every_line_is_read():
    """No line of the table is left out by the way it is written."""
    lines = [line for line in TEXT.splitlines() if line.startswith("| ") and not line.startswith("| ---")]
    assert len(STATEMENTS) == len(lines) - 1


def test_every_rule_has_its_page():
    """The rules are there, and each of the packs trail and jobs that a mark names is in the table."""
    named = {rule for _, rule, *_ in STATEMENTS}
    assert named <= {path.stem for path in RULES.glob("*.md")}
    packs = {path.stem for path in RULES.glob("*.md") if re.search(r'^pack = "(trail|jobs)"', path.read_text(), re.M)}
    assert packs <= named


def test_every_test_is_there():
    """So are the tests."""
    for _, _, file, test, _ in STATEMENTS:
        assert test in named_tests(file), (file, test)


def test_every_file_is_broken_as_the_line_says():
    """The file carries a mark of the rule."""
    for _, rule, _, _, path in STATEMENTS:
        marks = re.findall(r"# planted: (.*)$", (HELPDESK / path).read_text(encoding="utf-8"), re.MULTILINE)
        assert any(rule in mark.split(", ") for mark in marks), (path, rule)
