"""A watch at the line to Stripe: what must be committed, and true, at the moment a request for a transfer leaves."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from portal.models import Affiliate, Payout, PayoutAttempt
from tests.services.invariants import LAST_POST

if TYPE_CHECKING:
    from tests.services.programme import Programme, Row

#: How old the look at the account may be.
FRESH = timedelta(seconds=60)

#: The default of PORTAL_BANK_CHANGE_COOLDOWN_HOURS.
COOLDOWN = timedelta(hours=24)


class Watch:
    """Asks the tables on a connection of its own, so that only what is committed counts. A run survives whatever is
    raised at one payout: what is wrong is kept."""

    def __init__(self, programme: Programme) -> None:
        self._programme = programme
        self.breaches: list[str] = []

    def __call__(self, method: str, path: str, key: str | None) -> None:
        """11 and 12: the attempt stands there, as of unknown outcome, and the gate is open."""
        if (method, path) != ("POST", "/v1/transfers"):
            return
        query = (
            sa.select(PayoutAttempt.__table__, Payout.__table__, Affiliate.__table__)
            .set_label_style(sa.LABEL_STYLE_TABLENAME_PLUS_COL)
            .join_from(PayoutAttempt, Payout, Payout.id == PayoutAttempt.payout_id)
            .join(Affiliate, Affiliate.id == Payout.affiliate_id)
            .where(PayoutAttempt.idempotency_key == key)
        )
        rows = self._programme.rows(query)
        wrong = self._wrong(rows[0]) if rows else ["it is not written down"]
        self.breaches += [f"{key} was sent although {each}" for each in wrong]

    def _wrong(self, row: Row) -> list[str]:
        now, real_now = self._programme.clock.now(), self._programme.clock.real_now()
        unheard = sum(
            post["idempotency_key"] == row.payout_attempts_idempotency_key and _says_nothing(post["status"])
            for post in self._programme.stripe.requests("POST", "/v1/transfers")
        )
        bank_changed_at, checked_at = row.affiliates_bank_changed_at, row.affiliates_stripe_checked_at
        is_first = row.payout_attempts_tries == 1
        rules = {
            "its outcome counts as known": row.payout_attempts_unresolved_tries <= unheard,
            "it is over": row.payout_attempts_state != "open",
            "its time is not written down": now - row.payout_attempts_last_sent_at > FRESH,
            "its key is too old": now - row.payout_attempts_first_sent_at >= LAST_POST,
            "the payout is not being sent": row.payouts_status != "processing",
            "the affiliate is blocked": row.affiliates_is_blocked,
            "the account is not verified": row.affiliates_stripe_account_status != "verified",
            "the account is another": row.affiliates_stripe_account_id != row.payouts_destination,
            "another way was chosen": row.affiliates_preferred_payout_type != row.payouts_method,
            "the bank changed just now": bank_changed_at is not None and now < bank_changed_at + COOLDOWN,
            "nobody looked at the account": is_first and (not checked_at or real_now - checked_at > FRESH),
        }
        return [words for words, is_so in rules.items() if is_so]


def _says_nothing(status: int | None) -> bool:
    """Whether a request may have been carried out for all that its answer says."""
    return status is None or status >= 500 or status == 409
