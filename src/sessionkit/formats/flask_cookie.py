"""Flask's session cookie, for reading: itsdangerous over tagged JSON."""

from __future__ import annotations

import hmac
import json
import re
from dataclasses import dataclass
from typing import Any, ClassVar

from .._session.json import Serializer
from .._session.lifetime import Duration, Lifetime, seconds
from .._session.tags import Tags, strip_tags
from ._claims import Secrets
from ._protocols import Traits
from ._signed import SignedCookie, SignedOpener, unpack_payload

__all__ = ["FlaskCookie"]

GRAMMAR = re.compile(r"((\.?[A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{5,8}))\.([A-Za-z0-9_-]{27})")
"""payload.timestamp.signature; a dot before the payload means that it is compressed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlaskCookie(SignedCookie):
    """The cookie of Flask's own sessions (3.x), read only: `Importer(FlaskCookie(), secret=SECRET_KEY, until=…)`.

    The session counts as begun when its cookie was last signed. Flask signs a permanent session again at each request. Any
    other session ends `max_age` after its last change, after the import too. Values that Flask tags keep their types in
    Flask and Quart. In other frameworks they are converted: tuples to lists, dates to ISO 8601 text, bytes to base64 text,
    UUIDs and markup to text.

    Args:
        salt: the salt of the app's session interface, if it was changed.
        max_age: seconds after the signing from which Flask refuses the cookie (`PERMANENT_SESSION_LIFETIME`).
    """

    salt: str = "cookie-session"
    max_age: Duration | None = 31 * 86_400

    traits: ClassVar[Traits] = Traits(label="flask", title="Flask", read_only=True)
    grammar = GRAMMAR

    def codec(
        self, keys: Secrets, *, name: str, audience: str, lifetime: Lifetime, serializer: Serializer
    ) -> FlaskOpener:
        """Return the opener for these keys."""
        return FlaskOpener(keys, self.salt, seconds("max_age", self.max_age), serializer.tags)


class FlaskOpener(SignedOpener):
    """Opens the values of itsdangerous' URLSafeTimedSerializer: HMAC-SHA-1 under a key derived by HMAC."""

    def __init__(self, secrets: Secrets, salt: str, max_age: int | None, tags: Tags | None) -> None:
        self._salt = salt.encode()
        self._tags = tags
        super().__init__(GRAMMAR, secrets, max_age)

    def key(self, secret: bytes) -> bytes:
        """Return the key by the derivation `hmac` of itsdangerous."""
        return hmac.digest(secret, self._salt, "sha1")

    def ends_at(self, contents: dict[str, Any], signed_at: int) -> int | None:
        """Return the end of a session that is not permanent."""
        lasting = contents.get("_permanent") or self.max_age is None
        return None if lasting else signed_at + (self.max_age or 0)

    def contents(self, payload: str) -> Any:
        """Return the value, decompressed if necessary, without Flask's tags."""
        value = json.loads(unpack_payload(payload))
        return strip_tags(value) if self._tags is None else self._tags.read(value)
