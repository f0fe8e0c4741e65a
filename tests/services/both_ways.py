"""Stripe's two ways of making an account; a test of what follows holds for both."""

from __future__ import annotations

import pytest

V1, V2 = "/v1/accounts", "/v2/core/accounts"

#: The fixture `way` is then where accounts are made.
BY_V1 = pytest.param(V1, marks=pytest.mark.settings(STRIPE_ACCOUNTS_API="v1"), id="v1")
BY_V2 = pytest.param(V2, marks=pytest.mark.settings(STRIPE_ACCOUNTS_API="v2"), id="v2")

BOTH_WAYS = [pytest.mark.usefixtures("way"), pytest.mark.parametrize("way", [BY_V1, BY_V2], indirect=True)]
