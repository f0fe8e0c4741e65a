"""Ids that look like Stripe's."""

from __future__ import annotations

import secrets
import string

_ALPHABET = string.ascii_letters + string.digits


def new_id(prefix: str, length: int = 16) -> str:
    """A fresh id such as `acct_1…`, `tr_1…`, `evt_1…`."""
    return f"{prefix}_1{''.join(secrets.choice(_ALPHABET) for _ in range(length))}"


def new_secret(length: int = 32) -> str:
    """Something nobody can guess, for links and codes."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
