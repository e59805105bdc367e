"""Every example of every page is Python that runs."""

import clinic_pages
import pytest
from pages import RULES, Example, examples, run

ALL = examples()


def test_every_page_has_examples():
    """A page shows what is wrong and what is right."""
    sections = {(example.page, example.section) for example in ALL}
    for path in RULES.glob("*.md"):
        text = path.read_text(encoding="utf-8")
        if "```python" in text:
            assert {(path.stem, "bad"), (path.stem, "good")} <= sections, path.stem


@pytest.mark.parametrize("example", ALL, ids=str)
def test_every_example_runs_as_python(example: Example):
    """Also the bad ones: what is wrong with them shows later, when they are called."""
    is_of_clinic = any(word in example.code for word in ("clinic", "django"))
    name = clinic_pages.module_name(example) if is_of_clinic else str(example)
    with clinic_pages.forgetting():
        module = run(example.code, name)
    assert any(callable(value) for name, value in vars(module).items() if not name.startswith("__"))
