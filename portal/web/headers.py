"""What every answer tells the browser to refuse: foreign content, framing, guessing at types, keeping private pages."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, request

from portal.config import Settings
from portal.web.access import person_seen, request_id
from portal.wiring import services

#: One year, the least that browsers' preload lists take.
_HSTS = "max-age=31536000; includeSubDomains"

#: A static file's address changes with its content, so a copy stays right for ever.
_KEEP_FOR_EVER = "public, max-age=31536000, immutable"
_KEEP_FOR_AN_HOUR = "public, max-age=3600"

_PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


def content_security_policy(settings: Settings, *, sign_out_at: str | None = None) -> str:
    """Nothing inline and nothing from elsewhere. Forms may end at Stripe: a browser applies form-action also to where
    a form's answer redirects, and “Set up Stripe payouts” is a form that is answered with 303 to Stripe. So is “Sign
    out”, with the address `sign_out_at` of the provider where the person signed in."""
    targets = ["'self'", "https://connect.stripe.com", "https://*.stripe.com"]
    targets += [_site(address) for address in (settings.stripe_api_base, sign_out_at) if address]
    return "; ".join(
        [
            "default-src 'self'",
            "img-src 'self' data:",
            f"form-action {' '.join(dict.fromkeys(targets))}",
            "frame-ancestors 'none'",
            "object-src 'none'",
            "base-uri 'none'",
        ]
    )


def _site(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def register(app: Flask) -> None:
    """Put the headers on every answer."""
    with app.app_context():
        settings = services().settings
    always = {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        # not no-referrer: on https the check of form tokens compares it
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": _PERMISSIONS,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    if settings.is_production:
        always["Strict-Transport-Security"] = _HSTS

    def protect(response: Response) -> Response:
        for name, value in always.items():
            response.headers[name] = value
        person = person_seen()
        response.headers["Content-Security-Policy"] = content_security_policy(
            settings, sign_out_at=person.end_session_endpoint if person else None
        )
        response.headers["X-Request-ID"] = request_id()
        if request.endpoint == "static" and response.status_code in {200, 206, 304}:
            response.headers["Cache-Control"] = _KEEP_FOR_EVER if "v" in request.args else _KEEP_FOR_AN_HOUR
            return response
        response.vary.add("HX-Request")
        if "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
        return response

    app.after_request(protect)
