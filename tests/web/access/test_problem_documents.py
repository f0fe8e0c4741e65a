"""What goes wrong is said to people in words and to programs in problem documents; neither says what is inside."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from portal.domain.errors import InvalidInput, PortalError
from portal.web.access import access
from portal.wiring import services


class NotToday(PortalError):
    status = 409
    code = "not_today"


@pytest.fixture
def app(app: Flask) -> Flask:
    """With views that go wrong."""

    def fail(how: str) -> str:
        match how:
            case "refusal":
                raise NotToday(
                    "Not today. Come back.", retry_at=services().clock.now() + timedelta(seconds=40)
                )
            case "input":
                raise InvalidInput([("earnings.3.amount", "Too much."), ("earnings.4.currency", "Unknown.")])
            case _:
                raise ZeroDivisionError("secret of the inside")

    app.add_url_rule("/fail/<how>", "page_fail", access("public")(fail))
    app.add_url_rule("/api/v1/fail/<how>", "api_fail", access("public")(fail), methods=["GET", "PUT"])
    return app


def test_a_program_gets_status_code_and_every_fault_by_its_place(app: Flask) -> None:
    response = app.test_client().get("/api/v1/fail/input")
    assert (response.status_code, response.content_type) == (422, "application/problem+json")
    assert response.get_json() == {
        "type": "about:blank",
        "title": "Unprocessable Entity",
        "status": 422,
        "detail": "Too much. Unknown.",
        "code": "invalid",
        "errors": [
            {"at": "earnings.3.amount", "message": "Too much."},
            {"at": "earnings.4.currency", "message": "Unknown."},
        ],
    }


def test_a_refusal_says_when_to_come_back(app: Flask) -> None:
    for path in ("/api/v1/fail/refusal", "/fail/refusal"):
        response = app.test_client().get(path)
        assert (response.status_code, response.headers["Retry-After"]) == (409, "40")
        assert "Not today. Come back." in response.text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/", 404),
        ("GET", "/api/v1/nothing", 404),
        ("DELETE", "/api/v1/earnings", 405),
        ("GET", "/api/v1/payouts", 401),
        ("GET", "/api/v1/fail/broken", 500),
    ],
)
def test_everything_under_api_fails_as_a_problem_document(
    app: Flask, method: str, path: str, status: int
) -> None:
    response = app.test_client().open(path, method=method)
    assert response.status_code == status
    assert response.content_type == "application/problem+json"
    assert response.get_json()["status"] == status
    assert {"type", "title", "detail", "code"} <= response.get_json().keys()


def test_a_method_that_is_not_there_names_those_that_are(app: Flask) -> None:
    assert "POST" in app.test_client().delete("/api/v1/earnings").headers["Allow"]


@pytest.mark.parametrize("path", ["/fail/broken", "/api/v1/fail/broken"])
def test_a_fault_says_nothing_of_the_inside(app: Flask, path: str) -> None:
    response = app.test_client().get(path)
    assert response.status_code == 500
    assert "secret" not in response.text
    assert "ZeroDivision" not in response.text
    assert "Something went wrong on our side" in response.text


def test_a_person_gets_a_page_of_their_own(app: Flask) -> None:
    response = app.test_client().get("/nothing")
    assert response.status_code == 404
    assert "<h1>Page not found</h1>" in response.text


def test_a_fragment_gets_the_words_alone_in_the_place_for_them(app: Flask) -> None:
    response = app.test_client().get("/fail/refusal", headers={"HX-Request": "true"})
    assert response.text.strip().startswith('<div id="error"')
    assert response.headers["HX-Retarget"] == "#flash"


def test_a_program_elsewhere_that_asks_for_json_gets_a_problem_document(app: Flask) -> None:
    response = app.test_client().get("/fail/refusal", headers={"Accept": "application/json"})
    assert response.get_json()["code"] == "not_today"


def test_people_still_read_something_when_the_page_around_the_error_fails_too(app: Flask) -> None:
    app.jinja_env.globals["asset"] = app.jinja_env.undefined(name="asset")
    response = app.test_client().get("/nothing")
    assert response.status_code == 404
    assert response.text.startswith("Page not found.")
