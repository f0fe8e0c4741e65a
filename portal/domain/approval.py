"""Whose yes a payout needs before it is sent."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from portal.domain.errors import PortalError
from portal.domain.money import Money, limit_of

#: In major units, for a currency that the settings do not name.
AUTO_APPROVE_MAJOR_UNITS = 500


class NobodyApprovesTheirOwn(PortalError):
    code = "own_payout"


class SecondApprovalIsAnothers(PortalError):
    """The first of two approvals is this very person's."""

    code = "second_approval"


class SecondApprovalNeedsThePage(PortalError):
    """A shell can act in anybody's name, so it is no second pair of eyes."""

    code = "second_approval_by_shell"


@dataclass(frozen=True)
class Yes:
    """An operator's approval of a payout, by their ids as people."""

    approver: UUID
    beneficiaries: Collection[UUID | None]
    """Who asked for the payout, and whom it is for."""
    first_approver: UUID | None
    """Who approved it before, if it is one that two must approve."""
    is_by_shell: bool


@dataclass(frozen=True)
class ApprovalRule:
    """The programme's limits, in minor units by currency."""

    auto_approve: Mapping[str, int]
    second_approval: Mapping[str, int]

    def needs_no_operator(self, money: Money) -> bool:
        """Whether a request of this amount is approved by itself."""
        limit = limit_of(self.auto_approve, money.currency, AUTO_APPROVE_MAJOR_UNITS)
        return money <= limit and not self.needs_two_operators(money)

    def needs_two_operators(self, money: Money) -> bool:
        """Whether one operator's yes is not enough."""
        limit = self.second_approval.get(money.currency)
        return limit is not None and money.amount > limit

    def is_enough(self, money: Money, yes: Yes) -> bool:
        """Whether the payout is approved with this yes, or waits for a second one. Raises why it does not count."""
        if yes.approver in yes.beneficiaries:
            raise NobodyApprovesTheirOwn("Nobody approves their own payout. Ask another operator.")
        if yes.first_approver is None:
            return not self.needs_two_operators(money)
        if yes.approver == yes.first_approver:
            raise SecondApprovalIsAnothers(
                "You have approved this already. Ask another operator to approve it too."
            )
        if yes.is_by_shell:
            raise SecondApprovalNeedsThePage(
                "The second of two approvals is given on the payout's page, not by shell."
            )
        return True
