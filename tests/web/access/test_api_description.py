"""The description of the API: whole, valid, true of every route, and fetched with any token."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openapi_spec_validator import OpenAPIV31SpecValidator

from portal.services.journal import Cause
from portal.web.access import rule_of
from portal.wiring import services
from tests.web.access.described import API, DESCRIBED, escaped, template_of, validator
from tests.web.access.machine import Send

METHODS = {"GET", "PUT", "POST", "PATCH", "DELETE"}


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for template, methods in DESCRIBED["paths"].items():
        for method, operation in methods.items():
            yield template, method, operation


def test_it_is_valid_openapi() -> None:
    OpenAPIV31SpecValidator(DESCRIBED).validate()


def test_every_route_of_the_api_is_described_and_no_other(app: Flask) -> None:
    routes = {
        (template_of(rule.rule), method)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in (rule.methods or set()) & METHODS
    }
    assert routes == {(template, method.upper()) for template, method, _ in operations()}


def test_each_operation_names_the_scope_that_its_view_demands(app: Flask) -> None:
    demanded = {
        (template_of(rule.rule), method.lower()): found.scope
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(f"{API}/") and (found := rule_of(app.view_functions[rule.endpoint]))
        for method in (rule.methods or set()) & METHODS
    }
    for template, method, operation in operations():
        scope = demanded[template, method]
        assert operation["security"] == [{"token": [scope.value] if scope else []}]


def test_every_example_fits_its_schema() -> None:
    seen = 0
    for template, method, operation in operations():
        pointer = f"/paths/{escaped(template)}/{method}"
        contents = (
            [(f"{pointer}/requestBody", operation["requestBody"])] if "requestBody" in operation else []
        )
        contents += [
            (f"{pointer}/responses/{status}", answer)
            for status, answer in operation["responses"].items()
            if "content" in answer
        ]
        for where, part in contents:
            media = part["content"]["application/json"]
            if "example" in media:
                validator(f"{where}/content/application~1json/schema").validate(media["example"])
                seen += 1
    assert seen > 10


def test_every_schema_and_every_answer_has_a_use() -> None:
    text = str(DESCRIBED)
    for kind in ("schemas", "responses"):
        for name in DESCRIBED["components"][kind]:
            assert f"'#/components/{kind}/{name}'" in text, name


def test_any_token_gets_it_and_nobody_else(app: Flask, client: FlaskClient, send: Send) -> None:
    found = send("GET", "/openapi.json")
    assert (found.status_code, found.content_type) == (200, "application/json")
    assert found.get_json()["openapi"].startswith("3.1.")
    assert found.get_json()["servers"] == [{"url": f"{services_base(app)}{API}"}]
    with app.app_context():
        narrow = services().access.create_token("reader", ["payouts:read"], cause=Cause.system("a test"))
    for token, status in ((None, 401), ("wrong", 401), (narrow, 200)):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        assert client.get(f"{API}/openapi.json", headers=headers).status_code == status


def services_base(app: Flask) -> str:
    with app.app_context():
        return services().settings.base_url


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("Earnings", {"earnings": []}),
        ("Earnings", {"earnings": [{}] * 1_001}),
        ("ReversalData", {"reference": "r", "amount": 0}),
        ("ReversalData", {"reference": "", "amount": 1}),
        ("ReversalData", {"reference": "r", "amount": 1_000_000_000_000}),
        ("ReversalData", {"reference": "r", "amount": 1.5}),
        ("ReversalData", {"reference": "r\u0007", "amount": 1}),
        ("ReversalData", {"reference": "r", "amount": 1, "more": 1}),
        ("AffiliateData", {"currency": "USD"}),
        ("AffiliateData", {"name": "n" * 201}),
    ],
)
def test_the_bounds_of_the_interface_are_in_it(name: str, wrong: object) -> None:
    assert not validator(f"/components/schemas/{name}").is_valid(wrong)
