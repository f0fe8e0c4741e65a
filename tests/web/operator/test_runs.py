"""The next payout run: looked at, confirmed by its total, done by the worker, followed on its page."""

from __future__ import annotations

import csv
import io
from uuid import UUID

import pytest
from flask import Flask

from portal.wiring import services
from tests.services.stand_in import StandIn
from tests.web.operator.conftest import NewOperator, NewPartner, requested
from tests.web.pages.conftest import Partner
from tests.web.pages.visitor import Page, Visitor

RUN = "/operator/payouts/run"


@pytest.fixture
def approved(olga: Visitor, waiting: str, ada: Partner) -> str:
    """The id of Ada's payout of $412.50, which goes out with the next run."""
    assert olga.post(f"/operator/payouts/{waiting}/approve").status == 303
    ada.clock.advance(seconds=1)
    return waiting


def works(app: Flask) -> None:
    with app.app_context():
        services().payout_runs.do_waiting()


def confirm(olga: Visitor, total: str = "412.50") -> Page:
    return olga.send(olga.get(RUN), RUN, total=total)


def status(app: Flask, payout_id: str) -> str:
    with app.app_context():
        return services().payouts.get(UUID(payout_id)).status.value


def names(page: Page, payout_id: str) -> bool:
    """Whether a page links to a payout's own."""
    return bool(page.html.all("a", href=f"/operator/payouts/{payout_id}"))


def state(page: Page) -> str:
    return page.html.one(id="run").attributes["data-run-state"]


def test_the_preview_says_what_would_be_sent_what_is_there_and_what_stays(
    olga: Visitor, approved: str, new_partner: NewPartner, stand_in: Flask
) -> None:
    bob = new_partner("bob")
    bob.set_up()
    bob.earn(5_000, reference="order-2")
    asked = requested(bob)
    StandIn(stand_in).set_balance(usd=40_000)
    page = olga.get(RUN)
    assert "No money moves until you confirm." in page.said
    row = page.html.one("tr", data_currency="usd").text
    assert "$412.50" in row
    assert "$400.00" in row
    assert "Short by $12.50" in row
    assert "−$12.50" in row
    assert "The oldest 0 of 1 are sent" in row
    assert [each.attributes["data-listed"] for each in page.html.all("tr", data_listed=None)] == [approved]
    assert page.html.one("dt", data_skipped="requested").text == "1, $50.00"
    assert names(page, asked)
    StandIn(stand_in).set_balance(usd=41_250)
    assert "Covered" in olga.get(RUN).html.one("tr", data_currency="usd").text


def test_while_stripe_is_away_the_preview_stands_and_says_that_the_balance_is_not_known(
    olga: Visitor, approved: str, ada: Partner
) -> None:
    ada.is_away("/v1/balance", method="GET")
    page = olga.get(RUN)
    assert page.status == 200
    assert "Stripe gave no answer" in page.said
    assert names(page, approved)


def test_the_typed_total_confirms_the_list_and_the_worker_sends_it(
    olga: Visitor, approved: str, ada: Partner, portal_app: Flask
) -> None:
    page = confirm(olga)
    assert page.status == 303
    shown = olga.get(page.location)
    assert state(shown) == "going-on"
    assert "0 of 1 done" in shown.said
    assert "Waiting for the worker" in shown.said
    assert status(portal_app, approved) == "approved"
    works(portal_app)
    done = olga.get(page.location)
    assert state(done) == "finished"
    assert "1 of 1 done, 1 sent" in done.said
    assert "olga" in done.said
    assert done.html.one("tr", data_payout_id=approved).attributes["data-outcome"] == "paid"
    assert status(portal_app, approved) == "paid"
    assert "Payout run confirmed" in olga.get("/operator/audit").said
    recent = olga.get(RUN)
    assert "Nothing is waiting to be sent." in recent.said
    assert recent.html.all("tr", data_run_id=None)


@pytest.mark.parametrize("typed", ["", "412.51", "41250", "$412.50"])
def test_another_total_comes_back_with_the_problem_at_the_field(
    olga: Visitor, approved: str, ada: Partner, portal_app: Flask, typed: str
) -> None:
    page = confirm(olga, typed)
    assert page.status == 422
    assert "412.50" in page.problems[0]
    works(portal_app)
    assert status(portal_app, approved) == "approved"
    assert olga.send(page, RUN, total="412.50").status == 303


def test_a_used_list_is_409_and_says_who_ran_it_when(
    olga: Visitor, approved: str, portal_app: Flask, ada: Partner
) -> None:
    page = olga.get(RUN)
    assert olga.send(page, RUN, total="412.50").status == 303
    again = olga.send(page, RUN, total="412.50")
    assert again.status == 409
    assert "olga began it with 1 payout on" in again.problems[0]
    works(portal_app)
    assert olga.send(page, RUN, total="412.50").status == 409
    assert len(StandIn(ada.stand_in).transfers()) == 1


def test_an_outdated_list_is_409_and_says_who_did_what_when(
    olga: Visitor, approved: str, ada: Partner, portal_app: Flask
) -> None:
    page = olga.get(RUN)
    assert olga.post(f"/operator/payouts/{approved}/cancel", {"reason": "A mistake."}).status == 303
    refused = olga.send(page, RUN, total="412.50")
    assert refused.status == 409
    assert "became canceled (operator olga, " in refused.problems[0]
    works(portal_app)
    assert StandIn(ada.stand_in).transfers() == []


@pytest.mark.parametrize("run_id", ["", "1", "0190b6f0-0000-7000-8000-000000000000", "é", "x" * 10_000])
def test_an_id_that_no_page_gave_is_409(olga: Visitor, approved: str, run_id: str) -> None:
    assert olga.post(RUN, {"run_id": run_id, "total": "412.50"}).status == 409


def test_who_may_look_and_who_may_confirm(
    viewer: Visitor, olga: Visitor, ada: Partner, approved: str, portal_app: Flask
) -> None:
    page = olga.get(RUN)
    assert viewer.get(RUN).status == viewer.get(f"{RUN}.csv").status == 200
    assert "Type the total" not in viewer.get(RUN).said
    fields = page.form(RUN) | {"total": "412.50"}
    assert viewer.post(RUN, fields).status == 403
    assert ada.post(RUN, fields).status == ada.get(RUN).status == 404
    works(portal_app)
    assert status(portal_app, approved) == "approved"


def test_a_poll_answers_204_until_something_happens_and_stops_by_itself(
    olga: Visitor, approved: str, portal_app: Flask
) -> None:
    location = confirm(olga).location
    poll = olga.get(location).html.one(id="run").attributes
    assert poll["hx-trigger"] == "every 2s"
    address = poll["hx-get"]
    assert olga.ask(address).status == 204
    works(portal_app)
    changed = olga.ask(address)
    assert changed.status == 200
    assert "hx-get" not in changed.html.one(id="run").attributes
    assert "The run is finished: 1 of 1 sent." in changed.html.one(id="live").text


def test_what_was_not_sent_says_why_and_leads_to_its_retry(
    olga: Visitor, approved: str, stand_in: Flask, portal_app: Flask
) -> None:
    StandIn(stand_in).set_balance(usd=0)
    location = confirm(olga).location
    works(portal_app)
    row = olga.get(location).html.one("tr", data_payout_id=approved)
    assert "The platform's Stripe balance did not cover it." in row.text
    assert "Retry P-" in row.text
    assert olga.get(f"{location}?outcome=waiting").html.all("tr", data_payout_id=approved)
    assert olga.get(f"{location}?outcome=paid").html.all("tr", data_payout_id=approved) == []
    assert olga.get(f"{location}?outcome=lost").status == 422


def test_none_of_many_sent_is_no_quiet_report(
    olga: Visitor, approved: str, new_partner: NewPartner, stand_in: Flask, portal_app: Flask
) -> None:
    bob = new_partner("bob")
    bob.set_up()
    bob.earn(5_000, reference="order-2")
    olga.post(f"/operator/payouts/{requested(bob)}/approve")
    StandIn(stand_in).set_balance(usd=0)
    location = confirm(olga, "462.50").location
    works(portal_app)
    assert "None of 2 payouts was sent" in olga.get(location).said
    assert "None sent" in olga.get(RUN).said
    assert "None of the last run's payouts was sent" in olga.get("/operator/").said


def test_the_preview_is_a_file_too(olga: Visitor, approved: str) -> None:
    (row,) = csv.DictReader(io.StringIO(olga.client.get(f"{RUN}.csv").text))
    assert (row["id"], row["amount"], row["currency"], row["is_sent"], row["skipped_because"]) == (
        approved, "41250", "usd", "true", "",
    )  # fmt: skip


def test_the_shells_dry_run_says_the_same_numbers(olga: Visitor, approved: str, portal_app: Flask) -> None:
    answer = portal_app.test_cli_runner().invoke(args=["process-payouts", "--dry-run", "--json"])
    assert '"total": {"usd": 41250}' in answer.output
    assert '"paid": 1' in answer.output


def test_while_sending_is_stopped_there_is_no_form_and_a_confirmation_is_409(
    olga: Visitor, approved: str
) -> None:
    page = olga.get(RUN)
    olga.post("/operator/payouts/halt", {"reason": "A look."})
    stopped = olga.get(RUN)
    assert "Sending is stopped" in stopped.said
    assert "Type the total" not in stopped.said
    assert olga.send(page, RUN, total="412.50").status == 409


def test_a_run_that_is_not_there_is_404(olga: Visitor) -> None:
    assert olga.get("/operator/payouts/runs/0190b6f0-0000-7000-8000-000000000000").status == 404


def test_two_operators_share_one_list_and_one_run(
    olga: Visitor, new_operator: NewOperator, approved: str, ada: Partner, portal_app: Flask
) -> None:
    oscar = new_operator("oscar")
    theirs = oscar.get(RUN)
    ada.clock.advance(seconds=5)
    assert confirm(olga).status == 303
    refused = oscar.send(theirs, RUN, total="412.50")
    assert refused.status == 409
    assert "olga" in refused.problems[0]
    works(portal_app)
    assert len(StandIn(ada.stand_in).transfers()) == 1
