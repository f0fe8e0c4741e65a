"""The way to Stripe is tried on the programme of the services."""

from __future__ import annotations

from tests.services.conftest import line, made_stand_in, programme, stand_in

__all__ = ["line", "made_stand_in", "programme", "stand_in"]
