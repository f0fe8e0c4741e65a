"""Reading what Stripe sent: nothing raises, nothing of a bank is kept but a fingerprint."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.accounts import (
    AccountFacts,
    AccountStatus,
    BankAccount,
    RequirementError,
    Requirements,
    bank_account_from_stripe,
    derive_standing,
    facts_from_stripe,
)
from portal.domain.notifications import wanted_words
from portal.domain.requirements import plain_requirements
from tests.domain.stripe_accounts import DECEMBER_AT, IN_DECEMBER, Json, account


@pytest.mark.parametrize("deadline", ["soon", True, 10**30, -(10**30), float("inf"), float("nan"), [], {}])
def test_a_deadline_that_is_no_time_is_none(deadline: object) -> None:
    said = account(requirements={"current_deadline": deadline})
    assert facts_from_stripe(said).requirements.current_deadline_at is None


def test_the_facts_are_what_stripe_sent() -> None:
    wanted: Json = {
        "past_due": ["external_account"],
        "currently_due": ["individual.email"],
        "eventually_due": ["individual.phone"],
        "pending_verification": ["individual.id_number"],
        "errors": [{"requirement": "individual.email", "code": "invalid_value_other", "reason": "No."}],
        "disabled_reason": "requirements.past_due",
        "current_deadline": IN_DECEMBER,
    }
    others: Json = {
        "charges_enabled": True,
        "country": "DE",
        "default_currency": "eur",
        "metadata": {"affiliate_code": "anna"},
        "future_requirements": {"current_deadline": IN_DECEMBER + 86_400},
    }
    said = account(others, requirements=wanted)
    assert facts_from_stripe(said) == AccountFacts(
        account_id="acct_1",
        deleted=False,
        charges_enabled=True,
        payouts_enabled=True,
        details_submitted=True,
        capabilities={"transfers": "active"},
        requirements=Requirements(
            past_due=("external_account",),
            currently_due=("individual.email",),
            eventually_due=("individual.phone",),
            pending_verification=("individual.id_number",),
            errors=(RequirementError("individual.email", "invalid_value_other", "No."),),
            disabled_reason="requirements.past_due",
            current_deadline_at=DECEMBER_AT,
        ),
        future_requirements=Requirements(current_deadline_at=DECEMBER_AT + timedelta(days=1)),
        country="DE",
        default_currency="eur",
        bank_fingerprint=None,
        metadata={"affiliate_code": "anna"},
    )


def test_texts_are_ones_that_any_database_can_hold() -> None:
    said = account(disabled="a\0b\ud800" + "c" * 5_000)
    reason = facts_from_stripe(said).requirements.disabled_reason
    assert reason is not None
    assert reason.startswith("ab?ccc")
    assert len(reason) == 1_000
    assert reason.encode()


def bank(name: str, *, currency: str = "usd", default: bool | None = True, **changes: object) -> Json:
    shown: Json = {
        "id": f"ba_{name}",
        "object": "bank_account",
        "last4": "4242",
        "bank_name": name,
        "currency": currency,
        "fingerprint": f"fp_{name}",
        "default_for_currency": default,
    }
    return shown | changes


def paid_into(*banks: object) -> Json:
    return account({"default_currency": "usd", "external_accounts": {"object": "list", "data": list(banks)}})


def fingerprint(*banks: object) -> str | None:
    return facts_from_stripe(paid_into(*banks)).bank_fingerprint


def test_one_bank_account_is_known_by_stripes_own_fingerprint() -> None:
    assert fingerprint(bank("ing")) == "fp_ing"
    assert fingerprint(bank("ing"), bank("old", default=False)) == "fp_ing"
    assert fingerprint(bank("ing", fingerprint=None)) == "ba_ing"
    assert fingerprint() is None
    assert facts_from_stripe(account()).bank_fingerprint is None


def test_a_bank_account_that_takes_over_or_joins_for_another_currency_is_a_change() -> None:
    before = fingerprint(bank("ing"))
    assert fingerprint(bank("ing", default=False), bank("thief")) != before
    with_euros = fingerprint(bank("ing"), bank("thief", currency="eur"))
    assert with_euros != before
    assert fingerprint(bank("ing"), bank("other", currency="eur")) != with_euros


def test_bank_accounts_in_another_order_are_no_change() -> None:
    one, two = bank("ing"), bank("n26", currency="eur")
    assert fingerprint(one, two) == fingerprint(two, one)


def test_the_bank_account_shown_is_the_one_that_gets_the_money() -> None:
    said = paid_into(bank("n26", currency="eur"), bank("ing"), bank("old", default=False))
    assert bank_account_from_stripe(said) == BankAccount("4242", "ing", "usd", "fp_ing")
    assert bank_account_from_stripe(said, currency="eur") == BankAccount("4242", "n26", "eur", "fp_n26")
    assert bank_account_from_stripe(said, currency="jpy") == BankAccount("4242", "ing", "usd", "fp_ing")
    assert bank_account_from_stripe(paid_into(bank("n26", currency="eur"))) == BankAccount(
        "4242", "n26", "eur", "fp_n26"
    )
    assert bank_account_from_stripe(account()) is None


def test_a_debit_card_is_shown_by_its_brand() -> None:
    said = paid_into(
        {"object": "card", "brand": "Visa", "last4": "0005", "currency": "usd", "fingerprint": "fp_card"}
    )
    assert bank_account_from_stripe(said) == BankAccount("0005", "Visa", "usd", "fp_card")


def test_the_facts_hold_nothing_of_the_bank_but_a_fingerprint() -> None:
    assert {field.name for field in fields(AccountFacts)} == {
        "account_id",
        "deleted",
        "charges_enabled",
        "payouts_enabled",
        "details_submitted",
        "capabilities",
        "requirements",
        "future_requirements",
        "country",
        "default_currency",
        "bank_fingerprint",
        "metadata",
    }
    facts = facts_from_stripe(paid_into(bank("Sparkasse"), bank("n26", currency="eur")))
    assert "4242" not in repr(facts)
    assert "Sparkasse" not in repr(facts)


times = st.datetimes(timezones=st.just(UTC) | st.just(timezone(timedelta(hours=-3))))
storable = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20)
storable_names = st.lists(storable, max_size=3).map(tuple)


@given(
    st.builds(
        Requirements,
        past_due=storable_names,
        currently_due=storable_names,
        eventually_due=storable_names,
        pending_verification=storable_names,
        errors=st.lists(st.builds(RequirementError, storable, storable, storable), max_size=3).map(tuple),
        disabled_reason=st.none() | storable,
        current_deadline_at=st.none() | times,
    )
)
def test_requirements_come_back_from_the_database_as_they_were(requirements: Requirements) -> None:
    assert Requirements.from_json(json.loads(json.dumps(requirements.to_json()))) == requirements


@pytest.mark.parametrize(
    "stored",
    [{}, {"past_due": None, "current_deadline_at": "soon"}, {"errors": [None, {}], "past_due": "all"}],
)
def test_requirements_stored_by_another_version_are_read_as_far_as_they_go(stored: dict[str, object]) -> None:
    assert Requirements.from_json(stored) == Requirements()


def test_a_stored_deadline_without_a_zone_is_utc() -> None:
    stored = Requirements.from_json({"current_deadline_at": "2026-12-14T00:00:00"})
    assert stored.current_deadline_at == DECEMBER_AT


FIELDS = [*account(), "deleted", "external_accounts", "metadata", "country", "default_currency"]
WORDS = [
    "active",
    "pending",
    "inactive",
    "transfers",
    "card_payments",
    "disabled_reason",
    "past_due",
    "currently_due",
    "errors",
    "current_deadline",
    "data",
    "fingerprint",
    "default_for_currency",
    "status",
    "listed",
    "rejected.fraud",
    "requirements.past_due",
]
texts = st.sampled_from(WORDS) | st.text(max_size=10)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
anything_like_an_account = st.dictionaries(
    st.sampled_from(FIELDS) | st.text(max_size=5), anything, max_size=12
)
nearly_an_account = st.builds(
    lambda said: account({"charges_enabled": True}) | said, anything_like_an_account
)


#: What v2 says of an account: entries with an impact and a deadline, where v1 has lists of names.
entry_of_v2 = st.fixed_dictionaries(
    {},
    optional={
        "id": texts,
        "awaiting_action_from": st.sampled_from(["user", "stripe"]) | anything,
        "description": st.sampled_from(["identity.individual.dob", "configuration.recipient"]) | anything,
        "errors": st.lists(st.dictionaries(st.sampled_from(["code", "description"]), texts), max_size=2)
        | anything,
        "impact": st.dictionaries(texts, anything, max_size=2),
        "minimum_deadline": st.dictionaries(st.sampled_from(["status", "time"]), texts),
        "requested_reasons": anything,
    },
)
requirements_of_v2 = st.fixed_dictionaries(
    {"entries": st.lists(entry_of_v2 | anything, max_size=3)},
    optional={"summary": anything, "collector": texts, "past_due": st.lists(entry_of_v2, max_size=2),
              "currently_due": st.lists(entry_of_v2, max_size=2), "errors": st.lists(entry_of_v2, max_size=2),
              "current_deadline": texts | st.integers(), "disabled_reason": anything},
)  # fmt: skip
account_of_v2 = st.builds(
    lambda said, wanted, future: (
        account({"object": "v2.core.account"})
        | said
        | {"requirements": wanted, "future_requirements": future}
    ),
    anything_like_an_account,
    requirements_of_v2,
    requirements_of_v2 | anything,
)


@given(anything_like_an_account | nearly_an_account | account_of_v2)
def test_whatever_stripe_sends_is_said_in_words_now_and_after_it_was_stored(said: Json) -> None:
    requirements = facts_from_stripe(said).requirements
    plain = plain_requirements(requirements)
    assert all(line.words and line.error != "" for line in plain)
    assert bool(plain) == requirements.is_anything_due
    stored = json.loads(json.dumps(requirements.to_json()))
    assert plain_requirements(Requirements.from_json(stored)) == plain
    assert [line for line in wanted_words(requirements) if "://" in line] == []


@given(anything, anything)
def test_requirements_that_were_stored_by_whomever_are_read_and_said(stored: object, inner: object) -> None:
    for kept in (stored, {"errors": [inner], "past_due": inner, "current_deadline_at": inner}):
        if isinstance(kept, dict):
            plain_requirements(Requirements.from_json(kept))


@given(anything_like_an_account | nearly_an_account | account_of_v2)
def test_whatever_stripe_sends_is_understood_and_only_what_can_be_paid_out_is_verified(said: Json) -> None:
    facts = facts_from_stripe(said)
    standing = derive_standing(facts)
    is_verified = standing.status is AccountStatus.verified
    assert standing.onboarding_complete == is_verified
    assert bank_account_from_stripe(said) is None or isinstance(said["external_accounts"], dict)
    if is_verified:
        assert said["payouts_enabled"] is True
        assert facts.requirements.disabled_reason is None
        assert not facts.deleted
    assert json.dumps(facts.requirements.to_json()).encode()
