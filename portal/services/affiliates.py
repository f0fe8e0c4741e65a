"""Affiliates: made by themselves or by the host business, their preferences, and blocking."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from portal.clock import Clock
from portal.config import Settings
from portal.domain.errors import InvalidInput, NotFound, PortalError
from portal.domain.gate import PayoutIsOpen
from portal.domain.money import is_supported
from portal.domain.payouts import OPEN_STATUSES, HoldReason, PayoutMethod
from portal.domain.sentences import Sentence
from portal.models import Affiliate, Payout, User
from portal.models.base import Database, reading, writing
from portal.services.books import Books
from portal.services.journal import Cause, Journal
from portal.services.notifications import Notifications
from portal.services.payout_moves import PayoutMoves
from portal.services.problems import country_problems, length_problems, refuse_problems
from portal.services.wallets import wallet_problem

#: No letters or digits that are mistaken for others when read aloud.
_CODE_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_CODE_CHARACTERS = 10

_CODE = re.compile(r"[A-Za-z0-9_-]{1,64}")
LONGEST_NAME = 200
LONGEST_EMAIL = 320
LONGEST_TEXT = 500


class SelfSignUpIsClosed(PortalError):
    status = 403
    code = "self_signup_closed"


@dataclass(frozen=True)
class AffiliateData:
    """What the host business knows of an affiliate; None leaves a field as it is."""

    email: str | None = None
    name: str | None = None
    country: str | None = None
    currency: str | None = None


@dataclass(frozen=True)
class PreferenceChange:
    """The texts of the preference form; None leaves a field as it is."""

    method: str | None = None
    wallet_address: str | None = None
    automatic: str | None = None
    country: str | None = None


class Affiliates:
    """The use cases around an affiliate's record."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        settings: Settings,
        journal: Journal,
        books: Books,
        moves: PayoutMoves,
        notifications: Notifications,
    ) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._journal = journal
        self._books = books
        self._moves = moves
        self._notifications = notifications

    @reading
    def get(self, affiliate_id: UUID) -> Affiliate:
        return self._database.get_one(Affiliate, affiliate_id)

    @reading
    def of_user(self, user_id: UUID) -> Affiliate | None:
        """The affiliate record of a signed-in person, if there is one."""
        return self._of_user(user_id)

    @reading
    def by_code(self, code: str) -> Affiliate:
        """Raises NotFound."""
        return self._by_code(code)

    @reading
    def all(self) -> list[Affiliate]:
        """Every affiliate, by code."""
        return list(self._database.scalars(sa.select(Affiliate).order_by(Affiliate.code)))

    @writing
    def create_for_user(self, user_id: UUID, *, country: str | None, cause: Cause) -> Affiliate:
        """“Create my affiliate account”; asked again, it is the same one. Raises SelfSignUpIsClosed, InvalidInput."""
        user = self._database.scalar(
            sa.select(User).where(User.id == user_id).with_for_update(key_share=True)
        )
        if user is None:
            raise NotFound("There is no such person.")
        if (existing := self._of_user(user_id)) is not None:
            return existing
        if not self._settings.is_self_signup_open:
            raise SelfSignUpIsClosed(
                Sentence("{email} can't join here. Ask support to invite you.", email=user.email)
                if user.email
                else Sentence("You can't join here. Ask support to invite you.")
            )
        country = country or self._settings.default_country
        refuse_problems(country_problems(country))
        affiliate = Affiliate(
            code="".join(secrets.choice(_CODE_ALPHABET) for _ in range(_CODE_CHARACTERS)),
            user_id=user_id,
            name=user.name,
            email=user.email,
            country=country,
            currency=self._settings.default_currency,
            created_at=self._clock.now(),
        )
        self._add(affiliate, cause)
        return affiliate

    @writing
    def put(self, code: str, data: AffiliateData, *, cause: Cause) -> tuple[Affiliate, bool]:
        """Create or update by code; True when created. Raises InvalidInput."""
        refuse_problems(_data_problems(code, data))
        found = self._database.scalar(sa.select(Affiliate).where(Affiliate.code == code))
        if found is None:
            affiliate = Affiliate(
                code=code,
                name=data.name or "",
                email=data.email or "",
                country=data.country or self._settings.default_country,
                currency=data.currency or self._settings.default_currency,
                created_at=self._clock.now(),
            )
            self._add(affiliate, cause)
            return affiliate, True
        affiliate = self._books.lock(found.id)
        if data.currency is not None and data.currency != affiliate.currency:
            raise InvalidInput([("currency", f"{code} is paid in {affiliate.currency}; that is fixed.")])
        if data.country is not None and data.country != affiliate.country:
            self._change_country(affiliate, data.country)
        affiliate.name = affiliate.name if data.name is None else data.name
        affiliate.email = affiliate.email if data.email is None else data.email
        affiliate.version += 1
        return affiliate, False

    @writing
    def set_preferences(self, affiliate_id: UUID, change: PreferenceChange, *, cause: Cause) -> Affiliate:
        """Save what the form brings. Raises PayoutIsOpen, InvalidInput."""
        affiliate = self._books.lock(affiliate_id)
        if (open_payout := self._open_payout(affiliate_id)) is not None:
            raise PayoutIsOpen(open_payout.reference)
        method = change.method if change.method is not None else affiliate.preferred_payout_type.value
        before, wallet_before = affiliate.preferred_payout_type, affiliate.wallet_address
        wallet = wallet_before if change.wallet_address is None else change.wallet_address.strip()
        refuse_problems(_preference_problems(change, method, wallet))
        if change.country is not None and change.country != affiliate.country:
            self._change_country(affiliate, change.country)
        affiliate.wallet_address = wallet or None
        affiliate.preferred_payout_type = PayoutMethod(method)
        affiliate.version += 1
        if change.automatic not in {None, was := str(affiliate.automatic).lower()}:
            self._changed(affiliate, "automatic_changed", was, change.automatic, cause)
            affiliate.automatic = change.automatic == "true"
        if affiliate.preferred_payout_type is not before:
            self._changed(affiliate, "preference_changed", before, affiliate.preferred_payout_type, cause)
        if affiliate.wallet_address != wallet_before:
            self._changed(
                affiliate, "wallet_changed", _ending(wallet_before), _ending(affiliate.wallet_address), cause
            )
        if (affiliate.preferred_payout_type, affiliate.wallet_address) != (before, wallet_before):
            self._notifications.preference_changed(affiliate)
        return affiliate

    @writing
    def block(self, code: str, *, message: str, cause: Cause) -> Affiliate:
        """Stop all payouts of an affiliate, with a message to them; what is approved is held. Again changes only the
        message. The reason stands in the cause."""
        refuse_problems(
            length_problems("message", message, LONGEST_TEXT)
            + length_problems("reason", cause.reason or "", LONGEST_TEXT)
        )
        affiliate = self._books.lock(self._by_code(code).id)
        affiliate.block_reason = cause.reason
        affiliate.block_message = message or None
        affiliate.version += 1
        if not affiliate.is_blocked:
            affiliate.is_blocked = True
            affiliate.blocked_at = self._clock.now()
            self._changed(affiliate, "blocked", "false", "true", cause)
            self._moves.hold_approved(affiliate, HoldReason.blocked, cause=cause)
            self._notifications.blocked(affiliate)
        return affiliate

    @writing
    def unblock(self, code: str, *, cause: Cause) -> Affiliate:
        """Allow payouts again; what was held is looked at by the next run."""
        affiliate = self._books.lock(self._by_code(code).id)
        if affiliate.is_blocked:
            affiliate.is_blocked = False
            affiliate.blocked_at = affiliate.block_reason = affiliate.block_message = None
            affiliate.version += 1
            self._changed(affiliate, "unblocked", "true", "false", cause)
            self._notifications.unblocked(affiliate)
        return affiliate

    def _add(self, affiliate: Affiliate, cause: Cause) -> None:
        self._database.add(affiliate)
        self._database.flush()
        self._changed(affiliate, "created", None, affiliate.code, cause)

    def _change_country(self, affiliate: Affiliate, country: str) -> None:
        if affiliate.stripe_account_id is not None:
            sentence = Sentence("Stripe does not allow changing the country. Contact support to start again.")
            raise InvalidInput([("country", sentence)])
        affiliate.country = country

    def _changed(self, affiliate: Affiliate, what: str, before: object, after: object, cause: Cause) -> None:
        self._journal.changed(
            "affiliate", affiliate.id, action=f"affiliate.{what}", before=before, after=after, cause=cause,
            at=self._clock.now(),
        )  # fmt: skip

    def _open_payout(self, affiliate_id: UUID) -> Payout | None:
        return self._database.scalar(
            sa.select(Payout).where(Payout.affiliate_id == affiliate_id, Payout.status.in_(OPEN_STATUSES))
        )

    def _of_user(self, user_id: UUID) -> Affiliate | None:
        return self._database.scalar(sa.select(Affiliate).where(Affiliate.user_id == user_id))

    def _by_code(self, code: str) -> Affiliate:
        affiliate = self._database.scalar(sa.select(Affiliate).where(Affiliate.code == code))
        if affiliate is None:
            raise NotFound(f"There is no affiliate {code[:64]}.")
        return affiliate


def _ending(wallet: str | None) -> str | None:
    """Enough of a wallet to know it again; the trail outlives what a person may have erased."""
    return f"…{wallet[-6:]}" if wallet else None


def _data_problems(code: str, data: AffiliateData) -> list[tuple[str, str]]:
    problems: list[tuple[str, str]] = []
    if not _CODE.fullmatch(code):
        problems.append(("code", "A code has 1 to 64 letters, digits, - or _."))
    problems += length_problems("name", data.name or "", LONGEST_NAME)
    problems += length_problems("email", data.email or "", LONGEST_EMAIL)
    if data.email and not re.fullmatch(r"[^@\s]+@[^@\s]+", data.email):
        problems.append(("email", "Give an e-mail address such as ana@example.com."))
    if data.country is not None:
        problems += country_problems(data.country)
    if data.currency is not None and not is_supported(data.currency):
        problems.append(("currency", "Give a currency that Stripe pays out in, in lower case, such as usd."))
    return problems


def _preference_problems(change: PreferenceChange, method: str, wallet: str | None) -> list[tuple[str, str]]:
    problems: list[tuple[str, str]] = []
    if method not in set(PayoutMethod):
        problems.append(
            ("preferred_payout_type", Sentence("Choose how you want to be paid: fiat or crypto."))
        )
    if change.wallet_address and wallet and (problem := wallet_problem(wallet)) is not None:
        problems.append(("wallet_address", problem))
    elif method == PayoutMethod.crypto and not wallet:
        problems.append(("wallet_address", Sentence("Enter the wallet address that you want to be paid to.")))
    if change.automatic is not None and change.automatic not in {"true", "false"}:
        problems.append(("automatic", Sentence("Choose true or false.")))
    if change.country is not None:
        problems += country_problems(change.country)
    return problems
