"""Reading events: https://docs.stripe.com/api/events/list"""

from __future__ import annotations

from portal.sandbox.errors import InvalidParameter, no_such
from portal.sandbox.lists import page
from portal.sandbox.state import Call
from portal.sandbox.store import Document, public

_MOST_TYPES = 20


def list_events(call: Call) -> Document:
    """`GET /v1/events`: the platform's own, or those of the account that Stripe-Account names."""
    params = call.params
    where: dict[str, object] = {"_owner": call.owner}
    if "type" in params and "types" in params:
        raise InvalidParameter("You may only specify one of these parameters: type, types.", param="types")
    if len(params.get("types", [])) > _MOST_TYPES:
        raise InvalidParameter(f"You may only specify up to {_MOST_TYPES} types.", param="types")
    if "type" in params:
        where["type"] = _matching(call, params["type"])
    elif params.get("types"):
        where["type"] = tuple(params["types"])
    if "delivery_success" in params:
        where["_delivered"] = params["delivery_success"]
    return page(call, "event", url="/v1/events", where=where)


def _matching(call: Call, wanted: str) -> object:
    if not wanted.endswith("*"):
        return wanted
    known = {event["type"] for event in call.store.select("event", where={"_owner": call.owner})}
    return tuple(name for name in known if name.startswith(wanted[:-1])) or ("",)


def retrieve(call: Call) -> Document:
    """`GET /v1/events/{id}`"""
    event = call.store.get("event", call.ids["id"])
    if event is None or event["_owner"] != call.owner:
        raise no_such("event", call.ids["id"])
    return public(event)
