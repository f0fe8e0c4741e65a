"""What a bank returned is told once, to whom it concerns, with what to do and where the money is."""

from __future__ import annotations

import sqlalchemy as sa

from portal.domain.notifications import MailKind
from portal.models import OutboxMail
from portal.models.base import new_id
from tests.post_office import PostOffice
from tests.services.at_bank import bank_events, look, sent, tell
from tests.services.mail.reading import BASE, assert_says, delivered, on_one_database, outbox
from tests.services.mail.test_notifications import operator
from tests.services.programme import TEST, Programme


def test_a_payout_that_arrived_is_told_once_with_the_banks_reference(
    programme: Programme, post_office: PostOffice
) -> None:
    payout_id, account_id = sent(programme)
    bank_id = programme.stripe.pay_to_bank(account_id)
    look(programme)
    delivered(programme, post_office)
    programme.stripe.settle_at_bank(bank_id, "paid")
    tell(programme, *bank_events(programme), *bank_events(programme))
    look(programme)
    (mail,) = delivered(programme, post_office)
    (bank,) = programme.services.bank_payouts.of_payout(payout_id)
    assert_says(
        mail, "Payout P-1001 of $100.00 is in your bank", "has arrived at your bank",
        f"Your bank knows it by this reference: {bank.trace_id}.", f"{BASE}/payouts/{payout_id}",
    )  # fmt: skip


@on_one_database
def test_an_arrival_that_is_found_weeks_later_is_no_news(programme: Programme) -> None:
    _, account_id = sent(programme)
    programme.stripe.pay_to_bank(account_id, status="paid")
    programme.clock.advance(days=30)
    look(programme)
    assert outbox(programme, kind="payout_arrived") == []


def test_a_returned_payout_is_told_once_with_the_cause_and_the_next_step(
    programme: Programme, post_office: PostOffice
) -> None:
    payout_id, account_id = sent(programme)
    bank_id = programme.stripe.pay_to_bank(account_id, status="paid")
    look(programme)
    delivered(programme, post_office)
    programme.stripe.settle_at_bank(bank_id, "failed", failure_code="account_closed")
    tell(programme, *bank_events(programme))
    look(programme)
    (mail,) = delivered(programme, post_office)
    assert_says(
        mail, "Your bank returned payout P-1001 of $100.00",
        "Your bank returned your payout P-1001 of $100.00. Your bank says the account is closed.",
        "The money is in your Stripe balance. Add a different bank account on Stripe.", f"{BASE}/payouts/{payout_id}",
    )  # fmt: skip


@on_one_database
def test_what_is_on_its_way_again_is_not_told_as_returned(
    programme: Programme, post_office: PostOffice
) -> None:
    _, account_id = sent(programme)
    programme.stripe.pay_to_bank(account_id, status="failed")
    programme.stripe.pay_to_bank(account_id)
    look(programme)
    assert outbox(programme, kind="payout_returned") == []


@on_one_database
def test_one_that_was_called_off_or_taken_back_is_not_told_as_returned(
    programme: Programme, post_office: PostOffice
) -> None:
    payout_id, account_id = sent(programme)
    programme.stripe.pay_to_bank(account_id, status="canceled")
    look(programme)
    bank_id = programme.stripe.pay_to_bank(account_id)
    look(programme)
    programme.stripe.reverse(programme.payout(payout_id).transfer_id or "", 10_000)
    programme.services.reconciliation.run(cause=TEST)
    programme.stripe.settle_at_bank(bank_id, "failed")
    tell(programme, *bank_events(programme))
    assert outbox(programme, kind="payout_returned") == []


@on_one_database
def test_a_fault_of_ours_is_told_to_the_operators_too(programme: Programme, post_office: PostOffice) -> None:
    operator(programme, "olga")
    payout_id, account_id = sent(programme)
    bank_id = programme.stripe.pay_to_bank(account_id, status="failed", failure_code="insufficient_funds")
    delivered(programme, post_office)
    look(programme)
    mail, to_operator = delivered(programme, post_office)
    assert_says(
        to_operator, "Stripe could not pay P-1001 on to the bank",
        "Hello Olga,", bank_id, f"{BASE}/operator/payouts/{payout_id}",
    )  # fmt: skip
    assert_says(
        mail, "Payout P-1001 of $100.00 is delayed",
        "A problem on our side delayed this payout: P-1001 of $100.00. You do not need to do anything. The money is in "
        "your Stripe balance.",
    )  # fmt: skip


def test_the_outbox_takes_every_kind_of_mail(programme: Programme) -> None:
    person, now = programme.person(), programme.clock.now()
    rows = [
        {
            "id": new_id(), "deduplication_key": kind, "kind": kind, "user_id": person, "facts": {},
            "state": "waiting", "tries": 0, "next_try_at": now, "created_at": now,
        }
        for kind in MailKind
    ]  # fmt: skip
    with programme.tried(sa.insert(OutboxMail).values(rows)):
        pass
