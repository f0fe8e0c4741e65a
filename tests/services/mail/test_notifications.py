"""What operators are told; and that a mail is written with the change or not at all, once, with nobody's secrets."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa

from portal.models import AuditRow, Identity, Operator, User
from portal.models.base import new_id
from portal.services.affiliates import AffiliateData
from portal.services.notifications import Notifications
from portal.services.sending_switch import SendingSwitch
from portal.wiring import session
from tests.post_office import PostOffice
from tests.services.line import Line
from tests.services.mail.reading import (
    BASE,
    OPERATOR,
    assert_says,
    delivered,
    on_one_database,
    outbox,
)
from tests.services.programme import TEST, Programme


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


@on_one_database
def test_an_alarm_is_told_once_also_while_somebody_has_stopped_sending_by_hand(
    programme: Programme, post_office: PostOffice
) -> None:
    operator(programme, "olga")
    programme.services.payout_control.halt(cause=OPERATOR)
    notifications = Notifications(session, clock=programme.clock, operators=programme.services.access)
    for reason in ("Two transfers for one payout.", "Something else."):
        SendingSwitch(session, clock=programme.clock, notifications=notifications).halt(reason)
    (mail,) = delivered(programme, post_office)
    assert_says(mail, "Sending of payouts has stopped", "Two transfers for one payout.")


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
