"""Wallet addresses: a letter's case is a checksum, so that a mistyped address is caught before money goes there.

https://eips.ethereum.org/EIPS/eip-55
"""

from __future__ import annotations

import re

from Crypto.Hash import keccak

from portal.domain.sentences import Sentence

_ADDRESS = re.compile(r"0x([0-9a-fA-F]{40})")

#: From this value on, a digit of the hash makes its letter a capital.
_CAPITAL_FROM = 8


def wallet_problem(text: str) -> str | None:
    """Why a text is no wallet address to be trusted, as a sentence; None if it is one. An address all in small or all
    in capital letters carries no checksum and is taken."""
    match = _ADDRESS.fullmatch(text)
    if match is None:
        return Sentence("Enter a wallet address: 0x and 40 hexadecimal digits.")
    digits = match[1]
    if digits in {digits.lower(), digits.upper()} or text == checksummed(text):
        return None
    return Sentence(
        "This wallet address has a typing mistake: its capital letters do not fit. Copy it again."
    )


def checksummed(address: str) -> str:
    """The address with its checksum, as wallets show it."""
    digits = address[2:].lower()
    digest = keccak.new(digest_bits=256, data=digits.encode()).hexdigest()
    marked = (
        digit.upper() if int(place, 16) >= _CAPITAL_FROM else digit
        for digit, place in zip(digits, digest, strict=False)
    )
    return "0x" + "".join(marked)
