"""What the page claims of values that are made once with a class: what one user changes, the next one meets."""

import pytest
from pages import example
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

PAGE = "shared-mutable-default"


def prices_of_the_second(module):
    engine = create_engine("sqlite://")
    module.Base.metadata.create_all(engine)
    with Session(engine) as session:
        first = module.Basket()
        session.add(first)
        session.flush()
        first.prices["milk"] = 2
        second = module.Basket()
        session.add(second)
        session.commit()
        return second.prices


def test_what_is_changed_in_one_row_is_there_in_the_next():
    """It becomes the value of every new row that brings none: what is changed in place in one of them is there in the
    next, and is stored with it; the callable makes a new value each time."""
    assert prices_of_the_second(example(PAGE, "bad")) == {"milk": 2}
    assert prices_of_the_second(example(PAGE, "good")) == {}


def test_a_factory_hands_out_what_its_body_holds():
    """A factory hands what its class body holds to each object it builds; `factory.LazyFunction(dict)` does not."""
    for section, shares in (("bad", True), ("good", False)):
        make = example(PAGE, section, 2).ReportFactory
        first, second = make(), make()
        first.results["late"] = 1
        assert (second.results == {"late": 1}) is shares


def test_instances_share_an_attribute_of_the_class():
    """A list in the class's body is one for all its instances; one made in `__init__` is not."""
    for section, shares in (("bad", True), ("good", False)):
        module = example(PAGE, section)
        first, second = module.Recorder(), module.Recorder()
        first.record("created")
        assert (second.pending == ["created"]) is shares


def test_dataclasses_refuse_and_pydantic_copies():
    """The fields of dataclasses and pydantic models are refused or copied."""
    from dataclasses import make_dataclass

    from pydantic import create_model

    with pytest.raises(ValueError, match="mutable default"):
        make_dataclass("Recorder", [("pending", list, [])])
    model = create_model("Recorder", pending=(list, []))
    first, second = model(), model()
    first.pending.append("created")
    assert second.pending == []
