"""What an operator may do: for each act the least role that it takes, and whether it asks for a recent sign-in. Pages,
buttons, the shell and the documents all go by this table.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from portal.domain.errors import PortalError

#: How long a sign-in is recent enough for a sensitive act: time to look a list through, not to leave a desk for lunch.
RECENT = timedelta(minutes=30)


class OperatorRole(StrEnum):
    """What an operator may do; each role may all that those below it may."""

    admin = "admin"
    """Everything."""
    approver = "approver"
    """Decide about money too."""
    operator = "operator"
    """Everyday acts."""
    viewer = "viewer"
    """Look, and change nothing."""

    @property
    def may_too(self) -> list[OperatorRole]:
        """This role and those above it, the weakest first."""
        return [role for role in reversed(OperatorRole) if role.is_at_least(self)]

    def is_at_least(self, other: OperatorRole) -> bool:
        """Whether it may all that the other one may."""
        roles = list(OperatorRole)
        return roles.index(self) <= roles.index(other)

    def may(self, act: Act) -> bool:
        """Whether this role is enough for the act."""
        return self.is_at_least(RULES[act].least)


class Act(StrEnum):
    """Something that an operator does."""

    look = "look"
    block = "block"
    note = "note"
    sync = "sync"
    verify = "verify"
    replay = "replay"
    test_webhooks = "test_webhooks"
    retry = "retry"
    retry_many = "retry_many"
    cancel = "cancel"
    cancel_many = "cancel_many"
    halt = "halt"
    accept_bank = "accept_bank"
    approve = "approve"
    reject = "reject"
    mark_paid = "mark_paid"
    run = "run"
    resume = "resume"
    accept_difference = "accept_difference"
    manage_tokens = "manage_tokens"
    manage_operators = "manage_operators"

    @property
    def is_sensitive(self) -> bool:
        """Whether it takes a sign-in of the last 30 minutes."""
        return RULES[self].is_sensitive


@dataclass(frozen=True)
class ActRule:
    """Who may do it; `words` is what it is called in the middle of a sentence."""

    least: OperatorRole
    words: str
    is_sensitive: bool = False


_VIEWER, _OPERATOR = OperatorRole.viewer, OperatorRole.operator
_APPROVER, _ADMIN = OperatorRole.approver, OperatorRole.admin

RULES: Mapping[Act, ActRule] = {
    Act.look: ActRule(_VIEWER, "looking"),
    Act.block: ActRule(_OPERATOR, "blocking and unblocking affiliates"),
    Act.note: ActRule(_OPERATOR, "writing notes"),
    Act.sync: ActRule(_OPERATOR, "asking Stripe about an account"),
    Act.verify: ActRule(_OPERATOR, "starting a verification"),
    Act.replay: ActRule(_OPERATOR, "having events worked on again"),
    Act.test_webhooks: ActRule(_OPERATOR, "testing webhooks"),
    Act.retry: ActRule(_OPERATOR, "having a payout tried again"),
    Act.retry_many: ActRule(_OPERATOR, "having several payouts tried again", is_sensitive=True),
    Act.cancel: ActRule(_OPERATOR, "canceling a payout"),
    Act.cancel_many: ActRule(_OPERATOR, "canceling several payouts", is_sensitive=True),
    Act.halt: ActRule(_OPERATOR, "stopping all sending"),
    Act.accept_bank: ActRule(_APPROVER, "accepting a shared bank account"),
    Act.approve: ActRule(_APPROVER, "approving payouts", is_sensitive=True),
    Act.reject: ActRule(_APPROVER, "declining payouts", is_sensitive=True),
    Act.mark_paid: ActRule(_APPROVER, "marking payouts as paid", is_sensitive=True),
    Act.run: ActRule(_APPROVER, "confirming a payout run", is_sensitive=True),
    Act.resume: ActRule(_APPROVER, "letting sending go on", is_sensitive=True),
    Act.accept_difference: ActRule(_ADMIN, "accepting a difference in the books", is_sensitive=True),
    Act.manage_tokens: ActRule(_ADMIN, "making and revoking tokens", is_sensitive=True),
    Act.manage_operators: ActRule(_ADMIN, "adding and removing operators", is_sensitive=True),
}


class RoleIsTooWeak(PortalError):
    """An operator tried what their role does not allow."""

    status = 403
    code = "role_too_weak"


def refuse_weak(role: OperatorRole, act: Act, *, whose: str = "Yours") -> None:
    """Raise RoleIsTooWeak with who may."""
    if not role.may(act):
        raise RoleIsTooWeak(who_may(role, {act}, whose=whose))


def who_may(role: OperatorRole, acts: Collection[Act], *, whose: str = "Yours") -> str:
    """Of these acts, those that the role is too weak for, and who may: a sentence for each least role; nothing if it
    may do all of them."""
    missing = [act for act in Act if act in acts and not role.may(act)]
    sentences = []
    for least in reversed(OperatorRole):
        words = [RULES[act].words for act in missing if RULES[act].least is least]
        if words:
            *others, last = least.may_too
            roles = f"{', '.join(others)} or {last}" if others else last
            subject = " and ".join([", ".join(words[:-1]), words[-1]] if words[1:] else words)
            sentences.append(
                f"{subject[0].upper()}{subject[1:]} {'take' if words[1:] else 'takes'} the role {roles}."
            )
    return " ".join([*sentences, f"{whose} is {role}."] if sentences else [])
