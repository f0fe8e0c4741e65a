"""What the signature check itself holds, whatever stores the event afterwards."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from portal.gateways.stripe_signatures import TOLERANCE_SECONDS, SignatureIsWrong, verify_signature
from tests.services.stand_in import signed

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECRETS = ("whsec_new", "whsec_old")


def is_accepted(body: bytes, header: str, *, secrets: tuple[str, ...] = SECRETS, now: datetime = NOW) -> bool:
    try:
        verify_signature(body, header, secrets=secrets, now=now)
    except SignatureIsWrong:
        return False
    return True


@pytest.mark.parametrize(
    ("seconds", "accepted"),
    [(0, True), (TOLERANCE_SECONDS, True), (TOLERANCE_SECONDS + 1, False), (-TOLERANCE_SECONDS, True),
     (-TOLERANCE_SECONDS - 1, False)],
)  # fmt: skip
def test_the_timestamp_may_be_five_minutes_off_either_way(seconds: int, accepted: bool) -> None:
    body, header = signed({}, at=NOW - timedelta(seconds=seconds), secret="whsec_old")
    assert is_accepted(body, header) is accepted


def test_a_secret_that_is_being_rotated_out_is_accepted_until_it_is_gone() -> None:
    body, header = signed({}, at=NOW, secret="whsec_old")
    assert is_accepted(body, header)
    assert not is_accepted(body, header, secrets=("whsec_new",))
    assert not is_accepted(body, header, secrets=())


def test_every_scheme_but_v1_is_ignored() -> None:
    body, header = signed({}, at=NOW, secret="whsec_new")
    assert not is_accepted(body, header.replace("v1=", "v0="))
    assert is_accepted(body, header + ",v0=whatever,v2=whatever")


def test_a_second_timestamp_is_refused() -> None:
    body, header = signed({}, at=NOW, secret="whsec_new")
    assert not is_accepted(body, f"t={int(NOW.timestamp())},{header}")
    assert not is_accepted(body, f"t=1,{header}")


def test_a_body_that_is_no_text_is_refused_and_not_a_fault() -> None:
    body, header = signed(b"\xff\xfe\x00", at=NOW, secret="whsec_new")
    assert not is_accepted(body, header)
