"""The languages that an affiliate can choose."""

from __future__ import annotations

from enum import StrEnum


class Language(StrEnum):
    """The value is its ISO 639 code."""

    en = "en"
    de = "de"

    @property
    def own_name(self) -> str:
        """What those who speak it call it."""
        return {"en": "English", "de": "Deutsch"}[self]
