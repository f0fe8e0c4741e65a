"""What arrives in the inbox in every spelling that Stripe has: two endpoints, secrets in rotation, thin events, other
platforms; and that one event that can't be worked on is no other's misfortune."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.domain.webhooks import fingerprint
from portal.models import EventState, Installation, WebhookEvent
from portal.services.stripe_events import TRIES_BEFORE_PARKED
from tests.databases import on_sqlite
from tests.services.at_bank import sent
from tests.services.programme import TEST, Programme
from tests.services.stand_in import signed

PLATFORM, CONNECT = "whsec_platform_test", "whsec_connect_test"

#: The types of `v2.core.account…`, in whose names Stripe puts a part of the account in brackets.
ABOUT_ACCOUNTS = (
    "v2.core.account.created", "v2.core.account.updated", "v2.core.account.closed",
    "v2.core.account[requirements].updated", "v2.core.account[future_requirements].updated",
    "v2.core.account[identity].updated", "v2.core.account[defaults].updated",
    "v2.core.account[configuration.recipient].updated",
    "v2.core.account[configuration.recipient].capability_status_updated",
    "v2.core.account[configuration.merchant].capability_status_updated",
)  # fmt: skip


def thin(kind: str, **more: Any) -> dict[str, Any]:
    """A thin event as it is delivered."""
    return {
        "id": "evt_test_thin", "object": "v2.core.event", "type": kind, "livemode": False,
        "created": "2026-11-01T00:00:00.000Z", "context": None, "reason": None,
    } | more  # fmt: skip


def related(account_id: str) -> dict[str, str]:
    return {"id": account_id, "type": "v2.core.account", "url": f"/v2/core/accounts/{account_id}"}


def state(programme: Programme, event_id: str) -> EventState:
    return programme.services.event_log.get(event_id).state


def work(programme: Programme) -> None:
    programme.services.stripe_events.process_due()


def restricted(programme: Programme) -> UUID:
    """An affiliate whose account Stripe has restricted without a word."""
    affiliate_id = programme.verified()
    programme.stripe.fate(programme.account_of(affiliate_id), "restrict", silently=True)
    return affiliate_id


def test_an_event_is_noted_with_the_secret_of_its_endpoint_and_both_while_one_is_rotated(
    programme: Programme,
) -> None:
    now = programme.clock.real_now()
    event = {"object": "event", "type": "from.the.future", "livemode": False}
    for name, secret in (("evt_a", PLATFORM), ("evt_b", CONNECT)):
        assert programme.services.stripe_events.receive(*signed(event | {"id": name}, at=now, secret=secret))
    body, old = signed(event | {"id": "evt_c"}, at=now, secret=CONNECT)
    new = signed(body, at=now, secret=PLATFORM)[1].partition(",")[2]
    foreign = signed(body, at=now, secret="whsec_foreign")[1].partition(",")[2]
    assert programme.services.stripe_events.receive(body, f"{old},{foreign},{new},v0=00")
    rows: dict[str, str] = dict(programme.rows(sa.select(WebhookEvent.id, WebhookEvent.signed_with)))
    assert rows == {
        "evt_a": fingerprint(PLATFORM),
        "evt_b": fingerprint(CONNECT),
        "evt_c": f"{fingerprint(PLATFORM)},{fingerprint(CONNECT)}",
    }
    assert not [name for name in (PLATFORM, CONNECT) if name in str(rows)]


@on_sqlite
def test_every_thin_event_about_an_account_makes_us_look_whatever_its_context(programme: Programme) -> None:
    affiliate_id = programme.verified()
    account_id = programme.account_of(affiliate_id)
    for number, kind in enumerate(ABOUT_ACCOUNTS):
        becomes = "restricted" if number % 2 == 0 else "verified"
        programme.stripe.fate(account_id, "restrict" if becomes == "restricted" else "approve", silently=True)
        event_id = f"evt_test_{number}"
        programme.receive(
            thin(kind, id=event_id, related_object=related(account_id), context="acct_the_platform")
        )
        work(programme)
        assert programme.get(affiliate_id).stripe_account_status == becomes, kind
        event = programme.services.event_log.get(event_id)
        assert (event.account_id, event.state) == (account_id, EventState.processed), kind


@on_sqlite
def test_a_thin_event_about_something_of_an_account_names_it_in_its_context_or_address(
    programme: Programme,
) -> None:
    for number, (context, url) in enumerate(
        [("{}", "/v2/nothing"), ("org_1/{}", "/v2/nothing"), (None, "/v2/core/accounts/{}/persons/p")]
    ):
        affiliate_id = restricted(programme)
        account_id = programme.account_of(affiliate_id)
        person = {
            "id": "person_1",
            "type": "v2.core.account_person",
            "url": url.format(account_id),
        }
        programme.receive(
            thin(
                "v2.core.account_person.updated",
                id=f"evt_{number}",
                context=context and context.format(account_id),
                related_object=person,
            )
        )
        work(programme)
        assert programme.get(affiliate_id).stripe_account_status == "restricted", (context, url)


@on_sqlite
def test_a_thin_event_that_stands_for_a_snapshot_is_worked_on_like_it(programme: Programme) -> None:
    payout_id, account_id = sent(programme)
    bank_id = programme.stripe.pay_to_bank(account_id)
    for kind, thing in (("v1.payout.created", bank_id), ("v1.account.updated", account_id)):
        programme.receive(
            thin(kind, id=f"evt_{kind}", context=account_id, related_object={"id": thing, "type": "x"})
        )
    transfer_id = programme.payout(payout_id).transfer_id
    programme.receive(
        thin("v1.transfer.created", id="evt_tr", related_object={"id": transfer_id, "type": "transfer"})
    )
    work(programme)
    effects: dict[str, str] = dict(programme.rows(sa.select(WebhookEvent.id, WebhookEvent.effect)))
    assert effects.pop("evt_v1.payout.created").startswith("none → ")
    assert effects == {"evt_v1.account.updated": "no change", "evt_tr": "paid"}


@on_sqlite
def test_a_snapshot_of_any_api_version_makes_us_look(programme: Programme) -> None:
    for version in ("2014-12-17", "2022-11-15", "2026-10-28.endive", "2031-01-01.zenith", None):
        affiliate_id = restricted(programme)
        account_id = programme.account_of(affiliate_id)
        old = {"id": account_id, "object": "account", "transfers_enabled": True, "verification": {}}
        programme.receive(
            {
                "id": f"evt_{version}",
                "object": "event",
                "type": "account.updated",
                "livemode": False,
                "api_version": version,
                "account": account_id,
                "data": {"object": old},
                "request": "req_of_an_old_version",
            }
        )
        work(programme)
        assert programme.get(affiliate_id).stripe_account_status == "restricted", version


@on_sqlite
def test_an_event_of_a_bank_payout_makes_us_look_at_the_account_too(programme: Programme) -> None:
    payout_id, account_id = sent(programme)
    bank_id = programme.stripe.pay_to_bank(account_id)
    programme.stripe.fate(account_id, "restrict", silently=True)
    event = {"object": "event", "type": "payout.created", "livemode": False, "account": account_id}
    programme.receive(event | {"id": "evt_1", "data": {"object": {"id": bank_id}}})
    work(programme)
    assert programme.get(programme.payout(payout_id).affiliate_id).stripe_account_status == "restricted"


def test_events_of_accounts_and_transfers_that_are_not_ours_change_nothing(programme: Programme) -> None:
    affiliate_id = programme.verified()
    foreign = {"object": "event", "livemode": False, "type": "account.updated", "account": "acct_of_others"}
    programme.receive(
        foreign | {"id": "evt_account", "data": {"object": {"id": programme.account_of(affiliate_id)}}}
    )
    programme.receive(
        foreign | {"id": "evt_payout", "type": "payout.paid", "data": {"object": {"id": "po_1"}}}
    )
    transfer = {"object": "event", "livemode": False, "type": "transfer.created"}
    programme.receive(transfer | {"id": "evt_transfer", "data": {"object": {"id": "tr_of_others"}}})
    programme.stripe.forget_requests()
    work(programme)
    assert {state(programme, f"evt_{name}") for name in ("account", "payout", "transfer")} == {
        EventState.ignored
    }
    assert programme.stripe.requests("GET", "/v1/accounts/") == []


@on_sqlite
def test_an_event_of_another_platform_than_the_key_waits_for_a_person(programme: Programme) -> None:
    """Its transfers look unknown to our key; that must not pass for “not ours”."""
    programme.verified()
    programme.execute(sa.update(Installation).values(stripe_platform="acct_another test"))
    programme.receive(
        {
            "id": "evt_1",
            "object": "event",
            "type": "transfer.created",
            "livemode": False,
            "data": {"object": {"id": "tr_1"}},
        }
    )
    work(programme)
    event = programme.services.event_log.get("evt_1")
    assert (event.state, event.tries) == (EventState.received, 1)
    assert "another platform" in (event.error or "")


@pytest.mark.parametrize("is_of_account", [True, False])
def test_a_poison_event_is_parked_alone_and_can_be_replayed(
    programme: Programme, is_of_account: bool
) -> None:
    """It is refused by Stripe each time; those beside it are worked on all the same."""
    payout_id, account_id = sent(programme)
    bank_id = programme.stripe.pay_to_bank(account_id)
    ours = {"payout.paid": bank_id, "transfer.created": programme.payout(payout_id).transfer_id}
    kind = "payout.paid" if is_of_account else "transfer.created"
    event = {"object": "event", "type": kind, "livemode": False} | (
        {"account": account_id} if is_of_account else {}
    )
    things = {"poison": "po_poison" if is_of_account else "tr_poison", "healthy": ours[kind]}
    for name, thing in things.items():
        programme.receive(event | {"id": f"evt_{name}", "data": {"object": {"id": thing}}})
    path = f"/v1/{'payouts' if is_of_account else 'transfers'}/{things['poison']}"
    programme.stripe.fault("400_saved", path=path, method="GET", times=TRIES_BEFORE_PARKED)
    for _ in range(TRIES_BEFORE_PARKED):
        work(programme)
        assert state(programme, "evt_healthy") is EventState.processed
        programme.clock.advance(hours=1)
    assert state(programme, "evt_poison") is EventState.parked
    programme.services.event_log.replay("evt_poison", cause=TEST)
    work(programme)
    assert state(programme, "evt_poison") is (EventState.processed if is_of_account else EventState.ignored)
