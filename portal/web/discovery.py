"""A provider's discovery document: of all that it says what is used, and only if it is the issuer's own.

https://openid.net/specs/openid-connect-discovery-1_0.html
"""

from __future__ import annotations

import re
from typing import Any

#: Signatures that only the provider can make. `none` and those by a shared secret are not among them.
_ALGORITHMS = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
)

_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")

#: An address that may stand in headers of ours: a host without a user, nothing that ends a policy's or a header's part.
_PLAIN = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?([/?][!-\"$-~]*)?")

#: As long as the column that keeps it.
_END_SESSION_CHARACTERS = 500


def checked(document: Any, issuer: str) -> dict[str, Any]:
    """The used part of the issuer's document, as Authlib names it; raises ValueError."""
    if not isinstance(document, dict) or document.get("issuer") != issuer:
        raise ValueError("the discovery document names another issuer than the setting")
    # http:// issuers exist only outside production
    allowed = ("https://", "http://") if issuer.startswith("http://") else ("https://",)
    metadata: dict[str, Any] = {"issuer": issuer}
    for name in (*_ENDPOINTS, "userinfo_endpoint"):
        address = document.get(name)
        if isinstance(address, str) and address.startswith(allowed):
            metadata[name] = address
        elif name in _ENDPOINTS:
            raise ValueError(f"the discovery document has no usable {name}")
    way_out = document.get("end_session_endpoint")
    if isinstance(way_out, str) and way_out.startswith(allowed) and _may_stand_in_headers(way_out):
        metadata["end_session_endpoint"] = way_out
    named = document.get("id_token_signing_alg_values_supported") or ()
    metadata["id_token_signing_alg_values_supported"] = [name for name in _ALGORITHMS if name in named] or [
        "RS256"
    ]
    methods = document.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    takes_post_only = "client_secret_post" in methods and "client_secret_basic" not in methods
    metadata["token_endpoint_auth_method"] = (
        "client_secret_post" if takes_post_only else "client_secret_basic"
    )
    metadata["names_itself"] = document.get("authorization_response_iss_parameter_supported") is True
    return metadata


def _may_stand_in_headers(address: str) -> bool:
    return len(address) <= _END_SESSION_CHARACTERS and _PLAIN.fullmatch(address) is not None
