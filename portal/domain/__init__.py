"""The rules of paying affiliates, in plain Python: no framework, no database, no Stripe, no clock."""
