"""The control API and the pages of whoever runs the sandbox."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
import stripe

from portal.sandbox.fates import FATES
from portal.sandbox.overview import FATE_LABELS
from portal.sandbox.state import LoggedRequest
from tests.sandbox.conftest import MakeStand, Stand


@pytest.mark.parametrize("fate", FATES)
def test_every_fate_leaves_an_account_the_sdk_can_read(stand: Stand, fate: str) -> None:
    account = stand.approved_account()
    stand.control(f"accounts/{account.id}/fate", {"fate": fate})
    read = stand.stripe.v1.accounts.retrieve(account.id)
    assert read.requirements is not None
    assert read.id == account.id


def test_something_due_by_a_deadline_leaves_the_account_payable(stand: Stand) -> None:
    account = stand.express_account()
    stand.control(f"accounts/{account.id}/fate", {"fate": "due", "deadline_days": 7})
    read = stand.stripe.v1.accounts.retrieve(account.id)
    assert read.payouts_enabled
    assert read.requirements is not None
    assert read.requirements.currently_due
    assert read.requirements.current_deadline == int(stand.hands()) + 7 * 86_400
    assert read.requirements.disabled_reason is None


def test_something_due_under_a_future_rule_is_told_apart(stand: Stand) -> None:
    account = stand.express_account()
    stand.control(f"accounts/{account.id}/fate", {"fate": "due_later"})
    read = stand.stripe.v1.accounts.retrieve(account.id)
    assert read.requirements is not None
    assert read.requirements.currently_due == []
    assert read.future_requirements is not None
    assert read.future_requirements.currently_due


def test_an_account_can_be_disabled_for_a_reason_nobody_has_seen(stand: Stand) -> None:
    account = stand.approved_account()
    stand.control(f"accounts/{account.id}/fate", {"fate": "disable", "reason": "bad_weather"})
    requirements = stand.stripe.v1.accounts.retrieve(account.id).to_dict()["requirements"]
    assert requirements["disabled_reason"] == "bad_weather"


def test_a_changed_bank_has_another_fingerprint_and_its_events(stand: Stand) -> None:
    account = stand.approved_account()
    (before,) = stand.stripe.v1.accounts.external_accounts.list(account.id).data
    stand.mailbox.received.clear()
    stand.control(f"accounts/{account.id}/fate", {"fate": "change_bank"})
    (after,) = stand.stripe.v1.accounts.external_accounts.list(account.id).data
    assert after.fingerprint != before.fingerprint
    assert stand.mailbox.types() == [
        "account.external_account.deleted",
        "account.external_account.created",
        "account.updated",
    ]


@pytest.mark.parametrize("fate", ["deauthorise", "delete"])
def test_an_account_that_left_is_403_and_announced(stand: Stand, fate: str) -> None:
    account = stand.approved_account()
    stand.control(f"accounts/{account.id}/fate", {"fate": fate})
    with pytest.raises(stripe.PermissionError):
        stand.stripe.v1.accounts.retrieve(account.id)
    with pytest.raises(stripe.PermissionError):
        stand.stripe.v1.balance.retrieve({}, {"stripe_account": account.id})
    assert stand.mailbox.types()[-1] == "account.application.deauthorized"
    assert stand.control("state", method="GET")["gone"] == [account.id]


def test_a_fate_can_come_later(stand: Stand) -> None:
    account = stand.approved_account()
    stand.control(f"accounts/{account.id}/fate", {"fate": "reject", "after_seconds": 60})
    assert stand.control("deliver")["fates"] == 0
    stand.hands.pass_by(60)
    assert stand.control("deliver")["fates"] == 1
    assert not stand.stripe.v1.accounts.retrieve(account.id).payouts_enabled


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("accounts/{id}/fate", {"fate": "promote"}, 422),
        ("accounts/{id}/fate", {}, 422),
        ("accounts/{id}/fate", {"fate": "due", "deadline_days": 0}, 422),
        ("accounts/{id}/fate", {"fate": "due", "after_seconds": -1}, 422),
        ("accounts/{id}/fate", {"fate": "due", "colour": "red"}, 422),
        ("accounts/acct_nowhere/fate", {"fate": "approve"}, 404),
        ("accounts/{id}/payouts", {}, 422),
        ("payouts/po_nowhere", {"status": "paid"}, 422),
        ("transfers/tr_nowhere/reversals", {}, 422),
        ("balance", {"usd": -1}, 422),
        ("balance", {"florins": 1}, 422),
        ("balance", {"usd": "1"}, 422),
        ("balance", [], 422),
        ("webhooks", {"paused": "yes"}, 422),
        ("platform", {"accounts_v3": False}, 422),
        ("platform", {"connect": "no"}, 422),
        ("platform", {"closed_countries": "US"}, 422),
        ("redeliver", {"event": "evt_nowhere"}, 422),
        ("redeliver", {"event": "evt_nowhere", "times": 1001}, 422),
    ],
)
def test_nonsense_is_refused_with_a_reason(stand: Stand, path: str, body: Any, status: int) -> None:
    account = stand.express_account()
    answer = stand.browser.post(f"/sandbox/api/{path.format(id=account.id)}", json=body)
    assert answer.status_code == status
    assert answer.get_json()["error"]


def test_the_control_api_takes_forms_as_well(stand: Stand) -> None:
    account = stand.express_account()
    stand.browser.post(f"/sandbox/api/accounts/{account.id}/fate", data={"fate": "due", "deadline_days": "3"})
    assert stand.stripe.v1.accounts.retrieve(account.id).payouts_enabled


def test_the_overview_shows_what_there_is(stand: Stand) -> None:
    account = stand.approved_account()
    transfer = stand.transfer(account.id, transfer_group="payout-77")
    stand.control(f"accounts/{account.id}/payouts", {"status": "paid"})
    page = stand.browser.get("/sandbox/").text
    for shown in (
        account.id,
        transfer.id,
        "payout-77",
        "affiliate_code: ada",
        "transfer.created",
        "delivered (200)",
    ):
        assert shown in page
    assert stand.browser.get("/sandbox/healthz").get_json() == {"status": "ok"}


def test_the_pages_escape_what_people_typed(stand: Stand) -> None:
    account = stand.express_account(metadata={"affiliate_code": "<script>alert(1)</script>"})
    for path in ("/sandbox/", f"/sandbox/accounts/{account.id}"):
        assert "<script" not in stand.browser.get(path).text


@pytest.mark.parametrize("fate", FATE_LABELS)
def test_every_fate_of_the_form_happens(stand: Stand, fate: str) -> None:
    account = stand.approved_account()
    page = stand.browser.get(f"/sandbox/accounts/{account.id}").text
    assert f'value="{fate}"' in page
    path = f"/sandbox/accounts/{account.id}/fate"
    assert stand.browser.get(path).status_code == 405
    assert stand.browser.post(path, data={"fate": fate}).status_code == 303
    assert stand.browser.get(f"/sandbox/accounts/{account.id}").status_code == 200


def test_a_form_that_makes_no_sense_is_400(stand: Stand) -> None:
    account = stand.approved_account()
    path = f"/sandbox/accounts/{account.id}"
    assert stand.browser.post(f"{path}/fate", data={"fate": "promote"}).status_code == 400
    assert stand.browser.post(f"{path}/fate", data={"fate": "due", "deadline_days": "x"}).status_code == 400
    assert stand.browser.post(f"{path}/payouts").status_code == 400
    assert (
        stand.browser.post("/sandbox/accounts/acct_nowhere/fate", data={"fate": "approve"}).status_code == 404
    )
    assert stand.browser.get("/sandbox/accounts/acct_nowhere").status_code == 404


def test_money_moves_from_the_pages_as_well(stand: Stand) -> None:
    account = stand.approved_account()
    transfer = stand.transfer(account.id, amount=500)
    reversals = f"/sandbox/transfers/{transfer.id}/reversals"
    assert stand.browser.post(reversals, data={"amount": "100"}).status_code == 303
    assert stand.browser.post(reversals, data={"amount": "-1"}).status_code == 400
    assert stand.browser.post(reversals, data={"amount": "401"}).status_code == 400
    assert stand.stripe.v1.transfers.retrieve(transfer.id).amount_reversed == 100
    assert stand.browser.post(f"/sandbox/accounts/{account.id}/payouts").status_code == 303
    (payout,) = stand.stripe.v1.payouts.list({}, {"stripe_account": account.id}).data
    assert payout.amount == 400
    assert stand.browser.post(f"/sandbox/payouts/{payout.id}", data={"status": "paid"}).status_code == 303
    assert stand.browser.post(f"/sandbox/payouts/{payout.id}", data={"status": "lost"}).status_code == 400


def test_everything_survives_a_restart(make_stand: MakeStand, tmp_path: Path) -> None:
    first = make_stand(data_dir=tmp_path)
    account = first.approved_account()
    transfer = first.transfer(account.id, key="payout-1")
    kid = first.browser.get("/oidc/jwks").get_json()["keys"][0]["kid"]
    balances = first.control("state", method="GET")["balances"]
    first.app.extensions["sandbox"].store.close()
    again = make_stand(data_dir=tmp_path)
    assert again.stripe.v1.accounts.retrieve(account.id).payouts_enabled
    assert again.transfer(account.id, key="payout-1").id == transfer.id
    assert len(again.transfers()) == 1
    assert again.control("state", method="GET")["balances"] == balances
    assert again.browser.get("/oidc/jwks").get_json()["keys"][0]["kid"] == kid
    assert (tmp_path / "sandbox.db").stat().st_mode & 0o077 == 0


def test_the_log_of_requests_can_be_read_while_others_are_answered(stand: Stand) -> None:
    log = stand.app.extensions["sandbox"].requests
    logged = LoggedRequest("GET", "/v1/account", {}, None, None, 0, "req_1")
    log.extend([logged] * 500)
    is_over = threading.Event()

    def go_on() -> None:
        while not is_over.is_set():
            log.append(logged)

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        for _ in range(20):
            assert len(stand.control("requests", method="GET")["requests"]) >= 500
    finally:
        is_over.set()
        thread.join()
