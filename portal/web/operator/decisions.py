"""Several payouts of the queue decided at once: what is selected, a preview, and the result of a decision."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from flask import Blueprint, Flask, Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.domain.decisions import DecisionKind, DecisionOutcome
from portal.domain.errors import InvalidInput, PortalError
from portal.domain.gate import RequestKeyIsMissing
from portal.models.base import new_id
from portal.services.decisions import totals_of
from portal.web.access import access, cause, current_user
from portal.web.forms import problems_of
from portal.web.operator.fields import cause_with, form_text, may_change
from portal.web.operator.words import DECISION_WORDS, DONE_WORDS
from portal.web.rendering import render, wants_fragment
from portal.wiring import services

pages = Blueprint("operator_decisions", __name__, url_prefix="/operator/payouts")


@pages.get("/selection")
@access("operator")
def selection() -> AnyResponse:
    """How many payouts are selected and what they come to: the bar under the queue."""
    if not wants_fragment():
        return redirect(url_for("operator_payouts.index", status="requested"), 303)
    count, totals = services().decisions.totals(_ids(request.args.getlist("payout")))
    return render("operator/decisions/_selection.html", count=count, totals=totals)


@pages.get("/bulk")
@access("operator")
def preview() -> AnyResponse:
    """With whom it would be done and with whom not. Nothing is changed here."""
    ids = _ids(request.args.getlist("payout"))
    if not ids:
        flash("Select at least one payout first.", "pending")
        return redirect(url_for("operator_payouts.index", status="requested"), 303)
    return _preview(_kind(request.args.get("action", "")), ids)


@pages.post("/bulk")
@access("operator")
def decide() -> AnyResponse:
    """Do it, once, with exactly those listed."""
    kind, ids = _kind(request.form.get("action", "")), _ids(request.form.getlist("payout"))
    try:
        key = _key()
        missing = "Say why; the affiliates read it." if kind is DecisionKind.reject else None
        why = cause() if kind is DecisionKind.approve else cause_with(form_text("reason", missing=missing))
        services().decisions.decide(key, kind, ids, decided_by=current_user().user_id, cause=why)
    except PortalError as refusal:
        return _preview(kind, ids, refusal)
    return redirect(url_for("operator_decisions.show", key=key), 303)


@pages.get("/bulk/<uuid:key>")
@access("operator")
def show(key: UUID) -> Response:
    record = services().decisions.get(key)
    return render(
        "operator/decisions/show.html",
        record=record,
        decision=record.decision,
        summary=_summary(record.decision.kind, record.counts),
    )


def _preview(kind: DecisionKind, ids: list[UUID], refusal: PortalError | None = None) -> Response:
    """The list as it stands now, with what was refused, if anything was."""
    found = services().decisions.look(kind, ids, decided_by=current_user().user_id, cause=cause())
    return render(
        "operator/decisions/preview.html",
        status=refusal.status if refusal else 200,
        kind=kind,
        words=DECISION_WORDS[kind],
        eligible=found.eligible,
        skipped=found.skipped,
        totals=totals_of([each.payout for each in found.eligible]),
        key=new_id(),
        may_change=may_change(),
        typed_reason=request.form.get("reason", ""),
        problems=problems_of(refusal) if refusal else {},
    )


def _summary(kind: DecisionKind, counts: dict[DecisionOutcome, int]) -> str:
    """`17 approved, 1 skipped`."""
    parts = [f"{counts[each]} {words}" for each, words in DONE_WORDS[kind].items() if counts.get(each)]
    return ", ".join(parts) or "Nothing done yet"


def _kind(text: str) -> DecisionKind:
    if text not in set(DecisionKind):
        raise InvalidInput([("action", f"Choose one of: {', '.join(DecisionKind)}.")])
    return DecisionKind(text)


def _ids(texts: Iterable[str]) -> list[UUID]:
    """The payouts that were selected, each once. Raises InvalidInput."""
    try:
        return list(dict.fromkeys(UUID(text) for text in texts))
    except ValueError:
        raise InvalidInput([("payout", "That is no payout's id. Select payouts in the queue.")]) from None


def _key() -> UUID:
    try:
        return UUID(request.form.get("request_key", ""))
    except ValueError:
        raise RequestKeyIsMissing from None


def register(app: Flask) -> None:
    app.register_blueprint(pages)
