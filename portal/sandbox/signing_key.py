"""The key that signs ID tokens: made once and kept, so that a restart doesn't sign anybody out."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from joserfc.jwk import RSAKey

from portal.sandbox.store import Store

_BITS = 2048
_KIND = "signing_key"
_ID = "id-token"


class SigningKey:
    """An RSA key with its public half for the JWKS document, made when it is first needed."""

    def __init__(self, store: Store, *, has_spare: bool = False) -> None:
        self._store = store
        self._has_spare = has_spare

    @cached_property
    def private(self) -> RSAKey:
        """What signs."""
        with self._store.transaction():
            kept = self._store.get(_KIND, _ID)
            if kept is None:
                kept = dict(_made().as_dict(private=True))
                self._store.put(_KIND, _ID, kept)
        return RSAKey.import_key(kept)

    @property
    def kid(self) -> str:
        """What a token's header names it by."""
        return str(self.private.kid)

    @cached_property
    def _shown(self) -> list[RSAKey]:
        return [_made(), self.private] if self._has_spare else [self.private]

    def jwks(self) -> dict[str, Any]:
        """The JWKS document: the public half alone, after that of a key which signs nothing if there is one."""
        return {"keys": [key.as_dict(private=False) for key in self._shown]}


def _made() -> RSAKey:
    made = RSAKey.generate_key(_BITS, {"use": "sig", "alg": "RS256"}, private=True)
    made.ensure_kid()
    return made
