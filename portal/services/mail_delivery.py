"""Sends what the outbox holds: one mail at a time, claimed and committed before the server is spoken to.

A worker that is killed after the server took a mail and before that is noted leaves it waiting; it then goes out once
more, with the same Message-ID.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
import structlog

from portal.clock import Clock
from portal.domain.attempts import pause_seconds
from portal.domain.notifications import TRIES_BEFORE_PARKED
from portal.gateways.mail import MailGateway, MailProblemError, MailRefusedError, MailServerAwayError
from portal.models import Affiliate, Identity, MailState, OutboxMail, User
from portal.models.base import Database, writing
from portal.services.letters import Letters, Recipient

log = structlog.get_logger(__name__)

#: Longer than the slowest conversation with a server: nobody else takes up a mail that is being sent.
LEASE = timedelta(minutes=5)


class MailDelivery:
    """Works off the outbox."""

    def __init__(self, database: Database, *, clock: Clock, letters: Letters, gateway: MailGateway) -> None:
        self._database = database
        self._clock = clock
        self._letters = letters
        self._gateway = gateway

    def send_due(self, *, most: int | None = None) -> int:
        """Send what is due, the oldest first, until nothing is, or `most` were taken up; how many were. When the server
        is away the others wait too: each would only wait for the same silence."""
        taken, is_server_there = 0, True
        while is_server_there and taken != most and (claimed := self._claim()) is not None:
            is_server_there = self._deliver(*claimed)
            taken += 1
        return taken

    def _deliver(self, mail: OutboxMail, to: Recipient | None) -> bool:
        """Whether it makes sense to go on with the next one."""
        if to is None:
            self._end(mail.id, MailState.dropped, "there is no e-mail address")
            return True
        try:
            self._gateway.send(self._letters.write(mail, to, at=self._clock.real_now()))
        except MailRefusedError as problem:
            self._end(mail.id, MailState.parked, str(problem))
        except MailProblemError as problem:
            self._postpone(mail.id, str(problem))
            return not isinstance(problem, MailServerAwayError)
        except Exception as problem:
            log.exception("mail.raised", mail=str(mail.id), kind=mail.kind)
            self._postpone(mail.id, type(problem).__name__)
        else:
            self._end(mail.id, MailState.sent, None)
        return True

    @writing
    def _claim(self) -> tuple[OutboxMail, Recipient | None] | None:
        """Take the oldest that is due, counted as tried already."""
        now = self._clock.real_now()
        mail = self._database.scalar(
            sa.select(OutboxMail)
            .where(OutboxMail.state == MailState.waiting, OutboxMail.next_try_at <= now)
            .order_by(OutboxMail.next_try_at, OutboxMail.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if mail is None:
            return None
        mail.tries += 1
        mail.next_try_at = now + LEASE
        return mail, self._recipient(mail)

    def _recipient(self, mail: OutboxMail) -> Recipient | None:
        """Whoever it is for, with the address of this moment; an operator's must be verified by a provider."""
        if mail.affiliate_id is not None:
            query: sa.Executable = sa.select(
                Affiliate.name, Affiliate.email, Affiliate.time_zone, Affiliate.language
            ).where(Affiliate.id == mail.affiliate_id, Affiliate.email != "")
        else:
            query = (
                sa.select(User.name, Identity.email)
                .join(Identity, Identity.user_id == User.id)
                .where(User.id == mail.user_id, Identity.is_email_verified, Identity.email != "")
                .order_by(Identity.last_signed_in_at.desc())
                .limit(1)
            )
        found = self._database.execute(query).first()
        return None if found is None else Recipient(*found)

    @writing
    def _end(self, mail_id: UUID, state: MailState, error: str | None) -> None:
        mail = self._database.get_one(OutboxMail, mail_id, with_for_update=True)
        mail.state, mail.error = state, error
        mail.sent_at = self._clock.real_now() if state is MailState.sent else None
        if state is MailState.parked:
            log.error("mail.parked", mail=str(mail.id), kind=mail.kind, problem=error)
        else:
            log.info("mail.ended", mail=str(mail.id), kind=mail.kind, state=state)

    @writing
    def _postpone(self, mail_id: UUID, problem: str) -> None:
        mail = self._database.get_one(OutboxMail, mail_id, with_for_update=True)
        mail.error = problem[:500]
        pause = pause_seconds(mail.tries, spread=mail_id.int)
        mail.next_try_at = self._clock.real_now() + timedelta(seconds=pause)
        if mail.tries >= TRIES_BEFORE_PARKED:
            mail.state = MailState.parked
            log.error("mail.parked", mail=str(mail.id), kind=mail.kind, problem=problem)
        else:
            log.warning("mail.postponed", mail=str(mail.id), kind=mail.kind, problem=problem)
