"""What the card about an affiliate's Stripe account shows beyond the row itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import url_for

from portal.domain.account_refusals import CountryIsNotServed
from portal.domain.accounts import AccountDetail, AccountStatus, Requirements
from portal.domain.requirements import PlainRequirement, plain_requirements
from portal.domain.sentences import Sentence
from portal.models import Affiliate
from portal.services.affiliate_search import STUCK_DAYS
from portal.services.onboarding import is_country_served
from portal.web.coming_back import Waiting, waiting
from portal.web.words import STILL_CHECKING
from portal.wiring import services


@dataclass(frozen=True)
class StripeCard:
    """`mark` and `poll_url` are there while the card asks for news by itself; `announcement` is said aloud once.
    `not_served` is why Stripe is no way for them, `sends_again_at` (UTC) the end of the wait after a change of bank."""

    heading: str
    wanted: Sequence[PlainRequirement]
    can_onboard: bool
    not_served: str | None
    days_waiting: int
    is_stuck: bool
    sends_again_at: datetime | None
    is_overdue: bool
    mark: str | None
    poll_url: str | None
    note: str
    announcement: str


def stripe_card(
    affiliate: Affiliate, mark: str | None = None, *, note: str = "", announcement: str = ""
) -> StripeCard:
    """The card of this affiliate; `mark` is that of somebody who came back from Stripe, if there is one."""
    state = waiting(mark, affiliate.id)
    is_pending = affiliate.stripe_account_status is AccountStatus.pending
    is_polling = is_pending and state is Waiting.polling
    if is_pending and state is Waiting.given_up and not note:
        note = STILL_CHECKING
        announcement = announcement or note
    now = services().clock.now()
    changed_at, deadline_at = affiliate.detail_changed_at, affiliate.stripe_deadline_at
    days_waiting = (now - changed_at).days if is_pending and changed_at else 0
    is_served = is_country_served(affiliate, services().settings)
    return StripeCard(
        heading=_heading(affiliate, state),
        wanted=plain_requirements(Requirements.from_json(affiliate.stripe_requirements or {})),
        can_onboard=not affiliate.is_blocked,
        not_served=None if is_served else CountryIsNotServed(affiliate.country).sentence,
        days_waiting=days_waiting,
        is_stuck=days_waiting >= STUCK_DAYS,
        sends_again_at=_sends_again_at(affiliate, now),
        is_overdue=deadline_at is not None and deadline_at <= now,
        mark=mark if is_polling else None,
        poll_url=url_for("onboarding.status", seen=affiliate.version, since=mark) if is_polling else None,
        note=note,
        announcement=announcement,
    )


def _sends_again_at(affiliate: Affiliate, now: datetime) -> datetime | None:
    cooldown = timedelta(hours=services().settings.bank_change_cooldown_hours)
    ends_at = affiliate.bank_changed_at + cooldown if affiliate.bank_changed_at else now
    return ends_at if ends_at > now else None


def _heading(affiliate: Affiliate, state: Waiting) -> str:
    if state is Waiting.polling:
        match affiliate.stripe_account_status, affiliate.stripe_account_detail:
            case AccountStatus.verified, _:
                return Sentence("You're all set")
            case _, AccountDetail.setup_incomplete | AccountDetail.action_required:
                return Sentence("Complete setup")
            case AccountStatus.pending, _:
                return Sentence("Checking with Stripe")
    return Sentence("Stripe account")
