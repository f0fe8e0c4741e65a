"""A company with a sign-in of its own and one operator, its boss: the settings of whoever tries a shell."""

from __future__ import annotations

import pytest

COMPANY = pytest.mark.settings(
    PORTAL_OIDC_COMPANY_ISSUER="https://id.example",
    PORTAL_OIDC_COMPANY_CLIENT_ID="portal",
    PORTAL_OIDC_COMPANY_CLIENT_SECRET="hush",
    PORTAL_OPERATORS="company:boss",
)
