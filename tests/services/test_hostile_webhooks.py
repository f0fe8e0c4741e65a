"""Thousands of spoiled webhooks: no answer of 5xx, no change without a valid signature, and none from a body."""

from __future__ import annotations

import os
from collections import Counter

import pytest
import sqlalchemy as sa

from portal.models import Base, EventState, WebhookEvent, WebhookRefusalCount
from portal.services.stripe_events import LARGEST_BODY_BYTES
from portal.wiring import db
from tests.services.mutations import Mutations, Webhook
from tests.services.programme import Programme

#: How many on SQLite, and a fifth of it on PostgreSQL; `BODIES=20000` for more.
BODIES = int(os.environ.get("BODIES", "1000"))
SEED = int(os.environ.get("SEED", "1"))

#: What may change at any time: that something was refused.
COUNTERS = {WebhookRefusalCount.__tablename__}


@pytest.fixture
def bodies(programme: Programme) -> int:
    """On PostgreSQL, where every row costs more, fewer."""
    return BODIES if db.engine.dialect.name == "sqlite" else BODIES // 5


def everything(programme: Programme) -> dict[str, list[str]]:
    """All rows of all tables but the counters."""
    tables = [table for table in Base.metadata.sorted_tables if table.name not in COUNTERS]
    return {table.name: sorted(str(row) for row in programme.rows(sa.select(table))) for table in tables}


def drawn(programme: Programme, count: int) -> list[Webhook]:
    """So many, spoiled from what Stripe tells of a payout that goes all the way."""
    affiliate_id = programme.verified(earned=10_000)
    programme.request(affiliate_id)
    programme.run()
    programme.stripe.pay_to_bank(programme.account_of(affiliate_id))
    secrets = programme.services.settings.stripe_webhook_secrets
    mutations = Mutations(SEED, programme.stripe.events(), secrets=secrets)
    return [mutations.draw(programme.clock.real_now()) for _ in range(count)]


def test_whatever_is_sent_is_answered_and_changes_nothing_unless_it_is_signed(
    programme: Programme, bodies: int
) -> None:
    client = programme.app.test_client()
    webhooks = drawn(programme, bodies)
    before = everything(programme)
    for webhook in webhooks:
        if not webhook.is_signed:
            answer = client.post("/webhooks/stripe", data=webhook.body, headers=webhook.headers)
            assert answer.status_code == 400, (SEED, webhook, answer.text)
    assert everything(programme) == before
    answers: Counter[int] = Counter()
    for webhook in webhooks:
        if webhook.is_signed:
            answer = client.post("/webhooks/stripe", data=webhook.body, headers=webhook.headers)
            assert answer.status_code in {200, 400}, (SEED, webhook, answer.text)
            answers[answer.status_code] += 1
    after = everything(programme)
    changed = {name for name in after if after[name] != before[name]}
    assert {"webhook_events"} <= changed <= {"webhook_events", "webhook_hearings"}
    assert min(answers[200], answers[400]) > bodies / 30
    programme.services.stripe_events.process_due()
    states = Counter(state for (state,) in programme.rows(sa.select(WebhookEvent.state)))
    assert states.keys() == {EventState.processed, EventState.ignored}
    assert_money_stands_still(programme, before)


def assert_money_stands_still(programme: Programme, before: dict[str, list[str]]) -> None:
    """Working on all that was signed asked Stripe, and found what the portal knew already."""
    after = everything(programme)
    for name in ("affiliates", "payouts", "payout_attempts", "ledger_entries", "ledger_accounts"):
        changed = set(after[name]) ^ set(before[name])
        assert len(after[name]) == len(before[name]), name
        # an account's time of retrieval is the one thing that may be newer
        assert name == "affiliates" or not changed, (name, changed)


def test_a_body_of_any_size_is_answered_400(programme: Programme) -> None:
    for size in (0, LARGEST_BODY_BYTES, LARGEST_BODY_BYTES + 1, 3 * LARGEST_BODY_BYTES):
        answer = programme.app.test_client().post("/webhooks/stripe", data=b" " * size)
        assert answer.status_code == 400, size
