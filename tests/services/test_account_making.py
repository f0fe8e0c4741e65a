"""One Stripe account for each affiliate, whatever happens on the way and whichever of Stripe's two ways makes it."""

from __future__ import annotations

import threading
import time
from uuid import UUID

import pytest

from portal.domain.account_refusals import AccountWasRefused
from portal.domain.errors import StripeIsAway
from tests.services.both_ways import BOTH_WAYS, V1
from tests.services.line import Killed, Line
from tests.services.mail.reading import outbox
from tests.services.programme import TEST, Programme

pytestmark = BOTH_WAYS


def start(programme: Programme, affiliate_id: UUID) -> str:
    return programme.services.onboarding.start(affiliate_id, cause=TEST)


def assert_one_account(programme: Programme, affiliate_id: UUID) -> None:
    (account,) = programme.stripe.accounts()
    assert programme.account_of(affiliate_id) == account["id"]
    assert programme.get(affiliate_id).stripe_account_status == "pending"


def test_the_account_is_made_as_express_in_the_affiliates_country(programme: Programme) -> None:
    affiliate_id = programme.affiliate(country="DE", currency="eur")
    start(programme, affiliate_id)
    (account,) = programme.stripe.accounts()
    affiliate = programme.get(affiliate_id)
    assert account["controller"]["stripe_dashboard"]["type"] == "express"
    assert (account["country"], account["email"]) == ("DE", affiliate.email)
    assert account["metadata"]["affiliate"] == affiliate.code
    assert list(account["capabilities"]) == ["transfers"]


def test_two_tabs_and_a_double_click_make_one_account(programme: Programme, way: str) -> None:
    affiliate_id = programme.affiliate()
    programme.stripe.fault("slow", path=way, seconds=0.3)
    # the clock of the tests stands still, and here one waits for another
    vars(vars(programme.services.onboarding)["_making"])["_pause"] = time.sleep
    links: list[str] = []

    def click() -> None:
        with programme.app.app_context():
            links.append(start(programme, affiliate_id))

    threads = [threading.Thread(target=click) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(links)) == 4
    assert_one_account(programme, affiliate_id)


def test_a_double_click_that_stripe_refuses_can_be_tried_again_at_once(
    programme: Programme, way: str
) -> None:
    affiliate_id = programme.affiliate()
    programme.stripe.fault("409", path=way)
    programme.stripe.fault("400_saved", path=way, code="platform_account_required", message="Not set up")
    with pytest.raises(AccountWasRefused):
        start(programme, affiliate_id)
    start(programme, affiliate_id)
    assert_one_account(programme, affiliate_id)
    assert [making.state for making in programme.makings(affiliate_id)] == ["failed", "succeeded"]


@pytest.mark.parametrize("when", ["before the request", "after the answer"])
def test_a_crash_around_the_making_leaves_one_account(
    programme: Programme, way: str, line: Line, when: str
) -> None:
    affiliate_id = programme.affiliate()
    (line.dies_before if when == "before the request" else line.dies_after)("POST", way)
    with pytest.raises(Killed):
        start(programme, affiliate_id)
    assert programme.get(affiliate_id).stripe_account_id is None
    start(programme, affiliate_id)
    assert_one_account(programme, affiliate_id)


def test_an_unknown_outcome_concludes_nothing_and_the_next_click_goes_on(
    programme: Programme, way: str, subtests: pytest.Subtests
) -> None:
    faults = "timeout_before timeout_after 500_before 500_after html_502_after truncated_after 429".split()
    for number, fault in enumerate(faults, start=1):
        with subtests.test(fault):
            affiliate_id = programme.affiliate()
            programme.stripe.fault(fault, path=way)
            with pytest.raises(StripeIsAway) as away:
                start(programme, affiliate_id)
            assert away.value.status == 503
            assert programme.get(affiliate_id).stripe_account_status is None
            start(programme, affiliate_id)
            assert len(programme.stripe.accounts()) == number
            assert programme.get(affiliate_id).stripe_account_status == "pending"


def test_an_old_unknown_outcome_is_looked_up_and_what_is_found_is_adopted(
    programme: Programme, way: str
) -> None:
    affiliate_id = programme.affiliate()
    programme.stripe.fault("timeout_after", path=way)
    with pytest.raises(StripeIsAway):
        start(programme, affiliate_id)
    programme.clock.advance(hours=23)
    programme.stripe.prune_keys()
    programme.stripe.forget_requests()
    start(programme, affiliate_id)
    assert programme.stripe.requests("POST", way) == []
    assert_one_account(programme, affiliate_id)


def test_another_account_is_made_only_once_the_first_cannot_arrive_any_more(
    programme: Programme, way: str
) -> None:
    affiliate_id = programme.affiliate()
    programme.stripe.fault("timeout_before", path=way)
    with pytest.raises(StripeIsAway):
        start(programme, affiliate_id)
    programme.stripe.prune_keys()
    for hours in (23, 1.99):
        programme.clock.advance(hours=hours)
        with pytest.raises(StripeIsAway):
            start(programme, affiliate_id)
    assert len(programme.makings(affiliate_id)) == 1
    programme.clock.advance(hours=0.01)
    start(programme, affiliate_id)
    assert_one_account(programme, affiliate_id)
    # by v2 under the same key, by v1 under another
    states = ["failed", "succeeded"] if way == V1 else ["succeeded"]
    assert [making.state for making in programme.makings(affiliate_id)] == states


def test_a_request_that_arrives_late_is_found_and_not_repeated(programme: Programme, way: str) -> None:
    affiliate_id = programme.affiliate()
    programme.stripe.fault("late", path=way)
    with pytest.raises(StripeIsAway):
        start(programme, affiliate_id)
    programme.clock.advance(hours=24)
    programme.stripe.land()
    programme.stripe.prune_keys()
    start(programme, affiliate_id)
    assert_one_account(programme, affiliate_id)


def test_a_disconnected_account_stays_in_history_and_its_payout_is_canceled(programme: Programme) -> None:
    affiliate_id = programme.verified(earned=10_000)
    payout_id = programme.request(affiliate_id)
    old = programme.account_of(affiliate_id)
    programme.stripe.fate(old, "deauthorise")
    programme.sync(affiliate_id)
    affiliate = programme.get(affiliate_id)
    assert (affiliate.stripe_account_status, affiliate.stripe_account_detail) == (
        "restricted",
        "disconnected",
    )
    assert programme.payout(payout_id).status == "held"
    new = programme.onboard(affiliate_id)
    assert [making.stripe_account_id for making in programme.makings(affiliate_id)] == [old, new]
    assert programme.get(affiliate_id).stripe_account_status == "verified"
    programme.run()
    assert programme.payout(payout_id).status == "canceled"
    assert programme.balances(affiliate_id).available.amount == 10_000
    assert programme.changes(affiliate_id, "affiliate.account_connected")[-1] == (old, new, "a test")


def test_a_new_account_is_a_change_of_bank(programme: Programme) -> None:
    affiliate_id = programme.verified(earned=10_000)
    programme.stripe.fate(programme.account_of(affiliate_id), "delete")
    programme.sync(affiliate_id)
    account_id = programme.onboard(affiliate_id, fate=None)
    assert programme.get(affiliate_id).bank_changed_at == programme.clock.now()  # whichever bank it will have
    assert [mail.facts["is_new_account"] for mail in outbox(programme, kind="bank_changed")] == [True]
    programme.stripe.fate(account_id, "approve")
    programme.sync(affiliate_id)
    payout_id = programme.request(affiliate_id)
    programme.run()
    assert programme.payout(payout_id).hold_reason == "bank_changed"
    programme.clock.advance(hours=24)
    programme.run()
    assert programme.payout(payout_id).status == "paid"


def test_while_stripe_is_away_nothing_is_concluded(programme: Programme) -> None:
    affiliate_id, new = programme.verified(), programme.affiliate()
    programme.stripe.goes_away()
    for who in (affiliate_id, new):
        with pytest.raises(StripeIsAway):
            start(programme, who)
    with pytest.raises(StripeIsAway):
        programme.sync(affiliate_id)
    assert programme.get(affiliate_id).stripe_account_status == "verified"
    programme.stripe.comes_back()
    start(programme, new)
    assert programme.get(new).stripe_account_status == "pending"


def test_a_refused_key_makes_no_account_and_changes_none(programme: Programme) -> None:
    affiliate_id = programme.affiliate()
    programme.stripe.fault("401", path="/v", method="*", times=3)
    for _ in range(3):
        with pytest.raises(StripeIsAway):
            start(programme, affiliate_id)
    start(programme, affiliate_id)
    assert_one_account(programme, affiliate_id)
    assert len(programme.makings(affiliate_id)) == 1


def test_after_a_refusal_the_next_try_leaves_under_the_next_key(programme: Programme, way: str) -> None:
    affiliate_id = programme.affiliate()
    for _ in range(2):
        programme.stripe.fault("400_saved", path=way, code="platform_account_required", message="Not set up")
        with pytest.raises(AccountWasRefused):
            start(programme, affiliate_id)
    start(programme, affiliate_id)
    keys = [f"account-{affiliate_id}-g{generation}" for generation in (1, 2, 3)]
    makings = programme.makings(affiliate_id)
    assert [(each.generation, each.idempotency_key) for each in makings] == [*enumerate(keys, start=1)]
    assert [request["idempotency_key"] for request in programme.stripe.requests("POST", way)][:3] == keys
