"""What passes between the sandbox and the portal: deliveries, their disorder, and how many requests are taken."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from portal.sandbox.account_changes import meet_due_fates
from portal.sandbox.control_bodies import ControlRefused, body_with, integer_of, the_sandbox
from portal.sandbox.disorder import planned_disorder

Answer = tuple[dict[str, Any], int]

ENDPOINT_NAMES = ("platform", "connect")

_MOST_REDELIVERIES = 1_000

traffic = Blueprint("traffic", __name__)


@traffic.post("/webhooks")
def change_endpoints() -> Answer:
    """`{"paused": true}`: what happens from now on is never delivered; `false`: it is again. `{"connect": "thin"}`:
    that endpoint (or `platform`) gets thin events, `"snapshot"` the usual ones."""
    given, webhooks = body_with("paused", *ENDPOINT_NAMES), the_sandbox().webhooks
    if not given or not isinstance(given.get("paused", False), bool):
        raise ControlRefused("paused is true or false")
    for name in ENDPOINT_NAMES:
        if given.get(name, "snapshot") not in ("snapshot", "thin"):
            raise ControlRefused(f"{name} is snapshot or thin")
    webhooks.paused = given.get("paused", webhooks.paused)
    for name in {*ENDPOINT_NAMES} & {*given}:
        (webhooks.thin_endpoints.add if given[name] == "thin" else webhooks.thin_endpoints.discard)(name)
    return {
        "paused": webhooks.paused,
        **{name: "thin" if name in webhooks.thin_endpoints else "snapshot" for name in ENDPOINT_NAMES},
    }, 200


@traffic.post("/disorder")
def plan_disorder() -> Answer:
    """`{"disorder", "times"}` of the next events, with `seconds` (delay) and `seed` (shuffle)."""
    plan = planned_disorder(body_with())
    the_sandbox().webhooks.disorder.waiting.append(plan)
    return {"planned": {"disorder": plan.disorder, "times": plan.times}}, 201


@traffic.delete("/disorder")
def put_in_order() -> Answer:
    """Events come as usual again; what was held goes on."""
    the_sandbox().webhooks.put_in_order()
    return {"waiting": []}, 200


@traffic.post("/rate-limit")
def limit_requests() -> Answer:
    """`{"requests_per_second": 25}`: what is more is answered 429; `0`: as many as come."""
    wanted = integer_of(body_with("requests_per_second"), "requests_per_second", usual=0, least=0)
    the_sandbox().rate_limit.per_second = wanted or None
    return {"requests_per_second": wanted}, 200


@traffic.post("/deliver")
def deliver() -> Answer:
    """Let happen what is due now: fates, then deliveries; for a sandbox without a heartbeat."""
    fates = meet_due_fates(the_sandbox())
    return {"fates": fates, "attempts": the_sandbox().webhooks.deliver_due()}, 200


@traffic.post("/redeliver")
def redeliver() -> Answer:
    """`{"event", "times"}`: send one event again and again, freshly signed."""
    given = body_with("event", "times")
    times = integer_of(given, "times", usual=1) or 1
    if times > _MOST_REDELIVERIES:
        raise ControlRefused(f"times is at most {_MOST_REDELIVERIES}")
    try:
        outcomes = the_sandbox().webhooks.redeliver(str(given.get("event")), times=times)
    except KeyError as problem:
        raise ControlRefused(f"no such event: {given.get('event')}") from problem
    return {"outcomes": outcomes}, 200
