"""Starlette's and FastAPI's session cookie, for reading: a signed timestamp over base64 of JSON."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from hashlib import sha1
from typing import Any, ClassVar

from .._session.json import Serializer
from .._session.lifetime import Duration, Lifetime, seconds
from ._claims import Secrets
from ._protocols import Traits
from ._signed import SignedCookie, SignedOpener, base64

__all__ = ["StarletteCookie"]

GRAMMAR = re.compile(
    r"(((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)\.([A-Za-z0-9_-]{5,8}))\.([A-Za-z0-9_-]{27})"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StarletteCookie(SignedCookie):
    """The cookie of Starlette's SessionMiddleware, read only: `Importer(StarletteCookie(), secret=…, until=…)`.

    The session counts as begun when its cookie was last signed.

    Args:
        max_age: seconds after the signing from which Starlette refuses the cookie; None for no limit, as in Starlette.
    """

    max_age: Duration | None = 14 * 86_400

    traits: ClassVar[Traits] = Traits(label="starlette", title="Starlette", read_only=True)
    grammar = GRAMMAR

    def codec(
        self, keys: Secrets, *, name: str, audience: str, lifetime: Lifetime, serializer: Serializer
    ) -> StarletteOpener:
        """Return the opener for these keys."""
        return StarletteOpener(GRAMMAR, keys, seconds("max_age", self.max_age))


class StarletteOpener(SignedOpener):
    """Opens the values of itsdangerous' TimestampSigner: HMAC-SHA-1 under a key derived by SHA-1."""

    def key(self, secret: bytes) -> bytes:
        """Return the key by the derivation `django-concat` of itsdangerous."""
        return sha1(b"itsdangerous.Signer" + b"signer" + secret, usedforsecurity=False).digest()

    def contents(self, payload: str) -> Any:
        """Return the JSON value."""
        return json.loads(base64(payload, urlsafe=False) or b"")
