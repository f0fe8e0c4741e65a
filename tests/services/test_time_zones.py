"""What zones there are, how they are offered, and what a moment is called in one."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from portal.domain.errors import InvalidInput
from portal.models import AuditRow
from portal.services.personal_settings import SettingsChange
from portal.services.time_zones import LONGEST_ZONE, places, short_name, zone_names, zone_of
from tests.services.mail.reading import IN_PERSON
from tests.services.programme import Programme


@pytest.mark.parametrize(
    ("zone", "winter", "summer"),
    [
        ("Europe/Berlin", "CET", "CEST"),
        ("America/New_York", "EST", "EDT"),
        ("Europe/London", "GMT", "BST"),
        ("Asia/Kolkata", "IST", "IST"),
        ("Asia/Kathmandu", "UTC+5:45", "UTC+5:45"),
        ("America/Sao_Paulo", "UTC−3", "UTC−3"),
        ("Pacific/Marquesas", "UTC−9:30", "UTC−9:30"),
        ("Australia/Lord_Howe", "UTC+11", "UTC+10:30"),
        ("UTC", "UTC", "UTC"),
    ],
)
def test_a_zone_has_a_short_name_that_nobody_has_to_look_up(zone: str, winter: str, summer: str) -> None:
    months = [datetime(2031, month, 15, 12, tzinfo=UTC).astimezone(zone_of(zone)) for month in (1, 7)]
    assert [short_name(moment) for moment in months] == [winter, summer]


def test_no_zone_of_this_machine_and_no_file_of_it_is_one() -> None:
    for name in (
        "localtime",
        "Factory",
        "",
        "Mars/Base",
        "europe/berlin",
        "../zoneinfo/UTC",
        "/etc/localtime",
    ):
        assert name not in zone_names()
        assert zone_of(name) is UTC
    assert zone_of(None) is UTC
    assert zone_of("Europe/Berlin") == ZoneInfo("Europe/Berlin")


def test_people_find_their_place_under_its_region() -> None:
    assert ("Europe/Berlin", "Berlin") in places()["Europe"]
    assert ("America/Argentina/Buenos_Aires", "Argentina, Buenos Aires") in places()["America"]
    offered = [name for zones in places().values() for name, _ in zones]
    assert len(offered) == len(set(offered)) > 400
    assert set(offered) <= zone_names()
    assert all(len(name) <= LONGEST_ZONE for name in zone_names())


def test_a_choice_is_kept_and_in_the_trail_once_and_utc_is_none(programme: Programme) -> None:
    affiliate_id = programme.affiliate()
    version = programme.get(affiliate_id).version
    for zone, stored in [("Asia/Kolkata", "Asia/Kolkata"), ("Asia/Kolkata", "Asia/Kolkata"), ("UTC", None)]:
        change = SettingsChange(time_zone=zone)
        programme.services.personal_settings.save(affiliate_id, change, cause=IN_PERSON)
        assert programme.get(affiliate_id).time_zone == stored
    columns = (AuditRow.action, AuditRow.from_value, AuditRow.to_value)
    assert [tuple(row) for row in programme.rows(sa.select(*columns).order_by(AuditRow.id))][1:] == [
        ("affiliate.time_zone_changed", "UTC", "Asia/Kolkata"),
        ("affiliate.time_zone_changed", "Asia/Kolkata", "UTC"),
    ]
    assert programme.get(affiliate_id).version == version + 2


@pytest.mark.parametrize(
    "zone", ["", "Mars/Base", "europe/berlin", "localtime", "../UTC", "x" * 9_000, "\x00"]
)
def test_a_zone_that_there_is_not_is_refused_and_nothing_is_written(programme: Programme, zone: str) -> None:
    affiliate_id = programme.affiliate()
    change = SettingsChange(name="Ana", time_zone=zone)
    with pytest.raises(InvalidInput) as refused:
        programme.services.personal_settings.save(affiliate_id, change, cause=IN_PERSON)
    assert refused.value.problems == [("time_zone", "Choose a time zone from the list.")]
    assert (programme.get(affiliate_id).time_zone, programme.get(affiliate_id).name) == (None, "")
