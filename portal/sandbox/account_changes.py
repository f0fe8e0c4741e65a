"""Changing an account and telling the world: every difference becomes the events Stripe would send."""

from __future__ import annotations

from collections.abc import Callable

from portal.sandbox.events import changes
from portal.sandbox.fates import Circumstances, fate_named
from portal.sandbox.identifiers import new_id
from portal.sandbox.state import Sandbox, accessible
from portal.sandbox.store import Document, public


class NoSuchAccount(KeyError):
    """No account of that id that the platform can reach."""


def change(
    sandbox: Sandbox, account_id: str, alter: Callable[[Document], None], *, silently: bool = False
) -> Document:
    """Alter an account in one transaction and record what changed, unless it is to happen silently.

    Raises NoSuchAccount.
    """
    with sandbox.store.transaction():
        before = accessible(sandbox, account_id)
        if before is None:
            raise NoSuchAccount(account_id)
        after = accessible(sandbox, account_id) or {}
        alter(after)
        sandbox.store.put("account", account_id, after)
        if not silently:
            _announce(sandbox, before, after)
    return after


def meet_fate(
    sandbox: Sandbox,
    account_id: str,
    name: str,
    *,
    deadline_days: int = 14,
    reason: str | None = None,
    fingerprint: str | None = None,
    silently: bool = False,
) -> Document:
    """Let a fate happen to an account; `deauthorise` and `delete` end the platform's access.

    Raises NoSuchAccount and UnknownFate.
    """
    if name in ("deauthorise", "delete"):
        return end_access(sandbox, account_id, silently=silently)
    fate = fate_named(name)
    when = Circumstances(sandbox.now(), deadline_days, reason, fingerprint)

    def alter(account: Document) -> None:
        account.pop("_fate", None)
        account.pop("_state", None)
        fate(account, when)

    return change(sandbox, account_id, alter, silently=silently)


def meet_fate_later(sandbox: Sandbox, account_id: str, name: str, *, seconds: float) -> None:
    """Let a fate happen after a while, by the heartbeat."""
    fate_named(name)
    with sandbox.store.transaction():
        account = accessible(sandbox, account_id)
        if account is None:
            raise NoSuchAccount(account_id)
        account["_fate"] = {"name": name, "at": sandbox.config.clock() + seconds}
        account["_state"] = "waiting"
        sandbox.store.put("account", account_id, account)


def meet_due_fates(sandbox: Sandbox) -> int:
    """Let happen what is due by now; answers how much did."""
    due = sandbox.store.select(
        "account",
        where={"_state": "waiting"},
        due=("_fate.at", sandbox.config.clock()),
        oldest_first=True,
    )
    for account in due:
        meet_fate(sandbox, account["id"], account["_fate"]["name"])
    return len(due)


def end_access(sandbox: Sandbox, account_id: str, *, silently: bool = False) -> Document:
    """The account is deleted, or no longer wants this platform: it can't be reached any more.

    Raises NoSuchAccount. https://docs.stripe.com/api/events/types#event_types-account.application.deauthorized
    """
    with sandbox.store.transaction():
        account = accessible(sandbox, account_id)
        if account is None:
            raise NoSuchAccount(account_id)
        account["_gone"] = True
        account["_state"] = "gone"
        sandbox.store.put("account", account_id, account)
        if not silently:
            application = {"id": new_id("ca", 24), "object": "application", "name": "Platform"}
            sandbox.events.record("account.application.deauthorized", application, account=account_id)
    return account


def _announce(sandbox: Sandbox, before: Document, after: Document) -> None:
    account_id = after["id"]
    previous = changes(before, after)
    if not previous:
        return
    for name, status in after["capabilities"].items():
        if before["capabilities"].get(name) != status:
            sandbox.events.record(
                "capability.updated",
                capability(after, name, status),
                account=account_id,
                previous={"status": before["capabilities"].get(name, "unrequested")},
            )
    was = {bank["id"]: bank for bank in before["external_accounts"]["data"]}
    now = {bank["id"]: bank for bank in after["external_accounts"]["data"]}
    for gone in was.keys() - now.keys():
        sandbox.events.record("account.external_account.deleted", was[gone], account=account_id)
    for new in now.keys() - was.keys():
        sandbox.events.record("account.external_account.created", now[new], account=account_id)
    sandbox.events.record("account.updated", after, account=account_id, previous=previous)


def capability(account: Document, name: str, status: str) -> Document:
    """A capability object: https://docs.stripe.com/api/capabilities/object"""
    requirements = public(account)["requirements"]
    return {
        "id": name,
        "object": "capability",
        "account": account["id"],
        "future_requirements": account["future_requirements"],
        "requested": status != "unrequested",
        "requested_at": account["created"],
        "requirements": {
            **requirements,
            "disabled_reason": None if status == "active" else "pending.onboarding",
        },
        "status": status,
    }
