"""What mails tell, and when one is tried again."""

from __future__ import annotations

import pytest

from portal.domain.accounts import AccountDetail, AccountStatus, RequirementError, Requirements
from portal.domain.notifications import MailKind, kind_of_status, mail_pause_seconds, wanted_words


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


def test_pauses_grow_and_mails_that_failed_together_come_back_apart() -> None:
    pauses = [mail_pause_seconds(tries, spread=7) for tries in range(1, 50)]
    assert pauses == sorted(pauses)
    assert 20 <= pauses[0] < 30
    assert pauses[-1] <= 4_500
    assert len({mail_pause_seconds(10, spread=spread) for spread in range(0, 100_000, 997)}) > 50
