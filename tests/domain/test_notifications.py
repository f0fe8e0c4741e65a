"""What mails tell, and when one is tried again."""

from __future__ import annotations

import pytest

from portal.domain.accounts import AccountDetail, AccountStatus, RequirementError, Requirements
from portal.domain.notifications import MailKind, is_wanted, kind_of_status, wanted_words


@pytest.mark.parametrize("detail", [None, *AccountDetail])
@pytest.mark.parametrize("status", AccountStatus)
def test_every_status_has_its_mail_and_a_lost_account_one_of_its_own(
    status: AccountStatus, detail: AccountDetail | None
) -> None:
    kind = kind_of_status(status, detail)
    is_gone = detail is AccountDetail.disconnected
    assert kind == (MailKind.status_disconnected if is_gone else f"status_{status}")


def test_what_is_wanted_names_what_was_wrong_but_never_an_address_of_somebody_else() -> None:
    def refused(reason: str) -> list[str]:
        error = RequirementError(requirement="company.tax_id", code="new_code", reason=reason)
        return wanted_words(Requirements(currently_due=("company.tax_id",), errors=(error,)))

    assert refused("not found") == ["Your business registration or tax number – not found"]
    assert refused("see https://stripe.example") == ["Your business registration or tax number"]


@pytest.mark.parametrize("kind", MailKind)
def test_nobody_can_switch_off_what_is_about_their_money_or_who_may_have_it(kind: MailKind) -> None:
    optional = {"payout_requested", "payout_sent", "payout_arrived", "payout_skipped", "setup_reminder"}
    assert is_wanted(kind, [*MailKind]) is (kind not in optional)
    assert is_wanted(kind, [])
