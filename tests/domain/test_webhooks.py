"""When refused webhooks need a person."""

from __future__ import annotations

import pytest

from portal.domain.webhooks import fingerprint, have_risen


@pytest.mark.parametrize(
    ("case", "last_day", "week_before", "risen"),
    [
        ("nothing", 0, 0, False),
        ("a scanner", 9, 0, False),
        ("suddenly many", 10, 0, True),
        ("as on every day", 100, 700, False),
        ("twice a usual day", 200, 700, False),
        ("three times a usual day", 300, 700, True),
    ],
)
def test_refusals_have_risen(case: str, last_day: int, week_before: int, risen: bool) -> None:
    assert have_risen(last_day, week_before) is risen, case


def test_a_fingerprint_tells_secrets_apart_without_telling_them() -> None:
    one, other = fingerprint("whsec_one"), fingerprint("whsec_two")
    assert (len(one), one == other, "whsec" in one) == (8, False, False)
