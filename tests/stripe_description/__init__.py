"""Stripe's own description of its API, and what the tests hold against it."""
