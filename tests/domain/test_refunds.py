"""A refund is taken from where it hurts least, and never from what is not there."""

from __future__ import annotations

from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from portal.domain.ledger import EntryKind
from portal.domain.refunds import Portion, split_refund

OWN, NEWER, OLDER = uuid4(), uuid4(), uuid4()


def test_the_earnings_own_hold_is_taken_first() -> None:
    portions = split_refund(30, own_hold=(OWN, 50), available=100, other_holds=[(NEWER, 20)])
    assert portions == [Portion(EntryKind.refund_on_hold, 30, OWN)]


def test_then_what_is_available_then_other_holds_newest_first_and_the_rest_is_owed() -> None:
    portions = split_refund(100, own_hold=(OWN, 10), available=20, other_holds=[(NEWER, 30), (OLDER, 15)])
    assert portions == [
        Portion(EntryKind.refund_on_hold, 10, OWN),
        Portion(EntryKind.refund_available, 20),
        Portion(EntryKind.refund_on_hold, 30, NEWER),
        Portion(EntryKind.refund_on_hold, 15, OLDER),
        Portion(EntryKind.refund_owed, 25),
    ]


amounts = st.integers(min_value=0, max_value=10**6)


@given(
    amount=st.integers(min_value=1, max_value=10**6),
    own=amounts,
    available=amounts,
    others=st.lists(st.tuples(st.uuids(), amounts), max_size=5, unique_by=lambda hold: hold[0]),
)
def test_the_parts_are_the_whole_and_no_source_gives_more_than_it_has(
    amount: int, own: int, available: int, others: list[tuple[UUID, int]]
) -> None:
    portions = split_refund(amount, own_hold=(OWN, own), available=available, other_holds=others)
    assert sum(portion.amount for portion in portions) == amount
    there = {OWN: own, **dict(others)}
    for portion in portions:
        assert portion.amount > 0
        match portion.kind:
            case EntryKind.refund_on_hold:
                assert portion.earning_id is not None
                assert portion.amount <= there[portion.earning_id]
            case EntryKind.refund_available:
                assert portion.amount <= available
    owed = sum(portion.amount for portion in portions if portion.kind is EntryKind.refund_owed)
    assert owed == max(0, amount - own - available - sum(held for _, held in others))
