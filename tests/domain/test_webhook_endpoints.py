"""What is said of Stripe's webhook endpoints, by what its list shows."""

from __future__ import annotations

import pytest

from portal.domain.webhook_endpoints import EndpointFacts, judged
from portal.domain.webhooks import WebhookScope

OURS = "https://portal.example/webhooks/stripe"
NEEDS = {
    WebhookScope.platform: ["transfer.created"],
    WebhookScope.accounts: ["account.updated", "payout.paid"],
}
NAMES = {"Your account": "platform", "Connected accounts": "accounts"}


def endpoint(
    name: str,
    *types: str,
    url: str = OURS,
    enabled: bool = True,
    connect: bool = False,
    version: str | None = None,
) -> EndpointFacts:
    return EndpointFacts(name, url, enabled, connect, frozenset(types), version)


EVERY = endpoint("we_p", "*")
CONNECT = endpoint("we_c", "account.updated", "payout.paid", connect=True, version="2026-10-28.endive")


@pytest.mark.parametrize(
    ("case", "endpoints", "platform", "accounts"),
    [
        ("none at all", [], ("wrong", "has no endpoint"), ("wrong", "has no endpoint")),
        ("both, as they should be", [EVERY, CONNECT], ("fine", "we_p"), ("fine", "2026-10-28.endive")),
        ("a slash at the end", [endpoint("we_p", "*", url=OURS + "/"), CONNECT], ("fine", "we_p"), ("fine", "we_c")),
        ("somebody else's", [endpoint("we_x", "*", url="https://other.example"), CONNECT],
         ("wrong", OURS), ("fine", "")),
        ("one is disabled", [endpoint("we_p", "*", enabled=False), CONNECT],
         ("wrong", "we_p is disabled"), ("fine", "")),
        ("types are missing", [EVERY, endpoint("we_c", "account.updated", connect=True)],
         ("fine", ""), ("wrong", "does not get: payout.paid")),
        ("two of one scope get it all together",
         [EVERY, endpoint("a", "account.updated", connect=True), endpoint("b", "payout.paid", connect=True)],
         ("fine", ""), ("fine", "a (API version of the account), b")),
        ("only the platform's, with its own types", [endpoint("we_p", "transfer.created")],
         ("fine", ""), ("wrong", "has no endpoint")),
        ("the list shows no application",
         [endpoint("we_p", "transfer.created"), endpoint("we_q", "account.updated", "payout.paid")],
         ("fine", "we_p"), ("unknown", "we_q")),
        ("one that hears all, of a scope that is not shown", [EVERY], ("fine", "we_p"), ("unknown", "we_p")),
    ],
)  # fmt: skip
def test_each_scope_is_judged(
    case: str, endpoints: list[EndpointFacts], platform: tuple[str, str], accounts: tuple[str, str]
) -> None:
    found = {NAMES[each.subject]: each for each in judged(endpoints, address=OURS, needs=NEEDS)}
    for scope, (verdict, words) in {"platform": platform, "accounts": accounts}.items():
        assert found[scope].verdict == verdict, (case, found[scope])
        assert words in found[scope].says, (case, found[scope])
