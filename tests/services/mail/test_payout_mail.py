"""Payouts: a receipt, and one mail when it came to an end, with amount and reference."""

from __future__ import annotations

from tests.post_office import PostOffice
from tests.services.mail.reading import (
    BASE,
    IN_PERSON,
    OPERATOR,
    assert_says,
    delivered,
    on_one_database,
    outbox,
    texts,
)
from tests.services.programme import TEST, WALLET, Programme


def test_a_request_has_a_receipt_and_a_sent_payout_a_mail_with_amount_and_reference(
    programme: Programme, post_office: PostOffice
) -> None:
    payout_id = programme.request(programme.verified(earned=41_250), by=programme.person())
    programme.services.mail_delivery.send_due()
    for _ in range(2):
        programme.run()
        (transfer,) = programme.stripe.transfers()
        programme.services.transfers.look_up(transfer["id"], cause=TEST)
    assert programme.payout(payout_id).status == "paid"
    (sent,) = delivered(programme, post_office)
    receipt = post_office.received[-2]
    assert_says(
        receipt, "Payout P-1001 of $412.50 requested",
        "We received your request for a payout of $412.50", "It is approved and goes out with the next run.",
    )  # fmt: skip
    assert_says(
        sent, "Payout P-1001 of $412.50 was sent",
        "We sent $412.50 to your Stripe account on", "The payout's reference is P-1001.", f"{BASE}/payouts/{payout_id}",
    )  # fmt: skip


def test_a_form_sent_twice_has_one_receipt_which_says_that_an_operator_looks(
    programme: Programme, post_office: PostOffice
) -> None:
    ana = programme.verified(earned=60_000)
    for _ in range(2):
        programme.request(ana, key="one-form", by=programme.person())
    assert_says(
        delivered(programme, post_office)[-1],
        "Payout P-1001 of $600.00 requested",
        "We are reviewing it. Reviews usually take up to 2 business days.",
    )
    assert len(outbox(programme, kind="payout_requested")) == 1


@on_one_database
def test_a_declined_payout_is_told_with_the_operators_words(
    programme: Programme, post_office: PostOffice
) -> None:
    payout_id = programme.request(programme.verified(earned=60_000))
    programme.services.mail_delivery.send_due()
    programme.services.payouts.reject(payout_id, cause=OPERATOR)
    (mail,) = delivered(programme, post_office)
    assert_says(
        mail,
        "Payout P-1001 of $600.00 was declined",
        "Too many returns.",
        "The money is back in your available balance.",
    )


@on_one_database
def test_a_failed_payout_is_told_without_stripes_own_words(
    programme: Programme, post_office: PostOffice
) -> None:
    programme.approved(10_000)
    programme.services.mail_delivery.send_due()
    words = "See https://dashboard.stripe.com/acct_1 for why."
    programme.stripe.fault("400_saved", code="amount_too_small", message=words)
    programme.run()
    (mail,) = delivered(programme, post_office)
    assert_says(mail, "Payout P-1001 of $100.00 failed", "quote P-1001", "The money is back")
    kept = [str(row.facts) for row in outbox(programme)]
    assert not [text for text in (*texts(mail), *kept) if "stripe.com" in text]


@on_one_database
def test_a_canceled_payout_is_told_unless_it_was_their_own_doing(
    programme: Programme, post_office: PostOffice
) -> None:
    own, others = programme.approved(10_000), programme.approved(20_000)
    programme.services.mail_delivery.send_due()
    programme.services.payouts.cancel(own, cause=IN_PERSON)
    programme.services.payouts.cancel(others, cause=OPERATOR)
    (mail,) = delivered(programme, post_office)
    assert_says(
        mail, "Payout P-1002 of $200.00 was canceled", "Partner portal canceled your payout", "Too many returns."
    )  # fmt: skip


@on_one_database
def test_a_payout_to_a_wallet_is_told_when_an_operator_has_paid_it(
    programme: Programme, post_office: PostOffice
) -> None:
    payout_id = programme.request(programme.crypto(earned=10_000))
    programme.services.payout_control.mark_paid(
        payout_id, reference="0xabc", paid_by=programme.person(), cause=OPERATOR
    )
    changed, receipt, sent = delivered(programme, post_office)
    assert_says(changed, "Your payout preferences were changed", f"the wallet that ends in {WALLET[-6:]}.")
    assert WALLET not in changed.as_string()
    assert_says(receipt, "Payout P-1001 of $100.00 requested", "It is sent to your wallet by hand.")
    assert_says(sent, "Payout P-1001 of $100.00 was sent", "We sent $100.00 to your wallet on")
