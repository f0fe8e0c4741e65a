"""Balances and their transactions: https://docs.stripe.com/api/balance"""

from __future__ import annotations

from portal.sandbox.errors import InvalidParameter, StripeRefusal, no_such
from portal.sandbox.events import PLATFORM
from portal.sandbox.identifiers import new_id
from portal.sandbox.lists import page
from portal.sandbox.state import Call, Sandbox
from portal.sandbox.store import Document, public

CURRENCIES = frozenset(
    """aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf chf
    clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl htg huf idr ils
    inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk
    mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp
    sle sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx usd uyu uzs vnd vuv wst xaf xcd xof xpf yer zar
    zmw""".split()
)
"""https://docs.stripe.com/currencies"""

_ROUND_TO = {"isk": 100, "ugx": 100, "bhd": 10, "jod": 10, "kwd": 10, "omr": 10, "tnd": 10}
"""Minor units that an amount has to be a multiple of: https://docs.stripe.com/currencies#special-cases"""


def checked_currency(call: Call) -> str:
    """The call's currency in lower case; raises InvalidParameter for one Stripe doesn't know."""
    currency = str(call.params["currency"]).lower()
    if currency not in CURRENCIES:
        raise InvalidParameter(
            f"Invalid currency: {currency}. Stripe currently supports these currencies: "
            f"{', '.join(sorted(CURRENCIES))}",
            param="currency",
        )
    return currency


def checked_amount(amount: int, currency: str) -> int:
    """An amount in minor units that Stripe takes; raises InvalidParameter."""
    if amount < 1:
        raise InvalidParameter(
            "This value must be greater than or equal to 1.", code="parameter_invalid_integer", param="amount"
        )
    if amount > 99_999_999_999_999:
        raise InvalidParameter("Amount is too large.", code="amount_too_large", param="amount")
    step = _ROUND_TO.get(currency, 1)
    if amount % step:
        raise InvalidParameter(
            f"Invalid amount: an amount in {currency} has to be a multiple of {step}.", param="amount"
        )
    return amount


def available(sandbox: Sandbox, owner: str) -> dict[str, int]:
    """What an owner has, in minor units by currency."""
    balance = sandbox.store.get("balance", owner)
    return dict(balance["available"]) if balance else {}


def move(sandbox: Sandbox, owner: str, *, amount: int, currency: str) -> None:
    """Add minor units to a balance, or take them away (negative)."""
    balance = available(sandbox, owner)
    balance[currency] = balance.get(currency, 0) + amount
    sandbox.store.put("balance", owner, {"available": balance})


def note(
    sandbox: Sandbox,
    owner: str,
    *,
    amount: int,
    currency: str,
    kind: str,
    source: str,
    description: str | None,
) -> Document:
    """Move a balance and write the balance transaction that explains it."""
    move(sandbox, owner, amount=amount, currency=currency)
    now = sandbox.now()
    transaction: Document = {
        "id": new_id("txn", 24),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": now,
        "balance_type": "payments",
        "created": now,
        "currency": currency,
        "description": description,
        "exchange_rate": None,
        "fee": 0,
        "fee_details": [],
        "net": amount,
        "reporting_category": {"payment": "charge", "payment_refund": "refund"}.get(kind, kind),
        "source": source,
        "status": "available",
        "type": kind,
        "_owner": owner,
        "_payout": None,
    }
    sandbox.store.put("balance_transaction", transaction["id"], transaction)
    return transaction


def set_platform_balance(sandbox: Sandbox, amounts: dict[str, int]) -> None:
    """Set the platform's balance, minor units by currency; what grows is announced as `balance.available`."""
    with sandbox.store.transaction():
        before = available(sandbox, PLATFORM)
        sandbox.store.put("balance", PLATFORM, {"available": {**before, **amounts}})
        if any(amount > before.get(currency, 0) for currency, amount in amounts.items()):
            sandbox.events.record("balance.available", balance_object(sandbox, PLATFORM))


def balance_object(sandbox: Sandbox, owner: str) -> Document:
    """The balance as the API shows it."""
    lines = [
        {"amount": amount, "currency": currency, "source_types": {"card": amount}}
        for currency, amount in sorted(available(sandbox, owner).items())
    ]
    nothing = [{**line, "amount": 0, "source_types": {"card": 0}} for line in lines]
    answer = {"object": "balance", "available": lines, "livemode": False, "pending": nothing}
    if owner == PLATFORM:
        answer["connect_reserved"] = [{"amount": 0, "currency": line["currency"]} for line in lines]
    return answer


def retrieve(call: Call) -> Document:
    """`GET /v1/balance`"""
    return balance_object(call.sandbox, call.owner)


def list_transactions(call: Call) -> Document:
    """`GET /v1/balance_transactions`, by payout, source, type, currency and created."""
    where: dict[str, object] = {"_owner": call.owner}
    where.update({name: call.params[name] for name in ("source", "type", "currency") if name in call.params})
    if "payout" in call.params:
        payout = call.store.get("payout", call.params["payout"])
        if payout is None or payout["_owner"] != call.owner:
            raise no_such("payout", call.params["payout"], param="payout", status=400)
        if not payout["automatic"]:
            raise StripeRefusal(
                "Balance transaction history can only be filtered on automatic transfers, not manual.",
                param="payout",
            )
        where["_payout"] = call.params["payout"]
    return page(call, "balance_transaction", url="/v1/balance_transactions", where=where)


def retrieve_transaction(call: Call) -> Document:
    """`GET /v1/balance_transactions/{id}`"""
    transaction = call.store.get("balance_transaction", call.ids["id"])
    if transaction is None or transaction["_owner"] != call.owner:
        raise no_such("balance transaction", call.ids["id"])
    return public(transaction)
