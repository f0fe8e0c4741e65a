"""Several payouts of the queue decided at once: what is selected, a preview, and the result of a decision."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from flask import Blueprint, Flask, Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.domain.decisions import DecisionKind, DecisionOutcome
from portal.domain.errors import InvalidInput, PortalError
from portal.domain.gate import RequestKeyIsMissing
from portal.domain.roles import Act
from portal.models.base import new_id
from portal.services.decisions import totals_of
from portal.web.access import access, cause, current_user
from portal.web.forms import problems_of
from portal.web.kept_forms import typed_fields
from portal.web.operator.fields import cause_with, form_text
from portal.web.operator.words import DECISION_WORDS, DONE_WORDS, NONE_WORDS
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
    asked = typed_fields() if "kept" in request.args else request.args
    ids = _ids(asked.getlist("payout"))
    if not ids:
        flash("Select at least one payout first.", "pending")
        return redirect(url_for("operator_payouts.index", status="requested"), 303)
    return _preview(_kind(asked.get("action", "")), ids)


def _act() -> Act:
    """What the form is about to do."""
    return _kind(request.form.get("action", "")).act


@pages.post("/bulk")
@access("operator", act=_act, form_at="operator_decisions.preview")
def decide() -> AnyResponse:
    """Do it, once, with exactly those listed."""
    kind, ids = _kind(request.form.get("action", "")), _ids(request.form.getlist("payout"))
    try:
        key = _key()
        missing = "Say why; the affiliates read it." if kind is DecisionKind.reject else None
        why = cause_with(form_text("reason", missing=missing)) if kind.has_words else cause()
        services().decisions.decide(
            key, kind, ids, decided_by=current_user().user_id, cause=why, references=_references(ids)
        )
    except PortalError as refusal:
        return _preview(kind, ids, refusal)
    return redirect(url_for("operator_decisions.show", key=key), 303)


@pages.get("/bulk/<uuid:key>")
@access("operator")
def show(key: UUID) -> Response:
    record = services().decision_records.get(key)
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
        none_words=NONE_WORDS[kind],
        eligible=found.eligible,
        skipped=found.skipped,
        totals=totals_of([each.payout for each in found.eligible]),
        key=new_id(),
        typed_reason=typed_fields().get("reason", ""),
        references=_references(ids),
        problems=problems_of(refusal) if refusal else {},
    )


def _references(ids: Iterable[UUID]) -> dict[UUID, str]:
    """What was typed for each payment by hand."""
    return {each: typed_fields().get(f"reference-{each}", "") for each in ids}


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
