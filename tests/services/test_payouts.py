"""Asking, approving, rejecting and calling off: who may do what, and where the money is afterwards."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from click.testing import Result

from portal.domain.approval import NobodyApprovesTheirOwn
from portal.domain.errors import NotFound
from portal.domain.gate import RequestKeyIsMissing
from portal.domain.payouts import MoveIsNotLegal
from portal.models import ActorKind, Payout
from portal.services.affiliates import PreferenceChange
from portal.services.journal import Cause
from portal.services.payouts import LONGEST_REQUEST_KEY
from tests.services.programme import TEST, Programme

OPERATOR_SETTINGS = {
    "PORTAL_OPERATORS": "company:olga",
    "PORTAL_OIDC_COMPANY_ISSUER": "https://id.example",
    "PORTAL_OIDC_COMPANY_CLIENT_ID": "portal",
    "PORTAL_OIDC_COMPANY_CLIENT_SECRET": "hush",
}


def approve(programme: Programme, payout_id: UUID) -> Payout:
    return programme.services.approvals.approve(payout_id, approver=programme.person(), cause=TEST)


def shell(programme: Programme, *arguments: str) -> Result:
    return programme.app.test_cli_runner().invoke(args=arguments)


def test_a_request_up_to_the_limit_needs_no_operator_and_one_above_waits(programme: Programme) -> None:
    at_limit = programme.payout(programme.request(programme.verified(earned=60_000), "500.00"))
    above = programme.payout(programme.request(programme.verified(earned=60_000), "500.01"))
    assert (at_limit.status, at_limit.approved_by) == ("approved", None)
    assert (above.status, above.approved_at) == ("requested", None)
    assert programme.run().counts.total() == 1


@pytest.mark.settings(PORTAL_AUTO_APPROVE_LIMIT="eur:1")
def test_a_currency_that_the_limit_does_not_name_has_500_major_units(programme: Programme) -> None:
    assert programme.payout(programme.approved(50_000)).approved_by is None
    eur = programme.request(programme.verified(earned=2_500, currency="eur"))
    assert programme.payout(eur).status == "requested"


@pytest.mark.settings(**OPERATOR_SETTINGS)
def test_an_operator_approves_by_shell_and_the_trail_names_them(programme: Programme) -> None:
    payout_id = programme.request(programme.verified(earned=60_000), by=programme.person())
    answer = shell(programme, "payouts", "approve", str(payout_id), "--as", "company:olga")
    assert answer.exit_code == 0, answer.output
    payout = programme.payout(payout_id)
    olga = programme.services.access.operator_named("company:olga").user_id
    assert (payout.status, payout.approved_by) == ("approved", olga)
    last = programme.services.payouts.history(payout_id)[-1]
    assert (last.actor_kind, last.actor_id, last.cause) == ("shell", str(olga), "payouts approve")


@pytest.mark.settings(**OPERATOR_SETTINGS)
def test_by_shell_nobody_unknown_approves_and_rejecting_takes_a_reason(programme: Programme) -> None:
    affiliate_id = programme.verified(earned=60_000)
    payout_id = str(programme.request(affiliate_id))
    assert shell(programme, "payouts", "approve", payout_id, "--as", "company:eve").exit_code == 1
    assert shell(programme, "payouts", "reject", payout_id, "--as", "company:olga").exit_code == 2
    rejected = shell(
        programme, "payouts", "reject", payout_id, "--reason", "Fraud", "--as", "company:olga", "--json"
    )
    assert rejected.exit_code == 0
    assert '"status": "rejected"' in rejected.stdout
    assert programme.payout(UUID(payout_id)).reason == "Fraud"
    assert programme.balances(affiliate_id).available.amount == 60_000


def test_nobody_approves_what_they_asked_for(programme: Programme) -> None:
    person = programme.person()
    payout_id = programme.request(programme.verified(earned=60_000), by=person)
    with pytest.raises(NobodyApprovesTheirOwn):
        programme.services.approvals.approve(payout_id, approver=person, cause=TEST)
    assert programme.payout(payout_id).status == "requested"


def test_nobody_approves_what_is_paid_to_them(programme: Programme) -> None:
    person = programme.person()
    affiliate_id = programme.services.affiliates.create_for_user(person, country=None, cause=TEST).id
    programme.onboard(affiliate_id)
    programme.earn(affiliate_id, 60_000)
    payout_id = programme.request(affiliate_id, by=programme.person())
    with pytest.raises(NobodyApprovesTheirOwn):
        programme.services.approvals.approve(payout_id, approver=person, cause=TEST)


def test_a_requested_payout_of_a_blocked_or_unverified_affiliate_cannot_be_approved(
    programme: Programme,
) -> None:
    affiliate_id = programme.verified(earned=60_000)
    payout_id = programme.request(affiliate_id)
    programme.block(affiliate_id)
    with pytest.raises(MoveIsNotLegal, match="on hold"):
        approve(programme, payout_id)
    programme.unblock(affiliate_id)
    programme.stripe.fate(programme.account_of(affiliate_id), "restrict")
    programme.sync(affiliate_id)
    with pytest.raises(MoveIsNotLegal, match="restricted"):
        approve(programme, payout_id)
    assert programme.payout(payout_id).status == "requested"
    programme.stripe.fate(programme.account_of(affiliate_id), "approve")
    programme.sync(affiliate_id)
    assert approve(programme, payout_id).status == "approved"


def test_a_rejected_or_canceled_payout_gives_the_money_back(programme: Programme) -> None:
    affiliate_id = programme.verified(earned=100_000)
    for end in ("reject", "cancel"):
        payout_id = programme.request(affiliate_id, "600.00")
        assert programme.balances(affiliate_id).available.amount == 40_000
        getattr(programme.services.payouts, end)(payout_id, cause=TEST)
        assert programme.balances(affiliate_id).available.amount == 100_000


def test_a_payout_canceled_twice_is_canceled_once(programme: Programme) -> None:
    affiliate_id = programme.verified(earned=100_000)
    payout_id = programme.request(affiliate_id)
    for _ in range(2):
        assert programme.services.payouts.cancel(payout_id, cause=TEST).status == "canceled"
    assert programme.changes(payout_id, "payout.status_changed")[1:] == [("requested", "canceled", "a test")]
    assert programme.balances(affiliate_id).available.amount == 100_000


def test_an_approved_or_held_payout_can_be_canceled_while_nothing_is_under_way(programme: Programme) -> None:
    approved = programme.approved()
    programme.services.payouts.cancel(approved, cause=TEST)
    held = programme.approved()
    programme.block(programme.payout(held).affiliate_id)
    programme.services.payouts.cancel(held, cause=TEST)
    assert programme.run().counts.total() == 0
    assert programme.stripe.transfers() == []


def test_a_payout_can_be_canceled_while_somebody_elses_is_under_way(programme: Programme) -> None:
    programme.approved()
    programme.stripe.fault("timeout_after")
    programme.run()
    payout_id = programme.approved()
    programme.services.payouts.cancel(payout_id, cause=TEST)
    assert programme.payout(payout_id).status == "canceled"


def test_a_payout_under_way_cannot_be_canceled(programme: Programme) -> None:
    payout_id = programme.approved()
    programme.stripe.fault("timeout_after")
    programme.run()
    with pytest.raises(MoveIsNotLegal, match="was taken up for sending"):
        programme.services.payouts.cancel(payout_id, cause=TEST)
    programme.run()
    assert programme.payout(payout_id).status == "paid"


def test_a_move_that_is_no_longer_legal_says_who_did_what_when(programme: Programme) -> None:
    payout_id = programme.request(programme.verified(earned=60_000))
    cause = Cause(ActorKind.operator, str(programme.person()), "request-1", "Fraud")
    programme.services.payouts.reject(payout_id, cause=cause)
    at = programme.clock.now().strftime("%d %b %Y, %H:%M")
    reference = programme.payout(payout_id).reference
    with pytest.raises(MoveIsNotLegal) as refusal:
        approve(programme, payout_id)
    assert refusal.value.status == 409
    assert reference in refusal.value.sentence
    assert (
        f"was declined by an operator on {at} UTC; it can't be approved any more." in refusal.value.sentence
    )
    for late in (programme.services.payouts.reject, programme.services.payouts.cancel):
        with pytest.raises(MoveIsNotLegal):
            late(payout_id, cause=TEST)


def test_nobody_sees_or_cancels_the_payout_of_another(programme: Programme) -> None:
    payout_id, other = programme.approved(), programme.affiliate()
    with pytest.raises(NotFound):
        programme.services.payouts.of_affiliate(other, payout_id)
    with pytest.raises(NotFound):
        programme.services.payouts.cancel(payout_id, affiliate_id=other, cause=TEST)
    assert programme.payout(payout_id).status == "approved"


def test_a_list_of_payouts_is_one_affiliates_alone(programme: Programme) -> None:
    made = [programme.approved() for _ in range(3)]
    for payout_id in made:
        listed = programme.services.payout_history.page(programme.payout(payout_id).affiliate_id)
        assert [payout.id for payout in listed] == [payout_id]


def test_everybodys_payouts_are_found_by_affiliate_status_time_and_page(programme: Programme) -> None:
    made = []
    for _ in range(3):
        made.append(programme.approved())
        programme.clock.advance(minutes=1)
    programme.services.payouts.cancel(made[1], cause=TEST)
    payouts = [programme.payout(payout_id) for payout_id in made]
    codes = [programme.get(payout.affiliate_id).code for payout in payouts]

    def found(**asked: Any) -> list[int]:
        rows = programme.services.payouts.search(**asked)
        assert all(code == codes[made.index(payout.id)] for payout, code in rows)
        return [made.index(payout.id) for payout, _ in rows]

    assert found() == [2, 1, 0]
    assert found(affiliate_code=codes[1]) == [1]
    assert found(status="approved") == [2, 0]
    assert found(created_after=payouts[0].created_at) == [2, 1]
    assert found(before=payouts[2].number, limit=1) == [1]
    programme.clock.advance(days=-1)  # a clock that was set back
    made.append(programme.approved())
    codes.append(programme.get(programme.payout(made[3]).affiliate_id).code)
    assert found(created_after=payouts[0].created_at) == [2, 1]
    assert found(created_after=payouts[0].created_at - timedelta(days=2)) == [3, 2, 1, 0]


@pytest.mark.parametrize("key", ["", "x" * (LONGEST_REQUEST_KEY + 1), "a\nb"])
def test_a_request_without_a_key_of_the_forms_own_reserves_nothing(programme: Programme, key: str) -> None:
    ana = programme.verified(earned=10_000)
    with pytest.raises(RequestKeyIsMissing):
        programme.request(ana, key=key)
    assert programme.balances(ana).available.amount == 10_000
    longest = programme.payout(programme.request(ana, key="x" * LONGEST_REQUEST_KEY))
    assert programme.request(ana, key="x" * LONGEST_REQUEST_KEY) == longest.id


def test_two_tabs_that_ask_at_once_make_one_payout(programme: Programme) -> None:
    affiliate_id = programme.verified(earned=100_000)
    made: list[UUID] = []
    refused: list[Exception] = []

    def ask(key: str) -> None:
        with programme.app.app_context():
            try:
                made.append(programme.request(affiliate_id, "600.00", key=key))
            except Exception as refusal:  # noqa: BLE001 - it is looked at below
                refused.append(refusal)

    threads = [threading.Thread(target=ask, args=(key,)) for key in ("a", "a", "b", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 1
    assert len(made) == len(refused) == 2
    assert programme.balances(affiliate_id).reserved.amount == 60_000


def test_an_approval_and_a_cancellation_at_once_leave_one_of_them(programme: Programme) -> None:
    payout_id, person = programme.request(programme.verified(earned=60_000)), programme.person()

    def decide(how: str) -> None:
        with programme.app.app_context():
            try:
                if how == "approve":
                    programme.services.approvals.approve(payout_id, approver=person, cause=TEST)
                else:
                    programme.services.payouts.reject(payout_id, cause=TEST)
            except MoveIsNotLegal:
                return

    threads = [threading.Thread(target=decide, args=(how,)) for how in ("approve", "reject") * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(programme.changes(payout_id, "payout.status_changed")) == 2


def test_the_same_wallet_set_anew_is_no_change_and_another_one_is_in_the_trail(programme: Programme) -> None:
    affiliate_id = programme.crypto()
    wallet = programme.get(affiliate_id).wallet_address
    for address in (wallet, "0x" + "34" * 20):
        programme.services.affiliates.set_preferences(
            affiliate_id, PreferenceChange(wallet_address=address), cause=TEST
        )
    assert programme.changes(affiliate_id, "affiliate.wallet_changed") == [
        (None, "…121212", "a test"),
        ("…121212", "…343434", "a test"),
    ]


def test_whom_an_operator_may_be_paying_by_hand_cannot_call_it_off_themselves(programme: Programme) -> None:
    """Else the money would be available again, and on its way all the same."""
    affiliate_id = programme.crypto(earned=10_000)
    payout_id = programme.request(affiliate_id)
    assert programme.payout(payout_id).status == "approved"
    with pytest.raises(MoveIsNotLegal, match="may be on its way to your wallet"):
        programme.services.payouts.cancel(payout_id, affiliate_id=affiliate_id, cause=TEST)
    assert programme.balances(affiliate_id).reserved.amount == 10_000
    assert programme.services.payouts.cancel(payout_id, cause=TEST).status == "canceled"
