"""Machines come in by a token that is shown once."""

from __future__ import annotations

import re

import pytest

from portal.domain.errors import InvalidInput, NotFound
from portal.services.access import Access
from portal.services.tokens import Scope, TokenNameIsTaken, may
from tests.services.access.people import SHELL


class TestTokens:
    def test_a_token_is_shown_once_and_only_its_hash_is_kept(self, access: Access) -> None:
        token = access.create_token("shop", cause=SHELL)
        assert re.fullmatch(r"ppt_[A-Za-z0-9_-]{43}", token)
        (row,) = access.tokens()
        assert token not in str(vars(row))
        assert token.startswith(row.prefix)

    def test_a_token_without_named_scopes_has_all(self, access: Access) -> None:
        row = access.token(access.create_token("shop", cause=SHELL))
        assert row is not None
        assert all(may(row, scope) for scope in Scope)

    def test_a_token_reaches_no_further_than_its_scopes(self, access: Access) -> None:
        row = access.token(access.create_token("shop", ["payouts:read"], cause=SHELL))
        assert row is not None
        assert [scope for scope in Scope if may(row, scope)] == [Scope.payouts_read]

    def test_a_revoked_token_opens_nothing(self, access: Access) -> None:
        token = access.create_token("shop", cause=SHELL)
        access.revoke_token("shop", cause=SHELL)
        assert access.token(token) is None
        with pytest.raises(NotFound):
            access.revoke_token("shop", cause=SHELL)

    @pytest.mark.parametrize("name", ["", "sho", "shop\x00", "\ud800", "x" * 5_000])
    def test_what_names_no_token_revokes_none(self, access: Access, name: str) -> None:
        token = access.create_token("shop", cause=SHELL)
        with pytest.raises(NotFound) as refusal:
            access.revoke_token(name, cause=SHELL)
        assert len(refusal.value.sentence) < 300
        assert access.token(token) is not None

    def test_the_name_of_a_revoked_token_can_be_used_again_and_that_of_a_live_one_not(
        self, access: Access
    ) -> None:
        access.create_token("shop", cause=SHELL)
        with pytest.raises(TokenNameIsTaken):
            access.create_token("shop", cause=SHELL)
        access.revoke_token("shop", cause=SHELL)
        assert access.token(access.create_token("shop", cause=SHELL)) is not None

    def test_an_unknown_scope_is_refused_by_name(self, access: Access) -> None:
        with pytest.raises(InvalidInput, match="everything"):
            access.create_token("shop", ["everything"], cause=SHELL)

    @pytest.mark.parametrize("shown", ["", "ppt_", "ppt_" + "x" * 43, "x" * 47, "ppt_" + "ü" * 43])
    def test_a_made_up_token_is_none_of_ours(self, access: Access, shown: str) -> None:
        access.create_token("shop", cause=SHELL)
        assert access.token(shown) is None
