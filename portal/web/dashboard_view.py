"""What the dashboard shows, whole or as the parts that change by themselves."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import url_for

from portal.models import Affiliate, BankPayout, Payout
from portal.services.offers import Offer
from portal.web.stripe_card import StripeCard, stripe_card
from portal.wiring import services

#: The rest is on the page of all payouts.
RECENT_PAYOUTS = 5


@dataclass(frozen=True)
class DashboardView:
    """`seen` changes with whatever of it changes; at `news_url` the page asks whether it did."""

    affiliate: Affiliate
    offer: Offer
    payouts: Sequence[Payout]
    banks: Mapping[UUID, BankPayout]
    card: StripeCard
    seen: str
    news_url: str


def dashboard_view(
    affiliate: Affiliate, mark: str | None = None, *, note: str = "", announcement: str = ""
) -> DashboardView:
    """The dashboard of this affiliate; `mark` is that of somebody who came back from Stripe, if there is one."""
    offer = services().offers.of(affiliate.id, latest=RECENT_PAYOUTS)
    card = stripe_card(affiliate, mark, note=note, announcement=announcement)
    seen = _as_seen(affiliate, offer)
    return DashboardView(
        affiliate=affiliate,
        offer=offer,
        payouts=offer.latest,
        banks=offer.banks,
        card=card,
        seen=seen,
        news_url=url_for("dashboard.news", seen=seen, since=card.mark),
    )


def _as_seen(affiliate: Affiliate, offer: Offer) -> str:
    """What a page that shows this has shown; the times at which runs go out pass by without being news."""
    seen: list[object] = [affiliate.version, offer.balances, *offer.releases, offer.retry_at]
    seen += [(payout.id, payout.status) for payout in offer.latest]
    seen += [(bank.id, bank.stage, bank.arrival_on) for bank in offer.banks.values()]
    return hashlib.sha256("\n".join(map(str, seen)).encode()).hexdigest()[:16]
