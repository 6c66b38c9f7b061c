"""Django's signed_cookies sessions, for reading: JSON under a timestamped HMAC-SHA-256."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime, timezone
from hashlib import sha256
from typing import Any, ClassVar

from .._session.json import Serializer
from .._session.lifetime import LONGEST, Duration, Lifetime, seconds
from ._claims import Secrets, earliest, is_time
from ._protocols import Traits
from ._signed import SignedCookie, SignedOpener, unpack_payload

__all__ = ["DjangoCookie"]

GRAMMAR = re.compile(r"((\.?[A-Za-z0-9_-]+):([0-9A-Za-z]{5,7})):([A-Za-z0-9_-]{43})")
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
SALT = b"django.contrib.sessions.backends.signed_cookies"


@dataclass(frozen=True, slots=True, kw_only=True)
class DjangoCookie(SignedCookie):
    """The cookie of `django.contrib.sessions.backends.signed_cookies`, read only.

    Only JSON is read: the sessions of a site with the PickleSerializer cannot be imported. The signed-in user is under
    `_auth_user_id`; pass `convert` to make a `user` from it. The session counts as begun when its cookie was last signed;
    Django signs it when the session changes. It ends `max_age` later, or at the time of `set_expiry`, after the import too.

    Args:
        max_age: seconds after the signing from which Django refuses the cookie (`SESSION_COOKIE_AGE`).
    """

    max_age: Duration | None = 14 * 86_400

    traits: ClassVar[Traits] = Traits(label="django", title="Django signed_cookies", read_only=True)
    usual_name: ClassVar[str] = "sessionid"
    grammar = GRAMMAR

    def codec(
        self, keys: Secrets, *, name: str, audience: str, lifetime: Lifetime, serializer: Serializer
    ) -> DjangoOpener:
        """Return the opener for these keys."""
        return DjangoOpener(GRAMMAR, keys, seconds("max_age", self.max_age))


class DjangoOpener(SignedOpener):
    """Opens the values of django.core.signing's TimestampSigner: payload:time:signature, with HMAC-SHA-256."""

    digest = "sha256"

    def key(self, secret: bytes) -> bytes:
        """Return the key of `salted_hmac`."""
        return sha256(SALT + b"signer" + secret).digest()

    def read_time(self, text: str) -> int:
        """Return the time of the signing, a number in base 62."""
        signed_at = 0
        for digit in text:
            signed_at = signed_at * 62 + BASE62.index(digit)
        return signed_at

    def ends_at(self, contents: dict[str, Any], signed_at: int) -> int | None:
        """Return the end by `max_age` or by `set_expiry`, whichever is earlier."""
        usual = None if self.max_age is None else signed_at + self.max_age
        return earliest(usual, _set_expiry(contents.get("_session_expiry"), signed_at))

    def contents(self, payload: str) -> Any:
        """Return the JSON value, decompressed if necessary."""
        return json.loads(unpack_payload(payload).decode("latin-1"))


def _set_expiry(value: object, signed_at: int) -> int | None:
    """Return the end set by `set_expiry`: a time, or seconds after the last change; None for 0, the end of the browser session."""
    if not isinstance(value, str):
        return signed_at + int(value) if is_time(value) and value else None
    try:
        moment = datetime.fromisoformat(value)
        # Without USE_TZ it is local time of the server, and the cookie does not say which zone that is.
        moment = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
        return min(int(moment.timestamp()), LONGEST)
    except (ValueError, OverflowError):
        return None
