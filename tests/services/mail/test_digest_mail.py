"""The operators' daily mail: what needs a person and what yesterday's runs did, once a day, rarely on quiet days."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from portal.jobs.work import run_slot
from tests.post_office import PostOffice
from tests.services.mail.reading import BASE, OPERATOR, assert_says, delivered, on_one_database, outbox, texts
from tests.services.mail.test_notifications import operator
from tests.services.programme import Programme

KIND = "daily_digest"


def until(programme: Programme, *, weekday: int, hour: int = 7) -> None:
    """Let it be that hour (UTC) of the next such day; Monday is 0."""
    now = programme.clock.now()
    day = now.date() + timedelta(days=(weekday - now.weekday()) % 7 or 7)
    programme.clock.advance(
        seconds=(datetime(day.year, day.month, day.day, hour, tzinfo=UTC) - now).total_seconds()
    )


def test_it_says_what_needs_a_person_with_sums_and_links_and_what_yesterday_brought(
    programme: Programme, post_office: PostOffice
) -> None:
    until(programme, weekday=1, hour=12)
    programme.approved(12_345)
    programme.run()
    until(programme, weekday=2)
    for amount in (60_000, 70_000):
        programme.request(programme.verified(earned=amount))
    programme.stripe.set_balance(usd=5_000)
    programme.approved(20_000)
    programme.services.platform_balance.look()
    operator(programme, "olga")
    delivered(programme, post_office)
    assert programme.services.digests.send() == 1
    (mail,) = delivered(programme, post_office)
    facts = programme.services.overview.get()
    needs = sum(1 for count in facts.needs.values() if count)
    assert_says(
        mail, f"{needs} things need a person today", "Waiting for approval: 2, $1,300.00, the oldest since",
        "Yesterday's runs sent $123.45.", "$200.00 in USD: short by $150.00, $50.00 available",
        f"{BASE}/operator/payouts?status=requested", f"{BASE}/operator/payouts/run",
    )  # fmt: skip
    assert all(str(count) in texts(mail)[0] for need, count in facts.needs.items() if count)


@on_one_database
def test_it_comes_once_a_day_to_each_operator_who_may_act(programme: Programme) -> None:
    for name, role in {"olga": "admin", "sam": "operator", "victor": "viewer"}.items():
        operator(programme, name, role=role)
    programme.request(programme.verified(earned=60_000))
    until(programme, weekday=2, hour=6)
    programme.services.digests.send()
    assert programme.services.digests.send() == 0
    assert len(outbox(programme, kind=KIND)) == 2
    programme.clock.advance(days=1)
    assert programme.services.digests.send() == 2


@on_one_database
@pytest.mark.parametrize(("weekday", "mails"), [(0, 1), (1, 0), (5, 0)])
def test_a_quiet_day_is_told_on_mondays_alone(
    programme: Programme, post_office: PostOffice, weekday: int, mails: int
) -> None:
    operator(programme, "olga")
    until(programme, weekday=weekday, hour=3)
    (nightly,) = programme.services.timetable.take_due(only="verify-stripe-accounts")
    run_slot(programme.services, nightly)
    programme.clock.advance(hours=4)
    (slot,) = programme.services.timetable.take_due(only="digest")
    run_slot(programme.services, slot)
    found = delivered(programme, post_office)
    assert [str(mail["Subject"]) for mail in found] == ["Nothing needs a person today"] * mails


@on_one_database
def test_why_sending_was_stopped_is_one_line_of_text_however_it_was_typed(
    programme: Programme, post_office: PostOffice
) -> None:
    operator(programme, "olga")
    programme.services.payout_control.halt(cause=replace(OPERATOR, reason="<b>wrong</b> → /operator/evil"))
    delivered(programme, post_office)
    programme.services.digests.send()
    (mail,) = delivered(programme, post_office)
    assert_says(mail, "1 thing needs a person today", "<b>wrong</b>")
    assert f'href="{BASE}/operator/evil' not in mail.get_body(("html",)).get_content()  # type: ignore[union-attr]
