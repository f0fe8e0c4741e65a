"""Every page that lists or looks something up, with what stands in a generated database to look at."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from portal.domain.attempts import Outcome
from portal.domain.payouts import PayoutStatus
from portal.models import (
    ActorKind,
    Affiliate,
    AuditRow,
    EventState,
    LedgerEntry,
    Payout,
    PayoutRun,
    WebhookEvent,
)
from portal.services.affiliate_search import Flag, StatusFilter

#: What stands in an address only because of what was generated.
_OWN = re.compile(r"gen[0-9]+-[0-9]+|[0-9a-f]{8}-[0-9a-f-]{27}|(acct|evt)_g[0-9a-f]+|(?<=statements/)[0-9-]+")
_CHOSEN = re.compile(r"\b(past|before|after|cursor|q|id|reference|created_after|from|to)=[^&]+")


class Who(StrEnum):
    """Who asks for a page."""

    operator = "operator"
    busy = "busy affiliate"
    """With thousands of entries."""
    ordinary = "affiliate"
    machine = "machine"
    nobody = "nobody"


@dataclass(frozen=True)
class Visit:
    """One page that somebody asks for; `is_file` ones are only begun."""

    who: Who
    path: str
    what: str = ""
    is_file: bool = False

    @property
    def label(self) -> str:
        """The same in every database: what differs stands as dots."""
        path = _OWN.sub("…", _CHOSEN.sub(r"\1=…", self.path))
        words = f" ({self.what})" if self.what else ""
        return f"{self.who}: {path}{words}"


class Stock:
    """What there is to look at."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self.busy = self._one(sa.select(Affiliate).order_by(Affiliate.code))
        has_paid = sa.exists().where(Payout.affiliate_id == Affiliate.id, Payout.status == PayoutStatus.paid)
        others = sa.select(Affiliate).where(
            Affiliate.code != self.busy.code, has_paid, Affiliate.stripe_account_id.is_not(None)
        )
        self.ordinary = self._one(others.order_by(Affiliate.code))
        self.paid = self._one(
            sa.select(Payout).where(
                Payout.affiliate_id == self.ordinary.id, Payout.status == PayoutStatus.paid
            )
        )
        self.requested = self._one(sa.select(Payout).where(Payout.status == PayoutStatus.requested))
        self.event = self._one(sa.select(WebhookEvent).where(WebhookEvent.object_id == self.paid.transfer_id))
        self.run = self._one(sa.select(PayoutRun).order_by(PayoutRun.started_at.desc()))

    def middle(self, column: Any) -> int:
        """A number in the middle of a table."""
        lowest, highest = self._connection.execute(sa.select(sa.func.min(column), sa.func.max(column))).one()
        return int((lowest + highest) // 2)

    def middle_entry(self, affiliate_id: object) -> int:
        """A number in the middle of an affiliate's entries."""
        own = sa.select(sa.func.min(LedgerEntry.id), sa.func.max(LedgerEntry.id))
        lowest, highest = self._connection.execute(own.where(LedgerEntry.affiliate_id == affiliate_id)).one()
        return int((lowest + highest) // 2)

    def middle_code(self) -> str:
        """A code in the middle of all."""
        last = self._one(sa.select(Affiliate.code).order_by(Affiliate.code.desc())).code
        name, _, number = last.partition("-")
        return f"{name}-{int(number) // 2:06}"

    def _one(self, query: sa.Select[Any]) -> sa.Row[Any]:
        found = self._connection.execute(query.limit(1)).first()
        assert found is not None, f"nothing was generated for {query}"
        return found


def visits(stock: Stock) -> list[Visit]:
    """All of them."""
    return [
        *_affiliates(stock),
        *_payouts(stock),
        *_journals(stock),
        *_own_pages(stock, Who.busy, stock.busy.id),
        *_own_pages(stock, Who.ordinary, stock.ordinary.id),
        *_machines(stock),
    ]


def _affiliates(stock: Stock) -> Iterator[Visit]:
    def visit(path: str, what: str = "", *, is_file: bool = False) -> Visit:
        return Visit(Who.operator, f"/operator/affiliates{path}", what, is_file)

    yield Visit(Who.operator, "/operator/")
    yield visit("")
    yield visit(f"?past={stock.middle_code()}", "deep")
    for status in StatusFilter:
        yield visit(f"?status={status}")
    for flag in Flag:
        yield visit(f"?flag={flag}")
    yield visit("?status=restricted&flag=with_balance")
    for what, text in (
        ("code", stock.ordinary.code),
        ("name", stock.ordinary.name),
        ("part of a name", stock.ordinary.name[:4]),
        ("e-mail", stock.ordinary.email),
        ("account", stock.ordinary.stripe_account_id),
        ("account of nobody", "acct_nobody"),
        ("nothing", "nobody is called so"),
    ):
        yield visit(f"?q={quote(text)}", f"search: {what}")
    for what, code in (("busy", stock.busy.code), ("ordinary", stock.ordinary.code)):
        yield visit(f"/{code}", what)
    yield visit(f"/{stock.busy.code}/block", "block")
    yield visit(".csv", is_file=True)
    yield visit(".csv?flag=with_balance", is_file=True)


def _payouts(stock: Stock) -> Iterator[Visit]:
    def visit(path: str, what: str = "", *, is_file: bool = False) -> Visit:
        return Visit(Who.operator, f"/operator/payouts{path}", what, is_file)

    middle = stock.middle(Payout.number)
    yield visit("")
    yield visit(f"?before={middle}", "deep")
    for status in PayoutStatus:
        yield visit(f"?status={status}")
        yield visit(f"?status={status}&before={middle}", "deep")
    yield visit("?parked=yes")
    yield visit(f"?reference=P-{stock.paid.number}", "search: reference")
    yield visit(f"?affiliate={stock.busy.code}", "search: affiliate")
    yield visit(f"?affiliate={stock.ordinary.code}&status=rejected", "search: affiliate and status")
    yield visit(f"/{stock.paid.id}", "paid")
    yield visit(f"/{stock.requested.id}", "requested")
    yield visit(".csv", is_file=True)
    yield visit(".csv?status=rejected", is_file=True)
    yield visit("/run")
    yield visit("/run.csv", is_file=True)
    yield visit(f"/runs/{stock.run.id}", "run")
    for outcome in Outcome:
        yield visit(f"/runs/{stock.run.id}?outcome={outcome}", "run")
    yield visit(f"/runs/{stock.run.id}?after={stock.middle(Payout.number)}", "run, deep")


def _journals(stock: Stock) -> Iterator[Visit]:
    def visit(path: str, what: str = "", *, is_file: bool = False) -> Visit:
        return Visit(Who.operator, f"/operator{path}", what, is_file)

    place = f"{stock.event.received_at.isoformat()} {stock.event.id}"
    past = base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")
    yield visit("/webhooks")
    yield visit(f"/webhooks?past={past}", "deep")
    for state in EventState:
        yield visit(f"/webhooks?state={state}")
    yield visit("/webhooks?type=transfer.created")
    yield visit("/webhooks?type=account.updated")
    yield visit("/webhooks?type=nothing.such")
    yield visit(f"/webhooks?account={stock.ordinary.stripe_account_id}", "search: account")
    yield visit("/webhooks?account=acct_nobody", "search: account of nobody")
    yield visit(f"/webhooks/{stock.event.id}", "event")
    yield visit("/audit")
    yield visit(f"/audit?before={stock.middle(AuditRow.id)}", "deep")
    for actor in ActorKind:
        yield visit(f"/audit?actor={actor}")
    yield visit("/audit?action=affiliate.blocked")
    yield visit("/audit?action=payout.status_changed")
    yield visit("/audit?action=nothing.such")
    yield visit("/audit?subject=affiliate")
    yield visit("/audit?subject=operator")
    yield visit(f"/audit?subject=payout&id={stock.paid.id}", "search: subject")
    yield visit(f"/audit?id={stock.paid.id}", "search: id")
    for day in (stock.paid.created_at.date().isoformat(),):
        yield visit(f"/audit?from={day}&to={day}", "one day")
        yield visit(f"/audit?to={day}", "until then")
        yield visit(f"/audit?from={day}&to={day}&action=affiliate.blocked", "one day and an action")
    yield visit("/audit.csv", is_file=True)
    yield visit("/verification")
    yield visit("/reconciliation")
    yield visit("/tokens")


def _own_pages(stock: Stock, who: Who, affiliate_id: object) -> Iterator[Visit]:
    paths: Sequence[tuple[str, str]] = (
        ("/dashboard", ""),
        ("/payouts", ""),
        (f"/payouts?before={stock.middle(Payout.number)}", "deep"),
        *((f"/payouts?status={status}", "") for status in PayoutStatus),
        ("/payouts/new", ""),
        ("/earnings", ""),
        (f"/earnings?before={stock.middle_entry(affiliate_id)}", "deep"),
        ("/statements", ""),
        (f"/statements/{stock.paid.created_at:%Y-%m}", "month"),
        ("/settings", ""),
    )
    yield from (Visit(who, path, what) for path, what in paths)
    yield Visit(who, "/payouts.csv", is_file=True)
    yield Visit(who, f"/statements/{stock.paid.created_at:%Y-%m}.csv", is_file=True)


def _machines(stock: Stock) -> Iterator[Visit]:
    def visit(path: str, what: str = "") -> Visit:
        return Visit(Who.machine, f"/api/v1{path}", what)

    cursor = base64.urlsafe_b64encode(f"before:{stock.middle(Payout.number)}".encode()).decode().rstrip("=")
    created = f"{stock.paid.created_at:%Y-%m-%d}T00:00:00Z"
    yield visit("/payouts?limit=100")
    yield visit(f"/payouts?limit=100&cursor={cursor}", "deep")
    for status in PayoutStatus:
        yield visit(f"/payouts?limit=100&status={status}")
        yield visit(f"/payouts?limit=100&status={status}&cursor={cursor}", "deep")
    yield visit(f"/payouts?affiliate_code={stock.busy.code}", "busy")
    yield visit(f"/payouts?affiliate_code={stock.ordinary.code}&status=canceled", "affiliate and status")
    yield visit(f"/payouts?created_after={created}")
    yield visit(f"/payouts?created_after={created}&status=canceled")
    yield visit(f"/payouts?created_after={created}&cursor={cursor}", "deep")
    yield visit("/payouts?created_after=2100-01-01T00:00:00Z")
    yield visit(f"/payouts/{stock.paid.id}", "payout")
    yield visit(f"/affiliates/{stock.busy.code}", "busy")
    yield Visit(Who.nobody, "/metrics")
    yield Visit(Who.nobody, "/readyz")
