"""How Stripe says no: https://docs.stripe.com/api/errors and https://docs.stripe.com/error-codes"""

from __future__ import annotations

from typing import Any


class StripeRefusal(Exception):
    """An answer of Stripe's that is an error, with the status, type, code, message and parameter it carries."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.kind = kind
        self.code = code
        self.param = param
        self.headers = headers or {}

    def body(self) -> dict[str, Any]:
        """The error object as Stripe writes it."""
        error: dict[str, Any] = {"message": self.message}
        if self.kind:
            error["type"] = self.kind
        if self.code:
            error["code"] = self.code
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}"
        if self.param:
            error["param"] = self.param
        return {"error": error}


class InvalidParameter(StripeRefusal):
    """A parameter was refused before anything ran: never saved under an idempotency key."""


def masked(key: str) -> str:
    """A key as Stripe shows it in a message: the ends only."""
    return f"{key[:8]}{'*' * 8}{key[-4:]}" if len(key) > 16 else f"{key[:8]}****"


def no_api_key() -> StripeRefusal:
    """The request carries no key."""
    return StripeRefusal(
        "You did not provide an API key. You need to provide your API key in the Authorization header, using "
        "Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication "
        "for details, or we can help at https://support.stripe.com/.",
        status=401,
    )


def invalid_api_key(key: str) -> StripeRefusal:
    """The key is nobody's."""
    return StripeRefusal(f"Invalid API Key provided: {masked(key)}", status=401)


def unrecognized_url(method: str, path: str) -> StripeRefusal:
    """There is no such endpoint."""
    return StripeRefusal(
        f"Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs or we can help at "
        "https://support.stripe.com/.",
        status=404,
    )


def no_such(noun: str, identifier: str, *, param: str = "id", status: int = 404) -> StripeRefusal:
    """An object isn't there: 404 for the one the path names, 400 for one a parameter names."""
    return StripeRefusal(
        f"No such {noun}: '{identifier}'", status=status, code="resource_missing", param=param
    )


def account_not_accessible(key: str, account: str) -> StripeRefusal:
    """What a platform is told of an account that is deleted, disconnected, or somebody else's."""
    return StripeRefusal(
        f"The provided key '{masked(key)}' does not have access to account '{account}' (or that account does not "
        "exist). Application access may have been revoked.",
        status=403,
        code="account_invalid",
    )
