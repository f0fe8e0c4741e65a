"""A separate application for offline use: a stand-in for Stripe with its hosted pages, and an identity provider.

It is a process of its own (`python -m portal.sandbox`) and shares no code with the portal, so it can't reach
production by accident. It enforces what Stripe enforces and can be told to fail.
"""

from __future__ import annotations
