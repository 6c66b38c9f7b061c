"""Django's signed_cookies sessions, for reading: JSON under a timestamped HMAC-SHA-256."""

from __future__ import annotations

import hmac
import json
import re
from dataclasses import dataclass
from datetime import datetime, timezone
from hashlib import sha256
from typing import Any

from .._session.base64url import encode
from .._session.json import Serializer
from .._session.lifetime import LONGEST, Duration, Lifetime, seconds
from ._claims import Secrets, earliest, is_time
from ._protocols import Traits
from ._signed import Signed, SignedCookie, SignedOpener, base64, inflated

__all__ = ["DjangoCookie", "DjangoOpener"]

GRAMMAR = re.compile(r"((\.?[A-Za-z0-9_-]+):([0-9A-Za-z]{5,7})):([A-Za-z0-9_-]{43})")
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
SALT = b"django.contrib.sessions.backends.signed_cookies"


@dataclass(frozen=True, slots=True, kw_only=True)
class DjangoCookie(SignedCookie):
    """The cookie of `django.contrib.sessions.backends.signed_cookies`, read only.

    JSON only: a site with the PickleSerializer cannot be moved this way, and should not wish to be. Who is signed in stands
    under `_auth_user_id`; give `convert` to make a `user` of it. The session began when its cookie was last signed, which Django does
    when the session changes: it ends `max_age` after that, or when `set_expiry` has said, with us too.

    Args:
        max_age: seconds since the signing after which Django would refuse it (`SESSION_COOKIE_AGE`).
    """

    max_age: Duration | None = 14 * 86_400

    @property
    def traits(self) -> Traits:
        """What a store must know of it."""
        return Traits(label="django", title="Django signed_cookies")

    def cookie_name(self, *, host_only: bool, secure: bool) -> str:
        """`sessionid`."""
        return "sessionid"

    def codec(
        self, keys: Secrets, *, name: str, audience: str, lifetime: Lifetime, serializer: Serializer
    ) -> DjangoOpener:
        """What opens the cookies."""
        return DjangoOpener(keys, seconds("max_age", self.max_age))


class DjangoOpener(SignedOpener):
    """django.core.signing's TimestampSigner."""

    def key(self, secret: bytes) -> bytes:
        """salted_hmac's key."""
        return sha256(SALT + b"signer" + secret).digest()

    def parts(self, text: str) -> Signed | None:
        """payload:timestamp:signature."""
        found = GRAMMAR.fullmatch(text)
        if found is None:
            return None
        covered, payload, stamp, signature = found.groups()
        signed_at = 0
        for digit in stamp:
            signed_at = signed_at * 62 + BASE62.index(digit)
        return Signed(covered, payload, signed_at, signature)

    def sign(self, key: bytes, covered: bytes) -> str:
        """HMAC-SHA-256."""
        return encode(hmac.digest(key, covered, "sha256")).decode()

    def ends_at(self, contents: dict[str, Any], signed_at: int) -> int | None:
        """Return the end by the setting, or the earlier one of `set_expiry`."""
        usual = None if self.max_age is None else signed_at + self.max_age
        return earliest(usual, _set_expiry(contents.get("_session_expiry"), signed_at))

    def contents(self, payload: str) -> Any:
        """The JSON, inflated if it must be."""
        data = base64(payload.lstrip("."))
        if data is not None and payload.startswith("."):
            data = inflated(data)
        if data is None:
            raise ValueError("no base64, or no zlib of a sane size")
        return json.loads(data.decode("latin-1"))


def _set_expiry(value: object, signed_at: int) -> int | None:
    """Return the end that `set_expiry` has set: a moment, or seconds after the last change; 0 is the browser's close."""
    if not isinstance(value, str):
        return signed_at + int(value) if is_time(value) and value else None
    try:
        moment = datetime.fromisoformat(value)
        # Without USE_TZ it is the server's local time, which the cookie does not name.
        moment = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
        return min(int(moment.timestamp()), LONGEST)
    except (ValueError, OverflowError):
        return None
