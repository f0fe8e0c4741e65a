"""What Stripe is asked for when a payout is sent, and how its transfer is known again.

https://docs.stripe.com/connect/separate-charges-and-transfers#transfer-options
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from portal.models import Affiliate, Payout


def transfer_group(payout_id: UUID) -> str:
    """The group at Stripe that holds a payout's transfer, and nothing else: one for each payout answers “did it
    happen?” for ever."""
    return f"payout-{payout_id}"


def transfer_parameters(payout: Payout, affiliate: Affiliate, *, installation: UUID) -> dict[str, Any]:
    """The request that is frozen with an attempt; `installation` tells our transfers from those of others."""
    return {
        "amount": payout.amount,
        "currency": payout.currency,
        "destination": payout.destination,
        "transfer_group": transfer_group(payout.id),
        "description": f"Payout {payout.reference}",
        "metadata": {
            "payout": str(payout.id),
            "affiliate": affiliate.code,
            "installation": str(installation),
        },
    }
