"""A payout's history as an affiliate reads it: what was done when and by whom, where it stands, what comes next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from portal.domain.payouts import PayoutMethod, PayoutStatus
from portal.models import ActorKind, AuditRow, Payout

#: What the page promises for a review.
REVIEW_BUSINESS_DAYS = 2

_SATURDAY = 5


@dataclass(frozen=True)
class Step:
    """One line. `tone` is its CSS class: done, current, future, ended or failed; `at` is UTC, None in the future."""

    words: str
    tone: str
    at: datetime | None = None
    by: str = ""
    is_current: bool = False


def timeline(payout: Payout, history: Iterable[AuditRow], *, programme: str) -> list[Step]:
    """The steps of a payout, oldest first; tries that came to nothing are left out."""
    moves = _moves(history)
    shown = [row for number, row in enumerate(moves) if number == len(moves) - 1 or not _is_a_try(row)]
    is_open = payout.status.is_open
    steps = [
        Step(
            _words(row, payout),
            "current" if is_open and row is shown[-1] else _tone(row.to_value),
            at=row.created_at,
            by=_by(row, programme),
            is_current=is_open and row is shown[-1],
        )
        for row in shown
    ]
    return steps + _ahead(payout)


def is_review_late(payout: Payout, now: datetime) -> bool:
    """Whether a request has waited for longer than the page promises, weekends not counted."""
    days, day = 0, payout.created_at
    while day + timedelta(days=1) <= now and days <= REVIEW_BUSINESS_DAYS:
        day += timedelta(days=1)
        days += day.weekday() < _SATURDAY
    return payout.status is PayoutStatus.requested and days > REVIEW_BUSINESS_DAYS


def is_canceled_by_affiliate(history: Iterable[AuditRow]) -> bool:
    """Whether it was the affiliate who called it off."""
    return any(
        row.to_value == PayoutStatus.canceled and row.actor_kind is ActorKind.affiliate for row in history
    )


def _moves(history: Iterable[AuditRow]) -> list[AuditRow]:
    return [row for row in history if row.to_value in set(PayoutStatus) and row.to_value != row.from_value]


def _is_a_try(row: AuditRow) -> bool:
    """Whether it is the beginning of being sent, or the way back from there to approved: news only while it lasts."""
    is_back = row.to_value == PayoutStatus.approved and row.from_value == PayoutStatus.processing
    return is_back or row.to_value == PayoutStatus.processing


def _words(row: AuditRow, payout: Payout) -> str:
    match row.to_value, row.from_value:
        case PayoutStatus.requested, _:
            return "Requested"
        case PayoutStatus.approved, PayoutStatus.held:
            return "No longer on hold"
        case PayoutStatus.approved, PayoutStatus.processing:
            return "To be tried again"
        case PayoutStatus.held, _:
            return "Put on hold"
        case PayoutStatus.processing, _:
            return "Being sent"
        case PayoutStatus.paid, _:
            is_crypto = payout.method is PayoutMethod.crypto
            return "Sent to your wallet" if is_crypto else "Sent to your Stripe account"
        case PayoutStatus.rejected, _:
            return "Declined"
        case PayoutStatus.reversed, _:
            return "Taken back"
        case name, _:
            return str(name).capitalize()


def _tone(status: str | None) -> str:
    if status in {PayoutStatus.failed, PayoutStatus.rejected}:
        return "failed"
    return "ended" if status in {PayoutStatus.canceled, PayoutStatus.reversed} else "done"


def _by(row: AuditRow, programme: str) -> str:
    match row.actor_kind:
        case ActorKind.affiliate:
            return "by you"
        case ActorKind.operator | ActorKind.shell | ActorKind.machine:
            return f"by {programme}"
        case ActorKind.stripe:
            return "by Stripe"
        case ActorKind.system:
            return "automatically"


def _ahead(payout: Payout) -> list[Step]:
    sent = "Sent to your wallet" if payout.method is PayoutMethod.crypto else "Sent to your Stripe account"
    match payout.status:
        case PayoutStatus.requested:
            return [Step("Approved", "future"), Step(sent, "future")]
        case PayoutStatus.approved | PayoutStatus.held | PayoutStatus.processing:
            return [Step(sent, "future")]
    return []
