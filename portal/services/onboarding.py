"""The way into Stripe's hosted onboarding: a fresh link for each visit, to the one account of the affiliate."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import structlog

from portal.clock import Clock
from portal.config import Settings
from portal.domain.account_refusals import CountryIsNotServed
from portal.domain.accounts import AccountStatus
from portal.domain.errors import PortalError, StripeIsAway
from portal.domain.gate import AccountIsBlocked, StripeAccountWasRejected
from portal.domain.payouts import PayoutMethod
from portal.domain.sentences import Sentence
from portal.gateways.stripe import StripeGateway, StripeProblemError, StripeRefusedError
from portal.models import Affiliate
from portal.models.base import Database, reading, writing
from portal.services.account_making import NOT_OPENED, AccountMaking
from portal.services.accounts import is_disconnected
from portal.services.books import Books
from portal.services.journal import Cause

log = structlog.get_logger(__name__)

#: Two visits to the refresh route this soon after one another are a loop, not a person.
REFRESH_LOOP_SECONDS = 60


class PreferenceIsNotStripe(PortalError):
    code = "preference_not_fiat"


class LinkWasJustRefreshed(PortalError):
    """The second refresh within a minute: a loop is broken by a page with a button."""

    code = "link_refreshed"


class NothingToRefresh(PortalError):
    code = "no_account"


class Onboarding:
    """Makes the Express account once and opens Stripe's pages for it."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        settings: Settings,
        stripe: StripeGateway,
        books: Books,
        making: AccountMaking,
    ) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._stripe = stripe
        self._books = books
        self._making = making

    def start(self, affiliate_id: UUID, *, cause: Cause) -> str:
        """The address of a fresh account link, after making the account if there is none. It is a bearer secret.
        Raises a refusal (409) or StripeIsAway (503); nothing is concluded from an unknown outcome."""
        affiliate = self._get(affiliate_id)
        self._refuse(affiliate)
        account_id = affiliate.stripe_account_id
        if account_id is None or is_disconnected(affiliate):
            account_id = self._making.make(affiliate_id, cause=cause)
        base = self._settings.base_url
        try:
            return self._stripe.create_account_link(
                account_id, refresh_url=f"{base}/stripe/refresh", return_url=f"{base}/stripe/return"
            )
        except StripeProblemError as problem:
            log.error("account_link.not_made", account=account_id, problem=str(problem))
            raise StripeIsAway(NOT_OPENED) from problem

    def refresh(self, affiliate_id: UUID, *, cause: Cause) -> str:
        """A new link for somebody who came back with an old one. Raises LinkWasJustRefreshed, NothingToRefresh, and
        what `start` raises."""
        self._note_refresh(affiliate_id)
        return self.start(affiliate_id, cause=cause)

    def dashboard_link(self, affiliate_id: UUID, *, cause: Cause) -> str:
        """The address of the Express dashboard, or of onboarding while that is unfinished."""
        affiliate = self._get(affiliate_id)
        if affiliate.stripe_account_id is None or not affiliate.stripe_onboarding_complete:
            return self.start(affiliate_id, cause=cause)
        try:
            return self._stripe.create_login_link(affiliate.stripe_account_id)
        except StripeRefusedError:  # onboarding was reopened since we last looked
            return self.start(affiliate_id, cause=cause)
        except StripeProblemError as problem:
            raise StripeIsAway(NOT_OPENED) from problem

    def _refuse(self, affiliate: Affiliate) -> None:
        if affiliate.is_blocked:
            raise AccountIsBlocked
        if affiliate.stripe_account_status is AccountStatus.rejected:
            raise StripeAccountWasRejected
        if affiliate.preferred_payout_type is not PayoutMethod.fiat:
            raise PreferenceIsNotStripe(Sentence("Choose Stripe in the payout preferences first."))
        if not is_country_served(affiliate, self._settings):
            raise CountryIsNotServed(affiliate.country)

    @writing
    def _note_refresh(self, affiliate_id: UUID) -> None:
        affiliate = self._books.lock(affiliate_id)
        now = self._clock.real_now()
        if affiliate.stripe_account_id is None:
            raise NothingToRefresh(
                Sentence("There is no Stripe set-up to go on with. Start it from your dashboard.")
            )
        last = affiliate.link_refreshed_at
        if last is not None and now - last < timedelta(seconds=REFRESH_LOOP_SECONDS):
            raise LinkWasJustRefreshed(
                Sentence("Your Stripe link has expired. Open Stripe again with the button.")
            )
        affiliate.link_refreshed_at = now

    @reading
    def _get(self, affiliate_id: UUID) -> Affiliate:
        return self._database.get_one(Affiliate, affiliate_id)


def is_country_served(affiliate: Affiliate, settings: Settings) -> bool:
    """Whether an account there is, or may be made, where the affiliate is."""
    has_account = affiliate.stripe_account_id is not None and not is_disconnected(affiliate)
    return has_account or affiliate.country in settings.stripe_countries
