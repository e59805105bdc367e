"""What the page claims of values that may be `None`: the comparison raises where there is no data."""

import pytest
from clinic_pages import example

PAGE = "unguarded-none-metric"


def test_no_value_raises_in_the_callee(clinic):
    """A calculation that has nothing to calculate answers `None`, and `None < 3` raises; a test guards it."""
    with example(PAGE, "bad") as module:
        assert module.is_fine(8, 10, ["north"])
        with pytest.raises(TypeError, match="'<=' not supported"):
            module.is_fine(0, 0, ["north"])
    with example(PAGE, "good") as module:
        assert module.is_fine(0, 0, ["north"])


def test_sum_over_no_rows_is_null(clinic):
    """`Sum` over no rows is null; a count is never null; `default=` and `or 0` guard it."""
    with example(PAGE, "bad") as module:
        with pytest.raises(TypeError):
            module.is_large()
    with example(PAGE, "good") as module:
        assert not module.is_large() and module.is_small()


@pytest.mark.parametrize("name", ["Avg", "Min", "Max"])
def test_other_aggregates_are_null_too(clinic, name):
    """`Sum`, `Avg`, `Min` and `Max` over no rows are null."""
    from clinic.models import Ward
    from django.db import models

    assert Ward.objects.aggregate(beds=getattr(models, name)("beds")) == {"beds": None}
