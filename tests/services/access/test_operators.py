"""Operators: named before they come, bound when they do, gone when they are removed."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from portal.domain.errors import InvalidInput, NotFound
from portal.domain.roles import OperatorRole
from portal.models import AuditRow
from portal.models.base import Database
from portal.services.access import Access
from portal.services.operators import OperatorIsNamedInSettings
from tests.services.access.conftest import MakeAccess
from tests.services.access.people import ANA, SHELL


class TestOperators:
    def test_an_operator_named_by_subject_is_bound_at_the_first_sign_in(self, access: Access) -> None:
        operator = access.add_operator("company", "ana-1", cause=SHELL)
        signed_in = access.sign_in(replace(ANA, is_email_verified=False))
        assert signed_in.user_id == operator.user_id
        assert signed_in.is_new
        user = access.resolve(signed_in.token)
        assert user is not None
        assert user.role is OperatorRole.admin

    def test_an_operator_named_by_e_mail_gets_in_where_that_e_mail_is_trusted_and_verified(
        self, trusting: Access
    ) -> None:
        trusting.add_operator("company", "Ana@Example.com", cause=SHELL)
        user = trusting.resolve(trusting.sign_in(ANA).token)
        assert user is not None
        assert user.is_operator

    def test_an_e_mail_that_is_not_verified_makes_no_operator(self, trusting: Access) -> None:
        trusting.add_operator("company", ANA.email, cause=SHELL)
        user = trusting.resolve(trusting.sign_in(replace(ANA, is_email_verified=False)).token)
        assert user is not None
        assert not user.is_operator

    def test_an_e_mail_of_a_provider_that_is_not_trusted_makes_no_operator(self, access: Access) -> None:
        access.add_operator("company", ANA.email, cause=SHELL)
        user = access.resolve(access.sign_in(ANA).token)
        assert user is not None
        assert not user.is_operator

    def test_an_operator_of_one_provider_is_none_at_another(self, trusting: Access) -> None:
        trusting.add_operator("company", "ana-1", cause=SHELL)
        other = replace(ANA, provider="other", issuer="https://other.example")
        user = trusting.resolve(trusting.sign_in(other).token)
        assert user is not None
        assert not user.is_operator

    def test_a_recycled_e_mail_does_not_inherit_an_operator(self, trusting: Access) -> None:
        trusting.add_operator("company", ANA.email, cause=SHELL)
        trusting.sign_in(ANA)
        heir = trusting.resolve(trusting.sign_in(replace(ANA, subject="ana-2")).token)
        assert heir is not None
        assert not heir.is_operator

    def test_somebody_who_signed_in_before_becomes_operator_without_signing_in_again(
        self, access: Access
    ) -> None:
        signed_in = access.sign_in(ANA)
        operator = access.add_operator("company", "ana-1", cause=SHELL)
        assert operator.user_id == signed_in.user_id
        user = access.resolve(signed_in.token)
        assert user is not None
        assert user.is_operator

    def test_an_operator_placed_beside_an_older_identity_is_bound_to_that_person(
        self, access: Access, trusting: Access
    ) -> None:
        known = access.sign_in(replace(ANA, is_email_verified=False))
        trusting.add_operator("company", ANA.email, cause=SHELL)
        again = trusting.sign_in(ANA)
        assert again.user_id == known.user_id
        assert trusting.operator_named(f"company:{ANA.email}").user_id == known.user_id

    def test_removing_an_operator_counts_in_sessions_that_are_open(self, access: Access) -> None:
        access.add_operator("company", "ana-1", cause=SHELL)
        token = access.sign_in(ANA).token
        access.remove_operator("company", "ana-1", cause=SHELL)
        user = access.resolve(token)
        assert user is not None
        assert not user.is_operator
        assert access.operators() == []
        with pytest.raises(NotFound):
            access.operator_named("company:ana-1")

    def test_the_settings_make_admins_who_have_a_user_id_before_they_ever_came(
        self, access_with: MakeAccess
    ) -> None:
        access = access_with(PORTAL_OPERATORS="company:ana-1")
        assert [operator.name for operator in access.operators()] == ["ana-1"]
        assert access.operator_named("company:ana-1").user_id is not None
        user = access.resolve(access.sign_in(ANA).token)
        assert user is not None
        assert user.role is OperatorRole.admin

    def test_an_operator_of_the_settings_is_none_once_they_are_not_named_there(
        self, access_with: MakeAccess, access: Access
    ) -> None:
        named = access_with(PORTAL_OPERATORS="company:ana-1")
        token = named.sign_in(ANA).token
        user = access.resolve(token)
        assert user is not None
        assert not user.is_operator
        assert access.operators() == []

    def test_an_operator_of_the_settings_is_removed_there_and_not_here(self, access_with: MakeAccess) -> None:
        access = access_with(PORTAL_OPERATORS="company:ana-1")
        access.operators()
        with pytest.raises(OperatorIsNamedInSettings, match="PORTAL_OPERATORS"):
            access.remove_operator("company", "ana-1", cause=SHELL)

    def test_a_viewer_is_an_operator_who_may_only_look(self, access: Access) -> None:
        access.add_operator("company", "ana-1", role="viewer", cause=SHELL)
        user = access.resolve(access.sign_in(ANA).token)
        assert user is not None
        assert user.role is OperatorRole.viewer

    @pytest.mark.parametrize(
        ("provider", "name", "role", "at"),
        [
            ("unknown", "ana-1", "admin", "provider"),
            ("company", "", "admin", "name"),
            ("company", "a\nb", "admin", "name"),
            ("company", "ana-1", "king", "role"),
        ],
    )
    def test_a_name_that_could_never_match_is_refused(
        self, access: Access, provider: str, name: str, role: str, at: str
    ) -> None:
        with pytest.raises(InvalidInput) as refusal:
            access.add_operator(provider, name, role=role, cause=SHELL)
        assert [where for where, _ in refusal.value.problems] == [at]

    def test_who_became_operator_and_who_was_removed_stands_in_the_audit_trail(
        self, access: Access, database: Database
    ) -> None:
        access.add_operator("company", "ana-1", cause=SHELL)
        access.remove_operator("company", "ana-1", cause=SHELL)
        with database.bind.connect() as connection:  # type: ignore[union-attr]  # bound above
            rows = connection.execute(
                sa.select(AuditRow.action, AuditRow.from_value, AuditRow.to_value)
            ).all()
        assert [tuple(row) for row in rows] == [
            ("operator.added", None, "admin"),
            ("operator.removed", "admin", None),
        ]
