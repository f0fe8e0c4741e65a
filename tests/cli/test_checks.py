"""The checks of the books as a shell asks for them: the answer on standard output, the verdict as exit code."""

from __future__ import annotations

import json

import sqlalchemy as sa
from flask import Flask

from portal.models import Affiliate, AuditRow, Installation
from portal.services.affiliates import AffiliateData
from portal.wiring import services
from tests.cli.company import COMPANY
from tests.databases import on_sqlite
from tests.services.breaking import without_rules
from tests.services.programme import TEST, Programme
from tests.services.stand_in import StandIn

pytestmark = on_sqlite


def test_sound_books_are_exit_0_and_nothing_broken(portal_app: Flask) -> None:
    shell = portal_app.test_cli_runner()
    result = shell.invoke(args=["selfcheck", "--json"])
    assert (result.exit_code, json.loads(result.stdout)) == (0, {"broken": []})
    assert shell.invoke(args=["selfcheck"]).stdout == "Everything holds.\n"


def test_broken_books_are_exit_1_and_say_what_is_broken(portal_app: Flask) -> None:
    with portal_app.app_context():
        data = AffiliateData(email="ana@example.com", currency="usd", country="US")
        ana = services().affiliates.put("ana", data, cause=TEST)[0].id
        without_rules(sa.update(Affiliate).where(Affiliate.id == ana).values(total_earned=5))
    shell = portal_app.test_cli_runner()
    result = shell.invoke(args=["selfcheck", "--json"])
    (breach,) = json.loads(result.stdout)["broken"]
    assert result.exit_code == 1
    assert (breach["kind"], breach["id"]) == ("total_earned", str(ana))
    assert breach["message"] == "The affiliate's total earned is not what the ledger says. (5 instead of 0)"
    spoken = shell.invoke(args=["selfcheck"])
    assert (spoken.exit_code, spoken.stdout.split("\t")[0]) == (1, "total_earned")


def test_reconcile_answers_with_differences_and_its_exit_code(portal_app: Flask, stand_in: Flask) -> None:
    shell = portal_app.test_cli_runner()
    result = shell.invoke(args=["reconcile", "--json"])
    assert (result.exit_code, json.loads(result.stdout)["differences"]) == (0, [])
    transfer_id = _stray(portal_app, stand_in)
    result = shell.invoke(args=["reconcile", "--json"])
    (difference,) = json.loads(result.stdout)["differences"]
    assert result.exit_code == 1
    assert (difference["kind"], difference["id"]) == ("transfer_without_payout", transfer_id)
    assert difference["message"].startswith("no payout of ours for 500 usd to acct_")
    assert shell.invoke(args=["reconcile"]).stdout.startswith("transfer_without_payout\t")


@COMPANY
def test_a_difference_is_accepted_by_an_operator_with_a_reason(portal_app: Flask, stand_in: Flask) -> None:
    transfer_id = _stray(portal_app, stand_in)
    shell = portal_app.test_cli_runner()
    accept = ["reconcile", "--accept", transfer_id, "--reason", "A prize.", "--as"]
    assert "There is no operator company:ana" in shell.invoke(args=[*accept, "company:ana"]).stderr
    assert shell.invoke(args=accept[:3]).exit_code == 2
    assert shell.invoke(args=["reconcile"]).exit_code == 1
    assert shell.invoke(args=[*accept, "company:boss"]).stdout == "Ledger and Stripe agree.\n"
    assert shell.invoke(args=["reconcile"]).exit_code == 0


def test_reconcile_concludes_nothing_while_stripe_is_away(portal_app: Flask, stand_in: Flask) -> None:
    StandIn(stand_in).goes_away()
    result = portal_app.test_cli_runner().invoke(args=["reconcile", "--json"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Nothing was concluded." in result.stderr


def test_audit_verify_says_whether_the_trail_is_whole(portal_app: Flask) -> None:
    with portal_app.app_context():
        data = AffiliateData(email="ana@example.com", currency="usd", country="US")
        services().affiliates.put("ana", data, cause=TEST)
        services().audit_chain.seal()
    shell = portal_app.test_cli_runner()
    whole = shell.invoke(args=["audit", "verify", "--json"])
    document = json.loads(whole.stdout)
    assert (whole.exit_code, document["is_whole"], document["sealed"]) == (0, True, 1)
    assert shell.invoke(args=["audit", "verify"]).stdout.startswith("1 rows are sealed, 0 wait. Head: ")
    with portal_app.app_context():
        without_rules(sa.update(AuditRow).values(to_value="bob"))
    tampered = shell.invoke(args=["audit", "verify", "--json"])
    assert tampered.exit_code == 1
    (breach,) = json.loads(tampered.stdout)["broken"]
    assert (breach["id"], breach["message"]) == ("1", "Audit row 1 or its seal 1 was changed.")


def _stray(portal_app: Flask, stand_in: Flask) -> str:
    """Somebody makes a transfer in our name; its id."""
    with portal_app.app_context():
        programme = Programme(portal_app, stand_in, portal_app.extensions["portal"].clock)
        account = programme.account_of(programme.verified())
        installation = programme.rows(sa.select(Installation.id))[0][0]
    StandIn(stand_in).transfer_by_hand(
        account, 500, group="payout-stray", metadata={"installation": str(installation)}
    )
    return str(StandIn(stand_in).transfers()[0]["id"])
