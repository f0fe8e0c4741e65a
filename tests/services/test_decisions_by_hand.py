"""Payouts retried and marked as paid several at once, on both databases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.domain.decisions import LONGEST_REFERENCE, DecisionKind
from portal.domain.errors import InvalidInput
from portal.models import ActorKind, Decision
from portal.models.base import new_id
from portal.services.decision_records import DecisionRecord
from portal.services.journal import Cause
from tests.services.programme import TEST, Programme
from tests.services.test_payout_control import parked

RETRY, MARK_PAID = DecisionKind.retry, DecisionKind.mark_paid
NO_REFERENCE = "No reference was given, so it was left as it is."


@pytest.fixture
def wallets(programme: Programme) -> list[UUID]:
    """Three approved payouts to wallets, which an operator pays by hand."""
    return [programme.request(programme.crypto(earned=10_000 + each)) for each in range(3)]


def decide(
    programme: Programme,
    kind: DecisionKind,
    ids: Sequence[UUID],
    references: Mapping[UUID, str] | None = None,
    *,
    by: UUID | None = None,
) -> DecisionRecord:
    by, key = by or programme.person(), new_id()
    cause = Cause(ActorKind.operator, str(by), "request-1")
    programme.services.decisions.decide(key, kind, ids, decided_by=by, cause=cause, references=references)
    return programme.services.decision_records.get(key)


def outcomes(record: DecisionRecord) -> list[str | None]:
    return [line.outcome and line.outcome.value for line in record.lines]


def test_each_is_marked_as_paid_with_its_own_reference(programme: Programme, wallets: list[UUID]) -> None:
    given = {each: f" 0xfeed{number} " for number, each in enumerate(wallets)}
    record = decide(programme, MARK_PAID, wallets, given)
    assert outcomes(record) == ["done"] * 3
    for number, each in enumerate(wallets):
        payout = programme.payout(each)
        assert (payout.status, payout.external_reference) == ("paid", f"0xfeed{number}")
        assert programme.balances(payout.affiliate_id).paid_out.amount == payout.amount


def test_what_has_no_reference_is_not_paid_yet_and_is_named(
    programme: Programme, wallets: list[UUID]
) -> None:
    record = decide(programme, MARK_PAID, wallets, {wallets[0]: "0xfeed", wallets[1]: "  "})
    assert outcomes(record) == ["done", "skipped", "skipped"]
    assert [line.refusal for line in record.lines] == [None, NO_REFERENCE, NO_REFERENCE]
    assert [programme.payout(each).status for each in wallets] == ["paid", "approved", "approved"]


def test_what_was_canceled_meanwhile_is_skipped_and_the_reference_is_kept(
    programme: Programme, wallets: list[UUID]
) -> None:
    programme.services.payouts.cancel(wallets[0], cause=TEST)
    record = decide(programme, MARK_PAID, wallets[:2], dict.fromkeys(wallets[:2], "0xfeed"))
    assert outcomes(record) == ["skipped", "done"]
    assert record.lines[0].reference == "0xfeed"
    assert "was canceled by" in str(record.lines[0].refusal)
    assert programme.payout(wallets[0]).external_reference is None


def test_what_stripe_pays_and_ones_own_are_never_marked_as_paid(
    programme: Programme, wallets: list[UUID]
) -> None:
    olga = programme.person()
    own = programme.request(programme.crypto(earned=10_000), by=olga)
    ids = [wallets[0], own, programme.approved()]
    record = decide(programme, MARK_PAID, ids, dict.fromkeys(ids, "0xfeed"), by=olga)
    assert outcomes(record) == ["done", "skipped", "skipped"]
    assert record.lines[1].refusal == "Nobody pays their own payout. Ask another operator."
    assert "is paid by Stripe; only a run can pay it." in str(record.lines[2].refusal)


@pytest.mark.parametrize("text", ["", "   ", "a\x00b", "x" * (LONGEST_REFERENCE + 1)])
def test_what_is_no_reference_is_refused_and_nothing_is_written(
    programme: Programme, wallets: list[UUID], text: str
) -> None:
    fine = {} if not text.strip() else {wallets[0]: "0xfeed"}
    with pytest.raises(InvalidInput) as refusal:
        decide(programme, MARK_PAID, wallets, {**fine, wallets[1]: text})
    assert refusal.value.field == ("" if not fine else f"reference-{wallets[1]}")
    assert programme.rows(sa.select(Decision.id)) == []
    assert programme.payout(wallets[0]).status == "approved"


def test_retrying_many_says_of_each_what_was_done_and_names_what_is_over(
    programme: Programme, wallets: list[UUID]
) -> None:
    late = programme.approved()
    programme.stripe.fault("timeout_after")
    programme.run()
    over = programme.approved()
    programme.services.payouts.cancel(over, cause=TEST)
    record = decide(programme, RETRY, [wallets[0], late, over])
    assert outcomes(record) == ["skipped", "done", "skipped"]
    reference = programme.payout(late).reference
    assert [line.done for line in record.lines] == [None, f"{reference} is taken up by the next run.", None]
    assert "crypto is paid by hand." in str(record.lines[0].refusal)
    assert "was canceled by" in str(record.lines[2].refusal)
    programme.run()
    assert programme.payout(late).status == "paid"


def test_once_stripe_is_silent_the_rest_is_left_for_later(programme: Programme) -> None:
    """Fifty silences one after another would keep an operator waiting for minutes."""
    ids = [parked(programme) for _ in range(2)]
    programme.stripe.goes_away()
    record = decide(programme, RETRY, ids)
    programme.stripe.comes_back()
    assert outcomes(record) == ["skipped", "skipped"]
    assert "stays as it is" in str(record.lines[0].refusal)
    assert record.lines[1].refusal == "It was not tried: Stripe had just given no answer about another."
