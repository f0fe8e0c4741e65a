"""Reminders: in time by the business clock, each once, to those who have something to do and may do it."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.jobs.work import everything_due
from portal.models import Affiliate
from tests.post_office import PostOffice
from tests.services.mail.reading import BASE, assert_says, delivered, on_one_database, texts
from tests.services.programme import Programme


def reminded(programme: Programme, post_office: PostOffice) -> list[EmailMessage]:
    """What the job of the day sends; done twice it is the same."""
    written = programme.services.reminders.send()
    mails = delivered(programme, post_office)
    assert len(mails) == written
    assert programme.services.reminders.send() == 0
    return mails


def days_on_which(programme: Programme, post_office: PostOffice, *, days: int) -> dict[int, list[str]]:
    """The subjects by day, on each of the days that follow, counted from today."""
    programme.services.mail_delivery.send_due()
    found = {}
    for day in range(days + 1):
        if subjects := [str(mail["Subject"]) for mail in reminded(programme, post_office)]:
            found[day] = subjects
        programme.clock.advance(days=1)
    return found


def in_days(programme: Programme, affiliate_id: UUID, days: int, fate: str = "due", **more: Any) -> None:
    """Stripe wants something of them by then."""
    programme.stripe.fate(programme.account_of(affiliate_id), fate, deadline_days=days, **more)
    programme.sync(affiliate_id)


def test_whoever_has_not_begun_is_reminded_three_times_and_then_left_alone(
    programme: Programme, post_office: PostOffice
) -> None:
    programme.affiliate()
    words = ["Set up your payouts"]
    assert days_on_which(programme, post_office, days=12) == {1: words, 3: words, 7: words}


def test_whoever_has_begun_is_reminded_from_the_day_of_the_account_with_what_is_left(
    programme: Programme, post_office: PostOffice
) -> None:
    affiliate_id = programme.affiliate()
    programme.clock.advance(days=30)
    programme.onboard(affiliate_id, fate="start_over")
    programme.services.mail_delivery.send_due()
    assert reminded(programme, post_office) == []
    programme.clock.advance(days=1)
    (mail,) = reminded(programme, post_office)
    assert_says(
        mail,
        "Finish setting up your payouts",
        "Stripe still needs:",
        "A bank account to pay into",
        f"{BASE}/dashboard",
    )
    assert "stripe.com" not in texts(mail)[0]
    assert "/sandbox/" not in texts(mail)[0]
    later = days_on_which(programme, post_office, days=10)
    assert sorted(later) == [2, 6]
    assert "We will not remind you of this again." in texts(post_office.received[-1])[0]


def test_a_deadline_is_told_fourteen_seven_and_one_days_before_with_what_is_wanted(
    programme: Programme, post_office: PostOffice
) -> None:
    affiliate_id = programme.verified()
    programme.clock.advance(hours=1)  # Stripe's clock stays behind
    in_days(programme, affiliate_id, 20)
    told = days_on_which(programme, post_office, days=25)
    assert list(told) == [6, 13, 19]
    mail = post_office.received[-1]
    deadline = programme.get(affiliate_id).stripe_deadline_at
    assert deadline is not None
    day = f"{deadline.day} {deadline:%b %Y}"
    assert_says(
        mail,
        f"Action needed by {day} for your payouts",
        f"Payouts still work. Stripe needs the following by {day}, or payouts will stop:",
        "A photo of your passport, driving licence or ID card",
        "Update on Stripe",
        f"{BASE}/dashboard",
    )
    assert "stripe.com" not in texts(mail)[0]


def test_a_deadline_that_comes_up_late_or_is_moved_is_told_for_itself(
    programme: Programme, post_office: PostOffice
) -> None:
    affiliate_id = programme.verified()
    programme.clock.advance(hours=1)  # Stripe's clock stays behind
    in_days(programme, affiliate_id, 5)
    assert list(days_on_which(programme, post_office, days=2)) == [0]
    in_days(programme, affiliate_id, 3 + 14)
    assert list(days_on_which(programme, post_office, days=8)) == [0, 7]


def test_nobody_is_reminded_who_cannot_or_need_not_do_anything(
    programme: Programme, post_office: PostOffice
) -> None:
    blocked, crypto, far = programme.affiliate(), programme.crypto(), programme.affiliate(country="BR")
    rejected, reviewed, done = (programme.affiliate() for _ in range(3))
    nameless = programme.affiliate()
    programme.execute(sa.update(Affiliate).where(Affiliate.id == nameless).values(email=""))
    programme.block(blocked)
    for affiliate_id, fate in ((rejected, "reject"), (reviewed, "review"), (done, "approve")):
        programme.onboard(affiliate_id, fate=fate)
    blocked_and_due = programme.verified()
    in_days(programme, blocked_and_due, 5)
    programme.block(blocked_and_due)
    assert {programme.get(each).country for each in (crypto, far)} == {"US", "BR"}
    assert days_on_which(programme, post_office, days=8) == {}


def test_what_was_missed_is_not_made_up_for_in_a_heap(programme: Programme, post_office: PostOffice) -> None:
    programme.affiliate()
    programme.services.mail_delivery.send_due()
    programme.clock.advance(days=4)
    assert len(reminded(programme, post_office)) == 1
    programme.clock.advance(days=60)
    assert reminded(programme, post_office) == []


def test_many_are_reminded_batch_by_batch(
    programme: Programme, post_office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.services.reminders.BATCH", 2)
    for _ in range(5):
        programme.affiliate()
    programme.clock.advance(days=1)
    assert len(reminded(programme, post_office)) == 5


@on_one_database
def test_the_timetable_reminds_once_a_day(programme: Programme, post_office: PostOffice) -> None:
    programme.affiliate()
    programme.clock.advance(days=2)
    programme.clock.set(programme.clock.now().replace(hour=9, minute=0))
    for _ in range(2):
        assert everything_due(programme.services)
    assert [str(mail["Subject"]) for mail in post_office.received] == ["Set up your payouts"]
