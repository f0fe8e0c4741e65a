"""Whether a webhook's body really comes from Stripe. https://docs.stripe.com/webhooks/signature"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

import stripe

#: Stripe's own tolerance; ours holds in both directions, the SDK's only for the past.
TOLERANCE_SECONDS = 300

_TIMESTAMP = re.compile(r"(?:^|,)\s*t=([0-9]{1,12})(?=,|$)")


class SignatureIsWrong(Exception):
    """The body is not signed by any of our secrets, or was signed too long ago or in the future."""


def verify_signature(body: bytes, header: str, *, secrets: Sequence[str], now: datetime) -> None:
    """Check the body against every secret; raises SignatureIsWrong. `now` is the real clock, UTC."""
    timestamps = _TIMESTAMP.findall(header)
    if len(timestamps) != 1 or not header.isascii():
        raise SignatureIsWrong("the signature header has no single timestamp")
    if abs(now.timestamp() - int(timestamps[0])) > TOLERANCE_SECONDS:
        raise SignatureIsWrong(f"the timestamp is more than {TOLERANCE_SECONDS} seconds off")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise SignatureIsWrong("the body is not UTF-8") from None
    for secret in secrets:
        try:
            stripe.WebhookSignature.verify_header(text, header, secret)
        except stripe.SignatureVerificationError:
            continue
        return
    raise SignatureIsWrong("no signature matches")
