"""What operators see of a bank account that several affiliates share, and how they accept it."""

from __future__ import annotations

import pytest

from tests.web.operator.conftest import NewPartner
from tests.web.operator.test_affiliates import LIST, at, codes
from tests.web.operator.test_overview import count
from tests.web.pages.conftest import Partner
from tests.web.pages.visitor import Visitor


def paid_to(bank: str, *partners: Partner) -> None:
    """These have this bank account at Stripe from now on, and the portal has looked."""
    for partner in partners:
        account_id = partner.row().stripe_account_id
        partner.stand_in.test_client().post(
            f"/sandbox/api/accounts/{account_id}/fate", json={"fate": "change_bank", "fingerprint": bank}
        )
        partner.clock.advance(seconds=16)
        partner.post("/stripe/sync")


@pytest.fixture
def couple(ada: Partner, new_partner: NewPartner) -> tuple[Partner, Partner]:
    """Two affiliates with one bank account."""
    both = ada, new_partner("ben")
    for partner in both:
        partner.set_up()
    paid_to("fp_shared", *both)
    return both


def test_a_shared_bank_account_stands_on_both_pages_the_overview_and_in_a_view(
    olga: Visitor, couple: tuple[Partner, Partner], new_partner: NewPartner
) -> None:
    new_partner("cem").set_up()
    ada, ben = couple
    for one, other in ((ada, ben), (ben, ada)):
        page = olga.get(at(one))
        section = page.html.one("section", id="shared_bank")
        assert section.attributes["data-shared-bank"] == "open"
        assert section.one("a").attributes["href"] == at(other)
        assert "Same bank account as another affiliate" in page.said
        assert "fp_shared" not in page.response.text
    overview = olga.get("/operator/")
    assert count(overview, "shared-banks") == "2"
    assert "Nothing needs you." not in overview.said
    link = overview.html.one("li", data_need="shared-banks").one("a").attributes["href"]
    assert codes(olga.get(link)) == sorted(partner.row().code for partner in couple)
    assert "Same bank account" in olga.get(LIST).html.one("nav", aria_label="Views").text
    assert ada.get("/dashboard").said.count("fp_shared") == 0


def test_a_household_is_accepted_with_a_reason_and_quiet_afterwards(
    olga: Visitor, couple: tuple[Partner, Partner]
) -> None:
    ada, ben = couple
    accept = at(ada, "accept-bank")
    refused = olga.send(olga.get(at(ada)), accept)
    assert refused.status == 422
    assert refused.problems == ["Say why; operators and the audit trail keep it."]
    done = olga.send(olga.get(at(ada)), accept, accepted_because="A couple with one account.")
    assert (done.status, done.location) == (303, at(ada))
    for partner in (ada, ben):
        page = olga.get(at(partner))
        assert page.html.one("section", id="shared_bank").attributes["data-shared-bank"] == "accepted"
        assert "A couple with one account." in page.said
        assert not page.html.all("form", action=at(partner, "accept-bank"))
    assert not olga.get("/operator/").html.all("li", data_need="shared-banks")
    assert codes(olga.get(f"{LIST}?flag=shared_bank")) == []


def test_accepting_what_is_no_longer_shared_is_404_and_only_admins_may(
    olga: Visitor, viewer: Visitor, couple: tuple[Partner, Partner]
) -> None:
    ada, ben = couple
    form = {"accepted_because": "A couple."}
    assert viewer.post(at(ada, "accept-bank"), form).status == 403
    assert not viewer.get(at(ada)).html.one("main").all("form")
    assert ben.post(at(ada, "accept-bank"), form).status == 404
    paid_to("fp_other", ben)
    assert olga.post(at(ada, "accept-bank"), form).status == 404
    assert not olga.get(at(ada)).html.all("section", id="shared_bank")


def test_an_earlier_account_stays_on_the_page_and_finds_the_affiliate(olga: Visitor, ada: Partner) -> None:
    ada.set_up()
    old = ada.row().stripe_account_id or ""
    ada.meet("deauthorise")
    ada.clock.advance(seconds=16)
    ada.post("/stripe/sync")
    ada.set_up()
    page = olga.get(at(ada))
    assert {old, ada.row().stripe_account_id} <= {code.text for code in page.html.all("code")}
    assert "Earlier account" in page.said
    assert codes(olga.get(f"{LIST}?q={old}")) == [ada.row().code]
