"""Payout runs: what the next one would send, its confirmation, and one run while it goes on and afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, Flask, Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.domain.attempts import Outcome
from portal.domain.errors import PortalError
from portal.domain.payout_runs import RunIsOutdated, totals_text
from portal.domain.roles import Act
from portal.services.payout_previews import Preview
from portal.services.run_records import RunRecord
from portal.web.access import access, cause, current_user
from portal.web.csv_files import csv_file
from portal.web.filters import chosen
from portal.web.forms import page_after, problems_of
from portal.web.kept_forms import typed_fields
from portal.web.operator.words import HOLD_WORDS, OUTCOME_WORDS, SKIP_WORDS, TRIGGER_WORDS, WAIT_WORDS
from portal.web.rendering import nothing_changed, render, wants_fragment
from portal.wiring import services

pages = Blueprint("operator_runs", __name__, url_prefix="/operator/payouts")

PAGE_ROWS = 50

#: Of a list that is longer the rest stands in its file; of each reason to skip so many are named.
MOST_SHOWN, MOST_NAMED = 100, 12

RECENT_RUNS = 10

#: How often the page of a run looks again while it goes on.
POLL_SECONDS = 2

_COLUMNS = ("reference", "id", "affiliate_code", "amount", "currency", "is_sent", "skipped_because")


@pages.get("/run")
@access("operator")
def preview() -> Response:
    return _preview()


@pages.get("/run.csv")
@access("operator")
def preview_as_csv() -> Response:
    """The same list as a file, with what is skipped; amounts are minor units."""
    return csv_file("next-run.csv", _COLUMNS, _csv_rows(services().payout_previews.next()))


@pages.post("/run")
@access("operator", act=Act.run, form_at="operator_runs.preview")
def run() -> AnyResponse:
    """Have the worker send exactly the list that was looked at."""
    try:
        confirmed = services().payout_runs.confirm(
            _run_id(), total=request.form.get("total", ""), confirmed_by=current_user().user_id, cause=cause()
        )
    except PortalError as refusal:
        return _preview(refusal)
    services().sweep_soon()
    flash("Confirmed. This page shows how far the run is. You may close it and come back.", "verified")
    return redirect(url_for("operator_runs.show", run_id=confirmed.id), 303)


@pages.get("/runs/<uuid:run_id>")
@access("operator")
def show(run_id: UUID) -> Response:
    record = services().run_records.get(run_id)
    if wants_fragment() and request.args.get("seen") == _as_seen(record):
        return nothing_changed()
    outcome, after = chosen("outcome", Outcome), page_after()
    found = services().run_records.lines(run_id, outcome=outcome, after=after, limit=PAGE_ROWS + 1)
    shown = found[:PAGE_ROWS]
    kept: dict[str, Any] = {"run_id": run_id, "outcome": outcome, "after": after}
    is_left = record.is_left(services().clock.now())
    is_going_on = _is_going_on(record)
    return render(
        "operator/runs/show.html",
        "operator/runs/_change.html",
        record=record,
        run=record.run,
        lines=shown,
        outcome=outcome,
        outcomes=OUTCOME_WORDS,
        hold_words=HOLD_WORDS,
        wait_words=WAIT_WORDS,
        triggers=TRIGGER_WORDS,
        is_left=is_left,
        after=after,
        following=shown[-1].payout.number if len(found) > PAGE_ROWS else None,
        poll_url=url_for("operator_runs.show", **kept, seen=_as_seen(record)) if is_going_on else None,
        poll_seconds=POLL_SECONDS,
    )


def _preview(refusal: PortalError | None = None) -> Response:
    """The list as it stands now, with what was refused, if anything was."""
    preview = services().payout_previews.next()
    balance = services().platform_balance.look()
    recent = services().run_records.newest(limit=RECENT_RUNS)
    totals = preview.totals
    return render(
        "operator/runs/preview.html",
        status=refusal.status if refusal else 200,
        preview=preview,
        listed=preview.listed,
        totals=totals,
        covers=balance.against(totals) if balance else [],
        balance=balance,
        skip_words=SKIP_WORDS,
        triggers=TRIGGER_WORDS,
        recent=recent,
        last=next((each for each in recent if each.run.paid), None),
        under_way=next((each for each in recent if _is_going_on(each)), None),
        why_stopped=services().payout_control.why_stopped(),
        to_type=totals_text(totals),
        typed_total="" if refusal and refusal.status != 422 else typed_fields().get("total", ""),
        most_shown=MOST_SHOWN,
        most_named=MOST_NAMED,
        problems=problems_of(refusal) if refusal else {},
    )


def _is_going_on(record: RunRecord) -> bool:
    return record.run.finished_at is None and not record.is_left(services().clock.now())


def _run_id() -> UUID:
    try:
        return UUID(request.form.get("run_id", ""))
    except ValueError:
        raise RunIsOutdated("This form names no list. Look at the one below.") from None


def _as_seen(record: RunRecord) -> str:
    """Changes whenever the page of a run would read otherwise."""
    taken = "taken" if record.run.taken_at else "waiting"
    return f"{taken}-{record.done}-{'over' if record.run.finished_at else 'on'}"


def _csv_rows(preview: Preview) -> Iterator[Sequence[object]]:
    for line in preview.lines:
        yield (
            line.reference, line.payout_id, line.affiliate_code, line.money.amount, line.money.currency,
            line.skipped is None, line.skipped,
        )  # fmt: skip


def register(app: Flask) -> None:
    app.register_blueprint(pages)
