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


class SecondApprovalIsMissing(PortalError):
    code = "second_approval"


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

    def refuse(self, money: Money, approver: UUID, beneficiaries: Collection[UUID | None]) -> None:
        """Raise why this person's yes does not count."""
        if approver in beneficiaries:
            raise NobodyApprovesTheirOwn("Nobody approves their own payout. Ask another operator.")
        if self.needs_two_operators(money):
            raise SecondApprovalIsMissing(
                f"{money} needs two operators' approval, which this version can't take."
            )
