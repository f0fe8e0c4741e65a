"""The life of a payout: every legal move, no other, and words that fit."""

from __future__ import annotations

import itertools

import pytest

from portal.domain.errors import InvalidInput
from portal.domain.payouts import (
    NEXT,
    MoveIsNotLegal,
    PayoutMethod,
    PayoutStatus,
    advance,
    may_be_in_a_persons_hands,
    words_to_affiliate,
)

LEGAL = {
    ("requested", "approved"), ("requested", "rejected"), ("requested", "canceled"),
    ("approved", "processing"), ("approved", "held"), ("approved", "canceled"), ("approved", "paid"),
    ("held", "approved"), ("held", "canceled"),
    ("processing", "paid"), ("processing", "approved"), ("processing", "held"), ("processing", "failed"),
    ("paid", "reversed"),
}  # fmt: skip


@pytest.mark.parametrize(("current", "wanted"), list(itertools.product(PayoutStatus, PayoutStatus)))
def test_a_payout_moves_as_promised_and_in_no_other_way(current: PayoutStatus, wanted: PayoutStatus) -> None:
    if (current, wanted) in LEGAL:
        assert advance(current, wanted) is wanted
    else:
        with pytest.raises(MoveIsNotLegal) as refusal:
            advance(current, wanted)
        assert refusal.value.status == 409


def test_what_is_over_stays_over() -> None:
    assert {status for status in PayoutStatus if not NEXT[status]} == {
        "failed",
        "rejected",
        "canceled",
        "reversed",
    }


def test_money_is_set_aside_while_a_payout_is_open_and_given_back_where_it_ends_unpaid() -> None:
    assert {status for status in PayoutStatus if status.is_open} == {
        "requested", "approved", "held", "processing",
    }  # fmt: skip
    assert {status for status in PayoutStatus if status.is_moving} == {"approved", "held", "processing"}
    assert {status for status in PayoutStatus if status.gives_back} == {"failed", "rejected", "canceled"}


def test_only_an_approved_payout_to_a_wallet_may_be_in_a_persons_hands() -> None:
    everything = itertools.product(PayoutMethod, PayoutStatus)
    assert [each for each in everything if may_be_in_a_persons_hands(*each)] == [("crypto", "approved")]


def test_words_to_the_affiliate_are_not_endless() -> None:
    assert words_to_affiliate("x" * 500) == "x" * 500
    assert words_to_affiliate(None) is None
    with pytest.raises(InvalidInput):
        words_to_affiliate("x" * 501)
