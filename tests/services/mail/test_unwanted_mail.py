"""Mail that somebody has switched off is not written down; all else still comes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.domain.errors import InvalidInput
from portal.domain.notifications import MailKind
from portal.models import AuditRow
from portal.services.personal_settings import SettingsChange
from tests.services.mail.reading import IN_PERSON, on_one_database, outbox
from tests.services.programme import Programme


def choose(programme: Programme, affiliate_id: UUID, **mail: str) -> None:
    change = SettingsChange(mail=mail)
    programme.services.personal_settings.save(affiliate_id, change, cause=IN_PERSON)


def test_only_what_is_unchecked_stays_away_and_comes_again_once_it_is_checked(programme: Programme) -> None:
    affiliate_id = programme.affiliate()
    choose(programme, affiliate_id, payout_requested="false", payout_sent="false", setup_reminder="false")
    programme.clock.advance(days=1)
    assert programme.services.reminders.send() == 0
    programme.onboard(affiliate_id)
    programme.earn(affiliate_id, 30_000)
    programme.request(affiliate_id, "100.00")
    programme.run()
    programme.stripe.fate(programme.account_of(affiliate_id), "change_bank")
    programme.sync(affiliate_id)
    programme.block(affiliate_id)
    kinds = {row.kind for row in outbox(programme)}
    assert kinds >= {MailKind.status_verified, MailKind.bank_changed, MailKind.account_blocked}
    assert not kinds & {MailKind.payout_requested, MailKind.payout_sent, MailKind.setup_reminder}
    programme.unblock(affiliate_id)
    programme.clock.advance(days=10)
    choose(programme, affiliate_id, payout_sent="true")
    programme.request(affiliate_id, "100.00")
    programme.run()
    assert len(outbox(programme, kind=MailKind.payout_sent)) == 1
    assert outbox(programme, kind=MailKind.payout_requested) == []


def test_each_change_is_in_the_trail_once_and_the_name_is_not(programme: Programme) -> None:
    affiliate_id = programme.affiliate()
    change = SettingsChange(name="Ana Lovelace", mail={"payout_sent": "false"})
    for _ in range(2):
        programme.services.personal_settings.save(affiliate_id, change, cause=IN_PERSON)
    ana = programme.get(affiliate_id)
    assert (ana.name, ana.unwanted_mail) == ("Ana Lovelace", ["payout_sent"])
    columns = (AuditRow.action, AuditRow.actor_kind, AuditRow.from_value, AuditRow.to_value)
    trail = [tuple(row) for row in programme.rows(sa.select(*columns).order_by(AuditRow.id))]
    assert trail[1:] == [
        ("affiliate.name_changed", "affiliate", None, None),
        ("affiliate.mail_changed", "affiliate", "none", "payout_sent"),
    ]


#: Each beside a change that would be saved by itself.
REFUSED: list[dict[str, Any]] = [
    {"name": ""},
    {"name": "x" * 201},
    {"name": "A\x00"},
    {"mail": {"bank_changed": "false"}},
    {"mail": {"payout_failed": "true"}},
    {"mail": {"payout_sent": "no"}},
    {"mail": {"newsletter": "false"}},
]


@on_one_database
def test_what_cannot_be_is_refused_and_nothing_is_written(programme: Programme) -> None:
    affiliate_id = programme.affiliate()
    for wrong in REFUSED:
        change = SettingsChange(**{"name": "Ana", "mail": {"setup_reminder": "false"}, **wrong})
        with pytest.raises(InvalidInput):
            programme.services.personal_settings.save(affiliate_id, change, cause=IN_PERSON)
        ana = programme.get(affiliate_id)
        assert (ana.name, ana.unwanted_mail) == ("", []), wrong
