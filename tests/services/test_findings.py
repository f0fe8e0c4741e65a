"""What a verification found of whom: another status or another detail, and whether a webhook had said so before."""

from __future__ import annotations

from tests.services.programme import Programme


def test_a_run_keeps_what_changed_of_whom_and_nothing_of_the_others(programme: Programme) -> None:
    restricted, announced, reviewed, _same = (programme.affiliate() for _ in range(4))
    for affiliate_id in (restricted, announced):
        programme.onboard(affiliate_id)
    for affiliate_id in (reviewed, _same):
        programme.onboard(affiliate_id, fate=None)
    programme.stripe.fate(programme.account_of(restricted), "restrict", silently=True)
    programme.stripe.fate(programme.account_of(announced), "restrict")
    programme.receive(programme.stripe.events("account.updated")[-1])
    programme.stripe.fate(programme.account_of(reviewed), "review", silently=True)
    run = programme.services.verification.run(trigger="shell")
    found = {
        each.affiliate_code: (
            each.row.status_before,
            each.row.detail_before,
            each.row.status_after,
            each.row.detail_after,
            each.row.is_webhook_missed,
        )
        for each in programme.services.findings.of(run.id)
    }
    assert found == {
        programme.get(restricted).code: ("verified", None, "restricted", "action_required", True),
        programme.get(announced).code: ("verified", None, "restricted", "action_required", False),
        programme.get(reviewed).code: ("pending", "setup_incomplete", "pending", "reviewing", True),
    }
