"""Roles: each may all that the weaker may, and a refusal names who may."""

from __future__ import annotations

import pytest

from portal.domain.roles import RULES, Act, OperatorRole, RoleIsTooWeak, refuse_weak, who_may

VIEWER, OPERATOR = OperatorRole.viewer, OperatorRole.operator
APPROVER, ADMIN = OperatorRole.approver, OperatorRole.admin

MANY = {"retry_many", "cancel_many"}
EVERYDAY = {"block", "note", "sync", "verify", "replay", "test_webhooks", "retry", "cancel", "halt"} | MANY
MONEY = {"accept_bank", "approve", "reject", "mark_paid", "run", "resume"}
KEYS = {"accept_difference", "manage_tokens", "manage_operators"}


@pytest.mark.parametrize(
    ("role", "acts"),
    [
        (VIEWER, {"look"}),
        (OPERATOR, {"look"} | EVERYDAY),
        (APPROVER, {"look"} | EVERYDAY | MONEY),
        (ADMIN, {"look"} | EVERYDAY | MONEY | KEYS),
    ],
)
def test_what_each_role_may(role: OperatorRole, acts: set[str]) -> None:
    assert {act.value for act in Act if role.may(act)} == acts


def test_every_act_has_a_rule_and_what_decides_about_money_asks_for_a_recent_sign_in() -> None:
    assert set(RULES) == set(Act)
    sensitive = {act.value for act in Act if act.is_sensitive}
    assert sensitive == (MONEY - {"accept_bank"}) | KEYS | MANY


def test_a_refusal_says_who_may() -> None:
    refuse_weak(APPROVER, Act.approve)
    with pytest.raises(RoleIsTooWeak) as refusal:
        refuse_weak(OPERATOR, Act.approve)
    assert refusal.value.status == 403
    assert refusal.value.sentence == "Approving payouts takes the role approver or admin. Yours is operator."


def test_several_acts_are_told_together_by_the_role_that_they_take() -> None:
    acts = {Act.approve, Act.reject, Act.cancel}
    assert who_may(ADMIN, acts) == ""
    assert who_may(VIEWER, acts) == (
        "Canceling a payout takes the role operator, approver or admin."
        " Approving payouts and declining payouts take the role approver or admin. Yours is viewer."
    )
    assert who_may(APPROVER, {Act.manage_tokens}, whose="Hers") == (
        "Making and revoking tokens takes the role admin. Hers is approver."
    )
