"""The count in the end: what the commands say, and what can be counted at Stripe and in the tables without them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from portal.wiring import db
from tests.rehearsal.stage import Stage
from tests.services.invariants import assert_books_balance

#: Each must end with 0.
CHECKS = (("selfcheck",), ("reconcile",), ("worker", "--once"), ("audit", "verify"))

OPEN = ("requested", "approved", "held", "processing")


@dataclass
class Proof:
    """What a stage came to."""

    payouts: int = 0
    transfers: int = 0
    double: int = 0
    """Transfers too many: all but the first of each payout."""
    lost: int = 0
    """Payouts that never ended, are paid without a transfer, or have one and are not paid."""
    violations: list[str] = field(default_factory=list)


def prove(stage: Stage) -> Proof:
    """Count everything; each thing that is not as it must be is a line in `violations`."""
    proof = Proof()
    for words in CHECKS:
        ended = stage.run(*words)
        if ended.code != 0:
            proof.violations.append(f"{' '.join(words)} ended with {ended.code}: {ended.said.strip()}")
    _count(stage, proof)
    try:
        assert_books_balance(stage.programme)
    except AssertionError as broken:
        proof.violations.append(f"an invariant does not hold: {broken}")
    return proof


def _count(stage: Stage, proof: Proof) -> None:
    with db.engine.connect().execution_options(is_writer=False) as connection:
        payouts = connection.exec_driver_sql(
            "SELECT number, status, transfer_id, hold_reason, wait_reason, next_try_at FROM payouts ORDER BY number"
        ).all()
        halted = connection.exec_driver_sql("SELECT halt_reason FROM installation").scalar_one()
        settled = connection.exec_driver_sql(
            "SELECT coalesce(sum(CASE kind WHEN 'settle' THEN amount WHEN 'reverse' THEN -amount ELSE 0 END), 0)"
            " FROM ledger_entries"
        ).scalar_one()
    transfers = stage.stripe.transfers()
    groups = Counter(transfer["transfer_group"] for transfer in transfers)
    proof.payouts, proof.transfers = len(payouts), len(transfers)
    proof.double = sum(groups.values()) - len(groups)
    at_stripe = {transfer["id"] for transfer in transfers}
    in_books = {payout.transfer_id for payout in payouts if payout.transfer_id}
    never_ended = [row for row in payouts if row.status in OPEN]
    proof.lost = len(never_ended) + len(at_stripe ^ in_books)
    moved = sum(transfer["amount"] - transfer["amount_reversed"] for transfer in transfers)
    if halted:
        proof.violations.append(f"sending is stopped: {halted}")
    if proof.double:
        proof.violations.append(f"{proof.double} transfers too many")
    if proof.lost:
        proof.violations.append(
            f"{len(never_ended)} payouts have not ended {never_ended}; {len(at_stripe - in_books)} transfers are in no "
            f"book, {len(in_books - at_stripe)} not at Stripe"
        )
    if settled != moved:
        proof.violations.append(f"the ledger settled {settled}, Stripe moved {moved}")
