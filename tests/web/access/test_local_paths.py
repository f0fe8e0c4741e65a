"""After signing in, people only ever go on within this site."""

from __future__ import annotations

import pytest

from portal.web.local_paths import local_path


@pytest.mark.parametrize(
    "path", ["/", "/dashboard", "/payouts?status=paid&before=5", "/statements/2026-11", "/a%20b"]
)
def test_a_path_of_this_site_is_kept(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize(
    "hostile",
    [
        None,
        "",
        "dashboard",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/%5Cevil.example",
        "https://evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "%2F%2Fevil.example",
        "/\t/evil.example",
        "/%09/evil.example",
        "/%0d%0aSet-Cookie:x",
        "/\r\nLocation: https://evil.example",
        " /dashboard",
        "/\u2028x",
        "//[bad",
        "/" + "x" * 500,
        "/login?next=/",
        "/logout",
        "/auth/sandbox/callback?code=1",
    ],
)
def test_everything_else_is_not(hostile: str | None) -> None:
    assert local_path(hostile) is None
