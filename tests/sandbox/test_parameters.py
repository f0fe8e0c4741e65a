"""What a caller sends is read as strictly as Stripe reads it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from portal.sandbox.endpoints import ENDPOINTS, find
from portal.sandbox.errors import InvalidParameter
from portal.sandbox.parameters import check, merged_metadata, parse, table
from tests.sandbox.conftest import Stand


def test_nested_parameters_become_nested(stand: Stand) -> None:
    assert parse(b"a=1&b[c]=2&b[d][e]=3&f[]=4&f[]=5&g[0]=6&g[1]=7&h=") == {
        "a": "1",
        "b": {"c": "2", "d": {"e": "3"}},
        "f": {"0": "4", "1": "5"},
        "g": {"0": "6", "1": "7"},
        "h": "",
    }


@pytest.mark.parametrize(
    "raw", [b"[a]=1", b"a]=1", b"a[b=1", b"a=1&a[b]=2", b"a[b]=1&a=2", b"a[b][c]=1&a[b]=2"]
)
def test_a_name_that_is_no_name_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidParameter):
        parse(raw)


@pytest.mark.parametrize("raw", [b"a=%ff", b"\xff=1", b"&".join(b"a%d=1" % number for number in range(2001))])
def test_bytes_that_are_no_form_are_refused(raw: bytes) -> None:
    with pytest.raises(InvalidParameter):
        parse(raw)


@pytest.mark.parametrize(
    ("operation", "given", "words"),
    [
        ("events.list", {"delivery_success": "yes"}, "Invalid boolean: yes"),
        ("events.list", {"types": "payout.paid"}, "Invalid array"),
        ("events.list", {"types": {"a": "b"}}, "Invalid array"),
        ("transfers.list", {"created": {"since": "1"}}, "unknown parameter: created[since]"),
        ("transfers.list", {"created": "yesterday"}, "Invalid integer: yesterday"),
        ("transfers.list", {"destination": {"id": "acct_1"}}, "Invalid string"),
        ("transfers.create", {"amount": "1", "currency": "usd", "destination": "x", "metadata": "y"}, "hash"),
        (
            "transfers.create",
            {"amount": "1", "currency": "usd", "destination": "x", "metadata": {"a": {"b": "c"}}},
            "hash",
        ),
        (
            "transfers.create",
            {
                "amount": "1",
                "currency": "usd",
                "destination": "x",
                "metadata": dict.fromkeys(map(str, range(51)), ""),
            },
            "50 keys",
        ),
        ("accounts.create", {"capabilities": "transfers"}, "Invalid object"),
        ("accounts.create", {"a": "1", "b": "2"}, "Received unknown parameters: a, b"),
        ("accounts.reject", {}, "Missing required param: reason"),
        ("accounts.reject", {"reason": "dislike"}, "Invalid reason: must be one of"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_in_stripes_words(
    operation: str, given: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidParameter) as refusal:
        check(operation, given)
    assert words in refusal.value.message


def test_values_get_their_types() -> None:
    assert check(
        "accounts.create",
        {"capabilities": {"transfers": {"requested": "true"}}, "individual": {"dob": {"day": "7"}}},
    ) == {"capabilities": {"transfers": {"requested": True}}, "individual": {"dob": {"day": 7}}}
    assert check(
        "events.list", {"limit": "5", "types": {"0": "payout.paid"}, "delivery_success": "false"}
    ) == {
        "limit": 5,
        "types": ["payout.paid"],
        "delivery_success": False,
    }
    assert check("transfers.list", {"created": "12"}) == {"created": 12}
    assert check("accounts.create", {"external_account": "btok_us"}) == {"external_account": "btok_us"}


def test_metadata_follows_stripes_rules() -> None:
    assert merged_metadata({"a": "1"}, None) == {"a": "1"}
    assert merged_metadata({"a": "1", "b": "2"}, {"a": "", "c": "3"}) == {"b": "2", "c": "3"}
    assert merged_metadata({"a": "1"}, check("transfers.update", {"metadata": ""})["metadata"]) == {}


def test_every_endpoint_has_its_row_in_the_table_and_every_row_its_endpoint() -> None:
    assert {endpoint.operation for endpoint in ENDPOINTS} == set(table())


def test_an_endpoint_is_found_by_method_and_path_alone() -> None:
    found = find("GET", "/v1/transfers/tr_1/reversals/trr_1")
    assert found is not None
    assert (found[0].operation, found[1]) == (
        "transfers.retrieve_reversal",
        {"transfer": "tr_1", "id": "trr_1"},
    )
    assert find("PUT", "/v1/transfers") is None
    assert find("GET", "/v1/transfers/") is None


@pytest.mark.parametrize("body", [b"\xff\xfe", b"a[b=1", b'{"type": "express"}'])
def test_a_hostile_body_is_400_and_never_500(stand: Stand, body: bytes) -> None:
    answer = stand.browser.post(
        "/v1/accounts", data=body, headers={"Authorization": "Bearer sk_test_sandbox"}
    )
    assert answer.status_code == 400
    assert json.loads(answer.text)["error"]["type"] == "invalid_request_error"


def test_a_body_of_more_than_a_megabyte_is_refused(stand: Stand) -> None:
    answer = stand.browser.post(
        "/v1/accounts", data=b"a" * (1024 * 1024 + 1), headers={"Authorization": "Bearer sk_test_sandbox"}
    )
    assert answer.status_code == 413
