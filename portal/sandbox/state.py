"""One sandbox: its documents, its events, its queue of webhooks, its keys, its faults and its clock."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from portal.sandbox.config import SandboxConfig
from portal.sandbox.events import PLATFORM, Events
from portal.sandbox.faults import Faults
from portal.sandbox.idempotency import IdempotencyKeys
from portal.sandbox.platform_rules import PlatformRules
from portal.sandbox.rate_limit import RateLimit
from portal.sandbox.store import Document, Store
from portal.sandbox.webhooks import Webhooks

_REQUESTS_KEPT = 10_000


@dataclass
class LoggedRequest:
    """One API request as it came, and what became of it: `status` stays None when the line was dropped."""

    method: str
    path: str
    params: dict[str, Any]
    account: str | None
    idempotency_key: str | None
    at: int
    request_id: str
    status: int | None = None
    fault: str | None = None
    replayed: bool = False


@dataclass
class Sandbox:
    """Everything the stand-in's handlers work on; made once for each application."""

    config: SandboxConfig
    store: Store = field(init=False)
    webhooks: Webhooks = field(init=False)
    events: Events = field(init=False)
    keys: IdempotencyKeys = field(init=False)
    faults: Faults = field(init=False)
    rate_limit: RateLimit = field(init=False)
    requests: deque[LoggedRequest] = field(init=False)
    rules: PlatformRules = PlatformRules()  # noqa: RUF009 -- frozen

    def __post_init__(self) -> None:
        directory = self.config.data_dir
        self.store = Store(None if directory is None else directory / "sandbox.db")
        self.webhooks = Webhooks(self.store, self.config)
        self.events = Events(self.store, self.config.clock, self.webhooks.announce)
        self.keys = IdempotencyKeys(self.store)
        self.faults = Faults()
        self.rate_limit = RateLimit(self.config.requests_per_second)
        self.requests = deque(maxlen=_REQUESTS_KEPT)
        with self.store.transaction():
            if self.store.get("balance", PLATFORM) is None:
                self.store.put("balance", PLATFORM, {"available": dict(self.config.starting_balance)})

    def now(self) -> int:
        """Epoch seconds, UTC."""
        return int(self.config.clock())


@dataclass(frozen=True)
class Call:
    """One API call whose parameters have been checked: `ids` come from the path, `account` from Stripe-Account."""

    sandbox: Sandbox
    params: dict[str, Any]
    ids: dict[str, str]
    account: str | None = None

    @property
    def store(self) -> Store:
        """The sandbox's documents."""
        return self.sandbox.store

    @property
    def owner(self) -> str:
        """Whose objects are meant: the connected account's, or the platform's."""
        return self.account or PLATFORM


def accessible(sandbox: Sandbox, account_id: str) -> Document | None:
    """A connected account that the platform can still reach, or None."""
    account = sandbox.store.get("account", account_id)
    return None if account is None or account.get("_gone") else account
