"""Automatic payouts: when the programme has them, and what the next one of an affiliate would be as things stand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from portal.domain.accounts import AccountDetail
from portal.domain.approval import ApprovalRule
from portal.domain.conditions import ConditionKind, conditions
from portal.domain.gate import Limits, Payee
from portal.domain.money import Money, round_down_to_step

_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


@dataclass(frozen=True)
class AutomaticPayout:
    """Made at `at` (UTC) of all that is available then, unless something stands in its way."""

    at: datetime
    amount: Money
    obstacle: ConditionKind | None
    """The first condition that is not met yet; None: it would be made."""
    needs_review: bool
    """Whether it would wait for somebody of the programme."""


def automatic_payout(
    payee: Payee,
    limits: Limits,
    *,
    detail: AccountDetail | None,
    rule: ApprovalRule,
    at: datetime,
    available: Money,
) -> AutomaticPayout:
    """`available` is what there will be at that time if nothing else happens. The rate is a person's, not the
    timetable's."""
    then = replace(limits, available=available, retry_at=None)
    missing = [each.kind for each in conditions(payee, then, detail=detail) if not each.is_met]
    amount = round_down_to_step(available)
    return AutomaticPayout(at, amount, missing[0] if missing else None, not rule.needs_no_operator(amount))


def crontab_of(schedule: str) -> str | None:
    """When a schedule (`monthly:1`, `weekly:mon`, `manual`) is due, as a crontab at midnight UTC; None is never."""
    kind, _, day = schedule.partition(":")
    match kind:
        case "monthly":
            return f"0 0 {day} * *"
        case "weekly":
            return f"0 0 * * {_WEEKDAYS.index(day)}"
        case _:
            return None
