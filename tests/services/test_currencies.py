"""One payout in each kind of currency, from a file of earnings to the transfer: the same minor units all along."""

from __future__ import annotations

from pathlib import Path

import pytest

from portal.domain.errors import PortalError
from portal.domain.money import Money
from tests.services.programme import TEST, Programme

CURRENCIES = [
    # currency, minor units earned, what is typed, minor units sent, how a sentence names it, what is too fine
    ("usd", 1_234_567, "5000.50", 500_050, "$5,000.50", "5000.505"),
    ("jpy", 1_234_567, "50000", 50_000, "¥50,000", "50000.5"),
    ("krw", 1_234_567, "50000", 50_000, "KRW 50,000", "50000.0"),
    ("bhd", 1_234_567, "500.25", 500_250, "BHD 500.250", "500.2505"),
    ("bhd", 1_234_567, "500.25", 500_250, "BHD 500.250", "500.255"),  # three decimals, the last of them 0
    ("isk", 1_234_567, "5000", 500_000, "ISK 5,000.00", "5000.50"),
    ("ugx", 1_234_567, "5000.00", 500_000, "UGX 5,000.00", "5000.01"),
    ("huf", 1_234_567, "5000.50", 500_050, "HUF 5,000.50", "5000.505"),
    ("twd", 1_234_567, "5000.50", 500_050, "TWD 5,000.50", "5000.505"),
]


@pytest.mark.parametrize(("currency", "earned", "typed", "sent", "named", "too_fine"), CURRENCIES)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_amount_is_imported_typed_shown_and_sent_as_stripe_counts_it(
    programme: Programme,
    tmp_path: Path,
    currency: str,
    earned: int,
    typed: str,
    sent: int,
    named: str,
    too_fine: str,
) -> None:
    programme.stripe.set_balance(**{currency: 10**10})
    affiliate_id = programme.verified(currency=currency)
    file = tmp_path / "earnings.csv"
    file.write_text(
        "reference,affiliate_code,amount,currency,occurred_at,description\n"
        f"order-1,{programme.get(affiliate_id).code},{earned},{currency},2026-01-05T12:00:00Z,Order 1\n"
    )
    assert programme.app.test_cli_runner().invoke(args=["earnings", "import", str(file)]).exit_code == 0
    assert programme.balances(affiliate_id).available == Money(earned, currency)
    with pytest.raises(PortalError) as refusal:
        programme.request(affiliate_id, too_fine)
    assert (refusal.value.status, refusal.value.field) == (422, "amount")
    payout = programme.payout(programme.request(affiliate_id, typed))
    assert str(Money(payout.amount, payout.currency)) == named
    if payout.status == "requested":  # above the limit
        programme.services.approvals.approve(payout.id, approver=programme.person(), cause=TEST)
    assert programme.run().total == {currency: sent}
    (transfer,) = programme.stripe.transfers()
    assert (transfer["amount"], transfer["currency"]) == (sent, currency)
