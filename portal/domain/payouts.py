"""The life of a payout: its states, the moves between them, and the words for both."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from portal.domain.errors import InvalidInput, PortalError
from portal.domain.sentences import Sentence


class PayoutStatus(StrEnum):
    """Where a payout stands. The value is stored, shown to machines, and the CSS suffix of its tag."""

    requested = "requested"
    """Asked for; the money is reserved; an operator has not yet said yes."""
    approved = "approved"
    """Goes out with the next run."""
    held = "held"
    """Approved, but the affiliate cannot be paid at the moment; every run looks again."""
    processing = "processing"
    """An attempt is under way, or its outcome is not yet known."""
    paid = "paid"
    """The transfer exists at Stripe."""
    failed = "failed"
    """Refused for good; the money is back in the available balance."""
    rejected = "rejected"
    """An operator said no; the money is back."""
    canceled = "canceled"
    """Withdrawn before it was sent; the money is back."""
    reversed = "reversed"
    """Paid, then wholly taken back by a transfer reversal."""

    @property
    def is_open(self) -> bool:
        """Whether the payout's amount is still reserved."""
        return self in OPEN_STATUSES

    @property
    def is_moving(self) -> bool:
        """Whether a run changes it without the affiliate doing anything, so that a page may look again."""
        return self in {PayoutStatus.approved, PayoutStatus.held, PayoutStatus.processing}

    @property
    def gives_back(self) -> bool:
        """Whether entering this state returns the reserved amount."""
        return self in {PayoutStatus.failed, PayoutStatus.rejected, PayoutStatus.canceled}


OPEN_STATUSES = frozenset(
    {PayoutStatus.requested, PayoutStatus.approved, PayoutStatus.held, PayoutStatus.processing}
)

NEXT: Mapping[PayoutStatus, frozenset[PayoutStatus]] = {
    PayoutStatus.requested: frozenset({PayoutStatus.approved, PayoutStatus.rejected, PayoutStatus.canceled}),
    # paid straight from approved is for crypto, which an operator pays by hand
    PayoutStatus.approved: frozenset(
        {PayoutStatus.processing, PayoutStatus.held, PayoutStatus.canceled, PayoutStatus.paid}
    ),
    PayoutStatus.held: frozenset({PayoutStatus.approved, PayoutStatus.canceled}),
    PayoutStatus.processing: frozenset(
        {PayoutStatus.paid, PayoutStatus.approved, PayoutStatus.held, PayoutStatus.failed}
    ),
    PayoutStatus.paid: frozenset({PayoutStatus.reversed}),
    PayoutStatus.failed: frozenset(),
    PayoutStatus.rejected: frozenset(),
    PayoutStatus.canceled: frozenset(),
    PayoutStatus.reversed: frozenset(),
}


class PayoutMethod(StrEnum):
    """How the money leaves: `fiat` as a Stripe Transfer, `crypto` by an operator's hand."""

    fiat = "fiat"
    crypto = "crypto"


class HoldReason(StrEnum):
    """Why an approved payout waits."""

    blocked = "blocked"
    not_verified = "not_verified"
    account_changed = "account_changed"
    bank_changed = "bank_changed"
    preference_changed = "preference_changed"


class WaitReason(StrEnum):
    """Why an approved payout was not sent although nothing holds it."""

    funds = "funds"
    """The platform's Stripe balance did not cover it."""
    stripe_away = "stripe_away"
    """Stripe could not be asked whether the affiliate may be paid."""


class MoveIsNotLegal(PortalError):
    """The payout is no longer in a state from which this is possible."""

    status = 409
    code = "payout_state"


def advance(current: PayoutStatus, wanted: PayoutStatus) -> PayoutStatus:
    """The wanted state, if the table allows it from the current one; raises MoveIsNotLegal."""
    if wanted not in NEXT[current]:
        raise MoveIsNotLegal(f"This payout is {current.value}; it can't become {wanted.value} any more.")
    return wanted


#: How long a run may work on a payout before another takes it over: longer than the slowest passage through Stripe. It
#: saves work, it is not what keeps a payout from being sent twice.
LEASE = timedelta(seconds=120)


def is_leased(lease_until: datetime | None, now: datetime) -> bool:
    """Whether a lease still counts (UTC); one that ends later than any lease could is of a clock that was ahead."""
    return lease_until is not None and now < lease_until <= now + LEASE


def may_be_in_a_persons_hands(method: PayoutMethod, status: PayoutStatus) -> bool:
    """Whether an operator may be paying it at this moment, or has: an approved payout to a wallet leaves no attempt
    behind, so only an operator can say that it did not leave."""
    return method is PayoutMethod.crypto and status is PayoutStatus.approved


#: As long as what is kept beside a payout.
LONGEST_REASON = 500


def words_to_affiliate(reason: str | None) -> str | None:
    """What an operator says to the affiliate about a decision; raises InvalidInput when it is too long."""
    if reason is not None and len(reason) > LONGEST_REASON:
        raise InvalidInput(
            [("reason", Sentence("Use at most {longest} characters.", longest=LONGEST_REASON))]
        )
    return reason
