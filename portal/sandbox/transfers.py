"""Transfers to connected accounts, and their reversals: https://docs.stripe.com/api/transfers"""

from __future__ import annotations

from portal.sandbox.balances import available, checked_amount, checked_currency, note
from portal.sandbox.bank_payouts import expect
from portal.sandbox.errors import InvalidParameter, StripeRefusal, no_such
from portal.sandbox.events import PLATFORM, changes
from portal.sandbox.identifiers import new_id
from portal.sandbox.lists import page
from portal.sandbox.parameters import merged_metadata
from portal.sandbox.state import Call, Sandbox, accessible
from portal.sandbox.store import Document, public

_REGION = frozenset(
    "AT BE BG CA CH CY CZ DE DK EE ES FI FR GB GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK US".split()
)
"""Where a platform in the US sends money to under the full agreement: https://docs.stripe.com/connect/cross-border-payouts"""

_SHOWN_REVERSALS = 10


def create(call: Call) -> Document:
    """`POST /v1/transfers`: the money moves at once, or not at all."""
    currency = checked_currency(call)
    amount = checked_amount(call.params["amount"], currency)
    with call.store.transaction():
        destination = _destination(call)
        if available(call.sandbox, PLATFORM).get(currency, 0) < amount:
            raise StripeRefusal(
                "You have insufficient available funds in your Stripe account. Try adding funds directly to your "
                "available balance by creating Charges using the 4000000000000077 test card. See: "
                "https://stripe.com/docs/testing#available-balance",
                code="balance_insufficient",
            )
        transfer = _new(call, amount=amount, currency=currency)
        _move(call.sandbox, transfer, destination)
        call.store.put("transfer", transfer["id"], transfer)
        call.sandbox.events.record("transfer.created", transfer)
    return public(transfer)


def _destination(call: Call) -> Document:
    account = accessible(call.sandbox, call.params["destination"])
    if account is None:
        raise no_such("destination", call.params["destination"], param="destination", status=400)
    if account["capabilities"].get("transfers") != "active":
        raise StripeRefusal(
            "Your destination account needs to have at least one of the following capabilities enabled: transfers, "
            "crypto_transfers, legacy_payments",
            code="insufficient_capabilities_for_transfer",
        )
    full = account["tos_acceptance"].get("service_agreement") != "recipient"
    if full and account["country"] not in _REGION:
        raise StripeRefusal(
            f"Funds can't be sent to accounts located in {account['country']} because it's restricted outside of "
            "your platform's region. See: https://stripe.com/docs/connect/cross-border-payouts"
        )
    return account


def _new(call: Call, *, amount: int, currency: str) -> Document:
    identifier = new_id("tr", 24)
    params = call.params
    return {
        "id": identifier,
        "object": "transfer",
        "amount": amount,
        "amount_reversed": 0,
        "balance_transaction": None,
        "created": call.sandbox.now(),
        "currency": currency,
        "description": params.get("description"),
        "destination": params["destination"],
        "destination_payment": new_id("py", 24),
        "livemode": False,
        "metadata": merged_metadata({}, params.get("metadata")),
        "reversals": {
            "object": "list",
            "data": [],
            "has_more": False,
            "url": f"/v1/transfers/{identifier}/reversals",
        },
        "reversed": False,
        "source_transaction": params.get("source_transaction"),
        "source_type": params.get("source_type", "card"),
        "transfer_group": params.get("transfer_group"),
    }


def _move(sandbox: Sandbox, transfer: Document, destination: Document) -> None:
    amount, currency = transfer["amount"], transfer["currency"]
    taken = note(
        sandbox, PLATFORM, amount=-amount, currency=currency, kind="transfer",
        source=transfer["id"], description=transfer["description"],
    )  # fmt: skip
    transfer["balance_transaction"] = taken["id"]
    payment = transfer["destination_payment"]
    arrived = note(
        sandbox, destination["id"], amount=amount, currency=currency, kind="payment",
        source=payment, description=None,
    )  # fmt: skip
    sandbox.store.put(
        "charge",
        payment,
        {
            "id": payment,
            "object": "charge",
            "amount": amount,
            "amount_captured": amount,
            "amount_refunded": 0,
            "balance_transaction": arrived["id"],
            "billing_details": dict.fromkeys(("address", "email", "name", "phone", "tax_id")),
            "captured": True,
            "created": transfer["created"],
            "currency": currency,
            "disputed": False,
            "livemode": False,
            "metadata": {},
            "paid": True,
            "refunded": False,
            "source_transfer": transfer["id"],
            "status": "succeeded",
            "_owner": destination["id"],
        },
    )
    expect(sandbox, destination["id"])


def _existing(call: Call) -> Document:
    transfer = call.store.get("transfer", call.ids["transfer"])
    if transfer is None:
        raise no_such("transfer", call.ids["transfer"], param="transfer")
    return transfer


def retrieve(call: Call) -> Document:
    """`GET /v1/transfers/{id}`"""
    return public(_existing(call))


def update(call: Call) -> Document:
    """`POST /v1/transfers/{id}`: description and metadata."""
    with call.store.transaction():
        before, transfer = _existing(call), _existing(call)
        transfer["metadata"] = merged_metadata(transfer["metadata"], call.params.get("metadata"))
        if "description" in call.params:
            transfer["description"] = call.params["description"] or None
        call.store.put("transfer", transfer["id"], transfer)
        if previous := changes(before, transfer):
            call.sandbox.events.record("transfer.updated", transfer, previous=previous)
    return public(transfer)


def list_transfers(call: Call) -> Document:
    """`GET /v1/transfers`, by created, destination and transfer_group alone."""
    where: dict[str, object] = {}
    where.update(
        {name: call.params[name] for name in ("destination", "transfer_group") if name in call.params}
    )
    return page(call, "transfer", url="/v1/transfers", where=where)


def create_reversal(call: Call) -> Document:
    """`POST /v1/transfers/{id}/reversals`: the whole rest unless an amount is given.

    https://docs.stripe.com/api/transfer_reversals/create
    """
    transfer = _existing(call)
    amount = call.params.get("amount")
    if amount is not None:
        checked_amount(amount, transfer["currency"])
    held = available(call.sandbox, transfer["destination"]).get(transfer["currency"], 0)
    wanted = amount if amount is not None else transfer["amount"] - transfer["amount_reversed"]
    if 0 < wanted <= transfer["amount"] - transfer["amount_reversed"] and held < wanted:
        raise StripeRefusal(
            "Insufficient funds in the connected account's balance to reverse this transfer.",
            code="balance_insufficient",
        )
    return reverse(
        call.sandbox,
        transfer["id"],
        amount=amount,
        description=call.params.get("description"),
        metadata=merged_metadata({}, call.params.get("metadata")),
    )


def reverse(
    sandbox: Sandbox,
    transfer_id: str,
    *,
    amount: int | None = None,
    description: str | None = None,
    metadata: dict[str, str] | None = None,
) -> Document:
    """Take a transfer back, wholly or in part (minor units); the connected balance may go below zero.

    Raises StripeRefusal.
    """
    with sandbox.store.transaction():
        before, transfer = (
            sandbox.store.get("transfer", transfer_id),
            sandbox.store.get("transfer", transfer_id),
        )
        if before is None or transfer is None:
            raise no_such("transfer", transfer_id, param="transfer")
        rest = transfer["amount"] - transfer["amount_reversed"]
        if rest == 0:
            raise StripeRefusal(f"Transfer {transfer_id} has already been fully reversed.")
        taken = rest if amount is None else amount
        if taken > rest:
            raise InvalidParameter(
                f"Reversal amount ({taken}) is greater than the unreversed amount of the transfer ({rest}).",
                param="amount",
            )
        reversal = _write_reversal(sandbox, transfer, amount=taken, metadata=metadata or {})
        transfer["amount_reversed"] += taken
        transfer["reversed"] = transfer["amount_reversed"] == transfer["amount"]
        listed = transfer["reversals"]
        shown = [public(reversal), *listed["data"]]
        listed["data"] = shown[:_SHOWN_REVERSALS]
        listed["has_more"] = listed["has_more"] or len(shown) > _SHOWN_REVERSALS
        sandbox.store.put("transfer", transfer_id, transfer)
        sandbox.events.record("transfer.reversed", transfer, previous=changes(before, transfer))
    return public(reversal)


def _write_reversal(
    sandbox: Sandbox, transfer: Document, *, amount: int, metadata: dict[str, str]
) -> Document:
    identifier, refund = new_id("trr", 24), new_id("pyr", 24)
    currency = transfer["currency"]
    back = note(
        sandbox, PLATFORM, amount=amount, currency=currency, kind="transfer_refund",
        source=identifier, description=None,
    )  # fmt: skip
    note(
        sandbox, transfer["destination"], amount=-amount, currency=currency, kind="payment_refund",
        source=refund, description=None,
    )  # fmt: skip
    reversal: Document = {
        "id": identifier,
        "object": "transfer_reversal",
        "amount": amount,
        "balance_transaction": back["id"],
        "created": sandbox.now(),
        "currency": currency,
        "destination_payment_refund": refund,
        "metadata": metadata,
        "source_refund": None,
        "transfer": transfer["id"],
        "_owner": transfer["id"],
    }
    sandbox.store.put("reversal", identifier, reversal)
    return reversal


def list_reversals(call: Call) -> Document:
    """`GET /v1/transfers/{id}/reversals`"""
    transfer = _existing(call)
    return page(call, "reversal", url=transfer["reversals"]["url"], where={"_owner": transfer["id"]})


def retrieve_reversal(call: Call) -> Document:
    """`GET /v1/transfers/{id}/reversals/{reversal}`"""
    transfer = _existing(call)
    reversal = call.store.get("reversal", call.ids["id"])
    if reversal is None or reversal["_owner"] != transfer["id"]:
        raise no_such("transfer reversal", call.ids["id"])
    return public(reversal)
