"""A machine asks for a verification run, as a cron elsewhere would."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.services.journal import Cause
from portal.wiring import services
from tests.web.access.machine import Send


def test_a_run_is_accepted_at_once_and_its_tally_read_when_the_worker_has_done_it(
    app: Flask, send: Send
) -> None:
    accepted = send("POST", "/verification-runs")
    assert accepted.status_code == 202
    run_id = accepted.get_json()["id"]
    run = send("GET", f"/verification-runs/{run_id}").get_json()
    assert (run["id"], run["trigger"], run["finished_at"]) == (run_id, "machine", None)
    with app.app_context():
        services().requested_runs.do_waiting()
    run = send("GET", f"/verification-runs/{run_id}").get_json()
    assert run["finished_at"].endswith("Z")
    tally = {name: run[name] for name in ("checked", "changed", "unchanged", "errors", "webhooks_missed")}
    assert set(tally.values()) == {0}


@pytest.mark.parametrize("run_id", ["not-an-id", "00000000-0000-7000-8000-000000000000", "%00"])
def test_a_run_that_is_not_there_is_404(send: Send, run_id: str) -> None:
    response = send("GET", f"/verification-runs/{run_id}")
    assert (response.status_code, response.content_type) == (404, "application/problem+json")


def test_only_a_token_that_reaches_so_far_starts_a_run(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        reader = services().access.create_token("reader", ["payouts:read"], cause=Cause.system("a test"))
        starter = services().access.create_token("cron", ["verification:run"], cause=Cause.system("a test"))
    for token, status in ((None, 401), (reader, 403), (starter, 202)):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        assert client.post("/api/v1/verification-runs", headers=headers).status_code == status
