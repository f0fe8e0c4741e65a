"""Texts that people and machines send: what no database, log or page should have to hold."""

from __future__ import annotations


def is_clean(text: str) -> bool:
    """No control characters (C0, DEL, C1) and no half of a surrogate pair, which no database stores."""
    return not any(code < 0x20 or 0x7F <= code < 0xA0 or 0xD800 <= code < 0xE000 for code in map(ord, text))
