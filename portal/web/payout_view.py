"""What the page of one payout shows beyond the row itself."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from flask import url_for

from portal.domain.bank_payouts import BankStage, Failure
from portal.domain.business_days import business_days_after
from portal.domain.payouts import HoldReason, PayoutMethod, PayoutStatus, may_be_in_a_persons_hands
from portal.models import BankPayout, Payout
from portal.web.timeline import Step, is_canceled_by_affiliate, is_review_late, timeline
from portal.web.words import payout_words
from portal.wiring import services

#: How often an open page looks again: at what a run is about to send, and at what a bank is about to get.
MOVING_SECONDS, AT_BANK_SECONDS = 5, 30

#: How long a bank may take to show what Stripe says has arrived.
BANK_BUSINESS_DAYS = 5

#: What may be called off, unless an attempt is under way; the service has the last word.
_CANCELABLE = {PayoutStatus.requested, PayoutStatus.approved, PayoutStatus.held}

#: What a run sends once it can; a hold that ends with time does not keep anybody from saying when.
_MAY_LEAVE = {PayoutStatus.approved, PayoutStatus.held}
_PASSES_BY_ITSELF = {None, HoldReason.bank_changed}


@dataclass(frozen=True)
class PayoutView:
    """`bank` is the bank payout that counts, `stage` how far it is; `goes_out_at` (UTC) and `chase_on`, the day from
    which it makes sense to ask the bank, are there where they can be said; `poll_url` while it moves by itself."""

    payout: Payout
    bank: BankPayout | None
    stage: BankStage | None
    failure: Failure | None
    is_awaited: bool
    today: date
    chase_on: date | None
    hold_reason: HoldReason | None
    goes_out_at: datetime | None
    steps: Sequence[Step]
    words: str
    is_late: bool
    is_canceled_by_affiliate: bool
    can_cancel: bool
    poll_url: str | None
    poll_seconds: int | None


def payout_view(payout: Payout, banks: Sequence[BankPayout]) -> PayoutView:
    """`banks` are the bank payouts that carry it; the last one counts."""
    history, clock = services().payouts.history(payout.id), services().clock
    bank = banks[-1] if banks else None
    stage = bank.stage if bank and payout.status is PayoutStatus.paid else None
    is_awaited, hold_reason = _is_awaited(payout, bank), _hold_reason(payout)
    goes_out_at = _goes_out_at(payout, hold_reason)
    pause = MOVING_SECONDS if payout.status.is_moving else AT_BANK_SECONDS if is_awaited else None
    poll_url = url_for("payouts.show", payout_id=payout.id, seen=as_seen(payout, banks))
    return PayoutView(
        payout=payout,
        bank=bank,
        stage=stage,
        failure=bank.failure(payout.reference) if bank and bank.status.is_over else None,
        is_awaited=is_awaited,
        today=clock.real_now().date(),
        chase_on=business_days_after(bank.arrival_on, BANK_BUSINESS_DAYS) if bank else None,
        hold_reason=hold_reason,
        goes_out_at=goes_out_at,
        steps=timeline(
            payout, history, banks, programme=services().settings.name, now=clock.now(), is_awaited=is_awaited,
            goes_out_at=goes_out_at,
        ),
        words=payout_words(stage or payout.status),
        is_late=is_review_late(payout, clock.now()),
        is_canceled_by_affiliate=is_canceled_by_affiliate(history),
        can_cancel=payout.status in _CANCELABLE and not may_be_in_a_persons_hands(payout.method, payout.status),
        poll_url=poll_url if pause else None,
        poll_seconds=pause,
    )  # fmt: skip


def as_seen(payout: Payout, banks: Sequence[BankPayout]) -> str:
    """All of a payout that its page shows and that may change by itself."""
    seen: list[object] = [payout.status, payout.wait_reason or _hold_reason(payout), payout.amount_reversed]
    for bank in banks:
        seen += [bank.id, bank.status, bank.arrival_on, bank.trace_id, bank.returned_at]
    return hashlib.sha256("\n".join(map(str, seen)).encode()).hexdigest()[:16]


def _is_awaited(payout: Payout, bank: BankPayout | None) -> bool:
    """Whether there may still be news of it from the bank."""
    is_under_way = payout.status is PayoutStatus.paid and payout.method is PayoutMethod.fiat
    is_told = bank is not None and bank.stage in {BankStage.arrived, BankStage.returned}
    return is_under_way and not is_told and services().bank_payouts.is_looked_for(payout)


def _hold_reason(payout: Payout) -> HoldReason | None:
    """Why a held payout still has to wait; None once the next run lets it go on."""
    return services().holds.reason_now(payout.id) if payout.status is PayoutStatus.held else None


def _goes_out_at(payout: Payout, hold_reason: HoldReason | None) -> datetime | None:
    """When a run sends it, where that can be said."""
    may_leave = payout.status in _MAY_LEAVE and hold_reason in _PASSES_BY_ITSELF
    is_put_off = payout.wait_reason is not None
    return services().offers.goes_out_at(payout.affiliate_id) if may_leave and not is_put_off else None
