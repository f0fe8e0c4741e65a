"""Where the money of a refund is taken from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from portal.domain.errors import PortalError
from portal.domain.ledger import EntryKind


class RefundIsLargerThanEarning(PortalError):
    """All refunds of an earning together would take more than it brought."""

    status = 422
    code = "refund_too_large"


class RefundConflict(PortalError):
    """A reference that is known comes with other content; nothing was written."""

    status = 409
    code = "reference_conflict"


@dataclass(frozen=True)
class Portion:
    """A part of a refund, in minor units: the entry to post, and for a hold the earning it is taken from."""

    kind: EntryKind
    amount: int
    earning_id: UUID | None = None


def split_refund(
    amount: int, *, own_hold: tuple[UUID, int], available: int, other_holds: Sequence[tuple[UUID, int]]
) -> list[Portion]:
    """A refund takes the earning's own hold first, then what is available, then other holds, newest first (as given);
    the rest is owed. Nothing goes below zero, and what is reserved for a payout is not touched."""
    sources = [
        (EntryKind.refund_on_hold, own_hold[1], own_hold[0]),
        (EntryKind.refund_available, available, None),
        *((EntryKind.refund_on_hold, held, earning_id) for earning_id, held in other_holds),
        (EntryKind.refund_owed, amount, None),
    ]
    portions: list[Portion] = []
    for kind, there, earning_id in sources:
        taken = min(amount, there)
        if taken > 0:
            portions.append(Portion(kind, taken, earning_id))
            amount -= taken
    return portions
