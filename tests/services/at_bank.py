"""What happens between an affiliate's Stripe balance and their bank, and what the portal makes of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from portal.domain.bank_payouts import BankStage
from portal.domain.payouts import PayoutStatus
from portal.models import BankPayout
from tests.services.programme import TEST, Programme


def sent(programme: Programme, amount: int = 10_000) -> tuple[UUID, str]:
    """A payout whose transfer exists, and the account it went to."""
    payout_id = programme.approved(amount)
    programme.run()
    payout = programme.payout(payout_id)
    assert payout.status is PayoutStatus.paid
    return payout_id, payout.destination


def bank_events(programme: Programme) -> list[dict[str, Any]]:
    return [event for event in programme.stripe.events() if event["type"].startswith("payout.")]


def tell(programme: Programme, *events: dict[str, Any]) -> None:
    """Events arrive one by one, and each is worked on at once."""
    for event in events:
        programme.receive(event)
        programme.services.stripe_events.process_due()


def look(programme: Programme) -> dict[str, object]:
    return programme.services.bank_payouts.look_for_all(cause=TEST).as_json()


def current(programme: Programme, payout_id: UUID) -> BankPayout | None:
    return programme.services.bank_payouts.current_of([payout_id]).get(payout_id)


def stage(programme: Programme, payout_id: UUID) -> BankStage | None:
    bank = current(programme, payout_id)
    return bank.stage if bank else None


def shown(programme: Programme, payout_id: UUID) -> list[tuple[str, str]]:
    return [(bank.id, bank.status.value) for bank in programme.services.bank_payouts.of_payout(payout_id)]


def steps(programme: Programme, payout_id: UUID) -> list[tuple[str | None, str | None]]:
    """What the audit trail says about the bank."""
    return [row[:2] for row in programme.changes(payout_id, "payout.bank_payout_changed")]


def returned_and_sent_again(programme: Programme) -> tuple[UUID, list[dict[str, Any]], list[tuple[str, str]]]:
    """A payout whose first bank payout came back after it had arrived, what Stripe tells, and what must be shown."""
    payout_id, account_id = sent(programme)
    first = programme.stripe.pay_to_bank(account_id, status="paid")
    programme.stripe.settle_at_bank(first, "failed", failure_code="account_closed")
    second = programme.stripe.pay_to_bank(account_id)
    events = [event for event in bank_events(programme) if event["account"] == account_id]
    assert [event["type"].removeprefix("payout.") for event in events] == [
        "created", "paid", "failed", "created"
    ]  # fmt: skip
    return payout_id, events, [(first, "failed"), (second, "pending")]
