"""The scenes of a payout's life: how each begins, which command is killed in it, and how it must end all the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from portal.domain.payouts import PayoutStatus
from portal.services.affiliates import PreferenceChange
from tests.rehearsal.stage import OPERATOR, Stage
from tests.services.programme import TEST

#: Cents; each payout of a rehearsal is one such earning.
AMOUNT = 10_000

RUN = ("process-payouts",)
WORKER = ("worker", "--once")
RECONCILE = ("reconcile",)
CANCEL = ("payouts", "cancel", "{payout}", "--reason", "Not now.", "--as", OPERATOR)


@dataclass(frozen=True)
class Scene:
    """`begin` sets it and names the payout, if there is one yet; `heal` takes away what stood in its way."""

    name: str
    begin: Callable[[Stage, UUID], UUID | None]
    command: tuple[str, ...]
    ends: PayoutStatus
    heal: Callable[[Stage, UUID], None] = lambda _stage, _affiliate: None


def _asked(stage: Stage, affiliate_id: UUID) -> UUID:
    stage.programme.earn(affiliate_id, AMOUNT)
    return stage.programme.request(affiliate_id, "100.00")


def _earned_and_due(stage: Stage, affiliate_id: UUID) -> None:
    """Nobody asks; the week is over."""
    programme = stage.programme
    automatic = PreferenceChange(automatic="true")
    programme.services.affiliates.set_preferences(affiliate_id, automatic, cause=TEST)
    programme.earn(affiliate_id, AMOUNT)
    stage.pass_time(days=7)


def _sent_badly(fault: str, **later: float) -> Callable[[Stage, UUID], UUID]:
    """One try that ends in a fault, and then some time."""

    def begin(stage: Stage, affiliate_id: UUID) -> UUID:
        payout_id = _asked(stage, affiliate_id)
        stage.stripe.fault(fault)
        stage.programme.run()
        stage.pass_time(**later)
        return payout_id

    return begin


def _proven_absent(stage: Stage, affiliate_id: UUID) -> UUID:
    """Lost on the way, looked for when it could not land any more, and to be sent under a new key."""
    payout_id = _sent_badly("timeout_before", hours=26)(stage, affiliate_id)
    stage.programme.run()
    assert stage.programme.payout(payout_id).status is PayoutStatus.approved
    return payout_id


def _refused(stage: Stage, affiliate_id: UUID) -> UUID:
    payout_id = _asked(stage, affiliate_id)
    stage.stripe.fault("400_saved", code="transfers_not_allowed", message="This cannot be sent.", times=9)
    return payout_id


def _without_funds(stage: Stage, affiliate_id: UUID) -> UUID:
    stage.stripe.set_balance(usd=0)
    return _asked(stage, affiliate_id)


def _topped_up(stage: Stage, affiliate_id: UUID) -> UUID:
    payout_id = _without_funds(stage, affiliate_id)
    stage.programme.run()
    _top_up(stage, affiliate_id)
    return payout_id


def _top_up(stage: Stage, _affiliate_id: UUID) -> None:
    stage.stripe.set_balance(usd=10**9)


def _restricted(stage: Stage, affiliate_id: UUID) -> UUID:
    payout_id = _asked(stage, affiliate_id)
    stage.stripe.fate(stage.programme.account_of(affiliate_id), "restrict", silently=True)
    return payout_id


def _verified(stage: Stage, affiliate_id: UUID) -> None:
    stage.stripe.fate(stage.programme.account_of(affiliate_id), "approve")


def _held(stage: Stage, affiliate_id: UUID) -> UUID:
    payout_id = _restricted(stage, affiliate_id)
    stage.programme.run()
    _verified(stage, affiliate_id)
    return payout_id


def _taken_back(stage: Stage, affiliate_id: UUID) -> UUID:
    payout_id = _asked(stage, affiliate_id)
    stage.programme.run()
    transfer_id = stage.programme.payout(payout_id).transfer_id
    stage.stripe.reverse(str(transfer_id), AMOUNT)
    return payout_id


def _much_for_the_worker(stage: Stage, affiliate_id: UUID) -> UUID:
    """An hour in which no worker ran: events of each kind, an unknown outcome, and slots of the timetable."""
    payout_id = _sent_badly("timeout_after", hours=1)(stage, affiliate_id)
    for event in stage.stripe.events()[-4:]:
        stage.programme.receive(event)
    return payout_id


#: Of these, the first three are one payout's whole life.
SCENES = (
    Scene("asked for and sent by the week's run", _earned_and_due, RUN, PayoutStatus.paid),
    Scene("settled by reconciling", _sent_badly("timeout_after", hours=1), RECONCILE, PayoutStatus.paid),
    Scene("taken back", _taken_back, RECONCILE, PayoutStatus.reversed),
    Scene("asked for and sent", _asked, RUN, PayoutStatus.paid),
    Scene("tried again under its key", _sent_badly("500_after", hours=1), RUN, PayoutStatus.paid),
    Scene("tried again, lost before", _sent_badly("timeout_before", hours=1), RUN, PayoutStatus.paid),
    Scene("only looked for", _sent_badly("500_after_saved", hours=24), RUN, PayoutStatus.paid),
    Scene("proven absent", _sent_badly("timeout_before", hours=26), RUN, PayoutStatus.paid),
    Scene("sent under a new key", _proven_absent, RUN, PayoutStatus.paid),
    Scene("given back after a refusal", _refused, RUN, PayoutStatus.failed),
    Scene("called off by an operator", _asked, CANCEL, PayoutStatus.canceled),
    Scene("short of funds", _without_funds, RUN, PayoutStatus.paid, heal=_top_up),
    Scene("sent after a top-up", _topped_up, RUN, PayoutStatus.paid),
    Scene("held", _restricted, RUN, PayoutStatus.paid, heal=_verified),
    Scene("let go on", _held, RUN, PayoutStatus.paid),
    Scene("in the worker's hands", _much_for_the_worker, WORKER, PayoutStatus.paid),
)
LIFE = SCENES[:3]
