"""A mistyped wallet address is caught before money goes there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.services.wallets import checksummed, wallet_problem

#: The examples that come with the standard.
KNOWN = [
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
]


@pytest.mark.parametrize("address", KNOWN)
def test_the_standards_own_examples_are_taken_and_made_again(address: str) -> None:
    assert wallet_problem(address) is None
    assert checksummed(address.lower()) == address


@pytest.mark.parametrize("address", KNOWN)
def test_an_address_without_a_checksum_is_taken(address: str) -> None:
    assert wallet_problem(address.lower()) is None
    assert wallet_problem("0x" + address[2:].upper()) is None


@given(address=st.sampled_from(KNOWN), place=st.integers(min_value=2, max_value=41))
def test_a_letter_in_the_wrong_case_is_a_typing_mistake(address: str, place: int) -> None:
    wrong = address[:place] + address[place].swapcase() + address[place + 1 :]
    assert (wallet_problem(wrong) is None) == (wrong == address)


@pytest.mark.parametrize(
    "text",
    ["", "0x", "0x123", KNOWN[0] + "0", KNOWN[0][2:], "0x" + "g" * 40, KNOWN[0] + "\n", "bc1qxy2kgdygjrsq"],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    problem = wallet_problem(text)
    assert problem is not None
    assert problem.startswith("Enter a wallet address")
