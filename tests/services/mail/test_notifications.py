"""Who is told what: one mail for each status change and each payout that came to an end, and a repeated event none."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
import sqlalchemy as sa

from portal.models import ActorKind, Affiliate, AuditRow, Identity, Operator, User
from portal.models.base import new_id
from portal.services.affiliates import AffiliateData, PreferenceChange
from portal.services.journal import Cause
from portal.services.notifications import Notifications
from portal.wiring import session
from tests.post_office import PostOffice
from tests.services.line import Line
from tests.services.mail.reading import assert_says, delivered, outbox, texts
from tests.services.programme import TEST, WALLET, Programme

BASE = "http://127.0.0.1:5000"

#: What only reads differently is tried on one database.
on_one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
OPERATOR = Cause(ActorKind.operator, "olga", "request-1", "Too many returns.")
IN_PERSON = Cause(ActorKind.affiliate, "ana", "request-2")


def fallen(programme: Programme, fate: str, **more: Any) -> None:
    """A verified affiliate, whose news is sent, and then something happens to their account."""
    affiliate_id = programme.verified()
    programme.services.mail_delivery.send_due()
    programme.stripe.fate(programme.account_of(affiliate_id), fate, **more)
    programme.sync(affiliate_id)


def test_setting_up_and_being_verified_are_one_mail_each(
    programme: Programme, post_office: PostOffice
) -> None:
    programme.verified()
    begun, verified = delivered(programme, post_office)
    assert_says(
        begun, "Your Stripe account verification is pending",
        "You have begun to set up Stripe payouts and have not finished. Stripe still needs:",
        "A bank account to pay into", f"{BASE}/dashboard",
    )  # fmt: skip
    assert_says(
        verified,
        "Your Stripe account is verified",
        "Stripe has verified your account. You can request and receive payouts.",
    )
    assert str(verified["To"]) == "aff-1@example.com"


@on_one_database
@pytest.mark.parametrize(
    ("fate", "subject", "sentences"),
    [
        ("restrict", "Your Stripe account is restricted", [
            "Payouts are stopped until you give Stripe the following",
            "A photo of your passport, driving licence or ID card – we need a clear colour photo of the original",
        ]),
        ("pause", "Your Stripe account is restricted", ["There is nothing to fill in. Contact us"]),
        ("reject", "Your Stripe account was rejected", [
            "Stripe has closed your account to payouts", "Your reference is aff-1.",
        ]),
        ("under_review", "Your Stripe account verification is pending", [
            "nothing is needed from you", "We will e-mail you when this changes.",
        ]),
        ("deauthorise", "Your Stripe account is no longer connected", ["set up Stripe payouts again"]),
    ],
)  # fmt: skip
def test_what_becomes_of_an_account_is_told_in_words(
    programme: Programme, post_office: PostOffice, fate: str, subject: str, sentences: list[str]
) -> None:
    fallen(programme, fate)
    (mail,) = delivered(programme, post_office)
    assert_says(mail, subject, *sentences)


@on_one_database
def test_an_account_that_goes_while_it_is_restricted_is_told_although_the_status_stays(
    programme: Programme, post_office: PostOffice
) -> None:
    fallen(programme, "restrict")
    (affiliate_id,) = (row.id for row in programme.rows(sa.select(Affiliate.__table__)))
    programme.stripe.fate(programme.account_of(affiliate_id), "delete")
    for _ in range(2):
        programme.sync(affiliate_id)
    assert [str(mail["Subject"]) for mail in delivered(programme, post_office)] == [
        "Your Stripe account is restricted",
        "Your Stripe account is no longer connected",
    ]


def test_each_status_change_is_one_mail_however_often_and_in_whatever_order_events_come(
    programme: Programme, post_office: PostOffice
) -> None:
    affiliate_id = programme.verified()
    account_id = programme.account_of(affiliate_id)
    for fate in ("restrict", "approve", "reject", "unreject", "approve", "delete"):
        programme.stripe.fate(account_id, fate)
        programme.sync(affiliate_id)
        events = [event for event in programme.stripe.events() for _ in range(2)]
        random.Random(fate).shuffle(events)
        for event in events:
            programme.receive(event)
        programme.services.stripe_events.process_due()
        programme.services.verification.run(trigger="shell")
    changes = programme.changes(affiliate_id, "affiliate.status_changed")
    words = {"no longer connected": "restricted", "pending": "pending", "verified": "verified"}
    words |= {"restricted": "restricted", "rejected": "rejected"}
    told = [
        next(status for word, status in words.items() if word in str(mail["Subject"]))
        for mail in delivered(programme, post_office)
    ]
    assert len(changes) > 5
    assert told == [after for _, after, _ in changes]
    assert delivered(programme, post_office) == []


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
    assert_says(mail, "Payout P-1001 of $100.00 failed", "Its page says why.", "The money is back")
    assert not [part for part in texts(mail) if "stripe.com" in part]


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


def test_a_changed_bank_is_told_with_the_time_before_which_nothing_is_sent(
    programme: Programme, post_office: PostOffice
) -> None:
    affiliate_id = programme.verified()
    programme.services.mail_delivery.send_due()
    programme.stripe.fate(programme.account_of(affiliate_id), "change_bank")
    for _ in range(2):
        programme.sync(affiliate_id)
    (mail,) = delivered(programme, post_office)
    assert_says(
        mail,
        "Your bank account at Stripe was changed",
        "To protect you, no payout is sent before",
        "If not, contact support at once.",
    )


@on_one_database
def test_preferences_saved_as_they_were_mail_nothing(programme: Programme, post_office: PostOffice) -> None:
    affiliate_id = programme.affiliate()
    save = programme.services.affiliates.set_preferences
    save(affiliate_id, PreferenceChange(method="fiat", automatic="true"), cause=IN_PERSON)
    assert delivered(programme, post_office) == []
    for _ in range(2):
        save(affiliate_id, PreferenceChange(method="crypto", wallet_address=WALLET), cause=IN_PERSON)
    save(affiliate_id, PreferenceChange(method="fiat"), cause=IN_PERSON)
    first, second = delivered(programme, post_office)
    assert_says(first, "Your payout preferences were changed", "you are paid to the wallet")
    assert_says(
        second, "Your payout preferences were changed", "you are paid to your bank account through Stripe"
    )


def test_a_block_is_told_once_with_the_operators_message_and_its_end_too(
    programme: Programme, post_office: PostOffice
) -> None:
    affiliate_id = programme.affiliate()
    for _ in range(2):
        programme.block(affiliate_id)
    for _ in range(2):
        programme.unblock(affiliate_id)
    blocked, unblocked = delivered(programme, post_office)
    assert_says(blocked, "Your payouts are on hold", "Please write to us.", "your reference is aff-1.")
    assert_says(unblocked, "Your payouts are no longer on hold", "Partner portal lifted the hold")


@on_one_database
def test_whoever_is_verified_while_blocked_is_not_told_that_they_can_be_paid(
    programme: Programme, post_office: PostOffice
) -> None:
    affiliate_id = programme.affiliate()
    account_id = programme.onboard(affiliate_id, fate=None)
    programme.block(affiliate_id)
    programme.stripe.fate(account_id, "approve")
    programme.sync(affiliate_id)
    mail = delivered(programme, post_office)[-1]
    assert_says(mail, "Your Stripe account is verified", "so you cannot be paid yet.")


# operators


def operator(programme: Programme, name: str, *, is_verified: bool = True, role: str = "admin") -> None:
    """An operator who has signed in once."""
    user_id = new_id()
    now = programme.clock.real_now()
    email = f"{name}@example.com"
    signed_in = {
        "provider": "company", "issuer": "https://id.example", "subject": name, "email": email,
        "is_email_verified": is_verified, "created_at": now, "last_signed_in_at": now,
    }  # fmt: skip
    named = {"provider": "company", "name": name, "role": role, "user_id": user_id, "created_at": now}
    programme.execute(
        sa.insert(User).values(id=user_id, name=name.capitalize(), email=email, created_at=now),
        sa.insert(Identity).values(id=new_id(), user_id=user_id, **signed_in),
        sa.insert(Operator).values(id=new_id(), **named),
    )


def test_an_alarm_that_stops_sending_is_told_to_every_admin_with_a_verified_address(
    programme: Programme, post_office: PostOffice, line: Line
) -> None:
    operator(programme, "olga")
    operator(programme, "oscar")
    operator(programme, "unverified", is_verified=False)
    operator(programme, "viewer", role="viewer")
    programme.approved()
    programme.services.mail_delivery.send_due()
    another = {"object": "transfer", "id": "tr_1", "amount": 1, "currency": "usd", "destination": "acct_1"}
    line.answers("POST", "/v1/transfers", (json.dumps(another), 200))
    for _ in range(2):
        programme.run()
    mails = delivered(programme, post_office)
    assert [str(mail["To"]) for mail in mails] == ["olga@example.com", "oscar@example.com"]
    assert_says(
        mails[0], "Sending of payouts has stopped",
        "Hello Olga,", "An alarm stopped all sending of payouts",
        "Stripe made another transfer than was asked for.", f"{BASE}/operator/",
    )  # fmt: skip
    (dropped,) = outbox(programme, state="dropped")
    assert dropped.error == "there is no e-mail address"


@on_one_database
def test_an_operator_who_stops_sending_by_hand_knows_it(
    programme: Programme, post_office: PostOffice
) -> None:
    operator(programme, "olga")
    programme.services.payout_control.halt(cause=OPERATOR)
    assert delivered(programme, post_office) == []


def test_what_was_taken_back_is_told_to_affiliate_and_operators_once_for_each_reversal(
    programme: Programme, post_office: PostOffice
) -> None:
    operator(programme, "olga")
    payout_id = programme.approved(10_000)
    programme.run()
    programme.services.mail_delivery.send_due()
    transfer_id = programme.payout(payout_id).transfer_id or ""
    for amount in (3_000, 7_000):
        programme.stripe.reverse(transfer_id, amount)
        for _ in range(2):
            programme.services.transfers.look_up(transfer_id, cause=TEST)
    theirs, ours, *rest = delivered(programme, post_office)
    assert_says(theirs, "$30.00 of payout P-1001 was taken back", "The money is in your balance again.")
    assert_says(
        ours, "Payout P-1001: $30.00 was taken back at Stripe", "to the affiliate aff-1",
        f"{BASE}/operator/payouts/{payout_id}",
    )  # fmt: skip
    assert [str(mail["Subject"]) for mail in rest] == [
        "$70.00 of payout P-1001 was taken back",
        "Payout P-1001: $70.00 was taken back at Stripe",
    ]


# with the change, or not at all


def test_a_change_that_is_rolled_back_mails_nothing(programme: Programme, post_office: PostOffice) -> None:
    affiliate_id = programme.affiliate()

    def fail(_session: object) -> None:
        raise OSError("the disk is full")

    sa.event.listen(session, "before_commit", fail)
    with pytest.raises(OSError, match="disk"):
        programme.block(affiliate_id)
    sa.event.remove(session, "before_commit", fail)
    assert not programme.get(affiliate_id).is_blocked
    assert outbox(programme) == []
    assert delivered(programme, post_office) == []


def test_a_fact_that_is_told_twice_is_one_row(programme: Programme) -> None:
    ana = programme.get(programme.verified())
    services = programme.services
    notifications = Notifications(session, clock=services.clock, operators=services.access)
    for _ in range(2):
        notifications.status_changed(ana)
        session.commit()
    assert len(outbox(programme, kind="status_verified")) == 1


def test_the_outbox_holds_no_address_no_name_no_bank_and_no_secret(
    programme: Programme, post_office: PostOffice
) -> None:
    affiliate_id = programme.affiliate()
    data = AffiliateData(name="Ana Lovelace", email="ana@example.com")
    programme.services.affiliates.put(programme.get(affiliate_id).code, data, cause=TEST)
    programme.onboard(affiliate_id)
    programme.earn(affiliate_id, 10_000)
    programme.request(affiliate_id)
    programme.run()
    programme.stripe.fate(programme.account_of(affiliate_id), "change_bank")
    programme.sync(affiliate_id)
    kept = " ".join(str(value) for row in outbox(programme) for value in row)
    fingerprint = programme.get(affiliate_id).bank_fingerprint
    assert fingerprint
    account_id = programme.account_of(affiliate_id)
    for secret in (
        "Lovelace",
        "ana@example.com",
        "acct_",
        account_id,
        fingerprint,
        "sk_test",
        "whsec",
        "http",
    ):
        assert secret not in kept
    assert len(delivered(programme, post_office)) == 5
    rows = programme.rows(sa.select(sa.func.count()).select_from(AuditRow))
    assert rows[0][0] > 5
