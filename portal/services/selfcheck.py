"""`selfcheck`: whether the books still are what they promise to be, and the settings what they must be."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
import structlog

from portal.config import Settings
from portal.domain.ledger import MOVES
from portal.domain.payouts import NEXT, OPEN_STATUSES, PayoutStatus
from portal.models import PayoutAttempt
from portal.models.base import Database, reading
from portal.services.invariants import DATABASE_RULES, INVARIANTS, Invariant
from portal.services.sending_switch import SendingSwitch

log = structlog.get_logger(__name__)

#: How many rows of one kind are named; more of them tell a person nothing new.
MOST_OF_A_KIND = 100

#: A key that is sent later than this after its first time is close to the day after which Stripe may forget it.
LAST_POST = timedelta(hours=23)

#: Clocks of several machines may differ by so much between the intent and its last try.
CLOCK_TOLERANCE = timedelta(minutes=5)

#: What the queries leave open; each query takes what it names.
_FILLINGS: dict[str, list[str]] = {
    "open": sorted(OPEN_STATUSES),
    "moves": [f"{kind} {debit} {credit}" for kind, (debit, credit) in MOVES.items()],
    "legal": [f" {PayoutStatus.requested}"]
    + [f"{old} {new}" for old, after in NEXT.items() for new in after],
}


@dataclass(frozen=True)
class Breach:
    """Something that is not as promised: which promise, of what, and a sentence for an operator."""

    kind: str
    id: str
    message: str

    def as_json(self) -> dict[str, str]:
        return asdict(self)


class Selfcheck:
    """Asks every invariant of the tables; `further` are checks of other services that belong to the same answer."""

    def __init__(
        self,
        database: Database,
        *,
        settings: Settings,
        switch: SendingSwitch,
        further: Iterable[Callable[[], list[Breach]]] = (),
    ) -> None:
        self._database = database
        self._settings = settings
        self._switch = switch
        self._further = tuple(further)

    def run(self) -> list[Breach]:
        """Everything that is broken; Stripe is not asked. Books that do not hold stop all sending."""
        broken = self._books()
        for check in self._further:
            broken += check()
        if broken:
            self._switch.halt(f"{len(broken)} promises of the books are broken: {broken[0].message}")
        broken += self._setting_breaches()
        if broken:
            log.critical(
                "selfcheck.failed", breaches=len(broken), kinds=sorted({each.kind for each in broken})
            )
        return broken

    @reading
    def _books(self) -> list[Breach]:
        """One look at all tables, so that what changes meanwhile breaks nothing."""
        found = [breach for invariant in INVARIANTS for breach in self._broken(invariant)]
        return [*found, *self._late_posts(), *self._missing_rules()]

    def _broken(self, invariant: Invariant) -> list[Breach]:
        # All are looked for, although few are named: where PostgreSQL may stop early it expects to, and chooses a way
        # that takes for ever if nothing is broken.
        text = f"WITH found AS MATERIALIZED ({invariant.query}) SELECT * FROM found LIMIT :most"  # noqa: S608 - ours
        query = sa.text(text)
        names = [name for name in _FILLINGS if f":{name}" in invariant.query]
        query = query.bindparams(*(sa.bindparam(name, _FILLINGS[name], expanding=True) for name in names))
        rows = self._database.execute(query, {"most": MOST_OF_A_KIND}).all()
        return [_breach(invariant.kind, number, invariant.sentence, detail) for number, detail in rows]

    def _late_posts(self) -> list[Breach]:
        """No key is sent more than 23 hours after its first time."""
        last = PayoutAttempt.last_sent_at
        rows = self._database.execute(
            sa.select(
                PayoutAttempt.id, PayoutAttempt.idempotency_key, PayoutAttempt.first_sent_at, last
            ).where(PayoutAttempt.tries > 1)
        )
        return [
            _breach(
                "key_sent_late", number, "This key was sent again when Stripe may have forgotten it.", key
            )
            for number, key, first_sent_at, last_sent_at in rows
            if last_sent_at - first_sent_at > LAST_POST + CLOCK_TOLERANCE
        ]

    def _missing_rules(self) -> list[Breach]:
        is_sqlite = self._database.get_bind().dialect.name == "sqlite"
        query = (
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            if is_sqlite
            else "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')"
        )
        there = set(self._database.scalars(sa.text(query)))
        return [
            _breach("database_rule", name, "The database does not keep this rule any more.", None)
            for name in sorted(DATABASE_RULES - there)
        ]

    def _setting_breaches(self) -> list[Breach]:
        """What only shows when settings are seen together; each by itself was read when the process started."""
        settings = self._settings
        found = [
            ("PORTAL_OPERATORS", f"{named} names a sign-in provider that is not set up.")
            for named in settings.operators
            if named.partition(":")[0] not in settings.providers
        ]
        if settings.default_country not in settings.stripe_countries:
            found.append(("PORTAL_DEFAULT_COUNTRY", "It is not among the countries of STRIPE_COUNTRIES."))
        if settings.is_production:
            if not settings.providers:
                found.append(
                    ("PORTAL_OIDC_<NAME>_ISSUER", "No sign-in provider is set up: nobody can come in.")
                )
            if not settings.stripe_webhook_secrets:
                found.append(
                    ("STRIPE_WEBHOOK_SECRETS", "No signing secret is set: no event of Stripe's is accepted.")
                )
            if not settings.stripe_secret_key:
                found.append(("STRIPE_SECRET_KEY", "Stripe cannot be asked without a key."))
        return [Breach("setting", name, sentence) for name, sentence in found]


def _breach(kind: str, found: object, sentence: str, detail: object) -> Breach:
    message = sentence if detail is None else f"{sentence} ({detail})"
    return Breach(kind, shown_id(found), message)


def shown_id(found: object) -> str:
    """An id as people and machines write it, whichever way the database keeps it."""
    text = str(found)
    try:
        return str(UUID(text)) if len(text) == 32 else text
    except ValueError:
        return text
