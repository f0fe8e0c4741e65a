"""Who is in the demo: the people of its identity provider, and what they are in the portal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Sale:
    """A commission: how many days before the demo's first start, minor units, and of what."""

    days_ago: float
    amount: int
    description: str
    """Ends with the order's number."""

    @property
    def reference(self) -> str:
        """By which the host business names it."""
        return f"order-{self.description.rpartition(' ')[2]}"


@dataclass(frozen=True)
class DemoPerson:
    """Somebody who can be picked on the sign-in page."""

    key: str
    name: str
    about: str
    fate: str | None = None
    """What became of the account at the stand-in; None: there is none yet."""
    country: str = "US"
    sales: Sequence[Sale] = ()
    is_affiliate: bool = True
    """Whether the portal knows them when the demo starts for the first time."""

    @property
    def subject(self) -> str:
        return f"person-{self.key}"

    @property
    def email(self) -> str:
        return f"{self.key}@example.com"

    def at_provider(self) -> Mapping[str, Any]:
        """As the identity provider wants to have it."""
        return {"sub": self.subject, "name": self.name, "email": self.email, "email_verified": True}


ADA = DemoPerson("ada", "Ada Lindqvist", "is new: creates her affiliate account", is_affiliate=False)
NINA = DemoPerson(
    "nina",
    "Nina Okafor",
    "has earned, and never set up Stripe",
    sales=(
        Sale(41.2, 5_800, "Starter plan, order 10377"),
        Sale(34.6, 7_450, "Team plan, order 10402"),
        Sale(12.3, 3_900, "Starter plan, order 10493"),
        Sale(3.8, 11_200, "Annual plan, order 10531"),
    ),
)
PAVEL = DemoPerson(
    "pavel",
    "Pavel Horák",
    "is pending: Stripe is reviewing him",
    fate="review",
    country="CZ",
    sales=(Sale(38.1, 6_420, "Team plan, order 10391"), Sale(9.5, 9_620, "Annual plan, order 10507")),
)
VERA = DemoPerson(
    "vera",
    "Vera Castellanos",
    "is verified: $412.50 available, some on hold, one payout in her history",
    fate="approve",
    sales=(
        Sale(85.4, 12_000, "Annual plan, order 10112"),
        Sale(71.2, 8_640, "Team plan, order 10187"),
        Sale(58.7, 15_000, "Annual plan, order 10243"),
        Sale(47.3, 6_350, "Starter plan, order 10318"),
        Sale(39.9, 18_750, "Annual plan with two seats, order 10384"),
        Sale(36.2, 12_500, "Annual plan, order 10396"),
        Sale(33.1, 10_000, "Team plan, order 10409"),
        Sale(21.6, 9_900, "Team plan, order 10455"),
        Sale(8.9, 14_250, "Annual plan, order 10511"),
        Sale(1.7, 4_800, "Starter plan, order 10540"),
    ),
)
WALTER = DemoPerson(
    "walter",
    "Walter Brandt",
    "is verified; his payout of $1,240.00 waits for an operator",
    fate="approve",
    country="DE",
    sales=(
        Sale(66.0, 52_000, "Enterprise plan, order 10209"),
        Sale(52.4, 44_000, "Enterprise plan, order 10281"),
        Sale(40.3, 28_000, "Team plan for a year, order 10381"),
        Sale(6.2, 16_400, "Annual plan, order 10522"),
    ),
)
DANA = DemoPerson(
    "dana",
    "Dana Whitfield",
    "is verified; Stripe wants a document within two weeks",
    fate="due",
    sales=(Sale(44.8, 13_300, "Annual plan, order 10341"), Sale(31.5, 7_700, "Team plan, order 10417")),
)
ROSA = DemoPerson(
    "rosa",
    "Rosa Marchetti",
    "is restricted: a document is missing",
    fate="restrict",
    country="IT",
    sales=(Sale(43.6, 18_840, "Annual plan with two seats, order 10350"),),
)
RICK = DemoPerson(
    "rick",
    "Rick Sandoval",
    "was rejected by Stripe",
    fate="reject",
    sales=(Sale(49.0, 23_000, "Enterprise plan, order 10305"),),
)
BRUNO = DemoPerson(
    "bruno",
    "Bruno Tavares",
    "is blocked by an operator; his payout is held",
    fate="approve",
    country="PT",
    sales=(Sale(55.9, 32_000, "Enterprise plan, order 10262"), Sale(5.1, 4_100, "Starter plan, order 10525")),
)
HANNA = DemoPerson(
    "hanna",
    "Hanna Weiss",
    "was entered by the programme, in euros: her first sign-in finds her earnings",
    country="AT",
    sales=(Sale(35.7, 9_350, "Annual plan, order 10399"), Sale(4.4, 6_600, "Team plan, order 10528")),
)
OLGA = DemoPerson("olga", "Olga Bergström", "is the operator", is_affiliate=False)

PEOPLE = (ADA, NINA, PAVEL, VERA, WALTER, DANA, ROSA, RICK, BRUNO, HANNA, OLGA)

#: Those who have signed in and created their affiliate account before the demo starts for the first time.
SIGNED_UP = (NINA, PAVEL, VERA, WALTER, DANA, ROSA, RICK, BRUNO)
