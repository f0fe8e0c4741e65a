"""Puts the portal together: the database, the gateways, and the services that are handed them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any, cast

import sqlalchemy as sa
from flask import Flask, current_app, g, has_request_context
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from jinja2 import Environment, StrictUndefined
from sqlalchemy.exc import SQLAlchemyError

from portal import models
from portal.clock import Clock
from portal.config import PROJECT_ROOT, Settings
from portal.domain.approval import ApprovalRule
from portal.gateways.mail import MailGateway, mail_gateway
from portal.gateways.stripe import (
    Lane,
    StripeApi,
    StripeKeyRefusedError,
    StripeProblemError,
    StripeTransport,
)
from portal.gateways.webhook_post import WebhookPost
from portal.models.base import Database
from portal.services.acceptances import Acceptances
from portal.services.access import Access
from portal.services.account_making import AccountMaking
from portal.services.accounts import Accounts, Standings
from portal.services.affiliate_search import AffiliateSearch
from portal.services.affiliates import Affiliates
from portal.services.approvals import Approvals
from portal.services.attempts import Attempts
from portal.services.audit_chain import AuditChain
from portal.services.audit_trail import AuditTrail
from portal.services.automatic_payouts import AutomaticPayouts
from portal.services.bank_payouts import BankPayouts
from portal.services.books import Books
from portal.services.claims import Claims
from portal.services.crontabs import crontabs
from portal.services.decision_records import DecisionRecords
from portal.services.decisions import Decisions
from portal.services.digests import Digests
from portal.services.event_backfills import EventBackfills
from portal.services.event_log import EventLog
from portal.services.findings import Findings
from portal.services.heartbeats import Heartbeats
from portal.services.holds import Holds
from portal.services.journal import Journal
from portal.services.kept_forms import KeptForms
from portal.services.ledger import Ledger
from portal.services.letters import Letters
from portal.services.mail_delivery import MailDelivery
from portal.services.metrics import Metrics
from portal.services.notes import Notes
from portal.services.notifications import Notifications
from portal.services.offers import Offers
from portal.services.onboarding import Onboarding
from portal.services.overview import Overview
from portal.services.payout_control import PayoutControl
from portal.services.payout_history import PayoutHistory
from portal.services.payout_moves import PayoutMoves
from portal.services.payout_previews import PayoutPreviews
from portal.services.payout_queue import PayoutQueue
from portal.services.payout_runs import SIGN_OF_LIFE_SECONDS, PayoutRuns
from portal.services.payouts import Payouts
from portal.services.personal_settings import PersonalSettings
from portal.services.platform import Platform
from portal.services.platform_balance import PlatformBalance
from portal.services.reconciliation import Reconciliation
from portal.services.refunds import Refunds
from portal.services.reminders import Reminders
from portal.services.requested_runs import RequestedRuns
from portal.services.reversals import Reversals
from portal.services.run_records import RunRecords
from portal.services.selfcheck import Selfcheck
from portal.services.sending import Sending
from portal.services.sending_faults import SendingFaults
from portal.services.sending_switch import SendingSwitch
from portal.services.shared_banks import SharedBanks
from portal.services.statements import Statements
from portal.services.stripe_events import StripeEvents
from portal.services.stripe_pace import DatabasePace
from portal.services.timetable import Timetable
from portal.services.transfers import Transfers
from portal.services.verification import Verification
from portal.services.webhook_health import WebhookHealth
from portal.services.webhook_self_tests import WebhookSelfTests
from portal.services.webhook_tally import WebhookTally

__all__ = ["Services", "StripeKeyRefusedError", "StripeProblemError", "db", "migrate", "services", "wire"]

db = SQLAlchemy(
    metadata=models.Base.metadata, disable_autonaming=True, session_options={"expire_on_commit": False}
)
#: Flask-SQLAlchemy's session is SQLAlchemy's, with the bind of the current app.
session = cast(Database, db.session)
migrate = Migrate(directory=str(PROJECT_ROOT / "migrations"))

#: What stands in for a key that is not set outside production: Stripe refuses it, as it should.
NO_KEY = "sk_test_not_set"

#: For how long a request to Stripe may wait for its turn where a person waits for the page, and where nobody does; the
#: latter is longer than any pause that Stripe is given.
PAGE_PATIENCE_SECONDS = 4.0
WORKER_PATIENCE_SECONDS = 90.0


@dataclass
class Services:
    """Everything the portal can do, for one app."""

    settings: Settings
    clock: Clock
    access: Access
    affiliates: Affiliates
    notes: Notes
    personal_settings: PersonalSettings
    accounts: Accounts
    onboarding: Onboarding
    ledger: Ledger
    refunds: Refunds
    statements: Statements
    offers: Offers
    payouts: Payouts
    approvals: Approvals
    decisions: Decisions
    decision_records: DecisionRecords
    kept_forms: KeptForms
    holds: Holds
    automatic_payouts: AutomaticPayouts
    transfers: Transfers
    payout_previews: PayoutPreviews
    payout_runs: PayoutRuns
    run_records: RunRecords
    platform_balance: PlatformBalance
    bank_payouts: BankPayouts
    stripe_events: StripeEvents
    webhook_tally: WebhookTally
    webhook_health: WebhookHealth
    webhook_self_tests: WebhookSelfTests
    metrics: Metrics
    verification: Verification
    findings: Findings
    requested_runs: RequestedRuns
    timetable: Timetable
    overview: Overview
    affiliate_search: AffiliateSearch
    shared_banks: SharedBanks
    reminders: Reminders
    digests: Digests
    payout_queue: PayoutQueue
    payout_history: PayoutHistory
    event_log: EventLog
    event_backfills: EventBackfills
    audit_trail: AuditTrail
    audit_chain: AuditChain
    selfcheck: Selfcheck
    reconciliation: Reconciliation
    acceptances: Acceptances
    payout_control: PayoutControl
    mail_delivery: MailDelivery
    is_broker_reachable: Callable[[], bool] = field(default=lambda: True)
    """Whether background work can be handed over; set by the jobs."""
    look_at_events: Callable[[], None] = field(default=lambda: None)
    """Tells the worker that an event has come in; set by the jobs. What it misses, a sweep picks up."""
    sweep_soon: Callable[[], None] = field(default=lambda: None)
    """Tells the worker not to wait for the next minute with what is due; set by the jobs."""

    def is_database_reachable(self) -> bool:
        """Whether the database answers."""
        try:
            db.session.execute(sa.text("SELECT 1"))
            db.session.rollback()
        except SQLAlchemyError:
            return False
        return True


def services() -> Services:
    """The services of the current app."""
    return cast(Services, current_app.extensions["portal"])


def wire(
    app: Flask,
    settings: Settings,
    *,
    clock: Clock | None = None,
    stripe_transport: StripeTransport | None = None,
    mail: MailGateway | None = None,
) -> Services:
    """Build the services of an app. `clock` and `stripe_transport` are for tests: another time, and a stand-in that is
    called without a network. `mail` is the demo's, which keeps what it would send."""
    clock = clock or Clock(settings.clock_offset_seconds)
    stripe = StripeApi(
        settings.stripe_secret_key or NO_KEY,
        api_base=settings.stripe_api_base,
        transport=stripe_transport,
        before_call=_refuse_open_transaction,
        pace=DatabasePace(
            session,
            clock=clock,
            per_second={
                Lane.everything: settings.stripe_rate_limit,
                Lane.transfers: settings.stripe_transfer_rate_limit,
            },
            patience=lambda: PAGE_PATIENCE_SECONDS if has_request_context() else WORKER_PATIENCE_SECONDS,
        ),
    )
    journal = Journal(session)
    books = Books(session, clock=clock)
    access = Access(session, clock=clock, settings=settings)
    notifications = Notifications(session, clock=clock, operators=access)
    moves = PayoutMoves(session, clock=clock, journal=journal, books=books, notifications=notifications)
    shared_banks = SharedBanks(session, clock=clock, books=books, journal=journal)
    standings = Standings(
        clock=clock, journal=journal, moves=moves, notifications=notifications, shared_banks=shared_banks
    )
    platform = Platform(session, stripe=stripe)
    accounts = Accounts(
        session, clock=clock, stripe=stripe, books=books, standings=standings, platform=platform
    )
    making = AccountMaking(
        session,
        clock=clock,
        settings=settings,
        stripe=stripe,
        books=books,
        standings=standings,
        journal=journal,
        notifications=notifications,
        pause=clock.pause,
    )
    holds = Holds(session, clock=clock, cooldown=timedelta(hours=settings.bank_change_cooldown_hours))
    switch = SendingSwitch(session, clock=clock, notifications=notifications)
    attempts = Attempts(session, clock=clock, moves=moves, switch=switch, holds=holds)
    claims = Claims(session, clock=clock)
    reversals = Reversals(
        session,
        clock=clock,
        stripe=stripe,
        moves=moves,
        books=books,
        journal=journal,
        notifications=notifications,
    )
    reconciliation = Reconciliation(
        session, clock=clock, stripe=stripe, attempts=attempts, switch=switch, reversals=reversals
    )
    faults = SendingFaults(session, clock=clock, journal=journal)
    transfers = Transfers(
        session,
        clock=clock,
        stripe=stripe,
        sending=Sending(session, clock=clock, stripe=stripe, accounts=accounts, attempts=attempts),
        attempts=attempts,
        claims=claims,
        switch=switch,
        faults=faults,
        reversals=reversals,
        reconciliation=reconciliation,
    )
    previews, records = PayoutPreviews(session, clock=clock, holds=holds), RunRecords(session)
    bank_payouts = BankPayouts(
        session, clock=clock, stripe=stripe, journal=journal, notifications=notifications
    )
    audit_chain = AuditChain(session, clock=clock)
    selfcheck = Selfcheck(session, settings=settings, switch=switch, further=[audit_chain.breaches])
    rule = ApprovalRule(settings.auto_approve_limit, settings.second_approval_limit)
    approvals = Approvals(session, clock=clock, rule=rule, journal=journal, moves=moves)
    offers = Offers(session, clock=clock, settings=settings, books=books, rule=rule)
    payouts = Payouts(
        session,
        clock=clock,
        journal=journal,
        books=books,
        moves=moves,
        approvals=approvals,
        offers=offers,
        notifications=notifications,
    )
    verification = Verification(
        session, clock=clock, stripe=stripe, accounts=accounts, standings=standings, platform=platform
    )
    heartbeats = Heartbeats(app.app_context)
    timetable = Timetable(session, clock=clock, crontabs=crontabs(settings), heartbeats=heartbeats)
    webhook_tally = WebhookTally(session, clock=clock)
    webhook_health = WebhookHealth(session, clock=clock, secrets=settings.stripe_webhook_secrets)
    control = PayoutControl(
        session,
        clock=clock,
        stripe=stripe,
        journal=journal,
        moves=moves,
        attempts=attempts,
        switch=switch,
        faults=faults,
        selfcheck=selfcheck,
        reconciliation=reconciliation,
    )
    decision_records = DecisionRecords(session, clock=clock)
    overview = Overview(session, clock=clock, webhook_health=webhook_health, records=records)
    app.extensions["portal"] = wired = Services(
        settings=settings,
        clock=clock,
        access=access,
        affiliates=Affiliates(
            session,
            clock=clock,
            settings=settings,
            journal=journal,
            books=books,
            moves=moves,
            notifications=notifications,
        ),
        notes=Notes(session, clock=clock, journal=journal),
        personal_settings=PersonalSettings(session, clock=clock, journal=journal, books=books),
        accounts=accounts,
        onboarding=Onboarding(
            session, clock=clock, settings=settings, stripe=stripe, books=books, making=making
        ),
        ledger=Ledger(session, books=books, clock=clock, hold_days=settings.earnings_hold_days),
        refunds=Refunds(session, clock=clock, journal=journal, books=books),
        statements=Statements(session, clock=clock, books=books),
        offers=offers,
        payouts=payouts,
        approvals=approvals,
        holds=holds,
        automatic_payouts=AutomaticPayouts(
            session,
            clock=clock,
            books=books,
            payouts=payouts,
            timetable=timetable,
            notifications=notifications,
        ),
        decisions=Decisions(
            session,
            moves=moves,
            approvals=approvals,
            payouts=payouts,
            control=control,
            records=decision_records,
        ),
        decision_records=decision_records,
        kept_forms=KeptForms(session, clock=clock),
        transfers=transfers,
        payout_previews=previews,
        payout_runs=PayoutRuns(
            session,
            clock=clock,
            journal=journal,
            transfers=transfers,
            previews=previews,
            records=records,
            notifications=notifications,
            heartbeats=Heartbeats(app.app_context, every_seconds=SIGN_OF_LIFE_SECONDS),
        ),
        run_records=records,
        platform_balance=PlatformBalance(session, clock=clock, stripe=stripe),
        bank_payouts=bank_payouts,
        stripe_events=StripeEvents(
            session,
            clock=clock,
            secrets=settings.stripe_webhook_secrets,
            is_livemode=settings.is_stripe_live,
            accounts=accounts,
            transfers=transfers,
            bank_payouts=bank_payouts,
            platform=platform,
            tally=webhook_tally,
        ),
        webhook_tally=webhook_tally,
        webhook_health=webhook_health,
        webhook_self_tests=WebhookSelfTests(
            session,
            clock=clock,
            journal=journal,
            stripe=stripe,
            post=WebhookPost(before_call=_refuse_open_transaction),
            address=settings.webhook_address,
            secrets=settings.stripe_webhook_secrets,
            is_livemode=settings.is_stripe_live,
        ),
        metrics=Metrics(session, clock=clock, overview=overview, jobs=tuple(crontabs(settings))),
        verification=verification,
        findings=Findings(session, clock=clock),
        requested_runs=RequestedRuns(
            session, clock=clock, journal=journal, verification=verification, heartbeats=heartbeats
        ),
        timetable=timetable,
        overview=overview,
        affiliate_search=AffiliateSearch(session, clock=clock),
        shared_banks=shared_banks,
        reminders=Reminders(
            session, clock=clock, notifications=notifications, countries=settings.stripe_countries
        ),
        digests=Digests(
            session, clock=clock, overview=overview, records=records, notifications=notifications
        ),
        payout_queue=PayoutQueue(session, rule=rule),
        payout_history=PayoutHistory(session),
        event_log=EventLog(session, clock=clock, journal=journal),
        audit_trail=AuditTrail(session),
        selfcheck=selfcheck,
        event_backfills=EventBackfills(
            session, clock=clock, stripe=stripe, is_livemode=settings.is_stripe_live
        ),
        audit_chain=audit_chain,
        reconciliation=reconciliation,
        payout_control=control,
        mail_delivery=MailDelivery(
            session,
            clock=clock,
            letters=Letters(settings=settings, render=MailWords(app)),
            gateway=mail or mail_gateway(settings, before_call=_refuse_open_transaction),
        ),
        acceptances=Acceptances(session, clock=clock, journal=journal, reconciliation=reconciliation),
    )
    return wired


class MailWords:
    """The pages' own templates and filters; a fact that a mail names and does not have is a fault."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    @cached_property
    def _templates(self) -> Environment:
        """Made with the first mail, when every filter is there; what it has compiled it keeps."""
        return self._app.jinja_env.overlay(undefined=StrictUndefined)

    def __call__(self, template: str, facts: Mapping[str, Any]) -> str:
        """In a context of its own: a mail is read in the zone and the language of whom it is for, whoever else is being
        answered."""
        with self._app.app_context():
            g.time_zone, g.language = facts["time_zone"], facts["language"]
            return self._templates.get_template(template).render(facts)


def _refuse_open_transaction() -> None:
    """No transaction is open while Stripe or a mail server is asked: a slow answer must lock nobody, a crash must undo
    nothing."""
    if session().in_transaction():
        raise RuntimeError("a database transaction is open during a call to Stripe or to the mail server")
