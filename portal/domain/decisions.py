"""Decisions about several payouts at once: what can be decided, and what became of each payout of the list."""

from __future__ import annotations

from enum import StrEnum

from portal.domain.errors import InvalidInput
from portal.domain.payouts import PayoutMethod, PayoutStatus, may_be_in_a_persons_hands
from portal.domain.roles import Act

#: Payouts that one decision is for: a page of the queue, and an address that every server takes.
MOST_AT_ONCE = 50

#: As long as the column; a wallet transfer's hash has 64 to 88 characters.
LONGEST_REFERENCE = 255


class DecisionKind(StrEnum):
    """What an operator does with every payout of the list; in the order in which it is offered."""

    approve = "approve"
    mark_paid = "mark_paid"
    retry = "retry"
    reject = "reject"
    cancel = "cancel"

    @property
    def act(self) -> Act:
        """What it takes a role for."""
        return _ACTS[self]

    @property
    def has_words(self) -> bool:
        """Whether the affiliates may be told why."""
        return self in {DecisionKind.reject, DecisionKind.cancel}

    def makes_sense(self, status: PayoutStatus, method: PayoutMethod) -> bool:
        """Whether it is worth offering for a payout that stands so; the use cases have the last word."""
        match self:
            case DecisionKind.approve | DecisionKind.reject:
                return status is PayoutStatus.requested
            case DecisionKind.cancel:
                return status.is_open and status is not PayoutStatus.processing
            case DecisionKind.retry:
                return status.is_moving and not may_be_in_a_persons_hands(method, status)
            case DecisionKind.mark_paid:
                return may_be_in_a_persons_hands(method, status)


_ACTS = {
    DecisionKind.approve: Act.approve,
    DecisionKind.reject: Act.reject,
    DecisionKind.cancel: Act.cancel_many,
    DecisionKind.retry: Act.retry_many,
    DecisionKind.mark_paid: Act.mark_paid,
}


class DecisionOutcome(StrEnum):
    """What became of one payout."""

    done = "done"
    first = "first"
    """It has the first of two approvals."""
    skipped = "skipped"
    """It was refused, and stays as it was."""


def checked_reference(text: str, *, field: str = "reference") -> str:
    """What a payment by hand is found by; raises InvalidInput at the field."""
    reference = text.strip()
    if not reference or len(reference) > LONGEST_REFERENCE or not reference.isprintable():
        raise InvalidInput([(field, f"Enter a reference of 1 to {LONGEST_REFERENCE} characters.")])
    return reference
