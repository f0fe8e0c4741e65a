"""Every route for everybody: made from the URL map, so that a view which the matrix does not name fails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from portal.domain.decisions import DecisionKind
from portal.domain.roles import OperatorRole
from portal.services.journal import Cause
from portal.web.access import MARK, rule_of
from portal.wiring import services
from tests.clocks import MovableClock
from tests.web.access.journey import Browser, signed_in_as
from tests.web.access.matrix import ROWS

#: A value for each part of a path; nothing stands behind it, and no view of ours is reached with it.
PARTS = {
    "provider": "sandbox", "code": "ada", "reference": "order-1", "filename": "css/portal.css", "month": "2026-01",
    "event_id": "evt_1",
    **dict.fromkeys(["payout_id", "run_id", "verification_id", "key"], "00000000-0000-7000-8000-000000000000"),
}  # fmt: skip

#: The weakest first. Whoever is no operator finds no page of theirs.
ROLES = [role.value for role in reversed(OperatorRole)]
WHO = ["nobody", "machine", "person", "affiliate", *ROLES]

INSIDE, SIGN_IN, AGAIN, JOIN, MISSING, TOO_WEAK, NO_TOKEN = (
    "inside", "sign in", "sign in again", "join first", "no such page", "role too weak", "no token"
)  # fmt: skip


def expected(who: str, may: str) -> str:
    """What somebody who has just signed in meets."""
    if may in {"public", "stripe"}:
        return INSIDE
    if may == "machine":
        return INSIDE if who == "machine" else NO_TOKEN
    if who in {"nobody", "machine"}:
        return SIGN_IN
    if may in ROLES:
        if who not in ROLES:
            return MISSING
        return INSIDE if ROLES.index(who) >= ROLES.index(may) else TOO_WEAK
    return INSIDE if may == "person" or who == "affiliate" else JOIN


def met(answer: TestResponse) -> str:
    location = answer.headers.get("Location", "")
    for is_it, name in (
        (answer.text == "inside", INSIDE),
        (location.startswith("/login?again=1&next=/"), AGAIN),
        (location.startswith("/login"), SIGN_IN),
        (location in {"/affiliate", "/operator/"}, JOIN),
        (answer.status_code == 404 and "There is no such page." in answer.text, MISSING),
        (answer.status_code == 403 and 'data-error-code="role_too_weak"' in answer.text, TOO_WEAK),
        (answer.status_code == 401 and "token_not_accepted" in answer.text, NO_TOKEN),
    ):
        if is_it:
            return name
    return f"{answer.status_code} {answer.text[:200]}"


@pytest.fixture
def everybody(app: Flask, token: str) -> Mapping[str, FlaskClient]:
    """A browser for each of them, in a portal whose views only say that they were reached."""
    app.test_client_class = FlaskClient  # what the views answer here is not what is described
    clients = {who: signed_in_as(app, who) for who in WHO if who not in {"nobody", "machine"}}
    clients |= {"nobody": app.test_client(), "machine": app.test_client()}
    clients["machine"].environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    assert Browser(clients["affiliate"], clients["affiliate"]).post("/affiliate").status_code == 303
    with app.app_context():
        for role in ROLES:
            services().access.add_operator("sandbox", role, role=role, cause=Cause.system("a test"))
    for client in clients.values():
        form_token = Browser(client, client).csrf_token()
        client.environ_base["HTTP_X_CSRFTOKEN"] = form_token
    for name, view in app.view_functions.items():
        app.view_functions[name] = _bare(rule_of(view))
    return clients


def _bare(rule: object) -> Any:
    def view(**_parts: str) -> str:
        return "inside"

    setattr(view, MARK, rule)
    return view


def send(client: FlaskClient, request: str) -> TestResponse:
    method, path, *action = request.split()
    for rule in client.application.url_map.iter_rules():
        if str(rule) == path:
            _, address = rule.build({name: PARTS[name] for name in rule.arguments}) or ("", "")
            form = {"action": action[0]} if action else {}
            return client.open(address, method=method, data=form if method == "POST" else None)
    raise AssertionError(f"there is no {path} any more")


def test_the_matrix_names_every_route_and_no_other(app: Flask) -> None:
    routes = {
        f"{method} {rule}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    named = {" ".join(request.split()[:2]) for request, _, _ in ROWS}
    assert {"without a rule": routes - named, "gone": named - routes} == {
        "without a rule": set(),
        "gone": set(),
    }
    bulk = {request.split()[2] for request, _, _ in ROWS if len(request.split()) > 2}
    assert bulk == set(DecisionKind)


def test_everybody_meets_at_every_route_what_the_matrix_says(everybody: Mapping[str, FlaskClient]) -> None:
    wrong = [
        (who, request, found, wanted)
        for request, may, _ in ROWS
        for who in WHO
        if (found := met(send(everybody[who], request))) != (wanted := expected(who, may))
    ]
    assert wrong == []


def test_after_half_an_hour_what_is_sensitive_asks_for_a_sign_in_and_nothing_else_does(
    everybody: Mapping[str, FlaskClient], clock: MovableClock
) -> None:
    clock.advance(minutes=30)
    assert met(send(everybody["admin"], "POST /operator/payouts/run")) == INSIDE
    clock.advance(seconds=1)
    wrong = []
    for request, may, is_sensitive in ROWS:
        for who in WHO:
            wanted = expected(who, may)
            wanted = AGAIN if wanted == INSIDE and is_sensitive else wanted
            if (found := met(send(everybody[who], request))) != wanted:
                wrong.append((who, request, found, wanted))
    assert wrong == []


def test_a_role_that_is_too_weak_reads_which_role_may(everybody: Mapping[str, FlaskClient]) -> None:
    answer = send(everybody["operator"], "POST /operator/payouts/<uuid:payout_id>/approve")
    assert "Approving payouts takes the role approver or admin. Yours is operator." in answer.text
    assert "Your role does not allow this" in answer.text


def test_a_program_is_told_by_status_and_code(
    everybody: Mapping[str, FlaskClient], clock: MovableClock
) -> None:
    clock.advance(minutes=31)
    headers = {"Accept": "application/json"}
    path = "/operator/payouts/run"
    for who, status, code in (("admin", 401, "recent_sign_in_needed"), ("viewer", 403, "role_too_weak")):
        answer = everybody[who].post(path, headers=headers)
        assert (answer.status_code, (answer.json or {})["code"]) == (status, code)
