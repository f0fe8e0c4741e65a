"""The payout queue, one payout with every attempt to send it, and what operators decide about it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from flask import Blueprint, Flask, Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.domain.decisions import DecisionKind
from portal.domain.errors import InvalidInput, PortalError
from portal.domain.payouts import PayoutMethod, PayoutStatus
from portal.domain.roles import Act
from portal.models import Payout
from portal.services.payout_queue import PayoutFile, PayoutFilter, QueuedPayout
from portal.web.access import access, cause, current_user
from portal.web.csv_files import BATCH_ROWS, all_pages, csv_file
from portal.web.filters import chosen, filter_text
from portal.web.forms import page_before, problems_of
from portal.web.kept_forms import typed_fields
from portal.web.operator.fields import cause_with, form_text, may, who_may
from portal.web.operator.words import DECISION_WORDS, HOLD_WORDS, WAIT_WORDS
from portal.web.rendering import render
from portal.web.words import PAYOUT_WORDS
from portal.wiring import services

pages = Blueprint("operator_payouts", __name__, url_prefix="/operator")

PAGE_ROWS = 50

#: What happens to what was approved.
_NEXT = {
    PayoutMethod.fiat: "It goes out with the next run.",
    PayoutMethod.crypto: "Pay it by hand, then note it here.",
}

_COLUMNS = (
    "id", "reference", "affiliate_code", "status", "hold_reason", "amount", "currency", "amount_reversed",
    "method", "transfer_id", "created_at", "approved_at", "paid_at",
)  # fmt: skip


@pages.get("/payouts")
@access("operator")
def index() -> Response:
    wanted = _wanted()
    past = page_before()
    found = services().payout_queue.page(wanted, past=past, limit=PAGE_ROWS + 1)
    shown = found[:PAGE_ROWS]
    kinds = _kinds(shown)
    refusals = _refusals(shown) if DecisionKind.approve in kinds else {}
    eligible = {payout_id for payout_id, refusal in refusals.items() if refusal is None}
    by_hand = _fitting(shown, DecisionKind.mark_paid) if DecisionKind.mark_paid in kinds else set()
    return render(
        "operator/payouts/index.html",
        rows=shown,
        refusals=refusals,
        eligible=eligible,
        by_hand=by_hand,
        selected={"eligible": eligible, "by-hand": by_hand}.get(request.args.get("select", ""), set()),
        selectable=set().union(*(_fitting(shown, kind) for kind in kinds)),
        kinds=[(kind, DECISION_WORDS[kind]) for kind in kinds],
        who_may=who_may(*(kind.act for kind in DecisionKind if _fitting(shown, kind))),
        banks=services().bank_payouts.current_of([row.payout.id for row in shown]),
        wanted=wanted,
        filters=[(value.value, words) for value, words in PAYOUT_WORDS.items()],
        now=services().clock.now(),
        hold_words=HOLD_WORDS,
        kept=_kept(wanted),
        past=past,
        following=shown[-1].payout.number if len(found) > PAGE_ROWS else None,
    )


@pages.get("/payouts.csv")
@access("operator")
def as_csv() -> Response:
    """The same payouts as a file, all of them; amounts are minor units."""
    wanted = _wanted()
    return csv_file("payouts.csv", _COLUMNS, _csv_rows(wanted))


@pages.get("/payouts/<uuid:payout_id>")
@access("operator")
def show(payout_id: UUID) -> Response:
    return _page(payout_id)


@pages.post("/payouts/<uuid:payout_id>/approve")
@access("operator", act=Act.approve, form_at="operator_payouts.show")
def approve(payout_id: UUID) -> AnyResponse:
    try:
        payout = services().approvals.approve(payout_id, approver=current_user().user_id, cause=cause())
    except PortalError as refusal:
        return _page(payout_id, refusal=refusal)
    if payout.status is PayoutStatus.requested:
        return _done(payout, "has the first of two approvals. Another operator must approve it too.")
    is_stopped = services().payout_control.why_stopped() is not None
    return _done(
        payout, f"is approved. {'Sending is stopped at the moment.' if is_stopped else _NEXT[payout.method]}"
    )


@pages.post("/payouts/<uuid:payout_id>/reject")
@access("operator", act=Act.reject, form_at="operator_payouts.show")
def reject(payout_id: UUID) -> AnyResponse:
    try:
        reason = form_text("reason", missing="Say why; the affiliate reads it.")
        payout = services().payouts.reject(payout_id, cause=cause_with(reason))
    except PortalError as refusal:
        return _page(payout_id, refusal=refusal)
    return _done(payout, "is declined. The money is back in the affiliate's balance.")


@pages.post("/payouts/<uuid:payout_id>/cancel")
@access("operator", act=Act.cancel)
def cancel(payout_id: UUID) -> AnyResponse:
    try:
        payout = services().payouts.cancel(payout_id, cause=cause_with(form_text("reason")))
    except PortalError as refusal:
        return _page(payout_id, refusal=refusal)
    return _done(payout, "is canceled. The money is back in the affiliate's balance.")


@pages.post("/payouts/<uuid:payout_id>/retry")
@access("operator", act=Act.retry)
def retry(payout_id: UUID) -> AnyResponse:
    try:
        done = services().payout_control.retry(payout_id, cause=cause())
    except PortalError as refusal:
        return _page(payout_id, refusal=refusal)
    flash(done, "info")
    return redirect(url_for("operator_payouts.show", payout_id=payout_id), 303)


@pages.post("/payouts/<uuid:payout_id>/mark-paid")
@access("operator", act=Act.mark_paid, form_at="operator_payouts.show")
def mark_paid(payout_id: UUID) -> AnyResponse:
    """Of `crypto` alone: an operator has paid it by hand."""
    try:
        reference = form_text("reference", missing="Give what the payment is found by.")
        payout = services().payout_control.mark_paid(
            payout_id, reference=reference, paid_by=current_user().user_id, cause=cause_with(reference)
        )
    except PortalError as refusal:
        return _page(payout_id, refusal=refusal)
    return _done(payout, "is paid.")


def _kinds(rows: Sequence[QueuedPayout]) -> list[DecisionKind]:
    """What this operator may do with at least one of these."""
    return [kind for kind in DecisionKind if may(kind.act) and _fitting(rows, kind)]


def _fitting(rows: Sequence[QueuedPayout], kind: DecisionKind) -> set[UUID]:
    """Those that it is worth offering for."""
    return {row.payout.id for row in rows if kind.makes_sense(row.payout.status, row.payout.method)}


def _refusals(rows: Sequence[QueuedPayout]) -> Mapping[UUID, PortalError | None]:
    """Of each request, why this operator can't approve it now, if so."""
    asked = [row.payout.id for row in rows if row.payout.status is PayoutStatus.requested]
    if not asked:
        return {}
    me = current_user().user_id
    found = services().decisions.look(DecisionKind.approve, asked, decided_by=me, cause=cause())
    return {each.payout.id: each.refusal for each in found.candidates}


def _page(payout_id: UUID, *, refusal: PortalError | None = None) -> Response:
    """The payout as it stands now, with what was refused, if anything was."""
    file = services().payout_queue.file(payout_id)
    banks = services().bank_payouts.of_payout(payout_id)
    me = current_user().user_id
    is_own = me in {file.payout.requested_by, file.affiliate.user_id}
    is_first_approver = file.first_approval is not None and file.first_approval.approved_by == me
    acts = set(_acts(file, is_own=is_own, is_first_approver=is_first_approver))
    return render(
        "operator/payouts/show.html",
        status=refusal.status if refusal else 200,
        file=file,
        payout=file.payout,
        banks=banks,
        bank=banks[-1] if banks else None,
        affiliate=file.affiliate,
        hold_words=HOLD_WORDS,
        wait_words=WAIT_WORDS,
        is_own=is_own,
        is_first_approver=is_first_approver,
        acts={act for act in acts if may(act)},
        who_may=who_may(*acts),
        typed={name: typed_fields().get(name, "") for name in ("reason", "reference")},
        problems=problems_of(refusal) if refusal else {},
    )


def _acts(file: PayoutFile, *, is_own: bool, is_first_approver: bool) -> Iterator[str]:
    """What makes sense now, so that no button leads to a refusal; the services have the last word."""
    payout = file.payout
    is_late = payout.wait_reason is not None or payout.next_try_at is not None or file.fault is not None
    is_refused = {
        DecisionKind.approve: is_own or is_first_approver or file.refusal is not None,
        DecisionKind.mark_paid: is_own,
        DecisionKind.retry: payout.status is PayoutStatus.approved and not is_late,
    }
    for kind in DecisionKind:
        if kind.makes_sense(payout.status, payout.method) and not is_refused.get(kind, False):
            yield kind.value


def _done(payout: Payout, words: str) -> AnyResponse:
    flash(f"{payout.reference} {words}", "verified")
    return redirect(url_for("operator_payouts.show", payout_id=payout.id), 303)


def _wanted() -> PayoutFilter:
    reference = filter_text("reference")
    number = re.fullmatch(r"(?:P-)?([0-9]{1,18})", reference, re.IGNORECASE) if reference else None
    if reference and number is None:
        raise InvalidInput([("reference", "Give a payout's reference, such as P-1042.")])
    return PayoutFilter(
        status=chosen("status", PayoutStatus),
        affiliate_code=filter_text("affiliate"),
        is_parked=filter_text("parked") is not None,
        number=int(number[1]) if number else None,
    )


def _kept(wanted: PayoutFilter) -> Mapping[str, str | None]:
    """The filters as an address carries them."""
    return {
        "status": wanted.status.value if wanted.status else None,
        "affiliate": wanted.affiliate_code,
        "parked": "yes" if wanted.is_parked else None,
        "reference": f"P-{wanted.number}" if wanted.number is not None else None,
    }


def _csv_rows(wanted: PayoutFilter) -> Iterator[Sequence[object]]:
    def page(past: int | None) -> Sequence[tuple[Payout, str]]:
        found = services().payout_queue.page(wanted, past=past, limit=BATCH_ROWS)
        return [(each.payout, each.affiliate.code) for each in found]

    for payout, code in all_pages(page, place_of=lambda row: row[0].number):
        yield (
            payout.id, payout.reference, code, payout.status, payout.hold_reason, payout.amount, payout.currency,
            payout.amount_reversed, payout.method, payout.transfer_id, payout.created_at, payout.approved_at,
            payout.paid_at,
        )  # fmt: skip


def register(app: Flask) -> None:
    app.register_blueprint(pages)
