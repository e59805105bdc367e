"""Reads the examples out of the rule pages and runs them as modules."""

import re
import types
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "rules"

FENCE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECTION = re.compile(r"^## (\w+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Example:
    page: str
    section: str
    number: int
    code: str

    def __str__(self) -> str:
        return f"{self.page}-{self.section}-{self.number}"


def examples() -> list[Example]:
    found = []
    for path in sorted(RULES.glob("*.md")):
        for section, body in SECTION.findall(path.read_text(encoding="utf-8")):
            for number, code in enumerate(FENCE.findall(body), start=1):
                found.append(Example(path.stem, section.lower(), number, code))
    return found


def code(page: str, section: str, number: int = 1) -> str:
    """The text of one example; numbers begin at 1."""
    for example in examples():
        if (example.page, example.section, example.number) == (page, section, number):
            return example.code
    raise LookupError(f"{page}: no example {number} under {section}")


def run(text: str, name: str = "example") -> types.ModuleType:
    """Executes the text as a module of its own."""
    module = types.ModuleType(name)
    exec(compile(text, name, "exec", dont_inherit=True), module.__dict__)
    return module


def example(page: str, section: str, number: int = 1) -> types.ModuleType:
    return run(code(page, section, number), f"{page}_{section}_{number}".replace("-", "_"))
