"""The key that signs ID tokens: made once and kept, so that a restart doesn't sign anybody out."""

from __future__ import annotations

from typing import Any

from joserfc.jwk import RSAKey

from portal.sandbox.store import Store

_BITS = 2048
_KIND = "signing_key"
_ID = "id-token"


class SigningKey:
    """An RSA key with its public half for the JWKS document."""

    def __init__(self, store: Store, *, has_spare: bool = False) -> None:
        with store.transaction():
            kept = store.get(_KIND, _ID)
            if kept is None:
                kept = dict(_made().as_dict(private=True))
                store.put(_KIND, _ID, kept)
        self.private = RSAKey.import_key(kept)
        self.kid = str(kept["kid"])
        self._shown = [_made(), self.private] if has_spare else [self.private]

    def jwks(self) -> dict[str, Any]:
        """The JWKS document: the public half alone, after that of a key which signs nothing if there is one."""
        return {"keys": [key.as_dict(private=False) for key in self._shown]}


def _made() -> RSAKey:
    made = RSAKey.generate_key(_BITS, {"use": "sig", "alg": "RS256"}, private=True)
    made.ensure_kid()
    return made
