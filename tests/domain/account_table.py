"""What Stripe may say of an account, row by row of the table, each case named in words. “Before 8” marks a
case to which row 8 would apply as well, had the earlier row not come first."""

from __future__ import annotations

from portal.domain.accounts import AccountDetail, AccountStatus, Actor
from tests.domain.stripe_accounts import IN_DECEMBER, Json, account, shows

#: The eight reasons of API version 2026-10-28.
REJECTIONS = (
    "rejected.fraud",
    "rejected.incomplete_verification",
    "rejected.listed",
    "rejected.other",
    "rejected.platform_fraud",
    "rejected.platform_other",
    "rejected.platform_terms_of_service",
    "rejected.terms_of_service",
)
PAST_DUE, CAPABILITIES = "requirements.past_due", "action_required.requested_capabilities"
CHECKING = "requirements.pending_verification"
OTHER_REASONS = (
    PAST_DUE,
    CAPABILITIES,
    "other",
    "listed",
    "platform_paused",
    "under_review",
    CHECKING,
    "new",
)

UNSUBMITTED: Json = {"details_submitted": False, "payouts_enabled": False, **shows(transfers="inactive")}
NOT_ACTIVE: Json = {"payouts_enabled": False, **shows(transfers="inactive")}
IN_PROGRESS: Json = {"payouts_enabled": False, **shows(transfers="pending")}
CHARGES: Json = {"charges_enabled": True}
NO_CAPABILITIES: Json = {"capabilities": {}}
SOMETHING = ["individual.id_number"]

Meaning = tuple[AccountStatus, AccountDetail | None, Actor]

_S, _D, _A = AccountStatus, AccountDetail, Actor
DISCONNECTED: Meaning = (_S.restricted, _D.disconnected, _A.affiliate)
REJECTED: Meaning = (_S.rejected, None, _A.support)
INVESTIGATED: Meaning = (_S.restricted, _D.stripe_investigating, _A.stripe)
PAUSED: Meaning = (_S.restricted, _D.platform_paused, _A.operator)
REVIEWED: Meaning = (_S.pending, _D.reviewing, _A.stripe)
UNFINISHED: Meaning = (_S.pending, _D.setup_incomplete, _A.affiliate)
MUST_ACT: Meaning = (_S.restricted, _D.action_required, _A.affiliate)
PLATFORM_MUST_ACT: Meaning = (_S.restricted, _D.platform_must_act, _A.operator)
UNKNOWN: Meaning = (_S.restricted, _D.unknown_reason, _A.operator)
VERIFIED: Meaning = (_S.verified, None, _A.nobody)
VERIFIED_WITH_ATTENTION: Meaning = (_S.verified, _D.attention, _A.affiliate)
UNEXPLAINED: Meaning = (_S.pending, _D.reviewing, _A.operator)

TABLE: dict[tuple[int, Meaning], dict[str, Json]] = {
    (1, DISCONNECTED): {
        "deleted": {"id": "acct_1", "deleted": True},
        **{
            f"deleted, {reason} (before 2 to 11)": account({"deleted": True}, disabled=reason, due=1)
            for reason in (*REJECTIONS, *OTHER_REASONS)
        },
        "deleted, set-up not finished (before 7)": account(
            {"deleted": True} | UNSUBMITTED, disabled=PAST_DUE
        ),
        "deleted though it looks healthy (before 12)": account({"deleted": True}),
    },
    (2, REJECTED): {
        **{f"{reason}, payouts still enabled": account(disabled=reason) for reason in REJECTIONS},
        "a rejection nobody has seen": account(disabled="rejected.something"),
        "a rejection without a cause": account(disabled="rejected."),
        "rejected, listed": account(disabled="rejected.listed", due=1),
        "rejected before set-up was finished (before 7)": account(UNSUBMITTED, disabled="rejected.other"),
        "rejected with things past due (before 8)": account(disabled="rejected.fraud", past_due=1),
    },
    (3, INVESTIGATED): {
        "listed": account(disabled="listed"),
        "listed before set-up was finished (before 13)": account(UNSUBMITTED, disabled="listed"),
    },
    (4, PAUSED): {
        "paused by the platform": account(disabled="platform_paused"),
        "paused with things past due (before 8)": account(disabled="platform_paused", past_due=1),
    },
    (5, REVIEWED): {
        "under review": account(disabled="under_review"),
        "under review, everything enabled (before 12)": account(CHARGES, disabled="under_review"),
        "under review before set-up was finished (before 13)": account(UNSUBMITTED, disabled="under_review"),
    },
    (6, REVIEWED): {
        "a check is under way": account(disabled=CHECKING, checking=1),
        "a check, other things due (before 15)": account(disabled=CHECKING, due=1),
    },
    (7, UNFINISHED): {
        "brand-new, nothing listed yet": account(UNSUBMITTED, disabled=PAST_DUE),
        "brand-new, things past due (before 8)": account(UNSUBMITTED, disabled=PAST_DUE, past_due=2),
        "another reason before set-up was finished (before 9)": account(UNSUBMITTED, disabled="other"),
        "another reason, things due, set-up not finished": account(UNSUBMITTED, disabled="other", due=1),
        "capabilities before set-up was finished (before 10)": account(UNSUBMITTED, disabled=CAPABILITIES),
    },
    (8, MUST_ACT): {
        "past due after set-up": account(disabled=PAST_DUE, past_due=1),
        "past due after set-up, nothing listed": account(disabled=PAST_DUE),
        "past due, a check under way (before 14)": account(disabled=PAST_DUE, checking=1),
    },
    (9, MUST_ACT): {
        "another reason, something past due": account(disabled="other", past_due=1),
        "another reason, something currently due": account(disabled="other", due=1),
        "another reason, something refused": account(disabled="other", errors=1),
    },
    (9, INVESTIGATED): {
        "another reason, nothing due": account(disabled="other"),
        "another reason, only a check under way (before 14)": account(disabled="other", checking=1),
    },
    (10, PLATFORM_MUST_ACT): {
        "a capability was not requested": account(NO_CAPABILITIES, disabled=CAPABILITIES),
        "a capability was not requested, things due (before 15)": account(disabled=CAPABILITIES, due=1),
    },
    (11, UNKNOWN): {
        "a reason nobody has seen": account(disabled="on_the_moon"),
        "a reason of an old API version": account(disabled="fields_needed"),
        "a reason that only begins like a rejection": account(disabled="rejected"),
        "a reason in capitals": account(disabled="LISTED"),
        "a reason that is no text": account(requirements={"disabled_reason": {"code": "listed"}}),
        "a reason that is false": account(requirements={"disabled_reason": False}),
        "requirements that are a list": account({"requirements": ["external_account"]}),
        "an unknown reason, things due, else healthy (before 12)": account(disabled="new", due=1),
        "an unknown reason before set-up was finished (before 13)": account(UNSUBMITTED, disabled="new"),
    },
    (12, VERIFIED): {
        "receives transfers and never charges": account(),
        "asked for card payments and may charge": account(
            CHARGES | shows(transfers="active", card_payments="active")
        ),
        "says that card payments were never asked for": account(
            shows(transfers="active", card_payments="unrequested")
        ),
        "shows no capabilities, charges and payouts enabled": account(CHARGES | NO_CAPABILITIES),
        "capabilities null, charges and payouts enabled": account(CHARGES | {"capabilities": None}),
        "an empty reason is none": account(disabled=""),
        "no requirements shown": account({"requirements": None, "future_requirements": None}),
        "what will be due one day is no reason to act": account(requirements={"eventually_due": SOMETHING}),
        "a check under way takes nothing away (before 14)": account(checking=1),
        "a notice under check needs nobody": account(
            {"future_requirements": {"pending_verification": SOMETHING}}
        ),
        "works before the details count as submitted (before 13)": account({"details_submitted": False}),
    },
    (12, VERIFIED_WITH_ATTENTION): {
        "something is due (before 15)": account(due=1),
        "something is past due": account(past_due=1),
        "something was refused": account(errors=1),
        "a deadline": account(requirements={"current_deadline": IN_DECEMBER}),
        "a notice of what is coming": account({"future_requirements": {"currently_due": SOMETHING}}),
        "a notice of what may come": account({"future_requirements": {"eventually_due": SOMETHING}}),
        "a notice of a date alone": account({"future_requirements": {"current_deadline": IN_DECEMBER}}),
        "a notice never disables": account(
            {"future_requirements": {"disabled_reason": PAST_DUE, "past_due": SOMETHING}}
        ),
    },
    (13, UNFINISHED): {
        "began and stopped": account(UNSUBMITTED, due=3),
        "began and stopped, a check under way (before 14)": account(UNSUBMITTED, checking=1),
        "began and stopped, things past due (before 15)": account(UNSUBMITTED, past_due=1),
        "began and stopped, no transfers (before 16)": account(UNSUBMITTED | shows(card_payments="active")),
        "an empty object": {},
    },
    (14, REVIEWED): {
        "transfers pending": account(IN_PROGRESS),
        "transfers inactive, a check under way": account(NOT_ACTIVE, checking=1),
        "a check under way, other things due (before 15)": account(NOT_ACTIVE, checking=1, due=1),
        "transfers pending, things past due (before 15)": account(IN_PROGRESS, past_due=1),
        "a check under way, no transfers (before 16)": account(shows(card_payments="active"), checking=1),
    },
    (15, MUST_ACT): {
        "something currently due": account(NOT_ACTIVE, due=1),
        "something past due": account(NOT_ACTIVE, past_due=1),
        "something refused": account(NOT_ACTIVE, errors=1),
        "something due, no transfers asked for (before 16)": account(shows(card_payments="active"), due=1),
    },
    (16, PLATFORM_MUST_ACT): {
        "capabilities shown, no transfers among them": account(CHARGES | shows(card_payments="active")),
        "transfers not requested": account(shows(transfers="unrequested")),
    },
    (17, UNEXPLAINED): {
        "transfers inactive and nothing explains it": account(NOT_ACTIVE),
        "transfers active, payouts off": account({"payouts_enabled": False}),
        "asked for card payments, may not charge": account(
            shows(transfers="active", card_payments="inactive")
        ),
        "card payments of a status nobody has seen": account(shows(transfers="active", card_payments="soon")),
        "shows no capabilities, may not charge": account(NO_CAPABILITIES),
        "shows no capabilities, no payouts": account(CHARGES | NO_CAPABILITIES | {"payouts_enabled": False}),
        "transfers of a status nobody has seen": account(shows(transfers="almost")),
        "transfers as an object": account(shows(transfers={"status": "active"})),
        "transfers as true": account(shows(transfers=True)),
        "transfers as null": account(shows(transfers=None)),
        "capabilities as a list are none shown": account({"capabilities": ["transfers"]}),
        "flags that are no booleans": account(NO_CAPABILITIES | {"payouts_enabled": "true"} | CHARGES),
    },
}
