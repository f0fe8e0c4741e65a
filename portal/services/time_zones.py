"""Time zones by their IANA names: which there are, how a person finds theirs, and what a moment is called in one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from itertools import groupby
from zoneinfo import ZoneInfo, available_timezones

#: What everybody reads who has chosen nothing.
UTC_NAME = "UTC"

#: Longer than any name.
LONGEST_ZONE = 64

#: A placeholder, and whatever this machine happens to be set to.
_NO_PLACES = {"Factory", "localtime"}

#: Where people look for theirs. The other names are older ones of the same zones, or no place's.
_REGIONS = "Africa America Antarctica Arctic Asia Atlantic Australia Europe Indian Pacific".split()


@cache
def zone_names() -> frozenset[str]:
    """Every name that can be chosen."""
    return frozenset(available_timezones() - _NO_PLACES)


@cache
def places() -> Mapping[str, Sequence[tuple[str, str]]]:
    """Region to names with their places (`Europe/Berlin`, `Berlin`), both in alphabetical order."""
    found = sorted(name for name in zone_names() if _region(name) in _REGIONS)
    return {region: [(name, _place(name)) for name in names] for region, names in groupby(found, _region)}


def zone_of(name: str | None) -> tzinfo:
    """The zone of a stored name; UTC for none, and for one that this machine's data does not know."""
    return ZoneInfo(name) if name is not None and name in zone_names() else UTC


def short_name(moment: datetime) -> str:
    """What a moment's own zone is called then: `CET`, `CEST`, or `UTC+5:45` where nobody has made up a word."""
    name = moment.tzname() or ""
    if not name.startswith(("+", "-")):
        return name
    offset = moment.utcoffset() or timedelta()
    hours, minutes = divmod(abs(offset) // timedelta(minutes=1), 60)
    sign = "\u2212" if offset < timedelta() else "+"
    return f"{UTC_NAME}{sign}{hours}" + (f":{minutes:02}" if minutes else "")


def _region(name: str) -> str:
    return name.partition("/")[0]


def _place(name: str) -> str:
    return name.partition("/")[2].replace("_", " ").replace("/", ", ")
