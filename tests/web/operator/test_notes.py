"""What operators note about an affiliate: kept for good, for operators alone, whatever it holds."""

from __future__ import annotations

import json

import pytest
from flask import Flask

from portal.services.notes import LONGEST_NOTE
from portal.wiring import services
from tests.web.operator.conftest import NewOperator
from tests.web.pages.conftest import Partner
from tests.web.pages.visitor import Visitor


def at(partner: Partner, move: str = "") -> str:
    return f"/operator/affiliates/{partner.row().code}{move}"


def test_a_note_stands_in_the_history_with_who_and_when_and_the_affiliate_never_reads_it(
    olga: Visitor, ada: Partner
) -> None:
    words = "Called her.\r\nShe <b>moves</b> & we wait."
    page = olga.send(olga.get(at(ada)), at(ada, "/notes"), text=words)
    assert (page.status, page.location) == (303, at(ada))
    after = olga.get(at(ada))
    (row,) = [row for row in after.html.all("tr") if "Called her." in row.text]
    assert "Operator olga" in row.text
    assert "She <b>moves</b> & we wait." in row.text
    assert row.all("time")
    assert "Called her." in olga.get("/operator/audit?action=affiliate.noted").said
    for path in ("/dashboard", "/payouts", "/settings", "/earnings"):
        assert "Called her." not in ada.get(path).response.text


@pytest.mark.parametrize("text", ["", "  \n ", "x" * (LONGEST_NOTE + 1), "a\x00b", "a\x1bb", "a\rb"])
def test_what_is_no_note_is_said_at_the_field_and_written_nowhere(
    olga: Visitor, ada: Partner, text: str
) -> None:
    page = olga.post(at(ada, "/notes"), {"text": text})
    assert page.status == 422
    assert page.html.one(id="error-summary").one("a").attributes["href"] == "#text"
    assert not olga.get("/operator/audit?action=affiliate.noted").html.all("tbody")


def test_the_longest_note_is_kept_whole(olga: Visitor, ada: Partner) -> None:
    words = "n" * (LONGEST_NOTE - 1) + "!"
    assert olga.post(at(ada, "/notes"), {"text": words}).status == 303
    assert words in olga.get(at(ada)).said


def test_a_viewer_reads_notes_and_writes_none(olga: Visitor, viewer: Visitor, ada: Partner) -> None:
    olga.post(at(ada, "/notes"), {"text": "Called her."})
    page = viewer.get(at(ada))
    assert "Called her." in page.said
    assert not page.html.all("form", action=at(ada, "/notes"))
    assert viewer.post(at(ada, "/notes"), {"text": "Me too."}).status == 403


def test_the_shell_notes_the_same(new_operator: NewOperator, ada: Partner, portal_app: Flask) -> None:
    new_operator("sam")
    code = ada.row().code
    shell = portal_app.test_cli_runner()
    arguments = ["affiliates", "note", code, "--as", "sandbox:sam"]
    result = shell.invoke(args=[*arguments, "--text", "Called her.", "--json"])
    assert json.loads(result.stdout) == {"code": code}
    refused = shell.invoke(args=[*arguments, "--text", "a\x07b"])
    assert refused.exit_code == 1
    assert "Control characters are not allowed." in refused.stderr
    with portal_app.app_context():
        lines = services().audit_trail.of("affiliate", ada.row().id)
    (line,) = [line for line in lines if line.row.action == "affiliate.noted"]
    assert (line.row.actor_kind, line.actor, line.row.reason) == ("shell", "sam", "Called her.")
