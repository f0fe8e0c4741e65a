"""What was typed before somebody had to sign in again: theirs alone, for half an hour."""

from __future__ import annotations

from uuid import UUID

import pytest

from portal.models import KeptForm
from portal.models.base import Database, new_id
from portal.services.access import Access
from portal.services.kept_forms import MOST_CHARACTERS, MOST_OF_ONE, KeptForms
from tests.clocks import MovableClock
from tests.services.access.people import ANA, count

TYPED = {"reason": ["The order was refunded."], "payout": ["a", "b"]}


@pytest.fixture
def forms(database: Database, clock: MovableClock) -> KeptForms:
    return KeptForms(database, clock=clock)


@pytest.fixture
def ana(access: Access) -> UUID:
    return access.sign_in(ANA).user_id


def test_it_is_found_again_by_its_owner_alone(forms: KeptForms, ana: UUID) -> None:
    kept = forms.keep(ana, TYPED)
    assert kept is not None
    assert forms.of(ana, kept) == TYPED
    assert forms.of(new_id(), kept) == {}
    assert forms.of(ana, new_id()) == {}


def test_after_half_an_hour_it_is_gone_and_the_next_one_clears_it_away(
    forms: KeptForms, ana: UUID, clock: MovableClock, database: Database
) -> None:
    kept = forms.keep(ana, TYPED)
    assert kept is not None
    clock.advance(minutes=30)
    assert forms.of(ana, kept) == TYPED
    clock.advance(seconds=1)
    assert forms.of(ana, kept) == {}
    forms.keep(ana, TYPED)
    assert count(database, KeptForm) == 1


def test_nobody_fills_the_table(forms: KeptForms, ana: UUID, database: Database, clock: MovableClock) -> None:
    assert forms.keep(ana, {"reason": ["x" * MOST_CHARACTERS]}) is None
    for _ in range(MOST_OF_ONE + 3):
        clock.advance(seconds=1)
        forms.keep(ana, {"reason": ["Another."]})
    newest = forms.keep(ana, TYPED)
    assert count(database, KeptForm) == MOST_OF_ONE
    assert newest is not None
    assert forms.of(ana, newest) == TYPED
