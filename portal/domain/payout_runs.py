"""A payout run as an operator confirms it: which list it is of, the total they type, and whether it came to nothing."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from portal.domain.attempts import Outcome
from portal.domain.errors import InvalidInput, PortalError
from portal.domain.money import AmountNotReadable, Money, TooManyDecimals, parse_amount

#: So many payouts of which none was sent are no accident of one affiliate's.
MANY = 2

#: Times in a run's id are as exact as this.
MILLISECOND = timedelta(milliseconds=1)

#: Whoever does a run and gave no sign for so long is taken for lost, and another follows. Two at once would do no harm:
#: each payout is claimed by one of them.
LOST_AFTER = timedelta(minutes=5)

#: Outcomes of payouts that a run could have sent and did not.
_NOT_SENT = (Outcome.waiting, Outcome.failed, Outcome.unknown)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_VERSION, _VARIANT = 8 << 76, 2 << 62
_LONGEST_TOTAL = 1_000


class RunTrigger(StrEnum):
    """What set a run off."""

    operator = "operator"
    timetable = "timetable"
    shell = "shell"


class SkipReason(StrEnum):
    """Why an open payout is not on the list of the next run."""

    requested = "requested"
    blocked = "blocked"
    not_verified = "not_verified"
    account_changed = "account_changed"
    bank_changed = "bank_changed"
    preference_changed = "preference_changed"
    unknown = "unknown"
    """It was sent before, and its outcome is not known yet."""
    by_hand = "by_hand"
    parked = "parked"


class RunIsOutdated(PortalError):
    """What was looked at is not what would be sent now."""

    code = "run_outdated"


class RunWasUsed(PortalError):
    """A list is run once."""

    code = "run_used"


class RunIsNotPossible(PortalError):
    """Nothing may be sent at the moment, or there is nothing to send."""

    code = "run_not_possible"


def cutoff_before(now: datetime) -> datetime:
    """The moment up to which approvals are on a list that is looked at now: a run's id holds milliseconds."""
    return _EPOCH + math.ceil((now - _EPOCH) / MILLISECOND) * MILLISECOND


def run_id_of(cutoff: datetime, payouts: Iterable[UUID]) -> UUID:
    """The id of the run of exactly these payouts as they were looked at then: whoever sends it back says which list
    they have seen, and nothing need be kept until they do. https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-8
    """
    digest = hashlib.sha256()
    for payout_id in payouts:
        digest.update(payout_id.bytes)
    high, low = divmod(int.from_bytes(digest.digest()[:10]) >> 6, 1 << 62)
    milliseconds = (cutoff - _EPOCH) // MILLISECOND
    return UUID(int=(milliseconds << 80) | _VERSION | (high << 64) | _VARIANT | low)


def cutoff_of(run_id: UUID) -> datetime | None:
    """When the list was looked at that a run's id names; None for an id that is none of a list."""
    if run_id.version != 8:
        return None
    try:
        return _EPOCH + (run_id.int >> 80) * MILLISECOND
    except OverflowError:
        return None


def totals_text(totals: Sequence[Money]) -> str:
    """What has to be typed: `412.50`, or with several currencies `412.50 USD, 20.00 EUR`."""
    if len(totals) == 1:
        return totals[0].to_decimal()
    return ", ".join(f"{each.to_decimal()} {each.currency.upper()}" for each in totals)


def payouts_text(count: int) -> str:
    """`1 payout`, `3 payouts`."""
    return f"{count} payout{'' if count == 1 else 's'}"


def refuse_another_total(typed: str, totals: Sequence[Money]) -> None:
    """Raises InvalidInput unless these very totals were typed, in any order; the code may be left out where there is
    one currency."""
    if not typed.strip():
        raise InvalidInput([("total", f"Type the total: {totals_text(totals)}")])
    if len(typed) > _LONGEST_TOTAL or _read_totals(typed, totals) != {each.currency: each for each in totals}:
        raise InvalidInput([("total", f"That is not this run's total. It is {totals_text(totals)}")])


def _read_totals(typed: str, totals: Sequence[Money]) -> Mapping[str, Money]:
    """What was typed, by currency; empty where it can't be read."""
    known = {each.currency for each in totals}
    found: dict[str, Money] = {}
    for part in typed.split(","):
        amount, *codes = part.split() or [""]
        currency = codes[0].lower() if codes else totals[0].currency
        if len(codes) > 1 or currency not in known or currency in found or not (codes or len(totals) == 1):
            return {}
        try:
            found[currency] = parse_amount(amount, currency)
        except (AmountNotReadable, TooManyDecimals):
            return {}
    return found


@dataclass(frozen=True)
class Cover:
    """What the platform has at Stripe against what is to be sent, in minor units of one currency."""

    total: Money
    available: Money
    pending: Money
    """On its way into the balance; nothing can be sent of it yet."""

    @property
    def short_by(self) -> Money | None:
        """By how much it does not suffice."""
        return None if self.total <= self.available else self.total - self.available

    @property
    def after(self) -> Money:
        """What is left of the available balance once all is sent."""
        return self.available - self.total

    def covered(self, amounts: Iterable[int]) -> int:
        """How many of these, oldest first, are sent until one is not covered; nobody younger is served before."""
        left, count = self.available.amount, 0
        for amount in amounts:
            if amount > left:
                break
            left, count = left - amount, count + 1
        return count


def sent_nothing(counts: Mapping[Outcome, int], *, is_broken_off: bool) -> bool:
    """Whether a run of many sent none of them, which must not pass as a quiet report. What another run has taken
    (`skipped`) counts only where this one was broken off."""
    tried = sum(counts.get(outcome, 0) for outcome in _NOT_SENT)
    if is_broken_off:
        tried += counts.get(Outcome.skipped, 0)
    return not counts.get(Outcome.paid) and tried >= MANY
