"""A payout's history as its affiliate reads it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from portal.domain.bank_payouts import BankPayoutStatus
from portal.domain.payouts import PayoutMethod, PayoutStatus
from portal.models import ActorKind, AuditRow, BankPayout, Payout
from portal.web.timeline import is_canceled_by_affiliate, is_review_late, timeline

MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)

Move = tuple[str | None, str, ActorKind]
ASKED: Move = (None, "requested", ActorKind.affiliate)
APPROVED: Move = ("requested", "approved", ActorKind.system)
SENDING: Move = ("approved", "processing", ActorKind.system)
AGAIN: Move = ("processing", "approved", ActorKind.system)
SENT: Move = ("processing", "paid", ActorKind.system)

TO_BANK = ["Sent", "On its way to your bank", "Arrived"]


def _payout(status: str, method: PayoutMethod = PayoutMethod.fiat) -> Payout:
    return Payout(status=PayoutStatus(status), method=method, created_at=MONDAY)


def _history(*moves: Move) -> list[AuditRow]:
    return [
        AuditRow(
            created_at=MONDAY + timedelta(hours=hour), actor_kind=actor, from_value=before, to_value=after
        )
        for hour, (before, after, actor) in enumerate(moves)
    ]


@pytest.mark.parametrize(
    ("moves", "words"),
    [
        ([ASKED], ["*Requested", "Approved", *TO_BANK]),
        ([ASKED, APPROVED], ["Requested", "*Approved", *TO_BANK]),
        ([ASKED, APPROVED, SENDING], ["Requested", "Approved", "*Being sent", *TO_BANK]),
        (
            [ASKED, APPROVED, SENDING, AGAIN],
            ["Requested", "Approved", "*To be tried again", *TO_BANK],
        ),
        (
            [ASKED, APPROVED, SENDING, AGAIN, SENDING, SENT],
            ["Requested", "Approved", "Sent"],
        ),
        (
            [ASKED, APPROVED, ("approved", "held", ActorKind.system), ("held", "approved", ActorKind.system)],
            ["Requested", "Approved", "Put on hold", "*No longer on hold", *TO_BANK],
        ),
        ([ASKED, ("requested", "rejected", ActorKind.operator)], ["Requested", "Declined"]),
        ([ASKED, ("requested", "canceled", ActorKind.affiliate)], ["Requested", "Canceled"]),
        (
            [ASKED, APPROVED, SENDING, ("processing", "failed", ActorKind.system)],
            ["Requested", "Approved", "Failed"],
        ),
    ],
)
def test_the_steps_tell_what_was_done_where_it_stands_and_what_comes(
    moves: list[Move], words: list[str]
) -> None:
    steps = timeline(_payout(moves[-1][1]), _history(*moves), programme="Lumen", now=MONDAY)
    assert [("*" if step.is_current else "") + step.words for step in steps] == words


ON_ITS_WAY, ARRIVED = "On its way to your bank", "Arrived"
BEFORE = ["Requested", "Approved", "Sent"]


def _bank(status: str, code: str | None = None, *, hours: int = 10) -> BankPayout:
    return BankPayout(
        id=f"po_{hours}", status=BankPayoutStatus(status), failure_code=code, arrival_on=date(2026, 11, 26),
        created_at=MONDAY + timedelta(hours=hours), returned_at=MONDAY + timedelta(days=2),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("banks", "is_awaited", "words"),
    [
        ([], True, ["Requested", "Approved", "*Sent", ON_ITS_WAY, ARRIVED]),
        ([], False, BEFORE),
        ([_bank("pending")], True, [*BEFORE, f"*{ON_ITS_WAY}", ARRIVED]),
        ([_bank("in_transit")], True, [*BEFORE, f"*{ON_ITS_WAY}", ARRIVED]),
        ([_bank("paid")], False, [*BEFORE, ON_ITS_WAY, ARRIVED]),
        ([_bank("failed", "account_closed")], False, [*BEFORE, ON_ITS_WAY, "Returned by your bank"]),
        ([_bank("failed", "insufficient_funds")], True, [*BEFORE, ON_ITS_WAY, "Delayed on our side"]),
        ([_bank("canceled")], True, [*BEFORE, ON_ITS_WAY, "Called off before it reached your bank"]),
        ([_bank("unknown")], True, [*BEFORE, ON_ITS_WAY]),
        (
            [_bank("failed", "declined"), _bank("pending", hours=60)], True,
            [*BEFORE, ON_ITS_WAY, "Returned by your bank", f"*{ON_ITS_WAY}", ARRIVED],
        ),
    ],
)  # fmt: skip
def test_once_sent_the_steps_go_on_to_the_bank(
    banks: list[BankPayout], is_awaited: bool, words: list[str]
) -> None:
    history = _history(ASKED, APPROVED, SENDING, SENT)
    steps = timeline(_payout("paid"), history, banks, programme="Lumen", now=MONDAY, is_awaited=is_awaited)
    assert [("*" if step.is_current else "") + step.words for step in steps] == words


def test_the_bank_comes_before_what_was_taken_back_later() -> None:
    history = _history(ASKED, APPROVED, SENDING, SENT, ("paid", "reversed", ActorKind.stripe))
    steps = timeline(_payout("reversed"), history, [_bank("paid")], programme="Lumen", now=MONDAY)
    assert [step.words for step in steps] == [*BEFORE, ON_ITS_WAY, ARRIVED, "Taken back"]


def test_the_day_of_arrival_is_the_expected_one_until_it_has_arrived() -> None:
    history = _history(ASKED, APPROVED, SENDING, SENT)
    for status, tone in (("in_transit", "future"), ("paid", "done")):
        step = timeline(
            _payout("paid"), history, [_bank(status)], programme="Lumen", now=MONDAY, is_awaited=True
        )[-1]
        assert (step.tone, step.on) == (tone, date(2026, 11, 26))


def test_a_step_says_who_did_it() -> None:
    history = _history(ASKED, ("requested", "rejected", ActorKind.operator))
    assert [step.by for step in timeline(_payout("rejected"), history, programme="Lumen", now=MONDAY)] == [
        "by you",
        "by Lumen",
    ]


def test_crypto_goes_to_a_wallet() -> None:
    steps = timeline(
        _payout("approved", PayoutMethod.crypto), _history(ASKED, APPROVED), programme="Lumen", now=MONDAY
    )
    assert steps[-1].words == "Sent to your wallet"


@pytest.mark.parametrize(
    ("asked_at", "waited", "is_late"),
    [
        (MONDAY, timedelta(days=2), False),
        (MONDAY, timedelta(days=3), True),
        (MONDAY + timedelta(days=4), timedelta(days=4), False),  # from a Friday over the weekend
        (MONDAY + timedelta(days=4), timedelta(days=5), True),
    ],
)
def test_a_review_is_late_after_two_business_days(
    asked_at: datetime, waited: timedelta, is_late: bool
) -> None:
    payout = _payout("requested")
    payout.created_at = asked_at
    assert is_review_late(payout, asked_at + waited) is is_late


def test_only_what_the_affiliate_called_off_is_said_to_be_theirs() -> None:
    assert is_canceled_by_affiliate(_history(ASKED, ("requested", "canceled", ActorKind.affiliate)))
    assert not is_canceled_by_affiliate(_history(ASKED, ("requested", "canceled", ActorKind.operator)))
