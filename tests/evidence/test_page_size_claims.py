"""What the page claims of sizes that clients choose: everything is read that is asked for, or as much as is allowed."""

import json

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pages import example

PAGE = "unbounded-page-size"
MANY = 10_000_000


async def add_orders(shop):
    for number in range(210):
        await shop.old_order(f"A-{number}")


async def test_everything_is_read(shop, db):
    """`?limit=10000000` is answered as it is asked: all rows are read; `min()` in a helper keeps that small."""
    await add_orders(shop)
    assert len(await example(PAGE, "bad").list_orders(limit=MANY, db=db)) == 210
    assert len(await example(PAGE, "good").list_orders(limit=MANY, db=db)) == 200


def test_a_declared_maximum_refuses():
    """`le=` counts as the limit: FastAPI answers 422."""
    module = example(PAGE, "good")
    app = FastAPI()
    app.include_router(module.router)
    app.dependency_overrides[module.get_db] = lambda: None
    assert TestClient(app).get("/orders/first", params={"limit": MANY}).status_code == 422


@pytest.fixture
def visits(clinic):
    from clinic.models import Patient, Visit

    patient = Patient.objects.create(number="1", name="Ada")
    Visit.objects.bulk_create(Visit(patient=patient, reason="x") for _ in range(210))


def listed(section, pages, **query):
    from clinic.models import Visit
    from django.test import RequestFactory
    from rest_framework.request import Request

    module = example(PAGE, section, 2)
    request = Request(RequestFactory().get("/", query))
    return len(getattr(module, pages)().paginate_queryset(Visit.objects.order_by("pk"), request))


@pytest.mark.parametrize(("pages", "name"), [("VisitPages", "page_size"), ("VisitWindow", "limit")])
def test_pagination_classes_answer_what_is_asked(visits, pages, name):
    """Any number, unless `max_page_size` is set as well; `LimitOffsetPagination` takes any `limit` without
    `max_limit`."""
    assert listed("bad", pages, **{name: MANY}) == 210
    assert listed("good", pages, **{name: MANY}) == 200


def test_no_client_chooses_before_the_parameter_is_named(visits):
    """`PageNumberPagination` lets no client choose before `page_size_query_param` is set."""
    from clinic.models import Visit
    from django.test import RequestFactory
    from rest_framework.pagination import PageNumberPagination
    from rest_framework.request import Request

    class Fixed(PageNumberPagination):
        page_size = 20

    request = Request(RequestFactory().get("/", {"page_size": MANY}))
    assert len(Fixed().paginate_queryset(Visit.objects.order_by("pk"), request)) == 20


def test_a_slice_reads_what_is_asked(visits):
    """A size is followed from the request to the query: there it is the number of rows."""
    from django.test import RequestFactory

    request = RequestFactory().get("/", {"limit": MANY})
    rows = {section: json.loads(example(PAGE, section, 2).newest(request).content)["visits"] for section in ("bad", "good")}
    assert len(rows["bad"]) == 210 and len(rows["good"]) == 200
