"""Bank payouts: what Stripe's words mean, and what is said when a bank sends money back."""

from __future__ import annotations

import pytest

from portal.domain.bank_payouts import (
    BankPayoutStatus,
    BankStage,
    Failure,
    failure_of,
    message_to_keep,
    stage_of,
)


def said(code: str | None, message: str | None = None) -> Failure:
    return failure_of(code, message=message, currency="eur", reference="P-1042")


@pytest.mark.parametrize(
    ("code", "cause", "next_step", "is_mended_at_stripe"),
    [
        ("account_closed", "Your bank says the account is closed", "Add a different bank account on Stripe", True),
        ("no_account", "The bank details are probably wrong", "Check them against your statement on Stripe", True),
        (
            "invalid_account_number", "The bank details are probably wrong",
            "Check them against your statement on Stripe", True,
        ),
        (
            "incorrect_account_holder_details", "The bank details are probably wrong",
            "Check them against your statement on Stripe", True,
        ),
        ("incorrect_account_holder_name", "The name does not match the bank account", "Correct it on Stripe", True),
        (
            "bank_account_restricted", "Usually a savings account that can't receive transfers",
            "Use a checking account", True,
        ),
        ("invalid_currency", "The account can't receive this currency", "Use an account in EUR", True),
        ("account_frozen", "Your bank refused it", "Contact your bank", False),
        ("declined", "Your bank refused it", "Contact your bank", False),
        ("could_not_process", "The bank could not process it", "You do not need to do anything", False),
        ("issuer_unavailable", "The bank could not process it", "You do not need to do anything", False),
        ("insufficient_funds", "A problem on our side delayed this payout", "You do not need to do anything", False),
        ("debit_not_authorized", "Stripe does not say why", "Contact us and quote P-1042", False),
        (None, "Stripe does not say why", "Contact us and quote P-1042", False),
        ("", "Stripe does not say why", "Contact us and quote P-1042", False),
    ],
)  # fmt: skip
def test_each_failure_has_its_cause_and_its_next_step(
    code: str | None, cause: str, next_step: str, is_mended_at_stripe: bool
) -> None:
    assert said(code) == Failure(cause, next_step, is_mended_at_stripe)


def test_a_failure_nobody_has_seen_yet_is_told_in_stripes_words() -> None:
    failure = said("bank_on_strike", "The bank is on strike. ")
    assert (failure.cause, failure.next_step) == ("The bank is on strike", "Contact us and quote P-1042")
    assert said("account_closed", "Something else.").cause == "Your bank says the account is closed"


@pytest.mark.parametrize(
    ("code", "message", "kept"),
    [
        ("bank_on_strike", "The bank\nis on strike.", "The bank is on strike."),
        (None, "The bank is on strike.", "The bank is on strike."),
        ("account_closed", "The bank account has been closed.", None),
        ("invalid_currency", "Wrong currency.", None),
        ("bank_on_strike", "Account ending in 6789 is closed.", None),
        ("bank_on_strike", "Account 67-89 is closed.", None),
        ("bank_on_strike", "A rule of 2026", None),
        ("bank_on_strike", "See https://stripe.com/docs", None),
        ("bank_on_strike", "a\x00b", None),
        ("bank_on_strike", None, None),
        ("bank_on_strike", "", None),
        ("bank_on_strike", "x" * 600, "x" * 500),
    ],
)
def test_of_stripes_words_only_those_are_kept_that_are_needed_and_name_no_account(
    code: str | None, message: str | None, kept: str | None
) -> None:
    assert message_to_keep(code, message) == kept


@pytest.mark.parametrize(
    ("word", "code", "stage"),
    [
        ("pending", None, BankStage.on_its_way),
        ("in_transit", None, BankStage.on_its_way),
        ("paid", None, BankStage.arrived),
        ("failed", "account_closed", BankStage.returned),
        ("failed", None, BankStage.returned),
        ("failed", "insufficient_funds", None),
        ("canceled", None, None),
        ("teleported", None, None),
        ("", None, None),
    ],
)
def test_every_word_of_stripes_has_a_meaning_and_a_new_one_none(
    word: str, code: str | None, stage: BankStage | None
) -> None:
    assert stage_of(BankPayoutStatus.of(word), code) is stage
