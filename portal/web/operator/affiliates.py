"""Affiliates as operators find them, one of them with all that is known, notes, unblocking and asking Stripe."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from flask import Blueprint, Flask, Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.domain.errors import InvalidInput, NotFound, PortalError, StripeIsAway
from portal.domain.roles import Act
from portal.models import Affiliate
from portal.services.affiliate_search import AffiliateFilter, Flag, StatusFilter
from portal.services.notes import LONGEST_NOTE
from portal.web.access import access, cause
from portal.web.csv_files import BATCH_ROWS, all_pages, csv_file
from portal.web.filters import chosen, filter_text
from portal.web.forms import problems_of
from portal.web.operator.fields import cause_with, form_text
from portal.web.operator.words import DETAIL_WORDS, HOLD_WORDS
from portal.web.problems import wants_problem
from portal.web.rendering import render
from portal.wiring import services

pages = Blueprint("operator_affiliates", __name__, url_prefix="/operator")

PAGE_ROWS = 50

#: The rest is a filter away.
RECENT_PAYOUTS = 10

_CODE = re.compile(r"[A-Za-z0-9_-]{1,64}")

#: What people look for again and again: words and the filters behind them.
VIEWS: Sequence[tuple[str, Mapping[str, str]]] = (
    ("All", {}),
    ("Stuck in pending over 7 days", {"flag": Flag.stuck}),
    ("Restricted", {"status": StatusFilter.restricted}),
    ("Restricted with money", {"status": StatusFilter.restricted, "flag": Flag.with_balance}),
    ("Rejected", {"status": StatusFilter.rejected}),
    ("Blocked", {"flag": Flag.blocked}),
    ("Same bank account", {"flag": Flag.shared_bank}),
    ("No Stripe account", {"status": StatusFilter.none}),
    ("Verified", {"status": StatusFilter.verified}),
)

_COLUMNS = (
    "code", "email", "name", "country", "currency", "stripe_account_status", "is_blocked", "stripe_account_id",
    "preferred_payout_type", "total_earned", "created_at",
)  # fmt: skip


@pages.get("/affiliates")
@access("operator")
def index() -> Response:
    wanted, past = _wanted(), _past()
    found = services().affiliate_search.find(wanted, past=past, limit=PAGE_ROWS + 1)
    shown = found[:PAGE_ROWS]
    return render(
        "operator/affiliates/index.html",
        rows=shown,
        wanted=wanted,
        kept=_kept(wanted),
        views=VIEWS,
        now=services().clock.now(),
        past=past,
        following=shown[-1].affiliate.code if len(found) > PAGE_ROWS else None,
    )


@pages.get("/affiliates.csv")
@access("operator")
def as_csv() -> Response:
    """The same affiliates as a file, all of them; `total_earned` is in minor units."""
    wanted = _wanted()
    return csv_file("affiliates.csv", _COLUMNS, _csv_rows(wanted))


@pages.get("/affiliates/<code>")
@access("operator")
def show(code: str) -> Response:
    return _page(code)


@pages.post("/affiliates/<code>/unblock")
@access("operator", act=Act.block)
def unblock(code: str) -> AnyResponse:
    known(code)
    try:
        services().affiliates.unblock(code, cause=cause_with(form_text("reason")))
    except PortalError as refusal:
        return _page(code, refusal=refusal)
    return back_to(code, f"{code} is not blocked any more. The next run looks at what was held.")


@pages.post("/affiliates/<code>/sync")
@access("operator", act=Act.sync)
def sync(code: str) -> AnyResponse:
    affiliate = known(code)
    if affiliate.stripe_account_id is None:
        return back_to(code, "There is no Stripe account to ask about yet.", tone="info")
    try:
        after = services().accounts.sync(affiliate.id, cause=cause())
    except StripeIsAway as away:
        if wants_problem():
            raise
        return back_to(code, away.sentence, tone="pending")
    is_changed = after.version != affiliate.version
    return back_to(code, "Stripe was asked. " + ("It is written down." if is_changed else "No change."))


@pages.post("/affiliates/<code>/notes")
@access("operator", act=Act.note)
def note(code: str) -> AnyResponse:
    """The field `text`: what operators should know about an affiliate, who never reads it."""
    known(code)
    try:
        services().notes.add(code, request.form.get("text", ""), cause=cause())
    except PortalError as refusal:
        return _page(code, refusal=refusal)
    return back_to(code, "Noted.")


@pages.post("/affiliates/<code>/accept-bank")
@access("operator", act=Act.accept_bank)
def accept_bank(code: str) -> AnyResponse:
    """The field `accepted_because` says why several affiliates are rightly paid to one bank account."""
    known(code)
    try:
        services().shared_banks.accept(code, cause=cause_with(form_text("accepted_because")))
    except PortalError as refusal:
        return _page(code, refusal=refusal)
    return back_to(code, "The shared bank account is accepted for all who use it now.")


def known(code: str) -> Affiliate:
    """The affiliate that an address names. Raises NotFound."""
    if not _CODE.fullmatch(code):
        raise NotFound("There is no such affiliate.")
    return services().affiliates.by_code(code)


def _page(code: str, *, refusal: PortalError | None = None) -> Response:
    affiliate = known(code)
    offer = services().offers.of(affiliate.id, latest=RECENT_PAYOUTS)
    return render(
        "operator/affiliates/show.html",
        status=refusal.status if refusal else 200,
        affiliate=affiliate,
        offer=offer,
        rows=offer.latest,
        banks=offer.banks,
        lines=services().audit_trail.of("affiliate", affiliate.id),
        bank_sharers=services().shared_banks.others(affiliate.id),
        earlier_accounts=services().affiliate_search.earlier_accounts(affiliate.id),
        detail_words=DETAIL_WORDS,
        hold_words=HOLD_WORDS,
        longest_note=LONGEST_NOTE,
        typed={name: request.form.get(name, "") for name in ("reason", "text", "accepted_because")},
        problems=problems_of(refusal) if refusal else {},
    )


def back_to(code: str, words: str, *, tone: str = "verified") -> AnyResponse:
    """To the page of the affiliate, saying what was done."""
    flash(words, tone)
    return redirect(url_for("operator_affiliates.show", code=code), 303)


def _wanted() -> AffiliateFilter:
    return AffiliateFilter(
        text=filter_text("q"), status=chosen("status", StatusFilter), flag=chosen("flag", Flag)
    )


def _kept(wanted: AffiliateFilter) -> Mapping[str, str | None]:
    """The filters as an address carries them."""
    return {"q": wanted.text, "status": wanted.status, "flag": wanted.flag}


def _past() -> str | None:
    """The code after which a page begins. Raises InvalidInput."""
    text = request.args.get("past", "")
    if text and not _CODE.fullmatch(text):
        raise InvalidInput([("past", "There is no such page. Follow the links under the list.")])
    return text or None


def _csv_rows(wanted: AffiliateFilter) -> Iterator[Sequence[object]]:
    def page(past: str | None) -> Sequence[Affiliate]:
        return services().affiliate_search.rows(wanted, past=past, limit=BATCH_ROWS)

    for each in all_pages(page, place_of=lambda row: row.code):
        yield (
            each.code, each.email, each.name, each.country, each.currency, each.stripe_account_status,
            each.is_blocked, each.stripe_account_id, each.preferred_payout_type, each.total_earned, each.created_at,
        )  # fmt: skip


def register(app: Flask) -> None:
    app.register_blueprint(pages)
