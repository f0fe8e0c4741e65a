"""Payouts to wallets marked as paid several at once, and payouts retried, from the queue to the page that stays."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.clocks import MovableClock
from tests.web.operator.conftest import NewPartner, requested
from tests.web.operator.test_decisions import confirm, listed, now, preview
from tests.web.pages.conftest import Partner
from tests.web.pages.visitor import Page, Visitor

APPROVED = "/operator/payouts?status=approved"

#: Small ones need no operator.
pytestmark = pytest.mark.settings(PORTAL_AUTO_APPROVE_LIMIT="usd:50000,eur:50000")


def wallet(number: int) -> str:
    return f"0x{number:040x}"


@pytest.fixture
def ids(new_partner: NewPartner) -> list[str]:
    """Approved payouts to the wallets of three affiliates."""
    partners = [new_partner(f"partner-{number}") for number in range(3)]
    for number, partner in enumerate(partners):
        partner.earn(10_000 + number, reference=f"order-{number}")
        form = {"preferred_payout_type": "crypto", "wallet_address": wallet(number)}
        assert partner.post("/payouts/preferences", form).status == 303
    return [requested(partner) for partner in partners]


def references(page: Page, ids: list[str]) -> list[str]:
    return [page.html.one("input", id=f"reference-{each}").attributes["value"] for each in ids]


def test_all_wallets_of_the_page_are_selected_by_a_link(olga: Visitor, ids: list[str]) -> None:
    page = olga.get(APPROVED)
    assert [each.text for each in page.html.all("button", name="action")] == ["Mark as paid…", "Cancel…"]
    (link,) = [each for each in page.html.all("a") if each.text.startswith("Select all")]
    assert link.text == "Select all on this page that are paid by hand (3)"
    checked = olga.get(link.attributes["href"]).html.all("input", name="payout", checked=None)
    assert [box.attributes["value"] for box in checked] == ids


def test_each_wallet_has_a_field_and_what_is_left_empty_stays_as_it_is(olga: Visitor, ids: list[str]) -> None:
    form = preview(olga, "mark_paid", ids)
    assert form.heading == "Mark 3 payouts as paid"
    assert all(wallet(number) in form.said for number in range(3))
    assert form.html.one("a", aria_current="true").text == "Payout queue"
    result = olga.get(confirm(olga, form, **{f"reference-{ids[0]}": "0xfeed"}).location)
    assert result.heading == "1 marked as paid, 2 skipped"
    assert "0xfeed" in result.html.one("section", data_list="done").text
    assert listed(result, "skipped") == ids[1:]
    assert "No reference was given, so it was left as it is." in result.said
    assert result.html.one("a", aria_current="true").text == "Payout queue"
    assert now(olga, ids) == ["paid", "approved", "approved"]


def test_without_a_single_reference_or_with_an_impossible_one_nothing_is_done(
    olga: Visitor, ids: list[str]
) -> None:
    form = preview(olga, "mark_paid", ids)
    refused = confirm(olga, form)
    assert (refused.status, refused.problems) == (422, ["Give the reference of at least one payment."])
    typed = {f"reference-{ids[0]}": "0xfeed", f"reference-{ids[1]}": "x" * 256}
    refused = confirm(olga, form, **typed)
    assert refused.problems == ["Enter a reference of 1 to 255 characters."]
    assert references(refused, ids) == ["0xfeed", "x" * 256, ""]
    assert now(olga, ids) == ["approved"] * 3


def test_a_list_that_took_longer_than_half_an_hour_is_kept_while_one_signs_in_again(
    olga: Visitor, ids: list[str], clock: MovableClock
) -> None:
    form = preview(olga, "mark_paid", ids)
    typed = {f"reference-{each}": f"0xfeed{number}" for number, each in enumerate(ids)}
    clock.advance(minutes=45)
    sent_away = confirm(olga, form, **typed)
    assert sent_away.location.startswith("/login?again=1")
    asked = olga.get(sent_away.location)
    assert "Sign in again to do this: your last sign-in was 45 minutes ago." in asked.said
    assert now(olga, ids) == ["approved"] * 3
    clock.set(clock.real_now() - timedelta(minutes=45))  # as if she had signed in again
    back = olga.get(parse_qs(urlsplit(sent_away.location).query)["next"][0])
    assert references(back, ids) == ["0xfeed0", "0xfeed1", "0xfeed2"]
    assert olga.get(confirm(olga, back, **typed).location).heading == "3 marked as paid"


def test_what_waits_for_stripe_is_retried_and_the_result_says_what_was_done(
    olga: Visitor, ada: Partner
) -> None:
    ada.set_up()
    ada.earn(41_250)
    late = requested(ada)
    ada.is_away("/v1/transfers")
    ada.pays()
    assert now(olga, [late]) == ["processing"]
    page = olga.get("/operator/payouts?status=processing")
    assert [each.text for each in page.html.all("button", name="action")] == ["Retry…"]
    form = preview(olga, "retry", [late])
    assert form.heading == "Retry 1 payout"
    result = olga.get(confirm(olga, form).location)
    assert result.heading == "1 retried"
    assert re.search(r"P-\d+ is taken up by the next run\.", result.said)
