"""The stand-in for Stripe and the identity provider keep what they promise."""
