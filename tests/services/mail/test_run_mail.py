"""A run of many payouts that sent none of them: the operators are told, once until one sends something again."""

from __future__ import annotations

import pytest

from portal.gateways.stripe import StripeKeyRefusedError
from tests.post_office import PostOffice
from tests.services.mail.reading import BASE, assert_says, delivered, outbox
from tests.services.mail.test_notifications import operator
from tests.services.programme import Programme

KIND = "run_sent_nothing"


def test_none_of_many_is_an_alarm_that_says_why(programme: Programme, post_office: PostOffice) -> None:
    operator(programme, "olga")
    programme.stripe.set_balance(usd=0)
    for _ in range(3):
        programme.approved()
    delivered(programme, post_office)
    programme.run()
    (mail,) = delivered(programme, post_office)
    (run,) = programme.services.run_records.newest(limit=9)
    assert_says(
        mail, "A payout run sent none of its 3 payouts", "was to send 3 payouts, $300.00. It sent none of them.",
        "Waiting because the platform's balance at Stripe does not cover them: 3",
        f"{BASE}/operator/payouts/runs/{run.run.id}",
    )  # fmt: skip


def test_it_is_told_again_only_after_a_run_has_sent_something(programme: Programme) -> None:
    operator(programme, "olga")
    programme.stripe.set_balance(usd=0)
    for _ in range(2):
        programme.approved()
    for _ in range(3):
        programme.clock.advance(hours=1)
        programme.run()
    assert len(outbox(programme, kind=KIND)) == 1
    programme.stripe.set_balance(usd=10_000)
    programme.run()
    programme.approved()
    programme.run()
    assert len(outbox(programme, kind=KIND)) == 2


def test_one_that_waits_and_many_that_are_held_are_no_alarm(programme: Programme) -> None:
    operator(programme, "olga")
    programme.stripe.set_balance(usd=0)
    programme.approved()
    for _ in range(2):
        programme.block(programme.payout(programme.approved()).affiliate_id)
    programme.run()
    assert outbox(programme, kind=KIND) == []


def test_a_refused_key_is_an_alarm(programme: Programme) -> None:
    operator(programme, "olga")
    for _ in range(2):
        programme.approved()
    programme.stripe.fault("401", path="/v1/", method="*", times=50)
    with pytest.raises(StripeKeyRefusedError):
        programme.run()
    (mail,) = outbox(programme, kind=KIND)
    assert mail.facts["is_broken_off"]
