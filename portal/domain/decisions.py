"""Decisions about several payouts at once: what can be decided, and what became of each payout of the list."""

from __future__ import annotations

from enum import StrEnum

from portal.domain.payouts import PayoutStatus

#: Payouts that one decision is for: a page of the queue, and an address that every server takes.
MOST_AT_ONCE = 50


class DecisionKind(StrEnum):
    """What an operator does with every payout of the list."""

    approve = "approve"
    reject = "reject"
    cancel = "cancel"

    @property
    def wanted(self) -> PayoutStatus:
        """Where it leads."""
        return _WANTED[self]


_WANTED = {
    DecisionKind.approve: PayoutStatus.approved,
    DecisionKind.reject: PayoutStatus.rejected,
    DecisionKind.cancel: PayoutStatus.canceled,
}


class DecisionOutcome(StrEnum):
    """What became of one payout."""

    done = "done"
    first = "first"
    """It has the first of two approvals."""
    skipped = "skipped"
    """It was refused, and stays as it was."""
