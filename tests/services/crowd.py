"""A crowd of affiliates with accounts at Stripe, made past both APIs: what a sweep costs shows only among many."""

from __future__ import annotations

import copy
from typing import Any

import sqlalchemy as sa
from flask import Flask

from portal.models import ActorKind, Affiliate, AuditRow
from portal.models.base import new_id
from tests.services.programme import Programme


def strangers(stand_in: Flask, like: str, count: int, *, named: str = "acct_crowd") -> list[str]:
    """So many more accounts at Stripe that look like one that is there; nobody here knows of them."""
    store = stand_in.extensions["sandbox"].store
    made = [f"{named}{number:06}" for number in range(count)]
    with store.transaction():
        for account_id in made:
            store.put("account", account_id, copy.deepcopy(store.get("account", like)) | {"id": account_id})
    return made


def crowd(programme: Programme, stand_in: Flask, count: int) -> list[str]:
    """So many verified affiliates; their accounts' ids, in the order in which they were made."""
    first = programme.account_of(programme.verified())
    known_id = programme.services.accounts.affiliate_of(first)
    assert known_id is not None
    known = {
        column.name: getattr(programme.get(known_id), column.name) for column in Affiliate.__table__.columns
    }
    accounts = strangers(stand_in, first, count - 1)
    rows = [
        known | {"id": new_id(), "code": f"crowd-{number}", "stripe_account_id": account_id}
        for number, account_id in enumerate(accounts)
    ]
    told: dict[str, Any] = {
        "created_at": programme.clock.now(), "actor_kind": ActorKind.system, "subject_kind": "affiliate",
        "action": "affiliate.status_changed", "to_value": "verified", "cause": "a crowd",
    }  # fmt: skip
    programme.execute(
        sa.insert(Affiliate).values(rows),
        sa.insert(AuditRow).values([told | {"subject_id": str(row["id"])} for row in rows]),
    )
    return [first, *accounts]
