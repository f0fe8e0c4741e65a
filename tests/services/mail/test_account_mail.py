"""An affiliate's account: one mail for each change of its status, of where the money goes, of a hold."""

from __future__ import annotations

import random
from typing import Any

import pytest
import sqlalchemy as sa

from portal.models import Affiliate
from portal.services.affiliates import PreferenceChange
from tests.post_office import PostOffice
from tests.services.mail.reading import (
    BASE,
    IN_PERSON,
    assert_says,
    delivered,
    on_one_database,
)
from tests.services.programme import WALLET, Programme


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
