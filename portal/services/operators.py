"""The operators: people of the business, named by a provider's subject or e-mail and bound to a person at first use."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
import structlog

from portal.clock import Clock
from portal.config import Settings
from portal.domain.errors import InvalidInput, NotFound, PortalError
from portal.domain.roles import OperatorRole
from portal.models import Identity, Operator, User
from portal.models.base import Database, new_id, reading, writing
from portal.services.journal import Cause, Journal
from portal.services.people import EMAIL_CHARACTERS, VerifiedIdentity, printable

_log = structlog.get_logger(__name__)


class OperatorIsNamedInSettings(PortalError):
    """The settings make this person an operator; only there can it be taken back."""

    code = "operator_in_settings"


class Operators:
    """Who the operators are.

    The settings and the table both make operators. A row for somebody whom only the settings name stands there as
    removed: it gives them an id, and their rights end with the setting.
    """

    def __init__(self, database: Database, *, clock: Clock, settings: Settings) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._journal = Journal(database)

    @writing
    def add_operator(
        self, provider: str, name: str, *, cause: Cause, role: str = OperatorRole.admin
    ) -> Operator:
        """Make `provider:name` (a subject, or an e-mail where that provider's is trusted) an operator. The person
        gets a user id at once, before they ever signed in. Raises InvalidInput."""
        self._check(provider, name, role)
        operator = self._row(provider, name)
        before = self.role_in_force(operator) if operator else None
        if operator is None:
            operator = self._insert(provider, name, removed=False)
        elif operator.removed_at is not None and not self._is_in_settings(operator):
            # whoever it was bound to before has no claim on being named anew
            operator.user_id = self._user_for(provider, name).id
        operator.role = OperatorRole(role)
        operator.removed_at = None
        self._changed(operator, "operator.added", before=before, cause=cause)
        return operator

    @writing
    def operators(self) -> list[Operator]:
        """All who are operators now, by name."""
        self._ensure_settings()
        rows = self._database.scalars(sa.select(Operator).order_by(Operator.provider, Operator.name))
        return [operator for operator in rows if self._is_active(operator)]

    @writing
    def remove_operator(self, provider: str, name: str, *, cause: Cause) -> None:
        """Take the rights back at once, also in open sessions. Raises NotFound, OperatorIsNamedInSettings."""
        operator = self._row(provider, name)
        if operator is None or not self._is_active(operator):
            raise NotFound(f"There is no operator {provider}:{name}.")
        if self._is_in_settings(operator):
            raise OperatorIsNamedInSettings(
                f"PORTAL_OPERATORS names {provider}:{name}. Take them out there and restart the portal."
            )
        before = self.role_in_force(operator)
        operator.removed_at = self._clock.real_now()
        self._changed(operator, "operator.removed", before=before, cause=cause)

    @writing
    def operator_named(self, named: str) -> Operator:
        """The operator `provider:name`, always with a user id; raises NotFound."""
        self._ensure_settings()
        provider, _, name = named.partition(":")
        operator = self._row(provider, name)
        if operator is None or not self._is_active(operator):
            raise NotFound(f"There is no operator {printable(named, most=EMAIL_CHARACTERS)}.")
        return operator

    @reading
    def role_of(self, user_id: UUID) -> OperatorRole | None:
        """What the person may do as an operator; None if they are none."""
        return self._strongest(
            list(self._database.scalars(sa.select(Operator).where(Operator.user_id == user_id)))
        )

    def within(self, least: OperatorRole) -> list[UUID]:
        """Who has at least this role now, in the unit of work that is open."""
        rows = self._database.scalars(sa.select(Operator).order_by(Operator.id))
        roles = [(operator.user_id, self.role_in_force(operator)) for operator in rows]
        who = [user_id for user_id, role in roles if role is not None and role.is_at_least(least)]
        return [user_id for user_id in dict.fromkeys(who) if user_id is not None]

    def _strongest(self, operators: list[Operator]) -> OperatorRole | None:
        roles = {self.role_in_force(operator) for operator in operators}
        return next((role for role in OperatorRole if role in roles), None)

    def role_in_force(self, operator: Operator) -> OperatorRole | None:
        """What an operator may do now, by the settings before all else; None if they are none any more."""
        if self._is_in_settings(operator):
            return OperatorRole.admin
        return OperatorRole(operator.role) if operator.removed_at is None else None

    def _is_active(self, operator: Operator) -> bool:
        return self.role_in_force(operator) is not None

    def _is_in_settings(self, operator: Operator) -> bool:
        return f"{operator.provider}:{operator.name}" in self._settings.operators

    def _row(self, provider: str, name: str) -> Operator | None:
        return self._database.scalar(
            sa.select(Operator).where(Operator.provider == provider, Operator.name == name)
        )

    def _ensure_settings(self) -> None:
        for named in self._settings.operators:
            provider, _, name = named.partition(":")
            if provider and name and self._row(provider, name) is None:
                self._insert(provider, name, removed=True)

    def _insert(self, provider: str, name: str, *, removed: bool) -> Operator:
        now = self._clock.real_now()
        operator = Operator(
            id=new_id(),
            provider=provider,
            name=name,
            role=OperatorRole.admin,
            user_id=self._user_for(provider, name).id,
            created_at=now,
            removed_at=now if removed else None,
        )
        self._database.add(operator)
        self._database.flush()
        return operator

    def _user_for(self, provider: str, name: str) -> User:
        """Whoever signed in under that name already, else a person who is still to come."""
        is_named = Identity.subject == name
        if self._is_email_trusted(provider):
            is_named |= (sa.func.lower(Identity.email) == name.lower()) & Identity.is_email_verified
        known = set(
            self._database.scalars(sa.select(Identity.user_id).where(Identity.provider == provider, is_named))
        )
        if len(known) == 1 and (user := self._database.get(User, known.pop())) is not None:
            return user
        user = User(id=new_id(), name=printable(name, most=200), email="", created_at=self._clock.real_now())
        self._database.add(user)
        self._database.flush()
        return user

    def _unbound_operators(self, claims: VerifiedIdentity) -> list[Operator]:
        """Operators who are named as this identity is and have not been bound to anybody's identity yet."""
        self._ensure_settings()
        is_named = Operator.name == claims.subject
        if claims.email and claims.is_email_verified and self._is_email_trusted(claims.provider):
            is_named |= sa.func.lower(Operator.name) == claims.email.lower()
        bound = sa.exists().where(
            Identity.user_id == Operator.user_id, Identity.provider == Operator.provider
        )
        rows = self._database.scalars(
            sa.select(Operator)
            .where(Operator.provider == claims.provider, is_named, ~bound)
            .order_by(Operator.id)
        )
        return [operator for operator in rows if self._is_active(operator)]

    def _changed(self, operator: Operator, action: str, *, before: object, cause: Cause) -> None:
        after = self.role_in_force(operator)
        at = self._clock.now()
        self._journal.changed(
            "operator", operator.id, action=action, before=before, after=after, cause=cause, at=at
        )
        _log.info(action, operator=str(operator.id), role=after)

    def _is_email_trusted(self, provider: str) -> bool:
        known = self._settings.providers.get(provider)
        return known is not None and known.is_email_trusted

    def _check(self, provider: str, name: str, role: str) -> None:
        problems = []
        if provider not in self._settings.providers:
            known = ", ".join(sorted(self._settings.providers)) or "none is set up"
            problems.append(("provider", f"There is no such sign-in provider; known: {known}."))
        if not name or len(name) > EMAIL_CHARACTERS or not name.isprintable():
            problems.append(("name", f"Name a subject or an e-mail of 1 to {EMAIL_CHARACTERS} characters."))
        if role not in set(OperatorRole):
            problems.append(("role", f"A role is one of: {', '.join(OperatorRole)}."))
        if problems:
            raise InvalidInput(problems)
