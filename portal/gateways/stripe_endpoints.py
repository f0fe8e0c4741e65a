"""The platform's webhook endpoints at Stripe."""

from __future__ import annotations

from portal.domain.webhook_endpoints import EndpointFacts
from portal.gateways.stripe_line import PAGE, StripeLine


class StripeEndpointsApi(StripeLine):
    """What is asked about webhook endpoints."""

    def webhook_endpoints(self) -> list[EndpointFacts]:
        """Those of our key's mode, of which Stripe allows far fewer than a page holds. A restricted key that may not
        ask is a StripeRefusedError: it says nothing against the key. https://docs.stripe.com/api/webhook_endpoints/list
        """
        listed = self._ask(
            lambda: self._client.v1.webhook_endpoints.list({"limit": PAGE}), is_key_at_stake=False
        )
        return [
            EndpointFacts(
                id=each.id,
                url=each.url,
                is_enabled=each.status == "enabled",
                has_application=each.application is not None,
                types=frozenset(each.enabled_events),
                api_version=each.api_version,
            )
            for each in listed.data
        ]
