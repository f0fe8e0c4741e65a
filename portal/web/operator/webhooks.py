"""The log of Stripe's events: what came in, what it did, and having one worked on again."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime

from flask import Blueprint, Flask, Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.domain.errors import InvalidInput, NotFound
from portal.domain.roles import Act
from portal.domain.texts import is_clean
from portal.domain.webhook_endpoints import SCOPE_WORDS
from portal.models import EventState, WebhookEvent
from portal.models.base import MOST_COUNTED
from portal.services.event_log import EventFilter, EventPlace
from portal.web.access import access, cause
from portal.web.filters import LONGEST_FILTER, chosen, filter_text
from portal.web.operator.words import EVENT_WORDS, REFUSAL_WORDS
from portal.web.rendering import render
from portal.wiring import services

pages = Blueprint("operator_webhooks", __name__, url_prefix="/operator/webhooks")

PAGE_ROWS = 50
BACKFILLS_SHOWN = 5


@pages.get("")
@access("operator")
def index() -> Response:
    wanted, past = _wanted(), _past()
    found = services().event_log.newest(wanted, past=past, limit=PAGE_ROWS + 1)
    shown, kept = found[:PAGE_ROWS], _kept(wanted)
    return render(
        "operator/webhooks/index.html",
        events=shown,
        wanted=wanted,
        kept=kept,
        words=EVENT_WORDS,
        past=past,
        backfills=services().event_backfills.newest(limit=BACKFILLS_SHOWN),
        health=None if past or any(kept.values()) else _health(),
        following=_place_of(shown[-1]) if len(found) > PAGE_ROWS else None,
    )


@pages.get("/<event_id>")
@access("operator")
def show(event_id: str) -> Response:
    event = services().event_log.get(_readable(event_id))
    account_id = event.account_id or (event.object_id or "")
    is_transfer = event.type.startswith("transfer.") and event.object_id is not None
    return render(
        "operator/webhooks/show.html",
        event=event,
        affiliate=services().affiliate_search.with_account(account_id),
        payout=services().payout_queue.by_transfer(event.object_id or "") if is_transfer else None,
        lines=services().audit_trail.of("webhook_event", event.id),
        words=EVENT_WORDS,
    )


@pages.post("/<event_id>/replay")
@access("operator", act=Act.replay)
def replay(event_id: str) -> AnyResponse:
    event = services().event_log.replay(_readable(event_id), cause=cause())
    services().look_at_events()
    flash("It is worked on again, from what Stripe says now.", "verified")
    return redirect(url_for("operator_webhooks.show", event_id=event.id), 303)


@pages.post("/replay-failed")
@access("operator", act=Act.replay)
def replay_failed() -> AnyResponse:
    count = services().event_log.replay_failed(cause=cause())
    services().look_at_events()
    flash(f"{count} {'event is' if count == 1 else 'events are'} worked on again.", "verified")
    return redirect(url_for("operator_webhooks.index"), 303)


@pages.post("/self-test")
@access("operator", act=Act.test_webhooks)
def self_test() -> AnyResponse:
    """Have the worker try it; pressed again while that lasts, it is the same test."""
    services().webhook_self_tests.request(cause=cause())
    services().sweep_soon()
    flash("Asked for. The worker tries it within a minute; this page then says what it found.", "verified")
    return redirect(url_for("operator_webhooks.index"), 303)


def _health() -> Mapping[str, object]:
    """What stands above the log."""
    services().webhook_tally.write_what_is_due()
    return {
        "facts": services().webhook_health.get(),
        "self_test": services().webhook_self_tests.newest(),
        "scopes": SCOPE_WORDS,
        "refusals": REFUSAL_WORDS,
        "address": services().settings.webhook_address,
        "most": MOST_COUNTED,
    }


def _readable(event_id: str) -> str:
    if len(event_id) > LONGEST_FILTER or not is_clean(event_id):
        raise NotFound("There is no such event.")
    return event_id


def _wanted() -> EventFilter:
    return EventFilter(
        state=chosen("state", EventState), type=filter_text("type"), account_id=filter_text("account")
    )


def _kept(wanted: EventFilter) -> Mapping[str, str | None]:
    """The filters as an address carries them."""
    return {"state": wanted.state, "type": wanted.type, "account": wanted.account_id}


def _place_of(event: WebhookEvent) -> str:
    text = f"{event.received_at.isoformat()} {event.id}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _past() -> EventPlace | None:
    """The event after which a page begins. Raises InvalidInput."""
    text = request.args.get("past", "")
    if not text:
        return None
    try:
        plain = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode()
        moment, _, event_id = plain.partition(" ")
        received_at = datetime.fromisoformat(moment)
    except (binascii.Error, ValueError):
        raise _no_such_page() from None
    if received_at.tzinfo is None or not is_clean(event_id):
        raise _no_such_page()
    return EventPlace(received_at, event_id)


def _no_such_page() -> InvalidInput:
    return InvalidInput([("past", "There is no such page. Follow the links under the list.")])


def register(app: Flask) -> None:
    app.register_blueprint(pages)
