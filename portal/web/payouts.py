"""The affiliate's payouts: the list, the request, one payout and its cancellation."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from flask import Blueprint, Flask, Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.domain.errors import PortalError
from portal.domain.money import Money, major_units
from portal.domain.payouts import PayoutStatus
from portal.domain.sentences import Sentence
from portal.models import BankPayout, Payout
from portal.services.offers import Offer, Quote
from portal.services.payout_history import HistoryFilter
from portal.web.access import access, cause, current_affiliate, current_user
from portal.web.csv_files import BATCH_ROWS, all_pages, csv_file
from portal.web.filters import chosen, filter_day
from portal.web.forms import page_before, problems_of, typed, with_retry_after
from portal.web.payout_view import as_seen, payout_view
from portal.web.rendering import nothing_changed, render, said, wants_fragment
from portal.web.words import PAYOUT_WORDS, payout_words
from portal.wiring import services

pages = Blueprint("payouts", __name__)

PAGE_ROWS = 25

_COLUMNS = (
    "reference", "status", "amount", "currency", "taken_back", "method", "requested_at", "sent_at", "transfer",
    "in_bank_on", "bank_reference",
)  # fmt: skip

#: Once something else has happened, “Payout requested” is no news any more.
_JUST_REQUESTED = {PayoutStatus.requested, PayoutStatus.approved}


@pages.get("/payouts")
@access("affiliate")
def index() -> Response:
    affiliate, wanted, before = current_affiliate(), _wanted(), page_before()
    found = services().payout_history.page(affiliate.id, wanted, before=before, limit=PAGE_ROWS + 1)
    shown = found[:PAGE_ROWS]
    is_filtered = wanted != HistoryFilter()
    return render(
        "payouts/index.html",
        payouts=shown,
        banks=services().bank_payouts.current_of([payout.id for payout in shown]),
        wanted=wanted,
        kept=_kept(),
        is_filtered=is_filtered,
        counts=services().payout_history.counts(affiliate.id, wanted),
        filters=[(value, words) for value, words in PAYOUT_WORDS.items()],
        before=before,
        older=shown[-1].number if len(found) > PAGE_ROWS else None,
        offer=None if found or is_filtered or before else services().offers.of(affiliate.id),
    )


@pages.get("/payouts.csv")
@access("affiliate")
def as_csv() -> Response:
    """The same payouts as a file, all of them; amounts with their currency's decimals."""
    return csv_file("payouts.csv", _COLUMNS, _csv_rows(_wanted()))


@pages.get("/payouts/new")
@access("affiliate")
def new() -> Response:
    """The form; with an amount in the address, what a request of it would mean. While somebody types, that alone."""
    return _form(request.args.get("amount", ""), fragment="payouts/_typed.html")


@pages.post("/payouts")
@access("affiliate")
def create() -> AnyResponse:
    amount, request_key = typed("amount") or "", typed("request_key") or ""
    try:
        payout = services().payouts.request(
            current_affiliate().id,
            amount=amount,
            request_key=request_key,
            requested_by=current_user().user_id,
            cause=cause(),
        )
    except PortalError as refusal:
        page = _form(amount, request_key, problems=problems_of(refusal), status=refusal.status)
        return with_retry_after(page, refusal)
    return redirect(url_for("payouts.show", payout_id=payout.id, new=1), 303)


@pages.get("/payouts/<uuid:payout_id>")
@access("affiliate")
def show(payout_id: UUID) -> Response:
    payout = services().payouts.of_affiliate(current_affiliate().id, payout_id)
    banks = services().bank_payouts.of_payout(payout.id)
    if wants_fragment() and request.args.get("seen") == as_seen(payout, banks):
        return nothing_changed()
    return _page(payout, banks, is_new=request.args.get("new") == "1")


@pages.post("/payouts/<uuid:payout_id>/cancel")
@access("affiliate")
def cancel(payout_id: UUID) -> AnyResponse:
    affiliate = current_affiliate()
    payout = services().payouts.of_affiliate(affiliate.id, payout_id)
    try:
        services().payouts.cancel(payout_id, affiliate_id=affiliate.id, cause=cause())
    except PortalError as refusal:
        banks = services().bank_payouts.of_payout(payout.id)
        return _page(payout, banks, problems=problems_of(refusal), status=refusal.status)
    done = Sentence(
        "{reference} is canceled. The money is back in your available balance.", reference=payout.reference
    )
    flash(said(done), "verified")
    return redirect(url_for("payouts.show", payout_id=payout_id), 303)


def _form(
    amount: str = "",
    request_key: str = "",
    *,
    fragment: str | None = None,
    problems: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    """The form, or why there is none. The key of a form that comes back stays: sent twice, it is still one request."""
    offer = services().offers.of(current_affiliate().id)
    quote, quote_problem = _quote(offer, amount)
    return render(
        "payouts/new.html",
        fragment,
        status=status,
        affiliate=offer.affiliate,
        offer=offer,
        quote=quote,
        quote_problem=quote_problem,
        amount=amount,
        request_key=request_key or secrets.token_urlsafe(24),
        example=major_units(100, offer.balances.available.currency).to_decimal(),
        problems=problems or {},
    )


def _quote(offer: Offer, amount: str) -> tuple[Quote | None, str]:
    """What a request of the amount would mean, or why it would be refused."""
    if offer.refusal is not None:
        return None, offer.refusal.sentence
    try:
        return services().offers.quote(offer, amount), ""
    except PortalError as refusal:
        return None, refusal.sentence


def _page(
    payout: Payout,
    banks: Sequence[BankPayout],
    *,
    is_new: bool = False,
    problems: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    """`banks` are the bank payouts that carry it; the last one counts."""
    return render(
        "payouts/show.html",
        "payouts/_change.html",
        status=status,
        is_new=is_new and payout.status in _JUST_REQUESTED,
        problems=problems or {},
        **vars(payout_view(payout, banks)),
    )


def _wanted() -> HistoryFilter:
    """Raises InvalidInput."""
    return HistoryFilter(
        status=chosen("status", PayoutStatus), since=filter_day("from"), until=filter_day("to", days_later=1)
    )


def _kept() -> dict[str, str | None]:
    """The filters as they stand in the address; what is not chosen is left out of it."""
    return {name: request.args.get(name) or None for name in ("status", "from", "to")}


def _csv_rows(wanted: HistoryFilter) -> Iterator[Sequence[object]]:
    affiliate_id = current_affiliate().id

    def page(before: int | None) -> Sequence[tuple[Payout, BankPayout | None]]:
        found = services().payout_history.page(affiliate_id, wanted, before=before, limit=BATCH_ROWS)
        banks = services().bank_payouts.current_of([payout.id for payout in found])
        return [(payout, banks.get(payout.id)) for payout in found]

    for payout, bank in all_pages(page, place_of=lambda row: row[0].number):
        money, reversed_money = (
            Money(payout.amount, payout.currency),
            Money(payout.amount_reversed, payout.currency),
        )
        stage = bank.stage if bank and payout.status is PayoutStatus.paid else None
        yield (
            payout.reference, payout_words(stage or payout.status), money.as_number, payout.currency,
            reversed_money.as_number, payout.method, payout.created_at, payout.paid_at, payout.transfer_id,
            bank.arrival_on if stage and bank else None, bank.trace_id if bank else None,
        )  # fmt: skip


def register(app: Flask) -> None:
    app.register_blueprint(pages)
