"""Whether Stripe is set up to tell the portal what it needs to hear: judged from the list of webhook endpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from portal.domain.webhooks import WebhookScope

#: By this word an endpoint asks for every type.
EVERY_TYPE = "*"

#: What Stripe's dashboard calls the scopes.
SCOPE_WORDS: Mapping[WebhookScope, str] = {
    WebhookScope.platform: "Your account",
    WebhookScope.accounts: "Connected accounts",
}


class Verdict(StrEnum):
    """What a finding means."""

    fine = "fine"
    wrong = "wrong"
    unknown = "unknown"
    """It can't be told from here."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at, and in a sentence what to do about it."""

    subject: str
    verdict: Verdict
    says: str

    def as_json(self) -> dict[str, str]:
        return asdict(self)


@dataclass(frozen=True)
class EndpointFacts:
    """What Stripe says of one of its endpoints. Whether it is for connected accounts its list shows by an application
    alone, and not for every platform."""

    id: str
    url: str
    is_enabled: bool
    has_application: bool
    types: frozenset[str]
    api_version: str | None

    def lacks(self, types: Sequence[str]) -> list[str]:
        """Which of these types it does not ask for."""
        return [] if EVERY_TYPE in self.types else [each for each in types if each not in self.types]


def judged(
    endpoints: Sequence[EndpointFacts], *, address: str, needs: Mapping[WebhookScope, Sequence[str]]
) -> list[Finding]:
    """A finding for each scope: is there an endpoint with our address, is it enabled, which types does it lack."""
    ours = [each for each in endpoints if each.url.rstrip("/") == address]
    shown = [each for each in ours if each.has_application]
    plain = [each for each in ours if not each.has_application]
    accounts = WebhookScope.accounts
    found = {WebhookScope.platform: plain, accounts: shown}
    if not shown and (perhaps := _perhaps_of_accounts(plain, needs[accounts])):
        found[WebhookScope.platform] = [each for each in plain if each not in perhaps] or plain
        names = ", ".join(each.id for each in perhaps)
        unknown = Finding(
            SCOPE_WORDS[accounts],
            Verdict.unknown,
            f"Stripe's list does not show whether {names} is for connected accounts. It is if the last event of "
            "connected accounts is recent; otherwise look in Stripe's dashboard under “Listen to”.",
        )
        return [_of_scope(WebhookScope.platform, found, address, needs), unknown]
    return [_of_scope(scope, found, address, needs) for scope in WebhookScope]


def _perhaps_of_accounts(plain: Sequence[EndpointFacts], types: Sequence[str]) -> list[EndpointFacts]:
    """Those that may be for connected accounts without being shown as such: they ask for all that one needs."""
    return [each for each in plain if not each.lacks(types)]


def _of_scope(
    scope: WebhookScope,
    found: Mapping[WebhookScope, Sequence[EndpointFacts]],
    address: str,
    needs: Mapping[WebhookScope, Sequence[str]],
) -> Finding:
    words = SCOPE_WORDS[scope]
    if not found[scope]:
        return Finding(
            words,
            Verdict.wrong,
            f"Stripe has no endpoint of “{words}” with the address {address}. Add one in its dashboard, and its "
            "signing secret to STRIPE_WEBHOOK_SECRETS.",
        )
    enabled = [each for each in found[scope] if each.is_enabled]
    if not enabled:
        names = ", ".join(each.id for each in found[scope])
        return Finding(words, Verdict.wrong, f"{names} is disabled. Enable it in Stripe's dashboard.")
    lacking = set.intersection(*(set(each.lacks(needs[scope])) for each in enabled))
    names = ", ".join(f"{each.id} (API version {each.api_version or 'of the account'})" for each in enabled)
    if lacking:
        return Finding(words, Verdict.wrong, f"{names} does not get: {', '.join(sorted(lacking))}.")
    return Finding(words, Verdict.fine, f"{names} is enabled and gets all that the portal needs.")
