"""Sending: what the server takes later is sent later, what it refuses is parked, and a crash repeats no other mail."""

from __future__ import annotations

import itertools
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.config import Settings
from portal.domain.notifications import TRIES_BEFORE_PARKED
from portal.jobs.work import everything_due
from portal.models import Affiliate, MailState, OutboxMail
from portal.services.affiliates import AffiliateData
from portal.services.mail_delivery import LEASE
from portal.wiring import db, session
from tests.post_office import PostOffice
from tests.services.line import Killed
from tests.services.mail.reading import delivered, outbox
from tests.services.programme import TEST, Programme

#: After this every pause is over.
LONG_AFTER = timedelta(hours=2)


def told(programme: Programme, count: int = 1) -> None:
    """So many affiliates are blocked, which is one mail each."""
    for _ in range(count):
        programme.block(programme.affiliate())


def states(programme: Programme) -> list[str]:
    return [row.state.value for row in outbox(programme)]


def test_a_mail_that_was_sent_is_not_sent_again(programme: Programme, post_office: PostOffice) -> None:
    told(programme, 2)
    assert programme.services.mail_delivery.send_due() == 2
    programme.clock.advance(days=3)
    assert programme.services.mail_delivery.send_due() == 0
    assert len(post_office.received) == 2
    assert {row.sent_at is not None for row in outbox(programme)} == {True}


def test_what_is_not_taken_now_is_sent_later_and_holds_up_nobody(
    programme: Programme, post_office: PostOffice
) -> None:
    told(programme, 2)
    post_office.replies["RCPT"] = "451 4.7.1 come back later"
    assert len(delivered(programme, post_office)) == 1
    (waiting,) = outbox(programme, state="waiting")
    assert (waiting.tries, waiting.error) == (1, "451 4.7.1")
    assert delivered(programme, post_office) == []  # not before its pause is over
    programme.clock.advance(seconds=LONG_AFTER.total_seconds())
    assert [str(mail["To"]) for mail in delivered(programme, post_office)] == ["aff-1@example.com"]
    assert outbox(programme, state="sent")[0].error is None


def test_what_is_refused_for_good_is_parked_and_the_others_go_out(
    programme: Programme, post_office: PostOffice
) -> None:
    told(programme, 2)
    post_office.replies["RCPT"] = "550 5.1.1 nobody of that name"
    assert len(delivered(programme, post_office)) == 1
    programme.clock.advance(days=1)
    assert delivered(programme, post_office) == []
    assert [row.error for row in outbox(programme, state="parked")] == ["550 5.1.1"]
    assert programme.services.overview.get().health.mails_parked == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_mail_that_never_gets_through_is_parked_after_about_two_days(
    programme: Programme, post_office: PostOffice
) -> None:
    told(programme)
    begun_at = programme.clock.real_now()
    while states(programme) == ["waiting"]:
        programme.clock.set(outbox(programme)[0].next_try_at.astimezone(begun_at.tzinfo))
        post_office.replies["RCPT"] = "451 4.7.1 come back later"
        programme.services.mail_delivery.send_due()
    assert states(programme) == ["parked"]
    assert outbox(programme)[0].tries == TRIES_BEFORE_PARKED
    assert timedelta(days=1.5) < programme.clock.real_now() - begun_at < timedelta(days=3)


def test_a_server_that_is_away_is_asked_once_a_pass_and_then_everything_goes_out(
    programme: Programme, post_office: PostOffice
) -> None:
    told(programme, 3)
    post_office.replies["MAIL"] = "421 4.3.2 closing"
    assert delivered(programme, post_office) == []
    assert post_office.conversations == 1
    programme.clock.advance(seconds=LONG_AFTER.total_seconds())
    assert programme.services.overview.get().health.mails_late == 3
    assert len(delivered(programme, post_office)) == 3
    assert programme.services.overview.get().health.mails_late == 0


def test_whoever_has_no_address_gets_none_and_the_row_says_so(
    programme: Programme, post_office: PostOffice
) -> None:
    affiliate_id = programme.affiliate()
    data = AffiliateData(email="")
    programme.services.affiliates.put(programme.get(affiliate_id).code, data, cause=TEST)
    programme.block(affiliate_id)
    assert delivered(programme, post_office) == []
    assert [(row.state, row.error) for row in outbox(programme)] == [
        (MailState.dropped, "there is no e-mail address")
    ]


@pytest.mark.parametrize(("answer", "arrives"), [(None, 2), ("451 4.7.1 come back later", 1)])
def test_a_worker_that_is_killed_before_it_notes_the_answer_repeats_this_mail_alone_as_the_same(
    programme: Programme, post_office: PostOffice, answer: str | None, arrives: int
) -> None:
    told(programme, 2)
    if answer:
        post_office.replies["DATA"] = answer
    commits = itertools.count(1)

    def die(_session: object) -> None:
        if next(commits) == 2:  # the first is the claim's
            sa.event.remove(session, "before_commit", die)
            raise Killed

    sa.event.listen(session, "before_commit", die)
    with pytest.raises(Killed):
        programme.services.mail_delivery.send_due()
    session.remove()
    assert programme.services.mail_delivery.send_due() == 1  # another worker, to whom the lease says no
    programme.clock.advance(seconds=LEASE.total_seconds())
    for _ in range(2):
        programme.services.mail_delivery.send_due()
    ids = [str(mail["Message-ID"]) for mail in post_office.received if mail["To"] == "aff-1@example.com"]
    assert (len(ids), len(set(ids))) == (arrives, 1)
    assert len(post_office.received) == arrives + 1
    assert states(programme) == ["sent", "sent"]


def test_a_server_that_dawdles_keeps_nobody_from_writing(
    programme: Programme, post_office: PostOffice
) -> None:
    told(programme)
    engine = db.engine
    wrote = threading.Event()

    def write() -> None:
        with engine.begin() as connection:
            connection.execute(sa.update(Affiliate).values(version=Affiliate.version + 1))
            connection.execute(sa.update(OutboxMail).values(error="seen"))
        wrote.set()

    post_office.on_mail = write
    assert len(delivered(programme, post_office)) == 1
    assert wrote.is_set()


def test_two_workers_send_each_mail_once(programme: Programme, post_office: PostOffice) -> None:
    told(programme, 3)
    app = programme.app

    def other_worker() -> None:
        post_office.on_mail = lambda: None
        with app.app_context():
            programme.services.mail_delivery.send_due()

    post_office.on_mail = other_worker  # while the first mail is under way
    programme.services.mail_delivery.send_due()
    assert sorted(str(mail["To"]) for mail in post_office.received) == [
        f"aff-{number}@example.com" for number in (1, 2, 3)
    ]
    assert states(programme) == ["sent"] * 3


def test_the_worker_sends_what_its_own_jobs_have_written(
    programme: Programme, post_office: PostOffice
) -> None:
    programme.approved(10_000)
    programme.clock.advance(hours=1)
    assert everything_due(programme.services)
    assert "Payout P-1001 of $100.00 was sent" in post_office.subjects


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_mail_server_that_is_away_is_no_failure_of_the_worker(
    programme: Programme, post_office: PostOffice
) -> None:
    told(programme)
    post_office.replies["MAIL"] = "421 4.3.2 closing"
    assert everything_due(programme.services)
    assert states(programme) == ["waiting"]


class TestWithoutAServer:
    """The usual console."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, mail_url="console:")

    @pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
    def test_a_development_portal_shows_mail_in_its_output(
        self, programme: Programme, capsys: pytest.CaptureFixture[str]
    ) -> None:
        told(programme)
        programme.services.mail_delivery.send_due()
        shown = capsys.readouterr().err
        assert "mail to aff-1@example.com: Your payouts are on hold\n" in shown
        assert "  Please write to us.\n" in shown
        assert states(programme) == ["sent"]
