"""Transfers and what was taken back of them, as plain facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import stripe


@dataclass(frozen=True)
class TransferFacts:
    """A transfer as Stripe tells it; amounts in minor units."""

    id: str
    amount: int
    amount_reversed: int
    currency: str
    destination: str
    transfer_group: str | None
    metadata: Mapping[str, str]


@dataclass(frozen=True)
class BalanceFacts:
    """What the platform has at Stripe, in minor units by currency: to send now, and on its way."""

    available: Mapping[str, int]
    pending: Mapping[str, int]


@dataclass(frozen=True)
class ReversalFacts:
    """What was taken back of a transfer, once; in minor units."""

    id: str
    amount: int


def transfer_facts(transfer: stripe.Transfer) -> TransferFacts:
    """Of the SDK's object."""
    destination = transfer.destination
    return TransferFacts(
        id=transfer.id,
        amount=transfer.amount,
        amount_reversed=transfer.amount_reversed,
        currency=transfer.currency,
        destination=destination if isinstance(destination, str) else str(getattr(destination, "id", "")),
        transfer_group=transfer.transfer_group,
        metadata=dict(transfer.metadata.to_dict()),
    )
