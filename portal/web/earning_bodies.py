"""One earning as a machine or a file sends it."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from portal.domain.money import MAX_AMOUNT
from portal.services.ledger import EarningData
from portal.web.bodies import Members

EARNING_MEMBERS = ("reference", "affiliate_code", "amount", "currency", "occurred_at", "description")

_CODE = re.compile(r"[A-Za-z0-9_-]{1,64}")


def read_earning(item: object, at: str, faults: list[tuple[str, str]]) -> EarningData:
    """Check every member and remember each fault by where it stands; what is returned counts only without faults."""
    members = Members(item, known=EARNING_MEMBERS, at=at, faults=faults)
    if not isinstance(item, dict):
        return EarningData("", "", 1, "", datetime.min.replace(tzinfo=UTC), "")
    code = members.text("affiliate_code", least=1, most=64)
    if code is not None and not _CODE.fullmatch(code):
        members.fault("affiliate_code", "A code has 1 to 64 letters, digits, - or _.")
    return EarningData(
        reference=members.text("reference", least=1, most=255) or "",
        affiliate_code=code or "",
        amount=members.integer("amount", least=1, most=MAX_AMOUNT),
        currency=members.text("currency", least=3, most=3) or "",
        occurred_at=members.moment("occurred_at"),
        description=members.text("description", most=500, optional=True) or "",
    )
