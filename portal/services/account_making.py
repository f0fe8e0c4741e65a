"""Making a connected account once: two tabs, a double click or a crash after Stripe's answer still give one account."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import structlog

from portal.clock import Clock
from portal.config import Settings
from portal.domain.account_refusals import account_refusal, instruction, refused
from portal.domain.accounts import AccountFacts
from portal.domain.attempts import (
    AnswerClass,
    AttemptState,
    StripeAnswer,
    classify,
    may_conclude_absence,
    may_post,
)
from portal.domain.errors import StripeIsAway
from portal.domain.new_accounts import facts_of_new, is_for_v2, new_account_v1, new_account_v2
from portal.domain.sentences import Sentence
from portal.gateways.stripe import StripeGateway, StripeProblemError
from portal.models import Affiliate, Installation, StripeAccount
from portal.models.base import Database, reading, writing
from portal.services.accounts import Standings, is_disconnected
from portal.services.books import Books
from portal.services.journal import Cause, Journal
from portal.services.notifications import Notifications

log = structlog.get_logger(__name__)

#: While another tab's request for the same account runs, Stripe answers 409; it is over within a few of these.
HTTP_CONFLICT = 409
BUSY_PAUSE_SECONDS = 0.5
BUSY_TRIES = 8

#: Clocks of ours and Stripe's may differ; a listing begins this much earlier.
LISTING_MARGIN = timedelta(hours=1)

NOT_OPENED = Sentence("We could not open Stripe. Nothing was changed. Try again.")


@dataclass(frozen=True)
class _Making:
    """An attempt to make an account, as the step between two commits sees it."""

    row: StripeAccount | None
    account_id: str | None


class AccountMaking:
    """The book of attempts at making accounts; the row is written before Stripe is asked."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        settings: Settings,
        stripe: StripeGateway,
        books: Books,
        standings: Standings,
        journal: Journal,
        notifications: Notifications,
        pause: Callable[[float], None],
    ) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._stripe = stripe
        self._books = books
        self._standings = standings
        self._journal = journal
        self._notifications = notifications
        self._pause = pause

    def make(self, affiliate_id: UUID, *, cause: Cause) -> str:
        """Make the account once, however often and from wherever this is called: the row is written first, its key
        and parameters never change, and an unknown outcome is looked up before another is made."""
        for _ in range(BUSY_TRIES):
            making = self._begin(affiliate_id, cause=cause)
            if making.row is None:
                if making.account_id is not None:
                    return making.account_id
                self._settle_old(affiliate_id, cause=cause)
                continue
            answer = self._ask(making.row)
            if answer.http_status == HTTP_CONFLICT:
                self._uncount(making.row.id)
                self._pause(BUSY_PAUSE_SECONDS)
                continue
            account_id = self._record(affiliate_id, making.row.id, answer, cause=cause)
            if account_id is not None:
                return account_id
            if classify(answer, making.row.parameters) is AnswerClass.refused:
                refusal = account_refusal(answer.error_code, answer.message)
                raise refused(refusal, country=self._country(affiliate_id))
            break
        raise StripeIsAway(NOT_OPENED)

    def _ask(self, row: StripeAccount) -> StripeAnswer:
        create = self._stripe.create_account_v2 if is_for_v2(row.parameters) else self._stripe.create_account
        return create(row.parameters, key=row.idempotency_key)

    @writing
    def _begin(self, affiliate_id: UUID, *, cause: Cause) -> _Making:
        """The intent, committed before the call: an account id that is there already, a row to send, or neither when
        an old attempt must be looked up first."""
        affiliate = self._books.lock(affiliate_id)
        row = self._current(affiliate_id)
        now = self._clock.now()
        if row is not None and row.state is AttemptState.succeeded:
            if not is_disconnected(affiliate):
                return _Making(None, row.stripe_account_id)
            row.disconnected_at = now  # the old id stays in history
            self._database.flush()
            row = None
        if row is None:
            row = self._add_generation(affiliate)
        elif not _may_send(row, now):
            return _Making(None, None)
        row.unresolved_tries += 1
        return _Making(row, None)

    def _add_generation(self, affiliate: Affiliate) -> StripeAccount:
        generations = sa.select(sa.func.count()).where(StripeAccount.affiliate_id == affiliate.id)
        generation = self._database.scalar(generations.select_from(StripeAccount)) or 0
        row = StripeAccount(
            affiliate_id=affiliate.id,
            generation=generation + 1,
            idempotency_key=f"account-{affiliate.id}-g{generation + 1}",
            parameters=self._parameters(affiliate),
            state=AttemptState.open,
            unresolved_tries=0,
            first_sent_at=self._clock.now(),
            created_at=self._clock.now(),
        )
        self._database.add(row)
        return row

    def _parameters(self, affiliate: Affiliate) -> dict[str, Any]:
        settings, email, country = self._settings, affiliate.email or "", affiliate.country
        installation = self._database.scalars(sa.select(Installation.id)).one()
        metadata = {"affiliate": affiliate.code, "installation": str(installation)}
        if settings.stripe_accounts_api == "v2":
            return new_account_v2(
                email, country, capabilities=settings.stripe_capabilities, metadata=metadata
            )
        agreement = settings.stripe_countries.get(country, "full")
        return new_account_v1(
            email,
            country,
            capabilities=settings.stripe_capabilities,
            agreement=agreement,
            metadata=metadata,
        )

    @writing
    def _record(self, affiliate_id: UUID, row_id: UUID, answer: StripeAnswer, *, cause: Cause) -> str | None:
        """What the answer proves, written down; the account's id if there is one now."""
        affiliate = self._books.lock(affiliate_id)
        row = self._database.get_one(StripeAccount, row_id)
        if row.state is AttemptState.succeeded:
            return row.stripe_account_id
        meaning = classify(answer, row.parameters)
        if meaning is AnswerClass.success and answer.made is not None:
            self._adopt(affiliate, row, facts_of_new(answer.made, row.parameters), cause=cause)
            return row.stripe_account_id
        row.error_code, row.error_message = answer.error_code, answer.message
        _log_answer(affiliate, answer, meaning)
        if meaning in {AnswerClass.not_executed, AnswerClass.key_refused, AnswerClass.refused}:
            row.unresolved_tries -= 1
        if meaning is AnswerClass.refused and row.unresolved_tries == 0:
            row.state = AttemptState.failed
        if meaning is AnswerClass.our_bug:
            row.state = AttemptState.parked
        return None

    def _adopt(self, affiliate: Affiliate, row: StripeAccount, facts: AccountFacts, *, cause: Cause) -> None:
        before = affiliate.stripe_account_id
        row.state = AttemptState.succeeded
        row.stripe_account_id = facts.account_id
        row.unresolved_tries = 0
        affiliate.stripe_account_id = facts.account_id
        affiliate.stripe_checked_at = None
        if before is not None:  # a new account later is a change of bank
            affiliate.bank_changed_at = self._clock.now()
            self._notifications.bank_changed(affiliate, is_new_account=True)
        self._journal.changed(
            "affiliate", affiliate.id, action="affiliate.account_connected", before=before, after=facts.account_id,
            cause=cause, at=self._clock.now(),
        )  # fmt: skip
        self._standings.write(affiliate, facts, asked_at=self._clock.real_now(), cause=cause)

    def _settle_old(self, affiliate_id: UUID, *, cause: Cause) -> None:
        """Find out at Stripe what became of an attempt whose key may not be sent any more."""
        row = self._open_row(affiliate_id)
        if row is None:
            return
        installation = row.parameters["metadata"]["installation"]
        try:
            for facts in self._stripe.accounts_made_since(row.first_sent_at - LISTING_MARGIN):
                if facts.metadata.get("affiliate") == row.parameters["metadata"]["affiliate"] and (
                    facts.metadata.get("installation") == installation
                ):
                    self._adopt_found(affiliate_id, row.id, facts, cause=cause)
                    return
        except StripeProblemError as problem:
            raise StripeIsAway(NOT_OPENED) from problem
        if row.unresolved_tries and not may_conclude_absence(row.first_sent_at, self._clock.now()):
            raise StripeIsAway(NOT_OPENED)
        self._begin_anew(row.id)

    @writing
    def _adopt_found(self, affiliate_id: UUID, row_id: UUID, facts: AccountFacts, *, cause: Cause) -> None:
        affiliate = self._books.lock(affiliate_id)
        row = self._database.get_one(StripeAccount, row_id)
        if row.state is not AttemptState.succeeded:
            self._adopt(affiliate, row, facts, cause=cause)

    @writing
    def _uncount(self, row_id: UUID) -> None:
        """A try that met another one of the same key did not run; that other one is counted for itself."""
        self._database.get_one(StripeAccount, row_id, with_for_update=True).unresolved_tries -= 1

    @writing
    def _begin_anew(self, row_id: UUID) -> None:
        """Stripe's list shows no account of this attempt: by v1 another generation follows, by v2 the same key is sent
        once more (`_may_send`)."""
        row = self._database.get_one(StripeAccount, row_id)
        if row.state is AttemptState.open and is_for_v2(row.parameters):
            row.unresolved_tries = 0
        elif row.state is not AttemptState.succeeded:
            row.state = AttemptState.failed
            row.error_code = row.error_message = None  # what stays with a failed one is a refusal

    @reading
    def _country(self, affiliate_id: UUID) -> str:
        return self._database.get_one(Affiliate, affiliate_id).country

    def _current(self, affiliate_id: UUID) -> StripeAccount | None:
        return self._database.scalar(
            sa.select(StripeAccount).where(
                StripeAccount.affiliate_id == affiliate_id,
                StripeAccount.state != AttemptState.failed,
                StripeAccount.disconnected_at.is_(None),
            )
        )

    @reading
    def _open_row(self, affiliate_id: UUID) -> StripeAccount | None:
        row = self._current(affiliate_id)
        return row if row is not None and row.state is not AttemptState.succeeded else None


def _may_send(row: StripeAccount, now: datetime) -> bool:
    """Whether the key may leave. v2 knows its keys for much longer than a day, so there one whose tries are proven or
    looked for in vain is sent again: it makes no second account even if Stripe's list has left one out.
    https://docs.stripe.com/api-v2-overview"""
    is_settled = is_for_v2(row.parameters) and row.unresolved_tries == 0
    return row.state is AttemptState.open and (is_settled or may_post(row.first_sent_at, now))


def _log_answer(affiliate: Affiliate, answer: StripeAnswer, meaning: AnswerClass) -> None:
    """Where Stripe has refused, with what an operator does about it."""
    advice = {}
    if meaning is AnswerClass.refused:
        refusal = account_refusal(answer.error_code, answer.message)
        advice = {"refusal": refusal, "instruction": instruction(refusal)}
    log.error(
        "account.not_made",
        affiliate=affiliate.code,
        meaning=meaning,
        code=answer.error_code,
        problem=answer.message,
        **advice,
    )
