"""The nightly pass over every account."""

from __future__ import annotations

from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.gateways.stripe import StripeKeyRefusedError
from portal.models import VerificationRun
from portal.models.base import new_id
from tests.services.line import Killed, Line
from tests.services.programme import Programme


def verify(programme: Programme, **more: object) -> VerificationRun:
    return programme.services.verification.run(trigger="shell", **more)  # type: ignore[arg-type]


def tally(run: VerificationRun) -> tuple[int, int, int, int, int]:
    return run.checked, run.changed, run.unchanged, run.errors, run.webhooks_missed


def several(programme: Programme, count: int) -> list[UUID]:
    return [programme.verified() for _ in range(count)]


def test_every_account_is_asked_for_and_the_tally_says_what_came_of_it(programme: Programme) -> None:
    announced, silent, _same, away = several(programme, 4)
    programme.affiliate()  # without an account: nobody to ask about
    programme.clock.advance(hours=1)
    programme.stripe.fate(programme.account_of(announced), "restrict")
    programme.stripe.fate(programme.account_of(silent), "restrict", silently=True)
    programme.receive(programme.stripe.events("account.updated")[-1])
    path = f"/v1/accounts/{programme.account_of(away)}"
    programme.stripe.fault("timeout_before", path=path, method="GET", times=3)
    run = verify(programme)
    assert tally(run) == (3, 2, 1, 1, 1)
    assert run.finished_at is not None
    assert programme.get(away).stripe_account_status == "verified"
    assert {programme.get(who).stripe_account_status for who in (announced, silent)} == {"restricted"}


def test_a_verified_account_that_lost_its_payouts_without_a_word_is_found(programme: Programme) -> None:
    (affiliate_id,) = several(programme, 1)
    programme.clock.advance(hours=1)
    programme.stripe.fate(programme.account_of(affiliate_id), "stop_payouts", silently=True)
    assert tally(verify(programme)) == (1, 1, 0, 0, 1)
    assert programme.get(affiliate_id).stripe_account_status == "pending"
    assert tally(verify(programme)) == (1, 0, 1, 0, 0)


def test_only_stale_accounts_are_asked_for_when_told_so(programme: Programme) -> None:
    old = several(programme, 2)
    programme.clock.advance(hours=24)
    new = several(programme, 1)
    programme.stripe.forget_requests()
    assert verify(programme, stale_hours=24).checked == 2
    asked = {request["path"] for request in programme.stripe.requests("GET", "/v1/accounts/")}
    assert asked == {f"/v1/accounts/{programme.account_of(who)}" for who in old}
    assert verify(programme, stale_hours=24).checked == 0
    assert verify(programme, stale_hours=0).checked == 3
    assert programme.get(new[0]).stripe_account_status == "verified"


def test_a_run_that_was_killed_goes_on_where_it_stopped(programme: Programme, line: Line) -> None:
    several(programme, 4)
    run_id = new_id()
    seen: list[str] = []

    def die_at_the_third(method: str, path: str) -> None:
        seen.append(path)
        if len(seen) == 3:
            raise Killed

    line.on_request = die_at_the_third
    with pytest.raises(Killed):
        verify(programme, run_id=run_id)
    run = verify(programme, run_id=run_id)
    assert tally(run) == (4, 0, 4, 0, 0)
    # whoever was being asked for at the end is asked for again; nobody else is
    assert len(seen) == len(set(seen)) + 1


def test_a_refused_key_stops_the_run_and_changes_nothing(programme: Programme) -> None:
    affiliates = several(programme, 3)
    programme.stripe.fault("401", path="/v1/", method="*", times=50)
    programme.stripe.forget_requests()
    with pytest.raises(StripeKeyRefusedError):
        verify(programme)
    assert len(programme.stripe.requests("GET", "/v1/")) == 1
    assert {programme.get(who).stripe_account_status for who in affiliates} == {"verified"}


def test_stripe_away_for_the_whole_run_changes_nothing_and_counts_errors(programme: Programme) -> None:
    affiliates = several(programme, 2)
    programme.stripe.goes_away()
    assert tally(verify(programme)) == (0, 0, 0, 2, 0)
    assert {programme.get(who).stripe_account_status for who in affiliates} == {"verified"}


def test_an_account_of_nobody_who_is_known_costs_nothing(programme: Programme) -> None:
    assert tally(verify(programme)) == (0, 0, 0, 0, 0)
    assert len(programme.rows(sa.select(VerificationRun.__table__))) == 1
