"""What no event told about bank payouts, the portal finds out by asking."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.domain.bank_payouts import BankStage
from portal.domain.payouts import PayoutStatus
from portal.gateways.stripe import StripeKeyRefusedError
from portal.jobs.work import everything_due
from portal.models import BankPayout, JobSlot, WebhookEvent
from tests.services.at_bank import (
    bank_events,
    current,
    look,
    returned_and_sent_again,
    sent,
    shown,
    stage,
    steps,
    tell,
)
from tests.services.line import Line
from tests.services.programme import Programme


@pytest.mark.parametrize("arrived", [(), (0,), (3,)], ids=["none", "the_first", "the_last"])
def test_what_lost_events_would_have_told_a_look_makes_up_for(
    programme: Programme, arrived: tuple[int, ...]
) -> None:
    payout_id, events, wanted = returned_and_sent_again(programme)
    tell(programme, *(events[number] for number in arrived))
    look(programme)
    assert shown(programme, payout_id) == wanted


def test_what_came_back_goes_out_again_with_a_later_bank_payout(programme: Programme) -> None:
    payout_id, account_id = sent(programme)
    banks = [
        programme.stripe.pay_to_bank(account_id, status=status) for status in ("failed", "failed", "paid")
    ]
    tell(programme, bank_events(programme)[-1])  # of the last one alone
    assert shown(programme, payout_id) == [(banks[2], "paid")]
    look(programme)
    assert set(shown(programme, payout_id)) == {
        (banks[0], "failed"), (banks[1], "failed"), (banks[2], "paid")
    }  # fmt: skip
    assert shown(programme, payout_id)[-1] == (banks[2], "paid")


def test_one_bank_payout_carries_several_payouts_and_each_is_told(programme: Programme) -> None:
    affiliate_id = programme.verified(earned=5_000)
    payouts = [programme.request(affiliate_id)]
    programme.run()
    programme.earn(affiliate_id, 7_000)
    payouts.append(programme.request(affiliate_id))
    programme.run()
    bank_id = programme.stripe.pay_to_bank(programme.account_of(affiliate_id))
    look(programme)
    banks = programme.services.bank_payouts.current_of(payouts)
    assert {payout_id: (bank.id, bank.amount) for payout_id, bank in banks.items()} == dict.fromkeys(
        payouts, (bank_id, 12_000)
    )
    assert all(steps(programme, payout_id) == [(None, f"{bank_id} pending")] for payout_id in payouts)


def test_without_any_event_the_timetable_finds_out(programme: Programme) -> None:
    payout_id, account_id = sent(programme)
    bank_id = programme.stripe.pay_to_bank(account_id, status="paid")
    programme.clock.advance(hours=7)
    assert everything_due(programme.services)
    assert shown(programme, payout_id) == [(bank_id, "paid")]
    (tally,) = programme.rows(sa.select(JobSlot.tally).where(JobSlot.job == "bank-payouts"))[0]
    assert tally == {"accounts": 1, "changed": 1, "errors": 0}
    programme.stripe.settle_at_bank(bank_id, "failed", failure_code="no_account")
    programme.clock.advance(hours=7)
    everything_due(programme.services)
    assert stage(programme, payout_id) is BankStage.returned
    assert look(programme) == {"accounts": 1, "changed": 0, "errors": 0}


def test_what_safely_arrived_and_what_was_sent_long_ago_is_not_asked_for_any_more(
    programme: Programme,
) -> None:
    _, arrived_account = sent(programme)
    programme.stripe.pay_to_bank(arrived_account, status="paid")
    sent(programme)  # and Stripe never says which bank payout carries it
    look(programme)
    programme.clock.advance(days=16)
    assert look(programme)["accounts"] == 1
    programme.clock.advance(days=30)
    programme.stripe.forget_requests()
    assert look(programme)["accounts"] == 0
    assert programme.stripe.requests("GET", "/v1/payouts") == []


def test_an_old_answer_that_comes_late_changes_nothing(programme: Programme) -> None:
    payout_id, account_id = sent(programme)
    bank_id = programme.stripe.pay_to_bank(account_id, status="paid")
    look(programme)
    programme.stripe.settle_at_bank(bank_id, "failed")
    programme.clock.advance(seconds=-1)
    look(programme)
    assert stage(programme, payout_id) is BankStage.arrived


def test_a_transfer_that_settles_after_its_bank_payout_began_is_tied_by_the_next_look(
    programme: Programme,
) -> None:
    payout_id = programme.approved()
    programme.stripe.fault("timeout_after")
    programme.run()
    assert programme.payout(payout_id).status is PayoutStatus.processing
    bank_id = programme.stripe.pay_to_bank(programme.payout(payout_id).destination)
    tell(programme, *bank_events(programme))
    assert current(programme, payout_id) is None
    programme.clock.advance(minutes=10)
    programme.retry()
    look(programme)
    assert shown(programme, payout_id) == [(bank_id, "pending")]


def test_an_account_that_gives_no_answer_does_not_keep_the_others_waiting(programme: Programme) -> None:
    lost, gone_account = sent(programme)
    payout_id, account_id = sent(programme)
    for each in (gone_account, account_id):
        programme.stripe.pay_to_bank(each)
    programme.stripe.fate(gone_account, "deauthorise")
    assert look(programme) == {"accounts": 2, "changed": 1, "errors": 1}
    assert stage(programme, payout_id) is BankStage.on_its_way
    tell(programme, *(event for event in bank_events(programme) if event["account"] == gone_account))
    assert current(programme, lost) is None
    assert programme.rows(sa.select(WebhookEvent.effect)) == [("not shown to us",)]


def test_a_refused_key_ends_the_look(programme: Programme) -> None:
    sent(programme)
    programme.stripe.fault("401", path="/v1/payouts", method="GET")
    with pytest.raises(StripeKeyRefusedError):
        look(programme)


def test_of_several_that_came_back_the_latest_counts(programme: Programme) -> None:
    payout_id, account_id = sent(programme)
    banks = [programme.stripe.pay_to_bank(account_id, status="failed") for _ in range(2)]
    look(programme)
    now = programme.clock.now()
    for latest in banks:
        made = sa.case((BankPayout.id == latest, now), else_=now - timedelta(days=1))
        programme.execute(sa.update(BankPayout).values(created_at=made))
        assert shown(programme, payout_id)[-1] == (latest, "failed")


def test_where_stripe_refuses_to_say_what_is_in_one_what_is_known_stays_and_goes_on(
    programme: Programme, line: Line
) -> None:
    payout_id, account_id = sent(programme)
    bank_id = programme.stripe.pay_to_bank(account_id)
    look(programme)
    programme.stripe.settle_at_bank(bank_id, "paid")
    refusal = {"error": {"type": "invalid_request_error", "message": "Not of this payout."}}
    line.answers("GET", "/v1/balance_transactions", (json.dumps(refusal), 400))
    assert look(programme) == {"accounts": 1, "changed": 1, "errors": 0}
    assert shown(programme, payout_id) == [(bank_id, "paid")]
