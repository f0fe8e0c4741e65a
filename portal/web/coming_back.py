"""The mark of somebody who just came back from Stripe: for a while their page asks for news by itself.

It travels in an address, so it is signed, names its affiliate and says when it was made; it opens nothing.
"""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer

from portal.wiring import services

#: Stripe answers most people within seconds; who waits longer than this reads that they may leave.
POLL_SECONDS = 90

#: A made-up mark is not even looked at beyond this; ours are about half as long.
_LONGEST_MARK = 200


class Waiting(StrEnum):
    """How somebody stands with the news from Stripe."""

    not_waiting = "not_waiting"
    polling = "polling"
    given_up = "given_up"


def new_mark(affiliate_id: UUID) -> str:
    """For an affiliate who came back at this moment (real clock)."""
    now = int(services().clock.real_now().timestamp())
    return str(_signer().dumps([affiliate_id.hex, now]))


def waiting(mark: str | None, affiliate_id: UUID) -> Waiting:
    """What a mark says now; one that is forged, or another affiliate's, says nothing."""
    if not mark or len(mark) > _LONGEST_MARK:
        return Waiting.not_waiting
    try:
        owner, made_at = _signer().loads(mark)
    except (BadSignature, ValueError, TypeError):
        return Waiting.not_waiting
    if owner != affiliate_id.hex:
        return Waiting.not_waiting
    age_seconds = services().clock.real_now().timestamp() - made_at
    return Waiting.polling if age_seconds < POLL_SECONDS else Waiting.given_up


def _signer() -> URLSafeSerializer:
    settings = services().settings
    # the newest key comes last and signs; older ones only verify
    keys = [*settings.secret_key_fallbacks, settings.secret_key or str(current_app.secret_key)]
    return URLSafeSerializer(keys, salt="came-back-from-stripe")
