"""A payout's history as an affiliate reads it: what was done when and by whom, where it stands, what comes next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from portal.domain.bank_payouts import BankPayoutStatus, BankStage
from portal.domain.business_days import business_days_after
from portal.domain.payouts import PayoutMethod, PayoutStatus
from portal.domain.sentences import Sentence
from portal.models import ActorKind, AuditRow, BankPayout, Payout
from portal.web.words import BANK_WORDS

BY_STRIPE = Sentence("by Stripe")

#: The states that a move ends in under their own name.
ENDED: Mapping[str, str] = {
    PayoutStatus.approved: Sentence("Approved"),
    PayoutStatus.failed: Sentence("Failed"),
    PayoutStatus.canceled: Sentence("Canceled"),
}

#: What the page promises for a review.
REVIEW_BUSINESS_DAYS = 2


@dataclass(frozen=True)
class Step:
    """One line. `tone` is its CSS class: done, current, future, ended or failed; `at` is UTC; `on` is there where only
    the day is known, `about` where not even that. Of the future, all are what is expected."""

    words: str
    tone: str
    at: datetime | None = None
    by: str = ""
    is_current: bool = False
    on: date | None = None
    about: str = ""


def timeline(
    payout: Payout,
    history: Iterable[AuditRow],
    banks: Sequence[BankPayout] = (),
    *,
    programme: str,
    now: datetime,
    is_awaited: bool = False,
    goes_out_at: datetime | None = None,
) -> list[Step]:
    """The steps of a payout, oldest first; tries that came to nothing are left out. `banks` are the bank payouts that
    carried it, oldest first; `is_awaited`: whether there may still be news of it from the bank; `goes_out_at`: when it
    leaves if it can, where that is known."""
    moves = _moves(history)
    shown = [row for number, row in enumerate(moves) if number == len(moves) - 1 or not _is_a_try(row)]
    is_open = payout.status.is_open or (is_awaited and not banks)
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
    # what reached the bank did so between being sent and being taken back
    sent = next((number for number, row in enumerate(shown, 1) if row.to_value == PayoutStatus.paid), 0)
    bank_steps = [
        step for bank in banks for step in _at_bank(bank, is_current=is_awaited and bank is banks[-1])
    ]
    return (
        steps[:sent]
        + bank_steps
        + steps[sent:]
        + _ahead(payout, banks, now=now, is_awaited=is_awaited, goes_out_at=goes_out_at)
    )


def is_review_late(payout: Payout, now: datetime) -> bool:
    """Whether a request has waited for longer than the page promises, weekends not counted."""
    return payout.status is PayoutStatus.requested and now > _reviewed_by(payout)


def _reviewed_by(payout: Payout) -> datetime:
    return business_days_after(payout.created_at, REVIEW_BUSINESS_DAYS)


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
            return Sentence("Requested")
        case PayoutStatus.approved, PayoutStatus.held:
            return Sentence("No longer on hold")
        case PayoutStatus.approved, PayoutStatus.processing:
            return Sentence("To be tried again")
        case PayoutStatus.held, _:
            return Sentence("Put on hold")
        case PayoutStatus.processing, _:
            return Sentence("Being sent")
        case PayoutStatus.paid, _:
            return _sent(payout)
        case PayoutStatus.rejected, _:
            return Sentence("Declined")
        case PayoutStatus.reversed, _:
            return Sentence("Taken back")
        case name, _:
            return ENDED.get(str(name), str(name).capitalize())


def _tone(status: str | None) -> str:
    if status in {PayoutStatus.failed, PayoutStatus.rejected}:
        return "failed"
    return "ended" if status in {PayoutStatus.canceled, PayoutStatus.reversed} else "done"


def _by(row: AuditRow, programme: str) -> str:
    match row.actor_kind:
        case ActorKind.affiliate:
            return Sentence("by you")
        case ActorKind.operator | ActorKind.shell | ActorKind.machine:
            return Sentence("by {programme}", programme=programme)
        case ActorKind.stripe:
            return BY_STRIPE
        case ActorKind.system:
            return Sentence("automatically")


def _sent(payout: Payout) -> str:
    return Sentence("Sent to your wallet") if payout.method is PayoutMethod.crypto else Sentence("Sent")


def _at_bank(bank: BankPayout, *, is_current: bool) -> Iterator[Step]:
    """What became of a bank payout."""
    is_current = is_current and bank.stage is BankStage.on_its_way
    yield Step(
        BANK_WORDS[BankStage.on_its_way], "current" if is_current else "done", at=bank.created_at, by=BY_STRIPE,
        is_current=is_current,
    )  # fmt: skip
    match bank.stage, bank.status:
        case BankStage.arrived, _:
            yield Step(BANK_WORDS[BankStage.arrived], "done", on=bank.arrival_on)
        case BankStage.returned, _:
            yield Step(BANK_WORDS[BankStage.returned], "failed", at=bank.returned_at)
        case _, BankPayoutStatus.failed:
            yield Step(Sentence("Delayed on our side"), "failed", at=bank.returned_at)
        case _, BankPayoutStatus.canceled:
            yield Step(
                Sentence("Called off before it reached your bank"),
                "ended",
                at=bank.returned_at,
                by=BY_STRIPE,
            )


def _ahead(
    payout: Payout,
    banks: Sequence[BankPayout],
    *,
    now: datetime,
    is_awaited: bool,
    goes_out_at: datetime | None,
) -> list[Step]:
    """What still comes; nothing after a return, since nobody has said when it goes out again."""
    bank = banks[-1] if banks else None
    about = "" if bank else Sentence("About 3–5 business days after it is sent")
    arrived = Step(BANK_WORDS[BankStage.arrived], "future", on=bank.arrival_on if bank else None, about=about)
    to_bank = [Step(BANK_WORDS[BankStage.on_its_way], "future"), arrived]
    may_leave = payout.status in {PayoutStatus.approved, PayoutStatus.held}
    sent = Step(_sent(payout), "future", at=goes_out_at if may_leave else None)
    ahead = [sent, *(to_bank if payout.method is PayoutMethod.fiat else [])]
    match payout.status:
        case PayoutStatus.requested:
            by = None if is_review_late(payout, now) else _reviewed_by(payout).date()
            return [Step(Sentence("Approved"), "future", on=by), *ahead]
        case PayoutStatus.approved | PayoutStatus.held | PayoutStatus.processing:
            return ahead
        case PayoutStatus.paid if is_awaited and bank is None:
            return to_bank
        case PayoutStatus.paid if bank is not None and bank.stage is BankStage.on_its_way:
            return [arrived]
    return []
