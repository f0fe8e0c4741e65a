"""Holds what a machine sends and is answered against the API's own description."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from openapi_schema_validator import OAS31Validator
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from portal.web.api_description import description

API = "/api/v1"
DESCRIBED = description(title="A portal", address="https://portal.example")


@cache
def validator(pointer: str) -> OAS31Validator:
    """Of one schema of the description, with formats."""
    schema = {"$ref": f"#{pointer}", "components": DESCRIBED["components"], "paths": DESCRIBED["paths"]}
    return OAS31Validator(schema, format_checker=OAS31Validator.FORMAT_CHECKER)


def resolved(part: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Where a response of the description really stands, and what it is."""
    _, kind, group, name = part["$ref"].split("/")
    return f"/{kind}/{group}/{name}", DESCRIBED[kind][group][name]


def template_of(rule: str) -> str:
    """An address as the description spells it."""
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.removeprefix(API))


def escaped(text: str) -> str:
    """For a JSON pointer in an address."""
    return text.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D")


def hold(app: Flask, response: TestResponse, sent: object) -> None:
    """Fails where an answer, or a request that was taken, is not as described."""
    request = response.request
    if not request.path.startswith(f"{API}/"):
        return
    try:
        rule, _ = app.url_map.bind_to_environ(request.environ).match(return_rule=True)
    except HTTPException:
        hold_problem(response, "/components/schemas/Problem")
        return
    template, method = template_of(rule.rule), request.method.lower()
    if template not in DESCRIBED["paths"]:  # a view that a test added
        hold_problem(response, "/components/schemas/Problem")
        return
    operation = DESCRIBED["paths"][template][method]
    pointer = f"/paths/{escaped(template)}/{method}"
    status = str(response.status_code)
    if response.status_code < 400:
        assert status in operation["responses"], f"{method} {template} does not describe {status}"
        validator(f"{pointer}/responses/{status}/content/application~1json/schema").validate(response.json)
        if "requestBody" in operation:
            validator(f"{pointer}/requestBody/content/application~1json/schema").validate(sent)
        hold_query(operation, pointer, request.args.to_dict())
        return
    where, _ = resolved(operation["responses"].get(status, operation["responses"]["default"]))
    assert status in operation["responses"] or response.status_code in {429, 500, 503}, (
        method,
        template,
        status,
    )
    hold_problem(response, f"{where}/content/application~1problem+json/schema")


def hold_problem(response: TestResponse, pointer: str) -> None:
    assert response.content_type == "application/problem+json"
    validator(pointer).validate(response.get_json(force=True))


def hold_query(operation: dict[str, Any], pointer: str, sent: dict[str, str]) -> None:
    """Every parameter that was taken is described, and fits."""
    described = {
        each["name"]: (number, each)
        for number, each in enumerate(operation.get("parameters", []))
        if each["in"] == "query"
    }
    for name, text in sent.items():
        number, parameter = described[name]
        value: object = int(text) if parameter["schema"].get("type") == "integer" else text
        validator(f"{pointer}/parameters/{number}/schema").validate(value)


def sent_as_json(more: dict[str, Any]) -> object:
    """What a request carried; what can't be read must have been refused."""
    if "json" in more:
        return more["json"]
    try:
        return json.loads(more.get("data") or "null")
    except (ValueError, TypeError, RecursionError):
        return None


class DescribedClient(FlaskClient):
    """A client whose every exchange with the API is held against the description."""

    def open(self, *args: Any, **more: Any) -> TestResponse:
        response = super().open(*args, **more)
        hold(self.application, response, sent_as_json(more))
        return response
