"""Whether a webhook's body really comes from Stripe. https://docs.stripe.com/webhooks/signature"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import datetime

import stripe

from portal.domain.webhooks import WebhookRefusal

#: Stripe's own tolerance; ours holds in both directions, the SDK's only for the past.
TOLERANCE_SECONDS = 300

_TIMESTAMP = re.compile(r"(?:^|,)\s*t=([0-9]{1,12})(?=,|$)")


class SignatureIsWrong(Exception):
    """The body is not signed by any of our secrets, or was signed too long ago or in the future."""

    def __init__(self, problem: str, reason: WebhookRefusal = WebhookRefusal.bad_signature) -> None:
        super().__init__(problem)
        self.reason = reason


def verify_signature(body: bytes, header: str, *, secrets: Sequence[str], now: datetime) -> tuple[str, ...]:
    """Those of the secrets that the body is signed with: several while one is being rotated out, since Stripe then
    signs with both. Raises SignatureIsWrong if there is none. `now` is the real clock, UTC."""
    timestamps = _TIMESTAMP.findall(header)
    if len(timestamps) != 1 or not header.isascii():
        raise SignatureIsWrong("the signature header has no single timestamp")
    age = now.timestamp() - int(timestamps[0])
    if abs(age) > TOLERANCE_SECONDS:
        raise SignatureIsWrong(
            f"the timestamp is more than {TOLERANCE_SECONDS} seconds off",
            WebhookRefusal.too_old if age > 0 else WebhookRefusal.from_the_future,
        )
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise SignatureIsWrong("the body is not UTF-8") from None
    matching = tuple(secret for secret in secrets if _is_signed(text, header, secret))
    if not matching:
        raise SignatureIsWrong("no signature matches")
    return matching


def _is_signed(text: str, header: str, secret: str) -> bool:
    try:
        stripe.WebhookSignature.verify_header(text, header, secret)
    except stripe.SignatureVerificationError:
        return False
    return True


def sign(body: bytes, *, secret: str, at: datetime) -> str:
    """The Stripe-Signature header that Stripe would send with this body; `at` is the real clock, UTC."""
    moment = int(at.timestamp())
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"
