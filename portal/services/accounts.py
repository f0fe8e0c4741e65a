"""Connected accounts: asking Stripe how one stands, and the one place that writes the answer down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
import structlog

from portal.clock import Clock
from portal.domain.accounts import AccountDetail, AccountFacts, AccountStatus, derive_standing
from portal.domain.errors import StripeIsAway
from portal.domain.payouts import HoldReason
from portal.domain.sentences import Sentence
from portal.gateways.stripe import StripeGateway, StripeProblemError
from portal.models import Affiliate
from portal.models.base import Database, reading, writing
from portal.services.books import Books
from portal.services.journal import Cause, Journal
from portal.services.notifications import Notifications
from portal.services.payout_moves import PayoutMoves
from portal.services.platform import Platform
from portal.services.shared_banks import SharedBanks

log = structlog.get_logger(__name__)

#: “Check status” and the status poll ask Stripe at most this often for one affiliate.
CHECK_EVERY_SECONDS = 15


@dataclass(frozen=True)
class Recorded:
    """What writing down an account's facts did; `before` and `after` are None where there is no status."""

    before: AccountStatus | None
    after: AccountStatus | None
    is_standing_changed: bool
    details: tuple[AccountDetail | None, AccountDetail | None] = (None, None)
    """Before and after."""
    is_applied: bool = True
    """False when a newer look had been written down already."""


class Standings:
    """The one writer of what Stripe says about an account, for use inside a unit of work."""

    def __init__(
        self,
        *,
        clock: Clock,
        journal: Journal,
        moves: PayoutMoves,
        notifications: Notifications,
        shared_banks: SharedBanks,
    ) -> None:
        self._clock = clock
        self._journal = journal
        self._moves = moves
        self._notifications = notifications
        self._shared_banks = shared_banks

    def write(
        self, affiliate: Affiliate, facts: AccountFacts, *, asked_at: datetime, cause: Cause
    ) -> Recorded:
        """Take freshly retrieved facts into account. `asked_at` (real clock) is when the question left: an answer
        older than the one already written changes nothing, so that any order of answers ends in the same state."""
        before, before_detail = affiliate.stripe_account_status, affiliate.stripe_account_detail
        is_newest = affiliate.stripe_checked_at is None or asked_at >= affiliate.stripe_checked_at
        if affiliate.stripe_account_id != facts.account_id or not is_newest:
            return Recorded(before, before, is_standing_changed=False, is_applied=False)
        standing = derive_standing(facts)
        shown_before = (before, before_detail, affiliate.stripe_requirements, affiliate.stripe_deadline_at)
        affiliate.stripe_account_status = standing.status
        affiliate.stripe_account_detail = standing.detail
        affiliate.stripe_onboarding_complete = standing.onboarding_complete
        affiliate.stripe_requirements = facts.requirements.to_json()
        affiliate.stripe_deadline_at = standing.deadline_at
        affiliate.stripe_checked_at = asked_at
        self._note_bank(affiliate, facts, cause)
        shown = (standing.status, standing.detail, affiliate.stripe_requirements, standing.deadline_at)
        if shown != shown_before:
            affiliate.version += 1
        if shown[:2] != shown_before[:2]:
            affiliate.detail_changed_at = self._clock.now()
        if standing.status is not before:
            self._status_changed(affiliate, before, cause)
        is_gone = standing.detail is AccountDetail.disconnected and standing.detail is not before_detail
        if standing.status is not before or is_gone:
            self._notifications.status_changed(affiliate)
        if standing.needs_alert:
            log.error(
                "account.reason_not_known",
                account=facts.account_id,
                reason=facts.requirements.disabled_reason,
            )
        return Recorded(
            before,
            standing.status,
            is_standing_changed=shown[:2] != shown_before[:2],
            details=(before_detail, standing.detail),
        )

    def says_nothing_new(self, affiliate: Affiliate, facts: AccountFacts) -> bool:
        """Whether writing these facts would change nothing but the time of asking, and alert nobody."""
        standing = derive_standing(facts)
        written = (
            affiliate.stripe_account_status, affiliate.stripe_account_detail, affiliate.stripe_onboarding_complete,
            affiliate.stripe_requirements, affiliate.stripe_deadline_at,
        )  # fmt: skip
        said = (
            standing.status, standing.detail, standing.onboarding_complete,
            facts.requirements.to_json(), standing.deadline_at,
        )  # fmt: skip
        is_same_bank = facts.bank_fingerprint in {None, affiliate.bank_fingerprint}
        return written == said and is_same_bank and not standing.needs_alert

    def _note_bank(self, affiliate: Affiliate, facts: AccountFacts, cause: Cause) -> None:
        if facts.bank_fingerprint is None or facts.bank_fingerprint == affiliate.bank_fingerprint:
            return
        if affiliate.bank_fingerprint is not None:  # the first ever is no change
            affiliate.bank_changed_at = now = self._clock.now()
            affiliate.version += 1
            self._notifications.bank_changed(affiliate)
            self._journal.changed(
                "affiliate", affiliate.id, action="affiliate.bank_changed", before=None, after=None, cause=cause, at=now
            )  # fmt: skip
        affiliate.bank_fingerprint = facts.bank_fingerprint
        self._shared_banks.note_within(affiliate, cause=cause)

    def _status_changed(self, affiliate: Affiliate, before: AccountStatus | None, cause: Cause) -> None:
        now = self._clock.now()
        affiliate.status_changed_at = now
        self._journal.changed(
            "affiliate", affiliate.id, action="affiliate.status_changed", before=before,
            after=affiliate.stripe_account_status, cause=cause, at=now,
        )  # fmt: skip
        if affiliate.stripe_account_status is not AccountStatus.verified:
            self._moves.hold_approved(affiliate, HoldReason.not_verified, cause=cause)


class Accounts:
    """Asks Stripe about accounts and has the answers written down."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        stripe: StripeGateway,
        books: Books,
        standings: Standings,
        platform: Platform,
    ) -> None:
        self._database = database
        self._platform = platform
        self._clock = clock
        self._stripe = stripe
        self._books = books
        self._standings = standings

    def sync(self, affiliate_id: UUID, *, cause: Cause) -> Affiliate:
        """Ask Stripe now and write down what it says. Raises StripeIsAway; then nothing was changed."""
        affiliate = self._get(affiliate_id)
        if affiliate.stripe_account_id is None:
            return affiliate
        try:
            self.look(affiliate_id, affiliate.stripe_account_id, cause=cause)
        except StripeProblemError as problem:
            log.warning("account.not_reached", account=affiliate.stripe_account_id, problem=str(problem))
            raise StripeIsAway(
                Sentence("We could not reach Stripe just now. Nothing was changed. Try again in a minute.")
            ) from problem
        return self._get(affiliate_id)

    def look(self, affiliate_id: UUID, account_id: str, *, cause: Cause) -> Recorded:
        """One retrieve and one write. Raises StripeProblemError."""
        asked_at = self._clock.real_now()
        facts = self._stripe.retrieve_account(account_id)
        if facts.deleted:
            self._platform.confirm()
        else:
            self._platform.remember()
        return self.record(affiliate_id, facts, asked_at=asked_at, cause=cause)

    @writing
    def record(
        self, affiliate_id: UUID, facts: AccountFacts, *, asked_at: datetime, cause: Cause
    ) -> Recorded:
        """Write down facts that were just retrieved."""
        affiliate = self._books.lock(affiliate_id)
        return self._standings.write(affiliate, facts, asked_at=asked_at, cause=cause)

    def check(self, affiliate_id: UUID, *, cause: Cause) -> tuple[Affiliate, bool]:
        """“Check status”: whether Stripe was asked; not again so soon after the last time. Raises StripeIsAway."""
        affiliate, may_ask = self._take_turn(affiliate_id)
        return (self.sync(affiliate_id, cause=cause), True) if may_ask else (affiliate, False)

    def poll(self, affiliate: Affiliate, *, cause: Cause) -> Affiliate:
        """What the status poll shows: the row that was just read, or what became of it where Stripe was asked, which
        happens now and then while it is pending."""
        if affiliate.stripe_account_status is not AccountStatus.pending or self._was_just_asked(affiliate):
            return affiliate
        try:
            return self.check(affiliate.id, cause=cause)[0]
        except StripeIsAway:
            return affiliate

    @writing
    def _take_turn(self, affiliate_id: UUID) -> tuple[Affiliate, bool]:
        """Whether whoever waits in front of a page may have Stripe asked now; noted before it is, so that a Stripe
        that does not answer is not asked by every poll."""
        affiliate = self._books.lock(affiliate_id)
        if affiliate.stripe_account_id is None or self._was_just_asked(affiliate):
            return affiliate, False
        affiliate.stripe_asked_at = self._clock.real_now()
        return affiliate, True

    @reading
    def affiliate_of(self, account_id: str) -> UUID | None:
        """Whose account this is."""
        return self._database.scalar(sa.select(Affiliate.id).where(Affiliate.stripe_account_id == account_id))

    def _was_just_asked(self, affiliate: Affiliate) -> bool:
        since = self._clock.real_now() - timedelta(seconds=CHECK_EVERY_SECONDS)
        return affiliate.stripe_asked_at is not None and affiliate.stripe_asked_at > since

    @reading
    def _get(self, affiliate_id: UUID) -> Affiliate:
        return self._database.get_one(Affiliate, affiliate_id)


def is_disconnected(affiliate: Affiliate) -> bool:
    """Whether the stored account is gone, so that connecting again means a new one."""
    return affiliate.stripe_account_detail is AccountDetail.disconnected
