"""No page goes through a table that grows for ever, on either database: each finds what it shows by an index."""

from __future__ import annotations

from tests.sizes.plans import Asked, listening, whole_tables
from tests.sizes.visiting import fill, visiting

#: What a statement that may is known by, and why.
MAY = {
    "LIKE '%' ||": "a part of a name may stand anywhere; as few columns as possible are looked at",
    "kind IN (?, ?) AND ledger_accounts.balance": "goes by code until a page is full of those who have money",
}


def test_no_page_goes_through_a_whole_table(database_url: str) -> None:
    fill(database_url, "--affiliates", "60", "--payouts", "1200")
    asked: dict[str, tuple[str, Asked]] = {}
    with visiting(database_url) as visitors:
        for visit in visitors.visits:
            with listening(visitors.engine) as statements:
                visitors.ask(visit)
            asked = {each.statement: (visit.label, each) for each in statements} | asked
        with visitors.engine.connect() as connection:
            found = {
                f"{label}: {step}": each.statement
                for label, each in asked.values()
                if not any(known in each.statement for known in MAY)
                for step in whole_tables(connection, each)
            }
    assert len(asked) > 80
    assert not found, "\n".join(f"{step}\n    {statement}" for step, statement in found.items())
