"""A request that Stripe would not take is refused with the place named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.fakes.wsgi_stripe import stripe_client
from tests.stripe_description import conversation
from tests.stripe_description.conversation import of_request

ACCOUNTS, TRANSFERS = "/v1/accounts", "/v1/transfers"
RIGHT = "amount=500&currency=usd&destination=acct_1"


@pytest.mark.parametrize(
    ("method", "url", "body"),
    [
        ("post", TRANSFERS, f"{RIGHT}&metadata[payout]=1&transfer_group=g&expand[0]=destination"),
        ("get", f"{TRANSFERS}?limit=100&created[gte]=1790000000", None),
        ("get", f"{TRANSFERS}?created=1790000000", None),
        ("get", "/v1/events?types[0]=transfer.created&types[1]=balance.available", None),
        ("post", ACCOUNTS, "type=express&capabilities[transfers][requested]=true"),
        ("post", ACCOUNTS, "metadata="),
        ("post", "/v1/accounts/acct_1/reject", "reason=fraud&payouts_action=none"),
        ("post", "/v1/accounts/acct_1/unreject", ""),
        ("post", "/v2/core/accounts", '{"include": ["identity"], "contact_email": "ada@example.com"}'),
    ],
)  # fmt: skip
def test_what_stripe_takes_differs_in_nothing(method: str, url: str, body: str | None) -> None:
    assert of_request(method, url, body) == []


@pytest.mark.parametrize(
    ("method", "url", "body", "wrong"),
    [
        ("post", TRANSFERS, f"{RIGHT}&colour=red", "colour is unknown to Stripe"),
        ("post", ACCOUNTS, "capabilities[transfers][requsted]=true",
         "capabilities[transfers][requsted] is unknown to Stripe"),
        ("post", ACCOUNTS, "capabilities[flying][requested]=true", "capabilities[flying] is unknown to Stripe"),
        ("post", TRANSFERS, "amount=500&currency=usd", "destination is missing"),
        ("post", TRANSFERS, RIGHT.replace("500", "5.0"), "amount is '5.0', which is no integer"),
        ("post", TRANSFERS, RIGHT.replace("usd", "USD"), "currency is 'USD', which is no currency"),
        ("post", TRANSFERS, f"{RIGHT}&source_type=cash",
         "source_type is 'cash', which is none of bank_account, card, fpx"),
        ("post", TRANSFERS, f"{RIGHT}&description={'a' * 5001}", "description is longer than 5000 characters"),
        ("post", TRANSFERS, f"{RIGHT}&metadata=payout", "metadata is 'payout', which is no object"),
        ("post", TRANSFERS, f"{RIGHT}&metadata[a][b]=1", "metadata[a] is {'b': '1'}, which is no string"),
        ("post", TRANSFERS, f"{RIGHT}&expand=destination", "expand is 'destination', which is no array"),
        ("post", ACCOUNTS, "capabilities[transfers][requested]=yes",
         "capabilities[transfers][requested] is 'yes', which is no boolean"),
        ("post", ACCOUNTS, "settings[payouts][schedule][monthly_payout_days][0]=first",
         "settings[payouts][schedule][monthly_payout_days][0] is 'first', which is no integer"),
        ("get", f"{TRANSFERS}?created[since]=1", None, "created[since] is unknown to Stripe"),
        ("get", f"{TRANSFERS}?created[gte]=monday", None, "created[gte] is 'monday', which is no integer"),
        ("get", f"{TRANSFERS}?payout=1", None, "payout is unknown to Stripe"),
        ("get", "/v1/events?types=transfer.created", None, "types is 'transfer.created', which is no array"),
        ("post", "/v2/core/accounts", '{"include": ["everything"]}', "include[0] is 'everything', which is none of"),
        ("post", "/v2/core/accounts", '{"contact": "x"}', "contact is unknown to Stripe"),
        ("post", ACCOUNTS, "type", "can't be read"),
    ],
)  # fmt: skip
def test_what_stripe_refuses_is_named_by_its_place(
    method: str, url: str, body: str | None, wrong: str
) -> None:
    (difference,) = of_request(method, url, body)
    assert wrong in difference


@pytest.mark.parametrize(
    ("method", "url"),
    [("get", "/v1/transfer"), ("delete", TRANSFERS), ("post", "/v1/transfers/tr_1/unreject")],
)
def test_an_operation_that_stripe_has_not_is_refused(method: str, url: str) -> None:
    assert of_request(method, url, None) == [f"{method.upper()} {url} is no operation of Stripe's"]


def _takes_everything(_environ: object, start_response: object) -> Iterator[bytes]:
    assert callable(start_response)
    start_response("200 OK", [("Content-Type", "application/json")])
    yield b'{"id": "tr_1", "object": "transfer"}'


def test_the_way_to_the_stand_in_keeps_what_was_taken_and_what_was_answered_wrongly() -> None:
    misspelled: Any = {"colour": "red"}
    stripe_client(_takes_everything).v1.transfers.retrieve("tr_1", misspelled)
    differences = conversation.take_differences()
    assert "GET /v1/transfers/tr_1: colour is unknown to Stripe, and was taken" in differences
    assert "GET /v1/transfers/tr_1 → 200: amount is missing" in differences
    assert conversation.take_differences() == []
