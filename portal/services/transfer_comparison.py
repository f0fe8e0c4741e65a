"""What a payout of ours and its transfer at Stripe have to say to each other: pure comparison, no question asked."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from uuid import UUID

from portal.domain.payouts import PayoutStatus
from portal.gateways.transfer_facts import TransferFacts
from portal.models import Payout

#: What our groups begin with; a payout's id follows.
GROUP_PREFIX = "payout-"

PAID = frozenset({PayoutStatus.paid, PayoutStatus.reversed})

#: No attempt stands between these and being sent.
_TO_BE_SENT = frozenset({PayoutStatus.requested, PayoutStatus.approved, PayoutStatus.held})

#: The kind of difference that nobody can accept: the next run would pay a second time.
WOULD_BE_SENT_AGAIN = "transfer_of_waiting_payout"


@dataclass(frozen=True)
class Difference:
    """Something on which the books and Stripe do not agree: `id` is the transfer's, or the payout's if it has none."""

    kind: str
    id: str
    message: str

    def as_json(self) -> dict[str, str]:
        return asdict(self)


def is_ours(transfer: TransferFacts, installation: UUID) -> bool:
    """Whether this installation made it. The same key may serve other things, and other installations."""
    has_group = (transfer.transfer_group or "").startswith(GROUP_PREFIX)
    return has_group and transfer.metadata.get("installation") == str(installation)


def payout_id_of(transfer: TransferFacts) -> UUID | None:
    """The payout that a transfer's group names, if it names one at all."""
    text = (transfer.transfer_group or "").removeprefix(GROUP_PREFIX)
    try:
        payout_id = UUID(text)
    except ValueError:
        return None
    return payout_id if str(payout_id) == text else None


def differences_of(transfer: TransferFacts, payout: Payout | None) -> list[Difference]:
    """Everything that does not agree, after what can be proven was settled. Amounts in minor units."""
    if payout is None:
        return [_difference("transfer_without_payout", transfer, f"no payout of ours for {_money(transfer)}")]
    if payout.transfer_id is not None and payout.transfer_id != transfer.id:
        return [
            _difference("second_transfer", transfer, f"{payout.reference} was paid by {payout.transfer_id}")
        ]
    found = []
    if (transfer.amount, transfer.currency) != (payout.amount, payout.currency):
        owed = f"{payout.amount} {payout.currency}"
        found.append(
            _difference(
                "transfer_amount", transfer, f"{payout.reference} is {owed}, Stripe sent {_money(transfer)}"
            )
        )
    if transfer.destination != payout.destination:
        where = f"{payout.reference} goes to {payout.destination}, Stripe sent it to {transfer.destination}"
        found.append(_difference("transfer_destination", transfer, where))
    if payout.status not in PAID:
        kind = WOULD_BE_SENT_AGAIN if payout.status in _TO_BE_SENT else "transfer_not_settled"
        found.append(
            _difference(kind, transfer, f"{payout.reference} is {payout.status} and was sent nevertheless")
        )
    elif transfer.amount_reversed != payout.amount_reversed:
        found.append(
            _difference(
                "amount_reversed",
                transfer,
                f"{payout.reference} has {payout.amount_reversed} reversed, Stripe has {transfer.amount_reversed}",
            )
        )
    return found


def missing_transfer(payout: Payout) -> Difference:
    """A payout that is paid in the books and has no transfer at Stripe."""
    return Difference(
        "payout_without_transfer",
        str(payout.id),
        f"{payout.reference}: paid by {payout.transfer_id}, which Stripe does not list",
    )


def _difference(kind: str, transfer: TransferFacts, message: str) -> Difference:
    return Difference(kind, transfer.id, message[:500])


def _money(transfer: TransferFacts) -> str:
    return f"{transfer.amount} {transfer.currency} to {transfer.destination}"
