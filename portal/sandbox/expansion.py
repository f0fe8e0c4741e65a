"""Objects in the place of their ids: https://docs.stripe.com/api/expanding_objects"""

from __future__ import annotations

from portal.sandbox.errors import InvalidParameter
from portal.sandbox.store import Document, Store, public

_EXPANDABLE = {
    "transfer": ("destination", "balance_transaction", "destination_payment"),
    "transfer_reversal": ("transfer", "balance_transaction"),
    "balance_transaction": ("source",),
    "charge": ("source_transfer", "balance_transaction"),
    "payout": ("balance_transaction", "failure_balance_transaction"),
}

_KINDS = {
    "acct": "account",
    "tr": "transfer",
    "trr": "reversal",
    "txn": "balance_transaction",
    "py": "charge",
    "po": "payout",
}
"""Which kind of document an id names, by its prefix."""


def expanded(answer: Document, paths: list[str], store: Store) -> Document:
    """The answer with the objects that `paths` ask for in place of their ids; raises InvalidParameter."""
    for path in paths:
        _expand(answer, path.split("."), path, store)
    return answer


def _expand(target: Document, steps: list[str], path: str, store: Store) -> None:
    if target.get("object") == "list" and steps[0] == "data":
        if len(steps) == 1:
            raise _not_expandable(path)
        for entry in target["data"]:
            _expand(entry, steps[1:], path, store)
        return
    name = steps[0]
    if name not in _EXPANDABLE.get(str(target.get("object")), ()):
        raise _not_expandable(path)
    value = target.get(name)
    if isinstance(value, str):
        found = store.get(_KINDS.get(value.split("_")[0], ""), value)
        if found is None:
            return
        value = target[name] = public(found)
    if len(steps) > 1 and isinstance(value, dict):
        _expand(value, steps[1:], path, store)


def _not_expandable(path: str) -> InvalidParameter:
    return InvalidParameter(f"This property cannot be expanded ({path}).", param="expand")
