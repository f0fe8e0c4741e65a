"""What one sandbox is told at its start."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from portal.sandbox.manners import Manners

Deliver = Callable[[str, bytes, Mapping[str, str]], int]
"""Sends one webhook: address, raw body, headers; answers the HTTP status, raises OSError when nobody answers."""


class ConfigurationError(ValueError):
    """The sandbox was told something it can't work with; the text names the option."""


@dataclass(frozen=True)
class Person:
    """Somebody the identity provider knows."""

    sub: str
    name: str
    email: str
    email_verified: bool = True


KNOWN_PEOPLE = (
    Person("person-ada", "Ada Affiliate", "ada@example.com"),
    Person("person-ben", "Ben Builder", "ben@example.com"),
    Person("person-chloe", "Chloe Unverified", "chloe@example.com", email_verified=False),
    Person("person-olga", "Olga Operator", "olga@example.com"),
)


def _wall_clock() -> float:
    return time.time()


@dataclass(frozen=True)
class SandboxConfig:
    """Everything a sandbox needs; the defaults suit an in-process test.

    Amounts are minor units by currency, times are UTC. Without `data_dir` everything is kept in memory.
    Without `webhook_url` there are no webhook endpoints; with one but without `deliver` nobody answers there.
    """

    secret_key: str = "sk_test_sandbox"
    base_url: str = "http://127.0.0.1:5001"
    portal_url: str = "http://127.0.0.1:5000"
    data_dir: Path | None = None
    webhook_url: str | None = None
    platform_webhook_secret: str = "whsec_sandbox_platform"
    connect_webhook_secret: str = "whsec_sandbox_connect"
    client_id: str = "portal"
    client_secret: str = "sandbox-client-secret"
    redirect_uris: tuple[str, ...] = ()
    people: tuple[Person, ...] = KNOWN_PEOPLE
    manners: Manners = Manners()  # noqa: RUF009 -- frozen
    approve_after_seconds: float = 0
    bank_payout_after_seconds: float | None = None
    link_lifetime_seconds: int = 300
    starting_balance: Mapping[str, int] = field(
        default_factory=lambda: {"usd": 10_000_000, "eur": 10_000_000, "gbp": 10_000_000}
    )
    retry_delays_seconds: tuple[float, ...] = (1, 2, 5, 15, 60, 300, 900)
    thin_endpoints: frozenset[str] = frozenset()
    """Which of `platform` and `connect` get thin events at the start."""
    requests_per_second: int | None = None
    deliver: Deliver | None = None
    deliver_at_once: bool = True
    clock: Callable[[], float] = _wall_clock

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[sr]k_test_[A-Za-z0-9_]+", self.secret_key):
            raise ConfigurationError("secret key: a test key beginning with sk_test_ or rk_test_ is needed")
        for name in ("base_url", "portal_url", "webhook_url"):
            url = getattr(self, name)
            if url is not None and urlsplit(url).scheme not in ("http", "https"):
                raise ConfigurationError(
                    f"{name.replace('_', ' ')}: an http:// or https:// address is needed"
                )
        if not self.thin_endpoints <= {"platform", "connect"}:
            raise ConfigurationError("thin endpoints: platform, connect or both are needed")
        if self.approve_after_seconds < 0:
            raise ConfigurationError("approve after: seconds can't be negative")

    @property
    def issuer(self) -> str:
        """The identity provider's issuer, with no slash at its end."""
        return self.manners.issuer or f"{self.base_url.rstrip('/')}/oidc"

    @property
    def provider_site(self) -> str:
        """Where the identity provider's pages and endpoints are, with no slash at its end."""
        return self.manners.site or self.issuer

    @property
    def registered_redirect_uris(self) -> tuple[str, ...]:
        """Where the identity provider may send a person back to, each compared letter by letter."""
        if self.redirect_uris:
            return self.redirect_uris
        portal = self.portal_url.rstrip("/")
        return tuple(f"{portal}/auth/{name}/callback" for name in ("sandbox", "demo"))

    @property
    def signed_out_uri(self) -> str:
        """Where the identity provider sends a person back to who has signed out."""
        return f"{self.portal_url.rstrip('/')}/login"
