"""Made-up affiliates: who they are, how Stripe sees them, and how they came to be seen so."""

from __future__ import annotations

from dataclasses import dataclass

from portal.cli.generated_rows import Making, Moment, Row, sha256
from portal.domain.accounts import AccountDetail, AccountStatus
from portal.domain.ledger import AccountKind
from portal.domain.payouts import PayoutMethod
from portal.models import ActorKind

_FIRST = ("Ana", "Ben", "Chloé", "Dmitri", "Emre", "Fatima", "Grace", "Hiro", "Ines", "Jonas", "Kofi", "Lena")
_LAST = (
    "Abel",
    "Brandt",
    "Costa",
    "Dubois",
    "Eriksen",
    "Fischer",
    "Garcia",
    "Haddad",
    "Ito",
    "Jansen",
    "Kovač",
    "Lind",
)
_COUNTRIES = (("US", "usd"), ("DE", "eur"), ("FR", "eur"), ("GB", "gbp"))

#: Whom Stripe sees how; None has no account.
_STATUSES = (
    AccountStatus.verified, AccountStatus.pending, AccountStatus.restricted, AccountStatus.rejected, None,
)  # fmt: skip
_OF_A_HUNDRED = (72, 9, 5, 1, 13)
_DETAILS = {
    AccountStatus.pending: AccountDetail.setup_incomplete,
    AccountStatus.restricted: AccountDetail.action_required,
    AccountStatus.rejected: AccountDetail.unknown_reason,
}

#: How an affiliate came to a status.
_WAYS = {
    AccountStatus.pending: (AccountStatus.pending,),
    AccountStatus.verified: (AccountStatus.pending, AccountStatus.verified),
    AccountStatus.restricted: (AccountStatus.pending, AccountStatus.verified, AccountStatus.restricted),
    AccountStatus.rejected: (AccountStatus.pending, AccountStatus.rejected),
}

#: One affiliate in so many earns as much as all the ordinary ones together.
BUSY_EVERY = 1_000


@dataclass(slots=True)
class MadeAffiliate:
    """What the rest of their life needs; `available` in minor units."""

    id: str
    user_id: str
    code: str
    currency: str
    method: PayoutMethod
    destination: str
    status: AccountStatus | None
    is_blocked: bool
    is_busy: bool
    first_account: int
    """The number of their first ledger account; the others follow."""
    available: int = 0

    @property
    def is_payee(self) -> bool:
        """Whether they were ever paid."""
        has_been_verified = self.status in {AccountStatus.verified, AccountStatus.restricted}
        return self.method is PayoutMethod.crypto or has_been_verified

    def account(self, kind: AccountKind) -> int:
        return self.first_account + _ACCOUNTS[kind]


_ACCOUNTS = {kind: place for place, kind in enumerate(AccountKind)}


class AffiliateMaker:
    """Makes one affiliate after the other."""

    def __init__(self, making: Making, *, name: str) -> None:
        self._sink, self._trail = making.sink, making.trail
        self._ids, self._chance = making.ids, making.chance
        self._account = making.places.account
        self._name = name

    def make(self, number: int, *, at: Moment) -> MadeAffiliate:
        """Number 0 is busy, and so is every thousandth."""
        chance, is_busy = self._chance, number % BUSY_EVERY == 0
        country, currency = chance.choice(_COUNTRIES)
        status = AccountStatus.verified if is_busy else chance.choices(_STATUSES, _OF_A_HUNDRED)[0]
        is_crypto = not is_busy and chance.random() < 0.04
        account = self._ids.stripe("acct") if status is not None else None
        one = MadeAffiliate(
            id=self._ids.row(at),
            user_id=self._ids.row(at),
            code=f"{self._name}-{number:06}",
            currency=currency,
            method=PayoutMethod.crypto if is_crypto else PayoutMethod.fiat,
            destination=f"0x{chance.getrandbits(160):040x}" if is_crypto else account or "",
            status=status,
            is_blocked=not is_busy and chance.random() < 0.01,
            is_busy=is_busy,
            first_account=self._account + 1,
        )
        self._account += len(_ACCOUNTS)
        self._write(one, account, country=country, name=(chance.choice(_FIRST), chance.choice(_LAST)), at=at)
        self._tell(one, account, at)
        return one

    def _write(
        self, one: MadeAffiliate, account: str | None, *, country: str, name: tuple[str, str], at: Moment
    ) -> None:
        first, last = name
        email = f"{first}.{last}.{one.code}@example.com".lower()
        self._sink.add("users", (one.user_id, f"{first} {last}", email, at.text))
        self._sink.add("affiliates", self._row(one, account, country, f"{first} {last}", email, at))
        if account is not None:
            key = f"account-{one.id}-g1"
            self._sink.add(
                "stripe_accounts",
                (self._ids.row(at), one.id, 1, key, "{}", "succeeded", 0, account, at.text, at.text),
            )
        for kind, place in _ACCOUNTS.items():
            self._sink.add(
                "ledger_accounts", (one.first_account + place, one.id, kind.value, one.currency, 0, 0)
            )

    def _row(
        self, one: MadeAffiliate, account: str | None, country: str, name: str, email: str, at: Moment
    ) -> Row:
        chance, status = self._chance, one.status
        detail = _DETAILS.get(status) if status is not None else None
        # some share a bank account with the one before
        bank = (
            f"bank{int(one.code[-6:]) - (chance.random() < 0.002):07}" if one.is_payee and account else None
        )
        wallet = one.destination if one.method is PayoutMethod.crypto else None
        return (
            one.id, one.code, one.user_id, name, email, country, one.currency, account,
            status.value if status is not None else None, int(status is AccountStatus.verified),
            detail.value if detail is not None else None, at.text if account else None,
            at.text if account else None, at.text if account else None, bank, 1, one.method.value, wallet,
            int(chance.random() < 0.3), "[]", int(one.is_blocked), "Chargebacks." if one.is_blocked else None,
            at.text if one.is_blocked else None, 0, at.text,
        )  # fmt: skip

    def _tell(self, one: MadeAffiliate, account: str | None, at: Moment) -> None:
        """The trail, and the events by which Stripe told of it."""
        me = ("affiliate", one.id)
        if account is not None and one.status is not None:
            self._trail.changed(me, "affiliate.account_connected", values=(None, account), at=at)
            before: str | None = None
            for status in _WAYS[one.status]:
                event = self.event("account.updated", account, account, at=at, effect=f"{before} to {status}")
                self._trail.changed(
                    me, "affiliate.status_changed", values=(before, status.value), at=at, actor=ActorKind.stripe,
                    cause=event,
                )  # fmt: skip
                before = status.value
        if one.method is PayoutMethod.crypto:
            self._trail.changed(me, "affiliate.preference_changed", values=("fiat", "crypto"), at=at)
        if one.is_blocked:
            self._trail.changed(me, "affiliate.blocked", values=("false", "true"), at=at)

    def event(
        self,
        kind: str,
        object_id: str,
        account: str | None,
        *,
        at: Moment,
        effect: str,
        error: str | None = None,
    ) -> str:
        """An event as the inbox keeps it, parked if there is an `error`; its id."""
        number = self._ids.stripe("evt")
        state, done = ("parked", None) if error else ("processed", at.text)
        self._sink.add(
            "webhook_events",
            (
                number, kind, object_id, account, 0, at.text, sha256(number), at.text, state, 1, at.text, done, effect,
                error,
            ),
        )  # fmt: skip
        return number
