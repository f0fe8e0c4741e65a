"""A payout's history as its affiliate reads it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from portal.domain.payouts import PayoutMethod, PayoutStatus
from portal.models import ActorKind, AuditRow, Payout
from portal.web.timeline import is_canceled_by_affiliate, is_review_late, timeline

MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)

Move = tuple[str | None, str, ActorKind]
ASKED: Move = (None, "requested", ActorKind.affiliate)
APPROVED: Move = ("requested", "approved", ActorKind.system)
SENDING: Move = ("approved", "processing", ActorKind.system)
AGAIN: Move = ("processing", "approved", ActorKind.system)


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
        ([ASKED], ["*Requested", "Approved", "Sent to your Stripe account"]),
        ([ASKED, APPROVED], ["Requested", "*Approved", "Sent to your Stripe account"]),
        ([ASKED, APPROVED, SENDING], ["Requested", "Approved", "*Being sent", "Sent to your Stripe account"]),
        (
            [ASKED, APPROVED, SENDING, AGAIN],
            ["Requested", "Approved", "*To be tried again", "Sent to your Stripe account"],
        ),
        (
            [ASKED, APPROVED, SENDING, AGAIN, SENDING, ("processing", "paid", ActorKind.system)],
            ["Requested", "Approved", "Sent to your Stripe account"],
        ),
        (
            [ASKED, APPROVED, ("approved", "held", ActorKind.system), ("held", "approved", ActorKind.system)],
            ["Requested", "Approved", "Put on hold", "*No longer on hold", "Sent to your Stripe account"],
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
    steps = timeline(_payout(moves[-1][1]), _history(*moves), programme="Lumen")
    assert [("*" if step.is_current else "") + step.words for step in steps] == words


def test_a_step_says_who_did_it() -> None:
    history = _history(ASKED, ("requested", "rejected", ActorKind.operator))
    assert [step.by for step in timeline(_payout("rejected"), history, programme="Lumen")] == [
        "by you",
        "by Lumen",
    ]


def test_crypto_goes_to_a_wallet() -> None:
    steps = timeline(_payout("approved", PayoutMethod.crypto), _history(ASKED, APPROVED), programme="Lumen")
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
