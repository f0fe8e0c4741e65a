"""Sending what is approved: the fresh look, the gate once more, the intent, the post, the settlement."""

from __future__ import annotations

import threading
from uuid import UUID

import pytest

from portal.domain.attempts import Outcome
from portal.gateways.stripe import StripeGateway, StripeKeyRefusedError
from portal.models import Payout
from portal.services.transfers import RunTally
from portal.wiring import db
from tests.services.line import Line
from tests.services.programme import TEST, Programme


def status(programme: Programme, payout_id: UUID) -> str:
    return programme.payout(payout_id).status.value


def stripe_of(programme: Programme) -> StripeGateway:
    """The gateway that wiring handed to the services."""
    gateway: StripeGateway = vars(programme.services.transfers)["_stripe"]
    return gateway


def test_an_approved_payout_is_sent_once_and_settled(programme: Programme) -> None:
    payout_id = programme.approved(12_345)
    tally = programme.run()
    assert tally.as_json() == {
        "paid": 1, "held": 0, "waiting": 0, "failed": 0, "unknown": 0, "skipped": 0,
        "total": {"usd": 12_345}, "dry_run": False,
    }  # fmt: skip
    assert status(programme, payout_id) == "paid"
    assert programme.run().counts.total() == 0
    (attempt,) = programme.attempts(payout_id)
    assert (attempt.state, attempt.tries, attempt.unresolved_tries) == ("succeeded", 1, 0)
    assert (attempt.last_answer, attempt.error_code, attempt.error_message) == (None, None, None)
    (transfer,) = programme.stripe.transfers()
    assert transfer["transfer_group"] == f"payout-{payout_id}"
    assert transfer["metadata"]["payout"] == str(payout_id)


def test_every_account_is_looked_at_anew_before_its_payout(programme: Programme) -> None:
    """Restricted at Stripe after the approval, and nobody has told us."""
    payout_id = programme.approved()
    account_id = programme.payout(payout_id).destination
    programme.stripe.fate(account_id, "restrict", silently=True)
    assert programme.run().counts[Outcome.held] == 1
    assert programme.payout(payout_id).hold_reason == "not_verified"
    assert programme.stripe.requests("POST", "/v1/transfers") == []
    assert programme.attempts(payout_id) == []


def test_what_is_held_is_sent_once_stripe_says_that_the_reason_is_gone(programme: Programme) -> None:
    payout_id = programme.approved()
    account_id = programme.payout(payout_id).destination
    programme.stripe.fate(account_id, "restrict", silently=True)
    programme.run()
    programme.stripe.fate(account_id, "approve", silently=True)
    assert programme.run().counts[Outcome.paid] == 1
    assert status(programme, payout_id) == "paid"


def test_what_is_held_stays_so_while_stripe_cannot_be_asked(programme: Programme) -> None:
    payout_id = programme.approved()
    programme.block(programme.payout(payout_id).affiliate_id)
    programme.unblock(programme.payout(payout_id).affiliate_id)
    programme.stripe.goes_away()
    assert programme.run().counts[Outcome.held] == 1
    programme.stripe.comes_back()
    assert programme.run().counts[Outcome.paid] == 1


def test_a_blocked_affiliate_is_paid_by_the_run_after_the_block_ends(programme: Programme) -> None:
    payout_id = programme.approved()
    affiliate_id = programme.payout(payout_id).affiliate_id
    programme.block(affiliate_id)
    assert status(programme, payout_id) == "held"
    assert programme.run().counts[Outcome.held] == 1
    programme.unblock(affiliate_id)
    assert programme.run().counts[Outcome.paid] == 1
    assert [to for _, to, _ in programme.changes(payout_id, "payout.status_changed")] == [
        "requested", "approved", "held", "approved", "processing", "paid",
    ]  # fmt: skip


def test_a_held_crypto_payout_is_approved_again_by_the_run(programme: Programme) -> None:
    affiliate_id = programme.crypto(earned=10_000)
    payout_id = programme.request(affiliate_id)
    programme.block(affiliate_id)
    assert programme.run().counts[Outcome.held] == 1
    programme.unblock(affiliate_id)
    programme.run()
    assert status(programme, payout_id) == "approved"
    programme.stripe.forget_requests()
    assert programme.run().counts.total() == 0
    assert (status(programme, payout_id), programme.payout(payout_id).wait_reason) == ("approved", None)
    assert programme.stripe.requests("POST", "/v1/") == programme.stripe.requests("GET", "/v1/") == []


def test_a_dry_run_asks_and_changes_nothing(programme: Programme) -> None:
    payout_id = programme.approved()
    programme.stripe.forget_requests()
    tally = programme.services.payout_previews.next().as_tally()
    assert (tally.counts[Outcome.paid], tally.total["usd"]) == (1, 10_000)
    assert tally.as_json()["dry_run"] is True
    assert programme.stripe.requests("GET", "/v1/") == programme.stripe.requests("POST", "/v1/") == []
    assert status(programme, payout_id) == "approved"


def test_no_transaction_is_open_during_any_call(programme: Programme, line: Line) -> None:
    payout_id = programme.approved()
    seen: list[bool] = []
    line.on_request = lambda _method, _path: seen.append(db.session().in_transaction())
    programme.stripe.fault("400_saved")
    programme.run()
    programme.run()
    assert status(programme, payout_id) == "paid"
    assert len(seen) > 5
    assert not any(seen)


def test_a_call_inside_a_transaction_is_refused_before_it_leaves(programme: Programme, line: Line) -> None:
    programme.verified()
    asked: list[str] = []
    line.on_request = lambda _method, path: asked.append(path)
    db.session.get(Payout, 1)
    for call in (
        stripe_of(programme).platform_balance,
        lambda: stripe_of(programme).create_transfer({}, key="k"),
    ):
        with pytest.raises(RuntimeError, match="transaction is open"):
            call()
    db.session.rollback()
    assert asked == []
    stripe_of(programme).platform_balance()
    assert asked == ["/v1/balance"]


def test_a_payout_that_always_raises_does_not_stop_the_others(programme: Programme, line: Line) -> None:
    broken, good = programme.approved(), programme.approved()
    path = f"/v1/accounts/{programme.payout(broken).destination}"

    def raise_for_one(method: str, asked: str) -> None:
        if asked == path:
            raise ZeroDivisionError

    line.on_request = raise_for_one
    tally = programme.run()
    assert (tally.counts[Outcome.unknown], tally.counts[Outcome.paid]) == (1, 1)
    assert (status(programme, broken), status(programme, good)) == ("approved", "paid")


def test_a_refused_key_stops_the_run_and_changes_no_payout_and_no_account(programme: Programme) -> None:
    payouts = [programme.approved() for _ in range(3)]
    for path in ("/v1/accounts", "/v1/transfers"):
        programme.stripe.fault("401", path=path, method="*")
        with pytest.raises(StripeKeyRefusedError):
            programme.run()
        assert {status(programme, payout_id) for payout_id in payouts} == {"approved"}
        assert len(programme.stripe.requests("POST", "/v1/transfers")) <= 1
    assert programme.run().counts[Outcome.paid] == 3


def test_two_runs_at_once_pay_everyone_once(programme: Programme) -> None:
    for _ in range(4):
        programme.approved()

    def run() -> None:
        with programme.app.app_context():
            programme.run()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    programme.run()
    assert len(programme.stripe.transfers()) == 4
    assert {payout.status for payout, _ in programme.services.payouts.search()} == {"paid"}


def test_an_account_changed_after_the_approval_cancels_the_payout(programme: Programme) -> None:
    payout_id = programme.approved()
    affiliate_id = programme.payout(payout_id).affiliate_id
    programme.stripe.fate(programme.account_of(affiliate_id), "delete", silently=True)
    assert programme.run().counts[Outcome.held] == 1
    programme.onboard(affiliate_id)
    programme.run()
    assert status(programme, payout_id) == "canceled"
    assert programme.balances(affiliate_id).available.amount == 10_000
    assert programme.stripe.transfers() == []


def test_a_halt_keeps_everything_where_it_is(programme: Programme) -> None:
    payout_id = programme.approved()
    programme.services.transfers._switch.halt("A person must look.")
    assert programme.run().counts.total() == programme.retry().counts.total() == 0
    assert status(programme, payout_id) == "approved"


def test_what_one_run_works_on_another_leaves_alone(programme: Programme, line: Line) -> None:
    payout_id = programme.approved()
    others: list[RunTally] = []

    def run_meanwhile(method: str, path: str) -> None:
        if (method, path) == ("POST", "/v1/transfers"):
            line.on_request = lambda _method, _path: None
            thread = threading.Thread(target=run_elsewhere)
            thread.start()
            thread.join()

    def run_elsewhere() -> None:
        with programme.app.app_context():
            others.append(programme.run())

    line.on_request = run_meanwhile
    assert programme.run().counts[Outcome.paid] == 1
    assert [tally.counts[Outcome.skipped] for tally in others] == [1]
    assert len(programme.stripe.requests("POST", "/v1/transfers")) == 1
    assert status(programme, payout_id) == "paid"


def test_a_run_compares_books_and_stripe_first_unless_that_was_done_within_the_hour(
    programme: Programme,
) -> None:
    def comparisons() -> int:
        return len(programme.stripe.requests("GET", "/v1/transfers"))

    programme.run()
    assert comparisons() == 0  # nothing is due
    programme.approved()
    programme.run()
    assert comparisons() == 1
    programme.approved()
    programme.clock.advance(minutes=59)
    programme.run()
    assert comparisons() == 1
    programme.approved()
    programme.clock.advance(minutes=2)
    programme.run()
    assert comparisons() == 2


def test_while_stripe_cannot_be_compared_with_nothing_is_sent_and_all_of_it_waits(
    programme: Programme,
) -> None:
    approved, held = programme.approved(), programme.approved()
    programme.block(programme.payout(held).affiliate_id)
    programme.stripe.goes_away()
    tally = programme.run()
    assert (tally.counts[Outcome.waiting], tally.counts[Outcome.held], tally.counts.total()) == (1, 1, 2)
    assert programme.payout(approved).wait_reason == "stripe_away"
    programme.stripe.comes_back()
    assert programme.run().total == {"usd": 10_000}


def test_what_the_comparison_settles_counts_as_paid_by_the_run(programme: Programme) -> None:
    payout_id = programme.approved()
    programme.stripe.fault("timeout_after")
    programme.run()
    programme.clock.advance(days=3)
    tally = programme.run()
    assert (tally.counts[Outcome.paid], dict(tally.total)) == (1, {"usd": 10_000})
    assert status(programme, payout_id) == "paid"


@pytest.mark.parametrize("end", ["paid", "failed", "canceled"])
def test_a_payout_has_ended_when_nothing_can_become_of_it_any_more(programme: Programme, end: str) -> None:
    payout_id = programme.approved()
    programme.stripe.set_balance(usd=0)
    programme.run()
    assert (status(programme, payout_id), programme.payout(payout_id).ended_at) == ("approved", None)
    programme.stripe.set_balance(usd=10_000)
    programme.clock.advance(minutes=7)
    if end == "failed":
        programme.stripe.fault("400_saved", code="amount_too_small")
    if end == "canceled":
        programme.services.payouts.cancel(payout_id, cause=TEST)
    programme.run()
    assert (status(programme, payout_id), programme.payout(payout_id).ended_at) == (
        end,
        programme.clock.now(),
    )
